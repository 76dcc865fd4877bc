// Tests of what a real browser makes of the live page.

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"retake.example/internal/store"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// reader is an admin in front of a real browser.
type reader struct {
	browser
	o *liveOffice
}

// read signs an admin in, in a browser of their own or in another profile of one that runs, and waits until their page
// is live. What the page logs fails the test, but for what the network does.
func (o *liveOffice) read(admin int64, beside ...reader) reader {
	o.Helper()
	var b browser
	if len(beside) == 0 {
		b = newBrowser(o.T)
	} else {
		b = browser{beside[0].Another()}
	}
	go func() {
		for m, err := range chromedp.Console(b.Ctx) {
			if err != nil {
				return
			}
			if m.Source != "network" {
				o.Errorf("the console says: %s", m)
			}
		}
	}()
	b.Visit(o.web.URL + o.link(admin))
	b.JS("document.querySelector('main button').click()")
	b.Until("location.pathname === '/'")
	r := reader{b, o}
	r.goTo("/")
	return r
}

// goTo opens a page and marks it, so that a reload would be seen.
func (r reader) goTo(path string) {
	r.Helper()
	r.Visit(r.o.web.URL + path)
	r.Until("document.getElementById('live').dataset.state === 'on'")
	r.JS("window.kept = true")
}

// is waits until an expression is true on the page that was opened.
func (r reader) is(expression string) {
	r.Helper()
	r.Until(expression)
	if r.JS("window.kept") != "true" {
		r.Error("the page was loaded again")
	}
}

// shows waits until there is a card with all these words in it.
func (r reader) shows(words ...string) {
	r.Helper()
	b, _ := json.Marshal(words)
	r.is(fmt.Sprintf("[...document.querySelectorAll('.card')].some(c => %s.every(w => c.innerText.includes(w)))", b))
}

// hears waits until the live region has said something.
func (r reader) hears(text string) {
	r.Helper()
	b, _ := json.Marshal(text)
	r.is(fmt.Sprintf("window.heard.some(h => h.includes(%s))", b))
}

// listen keeps what the live region says.
func (r reader) listen() {
	r.JS(
		`(window.heard = [], new MutationObserver(() => heard.push(said.textContent)).observe(said, { childList: true }))`,
	)
}

// devtools gives the browser a command that chromedp has no action for.
func devtools[P any](r reader, c cdp.Command[P, cdp.Empty], params P) {
	r.Helper()
	if _, err := chromedp.Call(r.Ctx, c, params); err != nil {
		r.Fatal(err)
	}
}

func (r reader) press(key string) { r.Do(chromedp.KeyEvent(key)) }

// focused is the text of the card that has the focus.
const focused = "(document.activeElement.closest('.card')?.innerText ?? '')"

func TestLiveARetryIsSeenFromThePressToTheVideo(t *testing.T) {
	o := newLiveOffice(t)
	failed := ask(t, o.store, "Маша", 1)
	o.step(0)
	lev := ask(t, o.store, "Лев", 2) // takes the renderer
	o.step(10)
	one := o.read(8)
	two := o.read(8, one)
	one.shows("Маша", "Failed", "Retry Failed")
	one.shows("Лев", "Rendering", "10 %")
	one.listen()
	two.listen()

	one.JS("document.querySelector('#asset-" + failed.ID + " button').focus()")
	one.JS(`(window.pressed = performance.now(), new MutationObserver(() => {
		if (document.querySelector('.pill.wait')) window.waited ??= performance.now() - pressed;
	}).observe(library, { childList: true, subtree: true }), document.activeElement.click())`)
	for _, r := range []reader{one, two} {
		r.shows("Маша", "Waiting", "Next in the queue")
		r.shows("Маша", "1 earlier try")
		r.hears("Маша: Waiting")
	}
	t.Logf("from the press to the card: %s ms", one.JS("Math.round(waited)"))
	next := "document.querySelector('.earlier a[href=\"/assets/" + failed.ID + "\"]').closest('.card')"
	one.is("document.activeElement.dataset.key === 'title' && document.activeElement.closest('.card') === " + next)
	two.JS("document.querySelector('.earlier').open = true")
	one.is("notice.innerText.includes('Trying again')")
	rev := one.JS("document.getElementById('asset-" + lev.ID + "').dataset.rev")
	o.step(40)
	for _, r := range []reader{one, two} {
		r.is("document.querySelector('#asset-" + lev.ID + " progress').value === 40")
		r.shows("Лев", "40 %")
	}
	if got := two.JS("document.querySelector('.earlier').open"); got != "true" {
		t.Error("what the other had opened was closed")
	}
	if got := one.JS("document.getElementById('asset-" + lev.ID + "').dataset.rev"); got != rev {
		t.Error("the page was asked for a percentage alone")
	}
	o.step(100)
	for _, r := range []reader{one, two} {
		r.shows("Лев", "Ready")
		r.hears("Лев: Ready")
		r.hears("Маша: Rendering")
	}
	o.step(100)
	for _, r := range []reader{one, two} {
		r.shows("Маша", "Ready")
		r.hears("Маша: Ready")
		r.is("document.querySelectorAll('.pill.ok').length === 2")
	}
	one.is("document.activeElement.closest('.card') === " + next)
	one.is("document.querySelector('.tabs').textContent.includes('Ready 2')")
	if n := o.calls("^POST /assets"); n != 1 {
		t.Errorf("got %d presses; want 1", n)
	}
}

