// newyear_land.go draws the land of the winter night: hills, forest, the cottage and its smoke.

package video

import (
	"math"
	"math/rand/v2"
)

// hill is a snowy slope: the height of its edge and its colours from the edge downwards.
type hill struct {
	base, rise, scale, seed float32
	upper, lower            rgb
}

// top is the height of the slope's edge at x.
func (h hill) top(x float32) float32 {
	x *= h.scale / 720
	return h.base - h.rise*(sin(x*1.7+h.seed)*0.55+sin(x*3.9+h.seed*2.3)*0.28+sin(x*8.1+h.seed*0.7)*0.08)
}

func (s *winterNight) drawHill(c *canvas, h hill) {
	c.shade(-8, h.base-2*h.rise, s.w+8, s.h+8, func(x, y float32) (rgb, float32) {
		depth := y - h.top(x)
		rim := (1 - smooth(0, 7, depth)) * 0.35
		return mix(mix(h.upper, h.lower, min(1, depth/s.haze)), rgb{255, 250, 255}, rim), depth + 1
	})
}

// drawLand draws the hills with all that stands on them, each as far away as it is.
func (s *winterNight) drawLand(r *rand.Rand) {
	far, middle, last := s.hills[0], s.hills[1], s.hills[2]
	c := newMat(box{-4, far.base - 2*far.rise - 90, s.w + 4, last.base + 40}, 1)
	s.drawHill(c, far)
	for range s.farFirs {
		x := r.Float32() * s.w
		drawFir(c, x, far.top(x)+3, 52+34*r.Float32(), 4, rgb{58, 66, 128}, rgb{160, 164, 222})
	}
	c.blur(1.4)
	s.far = c.cutout()

	c = newMat(box{-4, middle.base - 210, s.w + 4, last.base + 60}, fine)
	s.drawHill(c, middle)
	for range s.nearFirs {
		x := r.Float32() * s.w
		if x > s.clear[0] && x < s.clear[1] {
			x = s.grove[0] + mod(x, s.grove[1])
		}
		drawFir(c, x, middle.top(x)+4, 92+52*r.Float32(), 4, rgb{36, 58, 104}, rgb{196, 204, 246})
	}
	ground := point{s.cottage, middle.top(s.cottage) + 26}
	s.windows, s.chimney = drawCottage(c, ground)
	s.middle = c.cutout()

	foot := last.top(s.tree) + s.treeFoot
	c = newMat(box{-4, foot - treeTall*1.135 - 90, s.w + 4, s.h + 4}, fine)
	s.drawHill(c, last)
	c.light(newSpot(120, 2.5), ground.x, ground.y+34, rgb{255, 170, 90}, 0.22) // the cottage's light on the snow
	s.lamps = s.drawTree(c, r, foot)
	s.near = c.cutout()
}

// drawFir draws a snowy fir of the given height whose trunk ends at (x, y).
func drawFir(c *canvas, x, y, height float32, tiers int, body, snow rgb) {
	c.fill(func(px, _ float32) rgb { return rgb{52, 36, 44}.times(1 + 0.5*(px-x)/(height*0.07)) },
		point{x - height*0.035, y - height*0.10}, point{x + height*0.035, y - height*0.10},
		point{x + height*0.040, y + 2}, point{x - height*0.040, y + 2})
	for t := range tiers {
		f := float32(t) * 5 / float32(tiers)
		bottom := y - height*0.08 - height*0.19*f*0.92
		tall, half := height*0.36, height*(0.30-0.047*f)
		top := bottom - tall
		c.shade(x-half-2, top, x+half+2, bottom+height*0.03, func(px, py float32) (rgb, float32) {
			v, u := (py-top)/tall, (px-x)/half
			side := abs(u)
			slope := v * (0.90 + 0.10*v)
			hem := 1 + 0.055*cos(u*19)*smooth(0.6, 1, v) - 0.10*side*side
			inside := smooth(0, 0.03, slope-side) * (1 - smooth(hem-0.012, hem+0.012, v))
			if v < 0 || inside <= 0 {
				return rgb{}, 0
			}
			// Snow lies on the hem of each tier, on the flank towards the moon, and on the very top.
			white := smooth(hem-0.15, hem-0.06, v) * 0.9
			white = max(white, smooth(slope-0.10, slope-0.01, side)*0.55*smooth(-0.1, 0.2, u))
			if t == tiers-1 {
				white = max(white, 1-smooth(0.10, 0.24, v))
			}
			return mix(body.times(0.80+0.17*u+0.16*(1-v)), snow, white), inside
		})
	}
}

