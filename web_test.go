// Tests of the page: who gets in, what each route answers, what other sites and hostile names cannot do.

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"html"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/desk"
	"retake.example/internal/lang"
	"retake.example/internal/media"
	"retake.example/internal/metrics"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// office is a page over a real store, with 8 as owner and 7 and 9 as admins.
type office struct {
	*Web
	opts    desk.Options // of the page; see change
	files   media.Store
	logger  *slog.Logger
	cookie  string // name of the session cookie
	t       testing.TB
	folder  string // of the media
	log     bytes.Buffer
	admins  map[int64]store.Admin
	missing []string // what Ready says
	stuck   []string // what Stuck says
	covers  int      // drawn so far
}

func newDesk(t testing.TB, baseURL string) *office {
	t.Helper()
	return newDeskOf(t, baseURL, newStore(t))
}

func newDeskOf(t testing.TB, baseURL string, s *store.Store) *office {
	t.Helper()
	d := &office{t: t, folder: t.TempDir(), admins: map[int64]store.Admin{7: {ID: 7}, 8: {ID: 8, Owner: true}, 9: {ID: 9}}}
	disk, err := media.OpenDisk(d.folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { disk.Close() })
	t.Cleanup(func() { lang.Change(nil) }) // what owners have changed is said in the whole process
	uploads, err := desk.NewUploads(
		filepath.Join(t.TempDir(), "uploads"),
		1<<20,
		time.Minute,
		func(int64) error { return nil },
	)
	if err != nil {
		t.Fatal(err)
	}
	d.files, d.logger = disk, slog.New(slog.NewTextHandler(&d.log, nil))
	d.cookie = desk.CookieName(s.Path(), baseURL)
	studio := &agency{
		store: s,
		about: desk.Studio{
			YouTube:    true,
			Callback:   baseURL + "/channels/callback",
			Consent:    "https://accounts.google.com/o/oauth2/v2/auth",
			PerDay:     100,
			Left:       93,
			Reset:      time.Now().Add(5 * time.Hour),
			RumblePage: "https://rumble.com/upload.php",
		},
	}
	d.opts = desk.Options{
		BaseURL: baseURL,
		Role:    func(id int64) (store.Admin, bool) { a, ok := d.admins[id]; return a, ok },
		Offers:  video.NewOffers(newYear...), Lang: "ru", ReuseFor: time.Hour,
		CanDraw: func(template, name string) error {
			if template == "new-year" && strings.HasPrefix(name, "Ж") {
				return video.ErrCannotDraw
			}
			return nil
		},
		Ready: func(context.Context) []string { return d.missing },
		Stuck: func() []string { return slices.Concat(d.missing, d.stuck) },
		Metrics: metrics.New("test").
			Handler(func() (metrics.State, error) { return metrics.State{}, nil }),
		Token: "0123456789abcdef",
		Free:  func() (int64, error) { return 38e9, nil }, BotOn: true,
		Staff: desk.Staff{Owners: []int64{8}, Admins: []int64{7, 9}},
		Limits: []desk.Limit{
			{Label: "limit_attempts", Value: 3},
			{Label: "limit_timeout", Value: 5 * time.Minute},
			{Label: "limit_upload", Value: desk.Megabytes(50)},
		},
		Covers:  desk.NewCovers(func(id string) bool { return id == "new-year" }, func(_ context.Context, _, path string) error { return d.cover(path) }),
		Uploads: uploads, Platforms: studio, Published: studio, Consent: studio, Channels: studio,
		Settings: newDials(t, s),
	}
	d.Web = NewWeb(t.Context(), s, newQueue(s), disk, d.opts, d.logger)
	d.queue.media = disk
	return d
}

// change makes the page again with other options.
func (d *office) change(other func(o *desk.Options)) {
	other(&d.opts)
	d.Web.Close()
	d.Web = NewWeb(d.t.Context(), d.store, d.queue, d.files, d.opts, d.logger)
}

// What tests of the page know of its insides.
const (
	pageSize = 24
	linkLife = 15 * time.Minute
)

// voice says the messages of a language.
func voice(language string) desk.Say {
	return func(id string, vars desk.Vars) string { return lang.Say(language, id, vars) }
}

func hashOf(token string) [32]byte { return sha256.Sum256([]byte(token)) }

func newToken() string { return rand.Text() }

// call is one request; zero fields are left out.
type call struct {
	method, path, body string
	session            string
	json               bool
	header             map[string]string
}

