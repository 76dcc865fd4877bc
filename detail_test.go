// Tests of the page of one video: what it shows, what it is published with, and how it is deleted.

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"retake.example/internal/desk"
	"retake.example/internal/lang"
	"retake.example/internal/retry"
	"retake.example/internal/store"
)

// page returns the page of an asset, as one line without tags, and as it is.
func (d *office) page(session, id string) (words, source string) {
	d.t.Helper()
	source = d.want(200, d.send(call{method: "GET", path: "/assets/" + id, session: session}))
	text := regexp.MustCompile(`(?s)<(script|style|svg)\b.*?</(script|style|svg)>|<[^>]*>`).ReplaceAllString(source, " ")
	return html.UnescapeString(strings.Join(strings.Fields(text), " ")), source
}

// detail is what GET /assets/ID answers as JSON.
type detail struct {
	Success  bool
	Asset    desk.Card
	Tries    []store.Try
	People   []store.Share `json:"people_by_language"`
	Busy     string
	Activity []desk.Line
	Metadata *store.Metadata
}

func (d *office) detail(session, path string) (v detail) {
	d.t.Helper()
	body := d.want(200, d.send(call{method: "GET", path: "/assets/" + path, session: session, json: true}))
	if err := json.Unmarshal([]byte(body), &v); err != nil || !v.Success || strings.Contains(body, "null") {
		d.t.Fatalf("got %s, %v; want a video, and nothing that is null", body, err)
	}
	return v
}

// calm ends every message that is owed.
func calm(t testing.TB, s *store.Store) {
	t.Helper()
	mutate(t, s, `DELETE FROM jobs WHERE request_id IS NOT NULL`)
}

