// Tests of the queue: every row of Retry's table, every line around it, crashes, stops, and that Retry is the only way.

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/outage"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// hours pauses one, two, three … hours.
func hours(attempt int) time.Duration { return time.Duration(attempt) * time.Hour }

// newQueue returns a queue that is not running, for calls of Retry.
func newQueue(s *store.Store) *Queue {
	return NewQueue(s, nil, nil, nil, Options{Attempts: 3, Backoff: hours}, slog.New(slog.DiscardHandler))
}

var errEngine = errors.New("engine: exit 1")

// fail begins the next job of a kind and reports its failure.
func fail(t testing.TB, q *Queue, kind store.Kind, problem error) (store.Task, retry.Outcome) {
	t.Helper()
	task := begin(t, q.store, kind)
	out, err := q.Retry(t.Context(), task.AssetID, retry.JobFailed{Job: task.Job, Err: problem})
	if err != nil {
		t.Fatal(err)
	}
	return task, out
}

// failForGood makes the next render FAILED.
func failForGood(t testing.TB, q *Queue) store.Task {
	t.Helper()
	task, out := fail(t, q, store.Render, retry.Permanent(errEngine))
	if out != retry.GaveUp {
		t.Fatalf("got %s; want %s", out, retry.GaveUp)
	}
	return task
}

// publication makes an asset with a publication in some state.
func publication(t testing.TB, s *store.Store, state string) (assetID string) {
	t.Helper()
	a := ask(t, s, "Маша", 1)
	mutate(t, s, `INSERT INTO publications (asset_id, platform, creator, created, status, error, started, completed) VALUES (?, 'YOUTUBE', 7, 0, `+state+`)`, a.ID)
	return a.ID
}

const (
	failedPublication    = `'FAILED', 'quota', 1, 2`
	pendingPublication   = `'PENDING', NULL, NULL, NULL`
	runningPublication   = `'PROCESSING', NULL, 1, NULL`
	completedPublication = `'COMPLETED', NULL, 1, 2`
)

type waits struct{ d time.Duration }

func (waits) Error() string                       { return "quota" }
func (w waits) RetryAfter() (time.Duration, bool) { return w.d, true }

