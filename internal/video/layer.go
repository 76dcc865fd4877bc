// layer.go holds pieces of lettering that are drawn once and then placed, scaled and faded frame by frame.

package video

import "image"

// layer is a w×h picture of premultiplied RGBA floats, 0 to 1. Colour without alpha is pure added light.
type layer struct {
	w, h        int
	pix         []float32
	first, last []int // the non-empty columns of each row
}

func newLayer(w, h int) *layer { return &layer{w: w, h: h, pix: make([]float32, w*h*4)} }

// trim notes where each row begins and ends, so that blit skips the empty rest.
func (l *layer) trim() {
	l.first, l.last = make([]int, l.h), make([]int, l.h)
	for y := range l.h {
		l.first[y], l.last[y] = l.w, -1
		for x := range l.w {
			q := l.pix[(y*l.w+x)*4 : (y*l.w+x)*4+4]
			if q[0]+q[1]+q[2]+q[3] > 0.004 {
				l.first[y], l.last[y] = min(l.first[y], x), x
			}
		}
	}
}

// blit draws a trimmed layer with its middle at (x, y), scaled by s, with opacity k.
//
//go:norace
func (c *canvas) blit(l *layer, x, y, s, k float32) {
	if s <= 0.01 || k <= 0.003 {
		return
	}
	cx, cy := float32(l.w)/2, float32(l.h)/2
	top, bottom := max(0, int(y-cy*s)-1), min(c.h-1, int(y+cy*s)+1)
	inv := 1 / s
	stride := l.w * 4
	for py := top; py <= bottom; py++ {
		v := (float32(py)-y)*inv + cy
		iv := int(v)
		if v < 0 || iv >= l.h-1 {
			continue
		}
		first, last := min(l.first[iv], l.first[iv+1])-1, max(l.last[iv], l.last[iv+1])
		if last < 0 {
			continue
		}
		fv := v - float32(iv)
		x0 := max(0, int(x+(float32(first)-cx)*s)-1)
		x1 := min(c.w-1, int(x+(float32(last)+1-cx)*s)+1)
		row := c.pix[py*c.w*3 : (py+1)*c.w*3]
		u := (float32(x0)-x)*inv + cx
		for px := x0; px <= x1; px, u = px+1, u+inv {
			iu := int(u)
			if u < 0 || iu >= l.w-1 {
				continue
			}
			fu := u - float32(iu)
			o := iv*stride + iu*4
			p, q := l.pix[o:o+8:o+8], l.pix[o+stride:o+stride+8:o+stride+8]
			a, b := (1-fu)*(1-fv)*k, fu*(1-fv)*k
			d, e := (1-fu)*fv*k, fu*fv*k
			alpha := p[3]*a + p[7]*b + q[3]*d + q[7]*e
			rest := 1 - alpha
			t := row[px*3 : px*3+3 : px*3+3]
			t[0] = t[0]*rest + 255*(p[0]*a+p[4]*b+q[0]*d+q[4]*e)
			t[1] = t[1]*rest + 255*(p[1]*a+p[5]*b+q[1]*d+q[5]*e)
			t[2] = t[2]*rest + 255*(p[2]*a+p[6]*b+q[2]*d+q[6]*e)
			if c.cover != nil {
				c.cover[py*c.w+px] = c.cover[py*c.w+px]*rest + alpha
			}
		}
	}
}

func toFloats(m *image.Alpha) []float32 {
	out := make([]float32, len(m.Pix))
	for i, v := range m.Pix {
		out[i] = float32(v) / 255
	}
	return out
}

// blurred returns a copy of a w×h mask after n box blurs of radius r; three make it look like a Gaussian.
//
//go:norace
func blurred(mask []float32, w, h, r, n int) []float32 {
	a := append([]float32(nil), mask...)
	line := make([]float32, max(w, h))
	inv := 1 / float32(2*r+1)
	// pass blurs count values that lie stride apart, starting at from.
	pass := func(from, count, stride int) {
		var sum float32
		for i := 0; i <= r && i < count; i++ {
			sum += a[from+i*stride]
		}
		for i := range count {
			line[i] = sum * inv
			if i+r+1 < count {
				sum += a[from+(i+r+1)*stride]
			}
			if i-r >= 0 {
				sum -= a[from+(i-r)*stride]
			}
		}
		for i := range count {
			a[from+i*stride] = line[i]
		}
	}
	for range n {
		for y := range h {
			pass(y*w, w, 1)
		}
		for x := range w {
			pass(x, h, w)
		}
	}
	return a
}

// bolder returns a copy of a w×h mask grown by r pixels on all sides.
//
//go:norace
func bolder(mask []float32, w, h int, r float32) []float32 {
	out := append([]float32(nil), mask...)
	n := int(r + 1)
	for dy := -n; dy <= n; dy++ {
		for dx := -n; dx <= n; dx++ {
			// Neighbours a fraction of a pixel too far away count for that fraction: the edge stays smooth.
			k := min(1, r+1-hypot(float32(dx), float32(dy)))
			if k <= 0 {
				continue
			}
			for y := max(0, -dy); y < min(h, h-dy); y++ {
				from, to := max(0, -dx), min(w, w-dx)
				src, dst := mask[(y+dy)*w+dx+from:(y+dy)*w+dx+to], out[y*w+from:y*w+to]
				for i, v := range src {
					if v *= k; v > dst[i] {
						dst[i] = v
					}
				}
			}
		}
	}
	return out
}
