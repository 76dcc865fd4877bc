// shaping.go turns a text into lines of placed glyphs: scripts, both directions, marks, and a size that fits.

package video

import (
	"image"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
)

// glyph is one placed glyph of a line: pixels from the pen at the start of the line, y downwards.
type glyph struct {
	id     font.GID
	x, y   float32
	piece  int // glyphs of the same piece move together
	bolder float32
	face   *font.Face
}

// line is a line of shaped text.
type line struct {
	size   float32 // pixels per em, a whole number
	glyphs []glyph // from left to right
	rtl    bool    // read from right to left
}

// sameFace gives the segmenter one font for everything.
type sameFace struct{ face *font.Face }

func (s sameFace) ResolveFace(rune) *font.Face { return s.face }

// shape lays out one line in the reading order of its own script.
func shape(t *typeface, text string, size float32) line {
	runes, faces := t.faced(text)
	l := line{size: size, rtl: direction(text) == di.DirectionRTL}
	if len(runes) == 0 {
		return l
	}
	opened := map[*face]*font.Face{}
	for _, f := range faces {
		if opened[f] == nil {
			opened[f] = font.NewFace(f.font)
		}
	}
	first := opened[faces[0]]
	var segmenter shaping.Segmenter
	runs := segmenter.Split(shaping.Input{
		Text: runes, RunEnd: len(runes), Direction: direction(text), Face: first,
		Size: fixed.Int26_6(size * 64), Script: language.LookupScript(runes[0]), Language: language.NewLanguage("und"),
	}, sameFace{first})
	// Each run has one direction and one script. Now it is cut where the face changes.
	var shaper shaping.HarfbuzzShaper
	var outputs []shaping.Output
	var bolder []float32
	for _, r := range runs {
		for from := r.RunStart; from < r.RunEnd; {
			to := from + 1
			for to < r.RunEnd && faces[to] == faces[from] {
				to++
			}
			one := r
			one.RunStart, one.RunEnd, one.Face = from, to, opened[faces[from]]
			outputs, bolder = append(outputs, shaper.Shape(one)), append(bolder, faces[from].bolder)
			from = to
		}
	}
	pieces, _ := cutPieces(runes)
	var x float32
	for _, i := range visualOrder(outputs, l.rtl) {
		for _, g := range outputs[i].Glyphs {
			l.glyphs = append(l.glyphs, glyph{g.GlyphID, x + float32(g.XOffset)/64, -float32(g.YOffset) / 64,
				pieces[g.TextIndex()], bolder[i], outputs[i].Face})
			x += float32(g.Advance) / 64
		}
	}
	return l
}

// visualOrder returns the numbers of runs from left to right. They are given as they are read.
func visualOrder(runs []shaping.Output, rtl bool) []int {
	order := make([]int, len(runs))
	for i := range order {
		order[i] = i
	}
	if rtl {
		slices.Reverse(order)
	}
	// Those that run against the line stand the other way round among themselves.
	for from := 0; from < len(order); from++ {
		to := from
		for to < len(order) && (runs[order[to]].Direction == di.DirectionRTL) != rtl {
			to++
		}
		slices.Reverse(order[from:to])
		from = max(from, to)
	}
	return order
}

// direction is that of the first letter which has one.
func direction(text string) di.Direction {
	for _, r := range text {
		switch p, _ := bidi.LookupRune(r); p.Class() {
		case bidi.L:
			return di.DirectionLTR
		case bidi.R, bidi.AL:
			return di.DirectionRTL
		}
	}
	return di.DirectionLTR
}

// joins reports whether a letter is of a script whose letters are joined, or stand around each other, within a word.
func joins(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M) &&
		!unicode.In(
			r,
			unicode.Latin,
			unicode.Cyrillic,
			unicode.Greek,
			unicode.Hebrew,
			unicode.Armenian,
			unicode.Georgian,
			unicode.Han,
			unicode.Hiragana,
			unicode.Katakana,
			unicode.Hangul,
			unicode.Bopomofo,
			unicode.Common,
			unicode.Inherited,
		)
}

