// Tests of what people sent to the bot and could not be handled or answered.

package desk

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"retake.example/internal/store"
)

func TestAttention_WhatIsUnansweredIsOneItemOfOwners(t *testing.T) {
	for code, want := range map[string]string{
		"telegram_refused":      "Telegram refused it.",
		"telegram_too_large":    "It is too large for Telegram.",
		store.UpdateShape:       "Retake cannot read what Telegram sent. A newer version may.",
		store.UpdateFailed:      "Something went wrong here each time; the log says what.",
		"telegram_chat_gone":    "",
		"telegram_message_gone": "",
	} {
		t.Run(code, func(t *testing.T) {
			r := newRig(t)
			for i, raw := range []string{`{"message":{"text":"Аглая"}}`, `{"answers":[{"chat":2,"text":"Аглая?"}]}`} {
				r.mutate(`INSERT INTO inbox (update_id, chat_id, raw, received, error, set_aside) VALUES (?, ?, ?, 1, ?, ?)`,
					i+1, i+1, raw, code, 1700000000000+i)
			}
			var got Attended
			body := r.do(r.Attention, sent{method: "GET", path: "/attention", json: true}).Body.String()
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err)
			}
			if len(got.Attention.Items) != 1 {
				t.Fatalf("got %s; want one item", body)
			}
			i := got.Attention.Items[0]
			if i.Kind != store.NeedsAnswer || i.Messages != 2 || i.Code != code || !i.Since.Equal(time.UnixMilli(1700000000000)) ||
				!strings.HasPrefix(i.Reason, "2 messages from people got no answer. ") || !strings.Contains(i.Reason, want) {
				t.Errorf("got %+v; want two since the first, and why", i)
			}
			for _, page := range []string{body, r.do(r.Attention, sent{method: "GET", path: "/attention"}).Body.String(),
				r.do(r.Library, sent{method: "GET"}).Body.String()} {
				if strings.Contains(page, "Аглая") {
					t.Errorf("got a name on the page: %s", page)
				}
			}
			page := r.do(r.Library, sent{method: "GET"}).Body.String()
			if strings.Count(page, `<form method="post" action="/unanswered"`) != 1 || strings.Contains(page, "/channels#channel-0") {
				t.Errorf("got %s; want one form", page)
			}
			if others, err := r.store.Attention(t.Context(), store.Admin{ID: 7}, time.Time{}); err != nil || others.Total() != 0 {
				t.Errorf("got %v, %v for an admin who is no owner; want nothing", others, err)
			}
		})
	}
}

func TestUnanswered_IsTriedAgainOnceWithAndWithoutABot(t *testing.T) {
	for _, on := range []bool{true, false} {
		r := newRig(t)
		if !on {
			r.opts.Resume = nil
		}
		r.mutate(`INSERT INTO inbox (update_id, chat_id, raw, received, error, set_aside) VALUES (1, 1, '{}', 1, 'telegram_refused', 1)`)
		if w := r.do(r.TryUnanswered, sent{path: "/unanswered"}); w.Code != 303 {
			t.Errorf("bot %v: got %d; want the page", on, w.Code)
		}
		if got := strings.Join(r.out.calls, " "); on != (got == "resume") {
			t.Errorf("bot %v: got the calls %q", on, got)
		}
		if waiting, err := r.store.Inbox(t.Context()); len(waiting) != 1 || err != nil {
			t.Errorf("bot %v: got %v, %v; want it for the next start", on, waiting, err)
		}
		if w := r.do(r.TryUnanswered, sent{path: "/unanswered", json: true}); w.Code != 409 {
			t.Errorf("bot %v, again: got %d; want 409", on, w.Code)
		}
		if n := r.number(`SELECT count(*) FROM audit WHERE action = 'answer again' AND admin = 8`); n != 1 {
			t.Errorf("bot %v: got %d in the list of activity; want one", on, n)
		}
	}
}
