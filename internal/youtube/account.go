// Access to one channel: its token, which is refreshed when it is due, and the calls that are made with it.

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

// Token is access to a channel, to be stored sealed. It is JSON, and hidden wherever it is printed.
type Token struct {
	Access  string    `json:"access"`
	Refresh string    `json:"refresh"`
	Expiry  time.Time `json:"expiry"` // of Access; zero: Google did not say, so it is used until it is refused
	Scopes  []string  `json:"scopes"`
	// Ends is when Refresh ends, and the access with it; zero: Google did not say. It is a week after the consent
	// while the Google project is in testing, and the time that the person chose who gave access for a limited time.
	Ends time.Time `json:"ends,omitzero"`
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

// With returns the account of a token. keep is called with the new token after each refresh; nil: it is not stored.
func (c *Client) With(t Token, keep func(context.Context, Token) error) *Account {
	return &Account{c: c, keep: keep, token: t}
}

// access returns an access token other than the refused one.
func (a *Account) access(ctx context.Context, refused string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fresh := a.token.Expiry.IsZero() || a.c.now().Before(a.token.Expiry.Add(-time.Minute))
	if a.token.Access != "" && a.token.Access != refused && fresh {
		return a.token.Access, nil
	}
	return a.refresh(ctx)
}

// refresh gets a new token and stores it. The lock must be held.
func (a *Account) refresh(ctx context.Context) (string, error) {
	if a.token.Refresh == "" {
		return "", known("authError", "there is no refresh token")
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
	if fresh.Ends.IsZero() {
		fresh.Ends = a.token.Ends
	}
	a.token = fresh
	if a.keep != nil {
		if err := a.keep(ctx, fresh); err != nil {
			return "", err
		}
	}
	return fresh.Access, nil
}

// do sends a request as the channel. A token that is refused is refreshed once.
func (a *Account) do(ctx context.Context, r request) (answer, error) {
	token, err := a.access(ctx, "")
	if err != nil {
		return answer{unsent: r.size}, err
	}
	got, err := a.c.send(ctx, r, token)
	if err != nil || got.status != http.StatusUnauthorized {
		return got, err
	}
	if token, err = a.access(ctx, token); err != nil {
		return answer{unsent: r.size}, err
	}
	return a.c.send(ctx, r, token)
}

// call makes a call that is not an upload and reads its answer into out; nil: only whether it is YouTube's.
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
	case method == "DELETE" && got.status == http.StatusNoContent: // the only one without content
		return nil
	}
	return got.read(out)
}

// channel is a channel in the API.
type channel struct {
	ID      string
	Snippet struct{ Title string }
	Content struct {
		Playlists struct{ Uploads string } `json:"relatedPlaylists"`
	} `json:"contentDetails"`
}

// mine returns the channel that the token is for, or ErrNoChannel.
func (a *Account) mine(ctx context.Context, part string) (channel, error) {
	var v struct{ Items []channel }
	err := a.call(ctx, "GET", "/youtube/v3/channels", url.Values{"part": {part}, "mine": {"true"}}, nil, &v)
	switch {
	case is(err, "youtubeSignupRequired"), err == nil && (len(v.Items) == 0 || v.Items[0].ID == ""):
		return channel{}, ErrNoChannel
	case err != nil:
		return channel{}, err
	}
	return v.Items[0], nil
}

// Mine returns the channel, which shows that the access still works.
func (a *Account) Mine(ctx context.Context) (Channel, error) {
	c, err := a.mine(ctx, "snippet")
	return Channel{c.ID, c.Snippet.Title}, err
}

// Revoke ends the access at Google. It is not an error if the access has ended already.
//
// Google ends all access that this program has to the same Google account, so other channels of that account lose
// theirs too. Whether two channels belong to one account cannot be asked with our scopes: while another channel is
// connected, the caller should forget the token instead, and name https://myaccount.google.com/connections.
func (a *Account) Revoke(ctx context.Context) error {
	a.mu.Lock()
	form := url.Values{"token": {a.token.Refresh}}.Encode()
	a.mu.Unlock()
	got, err := a.c.send(ctx, request{
		method: "POST", url: strings.TrimSuffix(a.c.conf.TokenURL, "/token") + "/revoke",
		header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
		body:   text(form), size: int64(len(form)), wait: patience,
	}, "")
	switch {
	case err != nil:
		return err
	case got.status == http.StatusOK && json.Valid(got.body):
		return nil
	case got.status/100 == 2:
		return unreadable("the answer isn't JSON")
	}
	var v struct{ Error string }
	if json.Unmarshal(got.body, &v) == nil && v.Error == "invalid_token" {
		return nil
	}
	return a.c.judge(&Error{reason: tidy(v.Error), verdict: v.Error != ""}, got)
}
