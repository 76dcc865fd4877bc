// Posting in a Telegram channel: once, by the handle that Telegram has given, at its time, and as it should be.

package publish

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/store"
)

// sendings counts the posts that were sent, and those that brought a file along.
func (r *rig) sendings() (posts, uploads int) {
	for _, c := range r.chats.Calls() {
		if c.Method == "sendVideo" {
			if posts++; c.Uploaded {
				uploads++
			}
		}
	}
	return posts, uploads
}

func TestTelegram_PostsOnceByTheHandleEditsAndDeletes(t *testing.T) {
	r := newRig(t)
	channel := r.connect("TELEGRAM")
	id := r.owe("TELEGRAM", channel, time.Time{})
	r.must(r.work())
	p, posts := r.on(id, "TELEGRAM"), r.news.Messages()
	if len(posts) != 1 || posts[0].Text != "A greeting\n\nС Новым годом!\n\n#new_year #ёлка" {
		t.Fatalf("got %+v", posts)
	}
	if want := fmt.Sprintf("https://t.me/good_news/%d", posts[0].ID); p.Status != store.Completed || p.Upload.URL != want {
		t.Errorf("got %+v; want it completed, at %s", p, want)
	}
	a, err := r.store.Asset(t.Context(), id)
	r.must(err)
	if a.FileID == "" {
		t.Error("Telegram's handle is not kept")
	}

	// Where Telegram has the video, nothing is uploaded.
	other := r.video()
	r.write(func(tx *store.Tx) error {
		if err := tx.KeepFileID(other, a.FileID); err != nil {
			return err
		}
		return tx.Publish(other, store.Publication{Platform: "TELEGRAM", Channel: channel, Creator: owner.ID,
			Metadata: greeting})
	})
	r.must(r.work())
	if n, uploads := r.sendings(); n != 2 || uploads != 1 {
		t.Errorf("got %d posts, %d of them uploads; want 2, 1", n, uploads)
	}

	m := greeting
	m.Title, m.Tags = "Another", ""
	r.write(func(tx *store.Tx) error { return tx.SaveMetadata(id, m) })
	r.must(r.studio.Update(t.Context(), id, "TELEGRAM", KeepNone, owner))
	if got := r.news.Messages()[0].Text; got != "Another\n\nС Новым годом!" || r.on(id, "TELEGRAM").Metadata != m {
		t.Errorf("got %q, %+v", got, r.on(id, "TELEGRAM").Metadata)
	}
	deleted, err := r.studio.Remove(t.Context(), id, "TELEGRAM", owner)
	if err != nil || !deleted || len(r.news.Messages()) != 1 || r.on(id, "TELEGRAM").ID != 0 {
		t.Errorf("got %v, %v, %d posts, %+v", deleted, err, len(r.news.Messages()), r.on(id, "TELEGRAM"))
	}
	if got := r.chats.Mistakes(); len(got) > 0 {
		t.Errorf("the Bot API does not know %v", got)
	}
}

func TestTelegram_UploadsWhatItHasForgotten(t *testing.T) {
	for _, words := range []string{"wrong file identifier/HTTP URL specified", "type of file mismatch", "FILE_ID_INVALID",
		"FILE_REFERENCE_0_EXPIRED", "SOMETHING_NEW"} {
		t.Run(words, func(t *testing.T) {
			r := newRig(t)
			id := r.owe("TELEGRAM", r.connect("TELEGRAM"), time.Time{})
			r.write(func(tx *store.Tx) error { return tx.KeepFileID(id, "BAACAgforgotten") })
			r.refuseOnce("/sendVideo", words)
			r.must(r.work())
			a, err := r.store.Asset(t.Context(), id)
			r.must(err)
			if n := len(r.news.Messages()); n != 1 || a.FileID == "BAACAgforgotten" || a.FileID == "" {
				t.Errorf("got %d posts and the handle %q", n, a.FileID)
			}
		})
	}
}

func TestTelegram_AChannelThatIsGoneCostsNoUpload(t *testing.T) {
	for _, words := range []string{"PEER_ID_INVALID", "chat not found", "not enough rights to send videos to the chat"} {
		t.Run(words, func(t *testing.T) {
			r := newRig(t)
			id := r.owe("TELEGRAM", r.connect("TELEGRAM"), time.Time{})
			r.write(func(tx *store.Tx) error { return tx.KeepFileID(id, "BAACAgkept") })
			r.refuseOnce("/sendVideo", words)
			err := r.work()
			a, problem := r.store.Asset(t.Context(), id)
			r.must(problem)
			if n := len(r.news.Messages()); kindOf(err) != "ended" || n != 0 || a.FileID != "BAACAgkept" {
				t.Errorf("got %v, %d posts and the handle %q", err, n, a.FileID)
			}
		})
	}
}