func (d *office) send(c call) *httptest.ResponseRecorder {
	d.t.Helper()
	r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
	r.Header.Set("Accept", "text/html")
	if c.json {
		r.Header.Set("Accept", "application/json")
	}
	if c.body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if strings.HasPrefix(c.body, "{") {
			r.Header.Set("Content-Type", "application/json; charset=utf-8")
		}
	}
	for k, v := range c.header {
		r.Header.Set(k, v)
	}
	if c.session != "" {
		r.AddCookie(&http.Cookie{Name: d.cookie, Value: c.session})
	}
	w := httptest.NewRecorder()
	d.Handler().ServeHTTP(w, r)
	return w
}

// want fails the test unless an answer has the status, and returns its body.
func (d *office) want(status int, w *httptest.ResponseRecorder) string {
	d.t.Helper()
	if w.Code != status {
		d.t.Errorf("got %d %s; want %d", w.Code, w.Body, status)
	}
	return w.Body.String()
}

// link makes a sign-in link and returns its path.
func (d *office) link(admin int64) string {
	d.t.Helper()
	link, err := desk.NewLink(d.t.Context(), d.store, d.opts.BaseURL, admin)
	if err != nil {
		d.t.Fatal(err)
	}
	path, ok := strings.CutPrefix(link, d.opts.BaseURL)
	if !ok || !strings.HasPrefix(path, "/login/") {
		d.t.Fatalf("got link %s; want %s/login/…", link, d.opts.BaseURL)
	}
	return path
}

// signIn signs an admin in and returns the session.
func (d *office) signIn(admin int64) string {
	d.t.Helper()
	w := d.send(call{method: "POST", path: d.link(admin)})
	d.want(303, w)
	return sessionOf(d.t, w)
}

func sessionOf(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("got cookies %v; want one", cookies)
	}
	return cookies[0].Value
}

// filmed completes the next render with files of the given bytes.
func (d *office) filmed(video, thumb string) store.Task {
	d.t.Helper()
	task := begin(d.t, d.store, store.Render)
	v := store.Video{
		File:     task.AssetID + ".mp4",
		Thumb:    task.AssetID + ".jpg",
		Size:     int64(len(video)),
		Duration: 41900 * time.Millisecond,
		Width:    1280,
		Height:   720,
	}
	for name, content := range map[string]string{v.File: video, v.Thumb: thumb} {
		if err := os.WriteFile(filepath.Join(d.folder, name), []byte(content), 0o600); err != nil {
			d.t.Fatal(err)
		}
	}
	write(d.t, d.store, func(tx *store.Tx) error { return tx.FinishRender(task.Job, v) })
	return task
}

