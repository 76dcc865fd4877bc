// How work goes: at a glance above the library, and for programs that watch.

package desk

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"retake.example/internal/backup"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/watch"
)

// Health is how work goes.
type Health struct {
	Busy    int       `json:"busy"` // workers that are making a video
	Workers int       `json:"workers"`
	Free    int64     `json:"disk_free"` // bytes; 0: nobody knows
	Oldest  time.Time `json:"oldest_waiting,omitzero"`
	Outage  *Outage   `json:"outage,omitempty"` // nil: there is none
	Faults  []Trouble `json:"faults,omitempty"`
	Room    *RoomLeft `json:"media_room,omitempty"` // nil: there is enough
	// people waiting for messages that a restored backup holds; owners decide
	Held   int  `json:"held,omitzero"`
	Decide bool `json:"-"` // the reader may decide
	// nothing is deleted because the clock may be wrong: how far it is ahead, in seconds
	ClockAhead int64        `json:"clock_ahead_s,omitzero"`
	Ahead      string       `json:"-"`                      // that in words
	Limited    bool         `json:"purge_limited,omitzero"` // the last purge has left what one may not take
	Backup     backup.State `json:"backup,omitzero"`
	Undeleted  *Undeleted   `json:"not_deleted,omitempty"` // nil: nothing
}

// RoomLeft is how much of limits.media_gb the videos take, when that is so much that the oldest will go.
type RoomLeft struct {
	Percent int64 `json:"percent"`
	GB      int64 `json:"limit_gb"`
}

// Undeleted are files that should be gone, and that the media store did not delete.
type Undeleted struct {
	Files  int       `json:"files"`
	Since  time.Time `json:"since"`
	Reason string    `json:"reason"` // in words
	Error  string    `json:"error"`  // as it came
}

// Outage is why no videos are made.
type Outage struct {
	Began  time.Time `json:"began"`
	Spent  bool      `json:"spent"`  // so long that failures count again, and people are told
	Reason string    `json:"reason"` // in words
	Error  string    `json:"error"`  // as it came
	Next   time.Time `json:"next_try,omitzero"`
}

// Trouble is something that the program needs and cannot use.
type Trouble struct {
	Code     string    `json:"code"`
	Text     string    `json:"text"` // in words
	Since    time.Time `json:"since,omitzero"`
	TakeOver bool      `json:"-"` // the reader may take the bot's updates back from a webhook
}

// troubles name the message of each code.
var troubles = map[string]string{
	"telegram_webhook":      "trouble_telegram_webhook",
	"telegram_token":        "trouble_telegram_token",
	"telegram_logged_out":   "trouble_telegram_logged_out",
	"telegram_other_poller": "trouble_telegram_other_poller",
	"telegram_unreachable":  "trouble_telegram_unreachable",
	"telegram_unreadable":   "trouble_telegram_unreadable",
	"telegram_rate":         "trouble_telegram_rate",
	"engine_unreachable":    "trouble_engine_unreachable",
	"farm_unreachable":      "trouble_farm_unreachable",
	"voice_unreachable":     "trouble_voice_unreachable",
}

// faults says what cannot be used.
func (d *Desk) faults(r *http.Request) (all []Trouble) {
	if d.opts.Faults == nil {
		return nil
	}
	for _, f := range d.opts.Faults() {
		if f.Cause == watch.Media { // Ready has asked it, and says more
			continue
		}
		fault := Trouble{Code: f.Code, Text: f.Code, Since: f.Since,
			TakeOver: f.Code == "telegram_webhook" && AdminOf(r).Owner}
		if id := troubles[f.Code]; id != "" {
			fault.Text = sayTo(r)(id, nil)
		}
		all = append(all, fault)
	}
	return all
}

// TakeOver takes the bot's updates back from a webhook.
func (d *Desk) TakeOver(w http.ResponseWriter, r *http.Request) error {
	if d.opts.TakeOver == nil {
		return store.ErrNotFailed
	}
	if err := d.opts.TakeOver(d.ctx); err != nil {
		return fmt.Errorf("take over from the webhook: %w", err)
	}
	return Done(w, r, "taken_over", "")
}

