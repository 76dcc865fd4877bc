// template.go is the engine "template": it draws the name, encodes only the frames that show it, and splices them in.

package video

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/go-text/typesetting/di"

	"retake.example/internal/routine"
)

// take is a run of frames that is encoded for every name: those from first up to, not including, last.
type take struct {
	first, last int
	captions    []caption
}

func (k take) has(frame int) bool { return frame >= k.first && frame < k.last }

// takes are the runs of frames that show the name; segments that overlap or touch are one take.
func (d *design) takes(r rate, frames int) []take {
	segments := slices.Clone(d.segments)
	slices.SortStableFunc(segments, func(a, b caption) int { return int(a.start - b.start) })
	var out []take
	for _, c := range segments {
		first, last := r.frame(c.start), frames
		if c.end > 0 {
			last = min(r.frame(c.end), frames)
		}
		if n := len(out); n > 0 && first <= out[n-1].last {
			out[n-1].last = max(last, out[n-1].last)
			out[n-1].captions = append(out[n-1].captions, c)
			continue
		}
		out = append(out, take{first, last, []caption{c}})
	}
	return out
}

// animated is a lettering or a sticker.
type animated interface {
	bounds(animation string) box
	shift(dx, dy float32)
	animate(o *overlay, animation string, now, in, out float32)
}

// shown is a part of a template on its way across the screen.
type shown struct {
	animated
	animation string
	from, to  time.Duration
}

func (s shown) bounds() box { return s.animated.bounds(s.animation) }

func (s shown) draw(o *overlay, now float32) {
	s.animate(o, s.animation, now, float32(s.from.Seconds()), float32(s.to.Seconds()))
}

// until is when something ends that a template shows up to end. What stays to the end of the film does not leave before
// it, so its farewell lies beyond.
func until(end, length time.Duration) time.Duration {
	if end == 0 || end >= length {
		return length + 5*time.Second
	}
	return end
}

// sheet is a transparent picture with all that moves in a take, of the smallest size: its place on the film in pixels,
// all numbers even.
type sheet struct {
	x, y, w, h int
	things     []shown
}

func newSheet(width, height int, things []shown) sheet {
	b := nothing
	for _, t := range things {
		b = b.join(t.bounds())
	}
	even := func(v float32) int { return int(v) &^ 1 }
	x0, y0 := max(0, even(b.x0)), max(0, even(b.y0))
	x1, y1 := min(width&^1, even(b.x1+2)), min(height&^1, even(b.y1+2))
	if x1 <= x0 || y1 <= y0 { // nothing to see
		x0, y0, x1, y1 = 0, 0, 2, 2
	}
	for _, t := range things {
		t.shift(float32(-x0), float32(-y0))
	}
	return sheet{x0, y0, x1 - x0, y1 - y0, things}
}

// since is when something begins that a template shows from start on. What is there from the first frame on has been
// there before, so that the first frame, which galleries show of a video, has it too. A name arrives in any case.
func since(start time.Duration, named bool) time.Duration {
	if start == 0 && !named {
		return -5 * time.Second
	}
	return start
}

// letters draws the captions of a design for one name, or its fixed texts for none.
func (m *Maker) letters(d *design, captions []caption, length time.Duration, lang, name string) ([]shown, error) {
	var out []shown
	for _, c := range captions {
		text := c.text.say(lang, name)
		// A sentence runs as its language does, whatever the name that it begins with.
		if bare := c.text.say(lang, ""); direction(bare) == di.DirectionLTR && direction(text) == di.DirectionRTL &&
			strings.ContainsFunc(bare, unicode.IsLetter) {
			text = "\u200e" + text
		}
		face, err := m.fonts.pickFor(d.files, c.font, text)
		if err != nil {
			return nil, err
		}
		out = append(out, shown{newLettering(face, text, c.place(), c.style), c.animation,
			since(c.start, name != ""), until(c.end, length)})
	}
	return d.withDusk(out), nil
}

