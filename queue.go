// The queue: Retry, the workers, and what each kind of job does.

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"retake.example/internal/publish"
	"retake.example/internal/retry"
	"retake.example/internal/worker"

	"retake.example/internal/store"
)

// maxCrashes is how many times a job may be running alone when the process dies: that many are a failed attempt.
const maxCrashes = 5

// Retry is the only way anything gets another try, and the only place where a failure is announced. It does all of it
// in one transaction, which does not inherit the end of ctx: a failure seen during a shutdown is still written.
//
//	cause                          when                                        what it does                                           outcome
//	JobFailed{Job, Err}            attempts left, error not permanent          same job again after the backoff                       Rescheduled
//	                               the error says "wait" (RetryAfter)          same job at the time named, attempt given back         Deferred
//	                               during an outage, which this may begin      same job later, attempt given back                     Deferred
//	                               last attempt, but others fail as it does,   same job later, attempt given back                     Deferred
//	                               and enough that wait may make it an outage
//	                               the platform's daily limit is reached       same for all uploads that it holds for                 Deferred
//	                               the platform refuses its token              FAILED, with all that waits for the same channel       GaveUp
//	                               the channel was connected again since       same job again at once, with the new token             Rescheduled
//	                               a DELIVER whose file is gone                its request goes over to a new asset with a RENDER     Restarted
//	                                                                           job, or to one of the same key that is live or newer
//	                               last attempt, or permanent                  asset or publication FAILED with the error; a          GaveUp
//	                                                                           render's requests FAILED, one APOLOGISE job for each
//	ButtonPressed{User, Chat}      asset FAILED, the user has a request on it  a new asset (retry_of), a request of that user,        Restarted
//	                                                                           a RENDER job
//	                               a live asset with the same key, such as a   a request of that user on that one, once               Joined
//	                               live successor
//	                               one was COMPLETED since, such as the        the user gets it: DELIVER                              Joined
//	                               successor
//	AdminClicked{Admin, Platform}  Platform named: the publication is FAILED   PENDING, error and times cleared, PUBLISH job          Restarted
//	                               Platform empty: the render FAILED           successor as above, with a request for everybody       Restarted
//	                                                                           affected who has not retried yet; they are told
//	                               PENDING or PROCESSING already               nothing                                                Joined
//	Reconnected{Admin, Platform}   the publication is FAILED for ended access  as if that admin might have clicked                    Restarted
//	any                            no such asset, publication or job           nothing                                                ErrNotFound
//	any                            the user has no request on it; the admin    nothing                                                ErrForbidden
//	                               did not create it and is no owner
//	any                            not failed                                  nothing                                                ErrNotFailed
//	AdminClicked, Reconnected      the person who asked for the video had      nothing                                                ErrNotPublishable
//	                               it deleted
func (q *Queue) Retry(ctx context.Context, assetID string, why retry.Cause) (out retry.Outcome, err error) {
	err = q.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) (err error) {
		switch why := why.(type) {
		case retry.JobFailed:
			out, err = q.retryJob(tx, why)
		case retry.ButtonPressed:
			out, err = retryForUser(tx, assetID, why)
		case retry.AdminClicked:
			if why.Platform != "" {
				out, err = retryPublication(tx, assetID, why.Platform, why.Admin, false)
			} else {
				out, err = retryForAll(tx, assetID, why.Admin)
			}
		case retry.Reconnected:
			out, err = retryPublication(tx, assetID, why.Platform, why.Admin, true)
		default:
			return fmt.Errorf("unknown cause %T", why)
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("retry asset %s: %w", assetID, err)
	}
	return out, nil
}

func (q *Queue) retryJob(tx *store.Tx, why retry.JobFailed) (retry.Outcome, error) {
	j, err := tx.Running(why.Job)
	if err != nil {
		return "", err // this attempt was reported before, or its asset is gone
	}
	now, problem := tx.Now(), why.Err.Error()
	wait, waits := retry.After(why.Err)
	step, pause := "", time.Duration(0)
	if of, ok := errors.AsType[retry.Trouble](why.Err); ok {
		step, pause = of.Step(), of.Pause()
	}
	channel, ofChannel := errors.AsType[retry.ChannelTrouble](why.Err)
	switch {
	case ofChannel && channel.AccessEnded():
		renewed, err := tx.Renewed(j)
		if err != nil {
			return "", err
		}
		if renewed && j.Attempt < q.opts.Attempts { // what was refused is the token of before
			return retry.Rescheduled, tx.Reschedule(j, now, problem)
		}
		return retry.GaveUp, tx.EndAccess(j, problem)
	case j.Kind == store.Deliver && errors.Is(why.Err, fs.ErrNotExist):
		return retry.Restarted, tx.MakeAgain(j)
	case retry.IsPermanent(why.Err):
		return retry.GaveUp, tx.GiveUp(j, problem, step)
	case ofChannel && waits && step != "":
		return retry.Deferred, tx.HoldUploads(j, channel.WholeApp(), now.Add(wait), step, problem)
	case waits:
		return retry.Deferred, tx.Defer(j, now.Add(wait), problem)
	case j.Kind == store.Render:
		asset, err := tx.Asset(j.AssetID)
		if err != nil {
			return "", err
		}
		held, spent := q.outages.Judge(asset.ID, asset.Name, j.Attempt, problem, now)
		if spent != nil {
			if err := tx.BeginOutage(problem, spent); err != nil {
				return "", err
			}
		}
		if held {
			return retry.Deferred, tx.Hold(j, now.Add(probeEvery), problem)
		}
		if wait, more := q.outages.Suspect(asset.ID, asset.Created, now, now.Sub(j.Started)); wait > 0 && j.Attempt >= q.opts.Attempts {
			enough, err := tx.Untried(j, more)
			if err != nil {
				return "", err
			}
			if enough { // they will tell
				return retry.Deferred, tx.Defer(j, now.Add(wait), problem)
			}
		}
	}
	if j.Attempt < q.opts.Attempts {
		return retry.Rescheduled, tx.Reschedule(j, now.Add(max(pause, q.opts.Backoff(j.Attempt))), problem)
	}
	return retry.GaveUp, tx.GiveUp(j, problem, "")
}