func TestWhatThePageOfAVideoSays(t *testing.T) {
	owner := retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}}
	for name, c := range map[string]struct {
		arrange func(t *testing.T, d *office) (id string)
		admin   int64
		has     []string // words
		source  []string
		lacks   []string
	}{
		"a finished video plays, can be saved, edited and deleted": {func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1, 2)
			d.filmed("v", "t")
			mutate(t, d.store, `UPDATE assets SET size = 4212345`)
			mutate(t, d.store, `UPDATE users SET lang = 'en' WHERE id = 2`)
			return a.ID
		}, 8, []string{"Size 4.0 MB", "Length 0:42", "Picture 1280 × 720", "Template new-year", "Language Русский",
			"Waiting 2", "Languages English 1, Русский 1",
			"Attempt 1: done", "For publishing", "Nobody has done anything with it yet."},
			[]string{`<video controls`, `download="Маша.mp4"`, `href="/assets/ID/delete"`, `action="/assets/ID/metadata"`,
				"data-keep", "<code>ID</code>", `data-rev="`},
			[]string{"Retry Failed", "Tries at the same video", "Got an apology"}},
		"an admin who did not make it changes nothing": {func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1)
			d.filmed("v", "t")
			return a.ID
		}, 7, []string{"Only an owner", "Download"}, nil,
			[]string{"<form method=\"post\" action=\"/assets", "/delete", "<textarea"}},
		"every failed attempt says how long it took and why, folded": {func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1)
			failForGood(t, d.queue)
			mutate(t, d.store, `INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome, error)
				VALUES (?, 'RENDER', 2, 1000, 66000, 'crashed', 'the program ended <while> this ran')`, a.ID)
			return a.ID
		}, 8, []string{"Retry Failed", "Attempt 1: failed, given up", "Attempt 2: the program ended while it ran", "1:05",
			"The program ended each time it made this one.", "Got an apology 1"},
			[]string{"<details><summary>The program ended", "&lt;while&gt;"}, []string{"For publishing", "Download",
				"<textarea"}},
		"a video that nobody waits for can be cancelled": {func(t *testing.T, d *office) string {
			return madeByAdmin(t, d.store, 7, "Маша", "маша").ID
		}, 7, []string{"Nobody has asked for it in Telegram.", "Cancel…"}, []string{`href="/assets/ID/delete"`},
			[]string{"Delete…", "<textarea", "<progress"}},
		"a video that somebody waits for cannot": {func(t *testing.T, d *office) string {
			return ask(t, d.store, "Маша", 1).ID
		}, 8, []string{"Waiting 1"}, nil, []string{"Cancel…", "Delete…"}},
		"tries at the same video lead to each other": {func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1)
			failForGood(t, d.queue)
			for range 2 {
				if _, err := d.queue.Retry(t.Context(), a.ID, owner); err != nil {
					t.Fatal(err)
				}
				failForGood(t, d.queue)
			}
			return text(t, d.store, `SELECT id FROM assets WHERE retry_of = ?`, a.ID)
		}, 8, []string{"Tries at the same video", "This one"},
			[]string{`<a href="/assets/FIRST">`, `<a href="/assets/LAST">`}, nil},
		"platforms have their history": {func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1)
			d.filmed("v", "t")
			mutate(t, d.store, `INSERT INTO publications (asset_id, platform, creator, created, status, error, started,
				completed, remote_url, warning, publish_at, metadata) VALUES
				(?1, 'YOUTUBE', 7, 0, 'FAILED', 'googleapi: <500>', 1, 2, NULL, NULL, NULL, '{}'), (?1, 'RUMBLE', 7, 0, 'COMPLETED',
				NULL, 1, 2, 'https://rumble.com/v1', 'no <picture>', 4100000000000, '{"privacy": "public"}')`, a.ID)
			mutate(t, d.store, `INSERT INTO attempts (asset_id, kind, platform, attempt, started, finished, outcome, error)
				VALUES (?1, 'PUBLISH', 'YOUTUBE', 1, 1000, 49000, 'gave_up', 'googleapi: <500>')`, a.ID)
			return a.ID
		}, 7, []string{"YouTube Failed", "The video could not be published.", "Attempt 1: failed, given up", "48 s",
			"Rumble Scheduled", "no <picture>", "To be public: 3 Dec 2099, 16:53 (UTC)", "Retry Failed : Маша, YouTube"},
			[]string{`href="https://rumble.com/v1"`, `name="platform" value="YOUTUBE"`,
				"googleapi: &lt;500&gt;"}, []string{`value="RUMBLE"`}},
		"somebody who did not publish it gets no button for that": {func(t *testing.T, d *office) string {
			id := publication(t, d.store, failedPublication)
			d.filmed("v", "t")
			return id
		}, 9, []string{"YouTube Failed"}, nil, []string{"Retry Failed"}},
		"what was done with it, the last ten": {func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1)
			other := ask(t, d.store, "Лев", 1)
			for i := range 12 {
				mutate(t, d.store, `INSERT INTO audit (at, admin, action, asset_id, outcome) VALUES (?, 9, ?, ?, '')`, i,
					fmt.Sprintf("deed-%02d", i), a.ID)
			}
			mutate(t, d.store, `INSERT INTO audit (at, admin, action, asset_id, outcome) VALUES (99, 9, 'elsewhere', `+
				`?, '')`, other.ID)
			return a.ID
		}, 8, []string{"admin 2 deed-11", "admin 2 deed-02"}, nil, []string{"deed-01", "elsewhere"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			id := c.arrange(t, d)
			session := d.signIn(c.admin)
			words, source := d.page(session, id)
			for _, want := range c.has {
				if !strings.Contains(words, want) {
					t.Errorf("got %s; want %q in it", words, want)
				}
			}
			names := strings.NewReplacer(
				"FIRST",
				text(t, d.store, `SELECT id FROM assets ORDER BY retry_of IS NOT NULL LIMIT 1`),
				"ID",
				id,
				"LAST",
				text(
					t,
					d.store,
					`SELECT id FROM assets a WHERE NOT EXISTS (SELECT 1 FROM assets n WHERE n.retry_of = a.id) LIMIT 1`,
				),
			)
			for _, want := range c.source {
				if want = names.Replace(want); !strings.Contains(source, want) {
					t.Errorf("got %s; want %q in it", source, want)
				}
			}
			for _, not := range c.lacks {
				if strings.Contains(source, not) {
					t.Errorf("got %s; want no %q in it", source, not)
				}
			}
			v, a := d.detail(session, id), store.Asset{}
			write(t, d.store, func(tx *store.Tx) (err error) { a, err = tx.Asset(id); return err })
			people := count(t, d.store, `SELECT count(*) FROM requests WHERE asset_id = ?`, id)
			for _, s := range v.People {
				people -= s.People
			}
			if v.Asset.ID != id || v.Asset.Size != a.Video.Size || v.Asset.Width != a.Video.Width ||
				(v.Metadata != nil) != (a.Status == store.Completed) ||
				people != 0 ||
				len(v.Activity) != min(10, count(t, d.store, `SELECT count(*) FROM audit WHERE asset_id = ?`, id)) ||
				len(v.Asset.Publications) != strings.Count(source, `<section class="sheet" id="on-`) ||
				len(v.Tries) != 1+strings.Count(source, `<li><a href="/assets/`) {
				t.Errorf("got %+v; want in the JSON what is on the page", v)
			}
		})
	}
}

