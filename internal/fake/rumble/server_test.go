// The fake as programs and browsers use it.

package rumble

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"strings"
	"testing"
	"time"
)

const token = "0123456789abcdef0123456789abcdef01234567"

// site is a running fake, mounted under a path.
type site struct {
	*Server
	t   *testing.T
	url string
}

func newSite(t *testing.T) *site {
	t.Helper()
	web := httptest.NewUnstartedServer(nil)
	base := "http://" + web.Listener.Addr().String() + "/rumble"
	s, err := New(
		Options{
			AccessToken: token,
			BaseURL:     base,
			Now:         func() time.Time { return time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC) },
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	web.Config.Handler = http.StripPrefix("/rumble", s)
	web.Start()
	t.Cleanup(func() {
		web.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(s.dir); !os.IsNotExist(err) {
			t.Errorf("the folder is still there: %v", err)
		}
	})
	return &site{s, t, base}
}

// fields are the parts of a form; a name that begins with @ is a file, of the type before the first bar.
type fields map[string]string

func good() fields {
	return fields{
		"access_token": token,
		"title":        "A <b>title</b>",
		"description":  "Words",
		"license_type": "0",
		"@video":       "video/mp4|moving pictures",
	}
}

func (f fields) with(name, value string) fields {
	f[name] = value
	return f
}

func (f fields) without(name string) fields {
	delete(f, name)
	return f
}

// post sends a form; headers are given as name, value, name…
func (s *site) post(path string, f fields, headers ...string) (*http.Response, string) {
	s.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range f {
		if file, ok := strings.CutPrefix(name, "@"); ok {
			kind, data, _ := strings.Cut(value, "|")
			part, err := form.CreatePart(
				textproto.MIMEHeader{
					"Content-Disposition": {multipart.FileContentDisposition(file, "a.bin")},
					"Content-Type":        {kind},
				},
			)
			if err != nil {
				s.t.Fatal(err)
			}
			io.WriteString(part, data)
			continue
		}
		form.WriteField(name, value)
	}
	form.Close()
	return s.do("POST", path, &body, append(headers, "Content-Type", form.FormDataContentType())...)
}

func (s *site) do(method, path string, body io.Reader, headers ...string) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
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

const api = "/api/simple-upload.php"

func TestFake_UploadAnswersAsDocumented(t *testing.T) {
	s := newSite(t)
	resp, body := s.post(api, good().with("guid", "p-1").with("channel_id", "5").with("@thumb", "image/png|picture"))
	var got struct {
		Success bool
		ID      string `json:"video_id"`
		Number  int64  `json:"video_id_int"`
		URL     string `json:"url_monetized"`
		Embed   string `json:"embed_url_monetized"`
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || resp.StatusCode != 200 {
		t.Fatalf("got %d %s", resp.StatusCode, body)
	}
	v := s.Videos()[0]
	if !got.Success || got.ID != v.ID || got.Number == 0 || !strings.HasPrefix(got.URL, v.URL) ||
		!strings.HasPrefix(v.URL, s.url+"/v") ||
		got.Embed == "" {
		t.Errorf("got %+v for %+v", got, v)
	}
	if v.Title != "A <b>title</b>" || v.Guid != "p-1" || v.ChannelID != "5" || v.Size != 15 || !v.Thumb || v.ByHand ||
		len(v.SHA256) != 64 {
		t.Errorf("got %+v", v)
	}
	if s.BytesIn() != 15+7 || s.Posts() != 1 {
		t.Errorf("got %d bytes in %d uploads", s.BytesIn(), s.Posts())
	}
}

func TestFake_UploadRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		form   fields
		status int
		field  string
	}{
		"no token":          {good().without("access_token"), 403, "access_token"},
		"another token":     {good().with("access_token", "x"), 403, "access_token"},
		"no title":          {good().with("title", " "), 200, "title"},
		"no description":    {good().without("description"), 200, "description"},
		"no license":        {good().without("license_type"), 200, "license_type"},
		"another license":   {good().with("license_type", "1"), 200, "license_type"},
		"channel in words":  {good().with("channel_id", "mine"), 200, "channel_id"},
		"no video":          {good().without("@video"), 200, "video"},
		"empty video":       {good().with("@video", "video/mp4|"), 200, "video"},
		"picture of a kind": {good().with("@thumb", "image/gif|x"), 200, "thumb"},
		"far too wordy":     {good().with("description", strings.Repeat("x", maxWords)), 200, "_"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			resp, body := s.post(api, c.form)
			var got struct {
				Success bool
				Errors  map[string]struct{ Code string }
			}
			if err := json.Unmarshal(
				[]byte(body),
				&got,
			); err != nil || got.Success || resp.StatusCode != c.status ||
				got.Errors[c.field].Code == "" {
				t.Errorf("got %d %s; want %d about %s", resp.StatusCode, body, c.status, c.field)
			}
			if left, _ := os.ReadDir(s.dir); len(s.Videos()) != 0 || len(left) != 0 {
				t.Errorf("got %d videos and %d files; want none", len(s.Videos()), len(left))
			}
		})
	}
}

