// Tests of how an error is answered.

package desk

import (
	"net/http"
	"testing"
)

func TestFail_NoErrorIsKeptByABrowser(t *testing.T) {
	r := newRig(t)
	w := r.do(r.Asset, sent{method: "GET", id: "nothing"})
	if w.Code != http.StatusNotFound || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("got %d, %q; want 404 that nobody keeps", w.Code, w.Header().Get("Cache-Control"))
	}
}
