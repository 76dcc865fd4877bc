// shelf.go keeps the operator's templates: it adds one with a film, saves versions of it, and goes back to older ones.

package video

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Limits of the shelf.
const (
	mostTemplates = 200 // of the operator's
	mostVersions  = 200 // of one
)

// newPrefix begins the names of folders that are no template yet.
const newPrefix = ".new-"

// What the shelf refuses.
var (
	ErrTemplatesFull = errors.New("there are too many templates, or versions of one")
	ErrReadOnly      = errors.New("the folder of templates cannot be written")
	ErrNewerVersion  = errors.New("somebody has saved another version of the template meanwhile")
)

// Shelf is all templates that there are: the built-in ones, and those in the operator's folder.
type Shelf struct {
	maker  *Maker
	dir    string
	saving sync.Mutex // held while files are written
}

// Entry is a template on the shelf.
type Entry struct {
	ID      string `json:"id"`
	Order   string `json:"-"` // what a new order says
	Own     bool   `json:"own"`
	Version int    `json:"version,omitzero"` // 0: it was written by hand
	Fault   string `json:"fault,omitzero"`   // why it cannot be used: the first of its faults
}

// Version is one that was saved.
type Version struct {
	N       int       `json:"version"`
	Saved   time.Time `json:"saved"`
	Current bool      `json:"current"`
}

// Template is a template as the studio works on it.
type Template struct {
	Entry
	Text     []byte    // the current template.toml
	Film     string    // the file of its film; "": it has a scene
	Versions []Version // the newest first
}

// NewShelf returns the shelf of a maker, and removes what an earlier process began to put there.
func NewShelf(m *Maker) (*Shelf, error) {
	s := &Shelf{maker: m, dir: m.cfg.Templates}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return s, nil // there is none yet, or those that are offered say what is wrong with it
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), newPrefix) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(s.dir, e.Name())))
		}
	}
	return s, err
}

// Draws reports whether videos are made from templates.
func (s *Shelf) Draws() bool { return s.maker.draws() }

// Folder is where the operator's templates are.
func (s *Shelf) Folder() string { return s.dir }

// All lists the templates, the built-in ones first.
func (s *Shelf) All() (all []Entry, err error) {
	builtins, err := fs.ReadDir(builtIn, "templates")
	if err != nil {
		return nil, err
	}
	own, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, plainError(err)
	}
	for _, e := range builtins {
		if !slices.ContainsFunc(own, func(o fs.DirEntry) bool { return o.Name() == e.Name() }) {
			all = append(all, s.entry(e.Name(), false))
		}
	}
	for _, e := range own {
		if info, err := os.Stat(filepath.Join(s.dir, e.Name())); err == nil && info.IsDir() &&
			templateID.MatchString(e.Name()) && len(all) < 2*mostTemplates {
			all = append(all, s.entry(e.Name(), true))
		}
	}
	return all, nil
}

func (s *Shelf) entry(id string, own bool) Entry {
	e := Entry{ID: id, Order: id, Own: own}
	if own {
		e.Order = s.maker.Current(id)
		_, e.Version = splitVersion(e.Order)
	}
	_, err := s.maker.template(e.Order)
	if faults, ok := errors.AsType[Faults](err); ok {
		e.Fault = faults[0]
	} else if err != nil {
		e.Fault = oneLine(err)
	}
	return e
}

// Has reports whether there is a template, or a version of one, without faults.
func (s *Shelf) Has(id string) bool {
	if !isTemplateID(id) {
		return false
	}
	_, err := s.maker.template(id)
	return err == nil
}

