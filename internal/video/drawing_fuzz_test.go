// drawing_fuzz_test.go draws any text, in any place, size and style, at any moment, in a film of any shape.

package video

import (
	"image"
	"math"
	"testing"
	"time"
	"unicode/utf8"
)

func FuzzDrawing(f *testing.F) {
	f.Add("Маша", 1280, 720, 340, 660, 600, 48, float32(48), uint8(0), float32(1.5))
	f.Add("Александра-Виктория", 64, 48, 0, 40, 60, 16, float32(200), uint8(7), float32(3.99))
	f.Add("محمد علي", 720, 1280, 700, 0, 16, 16, float32(8), uint8(30), float32(0))
	f.Add("Zoe\u0308", 2, 2, 0, 0, 16, 16, float32(1000), uint8(61), float32(2))
	faces := &fonts{}
	pixels := image.NewRGBA(image.Rect(0, 0, 9, 4))
	for i := range pixels.Pix {
		pixels.Pix[i] = uint8(i * 7)
	}
	f.Fuzz(func(t *testing.T, text string, width, height, x, y, w, h int, size float32, look uint8, now float32) {
		within := func(n, least, most int) int { return least + int(uint(n)%uint(most-least+1)) }
		// Films and boxes as a template can have them, and boxes that lie outside.
		width, height = within(width, 2, 400)&^1, within(height, 2, 400)&^1
		x, y = within(x, -500, 900), within(y, -500, 900)
		w, h = within(w, smallestBox, 400), within(h, smallestBox, 400)
		if !(size >= smallestSize && size <= largestSize) {
			size = largestSize
		}
		if now = float32(math.Mod(float64(now), 6)); now != now || utf8.RuneCountInString(text) > 60 {
			return
		}
		animation := []string{"dance", "fade", "rise", "none"}[look%4]
		st := []style{gold, silver, plain, {}}[look/4%4]
		p := caption{box: area{x, y, w, h}, size: size, align: []string{"left", "center", "right", ""}[look/16%4]}.place()
		things := []animated{newStickerOf(pixels, picture{box: area{x, y, w, h}, opacity: 0.7})}
		if face, err := faces.pick(text); err == nil {
			l := newLettering(face, text, p, st)
			if len(l.letters) == 0 {
				t.Fatalf("%q: got no letters of a text that can be drawn", text)
			}
			things = append(things, l)
		}
		for _, one := range things {
			if _, ok := one.(*sticker); ok && animation == "dance" {
				continue
			}
			s := newSheet(width, height, []shown{{one, animation, 0, 4 * time.Second}})
			o := newOverlay(s.w, s.h)
			for _, at := range []float32{now, 0, 2, 3.999} {
				o.clear()
				s.things[0].draw(o, at)
				o.yuva(make([]byte, yuvaSize(s.w, s.h)))
				if r := o.drawnBox(); !r.In(o.drawn) || !o.drawn.In(image.Rect(0, 0, s.w, s.h)) {
					t.Fatalf("%q: got pixels in %v, and %v noted; want all in %d×%d", text, r, o.drawn, s.w, s.h)
				}
			}
		}
	})
}
