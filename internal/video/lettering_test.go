// lettering_test.go looks at drawn letters: where they stand, how far their light goes, and how long a frame takes.

package video

import (
	"image"
	"testing"
	"time"
)

// letteringOf makes the letters of a text in the middle of a picture of 1000 by 800 pixels.
func letteringOf(t *testing.T, text string, size float32, align string, st style) (*lettering, *overlay) {
	t.Helper()
	f := &fonts{}
	face, err := f.pick(text)
	if err != nil {
		t.Fatal(err)
	}
	c := caption{box: area{200, 250, 600, 300}, size: size, align: align}
	return newLettering(face, text, c.place(), st), newOverlay(1000, 800)
}

// drawnBox is the smallest rectangle around all that is visible.
func (o *overlay) drawnBox() image.Rectangle {
	var r image.Rectangle
	for i, p := range o.pix {
		if p != 0 {
			r = r.Union(image.Rect(i%o.w, i/o.w, i%o.w+1, i/o.w+1))
		}
	}
	return r
}

func (b box) around() image.Rectangle {
	return image.Rect(int(floor(b.x0)), int(floor(b.y0)), int(floor(b.x1))+1, int(floor(b.y1))+1)
}

func TestLettersStayInTheirBounds(t *testing.T) {
	bare := gold
	bare.glowStrength, bare.outlineWidth = 0, 0
	for name, c := range map[string]struct {
		text string
		size float32
		st   style
	}{
		"a long name in gold":     {"Александра", 200, gold},
		"a short name, very tall": {"Ян", 400, gold},
		"two lines in silver":     {"Анна-Виктория Мария", 200, silver},
		"small and plain":         {"Маша", 40, plain},
		"without glow or outline": {"Маша", 120, bare},
	} {
		for _, animation := range []string{"dance", "fade", "rise", "none"} {
			t.Run(name+", "+animation, func(t *testing.T) {
				l, o := letteringOf(t, c.text, c.size, "center", c.st)
				want := l.bounds(animation).around()
				var all image.Rectangle
				for n := -3; n < 120; n += 3 {
					o.clear()
					l.animate(o, animation, float32(n)/sceneRate, 0, 4)
					if r := o.drawnBox(); !r.In(want) {
						t.Fatalf("frame %d: got %v; want nothing outside of %v", n, r, want)
					} else {
						all = all.Union(r)
					}
				}
				// Every pixel of the bounds costs time, whether something is there or not.
				spare := 20
				if animation == "rise" {
					spare = 36 // it is faint where it is farthest away
				}
				if animation != "dance" && !want.Inset(spare).In(all) {
					t.Errorf("got bounds %v for what fills %v; want at most %d pixels more", want, all, spare)
				}
			})
		}
	}
}

func TestLinesStandWhereTheyAreAligned(t *testing.T) {
	for align, want := range map[string]float32{"left": 200, "right": 800, "center": 500} {
		for _, text := range []string{"Ян", "Александра-Виктория Константинопольская"} {
			l, _ := letteringOf(t, text, 90, align, plain)
			got := map[string]float32{"left": l.ink.x0, "right": l.ink.x1, "center": (l.ink.x0 + l.ink.x1) / 2}[align]
			if abs(got-want) > 1 {
				t.Errorf("%s, %s: got %.1f; want %.0f", text, align, got, want)
			}
			if middle := (l.ink.y0 + l.ink.y1) / 2; abs(middle-400) > 12 {
				t.Errorf("%s, %s: got the middle at a height of %.1f; want 400", text, align, middle)
			}
		}
	}
}

