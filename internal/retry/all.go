// Retry all: one Retry for each of many failures, in batches.

package retry

import (
	"cmp"
	"context"
	"errors"
	"time"

	"retake.example/internal/routine"
	"retake.example/internal/store"
)

// Tally counts the outcomes of many retries.
type Tally struct {
	Outcome   Outcome `json:"outcome"` // Restarted if any was; "": none
	Restarted int     `json:"restarted"`
	Joined    int     `json:"joined"`
	Skipped   int     `json:"skipped"` // no longer the admin's, no longer failed, or deleted by then
}

// And adds up two tallies.
func (t Tally) And(more Tally) Tally {
	if t.Outcome != Restarted {
		t.Outcome = cmp.Or(more.Outcome, t.Outcome)
	}
	return Tally{t.Outcome, t.Restarted + more.Restarted, t.Joined + more.Joined, t.Skipped + more.Skipped}
}

// Retrier is queue.Retry, the only way anything gets another try.
type Retrier interface {
	Retry(ctx context.Context, assetID string, why Cause) (Outcome, error)
}

// BatchSize is how many videos All takes at a time. They share a commit, so a thousand videos do not wait for a
// thousand fsyncs.
const BatchSize = 100

// All calls Retry for each video that needs an admin and that the filter shows, oldest failure first: at most count,
// and none that failed after newest, the latest one that the admin was shown. Each is a transaction of its own. It
// stops after a batch with an error; the tally says how far it got. If newest has been deleted it does nothing, because
// nobody knows what was shown.
func All(
	ctx context.Context,
	st *store.Store,
	q Retrier,
	admin store.Admin,
	f store.Filter,
	newest string,
	count int,
) (t Tally, err error) {
	last, err := st.Asset(ctx, newest)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return t, nil
	case err != nil:
		return t, err
	}
	until := store.NeedsAttention{Last: last.ID, Failed: last.Finished}
	return each(ctx, q, count, func(limit int, after store.NeedsAttention) ([]store.NeedsAttention, error) {
		f.Limit = limit
		return st.NeedsAttention(ctx, admin, f, after, until)
	}, func(v store.NeedsAttention) (string, AdminClicked) { return v.ID, AdminClicked{Admin: admin} })
}

// AllPublications is All for the publications of those videos: those that had failed by until, at most count.
func AllPublications(
	ctx context.Context,
	st *store.Store,
	q Retrier,
	admin store.Admin,
	f store.Filter,
	until time.Time,
	count int,
) (t Tally, err error) {
	return each(ctx, q, count, func(limit int, after store.Unpublished) ([]store.Unpublished, error) {
		f.Limit = limit
		return st.Unpublished(ctx, admin, f, after, until)
	}, func(p store.Unpublished) (string, AdminClicked) {
		return p.AssetID, AdminClicked{Admin: admin, Platform: p.Platform}
	})
}

// AllUndelivered is All for the messages about those videos: those that had been given up by until, of at most count
// videos.
func AllUndelivered(
	ctx context.Context,
	st *store.Store,
	q Retrier,
	admin store.Admin,
	f store.Filter,
	until time.Time,
	count int,
) (t Tally, err error) {
	return each(ctx, q, count, func(limit int, after string) ([]string, error) {
		f.Limit = limit
		return st.UndeliveredVideos(ctx, admin, f, after, until)
	}, func(id string) (string, AdminClicked) { return id, AdminClicked{Admin: admin} })
}

// Shown is what somebody was shown who tries all of it again: how many videos, and the one that failed last; how many
// publications and videos with messages that were given up, and when the last of these failed.
type Shown struct {
	Count        int
	Newest       string
	Publications int
	Undelivered  int
	Until        time.Time
}

// Everything is All, AllPublications and AllUndelivered for what somebody was shown.
func Everything(
	ctx context.Context,
	st *store.Store,
	q Retrier,
	admin store.Admin,
	f store.Filter,
	s Shown,
) (all Tally, err error) {
	if s.Count > 0 {
		all, err = All(ctx, st, q, admin, f, s.Newest, s.Count)
	}
	if err == nil && s.Publications > 0 {
		var t Tally
		t, err = AllPublications(ctx, st, q, admin, f, s.Until, s.Publications)
		all = all.And(t)
	}
	if err == nil && s.Undelivered > 0 {
		var t Tally
		t, err = AllUndelivered(ctx, st, q, admin, f, s.Until, s.Undelivered)
		all = all.And(t)
	}
	return all, err
}

// each presses on what list returns, in batches, at most count. list is given the last of the batch before.
func each[T any](ctx context.Context, q Retrier, count int, list func(limit int, after T) ([]T, error),
	press func(T) (string, AdminClicked)) (t Tally, err error) {
	var after T
	for count > 0 {
		some, err := list(min(count, BatchSize), after)
		if err != nil || len(some) == 0 {
			return t, err
		}
		if err := batch(ctx, q, &t, len(some), func(i int) (string, AdminClicked) { return press(some[i]) }); err != nil {
			return t, err
		}
		count -= len(some)
		after = some[len(some)-1]
	}
	return t, nil
}

// batch calls Retry for n failures at once and adds up the outcomes.
func batch(ctx context.Context, q Retrier, t *Tally, n int, nth func(int) (string, AdminClicked)) (err error) {
	outs, errs := make([]Outcome, n), make([]error, n)
	var all routine.Group
	for i := range n {
		all.Run(func() {
			id, why := nth(i)
			errs[i] = routine.Call(func() (err error) { outs[i], err = q.Retry(ctx, id, why); return err })
		})
	}
	all.Wait()
	for i, failed := range errs {
		switch {
		case errors.Is(failed, store.ErrForbidden),
			errors.Is(failed, store.ErrNotFailed),
			errors.Is(failed, store.ErrNotFound),
			errors.Is(failed, store.ErrNotPublishable):
			t.Skipped++
		case failed != nil:
			err = failed
		case outs[i] == Restarted:
			t.Restarted++
			t.Outcome = Restarted
		default:
			t.Joined++
			t.Outcome = cmp.Or(t.Outcome, Joined)
		}
	}
	return err
}
