// The chat page: its addresses, its actions and the rules of its safety.

package telegram

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// PageOptions is what the chat page shows.
type PageOptions struct {
	Title  string
	People []*Person // their phones, side by side

	// AdminURL is asked at every click for a fresh address to sign in with;
	// nil = no such button.
	AdminURL func() string

	// Platforms is the address of the page with the stand-ins of platforms;
	// "" = no such link.
	Platforms string

	// Broken and SetBroken are behind the switch "Break the renderer"; nil =
	// there is no such switch.
	Broken    func() bool
	SetBroken func(bool)
}

//go:embed page
var pageFiles embed.FS

var pageTemplate = template.Must(template.ParseFS(pageFiles, "page/index.html"))

// pagePolicy lets the page load and reach nothing but this server.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self';" +
	" connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// maxAction bounds the JSON of one action, in bytes.
const maxAction = 64 << 10

type page struct {
	s    *Server
	opts PageOptions
	boot string // tells a page that it must load again, after a restart
}

// Page returns the chat page, to be served at the root of an address of its
// own. All its addresses are relative, so http.StripPrefix may move it.
func (s *Server) Page(opts PageOptions) http.Handler {
	p := &page{s: s, opts: opts, boot: randomText(12)}
	assets, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	files := http.FileServerFS(assets)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.index)
	for _, name := range []string{"page.css", "main.js", "phone.js", "text.js", "story.js", "icon.svg"} {
		mux.Handle("GET /"+name, files)
	}
	mux.HandleFunc("GET /state", p.state)
	mux.HandleFunc("GET /events", p.events)
	mux.HandleFunc("GET /files/{id}", p.file)
	mux.HandleFunc("GET /admin", p.admin)
	mux.HandleFunc("POST /send", p.send)
	mux.HandleFunc("POST /press", p.press)
	mux.HandleFunc("POST /block", p.block)
	mux.HandleFunc("POST /break", p.setBroken)
	guarded := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		guarded.ServeHTTP(w, r)
	})
}

func (p *page) index(w http.ResponseWriter, r *http.Request) {
	var out bytes.Buffer
	err := pageTemplate.Execute(&out, map[string]any{
		"Title": p.opts.Title, "Platforms": p.opts.Platforms, "Admin": p.opts.AdminURL != nil, "Break": p.canBreak(),
		"State": p.picture(),
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store") // the state is in there
	w.Write(out.Bytes())
}

// file serves the bytes behind a message, in ranges, as players want them.
func (p *page) file(w http.ResponseWriter, r *http.Request) {
	p.s.mu.Lock()
	f := p.s.files[r.PathValue("id")]
	p.s.mu.Unlock()
	if f == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.mime)
	http.ServeContent(w, r, "", f.at, bytes.NewReader(f.data))
}

func (p *page) admin(w http.ResponseWriter, r *http.Request) {
	if p.opts.AdminURL == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, p.opts.AdminURL(), http.StatusSeeOther)
}

func (p *page) canBreak() bool { return p.opts.Broken != nil && p.opts.SetBroken != nil }

// person finds one of the people shown; on the page nobody else can act.
func (p *page) person(id int64) *Person {
	i := slices.IndexFunc(p.opts.People, func(q *Person) bool { return q.ID() == id })
	if i < 0 {
		return nil
	}
	return p.opts.People[i]
}

// action reads the JSON of an action into v and says whether it could.
func action(w http.ResponseWriter, r *http.Request, v any) bool {
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAction)).Decode(v) != nil {
		refuse(w, http.StatusBadRequest, "this is not understood")
		return false
	}
	return true
}

func refuse(w http.ResponseWriter, status int, why string) {
	writeJSON(w, status, map[string]any{"ok": false, "error": why})
}

func done(w http.ResponseWriter) { writeJSON(w, http.StatusOK, map[string]any{"ok": true}) }

func (p *page) send(w http.ResponseWriter, r *http.Request) {
	var a struct {
		Person int64  `json:"person"`
		Text   string `json:"text"`
	}
	if !action(w, r, &a) {
		return
	}
	who, text := p.person(a.Person), strings.TrimSpace(a.Text)
	switch {
	case who == nil:
		refuse(w, http.StatusNotFound, "nobody has this phone")
	case text == "" || !utf8.ValidString(text) || units(text) > maxText:
		refuse(w, http.StatusUnprocessableEntity, "a message has 1 to 4096 characters")
	default:
		who.Send(text)
		done(w)
	}
}

func (p *page) press(w http.ResponseWriter, r *http.Request) {
	var a struct {
		Person  int64  `json:"person"`
		Message int    `json:"message"`
		Data    string `json:"data"`
	}
	if !action(w, r, &a) {
		return
	}
	who := p.person(a.Person)
	if who == nil {
		refuse(w, http.StatusNotFound, "nobody has this phone")
		return
	}
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if m := who.chat.find(a.Message); m == nil || !m.has(a.Data) {
		refuse(w, http.StatusConflict, "this button is gone")
		return
	}
	p.s.press(who, who.chat, a.Message, a.Data, false)
	done(w)
}

// has says whether a button with that data is below the message.
func (m *message) has(data string) bool {
	return slices.ContainsFunc(m.buttons, func(row []Button) bool {
		return slices.ContainsFunc(row, func(b Button) bool { return b.URL == "" && b.Data == data })
	})
}

func (p *page) block(w http.ResponseWriter, r *http.Request) {
	var a struct {
		Person  int64 `json:"person"`
		Blocked bool  `json:"blocked"`
	}
	if !action(w, r, &a) {
		return
	}
	who := p.person(a.Person)
	switch {
	case who == nil:
		refuse(w, http.StatusNotFound, "nobody has this phone")
		return
	case a.Blocked:
		who.Block()
	default:
		who.Unblock()
	}
	done(w)
}

func (p *page) setBroken(w http.ResponseWriter, r *http.Request) {
	var a struct {
		Broken bool `json:"broken"`
	}
	if !p.canBreak() {
		http.NotFound(w, r)
		return
	}
	if !action(w, r, &a) {
		return
	}
	p.opts.SetBroken(a.Broken)
	p.s.mu.Lock()
	p.s.broadcast()
	p.s.mu.Unlock()
	done(w)
}
