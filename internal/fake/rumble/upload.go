// Receiving a video: the API for programs, as its documentation describes it.

package rumble

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
)

// Bounds of one upload, in bytes: Rumble's for a file, and what the words may take together.
const (
	maxFile  = 15 << 30
	maxWords = 1 << 20
)

// form is what an upload brought.
type form struct {
	text         map[string]string
	video, thumb part
}

// part is a file that arrived; path is empty where none did.
type part struct {
	path, name, kind, sum string
	size                  int64
}

// remove deletes the files that are not on the channel.
func (f *form) remove() {
	for _, p := range []part{f.video, f.thumb} {
		if p.path != "" {
			os.Remove(p.path) // gone already when it is on the channel
		}
	}
}

var errTooLarge = errors.New("too large")

// read receives a whole form and writes its files to the folder. What it returns must be removed, after an error too.
func (s *Server) read(r *http.Request) (*form, error) {
	f := &form{text: map[string]string{}}
	parts, err := r.MultipartReader()
	if err != nil {
		return f, err
	}
	room := int64(maxWords)
	for {
		p, err := parts.NextPart()
		if err == io.EOF {
			return f, nil
		}
		if err != nil {
			return f, err
		}
		name := p.FormName()
		if p.FileName() == "" && name != "video" && name != "thumb" {
			text, err := io.ReadAll(io.LimitReader(p, room+1))
			if err != nil {
				return f, err
			}
			if room -= int64(len(text)); room < 0 {
				return f, errTooLarge
			}
			f.text[name] = string(text)
			continue
		}
		into := &part{}
		switch name {
		case "video":
			into = &f.video
		case "thumb":
			into = &f.thumb
		}
		if into.path != "" { // twice
			return f, errors.New("a file came twice")
		}
		into.name, into.kind = p.FileName(), p.Header.Get("Content-Type")
		err = s.keep(into, p)
		if into != &f.video && into != &f.thumb {
			os.Remove(into.path) // a file nobody asked for
		}
		if err != nil {
			return f, err
		}
	}
}

// keep writes a file that arrives to the folder.
func (s *Server) keep(into *part, r io.Reader) error {
	file, err := os.CreateTemp(s.dir, "arriving-")
	if err != nil {
		return err
	}
	into.path = file.Name()
	sum := sha256.New()
	into.size, err = io.Copy(io.MultiWriter(file, tally{sum, s}), io.LimitReader(r, maxFile+1))
	into.sum = hex.EncodeToString(sum.Sum(nil))
	if err == nil && into.size > maxFile {
		err = errTooLarge
	}
	return errors.Join(err, file.Close())
}

// tally counts the bytes that arrive.
type tally struct {
	hash.Hash
	s *Server
}

func (t tally) Write(p []byte) (int, error) {
	t.s.in.Add(int64(len(p)))
	return t.Hash.Write(p)
}

// path returns where a file of the channel is stored. Names are ours.
func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

// problem is what Rumble says about a field.
type problem struct {
	Code    string `json:"code"`
	Message string `json:"message,omitempty"`
}

// cutAfter is how much of an upload arrives before its connection is cut on demand, in bytes: little, because what
// waits in the client's computer counts as sent there.
const cutAfter = 64 << 10

// upload is POST /api/simple-upload.php. The token is checked once all has arrived, as in every PHP program.
func (s *Server) upload(w http.ResponseWriter, r *http.Request) {
	s.posts.Add(1)
	if s.on("blocked") {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, "<!DOCTYPE html><title>Attention Required!</title><h1>Sorry, you have been blocked</h1>")
		return
	}
	if s.on("unavailable") {
		w.Header().Set("Retry-After", "5")
		http.Error(
			w,
			"Service Unavailable",
			http.StatusServiceUnavailable,
		) // before the video is sent, to a client that expects 100-continue
		return
	}
	if s.on("cut") {
		n, _ := io.Copy(io.Discard, io.LimitReader(r.Body, cutAfter))
		s.in.Add(n)
		panic(http.ErrAbortHandler)
	}
	f, err := s.read(r)
	defer f.remove()
	if err != nil {
		if r.Context().Err() != nil || errors.Is(err, io.ErrUnexpectedEOF) {
			panic(http.ErrAbortHandler) // the client is gone
		}
		refuse(w, http.StatusOK, map[string]problem{"_": {"BAD_REQUEST", err.Error()}})
		return
	}
	if s.on("badtoken") || s.opts.AccessToken == "" || f.text["access_token"] != s.opts.AccessToken {
		refuse(w, http.StatusForbidden, map[string]problem{"access_token": {"INVALID", "Access denied"}})
		return
	}
	problems := f.check()
	if s.on("refused") {
		problems["title"] = problem{"NOT_ALLOWED", "This title is not allowed"}
	}
	if len(problems) > 0 {
		refuse(w, http.StatusOK, problems)
		return
	}
	v, number, err := s.add(f, false)
	if err != nil {
		refuse(w, http.StatusOK, map[string]problem{"_": {Code: "SOMETHING_WENT_WRONG"}})
		return
	}
	if s.on("lost") {
		panic(http.ErrAbortHandler)
	}
	embed := s.opts.BaseURL + "/embed/" + v.ID + "/"
	answer(w, http.StatusOK, map[string]any{
		"success": true, "video_id": v.ID, "video_id_int": number,
		"url_monetized": v.URL + "?mref=demo&mc=demo", "embed_url_monetized": embed,
		"embed_html_monetized": `<iframe src="` + embed + `"></iframe>`, "embed_js_monetized": "",
	})
}

var digits = regexp.MustCompile(`^[0-9]{1,18}$`)

// check returns the fields that Rumble would refuse.
func (f *form) check() map[string]problem {
	problems := map[string]problem{}
	for _, field := range []string{"title", "description"} {
		if strings.TrimSpace(f.text[field]) == "" {
			problems[field] = problem{"REQUIRED", "This field is required"}
		}
	}
	if l := f.text["license_type"]; l != "0" && l != "6" {
		problems["license_type"] = problem{"INVALID", "Choose 0 or 6"}
	}
	if c := f.text["channel_id"]; c != "" && !digits.MatchString(c) {
		problems["channel_id"] = problem{"INVALID", "There is no such channel"}
	}
	if f.video.size == 0 {
		problems["video"] = problem{"REQUIRED", "A video is required"}
	}
	if f.thumb.path != "" && f.thumb.kind != "image/jpeg" && f.thumb.kind != "image/png" {
		problems["thumb"] = problem{"INVALID", "A picture is JPEG or PNG"}
	}
	return problems
}

func refuse(w http.ResponseWriter, status int, problems map[string]problem) {
	answer(w, status, map[string]any{"success": false, "errors": problems})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

// slug is the part of an address that is made of the title.
func slug(title string) string {
	words := strings.FieldsFunc(strings.ToLower(title), func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	text := strings.Join(words, "-")
	if text = strings.TrimRight(text[:min(len(text), 50)], "-"); text == "" {
		return "video"
	}
	return text
}
