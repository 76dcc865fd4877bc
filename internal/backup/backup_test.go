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
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// from is a source whose snapshots are copies of a file; fails, if not nil, is asked first.
func from(t *testing.T, fails func() error) Source {
	t.Helper()
	path := filepath.Join(t.TempDir(), "retake.db")
	put(t, path, "a database")
	return Source{Path: path, Snapshot: func(_ context.Context, from, to string) error {
		b, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, b, 0o644)
		}
		if err == nil && fails != nil {
			err = fails()
		}
		return err
	}, Media: func(context.Context, string) ([]File, error) { return []File{{"A.mp4", 1000}, {"A.jpg", 0}}, nil }}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func holds(t *testing.T, path, want string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil || string(b) != want {
		t.Errorf("%s: got %q, %v; want %q", filepath.Base(path), b, err, want)
	}
}

func names(t *testing.T, dir string) (out []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !hidden[e.Name()] {
			out = append(out, e.Name())
		}
	}
	return out
}

func TestABackupIsForThisUserOnlyAndListsItsFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "monday.db")
	if err := from(t, nil).Make(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	holds(t, path, "a database")
	holds(t, path+".media", "A.mp4\t1000\nA.jpg\t0\n")
	for _, name := range names(t, dir) {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got %v, %v; want it to be read by its owner only", name, info.Mode(), err)
		}
	}
	if got := names(t, dir); !slices.Equal(got, []string{"monday.db", "monday.db.media"}) {
		t.Errorf("got %q; want the backup and its list", got)
	}
}

func TestABackupOverwritesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "monday.db")
	put(t, path, "precious")
	if err := from(t, nil).Make(t.Context(), path); !errors.Is(err, ErrExists) {
		t.Errorf("a file that is there: got %v; want ErrExists", err)
	}
	late := filepath.Join(dir, "late.db")
	if err := from(t, func() error { return os.WriteFile(late, []byte("precious"), 0o600) }).Make(t.Context(),
		late); !errors.Is(
		err,
		ErrExists,
	) {
		t.Errorf("a file that comes meanwhile: got %v; want ErrExists", err)
	}
	holds(t, path, "precious")
	holds(t, late, "precious")
}

func TestABackupThatFailsLeavesNothing(t *testing.T) {
	broken := errors.New("the disk is broken")
	for name, s := range map[string]Source{
		"the copy": from(t, func() error { return broken }),
		"the list": {Path: from(t, nil).Path, Snapshot: from(t, nil).Snapshot,
			Media: func(context.Context, string) ([]File, error) { return nil, broken }},
	} {
		dir := t.TempDir()
		if err := s.Make(t.Context(), filepath.Join(dir, "monday.db")); !errors.Is(err, broken) {
			t.Errorf("%s: got %v; want its error", name, err)
		}
		if got := names(t, dir); len(got) > 0 {
			t.Errorf("%s: got %q left; want nothing", name, got)
		}
	}
	if err := from(t, nil).Make(t.Context(), filepath.Join(t.TempDir(), "none", "monday.db")); !errors.Is(
		err,
		os.ErrNotExist,
	) {
		t.Errorf("a folder that is not there: got %v; want an error", err)
	}
}

func TestNoBackupIsBegunThatHasNoRoom(t *testing.T) {
	s := from(t, nil)
	if err := os.Truncate(s.Path, 8<<40); err != nil { // without a block on the disk
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := s.Make(t.Context(), filepath.Join(dir, "monday.db")); !errors.Is(err, ErrFull) {
		t.Errorf("got %v; want ErrFull", err)
	}
	if got := names(t, dir); len(got) > 0 {
		t.Errorf("got %q left; want nothing", got)
	}
}

// keeps runs a keeper in a bubble.
func keeps(t *testing.T, fails func() error, every time.Duration, story func(k *Keeper)) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "backups")
		k := &Keeper{
			Source: from(t, fails),
			Dir:    dir,
			Every:  every,
			Keep:   3,
			Log:    slog.New(slog.NewTextHandler(io.Discard, nil)),
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		k.wasAhead(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { k.Run(ctx); close(done) }()
		story(k)
		cancel()
		<-done
	})
}

