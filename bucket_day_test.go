// A day of a bucket that can be read and refuses every write.

package main

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"testing"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/store"
)

func TestBucket_ADayOfRefusedWritesStaysSmallAndEndsWithApologies(t *testing.T) {
	const videos, largestPage, mostMemory = 24, 100_000, 20 << 20
	d := newDesk(t, "http://localhost:8080")
	now := time.Now().Truncate(time.Second)
	began := now
	setNow(d.store, func() time.Time { return now })
	q := newQueue(d.store)
	q.opts.Backoff = retry.Exponential(10*time.Second, 10*time.Minute)
	var last store.Asset
	for i := range int64(videos) {
		last = ask(t, d.store, "Маша "+letters(int(i)), i+1)
	}
	admin := d.signIn(8)
	largest := 0
	pages := func(when string) {
		t.Helper()
		for _, path := range []string{"/", "/?status=PENDING", "/assets/" + last.ID, "/attention", "/activity", "/settings"} {
			w := d.send(call{path: path, session: admin})
			largest = max(largest, w.Body.Len())
			if w.Code != http.StatusOK || w.Body.Len() > largestPage {
				t.Errorf("%s, %s: got %d with %d bytes; want at most %d", when, path, w.Code, w.Body.Len(), largestPage)
			}
		}
	}
	memory := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	pages("idle")
	idle := memory()

	outcomes, halfway := map[retry.Outcome]int{}, false
	for count(t, d.store, `SELECT count(*) FROM jobs WHERE kind = 'RENDER'`) > 0 {
		due := time.UnixMilli(int64(count(t, d.store, `SELECT max(0, min(due)) FROM jobs WHERE kind = 'RENDER'`)))
		if due.After(now) {
			now = due
		}
		for _, task := range beginAll(t, d.store, store.Render, videos) {
			out, err := q.Retry(t.Context(), task.AssetID, retry.JobFailed{Job: task.Job, Err: fmt.Errorf("keep the video: %w", away{})})
			if err != nil {
				t.Fatal(err)
			}
			outcomes[out]++
		}
		if !halfway && now.Sub(began) > 23*time.Hour {
			halfway = true
			pages("after 23 hours")
		}
		if now.Sub(began) > 25*time.Hour {
			t.Fatalf("got %v after %v; want an end after a day", outcomes, now.Sub(began))
		}
	}
	if lasted := now.Sub(began); lasted < 24*time.Hour || lasted > 24*time.Hour+11*time.Minute {
		t.Errorf("it ended after %v; want a day", lasted)
	}
	if outcomes[retry.GaveUp] != videos || outcomes[retry.Deferred] < 100*videos {
		t.Errorf("got %v; want each of %d videos to wait for a day and to be given up", outcomes, videos)
	}
	if n := count(t, d.store, `SELECT max(n) FROM (SELECT count(*) n FROM attempts WHERE outcome = 'deferred' GROUP BY asset_id)`); n != 1 {
		t.Errorf("got %d rows of history for the waits of a video; want one", n)
	}
	var told []int64
	for tasks := beginAll(t, d.store, store.Apologise, 16); len(tasks) > 0; tasks = beginAll(t, d.store, store.Apologise, 16) {
		for _, task := range tasks {
			told = append(told, task.To.User)
			write(t, d.store, func(tx *store.Tx) error { _, err := tx.FinishMessage(&task, 12); return err })
		}
	}
	if slices.Sort(told); len(told) != videos || len(slices.Compact(told)) != videos {
		t.Errorf("got %d apologies; want one for each of %d people", len(told), videos)
	}
	pages("afterwards")
	more := memory() - idle
	t.Logf("%d videos waited %v, %d looks each; the largest page had %d bytes; %d KB more memory than idle", videos,
		now.Sub(began), outcomes[retry.Deferred]/videos, largest, more>>10)
	if more > mostMemory {
		t.Errorf("got %d MB more than idle; want at most %d", more>>20, mostMemory>>20)
	}
}
