// Tests of what the disk keeps, and of the sweeper.

package media

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestDisk_AFileThatIsShorterThanItWasIsNotKept(t *testing.T) {
	d, _ := newDisk(t)
	for _, size := range []int64{5, 7} {
		err := d.put(t.Context(), "a.mp4", strings.NewReader("a film"), size, nil)
		if err == nil {
			t.Errorf("6 bytes of %d: got no error", size)
		}
		if list := keys(t, d); len(list) != 0 {
			t.Errorf("6 bytes of %d: got %q kept", size, list)
		}
	}
	if err := d.put(t.Context(), "a.mp4", strings.NewReader("a film"), 6, nil); err != nil {
		t.Error(err)
	}
}

// TestDisk_NobodyElseReadsTheFiles has a umask that allows everything.
func TestDisk_NobodyElseReadsTheFiles(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	d, dir := newDisk(t)
	if err := d.Put(t.Context(), "a.mp4", source(t, "a film"), nil); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, partial), filepath.Join(dir, "a.mp4")} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: got %v, %v; want it to be read by its owner only", path, info.Mode(), err)
		}
	}
}

// memory is a store in memory whose deletions may fail.
type memory struct {
	Store
	mu    sync.Mutex
	keys  map[string]bool
	stuck map[string]bool
}

func (m *memory) Put(_ context.Context, key, _ string, _ func(int64)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys[key] = true
	return nil
}

func (m *memory) Keys(_ context.Context, each func([]string) error) error {
	var all []string
	for key := range m.keys {
		all = append(all, key)
	}
	return each(all)
}

func (m *memory) Delete(_ context.Context, key string) error {
	if m.stuck[key] {
		return errors.New("it is locked")
	}
	delete(m.keys, key)
	return nil
}

func allOf(_ context.Context, keys []string) ([]string, error) { return keys, nil }

func TestSweeper_OneThatCannotBeDeletedStopsNoOther(t *testing.T) {
	m := &memory{keys: map[string]bool{"a": true, "b": true, "c": true}, stuck: map[string]bool{"b": true}}
	s := NewSweeper(m)
	if err := s.Put(t.Context(), "new", "", nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Sweep(t.Context(), allOf); err == nil || len(m.keys) != 2 || !m.keys["b"] || !m.keys["new"] {
		t.Errorf("got %v, %v left; want an error, and what is stuck or new", err, m.keys)
	}
	m.stuck = nil
	for range 2 { // it can be repeated until it worked, and then does nothing
		if err := s.Sweep(t.Context(), allOf); err != nil || len(m.keys) != 1 || !m.keys["new"] {
			t.Errorf("again: got %v, %v left; want what is new", err, m.keys)
		}
	}
}

// TestSweeper_RemembersADayOfNewFiles: a bucket that belongs to somebody else is never swept.
func TestSweeper_RemembersADayOfNewFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{keys: map[string]bool{}}
		s := NewSweeper(m)
		for i := range 100_000 {
			time.Sleep(time.Minute)
			if err := s.Put(t.Context(), fmt.Sprint(i), "", nil); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(s.fresh); n > 10_000 {
			t.Errorf("got %d keys remembered; want those of some days", n)
		}
		if err := s.Sweep(t.Context(), allOf); err != nil || !m.keys["99999"] || m.keys["0"] {
			t.Errorf("got %v; want the old ones swept, the new one kept", err)
		}
	})
}

// What takes the place of a file that could not be deleted is not deleted.
func TestSweeper_WhatIsPutAgainIsWanted(t *testing.T) {
	m := &memory{keys: map[string]bool{}, stuck: map[string]bool{"a": true}}
	s := NewSweeper(m)
	if err := s.Put(t.Context(), "a", "", nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "a"); err == nil || s.Undeleted().Files != 1 {
		t.Fatalf("got %v, %+v; want one file that is stuck", err, s.Undeleted())
	}
	if err := s.Put(t.Context(), "a", "", nil); err != nil || s.Undeleted() != (Undeleted{}) {
		t.Errorf("got %v, %+v; want nothing to delete", err, s.Undeleted())
	}
	m.stuck = nil
	if err := s.DeleteAgain(t.Context(), allOf); err != nil || !m.keys["a"] {
		t.Errorf("got %v, %v left; want what was put", err, m.keys)
	}
}
