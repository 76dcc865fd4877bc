// How much one session may do at a time.

package desk

import "sync"

// What one session may have at a time. A stolen or careless one must not take the whole server.
const (
	liveStreams = 32 // pages with a stream of events; others work without
	mostUploads = 3  // each takes disk space, and then ffmpeg
)

// share counts what each session does at a time.
type share struct {
	most int
	mu   sync.Mutex
	busy map[[32]byte]int // by session
}

// enter counts one more of a session until leave is called. ok is false if the session has as many as it may.
func (s *share) enter(session [32]byte) (leave func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[session] >= s.most {
		return nil, false
	}
	if s.busy == nil {
		s.busy = map[[32]byte]int{}
	}
	s.busy[session]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.busy[session]--; s.busy[session] == 0 {
			delete(s.busy, session)
		}
	}, true
}
