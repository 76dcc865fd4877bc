// scenes_test.go looks at the built-in scenes: they move, look the same every time, and sound to their end.

package video

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
)

// everyScene calls what for each scene in each of its shapes, with a function that makes it.
func everyScene(t *testing.T, what func(t *testing.T, build func() *scene, w, h int)) {
	t.Helper()
	for name, plot := range scenes {
		for _, size := range [][2]int{{720, 1280}, {1280, 720}} {
			t.Run(fmt.Sprintf("%s %d by %d", name, size[0], size[1]), func(t *testing.T) {
				what(t, func() *scene { return plot.stage(size[0], size[1]) }, size[0], size[1])
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
		for n := 0; n < s.frames(); n += 23 {
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
	for name, plot := range scenes {
		t.Run("of "+name+" is as long as the film, never clipped, and ends in silence", func(t *testing.T) {
			s := plot.stage(720, 1280)
			m := s.music()
			if want := s.frames() * soundRate / sceneRate; len(m.left) != want || len(m.right) != want {
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

var builtInIDs = []string{"birthday", "birthday-long", "birthday-wide", "new-year", "new-year-long", "new-year-wide"}

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
		if scenes[file.Scene].make == nil {
			t.Errorf("%s: got scene %q; want one that exists", f.Name(), file.Scene)
		}
		if file.Title["ru"] == "" || file.Title["en"] == "" || len(file.Segment) != 2 || len(file.Text) < 2 {
			t.Errorf(
				"%s: got titles %q, %d segments, %d texts; want ru and en, 2, at least 2",
				f.Name(),
				file.Title,
				len(file.Segment),
				len(file.Text),
			)
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
	if !slices.Equal(ids, builtInIDs) {
		t.Errorf("got templates %v; want %v", ids, builtInIDs)
	}
}

// moment draws a second of a built-in template with a name on it.
func moment(t *testing.T, m *Maker, id string, at float64) *image.RGBA {
	t.Helper()
	path := filepath.Join(t.TempDir(), "moment.png")
	if err := m.Still(t.Context(), Order{Asset: "a", Name: "Никита", Lang: "ru", Template: id},
		time.Duration(at*float64(time.Second)), path); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	decoded, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewRGBA(decoded.Bounds())
	draw.Draw(out, out.Bounds(), decoded, image.Point{}, draw.Src)
	return out
}

// light is how bright a part of a picture is: on average, and at its brightest, of 255.
func light(m *image.RGBA, part image.Rectangle) (mean, most float64) {
	part = part.Intersect(m.Bounds())
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			c := m.RGBAAt(x, y)
			v := (float64(c.R) + float64(c.G) + float64(c.B)) / 3
			mean, most = mean+v, max(most, v)
		}
	}
	return mean / float64(part.Dx()*part.Dy()), most
}

func TestScenes_BeginBrightAndGoDarkWithAllThatIsWritten(t *testing.T) {
	m := newMaker(t, func(c *Config) { c.Offered = builtInIDs })
	proven, err := provenTools()
	if err != nil {
		t.Fatal(err)
	}
	m.tools = proven
	for _, id := range builtInIDs {
		k, err := m.template(id)
		if err != nil {
			t.Fatal(err)
		}
		part := func(a area) image.Rectangle { return image.Rect(a.x, a.y, a.x+a.w, a.y+a.h) }
		whole := image.Rect(0, 0, k.width, k.height)
		seconds := float64(scenes[k.scene].seconds)
		first, middle, last := moment(t, m, id, 0), moment(t, m, id, k.still.Seconds()), moment(t, m, id, seconds-0.04)
		bright, _ := light(first, whole)
		if usual, _ := light(middle, whole); bright < usual*0.75 {
			t.Errorf("%s: got a first frame of brightness %.0f; want it nearly as bright as the others, %.0f", id, bright, usual)
		}
		if _, most := light(first, part(k.texts[0].box)); most < 240 {
			t.Errorf("%s: got at most %.0f where the greeting is in the first frame; want it there", id, most)
		}
		again := part(k.segments[1].box)
		if _, most := light(moment(t, m, id, seconds-0.8), again); most < 240 {
			t.Errorf("%s: got at most %.0f where the name stands at the end; want it there", id, most)
		}
		if _, most := light(last, whole); most > 70 {
			t.Errorf("%s: got something of brightness %.0f in the last frame; want all of it dark", id, most)
		}
		if _, most := light(last, again); most < 12 {
			t.Errorf("%s: got nothing where the name is in the last frame; want it to go with the rest", id)
		}
	}
}

func TestScenes_TheCameraChangesOnlyByACutWhileTheNameIsThere(t *testing.T) {
	m := newMaker(t, func(c *Config) { c.Offered = builtInIDs })
	for _, id := range builtInIDs {
		k, err := m.template(id)
		if err != nil {
			t.Fatal(err)
		}
		plot := scenes[k.scene]
		if got := k.segments[0].start.Seconds(); float32(got) != plot.name {
			t.Errorf("%s: got the name at %v; want it at %v, as the music says", id, got, plot.name)
		}
		if got := k.segments[1].start.Seconds(); float32(got) != plot.again {
			t.Errorf("%s: got the name again at %v; want it at %v", id, got, plot.again)
		}
		if got := k.voice.start.Seconds(); abs(float32(got)-plot.voice) > 0.001 {
			t.Errorf("%s: got the voice at %v; want it at %v, as the lights say", id, got, plot.voice)
		}
		film := shotsOf(k.scene, k.width, k.height)
		cuts, moves := 0, 0
		pace := rate{sceneRate, 1}
		for _, c := range k.segments {
			for n := pace.frame(c.start) + 1; n < min(pace.frame(c.end), plot.frames()); n++ {
				before, now := film.camera(float32(n-1)/sceneRate), film.camera(float32(n)/sceneRate)
				if before == now {
					continue
				}
				if abs(before.close-now.close) > 0.15 {
					cuts++
				} else {
					moves++
				}
			}
		}
		if cuts != 1 || moves != 0 {
			t.Errorf("%s: got %d cuts and %d frames of moving while the name is there; want one cut", id, cuts, moves)
		}
		if len(film) < 3 || film.camera(0) == film.camera(plot.name) {
			t.Errorf("%s: got %d shots; want three at least, and a camera that moves before the name comes", id, len(film))
		}
	}
}

// shotsOf returns the shots of a scene.
func shotsOf(name string, w, h int) shots {
	short, long := uprightNight.short, uprightNight.long
	switch wide, feast := w > h, strings.HasPrefix(name, "birthday"); {
	case feast && wide:
		short, long = wideFeast.short, wideFeast.long
	case feast:
		short, long = uprightFeast.short, uprightFeast.long
	case wide:
		short, long = wideNight.short, wideNight.long
	}
	if scenes[name].story == longStory {
		return long
	}
	return short
}

// TestCamera_ShowsNothingBeyondTheScene, whatever is how far away.
func TestCamera_ShowsNothingBeyondTheScene(t *testing.T) {
	for name, plot := range scenes {
		for _, size := range [][2]int{{720, 1280}, {1280, 720}} {
			w, h := float32(size[0]), float32(size[1])
			for n := range plot.frames() {
				at := shotsOf(name, size[0], size[1]).camera(float32(n) / sceneRate)
				for _, depth := range []float32{0, depthOfSky, depthOfWall, depthOfFar, depthOfMiddle, 1} {
					v := at.through(depth, w, h)
					left, top := v.at(0, 0)
					right, bottom := v.at(w, h)
					if left > 0.01 || top > 0.01 || right < w-0.01 || bottom < h-0.01 {
						t.Fatalf("%s, %v by %v, frame %d, depth %v: got the scene from (%v, %v) to (%v, %v); want it to fill the picture",
							name, w, h, n, depth, left, top, right, bottom)
					}
				}
			}
		}
	}
}

func TestFraming_WhatIsNearPassesFaster(t *testing.T) {
	close := framing{x: 300, y: 700, close: 1.5}
	var before float32
	for _, depth := range []float32{0, 0.35, 1, 1.8} {
		v := close.through(depth, 720, 1280)
		x, _ := v.at(360, 640)
		if moved := x - 360; depth == 0 && moved != 0 || depth > 0 && moved <= before {
			t.Errorf("depth %v: got it moved by %v; want more than %v", depth, moved, before)
		} else {
			before = moved
		}
	}
	if x, y := close.through(1, 720, 1280).at(300, 700); abs(x-360) > 0.01 || abs(y-640) > 0.01 {
		t.Errorf("got the framing's place at (%v, %v); want it in the middle", x, y)
	}
	if v := (framing{360, 640, 1}).through(1.8, 720, 1280); v != upright {
		t.Errorf("got %v; want nothing moved when the whole scene is shown", v)
	}
}

func TestProject_IsTheSceneAsTheViewShowsIt(t *testing.T) {
	from := newCanvas(40, 30)
	from.set(20, 10, rgb{255, 255, 255}, 1)
	from.set(10, 10, rgb{255, 0, 0}, 1)
	c := newCanvas(40, 30)
	if c.project(from); !slices.Equal(c.pix, from.pix) {
		t.Error("got another picture upright; want the same")
	}
	c.view = view{1.5, 20 - 20*1.5, 10 - 10*1.5}
	c.project(from)
	if got := c.pix[(10*40+20)*3]; got < 250 {
		t.Errorf("got %v at the point; want it to stay", got)
	}
	if got := c.pix[(10*40+5)*3]; got < 250 {
		t.Errorf("got %v at 1.5 times the distance; want what was at the distance", got)
	}
	for _, v := range []view{{1.3, 0, 0}, {1.3, -11.7, -8.7}, {2, 50, -100}} { // also at and beyond the edges
		c.view = v
		c.project(from)
	}
}

func TestCutout_LiesWhereItWasPaintedHoweverFine(t *testing.T) {
	for _, fine := range []float32{1, 1.5} {
		m := newMat(box{-4, 6, 34, 28}, fine)
		m.carve(10, 12, 20, 18, func(x, y float32) (rgb, bool) {
			return rgb{255, 255, 255}, x > 10 && x < 20 && y > 12 && y < 18
		})
		c := newCanvas(40, 30)
		c.put(m.cutout())
		var x, y, n float32
		for i := range c.w * c.h {
			v := c.pix[i*3] / 255
			x, y, n = x+v*float32(i%c.w), y+v*float32(i/c.w), n+v
		}
		if abs(x/n-15) > 0.4 || abs(y/n-15) > 0.4 || abs(n-60) > 8 {
			t.Errorf("%v: got its middle at (%.2f, %.2f), %.0f pixels; want (15, 15) and 60", fine, x/n, y/n, n)
		}
	}
}

// TestSceneSource_HasEveryFileThatDraws, because films that were prepared by other drawing code would be used
// otherwise.
func TestSceneSource_HasEveryFileThatDraws(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	draws := regexp.MustCompile(`\*(overlay|canvas|layer|cutout|typeface|lettering|sticker|face)\b`)
	elsewhere := []string{"preview.go", "primer.go", "design.go"} // they draw for the author only, or draw nothing
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") || !draws.Match(b) || slices.Contains(elsewhere, file) {
			continue
		}
		if _, err := fs.Stat(sceneSource, file); err != nil {
			t.Errorf("%s draws: got it left out of sceneSource", file)
		}
	}
}
