// What the tests share: the fake of Rumble and a client of it.

package rumble

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	fake "retake.example/internal/fake/rumble"
)

const token = "0123456789abcdef0123456789abcdef01234567"

// world is a running fake, a client of it, and the state that its caller stores.
type world struct {
	*fake.Server
	t      *testing.T
	client *Client
	film   []byte

	mu     sync.Mutex
	state  State
	states []State // all that were saved
}

// newWorld starts a fake mounted under a path. wrap, if not nil, comes before it.
func newWorld(t *testing.T, size int, wrap func(http.Handler) http.Handler) *world {
	t.Helper()
	w := &world{t: t, film: film(size)}
	web := httptest.NewUnstartedServer(nil)
	base := "http://" + web.Listener.Addr().String() + "/rumble"
	s, err := fake.New(fake.Options{AccessToken: token, BaseURL: base})
	if err != nil {
		t.Fatal(err)
	}
	w.Server = s
	h := http.StripPrefix("/rumble", s)
	if wrap != nil {
		h = wrap(h)
	}
	web.Config.Handler = h
	web.Start()
	t.Cleanup(func() {
		web.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w.client = New(Config{AccessToken: token, BaseURL: base + "/"})
	return w
}

// film is noise: it has to arrive, not to play.
func film(size int) []byte {
	data := make([]byte, size)
	src := rand.NewChaCha8([32]byte{1})
	src.Read(data)
	return data
}

func (w *world) video() Video {
	return Video{File: bytes.NewReader(w.film), Size: int64(len(w.film)), Type: "video/mp4", Name: "a1.mp4"}
}

var words = Metadata{Title: "С днём рождения!", Description: "Two\nlines", Guid: "p-1"}

func (w *world) save(s State) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = s
	w.states = append(w.states, s)
	return nil
}

// publish makes one attempt from the state that is kept.
func (w *world) publish(ctx context.Context, v Video) (Published, error) {
	return w.client.Publish(ctx, v, words, w.state, w.save)
}

// set turns a switch of the fake.
func (w *world) set(id string, on bool) {
	w.t.Helper()
	for _, f := range w.Faults() {
		if f.ID == id {
			f.Set(on)
			return
		}
	}
	w.t.Fatalf("there is no switch %q", id)
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// failure returns the error as ours.
func failure(t *testing.T, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v; want an error of this package", err)
	}
	return e
}

// answering is a server that takes all of an upload and gives one answer.
func answering(t *testing.T, status int, header map[string]string, body string) *Client {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	t.Cleanup(web.Close)
	return New(Config{AccessToken: token, BaseURL: web.URL})
}

// reading calls a function before every read, with what has been read so far.
type reading struct {
	io.ReadSeeker
	sent   int64
	before func(sent int64) error
}

func (r *reading) Read(p []byte) (int, error) {
	if err := r.before(r.sent); err != nil {
		return 0, err
	}
	n, err := r.ReadSeeker.Read(p)
	r.sent += int64(n)
	return n, err
}

const patience = 20 * time.Second
