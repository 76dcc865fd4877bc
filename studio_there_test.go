// Tests of videos that are on a platform: taken off, edited, found changed, or sent again.

package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"retake.example/internal/publish"
	"retake.example/internal/retry"
	"retake.example/internal/seal"
	"retake.example/internal/store"
	"retake.example/internal/worker"
	"retake.example/internal/youtube"
)

// TestWhatIsThereCanBeTakenOff deletes a video that YouTube still works on, and forgets one whose channel is out of
// reach.
func TestWhatIsThereCanBeTakenOff(t *testing.T) {
	b := newBroadcaster(t, nil)
	channel := b.connect()
	b.film("V.mp4", 1<<20)
	b.run()
	b.trouble("YOUTUBE", "slow", true)
	id := b.video("V.mp4", 1<<20)
	b.publishes(id, store.Publication{Platform: "YOUTUBE", Channel: channel.ID})
	b.works(id)
	if deleted, err := b.studio.Remove(t.Context(), id, "YOUTUBE", owner8); err != nil || !deleted || len(b.tube.Videos()) != 0 {
		t.Errorf("got %v, %d videos; want it deleted while YouTube works on it", err, len(b.tube.Videos()))
	}
	if n := count(t, b.store, `SELECT count(*) FROM jobs`) + count(t, b.store, `SELECT count(*) FROM publications`); n != 0 {
		t.Errorf("got %d rows; want nothing owed", n)
	}

	b.trouble("YOUTUBE", "slow", false)
	b.publishes(id, store.Publication{Platform: "YOUTUBE", Channel: channel.ID})
	b.becomes(id, "YOUTUBE", "COMPLETED ")
	if err := b.studio.Disconnect(t.Context(), channel.ID, owner8); err != nil {
		t.Fatal(err)
	}
	if deleted, err := b.studio.Remove(t.Context(), id, "YOUTUBE", owner8); err != nil || deleted || len(b.tube.Videos()) != 1 {
		t.Errorf("got %v, %d videos; want it off the list, and there", err, len(b.tube.Videos()))
	}
	if n := count(t, b.store, `SELECT count(*) FROM publications`); n != 0 {
		t.Errorf("got %d publications; want none", n)
	}
}

// waits waits until the only publication of an asset has been tried and waits to be tried again.
func (b *broadcaster) waits(assetID string) store.Publication {
	b.Helper()
	changed := make(chan struct{}, 1)
	defer b.queue.View(func(string, int) { worker.Nudge(changed) })()
	patience := newProgress(b)
	for {
		all, err := b.store.Publications(b.Context(), assetID)
		if err != nil {
			b.Fatal(err)
		}
		if p := all[assetID][0]; p.Status == store.Pending && p.LastError != "" && p.Due.After(b.store.Now()) {
			return p
		}
		select {
		case <-changed:
			patience.Changed()
		case <-patience.Done():
			b.Fatalf("got %+v; want it to wait", all[assetID])
		}
	}
}

// works waits until YouTube has the video and works on it.
func (b *broadcaster) works(assetID string) {
	b.Helper()
	changed := make(chan struct{}, 1)
	defer b.queue.View(func(string, int) { worker.Nudge(changed) })()
	patience := newProgress(b)
	for {
		all, err := b.store.Publications(b.Context(), assetID)
		if err != nil {
			b.Fatal(err)
		}
		if p := all[assetID][0]; p.Step == "processing" && p.Due.After(b.store.Now()) {
			return
		}
		select {
		case <-changed:
			patience.Changed()
		case <-patience.Done():
			b.Fatalf("got %+v; want YouTube at work", all[assetID])
		}
	}
}

func TestAChannelIsDisconnectedHereAlsoWhenGoogleCannotBeTold(t *testing.T) {
	down := false
	b := newBroadcaster(t, func(w http.ResponseWriter, r *http.Request) {
		if down && strings.HasSuffix(r.URL.Path, "/revoke") {
			panic(http.ErrAbortHandler)
		}
	})
	channel := b.connect()
	down = true
	err := b.studio.Disconnect(t.Context(), channel.ID, owner8)
	if !errors.Is(err, publish.ErrNotRevoked) {
		t.Errorf("got %v; want to be told", err)
	}
	if n := count(t, b.store, `SELECT count(*) FROM channels WHERE state = 'DISCONNECTED' AND token IS NULL`); n != 1 {
		t.Errorf("got %d channels without a token; want 1", n)
	}
}

