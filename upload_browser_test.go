// Tests of uploading in a real browser.

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// barrier lets the first bytes of a body through, and the others a few at a time until it is lifted.
type barrier struct {
	io.ReadCloser
	before int
	pace   *time.Ticker
	lifted <-chan struct{}
}

func (b *barrier) Read(p []byte) (int, error) {
	if b.before <= 0 {
		select {
		case <-b.lifted:
		case <-b.pace.C:
		}
	}
	n, err := b.ReadCloser.Read(p)
	b.before -= n
	return n, err
}

func TestUploadingInABrowser(t *testing.T) {
	const large = 64 << 20
	u := newCounter(t, large, time.Minute, roomy)
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	film := file("Лето на даче.mp4", grown(footage(t, "film.mp4"), 40<<20)) // more than the buffers on its way hold
	page := file("page.mp4", append([]byte("<!doctype html>"), make([]byte, 8<<20)...))
	huge := file("huge.mp4", nil)
	if err := os.Truncate(huge, large+1<<20); err != nil {
		t.Fatal(err)
	}
	lifted, pace := make(chan struct{}), time.NewTicker(10*time.Millisecond)
	defer pace.Stop()
	lift := sync.OnceFunc(func() { close(lifted) })
	defer lift()
	u.road = func(body io.ReadCloser) io.ReadCloser { return &barrier{body, 12 << 20, pace, lifted} }

	b := newBrowser(t)
	var mu sync.Mutex
	var faults []string
	if err := chromedp.Listen(b.Ctx, func(ev any) {
		kind := fmt.Sprintf("%T", ev)
		said, _ := json.Marshal(ev) // an event always works
		if strings.HasSuffix(kind, "ExceptionThrown") || strings.HasSuffix(kind, "EntryAdded") &&
			!strings.Contains(string(said), "status of 4") {
			mu.Lock()
			defer mu.Unlock()
			faults = append(faults, string(said))
		}
	}); err != nil {
		t.Fatal(err)
	}
	b.Command("Log.enable", map[string]any{})
	b.Visit(u.server.URL + u.link(7))
	b.Do(chromedp.Click("form .btn"))
	b.Until("document.readyState === 'complete' && location.pathname === '/'")
	b.Do(chromedp.Click(`a[href="/upload"]`))
	b.Until(
		"document.readyState === 'complete' && location.pathname === '/upload' && document.querySelector('#upload') !== null",
	)
	looks := func(name string) {
		t.Helper()
		if os.Getenv("SHOTS_DIR") == "" {
			return
		}
		for _, width := range []int64{1280, 390} {
			for _, scheme := range []string{"light", "dark"} {
				b.Do(chromedp.EmulateViewport(width, 900))
				b.Command(
					"Emulation.setEmulatedMedia",
					map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}},
				)
				b.Shoot(fmt.Sprintf("upload-%s-%d-%s", name, width, scheme))
			}
		}
		b.Do(chromedp.EmulateViewport(1280, 900))
	}
	const problem, asks = "document.querySelector('#upload [role=alert]')", "(() => { const e = new " +
		"Event('beforeunload', { cancelable: true }); dispatchEvent(e); return e.defaultPrevented; })()"
	looks("empty")

	// Too large: told at once, and nothing is sent.
	b.Do(chromedp.SetUploadFiles("#file", []string{huge}))
	b.Until(problem + ".innerText.includes('too large')")
	b.Do(chromedp.Click(".actions .primary"))
	b.Until(problem + ".innerText.includes('too large')")
	looks("large")

	// No video: told beside the form, and what was typed stays.
	b.Do(chromedp.SetUploadFiles("#file", []string{page}))
	b.Until(problem + ".hidden && document.querySelector('#title').value === 'page'")
	b.Do(chromedp.SendKeys("#title", " one"), chromedp.Click(".actions .primary"))
	b.Until(problem + ".innerText.includes('type of file is not accepted')")
	if got := b.JS("document.querySelector('#title').value + document.querySelector('#file').files[0].name + " +
		"document.querySelector('fieldset').disabled"); got != "page onepage.mp4false" {
		t.Errorf("got %s; want what was typed", got)
	}
	looks("refused")
	<-u.left
	if len(u.left) > 0 {
		t.Error("the file that is too large was sent")
	}

	// Progress, and a change of mind.
	b.JS("document.querySelector('#title').value = 'Лето на даче'")
	b.Do(chromedp.SetUploadFiles("#file", []string{film}))
	if got := b.JS(asks); got != "false" {
		t.Error("the page asks before it is left, although nothing is under way")
	}
	b.JS(
		"new MutationObserver(() => sessionStorage.heard = (sessionStorage.heard ?? '') + document.querySelector('#upload " +
			"[role=status]').textContent + ';').observe(document.querySelector('#upload [role=status]'), { childList: true })",
	)
	b.Do(chromedp.Click(".actions .primary"))
	halfway := "document.querySelector('progress').value >= 25 && document.querySelector('progress').value < 100 && " +
		"document.querySelector('.left').textContent !== ''"
	b.Until(halfway)
	if got := b.JS("document.querySelector('.prog').innerText"); !strings.Contains(got, " of 40 MB") ||
		!strings.Contains(got, " %") ||
		!strings.Contains(got, "left") {
		t.Errorf("got %s; want bytes, percent and time", got)
	}
	if got := b.JS(asks); got != "true" {
		t.Error("the page does not ask before it is left, although an upload is under way")
	}
	looks("under-way")
	b.Do(chromedp.Click(".actions button:last-child"))
	b.Until(problem + ".innerText === 'Cancelled. Nothing was kept.'")
	looks("cancelled")
	lift()
	<-u.left
	u.wantNothing(0)

	// Once more, to the end.
	b.Do(chromedp.Click(".actions .primary"))
	b.Until(
		"document.readyState === 'complete' && location.pathname.startsWith('/assets/') && " +
			"document.body.innerText.includes('The video is here.')",
	)
	if got := b.JS("document.querySelector('h1').textContent + ' ' + sessionStorage.heard"); !strings.HasPrefix(
		got,
		"Лето на даче ",
	) ||
		!strings.Contains(got, "100 %;") {
		t.Errorf("got %s; want the title, and what was announced", got)
	}
	looks("done")
	b.Do(chromedp.Click(".play"))
	b.Until("document.querySelector('video').currentTime > 0.5 && document.querySelector('video').videoWidth === 320")
	if got := b.JS("location.search"); got != "" {
		t.Errorf("got %s in the address; want the notice said once", got)
	}
	<-u.left
	u.wantNothing(1)

	// A file is dropped.
	b.Visit(u.server.URL + "/upload")
	b.JS("(window.dropped = new DataTransfer()).items.add(new File(['x'], 'Зима.mov'))")
	drag := func(kind string) {
		b.JS(
			"document.querySelector('.drop').dispatchEvent(new DragEvent('" + kind +
				"', { bubbles: true, cancelable: true, dataTransfer: dropped }))",
		)
	}
	drag("dragover")
	b.Until("document.querySelector('.drop').matches('.over')")
	looks("dragged")
	drag("drop")
	b.Until(
		"!document.querySelector('.drop').matches('.over') && document.querySelector('#file').files[0].name === 'Зима.mov' " +
			"&& document.querySelector('#title').value === 'Зима'",
	)

	// The kinds that are not MP4 play as well, as far as this browser can.
	for _, name := range []string{"phone.mov", "screen.webm"} {
		id := u.upload(name, name, string(footage(t, name)))
		<-u.left
		b.Visit(u.server.URL + "/assets/" + id)
		b.Do(chromedp.Click(".play"))
		b.Until("document.querySelector('video').currentTime > 0.5")
	}

	b.Visit(u.server.URL + "/")
	b.Until("document.readyState === 'complete' && document.querySelectorAll('.grid .card').length === 3")
	looks("library")
	b.JS("document.cookie = 'lang=ru'")
	b.Until("document.cookie.includes('lang=ru')") // it is written beside the page
	b.Visit(u.server.URL + "/upload")
	b.Until("document.querySelector('h1')?.textContent === 'Загрузить видео'")
	looks("russian")
	b.JS("document.cookie = 'lang=en'")
	b.Until("document.cookie.includes('lang=en')")

	// Several, each with its own progress and its own result.
	b.Visit(u.server.URL + "/upload")
	b.Do(chromedp.SetUploadFiles("#file", []string{film, page, huge}))
	b.Until("document.querySelector('#title').disabled")
	b.JS("new MutationObserver(() => { const bar = document.querySelector('.files progress'); if (bar?.value > 0) " +
		"sessionStorage.bar = bar.getAttribute('aria-label'); }).observe(document.querySelector('.files'), " +
		"{ childList: true, subtree: true })")
	b.Do(chromedp.Click(".actions .primary"))
	b.Until("document.querySelectorAll('.files progress').length === 3")
	looks("several")
	b.Until("document.querySelector('#upload [role=status]').textContent === '1 of 3 are in the library.'")
	got := strings.Split(b.JS("[...document.querySelectorAll('.files li')].map(li => li.innerText).join('|')"), "|")
	for i, want := range []string{"It is in the library.", "type of file is not accepted", "too large"} {
		if len(got) != 3 || !strings.Contains(got[i], want) {
			t.Errorf("got %q of the files; want %q", got, want)
		}
	}
	looks("several-done")
	<-u.left
	<-u.left
	b.Do(chromedp.Click(".files a"))
	b.Until("document.readyState === 'complete' && document.querySelector('h1').textContent === 'Лето на даче'")

	// Without JavaScript.
	b.NoScripts()
	b.Visit(u.server.URL + "/upload")
	b.Do(chromedp.SetUploadFiles("#file", []string{film, page}), chromedp.Click(".actions .primary"))
	b.Until("document.readyState === 'complete' && document.querySelectorAll('.files li').length === 2")
	if got := b.JS("document.querySelector('.files').innerText"); !strings.Contains(got, "It is in the library.") ||
		!strings.Contains(got, "type of file is not accepted") {
		t.Errorf("got %q; want a result for each", got)
	}
	looks("several-plain")
	<-u.left
	for _, c := range []struct{ file, says string }{{page, "type of file is not accepted"}, {huge, "too large"},
		{film, "The video is here."}} {
		b.Visit(u.server.URL + "/upload")
		b.Do(chromedp.SetUploadFiles("#file", []string{c.file}), chromedp.Click(".actions .primary"))
		b.Until("document.readyState === 'complete' && document.body.innerText.includes('" + c.says + "')")
		<-u.left
	}
	looks("plain")
	u.wantNothing(6)
	mu.Lock()
	defer mu.Unlock()
	if len(faults) > 0 {
		t.Errorf("the browser complains: %s", faults)
	}
}
