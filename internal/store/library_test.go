// Tests of what the library costs.

package store

import (
	"fmt"
	"testing"
)

// Statements are counted by their connections: none is kept idle, so each statement opens and closes one.
func TestLibrary_AFullPageTakesNoMoreStatementsThanOneCard(t *testing.T) {
	s := fresh(t)
	for i := range 60 {
		err := s.Tx(t.Context(), func(tx *Tx) error {
			_, err := tx.create(Asset{Name: fmt.Sprint("Name", i), NameKey: fmt.Sprint("name", i), Template: "t", Lang: "ru"}, int64(i+1))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s.db.Read().SetMaxIdleConns(0)
	statements := func(limit int) int64 {
		before := s.db.Read().Stats().MaxIdleClosed
		list, err := s.Library(t.Context(), Filter{Limit: limit}, 4)
		if err != nil || len(list) != limit {
			t.Fatalf("got %d cards, %v; want %d", len(list), err, limit)
		}
		return s.db.Read().Stats().MaxIdleClosed - before
	}
	statements(1) // prepares them
	if one, many := statements(1), statements(50); one != many || one == 0 {
		t.Errorf("got %d statements for one card and %d for 50; want as many", one, many)
	}
}

// The page of a try lists those before it and those after it, five of each, in their order.
func TestDetail_ListsTheTriesBeforeAndAfter(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	const tries = 14
	for i := range tries {
		inserts(t, s, fmt.Sprintf(`INSERT INTO assets (id, name, name_key, template, lang, origin, status, error, created, finished, retry_of)
			VALUES ('%026d', 'x', 'x', 't', 'ru', 'REQUEST', 'FAILED', 'e', %d, %[2]d, iif(%[1]d = 0, NULL, '%026[3]d'))`, i, i+1, i-1))
	}
	for at, want := range map[int][2]int{0: {0, 5}, 7: {2, 12}, tries - 1: {tries - 6, tries - 1}} {
		d, err := s.Detail(t.Context(), fmt.Sprintf("%026d", at))
		if err != nil || len(d.Tries) != want[1]-want[0]+1 {
			t.Fatalf("try %d: got %d tries, %v; want %d", at, len(d.Tries), err, want[1]-want[0]+1)
		}
		for i, try := range d.Tries {
			if try.ID != fmt.Sprintf("%026d", want[0]+i) {
				t.Errorf("try %d: got %s in place %d", at, try.ID, i)
			}
		}
	}
}

// What a page says of attempts is about the video and its publications, and not about messages to people.
func TestAttempts_AreThoseOfTheVideoAndItsPublications(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	inserts(t, s, anAsset)
	for i, kind := range []string{"RENDER", "DELIVER", "PUBLISH", "APOLOGISE", "ANNOUNCE"} {
		inserts(t, s, fmt.Sprintf(`INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome)
			VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaa', '%s', %d, 1, 2, 'done')`, kind, i+1))
	}
	all, err := s.Attempts(t.Context(), "aaaaaaaaaaaaaaaaaaaaaaaaaa", "other")
	got := all["aaaaaaaaaaaaaaaaaaaaaaaaaa"]
	if err != nil || len(all) != 1 || len(got) != 2 || got[0].Kind != Render || got[1].Kind != Publish {
		t.Errorf("got %+v, %v; want the render and the publication", all, err)
	}
}
