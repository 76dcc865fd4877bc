// Tests of where requests come from.

package desk

import (
	"net/http"
	"net/netip"
	"testing"
)

func TestOrigin_IsWhatABrowserSends(t *testing.T) {
	for address, want := range map[string]string{
		"https://Retake.Example/":       "https://retake.example",
		"https://retake.example:443":    "https://retake.example",
		"http://retake.example:80/desk": "http://retake.example",
		"http://retake.example:443":     "http://retake.example:443",
		"https://retake.example:80":     "https://retake.example:80",
		"http://localhost:8080":         "http://localhost:8080",
		"https://[::1]:443":             "https://[::1]",
		":":                             "",
	} {
		if got := Origin(address); got != want {
			t.Errorf("%s: got %q; want %q", address, got, want)
		}
	}
}

func TestClientAddress_OnlyTrustedProxiesAreBelieved(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fe80::/10")}
	for name, c := range map[string]struct {
		remote string
		hops   []string // values of X-Forwarded-For
		want   string
	}{
		"nobody between":                      {"192.0.2.1:4000", nil, "192.0.2.1"},
		"a proxy":                             {"10.0.0.1:4000", []string{"192.0.2.1"}, "192.0.2.1"},
		"a proxy, by a socket for both kinds": {"[::ffff:10.0.0.1]:4000", []string{"192.0.2.1"}, "192.0.2.1"},
		"a proxy of a link":                   {"[fe80::1%eth0]:4000", []string{"192.0.2.1"}, "192.0.2.1"},
		"a client that says so itself":        {"192.0.2.9:4000", []string{"192.0.2.1"}, "192.0.2.9"},
		"more than the proxy has added":       {"10.0.0.1:4000", []string{"198.51.100.7, 192.0.2.1"}, "192.0.2.1"},
		"two proxies":                         {"10.0.0.1:4000", []string{"198.51.100.7, 192.0.2.1, 10.0.0.2"}, "192.0.2.1"},
		"two headers":                         {"10.0.0.1:4000", []string{"198.51.100.7", "192.0.2.1"}, "192.0.2.1"},
		"all of them proxies":                 {"10.0.0.1:4000", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"a proxy that adds nothing readable":  {"10.0.0.1:4000", []string{"192.0.2.1, unknown"}, "10.0.0.1"},
		"a socket of the machine":             {"@", []string{"192.0.2.1"}, "@"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{"X-Forwarded-For": c.hops}}
		if got := ClientAddress(r, trusted); got != c.want {
			t.Errorf("%s: got %s; want %s", name, got, c.want)
		}
	}
}
