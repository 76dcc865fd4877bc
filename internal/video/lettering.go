// lettering.go animates a text in gold or silver: letters arrive one by one, breathe, catch the light and leave.

package video

import (
	"math"
	"math/rand/v2"
)

// style is how letters look.
type style struct {
	top, middle, bottom rgb // of the face
	outline             rgb
	outlineWidth        int // pixels
	glow                rgb
	glowRadius          int // pixels
	glowStrength        float32
}

var (
	gold   = style{rgb{255, 252, 226}, rgb{255, 218, 104}, rgb{240, 150, 40}, rgb{112, 46, 20}, 3, rgb{255, 190, 84}, 16, 1.25}
	silver = style{rgb{255, 255, 255}, rgb{236, 240, 255}, rgb{206, 218, 255}, rgb{40, 40, 110}, 2, rgb{120, 150, 255}, 10, 0.9}
)

// reach is how far the light of a lettering goes beyond its letters, in pixels: glow, leap and sparks.
const reach = 110

// lettering is a text ready to be drawn at any time of its animation. Drawing does not change it.
type lettering struct {
	letters []letter
	sparks  []spark
	ink     box
}

// letter is a part of a text that moves on its own.
type letter struct {
	face, glow *layer
	mask       []float32 // the face's shape, of the size of the layer
	x, y       float32   // the middle of the layer
}

type spark struct {
	x, y   float32
	chance float32 // 0 to 1
	vx, vy float32 // pixels a second
	size   float32
}

// place is where a text goes: the middle, the largest extent, the largest type size, all in pixels.
type place struct{ x, y, maxW, maxH, maxSize float32 }

// newLettering draws a text once, as layers that the frames are then made of.
func newLettering(t *typeface, text string, p place, st style) *lettering {
	lines := fit(t, text, p.maxW, p.maxH, p.maxSize)
	step := lines[0].size * leading
	first, last := lines[0].ink(lines[0].glyphs), lines[len(lines)-1].ink(lines[len(lines)-1].glyphs)
	// The ink of all lines together is centred on the place, not the baselines.
	base := p.y - (first.y0+last.y1+step*float32(len(lines)-1))/2
	out := &lettering{ink: nothing}
	for i, l := range lines {
		whole := l.ink(l.glyphs)
		left := p.x - (whole.x0+whole.x1)/2
		y := base + step*float32(i)
		for from := 0; from < len(l.glyphs); {
			to := from + 1
			for to < len(l.glyphs) && l.glyphs[to].piece == l.glyphs[from].piece {
				to++
			}
			glyphs := l.glyphs[from:to]
			from = to
			ink := l.ink(glyphs)
			if ink.width() <= 0 {
				continue
			}
			margin := float32(st.glowRadius*4 + 8)
			w, h := int(ink.width()+2*margin)+2, int(ink.height()+2*margin)+2
			ox, oy := margin-ink.x0, margin-ink.y0
			mask := bolder(toFloats(l.mask(glyphs, w, h, ox, oy)), w, h, t.bolder*l.size)
			face, glow := paint(mask, w, h, whole.y0+oy, whole.y1+oy, st)
			out.letters = append(out.letters, letter{face, glow, mask, left - ox + float32(w)/2, y - oy + float32(h)/2})
			out.ink = out.ink.join(box{left + ink.x0, y + ink.y0, left + ink.x1, y + ink.y1})
		}
	}
	r := rand.New(rand.NewPCG(3, 1))
	for range 90 {
		turn, speed := r.Float64()*2*math.Pi, 60+170*r.Float32()
		out.sparks = append(out.sparks, spark{
			out.ink.x0 + out.ink.width()*r.Float32(), out.ink.y0 + out.ink.height()*r.Float32(), r.Float32(),
			speed * float32(math.Cos(turn)), speed*float32(math.Sin(turn)) - 40, 1.6 + 2.6*r.Float32(),
		})
	}
	return out
}

