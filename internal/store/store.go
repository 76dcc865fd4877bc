package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"retake.example/internal/db"
	"retake.example/internal/lang"
)

var (
	ErrNotFound  = errors.New("not found")
	ErrForbidden = errors.New("forbidden")
	ErrNotFailed = errors.New("not failed")
	ErrExists    = errors.New("exists already")
	ErrConflict  = errors.New("changed since")
	// ErrNotPublishable refuses to publish a video because the person who asked for it had it deleted.
	ErrNotPublishable = errors.New("not publishable")
)

// Store is the database.
type Store struct {
	db    *db.DB
	path  string
	now   func() time.Time
	claim Claimer
	due   []Kind // what earlier members of the group left for the last one to claim; only in transactions
}

// A Claimer takes work for idle workers at the end of a transaction, so that a request and its first attempt share one
// fsync.
type Claimer interface {
	// Claim takes jobs of the kinds tx.Due into tx.Tasks. Of the transactions that share a commit only the last one
	// claims.
	Claim(tx *Tx) error
	// Settled is called after each transaction. done reports whether its effects are on the disk.
	Settled(tx *Tx, done bool)
	// Undone is called for each run of a transaction that is run again.
	Undone(tx *Tx)
}

// noClaimer is the Claimer of a program without workers.
type noClaimer struct{}

func (noClaimer) Claim(*Tx) error   { return nil }
func (noClaimer) Settled(*Tx, bool) {}
func (noClaimer) Undone(*Tx)        {}

// Options say how to open a database.
type Options struct {
	Schema string                  // of a new file
	Steps  []string                // each leads from one version of the schema to the next; it may call name_key_of(name)
	Before func(version int) error // called with the version of a file that is about to be upgraded; an error stops that
	Now    func() time.Time        // nil: time.Now
}

// Open opens the database file at path, and creates or upgrades it.
func Open(path string, o Options) (*Store, error) {
	d, err := db.Open(path, o.Schema, o.Steps, o.Before, db.Function{Name: "name_key_of", Of: lang.NameKey})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	s := &Store{db: d, path: path, now: o.Now, claim: noClaimer{}}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// Attach sets who claims work, before the first transaction that may have some.
func (s *Store) Attach(c Claimer) { s.claim = c }

// Close waits for the transactions under way and closes the file.
func (s *Store) Close() error { return s.db.Close() }

// Path is the file of the database.
func (s *Store) Path() string { return s.path }

// Now is the time by the clock that the store stamps rows with.
func (s *Store) Now() time.Time { return s.now() }

// Tx is a transaction. All its rows get the same time. Only this package can run SQL in it.
type Tx struct {
	Tasks []Task // claimed for workers, by a Claimer

	sql     *db.Tx
	now     int64    // unix ms
	due     []Kind   // a job of these may be claimed at once
	left    []Kind   // those of them that earlier members of the group have left
	later   bool     // a job has become due later than now
	changed []string // assets
}

// Now is the time of the transaction.
func (tx *Tx) Now() time.Time { return Moment(tx.now) }

// Due returns the kinds of which the transaction, or one that shares its commit, has left a job to claim.
func (tx *Tx) Due() []Kind { return tx.due }

// Later reports whether the transaction has left a job that becomes due after it.
func (tx *Tx) Later() bool { return tx.later }

// Touched returns the ids of the assets whose rows, requests or publications the transaction has changed.
func (tx *Tx) Touched() []string { return tx.changed }

// Tx runs fn in a transaction and returns when its effects are on the disk. fn must touch nothing but tx. It may be run
// twice; the last run counts.
func (s *Store) Tx(ctx context.Context, fn func(*Tx) error) (err error) {
	now := s.now().UnixMilli()
	tx := &Tx{}
	done := false
	defer func() { s.claim.Settled(tx, done) }()
	err = s.db.Tx(ctx, func(d *db.Tx) error {
		if tx.sql != nil { // what earlier members left for that run is still to be claimed
			s.claim.Undone(tx)
			s.due = tx.left
		}
		tx = &Tx{sql: d, now: now, due: s.due, left: s.due}
		if err := fn(tx); err != nil {
			return err
		}
		if s.due = tx.due; !d.Last {
			return nil
		}
		s.due = nil
		return s.claim.Claim(tx)
	})
	done = err == nil
	return err
}

// NewID returns 128 random bits as 26 characters that are safe in file names and callback data.
func NewID() string { return rand.Text() }

func (tx *Tx) touch(assetID string) { tx.changed = append(tx.changed, assetID) }

// one turns "no row changed" into ErrNotFound.
func one(n int64, err error) error {
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// found turns "no row" into ErrNotFound.
func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// rows are those of a transaction or of the readers.
type rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// collect scans every row of a query and closes it.
func collect[T any, R rows](rows R, err error, scan func(*T) error) ([]T, error) {
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

func null[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

// stamp is what a column holds of a time; NULL: none.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// Moment is the time of a column, in ms since 1970; 0 is the zero time. JSON and pages know the years 1 to 9999 only,
// so a damaged row cannot take a page or an export away: what lies outside, in any time zone, becomes the first or the
// last day of those.
func Moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(min(max(ms, firstDay), lastDay))
}

var (
	firstDay = time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC).UnixMilli()
	lastDay  = time.Date(9999, 12, 30, 0, 0, 0, 0, time.UTC).UnixMilli()
)

// scanner is the Scan of a row.
type scanner func(dest ...any) error

// pull appends the rows of a query.
func pull[T any](tx *Tx, into *[]T, query string, args []any, scan func(*T, scanner) error) error {
	rows, err := tx.sql.Query(query, args...)
	all, err := collect(rows, err, func(v *T) error { return scan(v, rows.Scan) })
	*into = append(*into, all...)
	return err
}

// when is a time as people read it in a file.
func when(ms int64) time.Time { return Moment(ms).UTC() }

// at scans a column of milliseconds into a time.
func at(t *time.Time) sql.Scanner { return (*stamped)(t) }

type stamped time.Time

func (s *stamped) Scan(column any) error {
	ms, ok := column.(int64)
	if !ok {
		return fmt.Errorf("%T is no time", column)
	}
	*s = stamped(when(ms))
	return nil
}

func each(statement string) func(*Tx, []string, *Deleted) error {
	return func(tx *Tx, ids []string, _ *Deleted) error {
		_, err := tx.sql.Exec(statement, list(ids))
		return err
	}
}

const listed = ` IN (SELECT value FROM json_each(?))`

func (s *Store) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := s.db.Read().QueryContext(ctx, query, args...)
	return collect(rows, err, func(t *string) error { return rows.Scan(t) })
}

// list makes one argument of many ids, for json_each.
func list(ids []string) string {
	b, _ := json.Marshal(ids) // texts always work
	return string(b)
}
