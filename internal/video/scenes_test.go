// scenes_test.go looks at the built-in scenes: they move, look the same every time, and sound to their end.

package video

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sync"
	"testing"

	"github.com/BurntSushi/toml"
)

// everyScene calls what for each scene in each of its shapes, with a function that makes it.
func everyScene(t *testing.T, what func(t *testing.T, build func() *scene, w, h int)) {
	t.Helper()
	for name, build := range scenes {
		for _, size := range [][2]int{{720, 1280}, {1280, 720}} {
			t.Run(fmt.Sprintf("%s %d by %d", name, size[0], size[1]), func(t *testing.T) {
				what(t, func() *scene { return build(size[0], size[1]) }, size[0], size[1])
			})
		}
	}
}

// frame draws one frame on a canvas that had another picture before.
func (s *scene) frame(w, h, n int) []byte {
	c := newCanvas(w, h)
	for i := range c.pix {
		c.pix[i] = 200
	}
	s.draw(c, n)
	out := make([]byte, yuvSize(w, h))
	c.yuv(out, s.dither)
	return out
}

func TestScenesLookTheSameEveryTime(t *testing.T) {
	everyScene(t, func(t *testing.T, build func() *scene, w, h int) {
		s, again := build(), build()
		for _, n := range []int{0, 70, 215, 290} {
			want := s.frame(w, h, n)
			var workers sync.WaitGroup
			for range 2 { // at the same time, as the encoder's workers do
				workers.Go(func() {
					if !bytes.Equal(again.frame(w, h, n), want) {
						t.Errorf("frame %d: got another picture; want the same", n)
					}
				})
			}
			workers.Wait()
		}
	})
}

func TestScenesMoveAndAreNeverBlank(t *testing.T) {
	everyScene(t, func(t *testing.T, build func() *scene, w, h int) {
		s := build()
		var before []byte
		for n := 0; n < s.frames; n += 23 {
			now := s.frame(w, h, n)[:w*h]
			if dark, bright := slices.Min(now), slices.Max(now); int(bright)-int(dark) < 30 {
				t.Errorf("frame %d: got brightness from %d to %d; want a picture", n, dark, bright)
			}
			if before != nil && difference(before, now) < 0.2 {
				t.Errorf("frame %d: got the picture of 23 frames before; want it to move", n)
			}
			before = now
		}
	})
}

func TestMusicOfScenes(t *testing.T) {
	for name, build := range scenes {
		t.Run("of "+name+" is as long as the film, never clipped, and ends in silence", func(t *testing.T) {
			s := build(720, 1280)
			m := s.music()
			if want := s.frames * soundRate / sceneRate; len(m.left) != want || len(m.right) != want {
				t.Fatalf("got %d and %d samples; want %d", len(m.left), len(m.right), want)
			}
			var peak, end float64
			for i := range m.left {
				loud := max(m.left[i], -m.left[i], m.right[i], -m.right[i])
				peak = max(peak, loud)
				if i >= len(m.left)-soundRate/100 {
					end = max(end, loud)
				}
			}
			if peak < 0.3 || peak >= 1 {
				t.Errorf("got a peak of %.3f; want 0.3 to 1", peak)
			}
			if end > 0.001 {
				t.Errorf("got %.4f in the last hundredth of a second; want silence", end)
			}
		})
	}
}

func TestBuiltInTemplatesNameScenes(t *testing.T) {
	folders, err := fs.ReadDir(builtIn, "templates")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, f := range folders {
		ids = append(ids, f.Name())
		var file struct {
			Title         map[string]string
			Scene, Aspect string
			Segment, Text []struct{ Box []int }
		}
		if _, err := toml.DecodeFS(builtIn, path.Join("templates", f.Name(), "template.toml"), &file); err != nil {
			t.Errorf("%s: got %v; want TOML", f.Name(), err)
			continue
		}
		if scenes[file.Scene] == nil {
			t.Errorf("%s: got scene %q; want one that exists", f.Name(), file.Scene)
		}
		if file.Title["ru"] == "" || file.Title["en"] == "" || len(file.Segment) != 1 || len(file.Text) != 2 {
			t.Errorf("%s: got titles %q, %d segments, %d texts; want ru and en, 1, 2", f.Name(), file.Title, len(file.Segment), len(file.Text))
		}
		size, ok := map[string][2]int{"portrait": {720, 1280}, "landscape": {1280, 720}}[file.Aspect]
		if !ok {
			t.Errorf("%s: got aspect %q; want portrait or landscape", f.Name(), file.Aspect)
		}
		for _, c := range append(file.Segment, file.Text...) {
			if len(c.Box) != 4 || c.Box[0] < 0 || c.Box[1] < 0 || c.Box[0]+c.Box[2] > size[0] || c.Box[1]+c.Box[3] > size[1] {
				t.Errorf("%s: got box %v; want one within %v", f.Name(), c.Box, size)
			}
		}
	}
	if want := []string{"birthday", "birthday-wide", "new-year", "new-year-wide"}; !slices.Equal(ids, want) {
		t.Errorf("got templates %v; want %v", ids, want)
	}
}
