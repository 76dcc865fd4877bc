// The pages for people: uploading by hand, and watching.

package rumble

import (
	"bytes"
	"html/template"
	"net/http"
	"os"
	"strings"
	"unicode/utf8"
)

// pagePolicy lets the pages load and reach nothing but this server.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self';" +
	" base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

var pages = template.Must(template.ParseFS(pageFiles, "page/*.html"))

// show writes a page.
func show(w http.ResponseWriter, status int, name string, data any) {
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, name, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(out.Bytes())
}

// uploadPage is the page of uploading by hand; Done is the video that has just arrived.
type uploadPage struct {
	Title, Description string
	Fault              string
	Done               *Video
}

// form is GET /upload.php.
func (s *Server) form(w http.ResponseWriter, r *http.Request) {
	var p uploadPage
	if v, ok := s.video(r.URL.Query().Get("done")); ok {
		p.Done = &v
	}
	show(w, http.StatusOK, "upload.html", p)
}

// maxTitle bounds a title given by hand, in characters.
const maxTitle = 200

// byHand is POST /upload.php.
func (s *Server) byHand(w http.ResponseWriter, r *http.Request) {
	if s.on("unavailable") {
		show(
			w,
			http.StatusServiceUnavailable,
			"upload.html",
			uploadPage{Fault: "Out of service, because you switched it so. Try again later."},
		)
		return
	}
	s.posts.Add(1)
	f, err := s.read(r)
	defer f.remove()
	p := uploadPage{Title: f.text["title"], Description: f.text["description"]}
	f.text["title"] = strings.TrimSpace(f.text["title"])
	switch {
	case err != nil:
		p.Fault = "The upload did not arrive whole."
	case f.text["title"] == "" || utf8.RuneCountInString(f.text["title"]) > maxTitle:
		p.Fault = "Give it a title of up to 200 characters, and choose the file again."
	case f.video.size == 0:
		p.Fault = "Choose a video."
	case !strings.HasPrefix(f.video.kind, "video/"):
		p.Fault = "This file is not a video. Choose another."
	}
	if p.Fault != "" {
		show(w, http.StatusUnprocessableEntity, "upload.html", p)
		return
	}
	f.text["license_type"] = ""
	v, _, err := s.add(f, true)
	if err != nil {
		p.Fault = "The video could not be kept."
		show(w, http.StatusInternalServerError, "upload.html", p)
		return
	}
	w.Header().Set("Location", "upload.php?done="+v.ID) // relative, so that the server can be mounted anywhere
	w.WriteHeader(http.StatusSeeOther)
}

// watch is GET /v1abc-title.html.
func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutSuffix(r.PathValue("page"), ".html")
	id, _, _ := strings.Cut(name, "-")
	v, found := s.video(id)
	if !ok || !found {
		http.NotFound(w, r)
		return
	}
	show(w, http.StatusOK, "watch.html", v)
}

// file is GET /files/v1abc.video and .picture, in ranges, as players want them.
func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	id, what, _ := strings.Cut(r.PathValue("name"), ".")
	v, ok := s.video(id)
	kind := v.Type
	switch what {
	case "video":
		if !strings.HasPrefix(kind, "video/") {
			kind = "application/octet-stream" // an upload must not become a page of this site
		}
	case "picture":
		kind, ok = v.ThumbType, ok && v.Thumb
	default:
		ok = false
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	f, err := os.Open(s.path(v.ID + "." + what))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Type", kind)
	http.ServeContent(w, r, "", v.At, f)
}
