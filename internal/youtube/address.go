// The address of a video, as a person pastes it.

package youtube

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Why VideoID refuses an address.
var (
	ErrNoAddress = errors.New("youtube: this isn't a valid URL")
	ErrOtherSite = errors.New("youtube: this address isn't at YouTube")
	ErrNoVideo   = errors.New("youtube: this isn't the page of a video")
)

// videoPath is the path of a video, except for /watch, which names it in the query.
var videoPath = regexp.MustCompile(`^/(?:shorts|live|embed)/([A-Za-z0-9_-]{1,64})/?$`)

// videoID is what YouTube calls a video.
var videoID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// maxAddress bounds an address, in bytes.
const maxAddress = 500

// VideoID returns the id of the video that an address shows, at YouTube or at watchURL, to which an id is added. The
// scheme may be left out. It returns ErrNoAddress, ErrOtherSite or ErrNoVideo if there is none.
func VideoID(text, watchURL string) (string, error) {
	text = strings.TrimSpace(text)
	if id, ok := strings.CutPrefix(text, watchURL); ok && videoID.MatchString(id) {
		return id, nil
	}
	if lower := strings.ToLower(
		text,
	); slices.ContainsFunc(
		[]string{"youtube.com/", "www.youtube.com/", "m.youtube.com/", "youtu.be/"},
		func(host string) bool { return strings.HasPrefix(lower, host) },
	) {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || len(text) > maxAddress || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" ||
		u.User != nil {
		return "", ErrNoAddress
	}
	id := ""
	switch strings.ToLower(u.Host) {
	case "youtube.com", "www.youtube.com", "m.youtube.com":
		if m := videoPath.FindStringSubmatch(u.Path); m != nil {
			id = m[1]
		} else if u.Path == "/watch" {
			id = u.Query().Get("v")
		}
	case "youtu.be":
		id = strings.TrimPrefix(u.Path, "/")
	default:
		return "", ErrOtherSite
	}
	if !videoID.MatchString(id) {
		return "", ErrNoVideo
	}
	return id, nil
}