// saves saves metadata for a video.
func (b *broadcaster) saves(assetID string, change func(*store.Metadata)) {
	b.Helper()
	m := described
	change(&m)
	write(b, b.store, func(tx *store.Tx) error { return tx.SaveMetadata(assetID, m) })
}

// saved is what is saved for a video.
func (b *broadcaster) saved(assetID string) store.Metadata {
	b.Helper()
	a, err := b.store.Asset(b.Context(), assetID)
	if err != nil {
		b.Fatal(err)
	}
	return a.Metadata
}

func TestPublication_WhatIsSavedWhileItWaitsIsSent(t *testing.T) {
	for _, platform := range []string{"YOUTUBE", "RUMBLE"} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			b := newBroadcaster(t, nil)
			channel := b.connect()
			b.film("V.mp4", 1<<20)
			id := b.video("V.mp4", 1<<20)
			p := store.Publication{Platform: platform}
			if platform == "YOUTUBE" {
				p.Channel = channel.ID
			}
			b.publishes(id, p)
			b.saves(id, func(m *store.Metadata) { m.Title, m.Privacy = "Saved later", "private" })
			b.run()
			if platform == "RUMBLE" { // which shows everything to everybody
				b.becomes(id, platform, "FAILED edit")
				if n := len(b.rumbles.Videos()); n != 0 {
					t.Errorf("got %d videos; want none: it was made private", n)
				}
				return
			}
			p = b.becomes(id, platform, "COMPLETED ")
			if v := b.tube.Videos(); len(v) != 1 || v[0].Title != "Saved later" || v[0].Privacy != "private" {
				t.Errorf("got %+v; want what was saved", v)
			}
			if p.Metadata != b.saved(id) {
				t.Errorf("got %+v; want what was sent as the base of the next change", p.Metadata)
			}
		})
	}
}

func TestRepublish_WhatIsNotThereBeginsWithNothing(t *testing.T) {
	for _, step := range []string{"unknown", "rejected"} {
		t.Run(step, func(t *testing.T) {
			b := newBroadcaster(t, nil)
			channel := b.connect()
			id := b.video("V.mp4", 1<<20)
			b.publishes(id, store.Publication{Platform: "YOUTUBE", Channel: channel.ID})
			mutate(t, b.store, `DELETE FROM jobs`)
			mutate(t, b.store, `UPDATE publications SET status = 'FAILED', step = ?, error = 'youtube unclear: x', started = 1, completed = 2,
				session_uri = 'https://example.com/s', session_at = 1, sent = 1048576, uploaded = 1`, step)
			if _, err := b.queue.Retry(t.Context(), id, retry.AdminClicked{Admin: owner8, Platform: "YOUTUBE"}); err != nil {
				t.Fatal(err)
			}
			if n := count(t, b.store, `SELECT count(*) FROM publications WHERE status = 'PENDING' AND session_uri IS NULL AND session_at IS NULL
				AND sent = 0 AND uploaded IS NULL`); n != 1 {
				t.Error("got something of the lost upload; want none")
			}
		})
	}
}

