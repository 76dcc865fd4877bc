// overlay.go holds the picture that is laid on a film: letters, light and pictures in eight bits, made for speed.

package video

import "image"

// overlay is a w×h picture to be laid on a film, both edges even. Only what was drawn on it is cleared and converted.
type overlay struct {
	w, h  int
	pix   []lanes
	drawn image.Rectangle

	// The halos of one text come together here before they are drawn: (w/2+2)×(h/2+2) of them, a border included.
	halos  []shining
	haloed image.Rectangle // of those that are in use
	tinted []lanes         // what they become

	blank []byte // what is written where nothing was drawn
}

func newOverlay(w, h int) *overlay {
	n := (w/2 + 2) * (h/2 + 2)
	return &overlay{
		w:      w,
		h:      h,
		pix:    make([]lanes, w*h),
		halos:  make([]shining, n),
		tinted: make([]lanes, n),
		blank:  blankYUVA(w, h),
	}
}

func (o *overlay) clear() {
	for y := o.drawn.Min.Y; y < o.drawn.Max.Y; y++ {
		clear(o.pix[y*o.w+o.drawn.Min.X : y*o.w+o.drawn.Max.X])
	}
	o.drawn = image.Rectangle{}
}

// rectangle is empty if one of its edges lies beyond the opposite one. image.Rect would swap them and make a rectangle
// outside of the picture out of what is not in it at all.
func rectangle(x0, y0, x1, y1 int) image.Rectangle {
	return image.Rectangle{Min: image.Point{X: x0, Y: y0}, Max: image.Point{X: x1, Y: y1}}
}

// touch notes that something is drawn in a rectangle and returns what of it is inside.
func (o *overlay) touch(x0, y0, x1, y1 int) image.Rectangle {
	r := rectangle(x0, y0, x1, y1).Intersect(rectangle(0, 0, o.w, o.h))
	o.drawn = o.drawn.Union(r)
	return r
}

// dim makes everything that was drawn darker, k from 0 to 1, as the picture below becomes: what it covers stays
// covered.
//
//go:norace
func (o *overlay) dim(k float32) {
	part := weight(k)
	for y := o.drawn.Min.Y; y < o.drawn.Max.Y; y++ {
		row := o.pix[y*o.w+o.drawn.Min.X : y*o.w+o.drawn.Max.X]
		for i, p := range row {
			row[i] = p&(0xff<<48) | p&0x000000ff00ff00ff*part>>8&0x000000ff00ff00ff
		}
	}
}

// blit draws a trimmed layer with its middle at (x, y), scaled by s, with opacity k. The pixel loops are left out of
// the race detector: each overlay belongs to one goroutine, and tests would take minutes.
//
//go:norace
func (o *overlay) blit(l *layer, x, y, s, k float32) {
	opacity := weight(k)
	if s <= 0.01 || opacity == 0 {
		return
	}
	if left := x - float32(l.w)/2; s == 1 && left == floor(left) {
		o.blitUpright(l, int(left), y-float32(l.h)/2, opacity)
		return
	}
	cx, cy := float32(l.w)/2, float32(l.h)/2
	r := o.touch(int(x-cx*s)-1, int(y-cy*s)-1, int(x+cx*s)+2, int(y+cy*s)+2)
	inv := 1 / s
	step := int(inv * 65536)
	for py := r.Min.Y; py < r.Max.Y; py++ {
		v := (float32(py)-y)*inv + cy
		iv := int(v)
		if v < 0 || iv >= l.h-1 {
			continue
		}
		first, last := min(l.first[iv], l.first[iv+1])-1, max(l.last[iv], l.last[iv+1])
		if last < 0 {
			continue
		}
		lower := weight(v-float32(iv)) * opacity >> 8
		upper := opacity - lower
		x0 := max(r.Min.X, int(x+(float32(first)-cx)*s)-1)
		x1 := min(r.Max.X, int(x+(float32(last)+1-cx)*s)+2)
		row := o.pix[py*o.w : (py+1)*o.w]
		above, below := l.pix[iv*l.w:(iv+1)*l.w], l.pix[(iv+1)*l.w:(iv+2)*l.w]
		u := int(((float32(x0)-x)*inv + cx) * 65536)
		for px := x0; px < x1; px, u = px+1, u+step {
			iu := u >> 16
			if iu < 0 || iu >= l.w-1 {
				continue
			}
			p, q, r, t := above[iu], above[iu+1], below[iu], below[iu+1]
			if p|q|r|t == 0 {
				continue
			}
			// The four weights sum up to the opacity exactly: full stays full.
			right := lanes(u >> 8 & 255)
			ur, lr := upper*right>>8, lower*right>>8
			row[px] = over(row[px], p*(upper-ur)+q*ur+r*(lower-lr)+t*lr)
		}
	}
}

