// The server itself: who may call which method, how an answer is written, the
// clock, and how others wait for a change.

// Package telegram is a stand-in for Telegram: the half of the Bot API that one
// bot needs, the people at the other end of it, and a page in the browser on
// which one can be those people.
//
// Tests run the real bot against it, and the offline demonstration is the same
// program with this server behind it. It answers with Telegram's own JSON,
// error codes and texts, so that nothing in the bot has to know the difference.
package telegram

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// cloudUpload is what Telegram's own servers accept as one file, in bytes.
const cloudUpload = 50 << 20

// Server is Telegram for exactly one bot. It serves /bot<token>/<method> and
// /file/bot<token>/<path>, keeps everything in memory and may be used by any
// number of goroutines.
type Server struct {
	token string
	bot   user
	done  chan struct{} // closed by Close
	once  sync.Once

	mu        sync.Mutex
	changed   chan struct{} // closed and replaced at every change
	now       func() time.Time
	down      bool
	dropped   int
	maxUpload int64

	chats       map[int64]*chat
	people      map[int64]*Person
	lastMessage int

	updates  updateQueue
	queries  map[string]*query
	files    map[string]*file
	menu     map[menuKey][]Command
	profiles map[string]Profile // by language; "": of all others
	faults   []*fault
	calls    []*Call
	limits   limiter
	trouble  trouble
	mistakes []string // what the Bot API does not know
}

// New makes a server for the bot with that token.
func New(token string) *Server {
	id := int64(7_000_000_001)
	s := &Server{
		token:     token,
		bot:       user{ID: id, IsBot: true, FirstName: "Retake", Username: "retake_bot"},
		done:      make(chan struct{}),
		changed:   make(chan struct{}),
		now:       time.Now,
		maxUpload: cloudUpload,
		chats:     map[int64]*chat{},
		people:    map[int64]*Person{},
		queries:   map[string]*query{},
		files:     map[string]*file{},
		menu:      map[menuKey][]Command{},
		profiles:  map[string]Profile{},
	}
	s.updates.next = randomBelow(500_000_000) + 100_000_000
	s.limits.chats = map[int64]*bucket{}
	return s
}

// Close ends every long poll, hanging call and event stream. Call it before
// the HTTP server that carries this handler is closed.
func (s *Server) Close() { s.once.Do(func() { close(s.done) }) }

// SetNow gives the server another clock. It decides the age of presses and
// updates, the dates of messages and the rate limits; a long poll ends by real
// time. The function is called under the server's lock.
func (s *Server) SetNow(now func() time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
	s.broadcast()
}

// SetMaxUpload changes the largest file that is accepted, in bytes: 50 MB at
// first, as in Telegram's cloud; a local Bot API server takes 2000 MB.
func (s *Server) SetMaxUpload(bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.maxUpload = bytes
}

