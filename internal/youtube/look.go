// Asking Google whether it knows this program, before anybody connects a channel.

package youtube

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"
)

// ErrUnknown says that Google does not know this client, or not with this secret.
var ErrUnknown = errors.New("the client isn't known to Google, or not with this secret")

// Look asks for a token that does not exist, and the YouTube API for nothing: both refuse, and the way they refuse
// tells whether they are there and know the client. It costs nothing of the quota. It returns ErrUnknown or an
// *Error.
func (c *Client) Look(ctx context.Context) error {
	_, err := c.fetch(ctx, func(ctx context.Context) (*oauth2.Token, error) {
		return c.oauth.TokenSource(ctx, &oauth2.Token{RefreshToken: "retake-check"}).Token()
	})
	of, isOf := errors.AsType[*Error](err)
	switch {
	case isOf && of.code == "youtube_client":
		return ErrUnknown
	case isOf && of.reason != "invalid_grant", err != nil && !isOf:
		return err
	}
	r, err := c.api(http.MethodGet, "/youtube/v3/videos", url.Values{"part": {"id"}, "id": {"x"}}, nil)
	if err != nil {
		return err
	}
	_, err = c.send(ctx, r, "")
	return err
}
