// Package db opens a SQLite file the one way Retake uses SQLite: a single writer that commits in groups, readers
// that cannot write, and versioned migration steps. It knows nothing of Retake's tables.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"
	"time"

	"retake.example/internal/db/internal/testhook"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// maxGroup is how many transactions one commit carries at most: it bounds how long the first of them waits.
const maxGroup = 1024

// mostStatements is after how many statements a commit takes no further members: those take some 20 ms. A thousand
// members of many statements each would hold up everybody else.
const mostStatements = 3000

// busyTimeout is how long a statement waits for another process that has locked the file.
const busyTimeout = 10 * time.Second

// ErrNewer is the error for a file that a newer version of the program wrote.
var ErrNewer = errors.New("the database was written by a newer version")

// ErrFull is the error for a disk without room for the file.
var ErrFull = errors.New("the disk is full: free some space")

// ErrClosed is the error for a transaction that begins after Close.
var ErrClosed = errors.New("the database is closed")

// OfDisk reports whether an error is the disk's: it is full or broken, and nothing is wrong with what was to be
// written.
func OfDisk(err error) bool {
	var e interface {
		error
		Code() int
	}
	return errors.As(err, &e) && (e.Code()&0xff == sqlite3.SQLITE_FULL || e.Code()&0xff == sqlite3.SQLITE_IOERR)
}

// UseOFDLocks makes SQLite lock by open file description. It must run before the first database is opened: with
// POSIX locks, any other descriptor of the file that this process closes drops SQLite's locks, and a visit by the
// sqlite3 shell then deletes the write-ahead log.
func UseOFDLocks() error {
	_, err := sqlite.OFDLocking(true)
	if errors.Is(err, sqlite.ErrOFDLockingUnavailable) { // only Linux has them
		return nil
	}
	return err
}

// DB is one SQLite file.
type DB struct {
	conn    *conn
	readers *Reader
	twice   bool // for tests: see testhook

	mu      sync.Mutex
	closed  bool
	waiting []*op          // the next group
	writing bool           // a member of an earlier group is committing
	under   sync.WaitGroup // transactions that Close waits for
}

// op is one caller's work for the writer.
type op struct {
	ctx      context.Context
	fn       func(*Tx) error
	alone    func(*conn) error // instead of fn: work outside of any transaction
	twice    bool              // see DB
	panicked any
	err      error
	turn     chan bool // true: commit the next group; false: this op has been done
}

// Function is a function of a text that SQL can call while a file is brought up to date. Equal texts have equal
// results.
type Function struct {
	Name string
	Of   func(text string) string
}

// Open opens the file at path, or creates it, and brings it up to date. schema is idempotent and describes the newest
// version; steps[i] leads from version i+1 to i+2, and may call the functions. before, unless nil, is called with the
// version of an existing file that lacks some of them, and its error stops the upgrade. A file of a newer version is
// refused with ErrNewer. An upgrade drops all views and triggers before the steps: schema makes them again. Nobody but
// this user can read the file: it holds children's names.
func Open(path, schema string, steps []string, before func(version int) error,
	functions ...Function) (*DB, error) {
	if err := private(path); errors.Is(err, syscall.ENOSPC) {
		return nil, ErrFull
	} else if err != nil {
		return nil, err
	}
	conn, err := dial(path)
	if err == nil {
		// 32 MB of cache hold what an evening of twenty thousand people touches, also beside a million videos, where
		// their rows lie far apart.
		err = conn.script(fmt.Sprintf(`PRAGMA busy_timeout = %d; PRAGMA journal_mode = wal; PRAGMA synchronous = full;
			PRAGMA foreign_keys = 1; PRAGMA secure_delete = 1; PRAGMA wal_autocheckpoint = 4000;
			PRAGMA cache_size = -32000`, busyTimeout.Milliseconds()))
		for _, f := range functions {
			err = errors.Join(err, conn.define(f))
		}
		if err == nil {
			err = upgrade(conn, schema, steps, before)
		}
		if err != nil {
			conn.close()
		}
	}
	if err != nil {
		if known, ok := errors.AsType[*refusal](err); ok && known.code&0xff == sqlite3.SQLITE_FULL {
			err = ErrFull
		}
		return nil, err
	}
	readers, err := sql.Open("sqlite", dsn(path, "rw", "query_only(1)", "cache_size(-8000)"))
	if err != nil {
		conn.close()
		return nil, err
	}
	readers.SetMaxOpenConns(max(4, runtime.NumCPU()))
	readers.SetMaxIdleConns(max(4, runtime.NumCPU()))
	readers.SetConnMaxIdleTime(10 * time.Second) // an idle program keeps the cache of one
	return &DB{conn: conn, readers: &Reader{DB: readers, kept: map[string]*sql.Stmt{}}, twice: testhook.Twice.Load()}, nil
}

