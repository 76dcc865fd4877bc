// Tests of what a file is before anybody decodes it.

package desk

import (
	"bytes"
	"testing"
)

// A recording says how long it is, or that nobody knows.
func TestIsCutMatroska_ComparesTheSegmentWithTheFile(t *testing.T) {
	segment := func(length byte, more int) []byte {
		return append([]byte{0x1a, 0x45, 0xdf, 0xa3, 0x18, 0x53, 0x80, 0x67, 0x01, 0, 0, 0, 0, 0, 0, length}, make([]byte, more)...)
	}
	unknown := []byte{0x18, 0x53, 0x80, 0x67, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	for name, c := range map[string]struct {
		file []byte
		want bool
	}{
		"whole":           {segment(5, 5), false},
		"with more":       {segment(5, 9), false},
		"cut":             {segment(5, 4), true},
		"nothing follows": {segment(5, 0), true},
		"empty":           {segment(0, 0), false},
		"never closed":    {unknown, false},
		"cut in the head": {segment(5, 0)[:15], false},
		"no segment":      {[]byte("something else"), false},
	} {
		if got := isCutMatroska(bytes.NewReader(c.file), int64(len(c.file))); got != c.want {
			t.Errorf("%s: got %v; want %v", name, got, c.want)
		}
	}
}
