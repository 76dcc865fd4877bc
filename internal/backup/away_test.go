// Tests of when backups are copied to a bucket. The copies themselves are tested on a real server in internal/command.

package backup

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// shelf is a bucket that counts what is put, and fails while it is away.
type shelf struct {
	mu   sync.Mutex
	away bool
	keys map[string]bool
	puts int
}

func (s *shelf) Put(_ context.Context, key, _ string, _ func(int64)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return errors.New("no answer")
	}
	s.keys[key] = true
	s.puts++
	return nil
}

func (s *shelf) Delete(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.keys, key)
	return nil
}

func (s *shelf) Keys(_ context.Context, each func([]string) error) error {
	s.mu.Lock()
	keys := maps.Clone(s.keys)
	s.mu.Unlock()
	for key := range keys {
		if err := each([]string{key}); err != nil {
			return err
		}
	}
	return nil
}

func (s *shelf) Tidy(context.Context, string) error { return nil }

func TestAway_EachBackupIsCopiedAndAFailureIsTriedAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bucket := &shelf{keys: map[string]bool{}}
		var told []bool // whether all was well
		k := newKeeper(t, 7)
		k.Away = &Away{Bucket: bucket, Keep: 2, Verify: func(context.Context, string, int64) error { return nil }}
		k.Told = func(err error) {
			bucket.mu.Lock()
			defer bucket.mu.Unlock()
			told = append(told, err == nil)
		}
		old := k.dated(t, "", -time.Hour)[0]
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan bool)
		go func() { k.Run(ctx); close(ended) }()
		after := func(d time.Duration, copies int, last bool) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			bucket.mu.Lock()
			defer bucket.mu.Unlock()
			if n := len(ordered(bucket.keys, false)); n != copies || len(told) == 0 || told[len(told)-1] != last {
				t.Errorf("%v later: got %d copies, told %v; want %d, %v at last", d, n, told, copies, last)
			}
		}
		after(firstRest+time.Second, 1, true) // what was there at the start
		has := func(key string) bool {
			bucket.mu.Lock()
			defer bucket.mu.Unlock()
			return bucket.keys[key]
		}
		answers := func(yes bool) (puts int) {
			bucket.mu.Lock()
			defer bucket.mu.Unlock()
			bucket.away = !yes
			return bucket.puts
		}
		if !has(old) {
			t.Errorf("want %s there", old)
		}
		after(24*time.Hour, 2, true) // the day's
		answers(false)
		after(24*time.Hour, 2, false)
		if s := k.State(); s.CopyFailing.IsZero() || !s.Failing.IsZero() {
			t.Errorf("got %+v; want that the copy fails, and the backup does not", s)
		}
		puts := answers(true)
		after(again+time.Second, 2, true) // one more, and the oldest went
		if n := answers(true); has(old) || n != puts+2 {
			t.Errorf("got %d more, the oldest there: %v; want the copy that failed in its place", n-puts, has(old))
		}
		stop()
		<-ended
	})
}
