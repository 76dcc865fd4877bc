// Publications as jobs of the queue, in fake time, on a site that does what the test says.

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/publish"
	"retake.example/internal/retry"
	"retake.example/internal/store"
)

// site is a platform; the error of each attempt is what next says.
type site struct {
	mu   sync.Mutex
	next func(ctx context.Context, t store.Task, keep func(store.Upload) error) (time.Duration, error)
	at   []time.Time // of the attempts
}

func (s *site) Publish(ctx context.Context, t store.Task, keep func(store.Upload) error) (time.Duration, error) {
	s.mu.Lock()
	s.at = append(s.at, time.Now())
	next := s.next
	s.mu.Unlock()
	if next == nil {
		return 0, keep(store.Upload{ID: "vid-" + t.AssetID, URL: "https://watch/" + t.AssetID, Step: "processing", Sent: 1})
	}
	return next(ctx, t, keep)
}

func (s *site) does(next func(ctx context.Context, t store.Task, keep func(store.Upload) error) (time.Duration, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = next
}

func (s *site) fails(err error) {
	s.does(func(context.Context, store.Task, func(store.Upload) error) (time.Duration, error) { return 0, err })
}

func (s *site) tries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.at)
}

// refusal is an error of a platform that is connected by channels.
type refusal struct {
	text, step              string
	permanent, ended, whole bool
	wait, pause             time.Duration
}

func (r refusal) Error() string                     { return r.text }
func (r refusal) Step() string                      { return r.step }
func (r refusal) Permanent() bool                   { return r.permanent }
func (r refusal) AccessEnded() bool                 { return r.ended }
func (r refusal) WholeApp() bool                    { return r.whole }
func (r refusal) Pause() time.Duration              { return r.pause }
func (r refusal) RetryAfter() (time.Duration, bool) { return r.wait, r.wait > 0 }

var (
	errUnavailable = refusal{text: "youtube http503: unavailable"}
	errRevoked     = refusal{text: "youtube invalid_grant: revoked", step: "reconnect", permanent: true, ended: true}
)

func onSite(s *site) Options {
	return Options{Backoff: retry.Exponential(10*time.Second, 10*time.Minute), Sites: map[string]publish.Platform{"YOUTUBE": s}}
}

// stands returns the status and step of the publication of an asset, and its error.
func stands(t testing.TB, s *store.Store, assetID string) (state, problem string) {
	t.Helper()
	all, err := s.Publications(t.Context(), assetID)
	if err != nil || len(all[assetID]) != 1 {
		t.Fatalf("got %v, %v; want one publication", all, err)
	}
	p := all[assetID][0]
	return fmt.Sprintf("%s %s", p.Status, p.Step), p.Error
}

func wantState(t testing.TB, s *store.Store, assetID, want string) {
	t.Helper()
	if got, problem := stands(t, s, assetID); got != want {
		t.Errorf("got %q (%s); want %q", got, problem, want)
	}
}

var owner8 = store.Admin{ID: 8, Owner: true}

