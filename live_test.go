// Tests of the live page: what open pages are told, who is told nothing any more, and what a real browser makes of it.

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"retake.example/internal/folder"
	"retake.example/internal/media"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// liveOffice is an office whose page is served to real browsers, with a renderer that the test drives.
type liveOffice struct {
	*office
	*stage
	web    *httptest.Server
	out    sync.Map                                 // ids of those who are admins no more
	down   atomic.Bool                              // the network is
	edit   atomic.Pointer[func(page string) string] // of videos
	mu     sync.Mutex
	called []string // "METHOD path?query" of what is no file
}

func newLiveOffice(t *testing.T) *liveOffice {
	t.Helper()
	o := &liveOffice{office: newDesk(t, "http://localhost:8080"), stage: &stage{T: t, steps: make(chan int)}}
	role := o.opts.Role
	o.opts.Role = func(id int64) (store.Admin, bool) {
		_, out := o.out.Load(id)
		a, ok := role(id)
		return a, ok && !out
	}
	disk := o.files.(*media.Disk)
	queue := NewQueue(
		o.store,
		o.stage,
		nil,
		disk,
		Options{Workers: 1, Attempts: 1, Backoff: hours},
		slog.New(slog.DiscardHandler),
	)
	o.Web = NewWeb(o.t.Context(), o.store, queue, disk, o.opts, o.logger)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- queue.Run(ctx) }()
	o.web = httptest.NewServer(http.HandlerFunc(o.serve))
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		o.Web.Close()
		o.web.Close()
	})
	return o
}

func (o *liveOffice) serve(w http.ResponseWriter, r *http.Request) {
	if o.down.Load() {
		panic(http.ErrAbortHandler)
	}
	if !strings.HasPrefix(r.URL.Path, "/static/") {
		o.mu.Lock()
		o.called = append(o.called, r.Method+" "+r.URL.RequestURI())
		o.mu.Unlock()
	}
	edit := o.edit.Load()
	if edit == nil || !strings.HasPrefix(r.URL.Path, "/assets/") || r.Method != http.MethodGet {
		o.Handler().ServeHTTP(w, r)
		return
	}
	r.Header.Del("Accept-Encoding") // what is compressed cannot be edited
	page := httptest.NewRecorder()
	o.Handler().ServeHTTP(page, r)
	for key, values := range page.Header() {
		w.Header()[key] = values
	}
	w.WriteHeader(page.Code)
	io.WriteString(w, (*edit)(page.Body.String()))
}

// calls counts the requests that match.
func (o *liveOffice) calls(pattern string) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range o.called {
		if regexp.MustCompile(pattern).MatchString(c) {
			n++
		}
	}
	return n
}

// stage is a renderer that does what the test says: a step is a percentage, 100 a finished video, 0 a failure.
type stage struct {
	*testing.T
	steps chan int
}

func (s *stage) Make(ctx context.Context, _ video.Order, progress func(int)) (video.Video, error) {
	for {
		select {
		case <-ctx.Done():
			return video.Video{}, ctx.Err()
		case percent := <-s.steps:
			switch percent {
			case 0:
				return video.Video{}, retry.Permanent(errEngine)
			case 100:
				film, err := sample()
				path := filepath.Join(s.TempDir(), "film.mp4")
				return video.Video{Path: path, Size: 1, Duration: time.Second / 2, Width: 90, Height: 160},
					errors.Join(err, folder.Copy(film, path))
			}
			progress(percent)
		}
	}
}

// step is the next thing that the renderer does, when it gets there.
func (s *stage) step(percent int) {
	s.Helper()
	select {
	case s.steps <- percent:
	case <-time.After(stall):
		s.Fatal("nothing is rendered")
	}
}

// ---- the stream

// stream is an open page, as the server sees it.
type stream struct {
	*testing.T
	events chan string // "kind data"; closed when the stream ends
	err    error       // with which it ended, if not well
}

// open opens a stream and takes its first hint.
func (o *liveOffice) open(session string) *stream {
	o.t.Helper()
	r, err := http.NewRequestWithContext(o.t.Context(), "GET", o.web.URL+"/events", nil)
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	r.AddCookie(&http.Cookie{Name: o.cookie, Value: session})
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		o.t.Fatal(err)
	}
	if kind := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || kind != "text/event-stream" {
		o.t.Fatalf("got %s, %s; want a stream", resp.Status, kind)
	}
	s := &stream{T: o.T, events: make(chan string, 1000)}
	go func() {
		defer close(s.events)
		defer resp.Body.Close()
		kind := ""
		lines := bufio.NewScanner(resp.Body)
		for lines.Scan() {
			if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				kind = name
			} else if data, ok := strings.CutPrefix(lines.Text(), "data:"); ok {
				s.events <- kind + data
			}
		}
		s.err = lines.Err()
	}()
	if got := s.next(); got != "asset " {
		o.t.Fatalf("got %q first; want that anything may have changed", got)
	}
	return s
}

// next is the next event; "" when the stream has ended.
func (s *stream) next() string {
	s.Helper()
	select {
	case e := <-s.events:
		return e
	case <-time.After(stall):
		s.Fatal("nothing was told")
		return ""
	}
}

