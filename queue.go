// The queue: Retry, the workers, and what each kind of job does.

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"retake.example/internal/outage"
	"retake.example/internal/publish"
	"retake.example/internal/retry"
	"retake.example/internal/routine"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/video"
	"retake.example/internal/worker"
)

// maxCrashes is how many times a job may be running alone when the process dies: that many are a failed attempt.
const maxCrashes = 5

// Retry is the only way anything gets another try, and the only place where a failure is announced. It does all of it
// in one transaction, which does not inherit the end of ctx: a failure seen during a shutdown is still written. Of a
// crowd only some people fit into it. A row of the same transaction says that there are others, whom the next ones
// reach, be it after a restart: a fan-out of apologies, or the press in the audit.
//
//	cause                          when                                        what it does                                           outcome
//	JobFailed{Job, Err}            attempts left, error not permanent          same job again after the backoff                       Rescheduled
//	                               the attempt got further than the last       same job again after the first backoff, attempts       Rescheduled
//	                               (Progressed)                                count from the start
//	                               the error says "wait" (RetryAfter), or      same job after a pause that doubles to minutes,        Deferred
//	                               what is needed does not answer              attempt given back
//	                               (Unreachable)
//	                               during an outage, which this may begin      same job later, attempt given back                     Deferred
//	                               last attempt, but others fail as it does,   same job later, attempt given back                     Deferred
//	                               and enough that wait may make it an outage
//	                               it has waited for OutageMax since the       as after the last attempt                              GaveUp or
//	                               first of its waits in a row                                                                        Undelivered
//	                               the platform's daily limit is reached       same for all uploads that it holds for, however long   Deferred
//	                               the platform refuses its token              FAILED, with all that waits for the same channel       GaveUp
//	                               the channel was connected again since       same job again at once, with the new token             Rescheduled
//	                               a DELIVER whose file is gone                its request goes over to a new asset with a RENDER     Restarted
//	                                                                           job, or to one of the same key that is live or newer
//	                               a DELIVER whose file_id is refused          the file_id is forgotten, same job again at once,      Rescheduled
//	                                                                           attempt given back
//	                               last attempt, or permanent                  asset or publication FAILED with the error and its     GaveUp
//	                                                                           code; a render's requests FAILED, one APOLOGISE job
//	                                                                           for each
//	                               the same of a message, or it may have       the request stays owed and is marked undelivered with  Undelivered
//	                               arrived twice (MaybeSent)                   the code; it is sent again when its user writes, with
//	                                                                           the next message that gets through, or by an admin
//	                               a message whose chat is gone                the user is marked unreachable; owed again when they   Undelivered
//	                                                                           come back
//	ButtonPressed{User, Chat}      asset FAILED, the user has a request on it  a new asset (retry_of), a request of that user,        Restarted
//	                                                                           a RENDER job
//	                               a live asset with the same key, such as a   a request of that user on that one, once               Joined
//	                               live successor
//	                               one was COMPLETED since, such as the        the user gets it: DELIVER                              Joined
//	                               successor
//	AdminClicked{Admin, Platform}  Platform named: the publication is FAILED   PENDING, error and times cleared, PUBLISH job          Restarted
//	                               Platform empty: the render FAILED           successor as above, with a request for everybody       Restarted
//	                                                                           affected who has not retried yet; they are told,
//	                                                                           a crowd in parts
//	                               a message about it is undelivered           it is sent again                                       Restarted
//	                               PENDING or PROCESSING already               nothing                                                Joined
//	Reconnected{Admin, Platform}   the publication is FAILED for ended access  as if that admin might have clicked                    Restarted
//	ButtonPressed                  it takes a new asset, and the user may      nothing                                                store.Refused
//	                               not ask for one now
//	any                            no such asset, publication or job           nothing                                                ErrNotFound
//	any                            the user has no request on it; the admin    nothing                                                ErrForbidden
//	                               did not create it and is no owner
//	any                            not failed                                  nothing                                                ErrNotFailed
//	AdminClicked, Reconnected      the person who asked for the video had      nothing                                                ErrNotPublishable
//	                               it deleted
func (q *Queue) Retry(ctx context.Context, assetID string, why retry.Cause) (out retry.Outcome, err error) {
	var after int64
	err = q.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) (err error) {
		after = 0
		switch why := why.(type) {
		case retry.JobFailed:
			out, err = q.retryJob(tx, why)
		case retry.ButtonPressed:
			out, err = retry.RestartForUser(tx, assetID, why)
		case retry.AdminClicked:
			if why.Platform != "" {
				out, err = retry.RestartPublication(tx, assetID, why.Platform, why.Admin, false)
			} else {
				out, after, err = retry.RestartForAll(tx, assetID, why.Admin)
			}
		case retry.Reconnected:
			out, err = retry.RestartPublication(tx, assetID, why.Platform, why.Admin, true)
		default:
			return fmt.Errorf("unknown cause %T", why)
		}
		return err
	})
	if err == nil && after > 0 {
		err = retry.ForTheRest(ctx, q.store, assetID, after)
	}
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
	j.ErrorCode = retry.CodeOf(why.Err)
	if telegram.MaybeSent(why.Err) {
		j.Copies++
	}
	wait, waits := retry.PauseAfter(why.Err, j.Waits, q.opts.Backoff)
	_, asked := retry.After(why.Err)
	spent := !j.WaitingSince.IsZero() && now.Sub(j.WaitingSince) >= q.opts.OutageMax // all the time that a job may wait
	longest := cmp.Or(j.WaitingSince, now).Add(q.opts.OutageMax)
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
		if renewed && j.Attempt < q.opts.Attempts { // what was refused is the old token
			return retry.Rescheduled, tx.Reschedule(j, now, problem)
		}
		return retry.GaveUp, tx.EndAccess(j, problem)
	case j.Kind == store.Deliver && errors.Is(why.Err, fs.ErrNotExist):
		return retry.Restarted, tx.MakeAgain(j)
	case why.FileID != "" && telegram.ClassOf(why.Err) == telegram.BadFile:
		if err := tx.ForgetFileID(j.AssetID, why.FileID); err != nil {
			return "", err
		}
		if again, err := tx.Reuploaded(j); err != nil {
			return "", err
		} else if !again { // once: it may be the chat that refuses, whatever the file_id
			return retry.Rescheduled, tx.Reupload(j, problem)
		}
	case telegram.ClassOf(why.Err) == telegram.Gone && j.RequestID != 0:
		if err := tx.ChatGone(j); err != nil {
			return "", err
		}
		return giveUp(tx, j, problem, "")
	case j.Copies >= telegram.MaxCopies:
		j.ErrorCode = store.MaybeSent
		return giveUp(tx, j, problem, step)
	case retry.IsPermanent(why.Err):
		return giveUp(tx, j, problem, step)
	case ofChannel && asked && step != "": // until a time that the platform has set
		return retry.Deferred, tx.PauseUploads(j, channel.WholeApp(), now.Add(wait), step, problem)
	case waits && spent:
		return giveUp(tx, j, problem, step)
	case waits:
		return retry.Deferred, tx.Defer(j, retry.Earlier(now.Add(wait), longest), problem)
	case retry.Progressed(why.Err):
		return retry.Rescheduled, tx.RescheduleAnew(j, now.Add(max(pause, q.opts.Backoff(1))), problem)
	case j.Kind == store.Render:
		asset, err := tx.Asset(j.AssetID)
		if err != nil {
			return "", err
		}
		people, err := tx.WaitingPeople(j.AssetID, 2)
		if err != nil {
			return "", err
		}
		held, given := q.outages.RecordFailure(
			outage.Failure{Asset: asset.ID, Name: asset.Name, Key: asset.NameKey, Users: people,
				Attempt: j.Attempt, Problem: problem},
			now,
		)
		if given != nil {
			if err := tx.BeginOutage(problem, given); err != nil {
				return "", err
			}
		}
		if held && spent {
			return giveUp(tx, j, problem, "")
		}
		if held {
			return retry.Deferred, tx.Hold(j, retry.Earlier(now.Add(probeEvery), longest), problem)
		}
		wait, more := q.outages.ShouldWait(asset.ID, asset.Created, now, now.Sub(j.Started))
		if wait > 0 && j.Attempt >= q.opts.Attempts && !spent {
			enough, err := tx.Untried(j, more)
			if err != nil {
				return "", err
			}
			if enough { // they will tell
				return retry.Deferred, tx.Defer(j, retry.Earlier(now.Add(wait), longest), problem)
			}
		}
	}
	if j.Attempt < q.opts.Attempts {
		return retry.Rescheduled, tx.Reschedule(j, now.Add(max(pause, q.opts.Backoff(j.Attempt))), problem)
	}
	return giveUp(tx, j, problem, "")
}

