// Profiles of the running program, for owners on the machine itself.

package desk

import (
	"net/http"
	"net/http/pprof"
	"net/netip"
	"slices"

	"retake.example/internal/store"
)

// profiles are those that Go keeps; profile (of the CPU) and trace are made when asked for. None contains data.
var profiles = []string{"allocs", "block", "goroutine", "heap", "mutex", "threadcreate"}

// Pprof answers with a profile for go tool pprof. To requests that do not come from this machine, or came through a
// proxy, it isn't there.
func (d *Desk) Pprof(w http.ResponseWriter, r *http.Request) error {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() || r.Header.Get("X-Forwarded-For") != "" ||
		r.Header.Get("Forwarded") != "" {
		return store.ErrNotFound
	}
	switch name := r.PathValue("profile"); {
	case name == "profile":
		pprof.Profile(w, r)
	case name == "trace":
		pprof.Trace(w, r)
	case slices.Contains(profiles, name):
		pprof.Handler(name).ServeHTTP(w, r)
	default:
		return store.ErrNotFound
	}
	return nil
}