func retryForUser(tx *store.Tx, assetID string, why retry.ButtonPressed) (retry.Outcome, error) {
	asset, err := tx.Asset(assetID)
	if err != nil {
		return "", err
	}
	mine, err := tx.HasRequest(why.User, assetID)
	switch {
	case err != nil:
		return "", err
	case !mine:
		return "", store.ErrForbidden
	case asset.Status != store.Failed:
		return "", store.ErrNotFailed
	}
	next, made, err := tx.NextTry(asset, why.User)
	if err != nil {
		return "", err
	}
	if _, err := tx.Join(next, why.User, why.Chat); err != nil {
		return "", err
	}
	out := retry.Joined
	if made {
		out = retry.Restarted
	}
	return out, tx.Note(store.Event{User: why.User, Action: "retry", AssetID: assetID, Outcome: string(out)})
}

func retryForAll(tx *store.Tx, assetID string, admin store.Admin) (retry.Outcome, error) {
	asset, err := tx.Asset(assetID)
	switch {
	case err != nil:
		return "", err
	case !admin.MayChange(asset.Creator):
		return "", store.ErrForbidden
	case asset.Status.Live():
		return retry.Joined, nil
	case asset.Status != store.Failed:
		return "", store.ErrNotFailed
	}
	waiters, err := tx.Unserved(asset)
	if err != nil {
		return "", err
	}
	lane := admin.ID
	if len(waiters) > 0 {
		lane = waiters[0].User
	}
	next, made, err := tx.NextTry(asset, lane)
	if err != nil {
		return "", err
	}
	for _, w := range waiters {
		if _, err := tx.Join(next, w.User, w.Chat); err != nil {
			return "", err
		}
	}
	out := retry.Joined
	if made {
		out = retry.Restarted
	}
	return out, tx.Note(store.Event{Admin: &admin.ID, Action: "retry", AssetID: assetID, Outcome: string(out)})
}

// retryPublication makes one new try of a failed publication. back: access to its channel is back, which is nobody's right.
func retryPublication(tx *store.Tx, assetID, platform string, admin store.Admin, back bool) (retry.Outcome, error) {
	p, err := tx.Publication(assetID, platform)
	switch {
	case err != nil:
		return "", err
	case !back && !admin.MayChange(&p.Creator):
		return "", store.ErrForbidden
	case p.Status.Live():
		return retry.Joined, nil
	case p.Status != store.Failed, back && p.Step != "reconnect":
		return "", store.ErrNotFailed
	}
	if err := tx.Republish(assetID, p); err != nil {
		return "", err
	}
	return retry.Restarted, tx.Note(store.Event{Admin: &admin.ID, Action: "retry", AssetID: assetID, Platform: platform, Outcome: string(retry.Restarted)})
}

// Reconnected sends everything through Retry that failed because access to its channel had ended, and that works again: it was
// connected again or checked, or a publication got through. What cannot be written now is found at the next start.
func (q *Queue) Reconnected(ctx context.Context, admin store.Admin) error {
	nudge(q.taking) // what could not be withdrawn without the channel
	ended, err := q.store.Reconnected(ctx)
	for _, e := range ended {
		_, failed := q.Retry(ctx, e.AssetID, retry.Reconnected{Admin: admin, Platform: e.Platform})
		if errors.Is(failed, store.ErrNotFound) || errors.Is(failed, store.ErrNotFailed) ||
			errors.Is(failed, store.ErrNotPublishable) { // somebody was quicker
			failed = nil
		}
		err = errors.Join(err, failed)
	}
	return err
}

// ---- outages

// probeEvery is how often one video is tried during an outage.
const probeEvery = time.Minute

// breaker knows whether videos fail for a reason that is not their own, and lets one at a time be tried while they do. Judge
// and Made, asked in a transaction, say the same when that is repeated.
type breaker interface {
	// Judge looks at a failed attempt. held: it belongs to an outage. spent: that begins with it, and has cost so many earlier
	// attempts of each asset.
	Judge(asset, name string, attempt int, problem string, now time.Time) (held bool, spent map[string]int)
	// Suspect returns how long an asset that has spent its attempts should wait whether more others fail as it does; 0: it
	// should not.
	Suspect(asset string, created, now time.Time, took time.Duration) (wait time.Duration, more int)
	// Made is told of a finished video. over: it ends an outage.
	Made(asset string) (over bool)
	// Admit reports whether a video may be tried now. During an outage nobody else may until Left is called.
	Admit(now time.Time) bool
	Left()
	// State returns when the outage under way began, why, when the next video is tried, and whether it has lasted so long that
	// failures count again; zero times: there is none.
	State(now time.Time) (began time.Time, reason string, next time.Time, spent bool)
	// Resume goes on with an outage of before, and lets a video be tried at once; Hurry does that during one.
	Resume(began time.Time, reason string)
	Hurry() (during bool)
}

// noOutages is a breaker without outages.
type noOutages struct{}