// giveUp ends a job permanently. A message is still pending for somebody: see store.Tx.OweAgain.
func giveUp(tx *store.Tx, j store.Job, problem, step string) (retry.Outcome, error) {
	if j.RequestID != 0 {
		return retry.Undelivered, tx.GiveUp(j, problem, step)
	}
	return retry.GaveUp, tx.GiveUp(j, problem, step)
}

// Reconnected sends everything through Retry that failed because access to its channel had ended, and that works again:
// it was connected again or checked, or a publication got through. What cannot be written now is found at the next
// start.
func (q *Queue) Reconnected(ctx context.Context, admin store.Admin) error {
	q.withdrawals.Look() // what could not be withdrawn without the channel
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

// probeEvery is how often one video is tried during an outage.
const probeEvery = time.Minute

// Outage returns the outage under way, if there is one, and when the next video is tried. spent: it has lasted so long
// that failures count again.
func (q *Queue) Outage() (o store.Outage, next time.Time, spent bool) {
	o.Began, o.Reason, next, spent = q.outages.State(q.store.Now())
	return o, next, spent
}

// TryNow tries a video during an outage without waiting for its time. ErrNotFailed: there is none.
func (q *Queue) TryNow(ctx context.Context, admin store.Admin) error {
	if !q.outages.ProbeNow() {
		return store.ErrNotFailed
	}
	return q.store.Tx(ctx, func(tx *store.Tx) error {
		if err := tx.HurryRenders(); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "try now"})
	})
}

