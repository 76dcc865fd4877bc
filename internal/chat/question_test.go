// Tests of the question about a name, and of what its buttons do.

package chat

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/testrig"
	"retake.example/internal/video"
	"retake.example/internal/worker"
)

func offer(id string) video.Offer {
	return video.Offer{ID: id, Title: func(string) string { return id }}
}

// turns handles an update and returns what was said and what the toasts were.
func turns(t *testing.T, c *Chat, tg *scripted, id int64,
	handler func(context.Context, *Turn) error) (said, toasts string) {
	t.Helper()
	tg.since()
	turn := NewTurn(store.Update{ID: id}, "ru")
	handles(t, c, turn, func(ctx context.Context) error { return handler(ctx, turn) })
	return tg.since()
}

func says(id string, vars lang.Vars) string { return "sendMessage " + lang.Say("ru", id, vars) }

// asks sends a text, and returns what was said and the draft that it became; "": none.
func asks(t *testing.T, c *Chat, tg *scripted, text string) (said, draft string) {
	t.Helper()
	said, _ = turns(t, c, tg, 5, func(ctx context.Context, turn *Turn) error { return c.Ask(ctx, turn, maria, text) })
	ids, err := testrig.Texts(t, c.Store, `SELECT id FROM drafts ORDER BY rowid DESC LIMIT 1`)
	if err != nil {
		t.Fatal(err)
	}
	return said, strings.Join(ids, "")
}

func TestAsk_WhatIsNoNameIsAnsweredAndKeepsNothing(t *testing.T) {
	for text, want := range map[string]string{
		"Спасибо!": lang.SmallTalk("Спасибо!"), "12345": "", "Дурак": "name_rude", "Маша": "name_undrawable",
		strings.Repeat("а", 2000): "name_long",
	} {
		c, tg := newChat(t, time.Millisecond)
		c.Rude = []string{"дурак"}
		c.CanDraw = func(string, string) error { return video.ErrCannotDraw }
		if want == "" {
			_, _, want = lang.ParseName(text)
		}
		said, draft := asks(t, c, tg, text)
		if want == "" || said != says(want, nil) || draft != "" {
			t.Errorf("%.20s: got %q and draft %q; want %s and none", text, said, draft, want)
		}
	}
}

func TestAsk_FontsThatCannotBeReadAreNoAnswer(t *testing.T) {
	c, _ := newChat(t, time.Millisecond)
	away := errors.New("fonts away")
	c.CanDraw = func(string, string) error { return away }
	turn := NewTurn(store.Update{ID: 5}, "ru")
	ask := func(ctx context.Context) error { return c.Ask(ctx, turn, maria, "Маша") }
	if err := c.Handle(t.Context(), turn, ask); !errors.Is(err, away) {
		t.Errorf("got %v; want the update tried again", err)
	}
}

