// Floods: how many messages of a chat are answered, counted by several goroutines at a time.

package telegram

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestFlood_IsMoreThanCanBeAnsweredInAMinute(t *testing.T) {
	f, now := NewFlood(time.Second), time.Unix(1_000_000, 0)
	for minute := range 3 {
		var over, first int
		for range 1000 {
			tooMany, begins := f.Over(1, now)
			if tooMany {
				over++
			}
			if begins {
				first++
			}
		}
		if over != 940 || first != 1 {
			t.Errorf("minute %d: got %d over, %d beginnings; want 940, 1", minute, over, first)
		}
		if tooMany, _ := f.Over(2, now); tooMany {
			t.Error("another chat is over")
		}
		now = now.Add(time.Minute)
	}
	f.Over(1, now)
	if tooMany, _ := f.Over(1, now.Add(-24*time.Hour)); tooMany { // the clock was set back
		t.Error("got a flood after the clock was set back; want a fresh count")
	}
}

// The poller and the admin's "Send now" count at the same time: the program must survive it, and no message may be
// missed.
func TestFlood_IsCountedByTwoCallersAtATime(t *testing.T) {
	f, now := NewFlood(time.Second), time.Unix(1_000_000, 0)
	var answered, first atomic.Int64
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for i := range int64(20_000) {
				over, begins := f.Over(i%100, now)
				if !over {
					answered.Add(1)
				}
				if begins {
					first.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if answered.Load() != 100*60 || first.Load() != 100 {
		t.Errorf("got %d answered, %d told; want 6000, 100", answered.Load(), first.Load())
	}
}

// A crowd of new chats costs the same per message as a few: nothing reads all chats for one message.
func TestFlood_ForgetsTheChatsOfTheMinuteBefore(t *testing.T) {
	f, now := NewFlood(time.Second), time.Unix(1_000_000, 0)
	for chat := range int64(200_000) {
		f.Over(chat, now)
	}
	f.Over(1, now.Add(time.Minute))
	if n := len(f.count); n != 1 {
		t.Errorf("got %d chats kept; want the one of this minute", n)
	}
}
