// move.go brings files from one store to another.

package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// Moved is what became of the files of a Move.
type Moved struct {
	Files   int      // moved
	Bytes   int64    // of the files moved
	There   int      // files that only the other store had
	Missing []string // keys that neither has
}

// Move moves the files of keys from one store to the other, one after the other. A file leaves the first store when the
// other has it, so a second Move finishes one that was interrupted. told is called with the progress of the n-th file,
// from 1.
func Move(ctx context.Context, from, to Store, keys []string, told func(n int, sent, size int64)) (m Moved, err error) {
	for i, key := range keys {
		size, err := moveOne(ctx, from, to, key, func(sent, size int64) { told(i+1, sent, size) })
		switch {
		case err == nil:
			m.Files++
			m.Bytes += size
		case errors.Is(err, errThere):
			m.There++
		case errors.Is(err, fs.ErrNotExist):
			m.Missing = append(m.Missing, key)
		default:
			return m, fmt.Errorf("move %s: %w", key, err)
		}
	}
	return m, nil
}

var errThere = errors.New("it is there already")

// moveOne moves a file. It returns errThere if only the other store has it, and fs.ErrNotExist if neither does.
func moveOne(ctx context.Context, from, to Store, key string, told func(sent, size int64)) (size int64, err error) {
	file, err := from.Open(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err = sizeOf(ctx, to, key); err == nil {
			err = errThere
		}
	}
	if err != nil {
		return 0, err
	}
	defer file.Close()
	if size, err = rewound(file); err != nil {
		return 0, err
	}
	if err := to.put(ctx, key, file, size, func(sent int64) { told(sent, size) }); err != nil {
		return 0, err
	}
	switch there, err := sizeOf(ctx, to, key); {
	case err != nil:
		return 0, fmt.Errorf("look at what was kept: %v", err) // not %w: a missing copy does not mean a missing file
	case there != size:
		return 0, fmt.Errorf("kept %d bytes of %d", there, size)
	}
	return size, from.Delete(ctx, key)
}

func sizeOf(ctx context.Context, s Store, key string) (int64, error) {
	file, err := s.Open(ctx, key)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return rewound(file)
}

// rewound returns the size of a file and moves to its beginning.
func rewound(file io.Seeker) (int64, error) {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	_, err = file.Seek(0, io.SeekStart)
	return size, err
}
