// Tests of the store's library: both ways of searching, its counts and its pages.

package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/store"
)

func TestBothWaysOfSearchingFindTheSame(t *testing.T) {
	s := newStore(t)
	var ids []string
	for i := range int64(60) {
		ids = append(
			ids,
			ask(t, s, []string{"Маша", "Марк", "Ева Мария", "Лев"}[i%4]+" "+strings.Repeat("я", int(i)+1), i+1).ID,
		)
		if i%3 == 0 {
			complete(t, s)
		}
	}
	mutate(t, s, `UPDATE assets SET created = 5 WHERE rowid % 2`) // the id orders what is as old
	for _, status := range []store.Status{"", store.Pending, store.Completed, store.Failed} {
		for _, search := range []string{"м", "мар", "лев", "ъ"} {
			for _, exact := range []string{"", ids[3]} {
				var ways [2][]string
				for i, found := range []int{0, 1e9} {
					f := store.Filter{Status: status, Search: search, Exact: exact, Limit: 7}
					if i == 1 && exact != "" {
						break // an id is no name that many have
					}
					for page := 0; page == 0 || f.After != ""; page++ {
						list, err := s.Library(t.Context(), f, found)
						if err != nil || len(ways[i]) > 60 {
							t.Fatalf("got %d and more, %v", len(ways[i]), err)
						}
						f.After = ""
						for _, l := range list {
							ways[i] = append(ways[i], l.ID)
							f.After = l.Place()
						}
					}
				}
				want := strings.Fields(
					text(t, s, `SELECT group_concat(id, ' ') FROM (SELECT id FROM assets WHERE (status = ?1 OR ?1 = '')
					AND (name_key LIKE ?2 || '%' OR name_key LIKE '% ' || ?2 || '%' OR id = ?3) ORDER BY created DESC, id DESC)`,
						status, search, exact),
				)
				if !slices.Equal(ways[0], want) || exact == "" && !slices.Equal(ways[1], want) {
					t.Errorf("status %q, %q or id %q: got %q and %q; want %q", status, search, exact, ways[0], ways[1], want)
				}
				counts, err := s.Counts(t.Context(), store.Filter{Search: search, Exact: exact})
				n := counts[status]
				if status == "" {
					n = counts[store.Pending] + counts[store.Completed] + counts[store.Failed] + counts[store.Processing]
				}
				if err != nil || n != len(want) {
					t.Errorf("status %q, %q or id %q: got counted %v, %v; want %d", status, search, exact, counts, err, len(want))
				}
			}
		}
	}
}

func TestTalliesAndTailsAreThoseOfTheAssets(t *testing.T) {
	s := newStore(t)
	q := newRetries(s)
	check := func(when string) {
		t.Helper()
		if n := count(t, s, `
			WITH parts (name_key, part, status) AS (
				SELECT name_key, '', status FROM assets UNION ALL SELECT name_key, 'NEEDS', status FROM assets WHERE needs_attention
				UNION ALL SELECT a.name_key, p.platform, a.status FROM publications p JOIN assets a ON a.id = p.asset_id),
			want AS (SELECT name_key, part, status, count(*) n FROM parts GROUP BY 1, 2, 3 UNION ALL
			SELECT '', part, status, count(*) FROM parts GROUP BY 2, 3)
			SELECT (SELECT count(*) FROM (SELECT * FROM name_counts WHERE n > 0 EXCEPT SELECT * FROM want))
			+ (SELECT count(*) FROM (SELECT * FROM want EXCEPT SELECT * FROM name_counts))
			+ (SELECT count(*) FROM (SELECT name_key FROM assets EXCEPT SELECT name_key FROM name_suffixes))
			+ (SELECT count(*) FROM (SELECT name_key FROM name_suffixes EXCEPT SELECT name_key FROM assets))`); n != 0 {
			t.Errorf("%s: got %d rows that do not fit", when, n)
		}
	}
	ask(t, s, "Маша", 1)
	ask(t, s, "Анна-Мария Б", 1)
	check("asked")
	if got := text(t, s, `SELECT group_concat(suffix, '|') FROM name_suffixes
		WHERE name_key = 'анна-мария б'`); got != "анна мария б|б|мария б" {
		t.Errorf("got tails %s; want one from each word", got)
	}
	failForGood(t, q)
	check("failed")
	complete(t, s)
	ask(t, s, "Маша", 2)
	check("asked again")
	for _, platform := range []string{"YOUTUBE", "RUMBLE"} {
		mutate(
			t,
			s,
			`INSERT INTO publications (asset_id, platform, creator, created) SELECT id, ?, 7, 0 FROM assets`,
			platform,
		)
		check("on " + platform)
	}
	complete(t, s)
	check("made after it was published")
	mutate(
		t,
		s,
		`DELETE FROM publications WHERE asset_id IN (SELECT id FROM assets WHERE name_key = 'маша') AND platform = 'YOUTUBE'`,
	)
	check("taken from one platform")
	mutate(t, s, `DELETE FROM assets WHERE status = 'FAILED'`)
	check("the first of a name is gone")
	mutate(t, s, `DELETE FROM assets`)
	check("all are gone")
	a := ask(t, s, "Ева", 1)
	if err := try(s, `UPDATE assets SET name_key = 'eva' WHERE id = ?`, a.ID); err == nil ||
		!strings.Contains(err.Error(), "assets_name_is_final") {
		t.Errorf("got %v; want another name refused", err)
	}
}

func TestAPageGoesOnAfterAVideoThatWasDeleted(t *testing.T) {
	s := newStore(t)
	clock := time.Now()
	setNow(s, func() time.Time { clock = clock.Add(time.Second); return clock })
	var made []store.Asset
	for i, name := range []string{"Анна", "Белла", "Вера", "Дарья"} {
		made = append(made, ask(t, s, name, int64(i+1)))
	}
	first, err := s.Library(t.Context(), store.Filter{Limit: 2}, 4)
	if err != nil || len(first) != 2 || first[1].ID != made[2].ID {
		t.Fatalf("got %+v, %v; want Дарья and Вера", first, err)
	}
	mutate(t, s, `DELETE FROM assets WHERE id = ?`, made[2].ID)
	for _, search := range []string{"", "б"} {
		rest, err := s.Library(t.Context(), store.Filter{Limit: 2, After: first[1].Place(), Search: search}, 1)
		if err != nil || len(rest) == 0 || rest[0].ID != made[1].ID {
			t.Errorf("search %q: got %+v, %v; want Белла next", search, rest, err)
		}
	}
	for _, after := range []string{"x", "5", "x-y", "-"} {
		if _, err := s.Library(t.Context(), store.Filter{Limit: 2, After: after}, 1); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("after %q: got %v; want not found", after, err)
		}
	}
}
