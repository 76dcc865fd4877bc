// scenes.go holds what all built-in templates share: the list of their moving pictures, and the words and times in
// files.

package video

import "embed"

// sceneRate is how many frames a second a scene has.
const sceneRate = 30

// scene is an animated picture, which a built-in template has instead of a film. It is read-only once made.
type scene struct {
	story
	draw   func(c *canvas, n int) // draws frame n without words, from many goroutines, each with a canvas of its own
	music  func() stereo          // of the length of the film
	dither *dither
}

// plot is a scene that is not made yet.
type plot struct {
	story
	make func(w, h int, s story) *scene // for a picture of w by h pixels: 720×1280 or 1280×720
}

// stage makes the scene.
func (p plot) stage(w, h int) *scene { return p.make(w, h, p.story) }

// scenes are the scenes by name.
var scenes = map[string]plot{
	"new-year":      {shortStory, newYear},
	"new-year-long": {longStory, newYear},
	"birthday":      {shortStory, birthday},
	"birthday-long": {longStory, birthday},
}

// sceneSource is the code that draws and sounds: part of the key of a prepared template, so that nobody has to
// remember to raise a version number after changing a colour.
//
//go:embed newyear*.go birthday*.go scenes.go stage.go canvas.go yuv.go layer.go overlay.go picture.go cutout.go
//go:embed shaping.go lettering.go
//go:embed jingle.go reverb.go prepare.go template.go film.go frames.go fonts.go fontfiles.go designfile.go phrase.go
var sceneSource embed.FS

// builtIn holds the built-in templates: a folder each, named after the template, with its template.toml.
//
//go:embed templates
var builtIn embed.FS

// carve paints what at says of every place in a rectangle: its colour, and whether anything is there. It looks at
// sixteen places in each pixel, so that shapes made of formulas have smooth edges; too slow for every frame.
func (c *canvas) carve(x0, y0, x1, y1 float32, at func(x, y float32) (rgb, bool)) {
	const grid = 4
	step := 1 / c.view.k / grid
	c.shade(x0-1, y0-1, x1+1, y1+1, func(px, py float32) (rgb, float32) {
		var sum rgb
		var n float32
		for k := range grid * grid {
			x, y := px+(float32(k%grid)-(grid-1)/2.0)*step, py+(float32(k/grid)-(grid-1)/2.0)*step
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

// project fills the canvas with a picture of the whole scene, as the view shows it.
//
//go:norace
func (c *canvas) project(from *canvas) {
	if c.view == upright {
		copy(c.pix, from.pix)
		return
	}
	inv := 1 / c.view.k
	for y := range c.h {
		v := min(max(0, (float32(y)-c.view.y)*inv), float32(from.h-1)-0.001)
		iv := int(v)
		lower := v - float32(iv)
		above := from.pix[iv*from.w*3:]
		below := from.pix[(iv+1)*from.w*3:]
		out := c.pix[y*c.w*3 : (y+1)*c.w*3]
		for x := range c.w {
			u := min(max(0, (float32(x)-c.view.x)*inv), float32(from.w-1)-0.001)
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
