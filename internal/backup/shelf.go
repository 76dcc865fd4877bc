// shelf.go shows the backups that there are, and tries whether one could be restored.

package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Copy is a backup in the folder of a Keeper.
type Copy struct {
	Name    string    `json:"name"`
	Made    time.Time `json:"made"`
	Size    int64     `json:"size"`             // bytes, without its list of media
	Upgrade bool      `json:"upgrade,omitzero"` // it was made before an upgrade
}

// Copies lists the backups, the latest first.
func (k *Keeper) Copies() (all []Copy, err error) {
	entries, err := os.ReadDir(k.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	for _, upgrade := range []bool{false, true} {
		for _, b := range backupsIn(entries, upgrade) {
			info, err := os.Stat(filepath.Join(k.Dir, b.name))
			if errors.Is(err, fs.ErrNotExist) { // it has just been removed
				continue
			} else if err != nil {
				return nil, err
			}
			all = append(all, Copy{b.name, b.at, info.Size(), upgrade})
		}
	}
	slices.SortFunc(all, func(a, b Copy) int { return b.Made.Compare(a.Made) })
	return all, nil
}

// Open opens a backup. It returns fs.ErrNotExist if there is none with that name.
func (k *Keeper) Open(name string) (*os.File, error) {
	if !named.MatchString(name) {
		return nil, fs.ErrNotExist
	}
	return os.Open(filepath.Join(k.Dir, name))
}

// Drill tries whether a backup could be restored: it makes a copy, reads all of it and deletes it. files is how many
// videos and pictures belong to it.
func (k *Keeper) Drill(ctx context.Context, name string) (files int, err error) {
	if !named.MatchString(name) {
		return 0, fs.ErrNotExist
	}
	path := filepath.Join(k.Dir, name)
	if _, err := os.Stat(path); err != nil {
		return 0, err
	}
	if err := k.Room(k.Dir); err != nil {
		return 0, err
	}
	k.making.Lock()
	defer k.making.Unlock()
	trial := filepath.Join(k.Dir, partial+"drill.db") // if the program dies, the next start removes it
	if err := removeDatabase(trial); err != nil {
		return 0, err
	}
	defer removeDatabase(trial)
	if err := k.Snapshot(ctx, path, trial); err != nil {
		return 0, fmt.Errorf("copy the backup: %w", err)
	}
	if err := k.Check(ctx, trial); err != nil {
		return 0, err
	}
	list, err := k.Media(ctx, trial)
	return len(list), err
}
