// Tests of the page: who gets in, what each route answers, what other sites and hostile names cannot do.

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
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
	"sync"
	"testing"
	"time"

	"retake.example/internal/retry"

	"retake.example/internal/store"

	"retake.example/internal/desk"
	"retake.example/internal/lang"
	"retake.example/internal/media"
	"retake.example/internal/metrics"
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
	d := &office{t: t, folder: t.TempDir(), admins: map[int64]store.Admin{7: {ID: 7}, 8: {ID: 8, Owner: true}, 9: {ID: 9}}}
	disk, err := media.OpenDisk(d.folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { disk.Close() })
	uploads, err := desk.NewUploads(
		filepath.Join(t.TempDir(), "uploads"),
		1<<20,
		time.Minute,
		func(int64) error { return nil },
	)
	if err != nil {
		t.Fatal(err)
	}
	s := newStore(t)
	d.files, d.logger, d.cookie = disk, slog.New(slog.NewTextHandler(&d.log, nil)), "retake"
	if strings.HasPrefix(baseURL, "https:") {
		d.cookie = "__Host-retake"
	}
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
		Offers:  newYear, Lang: "ru", ReuseFor: time.Hour,
		CanDraw: func(template, name string) error {
			if template == "new-year" && strings.HasPrefix(name, "Ж") {
				return errors.New("no font has Ж")
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
		Covers:  desk.NewCovers([]string{"new-year"}, func(_ context.Context, _, path string) error { return d.cover(path) }),
		Uploads: uploads, Platforms: studio, Published: studio, Consent: studio, Channels: studio,
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

func TestSigningIn(t *testing.T) {
	for name, test := range map[string]func(t *testing.T, d *office){
		"opening a link spends nothing, however often": func(t *testing.T, d *office) {
			link := d.link(7)
			for range 3 {
				if body := d.want(200, d.send(call{method: "GET", path: link})); !strings.Contains(body, `action="`+link+`"`) {
					t.Errorf("got %s; want a button that posts to the link", body)
				}
			}
			w := d.send(call{method: "POST", path: link})
			d.want(303, w)
			d.want(200, d.send(call{method: "GET", path: "/", session: sessionOf(t, w)}))
		},
		"a link works once": func(t *testing.T, d *office) {
			link := d.link(7)
			d.want(303, d.send(call{method: "POST", path: link}))
			for _, method := range []string{"POST", "GET"} {
				w := d.send(call{method: method, path: link})
				body := d.want(403, w)
				if len(w.Result().Cookies()) > 0 || !strings.Contains(body, "/admin") ||
					!strings.Contains(body, "retake admin link ID") {
					t.Errorf("got %v %s; want no cookie and how to get a new link", w.Result().Cookies(), body)
				}
			}
		},
		"a link ends after 15 minutes": func(t *testing.T, d *office) {
			link := d.link(7)
			setNow(d.store, func() time.Time { return time.Now().Add(15*time.Minute + time.Second) })
			d.want(403, d.send(call{method: "GET", path: link}))
			d.want(403, d.send(call{method: "POST", path: link}))
		},
		"ten presses at once make one session": func(t *testing.T, d *office) {
			link := d.link(7)
			var wg sync.WaitGroup
			codes := make([]int, 10)
			for i := range codes {
				wg.Go(func() { codes[i] = d.send(call{method: "POST", path: link}).Code })
			}
			wg.Wait()
			slices.Sort(codes)
			if n := count(t, d.store, `SELECT count(*) FROM sessions`); codes[0] != 303 || codes[1] != 403 || n != 1 {
				t.Errorf("got %v and %d sessions; want one 303, the rest 403, one session", codes, n)
			}
		},
		"somebody who is no admin is told the same as with a spent link": func(t *testing.T, d *office) {
			spent := d.link(7)
			d.want(303, d.send(call{method: "POST", path: spent}))
			w, other := d.send(call{method: "POST", path: d.link(1234)}), d.send(call{method: "POST", path: spent})
			if d.want(403, w) != d.want(403, other) || len(w.Result().Cookies()) > 0 {
				t.Errorf("got %s; want %s and no cookie", w.Body, other.Body)
			}
			if n := count(t, d.store, `SELECT count(*) FROM sessions WHERE admin = 1234`); n != 0 {
				t.Errorf("got %d sessions; want none", n)
			}
		},
		"an admin who is removed is out at the next request": func(t *testing.T, d *office) {
			session := d.signIn(7)
			d.want(200, d.send(call{method: "GET", path: "/", session: session}))
			delete(d.admins, 7)
			d.want(303, d.send(call{method: "GET", path: "/", session: session}))
			d.want(401, d.send(call{method: "POST", path: "/assets", session: session, json: true, body: "name=Маша"}))
		},
		"signing out ends the session on the server": func(t *testing.T, d *office) {
			session := d.signIn(7)
			w := d.send(call{method: "POST", path: "/logout", session: session})
			d.want(303, w)
			if c := w.Result().Cookies(); len(c) != 1 || c[0].MaxAge >= 0 {
				t.Errorf("got cookies %v; want it taken away", c)
			}
			d.want(303, d.send(call{method: "GET", path: "/", session: session}))
			if n := count(t, d.store, `SELECT count(*) FROM sessions`); n != 0 {
				t.Errorf("got %d sessions; want none", n)
			}
		},
		"the database and the log hold no token": func(t *testing.T, d *office) {
			spent, open := d.link(7), d.link(8)
			session := sessionOf(t, d.send(call{method: "POST", path: spent}))
			d.send(call{method: "POST", path: spent})
			_, token, _ := strings.Cut(open, "/login/")
			_, used, _ := strings.Cut(spent, "/login/")
			files, err := filepath.Glob(text(t, d.store, `SELECT file FROM pragma_database_list WHERE name = 'main'`) + "*")
			if err != nil || len(files) < 2 {
				t.Fatalf("got files %v, %v; want the database and its log", files, err)
			}
			for _, secret := range []string{token, used, session} {
				if len(secret) < 43 {
					t.Errorf("got a token of %d characters; want 32 bytes", len(secret))
				}
				for _, f := range files {
					if b, err := os.ReadFile(f); err != nil || bytes.Contains(b, []byte(secret)) {
						t.Errorf("%s holds a token, or cannot be read: %v", f, err)
					}
				}
				if strings.Contains(d.log.String(), secret) {
					t.Errorf("the log holds a token: %s", &d.log)
				}
			}
		},
		"a session from before is never adopted, and the browser's old one ends": func(t *testing.T, d *office) {
			old := d.signIn(7)
			w := d.send(call{method: "POST", path: d.link(8), session: old})
			if fresh := sessionOf(t, w); fresh == old {
				t.Error("got the session from before; want a new one")
			}
			d.want(303, d.send(call{method: "GET", path: "/", session: old}))
			planted := strings.Repeat("x", 43)
			if fresh := sessionOf(t, d.send(call{method: "POST", path: d.link(8), session: planted})); fresh == planted {
				t.Error("got the planted session; want a new one")
			}
		},
		"a session lasts 14 days after the last visit": func(t *testing.T, d *office) {
			session, began := d.signIn(7), time.Now()
			for days, want := range []int{0: 200, 10: 200, 20: 200, 33: 200, 48: 303} {
				if want == 0 {
					continue
				}
				setNow(d.store, func() time.Time { return began.AddDate(0, 0, days) })
				w := d.send(call{method: "GET", path: "/", session: session})
				d.want(want, w)
				if prolonged := len(w.Result().Cookies()) == 1; prolonged != (days > 0 && want == 200) {
					t.Errorf("day %d: got prolonged %v", days, prolonged)
				}
			}
		},
		"a burst of tries is stopped": func(t *testing.T, d *office) {
			for range 20 {
				d.want(403, d.send(call{method: "POST", path: "/login/guess"}))
			}
			d.want(429, d.send(call{method: "POST", path: "/login/guess"}))
		},
		"the way in is written on the door": func(t *testing.T, d *office) {
			if body := d.want(200, d.send(call{method: "GET", path: "/login"})); !strings.Contains(body, "/admin") ||
				!strings.Contains(body, "retake admin link ID") {
				t.Errorf("got %s; want both ways", body)
			}
		},
	} {
		t.Run(name, func(t *testing.T) { test(t, newDesk(t, "http://localhost:8080")) })
	}
}

func TestTheCookieFitsTheAddress(t *testing.T) {
	for base, want := range map[string]http.Cookie{
		"http://localhost:8080":       {Name: "retake"},
		"https://retake.example.com/": {Name: "__Host-retake", Secure: true},
	} {
		d := newDesk(t, strings.TrimSuffix(base, "/"))
		c := d.send(call{method: "POST", path: d.link(7)}).Result().Cookies()[0]
		if c.Name != want.Name || c.Secure != want.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode ||
			c.Path != "/" ||
			c.Domain != "" ||
			c.MaxAge != 14*24*3600 {
			t.Errorf("%s: got %v", base, c)
		}
	}
}

// public lists the routes that need no session. TestEveryRoute fails for a route that answers a stranger and is not
// here.
var public = []string{"/healthz", "/readyz", "/static/*", "/login", "/login/:token", "/language"}

func TestEveryRouteAsksAStrangerToSignIn(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	a := ask(t, d.store, "Маша", 1)
	d.filmed("video", "thumb")
	seen := 0
	for _, r := range d.echo.Routes() {
		if slices.Contains(public, r.Path) || r.Method == "echo_route_not_found" {
			continue
		}
		seen++
		path := strings.ReplaceAll(r.Path, ":id", a.ID)
		before := d.tables()
		w := d.send(call{method: r.Method, path: path})
		d.want(303, w)
		if to := w.Header().Get("Location"); to != "/login" {
			t.Errorf("%s %s: got sent to %q; want /login", r.Method, r.Path, to)
		}
		if w = d.send(call{method: r.Method, path: path, json: true}); r.Method != http.MethodHead &&
			refused(t, w.Body.String()) != "UNAUTHORIZED" ||
			w.Code != 401 {
			t.Errorf("%s %s: got %d %s; want 401 UNAUTHORIZED", r.Method, r.Path, w.Code, w.Body)
		}
		if d.tables() != before {
			t.Errorf("%s %s: a stranger changed the database", r.Method, r.Path)
		}
	}
	if seen < 10 {
		t.Errorf("got %d routes; want all of them", seen)
	}
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
	session, link := d.signIn(8), d.link(7)
	before := d.tables()
	for _, r := range d.echo.Routes() {
		// which does not end, and spends an answer
		if r.Method != http.MethodGet && r.Method != http.MethodHead || r.Path == "/events" ||
			r.Path == "/channels/callback" {
			continue
		}
		path := strings.NewReplacer("/channels/:id", "/channels/1", "/:id/unpublish", "/"+a.ID+"/unpublish?platform=RUMBLE",
			":id", a.ID, "/login/:token", link, ":picture", "new-year.jpg", "*", "style.css").
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

func TestRetryOnThePage(t *testing.T) {
	for _, c := range []struct {
		name     string
		arrange  func(t *testing.T, d *office) (id string)
		admin    int64
		platform string
		status   int
		word     string // outcome, or code of the error
	}{
		{"a failed video is tried again for everybody", func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1, 2)
			failForGood(t, d.queue)
			return a.ID
		}, 8, "", 200, "restarted"},
		{"an admin who made it may try it again", func(t *testing.T, d *office) string {
			w := d.send(call{method: "POST", path: "/assets", session: d.signIn(7), body: "name=Маша", json: true})
			d.want(200, w)
			return failForGood(t, d.queue).AssetID
		}, 7, "", 200, "restarted"},
		{"an admin who did not make it may not", func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1)
			failForGood(t, d.queue)
			return a.ID
		}, 7, "", 403, "FORBIDDEN"},
		{"a video under way is joined", func(t *testing.T, d *office) string { return ask(t, d.store, "Маша", 1).ID }, 8, "",
			200, "joined"},
		{"a finished video is not failed", func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1)
			d.filmed("v", "t")
			return a.ID
		}, 8, "", 409, "NOT_FAILED"},
		{"a video that is not there is not found", func(*testing.T, *office) string { return store.NewID() }, 8, "", 404,
			"NOT_FOUND"},
		{"a failed publication is tried again", func(t *testing.T, d *office) string {
			return publication(t, d.store, failedPublication)
		}, 8, "YOUTUBE", 200, "restarted"},
		{"a platform it is not on is not found", func(t *testing.T, d *office) string {
			return publication(t, d.store, failedPublication)
		}, 8, "RUMBLE", 404, "NOT_FOUND"},
		{"a published video is not failed", func(t *testing.T, d *office) string {
			return publication(t, d.store, completedPublication)
		}, 8, "YOUTUBE", 409, "NOT_FAILED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			body, err := json.Marshal(map[string]string{"platform": c.platform})
			if err != nil {
				t.Fatal(err)
			}
			for kind, sent := range map[string]call{
				"JSON":                     {body: string(body), json: true},
				"JSON, any answer":         {body: string(body), header: map[string]string{"Accept": "*/*"}},
				"a form that asks for one": {body: "platform=" + c.platform, json: true},
			} {
				d := newDesk(t, "http://localhost:8080")
				sent.method, sent.path, sent.session = "POST", "/assets/"+c.arrange(t, d)+"/retry", d.signIn(c.admin)
				got := d.want(c.status, d.send(sent))
				if c.status == 200 && strings.TrimSpace(got) != `{"success":true,"outcome":"`+c.word+`"}` ||
					c.status != 200 && refused(t, got) != c.word {
					t.Errorf("%s: got %s; want %s", kind, got, c.word)
				}
			}

			d := newDesk(t, "http://localhost:8080")
			w := d.send(
				call{
					method:  "POST",
					path:    "/assets/" + c.arrange(t, d) + "/retry",
					session: d.signIn(c.admin),
					body:    "platform=" + c.platform,
				},
			)
			if c.status != 200 {
				if got := d.want(c.status, w); !strings.Contains(got, `href="/"`) || strings.Contains(got, c.word) {
					t.Errorf("got %s; want words and a way back", got)
				}
				return
			}
			d.want(303, w)
			page := d.want(200, d.send(call{method: "GET", path: w.Header().Get("Location"), session: d.signIn(8)}))
			if notice := desk.Notice(voice("en"), url.Values{"notice": {c.word}}); notice == "" ||
				!strings.Contains(page, html.EscapeString(notice)) {
				t.Errorf("got %s; want the notice %q", page, notice)
			}
		})
	}
}

