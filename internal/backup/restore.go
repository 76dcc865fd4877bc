// restore.go puts a backup in the place of a database.

package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Restore is a backup on its way into the place of a database that nobody uses.
type Restore struct {
	File   string // the backup
	Path   string // of the database
	Newest int    // version that the program knows
	Force  bool   // also if the database knows of more than the backup

	Check    func(ctx context.Context, path string) (version int, err error) // reads all of a database
	Snapshot func(ctx context.Context, from, to string) error                // as Source's
	Latest   func(ctx context.Context, path string) (time.Time, error)       // when anything happened last in a database
	Settle   func(path string) error                                         // brings all of a database into its file
	Prepare  func(ctx context.Context, fresh, before string) (err error)     // makes the copy of the backup fit to go on with; before: the database that is there, or ""
}

// Newer is the refusal to lose what the database knows and the backup does not.
type Newer struct{ Backup, Database time.Time }

func (n Newer) Error() string {
	const layout = "2006-01-02 15:04:05 UTC"
	if n.Database.IsZero() {
		return "the database that is there cannot be read, so nobody knows whether it is newer than the backup: add -force to put the backup in its place; the database is kept beside it"
	}
	return fmt.Sprintf("the database is newer than the backup: the last thing it knows happened at %s, that of the backup at %s; add -force to put the backup in its place; the database is kept beside it",
		n.Database.UTC().Format(layout), n.Backup.UTC().Format(layout))
}

// Run puts the backup in the place of the database and returns where that lies now; "": there was none. Until the last step
// nothing has changed, and that is one rename.
func (r Restore) Run(ctx context.Context) (aside string, err error) {
	version, err := r.Check(ctx, r.File)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", r.File, err)
	case version == 0:
		return "", fmt.Errorf("%s is no backup of Retake", r.File)
	case version > r.Newest:
		return "", fmt.Errorf("%s was made by a newer version of Retake: it is at version %d, this one knows %d", r.File, version, r.Newest)
	}
	made, err := r.Latest(ctx, r.File)
	if err != nil {
		return "", fmt.Errorf("%s: %w", r.File, err)
	}
	before := ""
	if _, err := os.Stat(r.Path); err == nil {
		before = r.Path
		there, err := r.Latest(ctx, r.Path)
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
	if err := os.MkdirAll(filepath.Dir(r.Path), 0o750); err != nil {
		return "", err
	}
	fresh := r.Path + ".restoring"
	defer remove(fresh)
	if err := remove(fresh); err != nil {
		return "", err
	}
	empty, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
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

// replaced is what the name of a database that was kept aside has after its own.
const replaced = ".replaced-"

// Kept lists the databases that were kept aside when a backup took the place of the one at path.
func Kept(path string) (kept []string, err error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filepath.Base(path)+replaced) {
			kept = append(kept, e.Name())
		}
	}
	return kept, err
}

// tails are the ends of what belongs to a database.
var tails = []string{"", "-wal", "-shm"}

func remove(path string) (err error) {
	for _, tail := range tails {
		if e := os.Remove(path + tail); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// replace puts a closed database in the place of the one at r.Path.
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

// keep gives a database a second name, with the log of what is not in the file itself yet. That log leaves its old name: it would
// be taken for the new database's.
func keep(path, aside string) error {
	if _, err := os.Lstat(aside); err == nil {
		return fmt.Errorf("%s: %w", aside, fs.ErrExist)
	}
	if err := os.Link(path, aside); err != nil { // a disk that knows no links
		if err := copyFile(path, aside); err != nil {
			return err
		}
	}
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 { // nobody could bring it into the file
		if err := os.Rename(path+"-wal", aside+"-wal"); err != nil {
			return err
		}
	}
	for _, tail := range tails[1:] {
		if err := os.Remove(path + tail); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Sync(), w.Close())
}
