// http_test.go orders videos from generators that behave, that do not, and that refer to places where nobody should go.

package video

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// anna has a name whose last letter begins many an English word.
var anna = Order{Asset: "a1", Name: "Anna Мария", Lang: "ru", Template: "new-year"}

// generator starts a server, and fails the test if a connection of ours is left when it ends.
func generator(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	t.Cleanup(func() { wantNoConnections(t) })
	return s
}

// wantNoConnections fails the test if goroutines of an HTTP client do not end on their own.
func wantNoConnections(t *testing.T) {
	stacks := make([]byte, 1<<20)
	for end := time.Now().Add(5 * time.Second); ; runtime.Gosched() {
		stacks = stacks[:runtime.Stack(stacks[:cap(stacks)], true)]
		if !strings.Contains(string(stacks), "net/http.(*persistConn)") {
			return
		}
		if time.Now().After(end) {
			t.Errorf("got connections that are still open; want none:\n%s", stacks)
			return
		}
	}
}

// fetchFrom orders Anna's video from an address.
func fetchFrom(t *testing.T, address string, change func(*remote)) (string, error) {
	t.Helper()
	r, err := newRemote(address, false, 0)
	if err != nil {
		t.Fatalf("newRemote: got %v; want nil", err)
	}
	if change != nil {
		change(r)
	}
	return r.fetch(t.Context(), t.TempDir(), anna)
}

func sendVideo(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "video/mp4")
	io.WriteString(w, "a video")
}

func wantVideo(t *testing.T, path string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("got %v; want a video", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "a video" {
		t.Errorf("file: got %q, %v; want %q", b, err, "a video")
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("file: got %v, %v; want one that only we read", info.Mode(), err)
	}
}

func TestRemoteOrderArrivesAsItIs(t *testing.T) {
	for name, child := range map[string]string{
		"with a plain name":         "Anna",
		"with letters of all kinds": "Łukasz Мария-Анна 小明 محمد",
		"with marks on letters":     "Zoe\u0308",
		"with an emoji":             "Маша 🦄👩‍👩‍👧",
		"with quotes":               `O'Connor "Bob" \ & <b>`,
		"with line ends":            "a\r\nb\u2028c\x00",
	} {
		t.Run(name, func(t *testing.T) {
			s := generator(t, func(w http.ResponseWriter, req *http.Request) {
				var got map[string]string
				if err := json.NewDecoder(req.Body).Decode(&got); err != nil {
					t.Errorf("body: got %v; want JSON", err)
				}
				want := map[string]string{"id": "a1", "name": child, "lang": "ru", "template": "new-year"}
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("body: got %q; want %q", got, want)
				}
				if got, want := req.Method+" "+req.RequestURI, "POST /make?fast=1"; got != want {
					t.Errorf("request: got %s; want %s", got, want)
				}
				for key, want := range map[string]string{"Idempotency-Key": "a1", "Content-Type": "application/json",
					"Accept": "video/mp4", "User-Agent": "Retake", "Authorization": ""} {
					if got := req.Header.Get(key); got != want {
						t.Errorf("%s: got %q; want %q", key, got, want)
					}
				}
				sendVideo(w, req)
			})
			r, err := newRemote(s.URL+"/make?fast=1#x", false, 0)
			if err != nil {
				t.Fatal(err)
			}
			path, err := r.fetch(t.Context(), t.TempDir(), Order{Asset: "a1", Name: child, Lang: "ru", Template: "new-year"})
			wantVideo(t, path, err)
		})
	}
}

func TestRemoteTakesAVideoOfAnyKind(t *testing.T) {
	for _, kind := range []string{"video/mp4", "Video/MP4; codecs=avc1", "video/quicktime", "application/octet-stream"} {
		t.Run(kind, func(t *testing.T) {
			s := generator(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", kind)
				io.WriteString(w, "a video")
			})
			path, err := fetchFrom(t, s.URL, func(r *remote) { r.maxBytes = int64(len("a video")) })
			wantVideo(t, path, err)
		})
	}
}

