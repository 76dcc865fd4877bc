// Tests of what a card of the library says and offers.

package desk

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"retake.example/internal/store"
	"retake.example/internal/video"
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

func TestLibrary_OffersTemplatesWhereThereIsAChoice(t *testing.T) {
	r := newRig(t)
	offer := func(id string) video.Offer {
		return video.Offer{ID: id, Title: func(string) string { return "Title of " + id }}
	}
	for n, offers := range [][]video.Offer{{offer("a")}, {offer("a"), offer("b")}} {
		r.opts.Offers = video.NewOffers(offers...)
		page := r.do(r.Library, sent{method: "GET"}).Body.String()
		for _, o := range offers {
			if got := strings.Contains(page, "Title of "+o.ID); got != (n > 0) {
				t.Errorf("%d offered: %s on the page: %v", n+1, o.ID, got)
			}
		}
	}
}

func TestLibrary_TheChosenPlatformIsAmongThoseToChoose(t *testing.T) {
	for chosen, want := range map[string]int{"": 2, "YOUTUBE": 2, "TELEGRAM": 3} {
		l := Library{Platform: chosen}
		l.Choose([]string{"YOUTUBE", "RUMBLE"})
		seen := map[string]int{}
		for _, o := range l.Platforms {
			seen[o.ID]++
		}
		if len(l.Platforms) != want || chosen != "" && seen[chosen] != 1 {
			t.Errorf("%q: got %+v; want %d, each once", chosen, l.Platforms, want)
		}
	}
}

func TestDelete_OnlyByWhoMayChangeTheVideo(t *testing.T) {
	r := newRig(t)
	id := r.finished(7, "Video")
	if w := r.do(r.Delete, sent{id: id, admin: 9, json: true}); w.Code != http.StatusForbidden {
		t.Errorf("somebody else: got %d", w.Code)
	}
	if n := r.number(`SELECT count(*) FROM assets`); n != 1 {
		t.Fatalf("got %d videos; want it there", n)
	}
	w := r.do(r.Delete, sent{id: id, admin: 7, json: true})
	if w.Code != 200 || r.number(`SELECT count(*) FROM assets`) != 0 {
		t.Errorf("who made it: got %d; want it gone", w.Code)
	}
}

func TestFail_NoErrorIsKeptByABrowser(t *testing.T) {
	r := newRig(t)
	w := r.do(r.Asset, sent{method: "GET", id: "nothing"})
	if w.Code != http.StatusNotFound || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("got %d, %q; want 404 that nobody keeps", w.Code, w.Header().Get("Cache-Control"))
	}
}
