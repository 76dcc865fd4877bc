// http_wait_test.go waits for generators: for videos that take time, for places that are away, until a context ends.

package video

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// later answers an order with a Location and the questions at /jobs/7 with 202, so many times, then with the video.
func later(location, wait string, times int32) http.HandlerFunc {
	var asked atomic.Int32
	return func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Retry-After", wait)
		switch {
		case req.Method == http.MethodPost:
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusAccepted)
			io.WriteString(w, "wait")
		case req.URL.Path != "/jobs/7" || req.Header.Get("Accept") != "video/mp4" || req.Header.Get("User-Agent") != "Retake":
			http.Error(w, "asked in a wrong way", http.StatusBadRequest)
		case asked.Add(1) <= times:
			w.WriteHeader(http.StatusAccepted)
		default:
			sendVideo(w, req)
		}
	}
}

func TestRemoteAsksUntilTheVideoIsThere(t *testing.T) {
	for name, c := range map[string]struct {
		location, wait string
		times          int32
		least          time.Duration
	}{
		"at a path":                     {"/jobs/7", "0", 2, 3 * minPause},
		"at a path beside the order's":  {"jobs/7", "0", 0, minPause},
		"at an address on its own host": {"http://HOST/jobs/7", "0", 1, 2 * minPause},
		"as slowly as it is told":       {"/jobs/7", "1", 1, 2 * time.Second},
		"as soon as the date is over":   {"/jobs/7", "Mon, 02 Jan 2006 15:04:05 GMT", 0, minPause},
	} {
		t.Run(name, func(t *testing.T) {
			var handler http.HandlerFunc
			s := generator(t, func(w http.ResponseWriter, req *http.Request) { handler(w, req) })
			wantSoon(t, c.least+2*time.Second, func() time.Duration {
				handler = later(strings.Replace(c.location, "http://HOST", s.URL, 1), c.wait, c.times)
				before := time.Now()
				path, err := fetchFrom(t, s.URL+"/", nil)
				wantVideo(t, path, err)
				took := time.Since(before)
				if took < c.least {
					t.Errorf("took %v; want no less than %v", took, c.least)
				}
				return took
			})
		})
	}
}

func TestRemoteFollowsANewLocation(t *testing.T) {
	s := generator(t, func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Retry-After", "0")
		switch req.URL.Path {
		case "/":
			w.Header().Set("Location", "/queue/7")
			w.WriteHeader(http.StatusAccepted)
		case "/queue/7":
			w.Header().Set("Location", "../jobs/7")
			w.WriteHeader(http.StatusAccepted)
		case "/jobs/7":
			sendVideo(w, req)
		}
	})
	path, err := fetchFrom(t, s.URL, nil)
	wantVideo(t, path, err)
}

func TestRemoteStopsWithItsContext(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"while it is silent": func(_ http.ResponseWriter, req *http.Request) {
			io.Copy(io.Discard, req.Body)
			<-req.Context().Done()
		},
		"while the video does not go on": patient(func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "video/mp4")
			io.WriteString(w, "a")
		}),
		"while the video trickles": func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Content-Type", "video/mp4")
			for req.Context().Err() == nil {
				io.WriteString(w, "a")
				w.(http.Flusher).Flush()
			}
		},
		"while it explains itself": patient(func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusTeapot)
			io.WriteString(w, "well")
		}),
		"while it works":                   later("/jobs/7", "0", 1<<30),
		"while it has no wish to be asked": later("/jobs/7", "3600", 1<<30),
		"while the answer to a 202 trickles": patient(func(w http.ResponseWriter) {
			w.Header().Set("Location",
				"/")
			w.WriteHeader(202)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			s := generator(t, handler)
			r, err := newRemote(s.URL, false, 0)
			if err != nil {
				t.Fatal(err)
			}
			why := errors.New("took longer than a moment")
			ctx, cancel := context.WithTimeoutCause(t.Context(), 400*time.Millisecond, why)
			defer cancel()
			folder := t.TempDir()
			before := time.Now()
			_, err = r.fetch(ctx, folder, anna)
			if took := time.Since(before); took > 2*time.Second {
				t.Errorf("took %v; want 400ms or little more", took)
			}
			if !errors.Is(err, why) || isPermanent(err) || !strings.HasSuffix(err.Error(), ": took longer than a moment") {
				t.Errorf("got %v; want %v", err, why)
			}
			if files, err := os.ReadDir(folder); err != nil || len(files) > 0 {
				t.Errorf("folder: got %v, %v; want nothing in it", files, err)
			}
		})
	}
}

