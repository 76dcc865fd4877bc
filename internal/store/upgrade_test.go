// Tests of the versions of the schema: each that there was is opened, and none is changed without a step.

package store_test

import (
	"database/sql"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/store"
	"retake.example/internal/testrig"
)

var golden = flag.Bool("golden", false, "write testdata/schema/vN.sql for the newest version of the schema")

// aBitOfEverything fills a database with rows of every table.
func aBitOfEverything(t *testing.T, s *store.Store) {
	t.Helper()
	setNow(s, func() time.Time { return time.UnixMilli(1_790_000_000_000) })
	ask(t, s, "Маша", 1)
	ask(t, s, "Маша", 2)
	run := func(kind store.Kind, end func(*store.Tx, store.Job) error) {
		t.Helper()
		write(t, s, func(tx *store.Tx) error {
			tasks, err := tx.Claim(kind, false, 1)
			if err != nil || len(tasks) != 1 {
				return fmt.Errorf("got %d tasks, %v; want one", len(tasks), err)
			}
			return end(tx, tasks[0].Job)
		})
	}
	run(
		store.Announce,
		func(tx *store.Tx, j store.Job) error { _, err := tx.FinishMessage(&store.Task{Job: j}, 11); return err },
	)
	run(store.Render, func(tx *store.Tx, j store.Job) error {
		return tx.FinishRender(
			j,
			store.Video{
				File:     j.AssetID + ".mp4",
				Thumb:    j.AssetID + ".jpg",
				Size:     1000,
				Duration: time.Second,
				Width:    640,
				Height:   360,
			},
		)
	})
	run(store.Deliver, func(tx *store.Tx, j store.Job) error { return tx.VideoArrived(j, 12, "file-id") })
	ask(t, s, "Лев", 3)
	run(store.Render, func(tx *store.Tx, j store.Job) error { return tx.GiveUp(j, "no such model", "") })
	ask(t, s, "Ева", 1)
	run(
		store.Render,
		func(tx *store.Tx, j store.Job) error { return tx.Reschedule(j, tx.Now().Add(time.Second), "not yet") },
	)
	ask(t, s, "Оля", 4)
	write(t, s, func(tx *store.Tx) error {
		_, err := tx.Receive(
			[]store.Update{{ID: 7, Chat: 1, Raw: `{"update_id":7}`}, {ID: 8, Chat: 2, Raw: `{"update_id":8}`}},
		)
		if err == nil {
			err = tx.Handled(7)
		}
		if err == nil {
			_, err = tx.SaveDraft(1, "Вера")
		}
		return err
	})
	for _, statement := range []string{
		`INSERT INTO channels (id, platform, external_id, title, state, token, creator, connected, checked)
			VALUES (1, 'YOUTUBE', 'UC1', 'Greetings', 'CONNECTED', x'00', 8, 1, 1)`,
		`INSERT INTO publications (asset_id, platform, channel_id, creator, created) SELECT id, 'YOUTUBE', 1, 8, 1 FROM assets
			WHERE status = 'COMPLETED'`,
		`INSERT INTO jobs (kind, asset_id, publication_id, fairness_key, position, due, created)
			SELECT 'PUBLISH', asset_id, id, 8, 1, 0, 1 FROM publications`,
		`INSERT INTO jobs (kind, asset_id, fan_out, fairness_key, position, due, created) SELECT 'APOLOGISE', id, 0, 0, 1, 0, 1 FROM assets
			WHERE status = 'FAILED'`,
		`INSERT INTO uploads VALUES (1)`,
		`INSERT INTO outage (id, began, reason) VALUES (1, 1, 'no such model')`,
		`INSERT INTO links VALUES (zeroblob(32), 8, 1)`,
		`INSERT INTO sessions VALUES (zeroblob(32), 8, 1, 1)`,
		`INSERT INTO audit (at, admin, action) VALUES (1, 8, 'sign in')`,
	} {
		mutate(t, s, statement)
	}
}