func TestLiveAChangeIsOnThePageSoon(t *testing.T) {
	o := newLiveOffice(t)
	r := o.read(8)
	r.JS(`new MutationObserver(() => { window.seen = Date.now(); }).observe(library, { childList: true, subtree: true })`)
	var took []time.Duration
	for i := range 9 {
		r.JS("window.seen = 0")
		began := time.Now()
		ask(t, o.store, "Имя "+strings.Repeat("я", i+1), int64(i+1))
		committed := time.Now()
		r.is("window.seen > 0")
		var ms int64
		fmt.Sscan(r.JS("window.seen"), &ms)
		took = append(took, time.UnixMilli(ms).Sub(committed))
		t.Logf("commit %v, then on the page after %v", committed.Sub(began), took[i])
		r.is(fmt.Sprintf("document.querySelectorAll('.card').length === %d", i+1))
	}
	slices.Sort(took)
	if middle := took[len(took)/2]; middle > time.Second {
		t.Errorf("got %v in the middle of %v; want less than a second", middle, took)
	}
}

func TestLiveABrokenStreamHeals(t *testing.T) {
	o := newLiveOffice(t)
	r := o.read(8)
	r.listen()
	r.is("live.innerText === 'Live'")
	o.down.Store(true)
	o.web.CloseClientConnections()
	r.is("live.innerText === 'Reconnecting…'")
	ask(t, o.store, "Маша", 1)
	o.step(30)
	o.down.Store(false)
	r.is("live.innerText === 'Live'")
	r.shows("Маша", "Rendering", "30 %")
	r.hears("Маша: Rendering")
	o.step(0)
	r.shows("Маша", "Failed", "Retry Failed")
}

func TestLiveAHiddenTabListensToNothingAndCatchesUp(t *testing.T) {
	o := newLiveOffice(t)
	r := o.read(8)
	hide := func(hidden bool) {
		r.JS(
			fmt.Sprintf(
				`(Object.defineProperty(document, 'hidden', { value: %v, configurable: true }), document.dispatchEvent(new `+
					`Event('visibilitychange')))`,
				hidden,
			),
		)
	}
	before, streams := o.calls("^GET /$"), o.calls("^GET /events$")
	hide(true)
	a := ask(t, o.store, "Маша", 1)
	hide(false)
	r.shows("Маша", "Rendering")
	if n := o.calls("^GET /$") - before; n > 3 {
		t.Errorf("got %d looks at %s; want one for the way back, and what came after", n, a.ID)
	}
	if n := o.calls("^GET /events$") - streams; n != 1 {
		t.Errorf("got %d streams opened; want one, when the tab was seen again", n)
	}
}

func TestLiveWhoIsSignedOutElsewhereIsTakenToTheDoor(t *testing.T) {
	o := newLiveOffice(t)
	r := o.read(8)
	o.send(call{method: "POST", path: "/logout-everywhere", session: o.signIn(8)})
	r.Until("location.pathname === '/login'")
}

