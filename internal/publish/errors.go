// What the studio refuses, and what there is to publish with.

package publish

import (
	"errors"
	"time"
)

// A Refusal is something that the studio does not do, for a reason that an admin is told.
type Refusal struct{ code, text string }

func (e *Refusal) Error() string { return e.text }

// Code returns a stable word for the reason.
func (e *Refusal) Code() string { return e.code }

// Why the studio does not do what it was asked for.
var (
	ErrNoClient   = &Refusal{"publish_no_client", "youtube.client_id is empty"}
	ErrNoAccess   = &Refusal{"publish_no_access", "the channel is not connected"}
	ErrNotRevoked = &Refusal{"publish_not_revoked", "the channel is disconnected here, but Google could not be told"}
	ErrMoved      = &Refusal{"publish_moved", "somebody else has set another time since"}
	ErrNoChange   = &Refusal{"publish_no_change", "there is no video on the platform that can be changed"}
	ErrKidsOpen   = &Refusal{"publish_kids_open", "nobody has chosen whether the video is made for kids"}
	ErrURL        = &Refusal{"publish_url", "the text is not a URL"}
	ErrURLSite    = &Refusal{"publish_url_site", "the URL is not on the platform"}
	ErrURLVideo   = &Refusal{"publish_url_video", "the URL does not show a video"}
)

// urlError is the reason why a platform's package has refused an address, by the errors that it has for two of them.
func urlError(err, noAddress, otherSite error) error {
	switch {
	case errors.Is(err, noAddress):
		return ErrURL
	case errors.Is(err, otherSite):
		return ErrURLSite
	}
	return ErrURLVideo
}

// OtherChannel is the error of Answer if a channel is reconnected with the access to another one. Both are titles.
type OtherChannel struct{ Want, Got string }

func (e *OtherChannel) Error() string {
	return "access was given to another channel than the one to reconnect"
}

// Code returns a stable word for the reason.
func (*OtherChannel) Code() string { return "publish_other_channel" }

// About says what there is to publish with.
type About struct {
	YouTube    bool      `json:"youtube"`           // a Google app is set
	Callback   string    `json:"callback"`          // address that the Google app must know
	Consent    string    `json:"-"`                 // address where Google asks
	PerDay     int       `json:"uploads_per_day"`   // to YouTube
	Left       int       `json:"uploads_left"`      // of them, today
	Reset      time.Time `json:"uploads_new_after"` // then there are as many again
	Rumble     bool      `json:"rumble_api"`        // the program uploads videos there; otherwise an admin does
	RumblePage string    `json:"rumble_page"`       // where an admin does that
	Telegram   bool      `json:"telegram"`          // the bot is on

	Others map[string]bool `json:"others,omitempty"` // by the ID of a further platform: the program itself can publish there
}
