// Tests of every page by a critic: accessibility, width and the browser's console.

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"retake.example/internal/backup"
	"retake.example/internal/watch"

	"retake.example/internal/store"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"retake.example/internal/desk"
	"retake.example/internal/outage"
)

// critic reads pages of an office and finds fault with them.
type critic struct {
	browser
	office *office
	axe    string          // its source
	read   map[string]bool // paths of the pages so far

	mu     sync.Mutex
	wanted int64 // status of the page that is being opened
	faults []string
}

func newCritic(t *testing.T) *critic {
	t.Helper()
	axe, err := os.ReadFile("build/axe/axe.min.js")
	if err != nil {
		t.Fatalf("axe-core is not here, which looks at the pages: run `make test`, which fetches it (%v)", err)
	}
	c := &critic{browser: newBrowser(t), axe: string(axe), read: map[string]bool{}}
	if err := chromedp.Listen(c.ctx, c.hear); err != nil {
		t.Fatal(err)
	}
	return c
}

// hear notes what the browser complains of.
func (c *critic) hear(event any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fault := func(format string, args ...any) { c.faults = append(c.faults, fmt.Sprintf(format, args...)) }
	said := func(v any) string { b, _ := json.Marshal(v); return string(b) }
	switch e := event.(type) {
	case *log.EventEntryAdded: // the policy reports here; what the network says comes below
		if e.Entry.Source != log.EntrySourceNetwork {
			fault("console: %s %s", e.Entry.Level, e.Entry.Text)
		}
	case *runtime.EventConsoleAPICalled:
		fault("console.%s: %s", e.Type, said(e.Args))
	case *runtime.EventExceptionThrown:
		fault("exception: %s", said(e.ExceptionDetails))
	case *page.EventJavascriptDialogOpening:
		fault("a dialog opened: %s", e.Message)
		// events come one at a time: not here
		go chromedp.Call(c.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{})
	case *network.EventLoadingFailed:
		if !e.Canceled { // by going to another page
			fault("%s could not be loaded: %s %s", e.Type, e.ErrorText, e.BlockedReason)
		}
	case *network.EventResponseReceived:
		switch {
		case e.Type == network.ResourceTypeDocument && e.Response.Status != c.wanted:
			fault("%s: got %d; want %d", e.Response.URL, e.Response.Status, c.wanted)
		case e.Type != network.ResourceTypeDocument && e.Response.Status >= 400:
			fault("%s: got %d", e.Response.URL, e.Response.Status)
		}
	}
}

// learns gives axe-core to the page, by the debugger: the policy lets no other script in.
func (c *critic) learns(t *testing.T) {
	t.Helper()
	if err := chromedp.Do(c.ctx, chromedp.Evaluate[chromedp.Void](c.axe)); err != nil {
		t.Fatal("axe-core does not run: ", err)
	}
}

// complaints are what was heard since they were asked for last.
func (c *critic) complaints() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	heard := c.faults
	c.faults = nil
	return heard
}

// moves goes to another office and signs in there.
func (c *critic) moves(d *office, admin int64) {
	c.Helper()
	c.mu.Lock()
	c.office, c.wanted = d, 200
	c.mu.Unlock()
	c.signsIn(d, admin)
}

// reads opens a page and looks at it in two widths, by day and by night.
func (c *critic) reads(name, path string, status int64) {
	c.read[strings.SplitN(path, "?", 2)[0]] = true
	c.Run(name, func(t *testing.T) {
		b := browser{t, c.ctx}
		c.mu.Lock()
		c.wanted = status
		c.mu.Unlock()
		b.open(c.office, path)
		if got := b.js("[...document.querySelectorAll('h1')].filter(h => h.innerText.trim()).length"); got != "1" {
			t.Errorf("got %s headings of the first rank; want 1", got)
		}
		if got := b.js("document.documentElement.lang"); got == "" {
			t.Error("got no language of the page")
		}
		if got := b.js("[...document.querySelectorAll('*')].flatMap(e => [...e.attributes]).filter(a => " +
			"/^on/i.test(a.name) || /^(href|src|action)$/i.test(a.name) && /^javascript:/i.test(a.value)).map(a => a.name + " +
			"'=' + a.value)"); got != "" {
			t.Errorf("got attributes %s; want none that is a script", got)
		}
		c.learns(t)
		var violations []string
		seen := map[string][]string{}
		for _, width := range []int64{320, 390, 1280} {
			b.do(chromedp.EmulateViewport(width, 900))
			if got := b.js("document.documentElement.scrollWidth - document.body.offsetWidth"); got != "0" {
				t.Errorf(
					"%d px: got a page that is %s px wider: %s",
					width,
					got,
					b.js(
						"[...document.querySelectorAll('main *, header *')].filter(e => e.getBoundingClientRect().right > "+
							"document.body.offsetWidth + .5).map(e => e.outerHTML.slice(0, 120)).slice(0, 4).join(' | ')",
					),
				)
			}
			if width == 320 {
				continue
			}
			for _, scheme := range []string{"light", "dark"} {
				b.prefers(scheme)
				b.keep(
					fmt.Sprintf("%s-%d-%s", strings.ReplaceAll(t.Name()[strings.Index(t.Name(), "/")+1:], "/", "-"), width, scheme),
					chromedp.FullScreenshot(100),
				)
				for _, v := range b.violations() {
					if seen[v] == nil {
						violations = append(violations, v)
					}
					seen[v] = append(seen[v], fmt.Sprintf("%d px %s", width, scheme))
				}
			}
		}
		for _, v := range violations {
			t.Errorf("%s: %s", strings.Join(seen[v], ", "), v)
		}
		for _, fault := range c.complaints() {
			t.Error(fault)
		}
	})
}

