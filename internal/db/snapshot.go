// snapshot.go copies a database that is in use, and checks one that is not.

package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrDamaged is the error for a file that is not a sound database.
var ErrDamaged = errors.New("the file is no sound database")

// Snapshot copies the database at from, as it is at one moment, into the file at to, which is empty or does not
// exist. Others may use the database meanwhile. When it returns nil the copy is whole and on the disk. A new file is
// readable by this user only. It returns ErrFull if the disk has no room.
func Snapshot(ctx context.Context, from, to string) error {
	if _, err := os.Stat(from); err != nil {
		return err
	}
	if err := private(to); err != nil {
		return err
	}
	d, err := sql.Open("sqlite", dsn(from, "ro")) // without query_only: the copy is written
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

// Check reads all of a database and returns its version, which is 0 if the program that made it sets none. It returns
// ErrDamaged if something is wrong with the file.
func Check(ctx context.Context, path string) (version int, err error) {
	d, err := Look(path)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	version, broken, err := Examine(ctx, d)
	switch {
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case err != nil:
		return 0, errors.Join(ErrDamaged, err)
	case len(broken) > 0:
		return 0, fmt.Errorf("%w: %s", ErrDamaged, strings.Join(broken, "; "))
	}
	return version, nil
}

// Version returns the version of the database at path, and 0 if there is none.
func Version(path string) (version int, err error) {
	d, err := Look(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	defer d.Close()
	return version, d.QueryRow(`PRAGMA user_version`).Scan(&version)
}

// Settle brings the write-ahead log of a database into its file, which then holds all of it. Nobody else may use it.
func Settle(path string) error {
	d, err := sql.Open("sqlite", dsn(path, "rw"))
	if err != nil {
		return err
	}
	_, err = d.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
	return errors.Join(err, d.Close())
}
