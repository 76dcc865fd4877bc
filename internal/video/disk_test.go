// disk_test.go fills disks, and sends files that are too large.

package video

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// smallDisk makes the work folder look like a disk of so many bytes.
func smallDisk(m *Maker, size int64) {
	m.free = func(folder string) (int64, error) {
		used, err := dirSize(folder)
		return size - used, err
	}
}

// dirSize is how much lies in a folder, in bytes.
func dirSize(folder string) (size int64, err error) {
	err = filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // gone meanwhile
		}
		if info, err := d.Info(); err == nil && d.Type().IsRegular() {
			size += info.Size()
		}
		return nil
	})
	return size, err
}

func TestFreeBytes(t *testing.T) {
	if free, err := freeBytes(t.TempDir()); free <= 0 || err != nil {
		t.Errorf("got %d, %v; want more than nothing", free, err)
	}
	if _, err := freeBytes(filepath.Join(t.TempDir(), "nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: got %v; want fs.ErrNotExist", err)
	}
}

func TestRoom(t *testing.T) {
	m := newMaker(t, func(*Config) {})
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		free, need int64
		err        error
		want       string
	}{
		"is there":            {Reserve, 0, nil, ""},
		"is there for a file": {Reserve + 100, 100, nil, ""},
		"is not there": {12<<20 + 1, 0, nil,
			"the disk is nearly full: 12 MB are free in " + m.cfg.Work + ", 64 MB are needed"},
		"is not there for a file": {Reserve + 99<<20, 100 << 20, nil,
			"163 MB are free in " + m.cfg.Work + ", 164 MB are needed"},
		"is nobody knows where": {0, 0, broken, "look for room on the disk: broken"},
	} {
		t.Run(name, func(t *testing.T) {
			m.free = func(string) (int64, error) { return c.free, c.err }
			err := m.Room(c.need)
			if c.want == "" && err != nil ||
				c.want != "" && (err == nil || isPermanent(err) || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v; want a transient error with %q", err, c.want)
			}
		})
	}
}

func TestCommandDoesNotStartOnAFullDisk(t *testing.T) {
	started := filepath.Join(t.TempDir(), "started")
	t.Setenv("STARTED", started)
	m := commandMaker(t, `: >"$STARTED"`, nil)
	smallDisk(m, Reserve-1)
	_, err := m.Make(t.Context(), Order{Asset: "a1", Name: "Маша", Lang: "ru"}, nil)
	if err == nil || isPermanent(err) || !strings.HasPrefix(err.Error(), "the disk is nearly full: 63 MB are free in ") {
		t.Errorf("got %v; want a transient error about the disk", err)
	}
	if _, err := os.Stat(started); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("program: got %v; want that it was not started", err)
	}
	wantEmpty(t, m)
}

func TestAVideoWaitsForRoomUntilPatienceEnds(t *testing.T) {
	m := commandMaker(t, `cp "$SAMPLE" "$RETAKE_OUTPUT"`, nil)
	m.cfg.Patience = time.Hour
	smallDisk(m, Reserve-1)
	asks := func() bool {
		t.Helper()
		_, err := m.Make(t.Context(), Order{Asset: "a1", Name: "Маша", Lang: "ru"}, nil)
		if !errors.Is(err, ErrDiskFull) {
			t.Fatalf("got %v; want ErrDiskFull", err)
		}
		w, ok := errors.AsType[interface {
			error
			RetryAfter() (time.Duration, bool)
		}](err)
		if !ok {
			return false
		}
		_, waits := w.RetryAfter()
		return waits
	}
	for range 2 {
		if !asks() {
			t.Error("got an attempt that is spent; want it to wait")
		}
	}
	m.full["a1"] = m.full["a1"].Add(-time.Hour)
	if asks() {
		t.Error("got one that still waits; want a failure that is told")
	}
}

