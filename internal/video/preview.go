// preview.go shows an author what a template looks like before anybody waits for it.

package video

import (
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// About is what the author of a template without faults may want to know.
type About struct {
	Width, Height int     // pixels
	Rate          float64 // frames a second
	Length        time.Duration
	Drawn         time.Duration // of the length, what is encoded for each name
	Warnings      []string      // what works, but perhaps not as intended
}

// About looks at a template and at its film. The error is Faults if the author can fix it.
func (m *Maker) About(ctx context.Context, id string) (About, error) {
	k, err := m.template(id)
	if err != nil {
		return About{}, err
	}
	return m.about(ctx, k)
}

func (m *Maker) about(ctx context.Context, k *template) (About, error) {
	t, err := m.ready(ctx)
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
		a.Warnings = append(
			a.Warnings,
			fmt.Sprintf("the name is on screen for %v of %v: every video takes almost as long as a "+
				"full encode; shorter segments are quicker", a.Drawn, a.Length),
		)
	}
	for _, c := range append(k.segments[:len(k.segments):len(k.segments)], k.texts...) {
		warning, err := m.doubt(k.design, c.font)
		if err != nil {
			return About{}, err
		}
		if warning != "" && !slices.Contains(a.Warnings, warning) {
			a.Warnings = append(a.Warnings, warning)
		}
	}
	return a, nil
}

// doubt says what is doubtful about a font that a caption asks for, "" if nothing is.
func (m *Maker) doubt(d *design, asked string) (string, error) {
	if asked == "" {
		return "", nil
	}
	face, err := m.fonts.asked(d.files, asked)
	if err != nil {
		return "", err
	}
	if face == nil {
		return fmt.Sprintf("font %q is neither a file of the template nor installed here: another one is used", asked), nil
	}
	if !slices.Contains(m.cfg.Languages, "ru") {
		return "", nil
	}
	letters := face.cursiveLetters()
	if len(letters) == 0 {
		return "", nil
	}
	return fmt.Sprintf("font %q has %s as in handwriting: a child who is learning the printed letters cannot read a "+
		"Russian name in it", asked, strings.Join(letters, ", ")), nil
}

// rehearsed are the names that a check draws: a short one, a long one in two parts, and one that runs from right to
// left.
var rehearsed = []string{"Ян", "Александра-Виктория Константинопольская", "נועה"}

// rehearse draws all that a template shows at the beginning, in the middle and at the end of its time, for several
// names and in every language, so that the author and not a family meets what cannot be drawn. It writes no file.
func (m *Maker) rehearse(ctx context.Context, k *template) error {
	t, err := m.ready(ctx)
	if err != nil {
		return err
	}
	if err := m.look(ctx, t, k); err != nil {
		return err
	}
	f := k.source
	for _, lang := range m.cfg.Languages {
		things, err := m.fixed(k.design, f.length(), lang)
		if err != nil {
			return err
		}
		for _, name := range rehearsed {
			if m.canDraw(k, name) != nil {
				continue // no font for that script is installed here, or the template's own words do not go with it
			}
			letters, err := m.letters(k.design, k.segments, f.length(), lang, name)
			if err != nil {
				return err
			}
			things = append(things, letters...)
		}
		for _, one := range things {
			if err := rehearseOne(ctx, f, one); err != nil {
				return err
			}
		}
	}
	return nil
}

// rehearseOne draws the first, a middle and the last frame of what is shown, and some between.
func rehearseOne(ctx context.Context, f film, one shown) error {
	s := newSheet(f.width, f.height, []shown{one})
	o := newOverlay(s.w, s.h)
	first, last := f.rate.frame(one.from), min(f.rate.frame(one.to), f.frames)-1
	const steps = 8
	return drawInOrder(ctx, 1, 0, steps+1, yuvaSize(s.w, s.h), func(_, n int, buf []byte) {
		o.clear()
		one.draw(o, float32(f.rate.at(first+(last-first)*n/steps).Seconds()))
		o.yuva(buf)
	}, func(int, []byte) error { return nil })
}

// Still writes one moment of the video that an order would make: as a JPEG if the path says so, or a PNG.
// The time is that of the nearest frame.
func (m *Maker) Still(ctx context.Context, o Order, at time.Duration, path string) error {
	k, err := m.template(o.Template)
	if err != nil {
		return err
	}
	return m.stillOf(ctx, k, o, at, path)
}

func (m *Maker) stillOf(ctx context.Context, k *template, o Order, at time.Duration, path string) error {
	t, err := m.ready(ctx)
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
	if len(things) > 0 && k.scene != "" {
		things = things[:len(things)-1] // what takes the texts into the dark comes again after the name
	}
	things = append(things, names...)
	n := min(f.rate.frame(at), f.frames-1)
	if k.film == "" {
		return drawMoment(scenes[k.scene].stage(k.width, k.height), k, things, n, path)
	}
	s := newSheet(f.width, f.height, things)
	args := t.input(anyFormat, f.path, append(f.source.decoder(), "-ss", inSeconds(f.source.start+f.rate.at(n)))...)
	args = append(args, rawInput("yuva420p", s.w, s.h, f.rate)...)
	colours, codec := "scale=in_color_matrix=bt709:in_range=tv,format=rgb24", []string{"-c:v", "png"}
	if filepath.Ext(path) == ".jpg" {
		colours = "scale=in_color_matrix=bt709:in_range=tv:out_color_matrix=bt601:out_range=pc,format=yuvj420p"
		codec = []string{"-c:v", "mjpeg", "-q:v", "3"}
	}
	args = append(
		args,
		"-filter_complex",
		fmt.Sprintf("%s%s[film];[1:v]%s[words];[film][words]overlay=%d:%d:format=yuv420,%s", f.pad, f.filter,
			countFrames(f.rate, 0), s.x, s.y, colours),
		"-frames:v",
		"1",
	)
	args = append(append(args, codec...),
		"-f",
		"image2",
		"-update",
		"1",
		"file:"+path,
	)
	return t.encodeSheet(ctx, args, s.w, s.h, 1, func(o *overlay, _ int) { s.draw(o, f.rate, n) }, nil)
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
	if filepath.Ext(path) == ".jpg" {
		err = jpeg.Encode(f, picture, &jpeg.Options{Quality: 90})
	} else {
		err = png.Encode(f, picture)
	}
	if err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