// TestRetryTable has one case for each row of the table in Retry's comment.
func TestRetryTable(t *testing.T) {
	admin, owner, other := store.Admin{ID: 7}, store.Admin{ID: 8, Owner: true}, store.Admin{ID: 9}
	type result struct {
		out retry.Outcome
		err error
	}
	for _, c := range []struct {
		name string
		do   func(t *testing.T, q *Queue) (retry.Outcome, error)
		want result
		// then: queries and the number each must give
		then map[string]int
	}{
		{"JobFailed with attempts left runs the same job again after the backoff", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			ask(t, q.store, "Маша", 1)
			_, out := fail(t, q, store.Render, errEngine)
			return out, nil
		}, result{retry.Rescheduled, nil}, map[string]int{
			`SELECT count(*) FROM jobs WHERE kind = 'RENDER' AND started IS NULL AND attempt = 1 AND due - created BETWEEN 3600000 AND 3605000`: 1,
			`SELECT count(*) FROM assets WHERE status = 'PENDING'`:                                                                              1,
			`SELECT count(*) FROM requests WHERE status = 'PENDING'`:                                                                            1,
			`SELECT count(*) FROM attempts WHERE outcome = 'rescheduled' AND error = 'engine: exit 1'`:                                          1,
		}},
		{"JobFailed that says wait runs again at the time named and spends no attempt", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			ask(t, q.store, "Маша", 1)
			_, out := fail(t, q, store.Render, fmt.Errorf("render: %w", waits{7 * time.Minute}))
			return out, nil
		}, result{retry.Deferred, nil}, map[string]int{
			`SELECT count(*) FROM jobs WHERE kind = 'RENDER' AND attempt = 0 AND due - created BETWEEN 420000 AND 425000`: 1,
			`SELECT count(*) FROM assets WHERE status = 'PENDING'`:                                                        1,
		}},
		{"JobFailed at the last attempt fails the render and owes everybody an apology", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			ask(t, q.store, "Маша", 1, 2, 3)
			var out retry.Outcome
			for range 3 {
				mutate(t, q.store, `UPDATE jobs SET due = 0`)
				_, out = fail(t, q, store.Render, errEngine)
			}
			return out, nil
		}, result{retry.GaveUp, nil}, map[string]int{
			`SELECT count(*) FROM assets WHERE status = 'FAILED' AND error = 'engine: exit 1'`: 1,
			`SELECT count(*) FROM requests WHERE status = 'FAILED'`:                            3,
			`SELECT count(*) FROM jobs`:                                                        3,
			`SELECT count(DISTINCT request_id) FROM jobs WHERE kind = 'APOLOGISE'`:             3,
			`SELECT count(*) FROM attempts`:                                                    3,
		}},
		{"JobFailed at the last attempt waits while others fail as it does and enough that wait may make it an outage", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			q.outages = outage.New(3, time.Hour, probeEvery)
			for _, name := range []string{"Маша", "Лев", "Аня"} {
				ask(t, q.store, name, 1)
			}
			fail(t, q, store.Render, errEngine)
			fail(t, q, store.Render, errEngine) // of Лев
			var out retry.Outcome
			for range 2 {
				mutate(t, q.store, `UPDATE jobs SET due = 0`)
				_, out = fail(t, q, store.Render, errEngine)
			}
			return out, nil
		}, result{retry.Deferred, nil}, map[string]int{
			`SELECT count(*) FROM assets WHERE status = 'PENDING'`:                                                      3,
			`SELECT count(*) FROM jobs WHERE kind = 'RENDER' AND attempt = 2 AND due - created BETWEEN 60000 AND 65000`: 1,
		}},
		{"JobFailed that is permanent gives up at once", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			ask(t, q.store, "Маша", 1)
			_, out := fail(t, q, store.Render, fmt.Errorf("render: %w", retry.Permanent(errEngine)))
			return out, nil
		}, result{retry.GaveUp, nil}, map[string]int{
			`SELECT count(*) FROM assets WHERE status = 'FAILED'`:     1,
			`SELECT count(*) FROM jobs WHERE kind = 'APOLOGISE'`:      1,
			`SELECT count(*) FROM attempts WHERE outcome = 'gave_up'`: 1,
		}},
		{"JobFailed at the last attempt fails the publication and apologises to nobody", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			id := publication(t, q.store, failedPublication)
			if _, err := q.Retry(t.Context(), id, retry.AdminClicked{Admin: owner, Platform: "YOUTUBE"}); err != nil {
				return "", err
			}
			_, out := fail(t, q, store.Publish, retry.Permanent(errors.New("no channel")))
			return out, nil
		}, result{retry.GaveUp, nil}, map[string]int{
			`SELECT count(*) FROM publications WHERE status = 'FAILED' AND error = 'no channel' AND completed IS NOT NULL`: 1,
			`SELECT count(*) FROM jobs WHERE kind IN ('PUBLISH', 'APOLOGISE')`:                                             0,
		}},
		{"JobFailed of a publication with attempts left runs it again", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			id := publication(t, q.store, failedPublication)
			if _, err := q.Retry(t.Context(), id, retry.AdminClicked{Admin: owner, Platform: "YOUTUBE"}); err != nil {
				return "", err
			}
			_, out := fail(t, q, store.Publish, errors.New("503"))
			return out, nil
		}, result{retry.Rescheduled, nil}, map[string]int{
			`SELECT count(*) FROM publications WHERE status = 'PENDING'`:       1,
			`SELECT count(*) FROM jobs WHERE kind = 'PUBLISH' AND attempt = 1`: 1,
		}},
		{"JobFailed reported twice counts once", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			ask(t, q.store, "Маша", 1)
			task, _ := fail(t, q, store.Render, errEngine)
			return q.Retry(t.Context(), task.AssetID, retry.JobFailed{Job: task.Job, Err: errEngine})
		}, result{"", store.ErrNotFound}, map[string]int{`SELECT count(*) FROM attempts`: 1}},

		{"ButtonPressed on a failed asset makes a new one with a request and a render", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			ask(t, q.store, "Маша", 1, 2)
			task := failForGood(t, q)
			return q.Retry(t.Context(), task.AssetID, retry.ButtonPressed{User: 1, Chat: 1})
		}, result{retry.Restarted, nil}, map[string]int{
			`SELECT count(*) FROM assets n JOIN assets o ON n.retry_of = o.id WHERE n.status = 'PENDING' AND n.name = o.name AND n.template = o.template AND n.lang = o.lang`: 1,
			`SELECT count(*) FROM requests r JOIN assets a ON a.id = r.asset_id WHERE a.retry_of IS NOT NULL AND r.user_id = 1 AND r.status = 'PENDING'`:                      1,
			`SELECT count(*) FROM jobs WHERE kind = 'RENDER'`:   1,
			`SELECT count(*) FROM jobs WHERE kind = 'ANNOUNCE'`: 1,
		}},
		{"ButtonPressed joins the live successor, once", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			ask(t, q.store, "Маша", 1, 2)
			task := failForGood(t, q)
			for _, user := range []int64{1, 2, 2} {
				if _, err := q.Retry(t.Context(), task.AssetID, retry.ButtonPressed{User: user, Chat: user}); err != nil {
					return "", err
				}
			}
			return q.Retry(t.Context(), task.AssetID, retry.ButtonPressed{User: 2, Chat: 2})
		}, result{retry.Joined, nil}, map[string]int{
			`SELECT count(*) FROM assets WHERE retry_of IS NOT NULL`:                                          1,
			`SELECT count(*) FROM requests r JOIN assets a ON a.id = r.asset_id WHERE a.retry_of IS NOT NULL`: 2,
			`SELECT count(*) FROM jobs WHERE kind = 'RENDER'`:                                                 1,
		}},
		{"ButtonPressed joins a live asset with the same key that is no successor", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			ask(t, q.store, "Маша", 1)
			task := failForGood(t, q)
			ask(t, q.store, "Маша", 2)
			return q.Retry(t.Context(), task.AssetID, retry.ButtonPressed{User: 1, Chat: 1})
		}, result{retry.Joined, nil}, map[string]int{
			`SELECT count(*) FROM assets`: 2,
			`SELECT count(*) FROM requests r JOIN assets a ON a.id = r.asset_id WHERE a.status = 'PENDING'`: 2,
		}},
		{"ButtonPressed delivers the successor that is finished", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			ask(t, q.store, "Маша", 1, 2)
			task := failForGood(t, q)
			if _, err := q.Retry(t.Context(), task.AssetID, retry.ButtonPressed{User: 1, Chat: 1}); err != nil {
				return "", err
			}
			complete(t, q.store)
			return q.Retry(t.Context(), task.AssetID, retry.ButtonPressed{User: 2, Chat: 2})
		}, result{retry.Joined, nil}, map[string]int{
			`SELECT count(*) FROM assets`: 2,
			`SELECT count(*) FROM jobs j JOIN requests r ON r.id = j.request_id WHERE j.kind = 'DELIVER' AND r.user_id = 2`: 1,
		}},
		{"ButtonPressed on an old button follows failed successors to a new one", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			ask(t, q.store, "Маша", 1, 2)
			first := failForGood(t, q)
			if _, err := q.Retry(t.Context(), first.AssetID, retry.ButtonPressed{User: 1, Chat: 1}); err != nil {
				return "", err
			}
			failForGood(t, q)
			return q.Retry(t.Context(), first.AssetID, retry.ButtonPressed{User: 2, Chat: 2})
		}, result{retry.Restarted, nil}, map[string]int{
			`SELECT count(*) FROM assets`: 3,
			`SELECT count(*) FROM assets c JOIN assets b ON c.retry_of = b.id JOIN assets a ON b.retry_of = a.id`: 1,
			`SELECT count(*) FROM jobs WHERE kind = 'RENDER'`:                                                     1,
		}},
		{"ButtonPressed for an asset that is gone is not found", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			return q.Retry(t.Context(), store.NewID(), retry.ButtonPressed{User: 1, Chat: 1})
		}, result{"", store.ErrNotFound}, nil},
		{"ButtonPressed by somebody without a request is forbidden", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			ask(t, q.store, "Маша", 1)
			task := failForGood(t, q)
			return q.Retry(t.Context(), task.AssetID, retry.ButtonPressed{User: 2, Chat: 2})
		}, result{"", store.ErrForbidden}, map[string]int{`SELECT count(*) FROM assets`: 1}},
		{"ButtonPressed on an asset that did not fail is refused", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			a := ask(t, q.store, "Маша", 1)
			return q.Retry(t.Context(), a.ID, retry.ButtonPressed{User: 1, Chat: 1})
		}, result{"", store.ErrNotFailed}, map[string]int{`SELECT count(*) FROM assets`: 1}},

		{"AdminClicked on a failed publication clears it and owes it again", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			return q.Retry(t.Context(), publication(t, q.store, failedPublication), retry.AdminClicked{Admin: admin, Platform: "YOUTUBE"})
		}, result{retry.Restarted, nil}, map[string]int{
			`SELECT count(*) FROM publications WHERE status = 'PENDING' AND error IS NULL AND started IS NULL AND completed IS NULL`: 1,
			`SELECT count(*) FROM jobs WHERE kind = 'PUBLISH' AND attempt = 0`:                                                       1,
		}},
		{"AdminClicked twice on a failed publication owes it once", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			id := publication(t, q.store, failedPublication)
			if _, err := q.Retry(t.Context(), id, retry.AdminClicked{Admin: admin, Platform: "YOUTUBE"}); err != nil {
				return "", err
			}
			return q.Retry(t.Context(), id, retry.AdminClicked{Admin: admin, Platform: "YOUTUBE"})
		}, result{retry.Joined, nil}, map[string]int{`SELECT count(*) FROM jobs WHERE kind = 'PUBLISH'`: 1}},
		{"AdminClicked on a pending publication changes nothing", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			return q.Retry(t.Context(), publication(t, q.store, pendingPublication), retry.AdminClicked{Admin: admin, Platform: "YOUTUBE"})
		}, result{retry.Joined, nil}, map[string]int{`SELECT count(*) FROM jobs WHERE kind = 'PUBLISH'`: 0}},
		{"AdminClicked on a publication under way changes nothing", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			return q.Retry(t.Context(), publication(t, q.store, runningPublication), retry.AdminClicked{Admin: admin, Platform: "YOUTUBE"})
		}, result{retry.Joined, nil}, map[string]int{`SELECT count(*) FROM jobs WHERE kind = 'PUBLISH'`: 0}},
		{"AdminClicked on a completed publication is refused", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			return q.Retry(t.Context(), publication(t, q.store, completedPublication), retry.AdminClicked{Admin: admin, Platform: "YOUTUBE"})
		}, result{"", store.ErrNotFailed}, nil},
		{"AdminClicked on a platform without a publication is not found", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			return q.Retry(t.Context(), publication(t, q.store, failedPublication), retry.AdminClicked{Admin: admin, Platform: "RUMBLE"})
		}, result{"", store.ErrNotFound}, nil},
		{"AdminClicked on somebody else's publication is forbidden", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			return q.Retry(t.Context(), publication(t, q.store, failedPublication), retry.AdminClicked{Admin: other, Platform: "YOUTUBE"})
		}, result{"", store.ErrForbidden}, map[string]int{`SELECT count(*) FROM publications WHERE status = 'FAILED'`: 1}},
		{"AdminClicked by an owner works on anybody's publication", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			return q.Retry(t.Context(), publication(t, q.store, failedPublication), retry.AdminClicked{Admin: owner, Platform: "YOUTUBE"})
		}, result{retry.Restarted, nil}, nil},

		{"AdminClicked on a failed render starts again for everybody who has not retried", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			ask(t, q.store, "Маша", 1, 2, 3)
			task := failForGood(t, q)
			return q.Retry(t.Context(), task.AssetID, retry.AdminClicked{Admin: owner, Platform: ""})
		}, result{retry.Restarted, nil}, map[string]int{
			`SELECT count(*) FROM assets WHERE retry_of IS NOT NULL AND status = 'PENDING'`:                                                             1,
			`SELECT count(DISTINCT r.user_id) FROM requests r JOIN assets a ON a.id = r.asset_id WHERE a.retry_of IS NOT NULL AND r.status = 'PENDING'`: 3,
			`SELECT count(*) FROM jobs WHERE kind = 'ANNOUNCE' AND asset_id IN (SELECT id FROM assets WHERE retry_of IS NOT NULL)`:                      3,
			`SELECT count(*) FROM audit WHERE admin = 8 AND action = 'retry'`:                                                                           1,
		}},
		{"AdminClicked brings a video that was finished since to those who lack it, and leaves alone who has it", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			ask(t, q.store, "Маша", 1, 2)
			task := failForGood(t, q)
			ask(t, q.store, "Маша", 1) // asked again instead of pressing
			complete(t, q.store)
			return q.Retry(t.Context(), task.AssetID, retry.AdminClicked{Admin: owner, Platform: ""})
		}, result{retry.Joined, nil}, map[string]int{
			`SELECT count(*) FROM assets`:                      2,
			`SELECT count(*) FROM jobs WHERE kind = 'DELIVER'`: 2,
			`SELECT count(*) FROM jobs j JOIN requests r ON r.id = j.request_id WHERE j.kind = 'DELIVER' AND r.user_id = 2`: 1,
		}},
		{"ButtonPressed when the same video was finished since by other means delivers that one", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			ask(t, q.store, "Маша", 1)
			task := failForGood(t, q)
			ask(t, q.store, "Маша", 2)
			complete(t, q.store)
			return q.Retry(t.Context(), task.AssetID, retry.ButtonPressed{User: 1, Chat: 1})
		}, result{retry.Joined, nil}, map[string]int{
			`SELECT count(*) FROM assets`: 2,
			`SELECT count(*) FROM jobs j JOIN requests r ON r.id = j.request_id WHERE j.kind = 'DELIVER' AND r.user_id = 1`: 1,
		}},
		{"AdminClicked when one user has pressed brings the others to the same successor", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			ask(t, q.store, "Маша", 1, 2, 3)
			task := failForGood(t, q)
			if _, err := q.Retry(t.Context(), task.AssetID, retry.ButtonPressed{User: 1, Chat: 1}); err != nil {
				return "", err
			}
			return q.Retry(t.Context(), task.AssetID, retry.AdminClicked{Admin: owner, Platform: ""})
		}, result{retry.Joined, nil}, map[string]int{
			`SELECT count(*) FROM assets`: 2,
			`SELECT count(*) FROM requests r JOIN assets a ON a.id = r.asset_id WHERE a.retry_of IS NOT NULL`: 3,
		}},
		{"AdminClicked on a render under way changes nothing", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			a := ask(t, q.store, "Маша", 1)
			begin(t, q.store, store.Render)
			return q.Retry(t.Context(), a.ID, retry.AdminClicked{Admin: owner, Platform: ""})
		}, result{retry.Joined, nil}, map[string]int{`SELECT count(*) FROM assets`: 1}},
		{"AdminClicked on a completed render is refused", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			a := ask(t, q.store, "Маша", 1)
			complete(t, q.store)
			return q.Retry(t.Context(), a.ID, retry.AdminClicked{Admin: owner, Platform: ""})
		}, result{"", store.ErrNotFailed}, nil},
		{"AdminClicked on an asset that is gone is not found", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			return q.Retry(t.Context(), store.NewID(), retry.AdminClicked{Admin: owner, Platform: ""})
		}, result{"", store.ErrNotFound}, nil},
		{"AdminClicked by an admin who did not make the video is forbidden", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			ask(t, q.store, "Маша", 1)
			task := failForGood(t, q)
			return q.Retry(t.Context(), task.AssetID, retry.AdminClicked{Admin: admin, Platform: ""})
		}, result{"", store.ErrForbidden}, map[string]int{`SELECT count(*) FROM assets`: 1}},
		{"AdminClicked by the admin who made the video works", func(t *testing.T, q *Queue) (retry.Outcome, error) {
			write(t, q.store, func(tx *store.Tx) error {
				_, _, err := tx.ShareOrCreate(store.Order{Admin: &admin.ID, Name: "Маша", Key: "маша", Template: "t", Lang: "ru"}, time.Now())
				return err
			})
			task := failForGood(t, q)
			return q.Retry(t.Context(), task.AssetID, retry.AdminClicked{Admin: admin, Platform: ""})
		}, result{retry.Restarted, nil}, map[string]int{`SELECT count(*) FROM assets WHERE retry_of IS NOT NULL AND creator = 7`: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := newQueue(newStore(t))
			out, err := c.do(t, q)
			if out != c.want.out || !errors.Is(err, c.want.err) {
				t.Errorf("got %q, %v; want %q, %v", out, err, c.want.out, c.want.err)
			}
			for query, want := range c.then {
				if got := count(t, q.store, query); got != want {
					t.Errorf("%s: got %d; want %d", query, got, want)
				}
			}
		})
	}
}

