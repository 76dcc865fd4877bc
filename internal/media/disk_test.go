package media

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func newDisk(t *testing.T) (*Disk, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "media")
	d, err := OpenDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d, dir
}

func source(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhatIsPutIsThereAndCanBeReplacedAndDeleted(t *testing.T) {
	d, _ := newDisk(t)
	for _, text := range []string{"first", "second"} {
		if err := d.Put(t.Context(), "a.mp4", source(t, text), nil); err != nil {
			t.Fatal(err)
		}
		f, err := d.Open(t.Context(), "a.mp4")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(f); err != nil || string(got) != text {
			t.Errorf("got %q, %v; want %q", got, err, text)
		}
		f.Close()
	}
	for range 2 { // the second time there is nothing to delete, which is no error
		if err := d.Delete(t.Context(), "a.mp4"); err != nil {
			t.Error(err)
		}
	}
	if _, err := d.Open(t.Context(), "a.mp4"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v; want fs.ErrNotExist", err)
	}
}

func TestAPutThatFailsLeavesNothing(t *testing.T) {
	d, dir := newDisk(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Put(ctx, "a.mp4", source(t, "x"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want context.Canceled", err)
	}
	if err := d.Put(t.Context(), "a.mp4", "/nothing/here", nil); err == nil {
		t.Error("got no error for a file that is not there")
	}
	if err := d.put(t.Context(), "a.mp4", strings.NewReader("x"), 2, nil); err == nil {
		t.Error("got no error for a file that is shorter than it was")
	}
	if list := keys(t, d); len(list) != 0 {
		t.Errorf("got %q; want an empty folder", list)
	}
	if left, err := os.ReadDir(filepath.Join(dir, partial)); err != nil || len(left) != 0 {
		t.Errorf("got %v, %v; want no half of a file left", left, err)
	}
}

// What is sent again is not counted beyond the size.
func TestCounter_CountsNoMoreThanThereIs(t *testing.T) {
	var told []int64
	c := &counter{size: 10, told: func(sent int64) { told = append(told, sent) }}
	for _, n := range []int{4, 4, 4} {
		c.Write(make([]byte, n))
	}
	if !slices.Equal(told, []int64{4, 8, 10}) {
		t.Errorf("got %v; want 4, 8 and then all 10", told)
	}
}

func TestKeysStayInTheFolder(t *testing.T) {
	d, dir := newDisk(t)
	if err := os.WriteFile(filepath.Join(filepath.Dir(dir), "secret"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../secret", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"", ".", "..", "../secret", "/etc/passwd", "a/b", "a\\b", ".part-x", "a\x00", "link"} {
		if f, err := d.Open(t.Context(), key); err == nil {
			f.Close()
			t.Errorf("%q can be opened", key)
		}
		if key != "link" { // a link in the folder may be replaced or deleted: what it points to stays
			if d.Put(t.Context(), key, source(t, "x"), nil) == nil || d.Delete(t.Context(), key) == nil {
				t.Errorf("%q can be written or deleted", key)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(dir), "secret")); err != nil {
		t.Error(err)
	}
}

func TestHalfWrittenFilesOfADeadProcessAreSwept(t *testing.T) {
	_, dir := newDisk(t)
	if err := os.WriteFile(filepath.Join(dir, partial, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := OpenDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if list, err := os.ReadDir(filepath.Join(dir, partial)); err != nil || len(list) != 0 {
		t.Errorf("got %v, %v; want nothing", list, err)
	}
}

// A folder that cannot be synced may bring the file back after a power cut: that is no deletion.
func TestDisk_ADeletionThatIsNotOnTheDiskIsAnError(t *testing.T) {
	d, _ := newDisk(t)
	if err := d.Put(t.Context(), "a.mp4", source(t, "film"), nil); err != nil {
		t.Fatal(err)
	}
	next, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	free := next.Fd() // the number of the next file that is opened
	next.Close()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: uint64(free), Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	failed := d.Delete(t.Context(), "a.mp4")
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(failed, syscall.EMFILE) {
		t.Errorf("got %v; want the error of the folder that could not be opened", failed)
	}
	if err := d.Delete(t.Context(), "a.mp4"); err != nil {
		t.Errorf("once more: got %v", err)
	}
}