func (noOutages) Judge(string, string, int, string, time.Time) (bool, map[string]int) {
	return false, nil
}
func (noOutages) Suspect(string, time.Time, time.Time, time.Duration) (wait time.Duration, more int) {
	return 0, 0
}
func (noOutages) Made(string) bool                                             { return false }
func (noOutages) Admit(time.Time) bool                                         { return true }
func (noOutages) Left()                                                        {}
func (noOutages) State(time.Time) (b time.Time, r string, n time.Time, s bool) { return }
func (noOutages) Hurry() bool                                                  { return false }
func (noOutages) Resume(time.Time, string)                                     {}

// Outage returns the outage under way, if there is one, and when the next video is tried. spent: it has lasted so long that
// failures count again.
func (q *Queue) Outage() (o store.Outage, next time.Time, spent bool) {
	o.Began, o.Reason, next, spent = q.outages.State(q.store.Now())
	return o, next, spent
}

// TryNow tries a video during an outage without waiting for its time. ErrNotFailed: there is none.
func (q *Queue) TryNow(ctx context.Context, admin store.Admin) error {
	if !q.outages.Hurry() {
		return store.ErrNotFailed
	}
	return q.store.Tx(ctx, func(tx *store.Tx) error {
		if err := tx.HurryRenders(); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "try now"})
	})
}

// Exponential returns the pauses between attempts: base, doubling up to limit, ±10 %.
func Exponential(base, limit time.Duration) func(attempt int) time.Duration {
	return func(attempt int) time.Duration {
		d := base
		for i := 1; i < attempt && d < limit; i++ {
			d *= 2
		}
		d = min(d, limit)
		return d - d/10 + rand.N(d/5+1)
	}
}

// ---- workers

// Order is a video to make.
type Order struct{ Asset, Name, Lang, Template string }

// Rendered is a made video that still lies in the renderer's own folder.
type Rendered struct {
	Path, Thumb   string // files
	Size          int64  // bytes
	Duration      time.Duration
	Width, Height int // px
	Discard       func() error
}

// renderer makes videos.
type renderer interface {
	Render(ctx context.Context, o Order, progress func(percent int)) (Rendered, error)
}

// messenger talks to users. A message id is Telegram's; 0 stands for none.
type messenger interface {
	// Send sends a finished video and returns the handle with which it can be sent again.
	Send(ctx context.Context, t store.Task) (messageID int, fileID string, err error)
	// Tell sends what the kind of the task calls for: the announcement or the apology.
	Tell(ctx context.Context, t store.Task) (messageID int, err error)
	// Withdraw removes a progress message that has served its purpose, if it can.
	Withdraw(ctx context.Context, chat int64, messageID int)
}

// shelf keeps the finished files.
type shelf interface {
	Ready(ctx context.Context) error // nil: Put may be expected to work
	Put(ctx context.Context, key, path string, progress func(sent int64)) error
	Delete(ctx context.Context, key string) error
}

// voices are the names that the renderer has heard, and keeps how they sound.
type voices interface {
	ForgetNames(names []string) error
	ForgetOldNames() error // those that were not said for long
}

// meter counts what becomes of attempts: done, dropped (nobody wants it any more), given_back (by a stop), or what Retry made of
// a failure. It is told how long each video took.
type meter interface {
	Ended(kind, outcome string)
	Rendered(took time.Duration)
}

// noMeter counts nothing.
type noMeter struct{}

func (noMeter) Ended(string, string)   {}
func (noMeter) Rendered(time.Duration) {}

// Options are the operator's choices for the queue.
type Options struct {
	Workers  int                             // renders at a time
	Attempts int                             // of a job before it is given up
	Backoff  func(attempt int) time.Duration // pause after the attempt with that number, from 1
	Drain    time.Duration                   // how long a stop lets messages that are being sent finish
	Outages  breaker                         // nil: there are none
	Sites    map[string]publish.Platform     // by the name of the platform; nil: nothing is published
	Meter    meter                           // nil: nobody counts
	Voices   voices                          // nil: no name is spoken
}

// publishWorkers is how many videos are published at a time: they share one line.
const publishWorkers = 2

// Queue runs the jobs of a store.
type Queue struct {
	store  *store.Store
	render renderer  // nil: no videos are made
	msgs   messenger // nil: nobody is told
	media  shelf
	opts   Options
	log    *slog.Logger

	outages breaker
	meter   meter

	look   chan struct{}     // a reason to look for work that is due
	taking chan struct{}     // a reason to look for publications to withdraw
	begin  func(*store.Task) // has a worker do it
	out    sync.WaitGroup    // tasks that are claimed, until their end is on the disk

	asking sync.Mutex
	askers []chan struct{} // who want to know whether the queue is alive

	mu      sync.Mutex
	idle    map[store.Kind]int                          // workers that have nothing to do
	begun   map[store.Kind]time.Time                    // when one has last begun a job; of a kind without: when Run began
	ctx     context.Context                             // of Run: when it ends no more work is begun
	running map[string]*making                          // renders under way, by asset
	sending map[int64]*sending                          // attempts to publish under way, by publication
	pace    time.Duration                               // moving average of a render's time
	viewers map[*func(assetID string, percent int)]bool // told of every asset that changes
}

type making struct {
	percent int
	cancel  context.CancelFunc
}

type sending struct {
	asset  string
	cancel context.CancelFunc
}