// answer makes a handler from a status, headers ("Key: value") and a body.
func answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, h := range headers {
			key, value, _ := strings.Cut(h, ": ")
			w.Header().Set(key, value)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func TestRemoteFails(t *testing.T) {
	const text, mp4 = "Content-Type: text/plain; charset=utf-8", "Content-Type: video/mp4"
	inAnHour := time.Now().Add(30 * time.Minute).UTC().Format(http.TimeFormat)
	// polled puts an answer behind a Location.
	polled := func(then http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, req *http.Request) {
			if req.Method == http.MethodGet {
				then(w, req)
				return
			}
			answer(202, "", "Location: /jobs/7", "Retry-After: 0")(w, req)
		}
	}
	for name, c := range map[string]struct {
		answer    http.HandlerFunc
		permanent bool
		least     time.Duration // that it asks to wait; 0: it does not ask
		most      time.Duration
		want      string // the end of the error
	}{
		"permanently with 400": {answer(400, "no such name", text), true, 0, 0,
			": answered 400 Bad Request: no such name"},
		"for now with 401": {answer(401, ""), false, 0, 0, ": answered 401 Unauthorized"},
		"for now with 403": {answer(403, "the key has expired", text), false, 0, 0,
			"403 Forbidden: the key has expired"},
		"permanently with 404": {answer(404, "", text), true, 0, 0, ": answered 404 Not Found"},
		"permanently with 409": {answer(409, `{"error":"never"}`,
			"Content-Type: application/problem+json"), true, 0, 0, `409 Conflict: {"error":"never"}`},
		"permanently with 422 and Retry-After": {answer(422, "", "Retry-After: 5"), true, 0, 0,
			"422 Unprocessable Entity"},
		"for now with 410 when asked later": {polled(answer(410, "gone", text)), false, 0, 0,
			"answered 410: it has forgotten the order"},
		"for now with 404 when asked later": {polled(answer(404, "", text)), false, 0, 0,
			"answered 404: it has forgotten the order"},
		"permanently with 422 when asked later": {polled(answer(422, "gone", text)), true, 0, 0,
			"422 Unprocessable Entity: gone"},
		"for now with 408": {answer(408, "", "Retry-After: 5"), false, 0, 0, "408 Request Timeout"},
		"for now with 425": {answer(425, ""), false, 0, 0, "425 Too Early"},
		"for now with 429": {answer(429, ""), false, 0, 0, "429 Too Many Requests"},
		"for now with 500": {answer(500, "out of\npaint", text), false, 0, 0,
			"500 Internal Server Error: out of paint"},
		"for now with 500 when asked later": {polled(answer(500, "no paint", text)), false, 0, 0,
			"500 Internal Server Error: no paint"},
		"until it is back with 502 and Retry-After": {answer(502, "", "Retry-After: 5"), false, awayPause, awayPause,
			"502 Bad Gateway"},
		"until it is back with 503":   {answer(503, ""), false, awayPause, awayPause, "503 Service Unavailable"},
		"for now with 204":            {answer(204, ""), false, 0, 0, "204 No Content"},
		"for now with 302 to nowhere": {answer(302, ""), false, 0, 0, "302 Found"},
		"for a time with 429": {answer(429, "", "Retry-After: 7"), false, 7 * time.Second,
			7 * time.Second, "429 Too Many Requests"},
		"for a time with 503": {answer(503, "busy", text, "Retry-After: 7"), false, 7 * time.Second,
			7 * time.Second, "503 Service Unavailable: busy"},
		"for a time with 503 when asked later": {polled(answer(503, "", "Retry-After: 7")), false, 7 * time.Second,
			7 * time.Second, "503 Service Unavailable"},
		"until a date with 503": {answer(503, "", "Retry-After: "+inAnHour), false, 29 * time.Minute,
			30 * time.Minute, "503 Service Unavailable"},
		"for an hour at most": {answer(429, "", "Retry-After: 86400"), false, time.Hour, time.Hour,
			"429 Too Many Requests"},
		"for an hour at most, whatever the number": {answer(429, "", "Retry-After: 99999999999999999999"), false, time.Hour,
			time.Hour, "429 Too Many Requests"},
		"for now when it may be asked at once": {answer(429, "", "Retry-After: 0"), false, 0, 0, "429 Too Many Requests"},
		"for now when the date is over": {answer(503, "", "Retry-After: Mon, 02 Jan 2006 15:04:05 GMT"), false,
			awayPause, awayPause, "503 Service Unavailable"},
		"for now when Retry-After is no time": {answer(503, "", "Retry-After: soon"), false, awayPause, awayPause,
			"503 Service Unavailable"},
		"when it answers with a page": {answer(200, "<p>hello", "Content-Type: text/html"), false, awayPause,
			awayPause, `answered 200 with "text/html"; want video/mp4`},
		"when it does not say what it answers": {answer(200, "hello", "Content-Type: ;"), false, awayPause, awayPause,
			`answered 200 with ";"; want video/mp4`},
		"when it answers with nothing": {answer(200, "", mp4), false, 0, 0, "answered 200 without a video"},
		"when the video is too long": {answer(200, strings.Repeat("x", 1001), mp4), false, 0, 0,
			"the video is longer than 0 MB"},
		"when the video says that it is too long": {answer(200, "x", mp4, "Content-Length: 1001"), false, 0, 0,
			"the video is longer than 0 MB"},
		"when a video without length is too long": {func(w http.ResponseWriter, req *http.Request) {
			answer(200, "x", mp4)(w, req)
			w.(http.Flusher).Flush()
			io.WriteString(w, strings.Repeat("x", 1000))
		}, false, 0, 0, "the video is longer than 0 MB"},
		"when the video is cut short": {answer(200, "half a", mp4, "Content-Length: 100"), false, 0, 0,
			"the video was cut short after 6 bytes"},
		"when a video without length is cut short": {func(w http.ResponseWriter, req *http.Request) {
			answer(200, "half a", mp4)(w, req)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, false, 0, 0, "the video was cut short after 6 bytes"},
		"when it hangs up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			false, 0, 0, ": EOF"},
		"when it does not say where to ask": {answer(202, ""), false, 0, 0,
			"answered 202 without a Location at which to ask for the video"},
		"when the Location is no address": {answer(202, "", "Location: http://[/"), false, 0, 0,
			"answered 202 with a Location that is not a valid URL"},
		"when the Location is a file": {answer(202, "", "Location: file:///etc/passwd"), true, 0, 0,
			"an address that is not http or https"},
		"when a redirect leads to a file": {answer(302, "", "Location: file:///etc/passwd"), true, 0, 0,
			"an address that is not http or https"},
		"when redirects never end": {answer(307, "", "Location: /again"), false, 0, 0,
			": more than 5 redirects"},
		"when the redirect is no address": {answer(302, "", "Location: http://[/Anna%20%D0%9C%D0%B0%D1%80%D0%B8%D1%8F"),
			false, 0, 0, "missing ']' in host"},
		"without telling the name": {answer(400, "cannot draw Anna\n \x1b МАРИЯ", text), true, 0, 0,
			"400 Bad Request: cannot draw [name]"},
		"without telling the name in JSON": {answer(400, `{"name":"Anna \u041c\u0430\u0440\u0438\u044f"}`,
			"Content-Type: application/json"), true, 0, 0, `: {"name":"[name]"}`},
		"without telling the name in a header": {answer(200, "x", "Content-Type: Anna%20%D0%9C%D0%B0%D1%80%D0%B8%D1%8F"),
			false, awayPause, awayPause, `with "[name]"; want video/mp4`},
		"without taking a word for the name": {answer(400, "a pity", text), true, 0, 0, "400 Bad Request: a pity"},
		"without bytes that are not text":    {answer(400, "a\377b", text), true, 0, 0, "400 Bad Request: a\uFFFDb"},
		"without bytes that are not for people": {answer(400, "\x00\x01\x02", "Content-Type: application/octet-stream"), true,
			0, 0, "400 Bad Request"},
		"without telling all of a long text": {answer(400, strings.Repeat("х", 10_000), text), true, 0, 0,
			strings.Repeat("х", 1000)},
		"without half a name where it is cut": {answer(400, strings.Repeat("x", maxReason-6)+" Anna Мария", text), true, 0,
			0, "xxx [na"},
		"without half a name where it stops": {answer(400, strings.Repeat("x", 4*maxReason-9)[:2*maxReason-9]+" Anna Мария",
			text), true, 0, 0, "xxx"},
		"without half a name after much space": {answer(400, strings.Repeat(" ", 2*maxReason-5)+"Anna Мария", text), true, 0,
			0, "400 Bad Request"},
	} {
		t.Run(name, func(t *testing.T) {
			s := generator(t, c.answer)
			folder := t.TempDir()
			r, err := newRemote(strings.Replace(s.URL, "http://", "http://user:hidden@", 1)+"/hidden?key=hidden", false, 1000)
			if err != nil {
				t.Fatal(err)
			}
			path, err := r.fetch(t.Context(), folder, anna)
			if err == nil || path != "" || isPermanent(err) != c.permanent || !strings.HasSuffix(err.Error(), c.want) {
				t.Fatalf("got %q, %v, permanent %v; want %q, %v", path, err, isPermanent(err), c.want, c.permanent)
			}
			if got := err.Error(); !strings.HasPrefix(got, "generator "+s.Listener.Addr().String()+": ") ||
				strings.Contains(got, "hidden") ||
				strings.Contains(got, "Anna") ||
				strings.ContainsAny(got, "\n\x00\x1b") ||
				!utf8.ValidString(got) ||
				len(got) > maxReason+100 {
				t.Errorf("got %q; want one short line with the host and without secrets or the name", got)
			}
			var w interface{ RetryAfter() (time.Duration, bool) }
			var wait time.Duration
			waits := errors.As(err, &w)
			if waits {
				wait, _ = w.RetryAfter()
			}
			if waits != (c.most > 0) || wait < c.least || wait > c.most {
				t.Errorf("wait: got %v, %v; want %v to %v, %v", wait, waits, c.least, c.most, c.most > 0)
			}
			if files, err := os.ReadDir(folder); err != nil || len(files) > 0 {
				t.Errorf("folder: got %v, %v; want nothing in it", files, err)
			}
		})
	}
}

func TestRemoteCannotBeReached(t *testing.T) {
	s := generator(t, sendVideo)
	s.Close()
	if _, err := fetchFrom(t, s.URL+"/hidden", nil); err == nil || isPermanent(err) ||
		!strings.Contains(err.Error(), "connection refused") ||
		strings.Contains(err.Error(), "hidden") {
		t.Errorf("got %v; want a transient error without the address", err)
	}
}

// patient writes what a handler has to say and then waits until the client has gone.
func patient(say func(http.ResponseWriter)) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		io.Copy(io.Discard, req.Body) // only then the server notices when the client goes
		say(w)
		w.(http.Flusher).Flush()
		<-req.Context().Done()
	}
}

