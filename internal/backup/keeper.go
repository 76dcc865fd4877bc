// keeper.go makes backups on a schedule and removes old ones.

package backup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"retake.example/internal/routine"
)

// firstRest is how long a program runs before it makes a backup: a start has enough to do, and one that dies again
// and again would do nothing else.
const firstRest = 10 * time.Minute

// again is how soon a failed backup is tried again.
const again = 15 * time.Minute

// Keeper makes backups in a folder, one after the other, and keeps the latest of them.
type Keeper struct {
	Source
	Dir   string
	Every time.Duration // between two scheduled backups; 0: none are scheduled
	Keep  int           // how many scheduled backups are kept, and how many of those from before an upgrade
	Log   *slog.Logger
	Check func(ctx context.Context, path string) error // reads all of a database; nil error: it is sound and ours
	// Told is called after each scheduled try and each copy to the bucket, with nil if both work; nil: nobody is told.
	Told func(err error)
	Away *Away // copies in a bucket; nil: there are none

	making sync.Mutex // held while a backup is made

	mu    sync.Mutex
	state State
	stays error // why an old backup could not be removed

	failed error         // the last scheduled try; nil: it worked
	away   away          // the copies in the bucket
	fresh  chan struct{} // holds a token while there is a backup to copy; nil: nobody copies
}

// State is how the backups go.
type State struct {
	Last    time.Time `json:"last,omitzero"`    // when the latest was made; zero: there is none
	Failing time.Time `json:"failing,omitzero"` // since when none could be made; zero: the last try worked
	Problem string    `json:"problem,omitzero"` // of the last try; "": it worked

	Away        bool      `json:"-"`                     // there are copies in a bucket, or should be
	Copied      time.Time `json:"copied,omitzero"`       // when the latest backup in the bucket was made; zero: there is none
	CopyFailing time.Time `json:"copy_failing,omitzero"` // since when none could be copied; zero: the last try worked
	CopyProblem string    `json:"copy_problem,omitzero"`
}

// State returns how the backups go.
func (k *Keeper) State() State {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.state
	s.Away, s.Copied, s.CopyFailing = k.Away != nil, k.away.last, k.away.failing
	if k.away.problem != nil {
		s.CopyProblem = k.away.problem.Error()
	}
	return s
}

// Unremoved returns why old backups are still there that should have been removed. It says nothing about the latest
// backup, which was made.
func (k *Keeper) Unremoved() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.stays
}

// Run makes backups until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	if err := k.tidy(); err != nil {
		k.Log.Warn("look through the backups", "err", err)
	}
	var copying routine.Group
	defer copying.Wait()
	if k.Away != nil {
		made := make(chan struct{}, 1)
		k.mu.Lock()
		k.fresh = made
		k.mu.Unlock()
		copying.Run(func() { k.copyAway(ctx, made) })
	}
	if k.Every == 0 {
		return
	}
	wait := max(min(k.Every, firstRest), k.rest())
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		began := time.Now()
		wait = k.Every
		err := k.Now(ctx, "")
		if ctx.Err() != nil {
			return
		}
		k.mu.Lock()
		k.failed = err
		k.mu.Unlock()
		k.tell()
		switch {
		case err != nil:
			wait = min(k.Every, again)
			k.Log.Error("no backup could be made; trying again", "in", wait, "err", err)
		default:
			k.Log.Info("made a backup", "took", time.Since(began))
		}
	}
}

// rest returns how long it is until the next backup is due. A clock that was set back delays none for long.
func (k *Keeper) rest() time.Duration {
	return k.Every - max(0, min(k.Every, time.Since(k.State().Last)))
}

