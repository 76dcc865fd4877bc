// Pauses: who may not call for a while, why, and how everybody can see it.

package telegram

import (
	"cmp"
	"errors"
	"maps"
	"math"
	"slices"
	"time"
)

const (
	longestPause = 2 * time.Minute  // after failures of one method in one chat
	longestOfAll = 30 * time.Second // after failures of all calls: the first one through ends it
	shownFrom    = 30               // s of a pause from which on it is logged and shown
	fence        = 60               // s without another poller before we send again
	proof        = 10               // s of polls before we send, after an absence of fence: see unproven
)

// scope is what a pause holds. The zero scope is everything.
type scope struct {
	chat   int64
	method string
}

// edits is the method of a scope that holds the edits of a chat, or of all chats, but no new messages.
const edits = "edit"

// scopeOf returns what a pause holds that comes from the answer to a call. Edits and calls that are no messages must
// not delay what is pending for people.
func scopeOf(c Call) scope {
	switch {
	case c.Chat == 0:
		return scope{method: c.Method}
	case c.edits():
		return scope{c.Chat, edits}
	}
	return scope{chat: c.Chat}
}

// failureOf returns what a pause holds that comes from a failure of a call: that a video does not get through to
// somebody says nothing about a line of text.
func failureOf(c Call) scope {
	if s := scopeOf(c); s.method != "" {
		return s
	}
	return scope{c.Chat, c.Method}
}

// pause is a time in which a scope makes no calls.
type pause struct {
	since, until time.Time
	rest         time.Duration // after a failure: its length; 0 after a 429
	class        Class
	logged       bool
}

// over reports whether the pause is forgotten. One after a failure is remembered for as long again: the next failure
// goes on from there.
func (p *pause) over(now time.Time) bool { return !now.Before(p.until.Add(p.rest)) }

// told is a chat that was told 429.
type told struct {
	at    time.Time
	after time.Duration
}

// pauses is what the answers of Telegram have taught.
type pauses struct {
	paused  map[scope]*pause
	tidyAt  int               // number of pauses at which those that are over are looked for
	failing map[scope]bool    // failed since the last call that was answered
	told    [2]map[int64]told // people's chats recently told 429: for messages, for edits
	tripped [2]time.Time      // when several of them made all wait
	say     []func()          // to be logged without the lock
	reached chan struct{}     // closed when Telegram is reached again
	poll    *Error            // what keeps us from hearing; nil: nothing
	deaf    time.Time         // since when
	rival   time.Time         // when another program last polled
	heard   time.Time         // when a poll was last answered, or an update came before the start; zero: never
	polling time.Time         // since when no poll has failed; zero: none is under way
}

func newPauses() pauses {
	return pauses{paused: map[scope]*pause{}, failing: map[scope]bool{}, told: [2]map[int64]told{{}, {}},
		tidyAt: 1000, reached: make(chan struct{})}
}

// held returns how long a call has to wait for pauses to end. If that is long, refusal says so. The lock must be held.
func (g *Gate) held(c Call, now time.Time) (left time.Duration, refusal error) {
	class := Wait
	scopes := []scope{{}, scopeOf(c), failureOf(c)}
	if c.Chat != 0 && c.edits() {
		scopes = append(scopes, scope{chat: c.Chat}, scope{method: edits})
	}
	for _, s := range scopes {
		if p := g.paused[s]; p != nil && p.until.Sub(now) > left {
			left, class = p.until.Sub(now), p.class
		}
	}
	if c.Chat != 0 && !c.Alarm && g.rivalled(now) {
		class, left = OtherPoller, max(left, fence*g.second-now.Sub(g.rival), patience+1)
	}
	if unproven := g.unproven(now); c.Chat != 0 && !c.Alarm && unproven > left {
		class, left = OtherPoller, unproven
	}
	if left <= patience {
		return left, nil
	}
	e := failed(class, 0, "telegram asked to wait")
	if class != Wait {
		e.text = "telegram is in trouble: " + class.Code()
	}
	e.after = left
	return left, e
}

// Left returns how long the pauses hold a message to a chat; 0: it would go at once, or when its turn comes.
func (g *Gate) Left(chat int64) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	left, _ := g.held(Call{Method: "sendVideo", Chat: chat, Priority: Pending, FileID: true}, time.Now())
	return left
}

