// Tests of what people press and ask for, and of the messages that follow.

package chat

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-telegram/bot/models"

	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/testrig"
	"retake.example/internal/video"
)

var maria = store.User{ID: 1, Lang: "ru"}

// Somebody deletes the progress message: it comes again once, and not each time.
func TestProgress_AMessageThatIsGoneIsReplacedOnce(t *testing.T) {
	c, tg := newChat(t, time.Millisecond)
	tg.say = func(method, _ string) string {
		if method == "editMessageText" {
			return `{"ok":false,"error_code":400,"description":"Bad Request: message to edit not found"}`
		}
		return ""
	}
	wishes(t, c, "Маша", 7)
	var s shown
	for i := range 3 {
		watchers, err := c.Store.Watchers(t.Context())
		if err != nil || len(watchers) != 1 {
			t.Fatalf("got %v, %v; want the person waiting", watchers, err)
		}
		s.text = strings.Repeat("x", i+1)
		if err := c.edit(t.Context(), watchers[0], &s); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Count(tg.said(), "sendMessage"); got != 1 {
		t.Errorf("got %s; want one message in the place of the one that is gone", tg.said())
	}
	if id := testrig.Count(t, c.Store, `SELECT progress_id FROM requests`); id < 100 {
		t.Errorf("got progress message %d; want the one that took its place", id)
	}
}

func TestProgress_NothingIsEditedWhereTheChatHasToWait(t *testing.T) {
	c, tg := newChat(t, time.Hour)
	wishes(t, c, "Маша", 7)
	for range 2 { // of three that the chat takes at once
		if _, err := c.Talk.Send(t.Context(), 1, "other", nil); err != nil {
			t.Fatal(err)
		}
	}
	next, err := c.editProgress(t.Context(), queue{}, map[int64]shown{})
	if err != nil || next.IsZero() {
		t.Errorf("got %v, %v; want to look again", next, err)
	}
	if got := tg.said(); strings.Contains(got, "edit") {
		t.Errorf("got %s; want no edit", got)
	}
}

func TestYes_ANameThatIsOnTheListSinceIsRefused(t *testing.T) {
	c, tg := newChat(t, time.Millisecond)
	var draft string
	testrig.Write(t, c.Store, func(tx *store.Tx) (err error) { draft, err = tx.SaveDraft(1, "Дурак"); return err })
	c.Rude = []string{"дурак"}
	turn := NewTurn(store.Update{ID: 5}, "ru")
	handles(t, c, turn, func(ctx context.Context) error { return c.Yes(ctx, turn, queue{}, "q", maria, 9, draft) })
	if n := testrig.Count(t, c.Store, `SELECT count(*) FROM assets`); n != 0 {
		t.Errorf("got %d videos of a name that is on the list", n)
	}
	if got, want := tg.said(), lang.Say("ru", "name_rude", nil); !strings.Contains(got, want) {
		t.Errorf("got %s; want %q", got, want)
	}
}

func TestCancel_IsSaidInTheMessageThatPromised(t *testing.T) {
	c, tg := newChat(t, time.Millisecond)
	a := wishes(t, c, "Маша", 7)
	turn := NewTurn(store.Update{ID: 5}, "ru")
	handles(t, c, turn, func(ctx context.Context) error { return c.Cancel(ctx, turn, maria, a.ID) })
	if got := tg.said(); !strings.HasPrefix(got, "editMessageText ") || strings.Contains(got, "sendMessage") {
		t.Errorf("got %s; want the message that promised to say it", got)
	}
}

func TestGet_SomebodyElsesVideoIsNotSent(t *testing.T) {
	c, _ := newChat(t, time.Millisecond)
	a := wishes(t, c, "Маша", 7)
	testrig.Complete(t, c.Store)
	testrig.Write(t, c.Store, func(tx *store.Tx) error { _, err := tx.UpsertUser(2, "ru"); return err })
	for user, want := range map[int64]int{2: 0, 1: 1} {
		turn := NewTurn(store.Update{ID: user}, "ru")
		handles(t, c, turn, func(ctx context.Context) error { return c.Get(ctx, turn, store.User{ID: user, Lang: "ru"}, a.ID) })
		if n := testrig.Count(t, c.Store, `SELECT count(*) FROM requests WHERE user_id = ?`, user); n != want {
			t.Errorf("user %d: got %d requests; want %d", user, n, want)
		}
	}
}

// Telegram's time of a message has whole seconds: a button of the first second is no older than its person.
func TestForgotten_OnlyAButtonFromBeforeTheDeletion(t *testing.T) {
	c, _ := newChat(t, time.Millisecond)
	known := time.Date(2026, 12, 20, 12, 0, 0, 900_000_000, time.UTC)
	testrig.SetNow(c.Store, func() time.Time { return known })
	testrig.Write(t, c.Store, func(tx *store.Tx) error { _, err := tx.UpsertUser(3, "ru"); return err })
	for after, want := range map[time.Duration]bool{-time.Second: true, 0: false, time.Second: false} {
		press := &models.CallbackQuery{From: models.User{ID: 3},
			Message: models.MaybeInaccessibleMessage{Message: &models.Message{Date: int(known.Add(after).Unix())}}}
		got, err := c.Forgotten(t.Context(), NewTurn(store.Update{ID: 5}, "ru"), press)
		if err != nil || got != want {
			t.Errorf("a button of %v after: got %v, %v; want %v", after, got, err, want)
		}
	}
}

// What cannot be told of one answer says nothing about the next one.
func TestAnswers_UnclearOnesAreCountedApart(t *testing.T) {
	c, tg := newChat(t, time.Millisecond)
	times := map[string]int{}
	tg.say = func(_, text string) string {
		if times[text]++; times[text] == 1 {
			return "no answer of Telegram's"
		}
		return ""
	}
	turn := NewTurn(store.Update{ID: 5}, "ru")
	for range 3 {
		err := c.Handle(t.Context(), turn, func(ctx context.Context) error {
			return c.Answers(ctx, turn, Answer{Chat: 1, Text: "first"}, Answer{Chat: 1, Text: "second"})
		})
		if err != nil && !telegram.MaybeSent(err) {
			t.Fatal(err)
		}
	}
	want := "sendMessage first|sendMessage first|sendMessage second|sendMessage second"
	if got := tg.said(); got != want {
		t.Errorf("got %s; want %s", got, want)
	}
}

// wanted gives user 1 a request in a state, of a video in a state.
func wanted(t *testing.T, c *Chat, id int, name, status, video string) {
	t.Helper()
	asset := fmt.Sprintf("%026d", id)
	testrig.Mutate(t, c.Store, `INSERT INTO assets (id, name, name_key, template, lang, origin, status, error,
		created, finished, file) VALUES (?1, ?2, lower(?2), 'new-year', 'ru', 'REQUEST', ?3, iif(?3 = 'FAILED', 'x', NULL), ?4,
			iif(?3 IN ('FAILED', 'COMPLETED'), ?4, NULL), iif(?3 = 'COMPLETED', 'x.mp4', NULL))`, asset, name, video, id)
	testrig.Mutate(t, c.Store, `INSERT INTO requests (user_id, asset_id, chat_id, status, created, finished)
		VALUES (1, ?1, 1, ?2, ?3, iif(?2 IN ('FAILED', 'COMPLETED'), ?3, NULL))`, asset, status, id)
}

func TestStatus_EachStateHasItsLineAndItsButton(t *testing.T) {
	c, tg := newChat(t, time.Millisecond)
	status := func() string {
		said, _ := turns(t, c, tg, 5, func(ctx context.Context, turn *Turn) error { return c.Status(ctx, turn, maria) })
		return said
	}
	if got := status(); got != says("status_empty", nil) {
		t.Errorf("without wishes: got %q", got)
	}
	wanted(t, c, 1, "Аня", "FAILED", "FAILED")
	wanted(t, c, 2, "Аня", "FAILED", "FAILED") // another try of the same
	wanted(t, c, 3, "Боря", "COMPLETED", "COMPLETED")
	wanted(t, c, 4, "Вера", "PROCESSING", "COMPLETED")
	wanted(t, c, 5, "Гоша", "PROCESSING", "PROCESSING")
	wanted(t, c, 6, "Даша", "PENDING", "PENDING")
	lines := []string{lang.Say("ru", "status_title", nil)}
	for _, l := range []string{"pending Даша", "processing Гоша", "sending Вера", "completed Боря", "failed Аня",
		"retried Аня"} {
		id, name, _ := strings.Cut(l, " ")
		lines = append(lines, lang.Say("ru", "status_"+id, lang.Vars{"Name": name}))
	}
	want := "sendMessage " + strings.Join(lines, "\n") + "|" + says("status_retry", lang.Vars{"Name": "Аня"})
	if got := status(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got, want := tg.shows(), telegram.RetryButton+":"+fmt.Sprintf("%026d", 2); got != want {
		t.Errorf("got button %q; want %q", got, want)
	}
	testrig.Mutate(t, c.Store, `DELETE FROM requests WHERE status = 'FAILED'`)
	status()
	if got, want := tg.shows(), telegram.GetButton+":"+fmt.Sprintf("%026d", 4); got != want {
		t.Errorf("got button %q of the list; want %q", got, want)
	}
	c.Offers = video.NewOffers(offer("new-year"), offer("b"))
	if got, want := status(), lang.Say("ru", "status_pending", lang.Vars{"Name": lang.Say("ru", "status_name",
		lang.Vars{"Name": "Даша", "Title": "new-year"})}); !strings.Contains(got, want) {
		t.Errorf("with a choice: got %q; want %q in it", got, want)
	}
}

func TestCancel_SaysWhatWasLateAndWhatThereWasNot(t *testing.T) {
	c, tg := newChat(t, time.Millisecond)
	all := func() string {
		said, _ := turns(t, c, tg, 5, func(ctx context.Context, turn *Turn) error { return c.CancelAll(ctx, turn, maria) })
		return said
	}
	one := func(id string) string {
		said, _ := turns(t, c, tg, 5, func(ctx context.Context, turn *Turn) error { return c.Cancel(ctx, turn, maria, id) })
		return said
	}
	if got := all(); got != says("cancel_nothing", nil) {
		t.Errorf("without wishes: got %q", got)
	}
	a := wishes(t, c, "Маша", 7)
	testrig.Begin(t, c.Store, store.Render)
	if got := all(); got != says("cancel_late", nil) {
		t.Errorf("what has begun: got %q", got)
	}
	wishes(t, c, "Даша", 8)
	if got, want := all(), "editMessageText "+lang.Say("ru", "cancelled", lang.Vars{"Name": "Даша"}); got != want {
		t.Errorf("one of two: got %q; want %q", got, want)
	}
	for id, want := range map[string]string{a.ID: "cancel_late", "gone": "cancel_nothing"} {
		if got := one(id); got != says(want, nil) {
			t.Errorf("%s: got %q; want %s", id, got, want)
		}
	}
}

func TestGet_ALapsedButtonSaysSoAndAVideoComesOnce(t *testing.T) {
	c, tg := newChat(t, time.Millisecond)
	get := func(user int64, id string) string {
		said, _ := turns(t, c, tg, 5, func(ctx context.Context, turn *Turn) error {
			return c.Get(ctx, turn, store.User{ID: user, Lang: "ru"}, id)
		})
		return said
	}
	a := wishes(t, c, "Маша", 7)
	if got := get(1, a.ID); got != "" || testrig.Count(t, c.Store, `SELECT count(*) FROM requests`) != 1 {
		t.Errorf("before it is there: got %q; want nothing", got)
	}
	if got := get(1, "gone"); got != says("press_lapsed", nil) {
		t.Errorf("a video that is gone: got %q", got)
	}
	testrig.Complete(t, c.Store)
	testrig.Write(t, c.Store, func(tx *store.Tx) error { _, err := tx.UpsertUser(2, "ru"); return err })
	if got := get(2, a.ID); got != says("press_lapsed", nil) {
		t.Errorf("somebody else's: got %q", got)
	}
	testrig.Mutate(t, c.Store, `DELETE FROM jobs`)
	testrig.Mutate(t, c.Store, `UPDATE requests SET status = 'COMPLETED', answer_id = 1, finished = 1`)
	got := get(1, a.ID)
	if got != "" || testrig.Count(t, c.Store, `SELECT count(*) FROM jobs WHERE kind = 'DELIVER'`) != 1 {
		t.Errorf("got %q and no delivery; want the video to be sent once more", got)
	}
}