// cutPieces numbers the parts of a text that may move apart: single letters with their marks in scripts whose letters
// stand alone, whole words in all others, which are joined (an Arabic word torn apart is no longer that word).
func cutPieces(text []rune) (pieces []int, joined bool) {
	joined = slices.ContainsFunc(text, joins)
	pieces = make([]int, len(text))
	n := 0
	for i, r := range text {
		switch {
		case i == 0, unicode.Is(unicode.M, r), r == '\u200d', r == '\u200c':
		case joined && r != ' ' && text[i-1] != ' ':
		default:
			n++
		}
		pieces[i] = n
	}
	return pieces, joined
}

// covers reports whether the font has a drawable glyph for every part of the text once it is shaped, so a letter and
// its mark count as covered when the font has them together, apart, or can place one on the other. A space is covered
// by a glyph without ink.
func (f *face) covers(text string) bool {
	const longest, most = 12, 4096 // bytes of a letter with its marks, and letters
	if len(text) > longest {
		return f.hasGlyphs(text)
	}
	f.asked.Lock()
	defer f.asked.Unlock()
	answer, known := f.covered[text]
	if !known {
		if len(f.covered) >= most || f.covered == nil {
			f.covered = map[string]bool{}
		}
		answer = f.hasGlyphs(text)
		f.covered[text] = answer
	}
	return answer
}

func (f *face) hasGlyphs(text string) bool {
	for _, r := range text {
		// Most refusals are whole scripts: cheaper to see here than after shaping.
		if _, ok := f.font.NominalGlyph(r); !ok && unicode.IsLetter(r) &&
			norm.NFD.PropertiesString(string(r)).Decomposition() == nil {
			return false
		}
	}
	l := shape(&typeface{faces: []*face{f}}, text, 100)
	drawn := strings.TrimSpace(text) == ""
	for _, g := range l.glyphs {
		if g.id == 0 {
			return false
		}
		outline, ok := g.face.GlyphData(g.id).(font.GlyphOutline)
		if !ok {
			return false // a bitmap or colour glyph has no outline to gild
		}
		drawn = drawn || len(outline.Segments) > 0
	}
	return drawn
}

// box is a rectangle in pixels.
type box struct{ x0, y0, x1, y1 float32 }

func (b box) width() float32  { return b.x1 - b.x0 }
func (b box) height() float32 { return b.y1 - b.y0 }

func (b box) join(o box) box {
	return box{min(b.x0, o.x0), min(b.y0, o.y0), max(b.x1, o.x1), max(b.y1, o.y1)}
}

// nothing is the box that joins to any other box without changing it.
var nothing = box{math.MaxFloat32, math.MaxFloat32, -math.MaxFloat32, -math.MaxFloat32}

// ink is the box that the glyphs blacken, from the pen at the start of the line; nothing for spaces only.
func (l line) ink(glyphs []glyph) box {
	b := nothing
	for _, g := range glyphs {
		scale := l.size / float32(g.face.Upem())
		e, ok := g.face.GlyphExtents(g.id)
		if !ok || e.Width == 0 {
			continue
		}
		b = b.join(box{g.x + e.XBearing*scale, g.y - e.YBearing*scale,
			g.x + (e.XBearing+e.Width)*scale, g.y - (e.YBearing+e.Height)*scale})
	}
	return b
}

