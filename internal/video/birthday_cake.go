// birthday_cake.go draws the sweets: the cake on its stand with its candles, sparklers, cupcakes.

package video

import (
	"math"
	"math/rand/v2"
)

// flat is how much a circle that lies on the table is flattened.
const flat = 0.17

// tier is one storey of the cake.
type tier struct {
	x, y, half, height float32 // the middle of its bottom, half its width
	cake, icing        rgb
}

// top is the height of its upper surface.
func (q tier) top() float32 { return q.y - q.height }

// round is how bright a standing cylinder is at u, from -1, its left edge, to 1.
func round(u float32) float32 {
	return 0.76 + 0.30*float32(math.Sqrt(float64(max(0, 1-u*u)))) - 0.10*u
}

func (q tier) draw(c *canvas, r *rand.Rand) {
	drips := make([]float32, 15)
	for i := range drips {
		drips[i] = q.height * (0.10 + 0.30*r.Float32())
	}
	top := q.top()
	c.carve(q.x-q.half, top-flat*q.half, q.x+q.half, q.y+flat*q.half, func(px, py float32) (rgb, bool) {
		u := (px - q.x) / q.half
		if u <= -1 || u >= 1 {
			return rgb{}, false
		}
		bulge := flat * q.half * float32(math.Sqrt(float64(1-u*u)))
		if abs(py-top) <= bulge { // seen from above
			v := (py - top) / (flat * q.half)
			return q.icing.times(1.0 + 0.04*v - 0.05*u), true
		}
		depth := py - top - bulge
		if depth < 0 || py > q.y+bulge {
			return rgb{}, false
		}
		// Icing runs down in drops; they stand closer towards the sides, for there the wall turns away.
		turn := float32(math.Asin(float64(u)))/math.Pi + 0.5
		at := turn * float32(len(drips))
		i := min(len(drips)-1, int(at))
		from := at - float32(i) - 0.5
		run := q.height * 0.07
		if w := from / 0.40; abs(w) < 1 {
			run += drips[i] * float32(math.Pow(float64(1-w*w), 0.30))
		}
		k := round(u) * (1.03 - 0.13*depth/q.height)
		if depth < run {
			return q.icing.lit(k * (1.0 + 0.06*smooth(8, 0, run-depth))), true
		}
		return q.cake.lit(k * (1 - 0.16*(1-smooth(0, 6, depth-run)))), true
	})
}

// pearls lays a ring of piped cream around the foot of the tier: the part of it that is seen.
func (q tier) pearls(c *canvas, n int, size float32) {
	for i := range n {
		turn := (float32(i)+0.5)/float32(n)*math.Pi - math.Pi/2
		x, y := q.x+(q.half+1)*sin(turn), q.y+flat*q.half*cos(turn)
		c.ball(x, y-size*0.3, size, cream.lit(0.80+0.2*cos(turn)))
	}
}

// cherries sets cherries on dollops of cream, on the ledge of the tier before the next one.
func (q tier) cherries(c *canvas, ring float32, n int, size float32) {
	for i := range n {
		turn := (float32(i)/float32(n-1) - 0.5) * math.Pi * 0.86
		x, y := q.x+ring*sin(turn), q.top()+flat*ring*cos(turn)
		c.ball(x, y-size*0.35, size*1.15, cream)
		c.ball(x, y-size*1.35, size, rgb{214, 26, 60})
	}
}

// drawCake draws the cake on its stand and remembers where its candles and sparklers are.
func (s *party) drawCake(c *canvas, r *rand.Rand) {
	x, k := s.cake.x, s.cakeSize
	ellipse := func(y, half float32, col func(u, v float32) rgb) {
		c.carve(x-half, y-flat*half, x+half, y+flat*half, func(px, py float32) (rgb, bool) {
			u, v := (px-x)/half, (py-y)/(flat*half)
			return col(u, v), u*u+v*v < 1
		})
	}
	y := s.cake.y
	c.shade(x-190*k, y-26*k, x+190*k, y+34*k, func(px, py float32) (rgb, float32) { // its shadow on the cloth
		d := (px-x)*(px-x)/(190*190*k*k) + (py-y-4*k)*(py-y-4*k)/(30*30*k*k)
		return rgb{170, 84, 108}, 0.55 * max(0, 1-d)
	})
	china := func(u, v float32) rgb { return rgb{255, 240, 236}.lit(0.92 - 0.14*u + 0.04*v) }
	ellipse(y, 84*k, china)
	plate := y - 40*k
	c.carve(x-40*k, plate, x+40*k, y, func(px, py float32) (rgb, bool) {
		v := (py - plate) / (y - plate)
		half := (17 + 44*v*v*v*v) * k
		return rgb{246, 220, 220}.lit(round((px-x)/half) * 0.95), abs(px-x) < half
	})
	ellipse(plate+7*k, 196*k, func(u, v float32) rgb { return rgb{222, 164, 96}.times(0.95 - 0.2*u) })
	ellipse(plate, 196*k, func(u, v float32) rgb {
		if u*u+v*v > 0.93 {
			return rgb{255, 214, 136}.times(1 - 0.12*u)
		}
		return rgb{255, 238, 232}.lit(0.97 - 0.08*u)
	})
	tiers := []tier{
		{x, plate - 1*k, 158 * k, 96 * k, rgb{255, 176, 198}, rgb{255, 246, 236}},
		{x, plate - 97*k, 112 * k, 84 * k, rgb{255, 240, 222}, rgb{232, 62, 112}},
		{x, plate - 181*k, 68 * k, 66 * k, rgb{170, 226, 214}, rgb{255, 246, 236}},
	}
	for i, q := range tiers {
		c.shade(
			q.x-q.half*1.12,
			q.y-flat*q.half*1.2,
			q.x+q.half*1.12,
			q.y+flat*q.half*1.3,
			func(px, py float32) (rgb, float32) {
				u, v := (px-q.x)/(q.half*1.12), (py-q.y)/(flat*q.half*1.3)
				return rgb{150, 60, 90}, 0.5 * max(0, 1-u*u-v*v)
			},
		)
		q.draw(c, r)
		q.sprinkle(c, r, i)
	}
	tiers[0].pearls(c, 19, 8.6*k)
	tiers[2].pearls(c, 9, 6.2*k)
	tiers[0].cherries(c, 137*k, 9, 8*k)
	for _, side := range []float32{-1, 1} {
		q := tiers[1]
		s.sparks = append(s.sparks, s.newFountain(c, r, point{x + side*92*k, q.top()}, k))
	}
	s.standCandles(c, tiers[2], k)
}