func TestAttemptsOfPlatformsAreNotThoseOfTheVideo(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	id := publication(t, d.store, failedPublication)
	d.filmed("v", "t")
	mutate(
		t,
		d.store,
		`INSERT INTO attempts (asset_id, kind, platform, attempt, started, finished, outcome, error)
			VALUES (?, 'PUBLISH', 'YOUTUBE', 7, 0, 1, 'gave_up', 'e')`,
		id,
	)
	v := d.detail(d.signIn(8), id)
	if h := v.Asset.History; len(h) != 1 || h[0].Number != 1 {
		t.Errorf("got %+v; want the one attempt at making it", h)
	}
	if p := v.Asset.Publications; len(p) != 1 || len(p[0].History) != 1 || p[0].History[0].Number != 7 || !p[0].CanRetry ||
		p[0].History[0].Reason == "" {
		t.Errorf("got %+v; want YouTube with its one attempt", p)
	}
}

func TestALongLineOfTriesShowsTheNeighbours(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	before := ""
	var ids []string
	for i := range 20 {
		id := store.NewID()
		mutate(
			t,
			d.store,
			`INSERT INTO assets (id, name, name_key, template, lang, origin, status, error, retry_of, created, finished)
				VALUES (?, 'Маша', 'маша', 't', 'ru', 'REQUEST', 'FAILED', 'e', ?, ?, 1)`,
			id,
			null(before),
			i,
		)
		ids, before = append(ids, id), id
	}
	session := d.signIn(8)
	for i, want := range map[int][]string{0: ids[:6], 3: ids[:9], 10: ids[5:16], 19: ids[14:]} {
		var got []string
		for _, s := range d.detail(session, ids[i]).Tries {
			got = append(got, s.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("try %d: got %q; want %q", i, got, want)
		}
	}
}

func TestAButtonComesBackToThePageItStandsOn(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	a := ask(t, d.store, "Маша", 1)
	failForGood(t, d.queue)
	session := d.signIn(8)
	for from, want := range map[string]string{
		"http://localhost:8080/assets/" + a.ID:          "/assets/" + a.ID + "?notice=",
		"http://localhost:8080/?status=FAILED&q=%D0%9C": "/?notice=",
		"":                                   "/?notice=",
		"https://evil.example/assets/x/y":    "/?notice=",
		"http://localhost:8080/retry-all":    "/?notice=",
		"https://evil.example//evil.example": "/?notice=",
	} {
		w := d.send(
			call{
				method:  "POST",
				path:    "/assets/" + a.ID + "/retry",
				session: session,
				header:  map[string]string{"Referer": from},
			},
		)
		d.want(303, w)
		if to := w.Header().Get("Location"); !strings.HasPrefix(to, want) {
			t.Errorf("from %q: got sent to %q; want %s…", from, to, want)
		}
		to, err := url.Parse(w.Header().Get("Location"))
		if err != nil || to.Host != "" {
			t.Fatalf("from %q: got sent to %v, %v; want a path of ours", from, to, err)
		}
		page := d.want(200, d.send(call{method: "GET", path: to.String(), session: session}))
		if notice := desk.Notice(voice("en"), to.Query()); notice == "" ||
			!strings.Contains(page, html.EscapeString(notice)) {
			t.Errorf("got %s; want the notice %q", page, notice)
		}
	}
}

// ---- what it is published with

func TestMetadataIsKept(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	a := ask(t, d.store, "Маша", 1)
	d.filmed("v", "t")
	session := d.signIn(8)
	if m := d.detail(session, a.ID).Metadata; *m != (store.Metadata{Language: "ru", Privacy: "private", Category: "22",
		Synthetic: "no", Notify: "no"}) {
		t.Errorf("got %+v; want no title, for the name is a child's, no choice for kids, and private", m)
	}
	form := url.Values{
		"title":         {" A  greeting "},
		"description":   {"one\r\ntwo"},
		"tags":          {"new year,, santa"},
		"language":      {"de"},
		"made_for_kids": {"yes"},
		"privacy":       {"unlisted"},
	}
	w := d.send(call{method: "POST", path: "/assets/" + a.ID + "/metadata", session: session, body: form.Encode()})
	d.want(303, w)
	if to := w.Header().Get("Location"); to != "/assets/"+a.ID+"?notice=saved" {
		t.Errorf("got sent to %s; want the page of the video", to)
	}
	want := store.Metadata{
		Title:       "A greeting",
		Description: "one\ntwo",
		Tags:        "new year, santa",
		Language:    "de",
		Kids:        "yes",
		Privacy:     "unlisted",
		Category:    "22",
		Synthetic:   "no",
		Notify:      "no",
	}
	if m := d.detail(session, a.ID).Metadata; *m != want {
		t.Errorf("got %+v; want %+v", m, want)
	}
	page := d.want(200, d.send(call{method: "GET", path: w.Header().Get("Location"), session: session}))
	for _, has := range []string{"Saved.", `value="A greeting"`, "\none\ntwo</textarea>", `value="new year, santa"`,
		`name="language" value="de"`, `value="yes" checked`, `<option value="unlisted" selected>`,
		"<strong>10</strong> of 100", "<strong>7</strong> of 5000", "<strong>16</strong> of 500",
		"changed what it is published with"} {
		if !strings.Contains(page, has) {
			t.Errorf("got %s; want %q in it", page, has)
		}
	}
	if got := d.want(200, d.send(call{method: "POST", path: "/assets/" + a.ID + "/metadata", session: session,
		body: `{"title":""}`})); strings.TrimSpace(
		got,
	) != `{"success":true,"outcome":"saved"}` {
		t.Errorf("got %s; want saved", got)
	}
	want.Title = ""
	if m := d.detail(session, a.ID).Metadata; *m != want {
		t.Errorf("got %+v; want only the title gone", m)
	}
	if n := count(t, d.store, `SELECT count(*) FROM audit WHERE admin = 8 AND action = 'edit' AND asset_id = ?`,
		a.ID); n != 2 {
		t.Errorf("got %d lines of activity; want 2", n)
	}
}

func TestAnUploadBeginsWithItsName(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	id := store.NewID()
	mutate(
		t,
		d.store,
		`INSERT INTO assets (id, name, name_key, template, lang, origin, creator, status, file, created, finished)
			VALUES (?, 'Studio tour', 'x', '', 'en', 'UPLOAD', 7, 'COMPLETED', 'x.mp4', 1, 2)`,
		id,
	)
	if m := d.detail(d.signIn(7), id).Metadata; *m != (store.Metadata{Title: "Studio tour", Language: "en",
		Privacy: "private", Category: "22", Synthetic: "no", Notify: "no"}) {
		t.Errorf("got %+v; want the name as its title", m)
	}
	if _, page := d.page(d.signIn(7), id); strings.Contains(page, "placeholder=\"For example") {
		t.Error("got a remark about a child's name; want none")
	}
}

func TestMetadataThatDoesNotFitComesBackAsItWasTyped(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	a := ask(t, d.store, "Маша", 1)
	d.filmed("v", "t")
	session, long := d.signIn(8), strings.Repeat("ё", 101)
	before := d.tables()
	form := url.Values{
		"title":       {"fine"},
		"description": {"</textarea><script>alert(1)</script>"},
		"tags":        {`"><img src=x onerror=alert(1)>` + strings.Repeat("a", 500)},
		"language":    {"ru"},
		"privacy":     {"private"},
	}
	page := d.want(
		422,
		d.send(call{method: "POST", path: "/assets/" + a.ID + "/metadata", session: session, body: form.Encode()}),
	)
	for _, has := range []string{"Nothing was saved", `value="fine" placeholder="For example: A greeting from Santa" ` +
		`autocomplete="off" aria-describedby="title-hint title-count" >`,
		`<textarea class="field" id="description" name="description" rows="6" aria-describedby="description-fault ` +
			`description-count" aria-invalid="true" autofocus>`,
		"&lt;/textarea&gt;&lt;script&gt;", `id="description-fault"`, "YouTube does not accept &lt; and &gt; here.",
		`aria-describedby="tags-fault tags-hint tags-count" aria-invalid="true" >`,
		`id="tags-fault"`, `<p class="count over" id="tags-count"`, "<strong>532</strong> of 500", `role="alert"`} {
		if !strings.Contains(page, has) {
			t.Errorf("got %s; want %q in it", page, has)
		}
	}
	if n := strings.Count(page, "autofocus"); n != 1 {
		t.Errorf("got %d fields that want the focus; want the first with a fault", n)
	}
	if n, ours := strings.Count(page, "<script"), 2; n != ours ||
		regexp.MustCompile(`<img|<[^>]*\sonerror=`).MatchString(regexp.MustCompile(`"[^"]*"`).ReplaceAllString(page, "")) {
		t.Errorf("got %d scripts, or a picture of theirs; want what was typed as text", n)
	}
	body := d.want(
		422,
		d.send(
			call{
				method:  "POST",
				path:    "/assets/" + a.ID + "/metadata",
				session: session,
				body:    `{"title":"` + long + `","privacy":"x"}`,
			},
		),
	)
	var answer struct {
		Success bool
		Error   struct {
			Code, Message string
			Fields        map[string]string
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Success || answer.Error.Code != "INVALID" ||
		answer.Error.Message == "" ||
		len(answer.Error.Fields) != 2 ||
		answer.Error.Fields["title"] != "The title is too long: 100 characters fit." ||
		answer.Error.Fields["privacy"] == "" {
		t.Errorf("got %s, %v; want the faults of both fields", body, err)
	}
	if d.tables() != before {
		t.Error("the database changed; want it as it was")
	}
}

func TestHostileMetadataIsText(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	a := ask(t, d.store, "Маша", 1)
	d.filmed("v", "t")
	session := d.signIn(8)
	for _, text := range hostile {
		form := url.Values{"title": {text}, "description": {text}, "tags": {text}}
		w := d.send(call{method: "POST", path: "/assets/" + a.ID + "/metadata", session: session, body: form.Encode()})
		page := w.Body.String()
		if w.Code == 303 {
			_, page = d.page(session, a.ID)
		}
		if (w.Code == 303) != !strings.ContainsAny(text, "<>") || strings.Count(page, "<script") != 2 ||
			regexp.MustCompile(`<img|<b>[^0-9]|<(?:[^>"]|"[^"]*")*\son[a-z]+=`).MatchString(page) {
			t.Errorf("%q: got %d %s; want it as text", text, w.Code, page)
		}
		if n := strings.Count(html.UnescapeString(page), lang.Visible(text)); n < 3 {
			t.Errorf("%q: got it %d times; want what is seen of it in three fields", text, n)
		}
	}
}

func TestWhoMayEditAndDelete(t *testing.T) {
	for _, c := range []struct {
		name    string
		arrange func(t *testing.T, d *office) (id string)
		admin   int64
		edit    string // outcome, or code of the error
		remove  string
	}{
		{"an owner", func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1)
			d.filmed("v", "t")
			return a.ID
		}, 8, "saved", "deleted"},
		{"who made it", func(t *testing.T, d *office) string {
			a := madeByAdmin(t, d.store, 7, "Маша", "маша")
			d.filmed("v", "t")
			return a.ID
		}, 7, "saved", "deleted"},
		{"who did not make it", func(t *testing.T, d *office) string {
			a := madeByAdmin(t, d.store, 7, "Маша", "маша")
			d.filmed("v", "t")
			return a.ID
		}, 9, "FORBIDDEN", "FORBIDDEN"},
		{"an admin, of what users asked for", func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1)
			d.filmed("v", "t")
			return a.ID
		}, 7, "FORBIDDEN", "FORBIDDEN"},
		{"of a video that is not there", func(*testing.T, *office) string { return store.NewID() }, 8, "NOT_FOUND",
			"NOT_FOUND"},
		{"of one that has failed", func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1)
			failForGood(t, d.queue)
			return a.ID
		}, 8, "NOT_READY", "deleted"},
		{"of one that is made", func(t *testing.T, d *office) string { return madeByAdmin(t, d.store, 7, "Маша", "маша").ID },
			7, "NOT_READY", "cancelled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			id := c.arrange(t, d)
			calm(t, d.store)
			session := d.signIn(c.admin)
			status := map[string]int{"FORBIDDEN": 403, "NOT_FOUND": 404, "NOT_READY": 409}
			for _, press := range []struct{ verb, want string }{{"metadata", c.edit}, {"delete", c.remove}} {
				if press.verb == "delete" {
					asks := d.send(call{method: "GET", path: "/assets/" + id + "/delete", session: session, json: true})
					if want := max(200, status[press.want]); asks.Code != want {
						t.Errorf("the page that asks: got %d; want %d", asks.Code, want)
					}
				}
				before := d.tables()
				w := d.send(call{method: "POST", path: "/assets/" + id + "/" + press.verb, session: session, json: true})
				if want := max(200, status[press.want]); w.Code != want ||
					want == 200 && strings.TrimSpace(w.Body.String()) != `{"success":true,"outcome":"`+press.want+`"}` ||
					want != 200 && refused(t, w.Body.String()) != press.want {
					t.Errorf("%s: got %d %s; want %s", press.verb, w.Code, w.Body, press.want)
				}
				if w.Code != 200 && d.tables() != before {
					t.Errorf("%s: the database changed; want it as it was", press.verb)
				}
			}
		})
	}
}