func TestRetryFailedReachesEverybodyAffected(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	a := ask(t, d.store, "Маша", 1, 2, 3)
	failForGood(t, d.queue)
	session := d.signIn(8)
	for _, outcome := range []string{"restarted", "joined", "joined"} {
		if got := d.want(200, d.send(call{method: "POST", path: "/assets/" + a.ID + "/retry", session: session,
			json: true})); !strings.Contains(
			got,
			outcome,
		) {
			t.Errorf("got %s; want %s", got, outcome)
		}
	}
	if n := count(t, d.store, `SELECT count(*) FROM requests r JOIN assets a ON a.id = r.asset_id WHERE a.retry_of = ?
		AND a.status = 'PENDING'`, a.ID); n != 3 {
		t.Errorf("got %d people on the new video; want 3", n)
	}
}

func TestOtherSitesCannotPress(t *testing.T) {
	d := newDesk(t, "http://desk.lan:8080")
	a := ask(t, d.store, "Маша", 1)
	failForGood(t, d.queue)
	session, link := d.signIn(8), d.link(8)
	before := d.tables()
	for name, header := range map[string]map[string]string{
		"another site":                  {"Sec-Fetch-Site": "cross-site"},
		"another host of the same site": {"Sec-Fetch-Site": "same-site"},
		"an old browser, another site":  {"Origin": "https://evil.example"},
		"a page without an origin":      {"Origin": "null"},
	} {
		for _, path := range []string{"/assets", "/assets/" + a.ID + "/retry", "/retry-all", "/logout",
			"/logout-everywhere", link} {
			for _, asJSON := range []bool{false, true} {
				w := d.send(
					call{
						method:  "POST",
						path:    "http://desk.lan:8080" + path,
						session: session,
						body:    "name=Эва&count=1&newest=" + a.ID,
						header:  header,
						json:    asJSON,
					},
				)
				if d.want(403, w); asJSON && refused(t, w.Body.String()) != "CROSS_ORIGIN" {
					t.Errorf("%s, POST %s: got %s; want CROSS_ORIGIN", name, path, w.Body)
				}
			}
		}
	}
	if d.tables() != before {
		t.Error("the database changed; want it as it was")
	}
	for name, header := range map[string]map[string]string{
		"a browser":                           {"Sec-Fetch-Site": "same-origin", "Origin": "http://desk.lan:8080"},
		"a browser on plain http in the LAN":  {"Origin": "http://desk.lan:8080"},
		"a program that sends neither header": {},
	} {
		w := d.send(
			call{method: "POST", path: "http://desk.lan:8080/assets", session: session, body: "name=Эва", header: header},
		)
		if w.Code != 303 {
			t.Errorf("%s: got %d %s; want 303", name, w.Code, w.Body)
		}
	}
}

func TestEveryAnswerCarriesTheHeaders(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	a := ask(t, d.store, "Маша", 1)
	d.filmed("video", "thumb")
	session := d.signIn(8)
	calls := map[string]call{
		"library":    {method: "GET", path: "/", session: session},
		"JSON":       {method: "GET", path: "/", session: session, json: true},
		"asset":      {method: "GET", path: "/assets/" + a.ID, session: session},
		"activity":   {method: "GET", path: "/activity", session: session},
		"settings":   {method: "GET", path: "/settings", session: session},
		"template":   {method: "GET", path: "/templates/new-year.jpg", session: session},
		"video":      {method: "GET", path: "/media/" + a.ID, session: session},
		"style":      {method: "GET", path: "/static/style.css"},
		"health":     {method: "GET", path: "/healthz"},
		"sent away":  {method: "GET", path: "/"},
		"door":       {method: "GET", path: "/login"},
		"bad link":   {method: "GET", path: "/login/nope"},
		"not found":  {method: "GET", path: "/assets/nope", session: session},
		"no route":   {method: "GET", path: "/nope", session: session},
		"no method":  {method: "PUT", path: "/healthz"},
		"not failed": {method: "POST", path: "/assets/" + a.ID + "/retry", session: session},
		"invalid":    {method: "POST", path: "/assets", session: session, body: "name="},
		"other site": {
			method:  "POST",
			path:    "/assets",
			session: session,
			header:  map[string]string{"Sec-Fetch-Site": "cross-site"},
		},
	}
	for name, c := range calls {
		w := d.send(c)
		csp := w.Header().Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self';", "form-action 'self'",
			"frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s: got policy %q; want %s in it", name, csp, part)
			}
		}
		for key, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"} {
			if got := w.Header().Get(key); got != want {
				t.Errorf("%s: got %s %q; want %q", name, key, got, want)
			}
		}
		if cache := w.Header().Get("Cache-Control"); !strings.Contains(cache, "no-") {
			t.Errorf("%s: got Cache-Control %q; want nothing shown from a cache unasked", name, cache)
		}
	}
	if d.log.Len() > 0 {
		t.Errorf("got log %s; want nothing", &d.log)
	}
}

