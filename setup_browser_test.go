// The first start in a real browser: from an empty folder to a parent's video.

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"retake.example/internal/config"
	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/testrig"
	"retake.example/internal/testserver"
)

// firstStart is the program in a folder that was empty, and Telegram.
type firstStart struct {
	*testing.T
	dir        string
	tg         *faketelegram.Server
	log        *journal
	page, link string
}

func newFirstStart(t *testing.T, environ ...string) firstStart {
	t.Helper()
	notShort(t)
	f := firstStart{T: t, dir: t.TempDir(), tg: faketelegram.New(testToken), log: &journal{}}
	server := httptest.NewServer(f.tg)
	address := testserver.FreeAddress(t)
	f.page = "http://" + address
	cmd := exec.Command(testrig.Program(t), "serve")
	cmd.Dir = f.dir
	cmd.Env = append(append(os.Environ(), "RETAKE_TELEGRAM_API_URL="+server.URL,
		"RETAKE_WEB_LISTEN="+address, "RETAKE_WEB_BASE_URL="+f.page), environ...)
	cmd.Stdout, cmd.Stderr = f.log, f.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		f.tg.Close()
		server.Close()
	})
	link := regexp.MustCompile(`set up your bot \(works once, for 15 minutes\):\n\s+(\S+/login/\S+)`)
	w := &world{T: t, tg: f.tg, log: f.log}
	w.until("the link", func() bool { return link.MatchString(f.log.String()) })
	f.link = link.FindStringSubmatch(f.log.String())[1]
	return f
}

// step waits until a step is the open one.
func (b browser) step(name string) {
	b.Helper()
	b.Until(fmt.Sprintf("document.querySelector('.wizard [aria-current=step]')?.dataset.key === %q", name))
}

// steps looks at a step of the set-up in both languages.
func (c *critic) steps(name string) {
	c.Helper()
	for _, language := range []string{"ru", "en"} {
		if c.JS("document.documentElement.lang") != language {
			c.Press(fmt.Sprintf("form[action='/language'] button[value=%s]", language))
			c.Until(fmt.Sprintf("document.documentElement.lang === %q && document.readyState === 'complete'", language))
		}
		c.sees(name + "-" + language)
	}
}

// seesBoth looks at a page in both languages.
func (c *critic) seesBoth(name, address string) {
	c.Helper()
	for _, language := range []string{"ru", "en"} {
		c.Await("fetch('/language', { method: 'POST', body: new URLSearchParams({ lang: '" + language + "' }) })")
		c.Visit(address)
		c.Until(fmt.Sprintf("document.documentElement.lang === %q && document.readyState === 'complete'", language))
		c.sees(name + "-" + language)
	}
}

// sees looks at the page that is open, in two widths, by day and by night, and has axe-core look.
func (c *critic) sees(name string) {
	c.Helper()
	c.LearnAxe()
	for _, width := range []int64{320, 390, 1280} {
		c.Do(chromedp.EmulateViewport(width, 900))
		if got := c.JS("document.documentElement.scrollWidth - document.body.offsetWidth"); got != "0" {
			c.Errorf("%s, %d px: got a page that is %s px wider", name, width, got)
		}
		for _, scheme := range []string{"light", "dark"} {
			if c.Prefers(scheme); width == 320 {
				continue
			}
			c.Keep(fmt.Sprintf("%s-%d-%s", name, width, scheme), chromedp.FullScreenshot(100))
			if width == 390 && scheme == "light" { // its colours are those of the other width, its order that of the other scheme
				continue
			}
			for _, v := range c.Violations() {
				c.Errorf("%s, %d px, %s: %s", name, width, scheme, v)
			}
		}
	}
	for _, fault := range c.Complaints() {
		if strings.HasPrefix(fault, "console") || strings.HasPrefix(fault, "exception") {
			c.Errorf("%s: %s", name, fault)
		}
	}
}

