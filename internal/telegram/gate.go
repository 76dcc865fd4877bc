// Package telegram holds what the Bot API client library lacks: one pace for all calls, pauses that hold only what
// they must, errors that say what to do about them, polling that loses nothing, and logs without the token. It stores
// nothing.
package telegram

import (
	"context"
	"log/slog"
	"math"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Telegram's limits, kept with some room: about 30 messages a second in all, one a second in a chat, 20 a minute in a
// group. Telegram publishes no exact ones.
const (
	defaultPerSecond = 25
	mostPerSecond    = 30
	chatBurst        = 3
	// Messages delayed on their way arrive at once, and those with their turn by then follow: together these must be
	// fewer than Telegram takes at once. The burst is 10 at the default pace.
	burstOf = 0.4 // s of the pace
	most    = 15  // messages on their way
)

// Priority says whose message goes first when there are more of them than Telegram takes.
type Priority int

const (
	Answer   Priority = iota // to somebody who has just written or pressed, and looks at the screen
	Pending                  // a video, an apology: somebody waits for it, but not at the screen
	Courtesy                 // what nobody misses
	Bulk                     // to many people, and nobody waits for it: it takes what all others leave
)

// Call describes a call of the Bot API.
type Call struct {
	Method   string
	Chat     int64 // where a message or an edit goes; 0 for calls that Telegram does not count
	Priority Priority
	Upload   bool // the bytes of a file are in it
	FileID   bool // it names a file that Telegram has
	Alarm    bool // it goes out even when another program polls: it tells an owner so
}

// edits reports whether the call changes the content of a message.
func (c Call) edits() bool { return strings.HasPrefix(c.Method, "edit") }

// creates reports whether the call makes a message, so that repeating it makes another one.
func (c Call) creates() bool { return c.Chat != 0 && strings.HasPrefix(c.Method, "send") }

// lapses reports whether a refusal of the call means that there is nothing left to do: the button, the query or the
// message is gone, in whatever words.
func (c Call) lapses() bool {
	return c.Method == "answerCallbackQuery" ||
		c.Method == "editMessageReplyMarkup" && c.Chat > 0 || // below 0 it is a post, and somebody asks whether it is there
		c.Method == "deleteMessage" && c.Chat == 0 // with a chat it is a post, and an admin wants it gone
}

const (
	// patience is how long a call waits for a pause to end before it is told to come back later instead.
	patience = 2 * time.Second
	// courtesyPatience is how long a courtesy, or a message in bulk, waits for a free turn, in seconds of Telegram's
	// limits.
	courtesyPatience = 3
	// BulkShare is the part of the pace that messages in bulk may take: a half is kept free for those who write.
	BulkShare = 0.5
	// several chats that are told 429 within a few seconds mean the limit of all calls, and not their own.
	several    = 3
	fewSeconds = 5
)

// Gate paces every call to the Bot API. All methods are safe for use by several goroutines.
type Gate struct {
	second time.Duration
	log    *slog.Logger
	set    float64 // messages a second, by the settings

	mu      sync.Mutex
	all     *rate.Limiter
	pace    float64 // messages a second now
	slowed  time.Time
	pressed time.Time               // when a message last had to wait for the others
	chats   map[int64]*rate.Limiter // of those that sent lately; one that is not here is idle
	sweepAt int                     // number of chats at which the idle ones are looked for
	bulk    time.Time               // not before then the next message in bulk
	line
	pauses
}

// Option changes a Gate.
type Option func(*Gate)

// PerSecond sets the highest pace, in messages a second: 1 to 30.
func PerSecond(n int) Option {
	return func(g *Gate) { g.set = float64(min(max(n, 1), mostPerSecond)) }
}

// LogTo sets where long pauses and slower paces are logged; without it, slog's default.
func LogTo(log *slog.Logger) Option { return func(g *Gate) { g.log = log } }

// NewGate returns an open gate. second is how long a second of Telegram's limits takes: a second, except for those who
// let an hour pass in minutes.
func NewGate(second time.Duration, options ...Option) *Gate {
	g := &Gate{second: second, log: slog.Default(), set: defaultPerSecond, chats: map[int64]*rate.Limiter{},
		sweepAt: 10_000}
	for _, o := range options {
		o(g)
	}
	g.pace = g.set
	g.all = rate.NewLimiter(g.limit(), g.burst())
	g.pauses = newPauses()
	g.alarm = time.AfterFunc(math.MaxInt64, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.admit()
	})
	return g
}

func (g *Gate) limit() rate.Limit { return rate.Every(time.Duration(float64(g.second) / g.pace)) }
func (g *Gate) burst() int        { return max(1, int(g.pace*burstOf)) }

