// http_host_test.go has generators that refer to other hosts, and to places where nobody should go.

package video

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// stranger is a server that is not the configured one; it fails the test if it sees what is not for it.
func stranger(t *testing.T, handler http.HandlerFunc) (*httptest.Server, *atomic.Int32) {
	var seen atomic.Int32
	return generator(t, func(w http.ResponseWriter, req *http.Request) {
		seen.Add(1)
		for _, key := range []string{"Authorization", "Idempotency-Key", "Referer", "Cookie"} {
			if got := req.Header.Get(key); got != "" {
				t.Errorf("%s: the other host got %q; want none", key, got)
			}
		}
		if body, _ := io.ReadAll(req.Body); len(body) > 0 {
			t.Errorf("the other host got the order %q", body)
		}
		handler(w, req)
	}), &seen
}

func TestRemoteTellsSecretsToItsOwnHostOnly(t *testing.T) {
	for name, status := range map[string]int{"with a Location": 202, "with a redirect of the order": 303,
		"with a moved order": 302} {
		t.Run(name, func(t *testing.T) {
			var own *httptest.Server
			other, seen := stranger(t, func(w http.ResponseWriter, req *http.Request) {
				http.Redirect(w, req, own.URL+"/back", http.StatusFound)
			})
			var back atomic.Bool
			own = generator(t, func(w http.ResponseWriter, req *http.Request) {
				if user, password, _ := req.BasicAuth(); user != "user" || password != "se cret" {
					t.Errorf("%s: got %q, %q; want the user and the password", req.URL, user, password)
				}
				key := ""
				if req.Method == http.MethodPost {
					key = "a1"
				}
				if got := req.Header.Get("Idempotency-Key"); got != key {
					t.Errorf("%s %s: got key %q; want %q", req.Method, req.URL, got, key)
				}
				if req.URL.Path == "/back" {
					back.Store(true)
					sendVideo(w, req)
					return
				}
				answer(status, "", "Location: "+other.URL+"/there", "Retry-After: 0", "Set-Cookie: a=b")(w, req)
			})
			path, err := fetchFrom(
				t,
				strings.Replace(own.URL, "http://", "http://user:se%20cret@", 1)+"/hidden",
				func(r *remote) { r.allowPrivate = true },
			)
			wantVideo(t, path, err)
			if seen.Load() != 1 || !back.Load() {
				t.Errorf("got %d requests at the other host, back %v; want 1, true", seen.Load(), back.Load())
			}
		})
	}
}

func TestRemoteDoesNotGoWhereNobodyShould(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		host   string // of the other server
		allow  bool
		want   string // "": the video
	}{
		"by a Location to this machine": {202, "127.0.0.1", false,
			"refers to 127.0.0.1, which is not on the public internet"},
		"by a Location to this machine's name": {202, "localhost", false, "which is not on the public internet"},
		"by a Location to this machine in hiding": {202, "[::ffff:127.0.0.1]", false,
			"which is not on the public internet"},
		"by a redirect to this machine": {303, "127.0.0.1", false,
			"refers to 127.0.0.1, which is not on the public internet"},
		"by a redirect of the order to another host": {307, "127.0.0.1", true,
			"wants the order to go to 127.0.0.1:PORT: configure that address if the name may go there"},
		"by a redirect of the order, permanently": {308, "127.0.0.1", true,
			"wants the order to go to 127.0.0.1:PORT: configure that address if the name may go there"},
		"but by a Location if the operator allows it":  {202, "127.0.0.1", true, ""},
		"but by a redirect if the operator allows it":  {303, "127.0.0.1", true, ""},
		"but by a redirect to a name if it is allowed": {303, "localhost", true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			other, seen := stranger(t, sendVideo)
			_, otherPort, _ := strings.Cut(other.Listener.Addr().String(), ":")
			s := generator(t, answer(c.status, "", "Location: http://"+c.host+":"+otherPort+"/", "Retry-After: 0"))
			path, err := fetchFrom(t, s.URL, func(r *remote) { r.allowPrivate = c.allow })
			if c.want == "" {
				wantVideo(t, path, err)
				return
			}
			if want := strings.Replace(c.want, "PORT", otherPort, 1); err == nil || !isPermanent(err) ||
				!strings.HasSuffix(err.Error(), want) {
				t.Errorf("got %v, permanent %v; want %q, true", err, isPermanent(err), want)
			}
			if seen.Load() > 0 {
				t.Errorf("the other host got %d requests; want none", seen.Load())
			}
		})
	}
}

func TestRemoteStaysWithItsOwnHost(t *testing.T) {
	// The configured host is a private one; a redirect there, of any kind, is fine.
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			s := generator(t, func(w http.ResponseWriter, req *http.Request) {
				if steps := len(req.URL.Path); steps <= maxRedirects {
					http.Redirect(w, req, req.URL.Path+"x", status)
					return
				}
				if body, _ := io.ReadAll(req.Body); status >= 307 != strings.Contains(string(body), "Anna") {
					t.Errorf("got the order %q after %d", body, status)
				}
				sendVideo(w, req)
			})
			path, err := fetchFrom(t, s.URL, nil)
			wantVideo(t, path, err)
		})
	}
}

func TestRemoteUsesNoProxy(t *testing.T) {
	r, err := newRemote("http://generator", false, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, transport := range []*http.Transport{r.newCourier("").orders, r.newCourier("").own, r.newCourier("").others} {
		if transport.Proxy != nil {
			t.Error("got a proxy; want none")
		}
	}
}

func TestPublicAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1::1": true, "::ffff:93.184.216.34": true, "64:ff9b::5db8:d822": true,
		"100.63.0.1": true, "100.128.0.1": true, "172.32.0.1": true,
		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "::ffff:127.0.0.1": false, "::127.0.0.1": false,
		"0.0.0.0": false, "0.1.2.3": false, "::": false,
		"10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false, "::ffff:192.168.1.1": false,
		"fc00::1": false, "fd12:3456::1": false, "fec0::1": false,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false,
		"100.64.0.1": false, "100.127.255.255": false,
		"224.0.0.1": false, "239.1.2.3": false, "ff02::1": false, "ff0e::1": false, "255.255.255.255": false,
		"240.0.0.1":  false,
		"198.18.0.1": false, "192.0.0.8": false, "64:ff9b::7f00:1": false, "64:ff9b::a00:1": false, "2002:7f00:1::": false,
	} {
		if got := isPublic(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: got %v; want %v", address, got, want)
		}
	}
}

func TestOwnHost(t *testing.T) {
	r, err := newRemote("http://Generator.example/", false, 0)
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"http://generator.example/x": true, "http://GENERATOR.example:80/": true, "https://generator.example:80/": true,
		"https://generator.example/": false, "http://generator.example:81/": false, "http://sub.generator.example/": false,
		"http://example/": false, "http://generator.example.evil/": false, "http://generator.example@evil/": false,
	} {
		if got := r.isOwn(parseURL(t, address)); got != want {
			t.Errorf("%s: got %v; want %v", address, got, want)
		}
	}
}

func parseURL(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
