// Package telegram holds what the Bot API client library lacks: one pace for all calls, one clock that a 429 stops,
// errors that say what to do about them, polling that loses nothing, and logs without the token. It stores nothing.
package telegram

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Telegram's limits, kept with some room: about 30 messages a second in all, one a second in a chat.
const (
	perSecond = 25
	chatEvery = time.Second
	chatBurst = 3
)

const (
	// patience is how long a call waits for the clock before it is told to come back later instead.
	patience  = 2 * time.Second
	firstRest = time.Second      // after the first unreachable call
	longRest  = 30 * time.Second // between calls while Telegram stays unreachable
)

// Gate paces every call to the Bot API. All methods are safe for use by several goroutines.
type Gate struct {
	all *rate.Limiter

	mu    sync.Mutex
	chats map[int64]*rate.Limiter
	quiet time.Time     // a 429: nobody calls before
	down  time.Time     // Telegram was unreachable: nobody calls before, unless somebody reaches it
	rest  time.Duration // the last pause made because Telegram was unreachable
	woken chan struct{} // closed when Telegram is reached again
}

// NewGate returns an open gate.
func NewGate() *Gate {
	return &Gate{all: rate.NewLimiter(perSecond, perSecond), chats: map[int64]*rate.Limiter{}, woken: make(chan struct{})}
}

// Do makes one call when its turn has come. chat is where a message goes; 0 for calls that are no messages. The error
// is nil or an *Error.
func (g *Gate) Do(ctx context.Context, chat int64, call func(context.Context) error) error {
	if chat != 0 {
		if err := g.chat(chat).Wait(ctx); err != nil {
			return stopped(ctx, err)
		}
	}
	if err := g.all.Wait(ctx); err != nil {
		return stopped(ctx, err)
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

// Spare reports whether a call that nobody misses, to a chat, would go out at once and hold up nobody.
func (g *Gate) Spare(chat int64) bool {
	return g.closed() <= 0 && g.all.Tokens() > perSecond/2 && g.chat(chat).Tokens() >= chatBurst-1
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

func (g *Gate) chat(id int64) *rate.Limiter {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.chats[id]
	if l == nil {
		if len(g.chats) > 10_000 {
			for id, l := range g.chats {
				if l.Tokens() >= chatBurst { // idle: a new one is no different
					delete(g.chats, id)
				}
			}
		}
		l = rate.NewLimiter(rate.Every(chatEvery), chatBurst)
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