func TestThreeAttemptsToPublishThenTheCardAndRetry(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		channel, yt := connected(t, s, "UC1"), &site{}
		yt.fails(errUnavailable)
		q, stop := start(t, s, &bench{}, onSite(yt))
		defer stop()
		id := publishes(t, s, channel, "Лето")
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(yt.at) != 3 {
			t.Fatalf("got %d attempts; want 3", len(yt.at))
		}
		if one, two := yt.at[1].Sub(yt.at[0]), yt.at[2].Sub(yt.at[1]); one < 9*time.Second || one > 12*time.Second || two < 18*time.Second || two > 23*time.Second {
			t.Errorf("got pauses of %v and %v; want 10 s and twice that", one, two)
		}
		wantState(t, s, id, "FAILED ")
		runs, err := s.Attempts(t.Context(), id)
		if err != nil || len(runs[id]) != 3 || runs[id][2].Platform != "YOUTUBE" || runs[id][2].Outcome != "gave_up" || runs[id][2].Error != errUnavailable.text {
			t.Errorf("got %+v, %v; want three attempts of YouTube's", runs[id], err)
		}
		if n := count(t, s, `SELECT count(*) FROM jobs`); n != 0 {
			t.Errorf("got %d jobs; want none", n)
		}

		yt.does(nil)
		for _, want := range []retry.Outcome{retry.Restarted, retry.Joined} { // a double click
			if out, err := q.Retry(t.Context(), id, retry.AdminClicked{Admin: store.Admin{ID: 7}, Platform: "YOUTUBE"}); err != nil || out != want {
				t.Errorf("got %s, %v; want %s", out, err, want)
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		wantState(t, s, id, "COMPLETED ")
		if len(yt.at) != 4 || upload(t, s, id).URL != "https://watch/"+id {
			t.Errorf("got %d attempts, %+v; want one more, and the link", len(yt.at), upload(t, s, id))
		}
	})
}

// upload is how far the publication of an asset has come.
func upload(t testing.TB, s *store.Store, assetID string) store.Upload {
	t.Helper()
	all, err := s.Publications(t.Context(), assetID)
	if err != nil || len(all[assetID]) != 1 {
		t.Fatalf("got %v, %v; want one publication", all, err)
	}
	return all[assetID][0].Upload
}

func TestARateLimitMakesThePauseLonger(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		channel, yt := connected(t, s, "UC1"), &site{}
		yt.fails(refusal{text: "youtube rateLimitExceeded: slow down", pause: 90 * time.Second})
		_, stop := start(t, s, &bench{}, onSite(yt))
		defer stop()
		publishes(t, s, channel, "Лето")
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(yt.at) != 3 || yt.at[1].Sub(yt.at[0]) != 90*time.Second || yt.at[2].Sub(yt.at[1]) != 90*time.Second {
			t.Errorf("got attempts at %v; want three, 90 s apart", yt.at)
		}
	})
}

func TestADailyLimitHoldsEveryUploadOfTheAppAndSpendsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		one, two, yt := connected(t, s, "UC1"), connected(t, s, "UC2"), &site{}
		midnight := time.Now().Add(7 * time.Hour)
		yt.does(func(context.Context, store.Task, func(store.Upload) error) (time.Duration, error) {
			return 0, refusal{text: "youtube quotaExceeded: enough for today", step: "quota", whole: true, wait: time.Until(midnight)}
		})
		ids := []string{publishes(t, s, one, "Лето"), publishes(t, s, one, "Зима"), publishes(t, s, two, "Весна")}
		_, stop := start(t, s, &bench{}, onSite(yt))
		time.Sleep(time.Hour)
		synctest.Wait()
		ids = append(ids, publishes(t, s, two, "Осень")) // wished for while all wait
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := yt.tries(); n > 2 { // two work at a time
			t.Errorf("got %d attempts; want no more than were under way", n)
		}
		stop() // a restart changes nothing
		_, stop = start(t, s, &bench{}, onSite(yt))
		defer stop()
		time.Sleep(4 * time.Hour)
		synctest.Wait()
		for _, id := range ids {
			wantState(t, s, id, "PENDING quota")
			all, err := s.Publications(t.Context(), id)
			if p := all[id][0]; err != nil || !p.Due.Equal(midnight) || p.Attempt != 0 {
				t.Errorf("got due %v, attempt %d, %v; want %v and none spent", p.Due, p.Attempt, err, midnight)
			}
		}
		if list, err := s.Channels(t.Context()); err != nil || list[0].PausedFor != "quota" || list[1].PausedFor != "quota" || !list[1].PausedUntil.Equal(midnight) {
			t.Errorf("got %+v, %v; want both channels held until then", list, err)
		}
		before := yt.tries()
		yt.does(nil)
		time.Sleep(time.Until(midnight) - time.Second)
		synctest.Wait()
		if n := yt.tries(); n != before {
			t.Errorf("got %d attempts before the time; want none", n-before)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		for _, id := range ids {
			wantState(t, s, id, "COMPLETED ")
		}
		if n := count(t, s, `SELECT count(*) FROM attempts WHERE outcome IN ('rescheduled', 'gave_up')`); n != 0 {
			t.Errorf("got %d failed attempts; want none", n)
		}
	})
}

