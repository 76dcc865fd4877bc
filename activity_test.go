// Tests of the pages Activity and Settings: who did what, where one is signed in, and what is set.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"image"
	"image/jpeg"
	"image/png"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/command"
	"retake.example/internal/desk"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// cover draws the picture of a template: all of it is blue.
func (d *office) cover(path string) error {
	d.covers++
	picture := image.NewRGBA(image.Rect(0, 0, 40, 60))
	for i := range picture.Pix {
		picture.Pix[i] = []byte{0, 0, 255, 255}[i%4]
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}

// deeds is what GET /activity answers as JSON.
type deeds struct {
	Success  bool
	Activity []desk.Line
	After    string
}

func (d *office) deeds(session, after string) (a deeds) {
	d.t.Helper()
	body := d.want(200, d.send(call{method: "GET", path: "/activity?after=" + after, session: session, json: true}))
	if err := json.Unmarshal([]byte(body), &a); err != nil || !a.Success {
		d.t.Fatalf("got %s, %v; want a list of what was done", body, err)
	}
	return a
}

// said returns the lines of a page of activity as text, without their times.
func said(page string) (lines []string) {
	for _, li := range regexp.MustCompile(`(?s)<li>(.*?)<time`).FindAllStringSubmatch(page, -1) {
		text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(li[1], "")
		lines = append(lines, html.UnescapeString(strings.Join(strings.Fields(text), " ")))
	}
	return lines
}

func TestActivitySaysWhoDidWhat(t *testing.T) {
	for name, c := range map[string]struct {
		act  func(t *testing.T, d *office) (asset string) // "": none is linked
		want string                                       // of the newest line, as 8 reads it
	}{
		"a parent asks": {func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1)
			write(t, d.store, func(tx *store.Tx) error {
				return tx.Note(store.Event{User: 1, Action: "ask", AssetID: a.ID, Outcome: "created"})
			})
			return a.ID
		}, "a parent asked for a video: Маша"},
		"a parent who was forgotten asked": {func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1, 2)
			write(t, d.store, func(tx *store.Tx) error {
				return tx.Note(store.Event{User: 1, Action: "ask", AssetID: a.ID, Outcome: "joined"})
			})
			write(t, d.store, func(tx *store.Tx) error { _, err := tx.Forget(1); return err })
			return a.ID
		}, "a parent asked for a video that was already being made: Маша"},
		"a parent presses Retry": {func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1)
			failForGood(t, d.queue)
			if _, err := d.queue.Retry(t.Context(), a.ID, retry.ButtonPressed{User: 1, Chat: 1}); err != nil {
				t.Fatal(err)
			}
			return a.ID
		}, "a parent pressed Retry: the video is being made again: Маша"},
		"an admin makes a video": {func(t *testing.T, d *office) string {
			var made struct{ ID string }
			body := d.want(200, d.send(call{method: "POST", path: "/assets", session: d.signIn(9), body: "name=Маша",
				json: true}))
			if err := json.Unmarshal([]byte(body), &made); err != nil {
				t.Fatal(err)
			}
			return made.ID
		}, "admin 2 asked for a video on this page: Маша"},
		"the reader presses Retry": {func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1)
			failForGood(t, d.queue)
			d.want(303, d.send(call{method: "POST", path: "/assets/" + a.ID + "/retry", session: d.signIn(8)}))
			return a.ID
		}, "you pressed Retry: the video is being made again: Маша"},
		"the operator presses Retry": {func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1)
			failForGood(t, d.queue)
			if _, err := d.queue.Retry(t.Context(), a.ID, retry.AdminClicked{Admin: store.Admin{Owner: true}}); err != nil {
				t.Fatal(err)
			}
			return a.ID
		}, "the operator pressed Retry: the video is being made again: Маша"},
		"an admin signs in": {func(t *testing.T, d *office) string { d.signIn(7); return "" }, "admin 1 signed in"},
		"an admin signs in in a browser of another": {func(t *testing.T, d *office) string {
			d.want(303, d.send(call{method: "POST", path: d.link(7), session: d.signIn(9)}))
			return ""
		}, "admin 1 signed in"},
		"an admin signs out": {func(t *testing.T, d *office) string {
			d.want(303, d.send(call{method: "POST", path: "/logout", session: d.signIn(7)}))
			return ""
		}, "admin 1 signed out"},
		"an admin signs out everywhere": {func(t *testing.T, d *office) string {
			d.want(303, d.send(call{method: "POST", path: "/logout-everywhere", session: d.signIn(7)}))
			return ""
		}, "admin 1 signed out everywhere"},
		"somebody who is no admin any more signed in": {func(t *testing.T, d *office) string {
			d.admins[6] = store.Admin{ID: 6}
			d.signIn(6)
			return ""
		}, "a former admin signed in"},
		"the program tries again": {func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1)
			if _, out := fail(t, d.queue, store.Render, errors.New("engine")); out != retry.Rescheduled {
				t.Fatalf("got %s; want %s", out, retry.Rescheduled)
			}
			return a.ID
		}, "the program could not make it in attempt 1 and tries again: Маша"},
		"the program gives up": {func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1)
			failForGood(t, d.queue)
			return a.ID
		}, "the program could not make it in attempt 1 and gave up: Маша"},
		"the video was deleted since": {func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1)
			write(t, d.store, func(tx *store.Tx) error {
				return tx.Note(store.Event{User: 1, Action: "ask", AssetID: a.ID, Outcome: "created"})
			})
			write(t, d.store, func(tx *store.Tx) error { _, err := tx.Forget(1); return err })
			return ""
		}, "a parent asked for a video: a deleted video"},
		"a platform was named": {func(t *testing.T, d *office) string {
			id := publication(t, d.store, failedPublication)
			if _, err := d.queue.Retry(t.Context(), id,
				retry.AdminClicked{Admin: store.Admin{ID: 7}, Platform: "YOUTUBE"}); err != nil {
				t.Fatal(err)
			}
			return id
		}, "admin 1 pressed Retry: the video is being made again (YOUTUBE): Маша"},
		"an action that has no words yet": {func(t *testing.T, d *office) string {
			write(t, d.store, func(tx *store.Tx) error {
				return tx.Note(store.Event{User: 1, Action: "dance",
					Outcome: "badly"})
			})
			return ""
		}, "a parent dance: badly"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			setNow(d.store, func() time.Time { return time.Now().Add(-time.Hour) }) // the reader's sign-in stands above
			write(t, d.store, func(tx *store.Tx) error { _, err := tx.UpsertUser(1, "ru"); return err })
			reader := d.signIn(8)
			mutate(t, d.store, `DELETE FROM audit`)
			asset := c.act(t, d)
			page := d.want(200, d.send(call{method: "GET", path: "/activity", session: reader}))
			if got := said(page); !slices.Contains(got, c.want) || !slices.Contains(got[:min(2, len(got))], c.want) {
				t.Errorf("got %q; want %q above", got, c.want)
			}
			if link := `href="/assets/` + asset + `"`; asset != "" && !strings.Contains(page, link) {
				t.Errorf("got %s; want %s in it", page, link)
			}
			if asset == "" && strings.Contains(page, `href="/assets/`) {
				t.Errorf("got %s; want no link to a video", page)
			}
			i := slices.IndexFunc(
				d.deeds(reader, "").Activity,
				func(l desk.Line) bool { return strings.HasPrefix(c.want, l.Who+" "+l.What) },
			)
			if i < 0 {
				t.Errorf("got %+v; want %q in the JSON, too", d.deeds(reader, ""), c.want)
			} else if l := d.deeds(reader, "").Activity[i]; l.Asset != asset || (l.Name == "Маша") != (asset != "") ||
				l.At.IsZero() {
				t.Errorf("got %+v; want the asset %q and its name", l, asset)
			}
		})
	}
}

