// Two admins with two browsers: what one of them does while the other has an old page open.

package test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"retake.example/internal/testrig"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// browser is one of them: a session of Chromium with cookies of its own. It runs no scripts, so a page stays as it was
// until its admin presses something.
type browser struct {
	*testing.T
	ctx  context.Context
	page string // address of the program's page
}

// newBrowser starts Chromium.
func newBrowser(t *testing.T, page string) browser {
	t.Helper()
	options := append([]chromedp.ExecAllocatorOption{chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("accept-lang", "en-US")},
		chromedp.DefaultExecAllocatorOptions[:]...)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	return browser{t, ctx, page}.session()
}

// session is another session of the same Chromium, or its first.
func (b browser) session() browser {
	b.Helper()
	var options []chromedp.ContextOption
	if chromedp.FromContext(b.ctx) != nil && chromedp.FromContext(b.ctx).Browser != nil {
		options = append(options, chromedp.WithNewBrowserContext())
	}
	ctx, cancel := chromedp.NewContext(b.ctx, options...)
	b.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // the session lives as long as this context
		b.Fatal(err)
	}
	other := browser{b.T, ctx, b.page}
	other.do(chromedp.EmulateViewport(1280, 2000))
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled,
		emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		b.Fatal(err)
	}
	return other
}

func (b browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stall)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.Fatal(err)
	}
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

// says is the text of the page; "" on one that is just being left.
func (b browser) says() string {
	b.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("String(document.body?.innerText ?? '')"))
	if err != nil && !strings.Contains(err.Error(), "navigated") {
		b.Fatal(err)
	}
	return text
}

func (b browser) until(expression string) {
	b.Helper()
	if err := testrig.Until(b, func() bool { return b.is(expression) }, b.says); err != nil {
		b.Fatalf("never true: %s: %v; the page says:\n%s", expression, err, b.says())
	}
}

// opens goes to a page.
func (b browser) opens(path string) {
	b.Helper()
	b.is("document.body.dataset.left = 'yes'") // a mark, which the page that is left takes along
	b.do(chromedp.Navigate(b.page + path))
	b.until("!document.body.dataset.left && document.readyState === 'complete'")
}

// presses clicks on an element and waits for the page that it leads to.
func (b browser) presses(selector string) {
	b.Helper()
	b.is("document.body.dataset.left = 'yes'")
	b.do(chromedp.Click(selector, chromedp.NodeVisible))
	b.until("!document.body.dataset.left && document.readyState === 'complete'")
}

// reads fails unless the page says something.
func (b browser) reads(what, want string) {
	b.Helper()
	if got := b.says(); !strings.Contains(got, want) {
		b.Errorf("%s: got\n%s\nwant %q in it", what, got, want)
	}
}

// chooses sets fields of a form, as somebody who types does.
func (b browser) chooses(fields ...string) {
	b.Helper()
	for _, set := range fields {
		if !b.is("((" + set + "), true)") {
			b.Fatalf("%s: it is not on the page:\n%s", set, b.says())
		}
	}
}

// signsIn opens a link of `retake admin link` and presses its button.
func (b browser) signsIn(v *victim, admin int64) {
	b.Helper()
	out, code := retake(b.T, nil, "admin", "link", "-config", filepath.Join(v.dir, "config.toml"), fmt.Sprint(admin))
	link := regexp.MustCompile(`/login/\S+`).FindString(out)
	if code != 0 || link == "" {
		b.Fatalf("got exit %d, %q; want a link", code, out)
	}
	b.opens(link)
	b.presses("main form button")
	b.until("document.querySelector('#library') !== null")
}