// prefers sets the colours that the reader prefers.
func (b browser) prefers(scheme string) {
	b.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	if err != nil {
		b.Fatal(err)
	}
}

// violations asks axe-core. What is folded away is unfolded for it.
func (b browser) violations() (list []string) {
	b.Helper()
	answer, err := chromedp.Run(b.ctx, chromedp.Evaluate[struct {
		Violations []struct {
			ID, Help string
			Nodes    []struct {
				Target               []any
				HTML, FailureSummary string
			}
		}
		Passed int
	}](`(async () => {
		const folded = [...document.querySelectorAll('details:not([open])')];
		folded.forEach(d => { d.open = true });
		const r = await axe.run(document, { preload: false, resultTypes: ['violations'],
			runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
		folded.forEach(d => { d.open = false });
		return { violations: r.violations, passed: r.passes.length };
	})()`, chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatal(err)
	}
	if answer.Passed < 10 {
		b.Errorf("got %d rules that axe-core found kept; want that it looked", answer.Passed)
	}
	for _, v := range answer.Violations {
		n := v.Nodes[0]
		list = append(
			list,
			fmt.Sprintf(
				"%s: %s, at %d places, first at %v: %s\n%s",
				v.ID,
				v.Help,
				len(v.Nodes),
				n.Target,
				n.HTML,
				n.FailureSummary,
			),
		)
	}
	return list
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
	c.reads("quiet/channels", "/channels", 200)
	quiet.studio().about.YouTube = false
	c.reads("quiet/channels not set up", "/channels", 200)
	mutate(t, quiet.store, `INSERT INTO inbox (update_id, chat_id, raw, received, held) VALUES (1, 1, '{}', 0, 1)`)
	quiet.change(func(o *desk.Options) {
		o.Backups = func() backup.State {
			return backup.State{
				Last:    time.Now().Add(-30 * time.Hour),
				Failing: time.Now().Add(-6 * time.Hour),
				Problem: "there is no room for a backup",
			}
		}
		o.Free = func() (int64, error) { return watch.LowDisk * 2 / 3, nil }
	})
	c.reads("quiet/restored", "/", 200)
	c.await("fetch('/language', { method: 'POST', body: new URLSearchParams({ lang: 'ru' }) })")
	c.reads("quiet/ru/restored", "/", 200)
	c.await("fetch('/language', { method: 'POST', body: new URLSearchParams({ lang: 'en' }) })")
	c.reads("quiet/that was all", "/activity?after=1-a-1", 200)
	c.reads("quiet/retry all", "/retry-all", 200)

	var ids map[string]string
	full := openDesk(t, func(d *office) {
		ids = furnish(t, d)
		// of people who have had their data deleted
		for i, id := range []string{ids["on platforms"], ids[hostile[0]], ids[hostile[8]]} {
			mutate(
				t,
				d.store,
				`UPDATE assets SET unwanted = ? WHERE id = ?`,
				time.Now().Add(time.Duration(i-9)*time.Hour).UnixMilli(),
				id,
			)
		}
		write(t, d.store, func(tx *store.Tx) error {
			eight, machine := int64(8), new(int64)
			for _, e := range []store.Event{{Action: "appoint", Outcome: "owner"}, {Action: "appoint", Outcome: "admin"},
				{Action: "dismiss"},
				{Admin: &eight, Action: "decide", Outcome: "left"}, {Admin: &eight, Action: "decide", Outcome: "sent"}} {
				e.Admin = cmp.Or(e.Admin, machine)
				if err := tx.Note(e); err != nil {
					return err
				}
			}
			return nil
		})
		d.opts.Backups = func() backup.State { return backup.State{Last: time.Now().Add(-3 * time.Hour)} }
		d.opts.Limits = append(
			d.opts.Limits,
			desk.Limit{Label: "limit_keep_videos", Value: desk.KeptFor(90 * 24 * time.Hour)},
			desk.Limit{
				Label: "limit_keep_history",
				Value: desk.KeptFor(0),
			},
			desk.Limit{Label: "limit_keep_people", Value: desk.KeptFor(365 * 24 * time.Hour)},
		)
		d.missing = append(hostile[:2:2], "ffmpeg is not installed.")
		d.opts.Offers = slices.Clone(choices)
		for i, evil := range append(hostile[:3:3], odd[:3]...) {
			d.opts.Offers = append(d.opts.Offers, titled(fmt.Sprint("evil-", i), evil, evil))
		}
		d.opts.Limits = append(
			d.opts.Limits,
			desk.Limit{Label: hostile[0], Value: hostile[1]},
			desk.Limit{Label: strings.Repeat("l", 60), Value: 3},
		)
		d.queue.opts.Workers = 2
		d.queue.outages = outage.New(5, time.Hour, probeEvery)
		d.queue.outages.Resume(time.Now().Add(-20*time.Minute), hostile[1]+": connection refused")
		d.Web = NewWeb(d.t.Context(), d.store, d.queue, d.files, d.opts, d.logger)
	})
	find := func(name string) string { return "/?q=" + url.QueryEscape(name) }
	c.moves(full, 7)
	c.reads("video/of others", "/assets/"+ids["failed"], 200)
	mutate(t, full.store, `INSERT INTO inbox (update_id, chat_id, raw, received, held) VALUES (1, 1, '{}', 0, 1)`)
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
	for _, kind := range []string{"finished", "made by an admin", "on platforms", "failed", "replaced", "rendering",
		"tried again in an hour", "next", "waiting"} {
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
	c.reads("publish/everywhere", "/assets/"+ids["on platforms"]+"/publish", 200)
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
	c.reads("upload", "/upload", 200)
	c.reads("retry all", "/retry-all", 200)
	c.reads("retry all/found", "/retry-all?q="+url.QueryEscape("ноа"), 200)
	c.reads("error/nothing here", "/nowhere", 404)
	c.await("fetch('/language', { method: 'POST', body: new URLSearchParams({ lang: 'ru' }) })")
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
	c.reads("ru/upload", "/upload", 200)
	c.reads("ru/retry all", "/retry-all", 200)
	c.reads("ru/sign-in", "/login/nonsense", 403)
	c.await("fetch('/language', { method: 'POST', body: new URLSearchParams({ lang: 'en' }) })")
	c.reads("error/no such video", "/assets/"+store.NewID(), 404)
	c.reads("error/no such status", "/?status=nonsense", 422)

	for _, r := range full.echo.Routes() {
		if r.Method != http.MethodGet ||
			regexp.MustCompile(`^/(healthz|readyz|metrics|events|static/|media/|thumbs/|templates/)`).MatchString(r.Path) {
			continue // no page
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
		"a small button": {"const row = document.createElement('div'); " +
			"document.querySelector('main').append(row); for (const word of 'ab') { const b = " +
			"document.createElement('button'); b.textContent = word; b.style = 'font-size: 6px; padding: 0; border: 0'; " +
			"row.append(b) }", "target-size"},
		"a script of another's": {"document.body.append(Object.assign(document.createElement('iframe'), { src: " +
			"'https://example.com/' }))", "Content Security Policy"},
		"a handler in the markup": {"try { document.body.setAttribute('onclick', 'alert(1)') } catch { }", "TrustedScript"},
		"a word in the console":   {"console.error('oops')", "oops"},
		"an exception":            {"setTimeout(() => { throw new Error('oops') })", "oops"},
		"a file that is missing":  {"await fetch('/static/nothing.css')", "got 404"},
		"a dialog":                {"alert(1)", "a dialog opened"},
	} {
		t.Run(name, func(t *testing.T) {
			c.mu.Lock()
			c.wanted = 200
			c.mu.Unlock()
			b := browser{t, c.ctx}
			b.open(quiet, "/login")
			c.learns(t)
			// Two frames later it has happened.
			b.await(
				"(async () => { " + fault.script + "; await new Promise(done => requestAnimationFrame(() => " +
					"requestAnimationFrame(done))) })()",
			)
			found := strings.Join(append(b.violations(), c.complaints()...), "\n")
			if !strings.Contains(found, fault.want) {
				t.Errorf("got %q; want %s", found, fault.want)
			}
		})
	}
}
