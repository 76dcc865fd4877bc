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
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"retake.example/internal/testrig/chromium"
)

// browser is one tab of a real Chromium.
type browser struct{ chromium.Browser }

func newBrowser(t *testing.T, more ...chromedp.ExecAllocatorOption) browser {
	t.Helper()
	return browser{chromium.New(t, more...)}
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
	p.Do(chromedp.SendKeys(fmt.Sprintf("#phone-%d form input", p.n), text+"\r"))
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
	p.Until(p.last(text) + " !== undefined")
	p.JS(p.last(text) + ".click()")
}

// hears waits until the chat holds a text so many times.
func (p phone) hears(text string, times int) {
	p.Helper()
	quoted, _ := json.Marshal(text)
	p.Until(
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
	p.Until(fmt.Sprintf("document.querySelectorAll('#phone-%d video').length === %d", p.n, n))
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
	b.Visit(address)
	b.Until("document.querySelectorAll('.phone').length === 3")
	b.Shoot("1-start")
	maria, olga, emma := phone{b, 0}, phone{b, 1}, phone{b, 2}

	maria.write("/start")
	maria.hears("Пришлите имя ребёнка", 1)
	maria.write("Маша")
	maria.hears("Имя: «Маша». Какое поздравление сделать?", 1)
	b.Shoot("2-question")
	maria.press("С Новым годом")
	maria.hears("Запрос создан! Скоро отправим видео.", 1)
	b.Shoot("3-progress")
	maria.hasVideos(1)
	maria.hears("Готово!", 1)
	b.Shoot("4-video")
	video := maria.find("video")
	b.JS(video + ".play().then(() => {}, e => { window.refused = e })")
	b.Until(video + ".currentTime > 1")
	if got := b.JS(video + ".videoWidth + 'x' + " + video + ".videoHeight"); got != "720x1280" {
		t.Errorf("got a video of %s; want 720x1280", got)
	}
	b.JS(video + ".currentTime = 8")
	b.Until(video + ".currentTime > 8.2 && !" + video + ".error")
	b.JS(video + ".pause()")

	// What is kept of her is a file.
	maria.write("/my_data")
	maria.hears("В этом файле всё, что я о вас храню.", 1)
	maria.Until(maria.find(`.text a[download="my-data.json"]`) + " !== null")

	// The renderer breaks; three people ask.
	b.JS("document.getElementById('broken').click()")
	b.Until("document.getElementById('renderer').textContent !== 'It works'")
	maria.write("Лев")
	maria.press("С днём рождения")
	olga.write("Лев")
	olga.press("С днём рождения")
	emma.write("Leo")
	emma.press("Happy Birthday")
	maria.hears("Упс! Что-то пошло не так при создании видео для Лев. 😔", 1)
	olga.hears("Упс! Что-то пошло не так при создании видео для Лев. 😔", 1)
	emma.hears("Oops! Something went wrong while making the video for Leo. 😔", 1)
	b.Shoot("5-apologies")

	// The admin sees why.
	b.Visit(address + "/admin")
	b.Until("location.pathname === '/' && document.body.innerText.includes('Retry Failed')")
	if page := b.JS("document.body.innerText"); !strings.Contains(page, "Лев") || !strings.Contains(page, "Leo") {
		t.Errorf("got %s; want both failed videos", page)
	}
	b.Shoot("6-admin")
	b.Command("Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": lateState})
	b.Visit(address)
	b.Until("window.late && document.querySelectorAll('.phone').length === 3")

	// The engine is repaired, which the page knows better than an answer that was on its way; each presses the button.
	b.JS("document.getElementById('broken').click()")
	b.Until("document.getElementById('renderer').textContent === 'It works'")
	b.JS("late()")
	b.Until("window.asked > 1")
	if now := b.JS("document.getElementById('renderer').textContent"); now != "It works" {
		t.Errorf("got %q; want the switch as it is, not as it was", now)
	}
	maria.press("🔄 Попробовать еще раз")
	olga.press("🔄 Попробовать еще раз")
	emma.press("🔄 Try again")
	maria.hasVideos(2)
	olga.hasVideos(1)
	emma.hasVideos(1)
	emma.hears("Here you are!", 1)
	b.Shoot("7-repaired")
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
	b.Until(fmt.Sprintf("(document.querySelector('#on-YOUTUBE')?.innerText ?? '').includes(%s)", quoted))
}

