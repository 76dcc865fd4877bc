// shelffiles.go keeps the pictures, sounds and fonts that a template shows beside its film.

package video

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// mostExtras is how many files a template may have beside its film.
const mostExtras = 100

// Kinds of files that a template can use, by their endings.
var (
	imageKinds = []string{"png", "jpg", "jpeg"}
	soundKinds = []string{"mp3", "m4a", "wav", "ogg", "flac"}
	fontKinds  = []string{"ttf", "otf", "ttc"}
)

// Extras are the files of a template that its texts and images may name.
type Extras struct {
	Images []string `json:"images"`
	Sounds []string `json:"sounds"`
	Fonts  []string `json:"fonts"`
}

// Extras lists the files of one of the operator's templates.
func (s *Shelf) Extras(id string) (e Extras, err error) {
	e = Extras{[]string{}, []string{}, []string{}}
	if !templateID.MatchString(id) {
		return e, fs.ErrNotExist
	}
	entries, err := os.ReadDir(filepath.Join(s.dir, id))
	if err != nil {
		return e, err
	}
	for _, entry := range entries {
		kind := strings.ToLower(strings.TrimPrefix(path.Ext(entry.Name()), "."))
		for _, some := range []struct {
			kinds []string
			list  *[]string
		}{{imageKinds, &e.Images}, {soundKinds, &e.Sounds}, {fontKinds, &e.Fonts}} {
			if entry.Type().IsRegular() && slices.Contains(some.kinds, kind) && !strings.HasPrefix(entry.Name(), newPrefix) {
				*some.list = append(*some.list, entry.Name())
			}
		}
	}
	return e, nil
}

// AddExtra copies a picture, a sound or a font into the folder of one of the operator's templates, and returns what it
// is called there: no file of a template is ever overwritten, because older versions use it. title is what its sender
// calls it, and kind the ending that its first bytes tell. The error is Faults if it cannot be used.
func (s *Shelf) AddExtra(ctx context.Context, id, title, file, kind string) (name string, err error) {
	if err := s.fitsTemplate(ctx, file, kind); err != nil {
		return "", err
	}
	err = s.change(id, func(root *os.Root, _ Template) error {
		there, err := fs.ReadDir(root.FS(), ".")
		if err != nil {
			return err
		}
		if len(there) >= mostExtras {
			return ErrTemplatesFull
		}
		for _, e := range there { // an earlier process ended halfway
			if strings.HasPrefix(e.Name(), newPrefix) {
				if err := root.Remove(e.Name()); err != nil {
					return cannotWrite(err)
				}
			}
		}
		name = freeID(title, func(id string) bool {
			return slices.ContainsFunc(there, func(e fs.DirEntry) bool { return e.Name() == id+"."+kind })
		}) + "." + kind
		temporary := newPrefix + name
		if err := copyInto(root, file, temporary); err != nil {
			return errors.Join(err, root.Remove(temporary))
		}
		if err := root.Rename(temporary, name); err != nil {
			return cannotWrite(err)
		}
		return flushIn(root, ".")
	})
	return name, err
}

// fitsTemplate returns nil if a template can use a file.
func (s *Shelf) fitsTemplate(ctx context.Context, file, kind string) error {
	if slices.Contains(soundKinds, kind) {
		t, err := s.maker.ready(ctx)
		if err != nil {
			return err
		}
		return s.maker.isSound(ctx, t, "file:"+file)
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if info.Size() > mostImage {
		return Faults{fmt.Sprintf("it has more than %d MB", mostImage>>20)}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if slices.Contains(imageKinds, kind) {
		if err := checkImage(b); err != nil {
			return Faults{err.Error()}
		}
	} else if _, err := parseFont(b, 0); err != nil {
		return Faults{"it is not a font that can be read"}
	}
	return nil
}
