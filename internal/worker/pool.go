// The pool: goroutines that run the jobs of a store.

// Package worker runs jobs: it claims them, hands them to functions, and writes what comes of them in batches. What a
// job does and what a failure means is decided by its user.
package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"retake.example/internal/routine"
	"retake.example/internal/store"
)

// A Do runs one attempt of a job. It returns what remains to be written, or nil if that has been done. A failure it
// reports itself. Messages may go on until draining ends, which is some time after ctx.
type Do func(ctx, draining context.Context, t *store.Task) *Completion

// Outages decides how many renders may run while everything fails.
type Outages interface {
	// Allow reports whether a render may begin now. During an outage it allows no other until Done is called. Undo takes
	// back what a transaction has allowed that was rolled back.
	Allow(now time.Time) bool
	Done()
	Undo()
	// State returns when the outage under way began, why, when the next render is tried, and whether it has lasted so long
	// that failures count again. The times are zero if there is none.
	State(now time.Time) (began time.Time, reason string, next time.Time, spent bool)
}

// A Meter counts how attempts end: done, dropped (nobody waits for it), given_back (by a stop), or an outcome of Retry.
type Meter interface {
	Ended(kind, outcome string)
	Rendered(took time.Duration)
}

// NoMeter counts nothing.
type NoMeter struct{}

func (NoMeter) Ended(string, string)   {}
func (NoMeter) Rendered(time.Duration) {}

// Options are the operator's choices for a pool.
type Options struct {
	Workers map[store.Kind]int // jobs of each kind at a time
	Drain   time.Duration      // how long a stop lets messages under way finish
	Outages Outages
	Meter   Meter // nil: nobody counts
}

// Pool runs the jobs of a store. Its claims are part of the transactions that leave work: see store.Claimer.
type Pool struct {
	store *store.Store
	opts  Options
	log   *slog.Logger
	do    Do // set before the first claim

	look  chan struct{}     // a reason to look for due work
	begin func(*store.Task) // hands a task to a worker
	out   sync.WaitGroup    // claimed tasks whose end is not on the disk yet

	asking sync.Mutex
	askers []chan struct{} // waiting to hear that the pool is alive

	mu      sync.Mutex
	ctx     context.Context                             // of Run: when it ends no more work begins
	idle    map[store.Kind]int                          // workers without a job
	begun   map[store.Kind]time.Time                    // when a job last began; before the first one, when Run began
	running map[int64]*attempt                          // renders and uploads under way, by job
	pace    time.Duration                               // moving average of a render's time
	viewers map[*func(assetID string, percent int)]bool // told of every asset that changes
}

// New prepares a pool for a store; Run starts it.
func New(st *store.Store, opts Options, log *slog.Logger) *Pool {
	if opts.Meter == nil {
		opts.Meter = NoMeter{}
	}
	p := &Pool{
		store:   st,
		opts:    opts,
		log:     log,
		look:    make(chan struct{}, 1),
		idle:    map[store.Kind]int{},
		begun:   map[store.Kind]time.Time{},
		running: map[int64]*attempt{},
		viewers: map[*func(string, int)]bool{},
	}
	st.Attach(p)
	return p
}

// Run runs jobs until ctx ends, those first that were under way when the last process died. It returns when the end of
// every attempt is written.
func (p *Pool) Run(ctx context.Context, do Do) {
	p.do = do
	// Renders and uploads stop at once and are given back; a message under way gets time to arrive.
	draining, cancel := Outlive(ctx, p.opts.Drain)
	defer cancel()
	p.quarantined(ctx, draining)
	p.work(ctx, draining)
}

// Wake makes the pool look for work that another process may have left.
func (p *Pool) Wake() {
	Nudge(p.look)
	p.tell("", 0)
}

