package db

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

const table = `CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, s TEXT) STRICT;`

func open(t testing.TB) *DB {
	t.Helper()
	d, err := Open(filepath.Join(t.TempDir(), "a file ?#%.db"), table, nil)
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
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
		var got string
		if err := d.Tx(t.Context(), func(tx *Tx) error { return tx.Get("PRAGMA "+pragma, nil, &got) }); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", pragma, got, err, want)
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
		CREATE TABLE IF NOT EXISTS child (n INTEGER REFERENCES t (n) DEFERRABLE INITIALLY DEFERRED) STRICT;`, nil)
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
	d, err := Open(path, table, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Tx(t.Context(), insert(7)); err != nil {
		t.Fatal(err)
	}
	d.Close()

	steps := []string{`ALTER TABLE t ADD COLUMN extra TEXT NOT NULL DEFAULT 'old'`}
	newest := `CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, s TEXT, extra TEXT NOT NULL DEFAULT 'old') STRICT;`
	if _, err := Open(path, newest, []string{`ALTER TABLE t ADD COLUMN extra TEXT; SELECT nonsense`}); err == nil {
		t.Fatal("a broken step: got no error")
	}
	for range 2 { // the second time there is nothing to do
		d, err = Open(path, newest, steps)
		if err != nil {
			t.Fatal(err)
		}
		var got string
		if err := d.Read().QueryRow(`SELECT n || extra FROM t`).Scan(&got); err != nil || got != "7old" {
			t.Errorf("got %q, %v; want the row with its new column", got, err)
		}
		d.Close()
	}
	if _, err := Open(path, table, nil); !errors.Is(err, ErrNewer) {
		t.Errorf("an older program: got %v; want ErrNewer", err)
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
