// Tests of uploads: what is taken and what is refused, that nothing else is left of one, and how it feels in a browser.

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"retake.example/internal/retry"

	"retake.example/internal/store"

	"github.com/chromedp/chromedp"

	"retake.example/internal/desk"
	"retake.example/internal/lang"
	"retake.example/internal/media"
	"retake.example/internal/video"
)

// samples are small files, made once, by what they are called here.
var samples = sync.OnceValues(func() (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "retake-samples-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	picture, sound := []string{"-f", "lavfi", "-i", "testsrc2=s=320x180:r=30"}, []string{"-f", "lavfi", "-i", "sine"}
	both := append(slices.Clone(picture), sound...)
	out := map[string][]byte{}
	for name, options := range map[string][]string{
		"film.mp4":    append(slices.Clone(both), "-t", "2", "-pix_fmt", "yuv420p", "-movflags", "+faststart"),
		"late.mp4":    append(slices.Clone(both), "-t", "2", "-pix_fmt", "yuv420p"), // its index is at the end
		"phone.mov":   append(slices.Clone(both), "-t", "2", "-pix_fmt", "yuv420p"),
		"screen.webm": append(slices.Clone(both), "-t", "2", "-c:v", "libvpx", "-deadline", "realtime"),
		"disc.mkv":    append(slices.Clone(picture), "-t", "1", "-c:v", "libx265", "-x265-params", "log-level=none"),
		"song.mp4":    append(slices.Clone(sound), "-t", "1"),
		"photo.jpg":   append(slices.Clone(picture), "-frames:v", "1"),
		"dot.mp4":     {"-f", "lavfi", "-i", "testsrc2=s=8x8:r=30", "-t", "1", "-pix_fmt", "yuv420p"},
	} {
		path := filepath.Join(dir, name)
		said, err := exec.Command("ffmpeg", append(append([]string{"-nostdin", "-v", "error"}, options...), path)...).
			CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %s", name, err, said)
		}
		if out[name], err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	return out, nil
})

func footage(t testing.TB, name string) []byte {
	t.Helper()
	all, err := samples()
	if err != nil {
		t.Fatal(err)
	}
	return all[name]
}

// grown makes an MP4 file exactly as large as wanted, by a box that players skip.
func grown(film []byte, size int) []byte {
	box := make([]byte, size-len(film))
	binary.BigEndian.PutUint32(box, uint32(len(box)))
	copy(box[4:], "free")
	return append(slices.Clone(film), box...)
}

// counter is a page that takes uploads over real HTTP.
type counter struct {
	*office
	server  *httptest.Server
	session string
	waiting string                            // folder of the files on their way
	work    string                            // folder of ffmpeg
	left    chan struct{}                     // told of every answer that is finished
	road    func(io.ReadCloser) io.ReadCloser // what the bodies of requests come through
}

// mostBytes is how large an upload may be here.
const mostBytes = 1 << 20

func newCounter(t *testing.T, max int64, patience time.Duration, room func(need int64) error) *counter {
	t.Helper()
	u := &counter{
		office:  newDesk(t, "http://localhost:8080"),
		waiting: filepath.Join(t.TempDir(), "uploads"),
		work:    t.TempDir(),
		left:    make(chan struct{}, 1000),
		road:    func(body io.ReadCloser) io.ReadCloser { return body },
	}
	maker, err := video.New(
		video.Config{Engine: "command", Offered: []string{"new-year"}, Command: []string{"false"}, Timeout: time.Minute,
			Work: u.work, Cache: t.TempDir(), Workers: 1},
	)
	if err != nil {
		t.Fatal(err)
	}
	uploads, err := desk.NewUploads(u.waiting, max, patience, room)
	if err != nil {
		t.Fatal(err)
	}
	u.change(func(o *desk.Options) { o.Uploads, o.Inspect = uploads, maker.Inspect })
	u.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/uploads" {
			defer func() { u.left <- struct{}{} }()
			r.Body = u.road(r.Body)
		}
		u.Handler().ServeHTTP(w, r)
	}))
	u.server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		c.(*net.TCPConn).SetReadBuffer(256 << 10) // a system that is left alone may take 32 MB before anybody has read
		return ctx
	}
	u.server.Start()
	t.Cleanup(u.server.Close)
	u.session = u.signIn(7)
	return u
}

func roomy(int64) error { return nil }

// part is a part of a form.
type part struct{ field, file, content string }

// form is a body with these parts, and its Content-Type.
func form(parts ...part) (body []byte, kind string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		header := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name="%s"`, p.field)}}
		if p.file != "" {
			header.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"; filename="%s"`, p.field, p.file))
			header.Set("Content-Type", "text/html") // what the client says does not matter
		}
		to, err := w.CreatePart(header)
		if err == nil {
			_, err = io.WriteString(to, p.content)
		}
		if err != nil {
			panic(err) // a buffer takes all
		}
	}
	w.Close()
	return b.Bytes(), w.FormDataContentType()
}

// answered is what came back.
type answered struct {
	status   int
	body     string
	location string
	id       string
}