// private makes sure that only this user can read the database at path. SQLite would create the file readable for all
// that the umask allows, and gives its log the mode of the file.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		return f.Close()
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	for _, part := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(part)
		if err != nil || info.Mode().Perm()&0o077 == 0 {
			continue // SQLite says what is wrong with a file that cannot even be looked at
		}
		// By name: a descriptor of ours that is closed could drop SQLite's locks. Only the owner may do it; a file that
		// belongs to somebody else stays as they made it.
		if err := os.Chmod(part, info.Mode().Perm()&0o700); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return nil
}

// dsn returns the data source name of the file at path for database/sql. mode is ro or rw.
func dsn(path, mode string, pragmas ...string) string {
	busy := fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds())
	q := url.Values{"mode": {mode}, "_pragma": append([]string{busy}, pragmas...)}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// upgrade runs the missing steps and the schema in one transaction: a crash leaves the old version or the new one.
func upgrade(c *conn, schema string, steps []string, before func(version int) error) error {
	newest := len(steps) + 1
	tx := &Tx{conn: c}
	var version int
	look := func() error {
		if err := tx.Get("PRAGMA user_version", nil, &version); err != nil {
			return err
		}
		if version > newest {
			return fmt.Errorf("%w: it is at version %d, this one knows %d: start the newer program again, or bring back "+
				"the backup from before it with retake restore", ErrNewer, version, newest)
		}
		return nil
	}
	if err := look(); err != nil || version == newest {
		return err
	}
	if version > 0 && before != nil {
		if err := before(version); err != nil {
			return err
		}
	}
	if _, err := tx.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer c.script("ROLLBACK")     // fails after the COMMIT below, as it should
	if err := look(); err != nil { // another process may have upgraded the file meanwhile
		return err
	}
	if version > 0 {
		// Views and triggers hold no data, and the schema makes them again: a step may rename what they read.
		var drop string
		if err := tx.Get(`SELECT ifnull(group_concat(format('DROP %s "%w";', type, name), ''), '') FROM sqlite_schema
			WHERE type IN ('view', 'trigger')`, nil, &drop); err != nil {
			return err
		}
		if err := c.script(drop); err != nil {
			return fmt.Errorf("drop views and triggers: %w", err)
		}
		for i, step := range steps[version-1:] {
			if err := c.script(step); err != nil {
				return fmt.Errorf("step to version %d: %w", version+i+1, err)
			}
		}
	}
	if err := c.script(schema); err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	return c.script(fmt.Sprintf("PRAGMA user_version = %d; COMMIT", newest))
}

// Close lets the transactions that have begun finish, then closes the file.
func (d *DB) Close() error {
	d.mu.Lock()
	already := d.closed
	d.closed = true
	d.mu.Unlock()
	if already {
		return nil
	}
	d.under.Wait()
	return errors.Join(d.readers.Close(), d.conn.close())
}

// Tx runs fn in a transaction and returns once its effects are on the disk, or rolled back because fn returned an
// error. Transactions that wait at the same time share one commit; a failing one only loses its own work. fn must touch
// nothing but tx: it may run on another goroutine, and a second time after another of them has failed. A ctx that ends
// before fn begins stops it; afterwards it does not.
func (d *DB) Tx(ctx context.Context, fn func(*Tx) error) error {
	return d.do(&op{ctx: ctx, fn: fn, twice: d.twice})
}

