// newyear.go is the built-in template "new-year": a winter night, a tree that lights up, a name in gold.

package video

import "embed"

// The scene is a portrait film of ten seconds. The name is on screen from frame nameFrom up to, not including, nameTo.
const (
	sceneName   = "new-year"
	sceneWidth  = 720
	sceneHeight = 1280
	sceneRate   = 30 // frames a second
	sceneFrames = 300
	nameFrom    = 60
	nameTo      = 195

	sceneSeconds = float32(sceneFrames) / sceneRate
	nameIn       = float32(nameFrom) / sceneRate
	nameOut      = float32(nameTo) / sceneRate
)

// namePlace is where the name stands: between the greeting and the moon.
var namePlace = place{x: sceneWidth / 2, y: 432, maxW: 632, maxH: 258, maxSize: 200}

// wishes are the fixed lines of a language.
type wishes struct{ greeting, farewell string }

var sceneWishes = map[string]wishes{
	"ru": {"С Новым годом,", "Счастья и чудес!"},
	"en": {"Happy New Year,", "May your year sparkle!"},
}

// sceneSource is the code that draws and sounds: part of the key of a prepared template, so that nobody has to
// remember to raise a version number after changing a colour.
//
//go:embed newyear*.go canvas.go yuv.go layer.go shaping.go lettering.go jingle.go reverb.go
var sceneSource embed.FS

// scene is everything that is the same in all languages. It is read-only once made: frames may be drawn concurrently.
type scene struct {
	base       *canvas // all that stands still
	stars      []star
	lamps      []lamp // garland, then tree
	windows    []point
	flakes     []flake
	fireworks  []firework
	chimney    point
	flakeSpots []*spot // by size
	glow       *spot
	smoke      *spot
	dither     *dither
}

// sceneText is what one language adds to the scene.
type sceneText struct{ greeting, farewell *lettering }

func newSceneText(f *fonts, w wishes) (sceneText, error) {
	face, err := f.pick(w.greeting + w.farewell)
	if err != nil {
		return sceneText{}, err
	}
	return sceneText{
		greeting: newLettering(face, w.greeting, place{x: sceneWidth / 2, y: 236, maxW: 590, maxH: 110, maxSize: 72}, silver),
		farewell: newLettering(face, w.farewell, place{x: sceneWidth / 2, y: 388, maxW: 620, maxH: 280, maxSize: 104}, gold),
	}, nil
}

// draw makes frame n without any text.
func (s *scene) draw(c *canvas, n int) {
	t := float32(n) / sceneRate
	copy(c.pix, s.base.pix)
	s.drawStars(c, t)
	s.drawSmoke(c, t)
	s.drawLamps(c, t)
	s.drawShow(c, t)
	s.drawSnow(c, t)
	// The film comes out of the dark and goes back into it.
	if k := smooth(-0.25, 0.5, t) * (1 - 0.9*smooth(sceneSeconds-0.5, sceneSeconds-0.02, t)); k < 0.999 {
		c.dim(k)
	}
}

// draw adds the fixed lines of frame n.
func (x sceneText) draw(c *canvas, n int) {
	t := float32(n) / sceneRate
	if k := smooth(0.7, 1.5, t) * (1 - smooth(nameOut-0.45, nameOut-0.05, t)); k > 0 {
		x.greeting.fade(c, k, 14*(1-smooth(0.7, 1.5, t)))
	}
	if t > nameOut {
		// It stays until the film goes dark, so its own farewell lies beyond the end.
		x.farewell.dance(c, t, nameOut+0.05, sceneSeconds+5)
	}
}
