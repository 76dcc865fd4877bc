// What is refused about publishing, by us or by a platform.

package desk

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"retake.example/internal/publish"
	"retake.example/internal/retry"
	"retake.example/internal/youtube"
)

// Errors of what connects to the platforms.
var (
	Exists     = HTTPError{http.StatusConflict, "EXISTS", "error_exists", nil}
	NoPlatform = HTTPError{http.StatusConflict, "NOT_SET_UP", "error_no_platform", nil}
	// there is no video on the platform to change
	NoChange = HTTPError{http.StatusConflict, "NOT_PUBLISHED", "error_not_published", nil}
	BadURL   = Invalid("fault_url", nil)       // no address
	OtherURL = Invalid("fault_url_other", nil) // not on the platform
	// on the platform, but not of a video
	NoVideoURL = Invalid("fault_url_no_video", nil)
	urlErrors  = []HTTPError{BadURL, OtherURL, NoVideoURL}
)

// refusals are what an admin is told about what the studio and Google's consent refuse.
var refusals = []struct {
	err    error
	answer HTTPError
}{
	{publish.ErrNoClient, NoClient},
	{publish.ErrNoAccess, NotThere},
	{publish.ErrNotRevoked, NotRevoked},
	{publish.ErrNoChange, NoChange},
	{publish.ErrMoved, Conflict},
	{publish.ErrKidsOpen, Invalid("fault_kids_open", nil)},
	{publish.ErrURL, BadURL},
	{publish.ErrURLSite, OtherURL},
	{publish.ErrURLVideo, NoVideoURL},
	{youtube.ErrState, OldState},
	{youtube.ErrDenied, Denied},
	{youtube.ErrScopes, NotAll},
	{youtube.ErrNoRefresh, NoRefresh},
	{youtube.ErrNoChannel, NoChannel},
}

// refusalOf returns what an admin is told about something that the studio refused.
func refusalOf(err error) (e HTTPError, ok bool) {
	if other, ok := errors.AsType[*publish.OtherChannel](err); ok {
		return OtherChannel(other.Want, other.Got), true
	}
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return r.answer, true
		}
	}
	return HTTPError{}, false
}

// IsURL reports whether a refusal is about the address of a video.
func (r HTTPError) IsURL() bool {
	for _, u := range urlErrors {
		if r.ID == u.ID {
			return true
		}
	}
	return false
}

// linkOf is the page on which a person can fix what a platform refused; "" for none.
func linkOf(code, problem string) string {
	if strings.HasPrefix(code, "youtube") {
		return youtube.LinkOf(code, problem)
	}
	return ""
}

// Platform is the code of what a platform has refused: the log has its own words.
const Platform = "PLATFORM"

// Told makes an HTTPError of what the studio refused, or a platform that was asked at once. Other errors stay as they
// are.
func Told(err error) error {
	if err == nil {
		return nil
	}
	if _, is := errors.AsType[HTTPError](err); is {
		return err
	}
	if e, ok := refusalOf(err); ok {
		return fmt.Errorf("%w: %w", e, err)
	}
	code := cmp.Or(retry.CodeOf(err), codeOfText(err.Error()))
	platform := platformOf(code)
	if platform == "" {
		return err
	}
	return fmt.Errorf("%w: %w", HTTPError{http.StatusBadGateway, Platform, messageOf(code), Vars{"Name": platform}},
		err)
}
