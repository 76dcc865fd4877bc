// Tests of the handling of one update: what is kept of it between its effect and its last answer.

package chat

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/testrig"
)

// received puts an update of a chat into the inbox.
func received(t *testing.T, c *Chat, id, chat int64) store.Update {
	t.Helper()
	u := store.Update{ID: id, Chat: chat, Raw: `{"update_id":5}`}
	testrig.Write(t, c.Store, func(tx *store.Tx) error { _, err := tx.Receive([]store.Update{u}); return err })
	return u
}

func TestSetAside_AfterTheLastTryOnly(t *testing.T) {
	for name, c := range map[string]struct {
		chat, told int64
		reason     error
		code       string
	}{
		"told":        {1, 1, errors.New("broken"), store.UpdateFailed},
		"of a shape":  {1, 0, ErrShape, store.UpdateShape},
		"not told":    {1, 0, errors.New("broken"), store.UpdateFailed},
		"of Telegram": {1, 1, refused(t), "telegram_refused"},
	} {
		t.Run(name, func(t *testing.T) {
			chat, tg := newChat(t, time.Millisecond)
			u := received(t, chat, 5, c.chat)
			turn := NewTurn(u, "en")
			for try := 1; try <= 3; try++ {
				last, err := chat.SetAside(t.Context(), turn, c.told, 3, c.reason)
				if err != nil || last != (try == 3) {
					t.Fatalf("try %d: got %v, %v; want the third to be the last", try, last, err)
				}
			}
			kept := func() string {
				return testrig.Text(t, chat.Store,
					`SELECT raw || ' ' || ifnull(error, '') || ' ' || (set_aside IS NOT NULL) FROM inbox`)
			}
			if c.told != 0 && strings.HasSuffix(kept(), " 1") {
				t.Errorf("got %q; want that the person is told first", kept())
			}
			handles(t, chat, turn, func(context.Context) error { t.Error("it was handled once more"); return nil })
			want := ""
			if c.told != 0 {
				want = "sendMessage " + lang.Say("en", "trouble", nil)
			}
			if said, _ := tg.since(); said != want {
				t.Errorf("said %q; want %q", said, want)
			}
			if got, want := kept(), u.Raw+" "+c.code+" 1"; got != want {
				t.Errorf("got %q; want %q", got, want)
			}
		})
	}
}

// refused is an error of Telegram's that a text may be the cause of.
func refused(t *testing.T) error {
	t.Helper()
	c, tg := newChat(t, time.Millisecond)
	tg.say = func(string, string) string {
		return `{"ok":false,"error_code":400,"description":"Bad Request: can't parse entities"}`
	}
	_, err := c.Talk.Send(t.Context(), 1, "x", nil)
	if telegram.ClassOf(err) != telegram.Refused {
		t.Fatalf("got %v; want a refusal", err)
	}
	return err
}

// What cannot be said after the effect is what is set aside, not the update: its effect never comes twice.
func TestSetAside_KeepsTheAnswersOfWhatHasHappened(t *testing.T) {
	c, tg := newChat(t, time.Millisecond)
	u := received(t, c, 5, 1)
	tg.say = func(string, string) string { return `{"ok":false,"error_code":400,"description":"Bad Request: odd"}` }
	turn := NewTurn(u, "en")
	reason := c.Handle(t.Context(), turn, func(ctx context.Context) error {
		return c.Answers(ctx, turn, Answer{Chat: 1, Text: "said"})
	})
	if reason == nil {
		t.Fatal("got no error of the refusal")
	}
	if last, err := c.SetAside(t.Context(), turn, 1, 1, reason); !last || err != nil {
		t.Fatalf("got %v, %v", last, err)
	}
	tg.say = nil
	handles(t, c, turn, func(context.Context) error { t.Error("it was handled again"); return nil })
	raw := testrig.Text(t, c.Store, `SELECT raw FROM inbox WHERE set_aside IS NOT NULL`)
	if !IsAnswer(raw) || !strings.Contains(raw, "said") {
		t.Fatalf("got %q; want the answer that could not be said", raw)
	}
	again := NewTurn(store.Update{ID: 5, Raw: raw}, "en")
	tg.since()
	handles(t, c, again, func(context.Context) error { t.Error("it was handled again"); return nil })
	if said, _ := tg.since(); said != "sendMessage said" {
		t.Errorf("later: said %q; want the answer alone", said)
	}
}

func TestSetAside_WhatIsGoneIsOver(t *testing.T) {
	c, _ := newChat(t, time.Millisecond)
	turn := NewTurn(store.Update{ID: 404, Raw: "{}"}, "en")
	if last, err := c.SetAside(t.Context(), turn, 0, 3, errors.New("broken")); !last || err != nil {
		t.Errorf("got %v, %v; want the last try: nobody has the update any more", last, err)
	}
}

// A chat that is gone takes its answers with it, and no others.
func TestHandle_AChatThatIsGoneTakesItsAnswersWithIt(t *testing.T) {
	c, tg := newChat(t, time.Millisecond)
	tg.say = func(_, text string) string {
		if text == "first" {
			return `{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}`
		}
		return ""
	}
	received(t, c, 5, 1)
	said, _ := turns(t, c, tg, 5, func(ctx context.Context, turn *Turn) error {
		return c.Answers(ctx, turn, Answer{Chat: 1, Text: "first"}, Answer{Chat: 2, Text: "other"},
			Answer{Chat: 1, Text: "second"})
	})
	if said != "sendMessage first|sendMessage other" {
		t.Errorf("said %q; want nothing more to the chat that is gone", said)
	}
	if n := testrig.Count(t, c.Store, `SELECT count(*) FROM inbox WHERE raw IS NOT NULL`); n != 0 {
		t.Errorf("got %d updates that are not done; want none", n)
	}
}

// After each answer the inbox holds the rest, so that a stop repeats none.
func TestHandle_TheInboxHoldsWhatIsLeft(t *testing.T) {
	c, tg := newChat(t, time.Millisecond)
	received(t, c, 5, 1)
	var seen []string
	tg.say = func(_, text string) string {
		var left struct{ Answers []Answer }
		json.Unmarshal([]byte(testrig.Text(t, c.Store, `SELECT raw FROM inbox`)), &left)
		var rest []string
		for _, a := range left.Answers {
			rest = append(rest, a.Text)
		}
		seen = append(seen, strings.Join(rest, " "))
		return ""
	}
	turns(t, c, tg, 5, func(ctx context.Context, turn *Turn) error {
		return c.Answers(ctx, turn, Answer{Chat: 1, Text: "a"}, Answer{Chat: 1, Text: "b"}, Answer{Chat: 1, Message: 7})
	})
	if got := strings.Join(seen, "|"); got != "a b |b |" {
		t.Errorf("the inbox held %q; want what was left each time", got)
	}
}

func TestIsPress_OnlyAPress(t *testing.T) {
	for raw, want := range map[string]bool{
		`{"update_id":1,"callback_query":{"id":"1"}}`: true, `{"update_id":1,"message":{}}`: false,
		`{"answers":[]}`: false, `{`: false,
	} {
		if got := IsPress(raw); got != want {
			t.Errorf("%s: got %v; want %v", raw, got, want)
		}
	}
}
