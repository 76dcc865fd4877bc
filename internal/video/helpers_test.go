// helpers_test.go holds what the tests of this package share: one prepared cache, small videos, engines as shell
// scripts.

package video

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// shared is a folder for what is made once for all tests.
var shared string

func TestMain(m *testing.M) {
	var err error
	if shared, err = os.MkdirTemp("", "retake-video-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(shared)
	os.Exit(code)
}

// newMaker returns a Maker with a work folder of its own; change adjusts its configuration.
func newMaker(t *testing.T, change func(*Config)) *Maker {
	t.Helper()
	cfg := Config{
		Engine:    EngineTemplate,
		Offered:   []string{"new-year"},
		Languages: []string{"ru", "en"},
		Timeout:   2 * time.Minute,
		Work:      t.TempDir(),
		Cache:     t.TempDir(),
		Workers:   1,
	}
	change(&cfg)
	m, err := New(cfg)
	if err != nil {
		t.Fatalf("New: got %v; want nil", err)
	}
	return m
}

// templates prepares the built-in template once for all tests, with eight calls at the same time. It returns the cache
// folder, and the file in which every command line of ffmpeg stands.
var templates = sync.OnceValues(func() (string, error) {
	cache := filepath.Join(shared, "cache")
	wrapper := fmt.Sprintf("#!/bin/sh\necho \"$@\" >>%q\nexec ffmpeg \"$@\"\n", ffmpegLog())
	if err := os.WriteFile(loggedFFmpeg(), []byte(wrapper), 0o700); err != nil {
		return "", err
	}
	m, err := New(
		Config{
			Engine:    EngineTemplate,
			Offered:   []string{"new-year"},
			Languages: []string{"ru", "en"},
			FFmpeg:    loggedFFmpeg(),
			Timeout:   time.Minute,
			Work:      filepath.Join(shared, "work"),
			Cache:     cache,
			Workers:   2,
		},
	)
	if err != nil {
		return "", err
	}
	errs := make(chan error)
	for range 8 {
		go func() { errs <- m.Prepare(context.Background()) }()
	}
	for range 8 {
		if e := <-errs; e != nil {
			err = e
		}
	}
	return cache, err
})

func loggedFFmpeg() string { return filepath.Join(shared, "ffmpeg") }
func ffmpegLog() string    { return filepath.Join(shared, "ffmpeg.log") }

// templateMaker returns a Maker of the built-in template that finds it prepared.
func templateMaker(t *testing.T) *Maker {
	t.Helper()
	cache, err := templates()
	if err != nil {
		t.Fatalf("prepare: got %v; want nil", err)
	}
	return newMaker(t, func(c *Config) { c.Cache, c.FFmpeg, c.Workers = cache, loggedFFmpeg(), 2 })
}

// commandMaker returns a Maker whose engine is a shell script.
func commandMaker(t *testing.T, script string, change func(*Config)) *Maker {
	t.Helper()
	path := filepath.Join(t.TempDir(), "engine.sh")
	write(t, path, "#!/bin/sh\n"+script+"\n")
	proven, err := provenTools()
	if err != nil {
		t.Fatal(err)
	}
	m := newMaker(t, func(c *Config) {
		c.Engine, c.Command = EngineCommand, passing("/bin/sh", path)
		if change != nil {
			change(c)
		}
	})
	m.tools = proven
	return m
}

// testVariables are those that scripts of tests read. A program gets none of our environment that is not on a list, so
// they are part of its command line.
var testVariables = []string{
	"SOURCE",
	"SAMPLE",
	"GOOD",
	"HALF",
	"LIST",
	"ALIVE",
	"STARTED",
	"OUT",
	"TEST_MARK",
	"SEEN",
	"BEEP",
	"COUNT",
}

// passing is a command line that runs a program with the variables of the test as they are now.
func passing(argv ...string) []string {
	return slices.Concat([]string{"/usr/bin/env"}, only(os.Environ(), testVariables), argv)
}

// provenTools tries ffmpeg once for all engines.
var provenTools = sync.OnceValues(func() (*tools, error) {
	t, err := findTools("")
	if err != nil {
		return nil, err
	}
	return t, t.try(context.Background(), shared)
})

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o700); err != nil {
		t.Fatal(err)
	}
}

