// disk.go keeps files in a folder.

package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// Disk keeps files in one folder.
type Disk struct{ root *os.Root }

// partial is the folder of files that are being written; it is not a media key. A folder of its own is emptied
// without looking through all videos.
const partial = ".part"

// OpenDisk opens the folder, creating it, and removes what an earlier process left half written.
func OpenDisk(dir string) (*Disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	if err := root.RemoveAll(partial); err != nil {
		return nil, err
	}
	return &Disk{root}, root.Mkdir(partial, 0o700)
}

// Put is Store's. The file survives a power cut.
func (d *Disk) Put(ctx context.Context, key, path string, progress func(sent int64)) error {
	return putFile(ctx, d, key, path, progress)
}

func (d *Disk) put(ctx context.Context, key string, file io.Reader, size int64, progress func(sent int64)) error {
	temp := partial + "/" + key
	dst, err := d.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if progress != nil {
		file = io.TeeReader(file, &counter{size: size, told: progress})
	}
	n, err := io.Copy(dst, file)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil && n != size {
		err = fmt.Errorf("got %d bytes of %d: %w", n, size, io.ErrUnexpectedEOF)
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
	return d.sync()
}

// sync makes the names in the folder survive a power cut.
func (d *Disk) sync() error {
	folder, err := d.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Open is Store's. Only plain files are ours: a link leads elsewhere, and opening a pipe would wait for a writer.
func (d *Disk) Open(_ context.Context, key string) (io.ReadSeekCloser, error) {
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

// Delete is Store's.
func (d *Disk) Delete(_ context.Context, key string) error {
	if err := check(key); err != nil {
		return err
	}
	if err := d.root.Remove(key); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return d.sync() // a file that comes back after a power cut was not deleted
}

// Keys is Store's.
func (d *Disk) Keys(ctx context.Context, each func(keys []string) error) error {
	folder, err := d.root.Open(".")
	if err != nil {
		return err
	}
	defer folder.Close()
	for ctx.Err() == nil {
		keys, err := folder.Readdirnames(some)
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := each(slices.DeleteFunc(keys, func(key string) bool { return key == partial })); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Ready is Store's. The room left on the disk is looked at before each video.
func (d *Disk) Ready(context.Context) error { return nil }

// Tidy is Store's. The folder belongs to the data folder that it is in, and OpenDisk has tidied it already.
func (d *Disk) Tidy(context.Context, string) error { return nil }

// Close releases the folder.
func (d *Disk) Close() error { return d.root.Close() }
