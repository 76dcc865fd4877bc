// prepare.go encodes the film of a template once per language, without a name, and keeps it for every name to come.

package video

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// prepareTimeout ends a preparation that hangs; one takes seconds, some minutes for a long film on a small machine.
const prepareTimeout = 30 * time.Minute

// prepared is a template ready for a name, in one language.
type prepared struct {
	*design
	lang          string
	path          string // MP4 with key frames at the edges of the takes
	music         string // its sound as a WAV file; "" if nothing is to be spoken over it
	plates        string // the frames of the takes, decoded, if there is room for them
	width, height int
	rate          rate
	frames        int
	takes         []take
	size          int64 // bytes

	// how loud the voice is at a second of a film in which it begins at another; nil: nobody listens
	heard func(second float32, begins time.Duration) float32
}

func (p prepared) length() time.Duration { return p.rate.at(p.frames) }

// Prepare makes the prepared films of all offered templates in all languages, unless they are in the cache already.
// Calls for the same template work one after another; when one fails, the next one tries. Other engines have nothing
// to prepare.
func (m *Maker) Prepare(ctx context.Context) error {
	if m.cfg.Engine != EngineTemplate {
		return nil
	}
	t, err := m.ready(ctx)
	if err != nil {
		return err
	}
	for _, id := range m.offered() {
		k, problem := m.template(id)
		if problem == nil {
			_, problem = m.prepare(ctx, t, k)
		}
		if problem == nil {
			problem = m.removeOld(t, k)
		}
		err = errors.Join(err, problem) // one that cannot be prepared does not hold up the others
	}
	return err
}

// prepare returns the prepared films of a template by language, and makes those that are missing or damaged.
func (m *Maker) prepare(ctx context.Context, t *tools, k *template) (map[string]prepared, error) {
	select {
	case k.preparing <- struct{}{}:
		defer func() { <-k.preparing }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if err := m.look(ctx, t, k); err != nil {
		return nil, fmt.Errorf("template %s: %w", k.id, err)
	}
	found, missing := map[string]prepared{}, map[string]prepared{}
	for _, lang := range m.cfg.Languages {
		p, err := m.locate(t, k, lang)
		if err != nil {
			return nil, fmt.Errorf("template %s: %w", k.id, err)
		}
		if p.look() != nil {
			missing[p.path] = p
		}
		found[lang] = p
	}
	if len(missing) > 0 {
		if err := m.encodeFilms(ctx, t, k, missing); err != nil {
			return nil, fmt.Errorf("prepare template %s: %w", k.id, err)
		}
	}
	for lang, p := range found {
		err := p.look()
		if err == nil && k.id != draftID { // of a draft there is hardly ever a second video
			err = m.keepPlates(ctx, t, p)
		}
		if err != nil {
			return nil, fmt.Errorf("prepared template %s: %w", k.id, err)
		}
		found[lang] = p
	}
	return found, nil
}

// look finds out what the film of a template becomes, once.
func (m *Maker) look(ctx context.Context, t *tools, k *template) error {
	k.looking.Lock()
	defer k.looking.Unlock()
	if k.source.frames > 0 {
		return nil
	}
	for _, name := range []string{k.film, k.music} {
		err := k.holds(name)
		if errors.As(err, new(syscall.Errno)) && !errors.Is(err, fs.ErrNotExist) {
			return err // the disk, not the template
		} else if err != nil {
			return permanent{coded{Faults{fmt.Sprintf("%s: %v", name, err)}, CodeTemplate}}
		}
	}
	f := film{width: k.width, height: k.height, rate: rate{sceneRate, 1}, frames: scenes[k.scene].frames()}
	if k.film != "" {
		var err error
		if f, err = m.probeFilm(ctx, t, k.design, func(f film) bool { return m.isPrepared(t, k, f) }); err != nil {
			return err
		}
	}
	if faults := append(k.checkFilm(f.width, f.height, f.length()), m.undrawable(k.design)...); len(faults) > 0 {
		return permanent{coded{faults, CodeTemplate}}
	}
	if k.music != "" {
		err := m.isSound(ctx, t, k.musicPath())
		if faults, ok := errors.AsType[Faults](err); ok {
			return permanent{coded{Faults{fmt.Sprintf("%s: %s", k.music, faults[0])}, CodeTemplate}}
		} else if err != nil {
			return err
		}
	}
	k.source = f
	return nil
}

// isSound returns nil if ffmpeg can read the sound of a file, and Faults if the file is at fault.
func (m *Maker) isSound(ctx context.Context, t *tools, path string) error {
	err := t.run(ctx, append(append([]string{}, anySound...), "-i", path, "-map", "0:a:0", "-t", "0.1", "-f", "null",
		"-"), nil)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case t.blamesFile(ctx, err):
		return Faults{"this is no sound that ffmpeg can read"}
	}
	return err
}

