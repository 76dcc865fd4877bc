// channels.go is the page where YouTube channels are connected, and what is refused there.

package desk

import (
	"net/http"
	"time"

	"retake.example/internal/store"
)

// Studio is what there is to publish with.
type Studio struct {
	YouTube    bool      `json:"youtube"`           // a Google app is set
	Callback   string    `json:"callback"`          // address that the Google app must know
	Consent    string    `json:"-"`                 // address where Google asks
	PerDay     int       `json:"uploads_per_day"`   // to YouTube
	Left       int       `json:"uploads_left"`      // of them, today
	Reset      time.Time `json:"uploads_new_after"` // then there are as many again
	Rumble     bool      `json:"rumble_api"`        // videos are uploaded there by the program; otherwise by hand
	RumblePage string    `json:"rumble_page"`       // where that is done
}

// Channel is a YouTube channel that was connected once.
type Channel struct {
	store.Channel
	Reason string `json:"reason,omitzero"` // why access has ended, in words

	now time.Time
}

// inTesting is how long access lasts while the Google app is in the state Testing; a day before that an admin is warned.
const inTesting = 7 * 24 * time.Hour

// Days is for how many days it has been connected.
func (c Channel) Days() int { return int(c.now.Sub(c.Connected) / (24 * time.Hour)) }

// Ends is when access ends if the Google app is in the state Testing; zero once it has lasted longer, so that it is not.
func (c Channel) Ends() time.Time {
	if ends := c.Connected.Add(inTesting); c.State == "CONNECTED" && c.now.Before(ends) {
		return ends
	}
	return time.Time{}
}

// Soon reports whether that may be within a day or so.
func (c Channel) Soon() bool { return !c.Ends().IsZero() && c.Days() >= 6 }

// Channels is the page.
type Channels struct {
	Success  bool      `json:"success"`
	Channels []Channel `json:"channels"`
	Studio   Studio    `json:"studio"`
	May      bool      `json:"may_change"` // an owner looks
	Problem  string    `json:"-"`          // what came of asking Google, or of a check
}

// NewChannels describes channels.
func NewChannels(say Say, list []store.Channel, studio Studio, may bool, now time.Time) Channels {
	view := Channels{Success: true, Studio: studio, May: may}
	for _, c := range list {
		view.Channels = append(view.Channels, Channel{c, Reason(say, c.Error, "youtube_ended"), now})
	}
	return view
}

// EndedOf are those channels to which access has ended.
func EndedOf(list []store.Channel) (ended []store.Channel) {
	for _, c := range list {
		if c.State == "ENDED" {
			ended = append(ended, c)
		}
	}
	return ended
}

// Refusals of what an owner wants with a channel.
var (
	OnlyOwners = HTTPError{http.StatusForbidden, "FORBIDDEN", "error_only_owners", nil}
	NoClient   = HTTPError{http.StatusConflict, "NOT_SET_UP", "error_no_client", nil}        // youtube.client_id is empty
	OldState   = HTTPError{http.StatusForbidden, "OLD_STATE", "error_old_state", nil}        // nobody asked, or long ago, or elsewhere
	Denied     = HTTPError{http.StatusForbidden, "DENIED", "error_denied", nil}              // somebody pressed Cancel at Google
	NotAll     = HTTPError{http.StatusConflict, "NOT_ALL", "error_not_all", nil}             // a box at Google's page was not ticked
	NoRefresh  = HTTPError{http.StatusConflict, "NO_REFRESH", "error_no_refresh", nil}       // Google gave access for an hour only
	NoChannel  = HTTPError{http.StatusConflict, "NO_CHANNEL", "youtube_no_channel", nil}     // the account has none
	NotRevoked = HTTPError{http.StatusBadGateway, "NOT_REVOKED", "error_not_revoked", nil}   // the channel is disconnected, but only here
	NotThere   = HTTPError{http.StatusConflict, "NOT_CONNECTED", "error_not_connected", nil} // there is no access to check
)

// OtherChannel refuses to reconnect a channel with the access to another one.
func OtherChannel(want, got string) HTTPError {
	return HTTPError{http.StatusConflict, "OTHER_CHANNEL", "error_other_channel", Vars{"Want": want, "Got": got}}
}

// AllowForms lets forms of this answer lead to another address: browsers hold the policy against where a form is sent on to.
func AllowForms(h http.Header, address string) {
	if host := oneHost(address); host != "" {
		h.Set("Content-Security-Policy", policyFor(host))
	}
}