func TestLiveEveryOpenPageIsToldWhatChanges(t *testing.T) {
	o := newLiveOffice(t)
	one, two := o.open(o.signIn(7)), o.open(o.signIn(8))
	a := ask(t, o.store, "Маша", 1)
	for _, s := range []*stream{one, two} {
		for got := s.next(); got != "asset "+a.ID; got = s.next() {
			if got != "asset " { // of a sign-in
				t.Fatalf("got %q; want a hint at %s", got, a.ID)
			}
		}
	}
	o.step(40)
	for _, s := range []*stream{one, two} {
		got := s.next()
		for got == "asset "+a.ID { // it was begun
			got = s.next()
		}
		if want := `progress {"id":"` + a.ID + `","pct":40}`; got != want {
			t.Errorf("got %q; want %q", got, want)
		}
	}
	o.queue.Wake() // as another process does
	if got := one.next(); got != "asset " {
		t.Errorf("got %q; want that anything may have changed", got)
	}
}

// TestLiveWhatAnAdminMakesIsTold: nobody waits for such a video, so nothing else tells of it.
func TestLiveWhatAnAdminMakesIsTold(t *testing.T) {
	o := newLiveOffice(t)
	ask(t, o.store, "Маша", 1)
	o.step(10) // keeps the renderer busy: that the video is begun would be told
	s := o.open(o.signIn(7))
	var made struct{ ID string }
	body := o.want(200, o.send(call{method: "POST", path: "/assets", session: o.signIn(8), body: "name=Лев", json: true}))
	if err := json.Unmarshal([]byte(body), &made); err != nil {
		t.Fatal(err)
	}
	for got := s.next(); got != "asset "+made.ID; got = s.next() {
		if got != "asset " {
			t.Fatalf("got %q; want a hint at %s", got, made.ID)
		}
	}
}

func TestLiveAStreamEndsWithItsSession(t *testing.T) {
	for name, end := range map[string]func(o *liveOffice, session string){
		"signed out": func(o *liveOffice, session string) { o.send(call{method: "POST", path: "/logout", session: session}) },
		"signed out everywhere": func(o *liveOffice, _ string) {
			o.send(call{method: "POST", path: "/logout-everywhere", session: o.signIn(7)})
		},
		"signed in again": func(o *liveOffice,
			session string) {
			o.send(call{method: "POST", path: o.link(8), session: session})
		},
		"no admin any more, at the next hint": func(o *liveOffice, _ string) {
			o.out.Store(int64(7), true)
			ask(o.t, o.store, "Маша", 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newLiveOffice(t)
			session := o.signIn(7)
			s := o.open(session)
			end(o, session)
			for got := s.next(); got != ""; got = s.next() {
				if got != "asset " { // the new sign-in of the second case
					t.Errorf("got %q; want nothing told", got)
				}
			}
			if s.err != nil {
				t.Errorf("got %v; want the end of the stream", s.err)
			}
			w := o.send(
				call{method: "GET", path: "/events", session: session, header: map[string]string{"Accept": "text/event-stream"}},
			)
			if o.want(401, w); refused(t, w.Body.String()) != "UNAUTHORIZED" {
				t.Errorf("got %s; want UNAUTHORIZED", w.Body)
			}
		})
	}
}

// TestLiveAShutdownDoesNotWaitForOpenPages runs the real program.
func TestLiveAShutdownDoesNotWaitForOpenPages(t *testing.T) {
	l, err := listenNear("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	dir := t.TempDir()
	cfg, err := LoadConfig(
		"",
		[]string{"RETAKE_DATA_DIR=" + dir, "RETAKE_WEB_LISTEN=" + address, "RETAKE_WEB_BASE_URL=http://" + address,
			"RETAKE_RENDER_ENGINE=command", `RETAKE_RENDER_COMMAND=["true"]`},
	)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- serveWith(ctx, cfg, slog.New(slog.DiscardHandler), in, func(r renderer) renderer { return r })
	}()
	link := ""
	for lines := bufio.NewScanner(out); link == "" && lines.Scan(); {
		link = regexp.MustCompile(`http://\S+`).FindString(lines.Text())
	}
	go io.Copy(io.Discard, out)
	resp, err := http.DefaultTransport.RoundTrip(post(t, link))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	session := resp.Cookies()[0]
	const viewers = 200
	ends := make(chan error, viewers)
	for range viewers {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+address+"/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(session)
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(resp.Body, make([]byte, len("retry: 1000\nevent: asset\ndata: \n\n"))); err != nil {
			t.Fatal(err)
		}
		go func() {
			_, err := io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			ends <- err
		}()
	}
	began := time.Now()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	took := time.Since(began)
	t.Logf("%d streams, stopped in %v", viewers, took)
	for range viewers {
		if err := <-ends; err != nil {
			t.Errorf("got %v; want a stream that ended well", err)
		}
	}
}

// ---- without the script

func TestLiveARetryLeadsBackToWhereItWasPressed(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	a := ask(t, d.store, "Маша", 1)
	failForGood(t, d.queue)
	session := d.signIn(8)
	w := d.send(call{method: "POST", path: "/assets/" + a.ID + "/retry", session: session, body: "platform=",
		header: map[string]string{"Referer": "http://localhost:8080/?q=маша&status=FAILED"}})
	d.want(303, w)
	page := d.want(200, d.send(call{method: "GET", path: w.Header().Get("Location"), session: session}))
	for _, want := range []string{`value="маша"`, `name="status" value="FAILED"`, "Trying again"} {
		if !strings.Contains(page, want) {
			t.Errorf("got %s at %s; want %q in it", page, w.Header().Get("Location"), want)
		}
	}
}

// ---- in a browser
