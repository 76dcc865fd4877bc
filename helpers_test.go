// Helpers that tests of several files share.

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"retake.example/internal/command"
	"retake.example/internal/config"
	"retake.example/internal/store"
)

// notShort leaves a test out of the inner loop (go test -short): it runs Chromium, kills programs or makes films.
func notShort(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes too long for -short")
	}
}

// A testClock is a clock that tests move.
type testClock struct {
	mu  sync.Mutex
	now func() time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	now := c.now
	c.mu.Unlock()
	return now()
}

// clocks are the clocks of the stores that openStore has opened.
var clocks sync.Map // *store.Store to *testClock

// openStore is OpenStore with a clock that setNow moves.
func openStore(path string) (*store.Store, error) {
	clock := &testClock{now: time.Now}
	s, err := OpenStoreWith(path, store.Options{Now: clock.Now})
	if err == nil {
		clocks.Store(s, clock)
	}
	return s, err
}

// setNow sets the clock of a store.
func setNow(s *store.Store, now func() time.Time) {
	c, _ := clocks.Load(s)
	clock := c.(*testClock)
	clock.mu.Lock()
	defer clock.mu.Unlock()
	clock.now = now
}

// readers are the connections of readDB: a test that asks thousands of times needs one. A store that is opened again
// needs another: a restore may have put a new file in the place of the old one.
var readers sync.Map // *store.Store to *sql.DB

// readDB is a second, reading connection to the file of a store, until the end of the test.
func readDB(t testing.TB, s *store.Store) *sql.DB {
	t.Helper()
	if d, ok := readers.Load(s); ok {
		return d.(*sql.DB)
	}
	d, err := sql.Open("sqlite", "file:"+s.Path()+"?mode=ro&_pragma=query_only(1)&_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	readers.Store(s, d)
	t.Cleanup(func() {
		readers.Delete(s)
		d.Close()
	})
	return d
}

// commits returns a function whose result changes with every commit that writes to a store.
func commits(t testing.TB, s *store.Store) func() int {
	t.Helper()
	d := readDB(t, s)
	d.SetMaxOpenConns(1) // the number is one of a connection
	return func() (version int) {
		t.Helper()
		if err := d.QueryRow(`PRAGMA data_version`).Scan(&version); err != nil {
			t.Fatal(err)
		}
		return version
	}
}

// plant runs fn in a transaction of a second connection to the file of a store, with the SQL that only internal/store
// has.
func plant(s *store.Store, fn func(*sql.Tx) error) error {
	d, err := sql.Open(
		"sqlite",
		"file:"+s.Path()+"?_txlock=immediate&_pragma=foreign_keys(1)&_pragma=synchronous(0)&_pragma=busy_timeout(60000)",
	)
	if err != nil {
		return err
	}
	defer d.Close()
	tx, err := d.Begin()
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		tx.Rollback()
		return err
	}
	return tx.Commit()
}

// try runs one statement.
func try(s *store.Store, query string, args ...any) error {
	return plant(s, func(tx *sql.Tx) error { _, err := tx.Exec(query, args...); return err })
}

// texts returns the first column of a query.
func texts(t testing.TB, s *store.Store, query string, args ...any) ([]string, error) {
	t.Helper()
	rows, err := readDB(t, s).Query(query, args...)
	return collect(rows, err, func(v *string) error { return rows.Scan(v) })
}

// collect scans every row of a query and closes it.
func collect[T any](rows *sql.Rows, err error, scan func(*T) error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var v T
		if err := scan(&v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// list is ids as one argument for json_each.
func list(ids []string) string {
	b, _ := json.Marshal(ids)
	return string(b)
}

// null is nil for a zero value.
func null[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

// serveWith runs the program with settings that are read from nowhere.
func serveWith(ctx context.Context, cfg config.Config, log *slog.Logger, out io.Writer,
	wrap func(renderer) renderer) error {
	return command.Serve(ctx, command.Fixed(cfg, log, out),
		func(ctx context.Context, run command.Run) error { return serve(ctx, run, wrap) })
}
