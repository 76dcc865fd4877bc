// keeper.go makes backups by itself and removes old ones.

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
)

// firstRest is how long a program runs before it makes a backup: a start has enough to do, and one that dies again and again would
// do nothing else.
const firstRest = 10 * time.Minute

// again is how soon a backup that failed is tried once more.
const again = 15 * time.Minute

// Keeper makes backups in a folder, one after the other, and keeps the latest of them.
type Keeper struct {
	Source
	Dir   string
	Every time.Duration // between two of them; 0: none is made by itself
	Keep  int           // so many of those made by themselves, and so many of those from before an upgrade
	Log   *slog.Logger
	Told  func(err error) // is told of each try: nil, it worked; nil: nobody is

	mu    sync.Mutex
	state State
}

// State is how the backups go.
type State struct {
	Last    time.Time `json:"last,omitzero"`    // when the latest was made; zero: there is none
	Failing time.Time `json:"failing,omitzero"` // since when none could be made; zero: the last try worked
	Problem string    `json:"problem,omitzero"` // of the last try; "": it worked
}

// State returns how the backups go.
func (k *Keeper) State() State {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state
}

// Run makes backups until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	if err := k.tidy(); err != nil {
		k.Log.Warn("look through the backups", "err", err)
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
		if k.Told != nil {
			k.Told(err)
		}
		switch {
		case err != nil:
			wait = min(k.Every, again)
			k.Log.Error("no backup could be made; trying again", "in", wait, "err", err)
		default:
			k.Log.Info("a backup was made", "took", time.Since(began))
		}
	}
}

// rest is how long it is until the next backup is due. A clock that was set back holds none up for long.
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
		if isPartial(e.Name()) {
			err = errors.Join(err, os.Remove(filepath.Join(k.Dir, e.Name())))
		}
	}
	if made := timesOf(entries, false); len(made) > 0 {
		at, _ := time.Parse(stamp, made[len(made)-1].at)
		k.mu.Lock()
		k.state.Last = at
		k.mu.Unlock()
	}
	return err
}

// Now makes a backup in the folder and removes those that are too many. note becomes a part of its name.
func (k *Keeper) Now(ctx context.Context, note string) error {
	err := k.make(ctx, note)
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case ctx.Err() != nil:
	case err != nil:
		if k.state.Problem = err.Error(); k.state.Failing.IsZero() {
			k.state.Failing = time.Now()
		}
	default:
		k.state = State{Last: time.Now()}
	}
	return err
}

func (k *Keeper) make(ctx context.Context, note string) error {
	if err := os.MkdirAll(k.Dir, 0o700); err != nil {
		return err
	}
	name := "retake-" + time.Now().UTC().Format(stamp) + note + ".db"
	if err := k.Make(ctx, filepath.Join(k.Dir, name)); err != nil && !errors.Is(err, ErrExists) { // one of this second is as good
		return err
	}
	return k.rotate(note != "")
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

type backup struct{ name, at string }

// timesOf lists the backups in a folder, the oldest first: those from before an upgrade, or the others.
func timesOf(entries []os.DirEntry, upgrade bool) (all []backup) {
	for _, e := range entries {
		if m := named.FindStringSubmatch(e.Name()); m != nil && upgrade == (m[2] != "") {
			all = append(all, backup{e.Name(), m[1]})
		}
	}
	slices.SortFunc(all, func(a, b backup) int { return strings.Compare(a.at, b.at) })
	return all
}

// rotate removes the oldest backups of a sort.
func (k *Keeper) rotate(upgrade bool) error {
	entries, err := os.ReadDir(k.Dir)
	if err != nil {
		return err
	}
	all := timesOf(entries, upgrade)
	for _, b := range all[:max(0, len(all)-k.Keep)] {
		path := filepath.Join(k.Dir, b.name)
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove an old backup: %w", err)
		}
		if err := os.Remove(List(path)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove an old backup: %w", err)
		}
	}
	return nil
}
