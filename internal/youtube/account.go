// Access to one channel: its token, kept fresh, and what is asked with it.

package youtube

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// hidden stands for a secret wherever it is printed.
const hidden = "[hidden]"

// Token is access to a channel, to be kept sealed. It is JSON, and hidden wherever it is printed.
type Token struct {
	Access  string    `json:"access"`
	Refresh string    `json:"refresh"`
	Expiry  time.Time `json:"expiry"`
	Scopes  []string  `json:"scopes"`
}

func (Token) String() string       { return hidden }
func (Token) GoString() string     { return hidden }
func (Token) LogValue() slog.Value { return slog.StringValue(hidden) }

// Account is a channel that this program has access to. It may be used by any number of goroutines.
type Account struct {
	c     *Client
	keep  func(context.Context, Token) error
	mu    sync.Mutex
	token Token
}

// With returns the account of a token. keep is called with the new token whenever it was refreshed; nil: nobody keeps it.
func (c *Client) With(t Token, keep func(context.Context, Token) error) *Account {
	return &Account{c: c, keep: keep, token: t}
}

// access returns an access token other than the refused one.
func (a *Account) access(ctx context.Context, refused string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token.Access != "" && a.token.Access != refused && a.c.now().Before(a.token.Expiry.Add(-time.Minute)) {
		return a.token.Access, nil
	}
	if a.token.Refresh == "" {
		return "", &Error{class: ended, reason: "authError", message: "there is no refresh token"}
	}
	// Google gives a refresh token once; x/oauth2 puts the old one into an answer without.
	fresh, err := a.c.fetch(ctx, func(ctx context.Context) (*oauth2.Token, error) {
		return a.c.oauth.TokenSource(ctx, &oauth2.Token{RefreshToken: a.token.Refresh}).Token()
	})
	if err != nil {
		return "", err
	}
	if len(fresh.Scopes) == 0 {
		fresh.Scopes = a.token.Scopes
	}
	a.token = fresh
	if a.keep != nil {
		if err := a.keep(ctx, fresh); err != nil {
			return "", err
		}
	}
	return fresh.Access, nil
}

// do sends a request as the channel; a token that is not good any more is refreshed once.
func (a *Account) do(ctx context.Context, r request) (answer, error) {
	token, err := a.access(ctx, "")
	if err != nil {
		return answer{}, err
	}
	got, err := a.c.send(ctx, r, token)
	if err != nil || got.status != http.StatusUnauthorized {
		return got, err
	}
	if token, err = a.access(ctx, token); err != nil {
		return answer{}, err
	}
	return a.c.send(ctx, r, token)
}

// call makes a call that is not an upload and reads its answer into out, unless that is nil.
func (a *Account) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	r, err := a.c.api(method, path, query, in)
	if err != nil {
		return err
	}
	got, err := a.do(ctx, r)
	switch {
	case err != nil:
		return err
	case got.status/100 != 2:
		return a.c.refusal(got)
	case out == nil:
		return nil
	}
	return got.read(out)
}

// Mine returns the channel, which shows that the access still works.
func (a *Account) Mine(ctx context.Context) (Channel, error) {
	var v struct {
		Items []struct {
			ID      string
			Snippet struct{ Title string }
		}
	}
	err := a.call(ctx, "GET", "/youtube/v3/channels", url.Values{"part": {"snippet"}, "mine": {"true"}}, nil, &v)
	switch {
	case is(err, "youtubeSignupRequired"), err == nil && len(v.Items) == 0:
		return Channel{}, ErrNoChannel
	case err != nil:
		return Channel{}, err
	}
	return Channel{v.Items[0].ID, v.Items[0].Snippet.Title}, nil
}

// Revoke gives the access back to Google. Access that has ended already is no error.
func (a *Account) Revoke(ctx context.Context) error {
	a.mu.Lock()
	form := url.Values{"token": {a.token.Refresh}}.Encode()
	a.mu.Unlock()
	got, err := a.c.send(ctx, request{
		method: "POST", url: strings.TrimSuffix(a.c.conf.TokenURL, "/token") + "/revoke",
		header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
		body:   text(form), size: int64(len(form)), wait: patience,
	}, "")
	if err != nil || got.status/100 == 2 {
		return err
	}
	var v struct{ Error string }
	if json.Unmarshal(got.body, &v) == nil && v.Error == "invalid_token" {
		return nil
	}
	return a.c.judge(&Error{reason: tidy(v.Error)}, got)
}
