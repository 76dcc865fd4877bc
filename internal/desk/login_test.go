// Tests of signing in.

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

func TestLoginPage_ShowsTheButtonOfAGoodLinkOnly(t *testing.T) {
	r := newRig(t)
	link, err := NewLink(t.Context(), r.store, "http://localhost/", 8)
	if err != nil {
		t.Fatal(err)
	}
	token, ok := strings.CutPrefix(link, "http://localhost/login/")
	if !ok {
		t.Fatalf("got %s; want one slash after the host", link)
	}
	for given, want := range map[string]int{token: 200, "": 200, token[:len(token)-1]: BadLink.Status,
		strings.Repeat("A", len(token)): BadLink.Status} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/login/x", nil)
		req.SetPathValue("token", given)
		w := httptest.NewRecorder()
		if err := r.LoginPage(w, req); err != nil {
			r.Desk.Fail(w, req, err, false)
		}
		form := strings.Contains(w.Body.String(), `action="/login/`+token)
		if w.Code != want || form != (given == token) {
			t.Errorf("%.5s…: got %d, with the button: %v; want %d", given, w.Code, form, want)
		}
	}
}
