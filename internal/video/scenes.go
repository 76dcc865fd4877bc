// scenes.go holds what all built-in templates share: the list of their moving pictures, and the words and times in
// files.

package video

import (
	"embed"
	"sync"
)

// sceneRate is how many frames a second a scene has.
const sceneRate = 30

// scene is an animated picture, which a built-in template has instead of a film. It is read-only once made.
type scene struct {
	frames int                    // at sceneRate frames a second
	draw   func(c *canvas, n int) // draws frame n without words, from many goroutines, each with a canvas of its own
	music  func() stereo          // of the length of the film
	dither *dither
}

// scenes makes the scenes by name, for a picture of w by h pixels: 720×1280 or 1280×720.
var scenes = map[string]func(w, h int) *scene{"new-year": newYear, "birthday": birthday}

// sceneSource is the code that draws and sounds: part of the key of a prepared template, so that nobody has to
// remember to raise a version number after changing a colour.
//
//go:embed newyear*.go birthday*.go scenes.go canvas.go yuv.go layer.go overlay.go picture.go cutout.go
//go:embed shaping.go lettering.go
//go:embed jingle.go reverb.go prepare.go template.go film.go frames.go fonts.go fontfiles.go designfile.go phrase.go
var sceneSource embed.FS

// builtIn holds the built-in templates: a folder each, named after the template, with its template.toml.
//
//go:embed templates
var builtIn embed.FS

// Both scenes are films of ten seconds in which the name appears at the same moments: the music announces the first.
const (
	sceneFrames  = 300
	sceneSeconds = float32(sceneFrames) / sceneRate
	nameIn       = float32(2)   // second
	farewellIn   = float32(6.5) // second
	nameAgain    = float32(8.3) // second
)

// dusk is how bright a scene, and everything written on it, still is at a second: it goes dark in its last half second.
// It begins in full light, because the first frame is what galleries show of a video.
func dusk(t float32) float32 { return 1 - 0.8*smooth(sceneSeconds-0.5, sceneSeconds-0.02, t) }

// curtain lets the film go into the dark.
func (c *canvas) curtain(t float32) {
	if k := dusk(t); k < 0.999 {
		c.dim(k)
	}
}

// dusking is drawn after everything that is written on a scene, and takes it into the dark with the scene.
type dusking struct{}

func (dusking) bounds(string) box      { return nothing }
func (dusking) shift(float32, float32) {}
func (dusking) animate(o *overlay, _ string, now, _, _ float32) {
	if k := dusk(now); k < 0.999 {
		o.dim(k)
	}
}

// withDusk adds it to what a design shows, unless an author's film, which fades as it likes, lies below.
func (d *design) withDusk(things []shown) []shown {
	if d.scene == "" || len(things)+len(d.images) == 0 {
		return things
	}
	return append(things, shown{animated: dusking{}})
}

// camera is how large a scene is seen at a second, around a point of interest: it begins close to what the scene is
// about, draws back until the name comes, and goes closer again for the farewell. While a name is shown it rests,
// because a picture that moves is what takes an encoder's time.
func camera(t float32) float32 {
	return 1 + 0.16*(1-smooth(0.1, nameIn-0.1, t)) + 0.07*smooth(farewellIn, nameAgain-0.1, t)
}

// carve paints what at says of every place in a rectangle: its colour, and whether anything is there. It looks at
// sixteen places in each pixel, so that shapes made of formulas have smooth edges; too slow for every frame.
func (c *canvas) carve(x0, y0, x1, y1 float32, at func(x, y float32) (rgb, bool)) {
	const grid = 4
	c.shade(x0-1, y0-1, x1+1, y1+1, func(px, py float32) (rgb, float32) {
		var sum rgb
		var n float32
		for k := range grid * grid {
			x, y := px+(float32(k%grid)+0.5)/grid-0.5, py+(float32(k/grid)+0.5)/grid-0.5
			if col, ok := at(x, y); ok {
				sum, n = rgb{sum.r + col.r, sum.g + col.g, sum.b + col.b}, n+1
			}
		}
		return sum.times(1 / max(1, n)), n / (grid * grid)
	})
}

// lit is a colour in warm light: less of it leaves more of the red than of the rest, so that white is never grey.
func (c rgb) lit(k float32) rgb { return rgb{c.r * (0.45 + 0.55*k), c.g * k, c.b * (0.12 + 0.88*k)} }

// ball paints a shiny ball that is lit from the upper left.
func (c *canvas) ball(x, y, r float32, col rgb) {
	c.carve(x-r, y-r, x+r, y+r, func(px, py float32) (rgb, bool) {
		u, v := (px-x)/r, (py-y)/r
		shine := 1 - smooth(0, 0.34, hypot(u+0.36, v+0.40))
		return mix(col.lit(1.06-0.36*smooth(0, 1.5, hypot(u+0.35, v+0.45))), rgb{255, 255, 255}, 0.75*shine), u*u+v*v < 1
	})
}

// lenses are canvases' pixels that zoom borrows: it needs a second picture for a moment.
var lenses sync.Pool

// zoom makes the picture k times as large, 1 or more, around a point that stays where it is.
//
//go:norace
func (c *canvas) zoom(k float32, at point) {
	if k <= 1 {
		return
	}
	seen, _ := lenses.Get().(*[]float32)
	if seen == nil || len(*seen) != len(c.pix) {
		pix := make([]float32, len(c.pix))
		seen = &pix
	}
	defer lenses.Put(seen)
	copy(*seen, c.pix)
	step := 1 / k
	for y := range c.h {
		v := min(max(0, (float32(y)-at.y)*step+at.y), float32(c.h-1)-0.001)
		iv := int(v)
		lower := v - float32(iv)
		above := (*seen)[iv*c.w*3:]
		below := (*seen)[min(iv+1, c.h-1)*c.w*3:]
		out := c.pix[y*c.w*3 : (y+1)*c.w*3]
		for x := range c.w {
			u := min(max(0, (float32(x)-at.x)*step+at.x), float32(c.w-1)-0.001)
			iu := int(u)
			right := u - float32(iu)
			p, q := above[iu*3:iu*3+6:iu*3+6], below[iu*3:iu*3+6:iu*3+6]
			w00, w10, w01, w11 := (1-right)*(1-lower), right*(1-lower), (1-right)*lower, right*lower
			for i := range 3 {
				out[x*3+i] = p[i]*w00 + p[i+3]*w10 + q[i]*w01 + q[i+3]*w11
			}
		}
	}
}
