// alerts.go decides which troubles an admin is told of, and when: about each cause at most once an hour.

package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"retake.example/internal/routine"
	"retake.example/internal/worker"
)

// The causes of trouble.
const (
	Outage      = "outage"
	Disk        = "disk"
	Room        = "room" // that videos may take
	Channel     = "channel"
	Ending      = "ending"    // accesses to channels that end soon
	Undeleted   = "undeleted" // files that should be gone
	Halted      = "halted"    // an announcement that the program has paused
	Backup      = "backup"
	Alarm       = "alarm"       // the second way to the operator
	Failed      = "failed"      // videos that were given up
	Unpublished = "unpublished" // publications that were
	Undelivered = "undelivered" // messages that were
)

const (
	// between is the shortest time between two messages about one cause.
	between = time.Hour
	// rest is the shortest time between two looks, every the longest.
	rest, every = time.Second, time.Minute
)

// Trouble is the current state of one cause. Its Message counts only while something is wrong.
type Trouble struct {
	Cause string
	Of    []string // what is wrong, one word for each thing; empty when nothing is, or nothing any more
	Over  Message  // says that it is over; the zero Message is never sent
	Message

	// A digest has these instead of Of: what happened since the last message. Write is called for a message that is
	// sent.
	Write func(ctx context.Context) (Message, error)
	N     int
	First time.Time // when the first of them happened
	Last  time.Time // and the last
}

// Message is what an admin reads.
type Message struct {
	ID      string // of the text in the message files; "" if there is no message
	Vars    map[string]any
	Buttons []Button
}

// Button is a button below a Message.
type Button struct {
	ID   string // of its text in the message files
	Vars map[string]any
	Data string // what a press brings: "kind" or "kind:argument"
}

// Told is when an admin last got a message about a cause, and which of its troubles they know.
type Told struct {
	At    time.Time
	About []string
}

// over is the cause under which the message about an end is recorded.
func over(cause string) string { return cause + " over" }

// verdict is what follows for one admin: a message, what to record once it is sent, and when to look again.
type verdict struct {
	say  *Message
	keep map[string]Told
	at   time.Time // zero: not before something changes
}

// judge decides what an admin is told now about a trouble, given what they were told before. See Source for gather.
func (t *Trouble) judge(told map[string]Told, now time.Time, gather time.Duration) verdict {
	before := told[t.Cause]
	ready := func(last Told, since time.Time) (time.Time, bool) {
		at := since
		// A message dated later than now was dated by a clock that was ahead: it counts as never sent.
		if !last.At.After(now) && last.At.Add(between).After(at) {
			at = last.At.Add(between)
		}
		return at, !at.After(now)
	}
	switch {
	case t.Write != nil:
		if t.N == 0 {
			return verdict{}
		}
		first := t.First.Add(gather)
		if t.First.After(now) { // dated by such a clock, too
			first = now
		}
		if at, yes := ready(before, first); !yes {
			return verdict{at: at}
		}
		return verdict{say: &t.Message, keep: map[string]Told{t.Cause: {At: now, About: countedTo(t.Last, now)}}}
	case len(t.Of) == 0 && len(before.About) == 0:
		return verdict{}
	case len(t.Of) == 0 && t.Over.ID == "":
		return verdict{keep: map[string]Told{t.Cause: {At: before.At}}}
	case len(t.Of) == 0:
		if at, yes := ready(told[over(t.Cause)], time.Time{}); !yes {
			return verdict{at: at}
		}
		return verdict{say: &t.Over, keep: map[string]Told{t.Cause: {At: before.At}, over(t.Cause): {At: now}}}
	case !slices.ContainsFunc(t.Of, func(of string) bool { return !slices.Contains(before.About, of) }):
		// They know all of it.
		if len(t.Of) == len(before.About) {
			return verdict{}
		}
		return verdict{keep: map[string]Told{t.Cause: {At: before.At, About: t.Of}}}
	}
	if at, yes := ready(before, time.Time{}); !yes {
		return verdict{at: at}
	}
	return verdict{say: &t.Message, keep: map[string]Told{t.Cause: {At: now, About: t.Of}}}
}

// Source is what a Board needs from the rest of the program.
type Source struct {
	Now    func() time.Time
	Admins func(ctx context.Context) ([]int64, error)
	// Told returns what an admin was told, by cause; Keep records it.
	Told func(ctx context.Context, admin int64) (map[string]Told, error)
	Keep func(ctx context.Context, admin int64, told map[string]Told) error
	// Look returns the current state of all causes for an admin, each cause once.
	Look func(ctx context.Context, admin int64, told map[string]Told) ([]Trouble, error)
	// Tell sends a message. It returns later > 0 if the message was not sent and may be once that time has passed,
	// and an error if the message was refused or the call was cut. With neither the message has been sent.
	Tell func(ctx context.Context, admin int64, m Message) (later time.Duration, err error)
	Log  *slog.Logger
	// Gather is how long the first failure of a digest waits for more, so that one message tells of all.
	Gather time.Duration
}