// Template returns what there is of a template; fs.ErrNotExist: there is none.
func (s *Shelf) Template(id string) (t Template, err error) {
	if !templateID.MatchString(id) {
		return t, fs.ErrNotExist
	}
	files, folder, err := s.maker.find(id)
	if err != nil {
		return t, fs.ErrNotExist
	}
	t.Entry = s.entry(id, folder != "")
	if t.Text, err = readUpTo(files, designFile, mostText); err != nil {
		return t, nil // the entry says that it cannot be read
	}
	for _, n := range slices.Backward(versionsIn(files)) {
		v := Version{N: n, Current: n == t.Version}
		if info, err := fs.Stat(files, versionFile(n)); err == nil {
			v.Saved = info.ModTime()
		}
		t.Versions = append(t.Versions, v)
	}
	if d, err := parseDesign(id, t.Text, files, s.maker.cfg.Languages); err == nil {
		t.Film = d.film
	}
	return t, nil
}

// Draft is Maker.Draft.
func (s *Shelf) Draft(id string, text []byte) (*Draft, error) { return s.maker.Draft(id, text) }

// OpenFilm opens what a browser plays of a template: the author's film, or the scene as it is before a name is drawn.
func (s *Shelf) OpenFilm(ctx context.Context, t Template, lang string) (*os.File, error) {
	if t.Film == "" {
		k, err := s.maker.template(t.Order)
		if err != nil {
			return nil, err
		}
		film, err := s.maker.filmOf(ctx, k, lang)
		if err != nil {
			return nil, err
		}
		return os.Open(film)
	}
	root, err := os.OpenRoot(filepath.Join(s.dir, t.ID))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.Open(filepath.FromSlash(t.Film))
}

// AddFilm makes a template of a film, which it copies, and returns its id. kind is the ending of the file's name. The
// name is shown for a while in the lower part. The error is Faults if the film is at fault: then nothing is left.
func (s *Shelf) AddFilm(ctx context.Context, title, film, kind string) (id string, err error) {
	name := "film." + kind
	return s.add(ctx, title, func(root *os.Root, folder string) ([]byte, error) {
		if err := copyInto(root, film, name); err != nil {
			return nil, err
		}
		// A first guess, which only has to be without faults: its box and times follow when the film is known.
		first := Sheet{Title: map[string]string{}, Segments: []Place{{Start: "0", End: "0.2", X: "0", Y: "0", W: "16",
			H: "16"}}}
		for _, l := range s.maker.cfg.Languages {
			first.Title[l] = title
		}
		over := []byte(fmt.Sprintf("film = %q\n", name))
		text, err := first.Write(over, s.maker.cfg.Languages)
		if err != nil {
			return nil, err
		}
		d, err := s.maker.draftIn(root.FS(), folder, text)
		if err != nil {
			return nil, err
		}
		about, err := d.About(ctx)
		if err != nil {
			return nil, err
		}
		place := &first.Segments[0]
		whole := func(n float64) string { return fmt.Sprint(int(n)) }
		w, h := float64(about.Width), float64(about.Height)
		place.X, place.Y, place.W, place.H = whole(w*.08), whole(h*.66), whole(w*.84), whole(h*.2)
		length := about.Length.Seconds()
		place.Start, place.End = fmt.Sprintf("%.1f", length*.2), fmt.Sprintf("%.1f", min(length*.8, length*.2+6))
		if length < 1 {
			place.Start, place.End = "0", fmt.Sprintf("%.3f", length-.001)
		}
		return first.Write(over, s.maker.cfg.Languages)
	})
}

// Copy makes a template of the operator's of a built-in one, and returns its id.
func (s *Shelf) Copy(ctx context.Context, from, title string) (id string, err error) {
	t, err := s.Template(from)
	if err != nil || t.Own {
		return "", fs.ErrNotExist
	}
	return s.add(ctx, title, func(*os.Root, string) ([]byte, error) {
		sheet, err := ReadSheet(t.Text, s.maker.cfg.Languages)
		if err != nil {
			return nil, err
		}
		for l := range sheet.Title {
			sheet.Title[l] = title
		}
		return sheet.Write(t.Text, s.maker.cfg.Languages)
	})
}

