// Package desk holds what the page needs that knows nothing of videos: words for errors and times, and how requests are read.
package desk

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// notices are what the page says after an action, by its outcome.
var notices = map[string]string{
	"restarted": "Trying again. Everybody who still waits for it will be told.",
	"joined":    "That video is on its way already, or ready.",
	"created":   "The video is in the queue.",
	"ready":     "There is a finished video with that name already.",
}

// Notice is what the page says after an action, by the address that the action led to; "" if it names none.
func Notice(query url.Values) string {
	if query.Get("notice") == "retried" {
		return retried(query)
	}
	return notices[query.Get("notice")]
}

// reasons say in words what an error is about, by what it contains. The first that fits wins.
var reasons = []struct{ sign, words string }{
	{"no font here covers this name", "No font on this machine has every letter of this name."},
	{"engine refused", "The video engine refused to make this one."},
	{"disk is nearly full", "The disk is nearly full."},
	{"no space left on device", "The disk is full."},
	{"voice: ", "The name could not be spoken."},
	{"took longer than", "It took too long and was stopped."},
	{"deadline exceeded", "It took too long and was stopped."},
	{"the program ended", "The program ended each time it made this one."},
	{"panic:", "The program tripped over a fault of its own."},
	{"ffmpeg was not found", "ffmpeg is not installed."},
	{"executable file not found", "A program that makes videos is not installed."},
	{"connection refused", "A service it needs did not answer."},
	{"no such host", "A service it needs could not be reached."},
	{"keep the video", "The finished video could not be stored."},
	{"the engine left no video file", "The video engine left no video behind."},
	{"probe: ", "The video engine left a file that does not play."},
	{"the video has ", "The video is too large to be sent."},
	{"unknown template", "Its template is not there any more."},
	{"template.toml:", "Its template has faults."},
	{"generator ", "The generator did not make this one."},
}

// Reason says in words what went wrong; "" if nothing did. The error itself is for whoever wants to know more.
func Reason(problem string) string {
	if problem == "" {
		return ""
	}
	for _, r := range reasons {
		if strings.Contains(problem, r.sign) {
			return r.words
		}
	}
	return "The video could not be made."
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
func Clock(t, now time.Time) string {
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04:05")
	}
	return t.Format("2 Jan 15:04:05")
}

// Length is how long a video of so many milliseconds plays: 0:42.
func Length(milliseconds int64) string {
	s := (milliseconds + 500) / 1000
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// Count is a number of things: 1 owner, 2 owners.
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// Span is a duration in the largest unit of which it is a whole number: 7 days, 90 seconds.
func Span(d time.Duration) string {
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if d >= unit.size && d%unit.size == 0 {
			return Count(int(d/unit.size), unit.name)
		}
	}
	return d.String()
}
