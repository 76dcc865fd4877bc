// sweep.go deletes the files that nobody needs while new ones come.

package media

import (
	"context"
	"slices"
	"sync"
)

// Sweeper is a Store that can be swept while it is in use.
type Sweeper struct {
	Store

	mu    sync.Mutex
	fresh map[string]bool // kept since the beginning, by people who may not have written that down yet; nil: it is swept
}

// NewSweeper returns a store that has not been swept.
func NewSweeper(s Store) *Sweeper { return &Sweeper{Store: s, fresh: map[string]bool{}} }

// Put is Store's.
func (s *Sweeper) Put(ctx context.Context, key, path string, progress func(sent int64)) error {
	s.mu.Lock()
	if s.fresh != nil {
		s.fresh[key] = true // first: a key that is listed from now on is known to be new
	}
	s.mu.Unlock()
	return s.Store.Put(ctx, key, path, progress)
}

// Sweep deletes the keys that unneeded picks of those it is given, once. It is given none that was put since NewSweeper.
func (s *Sweeper) Sweep(ctx context.Context, unneeded func(ctx context.Context, keys []string) ([]string, error)) error {
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.fresh = nil
	}()
	return s.Store.Keys(ctx, func(keys []string) error {
		s.mu.Lock()
		keys = slices.DeleteFunc(keys, func(key string) bool { return s.fresh[key] })
		s.mu.Unlock()
		gone, err := unneeded(ctx, keys)
		if err != nil {
			return err
		}
		for _, key := range gone {
			if err := s.Store.Delete(ctx, key); err != nil {
				return err
			}
		}
		return nil
	})
}
