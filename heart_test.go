// Tests of what Retry stores and promises besides its table: codes, the cap of waits, messages that are given up.

package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/worker"
)

func TestRetry_StoresTheCodeOfTheErrorBesideItsText(t *testing.T) {
	s := newStore(t)
	q := newQueue(s)
	a := ask(t, s, "Маша", 1)
	for _, problem := range []error{retry.WithCode(errEngine, "ENGINE"), retry.Permanent(retry.WithCode(errEngine, "TIMEOUT"))} {
		mutate(t, s, `UPDATE jobs SET due = 0`)
		fail(t, q, store.Render, problem)
	}
	got, err := s.Asset(t.Context(), a.ID)
	if err != nil || got.ErrorCode != "TIMEOUT" {
		t.Errorf("got the code %q, %v; want that of the last error", got.ErrorCode, err)
	}
	tries, err := s.Attempts(t.Context(), a.ID)
	if err != nil || len(tries[a.ID]) != 2 || tries[a.ID][0].ErrorCode != "ENGINE" || tries[a.ID][1].ErrorCode != "TIMEOUT" {
		t.Errorf("got %+v, %v; want the code of each attempt", tries[a.ID], err)
	}
}

func TestRetry_AFailedPublicationKeepsItsCodeUntilItIsRetried(t *testing.T) {
	s := newStore(t)
	q := newQueue(s)
	owner := store.Admin{ID: 8, Owner: true}
	id := publication(t, s, failedPublication)
	click := func() {
		t.Helper()
		if _, err := q.Retry(t.Context(), id, retry.AdminClicked{Admin: owner, Platform: "YOUTUBE"}); err != nil {
			t.Fatal(err)
		}
	}
	code := func() string {
		t.Helper()
		all, err := s.Publications(t.Context(), id)
		if err != nil || len(all[id]) != 1 {
			t.Fatal(all, err)
		}
		return all[id][0].ErrorCode
	}
	click()
	fail(t, q, store.Publish, retry.WithCode(retry.Permanent(errors.New("no channel")), "youtube_no_channel"))
	if got := code(); got != "youtube_no_channel" {
		t.Errorf("got the code %q; want the one of the error", got)
	}
	click()
	if got := code(); got != "" {
		t.Errorf("got the code %q; want none while it is tried again", got)
	}
}

// away is the error of a place that does not answer.
type away struct{}

func (away) Error() string     { return "dial tcp: connection refused" }
func (away) Code() string      { return "UNREACHABLE" }
func (away) Unreachable() bool { return true }

// further is the error of an attempt that got further than the one before it.
type further struct{}

func (further) Error() string    { return "the connection broke" }
func (further) Progressed() bool { return true }

// TestRetry_EveryWaitOfAJobHasOneCapFromItsFirst lets each kind of job wait by each kind of error until it is told.
func TestRetry_EveryWaitOfAJobHasOneCapFromItsFirst(t *testing.T) {
	for name, problem := range map[string]error{"asked": waits{30 * time.Second}, "unreachable": away{}, "asked for a month": waits{720 * time.Hour}} {
		for _, kind := range []store.Kind{store.Render, store.Announce, store.Deliver, store.Apologise} {
			t.Run(name+" "+string(kind), func(t *testing.T) {
				s := newStore(t)
				now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
				setNow(s, func() time.Time { return now })
				q := newQueue(s)
				q.opts.OutageMax, q.opts.Backoff = 2*time.Hour, retry.Exponential(10*time.Second, 10*time.Minute)
				ask(t, s, "Маша", 1)
				switch kind {
				case store.Deliver:
					complete(t, s)
				case store.Apologise:
					failForGood(t, q)
				}
				want := retry.Undelivered
				if kind == store.Render {
					want = retry.GaveUp
				}
				first, looks := now, 0
				for {
					_, out := fail(t, q, kind, problem)
					if out == want {
						break
					}
					if looks++; out != retry.Deferred || looks > 60 {
						t.Fatalf("got %s after %d looks; want waits, then %s", out, looks, want)
					}
					due := count(t, s, `SELECT due FROM jobs WHERE kind = ?`, kind)
					if pause := time.UnixMilli(int64(due)).Sub(now); pause <= 0 {
						t.Fatalf("got a pause of %v", pause)
					}
					now = time.UnixMilli(int64(due))
				}
				if lasted := now.Sub(first); lasted != 2*time.Hour {
					t.Errorf("it waited %v; want the two hours of outage_max", lasted)
				}
				if n := count(t, s, `SELECT count(*) FROM attempts WHERE outcome = 'deferred'`); n > 1 {
					t.Errorf("got %d rows of the history; want one for all waits", n)
				}
			})
		}
	}
}

func TestRetry_AFailureOfItsOwnEndsTheWaitsBeforeIt(t *testing.T) {
	s := newStore(t)
	q := newQueue(s)
	ask(t, s, "Маша", 1)
	fail(t, q, store.Render, waits{time.Second})
	mutate(t, s, `UPDATE jobs SET due = 0`)
	fail(t, q, store.Render, errEngine)
	if n := count(t, s, `SELECT count(*) FROM jobs WHERE kind = 'RENDER' AND waiting_since IS NULL AND waits = 0`); n != 1 {
		t.Errorf("got %d jobs without waits; want one", n)
	}
}

