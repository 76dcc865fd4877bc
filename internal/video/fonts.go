// fonts.go finds the font for a text: the one the scene was designed with, the one that is built in, then any other.

package video

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/go-fonts/dejavu/dejavusansbold"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/fontscan"
)

// wantedFamily is the family that suits the scenes; Debian has it as fonts-comfortaa, with Russian and Kazakh.
const wantedFamily = "comfortaa"

// typeface is one loaded font file. It may be used by many goroutines; shaping makes a font.Face of its own.
type typeface struct {
	font *font.Font
	sum  [sha256.Size]byte // of the file, part of the key of what was drawn with it
	// Corrections that make it a display face, in ems: how much closer the letters stand, how much bolder they are.
	closer, bolder float32
}

// fonts are the fonts of this machine, looked for when the first text needs one.
type fonts struct {
	cache string // folder for the index of the system's fonts

	once   sync.Once
	loaded []*typeface          // in the order in which they are tried
	others []fontscan.Footprint // the rest of the system's fonts, loaded when nothing else covers a text
	err    error
}

// pick returns the first font that covers all of a text, so that a name is never a mix of two.
// It returns ErrCannotDraw if there is none.
func (f *fonts) pick(text string) (*typeface, error) {
	f.once.Do(f.load)
	if f.err != nil {
		return nil, f.err
	}
	for _, t := range f.loaded {
		if t.covers(text) {
			return t, nil
		}
	}
	for _, o := range f.others {
		if !coversRunes(o, text) {
			continue
		}
		if t, err := openSystem(o); err == nil && t.covers(text) {
			return t, nil
		}
	}
	return nil, ErrCannotDraw
}

// pickFor returns the font that a caption asks for, a file of the template's folder or a family of this machine, if it is
// there and covers all of the text. Otherwise, and if asked is "", it does what pick does.
func (f *fonts) pickFor(files fs.FS, asked, text string) (*typeface, error) {
	for _, open := range f.candidates(files, asked) {
		if t, err := open(); err == nil && t.covers(text) {
			return t, nil
		}
	}
	return f.pick(text)
}

// has reports whether a font that a caption asks for is there, whatever it covers.
func (f *fonts) has(files fs.FS, asked string) bool {
	return slices.ContainsFunc(f.candidates(files, asked), func(open func() (*typeface, error)) bool {
		_, err := open()
		return err == nil
	})
}

// candidates are the ways to open a font that a caption asks for: of a family, the upright bold one comes first.
func (f *fonts) candidates(files fs.FS, asked string) (out []func() (*typeface, error)) {
	if asked == "" {
		return nil
	}
	if isFontFile(asked) {
		return append(out, func() (*typeface, error) {
			b, err := fs.ReadFile(files, asked)
			if err != nil {
				return nil, err
			}
			return parseFont(b, 0)
		})
	}
	f.once.Do(f.load)
	family := font.NormalizeFamily(asked)
	for _, o := range f.others {
		if o.Family == family {
			out = append(out, func() (*typeface, error) { return openSystem(o) })
		}
	}
	return out
}

// isFontFile tells the name of a file from that of a family.
func isFontFile(asked string) bool {
	switch strings.ToLower(path.Ext(asked)) {
	case ".ttf", ".otf", ".ttc":
		return true
	}
	return false
}

func (f *fonts) load() {
	// A machine without fonts, or without a home for the index, still has the built-in font.
	system, err := fontscan.SystemFonts(log.New(io.Discard, "", 0), f.cache)
	if err != nil {
		system = nil
	}
	for _, s := range system {
		if s.Family == wantedFamily && s.Aspect.Weight >= font.WeightBold && s.Aspect.Style != font.StyleItalic {
			if t, err := openSystem(s); err == nil {
				f.loaded = append(f.loaded, t)
				break
			}
		}
	}
	builtIn, err := parseFont(dejavusansbold.TTF, 0)
	if err != nil {
		f.err = fmt.Errorf("built-in font: %w", err)
		return
	}
	f.loaded = append(f.loaded, builtIn)
	f.others = system
	slices.SortStableFunc(f.others, func(a, b fontscan.Footprint) int {
		return int(distance(a.Aspect) - distance(b.Aspect))
	})
}

// distance tells how far a font is from an upright bold one.
func distance(a font.Aspect) float32 {
	d := max(a.Weight-font.WeightBold, font.WeightBold-a.Weight)
	if a.Style == font.StyleItalic {
		d += 1000
	}
	return float32(d)
}

func coversRunes(f fontscan.Footprint, text string) bool {
	for _, r := range text {
		if !f.Runes.Contains(r) {
			return false
		}
	}
	return true
}

// openSystem loads a font of this machine.
func openSystem(s fontscan.Footprint) (*typeface, error) {
	b, err := os.ReadFile(s.Location.File)
	if err != nil {
		return nil, err
	}
	t, err := parseFont(b, int(s.Location.Index))
	if err == nil && s.Family == wantedFamily {
		// Comfortaa is airy; over a picture, and on a small screen, it needs more weight.
		t.closer, t.bolder = 0.035, 0.016
	}
	return t, err
}

// parseFont reads one face of a font file.
func parseFont(b []byte, index int) (*typeface, error) {
	loaders, err := opentype.NewLoaders(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	if index >= len(loaders) {
		return nil, fmt.Errorf("no face %d in the font file", index)
	}
	f, err := font.NewFont(loaders[index])
	if err != nil {
		return nil, err
	}
	return &typeface{font: f, sum: sha256.Sum256(b)}, nil
}
