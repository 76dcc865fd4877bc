// What a person had deleted is never published afterwards: every state of a publication, and every way to go on with
// it.

package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/store"
)

// errHalf cuts an upload off.
var errHalf = errors.New("cut off here")

// wished makes a finished video that only user 1 asked for, with a file of 4 MiB.
func (b *broadcaster) wished() (assetID string) {
	b.Helper()
	const size = 4 << 20
	a := ask(b, b.store, "Маша", 1)
	b.film(a.ID+".mp4", size)
	task := begin(b, b.store, store.Render)
	write(b, b.store, func(tx *store.Tx) error {
		return tx.FinishRender(task.Job, store.Video{File: a.ID + ".mp4", Thumb: "A.jpg", Size: size})
	})
	return a.ID
}

// lost lets an upload arrive whose last answer nobody stores.
const lost = -2

// sends lets an attempt run until it stores so many sent bytes; 0: before the first byte; -1: to its end.
func (b *broadcaster) sends(bytes int64) store.Task {
	b.Helper()
	t := begin(b, b.store, store.Publish)
	if bytes == 0 {
		return t
	}
	_, err := b.sites.Platforms()[t.Publication.Platform].Publish(b.Context(), t, func(u store.Upload) error {
		if bytes == lost && u.ID != "" {
			return errHalf
		}
		if err := b.store.Tx(b.Context(), func(tx *store.Tx) error { return tx.KeepUpload(t.Job, u) }); err != nil {
			return err
		}
		if bytes > 0 && u.Sent >= bytes {
			return errHalf
		}
		return nil
	})
	if (bytes != -1) != errors.Is(err, errHalf) {
		b.Fatalf("got %v; want the upload to end as planned", err)
	}
	return t
}