func TestAFaultOfOursIsNeutralAndLoggedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		call  call
		spoil func(d *office)
	}{
		"the database is gone": {call{method: "GET", path: "/"}, func(d *office) { d.store.Close() }},
		"a panic": {call{method: "GET", path: "/"}, func(d *office) {
			d.change(func(o *desk.Options) { o.Ready = func(context.Context) []string { panic("SECRET") } })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			c.call.session = d.signIn(8)
			c.spoil(d)
			w := d.send(c.call)
			if body := d.want(500, w); !strings.Contains(body, voice("en")(desk.Internal.ID, nil)) ||
				strings.Contains(body, "SECRET") ||
				strings.Contains(body, "closed") {
				t.Errorf("got %s; want neutral words", body)
			}
			if n := strings.Count(d.log.String(), "level=ERROR"); n != 1 || strings.Contains(d.log.String(), c.call.session) {
				t.Errorf("got log %s; want one line", &d.log)
			}
			if w.Header().Get("Content-Security-Policy") == "" {
				t.Error("got no policy; want one")
			}
		})
	}
	t.Run("a link whose token must not be logged", func(t *testing.T) {
		d := newDesk(t, "http://localhost:8080")
		link := d.link(8)
		d.store.Close()
		d.want(500, d.send(call{method: "POST", path: link}))
		if _, token, _ := strings.Cut(link, "/login/"); strings.Contains(d.log.String(), token) ||
			!strings.Contains(d.log.String(), "/login/:token") {
			t.Errorf("got log %s; want the route without the token", &d.log)
		}
	})
}

func TestHealth(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	for _, method := range []string{"GET", "HEAD"} {
		d.want(200, d.send(call{method: method, path: "/healthz"}))
		d.want(200, d.send(call{method: method, path: "/readyz"}))
	}
	d.missing = []string{"ffmpeg was not found.", "The bot has no token."}
	if got := d.want(503, d.send(call{method: "GET",
		path: "/readyz"})); got != "ffmpeg was not found.\nThe bot has no token.\n" {
		t.Errorf("got %q; want the sentences", got)
	}
	d.want(200, d.send(call{method: "GET", path: "/healthz"}))
	if page := d.want(200, d.send(call{method: "GET", path: "/", session: d.signIn(8)})); !strings.Contains(
		page,
		"ffmpeg was not found.",
	) {
		t.Errorf("got %s; want the sentences on the page", page)
	}
	d.store.Close()
	d.want(503, d.send(call{method: "GET", path: "/healthz"}))
	d.want(503, d.send(call{method: "GET", path: "/readyz"}))
	if d.log.Len() > 0 {
		t.Errorf("got log %s; want silence", &d.log)
	}
}

// hostile are names and errors that try to be something else on the page.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</title><script>alert(1)</script>`,
	`{{.ID}}`, `javascript:alert(1)`, `</svg><svg onload=alert(1)>`, "\u202eгнирт\u202c", `<!--`, `</textarea><b>`, `&lt;script&gt;`,
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
				VALUES (?, 'RENDER', 1, 1, 2, 'gave up', ?)`,
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
			d.change(func(o *desk.Options) { o.Offers = choices })
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
		if !strings.Contains(got, "These are: new-year.") {
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
		"one template": {newYear, nil, []string{"<select", "Birthday", "birthday"}, "", 0},
		"two templates": {[]video.Offer{choices[0], titled("birthday", "?", "🎂 Birthday & more")},
			[]string{list, "<span>🎂 Birthday &amp; more</span>"}, nil, "🎂 Birthday & more", 2},
		"two, and the video's was taken away": {[]video.Offer{choices[0], choices[2]},
			[]string{"<select", "<span>birthday</span>"}, []string{`value="birthday"`}, "birthday", 2},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			d.change(func(o *desk.Options) { o.Offers = c.offers })
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

// listing is what GET / answers as JSON.
type listing struct {
	Success   bool
	Assets    []desk.Card
	Counts    map[store.Status]int
	Templates []desk.Option
	After     string
}

func (d *office) list(session, query string) (l listing) {
	d.t.Helper()
	if err := json.Unmarshal([]byte(d.want(200,
		d.send(call{method: "GET", path: "/" + query, session: session, json: true}))), &l); err != nil ||
		!l.Success {
		d.t.Fatalf("got %+v, %v", l, err)
	}
	return l
}

func TestThePageAndTheJSONSayTheSame(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	for i := range int64(2*pageSize + 5) {
		ask(t, d.store, "Имя "+strings.Repeat("я", int(i)+1), i+1)
		switch i % 3 {
		case 0:
			d.filmed("v", "t")
		case 1:
			failForGood(t, d.queue)
		}
	}
	card := regexp.MustCompile(
		`(?s)<li class="card" id="asset-(\w+)".*?<h2><a [^>]*>([^<]*)</a></h2><span class="pill ` +
			`\w+"><svg.*?</svg>(\w+)</span>`,
	)
	words := map[store.Status]string{
		store.Pending:    "Waiting",
		store.Processing: "Rendering",
		store.Completed:  "Ready",
		store.Failed:     "Failed",
	}
	session := d.signIn(8)
	for _, status := range []string{"", "PENDING", "COMPLETED", "FAILED"} {
		after, seen := "", 0
		for page := 0; page == 0 || after != ""; page++ {
			query := "?status=" + status + "&after=" + after
			got := d.list(session, query)
			cards := card.FindAllStringSubmatch(
				d.want(200, d.send(call{method: "GET", path: "/" + query, session: session})),
				-1,
			)
			if len(cards) != len(got.Assets) || page > 5 {
				t.Fatalf("%s: got %d cards and %d assets; want as many", query, len(cards), len(got.Assets))
			}
			for i, a := range got.Assets {
				if cards[i][1] != a.ID || html.UnescapeString(cards[i][2]) != a.Name ||
					cards[i][3] != words[store.Status(a.Status)] {
					t.Errorf("%s: got card %q and asset %+v; want the same", query, cards[i][1:], a)
				}
			}
			seen += len(got.Assets)
			after = got.After
		}
		want := count(t, d.store, `SELECT count(*) FROM assets WHERE status = ?1 OR ?1 = ''`, status)
		if seen != want {
			t.Errorf("status %q: got %d in all pages; want %d", status, seen, want)
		}
	}
	d.want(422, d.send(call{method: "GET", path: "/?status=BROKEN", session: session}))
}

func TestWhatACardSays(t *testing.T) {
	for name, c := range map[string]struct {
		arrange func(t *testing.T, d *office)
		admin   int64
		has     []string
		lacks   []string
	}{
		"a failed video has the reason, the raw text and the button": {func(t *testing.T, d *office) {
			ask(t, d.store, "Маша", 1, 2)
			fail(t, d.queue, store.Render, retry.Permanent(errors.New("ffmpeg: took longer than 5m0s: <frame>")))
		}, 8, []string{"Retry Failed", "It took too long", "&lt;frame&gt;", "apology sent to 2", "Attempt 1: failed, given up"}, []string{"<video", "could not be told"}},
		"an admin who did not make it gets no button but is told why": {func(t *testing.T, d *office) {
			ask(t, d.store, "Маша", 1)
			failForGood(t, d.queue)
		}, 7, []string{"Only an owner"}, []string{"Retry Failed"}},
		"a user whom no message reaches is counted": {func(t *testing.T, d *office) {
			ask(t, d.store, "Маша", 1, 2)
			failForGood(t, d.queue)
			mutate(t, d.store, `DELETE FROM jobs WHERE kind = 'APOLOGISE' AND request_id = (SELECT max(id) FROM requests)`)
		}, 8, []string{"apology sent to 1", "1 could not be told"}, nil},
		"a failed video with a live successor leads there": {func(t *testing.T, d *office) {
			a := ask(t, d.store, "Маша", 1)
			failForGood(t, d.queue)
			if _, err := d.queue.Retry(t.Context(), a.ID,
				retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}, Platform: ""}); err != nil {
				t.Fatal(err)
			}
		}, 8, []string{"Tried again"}, []string{"Retry Failed"}},
		"a failed video whose successor failed, too, has the button": {func(t *testing.T, d *office) {
			a := ask(t, d.store, "Маша", 1)
			failForGood(t, d.queue)
			if _, err := d.queue.Retry(t.Context(), a.ID,
				retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}, Platform: ""}); err != nil {
				t.Fatal(err)
			}
			failForGood(t, d.queue)
		}, 8, []string{"Retry Failed"}, []string{"Tried again"}},
		"a finished video plays": {func(t *testing.T, d *office) {
			ask(t, d.store, "Маша", 1, 2)
			d.filmed("v", "t")
			mutate(t, d.store, `UPDATE requests SET status = 'COMPLETED', finished = 1, answer_id = 5 WHERE user_id = 1`)
		}, 7, []string{"<video controls", `preload="none"`, `poster="/thumbs/`, "1 has it", "1 waiting", "0:42"}, []string{"Retry Failed"}},
		"a video that could not be delivered is not one they wait for": {func(t *testing.T, d *office) {
			ask(t, d.store, "Маша", 1, 2)
			d.filmed("v", "t")
			mutate(t, d.store, `DELETE FROM jobs WHERE kind = 'DELIVER' AND request_id = (SELECT max(id) FROM requests)`)
		}, 7, []string{"1 waiting", "1 could not be told"}, []string{"2 waiting"}},
		"a video that failed once says when it is tried again": {func(t *testing.T, d *office) {
			ask(t, d.store, "Маша", 1)
			fail(t, d.queue, store.Render, errEngine)
		}, 7, []string{"Attempt 2 of 3", "next try", "Last attempt: The video could not be made.", "1 waiting"}, []string{"Retry Failed", "in the queue"}},
		"a video in the queue has its place": {func(t *testing.T, d *office) {
			ask(t, d.store, "Маша", 1)
			ask(t, d.store, "Лев", 2)
		}, 7, []string{"Next in the queue", "Number 2 in the queue"}, nil},
		"a video being made shows how far it is": {func(t *testing.T, d *office) {
			ask(t, d.store, "Маша", 1)
			begin(t, d.store, store.Render)
		}, 7, []string{"<progress", "Attempt 1 of 3", "0 %"}, nil},
		"an empty library says what to do": {func(*testing.T, *office) {}, 7, []string{"No videos yet", "Make a video"},
			[]string{`class="card"`}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			c.arrange(t, d)
			session := d.signIn(c.admin)
			page := d.want(200, d.send(call{method: "GET", path: "/", session: session}))
			for _, want := range c.has {
				if !strings.Contains(page, want) {
					t.Errorf("got %s; want %q in it", page, want)
				}
			}
			for _, not := range c.lacks {
				if strings.Contains(page, not) {
					t.Errorf("got %s; want no %q in it", page, not)
				}
			}
			for _, a := range d.list(session, "").Assets {
				if body := d.want(200, d.send(call{method: "GET", path: "/assets/" + a.ID, session: session})); !strings.Contains(
					body,
					"<h1>"+a.Name+"</h1>",
				) {
					t.Errorf("got %s; want the page of %s", body, a.Name)
				}
				if body := d.want(200, d.send(call{method: "GET", path: "/assets/" + a.ID, session: session,
					json: true})); !strings.Contains(
					body,
					`"asset":{"id":"`+a.ID,
				) {
					t.Errorf("got %s; want %s", body, a.ID)
				}
			}
		})
	}
}

