// template.go is the engine "template": it draws the name, encodes only the frames that show it, and splices them in.

package video

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// stillFrame is the frame for the still: the name stands there whole. It is a key frame, 90 after the first one.
const (
	stillFrame = nameFrom + 90
	stillAt    = stillFrame * time.Second / sceneRate
)

// drawName makes the video for a name from a prepared template and returns its path. Only pixels reach ffmpeg, so
// there is nothing in a name that it could take for an instruction.
func (m *Maker) drawName(ctx context.Context, t *tools, template, folder, name string, report func(int)) (string, error) {
	face, err := m.fonts.pick(name)
	if err != nil {
		return "", err
	}
	overlay := newNameOverlay(newLettering(face, name, namePlace, gold))
	segment, out := filepath.Join(folder, "segment.mp4"), filepath.Join(folder, "video.mp4")
	percent := func(of int) func(frame int) {
		return func(frame int) { report(frame * 95 / of) }
	}
	if err := t.encodeSegment(ctx, template, segment, overlay, percent(nameTo-nameFrom)); err != nil {
		return "", fmt.Errorf("encode the name: %w", err)
	}
	err = spliceFiles(template, segment, nameFrom, out)
	if errors.Is(err, errMismatch) {
		if err = t.encodeWhole(ctx, template, out, overlay, percent(sceneFrames)); err != nil {
			return "", fmt.Errorf("encode in full: %w", err)
		}
		return out, nil
	}
	if err != nil {
		return "", fmt.Errorf("splice: %w", err)
	}
	return out, os.Remove(segment)
}

func spliceFiles(template, segment string, start int, out string) error {
	t, err := openMovie(template)
	if err != nil {
		return fmt.Errorf("template: %w", err)
	}
	defer t.close()
	s, err := openMovie(segment)
	if err != nil {
		return fmt.Errorf("segment: %w", err)
	}
	defer s.close()
	if v := s.video(); v == nil || len(v.samples) != nameTo-nameFrom {
		return errors.New("segment: not all frames are there")
	}
	return splice(t, s, start, out)
}

// nameOverlay is the part of the picture in which the name moves: its place in pixels, all numbers even.
type nameOverlay struct {
	text       *lettering
	x, y, w, h int
}

func newNameOverlay(text *lettering) nameOverlay {
	even := func(v float32) int { return int(v) &^ 1 }
	x0, y0 := max(0, even(text.ink.x0-reach)), max(0, even(text.ink.y0-reach))
	x1, y1 := min(sceneWidth, even(text.ink.x1+reach+2)), min(sceneHeight, even(text.ink.y1+reach+2))
	text.shift(float32(-x0), float32(-y0))
	return nameOverlay{text, x0, y0, x1 - x0, y1 - y0}
}

// encodeSegment encodes only the frames that show the name.
func (t *tools) encodeSegment(ctx context.Context, template, out string, o nameOverlay, report func(frame int)) error {
	args := append(t.oneThread(), "-ss", seconds(nameFrom), "-i", template)
	args = append(args, rawInput("yuva420p", o.w, o.h)...)
	args = append(args, "-filter_complex", fmt.Sprintf("[0:v][1:v]overlay=%d:%d:format=yuv420", o.x, o.y),
		"-frames:v", fmt.Sprint(nameTo-nameFrom), "-an")
	args = append(append(args, encodeVideo...), t.oneThread()...)
	return t.encodeOverlay(ctx, append(args, "-f", "mp4", out), o, report)
}

// encodeWhole encodes all frames anew, for a template that a segment cannot be spliced into; the sound is copied.
func (t *tools) encodeWhole(ctx context.Context, template, out string, o nameOverlay, report func(frame int)) error {
	args := append(t.oneThread(), "-i", template)
	args = append(args, rawInput("yuva420p", o.w, o.h)...)
	args = append(args, "-filter_complex",
		fmt.Sprintf("[1:v]setpts=PTS+%s/TB[name];[0:v][name]overlay=%d:%d:format=yuv420:eof_action=pass[v]", seconds(nameFrom), o.x, o.y),
		"-map", "[v]", "-map", "0:a", "-c:a", "copy", "-force_key_frames", keyFrames, "-movflags", "+faststart")
	args = append(append(args, encodeVideo...), t.oneThread()...)
	return t.encodeOverlay(ctx, append(args, "-f", "mp4", out), o, report)
}

// encodeOverlay runs an ffmpeg that reads the frames of the name from its stdin.
func (t *tools) encodeOverlay(ctx context.Context, args []string, o nameOverlay, report func(frame int)) error {
	p, err := t.start(ctx, args, report, true)
	if err != nil {
		return err
	}
	workers := runtime.GOMAXPROCS(0)
	if t.threads > 0 {
		workers = t.threads
	}
	canvases := make([]*canvas, workers)
	for i := range canvases {
		canvases[i] = newOverlay(o.w, o.h)
	}
	err = drawInOrder(ctx, workers, nameFrom, nameTo, yuvaSize(o.w, o.h),
		func(worker, n int, buf []byte) {
			c := canvases[worker]
			c.clear()
			o.text.dance(c, float32(n)/sceneRate, nameIn, nameOut)
			c.yuva(buf)
		},
		func(_ int, buf []byte) error {
			_, err := p.stdin.Write(buf)
			return err
		})
	if ended := endInput([]*process{p}); ended != nil {
		return ended
	}
	return err
}

// seconds is the time of a frame as ffmpeg reads it.
func seconds(frame int) string { return fmt.Sprintf("%.6f", float64(frame)/sceneRate) }
