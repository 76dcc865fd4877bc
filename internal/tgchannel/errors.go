// What can go wrong, and what the caller should do about it.

package tgchannel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Refusal is an answer of Telegram with "ok": false.
type Refusal struct {
	Status      int // error_code
	Description string
	RetryAfter  time.Duration // parameters.retry_after
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("telegram answered %d: %s", r.Status, r.Description)
}

const (
	awayPause = 30 * time.Second
	longest   = 24 * time.Hour
)

// Error is a call that did not succeed, as far as we know. It holds no secrets.
type Error struct {
	code, reason, message string
	step                  string
	permanent, waits      bool
	wait                  time.Duration
}

// Error returns "telegram REASON: message".
func (e *Error) Error() string { return "telegram " + e.reason + ": " + e.message }

// Code returns a stable word for what happened, one of Codes. It is what messages hang on, with the action that failed.
func (e *Error) Code() string { return e.code }

// Reason returns a short word for what happened.
func (e *Error) Reason() string { return e.reason }

// Permanent reports whether trying the same again cannot help, or must not be done unasked.
func (e *Error) Permanent() bool { return e.permanent }

// RetryAfter returns how long to wait, and whether this is a wait, which is not an attempt.
func (e *Error) RetryAfter() (time.Duration, bool) { return e.wait, e.waits }

// Unreachable reports whether Telegram did not answer.
func (e *Error) Unreachable() bool { return e.code == "telegram_unreachable" }

// AccessEnded reports whether the channel has to be connected again: the bot is not its admin any more, or it is gone.
func (e *Error) AccessEnded() bool { return e.step == "reconnect" }

// WholeApp reports whether every channel has to wait. No wait of Telegram's does.
func (e *Error) WholeApp() bool { return false }

// Pause returns how long to wait at least before the next attempt.
func (e *Error) Pause() time.Duration { return 0 }

// Step returns the step of a publication that this stops.
func (e *Error) Step() string { return e.step }

// Field returns the field of the form that is refused, "" if none is.
func (e *Error) Field() string { return "" }

// meanings are the codes with their steps.
var meanings = map[string]struct {
	step      string
	permanent bool
}{
	"telegram_unreachable": {},
	"telegram_busy":        {},
	"telegram_refused":     {}, // tried again: it is not known to be final
	"telegram_file":        {},
	"telegram_unclear":     {"unknown", true},
	"telegram_no_channel":  {"reconnect", true},
	"telegram_not_channel": {"reconnect", true},
	"telegram_no_rights":   {"reconnect", true},
	"telegram_not_found":   {"", true},
	"telegram_too_old":     {"", true},
	"telegram_too_large":   {"", true},
}

// Codes returns every code that an error of this package can carry, in order.
func Codes() (all []string) {
	for code := range meanings {
		all = append(all, code)
	}
	slices.Sort(all)
	return all
}

func fail(code, reason, message string) *Error {
	return &Error{
		code:      code,
		reason:    reason,
		message:   oneLine(message),
		step:      meanings[code].step,
		permanent: meanings[code].permanent,
	}
}

func unclear(message string) *Error { return fail("telegram_unclear", "answerLost", message) }

// words are how Telegram says what has a code of its own. It has no other word for it.
var words = []struct{ says, code, reason string }{
	{"chat not found", "telegram_no_channel", "chatNotFound"},
	{"not enough rights", "telegram_no_rights", "noRights"},
	{"need administrator rights", "telegram_no_rights", "noRights"},
	{"chat_write_forbidden", "telegram_no_rights", "noRights"},
	{"chat_admin_required", "telegram_no_rights", "noRights"},
	{"member list is inaccessible", "telegram_no_rights", "noRights"},
	{"wrong file identifier", "telegram_file", "file"},
	{"message to edit not found", "telegram_not_found", "notFound"},
	{"message to delete not found", "telegram_not_found", "notFound"},
	{"message_id_invalid", "telegram_not_found", "notFound"},
	{"too large", "telegram_too_large", "tooLarge"},
	{"message can't be deleted", "telegram_too_old", "tooOld"},
	{"message can't be edited", "telegram_too_old", "tooOld"},
}

// judge makes the error of this package; nil stays nil, and the end of a context stays what it is.
func judge(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if own, ok := errors.AsType[*Error](err); ok {
		return own
	}
	e := fail("telegram_unreachable", "connection", err.Error())
	e.waits, e.wait = true, awayPause
	r, refused := errors.AsType[*Refusal](err)
	if !refused {
		return e
	}
	e.reason, e.message = fmt.Sprint("http", r.Status), oneLine(r.Description)
	switch {
	case r.Status == http.StatusTooManyRequests:
		e = fail("telegram_busy", e.reason, e.message)
		e.waits, e.wait = true, min(max(r.RetryAfter, time.Second), longest)
		return e
	case r.Status >= 500,
		r.Status == http.StatusUnauthorized,
		r.Status == http.StatusNotFound: // 401, 404: the bot's own token
		return e
	}
	for _, w := range words {
		if says(err, w.says) {
			return fail(w.code, w.reason, e.message)
		}
	}
	if r.Status == http.StatusForbidden { // the bot was removed from the channel
		return fail("telegram_no_rights", "noRights", e.message)
	}
	return fail("telegram_refused", e.reason, e.message)
}

// says reports whether Telegram refused with those words.
func says(err error, words string) bool {
	r, ok := errors.AsType[*Refusal](err)
	return ok && strings.Contains(strings.ToLower(r.Description), words)
}

// neverSent reports whether a failed post cannot be in the channel: Telegram refused it, or no connection was made.
func neverSent(err error) bool {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Status < 500
	}
	var told interface{ MaybeSent() bool }
	if errors.As(err, &told) {
		return !told.MaybeSent()
	}
	if dial, ok := errors.AsType[*net.OpError](err); ok {
		return dial.Op == "dial"
	}
	_, noName := errors.AsType[*net.DNSError](err)
	return noName
}

// oneLine makes one line of a text, 300 characters at most.
func oneLine(text string) string {
	runes := []rune(strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " "))
	return string(runes[:min(len(runes), 300)])
}
