// Tests of publications that are tried again, scheduled, or sent by hand.

package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/publish"
	"retake.example/internal/retry"
	"retake.example/internal/store"
)

func TestRetryOfARejectedVideoBeginsAnew(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		channel, yt := connected(t, s, "UC1"), &site{}
		yt.does(func(_ context.Context, t store.Task, keep func(store.Upload) error) (time.Duration, error) {
			if err := keep(store.Upload{Session: "https://one", Since: time.Now(), Step: "processing", Sent: 100, ID: "bad", Uploaded: time.Now(), ExtrasDone: true}); err != nil {
				return 0, err
			}
			return 0, refusal{text: "youtube rejected-copyright: claimed", step: "rejected", permanent: true}
		})
		id := publishes(t, s, channel, "Лето")
		q, stop := start(t, s, &bench{}, onSite(yt))
		defer stop()
		time.Sleep(time.Second)
		synctest.Wait()
		wantState(t, s, id, "FAILED rejected")
		if got := upload(t, s, id); got.ID != "bad" {
			t.Errorf("got %+v; want the id of what is there, to delete it", got)
		}
		var met store.Publication
		yt.does(func(_ context.Context, t store.Task, keep func(store.Upload) error) (time.Duration, error) {
			met = *t.Publication
			return 0, keep(store.Upload{ID: "good", Step: "processing"})
		})
		write(t, s, func(tx *store.Tx) error {
			return tx.SaveMetadata(id, store.Metadata{Title: "Без музыки", Kids: "yes"})
		})
		if _, err := q.Retry(t.Context(), id, retry.AdminClicked{Admin: owner8, Platform: "YOUTUBE"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if met.Upload != (store.Upload{}) || met.Metadata.Title != "Без музыки" {
			t.Errorf("got %+v; want an upload from nothing, with what was saved since", met)
		}

		yt.fails(refusal{text: "youtube forbidden: no", permanent: true})
		write(t, s, func(tx *store.Tx) error {
			return errors.Join(tx.SaveMetadata(id, store.Metadata{Title: "Без выбора"}), tx.Unpublish(id, "YOUTUBE"),
				tx.Publish(id, store.Publication{Platform: "YOUTUBE", Channel: channel, Creator: 7, Metadata: store.Metadata{Title: "Лето", Kids: "yes"}}))
		})
		time.Sleep(time.Second)
		synctest.Wait()
		yt.does(func(_ context.Context, t store.Task, keep func(store.Upload) error) (time.Duration, error) {
			met = *t.Publication
			return 0, keep(store.Upload{ID: "good", Step: "processing"})
		})
		if _, err := q.Retry(t.Context(), id, retry.AdminClicked{Admin: owner8, Platform: "YOUTUBE"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if met.Metadata.Kids != "yes" {
			t.Errorf("got %+v; want what was chosen as long as nothing else is", met.Metadata)
		}
	})
}

func TestAScheduledOneWaitsForItsTimeAndMayBeTakenBack(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		rumble := &site{}
		_, stop := start(t, s, &bench{}, Options{Sites: map[string]publish.Platform{"RUMBLE": rumble}})
		defer stop()
		at := time.Now().Add(48 * time.Hour)
		var ids []string
		for _, name := range []string{"Лето", "Зима"} {
			id := uploaded(t, s, name)
			write(t, s, func(tx *store.Tx) error {
				return tx.Publish(id, store.Publication{Platform: "RUMBLE", Creator: 7, Step: "scheduled", PublishAt: at})
			})
			ids = append(ids, id)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		wantState(t, s, ids[0], "PENDING scheduled")
		write(t, s, func(tx *store.Tx) error { return tx.Unpublish(ids[1], "RUMBLE") })
		time.Sleep(time.Until(at) + time.Second)
		synctest.Wait()
		wantState(t, s, ids[0], "COMPLETED ")
		if len(rumble.at) != 1 || rumble.at[0].Before(at) {
			t.Errorf("got attempts at %v; want one, at its time", rumble.at)
		}
		if n := count(t, s, `SELECT count(*) FROM assets WHERE published = 1`); n != 1 {
			t.Errorf("got %d on Rumble; want 1", n)
		}
	})
}

func TestWhatMayBeOnRumbleIsNotSentAgainUnaskedWhateverElseFails(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		for sent, want := range map[int64]string{99: "FAILED ", 100: "FAILED unknown"} {
			id, rumble := uploaded(t, s, "Лето"), &site{}
			rumble.does(func(ctx context.Context, _ store.Task, keep func(store.Upload) error) (time.Duration, error) {
				if err := keep(store.Upload{Step: "uploading", Sent: sent}); err != nil {
					return 0, err
				}
				<-ctx.Done()
				return 0, ctx.Err()
			})
			write(t, s, func(tx *store.Tx) error { return tx.Publish(id, store.Publication{Platform: "RUMBLE", Creator: 7}) })
			_, stop := start(t, s, &bench{}, Options{Sites: map[string]publish.Platform{"RUMBLE": rumble}})
			time.Sleep(time.Second)
			synctest.Wait()
			stop()
			// its token was taken out of the settings
			_, stop = start(t, s, &bench{}, Options{Sites: map[string]publish.Platform{}})
			time.Sleep(time.Second)
			synctest.Wait()
			wantState(t, s, id, want)
			stop()
		}
	})
}