// holds returns nil if the template's folder holds a file: ffmpeg, which reads it by its path, would follow a link that
// leads out of the folder.
func (d *design) holds(name string) error {
	if name == "" || d.folder == "" {
		return nil
	}
	root, err := os.OpenRoot(d.folder)
	if err != nil {
		return err
	}
	defer root.Close()
	info, err := root.Stat(filepath.FromSlash(name))
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a file")
	}
	return err
}

// isPrepared reports whether there is a prepared film of a source: then all of it has been decoded.
func (m *Maker) isPrepared(t *tools, k *template, f film) bool {
	known := &template{design: k.design, sum: k.sum, source: f}
	return slices.ContainsFunc(m.cfg.Languages, func(lang string) bool {
		p, err := m.locate(t, known, lang)
		return err == nil && p.look() == nil
	})
}

// undrawable returns a fault for every text that no font here covers, whatever the name.
func (m *Maker) undrawable(d *design) Faults {
	f := faultList{lines: d.lines}
	for list, captions := range map[string][]caption{"segment": d.segments, "text": d.texts} {
		for i, c := range captions {
			for _, lang := range m.cfg.Languages {
				text := strings.TrimSpace(c.text.say(lang, ""))
				if text == "" {
					continue
				}
				if _, err := m.fonts.pickFor(d.files, c.font, text); err != nil {
					f.at(fmt.Sprintf("%s[%d].text", list, i+1), "no font here has all its signs (emoji cannot be drawn): %q", text)
					break
				}
			}
		}
	}
	return f.all()
}

// musicPath is the file with the template's own music.
func (d *design) musicPath() string {
	return "file:" + filepath.Join(d.folder, filepath.FromSlash(d.music))
}

// locate says where the prepared film of a language lies. Its name tells what it was made of: the template's files,
// the words, the fonts, ffmpeg and its options; so films of two languages are one file if they show the same.
func (m *Maker) locate(t *tools, k *template, lang string) (prepared, error) {
	p := prepared{design: k.design, lang: lang, width: k.source.width, height: k.source.height,
		rate: k.source.rate, frames: k.source.frames}
	h := sha256.New()
	fmt.Fprintf(h, "%x %q %q %q %q\n", k.sum, t.version, encodeVideo(p.width, p.height, p.rate), encodeSound,
		k.source.filter)
	for _, c := range k.texts {
		text := c.text.in(lang)
		face, err := m.fonts.pickFor(k.files, c.font, text)
		if err != nil {
			return p, fmt.Errorf("text %q: %w", text, err)
		}
		fmt.Fprintf(h, "%q %x\n", text, face.sum)
	}
	p.path = filepath.Join(m.cfg.Cache, fmt.Sprintf("%s-%s.mp4", k.id, hex.EncodeToString(h.Sum(nil)[:8])))
	p.takes = k.takes(p.rate, p.frames)
	stem := strings.TrimSuffix(p.path, ".mp4")
	p.plates = stem + ".yuv"
	if k.voice != nil {
		p.music = stem + ".wav"
	}
	return p, nil
}

// look reads the index of the prepared film; the error says that it has to be made.
func (p *prepared) look() error {
	f, err := openMovie(p.path)
	if err != nil {
		return err
	}
	defer f.close()
	v := f.track("vide")
	if v == nil || len(f.tracks) != 2 || len(v.samples) != p.frames {
		return errors.New("not a prepared film")
	}
	for _, k := range p.takes {
		if k.first >= k.last || !v.samples[k.first].sync || k.last < p.frames && !v.samples[k.last].sync {
			return fmt.Errorf("frames %d to %d are not between key frames", k.first, k.last)
		}
	}
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	p.size = info.Size()
	if p.music == "" {
		return nil
	}
	w, err := openWave(p.music)
	if err != nil {
		return err
	}
	defer w.close()
	if want := p.soundFrames(); w.frames < want {
		return fmt.Errorf("the music has %d of %d samples", w.frames, want)
	}
	return nil
}

// soundFrames is how many samples of each channel the film lasts.
func (p *prepared) soundFrames() int { return int(p.length().Seconds()*soundRate + 0.5) }

