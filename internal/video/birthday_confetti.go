// birthday_confetti.go lets confetti tumble down, and shoots more of it up when the name and the farewell appear.

package video

import (
	"math"
	"math/rand/v2"
)

// scrap is a piece of coloured paper.
type scrap struct {
	at     float32 // the second at which it is shot; the time counts from there
	from   point
	vx, vy float32 // pixels a second at first; the air slows it down
	fall   float32 // and in the end it sinks at this speed
	sway   float32
	turn   float32 // how fast it turns in the picture, and over
	roll   float32
	phase  float32
	w, h   float32
	col    rgb
}

// bangs are the seconds at which the cannons shoot. What the first shot sends up is in the air in the first frame.
func (s story) bangs() []float32 {
	return []float32{-0.4, s.name + 0.05, s.farewell + 0.15, s.again - 0.3}
}

// drag is how fast the air takes a scrap's speed away, per second.
const drag = 1.9

func (s *party) newConfetti(r *rand.Rand) []scrap {
	piece := func() scrap {
		return scrap{
			fall: 96 + 70*r.Float32(), sway: 8 + 16*r.Float32(), turn: 1.6 * float32(r.NormFloat64()), roll: 4 + 6*r.Float32(),
			phase: r.Float32() * 6.28, w: 9 + 8*r.Float32(), h: 6 + 5*r.Float32(), col: partyColours[r.IntN(len(partyColours))],
		}
	}
	var scraps []scrap
	for range 34 { // a few have been in the air all the time
		q := piece()
		q.at, q.from = -9, point{r.Float32() * s.w, -20 - q.fall*9 + s.h*(0.9-1.9*r.Float32())}
		scraps = append(scraps, q)
	}
	for _, at := range s.bangs() {
		for side, muzzle := range s.cannons {
			for range 56 {
				q := piece()
				power, way := 0.35+0.75*r.Float32(), float32(1-2*side)
				q.at, q.from = at+0.06*r.Float32(), muzzle
				q.vx = way * s.thrust.x * (power + 0.30*float32(r.NormFloat64()))
				q.vy = s.thrust.y * power * (1 + 0.12*float32(r.NormFloat64()))
				scraps = append(scraps, q)
			}
		}
	}
	return scraps
}

func (s *party) drawConfetti(c *canvas, t float32) {
	for _, at := range s.bangs() {
		if k := smooth(at-0.05, at+0.05, t) * (1 - smooth(at+0.05, at+0.35, t)); k > 0 { // the flash of the cannons
			for _, m := range s.cannons {
				c.light(fireGlow, m.x, m.y, rgb{255, 190, 110}, 0.45*k)
			}
		}
	}
	for _, q := range s.confetti {
		age := t - q.at
		if age <= 0 {
			continue
		}
		slowed := (1 - float32(math.Exp(float64(-drag*age)))) / drag
		x := q.from.x + q.vx*slowed + q.sway*sin(age*2.1+q.phase)*min(1, age)
		y := q.from.y + q.fall*age + (q.vy-q.fall)*slowed
		if y > -12 && y < s.h+12 {
			q.draw(c, x, y, age)
		}
	}
}

// draw draws the scrap as a rectangle that turns in the picture and tumbles over.
func (q scrap) draw(c *canvas, x, y, age float32) {
	a, b := q.phase+q.turn*age, cos(q.roll*age+q.phase)
	dx, dy := cos(a), sin(a)
	halfW, halfH := q.w/2, max(0.5, q.h/2*abs(b))
	col := q.col.times(0.96 + 0.12*b) // the back is darker
	if gloss := smooth(0.86, 1, b); gloss > 0 {
		col = mix(col, rgb{255, 255, 240}, 0.55*gloss)
	}
	ex, ey := abs(dx)*halfW+abs(dy)*halfH+1, abs(dy)*halfW+abs(dx)*halfH+1
	c.shade(x-ex, y-ey, x+ex, y+ey, func(px, py float32) (rgb, float32) {
		u, v := (px-x)*dx+(py-y)*dy, (py-y)*dx-(px-x)*dy
		return col, min(1, max(0, halfW-abs(u)+0.5)) * min(1, max(0, halfH-abs(v)+0.5))
	})
}
