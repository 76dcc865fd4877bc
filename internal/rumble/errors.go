// What can go wrong, and what the caller should do about it.

package rumble

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The reasons that are ours; refusals of a field are "refused-" and its name.
const (
	connection  = "connection"  // the video cannot have arrived
	answerLost  = "answerLost"  // the video may have arrived
	badToken    = "badToken"    // Rumble does not know the token, or has banned the account
	badChannel  = "badChannel"  // the account has no channel of that number
	refused     = "refused"     // for another reason, which the message says
	rumbleFault = "rumbleFault" // something went wrong at Rumble
)

// codes are the stable words for reasons. Those of answers that are not Rumble's are given where they are judged.
var codes = map[string]string{
	answerLost:               "rumble_unclear",
	badToken:                 "rumble_token",
	badChannel:               "rumble_channel",
	refused:                  "rumble_refused",
	rumbleFault:              "rumble_fault",
	refused + "-title":       "rumble_invalid_title",
	refused + "-description": "rumble_invalid_description",
	refused + "-video":       "rumble_video",
	refused + "-thumb":       "rumble_thumbnail",
	refused + "-guid":        "rumble_twice",
}

// Codes returns every code that an error or a warning of this package can carry, in order.
func Codes() []string {
	all := []string{"rumble_unreachable", "rumble_unreadable", "rumble_busy", "rumble_connection"}
	return slices.Sorted(slices.Values(slices.AppendSeq(all, maps.Values(codes))))
}

const (
	awayPause = 30 * time.Second
	busyPause = time.Minute
)

// Error is a publication that did not succeed, as far as we know.
type Error struct {
	code            string
	reason, message string
	field           string
	step            string
	permanent       bool
	waits           bool
	pause           time.Duration
}

// Error returns "rumble REASON: message", one line without secrets.
func (e *Error) Error() string { return "rumble " + e.reason + ": " + e.message }

// Code returns a stable word for what happened, one of Codes. It is what messages hang on.
func (e *Error) Code() string { return e.code }

// Reason is Rumble's word for what happened, or ours: connection, answerLost, badToken, badChannel, refused,
// refused-title (and other fields), rumbleFault, http503 (and other statuses).
func (e *Error) Reason() string { return e.reason }

// Permanent reports whether another attempt would not help, or must not be made unasked. It is true only if Rumble
// said so itself, or the answer was lost.
func (e *Error) Permanent() bool { return e.permanent }

// RetryAfter returns how long to wait, and whether this is a wait, which is not an attempt: Rumble cannot be reached,
// asks us to slow down, or something else answered in its place.
func (e *Error) RetryAfter() (time.Duration, bool) {
	if !e.waits {
		return 0, false
	}
	return e.pause, true
}

// Unreachable reports whether Rumble did not answer, or something else answered in its place.
func (e *Error) Unreachable() bool {
	return e.code == "rumble_unreachable" || e.code == "rumble_unreadable"
}

// Step is the step of the failed publication: "unknown", "account", "edit" or "".
func (e *Error) Step() string { return e.step }

// Field is the field of the metadata that was refused when Step is "edit": title or description.
func (e *Error) Field() string { return e.field }

// Pause is how long to wait at least before the next attempt. It is 0 for what RetryAfter tells.
func (e *Error) Pause() time.Duration {
	if e.waits {
		return 0
	}
	return e.pause
}

// unknown is an error after which nobody but the owner of the channel can say whether the video is there.
func unknown(message string) *Error {
	return &Error{
		code:      codes[answerLost],
		reason:    answerLost,
		message:   oneLine(message),
		step:      "unknown",
		permanent: true,
	}
}

// away is an error after which the video may be sent again when Rumble, or the way to it, works: a wait. pause 0: for
// our time.
func away(code, reason, message string, pause time.Duration) *Error {
	least := awayPause
	if code == "rumble_busy" {
		least = busyPause
	}
	return &Error{code: code, reason: reason, message: oneLine(message), waits: true, pause: cmp.Or(pause, least)}
}

// transient is an error after which the video may be sent again: an attempt.
func transient(code, reason, message string) *Error {
	return &Error{code: code, reason: reason, message: oneLine(message)}
}

// account is an error that only somebody with access to the account can fix.
func account(reason, message string) *Error {
	return &Error{code: codes[reason], reason: reason, message: message, step: "account", permanent: true}
}

// verdict is the body of an answer. Success is nil if the answer does not say; then it is not Rumble's.
type verdict struct {
	Success *bool       `json:"success"`
	VideoID string      `json:"video_id"`
	URL     string      `json:"url_monetized"`
	Errors  fieldErrors `json:"errors"`
}

type fieldError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// fieldErrors are the refusals by field; "_" is none in particular.
type fieldErrors map[string]fieldError

