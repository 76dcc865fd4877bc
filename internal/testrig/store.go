// A real database, and what people did in it.

package testrig

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"retake.example/internal/db/dbtest"
	"retake.example/internal/store"
)

// A clock is a clock that tests move.
type clock struct {
	mu  sync.Mutex
	now func() time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	now := c.now
	c.mu.Unlock()
	return now()
}

// clocks are the clocks of the stores that OpenStore has opened.
var clocks sync.Map // *store.Store to *clock

// OpenStore opens the database file at path as the program does, with a clock that SetNow moves.
func OpenStore(path string) (*store.Store, error) {
	return OpenStoreWith(path, store.Options{})
}

// OpenStoreWith is OpenStore with the Before of o.
func OpenStoreWith(path string, o store.Options) (*store.Store, error) {
	schema, steps, err := Schema()
	if err != nil {
		return nil, err
	}
	c := &clock{now: time.Now}
	o.Schema, o.Steps, o.Now = schema, steps, dbtest.Clock(c.Now)
	s, err := store.Open(path, o)
	if err == nil {
		clocks.Store(s, c)
	}
	return s, err
}

// Schema returns schema.sql and the steps that lead to it, that to version 2 first.
func Schema() (schema string, steps []string, err error) {
	paths, err := filepath.Glob(filepath.Join(Root(), "migrations", "v*.sql")) // sorted
	for _, path := range paths {
		text, failed := os.ReadFile(path)
		steps, err = append(steps, string(text)), errors.Join(err, failed)
	}
	text, failed := os.ReadFile(filepath.Join(Root(), "schema.sql"))
	return string(text), steps, errors.Join(err, failed)
}

// SchemaVersion is the version of the schema.
func SchemaVersion(t testing.TB) int {
	t.Helper()
	_, steps, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	return len(steps) + 1
}

