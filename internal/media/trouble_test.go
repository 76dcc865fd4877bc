// Tests of what a service's troubles mean, with services that answer what a test wants.

package media

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// answers is a store at a service that a test plays.
func answers(t *testing.T, service http.HandlerFunc) *S3 {
	t.Helper()
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	s, err := NewS3(S3Config{Endpoint: server.URL, Region: "us-east-1", Bucket: "videos", AccessKey: "key",
		SecretKey: "secret"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// A job looks again every few minutes: that makes the time no longer for which files wait.
func TestTrouble_EndsAfterItsPatienceHoweverOftenSomebodyLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &S3{patience: 24 * time.Hour, failed: clocks{}}
		fails := func(kind call) bool {
			err := s.met(context.Background(), kind, errors.New("connection refused"))
			return waits(err)
		}
		for began := time.Now(); time.Since(began) < 25*time.Hour; time.Sleep(5 * time.Minute) {
			if got, want := fails(writes), time.Since(began) < 24*time.Hour; got != want {
				t.Fatalf("after %v: got waits %v; want %v", time.Since(began), got, want)
			}
			s.works(reads) // it can be read, and refuses every write
		}
		if !fails(reads) {
			t.Error("reading has just begun to fail, and does not wait")
		}
		s.works(writes)
		if !fails(writes) {
			t.Error("after a write that worked: got no wait")
		}
		time.Sleep(forgotten + time.Second)
		s.patience = 30 * time.Minute
		if !fails(writes) {
			t.Error("a failure of long ago counts: nobody asked in between")
		}
	})
}

func TestObject_AFileThatWasReplacedIsNotReadOn(t *testing.T) {
	etag, content := "one", "0123456789"
	s := answers(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"`+etag+`"`)
		w.Header().Set("Last-Modified", "Sun, 22 Nov 2026 00:00:00 GMT")
		switch want := r.Header.Get("If-Match"); {
		case r.Method == http.MethodHead:
			w.Header().Set("Content-Length", "10")
		case want != "" && want != `"`+etag+`"`:
			w.WriteHeader(http.StatusPreconditionFailed)
		default:
			w.Header().Set("Content-Range", "bytes 5-9/10")
			w.WriteHeader(http.StatusPartialContent)
			io.WriteString(w, content[5:])
		}
	})
	file, err := s.Open(t.Context(), "a.mp4")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	half := func() (string, error) {
		if _, err := file.Seek(5, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(file)
		return string(got), err
	}
	if got, err := half(); err != nil || got != "56789" {
		t.Errorf("got %q, %v; want the half of it", got, err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	etag, content = "two", "abcdefghij"
	if got, err := half(); err == nil || got != "" {
		t.Errorf("got %q, %v; want no half of another file", got, err)
	}
}

// A key that may not list the bucket hears 403 of a file that is not there.
func TestDelete_KnowsThatAFileIsGoneByEitherAnswer(t *testing.T) {
	for status, gone := range map[int]bool{http.StatusNotFound: true, http.StatusForbidden: true, http.StatusOK: false} {
		s := answers(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Last-Modified", "Sun, 22 Nov 2026 00:00:00 GMT")
			if r.Method == http.MethodDelete {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			w.WriteHeader(status)
		})
		if err := s.Delete(t.Context(), "a.mp4"); (err == nil) != gone {
			t.Errorf("%d afterwards: got %v; want it known to be gone: %v", status, err, gone)
		}
	}
}