func TestADailyLimitHoldsAChannelThatIsConnectedMeanwhile(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		one, yt := connected(t, s, "UC1"), &site{}
		yt.fails(refusal{text: "youtube quotaExceeded: enough for today", step: "quota", whole: true, wait: 7 * time.Hour})
		publishes(t, s, one, "Лето")
		_, stop := start(t, s, &bench{}, onSite(yt))
		defer stop()
		time.Sleep(time.Minute)
		synctest.Wait()
		id := publishes(t, s, connected(t, s, "UC2"), "Зима")
		time.Sleep(time.Minute)
		synctest.Wait()
		wantState(t, s, id, "PENDING quota")
		if n := yt.tries(); n != 1 {
			t.Errorf("got %d attempts; want none of the new channel", n)
		}
		yt.does(nil)
		time.Sleep(7 * time.Hour)
		synctest.Wait()
		wantState(t, s, id, "COMPLETED ")
	})
}

func TestAClockThatWasSetBackHoldsNoUploadForLongAndNoScheduleEarly(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		one, yt, rumble := connected(t, s, "UC1"), &site{}, &site{}
		sites := Options{Sites: map[string]publish.Platform{"YOUTUBE": yt, "RUMBLE": rumble}}
		yt.fails(refusal{text: "youtube quotaExceeded: enough for today", step: "quota", whole: true, wait: 24 * time.Hour})
		ahead := 365 * 24 * time.Hour
		setNow(s, func() time.Time { return time.Now().Add(ahead) })
		held := publishes(t, s, one, "Лето")
		_, stop := start(t, s, &bench{}, sites)
		time.Sleep(time.Minute)
		synctest.Wait()
		stop()
		setNow(s, time.Now)
		yt.does(nil)
		later, scheduled := publishes(t, s, one, "Зима"), uploaded(t, s, "Весна")
		write(t, s, func(tx *store.Tx) error {
			return tx.Publish(scheduled, store.Publication{Platform: "RUMBLE", Creator: 7, Step: "scheduled", PublishAt: time.Now().Add(72 * time.Hour)})
		})
		_, stop = start(t, s, &bench{}, sites)
		defer stop()
		time.Sleep(26 * time.Hour)
		synctest.Wait()
		wantState(t, s, held, "COMPLETED ")
		wantState(t, s, later, "COMPLETED ")
		wantState(t, s, scheduled, "PENDING scheduled")
		last := publishes(t, s, one, "Осень")
		time.Sleep(time.Second)
		synctest.Wait()
		wantState(t, s, last, "COMPLETED ")
	})
}

func TestAChannelsOwnLimitHoldsThatChannelOnly(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		one, two, yt := connected(t, s, "UC1"), connected(t, s, "UC2"), &site{}
		yt.does(func(_ context.Context, t store.Task, keep func(store.Upload) error) (time.Duration, error) {
			if t.Publication.Channel == one {
				return 0, refusal{text: "youtube uploadLimitExceeded: enough", step: "limit", wait: 24 * time.Hour}
			}
			return 0, keep(store.Upload{ID: "x", Step: "processing"})
		})
		first, second := publishes(t, s, one, "Лето"), publishes(t, s, two, "Зима")
		_, stop := start(t, s, &bench{}, onSite(yt))
		defer stop()
		time.Sleep(time.Minute)
		synctest.Wait()
		wantState(t, s, first, "PENDING limit")
		wantState(t, s, second, "COMPLETED ")
	})
}