// add makes a folder, lets fill put files into it and say what its template.toml is, checks that, and gives the folder
// its name.
func (s *Shelf) add(ctx context.Context, title string,
	fill func(root *os.Root, folder string) (text []byte, err error)) (id string, err error) {
	s.saving.Lock()
	defer s.saving.Unlock()
	if s.dir == "" {
		return "", ErrReadOnly
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return "", cannotWrite(err)
	}
	all, err := s.All()
	if err != nil {
		return "", err
	}
	if len(all) >= mostTemplates {
		return "", ErrTemplatesFull
	}
	id = freeID(title, func(id string) bool {
		_, err := os.Lstat(filepath.Join(s.dir, id))
		return err == nil || slices.ContainsFunc(all, func(e Entry) bool { return e.ID == id })
	})
	shelf, err := os.OpenRoot(s.dir)
	if err != nil {
		return "", err
	}
	defer shelf.Close()
	temporary := newPrefix + strings.ToLower(rand.Text())
	if err := shelf.Mkdir(temporary, 0o700); err != nil {
		return "", cannotWrite(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, shelf.RemoveAll(temporary))
		}
	}()
	root, err := shelf.OpenRoot(temporary)
	if err != nil {
		return "", err
	}
	defer root.Close()
	folder := filepath.Join(s.dir, temporary)
	text, err := fill(root, folder)
	if err != nil {
		return "", err
	}
	d, err := s.maker.draftIn(root.FS(), folder, text)
	if err != nil {
		return "", err
	}
	if _, err := d.About(ctx); err != nil {
		return "", err
	}
	if err := d.Check(ctx); err != nil {
		return "", err
	}
	if err := writeVersion(root, 1, text); err != nil {
		return "", err
	}
	if err := shelf.Rename(temporary, id); err != nil {
		return "", cannotWrite(err)
	}
	return id, flush(s.dir)
}

// Save makes a text that has no faults the next version of a template, and that the current one. seen is the version
// that it was made from; ErrNewerVersion: it is not the current one any more. What was written by hand before is kept
// as a version of its own.
func (s *Shelf) Save(ctx context.Context, id string, text []byte, seen int) (version int, err error) {
	d, err := s.maker.Draft(id, text)
	if err != nil {
		return 0, err
	}
	if _, err := d.About(ctx); err != nil {
		return 0, err
	}
	if err := d.Check(ctx); err != nil {
		return 0, err
	}
	err = s.change(id, func(root *os.Root, t Template) error {
		if t.Version != seen {
			return ErrNewerVersion
		}
		version = 1
		if len(t.Versions) > 0 {
			version = t.Versions[0].N + 1
		}
		if len(t.Versions) >= mostVersions {
			return ErrTemplatesFull
		}
		if t.Version == 0 {
			if err := writeVersion(root, version, t.Text); err != nil {
				return err
			}
			version++
		}
		return writeVersion(root, version, text)
	})
	return version, err
}

// Back makes an older version of a template, or a newer one, the current one.
func (s *Shelf) Back(id string, version int) error {
	return s.change(id, func(root *os.Root, t Template) error {
		text, err := readUpTo(root.FS(), versionFile(version), mostText)
		if err != nil {
			return fs.ErrNotExist
		}
		if t.Version == 0 { // what was written by hand is kept
			next := 1
			if len(t.Versions) > 0 {
				next = t.Versions[0].N + 1
			}
			if err := writeVersion(root, next, t.Text); err != nil {
				return err
			}
		}
		return writeIn(root, designFile, text)
	})
}

// change lets do change the files of one of the operator's templates.
func (s *Shelf) change(id string, do func(root *os.Root, t Template) error) error {
	s.saving.Lock()
	defer s.saving.Unlock()
	t, err := s.Template(id)
	if err != nil || !t.Own {
		return fs.ErrNotExist
	}
	root, err := os.OpenRoot(filepath.Join(s.dir, id))
	if err != nil {
		return err
	}
	defer root.Close()
	return do(root, t)
}

