// Tests of signing in where somebody is signed in.

package desk

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestLogin_TheBrowsersOldSessionEnds(t *testing.T) {
	r := newRig(t)
	signIn := func(old string) (session string) {
		t.Helper()
		link, err := NewLink(t.Context(), r.store, "http://localhost", 8)
		if err != nil {
			t.Fatal(err)
		}
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/login/x", nil)
		req.SetPathValue("token", link[strings.LastIndexByte(link, '/')+1:])
		if old != "" {
			req.AddCookie(&http.Cookie{Name: r.cookie, Value: old})
		}
		w := httptest.NewRecorder()
		if err := r.Login(w, req); err != nil {
			t.Fatal(err)
		}
		return w.Result().Cookies()[0].Value
	}
	first := signIn("")
	second := signIn(first)
	for session, want := range map[string]bool{first: false, second: true} {
		if _, _, err := r.store.Session(t.Context(), hashOf(session)); (err == nil) != want {
			t.Errorf("got %v; want the last session alone to work", err)
		}
	}
}