func TestLettersComeAndGo(t *testing.T) {
	// opacity and height are those of the letters after so many seconds of four.
	look := func(animation string, now float32) (opacity int, top int) {
		l, o := letteringOf(t, "Н", 200, "center", plain)
		l.animate(o, animation, now, 0, 4)
		for _, p := range o.pix {
			opacity = max(opacity, int(p>>48))
		}
		return opacity, o.drawnBox().Min.Y
	}
	_, still := look("none", 2)
	for _, c := range []struct {
		animation string
		now       float32
		opacity   [2]int
		lower     [2]int
	}{
		{"none", 0, [2]int{255, 255}, [2]int{0, 0}},
		{"none", 3.99, [2]int{255, 255}, [2]int{0, 0}},
		{"fade", 0.25, [2]int{150, 168}, [2]int{0, 8}},
		{"fade", 2, [2]int{255, 255}, [2]int{0, 0}},
		{"fade", 3.8, [2]int{150, 168}, [2]int{0, 8}},
		{"rise", 0.25, [2]int{150, 168}, [2]int{22, 32}},
		{"rise", 2, [2]int{255, 255}, [2]int{0, 0}},
		{"rise", 3.8, [2]int{150, 168}, [2]int{-24, -14}},
		{"dance", 2, [2]int{255, 255}, [2]int{-40, 5}},
	} {
		opacity, top := look(c.animation, c.now)
		if opacity < c.opacity[0] || opacity > c.opacity[1] {
			t.Errorf("%s at %v s: got opacity %d; want %v", c.animation, c.now, opacity, c.opacity)
		}
		if lower := top - still; lower < c.lower[0] || lower > c.lower[1] {
			t.Errorf("%s at %v s: got letters %d pixels lower; want %v", c.animation, c.now, lower, c.lower)
		}
	}
	for _, animation := range []string{"dance", "fade", "rise", "none"} {
		for _, now := range []float32{-0.1, 4, 5} {
			if opacity, _ := look(animation, now); opacity != 0 {
				t.Errorf("%s at %v s: got opacity %d; want nothing before and after its time", animation, now, opacity)
			}
		}
	}
}

func TestDanceIsWholeHoweverShortItIs(t *testing.T) {
	// solid counts the pixels that are all letter.
	solid := func(animation string) (n int) {
		l, o := letteringOf(t, "Александра", 200, "center", gold)
		l.animate(o, animation, 0.3, 0, 0.5)
		for _, p := range o.pix {
			if p>>48 == 255 {
				n++
			}
		}
		return n
	}
	if got, want := solid("dance"), solid("none"); got < want*9/10 {
		t.Errorf("in the middle of half a second: got %d pixels of letters; want about %d", got, want)
	}
}

func TestPlainLettersHaveOneColour(t *testing.T) {
	st := plain
	st.top, st.middle, st.bottom = rgb{10, 200, 30}, rgb{10, 200, 30}, rgb{10, 200, 30}
	l, o := letteringOf(t, "Маша", 200, "center", st)
	l.animate(o, "none", 1, 0, 4)
	q := l.letters[0]
	left, top := int(q.x-float32(q.face.w)/2), int(q.y-float32(q.face.h)/2)
	for i, a := range q.shape {
		if p := o.pix[(top+i/q.face.w)*o.w+left+i%q.face.w]; a == 255 && p != toLanes(rgb{10, 200, 30}, 1) {
			t.Fatalf("got pixel %x in a letter; want its colour", p)
		}
	}
}

func TestSparksHaveTheColourOfTheGlow(t *testing.T) {
	dark := gold
	dark.glowStrength, dark.middle = 0, rgb{1, 2, 3}
	for name, c := range map[string]struct {
		st   style
		want rgb
	}{
		"gold":                   {gold, rgb{255, 200, 110}},
		"silver":                 {silver, silver.glow},
		"plain, whose glow dark": {plain, plain.middle},
		"gold without glow":      {dark, dark.middle},
	} {
		if got, _, _ := c.st.sparkColours(); got != c.want {
			t.Errorf("%s: got %v; want %v", name, got, c.want)
		}
	}
}

func TestLanesStayApart(t *testing.T) {
	for under := lanes(0); under < 256; under += 5 {
		for alpha := lanes(0); alpha < 256; alpha++ {
			for k := lanes(0); k <= 256; k += 8 {
				const each = 0x0001000100010001
				got := over(under*each, alpha*each*k)
				share := float64(alpha*k) / 256
				want := float64(under)*(1-share/255) + share
				if value := got & 0xffff; got != value*each || float64(value) > want+1 || float64(value) < want-2 {
					t.Fatalf("%d over %d with weight %d: got %x; want %.1f in each lane", alpha, under, k, got, want)
				}
			}
		}
	}
}