func TestTwoAdmins_AnOldPageDoesNothingTwiceAndSaysWhatHappened(t *testing.T) {
	v := newVictim(t)
	page := v.settle()
	v.sets("[telegram]\n", "[telegram]\nowners = [1]\n")
	broken := filepath.Join(v.dir, testrig.BrokenFile)
	if err := os.WriteFile(broken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	v.start()
	s, err := openStore(filepath.Join(v.dir, "retake.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := &world{T: t, tg: v.tg, log: v.log, store: s}
	names := []string{"Анна", "Борис", "Вера", "Глеб"}
	people, failed := map[string]int64{}, map[string]string{}
	for i, name := range names {
		people[name] = int64(10 + i)
		p := v.tg.Person(people[name], name, "ru")
		w.asks(p, name)
		w.hears(p, "Упс!")
		failed[name] = text(t, s, `SELECT id FROM assets WHERE name = ? AND status = 'FAILED'`, name)
	}
	w.calm()
	if err := os.Remove(broken); err != nil {
		t.Fatal(err)
	}
	is := func(what string, want int, query string, args ...any) {
		t.Helper()
		if got := count(t, s, query, args...); got != want {
			t.Errorf("%s: got %d; want %d", what, got, want)
		}
	}
	if out, code := retake(t, nil, "admin", "add", "3", "-owner", "-config", filepath.Join(v.dir, "config.toml")); code != 0 {
		t.Fatal(out)
	}
	one := newBrowser(t, page)
	other := one.session()
	one.signsIn(v, 1)
	other.signsIn(v, 3)
	const retry = `.action [data-key="retry"], [data-key="retry"]`

	t.Run("a retry of what the other has retried", func(t *testing.T) {
		one, other := browser{t, one.ctx, page}, browser{t, other.ctx, page}
		for _, b := range []browser{one, other} {
			b.opens("/assets/" + failed["Анна"])
		}
		one.presses(retry)
		one.reads("the first press", "Trying again.")
		(&world{T: t, tg: v.tg, log: v.log, store: s}).getsVideos(v.tg.Person(people["Анна"], "Анна", "ru"), 1)
		w.calm()
		other.presses(retry)
		other.reads("the press on the old page", "That video is already on its way, or ready.")
		w.calm()
		is("videos of the name", 2, `SELECT count(*) FROM assets WHERE name = 'Анна'`)
		is("requests with the video", 1, `SELECT count(*) FROM requests WHERE status = 'COMPLETED' AND user_id = ?`, people["Анна"])
	})
	t.Run("both at the same moment", func(t *testing.T) {
		both := []browser{{t, one.ctx, page}, {t, other.ctx, page}}
		for _, b := range both {
			b.opens("/assets/" + failed["Борис"])
		}
		var pressing sync.WaitGroup
		for _, b := range both {
			pressing.Go(func() { b.presses(retry) })
		}
		pressing.Wait()
		said := both[0].says() + both[1].says()
		if strings.Count(said, "Trying again.") != 1 || strings.Count(said, "already on its way, or ready") != 1 {
			t.Errorf("got\n%s\nwant one of them to have begun it, and the other told so", said)
		}
		w.calm()
		is("videos of the name", 2, `SELECT count(*) FROM assets WHERE name = 'Борис'`)
		is("requests with the video", 1, `SELECT count(*) FROM requests WHERE status = 'COMPLETED' AND user_id = ?`, people["Борис"])
	})
	t.Run("a retry and a deletion of what the other has deleted", func(t *testing.T) {
		one, other := browser{t, one.ctx, page}, browser{t, other.ctx, page}
		other.opens("/assets/" + failed["Вера"])
		one.opens("/assets/" + failed["Вера"] + "/delete")
		one.presses(`form[action$="/delete"] button`)
		one.reads("the deletion", "The video is deleted.")
		other.presses(retry)
		other.reads("a retry on the old page", "It may have been deleted, or the address is wrong.")
		one.opens("/assets/" + failed["Глеб"] + "/delete")
		other.opens("/assets/" + failed["Глеб"] + "/delete")
		one.presses(`form[action$="/delete"] button`)
		other.presses(`form[action$="/delete"] button`)
		other.reads("a deletion on the old page", "It may have been deleted, or the address is wrong.")
		w.calm()
		is("videos left of the two names", 0, `SELECT count(*) FROM assets WHERE name IN ('Вера', 'Глеб')`)
		is("videos in the bin", 2, `SELECT count(*) FROM bin`)
		is("deletions in the activity", 2, `SELECT count(*) FROM audit WHERE action = 'delete'`)
	})
	t.Run("a restore of what the other has restored", func(t *testing.T) {
		one, other := browser{t, one.ctx, page}, browser{t, other.ctx, page}
		for _, b := range []browser{one, other} {
			b.opens("/bin")
		}
		row := fmt.Sprintf(`form:has([value="%s"]) [value="restore"]`, failed["Вера"])
		one.presses(row)
		one.reads("the first press", "The video is back in the library.")
		other.presses(row)
		other.reads("the press on the old page", "It may have been deleted, or the address is wrong.")
		is("videos of the name", 1, `SELECT count(*) FROM assets WHERE name = 'Вера'`)
	})
	t.Run("a publication that the other has begun, and what the other has saved", func(t *testing.T) {
		one, other := browser{t, one.ctx, page}, browser{t, other.ctx, page}
		fill := func(b browser, name, title string) (id string) {
			t.Helper()
			id = text(t, s, `SELECT id FROM assets WHERE name = ? AND status = 'COMPLETED'`, name)
			b.opens("/assets/" + id + "/publish")
			b.chooses(`document.querySelector('[name=rumble]').checked = true`,
				`document.querySelector('[name=privacy]').value = 'public'`,
				`document.querySelector('[name=made_for_kids][value=no]').checked = true`,
				`document.querySelector('[name=title]').value = '`+title+`'`)
			return id
		}
		const send = `form[action$="/publish"] .actions button`
		made := fill(one, "Анна", "of the first")
		fill(other, "Анна", "of the second")
		one.presses(send)
		one.reads("the first press", "It is in the queue.")
		other.presses(send)
		other.reads("the press on the old form", "Somebody else has")
		if !other.is(`document.querySelector('[name=title]').value === 'of the second'`) {
			t.Errorf("got\n%s\nwant what was typed to stay", other.says())
		}
		if title := text(t, s, `SELECT metadata ->> 'title' FROM assets WHERE id = ?`, made); title != "of the first" {
			t.Errorf("got the title %q saved; want that of the first", title)
		}
		other.presses(send) // the page shows by now that the video is there
		other.reads("the second press", "Choose at least one platform.")
		fill(one, "Борис", "the same")
		fill(other, "Борис", "the same")
		one.presses(send)
		other.presses(send)
		other.reads("the press on an old form with nothing else in it", "This video is on that platform already")
		is("publications", 2, `SELECT count(*) FROM publications`)
		is("publications of the first", 2, `SELECT count(*) FROM publications WHERE creator = 1`)
		is("publishing in the activity", 2, `SELECT count(*) FROM audit WHERE action = 'publish'`)
	})
	t.Run("whom the other has removed", func(t *testing.T) {
		one, other := browser{t, one.ctx, page}, browser{t, other.ctx, page}
		other.opens("/assets/" + failed["Вера"])
		one.opens("/admins")
		one.do(chromedp.Click("summary:has(~ form [value='3'])", chromedp.NodeVisible))
		one.presses(`details[open] [value="remove"]`)
		one.reads("the removal", "That person is not an admin any more")
		other.presses(retry)
		if !other.is("location.pathname === '/login'") {
			t.Errorf("got\n%s\nwant the page where one signs in", other.says())
		}
		is("videos of the name", 1, `SELECT count(*) FROM assets WHERE name = 'Вера'`)
	})
}
