// Tests of a queue that runs: attempts and their waits, stops and crashes.

package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/video"
	"retake.example/internal/worker"
)

// bench is a queue's renderer, messenger and shelf, driven by the test.
type bench struct {
	render   func(ctx context.Context, o video.Order) error
	tell     func(t store.Task) error
	withdraw func(messageID int)

	mu   sync.Mutex
	told []string // "KIND user"
	put  []string
}

func (b *bench) Make(ctx context.Context, o video.Order, progress func(int)) (video.Video, error) {
	progress(50)
	return video.Video{Path: "x"}, b.render(ctx, o)
}

func (b *bench) message(what string, t store.Task) error {
	if b.tell != nil {
		if err := b.tell(t); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told = append(b.told, fmt.Sprint(what, " ", t.To.User))
	return nil
}

func (b *bench) Send(_ context.Context, t store.Task) (int, string, error) {
	return 1, "file-id", b.message("VIDEO", t)
}

func (b *bench) Tell(_ context.Context, t store.Task, _ worker.Forecast) (int, error) {
	return 2, b.message(string(t.Kind), t)
}

func (b *bench) Withdraw(_ context.Context, _ int64, id int) {
	if b.withdraw != nil {
		b.withdraw(id)
	}
}

func (b *bench) Ready(context.Context) error { return nil }

func (b *bench) Put(_ context.Context, key, _ string, _ func(int64)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.put = append(b.put, key)
	return nil
}

func (b *bench) Delete(_ context.Context, key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.put = slices.DeleteFunc(b.put, func(k string) bool { return k == key })
	return nil
}

func (b *bench) heard(what string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range b.told {
		if strings.HasPrefix(t, what) {
			n++
		}
	}
	return n
}

// start runs a queue until stop, which waits for its end.
func start(t *testing.T, s *store.Store, b *bench, o Options) (q *Queue, stop func()) {
	t.Helper()
	if o.Workers == 0 {
		o.Workers = 2
	}
	o.Attempts = 3
	if o.Backoff == nil {
		o.Backoff = hours
	}
	q = NewQueue(s, b, b, b, o, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- q.Run(ctx) }()
	return q, sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// inBubble runs a test in fake time, with a store whose time is that of the bubble.
func inBubble(t *testing.T, fn func(t *testing.T, s *store.Store)) {
	bubbleIn(t, t.TempDir(), fn)
}

// bubbleIn is inBubble with the store in a folder.
func bubbleIn(t *testing.T, folder string, fn func(t *testing.T, s *store.Store)) {
	path := filepath.Join(folder, "retake.db")
	synctest.Test(t, func(t *testing.T) {
		s, err := openStore(path)
		if err != nil {
			t.Fatal(err)
		}
		fn(t, s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestThreeAttemptsWithGrowingWaitsThenEverybodyIsTold(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		var begun []time.Time
		b := &bench{render: func(context.Context, video.Order) error { begun = append(begun, time.Now()); return errEngine }}
		_, stop := start(t, s, b, Options{Backoff: retry.Exponential(10*time.Second, time.Minute)})
		defer stop()
		ask(t, s, "Маша", 1, 2, 3)
		time.Sleep(5 * time.Minute) // of the bubble
		synctest.Wait()
		if len(begun) != 3 {
			t.Fatalf("got %d attempts; want 3", len(begun))
		}
		first, second := begun[1].Sub(begun[0]), begun[2].Sub(begun[1])
		if first < 9*time.Second || first > 11*time.Second || second < 18*time.Second || second > 22*time.Second {
			t.Errorf("got pauses of %v and %v; want 10 s and 20 s ± 10 %%", first, second)
		}
		if got := b.heard("APOLOGISE"); got != 3 {
			t.Errorf("got %d apologies; want 3", got)
		}
		if n := count(t, s, `SELECT count(*) FROM requests WHERE status = 'FAILED' AND answer_id IS NOT NULL`); n != 3 {
			t.Errorf("got %d failed requests that were told; want 3", n)
		}
	})
}

func TestTelegramThatAsksToWaitCostsNoAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		refused := 0
		b := &bench{render: func(context.Context, video.Order) error { return nil }}
		b.tell = func(task store.Task) error {
			if task.Kind == store.Deliver && refused < 20 {
				refused++
				return fmt.Errorf("send: %w", waits{7 * time.Second})
			}
			return nil
		}
		_, stop := start(t, s, b, Options{})
		defer stop()
		ask(t, s, "Маша", 1)
		time.Sleep(2 * time.Hour) // the pauses grow to five minutes
		synctest.Wait()
		if n := count(t, s, `SELECT count(*) FROM requests WHERE status = 'COMPLETED'`); n != 1 || refused != 20 {
			t.Errorf("got %d served after %d waits; want 1 after 20", n, refused)
		}
	})
}

func TestAStopGivesTheAttemptBack(t *testing.T) {
	s := newStore(t)
	begun := make(chan struct{}, 1)
	b := &bench{render: func(ctx context.Context, _ video.Order) error {
		begun <- struct{}{}
		<-ctx.Done()
		return fmt.Errorf("ffmpeg: %w", ctx.Err())
	}}
	_, stop := start(t, s, b, Options{})
	ask(t, s, "Маша", 1)
	<-begun
	stop()
	for query, want := range map[string]int{
		`SELECT count(*) FROM jobs WHERE kind = 'RENDER' AND attempt = 0 AND started IS NULL`: 1,
		`SELECT count(*) FROM assets WHERE status = 'PENDING'`:                                1,
		`SELECT count(*) FROM attempts WHERE kind = 'RENDER'`:                                 0,
	} {
		if got := count(t, s, query); got != want {
			t.Errorf("%s: got %d; want %d", query, got, want)
		}
	}
}

func TestAPanicIsAnAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		tries := 0
		b := &bench{render: func(context.Context, video.Order) error {
			if tries++; tries < 3 {
				panic("boom")
			}
			return nil
		}}
		_, stop := start(t, s, b, Options{})
		defer stop()
		ask(t, s, "Маша", 1)
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if n := count(t, s, `SELECT count(*) FROM attempts WHERE error = 'panic: boom'`); n != 2 || b.heard("VIDEO") != 1 {
			t.Errorf("got %d attempts that panicked, %d videos; want 2, 1", n, b.heard("VIDEO"))
		}
	})
}

func TestAnIdleQueueWritesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		b := &bench{render: func(context.Context, video.Order) error { return nil }}
		_, stop := start(t, s, b, Options{})
		defer stop()
		ask(t, s, "Маша", 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		changes := commits(t, s)
		before := changes()
		time.Sleep(24 * time.Hour)
		if after := changes(); after != before {
			t.Errorf("got %d changes in an idle day; want 0", after-before)
		}
	})
}

func TestAVideoNobodyWaitsForAnyMoreIsDeleted(t *testing.T) {
	s := newStore(t)
	begun, forgotten := make(chan struct{}), make(chan struct{})
	b := &bench{render: func(context.Context, video.Order) error { close(begun); <-forgotten; return nil }}
	_, stop := start(t, s, b, Options{})
	ask(t, s, "Маша", 1)
	<-begun
	write(t, s, func(tx *store.Tx) error { _, err := tx.Forget(1); return err })
	close(forgotten)
	stop()
	if len(b.put) != 0 || b.heard("VIDEO") != 0 {
		t.Errorf("got files %q, %d videos sent; want none", b.put, b.heard("VIDEO"))
	}
}

// ---- crashes

// crash leaves n renders started, as a process that died would.
func crash(t *testing.T, s *store.Store, n int) (ids []string) {
	t.Helper()
	for range n {
		ids = append(ids, begin(t, s, store.Render).AssetID)
	}
	return ids
}

// otherMachines is a farm that has nothing to forget.
type otherMachines struct{}

func (otherMachines) Forget([]string) {}
func (otherMachines) On() bool        { return true }

