// canvas.go holds the picture that everything is drawn on: floats of light, with the few brushes the scenes need.

package video

import (
	"image"
	"math"
	"slices"

	"golang.org/x/image/vector"
)

// rgb is light, 0 to 255 for each colour; sums may go higher until a frame is written out.
type rgb struct{ r, g, b float32 }

func mix(a, b rgb, t float32) rgb {
	return rgb{a.r + (b.r-a.r)*t, a.g + (b.g-a.g)*t, a.b + (b.b-a.b)*t}
}

func (c rgb) times(k float32) rgb { return rgb{c.r * k, c.g * k, c.b * k} }

// point is a place on the canvas in pixels, y downwards.
type point struct{ x, y float32 }

// view says where a canvas shows what is drawn: the place p of a scene is at pixel p·k + (x, y).
type view struct{ k, x, y float32 }

func (v view) at(x, y float32) (px, py float32) { return x*v.k + v.x, y*v.k + v.y }

// upright is the view of a canvas whose pixels are the places of the scene.
var upright = view{k: 1}

// canvas is w×h pixels of interleaved RGB floats. With cover, one float a pixel from 0 to 1, it knows where something
// was painted; colours are premultiplied then. All brushes but set take places of the scene, and follow the view.
type canvas struct {
	w, h  int
	pix   []float32
	cover []float32
	view  view
}

func newCanvas(w, h int) *canvas {
	return &canvas{w: w, h: h, pix: make([]float32, w*h*3), view: upright}
}

// dim multiplies the whole picture by k. A flame that is brighter than white goes dark with the rest.
//
//go:norace
func (c *canvas) dim(k float32) {
	for i, v := range c.pix {
		c.pix[i] = min(255, v) * k
	}
}

// set mixes a colour into one pixel with opacity a.
func (c *canvas) set(x, y int, col rgb, a float32) {
	if x < 0 || y < 0 || x >= c.w || y >= c.h {
		return
	}
	i := y*c.w + x
	p := c.pix[i*3 : i*3+3 : i*3+3]
	p[0] += (col.r - p[0]) * a
	p[1] += (col.g - p[1]) * a
	p[2] += (col.b - p[2]) * a
	if c.cover != nil {
		c.cover[i] += (1 - c.cover[i]) * a
	}
}

// shade mixes a colour and an opacity of its own into every pixel of a rectangle. Coordinates are pixel centres.
func (c *canvas) shade(x0, y0, x1, y1 float32, at func(x, y float32) (rgb, float32)) {
	v, inv := c.view, 1/c.view.k
	x0, y0 = v.at(x0, y0)
	x1, y1 = v.at(x1, y1)
	for y := max(0, int(y0)); y < min(c.h, int(y1)+1); y++ {
		for x := max(0, int(x0)); x < min(c.w, int(x1)+1); x++ {
			if col, a := at((float32(x)-v.x)*inv, (float32(y)-v.y)*inv); a > 0 {
				c.set(x, y, col, min(1, a))
			}
		}
	}
}

// fill paints the inside of a polygon, anti-aliased, with the colour that paint gives for each pixel.
func (c *canvas) fill(paint func(x, y float32) rgb, corners ...point) {
	v, inv := c.view, 1/c.view.k
	corners = slices.Clone(corners)
	for i, p := range corners {
		corners[i].x, corners[i].y = v.at(p.x, p.y)
	}
	x0, y0, x1, y1 := corners[0].x, corners[0].y, corners[0].x, corners[0].y
	for _, p := range corners {
		x0, x1 = min(x0, p.x), max(x1, p.x)
		y0, y1 = min(y0, p.y), max(y1, p.y)
	}
	left, top := int(x0)-1, int(y0)-1
	w, h := int(x1)-left+2, int(y1)-top+2
	r := vector.NewRasterizer(w, h)
	for i, p := range corners {
		if i == 0 {
			r.MoveTo(p.x-float32(left), p.y-float32(top))
		} else {
			r.LineTo(p.x-float32(left), p.y-float32(top))
		}
	}
	r.ClosePath()
	m := image.NewAlpha(image.Rect(0, 0, w, h))
	r.Draw(m, m.Bounds(), image.Opaque, image.Point{})
	for y := range h {
		for x := range w {
			if a := m.Pix[y*m.Stride+x]; a > 0 {
				c.set(left+x, top+y, paint((float32(left+x)-v.x)*inv, (float32(top+y)-v.y)*inv), float32(a)/255)
			}
		}
	}
}

// spot is a round patch of light, brightest in the middle: n×n strengths, 0 to 1.
type spot struct {
	n int
	a []float32
}

