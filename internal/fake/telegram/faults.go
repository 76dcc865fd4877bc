// Trouble on demand: errors, proxies' error pages, lost answers, silence.

package telegram

import (
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
)

// Fault is a kind of trouble and the calls that meet it. Exactly one of
// Status (or RetryAfter), HTML, Drop, LoseAnswer and Hang is set.
type Fault struct {
	Method string // "" = every method, getUpdates included
	Chat   int64  // 0 = any
	Times  int    // how many calls; 0 is taken as 1; -1 = until cleared

	Status      int    // an API error with this code
	Description string // its text; "" = Telegram's usual one for the code
	RetryAfter  int    // seconds; alone it means a 429
	HTML        int    // a proxy's error page with this status, which names the path: token and all
	Drop        bool   // the connection is closed before anything is done
	LoseAnswer  bool   // all is done, then the connection is closed instead of an answer
	Hang        bool   // no answer until the client gives up or the server is closed
}

type fault struct{ Fault }

// before says that the fault strikes instead of the work, not after it.
func (f *fault) before() bool { return !f.LoseAnswer }

// Inject adds a fault; the oldest that fits a call is the one it meets. clear
// takes it away again. It panics when the fault is not exactly one kind of
// trouble, because such a test would prove nothing.
func (s *Server) Inject(f Fault) (clear func()) {
	kinds := 0
	for _, set := range []bool{f.Status != 0 || f.RetryAfter != 0, f.HTML != 0, f.Drop, f.LoseAnswer, f.Hang} {
		if set {
			kinds++
		}
	}
	if kinds != 1 {
		panic(fmt.Sprintf("telegram: a fault must be exactly one kind of trouble, got %d: %+v", kinds, f))
	}
	if f.Times == 0 {
		f.Times = 1
	}
	if f.RetryAfter > 0 && f.Status == 0 {
		f.Status = http.StatusTooManyRequests
	}
	if f.Status != 0 && f.Description == "" {
		f.Description = usualText(f.Status, f.RetryAfter)
	}
	own := &fault{f}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, own)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.faults = slices.DeleteFunc(s.faults, func(f *fault) bool { return f == own })
		s.broadcast()
	}
}

// SetDown makes Telegram unreachable and back: every connection, waiting ones
// included, is closed without an answer. Such calls are not recorded.
func (s *Server) SetDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
	s.broadcast()
}

// Dropped counts the connections that SetDown closed.
func (s *Server) Dropped() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// isDown counts the connection as dropped when it is.
func (s *Server) isDown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		s.dropped++
		s.broadcast()
	}
	return s.down
}

func (s *Server) takeFault(r *request) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	chat := s.chatOf(r)
	for i, f := range s.faults {
		if f.Method != "" && !strings.EqualFold(f.Method, r.method) || f.Chat != 0 && f.Chat != chat {
			continue
		}
		if f.Times--; f.Times == 0 {
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		return f
	}
	return nil
}

// fail lets a fault strike that comes instead of the work.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, call *Call, f *fault) {
	switch {
	case f.Status != 0:
		err := &apiError{code: f.Status, text: f.Description, retryAfter: f.RetryAfter}
		s.end(call, "", err, false)
		writeError(w, err)
	case f.HTML != 0:
		s.end(call, "", &apiError{code: f.HTML, text: "a proxy's error page"}, false)
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(f.HTML)
		fmt.Fprintf(w, "<html><head><title>%d %s</title></head><body><center><h1>%[1]d %[2]s</h1></center><p>%s</p></body></html>\n",
			f.HTML, http.StatusText(f.HTML), html.EscapeString(r.URL.Path))
	default:
		if f.Hang {
			select {
			case <-r.Context().Done():
			case <-s.done:
			}
		}
		s.end(call, "", lost, true)
		panic(http.ErrAbortHandler)
	}
}

func usualText(status, retryAfter int) string {
	switch status {
	case http.StatusTooManyRequests:
		return fmt.Sprintf("Too Many Requests: retry after %d", retryAfter)
	case http.StatusForbidden:
		return blockedText
	case http.StatusBadRequest:
		return "Bad Request: chat not found"
	default:
		return http.StatusText(status)
	}
}