// drawCottage draws a log cottage that stands on the ground point; it returns the middles of its windows and the top
// of its chimney.
func drawCottage(c *canvas, ground point) (windows []point, chimney point) {
	const half, wall, roof = 59, 70, 56
	x, y := ground.x, ground.y
	eaves := y - wall
	timber := func(px, py float32) rgb {
		k := 0.8 + 0.2*(px-x)/(2*half)
		k *= 0.90 + 0.10*abs(sin((py-eaves)*math.Pi/9)) // logs
		return rgb{112, 66, 62}.times(k)
	}
	c.fill(timber, point{x - half, eaves}, point{x + half, eaves}, point{x + half, y}, point{x - half, y})
	c.fill(
		func(_, _ float32) rgb { return rgb{104, 62, 62} },
		point{
			x + 26,
			eaves - roof - 4,
		},
		point{x + 44, eaves - roof - 4},
		point{x + 44, eaves - 10},
		point{x + 26, eaves - 10},
	)
	c.fill(
		func(_, _ float32) rgb { return rgb{236, 240, 255} },
		point{
			x + 24,
			eaves - roof - 9,
		},
		point{x + 46, eaves - roof - 9},
		point{x + 45, eaves - roof - 1},
		point{x + 25, eaves - roof - 1},
	)
	c.fill(func(px, _ float32) rgb { return mix(rgb{236, 240, 255}, rgb{170, 182, 236}, (px-x)/(2*half)+0.5) },
		point{x - 6, eaves - roof}, point{x + 6, eaves - roof}, point{x + half + 16, eaves + 4},
		point{x + half + 12, eaves + 9}, point{x - half - 12, eaves + 9}, point{x - half - 16, eaves + 4})
	for _, left := range []float32{x - 37, x + 7} {
		drawWindow(c, left, eaves+19, 30, 32)
		windows = append(windows, point{left + 15, eaves + 35})
	}
	for _, w := range windows {
		c.light(newSpot(70, 2.4), w.x, w.y, rgb{255, 170, 70}, 0.34)
	}
	// A drift lies against the wall.
	c.shade(x-92, y-20, x+92, y+34, func(px, py float32) (rgb, float32) {
		q := (px - x) / 92
		edge := y - 13*(1-q*q) + 3*sin(q*7)
		a := smooth(edge-1, edge+1, py) * (1 - smooth(y, y+34, py)) * (1 - q*q*q*q)
		return mix(rgb{212, 216, 250}, rgb{146, 154, 220}, smooth(edge, y+30, py)), a
	})
	return windows, point{x + 35, eaves - roof - 10}
}

// drawWindow draws a lit window with a frame and a cross.
func drawWindow(c *canvas, left, top, w, h float32) {
	frame := func(_, _ float32) rgb { return rgb{92, 52, 44} }
	bar := func(x0, y0, x1, y1 float32) {
		c.fill(frame, point{x0, y0}, point{x1, y0}, point{x1, y1}, point{x0, y1})
	}
	bar(left-2, top-2, left+w+2, top+h+2)
	c.fill(func(_, y float32) rgb { return mix(rgb{255, 226, 140}, rgb{255, 176, 74}, (y-top)/h) },
		point{left, top}, point{left + w, top}, point{left + w, top + h}, point{left, top + h})
	bar(left+w/2-1.2, top, left+w/2+1.2, top+h)
	bar(left, top+h/2-1.2, left+w, top+h/2+1.2)
}

// drawCottageLight lets the windows glow, and soft puffs rise from the chimney and drift with the wind.
func (s *winterNight) drawCottageLight(c *canvas, t float32) {
	for i, w := range s.windows {
		c.light(s.glow, w.x, w.y, rgb{255, 170, 70}, 0.10+0.05*sin(t*3+float32(i)*2))
	}
	const puffs, life = 9, 4.5
	for i := range puffs {
		age := mod(t+life*float32(i)/puffs, life)
		q := age / life
		x := s.chimney.x + 6*sin(age*1.7+float32(i)) - 26*q*q
		c.light(s.smoke, x, s.chimney.y-8-92*q, rgb{150, 150, 190}, 0.22*smooth(0, 0.12, q)*(1-q))
	}
}
