// The address of a video, as a person pastes it and as Rumble answers it.

package rumble

import (
	"net/url"
	"regexp"
	"strings"
)

// AddressError says why a text is not the address of a video on Rumble.
type AddressError struct{ Why Why }

// Why says what is wrong with an address.
type Why string

const (
	NoAddress Why = "no address"
	OtherSite Why = "not at Rumble"
	NoVideo   Why = "no video"
)

func (e *AddressError) Error() string { return "rumble: the address: " + string(e.Why) }

// videoPath is the path of a video: its page (/v1abc-words.html), a short (/shorts/v1abc) or its player
// (/embed/v1abc/).
var videoPath = regexp.MustCompile(
	`^/(?:v[0-9a-z]+(?:-[^/]*)?\.html|shorts/v[0-9a-z]+|embed/(?:[0-9a-z]+\.)?v[0-9a-z]+/?)$`,
)

// maxAddress bounds an address, in bytes.
const maxAddress = 500

// CheckURL returns the address of a video in its short form: https, the plain host, nothing behind the path. The
// scheme may be left out. It returns an *AddressError if the text isn't the address of a video.
func (c *Client) CheckURL(text string) (string, error) {
	text = strings.TrimSpace(text)
	if lower := strings.ToLower(
		text,
	); strings.HasPrefix(lower, "rumble.com/") ||
		strings.HasPrefix(lower, "www.rumble.com/") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || len(text) > maxAddress || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" ||
		u.User != nil {
		return "", &AddressError{NoAddress}
	}
	tidy, path := url.URL{Scheme: "https", Host: "rumble.com"}, u.Path
	switch host := strings.ToLower(u.Host); {
	case host == "rumble.com" || host == "www.rumble.com":
	case host == c.base.Host && u.Scheme == c.base.Scheme && strings.HasPrefix(path, c.base.Path+"/"): // a fake
		tidy, path = *c.base, strings.TrimPrefix(path, c.base.Path)
	default:
		return "", &AddressError{OtherSite}
	}
	if !videoPath.MatchString(path) {
		return "", &AddressError{NoVideo}
	}
	tidy.Path += path
	return tidy.String(), nil
}