// count counts the backups there are; none is half written, or without its list.
func (k *Keeper) count(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir(k.Dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return hidden[e.Name()] })
	n := len(backupsIn(entries, false)) + len(backupsIn(entries, true))
	if len(entries) != 2*n {
		t.Errorf("got %v; want backups and their lists", entries)
	}
	return n
}

func TestABackupIsMadeEveryDayAndTheLatestAreKept(t *testing.T) {
	keeps(t, nil, 24*time.Hour, func(k *Keeper) {
		for _, c := range []struct {
			after time.Duration
			want  int
		}{{9 * time.Minute, 0}, {2 * time.Minute, 1}, {23 * time.Hour, 1}, {time.Hour, 2}, {24 * time.Hour,
			3}, {100 * 24 * time.Hour, 3}} {
			time.Sleep(c.after)
			synctest.Wait()
			if got := k.count(t); got != c.want {
				t.Errorf("%v later: got %d backups; want %d", c.after, got, c.want)
			}
		}
		if s := k.State(); time.Since(s.Last) > 24*time.Hour || !s.Failing.IsZero() {
			t.Errorf("got %+v; want a backup of the last day", s)
		}
		// Those from before an upgrade are kept apart: a start that fails again and again would push the others out.
		for range 9 {
			time.Sleep(time.Second)
			if err := k.Upgrade(t.Context(), 1); err != nil {
				t.Error(err)
			}
		}
		if got := k.count(t); got != 6 {
			t.Errorf("got %d backups after upgrades; want 3 and 3", got)
		}
	})
}

func TestNoBackupIsMadeWhereNoneIsWanted(t *testing.T) {
	keeps(t, nil, 0, func(k *Keeper) {
		time.Sleep(100 * time.Hour)
		if got := k.count(t); got != 0 {
			t.Errorf("got %d backups; want none", got)
		}
	})
}

func TestABackupThatFailsIsTriedAgainSoonAndTold(t *testing.T) {
	problem := errors.New("no such folder")
	var broken atomic.Pointer[error]
	keeps(t, func() error {
		if err := broken.Load(); err != nil {
			return *err
		}
		return nil
	}, 24*time.Hour, func(k *Keeper) {
		time.Sleep(11 * time.Minute)
		synctest.Wait()
		broken.Store(&problem)
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		s := k.State()
		if s.Problem != problem.Error() || time.Since(s.Failing) < time.Hour || time.Since(s.Last) < 24*time.Hour ||
			k.count(t) != 1 {
			t.Errorf("got %+v and %d backups; want it told since the first failure, and the earlier backup kept", s, k.count(t))
		}
		broken.Store(nil)
		time.Sleep(again)
		synctest.Wait()
		if s := k.State(); s.Problem != "" || !s.Failing.IsZero() || time.Since(s.Last) > again || k.count(t) != 2 {
			t.Errorf("got %+v and %d backups; want that all is well", s, k.count(t))
		}
	})
}

// TestAStartKnowsTheBackupsOfBefore begins with some, one of which was being written when the process died.
func TestAStartKnowsTheBackupsOfBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		last := time.Now().UTC().Add(-20 * time.Hour)
		for _, name := range []string{"retake-" + last.Format(stamp) + ".db", "retake-19990101T000000Z.db", partial + "123",
			"mine.db"} {
			put(t, filepath.Join(dir, name), "x")
		}
		k := &Keeper{
			Source: from(t, nil),
			Dir:    dir,
			Every:  24 * time.Hour,
			Keep:   2,
			Log:    slog.New(slog.NewTextHandler(io.Discard, nil)),
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { k.Run(ctx); close(done) }()
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if got := names(t, dir); len(got) != 3 || !k.State().Last.Equal(last.Truncate(time.Second)) {
			t.Errorf("got %q, %+v; want no new one yet, and nothing half written", got, k.State())
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		got := names(t, dir)
		if slices.Contains(got, "retake-19990101T000000Z.db") || !slices.Contains(got, "mine.db") || len(got) != 4 {
			t.Errorf("got %q; want the oldest gone, a new one with its list, and what is not ours left alone", got)
		}
		cancel()
		<-done
	})
}