// NewQueue prepares a queue; Run starts it.
func NewQueue(st *store.Store, render renderer, msgs messenger, media shelf, opts Options, log *slog.Logger) *Queue {
	q := &Queue{store: st, render: render, msgs: msgs, media: media, opts: opts, log: log, look: make(chan struct{}, 1), taking: make(chan struct{}, 1),
		idle: map[store.Kind]int{}, begun: map[store.Kind]time.Time{}, running: map[string]*making{}, sending: map[int64]*sending{}, viewers: map[*func(string, int)]bool{}}
	if q.outages = opts.Outages; q.outages == nil {
		q.outages = noOutages{}
	}
	if q.meter = opts.Meter; q.meter == nil {
		q.meter = noMeter{}
	}
	st.Attach(q)
	return q
}

// pools returns how many workers each kind of job has.
func (q *Queue) pools() map[store.Kind]int {
	pools := map[store.Kind]int{}
	if q.render != nil {
		pools[store.Render] = q.opts.Workers
	}
	if q.msgs != nil {
		pools[store.Announce], pools[store.Deliver], pools[store.Apologise] = store.MessageWorkers, store.MessageWorkers, store.MessageWorkers
	}
	if q.opts.Sites != nil {
		pools[store.Publish] = publishWorkers
	}
	return pools
}

// Wake makes the queue look for work: another process may have queued some.
func (q *Queue) Wake() {
	nudge(q.look)
	q.tell("", 0)
}

// Alive waits until the queue has gone once round its loop and the database has answered it, be it with an error: that stands in
// the log, and a new start would not mend it. Nothing is written for this.
func (q *Queue) Alive(ctx context.Context) error {
	answer := make(chan struct{})
	q.asking.Lock()
	q.askers = append(q.askers, answer)
	q.asking.Unlock()
	nudge(q.look)
	select {
	case <-answer:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// answering runs a transaction, and then answers those who had asked before it whether the queue is alive.
func (q *Queue) answering(ctx context.Context, fn func(*store.Tx) error) error {
	q.asking.Lock()
	askers := q.askers
	q.askers = nil
	q.asking.Unlock()
	err := q.store.Tx(ctx, fn)
	for _, answer := range askers {
		close(answer)
	}
	return err
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run rescues what the last process left, then works until ctx ends. It returns when every attempt under way has
// finished or been given back.
func (q *Queue) Run(ctx context.Context) error {
	if err := q.rescue(ctx); err != nil {
		return unlessStopped(ctx, fmt.Errorf("rescue: %w", err))
	}
	times, err := q.store.RenderTimes(ctx)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	before, err := q.store.Outage(ctx)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	if !before.Began.IsZero() {
		q.outages.Resume(before.Began, before.Reason)
	}
	for i := len(times) - 1; i >= 0; i-- {
		q.learn(times[i])
	}
	if err := q.Reconnected(ctx, store.Admin{}); err != nil {
		return unlessStopped(ctx, err)
	}
	// Renders and uploads stop at once and are given back; a message on its way gets time to arrive.
	draining, cancel := outlive(ctx, q.opts.Drain)
	defer cancel()

	var wg sync.WaitGroup
	defer wg.Wait()
	if q.opts.Sites != nil {
		wg.Go(func() { q.withdraw(ctx) })
	}
	q.suspects(ctx, draining)
	q.work(ctx, draining)
	return nil
}

// outlive returns a context that ends a while after ctx does.
func outlive(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(d, cancel) })
	return longer, func() { stop(); cancel() }
}

// unlessStopped drops an error that the end of ctx caused: a stop is not a failure.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// rescue gives the jobs that ran when the last process died another chance. The data folder is locked, so every
// started job is an orphan. Only one that ran alone can be blamed; maxCrashes times, and it is a failed attempt.
func (q *Queue) rescue(ctx context.Context) error {
	var last []store.Job
	err := q.store.Tx(ctx, func(tx *store.Tx) error {
		last = nil
		if err := tx.CapWaits(); err != nil {
			return err
		}
		if err := tx.EndPublishing(); err != nil {
			return err
		}
		orphans, err := tx.Orphans()
		if err != nil {
			return err
		}
		alone := len(orphans) == 1
		for _, j := range orphans {
			if alone && j.Crashes+1 == maxCrashes {
				last = append(last, j)
				continue
			}
			if err := tx.Rescue(j, alone); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, j := range last {
		q.report(ctx, j, fmt.Errorf("the program ended %d times while this ran", maxCrashes), "")
	}
	return nil
}

// suspects runs the jobs that were under way when the process died, one at a time: if it dies again, the culprit is known.
func (q *Queue) suspects(ctx, draining context.Context) {
	tried, done := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { // the clock does not go yet, and one of them may take minutes
		for {
			select {
			case <-tried.Done():
				return
			case <-q.look:
				q.answering(tried, func(*store.Tx) error { return nil })
			}
		}
	})
	defer wg.Wait()
	defer done()
	for kind := range q.pools() {
		for ctx.Err() == nil {
			var tasks []store.Task
			err := q.insist(draining, func() error {
				return q.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) (err error) { tasks, err = tx.Claim(kind, true, 1); return err })
			})
			if err != nil || len(tasks) == 0 {
				break
			}
			q.conclude(draining, kind, q.attempt(ctx, draining, &tasks[0]))
		}
	}
}

// work has the workers do what is owed until ctx ends. It returns when the end of all that was begun is written.
func (q *Queue) work(ctx, draining context.Context) {
	var wg sync.WaitGroup
	tasks := map[store.Kind]chan *store.Task{}
	for kind, n := range q.pools() {
		todo, ends := make(chan *store.Task, n), make(chan *ending, n) // no more than n are claimed
		tasks[kind] = todo
		var workers sync.WaitGroup
		for range n {
			workers.Go(func() {
				for t := range todo {
					end := q.attempt(ctx, draining, t)
					q.free(kind, 1)
					ends <- end
				}
			})
		}
		wg.Go(func() { q.clerk(draining, kind, ends) })
		wg.Go(func() { workers.Wait(); close(ends) })
	}
	q.begin = func(t *store.Task) { tasks[t.Kind] <- t }
	q.mu.Lock()
	q.ctx, q.idle = ctx, q.pools()
	for kind := range q.idle {
		q.begun[kind] = q.store.Now()
	}
	q.mu.Unlock()
	q.clock(ctx)
	q.mu.Lock() // whoever has just reserved a worker has counted it, and nobody does any more
	//lint:ignore SA2001 what is waited for is that the others have left
	q.mu.Unlock()
	q.out.Wait()
	for _, todo := range tasks {
		close(todo)
	}
	wg.Wait()
}

// Claim takes work for the workers that have nothing to do, in the transaction that owes it: one wait for the disk from a
// wish to its work, and one from the end of a job to the next.
func (q *Queue) Claim(tx *store.Tx) error {
	for _, kind := range tx.Due() {
		for more := true; more; {
			limit := store.MessageWorkers
			if kind == store.Render { // of which an outage admits one
				limit = 1
			}
			if limit = q.reserve(kind, limit); limit == 0 {
				break
			}
			var tasks []store.Task
			var err error
			if kind != store.Render || q.outages.Admit(tx.Now()) {
				tasks, err = tx.Claim(kind, false, limit)
				if kind == store.Render && len(tasks) == 0 {
					q.outages.Left()
				}
			}
			tx.Tasks = append(tx.Tasks, tasks...)
			q.release(kind, limit-len(tasks))
			if err != nil {
				return err
			}
			more = len(tasks) == limit
		}
	}
	return nil
}

// reserve takes at most n of the workers of a kind that have nothing to do.
func (q *Queue) reserve(kind store.Kind, n int) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n = min(n, q.idle[kind]); n == 0 || q.ctx.Err() != nil {
		return 0
	}
	q.idle[kind] -= n
	q.out.Add(n)
	return n
}