// tables hashes everything the database holds.
func (d *office) tables() string {
	d.t.Helper()
	names := strings.Fields(
		text(d.t, d.store, `SELECT group_concat(name, ' ') FROM sqlite_schema WHERE type = 'table' ORDER BY name`),
	)
	h := sha256.New()
	for _, name := range names {
		rows, err := readDB(d.t, d.store).Query(`SELECT * FROM ` + name)
		if err != nil {
			d.t.Fatal(err)
		}
		columns, _ := rows.Columns()
		for rows.Next() {
			values, dest := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				dest[i] = &values[i]
			}
			if err := rows.Scan(dest...); err != nil {
				d.t.Fatal(err)
			}
			fmt.Fprintf(h, "%s %v\n", name, values)
		}
		rows.Close()
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// refused is the JSON of an error.
func refused(t testing.TB, body string) (code string) {
	t.Helper()
	var answer struct {
		Success *bool
		Error   struct{ Code, Message string }
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Success == nil || *answer.Success ||
		answer.Error.Message == "" {
		t.Errorf("got %s; want success false, a code and a message", body)
	}
	return answer.Error.Code
}

func TestReadingChangesNothing(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	a := ask(t, d.store, "Маша", 1)
	d.filmed("video", "thumb")
	ask(t, d.store, "Лев", 2)
	failForGood(t, d.queue)
	d.channel("UC1", "Our greetings")
	mutate(
		t,
		d.store,
		`INSERT INTO publications (asset_id, platform, creator, created, step) VALUES (?, 'RUMBLE', 7, 0, 'manual')`,
		a.ID,
	)
	mutate(t, d.store, `INSERT INTO announcements (texts, creator, created, changed) VALUES ('{"":"News"}', 8, 0, 0)`)
	session, link := d.signIn(8), d.link(7)
	before := d.tables()
	for _, r := range d.echo.Routes() {
		// which does not end, and spends an answer; and there are no backups, templates and profiles here, and no bot
		if r.Method != http.MethodGet && r.Method != http.MethodHead || r.Path == "/events" ||
			r.Path == "/channels/callback" ||
			regexp.MustCompile(`^/(backups|templates$|studio|debug/|bot$|setup$)`).MatchString(r.Path) {
			continue
		}
		path := strings.NewReplacer("/channels/:id", "/channels/1", "/announcements/:id", "/announcements/1",
			"/:id/unpublish", "/"+a.ID+"/unpublish?platform=RUMBLE",
			"/selection", "/selection?do=delete&id="+a.ID, ":id", a.ID, ":key", "done", "/login/:token", link, ":picture", "new-year.jpg", "*", "style.css").
			Replace(r.Path)
		for _, c := range []call{{}, {session: session}, {session: session, json: true}} {
			c.method, c.path = r.Method, path
			if w := d.send(c); w.Code >= 400 && c.session != "" {
				t.Errorf("%s %s: got %d %s", r.Method, path, w.Code, w.Body)
			}
		}
	}
	if d.tables() != before {
		t.Error("the database changed; want it as it was")
	}
}

// hostile are names and errors that try to be something else on the page.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`,
	`</title><script>alert(1)</script>`,
	`{{.ID}}`, `javascript:alert(1)`, `</svg><svg onload=alert(1)>`, "\u202eгнирт\u202c", `<!--`, `</textarea><b>`,
	`&lt;script&gt;`,
}

func TestHostileNamesAreText(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	session := d.signIn(8)
	ids := map[string]string{}
	for i, name := range hostile {
		ids[name] = store.NewID()
		mutate(
			t,
			d.store,
			`INSERT INTO assets (id, name, name_key, template, lang, origin, status, error, created, finished)
				VALUES (?, ?, ?, 't', ?, 'REQUEST', 'FAILED', ?, ?, 1)`,
			ids[name],
			name,
			fmt.Sprint(i),
			"ru",
			name,
			i,
		)
		mutate(
			t,
			d.store,
			`INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome, error)
				VALUES (?, 'RENDER', 1, 1, 2, 'gave_up', ?)`,
			ids[name],
			name,
		)
	}
	d.missing = hostile[:4]
	elements := regexp.MustCompile(`<(script|img|b|textarea)\b|<(?:[^>"]|"[^"]*")*\son[a-z]+=|<!--|href="javascript:`)
	for _, path := range append(slices.Collect(maps.Values(ids)), "") {
		if path != "" {
			path = "assets/" + path
		}
		body := d.want(200, d.send(call{method: "GET", path: "/" + path, session: session}))
		for _, found := range elements.FindAllString(body, -1) {
			if found != "<script" && found != "<b" { // the page's own; counted below
				t.Errorf("/%s: got %q in the page", path, found)
			}
		}
		if n := strings.Count(body, "<script"); n != 1+min(1, len(path)) { // that of forms, too
			t.Errorf("/%s: got %d scripts; want the page's own", path, n)
		}
	}
	library := d.want(200, d.send(call{method: "GET", path: "/", session: session}))
	for _, name := range hostile {
		if !strings.Contains(html.UnescapeString(library), name) {
			t.Errorf("got a page without %q; want it as text", name)
		}
	}
	w := d.send(call{method: "GET", path: "/", session: session, json: true})
	if kind := w.Header().Get("Content-Type"); !strings.HasPrefix(kind, "application/json") ||
		strings.Contains(w.Body.String(), "<script") {
		t.Errorf("got %s %s; want JSON with < escaped", kind, w.Body)
	}
}

func TestVideosAndPictures(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	session := d.signIn(7)
	done := ask(t, d.store, "Маша", 1)
	d.filmed("0123456789", "picture")
	gone := ask(t, d.store, "Ева", 1)
	if err := os.Remove(filepath.Join(d.folder, d.filmed("x", "y").AssetID+".mp4")); err != nil {
		t.Fatal(err)
	}
	waiting := ask(t, d.store, "Лев", 1)
	if err := os.WriteFile(filepath.Join(filepath.Dir(d.folder), "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, method, path string
		header             map[string]string
		status             int
		body, kind, ranges string
	}{
		{"the whole video", "GET", "/media/" + done.ID, nil, 200, "0123456789", "video/mp4", ""},
		{"a part of it", "GET", "/media/" + done.ID, map[string]string{"Range": "bytes=2-4"}, 206, "234", "video/mp4",
			"bytes 2-4/10"},
		{"its end", "GET", "/media/" + done.ID, map[string]string{"Range": "bytes=-3"}, 206, "789", "video/mp4",
			"bytes 7-9/10"},
		{"a part beyond it", "GET", "/media/" + done.ID, map[string]string{"Range": "bytes=99-"}, 416, "*", "", "bytes */10"},
		{"only its size", "HEAD", "/media/" + done.ID, nil, 200, "", "video/mp4", ""},
		{"the one the browser has", "GET", "/media/" + done.ID, map[string]string{"If-None-Match": `"` + done.ID + `.mp4"`},
			304, "", "", ""},
		{"its picture", "GET", "/thumbs/" + done.ID, nil, 200, "picture", "image/jpeg", ""},
		{"one whose file is gone", "GET", "/media/" + gone.ID, nil, 404, "*", "", ""},
		{"one that is not finished", "GET", "/media/" + waiting.ID, nil, 404, "*", "", ""},
		{"a picture that is not there", "GET", "/thumbs/" + waiting.ID, nil, 404, "*", "", ""},
		{"a file name", "GET", "/media/" + done.ID + ".mp4", nil, 404, "*", "", ""},
		{"a way out of the folder", "GET", "/media/..%2fsecret", nil, 404, "*", "", ""},
		{"a plain way out of the folder", "GET", "/media/../secret", nil, 404, "*", "", ""},
		{"a way out by backslash", "GET", "/media/..%5csecret", nil, 404, "*", "", ""},
		{"a template's source", "GET", "/static/..%2ftemplates%2flayout.html", nil, 404, "*", "", ""},
		{"another template's source", "GET", "/static/../templates/layout.html", nil, 404, "*", "", ""},
		{"the folder of static files", "GET", "/static/", nil, 404, "*", "", ""},
		{"the style", "GET", "/static/style.css", nil, 200, "*", "text/css; charset=utf-8", ""},
		{"the script", "GET", "/static/app.js", nil, 200, "*", "text/javascript; charset=utf-8", ""},
		{"the icon", "GET", "/static/icon.svg", nil, 200, "*", "image/svg+xml", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := d.send(call{method: c.method, path: c.path, session: session, header: c.header})
			if w.Code != c.status || c.body != "*" && w.Body.String() != c.body ||
				c.kind != "" && w.Header().Get("Content-Type") != c.kind ||
				w.Header().Get("Content-Range") != c.ranges {
				t.Errorf("got %d %q %v; want %d %q %q %q", w.Code, w.Body, w.Header(), c.status, c.body, c.kind, c.ranges)
			}
			if strings.Contains(w.Body.String(), "{{") || w.Body.String() == "secret" {
				t.Errorf("got %q; want no file from elsewhere", w.Body)
			}
		})
	}
	style := d.send(call{method: "GET", path: "/static/style.css"})
	d.want(
		304,
		d.send(
			call{
				method: "GET",
				path:   "/static/style.css",
				header: map[string]string{"If-None-Match": style.Header().Get("ETag")},
			},
		),
	)
}

func TestMakingAVideo(t *testing.T) {
	form := func(name string) string { return url.Values{"name": {name}}.Encode() }
	for _, c := range []struct {
		name, body string
		status     int
		word       string
	}{
		{"a name", form("Маша"), 200, "created"},
		{"a name as JSON", `{"name":"Маша"}`, 200, "created"},
		{"a name with spaces around", form("  Маша  "), 200, "created"},
		{"a name that is being made", form("Лев"), 200, "joined"},
		{"a name that is ready", form("Ева"), 200, "ready"},
		{"no name", form(""), 422, "INVALID"},
		{"no body", "", 422, "INVALID"},
		{"another field", "title=Маша", 422, "INVALID"},
		{"one letter", form("М"), 422, "INVALID"},
		{"digits", form("Маша 2"), 422, "INVALID"},
		{"markup", form("<b>Маша</b>"), 422, "INVALID"},
		{"a link", form("t.me/masha"), 422, "INVALID"},
		{"letters no font has", form("Жанна"), 422, "INVALID"},
		{"broken JSON", `{"name":`, 422, "INVALID"},
		{"JSON with a number", `{"name":5}`, 422, "INVALID"},
		{"a broken form", "name=%zz", 422, "INVALID"},
		{"more than a form takes", form(strings.Repeat("а", 40_000)), 413, "TOO_LARGE"},
		{"more JSON than a form takes", `{"name":"` + strings.Repeat("a", 70_000) + `"}`, 413, "TOO_LARGE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			ask(t, d.store, "Ева", 1)
			d.filmed("v", "t")
			ask(t, d.store, "Лев", 1)
			session, before := d.signIn(7), count(t, d.store, `SELECT count(*) FROM assets`)
			got := d.want(c.status, d.send(call{method: "POST", path: "/assets", session: session, json: true, body: c.body}))
			made := count(t, d.store, `SELECT count(*) FROM assets`) - before
			if c.status != 200 {
				if refused(t, got) != c.word || made != 0 {
					t.Errorf("got %s and %d new; want %s and none", got, made, c.word)
				}
				return
			}
			var answer struct {
				Success     bool
				Outcome, ID string
			}
			if err := json.Unmarshal([]byte(got), &answer); err != nil || !answer.Success || answer.Outcome != c.word {
				t.Errorf("got %s, %v; want %s", got, err, c.word)
			}
			if made != map[string]int{"created": 1}[c.word] {
				t.Errorf("got %d new; want one only when created", made)
			}
			if c.word != "created" {
				return
			}
			if n := count(t, d.store, `SELECT count(*) FROM assets a JOIN jobs j ON j.asset_id = a.id
				WHERE a.id = ? AND a.name = 'Маша' AND a.creator = 7 AND a.lang = 'ru' AND a.template = 'new-year'
				AND j.kind = 'RENDER'`, answer.ID); n != 1 {
				t.Errorf("got %d; want the video and its job, of admin 7", n)
			}
			if n := count(t, d.store, `SELECT count(*) FROM audit WHERE admin = 7 AND action = 'make' AND `+
				`asset_id = ?`, answer.ID); n != 1 {
				t.Errorf("got %d lines of activity; want 1", n)
			}
		})
	}
	t.Run("by the form of the page", func(t *testing.T) {
		d := newDesk(t, "http://localhost:8080")
		session := d.signIn(7)
		w := d.send(call{method: "POST", path: "/assets", session: session, body: form("Маша")})
		if d.want(303, w); w.Header().Get("Location") != "/?notice=created" {
			t.Errorf("got sent to %s; want the library with a notice", w.Header().Get("Location"))
		}
		if got := d.want(422, d.send(call{method: "POST", path: "/assets", session: session,
			body: form("5")})); !strings.Contains(
			got,
			`href="/"`,
		) {
			t.Errorf("got %s; want words and a way back", got)
		}
	})
}

