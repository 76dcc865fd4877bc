// Tests of the copies of backups in a bucket, on a real server.

package command

import (
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retake.example/internal/backup"
	"retake.example/internal/config"
	"retake.example/internal/media"
	"retake.example/internal/media/s3test"
)

// copies is a keeper with a bucket, and what it has told.
type copies struct {
	*backup.Keeper
	bucket media.Store
	told   []error
}

func newCopies(t *testing.T, server *s3test.Server, change func(c *config.Config)) *copies {
	t.Helper()
	var cfg config.Config
	cfg.DataDir = t.TempDir()
	cfg.Backup.Keep, cfg.Backup.KeepS3 = 7, 2
	cfg.Backup.S3 = config.Bucket{Endpoint: server.URL, Region: server.Region, Bucket: server.Bucket,
		AccessKey: server.AccessKey, SecretKey: server.SecretKey, Prefix: "backups"}
	if change != nil {
		change(&cfg)
	}
	d, err := sql.Open("sqlite", cfg.Database())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Exec(`CREATE TABLE assets (file, size, origin, thumb); PRAGMA user_version = 1`); err != nil {
		t.Fatal(err)
	}
	d.Close()
	c := &copies{}
	c.Keeper, err = KeeperWithCopies(cfg, slog.New(slog.NewTextHandler(io.Discard, nil)),
		func(err error) { c.told = append(c.told, err) })
	if err != nil {
		t.Fatal(err)
	}
	if c.bucket, err = media.NewS3(s3Config(cfg.Backup.S3, "backup.s3"), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.bucket.Close() })
	return c
}

// keys are the files in the bucket, in order.
func (c *copies) keys(t *testing.T) (all []string) {
	t.Helper()
	if err := c.bucket.Keys(t.Context(), func(keys []string) error { all = append(all, keys...); return nil }); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func TestCopies_EachBackupAndItsListAreInTheBucketAndTheLatestAreKept(t *testing.T) {
	for name, server := range map[string]func(testing.TB) *s3test.Server{"http": s3test.New, "https": s3test.Secure,
		"versions": func(t testing.TB) *s3test.Server { return s3test.Versioned(t, false) }} {
		t.Run(name, func(t *testing.T) {
			c := newCopies(t, server(t), nil)
			var want []string
			for range 3 {
				if err := c.Now(t.Context(), ""); err != nil {
					t.Fatal(err)
				}
				for range 2 { // the second time it is there
					if err := c.CopyNow(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				all, err := c.Copies()
				if err != nil {
					t.Fatal(err)
				}
				if s := c.State(); !s.Copied.Equal(all[0].Made) || !s.CopyFailing.IsZero() {
					t.Errorf("got %+v; want the copy of %v", s, all[0].Made)
				}
				want = append(want, all[0].Name, backup.List(all[0].Name))
				slices.Sort(want)
				want = want[max(0, len(want)-4):]
				if got := c.keys(t); !slices.Equal(got, want) {
					t.Errorf("got %q; want %q", got, want)
				}
				file, err := c.bucket.Open(t.Context(), all[0].Name)
				if err != nil {
					t.Fatal(err)
				}
				copied, err := io.ReadAll(file)
				file.Close()
				if here, _ := os.ReadFile(filepath.Join(c.Dir, all[0].Name)); err != nil || string(copied) != string(here) {
					t.Errorf("got %d bytes, %v; want the %d of the backup", len(copied), err, len(here))
				}
			}
			if errors.Join(c.told...) != nil {
				t.Errorf("got told %v; want that all is well", c.told)
			}
		})
	}
}

func TestCopies_AFailureIsToldUntilOneWorks(t *testing.T) {
	server := s3test.New(t)
	c := newCopies(t, server, nil)
	if err := c.Now(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	if err := c.CopyNow(t.Context()); err == nil {
		t.Fatal("got nil; want that nobody answers")
	}
	s := c.State()
	if len(c.told) != 1 || c.told[0] == nil || s.CopyFailing.IsZero() || s.CopyProblem == "" || !s.Failing.IsZero() {
		t.Errorf("got told %v, %+v; want the copy failed, and not the backup", c.told, s)
	}
	server.Start()
	if err := c.CopyNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := c.State(); c.told[len(c.told)-1] != nil || !s.CopyFailing.IsZero() || s.Copied.IsZero() {
		t.Errorf("got told %v, %+v; want that it works", c.told, s)
	}
}

func TestCopies_WhatIsWrongIsSaid(t *testing.T) {
	server := s3test.New(t)
	first := newCopies(t, server, nil)
	if err := first.CopyNow(t.Context()); err != nil {
		t.Errorf("no backup yet: got %v", err)
	}
	for want, change := range map[string]func(c *config.Config){
		"another data folder keeps its files there": nil,
		"backup.s3.bucket":                          func(c *config.Config) { c.Backup.S3.Bucket = "nothing-here" },
		"backup.s3.secret_key":                      func(c *config.Config) { c.Backup.S3.SecretKey = "wrong" },
	} {
		c := newCopies(t, server, change)
		if err := c.Now(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		if err := c.CopyNow(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %s", err, want)
		}
	}
	if got := first.keys(t); len(got) != 0 {
		t.Errorf("got %q; want nothing of the others", got)
	}
}
