// newyear_tree.go draws the big tree: its star, its lamps, and the presents below it.

package video

import (
	"math"
	"math/rand/v2"
)

// treeTall is the height of the tree without its star.
const treeTall = 372

// drawTree draws the decorated tree, whose foot is at y, and returns its lamps, lit from the bottom upwards.
func (s *winterNight) drawTree(c *canvas, r *rand.Rand, y float32) []lamp {
	const height = treeTall
	x := s.tree
	c.light(newSpot(height*0.62, 2.2), x, y-height*0.5, rgb{90, 110, 210}, 0.16)
	c.shade(x-140, y-16, x+140, y+16, func(px, py float32) (rgb, float32) { // its shadow on the snow
		d := (px-x)*(px-x)/(140*140) + (py-y)*(py-y)/(16*16)
		return rgb{84, 98, 170}, 0.55 * (1 - d)
	})
	drawFir(c, x, y, height, 5, rgb{22, 86, 74}, rgb{232, 240, 255})
	s.top = point{x, y - height*1.135}
	drawTopStar(c, s.top.x, s.top.y)
	onSnow := rgb{96, 110, 184}
	lamps := treeLamps(r, x, y, height, s.lights)
	drawPresent(c, x-104, y+30, 70, 56, rgb{216, 60, 78}, rgb{255, 214, 120}, onSnow)
	drawPresent(c, x+92, y+34, 82, 48, rgb{92, 92, 214}, rgb{240, 240, 255}, onSnow)
	drawPresent(c, x+30, y+46, 54, 44, rgb{250, 176, 66}, rgb{206, 46, 80}, onSnow)
	return lamps
}

func treeLamps(r *rand.Rand, x, y, height, lights float32) []lamp {
	var lamps []lamp
	for row := range 6 {
		down := (float32(row) + 0.55) / 6
		n := 2 + row
		for i := range n {
			q := (float32(i)+0.5)/float32(n)*2 - 1
			lamps = append(lamps, lamp{
				x:    x + q*height*0.235*down + float32(r.NormFloat64())*3,
				y:    y - height*1.03 + height*0.97*down + (1-q*q)*14,
				size: 6.5, col: lampColours[(row*2+i)%5], on: lights + (1-down)*1.9, off: 0.14,
				phase: r.Float32() * 6.28, glow: 0.42,
			})
		}
	}
	return lamps
}

func drawTopStar(c *canvas, x, y float32) {
	const outer, inner = 30, 12.5
	c.light(newSpot(86, 2.6), x, y, rgb{255, 214, 120}, 0.55)
	var corners []point
	for i := range 10 {
		radius := float32(outer)
		if i%2 == 1 {
			radius = inner
		}
		turn := float32(i)*math.Pi/5 - math.Pi/2
		corners = append(corners, point{x + radius*cos(turn), y + radius*sin(turn)})
	}
	// Each ray has a bright and a shaded half, like folded paper.
	for i, p := range corners {
		q := corners[(i+1)%10]
		k := float32(1.05)
		if i%2 == 1 {
			k = 0.84
		}
		c.fill(func(_, py float32) rgb { return rgb{255, 224, 120}.times(k - 0.2*(py-y)/outer) }, point{x, y}, p, q)
	}
}

// drawPresent draws a box of w×h whose bottom middle is (x, y), with a ribbon, a lid and a bow, and its shadow.
func drawPresent(c *canvas, x, y, w, h float32, paper, ribbon, shadow rgb) {
	lit := func(col rgb, k float32) func(x, y float32) rgb {
		return func(px, _ float32) rgb { return col.times((0.86 + 0.28*(px-x)/w) * k) }
	}
	rect := func(x0, y0, x1, y1 float32, col func(x, y float32) rgb) {
		c.fill(col, point{x0, y0}, point{x1, y0}, point{x1, y1}, point{x0, y1})
	}
	c.shade(x-w*0.62, y-5, x+w*0.62, y+5, func(px, py float32) (rgb, float32) {
		d := (px-x)*(px-x)/(w*w*0.38) + (py-y)*(py-y)/25
		return shadow, 0.6 * (1 - d)
	})
	lid := y - h*0.80
	rect(x-w/2, y-h, x+w/2, y, lit(paper, 0.94))
	rect(x-w*0.09, y-h, x+w*0.09, y, lit(ribbon, 0.94))
	rect(x-w/2-2, y-h, x+w/2+2, lid, lit(paper, 1.10))
	rect(x-w*0.09, y-h, x+w*0.09, lid, lit(ribbon, 1.06))
	rect(x-w/2-1, lid, x+w/2+1, lid+2, lit(paper, 0.70))
	for _, side := range []float32{-1, 1} {
		loop := w * 0.17
		cx, cy := x+side*loop*1.1, y-h-loop*0.45
		c.shade(cx-loop*1.6, cy-loop*1.2, cx+loop*1.6, cy+loop*1.2, func(px, py float32) (rgb, float32) {
			ox, oy := px-cx, py-cy
			d := hypot(ox/(loop*1.25), (oy+side*ox*0.28)/(loop*0.62))
			return ribbon.times(0.62 + 0.40*d*d), 1 - smooth(0.92, 1.08, d)
		})
	}
	c.shade(x-7, y-h-7, x+7, y-h+3, func(px, py float32) (rgb, float32) {
		d := hypot((px-x)/6, (py-(y-h-2))/5)
		return ribbon.times(1.02 - 0.25*d), 1 - smooth(0.85, 1.1, d)
	})
}
