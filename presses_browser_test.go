// What becomes of presses on the page, in a browser.

package main

import (
	"bytes"
	"context"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"retake.example/internal/backup"
	"retake.example/internal/desk"
	"retake.example/internal/outage"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/testrig"
	"retake.example/internal/video"
	"retake.example/internal/watch"
)

// pilled is the one card of the library with a pill of that class, as an expression.
func pilled(pill string) string { return "document.querySelector('.card:has(.pill." + pill + ")')" }

func TestARetryIsSeenToItsEndWithoutAReload(t *testing.T) {
	d, verdict := openStudio(t)
	ask(t, d.store, "Маша", 1, 2)
	verdict(retry.Permanent(errEngine))
	b := newBrowser(t)
	b.signsIn(d, 8)
	b.Until(pilled("bad") + " !== null")
	b.JS("window.mark = 'the same page'")
	same := func(when string) {
		t.Helper()
		if got := b.JS("window.mark"); got != "the same page" {
			t.Errorf("%s: got another page; want the same", when)
		}
	}
	b.Press(`.card [data-key="retry"]`)
	b.Until("(" + pilled("busy") + " ?? " + pilled("wait") + ") !== null")
	same("after the press")
	if got := b.JS("document.activeElement.closest('main')?.id"); got != "main" {
		t.Errorf("got the focus on %s; want it where the reader was", b.JS("document.activeElement.outerHTML.slice(0, 200)"))
	}
	if got := b.JS("[...document.querySelectorAll('[role=status]')].map(e => e.innerText.trim()).join()"); got == "" {
		t.Error("got no word about what was done; want a notice that is read out")
	}
	verdict(nil)
	b.Until(pilled("ok") + " !== null")
	same("at the end")
	if n := count(t, d.store, `SELECT count(*) FROM assets`); n != 2 {
		t.Errorf("got %d videos; want the failed one and the next", n)
	}
}

func TestARetryWorksWithoutJavaScript(t *testing.T) {
	d, verdict := openStudio(t)
	ask(t, d.store, "Маша", 1)
	verdict(retry.Permanent(errEngine))
	b := newBrowser(t)
	b.NoScripts()
	b.signsIn(d, 8)
	// Only what the server's answer contains is seen; looking again is a reload.
	shows := func(expression string) {
		t.Helper()
		for deadline := time.Now().Add(stall); b.JS(expression) != "true"; b.Do(chromedp.Reload()) {
			if time.Now().After(deadline) {
				t.Fatalf("never true: %s; the page says:\n%s", expression, b.JS("document.body.innerText"))
			}
		}
	}
	shows(pilled("bad") + " !== null")
	if got := b.JS("document.querySelector('time[data-rel]').innerText"); strings.Contains(got, "now") ||
		strings.Contains(got, "ago") {
		t.Fatalf("got %s; want the time as the server wrote it, for no script runs", got)
	}
	b.Press(`.card [data-key="retry"]`)
	b.Until("location.search.includes('notice=restarted')")
	if got := b.JS("document.querySelector('#notice')?.innerText ?? ''"); got == "" {
		t.Errorf("got %s; want a notice", b.JS("document.body.innerText"))
	}
	verdict(nil)
	shows(pilled("ok") + " !== null")
}

func TestWhatARestoreOwesIsDecidedByAPress(t *testing.T) {
	for name, c := range map[string]struct {
		lang, press, notice string
		script              bool
		answered            int64 // messages
	}{
		"sent":                       {"en", `[data-key="send"]`, "on its way", true, 1},
		"let be":                     {"ru", `[data-key="leave"]`, "Ничего не отправляется", true, 0},
		"sent without JavaScript":    {"ru", `[data-key="send"]`, "уже отправляется", false, 1},
		"let be, without JavaScript": {"en", `[data-key="leave"]`, "Nothing is sent", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var sent atomic.Int64
			d := openDesk(t, func(d *office) {
				d.change(func(o *desk.Options) {
					o.Resume = func(_ context.Context, updates []store.Update) { sent.Add(int64(len(updates))) }
				})
				mutate(t, d.store, `INSERT INTO inbox (update_id, chat_id, raw, received, restore_hold) VALUES (1, 1, '{}', 0, 1)`)
			})
			b := newBrowser(t)
			if !c.script {
				b.NoScripts()
			}
			b.signsIn(d, 8)
			b.open(d, "/settings")
			b.JS("window.before = true")
			b.Press(`form[action="/language"] [value="` + c.lang + `"]`)
			b.Until("!window.before && document.documentElement.lang === '" + c.lang + "' && document.readyState === 'complete'")
			b.open(d, "/")
			b.Press(c.press)
			b.Until(
				"document.querySelector('#notice')?.innerText.includes('" + c.notice +
					"') && !document.querySelector('form[action=\"/held\"]')",
			)
			if got := sent.Load(); got != c.answered {
				t.Errorf("got %d messages to answer; want %d", got, c.answered)
			}
			if n := count(t, d.store, `SELECT count(*) FROM inbox WHERE restore_hold = 1`); n != 0 {
				t.Errorf("got %d messages that are held; want none", n)
			}
		})
	}
}

