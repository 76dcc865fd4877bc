// Whoever writes faster than anybody can be answered.

package telegram

import (
	"maps"
	"time"
)

// mostAMinute is how much of what a chat sends in a minute is answered: Telegram takes a message a second for it.
const mostAMinute = 60

// Flood counts what comes in. It is for one goroutine.
type Flood struct {
	minute time.Duration
	chats  map[int64]*inflow
}

type inflow struct {
	began time.Time
	n     int
}

// NewFlood returns a Flood; second is that of NewGate.
func NewFlood(second time.Duration) *Flood {
	return &Flood{minute: time.Minute / time.Second * second, chats: map[int64]*inflow{}}
}

// Over counts one more of a chat and reports whether that is more than can be answered. first: it is the first of them in
// this minute, which is the one to say so for.
func (f *Flood) Over(chat int64, now time.Time) (over, first bool) {
	in := f.chats[chat]
	if in == nil || now.Sub(in.began) >= f.minute || now.Before(in.began) {
		if len(f.chats) > 10_000 {
			maps.DeleteFunc(f.chats, func(_ int64, old *inflow) bool { return now.Sub(old.began) >= f.minute })
		}
		in = &inflow{began: now}
		f.chats[chat] = in
	}
	in.n++
	return in.n > mostAMinute, in.n == mostAMinute+1
}