// drawName makes the video for a name from a prepared film. Only pixels and samples reach ffmpeg, so there is nothing
// in a name that it could take for an instruction.
func (m *Maker) drawName(
	ctx context.Context,
	t *tools,
	p prepared,
	folder string,
	o Order,
	report func(int),
) (Video, error) {
	film, err := openMovie(p.path)
	if err != nil {
		return Video{}, fmt.Errorf("prepared film: %w", err)
	}
	defer film.close()
	speech := m.beginToSpeak(ctx, t, p, film, folder, o)
	defer speech.drop()
	p.heard = speech.loudness
	thumb := filepath.Join(folder, "thumb.jpg")
	still := min(p.rate.frame(p.still), p.frames-1)
	segment := filepath.Join(folder, "takes.mp4")
	if err := m.encodeTakes(ctx, t, p, o, still, segment, thumb, report); err != nil {
		return Video{}, fmt.Errorf("encode the name: %w", err)
	}
	patches, err := framesOf(segment, p.takes)
	if err != nil {
		return Video{}, fmt.Errorf("encoded name: %w", err)
	}
	defer patches[0].from.close()
	if q, err := speech.wait(); err != nil {
		return Video{}, fmt.Errorf("voice: %w", err)
	} else if q != nil {
		patches = append(patches, *q)
	}
	out := filepath.Join(folder, "video.mp4")
	err = splice(film, patches, out)
	if errors.Is(err, errMismatch) {
		whole := filepath.Join(folder, "whole.mp4")
		if err := m.encodeWhole(ctx, t, p, o, whole, report); err != nil {
			return Video{}, fmt.Errorf("encode in full: %w", err)
		}
		encoded, err := openMovie(whole)
		if err != nil {
			return Video{}, fmt.Errorf("video that was encoded in full: %w", err)
		}
		defer encoded.close()
		sound := slices.DeleteFunc(slices.Clone(patches), func(q patch) bool { return q.handler == "vide" })
		if err := splice(encoded, sound, out); err != nil {
			return Video{}, fmt.Errorf("splice the voice: %w", err)
		}
	} else if err != nil {
		return Video{}, fmt.Errorf("splice: %w", err)
	}
	if !slices.ContainsFunc(p.takes, func(k take) bool { return k.has(still) }) {
		if err := t.drawStill(ctx, hardened, out, max(0, p.rate.at(still)-p.rate.at(1)/2), thumb); err != nil {
			return Video{}, fmt.Errorf("still: %w", err)
		}
	}
	// Nothing is probed: every sample comes from a film that was, or from an encoder that said it was done.
	v, err := finished(folder, out, thumb, facts{width: p.width, height: p.height, duration: p.length(), codec: "h264"})
	v.Note = speech.note
	return v, err
}

// speech is sound with the voice in it, made while the frames are encoded.
type speech struct {
	stop  context.CancelFunc
	done  chan struct{}
	sound *patch // nil if nothing is said
	note  string // on how it is said
	err   error

	known chan struct{} // closed when the clip is known, or will never be
	loud  []float32     // of the clip
}

func (m *Maker) beginToSpeak(ctx context.Context, t *tools, p prepared, film *movie, folder string, o Order) *speech {
	ctx, stop := context.WithCancel(ctx)
	s := &speech{stop: stop, done: make(chan struct{}), known: make(chan struct{})}
	known := sync.OnceFunc(func() { close(s.known) })
	routine.Go(func() error {
		defer close(s.done)
		defer known()
		defer crashed(func(err error) { s.err = err })
		if p.voice == nil {
			return nil
		}
		clip, note, err := m.speak(
			ctx,
			t,
			func(name string) string { return p.voice.text.aloud(o.Lang, name) },
			o.Name,
			o.Lang,
		)
		s.note = note
		if s.err = err; err != nil || clip == nil {
			return nil
		}
		s.loud = swellOf(clip)
		known()
		q, err := t.mixVoice(ctx, film, p.music, clip, p.voice.start, p.voice.duck, folder)
		if s.err = err; err == nil {
			s.sound = &q
		}
		return nil
	})
	return s
}