// shift moves everything by so many pixels.
func (l *lettering) shift(dx, dy float32) {
	for i := range l.letters {
		l.letters[i].x += dx
		l.letters[i].y += dy
	}
	for i := range l.sparks {
		l.sparks[i].x += dx
		l.sparks[i].y += dy
	}
	l.ink = box{l.ink.x0 + dx, l.ink.y0 + dy, l.ink.x1 + dx, l.ink.y1 + dy}
}

// paint makes the face (gradient from top to bottom, bevel, outline) and the glow of a letter from its mask.
func paint(mask []float32, w, h int, top, bottom float32, st style) (face, glow *layer) {
	rim := blurred(blurred(mask, w, h, st.outlineWidth, 1), w, h, max(1, st.outlineWidth/2), 1)
	wide := blurred(mask, w, h, st.glowRadius, 3)
	near := blurred(mask, w, h, st.glowRadius/3, 3)
	bevel := blurred(blurred(mask, w, h, 3, 1), w, h, 2, 1)
	face, glow = newLayer(w, h), newLayer(w, h)
	for y := range h {
		t := min(1, max(0, (float32(y)-top)/(bottom-top)))
		col := mix(st.top, st.middle, t*2)
		if t > 0.5 {
			col = mix(st.middle, st.bottom, t*2-1)
		}
		for x := range w {
			i := y*w + x
			a := mask[i]
			alpha := max(a, smooth(0.06, 0.30, rim[i]))
			var lit float32 // from the upper left
			if x > 2 && y > 2 && x < w-3 && y < h-3 {
				lit = (bevel[i+2+2*w] - bevel[i-2-2*w]) * 0.85
			}
			f := face.pix[i*4 : i*4+4]
			f[0] = (col.r*(1+lit*0.55)*a + st.outline.r*(alpha-a)) / 255
			f[1] = (col.g*(1+lit*0.60)*a + st.outline.g*(alpha-a)) / 255
			f[2] = (col.b*(1+lit*0.90)*a + st.outline.b*(alpha-a)) / 255
			f[3] = alpha
			k := (wide[i]*0.9 + near[i]*0.35) * st.glowStrength * 0.62 / 255
			g := glow.pix[i*4 : i*4+4]
			g[0], g[1], g[2] = st.glow.r*k, st.glow.g*k, st.glow.b*k
			g[3] = min(0.5, wide[i]*0.75) // darkens what is behind: readable on any picture
		}
	}
	face.trim()
	glow.trim()
	return face, glow
}

// fade draws the text with opacity k, dy pixels lower than its place.
func (l *lettering) fade(c *canvas, k, dy float32) {
	for _, q := range l.letters {
		c.blit(q.glow, q.x, q.y+dy, 1, k)
	}
	for _, q := range l.letters {
		c.blit(q.face, q.x, q.y+dy, 1, k)
	}
}

// pose is one letter at one moment: scale, opacity, how much lower it stands.
type pose struct{ scale, opacity, dy float32 }

// dance draws the text as it is at second now of an appearance from second in to second out.
func (l *lettering) dance(c *canvas, now, in, out float32) {
	n := float32(len(l.letters))
	step := min(0.13, 0.9/n)
	start := in + 0.10
	landed := start + step*n + 0.55
	poses := make([]pose, len(l.letters))
	for i := range poses {
		f := float32(i)
		arrival := (now - start - step*f) / 0.55
		leaving := smooth(out-0.60+0.30*f/n, out-0.20+0.14*f/n, now)
		breath := sin(now*2.1-f*0.55) * 5 * smooth(landed-0.3, landed+0.4, now)
		poses[i] = pose{
			scale:   overshoot(arrival) * (1 + 0.10*leaving),
			opacity: smooth(0, 0.28, arrival) * (1 - leaving),
			dy:      (1-smooth(0, 1, arrival))*46 + breath - leaving*60,
		}
	}
	pulse := 0.85 + 0.25*sin((now-in)*3.2)
	for i, q := range l.letters {
		c.blit(q.glow, q.x, q.y+poses[i].dy, poses[i].scale*(1+0.03*pulse), poses[i].opacity*min(1, pulse))
	}
	for i, q := range l.letters {
		c.blit(q.face, q.x, q.y+poses[i].dy, poses[i].scale, poses[i].opacity)
	}
	for _, at := range []float32{landed - 0.1, landed + 1.25} {
		if t := (now - at) / 0.75; t > 0 && t < 1 {
			l.shimmer(c, poses, t)
		}
	}
	l.sparkle(c, now, start, landed, out)
}

