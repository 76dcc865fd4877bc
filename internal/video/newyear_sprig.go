// newyear_sprig.go draws the branches of fir right before the lens, out of focus.

package video

import "math/rand/v2"

// sprig is a branch of fir: where it begins, which way it goes in radians, its length, and how thick it is.
type sprig struct{ x, y, turn, long, size float32 }

// draw draws the branch with its snow and two lamps, so close to the lens that they are discs.
func (b sprig) draw() *cutout {
	r := rand.New(rand.NewPCG(12, 31))
	dx, dy := cos(b.turn), sin(b.turn)
	at := func(q float32) point { // along the branch, which its snow bends
		return point{b.x + b.long*q*dx, b.y + b.long*q*dy + 34*b.size*q*q}
	}
	tip, reach := at(1), 130*b.size
	part := box{min(b.x, tip.x) - reach, min(b.y, tip.y) - reach, max(b.x, tip.x) + reach, max(b.y, tip.y) + reach}
	c := newMat(part, 1)
	needle := func(from point, turn, long, wide float32, col rgb) {
		nx, ny := cos(turn), sin(turn)
		c.fill(func(_, _ float32) rgb { return col }, point{from.x - ny*wide, from.y + nx*wide},
			point{from.x + ny*wide, from.y - nx*wide}, point{from.x + nx*long, from.y + ny*long})
	}
	const needles = 150
	for i := range needles {
		q := float32(i) / needles
		side := float32(1 - 2*(i%2))
		long := (88 - 46*q) * b.size * (0.75 + 0.4*r.Float32())
		col := mix(rgb{10, 44, 52}, rgb{36, 96, 84}, r.Float32())
		needle(at(q), b.turn+side*(0.95-0.35*q+0.25*float32(r.NormFloat64())), long, 4.2*b.size, col)
	}
	for i := range 26 {
		q := float32(i)/26 + 0.02*r.Float32()
		p, size := at(q), (22-12*q)*b.size*(0.6+0.6*r.Float32())
		x, y := p.x+26*b.size*float32(r.NormFloat64()), p.y-(12+10*r.Float32())*b.size
		c.shade(x-size, y-size, x+size, y+size, func(px, py float32) (rgb, float32) {
			d := hypot((px-x)/size, (py-y)/(0.6*size))
			return mix(rgb{240, 244, 255}, rgb{176, 188, 238}, smooth(-0.6, 0.9, (py-y)/size)), 1 - smooth(0.6, 1, d)
		})
	}
	c.blur(7 * b.size)
	for i, q := range []float32{0.34, 0.74} {
		p := at(q)
		c.light(newDisc((26-7*q)*b.size), p.x, p.y+30*b.size, lampColours[i].times(1.1), 0.62)
	}
	return c.cutout()
}
