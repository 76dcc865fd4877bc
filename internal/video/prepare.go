// prepare.go encodes the built-in template once per language, without a name, and keeps it for every name to come.

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
	"strings"
	"time"
)

// prepareTimeout ends a preparation that hangs; one takes seconds, a minute on a very small machine.
const prepareTimeout = 10 * time.Minute

// prepared is a template ready for a name.
type prepared struct{ path string }

// Prepare makes the prepared templates of all languages unless they are in the cache already. Only one call works at a
// time, the others wait for it; when it fails, the next one tries. For an engine command there is nothing to prepare.
func (m *Maker) Prepare(ctx context.Context) error {
	if m.cfg.Engine == EngineCommand {
		return nil
	}
	t, err := m.ready(ctx)
	if err != nil {
		return err
	}
	_, err = m.prepare(ctx, t)
	return err
}

// prepare returns the prepared templates by language, and makes those that are missing or damaged.
func (m *Maker) prepare(ctx context.Context, t *tools) (map[string]prepared, error) {
	select {
	case m.preparing <- struct{}{}:
		defer func() { <-m.preparing }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	found, missing := map[string]prepared{}, map[string]string{}
	for _, lang := range languages() {
		key, err := m.key(lang, t.version)
		if err != nil {
			return nil, err
		}
		p := prepared{filepath.Join(m.cfg.Cache, fmt.Sprintf("%s-%s-%s.mp4", sceneName, lang, key))}
		found[lang] = p
		if p.check() != nil {
			missing[lang] = p.path
		}
	}
	if len(missing) == 0 {
		return found, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, prepareTimeout, fmt.Errorf("took longer than %v", prepareTimeout))
	defer cancel()
	if err := m.encodeTemplates(ctx, t, missing); err != nil {
		return nil, fmt.Errorf("prepare template %s: %w", sceneName, err)
	}
	return found, nil
}

// key names what a prepared template is made of: the drawing code, the words, the font, ffmpeg and its options.
func (m *Maker) key(lang, version string) (string, error) {
	words := sceneWishes[lang]
	face, err := m.fonts.pick(words.greeting + words.farewell)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q %x %q %q %q\n", words, face.sum, version, encodeVideo, encodeSound)
	err = fs.WalkDir(sceneSource, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := sceneSource.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n%s", path, len(b), b)
		return err
	})
	return hex.EncodeToString(h.Sum(nil)[:8]), err
}

// check reports whether the file is there and whole.
func (p prepared) check() error {
	f, err := openMovie(p.path)
	if err != nil {
		return err
	}
	defer f.close()
	if v := f.video(); v == nil || len(v.samples) != sceneFrames || len(f.tracks) != 2 {
		return errors.New("not a prepared template")
	}
	return nil
}

// encodeTemplates draws the scene once and encodes it in several languages at the same time; paths are by language.
func (m *Maker) encodeTemplates(ctx context.Context, t *tools, paths map[string]string) (err error) {
	folder, err := newFolder(m.cfg.Cache, preparePrefix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	music := filepath.Join(folder, "music.wav")
	if err := os.WriteFile(music, jingle(float64(sceneSeconds), float64(nameIn)).wav(), 0o600); err != nil {
		return err
	}
	var langs []string
	var texts []sceneText
	for _, lang := range languages() {
		if paths[lang] == "" {
			continue
		}
		text, err := newSceneText(&m.fonts, sceneWishes[lang])
		if err != nil {
			return err
		}
		langs, texts = append(langs, lang), append(texts, text)
	}
	part := func(lang string) string { return filepath.Join(folder, lang+".mp4") }
	if err := t.encodeScene(ctx, langs, texts, music, part); err != nil {
		return err
	}
	for _, lang := range langs {
		if err := (prepared{part(lang)}).check(); err != nil {
			return err
		}
		if err := keep(part(lang), paths[lang]); err != nil {
			return err
		}
		if err := removeOld(paths[lang], sceneName+"-"+lang+"-"); err != nil {
			return err
		}
	}
	return nil
}

// encodeScene feeds every drawn frame, with the text of each language on it, to one ffmpeg per language.
func (t *tools) encodeScene(ctx context.Context, langs []string, texts []sceneText, music string, path func(lang string) string) error {
	var encoders []*process
	for _, lang := range langs {
		args := append(rawInput("yuv420p", sceneWidth, sceneHeight), "-i", music, "-map", "0:v", "-map", "1:a")
		args = append(append(args, encodeVideo...), encodeSound...)
		args = append(args, "-force_key_frames", keyFrames, "-movflags", "+faststart", "-f", "mp4", path(lang))
		p, err := t.start(ctx, args, nil, true)
		if err != nil {
			return errors.Join(err, endInput(encoders))
		}
		encoders = append(encoders, p)
	}
	s := newScene()
	frame := yuvSize(sceneWidth, sceneHeight)
	workers := runtime.GOMAXPROCS(0)
	canvases := make([][2]*canvas, workers)
	for i := range canvases {
		canvases[i] = [2]*canvas{newCanvas(sceneWidth, sceneHeight), newCanvas(sceneWidth, sceneHeight)}
	}
	err := drawInOrder(ctx, workers, 0, sceneFrames, frame*len(langs),
		func(worker, n int, buf []byte) {
			bare, written := canvases[worker][0], canvases[worker][1]
			s.draw(bare, n)
			for i, text := range texts {
				copy(written.pix, bare.pix)
				text.draw(written, n)
				written.yuv(buf[i*frame:(i+1)*frame], s.dither)
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

// endInput tells encoders that there are no more frames and waits for them.
func endInput(encoders []*process) error {
	var err error
	for _, p := range encoders {
		_ = p.stdin.Close() // if it could not be closed, the encoder is gone, and wait says why
		err = errors.Join(err, p.wait())
	}
	return err
}

// keyFrames are the edges of the part that carries the name, and the frame for the still.
var keyFrames = fmt.Sprintf("expr:eq(n,%d)+eq(n,%d)+eq(n,%d)", nameFrom, stillFrame, nameTo)

// rawInput are the options for frames that arrive on stdin.
func rawInput(format string, w, h int) []string {
	return []string{"-f", "rawvideo", "-pix_fmt", format, "-s", fmt.Sprintf("%dx%d", w, h),
		"-r", fmt.Sprint(sceneRate), "-i", "pipe:0"}
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

// removeOld removes the templates that the one at path replaces.
func removeOld(path, prefix string) error {
	folder := filepath.Dir(path)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(path) && strings.HasPrefix(e.Name(), prefix) && strings.HasSuffix(e.Name(), ".mp4") {
			err = errors.Join(err, os.Remove(filepath.Join(folder, e.Name())))
		}
	}
	return err
}
