// Tests of what is known of messages that were given up.

package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"retake.example/internal/store"
)

func TestUndelivered_EachVideoKnowsSinceWhen(t *testing.T) {
	s := newStore(t)
	r := rand.New(rand.NewPCG(1, 2))
	var ids []string
	for i := range int64(6) {
		ids = append(ids, ask(t, s, "Маша "+string(rune('а'+i)), i+1).ID)
	}
	for _, statement := range []string{
		`INSERT INTO requests (user_id, asset_id, chat_id, status, created, undelivered) SELECT ?2, ?1, 1, 'PENDING', 1, ?3 WHERE true
			ON CONFLICT DO NOTHING`,
		`UPDATE requests SET undelivered = ?3 WHERE asset_id = ?1 AND user_id % 3 = ?2 % 3`,
		`UPDATE requests SET undelivered = NULL WHERE asset_id = ?1 AND user_id % 3 = ?2 % 3 AND ?3 > 0`,
		`DELETE FROM requests WHERE asset_id = ?1 AND user_id = ?2 AND ?3 > 0`,
	} {
		for range 30 {
			mutate(t, s, statement, ids[r.IntN(len(ids))], r.IntN(6)+1, r.IntN(1000)+1)
			if wrong := text(t, s, `SELECT group_concat(name || ': ' || ifnull(undelivered, 0)) FROM assets a WHERE undelivered IS NOT
				(SELECT min(r.undelivered) FROM requests r WHERE r.asset_id = a.id)`); wrong != "" {
				t.Fatalf("%s: got %s; want since when the first message has been given up", statement, wrong)
			}
		}
	}
}

func TestUndelivered_SearchComparesNamesAsTheLibraryFindsThem(t *testing.T) {
	s, q := newStore(t), store.Admin{ID: 8, Owner: true}
	for i, name := range []string{"Маша", "Анна-Мария", "Ева Мария", "Том", "Марк-Антон Лев"} {
		id := ask(t, s, name, int64(i)+1).ID
		mutate(t, s, `UPDATE requests SET undelivered = 7 WHERE asset_id = ?`, id)
	}
	for _, search := range []string{"м", "мар", "мария", "анна м", "антон лев", "ария", "том", "ъ", "%", "_"} {
		f := store.Filter{Search: search, Limit: 10}
		found, err := s.Library(t.Context(), f, 0)
		if err != nil {
			t.Fatal(err)
		}
		n, _, err := s.CountUndelivered(t.Context(), q, f)
		list, err2 := s.UndeliveredVideos(t.Context(), q, f, "", time.UnixMilli(7))
		if err != nil || err2 != nil || n != len(found) || len(list) != n {
			t.Errorf("%q: got %d, and %d listed, %v, %v; want the %d that the library finds", search, n, len(list),
				fmt.Sprint(err), fmt.Sprint(err2), len(found))
		}
	}
}
