// Tests of what the page does with publications, and of what goes on at the platforms without it.

package publish

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/store"
)

func TestLooks_SpendNoMoreThanTheirShareOfTheDay(t *testing.T) {
	r := newRig(t)
	l := NewLooks(r.sites, slog.New(slog.DiscardHandler))
	if !l.allowed(1, 1) {
		t.Error("the first look of a day is not allowed")
	}
	for spent, want := range map[int]bool{0: true, lookBudget - 1: true, lookBudget: false, lookBudget + 1: false} {
		l.spent = spent
		if got := l.allowed(1, 1); got != want {
			t.Errorf("%d units spent: got %v; want %v", spent, got, want)
		}
		if !l.allowed(1, 0) {
			t.Errorf("%d units spent: a look that costs nothing is not allowed", spent)
		}
	}
	l.pause[1] = r.store.Now().Add(time.Minute)
	if l.allowed(1, 0) || !l.allowed(2, 0) {
		t.Error("a pause holds other channels, or not its own")
	}
	r.ahead.Add(int64(48 * time.Hour))
	if !l.allowed(1, 1) || l.spent != 0 {
		t.Errorf("the next day: got %d units spent; want none", l.spent)
	}
}

func TestDisconnect_TheLastChannelGivesItsAccessBack(t *testing.T) {
	r := newRig(t)
	channel := r.connect("YOUTUBE")
	var revoked atomic.Int64
	r.intercept(func(_ http.ResponseWriter, q *http.Request) bool {
		if strings.HasSuffix(q.URL.Path, "/revoke") {
			revoked.Add(1)
		}
		return false
	})
	if err := r.studio.Disconnect(t.Context(), channel, owner); err != nil || revoked.Load() != 1 {
		t.Errorf("got %v, revoked %d times; want Google told once", err, revoked.Load())
	}
}

// Of an upload whose last bytes had not left there is nothing to ask for: the platform is left alone.
func TestRemove_AsksThePlatformOnlyWhereThereMayBeAVideo(t *testing.T) {
	for name, uploaded := range map[string]time.Time{"half sent": {}, "sent": time.Now()} {
		r := newRig(t)
		id := r.owe("YOUTUBE", r.connect("YOUTUBE"), time.Time{})
		sealed := r.sites.sealSession(r.on(id, "YOUTUBE").ID, "http://127.0.0.1:1/session")
		var tasks []store.Task
		r.write(func(tx *store.Tx) (err error) { tasks, err = tx.Claim(store.Publish, false, 1); return err })
		r.write(func(tx *store.Tx) error {
			return tx.KeepUpload(tasks[0].Job, store.Upload{Session: sealed, Since: time.Now(), Step: "uploading", Sent: 1,
				Uploaded: uploaded})
		})
		r.write(func(tx *store.Tx) error { return tx.GiveUp(tasks[0].Job, "broken", "") })
		_, err := r.studio.Remove(t.Context(), id, "YOUTUBE", owner)
		if asked := err != nil; asked != !uploaded.IsZero() {
			t.Errorf("%s: got %v; want the platform asked only for what had been sent", name, err)
		}
	}
}

func TestPostpone_OnlyWhatEverybodyMaySeeHasATime(t *testing.T) {
	r := newRig(t)
	at := time.Now().Add(24 * time.Hour).Truncate(time.Second)
	id := r.owe("YOUTUBE", r.connect("YOUTUBE"), at)
	r.write(func(tx *store.Tx) error {
		private := greeting
		private.Privacy = "private"
		return tx.Changed(r.on(id, "YOUTUBE"), id, private, at, nil)
	})
	if err := r.studio.Postpone(t.Context(), id, "YOUTUBE", time.Time{}, at.Add(time.Hour), owner); !errors.Is(err, ErrNoChange) {
		t.Errorf("got %v; want ErrNoChange", err)
	}
}

// stubborn is a platform that refuses some deletions.
type stubborn struct {
	Platform
	refusals, asked atomic.Int64
}

func (p *stubborn) Change(_ context.Context, _ store.Publication, to Version, _ Keep) (Version, error) {
	return to, nil
}

