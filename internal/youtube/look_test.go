package youtube

import (
	"errors"
	"net/http"
	"testing"
)

func TestLook_ALookTellsWhetherGoogleKnowsTheClient(t *testing.T) {
	w := newWorld(t)
	if err := w.client.Look(t.Context()); err != nil {
		t.Errorf("a client that is known: got %v", err)
	}
	stranger := w.client.conf
	stranger.ClientSecret = "another"
	if err := New(stranger).Look(t.Context()); !errors.Is(err, ErrUnknown) {
		t.Errorf("another secret: got %v; want ErrUnknown", err)
	}
	w.before = func(rw http.ResponseWriter, _ *http.Request) bool {
		rw.WriteHeader(http.StatusBadGateway)
		return true
	}
	if err := w.client.Look(t.Context()); err == nil || errors.Is(err, ErrUnknown) {
		t.Errorf("a consent server that fails: got %v; want another error", err)
	}
	w.before = nil
	w.front.Close()
	wantError(t, w.client.Look(t.Context()), "connection")
}
