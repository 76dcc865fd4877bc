// The page as it is served, and how it lives in a real Chromium.

package stage_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"retake.example/internal/fake/stage"
	"retake.example/internal/testrig/chromium"
)

// site is the page of two platforms, mounted under a path.
type site struct {
	t          *testing.T
	web        *httptest.Server
	lost, slow atomic.Bool // switches of the second platform

	mu     sync.Mutex
	videos []stage.Video
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t}
	page := stage.New("Stand-ins <here>",
		stage.Platform{ID: "one", Name: "One", Videos: func() []stage.Video { return nil }},
		stage.Platform{ID: "two", Name: "Two", Switches: []stage.Switch{
			{ID: "lost", Label: "Answer gets lost", Hint: "It never comes.", On: s.lost.Load, Set: s.lost.Store},
			{ID: "slow", Label: "Slow", Hint: "It comes late.", On: s.slow.Load, Set: s.slow.Store},
		}, Videos: func() []stage.Video {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.videos
		}})
	s.web = httptest.NewServer(http.StripPrefix("/platforms", page))
	t.Cleanup(s.web.Close)
	return s
}

func (s *site) add(v stage.Video) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.videos = append(s.videos, v)
}

// do makes a request; headers are given as name, value, name…
func (s *site) do(method, path, body string, headers ...string) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.web.URL+"/platforms"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(r) // redirects are looked at, not followed
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, string(out)
}

func turn(platform, id, on string) string {
	return url.Values{"platform": {platform}, "switch": {id}, "on": {on}}.Encode()
}

func TestPage_ShowsWhatThePlatformsHold(t *testing.T) {
	s := newSite(t)
	s.add(stage.Video{Title: "First <b>", URL: "/one", Note: "private", Size: 1_234_567})
	s.add(stage.Video{Title: "Second", URL: "javascript:alert(1)", Size: 900})
	_, body := s.do("GET", "/", "")
	for _, want := range []string{"<h1>Stand-ins &lt;here&gt;</h1>", "First &lt;b&gt;", "private · 1.2 MB", "900 B",
		"Nothing is published here yet.", "It works"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Index(body, "Second") > strings.Index(body, "First") || strings.Contains(body, "javascript:") {
		t.Error("the newest is not the first, or an address is a script")
	}
}

func TestPage_SwitchesTurnWithoutJavaScript(t *testing.T) {
	s := newSite(t)
	for range 2 { // two presses are like one
		resp, _ := s.do("POST", "/switch", turn("two", "lost", "yes"))
		if resp.StatusCode != 303 || resp.Header.Get("Location") != "./" || !s.lost.Load() || s.slow.Load() {
			t.Fatalf(
				"got %d to %q, lost %v, slow %v",
				resp.StatusCode,
				resp.Header.Get("Location"),
				s.lost.Load(),
				s.slow.Load(),
			)
		}
	}
	if _, body := s.do(
		"GET",
		"/",
		"",
	); !strings.Contains(body, "Trouble is on") ||
		strings.Count(body, `aria-checked="true"`) != 1 {
		t.Error("the page does not show that it is on")
	}
	s.do("POST", "/switch", turn("two", "slow", "yes"))
	if _, body := s.do("GET", "/", ""); !strings.Contains(body, "2 kinds of trouble are on") {
		t.Error("the page does not count")
	}
	s.do("POST", "/switch", turn("two", "lost", "no"))
	if s.lost.Load() {
		t.Error("it is still on")
	}
}

func TestPage_RefusesWhatCannotBe(t *testing.T) {
	s := newSite(t)
	for name, c := range map[string]struct {
		method, path, body string
		want               int
	}{
		"no such platform":    {"POST", "/switch", turn("three", "lost", "yes"), 404},
		"a switch of another": {"POST", "/switch", turn("one", "lost", "yes"), 404},
		"neither yes nor no":  {"POST", "/switch", turn("two", "lost", "maybe"), 400},
		"too large": {"POST", "/switch", turn("two", "lost", "yes") + "&x=" + strings.Repeat("x", 5000),
			400},
		"in the address":        {"POST", "/switch?" + turn("two", "lost", "yes"), "", 400},
		"turning by looking":    {"GET", "/switch?" + turn("two", "lost", "yes"), "", 405},
		"the template itself":   {"GET", "/index.html", "", 404},
		"the folder of the css": {"GET", "/page/", "", 404},
	} {
		if resp, _ := s.do(c.method, c.path, c.body); resp.StatusCode != c.want {
			t.Errorf("%s: got %d; want %d", name, resp.StatusCode, c.want)
		}
	}
	for _, headers := range [][]string{{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}} {
		if resp, _ := s.do("POST", "/switch", turn("two", "lost", "yes"), headers...); resp.StatusCode != 403 {
			t.Errorf("%v: got %d; want 403", headers, resp.StatusCode)
		}
	}
	if s.lost.Load() {
		t.Error("a refused request has turned a switch")
	}
}

func TestPage_IsServedUnderAStrictPolicy(t *testing.T) {
	s := newSite(t)
	for path, kind := range map[string]string{"/": "text/html", "/page.css": "text/css",
		"/page.js": "text/javascript", "/icon.svg": "image/svg+xml"} {
		resp, body := s.do("GET", path, "")
		if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), kind) {
			t.Errorf("%s: got %d %s", path, resp.StatusCode, resp.Header.Get("Content-Type"))
		}
		if csp := resp.Header.Get(
			"Content-Security-Policy",
		); !strings.HasPrefix(
			csp,
			"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'",
		) {
			t.Errorf("%s: got policy %q", path, csp)
		}
		for _, forbidden := range []string{"innerHTML", " style=", "<style", "onclick=", "https://cdn"} {
			if strings.Contains(body, forbidden) {
				t.Errorf("%s contains %q", path, forbidden)
			}
		}
	}
}

