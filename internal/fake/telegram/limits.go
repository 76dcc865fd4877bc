// How fast a bot may send: counted always, enforced when a test asks for it.

package telegram

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// limiter holds Telegram's three limits on messages and edits: overall, for
// one person's chat and for a group.
type limiter struct {
	overall  rate // zero: overallRate
	all      bucket
	chats    map[int64]*bucket
	enforced bool
	breaches int
}

// The limits as tokens per second and the burst that is let through. Telegram
// names only the rates ("about 30 a second, one a second in a chat, 20 a
// minute in a group"); the bursts are a careful guess.
var (
	overallRate  = rate{perSecond: 30, burst: 30}
	personalRate = rate{perSecond: 1, burst: 5}
	groupRate    = rate{perSecond: 20.0 / 60, burst: 20}
)

type rate struct{ perSecond, burst float64 }

// bucket is a token bucket that starts full.
type bucket struct {
	spent float64 // tokens missing at the time at
	at    time.Time
}

// wait returns how long it takes until a token is there, 0 = now.
func (b *bucket) wait(now time.Time, r rate) time.Duration {
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.spent = math.Max(0, b.spent-passed*r.perSecond)
	}
	b.at = now
	if missing := b.spent + 1 - r.burst; missing > 0 {
		return time.Duration(missing / r.perSecond * float64(time.Second))
	}
	return 0
}

// EnforceLimits switches the 429 answers to sends beyond the limits on or off
// (they are off at first).
func (s *Server) EnforceLimits(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits.enforced = on
}

// SetOverallLimit sets how many messages and edits a second all chats together may get, which Telegram publishes
// nowhere and may change.
func (s *Server) SetOverallLimit(perSecond float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits.overall = rate{perSecond: perSecond, burst: perSecond}
}

// LimitBreaches counts how often the bot sent faster than Telegram lets it,
// whether that was enforced or not.
func (s *Server) LimitBreaches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limits.breaches
}

// spend takes what a call costs. Only messages and edits cost anything.
func (s *Server) spend(r *request) *apiError {
	method := strings.ToLower(r.method)
	if method == "sendchataction" || !strings.HasPrefix(method, "send") && !strings.HasPrefix(method, "edit") {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now, chat := s.now(), s.chatOf(r)
	each := personalRate
	if chat < 0 {
		each = groupRate
	}
	own := s.limits.chats[chat]
	if own == nil {
		own = &bucket{}
		s.limits.chats[chat] = own
	}
	overall := overallRate
	if s.limits.overall.perSecond > 0 {
		overall = s.limits.overall
	}
	wait := max(s.limits.all.wait(now, overall), own.wait(now, each))
	if wait == 0 {
		s.limits.all.spent++
		own.spent++
		return nil
	}
	s.limits.breaches++
	s.broadcast()
	if !s.limits.enforced {
		return nil
	}
	seconds := max(1, int(math.Ceil(wait.Seconds())))
	return &apiError{
		code:       http.StatusTooManyRequests,
		text:       "Too Many Requests: retry after " + strconv.Itoa(seconds),
		retryAfter: seconds,
	}
}
