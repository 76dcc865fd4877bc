// The story that the demo tells, played in a real browser: real ffmpeg, real SQLite, only Telegram is a stand-in.

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// browser is one tab of a real Chromium.
type browser struct {
	*testing.T
	ctx context.Context
}

func newBrowser(t *testing.T, more ...chromedp.ExecAllocatorOption) browser {
	t.Helper()
	notShort(t)
	options := append(more, chromedp.DefaultExecAllocatorOptions[:]...)
	for _, flag := range []string{"disable-quic", "no-first-run", "disable-background-networking",
		"disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	options = append(options, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.Flag("accept-lang", "en-US")) // whatever the machine speaks
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // the browser lives as long as this context
		t.Fatal(err)
	}
	b := browser{t, ctx}
	b.do(chromedp.EmulateViewport(1280, 900))
	return b
}

func (b browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stall)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.Fatal(err)
	}
}

// visit goes to an address and waits until its page and its frames are there: chromedp's own wait ends
// early when the page that is left reports late that one of its frames has stopped loading.
func (b browser) visit(address string) {
	b.Helper()
	b.is("window.left = true") // a mark, which its page takes along
	b.do(chromedp.Navigate(address))
	b.until("!window.left && document.readyState === 'complete'")
}

// js evaluates an expression and returns it as text.
func (b browser) js(expression string) string {
	b.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("String("+expression+")"))
	if err != nil {
		b.Fatalf("%s: %v", expression, err)
	}
	return v
}

// is reports whether an expression is true; on a page that is just being left, or has only begun, nothing is.
func (b browser) is(expression string) bool {
	b.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("String(document.body !== null && ("+expression+"))"))
	if err != nil && !strings.Contains(err.Error(), "navigated") {
		b.Fatalf("%s: %v", expression, err)
	}
	return err == nil && v == "true"
}

// ticking are times that go on automatically: a page on which nothing else changes stands still.
var ticking = regexp.MustCompile(`\d+\s\S+\s(ago|назад)`)

// until waits until an expression is true.
func (b browser) until(expression string) {
	b.Helper()
	says := func() string { // on a page that is just being left: nothing
		text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("String(document.body?.innerText ?? '')"))
		if err != nil && !strings.Contains(err.Error(), "navigated") {
			b.Fatalf("the text of the page: %v", err)
		}
		return ticking.ReplaceAllString(text, "")
	}
	if err := until(b, func() bool { return b.is(expression) }, says); err != nil {
		b.Fatalf("never true: %s: %v; the page says:\n%s", expression, err, says())
	}
}

// shoot keeps a picture of what is seen of the page in the folder SHOTS_DIR, for people who want to look.
func (b browser) shoot(name string) {
	b.Helper()
	b.keep(name, chromedp.CaptureScreenshot())
}

// keep keeps a picture if SHOTS_DIR names a folder for it.
func (b browser) keep(name string, picture chromedp.Action[[]byte]) {
	b.Helper()
	dir := os.Getenv("SHOTS_DIR")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, picture)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600)
	}
	if err != nil {
		b.Error(err)
	}
}

// lateState keeps the answer to a page's first question after its state back until late is called.
const lateState = `{
	const ask = window.fetch;
	window.asked = 0;
	window.fetch = async (to, how) => {
		const answer = await ask(to, how);
		if (to === 'state' && ++window.asked === 1) await new Promise((go) => { window.late = go; });
		return answer;
	};
}`

// phone is one of the demo's chats.
type phone struct {
	browser
	n int
}

func (p phone) find(selector string) string {
	return fmt.Sprintf("document.querySelector('#phone-%d %s')", p.n, selector)
}

// write sends a message as that person would: by typing and pressing Enter.
func (p phone) write(text string) {
	p.Helper()
	p.do(chromedp.SendKeys(fmt.Sprintf("#phone-%d form input", p.n), text+"\r"))
}

// last is the last button with a text, as an expression.
func (p phone) last(text string) string {
	quoted, _ := json.Marshal(text)
	return fmt.Sprintf(
		"[...document.querySelectorAll('#phone-%d .buttons button')].filter(b => b.textContent.includes(%s)).at(-1)",
		p.n,
		quoted,
	)
}

func (p phone) press(text string) {
	p.Helper()
	p.until(p.last(text) + " !== undefined")
	p.js(p.last(text) + ".click()")
}

// hears waits until the chat holds a text so many times.
func (p phone) hears(text string, times int) {
	p.Helper()
	quoted, _ := json.Marshal(text)
	p.until(
		fmt.Sprintf(
			"[...document.querySelectorAll('#phone-%d .message .text')].filter(m => m.textContent.includes(%s)).length === %d",
			p.n,
			quoted,
			times,
		),
	)
}

func (p phone) hasVideos(n int) {
	p.Helper()
	p.until(fmt.Sprintf("document.querySelectorAll('#phone-%d video').length === %d", p.n, n))
}

