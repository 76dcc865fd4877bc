// Tests of the menus of commands: who is given which, and when.

package chat

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/testrig"
)

// viewed is a queue whose changes a test tells.
type viewed struct {
	queue
	told chan func(assetID string, percent int)
}

func (v viewed) View(told func(assetID string, percent int)) func() { v.told <- told; return func() {} }

func TestKeepMenus_TellsOnlyWhatHasChanged(t *testing.T) {
	c, tg := newChat(t, time.Millisecond)
	c.Admins = []int64{8}
	ctx, cancel := context.WithCancel(t.Context())
	v, done := viewed{queue{}, make(chan func(string, int), 1)}, make(chan struct{})
	go func() { c.KeepMenus(ctx, v); close(done) }()
	defer func() { cancel(); <-done }()
	change := <-v.told
	given := func(want ...string) {
		t.Helper()
		got := func() (all []string) {
			tg.mu.Lock()
			defer tg.mu.Unlock()
			for _, m := range tg.menus {
				all = append(all, fmt.Sprintf("%d %s %v", m.Chat, m.Language, slices.ContainsFunc(m.Commands,
					func(c struct{ Command, Description string }) bool { return c.Command == "admin" })))
			}
			slices.Sort(all)
			return all
		}
		slices.Sort(want)
		state := func() string { return fmt.Sprint(got()) }
		if err := testrig.Until(t, func() bool { return slices.Equal(got(), want) }, state); err != nil {
			t.Errorf("%v; want %v", err, want)
		}
		tg.mu.Lock()
		defer tg.mu.Unlock()
		tg.menus = nil
	}
	given("0  false", "0 en false", "0 ru false", "8  true", "8 en true", "8 ru true")
	c.RenewMenu(8) // only then, and nothing of the others
	given("8  true", "8 en true", "8 ru true")
	testrig.Mutate(t, c.Store, `INSERT INTO admins (id, owner, added) VALUES (9, 0, 1)`)
	change("", 0)
	given("9  true", "9 en true", "9 ru true")
	testrig.Mutate(t, c.Store, `DELETE FROM admins`)
	change("video", 50) // says nothing of admins
	change("", 0)
	given("9  false", "9 en false", "9 ru false")
	kept := func() bool { return testrig.Count(t, c.Store, `SELECT count(*) FROM menus WHERE chat = 9`) > 0 }
	if err := testrig.Until(t, func() bool { return !kept() }, func() string { return "the menu of 9 is kept" }); err != nil {
		t.Errorf("%v; want nothing kept of a person who is no admin", err)
	}
}

func TestPublishMenus_OtherWordsAreTold(t *testing.T) {
	c, tg := newChat(t, time.Millisecond)
	t.Cleanup(func() { lang.Change(nil) })
	times := func() int { c.publishMenus(t.Context(), 0, false, false); n := len(tg.menus); tg.menus = nil; return n }
	if n := times(); n != 1+len(lang.Languages) {
		t.Fatalf("got %d menus; want one for each language and one for the others", n)
	}
	if n := times(); n != 0 {
		t.Errorf("got %d menus again; want none", n)
	}
	lang.Change([]lang.Changed{{Lang: "en", Key: "command_help", Forms: map[string]string{"other": "Other words"}}})
	if n := times(); n != 1 {
		t.Errorf("got %d menus; want the one whose words are others", n)
	}
	c.Announcements = true
	c.publishMenus(t.Context(), 0, false, false)
	for _, m := range tg.menus {
		if !strings.Contains(fmt.Sprint(m.Commands), "{news ") {
			t.Errorf("%q: got %v; want /news while there are announcements", m.Language, m.Commands)
		}
	}
	if len(tg.menus) != 1+len(lang.Languages) {
		t.Errorf("got %d menus; want all with /news", len(tg.menus))
	}
}
