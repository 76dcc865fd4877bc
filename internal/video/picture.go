// picture.go draws the images of a template: read once, brought to their size, then laid on the film frame by frame.

package video

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // pictures are PNG
	_ "image/png"  // or JPEG
	"io/fs"

	"golang.org/x/image/draw"
)

// largestSide and largestArea, in pixels, are limits for the images of a template: they are decoded in memory.
const (
	largestSide = 8192
	largestArea = 40_000_000
)

// checkImage returns an error that says what to do unless the file is an image that can be shown.
func checkImage(b []byte) error {
	c, format, err := image.DecodeConfig(bytes.NewReader(b))
	switch {
	case err != nil || format != "png" && format != "jpeg":
		return errors.New("is not a PNG or JPEG image that can be read")
	case c.Width < 1 || c.Height < 1:
		return errors.New("is an image without pixels")
	case c.Width > largestSide || c.Height > largestSide || c.Width*c.Height > largestArea:
		return fmt.Errorf("has %d×%d pixels: at most %d on each side and %d million in all are possible",
			c.Width, c.Height, largestSide, largestArea/1_000_000)
	}
	return nil
}

// sticker is an image ready to be drawn at any time of its animation. Drawing does not change it.
type sticker struct {
	layer   *layer
	x, y    float32 // the middle
	opacity float32
}

// newSticker reads an image of a template's folder and brings it to its size.
func newSticker(files fs.FS, p picture) (*sticker, error) {
	b, err := readUpTo(files, p.file, mostImage)
	if err != nil {
		return nil, err
	}
	if err := checkImage(b); err != nil {
		return nil, fmt.Errorf("%s %w", p.file, err)
	}
	m, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.file, err)
	}
	return newStickerOf(m, p), nil
}

// newStickerOf brings an image to its size.
func newStickerOf(m image.Image, p picture) *sticker {
	size := m.Bounds().Size()
	scale := min(float64(p.box.w)/float64(size.X), float64(p.box.h)/float64(size.Y))
	w, h := max(1, int(float64(size.X)*scale+0.5)), max(1, int(float64(size.Y)*scale+0.5))
	small := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(small, small.Bounds(), m, m.Bounds(), draw.Src, nil)
	l := newLayer(w+2, h+2)
	for y := range h {
		for x := range w {
			q := small.Pix[small.PixOffset(x, y):]
			r, g, b, a := lanes(q[0]), lanes(q[1]), lanes(q[2]), lanes(q[3])
			l.pix[(y+1)*l.w+x+1] = min(r, a) | min(g, a)<<16 | min(b, a)<<32 | a<<48
		}
	}
	l.trim()
	// On whole pixels, so that it is as sharp as it was made.
	left, top := p.box.x+(p.box.w-w)/2-1, p.box.y+(p.box.h-h)/2-1
	return &sticker{l, float32(left) + float32(l.w)/2, float32(top) + float32(l.h)/2, p.opacity}
}

// shift moves it by so many pixels.
func (s *sticker) shift(dx, dy float32) {
	s.x += dx
	s.y += dy
}

// bounds is the box outside of which an animation draws nothing.
func (s *sticker) bounds(animation string) box {
	x, y := s.x-float32(s.layer.w)/2, s.y-float32(s.layer.h)/2
	b := box{x, y, x + float32(s.layer.w), y + float32(s.layer.h)}
	if animation == "rise" {
		b.y0 -= riseBy
		b.y1 += riseBy
	}
	return b
}

// animate draws the image as it is at second now of an appearance from second in to second out.
func (s *sticker) animate(o *overlay, animation string, now, in, out float32) {
	if now < in || now >= out {
		return
	}
	come, gone := comeAndGo(animation, now, in, out)
	o.blit(s.layer, s.x, s.y+rise(animation, come, gone), 1, s.opacity*come*(1-gone))
}
