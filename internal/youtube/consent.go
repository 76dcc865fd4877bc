// Consent: an admin goes to Google's consent page and comes back with access to a channel.

package youtube

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

const scope = "https://www.googleapis.com/auth/"

// scopes are what we ask for: to upload, to see the state of a video, to change and delete it and add it to a playlist.
var scopes = []string{scope + "youtube.upload", scope + "youtube.readonly", scope + "youtube.force-ssl"}

// consentError is why Answer returns no channel.
type consentError struct{ code, text string }

func (e *consentError) Error() string { return e.text }

// Code returns a stable word for what happened, one of Codes.
func (e *consentError) Code() string { return e.code }

// Permanent reports that only a person can help.
func (e *consentError) Permanent() bool { return true }

// Why Answer returns no channel.
var (
	ErrState error = &consentError{"youtube_consent_old",
		"youtube: the consent wasn't asked for in this session, or more than ten minutes ago"}
	ErrDenied    error = &consentError{"youtube_consent_denied", "youtube: consent was denied"}
	ErrScopes    error = &consentError{"youtube_consent_partial", "youtube: consent was not given to everything"}
	ErrNoRefresh error = &consentError{"youtube_no_refresh", "youtube: consent came without a refresh token"}
	ErrNoChannel error = &consentError{"youtube_no_channel", "youtube: the account has no channel"}
)

// OtherChannel is what Answer returns if a channel is reconnected and the person chose another one. Its access is not
// revoked: both channels may belong to one account, and then it would end for both.
type OtherChannel struct {
	Want string // external id
	Got  Channel
}

func (e *OtherChannel) Error() string {
	return fmt.Sprintf("youtube: channel %s was chosen; want %s", e.Got.ID, e.Want)
}

// Code returns "youtube_other_channel".
func (*OtherChannel) Code() string { return "youtube_other_channel" }

// Permanent reports that only a person can help.
func (*OtherChannel) Permanent() bool { return true }

// Grant is access to a channel.
type Grant struct {
	Token   Token
	Channel Channel
}

// Channel is a YouTube channel.
type Channel struct{ ID, Title string }

// ask is a consent that has not been answered yet.
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

// Ask returns the address of Google's consent page for the admin with that session. expect is the external id of the
// channel to reconnect; "" accepts any.
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
	// Google sends a refresh token only if it asks for consent again.
	return c.oauth.AuthCodeURL(key, oauth2.AccessTypeOffline, oauth2.SetAuthURLParam("prompt", "consent"),
		oauth2.S256ChallengeOption(verifier))
}

// take returns the consent that the state belongs to. It can be taken once.
func (c *Client) take(session [32]byte, state string) (ask, bool) {
	c.asks.mu.Lock()
	defer c.asks.mu.Unlock()
	a, ok := c.asks.open[state]
	delete(c.asks.open, state)
	return a, ok && subtle.ConstantTimeCompare(a.session[:], session[:]) == 1 && c.now().Before(a.until)
}

// Answer exchanges what Google's consent page sent the admin back with for access to a channel. It returns one of the
// errors above, *OtherChannel or *Error.
func (c *Client) Answer(ctx context.Context, session [32]byte, query url.Values) (Grant, error) {
	asked, ok := c.take(session, query.Get("state"))
	if !ok {
		return Grant{}, ErrState
	}
	switch problem := query.Get("error"); {
	case problem == "access_denied":
		return Grant{}, ErrDenied
	case problem != "":
		return Grant{}, c.judge(
			&Error{reason: tidy(problem), message: tidy(query.Get("error_description")), verdict: true},
			answer{status: http.StatusBadRequest},
		)
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
	if len(fresh.Scopes) == 0 { // RFC 6749, section 5.1: it may be left out if it is what was asked for
		fresh.Scopes = slices.Clone(scopes)
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
		t := Token{Access: got.AccessToken, Refresh: got.RefreshToken}
		if got.ExpiresIn > 0 {
			t.Expiry = c.now().Add(time.Duration(got.ExpiresIn) * time.Second)
		}
		if text, ok := got.Extra("scope").(string); ok {
			t.Scopes = strings.Fields(text)
		}
		if ends, ok := got.Extra("refresh_token_expires_in").(float64); ok && ends > 0 {
			t.Ends = c.now().Add(time.Duration(ends) * time.Second)
		}
		return t, nil
	case ctx.Err() != nil:
		return Token{}, context.Cause(ctx)
	case errors.As(err, &refused):
		var v struct { // x/oauth2 reads it only with the right Content-Type
			Error       string
			Description string `json:"error_description"`
		}
		json.Unmarshal(refused.Body, &v) // otherwise it is not Google's
		e := &Error{reason: tidy(v.Error), message: tidy(v.Description), verdict: v.Error != ""}
		return Token{}, c.judge(e, answer{status: refused.Response.StatusCode, header: refused.Response.Header})
	case errors.As(err, &at):
		return Token{}, unreachable(at.Err.Error())
	}
	return Token{}, unreadable("the answer of Google's token server isn't a token")
}