// Alive waits until the pool has gone once round its loop and the database has answered, be it with an error: that is
// in the log, and a restart would not help. It writes nothing.
func (p *Pool) Alive(ctx context.Context) error {
	answer := make(chan struct{})
	p.asking.Lock()
	p.askers = append(p.askers, answer)
	p.asking.Unlock()
	Nudge(p.look)
	select {
	case <-answer:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// answering runs a transaction, and then answers everyone who asked before it whether the pool is alive.
func (p *Pool) answering(ctx context.Context, fn func(*store.Tx) error) error {
	p.asking.Lock()
	askers := p.askers
	p.askers = nil
	p.asking.Unlock()
	err := p.store.Tx(ctx, fn)
	for _, answer := range askers {
		close(answer)
	}
	return err
}

// quarantined runs the jobs that were under way when the process died, one at a time: if it dies again, the culprit is
// known.
func (p *Pool) quarantined(ctx, draining context.Context) {
	tried, done := context.WithCancel(ctx)
	var wg routine.Group
	wg.Keep(tried, func() { // the timer does not run yet, and one of these jobs may take minutes
		for {
			select {
			case <-tried.Done():
				return
			case <-p.look:
				p.answering(tried, func(*store.Tx) error { return nil })
			}
		}
	})
	defer wg.Wait()
	defer done()
	for kind := range p.opts.Workers {
		for ctx.Err() == nil {
			var tasks []store.Task
			err := p.RetryWrite(draining, func() error {
				return p.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) (err error) {
					tasks, err = tx.Claim(kind, true, 1)
					return err
				})
			})
			if err != nil || len(tasks) == 0 {
				break
			}
			p.complete(draining, kind, p.attempt(ctx, draining, &tasks[0]))
		}
	}
}

// attempt runs one job. An outage that waits for a render hears when it is over.
func (p *Pool) attempt(ctx, draining context.Context, t *store.Task) *Completion {
	if t.Kind == store.Render {
		defer p.opts.Outages.Done()
	}
	return p.do(ctx, draining, t)
}

// work has workers run jobs until ctx ends. It returns when the end of every attempt is written.
func (p *Pool) work(ctx, draining context.Context) {
	var wg routine.Group
	tasks := map[store.Kind]chan *store.Task{}
	for kind, n := range p.opts.Workers {
		// No more than n are claimed, so neither channel can block: begin runs in the goroutine of the completer.
		todo, ends := make(chan *store.Task, n), make(chan *Completion, n)
		tasks[kind] = todo
		var workers routine.Group
		for range n {
			workers.Run(func() {
				for t := range todo {
					var end *Completion // none after a panic: the next start rescues the job
					routine.Call(func() error { end = p.attempt(ctx, draining, t); return nil })
					p.free(kind, 1) // before the end is sent: its transaction may claim for this worker
					ends <- end
				}
			})
		}
		wg.Run(func() { p.completer(draining, kind, ends) })
		wg.Run(func() { workers.Wait(); close(ends) })
	}
	p.begin = func(t *store.Task) { tasks[t.Kind] <- t }
	p.mu.Lock()
	p.ctx = ctx
	for kind, n := range p.opts.Workers {
		p.idle[kind], p.begun[kind] = n, p.store.Now()
	}
	p.mu.Unlock()
	p.timer(ctx)
	p.mu.Lock() // everyone who has just reserved a worker has counted it; ctx has ended, so nobody does any more
	//lint:ignore SA2001 what is waited for is that the others have left
	p.mu.Unlock()
	p.out.Wait()
	for _, todo := range tasks {
		close(todo)
	}
	wg.Wait()
}

// Load is how the work of one kind goes.
type Load struct {
	Kind          store.Kind
	Workers, Idle int
	Begun         time.Time // when a job of it last began, or the pool; zero: the pool has not begun yet
}

// Loads returns the kinds of work that are done here.
func (p *Pool) Loads() (all []Load) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for kind, n := range p.opts.Workers {
		all = append(all, Load{Kind: kind, Workers: n, Idle: p.idle[kind], Begun: p.begun[kind]})
	}
	return all
}