// Do makes one call when its turn has come. The error is nil or an *Error.
func (g *Gate) Do(ctx context.Context, c Call, call func(context.Context) error) error {
	pass := g.wait
	if c.Chat != 0 {
		pass = g.turn
	}
	if err := pass(ctx, c); err != nil {
		return err
	}
	if c.Chat != 0 {
		defer g.back(c)
	}
	began := time.Now()
	problem := call(ctx)
	err := classify(ctx, c, problem)
	if problem != nil && err == nil {
		g.log.Debug("telegram refused what has lapsed", "method", c.Method, "err", problem)
	}
	g.learn(c, began, err)
	if err != nil {
		return err
	}
	return nil
}

// wait waits until a call that is no message may be made, if that is soon.
func (g *Gate) wait(ctx context.Context, c Call) error {
	for {
		g.mu.Lock()
		reached := g.reached
		left, refusal := g.held(c, time.Now())
		g.mu.Unlock()
		switch {
		case left <= 0:
			return nil
		case refusal != nil:
			return refusal
		}
		select {
		case <-ctx.Done():
			return stopped(ctx, ctx.Err())
		case <-reached:
		case <-time.After(left):
		}
	}
}

// Spare reports whether an edit that nobody misses, in a chat, would go out at once and hold up nobody. While more
// waits than goes, the line is empty now and then, until the messages that left it are recorded and the next ones come:
// that is no room.
func (g *Gate) Spare(chat int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	left, _ := g.held(Call{Method: "editMessageText", Chat: chat, Priority: Courtesy}, now)
	if left > 0 || g.busy() || now.Sub(g.pressed) < g.second || g.all.Tokens() <= float64(g.burst())/2 {
		return false
	}
	l := g.chats[chat]
	return l == nil || l.Tokens() >= chatBurst-1
}

// Pace returns how many messages a second go out at most, now and by the settings. The two differ after Telegram told
// several chats 429 at a time.
func (g *Gate) Pace() (now, set float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.speedUp(time.Now())
	return g.pace, g.set
}

// slowDown halves the pace. The lock must be held.
func (g *Gate) slowDown(now time.Time) {
	g.pace, g.slowed = max(1, g.pace/2), now
	g.repace(now)
}

// speedUp gives back one message a second for each minute since the pace was halved. The lock must be held.
func (g *Gate) speedUp(now time.Time) {
	minutes := math.Floor(now.Sub(g.slowed).Seconds() / (60 * g.second).Seconds())
	if g.pace == g.set || minutes < 1 {
		return
	}
	g.pace = min(g.set, g.pace+minutes)
	g.slowed = g.slowed.Add(time.Duration(minutes) * 60 * g.second)
	g.repace(now)
}

func (g *Gate) repace(now time.Time) {
	g.all.SetLimitAt(now, g.limit())
	g.all.SetBurstAt(now, g.burst())
}

// untilNext returns how long it takes until a limiter lets another one through.
func untilNext(l *rate.Limiter) time.Duration {
	missing := 1 - l.Tokens()
	if missing <= 0 {
		return 0
	}
	return time.Duration(math.Ceil(missing / float64(l.Limit()) * float64(time.Second)))
}

// untilBulk returns how long it takes until a message in bulk may go: nothing has had to wait for a while, and there is
// room for a whole burst. The lock must be held.
func (g *Gate) untilBulk(now time.Time) time.Duration {
	missing := float64(g.burst()) - g.all.TokensAt(now) - 1e-6 // the limiter adds up fractions
	full := time.Duration(math.Ceil(missing / float64(g.all.Limit()) * float64(time.Second)))
	return max(full, g.bulk.Sub(now), g.pressed.Add(g.second).Sub(now))
}

// untilChat returns how long it takes until a chat takes another message. The lock must be held.
func (g *Gate) untilChat(id int64) time.Duration {
	if l := g.chats[id]; l != nil {
		return untilNext(l)
	}
	return 0
}

// count counts a message of a chat. The lock must be held.
func (g *Gate) count(id int64) {
	l := g.chats[id]
	if l == nil {
		if len(g.chats) >= g.sweepAt {
			g.sweep()
		}
		each := g.second
		if id < 0 {
			each *= 3 // a group
		}
		l = rate.NewLimiter(rate.Every(each), chatBurst)
		g.chats[id] = l
	}
	l.Allow()
}

// sweep forgets the chats that are idle, for whom a new limiter is no different. The next time is far enough that the
// cost per chat stays the same, however many there are. The lock must be held.
func (g *Gate) sweep() {
	for id, l := range g.chats {
		if l.Tokens() >= chatBurst {
			delete(g.chats, id)
		}
	}
	g.sweepAt = max(10_000, 2*len(g.chats))
}