// LeftForAll returns how long messages to all chats are held; 0: they are not.
func (g *Gate) LeftForAll() time.Duration {
	return g.Left(math.MinInt64) // nobody's
}

// rivalled reports whether another program polls for this bot: two that send would tell everybody twice.
func (g *Gate) rivalled(now time.Time) bool {
	return !g.rival.IsZero() && (g.poll != nil && g.poll.Class == OtherPoller || now.Sub(g.rival) < fence*g.second)
}

// unproven returns how long messages wait after an absence. Another machine may have taken over meanwhile and have sent
// what is pending here; of two that poll, Telegram tells the older one first, and so us when that one polls again.
func (g *Gate) unproven(now time.Time) time.Duration {
	switch {
	case g.heard.IsZero() || now.Sub(g.heard) < fence*g.second:
		return 0
	case g.polling.IsZero():
		return proof * g.second
	}
	return proof*g.second - now.Sub(g.polling)
}

// learn takes note of the answer to a call that was made at a time. err.after becomes the time to wait.
func (g *Gate) learn(c Call, began time.Time, err *Error) {
	g.mu.Lock()
	now := time.Now()
	broken := failureOf(c)
	switch {
	case err == nil:
		g.answered(broken)
	case err.Class == Wait:
		err.after = time.Duration(float64(err.after) * g.second.Seconds())
		g.extend(scopeOf(c), Wait, now, now.Add(err.after), 0)
		g.trip(c, began, now, err.after)
	case err.Class == Stopped || !err.Class.waits():
		if err.Status != 0 {
			g.answered(broken) // a refusal is an answer, too
		}
	default:
		if g.failing[scopeOf(c)] = true; err.place || len(g.failing) >= several {
			// Not these chats, but Telegram: all go on as soon as it is back.
			maps.DeleteFunc(g.paused, func(_ scope, p *pause) bool { return p.rest > 0 && p != g.paused[scope{}] })
			g.fail(scope{}, err.Class, began, now, longestOfAll)
		} else {
			g.fail(broken, err.Class, began, now, longestPause)
		}
		err.after, _ = g.held(c, now)
		err.after = max(err.after, firstPause)
	}
	g.admit()
	say := g.say
	g.say = nil
	g.mu.Unlock()
	for _, log := range say { // without the lock: a log may be slow
		log()
	}
}

// answered ends the pauses after failures of a scope and of all calls. Those that Telegram asked for stand, and so do
// those of other chats: that one chat can be reached says nothing about another.
func (g *Gate) answered(own scope) {
	clear(g.failing)
	for _, s := range []scope{own, {}} {
		if p := g.paused[s]; p != nil && p.rest > 0 {
			delete(g.paused, s)
			close(g.reached)
			g.reached = make(chan struct{})
		}
	}
}

// fail makes a scope wait after a failure, longer each time. Calls that failed together count once.
func (g *Gate) fail(s scope, class Class, began, now time.Time, longest time.Duration) {
	rest := firstPause
	if p := g.paused[s]; p != nil && !p.over(now) {
		if p.rest > 0 && (now.Before(p.until) || began.Before(p.until.Add(-p.rest))) {
			return
		}
		rest = min(max(2*p.rest, firstPause), longest)
	}
	g.extend(s, class, now, now.Add(rest), rest)
}

// extend makes a scope wait until a time, or later if it has to already.
func (g *Gate) extend(s scope, class Class, now, until time.Time, rest time.Duration) {
	p := g.paused[s]
	switch {
	case p == nil || p.over(now):
		if len(g.paused) >= g.tidyAt {
			maps.DeleteFunc(g.paused, func(_ scope, p *pause) bool { return p.over(now) })
			g.tidyAt = max(1000, 2*len(g.paused))
		}
		p = &pause{since: now}
		g.paused[s] = p
	case p.until.After(until):
		return
	}
	p.until, p.rest, p.class = until, rest, class
	if until.Sub(now) > patience {
		g.sendAway(now)
	}
	if !p.logged && g.long(p) {
		p.logged = true
		shown := p.shown(s)
		g.say = append(g.say, func() {
			g.log.Warn("telegram holds calls back", "chat", shown.Chat, "method", shown.Method, "until", shown.Until,
				"code", shown.Code)
		})
	}
}

