// The edges of the page and of the data folder: headers, the end of sessions, and what is erased.

package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"retake.example/internal/store"
)

func TestHeaders_OfEveryAnswer(t *testing.T) {
	for base, hsts := range map[string]string{"https://retake.example.com": "max-age=31536000", "http://localhost:8080": ""} {
		d := newDesk(t, base)
		for _, path := range []string{"/login", "/", "/nope", "/static/style.css", "/healthz"} {
			h := d.send(call{method: "GET", path: path}).Header()
			for key, want := range map[string]string{"Cross-Origin-Opener-Policy": "same-origin",
				"Permissions-Policy":        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
				"Strict-Transport-Security": hsts} {
				if got := h.Get(key); got != want {
					t.Errorf("%s%s: got %s %q; want %q", base, path, key, got, want)
				}
			}
		}
	}
}

func TestSession_EndsAfterNinetyDaysHoweverOftenItIsUsed(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	session, began := d.signIn(8), time.Now()
	for day := 4; day <= 94; day += 6 {
		setNow(d.store, func() time.Time { return began.AddDate(0, 0, day) })
		want := 200
		if day > 90 {
			want = 303
		}
		d.want(want, d.send(call{method: "GET", path: "/", session: session}))
	}
}

func TestSignOut_ClearsWhatTheBrowserKeeps(t *testing.T) {
	for _, path := range []string{"/logout", "/logout-everywhere"} {
		d := newDesk(t, "http://localhost:8080")
		w := d.send(call{method: "POST", path: path, session: d.signIn(8)})
		if got := w.Header().Get("Clear-Site-Data"); got != `"cache"` {
			t.Errorf("%s: got Clear-Site-Data %q; want the cache cleared", path, got)
		}
	}
}

func TestEvents_ASessionHasSoManyStreams(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	server := httptest.NewServer(d.Handler())
	defer server.Close()
	defer d.Web.Close()
	session := d.session(8)
	for n := range 33 {
		l := dial(t, server.Listener.Addr().String())
		l.say("GET /events HTTP/1.1", "Host: localhost", d.as(session), "")
		l.Reader.ReadString(' ') // the protocol
		status, _ := l.Reader.ReadString(' ')
		if want := map[bool]string{true: "200 ", false: "429 "}[n < 32]; status != want {
			t.Errorf("stream %d: got %s; want %s", n, status, want)
		}
	}
}

func TestPurge_LeavesNoNameInTheLogOfTheDatabase(t *testing.T) {
	s := newStore(t)
	setNow(s, func() time.Time { return time.Now().Add(-48 * time.Hour) })
	write(t, s, func(tx *store.Tx) error {
		if _, err := tx.Meet(1, "ru"); err != nil {
			return err
		}
		_, err := tx.SaveDraft(1, "Ксюшенька")
		return err
	})
	setNow(s, time.Now)
	for n := 1; n > 0; {
		write(t, s, func(tx *store.Tx) (err error) { _, n, err = tx.Purge(store.Keep{}); return err })
	}
	if err := s.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, end := range []string{"", "-wal"} {
		if b, err := os.ReadFile(s.Path() + end); err != nil || bytes.Contains(b, []byte("Ксюшенька")) {
			t.Errorf("retake.db%s: got %v; want no deleted name in it", end, err)
		}
	}
}
