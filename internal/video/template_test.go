// template_test.go makes videos with the built-in template and looks at every frame.

package video

import (
	"context"
	"errors"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Frames of the built-in template: those of the name, those from which it is there again, and the one of the still.
const (
	nameFrom   = 60
	nameTo     = 195
	againFrom  = 249
	stillFrame = 150
)

// withName reports whether a frame of the built-in template shows the name.
func withName(frame int) bool { return frame >= nameFrom && frame < nameTo || frame >= againFrom }

func TestTemplateVideo(t *testing.T) {
	m := templateMaker(t)
	const name = "Александра-Виктория"
	var percents []int
	v, err := m.Make(
		t.Context(),
		Order{Asset: "a1", Name: name, Lang: "ru"},
		func(p int) { percents = append(percents, p) },
	)
	if err != nil {
		t.Fatalf("Make: got %v; want nil", err)
	}
	prepared := templatePath(t, m)
	got, want := pictures(t, v.Path), pictures(t, prepared)

	t.Run("is ten seconds of 720 by 1280", func(t *testing.T) {
		if v.Width != 720 || v.Height != 1280 || v.Duration < 9900*time.Millisecond || v.Duration > 10100*time.Millisecond {
			t.Errorf("got %d×%d, %v; want 720×1280, 10s", v.Width, v.Height, v.Duration)
		}
		if info, err := os.Stat(v.Path); err != nil || info.Size() != v.Size {
			t.Errorf("size: got %d; want that of the file, %v %v", v.Size, info, err)
		}
	})
	t.Run("is H.264 with AAC and its index comes first", func(t *testing.T) {
		film, err := openMovie(v.Path)
		if err != nil {
			t.Fatal(err)
		}
		defer film.close()
		wantIndexFirst(t, v.Path)
		f, err := m.tools.probe(t.Context(), v.Path, hardened)
		if err != nil || f.sound != "aac" || film.track("vide").avcC() == nil {
			t.Errorf("got sound %q, avcC %x, %v; want aac and H.264", f.sound, film.track("vide").avcC(), err)
		}
	})
	t.Run("has all frames at even times", func(t *testing.T) {
		if len(got) != shortStory.frames() {
			t.Fatalf("got %d frames; want %d", len(got), shortStory.frames())
		}
		for i, line := range got {
			if strings.TrimSpace(strings.Split(line, ",")[2]) != strconv.Itoa(i) {
				t.Fatalf("frame %d: got %s; want it at time %d", i, line, i)
			}
		}
	})
	t.Run("differs from the prepared template in the frames of the name only", func(t *testing.T) {
		for i := range got {
			if !withName(i) && got[i] != want[i] {
				t.Fatalf("frame %d, without the name: got another one; want it bit-identical", i)
			}
		}
		for _, i := range []int{stillFrame, shortStory.frames() - 20} {
			if got[i] == want[i] {
				t.Errorf("frame %d, with the name: got that of the template; want another one", i)
			}
		}
	})
	t.Run("shows the name over the picture that belongs there", func(t *testing.T) {
		wantNameOverTemplate(t, v.Path, prepared)
	})
	t.Run("has the sound of the template", func(t *testing.T) {
		sound := func(path string) string {
			return string(ffmpeg(t, "-i", path, "-map", "0:a", "-c", "copy", "-f", "framemd5", "-"))
		}
		if sound(v.Path) != sound(prepared) {
			t.Error("sound packets: got others than in the template; want the same")
		}
	})
	t.Run("comes with a small still", func(t *testing.T) { wantThumb(t, v, 180, 320) })
	t.Run("reports progress from 0 to 100 without going back", func(t *testing.T) {
		if len(percents) < 3 || percents[0] != 0 || percents[len(percents)-1] != 100 || !slices.IsSorted(percents) {
			t.Errorf("got %v; want 0 to 100, rising", percents)
		}
	})
	t.Run("never told ffmpeg the name", func(t *testing.T) {
		log, err := os.ReadFile(ffmpegLog())
		if err != nil || strings.Contains(string(log), "Александра") {
			t.Errorf("command lines: got the name in them, or %v; want neither", err)
		}
	})
	t.Run("leaves nothing after Discard", func(t *testing.T) {
		if err := v.Discard(); err != nil {
			t.Errorf("Discard: got %v; want nil", err)
		}
		wantEmpty(t, m)
	})
}

// preparedRu is the prepared Russian film.
func preparedRu(t *testing.T, m *Maker) prepared {
	t.Helper()
	tools, err := m.ready(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	k, err := m.template("new-year")
	if err != nil {
		t.Fatal(err)
	}
	films, err := m.prepare(t.Context(), tools, k)
	if err != nil {
		t.Fatal(err)
	}
	return films["ru"]
}

// templatePath is where the prepared Russian film lies.
func templatePath(t *testing.T, m *Maker) string {
	t.Helper()
	return preparedRu(t, m).path
}

// wantNameOverTemplate compares a video with the template: the lower half is the same in all frames, the upper half has
// a name in the middle of its time.
func wantNameOverTemplate(t *testing.T, video, template string) {
	t.Helper()
	got, want := small(t, video), small(t, template)
	if len(got) != len(want) {
		t.Fatalf("got %d frames; want %d", len(got), len(want))
	}
	for i := range got {
		half := len(got[i]) / 2
		if d := difference(got[i][half:], want[i][half:]); d > 1.5 {
			t.Fatalf("frame %d, lower half: got a difference of %.2f; want at most 1.5", i, d)
		}
		d := difference(got[i][:half], want[i][:half])
		if i == stillFrame && d < 5 {
			t.Errorf("frame %d, upper half: got a difference of %.2f; want a name there", i, d)
		}
		if !withName(i) && d > 1.5 {
			t.Fatalf("frame %d, upper half: got a difference of %.2f; want at most 1.5", i, d)
		}
	}
}

func wantThumb(t *testing.T, v Video, width, height int) {
	t.Helper()
	f, err := os.Open(v.Thumb)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := jpeg.DecodeConfig(f)
	if err != nil || c.Width != width || c.Height != height {
		t.Errorf("still: got %d×%d, %v; want a JPEG of %d×%d", c.Width, c.Height, err, width, height)
	}
	if info, err := f.Stat(); err != nil || info.Size() > thumbBytes {
		t.Errorf("still: got %d bytes, %v; want at most %d", info.Size(), err, thumbBytes)
	}
}

func TestPrepareRunsOnceForManyCallers(t *testing.T) {
	templateMaker(t) // eight calls at the same time
	log, err := os.ReadFile(ffmpegLog())
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(log), "music.wav"); n != 2 {
		t.Errorf("got %d encodes of a template; want 2, one for each language", n)
	}
}

func TestTemplateIsEncodedInFullWhenASegmentDoesNotFit(t *testing.T) {
	cache, err := templates()
	if err != nil {
		t.Fatal(err)
	}
	m := newMaker(t, func(c *Config) {
		if err := os.CopyFS(c.Cache, os.DirFS(cache)); err != nil {
			t.Fatal(err)
		}
	})
	// The same film with other parameter sets, as another build of x264 might have made it.
	template := templatePath(t, m)
	other := filepath.Join(t.TempDir(), "other.mp4")
	ffmpeg(
		t,
		"-i",
		template,
		"-c:a",
		"copy",
		"-c:v",
		"libx264",
		"-preset",
		"ultrafast",
		"-crf",
		"12",
		"-movflags",
		"+faststart",
		other,
	)
	if err := os.Rename(other, template); err != nil {
		t.Fatal(err)
	}
	v, err := m.Make(t.Context(), Order{Asset: "a1", Name: "Маша", Lang: "ru"}, nil)
	if err != nil {
		t.Fatalf("Make: got %v; want nil", err)
	}
	wantNameOverTemplate(t, v.Path, template)
	wantThumb(t, v, 180, 320)
	film, err := openMovie(v.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer film.close()
	if len(film.tracks) != 2 {
		t.Errorf("got %d tracks; want 2", len(film.tracks))
	}
	wantIndexFirst(t, v.Path)
}

func TestPreparedTemplateThatIsDamagedIsNotUsed(t *testing.T) {
	m := templateMaker(t)
	whole := templatePath(t, m)
	b, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "part.mp4")
	p := preparedRu(t, m)
	if err := p.look(); err != nil {
		t.Errorf("whole film: got %v; want nil", err)
	}
	p.path = path
	for _, n := range []int{0, 7, 1000, len(b) / 2, len(b) - 1} {
		write(t, path, string(b[:n]))
		if err := p.look(); err == nil {
			t.Errorf("%d of %d bytes: got nil; want an error", n, len(b))
		}
	}
}

func TestTemplateRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		order Order
		want  error
	}{
		"a name that no font covers":         {Order{Name: "\U00012000\U00012001", Lang: "ru"}, ErrCannotDraw},
		"a name without anything to draw":    {Order{Name: " ", Lang: "ru"}, ErrCannotDraw},
		"a language that the template lacks": {Order{Name: "Маша", Lang: "de"}, nil},
		"a template that does not exist":     {Order{Name: "Маша", Lang: "ru", Template: "easter"}, nil},
	} {
		t.Run(name+", permanently", func(t *testing.T) {
			m := templateMaker(t)
			_, err := m.Make(t.Context(), c.order, nil)
			if !isPermanent(err) || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %v; want a permanent error, %v", err, c.want)
			}
			wantEmpty(t, m)
		})
	}
}