// UnmarshalJSON also takes lists: PHP writes an empty map as one, and the documentation shows all of them so.
func (f *fieldErrors) UnmarshalJSON(data []byte) error {
	list := []map[string]fieldError{{}}
	if json.Unmarshal(data, &list[0]) != nil {
		if err := json.Unmarshal(data, &list); err != nil {
			return err
		}
	}
	*f = fieldErrors{}
	for _, m := range list {
		for field, e := range m {
			(*f)[field] = e
		}
	}
	return nil
}

// fields are what may be refused by name; the first is told if there are several.
var fields = []string{
	"access_token",
	"channel_id",
	"title",
	"description",
	"video",
	"thumb",
	"guid",
	"license_type",
	"_",
}

// refusal is the error for an answer that refuses the video. A refusal of a field that we sent is final; one of
// nothing in particular is not known to be.
func refusal(f fieldErrors) *Error {
	field := "_"
	var said fieldError
	if i := slices.IndexFunc(fields, func(name string) bool { _, ok := f[name]; return ok }); i >= 0 {
		field, said = fields[i], f[fields[i]]
	} else { // a field that we do not send: at least say which
		name := slices.Min(slices.Collect(maps.Keys(f)))
		said = fieldError{name + " " + f[name].Code, f[name].Message}
	}
	e := &Error{reason: refused, message: said.text(), permanent: field != "_"}
	switch field {
	case "_":
		if said.Code == "SOMETHING_WENT_WRONG" {
			e.reason = rumbleFault
		}
	case "access_token":
		return account(badToken, said.text())
	case "channel_id":
		return account(badChannel, said.text())
	case "title", "description":
		e.reason, e.step, e.field = refused+"-"+field, "edit", field
	case "video", "thumb", "guid":
		e.reason = refused + "-" + field
	}
	e.code = codes[e.reason]
	return e
}

func (e fieldError) text() string {
	switch {
	case e.Code == "" && e.Message == "":
		return "no reason given"
	case e.Code == "" || e.Message == "":
		return oneLine(e.Code + e.Message)
	}
	return oneLine(e.Code + ": " + e.Message)
}

// judge turns an answer into what was published, or an error. whole says that Rumble may have all of the video. What
// cannot be read is the answer of something in between, such as a firewall, and says nothing about the token or the
// video.
func (c *Client) judge(status int, header http.Header, body []byte, whole bool) (Published, error) {
	var v verdict
	own := json.Unmarshal(body, &v) == nil && (v.Success != nil || len(v.Errors) > 0)
	yes := own && v.Success != nil && *v.Success
	code := fmt.Sprintf("http%d", status)
	text := strings.TrimSpace(fmt.Sprintf("Rumble answered %d %s", status, http.StatusText(status)))
	wait := pause(header, time.Now())
	switch trouble := status >= 500 || status == http.StatusRequestTimeout; {
	case trouble && whole: // gateways say so too, and may have passed the video on
		return Published{}, unknown(text)
	case trouble:
		return Published{}, away("rumble_unreachable", code, text, wait)
	case status == http.StatusTooManyRequests:
		return Published{}, away("rumble_busy", code, text, wait)
	// it means the token, whatever it says
	case own && (status == http.StatusForbidden || status == http.StatusUnauthorized):
		e := account(badToken, text)
		if said := v.Errors["access_token"]; said != (fieldError{}) {
			e.message = said.text()
		}
		return Published{}, c.redact(e)
	case yes && v.VideoID != "":
		address, err := c.CheckURL(v.URL)
		if err != nil {
			address = "" // no link rather than one to anywhere
		}
		return Published{ID: cut(v.VideoID, 100), URL: address}, nil
	case own && !yes && len(v.Errors) > 0:
		return Published{}, c.redact(refusal(v.Errors))
	case own && (status < 200 || status > 299):
		return Published{}, transient(codes[refused], code, text)
	case status < 200 || status > 299:
		return Published{}, away("rumble_unreadable", code, text+", which isn't Rumble's own answer", wait)
	case !whole:
		return Published{}, away("rumble_unreadable", connection, text+", which cannot be understood", wait)
	}
	return Published{}, unknown(text + ", which cannot be understood")
}

// redact takes the token out of what Rumble said.
func (c *Client) redact(e *Error) *Error {
	if c.token != "" {
		e.message = strings.ReplaceAll(e.message, c.token, "***")
	}
	return e
}

// pause reads Retry-After: seconds or a date, a day at most.
func pause(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	wait := time.Duration(0)
	if n, err := strconv.Atoi(text); err == nil {
		wait = time.Duration(min(n, 24*60*60)) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	return max(0, min(wait, 24*time.Hour))
}

// oneLine makes one line of a text, 300 characters at most.
func oneLine(text string) string { return cut(strings.Join(strings.Fields(text), " "), 300) }

// cut shortens a text to so many characters.
func cut(text string, most int) string {
	runes := []rune(strings.ToValidUTF8(text, "?"))
	return string(runes[:min(len(runes), most)])
}
