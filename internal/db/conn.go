// The writer's own connection: SQLite's statements without database/sql.

package db

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"time"
	"unsafe"

	"retake.example/internal/db/internal/testhook"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	sqlite3 "modernc.org/sqlite/lib"
)

// conn calls SQLite directly. Only one goroutine at a time may use it.
//
// Why not database/sql: around a small statement it and its driver do more than SQLite itself. A SELECT and an UPDATE
// by key in one transaction take 3.7 times as long there, with 33 allocations instead of 5 (BenchmarkStatement, one
// run on 2026-11-30), and all of the program's writes pass through this one connection. It also needs what
// database/sql does not offer: whether a statement writes, whether SQLite has ended the transaction, and a checkpoint
// that does not wait. The price is this file, which uses the driver's own C-like interface and its memory. To go
// back, give Tx a *sql.Tx of a pool with one connection: Exec, Query and Get are its ExecContext, QueryContext and
// QueryRowContext with a map of prepared statements, changes and within become SELECT total_changes() and a flag set
// by every failed statement, and script is Exec.
type conn struct {
	tls   *libc.TLS
	db    uintptr
	out   uintptr // 8 bytes in which SQLite returns addresses
	stmts map[string]*stmt
	funcs []callback // SQLite knows only their addresses
}

// callback is how SQLite calls a function: a context for the result, the number of arguments, and their addresses.
type callback = func(tls *libc.TLS, result uintptr, count int32, arguments uintptr)

// refusal is an error of SQLite, with its extended code.
type refusal struct {
	code int32
	text string
}

func (e *refusal) Error() string { return e.text }
func (e *refusal) Code() int     { return int(e.code) }

// dial opens the file at path.
func dial(path string) (*conn, error) {
	c := &conn{tls: libc.NewTLS(), stmts: map[string]*stmt{}}
	c.out = libc.Xmalloc(c.tls, 8)
	name, err := libc.CString(path)
	if err != nil {
		c.close()
		return nil, err
	}
	defer libc.Xfree(c.tls, name)
	const flags = sqlite3.SQLITE_OPEN_READWRITE | sqlite3.SQLITE_OPEN_CREATE | sqlite3.SQLITE_OPEN_NOMUTEX
	code := sqlite3.Xsqlite3_open_v2(c.tls, name, c.out, flags, 0)
	c.db = *at[uintptr](c.out)
	if code != sqlite3.SQLITE_OK {
		err := c.refusal(code)
		c.close()
		return nil, err
	}
	sqlite3.Xsqlite3_extended_result_codes(c.tls, c.db, 1)
	return c, nil
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		s.close()
	}
	var err error
	if c.db != 0 {
		if code := sqlite3.Xsqlite3_close_v2(c.tls, c.db); code != sqlite3.SQLITE_OK {
			err = c.refusal(code)
		}
	}
	libc.Xfree(c.tls, c.out)
	c.tls.Close()
	return err
}

// define makes a function of Go's one that SQL can call.
func (c *conn) define(f Function) error {
	name, err := libc.CString(f.Name)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, name)
	call := func(tls *libc.TLS, result uintptr, _ int32, arguments uintptr) {
		v := *at[uintptr](arguments)
		text := sqlite3.Xsqlite3_value_text(tls, v)
		if text == 0 {
			sqlite3.Xsqlite3_result_null(tls, result)
			return
		}
		out := f.Of(string(unsafe.Slice(at[byte](text), sqlite3.Xsqlite3_value_bytes(tls, v))))
		copied, err := libc.CString(out)
		if err != nil {
			sqlite3.Xsqlite3_result_error_nomem(tls, result)
			return
		}
		sqlite3.Xsqlite3_result_text(tls, result, copied, int32(len(out)), sqlite3.SQLITE_TRANSIENT)
		libc.Xfree(tls, copied)
	}
	c.funcs = append(c.funcs, call)
	const flags = sqlite3.SQLITE_UTF8 | sqlite3.SQLITE_DETERMINISTIC
	if code := sqlite3.Xsqlite3_create_function(c.tls, c.db, name, 1, flags, 0, *(*uintptr)(unsafe.Pointer(&call)), 0,
		0); code != sqlite3.SQLITE_OK {
		return c.refusal(code)
	}
	return nil
}