func TestTemplateStops(t *testing.T) {
	t.Run("when its context is cancelled, with that as the reason", func(t *testing.T) {
		m := templateMaker(t)
		ctx, cancel := context.WithCancel(t.Context())
		_, err := m.Make(ctx, Order{Name: "Маша", Lang: "ru"}, func(percent int) {
			if percent > 0 {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) || isPermanent(err) {
			t.Errorf("got %v; want context.Canceled", err)
		}
		wantEmpty(t, m)
	})
	for _, timeout := range []time.Duration{time.Nanosecond, 200 * time.Millisecond} {
		t.Run("when its "+timeout.String()+" are up, and says so", func(t *testing.T) {
			m := templateMaker(t)
			m.cfg.Timeout = timeout
			_, err := m.Make(t.Context(), Order{Name: "Маша", Lang: "ru"}, nil)
			want := "took longer than " + timeout.String()
			if err == nil || !strings.Contains(err.Error(), want) || isPermanent(err) || errors.Is(err, context.Canceled) {
				t.Errorf("got %v; want that it %s", err, want)
			}
			wantEmpty(t, m)
		})
	}
}

func TestTemplateOutlivesAnFFmpegThatDies(t *testing.T) {
	m := templateMaker(t)
	dying := filepath.Join(t.TempDir(), "ffmpeg")
	write(t, dying, "#!/bin/sh\necho no more memory >&2\nexit 137\n")
	if err := m.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.tools.ffmpeg = dying
	_, err := m.Make(t.Context(), Order{Name: "Маша", Lang: "ru"}, nil)
	if err == nil || !strings.Contains(err.Error(), "exit status 137: no more memory") || isPermanent(err) {
		t.Errorf("got %v; want a transient error with its exit status and last words", err)
	}
	wantEmpty(t, m)
}
