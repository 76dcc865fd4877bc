// birthday_balloons.go draws the balloons: bunches that sway on their strings, and those that rise right before the
// lens.

package video

import "math"

// balloon is one of a bunch: where it floats, seen from where the strings are tied, and its size.
type balloon struct {
	x, y, size float32
	col        rgb
}

type bunch struct {
	tie      point
	balloons []balloon
}

// riser is a balloon that rises through the picture near the lens.
type riser struct {
	at, x, size float32 // the second at which it comes in from below
	col         rgb
}

// nearby is a balloon right before the lens, out of focus: where its middle is, and its size.
type nearby struct {
	x, y, size float32
	col        rgb
}

// The radii of a balloon of size 1, and the distance from its middle to the knot.
const (
	balloonWide = 46
	balloonTall = 56
	balloonKnot = 66
)

// inflate draws every balloon that is needed once.
func (s *party) inflate() {
	s.balloons, s.risen = map[rgb]*cutout{}, map[rgb]*cutout{}
	for _, b := range s.bunches {
		for _, q := range b.balloons {
			s.balloons[q.col] = drawBalloon(q.col, 0.02).cutout()
		}
	}
	for _, q := range s.risers {
		s.risen[q.col] = drawBalloon(q.col, 0.085).cutout()
	}
	for _, q := range s.lens {
		c := drawBalloon(q.col, 0.02)
		c.blur(4)
		b := c.cutout()
		b.x, b.y, b.fine = q.x, q.y, b.fine/q.size
		s.blurred = append(s.blurred, b)
	}
}

// drawBalloon draws a glossy balloon of size 1 in the middle of a mat; blur is how soft its edge is, in radii.
func drawBalloon(col rgb, blur float32) *canvas {
	const w, h = balloonWide + 16, balloonKnot + 18
	c := newMat(box{-w, -h, w, h}, fine)
	const x, y float32 = 0, 0
	c.fill(func(_, _ float32) rgb { return col.times(0.72) }, // the knot
		point{x, y + balloonTall - 3}, point{x + 7, y + balloonKnot}, point{x - 7, y + balloonKnot})
	c.shade(-w, -h, w, h, func(px, py float32) (rgb, float32) {
		u, v := (px-x)/balloonWide, (py-y)/balloonTall
		u /= 1 - 0.13*smooth(0, 1.2, v) // narrower below
		d := hypot(u, v)
		z := float32(math.Sqrt(float64(max(0, 1-d*d))))
		k := 0.60 + 0.46*max(0, -0.42*u-0.55*v+0.72*z)
		out := col.times(k)
		// light of the room through the rubber
		out = mix(out, mix(col, rgb{255, 190, 150}, 0.35), 0.55*smooth(0.72, 1, d)*smooth(-0.6, 0.8, v+0.3*u))
		// The window it reflects, long and soft, and a small one from the table.
		a, b := (u+0.40)*0.80+(v+0.44)*0.60, (v+0.44)*0.80-(u+0.40)*0.60
		out = mix(out, rgb{255, 255, 255}, 0.80*(1-smooth(0.3, 1, hypot(a/0.17, b/0.33))))
		out = mix(out, rgb{255, 236, 214}, 0.30*(1-smooth(0.1, 1, hypot((u-0.38)/0.30, (v-0.55)/0.16))))
		return out, 0.96 * (1 - smooth(1-blur, 1+blur, d))
	})
	return c
}

// thread draws a thin string that bends sideways in its middle.
func (c *canvas) thread(from, to point, bend float32, col rgb, k float32) {
	from.x, from.y = c.view.at(from.x, from.y)
	to.x, to.y = c.view.at(to.x, to.y)
	bend *= c.view.k
	steps := int(abs(to.y-from.y)) + 1
	for i := range steps {
		q := float32(i) / float32(steps)
		x, y := from.x+(to.x-from.x)*q*(0.55+0.45*q)+bend*sin(q*math.Pi), from.y+(to.y-from.y)*q
		left := float32(math.Floor(float64(x)))
		part := x - left
		c.set(int(left), int(y), col, k*(1-part))
		c.set(int(left)+1, int(y), col, k*part)
	}
}

func (s *party) drawBunches(c *canvas, t float32) {
	for n, b := range s.bunches {
		at := func(i int, q balloon) point {
			phase := float32(i)*1.9 + float32(n)*2.7
			return point{b.tie.x + q.x + 7*sin(t*0.9+phase) + 3*sin(t*1.7+phase*2), b.tie.y + q.y + 5*sin(t*1.25+phase*1.4)}
		}
		for i, q := range b.balloons {
			p := at(i, q)
			c.thread(point{p.x, p.y + balloonKnot*q.size}, b.tie, 6*sin(t*1.1+float32(i)*2), rgb{255, 232, 214}, 0.6)
		}
		for i, q := range b.balloons {
			p := at(i, q)
			c.paste(s.balloons[q.col], p.x, p.y, q.size, 1)
		}
	}
}

func (s *party) drawRisers(c *canvas, t float32) {
	const speed = 190 // pixels a second for size 1; what is nearer passes faster
	for i, q := range s.risers {
		age := t - q.at
		y := s.h + balloonKnot*q.size + 10 - speed*float32(math.Sqrt(float64(q.size)))*age
		if age < 0 || y < -400 {
			continue
		}
		x := q.x + 12*sin(age*1.3+float32(i)*2)
		knot := point{x, y + balloonKnot*q.size}
		c.thread(
			knot,
			point{x - 8*sin(age*1.3+float32(i)*2), knot.y + 190*q.size},
			10*q.size*sin(age*1.9+float32(i)),
			rgb{255, 236, 220},
			0.5,
		)
		c.paste(s.risen[q.col], x, y, q.size, 0.94)
	}
}