// blitUpright draws a layer as large as it is with its left edge on a pixel: letters stand like this most of the time.
//
//go:norace
func (o *overlay) blitUpright(l *layer, left int, top float32, opacity lanes) {
	iy := int(floor(top))
	r := o.touch(left, iy+1, left+l.w, iy+l.h)
	// Each pixel lies between two rows of the layer.
	earlier := weight(top-float32(iy)) * opacity >> 8
	here := opacity - earlier
	for py := r.Min.Y; py < r.Max.Y; py++ {
		v := py - iy
		above, below := l.pix[(v-1)*l.w:v*l.w], l.pix[v*l.w:(v+1)*l.w]
		from, to := max(min(l.first[v-1], l.first[v]), r.Min.X-left), min(max(l.last[v-1], l.last[v])+1, r.Max.X-left)
		if from >= to {
			continue
		}
		row := o.pix[py*o.w+left+from : py*o.w+left+to]
		above, below = above[from:to:to], below[from:to:to]
		for i, q := range below {
			p := above[i]
			if p|q == 0 {
				continue
			}
			row[i] = over(row[i], p*earlier+q*here)
		}
	}
}

// gather adds a halo to those of the text: the letter's layer, w×h pixels, has its middle at (x, y) and is scaled by s.
//
//go:norace
func (o *overlay) gather(g *halo, w, h int, x, y, s, k float32) {
	if s <= 0.01 || k <= 0.003 {
		return
	}
	opacity := 65536 * min(1, k)
	stride := o.w/2 + 2
	// Number j of the halo stands at pixel g.x+2j of the layer, number i of the overlay at pixel 2i-1.5.
	inv := 1 / s
	step := int(inv * 65536)
	u0 := ((-1.5-x)*inv + float32(w)/2 - g.x) / 2
	v0 := ((-1.5-y)*inv + float32(h)/2 - g.y) / 2
	from := func(first float32) int { return max(0, int(floor(-first*s))) }
	to := func(first float32, n, limit int) int { return min(limit, int((float32(n)-first)*s)+1) }
	r := rectangle(from(u0), from(v0), to(u0, g.w, stride), to(v0, g.h, o.h/2+2))
	if r.Empty() {
		return
	}
	o.haloed = o.haloed.Union(r)
	for py := r.Min.Y; py < r.Max.Y; py++ {
		v := v0 + float32(py)*inv
		iv := int(floor(v))
		if iv < 0 || iv >= g.h-1 {
			continue
		}
		lower := shining((v - float32(iv)) * opacity)
		upper := shining(opacity) - lower
		above, below := g.pix[iv*g.w:(iv+1)*g.w], g.pix[(iv+1)*g.w:(iv+2)*g.w]
		row := o.halos[py*stride : (py+1)*stride]
		u := int((u0 + float32(r.Min.X)*inv) * 65536)
		for px := r.Min.X; px < r.Max.X; px, u = px+1, u+step {
			iu := u >> 16
			if iu < 0 || iu >= len(above)-1 || iu >= len(below)-1 {
				continue
			}
			right := shining(u & 0xffff)
			ur, lr := upper*right>>16, lower*right>>16
			t := (above[iu]*(upper-ur) + above[iu+1]*ur + below[iu]*(lower-lr) + below[iu+1]*lr) >> 16 & 0x0000ffff0000ffff
			row[px] = row[px]*(fullShine-t>>32)>>15&0x0001ffff0001ffff + t
		}
	}
}

