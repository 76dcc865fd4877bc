// main_test.go orders videos from the example generator, through its handler.

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ask sends a request and returns the answer with its body.
func ask(t *testing.T, method, url, key, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Idempotency-Key", key)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(b)
}

func start(t *testing.T) (*generator, string) {
	g := newGenerator(t.Context(), t.TempDir())
	s := httptest.NewServer(g.handler())
	t.Cleanup(s.Close)
	t.Cleanup(g.working.Wait)
	return g, s.URL
}

// wait returns when all that was ordered is done.
func wait(g *generator) { g.working.Wait() }

const anna = `{"id":"a1","name":"%{gmtime} 'Anna': \\,","lang":"ru","template":"new-year"}`

func TestOneVideoForOneKey(t *testing.T) {
	g, url := start(t)
	g.turn <- struct{}{} // it is somebody else's turn
	first, _ := ask(t, "POST", url, "a1", anna)
	location := first.Header.Get("Location")
	if first.StatusCode != 202 || !strings.HasPrefix(location, "/jobs/") || first.Header.Get("Retry-After") != "1" {
		t.Fatalf("order: got %d, %v; want 202 with Location and Retry-After", first.StatusCode, first.Header)
	}
	if second, _ := ask(t, "POST", url, "a1", anna); second.StatusCode != 202 ||
		second.Header.Get("Location") != location {
		t.Errorf("same key: got %d, %q; want 202, %q", second.StatusCode, second.Header.Get("Location"), location)
	}
	if other, _ := ask(t, "POST", url, "a2", anna); other.Header.Get("Location") == location {
		t.Errorf("another key: got %q again; want another job", location)
	}
	if early, _ := ask(t, "GET", url+location, "", ""); early.StatusCode != 202 ||
		early.Header.Get("Retry-After") != "1" {
		t.Errorf("too early: got %d, %v; want 202 with Retry-After", early.StatusCode, early.Header)
	}
	<-g.turn
	wait(g)
	video, body := ask(t, "GET", url+location, "", "")
	if video.StatusCode != 200 || video.Header.Get("Content-Type") != "video/mp4" || len(body) < 10_000 ||
		body[4:8] != "ftyp" {
		t.Fatalf("video: got %d, %v, %d bytes, %.100q; want an MP4", video.StatusCode, video.Header, len(body), body)
	}
	if names, err := filepath.Glob(filepath.Join(g.folder, "*", "name.txt")); err != nil || len(names) > 0 {
		t.Errorf("got the files %v, %v; want no name left", names, err)
	}
	g.forget(g.byKey["a1"])
	if gone, _ := ask(t, "GET", url+location, "", ""); gone.StatusCode != 404 {
		t.Errorf("an hour later: got %d; want 404", gone.StatusCode)
	}
	if left, err := os.ReadDir(g.folder); err != nil || len(left) != 1 {
		t.Errorf("folder: got %v, %v; want that of the other job only", left, err)
	}
}

func TestAFailureIsToldAndThenForgotten(t *testing.T) {
	g, url := start(t)
	t.Setenv("PATH", "")
	order, _ := ask(t, "POST", url, "a1", anna)
	location := order.Header.Get("Location")
	wait(g)
	if failed, text := ask(t, "GET", url+location, "", ""); failed.StatusCode != 500 || !strings.Contains(text,
		"ffmpeg") {
		t.Errorf("got %d, %q; want 500 with what went wrong", failed.StatusCode, text)
	}
	if again, _ := ask(t, "POST", url, "a1", anna); again.Header.Get("Location") == location {
		t.Errorf("next order: got %q again; want a new job", location)
	}
	wait(g)
}

func TestRefuses(t *testing.T) {
	_, url := start(t)
	for name, c := range map[string]struct {
		method, path, body string
		want               int
	}{
		"an order that is no JSON":  {"POST", "/", "name=Anna", 400},
		"an order without a name":   {"POST", "/", `{"id":"a1"}`, 400},
		"an order that is too long": {"POST", "/", `{"name":"` + strings.Repeat("a", 70<<10) + `"}`, 400},
		"a job that is not there":   {"GET", "/jobs/1", "", 404},
		"another page":              {"GET", "/", "", 405},
	} {
		t.Run(name, func(t *testing.T) {
			if got, text := ask(t, c.method, url+c.path, "", c.body); got.StatusCode != c.want {
				t.Errorf("got %d, %q; want %d", got.StatusCode, text, c.want)
			}
		})
	}
}
