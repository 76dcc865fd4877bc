// Tests of the reader: that it prepares each statement once, and that what it keeps is in nobody's way.

package db

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
)

func TestReader_PreparesAStatementOnceAndHoldsNoSnapshot(t *testing.T) {
	d, err := Open(filepath.Join(t.TempDir(), "x.db"), "CREATE TABLE t (n INTEGER);", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	number := func(query string, args ...any) (n int) {
		t.Helper()
		if err := d.Read().QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i := range 3 {
		if got := number(`SELECT count(*) FROM t WHERE n < ?`, 99); got != i {
			t.Errorf("got %d rows; want what has been written since, %d", got, i)
		}
		if err := d.Tx(t.Context(), func(tx *Tx) error {
			_, err := tx.Exec(`INSERT INTO t VALUES (?)`, i)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(d.Read().kept); got != 1 {
		t.Errorf("got %d prepared statements; want one for one query", got)
	}
	// Rows that are left before their end, a query that ends by its context, and one that is wrong.
	rows, err := d.Read().QueryContext(t.Context(), `SELECT n FROM t`)
	if err != nil || !rows.Next() || rows.Close() != nil {
		t.Fatalf("got %v; want a row", err)
	}
	over, end := context.WithCancel(t.Context())
	end()
	if _, err := d.Read().QueryContext(over, `SELECT n FROM t`); err == nil {
		t.Error("got rows; want that the end of the context is told")
	}
	if _, err := d.Read().QueryContext(t.Context(), `SELECT n FROM nothing`); err == nil {
		t.Error("got rows of nothing; want an error")
	}
	if got := number(`SELECT n FROM t`); got != 0 {
		t.Errorf("got %d; want the first row again", got)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 200 {
				var n int
				query := fmt.Sprintf(`SELECT %d FROM t LIMIT 1`, i%60*10)
				if err := d.Read().QueryRowContext(t.Context(), query).Scan(&n); err != nil || n != i%60*10 {
					t.Errorf("%s: got %d, %v", query, n, err)
				}
			}
		})
	}
	all.Wait()
	for i := range 2 * mostKept {
		if got := number(fmt.Sprintf(`SELECT %d`, i)); got != i {
			t.Errorf("got %d; want %d", got, i)
		}
	}
	if got := len(d.Read().kept); got != mostKept {
		t.Errorf("got %d prepared statements; want no more than %d", got, mostKept)
	}
}