// at returns the value at an address outside of Go's memory.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

func (c *conn) refusal(code int32) error {
	why, text := libc.GoString(sqlite3.Xsqlite3_errstr(c.tls, code)), ""
	if c.db != 0 {
		text = libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db))
	}
	if text == "" || text == why {
		return &refusal{code, fmt.Sprintf("%s (%d)", why, code)}
	}
	return &refusal{code, fmt.Sprintf("%s: %s (%d)", why, text, code)}
}

// changes returns how many rows INSERT, UPDATE and DELETE have changed since the connection was opened, triggers
// included.
func (c *conn) changes() int32 { return sqlite3.Xsqlite3_total_changes(c.tls, c.db) }

// within reports whether a transaction is open.
func (c *conn) within() bool { return sqlite3.Xsqlite3_get_autocommit(c.tls, c.db) == 0 }

// checkpoint brings the log into the file and empties it. It returns false if a reader still needs the log, or another
// process is writing: it does not wait, because all writers would wait with it.
func (c *conn) checkpoint() (done bool, err error) {
	sqlite3.Xsqlite3_busy_timeout(c.tls, c.db, 0)
	defer sqlite3.Xsqlite3_busy_timeout(c.tls, c.db, int32(busyTimeout.Milliseconds()))
	code := sqlite3.Xsqlite3_wal_checkpoint_v2(c.tls, c.db, 0, sqlite3.SQLITE_CHECKPOINT_TRUNCATE, 0, 0)
	switch {
	case code == sqlite3.SQLITE_OK:
		return true, nil
	case code&0xff == sqlite3.SQLITE_BUSY:
		return false, nil
	}
	return false, c.refusal(code)
}

// script runs statements that need no arguments and whose rows are not needed.
func (c *conn) script(text string) error {
	all, err := libc.CString(text)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, all)
	for next := all; *at[byte](next) != 0; {
		s, rest, err := c.prepare(next, 0)
		if err != nil {
			return err
		}
		if next = rest; s == nil {
			continue
		}
		_, err = s.exec(nil)
		s.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// stmt is a prepared statement.
type stmt struct {
	*conn
	address  uintptr
	params   int
	columns  int
	readonly bool    // it changes nothing in the file
	counts   bool    // conn.changes tells whether it changed something
	text     uintptr // the text among the arguments
	room     int     // bytes for it
}

// dml matches the statements whose changes SQLite counts.
var dml = regexp.MustCompile(`(?i)^\s*(INSERT|UPDATE|DELETE|REPLACE|WITH)\b`)

// prepare returns the statement that begins at an address, nil if there is none, and where the next one begins.
func (c *conn) prepare(text uintptr, flags uint32) (s *stmt, rest uintptr, err error) {
	tail := libc.Xmalloc(c.tls, 8)
	defer libc.Xfree(c.tls, tail)
	if code := sqlite3.Xsqlite3_prepare_v3(c.tls, c.db, text, -1, flags, c.out, tail); code != sqlite3.SQLITE_OK {
		return nil, 0, c.refusal(code)
	}
	rest = *at[uintptr](tail)
	p := *at[uintptr](c.out)
	if p == 0 {
		return nil, rest, nil
	}
	return &stmt{conn: c, address: p, params: int(sqlite3.Xsqlite3_bind_parameter_count(c.tls, p)),
		columns: int(sqlite3.Xsqlite3_column_count(c.tls, p))}, rest, nil
}

// stmt returns the prepared statement for a query, which it keeps.
func (c *conn) stmt(query string) (*stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	text, err := libc.CString(query)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, text)
	s, rest, err := c.prepare(text, sqlite3.SQLITE_PREPARE_PERSISTENT)
	if err != nil {
		return nil, err
	}
	if s == nil || *at[byte](rest) != 0 {
		return nil, fmt.Errorf("one statement is expected: %q", query)
	}
	s.readonly = sqlite3.Xsqlite3_stmt_readonly(c.tls, s.address) != 0
	s.counts = dml.MatchString(query)
	c.stmts[query] = s
	if prepared := testhook.Prepared.Load(); prepared != nil {
		(*prepared)(c.tls, c.db, query)
	}
	return s, nil
}

