// Tests of the list of what was done.

package store

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestActivity_GoesOnWhereThePageBeforeHasEnded(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	inserts(t, s, anAsset)
	for i := range 4 { // of each moment a deed of a person and one of the program
		inserts(t, s, fmt.Sprintf(`INSERT INTO audit (at, admin, action, outcome) VALUES ($now + %d, 8, 'edit', '%[1]d')`, i/2),
			fmt.Sprintf(`INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome, error)
				VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaa', 'RENDER', 1, $now, $now + %d, 'gave_up', 'x')`, i/2))
	}
	whole, err := s.Activity(t.Context(), Deeds{}, "", 100)
	if err != nil || len(whole) != 8 {
		t.Fatalf("got %d deeds, %v; want eight", len(whole), err)
	}
	for size := 1; size <= 3; size++ {
		var keys []string
		for after := ""; ; {
			page, err := s.Activity(t.Context(), Deeds{}, after, size)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, d := range page {
				keys = append(keys, d.Key)
			}
			after = page[len(page)-1].Key
		}
		if len(keys) != len(whole) {
			t.Fatalf("%d a page: got %v; want each of eight once", size, keys)
		}
		for i, d := range whole {
			if keys[i] != d.Key {
				t.Errorf("%d a page: got %s in place %d; want %s", size, keys[i], i, d.Key)
			}
		}
	}
	for _, key := range []string{"x", "5", "5-a", "5-b-1", "5-a-x", "-"} {
		if _, err := s.Activity(t.Context(), Deeds{}, key, 5); !errors.Is(err, ErrNotFound) {
			t.Errorf("after %q: got %v; want ErrNotFound", key, err)
		}
	}
}

func TestActivity_OfADayIsOfThatDay(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	day := time.Date(2026, 12, 20, 0, 0, 0, 0, time.UTC)
	for i, at := range []time.Time{day.Add(-time.Millisecond), day, day.Add(24*time.Hour - time.Millisecond),
		day.Add(24 * time.Hour)} {
		inserts(t, s, fmt.Sprintf(`INSERT INTO audit (at, admin, action, outcome) VALUES (%d, 8, 'edit', '%d')`, at.UnixMilli(), i))
	}
	got, err := s.Activity(t.Context(), Deeds{Day: day}, "", 10)
	if err != nil || len(got) != 2 || got[0].Outcome != "2" || got[1].Outcome != "1" {
		t.Errorf("got %+v, %v; want the second and the third, the newest first", got, err)
	}
}
