// Resumable uploads: of a part that is cut, a session keeps what arrived in steps of 256 KiB, as the real one does.

package youtube

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const unit = 256 << 10

// session is one upload. The rest may only be touched while work is held.
type session struct {
	work    sync.Mutex
	kick    atomicFunc // ends the request that holds work
	channel string
	file    *os.File
	has     int64
	size    int64
	video   *video // what it will be
	done    bool
	gone    bool
	parts   int // that were taken
	hiccups int // parts that were refused on demand
}

// atomicFunc is a function that may be replaced while it is called.
type atomicFunc struct {
	mu sync.Mutex
	f  func()
}

func (a *atomicFunc) set(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.f = f
}

func (a *atomicFunc) call() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.f != nil {
		a.f()
	}
}

// insert begins an upload.
func (s *Server) insert(w http.ResponseWriter, r *http.Request, channel string) *apiError {
	if r.URL.Query().Get("uploadType") != "resumable" {
		return &apiError{http.StatusBadRequest, "global", "badRequest", "Only resumable uploads are known here."}
	}
	if s.fault("quota") {
		return &apiError{
			http.StatusForbidden,
			"youtube.quota",
			"quotaExceeded",
			"The request cannot be completed because you have exceeded your " +
				`<a href="/youtube/v3/getting-started#quota">quota</a>.`,
		}
	}
	if s.fault("limit") {
		return bad("uploadLimitExceeded", "The user has exceeded the number of videos they may upload.")
	}
	size, err := strconv.ParseInt(r.Header.Get("X-Upload-Content-Length"), 10, 64)
	if err != nil || size <= 0 || !strings.HasPrefix(r.Header.Get("X-Upload-Content-Type"), "video/") {
		return &apiError{
			http.StatusBadRequest,
			"global",
			"mediaBodyRequired",
			"The request does not include the video content.",
		}
	}
	var v resource
	if err := readJSON(w, r, &v); err != nil {
		return err
	}
	video := &video{
		id:      "fake-" + random()[:11],
		channel: channel,
		size:    size,
		kind:    r.Header.Get("X-Upload-Content-Type"),
		notify:  r.URL.Query().Get("notifySubscribers") != "false",
	}
	if err := video.write(v, s.opts.Now()); err != nil {
		return err
	}
	file, err := s.create(video.id)
	if err != nil {
		return broken(err)
	}
	key := "secret-" + random()
	s.mu.Lock()
	s.inserts++
	s.sessions[key] = &session{channel: channel, file: file, size: size, video: video}
	base := s.opts.BaseURL
	s.mu.Unlock()
	w.Header().Set("Location", base+"/upload/youtube/v3/videos?uploadType=resumable&upload_id="+key)
	w.Header().Set("X-GUploader-UploadID", key)
	w.WriteHeader(http.StatusOK)
	return nil
}

// create makes the file of a video.
func (s *Server) create(id string) (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "youtube-")
		if err != nil {
			return nil, err
		}
		s.dir = dir
	}
	return os.Create(filepath.Join(s.dir, id))
}

// put receives a part of an upload, or answers what it has.
func (s *Server) put(w http.ResponseWriter, r *http.Request, channel string) *apiError {
	s.mu.Lock()
	u := s.sessions[r.URL.Query().Get("upload_id")]
	s.mu.Unlock()
	if u == nil || u.channel != channel {
		http.Error(w, "Not Found", http.StatusNotFound)
		return nil
	}
	// A client that lost its connection may be back before the loss is seen here.
	u.kick.call()
	u.work.Lock()
	defer u.work.Unlock()
	control := http.NewResponseController(w)
	u.kick.set(func() { control.SetReadDeadline(time.Unix(1, 0)) })
	defer u.kick.set(nil)
	switch {
	case s.fault("expired"):
		http.Error(w, "Gone", http.StatusGone)
		return nil
	case u.gone:
		http.Error(w, "Not Found", http.StatusNotFound)
		return nil
	case u.done:
		writeJSON(w, http.StatusOK, s.resource(u.video, "snippet,status"))
		return nil
	}
	ranges := r.Header.Get("Content-Range")
	if ranges != fmt.Sprintf("bytes */%d", u.size) {
		var from, to, size int64
		if n, _ := fmt.Sscanf(
			ranges,
			"bytes %d-%d/%d",
			&from,
			&to,
			&size,
		); n != 3 || size != u.size || from > to || to >= size ||
			from != u.has || to-from+1 != r.ContentLength ||
			to+1 < size && r.ContentLength%unit != 0 {
			return &apiError{
				http.StatusBadRequest,
				"global",
				"badRequest",
				"Invalid request. The upload has " + strconv.FormatInt(u.has, 10) + " bytes.",
			}
		}
		if s.fault("hiccups") && u.hiccups < 3 && u.parts == 2*(u.hiccups+1) {
			u.hiccups++
			http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
			return nil
		}
		if err := s.take(u, r, to-from+1); err != nil {
			return err
		}
		u.parts++
	}
	if !u.done {
		if u.has > 0 {
			w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", u.has-1))
		}
		w.WriteHeader(http.StatusPermanentRedirect)
		return nil
	}
	u.gone = s.fault("forgotten")
	if s.fault("lost") || u.gone {
		panic(http.ErrAbortHandler) // net/http closes the connection without an answer
	}
	writeJSON(w, http.StatusOK, s.resource(u.video, "snippet,status"))
	return nil
}

// abandon ends an upload, as the real one does: with 499. One that has become a video stays.
func (s *Server) abandon(w http.ResponseWriter, r *http.Request, channel string) *apiError {
	key := r.URL.Query().Get("upload_id")
	s.mu.Lock()
	u := s.sessions[key]
	s.mu.Unlock()
	if u == nil || u.channel != channel {
		http.Error(w, "Not Found", http.StatusNotFound)
		return nil
	}
	u.kick.call()
	u.work.Lock()
	defer u.work.Unlock()
	if u.done {
		writeJSON(w, http.StatusOK, s.resource(u.video, "snippet,status"))
		return nil
	}
	s.mu.Lock()
	delete(s.sessions, key)
	s.mu.Unlock()
	u.file.Close()
	w.WriteHeader(499)
	return nil
}

// Open counts the uploads that have begun and have not become a video.
func (s *Server) Open() (n int) {
	s.mu.Lock()
	all := slices.Collect(maps.Values(s.sessions))
	s.mu.Unlock()
	for _, u := range all {
		u.work.Lock()
		if !u.done {
			n++
		}
		u.work.Unlock()
	}
	return n
}

// take reads a part of n bytes. Of a part that is cut, it keeps whole steps.
func (s *Server) take(u *session, r *http.Request, n int64) *apiError {
	goal := n
	if s.fault("cut") {
		goal = n / 2
	}
	got, err := io.Copy(io.NewOffsetWriter(u.file, u.has), counted{io.LimitReader(r.Body, goal), s})
	if got < n {
		u.has += got / unit * unit
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		return broken(err)
	}
	if u.has += got; u.has < u.size {
		return nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(u.file, 0, u.size)); err != nil {
		return broken(err)
	}
	if err := u.file.Close(); err != nil {
		return broken(err)
	}
	u.done = true
	s.finish(u.video, hex.EncodeToString(sum.Sum(nil)))
	return nil
}

// counted counts what is read.
type counted struct {
	io.Reader
	s *Server
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.s.bytesIn.Add(int64(n))
	return n, err
}