// writeVersion writes a version of a template, and makes it the current one.
func writeVersion(root *os.Root, version int, text []byte) error {
	if err := root.Mkdir(versionsFolder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return cannotWrite(err)
	}
	if err := writeIn(root, versionFile(version), text); err != nil {
		return err
	}
	return writeIn(root, designFile, text)
}

// writeIn writes a file that is whole, or as it was before, whenever the power fails.
func writeIn(root *os.Root, name string, text []byte) (err error) {
	temporary := name + "." + strings.ToLower(rand.Text())
	f, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return cannotWrite(err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = root.Rename(temporary, name)
	}
	if err != nil {
		return errors.Join(cannotWrite(err), root.Remove(temporary))
	}
	return flushIn(root, path.Dir(name))
}

func flushIn(root *os.Root, name string) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// copyInto copies a file into a folder.
func copyInto(root *os.Root, from, name string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return cannotWrite(err)
	}
	_, err = w.ReadFrom(r)
	return cannotWrite(errors.Join(err, w.Sync(), w.Close()))
}

// cannotWrite marks the error of a folder that this process may not write.
func cannotWrite(err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	}
	return err
}

// latin spells the letters of a title that a folder's name cannot have.
var latin = strings.NewReplacer("а", "a", "б", "b", "в", "v", "г", "g", "д", "d", "е", "e", "ё", "e", "ж", "zh",
	"з", "z", "и", "i", "й", "y", "к", "k", "л", "l", "м", "m", "н", "n", "о", "o", "п", "p", "р", "r", "с", "s",
	"т", "t", "у", "u", "ф", "f", "х", "kh", "ц", "ts", "ч", "ch", "ш", "sh", "щ", "sch", "ъ", "", "ы", "y",
	"ь", "", "э", "e", "ю", "yu", "я", "ya", "ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss")

// freeID makes the name of a folder of a title.
func freeID(title string, taken func(id string) bool) string {
	var b strings.Builder
	for _, r := range latin.Replace(strings.ToLower(title)) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	id := strings.Trim(b.String()[:min(b.Len(), 24)], "-")
	if id == "" {
		id = "film"
	}
	for n, tried := 2, id; ; n++ {
		if !taken(tried) {
			return tried
		}
		tried = fmt.Sprintf("%s-%d", id, n)
	}
}

// Offer offers templates, the one for orders that name none first, each in its current version. The error is that of
// one that has faults; then nothing has changed.
func (s *Shelf) Offer(offers *Offers, ids []string) error {
	var list []Offer
	var orders []string
	for _, id := range ids {
		order := s.maker.Current(id)
		if s.maker.draws() {
			if _, err := s.maker.template(order); err != nil {
				return err
			}
		}
		title := func(lang string) string { return s.maker.Title(order, lang) }
		list = append(list, Offer{ID: id, Title: title, Order: order})
		orders = append(orders, order)
	}
	s.maker.Offer(orders)
	offers.Set(list)
	return nil
}

// Prepare makes the films of what is offered, so that the first video need not wait for them.
func (s *Shelf) Prepare(ctx context.Context) error { return s.maker.Prepare(ctx) }

// Title is what a template is called.
func (s *Shelf) Title(order, lang string) string { return s.maker.Title(order, lang) }

// Available lists the templates that can be offered. Another engine than the template's knows only those that the
// settings name.
func (s *Shelf) Available() (all []Offer) {
	entries, err := s.All()
	if err != nil || !s.Draws() {
		entries = nil
		for _, id := range s.maker.cfg.Offered {
			entries = append(entries, Entry{ID: id, Order: id})
		}
	}
	for _, e := range entries {
		if e.Fault == "" {
			all = append(all, Offer{ID: e.ID, Title: func(lang string) string { return s.Title(e.Order, lang) }, Order: e.Order})
		}
	}
	return all
}