// Low reports whether the disk has little room left.
func (h Health) Low() bool { return h.Free > 0 && h.Free < watch.LowDisk }

// gigabytes is a number of bytes in gigabytes: 38, or 1.4 where that matters.
func gigabytes(say Say, bytes int64) string {
	gb := float64(bytes) / (1 << 30)
	if gb < 10 {
		return decimal(say, gb)
	}
	return fmt.Sprintf("%.0f", gb)
}

// direct asks this machine. What the environment says of a proxy is for other machines, and Go follows it for 0.0.0.0
// and [::] too.
var direct = http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// CheckHealth asks the page at an address whether it is well.
func CheckHealth(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/healthz", nil)
	if err != nil {
		return err
	}
	resp, err := direct.Do(r)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", resp.Status)
	}
	return nil
}

// load is how much of the queue's capacity is used.
type load interface {
	Busy() (busy, workers int)
	Outage() (o store.Outage, next time.Time, spent bool)
}

// health says how work goes.
func (d *Desk) health(r *http.Request) (h Health, err error) {
	h.Busy, h.Workers = d.opts.Load.Busy()
	if h.Free, err = d.opts.Free(); err != nil {
		d.log.Warn("look for room on the disk", "err", err) // the library is of use without it
	}
	if o, next, spent := d.opts.Load.Outage(); !o.Began.IsZero() {
		h.Outage = &Outage{Began: o.Began, Spent: spent, Reason: Reason(sayTo(r), "", o.Reason, "reason_other"),
			Error: o.Reason, Next: next}
	}
	if d.opts.Room != nil {
		if low, used, limit := d.opts.Room(); low {
			h.Room = &RoomLeft{Percent: used * 100 / limit, GB: limit >> 30}
		}
	}
	if d.opts.Undeleted != nil {
		if u := d.opts.Undeleted(); u.Files > 0 {
			h.Undeleted = &Undeleted{u.Files, u.Since, Reason(sayTo(r), retry.CodeOf(u.Err), u.Err.Error(), "reason_undeleted"),
				u.Err.Error()}
		}
	}
	if d.opts.Backups != nil {
		h.Backup = d.opts.Backups()
	}
	if h.Held, err = d.store.Held(r.Context()); err != nil {
		return h, err
	}
	h.Faults, h.Decide = d.faults(r), AdminOf(r).Owner
	if doubted := d.doubted(); doubted > 0 {
		h.ClockAhead, h.Ahead = int64(doubted.Seconds()), ahead(sayTo(r), doubted)
	}
	h.Limited = d.opts.Purge != nil && d.opts.Purge.Limited()
	h.Oldest, err = d.store.OldestWaiting(r.Context())
	return h, err
}

// Healthz says that the database answers. Neither check is logged.
func (d *Desk) Healthz(w http.ResponseWriter, r *http.Request) error { return d.check(w, r, nil) }

// Readyz says why work does not flow, a sentence a line.
func (d *Desk) Readyz(w http.ResponseWriter, r *http.Request) error {
	return d.check(w, r, d.opts.Stuck())
}

func (d *Desk) check(w http.ResponseWriter, r *http.Request, missing []string) error {
	if _, err := d.store.HadSession(r.Context()); err != nil {
		missing = append(missing, "The database does not answer.")
	}
	status, text := http.StatusOK, "ok\n"
	if len(missing) > 0 {
		status, text = http.StatusServiceUnavailable, strings.Join(missing, "\n")+"\n"
	}
	w.Header().Set("Cache-Control", "no-store")
	if WantsJSON(r) {
		return JSON(w, status, map[string]any{"success": len(missing) == 0, "reasons": append([]string{}, missing...)})
	}
	return write(w, status, "text/plain; charset=UTF-8", []byte(text))
}