func TestWhatOneAdminDoesAppearsAtTheOthers(t *testing.T) {
	d, verdict := openStudio(t)
	ask(t, d.store, "Маша", 1)
	verdict(retry.Permanent(errEngine))
	one := newBrowser(t)
	other := browser{one.Another()}
	one.signsIn(d, 8)
	other.signsIn(d, 7)
	other.Until(pilled("bad") + " !== null")
	if got := other.JS("document.querySelectorAll('[data-key=\"retry\"]').length"); got != "0" {
		t.Errorf("got %s buttons to retry what somebody else's people asked for; want none", got)
	}
	other.JS("window.mark = 'the same page'")
	one.Press(`.card [data-key="retry"]`)
	other.Until("(" + pilled("busy") + " ?? " + pilled("wait") + ") !== null")
	verdict(nil)
	other.Until(pilled("ok") + " !== null")
	if got := other.JS("window.mark"); got != "the same page" {
		t.Errorf("got another page; want the same")
	}
	other.Do(chromedp.SendKeys("#name", "Лев\r"))
	one.Until("[...document.querySelectorAll('.card h2')].some(h => h.innerText === 'Лев')")
}

func TestALinkThatWasLookedAtStillSignsInOnce(t *testing.T) {
	d := openDesk(t, func(*office) {})
	link := d.link(8)
	for range 2 { // Telegram's preview opens every link
		res, err := http.Get(d.opts.BaseURL + link)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 200 || len(res.Cookies()) > 0 {
			t.Errorf("got %s and cookies %v; want the page with the button", res.Status, res.Cookies())
		}
	}
	b := newBrowser(t)
	late := browser{b.Another()}
	for _, tab := range []browser{b, late} {
		tab.open(d, link)
		tab.Until("document.querySelector('main form button') !== null")
	}
	b.Press("main form button")
	b.Until("location.pathname === '/' && document.querySelector('#library') !== null")
	late.Press("main form button")
	late.Until("document.body?.innerText.includes('already been used')")
	if got := late.JS("document.querySelectorAll('main form').length"); got != "0" {
		t.Errorf("got %s buttons; want none on a link that was used", got)
	}
	late.open(d, "/")
	late.Until("location.pathname === '/login'")
}

func TestTheKeyboardReachesTheSearch(t *testing.T) {
	d := openDesk(t, func(*office) {})
	b := newBrowser(t)
	b.signsIn(d, 8)
	at := func(id string) {
		t.Helper()
		if got := b.JS("document.activeElement.id"); got != id {
			t.Errorf("got the focus on %q; want %q", got, id)
		}
	}
	value := func(id, want string) {
		t.Helper()
		if got := b.JS("document.getElementById('" + id + "').value"); got != want {
			t.Errorf("got %q in %s; want %q", got, id, want)
		}
	}
	b.Types("/")
	at("q")
	b.Types("ма/ша")
	value("q", "ма/ша")
	b.Types(kb.Escape)
	at("")
	value("q", "ма/ша")
	b.Types("/лев") // what was typed is selected
	value("q", "лев")
	b.Do(chromedp.Focus("#name"))
	b.Types("а/б")
	at("name")
	value("name", "а/б")

	b.open(d, "/")
	b.Types(kb.Tab)
	if got := b.JS("document.activeElement.className + ' ' + (document.activeElement.getBoundingClientRect().top " +
		">= 0)"); got != "skip true" {
		t.Errorf("got %s first; want the link to the content, in sight", got)
	}
	b.Types(kb.Enter + kb.Tab)
	at("name")
}

