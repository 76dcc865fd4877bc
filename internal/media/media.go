// Package media keeps finished files: on disk, or in a bucket of a service that speaks S3. Keys are flat names that
// the program makes itself.
package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Store is where files are kept: a Disk or an S3.
type Store interface {
	// Put copies the file at path to key. When it returns nil the store has the whole file. progress, unless nil, is
	// called with the number of bytes sent so far.
	Put(ctx context.Context, key, path string, progress func(sent int64)) error
	// Open opens the file of a key for reading, until ctx ends. It returns fs.ErrNotExist if there is none.
	Open(ctx context.Context, key string) (io.ReadSeekCloser, error)
	// Delete removes a key. When it returns nil nothing is left of the file, also no earlier version of it; a key
	// that is not there is no error, so a deletion can be repeated until it works.
	Delete(ctx context.Context, key string) error
	// Keys calls each with every key, some at a time: there may be millions. An error of each ends it and is returned.
	Keys(ctx context.Context, each func(keys []string) error) error
	// Ready returns nil if files can be kept and read now, or a sentence that says why not.
	Ready(ctx context.Context) error
	// Tidy removes what an earlier process left half written. The store belongs to the first owner that tidies it.
	// Another one gets ErrNotYours and nothing is removed: a file that its database does not know may be somebody's
	// video.
	Tidy(ctx context.Context, owner string) error
	// Close releases what the store holds.
	Close() error

	put(ctx context.Context, key string, file io.Reader, size int64, progress func(sent int64)) error
}

// ErrNotYours is the error of Tidy for an owner that was not the first.
var ErrNotYours = errors.New("another data folder keeps its files there: set prefix to a folder of its own")

// putFile is Put of either store.
func putFile(ctx context.Context, s Store, key, path string, progress func(sent int64)) error {
	if err := check(key); err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return s.put(ctx, key, file, info.Size(), progress)
}

func check(key string) error {
	if key == "" || strings.HasPrefix(key, ".") || strings.ContainsAny(key, "/\\\x00") {
		return fmt.Errorf("%q is not a media key", key)
	}
	return nil
}

// some is how many keys are listed at a time.
const some = 1000

// counter counts bytes: those written to it, and those that minio-go reads from it, which is how minio-go reports what
// it sends. Bytes that are sent again are not counted beyond the size.
type counter struct {
	sent, size int64
	told       func(sent int64)
}

func (c *counter) Write(p []byte) (int, error) {
	c.sent = min(c.sent+int64(len(p)), c.size)
	c.told(c.sent)
	return len(p), nil
}

func (c *counter) Read(p []byte) (int, error) { return c.Write(p) }
