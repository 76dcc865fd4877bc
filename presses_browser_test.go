// What becomes of presses on the page, in a browser.

package main

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"retake.example/internal/retry"

	"retake.example/internal/store"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"retake.example/internal/desk"
)

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
				mutate(t, d.store, `INSERT INTO inbox (update_id, chat_id, raw, received, restore_hold) VALUES (1, 1, '{}', 0, 1)`)
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
	late.until("document.body?.innerText.includes('already been used')")
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
