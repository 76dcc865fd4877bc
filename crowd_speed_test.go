// How long the writer is busy with a crowd: ten thousand people press Try again in one minute, beside a million videos.

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/video"
	"retake.example/internal/worker"
)

const (
	pressers    = 10_000
	pressWithin = time.Minute
	longestTx   = 50 * time.Millisecond
	sendTakes   = 120 * time.Millisecond // so that 16 at a time are 133 a second: five times Telegram's pace
	comesEvery  = 6 * time.Millisecond   // somebody else with a wish of their own: more than 133 a second
	servedUntil = 2000                   // of the crowd
)

// crowdDay is the crowd's renderer and messenger.
type crowdDay struct {
	fails  atomic.Bool   // the crowd's video does
	broken chan struct{} // closed: what fails does it
	ready  chan struct{} // closed: the crowd's next video is made

	mu      sync.Mutex
	arrived []int64 // users in the order in which they got the video
	served  chan struct{}
}

func (d *crowdDay) Make(ctx context.Context, o video.Order, _ func(int)) (video.Video, error) {
	if d.fails.Load() {
		<-d.broken
		return video.Video{}, errors.New("the engine broke")
	}
	if o.Name == "Саша" { // whose crowd an admin retries for
		<-ctx.Done()
		return video.Video{}, ctx.Err()
	}
	if o.Name == "Маша" {
		select {
		case <-d.ready:
		case <-ctx.Done():
			return video.Video{}, ctx.Err()
		}
	}
	return video.Video{Path: "x"}, nil
}

func (d *crowdDay) Send(ctx context.Context, t store.Task) (int, string, error) {
	d.mu.Lock()
	d.arrived = append(d.arrived, t.To.User)
	crowd := 0
	for _, user := range d.arrived {
		if user <= pressers {
			crowd++
		}
	}
	if crowd == servedUntil {
		close(d.served)
	}
	d.mu.Unlock()
	return 1, "file-id", pause(ctx, sendTakes)
}

func (d *crowdDay) Tell(ctx context.Context, _ store.Task, _ worker.Forecast) (int, error) {
	return 2, pause(ctx, sendTakes)
}

func (d *crowdDay) Withdraw(context.Context, int64, int) {}

func (d *crowdDay) Ready(context.Context) error                            { return nil }
func (d *crowdDay) Put(context.Context, string, string, func(int64)) error { return nil }
func (d *crowdDay) Delete(context.Context, string) error                   { return nil }

// pause is what Telegram takes for a message.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// probe asks the writer for a transaction again and again. What one waits is at least what is left of the transaction
// under way. busy is how long the program has had a processor meanwhile: on a machine with other work, a wait is longer
// than what the writer does.
type probe struct {
	mu          sync.Mutex
	waits, busy []time.Duration
}

