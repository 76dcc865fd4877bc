// layer.go holds what is drawn once and then placed, scaled and faded frame by frame: letters, their halos, pictures.

package video

import (
	"image"
	"math"
)

// lanes are the four numbers of a pixel, 0 to 255, in one word: red, green, blue and, in the highest 16 bits, alpha.
// Colours are premultiplied; colour beyond the alpha is added light. One multiplication weighs all four.
type lanes = uint64

// laneMask leaves the lower half of each lane, in which its value stands.
const laneMask lanes = 0x00ff00ff00ff00ff

// toLanes packs a colour with an alpha; the colour is multiplied with the alpha already.
func toLanes(c rgb, alpha float32) lanes {
	n := func(v float32) lanes { return lanes(min(255, max(0, v)) + 0.5) }
	return n(c.r) | n(c.g)<<16 | n(c.b)<<32 | n(alpha*255)<<48
}

// weight is a share, 0 to 1, in the 256ths with which lanes are weighed.
func weight(k float32) lanes { return lanes(min(1, max(0, k))*256 + 0.5) }

// over lays lanes that were weighed, but not yet divided by 256, on a pixel.
func over(under, weighed lanes) lanes {
	// What covers the pixel takes its share away; rounding that up keeps the sum within its lane.
	rest := 256 - (weighed>>48*257+0xffff)>>16
	return (under*rest + weighed + 0x0080008000800080) >> 8 & laneMask
}

// plus adds light to a pixel, which becomes white at most.
func plus(a, b lanes) lanes {
	sum := a + b
	full := sum >> 8 & 0x0001000100010001
	return (sum | full*255) & laneMask
}

// layer is a w×h picture whose colours are nowhere brighter than its alpha, and whose edge is empty.
type layer struct {
	w, h        int
	pix         []lanes
	first, last []int // the columns that are not empty, in each row; last is -1 in an empty row
}

func newLayer(w, h int) *layer { return &layer{w: w, h: h, pix: make([]lanes, w*h)} }

// trim notes where each row begins and ends, so that drawing skips the empty rest.
func (l *layer) trim() {
	l.first, l.last = make([]int, l.h), make([]int, l.h)
	for y := range l.h {
		l.first[y], l.last[y] = l.w, -1
		for x, p := range l.pix[y*l.w : (y+1)*l.w] {
			if p != 0 {
				l.first[y], l.last[y] = min(l.first[y], x), x
			}
		}
	}
}

// halo is the glow of a letter and the shade under it, for every second pixel: it has no details that more would show.
type halo struct {
	x, y float32 // pixel of the letter's layer at which the first of them stands
	w, h int
	pix  []shining
}

// shining is, in its lower half, how much of the glow's colour is added, and in its upper half, how much of the picture
// below is taken away; fullShine is all of it.
type shining = uint64

const fullShine = 1 << 15

// newShining packs both, each 0 to 1. The light is held to three times the shade, so that however many halos lie on
// each other, their sum stays below four and within its half.
func newShining(light, shade float32) shining {
	return shining(min(1, light, 3*shade)*fullShine) | shining(shade*fullShine)<<32
}

func floor(x float32) float32 { return float32(math.Floor(float64(x))) }

func toFloats(m *image.Alpha) []float32 {
	out := make([]float32, len(m.Pix))
	for i, v := range m.Pix {
		out[i] = float32(v) / 255
	}
	return out
}

// blurred returns a copy of a w×h mask after n box blurs of radius r; three make it look like a Gaussian. A box has
// 2r+1 pixels; what is not whole at its two ends counts in part.
//
//go:norace
func blurred(mask []float32, w, h int, radius float32, n int) []float32 {
	a := append([]float32(nil), mask...)
	line := make([]float32, max(w, h))
	r := int(radius)
	ends := radius - float32(r)
	inv := 1 / (2*radius + 1)
	// pass blurs count values that lie stride apart, starting at from.
	pass := func(from, count, stride int) {
		var sum float32
		for i := 0; i <= r && i < count; i++ {
			sum += a[from+i*stride]
		}
		for i := range count {
			var next, before float32
			if i+r+1 < count {
				next = a[from+(i+r+1)*stride]
			}
			if i-r-1 >= 0 {
				before = a[from+(i-r-1)*stride]
			}
			line[i] = (sum + (next+before)*ends) * inv
			sum += next
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

// bolder returns a copy of a w×h mask grown by r pixels on all sides, which rounds its corners. Growing twice by half
// as much gives the same for half of the work, as the work grows with the square of r.
func bolder(mask []float32, w, h int, r float32) []float32 {
	const most = 2.5
	steps := int(r/most) + 1
	for range steps {
		mask = grown(mask, w, h, r/float32(steps))
	}
	return mask
}

// grown returns a copy of a w×h mask grown by r pixels.
//
//go:norace
func grown(mask []float32, w, h int, r float32) []float32 {
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
				if from >= to {
					continue
				}
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
