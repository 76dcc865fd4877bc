// The studio against the stand-ins for YouTube and Rumble, with everything else real: consent, publishing, editing,
// deleting, and a program that is killed while it uploads.

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"retake.example/internal/config"
	"retake.example/internal/desk"
	fakerumble "retake.example/internal/fake/rumble"
	fakeyoutube "retake.example/internal/fake/youtube"
	"retake.example/internal/media"
	"retake.example/internal/publish"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/video"
	"retake.example/internal/worker"
	"retake.example/internal/youtube"
)

const rumbleToken = "0123456789012345678901234567890123456789"

// broadcaster is a data folder with a studio, and the stand-ins that it publishes on.
type broadcaster struct {
	*testing.T
	dir     string
	cfg     config.Config
	store   *store.Store
	files   media.Store
	queue   *Queue
	sites   *publish.Sites
	talk    *telegram.Talk // nil: the bot is off
	studio  *publish.Studio
	tube    *fakeyoutube.Server
	rumbles *fakerumble.Server
	log     *journal
	address string       // of the stand-ins
	config  string       // path of config.toml
	ahead   atomic.Int64 // ns that the program's clock is ahead, so that nobody waits for YouTube to be asked again
}

// newBroadcaster prepares one. meet sees every request to the stand-in for YouTube before it does; nil: nobody does.
func newBroadcaster(t *testing.T, meet func(http.ResponseWriter, *http.Request)) *broadcaster {
	t.Helper()
	b := &broadcaster{T: t, dir: t.TempDir(), log: &journal{}}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	b.address = server.URL
	b.tube = fakeyoutube.New(fakeyoutube.Options{ClientID: "client", ClientSecret: "client-secret", BaseURL: server.URL + "/google", Processing: time.Millisecond})
	var err error
	if b.rumbles, err = fakerumble.New(fakerumble.Options{AccessToken: rumbleToken, BaseURL: server.URL + "/rumble"}); err != nil {
		t.Fatal(err)
	}
	tube := http.StripPrefix("/google", b.tube)
	mux.HandleFunc("/google/", func(w http.ResponseWriter, r *http.Request) {
		if meet != nil {
			meet(w, r)
		}
		tube.ServeHTTP(w, r)
	})
	mux.Handle("/rumble/", http.StripPrefix("/rumble", b.rumbles))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		b.tube.Close()
		b.rumbles.Close()
	})
	b.config = filepath.Join(b.dir, "config.toml")
	text := fmt.Sprintf(`data_dir = %q
[web]
listen = "127.0.0.1:0"
base_url = "http://localhost:8080"
[queue]
backoff = "20ms"
[youtube]
client_id = "client"
client_secret = "client-secret"
base_url = "%[2]s/google"
auth_url = "%[2]s/google/o/oauth2/v2/auth"
token_url = "%[2]s/google/token"
watch_url = "%[2]s/google/watch?v="
[rumble]
access_token = %[3]q
base_url = "%[2]s/rumble"
`, b.dir, server.URL, rumbleToken)
	if err := os.WriteFile(b.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if b.cfg, err = LoadConfig(b.config, nil); err != nil {
		t.Fatal(err)
	}
	b.open()
	return b
}

// equip prepares the studio and a queue that does not run, with these files.
func (b *broadcaster) equip(files media.Store) {
	b.Helper()
	var err error
	if b.sites, err = publish.NewSites(b.store, files, b.cfg, b.talk); err != nil {
		b.Fatal(err)
	}
	b.files = files
	b.queue = NewQueue(b.store, nil, nil, files, Options{Attempts: 3, Backoff: func(int) time.Duration { return 10 * time.Millisecond }, Sites: b.sites.Platforms()},
		slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	b.studio = publish.NewStudio(b.sites, b.queue, b.cfg)
}

// open opens the store and prepares the studio with a queue that does not run.
func (b *broadcaster) open() {
	b.Helper()
	var err error
	if b.store, err = openStore(filepath.Join(b.dir, "retake.db")); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { b.store.Close() })
	setNow(b.store, func() time.Time { return time.Now().Add(time.Duration(b.ahead.Load())) })
	files, err := media.OpenDisk(filepath.Join(b.dir, "media"))
	if err != nil {
		b.Fatal(err)
	}
	b.equip(files)
	var picture bytes.Buffer
	if err := jpeg.Encode(&picture, image.NewGray(image.Rect(0, 0, 64, 36)), nil); err != nil {
		b.Fatal(err)
	}
	b.shelve("A.jpg", picture.Bytes())
}