// SetNow sets the clock of a store.
func SetNow(s *store.Store, now func() time.Time) {
	found, _ := clocks.Load(s)
	c := found.(*clock)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// readers are the connections of ReadDB: a test that asks thousands of times needs one. A store that is opened again
// needs another: a restore may have put a new file in the place of the old one.
var readers sync.Map // *store.Store to *sql.DB

// ReadDB is a second, reading connection to the file of a store, until the end of the test.
func ReadDB(t testing.TB, s *store.Store) *sql.DB {
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

// Commits returns a function whose result changes with every commit that writes to a store.
func Commits(t testing.TB, s *store.Store) func() int {
	t.Helper()
	d := ReadDB(t, s)
	d.SetMaxOpenConns(1) // the number is one of a connection
	return func() (version int) {
		t.Helper()
		if err := d.QueryRow(`PRAGMA data_version`).Scan(&version); err != nil {
			t.Fatal(err)
		}
		return version
	}
}

// Plant runs fn in a transaction of a second connection to the file of a store, with the SQL that only internal/store
// has.
func Plant(s *store.Store, fn func(*sql.Tx) error) error {
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

// Try runs one statement.
func Try(s *store.Store, query string, args ...any) error {
	return Plant(s, func(tx *sql.Tx) error { _, err := tx.Exec(query, args...); return err })
}

// Texts returns the first column of a query.
func Texts(t testing.TB, s *store.Store, query string, args ...any) ([]string, error) {
	t.Helper()
	rows, err := ReadDB(t, s).Query(query, args...)
	return Collect(rows, err, func(v *string) error { return rows.Scan(v) })
}

// Collect scans every row of a query and closes it.
func Collect[T any](rows *sql.Rows, err error, scan func(*T) error) ([]T, error) {
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

// List is ids as one argument for json_each.
func List(ids []string) string {
	b, _ := json.Marshal(ids)
	return string(b)
}

// Null is nil for a zero value.
func Null[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

// NewStore opens a real database file that lasts as long as the test.
func NewStore(t testing.TB) *store.Store {
	t.Helper()
	s, err := OpenStore(filepath.Join(t.TempDir(), "retake.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Write runs a transaction that must work.
func Write(t testing.TB, s *store.Store, fn func(*store.Tx) error) {
	t.Helper()
	if err := s.Tx(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

// Mutate runs a statement that must work.
func Mutate(t testing.TB, s *store.Store, query string, args ...any) {
	t.Helper()
	if err := Try(s, query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// Count returns the number a query gives.
func Count(t testing.TB, s *store.Store, query string, args ...any) (n int) {
	t.Helper()
	if err := ReadDB(t, s).QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// Text returns the text a query gives.
func Text(t testing.TB, s *store.Store, query string, args ...any) (v string) {
	t.Helper()
	var n sql.NullString
	if err := ReadDB(t, s).QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n.String
}

// Ask makes users wish for a video of one name in Russian, and returns its asset.
func Ask(t testing.TB, s *store.Store, name string, users ...int64) (a store.Asset) {
	t.Helper()
	for _, u := range users {
		Write(t, s, func(tx *store.Tx) (err error) { a, err = Wish(tx, name, u); return err })
	}
	return a
}

// Wish is Ask for one user, in a transaction.
func Wish(tx *store.Tx, name string, user int64) (store.Asset, error) {
	if _, err := tx.UpsertUser(user, "ru"); err != nil {
		return store.Asset{}, err
	}
	a, _, err := tx.ShareOrCreate(
		store.Order{User: user, Chat: user, Name: name, Key: strings.ToLower(name), Template: "new-year", Lang: "ru"},
		tx.Now(),
	)
	return a, err
}

// Begin claims the next job of a kind, which must be there.
func Begin(t testing.TB, s *store.Store, kind store.Kind) store.Task {
	t.Helper()
	tasks := BeginAll(t, s, kind, 1)
	if len(tasks) != 1 {
		t.Fatalf("got %d jobs; want one that can be begun", len(tasks))
	}
	return tasks[0]
}

// BeginAll claims up to so many jobs of a kind.
func BeginAll(t testing.TB, s *store.Store, kind store.Kind, limit int) (tasks []store.Task) {
	t.Helper()
	Write(t, s, func(tx *store.Tx) (err error) { tasks, err = tx.Claim(kind, false, limit); return err })
	return tasks
}

// Complete renders an asset, on paper.
func Complete(t testing.TB, s *store.Store) store.Task {
	t.Helper()
	task := Begin(t, s, store.Render)
	Write(t, s, func(tx *store.Tx) error {
		return tx.FinishRender(task.Job, store.Video{File: task.AssetID + ".mp4", Size: 1})
	})
	return task
}

// MadeByAdmin makes an asset as an admin does on the page.
func MadeByAdmin(t testing.TB, s *store.Store, admin int64, name, key string) (a store.Asset) {
	t.Helper()
	Write(t, s, func(tx *store.Tx) (err error) {
		a, _, err = tx.ShareOrCreate(
			store.Order{Admin: &admin, Name: name, Key: key, Template: "new-year", Lang: "ru"},
			tx.Now(),
		)
		return err
	})
	return a
}

const day = 24 * time.Hour

// Keeps are the times of the settings as they come.
var Keeps = store.Keep{Inbox: 7 * day, Videos: 90 * day, History: 180 * day, People: 365 * day}

// MutateOutside runs a statement as another program would.
func MutateOutside(t testing.TB, path, statement string) {
	t.Helper()
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

// GoldenFile is a database of a version of the schema, as statements.
func GoldenFile(version int) string {
	return filepath.Join(Root(), "internal", "store", "testdata", "schema", fmt.Sprintf("v%d.sql", version))
}

// FromGolden makes the database of a version and returns its path.
func FromGolden(t testing.TB, version int) string {
	t.Helper()
	text, err := os.ReadFile(GoldenFile(version))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "retake.db")
	d, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Exec(string(text)); err != nil {
		t.Fatalf("%s: %v", GoldenFile(version), err)
	}
	return path
}

// peace are the queries that give 0 when everything has come to its end as it should; what cannot be made begins with
// Сбой.
var peace = []string{
	// a held request that an admin left unsent has held = 2
	`SELECT count(*) FROM requests WHERE status IN ('PENDING', 'PROCESSING') AND restore_hold <> 2`,
	`SELECT count(*) FROM assets WHERE status IN ('PENDING', 'PROCESSING')`,
	`SELECT count(*) FROM jobs WHERE due < 9e15`,
	`SELECT count(*) FROM assets WHERE status = 'FAILED' AND name NOT LIKE 'Сбой%'`,
	`SELECT count(*) FROM requests WHERE status IN ('COMPLETED', 'FAILED') AND answer_id IS NULL`,
	`SELECT count(*) FROM assets WHERE (status = 'COMPLETED') <> (SELECT count(*) FROM attempts t
		WHERE t.asset_id = assets.id AND kind = 'RENDER' AND outcome = 'done')`,
	`SELECT count(*) FROM assets WHERE status = 'FAILED' AND 3 <> (SELECT count(*) FROM attempts t
		WHERE t.asset_id = assets.id AND kind = 'RENDER' AND outcome IN ('rescheduled', 'gave_up'))`,
	`SELECT count(*) FROM inbox WHERE error IS NOT NULL OR raw IS NOT NULL`,
	`SELECT count(*) FROM pragma_foreign_key_check`,
	`SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'`,
}

// IsPeace asks all of them.
func IsPeace(t testing.TB, s *store.Store) {
	t.Helper()
	for _, query := range peace {
		if got := Count(t, s, query); got != 0 {
			t.Errorf("%s: got %d; want 0", query, got)
		}
	}
}

// Connected adds a channel on YouTube and returns its id.
func Connected(t testing.TB, s *store.Store, external string) (id int64) {
	t.Helper()
	Write(t, s, func(tx *store.Tx) (err error) {
		id, err = tx.Connect(store.Channel{Platform: "YOUTUBE", External: external, Title: "Channel " + external,
			Creator: 8}, []byte("sealed"))
		return err
	})
	return id
}

// Uploaded makes a finished video of admin 7.
func Uploaded(t testing.TB, s *store.Store, name string) string {
	t.Helper()
	seven := int64(7)
	a := store.Asset{ID: store.NewID(), Name: name, NameKey: strings.ToLower(name), Lang: "ru", Creator: &seven,
		Video: store.Video{File: "a.mp4", Thumb: "a.jpg", Size: 100, Duration: time.Second, Width: 4, Height: 2}}
	Write(t, s, func(tx *store.Tx) error { return tx.AddUpload(a) })
	return a.ID
}

// Publishes makes a video of admin 7 wait for YouTube.
func Publishes(t testing.TB, s *store.Store, channel int64, name string) (assetID string) {
	t.Helper()
	id := Uploaded(t, s, name)
	Write(t, s, func(tx *store.Tx) error {
		return tx.Publish(id, store.Publication{Platform: "YOUTUBE", Channel: channel, Creator: 7,
			Metadata: store.Metadata{Title: name}})
	})
	return id
}