// newSpot makes a spot of radius r pixels; a higher power gathers the light in the middle.
func newSpot(r float32, power float64) *spot {
	// One empty pixel all around lets light read a neighbour without looking for the edge.
	n := int(r*2) + 5
	s := &spot{n, make([]float32, n*n)}
	c := float64(n-1) / 2
	for y := 1; y < n-1; y++ {
		for x := 1; x < n-1; x++ {
			if d := math.Hypot(float64(x)-c, float64(y)-c) / float64(r); d < 1 {
				s.a[y*n+x] = float32(math.Pow(1-d*d, power))
			}
		}
	}
	return s
}

// light adds a spot at a sub-pixel position: coloured, with strength k. The pixel loops are left out of the race
// detector: each canvas belongs to one goroutine, and tests would take minutes.
//
//go:norace
func (c *canvas) light(s *spot, x, y float32, col rgb, k float32) {
	if k <= 0.003 {
		return
	}
	x, y = c.view.at(x, y)
	if c.view.k != 1 {
		c.lightLarger(s, x, y, col, k)
		return
	}
	x -= float32(s.n) / 2
	y -= float32(s.n) / 2
	ix, iy := int(math.Floor(float64(x))), int(math.Floor(float64(y)))
	fx, fy := x-float32(ix), y-float32(iy)
	w00, w10, w01, w11 := (1-fx)*(1-fy)*k, fx*(1-fy)*k, (1-fx)*fy*k, fx*fy*k
	from, to := max(1, -ix), min(s.n, c.w-ix)
	if from >= to {
		return
	}
	for j := max(1, -iy); j < min(s.n, c.h-iy); j++ {
		here, above := s.a[j*s.n:(j+1)*s.n], s.a[(j-1)*s.n:j*s.n]
		row := c.pix[((iy+j)*c.w+ix+from)*3 : ((iy+j)*c.w+ix+to)*3]
		for i := from; i < to; i++ {
			a := here[i]*w00 + here[i-1]*w10 + above[i]*w01 + above[i-1]*w11
			if a > 0.002 {
				p := row[(i-from)*3 : (i-from)*3+3 : (i-from)*3+3]
				p[0] += col.r * a
				p[1] += col.g * a
				p[2] += col.b * a
			}
		}
	}
}

// lightLarger adds a spot at a pixel as large as the view makes it.
//
//go:norace
func (c *canvas) lightLarger(s *spot, x, y float32, col rgb, k float32) {
	half, inv := float32(s.n)/2*c.view.k, 1/c.view.k
	for py := max(0, int(y-half)); py < min(c.h, int(y+half)+1); py++ {
		v := (float32(py)-y)*inv + float32(s.n)/2
		iv := int(v)
		if v < 0 || iv >= s.n-1 {
			continue
		}
		lower := (v - float32(iv)) * k
		upper := k - lower
		above, below := s.a[iv*s.n:(iv+1)*s.n], s.a[(iv+1)*s.n:(iv+2)*s.n]
		row := c.pix[py*c.w*3 : (py+1)*c.w*3]
		from := max(0, int(x-half))
		u := (float32(from)-x)*inv + float32(s.n)/2
		for px := from; px < min(c.w, int(x+half)+1); px, u = px+1, u+inv {
			iu := int(u)
			if u < 0 || iu >= s.n-1 {
				continue
			}
			right := u - float32(iu)
			a := (above[iu]*(1-right)+above[iu+1]*right)*upper + (below[iu]*(1-right)+below[iu+1]*right)*lower
			if a > 0.002 {
				p := row[px*3 : px*3+3 : px*3+3]
				p[0] += col.r * a
				p[1] += col.g * a
				p[2] += col.b * a
			}
		}
	}
}

// cross adds four short rays to a bright point, the way a lens draws a star.
func (c *canvas) cross(x, y, length float32, col rgb, k float32) {
	x, y = c.view.at(x, y)
	length *= c.view.k
	for d := float32(1); d < length; d++ {
		f := k * (1 - d/length)
		for _, q := range [...]point{{d, 0}, {-d, 0}, {0, d}, {0, -d}} {
			c.set(int(x+q.x), int(y+q.y), col, f)
		}
	}
}

// smooth goes from 0 at x = a to 1 at x = b without a corner.
func smooth(a, b, x float32) float32 {
	t := min(1, max(0, (x-a)/(b-a)))
	return t * t * (3 - 2*t)
}

// overshoot goes from 0 to 1 and a little beyond on the way, like something that lands with a spring.
func overshoot(t float32) float32 {
	const back = 1.9
	if t <= 0 {
		return 0
	}
	u := min(1, t) - 1
	return 1 + (back+1)*u*u*u + back*u*u
}

func sin(x float32) float32 { return float32(math.Sin(float64(x))) }
func cos(x float32) float32 { return float32(math.Cos(float64(x))) }
func abs(x float32) float32 { return float32(math.Abs(float64(x))) }

func mod(x, m float32) float32 { return float32(math.Mod(float64(x), float64(m))) }

func hypot(x, y float32) float32 { return float32(math.Hypot(float64(x), float64(y))) }