func (p *stubborn) Erase(context.Context, store.Publication, int64) error {
	if p.asked.Add(1) <= p.refusals.Load() {
		return errors.New("not now")
	}
	return nil
}

// unwanted makes a video that should go, and that a platform has.
func unwanted(t *testing.T, s *store.Store) {
	t.Helper()
	if err := s.Tx(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.UpsertUser(1, "ru"); err != nil {
			return err
		}
		_, _, err := tx.ShareOrCreate(store.Order{User: 1, Chat: 1, Name: "Маша", Key: "маша", Template: "t", Lang: "ru"}, tx.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	run := func(kind store.Kind, end func(tx *store.Tx, task *store.Task) error) {
		t.Helper()
		if err := s.Tx(t.Context(), func(tx *store.Tx) error {
			tasks, err := tx.Claim(kind, false, 1)
			if err != nil {
				return err
			}
			return end(tx, &tasks[0])
		}); err != nil {
			t.Fatal(err)
		}
	}
	run(store.Render, func(tx *store.Tx, task *store.Task) error {
		if err := tx.FinishRender(task.Job, store.Video{File: "V.mp4", Size: 9}); err != nil {
			return err
		}
		return tx.Publish(task.AssetID, store.Publication{Platform: "RUMBLE", Creator: 8, Metadata: greeting})
	})
	run(store.Publish, func(tx *store.Tx, task *store.Task) error {
		return tx.KeepUpload(task.Job, store.Upload{Step: "processing", Sent: 9, ID: "v1"})
	})
	if err := s.Tx(t.Context(), func(tx *store.Tx) error { _, err := tx.Forget(1); return err }); err != nil {
		t.Fatal(err)
	}
}

// withdraws runs withdrawals in a bubble for a while.
func withdraws(t *testing.T, p *stubborn, uploading func(int64) bool, story func(t *testing.T, s *store.Store, w *Withdrawals)) {
	t.Helper()
	schema, err := os.ReadFile("../../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "retake.db")
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(path, store.Options{Schema: string(schema)})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		unwanted(t, s)
		w := NewWithdrawals(s, map[string]Platform{"RUMBLE": p}, uploading, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { w.Run(ctx, func(context.Context, store.Deleted) {}); close(done) }()
		story(t, s, w)
		stop()
		<-done
	})
}

// left counts what a platform still has of videos that should go.
func left(t *testing.T, s *store.Store) int {
	t.Helper()
	list, err := s.Withdrawals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func TestWithdrawals_WhatAPlatformRefusesIsTriedAgain(t *testing.T) {
	p := &stubborn{}
	p.refusals.Store(2)
	withdraws(t, p, func(int64) bool { return false }, func(t *testing.T, s *store.Store, _ *Withdrawals) {
		for _, want := range []int64{1, 2, 3} { // after a minute, and two more
			time.Sleep(withdrawSoon*time.Duration(want-1) + time.Second)
			synctest.Wait()
			if got := p.asked.Load(); got != want {
				t.Errorf("got asked %d times; want %d", got, want)
			}
		}
		if n := left(t, s); n != 0 {
			t.Errorf("got %d left; want none", n)
		}
	})
}

func TestWithdrawals_WaitForAnUploadThatStillRuns(t *testing.T) {
	p := &stubborn{}
	var runs atomic.Bool
	runs.Store(true)
	withdraws(t, p, func(int64) bool { return runs.Load() }, func(t *testing.T, s *store.Store, w *Withdrawals) {
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := p.asked.Load(); n != 0 {
			t.Errorf("got asked %d times while the upload ran; want it to end first", n)
		}
		runs.Store(false)
		w.Look()
		synctest.Wait()
		if n := left(t, s); n != 0 || p.asked.Load() != 1 {
			t.Errorf("got %d left after %d questions; want none after one", n, p.asked.Load())
		}
	})
}

// witness tells of some publications and then breaks off.
type witness struct {
	found map[int64]store.Finding
	err   error
}

func (w witness) Look(context.Context, int64, []store.Look) (map[int64]store.Finding, error) {
	return w.found, w.err
}

func (witness) Spends() int { return 0 }

func TestLooks_APlatformIsNotAskedBeforeItHasSaid(t *testing.T) {
	r := newRig(t)
	l := NewLooks(r.sites, slog.New(slog.DiscardHandler))
	for _, wait := range []time.Duration{time.Hour, 0} {
		w := witness{err: retry.Wait(errors.New("too many"), wait)}
		r.must(l.look(t.Context(), w, 1, nil))
		for after, want := range map[time.Duration]bool{0: false, lookAgain - time.Second: false,
			lookAgain + time.Second: wait == 0, time.Hour + time.Second: true} {
			r.ahead.Add(int64(after))
			if got := l.allowed(1, 0); got != want {
				t.Errorf("%v after an answer that asks for %v: allowed %v; want %v", after, wait, got, want)
			}
			r.ahead.Add(-int64(after))
		}
		r.ahead.Add(int64(2 * time.Hour))
	}
}

func TestLooks_WhatWasNotToldOfIsStillDueWhenAPlatformBreaksOff(t *testing.T) {
	r := newRig(t)
	channel := r.connect("TELEGRAM")
	for range 2 {
		r.owe("TELEGRAM", channel, time.Time{})
		r.must(r.work())
	}
	r.ahead.Add(int64(6 * time.Minute))
	due, err := r.store.Looks(t.Context(), 9)
	r.must(err)
	if len(due) != 2 {
		t.Fatalf("got %d due; want both", len(due))
	}
	w := witness{map[int64]store.Finding{due[0].ID: {}}, errors.New("telegram is away")}
	r.must(NewLooks(r.sites, slog.New(slog.DiscardHandler)).look(t.Context(), w, channel, due))
	left, err := r.store.Looks(t.Context(), 9)
	r.must(err)
	if len(left) != 1 || left[0].ID != due[1].ID {
		t.Errorf("got %+v; want the one that was not told of", left)
	}
}

// Somebody saves another title while the update is on its way.
func TestUpdate_WhatIsSavedMeanwhileStays(t *testing.T) {
	r := newRig(t)
	id := r.owe("YOUTUBE", r.connect("YOUTUBE"), time.Time{})
	r.must(r.work())
	save := func(title string) {
		m := greeting
		m.Title = title
		r.write(func(tx *store.Tx) error { return tx.SaveMetadata(id, m) })
	}
	save("Ours")
	r.intercept(func(_ http.ResponseWriter, q *http.Request) bool {
		if q.Method == http.MethodPut {
			save("Saved meanwhile")
		}
		return false
	})
	r.must(r.studio.Update(t.Context(), id, "YOUTUBE", KeepNone, owner))
	a, err := r.store.Asset(t.Context(), id)
	r.must(err)
	if there := r.tube.Videos()[0].Title; there != "Ours" || a.Metadata.Title != "Saved meanwhile" {
		t.Errorf("got %q there and %q here; want what each was last told", there, a.Metadata.Title)
	}
}

// What a platform cannot do is said, whatever the page has offered.
func TestStudio_WhatAPlatformCannotDoIsRefused(t *testing.T) {
	r := newRig(t)
	var channel int64
	r.write(func(tx *store.Tx) (err error) {
		channel, err = tx.Connect(store.Channel{Platform: "RUMBLE", External: "1", Title: "Ours"}, []byte{})
		return err
	})
	if err := r.studio.Check(t.Context(), channel, owner); !errors.Is(err, ErrNoAccess) {
		t.Errorf("a channel that cannot be held: got %v; want ErrNoAccess", err)
	}
	if err := r.studio.Disconnect(t.Context(), channel+1, owner); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a channel that is not there: got %v; want ErrNotFound", err)
	}
	id := r.owe("RUMBLE", 0, time.Time{})
	r.must(r.work())
	if err := r.studio.Update(t.Context(), id, "RUMBLE", KeepNone, owner); !errors.Is(err, ErrNoChange) {
		t.Errorf("an update: got %v; want ErrNoChange", err)
	}
}

func TestErase_WithoutAccessIsAnError(t *testing.T) {
	r := newRig(t)
	channel := r.connect("YOUTUBE")
	id := r.owe("YOUTUBE", channel, time.Time{})
	r.must(r.work())
	p := r.on(id, "YOUTUBE")
	r.must(r.studio.Disconnect(t.Context(), channel, owner))
	if err := (onYouTube{r.sites}).Erase(t.Context(), p, videoSize); retry.CodeOf(err) != "youtube_disconnected" {
		t.Errorf("got %v; want that the channel is disconnected", err)
	}
	if got := r.there("YOUTUBE"); len(got) != 1 {
		t.Errorf("got %v there; want the video", got)
	}
}

// What another admin has published is changed by them and by owners only.
func TestStudio_APublicationBelongsToWhoMadeIt(t *testing.T) {
	r := newRig(t)
	id := r.owe("YOUTUBE", r.connect("YOUTUBE"), time.Time{})
	r.must(r.work())
	other := store.Admin{ID: 7}
	for name, do := range map[string]func() error{
		"update":  func() error { return r.studio.Update(t.Context(), id, "YOUTUBE", KeepOurs, other) },
		"again":   func() error { return r.studio.PublishAgain(t.Context(), id, "YOUTUBE", other) },
		"remove":  func() error { _, err := r.studio.Remove(t.Context(), id, "YOUTUBE", other); return err },
		"accept":  func() error { return r.studio.Accept(t.Context(), id, "YOUTUBE", other) },
		"by hand": func() error { return r.studio.MarkPublished(t.Context(), id, "YOUTUBE", "https://x", other) },
	} {
		if err := do(); !errors.Is(err, store.ErrForbidden) {
			t.Errorf("%s: got %v; want ErrForbidden", name, err)
		}
	}
	if got := r.there("YOUTUBE"); len(got) != 1 {
		t.Errorf("got %v there; want the video untouched", got)
	}
}

// A platform that is not set up any more is asked nothing.
func TestLooks_APlatformThatIsOffIsNotAsked(t *testing.T) {
	r := newRig(t)
	id := r.owe("YOUTUBE", r.connect("YOUTUBE"), time.Time{})
	r.must(r.work())
	r.sites.youtube = nil
	if calls := r.look(6 * time.Minute); calls != 0 || !r.on(id, "YOUTUBE").Looked.IsZero() {
		t.Errorf("got %d calls; want none, and the video looked at later", calls)
	}
}

// A damaged file is not sent, but what has a session goes on: YouTube has the beginning.
func TestYouTube_AFileIsVerifiedBeforeItsFirstByte(t *testing.T) {
	for name, c := range map[string]struct {
		upload store.Upload
		says   string
	}{"new": {store.Upload{}, "check the video"}, "there already": {store.Upload{ID: "gone"}, ""}} {
		r := newRig(t)
		r.owe("YOUTUBE", r.connect("YOUTUBE"), time.Time{})
		var tasks []store.Task
		r.write(func(tx *store.Tx) (err error) { tasks, err = tx.Claim(store.Publish, false, 1); return err })
		tasks[0].Asset.Video.Size++ // it is not what was kept
		tasks[0].Publication.Upload = c.upload
		_, err := onYouTube{r.sites}.Publish(t.Context(), tasks[0], func(store.Upload) error { return nil })
		if got := err != nil && strings.Contains(err.Error(), "check the video"); got != (c.says != "") {
			t.Errorf("%s: got %v; want it verified: %v", name, err, c.says != "")
		}
	}
}

// An upload that has a video is deleted as that video; one without is ended.
func TestErase_AVideoIsDeletedAndNoUploadEnded(t *testing.T) {
	r := newRig(t)
	id := r.owe("YOUTUBE", r.connect("YOUTUBE"), time.Time{})
	r.must(r.work())
	p := r.on(id, "YOUTUBE")
	p.Upload.Session = "not sealed" // it would be an error to open it
	if err := (onYouTube{r.sites}).Erase(t.Context(), p, videoSize); err != nil || len(r.there("YOUTUBE")) != 0 {
		t.Errorf("got %v, %v there; want the video gone", err, r.there("YOUTUBE"))
	}
}