func TestAfterACrash(t *testing.T) {
	fine := func(context.Context, video.Order) error { return nil }
	t.Run("the attempt is given back and the video made", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *store.Store) {
			ask(t, s, "Маша", 1)
			crash(t, s, 1)
			b := &bench{render: fine}
			_, stop := start(t, s, b, Options{})
			time.Sleep(time.Second)
			synctest.Wait()
			stop()
			if b.heard("VIDEO") != 1 || count(t, s, `SELECT count(*) FROM attempts WHERE kind = 'RENDER' AND outcome = 'done' AND attempt = 1`) != 1 {
				t.Errorf("got %d videos; want 1, in its first attempt", b.heard("VIDEO"))
			}
		})
	})
	t.Run("of several nobody is blamed, and they run first and alone", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *store.Store) {
			ask(t, s, "Новая", 9)
			mutate(t, s, `UPDATE jobs SET position = -1`) // would be the first
			for i := range 3 {
				ask(t, s, fmt.Sprint("Имя", i), int64(i+1))
			}
			mutate(t, s, `UPDATE jobs SET due = 9e15 WHERE position = -1`)
			crash(t, s, 3)
			mutate(t, s, `UPDATE jobs SET due = 0`)
			var mu sync.Mutex
			var order []string
			running, most := 0, 0
			b := &bench{render: func(_ context.Context, o video.Order) error {
				mu.Lock()
				running++
				if o.Name != "Новая" {
					most = max(most, running)
				}
				order = append(order, o.Name)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				running--
				mu.Unlock()
				return nil
			}}
			_, stop := start(t, s, b, Options{Workers: 4})
			time.Sleep(time.Minute)
			synctest.Wait()
			stop()
			if len(order) != 4 || order[3] != "Новая" || most != 1 {
				t.Errorf("got the order %q with %d at a time; want the three suspects first, one at a time", order, most)
			}
			if n := count(t, s, `SELECT count(*) FROM assets WHERE status = 'COMPLETED'`); n != 4 {
				t.Errorf("got %d completed; want 4", n)
			}
		})
	})
	t.Run("videos that other machines make go on together", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *store.Store) {
			for i := range 3 {
				ask(t, s, fmt.Sprint("Имя", i), int64(i+1))
			}
			crash(t, s, 3)
			b := &bench{render: func(context.Context, video.Order) error { time.Sleep(time.Hour); return nil }}
			_, stop := start(t, s, b, Options{Workers: 4, Farm: otherMachines{}})
			time.Sleep(time.Hour + time.Minute)
			synctest.Wait()
			stop()
			if n := b.heard("VIDEO"); n != 3 {
				t.Errorf("got %d videos after the time of one; want 3", n)
			}
		})
	})
	t.Run("the fifth one of a job that ran alone is a failed attempt, and the third of those an apology", func(t *testing.T) {
		s := newStore(t)
		q := newQueue(s)
		ask(t, s, "Яд", 1)
		for i := 1; i <= 3*maxCrashes; i++ {
			if status := text(t, s, `SELECT status FROM assets`); status != string(store.Pending) {
				t.Fatalf("before crash %d: got %s; want %s", i, status, store.Pending)
			}
			mutate(t, s, `UPDATE jobs SET quarantined = 0, due = 0`) // so that begin claims it
			crash(t, s, 1)
			if err := q.rescue(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := count(t, s, `SELECT count(*) FROM attempts WHERE outcome IN ('rescheduled', 'gave_up')`); got != i/maxCrashes {
				t.Fatalf("after crash %d: got %d failed attempts; want %d", i, got, i/maxCrashes)
			}
		}
		if n := count(t, s, `SELECT count(*) FROM jobs WHERE kind = 'APOLOGISE'`); n != 1 {
			t.Errorf("got %d apologies owed; want 1", n)
		}
	})
	t.Run("of ten healthy jobs at once none ever fails", func(t *testing.T) {
		s := newStore(t)
		q := newQueue(s)
		for i := range 10 {
			ask(t, s, fmt.Sprint("Имя", i), int64(i+1))
		}
		for range 20 {
			mutate(t, s, `UPDATE jobs SET quarantined = 0`)
			crash(t, s, 10)
			if err := q.rescue(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if n := count(t, s, `SELECT count(*) FROM jobs WHERE kind = 'RENDER' AND attempt = 0 AND crashes = 0`); n != 10 {
			t.Errorf("got %d jobs as good as new; want 10", n)
		}
	})
}

func TestANameNeverReachesTheLog(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		var log bytes.Buffer
		tries := 0
		b := &bench{render: func(_ context.Context, o video.Order) error {
			if tries++; tries == 1 {
				panic(o.Name)
			}
			return fmt.Errorf("no %x, no %s", o.Name, string([]rune(o.Name)[1:]))
		}}
		q := NewQueue(s, b, b, b, Options{Workers: 1, Attempts: 3, Backoff: hours}, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, cancel := context.WithCancel(t.Context())
		go func() { q.Run(ctx) }()
		ask(t, s, "Аглая", 1)
		time.Sleep(24 * time.Hour)
		cancel()
		synctest.Wait()
		if !strings.Contains(log.String(), "code=PANIC") || !strings.Contains(log.String(), "code=UNKNOWN") ||
			strings.Contains(log.String(), "Аглая") || strings.Contains(log.String(), "no ") {
			t.Errorf("got the log %s; want the failures in it, and no name", log.String())
		}
	})
}

// The stop gives messages no time at all, and a video ends after it: what was made is written, or it would be made twice.
func TestAStopWithoutDrainWritesWhatEndsAfterIt(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		b := &bench{render: func(ctx context.Context, _ video.Order) error {
			<-ctx.Done()
			time.Sleep(time.Minute) // it was at the last frame
			return nil
		}}
		_, stop := start(t, s, b, Options{Drain: 0})
		ask(t, s, "Маша", 1)
		synctest.Wait()
		stop()
		if n := count(t, s, `SELECT count(*) FROM assets WHERE status = 'COMPLETED'`); n != 1 {
			t.Errorf("got %d finished videos; want the one that ended after the stop", n)
		}
	})
}

