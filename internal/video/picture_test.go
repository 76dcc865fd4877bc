// picture_test.go lays pictures on a film, and asks for fonts by file and by name.

package video

import (
	"errors"
	"image"
	"testing"
	"testing/fstest"

	"github.com/go-fonts/dejavu/dejavusansbold"
)

func TestPicturesKeepTheirShape(t *testing.T) {
	files := templateFolder("")
	for name, c := range map[string]struct {
		file      string
		box       area
		want      image.Rectangle
		opacity   float32
		alpha     lanes
		red, blue image.Point
	}{
		"a wide one made larger": {"logo.png", area{10, 20, 80, 80}, image.Rect(10, 40, 90, 80), 1, 128, image.Pt(20, 60),
			image.Pt(80, 60)},
		"a wide one made smaller": {"logo.png", area{10, 20, 20, 80}, image.Rect(10, 55, 30, 65), 1, 128, image.Pt(12, 60),
			image.Pt(27, 60)},
		"a tall one": {"photo.jpg", area{0, 0, 100, 60}, image.Rect(35, 0, 65, 60), 1, 255, image.Pt(40, 30),
			image.Pt(60, 30)},
		"one that shines through": {"photo.jpg", area{0, 0, 100, 60}, image.Rect(35, 0, 65, 60), 0.5, 128, image.Pt(40, 30),
			image.Pt(60, 30)},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := newSticker(files, picture{file: c.file, box: c.box, opacity: c.opacity})
			if err != nil {
				t.Fatal(err)
			}
			o := newOverlay(100, 100)
			s.animate(o, "none", 1, 0, 4)
			if got := o.drawnBox(); got != c.want {
				t.Errorf("got it in %v; want %v", got, c.want)
			}
			red, blue := o.pix[c.red.Y*o.w+c.red.X], o.pix[c.blue.Y*o.w+c.blue.X]
			if red>>48 < c.alpha-3 || red>>48 > c.alpha+3 || red&255 < red>>48-8 || red>>32&255 > 8 ||
				blue>>32&255 < blue>>48-8 ||
				blue&255 > 8 {
				t.Errorf("got %x on the left and %x on the right; want red and blue with alpha %d", red, blue, c.alpha)
			}
		})
	}
}

func TestPicturesStayInTheirBounds(t *testing.T) {
	s, err := newSticker(templateFolder(""), picture{file: "logo.png", box: area{100, 100, 81, 81}, opacity: 1})
	if err != nil {
		t.Fatal(err)
	}
	s.shift(-20, 10)
	for _, animation := range []string{"fade", "rise", "none"} {
		o := newOverlay(300, 300)
		want := s.bounds(animation).around()
		if middle := image.Pt(120, 150); animation == "none" && (!middle.In(want) || want.Dx() > 90 || want.Dy() > 50) {
			t.Errorf("moved: got %v; want it around %v", want, middle)
		}
		for n := range 120 {
			o.clear()
			s.animate(o, animation, float32(n)/sceneRate, 0, 4)
			if r := o.drawnBox(); !r.In(want) {
				t.Fatalf("%s, frame %d: got %v; want nothing outside of %v", animation, n, r, want)
			}
		}
	}
}

func TestPicturesThatCannotBeShown(t *testing.T) {
	for _, file := range []string{"missing.png", "text.png", "wide.png", "film.mp4"} {
		if s, err := newSticker(templateFolder(""), picture{file: file, box: area{0, 0, 50, 50}}); err == nil {
			t.Errorf("%s: got %v; want an error", file, s)
		}
	}
	files := fstest.MapFS{"cut.png": {Data: encoded("png", 400, 300)[:200]}}
	if s, err := newSticker(files, picture{file: "cut.png", box: area{0, 0, 50, 50}}); err == nil {
		t.Errorf("half a file: got %v; want an error", s)
	}
}

func TestFontsThatACaptionAsksFor(t *testing.T) {
	f := &fonts{}
	builtIn, err := parseFont(dejavusansbold.TTF, 0)
	if err != nil {
		t.Fatal(err)
	}
	files := &fontFolder{templateFolder(""), map[string]*face{"bold.ttf": builtIn}}
	for name, c := range map[string]struct {
		asked, text string
		there       bool
		want        string // "the file", "the usual one"
	}{
		"a file of the folder":               {"bold.ttf", "Маша", true, "the file"},
		"a file that does not cover it":      {"bold.ttf", "\u9ed2", true, "the usual one"},
		"a file that is no font":             {"broken.ttf", "Маша", false, "the usual one"},
		"a file that is not there":           {"serif.ttf", "Маша", false, "the usual one"},
		"a family of this machine":           {"DejaVu Sans", "Маша", true, "the file"},
		"a family that nobody has installed": {"No Such Family", "Маша", false, "the usual one"},
		"nothing":                            {"", "Маша", false, "the usual one"},
	} {
		got, err := f.pickFor(files, c.asked, c.text)
		usual, usualErr := f.pick(c.text)
		switch {
		case !errors.Is(err, usualErr) && c.want == "the usual one":
			t.Errorf("%s: got %v; want %v", name, err, usualErr)
		case c.want == "the file" && (err != nil || got.faces[0] != builtIn && c.asked == "bold.ttf" || got.sum == usual.sum):
			t.Errorf("%s: got another font, or %v; want it", name, err)
		case c.want == "the usual one" && err == nil && got.sum != usual.sum:
			t.Errorf("%s: got another font; want the usual one", name)
		}
		if own, err := f.asked(files, c.asked); (own != nil) != c.there || err != nil {
			t.Errorf("%s: got that it is there: %v, %v; want %v", name, own != nil, err, c.there)
		}
	}
}
