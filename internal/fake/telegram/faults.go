// Trouble on demand: errors, proxies' error pages, lost answers, silence.

package telegram

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Fault is a kind of trouble and the calls that meet it. Exactly one kind is set:
// Status (or RetryAfter), HTML, Answer, Drop and Hang strike instead of the work,
// LoseAnswer, CutAfter, NoResult and Endless after it.
type Fault struct {
	Method string // "" = every method, getUpdates included
	Chat   int64  // 0 = any
	Times  int    // how many calls; 0 is taken as 1; -1 = until cleared

	Status      int    // an API error with this code
	Description string // its text; "" = Telegram's usual one for the code
	RetryAfter  int    // seconds; alone it means a 429
	HTML        int    // a proxy's error page with this status, which names the path: token and all
	Answer      string // this, with status 200, whatever it is
	Drop        bool   // the connection is closed before anything is done
	LoseAnswer  bool   // all is done, then the connection is closed instead of an answer
	CutAfter    string // all is done, then the answer is cut after this text of it, or in the middle
	NoResult    bool   // all is done, then the answer is only that it is ok
	Endless     bool   // all is done, then the answer does not end before 400 MB
	Hang        bool   // no answer until the client gives up or the server is closed
}

type fault struct{ Fault }

// before says that the fault strikes instead of the work, not after it.
func (f *fault) before() bool { return !f.LoseAnswer && f.CutAfter == "" && !f.NoResult && !f.Endless }

// Inject adds a fault; the oldest that fits a call is the one it meets. clear
// takes it away again. It panics when the fault is not exactly one kind of
// trouble, because such a test would prove nothing.
func (s *Server) Inject(f Fault) (clear func()) {
	kinds := 0
	for _, set := range []bool{f.Status != 0 || f.RetryAfter != 0, f.HTML != 0, f.Answer != "", f.Drop, f.LoseAnswer,
		f.CutAfter != "", f.NoResult, f.Endless, f.Hang} {
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
	case f.Answer != "":
		s.end(call, "", &apiError{code: http.StatusOK, text: "an answer that is not the Bot API's"}, false)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, f.Answer)
	case f.HTML != 0:
		s.end(call, "", &apiError{code: f.HTML, text: "a proxy's error page"}, false)
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(f.HTML)
		fmt.Fprintf(w, "<html><head><title>%d %s</title></head><body><center><h1>%[1]d %[2]s</h1></center>"+
			"<p>%s</p></body></html>\n",
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

// spoil spoils the answer to a call that was done.
func (s *Server) spoil(w http.ResponseWriter, call *Call, f *fault, fileID string, answer any) {
	s.end(call, fileID, nil, f.LoseAnswer)
	body, err := json.Marshal(answer)
	if err != nil {
		panic(err) // only our own plain types are in there
	}
	whole := len(body)
	switch {
	case f.NoResult:
		body, whole = []byte(`{"ok":true}`), len(`{"ok":true}`)
	case f.CutAfter != "":
		at := len(body) / 2
		if i := strings.Index(string(body), f.CutAfter); i >= 0 {
			at = i + len(f.CutAfter)
		}
		body = body[:at]
	case f.Endless:
		body, whole = append(body[:len(body)-2], `,"x":"`...), 400<<20
	default:
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(whole))
	w.Write(body)
	for left := whole - len(body); f.Endless && left > 0; {
		n, err := w.Write(bytes.Repeat([]byte("x"), min(left, 1<<20)))
		if left -= n; err != nil {
			break
		}
	}
	if len(body) < whole { // what has been written so far goes out, and then nothing
		http.NewResponseController(w).Flush()
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