func TestNamesInTheActivityAreText(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	for i, name := range hostile {
		id := store.NewID()
		mutate(
			t,
			d.store,
			`INSERT INTO assets (id, name, name_key, template, lang, origin, created) VALUES (?, ?, ?, 't', 'ru', 'REQUEST', 1)`,
			id,
			name,
			fmt.Sprint(i),
		)
		write(t, d.store, func(tx *store.Tx) error {
			return tx.Note(store.Event{User: 0, Action: name, AssetID: id, Outcome: name})
		})
	}
	page := d.want(200, d.send(call{method: "GET", path: "/activity", session: d.signIn(8)}))
	if n := strings.Count(page, "<script"); n != 1 {
		t.Errorf("got %d scripts; want the page's own", n)
	}
	if found := regexp.MustCompile(`<(img|textarea)\b|<[^>]*\son[a-z]+=|<!--`).FindString(page); found != "" {
		t.Errorf("got %q in the page", found)
	}
	for _, name := range hostile {
		if !strings.Contains(html.UnescapeString(page), ">"+name+"</a>") {
			t.Errorf("got a page without %q; want it as text", name)
		}
	}
}

func TestPagesOfActivityHaveNoGapAndNothingTwice(t *testing.T) {
	for name, every := range map[string]time.Duration{"all at the same time": 0, "three at each time": time.Millisecond,
		"each at its own time": 3 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			session, began := d.signIn(8), time.UnixMilli(1_700_000_000_000)
			mutate(t, d.store, `DELETE FROM audit`)
			a := ask(t, d.store, "Маша", 1)
			const n = 2*pageSize + 7
			for i := range n {
				at := began.Add(time.Duration(i/3) * every).UnixMilli()
				if every > time.Millisecond {
					at = began.Add(time.Duration(i) * every).UnixMilli()
				}
				if i%3 == 1 {
					mutate(
						t,
						d.store,
						`INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome, error)
							VALUES (?, 'RENDER', ?, 0, ?, 'rescheduled', 'e')`,
						a.ID,
						i,
						at,
					)
				} else {
					mutate(t, d.store, `INSERT INTO audit (at, admin, action) VALUES (?, 7, ?)`, at, fmt.Sprint("deed ", i))
				}
			}
			seen, onPages, after, pages := map[string]bool{}, 0, "", 0
			last := time.Now()
			for pages == 0 || after != "" {
				got := d.deeds(session, after)
				page := d.want(
					200,
					d.send(call{method: "GET", path: "/activity?after=" + url.QueryEscape(after), session: session}),
				)
				onPages += len(said(page))
				if has := strings.Contains(page, `href="/activity?after=`+got.After+`"`); has != (got.After != "") {
					t.Errorf("got a link to older lines: %v; want %v", has, got.After != "")
				}
				for _, l := range got.Activity {
					if seen[l.What] {
						t.Errorf("got %q twice", l.What)
					}
					if l.At.After(last) {
						t.Errorf("got %v after %v; want the newest first", l.At, last)
					}
					seen[l.What], last = true, l.At
				}
				// What happens meanwhile belongs to the first page.
				mutate(t, d.store, `INSERT INTO audit (at, admin, action) VALUES (?, 7, 'later')`, time.Now().UnixMilli())
				if after = got.After; pages > 5 {
					t.Fatal("got no last page")
				}
				pages++
			}
			if len(seen) != n || onPages != n || pages != 3 {
				t.Errorf("got %d lines and %d on %d pages; want %d on 3", len(seen), onPages, pages, n)
			}
		})
	}
}

