// ready_test.go starts without ffmpeg, with a broken one, and with one that appears later.

package video

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadySaysWhatToInstall(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "ffmpeg")
	write(t, broken, "#!/bin/sh\necho 'error while loading shared libraries' >&2\nexit 127\n")
	other := filepath.Join(t.TempDir(), "ffmpeg")
	write(t, other, "#!/bin/sh\necho hello\n")
	poor := filepath.Join(t.TempDir(), "ffmpeg")
	write(
		t,
		poor,
		"#!/bin/sh\n[ \"$1\" = -version ] && echo ffmpeg version 1 && exit\necho \"Unknown encoder 'libx264'\" >&2\nexit 1\n",
	)
	for name, c := range map[string]struct{ path, want string }{
		"when there is none":        {filepath.Join(t.TempDir(), "ffmpeg"), "was not found"},
		"when it does not run":      {broken, "error while loading shared libraries"},
		"when it is something else": {other, "is not ffmpeg"},
		"when it lacks an encoder":  {poor, "Unknown encoder 'libx264'"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMaker(t, func(cfg *Config) { cfg.FFmpeg = c.path })
			err := m.Ready(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) ||
				!strings.Contains(err.Error(), "`apt-get install -y ffmpeg`") ||
				strings.Contains(err.Error(), "\n") ||
				isPermanent(err) {
				t.Errorf("got %v; want one transient sentence with %q and the line to type", err, c.want)
			}
			if _, got := m.Make(t.Context(), Order{Name: "Маша", Lang: "ru"}, nil); got == nil || got.Error() != err.Error() {
				t.Errorf("Make: got %v; want %v", got, err)
			}
			wantEmpty(t, m)
		})
	}
}

func TestReadyLooksAgain(t *testing.T) {
	bin := t.TempDir()
	real := map[string]string{}
	for _, program := range []string{"ffmpeg", "ffprobe"} {
		path, err := exec.LookPath(program)
		if err != nil {
			t.Fatal(err)
		}
		real[program] = path
	}
	t.Setenv("PATH", bin)
	m := newMaker(t, func(*Config) {})
	if err := m.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "apt-get install -y ffmpeg") {
		t.Errorf("without ffmpeg: got %v; want the line to type", err)
	}
	for program, path := range real {
		if err := os.Symlink(path, filepath.Join(bin, program)); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Ready(t.Context()); err != nil {
		t.Errorf("after it was installed: got %v; want nil", err)
	}
	if err := os.RemoveAll(bin); err != nil {
		t.Fatal(err)
	}
	if err := m.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "apt-get install -y ffmpeg") {
		t.Errorf("after it was removed: got %v; want the line to type", err)
	}
}

func TestNewRefuses(t *testing.T) {
	good := Config{
		Engine:  EngineCommand,
		Offered: []string{"x"},
		Command: []string{"x"},
		Timeout: 1,
		Work:    "w",
		Cache:   "c",
	}
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"an unknown engine":      {func(c *Config) { c.Engine = "magic" }, `unknown engine "magic"`},
		"an engine without argv": {func(c *Config) { c.Command = nil }, "no command"},
		"an unknown template": {func(c *Config) { c.Engine, c.Offered = EngineTemplate, []string{"easter"} },
			`unknown template "easter"`},
		"a template elsewhere": {func(c *Config) { c.Engine, c.Offered = EngineTemplate, []string{"../new-year"} },
			"unknown template"},
		"nothing to offer":         {func(c *Config) { c.Offered = nil }, "no template"},
		"a generator nowhere":      {func(c *Config) { c.Engine, c.URL = EngineHTTP, "generator" }, "http"},
		"a video without time":     {func(c *Config) { c.Timeout = 0 }, "timeout"},
		"a job without a folder":   {func(c *Config) { c.Work = "" }, "folder"},
		"a cache without a folder": {func(c *Config) { c.Cache = "" }, "folder"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good
			c.change(&cfg)
			if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want %q", err, c.want)
			}
		})
	}
}

func TestNewSweepsOnlyWhatItMade(t *testing.T) {
	work, cache := t.TempDir(), t.TempDir()
	for _, path := range []string{work + "/job-abc/segment.mp4", work + "/mine/file", cache + "/prepare-abc/ru.mp4",
		cache + "/new-year-ru-1.mp4"} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, path, "x")
	}
	newMaker(t, func(c *Config) { c.Work, c.Cache = work, cache })
	for path, want := range map[string]bool{work + "/job-abc": false, work + "/mine/file": true,
		cache + "/prepare-abc": false, cache + "/new-year-ru-1.mp4": true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: got there %v; want %v", filepath.Base(path), err == nil, want)
		}
	}
}