// ffmpeg runs the real ffmpeg and returns what it prints.
func ffmpeg(t *testing.T, args ...string) []byte {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command("ffmpeg", append([]string{"-nostdin", "-v", "error", "-y"}, args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ffmpeg %q: %v: %s", args, err, stderr.String())
	}
	return out
}

// clip makes a moving test picture of 64×48 at 30 frames a second and returns its path.
func clip(t *testing.T, frames int, options ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.mp4")
	args := append([]string{"-f", "lavfi", "-i", "testsrc2=s=64x48:r=30"}, options...)
	ffmpeg(t, append(args, "-frames:v", fmt.Sprint(frames), path)...)
	return path
}

// clipWithSound is a clip of one second as Telegram wants it.
func clipWithSound(t *testing.T) string {
	return clip(t, 30, "-f", "lavfi", "-i", "sine", "-shortest", "-pix_fmt", "yuv420p", "-movflags", "+faststart")
}

// pictures returns time, size and checksum of every decoded frame: one line each.
func pictures(t *testing.T, path string) []string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(string(ffmpeg(t, "-i", path, "-map", "0:v", "-f", "framemd5", "-"))) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// small decodes every frame as 72×128 shades of grey.
func small(t *testing.T, path string) [][]byte {
	t.Helper()
	raw := ffmpeg(t, "-i", path, "-map", "0:v", "-vf", "scale=72:128,format=gray", "-f", "rawvideo", "-")
	return slices.Collect(slices.Chunk(raw, 72*128))
}

// difference is the mean difference of two parts of a picture, in shades of 256.
func difference(a, b []byte) float64 {
	var sum int
	for i := range a {
		sum += max(int(a[i])-int(b[i]), int(b[i])-int(a[i]))
	}
	return float64(sum) / float64(len(a))
}

// wantEmpty fails the test if something is left in the work folder.
func wantEmpty(t *testing.T, m *Maker) {
	t.Helper()
	entries, err := os.ReadDir(m.cfg.Work)
	if err != nil || len(entries) > 0 {
		t.Errorf("work folder: got %v, %v; want nothing in it", entries, err)
	}
}

// wantSoon fails the test unless one of three runs takes no longer than the limit: a machine that has other things to
// do may be late once or twice, a program that is waited for makes every run late. run returns how long it took.
func wantSoon(t *testing.T, limit time.Duration, run func() time.Duration) {
	t.Helper()
	var all []time.Duration
	for range 3 {
		all = append(all, run())
		if t.Failed() || slices.Min(all) <= limit {
			return
		}
	}
	t.Errorf("took %v; want one of them no longer than %v", all, limit)
}

func wantIndexFirst(t *testing.T, path string) {
	t.Helper()
	if first, err := indexFirst(path); !first || err != nil {
		t.Errorf("index: got it first %v, %v; want true", first, err)
	}
}

func isPermanent(err error) bool {
	var p interface{ Permanent() bool }
	return errors.As(err, &p) && p.Permanent()
}

// otherTools are tools that have shown that they work, with other programs behind them.
func otherTools(proven *tools, ffmpeg, ffprobe string) *tools {
	return &tools{ffmpeg: ffmpeg, ffprobe: ffprobe, version: proven.version, sample: proven.sample}
}

// indexFirst reports whether a file has one whole index before the media, so that playing can start before the end has
// arrived. It understands any MP4 file, also those that readMovie refuses.
func indexFirst(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	index := false
	for pos := int64(0); pos < info.Size(); {
		kind, _, size, err := topBox(f, pos, info.Size())
		if err != nil {
			return false, err
		}
		switch kind {
		case "moov":
			index = true
		case "moof": // the index goes on in pieces
			return false, nil
		case "mdat":
			return index, nil
		}
		pos += size
	}
	return false, errors.New("mp4: no media (mdat)")
}

// pick returns the faces for a text that asks for none.
func (f *fonts) pick(text string) (*typeface, error) { return f.pickFor(nil, "", text) }
