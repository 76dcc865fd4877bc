// newyear_sky.go draws what is above the horizon: sky, moon, stars, garland, and the snow in front of it all.

package video

import "math/rand/v2"

type star struct{ x, y, size, phase, speed, strength float32 }

type flake struct{ x, y, fall, size, phase, sway, strength, depth float32 }

// lamp is a bulb that breathes, and is lit at a time.
type lamp struct {
	x, y, size float32
	col        rgb
	on, off    float32 // the second at which it is lit, and how bright it is before
	phase      float32
	glow       float32 // strength of the light around it
}

var lampColours = []rgb{{255, 190, 70}, {255, 80, 80}, {90, 220, 120}, {90, 170, 255}, {255, 120, 220}}

func (s *winterNight) drawSky(r *rand.Rand) {
	c := s.sky
	zenith, high, low, horizon := rgb{7, 10, 40}, rgb{22, 30, 92}, rgb{70, 62, 140}, rgb{216, 132, 150}
	for y := range c.h {
		t := float32(y) / s.h / s.horizon
		var col rgb
		switch {
		case t < 0.45:
			col = mix(zenith, high, t/0.45)
		case t < 0.8:
			col = mix(high, low, (t-0.45)/0.35)
		default:
			col = mix(low, horizon, min(1, (t-0.8)/0.2))
		}
		for x := range c.w {
			aside := float32(x)/s.w - 0.5
			c.set(x, y, col.times(1-0.56*aside*aside), 1)
		}
	}
	dust := newSpot(1.1, 1)
	for range 500 { // the Milky Way
		t := r.Float32()
		x, y := s.w*(t*1.3-0.15), s.h*(0.42-0.34*t)+float32(r.NormFloat64())*64
		c.light(dust, x, y, rgb{150, 160, 220}, 0.10+0.35*r.Float32())
	}
	drawMoon(c, s.moon)
}

func drawMoon(c *canvas, moon disc) {
	c.light(newSpot(moon.r*5.2, 3.2), moon.x, moon.y, rgb{120, 130, 210}, 0.55)
	c.light(newSpot(moon.r*2.2, 2), moon.x, moon.y, rgb{190, 190, 230}, 0.45)
	craters := []struct{ x, y, r float32 }{{-0.3, -0.25, 0.30}, {0.25, 0.3, 0.24}, {0.35, -0.35, 0.16}, {-0.2, 0.45, 0.18}}
	c.shade(moon.x-moon.r-2, moon.y-moon.r-2, moon.x+moon.r+2, moon.y+moon.r+2, func(x, y float32) (rgb, float32) {
		dx, dy := (x-moon.x)/moon.r, (y-moon.y)/moon.r
		v := 1 - 0.16*smooth(-0.6, 1.1, dy*0.6-dx*0.7)
		for _, q := range craters {
			v -= 0.085 * (1 - smooth(q.r*0.55, q.r, hypot(dx-q.x, dy-q.y)))
		}
		return rgb{255, 246, 222}.times(v), 1 - smooth(1-1.5/moon.r, 1+1.5/moon.r, hypot(dx, dy))
	})
}

func (s *winterNight) newStars(r *rand.Rand) []star {
	var stars []star
	for len(stars) < 150 {
		y := r.Float32()
		q := star{r.Float32() * s.w, y * y * s.h * 0.62, 0.9 + 1.6*r.Float32()*r.Float32(),
			r.Float32() * 6.28, 1 + 3*r.Float32(), 0.35 + 0.65*r.Float32()}
		if hypot(q.x-s.moon.x, q.y-s.moon.y) > s.moon.r*1.5 {
			stars = append(stars, q)
		}
	}
	return stars
}

func (s *winterNight) drawStars(c *canvas, t float32) {
	for _, q := range s.stars {
		k := q.strength * (0.55 + 0.45*sin(t*q.speed+q.phase))
		c.light(s.flakeSpot(q.size*1.5), q.x, q.y, rgb{225, 230, 255}, k)
		if q.size > 2 {
			c.cross(q.x, q.y, 7, rgb{235, 240, 255}, k*0.5)
		}
	}
}