func TestUpdate_KeepsWhatWasChangedInYouTubeStudio(t *testing.T) {
	b := newBroadcaster(t, nil)
	channel := b.connect()
	b.film("V.mp4", 1<<20)
	id := b.video("V.mp4", 1<<20)
	b.publishes(id, store.Publication{Platform: "YOUTUBE", Channel: channel.ID})
	b.run()
	b.becomes(id, "YOUTUBE", "COMPLETED ")
	b.trouble("YOUTUBE", "studio", true)

	b.saves(id, func(m *store.Metadata) { m.Title = "Changed here" })
	for range 2 { // the second has nothing left to change
		if err := b.studio.Update(t.Context(), id, "YOUTUBE", publish.KeepNone, owner8); err != nil {
			t.Fatal(err)
		}
		v := b.tube.Videos()[0]
		if v.Title != "Changed here" || v.Description != "Edited in YouTube Studio." || v.Privacy != "public" || len(v.Tags) != 2 {
			t.Fatalf("got %+v; want both changes", v)
		}
		p := b.becomes(id, "YOUTUBE", "COMPLETED ")
		if m := b.saved(id); m != p.Metadata || m.Description != "Edited in YouTube Studio." || m.Privacy != "public" {
			t.Errorf("got %+v saved, %+v there; want what is there", m, p.Metadata)
		}
	}

	// The same field in both places: nothing is sent until somebody chooses.
	for _, c := range []struct {
		keep publish.Keep
		want string
	}{{publish.KeepTheirs, "Edited in YouTube Studio."}, {publish.KeepOurs, "Written here."}} {
		b.trouble("YOUTUBE", "studio", false)
		m := b.saved(id)
		m.Description = "Sent before."
		write(t, b.store, func(tx *store.Tx) error { return tx.SaveMetadata(id, m) })
		if err := b.studio.Update(t.Context(), id, "YOUTUBE", publish.KeepNone, owner8); err != nil {
			t.Fatal(err)
		}
		b.trouble("YOUTUBE", "studio", true)
		m.Description = "Written here."
		write(t, b.store, func(tx *store.Tx) error { return tx.SaveMetadata(id, m) })
		both, ok := errors.AsType[*publish.Conflict](b.studio.Update(t.Context(), id, "YOUTUBE", publish.KeepNone, owner8))
		if !ok || len(both.Fields) != 1 || both.Fields[0] != (publish.Difference{Field: "description", Ours: "Written here.", Theirs: "Edited in YouTube Studio."}) {
			t.Fatalf("got %+v; want to be asked about the description", both)
		}
		if v := b.tube.Videos()[0]; v.Description != "Edited in YouTube Studio." {
			t.Errorf("got %+v; want nothing sent", v)
		}
		if err := b.studio.Update(t.Context(), id, "YOUTUBE", c.keep, owner8); err != nil {
			t.Fatal(err)
		}
		if v := b.tube.Videos()[0]; v.Description != c.want {
			t.Errorf("%s: got %q; want %q", c.keep, v.Description, c.want)
		}
		if p := b.becomes(id, "YOUTUBE", "COMPLETED "); p.Metadata.Description != c.want || b.saved(id).Description != c.want {
			t.Errorf("%s: got %q there, %q saved; want %q", c.keep, p.Metadata.Description, b.saved(id).Description, c.want)
		}
	}
}

func TestMarkPublished_TakesOnlyTheVideoOfThePublication(t *testing.T) {
	b := newBroadcaster(t, nil)
	channel := b.connect()
	b.film("V.mp4", 1<<20)
	b.film("W.mp4", 2<<20)
	b.run()
	theirs := b.video("V.mp4", 1<<20)
	b.publishes(theirs, store.Publication{Platform: "YOUTUBE", Channel: channel.ID})
	there := b.becomes(theirs, "YOUTUBE", "COMPLETED ")

	lost := func(file string, size int) (assetID string) {
		id := b.video(file, size)
		b.trouble("YOUTUBE", "unavailable", true)
		b.publishes(id, store.Publication{Platform: "YOUTUBE", Channel: channel.ID})
		b.waits(id)
		mutate(t, b.store, `DELETE FROM jobs`)
		mutate(t, b.store, `UPDATE publications SET status = 'FAILED', step = 'unknown', error = 'youtube unclear: x', started = 1, completed = 2,
			session_uri = NULL, session_at = NULL WHERE asset_id = ?`, id)
		b.trouble("YOUTUBE", "unavailable", false)
		return id
	}
	larger, same := lost("W.mp4", 2<<20), lost("V.mp4", 1<<20)
	if err := b.studio.MarkPublished(t.Context(), larger, "YOUTUBE", there.Upload.URL, owner8); err == nil {
		t.Error("got a video of another size; want it refused")
	}
	if err := b.studio.MarkPublished(t.Context(), same, "YOUTUBE", there.Upload.URL, owner8); !errors.Is(err, store.ErrExists) {
		t.Errorf("got %v; want %v: the video is another publication's", err, store.ErrExists)
	}
	mutate(t, b.store, `DELETE FROM publications WHERE asset_id = ?`, theirs)
	if err := b.studio.MarkPublished(t.Context(), same, "YOUTUBE", there.Upload.URL, owner8); err != nil {
		t.Errorf("got %v; want it taken", err)
	}
	if p := b.becomes(same, "YOUTUBE", "COMPLETED "); p.Upload.ID != there.Upload.ID {
		t.Errorf("got %+v; want the video", p)
	}
	if _, err := b.store.Publications(t.Context(), same); err != nil {
		t.Error(err)
	}
}

