// Tests of which backups a keeper keeps, whatever the clock and the folder are like, and of what Make promises.

package backup

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/db/dbtest"
)

func newKeeper(t *testing.T, keep int) *Keeper {
	t.Helper()
	k := &Keeper{Source: from(t, nil), Dir: t.TempDir(), Every: 24 * time.Hour, Keep: keep,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	k.wasAhead(t)
	return k
}

// wasAhead puts the backup into the folder that was made while the clock was ahead, if tests run with such a clock. It
// is not one of those that tests see.
func (k *Keeper) wasAhead(t *testing.T) {
	t.Helper()
	ahead := dbtest.WasAhead()
	if ahead == 0 {
		return
	}
	for _, name := range k.dated(t, "", ahead) {
		hidden[name], hidden[List(name)] = true, true
	}
}

// hidden are the files of wasAhead.
var hidden = map[string]bool{}

// dated puts backups into the folder that were made so long after now.
func (k *Keeper) dated(t *testing.T, note string, after ...time.Duration) (files []string) {
	t.Helper()
	for _, d := range after {
		name := "retake-" + time.Now().UTC().Add(d).Format(stamp) + note + ".db"
		put(t, filepath.Join(k.Dir, name), "x")
		put(t, filepath.Join(k.Dir, List(name)), "")
		files = append(files, name)
	}
	return files
}

// made runs do and returns the names of the backups that are new afterwards.
func (k *Keeper) made(t *testing.T, do func() error) (fresh []string) {
	t.Helper()
	before := names(t, k.Dir)
	if err := do(); err != nil {
		t.Errorf("got %v; want a backup", err)
	}
	for _, name := range names(t, k.Dir) {
		if named.MatchString(name) && !slices.Contains(before, name) {
			fresh = append(fresh, name)
		}
	}
	return fresh
}

const day = 24 * time.Hour

// TestKeeper_WhatACallMadeStays has backups in the folder that were made while the clock was ahead.
func TestKeeper_WhatACallMadeStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, after := range map[string][]time.Duration{
			"none":                               nil,
			"one of tomorrow":                    {day},
			"as many as are kept, of the future": {day, 2 * day, 3650 * day},
			"more than are kept, of the future":  {day, 2 * day, 3 * day, 3650 * day},
			"of the past":                        {-day, -2 * day, -3 * day, -4 * day},
			"of both":                            {-day, -2 * day, day, 3650 * day},
			"of this very second":                {0},
		} {
			for _, note := range []string{"", "-v3"} {
				for _, keep := range []int{1, 3} {
					k := newKeeper(t, keep)
					k.dated(t, note, after...)
					do := func() error { return k.Now(t.Context(), "") }
					if note != "" {
						do = func() error { return k.Upgrade(t.Context(), 3) }
					}
					fresh := k.made(t, do)
					if len(fresh) != 1 {
						t.Errorf("%s, %q, %d are kept: got new backups %q; want one", name, note, keep, fresh)
					}
					if n := k.count(t); n > max(keep, 1) {
						t.Errorf("%s, %q: got %d backups; want %d at most", name, note, n, keep)
					}
				}
			}
		}
	})
}

// TestKeeper_OnesOfTheFutureGoFirst: they were made before the clock was right again, and nobody knows when.
func TestKeeper_OnesOfTheFutureGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper(t, 3)
		future := k.dated(t, "", 3650*day, 3651*day)
		past := k.dated(t, "", -day, -2*day)
		fresh := k.made(t, func() error { return k.Now(t.Context(), "") })
		got := names(t, k.Dir)
		for _, name := range append(past, fresh...) {
			if !slices.Contains(got, name) {
				t.Errorf("%s is gone", name)
			}
		}
		for _, name := range future {
			if slices.Contains(got, name) {
				t.Errorf("%s is still there, though it is one too many", name)
			}
		}
	})
}

