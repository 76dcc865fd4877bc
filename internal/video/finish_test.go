// finish_test.go measures what it costs to make a video of a template, and to take over that of an engine.

package video

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// cpu returns the seconds of processor time that we and our children have used.
func cpu(b *testing.B) (seconds float64) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var used syscall.Rusage
		if err := syscall.Getrusage(who, &used); err != nil {
			b.Fatal(err)
		}
		for _, t := range []syscall.Timeval{used.Utime, used.Stime} {
			seconds += float64(t.Sec) + float64(t.Usec)/1e6
		}
	}
	return seconds
}

// BenchmarkFinish takes over 10 seconds at 720×1280, as ffmpeg leaves them: proved in Go, and as everything else is,
// by decoding it. What an ffmpeg that does nothing costs is part of both.
func BenchmarkFinish(b *testing.B) {
	film := filepath.Join(b.TempDir(), "film.mp4")
	out, err := exec.Command("ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
		"testsrc2=s=720x1280:r=30:d=10", "-f", "lavfi", "-i", "sine=d=10",
		"-pix_fmt", "yuv420p", "-preset", "veryfast", film).CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	proven, err := provenTools()
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		run  func(folder string) error
	}{
		{"ffmpeg that does nothing", func(string) error {
			_, err := output(b.Context(), proven.ffmpeg,
				"-version")
			return err
		}},
		{"proved", func(folder string) error { _, err := proven.finish(b.Context(), folder, film); return err }},
		{"decoded", func(folder string) error {
			f, err := proven.examine(b.Context(), film, uploaded)
			if err == nil {
				err = proven.copyFilm(b.Context(), f, film, filepath.Join(folder, "x.mp4"))
			}
			if err == nil {
				err = proven.drawStill(b.Context(), uploaded, film, f.duration*2/5, filepath.Join(folder, "x.jpg"),
					"-noaccurate_seek")
			}
			return err
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			before := cpu(b)
			for b.Loop() {
				if err := c.run(b.TempDir()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpu(b)-before)/float64(b.N), "cpu-s/op")
		})
	}
}

// BenchmarkVideo makes the built-in video for a name: with music only, with a voice that is new, and with one that was
// heard before.
func BenchmarkVideo(b *testing.B) {
	cache := b.TempDir()
	for _, c := range []struct {
		name  string
		voice string
		new   bool
	}{{name: "music only"}, {"a new voice", VoiceCommand, true}, {"a voice that was heard", VoiceCommand, false}} {
		m, err := New(Config{Engine: EngineTemplate, Offered: []string{"new-year"}, Languages: []string{"ru", "en"},
			Timeout: time.Minute, Work: b.TempDir(), Cache: cache, Workers: 1, Voice: VoiceConfig{Engine: c.voice}})
		if err != nil {
			b.Fatal(err)
		}
		if err := m.Prepare(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.Run(c.name, func(b *testing.B) {
			before := cpu(b)
			for b.Loop() {
				if c.new {
					if err := os.RemoveAll(m.clips()); err != nil {
						b.Fatal(err)
					}
				}
				v, err := m.Make(b.Context(), Order{Asset: "a", Name: "Александра", Lang: "ru"}, nil)
				if err != nil {
					b.Fatal(err)
				}
				if err := v.Discard(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpu(b)-before)/float64(b.N), "cpu-s/op")
		})
	}
}