func TestRemoteLosesPatienceOnlyWhileAsking(t *testing.T) {
	var asked atomic.Bool
	s := generator(t, func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodPost {
			io.Copy(io.Discard, req.Body)
			<-time.After(300 * time.Millisecond) // as long as a small video takes
			answer(202, "", "Location: /", "Retry-After: 0")(w, req)
			return
		}
		asked.Store(true)
		<-req.Context().Done()
	})
	_, err := fetchFrom(t, s.URL, func(r *remote) { r.patience = 100 * time.Millisecond })
	if err == nil || isPermanent(err) || !strings.Contains(err.Error(), "timeout awaiting response headers") ||
		!asked.Load() {
		t.Errorf("got %v, asked %v; want a transient timeout of the question", err, asked.Load())
	}
}

func TestSteps(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"http://a/", "http://b/", true},
		{"http://a/", "https://b/", true},
		{"https://a/", "https://b/", true},
		{"https://a/", "http://a/", false},
		{"https://a/", "http://b/", false},
		{"http://a/", "ftp://b/", false},
		{"http://a/", "file:///b", false},
		{"http://a/", "http:///b", false},
		{"http://a/", "mailto:b", false},
	} {
		from, to := parseURL(t, c.from), parseURL(t, c.to)
		if err := checkStep(from, to); (err == nil) != c.want || err != nil && !isPermanent(err) {
			t.Errorf("%s to %s: got %v; want allowed %v", c.from, c.to, err, c.want)
		}
	}
}

func TestPause(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": usualPause, "soon": usualPause, "-1": usualPause, "1.5": usualPause,
		"0": minPause, "1": time.Second, " 30 ": 30 * time.Second, "61": maxPause, "99999999999999999999": maxPause,
		"Fri, 02 Jan 2026 03:04:15 GMT": 10 * time.Second,
		"Fri, 02 Jan 2026 03:04:05 GMT": minPause,
		"Fri, 02 Jan 2026 02:04:05 GMT": minPause,
		"Fri, 02 Jan 2026 04:04:05 GMT": maxPause,
	} {
		if got := pause(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q: got %v; want %v", value, got, want)
		}
	}
	if got := pause(http.Header{}, now); got != usualPause {
		t.Errorf("nothing: got %v; want %v", got, usualPause)
	}
}

func TestRemote_APlaceThatIsAwayIsAWait(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	secure := httptest.NewTLSServer(http.HandlerFunc(sendVideo)) // with a certificate that nobody knows
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(secure.Close)
	plain := generator(t, sendVideo)
	answers := func(text string) string { // on a raw connection
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				bufio.NewReader(c).ReadString('\n')
				io.WriteString(c, text)
				c.Close()
			}
		}()
		return "http://" + l.Addr().String()
	}
	status := func(code int) string {
		return generator(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }).URL
	}
	for name, c := range map[string]struct{ address, code string }{
		"nobody listens":           {closed.URL, CodeUnreachable},
		"the name has no address":  {"http://generator.invalid/", CodeUnreachable},
		"the certificate is wrong": {secure.URL, CodeUnreachable},
		"TLS is spoken to no TLS":  {strings.Replace(plain.URL, "http:", "https:", 1), CodeUnreachable},
		"it does not speak HTTP":   {answers("220 mail.example ESMTP\r\n"), CodeUnreachable},
		"a page of somebody else": {answers("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: " +
			"2\r\n\r\nhi"), CodeUnreachable},
		"502":                      {status(502), CodeUnreachable},
		"503":                      {status(503), CodeUnreachable},
		"504":                      {status(504), CodeUnreachable},
		"500 is an attempt":        {status(500), ""},
		"501 is an attempt":        {status(501), ""},
		"408 is an attempt":        {status(408), ""},
		"425 is an attempt":        {status(425), ""},
		"429 is an attempt":        {status(429), ""},
		"hanging up is an attempt": {answers(""), ""},
		"400 is permanent":         {status(400), CodeRefused},
		"404 is permanent":         {status(404), CodeRefused},
		"409 is permanent":         {status(409), CodeRefused},
		"413 is permanent":         {status(413), CodeRefused},
		"422 is permanent":         {status(422), CodeRefused},
		"451 is permanent":         {status(451), CodeRefused},
		"a key that has expired":   {status(401), ""},
		"an account that is empty": {status(402), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := newRemote(c.address, true, 0)
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.fetch(t.Context(), t.TempDir(), anna)
			var w interface{ RetryAfter() (time.Duration, bool) }
			waits := errors.As(err, &w)
			if CodeOf(err) != c.code || waits != (c.code == CodeUnreachable) || isPermanent(err) != (c.code == CodeRefused) {
				t.Errorf("got %v: code %q, waits %v, permanent %v; want %q", err, CodeOf(err), waits, isPermanent(err), c.code)
			}
			if err != nil && strings.Contains(err.Error(), "Anna") {
				t.Errorf("got the name in %v", err)
			}
		})
	}
}