// TestFirstStart_FromAnEmptyFolderToAParentsVideo is the whole story of somebody who knows Telegram and a browser: from
// an empty folder to a parent's video, and then to one of their own film.
func TestFirstStart_FromAnEmptyFolderToAParentsVideo(t *testing.T) {
	c := newCritic(t)
	began := time.Now()
	f := newFirstStart(t)
	w := &world{T: t, tg: f.tg, log: f.log}
	c.Visit(f.link)
	c.Press("main form button")
	c.Until("location.pathname === '/setup' && document.readyState === 'complete'")
	c.step("token")
	c.steps("setup-1-token")

	c.Do(chromedp.SendKeys("#token", "123456789:AAthisIsNotTheTokenOfAnyBotAtAll123\r"))
	c.Until("document.getElementById('live').dataset.state === 'on'") // which takes nothing away
	c.Until("document.querySelector('[role=alert]')?.innerText.includes('Telegram does not know this token')")
	c.sees("setup-1-wrong")
	c.Do(chromedp.SendKeys("#token", testToken+"\r"))
	c.step("owner")
	c.Until("document.querySelector('svg.qr') !== null")
	if got := c.JS("document.documentElement.outerHTML"); strings.Contains(got, testToken[10:]) {
		t.Error("the token is on the page")
	}
	c.Until("document.getElementById('live').dataset.state === 'on'")
	c.steps("setup-2-owner")

	// Somebody else guesses; the operator opens the link; the page goes on automatically.
	command := c.JS("document.getElementById('copy-code').textContent")
	stranger, owner := f.tg.Person(66, "Mallory", "en"), f.tg.Person(5, "Мария", "ru")
	stranger.Send("/start owner-AAAAAAAAAAAAAAAA")
	w.hears(stranger, "This code does not work")
	c.step("owner")
	owner.Send(command)
	w.hears(owner, "Теперь вы владелец этого бота")
	c.step("choose")
	stranger.Send(command)
	w.until("the second refusal", func() bool { return strings.Count(fmt.Sprint(answers(stranger)), "This code does not work") == 2 })
	c.Until("document.querySelectorAll('.pick img').length === 6 && " +
		"[...document.querySelectorAll('.pick img')].every(i => i.complete && i.naturalWidth > 0)")
	c.steps("setup-3-choose")

	c.JS("document.querySelector('.pick input[value=birthday]').click()")
	c.JS("document.querySelector('#language').value = 'en'")
	c.Press("button[value=choose]")
	c.step("test")
	c.steps("setup-4-test")
	c.JS("document.querySelector('#name').value = 'Оля'")
	c.Press("button[value=test]")
	c.Until("document.querySelector('.card') !== null")
	c.steps("setup-4-sent")
	w.until("the test video", func() bool { return videos(owner) == 1 })
	c.Until("document.querySelector('.card .pill.ok, " + // read again since
		".wizard [data-key=done][aria-current=step]') !== null")
	c.Visit(f.page + "/setup")
	c.step("done")
	c.steps("setup-5-done")
	c.Press("button[value=finish]")
	c.Until("location.pathname === '/' && document.readyState === 'complete'")
	c.Until("document.getElementById('notice')?.innerText.includes('is set up')")
	c.Visit(f.page + "/setup")
	c.Until("location.pathname === '/'")
	c.Visit(f.page + "/bot")
	c.Do(chromedp.SendKeys("#short", "Videos with a name"))
	c.Press("form[action='/bot'] button")
	c.Until("(document.getElementById('notice')?.innerText ?? '') !== ''")
	if got := f.tg.Profile("").ShortDescription; got != "Videos with a name" {
		t.Errorf("got %q as the short description", got)
	}
	c.sees("bot-en")

	// A parent.
	parent := f.tg.Person(7, "Ольга", "ru")
	w.asks(parent, "Маша")
	w.until("the parent's video", func() bool { return videos(parent) == 1 })
	t.Logf("from an empty folder to a parent's video: %v", time.Since(began).Round(time.Second))

	// A film of their own becomes a template, is offered, and a parent chooses it.
	filmed := time.Now()
	c.Visit(f.page + "/templates")
	c.Do(chromedp.Click(`a[href="/studio"]`))
	c.Until("location.pathname === '/studio' && document.readyState === 'complete'")
	c.Do(chromedp.SetUploadFiles("#file", []string{summer(t)}), chromedp.Click(".actions .primary"))
	c.Until("location.pathname === '/studio/leto-na-dache' && document.readyState === 'complete'")
	const still = "document.querySelector('.stage img')"
	c.Until(still + ".complete && " + still + ".naturalWidth === 360")
	c.seesBoth("story-6-studio", f.page+"/studio/leto-na-dache")
	c.Do(chromedp.Click("[value=save]"))
	c.Until("document.readyState === 'complete' && document.querySelector('#studio [name=version]')?.value === '2'")
	c.Do(chromedp.Click("[value=offer]"))
	c.Until("location.pathname === '/templates' && document.readyState === 'complete'")
	c.seesBoth("story-7-offered", f.page+"/templates")
	question := w.names(parent, "Саша")
	at := slices.IndexFunc(slices.Concat(question.Buttons...), func(b faketelegram.Button) bool {
		return strings.Contains(b.Text, "Лето на даче")
	})
	if at < 0 {
		t.Fatalf("got the choices %+v; want the film among them", question.Buttons)
	}
	press(parent, question, at)
	w.until("the video of the film", func() bool { return videos(parent) == 2 })
	if m := answers(parent)[len(answers(parent))-1]; m.Video == nil || m.Video.Width != 360 || m.Video.Height != 640 {
		t.Errorf("got %+v; want a video of the film's size", m)
	}
	c.Visit(f.page + "/")
	c.Until("document.querySelectorAll('.grid .card').length === 3")
	c.seesBoth("story-8-library", f.page+"/")
	t.Logf("from a film to a parent's video of it: %v", time.Since(filmed).Round(time.Second))
	if got := f.tg.Mistakes(); len(got) > 0 {
		t.Errorf("got %q; want that the Bot API knows all of it", got)
	}

	// What nobody may read.
	c.Visit(f.page + "/backups")
	c.Press("button[value=make]")
	c.Until("(document.getElementById('notice')?.innerText ?? '') !== ''")
	secret := []byte(testToken[10:])
	if strings.Contains(f.log.String(), string(secret)) {
		t.Error("the token is in the log")
	}
	if err := filepath.WalkDir(f.dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil && bytes.Contains(content, secret) {
			t.Errorf("the token is in %s", path)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

func TestFirstStart_WithoutJavaScript(t *testing.T) {
	b := newBrowser(t)
	command, err := engine(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f := newFirstStart(t, "RETAKE_RENDER_ENGINE=command", fmt.Sprintf("RETAKE_RENDER_COMMAND=%s", config.TOML(command)))
	w := &world{T: t, tg: f.tg, log: f.log}
	b.NoScripts()
	b.Visit(f.link)
	b.Press("main form button")
	b.step("token")
	b.Do(chromedp.SendKeys("#token", testToken+"\r"))
	b.step("owner")
	code := b.JS("document.getElementById('copy-code').textContent")
	owner := f.tg.Person(5, "Мария", "ru")
	owner.Send(code)
	w.hears(owner, "Теперь вы владелец")
	b.Press("a.btn[href='/setup']")
	b.step("choose")
	b.Press("button[value=choose]")
	b.step("test")
	b.Press("button[value=test]")
	b.Until("document.querySelector('.card') !== null")
	w.until("the test video", func() bool { return videos(owner) == 1 })
	b.Press("a[href='/setup?step=done']")
	b.step("done")
	b.Press("button[value=finish]")
	b.Until("location.pathname === '/'")

	// The operator comes back: a start prints no link any more, and /setup leads to the library.
	resp, err := http.Get(f.page + "/setup")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.Request.URL.Path != "/login" {
		t.Errorf("a stranger got %s; want the door", resp.Request.URL)
	}
}
