// Tests of what a card of the library says and offers.

package desk

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"retake.example/internal/store"
	"retake.example/internal/worker"
)

func TestCard_SaysWhichTryItIsAndWhenItComes(t *testing.T) {
	now := time.Date(2026, 12, 20, 12, 0, 0, 0, time.UTC)
	of := func(status store.Status, attempt int, due time.Time) Card {
		l := store.Listed{Asset: store.Asset{ID: "a", Status: status}, Attempt: attempt, Due: due, LastError: "last"}
		return newCard(l, worker.Outlook{Place: 4, Percent: 30}, 3, now)
	}
	for name, c := range map[string]struct {
		got                               Card
		attempt, attempts, place, percent int
		next                              time.Time
	}{
		"the first to come":  {of(store.Pending, 0, time.Time{}), 0, 0, 4, 0, time.Time{}},
		"the second to come": {of(store.Pending, 1, now.Add(time.Minute)), 2, 3, 0, 0, now.Add(time.Minute)},
		"due now":            {of(store.Pending, 1, now), 2, 3, 4, 0, time.Time{}},
		"under way":          {of(store.Processing, 2, time.Time{}), 2, 3, 0, 30, time.Time{}},
		"failed":             {of(store.Failed, 3, time.Time{}), 0, 0, 0, 0, time.Time{}},
	} {
		if g := c.got; g.Attempt != c.attempt || g.Attempts != c.attempts || g.Place != c.place || g.Percent != c.percent ||
			!g.NextTry.Equal(c.next) {
			t.Errorf("%s: got %+v", name, g)
		}
	}
}

func TestCard_OfWhomNoMessageReachesNobodyWaits(t *testing.T) {
	l := store.Listed{Waiting: 5, Unserved: 4, Untold: 3}
	for status, want := range map[store.Status][2]int{store.Completed: {2, 4}, store.Failed: {5, 1},
		store.Pending: {5, 4}} {
		l.Status = status
		if c := newCard(l, worker.Outlook{}, 3, time.Time{}); c.Waiting != want[0] || c.Apologised != want[1] {
			t.Errorf("%s: got %d waiting and %d with an apology; want %v", status, c.Waiting, c.Apologised, want)
		}
	}
}

func TestFileName_IsTheTitleWithoutWhatFileSystemsRefuse(t *testing.T) {
	for title, want := range map[string]string{"Маша: \"5\" лет?": "Маша 5 лет.mp4", "..": "id.mp4", "": "name.mp4",
		"tab\there": "tabhere.mp4", strings.Repeat("я", 90): strings.Repeat("я", 80) + ".mp4"} {
		a := store.Asset{ID: "id", Name: "name", Metadata: store.Metadata{Title: title}, Video: store.Video{File: "x.mp4"}}
		if got := fileName(a); got != want {
			t.Errorf("%q: got %q; want %q", title, got, want)
		}
	}
}

// Only who may change a failed publication is offered another try.
func TestCard_APublicationIsTriedAgainByWhoMayChangeIt(t *testing.T) {
	r := newRig(t)
	for i, status := range []string{"COMPLETED", "FAILED"} {
		id := r.finished(8, "Video")
		r.mutate(`INSERT INTO publications (asset_id, platform, creator, created, status, error, started, completed,
				remote_id, remote_url)
			VALUES (?1, 'YOUTUBE', 7, 1, ?2, iif(?2 = 'FAILED', 'x', NULL), 1, 1,
				iif(?2 = 'FAILED', NULL, ?3), iif(?2 = 'FAILED', NULL, 'https://x'))`,
			id, status, i)
		for admin, may := range map[int64]bool{0: true, 7: true, 9: false} {
			var page struct{ Assets []Card }
			body := r.do(r.Library, sent{method: "GET", path: "/?q=" + id, json: true, admin: admin}).Body
			err := json.Unmarshal(body.Bytes(), &page)
			if err != nil || len(page.Assets) != 1 || len(page.Assets[0].Publications) != 1 {
				t.Fatalf("got %s, %v; want one video with its publication", body, err)
			}
			p := page.Assets[0].Publications[0]
			if p.CanRetry != (may && status == "FAILED") || p.MayChange != may {
				t.Errorf("%s, admin %d: got %+v", status, admin, p)
			}
		}
	}
}
