// A test of what the open pages are told: each change of a video, of its requests and of its publications.

package store

import (
	"slices"
	"strings"
	"testing"
)

// untold are the methods, and the rows, that they change without telling the pages, and why.
var untold = map[string]string{
	"KeepFileID":                 "no page shows it",
	"EndPublishing " + stated(4): "the program calls it at its start, and Forget tells of its own",
	"Forget " + stated(4):        "that video should have gone before",
}

func TestTouched_EveryChangeIsTold(t *testing.T) {
	s := fresh(t)
	populate(t, s)
	do(t, s, func(tx *Tx) error {
		statements := []string{`CREATE TEMP TABLE IF NOT EXISTS changed_rows (asset)`}
		for table, id := range map[string]string{"assets": "id", "requests": "asset_id", "publications": "asset_id",
			"channels": "'channels'", "announcements": "'announcements'", "outage": "'outage'", "admins": "'admins'",
			"advance": "'advance'"} {
			for _, event := range []string{"INSERT", "UPDATE", "DELETE"} {
				row := "new"
				if event == "DELETE" {
					row = "old"
				}
				subject := row + "." + id
				if strings.HasPrefix(id, "'") {
					subject = id
				}
				of := ""
				if table == "channels" && event == "UPDATE" { // and not of when it was last checked
					of = " OF title, state, error, paused_until, paused_for, ends, defaults"
				}
				statements = append(statements, `CREATE TEMP TRIGGER IF NOT EXISTS `+table+`_`+event+` AFTER `+event+of+` ON `+table+`
					BEGIN INSERT INTO changed_rows VALUES (`+subject+`); END`)
			}
		}
		for _, statement := range statements {
			if _, err := tx.sql.Exec(statement); err != nil {
				return err
			}
		}
		return nil
	})
	seen := map[string]bool{}
	callEach(t, s, func(tx *Tx, method string, call func()) {
		if _, err := tx.sql.Exec(`DELETE FROM changed_rows`); err != nil {
			t.Fatal(err)
		}
		call()
		rows, err := tx.sql.Query(`SELECT DISTINCT asset FROM changed_rows`)
		ids, err := collect(rows, err, func(id *string) error { return rows.Scan(id) })
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			switch {
			case slices.Contains(tx.changed, id) || slices.Contains(tx.changed, ""):
			case untold[method] != "":
				seen[method] = true
			case untold[method+" "+id] != "":
				seen[method+" "+id] = true
			default:
				t.Errorf("%s changes %s and tells nobody", method, id)
			}
		}
	})
	for what := range untold {
		if !seen[what] {
			t.Errorf("%s is told, or does not change: it is no exception", what)
		}
	}
}
