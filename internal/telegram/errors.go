// Errors of the Bot API: what a failed call means, by its status, its method and few facts about chats.

package telegram

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// Class is what a failed call asks for.
type Class int

const (
	Odd         Class = iota // not an error of this package
	Refused                  // Telegram refused the call, and we don't know why: try again, then tell
	Wait                     // 429: this chat, or this method, waits
	Down                     // Telegram or the way to it is broken: wait, longer each time
	Gone                     // this user or chat cannot be written to
	BadFile                  // the file_id was refused: upload the file
	Stopped                  // the caller's context ended
	Token                    // Telegram does not know the bot: telegram.token is wrong or was revoked
	LoggedOut                // the bot was logged out of this Bot API server
	Webhook                  // a webhook takes the updates
	OtherPoller              // another program polls for the same bot
	TooLarge                 // 413: the file is larger than the server takes
	Unreadable               // an answer that cannot be read: the call may have been done
	Dropped                  // a courtesy had no free turn in time: the next state replaces it
	NoMessage                // the message to edit cannot be edited any more, or is gone
)

// classes holds, for each class, its name in metrics and its stable code, which is stored and shown to admins.
var classes = [...]struct{ name, code string }{
	Odd:         {"odd", "telegram_odd"},
	Refused:     {"refused", "telegram_refused"},
	Wait:        {"too_many", "telegram_rate"},
	Down:        {"down", "telegram_unreachable"},
	Gone:        {"gone", "telegram_chat_gone"},
	BadFile:     {"bad_file", "telegram_file_refused"},
	Stopped:     {"stopped", "telegram_stopped"},
	Token:       {"token", "telegram_token"},
	LoggedOut:   {"logged_out", "telegram_logged_out"},
	Webhook:     {"webhook", "telegram_webhook"},
	OtherPoller: {"other_poller", "telegram_other_poller"},
	TooLarge:    {"too_large", "telegram_too_large"},
	Unreadable:  {"unreadable", "telegram_unreadable"},
	Dropped:     {"dropped", "telegram_dropped"},
	NoMessage:   {"no_message", "telegram_message_gone"},
}

// String returns the name of a class in metrics.
func (c Class) String() string { return classes[c].name }

// Code returns the stable code of a class.
func (c Class) Code() string { return classes[c].code }

// Classes returns all classes, for those who count or describe them.
func Classes() []Class {
	all := make([]Class, len(classes))
	for i := range all {
		all[i] = Class(i)
	}
	return all
}

// waits reports whether trying again later helps without spending an attempt: nothing is wrong with the call.
func (c Class) waits() bool {
	switch c {
	case Wait, Down, Token, LoggedOut, Webhook, OtherPoller, Unreadable, Dropped:
		return true
	}
	return false
}

// Error is a failed call. It never holds the token, nor what was sent.
type Error struct {
	Class  Class
	Status int // Telegram's error_code, or the HTTP status of an answer without one; 0 if there was no answer
	after  time.Duration
	text   string
	cause  error
	maybe  bool // the call may have been done all the same
	place  bool // all calls fail alike, not only this one
}

func (e *Error) Error() string { return e.text }
func (e *Error) Unwrap() error { return e.cause }

// Code returns the stable code of the error's class, such as telegram_unreachable.
func (e *Error) Code() string { return e.Class.Code() }

// Permanent reports whether trying again cannot help. Only a chat that is gone is final; whatever else Telegram
// refuses, it may take the next time.
func (e *Error) Permanent() bool { return e.Class == Gone }

// RetryAfter returns how long to wait before trying again, for the classes that ask to wait.
func (e *Error) RetryAfter() (wait time.Duration, yes bool) { return e.after, e.Class.waits() }

// MaybeSent reports whether the message may have gone out although the call failed. The Bot API has no idempotency key:
// callers that count these can bound the number of copies.
func (e *Error) MaybeSent() bool { return e.maybe }

// ClassOf returns the class of an error from Gate.Do or Poll; Odd for any other.
func ClassOf(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return Odd
}