func TestKeeper_OneOfTheFutureDelaysNoBackup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper(t, 5)
		k.dated(t, "", 3650*day, -30*time.Hour)
		if err := k.tidy(); err != nil {
			t.Fatal(err)
		}
		if got := k.State().Last; !got.Equal(time.Now().Add(-30 * time.Hour).Truncate(time.Second)) {
			t.Errorf("got the last backup at %v; want that of 30 hours ago", got)
		}
		if got := k.rest(); got != 0 {
			t.Errorf("got %v until the next; want none", got)
		}
		k = newKeeper(t, 5)
		k.dated(t, "", 3650*day)
		if err := k.tidy(); err != nil || !k.State().Last.IsZero() {
			t.Errorf("with one of the future alone: got %v, %v; want no last backup", k.State().Last, err)
		}
		k.state.Last = time.Now().Add(30 * day) // of this process, before its clock was set back
		if got := k.rest(); got > k.Every {
			t.Errorf("after a clock set back by a month: got %v until the next; want %v at most", got, k.Every)
		}
	})
}

// TestKeeper_WhatCannotBeRemovedIsNoFailedBackup has a folder in the place of the oldest backup.
func TestKeeper_WhatCannotBeRemovedIsNoFailedBackup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper(t, 3)
		k.dated(t, "", -4*day, -3*day, -2*day)
		stuck := filepath.Join(k.Dir, "retake-19900101T000000Z.db")
		if err := os.MkdirAll(filepath.Join(stuck, "full"), 0o700); err != nil {
			t.Fatal(err)
		}
		var told []error
		k.Told = func(err error) { told = append(told, err) }
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { k.Run(ctx); close(done) }()
		time.Sleep(49*time.Hour + time.Minute)
		synctest.Wait()
		if len(told) != 3 || errors.Join(told...) != nil {
			t.Errorf("got tries %v; want three that worked", told)
		}
		if s := k.State(); s.Problem != "" || !s.Failing.IsZero() {
			t.Errorf("got %+v; want no problem with the backup", s)
		}
		if err := k.Unremoved(); err == nil || !strings.Contains(err.Error(), stuck) {
			t.Errorf("got %v; want what could not be removed", err)
		}
		if got := names(t, k.Dir); len(got) != 1+3*2 {
			t.Errorf("got %q; want three backups with their lists, and what cannot be removed", got)
		}
		if err := os.RemoveAll(stuck); err != nil {
			t.Fatal(err)
		}
		time.Sleep(day)
		synctest.Wait()
		if err := k.Unremoved(); err != nil {
			t.Errorf("after it could be removed: got %v", err)
		}
		cancel()
		<-done
	})
}

func TestKeeper_APanicIsAFailedBackup(t *testing.T) {
	k := newKeeper(t, 3)
	k.Snapshot = func(context.Context, string, string) error { panic("the driver") }
	if err := k.Now(t.Context(), ""); err == nil || !strings.Contains(k.State().Problem, "panic: string") {
		t.Errorf("got %v, %+v; want the panic as a problem", err, k.State())
	}
	k.Snapshot = from(t, nil).Snapshot
	if err := k.Now(t.Context(), ""); err != nil || k.State().Problem != "" {
		t.Errorf("the next: got %v, %+v; want a backup", err, k.State())
	}
}

func TestKeeper_RemovesWhatADeadProcessLeft(t *testing.T) {
	k := newKeeper(t, 3)
	kept := k.dated(t, "", -day)
	put(t, filepath.Join(k.Dir, partial+"1"), "half")
	put(t, filepath.Join(k.Dir, "retake-20260101T000000Z.db"), "")        // a name that was taken, and no more
	put(t, filepath.Join(k.Dir, "retake-20250101T000000Z.db.media"), "x") // a list whose backup is gone
	put(t, filepath.Join(k.Dir, "mine.db.media"), "x")
	if err := k.tidy(); err != nil {
		t.Fatal(err)
	}
	fresh := k.made(t, func() error { return k.Now(t.Context(), "") })
	want := []string{"mine.db.media", kept[0], List(kept[0]), fresh[0], List(fresh[0])}
	slices.Sort(want)
	if got := names(t, k.Dir); !slices.Equal(got, want) {
		t.Errorf("got %q; want %q", got, want)
	}
}