// renderer makes videos.
type renderer interface {
	Make(ctx context.Context, o video.Order, progress func(percent int)) (video.Video, error)
}

// messenger talks to users. A message id is Telegram's; 0 stands for none.
type messenger interface {
	// Send sends a finished video and returns the handle with which it can be sent again.
	Send(ctx context.Context, t store.Task) (messageID int, fileID string, err error)
	// Tell sends what the kind of the task calls for: the announcement or the apology.
	// ahead tells what is to be made before it.
	Tell(ctx context.Context, t store.Task, ahead worker.Forecast) (messageID int, err error)
	// Withdraw removes a progress message that has served its purpose, if it can.
	Withdraw(ctx context.Context, chat int64, messageID int)
}

// files keeps the finished files.
type files interface {
	Ready(ctx context.Context) error // nil: Put may be expected to work
	Put(ctx context.Context, key, path string, progress func(sent int64)) error
	Delete(ctx context.Context, key string) error
}

// audioCache keeps how the names sound that the renderer has heard.
type audioCache interface {
	ForgetNames(names []string) error
	ForgetOldNames() error // those that were not said for long
}

// Options are the operator's choices for the queue.
type Options struct {
	Workers   int                             // renders at a time
	Attempts  int                             // of a job before it is given up
	Backoff   func(attempt int) time.Duration // pause after the attempt with that number, from 1
	Drain     time.Duration                   // how long a stop lets messages under way finish
	Outages   outage.Breaker                  // nil: there are none
	OutageMax time.Duration                   // the longest wait of a job, from its first; 0: a day
	Sites     map[string]publish.Platform     // by the name of the platform; nil: nothing is published
	Meter     worker.Meter                    // nil: nobody counts
	Voices    audioCache                      // nil: no name is spoken
	Farm      interface {                     // nil: no video is made on other machines
		Forget(assets []string)
		On() bool
	}
	Delivered func(user int64) // called when somebody has got a video; nil: nobody is
}

// tidying is how long a stop waits for what only tidies up.
const tidying = 3 * time.Second

