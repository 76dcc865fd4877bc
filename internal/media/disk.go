// Package media keeps finished files. Keys are flat names that the program makes itself.
package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Disk keeps files in one folder.
type Disk struct{ root *os.Root }

// partial marks a file that is still being written; a key cannot begin with it.
const partial = ".part-"

// OpenDisk opens the folder, creating it, and removes what an earlier process left half written.
func OpenDisk(dir string) (*Disk, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	leftovers, err := filepath.Glob(filepath.Join(dir, partial+"*"))
	if err != nil {
		return nil, err
	}
	for _, f := range leftovers {
		if err := os.Remove(f); err != nil {
			return nil, err
		}
	}
	return &Disk{root}, nil
}

// Put copies the file at path to key. Once it returns nil the file survives a power cut, whole.
func (d *Disk) Put(ctx context.Context, key, path string) error {
	if err := check(key); err != nil {
		return err
	}
	src, err := os.Open(path)
	if err != nil {
		return err
	}
	defer src.Close()
	temp := partial + key
	dst, err := d.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = dst.Sync()
	}
	if err = errors.Join(err, dst.Close()); err == nil {
		err = d.root.Rename(temp, key)
	}
	if err != nil {
		d.root.Remove(temp)
		return err
	}
	folder, err := d.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Open opens the file of a key for reading; fs.ErrNotExist when there is none. What is no plain file is none of ours: a link
// leads elsewhere, and a pipe would make whoever opens it wait.
func (d *Disk) Open(key string) (*os.File, error) {
	if err := check(key); err != nil {
		return nil, err
	}
	info, err := d.root.Lstat(key)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, &fs.PathError{Op: "open", Path: key, Err: fs.ErrNotExist}
	}
	return d.root.Open(key)
}

// Delete removes a key. One that is not there is no error.
func (d *Disk) Delete(_ context.Context, key string) error {
	if err := check(key); err != nil {
		return err
	}
	if err := d.root.Remove(key); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Keys lists every key there is.
func (d *Disk) Keys() ([]string, error) {
	folder, err := d.root.Open(".")
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	return folder.Readdirnames(-1)
}

// Close releases the folder.
func (d *Disk) Close() error { return d.root.Close() }

func check(key string) error {
	if key == "" || strings.HasPrefix(key, ".") || strings.ContainsAny(key, "/\\\x00") {
		return fmt.Errorf("%q is no media key", key)
	}
	return nil
}
