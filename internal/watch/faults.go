// faults.go has a sentence for everything the program needs and cannot use, found by the code of the error.

package watch

import (
	"fmt"
	"slices"
	"time"
)

// The causes that have codes.
const (
	Telegram = "telegram"
	Media    = "media"  // the media store
	Engine   = "engine" // the generator of videos
	Voice    = "voice"
)

// Fault is something that the program needs and cannot use.
type Fault struct {
	Cause string
	Code  string    // of the error, such as telegram_webhook
	Since time.Time // zero: nobody knows
}

// sentences say what a code means and what an operator can do. They are read in /readyz, by anybody: nothing
// private is in them. The page and the messages to admins have their own texts, by the same codes.
var sentences = map[string]string{
	"telegram_webhook": "Telegram sends the bot's updates to a webhook, so nobody is heard here: " +
		"an owner can press Take over on the page.",
	"telegram_token": "Telegram refuses the token of the bot: set telegram.token to the one that @BotFather shows.",
	"telegram_logged_out": "The bot is logged out of the Bot API server at telegram.api_url: " +
		"after a move to another server this can take ten minutes.",
	"telegram_other_poller": "Another program reads the updates of this bot: stop it there. " +
		"Nothing is sent from here meanwhile.",
	"telegram_unreachable": "Telegram cannot be reached.",
	"telegram_unreadable":  "What answers at telegram.api_url is not Telegram.",
	"telegram_rate":        "Telegram asks to wait.",

	"media_s3_unreachable": "The media store cannot be reached.",
	"media_s3_busy":        "The media store is busy.",
	"media_s3_bucket":      "The bucket in media.s3.bucket does not exist.",
	"media_s3_access_key":  "The media store does not know the key in media.s3.access_key.",
	"media_s3_secret_key":  "media.s3.secret_key is not the secret of the access key.",
	"media_s3_region":      "The bucket is not in the region in media.s3.region.",
	"media_s3_clock":       "The media store refuses because the clock of this computer is wrong.",
	"media_s3_permission":  "The key in media.s3.access_key may not list, read, write and delete in the bucket.",
	"media_s3_quota":       "The media store has no room left.",
	"media_s3_refused":     "The media store refuses.",
	"media_s3_lost":        "The media store answers that it keeps files, and does not.",
	"media_s3_damaged":     "The media store keeps other files than it is given.",
	"media_s3_kept":        "The media store answers that it deletes files, and does not.",
	"media_s3_versions":    "The bucket keeps old versions of deleted files, and the key may not delete them.",

	"engine_unreachable": "The generator of videos cannot be reached.",
	"farm_unreachable":   "The server or the machines of the farm cannot be used.",
	"voice_unreachable":  "The voice service cannot be reached.",
}

func (f Fault) sentence(now time.Time) string {
	text, known := sentences[f.Code]
	if !known {
		text = fmt.Sprintf("%s cannot be used: %s.", f.Cause, f.Code)
	}
	if f.Since.IsZero() {
		return text
	}
	return fmt.Sprintf("%s (for %s)", text, round(now.Sub(f.Since)))
}

// FaultOf is the trouble of a cause: what cannot be used, or with the zero Fault nothing. There is no button to take
// the updates back from a webhook: a bot with a webhook hears no presses, so that is on the page.
func FaultOf(cause string, f Fault) Trouble {
	t := Trouble{Cause: cause}
	if id := alerts[f.Code]; id != "" {
		t.Of, t.Message = []string{f.Code}, Message{ID: id}
	}
	return t
}

// Pause is a time in which calls to Telegram are held back.
type Pause struct {
	OneChat      bool   // it holds one chat only
	Method       string // the only method that it holds; "": all of them
	Since, Until time.Time
	Code         string // why
}

// shownFrom is how long a pause is before it is worth a sentence.
const shownFrom = 30 * time.Second

// paused returns a sentence for each sort of pause that is long enough.
func paused(pauses []Pause, now time.Time) (reasons []string) {
	type sort struct {
		oneChat      bool
		method, code string
	}
	n, until := map[sort]int{}, map[sort]time.Time{}
	var sorts []sort
	for _, p := range pauses {
		if p.Until.Sub(p.Since) <= shownFrom || !p.Until.After(now) {
			continue
		}
		s := sort{p.OneChat, p.Method, p.Code}
		if n[s]++; !slices.Contains(sorts, s) {
			sorts = append(sorts, s)
		}
		if p.Until.After(until[s]) {
			until[s] = p.Until
		}
	}
	for _, s := range sorts {
		what := "Messages"
		if s.method != "" {
			what = "Calls of " + s.method
		}
		switch {
		case s.oneChat && n[s] == 1:
			what += " to one chat"
		case s.oneChat:
			what += fmt.Sprintf(" to %d chats", n[s])
		}
		reasons = append(reasons, fmt.Sprintf("%s are held back for %s more: %s.", what, round(until[s].Sub(now)), s.code))
	}
	return reasons
}
