// inspect_test.go looks at files of all kinds, also at hostile ones.

package video

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestInspectTakesEveryKindOfVideo(t *testing.T) {
	m := commandMaker(t, "", nil)
	for _, name := range []string{"a.mp4", "a.mov", "a.mkv", "a.webm"} {
		path := filepath.Join(t.TempDir(), name)
		args := []string{
			"-f",
			"lavfi",
			"-i",
			"testsrc2=s=64x48:r=30",
			"-f",
			"lavfi",
			"-i",
			"sine",
			"-t",
			"2",
			"-pix_fmt",
			"yuv420p",
		}
		if name == "a.webm" {
			args = append(args, "-c:v", "libvpx", "-deadline", "realtime")
		}
		ffmpeg(t, append(args, path)...)
		before, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		v, err := m.Inspect(t.Context(), path)
		if err != nil || v.Path != path || v.Width != 64 || v.Height != 48 || v.Duration.Seconds() < 1.9 ||
			v.Size != before.Size() {
			t.Errorf("%s: got %+v, %v", name, v, err)
			continue
		}
		if info, err := os.Stat(v.Thumb); err != nil || info.Size() == 0 {
			t.Errorf("%s: still: got %v, %v", name, info, err)
		}
		if err := v.Discard(); err != nil {
			t.Error(err)
		}
		if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
			t.Errorf("%s: got %v; want the file where it was", name, err)
		}
		wantEmpty(t, m)
	}
}

func TestInspectRefusesWhatDoesNotPlay(t *testing.T) {
	m := commandMaker(t, "", nil)
	good := clipWithSound(t)
	film, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	stream, avi := filepath.Join(folder, "secret.ts"), filepath.Join(folder, "other.avi")
	ffmpeg(t, "-i", good, "-c", "copy", stream, "-c:v", "mpeg4", "-c:a", "mp3", avi)
	other, err := os.ReadFile(avi)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "secret.mp4"), string(film))
	damaged, err := os.ReadFile(clip(t, 90, "-pix_fmt", "yuv420p", "-movflags", "+faststart"))
	if err != nil {
		t.Fatal(err)
	}
	clear(damaged[len(damaged)*9/10:])
	for name, content := range map[string]string{
		"nothing":               "",
		"a text":                strings.Repeat("hello ", 1000),
		"a video cut short":     string(film[:len(film)/2]),
		"a damaged video":       string(damaged),
		"a playlist":            "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://" + stream + "\n#EXT-X-ENDLIST\n",
		"a list of files":       "ffconcat version 1.0\nfile secret.mp4\nduration 1\n",
		"a video of other kind": string(other),
		"a description session": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(folder, "x.mp4")
			write(t, path, content)
			v, err := m.Inspect(t.Context(), path)
			if !errors.Is(err, ErrUnplayable) {
				t.Errorf("got %+v, %v; want ErrUnplayable", v, err)
			}
			wantEmpty(t, m)
		})
	}
}

func TestInspectDoesNotBlameTheFileForTheMachine(t *testing.T) {
	film, hanging := clipWithSound(t), filepath.Join(t.TempDir(), "ffprobe")
	write(t, hanging, "#!/bin/sh\n: >\"$0.runs\"\nsleep 300\n")
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx   context.Context
		spoil func(m *Maker)
		want  error
	}{
		"when it was stopped": {stopped, func(*Maker) {}, context.Canceled},
		"when it is being stopped": {whenThere(t, hanging+".runs"),
			func(m *Maker) { m.tools = otherTools(m.tools, m.tools.ffmpeg, hanging) }, context.Canceled},
		"when the disk is full": {t.Context(),
			func(m *Maker) { m.free = func(string) (int64, error) { return Reserve - 1, nil } }, ErrDiskFull},
		"when ffprobe is missing": {t.Context(),
			func(m *Maker) { m.tools = otherTools(m.tools, "/none/ffmpeg", "/none/ffprobe") }, os.ErrNotExist},
	} {
		t.Run(name, func(t *testing.T) {
			m := commandMaker(t, "", nil)
			c.spoil(m)
			if _, err := m.Inspect(c.ctx, film); !errors.Is(err, c.want) || errors.Is(err, ErrUnplayable) {
				t.Errorf("got %v; want %v, and not ErrUnplayable", err, c.want)
			}
			wantEmpty(t, m)
		})
	}
}

// whenThere returns a context that ends when a file is there.
func whenThere(t *testing.T, path string) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		look := time.NewTicker(10 * time.Millisecond)
		defer look.Stop()
		for ctx.Err() == nil {
			if _, err := os.Stat(path); err == nil {
				return
			}
			select {
			case <-look.C:
			case <-ctx.Done():
			}
		}
	}()
	return ctx
}

// TestOnlyTwoAreInspectedAtATime holds ffprobe up until it is known how many run.
func TestOnlyTwoAreInspectedAtATime(t *testing.T) {
	film, dir := clipWithSound(t), t.TempDir()
	write(t, filepath.Join(dir, "ffprobe"), `#!/bin/sh
: >"$0.$$"
while [ ! -e "$0.go" ]; do sleep 0.05; done
exec ffprobe "$@"
`)
	m := commandMaker(t, "", nil)
	m.tools = otherTools(m.tools, m.tools.ffmpeg, filepath.Join(dir, "ffprobe"))
	done := make(chan error)
	for range 4 {
		go func() {
			v, err := m.Inspect(t.Context(), film)
			done <- errors.Join(err, v.Discard())
		}()
	}
	running := func() int {
		files, err := filepath.Glob(filepath.Join(dir, "ffprobe.*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for running() < 2 {
		select {
		case err := <-done:
			t.Fatalf("got %v; want it held up", err)
		case <-look.C:
		}
	}
	if running() != 2 || len(m.inspecting) != 2 {
		t.Errorf("got %d at a time; want 2", running())
	}
	write(t, filepath.Join(dir, "ffprobe.go"), "")
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := running() - 1; n != 4 {
		t.Errorf("got %d in all; want 4", n)
	}
	wantEmpty(t, m)
}