// hangGarland draws the wire of the swags across the top and returns their lamps, lit from left to right.
func (s *winterNight) hangGarland(r *rand.Rand) []lamp {
	const bulbs = 9
	c := newMat(box{-4, -8, s.w + 4, s.drop + 40}, fine)
	wide := s.w / float32(s.swags)
	hang := func(t float32) float32 { return 20 + s.drop*4*t*(1-t) }
	var lamps []lamp
	for g := range s.swags {
		left := float32(g) * wide
		var wire []point
		for x := float32(0); x <= wide; x += 4 {
			wire = append(wire, point{left + x, hang(x/wide) - 1.6})
		}
		for x := wide; x >= 0; x -= 4 {
			wire = append(wire, point{left + x, hang(x/wide) + 1.6})
		}
		c.fill(func(_, _ float32) rgb { return rgb{14, 36, 36} }, wire...)
		for i := range bulbs {
			t := (float32(i) + 0.5) / bulbs
			lamps = append(lamps, lamp{x: left + wide*t, y: hang(t) + 12, size: 7.5, col: lampColours[len(lamps)%5],
				on: 0.15 + s.lampPace*float32(len(lamps)), off: 0.55, phase: r.Float32() * 6.28, glow: 0.62})
		}
	}
	s.wires = c.cutout()
	return lamps
}

// drawLamps draws lamps, which answer the voice.
func (s *winterNight) drawLamps(c *canvas, lamps []lamp, t float32) {
	for _, l := range lamps {
		l.draw(c, s.glow, t, s.answer(t))
	}
}

func (l lamp) draw(c *canvas, glow *spot, t, answer float32) {
	k := (l.off + (1-l.off)*smooth(l.on, l.on+0.25, t)) * (0.60 + 0.40*sin(t*2.8+l.phase)) * (1 + 0.5*answer)
	c.light(glow, l.x, l.y, l.col, l.glow*k)
	c.shade(l.x-l.size-1, l.y-l.size-1, l.x+l.size+1, l.y+l.size+1, func(x, y float32) (rgb, float32) {
		d := hypot(x-l.x, y-l.y) / l.size
		hot := (1 - smooth(0, 0.75, d)) * min(1, k) * 0.9
		return mix(l.col.times(0.45+0.55*min(1, k)), rgb{255, 255, 245}, hot), 1 - smooth(0.72, 1, d)
	})
}

// newSnow makes three depths of snow: fine and far, near, and a few soft flakes right before the lens.
func (s *winterNight) newSnow(r *rand.Rand) []flake {
	flakes := make([]flake, 230)
	for i := range flakes {
		f := flake{x: r.Float32() * s.w * 1.1, y: r.Float32() * s.h, phase: r.Float32() * 6.28}
		switch depth := r.Float32(); {
		case depth < 0.62:
			f.size, f.fall, f.sway, f.strength, f.depth = 1.5+r.Float32()*0.9, 46+22*r.Float32(), 9, 0.62, 0.5
		case depth < 0.95:
			f.size, f.fall, f.sway, f.strength, f.depth = 2.6+r.Float32()*1.7, 84+34*r.Float32(), 17, 0.80, 1
		default:
			f.size, f.fall, f.sway, f.strength, f.depth = 9+r.Float32()*7, 150+70*r.Float32(), 30, 0.26, 1.5
		}
		flakes[i] = f
	}
	return flakes
}

func (s *winterNight) drawSnow(c *canvas, at framing, t float32) {
	for _, f := range s.flakes {
		c.view = at.through(f.depth, s.w, s.h)
		y := mod(f.y+f.fall*t, s.h+40) - 20
		x := f.x + f.sway*sin(t*0.9+f.phase) - 14*t
		x = mod(x+s.w*1.1, s.w*1.1) - s.w*0.05
		c.light(s.flakeSpot(f.size), x, y, rgb{235, 240, 255}, f.strength)
	}
}

// newFlakeSpots makes the soft dots that stars and flakes share.
func newFlakeSpots() []*spot {
	spots := make([]*spot, 12)
	for i := range spots {
		spots[i] = newSpot(max(1.2, (float32(i)+0.8)/0.7), 1.3)
	}
	return spots
}

func (s *winterNight) flakeSpot(size float32) *spot {
	return s.flakeSpots[min(len(s.flakeSpots)-1, int(size*0.7))]
}