// loudness is how loud the voice is at a second of a film in which it begins at another, 0 to 1: the name shines with
// it. From that second on it waits for what is being spoken.
func (s *speech) loudness(second float32, begins time.Duration) float32 {
	q := second - float32(begins.Seconds())
	if q < 0 {
		return 0
	}
	<-s.known
	if n := int(q * loudnessRate); n < len(s.loud) {
		return s.loud[n]
	}
	return 0
}

func (s *speech) wait() (*patch, error) {
	<-s.done
	return s.sound, s.err
}

// drop ends the speech and lets go of its file.
func (s *speech) drop() {
	s.stop()
	if q, _ := s.wait(); q != nil {
		q.from.close()
	}
}

// sheet draws captions for a name.
func (m *Maker) sheet(p prepared, captions []caption, o Order) (sheet, error) {
	things, err := m.letters(p.design, captions, p.length(), o.Lang, o.Name)
	for _, t := range things {
		if l, ok := t.animated.(*lettering); ok && p.heard != nil && p.voice != nil {
			l.heard = func(second float32) float32 { return p.heard(second, p.voice.start) }
		}
	}
	return newSheet(p.width, p.height, things), err
}

// framesOf opens the encoded frames of all takes, which share the file: the caller closes it once.
func framesOf(path string, takes []take) (patches []patch, err error) {
	m, err := openMovie(path)
	if err != nil {
		return nil, err
	}
	frames := 0
	for _, k := range takes {
		first := frames
		frames += k.last - k.first
		patches = append(patches, patch{handler: "vide", at: k.first, from: m, first: first, last: frames})
	}
	if v := m.track("vide"); v == nil || len(v.samples) != frames {
		m.close()
		return nil, errors.New("not all frames are there")
	}
	return patches, nil
}

// encodeTakes encodes only the frames of the takes, one after another, and if the still is one of them, the still.
// One ffmpeg does it: starting another costs as much as encoding half a second.
func (m *Maker) encodeTakes(
	ctx context.Context,
	t *tools,
	p prepared,
	o Order,
	still int,
	out, thumb string,
	report func(percent int),
) error {
	var sheets []sheet
	var edges []string
	w, h, frames, stillAt := 0, 0, 0, -1
	for _, k := range p.takes {
		s, err := m.sheet(p, k.captions, o)
		if err != nil {
			return err
		}
		sheets = append(sheets, s)
		w, h = max(w, s.w), max(h, s.h)
		if k.has(still) {
			stillAt = frames + still - k.first
		}
		if frames > 0 {
			edges = append(edges, fmt.Sprintf("eq(n,%d)", frames))
		}
		frames += k.last - k.first
	}
	args := append(rawInput("yuv420p", p.width, p.height, p.rate), "-an")
	var second []string
	if stillAt >= 0 {
		args = append(args, "-filter_complex", fmt.Sprintf("[0:v]setparams=colorspace=bt709:range=tv,split[v][all];"+
			"[all]select='eq(n,%d)',%s[still]", stillAt, thumbFilter), "-map", "[v]")
		second = append([]string{"-map", "[still]"}, thumbOutput(thumb)...)
	}
	if len(edges) > 0 {
		args = append(args, "-force_key_frames", "expr:"+strings.Join(edges, "+"))
	}
	// The frames are drawn meanwhile on the other cores. Several threads of the encoder would wait for each other: the
	// same frames cost a sixth more.
	args = append(append(args, encodeTakeVideo(p.width, p.height, p.rate)...), "-threads", "1")
	args = append(append(args, "-f", "mp4", out), second...)
	// take returns the take of a frame, and the frame's number in the film.
	take := func(n int) (i, frame int) {
		for ; n >= p.takes[i].last-p.takes[i].first; i++ {
			n -= p.takes[i].last - p.takes[i].first
		}
		return i, p.takes[i].first + n
	}
	film, err := t.openPlates(ctx, p)
	if err != nil {
		return err
	}
	defer film.close()
	under := plate{make([]byte, yuvSize(p.width, p.height)), p.width, p.height}
	return t.encodeDrawn(ctx, args, w, h, frames, func(o *overlay, n int) {
		i, frame := take(n)
		sheets[i].draw(o, p.rate, frame)
	}, func(n int, drawn []byte) ([]byte, error) {
		if err := film.next(under.pix); err != nil {
			return nil, err
		}
		i, _ := take(n)
		under.lay(drawn, w, h, sheets[i].x, sheets[i].y)
		return under.pix, nil
	}, func(frame int) { report(frame * 95 / frames) })
}