func TestRetry_ProgressCountsAttemptsAnew(t *testing.T) {
	s := newStore(t)
	q := newQueue(s)
	id := publication(t, s, failedPublication)
	if _, err := q.Retry(t.Context(), id, retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}, Platform: "YOUTUBE"}); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, out := fail(t, q, store.Publish, further{}); out != retry.Rescheduled {
			t.Fatalf("got %s; want %s", out, retry.Rescheduled)
		}
		mutate(t, s, `UPDATE jobs SET due = 0`)
	}
}

func TestRetry_AnUndeliveredMessageIsSentAgainByEachWay(t *testing.T) {
	for _, kind := range []store.Kind{store.Deliver, store.Apologise} {
		ways := map[string]func(t *testing.T, q *Queue, assetID string){
			"an update of the user": func(t *testing.T, q *Queue, _ string) {
				if _, err := q.store.RecentUser(t.Context(), 1); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("got %v; want the user met again", err)
				}
				write(t, q.store, func(tx *store.Tx) error { _, err := tx.Return(1); return err })
			},
			"another message that gets through": func(t *testing.T, q *Queue, _ string) {
				ask(t, q.store, "Лев", 1)
				task := begin(t, q.store, store.Announce)
				write(t, q.store, func(tx *store.Tx) error { _, err := tx.FinishMessage(&task, 5); return err })
			},
			"an admin": func(t *testing.T, q *Queue, assetID string) {
				out, err := q.Retry(t.Context(), assetID, retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}})
				if err != nil || out != retry.Restarted {
					t.Errorf("got %s, %v; want %s", out, err, retry.Restarted)
				}
			},
		}
		if kind == store.Apologise {
			delete(ways, "an admin") // who makes a new try, which is for everybody
		}
		for name, again := range ways {
			t.Run(string(kind)+" "+name, func(t *testing.T) {
				s := newStore(t)
				q := newQueue(s)
				a := ask(t, s, "Маша", 1)
				if kind == store.Deliver {
					complete(t, s)
				} else {
					failForGood(t, q)
				}
				out := retry.Rescheduled
				for tries := 0; out == retry.Rescheduled; tries++ {
					mutate(t, s, `UPDATE jobs SET due = 0`)
					_, out = fail(t, q, kind, retry.WithCode(errors.New("telegram refused the call"), "telegram_refused"))
				}
				if out != retry.Undelivered {
					t.Fatalf("got %s; want %s", out, retry.Undelivered)
				}
				lost, err := s.Undelivered(t.Context(), a.ID)
				if err != nil || lost[a.ID].People != 1 || lost[a.ID].Code != "telegram_refused" {
					t.Errorf("got %+v, %v; want one person and the code", lost, err)
				}
				if given, err := s.NotDelivered(t.Context(), time.Time{}); err != nil || given.N != 1 {
					t.Errorf("got %+v, %v; want one for the digest", given, err)
				}
				again(t, q, a.ID)
				if n := count(t, s, `SELECT count(*) FROM jobs WHERE kind = ? AND attempt = 0`, kind); n != 1 {
					t.Errorf("got %d jobs; want the message owed again", n)
				}
				if n := count(t, s, `SELECT count(*) FROM requests WHERE undelivered IS NOT NULL`); n != 0 {
					t.Errorf("got %d marks; want none", n)
				}
			})
		}
	}
}

// TestPurge_AClockThatIsFarAheadDeletesNothing starts a program ten years later and lets it run for a day.
func TestPurge_AClockThatIsFarAheadDeletesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		ask(t, s, "Маша", 1)
		complete(t, s)
		mutate(t, s, `DELETE FROM jobs`)
		setNow(s, func() time.Time { return time.Now().AddDate(10, 0, 0) })
		q := newQueue(s)
		q.media = &bench{}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go worker.NewPurger(s, keeps, q.log).Run(ctx, q.Discard, q.ForgetOldNames)
		synctest.Wait()
		// a row of the wrong time is no proof
		write(t, s, func(tx *store.Tx) error { _, err := tx.UpsertUser(2, "ru"); return err })
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if n := count(t, s, `SELECT (SELECT count(*) FROM assets) + (SELECT count(*) FROM users)`); n != 3 {
			t.Errorf("got %d rows; want the video and both people", n)
		}
	})
}

func TestClock_SetBackHoldsNoJobLongerThanItAskedFor(t *testing.T) {
	s := newStore(t)
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	setNow(s, func() time.Time { return now })
	q := newQueue(s)
	q.opts.Backoff = func(int) time.Duration { return 4 * time.Second }
	ask(t, s, "Маша", 1)
	fail(t, q, store.Render, errEngine)
	now = now.Add(-50 * time.Minute)
	write(t, s, func(tx *store.Tx) error { return tx.CapWaits() })
	if due := count(t, s, `SELECT due FROM jobs WHERE kind = 'RENDER'`); int64(due) != now.Add(4*time.Second).UnixMilli() {
		t.Errorf("it is due in %v; want the 4 s it asked for", time.UnixMilli(int64(due)).Sub(now))
	}
}