// The answer to the only part of a small file may have been lost: the video may be there.
func TestWhatHasBegunIsNotForgotten(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		channel, yt := connected(t, s, "UC1"), &site{}
		yt.does(func(_ context.Context, _ store.Task, keep func(store.Upload) error) (time.Duration, error) {
			if err := keep(store.Upload{Session: "https://secret", Since: time.Now(), Step: "uploading"}); err != nil {
				return 0, err
			}
			return 0, errUnavailable
		})
		id := publishes(t, s, channel, "Лето")
		_, stop := start(t, s, &bench{}, onSite(yt))
		defer stop()
		time.Sleep(time.Second)
		synctest.Wait()
		wantState(t, s, id, "PENDING uploading")
		var busy store.Busy
		if err := s.Tx(t.Context(), func(tx *store.Tx) error { return tx.Unpublish(id, "YOUTUBE") }); !errors.As(err, &busy) {
			t.Errorf("got %v; want it busy", err)
		}
	})
}

func TestWithoutThePlatformAPublicationFailsWithAWord(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		id := publishes(t, s, connected(t, s, "UC1"), "Лето")
		_, stop := start(t, s, &bench{}, Options{Sites: map[string]publish.Platform{}})
		defer stop()
		time.Sleep(time.Second)
		synctest.Wait()
		if got, problem := stands(t, s, id); got != "FAILED " || problem != "YOUTUBE is not set up" {
			t.Errorf("got %q, %q; want it failed with the reason", got, problem)
		}
	})
}

func TestRetryAllTakesPublicationsThatAnotherTryMayHelp(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		channel, yt := connected(t, s, "UC1"), &site{}
		steps := map[string]string{"Лето": "", "Зима": "edit", "Весна": "unknown", "Март": "rejected"}
		yt.does(func(_ context.Context, t store.Task, _ func(store.Upload) error) (time.Duration, error) {
			return 0, refusal{text: "youtube x: y", permanent: true, step: steps[t.Asset.Name]}
		})
		ids := map[string]string{}
		for name := range steps {
			ids[name] = publishes(t, s, channel, name)
		}
		q, stop := start(t, s, &bench{}, onSite(yt))
		defer stop()
		time.Sleep(time.Minute)
		synctest.Wait()
		for _, c := range []struct {
			admin store.Admin
			f     store.Filter
			want  int
		}{{owner8, store.Filter{}, 2}, {store.Admin{ID: 7}, store.Filter{}, 2}, {store.Admin{ID: 6}, store.Filter{}, 0}, {owner8, store.Filter{Platform: "RUMBLE"}, 0}, {owner8, store.Filter{Platform: "YOUTUBE"}, 2},
			{owner8, store.Filter{Search: "лет"}, 1}, {owner8, store.Filter{Status: store.Failed}, 0}} {
			if n, _, err := s.CountUnpublished(t.Context(), c.admin, c.f); err != nil || n != c.want {
				t.Errorf("%+v %+v: got %d, %v; want %d", c.admin, c.f, n, err, c.want)
			}
		}
		_, until, err := s.CountUnpublished(t.Context(), owner8, store.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		later := publishes(t, s, channel, "Позже")
		time.Sleep(time.Minute)
		synctest.Wait()
		yt.does(nil)
		if got, err := retry.AllPublications(t.Context(), s, q, owner8, store.Filter{}, until, 10); err != nil || got != (retry.Tally{Outcome: retry.Restarted, Restarted: 2, Joined: 0, Skipped: 0}) {
			t.Errorf("got %+v, %v; want two", got, err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		for id, want := range map[string]string{ids["Лето"]: "COMPLETED ", ids["Зима"]: "COMPLETED ", ids["Весна"]: "FAILED unknown", ids["Март"]: "FAILED rejected", later: "FAILED "} {
			wantState(t, s, id, want)
		}
	})
}
