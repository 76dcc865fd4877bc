// Moments, lengths and outcomes in words.

package desk

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// notices are what the page says after an action, by its outcome.
var notices = map[string]string{
	"restarted":          "notice_restarted",
	"joined":             "notice_joined",
	"created":            "notice_created",
	"ready":              "notice_ready",
	"trying":             "notice_trying",
	"sent":               "notice_held_sent",
	"left":               "notice_held_left",
	"clock_trusted":      "notice_clock_trusted",
	"purging":            "notice_clock_trusted",
	"answering":          "notice_answering",
	"blocked":            "notice_blocked",
	"paused":             "notice_paused",
	"resumed":            "notice_resumed",
	"queued":             "notice_queued",
	"settings_saved":     "notice_settings_saved",
	"settings_unchanged": "notice_settings_unchanged",
	"stopped":            "notice_stopped",
	"withdrawn":          "notice_withdrawn",
	"saved":              "notice_saved",
	"deleted":            "notice_deleted",
	"cancelled":          "notice_cancelled",
	"uploaded":           "notice_uploaded",
	"publishing":         "notice_publishing",
	"publishing-many":    "notice_publishing_many",
	"updated":            "notice_updated",
	"accepted":           "notice_accepted",
	"unpublished":        "notice_unpublished",
	"forgotten":          "notice_forgotten",
	"published":          "notice_published",
	"connected":          "notice_connected",
	"checked":            "notice_checked",
	"disconnected":       "notice_disconnected",
	"rescheduled":        "notice_rescheduled",
	"defaults":           "notice_defaults",
	"drained":            "notice_drained",
	"taking":             "notice_taking",
	"restored":           "notice_restored",
	"backed-up":          "notice_backed_up",
	"backup-good":        "notice_backup_good",
	"backup-bad":         "notice_backup_bad",
	"erased":             "notice_erased",
	"set-up":             "notice_set_up",
	"appointed":          "notice_appointed",
	"dismissed":          "notice_dismissed",
	"uninvited":          "notice_uninvited",
	"revoked":            "notice_revoked",
	"templates":          "notice_templates",
	"template-added":     "notice_template_added",
	"template-saved":     "notice_template_saved",
	"template-file":      "notice_template_file",
	"template-back":      "notice_template_back",
	"text-reset":         "notice_text_reset",

	"announcing":           "notice_announcing",
	"announcement-paused":  "notice_announcement_paused",
	"announcement-tried":   "notice_announcement_tried",
	"announcement-deleted": "notice_announcement_deleted",
}

// Notice is what the page says after an action, by the address that the action led to; "" if it names none.
func Notice(say Say, query url.Values) string {
	if query.Get("notice") == "retried" {
		return retried(say, query)
	}
	if id := notices[query.Get("notice")]; id != "" {
		return say(id, nil)
	}
	return ""
}

// retried says what came of Retry all, by the numbers in the address of the library.
func retried(say Say, query url.Values) string {
	var parts []string
	for _, p := range []struct{ key, id string }{
		{"restarted", "retried_restarted"}, {"joined", "retried_joined"}, {"skipped", "retried_skipped"},
	} {
		if n, err := strconv.Atoi(query.Get(p.key)); err == nil && n > 0 {
			parts = append(parts, say(p.id, Vars{"Count": n}))
		}
	}
	if len(parts) == 0 {
		return say("retried_none", nil)
	}
	return strings.Join(parts, " ")
}

// Excerpt leaves the beginning and the end of a long error, which say what failed and why. Two dozen whole ones would
// make a page slow.
func Excerpt(problem string) string {
	letters := []rune(problem)
	if len(letters) <= 320 {
		return problem
	}
	return string(letters[:60]) + " … " + string(letters[len(letters)-240:])
}

// Clock names a moment, with the day unless that is today. The page's script makes it relative where that says more.
func Clock(say Say, t, now time.Time) string {
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04:05")
	}
	return say("clock_day", Vars{"Day": t.Day(), "Month": strings.Fields(say("months", nil))[t.Month()-1],
		"Time": t.Format("15:04:05")})
}

// Length is how long a video of so many milliseconds plays: 0:42.
func Length(milliseconds int64) string {
	s := (milliseconds + 500) / 1000
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// Span is a duration in the largest unit of which it is a whole number: 7 days, 90 seconds.
func Span(say Say, d time.Duration) string {
	for _, unit := range []struct {
		size time.Duration
		id   string
	}{{24 * time.Hour, "days"}, {time.Hour, "hours"}, {time.Minute, "minutes"}, {time.Second, "seconds"}} {
		if d >= unit.size && d%unit.size == 0 {
			return say(unit.id, Vars{"Count": int(d / unit.size)})
		}
	}
	return d.String()
}
