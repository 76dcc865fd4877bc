// Profiles are there for the machine itself only.

package desk

import (
	"errors"
	"net/http/httptest"
	"testing"

	"retake.example/internal/store"
)

func TestPprof_IsThereForTheMachineItselfOnly(t *testing.T) {
	for name, c := range map[string]struct {
		from, profile, header string
		there                 bool
	}{
		"the machine":             {"127.0.0.1:4000", "heap", "", true},
		"the machine by IPv6":     {"[::1]:4000", "goroutine", "", true},
		"another machine":         {"192.0.2.1:4000", "heap", "", false},
		"a proxy on the machine":  {"127.0.0.1:4000", "heap", "X-Forwarded-For", false},
		"another sort of a proxy": {"127.0.0.1:4000", "heap", "Forwarded", false},
		"the command line":        {"127.0.0.1:4000", "cmdline", "", false},
		"no profile":              {"127.0.0.1:4000", "names", "", false},
	} {
		r := httptest.NewRequest("GET", "/debug/pprof/"+c.profile, nil)
		r.RemoteAddr = c.from
		r.SetPathValue("profile", c.profile)
		if c.header != "" {
			r.Header.Set(c.header, "192.0.2.1")
		}
		w := httptest.NewRecorder()
		err := new(Desk).Pprof(w, r)
		if there := err == nil && w.Body.Len() > 0; there != c.there || !there && !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: got %v, %d bytes; want it there: %v", name, err, w.Body.Len(), c.there)
		}
	}
}
