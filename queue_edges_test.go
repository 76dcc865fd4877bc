// Tests of the edges of the queue: late answers, stops, a database that refuses, progress.

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/video"
	"retake.example/internal/worker"
)

func TestButtonPressedOnAFinishedAssetIsRefused(t *testing.T) {
	q := newQueue(newStore(t))
	a := ask(t, q.store, "Маша", 1)
	complete(t, q.store)
	mutate(t, q.store, `DELETE FROM jobs`)
	if out, err := q.Retry(t.Context(), a.ID, retry.ButtonPressed{User: 1, Chat: 1}); !errors.Is(err, store.ErrNotFailed) {
		t.Errorf("got %q, %v; want ErrNotFailed", out, err)
	}
	if n := count(t, q.store, `SELECT count(*) FROM jobs`); n != 0 {
		t.Errorf("got %d jobs; want none", n)
	}
}

func TestARetryByAnAdminTakesTheTurnOfThoseWhoWait(t *testing.T) {
	q := newQueue(newStore(t))
	a := ask(t, q.store, "Маша", 1, 2)
	failForGood(t, q)
	if _, err := q.Retry(t.Context(), a.ID, retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}, Platform: ""}); err != nil {
		t.Fatal(err)
	}
	if lane := count(t, q.store, `SELECT fairness_key FROM jobs WHERE kind = 'RENDER'`); lane != 1 {
		t.Errorf("got lane %d; want that of the first waiting user", lane)
	}
}

func TestEveryRetryIsNoted(t *testing.T) {
	q := newQueue(newStore(t))
	a := ask(t, q.store, "Маша", 1)
	failForGood(t, q)
	if _, err := q.Retry(t.Context(), a.ID, retry.ButtonPressed{User: 1, Chat: 1}); err != nil {
		t.Fatal(err)
	}
	write(t, q.store, func(tx *store.Tx) error {
		u, err := tx.Usage(1)
		if u.Hour != 1 || u.Day != 1 {
			t.Errorf("got %+v; want the retry counted in the hour and the day", u)
		}
		return err
	})
	other := newQueue(newStore(t))
	id := publication(t, other.store, failedPublication)
	if _, err := other.Retry(t.Context(), id, retry.AdminClicked{Admin: store.Admin{ID: 7}, Platform: "YOUTUBE"}); err != nil {
		t.Fatal(err)
	}
	if n := count(t, other.store, `SELECT count(*) FROM audit WHERE admin = 7 AND action = 'retry' AND asset_id = ? AND platform = 'YOUTUBE' AND outcome = 'restarted'`, id); n != 1 {
		t.Errorf("got %d lines of activity; want 1", n)
	}
}

// overtaken begins a job, fails it, and begins it again: the first attempt is a worker that comes too late.
func overtaken(t *testing.T, q *Queue, kind store.Kind) (late, now store.Task) {
	t.Helper()
	late, _ = fail(t, q, kind, errEngine)
	mutate(t, q.store, `UPDATE jobs SET due = 0`)
	return late, begin(t, q.store, kind)
}

func TestAWorkerThatWasOvertakenChangesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		kind store.Kind
		do   func(q *Queue, tx *store.Tx, j store.Job) error
	}{
		"a finish": {store.Render, func(_ *Queue, tx *store.Tx, j store.Job) error { return tx.FinishRender(j, store.Video{File: "late"}) }},
		"a failure": {store.Render, func(q *Queue, tx *store.Tx, j store.Job) error {
			_, err := q.retryJob(tx, retry.JobFailed{Job: j, Err: errEngine})
			return err
		}},
		"a giving back":   {store.Render, func(_ *Queue, tx *store.Tx, j store.Job) error { return tx.GiveBack(j) }},
		"a video arrived": {store.Deliver, func(_ *Queue, tx *store.Tx, j store.Job) error { return tx.VideoArrived(j, 5, "late") }},
		"a message": {store.Deliver, func(_ *Queue, tx *store.Tx, j store.Job) error {
			_, err := tx.FinishMessage(&store.Task{Job: j}, 5)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			q := newQueue(newStore(t))
			ask(t, q.store, "Маша", 1)
			if c.kind == store.Deliver {
				complete(t, q.store)
			}
			late, now := overtaken(t, q, c.kind)
			// Its transaction may hold what others have to write: nothing of it is taken back.
			changes := commits(t, q.store)
			before := changes()
			write(t, q.store, func(tx *store.Tx) error {
				if err := c.do(q, tx, late.Job); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("got %v; want ErrNotFound", err)
				}
				return nil
			})
			if changes() != before {
				t.Error("rows were written; want none")
			}
			if n := count(t, q.store, `SELECT count(*) FROM jobs WHERE id = ? AND attempt = 2 AND started IS NOT NULL AND sent IS NULL`, now.ID); n != 1 {
				t.Error("the second attempt is not under way any more")
			}
		})
	}
}

func TestAStopEndsRendersAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		b := &bench{render: func(ctx context.Context, _ video.Order) error { <-ctx.Done(); return ctx.Err() }}
		_, stop := start(t, s, b, Options{Drain: time.Minute})
		ask(t, s, "Маша", 1)
		time.Sleep(time.Second)
		began := time.Now()
		stop()
		if took := time.Since(began); took != 0 {
			t.Errorf("got %v; want the render stopped at once", took)
		}
	})
}

// unhurried takes a second for each message.
type unhurried struct{ *bench }

func (u unhurried) Tell(ctx context.Context, t store.Task, ahead worker.Forecast) (int, error) {
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(time.Second):
		return u.bench.Tell(ctx, t, ahead)
	}
}

func TestAStopLetsAMessageOnItsWayArrive(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		b := unhurried{&bench{render: func(ctx context.Context, _ video.Order) error { <-ctx.Done(); return ctx.Err() }}}
		q := NewQueue(s, b, b, b, Options{Workers: 1, Attempts: 3, Backoff: hours, Drain: 5 * time.Second}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- q.Run(ctx) }()
		ask(t, s, "Маша", 1)
		time.Sleep(100 * time.Millisecond)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := count(t, s, `SELECT count(*) FROM requests WHERE progress_id IS NOT NULL`); n != 1 || b.heard("ANNOUNCE") != 1 {
			t.Errorf("got %q, %d written; want the announcement sent and written", b.told, n)
		}
	})
}

// stepwise is a renderer that goes on by steps.
type stepwise struct {
	*bench
	steps chan int
}

func (w *stepwise) Make(ctx context.Context, _ video.Order, progress func(int)) (video.Video, error) {
	for percent := range w.steps {
		progress(percent)
	}
	return video.Video{Path: "x"}, nil
}

func TestViewersAreToldOfEachStep(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		b := &stepwise{bench: &bench{}, steps: make(chan int)}
		q := NewQueue(s, b, b, b, Options{Workers: 1, Attempts: 3, Backoff: hours}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		go q.Run(ctx)
		var told []string
		end := q.View(func(id string, percent int) { told = append(told, fmt.Sprint(id, " ", percent)) })
		a := ask(t, s, "Маша", 1)
		synctest.Wait()
		if !slices.Contains(told, a.ID+" 0") {
			t.Errorf("got told %q; want %s", told, a.ID)
		}
		told = nil
		for _, percent := range []int{10, 10, 20} {
			b.steps <- percent
		}
		synctest.Wait()
		if want := []string{a.ID + " 10", a.ID + " 20"}; !slices.Equal(told, want) {
			t.Errorf("got told %q; want each new percentage, %q", told, want)
		}
		end()
		close(b.steps)
		synctest.Wait()
		cancel()
		synctest.Wait()
		if len(told) != 2 {
			t.Errorf("got told %q after the end; want nothing more", told)
		}
	})
}

func TestTheApologyTakesThePlaceOfTheProgressMessage(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		var withdrawn []int
		b := &bench{render: func(context.Context, video.Order) error { time.Sleep(time.Second); return retry.Permanent(errEngine) }}
		b.withdraw = func(id int) { withdrawn = append(withdrawn, id) }
		_, stop := start(t, s, b, Options{})
		ask(t, s, "Маша", 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		stop()
		if progress := count(t, s, `SELECT progress_id FROM requests`); b.heard("APOLOGISE") != 1 || !slices.Equal(withdrawn, []int{progress}) {
			t.Errorf("got %v withdrawn after %q; want the progress message %d", withdrawn, b.told, progress)
		}
	})
}

func TestStopEndsTheRenderOfAnAssetThatIsGone(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		ended := false
		b := &bench{render: func(ctx context.Context, _ video.Order) error { <-ctx.Done(); ended = true; return ctx.Err() }}
		q, stop := start(t, s, b, Options{})
		defer stop()
		ask(t, s, "Маша", 1)
		time.Sleep(time.Second)
		var gone store.Deleted
		write(t, s, func(tx *store.Tx) (err error) { gone, err = tx.Forget(1); return err })
		q.Discard(t.Context(), gone)
		synctest.Wait()
		if !ended {
			t.Error("the render goes on")
		}
	})
}

func TestThePaceOfTheLastLifeIsKnownAtTheStart(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		ask(t, s, "Оля", 2)
		task := begin(t, s, store.Render)
		setNow(s, func() time.Time { return time.Now().Add(100 * time.Second) })
		write(t, s, func(tx *store.Tx) error { return tx.FinishRender(task.Job, store.Video{File: "f"}) })
		setNow(s, time.Now)
		b := &bench{render: func(ctx context.Context, _ video.Order) error { <-ctx.Done(); return ctx.Err() }}
		q, stop := start(t, s, b, Options{})
		defer stop()
		a := ask(t, s, "Маша", 1)
		synctest.Wait()
		if all, err := q.Outlooks(t.Context()); err != nil || all[a.ID].Left != 50*time.Second {
			t.Errorf("got %+v, %v; want 50 s left at 50 %%", all[a.ID], err)
		}
	})
}

