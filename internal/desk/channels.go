// channels.go is the page where YouTube channels are connected, and what is refused there.

package desk

import (
	"net/http"
	"time"
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
	ID        int64     `json:"id"`
	External  string    `json:"external_id"` // YouTube's
	Title     string    `json:"title"`
	State     string    `json:"state"`     // CONNECTED, ENDED: access has ended, or DISCONNECTED
	Connected time.Time `json:"connected"` // last
	Checked   time.Time `json:"checked,omitzero"`
	Hold      time.Time `json:"hold,omitzero"`     // until then nothing is uploaded there
	HoldFor   string    `json:"hold_for,omitzero"` // quota: the limit of the Google app; limit: that of the channel
	Reason    string    `json:"reason,omitzero"`   // why access has ended, in words
	Error     string    `json:"error,omitzero"`    // as it came

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
func NewChannels(say Say, list []Channel, studio Studio, may bool, now time.Time) Channels {
	for i := range list {
		list[i].now, list[i].Reason = now, Reason(say, list[i].Error, "youtube_ended")
	}
	return Channels{Success: true, Channels: list, Studio: studio, May: may}
}

// EndedOf are those channels to which access has ended.
func EndedOf(list []Channel) (ended []Channel) {
	for _, c := range list {
		if c.State == "ENDED" {
			ended = append(ended, c)
		}
	}
	return ended
}

// Refusals of what an owner wants with a channel.
var (
	OnlyOwners = Refusal{http.StatusForbidden, "FORBIDDEN", "error_only_owners", nil}
	NoClient   = Refusal{http.StatusConflict, "NOT_SET_UP", "error_no_client", nil}        // youtube.client_id is empty
	OldState   = Refusal{http.StatusForbidden, "OLD_STATE", "error_old_state", nil}        // nobody asked, or long ago, or elsewhere
	Denied     = Refusal{http.StatusForbidden, "DENIED", "error_denied", nil}              // somebody pressed Cancel at Google
	NotAll     = Refusal{http.StatusConflict, "NOT_ALL", "error_not_all", nil}             // a box at Google's page was not ticked
	NoRefresh  = Refusal{http.StatusConflict, "NO_REFRESH", "error_no_refresh", nil}       // Google gave access for an hour only
	NoChannel  = Refusal{http.StatusConflict, "NO_CHANNEL", "youtube_no_channel", nil}     // the account has none
	NotRevoked = Refusal{http.StatusBadGateway, "NOT_REVOKED", "error_not_revoked", nil}   // the channel is disconnected, but only here
	NotThere   = Refusal{http.StatusConflict, "NOT_CONNECTED", "error_not_connected", nil} // there is no access to check
)

// OtherChannel refuses to reconnect a channel with the access to another one.
func OtherChannel(want, got string) Refusal {
	return Refusal{http.StatusConflict, "OTHER_CHANNEL", "error_other_channel", Vars{"Want": want, "Got": got}}
}

// AllowForms lets forms of this answer lead to another address: browsers hold the policy against where a form is sent on to.
func AllowForms(h http.Header, address string) {
	if host := oneHost(address); host != "" {
		h.Set("Content-Security-Policy", policyFor(host))
	}
}
