// yuv.go turns a canvas into the bytes that ffmpeg reads without converting: BT.709, limited range, 4:2:0.

package video

import "math/rand/v2"

// yuvSize is the number of bytes of one w×h frame in yuv420p; overlays (yuva420p) have w*h more. Both edges are even.
func yuvSize(w, h int) int  { return w * h * 3 / 2 }
func yuvaSize(w, h int) int { return w * h * 5 / 2 }

// dither is a tile of noise, 0 to 1, added before rounding: a night sky in 8 bits has visible bands without it.
// It is the same in every frame, so it costs the encoder next to nothing.
type dither [64 * 64]float32

func newDither() *dither {
	d := new(dither)
	r := rand.New(rand.NewPCG(20, 26))
	for i := range d {
		d[i] = r.Float32()
	}
	return d
}

// yuv writes the picture as planar yuv420p into dst, which has yuvSize bytes.
//
//go:norace
func (c *canvas) yuv(dst []byte, d *dither) {
	w, h := c.w, c.h
	n := w * h
	ys, us, vs := dst[:n], dst[n:n+n/4], dst[n+n/4:n*3/2]
	for y := 0; y < h; y += 2 {
		for k := range 2 {
			in, out := c.pix[(y+k)*w*3:(y+k+1)*w*3], ys[(y+k)*w:(y+k+1)*w]
			noise := d[((y+k)&63)*64 : ((y+k)&63)*64+64]
			for x := range out {
				p := in[x*3 : x*3+3 : x*3+3]
				if p[0] > 255 {
					p[0] = 255
				}
				if p[1] > 255 {
					p[1] = 255
				}
				if p[2] > 255 {
					p[2] = 255
				}
				out[x] = byte(16 + noise[x&63] + 0.18259*p[0] + 0.61423*p[1] + 0.06201*p[2])
			}
		}
		upper, lower := c.pix[y*w*3:(y+1)*w*3], c.pix[(y+1)*w*3:(y+2)*w*3]
		u, v := us[y/2*w/2:(y/2+1)*w/2], vs[y/2*w/2:(y/2+1)*w/2]
		for x := range u {
			p, q := upper[x*6:x*6+6:x*6+6], lower[x*6:x*6+6:x*6+6]
			r, g, b := p[0]+p[3]+q[0]+q[3], p[1]+p[4]+q[1]+q[4], p[2]+p[5]+q[2]+q[5]
			u[x] = byte(128.5 - 0.02516*r - 0.084643*g + 0.109805*b)
			v[x] = byte(128.5 + 0.109805*r - 0.099735*g - 0.010068*b)
		}
	}
}

// yuva writes an overlay as planar yuva420p with straight alpha into dst, which has yuvaSize bytes.
// Light that covers nothing becomes as opaque as it is bright, which is how a glow looks over a darker picture.
//
//go:norace
func (c *canvas) yuva(dst []byte) {
	w, h := c.w, c.h
	n := w * h
	ys, us, vs, as := dst[:n], dst[n:n+n/4], dst[n+n/4:n*3/2], dst[n*3/2:]
	for y := 0; y < h; y += 2 {
		for x := 0; x < w; x += 2 {
			var su, sv, weight float32
			for k := range 4 {
				i := (y+k>>1)*w + x + k&1
				p := c.pix[i*3 : i*3+3 : i*3+3]
				a := min(1, max(c.cover[i], max(p[0], p[1], p[2])/255))
				if a < 0.004 {
					ys[i], as[i] = 16, 0
					continue
				}
				r, g, b := min(255, p[0]/a), min(255, p[1]/a), min(255, p[2]/a)
				ys[i] = byte(16.5 + 0.18259*r + 0.61423*g + 0.06201*b)
				as[i] = byte(a*255 + 0.5)
				su += a * (-0.10064*r - 0.33857*g + 0.43922*b)
				sv += a * (0.43922*r - 0.39894*g - 0.04027*b)
				weight += a
			}
			j := y/2*(w/2) + x/2
			us[j], vs[j] = 128, 128
			if weight > 0 {
				us[j], vs[j] = byte(128.5+su/weight), byte(128.5+sv/weight)
			}
		}
	}
}