// Checkpoint brings all of the write-ahead log into the file and empties the log: what was deleted before is then in
// neither of them. It waits until no reader needs the log, without holding up transactions meanwhile.
func (d *DB) Checkpoint(ctx context.Context) error {
	for {
		done := false
		err := d.do(&op{ctx: ctx, alone: func(c *conn) (err error) { done, err = c.checkpoint(); return err }})
		if err != nil || done {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// do hands an op to the writer and returns when it has been done.
func (d *DB) do(o *op) error {
	o.turn = make(chan bool, 1)
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return ErrClosed
	}
	d.under.Add(1)
	defer d.under.Done()
	d.waiting = append(d.waiting, o)
	mine := !d.writing
	d.writing = true
	d.mu.Unlock()
	if mine || <-o.turn {
		d.write()
	}
	if o.panicked != nil {
		panic(o.panicked)
	}
	return o.err
}

// write commits the ops that wait, and passes the turn to the first of those that came meanwhile. The caller whose
// turn it is runs it: a goroutine for that would have to be woken for every single transaction, and would have to
// wake its caller.
func (d *DB) write() {
	defer func() {
		// A panic of SQLite itself ends the program: a caller that recovered from it would go on with half a commit.
		if p := recover(); p != nil {
			go panic(fmt.Sprintf("%v\n%s", p, debug.Stack()))
			select {}
		}
	}()
	runtime.Gosched() // callers that were just answered add their next op
	d.mu.Lock()
	n := min(len(d.waiting), maxGroup)
	if i := slices.IndexFunc(d.waiting[:n], func(o *op) bool { return o.alone != nil }); i >= 0 {
		n = max(1, i)
	}
	group := d.waiting[:n:n]
	d.waiting = d.waiting[n:len(d.waiting):len(d.waiting)]
	d.mu.Unlock()
	if first := group[0]; first.alone != nil {
		if first.err = first.ctx.Err(); first.err == nil {
			first.err = first.alone(d.conn)
		}
	} else {
		n = commit(&Tx{conn: d.conn}, group)
	}
	for _, o := range group[1:n] {
		o.turn <- false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if n < len(group) {
		d.waiting = append(group[n:], d.waiting...)
	}
	if d.writing = len(d.waiting) > 0; d.writing {
		d.waiting[0].turn <- true
	}
}

// commit runs a group in one transaction, sets the error of each member, and returns how many there was room for. A
// savepoint for each costs as much as a small member, and hardly any fails after it has written: so there are none
// until that happens, and then all begin again.
func commit(tx *Tx, group []*op) int {
	n, lost := together(tx, group, false)
	switch {
	case lost != errAgain:
	case n == 1 && (group[0].err != nil || group[0].panicked != nil):
		lost = nil // all that was rolled back is that member's own
	default:
		n, lost = together(tx, group, true)
	}
	for _, o := range group[:n] {
		if o.err == nil {
			o.err = lost
		}
	}
	return n
}

// errAgain says that a member failed after it had written, and that the group must run again with savepoints.
var errAgain = errors.New("a member of the group failed after it had written")

// together tries a group in one transaction: its first n members, for which there is room. Each has its own error; the
// one that is returned is everybody's.
func together(tx *Tx, group []*op, savepoints bool) (n int, err error) {
	tx.ended = nil
	if _, err := tx.Exec("BEGIN IMMEDIATE"); err != nil {
		return len(group), err
	}
	tx.statements = 0
	defer func() {
		if err != nil {
			tx.conn.script("ROLLBACK") // fails when SQLite has done it already
		}
	}()
	for n < len(group) {
		o := group[n]
		if n++; tx.statements > mostStatements {
			group = group[:n] // this one is the last
		}
		if o.err = o.ctx.Err(); o.err != nil {
			continue
		}
		tx.Last = savepoints || n == len(group)
		if savepoints {
			if _, err := tx.Exec("SAVEPOINT member"); err != nil {
				return n, err
			}
		}
		if o.twice {
			if err := o.rehearse(tx); err != nil {
				return n, err
			}
		}
		tx.wrote = false
		o.err = o.run(tx)
		failed := o.err != nil || o.panicked != nil
		switch {
		case !failed:
		case !savepoints && tx.wrote:
			return n, errAgain
		case savepoints:
			if _, err := tx.Exec("ROLLBACK TO member"); err != nil {
				return n, err
			}
		}
		if savepoints {
			if _, err := tx.Exec("RELEASE member"); err != nil {
				return n, err
			}
		}
	}
	_, err = tx.Exec("COMMIT")
	return n, err
}

func (o *op) run(tx *Tx) (err error) {
	defer func() { o.panicked = recover() }()
	return o.fn(tx)
}

// rehearse runs the function and takes back what it did.
func (o *op) rehearse(tx *Tx) error {
	if _, err := tx.Exec("SAVEPOINT rehearsal"); err != nil {
		return err
	}
	o.err = o.run(tx)
	if _, err := tx.Exec("ROLLBACK TO rehearsal"); err != nil {
		return err
	}
	_, err := tx.Exec("RELEASE rehearsal")
	return err
}

// Read returns the pool for queries. Its connections refuse to write.
func (d *DB) Read() *Reader { return d.readers }

// Tx is the transaction a function runs in. It is valid only during that function.
type Tx struct {
	// Last says that no other function runs in this transaction after this one, or that they run apart: work that one
	// does for all of them is to be done now. If the last one fails, or its ctx has ended, nobody does that work.
	Last bool

	conn       *conn
	statements int   // that were run since the transaction began
	wrote      bool  // something, or may have
	ended      error // SQLite has rolled back the whole transaction, as on a full disk: nothing more may be written
}

// Exec runs a statement and returns how many rows it changed.
func (tx *Tx) Exec(query string, args ...any) (int64, error) {
	s, err := tx.stmt(query)
	if err != nil {
		return 0, err
	}
	before := tx.conn.changes()
	n, err := s.exec(args)
	// A statement that changes no row may still fire triggers, and one that is no INSERT, UPDATE or DELETE counts none.
	tx.wrote = tx.wrote || !s.readonly && (!s.counts || tx.conn.changes() != before)
	return n, tx.check(err)
}

// Insert is Exec for a statement that inserts a row, and returns its rowid.
func (tx *Tx) Insert(query string, args ...any) (id int64, err error) {
	_, err = tx.Exec(query, args...)
	return sqlite3.Xsqlite3_last_insert_rowid(tx.conn.tls, tx.conn.db), err
}

// Query runs a query. The rows must be closed before the next statement.
func (tx *Tx) Query(query string, args ...any) (*Rows, error) {
	s, err := tx.stmt(query)
	if err == nil {
		err = s.bind(args)
	}
	if err != nil {
		return nil, err
	}
	tx.wrote = tx.wrote || !s.readonly // it changes rows as they are read
	return &Rows{tx: tx, s: s}, nil
}

// Get scans the single row of a query into dest. It returns sql.ErrNoRows if there is none.
func (tx *Tx) Get(query string, args []any, dest ...any) error {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		if rows.err == nil {
			return sql.ErrNoRows
		}
		return rows.err
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	for rows.Next() { // to the end: a statement that changes rows does so while it returns them
	}
	return rows.err
}

func (tx *Tx) stmt(query string) (*stmt, error) {
	if tx.ended != nil {
		return nil, tx.ended
	}
	tx.statements++
	return tx.conn.stmt(query)
}

// check notes whether a failed statement has ended the transaction. A function that goes on after that, having
// ignored the error, would write outside of any transaction: kept, although its caller gets an error.
func (tx *Tx) check(err error) error {
	if err != nil && !tx.conn.within() {
		tx.ended = err
	}
	return err
}