func TestLiveFormsAreSentInPlace(t *testing.T) {
	o := newLiveOffice(t)
	r := o.read(8)
	r.listen()
	r.is("document.querySelector('.empty') !== null")
	r.Do(chromedp.SendKeys("#name", "Лев\r"))
	r.shows("Лев", "Rendering")
	r.hears("Лев: ")
	r.is("document.getElementById('name').value === '' && document.activeElement.id === 'name'")
	r.is("notice.innerText.includes('The video is in the queue')")
	r.is("document.querySelector('.empty') === null")

	r.Do(chromedp.SendKeys("#name", "Л1\r"))
	r.is("document.querySelector('.make .refused, .make + .refused')?.innerText.length > 10")
	r.is("heard.at(-1) === document.querySelector('.refused').innerText && document.getElementById('name').value === 'Л1'")
	r.is("document.querySelector('.make button').ariaBusy === null")
	r.Shoot("live-refused")
	o.step(0)
	r.shows("Лев", "Failed", "Retry Failed")
	r.is("document.querySelector('.refused') !== null") // until the next try

	// A double click; then nobody answers.
	r.JS("(b => { b.click(); b.click(); })(document.querySelector('[data-key=retry]'))")
	r.shows("Лев", "1 earlier try", "Rendering")
	if n := o.calls("^POST /assets/.*retry"); n != 1 {
		t.Errorf("got %d presses; want 1", n)
	}
	o.down.Store(true)
	r.Do(chromedp.SetValue("#name", "Маша"))
	r.JS("document.querySelector('.make button').click()")
	r.hears("The page got no answer. Please try again.")
	r.is("document.getElementById('name').value === 'Маша'")
	o.down.Store(false)
}

