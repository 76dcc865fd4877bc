// What can go wrong, and what it asks of the caller.

package rumble

import (
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
	rumbleFault = "rumbleFault" // something went wrong on Rumble's side
)

// Error is a publication that did not succeed, as far as we know.
type Error struct {
	reason, message string
	field           string
	step            string
	permanent       bool
	pause           time.Duration
}

// Error returns "rumble REASON: message", one line without secrets.
func (e *Error) Error() string { return "rumble " + e.reason + ": " + e.message }

// Reason is a stable word for what happened: connection, answerLost, badToken, badChannel, refused, refused-title (and
// other fields), rumbleFault, http503 (and other codes).
func (e *Error) Reason() string { return e.reason }

// Permanent reports whether another attempt would not help, or must not be made by itself.
func (e *Error) Permanent() bool { return e.permanent }

// Step is the step of the failed publication: "unknown", "account", "edit" or "".
func (e *Error) Step() string { return e.step }

// Field is the field of the metadata that was refused when Step is "edit": title or description.
func (e *Error) Field() string { return e.field }

// Pause is how long to wait at least before the next attempt.
func (e *Error) Pause() time.Duration { return e.pause }

// unknown is an error after which nobody but the owner of the channel can say whether the video is there.
func unknown(message string) *Error {
	return &Error{reason: answerLost, message: oneLine(message), step: "unknown", permanent: true}
}

// transient is an error after which the video may be sent again.
func transient(reason, message string, pause time.Duration) *Error {
	return &Error{reason: reason, message: oneLine(message), pause: pause}
}

// verdict is the body of an answer.
type verdict struct {
	Success bool        `json:"success"`
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

// UnmarshalJSON also takes lists: PHP writes an empty map as one, and the documentation draws all of them so.
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

// fields are what may be refused by name; the first is told when there are several.
var fields = []string{"access_token", "channel_id", "title", "description", "video", "thumb", "guid", "license_type", "_"}

// refusal is the error for an answer that says no.
func refusal(f fieldErrors) *Error {
	field, said := "_", f["_"]
	if i := slices.IndexFunc(fields, func(name string) bool { _, ok := f[name]; return ok }); i >= 0 {
		field, said = fields[i], f[fields[i]]
	} else { // a field that we do not send: at least say which
		name := slices.Min(slices.Collect(maps.Keys(f)))
		said = fieldError{name + " " + f[name].Code, f[name].Message}
	}
	if said.Code == "SOMETHING_WENT_WRONG" {
		return transient(rumbleFault, said.text(), 0)
	}
	e := &Error{reason: refused, message: said.text(), permanent: true}
	switch field {
	case "access_token":
		e.reason, e.step = badToken, "account"
	case "channel_id":
		e.reason, e.step = badChannel, "account"
	case "title", "description":
		e.reason, e.step, e.field = refused+"-"+field, "edit", field
	case "video", "thumb", "guid":
		e.reason = refused + "-" + field
	}
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

// judge turns an answer into what was published, or an error. whole says that Rumble may have all of the video.
func (c *Client) judge(status int, header http.Header, body []byte, whole bool) (Published, error) {
	var v verdict
	unreadable := json.Unmarshal(body, &v)
	code := fmt.Sprintf("http%d", status)
	text := strings.TrimSpace(fmt.Sprintf("Rumble answered %d %s", status, http.StatusText(status)))
	switch trouble := status >= 500 || status == http.StatusRequestTimeout; {
	case status == http.StatusForbidden || status == http.StatusUnauthorized: // it means the token, whatever is said
		e := &Error{reason: badToken, message: text, step: "account", permanent: true}
		if said := v.Errors["access_token"]; said != (fieldError{}) {
			e.message = said.text()
		}
		return Published{}, c.redact(e)
	case status == http.StatusTooManyRequests || trouble && !whole:
		return Published{}, transient(code, text, pause(header, time.Now()))
	case trouble: // gateways say so too, and may have passed the video on
		return Published{}, unknown(text)
	case unreadable == nil && v.Success && v.VideoID != "":
		address, err := c.CheckURL(v.URL)
		if err != nil {
			address = "" // no link rather than one to anywhere
		}
		return Published{ID: cut(v.VideoID, 100), URL: address}, nil
	case unreadable == nil && !v.Success && len(v.Errors) > 0:
		return Published{}, c.redact(refusal(v.Errors))
	case status < 200 || status > 299:
		return Published{}, &Error{reason: code, message: text, permanent: true}
	case !whole:
		return Published{}, transient(connection, text+", which cannot be understood", 0)
	}
	return Published{}, unknown(text + ", which cannot be understood")
}

// redact takes the token out of what Rumble said.
func (c *Client) redact(e *Error) *Error {
	e.message = strings.ReplaceAll(e.message, c.token, "***")
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
