// blame_test.go breaks the machine in all ways, and checks whether the file, the template or the name is blamed for it.

package video

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// brokenPrograms are stand-ins for ffmpeg and ffprobe on a machine that has a problem of its own.
var brokenPrograms = map[string]string{
	"is killed for its memory":      "kill -9 $$",
	"is terminated":                 "kill -15 $$",
	"crashes":                       "kill -SEGV $$",
	"does not load":                 "echo 'error while loading shared libraries: libavcodec.so.59' >&2; exit 127",
	"may not be run":                "exit 126",
	"finds no memory":               "echo 'moov: Cannot allocate memory' >&2; exit 1",
	"finds no memory in new words":  "echo 'Cannot allocate memory' >&2; exit 244",
	"finds the disk full":           "echo 'av_interleaved_write_frame(): No space left on device' >&2; exit 1",
	"cannot read the disk":          "echo 'x.mp4: Input/output error' >&2; exit 1",
	"finds no more threads":         "echo 'pthread_create(): Resource temporarily unavailable' >&2; exit 1",
	"opens too many files":          "echo 'x.mp4: Too many open files' >&2; exit 1",
	"may not read":                  "echo 'x.mp4: Permission denied' >&2; exit 1",
	"fails with every file":         "echo 'Invalid data found when processing input' >&2; exit 1",
	"fails with every file, mutely": "exit 1",
}

func TestBlame_NoFileIsBlamedForTheMachine(t *testing.T) {
	film := clipWithSound(t)
	const toml = "title = \"x\"\nfilm = \"film.mp4\"\n[[segment]]\nstart = 0\nend = 1\nbox = [0, 0, 64, 48]\n"
	template := ownFolder(t, toml, "-i", film, "-c", "copy")
	t.Setenv("SOURCE", film)
	run := func(t *testing.T, spoil func(*tools) *tools) {
		m := commandMaker(t, `cp "$SOURCE" "$RETAKE_OUTPUT"`, nil)
		m.tools = spoil(m.tools)
		if _, err := m.Inspect(t.Context(), film); err == nil || errors.Is(err, ErrUnplayable) || isPermanent(err) {
			t.Errorf("upload: got %v; want an error that is not ErrUnplayable", err)
		}
		_, err := m.Make(t.Context(), Order{Asset: "a1", Name: "Маша", Lang: "ru"}, nil)
		if err == nil || isPermanent(err) || CodeOf(err) == CodeUnplayable {
			t.Errorf("engine: got %v, code %s; want a transient error that blames no video", err, CodeOf(err))
		}
		wantEmpty(t, m)
		own := ownMaker(t, template)
		own.tools = spoil(own.tools)
		var faults Faults
		if err := own.Ready(t.Context()); err == nil || errors.As(err, &faults) || isPermanent(err) {
			t.Errorf("template: got %v; want a transient error without faults", err)
		}
	}
	for name, script := range brokenPrograms {
		t.Run("when it "+name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "program")
			write(t, path, "#!/bin/sh\n"+script+"\n")
			run(t, func(p *tools) *tools { return otherTools(p, path, path) })
		})
	}
	t.Run("when it is not there", func(t *testing.T) {
		run(t, func(p *tools) *tools { return otherTools(p, "/none/ffmpeg", "/none/ffprobe") })
	})
	t.Run("when it may not be started", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "program")
		write(t, path, "#!/bin/sh\nexit 0\n")
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
		run(t, func(p *tools) *tools { return otherTools(p, path, path) })
	})
}

func TestReady_ABusyMachineIsNotToldToInstallFFmpeg(t *testing.T) {
	for name, script := range map[string]string{"is killed": "kill -9 $$", "is terminated": "kill -15 $$"} {
		path := filepath.Join(t.TempDir(), "ffmpeg")
		write(t, path, "#!/bin/sh\n"+script+"\n")
		m := newMaker(t, func(c *Config) { c.FFmpeg = path })
		if err := m.Ready(t.Context()); err == nil || CodeOf(err) != CodeMachine || isPermanent(err) ||
			strings.Contains(err.Error(), "apt-get") {
			t.Errorf("when it %s: got %v; want that the machine is busy", name, err)
		}
	}
}

func TestReady_AnUpgradeOfFFmpegIsNoticed(t *testing.T) {
	folder := t.TempDir()
	install := func(version string) {
		for _, program := range []string{"ffmpeg", "ffprobe"} {
			path := filepath.Join(folder, program)
			write(
				t,
				path+".new",
				"#!/bin/sh\nif [ \"$1\" = -version ]; then echo ffmpeg version "+version+"; exit; fi\nexec "+program+" \"$@\"\n",
			)
			if err := os.Rename(path+".new", path); err != nil {
				t.Fatal(err)
			}
		}
	}
	install("5.1.9")
	m := newMaker(t, func(c *Config) { c.FFmpeg = filepath.Join(folder, "ffmpeg") })
	for _, want := range []string{"5.1.9", "5.1.9", "7.0.10"} {
		if want != "5.1.9" {
			install(want)
		}
		if got, err := m.Tools(t.Context()); got != want || err != nil {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
}
