// lettering.go animates a text in gold, silver or plain: letters arrive one by one, breathe, catch the light and leave.

package video

import (
	"math"
	"math/rand/v2"
	"slices"
)

// style is how letters look. Widths are pixels of type that is large; on small type everything is finer.
type style struct {
	top, middle, bottom rgb // of the face
	outline             rgb
	outlineWidth        float32 // 0: no outline
	glow                rgb     // black is a shadow
	glowRadius          float32
	glowStrength        float32 // 0: neither glow nor shade around the letters
	relief              float32 // of metal; 0: flat
}

var (
	gold = style{top: rgb{255, 252, 226}, middle: rgb{255, 218, 104}, bottom: rgb{240, 150, 40},
		outline: rgb{112, 46, 20}, outlineWidth: 3, glow: rgb{255, 190, 84}, glowRadius: 16, glowStrength: 1.25, relief: 0.85}
	silver = style{top: rgb{255, 255, 255}, middle: rgb{236, 240, 255}, bottom: rgb{206, 218, 255},
		outline: rgb{40, 40, 110}, outlineWidth: 2, glow: rgb{120, 150, 255}, glowRadius: 10, glowStrength: 0.9, relief: 0.85}
	plain = style{top: rgb{255, 255, 255}, middle: rgb{255, 255, 255}, bottom: rgb{255, 255, 255},
		outline: rgb{24, 26, 34}, outlineWidth: 2, glowRadius: 9, glowStrength: 1}
)

// largeType is the size, in pixels per em, from which on everything is as wide as the style says.
const largeType = 64

// reach is how far the light of a dancing text goes beyond its letters, in pixels: glow, leap and sparks.
const reach = 110

// lettering is a text ready to be drawn at any time of its animation. Drawing does not change it.
type lettering struct {
	letters []letter // as they are read
	sparks  []spark
	style   style
	ink     box
	rtl     bool // read from right to left

	heard func(second float32) float32 // how loud the voice is, 0 to 1, which the glow answers; nil: nobody speaks
}

// letter is a part of a text that moves on its own.
type letter struct {
	face  *layer
	halo  *halo   // nil without
	shape []uint8 // of the size of the layer: what catches the light
	x, y  float32 // the middle of the layer
}

type spark struct {
	x, y   float32
	chance float32 // 0 to 1
	vx, vy float32 // pixels a second
	size   float32
}

// place is where a text goes, in pixels: the middle of the box that it fills at most, the largest type size, and at
// which edge of the box its lines stand: "left", "right", or "center", which "" is too.
type place struct {
	x, y, maxW, maxH, maxSize float32
	align                     string
}

// place is where a caption's text goes.
func (c caption) place() place {
	w, h := float32(c.box.w), float32(c.box.h)
	return place{float32(c.box.x) + w/2, float32(c.box.y) + h/2, w, h, c.size, c.align}
}

