// The record of calls: what the bot asked for and how it was answered.

package telegram

import (
	"maps"
	"net/http"
	"strings"
	"time"
)

// keptCalls bounds the record, so that a demonstration may run for days.
const keptCalls = 20_000

// Call is one request of the bot. It is recorded when it has arrived and
// completed when it is answered.
type Call struct {
	Method   string
	Chat     int64 // 0 = the method concerns no chat
	Params   map[string]string
	Uploaded bool   // the bytes of a file were in this call
	FileID   string // of the file that a successful send put out
	At       time.Time

	OK          bool   // it was done, whether or not the answer arrived
	Code        int    // 200, an error code, or 0 while there is no answer
	Description string // of an error
	Lost        bool   // the connection was closed instead of an answer
}

// Calls returns the calls so far in the order of their arrival.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Call, len(s.calls))
	for i, c := range s.calls {
		out[i] = *c
		out[i].Params = maps.Clone(c.Params)
	}
	return out
}

// Count is how many calls there were so far, polls for updates not counted.
func (s *Server) Count() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		if !strings.EqualFold(c.Method, "getUpdates") {
			n++
		}
	}
	return n
}

func (s *Server) begin(r *request) *Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &Call{Method: r.method, Chat: s.chatOf(r), Params: r.params, Uploaded: len(r.files) > 0, At: s.now()}
	if len(s.calls) == keptCalls {
		s.calls = append(s.calls[:0], s.calls[keptCalls/2:]...)
	}
	s.calls = append(s.calls, c)
	s.broadcast()
	return c
}

// end completes the record of a call; fileID is of what a send put out.
func (s *Server) end(c *Call, fileID string, err *apiError, gone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.OK, c.Lost, c.FileID = err == nil, gone, fileID
	switch {
	case gone:
	case err == nil:
		c.Code = http.StatusOK
	default:
		c.Code, c.Description = err.code, err.text
	}
	s.broadcast()
}

// chatOf says which chat a call is about; an answer to a press is about the
// chat with the pressed button.
func (s *Server) chatOf(r *request) int64 {
	if q := s.queries[r.text("callback_query_id")]; q != nil {
		return q.chat.id
	}
	return r.number("chat_id")
}