// TestAMisbehavingEngineIsSeenThroughToThePage runs real programs by the real queue: three attempts each, nothing left
// behind, and the reason on the page, without the name.
func TestAMisbehavingEngineIsSeenThroughToThePage(t *testing.T) {
	for name, c := range map[string]struct {
		script     string
		timeout    time.Duration
		words, raw string
	}{
		"that hangs and has forked": {"sleep 300 & setsid sleep 300 & sleep 300", 600 * time.Millisecond,
			"It took too long and was stopped.", "took longer than 600ms"},
		"that prints ten megabytes": {`head -c 10000000 /dev/zero | tr '\0' x >&2; echo "no model for $RETAKE_NAME" >&2; ` +
			`exit 1`, time.Minute, "The video could not be made.", "no model for [name]"},
		"that leaves garbage": {`head -c 100000 /dev/urandom >"$RETAKE_OUTPUT"`, time.Minute,
			"The video engine left a file that does not play.", "probe: "},
		"that leaves nothing": {"exit 0", time.Minute, "The video engine left no video behind.", "left no video file"},
		"that leaves more than fits": {`head -c 3000000 /dev/zero >"$RETAKE_OUTPUT"`, time.Minute,
			"The video is too large to be sent.", "it may have 2.0 MB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each waits for programs
			d := newDesk(t, "http://localhost:8080")
			work := t.TempDir()
			maker, err := video.New(
				video.Config{
					Engine:   video.EngineCommand,
					Offered:  []string{"new-year"},
					Command:  []string{"/bin/sh", "-c", c.script},
					Timeout:  c.timeout,
					MaxBytes: 2_000_000,
					Work:     work,
					Cache:    t.TempDir(),
					Workers:  1,
				},
			)
			if err != nil {
				t.Fatal(err)
			}
			if err := maker.Ready(t.Context()); err != nil { // not in the engine's time
				t.Fatal(err)
			}
			apologised := make(chan struct{}, 1)
			messages := &bench{tell: func(t store.Task) error {
				if t.Kind == store.Apologise {
					apologised <- struct{}{}
				}
				return nil
			}}
			asset := ask(t, d.store, "Аглая", 1)
			q := NewQueue(d.store, maker, messages, messages, Options{Workers: 1, Attempts: 3,
				Backoff: func(int) time.Duration { return time.Millisecond }}, slog.New(slog.NewTextHandler(&d.log, nil)))
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- q.Run(ctx) }()
			<-apologised
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}

			session := d.signIn(8)
			page := d.want(200, d.send(call{method: "GET", path: "/assets/" + asset.ID, session: session}))
			for _, want := range []string{c.words, c.raw, "Retry Failed", "Attempt 3"} {
				if !strings.Contains(page, want) {
					t.Errorf("page: got no %q in %s", want, page)
				}
			}
			if n := count(t, d.store, `SELECT count(*) FROM attempts WHERE kind = 'RENDER'`); n != 3 {
				t.Errorf("got %d attempts; want 3", n)
			}
			if left, err := os.ReadDir(work); err != nil || len(left) > 0 {
				t.Errorf("work folder: got %v, %v; want nothing in it", left, err)
			}
			if strings.Contains(d.log.String(), "Аглая") {
				t.Error("the log holds the name")
			}
			found, err := filepath.Glob("/proc/*/environ")
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range found {
				if b, err := os.ReadFile(path); err == nil && strings.Contains(string(b), "RETAKE_ASSET="+asset.ID) {
					t.Errorf("%s: got a process of the engine; want none", path)
				}
			}
		})
	}
}

func TestTelegramIdsAreNowhere(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	a := ask(t, d.store, "Маша", 987654321)
	failForGood(t, d.queue)
	d.admins[987654322] = store.Admin{ID: 987654322, Owner: true}
	d.change(func(o *desk.Options) { o.Staff.Owners = []int64{8, 987654322} })
	d.signIn(987654322)
	session := d.signIn(8)
	for _, path := range []string{"/", "/assets/" + a.ID, "/activity", "/settings"} {
		for _, asJSON := range []bool{false, true} {
			if body := d.want(200, d.send(call{method: "GET", path: path, session: session, json: asJSON})); strings.Contains(
				body,
				"98765432",
			) {
				t.Errorf("%s: got %s; want nobody's id", path, body)
			}
		}
	}
}

func TestTheLibraryIsSearched(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	ids := map[string]string{}
	for i, name := range []string{"Маша", "Анна-Мария", "Ева Мария Белых", "О\u2019Нил", "100 % Лев", "Ма_ша", "Zoë",
		"Straße", "Зо𐐨"} {
		write(t, d.store, func(tx *store.Tx) error {
			if _, err := tx.Meet(int64(i+1), "ru"); err != nil {
				return err
			}
			a, _, err := tx.ShareOrCreate(
				store.Wish{
					User:     int64(i + 1),
					Chat:     int64(i + 1),
					Name:     name,
					Key:      lang.NameKey(name),
					Template: "new-year",
					Lang:     "ru",
				},
				time.Now(),
			)
			ids[name] = a.ID
			return err
		})
		if i == 0 {
			failForGood(t, d.queue)
		}
	}
	session := d.signIn(8)
	for name, c := range map[string]struct {
		query, status string
		want          []string // names, newest first
		counts        map[store.Status]int
	}{
		"the beginning of a name": {"ма", "", []string{"Ма_ша", "Ева Мария Белых", "Анна-Мария", "Маша"},
			map[store.Status]int{store.Pending: 3, store.Failed: 1}},
		"letter case and spaces around make none": {"  МАРИЯ ", "", []string{"Ева Мария Белых", "Анна-Мария"},
			map[store.Status]int{store.Pending: 2}},
		"the beginning of a later word": {"бел", "", []string{"Ева Мария Белых"},
			map[store.Status]int{store.Pending: 1}},
		"two words in their order": {"мария  б", "", []string{"Ева Мария Белых"},
			map[store.Status]int{store.Pending: 1}},
		"two words, however they are joined": {"анна мар", "", []string{"Анна-Мария"},
			map[store.Status]int{store.Pending: 1}},
		"another hyphen": {"анна\u2010мария", "", []string{"Анна-Мария"},
			map[store.Status]int{store.Pending: 1}},
		"another apostrophe": {"о'н", "", []string{"О\u2019Нил"},
			map[store.Status]int{store.Pending: 1}},
		"accents typed as two characters": {"zoe\u0308", "", []string{"Zoë"},
			map[store.Status]int{store.Pending: 1}},
		"a letter that folds to two": {"STRASS", "", []string{"Straße"},
			map[store.Status]int{store.Pending: 1}},
		"a letter that few computers know follows": {"зо", "", []string{"Зо𐐨"}, map[store.Status]int{store.Pending: 1}},
		"the middle of a word finds nothing":       {"аша", "", nil, nil},
		"a percent sign is a letter like any":      {"%", "", []string{"100 % Лев"}, map[store.Status]int{store.Pending: 1}},
		"an underscore is a letter like any":       {"ма_", "", []string{"Ма_ша"}, map[store.Status]int{store.Pending: 1}},
		"a star and a quote are letters like any":  {`м*"`, "", nil, nil},
		"an id": {ids["Маша"], "", []string{"Маша"},
			map[store.Status]int{store.Failed: 1}},
		"the beginning of an id finds nothing": {ids["Маша"][:25], "", nil, nil},
		"with a status, counts are still of all": {"ма", "FAILED", []string{"Маша"},
			map[store.Status]int{store.Pending: 3, store.Failed: 1}},
		"an id of another status is counted, not shown": {ids["Маша"], "PENDING", nil, map[store.Status]int{store.Failed: 1}},
		"nothing typed is no filter": {"  ", "FAILED", []string{"Маша"},
			map[store.Status]int{store.Pending: 8, store.Failed: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			query := "?" + url.Values{"q": {c.query}, "status": {c.status}}.Encode()
			got := d.list(session, query)
			var names []string
			for _, a := range got.Assets {
				names = append(names, a.Name)
			}
			slices.Sort(names) // some are made in the same millisecond
			slices.Sort(c.want)
			if !slices.Equal(names, c.want) || !maps.Equal(got.Counts, c.counts) {
				t.Errorf("got %q, counted %v; want %q, counted %v", names, got.Counts, c.want, c.counts)
			}
			page := d.want(200, d.send(call{method: "GET", path: "/" + query, session: session}))
			typed := strings.TrimSpace(c.query)
			for what, has := range map[string]bool{
				`value="` + html.EscapeString(typed) + `" placeholder`:                             true,
				`<input type="hidden" name="status" value="` + c.status + `">`:                     c.status != "",
				"Nothing found for “" + strings.ReplaceAll(html.EscapeString(typed), "+", "&#43;"): len(c.want) == 0,
			} {
				if strings.Contains(page, what) != has {
					t.Errorf("got %s; want %q in it: %v", page, what, has)
				}
			}
			if n := strings.Count(page, `<li class="card"`); n != len(c.want) {
				t.Errorf("got %d cards; want %d", n, len(c.want))
			}
		})
	}
}

