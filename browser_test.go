// Tests of the page in a real browser: what it looks like to a critic, and what becomes of presses.

package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"retake.example/internal/backup"
	"retake.example/internal/config"
	"retake.example/internal/desk"
	"retake.example/internal/outage"
	"retake.example/internal/store"
	"retake.example/internal/testrig/chromium"
	"retake.example/internal/video"
	"retake.example/internal/watch"
)

// openDesk serves an office to browsers, on an address of its own. prepare comes before the first request: nothing in
// an office is locked.
func openDesk(t *testing.T, prepare func(d *office)) *office {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	d := newDesk(t, "http://"+server.Listener.Addr().String())
	prepare(d)
	// see change
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { d.Handler().ServeHTTP(w, r) })
	server.Start()
	t.Cleanup(func() {
		d.Web.Close() // the open streams
		server.Close()
	})
	return d
}

// openStudio is openDesk with a queue at work, one render at a time. Each ends as the next verdict says.
func openStudio(t *testing.T) (d *office, verdict func(error)) {
	t.Helper()
	verdicts := make(chan error)
	d = openDesk(t, func(d *office) {
		b := &bench{render: func(ctx context.Context, _ video.Order) error {
			select {
			case err := <-verdicts:
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
		q, stop := start(t, d.store, b, Options{Workers: 1})
		t.Cleanup(stop)
		d.Web = NewWeb(d.t.Context(), d.store, q, d.files, d.opts, d.logger)
	})
	return d, func(err error) {
		t.Helper()
		select {
		case verdicts <- err:
		case <-time.After(stall):
			t.Fatal("nothing is being rendered")
		}
	}
}

// open goes to a page of an office.
func (b browser) open(d *office, path string) {
	b.Helper()
	b.Visit(d.opts.BaseURL + path)
}

// signsIn opens a sign-in link and presses its button.
func (b browser) signsIn(d *office, admin int64) {
	b.Helper()
	b.open(d, d.link(admin))
	b.Press("main form button")
	b.Until("location.pathname === '/' && document.readyState === 'complete'")
}

// ---- how it looks

// critic reads pages of an office and finds fault with them.
type critic struct {
	browser
	office *office
	read   map[string]bool // paths of the pages so far
	*chromium.Console
}

func newCritic(t *testing.T) *critic {
	t.Helper()
	b := newBrowser(t)
	return &critic{browser: b, read: map[string]bool{}, Console: b.Listen()}
}

// moves goes to another office and signs in there.
func (c *critic) moves(d *office, admin int64) {
	c.Helper()
	c.office = d
	c.Wants(200)
	c.signsIn(d, admin)
}

// reads opens a page and looks at it in two widths, by day and by night.
func (c *critic) reads(name, path string, status int64) {
	c.read[strings.SplitN(path, "?", 2)[0]] = true
	c.Run(name, func(t *testing.T) {
		b := browser{c.In(t)}
		c.Wants(status)
		b.open(c.office, path)
		if got := b.JS("[...document.querySelectorAll('h1')].filter(h => h.innerText.trim()).length"); got != "1" {
			t.Errorf("got %s headings of the first rank; want 1", got)
		}
		if got := b.JS("document.documentElement.lang"); got == "" {
			t.Error("got no language of the page")
		}
		if got := b.JS("[...document.querySelectorAll('*')].flatMap(e => [...e.attributes]).filter(a => " +
			"/^on/i.test(a.name) || /^(href|src|action)$/i.test(a.name) && /^javascript:/i.test(a.value)).map(a => " +
			"a.name + '=' + a.value)"); got != "" {
			t.Errorf("got attributes %s; want none that is a script", got)
		}
		c.examines(t)
		// The other language is longer in some places, and shorter in others.
		own := b.JS("document.documentElement.lang")
		other := map[string]string{"ru": "en", "en": "ru"}[own]
		speaks := func(language string) {
			b.Await("fetch('/language', { method: 'POST', body: new URLSearchParams({ lang: '" + language + "' }) })")
		}
		speaks(other)
		b.open(c.office, path)
		if got := b.JS("document.documentElement.lang"); got != other {
			t.Errorf("got a page in %s; want it in %s", got, other)
		}
		c.looks(t, nil)
		speaks(own)
	})
}

// looks sees that the page that is open fits into each width, and keeps pictures. then, if there is one, is called with
// each width and scheme that has one.
func (c *critic) looks(t *testing.T, then func(width int64, scheme string)) {
	t.Helper()
	b := browser{c.In(t)}
	language := b.JS("document.documentElement.lang")
	for _, width := range []int64{320, 640, 390, 1280} { // 640: a page of 1280 at 200 %
		b.Do(chromedp.EmulateViewport(width, 900))
		if got := b.JS("document.documentElement.scrollWidth - document.body.offsetWidth"); got != "0" {
			t.Errorf("%s, %d px: got a page that is %s px wider: %s", language, width, got,
				b.JS("[...document.querySelectorAll('main *, header *')].filter(e => e.getBoundingClientRect().right > "+
					"document.body.offsetWidth + .5).map(e => e.outerHTML.slice(0, 120)).slice(0, 4).join(' | ')"))
		}
		if width == 320 || width == 640 || then == nil && os.Getenv("SHOTS_DIR") == "" {
			continue
		}
		for _, scheme := range []string{"light", "dark"} {
			b.Prefers(scheme)
			b.Keep(fmt.Sprintf("%s-%s-%d-%s", strings.ReplaceAll(t.Name()[strings.Index(t.Name(), "/")+1:], "/", "-"),
				language, width, scheme), chromedp.FullScreenshot(100))
			if then != nil {
				then(width, scheme)
			}
		}
	}
}

// examines looks at the page that is open.
func (c *critic) examines(t *testing.T) {
	t.Helper()
	b := browser{c.In(t)}
	b.LearnAxe()
	var violations []string
	seen := map[string][]string{}
	c.looks(t, func(width int64, scheme string) {
		for _, v := range b.Violations() {
			if seen[v] == nil {
				violations = append(violations, v)
			}
			seen[v] = append(seen[v], fmt.Sprintf("%d px %s", width, scheme))
		}
	})
	for _, v := range violations {
		t.Errorf("%s: %s", strings.Join(seen[v], ", "), v)
	}
	for _, fault := range c.Complaints() {
		t.Error(fault)
	}
}

// odd are names that no parent types and no page may break on, beside the hostile ones.
var odd = []string{strings.Repeat("Щ", 50), "Weeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee", "مُحَمَّد بن عبد الرحمن", "שִׁירָה־לִי בַּת דָּוִד",
	"Olivia-Charlotte Wetherby-Featherstonehaugh", "🎄👨‍👩‍👧‍👦 💥", "javascript:alert(document.cookie)//"}

// wounded are errors to match.
var wounded = append([]string{"💥 engine: exit 1 🎄\n\t👨‍👩‍👧‍👦", "مُحَرِّك الفيديو لا يعمل: exit 1", strings.Repeat("x", 2048), strings.Repeat("ffmpeg: no\n", 180)}, hostile...)

// still is a picture as a video has one.
func still(t *testing.T) string {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 480, 270))
	for y := range 270 {
		for x := range 480 {
			picture.Set(x, y, color.RGBA{R: uint8(30 + x/4), G: uint8(60 + y/3), B: uint8(150 - x/8), A: 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestEveryPageStandsUpToACritic has a line for each page: its name, its path and its status. axe-core finds no fault
// with it, nothing is wider than the screen, and the console stays empty.
func TestEveryPageStandsUpToACritic(t *testing.T) {
	c := newCritic(t)

	quiet := openDesk(t, func(*office) {})
	c.office = quiet
	c.reads("sign-in", "/login", 200)
	c.reads("sign-in/good link", quiet.link(8), 200)
	c.reads("sign-in/bad link", "/login/nonsense", 403)
	c.moves(quiet, 8)
	c.reads("quiet/library", "/", 200)
	c.reads("quiet/nothing has failed", "/?status=FAILED", 200)
	c.reads("quiet/nothing is ready", "/?status=COMPLETED", 200)
	c.reads("quiet/settings", "/settings", 200)
	c.reads("quiet/configuration", "/configuration", 200)
	c.reads("quiet/advance", "/advance", 200)
	c.reads("quiet/channels", "/channels", 200)
	quiet.studio().about.YouTube = false
	c.reads("quiet/channels not set up", "/channels", 200)
	mutate(t, quiet.store, `INSERT INTO inbox (update_id, chat_id, raw, received, restore_hold) VALUES (1, 1, '{}', 0, 1)`)
	quiet.change(func(o *desk.Options) {
		o.Keeper = &backup.Keeper{Dir: t.TempDir()}
		o.Backups = func() backup.State {
			return backup.State{Last: time.Now().Add(-30 * time.Hour), Failing: time.Now().Add(-6 * time.Hour), Problem: "there is no room for a backup"}
		}
		o.Free = func() (int64, error) { return watch.LowDisk * 2 / 3, nil }
	})
	c.reads("quiet/restored", "/", 200)
	c.reads("quiet/backups", "/backups", 200)
	c.Await("fetch('/language', { method: 'POST', body: new URLSearchParams({ lang: 'ru' }) })")
	c.reads("quiet/ru/restored", "/", 200)
	c.Await("fetch('/language', { method: 'POST', body: new URLSearchParams({ lang: 'en' }) })")
	c.reads("quiet/that was all", "/activity?after=1-a-1", 200)
	c.reads("quiet/retry all", "/retry-all", 200)

	var ids map[string]string
	full := openDesk(t, func(d *office) {
		ids = furnish(t, d)
		// of people who have had their data deleted
		for i, id := range []string{ids["on platforms"], ids[hostile[0]], ids[hostile[8]]} {
			mutate(t, d.store, `UPDATE assets SET delete_requested_at = ? WHERE id = ?`, time.Now().Add(time.Duration(i-9)*time.Hour).UnixMilli(), id)
		}
		write(t, d.store, func(tx *store.Tx) error {
			eight, machine := int64(8), new(int64)
			for _, e := range []store.Event{{Action: "appoint", Outcome: "owner"}, {Action: "appoint", Outcome: "admin"}, {Action: "dismiss"},
				{Admin: &eight, Action: "decide", Outcome: "left"}, {Admin: &eight, Action: "decide", Outcome: "sent"}} {
				e.Admin = cmp.Or(e.Admin, machine)
				if err := tx.Note(e); err != nil {
					return err
				}
			}
			return nil
		})
		d.opts.Backups = func() backup.State { return backup.State{Last: time.Now().Add(-3 * time.Hour)} }
		d.opts.Limits = append(d.opts.Limits, desk.Limit{Label: "limit_keep_videos", Value: desk.KeptFor(90 * 24 * time.Hour)},
			desk.Limit{Label: "limit_keep_history", Value: desk.KeptFor(0)}, desk.Limit{Label: "limit_keep_people", Value: desk.KeptFor(365 * 24 * time.Hour)})
		d.missing = append(hostile[:2:2], "ffmpeg is not installed.")
		offered := slices.Clone(choices)
		for i, evil := range append(hostile[:3:3], odd[:3]...) {
			offered = append(offered, titled(fmt.Sprint("evil-", i), evil, evil))
		}
		d.opts.Offers = video.NewOffers(offered...)
		d.opts.Limits = append(d.opts.Limits, desk.Limit{Label: hostile[0], Value: hostile[1]}, desk.Limit{Label: strings.Repeat("l", 60), Value: 3})
		d.queue.opts.Workers = 2
		d.queue.outages = outage.New(5, time.Hour, probeEvery)
		d.queue.outages.Resume(time.Now().Add(-20*time.Minute), hostile[1]+": connection refused")
		d.Web = NewWeb(d.t.Context(), d.store, d.queue, d.files, d.opts, d.logger)
	})
	find := func(name string) string { return "/?q=" + url.QueryEscape(name) }
	c.moves(full, 7)
	c.reads("video/of others", "/assets/"+ids["failed"], 200)
	mutate(t, full.store, `INSERT INTO inbox (update_id, chat_id, raw, received, restore_hold) VALUES (1, 1, '{}', 0, 1)`)
	c.reads("library/restored, for one who may not decide", "/", 200)
	mutate(t, full.store, `DELETE FROM inbox`)
	c.moves(full, 8)
	c.reads("library", "/?notice=retried&restarted=3&joined=1&skipped=2", 200)
	after := func(id string) string {
		return "/?after=" + text(t, full.store, `SELECT created || '-' || id FROM assets WHERE id = ?`, id)
	}
	c.reads("library/older", after(ids[hostile[8]]), 200)
	c.reads("library/that was all", after(ids[hostile[0]]), 200)
	c.reads("library/failed", "/?status=FAILED", 200)
	c.reads("library/found", find("маша"), 200)
	c.reads("library/nothing found", find(hostile[0]), 200)
	c.reads("library/nothing found in a filter", find(hostile[1]+strings.Repeat("W", 200))+"&status=FAILED", 200)
	for _, kind := range []string{"finished", "made by an admin", "on platforms", "failed", "replaced", "rendering", "tried again in an hour", "next", "waiting"} {
		c.reads("video/"+kind, "/assets/"+ids[kind], 200)
	}
	for i, name := range slices.Concat(hostile, odd) {
		if i%3 == 0 { // the cards of all were looked at above
			c.reads(fmt.Sprint("hostile/", i), "/assets/"+ids[name], 200)
		}
	}
	c.reads("hostile/film", "/assets/"+ids["film of "+odd[0]], 200)
	c.reads("delete", "/assets/"+ids["on platforms"]+"/delete", 200)
	c.reads("delete/later", "/assets/"+ids["next"]+"/delete", 200)
	for name, id := range ids {
		if status := strings.Fields(name + " ")[0]; status == "YOUTUBE" || status == "RUMBLE" {
			c.reads("publication/"+name, "/assets/"+id, 200)
		}
	}
	c.reads("publish", "/assets/"+ids["made by an admin"]+"/publish", 200)
	c.reads("publish/the rest", "/assets/"+ids["RUMBLE COMPLETED manual"]+"/publish", 200)
	c.reads("publish/forgotten", "/assets/"+ids["on platforms"]+"/publish", 409)
	c.reads("publish/fix", "/assets/"+ids["YOUTUBE FAILED edit"]+"?fix=YOUTUBE", 200)
	c.reads("unpublish", "/assets/"+ids["YOUTUBE FAILED rejected"]+"/unpublish?platform=YOUTUBE", 200)
	c.reads("unpublish/by hand", "/assets/"+ids["RUMBLE COMPLETED manual"]+"/unpublish?platform=RUMBLE", 200)
	c.reads("unpublish/waiting", "/assets/"+ids["RUMBLE PENDING scheduled"]+"/unpublish?platform=RUMBLE", 200)
	c.reads("unpublish/under way", "/assets/"+ids["YOUTUBE PROCESSING uploading"]+"/unpublish?platform=YOUTUBE", 200)
	c.reads("channels", "/channels?notice=connected", 200)
	c.reads("channels/answer", "/channels/callback?error=access_denied", 200)
	c.reads("disconnect", "/channels/2/disconnect", 200)
	c.reads("activity", "/activity", 200)
	c.reads("settings", "/settings", 200)
	full.opts.Settings.(*dials).refused = config.Faults{"config.toml:12: limits.open: 1 or more is expected"}
	c.reads("configuration", "/configuration?notice=settings_saved", 200)
	c.reads("scheduled", "/scheduled?month="+inAWhile().UTC().Format("2006-01"), 200)
	mutate(t, full.store, `INSERT INTO advance (name, name_key, template, lang, creator, created)
		VALUES ('Яна', 'яна', 'new-year', 'ru', 8, 0), ('Ия', 'ия', 'new-year', 'ru', 8, 0)`)
	mutate(t, full.store, `UPDATE assets SET advance = 1 WHERE id = ?`, ids["on platforms"])
	c.reads("advance", "/advance?notice=stopped", 200)
	c.reads("in advance", "/assets/"+ids["on platforms"], 200)
	c.reads("attention", "/attention", 200)
	c.reads("statistics", "/statistics?days=7", 200)
	c.reads("bin", "/bin", 200)
	c.reads("admins", "/admins", 200)
	c.reads("tokens", "/tokens", 200)
	mutate(t, full.store, `INSERT INTO texts (lang, key, form, text, changed, admin) VALUES
		('en', 'confirm', 'other', 'A video for {{.Name}}?', 1, 8), ('en', 'apology', 'other', ?, 1, 8), ('en', 'of_old', 'other', ?, 1, 8)`,
		hostile[0]+odd[1], hostile[1])
	if err := desk.LoadTexts(t.Context(), full.store, full.logger); err != nil {
		t.Fatal(err)
	}
	c.reads("texts", "/texts", 200)
	c.reads("texts/nothing found", "/texts?q="+url.QueryEscape(hostile[0]+odd[1]+"?"), 200)
	c.reads("text", "/texts/confirm", 200)
	c.reads("text/forms", "/texts/progress_place?lang=ru", 200)
	c.reads("text/set aside", "/texts/apology", 200)
	c.reads("text/button", "/texts/button_more", 200)
	c.reads("text/toast", "/texts/toast_ready", 200)
	c.reads("text/caption", "/texts/caption", 200)
	c.reads("selection", "/selection?do=delete&id="+ids["made by an admin"], 200)
	some := url.Values{"do": {"publish"},
		"id": {ids["made by an admin"], ids["on platforms"], ids["finished"], ids["next"]}}
	c.reads("selection/publish", "/selection?"+some.Encode(), 200)
	c.reads("upload", "/upload", 200)
	c.reads("retry all", "/retry-all", 200)
	c.reads("retry all/found", "/retry-all?q="+url.QueryEscape("ноа"), 200)
	c.reads("error/nothing here", "/nowhere", 404)
	c.Await("fetch('/language', { method: 'POST', body: new URLSearchParams({ lang: 'ru' }) })")
	c.reads("ru/library", "/?notice=retried&restarted=3&joined=1&skipped=2", 200)
	c.reads("ru/video", "/assets/"+ids["failed"], 200)
	c.reads("ru/publication/restored", "/assets/"+ids["YOUTUBE FAILED unknown"], 200)
	c.reads("ru/finished", "/assets/"+ids["on platforms"], 200)
	c.reads("ru/delete", "/assets/"+ids["on platforms"]+"/delete", 200)
	c.reads("ru/publication/by hand", "/assets/"+ids["RUMBLE PENDING manual"], 200)
	c.reads("ru/publication/lost", "/assets/"+ids["RUMBLE FAILED unknown"], 200)
	c.reads("ru/publication/quota", "/assets/"+ids["YOUTUBE PENDING quota"], 200)
	c.reads("ru/publish", "/assets/"+ids["made by an admin"]+"/publish", 200)
	c.reads("ru/unpublish", "/assets/"+ids["YOUTUBE FAILED rejected"]+"/unpublish?platform=YOUTUBE", 200)
	c.reads("ru/channels", "/channels", 200)
	c.reads("ru/disconnect", "/channels/2/disconnect", 200)
	c.reads("ru/activity", "/activity", 200)
	c.reads("ru/settings", "/settings", 200)
	c.reads("ru/configuration", "/configuration", 200)
	c.reads("ru/advance", "/advance", 200)
	c.reads("ru/texts", "/texts", 200)
	c.reads("ru/text", "/texts/progress_place", 200)
	c.reads("ru/text/set aside", "/texts/apology?lang=en", 200)
	c.reads("ru/upload", "/upload", 200)
	c.reads("ru/selection/publish", "/selection?"+some.Encode(), 200)
	for _, page := range []string{"attention", "statistics", "scheduled", "bin", "admins", "tokens"} {
		c.reads("ru/"+page, "/"+page, 200)
	}
	c.reads("ru/retry all", "/retry-all", 200)
	c.reads("ru/sign-in", "/login", 200)
	c.Await("fetch('/language', { method: 'POST', body: new URLSearchParams({ lang: 'en' }) })")
	c.readsTemplates(t)
	c.readsAnnouncements(t)
	c.moves(full, 8)
	c.reads("bot/off", "/bot", 409)
	c.reads("error/no such video", "/assets/"+store.NewID(), 404)
	c.reads("error/no such status", "/?status=nonsense", 422)

	for _, r := range full.echo.Routes() {
		if r.Method != http.MethodGet || regexp.MustCompile(`^/(healthz|readyz|metrics|events|statistics.csv|static/|media/|thumbs/|templates/|studio/:id/|debug/|setup)`).MatchString(r.Path) {
			continue // no page; the set-up has a test of its own
		}
		shape := regexp.MustCompile("^" + regexp.MustCompile(`:\w+|\*`).ReplaceAllString(r.Path, "[^/]+") + "$")
		if !slices.ContainsFunc(slices.Collect(maps.Keys(c.read)), shape.MatchString) {
			t.Errorf("nobody has read %s: it wants a line above", r.Path)
		}
	}
}

// TestTheCriticFindsFault shows each fault to the critic: one who praises everything is no critic.
func TestTheCriticFindsFault(t *testing.T) {
	c := newCritic(t)
	quiet := openDesk(t, func(*office) {})
	c.office = quiet
	for name, fault := range map[string]struct{ script, want string }{
		"a picture without words": {"document.querySelector('main').append(new Image())", "image-alt"},
		"faint letters":           {"document.querySelector('h1').style.color = 'light-dark(#aaa, #555)'", "color-contrast"},
		"a small button":          {"const row = document.createElement('div'); document.querySelector('main').append(row); for (const word of 'ab') { const b = document.createElement('button'); b.textContent = word; b.style = 'font-size: 6px; padding: 0; border: 0'; row.append(b) }", "target-size"},
		"a script of another's":   {"document.body.append(Object.assign(document.createElement('iframe'), { src: 'https://example.com/' }))", "Content Security Policy"},
		"a handler in the markup": {"try { document.body.setAttribute('onclick', 'alert(1)') } catch { }", "TrustedScript"},
		"a word in the console":   {"console.error('oops')", "oops"},
		"an exception":            {"setTimeout(() => { throw new Error('oops') })", "oops"},
		"a file that is missing":  {"await fetch('/static/nothing.css')", "got 404"},
		"a dialog":                {"alert(1)", "a dialog opened"},
	} {
		t.Run(name, func(t *testing.T) {
			c.Wants(200)
			b := browser{c.In(t)}
			b.open(quiet, "/login")
			b.LearnAxe()
			// Two frames later it has happened.
			b.Await("(async () => { " + fault.script + "; await new Promise(done => requestAnimationFrame(() => " +
				"requestAnimationFrame(done))) })()")
			found := strings.Join(append(b.Violations(), c.Complaints()...), "\n")
			if !strings.Contains(found, fault.want) {
				t.Errorf("got %q; want %s", found, fault.want)
			}
		})
	}
}