// sprinkle strews what tells the tiers apart: sugar strands, golden dots, hearts.
func (q tier) sprinkle(c *canvas, r *rand.Rand, kind int) {
	on := func(turn, down float32) (x, y, k float32) {
		return q.x + q.half*sin(turn), q.top() + down*q.height + flat*q.half*cos(turn), cos(turn)
	}
	size := q.height / 96
	switch kind {
	case 0:
		for range 60 {
			x, y, k := on((r.Float32()-0.5)*2.9, 0.50+0.42*r.Float32())
			tilt, col := r.Float32()*math.Pi, partyColours[r.IntN(len(partyColours))]
			c.carve(x-6, y-6, x+6, y+6, func(px, py float32) (rgb, bool) {
				u, v := (px-x)*cos(tilt)+(py-y)*sin(tilt), (py-y)*cos(tilt)-(px-x)*sin(tilt)
				u /= 0.25 + 0.75*k
				return col.lit(0.75 + 0.3*k), hypot(max(0, abs(u)-3.2*size), v) < 1.7*size
			})
		}
	case 1:
		for row := range 2 {
			for i := range 9 {
				x, y, k := on((float32(i)-4+0.5*float32(row))*0.36, 0.62+0.20*float32(row))
				c.ball(x, y, 3.2*size*(0.5+0.5*k), rgb{255, 204, 104}.lit(0.75+0.25*k))
			}
		}
	case 2:
		for i := range 5 {
			x, y, k := on((float32(i)-2)*0.55, 0.74)
			c.carve(x-9*size, y-9*size, x+9*size, y+9*size, func(px, py float32) (rgb, bool) {
				u, v := (px-x)/(8.4*size*(0.3+0.7*k)), -(py-y)/(8.4*size)
				d := u*u + v*v - 0.55
				return raspberry.lit(0.80 + 0.25*k), d*d*d-u*u*v*v*v < 0
			})
		}
	}
}

// candle is one candle of the cake: where its flame is.
type candle struct {
	flame point
	phase float32
	size  float32
	lit   float32 // the second at which it is
}

func (s *party) standCandles(c *canvas, q tier, k float32) {
	cols := []rgb{sky, amber, raspberry, mint, lilac}
	for _, i := range []int{0, 4, 1, 3, 2} { // from the back to the front
		aside := (float32(i) - 2) / 2
		x, y := q.x+q.half*0.76*aside, q.top()+flat*q.half*(0.50-1.0*aside*aside)
		wide, tall := 5*k, 58*k
		c.carve(x-wide, y-tall-2, x+wide, y+2*k, func(px, py float32) (rgb, bool) {
			u := (px - x) / wide
			stripe := mod((py-y)/(9*k)+u*0.55+40, 2)
			col := cream
			if stripe < 1 {
				col = cols[i]
			}
			bottom := y + 2*k*(1-u*u)
			return col.lit(round(u)), abs(u) < 1 && py < bottom && py > y-tall+1.5*k*u*u
		})
		c.carve(x-0.9*k, y-tall-8*k, x+0.9*k, y-tall, func(_, _ float32) (rgb, bool) { return rgb{70, 40, 50}, true })
		s.candles = append(s.candles, candle{point{x, y - tall - 6*k}, float32(i) * 1.7, k, s.lights + 0.42*float32(i)})
	}
}