func TestOverlayBecomesWhatTheFilmIsMixedWith(t *testing.T) {
	for name, c := range map[string]struct {
		pixel      lanes
		y, u, v, a byte
	}{
		"nothing":             {0, 16, 128, 128, 0},
		"white":               {toLanes(rgb{255, 255, 255}, 1), 235, 128, 128, 255},
		"black":               {toLanes(rgb{}, 1), 16, 128, 128, 255},
		"red":                 {toLanes(rgb{255, 0, 0}, 1), 63, 102, 240, 255},
		"half of red":         {toLanes(rgb{128, 0, 0}, 0.5), 63, 102, 240, 128},
		"blue light":          {toLanes(rgb{0, 0, 100}, 0), 32, 240, 118, 100},
		"half a shade":        {toLanes(rgb{}, 0.5), 16, 128, 128, 128},
		"light over a shade":  {toLanes(rgb{100, 100, 100}, 0.2), 235, 128, 128, 100},
		"the faintest of all": {1, 63, 102, 240, 1},
	} {
		o := newOverlay(8, 6)
		for _, i := range []int{2*8 + 4, 2*8 + 5, 3*8 + 4, 3*8 + 5} {
			o.pix[i] = c.pixel
		}
		o.touch(4, 2, 6, 4)
		buf := make([]byte, yuvaSize(8, 6))
		o.yuva(buf)
		got := [4]byte{buf[2*8+4], buf[48+1*4+2], buf[60+1*4+2], buf[72+2*8+4]}
		for i, want := range [4]byte{c.y, c.u, c.v, c.a} {
			if d := int(got[i]) - int(want); d < -1 || d > 1 {
				t.Errorf("%s: got %d; want %d", name, got, [4]byte{c.y, c.u, c.v, c.a})
				break
			}
		}
		if buf[0] != 16 || buf[48] != 128 || buf[60] != 128 || buf[72] != 0 {
			t.Errorf("%s: got %d around it; want transparent black", name, [4]byte{buf[0], buf[48], buf[60], buf[72]})
		}
		o.clear()
		if r := o.drawnBox(); !r.Empty() {
			t.Errorf("%s, cleared: got something in %v; want nothing", name, r)
		}
	}
}

// nameBox is that of the built-in template.
var nameBox = caption{box: area{44, 303, 632, 258}, size: 200}

// BenchmarkNameFrame draws and converts one frame of a long name; the frames go round through its whole time.
func BenchmarkNameFrame(b *testing.B) {
	f := &fonts{}
	face, err := f.pick("Александра")
	if err != nil {
		b.Fatal(err)
	}
	s := newSheet(
		720,
		1280,
		[]shown{{newLettering(face, "Александра", nameBox.place(), gold), "dance", 2 * time.Second, 6500 * time.Millisecond}},
	)
	o, buf := newOverlay(s.w, s.h), make([]byte, yuvaSize(s.w, s.h))
	n := 0
	for b.Loop() {
		o.clear()
		s.things[0].draw(o, float32(nameFrom+n)/sceneRate)
		o.yuva(buf)
		n = (n + 1) % (nameTo - nameFrom)
	}
}

// BenchmarkNewLettering makes the layers of a long name, which every video waits for.
func BenchmarkNewLettering(b *testing.B) {
	f := &fonts{}
	face, err := f.pick("Александра")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		newLettering(face, "Александра", nameBox.place(), gold)
	}
}

// TestLettering_CanStandAnywhere puts a name at every edge and corner, also beyond them, in films of several shapes.
func TestLettering_CanStandAnywhere(t *testing.T) {
	f := &fonts{}
	face, err := f.pick("Маша")
	if err != nil {
		t.Fatal(err)
	}
	for _, film := range [][2]int{{320, 180}, {180, 320}, {2, 2}} {
		for _, at := range [][2]float32{{0, 0}, {0.5, 0.999}, {0.999, 0.5}, {1, 1}, {0.5, 0.944}, {-0.2, 0.5}, {0.5, -0.2},
			{0.5, 1.4}, {1.4, 0.5}} {
			for _, size := range []area{{w: 16, h: 16}, {w: 150, h: 24}, {w: 300, h: 170}} {
				c := caption{
					box:  area{int(at[0] * float32(film[0])), int(at[1] * float32(film[1])), size.w, size.h},
					size: float32(size.h),
				}
				for _, animation := range []string{"dance", "fade", "rise", "none"} {
					drawAll(newLettering(face, "Маша", c.place(), gold), animation, film[0], film[1])
				}
			}
		}
	}
}

// drawAll draws something at moments of its whole appearance, on the sheet that it gets in a film, and as in a scene.
func drawAll(a animated, animation string, width, height int) {
	moments := []float32{-0.1, 0, 0.01, 0.2, 0.5, 0.8, 1, 1.5, 2, 2.6, 3.2, 3.6, 3.8, 3.95, 3.999, 4}
	whole := newOverlay(width, height)
	for _, now := range moments {
		whole.clear()
		a.animate(whole, animation, now, 0, 4)
	}
	s := newSheet(width, height, []shown{{a, animation, 0, 4 * time.Second}})
	o, buf := newOverlay(s.w, s.h), make([]byte, yuvaSize(s.w, s.h))
	for _, now := range moments {
		o.clear()
		s.things[0].draw(o, now)
		o.yuva(buf)
	}
}