func TestAsk_OffersWhatCanDrawTheName(t *testing.T) {
	first, second, third := offer("a"), offer("b"), offer("c")
	for name, c := range map[string]struct {
		offers  []video.Offer
		able    string // the templates that can draw it
		speaks  bool
		text    string
		buttons string // DRAFT stands for the draft
	}{
		"one template":            {[]video.Offer{first}, "a", false, "confirm", "make:DRAFT change:DRAFT"},
		"one, with a voice":       {[]video.Offer{first}, "a", true, "confirm", "make:DRAFT change:DRAFT|play:DRAFT"},
		"two":                     {[]video.Offer{first, second}, "ab", false, "choose", "make:DRAFT:a|make:DRAFT:b|change:DRAFT"},
		"two, with a voice":       {[]video.Offer{first, second}, "ab", true, "choose", "make:DRAFT:a|make:DRAFT:b|change:DRAFT|play:DRAFT"},
		"two, of which one can":   {[]video.Offer{first, second}, "b", false, "confirm", "make:DRAFT:b change:DRAFT"},
		"three, of which two can": {[]video.Offer{first, second, third}, "ac", false, "choose", "make:DRAFT:a|make:DRAFT:c|change:DRAFT"},
		"three, of which one can": {[]video.Offer{first, second, third}, "a", false, "confirm", "make:DRAFT:a change:DRAFT"},
	} {
		t.Run(name, func(t *testing.T) {
			chat, tg := newChat(t, time.Millisecond)
			chat.Offers = video.NewOffers(c.offers...)
			chat.Voice = &voice{silent: !c.speaks}
			chat.CanDraw = func(template, _ string) error {
				if strings.Contains(c.able, template) {
					return nil
				}
				return video.ErrCannotDraw
			}
			said, draft := asks(t, chat, tg, "  маша ")
			if want := says(c.text, lang.Vars{"Name": testrig.Text(t, chat.Store, `SELECT name FROM drafts`)}); said != want {
				t.Errorf("got %q; want %q", said, want)
			}
			if got := strings.ReplaceAll(tg.shows(), draft, "DRAFT"); got != c.buttons {
				t.Errorf("got buttons %q; want %q", got, c.buttons)
			}
		})
	}
}

// pressed presses Yes on a question, which is message 9.
func pressed(t *testing.T, c *Chat, tg *scripted, choice string) (said, toasts string) {
	t.Helper()
	return turns(t, c, tg, 6, func(ctx context.Context, turn *Turn) error {
		return c.Yes(ctx, turn, queue{}, "q", maria, 9, choice)
	})
}

func TestYes_EachPressHasItsAnswer(t *testing.T) {
	c, tg := newChat(t, time.Millisecond)
	c.ReuseFor = time.Hour
	_, draft := asks(t, c, tg, "Маша")
	said, toast := pressed(t, c, tg, draft+":gone")
	if said != says("press_lapsed", nil) || toast != "" {
		t.Errorf("a template that is not offered: got %q, %q", said, toast)
	}
	said, toast = pressed(t, c, tg, draft)
	want := c.Created(t.Context(), queue{}, "ru", store.Asset{Status: store.Pending})
	if said != "" || toast != want || want == "" {
		t.Errorf("the first press: got %q, %q; want the toast %q alone", said, toast, want)
	}
	a := testrig.Text(t, c.Store, `SELECT id || ' ' || name || ' ' || template FROM assets`)
	if !strings.HasSuffix(a, " Маша new-year") {
		t.Errorf("got video %q; want one of the name and the only template", a)
	}
	if n := testrig.Count(t, c.Store, `SELECT count(*) FROM audit
		WHERE action = 'ask' AND user_id = 1 AND outcome = 'created'`); n != 1 {
		t.Errorf("got %d notes of the wish; want one", n)
	}
	said, toast = pressed(t, c, tg, draft) // the second press on the message that shows the progress now
	if said != "" || toast != lang.Say("ru", "toast_waiting", nil) {
		t.Errorf("a second press: got %q, %q", said, toast)
	}
	_, draft = asks(t, c, tg, "Маша")
	said, toast = pressed(t, c, tg, draft)
	if want := "editMessageText " + lang.Say("ru", "already_waiting", lang.Vars{"Name": "Маша"}); said != want ||
		toast != lang.Say("ru", "toast_waiting", nil) {
		t.Errorf("the same name again: got %q, %q; want %q", said, toast, want)
	}
	testrig.Complete(t, c.Store)
	testrig.Mutate(t, c.Store, `DELETE FROM jobs`)
	testrig.Mutate(t, c.Store, `UPDATE requests SET status = 'COMPLETED', answer_id = 1, finished = 1, progress_id = NULL`)
	said, toast = pressed(t, c, tg, draft) // that question has been answered
	if want := "editMessageText " + lang.Say("ru", "confirm_lapsed", nil); said != want || toast != "" {
		t.Errorf("a question that was answered: got %q, %q; want %q", said, toast, want)
	}
	_, draft = asks(t, c, tg, "Маша")
	if said, toast = pressed(t, c, tg, draft); said != "" || toast != lang.Say("ru", "toast_ready", nil) {
		t.Errorf("a video that is there: got %q, %q", said, toast)
	}
}

