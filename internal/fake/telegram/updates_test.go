// Updates: the confirm rule, long polls, presses, blocks, duplicates, poison.

package telegram_test

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
)

func number(n int64) string { return strconv.FormatInt(n, 10) }

func TestUpdates_IsForgottenWhenTheOffsetPassesIt(t *testing.T) {
	w := newWorld(t)
	p := w.Person(5, "Мария", "ru")
	for _, text := range []string{"one", "two", "three"} {
		p.Send(text)
	}
	first := w.updates()
	if len(first) != 3 || first[1].ID != first[0].ID+1 || first[0].Message.Text != "one" ||
		first[0].Message.From.LanguageCode != "ru" {
		t.Fatalf("got %+v", first)
	}
	if again := w.updates("offset", number(first[0].ID)); len(again) != 3 {
		t.Errorf("an offset equal to the id confirms nothing: got %d updates; want 3", len(again))
	}
	if p.Messages()[0].Read {
		t.Error("a message counts as read before it is confirmed")
	}
	if rest := w.updates("offset", number(first[1].ID), "limit", "1"); len(rest) != 1 || rest[0].Message.Text != "two" {
		t.Errorf("got %+v", rest)
	}
	if rest := w.updates(); len(rest) != 2 {
		t.Errorf("a confirmed update comes back: got %d updates; want 2", len(rest))
	}
	if !p.Messages()[0].Read || p.Messages()[1].Read || w.Pending() != 2 {
		t.Errorf("got %+v, pending %d", p.Messages(), w.Pending())
	}
	if last := w.updates("offset", "-1"); len(last) != 1 || last[0].Message.Text != "three" {
		t.Errorf("negative offset: got %+v", last)
	}
	if rest := w.updates(); len(rest) != 1 {
		t.Errorf("a negative offset forgets what was before: got %d updates; want 1", len(rest))
	}
	all := w.Updates()
	if !all[0].Confirmed || all[2].Confirmed || all[0].Kind != "message" {
		t.Errorf("got history %+v", all)
	}
}

func TestUpdates_RealClientIsToldOfEverything(t *testing.T) {
	w := newWorld(t)
	p := w.Person(5, "Мария", "ru")
	var mu sync.Mutex
	got := map[string]int{}
	b := w.client(func(ctx context.Context, b *bot.Bot, u *models.Update) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case u.Message != nil && u.Message.Text != "":
			got["text"]++
			if u.Message.Chat.ID < 0 {
				b.SendMessage(ctx, &bot.SendMessageParams{ChatID: u.Message.Chat.ID, Text: "that was all"})
			}
		case u.Message != nil:
			got["other"]++
		case u.CallbackQuery != nil && u.CallbackQuery.Message.Message != nil:
			got["press"]++
			b.AnswerCallbackQuery(ctx, &bot.AnswerCallbackQueryParams{CallbackQueryID: u.CallbackQuery.ID, Text: "ok"})
		case u.CallbackQuery != nil && u.CallbackQuery.Message.InaccessibleMessage != nil:
			got["old press"]++
			b.AnswerCallbackQuery(ctx, &bot.AnswerCallbackQueryParams{CallbackQueryID: u.CallbackQuery.ID, ShowAlert: true})
		case u.MyChatMember != nil && u.MyChatMember.NewChatMember.Type == models.ChatMemberTypeBanned:
			got["blocked"]++
		case u.MyChatMember != nil && u.MyChatMember.NewChatMember.Type == models.ChatMemberTypeMember:
			got["unblocked"]++
		}
	})
	ctx, stop := context.WithCancel(w.ctx)
	var wg sync.WaitGroup
	wg.Go(func() { b.Start(ctx) })
	m := w.send(5, "press me")
	p.Send("/start")
	kinds := []string{"voice", "audio", "document", "video", "video_note", "animation", "photo", "sticker", "location",
		"contact", "dice", "poll"}
	for _, kind := range kinds {
		p.SendKind(kind)
	}
	p.Press(m.ID, "data")
	p.PressOld(m.ID, "data")
	p.Press(12345, "a message that is gone")
	p.Block()
	p.Unblock()
	g := w.Group(-100, "Family")
	g.Send(p, "hello@everybody")
	w.until(func() bool { return len(g.Messages()) == 2 && w.Pending() == 0 })
	stop()
	wg.Wait()
	mu.Lock()
	defer mu.Unlock()
	for what, want := range map[string]int{"text": 2, "other": len(kinds), "press": 1, "old press": 2, "blocked": 1,
		"unblocked": 1} {
		if got[what] != want {
			t.Errorf("%s: got %d; want %d", what, got[what], want)
		}
	}
	if toasts := p.Toasts(); len(toasts) != 3 || toasts[0].Text != "ok" || !toasts[1].Alert {
		t.Errorf("got toasts %+v", toasts)
	}
}