func (s *stmt) close() {
	sqlite3.Xsqlite3_finalize(s.tls, s.address)
	libc.Xfree(s.tls, s.text)
}

// reset makes the statement ready to run again. Its error is that of the last step, which has been returned already.
func (s *stmt) reset() { sqlite3.Xsqlite3_reset(s.tls, s.address) }

// bind sets the arguments. They stay until the next call.
func (s *stmt) bind(args []any) error {
	if len(args) != s.params {
		return fmt.Errorf("%d arguments for %d parameters", len(args), s.params)
	}
	room := 0
	for i, a := range args {
		switch v := a.(type) {
		case string:
			room += len(v)
		case []byte:
			room += len(v)
		case int, int64, bool, float64, nil:
		default:
			plain, err := driver.DefaultParameterConverter.ConvertValue(a)
			if _, moment := plain.(time.Time); err != nil || moment {
				return fmt.Errorf("argument %d: a column cannot hold a %T", i+1, a)
			}
			args = slices.Clone(args)
			args[i] = plain
			return s.bind(args)
		}
	}
	if s.text == 0 || room > s.room { // also for empty text: without an address it would be NULL
		libc.Xfree(s.tls, s.text)
		s.room = max(64, 2*room)
		s.text = libc.Xmalloc(s.tls, types.Size_t(s.room))
	}
	p := s.text
	for i, a := range args {
		n := int32(i + 1)
		code := int32(sqlite3.SQLITE_OK)
		switch v := a.(type) {
		case nil:
			code = sqlite3.Xsqlite3_bind_null(s.tls, s.address, n)
		case int64:
			code = sqlite3.Xsqlite3_bind_int64(s.tls, s.address, n, v)
		case int:
			code = sqlite3.Xsqlite3_bind_int64(s.tls, s.address, n, int64(v))
		case float64:
			code = sqlite3.Xsqlite3_bind_double(s.tls, s.address, n, v)
		case bool:
			var b int64
			if v {
				b = 1
			}
			code = sqlite3.Xsqlite3_bind_int64(s.tls, s.address, n, b)
		case string:
			copy(unsafe.Slice(at[byte](p), len(v)), v)
			code = sqlite3.Xsqlite3_bind_text(s.tls, s.address, n, p, int32(len(v)), 0)
			p += uintptr(len(v))
		case []byte:
			if v == nil {
				code = sqlite3.Xsqlite3_bind_null(s.tls, s.address, n)
				break
			}
			copy(unsafe.Slice(at[byte](p), len(v)), v)
			code = sqlite3.Xsqlite3_bind_blob(s.tls, s.address, n, p, int32(len(v)), 0)
			p += uintptr(len(v))
		}
		if code != sqlite3.SQLITE_OK {
			return s.refusal(code)
		}
	}
	return nil
}

// step reports whether there is a row.
func (s *stmt) step() (bool, error) {
	switch code := sqlite3.Xsqlite3_step(s.tls, s.address); code {
	case sqlite3.SQLITE_ROW:
		return true, nil
	case sqlite3.SQLITE_DONE:
		return false, nil
	default:
		return false, s.refusal(code)
	}
}

// exec returns how many rows were changed.
func (s *stmt) exec(args []any) (int64, error) {
	if err := s.bind(args); err != nil {
		return 0, err
	}
	defer s.reset()
	for {
		switch more, err := s.step(); {
		case err != nil:
			return 0, err
		case !more:
			return int64(sqlite3.Xsqlite3_changes(s.tls, s.db)), nil
		}
	}
}

