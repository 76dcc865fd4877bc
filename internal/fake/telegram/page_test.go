// The chat page: its state, actions, live stream and safety.

package telegram_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"retake.example/internal/fake/telegram"
)

// site is a chat page with Мария (5) and Emma (6).
type site struct {
	*world
	page        *httptest.Server
	maria, emma *telegram.Person
	broken      atomic.Bool
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{world: newWorld(t)}
	s.maria, s.emma = s.Person(5, "Мария", "ru"), s.Person(6, "Emma", "en")
	s.Person(7, "Nobody's phone", "en")
	s.page = httptest.NewServer(s.Page(telegram.PageOptions{
		Title: "Retake <demo>", People: []*telegram.Person{s.maria, s.emma},
		AdminURL: func() string { return "http://localhost:8080/login/once" },
		Broken:   s.broken.Load, SetBroken: s.broken.Store,
	}))
	t.Cleanup(func() {
		s.Close()
		s.page.Close()
	})
	return s
}

// do makes a request; headers are given as name, value, name…
func (s *site) do(method, path, body string, headers ...string) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.ctx, method, s.page.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
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

// shown is the part of the state that these tests look at.
type shown struct {
	Broken bool `json:"broken"`
	Chats  []struct {
		Person   int64  `json:"person"`
		Name     string `json:"name"`
		Language string `json:"language"`
		Blocked  bool   `json:"blocked"`
		Action   string `json:"action"`
		Messages []struct {
			ID      int    `json:"id"`
			Bot     bool   `json:"bot"`
			Text    string `json:"text"`
			Edited  bool   `json:"edited"`
			Read    bool   `json:"read"`
			Buttons [][]struct {
				Data string `json:"callback_data"`
			} `json:"buttons"`
			Video *struct {
				File      string `json:"file"`
				Thumbnail string `json:"thumbnail"`
				Width     int    `json:"width"`
			} `json:"video"`
		} `json:"messages"`
		Pressed []struct {
			Message int    `json:"message"`
			Data    string `json:"data"`
		} `json:"pressed"`
		Toasts []struct {
			Number int    `json:"number"`
			Text   string `json:"text"`
			Alert  bool   `json:"alert"`
		} `json:"toasts"`
	} `json:"chats"`
}

func (s *site) state() shown {
	s.t.Helper()
	var p shown
	if _, body := s.do("GET", "/state", ""); json.Unmarshal([]byte(body), &p) != nil {
		s.t.Fatalf("state: %s", body)
	}
	return p
}

func TestPage_ShowsWhatHappensInTheChats(t *testing.T) {
	s := newSite(t)
	if resp, body := s.do("POST", "/send", `{"person":5,"text":" Маша "}`); resp.StatusCode != 200 {
		t.Fatalf("send: %d %s", resp.StatusCode, body)
	}
	s.updates("offset", number(s.updates()[0].ID+1))
	m, err := s.bot.SendMessage(s.ctx, &bot.SendMessageParams{ChatID: 5, Text: "Yes?", ReplyMarkup: keyboard("yes")})
	if err != nil {
		t.Fatal(err)
	}
	s.bot.SendChatAction(s.ctx, &bot.SendChatActionParams{ChatID: 5, Action: models.ChatActionUploadVideo})
	press := `{"person":5,"message":` + number(int64(m.ID)) + `,"data":"yes"}`
	if resp, body := s.do("POST", "/press", press); resp.StatusCode != 200 {
		t.Fatalf("press: %d %s", resp.StatusCode, body)
	}
	c := s.state().Chats[0]
	if c.Name != "Мария" || c.Language != "ru" || c.Action != "upload_video" || len(c.Messages) != 2 ||
		len(c.Pressed) != 1 || c.Pressed[0].Data != "yes" {
		t.Fatalf("got %+v", c)
	}
	if c.Messages[0].Text != "Маша" || !c.Messages[0].Read || c.Messages[1].Buttons[0][0].Data != "yes" {
		t.Errorf("got messages %+v", c.Messages)
	}
	var query struct{ ID string }
	if err := json.Unmarshal(s.updates()[0].Press, &query); err != nil {
		t.Fatal(err)
	}
	s.bot.AnswerCallbackQuery(s.ctx, &bot.AnswerCallbackQueryParams{CallbackQueryID: query.ID, Text: "On its way",
		ShowAlert: true})
	s.bot.EditMessageText(s.ctx, &bot.EditMessageTextParams{ChatID: 5, MessageID: m.ID, Text: "Done"})
	s.pass(6e9)
	c = s.state().Chats[0]
	if len(c.Pressed) != 0 || len(c.Toasts) != 1 || c.Toasts[0].Text != "On its way" || !c.Toasts[0].Alert ||
		!c.Messages[1].Edited || c.Action != "" {
		t.Errorf("got %+v", c)
	}
	if resp, _ := s.do("POST", "/press", press); resp.StatusCode != 409 {
		t.Errorf("a button that is gone: got %d; want 409", resp.StatusCode)
	}
}

