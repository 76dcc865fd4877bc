// Trials: pictures and videos of templates that are being worked on. Owners who have their address see them
// for a while, and then they are gone.

package desk

import (
	"context"
	"crypto/rand"
	"sync"
	"time"
)

const (
	mostTrials = 24 // are kept; the oldest goes
	mostStills = 2  // are drawn at a time
)

// trials keeps them. Their addresses are random: no name is in them.
type trials struct {
	mu     sync.Mutex
	kept   []trial
	stills chan struct{} // holds one for each that is being drawn
	films  chan struct{} // the same of videos: each replaces the film that the one before was made from
}

type trial struct {
	key, path string
	made      time.Time
	discard   func() error
}

func newTrials() *trials {
	return &trials{stills: make(chan struct{}, mostStills), films: make(chan struct{}, 1)}
}

// turn waits for a place. The caller calls leave.
func turn(ctx context.Context, places chan struct{}) (leave func(), err error) {
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// keep returns the key of a file from now on. An old file goes in exchange.
func (t *trials) keep(path, ending string, discard func() error) (key string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key = rand.Text() + ending
	t.kept = append(t.kept, trial{key, path, time.Now(), discard})
	if len(t.kept) > mostTrials {
		err = t.kept[0].discard()
		t.kept = t.kept[1:]
	}
	return key, err
}

// find returns a file that is still there.
func (t *trials) find(key string) (path string, made time.Time, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, one := range t.kept {
		if one.key == key {
			return one.path, one.made, true
		}
	}
	return "", time.Time{}, false
}
