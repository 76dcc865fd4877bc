// Tests of the room that old videos make for new ones.

package worker_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"retake.example/internal/store"
	"retake.example/internal/testrig"
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
	testrig.Mutate(t, s, `UPDATE assets SET youtube = 1 WHERE id = ?`, ids["published"])
	var gone store.Deleted
	worker.MakeRoom(t.Context(), s, 350, func(_ context.Context, g store.Deleted) { gone.Files = append(gone.Files, g.Files...) }, slog.New(slog.DiscardHandler))
	if want := []string{ids["old"] + ".mp4", ids["older than new"] + ".mp4"}; !slices.Equal(gone.Files, want) {
		t.Errorf("got %v deleted; want %v", gone.Files, want)
	}
	// it ends though two have to stay
	worker.MakeRoom(t.Context(), s, 1, func(_ context.Context, g store.Deleted) {}, slog.New(slog.DiscardHandler))
	if n := testrig.Count(t, s, `SELECT count(*) FROM assets`); n != 2 {
		t.Errorf("got %d videos; want what is published and what is owed", n)
	}
}
