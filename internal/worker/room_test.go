// Tests of the room that old videos make for new ones.

package worker_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/testrig"
	"retake.example/internal/watch"
	"retake.example/internal/worker"
)

func TestRoom_TheOldestUnpublishedVideosGoFirst(t *testing.T) {
	s := testrig.NewStore(t)
	now := time.Now()
	ids := map[string]string{}
	for n, name := range []string{"published", "owed", "old", "older than new", "new"} {
		testrig.SetNow(s, func() time.Time { return now.Add(time.Duration(n) * time.Minute) })
		a := testrig.Ask(t, s, name, int64(n+1))
		ids[name] = a.ID
		testrig.Complete(t, s)
		testrig.Mutate(t, s, `UPDATE assets SET size = 100 WHERE id = ?`, a.ID)
		if name != "owed" {
			testrig.Mutate(t, s, `DELETE FROM jobs WHERE asset_id = ?`, a.ID)
		}
	}
	testrig.Mutate(t, s, `UPDATE assets SET published = 1 WHERE id = ?`, ids["published"])
	var gone store.Deleted
	log := slog.New(slog.DiscardHandler)
	keep := func(_ context.Context, g store.Deleted) { gone.Files = append(gone.Files, g.Files...) }
	room := worker.NewRoom(350)
	if room.Make(t.Context(), s, keep, log); len(gone.Files) > 0 {
		t.Errorf("got %v deleted; want it said first", gone.Files)
	}
	told := watch.RoomOf(room.Low, "http://x")
	if low, used, limit := room.Low(); !low || used != 500 || limit != 350 || told.ID != "alert_room" ||
		!strings.Contains(lang.Say("en", told.ID, told.Vars), "The videos take 142% of the space") {
		t.Errorf("got %v, %d of %d, %+v; want it said", low, used, limit, told)
	}
	room.Make(t.Context(), s, keep, log)
	if want := []string{ids["old"] + ".mp4", ids["older than new"] + ".mp4"}; !slices.Equal(gone.Files, want) {
		t.Errorf("got %v deleted; want %v", gone.Files, want)
	}
	// it ends though two have to stay
	room = worker.NewRoom(1)
	for range 2 {
		room.Make(t.Context(), s, keep, log)
	}
	if n := testrig.Count(t, s, `SELECT count(*) FROM assets`); n != 2 {
		t.Errorf("got %d videos; want what is published and what is owed", n)
	}
}