// openDemo runs the demo and returns the address of its phones.
func openDemo(t *testing.T) (address string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, w := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- run(ctx, []string{"demo"}, w) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	for lines := bufio.NewScanner(out); address == "" && lines.Scan(); {
		address = regexp.MustCompile(`http://\S+`).FindString(lines.Text())
	}
	go io.Copy(io.Discard, out)
	return address
}

func TestTheDemoTellsItsStory(t *testing.T) {
	notShort(t)
	address := openDemo(t)
	b := newBrowser(t)
	b.visit(address)
	b.until("document.querySelectorAll('.phone').length === 3")
	b.shoot("1-start")
	maria, olga, emma := phone{b, 0}, phone{b, 1}, phone{b, 2}

	maria.write("/start")
	maria.hears("Пришлите имя ребёнка", 1)
	maria.write("Маша")
	maria.hears("Имя: «Маша». Какое поздравление сделать?", 1)
	b.shoot("2-question")
	maria.press("С Новым годом")
	maria.hears("Запрос создан! Скоро отправим видео.", 1)
	b.shoot("3-progress")
	maria.hasVideos(1)
	maria.hears("Готово!", 1)
	b.shoot("4-video")
	video := maria.find("video")
	b.js(video + ".play().then(() => {}, e => { window.refused = e })")
	b.until(video + ".currentTime > 1")
	if got := b.js(video + ".videoWidth + 'x' + " + video + ".videoHeight"); got != "720x1280" {
		t.Errorf("got a video of %s; want 720x1280", got)
	}
	b.js(video + ".currentTime = 8")
	b.until(video + ".currentTime > 8.2 && !" + video + ".error")
	b.js(video + ".pause()")

	// What is kept of her is a file.
	maria.write("/my_data")
	maria.hears("В этом файле всё, что я о вас храню.", 1)
	maria.until(maria.find(`.text a[download="my-data.json"]`) + " !== null")

	// The renderer breaks; three people ask.
	b.js("document.getElementById('broken').click()")
	b.until("document.getElementById('renderer').textContent !== 'It works'")
	maria.write("Лев")
	maria.press("С днём рождения")
	olga.write("Лев")
	olga.press("С днём рождения")
	emma.write("Leo")
	emma.press("Happy Birthday")
	maria.hears("Упс! Что-то пошло не так при создании видео для Лев. 😔", 1)
	olga.hears("Упс! Что-то пошло не так при создании видео для Лев. 😔", 1)
	emma.hears("Oops! Something went wrong while making the video for Leo. 😔", 1)
	b.shoot("5-apologies")

	// The admin sees why.
	b.visit(address + "/admin")
	b.until("location.pathname === '/' && document.body.innerText.includes('Retry Failed')")
	if page := b.js("document.body.innerText"); !strings.Contains(page, "Лев") || !strings.Contains(page, "Leo") {
		t.Errorf("got %s; want both failed videos", page)
	}
	b.shoot("6-admin")
	b.command("Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": lateState})
	b.visit(address)
	b.until("window.late && document.querySelectorAll('.phone').length === 3")

	// The engine is repaired, which the page knows better than an answer that was on its way; each presses the button.
	b.js("document.getElementById('broken').click()")
	b.until("document.getElementById('renderer').textContent === 'It works'")
	b.js("late()")
	b.until("window.asked > 1")
	if now := b.js("document.getElementById('renderer').textContent"); now != "It works" {
		t.Errorf("got %q; want the switch as it is, not as it was", now)
	}
	maria.press("🔄 Попробовать еще раз")
	olga.press("🔄 Попробовать еще раз")
	emma.press("🔄 Try again")
	maria.hasVideos(2)
	olga.hasVideos(1)
	emma.hasVideos(1)
	emma.hears("Here you are!", 1)
	b.shoot("7-repaired")
}

