// Tests of what Retry stores and promises besides its table: codes, the cap of waits, messages that are given up.

package main

import (
	"errors"
	"testing"

	"retake.example/internal/retry"
	"retake.example/internal/store"
)

func TestRetry_StoresTheCodeOfTheErrorBesideItsText(t *testing.T) {
	s := newStore(t)
	q := newQueue(s)
	a := ask(t, s, "Маша", 1)
	for _, problem := range []error{retry.WithCode(errEngine, "ENGINE"), retry.Permanent(retry.WithCode(errEngine, "TIMEOUT"))} {
		mutate(t, s, `UPDATE jobs SET due = 0`)
		fail(t, q, store.Render, problem)
	}
	got, err := s.Asset(t.Context(), a.ID)
	if err != nil || got.ErrorCode != "TIMEOUT" {
		t.Errorf("got the code %q, %v; want that of the last error", got.ErrorCode, err)
	}
	tries, err := s.Attempts(t.Context(), a.ID)
	if err != nil || len(tries[a.ID]) != 2 || tries[a.ID][0].ErrorCode != "ENGINE" || tries[a.ID][1].ErrorCode != "TIMEOUT" {
		t.Errorf("got %+v, %v; want the code of each attempt", tries[a.ID], err)
	}
}

func TestRetry_AFailedPublicationKeepsItsCodeUntilItIsRetried(t *testing.T) {
	s := newStore(t)
	q := newQueue(s)
	owner := store.Admin{ID: 8, Owner: true}
	id := publication(t, s, failedPublication)
	click := func() {
		t.Helper()
		if _, err := q.Retry(t.Context(), id, retry.AdminClicked{Admin: owner, Platform: "YOUTUBE"}); err != nil {
			t.Fatal(err)
		}
	}
	code := func() string {
		t.Helper()
		all, err := s.Publications(t.Context(), id)
		if err != nil || len(all[id]) != 1 {
			t.Fatal(all, err)
		}
		return all[id][0].ErrorCode
	}
	click()
	fail(t, q, store.Publish, retry.WithCode(retry.Permanent(errors.New("no channel")), "youtube_no_channel"))
	if got := code(); got != "youtube_no_channel" {
		t.Errorf("got the code %q; want the one of the error", got)
	}
	click()
	if got := code(); got != "" {
		t.Errorf("got the code %q; want none while it is tried again", got)
	}
}
