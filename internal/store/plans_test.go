// Tests of how SQLite runs the statements: none may read a growing table from end to end.

package store

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"retake.example/internal/db/dbtest"
)

// fresh opens a new database in a folder of the test.
func fresh(t *testing.T) *Store {
	t.Helper()
	schema, err := os.ReadFile("../../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(filepath.Join(t.TempDir(), "retake.db"), Options{Schema: string(schema),
		Now: dbtest.Clock(time.Now)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// plan returns the lines of SQLite's plan for a statement.
func plan(t *testing.T, s *Store, statement string, args ...any) []string {
	t.Helper()
	rows, err := s.db.Read().Query("EXPLAIN QUERY PLAN "+statement, args...)
	lines, err := collect(rows, err, func(line *string) error {
		var id, parent, unused int
		return rows.Scan(&id, &parent, &unused, line)
	})
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return lines
}

var scansATable = regexp.MustCompile(`^SCAN (a|r|u|j|p|assets|requests|users|audit|publications|jobs|attempts)\b`)

func TestPlan_ClaimReadsItsIndexInOrder(t *testing.T) {
	s := fresh(t)
	for _, kind := range []Kind{Render, Deliver} {
		got := strings.Join(plan(t, s, claimable, kind, 0, false, 16), "; ")
		if !strings.Contains(got, "INDEX jobs_waiting (kind=?)") || strings.Contains(got, "SCAN") || strings.Contains(got, "TEMP B-TREE") {
			t.Errorf("got %s; want a search of jobs_waiting, in its order", got)
		}
	}
}

func TestPlan_PageOfAVideoReadsNoTable(t *testing.T) {
	s := fresh(t)
	for name, query := range map[string]string{
		"pending work": strings.ReplaceAll(owed, "?", "?1"),
		"activity":     `SELECT at FROM audit WHERE asset_id = ?1 ORDER BY at DESC, id DESC LIMIT 10`,
		"publications": `SELECT id FROM publications WHERE asset_id IN (SELECT value FROM json_each(?1)) ORDER BY id`,
		"tries before": `WITH RECURSIVE b (id, r) AS (SELECT id, retry_of FROM assets WHERE id = ?1
			UNION ALL SELECT a.id, a.retry_of FROM b JOIN assets a ON a.id = b.r) SELECT * FROM b`,
		"tries after": `WITH RECURSIVE c (id) AS (SELECT ?1 UNION ALL SELECT a.id FROM c JOIN assets a ON a.retry_of = c.id) SELECT * FROM c`,
		"languages": `SELECT u.lang, count(*) FROM requests r CROSS JOIN users u ON u.id = r.user_id
			WHERE r.asset_id = ?1 GROUP BY u.lang`,
		"foreign keys": `SELECT 1 FROM assets WHERE retry_of = ?1`,
	} {
		for _, step := range plan(t, s, query, "x") {
			if scansATable.MatchString(step) || name == "activity" && strings.Contains(step, "TEMP B-TREE") {
				t.Errorf("%s: got %s; want a search in an index", name, step)
			}
		}
	}
}

// Of a million videos a purge reads those that go, and a few more.
func TestPlan_PurgeReadsTheEndOfAnIndex(t *testing.T) {
	s := fresh(t)
	for _, kind := range stales {
		steps := plan(t, s, kind.pick, kind.args(Keep{}, 1, PurgeBatch)...)
		for _, step := range steps {
			// In the order of the rows with a limit inside of it, or of a table with a row for each admin.
			limited := strings.Contains(kind.pick, "LIMIT 0 + ?2)") || strings.Contains(kind.pick, "FROM sessions") ||
				strings.Contains(kind.pick, "FROM links") || strings.Contains(kind.pick, "FROM invitations") ||
				strings.Contains(kind.pick, "FROM tokens")
			if strings.Contains(step, "TEMP B-TREE") || strings.HasPrefix(step, "SCAN") && !limited {
				t.Errorf("%s\ngot %q; want the end of an index", kind.pick, steps)
			}
		}
	}
}

// Every page of the library counts the failed publications, and every card reads its own.
func TestPlan_PublicationsAreFoundInIndexes(t *testing.T) {
	s := fresh(t)
	owner, other := Admin{ID: 8, Owner: true}, Admin{ID: 7}
	for name, query := range map[string]string{
		"counted":    `SELECT count(*), max(p.completed) ` + unpublished(owner, Filter{}),
		"an admin's": `SELECT count(*), max(p.completed) ` + unpublished(other, Filter{}),
		"in turn": `SELECT p.id, p.asset_id ` + unpublished(owner, Filter{}) +
			` AND (p.completed, p.id) > (?7, ?8) AND p.completed <= ?9 ORDER BY p.completed, p.id LIMIT ?10`,
		"a card's": `SELECT p.id FROM publications p LEFT JOIN jobs j ON j.publication_id = p.id
			WHERE p.asset_id IN (SELECT value FROM json_each(?1)) ORDER BY p.id`,
		"waiting": `SELECT id FROM publications WHERE status = 'PENDING' AND session_uri IS NULL AND channel_id = ?1`,
		"uploads": `SELECT count(*) FROM uploads WHERE at >= ?1`,
	} {
		for _, step := range plan(t, s, query, 0, 0, 0, "", 0, "", 0, 0, 0, 0) {
			if strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "USING COVERING INDEX publications_failed") &&
				!strings.Contains(step, "json_each") || name == "in turn" && strings.Contains(step, "TEMP B-TREE") {
				t.Errorf("%s: got %s; want a search in an index", name, step)
			}
		}
	}
}

// The list of activity looks for nothing among all wishes.
func TestPlan_ActivityIsFoundInTheIndexOfWhatIsAsked(t *testing.T) {
	s := fresh(t)
	admin := int64(8)
	for name, c := range map[string]struct {
		pick  Deeds
		index string
	}{
		"of an admin":      {Deeds{Admin: &admin}, "audit_by_admin"},
		"some actions":     {Deeds{Actions: []string{"retry", "edit"}}, "audit_by_action"},
		"retries of users": {Deeds{Parents: true, Actions: []string{"retry"}}, "audit_by_action"},
		"wishes":           {Deeds{Actions: []string{"ask"}}, "audit_newest"},
		"all":              {Deeds{}, "audit_newest"},
	} {
		for _, step := range plan(t, s, c.pick.people(``), 1, 1, 1, 25, &admin, `["retry", "edit"]`) {
			if strings.Contains(step, "audit") && !strings.Contains(step, "SEARCH audit USING INDEX "+c.index) {
				t.Errorf("%s: got %s; want a search of %s", name, step, c.index)
			}
		}
	}
}