// shimmer lets a slanted band of light pass over the letters; t goes from 0 to 1.
//
//go:norace
func (l *lettering) shimmer(c *canvas, poses []pose, t float32) {
	const width = 46
	middle := l.ink.x0 - 80 + (l.ink.width()+160)*t
	level := (l.ink.y0 + l.ink.y1) / 2
	for i, q := range l.letters {
		if poses[i].opacity < 0.9 {
			continue
		}
		left, top := int(q.x-float32(q.face.w)/2+0.5), int(q.y+poses[i].dy-float32(q.face.h)/2)
		for y := max(0, -top); y < min(q.face.h, c.h-top); y++ {
			for x := max(0, -left, q.face.first[y]); x < min(q.face.last[y]+1, c.w-left); x++ {
				m := q.mask[y*q.face.w+x]
				d := (float32(left+x) + (float32(top+y)-level)*0.45 - middle) / width
				if m < 0.02 || d < -1 || d > 1 {
					continue
				}
				k := (1 - d*d) * (1 - d*d) * m * 0.75
				o := ((top+y)*c.w + left + x) * 3
				p := c.pix[o : o+3 : o+3]
				p[0] += (255 - p[0]) * k
				p[1] += (255 - p[1]) * k
				p[2] += (250 - p[2]) * k
			}
		}
	}
}

var (
	sparkCore = newSpot(4.2, 1.6)
	sparkHalo = newSpot(15, 3)
)

// sparkle draws a burst where the letters land, twinkles while they stay, and a farewell when they go.
func (l *lettering) sparkle(c *canvas, now, start, landed, out float32) {
	draw := func(x, y, k, size float32) {
		if k > 0.02 {
			c.light(sparkHalo, x, y, rgb{255, 200, 110}, k*0.55)
			c.light(sparkCore, x, y, rgb{255, 244, 210}, k)
			c.cross(x, y, 3.2*size, rgb{255, 246, 220}, k*0.75)
		}
	}
	for i, s := range l.sparks {
		switch {
		case i < 40: // landing
			at := start + 0.15 + (s.x-l.ink.x0)/max(1, l.ink.width())*(landed-start-0.55)
			if t := (now - at) / (0.7 + 0.5*s.chance); t > 0 && t < 1 {
				draw(s.x+s.vx*t*(1-0.35*t), s.y+s.vy*t+70*t*t, (1-t)*0.95, s.size)
			}
		case i < 62: // staying
			period := 0.9 + 0.6*s.chance
			phase := mod(now+s.chance*7, period)/period - 0.5
			k := (1 - smooth(0, 1, abs(phase)*2.6)) * smooth(landed-0.4, landed, now) * (1 - smooth(out-0.55, out-0.10, now))
			draw(s.x-20+40*s.chance, s.y+(s.chance-0.5)*60, k*0.9, s.size)
		default: // farewell
			if t := (now - (out - 0.62 + 0.15*s.chance)) / 0.52; t > 0 && t < 1 {
				draw(s.x+s.vx*t*0.6, s.y-90*t+s.vy*0.3*t, (1-t)*smooth(0, 0.15, t), s.size)
			}
		}
	}
}