// newLettering draws a text once, as layers that the frames are then made of.
func newLettering(t *typeface, text string, p place, st style) *lettering {
	lines := fit(t, text, p.maxW, p.maxH, p.maxSize)
	size := lines[0].size
	step := lineStep(lines)
	small := min(1, size/largeType)
	st.outlineWidth *= small
	st.glowRadius *= small
	st.relief *= small
	first, last := lines[0].ink(lines[0].glyphs), lines[len(lines)-1].ink(lines[len(lines)-1].glyphs)
	// The ink of all lines together is centred on the place, not the baselines.
	base := p.y - (first.y0+last.y1+step*float32(len(lines)-1))/2
	out := &lettering{style: st, ink: nothing}
	for i, l := range lines {
		whole := l.ink(l.glyphs)
		left := p.x - (whole.x0+whole.x1)/2
		switch p.align {
		case "left":
			left = p.x - p.maxW/2 - whole.x0
		case "right":
			left = p.x + p.maxW/2 - whole.x1
		}
		y := base + step*float32(i)
		read := len(out.letters)
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
			bold := glyphs[0].bolder * size
			empty := st.outlineWidth*1.5 + 5
			margin := bold + empty
			w, h := int(ink.width()+2*margin)+2, int(ink.height()+2*margin)+2
			// Layers stand on whole pixels: a letter at rest is then copied as it is.
			px, py := floor(left+ink.x0-margin), floor(y+ink.y0-margin)
			mask := bolder(toFloats(l.mask(glyphs, w, h, left-px, y-py)), w, h, bold)
			q := letter{x: px + float32(w)/2, y: py + float32(h)/2}
			q.face, q.shape = paint(mask, w, h, whole.y0+y-py, whole.y1+y-py, st)
			if st.glowStrength > 0 {
				q.halo = newHalo(mask, w, h, empty, st)
			}
			out.letters = append(out.letters, q)
			out.ink = out.ink.join(box{left + ink.x0, y + ink.y0, left + ink.x1, y + ink.y1})
		}
		if l.rtl { // letters arrive as they are read
			slices.Reverse(out.letters[read:])
			out.rtl = true
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

// paint makes the face of a letter from its mask (gradient from top to bottom, bevel, outline), and its shape.
func paint(mask []float32, w, h int, top, bottom float32, st style) (*layer, []uint8) {
	rim := mask
	if st.outlineWidth > 0 {
		rim = blurred(blurred(mask, w, h, st.outlineWidth, 1), w, h, max(min(1, st.outlineWidth), st.outlineWidth/3), 1)
	}
	bevel := blurred(blurred(mask, w, h, 3, 1), w, h, 2, 1)
	face, shape := newLayer(w, h), make([]uint8, w*h)
	for y := 1; y < h-1; y++ {
		t := min(1, max(0, (float32(y)-top)/max(1, bottom-top)))
		col := mix(st.top, st.middle, t*2)
		if t > 0.5 {
			col = mix(st.middle, st.bottom, t*2-1)
		}
		for x := 1; x < w-1; x++ {
			i := y*w + x
			a := mask[i]
			alpha := a
			if st.outlineWidth > 0 {
				alpha = max(a, smooth(0.06, 0.30, rim[i]))
			}
			var lit float32 // from the upper left
			if x > 2 && y > 2 && x < w-3 && y < h-3 {
				lit = (bevel[i+2+2*w] - bevel[i-2-2*w]) * st.relief
			}
			most := alpha * 255
			face.pix[i] = toLanes(rgb{
				min(most, col.r*(1+lit*0.55)*a+st.outline.r*(alpha-a)),
				min(most, col.g*(1+lit*0.60)*a+st.outline.g*(alpha-a)),
				min(most, col.b*(1+lit*0.90)*a+st.outline.b*(alpha-a)),
			}, alpha)
			shape[i] = uint8(a*255 + 0.5)
		}
	}
	face.trim()
	return face, shape
}

// newHalo makes the glow of a letter from its mask, whose margin is empty.
func newHalo(mask []float32, w, h int, empty float32, st style) *halo {
	// Three box blurs end at three radii, but what is beyond this is too faint to be seen.
	margin := max(0, int((st.glowRadius*2.75-empty)/2)) + 2
	g := &halo{x: 0.5 - float32(2*margin), y: 0.5 - float32(2*margin), w: (w+1)/2 + 2*margin, h: (h+1)/2 + 2*margin}
	half := make([]float32, g.w*g.h)
	for y := range h {
		for x := range w {
			half[(y/2+margin)*g.w+x/2+margin] += mask[y*w+x] / 4
		}
	}
	radius := func(r float32) float32 { return max(0, r/2-0.25) } // of a box that is half as wide
	wide := blurred(half, g.w, g.h, radius(st.glowRadius), 3)
	near := blurred(half, g.w, g.h, radius(st.glowRadius*5/16), 3)
	g.pix = make([]shining, len(half))
	for i := range half {
		// The shade makes letters readable on any picture.
		g.pix[i] = newShining((wide[i]*0.9+near[i]*0.35)*st.glowStrength*0.62, min(0.5, wide[i]*0.75))
	}
	return g
}

// pose is one letter at one moment: scale, opacity, how much lower it stands.
type pose struct{ scale, opacity, dy float32 }

// Times of the animations, in seconds; whatever is shown for too short a time for them moves faster.
const (
	fadeIn, fadeOut = 0.5, 0.4
	danceLeast      = 2.5
)

// riseBy is how far below its place something starts to rise, in pixels, and how far above it ends.
const riseBy = 46

// comeAndGo is how far something that fades has come, and how far it has gone, each 0 to 1.
func comeAndGo(animation string, now, in, out float32) (come, gone float32) {
	if animation == "none" {
		return 1, 0
	}
	k := min(1, (out-in)/(fadeIn+fadeOut))
	return smooth(in, in+fadeIn*k, now), smooth(out-fadeOut*k, out, now)
}

// rise is how far below its place something stands that comes from below and leaves upwards.
func rise(animation string, come, gone float32) float32 {
	if animation == "rise" {
		return riseBy * (1 - come - gone)
	}
	return 0
}

// animate draws the text as it is at second now of an appearance from second in to second out, with an animation
// as a template names it.
func (l *lettering) animate(o *overlay, animation string, now, in, out float32) {
	if now < in || now >= out || len(l.letters) == 0 {
		return
	}
	if animation == "dance" {
		l.dance(o, now, in, out)
		return
	}
	come, gone := comeAndGo(animation, now, in, out)
	l.fade(o, come*(1-gone), rise(animation, come, gone), l.answer(now))
}

// answers is by how much the glow grows that answers the voice at its loudest.
const answers = 0.28

// answer is how much the glow answers the voice at a second. A shadow does not.
func (l *lettering) answer(second float32) float32 {
	if l.heard == nil || max(l.style.glow.r, l.style.glow.g, l.style.glow.b) < 64 {
		return 0
	}
	return l.heard(second)
}

// bounds is the box outside of which an animation draws nothing.
func (l *lettering) bounds(animation string) box {
	if animation == "dance" {
		return l.light()
	}
	b := nothing
	for _, q := range l.letters {
		around := q.bounds()
		if l.heard != nil { // the glow grows
			dx, dy := around.width()*answers/2, around.height()*answers/2
			around = box{around.x0 - dx, around.y0 - dy, around.x1 + dx, around.y1 + dy}
		}
		b = b.join(around)
	}
	if animation == "rise" {
		b.y0 -= riseBy
		b.y1 += riseBy
	}
	return b
}

// light is the box in which a dance shines.
func (l *lettering) light() box {
	return box{l.ink.x0 - reach, l.ink.y0 - reach, l.ink.x1 + reach, l.ink.y1 + reach}
}

// bounds is the box that a letter and its halo fill once it is in place.
func (q letter) bounds() box {
	x, y := q.x-float32(q.face.w)/2, q.y-float32(q.face.h)/2
	b := box{x, y, x + float32(q.face.w), y + float32(q.face.h)}
	if g := q.halo; g != nil {
		b = b.join(box{x + g.x - 2, y + g.y - 2, x + g.x + 2*float32(g.w) + 2, y + g.y + 2*float32(g.h) + 2})
	}
	return b
}

// fade draws the text with opacity k, dy pixels lower than its place.
func (l *lettering) fade(o *overlay, k, dy, answer float32) {
	poses := make([]pose, len(l.letters))
	for i := range poses {
		poses[i] = pose{1, k, dy}
	}
	l.draw(o, poses, 1, 1, answer)
}

// draw draws all letters over the glow of all; the glow is larger, and more or less bright, by the last but one. It
// answers the voice with a second one, which is wider.
func (l *lettering) draw(o *overlay, poses []pose, larger, brighter, answer float32) {
	for i, q := range l.letters {
		if q.halo != nil {
			x, y, k := q.x, q.y+poses[i].dy, poses[i].scale*larger
			o.gather(q.halo, q.face.w, q.face.h, x, y, k, poses[i].opacity*brighter)
			o.gather(q.halo, q.face.w, q.face.h, x, y, k*(1+answers*answer), poses[i].opacity*answer)
		}
	}
	o.glow(l.style.glow)
	for i, q := range l.letters {
		o.blit(q.face, q.x, q.y+poses[i].dy, poses[i].scale, poses[i].opacity)
	}
}

// dance lets the letters arrive one by one with a spring, breathe, catch the light and fly away.
func (l *lettering) dance(o *overlay, now, in, out float32) {
	answer := l.answer(now)
	if shown := out - in; shown < danceLeast {
		now, out = in+(now-in)*danceLeast/shown, in+danceLeast
	}
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
	l.draw(o, poses, 1+0.03*pulse, min(1, pulse), answer)
	for _, at := range []float32{landed - 0.1, landed + 1.25} {
		if t := (now - at) / 0.75; t > 0 && t < 1 {
			l.shimmer(o, poses, t)
		}
	}
	l.sparkle(o, now, start, landed, out)
}

// shimmer lets a slanted band of light pass over the letters; t goes from 0 to 1.
//
//go:norace
func (l *lettering) shimmer(o *overlay, poses []pose, t float32) {
	const width = 46
	middle := l.ink.x0 - 80 + (l.ink.width()+160)*t
	level := (l.ink.y0 + l.ink.y1) / 2
	white := toLanes(rgb{255, 255, 250}, 1)
	for i, q := range l.letters {
		if poses[i].opacity < 0.9 {
			continue
		}
		left, top := int(floor(q.x-float32(q.face.w)/2+0.5)), int(floor(q.y+poses[i].dy-float32(q.face.h)/2+0.5))
		for y := max(0, -top); y < min(q.face.h, o.h-top); y++ {
			centre := middle - (float32(top+y)-level)*0.45 - float32(left)
			from := max(0, -left, q.face.first[y], int(floor(centre-width))+1)
			to := min(q.face.last[y]+1, o.w-left, int(centre+width)+1)
			for x := from; x < to; x++ {
				m := q.shape[y*q.face.w+x]
				if m < 6 {
					continue
				}
				d := (float32(x) - centre) / width
				p := &o.pix[(top+y)*o.w+left+x]
				*p = over(*p, white*weight((1-d*d)*(1-d*d)*float32(m)*(0.75/255)))
			}
		}
	}
}

var (
	sparkCore = newSpot(4.2, 1.6)
	sparkHalo = newSpot(15, 3)
)

// sparkColours are those of a spark: its halo, its core and its rays. Sparks of letters that are not golden have the
// colour of the glow, or of the letters if that does not shine.
func (st style) sparkColours() (halo, core, rays rgb) {
	if st.glow == gold.glow && st.glowStrength > 0 {
		return rgb{255, 200, 110}, rgb{255, 244, 210}, rgb{255, 246, 220}
	}
	c, white := st.glow, rgb{255, 255, 255}
	if st.glowStrength == 0 || max(c.r, c.g, c.b) < 64 {
		c = st.middle
	}
	return c, mix(white, c, 0.25), mix(white, c, 0.2)
}

// sparkle draws a burst where the letters land, twinkles while they stay, and a farewell when they go.
func (l *lettering) sparkle(o *overlay, now, start, landed, out float32) {
	halo, core, rays := l.style.sparkColours()
	light := l.light()
	draw := func(x, y, k, size float32) {
		// A spark goes out before it would be cut off.
		const half = 16
		k *= smooth(half, 2*half, min(x-light.x0, light.x1-x, y-light.y0, light.y1-y))
		if k > 0.02 {
			o.spot(sparkHalo, x, y, halo, k*0.55)
			o.spot(sparkCore, x, y, core, k)
			o.cross(x, y, 3.2*size, rays, k*0.75)
		}
	}
	for i, s := range l.sparks {
		switch {
		case i < 40: // landing
			along := (s.x - l.ink.x0) / max(1, l.ink.width())
			if l.rtl {
				along = 1 - along
			}
			at := start + 0.15 + along*(landed-start-0.55)
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