func TestLooks_APostThatSomebodyDeletedIsGone(t *testing.T) {
	r := newRig(t)
	id := r.owe("TELEGRAM", r.connect("TELEGRAM"), time.Time{})
	r.must(r.work())
	look := func(after time.Duration) string {
		r.ahead.Add(int64(after))
		r.must(NewLooks(r.sites, slog.New(slog.DiscardHandler)).Once(t.Context()))
		return r.on(id, "TELEGRAM").Standing
	}
	post := r.news.Messages()[0]
	r.news.SetCaption(int(post.ID), "Words of another admin")
	if got := look(6 * time.Minute); got != "" || r.news.Messages()[0].Text != "Words of another admin" {
		t.Fatalf("got it found %q and saying %q; want it left as it is", got, r.news.Messages()[0].Text)
	}
	r.intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		telegramSays(400, "Bad Request: SOMETHING_NEW")(w)
		return true
	})
	r.news.Delete(int(post.ID))
	if got := look(25 * time.Hour); got != "" {
		t.Fatalf("got %q of an answer that says nothing; want it left as it was", got)
	}
	r.intercept(nil)
	if got := look(time.Hour); got != "gone" {
		t.Fatalf("got %q; want it gone", got)
	}
	r.must(r.studio.PublishAgain(t.Context(), id, "TELEGRAM", owner))
	if why, ok := r.tries[len(r.tries)-1].(retry.AdminClicked); !ok || why.Platform != "TELEGRAM" {
		t.Errorf("got %+v; want it published again", r.tries)
	}
	if got := r.chats.Mistakes(); len(got) > 0 {
		t.Errorf("the Bot API does not know %v", got)
	}
}

// refuseOnce makes Telegram refuse the next call of a method in some words.
func (r *rig) refuseOnce(method, words string) {
	var refused atomic.Bool
	r.intercept(func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.HasSuffix(q.URL.Path, method) || refused.Swap(true) {
			return false
		}
		telegramSays(400, "Bad Request: "+words)(w)
		return true
	})
}

func TestTelegram_ALostAnswerIsAskedAbout(t *testing.T) {
	lost := func(r *rig, id string) {
		r.intercept(func(w http.ResponseWriter, q *http.Request) bool {
			if strings.HasSuffix(q.URL.Path, "/sendVideo") {
				panic(http.ErrAbortHandler)
			}
			return false
		})
		if err := r.work(); kindOf(err) != "unclear" || r.on(id, "TELEGRAM").Step != "unknown" {
			r.Fatalf("got %v, %+v", err, r.on(id, "TELEGRAM"))
		}
		r.intercept(nil)
	}
	t.Run("it is not there", func(t *testing.T) {
		r := newRig(t)
		id := r.owe("TELEGRAM", r.connect("TELEGRAM"), time.Time{})
		lost(r, id)
		_, err := r.Retry(t.Context(), id, retry.AdminClicked{Admin: owner, Platform: "TELEGRAM"})
		r.must(err)
		r.must(r.work())
		if n := len(r.news.Messages()); n != 1 {
			t.Errorf("got %d posts", n)
		}
	})
	t.Run("it is there", func(t *testing.T) {
		r := newRig(t)
		id := r.owe("TELEGRAM", r.connect("TELEGRAM"), time.Time{})
		lost(r, id)
		for address, want := range map[string]error{"https://t.me/other/7": ErrURLSite, "https://youtu.be/abc": ErrURLSite,
			"https://t.me/good_news": ErrURLVideo, "no address": ErrURL, "https://t.me/c/999999999/7": ErrURLSite} {
			if err := r.studio.MarkPublished(t.Context(), id, "TELEGRAM", address, owner); !errors.Is(err, want) {
				t.Errorf("%s: got %v; want %v", address, err, want)
			}
		}
		r.must(r.studio.MarkPublished(t.Context(), id, "TELEGRAM", "t.me/Good_News/7?single", owner))
		if p := r.on(id, "TELEGRAM"); p.Status != store.Completed || p.Upload.ID != fmt.Sprintf("%d/7", newsID) ||
			p.Upload.URL != "https://t.me/good_news/7" {
			t.Errorf("got %+v", p)
		}
	})
}

func TestTelegram_NothingPrivateIsPosted(t *testing.T) {
	r := newRig(t)
	id := r.owe("TELEGRAM", r.connect("TELEGRAM"), time.Time{})
	m := greeting
	m.Privacy = "unlisted"
	r.write(func(tx *store.Tx) error { return tx.SaveMetadata(id, m) })
	err := r.work()
	if kindOf(err) != "final" || retry.CodeOf(err) != "telegram_not_public" || len(r.news.Messages()) != 0 {
		t.Errorf("got %v, %d posts", err, len(r.news.Messages()))
	}
}