func TestASearchStaysWhileItIsBrowsed(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	for i := range int64(2*pageSize + 5) {
		ask(t, d.store, "Имя & "+strings.Repeat("я", int(i)+1), i+1)
		ask(t, d.store, "Ева "+strings.Repeat("я", int(i)+1), i+1)
	}
	session := d.signIn(8)
	link := regexp.MustCompile(`<a (?:class="btn" )?href="(/\?[^"]*|/)"(?: aria-current="true")?>(\w+)`)
	path, pages, cards := "/?q=имя+%26&status=PENDING", 0, 0
	for path != "" {
		page := d.want(200, d.send(call{method: "GET", path: path, session: session}))
		pages, cards, path = pages+1, cards+strings.Count(page, `<li class="card"`), ""
		for _, l := range link.FindAllStringSubmatch(page, -1) {
			to, err := url.Parse(html.UnescapeString(l[1]))
			if err != nil {
				t.Fatal(err)
			}
			status := map[string]string{"Failed": "FAILED", "Rendering": "PROCESSING", "Ready": "COMPLETED", "All": ""}
			want, isTab := status[l[2]]
			if !isTab {
				want = "PENDING"
			}
			if q := to.Query(); q.Get("q") != "имя &" || q.Get("status") != want || q.Has("after") != (l[2] == "Older") {
				t.Errorf("page %d, %s: got %s; want the search and status %q", pages, l[2], l[1], want)
			}
			if l[2] == "Older" {
				path = to.String()
			}
		}
		if !strings.Contains(page, "53 in all") {
			t.Errorf("page %d: got no count of what is found in %s", pages, page)
		}
	}
	if pages != 3 || cards != 2*pageSize+5 {
		t.Errorf("got %d cards on %d pages; want %d on 3", cards, pages, 2*pageSize+5)
	}
}

func TestAFullPageIsSmall(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	d.crowd(2000, 20)
	mutate(
		t,
		d.store,
		`UPDATE assets SET error = 'ffmpeg: exit status 1: ' || ? WHERE status = 'FAILED'`,
		strings.Repeat("no \"frame\" there\n", 120)+"the cause",
	)
	session := d.signIn(8)
	for _, a := range d.list(session, "?status=FAILED").Assets[:pageSize/2] {
		if _, err := d.queue.Retry(t.Context(), a.ID,
			retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}, Platform: ""}); err != nil {
			t.Fatal(err)
		}
	}
	for _, status := range []string{"", "PENDING", "COMPLETED", "FAILED"} {
		page := d.want(200, d.send(call{method: "GET", path: "/?status=" + status, session: session}))
		if n := strings.Count(page, `<li class="card"`); n != pageSize {
			t.Fatalf("status %q: got %d cards; want %d", status, n, pageSize)
		}
		if len(page) >= 60_000 {
			t.Errorf("status %q: got %d bytes; want less than 60 kB", status, len(page))
		}
		if n := strings.Count(page, "<code>ffmpeg: exit status 1:"); n != strings.Count(page, "the cause</code>") ||
			status == "FAILED" && n != pageSize {
			t.Errorf("status %q: got %d errors with beginning and end; want %d", status, n, pageSize)
		}
	}
}

// crowd fills a library with n videos of 2,000 names, all with their people and attempts: the newest hundredth waits,
// three are being made, of the others one in so many has failed.
func (d *office) crowd(n, oneIn int) {
	d.t.Helper()
	var names []string
	for _, first := range strings.Fields(`Агата Аглая Адам Айша Алексей Алиса Анна Антон Арина Артём Богдан Вадим Вера Виктор Глеб Дарья Денис Ева Егор Жанна
		Захар Злата Иван Илья Кира Лев Лука Майя Макар Марина Мария Марк Матвей Мирон Ника Олег Павел Роман София Тимур`) {
		for i := range 50 {
			names = append(
				names,
				first+" "+strings.Fields("Бел Вол Гор Дуб Жар Зим Кар Лип Мор Рож")[i/5]+[]string{"ева", "ин", "енко", "ский",
					"ых"}[i%5],
			)
		}
	}
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = lang.NameKey(name)
	}
	jsonOf := func(v []string) string { b, _ := json.Marshal(v); return string(b) }
	mutate(d.t, d.store, `
		WITH RECURSIVE i (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n + 1 < ?3),
			s (n, status) AS (SELECT n, CASE WHEN n < 3 THEN 'PROCESSING' WHEN n < ?3 / 100 THEN 'PENDING'
			WHEN n % ?4 = 1 THEN 'FAILED' ELSE 'COMPLETED' END FROM i)
		INSERT INTO assets (id, name, name_key, template, lang, origin, status, file, thumb, size, duration, width, height,
		error, created, finished)
		SELECT printf('%026d', n * 7919), ?1 ->> (n * 1777 % 2000), ?2 ->> (n * 1777 % 2000), 'new-year', 'ru', 'REQUEST',
		status,
			iif(status = 'COMPLETED', n || '.mp4', NULL), iif(status = 'COMPLETED', n || '.jpg', NULL), 4000000, 41900, 1280,
			720,
			iif(status = 'FAILED', 'ffmpeg: took longer than 5m0s', NULL), 1700000000000 - n * 60000, iif(status IN ('COMPLETED',
			'FAILED'), 1700000000000 - n * 60000 + 30000, NULL)
		FROM s`, jsonOf(names), jsonOf(keys), n, oneIn)
	for _, statement := range []string{
		`INSERT INTO users (id, lang, created) SELECT DISTINCT rowid % 4999 + 1, 'ru', 0 FROM assets`,
		`INSERT INTO requests (user_id, asset_id, chat_id, status, answer_id, created, finished)
			SELECT rowid % 4999 + 1, id, rowid % 4999 + 1, status, iif(finished, 1, NULL), created, finished FROM assets`,
		`INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome, error)
			SELECT assets.id, 'RENDER', t.value, created, finished, iif(status = 'COMPLETED', 'done', iif(t.value = 3, 'gave up',
			'rescheduled')), error
			FROM assets, json_each('[1, 2, 3]') t WHERE finished IS NOT NULL AND (status = 'FAILED' OR t.value = 1)`,
		`INSERT INTO jobs (kind, asset_id, lane, turn, due, attempt, started, created)
			SELECT 'RENDER', id, 1, -created, 0, status = 'PROCESSING', iif(status = 'PROCESSING', created, NULL), created
			FROM assets WHERE finished IS NULL`,
		`UPDATE assets SET needs = 1 WHERE status = 'FAILED'`,
		`UPDATE assets SET needs = 0 WHERE id IN (SELECT id FROM settled)`,
	} {
		mutate(d.t, d.store, statement)
	}
}

// BenchmarkLibrary measures GET / with 100,000 videos, from the request to the last byte of the page.
func BenchmarkLibrary(b *testing.B) {
	d := newDesk(b, "http://localhost:8080")
	d.crowd(100_000, 20)
	session := d.signIn(8)
	late := text(b, d.store, `SELECT created || '-' || id FROM assets ORDER BY created LIMIT 1 OFFSET 100`)
	lateFailure := text(
		b,
		d.store,
		`SELECT created || '-' || id FROM assets WHERE status = 'FAILED' ORDER BY created LIMIT 1 OFFSET 30`,
	)
	for _, c := range []struct{ name, query string }{
		{"all", ""},
		{"failed", "status=FAILED"},
		{"rendering", "status=PROCESSING"},
		{"waiting", "status=PENDING"},
		{"ready", "status=COMPLETED"},
		{"late", "after=" + late},
		{"late, failed", "status=FAILED&after=" + lateFailure},
		{"one letter", "q=м"},
		{"one letter, failed", "q=м&status=FAILED"},
		{"one letter, late", "q=м&after=" + late},
		{"a first name", "q=мария"},
		{"a surname", "q=Белых"},
		{"a surname, failed, late", "q=Белых&status=FAILED&after=" + lateFailure},
		{"a whole name", "q=Мария+Белых"},
		{"an id", "q=" + late},
		{"nothing", "q=ъ"},
	} {
		d.measure(b, c.name, "/?"+c.query, session)
	}
}

// measure is a benchmark of one page.
func (d *office) measure(b *testing.B, name, path, session string) {
	b.Run(name, func(b *testing.B) {
		var took []time.Duration
		for b.Loop() {
			began := time.Now()
			w := d.send(call{method: "GET", path: path, session: session})
			took = append(took, time.Since(began))
			d.want(200, w)
		}
		slices.Sort(took)
		for name, share := range map[string]int{"p50-ms": 50, "p99-ms": 99} {
			b.ReportMetric(float64(took[(len(took)-1)*share/100].Microseconds())/1000, name)
		}
	})
}

