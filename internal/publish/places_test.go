// A platform that nobody has heard of: it needs a Site and a row of Places, and nothing else.

package publish

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/store"
)

// clips is that platform.
type clips struct {
	*Sites
	videos map[string]string // titles by id
	away   bool
}

// errAway is what it says while it is away.
var errAway = retry.WithCode(retry.Wait(errors.New("clips unreachable: no answer"), time.Minute), "clips_unreachable")

func (*clips) Ready() bool { return true }

func (c *clips) Publish(ctx context.Context, t store.Task, keep func(store.Upload) error) (time.Duration, error) {
	channel, err := c.store.Channel(ctx, t.Publication.Channel)
	if err != nil {
		return 0, err
	}
	if channel.State == "DISCONNECTED" {
		return 0, noAccess{errors.New("clips disconnected: the channel was disconnected here"), "clips_disconnected"}
	}
	if c.away {
		return 0, errAway
	}
	if err := forEverybody(t.Publication); err != nil {
		return 0, err
	}
	id := "clip of " + t.AssetID
	c.videos[id] = t.Publication.Metadata.Title
	return 0, keep(store.Upload{Step: "processing", Sent: t.Asset.Video.Size, ID: id, URL: "https://clips.example/" + id})
}

func (c *clips) Find(_ context.Context, _ store.Asset, _ store.Publication, address string) (id, url string,
	err error) {
	return "", address, nil
}

func (c *clips) Change(_ context.Context, p store.Publication, to Version, _ Keep) (Version, error) {
	if _, there := c.videos[p.Upload.ID]; !there {
		return to, retry.Permanent(retry.WithCode(errors.New("clips notFound: there is no such video"), "clips_not_found"))
	}
	c.videos[p.Upload.ID] = to.Title
	return to, nil
}

func (c *clips) Erase(_ context.Context, p store.Publication, _ int64) error {
	delete(c.videos, p.Upload.ID)
	return nil
}

func (c *clips) Join(_ context.Context, name string) (store.Channel, error) {
	return store.Channel{External: name, Title: "The channel " + name}, nil
}

func (c *clips) Check(_ context.Context, ch store.Channel) (string, error) { return ch.Title, nil }

func (c *clips) Release(context.Context, store.Channel, bool) error { return nil }

func (c *clips) Look(_ context.Context, _ int64, list []store.Look) (map[int64]store.Finding, error) {
	found := map[int64]store.Finding{}
	for _, p := range list {
		if found[p.ID] = (store.Finding{}); c.videos[p.Upload.ID] == "" {
			found[p.ID] = store.Finding{Standing: "gone"}
		}
	}
	return found, nil
}

var _ Witness = (*clips)(nil)

func (*clips) Spends() int { return 0 }

// mute hides that clips tells how its videos are.
type mute struct{ Site }

func further(t *testing.T, with func(*Sites) Site) {
	before := Places
	t.Cleanup(func() { Places = before })
	Places = append(slices.Clone(Places), Place{ID: "CLIPS", Name: "Clips", Icon: "film", Channels: true, Changes: true,
		Open: true, with: with})
}

