// The line in which messages wait for their turn: whose is next, and that nobody waits for ever.

package telegram

import (
	"context"
	"math"
	"slices"
	"time"
)

// lane is a part of the line. In each, the first to come is the first to go.
type lane int

const (
	answers    lane = iota
	notices         // apologies, confirmations: few, and a press follows
	videos          // long and many
	courtesies      // only what turns the others leave
	bulk            // only what all of them leave
	lanes
)

// line is the messages whose turn has not come, and those on their way.
type line struct {
	lines        [lanes][]*waiter
	away         int         // messages on their way; uploads don't count: one takes its turn once, and others pass it
	alarm        *time.Timer // looks at the line again
	credit       int         // how many answers may go before what is pending: two for each turn that it had
	videosPassed int         // how many others of what is pending went since a video: after two it is a video's turn
}

// mostCredit bounds the credit at four seconds of turns. Without it, answers that come at just the pace of their share
// would stay as late as one stall has made them; with it they catch up with a stall of two seconds.
const mostCredit = 100

// waiter is a message in the line.
type waiter struct {
	call  Call
	comes chan error // told once: nil when its turn has come
}

// laneOf returns where a message waits. The lock must be held.
func (g *Gate) laneOf(c Call) lane {
	switch {
	case c.Priority == Bulk:
		return bulk
	case c.Priority == Courtesy, c.Chat < 0 && c.Priority == Answer: // groups are answered as a courtesy
		return courtesies
	case c.Priority == Pending && c.creates() && (c.Upload || c.FileID):
		return videos
	case c.Priority == Pending:
		return notices
	}
	// People who write and write would never get their video, because the answers take all that their chat takes:
	// these go behind it.
	if l := g.chats[c.Chat]; l != nil && l.Tokens() < 2 {
		for _, behind := range []lane{videos, notices} {
			if slices.ContainsFunc(g.lines[behind], func(w *waiter) bool { return w.call.Chat == c.Chat }) {
				return behind
			}
		}
	}
	return answers
}

// busy reports whether messages wait for a turn. The lock must be held.
func (g *Gate) busy() bool {
	return len(g.lines[answers])+len(g.lines[notices])+len(g.lines[videos]) > 0
}

// turn waits in line for the turn of a message. back must follow if it returns nil.
func (g *Gate) turn(ctx context.Context, c Call) error {
	w := &waiter{c, make(chan error, 1)}
	g.mu.Lock()
	if _, refusal := g.held(c, time.Now()); refusal != nil {
		g.mu.Unlock()
		return refusal
	}
	at := g.laneOf(c)
	g.lines[at] = append(g.lines[at], w)
	g.admit()
	g.mu.Unlock()
	var enough <-chan time.Time
	if at >= courtesies {
		timer := time.NewTimer(courtesyPatience * g.second)
		defer timer.Stop()
		enough = timer.C
	}
	var err *Error
	select {
	case refused := <-w.comes:
		return refused
	case <-ctx.Done():
		err = stopped(ctx, ctx.Err())
	case <-enough:
		err = failed(Dropped, 0, "there was no free turn")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	waiting := len(g.lines[at])
	g.lines[at] = slices.DeleteFunc(g.lines[at], func(other *waiter) bool { return other == w })
	if len(g.lines[at]) == waiting && <-w.comes == nil { // its turn came at the same time
		g.leave(c)
	}
	return err
}

// back ends what turn began.
func (g *Gate) back(c Call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leave(c)
}

func (g *Gate) leave(c Call) {
	if !c.Upload {
		g.away--
	}
	g.admit()
}

// sendAway ends the wait of those whose pause has become long: they are told to come back later. The lock must be held.
func (g *Gate) sendAway(now time.Time) {
	for at := range g.lines {
		g.lines[at] = slices.DeleteFunc(g.lines[at], func(w *waiter) bool {
			_, refusal := g.held(w.call, now)
			if refusal != nil {
				w.comes <- refusal
			}
			return refusal != nil
		})
	}
}

// admit lets those go whose turn has come, as many as Telegram takes. The lock must be held.
func (g *Gate) admit() {
	now := time.Now()
	g.speedUp(now)
	again := time.Duration(math.MaxInt64)
	for {
		if left := untilNext(g.all); left > 0 {
			if g.busy() {
				g.pressed = now
			}
			if g.waiting() {
				again = min(again, left)
			}
			break
		}
		at, i, left := g.next(now)
		if i < 0 {
			again = min(again, left)
			break
		}
		w := g.lines[at][i]
		g.lines[at] = slices.Delete(g.lines[at], i, i+1)
		g.all.Allow()
		g.count(w.call.Chat)
		if !w.call.Upload {
			g.away++
		}
		if at == bulk {
			g.bulk = now.Add(time.Duration(float64(g.second) / g.pace / BulkShare))
		}
		w.comes <- nil
	}
	g.alarm.Reset(again)
}

func (g *Gate) waiting() bool { return g.busy() || len(g.lines[courtesies])+len(g.lines[bulk]) > 0 }

// next returns the place of the message that goes next. If none can go yet, i is -1 and again says when to look again.
// A message whose chat has to wait holds up nobody, and takes its chat's turn only when it goes: messages that wait
// long would otherwise go all at once.
//
// Answers go first, but a third of the turns belongs to what is pending for people, and every third of these to videos:
// so each gets its share however many of the others there are.
func (g *Gate) next(now time.Time) (at lane, i int, again time.Duration) {
	var first [lanes]int
	again = math.MaxInt64
	for at := range first {
		first[at] = slices.IndexFunc(g.lines[at], func(w *waiter) bool {
			if g.away >= most && !w.call.Upload {
				return false // the next to come back looks again
			}
			left, _ := g.held(w.call, now)
			left = max(left, g.untilChat(w.call.Chat))
			if lane(at) == bulk {
				left = max(left, g.untilBulk(now))
			}
			if left > 0 {
				again = min(again, left)
			}
			return left <= 0
		})
	}
	pending := notices
	if first[notices] < 0 || first[videos] >= 0 && g.videosPassed >= 2 {
		pending = videos
	}
	switch {
	case first[answers] >= 0 && (first[pending] < 0 || g.credit > 0):
		g.credit = max(0, g.credit-1)
		return answers, first[answers], 0
	case first[pending] < 0 && first[courtesies] >= 0:
		return courtesies, first[courtesies], again
	case first[pending] < 0:
		return bulk, first[bulk], again
	}
	g.credit = min(g.credit+2, mostCredit)
	switch {
	case pending == videos:
		g.videosPassed = 0
	case first[videos] >= 0:
		g.videosPassed++
	}
	return pending, first[pending], 0
}
