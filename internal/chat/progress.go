// The progress messages: how far a request is, edited in place.

package chat

import (
	"context"
	"errors"
	"maps"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"retake.example/internal/lang"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/worker"
)

// In seconds of Telegram's.
const (
	ProgressRest = 3   // between two edits of one message
	longestStill = 120 // in which a message that somebody looks at stays the same
	betweenLooks = 0.3 // at all messages
)

// outlooker knows how far each asset is.
type outlooker interface {
	viewer
	worker.Forecast
}

// shown is what a progress message says, since when.
type shown struct {
	telegram.Shown
	text  string
	at    time.Time
	moved bool // the message to edit was gone, so another one took its place: once
}

func (c *Chat) seconds(n float64) time.Duration { return time.Duration(n * float64(c.Second)) }

// ShowProgress edits the progress messages until ctx ends: a new state at once, percents and places every ProgressRest
// seconds at the most.
func (c *Chat) ShowProgress(ctx context.Context, q outlooker) {
	states, percents := make(chan struct{}, 1), make(chan struct{}, 1)
	defer q.View(func(_ string, percent int) {
		if percent > 0 {
			worker.Nudge(percents)
		} else {
			worker.Nudge(states)
		}
	})()
	seen := map[int64]shown{}
	alarm := time.NewTimer(math.MaxInt64)
	defer alarm.Stop()
	var next, rested time.Time // when to look, if nothing changes; zero: never. And not before
	for {
		now := time.Now()
		at := next
		select {
		case <-ctx.Done():
			return
		case <-states:
			at = now
		case <-percents:
			at = earlier(next, now.Add(c.seconds(ProgressRest)))
		case <-alarm.C:
		}
		if now = time.Now(); !at.IsZero() && rested.After(at) {
			at = rested
		}
		if next = at; next.IsZero() || next.After(now) {
			if !next.IsZero() {
				alarm.Reset(next.Sub(now))
			}
			continue
		}
		var err error
		if next, err = c.editProgress(ctx, q, seen); err != nil && ctx.Err() == nil {
			c.Log.Warn("show progress", "err", err)
			next = now.Add(c.seconds(ProgressRest))
		}
		// A look at thousands of messages takes its time: it may take a tenth of all.
		rested = time.Now().Add(max(c.seconds(betweenLooks), 9*time.Since(now)))
		if !next.IsZero() {
			alarm.Reset(max(next.Sub(now), 0))
		}
	}
}

// earlier returns the earlier of two times, of which a may be zero: none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// editProgress edits the messages whose difference matters, and returns when to look again; zero: when something
// changes.
func (c *Chat) editProgress(ctx context.Context, q outlooker, seen map[int64]shown) (next time.Time, err error) {
	now := time.Now()
	busy := now.Add(c.seconds(1))
	if !c.Talk.Gate.Spare(0) { // nobody looks at thousands for nothing
		return busy, nil
	}
	watchers, err := c.Store.Watchers(ctx)
	if err != nil {
		return next, err
	}
	outlooks, err := q.Outlooks(ctx)
	if err != nil {
		return next, err
	}
	live := map[int64]bool{}
	for _, w := range watchers {
		live[w.Request] = true
		old, known := seen[w.Request]
		fresh := c.describe(w, c.withTurn(ctx, w.Chat, outlooks[w.AssetID]))
		fresh.moved = old.moved
		still := old.at.Add(c.seconds(longestStill))
		switch rest := old.at.Add(c.seconds(ProgressRest)); {
		case !known:
		case old.Matters(fresh.Shown) && now.Before(rest):
			next = earlier(next, rest)
			continue
		case !old.Matters(fresh.Shown) && now.Before(still):
			next = earlier(next, still)
			continue
		}
		if fresh.text == old.text {
			fresh.text = turned.Replace(fresh.text)
		}
		if !c.Talk.Gate.Spare(w.Chat) {
			next = earlier(next, busy)
			continue
		}
		if err := c.edit(ctx, w, &fresh); err != nil {
			if _, waits := retry.After(err); waits {
				return busy, nil
			}
			c.Log.Debug("edit a progress message", "asset", w.AssetID, "err", err)
		}
		seen[w.Request] = fresh
		next = earlier(next, time.Now().Add(c.seconds(longestStill)))
	}
	again, err := c.showStranded(ctx, seen, live)
	if !again.IsZero() {
		next = earlier(next, again)
	}
	maps.DeleteFunc(seen, func(id int64, _ shown) bool { return !live[id] })
	return next, err
}

// turned shows that something moves although nothing else has changed.
var turned = strings.NewReplacer("⏳", "⌛", "⌛", "⏳", "🎬", "🎥", "🎥", "🎬", "📨", "📩", "📩", "📨")

func (c *Chat) describe(w store.Watcher, o worker.Outlook) shown {
	return shown{
		Shown: telegram.Shown{State: string(w.Status), Place: o.Place, Percent: o.Percent, Held: o.Held},
		text:  lang.Say(w.Lang, "request_created", nil) + "\n\n" + progressLine(w.Lang, w.Status, o),
		at:    time.Now(),
	}
}

