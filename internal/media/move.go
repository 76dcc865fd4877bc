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
	Files   int   // that were moved
	Bytes   int64 // of them
	There   int   // that were there already
	Missing []string
}

// Move brings the files of keys from one store to the other, one after the other. A file leaves the first when the other
// has it, so a Move that was interrupted is finished by another. told is told how far the n-th of them is, from 1.
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

// moveOne moves a file; errThere if only the other store has it, fs.ErrNotExist if neither.
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
		return 0, fmt.Errorf("look at what was kept: %v", err) // %v: that it is not there is not that it never was
	case there != size:
		return 0, fmt.Errorf("%d bytes were kept of %d", there, size)
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

// rewound returns the size of a file that will be read from its beginning.
func rewound(file io.Seeker) (int64, error) {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	_, err = file.Seek(0, io.SeekStart)
	return size, err
}
