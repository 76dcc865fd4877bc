// What a failed call means, and what to do about it.

package youtube

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // Midnight has to be known on machines without it
)

// class is what a failure asks for.
type class int

const (
	permanent class = iota // nothing helps; what is not known is here
	transient              // the same again, later
	busy                   // the same again, but not soon
	quota                  // the app's uploads of today are used up
	limit                  // the channel's are
	ended                  // the channel has to be connected again
	account                // the channel may not do this
	edit                   // what was written about the video is refused
	rejected               // the video is refused, after it was uploaded
)

// reasons are YouTube's words for what went wrong, and those of its consent server.
var reasons = map[string]class{
	"backendError": transient, "internalError": transient, "alreadyExists": transient, "temporarily_unavailable": transient, "server_error": transient,
	"rateLimitExceeded": busy, "userRateLimitExceeded": busy,
	"quotaExceeded": quota, "dailyLimitExceeded": quota,
	"uploadLimitExceeded": limit,
	"authError":           ended, "insufficientPermissions": ended,
	"invalid_grant": ended, "invalid_client": ended, "unauthorized_client": ended, "deleted_client": ended, "disabled_client": ended,
	"admin_policy_enforced": ended, "access_denied": ended,
	"youtubeSignupRequired": account, "authenticatedUserNotChannel": account, "forbidden": account,
	"authenticatedUserAccountClosed": account, "authenticatedUserAccountSuspended": account,
	"accountClosed": account, "accountSuspended": account, "channelClosed": account, "channelSuspended": account,
	"invalidTitle": edit, "invalidDescription": edit, "invalidTags": edit, "invalidCategoryId": edit, "invalidPublishAt": edit,
	"invalidVideoMetadata": edit, "invalidFilename": edit, "mediaBodyRequired": edit, "defaultLanguageNotSet": edit,
	"forbiddenPrivacySetting": edit, "forbiddenLicenseSetting": edit,
}

// fields are the ones of the form that a refusal is about.
var fields = map[string]string{
	"invalidTitle": "title", "invalidDescription": "description", "invalidTags": "tags", "invalidCategoryId": "category",
	"invalidPublishAt": "at", "defaultLanguageNotSet": "language", "forbiddenPrivacySetting": "privacy", "invalidVideoMetadata": "title",
}

var steps = map[class]string{quota: "quota", limit: "limit", ended: "reconnect", account: "account", edit: "edit", rejected: "rejected"}

const (
	busyPause = time.Minute
	longest   = 24 * time.Hour // a wait, whatever Retry-After says
)

// Error is a failed call. It holds no secrets.
type Error struct {
	class           class
	reason, message string
	wait            time.Duration
}

// Error returns "youtube REASON: message".
func (e *Error) Error() string {
	if e.message == "" {
		return "youtube " + e.reason
	}
	return "youtube " + e.reason + ": " + e.message
}

// Reason returns YouTube's word for what went wrong, or ours.
func (e *Error) Reason() string { return e.reason }

// Permanent reports whether trying the same again cannot help.
func (e *Error) Permanent() bool {
	return slices.Contains([]class{permanent, ended, account, edit, rejected}, e.class)
}

// RetryAfter returns the wait for the next day of a limit. Such a wait is no attempt.
func (e *Error) RetryAfter() (time.Duration, bool) {
	return e.wait, e.class == quota || e.class == limit
}

// WholeApp reports whether every channel has to wait.
func (e *Error) WholeApp() bool { return e.class == quota }

// Pause returns how long to wait at least before the next attempt.
func (e *Error) Pause() time.Duration {
	if e.class == transient || e.class == busy {
		return e.wait
	}
	return 0
}

// AccessEnded reports whether the channel has to be connected again.
func (e *Error) AccessEnded() bool { return e.class == ended }

// Step returns the step of a publication that this stops.
func (e *Error) Step() string { return steps[e.class] }

// Field returns the field of the form that is refused, "" if none is.
func (e *Error) Field() string { return fields[e.reason] }

// cut is a failure of the way to YouTube.
func cut(message string) *Error {
	return &Error{class: transient, reason: "connection", message: tidy(message)}
}

func failed(reason, message string) *Error {
	return &Error{class: permanent, reason: reason, message: tidy(message)}
}

// refusal makes the error of an answer that says no.
func (c *Client) refusal(a answer) *Error {
	var v struct {
		Error struct {
			Message string
			Errors  []struct{ Message, Domain, Reason string }
		}
	}
	e := &Error{}
	if json.Unmarshal(a.body, &v) == nil {
		e.message = tidy(v.Error.Message)
		if len(v.Error.Errors) > 0 {
			e.reason = tidy(v.Error.Errors[0].Reason)
		}
	}
	return c.judge(e, a)
}

// judge finds out what an error with its reason and message means.
func (c *Client) judge(e *Error, a answer) *Error {
	known := false
	e.class, known = reasons[e.reason]
	switch {
	case e.reason == "":
		e.reason = fmt.Sprintf("http%d", a.status)
	case e.class == busy && strings.Contains(e.message, "per day"):
		e.class = quota // the limit of a day in the words of Google's common quota service
	}
	if !known {
		switch {
		case a.status == http.StatusUnauthorized:
			e.class = ended
		case a.status == http.StatusTooManyRequests:
			e.class = busy
		case a.status == http.StatusRequestTimeout, a.status >= 500:
			e.class = transient
		case a.status == http.StatusRequestEntityTooLarge:
			e.class = edit
		}
	}
	now := c.now()
	switch e.class {
	case quota:
		e.wait = quotaEnds(now).Sub(now)
	case limit:
		e.wait = longest
	case busy:
		e.wait = busyPause
		fallthrough
	case transient:
		if asked := retryAfter(a.header.Get("Retry-After"), now); asked > 0 {
			e.wait = asked
		}
	}
	return e
}

// retryAfter reads the header: seconds or a time.
func retryAfter(text string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(text); err == nil {
		return min(time.Duration(n)*time.Second, longest)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(at.Sub(now), longest)
	}
	return 0
}

var (
	tags    = regexp.MustCompile(`<[^>]*>`)
	secrets = regexp.MustCompile(`ya29\.\S+|1//\S+|\?\S+|\S*upload_id=\S*`)
)

// tidy makes one line of a message, without markup, secrets or more than people read.
func tidy(text string) string {
	text = secrets.ReplaceAllString(tags.ReplaceAllString(text, ""), "…")
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if r := []rune(text); len(r) > 300 {
		text = string(r[:299]) + "…"
	}
	return text
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

// quotaEnds returns when the uploads of the day that a refusal speaks of are over. One right after midnight may speak of the day
// before: our clock may be ahead of YouTube's, and with its own midnight it would be refused every day.
func quotaEnds(now time.Time) time.Time {
	next := Midnight(now)
	if hour := next.AddDate(0, 0, -1).Add(time.Hour); now.Before(hour) {
		return hour
	}
	return next
}

// is reports whether an error has one of those reasons.
func is(err error, reasons ...string) bool {
	var e *Error
	return errors.As(err, &e) && slices.Contains(reasons, e.reason)
}