func TestAnEndedAccessFailsAtOnceAndComesBackByItself(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		one, two, yt := connected(t, s, "UC1"), connected(t, s, "UC2"), &site{}
		release := make(chan struct{})
		yt.does(func(ctx context.Context, t store.Task, keep func(store.Upload) error) (time.Duration, error) {
			if t.Publication.Channel == two {
				return 0, keep(store.Upload{ID: "x", Step: "processing"})
			}
			<-release // so that the others wait behind it
			return 0, errRevoked
		})
		var ids []string
		for i := range 6 {
			ids = append(ids, publishes(t, s, one, fmt.Sprint("Лето ", i)))
		}
		other := publishes(t, s, two, "Зима")
		q, stop := start(t, s, &bench{}, onSite(yt))
		synctest.Wait()
		close(release)
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := yt.tries(); n > 3 {
			t.Errorf("got %d attempts; want those that were under way, and none in a loop", n)
		}
		for _, id := range ids {
			wantState(t, s, id, "FAILED reconnect")
		}
		wantState(t, s, other, "COMPLETED ")
		if c, err := s.Channel(t.Context(), one); err != nil || c.State != "ENDED" || c.Error != errRevoked.text {
			t.Errorf("got %+v, %v; want its access ended, with the reason", c, err)
		}
		if n, _, err := s.CountUnpublished(t.Context(), owner8, store.Filter{}); err != nil || n != 0 {
			t.Errorf("got %d, %v; want none that another try alone would help", n, err)
		}

		// The button works without a new consent: the token may work again.
		yt.does(nil)
		if out, err := q.Retry(t.Context(), ids[0], retry.AdminClicked{Admin: owner8, Platform: "YOUTUBE"}); err != nil || out != retry.Restarted {
			t.Errorf("got %s, %v; want %s", out, err, retry.Restarted)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		wantState(t, s, ids[0], "COMPLETED ")
		if c, err := s.Channel(t.Context(), one); err != nil || c.State != "CONNECTED" || c.Error != "" {
			t.Errorf("got %+v, %v; want it connected: it works", c, err)
		}
		for _, id := range ids { // and then for the others too
			wantState(t, s, id, "COMPLETED ")
		}

		// Connecting the channel again sends what failed through Retry.
		yt.fails(errRevoked)
		ids = append(ids, publishes(t, s, one, "Осень"), publishes(t, s, one, "Весна"))
		time.Sleep(time.Second)
		synctest.Wait()
		for _, id := range ids[6:] {
			wantState(t, s, id, "FAILED reconnect")
		}
		yt.does(nil)
		connected(t, s, "UC1")
		if err := q.Reconnected(t.Context(), owner8); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		for _, id := range ids {
			wantState(t, s, id, "COMPLETED ")
		}
		const retries = `SELECT count(*) FROM audit WHERE action = 'retry' AND platform = 'YOUTUBE' AND outcome = 'restarted' AND admin = `
		if mine, own := count(t, s, retries+"8"), count(t, s, retries+"0"); mine != 3 || own != 5 {
			t.Errorf("got %d retries of the admin and %d automatic ones in the list; want 3 and 5", mine, own)
		}
		stop()
	})
}

func TestWhatAReconnectionCouldNotSendIsSentAtTheNextStart(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		channel, yt := connected(t, s, "UC1"), &site{}
		yt.fails(errRevoked)
		id := publishes(t, s, channel, "Лето")
		_, stop := start(t, s, &bench{}, onSite(yt))
		time.Sleep(time.Minute)
		synctest.Wait()
		stop()
		connected(t, s, "UC1") // and the program dies before it could go on
		yt.does(nil)
		_, stop = start(t, s, &bench{}, onSite(yt))
		defer stop()
		time.Sleep(time.Minute)
		synctest.Wait()
		wantState(t, s, id, "COMPLETED ")
	})
}