// Rows are the rows of a query, used like those of database/sql.
type Rows struct {
	tx  *Tx
	s   *stmt
	end bool
	err error
}

// Next moves to the next row and reports whether there is one.
func (r *Rows) Next() bool {
	if r.end {
		return false
	}
	more, err := r.s.step()
	r.end, r.err = !more, r.tx.check(err)
	return more
}

// Err returns the error that ended the rows.
func (r *Rows) Err() error { return r.err }

// Close ends the query, so that the next statement can run.
func (r *Rows) Close() error {
	r.end = true
	r.s.reset()
	return nil
}

// Scan copies the columns of the row into dest: pointers to values of the column's kind, or to pointers to such
// values, which are nil for NULL.
func (r *Rows) Scan(dest ...any) error { return r.s.scan(dest) }

func (s *stmt) scan(dest []any) error {
	if len(dest) != s.columns {
		return fmt.Errorf("%d destinations for %d columns", len(dest), s.columns)
	}
	for i, d := range dest {
		if err := s.column(int32(i), d); err != nil {
			return fmt.Errorf("column %d: %w", i, err)
		}
	}
	return nil
}

func (s *stmt) column(i int32, dest any) error {
	kind := sqlite3.Xsqlite3_column_type(s.tls, s.address, i)
	switch d := dest.(type) {
	case sql.Scanner:
		return d.Scan(s.value(i, kind))
	case *any:
		*d = s.value(i, kind)
		return nil
	case *[]byte:
		if *d = nil; kind != sqlite3.SQLITE_NULL {
			*d = s.bytes(i)
		}
		return nil
	}
	if v := reflect.ValueOf(dest).Elem(); v.Kind() == reflect.Pointer {
		if v.SetZero(); kind == sqlite3.SQLITE_NULL {
			return nil
		}
		v.Set(reflect.New(v.Type().Elem()))
		return s.column(i, v.Interface())
	}
	if kind == sqlite3.SQLITE_NULL {
		return fmt.Errorf("NULL does not fit a %T", dest)
	}
	switch d := dest.(type) {
	case *int64:
		*d = sqlite3.Xsqlite3_column_int64(s.tls, s.address, i)
	case *int:
		*d = int(sqlite3.Xsqlite3_column_int64(s.tls, s.address, i))
	case *bool:
		*d = sqlite3.Xsqlite3_column_int64(s.tls, s.address, i) != 0
	case *string:
		*d = s.string(i)
	default:
		switch v := reflect.ValueOf(dest).Elem(); v.Kind() {
		case reflect.String:
			v.SetString(s.string(i))
		case reflect.Int, reflect.Int64:
			v.SetInt(sqlite3.Xsqlite3_column_int64(s.tls, s.address, i))
		default:
			return fmt.Errorf("a column cannot be scanned into a %T", dest)
		}
	}
	return nil
}

func (s *stmt) value(i, kind int32) any {
	switch kind {
	case sqlite3.SQLITE_INTEGER:
		return sqlite3.Xsqlite3_column_int64(s.tls, s.address, i)
	case sqlite3.SQLITE_FLOAT:
		return sqlite3.Xsqlite3_column_double(s.tls, s.address, i)
	case sqlite3.SQLITE_TEXT:
		return s.string(i)
	case sqlite3.SQLITE_BLOB:
		return s.bytes(i)
	}
	return nil
}

func (s *stmt) string(i int32) string {
	p := sqlite3.Xsqlite3_column_text(s.tls, s.address, i)
	return string(unsafe.Slice(at[byte](p), sqlite3.Xsqlite3_column_bytes(s.tls, s.address, i)))
}

func (s *stmt) bytes(i int32) []byte {
	p := sqlite3.Xsqlite3_column_blob(s.tls, s.address, i)
	return append([]byte{}, unsafe.Slice(at[byte](p), sqlite3.Xsqlite3_column_bytes(s.tls, s.address, i))...)
}