func TestAPlaceThatIsNoneIsNotFound(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	session := d.signIn(8)
	for _, after := range []string{"x", "1", "1-a", "1-x-1", "a-a-a", "'; DROP TABLE audit"} {
		d.want(404, d.send(call{method: "GET", path: "/activity?after=" + url.QueryEscape(after), session: session}))
	}
	if page := d.want(200, d.send(call{method: "GET", path: "/activity?after=1-a-1",
		session: session})); !strings.Contains(
		page,
		"End of list",
	) {
		t.Errorf("got %s; want to be told that there is nothing older", page)
	}
}

func TestActivityReadsIndexesAndNotTheTables(t *testing.T) {
	s := newStore(t)
	for _, query := range []string{
		`SELECT at, id FROM audit WHERE (at, id) < (?, ?) ORDER BY at DESC, id DESC LIMIT 9`,
		`SELECT finished, id FROM attempts WHERE kind IN ('RENDER', 'PUBLISH')
			AND outcome IN ('rescheduled', 'gave_up', 'crashed')
			AND (finished, id) < (?, ?) ORDER BY finished DESC, id DESC LIMIT 9`,
	} {
		rows, err := readDB(t, s).Query(`EXPLAIN QUERY PLAN `+query, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		plan := ""
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan += detail + "\n"
		}
		rows.Close()
		if !strings.HasPrefix(plan, "SEARCH") || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("got %s; want a search in an index and nothing sorted", plan)
		}
	}
}

