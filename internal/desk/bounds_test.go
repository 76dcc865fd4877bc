// Tests of what forms and tokens may not say, and of numbers at their bounds.

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
	if opens(store.ScopeRead, http.MethodPost, "/something/new") || !opens(store.ScopeEverything, http.MethodPost, "/something/new") {
		t.Error("a route that changes something and that nobody has listed needs a token for everything")
	}
}

func TestChangeAdmins_ANumberOfAPerson(t *testing.T) {
	r := newRig(t)
	for id, want := range map[string]int{"": 422, "x": 422, "-5": 422, "0": 422, " 55 ": 200} {
		w := r.do(r.ChangeAdmins, sent{path: "/admins", body: "do=add&id=" + id, json: true})
		if w.Code != want {
			t.Errorf("%q: got %d; want %d", id, w.Code, want)
		}
	}
	if n := r.number(`SELECT count(*) FROM admins`); n != 1 {
		t.Errorf("got %d admins; want the one with a number", n)
	}
}

func TestDecideHeld_OnlyYesOrNo(t *testing.T) {
	r := newRig(t)
	for send, want := range map[string]int{"": 422, "maybe": 422, "yes": 409, "no": 409} { // 409: nothing is held
		if w := r.do(r.DecideHeld, sent{body: "send=" + send, json: true}); w.Code != want {
			t.Errorf("%q: got %d; want %d", send, w.Code, want)
		}
	}
}

func TestPercent_IsAHundredAtMost(t *testing.T) {
	for _, c := range [][3]int64{{0, 0, 0}, {5, 0, 0}, {0, 10, 0}, {1, 3, 33}, {10, 10, 100}, {11, 10, 100}} {
		if got := Percent(c[0], c[1]); int64(got) != c[2] {
			t.Errorf("%d of %d: got %d; want %d", c[0], c[1], got, c[2])
		}
	}
}

func TestValueInWords_AsTheFormSaysIt(t *testing.T) {
	say := sayIn("en")
	for _, c := range [][3]string{
		{"privacy", "public", say("privacy_public", nil)}, {"privacy", "", ""}, {"language", "ru", languageName("ru")},
		{"category", categories[0].ID, say(categories[0].Name, nil)}, {"category", "999", "999"},
		{"synthetic", "yes", say("synthetic_yes", nil)}, {"synthetic", "", ""}, {"title", "public", "public"},
	} {
		if got := valueInWords(say, c[0], c[1]); got != c[2] {
			t.Errorf("%s, %q: got %q; want %q", c[0], c[1], got, c[2])
		}
	}
}
