// birthday_bear.go draws the guest: a teddy bear in a party hat who waves and blinks.

package video

var (
	fur     = rgb{206, 140, 90}
	plush   = rgb{250, 214, 170}
	buttons = rgb{66, 34, 40}
)

// bear is where the teddy bear sits, and its size.
type bear struct {
	seat point
	size float32
}

// oval is an ellipse of a bear of size 1, seen from its seat; turn is in radians, clockwise.
type oval struct{ x, y, wide, tall, turn float32 }

// at tells where a place lies in the oval: its edge is at distance 1 from the middle.
func (o oval) at(b bear, px, py float32) (u, v float32) {
	x, y := px-b.seat.x-o.x*b.size, py-b.seat.y-o.y*b.size
	s, c := sin(o.turn), cos(o.turn)
	return (x*c + y*s) / (o.wide * b.size), (y*c - x*s) / (o.tall * b.size)
}

// stuffed paints an oval of plush that is lit from the upper left.
func (b bear) stuffed(c *canvas, o oval, col rgb) {
	r := max(o.wide, o.tall) * b.size
	x, y := b.seat.x+o.x*b.size, b.seat.y+o.y*b.size
	c.carve(x-r, y-r, x+r, y+r, func(px, py float32) (rgb, bool) {
		u, v := o.at(b, px, py)
		d := hypot(u, v)
		s, k := sin(o.turn), cos(o.turn)
		light := hypot(u*k-v*s+0.34, v*k+u*s+0.44) // the light does not turn with the oval
		return col.lit(1.08 - 0.34*smooth(0.1, 1.5, light) - 0.10*smooth(0.80, 1, d)), d < 1
	})
}

// draw draws all of the bear but the arm that waves.
func (b bear) draw(c *canvas) {
	k := b.size
	at := func(x, y float32) point { return point{b.seat.x + x*k, b.seat.y + y*k} }
	c.shade(b.seat.x-74*k, b.seat.y-13*k, b.seat.x+74*k, b.seat.y+13*k, func(px, py float32) (rgb, float32) {
		u, v := (px-b.seat.x)/(74*k), (py-b.seat.y)/(13*k)
		return rgb{176, 96, 112}, 0.6 * max(0, 1-u*u-v*v)
	})
	b.stuffed(c, oval{0, -46, 41, 45, 0}, fur)
	b.stuffed(c, oval{0, -42, 27, 31, 0}, plush)
	b.stuffed(c, oval{-43, -56, 13, 29, 0.55}, fur)
	for _, side := range []float32{-1, 1} {
		b.stuffed(c, oval{side * 36, -16, 21, 19, 0}, fur)
		b.stuffed(c, oval{side * 38, -15, 13, 12.5, 0}, plush)
		b.stuffed(c, oval{side * 35, -141, 18, 18, 0}, fur)
		b.stuffed(c, oval{side * 35, -140, 10.5, 10.5, 0}, rgb{255, 176, 160})
	}
	b.stuffed(c, oval{0, -112, 47, 41, 0}, fur)
	for _, side := range []float32{-1, 1} { // cheeks
		p := at(side*30, -100)
		c.shade(p.x-11*k, p.y-8*k, p.x+11*k, p.y+8*k, func(px, py float32) (rgb, float32) {
			return rgb{255, 120, 120}, 0.55 * (1 - smooth(0.2, 1, hypot((px-p.x)/(11*k), (py-p.y)/(8*k))))
		})
	}
	b.stuffed(c, oval{0, -99, 21, 16.5, 0}, plush)
	for _, side := range []float32{-1, 1} { // a smile, and the eyes
		p := at(side*5.2, -97)
		c.carve(p.x-7*k, p.y, p.x+7*k, p.y+9*k, func(px, py float32) (rgb, bool) {
			return buttons, py > p.y && abs(hypot(px-p.x, py-p.y)-5.2*k) < 1.1*k
		})
		p = at(side*18, -117)
		c.ball(p.x, p.y, 5.6*k, buttons)
		c.ball(p.x-1.7*k, p.y-1.9*k, 1.7*k, rgb{255, 255, 255})
	}
	b.stuffed(c, oval{0, -106, 8, 5.8, 0}, buttons)
	for _, side := range []float32{-1, 1} { // a bow tie
		c.fill(func(px, _ float32) rgb { return raspberry.lit(1.05 - 0.25*abs(px-b.seat.x)/(22*k)) },
			at(0, -72), at(side*22, -84), at(side*24, -72), at(side*22, -60))
	}
	knot := at(0, -72)
	c.ball(knot.x, knot.y, 6.5*k, raspberry)
	b.drawHat(c, at)
}

