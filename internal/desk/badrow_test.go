// Tests that a damaged row takes no page away.

package desk

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"retake.example/internal/store"
)

// The pages that show rows. A damaged one must not take them away, in a browser or in a program.
func TestPages_ABadRowTakesNoneAway(t *testing.T) {
	r := newRig(t)
	good := r.finished(8, "Good")
	a := r.finished(8, "Bad")
	r.published(a, "YOUTUBE")
	failed := "0" + a[1:] // no random id begins with it
	r.mutate(`INSERT INTO assets
		(id, name, name_key, template, lang, origin, creator, status, error, created, finished, needs_attention) VALUES
		 (?, 'Failed', 'failed', 'new-year', 'en', 'REQUEST', 8, 'FAILED', 'x', 1700000000000, 1700000001000,
			1)`, failed)
	r.mutate(`INSERT INTO channels (platform, external_id, title, state, token, creator, connected, checked)
		VALUES ('YOUTUBE', 'UC1', 'Ours', 'CONNECTED', x'00', 8, 1, 1)`)
	r.mutate(`INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome, error)
		VALUES (?, 'RENDER', 1, 1, 2, 'gave_up', 'x')`, failed)
	r.mutate(`INSERT INTO audit (at, admin, action, asset_id, outcome) VALUES (5, 8, 'edit', ?, 'saved')`, a)
	session := hashOf("other")
	r.mutate(`INSERT INTO sessions (hash, admin, created, seen) VALUES (?, 8, 1, ?)`, session[:],
		time.Now().UnixMilli())
	pages := map[string]func(json bool) (int, string){}
	for name, h := range map[string]Handler{"library": r.Library, "activity": r.Activity, "settings": r.Settings,
		"channels": r.Channels, "retry all": r.AskRetryAll} {
		pages[name] = func(json bool) (int, string) {
			w := r.do(h, sent{method: "GET", json: json})
			return w.Code, w.Body.String()
		}
	}
	for name, h := range map[string]Handler{"detail": r.Asset, "publish": r.AskPublish, "delete": r.AskDelete} {
		pages[name] = func(json bool) (int, string) {
			w := r.do(h, sent{method: "GET", id: a, json: json})
			return w.Code, w.Body.String()
		}
	}
	changed := 0
	for _, c := range []struct{ table, column, where string }{
		{"assets", "created", "id = '" + a + "'"}, {"assets", "finished", "id = '" + a + "'"}, {"assets", "delete_requested_at",
			"id = '" + a + "'"},
		{"assets", "duration", "id = '" + a + "'"}, {"assets", "size", "id = '" + a + "'"}, {"assets", "width",
			"id = '" + a + "'"},
		{"assets", "finished", "id = '" + failed + "'"},
		{"publications", "publish_at", "true"}, {"publications", "created", "true"}, {"publications", "completed",
			"true"}, {"publications", "sent", "true"},
		{"attempts", "started", "true"}, {"attempts", "finished", "true"}, {"attempts", "attempt", "true"},
		{"channels", "connected", "true"}, {"channels", "checked", "true"}, {"channels", "paused_until", "true"},
		{"audit", "at", "true"}, {"sessions", "created", "true"}, {"sessions", "seen", "true"},
	} {
		for _, value := range []int64{253402300800000, math.MaxInt64, -62167219200001, math.MinInt64} {
			was := r.number(fmt.Sprintf("SELECT ifnull(%s, -1) FROM %s WHERE %s", c.column, c.table, c.where))
			if r.try(fmt.Sprintf("UPDATE %s SET %s = ? WHERE %s", c.table, c.column, c.where), value) != nil {
				continue // the schema is a wall of its own
			}
			changed++
			for name, page := range pages {
				for _, json := range []bool{false, true} {
					code, text := page(json)
					if code == 200 && (json || strings.Contains(text, "</html>")) || code == 409 {
						continue
					}
					t.Errorf("%s.%s = %d: got %d for %s, JSON %v: %.300s", c.table, c.column, value, code, name, json,
						text)
				}
			}
			r.mutate(fmt.Sprintf("UPDATE %s SET %s = nullif(?, -1) WHERE %s", c.table, c.column, c.where), was)
		}
	}
	if changed < 35 {
		t.Errorf("got %d rows damaged; want more, or this test shows little", changed)
	}
	if _, text := pages["library"](false); !strings.Contains(text, good) {
		t.Error("got a library without the good video")
	}
}

func TestLibrary_DamagedMetadataTakesNoCardAway(t *testing.T) {
	r := newRig(t)
	a, bad := r.finished(8, "Good"), r.finished(8, "Bad")
	r.mutate(`UPDATE assets SET metadata = '{"title": 5}' WHERE id = ?`, bad)
	w := r.do(r.Library, sent{method: "GET"})
	if text := w.Body.String(); w.Code != 200 || !strings.Contains(text, a) || !strings.Contains(text, bad) {
		t.Errorf("got %d %s; want both videos", w.Code, text)
	}
}

func TestPublishing_ATimeIsTwoYearsAheadAtMost(t *testing.T) {
	for at, fault := range map[string]string{
		"2028-12-20T09:00": "", "2028-12-20T09:01": "fault_at_late",
		"9999-12-31T23:59": "fault_at_late", "2999-01-01T00:00": "fault_at_late",
		"2026-12-20T09:14": "fault_at_soon", "2026-12-20T09:15": "",
	} {
		p := NewPublishing(ids, Card{ID: "A"}, NewForm(ids, WithDefaults(store.Metadata{}, "", "ru", true), true),
			Studio{YouTube: true}, oneOf)
		p.Read(ids, map[string]string{"youtube": "yes", "title": "x", "made_for_kids": "no", "privacy": "public",
			"when": "later", "at": at}, morning)
		if got := p.Form.Faults["at"]; got != fault {
			t.Errorf("%s: got %q; want %q", at, got, fault)
		}
	}
}

func TestPages_ACardThatCannotBeFilledSaysSo(t *testing.T) {
	r := newRig(t)
	bad := Card{ID: "BADROW", Name: "Bad", Status: "COMPLETED"}
	bad.Publications = []Publication{{Platform: "YOUTUBE", PublishAt: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)}}
	good := Card{ID: "GOODROW", Name: "Good", Status: "COMPLETED"}
	page, err := r.pages.Fill("en", "library", Page{View: Library{Cards: []Card{bad, {}, good}}})
	if err != nil || !strings.Contains(string(page), "GOODROW") || !strings.Contains(string(page), "BADROW") ||
		!strings.Contains(string(page), "</html>") {
		t.Errorf("got %s, %v; want the page with the good card", page, err)
	}
	if !strings.Contains(string(page), english("card_broken", nil)) { // that of the card without an id
		t.Errorf("got %s; want it said that a card is damaged", page)
	}
}