func TestADatabaseThatRefusesForAWhileLosesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		mutate(t, s, `CREATE TRIGGER full BEFORE INSERT ON attempts BEGIN SELECT raise(ABORT, 'disk full'); END`)
		renders := 0
		b := &bench{render: func(context.Context, video.Order) error { renders++; return nil }}
		_, stop := start(t, s, b, Options{})
		defer stop()
		ask(t, s, "Маша", 1)
		time.Sleep(time.Minute)
		mutate(t, s, `DROP TRIGGER full`)
		time.Sleep(time.Minute)
		synctest.Wait()
		if renders != 1 || b.heard("VIDEO") != 1 {
			t.Errorf("got %d renders, %d videos; want 1, 1", renders, b.heard("VIDEO"))
		}
	})
}

func TestAdminClickedSendsNothingAgainToWhoHasTheVideo(t *testing.T) {
	q := newQueue(newStore(t))
	ask(t, q.store, "Маша", 1, 2)
	task := failForGood(t, q)
	ask(t, q.store, "Маша", 1) // asked again instead of pressing
	complete(t, q.store)
	delivery := begin(t, q.store, store.Deliver)
	write(t, q.store, func(tx *store.Tx) error {
		if err := tx.VideoArrived(delivery.Job, 5, "id"); err != nil {
			return err
		}
		_, err := tx.FinishMessage(&delivery, 5)
		return err
	})
	if out, err := q.Retry(t.Context(), task.AssetID, retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}, Platform: ""}); out != retry.Joined || err != nil {
		t.Fatalf("got %s, %v; want %s", out, err, retry.Joined)
	}
	if all, two := count(t, q.store, `SELECT count(*) FROM jobs WHERE kind = 'DELIVER'`),
		count(t, q.store, `SELECT count(*) FROM jobs j JOIN requests r ON r.id = j.request_id WHERE j.kind = 'DELIVER' AND r.user_id = 2`); all != 1 || two != 1 {
		t.Errorf("got %d deliveries, %d of user 2; want only that one", all, two)
	}
}

func TestAdminClickedOnTheFirstOfALineReachesWhomItsSuccessorFailed(t *testing.T) {
	q := newQueue(newStore(t))
	ask(t, q.store, "Маша", 1, 2)
	first := failForGood(t, q)
	if _, err := q.Retry(t.Context(), first.AssetID, retry.ButtonPressed{User: 2, Chat: 2}); err != nil {
		t.Fatal(err)
	}
	failForGood(t, q)
	if out, err := q.Retry(t.Context(), first.AssetID, retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}, Platform: ""}); out != retry.Restarted || err != nil {
		t.Fatalf("got %s, %v; want %s", out, err, retry.Restarted)
	}
	if n := count(t, q.store, `SELECT count(DISTINCT user_id) FROM requests WHERE status = 'PENDING'`); n != 2 {
		t.Errorf("got %d people on the new video; want both", n)
	}
}

func TestButtonPressedDoesNotBringAVideoFromBeforeTheFailure(t *testing.T) {
	q := newQueue(newStore(t))
	ask(t, q.store, "Маша", 1)
	complete(t, q.store)
	mutate(t, q.store, `UPDATE assets SET finished = 1`) // long ago
	ask(t, q.store, "Маша", 1)
	task := failForGood(t, q)
	if out, err := q.Retry(t.Context(), task.AssetID, retry.ButtonPressed{User: 1, Chat: 1}); out != retry.Restarted || err != nil {
		t.Errorf("got %s, %v; want %s", out, err, retry.Restarted)
	}
}

func TestAnAnnouncementThatFailsAfterItWasOvertakenIsGivenUp(t *testing.T) {
	q := newQueue(newStore(t))
	ask(t, q.store, "Маша", 1)
	late := begin(t, q.store, store.Announce)
	complete(t, q.store)
	if _, err := q.Retry(t.Context(), late.AssetID, retry.JobFailed{Job: late.Job, Err: waits{time.Minute}}); err != nil {
		t.Fatal(err)
	}
	if n := count(t, q.store, `SELECT count(*) FROM jobs WHERE kind = 'ANNOUNCE'`); n != 0 {
		t.Errorf("got %d announcements owed after the video; want none", n)
	}
}

func TestTheOthersGetTheVideoAsSoonAsItsFileIDIsKnown(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		b := &bench{render: func(context.Context, video.Order) error { time.Sleep(time.Second); return nil }}
		q := NewQueue(s, b, b, b, Options{Workers: 1, Attempts: 3, Backoff: hours, Drain: 2 * time.Hour}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- q.Run(ctx) }()
		ask(t, s, "Маша", 1, 2, 3)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := b.heard("VIDEO"); n != 3 {
			t.Errorf("got %d videos; want 3", n)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