// dump writes a database as statements that make it again.
func dump(t *testing.T, d *sql.DB) string {
	t.Helper()
	lines := func(query string) (out []string) {
		t.Helper()
		rows, err := d.Query(query)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		defer rows.Close()
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			out = append(out, line)
		}
		return out
	}
	var out []string
	out = append(out, lines(`SELECT format('PRAGMA user_version = %d;', user_version) FROM pragma_user_version`)...)
	out = append(
		out,
		lines(`SELECT sql || ';' FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid`)...)
	for _, table := range lines(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid`) {
		var columns []string
		for _, c := range lines(`SELECT name FROM pragma_table_info('` + table + `')`) {
			columns = append(columns, `quote("`+c+`")`)
		}
		out = append(
			out,
			lines(`SELECT 'INSERT INTO `+table+` VALUES (' || `+strings.Join(columns, ` || ', ' || `)+` || ');' FROM `+table)...)
	}
	out = append(
		out,
		lines(`SELECT sql || ';' FROM sqlite_master WHERE type <> 'table' AND sql IS NOT NULL ORDER BY rowid`)...)
	return strings.Join(out, "\n") + "\n"
}

// shape is what a schema says, without its comments.
func shape(t *testing.T, d *sql.DB) string {
	t.Helper()
	rows, err := d.Query(
		`SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type, name`,
	)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		text = regexp.MustCompile(`--[^\n]*`).ReplaceAllString(text, "")
		text = regexp.MustCompile(`\s*([(),])\s*`).ReplaceAllString(text, "$1")
		out = append(out, strings.Join(strings.Fields(text), " "))
	}
	return strings.Join(out, "\n")
}

// sizes counts the rows of every table.
func sizes(t *testing.T, d *sql.DB) map[string]int {
	t.Helper()
	rows, err := d.Query(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
	if err != nil {
		t.Fatal(err)
	}
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, name)
	}
	rows.Close()
	out := map[string]int{}
	for _, name := range tables {
		var n int
		if err := d.QueryRow(`SELECT count(*) FROM ` + name).Scan(&n); err != nil {
			t.Fatal(err)
		}
		out[name] = n
	}
	return out
}

// TestTheSchemaDoesNotChangeWithoutAStep compares schema.sql with what its version was when that was written down.
func TestTheSchemaDoesNotChangeWithoutAStep(t *testing.T) {
	s := newStore(t)
	if *golden {
		aBitOfEverything(t, s)
		if err := os.WriteFile(testrig.GoldenFile(testrig.SchemaVersion(t)), []byte(dump(t, readDB(t, s))), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if _, err := os.Stat(testrig.GoldenFile(testrig.SchemaVersion(t))); err != nil {
		t.Fatalf(
			"%v: a new version of the schema? Write it down: go test -run TestTheSchemaDoesNotChangeWithoutAStep ./internal/store "+
				"-args -golden",
			err,
		)
	}
	d, err := sql.Open("sqlite", testrig.FromGolden(t, testrig.SchemaVersion(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if got, want := shape(t, readDB(t, s)), shape(t, d); got != want {
		t.Errorf(
			"schema.sql is not version %d as it was written down: add a file to migrations, which leads there, then "+
				"write the new version down\n%s",
			testrig.SchemaVersion(t),
			firstDifference(got, want),
		)
	}
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return "got  " + a[i] + "\nwant " + b[i]
		}
	}
	return fmt.Sprintf("got %d statements; want %d", len(a), len(b))
}

// TestEveryVersionOfTheSchemaIsBroughtUpToDate opens a database of each version, written by the program of that time,
// and works on.
func TestEveryVersionOfTheSchemaIsBroughtUpToDate(t *testing.T) {
	fresh := newStore(t)
	for version := range testrig.SchemaVersion(t) {
		version++
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			path := testrig.FromGolden(t, version)
			d, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			before := sizes(t, d)
			for _, table := range []string{"users", "assets", "requests", "jobs", "attempts", "inbox", "publications",
				"channels", "audit", "sessions"} {
				if before[table] == 0 {
					t.Errorf("the file of version %d has no %s", version, table)
				}
			}
			var told []int
			s, err := testrig.OpenStoreWith(
				path,
				store.Options{Before: func(version int) error { told = append(told, version); return nil }},
			)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if want := []int{version}; version < testrig.SchemaVersion(t) && !slices.Equal(told, want) ||
				version == testrig.SchemaVersion(t) && told != nil {
				t.Errorf("got %v told before; want the version of an older file", told)
			}
			if got, want := shape(t, readDB(t, s)), shape(t, readDB(t, fresh)); got != want {
				t.Errorf("it is not what a new file is:\n%s", firstDifference(got, want))
			}
			after := sizes(t, readDB(t, s))
			for table, n := range before {
				if renamed, ok := map[string]string{"tallies": "name_counts", "tails": "name_suffixes"}[table]; ok {
					table = renamed
				}
				if after[table] != n {
					t.Errorf("got %d %s; want %d", after[table], table, n)
				}
			}
			if n := count(t, s, `SELECT (SELECT count(*) FROM pragma_foreign_key_check) + (SELECT count(*)
				FROM pragma_integrity_check WHERE integrity_check <> 'ok')`); n != 0 {
				t.Errorf("got %d faults in the file", n)
			}
			ask(t, s, "Новая", 9)
			var tasks []store.Task
			write(t, s, func(tx *store.Tx) (err error) { tasks, err = tx.Claim(store.Deliver, false, 9); return err })
			if len(tasks) == 0 {
				t.Error("got no video to send; want the one that was owed")
			}
		})
	}
}

// TestUpgrade_KeysOfNamesAreComputedAgain opens a file whose keys were made by a rule that saw through fewer disguises.
func TestUpgrade_KeysOfNamesAreComputedAgain(t *testing.T) {
	path := testrig.FromGolden(t, 10)
	d, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	id := func(n int) string { return fmt.Sprintf("%026d", n) }
	for i, a := range []struct{ name, key, columns, values string }{
		{"Ａｎｎａ Ｍａｒｉｅ", "ａｎｎａ ｍａｒｉｅ", "status, error, needs, finished", "'FAILED', 'no', 1, 1"},
		{"Anna Marie", "anna marie", "status, file, finished", "'COMPLETED', 'a.mp4', 1"},
		{"Ве́ра", "ве\u0301ра", "status, file, finished", "'COMPLETED', 'v.mp4', 1"},
		{"Зоя", "зоя", "status", "'PENDING'"},
		{"Зoя", "зoя", "status", "'PENDING'"}, // with a Latin o
		{"Лия", "лия", "status", "'PENDING'"},
	} {
		if _, err := d.Exec(`INSERT INTO assets (id, name, name_key, template, lang, origin, created, `+a.columns+`)
			VALUES (?, ?, ?, 'new-year', 'ru', 'REQUEST', 1, `+a.values+`)`, id(i), a.name, a.key); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Exec(`INSERT INTO publications (asset_id, platform, creator, created) VALUES (?, 'YOUTUBE', 8, 1)`, id(1)); err != nil {
		t.Fatal(err)
	}
	d.Close()
	s, err := openStore(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i, want := range []string{"anna marie", "anna marie", "вера", "зоя", "зoя", "лия"} {
		a, err := s.Asset(t.Context(), id(i))
		if err != nil || a.NameKey != want {
			t.Errorf("%q: got %q, %v; want %q", a.Name, a.NameKey, err, want)
		}
	}
	for what, query := range map[string]string{
		"counts that are not those of the assets": `SELECT count(*) FROM (
			SELECT a.name_key k, p.part, a.status, count(*) n FROM assets a JOIN (SELECT '' part UNION ALL SELECT 'NEEDS'
				UNION ALL SELECT 'YOUTUBE') p ON p.part = '' OR p.part = 'NEEDS' AND a.needs_attention OR p.part = 'YOUTUBE' AND a.published
			GROUP BY 1, 2, 3 EXCEPT SELECT name_key, part, status, n FROM name_counts)`,
		"counts of names that nobody has": `SELECT count(*) FROM name_counts WHERE n > 0 AND name_key <> ''
			AND name_key NOT IN (SELECT name_key FROM assets)`,
		"names that are not found": `SELECT count(*) FROM (SELECT DISTINCT name_key, name_key FROM assets
			EXCEPT SELECT suffix, name_key FROM name_suffixes)`,
		"names that are found and gone":                 `SELECT count(*) FROM name_suffixes WHERE name_key NOT IN (SELECT name_key FROM assets)`,
		"names that are not found by their second word": `SELECT 1 - count(*) FROM name_suffixes WHERE suffix = 'marie'`,
		"tables left over":                              `SELECT count(*) FROM sqlite_master WHERE name = 'rekeyed'`,
	} {
		if n := count(t, s, query); n != 0 {
			t.Errorf("got %d %s; want none", n, what)
		}
	}
	found, err := s.Library(t.Context(), store.Filter{Search: "anna", Limit: 10}, 2)
	if err != nil || len(found) != 2 {
		t.Errorf("got %d found, %v; want both Annas", len(found), err)
	}
}
