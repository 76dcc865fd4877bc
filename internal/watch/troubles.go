// troubles.go builds the messages that admins read about each cause.

package watch

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"retake.example/internal/media"
	"retake.example/internal/store"
)

// OutageOf is the outage that began at a time, for a reason as an engine gave it; the zero time means that there is
// none. spent says that it has lasted so long that failures count again. try is what the button that tries a video
// brings.
func OutageOf(began time.Time, reason string, spent bool, try string) Trouble {
	t := Trouble{Cause: Outage, Over: Message{ID: "outage_over"}}
	if began.IsZero() {
		return t
	}
	t.Of = []string{fmt.Sprint(began.UnixMilli())}
	t.Message = Message{ID: "outage_began", Vars: map[string]any{"Reason": clean(reason)},
		Buttons: []Button{{ID: "button_try_now", Data: try}}}
	if spent {
		t.Of = append(t.Of, "spent")
		t.ID = "outage_long"
	}
	return t
}

// clean makes what an engine or a disk said fit for a message: one line, of a length that can be read, without
// characters that only change how others look.
func clean(text string) string {
	const most = 300 // characters
	text = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, text)), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// DiskOf is a disk with that many bytes free, where fewer than low are too few. After a message a quarter more must
// be free before it counts as well again.
func DiskOf(free, low int64, told Told, page string) Trouble {
	t := Trouble{Cause: Disk}
	if len(told.About) > 0 {
		low += low / 4
	}
	if free < low {
		t.Of = []string{"low"}
		t.Message = Message{ID: "alert_disk", Vars: map[string]any{"GB": free >> 30, "Tenth": free % (1 << 30) * 10 >> 30,
			"Link": page + "/"}}
	}
	return t
}

// ChannelsOf are the channels that somebody must connect again.
func ChannelsOf(ids []string, page string) Trouble {
	return Trouble{Cause: Channel, Of: ids, Message: Message{ID: "alert_channel",
		Vars: map[string]any{"Count": len(ids), "Link": page + "/channels"}}}
}

// EndingOf are the channels to which the access ends soon. Each end is told once.
func EndingOf(channels []store.Channel, now time.Time, page string) Trouble {
	t := Trouble{Cause: Ending}
	for _, c := range channels {
		if c.EndsSoon(now) {
			t.Of = append(t.Of, fmt.Sprintf("%d:%d", c.ID, c.Ends.UnixMilli()))
		}
	}
	t.Message = Message{ID: "alert_ending", Vars: map[string]any{"Count": len(t.Of), "Link": page + "/channels"}}
	return t
}

// lasts is how long a file may resist its deletion before an admin is told.
const lasts = time.Hour

// UndeletedOf are the files that the media store does not delete.
func UndeletedOf(u media.Undeleted, now time.Time, page string) Trouble {
	t := Trouble{Cause: Undeleted}
	if u.Files > 0 && now.Sub(u.Since) >= lasts {
		t.Of = []string{"kept"}
		t.Message = Message{ID: "alert_undeleted", Vars: map[string]any{"Count": u.Files, "Link": page + "/"}}
	}
	return t
}

// HaltedOf is an announcement that the program has paused before everyone had it.
func HaltedOf(g store.Given, page string) Trouble {
	t := Trouble{Cause: Halted}
	t.Message = Message{ID: "alert_halted", Vars: map[string]any{"Link": page + "/announcements"}}
	if g.N > 0 {
		t.Of = []string{strconv.FormatInt(g.Last.UnixMilli(), 10)}
	}
	return t
}

// BackupOf is the trouble with the last backup; nil: there is none.
func BackupOf(problem error) Trouble {
	t := Trouble{Cause: Backup}
	if problem != nil {
		t.Of = []string{"failed"}
		t.Message = Message{ID: "alert_backup", Vars: map[string]any{"Reason": clean(problem.Error())}}
	}
	return t
}

// RoomOf is the room for videos, when so little is left that the oldest will go.
func RoomOf(room func() (low bool, used, limit int64), page string) Trouble {
	t := Trouble{Cause: Room}
	if low, used, limit := room(); low {
		t.Of = []string{"low"}
		t.Message = Message{ID: "alert_room", Vars: map[string]any{"Percent": used * 100 / limit, "GB": limit >> 30,
			"Link": page + "/"}}
	}
	return t
}

