// The commands backup and restore, and the automatic backups of serve.

package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"retake.example/internal/backup"
	"retake.example/internal/cli"
	"retake.example/internal/config"
	"retake.example/internal/db"
	"retake.example/internal/folder"
	"retake.example/internal/media"
	"retake.example/internal/publish"
	"retake.example/internal/seal"
	"retake.example/internal/store"
)

// source is what backups are made of.
func source(cfg config.Config) backup.Source {
	return backup.Source{
		Path:     cfg.Database(),
		Snapshot: db.Snapshot,
		Media: func(ctx context.Context, path string) (files []backup.File, err error) {
			parts, err := store.Parts(ctx, path)
			for _, p := range parts {
				files = append(files, backup.File{Key: p.Key, Size: p.Size})
			}
			return files, err
		},
	}
}

// KeeperWithCopies is Keeper that copies each backup to the bucket of the settings, if there is one.
func KeeperWithCopies(cfg config.Config, log *slog.Logger, told func(error)) (*backup.Keeper, error) {
	k := Keeper(cfg, log, told)
	if cfg.Backup.S3.Endpoint == "" {
		return k, nil
	}
	bucket, err := media.NewS3(s3Config(cfg.Backup.S3, "backup.s3"), 0)
	if err != nil {
		return nil, fmt.Errorf("backup.s3: %w", err)
	}
	owner, err := folder.ID(cfg.DataDir)
	k.Away = &backup.Away{Bucket: bucket, Keep: cfg.Backup.KeepS3, Owner: owner,
		Verify: func(ctx context.Context, key string, size int64) error { return media.Verify(ctx, bucket, key, size) }}
	return k, err
}

// Keeper makes the automatic backups.
func Keeper(cfg config.Config, log *slog.Logger, told func(error)) *backup.Keeper {
	return &backup.Keeper{
		Source: source(cfg),
		Dir:    cfg.BackupDir(),
		Every:  cfg.Backup.Every,
		Keep:   cfg.Backup.Keep,
		Log:    log,
		Told:   told,
		Check: func(ctx context.Context, path string) error {
			version, err := db.Check(ctx, path)
			if err == nil && version == 0 {
				err = errors.New("it is no database of Retake")
			}
			return err
		},
	}
}

func makeBackup(ctx context.Context, cfg config.Config, c Invocation) error {
	path, out := c.Words[0], c.Out
	if version, err := db.Version(cfg.Database()); err != nil || version == 0 {
		return cmp.Or(err, fmt.Errorf("there is no database in %s yet, start retake serve first", cfg.DataDir))
	}
	if err := source(cfg).Make(ctx, path); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	fmt.Fprintf(
		out,
		"%s is a copy of the database; %s lists the videos and pictures that belong to it.\n",
		path,
		backup.List(path),
	)
	if cfg.YouTube.TokenKey == "" {
		fmt.Fprintf(
			out,
			"Keep these elsewhere, too: the videos, %s and your config.toml. "+
				"Not in one place with this copy, if you can: the key opens what is sealed in it.\n",
			cfg.TokenKey(),
		)
	} else {
		fmt.Fprintln(out, "Keep the videos and your config.toml elsewhere, too.")
	}
	return nil
}

// restore puts a backup in the place of the database and tells what that means.
func restore(ctx context.Context, cfg config.Config, c Invocation) error {
	file, out := c.Words[0], c.Out
	if err := folder.Ours(cfg.DataDir); err != nil {
		return err
	}
	unlock, err := folder.Lock(cfg.DataDir)
	if err != nil {
		return err
	}
	defer unlock()
	var told backup.Report
	run := backup.Restore{
		File:     file,
		Path:     cfg.Database(),
		Newest:   c.Program.Schema,
		Force:    cli.Value[bool](c.Line, "force"),
		Check:    db.Check,
		Snapshot: db.Snapshot,
		Latest:   store.Latest,
		Settle:   db.Settle,
		Prepare: func(ctx context.Context, fresh, before string) error {
			st, err := c.Program.Open(fresh)
			if err != nil {
				return err
			}
			was, err := st.Recover(ctx, before)
			told = backup.Report{
				Settled:   was.Settled,
				Held:      was.Held,
				Unclear:   was.Unclear,
				Forgotten: was.Forgotten,
				Admins:    was.Admins,
			}
			if err == nil {
				told.Sealed, err = unreadable(ctx, cfg, st)
			}
			return errors.Join(err, st.Close())
		},
	}
	aside, err := run.Run(ctx)
	switch {
	case err != nil && aside != "":
		return fmt.Errorf("the database that was there is %s, and the backup is not in its place: %w", aside, err)
	case err != nil:
		return fmt.Errorf("nothing was changed: %w", err)
	}
	fmt.Fprintf(out, "%s is the database now.\n", file)
	if aside != "" {
		fmt.Fprintf(
			out,
			"What was there is kept as %s. As long as it is there, no video is deleted that only it knows; "+
				"remove it when you are sure.\n",
			aside,
		)
	}
	missing, err := missingFiles(ctx, cfg)
	if err != nil {
		fmt.Fprintf(out, "Nobody knows whether all videos are there: %v\n", err)
	}
	for _, p := range missing {
		if p.Upload {
			told.Lost = append(told.Lost, p.Key)
		} else {
			told.Again++
		}
	}
	for _, line := range told.Lines() {
		fmt.Fprintln(out, line)
	}
	_, err = fmt.Fprintln(out, "Everybody is signed out of the page; retake serve prints a link to sign in with.")
	return err
}

// unreadable counts the channels whose tokens this machine cannot open.
func unreadable(ctx context.Context, cfg config.Config, st *store.Store) (n int, err error) {
	channels, err := st.Channels(ctx)
	if err != nil {
		return 0, err
	}
	var box *seal.Box
	if cfg.YouTube.TokenKey != "" {
		box = seal.New(cfg.YouTube.TokenKey)
	} else if _, err := os.Stat(cfg.TokenKey()); err == nil {
		if box, err = seal.FromFile(cfg.TokenKey()); err != nil {
			return 0, fmt.Errorf("the key of the channels' tokens: %w", err)
		}
	}
	for _, c := range channels {
		token, err := st.Token(ctx, c.ID)
		switch {
		case errors.Is(err, store.ErrNotFound):
			continue
		case err != nil:
			return 0, err
		case box == nil:
			n++
		default:
			if _, err := box.Unseal(token, publish.Owner(c.External)); err != nil {
				n++
			}
		}
	}
	return n, nil
}

// missingFiles lists the files that the database needs and that are not there.
func missingFiles(ctx context.Context, cfg config.Config) ([]store.Part, error) {
	parts, err := store.Parts(ctx, cfg.Database())
	if err != nil {
		return nil, err
	}
	files, err := OpenMedia(cfg, cfg.Media.Store)
	if err != nil {
		return nil, err
	}
	defer files.Close()
	return backup.Absent(
		parts,
		func(p store.Part) string { return p.Key },
		func(each func([]string) error) error { return files.Keys(ctx, each) },
	)
}