// Board tells admins of troubles.
type Board struct {
	Source
	mu       sync.Mutex
	reported map[string]error
	changed  chan struct{}
	unkept   map[int64]map[string]Told // what was sent and could not be recorded yet; only Run uses it
}

// NewBoard returns a Board. It tells nothing until Run is called.
func NewBoard(s Source) *Board {
	return &Board{Source: s, reported: map[string]error{}, changed: make(chan struct{}, 1),
		unkept: map[int64]map[string]Told{}}
}

// Report sets the state of a trouble that cannot be looked up, such as a failed backup; a nil problem ends it.
func (b *Board) Report(cause string, problem error) {
	b.mu.Lock()
	b.reported[cause] = problem
	b.mu.Unlock()
	b.Change()
}

// Reported returns the problem that was reported last.
func (b *Board) Reported(cause string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reported[cause]
}

// Change makes Run look soon. It never waits.
func (b *Board) Change() { worker.Nudge(b.changed) }

// Run tells admins until ctx ends: after each Change, and when an hour has passed. It writes nothing while all is
// well.
func (b *Board) Run(ctx context.Context) {
	for ctx.Err() == nil {
		again := every
		at, err := b.look(ctx)
		if err != nil && ctx.Err() == nil {
			b.Log.Error("look for troubles", "err", err)
		}
		if !at.IsZero() {
			again = min(again, max(rest, at.Sub(b.Now())))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(again):
		case <-b.changed:
			select {
			case <-ctx.Done():
				return
			case <-time.After(rest):
			}
		}
	}
}

// look tells every admin what is due. It returns when something else will be, if that is known.
func (b *Board) look(ctx context.Context) (next time.Time, err error) {
	admins, err := b.Admins(ctx)
	if err != nil {
		return next, err
	}
	for _, admin := range admins {
		if ctx.Err() != nil {
			break
		}
		failed := routine.Call(func() error {
			at, err := b.lookFor(ctx, admin)
			next = sooner(next, at)
			return err
		})
		err = errors.Join(err, failed)
	}
	return next, err
}

// sooner returns the earlier of two times; a zero time is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// lookFor tells one admin what is due.
func (b *Board) lookFor(ctx context.Context, admin int64) (next time.Time, err error) {
	if err := b.keep(ctx, admin, nil); err != nil { // what an earlier look could not record
		b.Log.Warn("record what an admin was told", "err", err)
	}
	now := b.Now()
	told, err := b.Told(ctx, admin)
	if err != nil {
		return next, err
	}
	if told == nil {
		told = map[string]Told{}
	}
	maps.Copy(told, b.unkept[admin])
	troubles, err := b.Look(ctx, admin, told)
	if err != nil {
		return next, err
	}
	for i := range troubles {
		t := &troubles[i]
		v := t.judge(told, now, b.Gather)
		next = sooner(next, v.at)
		if v.say != nil {
			if ctx.Err() != nil {
				return next, err
			}
			later, failed := b.send(ctx, admin, t, v.say)
			if err = errors.Join(err, failed); failed != nil {
				continue
			}
			if later > 0 {
				next = sooner(next, now.Add(later))
				continue
			}
		}
		if v.keep != nil {
			err = errors.Join(err, b.keep(ctx, admin, v.keep))
		}
	}
	return next, err
}

// send sends a message about a trouble. It returns no error if the message was sent, or refused for a reason that
// another try would meet again: either is to be recorded.
func (b *Board) send(ctx context.Context, admin int64, t *Trouble, m *Message) (later time.Duration, err error) {
	if t.Write != nil {
		if *m, err = t.Write(ctx); err != nil {
			return 0, err
		}
	}
	later, err = b.Tell(ctx, admin, *m)
	switch {
	case later > 0 || err == nil:
		return later, nil
	case ctx.Err() != nil: // the stop has cut it: the next start sends it
		return 0, err
	}
	b.Log.Warn("tell an admin", "cause", t.Cause, "err", err)
	return 0, nil
}

// keep records what an admin was told, with all of that which could not be recorded earlier. It also does so while
// the program stops: what is not recorded is sent again at the next start.
func (b *Board) keep(ctx context.Context, admin int64, told map[string]Told) error {
	all := maps.Clone(b.unkept[admin])
	if all == nil {
		all = map[string]Told{}
	}
	if maps.Copy(all, told); len(all) == 0 {
		return nil
	}
	if err := b.Keep(context.WithoutCancel(ctx), admin, all); err != nil {
		b.unkept[admin] = all
		return fmt.Errorf("record what an admin was told: %w", err)
	}
	delete(b.unkept, admin)
	return nil
}