// release gives workers back that have begun nothing.
func (q *Queue) release(kind store.Kind, n int) {
	q.free(kind, n)
	q.out.Add(-n)
}

func (q *Queue) free(kind store.Kind, n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.idle[kind] += n
}

// Settled begins the work that a transaction has claimed, if that is on the disk, and tells who looks on.
func (q *Queue) Settled(tx *store.Tx, done bool) {
	for i := range tx.Tasks {
		t := &tx.Tasks[i]
		switch {
		case done:
			q.mu.Lock()
			q.begun[t.Kind] = tx.Now()
			q.mu.Unlock()
			q.begin(t)
		default:
			if t.Kind == store.Render {
				q.outages.Left()
			}
			q.release(t.Kind, 1)
		}
	}
	if !done {
		nudge(q.look) // it may have been the one to claim what others owe
		return
	}
	if tx.Later() {
		nudge(q.look)
	}
	for _, id := range tx.Touched() {
		q.tell(id, 0)
	}
}

// ending is what a finished attempt still has to write, and what follows when that is on the disk. gone: the job was
// taken away in the meantime, and write, which said ErrNotFound, has written nothing.
type ending struct {
	write   func(*store.Tx) error
	then    func(gone bool)
	outcome string // "": done
}

// clerk writes the ends of one kind of jobs, those that have come while it wrote the last at once, and has the workers take
// other work in the same transaction.
func (q *Queue) clerk(draining context.Context, kind store.Kind, ends <-chan *ending) {
	for end := range ends {
		all := []*ending{end}
		runtime.Gosched() // those who were just begun may have ended
		for len(ends) > 0 {
			all = append(all, <-ends)
		}
		q.conclude(draining, kind, all...)
		q.out.Add(-len(all))
	}
}

// conclude writes the ends of attempts; nil: it is written.
func (q *Queue) conclude(draining context.Context, kind store.Kind, ends ...*ending) {
	gone := make([]bool, len(ends))
	err := q.insist(draining, func() error {
		return q.store.Tx(context.WithoutCancel(draining), func(tx *store.Tx) error {
			for i, end := range ends {
				if end == nil {
					continue
				}
				err := end.write(tx)
				if gone[i] = errors.Is(err, store.ErrNotFound); err != nil && !gone[i] {
					return err
				}
			}
			tx.MarkDue(kind, 0)
			return nil
		})
	})
	if err != nil {
		return
	}
	for i, end := range ends {
		if end == nil {
			continue
		}
		outcome := cmp.Or(end.outcome, "done")
		if gone[i] {
			outcome = "dropped"
		}
		q.meter.Ended(string(kind), outcome)
		if end.then != nil {
			q.out.Go(func() { end.then(gone[i]) })
		}
	}
}

// insist repeats fn until it works: what it writes must not be lost because the disk was full for a while. It ends
// without success only when the time to stop is over; the job is then rescued at the next start.
func (q *Queue) insist(draining context.Context, fn func() error) error {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		err := fn()
		if err == nil || errors.Is(err, store.ErrNotFound) {
			return err
		}
		q.log.Error("the database refuses; trying again", "err", err)
		select {
		case <-time.After(pause):
		case <-draining.Done():
			return err
		}
	}
}