func TestTelegram_ADisconnectedChannelGoesOnWhenItIsConnected(t *testing.T) {
	r := newRig(t)
	channel := r.connect("TELEGRAM")
	id := r.owe("TELEGRAM", channel, time.Time{})
	r.must(r.studio.Disconnect(t.Context(), channel, owner))
	if p := r.on(id, "TELEGRAM"); p.Status != store.Failed || p.Step != "reconnect" ||
		p.ErrorCode != "telegram_disconnected" {
		t.Errorf("got %+v", p)
	}
	waiting, err := r.store.WaitingForChannels(t.Context())
	if err != nil || waiting[channel] != 1 {
		t.Errorf("got %v, %v; want one that waits", waiting, err)
	}
	if err := r.studio.Check(t.Context(), channel, owner); !errors.Is(err, ErrNoAccess) {
		t.Errorf("got %v", err)
	}
	if again := r.connect("TELEGRAM"); again != channel {
		t.Errorf("got channel %d; want %d", again, channel)
	}
	r.must(r.work())
	if p := r.on(id, "TELEGRAM"); p.Status != store.Completed {
		t.Errorf("got %+v", p)
	}
}

func TestTelegram_AVideoThatShouldGoIsDeletedThere(t *testing.T) {
	r := newRig(t)
	id := r.owe("TELEGRAM", r.connect("TELEGRAM"), time.Time{})
	r.must(r.work())
	p := r.on(id, "TELEGRAM")
	site := r.sites.Platforms()["TELEGRAM"].(Changer)
	for range 2 { // what is gone already is no error
		if err := site.Erase(t.Context(), p, videoSize); err != nil || len(r.news.Messages()) != 0 {
			t.Errorf("got %v, %d posts", err, len(r.news.Messages()))
		}
	}
}

func TestPostpone_MovesWhatWaitsHereAndWhatWaitsThere(t *testing.T) {
	for _, platform := range []string{"YOUTUBE", "RUMBLE", "TELEGRAM"} {
		t.Run(platform, func(t *testing.T) {
			r := newRig(t)
			first := r.store.Now().Add(2 * time.Hour).Truncate(time.Minute)
			id := r.owe(platform, r.connect(platform), first)
			place, _ := PlaceOf(platform)
			if place.Times {
				r.must(r.work())
			} else if err := r.work(); !errors.Is(err, store.ErrNotFound) {
				t.Fatalf("got %v; want that it waits", err)
			}
			later := first.Add(24 * time.Hour)
			r.must(r.studio.Postpone(t.Context(), id, platform, time.Time{}, later, owner))
			if p := r.on(id, platform); !p.PublishAt.Equal(later) {
				t.Errorf("got %v; want %v", p.PublishAt, later)
			}
			list, err := r.store.Scheduled(t.Context(), first, later.Add(time.Minute), 5)
			if err != nil || len(list) != 1 || list[0].AssetID != id || list[0].Name != "Лето" {
				t.Errorf("got %+v, %v", list, err)
			}
			if place.Times {
				if v := r.tube.Videos()[0]; !v.PublishAt.Equal(later) || v.Privacy != "private" {
					t.Errorf("got %+v; want it private until %v", v, later)
				}
			} else {
				r.ahead.Add(int64(3 * time.Hour))
				if err := r.work(); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("got %v; want that it waits for the new time", err)
				}
			}
			// Another admin's page was opened before that: what it says is not what is there.
			if err := r.studio.Postpone(t.Context(), id, platform, first, first.Add(time.Hour), owner); !errors.Is(err, ErrMoved) ||
				!r.on(id, platform).PublishAt.Equal(later) {
				t.Errorf("got %v and %v; want it refused", err, r.on(id, platform).PublishAt)
			}
			r.must(r.studio.Postpone(t.Context(), id, platform, later, time.Time{}, owner))
			if !place.Times {
				r.must(r.work())
			} else if v := r.tube.Videos()[0]; !v.PublishAt.IsZero() || v.Privacy != "public" {
				t.Errorf("got %+v; want it public", v)
			}
			if p := r.on(id, platform); p.Status != store.Completed || !p.PublishAt.IsZero() || len(r.there(platform)) != 1 {
				t.Errorf("got %+v", p)
			}
			if err := r.studio.Postpone(t.Context(), id, platform, time.Time{}, later, owner); !errors.Is(err, ErrNoChange) {
				t.Errorf("got %v; want that nothing waits any more", err)
			}
		})
	}
}

