package db

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"retake.example/internal/db/dbtest"
)

const table = `CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, s TEXT) STRICT;`

func open(t testing.TB) *DB {
	t.Helper()
	d, err := Open(filepath.Join(t.TempDir(), "a file ?#%.db"), table, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func insert(n int) func(*Tx) error {
	return func(tx *Tx) error { _, err := tx.Exec(`INSERT INTO t (n) VALUES (?)`, n); return err }
}

func rows(t testing.TB, d *DB) (n int) {
	t.Helper()
	if err := d.Read().QueryRow(`SELECT count(*) FROM t`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEveryWriterConnectionIsDurable(t *testing.T) {
	d := open(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1",
		"secure_delete": "1"} {
		var got string
		if err := d.Tx(t.Context(), func(tx *Tx) error { return tx.Get("PRAGMA "+pragma, nil, &got) }); err != nil ||
			got != want {
			t.Errorf("%s: got %q, %v; want %q", pragma, got, err, want)
		}
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	type word string
	d := open(t)
	seven := 7
	err := d.Tx(t.Context(), func(tx *Tx) error {
		if _, err := tx.Exec(`CREATE TABLE v (id INTEGER PRIMARY KEY, v)`); err != nil {
			return err
		}
		for i, v := range []any{"", "a", strings.Repeat("long \x00", 500), word("w"), []byte{}, []byte(nil), []byte{0, 1},
			nil, 0, int64(-1) << 63, true, false, 1.5, &seven} {
			if _, err := tx.Exec(`INSERT INTO v VALUES (?, ?)`, i, v); err != nil {
				return fmt.Errorf("%T: %w", v, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var types string
	var got [14]any
	var s, long string
	var w word
	var n int
	var yes bool
	var none *string
	var some *int64
	var may sql.NullString
	var bytes []byte
	err = d.Tx(t.Context(), func(tx *Tx) error {
		rows, err := tx.Query(`SELECT v FROM v ORDER BY id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for i := 0; rows.Next(); i++ {
			if err := rows.Scan(&got[i]); err != nil {
				return err
			}
		}
		if rows.Next() {
			t.Error("after the last row: got another one")
		}
		return errors.Join(
			rows.Err(),
			rows.Close(),
			tx.Get(`SELECT group_concat(typeof(v), ' ') FROM (SELECT v FROM v ORDER BY id)`, nil, &types),
			tx.Get(
				`SELECT '', ?, 'w', 7, 1, NULL, 7, 'x', x'00ff'`,
				[]any{strings.Repeat("b", 100)},
				&s,
				&long,
				&w,
				&n,
				&yes,
				&none,
				&some,
				&may,
				&bytes,
			),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	want := [14]any{
		"",
		"a",
		strings.Repeat("long \x00", 500),
		"w",
		[]byte{},
		nil,
		[]byte{0, 1},
		nil,
		int64(0),
		int64(-1) << 63,
		int64(1),
		int64(0),
		1.5,
		int64(7),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v; want %#v", got, want)
	}
	if want := "text text text text blob null blob null integer integer integer integer real integer"; types != want {
		t.Errorf("got %s; want %s", types, want)
	}
	if s != "" || len(long) != 100 || w != "w" || n != 7 || !yes || none != nil || *some != 7 ||
		may != (sql.NullString{String: "x", Valid: true}) ||
		string(bytes) != "\x00\xff" {
		t.Errorf("got %q %q %q %d %v %v %v %v %q", s, long, w, n, yes, none, some, may, bytes)
	}
	for name, bad := range map[string]func(*Tx) error{
		"NULL for a number":    func(tx *Tx) error { return tx.Get(`SELECT NULL`, nil, &n) },
		"too few arguments":    func(tx *Tx) error { return tx.Get(`SELECT ?, ?`, []any{1}, &n, &n) },
		"too many columns":     func(tx *Tx) error { return tx.Get(`SELECT 1, 2`, nil, &n) },
		"two statements":       func(tx *Tx) error { _, err := tx.Exec(`SELECT 1; SELECT 2`); return err },
		"a word without sense": func(tx *Tx) error { _, err := tx.Exec(`SELEKT`); return err },
		"a struct":             func(tx *Tx) error { _, err := tx.Exec(`SELECT ?`, struct{}{}); return err },
		"a time":               func(tx *Tx) error { _, err := tx.Exec(`SELECT ?`, time.Now()); return err },
	} {
		if err := d.Tx(t.Context(), bad); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestAFailingMemberOfAGroupRollsBackAlone(t *testing.T) {
	d := open(t)
	boom := errors.New("boom")
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			err := d.Tx(context.Background(), func(tx *Tx) error {
				if err := insert(i)(tx); err != nil {
					return err
				}
				if i%2 == 1 {
					return boom
				}
				return nil
			})
			if (i%2 == 1) != errors.Is(err, boom) {
				t.Errorf("member %d: got %v", i, err)
			}
		})
	}
	wg.Wait()
	if n := rows(t, d); n != 100 {
		t.Errorf("got %d rows; want the 100 of those that did not fail", n)
	}
}

// TestAMemberThatFailsBeforeItWroteCostsTheOthersNothing: nobody's function runs twice because of it.
func TestAMemberThatFailsBeforeItWroteCostsTheOthersNothing(t *testing.T) {
	d := open(t)
	var runs atomic.Int64
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			d.Tx(context.Background(), func(tx *Tx) error {
				runs.Add(1)
				var n int
				if err := tx.Get(`SELECT count(*) FROM t WHERE n = ?`, []any{i}, &n); err != nil || i%2 == 1 {
					return errors.Join(err, errors.New("nothing to do"))
				}
				return insert(i)(tx)
			})
		})
	}
	wg.Wait()
	if n := rows(t, d); n != 100 || runs.Load() != 200 {
		t.Errorf("got %d rows, %d runs; want 100, 200", n, runs.Load())
	}
}

func TestARefusedStatementThatIsIgnoredSpoilsNobodysWork(t *testing.T) {
	d := open(t)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			if err := d.Tx(context.Background(), func(tx *Tx) error {
				if err := insert(i)(tx); err != nil {
					return err
				}
				insert(i)(tx) // refused: it is there
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := rows(t, d); n != 200 {
		t.Errorf("got %d rows; want 200", n)
	}
}

func TestAPanicReachesItsCallerAndNobodyElse(t *testing.T) {
	d := open(t)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("got no panic; want the caller's own")
			}
		}()
		d.Tx(context.Background(), func(tx *Tx) error { insert(1)(tx); panic("mine") })
	}()
	if err := d.Tx(context.Background(), insert(2)); err != nil {
		t.Errorf("the next transaction: got %v; want it to work", err)
	}
	if n := rows(t, d); n != 1 {
		t.Errorf("got %d rows; want 1", n)
	}
}

func TestACommitThatFailsIsAnErrorOfAllItsMembers(t *testing.T) {
	d, err := Open(filepath.Join(t.TempDir(), "d.db"), table+`
		CREATE TABLE IF NOT EXISTS child (n INTEGER REFERENCES t (n) DEFERRABLE INITIALLY DEFERRED) STRICT;`, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var wg sync.WaitGroup
	var refused atomic.Int64
	for i := range 50 {
		wg.Go(func() {
			err := d.Tx(context.Background(), func(tx *Tx) error {
				if i == 0 { // COMMIT finds out, not the statement
					_, err := tx.Exec(`INSERT INTO child (n) VALUES (99)`)
					return err
				}
				return insert(i)(tx)
			})
			if err != nil {
				refused.Add(1)
			}
			if i == 0 && err == nil {
				t.Error("the culprit: got no error")
			}
		})
	}
	wg.Wait()
	if n, want := rows(t, d), 50-int(refused.Load()); n != want {
		t.Errorf("got %d rows; want those of the %d who were told that it worked", n, want)
	}
	if err := d.Tx(context.Background(), insert(1000)); err != nil {
		t.Errorf("the next transaction: got %v; want it to work", err)
	}
}

func TestACancelledCallerIsNotRun(t *testing.T) {
	d := open(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := d.Tx(ctx, insert(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want context.Canceled", err)
	}
	if n := rows(t, d); n != 0 {
		t.Errorf("got %d rows; want 0", n)
	}
}

func TestReadersCannotWrite(t *testing.T) {
	d := open(t)
	if _, err := d.Read().Exec(`INSERT INTO t (n) VALUES (1)`); err == nil {
		t.Error("got no error; want a refusal")
	}
}

// TestCloseLetsAllFinishWhoWait: those who came while another one's transaction ran, in more than one group.
func TestCloseLetsAllFinishWhoWait(t *testing.T) {
	const others = maxGroup + 100
	path := filepath.Join(t.TempDir(), "d.db")
	d, err := Open(path, table, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	until := func(what func() bool) {
		for done := false; !done; runtime.Gosched() {
			d.mu.Lock()
			done = what()
			d.mu.Unlock()
		}
	}
	begun, goOn := make(chan bool), make(chan bool)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := d.Tx(t.Context(), func(tx *Tx) error { begun <- true; <-goOn; return insert(0)(tx) }); err != nil {
			t.Error(err)
		}
	})
	<-begun
	for i := range others {
		wg.Go(func() {
			if err := d.Tx(t.Context(), insert(i+1)); err != nil {
				t.Errorf("number %d: %v", i+1, err)
			}
		})
	}
	until(func() bool { return len(d.waiting) == others })
	wg.Go(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	until(func() bool { return d.closed })
	goOn <- true
	wg.Wait()
	if d, err = Open(path, table, nil, nil); err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if n := rows(t, d); n != others+1 {
		t.Errorf("got %d rows; want all %d", n, others+1)
	}
}

func TestAfterCloseNothingIsTaken(t *testing.T) {
	d := open(t)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Tx(context.Background(), insert(1)); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v; want ErrClosed", err)
	}
}

func TestUpgrading(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.db")
	d, err := Open(path, table, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Tx(t.Context(), insert(7)); err != nil {
		t.Fatal(err)
	}
	d.Close()

	steps := []string{`ALTER TABLE t ADD COLUMN extra TEXT NOT NULL DEFAULT 'old'`}
	newest := `CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, s TEXT, extra TEXT NOT NULL DEFAULT 'old') STRICT;`
	if _, err := Open(path, newest, []string{`ALTER TABLE t ADD COLUMN extra TEXT; SELECT nonsense`}, nil); err == nil {
		t.Fatal("a broken step: got no error")
	}
	for range 2 { // the second time there is nothing to do
		d, err = Open(path, newest, steps, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got string
		if err := d.Read().QueryRow(`SELECT n || extra FROM t`).Scan(&got); err != nil || got != "7old" {
			t.Errorf("got %q, %v; want the row with its new column", got, err)
		}
		d.Close()
	}
	if _, err := Open(path, table, nil, nil); !errors.Is(err, ErrNewer) {
		t.Errorf("an older program: got %v; want ErrNewer", err)
	}
}

// TestOpen_AStepCallsFunctions passes texts of all kinds to a function of Go's.
func TestOpen_AStepCallsFunctions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.db")
	d, err := Open(path, table, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	texts := []any{"маша", "", strings.Repeat("ы", 10_000), nil}
	if err := d.Tx(t.Context(), func(tx *Tx) error {
		for n, text := range texts {
			if _, err := tx.Exec(`INSERT INTO t VALUES (?, ?)`, n, text); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	d.Close()
	double := Function{Name: "twice", Of: func(text string) string { return text + text }}
	upper := Function{Name: "shout", Of: strings.ToUpper}
	if d, err = Open(path, table, []string{`UPDATE t SET s = shout(twice(s))`}, nil, double, upper); err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for n, text := range texts {
		var got sql.NullString
		if err := d.Read().QueryRow(`SELECT s FROM t WHERE n = ?`, n).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if s, ok := text.(string); got.Valid != ok || got.String != strings.ToUpper(s+s) {
			t.Errorf("%.20q: got %.40q, %v; want it twice in capitals, and NULL as it is", text, got.String, got.Valid)
		}
	}
}

// TestAnUpgradeThatPowerFailsIsWholeOrHasNotBegun cuts the power after each operation of an upgrade.
func TestAnUpgradeThatPowerFailsIsWholeOrHasNotBegun(t *testing.T) {
	const rows = 300
	steps := []string{
		`ALTER TABLE t ADD COLUMN extra TEXT NOT NULL DEFAULT 'old'`,
		`CREATE TABLE other (n INTEGER PRIMARY KEY, s TEXT) STRICT; INSERT INTO other SELECT n, s
			FROM t; DROP TABLE t; ALTER TABLE other RENAME TO t;
		 ALTER TABLE t ADD COLUMN size INTEGER NOT NULL DEFAULT 0; UPDATE t SET size = length(s)`,
	}
	newest := `CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, s TEXT, size INTEGER NOT NULL DEFAULT 0) STRICT;`
	dir := t.TempDir()
	disk := dbtest.Watch(t, dir)
	path := filepath.Join(dir, "d.db")
	d, err := Open(path, table, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Tx(t.Context(), func(tx *Tx) error {
		_, err := tx.Exec(`WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < ?)
			INSERT INTO t SELECT n, hex(zeroblob(100)) FROM i`, rows)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	d.Close()
	began := disk.Ops()
	if d, err = Open(path, newest, steps, nil); err != nil {
		t.Fatal(err)
	}
	d.Close()
	random := rand.New(rand.NewPCG(1, 2))
	seen := map[int]int{}
	for ops := began; ops <= disk.Ops(); ops++ {
		cut := []dbtest.Cut{{}, {Kept: 0.5, Torn: 0.3}, {Kept: 1}}[ops%3]
		dir := t.TempDir()
		dbtest.Watch(t, dir)
		if err := disk.After(ops, cut, random, dir); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "d.db")
		raw, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		var version, columns, n int
		var sound string
		if err := raw.QueryRow(`SELECT user_version, (SELECT count(*) FROM pragma_table_info('t')), (SELECT count(*)
			FROM t), (SELECT integrity_check FROM pragma_integrity_check)
			FROM pragma_user_version`).Scan(&version, &columns, &n, &sound); err != nil {
			t.Fatalf("%d, %+v: %v", ops, cut, err)
		}
		raw.Close()
		if want := map[int]int{1: 2, 3: 3}[version]; columns != want || n != rows || sound != "ok" {
			t.Fatalf(
				"%d, %+v: got version %d with %d columns and %d rows, %s; want one version or the other",
				ops,
				cut,
				version,
				columns,
				n,
				sound,
			)
		}
		seen[version]++
		d, err := Open(path, newest, steps, nil)
		if err != nil {
			t.Fatalf("%d, %+v: the next start: %v", ops, cut, err)
		}
		if err := d.Read().QueryRow(`SELECT count(*) FROM t WHERE size = 200`).Scan(&n); err != nil || n != rows {
			t.Errorf("%d, %+v: got %d rows as they should be, %v; want %d", ops, cut, n, err, rows)
		}
		d.Close()
	}
	t.Logf("power cuts that left versions: %v", seen)
	if seen[1] == 0 || seen[3] == 0 {
		t.Errorf("got versions %v; want cuts before and after", seen)
	}
}

func TestAFullDiskIsToldWhateverTheStartWrites(t *testing.T) {
	for n := 1; ; n++ {
		dir := t.TempDir()
		disk := dbtest.Watch(t, dir)
		disk.Fail(n, dbtest.Full, dbtest.Write)
		d, err := Open(filepath.Join(dir, "d.db"), table, nil, nil)
		if err == nil {
			d.Close()
		}
		if !disk.Failed() || err == nil { // the start writes less than that
			if n < 3 {
				t.Errorf("got %d writes; want more", n)
			}
			return
		}
		if !errors.Is(err, ErrFull) {
			t.Errorf("write %d: got %v; want ErrFull", n, err)
		}
	}
}

func BenchmarkGroupCommit(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			d := open(b)
			b.ResetTimer()
			var wg sync.WaitGroup
			for c := range callers {
				wg.Go(func() {
					for i := c; i < b.N; i += callers {
						if err := d.Tx(context.Background(), insert(i)); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestASnapshotIsOfOneMomentWhileOthersWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.db")
	d, err := Open(path, table, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Tx(t.Context(), func(tx *Tx) error { return insert(0)(tx) }); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var done atomic.Int64
	wg.Go(func() {
		for n := 1; ; n += 2 { // always in pairs
			select {
			case <-stop:
				return
			default:
			}
			if err := d.Tx(context.Background(), func(tx *Tx) error {
				return errors.Join(insert(n)(tx),
					insert(n+1)(tx))
			}); err != nil {
				t.Error(err)
				return
			}
			done.Add(2)
		}
	})
	for range 5 {
		before := done.Load()
		copied := filepath.Join(t.TempDir(), "copy.db")
		if err := Snapshot(t.Context(), path, copied); err != nil {
			t.Fatal(err)
		}
		if version, err := Check(t.Context(), copied); err != nil || version != 1 {
			t.Errorf("got version %d, %v; want a sound file of version 1", version, err)
		}
		c, err := Look(copied)
		if err != nil {
			t.Fatal(err)
		}
		var n, last int64
		if err := c.QueryRow(`SELECT count(*), max(n) FROM t`).Scan(&n, &last); err != nil || n%2 != 1 || last != n-1 ||
			n < before {
			t.Errorf("got %d rows to %d, %v; want whole pairs, and the %d from before it", n, last, err, before)
		}
		c.Close()
	}
	close(stop)
	wg.Wait()
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	good := filepath.Join(t.TempDir(), "good.db")
	d, err := Open(
		good,
		table+`CREATE INDEX IF NOT EXISTS i ON t (s); CREATE TABLE IF NOT EXISTS child (n INTEGER REFERENCES t (n)) STRICT;`,
		nil,
		nil,
	)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Tx(t.Context(), func(tx *Tx) error {
		_, err := tx.Exec(`WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i
			WHERE n < 2000) INSERT INTO t (n, s) SELECT n, hex(randomblob(20)) FROM i`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	d.Close()
	if _, err := Check(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func(path string) error{
		"half of it": func(path string) error { return os.WriteFile(path, text[:len(text)/2], 0o600) },
		"a hole": func(path string) error {
			holed := bytes.Clone(text)
			clear(holed[20_000:24_000])
			return os.WriteFile(path, holed, 0o600)
		},
		"no database": func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("no "), 9000), 0o600) },
		"a row that refers to nothing": func(path string) error {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				return err
			}
			raw, err := sql.Open("sqlite", path)
			if err != nil {
				return err
			}
			_, err = raw.Exec(`INSERT INTO child VALUES (-1)`)
			return errors.Join(err, raw.Close())
		},
	} {
		path := filepath.Join(t.TempDir(), "bad.db")
		if err := damage(path); err != nil {
			t.Fatal(err)
		}
		if _, err := Check(t.Context(), path); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: got %v; want ErrDamaged", name, err)
		}
	}
}

// SQLite looks at foreign keys when a statement ends, which is after it has returned its rows.
func TestGet_CarriesAStatementToItsEnd(t *testing.T) {
	d, err := Open(filepath.Join(t.TempDir(), "d.db"), `CREATE TABLE parents (id INTEGER PRIMARY KEY);
		CREATE TABLE children (parent INTEGER NOT NULL REFERENCES parents (id));
		INSERT INTO parents VALUES (1); INSERT INTO children VALUES (1)`, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	if err := d.Tx(t.Context(), func(tx *Tx) error {
		var id int
		return tx.Get(`DELETE FROM parents WHERE id = 1 RETURNING id`, nil, &id)
	}); err == nil || !strings.Contains(err.Error(), "FOREIGN KEY") {
		t.Errorf("got %v; want the foreign key to refuse it", err)
	}
	var parents int
	if err := d.Read().QueryRow(`SELECT count(*) FROM parents`).Scan(&parents); err != nil || parents != 1 {
		t.Errorf("got %d parents, %v; want the one that has a child", parents, err)
	}
}

func TestGet_FillsNumbersOfOurOwnTypes(t *testing.T) {
	type count int
	type long int64
	d := open(t)
	var n count
	var l long
	var f float64
	err := d.Tx(t.Context(), func(tx *Tx) error { return tx.Get(`SELECT 7, -9`, nil, &n, &l) })
	if err != nil || n != 7 || l != -9 {
		t.Errorf("got %d, %d, %v; want 7 and -9", n, l, err)
	}
	if err := d.Tx(t.Context(), func(tx *Tx) error { return tx.Get(`SELECT 7`, nil, &f) }); err == nil {
		t.Error("got no error for a type that no column fits")
	}
}