// needing makes what TestRetryAll begins with, oldest failure first: two videos of users, the second with a successor
// that failed, too; one of admin 7; one of admin 9 with the name of the first, which two more people asked for.
func needing(t *testing.T, d *office) (ids map[string]string) {
	t.Helper()
	began := time.Now()
	ids = map[string]string{}
	failed := func(name string) {
		began = began.Add(time.Second)
		setNow(d.store, func() time.Time { return began })
		ids[name] = failForGood(t, d.queue).AssetID
	}
	ask(t, d.store, "Маша", 1, 2)
	failed("first")
	ask(t, d.store, "Лев", 2, 3)
	failed("head")
	if _, err := d.queue.Retry(t.Context(), ids["head"], retry.ButtonPressed{User: 3, Chat: 3}); err != nil {
		t.Fatal(err)
	}
	failed("tail")
	madeByAdmin(t, d.store, 7, "Ева", "ева")
	failed("seven")
	madeByAdmin(t, d.store, 9, "Маша", "маша")
	ask(t, d.store, "Маша", 4, 5)
	failed("nine")
	began = began.Add(time.Second)
	return ids
}

// shown is the form of the page that asks.
func (d *office) shown(session string) (form url.Values) {
	d.t.Helper()
	page := d.want(200, d.send(call{method: "GET", path: "/retry-all", session: session}))
	form = url.Values{}
	for _, field := range regexp.MustCompile(`<input type="hidden" name="(\w+)" value="(\w*)">`).FindAllStringSubmatch(page, -1) {
		form.Set(field[1], field[2])
	}
	return form
}

// needsOf is what the library says to an admin, which must be the same in JSON.
func (d *office) needsOf(session string) (n int) {
	d.t.Helper()
	var got struct {
		NeedYou store.Need `json:"need_you"`
	}
	if err := json.Unmarshal([]byte(d.want(200, d.send(call{method: "GET", path: "/", session: session, json: true}))),
		&got); err != nil {
		d.t.Fatal(err)
	}
	page := d.want(200, d.send(call{method: "GET", path: "/", session: session}))
	if found := regexp.MustCompile(`<strong>(\d+) videos? needs? your attention\.</strong>`).FindStringSubmatch(page); found != nil {
		fmt.Sscan(found[1], &n)
	}
	if n != got.NeedYou.Count || n > 0 != strings.Contains(page, `href="/retry-all"`) {
		d.t.Errorf("got %d on the page and %d in JSON; want the same, and a link if there are any", n, got.NeedYou.Count)
	}
	return n
}

func TestRetryAll(t *testing.T) {
	for _, c := range []struct {
		name   string
		admin  int64
		before func(t *testing.T, d *office, ids map[string]string, form url.Values) // between the question and the press
		need   int                                                                   // in the library, before
		status int
		answer string // JSON, or code of the error
		notice string
		left   int            // in the library, after
		then   map[string]int // queries and the number each must give
	}{
		{"an owner retries all of them", 8, nil, 4, 200,
			`{"success":true,"outcome":"restarted","restarted":3,"joined":1,"skipped":0}`, "3 videos are being tried again. 1 was on its way already.", 0, map[string]int{
				`SELECT count(*) FROM assets WHERE status = 'PENDING'`: 3,
				`SELECT count(*) FROM jobs WHERE kind = 'RENDER'`:      3,
				`SELECT count(*) FROM requests r JOIN assets a ON a.id = r.asset_id WHERE r.status = 'PENDING' AND a.name = ` +
					`'Маша'`: 4,
				`SELECT count(*) FROM requests r JOIN assets a ON a.id = r.asset_id WHERE r.status = 'PENDING' AND a.name = 'Лев'
					AND user_id IN (2, 3)`: 2,
				`SELECT count(*) FROM requests WHERE status = 'PENDING'`:                                    6,
				`SELECT count(*) FROM audit WHERE admin = 8 AND action = 'retry' AND outcome = 'restarted'`: 3,
				`SELECT count(*) FROM audit WHERE admin = 8 AND action = 'retry' AND outcome = 'joined'`:    1,
				`SELECT count(DISTINCT asset_id) FROM audit WHERE admin = 8 AND action = 'retry'`:           4,
			}},
		{"an admin retries what they made", 7, nil, 1, 200,
			`{"success":true,"outcome":"restarted","restarted":1,"joined":0,"skipped":0}`, "1 video is being tried again.", 0, map[string]int{
				`SELECT count(*) FROM assets WHERE status = 'PENDING' AND creator = 7`: 1,
				`SELECT count(*) FROM assets WHERE status = 'PENDING'`:                 1,
			}},
		{"what failed after the question is left alone", 8, func(t *testing.T, d *office, _ map[string]string, _ url.Values) {
			ask(t, d.store, "Аня", 6)
			failForGood(t, d.queue)
		}, 4, 200, `{"success":true,"outcome":"restarted","restarted":3,"joined":1,"skipped":0}`, "3 videos are being tried again. 1 was on its way already.", 1,
			map[string]int{`SELECT count(*) FROM assets WHERE name = 'Аня'`: 1}},
		{"what failed after the question does not take the place of what was retried since", 8,
			func(t *testing.T, d *office, ids map[string]string, _ url.Values) {
				ask(t, d.store, "Аня", 6)
				failForGood(t, d.queue)
				if _, err := d.queue.Retry(t.Context(), ids["seven"],
					retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}, Platform: ""}); err != nil {
					t.Fatal(err)
				}
			}, 4, 200, `{"success":true,"outcome":"restarted","restarted":2,"joined":1,"skipped":0}`, "2 videos are being tried again. 1 was on its way already.", 1,
			map[string]int{`SELECT count(*) FROM assets WHERE name = 'Аня'`: 1}},
		{"no more than were shown are retried, the oldest failures first", 8,
			func(_ *testing.T, _ *office, _ map[string]string, form url.Values) {
				form.Set("count", "2")
			}, 4, 200, `{"success":true,"outcome":"restarted","restarted":2,"joined":0,"skipped":0}`, "2 videos are being tried again.", 2,
			map[string]int{`SELECT count(*) FROM assets WHERE status = 'PENDING' AND name IN ('Маша', 'Лев')`: 2}},
		{"what was retried since the question is not retried again", 8,
			func(t *testing.T, d *office, ids map[string]string, _ url.Values) {
				for _, name := range []string{"first", "seven"} {
					if _, err := d.queue.Retry(t.Context(), ids[name],
						retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}, Platform: ""}); err != nil {
						t.Fatal(err)
					}
				}
			}, 4, 200, `{"success":true,"outcome":"restarted","restarted":1,"joined":1,"skipped":0}`, "1 video is being tried again. 1 was on its way already.", 0, map[string]int{
				`SELECT count(*) FROM assets WHERE status = 'PENDING'`: 3,
				`SELECT count(*) FROM requests r JOIN assets a ON a.id = r.asset_id WHERE r.status = 'PENDING' AND a.name = ` +
					`'Маша'`: 4,
			}},
		{"nothing is left after another admin's press", 8,
			func(t *testing.T, d *office, _ map[string]string, form url.Values) {
				d.want(200, d.send(call{method: "POST", path: "/retry-all", session: d.signIn(8), body: form.Encode(), json: true}))
			}, 4, 409, "NOT_FAILED", "None of these is left to try again: they are on their way already, or gone.", 0,
			map[string]int{`SELECT count(*) FROM assets WHERE status = 'PENDING'`: 3, `SELECT count(*) FROM audit
				WHERE action = 'retry' AND admin = 8`: 4}},
		{"nothing is done when nobody can tell what was shown", 8,
			func(_ *testing.T, _ *office, _ map[string]string, form url.Values) {
				form.Set("newest", store.NewID())
			}, 4, 409, "NOT_FAILED", "None of these is left", 4, map[string]int{`SELECT count(*) FROM assets
				WHERE status = 'PENDING'`: 0}},
		{"a press without a number is refused", 8, func(_ *testing.T, _ *office, _ map[string]string, form url.Values) {
			form.Del("count")
		}, 4, 422, "INVALID", "", 4, map[string]int{`SELECT count(*) FROM assets WHERE status = 'PENDING'`: 0}},
		{"a press for none is refused", 8, func(_ *testing.T, _ *office, _ map[string]string,
			form url.Values) {
			form.Set("count", "0")
		},
			4, 422, "INVALID", "", 4, map[string]int{`SELECT count(*) FROM assets WHERE status = 'PENDING'`: 0}},
		{"a press without the newest is refused", 8,
			func(_ *testing.T, _ *office, _ map[string]string, form url.Values) { form.Del("newest") },
			4, 422, "INVALID", "", 4, map[string]int{`SELECT count(*) FROM assets WHERE status = 'PENDING'`: 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, kind := range []string{"a form", "JSON", "a form that asks for JSON"} {
				d := newDesk(t, "http://localhost:8080")
				ids := needing(t, d)
				session := d.signIn(c.admin)
				if n := d.needsOf(session); n != c.need {
					t.Errorf("%s: got %d that need the admin; want %d", kind, n, c.need)
				}
				form := d.shown(session)
				if c.before != nil {
					c.before(t, d, ids, form)
				}
				sent := call{method: "POST", path: "/retry-all", session: session, body: form.Encode(), json: kind != "a form"}
				if kind == "JSON" {
					fields := map[string]string{}
					for name := range form {
						fields[name] = form.Get(name)
					}
					b, err := json.Marshal(fields)
					if err != nil {
						t.Fatal(err)
					}
					sent.body = string(b)
				}
				w := d.send(sent)
				switch {
				case sent.json && c.status == 200:
					if got := strings.TrimSpace(d.want(200, w)); got != c.answer {
						t.Errorf("%s: got %s; want %s", kind, got, c.answer)
					}
				case sent.json:
					if got := refused(t, d.want(c.status, w)); got != c.answer {
						t.Errorf("%s: got %s; want %s", kind, got, c.answer)
					}
				case c.notice == "":
					if got := d.want(c.status, w); !strings.Contains(got, `href="/"`) {
						t.Errorf("got %s; want words and a way back", got)
					}
				default:
					d.want(303, w)
					if page := d.want(200, d.send(call{method: "GET", path: w.Header().Get("Location"),
						session: session})); !strings.Contains(
						page,
						c.notice,
					) {
						t.Errorf("got %s; want the notice %q", page, c.notice)
					}
				}
				if n := d.needsOf(session); n != c.left {
					t.Errorf("%s: got %d that need the admin afterwards; want %d", kind, n, c.left)
				}
				for query, want := range c.then {
					if got := count(t, d.store, query); got != want {
						t.Errorf("%s: %s: got %d; want %d", kind, query, got, want)
					}
				}
			}
		})
	}
}