// onto is a restore of a file that holds "backup" in the place of one that holds "today".
func onto(t *testing.T, made, there time.Time) (r Restore, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	file := filepath.Join(t.TempDir(), "backup.db")
	put(t, file, "backup")
	r = Restore{File: file, Path: filepath.Join(dir, "retake.db"), Newest: 2,
		Check:    func(context.Context, string) (int, error) { return 2, nil },
		Snapshot: from(t, nil).Snapshot,
		Latest: func(_ context.Context, path string, _ time.Time) (time.Time, error) {
			if path == file {
				return made, nil
			}
			if there.IsZero() {
				return there, errors.New("it is damaged")
			}
			return there, nil
		},
		Settle:  func(string) error { return nil },
		Prepare: func(context.Context, string, string) error { return nil }}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return r, dir
}

func TestRestore(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		there  time.Time // zero: nobody can read it
		none   bool      // no database is there
		change func(*Restore)
		refuse string // what the refusal says
	}{
		"into an empty folder":        {none: true},
		"onto an older database":      {there: noon.Add(-time.Hour)},
		"onto one of the same moment": {there: noon},
		"onto a newer one": {there: noon.Add(time.Hour), refuse: "the last thing it knows happened at " +
			"2026-11-22 13:00:00 UTC"},
		"onto a newer one by force":  {there: noon.Add(time.Hour), change: func(r *Restore) { r.Force = true }},
		"onto one that is broken":    {refuse: "cannot be read"},
		"onto a broken one by force": {change: func(r *Restore) { r.Force = true }},
		"of a damaged file": {there: noon, refuse: "no sound", change: func(r *Restore) {
			r.Check = func(context.Context, string) (int, error) { return 0, errors.New("no sound database") }
		}},
		"of something else": {there: noon, refuse: "is no backup of Retake",
			change: func(r *Restore) { r.Check = func(context.Context, string) (int, error) { return 0, nil } }},
		"of a newer version": {there: noon, refuse: "it is at version 3, this one knows 2",
			change: func(r *Restore) { r.Check = func(context.Context, string) (int, error) { return 3, nil } }},
		"that cannot be made fit to use": {there: noon, refuse: "no room", change: func(r *Restore) {
			r.Prepare = func(context.Context, string, string) error { return errors.New("no room") }
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r, dir := onto(t, noon, c.there)
			if !c.none {
				put(t, r.Path, "today")
				put(t, r.Path+"-wal", "today's log")
				put(t, r.Path+"-shm", "x")
			}
			if c.change != nil {
				c.change(&r)
			}
			aside, err := r.Run(t.Context())
			holds(t, r.File, "backup")
			switch {
			case c.refuse != "":
				if err == nil || !strings.Contains(err.Error(), c.refuse) {
					t.Errorf("got %v; want %q in it", err, c.refuse)
				}
				holds(t, r.Path, "today")
				holds(t, r.Path+"-wal", "today's log")
				if got := names(t, dir); len(got) != 3 {
					t.Errorf("got %q; want what there was", got)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			holds(t, r.Path, "backup")
			kept, err := Kept(r.Path)
			if err != nil {
				t.Fatal(err)
			}
			if c.none {
				if aside != "" || len(kept) > 0 {
					t.Errorf("got %q, %q kept; want nothing", aside, kept)
				}
				return
			}
			holds(t, aside, "today")
			holds(t, aside+"-wal", "today's log")
			if got := names(t, dir); !slices.Equal(got, append([]string{"retake.db"}, kept...)) || len(kept) != 2 {
				t.Errorf("got %q; want no log beside the new database, which would be taken for its own", got)
			}
		})
	}
}

// TestARestoreThatWasKilledIsRepeated leaves what such a one leaves.
func TestARestoreThatWasKilledIsRepeated(t *testing.T) {
	noon := time.Now()
	r, _ := onto(t, noon, noon)
	put(t, r.Path, "today")
	put(t, r.Path+".restoring", "half")
	put(t, r.Path+".restoring-wal", "half")
	if _, err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	holds(t, r.Path, "backup")
}
