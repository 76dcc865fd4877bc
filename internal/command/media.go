// The command media move, and what serve shares with it: the media store and its sweep.

package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"retake.example/internal/backup"
	"retake.example/internal/config"
	"retake.example/internal/folder"
	"retake.example/internal/media"
	"retake.example/internal/store"
)

// openMedia opens a store of finished files, "disk" or "s3".
func OpenMedia(cfg config.Config, st string) (media.Store, error) {
	if st == "s3" {
		files, err := media.NewS3(s3Config(cfg.Media.S3, "media.s3"), cfg.Queue.OutageMax)
		if err != nil {
			return nil, fmt.Errorf("media.s3: %w", err)
		}
		return files, nil
	}
	files, err := media.OpenDisk(filepath.Join(cfg.DataDir, "media"))
	if err != nil {
		return nil, fmt.Errorf("the media folder: %w", err)
	}
	return files, nil
}

// s3Config are the settings of a bucket. setting is their section.
func s3Config(b config.Bucket, setting string) media.S3Config {
	return media.S3Config{Endpoint: b.Endpoint, Region: b.Region, Bucket: b.Bucket, AccessKey: b.AccessKey,
		SecretKey: b.SecretKey, Prefix: b.Prefix, Setting: setting}
}

// leftOnDisk counts the files that videos need and that were not moved to the bucket.
func LeftOnDisk(ctx context.Context, cfg config.Config, st *store.Store) (n int, err error) {
	dir := filepath.Join(cfg.DataDir, "media")
	if _, err := os.Stat(dir); cfg.Media.Store == "disk" || err != nil {
		return 0, nil
	}
	used, err := st.MediaKeys(ctx)
	if err != nil {
		if ctx.Err() != nil { // a stop is not a failure
			return 0, nil
		}
		return 0, err
	}
	for _, key := range used {
		if _, err := os.Stat(filepath.Join(dir, key)); err == nil {
			n++
		}
	}
	return n, nil
}

// isAway reports whether an error is one of a bucket, which may be away for a while.
func IsAway(err error) bool {
	_, ok := errors.AsType[*media.Trouble](err)
	return ok
}

// tidy prepares a store of files for the sweep. ours: it may be swept. A bucket is swept only for the data folder that
// used it first.
func Tidy(ctx context.Context, st *store.Store, files media.Store, dataDir string) (ours bool, err error) {
	// an empty database is rather a lost one than a reason to delete videos
	if some, err := st.HasMedia(ctx); err != nil || !some {
		return false, err
	}
	// it may be wanted again, with its videos
	if kept, err := backup.Kept(filepath.Join(dataDir, "retake.db")); err != nil || len(kept) > 0 {
		return false, err
	}
	owner, err := folder.ID(dataDir)
	if err == nil {
		err = cmp.Or(files.Ready(ctx), files.Tidy(ctx, owner))
	}
	return err == nil, err
}

// sweep deletes the files that no asset refers to: their asset was deleted, or the program died before it was written.
func Sweep(ctx context.Context, st *store.Store, files *media.Sweeper) error {
	return files.Sweep(ctx, unneeded(st))
}

// unneeded picks the keys of our files that no asset refers to.
func unneeded(st *store.Store) func(ctx context.Context, keys []string) ([]string, error) {
	return func(ctx context.Context, keys []string) ([]string, error) {
		ours := slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return !ourFile.MatchString(key) })
		return st.Unneeded(ctx, ours)
	}
}

// DeleteAgain tries every so often to delete the files that the media store has refused to delete, until ctx ends.
func DeleteAgain(ctx context.Context, st *store.Store, files *media.Sweeper, every time.Duration, log *slog.Logger) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := files.DeleteAgain(ctx, unneeded(st)); err != nil && ctx.Err() == nil {
				log.Warn("deleted files are still stored", "err", err)
			}
		}
	}
}

// ourFile is a media key that the queue or the page made.
var ourFile = regexp.MustCompile(`^[A-Z2-7]{26}\.(mp4|mov|webm|mkv|jpg)$`)

// moveMedia brings the files of all videos to the store of the settings from the other one. When it is interrupted, it
// is finished by running it again.
func moveMedia(ctx context.Context, cfg config.Config, c Invocation) error {
	if faults := cfg.S3Faults(); len(faults) > 0 {
		var all config.Faults
		for _, key := range slices.Sorted(maps.Keys(faults)) {
			all = append(all, key+": "+faults[key])
		}
		return all
	}
	st, err := c.Program.OpenBeside(cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	unlock, err := folder.Lock(cfg.DataDir)
	if err != nil {
		return err
	}
	defer unlock()
	way := map[string]string{"disk": "s3", "s3": "disk"}
	from, err := OpenMedia(cfg, way[cfg.Media.Store])
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := OpenMedia(cfg, cfg.Media.Store)
	if err != nil {
		return err
	}
	defer to.Close()
	ours, err := Tidy(ctx, st, from, cfg.DataDir)
	if err == nil && ours { // what is not moved would stay for ever
		err = Sweep(ctx, st, media.NewSweeper(from))
	}
	if err != nil && !errors.Is(err, media.ErrNotYours) {
		return err
	}
	keys, err := st.MediaKeys(ctx)
	if err != nil {
		return err
	}
	line := time.Now()
	m, err := media.Move(ctx, from, to, keys, func(n int, sent, size int64) {
		if sent == size || time.Since(line) > 5*time.Second {
			line = time.Now()
			fmt.Fprintf(c.Out, "%d of %d: %s, %.1f of %.1f MB\n", n, len(keys), keys[n-1], float64(sent)/1e6, float64(size)/1e6)
		}
	})
	fmt.Fprintf(
		c.Out,
		"%d files with %.1f MB were moved to %s; %d were there already.\n",
		m.Files,
		float64(m.Bytes)/1e6,
		cfg.Media.Store,
		m.There,
	)
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted: run it again, and it goes on")
	case err != nil:
		return fmt.Errorf("%w; run it again, and it goes on", err)
	case len(m.Missing) > 0:
		return fmt.Errorf("in neither place: %s", strings.Join(m.Missing, ", "))
	}
	return nil
}
