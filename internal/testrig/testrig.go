// Package testrig holds the fixtures that tests of several rooms share: a real database and what people did in it, a
// chat with the bot, and how to wait. Only tests import it.
package testrig

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"retake.example/internal/media"
	"retake.example/internal/media/s3test"
)

// NotShort leaves a test out of the inner loop (go test -short): it runs Chromium, kills programs or makes films.
func NotShort(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes too long for -short")
	}
}

// Root is the folder of the repository. A test runs in that of its package.
var Root = sync.OnceValue(func() string {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "schema.sql")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	panic(fmt.Sprintf("no folder above the test holds schema.sql: %v", err))
})

// Journal is a log that tests read while it is written.
type Journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *Journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

func (j *Journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

// Sample is a real video with sound, made once.
var Sample = sync.OnceValues(func() (string, error) {
	dir, err := made()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "sample.mp4")
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=90x160:r=10:d=0.5", "-f", "lavfi",
		"-i", "sine=d=0.5",
		"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-movflags", "+faststart", path).
		CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("make a sample: %w: %s", err, out)
	}
	return path, nil
})

// BrokenFile in the folder of an Engine makes it fail.
const BrokenFile = "broken"

// Engine is an engine command that copies a sample, or fails while the folder holds BrokenFile: for every name, or for
// those that begin with what that file holds.
func Engine(dir string) ([]string, error) {
	path, err := Sample()
	if err != nil {
		return nil, err
	}
	script := `if [ -e "$0/broken" ]; then
		case "$RETAKE_NAME" in
		Ш*) echo "engine: cannot say $RETAKE_NAME" >&2; exit 1;; # which is that name's own fault
		"$(cat "$0/broken")"*) echo "engine: no such model" >&2; exit 1;;
		esac
	fi
	cp "$1" "$RETAKE_OUTPUT"`
	return []string{"/bin/sh", "-c", script, dir, path}, nil
}

// Letters spells a number with letters, for names have no digits.
func Letters(n int) string {
	out := ""
	for _, d := range strconv.Itoa(n) {
		out += string([]rune("абвгдежзик")[d-'0'])
	}
	return out
}

// KeysOf lists what a store of files holds, sorted.
func KeysOf(t testing.TB, files media.Store) []string {
	t.Helper()
	var keys []string
	if err := files.Keys(t.Context(), func(some []string) error { keys = append(keys, some...); return nil }); err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys)
	return keys
}

// BucketOf opens the bucket of a server.
func BucketOf(t testing.TB, s *s3test.Server) *media.S3 {
	t.Helper()
	bucket, err := media.NewS3(
		media.S3Config{
			Endpoint:  s.URL,
			Region:    s.Region,
			Bucket:    s.Bucket,
			AccessKey: s.AccessKey,
			SecretKey: s.SecretKey,
			Prefix:    "retake",
		},
		time.Hour,
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bucket.Close() })
	return bucket
}