func TestThePageThatAsksSaysWhatWillHappen(t *testing.T) {
	for name, c := range map[string]struct {
		arrange func(t *testing.T, d *office)
		admin   int64
		has     []string
		lacks   []string
	}{
		"one video that nobody waits for": {func(t *testing.T, d *office) {
			madeByAdmin(t, d.store, 7, "Ева", "ева")
			failForGood(t, d.queue)
		}, 7, []string{"Try 1 video again?", "Nobody waits for it.", "<li>Ева</li>", "Retry 1 video</button>", `<a class="btn" href="/">Back</a>`}, []string{"more"}},
		"each person is counted once, and not if no message reaches them": {func(t *testing.T, d *office) {
			needing(t, d)
			mutate(t, d.store, `UPDATE users SET unreachable = 1 WHERE id = 5`)
		}, 8, []string{"Try 4 videos again?", "<strong>4 people</strong> are waiting and will be notified.", "Retry 4 videos</button>"}, []string{"more"}},
		"somebody who has asked again since is not counted": {func(t *testing.T, d *office) {
			ask(t, d.store, "Маша", 1, 2)
			failForGood(t, d.queue)
			ask(t, d.store, "Маша", 1)
		}, 8, []string{"Try 1 video again?", "<strong>1 person</strong> is waiting and will be notified."}, nil},
		"eleven videos": {func(t *testing.T, d *office) {
			for i := range int64(11) {
				ask(t, d.store, "Имя "+strings.Repeat("я", int(i)+1), i+1)
				failForGood(t, d.queue)
			}
		}, 8, []string{"Try 11 videos again?", "and 1 more", "<strong>11 people</strong>"}, nil},
		"a name that tries to be something else": {func(t *testing.T, d *office) {
			ask(t, d.store, hostile[0], 1)
			failForGood(t, d.queue)
		}, 8, []string{"<li>" + html.EscapeString(hostile[0]) + "</li>"}, []string{"<script>"}},
		"an admin sees only their own": {func(t *testing.T, d *office) { needing(t, d) }, 7,
			[]string{"Try 1 video again?", "<li>Ева</li>"}, []string{"Маша", "Лев"}},
		"a failure whose people have all gone on to a video of that name": {func(t *testing.T, d *office) {
			ask(t, d.store, "Маша", 1)
			failForGood(t, d.queue)
			ask(t, d.store, "Маша", 1)
			d.filmed("v", "t")
		}, 8, []string{"Nothing needs you", `href="/"`}, []string{"<form method=\"post\" action=\"/retry-all\"", "Маша"}},
		"nothing has failed": {func(t *testing.T, d *office) { ask(t, d.store, "Маша", 1) }, 8, []string{"Nothing needs you"},
			[]string{"Маша"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			c.arrange(t, d)
			page := d.want(200, d.send(call{method: "GET", path: "/retry-all", session: d.signIn(c.admin)}))
			for _, want := range c.has {
				if !strings.Contains(page, want) {
					t.Errorf("got %s; want %q in it", page, want)
				}
			}
			for _, not := range c.lacks {
				if strings.Contains(page, not) {
					t.Errorf("got %s; want no %q in it", page, not)
				}
			}
		})
	}
}

// TestWhatNeedsAnAdminHasAButton holds the rule in SQL against that of the cards and of Retry.
func TestWhatNeedsAnAdminHasAButton(t *testing.T) {
	for _, id := range []int64{7, 8, 9} {
		d := newDesk(t, "http://localhost:8080")
		ids := needing(t, d)
		admin, want := d.admins[id], map[string]bool{}
		for _, a := range d.list(d.signIn(id), "?status=FAILED").Assets {
			if a.CanRetry && a.Successor == "" {
				want[a.ID] = true
			}
		}
		list, err := d.store.Needy(
			t.Context(),
			admin,
			store.Filter{Limit: 100},
			store.Needy{},
			store.Needy{Failed: d.store.Now()},
		)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, n := range list {
			got[n.Last] = true
			if n.Last == ids["tail"] && n.ID != ids["head"] {
				t.Errorf("got %s for the line; want its first, whose people wait, too", n.ID)
			}
			if _, err := d.queue.Retry(t.Context(), n.ID, retry.AdminClicked{Admin: admin}); err != nil {
				t.Errorf("admin %d: got %v; want no refusal of what was listed", id, err)
			}
		}
		if !maps.Equal(got, want) || len(got) == 0 {
			t.Errorf("admin %d: got %v; want those with a button, %v", id, got, want)
		}
	}
}

func TestAnErrorPageHasTheWayOnForWhoIsSignedIn(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	session := d.signIn(8)
	for path, status := range map[string]int{"/nowhere": 404, "/assets/none": 404, "/?status=x": 422} {
		if page := d.want(status, d.send(call{method: "GET", path: path, session: session})); !strings.Contains(
			page,
			`href="/activity"`,
		) {
			t.Errorf("%s: got %s; want the links of every page", path, page)
		}
	}
	if page := d.want(200, d.send(call{method: "GET", path: "/login"})); strings.Contains(page, `href="/activity"`) {
		t.Errorf("got %s; want no links for a stranger", page)
	}
}

func TestTheFilterShowsThePlatformThatWasChosen(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	page := d.want(200, d.send(call{method: "GET", path: "/?platform=RUMBLE", session: d.signIn(8)}))
	if !strings.Contains(page, `<option value="RUMBLE" selected>Rumble</option>`) {
		t.Errorf("got %s; want Rumble selected though no video is there", page)
	}
}

