// One line per chat for what changes its messages: the last word wins.

package chat

import "sync"

// lines keeps those who change messages of a chat apart. An edit that was begun ends before the next one is made, so
// that a late one never overwrites the truth.
type lines struct {
	mu   sync.Mutex
	held map[int64]*line
}

type line struct {
	free  chan struct{} // holds one while nobody is inside: a mutex would keep the clock of a test from moving
	users int           // who hold it or wait for it
}

// hold waits for the line of a chat, and returns how to leave it.
func (l *lines) hold(chat int64) (leave func()) {
	l.mu.Lock()
	if l.held == nil {
		l.held = map[int64]*line{}
	}
	at := l.held[chat]
	if at == nil {
		at = &line{free: make(chan struct{}, 1)}
		at.free <- struct{}{}
		l.held[chat] = at
	}
	at.users++
	l.mu.Unlock()
	<-at.free
	return func() {
		at.free <- struct{}{}
		l.mu.Lock()
		defer l.mu.Unlock()
		if at.users--; at.users == 0 {
			delete(l.held, chat)
		}
	}
}
