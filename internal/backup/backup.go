// Package backup makes copies of a database that is in use, whole or not at all, keeps some of them, and puts one
// back without losing what is there. It knows nothing of what is in them.
package backup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrExists is the error for a name that a file has already: a backup overwrites nothing.
var ErrExists = errors.New("that file exists already: a backup overwrites nothing, choose another name")

// ErrFull is the error for a disk without room for a backup.
var ErrFull = errors.New("there is no room for a backup")

// reserve is how many bytes of the disk a backup leaves free for the programs that work there.
const reserve = 64 << 20

// Source is what backups are made of.
type Source struct {
	Path     string                                                 // of the database
	Snapshot func(ctx context.Context, from, to string) error       // copies it to an empty file, and waits for the disk
	Media    func(ctx context.Context, path string) ([]File, error) // lists the files that a copy refers to
}

// File is a file that a database needs.
type File struct {
	Key  string // in the media store
	Size int64  // in bytes; 0 if the database does not know it
}

// partial begins the names of files that are being written.
const partial = ".retake-part-"

// List returns the path of the list of files that the backup at a path needs.
func List(path string) string { return path + ".media" }

// Make makes a backup at path that only this user can read, and beside it the list of the files that it needs: a
// line for each with its key, a tab and its size in bytes. When it returns nil both survive a power cut; after an
// error there is no backup. It returns ErrExists if there is a file of that name, and ErrFull if the disk has no
// room.
func (s Source) Make(ctx context.Context, path string) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s: %w", path, ErrExists)
	}
	dir := filepath.Dir(path)
	if err := s.Room(dir); err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, partial) // only this user can read it
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	if err := temp.Close(); err != nil {
		return err
	}
	if err := s.Snapshot(ctx, s.Path, temp.Name()); err != nil {
		return err
	}
	files, err := s.Media(ctx, temp.Name())
	if err != nil {
		return fmt.Errorf("list the files it needs: %w", err)
	}
	list, err := writeList(dir, files)
	if err != nil {
		return err
	}
	defer os.Remove(list)
	if err := name(temp.Name(), path); err != nil {
		return err
	}
	if err := errors.Join(os.Rename(list, List(path)), syncFolder(dir)); err != nil {
		return errors.Join(err, os.Remove(path), remove(List(path)))
	}
	return nil
}

// name gives a finished file its name, unless there is a file of that name.
func name(temp, path string) error {
	err := os.Link(temp, path)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrExist): // a disk that knows no links: the name is taken first, as a rename would overwrite
		taken, failed := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err = failed; err == nil {
			if err = errors.Join(taken.Close(), os.Rename(temp, path)); err != nil {
				return errors.Join(err, os.Remove(path))
			}
		}
	}
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", path, ErrExists)
	}
	return err
}

// Room returns ErrFull if the disk of a folder has no room for another copy: as much as the database and its log,
// which goes into the copy.
func (s Source) Room(dir string) error {
	var need int64
	for _, path := range []string{s.Path, s.Path + "-wal"} {
		info, err := os.Stat(path)
		if err == nil {
			need += info.Size()
		} else if path == s.Path {
			return err
		}
	}
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return &fs.PathError{Op: "statfs", Path: dir, Err: err}
	}
	if free := int64(disk.Bavail) * int64(disk.Bsize); free < need+reserve {
		return fmt.Errorf("%w: %d MB are free in %s, %d MB are needed", ErrFull, free>>20, dir, (need+reserve)>>20)
	}
	return nil
}

// writeList writes a list into a new file in a folder.
func writeList(dir string, files []File) (path string, err error) {
	temp, err := os.CreateTemp(dir, partial)
	if err != nil {
		return "", err
	}
	w := bufio.NewWriter(temp)
	for _, f := range files {
		fmt.Fprintf(w, "%s\t%d\n", f.Key, f.Size)
	}
	if err := errors.Join(w.Flush(), temp.Sync(), temp.Close()); err != nil {
		return "", errors.Join(err, os.Remove(temp.Name()))
	}
	return temp.Name(), nil
}

// syncFolder makes the names in a folder survive a power cut. Tests replace it.
var syncFolder = func(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Absent returns the items whose keys are not among those that there lists.
func Absent[T any](
	items []T,
	key func(T) string,
	there func(each func(keys []string) error) error,
) (absent []T, err error) {
	found := map[string]bool{}
	if err := there(func(keys []string) error {
		for _, k := range keys {
			found[k] = true
		}
		return nil
	}); err != nil {
		return nil, err
	}
	for _, item := range items {
		if !found[key(item)] {
			absent = append(absent, item)
		}
	}
	return absent, nil
}

// isPartial reports whether a name is that of a file that is being written.
func isPartial(name string) bool { return strings.HasPrefix(name, partial) }