func TestOtherSitesCannotEditOrDelete(t *testing.T) {
	d := newDesk(t, "http://desk.lan:8080")
	a := ask(t, d.store, "Маша", 1)
	d.filmed("v", "t")
	calm(t, d.store)
	session := d.signIn(8)
	before := d.tables()
	for _, verb := range []string{"metadata", "delete"} {
		w := d.send(
			call{
				method:  "POST",
				path:    "http://desk.lan:8080/assets/" + a.ID + "/" + verb,
				session: session,
				body:    "title=x",
				header:  map[string]string{"Origin": "https://evil.example"},
			},
		)
		d.want(403, w)
	}
	if d.tables() != before {
		t.Error("the database changed; want it as it was")
	}
}

// BenchmarkDetail measures GET /assets/ID with 100,000 videos, from the request to the last byte of the page.
func BenchmarkDetail(b *testing.B) {
	d := newDesk(b, "http://localhost:8080")
	d.crowd(100_000, 20)
	mutate(
		b,
		d.store,
		`INSERT INTO audit (at, admin, action, asset_id, outcome) SELECT created, 8, 'edit', id, 'saved' FROM assets`,
	)
	session := d.signIn(8)
	for _, status := range []store.Status{store.Completed, store.Failed, store.Pending} {
		id := text(b, d.store, `SELECT id FROM assets WHERE status = ? ORDER BY created LIMIT 1`, status)
		b.Run(string(status), func(b *testing.B) {
			for b.Loop() {
				d.want(200, d.send(call{method: "GET", path: "/assets/" + id, session: session}))
			}
		})
	}
}

