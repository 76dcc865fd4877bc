// What is refused about publishing, by us or by a platform.

package desk

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"

	"retake.example/internal/retry"
)

// Errors of what connects to the platforms.
var (
	Exists     = HTTPError{http.StatusConflict, "EXISTS", "error_exists", nil}
	NoPlatform = HTTPError{http.StatusConflict, "NOT_SET_UP", "error_no_platform", nil}
	NoChange   = HTTPError{http.StatusConflict, "NOT_PUBLISHED", "error_not_published", nil} // there is no video on the platform to change
	BadURL     = Invalid("fault_url", nil)                                                   // no address
	OtherURL   = Invalid("fault_url_other", nil)                                             // not on the platform
	NoVideoURL = Invalid("fault_url_no_video", nil)                                          // on the platform, but not of a video
	urlErrors  = []HTTPError{BadURL, OtherURL, NoVideoURL}
)

// IsURL reports whether a refusal is about the address of a video.
func (r HTTPError) IsURL() bool {
	for _, u := range urlErrors {
		if r.ID == u.ID {
			return true
		}
	}
	return false
}

// Platform is the code of what a platform has refused: the log has its own words.
const Platform = "PLATFORM"

// Told makes a refusal of what a platform said to something that was asked of it at once. Other errors stay as they are.
func Told(err error) error {
	if err == nil {
		return nil
	}
	code := cmp.Or(retry.CodeOf(err), codeOfText(err.Error()))
	platform := platformOf(code)
	if _, refused := errors.AsType[HTTPError](err); refused || platform == "" {
		return err
	}
	return fmt.Errorf("%w: %w", HTTPError{http.StatusBadGateway, Platform, messageOf(code), Vars{"Name": platform}}, err)
}