// attempt runs a job once. It returns what a success has to write; a failure it reports itself.
func (q *Queue) attempt(ctx, draining context.Context, t *store.Task) *ending {
	work := draining
	switch t.Kind {
	case store.Render:
		work = ctx
		defer q.outages.Left()
	case store.Publish:
		work = ctx
	}
	end, err := q.do(work, t)
	switch {
	case err == nil:
		return end
	case work.Err() != nil && errors.Is(err, context.Canceled):
		err := q.insist(draining, func() error {
			return q.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.GiveBack(t.Job) })
		})
		if err != nil && !errors.Is(err, store.ErrNotFound) { // nobody waits for it any more
			q.log.Error("give an attempt back", "job", t.ID, "asset", t.AssetID, "err", err)
		}
		q.meter.Ended(string(t.Kind), "given_back")
	default:
		q.report(draining, t.Job, err, t.Asset.Name)
	}
	return nil
}

// report hands a failed attempt to Retry. The log holds no names, even if the error does.
func (q *Queue) report(draining context.Context, j store.Job, problem error, name string) {
	var out retry.Outcome
	err := q.insist(draining, func() (err error) {
		out, err = q.Retry(draining, j.AssetID, retry.JobFailed{Job: j, Err: problem})
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound): // nobody waits for it any more
		q.meter.Ended(string(j.Kind), "dropped")
		q.Discard(draining, store.Gone{Names: []string{name}})
	case err != nil:
		q.log.Error("a failure could not be written", "job", j.ID, "asset", j.AssetID, "err", err)
	default:
		q.meter.Ended(string(j.Kind), strings.ReplaceAll(string(out), " ", "_"))
		q.log.Warn("attempt failed", "job", j.ID, "asset", j.AssetID, "kind", j.Kind, "attempt", j.Attempt, "outcome", out, "err", nameless(problem.Error(), name))
	}
}

// nameless replaces a name in a text, also in another case or escaped.
func nameless(text, name string) string {
	if name == "" {
		return text
	}
	quoted := strconv.QuoteToASCII(name)
	var forms []string
	for _, form := range []string{name, quoted[1 : len(quoted)-1], url.QueryEscape(name), url.PathEscape(name)} {
		forms = append(forms, regexp.QuoteMeta(form))
	}
	return regexp.MustCompile("(?i)"+strings.Join(forms, "|")).ReplaceAllLiteralString(text, "[name]")
}

// do does the work of a job. A panic is an error like any other.
func (q *Queue) do(ctx context.Context, t *store.Task) (end *ending, err error) {
	defer func() {
		if p := recover(); p != nil {
			q.log.Error("panic in a job", "job", t.ID, "asset", t.AssetID, "kind", t.Kind, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	switch t.Kind {
	case store.Render:
		return q.makeVideo(ctx, t)
	case store.Deliver:
		return q.deliver(ctx, t)
	case store.Announce, store.Apologise:
		return q.message(ctx, t)
	case store.Publish:
		return q.publish(ctx, t)
	}
	return nil, retry.Permanent(fmt.Errorf("no worker knows the kind %q", t.Kind))
}

// makeVideo renders an asset and puts the files on the shelf before the database says that they are there.
func (q *Queue) makeVideo(ctx context.Context, t *store.Task) (*ending, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	q.mu.Lock()
	q.running[t.AssetID] = &making{cancel: cancel}
	q.mu.Unlock()
	defer func() {
		q.mu.Lock()
		delete(q.running, t.AssetID)
		q.mu.Unlock()
	}()
	if err := q.media.Ready(ctx); err != nil { // first: a video that cannot be kept is made for nothing
		return nil, fmt.Errorf("keep a video: %w", err)
	}
	began := time.Now()
	made, err := q.render.Render(ctx, Order{Asset: t.AssetID, Name: t.Asset.Name, Lang: t.Asset.Lang, Template: t.Asset.Template},
		func(percent int) { q.progress(t.AssetID, percent) })
	if err != nil {
		return nil, err
	}
	defer made.Discard()
	v := store.Video{File: t.AssetID + ".mp4", Size: made.Size, Duration: made.Duration, Width: made.Width, Height: made.Height}
	if err := q.media.Put(ctx, v.File, made.Path, nil); err != nil {
		return nil, fmt.Errorf("keep the video: %w", err)
	}
	if made.Thumb != "" {
		v.Thumb = t.AssetID + ".jpg"
		if err := q.media.Put(ctx, v.Thumb, made.Thumb, nil); err != nil {
			return nil, fmt.Errorf("keep the thumbnail: %w", err)
		}
	}
	q.learn(time.Since(began))
	q.meter.Rendered(time.Since(began))
	return &ending{
		write: func(tx *store.Tx) error {
			if err := tx.FinishRender(t.Job, v); err != nil {
				return err
			}
			if q.outages.Made(t.AssetID) {
				return tx.EndOutage()
			}
			return nil
		},
		then: func(gone bool) {
			if gone { // cancelled at the last moment
				q.Discard(context.WithoutCancel(ctx), store.Gone{Files: []string{v.File, v.Thumb}, Names: []string{t.Asset.Name}})
			}
		},
	}, nil
}

// DeleteMedia removes files that no asset refers to any more. What cannot be removed now is swept at the next start.
func (q *Queue) DeleteMedia(ctx context.Context, keys []string) {
	for _, key := range keys {
		if key == "" {
			continue
		}
		if err := q.media.Delete(ctx, key); err != nil && ctx.Err() == nil {
			q.log.Warn("delete media", "key", key, "err", err)
		}
	}
}

// deliver sends a video, with all that is said about it, and records that it arrived.
func (q *Queue) deliver(ctx context.Context, t *store.Task) (*ending, error) {
	if t.Sent == 0 {
		id, fileID, err := q.msgs.Send(ctx, *t)
		if err != nil {
			return nil, err
		}
		if err := q.insist(ctx, func() error {
			return q.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.VideoArrived(t.Job, id, fileID) })
		}); err != nil {
			return nil, fmt.Errorf("record a delivery: %w", err)
		}
		t.Sent = id
	}
	return q.told(ctx, t, t.Sent), nil
}

// message sends an announcement or an apology.
func (q *Queue) message(ctx context.Context, t *store.Task) (*ending, error) {
	id, err := q.msgs.Tell(ctx, *t)
	if err != nil {
		return nil, err
	}
	return q.told(ctx, t, id), nil
}

// publish carries a publication as far as it comes.
func (q *Queue) publish(ctx context.Context, t *store.Task) (*ending, error) {
	site := q.opts.Sites[t.Publication.Platform]
	if site == nil {
		return nil, retry.Permanent(fmt.Errorf("%s is not set up", t.Publication.Platform))
	}
	uploading, cancel := context.WithCancel(ctx)
	defer cancel()
	q.mu.Lock()
	q.sending[t.PublicationID] = &sending{t.AssetID, cancel}
	q.mu.Unlock()
	defer func() {
		q.mu.Lock()
		delete(q.sending, t.PublicationID)
		q.mu.Unlock()
		if uploading.Err() != nil {
			nudge(q.taking)
		}
	}()
	// Stop may have come between the claim and now.
	err := q.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error { _, err := tx.Running(t.Job); return err })
	if err != nil {
		return nil, fmt.Errorf("begin to publish: %w", err)
	}
	again, err := site.Publish(uploading, *t, func(u store.Upload) error {
		err := q.insist(ctx, func() error {
			return q.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.KeepUpload(t.Job, u) })
		})
		if errors.Is(err, store.ErrNotFound) && u.ID != "" { // its publishing was ended a moment too late
			err = errors.Join(err, q.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.Arrived(t.Job, u) }))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	back, outcome := false, ""
	if again > 0 {
		outcome = "deferred"
	}
	return &ending{outcome: outcome, write: func(tx *store.Tx) (err error) {
		if again > 0 {
			return tx.LookAgain(t.Job, tx.Now().Add(again))
		}
		back, err = tx.FinishPublishing(t.Job)
		return err
	}, then: func(gone bool) {
		if !back || gone {
			return
		}
		if err := unlessStopped(ctx, q.Reconnected(ctx, store.Admin{})); err != nil { // found again at the next start
			q.log.Error("go on with what waits for a channel", "err", err)
		}
	}}, nil
}

