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
	"time"

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

// pace is how long a byte may take, beyond what any file may: 2 Mbit/s.
const pace = 4 * time.Microsecond

// moving limits the time in which a file of a size in bytes is moved.
func moving(ctx context.Context, least time.Duration, size int64) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, least+time.Duration(size)*pace)
}

// chunk is the size of an object's parts in bytes: the server writes each to its disk before the next. Its max_payload
// is 1 MB, unless the operator sets another.
const chunk = 512 << 10

// upload stores a file under a name. What it returns has the name if the file is stored.
func upload(ctx context.Context, to jetstream.ObjectStore, name, path string, least time.Duration) (s stored,
	err error) {
	f, err := os.Open(path)
	if err != nil {
		return s, err
	}
	defer f.Close()
	about, err := f.Stat()
	if err != nil {
		return s, err
	}
	ctx, cancel := moving(ctx, least, about.Size())
	defer cancel()
	info, err := to.Put(ctx, jetstream.ObjectMeta{Name: name, Opts: &jetstream.ObjectMetaOptions{ChunkSize: chunk}}, f)
	if err != nil {
		return s, err
	}
	sum, err := jetstream.DecodeObjectDigest(info.Digest)
	return stored{Object: name, Size: int64(info.Size), SHA256: hex.EncodeToString(sum)}, err
}

// download writes an object to a new file that only we can read. A size of less than 0 is unknown.
func download(ctx context.Context, from jetstream.ObjectStore, s stored, path string, least time.Duration) (err error) {
	size := s.Size
	if size < 0 {
		info, err := from.GetInfo(ctx, s.Object)
		if err != nil {
			return err
		}
		size = int64(info.Size)
	}
	ctx, cancel := moving(ctx, least, size)
	defer cancel()
	object, err := from.Get(ctx, s.Object)
	if err != nil {
		return err
	}
	defer object.Close()
	info, err := object.Info()
	if err != nil {
		return err
	}
	if sum, err := jetstream.DecodeObjectDigest(info.Digest); err != nil || hex.EncodeToString(sum) != s.SHA256 {
		return errDamaged // what is read is compared with this one
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	whole := io.Reader(object)
	if s.Size >= 0 { // what it is larger by is not read: the other machine may be anybody's by now
		whole = io.LimitReader(object, s.Size+1)
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{f}, whole, make([]byte, chunk)) // at its end, by the store's sha256
	err = errors.Join(err, f.Close())
	if err == nil && s.Size >= 0 && n != s.Size {
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
