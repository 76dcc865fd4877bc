// snapshot.go copies a database that is in use, and looks at one that is not.

package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrDamaged says that a file is no sound database.
var ErrDamaged = errors.New("the file is no sound database")

// Peek opens a database to read whatever there is in it, of whatever version, also while others use it.
func Peek(path string) (*sql.DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	d, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&_pragma=busy_timeout(10000)")
	if err == nil {
		d.SetMaxOpenConns(1)
	}
	return d, err
}

// Snapshot copies the database at from, as it is at one moment, into the file at to, which is empty or does not exist. Whoever
// uses the database goes on meanwhile. The copy is on the disk and whole when it returns nil.
func Snapshot(ctx context.Context, from, to string) error {
	d, err := Peek(from)
	if err != nil {
		return err
	}
	defer d.Close()
	if _, err := d.ExecContext(ctx, `VACUUM INTO ?`, to); err != nil {
		if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code()&0xff == sqlite3.SQLITE_FULL {
			return ErrFull
		}
		return err
	}
	f, err := os.OpenFile(to, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Check reads all of a database and returns its version; 0: it is of no program that keeps one. ErrDamaged: something is wrong
// with it.
func Check(ctx context.Context, path string) (version int, err error) {
	d, err := Peek(path)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	rows, err := d.QueryContext(ctx, `SELECT integrity_check FROM (SELECT * FROM pragma_integrity_check LIMIT 5)
		UNION ALL SELECT format('%s row %d refers to nothing in %s', "table", rowid, parent) FROM (SELECT * FROM pragma_foreign_key_check LIMIT 5)`)
	if err != nil {
		return 0, errors.Join(ErrDamaged, err)
	}
	defer rows.Close()
	var wrong []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return 0, errors.Join(ErrDamaged, err)
		}
		if line != "ok" {
			wrong = append(wrong, line)
		}
	}
	if err := rows.Err(); err != nil {
		return 0, errors.Join(ErrDamaged, err)
	}
	if len(wrong) > 0 {
		return 0, fmt.Errorf("%w: %s", ErrDamaged, strings.Join(wrong, "; "))
	}
	return version, d.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version)
}

// Version returns the version of the database at path; 0: there is none.
func Version(path string) (version int, err error) {
	d, err := Peek(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	defer d.Close()
	return version, d.QueryRow(`PRAGMA user_version`).Scan(&version)
}

// Settle brings what lies in a database's log into its file, which then is all of it. Nobody else may use it.
func Settle(path string) error {
	d, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=rw&_pragma=busy_timeout(10000)")
	if err != nil {
		return err
	}
	_, err = d.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
	return errors.Join(err, d.Close())
}
