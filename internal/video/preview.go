// preview.go shows an author what a template looks like before anybody waits for it.

package video

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"time"
)

// About is what the author of a template without faults may want to know.
type About struct {
	Width, Height int     // pixels
	Rate          float64 // frames a second
	Length        time.Duration
	Drawn         time.Duration // of the length, what is encoded anew for each name
	Warnings      []string      // what works, but perhaps not as meant
}

// About looks at a template and at its film. The error is Faults if the author can mend it.
func (m *Maker) About(ctx context.Context, id string) (About, error) {
	t, err := m.ready(ctx)
	if err != nil {
		return About{}, err
	}
	k, err := m.template(id)
	if err != nil {
		return About{}, err
	}
	if err := m.look(ctx, t, k); err != nil {
		return About{}, err
	}
	f := k.source
	a := About{Width: f.width, Height: f.height, Rate: float64(f.rate.num) / float64(f.rate.den), Length: f.length()}
	for _, take := range k.takes(f.rate, f.frames) {
		a.Drawn += f.rate.at(take.last - take.first)
	}
	if a.Drawn > a.Length*2/3 {
		a.Warnings = append(a.Warnings, fmt.Sprintf("the name is on screen for %v of %v: every video takes almost as long as a full encode; shorter segments are quicker", a.Drawn, a.Length))
	}
	for _, c := range append(k.segments[:len(k.segments):len(k.segments)], k.texts...) {
		if c.font != "" && !m.fonts.has(k.files, c.font) {
			a.Warnings = append(a.Warnings, fmt.Sprintf("font %q is neither a file of the template nor installed here: another one is used", c.font))
		}
	}
	return a, nil
}

// Still writes one moment of the video that an order would make, as a PNG. The time is that of the nearest frame.
func (m *Maker) Still(ctx context.Context, o Order, at time.Duration, path string) error {
	t, err := m.ready(ctx)
	if err != nil {
		return err
	}
	k, err := m.template(o.Template)
	if err != nil {
		return err
	}
	if err := m.look(ctx, t, k); err != nil {
		return err
	}
	f := k.source
	if at < 0 || at >= f.length() {
		return fmt.Errorf("there is no moment %v: the video is %v long", at, f.length())
	}
	things, err := m.fixed(k.design, f.length(), o.Lang)
	if err != nil {
		return err
	}
	names, err := m.letters(k.design, k.segments, f.length(), o.Lang, o.Name)
	if err != nil {
		return err
	}
	things = append(things, names...)
	n := min(f.rate.frame(at), f.frames-1)
	if k.film == "" {
		return drawMoment(scenes[k.scene](k.width, k.height), k, things, n, path)
	}
	s := newSheet(f.width, f.height, things)
	args := t.input(anyFormat, f.path, append(f.source.decoder(), "-ss", inSeconds(f.source.start+f.rate.at(n)))...)
	args = append(args, rawInput("yuva420p", s.w, s.h, f.rate)...)
	args = append(args, "-filter_complex", fmt.Sprintf("%s%s[film];[1:v]%s[words];[film][words]overlay=%d:%d:format=yuv420,scale=in_color_matrix=bt709:in_range=tv,format=rgb24",
		f.pad, f.filter, countFrames(f.rate, 0), s.x, s.y), "-frames:v", "1", "-c:v", "png", "-f", "image2", "-update", "1", "file:"+path)
	return t.encodeSheet(ctx, args, s, f.rate, n, n+1, nil)
}

// Cover writes the moment that the author of the template chose for its picture, as Still does.
func (m *Maker) Cover(ctx context.Context, o Order, path string) error {
	k, err := m.template(o.Template)
	if err != nil {
		return err
	}
	return m.Still(ctx, o, k.still, path)
}

// drawMoment draws one frame of a scene with all that moves on it.
func drawMoment(s *scene, k *template, things []shown, n int, path string) error {
	c := newCanvas(k.width, k.height)
	s.draw(c, n)
	o := newOverlay(k.width, k.height)
	for _, t := range things {
		t.draw(o, float32(n)/sceneRate)
	}
	c.lay(o)
	picture := image.NewRGBA(image.Rect(0, 0, c.w, c.h))
	for i := range c.w * c.h {
		for j := range 3 {
			picture.Pix[i*4+j] = byte(min(255, c.pix[i*3+j]+0.5))
		}
		picture.Pix[i*4+3] = 255
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := png.Encode(f, picture); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
