// birthday_room.go draws where the party is: a wall in evening light, lights out of focus, bunting, and the table.

package video

import (
	"math"
	"math/rand/v2"
)

// drawWall paints the evening light: violet above, where the words are, and apricot behind the table.
func (s *party) drawWall() {
	c := s.wall
	stops := []struct {
		at  float32
		col rgb
	}{{0, rgb{44, 16, 74}}, {0.34, rgb{94, 28, 104}}, {0.62, rgb{168, 50, 112}}, {0.84, rgb{240, 112, 104}}, {1,
		rgb{255, 178, 122}}}
	for y := range c.h {
		t := min(1, float32(y)/s.back)
		k := 1
		for k < len(stops)-1 && t > stops[k].at {
			k++
		}
		col := mix(stops[k-1].col, stops[k].col, (t-stops[k-1].at)/(stops[k].at-stops[k-1].at))
		for x := range c.w {
			aside := float32(x)/s.w - 0.5
			c.set(x, y, col.times(1-0.5*aside*aside), 1)
		}
	}
	c.light(newSpot(430*s.cakeSize, 2.4), s.cake.x, s.cake.y-220*s.cakeSize, rgb{220, 150, 88}, 0.28)
}

// bokeh is a light far out of focus.
type bokeh struct {
	x, y, phase, strength float32
	size                  int
	col                   rgb
}

// newDisc makes a spot that is even inside and a little brighter at its rim, the way a lens draws what it does not see.
func newDisc(r float32) *spot {
	n := int(r*2) + 5
	s := &spot{n, make([]float32, n*n)}
	c := float32(n-1) / 2
	for y := 1; y < n-1; y++ {
		for x := 1; x < n-1; x++ {
			d := hypot(float32(x)-c, float32(y)-c)
			s.a[y*n+x] = (0.72 + 0.28*smooth(0.55, 0.95, d/r)) * (1 - smooth(r-2.2, r, d))
		}
	}
	return s
}

func (s *party) newBokeh(r *rand.Rand) []bokeh {
	for _, size := range []float32{10, 16, 24, 34, 46} {
		s.blurs = append(s.blurs, newDisc(size))
	}
	cols := []rgb{{255, 196, 110}, {255, 140, 150}, {255, 120, 190}, {255, 220, 160}, {255, 170, 120}}
	var discs []bokeh
	for range 44 {
		q := bokeh{
			r.Float32() * s.w,
			s.back * r.Float32(),
			r.Float32() * 6.28,
			0.05 + 0.10*r.Float32(),
			r.IntN(5),
			cols[r.IntN(5)],
		}
		discs = append(discs, q)
	}
	return discs
}

func (s *party) drawBokeh(c *canvas, t float32) {
	for _, q := range s.discs {
		k := q.strength * (0.65 + 0.35*sin(t*1.3+q.phase)) * (0.55 + 0.75*q.y/s.back)
		c.light(s.blurs[q.size], q.x+10*sin(t*0.35+q.phase), q.y-7*t+35, q.col, k*(1-smooth(s.back-90, s.back-20, q.y)))
	}
}

// flag is a pennant of the bunting, and how far the breeze has come when it swings.
type flag struct {
	picture *cutout
	phase   float32
}

// sew makes a flag that hangs between two places on the cord.
func sew(left, right point, col rgb, dotted bool) flag {
	dx, dy := right.x-left.x, right.y-left.y
	long := 1.12 * hypot(dx, dy)
	tip := point{(left.x+right.x)/2 - dy/2, (left.y+right.y)/2 + long}
	part := box{min(left.x, tip.x), min(left.y, right.y), max(right.x, tip.x), tip.y}
	c := newMat(box{part.x0 - 6, part.y0 - 6, part.x1 + 6, part.y1 + 6}, fine)
	c.fill(func(x, y float32) rgb {
		u := (x - left.x) / dx
		v := (y - left.y - dy*u) / long
		out := col.times(0.98 - 0.16*v + 0.08*sin(u*5))
		if dotted {
			row := float32(math.Floor(float64(v * 5)))
			at := u*4.5 + 0.5*mod(row+8, 2)
			d := hypot(at-float32(math.Floor(float64(at)))-0.5, v*5-row-0.5)
			out = mix(out, rgb{255, 248, 236}, 0.85*(1-smooth(0.20, 0.30, d)))
		}
		return mix(out, rgb{255, 246, 230}, 0.9*(1-smooth(0.075, 0.11, v)))
	}, left, right, tip)
	return flag{picture: c.cutout()}
}

