// What a failed call means, and logs that do not hold the token.

package telegram

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-telegram/bot"
)

// Class is what a failed call asks for.
type Class int

const (
	Odd     Class = iota // nobody knows: it may have been done or not
	Refused              // the call is wrong and stays wrong
	Wait                 // 429: everything waits
	Down                 // Telegram or the way to it is broken: everything waits, longer each time
	Gone                 // this user or chat cannot be written to
	BadFile              // the file_id is not good (any more): upload the file
	Stopped              // the caller's context ended
)

// String is the name of a class, as meters count it.
func (c Class) String() string {
	return [...]string{"odd", "refused", "too_many", "down", "gone", "bad_file", "stopped"}[c]
}

// Error is a failed call. It never holds the token.
type Error struct {
	Class Class
	after time.Duration
	text  string
	cause error
}

func (e *Error) Error() string { return e.text }
func (e *Error) Unwrap() error { return e.cause }

// Permanent reports whether trying again cannot help.
func (e *Error) Permanent() bool { return e.Class == Refused || e.Class == Gone }

// RetryAfter returns how long to wait before trying again, for the classes that ask to wait.
func (e *Error) RetryAfter() (wait time.Duration, yes bool) {
	return e.after, e.Class == Wait || e.Class == Down
}

// ClassOf returns the class of an error from Gate.Do or Poll; Odd for any other.
func ClassOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return Odd
}

func down(format string, args ...any) *Error {
	return &Error{Class: Down, after: firstRest, text: fmt.Sprintf(format, args...)}
}

// stopped is what ends a wait: the caller's context.
func stopped(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return &Error{Class: Stopped, text: "stopped: " + err.Error(), cause: err}
}

// noProblem are refusals that mean the wish is fulfilled or has lapsed.
var noProblem = []string{"message is not modified", "query is too old", "query ID is invalid",
	"message to delete not found", "message to edit not found", "message can't be edited", "message can't be deleted"}

// gone are refusals that mean the user cannot be written to.
var gone = []string{"chat not found", "user is deactivated", "PEER_ID_INVALID", "USER_IS_BLOCKED", "user not found"}

// classify turns an error of the client library into an *Error; nil stays nil.
func classify(ctx context.Context, err error) *Error {
	var known *Error
	var tooMany *bot.TooManyRequestsError
	var migrated *bot.MigrateError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return stopped(ctx, err).(*Error)
	case errors.As(err, &known):
		return known
	case errors.As(err, &tooMany):
		after := time.Duration(tooMany.RetryAfter)*time.Second + 100*time.Millisecond
		return &Error{Class: Wait, after: after, text: fmt.Sprintf("telegram asks to wait %d s", tooMany.RetryAfter)}
	case errors.Is(err, bot.ErrorForbidden), errors.As(err, &migrated):
		return &Error{Class: Gone, text: err.Error()}
	case errors.Is(err, bot.ErrorUnauthorized), errors.Is(err, bot.ErrorNotFound):
		return down("telegram does not know this bot: check telegram.token")
	case errors.Is(err, bot.ErrorBadRequest):
		switch {
		case contains(err, noProblem):
			return nil
		case contains(err, gone):
			return &Error{Class: Gone, text: err.Error()}
		case contains(err, []string{"wrong file identifier", "wrong remote file", "FILE_REFERENCE", "wrong file_id"}):
			return &Error{Class: BadFile, text: err.Error()}
		}
		return &Error{Class: Refused, text: err.Error()}
	case errors.Is(err, context.DeadlineExceeded):
		return down("telegram did not answer in time")
	}
	// What is left are answers that the library cannot read, and it quotes them: they hold what was sent.
	return &Error{Class: Odd, text: "telegram's answer cannot be understood"}
}

func contains(err error, texts []string) bool {
	for _, t := range texts {
		if strings.Contains(err.Error(), t) {
			return true
		}
	}
	return false
}

// Client is the http.Client for the Bot API. It answers for what never is an answer of the Bot API (a broken
// connection, a proxy's page) with errors of this package: the library would put a page that echoes the token into
// its own.
type Client struct{ HTTP *http.Client }

// NewClient returns a Client without a time limit, which would cut uploads: every call has its own. It keeps the connections of
// all who send at a time; by default Go keeps two, and each other call would begin with a handshake.
func NewClient() Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = transport.MaxIdleConns
	return Client{HTTP: &http.Client{Transport: transport}}
}

// Do implements the client that the library asks for.
func (c Client) Do(r *http.Request) (*http.Response, error) {
	resp, err := c.HTTP.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address, which holds the token
		}
		if r.Context().Err() != nil {
			return nil, err
		}
		return nil, down("telegram cannot be reached: %v", err)
	}
	switch isJSON := strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json"); {
	case resp.StatusCode == http.StatusRequestEntityTooLarge:
		resp.Body.Close()
		return nil, &Error{Class: Refused, text: "telegram: the file is too large"}
	case resp.StatusCode >= 500, !isJSON:
		resp.Body.Close()
		return nil, down("telegram answered %s", resp.Status)
	}
	return resp, nil
}

// Redact returns a slog ReplaceAttr function that takes the secret half of a bot token out of everything.
func Redact(token string) func([]string, slog.Attr) slog.Attr {
	_, secret, _ := strings.Cut(token, ":")
	return func(_ []string, a slog.Attr) slog.Attr {
		if secret == "" {
			return a
		}
		text := a.Value.String()
		if strings.Contains(text, secret) {
			a.Value = slog.StringValue(strings.ReplaceAll(text, secret, "[token]"))
		}
		return a
	}
}
