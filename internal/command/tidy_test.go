// Tests of the files that nobody needs: which are swept, and which are not.

package command_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"retake.example/internal/command"
	"retake.example/internal/config"
	"retake.example/internal/media"
	"retake.example/internal/media/s3test"
	"retake.example/internal/store"
	"retake.example/internal/testrig"
)

func TestVideosThatOnlyTheReplacedDatabaseKnowsAreNotSwept(t *testing.T) {
	s := testrig.NewStore(t)
	dir := filepath.Dir(s.Path())
	a := testrig.Ask(t, s, "Маша", 1)
	testrig.Write(t, s, func(tx *store.Tx) error { return tx.Note(store.Event{User: 1, Action: "ask", AssetID: a.ID}) })
	testrig.Complete(t, s)
	files, err := media.OpenDisk(filepath.Join(dir, "media"))
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	kept := s.Path() + ".replaced-20261122T031500Z"
	for _, want := range []bool{true, false, true} {
		if ours, err := command.Tidy(t.Context(), s, files, dir); err != nil || ours != want {
			t.Errorf("got %v, %v; want %v", ours, err, want)
		}
		if want {
			err = os.WriteFile(kept, nil, 0o600)
		} else {
			err = os.Remove(kept)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheSweepTakesNothingThatIsJustComing(t *testing.T) {
	s, dir := testrig.NewStore(t), t.TempDir()
	disk, err := media.OpenDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { disk.Close() })
	files := media.NewSweeper(disk)
	live, upload, orphan := testrig.Ask(t, s, "Маша", 1).ID+".mp4", store.NewID()+".webm", store.NewID()+".mp4"
	for _, name := range []string{live, orphan} { // from before: one is made again under its name
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := files.Put(t.Context(), upload, filepath.Join(dir, live), nil); err != nil { // its asset is written next
		t.Fatal(err)
	}
	if err := command.Sweep(t.Context(), s, files); err != nil {
		t.Fatal(err)
	}
	want := []string{live, upload}
	slices.Sort(want)
	if keys := testrig.KeysOf(t, disk); !slices.Equal(keys, want) {
		t.Errorf("got %q; want %q: all but %s", keys, want, orphan)
	}
}

func TestTheSweepTakesOnlyWhatNobodyNeeds(t *testing.T) {
	s, dir := testrig.NewStore(t), t.TempDir()
	disk, err := media.OpenDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { disk.Close() })
	used, orphan := testrig.Ask(t, s, "Маша", 1).ID+".mp4", store.NewID()+".mp4"
	look := func(want ...string) {
		t.Helper()
		if err := sweepAll(t, s, disk, t.TempDir()); err != nil {
			t.Fatal(err)
		}
		slices.Sort(want)
		if keys := testrig.KeysOf(t, disk); !slices.Equal(keys, want) {
			t.Errorf("got %q; want %q", keys, want)
		}
	}
	for _, name := range []string{used, orphan, "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	look(used, orphan, "notes.txt") // a database without videos is rather a lost one
	testrig.Complete(t, s)
	look(used, "notes.txt")
}

func TestABucketIsSweptOnlyForTheDataFolderThatCameFirst(t *testing.T) {
	bucket := testrig.BucketOf(t, s3test.New(t))
	firstDir, otherDir := t.TempDir(), t.TempDir()
	first, other := testrig.NewStore(t), testrig.NewStore(t)
	path := filepath.Join(t.TempDir(), "film")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	put := func(key string) string {
		t.Helper()
		if err := bucket.Put(t.Context(), key, path, nil); err != nil {
			t.Fatal(err)
		}
		return key
	}
	look := func(s *store.Store, dir string, err error, want ...string) {
		t.Helper()
		if got := sweepAll(t, s, bucket, dir); !errors.Is(got, err) {
			t.Errorf("got %v; want %v", got, err)
		}
		slices.Sort(want)
		if keys := testrig.KeysOf(t, bucket); !slices.Equal(keys, want) {
			t.Errorf("got %q; want %q", keys, want)
		}
	}
	testrig.Ask(t, first, "Маша", 1)
	ours := put(testrig.Complete(t, first).AssetID + ".mp4")
	look(first, firstDir, nil, ours)
	testrig.Ask(t, other, "Оля", 1)
	theirs, orphan := put(testrig.Complete(t, other).AssetID+".mp4"), put(store.NewID()+".mp4")
	look(other, otherDir, media.ErrNotYours, ours, theirs, orphan)
	look(first, firstDir, nil, ours) // whose bucket it is
}

// TestDeleteAgain_EveryHour has a disk that gives way in the third hour.
func TestDeleteAgain_EveryHour(t *testing.T) {
	s, dir := testrig.NewStore(t), t.TempDir()
	disk, err := media.OpenDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { disk.Close() })
	files := media.NewSweeper(disk)
	testrig.Ask(t, s, "Маша", 1)
	used, gone := testrig.Complete(t, s).AssetID+".mp4", store.NewID()+".mp4"
	for _, key := range []string{used, gone} { // a folder that is not empty is not deleted
		if err := os.MkdirAll(filepath.Join(dir, key, "lock"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := files.Delete(t.Context(), key); err == nil {
			t.Fatal("got no error; want it refused")
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		command.DeleteAgain(ctx, s, files, time.Millisecond, slog.New(slog.DiscardHandler))
		close(done)
	}()
	left := func(n int) {
		t.Helper()
		if err := testrig.Until(t, func() bool { return files.Undeleted().Files == n },
			func() string { return fmt.Sprint(files.Undeleted()) }); err != nil {
			t.Errorf("got %+v; want %d: %v", files.Undeleted(), n, err)
		}
	}
	left(1) // a video of ours is needed
	if err := os.Remove(filepath.Join(dir, gone, "lock")); err != nil {
		t.Fatal(err)
	}
	left(0)
	stop()
	<-done
	if got := testrig.KeysOf(t, disk); !slices.Equal(got, []string{used}) {
		t.Errorf("got %q; want the video that is needed", got)
	}
}

func TestVideosThatWereForgottenOnTheDiskAreCounted(t *testing.T) {
	s, dir := testrig.NewStore(t), t.TempDir()
	cfg := config.Config{Settings: config.Settings{DataDir: dir}}
	if err := os.Mkdir(filepath.Join(dir, "media"), 0o700); err != nil {
		t.Fatal(err)
	}
	var last string
	for i, name := range []string{"Маша", "Оля", "Петя"} {
		testrig.Ask(t, s, name, int64(i+1))
		last = filepath.Join(dir, "media", testrig.Complete(t, s).AssetID+".mp4")
		if err := os.WriteFile(last, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(last, filepath.Join(dir, "media", store.NewID()+".mp4")); err != nil { // of a video that is gone
		t.Fatal(err)
	}
	for st, want := range map[string]int{"s3": 2, "disk": 0} {
		cfg.Media.Store = st
		if n, err := command.LeftOnDisk(t.Context(), cfg, s); err != nil || n != want {
			t.Errorf("%s: got %d, %v; want %d", st, n, err, want)
		}
	}
	if n, err := command.LeftOnDisk(t.Context(),
		config.Config{Settings: config.Settings{DataDir: filepath.Join(dir, "new")}}, s); n != 0 ||
		err != nil {
		t.Errorf("a new data folder: got %d, %v; want nothing", n, err)
	}
}

// sweepAll is what a start does about files that nobody needs.
func sweepAll(t *testing.T, s *store.Store, files media.Store, dir string) error {
	t.Helper()
	ours, err := command.Tidy(t.Context(), s, files, dir)
	if ours {
		err = command.Sweep(t.Context(), s, media.NewSweeper(files))
	}
	return err
}
