// files.go moves files into and out of the object stores, and checks them by their sha256.

package farm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/nats-io/nats.go/jetstream"
)

// errDamaged says that what arrived is not what was sent.
var errDamaged = errors.New("the file is damaged: its sha256 is another one")

// sumOf returns the sha256 and the size of a file.
func sumOf(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

// upload stores a file under a name.
func upload(ctx context.Context, to jetstream.ObjectStore, name, path string) (s stored, err error) {
	if s.SHA256, s.Size, err = sumOf(path); err != nil {
		return s, err
	}
	f, err := os.Open(path)
	if err != nil {
		return s, err
	}
	defer f.Close()
	s.Object = name
	_, err = to.Put(ctx, jetstream.ObjectMeta{Name: name}, f)
	return s, err
}

// download writes an object to a new file that only we can read. A size of less than 0 is unknown.
func download(ctx context.Context, from jetstream.ObjectStore, s stored, path string) (err error) {
	object, err := from.Get(ctx, s.Object)
	if err != nil {
		return err
	}
	defer object.Close()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	h := sha256.New()
	whole := io.Reader(object)
	if s.Size >= 0 { // what it is larger by is not read: the other machine may be anybody's by now
		whole = io.LimitReader(object, s.Size+1)
	}
	n, err := io.Copy(io.MultiWriter(f, h), whole)
	err = errors.Join(err, f.Close())
	if err == nil && (hex.EncodeToString(h.Sum(nil)) != s.SHA256 || s.Size >= 0 && n != s.Size) {
		err = errDamaged
	}
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// place makes a path of a kit's place, which must stay in the folder.
func place(folder, at string) (string, error) {
	local, err := filepath.Localize(at)
	if err != nil {
		return "", fmt.Errorf("a kit with the place %q: %w", at, err)
	}
	return filepath.Join(folder, local), nil
}
