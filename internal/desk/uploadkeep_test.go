// Tests of an upload that cannot be kept: nothing is left of its files.

package desk

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/store"
	"retake.example/internal/video"
)

// shelf keeps the keys of files, and fails to keep those with an ending.
type shelf struct {
	keys  map[string]bool
	fails string
}

func (s *shelf) Ready(context.Context) error { return nil }
func (s *shelf) Open(context.Context, string) (io.ReadSeekCloser, error) {
	return nil, errors.New("not now")
}
func (s *shelf) Delete(_ context.Context, key string) error { delete(s.keys, key); return nil }
func (s *shelf) Put(_ context.Context, key, _ string, _ func(int64)) error {
	s.keys[key] = true // a part of it
	if s.fails != "" && strings.HasSuffix(key, s.fails) {
		return errors.New("no room")
	}
	return nil
}

// ofFFmpeg is an error with a code of the package video.
type ofFFmpeg struct {
	error
	code string
}

func (e ofFFmpeg) Code() string { return e.code }

func TestUpload_OneThatCannotBeKeptLeavesNeitherFilmNorPicture(t *testing.T) {
	for name, c := range map[string]struct {
		fails  string
		broken bool // the database
		kept   int  // files
		look   error
	}{"kept": {kept: 2}, "ffprobe was killed": {look: ofFFmpeg{errors.New("killed"), video.CodeMachine}},
		"ffprobe took too long":   {look: ofFFmpeg{errors.New("took longer than 30s"), video.CodeTimeout}},
		"no room for the picture": {fails: ".jpg"}, "no room for the film": {fails: ".mp4"},
		"not written down": {broken: true}} {
		r := newRig(t)
		if c.broken {
			r.mutate(`CREATE TRIGGER broken BEFORE INSERT ON assets BEGIN SELECT raise(ABORT, 'broken'); END`)
		}
		files := &shelf{keys: map[string]bool{}, fails: c.fails}
		uploads, err := NewUploads(filepath.Join(t.TempDir(), "uploads"), 1000, time.Second, func(int64) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		r.opts.Uploads, r.opts.Files = uploads, files
		r.opts.Inspect = func(_ context.Context, path string) (video.Video, error) {
			return video.Video{Path: path, Thumb: path}, c.look
		}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			q = q.WithContext(context.WithValue(q.Context(), visitorKey{}, visitor{admin: store.Admin{ID: 8, Owner: true}}))
			if err := r.Upload(w, q); err != nil {
				r.Desk.Fail(w, q, err, false)
			}
		}))
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		file(form, "\x00\x00\x00\x0cftypisom\x00\x00\x00\x0cmdat1234")
		form.Close()
		req, err := http.NewRequest(http.MethodPost, server.URL, &body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", form.FormDataContentType())
		req.Header.Set("Accept", "application/json")
		answer, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		server.Close()
		if len(files.keys) != c.kept || (answer.StatusCode == http.StatusOK) != (c.kept > 0) {
			t.Errorf("%s: got %s with %v left; want %d files", name, answer.Status, slices.Sorted(maps.Keys(files.keys)), c.kept)
		}
		if unable := answer.StatusCode == http.StatusServiceUnavailable; unable != (c.look != nil) {
			t.Errorf("%s: got %s", name, answer.Status)
		}
		if n := r.number(`SELECT count(*) FROM assets`); n != c.kept/2 {
			t.Errorf("%s: got %d videos", name, n)
		}
	}
}