func (p *probe) run(ctx context.Context, s *store.Store) {
	for ctx.Err() == nil {
		began, used := time.Now(), processorTime()
		if s.Tx(context.Background(), func(*store.Tx) error { return nil }) != nil {
			return
		}
		p.mu.Lock()
		wait := time.Since(began)
		p.waits, p.busy = append(p.waits, wait), append(p.busy, min(wait, processorTime()-used))
		p.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
}

// processorTime is what the program has used of all processors.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// phase reports the longest waits since the last phase. judged: none may be longer than longestTx.
func (p *probe) phase(b *testing.B, name string, judged bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	slices.Sort(p.waits)
	slices.Sort(p.busy)
	n := len(p.busy)
	b.Logf("%s: %d probes; waits: p50 %v, p99 %v, longest %v; program busy: p50 %v, p99 %v, longest %v", name, n,
		p.waits[n/2], p.waits[n*99/100], p.waits[n-1], p.busy[n/2], p.busy[n*99/100], p.busy[n-3:])
	b.ReportMetric(p.busy[n-1].Seconds()*1000, name+"-ms")
	if judged && p.busy[n-1] > longestTx {
		b.Errorf("%s: a transaction took %v; want %v at the most", name, p.busy[n-1], longestTx)
	}
	p.waits, p.busy = p.waits[:0], p.busy[:0]
}

// BenchmarkPresses lets a video fail for ten thousand people, all of whom press Try again within a minute, while the
// apologies go out. Then their video is there, while more people come with other wishes than videos go out. For another
// ten thousand an admin presses.
func BenchmarkPresses(b *testing.B) {
	for b.Loop() {
		pressesOfACrowd(b)
	}
	b.ReportMetric(0, "ns/op")
}

func pressesOfACrowd(b *testing.B) {
	s, err := openStore(filepath.Join(b.TempDir(), "retake.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	years(b, s, int(number(b, "PRESSES_BEFORE", 1_000_000)), func([]string) {})
	syscall.Sync()
	askAll := func(name string, first int64) (failed store.Asset) {
		write(b, s, func(tx *store.Tx) (err error) {
			for user := first; user < first+pressers && err == nil; user++ {
				failed, err = wish(tx, name, user)
			}
			return err
		})
		return failed
	}
	failed := askAll("Маша", 1)
	d := &crowdDay{broken: make(chan struct{}), ready: make(chan struct{}), served: make(chan struct{})}
	d.fails.Store(true)
	q := NewQueue(s, d, d, d, Options{Workers: 2, Attempts: 1, Backoff: hours, Drain: time.Second}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(b.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	p := &probe{}
	all.Go(func() { p.run(ctx, s) })
	all.Go(func() {
		if err := q.Run(ctx); err != nil {
			b.Error(err)
		}
	})
	status := func(id string) store.Status {
		a, err := s.Asset(ctx, id)
		if err != nil {
			b.Fatal(err)
		}
		return a.Status
	}
	is := func(a store.Asset, want store.Status) {
		for status(a.ID) != want {
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Second)
	}
	is(failed, store.Processing)
	p.phase(b, "start", true)
	close(d.broken)
	is(failed, store.Failed)
	p.phase(b, "failure", true)
	second := askAll("Саша", 200_000)
	is(second, store.Failed)
	d.fails.Store(false)
	p.phase(b, "second-crowd", false) // all of it asks in one transaction
	if _, err := q.Retry(ctx, second.ID, retry.AdminClicked{Admin: store.Admin{Owner: true}}); err != nil {
		b.Error(err)
	}
	p.phase(b, "retry-for-all", true)

	var took []time.Duration
	var pressing sync.WaitGroup
	var mu sync.Mutex
	next := time.Now()
	for user := int64(1); user <= pressers; user++ {
		time.Sleep(time.Until(next))
		next = next.Add(pressWithin / pressers)
		pressing.Go(func() {
			began := time.Now()
			_, err := q.Retry(ctx, failed.ID, retry.ButtonPressed{User: user, Chat: user})
			if err != nil {
				b.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(began))
		})
	}
	pressing.Wait()
	slices.Sort(took)
	b.Logf("presses: p50 %v, p99 %v, longest %v", took[pressers/2], took[pressers*99/100], took[pressers-1])
	p.phase(b, "presses", true)

	close(d.ready)
	more, enough := context.WithCancel(ctx)
	all.Go(func() {
		for user := int64(100_000); more.Err() == nil; user++ {
			ask(b, s, fmt.Sprint("другой ", letters(int(user))), user)
			time.Sleep(comesEvery)
		}
	})
	<-d.served
	enough()
	p.phase(b, "videos", true)
	d.mu.Lock()
	defer d.mu.Unlock()
	crowd := 0
	for i, user := range d.arrived {
		if user <= pressers {
			crowd++
		}
		if crowd == 200 {
			b.Logf("200 of the crowd are served with %d others", i+1-crowd)
			break
		}
	}
	b.Logf("%d served: %d of the crowd", len(d.arrived), servedUntil)
}
