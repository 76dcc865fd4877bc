// sweep.go deletes the files that nobody needs while new ones come.

package media

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Sweeper is a Store that can be swept while it is in use.
type Sweeper struct {
	Store

	mu    sync.Mutex
	fresh map[string]time.Time // when keys were put whose users may not have written them down yet; nil: it has been swept
	least int                  // how many there may be before the old ones are forgotten
	kept  map[string]time.Time // since when keys should be gone that the store did not delete
	why   error                // of the last that it did not
}

// mostKept is how many of those are remembered. The others are found by the sweep of the next start.
const mostKept = 100_000

// young is how long a key is fresh. The caller of Put records the key within minutes, or never.
const young = 24 * time.Hour

// NewSweeper returns a store that has not been swept.
func NewSweeper(s Store) *Sweeper {
	return &Sweeper{Store: s, fresh: map[string]time.Time{}, least: 1000, kept: map[string]time.Time{}}
}

// Put is Store's.
func (s *Sweeper) Put(ctx context.Context, key, path string, progress func(sent int64)) error {
	s.mu.Lock()
	delete(s.kept, key)
	if s.fresh != nil {
		s.fresh[key] = time.Now() // first: a key that is listed from now on is known to be new
		if len(s.fresh) > s.least {
			maps.DeleteFunc(s.fresh, func(_ string, put time.Time) bool { return time.Since(put) > young })
			s.least = 1000 + 2*len(s.fresh)
		}
	}
	s.mu.Unlock()
	return s.Store.Put(ctx, key, path, progress)
}

// Delete is Store's. A key that cannot be deleted is tried again by DeleteAgain.
func (s *Sweeper) Delete(ctx context.Context, key string) error {
	err := s.Store.Delete(ctx, key)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.kept[key]
	switch {
	case err == nil:
		delete(s.kept, key)
	case ctx.Err() == nil && !known && len(s.kept) < mostKept:
		s.kept[key] = time.Now()
	}
	if err != nil {
		s.why = err
	}
	return err
}

// Undeleted are files that should be gone, and that the store did not delete.
type Undeleted struct {
	Files int
	Since time.Time // when the first of them should have gone
	Err   error     // of the last
}

// Undeleted returns those that are known. The zero value: there are none.
func (s *Sweeper) Undeleted() (u Undeleted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range s.kept {
		if u.Files++; u.Since.IsZero() || at.Before(u.Since) {
			u.Since, u.Err = at, s.why
		}
	}
	return u
}

// DeleteAgain tries once more to delete what could not be deleted, if unneeded still picks it.
func (s *Sweeper) DeleteAgain(ctx context.Context,
	unneeded func(ctx context.Context, keys []string) ([]string, error)) error {
	s.mu.Lock()
	all := slices.Sorted(maps.Keys(s.kept))
	s.mu.Unlock()
	var left leftover
	for keys := range slices.Chunk(all, some) {
		gone, err := s.deleteUnneeded(ctx, keys, unneeded, &left)
		if err != nil {
			return err
		}
		s.mu.Lock()
		for _, key := range keys {
			if !slices.Contains(gone, key) { // somebody needs it again
				delete(s.kept, key)
			}
		}
		s.mu.Unlock()
	}
	return left.error()
}

// leftover is how many files the store did not delete, and why the last of them.
type leftover struct {
	files int
	err   error
}

func (l leftover) error() error {
	if l.files == 0 {
		return nil
	}
	return fmt.Errorf("delete %d files that nobody needs: %w", l.files, l.err)
}

// deleteUnneeded deletes those of some keys that unneeded picks, and returns these. A file that cannot be deleted is
// added to left and stops no other.
func (s *Sweeper) deleteUnneeded(ctx context.Context, keys []string,
	unneeded func(ctx context.Context, keys []string) ([]string, error), left *leftover) (gone []string, err error) {
	if gone, err = unneeded(ctx, keys); err != nil {
		return nil, err
	}
	for _, key := range gone {
		if err := s.Delete(ctx, key); ctx.Err() != nil {
			return nil, ctx.Err()
		} else if err != nil {
			left.files, left.err = left.files+1, err
		}
	}
	return gone, nil
}

// Sweep deletes the keys that unneeded picks of those it is given, once: when it has returned nil another call does
// nothing. It is given no key that was put since NewSweeper. A file that cannot be deleted is in the error and
// stops no other.
func (s *Sweeper) Sweep(ctx context.Context,
	unneeded func(ctx context.Context, keys []string) ([]string, error)) error {
	s.mu.Lock()
	swept := s.fresh == nil
	s.mu.Unlock()
	if swept {
		return nil
	}
	var left leftover
	err := s.Store.Keys(ctx, func(keys []string) error {
		s.mu.Lock()
		keys = slices.DeleteFunc(keys, func(key string) bool { _, fresh := s.fresh[key]; return fresh })
		s.mu.Unlock()
		_, err := s.deleteUnneeded(ctx, keys, unneeded, &left)
		return err
	})
	if err = errors.Join(err, left.error()); err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.fresh = nil
	}
	return err
}