func TestRemove_WhatCameFurtherMeanwhileStays(t *testing.T) {
	for name, change := range map[string]string{
		"another video":  `UPDATE publications SET remote_id = 'another'`,
		"another upload": `UPDATE publications SET remote_id = NULL, session_uri = 'https://example.com/s', session_at = 1`,
	} {
		t.Run(name, func(t *testing.T) {
			var armed atomic.Bool
			var b *broadcaster
			b = newBroadcaster(t, func(_ http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodDelete && armed.Load() {
					mutate(b, b.store, change)
				}
			})
			channel := b.connect()
			b.film("V.mp4", 1<<20)
			id := b.video("V.mp4", 1<<20)
			b.publishes(id, store.Publication{Platform: "YOUTUBE", Channel: channel.ID})
			b.run()
			b.becomes(id, "YOUTUBE", "COMPLETED ")
			armed.Store(true)
			_, err := b.studio.Remove(t.Context(), id, "YOUTUBE", owner8)
			if _, ok := errors.AsType[store.Busy](err); !ok || count(t, b.store, `SELECT count(*) FROM publications`) != 1 {
				t.Errorf("got %v; want to be told that something else is there by now", err)
			}
		})
	}
}

// look looks at what is due after so long.
func (b *broadcaster) look(after time.Duration) {
	b.Helper()
	b.ahead.Add(int64(after))
	if err := publish.NewLooks(b.sites, slog.New(slog.NewTextHandler(b.log, nil))).Once(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// standing is how the only publication was found.
func (b *broadcaster) standing() string {
	b.Helper()
	return text(b, b.store, `SELECT ifnull(standing, '') FROM publications`)
}

func TestLooks_WhatIsNotThereAsItShouldBeIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		fault  string // "": somebody deletes it
		at     bool   // with a time
		want   string
		videos int // after Publish again
	}{
		"a schedule that is not kept": {"stuck", true, "private", 1},
		"a takedown":                  {"takedown", false, "taken down", 2},
		"a deletion":                  {"", false, "gone", 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroadcaster(t, nil)
			channel := b.connect()
			b.film("V.mp4", 1<<20)
			id, m := b.video("V.mp4", 1<<20), described
			m.Privacy = "public"
			p := store.Publication{Platform: "YOUTUBE", Channel: channel.ID, Creator: 8, Metadata: m}
			if c.at {
				p.PublishAt = b.store.Now().Add(time.Hour)
			}
			write(t, b.store, func(tx *store.Tx) error { return tx.Publish(id, p) })
			b.run()
			p = b.becomes(id, "YOUTUBE", "COMPLETED ")
			if b.look(6 * time.Minute); b.standing() != "" {
				t.Fatalf("got %s; want it as it should be", b.standing())
			}
			looker := publish.NewLooks(b.sites, slog.New(slog.NewTextHandler(b.log, nil)))
			if c.fault != "" {
				b.trouble("YOUTUBE", c.fault, true)
			} else if err := b.deletes(p.Upload.ID, channel); err != nil {
				t.Fatal(err)
			}
			for range 3 { // the first answer without a video is not believed
				b.ahead.Add(int64(25 * time.Hour))
				if err := looker.Once(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if got := b.standing(); got != c.want {
				t.Fatalf("got %q; want %q", got, c.want)
			}
			if all := b.pages(); !strings.Contains(all, `value="again"`) || !strings.Contains(all, `value="accept"`) {
				t.Error("got no buttons on the page; want Publish again and Accept")
			}
			if n, err := b.store.Attention(t.Context(), owner8, time.Time{}); err != nil || n[store.NeedsPublication].N != 1 {
				t.Errorf("got %+v, %v; want it in the digest", n, err)
			}
			if c.fault != "" {
				b.trouble("YOUTUBE", c.fault, false)
			}
			if err := b.studio.PublishAgain(t.Context(), id, "YOUTUBE", owner8); err != nil {
				t.Fatal(err)
			}
			b.becomes(id, "YOUTUBE", "COMPLETED ")
			if v := b.tube.Videos(); len(v) != c.videos || v[len(v)-1].Privacy != "public" || b.standing() != "" {
				t.Errorf("got %+v, %q; want it public", v, b.standing())
			}
		})
	}
}

func TestLooks_WhatIsAcceptedIsNotToldAgain(t *testing.T) {
	b := newBroadcaster(t, nil)
	channel := b.connect()
	b.film("V.mp4", 1<<20)
	id := b.video("V.mp4", 1<<20)
	b.publishes(id, store.Publication{Platform: "YOUTUBE", Channel: channel.ID})
	b.run()
	b.becomes(id, "YOUTUBE", "COMPLETED ")
	b.trouble("YOUTUBE", "takedown", true)
	if b.look(6 * time.Minute); b.standing() != "taken down" {
		t.Fatalf("got %q; want it taken down", b.standing())
	}
	if err := b.studio.Accept(t.Context(), id, "YOUTUBE", owner8); err != nil || b.standing() != "" {
		t.Fatalf("got %v, %q; want it accepted", err, b.standing())
	}
	if b.look(25 * time.Hour); b.standing() != "" {
		t.Errorf("got %q; want it left alone", b.standing())
	}
	if err := b.studio.Accept(t.Context(), id, "YOUTUBE", owner8); !errors.Is(err, store.ErrNotFailed) {
		t.Errorf("got %v; want %v", err, store.ErrNotFailed)
	}
	for range 8 {
		b.look(25 * time.Hour)
	}
	if n := count(t, b.store, `SELECT count(*) FROM publications WHERE look_at IS NOT NULL`); n != 0 {
		t.Error("got it looked at for ever; want a week")
	}
}

// deletes deletes a video on YouTube, as somebody does in the browser.
func (b *broadcaster) deletes(id string, channel store.Channel) error {
	b.Helper()
	var sealed []byte
	sealed, err := b.store.Token(b.Context(), channel.ID)
	if err != nil {
		return err
	}
	text, err := seal.FromFile(b.cfg.TokenKey())
	if err != nil {
		return err
	}
	var token youtube.Token
	open, err := text.Unseal(sealed, publish.Owner(channel.External))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(open, &token); err != nil {
		return err
	}
	return publish.NewYouTube(b.cfg, b.store.Now).With(token, nil).Delete(b.Context(), id)
}

func TestPublish_WhatThePlatformHasNeedsNoFile(t *testing.T) {
	b := newBroadcaster(t, nil)
	channel := b.connect()
	b.film("V.mp4", 1<<20)
	b.run()
	b.trouble("YOUTUBE", "slow", true)
	id := b.video("V.mp4", 1<<20)
	b.publishes(id, store.Publication{Platform: "YOUTUBE", Channel: channel.ID})
	b.works(id)
	if err := b.files.Delete(t.Context(), "V.mp4"); err != nil {
		t.Fatal(err)
	}
	b.trouble("YOUTUBE", "slow", false)
	b.becomes(id, "YOUTUBE", "COMPLETED ")
}

func TestPublish_AMissingPictureIsAWarning(t *testing.T) {
	for _, platform := range []string{"YOUTUBE", "RUMBLE"} {
		t.Run(platform, func(t *testing.T) {
			b := newBroadcaster(t, nil)
			channel := b.connect()
			b.film("V.mp4", 1<<20)
			if err := b.files.Delete(t.Context(), "A.jpg"); err != nil {
				t.Fatal(err)
			}
			id := b.video("V.mp4", 1<<20)
			p := store.Publication{Platform: platform}
			if platform == "YOUTUBE" {
				p.Channel = channel.ID
			}
			b.publishes(id, p)
			b.run()
			if p = b.becomes(id, platform, "COMPLETED "); p.Upload.Warning == "" {
				t.Errorf("got %+v; want a warning", p.Upload)
			}
		})
	}
}

func TestPublish_ADamagedFileIsNotSent(t *testing.T) {
	for _, platform := range []string{"YOUTUBE", "RUMBLE"} {
		t.Run(platform, func(t *testing.T) {
			b := newBroadcaster(t, nil)
			channel := b.connect()
			b.film("V.mp4", 1<<20)
			id := b.video("V.mp4", 2<<20) // half of it is missing
			p := store.Publication{Platform: platform}
			if platform == "YOUTUBE" {
				p.Channel = channel.ID
			}
			b.publishes(id, p)
			b.run()
			p = b.becomes(id, platform, "FAILED ")
			if b.tube.Inserts() != 0 || len(b.rumbles.Videos()) != 0 || !strings.Contains(p.Error, "is damaged") {
				t.Errorf("got %d uploads, %q; want none of a damaged file", b.tube.Inserts(), p.Error)
			}
		})
	}
}

func TestUpload_TheAddressOfOneUnderWayIsSealed(t *testing.T) {
	for name, c := range map[string]struct {
		before  func(b *broadcaster, address string) // the program starts again
		inserts int
	}{
		"the program starts again": {func(*broadcaster, string) {}, 1},
		"an earlier version kept it as it was": {func(b *broadcaster, address string) {
			mutate(b, b.store, `UPDATE publications SET session_uri = ?`, address)
		}, 1},
		"the key is another one": {func(b *broadcaster, _ string) {
			if err := os.Remove(filepath.Join(b.dir, "token.key")); err != nil {
				b.Fatal(err)
			}
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			var address atomic.Value
			b := newBroadcaster(t, func(_ http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut {
					address.Store("http://" + r.Host + r.URL.String())
				}
			})
			channel := b.connect()
			b.film("V.mp4", 2<<20)
			id := b.video("V.mp4", 2<<20)
			b.trouble("YOUTUBE", "cut", true)
			b.publishes(id, store.Publication{Platform: "YOUTUBE", Channel: channel.ID})
			stop := b.run()
			b.becomes(id, "YOUTUBE", "FAILED ")
			stop()
			if sealed := text(b, b.store, `SELECT session_uri FROM publications`); sealed == "" {
				t.Fatal("got no upload under way; want one")
			}
			b.tellsNoSecret()
			b.trouble("YOUTUBE", "cut", false)
			c.before(b, address.Load().(string))
			b.equip(b.files)
			if c.inserts > 1 {
				b.connect()
			}
			b.tellsNoSecret()
			b.run()
			if _, err := b.queue.Retry(t.Context(), id, retry.AdminClicked{Admin: owner8, Platform: "YOUTUBE"}); err != nil {
				t.Fatal(err)
			}
			b.becomes(id, "YOUTUBE", "COMPLETED ")
			if n := b.tube.Inserts(); n != c.inserts || len(b.tube.Videos()) != 1 {
				t.Errorf("got %d uploads and %d videos; want %d and one", n, len(b.tube.Videos()), c.inserts)
			}
		})
	}
}

func TestDisconnect_OtherChannelsKeepTheirAccess(t *testing.T) {
	var revoked atomic.Int64
	b := newBroadcaster(t, func(_ http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/revoke") {
			revoked.Add(1)
		}
	})
	first := b.connect()
	second, err := b.consents([32]byte{2}, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range []int64{first.ID, second.ID} {
		if err := b.studio.Disconnect(t.Context(), id, owner8); err != nil || revoked.Load() != int64(i) {
			t.Errorf("got %v, %d revocations; want %d", err, revoked.Load(), i)
		}
		if i == 0 {
			if err := b.studio.Check(t.Context(), second.ID, owner8); err != nil {
				t.Errorf("got %v; want the other channel to work", err)
			}
		}
	}
}