// tidy removes what an earlier process left half written, and finds out when the latest backup was made.
func (k *Keeper) tidy() error {
	entries, err := os.ReadDir(k.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	for _, e := range entries {
		// On a disk without links a backup may be left with its name and no content: see name.
		info, failed := e.Info()
		empty := failed == nil && info.Size() == 0 && named.MatchString(e.Name())
		if isPartial(e.Name()) || empty {
			err = errors.Join(err, remove(filepath.Join(k.Dir, e.Name())))
		}
	}
	left, failed := os.ReadDir(k.Dir)
	for _, b := range slices.Backward(backupsIn(left, false)) {
		if !b.ahead() {
			k.mu.Lock()
			k.state.Last = b.at
			k.mu.Unlock()
			break
		}
	}
	return errors.Join(err, failed)
}

// Now makes a backup in the folder and removes the oldest ones that are too many. note becomes a part of its name.
// An error says that no backup was made; see Unremoved for the others.
func (k *Keeper) Now(ctx context.Context, note string) error {
	k.making.Lock()
	defer k.making.Unlock()
	var made string
	err := routine.Call(func() (err error) { made, err = k.make(ctx, note); return err })
	var stays error
	if err == nil {
		if stays = k.rotate(made); stays != nil {
			k.Log.Warn("remove old backups", "err", stays)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case err == nil:
		k.state, k.stays = State{Last: time.Now()}, stays
		if k.fresh != nil {
			select {
			case k.fresh <- struct{}{}:
			default: // it is to be copied already
			}
		}
	case ctx.Err() == nil:
		if k.state.Problem = err.Error(); k.state.Failing.IsZero() {
			k.state.Failing = time.Now()
		}
	}
	return err
}

// make makes a backup and returns its name, which no other has had: the time in it is moved on by seconds where
// there is one already, such as after the clock was set back. It may be of another database.
func (k *Keeper) make(ctx context.Context, note string) (name string, err error) {
	if err := os.MkdirAll(k.Dir, 0o700); err != nil {
		return "", err
	}
	for at := time.Now().UTC(); ; at = at.Add(time.Second) {
		name = "retake-" + at.Format(stamp) + note + ".db"
		if err = k.Make(ctx, filepath.Join(k.Dir, name)); err == nil || !errors.Is(err, ErrExists) {
			return name, err
		}
	}
}

// Upgrade makes the backup from before an upgrade.
func (k *Keeper) Upgrade(ctx context.Context, version int) error {
	if err := k.Now(ctx, fmt.Sprintf("-v%d", version)); err != nil {
		return fmt.Errorf("the database is not brought up to date, because the backup from before cannot be made: %w", err)
	}
	return nil
}

// stamp is the time in the names of backups.
const stamp = "20060102T150405Z"

var named = regexp.MustCompile(`^retake-(\d{8}T\d{6}Z)(-v\d+)?\.db$`)

// backup is a file in the folder.
type backup struct {
	name string
	at   time.Time
}

// slack is how far the time of a backup may be ahead of the clock without being wrong.
const slack = time.Hour

// ahead reports whether the backup was made while the clock was ahead. Nobody knows when that was.
func (b backup) ahead() bool { return time.Until(b.at) > slack }

// backupsIn lists the backups in a folder, either those from before an upgrade or the others: first those that were
// made while the clock was ahead, then the rest, the oldest first.
func backupsIn(entries []os.DirEntry, upgrade bool) []backup {
	names := map[string]bool{}
	for _, e := range entries {
		names[e.Name()] = true
	}
	return ordered(names, upgrade)
}

// ordered is backupsIn for names.
func ordered(names map[string]bool, upgrade bool) (all []backup) {
	for name := range names {
		m := named.FindStringSubmatch(name)
		if m == nil || upgrade != (m[2] != "") {
			continue
		}
		if at, err := time.Parse(stamp, m[1]); err == nil {
			all = append(all, backup{name, at})
		}
	}
	slices.SortFunc(all, func(a, b backup) int {
		if a.ahead() != b.ahead() {
			if a.ahead() {
				return -1
			}
			return 1
		}
		return a.at.Compare(b.at)
	})
	return all
}

// rotate removes the oldest backups of the sort that one has just been made of, but never that one. One that cannot
// be removed keeps no other from being removed.
func (k *Keeper) rotate(made string) (err error) {
	entries, err := os.ReadDir(k.Dir)
	if err != nil {
		return err
	}
	upgrade := named.FindStringSubmatch(made)[2] != ""
	others := slices.DeleteFunc(backupsIn(entries, upgrade), func(b backup) bool { return b.name == made })
	gone := map[string]bool{}
	for _, b := range others[:max(0, len(others)-max(k.Keep-1, 0))] {
		if failed := os.Remove(filepath.Join(k.Dir, b.name)); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		gone[b.name] = true
	}
	// Lists without their backup: of those just removed, or of a process that died between the two.
	there := func(name string) bool {
		return !gone[name] && slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == name })
	}
	for _, e := range entries {
		name, isList := strings.CutSuffix(e.Name(), List(""))
		if !isList || !named.MatchString(name) || there(name) {
			continue
		}
		err = errors.Join(err, remove(filepath.Join(k.Dir, e.Name())))
	}
	return err
}
