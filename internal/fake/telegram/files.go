// Files: what was uploaded, its ids, and how it is fetched again.

package telegram

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// maxDownload is what a bot can fetch from Telegram's cloud, in bytes.
const maxDownload = 20 << 20

// file is an upload; its bytes never change.
type file struct {
	id, unique    string
	kind          string // "video", "animation", "document", "voice" or "thumbnail"
	name, mime    string
	path          string // for /file/bot<token>/
	data          []byte
	width, height int
	duration      int // seconds
	thumb         *file
	at            time.Time
	gone          bool // its id is unknown by now; people still see it
}

// keep gives a new file its ids. The lock must be held.
func (s *Server) keep(f *file) {
	prefix, folder, ending := "BAACAgIAAxkBAAI", "videos", "mp4"
	switch f.kind {
	case "animation":
		prefix, folder = "CgACAgIAAxkBAAI", "animations"
	case "document":
		prefix, folder, ending = "BQACAgIAAxkBAAI", "documents", strings.TrimPrefix(path.Ext(f.name), ".")
	case "voice":
		prefix, folder, ending = "AwACAgIAAxkBAAI", "voice", "oga"
	case "thumbnail":
		prefix, folder, ending = "AAMCAgADGQEAAg", "thumbnails", "jpg"
	}
	f.id, f.unique, f.at = prefix+randomText(42), "AgAD"+randomText(9), s.now()
	f.path = fmt.Sprintf("%s/file_%d.%s", folder, len(s.files), ending)
	s.files[f.id] = f
}

func (f *file) wire() map[string]any {
	out := f.document()
	switch f.kind {
	case "document":
		return out
	case "voice":
		out["duration"] = f.duration
		return out
	}
	out["width"], out["height"] = f.width, f.height
	if f.kind != "thumbnail" {
		out["duration"] = f.duration
	}
	return out
}

func (f *file) document() map[string]any {
	out := map[string]any{"file_id": f.id, "file_unique_id": f.unique, "file_size": len(f.data)}
	if f.kind != "thumbnail" {
		out["mime_type"] = f.mime
	}
	if f.name != "" {
		out["file_name"] = f.name
	}
	if f.thumb != nil {
		out["thumbnail"] = f.thumb.wire()
	}
	return out
}

// File returns the bytes of an uploaded file, nil when there is none with that
// id. They must not be changed.
func (s *Server) File(fileID string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.files[fileID]; f != nil {
		return f.data
	}
	return nil
}

// ForgetFiles makes every file_id so far unknown to the bot's calls, as if the
// bot had another token now. People still see their videos.
func (s *Server) ForgetFiles() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.files {
		f.gone = true
	}
}

func (s *Server) getFile(r *request) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files[r.text("file_id")]
	switch {
	case f == nil || f.gone:
		return nil, bad("invalid file_id")
	case len(f.data) > maxDownload:
		return nil, bad("file is too big")
	}
	return map[string]any{"file_id": f.id, "file_unique_id": f.unique, "file_size": len(f.data), "file_path": f.path}, nil
}

// serveFile answers /file/bot<token>/<path>; rest begins with the token.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request, rest string) {
	token, place, _ := strings.Cut(rest, "/")
	if token != s.token {
		writeError(w, &apiError{code: http.StatusUnauthorized, text: "Unauthorized"})
		return
	}
	f := s.fileAt(place)
	if f == nil {
		writeError(w, &apiError{code: http.StatusNotFound, text: "Not Found"})
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", f.at, bytes.NewReader(f.data))
}

func (s *Server) fileAt(place string) *file {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.files {
		if f.path == place {
			return f
		}
	}
	return nil
}

// randomText returns n characters that are safe in a URL.
func randomText(n int) string {
	raw := make([]byte, n)
	rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)[:n]
}

// randomBelow returns a number from 0 to n-1.
func randomBelow(n int64) int64 {
	v, err := rand.Int(rand.Reader, big.NewInt(n))
	if err != nil {
		panic(err) // rand.Reader never fails
	}
	return v.Int64()
}

// randomDigits returns a number with 18 digits, as Telegram names many things.
func randomDigits() string {
	return strconv.FormatInt(100_000_000_000_000_000+randomBelow(900_000_000_000_000_000), 10)
}
