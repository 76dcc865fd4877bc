// Package load puts the same load on any durable queue, and counts that every job was really done.
package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The load. A queue that is too slow for it does fewer jobs: no figure may take minutes.
const (
	Jobs         = 20_000
	Batch        = 1_000 // jobs in a call of Bulk
	Producers    = 8
	Workers      = 16
	Limit        = 8 * time.Second // for enqueueing; the workers get a little longer
	Samples      = 500             // of the latency of an idle queue
	SamplesLimit = 12 * time.Second

	drainLimit = Limit + 2*time.Second
	workGrace  = 4 * time.Second  // for what the producers left
	record     = 20 * time.Second // until what was handled must be recorded as done
	lost       = 5 * time.Second  // until the only job of an idle queue must have started
)

// The figures by their units.
const (
	Enqueue = "enqueue/s"
	Bulk    = "bulk/s"
	Drain   = "drain/s"
	Work    = "work/s" // producers and workers together
	P50     = "p50-ms"
	P99     = "p99-ms"
)

// JSON is the load for a program in another language, with times in milliseconds.
func JSON() string {
	b, err := json.Marshal(
		map[string]int64{"Jobs": Jobs, "Batch": Batch, "Producers": Producers, "Workers": Workers, "Samples": Samples,
			"Limit": Limit.Milliseconds(), "DrainLimit": drainLimit.Milliseconds(), "WorkGrace": workGrace.Milliseconds(),
			"Record": record.Milliseconds(), "Lost": lost.Milliseconds(), "SamplesLimit": SamplesLimit.Milliseconds()},
	)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Units is the order of the figures.
var Units = []string{Enqueue, Bulk, Drain, Work, P50, P99}

// ErrNoBulk is the answer of a queue that takes only one job at a time.
var ErrNoBulk = errors.New("no bulk call")

// Queue is one under test. A job is its number.
type Queue interface {
	Enqueue(ctx context.Context, n int64) error // returns when the job is as durable as the queue makes it
	Bulk(ctx context.Context, from, to int64) error
	Start(workers int, handle func(n int64)) error
	Stop() error
	Left(ctx context.Context) (int64, error) // jobs that are not yet recorded as done
	Reset(ctx context.Context) error         // takes all jobs away
}

// Figures are by unit. What a queue cannot do is missing.
type Figures map[string]float64

// String is a line as of a Go benchmark, which the product's figures come in, too.
func (f Figures) String() string {
	var b strings.Builder
	b.WriteString("BenchmarkQueue 1")
	for _, u := range Units {
		if v, ok := f[u]; ok {
			fmt.Fprintf(&b, " %.3f %s", v, u)
		}
	}
	return b.String()
}

// Run measures a queue. Whatever is wrong with a single job is an error, and there are no figures then.
func Run(ctx context.Context, q Queue) (Figures, error) {
	f := Figures{}
	for _, s := range []struct {
		name string
		do   func(context.Context, Queue, Figures) error
	}{{"enqueue", enqueue}, {"bulk and drain", drain}, {"enqueue and work", work}, {"idle", idle}} {
		if err := q.Reset(ctx); err != nil {
			return nil, fmt.Errorf("reset before %s: %w", s.name, err)
		}
		runtime.GC()
		if err := s.do(ctx, q, f); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return f, nil
}

func enqueue(ctx context.Context, q Queue, f Figures) error {
	began := time.Now()
	n, err := produce(ctx, q, 0, Limit)
	if err != nil {
		return err
	}
	f[Enqueue] = perSecond(n, began)
	return holds(ctx, q, n)
}

func drain(ctx context.Context, q Queue, f Figures) error {
	began := time.Now()
	var n int64
	for n < Jobs && time.Since(began) < Limit {
		err := q.Bulk(ctx, n, n+Batch)
		if errors.Is(err, ErrNoBulk) {
			break
		}
		if err != nil {
			return err
		}
		n += Batch
	}
	if n > 0 {
		f[Bulk] = perSecond(n, began)
	}
	if _, err := produce(ctx, q, n, time.Minute); err != nil { // what bulk did not get done in time
		return err
	}
	if err := holds(ctx, q, Jobs); err != nil {
		return err
	}
	runtime.GC()
	var s seen
	began = time.Now()
	if err := q.Start(Workers, s.handle); err != nil {
		return err
	}
	done, err := s.finish(ctx, q, Jobs, began.Add(drainLimit))
	f[Drain] = perSecond(done, began)
	return errors.Join(err, q.Stop())
}

func work(ctx context.Context, q Queue, f Figures) error {
	var s seen
	began := time.Now()
	if err := q.Start(Workers, s.handle); err != nil {
		return err
	}
	n, err := produce(ctx, q, 0, Limit)
	if err != nil {
		return err
	}
	done, err := s.finish(ctx, q, n, time.Now().Add(workGrace))
	f[Work] = perSecond(done, began)
	return errors.Join(err, q.Stop())
}

// idle measures from the call of Enqueue to the start of the handler.
func idle(ctx context.Context, q Queue, f Figures) error {
	type start struct {
		n  int64
		at time.Time
	}
	started := make(chan start, Samples)
	if err := q.Start(Workers, func(n int64) { started <- start{n, time.Now()} }); err != nil {
		return err
	}
	time.Sleep(300 * time.Millisecond) // starting is not what is measured
	var ms []float64
	for i, began := int64(0), time.Now(); i < Samples && time.Since(began) < SamplesLimit; i++ {
		called := time.Now()
		if err := q.Enqueue(ctx, i); err != nil {
			return err
		}
		select {
		case s := <-started:
			if s.n != i {
				return fmt.Errorf("job %d started; want %d", s.n, i)
			}
			ms = append(ms, s.at.Sub(called).Seconds()*1e3)
		case <-time.After(lost):
			return fmt.Errorf("job %d did not start in %v", i, lost)
		}
		// the job is recorded as done, and polls are met at any of their phases
		time.Sleep(time.Duration(3+i*7%11) * time.Millisecond)
	}
	slices.Sort(ms)
	f[P50], f[P99] = ms[len(ms)/2], ms[len(ms)*99/100]
	return q.Stop()
}

// produce enqueues the jobs from the given one on until limit is over, and tells how many.
func produce(ctx context.Context, q Queue, from int64, limit time.Duration) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next, accepted atomic.Int64
	next.Store(from)
	until := time.Now().Add(limit)
	var all sync.WaitGroup
	for range Producers {
		all.Go(func() {
			for ctx.Err() == nil && time.Now().Before(until) {
				n := next.Add(1) - 1
				if n >= Jobs {
					return
				}
				if err := q.Enqueue(ctx, n); err != nil {
					cancel(fmt.Errorf("job %d: %w", n, err))
					return
				}
				accepted.Add(1)
			}
		})
	}
	all.Wait()
	return accepted.Load(), context.Cause(ctx)
}

// holds checks that the queue has what it accepted.
func holds(ctx context.Context, q Queue, want int64) error {
	left, err := q.Left(ctx)
	if err == nil && left != want {
		err = fmt.Errorf("holds %d jobs; %d were accepted", left, want)
	}
	return err
}

// seen are the jobs that were handled.
type seen struct {
	times [Jobs]atomic.Int32
	jobs  atomic.Int64
}

func (s *seen) handle(n int64) {
	if s.times[n].Add(1) == 1 {
		s.jobs.Add(1)
	}
}

// finish waits until the n first jobs are done, or until the time is up, and tells how many are recorded as done.
func (s *seen) finish(ctx context.Context, q Queue, n int64, until time.Time) (int64, error) {
	for s.jobs.Load() < n && time.Now().Before(until) {
		time.Sleep(time.Millisecond)
	}
	handled := s.jobs.Load() >= n
	until = time.Now().Add(record)
	for {
		left, err := q.Left(ctx)
		switch {
		case err != nil:
			return 0, err
		case left > 0 && handled && time.Now().Before(until):
			time.Sleep(2 * time.Millisecond)
			continue
		case left > 0 && handled:
			return 0, fmt.Errorf("%d of %d jobs were handled but not recorded as done in %v", left, n, record)
		case n-left > s.jobs.Load():
			return 0, fmt.Errorf("%d jobs are gone, but only %d were handled", n-left, s.jobs.Load())
		}
		for i := range s.times {
			if t := s.times[i].Load(); t > 1 {
				return 0, fmt.Errorf("job %d was handled %d times", i, t)
			}
		}
		return n - left, nil
	}
}

func perSecond(n int64, began time.Time) float64 { return float64(n) / time.Since(began).Seconds() }
