// restore.go replaces a database by a backup.

package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Restore replaces a database that nobody uses by a backup.
type Restore struct {
	File   string // the backup
	Path   string // of the database
	Newest int    // the newest version that the program knows
	Force  bool   // replace the database even if it is newer than the backup

	Check    func(ctx context.Context, path string) (version int, err error) // reads all of a database
	Snapshot func(ctx context.Context, from, to string) error                // as Source's
	// Latest returns when something last happened in a database, until a time.
	Latest func(ctx context.Context, path string, until time.Time) (time.Time, error)
	Settle func(path string) error // brings all of a database into its file
	// Prepare makes the copy of the backup ready for use. before is the path of the current database, or "".
	Prepare func(ctx context.Context, fresh, before string) (err error)
}

// Newer is the error for a database that knows of more than the backup. Database is zero if it cannot be read.
type Newer struct{ Backup, Database time.Time }

func (n Newer) Error() string {
	const layout = "2006-01-02 15:04:05 UTC"
	if n.Database.IsZero() {
		return "the database that is there cannot be read, so nobody knows whether it is newer than the backup: " +
			"add -force to put the backup in its place; the database is kept beside it"
	}
	return fmt.Sprintf("the database is newer than the backup: the last thing it knows happened at %s, that of "+
		"the backup "+
		"at %s; add -force to put the backup in its place; the database is kept beside it", n.Database.UTC().Format(layout),
		n.Backup.UTC().Format(layout))
}

// Run replaces the database by the backup and returns where the database is now, or "" if there was none. Nothing
// changes until the last step, which is one rename.
func (r Restore) Run(ctx context.Context) (aside string, err error) {
	version, err := r.Check(ctx, r.File)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", r.File, err)
	case version == 0:
		return "", fmt.Errorf("%s is no backup of Retake", r.File)
	case version > r.Newest:
		return "", fmt.Errorf(
			"%s was made by a newer version of Retake: it is at version %d, this one knows %d",
			r.File,
			version,
			r.Newest,
		)
	}
	// What a clock that was ahead wrote makes no backup newer than it is, but what is there may not be lost for it.
	made, err := r.Latest(ctx, r.File, time.Now())
	if err != nil {
		return "", fmt.Errorf("%s: %w", r.File, err)
	}
	before := ""
	if _, err := os.Stat(r.Path); err == nil {
		before = r.Path
		there, err := r.Latest(ctx, r.Path, time.UnixMilli(math.MaxInt64))
		if err != nil {
			before, there = "", time.Time{}
		}
		switch {
		case !r.Force && (err != nil || there.After(made)):
			return "", Newer{made, there}
		case err == nil:
			if err := r.Settle(r.Path); err != nil {
				return "", fmt.Errorf("the database that is there: %w", err)
			}
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(r.Path), 0o700); err != nil {
		return "", err
	}
	fresh := r.Path + ".restoring"
	defer removeDatabase(fresh)
	if err := removeDatabase(fresh); err != nil {
		return "", err
	}
	empty, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	if err := empty.Close(); err != nil {
		return "", err
	}
	if err := r.Snapshot(ctx, r.File, fresh); err != nil {
		return "", fmt.Errorf("copy %s: %w", r.File, err)
	}
	if err := r.Prepare(ctx, fresh, before); err != nil {
		return "", err
	}
	return r.replace(fresh)
}

// replaced follows the name of a database in the name under which it is kept aside.
const replaced = ".replaced-"

// Kept lists the databases that were kept aside when backups replaced the one at path.
func Kept(path string) (kept []string, err error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filepath.Base(path)+replaced) {
			kept = append(kept, e.Name())
		}
	}
	return kept, err
}

// tails are the name endings of the files of a database.
var tails = []string{"", "-wal", "-shm"}

func removeDatabase(path string) (err error) {
	for _, tail := range tails {
		err = errors.Join(err, remove(path+tail))
	}
	return err
}

// remove removes a file that may be there.
func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// replace replaces the database at r.Path by a closed one.
func (r Restore) replace(fresh string) (aside string, err error) {
	if info, err := os.Stat(fresh + "-wal"); err == nil && info.Size() > 0 {
		return "", fmt.Errorf("%s is not closed", fresh)
	}
	f, err := os.OpenFile(fresh, os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return "", err
	}
	if _, err := os.Stat(r.Path); err == nil {
		aside = r.Path + replaced + time.Now().UTC().Format(stamp)
		if err := keep(r.Path, aside); err != nil {
			return "", fmt.Errorf("keep the database that is there: %w", err)
		}
	}
	if err := os.Rename(fresh, r.Path); err != nil {
		return aside, err
	}
	return aside, syncFolder(filepath.Dir(r.Path))
}

// keep gives a database a second name, with its log if that is not in the file yet. The log leaves its old name:
// SQLite would take it for that of the new database.
func keep(path, aside string) error {
	if _, err := os.Lstat(aside); err == nil {
		return fmt.Errorf("%s: %w", aside, fs.ErrExist)
	}
	if err := os.Link(path, aside); err != nil { // a disk that knows no links
		if err := copyFile(path, aside); err != nil {
			return err
		}
	}
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 { // Settle could not bring it into the file
		if err := os.Rename(path+"-wal", aside+"-wal"); err != nil {
			return err
		}
	}
	return errors.Join(remove(path+"-wal"), remove(path+"-shm"))
}

func copyFile(from, to string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Sync(), w.Close())
}