// TestASearchStaysWhileItIsRetried goes from a library that was searched to the press, as a browser does.
func TestASearchStaysWhileItIsRetried(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	needing(t, d)
	session := d.signIn(8)
	page := d.want(200, d.send(call{method: "GET", path: "/?q=маш", session: session}))
	link := regexp.MustCompile(`href="(/retry-all[^"]*)"`).FindStringSubmatch(page)
	if link == nil || !strings.Contains(page, "2 videos need your attention.") {
		t.Fatalf("got %s; want the notice of the two that were found", page)
	}
	form := url.Values{}
	page = d.want(200, d.send(call{method: "GET", path: html.UnescapeString(link[1]), session: session}))
	for _, field := range regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`).FindAllStringSubmatch(page, -1) {
		form.Set(field[1], html.UnescapeString(field[2]))
	}
	if !strings.Contains(page, `href="/?q=%D0%BC%D0%B0%D1%88">Back</a>`) {
		t.Errorf("got %s; want the way back to what was found", page)
	}
	form.Set("count", "100") // more than was found: the search alone keeps the others out
	got := d.want(200, d.send(call{method: "POST", path: "/retry-all", session: session, json: true, body: form.Encode()}))
	if n := count(t, d.store, `SELECT count(*) FROM assets WHERE status = 'PENDING' AND name_key <> 'маша'`); n != 0 ||
		!strings.Contains(got, `"skipped":0`) {
		t.Errorf("got %s and %d others tried again; want only what was found", got, n)
	}
	if n := count(t, d.store, `SELECT count(*) FROM assets WHERE status = 'PENDING' AND name_key = 'маша'`); n == 0 {
		t.Errorf("got nothing tried again; want what was found")
	}
}

func TestOnlyWhatTheFilterShowsIsRetried(t *testing.T) {
	for name, c := range map[string]struct {
		f    store.Filter
		want int
	}{
		"no filter means what has failed":     {store.Filter{}, 4},
		"the failed ones":                     {store.Filter{Status: store.Failed}, 4},
		"a page further on is no less":        {store.Filter{After: "nobody", Limit: 1}, 4},
		"a name":                              {store.Filter{Search: "маш"}, 2},
		"a name that is not there":            {store.Filter{Search: "зоя"}, 0},
		"a status that has nothing to retry":  {store.Filter{Status: store.Completed}, 0},
		"a name and another status than that": {store.Filter{Status: store.Pending, Search: "маш"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			newest, owner := needing(t, d)["nine"], store.Admin{ID: 8, Owner: true}
			if n, err := d.store.NeedYou(t.Context(), owner, c.f); err != nil || n.Count != c.want || len(n.Names) != c.want {
				t.Errorf("got %+v, %v; want %d", n, err, c.want)
			}
			if got, err := retry.All(t.Context(), d.store, d.queue, owner, c.f, newest, 100); err != nil ||
				got.Restarted+got.Joined != c.want {
				t.Errorf("got %+v, %v; want %d", got, err, c.want)
			}
		})
	}
}

func TestRetryAllOfPublications(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	failed := func(name string) string {
		id := publishes(t, d.store, connected(t, d.store, "UC1"), name)
		mutate(
			t,
			d.store,
			`UPDATE publications SET status = 'FAILED', error = 'youtube http503: x', completed = ? WHERE asset_id = ?`,
			time.Now().UnixMilli(),
			id,
		)
		mutate(t, d.store, `DELETE FROM jobs WHERE asset_id = ?`, id)
		return id
	}
	summer, winter := failed("Лето"), failed("Зима")
	ask(t, d.store, "Маша", 1)
	failForGood(t, d.queue)
	session := d.signIn(8)
	for _, c := range []struct {
		query               string
		count, publications int
	}{{"", 1, 2}, {"?q=зим", 0, 1}, {"?platform=YOUTUBE", 0, 2}, {"?platform=RUMBLE", 0, 0}, {"?status=COMPLETED", 0,
		2}, {"?status=FAILED", 1, 0}} {
		for _, path := range []string{"/", "/retry-all"} {
			var got struct {
				Need struct{ Count, Publications int } `json:"need_you"`
			}
			body := d.want(200, d.send(call{method: "GET", path: path + c.query, session: session, json: true}))
			if err := json.Unmarshal([]byte(body), &got); err != nil || got.Need.Count != c.count ||
				got.Need.Publications != c.publications {
				t.Errorf("%s%s: got %s, %v; want %d videos and %d publications", path, c.query, body, err, c.count, c.publications)
			}
		}
		page := d.want(200, d.send(call{method: "GET", path: "/" + c.query, session: session}))
		if link := `href="/retry-all` + strings.ReplaceAll(url.PathEscape(c.query), "%3F", "?"); c.count+c.publications > 0 &&
			!strings.Contains(page, link) &&
			c.query != "?q=зим" {
			t.Errorf("%s: got %s; want a link to %s", c.query, page, link)
		}
	}
	page := d.want(200, d.send(call{method: "GET", path: "/retry-all?q=зим", session: session}))
	if !strings.Contains(page, "Try 1 failed publication again?") {
		t.Errorf("got %s; want the question about one", page)
	}
	form := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`).FindAllStringSubmatch(page, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	body := d.want(
		200,
		d.send(call{method: "POST", path: "/retry-all", session: session, body: form.Encode(), json: true}),
	)
	if want := `{"success":true,"outcome":"restarted","restarted":1,"joined":0,"skipped":0}`; strings.TrimSpace(
		body,
	) != want {
		t.Errorf("got %s; want %s", body, want)
	}
	wantState(t, d.store, winter, "PENDING ")
	wantState(t, d.store, summer, "FAILED ")
	mutate(
		t,
		d.store,
		`UPDATE publications SET completed = completed + 60000 WHERE asset_id = ?`,
		summer,
	) // it failed after the question
	d.want(409, d.send(call{method: "POST", path: "/retry-all", session: session, body: form.Encode(), json: true}))
	wantState(t, d.store, summer, "FAILED ")
}

func TestRetryAllIsToldHowFarItCame(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		d := newDesk(t, "http://localhost:8080")
		needing(t, d)
		session := d.signIn(8)
		form := d.shown(session)
		mutate(
			t,
			d.store,
			`CREATE TRIGGER spoilt BEFORE INSERT ON assets WHEN new.name = 'Ева' BEGIN SELECT raise(ABORT, 'SECRET'); END`,
		)
		body := d.want(
			500,
			d.send(call{method: "POST", path: "/retry-all", session: session, body: form.Encode(), json: asJSON}),
		)
		if !strings.Contains(body, "after 3 of 4.") || strings.Contains(body, "SECRET") {
			t.Errorf("got %s; want how far it came, in neutral words", body)
		}
		if n := strings.Count(d.log.String(), "level=ERROR"); n != 1 || !strings.Contains(d.log.String(), "SECRET") ||
			strings.Contains(d.log.String(), "Ева") {
			t.Errorf("got log %s; want one line with the cause and without the name", &d.log)
		}
		if n := d.needsOf(session); n != 1 {
			t.Errorf("got %d that need the admin; want the one that was not reached", n)
		}
		mutate(t, d.store, `DROP TRIGGER spoilt`)
		d.want(303, d.send(call{method: "POST", path: "/retry-all", session: session, body: form.Encode()}))
		if n := d.needsOf(session); n != 0 {
			t.Errorf("got %d after a second press; want none", n)
		}
	}
}

func TestAVideoThatGoesDuringRetryAllIsSkipped(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	for i := range 2 {
		madeByAdmin(t, d.store, 8, "Лев", fmt.Sprint(i))
		failForGood(t, d.queue)
	}
	form := d.shown(d.signIn(8))
	// The one that is retried takes the other away, as far as Retry can see, whichever comes first.
	mutate(
		t,
		d.store,
		`CREATE TRIGGER gone AFTER INSERT ON assets BEGIN DELETE FROM assets WHERE status = 'FAILED'
			AND id <> new.retry_of; END`,
	)
	got, err := retry.All(
		t.Context(),
		d.store,
		d.queue,
		store.Admin{ID: 8, Owner: true},
		store.Filter{},
		form.Get("newest"),
		2,
	)
	if want := (retry.Tally{Outcome: retry.Restarted, Restarted: 1, Joined: 0, Skipped: 1}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

// TestManyPressesOnRetryAllMakeOneSuccessorEach has more videos than a batch, and presses that meet.
func TestManyPressesOnRetryAllMakeOneSuccessorEach(t *testing.T) {
	const videos = 2*retry.BatchSize + 50
	d := newDesk(t, "http://localhost:8080")
	for i := range int64(videos) {
		ask(t, d.store, "Имя "+strings.Repeat("я", int(i)+1), i%40+1)
		failForGood(t, d.queue)
	}
	mutate(t, d.store, `UPDATE assets SET finished = 5000`) // the ids decide
	session := d.signIn(8)
	form := d.shown(session)
	if form.Get("count") != fmt.Sprint(videos) {
		t.Errorf("got %v; want a form for %d", form, videos)
	}
	var wg sync.WaitGroup
	answers := make([]retry.Tally, 3)
	for i := range answers {
		wg.Go(func() {
			w := d.send(call{method: "POST", path: "/retry-all", session: session, body: form.Encode(), json: true})
			if err := json.Unmarshal(w.Body.Bytes(), &answers[i]); err != nil || w.Code != 200 && w.Code != 409 {
				t.Errorf("got %d %s, %v", w.Code, w.Body, err)
			}
		})
	}
	wg.Wait()
	restarted := 0
	for _, a := range answers {
		restarted += a.Restarted
	}
	for query, want := range map[string]int{
		`SELECT count(*) FROM assets WHERE retry_of IS NOT NULL`:                                    videos,
		`SELECT count(DISTINCT retry_of) FROM assets`:                                               videos,
		`SELECT count(*) FROM requests WHERE status = 'PENDING'`:                                    videos,
		`SELECT count(*) FROM jobs WHERE kind = 'RENDER'`:                                           videos,
		`SELECT count(*) FROM audit WHERE admin = 8 AND action = 'retry' AND outcome = 'restarted'`: videos,
	} {
		if got := count(t, d.store, query); got != want || restarted != videos {
			t.Errorf("%s: got %d, and answers %+v; want %d", query, got, answers, want)
		}
	}
}

func TestThePageSpeaksTheLanguageOfItsReader(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	ask(t, d.store, "Маша", 1)
	failForGood(t, d.queue)
	d.missing = []string{"problem_bot_off"}
	session := d.signIn(8)
	const en, ru = "en,ru;q=0.5", "ru-RU,ru;q=0.9,en;q=0.8"
	for _, c := range []struct {
		prefers, chose, path string
		want                 []string
	}{
		{en, "", "/", []string{`<html lang="en">`, "1 video needs your attention.", "The bot is off", "Retry Failed"}},
		{ru, "", "/", []string{`<html lang="ru">`, "1 видео требует внимания.", "Бот не подключён", "Повторить"}},
		{ru, "en", "/", []string{`<html lang="en">`, "Retry Failed"}},
		{en, "ru", "/", []string{`<html lang="ru">`, "извинений: 1"}},
		{en, "de", "/settings", []string{`<html lang="en">`, "1 owner and 2 admins"}},
		{"de,fr;q=0.5", "", "/activity", []string{`<html lang="en">`,
			"<strong>the program</strong> could not make it in attempt 1 and gave up"}},
		{"de,ru;q=0.5", "", "/activity", []string{`<html lang="ru">`, "<strong>вы</strong>: вход"}},
		{"nonsense;;;", "", "/?q=Лев", []string{`<html lang="en">`, "Nothing found for “Лев”"}},
	} {
		header := map[string]string{"Accept-Language": c.prefers}
		if c.chose != "" {
			header["Cookie"] = "lang=" + c.chose
		}
		page := d.want(200, d.send(call{method: "GET", path: c.path, session: session, header: header}))
		for _, want := range c.want {
			if !strings.Contains(page, want) {
				t.Errorf("%+v: got %s; want %q in it", c, page, want)
			}
		}
	}
	w := d.send(call{method: "POST", path: "/language", body: "lang=ru"})
	d.want(303, w)
	if chosen := w.Result().Cookies(); len(chosen) != 1 || chosen[0].Name != "lang" || chosen[0].Value != "ru" ||
		!chosen[0].HttpOnly {
		t.Errorf("got cookies %v; want the language that was chosen", chosen)
	}
	body := d.want(
		422,
		d.send(
			call{
				method: "POST",
				path:   "/language",
				body:   "lang=<b>",
				json:   true,
				header: map[string]string{"Accept-Language": "ru"},
			},
		),
	)
	if refused(t, body) != "INVALID" || !strings.Contains(body, "Такого языка здесь нет. Есть: ru, en.") {
		t.Errorf("got %s; want the languages there are, in Russian", body)
	}
}
