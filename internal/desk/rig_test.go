// What the tests of handlers share: a desk with a real database, its templates, and requests of somebody who is
// signed in.

package desk

import (
	"bytes"
	"context"
	"database/sql"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"retake.example/internal/publish"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/video"
	"retake.example/internal/worker"
)

// outside stands for all that the pages ask of the queue and the platforms.
type outside struct {
	calls  []string
	others map[string]bool                              // further platforms that are set up
	on     func(ctx context.Context, call string) error // nil: every call works
	at     time.Time                                    // of the last reschedule
}

func (o *outside) call(ctx context.Context, what string) error {
	o.calls = append(o.calls, what)
	if o.on == nil {
		return nil
	}
	return o.on(ctx, what)
}

func (o *outside) Retry(ctx context.Context, _ string, _ retry.Cause) (retry.Outcome, error) {
	return retry.Restarted, o.call(ctx, "retry")
}
func (o *outside) Outlooks(context.Context) (map[string]worker.Outlook, error) { return nil, nil }
func (o *outside) Busy() (busy, workers int)                                   { return 0, 1 }
func (o *outside) Outage() (out store.Outage, next time.Time, spent bool)      { return }
func (o *outside) Discard(ctx context.Context, _ store.Deleted)                { o.call(ctx, "discard") }
func (o *outside) View(func(string, int)) func()                               { return func() {} }
func (o *outside) About(context.Context) (Studio, error) {
	return Studio{YouTube: true, Telegram: true, Others: o.others}, nil
}
func (o *outside) HandPage(string) string { return "https://rumble.com/up" }

func (o *outside) Tells(platform string) bool { return platform != "RUMBLE" }
func (o *outside) Ask(context.Context, [32]byte, int64) (string, error) {
	return "https://google.example/", nil
}
func (o *outside) Check(ctx context.Context, _ int64, _ store.Admin) error {
	return o.call(ctx, "check")
}
func (o *outside) Disconnect(ctx context.Context, _ int64, _ store.Admin) error {
	return o.call(ctx, "disconnect")
}
func (o *outside) Update(ctx context.Context, _, _ string, _ publish.Keep, _ store.Admin) error {
	return o.call(ctx, "update")
}
func (o *outside) Remove(ctx context.Context, _, _ string, _ store.Admin) (bool, error) {
	return true, o.call(ctx, "remove")
}
func (o *outside) PublishAgain(ctx context.Context, _, _ string, _ store.Admin) error {
	return o.call(ctx, "again")
}
func (o *outside) Accept(ctx context.Context, _, _ string, _ store.Admin) error {
	return o.call(ctx, "accept")
}
func (o *outside) Postpone(ctx context.Context, _, _ string, _, at time.Time, _ store.Admin) error {
	o.at = at
	return o.call(ctx, "reschedule")
}
func (o *outside) Join(ctx context.Context, _, name string, _ store.Admin) (store.Channel, error) {
	return store.Channel{Title: name}, o.call(ctx, "join")
}
func (o *outside) MarkPublished(ctx context.Context, _, _, _ string, _ store.Admin) error {
	return o.call(ctx, "mark")
}
func (o *outside) Answer(ctx context.Context, _ [32]byte, _ url.Values, _ store.Admin) (store.Channel, error) {
	return store.Channel{}, o.call(ctx, "answer")
}

// rig is a desk, its database and what is outside of it.
type rig struct {
	*Desk
	testing.TB
	out  *outside
	path string // of the database
	log  bytes.Buffer
}

func newRig(t testing.TB) *rig {
	t.Helper()
	return newRigOf(t, t.Context())
}