// encodeFilms encodes the films that are missing; they are by path.
func (m *Maker) encodeFilms(ctx context.Context, t *tools, k *template, missing map[string]prepared) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, prepareTimeout, fmt.Errorf("took longer than %v", prepareTimeout))
	defer cancel()
	// Music as a WAV file and films: a guess that errs on the safe side.
	if err := m.Room(int64(len(missing)) * (8<<20 + int64(k.source.length().Seconds()*1e6))); err != nil {
		return err
	}
	folder, err := newFolder(m.cfg.Cache, preparePrefix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	var films []prepared
	for _, p := range missing {
		p.path = filepath.Join(folder, filepath.Base(p.path))
		films = append(films, p)
	}
	music := filepath.Join(folder, "music.wav")
	if k.film == "" {
		err = m.encodeScene(ctx, t, k, films, music)
	} else {
		err = m.encodeSource(ctx, t, k, films, music)
	}
	if err != nil {
		return err
	}
	for _, p := range films {
		kept := filepath.Join(m.cfg.Cache, filepath.Base(p.path))
		if p.music != "" {
			copied := p.path + ".wav"
			if b, err := os.ReadFile(music); err != nil {
				return err
			} else if err := os.WriteFile(copied, b, 0o600); err != nil {
				return err
			}
			if err := keep(copied, missing[kept].music); err != nil {
				return err
			}
		}
		if err := os.Remove(missing[kept].plates); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err // of another film under this name
		}
		if err := keep(p.path, kept); err != nil {
			return err
		}
	}
	return m.removeOld(t, k)
}

// encodeScene draws every frame once and feeds it, with the texts of each film on it, to one ffmpeg per film.
func (m *Maker) encodeScene(ctx context.Context, t *tools, k *template, films []prepared, music string) error {
	s := scenes[k.scene].stage(k.width, k.height)
	if k.music != "" {
		if err := t.extractSound(ctx, k, music); err != nil {
			return fmt.Errorf("sound: %w", err)
		}
	} else if err := os.WriteFile(music, s.music().wav(), 0o600); err != nil {
		return err
	}
	fixed := make([][]shown, len(films))
	var encoders []*process
	for i, p := range films {
		var err error
		if fixed[i], err = m.fixed(k.design, p.length(), p.lang); err != nil {
			return errors.Join(err, endInput(encoders))
		}
		args := append(rawInput("yuv420p", k.width, k.height, p.rate), "-i", music, "-map", "0:v", "-map", "1:a")
		e, err := t.start(ctx, append(args, p.encode()...), nil, true)
		if err != nil {
			return errors.Join(err, endInput(encoders))
		}
		encoders = append(encoders, e)
	}
	frame := yuvSize(k.width, k.height)
	workers := runtime.GOMAXPROCS(0)
	type easel struct {
		bare, written *canvas
		words         *overlay
	}
	easels := make([]easel, workers)
	for i := range easels {
		easels[i] = easel{newCanvas(k.width, k.height), newCanvas(k.width, k.height), newOverlay(k.width, k.height)}
	}
	err := drawInOrder(ctx, workers, 0, s.frames(), frame*len(films),
		func(worker, n int, buf []byte) {
			e := easels[worker]
			s.draw(e.bare, n)
			for i, things := range fixed {
				e.words.clear()
				for _, t := range things {
					t.draw(e.words, float32(n)/sceneRate)
				}
				copy(e.written.pix, e.bare.pix)
				e.written.lay(e.words)
				e.written.yuv(buf[i*frame:(i+1)*frame], s.dither)
			}
		},
		func(_ int, buf []byte) error {
			for i, p := range encoders {
				if _, err := p.stdin.Write(buf[i*frame : (i+1)*frame]); err != nil {
					return err
				}
			}
			return nil
		})
	// An encoder that died is the reason for a write that failed, not the other way round.
	if ended := endInput(encoders); ended != nil {
		return ended
	}
	return err
}

// encodeSource encodes the author's film, with the texts and images of each language on it.
func (m *Maker) encodeSource(ctx context.Context, t *tools, k *template, films []prepared, music string) error {
	f := k.source
	if err := t.extractSound(ctx, k, music); err != nil {
		return fmt.Errorf("sound: %w", err)
	}
	for _, p := range films {
		things, err := m.fixed(k.design, f.length(), p.lang)
		if err != nil {
			return err
		}
		args := append([]string{"-xerror"}, t.input(anyFormat, f.path, f.source.decoder()...)...)
		args = append(args, "-i", music)
		if len(things) == 0 {
			args = append(args, "-filter_complex", f.pad+f.filter+"[v]", "-map", "[v]", "-map", "1:a")
			if err := t.run(ctx, append(args, p.encode()...), nil); err != nil {
				return err
			}
			continue
		}
		s := newSheet(f.width, f.height, things)
		args = append(args, rawInput("yuva420p", s.w, s.h, f.rate)...)
		args = append(args, "-filter_complex", fmt.Sprintf(
			"%s%s[film];[2:v]%s[words];[film][words]overlay=%d:%d:format=yuv420[v]",
			f.pad, f.filter, countFrames(f.rate, 0), s.x, s.y), "-map", "[v]", "-map", "1:a")
		if err := t.encodeSheet(ctx, append(args, p.encode()...), s.w, s.h, f.frames, func(o *overlay, n int) {
			s.draw(o, f.rate, n)
		}, nil); err != nil {
			return err
		}
	}
	return nil
}