func TestYes_WhoMayNotAskIsToldWhyAndTheButtonWorksLater(t *testing.T) {
	for name, c := range map[string]struct {
		limit func(o *Options)
		text  string
	}{
		"open": {func(o *Options) { o.OpenLimit = 1 }, "limit_open"},
		"hour": {func(o *Options) { o.HourLimit = 1 }, "limit_hour"},
		"day":  {func(o *Options) { o.DayLimit = 1 }, "limit_day"},
		"all":  {func(o *Options) { o.AllLimit = 1 }, "limit_all"},
	} {
		t.Run(name, func(t *testing.T) {
			chat, tg := newChat(t, time.Millisecond)
			_, first := asks(t, chat, tg, "Маша")
			pressed(t, chat, tg, first)
			_, second := asks(t, chat, tg, "Даша")
			c.limit(&chat.Options)
			said, toast := pressed(t, chat, tg, second)
			if want := says(c.text, lang.Vars{"Count": 1}); !strings.HasPrefix(said, want) || toast != "" {
				t.Errorf("got %q, %q; want %q", said, toast, want)
			}
			if n := testrig.Count(t, chat.Store, `SELECT count(*) FROM assets`); n != 1 {
				t.Errorf("got %d videos; want the first alone", n)
			}
			chat.OpenLimit, chat.HourLimit, chat.DayLimit, chat.AllLimit = 0, 0, 0, 0
			said, _ = pressed(t, chat, tg, second)
			if said != "" || testrig.Count(t, chat.Store, `SELECT count(*) FROM assets`) != 2 {
				t.Errorf("later: got %q; want the second video", said)
			}
		})
	}
}

func TestChange_AsksForAnotherNameOnce(t *testing.T) {
	c, tg := newChat(t, time.Millisecond)
	change := func(draft string) (said, toasts string) {
		said, toasts = turns(t, c, tg, 6, func(ctx context.Context, turn *Turn) error {
			return c.Change(ctx, turn, "q", maria, 9, draft)
		})
		c.Wait()
		aside, _ := tg.since()
		return said + aside, toasts
	}
	_, draft := asks(t, c, tg, "Маша")
	for i := range 2 { // the second press comes before the buttons are gone
		said, toast := change(draft)
		if !strings.Contains(said, says("confirm_change", nil)) || !strings.Contains(said, "editMessageReplyMarkup") ||
			toast != "" {
			t.Errorf("press %d: got %q, %q; want the question, and its buttons gone", i+1, said, toast)
		}
	}
	if n := testrig.Count(t, c.Store, `SELECT count(*) FROM drafts`); n != 0 {
		t.Errorf("got %d drafts; want none", n)
	}
	_, draft = asks(t, c, tg, "Даша")
	pressed(t, c, tg, draft)
	if said, toast := change(draft); said != "" || toast != lang.Say("ru", "toast_waiting", nil) {
		t.Errorf("after Yes: got %q, %q; want the toast alone", said, toast)
	}
}

// What is new is behind all that is known; what is known has its own place.
func TestLineOf_OfWhatIsKnownAndWhatIsNot(t *testing.T) {
	c := quiet()
	q := queue{"a": {Place: 2, Left: 2 * time.Minute, Held: true}}
	for status, want := range map[store.Status]worker.Outlook{
		store.Pending: {Place: 3, Left: 2 * time.Minute, Held: true}, store.Processing: {}, store.Completed: {},
	} {
		got := c.lineOf(t.Context(), q, 1, "en", store.Asset{ID: "new", Status: status})
		if text := progressLine("en", status, want); got != text {
			t.Errorf("%s: got %q; want %q", status, got, text)
		}
	}
}
