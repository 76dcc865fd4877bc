// The page, its one action, and its security headers.

// Package stage is a page in the browser that shows the fakes of platforms: the trouble that each can make, with a
// switch for each kind, and the videos it holds. It works without JavaScript; with it the page is live.
package stage

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"slices"
)

// Platform is one fake. Its functions may be called by several goroutines at once.
type Platform struct {
	ID, Name string
	Switches []Switch
	Videos   func() []Video // the oldest first
}

// Switch is trouble that can be switched on.
type Switch struct {
	ID, Label, Hint string
	On              func() bool
	Set             func(bool)
}

// Video is one video that a platform holds.
type Video struct {
	Title string
	URL   string // where it plays
	Note  string // what else matters, such as who may see it
	Size  int64  // in bytes
}

//go:embed page
var pageFiles embed.FS

var page = template.Must(template.New("").Funcs(template.FuncMap{"size": size}).ParseFS(pageFiles, "page/index.html"))

// pagePolicy lets the page load and reach nothing but this server.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';" +
	" base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// maxAction bounds the form of one action, in bytes.
const maxAction = 4 << 10

type stage struct {
	title     string
	platforms []Platform
}

// New returns the page, to be served at the root of its own address. All its links are relative, so http.StripPrefix
// may move it.
func New(title string, platforms ...Platform) http.Handler {
	s := &stage{title, platforms}
	assets, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	files := http.FileServerFS(assets)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.index)
	for _, name := range []string{"page.css", "page.js", "icon.svg"} {
		mux.Handle("GET /"+name, files)
	}
	mux.HandleFunc("POST /switch", s.turn)
	guarded := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache")
		guarded.ServeHTTP(w, r)
	})
}

// shown is a platform as it is at one moment.
type shown struct {
	ID, Name string
	Switches []shownSwitch
	Trouble  int // switches that are on
	Videos   []Video
}

type shownSwitch struct {
	ID, Label, Hint string
	On              bool
}

func (s *stage) index(w http.ResponseWriter, r *http.Request) {
	var platforms []shown
	for _, p := range s.platforms {
		now := shown{ID: p.ID, Name: p.Name, Videos: slices.Clone(p.Videos())}
		slices.Reverse(now.Videos)
		for _, x := range p.Switches {
			on := x.On()
			if on {
				now.Trouble++
			}
			now.Switches = append(now.Switches, shownSwitch{x.ID, x.Label, x.Hint, on})
		}
		platforms = append(platforms, now)
	}
	var out bytes.Buffer
	if err := page.ExecuteTemplate(
		&out,
		"index.html",
		map[string]any{"Title": s.title, "Platforms": platforms},
	); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store") // the state is in there
	w.Write(out.Bytes())
}

// turn is POST /switch with platform, switch, and on = yes or no. It sets the state and does not toggle it, so that
// two presses are like one.
func (s *stage) turn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxAction)
	on := r.PostFormValue("on")
	if on != "yes" && on != "no" {
		http.Error(w, "this is not understood", http.StatusBadRequest)
		return
	}
	x := s.find(r.PostFormValue("platform"), r.PostFormValue("switch"))
	if x == nil {
		http.NotFound(w, r)
		return
	}
	x.Set(on == "yes")
	w.Header().Set("Location", "./") // relative, so that the page can be mounted anywhere
	w.WriteHeader(http.StatusSeeOther)
}

func (s *stage) find(platform, id string) *Switch {
	for _, p := range s.platforms {
		i := slices.IndexFunc(p.Switches, func(x Switch) bool { return x.ID == id })
		if p.ID == platform && i >= 0 {
			return &p.Switches[i]
		}
	}
	return nil
}

// size writes a number of bytes for people.
func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1_000_000:
		return fmt.Sprintf("%d kB", n/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
