// Trouble: injected faults, an unreachable server, limits, waiting.

package telegram_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-telegram/bot"

	"retake.example/internal/fake/telegram"
)

func (w *world) try(chat int64, text string) error {
	_, err := w.bot.SendMessage(w.ctx, &bot.SendMessageParams{ChatID: chat, Text: text})
	return err
}

func TestFaults_sStrikeTheCallsTheyAreMeantFor(t *testing.T) {
	for name, c := range map[string]struct {
		fault telegram.Fault
		want  string // in the error
		sent  int    // messages that arrived although the call failed
	}{
		"429":         {telegram.Fault{RetryAfter: 7}, "Too Many Requests: retry after 7", 0},
		"403":         {telegram.Fault{Status: 403}, "bot was blocked by the user", 0},
		"400":         {telegram.Fault{Status: 400}, "chat not found", 0},
		"500":         {telegram.Fault{Status: 500}, "500 Internal Server Error", 0},
		"own words":   {telegram.Fault{Status: 403, Description: "Forbidden: user is deactivated"}, "user is deactivated", 0},
		"error page":  {telegram.Fault{HTML: 502}, "/bot" + token + "/sendMessage", 0},
		"dropped":     {telegram.Fault{Drop: true}, "EOF", 0},
		"answer lost": {telegram.Fault{LoseAnswer: true}, "EOF", 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			p, other := w.Person(5, "Мария", "ru"), w.Person(6, "Ольга", "ru")
			c.fault.Method, c.fault.Chat = "sendMessage", 5
			w.Inject(c.fault)
			if err := w.try(6, "hello"); err != nil || len(other.Messages()) != 1 {
				t.Errorf("another chat is struck: %v", err)
			}
			wantText(t, w.try(5, "one"), c.want)
			if got := len(p.Messages()); got != c.sent {
				t.Errorf("got %d messages; want %d", got, c.sent)
			}
			calls := w.Calls()
			if call := calls[len(calls)-1]; call.OK != (c.sent == 1) || call.Lost != (c.want == "EOF") {
				t.Errorf("got call %+v", call)
			}
			if err := w.try(5, "two"); err != nil {
				t.Errorf("the fault strikes twice: %v", err)
			}
		})
	}
}

func TestFaults_RetryAfterReachesTheClient(t *testing.T) {
	w := newWorld(t)
	w.Person(5, "Мария", "ru")
	w.Inject(telegram.Fault{RetryAfter: 3})
	var tooMany *bot.TooManyRequestsError
	if err := w.try(5, "x"); !errors.As(err, &tooMany) || tooMany.RetryAfter != 3 {
		t.Errorf("got %v", err)
	}
}

func TestFaults_sLastUntilCleared(t *testing.T) {
	w := newWorld(t)
	w.Person(5, "Мария", "ru")
	clear := w.Inject(telegram.Fault{Status: 500, Times: -1})
	for range 3 {
		wantText(t, w.try(5, "x"), "500")
	}
	if a := w.form("getUpdates"); a.Status != 500 {
		t.Errorf("got %+v", a)
	}
	clear()
	if err := w.try(5, "x"); err != nil {
		t.Error(err)
	}
}

func TestFaults_OnThePressedChatStrikesItsAnswer(t *testing.T) {
	w := newWorld(t)
	id := w.Person(5, "Мария", "ru").Press(1, "x")
	w.Inject(telegram.Fault{Chat: 5, Status: 500})
	if a := w.form("answerCallbackQuery", "callback_query_id", id); a.Status != 500 {
		t.Errorf("got %+v", a)
	}
}

func TestFaults_HangingCallEndsWithTheClientOrTheServer(t *testing.T) {
	w := newWorld(t)
	w.Person(5, "Мария", "ru")
	w.Inject(telegram.Fault{Hang: true, Times: 2})
	ctx, cancel := context.WithCancel(w.ctx)
	var wg sync.WaitGroup
	var first, second error
	wg.Go(func() { _, first = w.bot.SendMessage(ctx, &bot.SendMessageParams{ChatID: 5, Text: "x"}) })
	w.until(func() bool { return len(w.Calls()) == 2 })
	cancel()
	wg.Wait()
	if !errors.Is(first, context.Canceled) {
		t.Errorf("got %v", first)
	}
	wg.Go(func() { second = w.try(5, "y") })
	w.until(func() bool { return len(w.Calls()) == 3 })
	w.Close()
	wg.Wait()
	wantText(t, second, "EOF")
}