// trouble presses a switch of the demo's stand-in for YouTube.
func (b browser) trouble(address, fault, on string) {
	b.Helper()
	r, err := http.PostForm(
		address+"/platforms/switch",
		url.Values{"platform": {"youtube"}, "switch": {fault}, "on": {on}},
	)
	if err != nil {
		b.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusOK { // of the page that it leads back to
		b.Fatalf("got %s; want the switch pressed", r.Status)
	}
}

// says waits until the row of YouTube on the page of a video says something.
func (b browser) says(text string) {
	b.Helper()
	quoted, _ := json.Marshal(text)
	b.until(fmt.Sprintf("(document.querySelector('#on-YOUTUBE')?.innerText ?? '').includes(%s)", quoted))
}

func TestTheDemoPublishes(t *testing.T) {
	notShort(t)
	address := openDemo(t)
	b := newBrowser(t)
	click := func(selector string) {
		t.Helper()
		quoted, _ := json.Marshal(selector)
		b.until(fmt.Sprintf("document.querySelector(%s) !== null", quoted))
		b.js(fmt.Sprintf("document.querySelector(%s).click()", quoted))
	}
	b.visit(address + "/admin")
	b.until("location.pathname === '/' && document.querySelector('form.make, #library') !== null")
	home := b.js("location.origin")
	names := []string{"Emma", "Leo", "Anna"}
	for i, name := range names {
		b.js(
			fmt.Sprintf(
				"void fetch('/assets', { method: 'POST', headers: { 'Content-Type': 'application/json', Accept: "+
					"'application/json' }, body: JSON.stringify({ name: %q }) })",
				name,
			),
		)
		b.until(fmt.Sprintf("document.querySelectorAll('#library .card').length === %d", i+1))
	}
	b.until("[...document.querySelectorAll('#library .card')].filter(c => c.innerText.includes('Publish')).length === 3")
	b.shoot("publish-1-ready")
	videos := map[string]string{}
	for _, name := range names {
		videos[name] = b.js(
			fmt.Sprintf(
				"[...document.querySelectorAll('#library .card')].find(c => c.innerText.includes(%q)).id.replace('asset-', '')",
				name,
			),
		)
	}

	// Connect.
	b.visit(home + "/channels")
	click("form[action='/channels/connect'] button")
	b.until("location.pathname.endsWith('/o/oauth2/v2/auth')")
	b.shoot("publish-2-consent")
	click("button[value=allow]")
	b.until("location.pathname === '/channels' && document.body.innerText.includes('Connected')")
	b.shoot("publish-3-channels")

	// Publish; without a choice the form says what the law wants.
	publish := func(name string) {
		t.Helper()
		b.visit(home + "/assets/" + videos[name] + "/publish")
		b.until("document.querySelector('form[action$=\"/publish\"]') !== null")
		b.js(
			fmt.Sprintf(
				"(f => { f.elements.title.value = %q; f.elements.youtube.checked = true; f.elements.made_for_kids.value = 'yes'; "+
					"f.requestSubmit(f.querySelector('button.primary')) })"+
					"(document.querySelector('form[action$=\"/publish\"]'))",
				"A greeting "+name,
			),
		)
		b.until(fmt.Sprintf("location.pathname === '/assets/%s'", videos[name]))
	}
	b.visit(home + "/assets/" + videos["Emma"] + "/publish")
	b.until("document.querySelector('form[action$=\"/publish\"]') !== null")
	b.js(
		"(f => { f.elements.title.value = 'A greeting'; f.elements.youtube.checked = true; " +
			"f.requestSubmit(f.querySelector('button.primary')) })(document.querySelector('form[action$=\"/publish\"]'))",
	)
	b.until("document.querySelector('#made_for_kids-fault') !== null")
	b.shoot("publish-4-refused")
	publish("Emma")
	b.says("Published")
	b.until("document.querySelector('#on-YOUTUBE a[href*=\"/google/watch?v=\"]') !== null")
	b.shoot("publish-5-published")

	// YouTube is down: the upload waits, spends no attempt, and goes on automatically when it is back.
	b.trouble(address, "unavailable", "yes")
	publish("Leo")
	b.until("document.querySelectorAll('#on-YOUTUBE .runs li').length >= 1")
	b.shoot("publish-6-waiting")
	b.trouble(address, "unavailable", "no")
	b.says("Published")

	// A token that is not taken: failed at once, and published once it is replaced.
	b.trouble(address, "badtoken", "yes")
	publish("Anna")
	b.says("Reconnect")
	b.until("document.querySelectorAll('#on-YOUTUBE .runs li').length === 1")
	b.shoot("publish-7-ended")
	b.trouble(address, "badtoken", "no")
	click("#on-YOUTUBE form[action$='/retry'] button")
	b.says("Published")

	// Access is taken back: everything says so, and goes on automatically when the channel is connected again.
	b.visit(home + "/assets/" + videos["Anna"] + "/unpublish?platform=YOUTUBE")
	b.until("document.querySelector('[name=title]') !== null")
	b.js(
		"(f => { f.elements.title.value = 'A greeting Anna'; f.requestSubmit() " +
			"})(document.querySelector('form[action$=\"/unpublish\"]'))",
	)
	b.until(
		"location.pathname.startsWith('/assets/') && !location.pathname.endsWith('/unpublish') && " +
			"document.querySelector('#on-YOUTUBE') === null",
	)
	b.trouble(address, "revoked", "yes")
	publish("Anna")
	b.says("Reconnect")
	b.visit(home + "/")
	b.until("document.body.innerText.includes('access')")
	b.shoot("publish-8-banner")
	b.visit(home + "/channels")
	click("form[action='/channels/connect'] [name=channel] + button")
	b.until("location.pathname.endsWith('/o/oauth2/v2/auth')")
	click("button[value=allow]")
	b.until("location.pathname === '/channels'")
	b.visit(home + "/assets/" + videos["Anna"])
	b.says("Published")
	b.visit(home + "/")
	b.until("document.querySelectorAll('#library .card').length === 3")
	b.shoot("publish-9-library")
	b.visit(address + "/platforms/")
	b.until("document.body.innerText.includes('A greeting Anna')")
	b.shoot("publish-10-platforms")
}
