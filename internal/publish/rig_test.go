// What the tests share: sites on a real database, with the stand-ins of all platforms behind one server that can answer
// in their place.

package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
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

	tg "github.com/go-telegram/bot"

	"retake.example/internal/config"
	fakerumble "retake.example/internal/fake/rumble"
	faketelegram "retake.example/internal/fake/telegram"
	fakeyoutube "retake.example/internal/fake/youtube"
	"retake.example/internal/media"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
)

const (
	token     = "1000:secret"
	newsID    = int64(-1001234567890)
	videoSize = 3000
)

var owner = store.Admin{ID: 8, Owner: true}

var greeting = store.Metadata{Title: "A greeting", Description: "С Новым годом!", Tags: "new year, ёлка",
	Language: "ru", Kids: "no", Privacy: "public", Category: "22", Synthetic: "no", Notify: "no"}

// rig is a studio and all that is around it.
type rig struct {
	*testing.T
	store   *store.Store
	sites   *Sites
	studio  *Studio
	tube    *fakeyoutube.Server
	rumbles *fakerumble.Server
	chats   *faketelegram.Server
	news    *faketelegram.Group
	person  *faketelegram.Person
	ahead   atomic.Int64 // ns that the clock is ahead

	mu    sync.Mutex
	meets func(w http.ResponseWriter, r *http.Request) (answered bool) // sees every call first; nil: nobody does
	tries []retry.Cause
}

// newRig returns one, with settings that change has changed.
func newRig(t *testing.T, change ...func(*config.Config)) *rig {
	r := &rig{T: t}
	mux := http.NewServeMux()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		meets := r.meets
		r.mu.Unlock()
		if meets == nil || !meets(w, q) {
			mux.ServeHTTP(w, q)
		}
	}))
	r.tube = fakeyoutube.New(fakeyoutube.Options{ClientID: "client", ClientSecret: "secret",
		BaseURL: server.URL + "/google", Processing: time.Millisecond})
	var err error
	r.rumbles, err = fakerumble.New(fakerumble.Options{AccessToken: strings.Repeat("r", 40),
		BaseURL: server.URL + "/rumble"})
	r.must(err)
	r.chats = faketelegram.New(token)
	r.person, r.news = r.chats.Person(8, "Owner", "en"), r.chats.Channel(newsID, "News")
	r.news.SetName("good_news")
	mux.Handle("/google/", http.StripPrefix("/google", r.tube))
	mux.Handle("/rumble/", http.StripPrefix("/rumble", r.rumbles))
	mux.Handle("/bot"+token+"/", r.chats)
	schema, err := os.ReadFile("../../schema.sql")
	r.must(err)
	dir := t.TempDir()
	r.store, err = store.Open(filepath.Join(dir, "retake.db"), store.Options{Schema: string(schema),
		Now: func() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) }})
	r.must(err)
	files, err := media.OpenDisk(filepath.Join(dir, "media"))
	r.must(err)
	path := filepath.Join(dir, "v")
	r.must(os.WriteFile(path, make([]byte, videoSize), 0o600))
	r.must(files.Put(t.Context(), "V.mp4", path, nil))
	api, err := tg.New(token, tg.WithSkipGetMe(), tg.WithServerURL(server.URL), tg.WithHTTPClient(0, telegram.NewClient()))
	r.must(err)
	talk := telegram.Talk{API: api, Gate: telegram.NewGate(time.Millisecond)}
	var cfg config.Config
	cfg.DataDir = dir
	cfg.Telegram.MaxUploadMB = 50
	cfg.YouTube.ClientID, cfg.YouTube.ClientSecret, cfg.YouTube.BaseURL = "client", "secret", server.URL+"/google"
	cfg.YouTube.AuthURL, cfg.YouTube.TokenURL = server.URL+"/google/o/oauth2/v2/auth", server.URL+"/google/token"
	cfg.YouTube.WatchURL, cfg.YouTube.TokenKey = server.URL+"/google/watch?v=", "a key of thirty-two characters.."
	cfg.YouTube.UploadsPerDay = 100
	cfg.Rumble.AccessToken, cfg.Rumble.BaseURL = strings.Repeat("r", 40), server.URL+"/rumble"
	cfg.Web.BaseURL = "http://localhost"
	for _, change := range change {
		change(&cfg)
	}
	r.sites, err = NewSites(r.store, files, cfg, &talk)
	r.must(err)
	r.studio = NewStudio(r.sites, r, cfg)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		r.tube.Close()
		r.rumbles.Close()
		r.chats.Close()
		r.store.Close()
	})
	return r
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) write(fn func(tx *store.Tx) error) {
	r.Helper()
	r.must(r.store.Tx(r.Context(), fn))
}

// Retry stands for the queue: it begins a publication again.
func (r *rig) Retry(ctx context.Context, assetID string, why retry.Cause) (out retry.Outcome, err error) {
	r.tries = append(r.tries, why)
	err = r.store.Tx(ctx, func(tx *store.Tx) error {
		switch why := why.(type) {
		case retry.AdminClicked:
			out, err = retry.RestartPublication(tx, assetID, why.Platform, why.Admin, false)
		case retry.Reconnected:
			out, err = retry.RestartPublication(tx, assetID, why.Platform, why.Admin, true)
		}
		return err
	})
	return out, err
}