// edit says a new state in a progress message, or in another one if that is gone. It does nothing if the request was
// cancelled or served meanwhile.
func (c *Chat) edit(ctx context.Context, w store.Watcher, s *shown) error {
	defer c.lines.hold(w.Chat)()
	if still, err := c.Store.Awaited(ctx, w.Request); err != nil || !still {
		return err
	}
	talk, k := c.Talk.As(telegram.Courtesy), CancelKeyboard(w.Lang, w.AssetID, w.Status)
	if s.moved {
		return talk.Edit(ctx, w.Chat, w.Progress, s.text, k)
	}
	message, err := talk.Replace(ctx, w.Chat, w.Progress, s.text, k)
	if err != nil || message == w.Progress {
		return err
	}
	s.moved = true
	err = c.Store.Tx(ctx, func(tx *store.Tx) error { return tx.MoveProgress(w.Request, w.Progress, message) })
	if errors.Is(err, store.ErrNotFound) { // served meanwhile
		return c.Talk.Delete(ctx, w.Chat, message)
	}
	return err
}

// Withdraw deletes a progress message that has served its purpose, as a courtesy.
func (c *Chat) Withdraw(ctx context.Context, chat int64, message int) {
	defer c.lines.hold(chat)()
	if err := c.Talk.Delete(ctx, chat, message); err != nil {
		c.Log.Debug("delete a progress message", "err", err)
	}
}

// longestToast is how many characters the answer to a press has at most.
const longestToast = 200

// Created is the toast about a new request: that it is there, its place, and the minutes left.
func (c *Chat) Created(ctx context.Context, q worker.Forecast, language string, a store.Asset) string {
	created := lang.Say(language, "request_created", nil)
	line := c.lineOf(ctx, q, 0, language, a)
	if line == "" {
		return created
	}
	if toast := created + "\n" + line; utf8.RuneCountInString(toast) <= longestToast {
		return toast
	}
	return line
}

// Confirmation is what an announcement says: that the request is there, its place, and the minutes left.
func (c *Chat) Confirmation(ctx context.Context, q worker.Forecast, chat int64, language string, a store.Asset) string {
	created := lang.Say(language, "request_created", nil)
	if line := c.lineOf(ctx, q, chat, language, a); line != "" {
		return created + "\n\n" + line
	}
	return created
}

// lineOf is what can be said now about somebody's wait for an asset; "": nothing.
func (c *Chat) lineOf(ctx context.Context, q worker.Forecast, chat int64, language string, a store.Asset) string {
	outlooks, err := c.outlooks.of(ctx, q, c.seconds(1))
	if err != nil {
		return ""
	}
	o, ok := outlooks[a.ID]
	if !ok && a.Status == store.Pending { // newer than what we know: behind all the others
		for _, other := range outlooks {
			o.Place, o.Left, o.Held = max(o.Place, other.Place), max(o.Left, other.Left), o.Held || other.Held
		}
		o.Place++
	}
	return progressLine(language, a.Status, c.withTurn(ctx, chat, o))
}

// withTurn adds to the time that is left how long a message then waits for Telegram's turn.
func (c *Chat) withTurn(ctx context.Context, chat int64, o worker.Outlook) worker.Outlook {
	o.Turn = c.turn(ctx, chat)
	return o
}

// turn is how long a message to a chat that is to be sent now waits for its turn: for pauses, and for what is to be
// sent before it.
func (c *Chat) turn(ctx context.Context, chat int64) time.Duration {
	wait := c.Talk.Gate.Left(chat)
	owed, err := c.outlooks.owed(ctx, c.Store, c.seconds(1))
	if err != nil {
		return wait
	}
	pace, _ := c.Talk.Gate.Pace()
	return wait + time.Duration(float64(owed)/pace*float64(c.Second))
}

// progressLine is what can be said about a request: its place and the minutes left, percents, or what else it waits
// for.
func progressLine(language string, status store.Status, o worker.Outlook) string {
	late := int(math.Ceil(o.Turn.Minutes())) // of which Telegram takes that many
	switch {
	case status == store.Completed && late > 1:
		return lang.Say(language, "progress_sending_minutes", lang.Vars{"Count": late})
	case status == store.Completed:
		return lang.Say(language, "progress_sending", nil)
	case status == store.Processing:
		return lang.Say(language, "progress_percent", lang.Vars{"Percent": o.Percent})
	case o.Held:
		return lang.Say(language, "progress_held", nil)
	case o.Place <= 1 && o.Left+o.Turn < time.Minute:
		return lang.Say(language, "progress_next", nil)
	case o.Left == 0 && late <= 1: // nobody knows yet
		return lang.Say(language, "progress_queue", lang.Vars{"Place": o.Place})
	}
	minutes := max(1, int(math.Ceil((o.Left + o.Turn).Minutes())))
	return lang.Say(language, "progress_place", lang.Vars{"Place": o.Place, "Count": minutes})
}
