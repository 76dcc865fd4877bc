// Tests of what a token opens.

package desk

import (
	"net/http"
	"testing"

	"retake.example/internal/store"
)

func TestOpens_AHeadIsAGet(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for pattern, want := range map[string]bool{"/tokens": false, "/admins": false, "/channels/callback": false, "/": true,
			"/settings": true} {
			if got := opens(store.ScopeRead, method, pattern); got != want {
				t.Errorf("%s %s by a token that may read: got %v; want %v", method, pattern, got, want)
			}
			if got := opens(store.ScopeEverything, method, pattern); got != want {
				t.Errorf("%s %s by a token for everything: got %v; want %v", method, pattern, got, want)
			}
		}
	}
	if route := "/something/new"; opens(store.ScopeRead, http.MethodPost, route) ||
		!opens(store.ScopeEverything, http.MethodPost, route) {
		t.Error("a route that changes something and that nobody has listed needs a token for everything")
	}
}