// trip makes all wait, and go on at half the pace, when several people's chats are told 429 within seconds. Edits make
// only edits wait. Groups don't count: strangers add the bot to them.
func (g *Gate) trip(c Call, began, now time.Time, after time.Duration) {
	kind, all := 0, scope{}
	if c.edits() {
		kind, all = 1, scope{method: edits}
	}
	if c.Chat <= 0 || began.Before(g.tripped[kind]) { // on its way since before the last time
		return
	}
	chats := g.told[kind]
	chats[c.Chat] = told{now, after}
	least := after
	for chat, t := range chats {
		if now.Sub(t.at) > fewSeconds*g.second {
			delete(chats, chat)
			continue
		}
		least = min(least, t.after)
	}
	if len(chats) < several {
		return
	}
	clear(chats)
	g.tripped[kind] = now
	g.extend(all, Wait, now, now.Add(least), 0)
	if kind == 0 {
		g.slowDown(now)
		pace := g.pace
		g.say = append(g.say, func() {
			g.log.Warn("telegram told several chats to wait: sending more slowly for some minutes", "per_second", pace)
		})
	}
}

// Pause is a time of more than 30 s in which calls are held back.
type Pause struct {
	Chat         int64  // 0: all
	Method       string // "": all messages of the chat, or all calls; "edit": all edits of messages
	Since, Until time.Time
	Code         string // why: telegram_rate, telegram_unreachable, …
}

// Pauses returns the pauses of more than 30 s, the ones that hold most first.
func (g *Gate) Pauses() []Pause {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	var list []Pause
	for s, p := range g.paused {
		if g.long(p) && !p.over(now) {
			list = append(list, p.shown(s))
		}
	}
	slices.SortFunc(list, func(a, b Pause) int {
		if (a.Chat == 0) != (b.Chat == 0) {
			if a.Chat == 0 {
				return -1
			}
			return 1
		}
		return cmp.Or(b.Until.Compare(a.Until), cmp.Compare(a.Method, b.Method), cmp.Compare(a.Chat, b.Chat))
	})
	return list
}

func (p *pause) shown(s scope) Pause {
	return Pause{s.chat, s.method, p.since, p.until, p.class.Code()}
}

func (g *Gate) long(p *pause) bool { return p.until.Sub(p.since) > shownFrom*g.second }

// Trouble is what is wrong between the bot and Telegram as a whole.
type Trouble struct {
	Code  string // telegram_unreachable, telegram_token, telegram_webhook, …
	Since time.Time
	Text  string
}

// Troubles returns what is wrong now: at most one thing that keeps the bot from hearing and another one that keeps it
// from speaking.
func (g *Gate) Troubles() (list []Trouble) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	switch {
	case g.poll != nil:
		list = append(list, Trouble{g.poll.Code(), g.deaf, g.poll.Error()})
	case g.rivalled(now):
		list = append(list, Trouble{OtherPoller.Code(), g.deaf, "another program polled for this bot a moment ago"})
	}
	if p := g.paused[scope{}]; p != nil && p.rest > 0 && !p.over(now) {
		code := p.class.Code()
		if !slices.ContainsFunc(list, func(t Trouble) bool { return t.Code == code }) {
			list = append(list, Trouble{code, p.since, "all calls to telegram fail: " + code})
		}
	}
	return list
}

// Absent says how long the bot had heard of nobody when the program started.
func (g *Gate) Absent(since time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.heard = time.Now().Add(-since)
}

// Polling takes note of a poll that begins.
func (g *Gate) Polling() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.polling.IsZero() {
		g.polling = time.Now()
	}
}

// Polled takes note of how a poll ended: the error of Poll, or nil.
func (g *Gate) Polled(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if err == nil {
		if g.poll = nil; !g.rivalled(now) {
			g.rival = time.Time{}
		}
		if g.polling.IsZero() {
			g.polling = now
		}
		if g.unproven(now) <= 0 {
			g.heard = now
		}
		g.answered(scope{method: "getUpdates"})
		g.admit()
		return
	}
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Class == Stopped {
		return
	}
	g.polling = time.Time{}
	if g.poll == nil && !g.rivalled(now) {
		g.deaf = now
	}
	g.poll = e
	if e.Class == OtherPoller {
		g.rival = now
		g.sendAway(now)
	}
}

// Up says that somebody has just reached Telegram: Polled without an error.
func (g *Gate) Up() { g.Polled(nil) }