// post sends a request to /uploads.
func (u *counter) post(body io.Reader, kind string, asJSON bool, change func(*http.Request)) answered {
	u.t.Helper()
	r, err := http.NewRequestWithContext(u.t.Context(), "POST", u.server.URL+"/uploads", body)
	if err != nil {
		u.t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Accept", "text/html")
	if asJSON {
		r.Header.Set("Accept", "application/json")
	}
	r.AddCookie(&http.Cookie{Name: u.cookie, Value: u.session})
	if change != nil {
		change(r)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		u.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		u.t.Fatal(err)
	}
	a := answered{resp.StatusCode, string(text), resp.Header.Get("Location"), ""}
	var said struct {
		Success     bool
		Outcome, ID string
	}
	if asJSON && json.Unmarshal(text, &said) == nil && said.Success && said.Outcome == "uploaded" {
		a.id = said.ID
	}
	return a
}

// upload sends a form and returns the id of the asset that it became.
func (u *counter) upload(title, file, content string) string {
	u.t.Helper()
	body, kind := form(part{"title", "", title}, part{"file", file, content})
	a := u.post(bytes.NewReader(body), kind, true, nil)
	if a.status != 200 || a.id == "" {
		u.t.Fatalf("got %d %s; want it uploaded", a.status, a.body)
	}
	return a.id
}

// filesIn lists what lies in a folder, and half written in the folder of that.
func filesIn(t testing.TB, folder string) (files []string) {
	t.Helper()
	if err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && path != folder && d.Name() != ".part" {
			files = append(files, path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return files
}

// wantNothing fails the test if anything is left of uploads but the given number of assets.
func (u *counter) wantNothing(assets int) {
	u.t.Helper()
	for folder, want := range map[string]int{u.waiting: 0, u.work: 0, u.folder: 2 * assets} {
		if files := filesIn(u.t, folder); len(files) != want {
			u.t.Errorf("got %q; want %d files", files, want)
		}
	}
	if n := count(u.t, u.store, `SELECT count(*) FROM assets`); n != assets {
		u.t.Errorf("got %d assets; want %d", n, assets)
	}
	if n := count(u.t, u.store, `SELECT count(*) FROM audit WHERE action = 'upload'`); n != assets {
		u.t.Errorf("got %d uploads in the activity; want %d", n, assets)
	}
}

func TestAnUploadIsKeptWhateverItsKind(t *testing.T) {
	u := newCounter(t, mostBytes, time.Minute, roomy)
	for i, c := range []struct{ file, end, kind string }{
		{"film.mp4", ".mp4", "video/mp4"},
		{"late.mp4", ".mp4", "video/mp4"},
		{"phone.mov", ".mov", "video/quicktime"},
		{"screen.webm", ".webm", "video/webm"},
		{"disc.mkv", ".mkv", "video/x-matroska"},
	} {
		content := string(footage(t, c.file))
		id := u.upload("  Лето\u00a0на  даче "+fmt.Sprint(i), "C:\\fakepath\\"+c.file+".html", content)
		a, err := u.store.Asset(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if a.Name != fmt.Sprint("Лето на даче ", i) || a.NameKey != fmt.Sprint("лето на даче ", i) || a.Origin != "UPLOAD" ||
			a.Status != store.Completed || *a.Creator != 7 ||
			a.Video.File != id+c.end || a.Video.Size != int64(len(content)) || a.Video.Width != 320 ||
			a.Video.Height != 180 ||
			a.Video.Duration < 900*time.Millisecond ||
			a.Video.Duration > 2200*time.Millisecond ||
			a.Finished.IsZero() {
			t.Errorf("%s: got %+v", c.file, a)
		}
		w := u.send(call{method: "GET", path: "/media/" + id, session: u.session})
		if u.want(200, w) != content || w.Header().Get("Content-Type") != c.kind ||
			w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: got %v; want the file as it was, as %s", c.file, w.Header(), c.kind)
		}
		w = u.send(
			call{method: "GET", path: "/media/" + id, session: u.session, header: map[string]string{"Range": "bytes=4-7"}},
		)
		if u.want(206, w) != content[4:8] || w.Header().Get("Content-Type") != c.kind {
			t.Errorf("%s: got %q; want a part", c.file, w.Body)
		}
		w = u.send(call{method: "GET", path: "/thumbs/" + id, session: u.session})
		if !strings.HasPrefix(u.want(200, w), "\xff\xd8\xff") || w.Header().Get("Content-Type") != "image/jpeg" {
			t.Errorf("%s: got %v; want a JPEG", c.file, w.Header())
		}
		u.wantNothing(i + 1)
	}
	if got := u.list(u.session, "?q=даче%203"); len(got.Assets) != 1 || got.Assets[0].Origin != "upload" ||
		got.Assets[0].Status != "COMPLETED" {
		t.Errorf("got %+v; want the one that is looked for", got)
	}
	page := u.want(200, u.send(call{method: "GET", path: "/", session: u.session}))
	if strings.Count(page, "<span>Upload</span>") != 5 || !strings.Contains(page, `href="/upload"`) {
		t.Errorf("got %s; want five uploads, and the way to the next", page)
	}
	if got := u.deeds(u.session, "").Activity[0]; got.Who != "you" || got.What != "uploaded a video" ||
		got.Name != "Лето на даче 4" {
		t.Errorf("got %+v; want what was done", got)
	}
	if err := sweepAll(t, u.store, u.files.(*media.Disk), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	u.wantNothing(5)
}

func TestAFormWithoutJavaScriptLeadsToTheVideo(t *testing.T) {
	u := newCounter(t, mostBytes, time.Minute, roomy)
	page := u.want(200, u.send(call{method: "GET", path: "/upload", session: u.session}))
	for _, want := range []string{`method="post" action="/uploads" enctype="multipart/form-data"`, `name="title"`,
		`type="file" name="file"`, "up to 1 MB.", `src="/static/upload.js"`} {
		if !strings.Contains(page, want) {
			t.Errorf("got %s; want %q in it", page, want)
		}
	}
	// the title after the file
	body, kind := form(part{"file", "Наш отпуск.mp4", string(footage(t, "film.mp4"))}, part{"title", "", ""})
	a := u.post(bytes.NewReader(body), kind, false, nil)
	id := text(t, u.store, `SELECT id FROM assets`)
	if a.status != 303 || a.location != "/assets/"+id+"?notice=uploaded" {
		t.Fatalf("got %d to %s; want the way to the video", a.status, a.location)
	}
	if page := u.want(200, u.send(call{method: "GET", path: a.location, session: u.session})); !strings.Contains(
		page,
		"<h1>Наш отпуск</h1>",
	) ||
		!strings.Contains(page, "The video is here.") {
		t.Errorf("got %s; want the video and a notice", page)
	}
	a = u.post(strings.NewReader("x"), kind, false, func(r *http.Request) { r.Header.Set("Accept-Language", "ru") })
	if a.status != 422 || !strings.Contains(a.body, "Эту форму не удалось прочитать.") ||
		!strings.Contains(a.body, `action="/uploads"`) {
		t.Errorf("got %d %s; want the form again, with what was wrong", a.status, a.body)
	}
	var said struct {
		Success bool
		Max     int64 `json:"max_bytes"`
	}
	if err := json.Unmarshal([]byte(u.want(200,
		u.send(call{method: "GET", path: "/upload", session: u.session, json: true}))), &said); err != nil ||
		!said.Success ||
		said.Max != mostBytes {
		t.Errorf("got %+v, %v; want the limit", said, err)
	}
}

func TestWhatIsNoVideoIsRefusedInWords(t *testing.T) {
	u := newCounter(t, mostBytes, time.Minute, roomy)
	film, mkv := footage(t, "film.mp4"), footage(t, "disc.mkv")
	secret := filepath.Join(t.TempDir(), "secret.ts")
	if err := os.WriteFile(secret, film, 0o600); err != nil {
		t.Fatal(err)
	}
	html := "<!doctype html><script>alert(1)</script>" + strings.Repeat(" ", 4000)
	one := func(content []byte) []part {
		return []part{{"title", "", "Лето"}, {"file", "film.mp4", string(content)}}
	}
	for name, c := range map[string]struct {
		parts  []part
		status int
		code   string
		words  string
	}{
		"a page": {one([]byte(html)), 415, "UNSUPPORTED", "upload_unsupported"},
		"a page that begins like a video": {one([]byte("\x00\x00\x00\x18ftypisom" + html)), 415, "UNSUPPORTED",
			"upload_unplayable"},
		"a photo":                       {one(footage(t, "photo.jpg")), 415, "UNSUPPORTED", "upload_unsupported"},
		"an empty file":                 {one(nil), 415, "UNSUPPORTED", "upload_unsupported"},
		"three bytes":                   {one(film[:3]), 415, "UNSUPPORTED", "upload_unsupported"},
		"a film cut short":              {one(film[:len(film)-1]), 415, "UNSUPPORTED", "upload_unplayable"},
		"a film without its index":      {one(footage(t, "late.mp4")[:9000]), 415, "UNSUPPORTED", "upload_unplayable"},
		"a recording cut short":         {one(mkv[:len(mkv)-1]), 415, "UNSUPPORTED", "upload_unplayable"},
		"only sound":                    {one(footage(t, "song.mp4")), 415, "UNSUPPORTED", "upload_unplayable"},
		"a picture of 8 × 8":            {one(footage(t, "dot.mp4")), 415, "UNSUPPORTED", "upload_unplayable"},
		"a playlist of a local file":    {one([]byte("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://" + secret + "\n#EXT-X-ENDLIST\n")), 415, "UNSUPPORTED", "upload_unsupported"},
		"one byte too many":             {one(grown(film, mostBytes+1)), 413, "TOO_LARGE", "upload_too_large"},
		"far too many bytes":            {one(grown(film, mostBytes+desk.MaxBody+1)), 413, "TOO_LARGE", "upload_too_large"},
		"no file":                       {[]part{{"title", "", "Лето"}}, 422, "INVALID", "upload_no_file"},
		"nothing":                       {nil, 422, "INVALID", "upload_no_file"},
		"what a browser sends for none": {[]part{{"title", "", "Лето"}, {"file", "", ""}}, 422, "INVALID", "upload_no_file"},
		"two files": {append(one(film), part{"file", "film.mp4", string(film)}), 422, "INVALID",
			"upload_two_files"},
		"a long title": {[]part{{"title", "", strings.Repeat("я", 101)}, {"file", "film.mp4", string(film)}},
			422, "INVALID", "title_long"},
		"a title that turns around": {[]part{{"title", "", "\u202eгнирт"}, {"file", "film.mp4", string(film)}}, 422,
			"INVALID", "title_hidden"},
		"a title with a zero": {[]part{{"title", "", "a\x00b"}, {"file", "film.mp4", string(film)}}, 422, "INVALID",
			"title_hidden"},
		"a title that is no text": {[]part{{"title", "", "\xff\xfe"}, {"file", "film.mp4", string(film)}}, 422, "INVALID",
			"title_hidden"},
		"a bad title after the file": {[]part{{"file", "film.mp4", string(film)}, {"title", "", "\u202e"}}, 422, "INVALID",
			"title_hidden"},
		"a book for a title": {[]part{{"title", "", strings.Repeat("я", 20000)}, {"file", "film.mp4", string(film)}}, 422,
			"INVALID", "title_long"},
	} {
		t.Run(name, func(t *testing.T) {
			u := u
			u.t = t
			body, kind := form(c.parts...)
			for _, asJSON := range []bool{true, false} {
				for _, counted := range []bool{true, false} { // with and without a Content-Length
					reader := io.Reader(bytes.NewReader(body))
					if !counted {
						reader = io.MultiReader(reader)
					}
					a := u.post(reader, kind, asJSON, nil)
					if a.status != c.status ||
						!strings.Contains(strings.ReplaceAll(a.body, "&#39;", "'"), lang.Say("en", c.words, nil)) {
						t.Errorf("got %d %s; want %d, %s", a.status, a.body, c.status, lang.Say("en", c.words, nil))
					}
					if asJSON && refused(t, a.body) != c.code {
						t.Errorf("got %s; want %s", a.body, c.code)
					}
				}
			}
			u.wantNothing(0)
		})
	}
	u.t = t
	whole, kind := form(one(film)...)
	for name, c := range map[string]struct {
		body []byte
		kind string
	}{
		"a form without its end":     {whole[:len(whole)-20], kind},
		"a form that is no such":     {whole, "application/x-www-form-urlencoded"},
		"JSON":                       {[]byte(`{"title":"x"}`), "application/json"},
		"a form without a boundary":  {whole, "multipart/form-data"},
		"a form of another boundary": {whole, "multipart/form-data; boundary=other"},
		"a body that ends in a part": {whole[:len(whole)-len(film)/2], kind},
	} {
		if a := u.post(bytes.NewReader(c.body), c.kind, true, nil); a.status != 422 || refused(t, a.body) != "INVALID" {
			t.Errorf("%s: got %d %s; want INVALID", name, a.status, a.body)
		}
		u.wantNothing(0)
	}
	body, kind := form(part{"file", "a\x00b.mp4", string(film)})
	if a := u.post(bytes.NewReader(body), kind, true, nil); a.status != 422 || refused(t, a.body) != "INVALID" {
		t.Errorf("a file name with a zero: got %d %s; want INVALID", a.status, a.body)
	}
	u.wantNothing(0)
	if u.log.Len() > 0 {
		t.Errorf("got log %s; want nothing: it was the clients' doing", &u.log)
	}
}

func TestALengthThatIsTooLargeIsRefusedUnread(t *testing.T) {
	u := newCounter(t, mostBytes, time.Minute, roomy)
	conn, err := net.Dial("tcp", u.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(
		conn,
		"POST /uploads HTTP/1.1\r\nHost: localhost\r\nCookie: %s=%s\r\nAccept: application/json\r\nExpect: 100-continue\r\n"+
			"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n\r\n",
		u.cookie,
		u.session,
		mostBytes+desk.MaxBody+1,
	)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil) // not told to go on
	if err != nil || resp.StatusCode != 413 {
		t.Errorf("got %v, %v; want 413 at once", resp, err)
	}
	u.wantNothing(0)
}

func TestAFileAsLargeAsItMayBeIsTaken(t *testing.T) {
	u := newCounter(t, mostBytes, time.Minute, roomy)
	u.upload("", "x.mp4", string(grown(footage(t, "film.mp4"), mostBytes)))
	u.wantNothing(1)
}

func TestHostileNamesOfFilesAreTitlesAtMost(t *testing.T) {
	u := newCounter(t, mostBytes, time.Minute, roomy)
	film := string(footage(t, "film.mp4"))
	n := 0
	for file, want := range map[string]string{
		"../../x.mp4":                     "x",
		`..\..\x.mp4`:                     "x",
		"/etc/passwd":                     "passwd",
		"<script>alert(1)<b>.mp4":         "<script>alert(1)<b>",
		"a\tb\u202e.mp4":                  "a b",
		".mp4":                            "Video without a title",
		"\u202e.mp4":                      "Video without a title",
		"..":                              "Video without a title",
		"x.html":                          "x",
		"1. Наше лето":                    "1. Наше лето",
		strings.Repeat("я", 300) + ".mp4": strings.Repeat("я", 100),
		"{{.ID}}.mp4":                     "{{.ID}}",
	} {
		id := u.upload("", file, film)
		n++
		a, err := u.store.Asset(t.Context(), id)
		if err != nil || a.Name != want || a.Video.File != id+".mp4" {
			t.Errorf("%q: got %q, %q, %v; want %q", file, a.Name, a.Video.File, err, want)
		}
		page := u.want(200, u.send(call{method: "GET", path: "/assets/" + id, session: u.session}))
		if strings.Contains(page, "<script>") || strings.Contains(page, "alert(1)<b>") {
			t.Errorf("%q: got %s; want it as text", file, page)
		}
	}
	u.wantNothing(n)
}

// begun opens a connection, sends the beginning of an upload, and returns it with what is still to be sent.
func (u *counter) begun(content string) (conn net.Conn, rest []byte) {
	u.t.Helper()
	conn, err := net.Dial("tcp", u.server.Listener.Addr().String())
	if err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() { conn.Close() })
	body, kind := form(part{"title", "", "Лето"}, part{"file", "film.mp4", content})
	half := len(body) / 2
	fmt.Fprintf(
		conn,
		"POST /uploads HTTP/1.1\r\nHost: localhost\r\nCookie: %s=%s\r\nAccept: application/json\r\nContent-Type: "+
			"%s\r\nContent-Length: %d\r\n\r\n%s",
		u.cookie,
		u.session,
		kind,
		len(body),
		body[:half],
	)
	return conn, body[half:]
}

// arrived waits until the beginning of a file is there.
func (u *counter) arrived() {
	u.t.Helper()
	(&world{T: u.t.(*testing.T), log: &journal{}}).until("the beginning of a file", func() bool {
		files, _ := os.ReadDir(u.waiting)
		return len(files) == 1
	})
}

func TestAnUploadThatBreaksOffLeavesNothing(t *testing.T) {
	u := newCounter(t, mostBytes, time.Minute, roomy)
	conn, _ := u.begun(string(grown(footage(t, "film.mp4"), 600_000)))
	u.arrived()
	conn.Close()
	<-u.left
	u.wantNothing(0)
	if u.log.Len() > 0 {
		t.Errorf("got log %s; want nothing", &u.log)
	}
}

func TestAnUploadCancelledWhileItIsLookedAtLeavesNothing(t *testing.T) {
	for _, c := range []struct {
		counted bool // with a Content-Length
		behind  int  // bytes behind the form
	}{{true, 0}, {false, 0}, {true, 50_000}} {
		u := newCounter(t, mostBytes, time.Minute, roomy)
		ctx, cancel := context.WithCancel(t.Context())
		u.change(func(o *desk.Options) {
			o.Inspect = func(ctx context.Context, path string) (video.Video, error) {
				cancel()
				<-ctx.Done()
				return video.Video{}, ctx.Err()
			}
		})
		body, kind := form(part{"title", "", "Лето"}, part{"file", "film.mp4", string(footage(t, "film.mp4"))})
		reader := io.Reader(bytes.NewReader(append(body, make([]byte, c.behind)...)))
		if !c.counted {
			reader = io.MultiReader(reader)
		}
		r, err := http.NewRequestWithContext(ctx, "POST", u.server.URL+"/uploads", reader)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", kind)
		r.AddCookie(&http.Cookie{Name: u.cookie, Value: u.session})
		if resp, err := http.DefaultTransport.RoundTrip(r); err == nil {
			t.Errorf("got %s; want no answer", resp.Status)
		}
		<-u.left
		u.wantNothing(0)
		if u.log.Len() > 0 {
			t.Errorf("got log %s; want nothing", &u.log)
		}
	}
}

func TestAnUploadMayBeLookedAtForAsLongAsItTakes(t *testing.T) {
	const patience = 50 * time.Millisecond
	u := newCounter(t, mostBytes, patience, roomy)
	inspect := u.opts.Inspect
	u.change(func(o *desk.Options) {
		o.Inspect = func(ctx context.Context, path string) (video.Video, error) {
			select {
			case <-ctx.Done():
			case <-time.After(4 * patience):
			}
			return inspect(ctx, path)
		}
	})
	u.upload("Лето", "film.mp4", string(footage(t, "film.mp4")))
	u.wantNothing(1)
}

func TestAClientThatSendsNothingIsGivenUp(t *testing.T) {
	u := newCounter(t, mostBytes, 100*time.Millisecond, roomy)
	// what is left of the second, a server reads on its own
	for _, size := range []int{600_000, len(footage(t, "film.mp4")) + 8} {
		conn, _ := u.begun(string(grown(footage(t, "film.mp4"), size)))
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 422 || !strings.Contains(string(body), lang.Say("en", "upload_broken", nil)) ||
			!resp.Close {
			t.Errorf("got %d %s, %v; want it told and hung up", resp.StatusCode, body, err)
		}
		<-u.left
		u.wantNothing(0)
	}
}

func TestASlowClientHasAllTheTimeInTheWorld(t *testing.T) {
	const patience = time.Second
	u := newCounter(t, mostBytes, patience, roomy)
	conn, rest := u.begun(string(footage(t, "film.mp4")))
	pause := time.NewTicker(patience / 10)
	defer pause.Stop()
	for piece := range slices.Chunk(rest, len(rest)/14) { // longer than patience, all in all
		<-pause.C
		conn.Write(piece)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("got %v, %v; want it taken", resp, err)
	}
	u.wantNothing(1)
}

func TestAFullDiskIsToldInTime(t *testing.T) {
	full := fmt.Errorf("%w: 1 MB is free", video.ErrDiskFull)
	film := string(grown(footage(t, "film.mp4"), 600_000))
	for name, c := range map[string]struct {
		free    int64
		counted bool // the client says how much it will send
		spoil   func(u *counter)
		looked  bool
	}{
		"before anything is written": {free: 1_100_000, counted: true},
		"while it is written":        {free: 4 << 20},
		"by the disk itself, when it is kept": {free: 1 << 40,
			spoil: func(u *counter) { u.files = fullShelf{u.files}; u.change(func(*desk.Options) {}) }},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			u := newCounter(t, 1<<20, time.Minute, func(need int64) error {
				asked++
				if need > c.free {
					return full
				}
				return nil
			})
			if c.spoil != nil {
				c.spoil(u)
			}
			body, kind := form(part{"title", "", "Лето"}, part{"file", "film.mp4", film})
			reader := io.Reader(bytes.NewReader(body))
			if !c.counted {
				reader = io.MultiReader(reader)
			}
			a := u.post(reader, kind, true, nil)
			if a.status != 507 || refused(t, a.body) != "DISK_FULL" ||
				!strings.Contains(a.body, lang.Say("en", "upload_disk_full", nil)) {
				t.Errorf("got %d %s; want DISK_FULL", a.status, a.body)
			}
			if c.counted != (asked == 1) {
				t.Errorf("looked at the disk %d times", asked)
			}
			u.wantNothing(0)
		})
	}
}

// fullShelf has room for a picture alone.
type fullShelf struct{ media.Store }

func (f fullShelf) Put(ctx context.Context, key, path string, progress func(int64)) error {
	if !strings.HasSuffix(key, ".jpg") {
		return &os.PathError{Op: "write", Path: key, Err: syscall.ENOSPC}
	}
	return f.Store.Put(ctx, key, path, progress)
}

func TestAFaultOfOursLeavesNothingOfAnUpload(t *testing.T) {
	for name, spoil := range map[string]func(u *counter){
		"the database does not take it": func(u *counter) {
			mutate(u.t, u.store, `CREATE TRIGGER spoilt BEFORE INSERT ON audit WHEN new.action = 'upload' BEGIN
				SELECT raise(ABORT, 'SECRET'); END`)
		},
		"there is no ffmpeg": func(u *counter) {
			u.change(func(o *desk.Options) {
				o.Inspect = func(context.Context, string) (video.Video, error) {
					return video.Video{}, errors.New("SECRET: ffmpeg was not found")
				}
			})
		},
		"a panic": func(u *counter) {
			u.change(func(o *desk.Options) {
				o.Inspect = func(context.Context, string) (video.Video, error) { panic("SECRET") }
			})
		},
		"the folder is gone": func(u *counter) { os.RemoveAll(u.waiting) },
	} {
		t.Run(name, func(t *testing.T) {
			u := newCounter(t, mostBytes, time.Minute, roomy)
			spoil(u)
			body, kind := form(part{"title", "", "Лето"}, part{"file", "film.mp4", string(footage(t, "film.mp4"))})
			a := u.post(bytes.NewReader(body), kind, true, nil)
			if a.status != 500 || refused(t, a.body) != "INTERNAL" || strings.Contains(a.body, "SECRET") {
				t.Errorf("got %d %s; want neutral words", a.status, a.body)
			}
			if n := strings.Count(u.log.String(), "level=ERROR"); n != 1 || strings.Contains(u.log.String(), "Лето") {
				t.Errorf("got log %s; want one line without the title", &u.log)
			}
			os.MkdirAll(u.waiting, 0o700)
			u.wantNothing(0)
		})
	}
}

func TestAnyAdminMayUploadAndTheirOwnIsTheirs(t *testing.T) {
	u := newCounter(t, mostBytes, time.Minute, roomy)
	film := string(footage(t, "film.mp4"))
	body, kind := form(part{"file", "film.mp4", film})
	a := u.post(bytes.NewReader(body), kind, true, func(r *http.Request) { r.Header.Del("Cookie") })
	if a.status != 401 || refused(t, a.body) != "UNAUTHORIZED" {
		t.Errorf("got %d %s; want a stranger sent away", a.status, a.body)
	}
	for _, site := range []string{"cross-site", "same-site"} {
		a = u.post(bytes.NewReader(body), kind, true, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", site) })
		if a.status != 403 || refused(t, a.body) != "CROSS_ORIGIN" {
			t.Errorf("got %d %s; want another site refused", a.status, a.body)
		}
	}
	u.wantNothing(0)
	ids := map[int64]string{}
	for _, admin := range []int64{7, 8, 9} {
		u.session = u.signIn(admin)
		ids[admin] = u.upload("Одно и то же", "film.mp4", film) // three videos, not one
	}
	u.wantNothing(3)
	for _, c := range []struct {
		reader, creator int64
		may             bool
	}{{7, 7, true}, {7, 9, false}, {8, 7, true}, {9, 8, false}} {
		var view desk.Detail
		if err := json.Unmarshal([]byte(u.want(200, u.send(call{method: "GET", path: "/assets/" + ids[c.creator],
			session: u.signIn(c.reader), json: true}))), &view); err != nil ||
			view.Card.MayEdit != c.may {
			t.Errorf("%d, the video of %d: got %v, %v; want %v", c.reader, c.creator, view.Card.MayEdit, err, c.may)
		}
	}
}

func TestNobodyIsServedByAnUpload(t *testing.T) {
	u := newCounter(t, mostBytes, time.Minute, roomy)
	u.session = u.signIn(8)
	id := u.upload("Маша", "film.mp4", string(footage(t, "film.mp4")))
	if _, err := u.queue.Retry(t.Context(), id, retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}}); !errors.Is(
		err,
		store.ErrNotFailed,
	) {
		t.Errorf("an admin retries it: got %v; want ErrNotFailed", err)
	}
	if _, err := u.queue.Retry(t.Context(), id, retry.ButtonPressed{User: 1, Chat: 1}); !errors.Is(
		err,
		store.ErrForbidden,
	) {
		t.Errorf("a user retries it: got %v; want ErrForbidden", err)
	}
	// Even a wish with its very template and language.
	write(t, u.store, func(tx *store.Tx) error {
		if _, err := tx.Meet(1, "ru"); err != nil {
			return err
		}
		a, grant, err := tx.ShareOrCreate(
			store.Wish{User: 1, Chat: 1, Name: "Маша", Key: lang.NameKey("Маша"), Lang: u.opts.Lang},
			time.Time{},
		)
		if grant != store.Created || a.ID == id {
			t.Errorf("got %s, %v; want a video of its own", grant, err)
		}
		return err
	})
	failForGood(t, u.queue)
	mutate(t, u.store, `UPDATE assets SET finished = finished + 1000000 WHERE id = ?`, id) // after the failure
	failed := text(t, u.store, `SELECT id FROM assets WHERE status = 'FAILED'`)
	if need, err := u.store.NeedYou(t.Context(), store.Admin{ID: 8, Owner: true}, store.Filter{}); err != nil ||
		need.Count != 1 ||
		need.People != 1 {
		t.Errorf("got %+v, %v; want the failed one, which the upload does not replace", need, err)
	}
	if out, err := u.queue.Retry(t.Context(), failed, retry.ButtonPressed{User: 1, Chat: 1}); err != nil ||
		out != retry.Restarted {
		t.Errorf("got %s, %v; want a new try", out, err)
	}
	if n := count(t, u.store, `SELECT count(*) FROM requests WHERE asset_id = '`+id+`'`) + count(t, u.store,
		`SELECT count(*) FROM jobs WHERE asset_id = '`+id+`'`); n != 0 {
		t.Errorf("got %d requests and jobs of the upload; want none", n)
	}
	write(t, u.store, func(tx *store.Tx) error { _, err := tx.Forget(1); return err })
	if _, err := u.store.Asset(t.Context(), id); err != nil {
		t.Errorf("got %v; want the upload kept when its namesake's parent is forgotten", err)
	}
}

