// Tests of strange and slow clients, and of a server that ends while they are connected.

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/desk"
)

func TestStrangeRequestsAreRefusedInWordsAndNeverLogged(t *testing.T) {
	const chunked = "Transfer-Encoding: chunked"
	form := func(body string) []string {
		return []string{
			"Content-Type: application/x-www-form-urlencoded",
			fmt.Sprintf("Content-Length: %d", len(body)),
			"",
			body,
		}
	}
	asJSON := func(body string) []string {
		return []string{"Content-Type: application/json", fmt.Sprintf("Content-Length: %d", len(body)), "", body}
	}
	for _, c := range []struct {
		name, method, target string
		header               []string
		status               int
	}{
		{"a search that is no text", "GET", "/?q=Анна%ff", nil, 422},
		{"a search that is half a letter", "GET", "/?q=%d0", nil, 422},
		{"a search with a broken escape", "GET", "/?q=%zz", nil, 422},
		{"a search with a bare semicolon", "GET", "/?q=a;b", nil, 422},
		{"a parameter whose name is no text", "GET", "/?%ff=1", nil, 422},
		{"bytes that are no text", "GET", "/?q=\xff\xfe", nil, 422},
		{"a search that is longer than any name", "GET", "/?q=" + strings.Repeat("Анна", 1000), nil, 414},
		{"a question about all with a search that cannot be read", "GET", "/retry-all?q=%ff", nil, 422},
		{"a page of a list that is none", "GET", "/activity?after=" + strings.Repeat("9", 500), nil, 404},
		{"a page after nobody", "GET", "/?after=%00", nil, 404},
		{"a search for nothing that can be typed", "GET", "/?q=%00", nil, 200},
		{"an address that is longer than the server reads", "GET", "/?q=" + strings.Repeat("x", 100_000), nil, 431},
		{"a header that is longer than the server reads", "GET", "/",
			[]string{"X-Long: " + strings.Repeat("x", 100_000)}, 431},
		{"more headers than the server reads", "GET", "/",
			slices.Repeat([]string{"X-Many: " + strings.Repeat("x", 90)}, 1000), 431},
		{"an id that is no text", "GET", "/assets/%ff", nil, 404},
		{"an id as long as a letter", "GET", "/assets/" + strings.Repeat("x", 10_000), nil, 404},
		{"a name that is no text", "POST", "/assets", form("name=Анна%ff"), 422},
		{"a name of bytes that are no text", "POST", "/assets", form("name=Анна\xff"), 422},
		{"a form with a broken escape", "POST", "/assets", form("name=Анна%zz"), 422},
		{"a name that is no text, in JSON", "POST", "/assets", asJSON("{\"name\":\"Анна\xff\"}"), 422},
		{"half a letter, in JSON", "POST", "/assets", asJSON(`{"name":"Анна\ud800"}`), 422},
		{"a name with a NUL", "POST", "/assets", form("name=Анна%00"), 422},
		{"JSON that is a list", "POST", "/assets", asJSON(`["Анна"]`), 422},
		{"JSON as deep as a well", "POST", "/assets", asJSON(strings.Repeat("[", 60_000)), 422},
		{"a search that is no text, for all", "POST", "/retry-all", form("count=1&newest=x&q=%ff"), 422},
		{"a number that is none", "POST", "/retry-all", form("newest=x&count=" + strings.Repeat("9", 100)), 422},
		{"a platform that is no text", "POST", "/assets/x/retry", form("platform=%ff"), 422},
		{"a form of parts", "POST", "/assets",
			[]string{"Content-Type: multipart/form-data; boundary=b", "Content-Length: 5", "", "--b--"}, 422},
		{"two lengths", "POST", "/assets", []string{"Content-Length: 5", "Content-Length: 6", "", "name=Анна"}, 400},
		{"a length and pieces", "POST", "/assets", []string{"Content-Length: 5", chunked, "", "zz"}, 422},
		{"pieces that are none", "POST", "/assets", []string{chunked, "", "Анна"}, 422},
		{"a whole name in pieces that break off", "POST", "/assets", []string{chunked, "", "d", "name=Анна", "zz"}, 422},
		{"a length that is none", "POST", "/assets", []string{"Content-Length: -1", "", ""}, 400},
		{"a length that nobody has", "POST", "/assets", []string{"Content-Length: 99999999999999999999", "", ""}, 400},
		{"an encoding that nobody knows", "POST", "/assets", []string{"Transfer-Encoding: gzip", "", ""}, 501},
		{"a method that nobody knows", "BREW", "/", nil, 404},
		{"a header with a line break in it", "GET", "/", []string{"X: a\rb"}, 400},
		{"two hosts", "GET", "/", []string{"Host: " + evil}, 400},
		{"an expectation that nobody knows", "POST", "/assets", []string{"Expect: tea", "Content-Length: 0", "", ""}, 417},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			_, address := d.open(usual, nil)
			in := d.as(d.session(8))
			for _, accept := range []string{"Accept: text/html", "Accept: application/json"} {
				header := append([]string{in, accept}, c.header...)
				l := dial(t, address)
				// The server may hang up before it has heard all of it.
				io.WriteString(l, c.method+" "+c.target+" HTTP/1.1\r\nHost: localhost\r\n"+strings.Join(header, "\r\n")+"\r\n\r\n")
				resp, body := l.hear(c.method)
				if resp.StatusCode != c.status {
					t.Errorf("%s: got %s %s; want %d", accept, resp.Status, body, c.status)
				}
				ours := resp.Header.Get("Content-Security-Policy") != ""
				if ours && strings.HasSuffix(accept, "json") && c.status >= 400 {
					refused(t, body)
				}
				if !ours && strings.Contains(body, "<") {
					t.Errorf("got %s; want an answer of net/http without markup", body)
				}
			}
			if n := count(t, d.store, `SELECT count(*) FROM assets`); n != 0 {
				t.Errorf("got %d videos; want none made", n)
			}
			if d.log.Len() > 0 {
				t.Errorf("got log %s; want nothing", &d.log)
			}
		})
	}
}