// encodeWhole encodes all frames, for a film that a take cannot be spliced into; the sound is copied.
func (m *Maker) encodeWhole(ctx context.Context, t *tools, p prepared, o Order, out string, report func(int)) error {
	first, last := p.takes[0].first, p.takes[len(p.takes)-1].last
	s, err := m.sheet(p, p.segments, o)
	if err != nil {
		return err
	}
	args := append(t.oneThread(), "-i", p.path)
	args = append(args, rawInput("yuva420p", s.w, s.h, p.rate)...)
	args = append(
		args,
		"-filter_complex",
		fmt.Sprintf("[0:v]%s[film];[1:v]%s[name];[film][name]overlay=%d:%d:format=yuv420:eof_action=pass[v]",
			countFrames(p.rate, 0), countFrames(p.rate, first), s.x, s.y),
		"-map",
		"[v]",
		"-map",
		"0:a",
		"-c:a",
		"copy",
		"-force_key_frames",
		keyFrames(p.takes),
		"-movflags",
		"+faststart",
	)
	args = append(append(args, encodeVideo(p.width, p.height, p.rate)...), t.oneThread()...)
	return t.encodeSheet(ctx, append(args, "-f", "mp4", out), s.w, s.h, last-first, func(o *overlay, n int) {
		s.draw(o, p.rate, first+n)
	}, func(frame int) { report(frame * 95 / p.frames) })
}

// countFrames is the filter that gives frames their number, from first on, as their time: nothing is rounded, so no
// frame of the name can land on its neighbour.
func countFrames(r rate, first int) string {
	return fmt.Sprintf("settb=%d/%d,setpts=N+%d", r.den, r.num, first)
}

// draw draws what a sheet shows in a frame of the film.
func (s sheet) draw(o *overlay, r rate, frame int) {
	for _, t := range s.things {
		t.draw(o, float32(r.at(frame).Seconds()))
	}
}

// encodeSheet runs an ffmpeg that reads so many frames of w×h pixels from its stdin, which draw draws.
func (t *tools) encodeSheet(ctx context.Context, args []string, w, h, frames int, draw func(o *overlay, n int),
	report func(frame int)) error {
	return t.encodeDrawn(ctx, args, w, h, frames, draw, func(_ int, drawn []byte) ([]byte, error) {
		return drawn, nil
	}, report)
}

// encodeDrawn is encodeSheet for an ffmpeg that reads what become makes of each frame.
func (t *tools) encodeDrawn(ctx context.Context, args []string, w, h, frames int, draw func(o *overlay, n int),
	become func(n int, drawn []byte) ([]byte, error), report func(frame int)) error {
	p, err := t.start(ctx, args, report, true)
	if err != nil {
		return err
	}
	workers := runtime.GOMAXPROCS(0)
	if t.threads > 0 {
		workers = t.threads
	}
	overlays := make([]*overlay, workers)
	for i := range overlays {
		overlays[i] = newOverlay(w, h)
	}
	var failed error
	err = drawInOrder(ctx, workers, 0, frames, yuvaSize(w, h),
		func(worker, n int, buf []byte) {
			o := overlays[worker]
			o.clear()
			draw(o, n)
			o.yuva(buf)
		},
		func(n int, buf []byte) error {
			if buf, failed = become(n, buf); failed != nil {
				return failed
			}
			_, err := p.stdin.Write(buf)
			return err
		})
	// An encoder that died is the reason for a write that failed, not the other way round; but what it reads is made
	// without it.
	if ended := endInput([]*process{p}); ended != nil && failed == nil && !isCrash(err) {
		return ended
	}
	return err
}
