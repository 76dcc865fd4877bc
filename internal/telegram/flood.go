// Counting what each chat sends, so that nobody writes faster than we can answer.

package telegram

import (
	"sync"
	"time"
)

// answeredPerMinute is how many messages of one chat we answer in a minute: Telegram takes about one a second for a
// chat.
const answeredPerMinute = 60

// Flood counts incoming messages per chat. It is safe for use by several goroutines: the poller counts, and so does
// everything else that hands updates on.
type Flood struct {
	minute time.Duration

	mu    sync.Mutex
	began time.Time     // of the running minute, the same for all chats
	count map[int64]int // by chat, of the running minute; forgotten as a whole, so that no call looks for old entries
}

// NewFlood returns a Flood; second is that of NewGate.
func NewFlood(second time.Duration) *Flood {
	return &Flood{minute: 60 * second}
}

// Over counts one more message of a chat and reports whether that is more than we can answer in this minute. first
// marks the first message over the limit: the one to tell the person for.
func (f *Flood) Over(chat int64, now time.Time) (over, first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count == nil || now.Sub(f.began) >= f.minute || now.Before(f.began) {
		f.began, f.count = now, map[int64]int{}
	}
	f.count[chat]++
	n := f.count[chat]
	return n > answeredPerMinute, n == answeredPerMinute+1
}
