// Consent: an admin is sent to Google and comes back with access to a channel.

package youtube

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

const scope = "https://www.googleapis.com/auth/"

// scopes are what is asked for: to upload, to see how a video is doing, to change and delete it and add it to a playlist.
var scopes = []string{scope + "youtube.upload", scope + "youtube.readonly", scope + "youtube.force-ssl"}

// Why Answer brings no channel.
var (
	ErrState     = errors.New("youtube: this consent was not asked for, not here, or too long ago")
	ErrDenied    = errors.New("youtube: consent was denied")
	ErrScopes    = errors.New("youtube: consent was given, but not to everything")
	ErrNoRefresh = errors.New("youtube: consent came without a refresh token")
	ErrNoChannel = errors.New("youtube: the account has no channel")
)

// OtherChannel is what Answer returns when a channel is reconnected and another one was chosen. Its access is not given back:
// both channels may belong to one account, and then it would end for both.
type OtherChannel struct {
	Want string // external id
	Got  Channel
}

func (e *OtherChannel) Error() string {
	return fmt.Sprintf("youtube: channel %s was chosen; want %s", e.Got.ID, e.Want)
}

// Grant is access to a channel.
type Grant struct {
	Token   Token
	Channel Channel
}

// Channel is a YouTube channel.
type Channel struct{ ID, Title string }

// ask is a consent under way.
type ask struct {
	session          [32]byte
	expect, verifier string
	until            time.Time
}

type asks struct {
	mu   sync.Mutex
	open map[string]ask // by state
}

const (
	askTime = 10 * time.Minute
	maxAsks = 200
)

// Ask returns the address of Google's consent page for the admin with that session. expect is the external id of the channel that
// is reconnected; "" takes any.
func (c *Client) Ask(session [32]byte, expect string) string {
	state := make([]byte, 32)
	rand.Read(state) // never fails
	key, verifier, now := base64.RawURLEncoding.EncodeToString(state), oauth2.GenerateVerifier(), c.now()
	c.asks.mu.Lock()
	defer c.asks.mu.Unlock()
	oldest := ""
	for k, a := range c.asks.open {
		if !now.Before(a.until) {
			delete(c.asks.open, k)
		} else if oldest == "" || a.until.Before(c.asks.open[oldest].until) {
			oldest = k
		}
	}
	if len(c.asks.open) >= maxAsks {
		delete(c.asks.open, oldest)
	}
	c.asks.open[key] = ask{session, expect, verifier, now.Add(askTime)}
	// Without consent being asked again, no refresh token comes.
	return c.oauth.AuthCodeURL(key, oauth2.AccessTypeOffline, oauth2.SetAuthURLParam("prompt", "consent"), oauth2.S256ChallengeOption(verifier))
}

// take takes the consent that the state belongs to; it is spent with that.
func (c *Client) take(session [32]byte, state string) (ask, bool) {
	c.asks.mu.Lock()
	defer c.asks.mu.Unlock()
	a, ok := c.asks.open[state]
	delete(c.asks.open, state)
	return a, ok && subtle.ConstantTimeCompare(a.session[:], session[:]) == 1 && c.now().Before(a.until)
}

// Answer takes what Google's consent page sent the admin back with. Its own errors are above; others are *Error.
func (c *Client) Answer(ctx context.Context, session [32]byte, query url.Values) (Grant, error) {
	asked, ok := c.take(session, query.Get("state"))
	if !ok {
		return Grant{}, ErrState
	}
	switch problem := query.Get("error"); {
	case problem == "access_denied":
		return Grant{}, ErrDenied
	case problem != "":
		return Grant{}, failed(tidy(problem), "")
	}
	fresh, err := c.fetch(ctx, func(ctx context.Context) (*oauth2.Token, error) {
		return c.oauth.Exchange(ctx, query.Get("code"), oauth2.VerifierOption(asked.verifier))
	})
	if err != nil {
		return Grant{}, err
	}
	if fresh.Refresh == "" {
		return Grant{}, ErrNoRefresh
	}
	for _, s := range scopes {
		if !slices.Contains(fresh.Scopes, s) {
			return Grant{}, ErrScopes
		}
	}
	channel, err := c.With(fresh, nil).Mine(ctx)
	if err != nil {
		return Grant{}, err
	}
	if asked.expect != "" && channel.ID != asked.expect {
		return Grant{}, &OtherChannel{asked.expect, channel}
	}
	return Grant{fresh, channel}, nil
}

// fetch gets a token from Google.
func (c *Client) fetch(ctx context.Context, get func(context.Context) (*oauth2.Token, error)) (Token, error) {
	short, end := context.WithTimeout(ctx, patience)
	defer end()
	got, err := get(context.WithValue(short, oauth2.HTTPClient, c.http))
	var refused *oauth2.RetrieveError // its text is the whole answer
	var at *url.Error
	switch {
	case err == nil:
		t := Token{Access: got.AccessToken, Refresh: got.RefreshToken, Expiry: c.now().Add(time.Duration(got.ExpiresIn) * time.Second)}
		if text, ok := got.Extra("scope").(string); ok {
			t.Scopes = strings.Fields(text)
		}
		return t, nil
	case ctx.Err() != nil:
		return Token{}, context.Cause(ctx)
	case errors.As(err, &refused):
		e := &Error{reason: tidy(refused.ErrorCode), message: tidy(refused.ErrorDescription)}
		return Token{}, c.judge(e, answer{status: refused.Response.StatusCode, header: refused.Response.Header})
	case errors.As(err, &at):
		return Token{}, cut(at.Err.Error())
	}
	return Token{}, cut("the answer of the consent server is not understood")
}
