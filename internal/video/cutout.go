// cutout.go holds pictures with an outline of their own that move about in a scene: hills, balloons, flags.

package video

import "math"

// fine is how many pixels a cutout has for one of the scene, so that it is still sharp when the camera comes close.
const fine = 1.5

// cutout is a w×h picture of premultiplied RGBA floats, 0 to 1. Drawn at (x, y) it lies where it was painted.
type cutout struct {
	w, h        int
	x, y        float32 // its middle in the scene
	fine        float32 // its pixels for one of the scene
	pix         []float32
	first, last []int // the non-empty columns of each row
}

// newMat makes an empty canvas for a part of the scene that knows where something was painted: what becomes a cutout.
func newMat(part box, fine float32) *canvas {
	c := newCanvas(int(math.Ceil(float64(part.width()*fine))), int(math.Ceil(float64(part.height()*fine))))
	c.cover = make([]float32, c.w*c.h)
	c.view = view{fine, -part.x0 * fine, -part.y0 * fine}
	return c
}

// cutout makes what was painted into a piece that can be placed and scaled in every frame.
func (c *canvas) cutout() *cutout {
	l := &cutout{w: c.w, h: c.h, pix: make([]float32, c.w*c.h*4), fine: c.view.k,
		x: (float32(c.w)/2 - c.view.x) / c.view.k, y: (float32(c.h)/2 - c.view.y) / c.view.k}
	for i, a := range c.cover {
		p, q := c.pix[i*3:i*3+3], l.pix[i*4:i*4+4]
		q[0], q[1], q[2], q[3] = p[0]/255, p[1]/255, p[2]/255, a
	}
	l.trim()
	return l
}

// blur takes what was painted out of focus; r is in pixels of the scene.
func (c *canvas) blur(r float32) {
	one := make([]float32, c.w*c.h)
	for k := range 3 {
		for i := range one {
			one[i] = c.pix[i*3+k]
		}
		for i, v := range blurred(one, c.w, c.h, r*c.view.k/2, 3) {
			c.pix[i*3+k] = v
		}
	}
	c.cover = blurred(c.cover, c.w, c.h, r*c.view.k/2, 3)
}

// trim notes where each row begins and ends, so that paste skips the empty rest.
func (l *cutout) trim() {
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

// put draws a cutout where it was painted.
func (c *canvas) put(l *cutout) { c.paste(l, l.x, l.y, 1, 1) }

// paste draws a cutout with its middle at (x, y), scaled by s, with opacity k.
//
//go:norace
func (c *canvas) paste(l *cutout, x, y, s, k float32) {
	if s <= 0.01 || k <= 0.003 {
		return
	}
	x, y = c.view.at(x, y)
	s *= c.view.k / l.fine
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
		}
	}
}