func TestNewRemoteRefuses(t *testing.T) {
	for _, address := range []string{"", "generator", "generator:9000", "/make", "//generator/", "ftp://hidden@generator/",
		"file:///make",
		"http://", "http://:9000/", "http://user:hidden@/", "https://user:hidden@gen erator/", "http://generator/%zz?hidden",
		"http://user:hidden@generator:x/"} {
		if _, err := newRemote(address, true, 0); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%q: got %v; want an error without secrets", address, err)
		}
	}
}

func TestRemoteKeepsWhatIsThere(t *testing.T) {
	s := generator(t, sendVideo)
	r, err := newRemote(s.URL, false, 0)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write(t, filepath.Join(folder, "output.mp4"), "something else")
	if _, err := r.fetch(t.Context(), folder, anna); !errors.Is(err, os.ErrExist) {
		t.Errorf("got %v; want that the file exists", err)
	}
}

func TestExampleGenerator(t *testing.T) {
	program := filepath.Join(t.TempDir(), "generator")
	if out, err := exec.Command("go", "build", "-o", program, "retake.example/docs/generator").CombinedOutput(); err != nil {
		t.Fatalf("build: got %v: %s; want nil", err, out)
	}
	temp := t.TempDir()
	cmd := exec.Command(program, "-listen", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "TMPDIR="+temp)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	log := bufio.NewReader(stderr)
	line, err := log.ReadString('\n')
	_, address, found := strings.Cut(strings.TrimSpace(line), "listening on ")
	if err != nil || !found {
		t.Fatalf("log: got %q, %v; want the address", line, err)
	}
	proven, err := provenTools()
	if err != nil {
		t.Fatal(err)
	}
	var first string
	for _, o := range []Order{
		{Asset: "a1", Name: `Zoë %{localtime} 'x' "y" \ , ; [a]`, Lang: "en"},
		{Asset: "a2", Name: "Александра-Виктория Константинопольская", Lang: "ru"},
		{Asset: "a1", Name: "the same video again", Lang: "en"},
	} {
		r, err := newRemote(address, false, 50e6)
		if err != nil {
			t.Fatal(err)
		}
		path, err := r.fetch(t.Context(), t.TempDir(), o)
		if err != nil {
			t.Fatalf("%s: got %v; want a video", o.Name, err)
		}
		f, err := proven.probe(t.Context(), path, hardened)
		if err != nil || f.width != 720 || f.height != 1280 || f.duration.Round(time.Second) != 6*time.Second ||
			f.sound != "aac" {
			t.Errorf("%s: got %+v, %v; want 720×1280, 6 s, with sound", o.Name, f, err)
		}
		wantIndexFirst(t, path)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if o.Asset == "a1" && first == "" {
			first = string(b)
		} else if same := string(b) == first; same != (o.Asset == "a1") {
			t.Errorf("%s: got the first video %v; want %v", o.Name, same, !same)
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(log)
	if strings.Contains(string(rest), "Zo") || err != nil {
		t.Errorf("log: got %q, %v; want no name in it", rest, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("end: got %v; want nil", err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: got %v, %v; want nothing", left, err)
	}
}