// newRigOf is newRig for a program that ends with a context.
func newRigOf(t testing.TB, program context.Context) *rig {
	t.Helper()
	schema, err := os.ReadFile("../../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{TB: t, out: &outside{}, path: filepath.Join(t.TempDir(), "retake.db")}
	st, err := store.Open(r.path, store.Options{Schema: string(schema)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	title := func(string) string { return "New Year" }
	r.Desk, err = New(program, st,
		Options{Role: func(id int64) (store.Admin, bool) { return store.Admin{ID: id, Owner: id == 8}, true },
			Offers: video.NewOffers(video.Offer{ID: "new-year", Title: title}), Lang: "en", Attempts: 3,
			Ready: func(context.Context) []string { return nil }, Stuck: func() []string { return nil },
			Free: func() (int64, error) {
				return 38e9,
					nil
			}, Staff: Staff{Owners: []int64{8}}, Templates: os.DirFS("../../web/templates"), Static: noFiles{},
			Retrier: r.out, Forecast: r.out, Load: r.out, Remover: r.out, Feed: r.out,
			Platforms: r.out, Published: r.out, Consent: r.out, Channels: r.out,
			Resume: func(ctx context.Context, _ []store.Update) {
				r.out.call(ctx, "resume")
			}}, slog.New(slog.NewTextHandler(&r.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

type noFiles struct{}

func (noFiles) Open(string) (fs.File, error) { return nil, fs.ErrNotExist }

// mutate changes the database as nobody should.
func (r *rig) mutate(query string, args ...any) {
	r.Helper()
	if err := r.try(query, args...); err != nil {
		r.Fatalf("%s: %v", query, err)
	}
}

func (r *rig) try(query string, args ...any) error {
	d, err := sql.Open("sqlite", r.path)
	if err != nil {
		return err
	}
	defer d.Close()
	_, err = d.Exec(query, args...)
	return err
}

// number returns what a query counts.
func (r *rig) number(query string, args ...any) (n int) {
	r.Helper()
	d, err := sql.Open("sqlite", r.path)
	if err != nil {
		r.Fatal(err)
	}
	defer d.Close()
	if err := d.QueryRow(query, args...).Scan(&n); err != nil {
		r.Fatalf("%s: %v", query, err)
	}
	return n
}

// finished adds a finished video that an admin has made, and returns its id.
func (r *rig) finished(admin int64, name string) string {
	r.Helper()
	id := store.NewID()
	r.mutate(`INSERT INTO assets (id, name, name_key, template, lang, origin, creator, status,
			file, thumb, size, duration, width, height, created, finished)
		VALUES (?, ?, ?, '', 'en', 'UPLOAD', ?, 'COMPLETED', 'x.mp4', 'x.jpg', 1000, 500, 90, 160, 1700000000000,
			1700000001000)`, id, name, strings.ToLower(name), admin)
	return id
}

// published adds a publication of a video.
func (r *rig) published(asset, platform string) {
	r.Helper()
	r.mutate(`INSERT INTO publications (asset_id, platform, creator, created, status, remote_id, remote_url, completed)
		VALUES (?, ?, 8, 1700000002000, 'COMPLETED', 'abc', 'https://example.com/abc', 1700000003000)`, asset, platform)
}

// sent is a request.
type sent struct {
	method, path, body string
	id                 string // in the path
	json               bool
	ctx                context.Context // nil: it does not end
	admin              int64           // no owner; 0: the owner 8
}

// do lets a handler answer, and Fail if there is an error.
func (r *rig) do(h Handler, s sent) *httptest.ResponseRecorder {
	r.Helper()
	ctx := s.ctx
	if ctx == nil {
		ctx = r.Context()
	}
	if s.method == "" {
		s.method = http.MethodPost
	}
	if s.path == "" {
		s.path = "/"
	}
	admin := store.Admin{ID: 8, Owner: true}
	if s.admin != 0 {
		admin = store.Admin{ID: s.admin}
	}
	ctx = context.WithValue(ctx, visitorKey{}, visitor{admin: admin})
	req := httptest.NewRequestWithContext(ctx, s.method, s.path, strings.NewReader(s.body))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept-Language", "en")
	if s.json {
		req.Header.Set("Accept", "application/json")
	}
	req.SetPathValue("id", s.id)
	w := httptest.NewRecorder()
	if err := h(w, req); err != nil {
		r.Desk.Fail(w, req, err, false)
	}
	return w
}

// signed lets a handler answer a request with a session.
func (r *rig) signed(token string, h Handler, json bool) *httptest.ResponseRecorder {
	r.Helper()
	req := httptest.NewRequestWithContext(r.Context(), http.MethodGet, "/", nil)
	req.AddCookie(&http.Cookie{Name: r.cookie, Value: token})
	if json {
		req.Header.Set("Accept", "application/json")
	}
	w := httptest.NewRecorder()
	if err := r.SignedIn(h)(w, req); err != nil {
		r.Desk.Fail(w, req, err, false)
	}
	return w
}