func TestFake_UploadWithoutATokenIsNeverTaken(t *testing.T) {
	s := newSite(t)
	s.opts.AccessToken = ""
	if resp, _ := s.post(api, good().with("access_token", "")); resp.StatusCode != 403 {
		t.Errorf("got %d; want 403", resp.StatusCode)
	}
}

func TestFake_SwitchesAreOffAtFirstAndCanBeTurned(t *testing.T) {
	s := newSite(t)
	seen := map[string]bool{}
	for _, f := range s.Faults() {
		if f.On() || f.Label == "" || f.Hint == "" || seen[f.ID] {
			t.Errorf("got %+v", f)
		}
		seen[f.ID] = true
		f.Set(true)
		if !s.on(f.ID) {
			t.Errorf("%s does not stay on", f.ID)
		}
	}
	for _, id := range []string{"unavailable", "cut", "lost", "badtoken", "refused"} {
		if !seen[id] {
			t.Errorf("there is no %s", id)
		}
	}
}

func TestFake_UploadByHandEndsAtAPageWithTheAddress(t *testing.T) {
	s := newSite(t)
	if resp, body := s.do(
		"GET",
		"/upload.php",
		nil,
	); resp.StatusCode != 200 ||
		!strings.Contains(body, `enctype="multipart/form-data"`) {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
	resp, _ := s.post("/upload.php", good())
	v := s.Videos()[0]
	if resp.StatusCode != 303 || resp.Header.Get("Location") != "upload.php?done="+v.ID || !v.ByHand ||
		v.License != "" {
		t.Fatalf("got %d to %q and %+v", resp.StatusCode, resp.Header.Get("Location"), v)
	}
	if _, body := s.do(
		"GET",
		"/upload.php?done="+v.ID,
		nil,
	); !strings.Contains(body, `value="`+v.URL+`"`) ||
		strings.Contains(body, "<b>title") {
		t.Errorf("the address is not on the page, or the title is markup: %s", body)
	}
	page, body := s.do("GET", strings.TrimPrefix(v.URL, s.url), nil)
	if page.StatusCode != 200 || !strings.Contains(body, `src="files/`+v.ID+`.video"`) ||
		strings.Contains(body, "<b>title") {
		t.Errorf("the page of the video: %d %s", page.StatusCode, body)
	}
}

func TestFake_UploadByHandRefusesAtTheForm(t *testing.T) {
	s := newSite(t)
	for name, c := range map[string]struct {
		form fields
		want string
	}{
		"no title": {good().with("title", " "), "Give it a title"},
		"too long": {good().with("title", strings.Repeat("ы", 201)), "Give it a title"},
		"no video": {good().without("@video"), "Choose a video"},
		"no film":  {good().with("@video", "text/html|<script>"), "not a video"},
	} {
		resp, body := s.post("/upload.php", c.form)
		if resp.StatusCode != 422 || !strings.Contains(body, c.want) || !strings.Contains(body, "Words") {
			t.Errorf("%s: got %d %s", name, resp.StatusCode, body)
		}
	}
	for _, f := range s.Faults() {
		f.Set(f.ID == "unavailable")
	}
	if resp, body := s.post(
		"/upload.php",
		good(),
	); resp.StatusCode != 503 ||
		!strings.Contains(body, "Out of service") {
		t.Errorf("out of service: got %d %s", resp.StatusCode, body)
	}
	if len(s.Videos()) != 0 {
		t.Errorf("got %d videos; want 0", len(s.Videos()))
	}
}

func TestFake_ForeignPagesCannotUpload(t *testing.T) {
	s := newSite(t)
	for _, headers := range [][]string{{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}} {
		if resp, _ := s.post("/upload.php", good(), headers...); resp.StatusCode != 403 {
			t.Errorf("%v: got %d; want 403", headers, resp.StatusCode)
		}
	}
}

func TestFake_VideosPlayInRanges(t *testing.T) {
	s := newSite(t)
	s.post(api, good().with("@thumb", "image/png|picture"))
	s.post(api, good().with("@video", "text/html|<script>"))
	first, page := s.Videos()[0], s.Videos()[1]
	resp, body := s.do("GET", "/files/"+first.ID+".video", nil, "Range", "bytes=7-14")
	if resp.StatusCode != 206 || body != "pictures" || resp.Header.Get("Content-Type") != "video/mp4" {
		t.Errorf("got %d %q %s", resp.StatusCode, body, resp.Header.Get("Content-Type"))
	}
	if resp, body := s.do(
		"GET",
		"/files/"+first.ID+".picture",
		nil,
	); body != "picture" ||
		resp.Header.Get("Content-Type") != "image/png" {
		t.Errorf("picture: got %q %s", body, resp.Header.Get("Content-Type"))
	}
	if resp, _ := s.do(
		"GET",
		"/files/"+page.ID+".video",
		nil,
	); resp.Header.Get(
		"Content-Type",
	) != "application/octet-stream" {
		t.Errorf("a page as a video is served as %s", resp.Header.Get("Content-Type"))
	}
	for _, path := range []string{"/files/" + page.ID + ".picture", "/files/v0.video", "/files/" + first.ID,
		"/v0.html", "/" + first.ID, "/page/page.css", "/"} {
		if resp, _ := s.do("GET", path, nil); resp.StatusCode != 404 {
			t.Errorf("%s: got %d; want 404", path, resp.StatusCode)
		}
	}
}

func TestFake_PagesAreServedUnderAStrictPolicy(t *testing.T) {
	s := newSite(t)
	for path, kind := range map[string]string{"/upload.php": "text/html", "/page.css": "text/css",
		"/copy.js": "text/javascript", "/icon.svg": "image/svg+xml"} {
		resp, body := s.do("GET", path, nil)
		if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), kind) ||
			resp.Header.Get("Content-Security-Policy") != pagePolicy {
			t.Errorf("%s: got %d %s", path, resp.StatusCode, resp.Header.Get("Content-Type"))
		}
		for _, forbidden := range []string{"innerHTML", " style=", "<style", "onclick=", "https://cdn"} {
			if strings.Contains(body, forbidden) {
				t.Errorf("%s contains %q", path, forbidden)
			}
		}
	}
}

func TestFake_AddressesAreMadeOfPlainLetters(t *testing.T) {
	for title, want := range map[string]string{"Happy  Birthday, Ann!": "happy-birthday-ann",
		"С днём рождения": "video", "": "video", strings.Repeat("a-", 60): "a" + strings.Repeat("-a", 24)} {
		if got := slug(title); got != want {
			t.Errorf("%q: got %q; want %q", title, got, want)
		}
	}
}
