// Polling: the HTTP half of a poller that confirms nothing before it is stored.

package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"retake.example/internal/routine"
)

// pollFor is how long Telegram keeps a poll open when there is nothing to tell.
const pollFor = 50 * time.Second

// Update is one update, decoded no further than its place: a kind of update that nobody knows yet must not stop the
// rest.
type Update struct {
	ID   int64
	Chat int64 // 0: it belongs to none
	JSON string
}

// Poll asks for the updates from offset on and waits until there are some. By asking, it confirms all before offset:
// these must be stored. The error is an *Error.
func Poll(ctx context.Context, client Client, apiURL, token string, offset int64) ([]Update, error) {
	limited, cancel := context.WithTimeout(ctx, pollFor+15*time.Second)
	defer cancel()
	body, err := json.Marshal(map[string]any{"offset": offset, "limit": 100, "timeout": int(pollFor.Seconds()),
		"allowed_updates": []string{"message", "edited_message", "edited_channel_post", "callback_query",
			"my_chat_member"}})
	if err != nil {
		return nil, err
	}
	address := apiURL + "/bot" + token + "/getUpdates"
	r, err := http.NewRequestWithContext(limited, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, noURL()
	}
	r.Header.Set("Content-Type", "application/json")
	var list []json.RawMessage
	if e := classify(ctx, Call{Method: "getUpdates"}, ask(client, r, &list)); e != nil {
		return nil, e.forPoll()
	}
	updates := make([]Update, 0, len(list))
	for _, raw := range list {
		if u, ok := place(raw); ok {
			updates = append(updates, u)
		}
	}
	if len(updates) == 0 && len(list) > 0 { // otherwise the next one confirms it, and we go on
		return nil, failed(Unreadable, http.StatusOK, "telegram sends updates without ids")
	}
	return updates, nil
}

// BotID returns the id of the bot that a token belongs to; 0: it has none.
func BotID(token string) int64 {
	id, _, _ := strings.Cut(token, ":")
	n, _ := strconv.ParseInt(id, 10, 64)
	return n
}

// forPoll returns what an error means for a poll: whatever Telegram refuses, there is nothing to do but to poll again.
func (e *Error) forPoll() *Error {
	if e.Class.waits() || e.Class == Stopped {
		return e
	}
	own := *e
	own.Class = Down
	return &own
}

// Keep calls receive again and again until ctx ends. After an error it pauses, longer each time, and at least as long
// as the error says. It logs the first of several errors that mean the same, and that they are over. A panic is an
// error like any other: nobody would hear anything after it.
func Keep(ctx context.Context, receive func(context.Context) error, log *slog.Logger) {
	pause, last := time.Duration(0), Class(-1)
	for ctx.Err() == nil {
		err := routine.Call(func() error { return receive(ctx) })
		class := ClassOf(err)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			if pause > 0 {
				log.Info("polling telegram works again")
			}
			pause, last = 0, -1
			continue
		case class != last:
			log.Warn("polling telegram", "err", err)
		}
		longest := 30 * time.Second
		if class == OtherPoller {
			longest = proof / 2 * time.Second // the other one must hear of us while it is not sure that it is alone
		}
		last, pause = class, min(max(2*pause, time.Second), longest)
		if e, ok := errors.AsType[*Error](err); ok {
			if after, waits := e.RetryAfter(); waits {
				pause = max(pause, after)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// ask makes a call that the library would make otherwise, and decodes its result.
func ask(client Client, r *http.Request, result any) error {
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	answer := struct {
		Result any `json:"result"`
	}{result}
	return json.NewDecoder(resp.Body).Decode(&answer) // it holds no error of Telegram: see Client.Do
}

func noURL() *Error {
	return failed(Down, 0, "telegram.api_url and telegram.token make no valid URL")
}

// place finds an update's id and its chat; not ok if it has no id. The edit of a channel's post is in no chat: nobody
// waits for an answer to it.
func place(raw json.RawMessage) (u Update, ok bool) {
	var id struct {
		ID *int64 `json:"update_id"`
	}
	if json.Unmarshal(raw, &id) != nil || id.ID == nil {
		return Update{}, false
	}
	u = Update{ID: *id.ID, JSON: string(raw)}
	type chat struct {
		ID int64 `json:"id"`
	}
	type message struct {
		Chat chat `json:"chat"`
	}
	var in struct {
		Message  message `json:"message"`
		Edited   message `json:"edited_message"`
		Callback struct {
			From    chat    `json:"from"`
			Message message `json:"message"`
		} `json:"callback_query"`
		Member message `json:"my_chat_member"`
	}
	if json.Unmarshal(raw, &in) != nil {
		return u, true // of an unknown shape: in no chat
	}
	for _, id := range []int64{in.Message.Chat.ID, in.Edited.Chat.ID, in.Callback.Message.Chat.ID, in.Callback.From.ID,
		in.Member.Chat.ID} {
		if id != 0 {
			u.Chat = id
			break
		}
	}
	return u, true
}
