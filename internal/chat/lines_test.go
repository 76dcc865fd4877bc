// The last word wins.

package chat

import (
	"sync"
	"testing"
)

func TestLines_OneAtATimeInAChatAndNoneIsKept(t *testing.T) {
	var l lines
	var wg sync.WaitGroup
	inside := map[int64]int{}
	var mu sync.Mutex
	change := func(chat int64, by int) int {
		mu.Lock()
		defer mu.Unlock()
		inside[chat] += by
		return inside[chat]
	}
	for i := range 200 {
		wg.Go(func() {
			chat := int64(i % 3)
			defer l.hold(chat)()
			if n := change(chat, 1); n != 1 {
				t.Errorf("got %d in the line of chat %d; want one at a time", n, chat)
			}
			change(chat, -1)
		})
	}
	leave := l.hold(7)
	other := l.hold(8) // waits for nobody
	other()
	leave()
	wg.Wait()
	if len(l.held) != 0 {
		t.Errorf("got %d lines kept; want none", len(l.held))
	}
}
