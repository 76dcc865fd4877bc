// troubles.go is what admins read of each cause.

package watch

import (
	"context"
	"fmt"
	"time"
)

// OutageOf is the outage since a time (zero: there is none), for a reason as it came. spent: it has lasted so long that failures
// count again. try is what the button that tries a video brings.
func OutageOf(began time.Time, reason string, spent bool, try string) Trouble {
	t := Trouble{Cause: Outage, Over: Message{ID: "outage_over"}}
	if began.IsZero() {
		return t
	}
	t.Of = []string{fmt.Sprint(began.UnixMilli())}
	t.Message = Message{ID: "outage_began", Vars: map[string]any{"Reason": reason}, Buttons: []Button{{ID: "button_try_now", Data: try}}}
	if spent {
		t.Of = append(t.Of, "spent")
		t.ID = "outage_long"
	}
	return t
}

// DiskOf is a disk with so many bytes free, of which low are too few. It is well again with a quarter more than that.
func DiskOf(free, low int64, told Told, page string) Trouble {
	t := Trouble{Cause: Disk}
	if len(told.About) > 0 {
		low += low / 4
	}
	if free < low {
		t.Of = []string{"low"}
		t.Message = Message{ID: "alert_disk", Vars: map[string]any{"GB": free >> 30, "Tenth": free % (1 << 30) * 10 >> 30, "Link": page + "/"}}
	}
	return t
}

// ChannelsOf are the channels that somebody must connect again.
func ChannelsOf(ids []string, page string) Trouble {
	return Trouble{Cause: Channel, Of: ids, Message: Message{ID: "alert_channel", Vars: map[string]any{"Count": len(ids), "Link": page + "/channels"}}}
}

// BackupOf is what became of the last backup.
func BackupOf(problem error) Trouble {
	t := Trouble{Cause: Backup}
	if problem != nil {
		t.Of = []string{"failed"}
		t.Message = Message{ID: "alert_backup", Vars: map[string]any{"Reason": problem.Error()}}
	}
	return t
}

// Since is from when on a digest counts.
func Since(told Told, now time.Time) time.Time {
	switch day := now.Add(-24 * time.Hour); {
	case told.At.IsZero() || told.At.After(now): // never, or the clock was set back
		return now.Add(-between)
	case told.At.Before(day):
		return day
	}
	return told.At
}

// Digest is what of a cause (Failed or Unpublished) happened since the last message, the first of it at that time. retry returns
// what a button brings that tries all again which the admin may, and how many these are.
func Digest(cause string, n int, first, now time.Time, page string, retry func(context.Context) (data string, all int, err error)) Trouble {
	write := func(ctx context.Context) (Message, error) {
		data, all, err := retry(ctx)
		m := Message{ID: "alert_failed", Vars: map[string]any{"Count": n, "Link": page + "/?status=FAILED"}}
		later := "alert_failed_later" // than an hour: Telegram was away
		if cause == Unpublished {
			m.ID, m.Vars["Link"], later = "alert_unpublished", page+"/", "alert_unpublished_later"
		}
		if hours := now.Sub(first).Hours(); hours > 1.1 {
			m.ID, m.Vars["Hours"] = later, int(hours+1)
		}
		if all > 0 {
			m.Buttons = []Button{{ID: "button_retry_all", Vars: map[string]any{"All": all}, Data: data}}
		}
		return m, err
	}
	return Trouble{Cause: cause, N: n, First: first, Write: write}
}
