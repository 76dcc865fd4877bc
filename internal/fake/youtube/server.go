// The server: its addresses, who may call what, and how it writes an answer.

// Package youtube is a fake of YouTube and Google's consent page: the half of the API that publishing needs, and a
// page on which the videos play.
//
// Tests run the real client against it, and the offline demo is the same program with this server behind it. It
// answers with YouTube's own JSON, status codes and reasons, so that nothing in the client has to know the
// difference.
package youtube

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options say what the server is.
type Options struct {
	ClientID, ClientSecret string           // of the one app it knows
	BaseURL                string           // where it is reached, with the path it is mounted at
	Channels               []Channel        // to choose from on the consent page; nil: two
	Processing             time.Duration    // how long it works on a video; 0: 4 seconds
	AccessFor              time.Duration    // how long a consent lasts, as its token says; 0: without end
	Now                    func() time.Time // nil: the clock
}

// Channel is one that the people at the consent page have. All belong to one Google account.
type Channel struct{ ID, Title string }

// uploads is the id of the playlist of all its videos.
func (c Channel) uploads() string { return "UU" + c.ID[min(2, len(c.ID)):] }

// Server is YouTube for one app. Its handler expects paths without the one it is mounted at. It may be used by any
// number of goroutines.
type Server struct {
	opts    Options
	mux     *http.ServeMux
	bytesIn atomic.Int64

	mu       sync.Mutex
	dir      string // of the videos' bytes; made with the first
	codes    map[string]code
	grants   map[string]*grant // by refresh token
	access   map[string]access
	sessions map[string]*session
	videos   []*video
	playlist map[string][]string // ids of videos, in the order they were added
	inserts  int
	given    int // grants, counted
	on       map[string]bool
	ended    int // of the grants up to this one, "revoked" is true
}

// New returns a server. It stores the videos in a temporary folder until Close.
func New(opts Options) *Server {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Processing == 0 {
		opts.Processing = 4 * time.Second
	}
	if opts.Channels == nil {
		opts.Channels = []Channel{
			{"UCgreetingsFromTheNorth1", "Greetings from the North"},
			{"UCfamilyCelebrations002", "Family Celebrations"},
		}
	}
	opts.BaseURL = strings.TrimSuffix(opts.BaseURL, "/")
	s := &Server{
		opts:     opts,
		mux:      http.NewServeMux(),
		codes:    map[string]code{},
		grants:   map[string]*grant{},
		access:   map[string]access{},
		sessions: map[string]*session{},
		playlist: map[string][]string{},
		on:       map[string]bool{},
	}
	s.mux.HandleFunc("GET /o/oauth2/v2/auth", s.askConsent)
	s.mux.HandleFunc("POST /o/oauth2/v2/auth", s.answerConsent)
	s.mux.HandleFunc("GET /page.css", s.css)
	s.mux.HandleFunc("POST /token", s.token)
	s.mux.HandleFunc("POST /revoke", s.revoke)
	s.mux.HandleFunc("GET /watch", s.watch)
	s.mux.HandleFunc("GET /video/{id}", s.play)
	s.mux.HandleFunc("GET /thumb/{id}", s.showThumb)

	const upload, read, change = "youtube.upload", "youtube.readonly", "youtube.force-ssl"
	s.api("POST /upload/youtube/v3/videos", s.insert, upload, change)
	s.api("PUT /upload/youtube/v3/videos", s.put, upload, change)
	s.api("DELETE /upload/youtube/v3/videos", s.abandon, upload, change)
	s.api("POST /upload/youtube/v3/thumbnails/set", s.setThumb, upload, change)
	s.api("GET /youtube/v3/channels", s.channels, read, change)
	s.api("GET /youtube/v3/videos", s.list, read, change)
	s.api("PUT /youtube/v3/videos", s.update, change)
	s.api("DELETE /youtube/v3/videos", s.remove, change)
	s.api("GET /youtube/v3/playlistItems", s.listPlaylist, read, change)
	s.api("POST /youtube/v3/playlistItems", s.addToPlaylist, change)
	return s
}

// Close removes the videos.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.sessions {
		u.file.Close()
	}
	if s.dir != "" {
		os.RemoveAll(s.dir)
	}
}

// BytesIn returns how many bytes of videos arrived, including those that were sent again.
func (s *Server) BytesIn() int64 { return s.bytesIn.Load() }

// Inserts returns how many uploads were begun.
func (s *Server) Inserts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inserts
}

// SetBaseURL changes where the server is reached, if that is known only after New.
func (s *Server) SetBaseURL(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.BaseURL = strings.TrimSuffix(base, "/")
}

func (s *Server) base() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts.BaseURL
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// api adds a method of the API for which one of the scopes is needed.
func (s *Server) api(pattern string, do func(http.ResponseWriter, *http.Request, string) *apiError, scopes ...string) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if s.out(w, "unavailable") {
			return
		}
		channel, err := s.allowed(r, scopes)
		if err == nil && s.fault("apidisabled") {
			err = &apiError{http.StatusForbidden, "usageLimits", "accessNotConfigured", disabled}
		}
		if err == nil {
			err = do(w, r, channel)
		}
		if err != nil {
			writeJSON(w, err.code, map[string]any{"error": map[string]any{
				"code": err.code, "message": err.text,
				"errors": []map[string]string{{"message": err.text, "domain": err.domain, "reason": err.reason}},
			}})
		}
	})
}

// disabled is how Google says that an API is not enabled.
const disabled = "YouTube Data API v3 has not been used in project 123456789012 before or it is disabled. " +
	"Enable it by visiting " +
	"https://console.developers.google.com/apis/api/youtube.googleapis.com/overview?project=123456789012 then retry."

// blockPage is what a firewall or a captive portal answers.
const blockPage = "<!DOCTYPE html><title>Attention Required!</title><h1>Sorry, you have been blocked</h1>"

// out answers instead of YouTube or Google: 503 while that fault is on, or the page of a firewall.
func (s *Server) out(w http.ResponseWriter, fault string) bool {
	switch {
	case s.fault("blocked"):
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusForbidden)
		w.Write([]byte(blockPage))
	case s.fault(fault):
		http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
	default:
		return false
	}
	return true
}

// apiError is a refusal.
type apiError struct {
	code                 int
	domain, reason, text string
}

func bad(reason, text string) *apiError {
	return &apiError{http.StatusBadRequest, "youtube.video", reason, text}
}

func notFound(reason, text string) *apiError {
	return &apiError{http.StatusNotFound, "youtube.video", reason, text}
}

func broken(err error) *apiError {
	return &apiError{http.StatusInternalServerError, "global", "backendError", err.Error()}
}

const maxJSON = 1 << 20

// readJSON reads the body of a call.
func readJSON(w http.ResponseWriter, r *http.Request, v any) *apiError {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxJSON)).Decode(v); err != nil {
		return &apiError{http.StatusBadRequest, "global", "badRequest", "Invalid JSON payload received."}
	}
	return nil
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	w.Write(body)
}

func random() string { return rand.Text() }