func TestPlaces_AFurtherOneIsARow(t *testing.T) {
	c := &clips{videos: map[string]string{}}
	further(t, func(s *Sites) Site { c.Sites = s; return c })
	place, known := PlaceOf("CLIPS")
	if !known || place.Key() != "clips" || place.ChannelKey() != "clips_channel" || !slices.Contains(IDs(), "CLIPS") {
		t.Fatalf("got %+v", place)
	}
	r := newRig(t)
	about, err := r.studio.About(t.Context())
	if err != nil || !about.Ready(place) || !about.Ready(Places[0]) {
		t.Errorf("got %+v, %v; want it ready", about, err)
	}
	channel, err := r.studio.Join(t.Context(), "CLIPS", "news", owner)
	r.must(err)
	if _, err := r.studio.Join(t.Context(), "RUMBLE", "news", owner); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v; want no channels where there are none", err)
	}

	// It is away, then it is there, at its time.
	id := r.owe("CLIPS", channel.ID, r.store.Now().Add(time.Hour))
	if err := r.work(); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v; want nothing before its time", err)
	}
	r.ahead.Add(int64(2 * time.Hour))
	c.away = true
	if err := r.work(); kindOf(err) != "wait" || r.on(id, "CLIPS").Status != store.Failed {
		t.Errorf("got %v, %+v; want a wait", err, r.on(id, "CLIPS"))
	}
	c.away = false
	f := store.Filter{Platform: "CLIPS", Limit: 5}
	unpublished, _, err := r.store.CountUnpublished(t.Context(), owner, f)
	if err != nil || unpublished != 1 {
		t.Errorf("got %d, %v; want one that another try may help", unpublished, err)
	}
	_, err = r.Retry(t.Context(), id, retry.AdminClicked{Admin: owner, Platform: "CLIPS"})
	r.must(err)
	r.must(r.work())
	p := r.on(id, "CLIPS")
	if p.Status != store.Completed || p.Upload.URL == "" || len(c.videos) != 1 {
		t.Fatalf("got %+v; want it published", p)
	}

	// The library filters by it.
	r.owe("RUMBLE", 0, time.Time{})
	r.must(r.work())
	for _, search := range []string{"", "лет"} {
		f.Search = search
		counts, err := r.store.Counts(t.Context(), f)
		r.must(err)
		list, err := r.store.Library(t.Context(), f, counts[store.Completed])
		r.must(err)
		if len(list) != 1 || list[0].ID != id || counts[store.Completed] != 1 {
			t.Errorf("%q: got %+v, counted %v; want the one", search, list, counts)
		}
	}

	// It is changed, and somebody deletes it there.
	m := greeting
	m.Title = "Another"
	r.write(func(tx *store.Tx) error { return tx.SaveMetadata(id, m) })
	r.must(r.studio.Update(t.Context(), id, "CLIPS", KeepNone, owner))
	if got := c.videos[p.Upload.ID]; got != "Another" {
		t.Errorf("got %q; want it changed there", got)
	}
	clear(c.videos)
	m.Title = "A third"
	r.write(func(tx *store.Tx) error { return tx.SaveMetadata(id, m) })
	if err := r.studio.Update(t.Context(), id, "CLIPS", KeepNone, owner); retry.CodeOf(err) != "clips_not_found" ||
		r.on(id, "CLIPS").Standing != "gone" {
		t.Errorf("got %v, %+v; want it known to be gone", err, r.on(id, "CLIPS"))
	}
	r.must(r.studio.PublishAgain(t.Context(), id, "CLIPS", owner))
	r.must(r.work())
	clear(c.videos)
	r.ahead.Add(int64(time.Hour))
	r.must(NewLooks(r.sites, nil).Once(t.Context()))
	news, err := r.store.Attention(t.Context(), owner, time.Time{})
	if err != nil || r.on(id, "CLIPS").Standing != "gone" || news[store.NeedsPublication].N != 1 {
		t.Errorf("got %+v, %v, %v; want a look to find it gone", r.on(id, "CLIPS"), news, err)
	}
	r.must(r.studio.Check(t.Context(), channel.ID, owner))

	// What waits for a disconnected channel goes on when it is connected again.
	other := r.owe("CLIPS", channel.ID, time.Time{})
	r.must(r.studio.Disconnect(t.Context(), channel.ID, owner))
	if p := r.on(other, "CLIPS"); p.Status != store.Failed || p.ErrorCode != "clips_disconnected" {
		t.Errorf("got %+v", p)
	}
	_, err = r.studio.Join(t.Context(), "CLIPS", "news", owner)
	r.must(err)
	r.must(r.work())
	deleted, err := r.studio.Remove(t.Context(), other, "CLIPS", owner)
	if err != nil || !deleted || len(c.videos) != 0 {
		t.Errorf("got %v, %v, %v; want nothing left there", deleted, err, c.videos)
	}
}

func TestPlaces_OneThatCannotBeAskedIsNotLookedAt(t *testing.T) {
	c := &clips{videos: map[string]string{}}
	further(t, func(s *Sites) Site { c.Sites = s; return mute{c} })
	r := newRig(t)
	var channel store.Channel
	r.write(func(tx *store.Tx) (err error) {
		channel = store.Channel{Platform: "CLIPS", External: "news", Title: "News", Creator: owner.ID}
		channel.ID, err = tx.Connect(channel, []byte{})
		return err
	})
	r.owe("CLIPS", channel.ID, time.Time{})
	r.must(r.work())
	r.ahead.Add(int64(time.Hour))
	looks := NewLooks(r.sites, nil)
	r.must(looks.Once(t.Context()))
	if due, err := r.store.Looks(t.Context(), 9); err != nil || len(due) != 0 {
		t.Errorf("got %+v, %v; want none left to look at", due, err)
	}
}
