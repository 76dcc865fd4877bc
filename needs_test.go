package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"retake.example/internal/desk"
	"retake.example/internal/store"
)

func TestThePlatformFilter(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	places := map[string][]string{
		"Маша Б": {"YOUTUBE"},
		"Маша В": {"RUMBLE"},
		"Лев":    {"YOUTUBE", "RUMBLE"},
		"Маша Г": nil,
		"Маша Д": {"YOUTUBE"},
	}
	for i, name := range slices.Sorted(maps.Keys(places)) {
		a := ask(t, d.store, name, int64(i+1))
		if name == "Маша Д" {
			failForGood(t, d.queue)
		} else if name != "Маша В" {
			complete(t, d.store)
		} else {
			mutate(t, d.store, `UPDATE jobs SET due = 4000000000000 WHERE asset_id = ?`, a.ID)
		}
		for _, platform := range places[name] {
			mutate(
				t,
				d.store,
				`INSERT INTO publications (asset_id, platform, creator, created) VALUES (?, ?, 7, 0)`,
				a.ID,
				platform,
			)
		}
	}
	session := d.signIn(8)
	lev := text(t, d.store, `SELECT id FROM assets WHERE name = 'Лев'`)
	for _, c := range []struct {
		query  string
		want   string // names, newest first
		counts map[store.Status]int
	}{
		{"platform=", "Маша Д, Маша Г, Маша В, Маша Б, Лев",
			map[store.Status]int{store.Completed: 3, store.Pending: 1, store.Failed: 1}},
		{"platform=YOUTUBE", "Маша Д, Маша Б, Лев", map[store.Status]int{store.Completed: 2, store.Failed: 1}},
		{"platform=RUMBLE", "Маша В, Лев", map[store.Status]int{store.Completed: 1, store.Pending: 1}},
		{"platform=YOUTUBE&status=COMPLETED", "Маша Б, Лев", map[store.Status]int{store.Completed: 2, store.Failed: 1}},
		{"platform=RUMBLE&status=FAILED", "", map[store.Status]int{store.Completed: 1, store.Pending: 1}},
		{"platform=YOUTUBE&q=маша", "Маша Д, Маша Б", map[store.Status]int{store.Completed: 1, store.Failed: 1}},
		{"platform=RUMBLE&q=маша&status=PENDING", "Маша В", map[store.Status]int{store.Pending: 1}},
		{"platform=RUMBLE&q=маша+б", "", nil},
		{"platform=RUMBLE&q=" + lev, "Лев", map[store.Status]int{store.Completed: 1}},
		{"platform=RUMBLE&q=" + text(t, d.store, `SELECT id FROM assets WHERE name = 'Маша Б'`), "", nil},
		{"platform=YOUTUBE&after=" + text(t, d.store, `SELECT created || '-' || id FROM assets WHERE name = `+
			`'Маша Д'`), "Маша Б, Лев", map[store.Status]int{store.Completed: 2, store.Failed: 1}},
	} {
		got, names := d.list(session, "?"+c.query), ""
		for _, a := range got.Assets {
			names += ", " + a.Name
		}
		if names = strings.TrimPrefix(names, ", "); names != c.want || !maps.Equal(got.Counts, c.counts) {
			t.Errorf("%s: got %s, counted %v; want %s, counted %v", c.query, names, got.Counts, c.want, c.counts)
		}
	}
	for query, want := range map[string]int{"": 1, "?platform=RUMBLE": 0, "?platform=YOUTUBE": 0} {
		var got struct {
			NeedYou map[string]int `json:"need_you"`
		}
		body := d.want(200, d.send(call{method: "GET", path: "/" + query, session: session, json: true}))
		if err := json.Unmarshal([]byte(body), &got); err != nil ||
			!maps.Equal(got.NeedYou, map[string]int{"count": want, "publications": 0, "undelivered": 0}) {
			t.Errorf("%q: got %v, %v; want a count of %d and no more", query, got.NeedYou, err, want)
		}
	}
	for _, platform := range []string{"youtube", "NEEDS", "VIMEO"} {
		if code := refused(t, d.want(422, d.send(call{method: "GET", path: "/?platform=" + platform, session: session,
			json: true}))); code != "INVALID" {
			t.Errorf("%s: got %s; want INVALID", platform, code)
		}
	}
	if got, want := (desk.Library{Platform: "RUMBLE", Query: "ё"}).Address("FAILED",
		"x"), "/?after=x&platform=RUMBLE&q=%D1%91&status=FAILED"; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
}

// BenchmarkNeeds measures pages that tell what needs an admin, with 100,000 videos of which every fourth does, and
// pages of one platform, with 50,000 publications of which 200 have failed, two days of what YouTube takes: half of
// what is new is on YouTube, and only what is old on Rumble.
func BenchmarkNeeds(b *testing.B) {
	d := newDesk(b, "http://localhost:8080")
	d.crowd(100_000, 4)
	for _, statement := range []string{
		`INSERT INTO publications (asset_id, platform, creator, created) SELECT id, 'YOUTUBE', 7, 0 FROM assets
			WHERE rowid % 8 IN (2, 4, 7)`,
		`INSERT INTO publications (asset_id, platform, creator, created) SELECT id, 'RUMBLE', 7, 0 FROM assets
			WHERE rowid > 87500`,
		`UPDATE publications SET status = 'FAILED', error = 'youtube http503: x', completed = id WHERE id % 250 = 0`,
	} {
		mutate(b, d.store, statement)
	}
	owner := d.signIn(8)
	for _, c := range []struct{ name, path string }{
		{"all", "/"},
		{"failed", "/?status=FAILED"},
		{"one letter", "/?q=м"},
		{"one letter, failed", "/?q=м&status=FAILED"},
		{"a first name", "/?q=мария"},
		{"nothing", "/?q=ъ"},
		{"on YouTube", "/?platform=YOUTUBE"},
		{"on YouTube, ready", "/?platform=YOUTUBE&status=COMPLETED"},
		{"on YouTube, rendering", "/?platform=YOUTUBE&status=PROCESSING"},
		{"on YouTube, one letter", "/?platform=YOUTUBE&q=м"},
		{"on YouTube, a first name", "/?platform=YOUTUBE&q=мария"},
		{"on Rumble", "/?platform=RUMBLE"},
		{"on Rumble, failed", "/?platform=RUMBLE&status=FAILED"},
		{"on Rumble, one letter", "/?platform=RUMBLE&q=м"},
		{"on Rumble, a first name, failed", "/?platform=RUMBLE&q=мария&status=FAILED"},
		{"what Retry all would do", "/retry-all"},
		{"what Retry all of one letter would do", "/retry-all?q=м"},
		{"what Retry all of a name would do", "/retry-all?q=мария"},
	} {
		d.measure(b, c.name, c.path, owner)
	}
	mutate(b, d.store, `UPDATE assets SET creator = 7 WHERE status = 'FAILED'`)
	maker := d.signIn(7)
	for _, c := range []struct{ name, path string }{
		{"no owner", "/"},
		{"no owner, failed", "/?status=FAILED"},
		{"no owner, one letter", "/?q=м"},
		{"no owner, what Retry all would do", "/retry-all"},
	} {
		d.measure(b, c.name, c.path, maker)
	}
}
