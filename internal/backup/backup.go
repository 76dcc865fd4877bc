// Package backup makes copies of a database that is in use, whole or not at all, keeps some of them, and puts one back without
// losing what is there. It knows nothing of what is in them.
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

// ErrExists says that there is a file of that name, which no backup overwrites.
var ErrExists = errors.New("that file exists already: a backup overwrites nothing, choose another name")

// ErrFull says that the disk has no room for a backup.
var ErrFull = errors.New("there is no room for a backup")

// reserve is what stays free for whoever works on that disk, in bytes.
const reserve = 64 << 20

// Source is what backups are made of.
type Source struct {
	Path     string                                                 // of the database
	Snapshot func(ctx context.Context, from, to string) error       // copies it to an empty file, and waits for the disk
	Media    func(ctx context.Context, path string) ([]File, error) // what a copy needs beside itself
}

// File is a file that a database needs.
type File struct {
	Key  string // in the media store
	Size int64  // bytes; 0: the database does not know
}

// partial is how the names of files begin that are being written.
const partial = ".retake-part-"

// List is where the files stand that the backup at a path needs.
func List(path string) string { return path + ".media" }

// Make makes a backup at path, for nobody but this user to read, with the list of the files that it needs beside it: a line for
// each, its key, a tab and its size. When it returns nil both survive a power cut; after an error there is no backup. ErrExists,
// ErrFull.
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
		return fmt.Errorf("which files it needs: %w", err)
	}
	if err := writeList(List(path), files); err != nil {
		return err
	}
	// The name is taken first: a rename alone would overwrite what came in the meantime.
	name, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", path, ErrExists)
	} else if err != nil {
		return err
	}
	if err := errors.Join(name.Close(), os.Rename(temp.Name(), path)); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return syncFolder(dir)
}

// Room returns ErrFull if the disk of a folder has no room for one more copy.
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

func writeList(path string, files []File) error {
	temp, err := os.CreateTemp(filepath.Dir(path), partial)
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	w := bufio.NewWriter(temp)
	for _, f := range files {
		fmt.Fprintf(w, "%s\t%d\n", f.Key, f.Size)
	}
	if err := errors.Join(w.Flush(), temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// syncFolder puts the names in a folder on the disk.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Absent lists the items whose keys are not among those there are.
func Absent[T any](items []T, key func(T) string, there func(each func(keys []string) error) error) (absent []T, err error) {
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

// isPartial reports whether a name is that of a file that was being written.
func isPartial(name string) bool { return strings.HasPrefix(name, partial) }
