// tail.go keeps the end of what a program prints, however much that is.

package video

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// tailSize is how much of a program's errors is kept, in bytes.
const tailSize = 2 << 10

// tail is a writer that remembers the last tailSize bytes.
type tail struct {
	mu   sync.Mutex
	ring [tailSize]byte
	n    int64 // bytes written so far
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	written := len(p)
	if skip := len(p) - tailSize; skip > 0 {
		t.n += int64(skip)
		p = p[skip:]
	}
	for len(p) > 0 {
		k := copy(t.ring[t.n%tailSize:], p)
		t.n += int64(k)
		p = p[k:]
	}
	return written, nil
}

// text returns what is remembered as valid UTF-8 without spaces around it.
func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.ring[:min(t.n, tailSize)]
	if t.n > tailSize {
		at := t.n % tailSize
		b = append(append([]byte(nil), t.ring[at:]...), t.ring[:at]...)
		for len(b) > 0 && !utf8.RuneStart(b[0]) { // the rest of a letter that was cut
			b = b[1:]
		}
	}
	return strings.TrimSpace(strings.ToValidUTF8(string(b), "\uFFFD"))
}