func TestFortyPressesOfTwoUsersMakeOneAssetAndTwoRequests(t *testing.T) {
	presses(t, 2, 40)
}

func TestAThousandPressesMakeOneAssetAndAThousandRequests(t *testing.T) {
	presses(t, 1000, 1000)
}

// presses lets users press the button of one failed asset at once.
func presses(t *testing.T, users, times int) {
	q := newQueue(newStore(t))
	var all []int64
	for u := range users {
		all = append(all, int64(u+1))
	}
	ask(t, q.store, "Маша", all...)
	task := failForGood(t, q)
	var wg sync.WaitGroup
	for i := range times {
		wg.Go(func() {
			if _, err := q.Retry(context.Background(), task.AssetID, retry.ButtonPressed{User: all[i%users], Chat: all[i%users]}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for query, want := range map[string]int{
		`SELECT count(*) FROM assets WHERE retry_of IS NOT NULL`:                                          1,
		`SELECT count(*) FROM requests r JOIN assets a ON a.id = r.asset_id WHERE a.retry_of IS NOT NULL`: users,
		`SELECT count(*) FROM jobs WHERE kind = 'RENDER'`:                                                 1,
	} {
		if got := count(t, q.store, query); got != want {
			t.Errorf("%s: got %d; want %d", query, got, want)
		}
	}
}

func TestGivingUpOnAMessageApologisesToNobodyAndTheAdminSeesIt(t *testing.T) {
	for _, kind := range []store.Kind{store.Deliver, store.Apologise} {
		t.Run(string(kind), func(t *testing.T) {
			q := newQueue(newStore(t))
			a := ask(t, q.store, "Маша", 1)
			want := store.Processing
			if kind == store.Deliver {
				complete(t, q.store)
			} else {
				failForGood(t, q)
				want = store.Failed
			}
			if _, out := fail(t, q, kind, retry.Permanent(errors.New("403"))); out != retry.Undelivered {
				t.Errorf("got %s; want %s", out, retry.Undelivered)
			}
			if n := count(t, q.store, `SELECT count(*) FROM jobs`); n != 0 {
				t.Errorf("got %d jobs; want none", n)
			}
			if got := text(t, q.store, `SELECT status FROM requests`); got != string(want) {
				t.Errorf("got a request %s; want it to keep %s", got, want)
			}
			if card, err := q.store.Card(t.Context(), a.ID); err != nil || card.Untold != 1 {
				t.Errorf("got %d untold, %v; want 1", card.Untold, err)
			}
		})
	}
}

func TestAFailureSeenDuringAShutdownIsWritten(t *testing.T) {
	q := newQueue(newStore(t))
	ask(t, q.store, "Маша", 1)
	task := begin(t, q.store, store.Render)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if out, err := q.Retry(ctx, task.AssetID, retry.JobFailed{Job: task.Job, Err: errEngine}); out != retry.Rescheduled || err != nil {
		t.Errorf("got %s, %v; want %s", out, err, retry.Rescheduled)
	}
}

func TestAnAnnouncementThatIsOvertakenIsNotMade(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		withdrawn := 0
		b := &bench{render: func(context.Context, video.Order) error { time.Sleep(time.Second); return nil }, withdraw: func(id int) { withdrawn = max(withdrawn, id) }}
		b.tell = func(task store.Task) error {
			switch {
			case task.Kind == store.Announce && task.To.User == 1:
				return waits{time.Minute} // the video is faster
			case task.Kind == store.Announce:
				time.Sleep(time.Minute) // on its way while the video arrives
			}
			return nil
		}
		_, stop := start(t, s, b, Options{})
		defer stop()
		ask(t, s, "Маша", 1, 2)
		time.Sleep(time.Hour)
		synctest.Wait()
		if b.heard("VIDEO") != 2 || b.heard("ANNOUNCE 1") != 0 || b.heard("ANNOUNCE 2") != 1 || withdrawn == 0 {
			t.Errorf("got %q, withdrawn %d; want two videos, and the late announcement taken back", b.told, withdrawn)
		}
	})
}

func TestAClockSetBackByADayHoldsUpNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		b := &bench{render: func(context.Context, video.Order) error { return nil }}
		var back atomic.Int64
		setNow(s, func() time.Time { return time.Now().Add(-time.Duration(back.Load())) })
		q, stop := start(t, s, b, Options{})
		back.Store(int64(24 * time.Hour))
		ask(t, s, "Маша", 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		stop()
		if b.heard("VIDEO") != 1 {
			t.Errorf("got %d videos; want 1", b.heard("VIDEO"))
		}
		mutate(t, s, `INSERT INTO jobs (kind, asset_id, fairness_key, position, due, created) SELECT 'RENDER', id, 1, 1, 9e15, 0 FROM assets`)
		if err := q.rescue(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := count(t, s, `SELECT count(*) FROM jobs WHERE due < ?`, s.Now().Add(2*time.Hour).UnixMilli()); n != 1 {
			t.Errorf("got a job that waits for years; want it to wait an hour at the most")
		}
	})
}

func TestManyShortPausesLoseNoWakeUp(t *testing.T) {
	s := newStore(t)
	var tries sync.Map
	b := &bench{render: func(_ context.Context, o video.Order) error {
		if _, again := tries.LoadOrStore(o.Asset, true); !again {
			return errEngine
		}
		return nil
	}}
	_, stop := start(t, s, b, Options{Backoff: func(int) time.Duration { return time.Millisecond }})
	defer stop()
	for i := range 300 {
		ask(t, s, fmt.Sprint("Имя", i), int64(i+1))
	}
	w := &world{T: t, log: &journal{}}
	w.until("all made", func() bool { return count(t, s, `SELECT count(*) FROM requests WHERE status = 'COMPLETED'`) == 300 })
}

// The last of those who share a commit claims work for all of them.
func TestWhatIsOwedInASharedCommitIsBegunWhateverItsLastMemberDoes(t *testing.T) {
	refused := errors.New("refused")
	for what, last := range map[string]func(tx *store.Tx) error{
		"owes nothing":       func(*store.Tx) error { return nil },
		"is refused":         func(*store.Tx) error { return refused },
		"wrote, and fails":   func(tx *store.Tx) error { _, err := tx.UpsertUser(7, "ru"); return errors.Join(err, refused) },
		"was given up":       nil,
		"asks for something": func(tx *store.Tx) error { _, err := wish(tx, "Петя", 2); return err },
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *store.Store) {
				var mu sync.Mutex
				made := map[string]bool{}
				b := &bench{render: func(_ context.Context, o video.Order) error {
					mu.Lock()
					defer mu.Unlock()
					made[o.Name] = true
					return nil
				}}
				_, stop := start(t, s, b, Options{})
				defer stop()
				synctest.Wait()
				hold := make(chan bool)
				var wg sync.WaitGroup
				tx := func(ctx context.Context, fn func(tx *store.Tx) error) {
					wg.Go(func() { s.Tx(ctx, fn) })
					synctest.Wait()
				}
				tx(t.Context(), func(*store.Tx) error { <-hold; return nil })
				tx(t.Context(), func(tx *store.Tx) error { _, err := wish(tx, "Маша", 1); return err })
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				tx(ctx, last)
				if last == nil {
					cancel()
				}
				close(hold)
				wg.Wait()
				synctest.Wait()
				if !made["Маша"] || what == "asks for something" && !made["Петя"] {
					t.Errorf("got %v; want what the commit owed to be begun at once", made)
				}
			})
		})
	}
}
