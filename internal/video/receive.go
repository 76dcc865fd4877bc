// receive.go is the engine "farm" as the maker sees it: films that other machines made, proved here without a decoder.

package video

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Farm has films made on other machines.
type Farm interface {
	// Film has an order made and brings the film. An error that Take returned may be changed, if the machine that made
	// the film is at fault.
	Film(ctx context.Context, o Order, to Reception, progress func(percent int)) error
	// Ready returns nil if films can be made, or an error that says why not.
	Ready() error
}

// Reception is where a film of another machine arrives.
type Reception struct {
	Folder string                    // for the film and its still
	Room   func(size int64) error    // called before they are fetched; the size in bytes is what the other machine says
	Take   func(film Received) error // called when they are there
}

// Received is a film as another machine made and described it.
type Received struct {
	Film, Still   string // paths
	Width, Height int    // pixels
	Duration      time.Duration
	Note          string // see Video
}

// receive has a film made elsewhere. The time for a video begins when a machine begins it, so the farm keeps it.
func (m *Maker) receive(ctx context.Context, o Order, report func(int)) (Video, error) {
	if err := m.patient(o.Asset, m.Room(0)); err != nil {
		return Video{}, err
	}
	folder, err := newFolder(m.cfg.Work, jobPrefix)
	if err != nil {
		return Video{}, err
	}
	var v Video
	err = m.cfg.Farm.Film(ctx, o, Reception{folder, func(size int64) error {
		if err := m.mayHave(size); err != nil {
			return err
		}
		return m.Room(size)
	}, func(r Received) (err error) {
		v, err = prove(folder, r)
		return err
	}}, report)
	if err != nil {
		return Video{}, errors.Join(m.patient(o.Asset, err), os.RemoveAll(folder))
	}
	report(100)
	return v, nil
}

// prove checks in Go that a film is what its maker says: its boxes, samples, size and duration.
func prove(folder string, r Received) (Video, error) {
	film, f, err := provePlain(r.Film)
	if err != nil {
		return Video{}, coded{fmt.Errorf("the film of another machine: %w", err), CodeUnplayable}
	}
	if err := film.close(); err != nil {
		return Video{}, err
	}
	if off := f.duration - r.Duration; f.width != r.Width || f.height != r.Height || off.Abs() > time.Second {
		return Video{}, coded{fmt.Errorf("the film of another machine is %dx%d and %v long; it said %dx%d and %v",
			f.width, f.height, f.duration, r.Width, r.Height, r.Duration), CodeUnplayable}
	}
	v, err := finished(folder, r.Film, r.Still, f)
	v.Note = r.Note
	return v, err
}

// Kit is all that another machine needs to make the same films: the settings, and the files by their place in the kit.
type Kit struct {
	Offered   []string
	Languages []string
	Timeout   time.Duration
	MaxBytes  int64
	Voice     VoiceConfig       // without the key
	Files     map[string]string // place in the kit: path on this machine
}

// Places of a kit's files.
const (
	kitTemplates = "templates"
	kitFonts     = "fonts"
	kitForms     = "forms"
)

// Kit lists what this maker makes films with: the operator's own templates, the fonts of this machine, and how names
// are said. What is built into the program is built into the other one too.
func (m *Maker) Kit() (Kit, error) {
	k := Kit{Offered: m.offered(), Languages: m.cfg.Languages, Timeout: m.cfg.Timeout, MaxBytes: m.cfg.MaxBytes,
		Voice: m.cfg.Voice, Files: map[string]string{}}
	k.Voice.Key = ""
	m.loading.Lock() // what was offered a moment ago may still be asked for
	ids := slices.Sorted(maps.Keys(m.templates))
	m.loading.Unlock()
	for _, id := range append(ids, k.Offered...) {
		t, err := m.template(id)
		if err != nil {
			return k, err
		}
		if t.folder == "" { // built in
			continue
		}
		err = fs.WalkDir(t.files, ".", func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			if info, err := fs.Stat(t.files, path); err != nil || !info.Mode().IsRegular() {
				return err
			}
			k.Files[kitTemplates+"/"+filepath.Base(t.folder)+"/"+path] = filepath.Join(t.folder, path)
			return nil
		})
		if err != nil {
			return k, fmt.Errorf("template %s: %w", id, err)
		}
	}
	_, fonts, err := m.fonts.library()
	if err != nil {
		return k, err
	}
	for _, f := range fonts { // under their whole paths, which decide between two that suit a name equally
		k.Files[kitFonts+filepath.ToSlash(f.path)] = f.path
	}
	for _, lang := range m.cfg.Languages {
		if m.cfg.Forms == "" {
			break
		}
		path := filepath.Join(m.cfg.Forms, formsFile(lang))
		switch _, err := os.Stat(path); {
		case err == nil:
			k.Files[kitForms+"/"+formsFile(lang)] = path
		case !errors.Is(err, fs.ErrNotExist):
			return k, err
		}
	}
	return k, nil
}

// With returns a configuration that makes the films of a kit whose files are in a folder. What belongs to the machine
// stays: its engine, ffmpeg, folders, and the key of the voice.
func (c Config) With(k Kit, folder string) Config {
	c.Offered, c.Languages = slices.Clone(k.Offered), slices.Clone(k.Languages)
	c.Timeout, c.MaxBytes = k.Timeout, k.MaxBytes
	key := c.Voice.Key
	c.Voice = k.Voice
	c.Voice.Key = key
	c.Templates, c.Fonts = filepath.Join(folder, kitTemplates), filepath.Join(folder, kitFonts)
	c.Forms = filepath.Join(folder, kitForms)
	return c
}
