// Tests of the activity list: what it is narrowed to, and what admins are called.

package desk

import (
	"strings"
	"testing"

	"retake.example/internal/store"
)

func TestActivity_IsNarrowedToWhoWhatDayAndVideo(t *testing.T) {
	r := newRig(t)
	r.opts.Staff = Staff{Owners: []int64{8}, Admins: []int64{9}}
	a := r.finished(9, "Маша")
	day := r.store.Now().UnixMilli() / 86_400_000 * 86_400_000
	r.mutate(`INSERT INTO users (id, lang, created) VALUES (1, 'ru', 1)`)
	r.mutate(`DELETE FROM audit`)
	r.mutate(`INSERT INTO audit (at, admin, user_id, action, asset_id, outcome) VALUES
		(?1, 9, NULL, 'edit', ?2, ''), (?1 - 1, 8, NULL, 'sign in', NULL, ''), (?1 + 1, NULL, 1, 'ask', ?2, 'created')`, day, a)
	r.mutate(`INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome, error)
		VALUES (?, 'RENDER', 1, ?2, ?2, 'crashed', 'no')`, a, day+2)
	if err := r.store.Tx(t.Context(), func(tx *store.Tx) error { return tx.NameAdmin(9, "Анна", "anna") }); err != nil {
		t.Fatal(err)
	}
	today := r.store.Now().UTC().Format("2006-01-02")
	for query, want := range map[string][]string{
		"":                  {"crashed", "created", "edit", "sign in"},
		"by=people":         {"created", "edit", "sign in"},
		"by=program":        {"crashed"},
		"who=2":             {"edit"},
		"who=users":         {"created"},
		"what=sign-ins":     {"sign in"},
		"what=asked":        {"created"},
		"day=" + today:      {"crashed", "created", "edit"},
		"asset=" + a:        {"crashed", "created", "edit"},
		"who=1&what=edited": nil,
	} {
		page := r.do(r.Activity, sent{method: "GET", path: "/activity?" + query, json: true}).Body.String()
		for _, word := range []string{"crashed", "created", "edit", "sign in"} {
			listed := strings.Contains(page, `"outcome":"`+word+`"`) || strings.Contains(page, `"action":"`+word+`"`)
			wanted := false
			for _, w := range want {
				wanted = wanted || w == word
			}
			if listed != wanted {
				t.Errorf("%q: got %q listed: %v; want %v\n%s", query, word, listed, wanted, page)
			}
		}
	}
	grouped := map[string]bool{}
	for _, k := range kinds {
		for _, action := range k.actions {
			grouped[action] = true
		}
	}
	for _, w := range whats {
		if !grouped[w.action] && w.action != "render" {
			t.Errorf("nothing narrows the list to %q", w.action)
		}
	}
	page := r.do(r.Activity, sent{method: "GET", path: "/activity?by=people"}).Body.String()
	if !strings.Contains(page, "Анна (@anna)") {
		t.Errorf("got %s; want the name that Telegram gave", page)
	}
	if w := r.do(r.Activity, sent{method: "GET", path: "/activity?who=77"}); w.Code != 422 {
		t.Errorf("got %d; want a refusal of somebody unknown", w.Code)
	}
}

// A deed with an outcome of its own has its own words, and one that nobody has words for is named as it is.
func TestWhat_EachOutcomeHasItsWords(t *testing.T) {
	say := sayIn("en")
	for _, w := range whats {
		got := what(say, store.AuditEntry{Action: w.action, Outcome: w.outcome, Attempt: 2})
		if want := say(w.id, Vars{"Attempt": 2, "Outcome": w.outcome, "Of": w.outcome}); got != want {
			t.Errorf("%s, %s: got %q; want %q", w.action, w.outcome, got, want)
		}
	}
	for d, want := range map[store.AuditEntry]string{
		{Action: "new deed", Outcome: "well"}: "new deed: well", {Action: "new deed"}: "new deed",
		{Action: "publish", Outcome: "odd"}: "publish: odd",
	} {
		if got := what(say, d); got != want {
			t.Errorf("%+v: got %q; want %q", d, got, want)
		}
	}
}
