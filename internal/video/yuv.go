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

// blankYUVA is a frame without anything: black and transparent.
func blankYUVA(w, h int) []byte {
	out := make([]byte, yuvaSize(w, h))
	for i := range out[:w*h] {
		out[i] = 16
	}
	for i := range out[w*h : w*h*3/2] {
		out[w*h+i] = 128
	}
	return out
}

// yuva writes an overlay as planar yuva420p with straight alpha into dst, which has yuvaSize bytes.
// Light that covers nothing becomes as opaque as it is bright, which is how a glow looks over a darker picture.
//
//go:norace
func (o *overlay) yuva(dst []byte) {
	w, h := o.w, o.h
	n := w * h
	ys, us, vs, as := dst[:n], dst[n:n+n/4], dst[n+n/4:n*3/2], dst[n*3/2:n*5/2]
	x0, x1 := o.drawn.Min.X&^1, (o.drawn.Max.X+1)&^1
	y0, y1 := o.drawn.Min.Y&^1, (o.drawn.Max.Y+1)&^1
	copy(dst, o.blank)
	for y := y0; y < y1; y += 2 {
		upper, lower := o.pix[y*w+x0:y*w+x1], o.pix[(y+1)*w+x0:(y+1)*w+x1]
		yu, yl := ys[y*w+x0:y*w+x1], ys[(y+1)*w+x0:(y+1)*w+x1]
		au, al := as[y*w+x0:y*w+x1], as[(y+1)*w+x0:(y+1)*w+x1]
		u, v := us[(y*w/2+x0)/2:], vs[(y*w/2+x0)/2:]
		for x := 0; x < len(upper); x += 2 {
			a, b, c, d := upper[x], upper[x+1], lower[x], lower[x+1]
			if a|b|c|d == 0 {
				continue
			}
			var ka, kb, kc, kd lanes
			yu[x], ka = straight(a)
			yu[x+1], kb = straight(b)
			yl[x], kc = straight(c)
			yl[x+1], kd = straight(d)
			au[x], au[x+1], al[x], al[x+1] = byte(ka), byte(kb), byte(kc), byte(kd)
			sum := a + b + c + d
			red, green, blue := int(sum&0xffff), int(sum>>16&0xffff), int(sum>>32&0xffff)
			share := oneBy[ka+kb+kc+kd]
			u[x/2] = byte((chromaHalf + (-6596*red-22188*green+28784*blue)*share) >> 32)
			v[x/2] = byte((chromaHalf + (28784*red-26145*green-2639*blue)*share) >> 32)
		}
	}
}

// oneBy holds 255/n in 65536ths, for the alphas of up to four pixels.
var oneBy = func() (t [4*255 + 1]int) {
	for n := 1; n < len(t); n++ {
		t[n] = 255 << 16 / n
	}
	return t
}()

// lumaBase and chromaHalf are 16 and 128 and what rounds, in the 2^32nds in which colours are summed up.
const (
	lumaBase   = 33 << 31
	chromaHalf = 257 << 31
)

// straight returns the luma of a pixel as it is without its alpha, and the alpha.
func straight(p lanes) (luma byte, alpha lanes) {
	r, g, b := p&255, p>>16&255, p>>32&255
	alpha = max(p>>48, r, g, b)
	return byte((lumaBase + (11966*r+40254*g+4064*b)*lanes(oneBy[alpha])) >> 32), alpha
}
