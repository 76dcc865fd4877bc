// The server: what it stores, what it can be asked, and the trouble it makes on demand.

// Package rumble is a fake of Rumble: the upload API, a page on which a person uploads by hand, and the pages on
// which the videos play.
//
// Tests run the real client against it, and the offline demo is the same program with this server behind it.
package rumble

import (
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Options are the account that this Rumble has.
type Options struct {
	AccessToken string           // the one that may upload
	BaseURL     string           // the address of this server, with the path it is mounted at
	Now         func() time.Time // nil = time.Now
}

// Server is Rumble for exactly one account. Its videos are files in a temporary folder, which Close removes. It may be
// used by any number of goroutines.
type Server struct {
	opts   Options
	dir    string
	mux    *http.ServeMux
	faults []*fault
	in     atomic.Int64 // bytes
	posts  atomic.Int64

	mu     sync.Mutex
	videos []Video
	last   int64 // number
}

// Video is one video on the channel.
type Video struct {
	ID          string // v1abc
	URL         string // of its page
	Title       string
	Description string
	License     string // "0" or "6"; "" = by hand
	ChannelID   string
	Guid        string
	Name        string // of the file
	Type        string // video/mp4
	Size        int64
	SHA256      string // in hexadecimal digits
	Thumb       bool   // there is a picture
	ThumbType   string
	ByHand      bool
	At          time.Time
}

// Fault is a kind of trouble, with a switch.
type Fault struct {
	ID, Label, Hint string
	On              func() bool
	Set             func(bool)
}

type fault struct {
	id, label, hint string
	on              atomic.Bool
}

func faults() []*fault {
	return []*fault{
		{
			id:    "unavailable",
			label: "Out of service",
			hint:  "Uploads are refused with 503. Retake waits and tries again.",
		},
		{
			id:    "blocked",
			label: "A firewall in between",
			hint:  "It answers uploads with 403 and a page that isn't Rumble's. Retake waits.",
		},
		{
			id:    "cut",
			label: "Connection breaks",
			hint:  "It breaks in the middle of an upload. Retake sends the video again.",
		},
		{
			id:    "lost",
			label: "Answer gets lost",
			hint:  "The video arrives, the answer does not. Retake asks you to look.",
		},
		{id: "badtoken", label: "Token refused", hint: "403, as when the token was withdrawn or the account banned."},
		{id: "refused", label: "Title refused", hint: "Rumble does not like the title. Retake opens the form at it."},
	}
}

//go:embed page
var pageFiles embed.FS

// firstNumber makes the ids look like Rumble's.
const firstNumber = 400_000_000

// New returns an empty channel. It returns an error if its folder cannot be made.
func New(opts Options) (*Server, error) {
	dir, err := os.MkdirTemp("", "retake-rumble-")
	if err != nil {
		return nil, err
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Server{opts: opts, dir: dir, mux: http.NewServeMux(), faults: faults(), last: firstNumber}
	assets, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	files := http.FileServerFS(assets)
	for _, name := range []string{"page.css", "copy.js", "icon.svg"} {
		s.mux.Handle("GET /"+name, files)
	}
	s.mux.HandleFunc("POST /api/simple-upload.php", s.upload)
	s.mux.HandleFunc("GET /upload.php", s.form)
	s.mux.Handle("POST /upload.php", http.NewCrossOriginProtection().Handler(http.HandlerFunc(s.byHand)))
	s.mux.HandleFunc("GET /files/{name}", s.file)
	s.mux.HandleFunc("GET /{page}", s.watch)
	return s, nil
}

// Close removes the videos. Call it after the HTTP server that carries this handler is closed.
func (s *Server) Close() error { return os.RemoveAll(s.dir) }

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache")
	s.mux.ServeHTTP(w, r)
}

// Faults returns the switches; all are off at first.
func (s *Server) Faults() []Fault {
	var all []Fault
	for _, f := range s.faults {
		all = append(all, Fault{f.id, f.label, f.hint, f.on.Load, f.on.Store})
	}
	return all
}

// on reports whether the trouble of that id is switched on.
func (s *Server) on(id string) bool {
	i := slices.IndexFunc(s.faults, func(f *fault) bool { return f.id == id })
	return s.faults[i].on.Load()
}

// Videos returns the videos of the channel, the oldest first.
func (s *Server) Videos() []Video {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.videos)
}

// BytesIn returns how many bytes of files arrived, including those of uploads that failed.
func (s *Server) BytesIn() int64 { return s.in.Load() }

// Posts returns how many uploads were begun.
func (s *Server) Posts() int { return int(s.posts.Load()) }

func (s *Server) video(id string) (Video, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.videos, func(v Video) bool { return v.ID == id })
	if i < 0 {
		return Video{}, false
	}
	return s.videos[i], true
}

// add puts a video that has arrived on the channel.
func (s *Server) add(f *form, byHand bool) (Video, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	number := s.last + 1
	v := Video{
		ID: "v" + strconv.FormatInt(
			number,
			36,
		),
		Title:       f.text["title"],
		Description: f.text["description"],
		License:     f.text["license_type"],
		ChannelID:   f.text["channel_id"],
		Guid:        f.text["guid"],
		Name:        f.video.name,
		Type:        f.video.kind,
		Size:        f.video.size,
		SHA256:      f.video.sum,
		Thumb:       f.thumb.size > 0,
		ThumbType:   f.thumb.kind,
		ByHand:      byHand,
		At:          s.opts.Now(),
	}
	v.URL = fmt.Sprintf("%s/%s-%s.html", s.opts.BaseURL, v.ID, slug(v.Title))
	if err := os.Rename(f.video.path, s.path(v.ID+".video")); err != nil {
		return Video{}, 0, err
	}
	if v.Thumb {
		if err := os.Rename(f.thumb.path, s.path(v.ID+".picture")); err != nil {
			return Video{}, 0, err
		}
	}
	s.last = number
	s.videos = append(s.videos, v)
	return v, number, nil
}