func TestSigningOutEverywhere(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	here, there, other := d.signIn(7), d.signIn(7), d.signIn(9)
	w := d.send(call{method: "POST", path: "/logout-everywhere", session: here})
	d.want(303, w)
	if c := w.Result().Cookies(); len(c) != 1 || c[0].MaxAge >= 0 || w.Header().Get("Location") != "/login" {
		t.Errorf("got cookies %v and %q; want it taken away, and the door", c, w.Header().Get("Location"))
	}
	for _, session := range []string{here, there} {
		d.want(401, d.send(call{method: "GET", path: "/", session: session, json: true}))
	}
	d.want(200, d.send(call{method: "GET", path: "/", session: other}))
	if n := count(t, d.store, `SELECT count(*) FROM audit WHERE admin = 7 AND action = 'sign out everywhere'`); n != 1 {
		t.Errorf("got %d lines of activity; want 1", n)
	}
	if body := d.want(200, d.send(call{method: "POST", path: "/logout-everywhere", session: other,
		json: true})); !strings.Contains(
		body,
		"signed out",
	) {
		t.Errorf("got %s; want JSON that says so", body)
	}
}

func TestSettingsShowWhatIsSet(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	setNow(d.store, func() time.Time { return time.Now().Add(-15 * 24 * time.Hour) })
	d.signIn(7) // has ended
	setNow(d.store, func() time.Time { return time.Now().Add(-48 * time.Hour) })
	d.signIn(7)
	setNow(d.store, time.Now)
	d.signIn(9)
	session := d.signIn(7)
	page := d.want(200, d.send(call{method: "GET", path: "/settings", session: session}))
	for _, want := range []string{"<h1>Settings</h1>", "Everything Retake needs", "1 owner and 2 admins",
		"<dt>Attempts per video</dt><dd>3</dd>", "<dd>5 minutes</dd>", "<dd>50 MB</dd>", "🎄 New Year",
		"<code>new-year</code>",
		`src="/templates/new-year.jpg"`, `<form method="post" action="/logout-everywhere">`,
		`<a href="/settings" aria-current="page">`} {
		if !strings.Contains(page, want) {
			t.Errorf("got %s; want %q in it", page, want)
		}
	}
	if here, all := strings.Count(page, "This browser"), strings.Count(page, "<li><p>Signed in"); here != 1 || all != 2 {
		t.Errorf("got %d sessions of which %d are this one; want 2 and 1", all, here)
	}
	var got struct {
		Success        bool
		Sessions       []store.Session
		Owners, Admins int
		Limits         []desk.Pair
		Templates      []desk.Template
		Problems       []string
	}
	d.missing = []string{"ffmpeg was not found."}
	body := d.want(200, d.send(call{method: "GET", path: "/settings", session: session, json: true}))
	if err := json.Unmarshal([]byte(body), &got); err != nil || !got.Success || len(got.Sessions) != 2 ||
		got.Owners != 1 || got.Admins != 2 ||
		len(got.Limits) != 3 ||
		len(got.Templates) != 1 ||
		!slices.Equal(got.Problems, d.missing) {
		t.Errorf("got %s, %v; want the same as on the page", body, err)
	}
	if v := got.Sessions; !v[0].This || !v[0].Recent || v[1].This || v[1].Recent || time.Since(v[1].Begun) < 47*time.Hour {
		t.Errorf("got %+v; want this one first, then that of two days ago", v)
	}
	if page := d.want(200, d.send(call{method: "GET", path: "/settings", session: session})); !strings.Contains(
		page,
		"ffmpeg was not found.",
	) ||
		strings.Contains(page, "Everything Retake needs") {
		t.Errorf("got %s; want what is missing", page)
	}
}