func TestPickingATemplateOnThePage(t *testing.T) {
	for _, c := range []struct {
		name, body string
		status     int
		word       string // outcome, or code of the error
		template   string
	}{
		{"the list of the form", "name=Маша&template=birthday", 200, "created", "birthday"},
		{"a field of JSON", `{"name":"Маша","template":"birthday"}`, 200, "created", "birthday"},
		{"nothing picked means the first", "name=Маша", 200, "created", "new-year"},
		{"an empty field means the first", `{"name":"Маша","template":""}`, 200, "created", "new-year"},
		{"a name that is being made with it", "name=Лев&template=new-year", 200, "joined", "new-year"},
		{"a name that is being made with another", "name=Лев&template=birthday", 200, "created", "birthday"},
		{"a name that only another can draw", "name=Жанна&template=new-year", 422, "INVALID", ""},
		{"a name that the one picked can draw", "name=Жанна&template=birthday", 200, "created", "birthday"},
		{"a template that is not offered", "name=Маша&template=wedding", 422, "INVALID", ""},
		{"a template that is not offered, as JSON", `{"name":"Маша","template":"Birthday"}`, 422, "INVALID", ""},
		{"a template that is no text", `{"name":"Маша","template":1}`, 422, "INVALID", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			d.change(func(o *desk.Options) { o.Offers = video.NewOffers(choices...) })
			ask(t, d.store, "Лев", 1)
			session := d.signIn(7)
			before := count(t, d.store, `SELECT count(*) FROM assets`)
			got := d.want(c.status, d.send(call{method: "POST", path: "/assets", session: session, json: true, body: c.body}))
			made := count(t, d.store, `SELECT count(*) FROM assets`) - before
			if c.status != 200 {
				if refused(t, got) != c.word || made != 0 {
					t.Errorf("got %s and %d new; want %s and none", got, made, c.word)
				}
				return
			}
			var answer struct{ Outcome, ID string }
			if err := json.Unmarshal([]byte(got), &answer); err != nil || answer.Outcome != c.word ||
				made != map[string]int{"created": 1}[c.word] {
				t.Errorf("got %s, %v and %d new; want %s", got, err, made, c.word)
			}
			if template := text(t, d.store, `SELECT template FROM assets WHERE id = ?`, answer.ID); template != c.template {
				t.Errorf("got a video of %q; want %q", template, c.template)
			}
		})
	}
	t.Run("one template that is named all the same", func(t *testing.T) {
		d := newDesk(t, "http://localhost:8080")
		session := d.signIn(7)
		d.want(
			200,
			d.send(
				call{method: "POST", path: "/assets", session: session, json: true, body: `{"name":"Маша","template":"new-year"}`},
			),
		)
		got := d.want(
			422,
			d.send(
				call{method: "POST", path: "/assets", session: session, json: true, body: `{"name":"Ева","template":"birthday"}`},
			),
		)
		if !strings.Contains(got, "Available: new-year.") {
			t.Errorf("got %s; want what is offered", got)
		}
	})
}