func (r *rig) Reconnected(ctx context.Context, admin store.Admin) error {
	ended, err := r.store.Reconnected(ctx)
	for _, e := range ended {
		_, failed := r.Retry(ctx, e.AssetID, retry.Reconnected{Admin: admin, Platform: e.Platform})
		err = errors.Join(err, failed)
	}
	return err
}

func (r *rig) Discard(context.Context, store.Deleted) {}

// intercept lets a function answer in place of the stand-ins, until it is called again.
func (r *rig) intercept(meets func(w http.ResponseWriter, r *http.Request) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.meets = meets
}

// connect connects the channel of a platform; 0: it has none.
func (r *rig) connect(platform string) int64 {
	r.Helper()
	switch platform {
	case "TELEGRAM":
		c, err := r.studio.Join(r.Context(), "TELEGRAM", "@good_news", owner)
		r.must(err)
		return c.ID
	case "RUMBLE":
		return 0
	}
	ask, err := r.studio.Ask(r.Context(), [32]byte{1}, 0)
	r.must(err)
	page, err := http.Get(ask)
	r.must(err)
	text, _ := io.ReadAll(page.Body)
	page.Body.Close()
	_, rest, _ := strings.Cut(string(text), `name="channel" value="`)
	id, _, _ := strings.Cut(rest, `"`)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.PostForm(ask, url.Values{"decision": {"allow"}, "channel": {id}})
	r.must(err)
	answer.Body.Close()
	back, err := answer.Location()
	r.must(err)
	c, err := r.studio.Answer(r.Context(), [32]byte{1}, back.Query(), owner)
	r.must(err)
	return c.ID
}

// video makes a finished video.
func (r *rig) video() (assetID string) {
	r.Helper()
	a := store.Asset{ID: store.NewID(), Name: "Лето", NameKey: "лето", Lang: "ru", Creator: &owner.ID, Metadata: greeting,
		Video: store.Video{File: "V.mp4", Size: videoSize, Duration: time.Second, Width: 4, Height: 2}}
	r.write(func(tx *store.Tx) error {
		if err := tx.AddUpload(a); err != nil {
			return err
		}
		return tx.SaveMetadata(a.ID, greeting)
	})
	return a.ID
}

// owe owes a video to a platform, at once or at a time.
func (r *rig) owe(platform string, channel int64, at time.Time) (assetID string) {
	r.Helper()
	id, step := r.video(), ""
	if place, _ := PlaceOf(platform); !place.Times && !at.IsZero() {
		step = "scheduled"
	}
	r.write(func(tx *store.Tx) error {
		return tx.Publish(id, store.Publication{Platform: platform, Channel: channel, Creator: owner.ID, Step: step,
			Metadata: greeting, PublishAt: at})
	})
	return id
}

// work runs the publication that is due as far as the queue would in one attempt; ErrNotFound: none is due.
func (r *rig) work() error {
	var tasks []store.Task
	r.write(func(tx *store.Tx) (err error) { tasks, err = tx.Claim(store.Publish, false, 1); return err })
	if len(tasks) == 0 {
		return store.ErrNotFound
	}
	t := tasks[0]
	for {
		again, err := r.sites.Platforms()[t.Publication.Platform].Publish(r.Context(), t, func(u store.Upload) error {
			t.Publication.Upload = u
			return r.store.Tx(r.Context(), func(tx *store.Tx) error { return tx.KeepUpload(t.Job, u) })
		})
		switch {
		case err != nil:
			step := ""
			if of, ok := errors.AsType[retry.Trouble](err); ok {
				step = of.Step()
			}
			r.write(func(tx *store.Tx) error { return tx.GiveUp(t.Job, err.Error(), step) })
			return err
		case again == 0:
			r.write(func(tx *store.Tx) error { _, err := tx.FinishPublishing(t.Job); return err })
			return nil
		}
		r.ahead.Add(int64(again))
	}
}

// on is the publication of a video.
func (r *rig) on(assetID, platform string) store.Publication {
	r.Helper()
	all, err := r.store.Publications(r.Context(), assetID)
	r.must(err)
	for _, p := range all[assetID] {
		if p.Platform == platform {
			return p
		}
	}
	return store.Publication{}
}

// there are the titles of what a platform has.
func (r *rig) there(platform string) (titles []string) {
	switch platform {
	case "YOUTUBE":
		for _, v := range r.tube.Videos() {
			titles = append(titles, v.Title)
		}
	case "RUMBLE":
		for _, v := range r.rumbles.Videos() {
			titles = append(titles, v.Title)
		}
	default:
		for _, m := range r.news.Messages() {
			title, _, _ := strings.Cut(m.Text, "\n")
			titles = append(titles, title)
		}
	}
	return titles
}

// state is what is known of a channel.
func (r *rig) state(channel int64) string {
	r.Helper()
	if channel == 0 {
		return ""
	}
	c, err := r.store.Channel(r.Context(), channel)
	r.must(err)
	return c.State
}

// kindOf is what an error asks for.
func kindOf(err error) string {
	ended, _ := errors.AsType[retry.ChannelTrouble](err)
	_, waits := retry.After(err)
	trouble, _ := errors.AsType[retry.Trouble](err)
	switch {
	case err == nil:
		return "done"
	case ended != nil && ended.AccessEnded():
		return "ended"
	case trouble != nil && trouble.Step() == "unknown":
		return "unclear"
	case retry.IsPermanent(err):
		return "final"
	case waits, retry.Unreachable(err):
		return "wait"
	}
	return "again"
}

func page(status int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<html><title>%d</title>Attention required!</html>", status)
	}
}
