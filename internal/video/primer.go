// primer.go tells whether a face draws Russian letters as children learn to read them.

package video

import (
	"image"

	"golang.org/x/image/draw"
)

// cursive are Russian letters that a face drawn after handwriting shows as these Latin ones: a child who knows the
// printed letters reads «Мumя» instead of «Митя».
var cursive = []struct{ letter, latin string }{{"и", "u"}, {"т", "m"}, {"п", "n"}, {"д", "g"}}

// cursiveLetters returns the Russian letters that a face draws as in handwriting, in a fixed order.
func (f *face) cursiveLetters() (found []string) {
	for _, c := range cursive {
		if f.covers(c.letter) && f.covers(c.latin) && alike(f.silhouette(c.letter), f.silhouette(c.latin)) {
			found = append(found, c.letter)
		}
	}
	return found
}

// silhouette draws a letter so that it fills a square.
func (f *face) silhouette(letter string) *image.Alpha {
	const side = 64
	l := shape(&typeface{faces: []*face{f}}, letter, 100)
	ink := l.ink(l.glyphs)
	m := l.mask(l.glyphs, int(ink.width())+1, int(ink.height())+1, -ink.x0, -ink.y0)
	out := image.NewAlpha(image.Rect(0, 0, side, side))
	draw.BiLinear.Scale(out, out.Bounds(), m, m.Bounds(), draw.Src, nil)
	return out
}

// alike reports whether two letters cover almost the same places.
func alike(a, b *image.Alpha) bool {
	var both, either int
	for i := range a.Pix {
		both += min(int(a.Pix[i]), int(b.Pix[i]))
		either += max(int(a.Pix[i]), int(b.Pix[i]))
	}
	return both*100 >= either*95
}