func TestPublishing_NothingOfAForgottenPersonIsPublished(t *testing.T) {
	fails := func(b *broadcaster, task store.Task, step string) {
		write(b, b.store, func(tx *store.Tx) error { return tx.GiveUp(task.Job, "youtube http503: unavailable", step) })
	}
	waits := func(b *broadcaster, task store.Task) {
		write(b, b.store, func(tx *store.Tx) error {
			return tx.Reschedule(task.Job, tx.Now(), "youtube http503: unavailable")
		})
	}
	const half = 1 << 20
	states := map[string]struct {
		step   string
		set    func(b *broadcaster)
		stays  string // status and step in which an admin finds it; "": nothing stays
		onTube int    // videos that are public before and after
	}{
		"waiting":                           {set: func(b *broadcaster) {}},
		"waiting for its time":              {step: "scheduled", set: func(b *broadcaster) {}},
		"waiting for somebody":              {step: "manual", set: func(b *broadcaster) {}},
		"begun":                             {set: func(b *broadcaster) { b.sends(0) }},
		"half sent":                         {set: func(b *broadcaster) { b.sends(half) }},
		"half sent, waiting":                {set: func(b *broadcaster) { waits(b, b.sends(half)) }},
		"sent":                              {set: func(b *broadcaster) { b.sends(-1) }},
		"sent, waiting":                     {set: func(b *broadcaster) { waits(b, b.sends(-1)) }},
		"failed before anything":            {set: func(b *broadcaster) { fails(b, b.sends(0), "") }},
		"failed without access":             {set: func(b *broadcaster) { fails(b, b.sends(0), "reconnect") }},
		"failed half sent":                  {set: func(b *broadcaster) { fails(b, b.sends(half), "") }},
		"failed half sent, without access":  {set: func(b *broadcaster) { fails(b, b.sends(half), "reconnect") }},
		"failed when sent":                  {set: func(b *broadcaster) { fails(b, b.sends(-1), "") }},
		"its last answer was lost":          {set: func(b *broadcaster) { b.sends(lost) }},
		"its last answer was lost, waiting": {set: func(b *broadcaster) { waits(b, b.sends(lost)) }},
		"published": {stays: "COMPLETED ", onTube: 1, set: func(b *broadcaster) {
			task := b.sends(-1)
			write(b, b.store, func(tx *store.Tx) error { _, err := tx.FinishPublishing(task.Job); return err })
		}},
		"published, to be shown later": {set: func(b *broadcaster) {
			task := b.sends(-1)
			write(b, b.store, func(tx *store.Tx) error { _, err := tx.FinishPublishing(task.Job); return err })
			mutate(b, b.store, `UPDATE publications SET publish_at = ?`, b.store.Now().Add(time.Hour).UnixMilli())
		}},
	}
	ways := map[string]func(b *broadcaster, id string, c store.Channel) error{
		"the start": func(b *broadcaster, id string, c store.Channel) error { return nil },
		"its time": func(b *broadcaster, id string, c store.Channel) error {
			b.ahead.Add(int64(30 * 24 * time.Hour))
			return nil
		},
		"Retry": func(b *broadcaster, id string, c store.Channel) error {
			_, err := b.queue.Retry(b.Context(), id, retry.AdminClicked{Admin: owner8, Platform: "YOUTUBE"})
			return err
		},
		"Retry all": func(b *broadcaster, id string, c store.Channel) error {
			n, until, err := b.store.CountUnpublished(b.Context(), owner8, store.Filter{})
			if n != 0 {
				b.Errorf("got %d publications to try again; want none", n)
			}
			tally, failed := retry.AllPublications(
				b.Context(),
				b.store,
				b.queue,
				owner8,
				store.Filter{},
				until.Add(time.Hour),
				10,
			)
			if tally.Restarted != 0 {
				b.Errorf("got %+v; want nothing restarted", tally)
			}
			return errors.Join(err, failed)
		},
		"reconnecting": func(b *broadcaster, id string, c store.Channel) error {
			write(b, b.store, func(tx *store.Tx) error { return tx.LoseAccess(c.ID, b.store.Now(), "revoked") })
			b.connect()
			return b.queue.Reconnected(b.Context(), owner8)
		},
		"publishing": func(b *broadcaster, id string, c store.Channel) error {
			return b.store.Tx(b.Context(), func(tx *store.Tx) error {
				return tx.Publish(id, store.Publication{Platform: "RUMBLE", Creator: 8, Metadata: described})
			})
		},
	}
	for name, state := range states {
		for way, goes := range ways {
			t.Run(name+", "+way, func(t *testing.T) {
				var self atomic.Pointer[broadcaster]
				b := newBroadcaster(t, func(http.ResponseWriter, *http.Request) {
					if b := self.Load(); b != nil {
						b.ahead.Add(int64(time.Second)) // so that all progress is stored
					}
				})
				self.Store(b)
				channel := b.connect()
				id := b.wished()
				p := store.Publication{Platform: "YOUTUBE", Channel: channel.ID, Step: state.step}
				if state.step == "scheduled" {
					p.PublishAt = b.store.Now().Add(24 * time.Hour)
				}
				b.publishes(id, p)
				state.set(b)
				before := b.tube.BytesIn()
				var gone store.Deleted
				write(t, b.store, func(tx *store.Tx) (err error) { gone, err = tx.Forget(1); return err })
				if n := count(t, b.store, `SELECT count(*) FROM jobs`); n != 0 {
					t.Errorf("got %d jobs; want none", n)
				}
				b.queue.Discard(t.Context(), gone)
				err := goes(b, id, channel)
				_, away := b.store.Asset(t.Context(), id)
				switch {
				case err == nil,
					errors.Is(err, store.ErrNotPublishable),
					errors.Is(err, store.ErrNotFound) && errors.Is(away, store.ErrNotFound),
					errors.Is(err, store.ErrNotFailed) && state.onTube == 1:
				default:
					t.Errorf("got %v; want the way refused", err)
				}
				b.run()
				if err := b.queue.Alive(t.Context()); err != nil {
					t.Error(err)
				}
				b.eventually("the end of it", func() bool {
					_, err := b.store.Asset(t.Context(), id)
					kept := strings.Contains(fmt.Sprint(keysOf(t, b.files)), id)
					return errors.Is(err, store.ErrNotFound) == (state.stays == "") && kept == (state.stays != "") &&
						b.tube.Open() == 0 && len(b.tube.Videos()) == state.onTube
				})
				if state.stays != "" {
					wantState(t, b.store, id, state.stays)
				}
				if n := count(t, b.store, `SELECT count(*) FROM jobs`); n != 0 || b.tube.BytesIn() != before ||
					len(b.rumbles.Videos()) != 0 {
					t.Errorf(
						"got %d jobs, %d bytes more, %d videos on Rumble; want none",
						n,
						b.tube.BytesIn()-before,
						len(b.rumbles.Videos()),
					)
				}
			})
		}
	}
}

// eventually waits for a condition.
func (b *broadcaster) eventually(what string, is func() bool) {
	b.Helper()
	if err := until(b, is, b.log.String); err != nil {
		b.Fatalf("%s: %v; %s", what, err, b.log)
	}
}