func TestPage_LivesInABrowser(t *testing.T) {
	s, b := newSite(t), chromium.New(t)
	b.Do(chromedp.EmulateViewport(390, 844), chromedp.Navigate(s.web.URL+"/platforms/"))
	b.JS("window.stays = true")
	b.Do(chromedp.Focus("#form-two-lost button"), chromedp.KeyEvent(" "))
	b.Until("document.querySelector('#form-two-lost button').ariaChecked === 'true'")
	if !s.lost.Load() || b.JS("document.activeElement.closest('form').id") != "form-two-lost" {
		t.Errorf("the key turned it: %v; the focus is at %s", s.lost.Load(), b.JS("document.activeElement.outerHTML"))
	}
	b.Do(chromedp.Click("#form-two-lost button"))
	b.Until("document.querySelector('#form-two-lost button').ariaChecked === 'false'")
	s.slow.Store(true) // by somebody else
	s.add(stage.Video{Title: "Fresh", URL: "/fresh", Size: 5})
	b.Until(
		"document.querySelector('#form-two-slow button').ariaChecked === 'true' &&" +
			" document.querySelector('#videos-two a').innerText === 'Fresh'",
	)
	if b.JS("window.stays") != "true" {
		t.Error("the page was loaded again; want it live")
	}
	s.web.CloseClientConnections()
	s.web.Close()
	b.Until("!document.getElementById('offline').hidden")
}

func TestPage_ReadsWell(t *testing.T) {
	s, b := newSite(t), chromium.New(t)
	s.lost.Store(true)
	s.add(stage.Video{Title: strings.Repeat("Щ", 100), URL: "/one", Note: "private", Size: 1_234_567})
	b.Do(chromedp.Navigate(s.web.URL + "/platforms/"))
	b.LearnAxe()
	for _, width := range []int64{320, 390, 1280} {
		b.Do(chromedp.EmulateViewport(width, 844))
		if got := b.JS("document.documentElement.scrollWidth - document.documentElement.clientWidth"); got != "0" {
			t.Errorf("%d px: got a page that is %s px wider", width, got)
		}
		for _, scheme := range []string{"light", "dark"} {
			b.Prefers(scheme, &emulation.MediaFeature{Name: "prefers-reduced-motion", Value: "reduce"})
			for _, v := range b.Violations() {
				t.Errorf("%d px, %s: %s", width, scheme, v)
			}
		}
	}
}
