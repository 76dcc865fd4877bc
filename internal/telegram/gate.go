// Package telegram holds what the Bot API client library lacks: one pace for all calls, one clock that a 429 stops,
// errors that say what to do about them, polling that loses nothing, and logs without the token. It stores nothing.
package telegram

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Telegram's limits, kept with some room: about 30 messages a second in all, one a second in a chat.
const (
	perSecond = 25
	chatBurst = 3
	// What was held up on its way arrives at once, and what has its turn by then follows: together these must be fewer than
	// Telegram takes at once.
	burst = 10
	most  = 15 // messages on their way
)

// Rank says whose message goes first when there are more of them than Telegram takes.
type Rank int

const (
	Answer   Rank = iota // to somebody who has just written or pressed, and looks at the screen
	Owed                 // a video, an apology: it comes, sooner or later
	Courtesy             // what nobody misses
	ranks
)

const (
	// patience is how long a call waits for the clock before it is told to come back later instead.
	patience  = 2 * time.Second
	firstRest = time.Second      // after the first unreachable call
	longRest  = 30 * time.Second // between calls while Telegram stays unreachable
)

// Gate paces every call to the Bot API. All methods are safe for use by several goroutines.
type Gate struct {
	second time.Duration
	all    *rate.Limiter

	mu    sync.Mutex
	chats map[int64]*rate.Limiter
	away  int              // messages on their way
	lines [ranks][]*waiter // messages whose turn has not come, by rank, in the order of their arrival
	alarm *time.Timer      // looks at the lines again
	quiet time.Time        // a 429: nobody calls before
	down  time.Time        // Telegram was unreachable: nobody calls before, unless somebody reaches it
	rest  time.Duration    // the last pause made because Telegram was unreachable
	woken chan struct{}    // closed when Telegram is reached again
}

// waiter is a message in a line.
type waiter struct {
	chat  int64
	comes chan struct{} // closed when its turn has come
}

// NewGate returns an open gate. second is how long a second of Telegram's limits takes: a second, but for whoever lets an
// hour pass in minutes.
func NewGate(second time.Duration) *Gate {
	g := &Gate{second: second, all: rate.NewLimiter(rate.Every(second/perSecond), burst), chats: map[int64]*rate.Limiter{},
		woken: make(chan struct{})}
	g.alarm = time.AfterFunc(math.MaxInt64, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.call()
	})
	return g
}

// Do makes one call when its turn has come. chat is where a message goes; 0 for calls that are no messages, which Telegram
// does not count: they wait for the clock only. The error is nil or an *Error.
func (g *Gate) Do(ctx context.Context, rank Rank, chat int64, call func(context.Context) error) error {
	if chat != 0 {
		if err := g.turn(ctx, rank, chat); err != nil {
			return err
		}
		defer g.back()
	}
	if err := g.wait(ctx); err != nil { // last: the clock may have stopped meanwhile
		return err
	}
	if err := classify(ctx, call(ctx)); err != nil {
		g.learn(err)
		return err
	}
	g.Up()
	return nil
}

// turn waits in line for the turn of a message.
func (g *Gate) turn(ctx context.Context, rank Rank, chat int64) error {
	g.mu.Lock()
	w := &waiter{chat, make(chan struct{})}
	if rank == Answer && g.chat(chat).Tokens() < 2 && slices.ContainsFunc(g.lines[Owed], func(o *waiter) bool { return o.chat == chat }) {
		rank = Owed // who writes and writes would never get the video, and the worker with it would wait as long
	}
	g.lines[rank] = append(g.lines[rank], w)
	g.call()
	g.mu.Unlock()
	select {
	case <-w.comes:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	waiting := len(g.lines[rank])
	g.lines[rank] = slices.DeleteFunc(g.lines[rank], func(other *waiter) bool { return other == w })
	if len(g.lines[rank]) == waiting { // its turn came at the same time
		g.away--
		g.call()
	}
	return stopped(ctx, ctx.Err())
}

// back ends what turn began.
func (g *Gate) back() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.away--
	g.call()
}

// call lets those go whose turn has come: as many as Telegram takes, the lowest rank first, then who came first. One whose
// chat has to wait holds up nobody, and takes its chat's turn only when it goes: those who wait long would otherwise go
// all at once. The lock must be held.
func (g *Gate) call() {
	again := time.Duration(math.MaxInt64)
	for rank := range g.lines {
		g.lines[rank] = slices.DeleteFunc(g.lines[rank], func(w *waiter) bool {
			if g.away == most {
				return false // whoever comes back looks again
			}
			chat := g.chat(w.chat)
			if left := max(untilNext(g.all), untilNext(chat)); left > 0 {
				again = min(again, left)
				return false
			}
			g.all.Allow()
			chat.Allow()
			g.away++
			close(w.comes)
			return true
		})
	}
	g.alarm.Reset(again)
}

// untilNext returns how long it takes until a limiter lets another one through.
func untilNext(l *rate.Limiter) time.Duration {
	missing := 1 - l.Tokens()
	if missing <= 0 {
		return 0
	}
	return time.Duration(math.Ceil(missing / float64(l.Limit()) * float64(time.Second)))
}

// Spare reports whether a call that nobody misses, to a chat, would go out at once and hold up nobody.
func (g *Gate) Spare(chat int64) bool {
	if g.closed() > 0 || g.all.Tokens() <= burst/2 {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.chat(chat).Tokens() >= chatBurst-1
}

// closed returns for how long nobody may call.
func (g *Gate) closed() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(time.Until(g.quiet), time.Until(g.down))
}

// wait waits for the clock, if that is soon.
func (g *Gate) wait(ctx context.Context) error {
	for {
		g.mu.Lock()
		woken := g.woken
		g.mu.Unlock()
		left := g.closed()
		switch {
		case left <= 0:
			return nil
		case left > patience:
			return &Error{Class: Wait, after: left, text: "telegram asked to wait, or cannot be reached"}
		}
		select {
		case <-ctx.Done():
			return stopped(ctx, ctx.Err())
		case <-woken:
		case <-time.After(left):
		}
	}
}

// learn moves the clock by what a call met.
func (g *Gate) learn(err *Error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch err.Class {
	case Wait:
		err.after = time.Duration(float64(err.after) * g.second.Seconds())
		if until := time.Now().Add(err.after); until.After(g.quiet) {
			g.quiet = until
		}
	case Down:
		if !time.Now().Before(g.down) { // calls that failed together count once
			g.rest = min(max(2*g.rest, firstRest), longRest)
			g.down = time.Now().Add(g.rest)
		}
		err.after = time.Until(g.down)
	}
}

// Up says that somebody has just reached Telegram.
func (g *Gate) Up() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.rest > 0 {
		g.rest, g.down = 0, time.Time{}
		close(g.woken)
		g.woken = make(chan struct{})
	}
}

// chat returns the limiter of a chat. The lock must be held.
func (g *Gate) chat(id int64) *rate.Limiter {
	l := g.chats[id]
	if l == nil {
		if len(g.chats) > 10_000 {
			for id, l := range g.chats {
				if l.Tokens() >= chatBurst { // idle: a new one is no different
					delete(g.chats, id)
				}
			}
		}
		l = rate.NewLimiter(rate.Every(g.second), chatBurst)
		g.chats[id] = l
	}
	return l
}

// Patiently repeats a call for as long as its error asks to wait.
func Patiently(ctx context.Context, call func() error) error {
	for {
		err := call()
		var e *Error
		if !errors.As(err, &e) {
			return err
		}
		wait, waits := e.RetryAfter()
		if !waits {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}
