// What the tests share: a fake of YouTube, a connected channel, a film and a clock.

package youtube

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	fake "retake.example/internal/fake/youtube"
)

var session = [32]byte{1, 2, 3}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is YouTube and a client of it, with one clock.
type world struct {
	*testing.T
	tube   *fake.Server
	front  *httptest.Server
	client *Client
	clock  *clock
	before func(http.ResponseWriter, *http.Request) bool // answers a request instead of YouTube when it returns true
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, clock: &clock{at: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}}
	w.tube = fake.New(fake.Options{ClientID: "client", ClientSecret: "secret", Now: w.clock.Now})
	w.front = httptest.NewServer(
		strict(t, http.StripPrefix("/google", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if w.before == nil || !w.before(rw, r) {
				w.tube.ServeHTTP(rw, r)
			}
		}))),
	)
	w.tube.SetBaseURL(w.front.URL + "/google")
	w.client = New(Config{
		ClientID:     "client",
		ClientSecret: "secret",
		BaseURL:      w.front.URL + "/google",
		AuthURL:      w.front.URL + "/google/o/oauth2/v2/auth",
		TokenURL:     w.front.URL + "/google/token",
		RedirectURL:  "http://localhost:8080/channels/callback",
		WatchURL:     w.front.URL + "/google/watch?v=",
		Now:          w.clock.Now,
	})
	t.Cleanup(func() {
		w.client.http.CloseIdleConnections()
		w.front.Close()
		w.tube.Close()
	})
	return w
}

// decide is the admin at the consent page: it returns what the browser brings back.
func (w *world) decide(at, decision, channel string) url.Values {
	w.Helper()
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := browser.PostForm(at, url.Values{"decision": {decision}, "channel": {channel}})
	if err != nil {
		w.Fatal(err)
	}
	res.Body.Close()
	back, err := res.Location()
	if err != nil {
		w.Fatalf("consent page: %s, %v", res.Status, err)
	}
	return back.Query()
}

const north, family = "UCgreetingsFromTheNorth1", "UCfamilyCelebrations002"

func (w *world) grant() Grant {
	w.Helper()
	g, err := w.client.Answer(context.Background(), session, w.decide(w.client.Ask(session, ""), "allow", north))
	if err != nil {
		w.Fatal(err)
	}
	return g
}

func (w *world) account() *Account {
	w.Helper()
	return w.client.With(w.grant().Token, nil)
}

// film is a video of that many random bytes.
func film(size int) (Video, string) {
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{7}).Read(data)
	sum := sha256.Sum256(data)
	return Video{File: bytes.NewReader(data), Size: int64(size), Type: "video/mp4"}, hex.EncodeToString(sum[:])
}

func png() *strings.Reader { return strings.NewReader("\x89PNG\r\n\x1a\n0000") }

var about = Metadata{
	Title: "A greeting", Description: "From us.\nFor you.", Tags: []string{"greeting", "new year"}, Language: "en",
	Privacy: "unlisted", Category: "22", Kids: true,
}

// states keeps what is saved, as a database does.
type states struct {
	last State
	all  []State
}

func (s *states) save(next State) error {
	s.last = next
	s.all = append(s.all, next)
	return nil
}

// publish calls Publish once.
func (s *states) publish(a *Account, v Video, m Metadata) (time.Duration, error) {
	return a.Publish(context.Background(), v, m, s.last, s.save)
}

// finish calls Publish until it is done.
func (s *states) finish(w *world, a *Account, v Video, m Metadata) error {
	for {
		again, err := s.publish(a, v, m)
		if err != nil || again == 0 {
			return err
		}
		w.clock.Add(again)
	}
}

// wantError looks at an error's reason.
func wantError(t *testing.T, err error, reason string) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Reason() != reason {
		t.Fatalf("got %v; want the reason %s", err, reason)
	}
	return e
}

// writeAnswer answers with JSON.
func writeAnswer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}