func TestMake_TheNameIsOnTheDisk(t *testing.T) {
	own := syncFolder
	defer func() { syncFolder = own }()
	dir := t.TempDir()
	path := filepath.Join(dir, "monday.db")
	var seen [][]string
	syncFolder = func(folder string) error {
		if folder != dir {
			t.Errorf("got %s synced; want %s", folder, dir)
		}
		seen = append(seen, names(t, dir))
		return own(folder)
	}
	if err := from(t, nil).Make(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if len(seen) == 0 || !slices.Contains(seen[len(seen)-1], "monday.db") ||
		!slices.Contains(seen[len(seen)-1], "monday.db.media") {
		t.Errorf("got %q when the folder was synced; want the backup and its list", seen)
	}
	broken := errors.New("the disk is broken")
	syncFolder = func(string) error { return broken }
	if err := from(t, nil).Make(t.Context(), filepath.Join(dir, "tuesday.db")); !errors.Is(err, broken) {
		t.Errorf("got %v; want the error of the disk", err)
	}
	if got := names(t, dir); len(got) != 2 {
		t.Errorf("got %q; want nothing left of a backup that failed", got)
	}
}

func TestMake_AListThatIsThereStaysWithItsBackup(t *testing.T) {
	dir := t.TempDir()
	late := filepath.Join(dir, "late.db")
	err := from(t, func() error {
		return errors.Join(os.WriteFile(late, []byte("precious"), 0o600), os.WriteFile(List(late), []byte("its list"), 0o600))
	}).Make(t.Context(), late)
	if !errors.Is(err, ErrExists) {
		t.Errorf("got %v; want ErrExists", err)
	}
	holds(t, late, "precious")
	holds(t, List(late), "its list")
	if got := names(t, dir); len(got) != 2 {
		t.Errorf("got %q; want nothing else", got)
	}
}

func TestRoom_CountsTheLog(t *testing.T) {
	s := from(t, nil)
	dir := t.TempDir()
	if err := s.Room(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{s.Path + "-wal", s.Path} {
		put(t, name, "")
		if err := os.Truncate(name, 8<<40); err != nil { // without a block on the disk
			t.Fatal(err)
		}
		if err := s.Room(dir); !errors.Is(err, ErrFull) {
			t.Errorf("a large %s: got %v; want ErrFull", filepath.Base(name), err)
		}
		if err := os.Truncate(name, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Room(dir); err != nil {
		t.Errorf("small again: got %v", err)
	}
}

func TestReport_NamesTwentyMissingFilesAtMost(t *testing.T) {
	for _, n := range []int{0, 1, 19, 20, 21, 100_000} {
		r := Report{Lost: make([]string, n)}
		for i := range r.Lost {
			r.Lost[i] = "A.mp4"
		}
		lines, missing := r.Lines(), 0
		for _, line := range lines {
			if strings.HasPrefix(line, "missing: ") {
				missing++
			}
		}
		if missing != min(n, 20) || len(lines) > 22 {
			t.Errorf("%d missing: got %d of them in %d lines; want 20 at most", n, missing, len(lines))
		}
		if more := slices.Contains(lines, "… and 1 more"); more != (n == 21) {
			t.Errorf("%d missing: got %q", n, lines)
		}
	}
}

// TestRestore_NobodyElseReadsIt has a umask-free look at what a restore creates.
func TestRestore_NobodyElseReadsIt(t *testing.T) {
	now := time.Now()
	r, dir := onto(t, now, now)
	put(t, r.Path, "today")
	if _, err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range names(t, dir) {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: got %v, %v; want it to be read by its owner only", name, info.Mode(), err)
		}
	}
}
