// Tests of files that a store refuses to delete, on a real disk and in a bucket.

package media

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestSweeper_WhatIsNotDeletedIsTriedAgain(t *testing.T) {
	var refuses atomic.Bool
	bucket := fakeS3(t, false, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodDelete && refuses.Load() {
			refuse(w, r, http.StatusForbidden, "AccessDenied")
			return
		}
		next.ServeHTTP(w, r)
	})
	disk, dir := newDisk(t)
	lock := filepath.Join(dir, "a.mp4", "lock") // a folder that is not empty is deleted by nobody
	for name, c := range map[string]struct {
		store  Store
		refuse func(bool)
		code   string
	}{
		"on disk": {disk, func(on bool) {
			var err error
			if on {
				if err = os.Remove(filepath.Join(dir, "a.mp4")); err == nil {
					err = os.MkdirAll(lock, 0o700)
				}
			} else {
				err = os.Remove(lock)
			}
			if err != nil {
				t.Fatal(err)
			}
		}, ""},
		"in a bucket": {bucket, refuses.Store, CodePermission},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewSweeper(c.store)
			for _, key := range []string{"a.mp4", "b.mp4"} {
				if err := s.Put(t.Context(), key, source(t, "a film"), nil); err != nil {
					t.Fatal(err)
				}
			}
			if u := s.Undeleted(); u != (Undeleted{}) {
				t.Errorf("got %+v; want none", u)
			}
			c.refuse(true)
			began := time.Now()
			if err := s.Delete(t.Context(), "a.mp4"); err == nil {
				t.Fatal("got no error; want it refused")
			}
			since := s.Undeleted().Since
			for range 2 { // hours later
				if err := s.DeleteAgain(t.Context(), allOf); err == nil {
					t.Error("got no error; want it refused again")
				}
				if u := s.Undeleted(); u.Files != 1 || u.Since.Before(began) || u.Since != since || codeOf(u.Err) != c.code {
					t.Errorf("got %+v; want one file since then", u)
				}
			}
			stopped, stop := context.WithCancel(t.Context())
			stop()
			if err := s.Delete(stopped, "b.mp4"); err != nil && s.Undeleted().Files != 1 {
				t.Errorf("got %+v; want no more because the program stopped", s.Undeleted())
			}
			c.refuse(false)
			if err := s.DeleteAgain(t.Context(), allOf); err != nil {
				t.Error(err)
			}
			if u, left := s.Undeleted(), keys(t, c.store); u != (Undeleted{}) || slices.Contains(left, "a.mp4") {
				t.Errorf("got %+v, %q left; want it gone", u, left)
			}
		})
	}
}

func TestSweeper_WhatIsNeededAgainIsNotDeleted(t *testing.T) {
	m := &memory{keys: map[string]bool{"a": true, "b": true}, stuck: map[string]bool{"a": true, "b": true}}
	s := NewSweeper(m)
	for _, key := range []string{"a", "b"} {
		if err := s.Delete(t.Context(), key); err == nil {
			t.Fatal("got no error; want it refused")
		}
	}
	m.stuck = nil
	if err := s.Put(t.Context(), "a", "", nil); err != nil { // there is another file of that name now
		t.Fatal(err)
	}
	none := func(context.Context, []string) ([]string, error) { return nil, nil }
	if err := s.DeleteAgain(t.Context(), none); err != nil || !m.keys["a"] || !m.keys["b"] || s.Undeleted().Files != 0 {
		t.Errorf("got %v, %v left, %+v; want both kept", err, m.keys, s.Undeleted())
	}
}

// A service whose ETag is a sum of what it keeps is believed by that: the file is not fetched once more.
func TestS3_WhatTheETagProvesIsNotFetched(t *testing.T) {
	var fetched atomic.Int64
	bucket := fakeS3(t, false, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "a.mp4") {
			fetched.Add(1)
		}
		next.ServeHTTP(w, r)
	})
	if err := bucket.Put(t.Context(), "a.mp4", source(t, "a film"), nil); err != nil || fetched.Load() != 0 {
		t.Errorf("got %v, and the file fetched %d times; want it kept and not fetched", err, fetched.Load())
	}
}
