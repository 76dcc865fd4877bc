// Package desk holds what the page needs that knows nothing of the store: views, words, how requests are read.
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
	"restarted": "notice_restarted",
	"joined":    "notice_joined",
	"created":   "notice_created",
	"ready":     "notice_ready",
	"trying":    "notice_trying",
	"saved":     "notice_saved",
	"deleted":   "notice_deleted",
	"cancelled": "notice_cancelled",
	"uploaded":  "notice_uploaded",
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

// reasons say in words what an error is about, by what it contains. The first that fits wins.
var reasons = []struct{ sign, id string }{
	{"no font here covers this name", "reason_font"},
	{"engine refused", "reason_refused"},
	{"disk is nearly full", "reason_disk_low"},
	{"no space left on device", "reason_disk_full"},
	{"voice: ", "reason_voice"},
	{"took longer than", "reason_slow"},
	{"deadline exceeded", "reason_slow"},
	{"the program ended", "reason_crash"},
	{"panic:", "reason_panic"},
	{"ffmpeg was not found", "reason_ffmpeg"},
	{"executable file not found", "reason_program"},
	{"connection refused", "reason_no_answer"},
	{"no such host", "reason_unreachable"},
	{"keep the video", "reason_keep"},
	{"the engine left no video file", "reason_no_video"},
	{"probe: ", "reason_unplayable"},
	{"the video has ", "reason_too_large"},
	{"unknown template", "reason_template_gone"},
	{"template.toml:", "reason_template_faults"},
	{"generator ", "reason_generator"},
}

// Reason says in words what went wrong: the message otherwise if no reason fits, "" if nothing did. The error itself is for
// whoever wants to know more.
func Reason(say Say, problem, otherwise string) string {
	if problem == "" {
		return ""
	}
	for _, r := range reasons {
		if strings.Contains(problem, r.sign) {
			return say(r.id, nil)
		}
	}
	return say(otherwise, nil)
}

// Excerpt leaves the beginning and the end of a long error, which say what failed and why. Two dozen whole ones would make
// a page slow.
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
	return say("clock_day", Vars{"Day": t.Day(), "Month": strings.Fields(say("months", nil))[t.Month()-1], "Time": t.Format("15:04:05")})
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
