// Presses of inline buttons and the bot's answers to them.

package telegram

import (
	"slices"
	"time"
)

// query is one press.
type query struct {
	id       string
	person   *Person
	chat     *chat
	message  int
	data     string
	at       time.Time
	answered bool
}

// Toast is the bot's answer to a press: a short note, a window when Alert is
// set, or nothing to be seen when the text is empty.
type Toast struct {
	QueryID string
	Text    string
	Alert   bool
	At      time.Time
}

// press makes the update. A message that is not in the chat, or too old to be
// read, is told of as inaccessible. The lock must be held.
func (s *Server) press(p *Person, c *chat, messageID int, data string, old bool) string {
	q := &query{
		id:     randomDigits(),
		person: p, chat: c, message: messageID, data: data, at: s.now(),
	}
	s.queries[q.id] = q
	shown := map[string]any{"chat": c.wire(), "message_id": messageID, "date": 0}
	if m := c.find(messageID); m != nil && !old {
		shown = m.wire()
	}
	s.tell("callback_query", nil, map[string]any{
		"id": q.id, "from": p.user, "message": shown, "chat_instance": c.instance, "data": data,
	})
	p.presses = append(p.presses, q)
	s.touch(p.chat)
	return q.id
}

// Unanswered counts the presses that the bot has never answered, however old.
func (s *Server) Unanswered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, q := range s.queries {
		if !q.answered {
			n++
		}
	}
	return n
}

func (s *Server) answerCallbackQuery(r *request) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if units(r.text("text")) > maxToast {
		return nil, bad("MESSAGE_TOO_LONG")
	}
	q := s.queries[r.text("callback_query_id")]
	if q == nil || s.now().Sub(q.at) > pressLife {
		return nil, bad("query is too old and response timeout expired or query ID is invalid")
	}
	if q.answered {
		return true, nil // the first answer stands
	}
	q.answered = true
	q.person.presses = slices.DeleteFunc(q.person.presses, func(other *query) bool { return other == q })
	q.person.toasts = append(q.person.toasts,
		Toast{QueryID: q.id, Text: r.text("text"), Alert: r.flag("show_alert"), At: s.now()})
	s.touch(q.person.chat)
	return true, nil
}