// Wait returns nil as soon as what is true, and the context's error if that
// does not happen in time. It asks at once and again after every change in the
// server; what may call any method of the server.
func (s *Server) Wait(ctx context.Context, what func() bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if what() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// broadcast wakes everyone waiting for a change. The lock must be held.
func (s *Server) broadcast() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// apiError is an answer that says no.
type apiError struct {
	code       int
	text       string
	retryAfter int   // seconds, 0 = none
	movedTo    int64 // a chat, 0 = none
}

func bad(format string, args ...any) *apiError {
	return &apiError{code: http.StatusBadRequest, text: "Bad Request: " + fmt.Sprintf(format, args...)}
}

// lost stands for an answer that never reaches the client: the connection is
// closed instead.
var lost = &apiError{}

var methods = map[string]func(*Server, *request) (any, *apiError){
	"getme":                  (*Server).getMe,
	"getupdates":             (*Server).getUpdates,
	"getwebhookinfo":         (*Server).getWebhookInfo,
	"deletewebhook":          (*Server).deleteWebhook,
	"sendmessage":            (*Server).sendMessage,
	"sendvideo":              (*Server).sendVideo,
	"sendanimation":          (*Server).sendAnimation,
	"senddocument":           (*Server).sendDocument,
	"sendvoice":              (*Server).sendVoice,
	"sendchataction":         (*Server).sendChatAction,
	"editmessagetext":        (*Server).editMessageText,
	"editmessagecaption":     (*Server).editMessageCaption,
	"editmessagereplymarkup": (*Server).editMessageReplyMarkup,
	"deletemessage":          (*Server).deleteMessage,
	"answercallbackquery":    (*Server).answerCallbackQuery,
	"setmycommands":          (*Server).setMyCommands,
	"getmycommands":          (*Server).getMyCommands,
	"deletemycommands":       (*Server).deleteMyCommands,
	"setmyname":              (*Server).setMyName,
	"getmyname":              (*Server).getMyName,
	"setmydescription":       (*Server).setMyDescription,
	"getmydescription":       (*Server).getMyDescription,
	"setmyshortdescription":  (*Server).setMyShortDescription,
	"getmyshortdescription":  (*Server).getMyShortDescription,
	"getfile":                (*Server).getFile,
	"getchat":                (*Server).getChat,
	"getchatmember":          (*Server).getChatMember,
}

// ServeHTTP answers one call of the bot.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.isDown() {
		panic(http.ErrAbortHandler) // net/http closes the connection without a word
	}
	if path, ok := strings.CutPrefix(r.URL.Path, "/file/bot"); ok {
		s.serveFile(w, r, path)
		return
	}
	token, name, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/bot"), "/")
	if !ok || !strings.HasPrefix(r.URL.Path, "/bot") {
		writeError(w, &apiError{code: http.StatusNotFound, text: "Not Found"})
		return
	}
	if token != s.token {
		writeError(w, &apiError{code: http.StatusUnauthorized, text: "Unauthorized"})
		return
	}
	if err := s.refused(); err != nil {
		writeError(w, err)
		return
	}
	do := methods[strings.ToLower(name)]
	if do == nil {
		s.mistaken("the method %s", name)
		writeError(w, &apiError{code: http.StatusNotFound, text: "Not Found"})
		return
	}
	s.slowly(r)
	s.mu.Lock()
	limit := s.maxUpload
	s.mu.Unlock()
	req, failed := readRequest(r, name, limit)
	if req.cut {
		panic(http.ErrAbortHandler) // the client is gone in the middle of its own request
	}
	call := s.begin(req)
	result, err := any(nil), failed
	if err == nil {
		err = s.unknown(req)
	}
	flaw := s.takeFault(req)
	switch {
	case flaw != nil && flaw.before():
		s.fail(w, r, call, flaw)
		return
	case err == nil:
		if err = s.spend(req); err == nil {
			result, err = do(s, req)
		}
	}
	if flaw != nil && err == nil {
		s.spoil(w, call, flaw, req.fileID, map[string]any{"ok": true, "result": result})
		return
	}
	if flaw != nil || err == lost {
		s.end(call, req.fileID, err, true)
		panic(http.ErrAbortHandler)
	}
	s.end(call, req.fileID, err, false)
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"ok": true, "result": result})
}

func (s *Server) getMe(*request) (any, *apiError) {
	return struct {
		user
		CanJoinGroups bool `json:"can_join_groups"`
		ReadsGroups   bool `json:"can_read_all_group_messages"`
		Inline        bool `json:"supports_inline_queries"`
	}{s.bot, true, true, false}, nil
}

func (s *Server) getWebhookInfo(*request) (any, *apiError) {
	return map[string]any{"url": s.Webhook(), "has_custom_certificate": false, "pending_update_count": s.Pending()}, nil
}

func (s *Server) deleteWebhook(r *request) (any, *apiError) {
	s.SetWebhook("")
	if r.flag("drop_pending_updates") {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.forget(s.updates.next)
	}
	return true, nil
}

func writeError(w http.ResponseWriter, e *apiError) {
	answer := map[string]any{"ok": false, "error_code": e.code, "description": e.text}
	switch {
	case e.retryAfter > 0:
		answer["parameters"] = map[string]any{"retry_after": e.retryAfter}
	case e.movedTo != 0:
		answer["parameters"] = map[string]any{"migrate_to_chat_id": e.movedTo}
	}
	writeJSON(w, e.code, answer)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}