// AlarmOf is the trouble with the second way to the operator; nil: there is none.
func AlarmOf(problem error) Trouble {
	t := Trouble{Cause: Alarm}
	if problem != nil {
		t.Of = []string{"failed"}
		t.Message = Message{ID: "alert_alarm", Vars: map[string]any{"Reason": clean(problem.Error())}}
	}
	return t
}

// Since returns the time from which a digest counts: that of the last failure that the message before it counted. The
// time of that message would leave out a failure that was being written just then.
func Since(told Told, now time.Time) time.Time {
	since := told.At
	if len(told.About) == 1 {
		if ms, err := strconv.ParseInt(told.About[0], 10, 64); err == nil {
			since = time.UnixMilli(ms)
		}
	}
	switch day := now.Add(-24 * time.Hour); {
	case told.At.IsZero() || told.At.After(now): // never, or by a clock that was ahead
		return now.Add(-between)
	case since.Before(day):
		return day
	}
	return since
}

// countedTo is what is recorded of a digest beside its time: up to which failure it counts.
func countedTo(last, now time.Time) []string {
	if last.IsZero() || last.After(now) { // by a clock that was ahead
		return nil
	}
	return []string{strconv.FormatInt(last.UnixMilli(), 10)}
}

// digests are the messages about what happened within an hour, and about more: Telegram was away. They lead to a page.
var digests = map[string]struct{ soon, later, path string }{
	Failed:      {"alert_failed", "alert_failed_later", "/?status=FAILED"},
	Unpublished: {"alert_unpublished", "alert_unpublished_later", "/"},
	Undelivered: {"alert_undelivered", "alert_undelivered_later", "/"},
}

// Digest is what was given up of a cause (Failed, Unpublished or Undelivered) since the last message. retry returns
// what a button brings that tries all again which the admin may, and how many these are.
func Digest(cause string, given store.Given, now time.Time, page string,
	retry func(context.Context) (data string, all int, err error)) Trouble {
	write := func(ctx context.Context) (Message, error) {
		data, all, err := retry(ctx)
		text := digests[cause]
		m := Message{ID: text.soon, Vars: map[string]any{"Count": given.N, "Link": page + text.path}}
		if hours := now.Sub(given.First).Hours(); hours > 1.1 {
			m.ID, m.Vars["Hours"] = text.later, int(hours+1)
		}
		if all > 0 {
			m.Buttons = []Button{{ID: "button_retry_all", Vars: map[string]any{"All": all}, Data: data}}
		}
		return m, err
	}
	return Trouble{Cause: cause, N: given.N, First: given.First, Last: given.Last, Write: write}
}

// alerts names the message of each code that admins are told of.
var alerts = map[string]string{
	"telegram_webhook":      "alert_telegram_webhook",
	"telegram_token":        "alert_telegram_token",
	"telegram_logged_out":   "alert_telegram_logged_out",
	"telegram_other_poller": "alert_telegram_other_poller",
	"telegram_unreachable":  "alert_telegram_unreachable",
	"telegram_unreadable":   "alert_telegram_unreadable",
	"telegram_rate":         "alert_telegram_rate",
	"engine_unreachable":    "alert_engine_unreachable",
	"farm_unreachable":      "alert_farm_unreachable",
	"voice_unreachable":     "alert_voice_unreachable",
	"media_s3_unreachable":  "alert_media_away",
	"media_s3_busy":         "alert_media_away",
	"media_s3_quota":        "alert_media_full",
	"media_s3_refused":      "alert_media_refuses",
	"media_s3_bucket":       "alert_media_refuses",
	"media_s3_access_key":   "alert_media_refuses",
	"media_s3_secret_key":   "alert_media_refuses",
	"media_s3_region":       "alert_media_refuses",
	"media_s3_clock":        "alert_media_refuses",
	"media_s3_permission":   "alert_media_refuses",
	"media_s3_versions":     "alert_media_refuses",
	"media_s3_lost":         "alert_media_refuses",
	"media_s3_damaged":      "alert_media_refuses",
	"media_s3_kept":         "alert_media_refuses",
}
