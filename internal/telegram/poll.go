// Polling: the HTTP half of a poller that confirms nothing before it is stored.

package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// pollFor is how long Telegram keeps a poll open when there is nothing to tell.
const pollFor = 50 * time.Second

// Update is one update, decoded no further than its place: a kind of update that nobody knows yet must not stop the rest.
type Update struct {
	ID   int64
	Chat int64 // 0: it belongs to none
	JSON string
}

// Poll asks for the updates from offset on and waits until there are some. By asking, it confirms all before offset:
// these must be stored. The error is an *Error.
func Poll(ctx context.Context, client Client, apiURL, token string, offset int64) ([]Update, error) {
	call, cancel := context.WithTimeout(ctx, pollFor+15*time.Second)
	defer cancel()
	body, err := json.Marshal(map[string]any{"offset": offset, "limit": 100, "timeout": int(pollFor.Seconds()),
		"allowed_updates": []string{"message", "callback_query", "my_chat_member"}})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(call, http.MethodPost, apiURL+"/bot"+token+"/getUpdates", bytes.NewReader(body))
	if err != nil {
		return nil, down("telegram.api_url or telegram.token makes no address")
	}
	r.Header.Set("Content-Type", "application/json")
	var list []json.RawMessage
	if e := classify(ctx, ask(client, r, "getUpdates", &list)); e != nil {
		return nil, e
	}
	updates := make([]Update, 0, len(list))
	for _, raw := range list {
		u, err := place(raw)
		if err != nil {
			return nil, down("an update without an id: %v", err)
		}
		updates = append(updates, u)
	}
	return updates, nil
}

// Keep calls receive again and again until ctx ends. After an error it pauses, longer each time, and at least as long as
// the error says. It logs the first of several errors, and that they are over.
func Keep(ctx context.Context, receive func(context.Context) error, log *slog.Logger) {
	pause := time.Duration(0)
	for ctx.Err() == nil {
		err := receive(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			if pause > 0 {
				log.Info("polling telegram works again")
			}
			pause = 0
			continue
		case pause == 0:
			log.Warn("polling telegram", "err", err)
		}
		pause = min(max(2*pause, time.Second), 30*time.Second)
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
func ask(client Client, r *http.Request, method string, result any) error {
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct {
		OK          bool            `json:"ok"`
		Result      json.RawMessage `json:"result"`
		Code        int             `json:"error_code"`
		Description string          `json:"description"`
		Parameters  struct {
			RetryAfter int `json:"retry_after"`
		} `json:"parameters"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return down("telegram's answer to %s: %v", method, err)
	}
	if !answer.OK {
		switch answer.Code {
		case http.StatusTooManyRequests:
			return &Error{Class: Wait, after: time.Duration(answer.Parameters.RetryAfter)*time.Second + 100*time.Millisecond,
				text: "telegram asks to wait before the next poll"}
		case http.StatusUnauthorized, http.StatusNotFound:
			return down("telegram does not know this bot: check telegram.token")
		case http.StatusConflict:
			return down("another program polls for this bot: stop it, or remove its webhook")
		}
		return down("telegram refused %s: %d %s", method, answer.Code, answer.Description)
	}
	if err := json.Unmarshal(answer.Result, result); err != nil {
		return down("telegram's answer to %s: %v", method, err)
	}
	return nil
}

// place finds an update's id and its chat.
func place(raw json.RawMessage) (Update, error) {
	var id struct {
		ID *int64 `json:"update_id"`
	}
	if err := json.Unmarshal(raw, &id); err != nil {
		return Update{}, err
	}
	if id.ID == nil {
		return Update{}, fmt.Errorf("update_id is missing")
	}
	u := Update{ID: *id.ID, JSON: string(raw)}
	type chat struct {
		ID int64 `json:"id"`
	}
	var in struct {
		Message struct {
			Chat chat `json:"chat"`
		} `json:"message"`
		Callback struct {
			From    chat `json:"from"`
			Message struct {
				Chat chat `json:"chat"`
			} `json:"message"`
		} `json:"callback_query"`
		Member struct {
			Chat chat `json:"chat"`
		} `json:"my_chat_member"`
	}
	if json.Unmarshal(raw, &in) != nil {
		return u, nil // of an unknown shape: in no chat
	}
	for _, id := range []int64{in.Message.Chat.ID, in.Callback.Message.Chat.ID, in.Callback.From.ID, in.Member.Chat.ID} {
		if id != 0 {
			u.Chat = id
			break
		}
	}
	return u, nil
}
