// fontfiles.go finds the font files of this machine and parses each of them once, however many names need it.

package video

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/go-fonts/dejavu/dejavusansbold"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/font/opentype/tables"
	"github.com/go-text/typesetting/fontscan"
)

// wantedFamily is the family that suits the templates: warm, and drawn for children who learn to read, in Latin and in
// Cyrillic letters as they are printed in a primer. Debian has it as wantedPackage.
const (
	wantedFamily  = "andika"
	wantedPackage = "fonts-sil-andika"
)

// How much bolder letters are drawn than the font has them, in ems. Growing them on all sides rounds their corners too,
// so that a regular weight becomes a display face.
const (
	wantedBolder = 0.032
	thinBolder   = 0.02 // of other fonts that have no bold weight here
)

// maxParsed is how many bytes of the machine's fonts are kept in memory once they are parsed.
const maxParsed = 64 << 20

// fontFile is one face in a font file of this machine.
type fontFile struct {
	path   string
	index  int // in a collection
	family string
	aspect font.Aspect
	runes  fontscan.RuneSet
}

// face is one parsed face. Many goroutines may use it; shaping makes a font.Face of its own.
type face struct {
	font   *font.Font
	sum    [sha256.Size]byte // of the file, part of the key of what was drawn with it
	bolder float32           // ems
	size   int               // bytes

	asked   sync.Mutex
	covered map[string]bool // what covers answered for single letters
}

// fonts are the fonts of this machine, looked for when the first text needs one.
type fonts struct {
	folder string // where they are; "": where this machine keeps its own

	mu      sync.Mutex
	builtIn *face
	found   []fontFile // upright bold ones first; nil until a scan was complete
	scanned bool
	parsed  []parsedFile // the one that was used last comes last
}

// parsedFile is a parsed font file, or one that cannot be parsed.
type parsedFile struct {
	path  string
	index int
	face  *face
}

// library returns the built-in face and all faces of this machine. Until a scan has seen all of them the error says
// what was in its way: half of the fonts would refuse names that can be drawn, and draw others in a face nobody chose.
func (f *fonts) library() (builtIn *face, found []fontFile, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.builtIn == nil {
		if f.builtIn, err = parseFont(dejavusansbold.TTF, 0); err != nil {
			return nil, nil, fmt.Errorf("built-in font: %w", err)
		}
	}
	if !f.scanned {
		// A machine without fonts still has the built-in one.
		folders, err := fontscan.DefaultFontDirectories(log.New(io.Discard, "", 0))
		if err != nil {
			folders = nil
		}
		if f.folder != "" {
			folders = []string{f.folder}
		}
		if f.found, err = scanFonts(folders); err != nil {
			return nil, nil, fmt.Errorf("look for fonts: %w", err)
		}
		f.scanned = true
	}
	return f.builtIn, f.found, nil
}

