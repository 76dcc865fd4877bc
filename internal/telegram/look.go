// What somebody who sets up a bot may want to know about it.

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
		if e := get(ctx, client, apiURL, token, method, nil, result); e != nil {
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

// Strangers returns those of some people who have not written to the bot yet: Telegram lets no message to them through.
// The error is an *Error.
func Strangers(ctx context.Context, client Client, apiURL, token string, people []int64,
) (strangers []int64, err error) {
	for _, id := range people {
		var chat struct{}
		e := get(ctx, client, apiURL, token, "getChat", url.Values{"chat_id": {strconv.FormatInt(id, 10)}}, &chat)
		switch {
		case e == nil:
		case e.Class == Gone:
			strangers = append(strangers, id)
		default:
			return nil, e
		}
	}
	return strangers, nil
}

// get makes a call that changes nothing.
func get(ctx context.Context, client Client, apiURL, token, method string, query url.Values, result any) *Error {
	limited, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	address := apiURL + "/bot" + token + "/" + method + "?" + query.Encode()
	r, err := http.NewRequestWithContext(limited, http.MethodGet, address, nil)
	if err != nil {
		return noURL()
	}
	return classify(ctx, Call{Method: method}, ask(client, r, result))
}
