// Where requests come from: the page's own origin, and the address of a browser behind proxies.

package desk

import (
	"cmp"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Origin returns what a browser sends as Origin for pages at an address: lower case, and no port that the scheme
// implies.
func Origin(baseURL string) string {
	u, err := url.Parse(baseURL)
	if err != nil {
		return "" // the settings refuse such an address
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if implied := map[string]string{"http": "80", "https": "443"}[scheme]; u.Port() == implied {
		host = strings.TrimSuffix(host, ":"+implied)
	}
	return scheme + "://" + host
}

// ClientAddress returns the address that a request comes from. Only what trusted proxies add to X-Forwarded-For counts:
// everything further left is the client's word.
func ClientAddress(r *http.Request, trusted []netip.Prefix) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	address := cmp.Or(host, r.RemoteAddr)
	if err != nil {
		return address
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		ip, err := netip.ParseAddr(address)
		if err != nil || !slices.ContainsFunc(trusted, func(p netip.Prefix) bool {
			return p.Contains(ip.Unmap().WithZone(""))
		}) {
			return address
		}
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return address
		}
		address = next.Unmap().WithZone("").String()
	}
	return address
}
