package dbtest_test

import (
	"database/sql"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"retake.example/internal/db/dbtest"

	"modernc.org/sqlite"
)

// TestPowerCutsTellDurableCommitsFromOthers commits a hundred times and cuts the power after each operation: what the
// Disk says of SQLite must be what SQLite says of itself.
func TestPowerCutsTellDurableCommitsFromOthers(t *testing.T) {
	for _, c := range []struct {
		journal, synchronous string
		durable              bool
	}{
		{"wal", "full", true}, {"wal", "normal", false}, {"wal", "off", false},
		{"delete", "extra", true}, {"delete", "off", false},
	} {
		t.Run(c.journal+" "+c.synchronous, func(t *testing.T) {
			dir := t.TempDir()
			disk := dbtest.Watch(t, dir)
			db := open(
				t,
				dir,
				"?_pragma=journal_mode("+c.journal+")&_pragma=synchronous("+c.synchronous+")&_pragma=wal_autocheckpoint(40)",
			)
			exec(t, db, `CREATE TABLE t (n INTEGER PRIMARY KEY, filler TEXT) STRICT`)
			acknowledged := []int{disk.Ops()} // of row n, after how many operations
			for n := 1; n <= 60; n++ {
				exec(t, db, `INSERT INTO t VALUES (?, hex(zeroblob(500)))`, n)
				acknowledged = append(acknowledged, disk.Ops())
			}
			db.Close()
			lost, corrupt, cuts := 0, 0, 0
			random := rand.New(rand.NewPCG(1, 2))
			for ops := 1; ops <= disk.Ops(); ops += 3 {
				for _, cut := range []dbtest.Cut{{}, {Kept: 0.5, Torn: 0.3}} {
					cuts++
					want := -1
					for n, after := range acknowledged {
						if after <= ops {
							want = n
						}
					}
					switch got, sound := rows(t, disk, ops, cut, random); {
					case !sound:
						corrupt++
					case got < want:
						lost++
					}
				}
			}
			t.Logf("%d cuts: %d lost a commit, %d damaged the file", cuts, lost, corrupt)
			if c.durable && lost+corrupt > 0 || !c.durable && lost+corrupt == 0 {
				t.Errorf(
					"got %d cuts of %d that lost a commit, %d that damaged the file; want none: %v",
					lost,
					cuts,
					corrupt,
					c.durable,
				)
			}
		})
	}
}

func open(t *testing.T, dir, settings string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "t.db")+settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	return db
}

func exec(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatal(err)
	}
}

// rows cuts the power and returns the newest row that is left; -1: not even the table.
func rows(t *testing.T, disk *dbtest.Disk, ops int, cut dbtest.Cut, random *rand.Rand) (newest int, sound bool) {
	t.Helper()
	dir := t.TempDir()
	dbtest.Watch(t, dir) // its syncs take no time
	if err := disk.After(ops, cut, random, dir); err != nil {
		t.Fatal(err)
	}
	db := open(t, dir, "")
	defer db.Close()
	var verdict string
	if err := db.QueryRow(`PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		return 0, false
	}
	if err := db.QueryRow(`SELECT ifnull(max(n), 0) FROM t`).Scan(&newest); err != nil {
		return -1, true
	}
	return newest, true
}

func TestACallFailsOnceAndSQLiteSaysWhich(t *testing.T) {
	dir := t.TempDir()
	disk := dbtest.Watch(t, dir)
	db := open(t, dir, "?_pragma=journal_mode(wal)&_pragma=synchronous(full)")
	exec(t, db, `CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT`)
	for n, c := range []struct {
		code int32
		kind dbtest.Kind
	}{{dbtest.BadWrite, dbtest.Write}, {dbtest.Full, dbtest.Write}, {dbtest.BadSync, dbtest.Sync}} {
		disk.Fail(1, c.code, c.kind)
		_, err := db.Exec(`INSERT INTO t VALUES (?)`, n)
		if e, ok := errors.AsType[*sqlite.Error](err); !ok || e.Code() != int(c.code) || !disk.Failed() {
			t.Errorf("got %v, failed %v; want code %d", err, disk.Failed(), c.code)
		}
		exec(t, db, `INSERT INTO t VALUES (?)`, n)
	}
}
