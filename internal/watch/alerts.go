// alerts.go is of which troubles an admin is told, and when: of a cause once an hour at most.

package watch

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// The causes of trouble.
const (
	Outage      = "outage"
	Disk        = "disk"
	Channel     = "channel"
	Backup      = "backup"
	Failed      = "failed"      // videos that were given up
	Unpublished = "unpublished" // publications that were
)

const (
	// between is the shortest time between two messages of one cause.
	between = time.Hour
	// rest is between two looks, every the longest time to the next.
	rest, every = time.Second, time.Minute
)

// Trouble is a cause as it stands. It has a Message to tell, which counts only while something is wrong.
type Trouble struct {
	Cause string
	Of    []string // what is wrong, a word for each; none: nothing (any more)
	Over  Message  // that it is over; zero: nobody is told
	Message

	// Of a digest these count instead: what happened since the last message. Write is called for that which is sent.
	Write func(ctx context.Context) (Message, error)
	N     int
	First time.Time // of those
}

// Message is what an admin reads.
type Message struct {
	ID      string // of the text; "": there is none
	Vars    map[string]any
	Buttons []Button
}

// Button is a button below it.
type Button struct {
	ID   string // of its text
	Vars map[string]any
	Data string // what a press brings: "kind" or "kind:argument"
}

// Told is what an admin was told last of a cause, and which troubles of it they know.
type Told struct {
	At    time.Time
	About []string
}

// over is the cause under which it is kept that an end was told.
func over(cause string) string { return cause + " over" }

// verdict is what follows for one admin: a message, what is kept when it is sent, and when to look again for it.
type verdict struct {
	say  *Message
	keep map[string]Told
	at   time.Time // zero: when something changes
}

// judge decides what an admin, who was told that much, is told of a trouble now. gather: see Source.
func (t *Trouble) judge(told map[string]Told, now time.Time, gather time.Duration) verdict {
	before := told[t.Cause]
	ready := func(last Told, since time.Time) (time.Time, bool) {
		at := since
		if !last.At.After(now) && last.At.Add(between).After(at) { // after it: the clock was set back since
			at = last.At.Add(between)
		}
		return at, !at.After(now)
	}
	switch {
	case t.Write != nil:
		if t.N == 0 {
			return verdict{}
		}
		if at, yes := ready(before, t.First.Add(gather)); !yes {
			return verdict{at: at}
		}
		return verdict{say: &t.Message, keep: map[string]Told{t.Cause: {At: now}}}
	case len(t.Of) == 0 && len(before.About) == 0:
		return verdict{}
	case len(t.Of) == 0 && t.Over.ID == "":
		return verdict{keep: map[string]Told{t.Cause: {At: before.At}}}
	case len(t.Of) == 0:
		if at, yes := ready(told[over(t.Cause)], time.Time{}); !yes {
			return verdict{at: at}
		}
		return verdict{say: &t.Over, keep: map[string]Told{t.Cause: {At: before.At}, over(t.Cause): {At: now}}}
	case !slices.ContainsFunc(t.Of, func(of string) bool { return !slices.Contains(before.About, of) }): // they know
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

// Source is what a Board asks.
type Source struct {
	Now    func() time.Time
	Admins func(ctx context.Context) ([]int64, error)
	// Told returns what an admin was told, by cause; Keep records it.
	Told func(ctx context.Context, admin int64) (map[string]Told, error)
	Keep func(ctx context.Context, admin int64, told map[string]Told) error
	// Look returns the causes as they stand for an admin, each once.
	Look func(ctx context.Context, admin int64, told map[string]Told) ([]Trouble, error)
	// Tell sends a message. later: it did not go now, and may when the time has passed.
	Tell func(ctx context.Context, admin int64, m Message) (later time.Duration, err error)
	Log  *slog.Logger
	// Gather is how long what was given up waits for more of it, so that one message tells of all.
	Gather time.Duration
}

// Board is what admins are told from.
type Board struct {
	Source
	mu       sync.Mutex
	reported map[string]error
	changed  chan struct{}
}

// NewBoard returns a Board; Run has it tell.
func NewBoard(s Source) *Board {
	return &Board{Source: s, reported: map[string]error{}, changed: make(chan struct{}, 1)}
}

// Report tells of a trouble that nobody can look up, such as a backup that failed, and with nil that it is over.
func (b *Board) Report(cause string, problem error) {
	b.mu.Lock()
	b.reported[cause] = problem
	b.mu.Unlock()
	b.Change()
}

// Reported returns what was reported last.
func (b *Board) Reported(cause string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reported[cause]
}

// Change says that something may have changed. It never waits.
func (b *Board) Change() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// Run tells admins until ctx ends: after changes, and when an hour is over. It writes nothing while all is well.
func (b *Board) Run(ctx context.Context) {
	for ctx.Err() == nil {
		again := every
		at, err := b.look(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			b.Log.Error("look for troubles", "err", err)
		case !at.IsZero():
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

// look tells every admin what is due. It returns when something else is.
func (b *Board) look(ctx context.Context) (next time.Time, err error) {
	soon := func(at time.Time) {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	admins, err := b.Admins(ctx)
	if err != nil {
		return next, err
	}
	for _, admin := range admins {
		now := b.Now()
		told, err := b.Told(ctx, admin)
		if err != nil {
			return next, err
		}
		troubles, err := b.Look(ctx, admin, told)
		if err != nil {
			return next, err
		}
		for i := range troubles {
			t := &troubles[i]
			v := t.judge(told, now, b.Gather)
			soon(v.at)
			if v.say != nil {
				if t.Write != nil {
					if t.Message, err = t.Write(ctx); err != nil {
						return next, err
					}
				}
				later, err := b.Tell(ctx, admin, *v.say)
				if later > 0 || ctx.Err() != nil {
					soon(now.Add(later))
					continue
				}
				if err != nil { // again would help nobody
					b.Log.Warn("tell an admin", "cause", t.Cause, "err", err)
				}
			}
			if v.keep == nil {
				continue
			}
			if err := b.Keep(context.WithoutCancel(ctx), admin, v.keep); err != nil {
				return next, err
			}
		}
	}
	return next, nil
}