func TestTemplatesAreShownWhereThereIsAChoice(t *testing.T) {
	list := `<select class="field" id="template" name="template"><option value="new-year">🎄 New Year</option><option ` +
		`value="birthday">🎂 Birthday &amp; more</option></select>`
	for name, c := range map[string]struct {
		offers    []video.Offer
		has       []string
		lacks     []string
		title     string // in JSON, of the birthday video
		templates int    // in JSON
	}{
		"one template": {newYear, nil, []string{`id="template"`, "Birthday", "birthday"}, "", 0},
		"two templates": {[]video.Offer{choices[0], titled("birthday", "?", "🎂 Birthday & more")},
			[]string{list, "<span>🎂 Birthday &amp; more</span>"}, nil, "🎂 Birthday & more", 2},
		"two, and the video's was taken away": {[]video.Offer{choices[0], choices[2]},
			[]string{"<select", "<span>birthday</span>"}, []string{`value="birthday"`}, "birthday", 2},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			d.change(func(o *desk.Options) { o.Offers = video.NewOffers(c.offers...) })
			id := ask(t, d.store, "Маша", 1).ID
			mutate(t, d.store, `UPDATE assets SET template = 'birthday'`)
			session := d.signIn(8)
			library := d.want(200, d.send(call{method: "GET", path: "/", session: session}))
			detail := d.want(200, d.send(call{method: "GET", path: "/assets/" + id, session: session}))
			for _, want := range c.has {
				if !strings.Contains(library, want) {
					t.Errorf("got %s; want %q in it", library, want)
				}
			}
			for _, not := range c.lacks {
				if strings.Contains(library, not) {
					t.Errorf("got %s; want no %q in it", library, not)
				}
			}
			if c.title != "" && !strings.Contains(detail, "<span>"+html.EscapeString(c.title)+"</span>") {
				t.Errorf("got %s; want %q in it", detail, c.title)
			}
			got := d.list(session, "")
			if a := got.Assets[0]; a.Template != "birthday" || a.Title != c.title || len(got.Templates) != c.templates {
				t.Errorf("got %+v and templates %+v; want birthday, titled %q, and %d", a, got.Templates, c.title, c.templates)
			}
		})
	}
}

func TestMetricsAreForWhoHasTheTokenOrIsSignedIn(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	bearer := func(token string) call {
		return call{method: "GET", path: "/metrics", header: map[string]string{"Authorization": "Bearer " + token}}
	}
	if got := d.want(200, d.send(bearer("0123456789abcdef"))); !strings.Contains(got, "retake_build_info") {
		t.Errorf("got %s; want metrics", got)
	}
	d.want(200, d.send(call{method: "GET", path: "/metrics", session: d.signIn(7)}))
	for _, wrong := range []string{"", "0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF"} {
		d.want(401, d.send(bearer(wrong)))
	}
	// it opens nothing else
	d.want(
		401,
		d.send(
			call{method: "GET", path: "/", header: map[string]string{"Authorization": "Bearer 0123456789abcdef"}, json: true},
		),
	)
	d.change(func(o *desk.Options) { o.Token = "" })
	d.want(401, d.send(bearer("")))
}
