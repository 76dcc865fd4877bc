package test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retake.example/internal/store"
)

func TestTheNextStartRemovesWhatACrashLeft(t *testing.T) {
	v := newVictim(t)
	left := filepath.Join(v.dir, "work", "uploads", store.NewID())
	for path, content := range map[string]string{left: "half a film",
		filepath.Join(v.dir, "media", store.NewID()+".webm"): "kept, but in no database"} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := openStore(filepath.Join(v.dir, "retake.db"))
	if err != nil {
		t.Fatal(err)
	}
	creator, id := int64(8), store.NewID()
	write(t, s, func(tx *store.Tx) error {
		return tx.AddUpload(
			store.Asset{
				ID:      id,
				Name:    "x",
				NameKey: "x",
				Creator: &creator,
				Video:   store.Video{File: id + ".mkv", Thumb: id + ".jpg"},
			},
		)
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(v.dir, "media", id+".mkv"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	v.start()
	(&world{T: t, log: v.log}).until(
		"the start",
		func() bool { return strings.Contains(v.log.String(), "retake is running") },
	)
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v; want half a film gone", err)
	}
	(&world{T: t, log: v.log}).until("only what the database knows left", func() bool {
		files, err := filepath.Glob(filepath.Join(v.dir, "media", "[^.]*"))
		return err == nil && len(files) == 1 && filepath.Base(files[0]) == id+".mkv"
	})
}