// mask rasterises glyphs into a w×h alpha mask with the start of the line at (ox, oy).
func (l line) mask(glyphs []glyph, w, h int, ox, oy float32) *image.Alpha {
	r := vector.NewRasterizer(w, h)
	for _, g := range glyphs {
		scale := l.size / float32(g.face.Upem())
		outline, _ := g.face.GlyphData(g.id).(font.GlyphOutline)
		at := func(p opentype.SegmentPoint) (float32, float32) { return ox + g.x + p.X*scale, oy + g.y - p.Y*scale }
		for i, s := range outline.Segments {
			x, y := at(s.Args[0])
			switch s.Op {
			case opentype.SegmentOpMoveTo:
				if i > 0 {
					r.ClosePath()
				}
				r.MoveTo(x, y)
			case opentype.SegmentOpLineTo:
				r.LineTo(x, y)
			case opentype.SegmentOpQuadTo:
				x2, y2 := at(s.Args[1])
				r.QuadTo(x, y, x2, y2)
			case opentype.SegmentOpCubeTo:
				x2, y2 := at(s.Args[1])
				x3, y3 := at(s.Args[2])
				r.CubeTo(x, y, x2, y2, x3, y3)
			}
		}
		r.ClosePath()
	}
	m := image.NewAlpha(image.Rect(0, 0, w, h))
	r.Draw(m, m.Bounds(), image.Opaque, image.Point{})
	return m
}

// leading is the distance of two baselines, in ems, and apart is how far what is below a line is from what is above
// the next one, at least: accents and feet do not touch.
const (
	leading = 1.15
	apart   = 0.06
)

// lineStep is the distance of the baselines of lines of one size, in pixels.
func lineStep(lines []line) float32 {
	size := lines[0].size
	out := size * leading
	for i, l := range lines[1:] {
		upper := lines[i]
		out = max(out, upper.ink(upper.glyphs).y1-l.ink(l.glyphs).y0+size*apart)
	}
	return out
}

// smallest is the size below which a single word is broken rather than made any smaller.
const smallest = 24

// fit chooses the lines and the largest size, up to maxSize, at which a text fits into maxW×maxH pixels.
// It breaks at a space or after a hyphen, and only if that gives more than 15 % larger type.
// Widths are linear in the size (there is no hinting), so every candidate is shaped once, at 100 px.
func fit(t *typeface, text string, maxW, maxH, maxSize float32) []line {
	text = strings.Join(strings.Fields(norm.NFC.String(text)), " ")
	if _, joined := cutPieces([]rune(text)); joined {
		maxSize *= 1.35 // these scripts are small for their em
	}
	// measure returns the largest size of some lines, and how wide they are at 100 px.
	measure := func(lines ...string) (size, width float32) {
		var shaped []line
		for _, s := range lines {
			l := shape(t, s, 100)
			width = max(width, l.ink(l.glyphs).width())
			shaped = append(shaped, l)
		}
		first, last := shaped[0], shaped[len(shaped)-1]
		h := last.ink(last.glyphs).y1 - first.ink(first.glyphs).y0 + lineStep(shaped)*float32(len(shaped)-1)
		return min(maxSize, maxW/max(1, width)*100, maxH/max(1, h)*100), width
	}
	best := []string{text}
	size, _ := measure(text)
	var broken []string
	var larger, narrower float32
	try := func(first, second string) {
		// Of breaks that give the same size, the most even one is the narrowest.
		if s, w := measure(first, second); s > larger || s == larger && w < narrower {
			broken, larger, narrower = []string{first, second}, s, w
		}
	}
	for i, r := range text {
		switch r {
		case ' ':
			try(text[:i], text[i+1:])
		case '-', '‐':
			if rest := text[i+len(string(r)):]; i > 0 && rest != "" {
				try(text[:len(text)-len(rest)], strings.TrimSpace(rest))
			}
		}
	}
	if max(size, larger) < smallest {
		runes := []rune(text)
		half := len(runes) / 2
		for half < len(runes)-1 && unicode.Is(unicode.M, runes[half]) {
			half++
		}
		try(string(runes[:half]), string(runes[half:]))
	}
	if larger > size*1.15 {
		best, size = broken, larger
	}
	// The shaper places glyphs for whole pixel sizes only.
	size = max(1, float32(int(size)))
	lines := make([]line, len(best))
	for i, s := range best {
		lines[i] = shape(t, s, size)
	}
	return lines
}
