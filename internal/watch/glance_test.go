// Tests of what answers in place of something that hangs.

package watch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/media"
	"retake.example/internal/retry"
	"retake.example/internal/testrig"
)

// TestGlance_ABucketThatHangsIsSaidToBeAway asks a service that takes each request and answers none.
func TestGlance_ABucketThatHangsIsSaidToBeAway(t *testing.T) {
	hang := make(chan struct{})
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}))
	defer service.Close()
	defer close(hang)
	bucket, err := media.NewS3(media.S3Config{Endpoint: service.URL, Region: "us-east-1", Bucket: "videos",
		AccessKey: "key", SecretKey: "secret"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	defer bucket.Close()
	g := NewGlance(50*time.Millisecond, bucket.Ready)
	var longest time.Duration
	err = testrig.Until(t, func() bool {
		began := time.Now()
		said := g.Err()
		longest = max(longest, time.Since(began))
		return retry.CodeOf(said) == media.CodeUnreachable
	}, func() string { return fmt.Sprint(g.Err()) })
	if err != nil || longest > 3*time.Second {
		t.Errorf("got %v, and a reader who waited %v; want it said to be away, and nobody to wait", err, longest)
	}
	for range 10 {
		if code := retry.CodeOf(g.Err()); code != media.CodeUnreachable {
			t.Errorf("got %q; want it away until it answers", code)
		}
	}
}

func TestGlance_NobodyWaitsForWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan error)
		asked := 0
		g := NewGlance(250*time.Millisecond, func(context.Context) error { asked++; return <-answer })
		look := func() (took time.Duration, err error) {
			began := time.Now()
			err = g.Err()
			return time.Since(began), err
		}
		for range 10 { // ten readers of the page
			if took, err := look(); err != nil || took > 250*time.Millisecond {
				t.Errorf("got %v after %v; want nothing known, soon", err, took)
			}
		}
		away := errors.New("away")
		answer <- away
		if asked != 1 {
			t.Errorf("got %d questions; want one at a time", asked)
		}
		synctest.Wait()
		if took, err := look(); err != away || took > 250*time.Millisecond {
			t.Errorf("got %v after %v; want the last answer", err, took)
		}
		go func() { answer <- nil }()
		synctest.Wait()
		go func() { answer <- nil }()
		if took, err := look(); err != nil || took != 0 {
			t.Errorf("got %v after %v; want it well again", err, took)
		}
	})
}