func TestUpdates_LongPollEndsWhenSomethingHappens(t *testing.T) {
	w := newWorld(t)
	p := w.Person(5, "Мария", "ru")
	var wg sync.WaitGroup
	var got []fetched
	wg.Go(func() { got = w.updates("timeout", "50") })
	w.until(func() bool { return polls(w) == 1 })
	p.Send("now")
	wg.Wait()
	if len(got) != 1 {
		t.Errorf("got %d updates; want 1", len(got))
	}
}

func polls(w *world) (n int) {
	for _, c := range w.Calls() {
		if c.Method == "getUpdates" {
			n++
		}
	}
	return n
}

func TestUpdates_OlderOfTwoPollsIsToldToStop(t *testing.T) {
	w := newWorld(t)
	p := w.Person(5, "Мария", "ru")
	var wg sync.WaitGroup
	var older answer
	wg.Go(func() { older = w.form("getUpdates", "timeout", "50") })
	w.until(func() bool { return polls(w) == 1 })
	wg.Go(func() { w.form("getUpdates", "timeout", "50") })
	w.until(func() bool { return polls(w) == 2 && w.Calls()[1].Code == 409 })
	p.Send("for the newer one")
	wg.Wait()
	if older.Status != 409 || !strings.HasPrefix(older.Description, "Conflict: terminated by other getUpdates request") {
		t.Errorf("got %+v", older)
	}
}

func TestUpdates_AllowedUpdatesAreRemembered(t *testing.T) {
	w := newWorld(t)
	p := w.Person(5, "Мария", "ru")
	w.updates("allowed_updates", `["message"]`)
	p.Press(1, "x")
	p.Send("hello")
	if got := w.updates(); len(got) != 1 || got[0].Message == nil {
		t.Errorf("got %+v", got)
	}
	w.updates("allowed_updates", `[]`)
	p.Press(1, "x")
	if got := w.updates(); len(got) != 2 || got[1].Press == nil {
		t.Errorf("got %+v", got)
	}
	if a := w.form("getUpdates", "allowed_updates", "x"); a.Code != 400 {
		t.Errorf("got %+v", a)
	}
}

func TestUpdates_PressLives150SecondsAndAMessageADay(t *testing.T) {
	w := newWorld(t)
	p := w.Person(5, "Мария", "ru")
	late, inTime := p.Press(1, "late"), ""
	w.pass(time.Second)
	inTime = p.Press(1, "in time")
	p.Send("hello")
	w.pass(150 * time.Second)
	if got := w.updates(); len(got) != 2 {
		t.Errorf("after 151 s the bot still sees %d updates; want 2", len(got))
	}
	answer := func(id string) error {
		_, err := w.bot.AnswerCallbackQuery(w.ctx, &bot.AnswerCallbackQueryParams{CallbackQueryID: id, Text: "hi"})
		return err
	}
	const tooOld = "Bad Request: query is too old and response timeout expired or query ID is invalid"
	if a := w.form("answerCallbackQuery", "callback_query_id", late); a.Description != tooOld {
		t.Errorf("got %+v", a)
	}
	wantText(t, answer("123"), "query is too old")
	if err := answer(inTime); err != nil {
		t.Error(err)
	}
	if err := answer(inTime); err != nil || len(p.Toasts()) != 1 {
		t.Errorf("a second answer: %v, toasts %v", err, p.Toasts())
	}
	if n := w.Unanswered(); n != 1 {
		t.Errorf("got %d unanswered; want 1", n)
	}
	if a := w.form("answerCallbackQuery", "callback_query_id", inTime, "text", strings.Repeat("я",
		201)); a.Description != "Bad Request: MESSAGE_TOO_LONG" {
		t.Errorf("got %+v", a)
	}
	w.pass(24 * time.Hour)
	if got := w.updates(); len(got) != 0 {
		t.Errorf("after a day the bot still sees %d updates; want 0", len(got))
	}
	if !w.Updates()[0].Expired {
		t.Error("the late press is not marked as expired")
	}
}