// publishWorkers is how many videos are published at a time: they share one line.
const publishWorkers = 2

// Queue decides what the jobs of a store do and what their failures mean. Its pool runs them.
type Queue struct {
	*worker.Pool
	store       *store.Store
	render      renderer  // nil: no videos are made
	msgs        messenger // nil: nobody is told
	media       files
	opts        Options
	log         *slog.Logger
	outages     outage.Breaker
	withdrawals *publish.Withdrawals
}

// NewQueue prepares a queue; Run starts it.
func NewQueue(st *store.Store, render renderer, msgs messenger, media files, opts Options, log *slog.Logger) *Queue {
	if opts.Outages == nil {
		opts.Outages = outage.None{}
	}
	opts.OutageMax = cmp.Or(opts.OutageMax, 24*time.Hour)
	if opts.Meter == nil {
		opts.Meter = worker.NoMeter{}
	}
	workers := map[store.Kind]int{}
	if render != nil {
		workers[store.Render] = opts.Workers
	}
	if msgs != nil {
		for _, kind := range []store.Kind{store.Announce, store.Deliver, store.Apologise} {
			workers[kind] = store.MessageWorkers
		}
	}
	if opts.Sites != nil {
		workers[store.Publish] = publishWorkers
	}
	pool := worker.New(st, worker.Options{Workers: workers, Drain: opts.Drain, Outages: opts.Outages,
		Meter: opts.Meter}, log)
	return &Queue{Pool: pool, store: st, render: render, msgs: msgs, media: media, opts: opts, log: log,
		outages: opts.Outages, withdrawals: publish.NewWithdrawals(st, opts.Sites, pool.Uploading, log)}
}

// Run rescues what the last process left, then works until ctx ends. It returns when every attempt under way has
// finished or been given back.
func (q *Queue) Run(ctx context.Context) error {
	if err := q.prepare(ctx); err != nil {
		return worker.UnlessStopped(ctx, err)
	}
	var wg routine.Group
	defer wg.Wait()
	if q.opts.Sites != nil {
		wg.Keep(ctx, func() { q.withdrawals.Run(ctx, q.Discard) })
	}
	q.Pool.Run(ctx, q.attempt)
	return nil
}

// prepare takes up what the last process left.
func (q *Queue) prepare(ctx context.Context) error {
	if err := q.rescue(ctx); err != nil {
		return fmt.Errorf("rescue: %w", err)
	}
	times, err := q.store.RenderTimes(ctx)
	if err != nil {
		return err
	}
	last, err := q.store.Outage(ctx)
	if err != nil {
		return err
	}
	if !last.Began.IsZero() {
		q.outages.Resume(last.Began, last.Reason)
	}
	for i := len(times) - 1; i >= 0; i-- {
		q.Learn(times[i])
	}
	if err := retry.ResumeCrowds(ctx, q.store); err != nil {
		return err
	}
	return q.Reconnected(ctx, store.Admin{})
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
			elsewhere := j.Kind == store.Publish || j.Kind == store.Render && q.opts.Farm != nil && q.opts.Farm.On()
			if err := tx.Rescue(j, alone, !elsewhere); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, j := range last {
		why := retry.WithCode(fmt.Errorf("the program ended %d times while this ran", maxCrashes), "CRASHED")
		q.report(ctx, retry.JobFailed{Job: j, Err: why}, "")
	}
	return nil
}

// attempt runs a job once. It returns what a success has to write; a failure it reports itself.
func (q *Queue) attempt(ctx, draining context.Context, t *store.Task) *worker.Completion {
	work := draining
	if t.Kind == store.Render || t.Kind == store.Publish {
		work = ctx
	}
	fileID := ""
	if t.Kind == store.Deliver {
		fileID = t.Asset.FileID
	}
	end, err := q.do(work, t)
	switch {
	case err == nil:
		return end
	case work.Err() != nil && errors.Is(err, context.Canceled):
		q.GiveBack(draining, t.Job)
	default:
		q.report(draining, retry.JobFailed{Job: t.Job, Err: err, FileID: fileID}, t.Asset.Name)
	}
	return nil
}

