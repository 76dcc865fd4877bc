// Messages that were given up: what cards and the library say about them. The button is that of any retry.

package desk

import (
	"cmp"
	"net/http"
	"time"

	"retake.example/internal/store"
)

// Undelivered is what people should have got about a video and did not: the video, the apology or the announcement.
type Undelivered struct {
	People  int       `json:"people"`
	Since   time.Time `json:"since"`
	Code    string    `json:"error_code,omitzero"`
	Reason  string    `json:"reason"`         // in words
	CanSend bool      `json:"can_send_again"` // this admin, now, by a retry of the video
}

// undeliveredReasons are the messages about codes that a message of the bot can end with. Other codes are those of any
// error.
var undeliveredReasons = map[string]string{
	"":                      "undelivered_other",
	"telegram_refused":      "undelivered_refused",
	"telegram_file_refused": "undelivered_refused",
	"telegram_too_large":    "undelivered_too_large",
	"telegram_unreadable":   "undelivered_unreadable",
	store.MaybeSent:         "undelivered_unreadable",
	"telegram_odd":          "undelivered_other",
	"telegram_unreachable":  "undelivered_away",
	"telegram_rate":         "undelivered_away",
	"telegram_token":        "trouble_telegram_token",
	"telegram_logged_out":   "trouble_telegram_logged_out",
	"telegram_webhook":      "trouble_telegram_webhook",
	"telegram_other_poller": "trouble_telegram_other_poller",
}

func undeliveredReason(say Say, code string) string {
	if id := undeliveredReasons[code]; id != "" {
		return say(id, nil)
	}
	return say(cmp.Or(messageOf(code), "undelivered_other"), Vars{"Name": platformOf(code)})
}

// addUndelivered adds to cards what was not delivered of them.
func (d *Desk) addUndelivered(r *http.Request, cards []Card) error {
	ids := make([]string, len(cards))
	for i, c := range cards {
		ids[i] = c.ID
	}
	all, err := d.store.Undelivered(r.Context(), ids...)
	if err != nil {
		return err
	}
	for i := range cards {
		c := &cards[i]
		u, ok := all[c.ID]
		if !ok {
			continue
		}
		// A new try of a failed video reaches everyone: that has a button of its own.
		c.Undelivered = &Undelivered{People: u.People, Since: u.Since, Code: u.Code,
			Reason: undeliveredReason(sayTo(r), u.Code), CanSend: c.MayEdit && !c.CanRetry}
	}
	return nil
}
