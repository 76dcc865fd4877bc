// The edges of the page and of the data folder: headers, the end of sessions, and what is erased.

package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
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

func TestSession_OfTwoBotsOnOneHost(t *testing.T) {
	one, two := newDesk(t, "http://localhost:8080"), newDesk(t, "http://localhost:8090")
	jar := map[string]string{} // what a browser keeps for localhost, whatever the port
	for _, d := range []*office{one, two} {
		for _, c := range d.send(call{method: "POST", path: d.link(8)}).Result().Cookies() {
			jar[c.Name] = c.Value
		}
	}
	for _, d := range []*office{one, two} {
		r := httptest.NewRequest("GET", "/settings", nil)
		for name, value := range jar {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		w := httptest.NewRecorder()
		d.Handler().ServeHTTP(w, r)
		if w.Code != 200 {
			t.Errorf("got %d; want both admins signed in", w.Code)
		}
	}
}