var (
	formOfPage = regexp.MustCompile(`(?s)<form\b([^>]*)>(.*?)</form>`)
	fieldOf    = regexp.MustCompile(`(?s)<(input|textarea|select|button)\b([^>]*)>(?:\s*([^<]*)</textarea>|((?:\s*<option[^>]*>[^<]*</option>)*)\s*</select>)?`)
	attribute  = regexp.MustCompile(`([a-z-]+)(?:="([^"]*)")?`)
	optionOf   = regexp.MustCompile(`<option([^>]*)>([^<]*)`)
)

// attributes are those of a tag.
func attributes(tag string) map[string]string {
	all := map[string]string{}
	for _, a := range attribute.FindAllStringSubmatch(tag, -1) {
		all[a[1]] = html.UnescapeString(a[2])
	}
	return all
}

// pressed opens a page, fills a form that leads to action and has a button of a value ("": its first one), and sends
// it, as a browser without JavaScript does. fill holds names and values; the form must have fields of these names.
func (d *office) pressed(session, page, action, button string, fill url.Values) *httptest.ResponseRecorder {
	d.t.Helper()
	text := d.want(200, d.send(call{method: "GET", path: page, session: session}))
	for _, form := range formOfPage.FindAllStringSubmatch(text, -1) {
		about := attributes(form[1])
		if about["action"] != action {
			continue
		}
		inside := form[2]
		if id := about["id"]; id != "" { // fields elsewhere on the page that belong to it
			for _, f := range fieldOf.FindAllStringSubmatch(text, -1) {
				if attributes(f[2])["form"] == id {
					inside += f[0]
				}
			}
		}
		sent, has, found := url.Values{}, map[string]bool{}, false
		for _, f := range fieldOf.FindAllStringSubmatch(inside, -1) {
			a := attributes(f[2])
			_, checked := a["checked"]
			if _, off := a["disabled"]; off || a["name"] == "" && f[1] != "button" {
				continue
			}
			has[a["name"]] = true
			switch {
			case f[1] == "button":
				_, hidden := a["hidden"]
				if hidden || a["type"] == "button" || strings.Contains(a["class"], "scripted") || found ||
					button != "" && a["value"] != button {
					continue
				}
				if found = true; a["name"] != "" {
					sent.Set(a["name"], a["value"])
				}
			case f[1] == "select":
				options := optionOf.FindAllStringSubmatch(f[4], -1)
				for i, o := range options {
					value := attributes(o[1])
					if _, selected := value["selected"]; selected || i == 0 {
						sent.Set(a["name"], value["value"])
					}
				}
			case f[1] == "textarea":
				sent.Set(a["name"], html.UnescapeString(f[3]))
			case a["type"] == "file":
			case a["type"] != "checkbox" && a["type"] != "radio" || checked:
				sent.Add(a["name"], a["value"])
			}
		}
		if !found {
			continue
		}
		for name, values := range fill {
			if !has[name] {
				d.t.Errorf("%s: the form to %s has no field %s", page, action, name)
			}
			sent[name] = values
		}
		if about["method"] != "post" {
			return d.send(call{method: "GET", path: action + "?" + sent.Encode(), session: session})
		}
		if about["enctype"] != "multipart/form-data" {
			return d.send(call{method: "POST", path: action, session: session, body: sent.Encode()})
		}
		path := summer(d.t)
		if strings.HasSuffix(action, "/files") {
			path = star(d.t)
		}
		file, err := os.ReadFile(path)
		if err != nil {
			d.t.Fatal(err)
		}
		var parts []part
		for name := range sent {
			parts = append(parts, part{name, "", sent.Get(name)})
		}
		body, kind := testrig.Form(append(parts, part{"file", filepath.Base(path), string(file)})...)
		return d.uploads(session, action, kind, body)
	}
	d.t.Errorf("%s: no form leads to %s with a button of %q", page, action, button)
	return httptest.NewRecorder()
}

