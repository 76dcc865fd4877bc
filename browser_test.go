// Tests of the page in a real browser: what it looks like to a critic, and what becomes of presses.

package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/video"

	"retake.example/internal/store"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"retake.example/internal/desk"
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
	b.visit(d.opts.BaseURL + path)
}

// press clicks with the mouse on the middle of an element, which must be in sight.
func (b browser) press(selector string) {
	b.Helper()
	b.do(chromedp.Click(selector, chromedp.NodeVisible))
}

// signsIn opens a sign-in link and presses its button.
func (b browser) signsIn(d *office, admin int64) {
	b.Helper()
	b.open(d, d.link(admin))
	b.press("main form button")
	b.until("location.pathname === '/' && document.readyState === 'complete'")
}

// another is a tab of the same browser that shares no cookie with this one.
func (b browser) another() browser {
	b.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	b.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as this context
		b.Fatal(err)
	}
	other := browser{b.T, ctx}
	other.do(chromedp.EmulateViewport(1280, 900))
	return other
}

// types presses keys one by one. A key whose press the page takes for itself writes nothing.
func (b browser) types(text string) {
	b.Helper()
	for _, letter := range text {
		events := kb.Encode(letter)
		if len(events) == 3 { // a letter of its own would be written whatever the page made of the press
			events[0].Text = events[1].Text
			events = slices.Delete(events, 1, 2)
		}
		for _, k := range events {
			if _, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, *k); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// await waits for a promise.
func (b browser) await(promise string) {
	b.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[chromedp.Void](promise, chromedp.EvalAwaitPromise)); err != nil {
		b.Fatalf("%s: %v", promise, err)
	}
}

// ---- how it looks

// ---- what becomes of presses

// pilled is the one card of the library with a pill of that class, as an expression.
func pilled(pill string) string { return "document.querySelector('.card:has(.pill." + pill + ")')" }

func TestARetryIsSeenToItsEndWithoutAReload(t *testing.T) {
	d, verdict := openStudio(t)
	ask(t, d.store, "Маша", 1, 2)
	verdict(retry.Permanent(errEngine))
	b := newBrowser(t)
	b.signsIn(d, 8)
	b.until(pilled("bad") + " !== null")
	b.js("window.mark = 'the same page'")
	same := func(when string) {
		t.Helper()
		if got := b.js("window.mark"); got != "the same page" {
			t.Errorf("%s: got another page; want the same", when)
		}
	}
	b.press(`.card [data-key="retry"]`)
	b.until("(" + pilled("busy") + " ?? " + pilled("wait") + ") !== null")
	same("after the press")
	if got := b.js("document.activeElement.closest('main')?.id"); got != "main" {
		t.Errorf("got the focus on %s; want it where the reader was", b.js("document.activeElement.outerHTML.slice(0, 200)"))
	}
	if got := b.js("[...document.querySelectorAll('[role=status]')].map(e => e.innerText.trim()).join()"); got == "" {
		t.Error("got no word about what was done; want a notice that is read out")
	}
	verdict(nil)
	b.until(pilled("ok") + " !== null")
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
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled,
		emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.signsIn(d, 8)
	// Only what the server's answer contains is seen; looking again is a reload.
	shows := func(expression string) {
		t.Helper()
		for deadline := time.Now().Add(stall); b.js(expression) != "true"; b.do(chromedp.Reload()) {
			if time.Now().After(deadline) {
				t.Fatalf("never true: %s; the page says:\n%s", expression, b.js("document.body.innerText"))
			}
		}
	}
	shows(pilled("bad") + " !== null")
	if got := b.js("document.querySelector('time[data-rel]').innerText"); strings.Contains(got, "now") ||
		strings.Contains(got, "ago") {
		t.Fatalf("got %s; want the time as the server wrote it, for no script runs", got)
	}
	b.press(`.card [data-key="retry"]`)
	b.until("location.search.includes('notice=restarted')")
	if got := b.js("document.querySelector('#notice')?.innerText ?? ''"); got == "" {
		t.Errorf("got %s; want a notice", b.js("document.body.innerText"))
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
				mutate(t, d.store, `INSERT INTO inbox (update_id, chat_id, raw, received, held) VALUES (1, 1, '{}', 0, 1)`)
			})
			b := newBrowser(t)
			if !c.script {
				if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled,
					emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
					t.Fatal(err)
				}
			}
			b.signsIn(d, 8)
			b.open(d, "/settings")
			b.js("window.before = true")
			b.press(`form[action="/language"] [value="` + c.lang + `"]`)
			b.until("!window.before && document.documentElement.lang === '" + c.lang + "' && document.readyState === 'complete'")
			b.open(d, "/")
			b.press(c.press)
			b.until(
				"document.querySelector('#notice')?.innerText.includes('" + c.notice +
					"') && !document.querySelector('form[action=\"/held\"]')",
			)
			if got := sent.Load(); got != c.answered {
				t.Errorf("got %d messages to answer; want %d", got, c.answered)
			}
			if n := count(t, d.store, `SELECT count(*) FROM inbox WHERE held = 1`); n != 0 {
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
	other := one.another()
	one.signsIn(d, 8)
	other.signsIn(d, 7)
	other.until(pilled("bad") + " !== null")
	if got := other.js("document.querySelectorAll('[data-key=\"retry\"]').length"); got != "0" {
		t.Errorf("got %s buttons to retry what somebody else's people asked for; want none", got)
	}
	other.js("window.mark = 'the same page'")
	one.press(`.card [data-key="retry"]`)
	other.until("(" + pilled("busy") + " ?? " + pilled("wait") + ") !== null")
	verdict(nil)
	other.until(pilled("ok") + " !== null")
	if got := other.js("window.mark"); got != "the same page" {
		t.Errorf("got another page; want the same")
	}
	other.do(chromedp.SendKeys("#name", "Лев\r"))
	one.until("[...document.querySelectorAll('.card h2')].some(h => h.innerText === 'Лев')")
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
	late := b.another()
	for _, tab := range []browser{b, late} {
		tab.open(d, link)
		tab.until("document.querySelector('main form button') !== null")
	}
	b.press("main form button")
	b.until("location.pathname === '/' && document.querySelector('#library') !== null")
	late.press("main form button")
	late.until("document.body?.innerText.includes('used already')")
	if got := late.js("document.querySelectorAll('main form').length"); got != "0" {
		t.Errorf("got %s buttons; want none on a link that was used", got)
	}
	late.open(d, "/")
	late.until("location.pathname === '/login'")
}