// run lets the queue work until stop is called, or the test is over.
func (b *broadcaster) run() (stop func()) {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.queue.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	b.Cleanup(stop)
	return stop
}

// consents goes to Google's page and allows access to its channel with that number, or denies it when that is negative.
func (b *broadcaster) consents(session [32]byte, channel int64, choose int) (store.Channel, error) {
	b.Helper()
	ask, err := b.studio.Ask(b.Context(), session, channel)
	if err != nil {
		b.Fatal(err)
	}
	form := url.Values{"decision": {"deny"}}
	if choose >= 0 {
		r, err := http.Get(ask)
		if err != nil {
			b.Fatal(err)
		}
		page, _ := io.ReadAll(r.Body)
		r.Body.Close()
		var ids []string
		for _, part := range strings.Split(string(page), `name="channel" value="`)[1:] {
			id, _, _ := strings.Cut(part, `"`)
			ids = append(ids, id)
		}
		if choose >= len(ids) {
			b.Fatalf("got channels %v of %s; want more than %d", ids, page, choose)
		}
		form = url.Values{"decision": {"allow"}, "channel": {ids[choose]}}
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := client.PostForm(ask, form)
	if err != nil {
		b.Fatal(err)
	}
	r.Body.Close()
	to, err := r.Location()
	if err != nil || to.Path != "/channels/callback" {
		b.Fatalf("got %v, %v; want the way back", to, err)
	}
	return b.studio.Answer(b.Context(), session, to.Query(), owner8)
}

// connect connects the first channel.
func (b *broadcaster) connect() store.Channel {
	b.Helper()
	c, err := b.consents([32]byte{1}, 0, 0)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// film puts a video of random bytes on the shelf, once, and returns the sum of its bytes.
func (b *broadcaster) film(key string, size int) (sum string) {
	b.Helper()
	content := make([]byte, size)
	rand.NewChaCha8([32]byte{7}).Read(content)
	return b.shelve(key, content)
}

// shelve puts a file on the shelf.
func (b *broadcaster) shelve(key string, content []byte) (sum string) {
	b.Helper()
	path := filepath.Join(b.TempDir(), key)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		b.Fatal(err)
	}
	if err := b.files.Put(b.Context(), key, path, nil); err != nil {
		b.Fatal(err)
	}
	h := sha256.Sum256(content)
	return hex.EncodeToString(h[:])
}

// video makes a finished video of admin 8 with that file and a picture.
func (b *broadcaster) video(file string, size int) (assetID string) {
	b.Helper()
	eight := int64(8)
	a := store.Asset{ID: store.NewID(), Name: "Лето", NameKey: "лето", Lang: "ru", Creator: &eight,
		Video: store.Video{File: file, Thumb: "A.jpg", Size: int64(size), Duration: time.Second, Width: 4, Height: 2}}
	write(b, b.store, func(tx *store.Tx) error { return tx.AddUpload(a) })
	return a.ID
}

var described = store.Metadata{Title: "A greeting from Santa", Description: "С Новым годом!", Tags: "new year, ёлка", Language: "ru", Kids: "yes", Privacy: "unlisted",
	Category: "24", Synthetic: "no", Notify: "no"}

func (b *broadcaster) publishes(assetID string, p store.Publication) {
	b.Helper()
	p.Creator, p.Metadata = 8, described
	if p.Platform == "RUMBLE" { // which knows nothing else
		p.Metadata.Privacy = "public"
	}
	write(b, b.store, func(tx *store.Tx) error { return tx.Publish(assetID, p) })
}

// trouble switches a fault of a stand-in.
func (b *broadcaster) trouble(platform, fault string, on bool) {
	b.Helper()
	if platform == "YOUTUBE" {
		b.tube.SetFault(fault, on)
		return
	}
	for _, f := range b.rumbles.Faults() {
		if f.ID == fault {
			f.Set(on)
			return
		}
	}
	b.Fatalf("there is no fault %s", fault)
}

// becomes waits until the publication of an asset on a platform has a status and step.
func (b *broadcaster) becomes(assetID, platform, want string) (p store.Publication) {
	b.Helper()
	patience := newProgress(b)
	changed := make(chan struct{}, 1)
	defer b.queue.View(func(string, int) { worker.Nudge(changed) })()
	for {
		all, err := b.store.Publications(b.Context(), assetID)
		if err != nil {
			b.Fatal(err)
		}
		for _, p = range all[assetID] {
			if p.Platform == platform && fmt.Sprintf("%s %s", p.Status, p.Step) == want {
				return p
			}
			if p.Step == "processing" && p.Due.After(b.store.Now()) {
				b.ahead.Add(int64(time.Minute))
				b.queue.Wake()
			}
		}
		select {
		case <-changed:
			patience.Changed()
		case <-patience.Done():
			b.Fatalf("got %+v; want %s", all[assetID], want)
		}
	}
}

func TestAVideoGoesToYouTubeAndRumble(t *testing.T) {
	b := newBroadcaster(t, nil)
	c := b.connect()
	sum := b.film("V.mp4", 3<<20)
	id := b.video("V.mp4", 3<<20)
	b.publishes(id, store.Publication{Platform: "YOUTUBE", Channel: c.ID})
	b.publishes(id, store.Publication{Platform: "RUMBLE"})
	b.run()
	p := b.becomes(id, "RUMBLE", "COMPLETED ")
	if v := b.rumbles.Videos(); len(v) != 1 || v[0].SHA256 != sum || v[0].URL != p.Upload.URL || v[0].Title != described.Title {
		t.Errorf("got %+v at Rumble, %+v here; want the video and its address", v, p)
	}
	p = b.becomes(id, "YOUTUBE", "COMPLETED ")
	v := b.tube.Videos()
	if len(v) != 1 || v[0].SHA256 != sum || v[0].URL != p.Upload.URL || v[0].Title != described.Title || v[0].Privacy != "unlisted" || v[0].Category != "24" ||
		v[0].Kids == nil || !*v[0].Kids || v[0].Synthetic == nil || *v[0].Synthetic || v[0].Notify || v[0].ThumbSize == 0 || p.Upload.Warning != "" {
		t.Fatalf("got %+v, %+v; want it as it was described", v, p)
	}

	// It is changed, and deleted.
	m := described
	m.Title, m.Privacy, m.Kids = "Another title", "private", "no"
	write(t, b.store, func(tx *store.Tx) error { return tx.SaveMetadata(id, m) })
	for _, c := range []struct {
		admin store.Admin
		id    string
		on    string
		want  error
	}{{store.Admin{ID: 7}, id, "YOUTUBE", store.ErrForbidden}, {owner8, store.NewID(), "YOUTUBE", store.ErrNotFound}, {owner8, id, "RUMBLE", publish.ErrNoChange}, {owner8, id, "YOUTUBE", nil}} {
		if err := b.studio.Update(t.Context(), c.id, c.on, publish.KeepNone, c.admin); !errors.Is(err, c.want) {
			t.Errorf("%+v: got %v; want %v", c, err, c.want)
		}
	}
	if v = b.tube.Videos(); v[0].Title != m.Title || v[0].Privacy != "private" || *v[0].Kids || v[0].Category != "24" {
		t.Errorf("got %+v; want what was saved", v[0])
	}
	if all, err := b.store.Publications(t.Context(), id); err != nil || all[id][0].Metadata != m {
		t.Errorf("got %+v, %v; want what it is published with now", all[id][0].Metadata, err)
	}
	if _, err := b.studio.Remove(t.Context(), id, "YOUTUBE", store.Admin{ID: 7}); !errors.Is(err, store.ErrForbidden) || len(b.tube.Videos()) != 1 {
		t.Errorf("got %v; want %v, and the video there", err, store.ErrForbidden)
	}
	for _, platform := range []string{"YOUTUBE", "RUMBLE"} {
		if deleted, err := b.studio.Remove(t.Context(), id, platform, owner8); err != nil || deleted != (platform == "YOUTUBE") {
			t.Errorf("%s: got %v, %v; want it deleted where that can be done", platform, deleted, err)
		}
	}
	if n := count(t, b.store, `SELECT count(*) FROM publications`); n != 0 || len(b.tube.Videos()) != 0 {
		t.Errorf("got %d publications, %d videos at YouTube; want none", n, len(b.tube.Videos()))
	}
	b.tellsNoSecret()
}

// pages are the pages that tell of publications and channels, as people and programs see them.
func (b *broadcaster) pages() (all string) {
	b.Helper()
	web := NewWeb(b.Context(), b.store, b.queue, b.files, desk.Options{BaseURL: b.cfg.Web.BaseURL, Offers: video.NewOffers(newYear...), Role: func(id int64) (store.Admin, bool) { return owner8, id == 8 },
		Ready: func(context.Context) []string { return nil }, Free: func() (int64, error) { return 1 << 30, nil }, Platforms: b.studio, Published: b.studio, Consent: b.studio, Channels: b.studio},
		slog.New(slog.NewTextHandler(b.log, nil)))
	defer web.Close()
	session := newToken()
	write(b, b.store, func(tx *store.Tx) error {
		if err := tx.SaveLink(hashOf("link"), 8, tx.Now().Add(time.Minute)); err != nil {
			return err
		}
		_, err := tx.SpendLink(hashOf("link"), hashOf(session))
		return err
	})
	paths := []string{"/", "/channels", "/activity", "/settings", "/retry-all"}
	for _, id := range ids(b, b.store) {
		paths = append(paths, "/assets/"+id, "/assets/"+id+"/publish", "/assets/"+id+"/delete", "/assets/"+id+"/unpublish?platform=YOUTUBE")
	}
	seen := 0
	for _, path := range paths {
		for _, accept := range []string{"text/html", "application/json"} {
			r := httptest.NewRequest("GET", path, nil)
			r.Header.Set("Accept", accept)
			r.AddCookie(&http.Cookie{Name: desk.CookieName(b.store.Path(), b.cfg.Web.BaseURL), Value: session})
			w := httptest.NewRecorder()
			web.Handler().ServeHTTP(w, r)
			if w.Code == http.StatusOK {
				seen++
			}
			all += w.Body.String()
		}
	}
	if seen < 10 {
		b.Errorf("got %d pages of %d; want to have looked at them", seen, 2*len(paths))
	}
	return all
}

func ids(t testing.TB, s *store.Store) []string {
	t.Helper()
	all, err := texts(t, s, `SELECT id FROM assets`)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestWhatIsNoLongerForEverybodyHasNoTime changes who may see a video that waits on YouTube for its time.
func TestWhatIsNoLongerForEverybodyHasNoTime(t *testing.T) {
	b := newBroadcaster(t, nil)
	c := b.connect()
	b.film("V.mp4", 1<<20)
	id, m := b.video("V.mp4", 1<<20), described
	m.Privacy = "public"
	at := time.Now().Add(30 * 24 * time.Hour).Truncate(time.Second)
	write(t, b.store, func(tx *store.Tx) error {
		return tx.Publish(id, store.Publication{Platform: "YOUTUBE", Channel: c.ID, Creator: 8, Metadata: m, PublishAt: at})
	})
	b.run()
	p := b.becomes(id, "YOUTUBE", "COMPLETED ")
	if v := b.tube.Videos()[0]; v.Privacy != "private" || !v.PublishAt.Equal(at) || !desk.NewPublication(p, 1, 3, b.store.Now()).Ahead {
		t.Fatalf("got %+v; want it to wait for its time", v)
	}
	for _, privacy := range []string{"private", "unlisted"} {
		m.Privacy = privacy
		write(t, b.store, func(tx *store.Tx) error { return tx.SaveMetadata(id, m) })
		if err := b.studio.Update(t.Context(), id, "YOUTUBE", publish.KeepNone, owner8); err != nil {
			t.Fatal(err)
		}
		if v := b.tube.Videos()[0]; v.Privacy != privacy || !v.PublishAt.IsZero() {
			t.Errorf("got %+v; want it %s permanently", v, privacy)
		}
		if p := b.becomes(id, "YOUTUBE", "COMPLETED "); desk.NewPublication(p, 1, 3, b.store.Now()).Ahead || !p.PublishAt.IsZero() {
			t.Errorf("%s: got it scheduled; want it not to be", privacy)
		}
	}
	m.Kids = ""
	write(t, b.store, func(tx *store.Tx) error { return tx.SaveMetadata(id, m) })
	if err := b.studio.Update(t.Context(), id, "YOUTUBE", publish.KeepNone, owner8); !errors.Is(err, publish.ErrKidsOpen) {
		t.Errorf("got %v; want the choice to be made first", err)
	}
}

// TestWhatIsNoLongerForEverybodyIsNotSentToRumble tries a publication again after its video was made private.
func TestWhatIsNoLongerForEverybodyIsNotSentToRumble(t *testing.T) {
	b := newBroadcaster(t, nil)
	b.film("V.mp4", 1<<20)
	id, m := b.video("V.mp4", 1<<20), described
	b.trouble("RUMBLE", "refused", true)
	b.publishes(id, store.Publication{Platform: "RUMBLE"})
	b.run()
	b.becomes(id, "RUMBLE", "FAILED edit")
	b.trouble("RUMBLE", "refused", false)
	for _, privacy := range []string{"private", "public"} {
		m.Privacy = privacy
		write(t, b.store, func(tx *store.Tx) error { return tx.SaveMetadata(id, m) })
		if _, err := b.queue.Retry(t.Context(), id, retry.AdminClicked{Admin: owner8, Platform: "RUMBLE"}); err != nil {
			t.Fatal(err)
		}
		if privacy == "private" {
			if p := b.becomes(id, "RUMBLE", "FAILED edit"); !strings.Contains(p.Error, "refused-privacy") || len(b.rumbles.Videos()) != 0 {
				t.Fatalf("got %+v and %d videos; want it refused", p, len(b.rumbles.Videos()))
			}
		}
	}
	b.becomes(id, "RUMBLE", "COMPLETED ")
}

// tellsNoSecret looks for tokens and addresses of sessions where they must not be.
func (b *broadcaster) tellsNoSecret() {
	b.Helper()
	texts := b.log.String() + b.pages()
	for _, query := range []string{
		`SELECT ifnull(group_concat(ifnull(error, '') || ifnull(warning, '') || step || metadata), '') FROM publications`,
		`SELECT ifnull(group_concat(ifnull(error, '')), '') FROM attempts`,
		`SELECT ifnull(group_concat(action || outcome), '') FROM audit`,
		`SELECT ifnull(group_concat(ifnull(error, '') || title || CAST(token AS TEXT)), '') FROM channels`,
	} {
		texts += text(b, b.store, query)
	}
	for _, end := range []string{"", "-wal"} { // and so in every backup
		if file, err := os.ReadFile(b.store.Path() + end); err != nil || bytes.Contains(file, []byte("upload_id")) {
			b.Errorf("retake.db%s: got %v, or the address of an upload; want it sealed", end, err)
		}
	}
	for _, secret := range []string{"ya29", "1//", "upload_id", "client-secret", rumbleToken, "Bearer"} {
		if strings.Contains(texts, secret) {
			b.Errorf("%q stands in %s", secret, texts)
		}
	}
}

func TestEveryTroubleOfThePlatforms(t *testing.T) {
	for name, c := range map[string]struct {
		platform, fault string
		state           string // at the end, with the fault on
		attempts        int    // that were spent
		after           string // when the fault is off, and after Retry where that is needed
	}{
		"YouTube is unavailable":                  {"YOUTUBE", "unavailable", "waits", 0, "COMPLETED "},
		"its token is not taken":                  {"YOUTUBE", "badtoken", "FAILED reconnect", 1, "COMPLETED "},
		"access was taken back":                   {"YOUTUBE", "revoked", "FAILED reconnect", 1, ""},
		"the app's day is over":                   {"YOUTUBE", "quota", "PENDING quota", 0, ""},
		"the channel's day is over":               {"YOUTUBE", "limit", "PENDING limit", 0, ""},
		"the last answer is lost":                 {"YOUTUBE", "lost", "COMPLETED ", 0, "COMPLETED "},
		"a connection breaks in the middle":       {"YOUTUBE", "cut", "FAILED ", 3, "COMPLETED "},
		"YouTube rejects the video":               {"YOUTUBE", "rejected", "FAILED rejected", 1, "COMPLETED "},
		"the picture is not taken":                {"YOUTUBE", "thumbnail", "COMPLETED ", 0, "COMPLETED "},
		"it becomes private, whatever was wished": {"YOUTUBE", "private", "COMPLETED ", 0, "COMPLETED "},
		"Rumble is unavailable":                   {"RUMBLE", "unavailable", "waits", 0, "COMPLETED "},
		"Rumble's token is not taken":             {"RUMBLE", "badtoken", "FAILED account", 1, "COMPLETED "},
		"Rumble refuses the title":                {"RUMBLE", "refused", "FAILED edit", 1, "COMPLETED "},
		"Rumble's answer is lost":                 {"RUMBLE", "lost", "FAILED unknown", 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBroadcaster(t, nil)
			channel := b.connect()
			b.film("V.mp4", 2<<20)
			id := b.video("V.mp4", 2<<20)
			b.trouble(c.platform, c.fault, true)
			p := store.Publication{Platform: c.platform}
			if c.platform == "YOUTUBE" {
				p.Channel = channel.ID
			}
			b.publishes(id, p)
			b.run()
			if c.state == "waits" {
				p = b.waits(id)
			} else {
				p = b.becomes(id, c.platform, c.state)
			}
			if n := count(t, b.store, `SELECT count(*) FROM attempts WHERE kind = 'PUBLISH' AND outcome IN ('rescheduled', 'gave_up')`); n != c.attempts && c.fault != "lost" {
				t.Errorf("got %d attempts; want %d", n, c.attempts)
			}
			if warned := p.Upload.Warning != ""; warned != (c.fault == "thumbnail" || c.fault == "private") {
				t.Errorf("got the warning %q", p.Upload.Warning)
			}
			videos := func() int {
				if c.platform == "YOUTUBE" {
					return len(b.tube.Videos())
				}
				return len(b.rumbles.Videos())
			}
			want := 1
			if c.after != "" {
				b.trouble(c.platform, c.fault, false)
				if c.state == "waits" {
					b.ahead.Add(int64(time.Hour))
					b.queue.Wake()
				}
				if p.Status == store.Failed {
					if out, err := b.queue.Retry(t.Context(), id, retry.AdminClicked{Admin: owner8, Platform: c.platform}); err != nil || out != retry.Restarted {
						t.Fatalf("got %s, %v; want %s", out, err, retry.Restarted)
					}
				}
				b.becomes(id, c.platform, c.after)
				if c.fault == "rejected" {
					want = 2
				}
			} else if c.fault != "lost" {
				want = 0
			}
			if n := videos(); n != want {
				t.Errorf("got %d videos; want %d", n, want)
			}
			b.tellsNoSecret()
		})
	}
}

func TestRevokedAndReconnected(t *testing.T) {
	b := newBroadcaster(t, nil)
	channel := b.connect()
	b.film("V.mp4", 1<<20)
	var ids []string
	for range 4 {
		id := b.video("V.mp4", 1<<20)
		b.publishes(id, store.Publication{Platform: "YOUTUBE", Channel: channel.ID})
		ids = append(ids, id)
	}
	b.tube.SetFault("revoked", true)
	b.run()
	for _, id := range ids {
		b.becomes(id, "YOUTUBE", "FAILED reconnect")
	}
	b.tube.SetFault("revoked", false)
	session := [32]byte{2}
	if _, err := b.consents(session, channel.ID, -1); !errors.Is(err, youtube.ErrDenied) {
		t.Errorf("got %v; want %v", err, youtube.ErrDenied)
	}
	_, err := b.consents(session, channel.ID, 1)
	if r, ok := errors.AsType[*publish.OtherChannel](err); !ok || r.Want != channel.Title || r.Got == channel.Title || r.Got == "" {
		t.Errorf("got %+v; want another channel refused by name", err)
	}
	if n := count(t, b.store, `SELECT count(*) FROM channels`); n != 1 {
		t.Errorf("got %d channels; want 1", n)
	}
	if again, err := b.consents(session, channel.ID, 0); err != nil || again.ID != channel.ID {
		t.Fatalf("got %+v, %v; want the earlier channel", again, err)
	}
	for _, id := range ids {
		b.becomes(id, "YOUTUBE", "COMPLETED ")
	}
	if n := len(b.tube.Videos()); n != 4 {
		t.Errorf("got %d videos; want 4", n)
	}

	// Disconnected: the token is gone, and what is wished for fails with a button.
	if err := b.studio.Disconnect(t.Context(), channel.ID, owner8); err != nil {
		t.Error(err)
	}
	if n := count(t, b.store, `SELECT count(*) FROM channels WHERE token IS NOT NULL`); n != 0 {
		t.Error("the token is still there")
	}
	id := b.video("V.mp4", 1<<20)
	b.publishes(id, store.Publication{Platform: "YOUTUBE", Channel: channel.ID})
	b.becomes(id, "YOUTUBE", "FAILED reconnect")
	b.connect()
	b.becomes(id, "YOUTUBE", "COMPLETED ")
	b.tellsNoSecret()
}

func TestAnotherKeyMeansAnotherConsent(t *testing.T) {
	b := newBroadcaster(t, nil)
	channel := b.connect()
	if err := b.studio.Check(t.Context(), channel.ID, owner8); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(b.dir, "token.key")); err != nil {
		t.Fatal(err)
	}
	b.open()
	err := b.studio.Check(t.Context(), channel.ID, owner8)
	if c, err2 := b.store.Channel(t.Context(), channel.ID); err == nil || err2 != nil || c.State != "ENDED" || !strings.Contains(c.Error, "another key") {
		t.Errorf("got %v, %+v, %v; want its access ended, with the reason", err, c, err2)
	}
}

// settles waits until the publication of an asset is published by another process.
func (b *broadcaster) settles(assetID string) {
	b.Helper()
	err := until(b, func() bool { state, _ := stands(b, b.store, assetID); return state == "COMPLETED " },
		func() string { return fmt.Sprint(b.tube.BytesIn(), b.log) })
	if err != nil {
		state, problem := stands(b, b.store, assetID)
		b.Fatalf("got %s (%s); want it published: %v; %s", state, problem, err, b.log)
	}
}

// deadly is a body whose reader strikes when so many bytes of all of them have been read.
type deadly struct {
	io.ReadCloser
	left   *atomic.Int64
	strike func()
}

func (d deadly) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	if left := d.left.Add(-int64(n)); left <= 0 && left+int64(n) > 0 {
		d.strike()
	}
	return n, err
}
