// Signing in while others try links: links that work always do, also behind a proxy that hides addresses.

package main

import (
	"fmt"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"retake.example/internal/desk"
	"retake.example/internal/store"
)

func TestSignIn_AGoodLinkWorksWhileSomebodyTriesOthers(t *testing.T) {
	for name, bad := range map[string]func(n int) call{
		"pages of links that never were": func(n int) call { return call{method: "GET", path: "/login/" + unmade(n)} },
		"presses":                        func(n int) call { return call{method: "POST", path: "/login/" + unmade(n)} },
		"what no link can be":            func(int) call { return call{method: "POST", path: "/login/guess"} },
		"JSON":                           func(n int) call { return call{method: "POST", path: "/login/" + unmade(n), json: true} },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			now := time.Now()
			setNow(d.store, func() time.Time { return now })
			written := commits(t, d.store)
			var refused, limited int
			for second := range 60 {
				for n := range 4 { // all from the same address, as behind a proxy
					now = now.Add(time.Second / 4)
					switch w := d.send(bad(second*4 + n)); w.Code {
					case 403:
						refused++
					case 429:
						limited++
					default:
						t.Fatalf("got %d %s; want 403 or 429", w.Code, w.Body)
					}
				}
				if second%3 != 0 {
					continue
				}
				link := d.link(8)
				d.want(200, d.send(call{method: "GET", path: link}))
				d.want(303, d.send(call{method: "POST", path: link}))
			}
			if refused < 60 || limited < 100 {
				t.Errorf("got %d refused with a page and %d without; want some of each", refused, limited)
			}
			if n := written(); n > 2*20 { // to make a link and to spend it
				t.Errorf("got %d transactions; want none for links that don't work", n)
			}
		})
	}
}

// unmade returns a token that nobody made.
func unmade(n int) string { return fmt.Sprintf("%043d", n) }

func TestSignIn_TheLogNamesTheAddressBehindATrustedProxy(t *testing.T) {
	for name, test := range map[string]struct {
		trusted   []string
		remote    string
		forwarded []string
		want      string
	}{
		"nobody is trusted":                {nil, "127.0.0.1:4000", []string{"198.51.100.7"}, "127.0.0.1"},
		"the proxy is":                     {[]string{"127.0.0.1/32"}, "127.0.0.1:4000", []string{"198.51.100.7"}, "198.51.100.7"},
		"the client adds others":           {[]string{"127.0.0.1/32"}, "127.0.0.1:4000", []string{"203.0.113.1, 198.51.100.7"}, "198.51.100.7"},
		"in a header of its own":           {[]string{"127.0.0.1/32"}, "127.0.0.1:4000", []string{"203.0.113.1", "198.51.100.7"}, "198.51.100.7"},
		"two proxies":                      {[]string{"127.0.0.1/32", "10.0.0.0/8"}, "127.0.0.1:4000", []string{"198.51.100.7, 10.1.2.3"}, "198.51.100.7"},
		"somebody who is no proxy":         {[]string{"127.0.0.1/32"}, "203.0.113.5:4000", []string{"198.51.100.7"}, "203.0.113.5"},
		"no header":                        {[]string{"127.0.0.1/32"}, "127.0.0.1:4000", nil, "127.0.0.1"},
		"a header without a valid address": {[]string{"127.0.0.1/32"}, "127.0.0.1:4000", []string{"<script>"}, "127.0.0.1"},
		"IPv6":                             {[]string{"::1/128"}, "[::1]:4000", []string{"2001:db8::7"}, "2001:db8::7"},
		"IPv4 written as IPv6":             {[]string{"127.0.0.1/32"}, "[::ffff:127.0.0.1]:4000", []string{"198.51.100.7"}, "198.51.100.7"},
		"trusted addresses to the end":     {[]string{"10.0.0.0/8"}, "10.0.0.1:4000", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"a zone with words of the client":  {[]string{"127.0.0.1/32"}, "127.0.0.1:4000", []string{"fe80::1%admin=1 level=ERROR"}, "fe80::1"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			d.change(func(o *desk.Options) {
				for _, p := range test.trusted {
					o.Proxies = append(o.Proxies, netip.MustParsePrefix(p))
				}
			})
			now := time.Now()
			setNow(d.store, func() time.Time { return now })
			for range 30 {
				r := httptest.NewRequest("POST", "/login/guess", nil)
				r.RemoteAddr = test.remote
				for _, f := range test.forwarded {
					r.Header.Add("X-Forwarded-For", f)
				}
				d.Handler().ServeHTTP(httptest.NewRecorder(), r)
			}
			log := d.log.String()
			if !strings.Contains(log, "address="+test.want+"\n") || strings.Count(log, "sign-in links") != 1 {
				t.Errorf("got log %s; want address %s, once", log, test.want)
			}
		})
	}
}

func TestOrigin_TheConfiguredAddressIsTrustedWhateverHostTheProxySends(t *testing.T) {
	for base, origin := range map[string]string{
		"https://retake.example.com":      "https://retake.example.com",
		"https://retake.example.com:8443": "https://retake.example.com:8443",
		"HTTPS://Retake.Example.com:443":  "https://retake.example.com",
		"http://desk.lan:80":              "http://desk.lan",
		"http://[::1]:8080":               "http://[::1]:8080",
	} {
		d := newDesk(t, base)
		for from, want := range map[string]int{origin: 303, "https://evil.example": 403, "null": 403, origin + "1": 403} {
			r := httptest.NewRequest("POST", d.link(8), nil)
			r.Host = "127.0.0.1:9999" // $host of a proxy on another port
			r.Header.Set("Origin", from)
			w := httptest.NewRecorder()
			d.Handler().ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("base_url %s, Origin %s: got %d; want %d", base, from, w.Code, want)
			}
		}
	}
}

func TestSignIn_ATokenWorksWhileSomebodyTriesOthers(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	now := time.Now()
	setNow(d.store, func() time.Time { return now })
	good := d.token(8, store.ScopeRead)
	answers := map[int]int{}
	for n := range 100 {
		bad := "retake_" + unmade(n)
		w := d.send(call{method: "GET", path: "/", header: map[string]string{"Authorization": "Bearer " + bad}})
		answers[w.Code]++
		d.want(200, d.send(call{method: "GET", path: "/", header: map[string]string{"Authorization": "Bearer " + good}}))
	}
	if answers[401] != 20 || answers[429] != 80 {
		t.Errorf("got answers %v; want the first twenty refused in words, and the rest as too many", answers)
	}
}

func TestSignIn_ATokenDoesNotComeFromAnotherSite(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	w := d.send(call{method: "POST", path: "/assets", body: "name=Эва", header: map[string]string{
		"Authorization": "Bearer " + d.token(8, store.ScopeMake), "Origin": "https://evil.example"}})
	if code := refused(t, d.want(403, w)); code != "CROSS_ORIGIN" {
		t.Errorf("got %s; want CROSS_ORIGIN", code)
	}
}

func TestSignIn_ATokenThatMakesVideosPublishesNothing(t *testing.T) {
	for scope, want := range map[store.Scope]int{store.ScopeMake: 403, store.ScopePublish: 200} {
		d := newDesk(t, "http://localhost:8080")
		id := publication(t, d.store, failedPublication)
		bearer := map[string]string{"Authorization": "Bearer " + d.token(8, scope)}
		d.want(want, d.send(call{method: "POST", path: "/assets/" + id + "/retry", body: "platform=YOUTUBE", header: bearer}))
	}
}
