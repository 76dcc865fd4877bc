// templates.go finds templates by their id: in the operator's folder, else among the built-in ones.

package video

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// template is a design and what its preparation needs to know.
type template struct {
	*design
	sum       [sha256.Size]byte // of its files, or of the drawing code
	preparing chan struct{}     // holds one token while it is prepared
	looking   sync.Mutex        // guards source
	source    film              // what its film or scene becomes, once somebody has looked
}

// template returns a template without faults. An unknown one is a permanent error.
func (m *Maker) template(id string) (*template, error) {
	m.loading.Lock()
	defer m.loading.Unlock()
	if t, ok := m.templates[id]; ok {
		return t, nil
	}
	files, folder, err := m.find(id)
	if err != nil {
		return nil, err
	}
	t, err := m.read(id, files, folder)
	if err != nil {
		return nil, err
	}
	m.templates[id] = t
	return t, nil
}

// read reads a template, or a version of one, from its folder.
func (m *Maker) read(id string, files fs.FS, folder string) (*template, error) {
	name := designFile
	if _, version := splitVersion(id); version > 0 {
		name = versionFile(version)
	}
	text, err := readUpTo(files, name, mostText)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, permanent{fmt.Errorf("unknown template %q", id)}
	case err != nil:
		err = Faults{fmt.Sprintf("%s:1: cannot be read: %v", designFile, err)}
		return nil, permanent{fmt.Errorf("template %s: %w", id, err)}
	}
	t, err := m.parse(id, text, files, folder)
	if err == nil {
		err = t.sign()
	}
	return t, err
}

// parse makes a template of the text of its template.toml.
func (m *Maker) parse(id string, text []byte, files fs.FS, folder string) (*template, error) {
	d, err := parseDesign(id, text, files, m.cfg.Languages)
	if err != nil {
		return nil, permanent{fmt.Errorf("template %s: %w", id, err)}
	}
	d.folder = folder
	return &template{design: d, preparing: make(chan struct{}, 1)}, nil
}

// sign reads all files of a template for its checksum, without which nothing can be prepared.
func (t *template) sign() (err error) {
	if t.sum, err = t.fingerprint(); err != nil {
		return fmt.Errorf("template %s: %w", t.id, err)
	}
	return nil
}

// find returns the folder of a template.
func (m *Maker) find(id string) (files fs.FS, folder string, err error) {
	id, _ = splitVersion(id)
	if !filepath.IsLocal(id) || filepath.Base(id) != id {
		return nil, "", permanent{fmt.Errorf("unknown template %q", id)}
	}
	if m.cfg.Templates != "" {
		folder = filepath.Join(m.cfg.Templates, id)
		if _, err := os.Stat(filepath.Join(folder, designFile)); err == nil {
			root, err := os.OpenRoot(folder) // links that lead out of it are refused
			if err != nil {
				return nil, "", fmt.Errorf("template %s: %w", id, err)
			}
			return root.FS(), folder, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, "", fmt.Errorf("template %s: %w", id, err)
		}
	}
	if files, err = fs.Sub(builtIn, "templates/"+id); err == nil {
		if _, err = fs.Stat(files, designFile); err == nil {
			return files, "", nil
		}
	}
	return nil, "", permanent{fmt.Errorf("unknown template %q", id)}
}

// Edition is a checksum of what the videos of a template are made of: it changes when the template does, or the engine.
// What another engine does with a template is not known here.
func (m *Maker) Edition(id string) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%q", m.cfg.Engine)
	switch m.cfg.Engine {
	case EngineTemplate:
		t, err := m.template(id)
		if err != nil {
			return "", err
		}
		h.Write(t.sum[:])
	case EngineCommand:
		fmt.Fprintf(h, "%q", m.cfg.Command)
	case EngineHTTP:
		fmt.Fprintf(h, "%q", m.cfg.URL)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// readUpTo reads a file of at most so many bytes.
func readUpTo(files fs.FS, name string, most int64) ([]byte, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, plainError(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("it has more than %d bytes", most)
	}
	return b, plainError(err)
}

// plainError is an error without the path, which the reader knows.
func plainError(err error) error {
	if of, ok := errors.AsType[*fs.PathError](err); ok {
		return of.Err
	}
	return err
}

// fingerprint is a checksum of all that a template is made of but the fonts of the machine.
func (d *design) fingerprint() (sum [sha256.Size]byte, err error) {
	h := sha256.New()
	add := func(files fs.FS, name string) error {
		f, err := files.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		fmt.Fprintf(h, "%q\n", name)
		n, err := io.Copy(h, f)
		fmt.Fprintf(h, "%d\n", n)
		return err
	}
	fmt.Fprintf(h, "%q\n%s%d\n", designFile, d.text, len(d.text))
	names := []string{d.film, d.music}
	for _, p := range d.images {
		names = append(names, p.file)
	}
	for _, name := range names {
		if name != "" {
			if err := add(d.files, name); err != nil {
				return sum, err
			}
		}
	}
	err = fs.WalkDir(sceneSource, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		return add(sceneSource, path)
	})
	h.Sum(sum[:0])
	return sum, err
}
