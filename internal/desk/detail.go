// The page of one video, and the page that asks before it is deleted.

package desk

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"retake.example/internal/store"
)

// Detail is the page of one video, and the page that asks before it is deleted.
type Detail struct {
	Success bool `json:"success"`
	Card    Card `json:"asset"`
	// at the same video, oldest first: this one and some before and after it
	Tries    []store.Try   `json:"tries"`
	Shares   []store.Share `json:"people_by_language"` // of those who have asked for it
	Busy     string        `json:"busy,omitzero"`      // why it cannot be deleted now, in words
	Activity []Line        `json:"activity"`
	Form     *Form         `json:"metadata,omitzero"` // of a finished video

	MayBlock  bool         `json:"-"` // who looks is an owner
	Published bool         `json:"-"` // something of it is on a platform
	Fix       *Publication `json:"-"` // needs other metadata and then another try; nil: none does
	Fixing    bool         `json:"-"` // the admin came for that: what was refused is marked
}

// Fixes compares what is saved with what the video is published with, and finds the publication that needs other
// metadata. asked is the platform that the admin came to fix: what it has refused is marked.
func (d *Detail) Fixes(saved store.Metadata, asked string) {
	for i := range d.Card.Publications {
		p := &d.Card.Publications[i]
		p.Changed = saved.Privacy != "" && p.Metadata != saved
		d.Published = d.Published || p.Status == "COMPLETED"
		if p.MayChange && p.Needs("edit") && (d.Fix == nil || p.Platform == asked) {
			d.Fix = p
		}
	}
	if d.Fix != nil && d.Fix.Platform == asked && d.Form != nil {
		d.Fixing = true
		d.Form.Refused(d.Fix.Field, d.Fix.Reason)
	}
}

// Rev changes when anything on the page but the clock does.
func (d Detail) Rev() string { return rev(d) }

// busy says what keeps a video from being deleted, by the kind of the pending job.
var busy = map[string]string{
	"RENDER":    "busy_render",
	"ANNOUNCE":  "busy_announce",
	"DELIVER":   "busy_deliver",
	"APOLOGISE": "busy_apologise",
	"PUBLISH":   "busy_publish",
}

// Busy is the id of the message about a job that keeps a video from being deleted; "" for none.
func Busy(kind string) string { return busy[kind] }

// took is how long something took: 2.3 s, 48 s, 1:05.
func took(say Say, d time.Duration) string {
	switch {
	case d < 9950*time.Millisecond:
		return say("seconds_short", Vars{"N": decimal(say, d.Seconds())})
	case d.Round(time.Second) < time.Minute:
		return say("seconds_short", Vars{"N": int(d.Round(time.Second).Seconds())})
	}
	return Length(d.Milliseconds())
}

// wholeSeconds is a number of seconds in words.
func wholeSeconds(say Say, n int) string {
	if n < 60 {
		return say("seconds_short", Vars{"N": n})
	}
	return Length(int64(n) * 1000)
}

// size is a number of bytes in megabytes.
func size(say Say, bytes int64) string {
	return say("megabytes", Vars{"N": decimal(say, float64(bytes)/(1<<20))})
}

// decimal is a number with one digit after the point.
func decimal(say Say, n float64) string {
	return strings.Replace(strconv.FormatFloat(n, 'f', 1, 64), ".", say("decimal_point", nil), 1)
}

// remover takes what a deletion leaves: files, and what is remembered of names.
type remover interface {
	Discard(ctx context.Context, gone store.Deleted)
}

// Asset answers with the page of a video.
func (d *Desk) Asset(w http.ResponseWriter, r *http.Request) error {
	view, err := d.detail(r)
	if err != nil {
		return err
	}
	return d.answer(w, r, "asset", Frame{Title: view.Card.Name}, view)
}

// detail is the page of the video that the address names.
func (d *Desk) detail(r *http.Request) (Detail, error) {
	a, err := d.store.Detail(r.Context(), r.PathValue("id"))
	if err != nil {
		return Detail{}, fmt.Errorf("asset: %w", err)
	}
	cards, err := d.cards(r, a.Listed)
	if err != nil {
		return Detail{}, fmt.Errorf("asset: %w", err)
	}
	say := sayTo(r)
	view := Detail{Success: true, Card: cards[0], Tries: a.Tries, Shares: append([]store.Share{}, a.Shares...),
		Busy: say(Busy(string(a.Owed)), nil), MayBlock: AdminOf(r).Owner}
	if a.Status == store.Completed {
		defaults, err := d.defaults(r)
		if err != nil {
			return Detail{}, err
		}
		view.Form = savedForm(say, a.Asset, defaults)
		view.Fixes(a.Metadata, r.URL.Query().Get("fix"))
	}
	staff, err := d.staff(r.Context())
	if err != nil {
		return Detail{}, err
	}
	activity := NewActivity(say, staff, AdminOf(r).ID, "", len(a.Deeds))
	for _, e := range a.Deeds {
		activity.Add(e)
	}
	view.Activity = activity.Lines
	return view, nil
}

// editable is that page if this admin may change what is on it.
func (d *Desk) editable(r *http.Request) (Detail, error) {
	view, err := d.detail(r)
	if err == nil && !view.Card.MayEdit {
		err = store.ErrForbidden
	}
	return view, err
}

// AskDelete says what would go, or why it cannot go now.
func (d *Desk) AskDelete(w http.ResponseWriter, r *http.Request) error {
	view, err := d.editable(r)
	if err != nil {
		return err
	}
	return d.answer(w, r, "delete", Frame{Title: sayTo(r)("title_delete", nil)}, view)
}

// Delete deletes a video for which no message is pending, or cancels one that nobody waits for.
func (d *Desk) Delete(w http.ResponseWriter, r *http.Request) error {
	admin, outcome := AdminOf(r), ""
	var a store.Asset
	err := d.store.Tx(r.Context(), func(tx *store.Tx) (err error) {
		if a, err = tx.Asset(r.PathValue("id")); err != nil {
			return err
		}
		if !admin.MayChange(a.Creator) {
			return store.ErrForbidden
		}
		if outcome = "deleted"; a.Status.Live() {
			outcome = "cancelled"
		}
		if a.Status.Live() {
			err = tx.Delete(a.ID)
		} else {
			err = tx.Bin(a, admin.ID)
		}
		if err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "delete", AssetID: a.ID, Outcome: outcome})
	})
	if err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	if a.Status.Live() { // a finished one goes when it can be restored no more
		var gone store.Deleted
		gone.Add(a)
		d.opts.Remover.Discard(d.ctx, gone)
	}
	return doneAt(w, r, "/?notice="+outcome, outcome, "")
}