// report hands a failed attempt to Retry. The log holds the code only: an engine may quote the name in any spelling,
// and its words are in the database, from which they go with the video.
func (q *Queue) report(draining context.Context, failed retry.JobFailed, name string) {
	j, problem := failed.Job, failed.Err
	var out retry.Outcome
	err := q.RetryWrite(draining, func() (err error) {
		out, err = q.Retry(draining, j.AssetID, failed)
		return err
	})
	if err == nil && out == retry.GaveUp && j.Kind == store.Render {
		err = q.RetryWrite(draining, func() error { return retry.FailCrowds(draining, q.store) })
	}
	switch {
	case errors.Is(err, store.ErrNotFound): // nobody waits for it any more
		q.opts.Meter.Ended(string(j.Kind), "dropped")
		q.Discard(draining, store.Deleted{Names: []string{name}})
	case err != nil:
		q.log.Error("a failure could not be written", "job", j.ID, "asset", j.AssetID, "err", err)
	default:
		q.opts.Meter.Ended(string(j.Kind), strings.ReplaceAll(string(out), " ", "_"))
		q.log.Warn("attempt failed", "job", j.ID, "asset", j.AssetID, "kind", j.Kind, "attempt", j.Attempt,
			"outcome", out, "code", cmp.Or(retry.CodeOf(problem), "UNKNOWN"))
	}
}

// do does the work of a job. A panic is an error like any other.
func (q *Queue) do(ctx context.Context, t *store.Task) (end *worker.Completion, err error) {
	defer func() {
		if p := recover(); p != nil {
			q.log.Error("panic in a job", "job", t.ID, "asset", t.AssetID, "kind", t.Kind, "stack", string(debug.Stack()))
			err = retry.WithCode(fmt.Errorf("panic: %v", p), "PANIC")
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
func (q *Queue) makeVideo(ctx context.Context, t *store.Task) (*worker.Completion, error) {
	ctx, done := q.Track(ctx, t)
	defer done()
	if err := q.media.Ready(ctx); err != nil { // first: a video that cannot be kept is made for nothing
		return nil, fmt.Errorf("keep a video: %w", err)
	}
	began := time.Now()
	made, err := q.render.Make(
		ctx,
		video.Order{Asset: t.AssetID, Name: t.Asset.Name, Lang: t.Asset.Lang, Template: t.Asset.Template, Attempt: t.Attempt},
		func(percent int) { q.Progress(t, percent) },
	)
	if err != nil {
		return nil, err
	}
	defer made.Discard()
	v := store.Video{
		File:     t.AssetID + ".mp4",
		Size:     made.Size,
		Duration: made.Duration,
		Width:    made.Width,
		Height:   made.Height,
		Codec:    made.Codec,
		Note:     made.Note,
	}
	if err := q.media.Put(ctx, v.File, made.Path, nil); err != nil {
		return nil, fmt.Errorf("keep the video: %w", err)
	}
	if made.Thumb != "" {
		v.Thumb = t.AssetID + ".jpg"
		if err := q.media.Put(ctx, v.Thumb, made.Thumb, nil); err != nil {
			return nil, fmt.Errorf("keep the thumbnail: %w", err)
		}
	}
	q.Learn(time.Since(began))
	q.opts.Meter.Rendered(time.Since(began))
	return &worker.Completion{
		Write: func(tx *store.Tx) error {
			if err := tx.FinishRender(t.Job, v); err != nil {
				return err
			}
			if q.outages.RecordSuccess(t.AssetID) {
				return tx.EndOutage()
			}
			return nil
		},
		Then: func(gone bool) {
			if gone { // cancelled at the last moment
				ctx, done := worker.Outlive(ctx, tidying)
				defer done()
				q.Discard(ctx, store.Deleted{Files: []string{v.File, v.Thumb}, Names: []string{t.Asset.Name}})
			}
		},
	}, nil
}

// DeleteMedia removes files that no asset refers to any more. What cannot be removed now is tried again every hour.
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
func (q *Queue) deliver(ctx context.Context, t *store.Task) (*worker.Completion, error) {
	if t.Sent == 0 {
		id, fileID, err := q.msgs.Send(ctx, *t)
		if err != nil {
			return nil, err
		}
		if err := q.RetryWrite(ctx, func() error {
			return q.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.VideoArrived(t.Job, id, fileID) })
		}); err != nil {
			return nil, fmt.Errorf("record a delivery: %w", err)
		}
		t.Sent = id
	}
	return q.told(ctx, t, t.Sent), nil
}

// message sends an announcement or an apology.
func (q *Queue) message(ctx context.Context, t *store.Task) (*worker.Completion, error) {
	id, err := q.msgs.Tell(ctx, *t, q)
	if err != nil {
		return nil, err
	}
	return q.told(ctx, t, id), nil
}

// publish carries a publication as far as it comes.
func (q *Queue) publish(ctx context.Context, t *store.Task) (*worker.Completion, error) {
	site := q.opts.Sites[t.Publication.Platform]
	if site == nil {
		return nil, retry.Permanent(fmt.Errorf("%s is not set up", t.Publication.Platform))
	}
	uploading, done := q.Track(ctx, t)
	defer func() {
		if uploading.Err() != nil {
			defer q.withdrawals.Look()
		}
		done()
	}()
	// Stop may have come between the claim and now.
	err := q.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error { _, err := tx.Running(t.Job); return err })
	if err != nil {
		return nil, fmt.Errorf("begin to publish: %w", err)
	}
	again, err := site.Publish(uploading, *t, func(u store.Upload) error {
		err := q.RetryWrite(ctx, func() error {
			return q.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.KeepUpload(t.Job, u) })
		})
		if errors.Is(err, store.ErrNotFound) && u.ID != "" { // its publishing was ended a moment too late
			err = errors.Join(
				err,
				q.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.Arrived(t.Job, u) }),
			)
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
	return &worker.Completion{Outcome: outcome, Write: func(tx *store.Tx) (err error) {
		if again > 0 {
			return tx.LookAgain(t.Job, tx.Now().Add(again))
		}
		back, err = tx.FinishPublishing(t.Job)
		return err
	}, Then: func(gone bool) {
		if !back || gone {
			return
		}
		if err := worker.UnlessStopped(ctx, q.Reconnected(ctx, store.Admin{})); err != nil { // found again at the next start
			q.log.Error("go on with what waits for a channel", "err", err)
		}
	}}, nil
}