func TestLiveTheSearchStays(t *testing.T) {
	o := newLiveOffice(t)
	for i, name := range []string{"Маша", "Лев", "Маша Б"} {
		ask(t, o.store, name, int64(i+1))
		o.step(0)
	}
	r := o.read(8)
	r.goTo("/?q=маша&status=FAILED")
	r.is("document.querySelectorAll('.card').length === 2")
	r.JS("document.querySelector('[data-key=retry]').click()")
	r.is("document.querySelectorAll('.card').length === 1 && decodeURI(location.search) === '?q=маша&status=FAILED'")
	r.is("document.querySelector('.tabs').textContent.includes('Rendering 1')")

	r.goTo("/?q=маша&status=FAILED&notice=restarted") // as a press without the script leads to
	r.is("decodeURI(location.search) === '?q=маша&status=FAILED' && notice.innerText.includes('Trying again')")

	// The same without the script.
	devtools(r, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	r.Visit(o.web.URL + "/?q=маша&status=FAILED")
	r.Do(chromedp.Click(chromedp.CSS("[data-key=retry]")))
	r.Until("document.querySelector('.notice.ok') !== null")
	if at := r.JS("decodeURI(location.search) + q.value"); at != "?notice=restarted&q=маша&status=FAILEDмаша" {
		t.Errorf("got %s; want the search and what came of the press", at)
	}
	r.Shoot("live-without-script")
}

func TestLiveAnOpenVideoPageIsUpToDateAndLeavesWhatIsBeingWritten(t *testing.T) {
	o := newLiveOffice(t)
	var looks atomic.Int64
	form := func(page string) string { // is another at each look
		meta := fmt.Sprintf(
			`<form data-keep id="meta"><label>%d <input name="title" value="%[1]d"></label></form>`,
			looks.Add(1),
		)
		return strings.Replace(page, `<div class="actions">`, meta+`<div class="actions">`, 1)
	}
	o.edit.Store(&form)
	a := ask(t, o.store, "Маша", 1)
	r := o.read(8)
	r.goTo("/assets/" + a.ID)
	r.listen()
	r.JS(
		"(window.field = document.querySelector('#meta input'), window.was = field.parentNode.textContent, field.focus(), " +
			"field.select())",
	)
	r.Do(chromedp.KeyEvent("Маша и медведь"))
	o.step(60)
	r.shows("Маша", "Rendering", "60 %")
	o.step(100)
	r.shows("Маша", "Ready")
	r.hears("Маша: Ready")
	r.is(
		"document.activeElement === field && field.isConnected && field.value === 'Маша и медведь' && " +
			"field.parentNode.textContent === was",
	)
	r.JS("field.blur()")

	// A video that was begun goes on while the rest changes.
	r.JS("(window.film = document.querySelector('video'), document.querySelector('.play').click())")
	r.is("film.currentTime > 0")
	write(t, o.store, func(tx *store.Tx) error {
		if _, err := tx.UpsertUser(2, "ru"); err != nil {
			return err
		}
		_, _, err := tx.ShareOrCreate(
			store.Order{User: 2, Chat: 2, Name: "Маша", Key: "маша", Template: "new-year", Lang: "ru"},
			time.Time{},
		)
		return err
	})
	r.shows("Маша", "Ready")
	r.is("/Waiting\\s+2/.test(document.querySelector('.detail').innerText)")
	r.is("film.isConnected && film.controls && !film.error && document.querySelectorAll('.play').length === 0")
}

func TestLiveKeys(t *testing.T) {
	o := newLiveOffice(t)
	var ids []string
	for i, name := range []string{"Аня", "Боря", "Вера"} {
		ids = append(ids, ask(t, o.store, name, int64(i+1)).ID)
		o.step(0)
	}
	r := o.read(8)
	on := func(name string) {
		t.Helper()
		r.is(fmt.Sprintf("%s.includes(%q) && document.activeElement.dataset.key === 'title'", focused, name))
	}
	for _, k := range []struct{ key, name string }{{"k", "Вера"}, {"j", "Боря"}, {"j", "Аня"}, {"j", "Аня"}, {"k", "Боря"},
		{"J", "Аня"}, {"K", "Боря"}} {
		r.press(k.key)
		on(k.name)
	}
	russian := func(key, code string, shift bool) {
		r.JS(
			fmt.Sprintf(
				"document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: %q, code: %q, shiftKey: %v, bubbles: "+
					"true, cancelable: true }))",
				key,
				code,
				shift,
			),
		)
	}
	russian("л", "KeyK", false)
	on("Вера")
	russian("о", "KeyJ", false)
	on("Боря")
	russian(".", "Slash", false)
	r.is("document.activeElement.id === 'q'")
	r.press("jk?r")
	r.is("q.value === 'jk?r' && !document.querySelector('dialog[open]')") // letters, where somebody writes
	r.JS("(q.value = '', q.blur())")
	r.press("r") // no card has the focus
	r.press("k")
	on("Вера")
	russian(",", "Slash", true)
	r.is("keys.open")
	r.Shoot("live-keys")
	r.press("jr")
	r.press("\u001b")
	r.is("!keys.open")
	on("Вера") // where it was
	r.JS("document.getElementById('keys-open').focus()")
	r.press("\r")
	r.is("keys.open")
	r.JS("document.querySelector('#keys-on').click()")
	r.JS("document.querySelector('#keys form button').click()")
	r.is("!keys.open && document.activeElement.id === 'keys-open'")
	for _, key := range []string{"j", "k", "r", "/", "?"} {
		r.press(key)
	}
	r.is("document.activeElement.id === 'keys-open' && !keys.open")
	r.goTo("/")
	r.press("j")
	r.is("document.activeElement === document.body && !document.getElementById('keys-on').checked") // remembered
	r.JS("document.getElementById('keys-on').click()")
	if n := o.calls("^POST /assets"); n != 0 {
		t.Errorf("got %d presses of Retry; want none yet", n)
	}
	r.press("j")
	r.press("r")
	r.shows("Вера", "1 earlier try")
	on("Вера")
	r.goTo("/assets/" + ids[1])
	r.press("?")
	r.is("keys.open")
	r.press("r")
	if got := r.JS("document.querySelector('[data-key=retry]')?.ariaBusy"); got != "null" {
		t.Errorf("got the button busy: %s; want no press while the keys are shown", got)
	}
	r.press("\u001b")
	r.is("!keys.open")
	r.press("r")
	r.shows("Боря", "Retried")
	r.is("document.activeElement === document.body") // the key did not move it
	if n := o.calls("^POST /assets/.*/retry"); n != 2 {
		t.Errorf("got %d presses of Retry; want 2", n)
	}
}

func TestLiveAChangeMovesOnlyForThoseWhoLikeIt(t *testing.T) {
	o := newLiveOffice(t)
	r := o.read(8)
	for _, c := range []struct{ prefers, want string }{{"no-preference", "flash"}, {"reduce", "none"}} {
		devtools(r, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: c.prefers}}})
		r.JS("document.addEventListener('animationstart', e => { if (e.animationName === 'flash') window.flashed = true; })")
		r.JS("window.flashed = false")
		ask(t, o.store, "Имя "+c.prefers[:2], 1)
		r.shows("Имя " + c.prefers[:2])
		if c.want == "flash" {
			r.is("window.flashed")
		} else if got := r.JS("getComputedStyle(document.querySelector('.card')).animationName"); got != c.want ||
			r.JS("flashed") != "false" {
			t.Errorf("%s: got the animation %s; want %s", c.prefers, got, c.want)
		}
	}
}

func TestLiveTimesAreInTheReadersLanguage(t *testing.T) {
	o := newLiveOffice(t)
	ask(t, o.store, "Маша", 1)
	mutate(t, o.store, `UPDATE assets SET created = created - 180000`)
	r := o.read(8)
	r.shows("Маша", "3 minutes ago")
	r.JS(
		"fetch('/language', { method: 'POST', body: new URLSearchParams({ lang: 'ru' }) }).then(() => { window.chosen = " +
			"true; })",
	)
	r.Until("window.chosen")
	r.goTo("/")
	r.shows("Маша", "3 минуты назад", "Делается")
	r.is("live.innerText === 'На связи'")
}