func TestCommandIsStoppedWhenItFillsTheDisk(t *testing.T) {
	for name, script := range map[string]string{
		"with its video":       `for i in $(seq 300); do head -c 100000 /dev/zero >>"$RETAKE_OUTPUT"; done; sleep 300`,
		"with temporary files": `for i in $(seq 300); do head -c 100000 /dev/zero >"$(mktemp)"; done; sleep 300`,
		"by a fork that has left": `setsid sh -c 'for i in $(seq 300); do head -c 100000 /dev/zero >>"$TMPDIR/x"; done' ` +
			`>/dev/null 2>&1 & sleep 300`,
		"although it says nothing": `exec 2>&-; for i in $(seq 300); do head -c 100000 /dev/zero >>"$TMPDIR/x"; done; ` +
			`sleep 300`,
	} {
		t.Run(name, func(t *testing.T) {
			m := commandMaker(t, script, func(c *Config) { c.Timeout = 10 * time.Second })
			smallDisk(m, Reserve+1<<20)
			wantSoon(t, 5*time.Second, func() time.Duration {
				before := time.Now()
				_, err := m.Make(t.Context(), Order{Asset: "a1", Name: "Маша", Lang: "ru"}, nil)
				took := time.Since(before)
				if err == nil || isPermanent(err) ||
					!strings.Contains(err.Error(), "the engine filled the disk: the disk is nearly full") {
					t.Errorf("got %v; want a transient error about the disk", err)
				}
				wantEmpty(t, m)
				return took
			})
		})
	}
}

func TestCommandMayNotMakeTooLargeAFile(t *testing.T) {
	source := clipWithSound(t)
	t.Setenv("SOURCE", source)
	info, err := os.Stat(source)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		most int64
		want string
	}{
		"one byte too much": {info.Size() - 1, "the video has 0.0 MB; it may have 0.0 MB"},
		"just right":        {info.Size(), ""},
		"without a limit":   {0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := commandMaker(t, `cp "$SOURCE" "$RETAKE_OUTPUT"`, func(cfg *Config) { cfg.MaxBytes = c.most })
			v, err := m.Make(t.Context(), Order{Asset: "a1", Name: "Маша", Lang: "ru"}, nil)
			if c.want == "" && err != nil || c.want != "" && (err == nil || isPermanent(err) || err.Error() != c.want) {
				t.Errorf("got %v; want a transient error %q", err, c.want)
			}
			if err := v.Discard(); err != nil {
				t.Error(err)
			}
			wantEmpty(t, m)
		})
	}
}

func TestDisk_AnOrderWaitsFromItsOwnFirstWait(t *testing.T) {
	m := newMaker(t, func(c *Config) { c.Patience = time.Hour })
	waitsFor := func(asset string, need int64) bool {
		t.Helper()
		m.free = func(string) (int64, error) { return Reserve + 100, nil }
		release, err := m.reserve(need)
		if err = m.patient(asset, err); err == nil {
			release()
			return false
		}
		var w interface{ RetryAfter() (time.Duration, bool) }
		if CodeOf(err) != CodeDiskFull || !errors.Is(err, ErrDiskFull) {
			t.Errorf("got %v, code %q; want DISK_FULL", err, CodeOf(err))
		}
		return errors.As(err, &w)
	}
	if !waitsFor("large", 101) {
		t.Error("got an attempt that is spent; want a wait")
	}
	m.full["large"] = m.full["large"].Add(-90 * time.Minute)
	if waitsFor("small", 100) {
		t.Error("got the small one waiting; want room for it")
	}
	if waitsFor("large", 101) {
		t.Error("got the large one waiting although it has for too long; want a failure, whatever the small one found")
	}
	if !waitsFor("another", 101) {
		t.Error("got another one failing; want it to wait from its own first time")
	}
}

func TestDisk_WhatAJobWillWriteIsNotPromisedTwice(t *testing.T) {
	m := newMaker(t, func(*Config) {})
	m.free = func(string) (int64, error) { return Reserve + 150, nil }
	release, err := m.reserve(100)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.reserve(100); !errors.Is(err, ErrDiskFull) {
		t.Errorf("the second job: got %v; want ErrDiskFull", err)
	}
	if err := m.Room(100); !errors.Is(err, ErrDiskFull) {
		t.Errorf("an upload: got %v; want ErrDiskFull", err)
	}
	release()
	if release, err = m.reserve(100); err != nil {
		t.Errorf("after the first one: got %v; want room", err)
	}
	release()
}