// glow draws the halos that were gathered in a colour, and forgets them.
//
//go:norace
func (o *overlay) glow(col rgb) {
	if o.haloed.Empty() {
		return
	}
	stride := o.w/2 + 2
	// With four binary places more than a pixel has, sixteenths can be summed up before rounding.
	colour := toLanes(col, 0)
	for y := o.haloed.Min.Y; y < o.haloed.Max.Y; y++ {
		from, to := y*stride+o.haloed.Min.X, y*stride+o.haloed.Max.X
		tinted := o.tinted[from:to]
		for i, s := range o.halos[from:to] {
			light, shade := min(fullShine, s&0xffffffff), s>>32
			tinted[i] = colour*(light>>7)>>4&0x0fff0fff0fff0fff | shade*4080>>15<<48
		}
		clear(o.halos[from:to])
	}
	r := o.touch(o.haloed.Min.X*2-4, o.haloed.Min.Y*2-4, o.haloed.Max.X*2, o.haloed.Max.Y*2)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		// A pixel stands a quarter of the way from its halo to that of the neighbour.
		near := (y/2 + 1) * stride
		far := near + stride
		if y&1 == 0 {
			far = near - stride
		}
		row := o.pix[y*o.w+r.Min.X : y*o.w+r.Max.X]
		i := r.Min.X / 2
		n := len(row)/2 + 2
		nears, fars := o.tinted[near+i:near+i+n], o.tinted[far+i:far+i+n]
		a, b := nears[0]*3+fars[0], nears[1]*3+fars[1]
		for x := 0; x+1 < len(row); x += 2 {
			c := nears[x/2+2]*3 + fars[x/2+2]
			if a|b|c != 0 {
				row[x], row[x+1] = shine(row[x], b*3+a), shine(row[x+1], b*3+c)
			}
			a, b = b, c
		}
	}
	for y := o.haloed.Min.Y; y < o.haloed.Max.Y; y++ {
		clear(o.tinted[y*stride+o.haloed.Min.X : y*stride+o.haloed.Max.X])
	}
	o.haloed = image.Rectangle{}
}

// shine takes from a pixel what a glow shades and adds its light; both are not yet divided by 256.
func shine(under, weighed lanes) lanes {
	lit := weighed >> 8 & laneMask
	if under == 0 {
		return lit
	}
	return plus(under*(256-lit>>48)>>8&laneMask, lit)
}

// set mixes a colour into one pixel with opacity a.
func (o *overlay) set(x, y int, col rgb, a float32) {
	if !o.touch(x, y, x+1, y+1).Empty() {
		o.pix[y*o.w+x] = over(o.pix[y*o.w+x], toLanes(col, 1)*weight(a))
	}
}

// spot adds light at a sub-pixel position: coloured, with strength k.
//
//go:norace
func (o *overlay) spot(s *spot, x, y float32, col rgb, k float32) {
	x -= float32(s.n) / 2
	y -= float32(s.n) / 2
	ix, iy := int(floor(x)), int(floor(y))
	fx, fy := x-float32(ix), y-float32(iy)
	k *= 256
	w00, w10, w01, w11 := (1-fx)*(1-fy)*k, fx*(1-fy)*k, (1-fx)*fy*k, fx*fy*k
	r := o.touch(ix+1, iy+1, ix+s.n, iy+s.n)
	colour := toLanes(col, 0)
	for py := r.Min.Y; py < r.Max.Y; py++ {
		j := py - iy
		here, above := s.a[j*s.n:(j+1)*s.n], s.a[(j-1)*s.n:j*s.n]
		row := o.pix[py*o.w : (py+1)*o.w]
		for px := r.Min.X; px < r.Max.X; px++ {
			i := px - ix
			if a := lanes(here[i]*w00 + here[i-1]*w10 + above[i]*w01 + above[i-1]*w11 + 0.5); a > 0 {
				row[px] = plus(row[px], colour*min(256, a)>>8&laneMask)
			}
		}
	}
}

// cross adds four short rays to a bright point, the way a lens draws a star.
func (o *overlay) cross(x, y, length float32, col rgb, k float32) {
	for d := float32(1); d < length; d++ {
		f := k * (1 - d/length)
		for _, q := range [...]point{{d, 0}, {-d, 0}, {0, d}, {0, -d}} {
			o.set(int(x+q.x), int(y+q.y), col, f)
		}
	}
}

// lay draws an overlay on a picture of the same size.
//
//go:norace
func (c *canvas) lay(o *overlay) {
	for y := o.drawn.Min.Y; y < o.drawn.Max.Y; y++ {
		for x := o.drawn.Min.X; x < o.drawn.Max.X; x++ {
			q := o.pix[y*o.w+x]
			if q == 0 {
				continue
			}
			rest := 1 - float32(q>>48)/255
			p := c.pix[(y*c.w+x)*3 : (y*c.w+x)*3+3]
			p[0] = p[0]*rest + float32(q&255)
			p[1] = p[1]*rest + float32(q>>16&255)
			p[2] = p[2]*rest + float32(q>>32&255)
		}
	}
}
