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
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"retake.example/internal/command"
	"retake.example/internal/desk"
	"retake.example/internal/lang"
	"retake.example/internal/media"
	"retake.example/internal/retry"
	"retake.example/internal/store"
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
		`type="file" name="file"`, "up to 1 MB each.", `src="/static/upload.js"`} {
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
		"a photo":                  {one(footage(t, "photo.jpg")), 415, "UNSUPPORTED", "upload_unsupported"},
		"an empty file":            {one(nil), 415, "UNSUPPORTED", "upload_unsupported"},
		"three bytes":              {one(film[:3]), 415, "UNSUPPORTED", "upload_unsupported"},
		"a film cut short":         {one(film[:len(film)-1]), 415, "UNSUPPORTED", "upload_unplayable"},
		"a film without its index": {one(footage(t, "late.mp4")[:9000]), 415, "UNSUPPORTED", "upload_unplayable"},
		"a recording cut short":    {one(mkv[:len(mkv)-1]), 415, "UNSUPPORTED", "upload_unplayable"},
		"only sound":               {one(footage(t, "song.mp4")), 415, "UNSUPPORTED", "upload_unplayable"},
		"a picture of 8 × 8":       {one(footage(t, "dot.mp4")), 415, "UNSUPPORTED", "upload_unplayable"},
		"a playlist of a local file": {one([]byte("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://" + secret +
			"\n#EXT-X-ENDLIST\n")), 415, "UNSUPPORTED", "upload_unsupported"},
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
		if _, err := tx.UpsertUser(1, "ru"); err != nil {
			return err
		}
		a, grant, err := tx.ShareOrCreate(
			store.Order{User: 1, Chat: 1, Name: "Маша", Key: lang.NameKey("Маша"), Lang: u.opts.Lang},
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
	d.change(func(o *desk.Options) { o.Limits = command.Limits(cfg) })
	page := d.want(200, d.send(call{method: "GET", path: "/settings", session: d.signIn(7)}))
	if !strings.Contains(page, "<dt>Largest video that can be uploaded</dt><dd>1234 MB</dd>") {
		t.Errorf("got %s; want the limit", page)
	}
}

// sweepAll is what a start does about files that nobody needs.
func sweepAll(t *testing.T, s *store.Store, files media.Store, dir string) error {
	t.Helper()
	ours, err := command.Tidy(t.Context(), s, files, dir)
	if ours {
		err = command.Sweep(t.Context(), s, media.NewSweeper(files))
	}
	return err
}