func TestUpdate_WhatSomebodyHasDeletedThereIsNotCalledPublished(t *testing.T) {
	for _, platform := range []string{"YOUTUBE", "TELEGRAM"} {
		t.Run(platform, func(t *testing.T) {
			r := newRig(t)
			id := r.owe(platform, r.connect(platform), time.Time{})
			r.must(r.work())
			r.must(r.sites.Platforms()[platform].(Changer).Erase(t.Context(), r.on(id, platform), videoSize))
			m := greeting
			m.Title = "Another"
			r.write(func(tx *store.Tx) error { return tx.SaveMetadata(id, m) })
			err := r.studio.Update(t.Context(), id, platform, KeepNone, owner)
			if p := r.on(id, platform); kindOf(err) != "final" || p.Standing != "gone" {
				t.Errorf("got %v, %+v; want that it is gone", err, p)
			}
			r.must(r.studio.PublishAgain(t.Context(), id, platform, owner))
			r.must(r.work())
			if p := r.on(id, platform); p.Status != store.Completed || p.Standing != "" || len(r.there(platform)) != 1 {
				t.Errorf("got %+v and %v there", p, r.there(platform))
			}
		})
	}
}

func TestLibrary_FiltersByEveryPlatform(t *testing.T) {
	for _, place := range Places {
		t.Run(place.ID, func(t *testing.T) {
			r := newRig(t)
			id := r.owe(place.ID, r.connect(place.ID), time.Time{})
			r.video() // is nowhere
			f := store.Filter{Platform: place.ID, Limit: 5}
			there := func() (listed, counted int, platforms []string) {
				counts, err := r.store.Counts(t.Context(), f)
				r.must(err)
				list, err := r.store.Library(t.Context(), f, counts[store.Completed])
				r.must(err)
				platforms, err = r.store.Platforms(t.Context())
				r.must(err)
				return len(list), counts[store.Completed], platforms
			}
			for _, search := range []string{"", "лет"} {
				f.Search = search
				if n, counted, platforms := there(); n != 1 || counted != 1 || len(platforms) != 1 || platforms[0] != place.ID {
					t.Errorf("%q: got %d, counted %d, on %v; want one on %s", search, n, counted, platforms, place.ID)
				}
			}
			r.write(func(tx *store.Tx) error { return tx.Unpublish(id, place.ID) })
			if n, counted, platforms := there(); n+counted+len(platforms) != 0 {
				t.Errorf("got %d, counted %d, on %v; want none", n, counted, platforms)
			}
		})
	}
}

// The program ended before anything had left: the attempt begins again.
func TestTelegram_AStopBeforeTheVideoLeavesIsNoLostAnswer(t *testing.T) {
	r := newRig(t)
	id := r.owe("TELEGRAM", r.connect("TELEGRAM"), time.Time{})
	r.write(func(tx *store.Tx) error {
		tasks, err := tx.Claim(store.Publish, false, 1)
		if err != nil {
			return err
		}
		if err := tx.KeepUpload(tasks[0].Job, store.Upload{Step: "uploading"}); err != nil {
			return err
		}
		return tx.GiveBack(tasks[0].Job)
	})
	r.must(r.work())
	if p := r.on(id, "TELEGRAM"); p.Status != store.Completed || len(r.news.Messages()) != 1 {
		t.Errorf("got %+v and %d posts; want it posted once", p, len(r.news.Messages()))
	}
}

func TestTelegram_WithoutABotNothingIsPosted(t *testing.T) {
	r := newRig(t)
	r.owe("TELEGRAM", r.connect("TELEGRAM"), time.Time{})
	var tasks []store.Task
	r.write(func(tx *store.Tx) (err error) { tasks, err = tx.Claim(store.Publish, false, 1); return err })
	r.sites.talk = nil
	_, err := onTelegram{r.sites}.Publish(t.Context(), tasks[0], func(store.Upload) error { return nil })
	if retry.CodeOf(err) != "telegram_not_set_up" {
		t.Errorf("got %v; want that the bot is off", err)
	}
}

// A video of which all has left is asked about, though it could not be sent once more.
func TestTelegram_WhatHasLeftIsAskedAboutWhateverItsSize(t *testing.T) {
	for sent, want := range map[int64]string{0: "telegram_too_large", videoSize: "telegram_unclear"} {
		r := newRig(t)
		r.owe("TELEGRAM", r.connect("TELEGRAM"), time.Time{})
		var tasks []store.Task
		r.write(func(tx *store.Tx) (err error) { tasks, err = tx.Claim(store.Publish, false, 1); return err })
		r.sites.maxUpload = 1
		if sent > 0 {
			tasks[0].Publication.Upload = store.Upload{Step: "uploading", Sent: sent}
		}
		_, err := onTelegram{r.sites}.Publish(t.Context(), tasks[0], func(store.Upload) error { return nil })
		if got := retry.CodeOf(err); got != want {
			t.Errorf("%d bytes sent: got %q, %v; want %q", sent, got, err, want)
		}
	}
}