// hangBunting draws the cord of the swags across the top, and hangs flags and lamps on it.
func (s *party) hangBunting(r *rand.Rand) {
	c := newMat(box{-4, 8, s.w + 4, s.drop + 24}, fine)
	wide := s.w / float32(s.swags)
	hang := func(t float32) float32 { return 16 + s.drop*4*t*(1-t) }
	for g := range s.swags {
		left := float32(g) * wide
		var cord []point
		for x := float32(0); x <= wide; x += 4 {
			cord = append(cord, point{left + x, hang(x/wide) - 1.5})
		}
		for x := wide; x >= 0; x -= 4 {
			cord = append(cord, point{left + x, hang(x/wide) + 1.5})
		}
		c.fill(func(_, _ float32) rgb { return rgb{255, 226, 196} }, cord...)
		for i := range s.flags {
			a, b := (float32(i)+0.10)/float32(s.flags), (float32(i)+0.90)/float32(s.flags)
			n := g*s.flags + i
			f := sew(point{left + wide*a, hang(a)}, point{left + wide*b, hang(b)}, partyColours[n%len(partyColours)], n%2 == 1)
			f.phase = -0.5 * float32(n)
			s.bunting = append(s.bunting, f)
			if i > 0 {
				at := float32(i) / float32(s.flags)
				s.lamps = append(s.lamps, lamp{x: left + wide*at, y: hang(at) + 7, size: 5.5, col: rgb{255, 206, 120},
					on: 0.15 + 1.0*(left+wide*at)/s.w, off: 0.55, phase: r.Float32() * 6.28, glow: 0.55})
			}
		}
	}
	s.cord = c.cutout()
}

// drawBunting lets a breeze go along the flags.
func (s *party) drawBunting(c *canvas, t float32) {
	c.put(s.cord)
	for _, f := range s.bunting {
		swing := sin(t*1.7+f.phase) + 0.5*sin(t*2.9+f.phase*1.6)
		c.paste(f.picture, f.picture.x+1.5*swing, f.picture.y, 1, 1)
	}
	for _, l := range s.lamps {
		l.draw(c, s.glow, t, s.answer(t))
	}
}

// drawTable draws the table with its cloth: the top, a scalloped hem, and the folds below.
func (s *party) drawTable(c *canvas) {
	const scallop = 80
	c.shade(-8, s.back-1, s.w+8, s.h+8, func(x, y float32) (rgb, float32) {
		hem := s.edge + 26*abs(sin(math.Pi*x/scallop))
		aside := (x - s.cake.x) / s.w
		lit := 1 - 0.30*aside*aside
		if y < s.edge {
			far := (y - s.back) / (s.edge - s.back)
			return mix(rgb{250, 206, 178}, rgb{255, 236, 214}, far).times(lit), min(1, y-s.back+1)
		}
		fold := 0.90 + 0.07*sin(x*math.Pi/40+1.2*sin(x*0.013)) + 0.03*sin(x*0.21)
		cloth := mix(rgb{244, 128, 146}, rgb{206, 66, 118}, (y-s.edge)/(s.h-s.edge)).times(fold * lit)
		cloth = mix(cloth, cloth.times(0.72), (1-smooth(0, 22, y-hem))*smooth(-1, 1, y-hem)) // the hem's shadow
		lace := mix(rgb{255, 240, 222}, rgb{255, 222, 200}, (y-s.edge)/26).times(lit)
		return mix(lace, cloth, smooth(-0.8, 0.8, y-hem)), 1
	})
}