// extractSound writes the sound of a template as a WAV file that is exactly as long as its film.
func (t *tools) extractSound(ctx context.Context, k *template, music string) error {
	var args []string
	track, filter := "0:a:0", "aresample=48000:async=1:first_pts=0"
	switch {
	case k.music != "":
		args = append(slices.Clone(anySound), "-i", k.musicPath())
	case k.source.source.sound != "":
		args = t.input(anyFormat, k.source.path)
		track, filter = fmt.Sprintf("0:%d", k.source.source.audio), k.source.source.soundFilter()
	default:
		args = []string{"-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo"}
	}
	samples := int64(k.source.length().Seconds()*soundRate + 0.5)
	return t.run(ctx, append(args, "-map", track, "-af", fmt.Sprintf("%s,apad,atrim=end_sample=%d", filter, samples),
		"-ac", "2", "-ar", "48000", "-c:a", "pcm_s16le", "-f", "wav", "-bitexact", music), nil)
}

// fixed draws what is the same for every name.
func (m *Maker) fixed(d *design, length time.Duration, lang string) ([]shown, error) {
	var out []shown
	for _, p := range d.images {
		s, err := newSticker(d.files, p)
		if err != nil {
			return nil, err
		}
		out = append(out, shown{s, p.animation, since(p.start, false), until(p.end, length)})
	}
	texts, err := m.letters(d, d.texts, length, lang, "")
	return append(out, texts...), err
}

// encode are the options for the prepared film as it is written.
func (p prepared) encode() []string {
	args := append(encodeVideo(p.width, p.height, p.rate), encodeSound...)
	args = append(append(args, "-force_key_frames", keyFrames(p.takes)), nothingElse...)
	return append(args, "-movflags", "+faststart", "-f", "mp4", p.path)
}

// keyFrames are the edges of the takes.
func keyFrames(takes []take) string {
	var terms []string
	for _, k := range takes {
		terms = append(terms, fmt.Sprintf("eq(n,%d)+eq(n,%d)", k.first, k.last))
	}
	return "expr:" + strings.Join(terms, "+")
}

// endInput tells encoders that there are no more frames and waits for them.
func endInput(encoders []*process) error {
	var err error
	for _, p := range encoders {
		_ = p.stdin.Close() // if it could not be closed, the encoder is gone, and wait says why
		err = errors.Join(err, p.wait())
	}
	return err
}

// rawInput are the options for frames that arrive on stdin.
func rawInput(format string, w, h int, r rate) []string {
	return []string{"-f", "rawvideo", "-pix_fmt", format, "-s", fmt.Sprintf("%dx%d", w, h), "-r", r.String(), "-i",
		"pipe:0"}
}

// keep moves a finished file to its place so that it is there whole or not at all, whenever the power fails.
func keep(from, to string) error {
	for _, step := range []func() error{
		func() error { return flush(from) },
		func() error { return os.Rename(from, to) },
		func() error { return flush(filepath.Dir(to)) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// flush writes a file or folder to the disk.
func flush(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// unoffered is how long the film of a template stays that is no longer offered: it may be offered again.
const unoffered = 7 * 24 * time.Hour

// removeOld removes the films of a template that its present ones replace, and old ones of templates that are not
// offered.
func (m *Maker) removeOld(t *tools, k *template) error {
	needed := map[string]bool{}
	for _, lang := range m.cfg.Languages {
		p, err := m.locate(t, k, lang)
		if err != nil {
			return err
		}
		for _, path := range []string{p.path, p.music, p.plates} {
			needed[filepath.Base(path)] = true
		}
	}
	files, err := os.ReadDir(m.cfg.Cache)
	for _, f := range files {
		id, ok := templateOf(f.Name())
		if !ok || needed[f.Name()] {
			continue
		}
		info, e := f.Info()
		gone := e == nil && !slices.Contains(m.offered(), id) && time.Since(info.ModTime()) > unoffered && !m.isUsed(id)
		if id == k.id || gone {
			err = errors.Join(err, os.Remove(filepath.Join(m.cfg.Cache, f.Name())))
		}
	}
	return err
}

// templateOf returns the id of the template that a file of the cache is a prepared film, music or plates of.
func templateOf(file string) (id string, ok bool) {
	name, kind, _ := strings.Cut(file, ".")
	at := strings.LastIndexByte(name, '-')
	if at <= 0 || kind != "mp4" && kind != "wav" && kind != "yuv" {
		return "", false
	}
	sum, err := hex.DecodeString(name[at+1:])
	return name[:at], err == nil && len(sum) == 8
}
