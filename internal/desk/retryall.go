// Retry all: the page that asks, and how its answer is read. The retries themselves are in web.go.

package desk

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/publish"
	"retake.example/internal/retry"
	"retake.example/internal/store"
)

// ErrShown is what Shown returns for a request that does not say what was shown.
var ErrShown = errors.New("not what was shown")

// Found is what a page of the library was asked for.
type Found struct {
	Status   string `json:"-"` // "": all
	Platform string `json:"-"` // "": all
	Query    string `json:"-"` // the search, as it was typed
}

// Filter picks what was found, from the database. It returns an HTTPError if there is no such status or platform.
func (f Found) Filter() (store.Filter, error) {
	filter := store.Filter{Status: store.Status(f.Status), Platform: f.Platform, Exact: f.Query,
		Search: lang.SearchKey(f.Query)}
	switch filter.Status {
	case "", store.Pending, store.Processing, store.Completed, store.Failed:
	default:
		return filter, Invalid("error_status", nil)
	}
	if _, known := publish.PlaceOf(filter.Platform); !known && filter.Platform != "" {
		return filter, Invalid("error_platform", nil)
	}
	return filter, nil
}

// Address is a page about what was found.
func (f Found) Address(path string) string {
	return Address(path, "status", f.Status, "platform", f.Platform, "q", f.Query)
}

// Seen is what the page that asks had shown.
type Seen struct {
	Found
	retry.Shown
}

// Shown reads what the page that asks had shown. Without a number and the last of them nothing is tried again: no
// request means all. Other errors are those of Fields.
func Shown(w http.ResponseWriter, r *http.Request) (Seen, error) {
	sent, err := Fields(w, r)
	if err != nil {
		return Seen{}, err
	}
	seen := Seen{Found{sent["status"], sent["platform"], sent["q"]}, retry.Shown{Newest: sent["newest"]}}
	for _, n := range []struct {
		field string
		into  *int
		last  string
	}{{"count", &seen.Count, "newest"}, {"publications", &seen.Publications, "until"},
		{"undelivered", &seen.Undelivered, "until"}} {
		if sent[n.field] == "" {
			continue
		}
		if *n.into, err = strconv.Atoi(sent[n.field]); err != nil || *n.into < 1 || sent[n.last] == "" {
			return Seen{}, ErrShown
		}
	}
	if seen.Publications+seen.Undelivered > 0 {
		seen.Until, err = time.Parse(time.RFC3339Nano, sent["until"])
	}
	if err != nil || seen.Count+seen.Publications+seen.Undelivered == 0 {
		return Seen{}, ErrShown
	}
	return seen, nil
}

// RetryAll is the question of Retry all about what a filter shows.
type RetryAll struct {
	Success          bool `json:"success"`
	store.RetryNeeds `json:"need_you"`
	Found
}

// Moment is when the last of the publications and messages failed, as Shown reads it.
func (v RetryAll) Moment() string { return v.Until.Format(time.RFC3339Nano) }

// AskRetryAll says what Retry all would do. Its form carries what was shown, so that nothing else is tried again.
func (d *Desk) AskRetryAll(w http.ResponseWriter, r *http.Request) error {
	ctx, admin, view := r.Context(), AdminOf(r), RetryAll{Success: true, Found: foundBy(r)}
	f, err := view.Found.Filter()
	if err != nil {
		return err
	}
	if f.Platform == "" {
		view.RetryNeeds, err = d.store.NeedYou(ctx, admin, f)
	}
	if err == nil {
		view.Publications, view.Until, err = d.store.CountUnpublished(ctx, admin, f)
	}
	if err == nil && f.Platform == "" {
		var until time.Time
		view.Undelivered, until, err = d.store.CountUndelivered(ctx, admin, f)
		if until.After(view.Until) {
			view.Until = until
		}
	}
	if err != nil {
		return fmt.Errorf("retry all: %w", err)
	}
	return d.answer(w, r, "retry-all", Frame{Title: sayTo(r)("title_retry_all", nil)}, view)
}

// Stopped is the error of a Retry all that came to an end after some of what was shown.
func (s Seen) Stopped(t retry.Tally) HTTPError {
	return HTTPError{Internal.Status, Internal.Code, "retry_all_stopped",
		Vars{"Done": t.Restarted + t.Joined + t.Skipped, "Of": s.Count + s.Publications + s.Undelivered}}
}

// Retried answers with what came of Retry all.
func Retried(w http.ResponseWriter, r *http.Request, t retry.Tally) error {
	switch {
	case !WantsJSON(r):
		return redirect(w, fmt.Sprintf("/?notice=retried&restarted=%d&joined=%d&skipped=%d", t.Restarted, t.Joined,
			t.Skipped))
	case t.Outcome == "":
		return store.ErrNotFailed
	}
	return JSON(w, http.StatusOK, struct {
		Success bool `json:"success"`
		retry.Tally
	}{true, t})
}
