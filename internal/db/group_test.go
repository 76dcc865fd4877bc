// Tests of what a group of transactions owes each member, and of what tests can ask of a writer.

package db

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"retake.example/internal/db/dbtest"
)

// group runs functions as members of one group, in this order, and returns their errors.
func group(t *testing.T, d *DB, fns ...func(*Tx) error) []error {
	t.Helper()
	begun, goOn := make(chan bool), make(chan bool)
	errs := make([]error, len(fns))
	var wg sync.WaitGroup
	var first sync.Once
	wg.Go(func() {
		if err := d.Tx(context.Background(), func(*Tx) error {
			first.Do(func() { begun <- true; <-goOn })
			return nil
		}); err != nil {
			t.Errorf("the transaction before: %v", err)
		}
	})
	<-begun
	for i, fn := range fns {
		wg.Go(func() { errs[i] = d.Tx(context.Background(), fn) })
		for waiting := -1; waiting != i+1; runtime.Gosched() {
			d.mu.Lock()
			waiting = len(d.waiting)
			d.mu.Unlock()
		}
	}
	goOn <- true
	wg.Wait()
	return errs
}

func numbers(t *testing.T, d *DB) (all []int) {
	t.Helper()
	rows, err := d.Read().Query(`SELECT n FROM t ORDER BY n`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

// TestTx_AFailingMemberTakesBackWhateverItDid lets members of a group write in every way there is, and fail.
func TestTx_AFailingMemberTakesBackWhateverItDid(t *testing.T) {
	boom := errors.New("boom")
	var n int
	for name, write := range map[string]func(*Tx) error{
		"INSERT":           func(tx *Tx) error { _, err := tx.Exec(`INSERT INTO t (n) VALUES (50)`); return err },
		"INSERT RETURNING": func(tx *Tx) error { return tx.Get(`INSERT INTO t (n) VALUES (50) RETURNING n`, nil, &n) },
		"UPDATE":           func(tx *Tx) error { _, err := tx.Exec(`UPDATE t SET n = 50 WHERE n = 1`); return err },
		"UPDATE RETURNING": func(tx *Tx) error { return tx.Get(`UPDATE t SET n = 50 WHERE n = 1 RETURNING n`, nil, &n) },
		"DELETE":           func(tx *Tx) error { _, err := tx.Exec(`DELETE FROM t WHERE n = 1`); return err },
		"DELETE RETURNING": func(tx *Tx) error { return tx.Get(`DELETE FROM t WHERE n = 1 RETURNING n`, nil, &n) },
		"REPLACE":          func(tx *Tx) error { _, err := tx.Exec(`REPLACE INTO t (n, s) VALUES (1, 'new')`); return err },
		"WITH": func(tx *Tx) error {
			_, err := tx.Exec(`WITH w AS (SELECT 1 n) DELETE FROM t WHERE n IN (SELECT n FROM w)`)
			return err
		},
		"a query by rows": func(tx *Tx) error {
			rows, err := tx.Query(`DELETE FROM t WHERE n = 1 RETURNING n`)
			if err != nil {
				return err
			}
			rows.Next()
			return rows.Close()
		},
		"a trigger": func(tx *Tx) error { _, err := tx.Exec(`INSERT INTO v (n) VALUES (50)`); return err },
		"a table":   func(tx *Tx) error { _, err := tx.Exec(`CREATE TABLE late (n)`); return err },
	} {
		d, err := Open(filepath.Join(t.TempDir(), "d.db"), table+`CREATE VIEW IF NOT EXISTS v AS SELECT n FROM t;
			CREATE TRIGGER IF NOT EXISTS tr INSTEAD OF INSERT ON v BEGIN INSERT INTO t (n) VALUES (new.n); END`, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Tx(t.Context(), insert(1)); err != nil {
			t.Fatal(err)
		}
		errs := group(t, d, insert(2), func(tx *Tx) error { return errors.Join(write(tx), boom) }, insert(3))
		if errs[0] != nil || !errors.Is(errs[1], boom) || errs[1].Error() != "boom" || errs[2] != nil {
			t.Errorf("%s: got %v; want boom for the second alone", name, errs)
		}
		if got := numbers(t, d); !slices.Equal(got, []int{1, 2, 3}) {
			t.Errorf("%s: got rows %v; want 1, 2 and 3", name, got)
		}
		var s string
		if d.Read().QueryRow(`SELECT name FROM sqlite_schema WHERE name = 'late'`).Scan(&s) == nil {
			t.Errorf("%s: the table of the failing member is there", name)
		}
		d.Close()
	}
}

// TestTx_AMemberThatFindsNothingToChangeCostsNoRerun: that is how most functions fail.
func TestTx_AMemberThatFindsNothingToChangeCostsNoRerun(t *testing.T) {
	d, runs := open(t), 0
	idle := func(tx *Tx) error {
		n, err := tx.Exec(`UPDATE t SET s = 'x' WHERE n = 99`)
		return errors.Join(err, fmt.Errorf("%d rows", n))
	}
	errs := group(t, d, func(tx *Tx) error { runs++; return insert(1)(tx) }, idle)
	if errs[0] != nil || errs[1] == nil || runs != 1 {
		t.Errorf("got %v, %d runs; want the first to run once", errs, runs)
	}
}

// TestTx_AFullDiskInAGroupIsAllInOrAllOut lets SQLite roll back the whole transaction under a member. Those that do
// not notice must not write on outside of it.
// What one member does for all of them must be done by each when they run apart: the last of them may be the one that
// fails.
func TestTx_ThoseWhoRunApartAreEachTheLast(t *testing.T) {
	d := open(t)
	last := make([]bool, 3)
	note := func(i, row int, err error) func(*Tx) error {
		return func(tx *Tx) error {
			last[i] = tx.Last
			return errors.Join(insert(row)(tx), err)
		}
	}
	group(t, d, note(0, 1, nil), note(1, 2, nil), note(2, 3, nil))
	if !slices.Equal(last, []bool{false, false, true}) {
		t.Errorf("got %v for those who share a transaction; want the last alone", last)
	}
	group(t, d, note(0, 4, nil), note(1, 5, nil), note(2, 6, errors.New("boom")))
	if !slices.Equal(last, []bool{true, true, true}) {
		t.Errorf("got %v for those who run apart; want each", last)
	}
}

func TestTx_AFullDiskInAGroupIsAllInOrAllOut(t *testing.T) {
	big := func(tx *Tx) error {
		_, err := tx.Exec(`INSERT INTO t (n, s) VALUES (50, hex(zeroblob(2000000)))`)
		return err
	}
	for name, member := range map[string]func(*Tx) error{
		"it fails":               big,
		"it ignores that":        func(tx *Tx) error { _ = big(tx); return nil },
		"it goes on writing":     func(tx *Tx) error { _ = big(tx); _ = insert(51)(tx); return nil },
		"it goes on, then fails": func(tx *Tx) error { return errors.Join(big(tx), insert(51)(tx)) },
		"it wrote before":        func(tx *Tx) error { return errors.Join(insert(49)(tx), big(tx)) },
	} {
		dir := t.TempDir()
		disk := dbtest.Watch(t, dir)
		d, err := Open(filepath.Join(dir, "d.db"), table, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Tx(t.Context(), func(tx *Tx) error {
			_, err := tx.Exec(`PRAGMA cache_size = 10`) // so that a large row goes to the disk before the commit
			return errors.Join(err, insert(1)(tx))
		}); err != nil {
			t.Fatal(err)
		}
		disk.Fail(1, dbtest.Full, dbtest.Write)
		errs := group(t, d, insert(2), member, insert(3), insert(4))
		if !disk.Failed() {
			t.Fatalf("%s: the disk was never full", name)
		}
		want := []int{1, 5}
		for i, n := range []int{2, 0, 3, 4} {
			switch {
			case errs[i] == nil && n > 0:
				want = append(want, n)
			case errs[i] != nil && !OfDisk(errs[i]):
				t.Errorf("%s: member %d got %v; want the full disk", name, i+1, errs[i])
			}
		}
		if err := d.Tx(t.Context(), insert(5)); err != nil {
			t.Errorf("%s: the next transaction: %v", name, err)
		}
		got := slices.DeleteFunc(numbers(t, d), func(n int) bool { return n >= 49 && errs[1] == nil })
		if slices.Sort(want); !slices.Equal(got, want) {
			t.Errorf("%s: got rows %v; want %v, because the members were told %v", name, got, want, errs)
		}
		d.Close()
	}
}

func TestOpen_ANewFileNeedsNoBackup(t *testing.T) {
	asked := func(version int) error { t.Errorf("asked for a backup of version %d", version); return nil }
	path := filepath.Join(t.TempDir(), "d.db")
	for range 2 { // the second time it is up to date
		d, err := Open(path, table, []string{`SELECT 1`}, asked)
		if err != nil {
			t.Fatal(err)
		}
		d.Close()
	}
}

func TestOpen_ABackupThatFailsStopsTheUpgrade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.db")
	d, err := Open(path, table, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	full := errors.New("no room")
	if _, err := Open(path, table, []string{`DROP TABLE t`}, func(int) error { return full }); !errors.Is(err, full) {
		t.Errorf("got %v; want the error of the backup", err)
	}
	if version, err := Version(path); version != 1 || err != nil {
		t.Errorf("got version %d, %v; want 1", version, err)
	}
}

// TestOpen_TwoProcessesUpgradeOnce upgrades the file from elsewhere at the last moment: to the same version, or a later
// one.
func TestOpen_TwoProcessesUpgradeOnce(t *testing.T) {
	steps := []string{`ALTER TABLE t ADD COLUMN extra TEXT`, `ALTER TABLE t ADD COLUMN more TEXT`, `SELECT 1`}
	for _, c := range []struct {
		ours, theirs int // steps
		want         error
	}{{2, 1, nil}, {2, 2, nil}, {2, 3, ErrNewer}} {
		path := filepath.Join(t.TempDir(), "d.db")
		d, err := Open(path, table, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		d.Close()
		d, err = Open(path, table, steps[:c.ours], func(int) error {
			other, err := Open(path, table, steps[:c.theirs], nil)
			if err != nil {
				return err
			}
			return other.Close()
		})
		if !errors.Is(err, c.want) {
			t.Fatalf("with %d steps beside %d: got %v; want %v", c.ours, c.theirs, err, c.want)
		}
		if err == nil {
			d.Close()
		}
		if version, err := Version(path); version != 1+max(c.ours, c.theirs) || err != nil {
			t.Errorf("with %d steps beside %d: got version %d, %v", c.ours, c.theirs, version, err)
		}
	}
}

// TestOpen_NobodyElseReadsTheFiles has a umask that allows everything, and files that an older version left readable.
func TestOpen_NobodyElseReadsTheFiles(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := t.TempDir()
	path := filepath.Join(dir, "d.db")
	for _, round := range []string{"a new file", "one that others could read"} {
		d, err := Open(path, table, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Tx(t.Context(), func(tx *Tx) error {
			_,
				err := tx.Exec(`INSERT INTO t DEFAULT VALUES`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		rows(t, d)
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 3 {
			t.Fatalf("got %v, %v; want the file, its log and the log's index", entries, err)
		}
		for _, e := range entries {
			if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %s: got %v, %v; want 0600", round, e.Name(), info.Mode(), err)
			}
		}
		d.Close()
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := Snapshot(t.Context(), path, filepath.Join(dir, "copy.db")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "copy.db")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("a snapshot: got %v, %v; want 0600", info.Mode(), err)
	}
}

func TestCheckpoint_LeavesNothingDeletedInAnyFile(t *testing.T) {
	dir, name := t.TempDir(), "Аристарх"
	d, err := Open(filepath.Join(dir, "d.db"), table, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	holds := func() (files []string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			text, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), name) {
				files = append(files, e.Name())
			}
		}
		return files
	}
	write := func(query string, args ...any) {
		if err := d.Tx(t.Context(), func(tx *Tx) error { _, err := tx.Exec(query, args...); return err }); err != nil {
			t.Fatal(err)
		}
	}
	write(`INSERT INTO t VALUES (1, ?)`, name)
	write(`DELETE FROM t`)
	if len(holds()) == 0 {
		t.Fatal("the deleted name is in no file: this test shows nothing")
	}
	// A reader that is under way needs the log; writers do not wait for it.
	reader, err := d.Read().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := reader.QueryRow(`SELECT count(*) FROM t`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	write(`INSERT INTO t VALUES (2, 'other')`)
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := d.Checkpoint(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("beside a reader: got %v; want the end of ctx", err)
	}
	done := make(chan error)
	go func() { done <- d.Checkpoint(t.Context()) }()
	for i := range 20 {
		write(`INSERT INTO t VALUES (?, 'other')`, 10+i)
	}
	if err := reader.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if files := holds(); len(files) > 0 {
		t.Errorf("the deleted name is in %q", files)
	}
	if info, err := os.Stat(filepath.Join(dir, "d.db-wal")); err != nil || info.Size() != 0 {
		t.Errorf("got a log of %d bytes, %v; want an empty one", info.Size(), err)
	}
	if err := d.Tx(t.Context(), insert(3)); err != nil {
		t.Errorf("the next transaction: %v", err)
	}
}

// TestCheckpoint_IsAMemberOfNoGroup has transactions before and after it.
func TestCheckpoint_IsAMemberOfNoGroup(t *testing.T) {
	d := open(t)
	begun, goOn := make(chan bool), make(chan bool)
	var wg sync.WaitGroup
	wg.Go(func() { d.Tx(context.Background(), func(*Tx) error { begun <- true; <-goOn; return nil }) })
	<-begun
	for i := range 30 {
		wg.Go(func() {
			err := insertOrCheckpoint(d, i)
			if err != nil {
				t.Errorf("number %d: %v", i, err)
			}
		})
	}
	goOn <- true
	wg.Wait()
	if got := rows(t, d); got != 20 {
		t.Errorf("got %d rows; want 20", got)
	}
	d.Close()
	if err := d.Checkpoint(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: got %v; want ErrClosed", err)
	}
}

func insertOrCheckpoint(d *DB, i int) error {
	if i%3 == 0 {
		return d.Checkpoint(context.Background())
	}
	return d.Tx(context.Background(), insert(i))
}

func TestTwice_EveryFunctionRunsTwiceAndCountsOnce(t *testing.T) {
	dbtest.Twice(t)
	d := open(t)
	boom := errors.New("boom")
	runs := make([]int, 3)
	errs := group(t, d,
		func(tx *Tx) error { runs[0]++; return insert(1)(tx) },
		func(tx *Tx) error { runs[1]++; return boom },
		func(tx *Tx) error { runs[2]++; return insert(runs[2])(tx) }) // does not tell its runs apart, and should
	if errs[0] != nil || !errors.Is(errs[1], boom) || errs[2] != nil || !slices.Equal(runs, []int{2, 2, 2}) {
		t.Errorf("got %v and %v runs; want two of each", errs, runs)
	}
	if got := numbers(t, d); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("got rows %v; want 1, and 2 of the second run", got)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("got no panic; want that of the function")
			}
		}()
		d.Tx(t.Context(), func(tx *Tx) error { insert(7)(tx); panic("mine") })
	}()
	if err := d.Tx(t.Context(), insert(7)); err != nil {
		t.Errorf("after a panic: %v", err)
	}
}

// TestStatements_ScansAreFound is the example of a test that refuses them.
func TestStatements_ScansAreFound(t *testing.T) {
	seen := dbtest.CollectStatements(t)
	d, err := Open(
		filepath.Join(t.TempDir(), "d.db"),
		table+`CREATE TABLE IF NOT EXISTS few (n INTEGER PRIMARY KEY, s TEXT) STRICT;
		CREATE TABLE IF NOT EXISTS quiet (n INTEGER PRIMARY KEY) STRICT;
		CREATE TRIGGER IF NOT EXISTS tr AFTER DELETE ON quiet BEGIN UPDATE t SET s = 'x' WHERE s = old.n; END`,
		nil,
		nil,
	)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	want := map[string]bool{ // scans t
		`SELECT n FROM t WHERE n = ?`:                                false,
		`SELECT n FROM t WHERE s = ?`:                                true,
		`SELECT x.n FROM t x WHERE x.s = ?`:                          true,
		`SELECT few.n FROM few, t AS y WHERE y.n = few.n`:            false,
		`SELECT count(*) FROM t`:                                     true,
		`UPDATE t SET s = ? WHERE s = ?`:                             true,
		`DELETE FROM t WHERE n = ?`:                                  false,
		`DELETE FROM few WHERE NOT EXISTS (SELECT 1 FROM t LIMIT 9)`: true,
		`DELETE FROM quiet WHERE n = ?`:                              true, // by its trigger
		`INSERT INTO quiet VALUES (?)`:                               false,
	}
	for query := range want {
		if err := d.Tx(t.Context(), func(tx *Tx) error {
			args := make([]any, strings.Count(query, "?"))
			for i := range args {
				args[i] = 1
			}
			rows, err := tx.Query(query, args...)
			if err != nil {
				return err
			}
			for rows.Next() {
			}
			return errors.Join(rows.Err(), rows.Close())
		}); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
	for _, s := range seen.All() {
		if scans, asked := want[s.Query]; asked && (len(s.Scans("t", "requests")) > 0) != scans {
			t.Errorf("%s: got scans of %q by %q; want one of t: %v", s.Query, s.Scans("t", "requests"), s.Plan, scans)
		}
		delete(want, s.Query)
	}
	if len(want) > 0 {
		t.Errorf("not seen: %v", want)
	}
}

// A commit takes no further members when those that it has are a lot. The others come with the next ones, in their
// order.
func TestGroup_HasRoomForSomeStatements(t *testing.T) {
	d := open(t)
	var began []int
	last := map[int]bool{}
	member := func(n int, statements int, failure error) func(*Tx) error {
		return func(tx *Tx) error {
			began, last[n] = append(began, n), tx.Last
			for range statements {
				var one int
				if err := tx.Get(`SELECT 1`, nil, &one); err != nil {
					return err
				}
			}
			return errors.Join(insert(n)(tx), failure)
		}
	}
	broken := errors.New("broken")
	errs := group(t, d, member(1, mostStatements, nil), member(2, 0, nil), member(3, mostStatements, broken),
		member(4, 0, nil), member(5, 0, nil))
	for i, err := range errs {
		if want := map[int]error{2: broken}[i]; !errors.Is(err, want) {
			t.Errorf("member %d: got %v; want %v", i+1, err, want)
		}
	}
	if got := numbers(t, d); !slices.Equal(got, []int{1, 2, 4, 5}) {
		t.Errorf("got %v written; want what all but the third member wrote", got)
	}
	if !slices.IsSorted(slices.Compact(slices.Clone(began))) {
		t.Errorf("got the members in the order %v", began)
	}
	if last[1] || !last[2] {
		t.Errorf("got %v as the last of a commit; want the second, before which there were enough", last)
	}
}
