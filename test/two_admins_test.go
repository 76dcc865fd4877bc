// Two admins with two browsers: what one of them does while the other has an old page open.

package test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"retake.example/internal/testrig"
	"retake.example/internal/testrig/chromium"

	"github.com/chromedp/chromedp"
)

// browser is one of them: a session of Chromium with cookies of its own. It runs no scripts, so a page stays as it was
// until its admin presses something.
type browser struct {
	chromium.Browser
	page string // address of the program's page
}

// withoutScripts makes a tab such a session.
func withoutScripts(tab chromium.Browser, page string) browser {
	tab.Do(chromedp.EmulateViewport(1280, 2000))
	tab.NoScripts()
	return browser{tab, page}
}

// opens goes to a page.
func (b browser) opens(path string) {
	b.Helper()
	b.Visit(b.page + path)
}

// reads fails unless the page says something.
func (b browser) reads(what, want string) {
	b.Helper()
	if got := b.Says(); !strings.Contains(got, want) {
		b.Errorf("%s: got\n%s\nwant %q in it", what, got, want)
	}
}

// chooses sets fields of a form, as somebody who types does.
func (b browser) chooses(fields ...string) {
	b.Helper()
	for _, set := range fields {
		if !b.Is("((" + set + "), true)") {
			b.Fatalf("%s: it is not on the page:\n%s", set, b.Says())
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
	b.Follow("main form button")
	b.Until("document.querySelector('#library') !== null")
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
	tab := chromium.New(t)
	one, other := withoutScripts(tab, page), withoutScripts(tab.Another(), page)
	one.signsIn(v, 1)
	other.signsIn(v, 3)
	const retry = `.action [data-key="retry"], [data-key="retry"]`

	t.Run("a retry of what the other has retried", func(t *testing.T) {
		one, other := browser{one.In(t), page}, browser{other.In(t), page}
		for _, b := range []browser{one, other} {
			b.opens("/assets/" + failed["Анна"])
		}
		one.Follow(retry)
		one.reads("the first press", "Trying again.")
		(&world{T: t, tg: v.tg, log: v.log, store: s}).getsVideos(v.tg.Person(people["Анна"], "Анна", "ru"), 1)
		w.calm()
		other.Follow(retry)
		other.reads("the press on the old page", "That video is already on its way, or ready.")
		w.calm()
		is("videos of the name", 2, `SELECT count(*) FROM assets WHERE name = 'Анна'`)
		is("requests with the video", 1, `SELECT count(*) FROM requests WHERE status = 'COMPLETED' AND user_id = ?`, people["Анна"])
	})
	t.Run("both at the same moment", func(t *testing.T) {
		both := []browser{{one.In(t), page}, {other.In(t), page}}
		for _, b := range both {
			b.opens("/assets/" + failed["Борис"])
		}
		var pressing sync.WaitGroup
		for _, b := range both {
			pressing.Go(func() { b.Follow(retry) })
		}
		pressing.Wait()
		said := both[0].Says() + both[1].Says()
		if strings.Count(said, "Trying again.") != 1 || strings.Count(said, "already on its way, or ready") != 1 {
			t.Errorf("got\n%s\nwant one of them to have begun it, and the other told so", said)
		}
		w.calm()
		is("videos of the name", 2, `SELECT count(*) FROM assets WHERE name = 'Борис'`)
		is("requests with the video", 1, `SELECT count(*) FROM requests WHERE status = 'COMPLETED' AND user_id = ?`, people["Борис"])
	})
	t.Run("a retry and a deletion of what the other has deleted", func(t *testing.T) {
		one, other := browser{one.In(t), page}, browser{other.In(t), page}
		other.opens("/assets/" + failed["Вера"])
		one.opens("/assets/" + failed["Вера"] + "/delete")
		one.Follow(`form[action$="/delete"] button`)
		one.reads("the deletion", "The video is deleted.")
		other.Follow(retry)
		other.reads("a retry on the old page", "It may have been deleted, or the address is wrong.")
		one.opens("/assets/" + failed["Глеб"] + "/delete")
		other.opens("/assets/" + failed["Глеб"] + "/delete")
		one.Follow(`form[action$="/delete"] button`)
		other.Follow(`form[action$="/delete"] button`)
		other.reads("a deletion on the old page", "It may have been deleted, or the address is wrong.")
		w.calm()
		is("videos left of the two names", 0, `SELECT count(*) FROM assets WHERE name IN ('Вера', 'Глеб')`)
		is("videos in the bin", 2, `SELECT count(*) FROM bin`)
		is("deletions in the activity", 2, `SELECT count(*) FROM audit WHERE action = 'delete'`)
	})
	t.Run("a restore of what the other has restored", func(t *testing.T) {
		one, other := browser{one.In(t), page}, browser{other.In(t), page}
		for _, b := range []browser{one, other} {
			b.opens("/bin")
		}
		row := fmt.Sprintf(`form:has([value="%s"]) [value="restore"]`, failed["Вера"])
		one.Follow(row)
		one.reads("the first press", "The video is back in the library.")
		other.Follow(row)
		other.reads("the press on the old page", "It may have been deleted, or the address is wrong.")
		is("videos of the name", 1, `SELECT count(*) FROM assets WHERE name = 'Вера'`)
	})
	t.Run("a publication that the other has begun, and what the other has saved", func(t *testing.T) {
		one, other := browser{one.In(t), page}, browser{other.In(t), page}
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
		one.Follow(send)
		one.reads("the first press", "It is in the queue.")
		other.Follow(send)
		other.reads("the press on the old form", "Somebody else has")
		if !other.Is(`document.querySelector('[name=title]').value === 'of the second'`) {
			t.Errorf("got\n%s\nwant what was typed to stay", other.Says())
		}
		if title := text(t, s, `SELECT metadata ->> 'title' FROM assets WHERE id = ?`, made); title != "of the first" {
			t.Errorf("got the title %q saved; want that of the first", title)
		}
		other.Follow(send) // the page shows by now that the video is there
		other.reads("the second press", "Choose at least one platform.")
		fill(one, "Борис", "the same")
		fill(other, "Борис", "the same")
		one.Follow(send)
		other.Follow(send)
		other.reads("the press on an old form with nothing else in it", "This video is on that platform already")
		is("publications", 2, `SELECT count(*) FROM publications`)
		is("publications of the first", 2, `SELECT count(*) FROM publications WHERE creator = 1`)
		is("publishing in the activity", 2, `SELECT count(*) FROM audit WHERE action = 'publish'`)
	})
	t.Run("whom the other has removed", func(t *testing.T) {
		one, other := browser{one.In(t), page}, browser{other.In(t), page}
		other.opens("/assets/" + failed["Вера"])
		one.opens("/admins")
		one.Do(chromedp.Click("summary:has(~ form [value='3'])", chromedp.NodeVisible))
		one.Follow(`details[open] [value="remove"]`)
		one.reads("the removal", "That person is not an admin any more")
		other.Follow(retry)
		if !other.Is("location.pathname === '/login'") {
			t.Errorf("got\n%s\nwant the page where one signs in", other.Says())
		}
		is("videos of the name", 1, `SELECT count(*) FROM assets WHERE name = 'Вера'`)
	})
}