func TestPage_Switches(t *testing.T) {
	s := newSite(t)
	s.do("POST", "/block", `{"person":6,"blocked":true}`)
	s.do("POST", "/break", `{"broken":true}`)
	if p := s.state(); !p.Broken || !s.broken.Load() || !p.Chats[1].Blocked || !s.emma.Blocked() {
		t.Errorf("got %+v", p)
	}
	s.do("POST", "/block", `{"person":6,"blocked":false}`)
	s.do("POST", "/break", `{"broken":false}`)
	if p := s.state(); p.Broken || p.Chats[1].Blocked {
		t.Errorf("got %+v", p)
	}
}

func TestPage_RefusesWhatCannotBe(t *testing.T) {
	s := newSite(t)
	for name, c := range map[string]struct {
		path, body string
		want       int
	}{
		"nobody's phone":   {"/send", `{"person":7,"text":"x"}`, 404},
		"empty message":    {"/send", `{"person":5,"text":"  "}`, 422},
		"too long":         {"/send", `{"person":5,"text":"` + strings.Repeat("x", 4097) + `"}`, 422},
		"no JSON":          {"/send", `person=5`, 400},
		"too large":        {"/send", `{"text":"` + strings.Repeat("x", 70_000) + `"}`, 400},
		"nobody presses":   {"/press", `{"person":7}`, 404},
		"no such button":   {"/press", `{"person":5,"message":1,"data":"x"}`, 409},
		"nobody blocks":    {"/block", `{"person":9}`, 404},
		"unreadable press": {"/press", `[]`, 400},
		"unreadable block": {"/block", ``, 400},
		"unreadable break": {"/break", `1`, 400},
		"no such page":     {"/login", `{}`, 405},
	} {
		t.Run(name, func(t *testing.T) {
			resp, body := s.do("POST", c.path, c.body)
			if resp.StatusCode != c.want && !(c.want == 405 && resp.StatusCode == 404) {
				t.Errorf("got %d %s; want %d", resp.StatusCode, body, c.want)
			}
		})
	}
	if n := len(s.Updates()); n != 0 {
		t.Errorf("got %d updates; want 0", n)
	}
}

func TestPage_ForeignPagesCannotAct(t *testing.T) {
	s := newSite(t)
	for _, headers := range [][]string{{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}} {
		if resp, _ := s.do("POST", "/send", `{"person":5,"text":"x"}`, headers...); resp.StatusCode != 403 {
			t.Errorf("%v: got %d; want 403", headers, resp.StatusCode)
		}
	}
	if resp, _ := s.do("POST", "/send", `{"person":5,"text":"x"}`, "Origin", s.page.URL); resp.StatusCode != 200 {
		t.Errorf("own origin: got %d; want 200", resp.StatusCode)
	}
}

func TestPage_AndAssetsAreServedUnderAStrictPolicy(t *testing.T) {
	s := newSite(t)
	s.maria.Send("</script><b>")
	for path, kind := range map[string]string{"/": "text/html", "/page.css": "text/css", "/main.js": "text/javascript",
		"/phone.js": "text/javascript",
		"/text.js":  "text/javascript", "/story.js": "text/javascript", "/icon.svg": "image/svg+xml"} {
		resp, body := s.do("GET", path, "")
		if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), kind) {
			t.Errorf("%s: got %d %s", path, resp.StatusCode, resp.Header.Get("Content-Type"))
		}
		if csp := resp.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp,
			"default-src 'none'; script-src 'self'; style-src 'self'; "+
				"img-src 'self' data:; media-src 'self'; connect-src 'self'") {
			t.Errorf("%s: got policy %q", path, csp)
		}
		for _, forbidden := range []string{"innerHTML", " style=", "<style", "onclick=", "https://cdn"} {
			if path != "/icon.svg" && strings.Contains(body, forbidden) {
				t.Errorf("%s contains %q", path, forbidden)
			}
		}
		if path == "/" && strings.Contains(body, "</script><b>") {
			t.Error("a message is markup on the page")
		}
		if path == "/" && !strings.Contains(body, "<h1>Retake &lt;demo&gt;</h1>") {
			t.Error("the title is not on the page, or not escaped")
		}
	}
	if resp, _ := s.do("GET", "/index.html", ""); resp.StatusCode != 404 {
		t.Errorf("the template itself: got %d; want 404", resp.StatusCode)
	}
}

