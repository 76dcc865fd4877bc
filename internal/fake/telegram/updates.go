// Updates: the queue in which everything that people do waits for the bot.

package telegram

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// How long Telegram keeps an update that nobody fetches.
const (
	updateLife = 24 * time.Hour
	pressLife  = 150 * time.Second // also how long a press can be answered
)

// keptUpdates bounds the history from which an update can be sent again.
const keptUpdates = 10_000

// Update is something that happened, as the bot is told of it.
type Update struct {
	ID        int64
	Kind      string // message, callback_query, my_chat_member, or "" for a raw one
	JSON      json.RawMessage
	At        time.Time
	Confirmed bool // a later getUpdates had a higher offset
	Expired   bool // nobody fetched it while it lived

	message *message // to be shown as read once the update is confirmed
	again   bool     // a duplicate, given out once whatever the offset
}

type updateQueue struct {
	next    int64
	history []*Update // in the order in which they happened
	waiting []*Update // not confirmed yet, in the order in which they are given out
	allowed []string  // empty = every kind
	poll    chan struct{}
}

// Updates returns what happened so far, oldest first.
func (s *Server) Updates() []Update {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Update, len(s.updates.history))
	for i, u := range s.updates.history {
		out[i] = *u
	}
	return out
}

// Pending counts the updates that the bot has not confirmed yet.
func (s *Server) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.updates.waiting)
}

// SetNextUpdateID makes the ids go on from another number, as Telegram does
// after a week without updates.
func (s *Server) SetNextUpdateID(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.updates.next = id
}

// SendRaw queues an update just as it is, but for the update_id, which the
// server puts in front of the other fields. Any JSON object will do, so a test
// can send what no decoder of updates understands; it panics on anything else.
func (s *Server) SendRaw(raw json.RawMessage) {
	rest, ok := bytes.CutPrefix(bytes.TrimSpace(raw), []byte("{"))
	if !ok || !json.Valid(raw) {
		panic(fmt.Sprintf("telegram: a raw update must be a JSON object, got %s", raw))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enqueue("", nil, func(id int64) json.RawMessage {
		comma := ","
		if bytes.HasPrefix(bytes.TrimSpace(rest), []byte("}")) {
			comma = ""
		}
		return fmt.Appendf(nil, `{"update_id":%d%s%s`, id, comma, rest)
	})
}

// Redeliver gives an update out once more, even a confirmed one, and says
// whether that id is known: Telegram promises at least once, not exactly once.
func (s *Server) Redeliver(updateID int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.updates.history, func(u *Update) bool { return u.ID == updateID })
	if i < 0 {
		return false
	}
	twin := *s.updates.history[i]
	twin.again, twin.At = true, s.now()
	s.updates.waiting = append(s.updates.waiting, &twin)
	s.broadcast()
	return true
}

// tell queues an update of a kind the bot may know. The lock must be held.
func (s *Server) tell(kind string, m *message, content any) {
	if len(s.updates.allowed) > 0 && !slices.Contains(s.updates.allowed, kind) {
		return
	}
	s.enqueue(kind, m, func(id int64) json.RawMessage {
		raw, err := json.Marshal(map[string]any{"update_id": id, kind: content})
		if err != nil {
			panic(err) // only our own plain types are in there
		}
		return raw
	})
}

func (s *Server) enqueue(kind string, m *message, build func(id int64) json.RawMessage) {
	q := &s.updates
	u := &Update{ID: q.next, Kind: kind, JSON: build(q.next), At: s.now(), message: m}
	q.next++
	if len(q.history) == keptUpdates {
		q.history = append(q.history[:0], q.history[keptUpdates/2:]...)
	}
	q.history = append(q.history, u)
	q.waiting = append(q.waiting, u)
	s.broadcast()
}

var webhookActive = &apiError{code: http.StatusConflict,
	text: "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"}

// getUpdates is the long poll. Of two at a time the older one is told to stop.
func (s *Server) getUpdates(r *request) (any, *apiError) {
	var allowed []string
	if raw := r.text("allowed_updates"); raw != "" {
		if err := json.Unmarshal([]byte(raw), &allowed); err != nil {
			return nil, bad("can't parse allowed updates list")
		}
	}
	limit := int(r.number("limit"))
	if limit < 1 || limit > 100 {
		limit = 100
	}
	timeout := time.Duration(min(max(r.number("timeout"), 0), 50)) * time.Second
	mine := make(chan struct{})

	s.mu.Lock()
	if s.trouble.webhook != "" {
		s.mu.Unlock()
		return nil, webhookActive
	}
	if r.text("allowed_updates") != "" {
		s.updates.allowed = allowed
	}
	if s.updates.poll != nil {
		close(s.updates.poll)
	}
	s.updates.poll = mine
	offset := r.number("offset")
	if offset < 0 {
		offset = s.fromTheEnd(-offset)
	}
	s.forget(offset)
	s.mu.Unlock()

	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.updates.poll == mine {
			s.updates.poll = nil
		}
	}()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for over := timeout == 0; ; {
		s.mu.Lock()
		batch, changed, down := s.batch(limit), s.changed, s.down
		s.mu.Unlock()
		switch {
		case down:
			return nil, lost
		case len(batch) > 0 || over:
			return batch, nil
		}
		select {
		case <-changed:
		case <-timer.C:
			over = true
		case <-mine:
			if s.Webhook() != "" {
				return nil, &apiError{code: http.StatusConflict, text: "Conflict: terminated by setWebhook request"}
			}
			return nil, &apiError{code: http.StatusConflict,
				text: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"}
		case <-r.ctx.Done():
			return nil, lost
		case <-s.done:
			return nil, lost
		}
	}
}

// batch returns the next updates to give out, never nil.
func (s *Server) batch(limit int) []json.RawMessage {
	q := &s.updates
	now := s.now()
	q.waiting = slices.DeleteFunc(q.waiting, func(u *Update) bool {
		life := updateLife
		if u.Kind == "callback_query" {
			life = pressLife
		}
		u.Expired = now.Sub(u.At) > life
		return u.Expired
	})
	out := []json.RawMessage{}
	keep := q.waiting[:0]
	for _, u := range q.waiting {
		if len(out) == limit {
			keep = append(keep, u)
			continue
		}
		out = append(out, u.JSON)
		if !u.again {
			keep = append(keep, u)
		}
	}
	q.waiting = keep
	return out
}

// forget confirms every update below an offset. Duplicates stay: their whole
// point is to come after the confirmation.
func (s *Server) forget(offset int64) {
	confirmed := false
	s.updates.waiting = slices.DeleteFunc(s.updates.waiting, func(u *Update) bool {
		if u.again || u.ID >= offset {
			return false
		}
		u.Confirmed, confirmed = true, true
		if u.message != nil {
			u.message.read = true
			u.message.chat.rev++
		}
		return true
	})
	if confirmed {
		s.broadcast()
	}
}

// fromTheEnd turns "the last n updates" into an offset.
func (s *Server) fromTheEnd(n int64) int64 {
	if have := int64(len(s.updates.waiting)); n > 0 && n < have {
		return s.updates.waiting[have-n].ID
	}
	return 0
}