func TestTheNextStartRemovesWhatACrashLeft(t *testing.T) {
	v := newVictim(t)
	left := filepath.Join(v.dir, "work", "uploads", store.NewID())
	for path, content := range map[string]string{left: "half a film",
		filepath.Join(v.dir, "media", store.NewID()+".webm"): "kept, but in no database"} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := openStore(filepath.Join(v.dir, "retake.db"))
	if err != nil {
		t.Fatal(err)
	}
	creator, id := int64(8), store.NewID()
	write(t, s, func(tx *store.Tx) error {
		return tx.AddUpload(
			store.Asset{
				ID:      id,
				Name:    "x",
				NameKey: "x",
				Creator: &creator,
				Video:   store.Video{File: id + ".mkv", Thumb: id + ".jpg"},
			},
		)
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(v.dir, "media", id+".mkv"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	v.start(0)
	(&world{T: t, log: v.log}).until(
		"the start",
		func() bool { return strings.Contains(v.log.String(), "retake is running") },
	)
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v; want half a film gone", err)
	}
	(&world{T: t, log: v.log}).until("only what the database knows left", func() bool {
		files, err := filepath.Glob(filepath.Join(v.dir, "media", "[^.]*"))
		return err == nil && len(files) == 1 && filepath.Base(files[0]) == id+".mkv"
	})
}

func TestALargeUploadNeedsLittleMemory(t *testing.T) {
	const size = 300 << 20
	u := newCounter(t, size+1, time.Minute, roomy)
	head, kind := form(part{"title", "", "Лето"}, part{"file", "film.mp4", "\x00\x00\x00\x18ftypisom"})
	boundary := kind[strings.Index(kind, "boundary=")+len("boundary="):]
	end := "\r\n--" + boundary + "--\r\n"
	begin := strings.TrimSuffix(string(head), end)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	a := u.post(
		io.MultiReader(strings.NewReader(begin), io.LimitReader(zeros{}, size-12), strings.NewReader(end)),
		kind,
		true,
		nil,
	)
	runtime.ReadMemStats(&after)
	if a.status != 415 || !strings.Contains(a.body, lang.Say("en", "upload_unplayable", nil)) {
		t.Errorf("got %d %s; want all of it taken, and then found to be no video", a.status, a.body)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 32<<20 {
		t.Errorf("allocated %d MB, which is more than a tenth of the file", grown>>20)
	} else {
		t.Logf("allocated %d KB in all", grown>>10)
	}
	u.wantNothing(0)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestTheLimitOfUploadsIsASetting(t *testing.T) {
	if _, err := LoadConfig("", []string{"RETAKE_MEDIA_MAX_UPLOAD_MB=0"}); err == nil ||
		!strings.Contains(err.Error(), "media.max_upload_mb: 1 or more is expected") {
		t.Errorf("got %v; want the key and what is expected", err)
	}
	cfg, err := LoadConfig("", []string{"RETAKE_MEDIA_MAX_UPLOAD_MB=1234"})
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, "http://localhost:8080")
	d.change(func(o *desk.Options) { o.Limits = limits(cfg) })
	page := d.want(200, d.send(call{method: "GET", path: "/settings", session: d.signIn(7)}))
	if !strings.Contains(page, "<dt>Largest video that can be uploaded</dt><dd>1234 MB</dd>") {
		t.Errorf("got %s; want the limit", page)
	}
}

// barrier lets the first bytes of a body through, and the others a few at a time until it is lifted.
type barrier struct {
	io.ReadCloser
	before int
	pace   *time.Ticker
	lifted <-chan struct{}
}

func (b *barrier) Read(p []byte) (int, error) {
	if b.before <= 0 {
		select {
		case <-b.lifted:
		case <-b.pace.C:
		}
	}
	n, err := b.ReadCloser.Read(p)
	b.before -= n
	return n, err
}

// command sends the browser a command of its protocol.
func (b browser) command(method string, params map[string]any) {
	b.Helper()
	b.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		var none struct{}
		return chromedp.Void{}, t.Call(ctx, method, params, &none)
	})
}

func TestUploadingInABrowser(t *testing.T) {
	const large = 64 << 20
	u := newCounter(t, large, time.Minute, roomy)
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	film := file("Лето на даче.mp4", grown(footage(t, "film.mp4"), 40<<20)) // more than the buffers on its way hold
	page := file("page.mp4", append([]byte("<!doctype html>"), make([]byte, 8<<20)...))
	huge := file("huge.mp4", nil)
	if err := os.Truncate(huge, large+1<<20); err != nil {
		t.Fatal(err)
	}
	lifted, pace := make(chan struct{}), time.NewTicker(10*time.Millisecond)
	defer pace.Stop()
	lift := sync.OnceFunc(func() { close(lifted) })
	defer lift()
	u.road = func(body io.ReadCloser) io.ReadCloser { return &barrier{body, 12 << 20, pace, lifted} }

	b := newBrowser(t)
	var mu sync.Mutex
	var faults []string
	if err := chromedp.Listen(b.ctx, func(ev any) {
		kind := fmt.Sprintf("%T", ev)
		said, _ := json.Marshal(ev) // an event always works
		if strings.HasSuffix(kind, "ExceptionThrown") || strings.HasSuffix(kind, "EntryAdded") &&
			!strings.Contains(string(said), "status of 4") {
			mu.Lock()
			defer mu.Unlock()
			faults = append(faults, string(said))
		}
	}); err != nil {
		t.Fatal(err)
	}
	b.command("Log.enable", map[string]any{})
	b.visit(u.server.URL + u.link(7))
	b.do(chromedp.Click("form .btn"))
	b.until("document.readyState === 'complete' && location.pathname === '/'")
	b.do(chromedp.Click(`a[href="/upload"]`))
	b.until(
		"document.readyState === 'complete' && location.pathname === '/upload' && document.querySelector('#upload') !== null",
	)
	looks := func(name string) {
		t.Helper()
		if os.Getenv("SHOTS_DIR") == "" {
			return
		}
		for _, width := range []int64{1280, 390} {
			for _, scheme := range []string{"light", "dark"} {
				b.do(chromedp.EmulateViewport(width, 900))
				b.command(
					"Emulation.setEmulatedMedia",
					map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}},
				)
				b.shoot(fmt.Sprintf("upload-%s-%d-%s", name, width, scheme))
			}
		}
		b.do(chromedp.EmulateViewport(1280, 900))
	}
	const problem, asks = "document.querySelector('#upload [role=alert]')", "(() => { const e = new " +
		"Event('beforeunload', { cancelable: true }); dispatchEvent(e); return e.defaultPrevented; })()"
	looks("empty")

	// Too large: told at once, and nothing is sent.
	b.do(chromedp.SetUploadFiles("#file", []string{huge}))
	b.until(problem + ".innerText.includes('too large')")
	b.do(chromedp.Click(".actions .primary"))
	b.until(problem + ".innerText.includes('too large')")
	looks("large")

	// No video: told beside the form, and what was typed stays.
	b.do(chromedp.SetUploadFiles("#file", []string{page}))
	b.until(problem + ".hidden && document.querySelector('#title').value === 'page'")
	b.do(chromedp.SendKeys("#title", " one"), chromedp.Click(".actions .primary"))
	b.until(problem + ".innerText.includes('type of file is not accepted')")
	if got := b.js("document.querySelector('#title').value + document.querySelector('#file').files[0].name + " +
		"document.querySelector('fieldset').disabled"); got != "page onepage.mp4false" {
		t.Errorf("got %s; want what was typed", got)
	}
	looks("refused")
	<-u.left
	if len(u.left) > 0 {
		t.Error("the file that is too large was sent")
	}

	// Progress, and a change of mind.
	b.js("document.querySelector('#title').value = 'Лето на даче'")
	b.do(chromedp.SetUploadFiles("#file", []string{film}))
	if got := b.js(asks); got != "false" {
		t.Error("the page asks before it is left, although nothing is under way")
	}
	b.js(
		"new MutationObserver(() => sessionStorage.heard = (sessionStorage.heard ?? '') + document.querySelector('#upload " +
			"[role=status]').textContent + ';').observe(document.querySelector('#upload [role=status]'), { childList: true })",
	)
	b.do(chromedp.Click(".actions .primary"))
	halfway := "document.querySelector('progress').value >= 25 && document.querySelector('progress').value < 100 && " +
		"document.querySelector('.left').textContent !== ''"
	b.until(halfway)
	if got := b.js("document.querySelector('.prog').innerText"); !strings.Contains(got, " of 40 MB") ||
		!strings.Contains(got, " %") ||
		!strings.Contains(got, "left") {
		t.Errorf("got %s; want bytes, percent and time", got)
	}
	if got := b.js(asks); got != "true" {
		t.Error("the page does not ask before it is left, although an upload is under way")
	}
	looks("under-way")
	b.do(chromedp.Click(".actions button:last-child"))
	b.until(problem + ".innerText === 'Cancelled. Nothing was kept.'")
	looks("cancelled")
	lift()
	<-u.left
	u.wantNothing(0)

	// Once more, to the end.
	b.do(chromedp.Click(".actions .primary"))
	b.until(
		"document.readyState === 'complete' && location.pathname.startsWith('/assets/') && " +
			"document.body.innerText.includes('The video is here.')",
	)
	if got := b.js("document.querySelector('h1').textContent + ' ' + sessionStorage.heard"); !strings.HasPrefix(
		got,
		"Лето на даче ",
	) ||
		!strings.Contains(got, "100 %;") {
		t.Errorf("got %s; want the title, and what was announced", got)
	}
	looks("done")
	b.do(chromedp.Click(".play"))
	b.until("document.querySelector('video').currentTime > 0.5 && document.querySelector('video').videoWidth === 320")
	if got := b.js("location.search"); got != "" {
		t.Errorf("got %s in the address; want the notice said once", got)
	}
	<-u.left
	u.wantNothing(1)

	// A file is dropped.
	b.visit(u.server.URL + "/upload")
	b.js("(window.dropped = new DataTransfer()).items.add(new File(['x'], 'Зима.mov'))")
	drag := func(kind string) {
		b.js(
			"document.querySelector('.drop').dispatchEvent(new DragEvent('" + kind + "', { bubbles: true, cancelable: true, dataTransfer: dropped }))",
		)
	}
	drag("dragover")
	b.until("document.querySelector('.drop').matches('.over')")
	looks("dragged")
	drag("drop")
	b.until(
		"!document.querySelector('.drop').matches('.over') && document.querySelector('#file').files[0].name === 'Зима.mov' " +
			"&& document.querySelector('#title').value === 'Зима'",
	)

	// The kinds that are not MP4 play as well, as far as this browser can.
	for _, name := range []string{"phone.mov", "screen.webm"} {
		id := u.upload(name, name, string(footage(t, name)))
		<-u.left
		b.visit(u.server.URL + "/assets/" + id)
		b.do(chromedp.Click(".play"))
		b.until("document.querySelector('video').currentTime > 0.5")
	}

	b.visit(u.server.URL + "/")
	b.until("document.readyState === 'complete' && document.querySelectorAll('.grid .card').length === 3")
	looks("library")
	b.js("document.cookie = 'lang=ru'")
	b.until("document.cookie.includes('lang=ru')") // it is written beside the page
	b.visit(u.server.URL + "/upload")
	b.until("document.querySelector('h1')?.textContent === 'Загрузить видео'")
	looks("russian")
	b.js("document.cookie = 'lang=en'")
	b.until("document.cookie.includes('lang=en')")

	// Without JavaScript.
	b.command("Emulation.setScriptExecutionDisabled", map[string]any{"value": true})
	for _, c := range []struct{ file, says string }{{page, "type of file is not accepted"}, {huge, "too large"},
		{film, "The video is here."}} {
		b.visit(u.server.URL + "/upload")
		b.do(chromedp.SetUploadFiles("#file", []string{c.file}), chromedp.Click(".actions .primary"))
		b.until("document.readyState === 'complete' && document.body.innerText.includes('" + c.says + "')")
		<-u.left
	}
	looks("plain")
	u.wantNothing(4)
	mu.Lock()
	defer mu.Unlock()
	if len(faults) > 0 {
		t.Errorf("the browser complains: %s", faults)
	}
}
