// Tests of retrying all, on a real database.

package retry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"retake.example/internal/db/dbtest"
	"retake.example/internal/store"
	"retake.example/internal/testrig"
)

// pressed is queue.Retry as far as an admin's press goes.
type pressed struct{ *store.Store }

func (p pressed) Retry(ctx context.Context, id string, why Cause) (out Outcome, err error) {
	err = p.Tx(ctx, func(tx *store.Tx) (err error) {
		out, _, err = RestartForAll(tx, id, why.(AdminClicked).Admin)
		return err
	})
	return out, err
}

// lose makes a video for each of n people, and gives up the message that brings it.
func lose(t *testing.T, s *store.Store, n int) {
	t.Helper()
	for i := range n {
		name := fmt.Sprint("name ", i)
		if err := s.Tx(t.Context(), func(tx *store.Tx) error {
			if _, err := tx.UpsertUser(int64(i+1), "ru"); err != nil {
				return err
			}
			_, _, err := tx.ShareOrCreate(store.Order{User: int64(i + 1), Chat: int64(i + 1), Name: name, Key: name,
				Template: "t", Lang: "ru"}, tx.Now())
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range []store.Kind{store.Render, store.Deliver} {
		if err := s.Tx(t.Context(), func(tx *store.Tx) error {
			tasks, err := tx.Claim(kind, false, n)
			for _, task := range tasks {
				if kind == store.Render {
					err = tx.FinishRender(task.Job, store.Video{File: task.AssetID + ".mp4"})
				} else {
					err = tx.GiveUp(task.Job, "telegram refused it", "")
				}
				if err != nil {
					return err
				}
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEverything_SendsWhatDidNotArrive(t *testing.T) {
	schema, err := os.ReadFile("../../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(filepath.Join(t.TempDir(), "retake.db"), store.Options{Schema: string(schema),
		Now: dbtest.Clock(time.Now)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const people = 2*BatchSize + 5
	lose(t, s, people)
	owner, ctx := store.Admin{Owner: true}, t.Context()
	for name, c := range map[string]struct {
		admin  store.Admin
		filter store.Filter
		want   int
	}{
		"everything":               {owner, store.Filter{}, people},
		"of somebody else":         {store.Admin{ID: 7}, store.Filter{}, 0},
		"with a status":            {owner, store.Filter{Status: store.Completed}, people},
		"with another status":      {owner, store.Filter{Status: store.Failed}, 0},
		"with a name":              {owner, store.Filter{Search: "name 7"}, 11}, // 7, and 70 to 79
		"with a name nobody chose": {owner, store.Filter{Search: "other"}, 0},
	} {
		if n, _, err := s.CountUndelivered(ctx, c.admin, c.filter); err != nil || n != c.want {
			t.Errorf("%s: got %d, %v; want %d", name, n, err, c.want)
		}
	}
	n, until, err := s.CountUndelivered(ctx, owner, store.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	early := Shown{Undelivered: n, Until: until.Add(-time.Hour)}
	if got, err := Everything(ctx, s, pressed{s}, owner, store.Filter{}, early); err != nil || got.Restarted != 0 {
		t.Errorf("got %+v, %v; want nothing of what nobody was shown", got, err)
	}
	shown := Shown{Undelivered: 3, Until: until}
	if got, err := Everything(ctx, s, pressed{s}, owner, store.Filter{}, shown); err != nil || got.Restarted != 3 {
		t.Errorf("got %+v, %v; want as many as were shown", got, err)
	}
	shown.Undelivered = n - 3
	if got, err := Everything(ctx, s, pressed{s}, owner, store.Filter{}, shown); err != nil || got.Restarted != n-3 {
		t.Errorf("got %+v, %v; want the rest", got, err)
	}
	if n, _, err := s.CountUndelivered(ctx, owner, store.Filter{}); err != nil || n != 0 {
		t.Errorf("got %d left, %v; want none", n, err)
	}
	sent := 0
	if err := s.Tx(ctx, func(tx *store.Tx) error {
		tasks, err := tx.Claim(store.Deliver, false, 2*people)
		sent = len(tasks)
		return err
	}); err != nil || sent != people {
		t.Errorf("got %d messages to send, %v; want one for each of %d people", sent, err, people)
	}
}

// answers is a Retry that answers in the same way for every video of a name.
type answers map[string]error

func (a answers) Retry(_ context.Context, id string, _ Cause) (Outcome, error) {
	return Restarted, a[id]
}

func TestBatch_WhatSomebodyElseWasQuickerWithIsSkipped(t *testing.T) {
	ids := []string{"fine", "not mine", "not failed", "gone", "should go"}
	q := answers{"not mine": store.ErrForbidden, "not failed": store.ErrNotFailed, "gone": store.ErrNotFound,
		"should go": store.ErrNotPublishable}
	var tally Tally
	press := func(i int) (string, AdminClicked) { return ids[i], AdminClicked{} }
	err := batch(t.Context(), q, &tally, len(ids), press)
	if want := (Tally{Outcome: Restarted, Restarted: 1, Skipped: 4}); err != nil || tally != want {
		t.Errorf("got %+v, %v; want %+v", tally, err, want)
	}
	q["gone"] = errors.New("the disk is broken")
	if err := batch(t.Context(), q, &tally, len(ids), press); !errors.Is(err, q["gone"]) {
		t.Errorf("got %v; want the error that is nobody's doing", err)
	}
}

func TestEverything_AnErrorOfTheVideosIsNotLostWithThePublications(t *testing.T) {
	s := testrig.NewStore(t)
	a := testrig.Ask(t, s, "Маша", 1)
	task := testrig.Begin(t, s, store.Render)
	testrig.Write(t, s, func(tx *store.Tx) error { return tx.GiveUp(task.Job, "the engine broke", "") })
	broken := errors.New("the disk is broken")
	shown := Shown{Count: 1, Newest: a.ID, Publications: 1, Undelivered: 1, Until: s.Now()}
	_, err := Everything(t.Context(), s, answers{a.ID: broken}, store.Admin{Owner: true}, store.Filter{}, shown)
	if !errors.Is(err, broken) {
		t.Errorf("got %v; want %v", err, broken)
	}
}