// MaxCopies is how often a message may be sent whose answers cannot be read: Telegram has no way to ask whether it
// arrived.
const MaxCopies = 2

// MaybeSent reports whether err is a failed call whose message may have gone out.
func MaybeSent(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.maybe
}

// firstPause is how long to wait after a first failure that names no time.
const firstPause = time.Second

func failed(class Class, status int, text string) *Error {
	return &Error{Class: class, Status: status, after: firstPause, text: text}
}

// stopped is the error of a call or a wait that the caller's context ended.
func stopped(ctx context.Context, err error) *Error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return &Error{Class: Stopped, text: "stopped: " + err.Error(), cause: err}
}

// chatGone are the words by which a 400 says that a chat cannot be written to, in lower case. The list is closed: a
// refusal in other words is tried again. A 403 for a call with a chat says the same in any words.
var chatGone = []string{"chat not found", "user not found", "user is deactivated", "input_user_deactivated",
	"peer_id_invalid", "user_is_blocked", "bot was blocked", "bot was kicked", "group chat was deactivated",
	"upgraded to a supergroup"}

// refusal returns the error of an answer with ok = false.
func refusal(status int, description string, p parameters) *Error {
	e := failed(Refused, status, "telegram refused the call: "+description)
	words := strings.ToLower(description)
	switch {
	case status >= http.StatusInternalServerError:
		e.Class = Down
	case status == http.StatusTooManyRequests:
		return tooMany(p.RetryAfter.seconds())
	case strings.Contains(words, "logged out"):
		e.Class, e.place = LoggedOut, true
		e.text = "the bot was logged out of this Bot API server: see telegram.api_url"
	case status == http.StatusUnauthorized, status == http.StatusNotFound:
		e.Class, e.place, e.text = Token, true, "telegram does not know this bot: check telegram.token"
	case status == http.StatusConflict && strings.Contains(words, "webhook"):
		e.Class, e.text = Webhook, "a webhook takes the updates of this bot"
	case status == http.StatusConflict:
		e.Class, e.text = OtherPoller, "another program polls for this bot"
	case status == http.StatusRequestEntityTooLarge:
		e.Class, e.text = TooLarge, "the file is too large for Telegram"
	case status == http.StatusBadRequest && (p.Migrated.seconds() != 0 || containsAny(words, chatGone)):
		e.Class = Gone
	}
	return e
}

// longestRetryAfter bounds what a 429 may ask for.
const longestRetryAfter = 24 * 60 * 60 // s

// tooMany is the error of a 429 that asks to wait some seconds; 0 if it names no time.
func tooMany(seconds int64) *Error {
	e := failed(Wait, http.StatusTooManyRequests, "telegram asks to wait")
	e.after = time.Duration(min(max(seconds, 1), longestRetryAfter))*time.Second + 100*time.Millisecond
	return e
}

// classify turns the error of a call into an *Error; nil if there is nothing wrong.
func classify(ctx context.Context, call Call, err error) (e *Error) {
	if err == nil {
		return nil
	}
	defer func() {
		if e != nil {
			e.maybe = e.maybe && call.creates() // other calls do no harm when they are repeated
		}
	}()
	e, known := errors.AsType[*Error](err)
	switch {
	case ctx.Err() != nil && (!known || e.Status == 0):
		s := stopped(ctx, err)
		s.maybe = known && e.maybe
		return s
	case !known:
		// What is left is an answer whose result the client library cannot decode, and it quotes it: no text of it.
		e = failed(Unreadable, http.StatusOK, "telegram's answer to "+call.Method+" cannot be read")
		e.maybe = true
		return e
	case e.Class != Refused:
		return e
	}
	own := *e
	switch {
	case e.Status == http.StatusForbidden && call.Chat != 0:
		own.Class = Gone
	case e.Status != http.StatusBadRequest:
	case call.lapses(), call.edits() && strings.Contains(strings.ToLower(e.text), "not modified"):
		return nil
	case call.edits():
		own.Class = NoMessage
	case call.FileID:
		own.Class = BadFile
	}
	return &own
}

func containsAny(text string, words []string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}