// A worker that still used the old token may report after the channel was connected again. Nobody would reconnect it
// for that.
func TestALateRefusalOfTheOldTokenIsTriedWithTheNewOne(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		channel, yt := connected(t, s, "UC1"), &site{}
		release := make(chan struct{})
		yt.does(func(context.Context, store.Task, func(store.Upload) error) (time.Duration, error) {
			<-release
			return 0, errRevoked
		})
		id := publishes(t, s, channel, "Лето")
		_, stop := start(t, s, &bench{}, onSite(yt))
		defer stop()
		time.Sleep(time.Minute)
		connected(t, s, "UC1")
		yt.does(nil)
		close(release)
		time.Sleep(time.Minute)
		synctest.Wait()
		if c, err := s.Channel(t.Context(), channel); err != nil || c.State != "CONNECTED" {
			t.Errorf("got %+v, %v; want the new access untouched", c, err)
		}
		wantState(t, s, id, "COMPLETED ")
	})
}

func TestWhatThePlatformWorksOnIsAskedForAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		channel, yt := connected(t, s, "UC1"), &site{}
		yt.does(func(_ context.Context, t store.Task, keep func(store.Upload) error) (time.Duration, error) {
			if t.Publication.Upload.ID == "" {
				return 10 * time.Second, keep(store.Upload{Session: "https://secret", Since: time.Now(), Step: "processing", Sent: 100, ID: "x", URL: "https://watch/x"})
			}
			if t.Publication.Upload.Session != "https://secret" {
				return 0, errors.New("the session is forgotten")
			}
			if len(yt.at) < 50 {
				return 10 * time.Second, nil
			}
			return 0, nil
		})
		id := publishes(t, s, channel, "Лето")
		_, stop := start(t, s, &bench{}, onSite(yt))
		defer stop()
		time.Sleep(35 * time.Second)
		synctest.Wait()
		wantState(t, s, id, "PROCESSING processing")
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		wantState(t, s, id, "COMPLETED ")
		if n := count(t, s, `SELECT count(*) FROM attempts WHERE kind = 'PUBLISH'`); n != 1 || len(yt.at) != 50 {
			t.Errorf("got %d attempts in the history of %d calls; want one", n, len(yt.at))
		}
		if n := count(t, s, `SELECT count(*) FROM publications WHERE session_uri IS NOT NULL`); n != 0 {
			t.Error("the session is kept after its end; want it forgotten")
		}
		if n, err := s.UploadsSince(t.Context(), time.Now().Add(-24*time.Hour)); err != nil || n != 1 {
			t.Errorf("got %d uploads today, %v; want 1", n, err)
		}
	})
}

func TestAStopGivesTheUploadBack(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		channel, yt := connected(t, s, "UC1"), &site{}
		yt.does(func(ctx context.Context, _ store.Task, keep func(store.Upload) error) (time.Duration, error) {
			if err := keep(store.Upload{Session: "https://secret", Since: time.Now(), Step: "uploading", Sent: 40}); err != nil {
				return 0, err
			}
			<-ctx.Done()
			return 0, ctx.Err()
		})
		id := publishes(t, s, channel, "Лето")
		_, stop := start(t, s, &bench{}, onSite(yt))
		time.Sleep(time.Second)
		synctest.Wait()
		wantState(t, s, id, "PROCESSING uploading")
		stop()
		wantState(t, s, id, "PENDING uploading")
		if n := count(t, s, `SELECT attempt FROM jobs`); n != 0 || upload(t, s, id).Sent != 40 {
			t.Errorf("got %d attempts spent, %d sent; want none, and 40 kept", n, upload(t, s, id).Sent)
		}
		var met store.Upload
		yt.does(func(_ context.Context, t store.Task, keep func(store.Upload) error) (time.Duration, error) {
			met = t.Publication.Upload
			return 0, keep(store.Upload{ID: "x", Step: "processing"})
		})
		_, stop = start(t, s, &bench{}, onSite(yt))
		defer stop()
		time.Sleep(time.Second)
		synctest.Wait()
		if met.Session != "https://secret" || met.Sent != 40 {
			t.Errorf("got %+v; want the earlier session", met)
		}
	})
}
