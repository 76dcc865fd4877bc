// Package db opens a SQLite file the one way Retake uses SQLite: a single writer that commits in groups, readers
// that cannot write, and versioned steps. It knows nothing of Retake's tables.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// maxGroup is how many transactions one commit carries at the most: it bounds how long the first of them waits.
const maxGroup = 1024

// ErrNewer says that the file was written by a newer version of the program.
var ErrNewer = errors.New("the database was written by a newer version")

// ErrFull says that the disk has no room for the file.
var ErrFull = errors.New("the disk is full: free some space")

// ErrClosed is the answer to a transaction that comes after Close.
var ErrClosed = errors.New("the database is closed")

// OfDisk reports whether an error is the disk's: it is full or broken, and nothing is wrong with what was to be written.
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
	readers *sql.DB

	mu      sync.Mutex
	closed  bool
	waiting []*op          // the next group
	writing bool           // one of the group before does
	under   sync.WaitGroup // transactions that Close waits for
}

type op struct {
	ctx      context.Context
	fn       func(*Tx) error
	panicked any
	err      error
	turn     chan bool // true: it is its turn to write; false: another one has written it
}

// Open opens the file at path, or creates it, and brings it up to date. schema is idempotent and describes the
// newest version; steps[i] leads from version i+1 to i+2. before is told the version of a file that lacks some of them, and its
// error stops all of it; nil: nobody is. A file of a newer version is refused with ErrNewer.
func Open(path, schema string, steps []string, before func(version int) error) (*DB, error) {
	conn, err := dial(path)
	if err == nil {
		// 32 MB hold what an evening of twenty thousand people touches, also beside a million videos, where their rows lie apart.
		err = conn.script(`PRAGMA busy_timeout = 10000; PRAGMA journal_mode = wal; PRAGMA synchronous = full; PRAGMA foreign_keys = 1; PRAGMA secure_delete = 1;
			PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -32000`)
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
	readers, err := sql.Open("sqlite", dsn(path, "rw", "query_only(1)", "cache_size(-2000)"))
	if err != nil {
		conn.close()
		return nil, err
	}
	readers.SetMaxOpenConns(max(4, runtime.NumCPU()))
	readers.SetMaxIdleConns(max(4, runtime.NumCPU()))
	return &DB{conn: conn, readers: readers}, nil
}

// dsn is what database/sql calls the file at path, opened with a mode: ro, rw.
func dsn(path, mode string, pragmas ...string) string {
	q := url.Values{"mode": {mode}, "_pragma": append([]string{"busy_timeout(10000)"}, pragmas...)}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// upgrade runs the steps the file lacks and the schema in one transaction: a crash leaves the old version or the new.
func upgrade(c *conn, schema string, steps []string, before func(version int) error) error {
	newest := len(steps) + 1
	tx := &Tx{conn: c}
	var version int
	if err := tx.Get("PRAGMA user_version", nil, &version); err != nil {
		return err
	}
	if version > newest {
		return fmt.Errorf("%w: it is at version %d, this one knows %d: start the newer program again, or bring back the backup from before it with retake restore", ErrNewer, version, newest)
	}
	if version == newest {
		return nil
	}
	if version > 0 && before != nil {
		if err := before(version); err != nil {
			return err
		}
	}
	if _, err := tx.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	// It fails when there is nothing to take back.
	defer tx.Exec("ROLLBACK")
	// Another process may have been faster.
	if err := tx.Get("PRAGMA user_version", nil, &version); err != nil || version == newest {
		return err
	}
	if version > 0 {
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

// Close lets the transactions already handed in finish, then closes the file.
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
// error. Transactions that wait at the same time share one commit; one that fails takes back what is its own. fn must touch
// nothing but tx: it may run on another's goroutine, and once more when another of those has failed. A ctx that ends before
// fn begins stops it; afterwards it does not.
func (d *DB) Tx(ctx context.Context, fn func(*Tx) error) error {
	o := &op{ctx: ctx, fn: fn, turn: make(chan bool, 1)}
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

// write commits all that wait, and has the first of those who came meanwhile go on. Whose turn it is calls it: a goroutine for
// it would have to be woken for every single transaction, and to wake who waits for that.
func (d *DB) write() {
	defer func() {
		if p := recover(); p != nil { // SQLite's own, and the end of the program: whoever recovers would go on with half a commit
			go panic(fmt.Sprintf("%v\n%s", p, debug.Stack()))
			select {}
		}
	}()
	runtime.Gosched() // those who were just answered add their next one
	d.mu.Lock()
	group := d.waiting[:min(len(d.waiting), maxGroup)]
	d.waiting = d.waiting[len(group):len(d.waiting):len(d.waiting)]
	d.mu.Unlock()
	commit(&Tx{conn: d.conn}, group)
	for _, o := range group[1:] {
		o.turn <- false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.writing = len(d.waiting) > 0; d.writing {
		d.waiting[0].turn <- true
	}
}

// commit runs a group in one transaction and notes what came of each member. A savepoint for each costs as much as a small
// member, and hardly one fails after it has written: so there are none, unless that happens, and then all begin once more.
func commit(tx *Tx, group []*op) {
	lost := together(tx, group, false)
	switch {
	case lost != errSpoilt:
	case len(group) == 1 && (group[0].err != nil || group[0].panicked != nil):
		lost = nil // all of it was that member's own
	default:
		lost = together(tx, group, true)
	}
	for _, o := range group {
		if o.err == nil {
			o.err = lost
		}
	}
}

// errSpoilt says that a member failed whose work cannot be taken back alone.
var errSpoilt = errors.New("a member spoilt the transaction")

// together tries a group in one transaction. Each member has its own error; that which is returned is everybody's.
func together(tx *Tx, group []*op, savepoints bool) (err error) {
	if _, err := tx.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tx.Exec("ROLLBACK") // fails when SQLite has done it already
		}
	}()
	for i, o := range group {
		if o.err = o.ctx.Err(); o.err != nil {
			continue
		}
		tx.Last = savepoints || i == len(group)-1
		if savepoints {
			if _, err := tx.Exec("SAVEPOINT member"); err != nil {
				return err
			}
		}
		tx.wrote, tx.refused = false, false
		o.err = o.run(tx)
		failed := o.err != nil || o.panicked != nil
		if !savepoints {
			// What SQLite has refused may have rolled all back, as a full disk does.
			if tx.refused || failed && tx.wrote {
				return errSpoilt
			}
			continue
		}
		if failed {
			// A full disk may have rolled the whole transaction back: then there is no savepoint, and nobody's work was kept.
			if _, err := tx.Exec("ROLLBACK TO member"); err != nil {
				if OfDisk(o.err) { // that is why, for everybody
					return o.err
				}
				return err
			}
		}
		if _, err := tx.Exec("RELEASE member"); err != nil {
			return err
		}
	}
	_, err = tx.Exec("COMMIT")
	return err
}

func (o *op) run(tx *Tx) (err error) {
	defer func() { o.panicked = recover() }()
	return o.fn(tx)
}

// Read returns the pool for queries. Its connections refuse to write.
func (d *DB) Read() *sql.DB { return d.readers }

// Tx is the transaction a function runs in. It is good only during that function.
type Tx struct {
	// Last says that no other function runs in this transaction after this one, or that they run apart: what one does for all of
	// them is to be done now. A last one that fails, or whose ctx has ended, does it for nobody.
	Last bool

	conn    *conn
	wrote   bool // something, or may have
	refused bool // a statement failed
}

// Exec runs a statement and returns how many rows it changed.
func (tx *Tx) Exec(query string, args ...any) (int64, error) {
	s, err := tx.conn.stmt(query)
	if err != nil {
		return 0, tx.refuse(err)
	}
	n, err := s.exec(args)
	tx.wrote = tx.wrote || n > 0
	return n, tx.refuse(err)
}

// Insert is Exec for a statement that inserts a row, and returns its rowid.
func (tx *Tx) Insert(query string, args ...any) (id int64, err error) {
	_, err = tx.Exec(query, args...)
	return sqlite3.Xsqlite3_last_insert_rowid(tx.conn.tls, tx.conn.db), err
}

// Query runs a query. The rows must be closed before the next statement.
func (tx *Tx) Query(query string, args ...any) (*Rows, error) {
	s, err := tx.conn.stmt(query)
	if err == nil {
		err = s.bind(args)
	}
	if err != nil {
		return nil, tx.refuse(err)
	}
	tx.wrote = tx.wrote || !strings.HasPrefix(query, "SELECT")
	return &Rows{tx: tx, s: s}, nil
}

// Get scans the single row of a query into dest; no row is sql.ErrNoRows.
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
		return tx.refuse(err)
	}
	for rows.Next() { // to the end: what it changes is changed then
	}
	return rows.err
}

func (tx *Tx) refuse(err error) error {
	tx.refused = tx.refused || err != nil
	return err
}
