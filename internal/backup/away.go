// away.go keeps copies of the backups in a bucket, on another machine than the database.

package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Bucket keeps files under flat names. See media.Store.
type Bucket interface {
	Put(ctx context.Context, key, path string, progress func(sent int64)) error
	Delete(ctx context.Context, key string) error
	Keys(ctx context.Context, each func(keys []string) error) error
	Tidy(ctx context.Context, owner string) error
}

// Away keeps copies of the scheduled backups in a bucket.
type Away struct {
	Bucket Bucket
	Keep   int    // how many copies are kept
	Owner  string // the data folder: the bucket, or the folder in it, is that of the first one
	// Verify reads a copy and compares its size, and its content with what was put.
	Verify func(ctx context.Context, key string, size int64) error
}

// copyNewest copies the newest backup in a folder, with its list, unless the bucket has it, and removes the oldest
// copies that are too many. at is when the newest copy was made; zero: there is none. stays is why an old one could
// not be removed.
func (a *Away) copyNewest(ctx context.Context, dir string) (at time.Time, stays, err error) {
	defer func() {
		if p := recover(); p != nil { // on a goroutine of its own it would end the program
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return at, nil, err
	}
	if err := a.Bucket.Tidy(ctx, a.Owner); err != nil {
		return at, nil, err
	}
	there := map[string]bool{}
	if err := a.Bucket.Keys(ctx, func(keys []string) error {
		for _, key := range keys {
			there[key] = true
		}
		return nil
	}); err != nil {
		return at, nil, err
	}
	all := backupsIn(entries, false)
	if len(all) > 0 {
		newest := all[len(all)-1]
		if !newest.ahead() && !(there[newest.name] && there[List(newest.name)]) {
			if err := a.copy(ctx, dir, newest.name); err != nil {
				return at, nil, err
			}
			there[newest.name], there[List(newest.name)] = true, true
		}
	}
	kept := ordered(there, false)
	if len(kept) > 0 && !kept[len(kept)-1].ahead() {
		at = kept[len(kept)-1].at
	}
	return at, a.rotate(ctx, kept, there), nil
}

// copy puts a backup and its list, and reads them again. The list goes first: a backup in the bucket has one.
func (a *Away) copy(ctx context.Context, dir, name string) error {
	for _, key := range []string{List(name), name} {
		path := filepath.Join(dir, key)
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if err := a.Bucket.Put(ctx, key, path, nil); err != nil {
			return err
		}
		if err := a.Verify(ctx, key, info.Size()); err != nil {
			return errors.Join(err, a.Bucket.Delete(context.WithoutCancel(ctx), key))
		}
	}
	return nil
}

// rotate removes the oldest copies, and lists without their backup. One that cannot be removed keeps no other from
// being removed.
func (a *Away) rotate(ctx context.Context, kept []backup, there map[string]bool) (err error) {
	gone := kept[:max(0, len(kept)-a.Keep)]
	for _, b := range gone {
		err = errors.Join(err, a.Bucket.Delete(ctx, b.name))
	}
	for key := range there {
		name, isList := strings.CutSuffix(key, List(""))
		if isList && named.MatchString(name) && (!there[name] ||
			slices.ContainsFunc(gone, func(b backup) bool { return b.name == name })) {
			err = errors.Join(err, a.Bucket.Delete(ctx, key))
		}
	}
	return err
}

// copyAway copies each backup that is made to the bucket, and tries again soon after a failure, until ctx ends. A start
// has enough to do: it looks a while later.
func (k *Keeper) copyAway(ctx context.Context, made <-chan struct{}) {
	next := time.After(firstRest)
	for {
		select {
		case <-ctx.Done():
			return
		case <-made:
		case <-next:
		}
		next = nil
		if err := k.CopyNow(ctx); err != nil && ctx.Err() == nil {
			next = time.After(again)
			k.Log.Error("the backup could not be copied to the bucket; trying again", "in", again, "err", err)
		}
	}
}

// CopyNow copies the newest backup to the bucket, unless it is there.
func (k *Keeper) CopyNow(ctx context.Context) error {
	at, stays, err := k.Away.copyNewest(ctx, k.Dir)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if stays != nil {
		k.Log.Warn("remove old copies of backups", "err", stays)
	}
	if err != nil {
		err = fmt.Errorf("copy the backup to the bucket: %w", err)
	}
	k.copied(at, err)
	return err
}

// copied records how the last copy went, and tells it.
func (k *Keeper) copied(at time.Time, err error) {
	k.mu.Lock()
	if err == nil {
		k.away = away{last: at}
	} else if k.away.problem = err; k.away.failing.IsZero() {
		k.away.failing = time.Now()
	}
	k.mu.Unlock()
	k.tell()
}

// away is how the copies in the bucket go.
type away struct {
	last, failing time.Time
	problem       error
}

// tell says how the last backup and its copy went.
func (k *Keeper) tell() {
	if k.Told == nil {
		return
	}
	k.mu.Lock()
	err := errors.Join(k.failed, k.away.problem)
	k.mu.Unlock()
	k.Told(err)
}