// ---- in a browser

func TestTheFormCountsAndDeletionAsksInABrowser(t *testing.T) {
	d := openDesk(t, func(*office) {})
	a := ask(t, d.store, "Маша", 1)
	d.filmed("v", "t")
	calm(t, d.store)
	failed := madeByAdmin(t, d.store, 8, "Лев", "лев")
	failForGood(t, d.queue)

	b := newBrowser(t)
	b.Visit(d.opts.BaseURL + d.link(8))
	b.JS("document.querySelector('form button').click()")
	b.Until("location.pathname === '/'")

	b.Visit(d.opts.BaseURL + "/assets/" + a.ID)
	for id, texts := range map[string]map[string]string{
		"title":       {"Ёлка 🎄": "6", "": "0", "  a   b  ": "3"},
		"description": {"я🎄a": "7", " x ": "1", "a\nb": "3"},
		"tags":        {"кот, new year": "14", " , ": "0", "a,b": "3", "": "0"},
	} {
		for typed, want := range texts {
			value, _ := json.Marshal(typed)
			b.JS(
				fmt.Sprintf(
					"((f, v) => { f.value = v; f.dispatchEvent(new Event('input', { bubbles: true })) "+
						"})(document.getElementById('%s'), %s)",
					id,
					value,
				),
			)
			if got := b.JS("document.querySelector('#" + id + "-count strong').textContent"); got != want {
				t.Errorf("%s %q: got %s; want %s", id, typed, got, want)
			}
			form := desk.NewForm(voice("en"), desk.Merge(store.Metadata{}, map[string]string{id: typed}), true)
			if server := fmt.Sprint(form.Count(id).N); server != want {
				t.Errorf("%s %q: the server counts %s; want %s", id, typed, server, want)
			}
		}
	}
	b.JS(
		"((f) => { f.value = 'x'.repeat(101); f.dispatchEvent(new Event('input', { bubbles: true })) " +
			"})(document.getElementById('title'))",
	)
	b.Until("document.getElementById('title-count').classList.contains('over')")
	b.JS("document.querySelector('.form button').click()")
	b.Until("document.body?.innerText.includes('The title is too long')")
	b.Until("document.activeElement?.id === 'title' && document.activeElement.value.length === 101")
	b.Shoot("detail-fault")
	b.JS("document.getElementById('title').value = 'A greeting'")
	b.JS("document.querySelector('.form button').click()")
	b.Until("location.pathname === '/assets/" + a.ID + "' && document.body?.innerText.includes('Saved.')")
	b.Until("location.search === ''") // it does not say Saved at each reload
	if got := b.JS("document.getElementById('title').value"); got != "A greeting" {
		t.Errorf("got %q; want the title", got)
	}
	b.Shoot("detail-saved")

	b.JS("[...document.querySelectorAll('a')].find(a => a.textContent.includes('Delete…')).click()")
	b.Until("document.querySelector('h1')?.textContent === 'Delete “Маша”?'")
	b.Shoot("detail-delete")
	b.JS("[...document.querySelectorAll('a')].find(a => a.textContent === 'Back').click()")
	b.Until("location.pathname === '/assets/" + a.ID + "'")
	b.JS("history.back()")
	b.Until("document.querySelector('h1')?.textContent === 'Delete “Маша”?'")
	b.JS("document.querySelector('.danger').click()")
	b.Until("location.pathname === '/' && document.body?.innerText.includes('The video is deleted.')")
	if _, err := d.store.Asset(t.Context(), a.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v; want it gone", err)
	}
	if left := filesIn(t, d.folder); len(left) == 0 {
		t.Error("got no file on the disk; want it kept for a day")
	}
	b.JS("document.querySelector('a[href=\"/bin\"]').click()")
	b.Until("location.pathname === '/bin' && document.body?.innerText.includes('Маша')")
	b.JS("[...document.querySelectorAll('button')].find(x => x.textContent.startsWith('Delete')).click()")
	b.Until("document.body?.innerText.includes('permanently deleted')")
	if left := filesIn(t, d.folder); len(left) != 0 {
		t.Errorf("got %v; want nothing on the disk", left)
	}
	b.JS("document.querySelector('.back').click()")
	b.Until("location.pathname === '/'")

	b.JS("document.querySelector('[aria-label=\"More about Лев\"]').click()")
	b.Until("location.pathname === '/assets/" + failed.ID + "'")
	b.JS("document.querySelector('.btn.primary').click()")
	b.Until("location.pathname === '/assets/" + failed.ID + "' && document.body?.innerText.includes('Trying again.')")
	b.Until("document.body?.innerText.includes('Tries at the same video')")
}