// drawCandles draws the flames, which answer the voice; each one makes the room a little warmer.
func (s *party) drawCandles(c *canvas, t float32) {
	var warm float32
	for _, q := range s.candles {
		burns := overshoot((t - q.lit) / 0.4)
		if burns <= 0 {
			continue
		}
		warm += min(1, burns)
		flicker := burns * (0.88 + 0.08*sin(t*13+q.phase) + 0.06*sin(t*23.7+q.phase*2.3) + 0.22*s.answer(t))
		lean := 2.2*sin(t*3.1+q.phase) + 1.2*sin(t*7.7+q.phase*1.3)
		x, y := q.flame.x, q.flame.y
		c.light(s.glow, x, y-10*q.size, rgb{255, 170, 70}, 0.75*flicker)
		tall, wide := 30*q.size*flicker, 7.5*q.size
		c.shade(x-wide-5, y-tall-2, x+wide+5, y+6*q.size, func(px, py float32) (rgb, float32) {
			v := (y + 4*q.size - py) / (tall + 4*q.size) // 0 at the wick, 1 at the tip
			if v <= 0 || v >= 1 {
				return rgb{}, 0
			}
			half := wide * 1.9 * float32(math.Sqrt(float64(v))) * (1 - v) * (1 - 0.25*v)
			d := abs(px-x-lean*v*v*q.size) / max(0.5, half)
			col := mix(rgb{255, 252, 224}, rgb{255, 172, 52}, smooth(0.15, 1.05, d+0.45*v))
			col = mix(rgb{120, 150, 255}, col, smooth(0, 0.22, v))
			return col, (1 - smooth(0.70, 1.15, d)) * (0.75 + 0.25*v)
		})
	}
	middle := s.cake.y - 330*s.cakeSize
	c.light(
		s.warmth,
		s.cake.x,
		middle,
		rgb{230, 160, 84},
		0.048*warm*(1+0.06*sin(t*9)+0.05*sin(t*14.3)+0.8*s.answer(t)),
	)
}

// fountain is a sparkler on the cake: it burns for the farewell.
type fountain struct {
	from  point
	size  float32
	grain []struct{ vx, vy, phase, life float32 }
}

func (s *party) newFountain(c *canvas, r *rand.Rand, from point, k float32) fountain {
	f := fountain{from: point{from.x, from.y - 34*k}, size: k}
	c.carve(from.x-2.2*k, from.y-34*k, from.x+2.2*k, from.y+3*k, func(px, py float32) (rgb, bool) {
		return rgb{255, 216, 140}.lit(round((px - from.x) / (2.2 * k))), true
	})
	for range 90 {
		f.grain = append(f.grain, struct{ vx, vy, phase, life float32 }{
			62 * float32(r.NormFloat64()) * k, -(300 + 120*r.Float32()) * k, r.Float32(), 0.45 + 0.35*r.Float32()})
	}
	return f
}

func (s *party) drawFountains(c *canvas, t float32) {
	burn := smooth(s.farewell, s.farewell+0.4, t)
	if burn <= 0 {
		return
	}
	for _, f := range s.sparks {
		c.light(s.glow, f.from.x, f.from.y, rgb{255, 214, 130}, burn*(0.9+0.1*sin(t*31)))
		for _, g := range f.grain {
			age := mod(t+g.phase*g.life, g.life)
			if t-age < s.farewell { // it would have left before the sparkler was lit
				continue
			}
			for trail := range 3 {
				past := age - 0.018*float32(trail)
				if past < 0 {
					break
				}
				k := burn * (1 - age/g.life) * (1 - 0.3*float32(trail))
				c.light(fireSpark, f.from.x+g.vx*past, f.from.y+g.vy*past+330*f.size*past*past,
					mix(rgb{255, 250, 225}, rgb{255, 176, 84}, age/g.life), k*0.85)
			}
		}
	}
}

// drawCupcake draws a cupcake whose bottom middle is (x, y).
func drawCupcake(c *canvas, x, y float32, icing rgb) {
	const half, cup = 34, 37
	c.shade(x-46, y-8, x+46, y+8, func(px, py float32) (rgb, float32) {
		d := (px-x)*(px-x)/(46*46) + (py-y)*(py-y)/64
		return rgb{176, 96, 112}, 0.6 * max(0, 1-d)
	})
	c.carve(x-half, y-cup, x+half, y+5, func(px, py float32) (rgb, bool) {
		v := (y - py) / cup
		wide := half * (0.74 + 0.26*v)
		u := (px - x) / wide
		pleat := 0.92 + 0.08*sin(float32(math.Asin(float64(max(-1, min(1, u)))))*16)
		return rgb{255, 226, 170}.lit(round(u) * pleat), abs(u) < 1 && py < y+5*(1-u*u)
	})
	for i, wide := range []float32{39, 31.5, 22, 12} { // whirls of cream
		cy := y - cup - 4 - 14*float32(i)
		c.carve(x-wide, cy-14, x+wide, cy+14, func(px, py float32) (rgb, bool) {
			u := (px - x) / wide
			v := (py - cy - 2*u) / 12.5
			return mix(icing, cream, 0.45).lit(1.02 - 0.12*u - 0.14*v), u*u+v*v < 1
		})
	}
	c.ball(x, y-cup-61, 10, rgb{214, 26, 60})
}
