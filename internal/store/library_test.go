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