// told is the end of a message job. The progress message goes when the answer is there, and an announcement that was
// cancelled or overtaken while it was on its way goes at once.
func (q *Queue) told(ctx context.Context, t *store.Task, id int) *ending {
	spent := 0
	return &ending{
		write: func(tx *store.Tx) (err error) { spent, err = tx.FinishMessage(t, id); return err },
		then: func(gone bool) {
			if gone && t.Kind == store.Announce {
				spent = id
			}
			if spent != 0 {
				q.msgs.Withdraw(context.WithoutCancel(ctx), t.To.Chat, spent)
			}
		},
	}
}

// clock looks for work that has become due, until ctx ends. It sleeps until then: nothing polls.
func (q *Queue) clock(ctx context.Context) {
	for ctx.Err() == nil {
		seen := q.store.Now() // whatever is due by then
		q.insist(ctx, func() error {
			return q.answering(ctx, func(tx *store.Tx) error {
				for kind := range q.pools() {
					tx.MarkDue(kind, 0)
				}
				return nil
			})
		})
		due, err := q.store.NextDue(ctx, seen)
		if _, probe, spent := q.Outage(); err == nil && !spent && probe.After(seen) && (due.IsZero() || probe.Before(due)) {
			due = probe
		}
		var alarm <-chan time.Time
		switch {
		case err != nil:
			if ctx.Err() == nil {
				q.log.Error("when is the next job due", "err", err)
			}
			alarm = time.After(5 * time.Second)
		case !due.IsZero():
			alarm = time.After(due.Sub(q.store.Now())) // at once, if it became due since
		}
		select {
		case <-ctx.Done():
		case <-q.look:
		case <-alarm:
		}
	}
}

// Stop ends the renders and uploads of assets that nobody waits for any more.
func (q *Queue) Stop(assets []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, id := range assets {
		if r := q.running[id]; r != nil {
			r.cancel()
		}
	}
	for _, u := range q.sending {
		if slices.Contains(assets, u.asset) {
			u.cancel()
		}
	}
}

const (
	withdrawSoon = time.Minute // after a withdrawal that a platform refused
	withdrawLate = time.Hour   // after many
)

// withdraw ends at the platforms what was under way there when the person who asked for the video had it deleted, at the start and
// whenever taking says so, until ctx ends. It tries again what a platform refuses; an admin sees the video until it is gone.
func (q *Queue) withdraw(ctx context.Context) {
	for pause := withdrawSoon; ctx.Err() == nil; {
		left, err := q.withdrawAll(ctx)
		if err = unlessStopped(ctx, err); err != nil {
			q.log.Error("withdraw what should not be published", "err", err)
		}
		var again <-chan time.Time
		if left || err != nil {
			again = time.After(pause)
			pause = min(2*pause, withdrawLate)
		} else {
			pause = withdrawSoon
		}
		select {
		case <-ctx.Done():
		case <-q.taking:
		case <-again:
		}
	}
}