func TestTheDemoPublishes(t *testing.T) {
	notShort(t)
	address := openDemo(t)
	b := newBrowser(t)
	click := func(selector string) {
		t.Helper()
		quoted, _ := json.Marshal(selector)
		b.Until(fmt.Sprintf("document.querySelector(%s) !== null", quoted))
		b.JS(fmt.Sprintf("document.querySelector(%s).click()", quoted))
	}
	b.Visit(address + "/admin")
	b.Until("location.pathname === '/' && document.querySelector('form.make, #library') !== null")
	home := b.JS("location.origin")
	names := []string{"Emma", "Leo", "Anna"}
	for i, name := range names {
		b.JS(
			fmt.Sprintf(
				"void fetch('/assets', { method: 'POST', headers: { 'Content-Type': 'application/json', Accept: "+
					"'application/json' }, body: JSON.stringify({ name: %q }) })",
				name,
			),
		)
		b.Until(fmt.Sprintf("document.querySelectorAll('#library .card').length === %d", i+1))
	}
	b.Until("[...document.querySelectorAll('#library .card')].filter(c => c.innerText.includes('Publish')).length === 3")
	b.Shoot("publish-1-ready")
	videos := map[string]string{}
	for _, name := range names {
		videos[name] = b.JS(
			fmt.Sprintf(
				"[...document.querySelectorAll('#library .card')].find(c => c.innerText.includes(%q)).id.replace('asset-', '')",
				name,
			),
		)
	}

	// Connect.
	b.Visit(home + "/channels")
	click("form[action='/channels/connect'] button")
	b.Until("location.pathname.endsWith('/o/oauth2/v2/auth')")
	b.Shoot("publish-2-consent")
	click("button[value=allow]")
	b.Until("location.pathname === '/channels' && document.body.innerText.includes('Connected')")
	b.Shoot("publish-3-channels")

	// Publish; without a choice the form says what the law wants.
	publish := func(name string) {
		t.Helper()
		b.Visit(home + "/assets/" + videos[name] + "/publish")
		b.Until("document.querySelector('form[action$=\"/publish\"]') !== null")
		b.JS(
			fmt.Sprintf(
				"(f => { f.elements.title.value = %q; f.elements.youtube.checked = true; f.elements.made_for_kids.value = 'yes'; "+
					"f.requestSubmit(f.querySelector('button.primary')) })"+
					"(document.querySelector('form[action$=\"/publish\"]'))",
				"A greeting "+name,
			),
		)
		b.Until(fmt.Sprintf("location.pathname === '/assets/%s'", videos[name]))
	}
	b.Visit(home + "/assets/" + videos["Emma"] + "/publish")
	b.Until("document.querySelector('form[action$=\"/publish\"]') !== null")
	b.JS(
		"(f => { f.elements.title.value = 'A greeting'; f.elements.youtube.checked = true; " +
			"f.requestSubmit(f.querySelector('button.primary')) })(document.querySelector('form[action$=\"/publish\"]'))",
	)
	b.Until("document.querySelector('#made_for_kids-fault') !== null")
	b.Shoot("publish-4-refused")
	publish("Emma")
	b.says("Published")
	b.Until("document.querySelector('#on-YOUTUBE a[href*=\"/google/watch?v=\"]') !== null")
	b.Shoot("publish-5-published")

	// YouTube is down: the upload waits, spends no attempt, and goes on automatically when it is back.
	b.trouble(address, "unavailable", "yes")
	publish("Leo")
	b.Until("document.querySelectorAll('#on-YOUTUBE .runs li').length >= 1")
	b.Shoot("publish-6-waiting")
	b.trouble(address, "unavailable", "no")
	b.says("Published")

	// A token that is not taken: failed at once, and published once it is replaced.
	b.trouble(address, "badtoken", "yes")
	publish("Anna")
	b.says("Reconnect")
	b.Until("document.querySelectorAll('#on-YOUTUBE .runs li').length === 1")
	b.Shoot("publish-7-ended")
	b.trouble(address, "badtoken", "no")
	click("#on-YOUTUBE form[action$='/retry'] button")
	b.says("Published")

	// Access is taken back: everything says so, and goes on automatically when the channel is connected again.
	b.Visit(home + "/assets/" + videos["Anna"] + "/unpublish?platform=YOUTUBE")
	b.Until("document.querySelector('[name=title]') !== null")
	b.JS(
		"(f => { f.elements.title.value = 'A greeting Anna'; f.requestSubmit() " +
			"})(document.querySelector('form[action$=\"/unpublish\"]'))",
	)
	b.Until(
		"location.pathname.startsWith('/assets/') && !location.pathname.endsWith('/unpublish') && " +
			"document.querySelector('#on-YOUTUBE') === null",
	)
	b.trouble(address, "revoked", "yes")
	publish("Anna")
	b.says("Reconnect")
	b.Visit(home + "/")
	b.Until("document.body.innerText.includes('access')")
	b.Shoot("publish-8-banner")
	b.Visit(home + "/channels")
	click("form[action='/channels/connect'] [name=channel] + button")
	b.Until("location.pathname.endsWith('/o/oauth2/v2/auth')")
	click("button[value=allow]")
	b.Until("location.pathname === '/channels'")
	b.Visit(home + "/assets/" + videos["Anna"])
	b.says("Published")
	b.Visit(home + "/")
	b.Until("document.querySelectorAll('#library .card').length === 3")
	b.Shoot("publish-9-library")
	b.Visit(address + "/platforms/")
	b.Until("document.body.innerText.includes('A greeting Anna')")
	b.Shoot("publish-10-platforms")

	// What others do there is told without anybody saving.
	b.Visit(home + "/assets/" + videos["Anna"])
	b.says("Published")
	b.trouble(address, "studio", "yes")
	b.says("Changed on YouTube: Description, Tags")
	b.Shoot("publish-11-edited")
	b.trouble(address, "takedown", "yes")
	b.says("YouTube has taken the video down.")
	b.Shoot("publish-12-taken-down")
}