func TestPage_AdminLinkIsFreshAtEachClick(t *testing.T) {
	s := newSite(t)
	resp, _ := s.do("GET", "/admin", "")
	if resp.StatusCode != 303 || resp.Header.Get("Location") != "http://localhost:8080/login/once" ||
		resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}
}

func TestPage_WithoutSwitchAndAdminPage(t *testing.T) {
	w := newWorld(t)
	page := w.Page(telegram.PageOptions{Title: "x"})
	for _, r := range []*http.Request{httptest.NewRequest("GET", "/admin", nil), httptest.NewRequest("POST", "/break",
		strings.NewReader(`{"broken":true}`))} {
		rec := httptest.NewRecorder()
		if page.ServeHTTP(rec, r); rec.Code != 404 {
			t.Errorf("%s: got %d; want 404", r.URL, rec.Code)
		}
	}
	rec := httptest.NewRecorder()
	page.ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	if body := rec.Body.String(); strings.Contains(body, "Break the renderer</b>") || strings.Contains(body,
		`href="admin"`) {
		t.Error("the page shows what it cannot do")
	}
}

func TestPage_VideoIsServedInRanges(t *testing.T) {
	s := newSite(t)
	film := mp4(true)
	m, err := s.bot.SendVideo(s.ctx, &bot.SendVideoParams{ChatID: 5,
		Video:     &models.InputFileUpload{Filename: "a.mp4", Data: bytes.NewReader(film)},
		Thumbnail: &models.InputFileUpload{Filename: "t.jpg", Data: bytes.NewReader(smallJPEG)}})
	if err != nil {
		t.Fatal(err)
	}
	v := s.state().Chats[0].Messages[0].Video
	if v == nil || v.File != m.Video.FileID || v.Width != 720 || v.Thumbnail == "" {
		t.Fatalf("got %+v", v)
	}
	resp, body := s.do("GET", "/files/"+v.File, "", "Range", "bytes=4-7")
	if resp.StatusCode != 206 || body != "ftyp" || resp.Header.Get("Content-Type") != "video/mp4" {
		t.Errorf("got %d %q %s", resp.StatusCode, body, resp.Header.Get("Content-Type"))
	}
	if resp, body = s.do("GET", "/files/"+v.Thumbnail, ""); resp.Header.Get("Content-Type") != "image/jpeg" ||
		len(body) != len(smallJPEG) {
		t.Errorf("thumbnail: got %d bytes of %s", len(body), resp.Header.Get("Content-Type"))
	}
	if resp, _ = s.do("GET", "/files/none", ""); resp.StatusCode != 404 {
		t.Errorf("unknown file: got %d; want 404", resp.StatusCode)
	}
}

var smallJPEG = picture(320)

// stream reads events: a name and its data.
func (s *site) stream(ctx context.Context) (next func() (name, data string), end func()) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(ctx, "GET", s.page.URL+"/events", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	if kind := resp.Header.Get("Content-Type"); kind != "text/event-stream" {
		s.t.Fatalf("got %s", kind)
	}
	lines := bufio.NewScanner(resp.Body)
	return func() (name, data string) {
		for lines.Scan() {
			line := lines.Text()
			switch {
			case strings.HasPrefix(line, "event: "):
				name = line[len("event: "):]
			case strings.HasPrefix(line, "data: "):
				return name, line[len("data: "):]
			}
		}
		return "", ""
	}, func() { resp.Body.Close() }
}

func TestPage_ChangesArriveLive(t *testing.T) {
	s := newSite(t)
	s.send(5, "from before the stream")
	next, end := s.stream(s.ctx)
	defer end()
	s.send(6, "hello Emma")
	if name, data := next(); name != "chat" || !strings.Contains(data, "hello Emma") || strings.Contains(data, "Мария") {
		t.Errorf("got %s %s", name, data)
	}
	s.do("POST", "/break", `{"broken":true}`)
	if name, data := next(); name != "broken" || data != "true" {
		t.Errorf("got %s %s", name, data)
	}
	s.maria.Block()
	if name, data := next(); name != "chat" || !strings.Contains(data, `"blocked":true`) {
		t.Errorf("got %s %s", name, data)
	}
	s.Close()
	if name, data := next(); name != "" {
		t.Errorf("after the end: got %s %s", name, data)
	}
}

func TestPage_StreamEndsWithItsReader(t *testing.T) {
	s := newSite(t)
	ctx, cancel := context.WithCancel(s.ctx)
	next, end := s.stream(ctx)
	defer end()
	cancel()
	if name, _ := next(); name != "" {
		t.Errorf("got %s", name)
	}
}