// drawHat draws a striped hat that sits a little askew.
func (b bear) drawHat(c *canvas, at func(x, y float32) point) {
	k := b.size
	left, right, tip := at(-20, -145), at(21, -149), at(9, -202)
	middle := point{(left.x + right.x) / 2, (left.y + right.y) / 2}
	c.carve(left.x-2, tip.y, right.x+2, left.y+8*k, func(px, py float32) (rgb, bool) {
		down := (py - tip.y) / (middle.y - tip.y) // 0 at the tip, 1 at the rim
		u := (px - tip.x - (middle.x-tip.x)*down) / ((right.x - left.x) / 2 * max(0.01, down))
		down += 0.07 * u * u // the rim is round
		col := sky
		if mod(down*5+u*0.5+4, 2) < 1 {
			col = rgb{255, 226, 120}
		}
		return col.lit(1.02 - 0.20*u*u - 0.14*u), abs(u) < 1 && down > 0 && down < 1.09
	})
	c.ball(tip.x, tip.y, 7.5*k, rose)
}

// move draws what moves: the arm that waves, harder when the name or the farewell appears, and the eyelids.
func (b bear) move(c *canvas, t float32, s story) {
	joy := max(smooth(s.name, s.name+0.3, t)*(1-smooth(s.name+2.2, s.name+3, t)), smooth(s.farewell, s.farewell+0.3, t))
	if s == longStory { // it is who greets first
		joy = max(joy, smooth(0.3, 0.5, t)*(1-smooth(2.4, 3, t)))
	}
	swing := 0.06*sin(t*2.2) + 0.30*joy*sin(t*8.5)
	turn := 0.62 + swing
	const reach = 23 // from the shoulder to the middle of the arm
	o := oval{33 + reach*sin(turn), -70 - reach*cos(turn), 13, 30, turn}
	palm := oval{33 + 1.75*reach*sin(turn), -70 - 1.75*reach*cos(turn), 7.5, 7.5, 0}
	x, y, r := b.seat.x+o.x*b.size, b.seat.y+o.y*b.size, 31*b.size
	edge := 1 / (13 * b.size)
	c.shade(x-r, y-r, x+r, y+r, func(px, py float32) (rgb, float32) {
		u, v := o.at(b, px, py)
		d := hypot(u, v)
		pu, pv := palm.at(b, px, py)
		col := mix(plush, fur, smooth(0.88, 1.08, hypot(pu, pv)))
		return col.lit(1.04 - 0.26*smooth(-0.2, 1.1, u)), 1 - smooth(1-edge, 1+edge, d)
	})
	for _, at := range []float32{1.3, 3.9, 4.2, 7.9, 10.1, 12, 15.2, 15.5} {
		if shut := 1 - smooth(0.03, 0.10, abs(t-at)); shut > 0 {
			for _, side := range []float32{-1, 1} {
				x, y := b.seat.x+side*18*b.size, b.seat.y-117*b.size
				c.shade(x-8*b.size, y-8*b.size, x+8*b.size, y+8*b.size, func(px, py float32) (rgb, float32) {
					u, v := (px-x)/(6.6*b.size), (py-y)/(6.6*b.size)
					lash := 1 - smooth(0.10, 0.24, abs(v-0.28+0.5*u*u))
					return mix(fur, buttons, lash), shut * (1 - smooth(0.85, 1, hypot(u, v)))
				})
			}
		}
	}
}