// drip sends a little at a time until the other side has had enough, for as long as that takes.
func (l line) drip() {
	l.Helper()
	more := time.NewTicker(10 * time.Millisecond)
	defer more.Stop()
	over := make(chan struct{})
	go func() { io.Copy(io.Discard, l.Reader); close(over) }()
	limit := time.After(30 * time.Second)
	for {
		select {
		case <-over:
			return
		case <-more.C:
			io.WriteString(l.Conn, "x")
		case <-limit:
			l.Error("the connection is still open; want it closed")
			return
		}
	}
}

func TestSlowClientsAreLeft(t *testing.T) {
	const short, long = 100 * time.Millisecond, time.Minute
	hasty := desk.Timeouts{Header: long, Form: long, Idle: long}
	header, body, idle := hasty, hasty, hasty
	header.Header, body.Form, idle.Idle = short, short, short
	for name, c := range map[string]struct {
		wait desk.Timeouts
		act  func(t *testing.T, d *office, l line, in string)
	}{
		"who connect and say nothing": {header, func(t *testing.T, d *office, l line, in string) { l.ends() }},
		"who stop in the middle of a header": {header,
			func(t *testing.T, d *office, l line, in string) { l.say("GET / HTTP/1.1", "Host: localhost"); l.ends() }},
		"who drip a header": {header, func(t *testing.T, d *office, l line,
			in string) {
			io.WriteString(l, "GET / HTTP/1.1\r\nX: ")
			l.drip()
		}},
		"who stop in the middle of a form": {body, func(t *testing.T, d *office, l line, in string) {
			l.say("POST /assets HTTP/1.1", "Host: localhost", in, "Content-Length: 100", "", "name=")
			if resp, said := l.hear("POST"); resp.StatusCode != 408 || !strings.Contains(said, "took too long to arrive") {
				t.Errorf("got %s %s; want 408 in words", resp.Status, said)
			}
			l.ends()
		}},
		"who stop in the middle of JSON": {body, func(t *testing.T, d *office, l line, in string) {
			l.say("POST /assets HTTP/1.1", "Host: localhost", in, "Content-Type: application/json", "Content-Length: 100", "",
				`{"name":`)
			if resp, said := l.hear("POST"); resp.StatusCode != 408 || refused(t, said) != "TOO_SLOW" {
				t.Errorf("got %s %s; want 408 TOO_SLOW", resp.Status, said)
			}
			l.ends()
		}},
		"who drip a form": {body, func(t *testing.T, d *office, l line, in string) {
			l.say("POST /assets HTTP/1.1", "Host: localhost", in, "Content-Length: 60000", "", "name=")
			l.drip()
		}},
		"who drip pieces of a form": {body, func(t *testing.T, d *office, l line, in string) {
			l.say("POST /retry-all HTTP/1.1", "Host: localhost", in, "Transfer-Encoding: chunked", "", "ffff")
			l.drip()
		}},
		"who drip what nobody reads": {body, func(t *testing.T, d *office, l line, in string) {
			l.say("GET / HTTP/1.1", "Host: localhost", in, "Content-Length: 60000", "", "x")
			l.drip()
		}},
		"who drip what a stranger has to say": {body, func(t *testing.T, d *office, l line, in string) {
			l.say("POST /assets HTTP/1.1", "Host: localhost", "Content-Length: 60000", "", "x")
			l.drip()
		}},
		"who drip before they sign in": {body, func(t *testing.T, d *office, l line, in string) {
			l.say("POST /login/guess HTTP/1.1", "Host: localhost", "Content-Length: 60000", "", "x")
			l.drip()
		}},
		"who have an answer and ask nothing more": {idle, func(t *testing.T, d *office, l line, in string) {
			l.say("GET /healthz HTTP/1.1", "Host: localhost", "")
			if resp, _ := l.hear("GET"); resp.StatusCode != 200 {
				t.Errorf("got %s; want 200", resp.Status)
			}
			l.ends()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, "http://localhost:8080")
			_, address := d.open(c.wait, nil)
			c.act(t, d, dial(t, address), d.as(d.session(8)))
			if n := count(t, d.store, `SELECT count(*) FROM assets`); n != 0 || d.log.Len() > 0 {
				t.Errorf("got %d videos and log %s; want nothing", n, &d.log)
			}
		})
	}
}