func TestFaults_UnclearFaultIsRefused(t *testing.T) {
	for name, f := range map[string]telegram.Fault{"none": {Method: "sendMessage"}, "two": {Drop: true, Hang: true},
		"two after the work": {LoseAnswer: true, NoResult: true}} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it is accepted")
				}
			}()
			telegram.New(token).Inject(f)
		})
	}
}

func TestFaults_UnreachableServerDropsEverythingEvenWaitingPolls(t *testing.T) {
	w := newWorld(t)
	p := w.Person(5, "Мария", "ru")
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := w.web.Client().Get(w.web.URL + "/bot" + token + "/getUpdates?timeout=50"); err == nil {
			t.Error("the waiting poll got an answer")
		}
	})
	w.until(func() bool { return polls(w) == 1 })
	w.SetDown(true)
	wg.Wait()
	wantText(t, w.try(5, "x"), "EOF")
	if w.Dropped() != 1 || len(p.Messages()) != 0 {
		t.Errorf("got %d dropped, messages %v", w.Dropped(), p.Messages())
	}
	w.SetDown(false)
	if err := w.try(5, "x"); err != nil {
		t.Error(err)
	}
}

func TestFaults_LimitsAreCountedAndEnforcedOnDemand(t *testing.T) {
	w := newWorld(t)
	w.Person(5, "Мария", "ru")
	for range 5 {
		w.send(5, "x")
	}
	if n := w.LimitBreaches(); n != 0 {
		t.Errorf("a small burst counts as %d breaches; want 0", n)
	}
	w.send(5, "one too many")
	if n := w.LimitBreaches(); n != 1 {
		t.Errorf("got %d breaches; want 1", n)
	}
	w.EnforceLimits(true)
	var tooMany *bot.TooManyRequestsError
	if err := w.try(5, "x"); !errors.As(err, &tooMany) || tooMany.RetryAfter != 1 {
		t.Errorf("got %v; want a wait of 1 s", err)
	}
	if a := w.form("sendChatAction", "chat_id", "5", "action", "typing"); !a.OK {
		t.Errorf("an action costs something: %+v", a)
	}
	w.pass(time.Second)
	if err := w.try(5, "x"); err != nil {
		t.Errorf("after a second: %v", err)
	}
	wantText(t, w.try(5, "x"), "retry after 1")
}

func TestFaults_OverallAndGroupLimits(t *testing.T) {
	w := newWorld(t)
	w.EnforceLimits(true)
	w.Group(-100, "Family")
	for range 20 {
		w.send(-100, "x")
	}
	wantText(t, w.try(-100, "x"), "retry after 3")
	w.pass(time.Minute)
	for id := range int64(30) {
		w.Person(id+1, "P", "en")
		w.send(id+1, "x")
	}
	w.Person(31, "P", "en")
	wantText(t, w.try(31, "x"), "retry after 1")
	if n := w.LimitBreaches(); n != 2 {
		t.Errorf("got %d breaches; want 2", n)
	}
}

func TestFaults_WaitGivesUpWithItsContext(t *testing.T) {
	s := telegram.New(token)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Wait(ctx, func() bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := s.Wait(ctx, func() bool { return true }); err != nil {
		t.Errorf("what is true already needs no time: %v", err)
	}
}

func TestFaults_HostileNamesStayText(t *testing.T) {
	w := newWorld(t)
	p := w.Person(5, "<b>\u202eМария", "ru")
	w.send(5, `<script>alert("x")</script>`)
	if got := p.Messages()[0].Text; !strings.HasPrefix(got, "<script>") {
		t.Errorf("got %q", got)
	}
}
