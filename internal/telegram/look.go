// What somebody who sets up a bot may want to know of it.

package telegram

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// lookTime is how long an answer may take.
const lookTime = 8 * time.Second

// Self is the bot as Telegram knows it.
type Self struct {
	Name    string // without the @
	Webhook string // host of a webhook, which keeps everything from the poller; "": there is none
}

// Look asks Telegram who the bot of a token is, and changes nothing. The error is an *Error.
func Look(ctx context.Context, client Client, apiURL, token string) (s Self, err error) {
	var me struct {
		Username string `json:"username"`
	}
	var hook struct {
		URL string `json:"url"`
	}
	for method, result := range map[string]any{"getMe": &me, "getWebhookInfo": &hook} {
		if e := classify(ctx, get(ctx, client, apiURL, token, method, nil, result)); e != nil {
			return s, e
		}
	}
	s.Name = me.Username
	if hook.URL != "" {
		s.Webhook = "an unknown place"
		if u, err := url.Parse(hook.URL); err == nil && u.Host != "" { // its path may be a secret
			s.Webhook = u.Host
		}
	}
	return s, nil
}

// Strangers returns those of some people who have not written to the bot yet: Telegram lets no message to them through. The
// error is an *Error.
func Strangers(ctx context.Context, client Client, apiURL, token string, people []int64) (strangers []int64, err error) {
	for _, id := range people {
		var chat struct{}
		err := get(ctx, client, apiURL, token, "getChat", url.Values{"chat_id": {strconv.FormatInt(id, 10)}}, &chat)
		switch {
		case err == nil:
		case contains(err, gone):
			strangers = append(strangers, id)
		default:
			if e := classify(ctx, err); e != nil {
				return nil, e
			}
		}
	}
	return strangers, nil
}

// get makes a call that changes nothing.
func get(ctx context.Context, client Client, apiURL, token, method string, query url.Values, result any) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, apiURL+"/bot"+token+"/"+method+"?"+query.Encode(), nil)
	if err != nil {
		return down("telegram.api_url or telegram.token makes no address")
	}
	return ask(client, r, method, result)
}
