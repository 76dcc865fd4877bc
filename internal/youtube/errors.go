// What a failed call means, and what the caller should do about it.

package youtube

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // Midnight has to be known on machines without time zones
)

// class is what a failure asks for. The zero value is a refusal that we do not know, which is tried again: only
// YouTube's own verdict, in a reason that its documentation lists, ends a job.
type class int

const (
	unknown  class = iota // a refusal with a reason that is not in the table
	again                 // the same call can succeed soon
	away                  // YouTube, or the way to it, does not work: a wait
	busy                  // YouTube asks us to slow down: a wait
	quota                 // the app's uploads of today are used up: a wait
	limit                 // the channel's uploads of today are used up: a wait
	ended                 // the channel has to be connected again
	setup                 // the Google project of this program is set up wrong
	account               // the channel may not do this
	edit                  // YouTube refuses what was written about the video
	notFound              // YouTube has no such video
	rejected              // YouTube refused the video after the upload
	unclear               // nobody but the owner of the channel can say whether the video is there
)

var steps = map[class]string{
	quota:    "quota",
	limit:    "limit",
	ended:    "reconnect",
	setup:    "account",
	account:  "account",
	edit:     "edit",
	rejected: "rejected",
	unclear:  "unknown",
}

const (
	awayPause = 30 * time.Second
	busyPause = time.Minute
	longest   = 24 * time.Hour // a wait, whatever Retry-After says
)

// Error is a failed call. It holds no secrets.
type Error struct {
	class           class
	code            string
	reason, message string
	field, link     string
	status          int // of the answer; 0: there was none
	verdict         bool
	wait            time.Duration
}

// Error returns "youtube REASON: message".
func (e *Error) Error() string {
	if e.message == "" {
		return "youtube " + e.reason
	}
	return "youtube " + e.reason + ": " + e.message
}

// Code returns a stable word for what happened, one of Codes. It is what messages hang on, with the action that failed.
func (e *Error) Code() string { return e.code }

// Reason returns YouTube's word for what went wrong, or ours.
func (e *Error) Reason() string { return e.reason }

// Permanent reports whether trying the same again cannot help. It is true only if YouTube or Google said so itself.
func (e *Error) Permanent() bool {
	return slices.Contains([]class{ended, setup, account, edit, notFound, rejected, unclear}, e.class)
}

// RetryAfter returns how long to wait, and whether this is a wait, which is not an attempt: YouTube cannot be
// reached, asks us to slow down, or takes no more uploads today.
func (e *Error) RetryAfter() (time.Duration, bool) {
	return e.wait, slices.Contains([]class{away, busy, quota, limit}, e.class)
}

// Unreachable reports whether YouTube or Google did not answer, or something else answered in its place.
func (e *Error) Unreachable() bool { return e.class == away }

// WholeApp reports whether every channel has to wait.
func (e *Error) WholeApp() bool { return e.class == quota }

// Pause returns how long to wait at least before the next attempt. It is 0 for what RetryAfter tells.
func (e *Error) Pause() time.Duration {
	if _, waits := e.RetryAfter(); waits {
		return 0
	}
	return e.wait
}

// AccessEnded reports whether the channel has to be connected again.
func (e *Error) AccessEnded() bool { return e.class == ended }

// Step returns the step of a publication that this stops.
func (e *Error) Step() string { return steps[e.class] }

// Field returns the field of the form that is refused, "" if none is.
func (e *Error) Field() string { return e.field }

// Link returns the page on which a person can fix it, "" if there is none.
func (e *Error) Link() string { return e.link }

// unreachable is the error of a call that got no answer.
func unreachable(message string) *Error {
	return &Error{
		class:   away,
		code:    "youtube_unreachable",
		reason:  "connection",
		message: tidy(message),
		wait:    awayPause,
	}
}

// unreadable is the error of an answer that cannot be YouTube's.
func unreadable(message string) *Error {
	return &Error{
		class:   away,
		code:    "youtube_unreadable",
		reason:  "connection",
		message: tidy(message),
		wait:    awayPause,
	}
}

// known makes the error of a reason in the table.
func known(reason, message string) *Error {
	m := meanings[reason]
	return &Error{class: m.class, code: m.code, reason: reason, message: tidy(message), field: m.field, link: m.link}
}