// The export of a person's data and a restore look for the message that brought the video.
func TestADeliveredVideoIsKnownByItsMessage(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		b := &bench{render: func(context.Context, video.Order) error { return nil }}
		_, stop := start(t, s, b, Options{})
		defer stop()
		ask(t, s, "Маша", 1, 2)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := count(t, s, `SELECT count(*) FROM requests WHERE status = 'COMPLETED' AND answer_id = 1`); n != 2 {
			t.Errorf("got %d requests that know the message of their video; want 2", n)
		}
	})
}

func TestACrowdThatACrashCutInTwoIsToldOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		for user := range int64(40) {
			ask(t, s, "Маша", user+1)
		}
		complete(t, s)
		first := begin(t, s, store.Deliver)
		write(t, s, func(tx *store.Tx) error {
			if err := tx.VideoArrived(first.Job, 12, "file-id"); err != nil {
				return err
			}
			_, err := tx.FinishMessage(&first, 12)
			return err
		})
		cut := beginAll(t, s, store.Deliver, 16) // the process dies, and nothing of this was sent
		if len(cut) != 16 {
			t.Fatalf("got %d jobs; want 16", len(cut))
		}
		b := &bench{}
		_, stop := start(t, s, b, Options{})
		time.Sleep(time.Minute)
		stop()
		if n := b.heard("VIDEO"); n != 39 {
			t.Errorf("got %d videos; want 39", n)
		}
		if n := count(t, s, `SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM requests WHERE status <> `+
			`'COMPLETED')`); n != 0 {
			t.Errorf("got %d jobs and requests; want none left", n)
		}
	})
}

// The process died when some people of a crowd had been told that their video failed, or linked to the next try of it.
func TestAStartGoesOnWithACrowd(t *testing.T) {
	const people = 1100
	crowd := func(t *testing.T, s *store.Store) (failed store.Asset) {
		write(t, s, func(tx *store.Tx) (err error) {
			for user := int64(1); user <= people && err == nil; user++ {
				failed, err = wish(tx, "Маша", user)
			}
			return err
		})
		task := begin(t, s, store.Render)
		write(t, s, func(tx *store.Tx) error { return tx.GiveUp(task.Job, "broken", "") })
		if n := count(t, s, `SELECT count(*) FROM requests WHERE finished IS NULL`); n == 0 || n == people {
			t.Fatalf("got %d requests that have not failed yet; want some", n)
		}
		return failed
	}
	t.Run("that was failing", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *store.Store) {
			crowd(t, s)
			b := &bench{}
			_, stop := start(t, s, b, Options{})
			time.Sleep(time.Minute)
			stop()
			if n := b.heard("APOLOGISE"); n != people {
				t.Errorf("got %d apologies; want one for each of %d", n, people)
			}
			if n := count(t, s, `SELECT count(*) FROM requests WHERE status = 'FAILED' AND answer_id IS NOT NULL`); n != people {
				t.Errorf("got %d requests that have failed and know their apology; want %d", n, people)
			}
		})
	})
	t.Run("that was being tried again", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *store.Store) {
			failed := crowd(t, s)
			write(t, s, func(tx *store.Tx) error {
				_, _, err := retry.RestartForAll(tx, failed.ID, store.Admin{Owner: true})
				return err
			})
			b := &bench{render: func(context.Context, video.Order) error { return nil }}
			_, stop := start(t, s, b, Options{})
			time.Sleep(time.Minute)
			stop()
			if n := b.heard("VIDEO"); n != people {
				t.Errorf("got %d videos; want one for each of %d", n, people)
			}
		})
	})
	t.Run("a press that nothing interrupts", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *store.Store) {
			failed := crowd(t, s)
			out, err := newQueue(s).Retry(t.Context(), failed.ID, retry.AdminClicked{Admin: store.Admin{Owner: true}})
			if out != retry.Restarted || err != nil {
				t.Errorf("got %q, %v; want it restarted", out, err)
			}
			if n := count(t, s, `SELECT count(*) FROM requests WHERE status = 'PENDING'`); n != people {
				t.Errorf("got %d people linked to the next try; want %d", n, people)
			}
		})
	})
	t.Run("a failure that nothing interrupts, and nobody sends messages", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *store.Store) {
			write(t, s, func(tx *store.Tx) (err error) {
				for user := int64(1); user <= people && err == nil; user++ {
					_, err = wish(tx, "Маша", user)
				}
				return err
			})
			b := &bench{render: func(context.Context, video.Order) error { return retry.Permanent(fmt.Errorf("broken")) }}
			q := NewQueue(s, b, nil, b, Options{Workers: 1, Attempts: 3, Backoff: hours}, slog.New(slog.DiscardHandler))
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- q.Run(ctx) }()
			synctest.Wait()
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if n := count(t, s, `SELECT count(*) FROM requests WHERE status = 'FAILED'`); n != people {
				t.Errorf("got %d requests that have failed; want %d", n, people)
			}
		})
	})
}
