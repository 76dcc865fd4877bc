// The pages that people see: consent, and a video that plays.

package youtube

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

//go:embed page
var pageFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "page/*.html"))

// show writes a page, which may load only what this server has. back is where its form may lead to.
func show(w http.ResponseWriter, status int, name, back string, data any) {
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, name, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; media-src 'self'; img-src 'self';"+
		" base-uri 'none'; frame-ancestors 'none'; form-action 'self' "+back)
	w.WriteHeader(status)
	w.Write(out.Bytes())
}

func (s *Server) css(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, pageFiles, "page/page.css")
}

// asked are the scopes in words.
var asked = map[string]string{
	"youtube.upload":    "Upload videos and set their pictures",
	"youtube.readonly":  "See your channel and how your videos are doing",
	"youtube.force-ssl": "Change and delete videos, and add them to playlists",
}

// consentRequest is what the app asks for, in the address of the page.
type consentRequest struct {
	redirect *url.URL
	code     code
	state    string
}

// readConsent reads it, or returns what Google would refuse.
func (s *Server) readConsent(q url.Values) (consentRequest, string) {
	back, err := url.Parse(q.Get("redirect_uri"))
	c := consentRequest{redirect: back, state: q.Get("state"), code: code{
		redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge"), scopes: strings.Fields(q.Get("scope")),
		offline: q.Get("access_type") == "offline" && q.Get("prompt") == "consent",
	}}
	switch {
	case q.Get("client_id") == "" || q.Get("client_id") != s.opts.ClientID:
		return c, "Error 401: invalid_client"
	case err != nil || back.Host == "" || back.Scheme != "http" && back.Scheme != "https" ||
		strings.ContainsAny(back.Host, " ;,'"):
		return c, "Error 400: redirect_uri_mismatch"
	case q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || c.code.challenge == "":
		return c, "Error 400: invalid_request"
	case len(c.code.scopes) == 0:
		return c, "Error 400: invalid_scope"
	}
	for _, scope := range c.code.scopes {
		if asked[strings.TrimPrefix(scope, scopeBase)] == "" {
			return c, "Error 400: invalid_scope"
		}
	}
	return c, ""
}

func (s *Server) askConsent(w http.ResponseWriter, r *http.Request) {
	c, problem := s.readConsent(r.URL.Query())
	data := map[string]any{"Problem": problem, "Root": s.base()}
	if problem != "" {
		show(w, http.StatusBadRequest, "consent.html", "", data)
		return
	}
	var wishes []string
	for _, scope := range c.code.scopes {
		wishes = append(wishes, asked[strings.TrimPrefix(scope, scopeBase)])
	}
	data["Channels"], data["Wishes"], data["Host"] = s.opts.Channels, wishes, c.redirect.Host
	show(w, http.StatusOK, "consent.html", c.redirect.Scheme+"://"+c.redirect.Host, data)
}

// answerConsent sends the browser back to the app with the decision.
func (s *Server) answerConsent(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxJSON)
	c, problem := s.readConsent(r.URL.Query())
	chosen := slices.ContainsFunc(s.opts.Channels, func(o Channel) bool { return o.ID == r.PostFormValue("channel") })
	allowed := r.PostFormValue("decision") == "allow"
	if problem == "" && allowed && !chosen {
		problem = "No channel is chosen"
	}
	if problem != "" {
		show(w, http.StatusBadRequest, "consent.html", "", map[string]any{"Problem": problem, "Root": s.base()})
		return
	}
	q := c.redirect.Query()
	q.Set("state", c.state)
	if allowed {
		c.code.channel, c.code.until = r.PostFormValue("channel"), s.opts.Now().Add(codeTime)
		key := "4/fake-" + random()
		s.mu.Lock()
		s.codes[key] = c.code
		s.mu.Unlock()
		q.Set("code", key)
		q.Set("scope", strings.Join(c.code.scopes, " "))
	} else {
		q.Set("error", "access_denied")
	}
	c.redirect.RawQuery = q.Encode()
	http.Redirect(w, r, c.redirect.String(), http.StatusFound)
}

// watch shows a video to everybody, because nobody can sign in here. A real private video is seen by its channel only.
func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	v := s.find(r.URL.Query().Get("v"), "")
	data := map[string]any{"Root": s.base()}
	if v == nil {
		data["Title"] = "This video isn't available any more"
		show(w, http.StatusNotFound, "watch.html", "", data)
		return
	}
	i := slices.IndexFunc(s.opts.Channels, func(c Channel) bool { return c.ID == v.channel })
	got := s.resource(v, "snippet,status")
	data["ID"], data["Title"], data["Description"], data["Tags"] = v.id, got.Snippet.Title, got.Snippet.Description,
		got.Snippet.Tags
	data["Channel"], data["Privacy"] = s.opts.Channels[i].Title, got.Status.Privacy
	s.mu.Lock()
	data["Thumb"] = len(v.thumb) > 0
	s.mu.Unlock()
	switch {
	case got.Status.RejectionReason == "legal":
		data["State"] = "Removed for a legal reason"
	case got.Status.UploadStatus == "rejected":
		data["State"] = "Removed because of a copyright claim"
	case got.Status.UploadStatus == "uploaded":
		data["State"] = "Still being processed"
	case got.Status.PublishAt != nil:
		data["State"] = "Becomes public on " + got.Status.PublishAt.UTC().Format("2 January 2006, 15:04 UTC")
	}
	show(w, http.StatusOK, "watch.html", "", data)
}

// play serves a video's bytes, in ranges, as players want them.
func (s *Server) play(w http.ResponseWriter, r *http.Request) {
	v := s.find(r.PathValue("id"), "")
	if v == nil {
		http.NotFound(w, r)
		return
	}
	f, err := os.Open(filepath.Join(s.dir, v.id))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Type", v.kind)
	http.ServeContent(w, r, "", v.uploaded, f)
}

func (s *Server) showThumb(w http.ResponseWriter, r *http.Request) {
	v := s.find(r.PathValue("id"), "")
	if v == nil {
		http.NotFound(w, r)
		return
	}
	s.mu.Lock()
	data, kind := v.thumb, v.thumbKind
	s.mu.Unlock()
	w.Header().Set("Content-Type", kind)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}