func TestTheKeyboardReachesTheSearch(t *testing.T) {
	d := openDesk(t, func(*office) {})
	b := newBrowser(t)
	b.signsIn(d, 8)
	at := func(id string) {
		t.Helper()
		if got := b.js("document.activeElement.id"); got != id {
			t.Errorf("got the focus on %q; want %q", got, id)
		}
	}
	value := func(id, want string) {
		t.Helper()
		if got := b.js("document.getElementById('" + id + "').value"); got != want {
			t.Errorf("got %q in %s; want %q", got, id, want)
		}
	}
	b.types("/")
	at("q")
	b.types("ма/ша")
	value("q", "ма/ша")
	b.types(kb.Escape)
	at("")
	value("q", "ма/ша")
	b.types("/лев") // what was typed is selected
	value("q", "лев")
	b.do(chromedp.Focus("#name"))
	b.types("а/б")
	at("name")
	value("name", "а/б")

	b.open(d, "/")
	b.types(kb.Tab)
	if got := b.js("document.activeElement.className + ' ' + (document.activeElement.getBoundingClientRect().top " +
		">= 0)"); got != "skip true" {
		t.Errorf("got %s first; want the link to the content, in sight", got)
	}
	b.types(kb.Enter + kb.Tab)
	at("name")
}