// refusal makes the error of an answer that is not a success.
func (c *Client) refusal(a answer) *Error {
	var v struct {
		Error *struct {
			Message string
			Errors  []struct{ Message, Domain, Reason string }
			Details []struct {
				Reason   string
				Metadata struct{ ActivationURL string }
			}
		}
	}
	e := &Error{}
	if json.Unmarshal(a.body, &v) == nil && v.Error != nil {
		e.verdict = true
		e.message = tidy(v.Error.Message)
		e.link = consoleLink(v.Error.Message)
		for _, d := range v.Error.Details {
			if e.reason == "" || meanings[d.Reason].code != "" {
				e.reason = tidy(d.Reason)
			}
			if e.link == "" {
				e.link = consoleLink(d.Metadata.ActivationURL)
			}
		}
		for _, one := range slices.Backward(v.Error.Errors) { // the first counts
			if one.Reason != "" && (meanings[e.reason].code == "" || meanings[one.Reason].code != "") {
				e.reason = tidy(one.Reason)
			}
		}
	}
	return c.judge(e, a)
}

// judge finds out what an error with its reason and message means. Without a verdict, the answer is that of a proxy,
// a firewall or a broken server, and tells nothing about the call.
func (c *Client) judge(e *Error, a answer) *Error {
	e.status = a.status
	m, isKnown := meanings[e.reason]
	if e.class, e.code, e.field = m.class, m.code, m.field; e.link == "" {
		e.link = m.link
	}
	if e.reason == "" {
		e.reason = fmt.Sprintf("http%d", a.status)
	}
	switch {
	case a.status >= 500, a.status == http.StatusRequestTimeout:
		e.class, e.code, e.field, e.link = away, "youtube_unreachable", "", ""
	case isKnown && e.verdict && e.class == busy && strings.Contains(e.message, "per day"):
		// The limit of a day in the words of Google's common quota service.
		e.class, e.code = quota, "youtube_quota"
	case isKnown && e.verdict && a.status >= 400:
	case a.status == http.StatusTooManyRequests:
		e.class, e.code = busy, "youtube_busy"
	case !e.verdict, a.status < 400:
		e.class, e.code, e.field, e.link = away, "youtube_unreadable", "", ""
	case a.status == http.StatusUnauthorized:
		e.class, e.code = ended, "youtube_access_ended"
	case a.status == http.StatusRequestEntityTooLarge:
		e.class, e.code = edit, "youtube_too_large"
	default:
		e.class, e.code = unknown, "youtube_refused"
	}
	now := c.now()
	asked := retryAfter(a.header.Get("Retry-After"), now)
	switch e.class {
	case quota:
		e.wait = quotaEnds(now).Sub(now)
	case limit:
		e.wait = longest
	case busy:
		e.wait = cmp.Or(asked, busyPause)
	case away:
		e.wait = cmp.Or(asked, awayPause)
	case again, unknown:
		e.wait = asked
	}
	return e
}

// retryAfter reads the header, seconds or a time. It returns 0 if there is nothing to wait for.
func retryAfter(text string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if n, err := strconv.Atoi(text); err == nil {
		wait = time.Duration(min(n, int(longest/time.Second))) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	return max(0, min(wait, longest))
}

var pacific = func() *time.Location {
	l, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		panic(err) // it is compiled in
	}
	return l
}()

// Midnight returns the next midnight of the place where YouTube's day begins.
func Midnight(now time.Time) time.Time {
	y, m, d := now.In(pacific).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, pacific)
}

// quotaEnds returns when the day of a refused upload is over. A refusal right after midnight may be about the day
// before: our clock may be ahead of YouTube's, and then every day's first upload would be refused and wait until the
// next midnight.
func quotaEnds(now time.Time) time.Time {
	next := Midnight(now)
	if hour := next.AddDate(0, 0, -1).Add(time.Hour); now.Before(hour) {
		return hour
	}
	return next
}

// is reports whether an error has one of those reasons.
func is(err error, reasons ...string) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && slices.Contains(reasons, e.reason)
}

// progressed is an error of an upload of which YouTube has confirmed more than when Publish was called.
type progressed struct{ error }

func (p progressed) Unwrap() error { return p.error }

// Progressed reports that the upload came forward, so attempts count from the start again.
func (progressed) Progressed() bool { return true }