// withdrawAll withdraws what it can. left: something has to be tried again.
func (q *Queue) withdrawAll(ctx context.Context) (left bool, err error) {
	list, err := q.store.Withdrawals(ctx)
	if err != nil {
		return false, err
	}
	for _, w := range list {
		site, ok := q.opts.Sites[w.Platform].(publish.Withdrawer)
		q.mu.Lock()
		busy := q.sending[w.ID] != nil
		q.mu.Unlock()
		if !ok || busy { // the end of an attempt is another reason to look
			continue
		}
		if err := site.Withdraw(ctx, w); err != nil {
			if unlessStopped(ctx, err) != nil {
				q.log.Warn("a platform still has a video that should go", "asset", w.AssetID, "platform", w.Platform, "err", err)
			}
			left = true
			continue
		}
		var gone store.Gone
		if err := q.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) (err error) { gone, err = tx.Withdrawn(w); return err }); err != nil {
			return left, err
		}
		q.Discard(context.WithoutCancel(ctx), gone)
	}
	return left, nil
}

// Discard does what a deletion leaves to be done outside of the database: renders and uploads end, also at the platforms, and
// files and the sound of names go.
func (q *Queue) Discard(ctx context.Context, gone store.Gone) {
	q.Stop(slices.Concat(gone.Assets, gone.Kept))
	if len(gone.Kept) > 0 {
		nudge(q.taking)
	}
	q.DeleteMedia(ctx, gone.Files)
	if q.opts.Voices != nil && len(gone.Names) > 0 {
		if err := q.opts.Voices.ForgetNames(gone.Names); err != nil {
			q.log.Warn("forget how names sound", "err", err)
		}
	}
}

// ---- what is kept no longer

const (
	purgeEvery = time.Hour
	purgeRest  = 100 * time.Millisecond // between two transactions of a purge, for everybody else's
)

// Purge deletes what has been kept for too long, once an hour, until ctx ends. When there is nothing, it writes nothing.
func (q *Queue) Purge(ctx context.Context, keep store.Keep) {
	for ctx.Err() == nil {
		if err := q.purge(ctx, keep); err != nil && ctx.Err() == nil {
			q.log.Error("purge what is too old", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(purgeEvery):
		}
	}
}

func (q *Queue) purge(ctx context.Context, keep store.Keep) error {
	if q.opts.Voices != nil {
		if err := q.opts.Voices.ForgetOldNames(); err != nil {
			q.log.Warn("forget how old names sound", "err", err)
		}
	}
	rows := 0
	for {
		if some, err := q.store.Stale(ctx, keep); err != nil || !some {
			if rows > 0 {
				q.log.Info("what was too old is deleted", "rows", rows)
			}
			return err
		}
		var gone store.Gone
		n := 0
		if err := q.store.Tx(ctx, func(tx *store.Tx) (err error) { gone, n, err = tx.Purge(keep); return err }); err != nil || n == 0 {
			return err
		}
		rows += n
		q.Discard(ctx, gone) // a stop waits for no bucket: the next sweep takes what is left
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(purgeRest):
		}
	}
}

// ---- what people see of the queue

func (q *Queue) progress(assetID string, percent int) {
	q.mu.Lock()
	r := q.running[assetID]
	changed := r != nil && r.percent != percent
	if changed {
		r.percent = percent
	}
	q.mu.Unlock()
	if changed {
		q.tell(assetID, percent)
	}
}

// Busy returns how many videos are being made, and how many can be at a time.
func (q *Queue) Busy() (busy, workers int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.running), q.opts.Workers
}

// Load is how work of one kind goes.
type Load struct {
	Kind          store.Kind
	Workers, Idle int
	Begun         time.Time // when a job of it was last begun, or the queue; zero: the queue has not begun yet
}

// Loads returns the kinds of work that are done here.
func (q *Queue) Loads() (all []Load) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for kind, n := range q.pools() {
		all = append(all, Load{kind, n, q.idle[kind], q.begun[kind]})
	}
	return all
}

// learn takes the time of a render into the moving average.
func (q *Queue) learn(d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.pace == 0 {
		q.pace = d
	}
	q.pace += (d - q.pace) / 4
}

// View subscribes to changes. told gets the id of an asset that changed, "" for any, and 0, or its percentage when only that
// of its render did. It must not wait for anything.
func (q *Queue) View(told func(assetID string, percent int)) (end func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.viewers[&told] = true
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.viewers, &told)
	}
}

func (q *Queue) tell(assetID string, percent int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for told := range q.viewers {
		(*told)(assetID, percent)
	}
}

// Outlooks returns the outlook of every asset whose render is owed.
func (q *Queue) Outlooks(ctx context.Context) (map[string]worker.Outlook, error) {
	line, err := q.store.Line(ctx)
	if err != nil {
		return nil, err
	}
	o, _, spent := q.Outage()
	q.mu.Lock()
	defer q.mu.Unlock()
	out := make(map[string]worker.Outlook, len(line)+len(q.running))
	for i, id := range line {
		rounds := i/max(1, q.opts.Workers) + 1
		if len(q.running) >= q.opts.Workers {
			rounds++ // those before it are under way
		}
		out[id] = worker.Outlook{Place: i + 1, Left: time.Duration(rounds) * q.pace, Held: !o.Began.IsZero() && !spent}
	}
	for id, r := range q.running {
		out[id] = worker.Outlook{Percent: r.percent, Left: q.pace * time.Duration(100-r.percent) / 100}
	}
	return out, nil
}