// TestWhatHasArrivedIsNotHurried has a server that works longer than it waits for a request.
func TestWhatHasArrivedIsNotHurried(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	wait := usual
	wait.Form = 300 * time.Millisecond
	_, address := d.open(wait, nil)
	d.change(func(o *desk.Options) {
		o.CanDraw = func(string, string) error { <-time.After(2 * wait.Form); return nil }
	})
	l, in := dial(t, address), d.as(d.session(8))
	// not a byte more
	io.WriteString(l, "POST /assets HTTP/1.1\r\nHost: localhost\r\n"+in+"\r\nContent-Length: 13\r\n\r\nname=Маша")
	if resp, body := l.hear("POST"); resp.StatusCode != 303 || resp.Header.Get("Location") != "/?notice=created" {
		t.Errorf("got %s %s; want the video in the queue", resp.Status, body)
	}
	d.change(func(o *desk.Options) {
		o.Ready = func(ctx context.Context) []string {
			select {
			case <-ctx.Done():
				t.Error("the request has ended; want it to wait for its answer")
			case <-time.After(2 * wait.Form):
			}
			return nil
		}
	})
	l.say("GET / HTTP/1.1", "Host: localhost", in, "")
	if resp, body := l.hear("GET"); resp.StatusCode != 200 || !strings.Contains(body, "</html>") {
		t.Errorf("got %s %s; want the whole page", resp.Status, body)
	}
}

func TestTheServerEndsAtOnceWhateverIsConnected(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	looking, look := make(chan struct{}), make(chan struct{})
	server, address := d.open(usual, func(page http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				close(looking)
				<-look
			}
			page.ServeHTTP(w, r)
		})
	})
	in := d.as(d.session(8))
	idle := dial(t, address)
	idle.say("GET /healthz HTTP/1.1", "Host: localhost", "")
	idle.hear("GET")
	half := dial(t, address)
	half.say("GET / HTTP/1.1", "Host: localhost")
	silent := dial(t, address)
	busy := dial(t, address)
	busy.say("GET / HTTP/1.1", "Host: localhost", in, "")
	<-looking
	begun := make(chan struct{})
	server.RegisterOnShutdown(func() { close(begun) })
	ended := make(chan error)
	go func() { ended <- server.Shutdown(t.Context()) }()
	<-begun
	select {
	case err := <-ended:
		t.Fatalf("got an end, %v, while somebody was being answered", err)
	default:
	}
	close(look)
	needed := time.Now()
	if err := <-ended; err != nil || time.Since(needed) > 4*time.Second { // net/http waits 5 s for one that says nothing
		t.Errorf("got %v after %v; want an end at once", err, time.Since(needed))
	}
	if resp, body := busy.hear("GET"); resp.StatusCode != 200 || !strings.Contains(body, "</html>") {
		t.Errorf("got %s %s; want the whole page", resp.Status, body)
	}
	for _, l := range []line{idle, half, silent, busy} {
		l.ends()
	}
}