func TestPicturesOfTemplatesAreDrawnOnce(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	session := d.signIn(7)
	d.want(200, d.send(call{method: "GET", path: "/settings", session: session}))
	if d.covers != 0 {
		t.Errorf("got %d pictures drawn; want none before somebody looks", d.covers)
	}
	done := make(chan struct{})
	for range 5 {
		go func() {
			defer func() { done <- struct{}{} }()
			w := d.send(call{method: "GET", path: "/templates/new-year.jpg", session: session})
			if picture, err := jpeg.Decode(w.Body); w.Code != 200 || err != nil || picture.Bounds().Size() != image.Pt(20, 30) ||
				w.Header().Get("Content-Type") != "image/jpeg" {
				t.Errorf("got %d, %v; want a JPEG of half the size", w.Code, err)
			} else if _, _, b, _ := picture.At(10, 15).RGBA(); b < 0xf000 {
				t.Errorf("got %v; want blue", picture.At(10, 15))
			}
		}()
	}
	for range 5 {
		<-done
	}
	if d.covers != 1 {
		t.Errorf("got %d pictures drawn; want 1", d.covers)
	}
	for _, path := range []string{"/templates/birthday.jpg", "/templates/new-year", "/templates/..%2fsecret.jpg"} {
		d.want(404, d.send(call{method: "GET", path: path, session: session}))
	}
	d.change(func(o *desk.Options) { o.Covers = nil })
	d.want(404, d.send(call{method: "GET", path: "/templates/new-year.jpg", session: session}))
	d.change(func(o *desk.Options) {
		newYear := func(id string) bool { return id == "new-year" }
		o.Covers = desk.NewCovers(newYear, func(_ context.Context, _, path string) error {
			if d.covers++; d.covers == 2 {
				return errors.New("SECRET")
			}
			return d.cover(path)
		})
	})
	if body := d.want(500, d.send(call{method: "GET", path: "/templates/new-year.jpg",
		session: session})); strings.Contains(
		body,
		"SECRET",
	) {
		t.Errorf("got %s; want neutral words", body)
	}
	d.want(200, d.send(call{method: "GET", path: "/templates/new-year.jpg", session: session}))
}

func TestTheSettingsOfTheProgramShowItsLimitsAndItsTemplates(t *testing.T) {
	cfg, err := fromDefaults(nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Telegram.Owners, cfg.Telegram.Admins, cfg.CacheDir = []int64{987654321}, []int64{987654321, 987654322}, t.TempDir()
	maker, err := command.NewMaker(cfg, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	shelf, err := video.NewShelf(maker)
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, "http://localhost:8080")
	d.change(func(o *desk.Options) {
		o.Staff, o.Limits, o.Covers = desk.Staff{
			Owners: cfg.Telegram.Owners,
			Admins: cfg.Telegram.Admins,
		}, command.Limits(
			cfg,
		), command.Covers(
			cfg,
			maker,
			shelf,
		)
	})
	session := d.signIn(8)
	page := d.want(200, d.send(call{method: "GET", path: "/settings", session: session}))
	for _, want := range []string{"1 owner and 1 admin", "<dd>10 seconds</dd>", "<dd>10 minutes</dd>",
		"<dd>5 minutes</dd>", "<dd>7 days</dd>", "<dd>50 MB</dd>", "<dd>30</dd>", "New Year"} {
		if !strings.Contains(page, want) {
			t.Errorf("got %s; want %q in it", page, want)
		}
	}
	w := d.send(call{method: "GET", path: "/templates/new-year.jpg", session: session})
	picture, err := jpeg.Decode(w.Body)
	if err != nil || w.Code != 200 || picture.Bounds().Size() != image.Pt(360, 640) {
		t.Fatalf("got %d, %v; want a JPEG of 360x640", w.Code, err)
	}
	colours := map[uint32]bool{}
	for y := range 640 {
		r, g, b, _ := picture.At(180, y).RGBA()
		colours[r>>12<<8|g>>12<<4|b>>12] = true
	}
	if len(colours) < 20 {
		t.Errorf("got %d colours; want a picture", len(colours))
	}
	cfg.Render.Engine = video.EngineCommand
	d.change(func(o *desk.Options) { o.Covers = command.Covers(cfg, maker, shelf) })
	if page := d.want(200, d.send(call{method: "GET", path: "/settings", session: session})); d.opts.Covers != nil ||
		strings.Contains(page, "<img") {
		t.Error("got a picture of another engine's template; want none")
	}
}