func TestUpdates_BlockedBotIsRefused(t *testing.T) {
	w := newWorld(t)
	p := w.Person(5, "Мария", "ru")
	p.Block()
	p.Block()
	_, err := w.bot.SendMessage(w.ctx, &bot.SendMessageParams{ChatID: 5, Text: "x"})
	wantText(t, err, "Forbidden: bot was blocked by the user")
	if a := w.form("sendChatAction", "chat_id", "5", "action", "typing"); a.Status != 403 {
		t.Errorf("got %+v", a)
	}
	p.Send("I am back")
	w.send(5, "welcome")
	kinds := []string{}
	for _, u := range w.Updates() {
		kinds = append(kinds, u.Kind)
	}
	if got := strings.Join(kinds, " "); got != "my_chat_member my_chat_member message" || p.Blocked() {
		t.Errorf("got updates %q, blocked %v", got, p.Blocked())
	}
}

func TestUpdates_RedeliveryComesEvenAfterTheConfirmation(t *testing.T) {
	w := newWorld(t)
	w.Person(5, "Мария", "ru").Send("hello")
	id := w.updates()[0].ID
	w.updates("offset", number(id+1))
	if !w.Redeliver(id) || w.Redeliver(1) {
		t.Fatal("Redeliver does not know what it sent")
	}
	if got := w.updates("offset", number(id+1)); len(got) != 1 || got[0].ID != id {
		t.Errorf("got %+v; want the update again", got)
	}
	if got := w.updates("offset", number(id+1)); len(got) != 0 {
		t.Errorf("got %+v; want it once", got)
	}
}

func TestUpdates_RawUpdatesGetAnIDAndNothingElse(t *testing.T) {
	w := newWorld(t)
	for _, raw := range []string{`{"callback_query": 5}`, ` {} `, `{"poll":[]}`} {
		w.SendRaw(json.RawMessage(raw))
	}
	got := w.updates()
	if len(got) != 3 || got[2].ID != got[0].ID+2 || string(got[0].Press) != "5" {
		t.Errorf("got %+v", got)
	}
}

func TestUpdates_IDsMayStartAgain(t *testing.T) {
	w := newWorld(t)
	w.SetNextUpdateID(7)
	w.Person(5, "Мария", "ru").Send("hello")
	if got := w.updates(); len(got) != 1 || got[0].ID != 7 {
		t.Errorf("got %+v", got)
	}
}

func TestUpdates_GroupHasItsOwnMessages(t *testing.T) {
	w := newWorld(t)
	p := w.Person(5, "Мария", "ru")
	g := w.Group(-100, "Family")
	g.Send(p, "/start@retake_bot")
	m := w.send(-100, "hello all")
	g.Press(p, m.ID, "x")
	if got := w.Group(-100, "").Messages(); len(got) != 2 || got[0].From != "Мария" ||
		got[0].Entities[0].Length != 17 || len(p.Messages()) != 0 {
		t.Errorf("got %+v", got)
	}
	u := w.updates()
	if u[0].Message.Chat.Type != models.ChatTypeSupergroup || u[0].Message.Chat.ID != -100 || u[0].Message.From.ID != 5 {
		t.Errorf("got %+v", u[0].Message)
	}
	if c := w.Calls(); c[len(c)-2].Chat != -100 {
		t.Errorf("got call %+v", c[len(c)-2])
	}
}

func TestUpdates_DeleteWebhookCanDropWhatWaits(t *testing.T) {
	w := newWorld(t)
	w.Person(5, "Мария", "ru").Send("hello")
	if _, err := w.bot.DeleteWebhook(w.ctx, &bot.DeleteWebhookParams{DropPendingUpdates: true}); err != nil ||
		w.Pending() != 0 {
		t.Errorf("got %v, %d pending", err, w.Pending())
	}
}