// uploads sends a file to a real server: a recorder has no deadlines that could be moved while it comes.
func (d *office) uploads(session, action, kind string, body []byte) *httptest.ResponseRecorder {
	d.t.Helper()
	server := httptest.NewServer(d.Handler())
	defer server.Close()
	r, err := http.NewRequestWithContext(d.t.Context(), "POST", server.URL+action, bytes.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Accept", "text/html")
	r.Host = "localhost:8080"
	r.AddCookie(&http.Cookie{Name: d.cookie, Value: session})
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	w := httptest.NewRecorder()
	w.Code = resp.StatusCode
	if _, err := w.Body.ReadFrom(resp.Body); err != nil {
		d.t.Fatal(err)
	}
	return w
}

// withoutScripts are actions whose forms are sent without scripts by another test.
var withoutScripts = map[string]string{
	"POST /setup":        "TestFirstStart_WithoutJavaScript",
	"POST /login/:token": "TestFirstStart_WithoutJavaScript",
	"POST /farm/drain":   "TestSettings_ShowTheFarm and TestDrain_AsksTheWorkerAndSaysWhoDid",
}

// shelfOfCopies makes backups that are good.
type shelfOfCopies struct{ made []backup.Copy }

func (s *shelfOfCopies) Copies() ([]backup.Copy, error) { return s.made, nil }
func (s *shelfOfCopies) Open(string) (*os.File, error)  { return nil, os.ErrNotExist }
func (s *shelfOfCopies) Drill(context.Context, string) (int, error) {
	return 1, nil
}
func (s *shelfOfCopies) Now(context.Context, string) error {
	s.made = append(s.made, backup.Copy{Name: "retake-20261130-120000.db", Made: time.Now(), Size: 4096})
	return nil
}

// namedBot has names and descriptions.
type namedBot struct{ profile telegram.Profile }

func (b *namedBot) Link(context.Context) (string, error) { return "https://t.me/x", nil }
func (b *namedBot) Profile(context.Context, string) (telegram.Profile, error) {
	return b.profile, nil
}
func (b *namedBot) SetProfile(_ context.Context, _ string, _, to telegram.Profile) error {
	b.profile = to
	return nil
}

// formed is an office in which each action has something to do. It returns what replaces ids in paths.
func formed(t *testing.T, shelf bool) (d *office, ids *strings.Replacer) {
	t.Helper()
	d = newDesk(t, "http://localhost:8080")
	maker, err := video.New(video.Config{Engine: "command", Offered: []string{"new-year"}, Command: []string{"false"},
		Timeout: time.Minute, Work: t.TempDir(), Cache: t.TempDir(), Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	d.change(func(o *desk.Options) {
		o.Purge = &doubtful{ahead: 72 * time.Hour, limited: true}
		o.Faults = func() []watch.Fault { return []watch.Fault{{Cause: watch.Telegram, Code: "telegram_webhook"}} }
		o.TakeOver = func(context.Context) error { return nil }
		o.Keeper, o.Bot = &shelfOfCopies{}, &namedBot{}
		o.Announcer = calmAnnouncer{}
		o.Invite = func(_ context.Context, code string) (string, error) { return "https://t.me/x?start=" + code, nil }
		o.Inspect = maker.Inspect
	})
	own := ""
	if shelf {
		own = d.shelved()
	}
	d.channel("UC1", "Our greetings")
	later, now := d.store.Now().Add(48*time.Hour).UnixMilli(), d.store.Now().UnixMilli()
	ready := func(name string) string {
		madeByAdmin(t, d.store, 8, name, strings.ToLower(name))
		return d.filmed("video", "thumb").AssetID
	}
	failed := ask(t, d.store, "Маша", 1).ID
	failForGood(t, d.queue)
	fine, hand, standing, moved, gone := ready("Ева"), ready("Зоя"), ready("Ия"), ready("Ника"), ready("Ада")
	mutate(t, d.store, `INSERT INTO publications (asset_id, platform, creator, created, step) VALUES (?, 'RUMBLE', 8, ?, 'manual')`,
		hand, now)
	mutate(t, d.store, `INSERT INTO publications (asset_id, platform, channel_id, creator, created, status, remote_id, completed,
		standing, standing_at, metadata) VALUES (?1, 'YOUTUBE', 1, 8, ?2, 'COMPLETED', 'v1', ?2, 'private', ?2,
		'{"title": "A film"}')`, standing, now)
	mutate(t, d.store, `INSERT INTO publications (asset_id, platform, creator, created, step, publish_at, metadata)
		VALUES (?, 'RUMBLE', 8, ?, 'scheduled', ?, '{"title": "x", "privacy": "public"}')`, moved, now, later)
	mutate(t, d.store, `INSERT INTO jobs (kind, asset_id, publication_id, fairness_key, position, due, created)
		SELECT 'PUBLISH', asset_id, id, 8, 0, publish_at, created FROM publications WHERE step = 'scheduled'`)
	mutate(t, d.store, `INSERT INTO advance (name, name_key, template, lang, creator, created)
		VALUES ('Яна', 'яна', 'new-year', 'ru', 8, 0)`)
	mutate(t, d.store, `UPDATE assets SET advance = 1 WHERE id = ?`, fine)
	mutate(t, d.store, `INSERT INTO inbox (update_id, chat_id, raw, received, restore_hold) VALUES (1, 1, '{}', 0, 1)`)
	mutate(t, d.store, `INSERT INTO inbox (update_id, chat_id, raw, received, error, set_aside)
		VALUES (2, 2, '{}', 0, 'update_failed', 1)`)
	mutate(t, d.store, `INSERT INTO texts (lang, key, form, text, changed, admin) VALUES ('en', 'of_old', 'other', 'x', 1, 8)`)
	write(t, d.store, func(tx *store.Tx) error {
		if _, err := tx.UpsertUser(8, "en"); err != nil {
			return err
		}
		if err := tx.SetConsent(8, store.Agreed); err != nil {
			return err
		}
		_, err := tx.SaveAnnouncement(0, map[string]string{"": "News"}, time.Time{}, 8)
		return err
	})
	if err := desk.LoadTexts(t.Context(), d.store, d.logger); err != nil {
		t.Fatal(err)
	}
	d.queue.outages = outage.New(2, time.Hour, probeEvery)
	d.queue.outages.Resume(time.Now(), "no connection")
	return d, strings.NewReplacer("FAILED", failed, "READY", fine, "HAND", hand, "STANDING", standing, "MOVED", moved,
		"GONE", gone, "OWN", own)
}

// TestEveryActionIsAFormWithoutJavaScript presses each button that admins have, on its page.
func TestEveryActionIsAFormWithoutJavaScript(t *testing.T) {
	notShort(t)
	type step struct{ page, action, button, fill string }
	seen := map[string]bool{}
	for name, steps := range map[string][]step{
		"videos": {
			{"/", "/assets", "", "name=Эва"}, {"/", "/assets/FAILED/retry", "", ""},
			{"/", "/try-now", "", ""}, {"/", "/held", "", ""}, {"/", "/take-over", "", ""}, {"/", "/trust-clock", "", ""},
			{"/attention", "/unanswered", "", ""}, {"/", "/assets/STANDING/update", "", ""},
			{"/assets/READY", "/assets/READY/metadata", "", "title=A+greeting&made_for_kids=no"},
			{"/assets/READY/publish", "/assets/READY/publish", "", "youtube=yes&privacy=public"},
			{"/assets/HAND", "/assets/HAND/published", "", "url=https://rumble.com/v1abc.html"},
			{"/assets/MOVED", "/assets/MOVED/update", "now", ""},
			{"/selection?do=delete&id=GONE", "/selection", "", ""}, {"/bin", "/bin", "restore", ""},
			{"/assets/GONE/delete", "/assets/GONE/delete", "", ""}, {"/bin", "/bin", "erase", ""},
			{"/upload", "/uploads", "", "title=Film"}, {"/", "/logout", "", ""},
		},
		"people and channels": {
			{"/", "/purge", "", ""}, {"/retry-all", "/retry-all", "", ""},
			{"/assets/FAILED", "/assets/FAILED/block", "", ""},
			{"/selection?do=publish&id=READY&id=GONE", "/selection/publish", "", "to=1&title.READY=A&title.GONE=B&made_for_kids=no"},
			{"/assets/HAND/unpublish?platform=RUMBLE", "/assets/HAND/unpublish", "", ""},
			{"/assets/STANDING/unpublish?platform=YOUTUBE", "/assets/STANDING/unpublish", "", "title=A+film"},
			{"/channels", "/channels/1/check", "", ""}, {"/channels", "/channels/1/defaults", "", "privacy=public"},
			{"/channels", "/channels/connect", "", "channel=1"}, {"/channels/1/disconnect", "/channels/1/disconnect", "", ""},
			{"/advance", "/advance", "", "names=Аня%0AИра"}, {"/advance", "/advance", "yes", ""}, {"/advance", "/advance/stop", "", ""},
			{"/advance", "/advance/withdraw", "", ""}, {"/settings", "/wishes", "no", ""}, {"/settings", "/wishes", "yes", ""},
			{"/settings", "/language", "ru", ""}, {"/settings", "/logout-everywhere", "", ""},
		},
		"settings": {
			{"/configuration", "/configuration", "", "limits.per_day=31"},
			{"/configuration", "/configuration", "", "default.limits.per_day=yes"},
			{"/admins", "/admins", "add", "id=55&owner=no"}, {"/admins", "/admins", "role", ""}, {"/admins", "/admins", "remove", ""},
			{"/admins", "/admins", "no", ""}, {"/admins", "/admins", "yes", ""}, {"/admins", "/admins", "uninvite", ""},
			{"/tokens", "/tokens", "make", "title=x&scope=read"}, {"/tokens", "/tokens", "revoke", ""},
			{"/texts", "/texts/of_old", "reset", ""}, {"/texts/apology?lang=en", "/texts/apology", "preview", ""},
			{"/texts/button_more?lang=en", "/texts/button_more", "save", "text_other=Again"},
			{"/texts/button_more?lang=en", "/texts/button_more", "reset", ""},
			{"/announcements/new", "/announcements/new", "save", "text=Hello"},
			{"/announcements/1", "/announcements/1", "preview", ""}, {"/announcements/1", "/announcements/1", "save", "text=Hello"},
			{"/announcements/1", "/announcements/1", "try", ""}, {"/announcements/1", "/announcements/1", "start", ""},
			{"/announcements/1", "/announcements/1", "pause", ""}, {"/announcements/1", "/announcements/1", "continue", ""},
			{"/announcements/2", "/announcements/2", "delete", ""},
			{"/bot?lang=ru", "/bot", "", "name=Видео&short_description=Поздравления"},
			{"/backups", "/backups", "make", ""}, {"/backups", "/backups", "try", ""},
		},
		"templates": {
			{"/studio/OWN", "/studio/OWN", "show", "s1.y=40&name=Emma&at=1"}, {"/studio/OWN", "/studio/OWN", "add", ""},
			{"/studio/OWN", "/studio/OWN", "video", ""}, {"/studio/OWN", "/studio/OWN", "save", "s1.y=40"},
			{"/studio/OWN", "/studio/OWN/files", "", ""}, {"/studio/OWN", "/studio/OWN", "back:1", ""}, {"/templates", "/templates", "down", ""},
			{"/templates", "/templates", "retire", ""}, {"/templates", "/templates", "offer", ""}, {"/templates", "/templates", "copy", ""},
			{"/studio", "/studio", "", "title=A+walk"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, ids := formed(t, name == "templates")
			session := d.signIn(8)
			for _, s := range steps {
				fill, err := url.ParseQuery(ids.Replace(s.fill))
				if err != nil {
					t.Fatal(err)
				}
				w := d.pressed(session, ids.Replace(s.page), ids.Replace(s.action), s.button, fill)
				// 200: a preview, or what is shown once
				if w.Code != http.StatusSeeOther && w.Code != http.StatusOK {
					t.Errorf("%s %s: got %d; want that it is done\n%s", s.action, s.button, w.Code, w.Body)
				}
				for route := range rights {
					shape := "^" + regexp.MustCompile(`:\w+`).ReplaceAllString(strings.TrimPrefix(route, "POST "), "[^/]+") + "$"
					if strings.HasPrefix(route, "POST ") && regexp.MustCompile(shape).MatchString(s.action) {
						seen[route] = true
					}
				}
			}
		})
	}
	for route := range rights {
		if strings.HasPrefix(route, "POST ") && !seen[route] && withoutScripts[route] == "" {
			t.Errorf("nobody has sent the form of %s without scripts", route)
		}
	}
}