// told is the end of a message job. The progress message goes when the answer is there, and an announcement that was
// cancelled or overtaken while it was on its way goes at once.
func (q *Queue) told(ctx context.Context, t *store.Task, id int) *worker.Completion {
	spent := 0
	return &worker.Completion{
		Write: func(tx *store.Tx) (err error) { spent, err = tx.FinishMessage(t, id); return err },
		Then: func(gone bool) {
			if gone && t.Kind == store.Announce {
				spent = id
			}
			if !gone && t.Kind == store.Deliver && q.opts.Delivered != nil {
				defer q.opts.Delivered(t.To.User)
			}
			if spent != 0 {
				ctx, done := worker.Outlive(ctx, tidying)
				defer done()
				q.msgs.Withdraw(ctx, t.To.Chat, spent)
			}
		},
	}
}

// Discard does what a deletion leaves to be done outside of the database: renders and uploads end, also at the
// platforms, and files and the sound of names go.
func (q *Queue) Discard(ctx context.Context, gone store.Deleted) {
	assets := slices.Concat(gone.Assets, gone.Kept)
	q.Stop(assets)
	if q.opts.Farm != nil {
		q.opts.Farm.Forget(assets)
	}
	if len(gone.Kept) > 0 {
		q.withdrawals.Look()
	}
	q.DeleteMedia(ctx, gone.Files)
	if q.opts.Voices != nil && len(gone.Names) > 0 {
		if err := q.opts.Voices.ForgetNames(gone.Names); err != nil {
			q.log.Warn("forget how names sound", "err", err)
		}
	}
}

// ForgetOldNames removes the audio of names that have not been said for long.
func (q *Queue) ForgetOldNames() {
	if q.opts.Voices == nil {
		return
	}
	if err := q.opts.Voices.ForgetOldNames(); err != nil {
		q.log.Warn("purge the audio of old names", "err", err)
	}
}