// scanFonts describes all faces in some folders, upright bold ones first. Files that are no fonts, and what this user
// may not read, are left out; any other error ends the scan.
func scanFonts(folders []string) (found []fontFile, err error) {
	seen := map[string]bool{}
	var scan func(folder string) error
	scan = func(folder string) error {
		real, err := filepath.EvalSymlinks(folder)
		if err != nil || seen[real] {
			return unlessGone(err)
		}
		seen[real] = true
		entries, err := os.ReadDir(real)
		if err != nil {
			return unlessGone(err)
		}
		for _, e := range entries {
			path := filepath.Join(real, e.Name())
			info, err := os.Stat(path) // follows a link
			switch {
			case err != nil:
				err = unlessGone(err)
			case info.IsDir():
				err = scan(path)
			case info.Mode().IsRegular() && isFontFile(path):
				var faces []fontFile
				faces, err = describeFont(path)
				found = append(found, faces...)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	for _, folder := range folders {
		if err := scan(folder); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(found, func(a, b fontFile) int {
		return cmp.Or(cmp.Compare(distance(a.aspect), distance(b.aspect)), cmp.Compare(a.path, b.path),
			cmp.Compare(a.index, b.index))
	})
	return found, nil
}

// unlessGone returns an error unless it says that a file is not there, or not for us.
func unlessGone(err error) error {
	for _, gone := range []error{fs.ErrNotExist, fs.ErrPermission, syscall.ELOOP, syscall.ENOTDIR} {
		if errors.Is(err, gone) {
			return nil
		}
	}
	return err
}

// distance tells how far a font is from an upright bold one.
func distance(a font.Aspect) float32 {
	d := max(a.Weight-font.WeightBold, font.WeightBold-a.Weight)
	if a.Style == font.StyleItalic {
		d += 1000
	}
	return float32(d)
}

// readErrors tells what could not be read from what could not be understood.
type readErrors struct {
	*os.File
	err error
}

func (r *readErrors) note(n int, err error) (int, error) {
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

func (r *readErrors) Read(b []byte) (int, error)             { return r.note(r.File.Read(b)) }
func (r *readErrors) ReadAt(b []byte, at int64) (int, error) { return r.note(r.File.ReadAt(b, at)) }

// describeFont describes the faces in a file, and reads no more of it than that takes.
func describeFont(path string) (out []fontFile, err error) {
	opened, err := os.Open(path)
	if err != nil {
		return nil, unlessGone(err)
	}
	defer opened.Close()
	file := &readErrors{File: opened}
	loaders, _ := opentype.NewLoaders(file) // none in a file that isn't a font
	for i, l := range loaders {
		runes, err := coverage(l)
		if err != nil {
			continue // a face without letters
		}
		d, _ := font.Describe(l, nil)
		out = append(out, fontFile{path, i, font.NormalizeFamily(d.Family), d.Aspect, runes})
	}
	return out, file.err
}

// coverage is the set of the runes for which a face has a glyph.
func coverage(l *opentype.Loader) (fontscan.RuneSet, error) {
	raw, err := l.RawTable(opentype.MustNewTag("cmap"))
	if err != nil {
		return nil, err
	}
	table, _, err := tables.ParseCmap(raw)
	if err != nil {
		return nil, err
	}
	letters, _, err := font.ProcessCmap(table, tables.FPNone)
	if err != nil {
		return nil, err
	}
	var set fontscan.RuneSet
	for i := letters.Iter(); i.Next(); {
		r, _ := i.Char()
		set.Add(r)
	}
	return set, nil
}

// open returns a face of this machine, nil if its file has gone or cannot be understood.
func (f *fonts) open(o fontFile) (*face, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.parsed, func(p parsedFile) bool { return p.path == o.path && p.index == o.index })
	if i >= 0 {
		p := f.parsed[i]
		f.parsed = append(slices.Delete(f.parsed, i, i+1), p)
		return p.face, nil
	}
	b, err := os.ReadFile(o.path)
	if err != nil {
		return nil, unlessGone(err)
	}
	t, err := parseFont(b, o.index)
	if err != nil {
		t = nil // it will not get better: remembered like the others
	} else if o.family == wantedFamily {
		t.bolder = wantedBolder
	} else if o.aspect.Weight < font.WeightSemibold {
		t.bolder = thinBolder
	}
	f.parsed = append(f.parsed, parsedFile{o.path, o.index, t})
	f.dropParsed()
	return t, nil
}

// dropParsed forgets the fonts that were not used for longest, so that what is kept has no more than maxParsed bytes.
func (f *fonts) dropParsed() {
	sum := 0
	for i, p := range slices.Backward(f.parsed) {
		if p.face != nil {
			sum += p.face.size
		}
		if sum > maxParsed && i < len(f.parsed)-1 {
			f.parsed = slices.Delete(f.parsed, 0, i+1)
			return
		}
	}
}

// parseFont reads one face of a font file.
func parseFont(b []byte, index int) (*face, error) {
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
	return &face{font: f, sum: sha256.Sum256(b), size: len(b)}, nil
}
