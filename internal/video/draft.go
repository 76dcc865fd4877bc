// draft.go tries a template that nobody has saved: what is wrong with it, one moment, and a whole video.

package video

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// draftID is the template of drafts in the cache: the film of a draft replaces that of the one before.
const draftID = "@draft"

// Draft is a template that is being worked on.
type Draft struct {
	maker    *Maker
	template *template
}

// Draft reads a template.toml that stands for the one of a template, with all other files of that. The error of one
// that has faults is Faults.
func (m *Maker) Draft(id string, text []byte) (*Draft, error) {
	files, folder, err := m.find(id)
	if err != nil {
		return nil, err
	}
	k, err := m.parse(id, text, files, folder)
	if err != nil {
		return nil, err
	}
	k.id = draftID
	return &Draft{m, k}, nil
}

// draftIn is Draft for a folder that is no template yet.
func (m *Maker) draftIn(root fs.FS, folder string, text []byte) (*Draft, error) {
	k, err := m.parse("new", text, root, folder)
	if err != nil {
		return nil, err
	}
	k.id = draftID
	return &Draft{m, k}, nil
}

// About says what the template and its film are. The error is Faults if the author can fix it.
func (d *Draft) About(ctx context.Context) (About, error) { return d.maker.about(ctx, d.template) }

// Check returns nil if everything that the template shows can be drawn.
func (d *Draft) Check(ctx context.Context) error { return d.maker.rehearse(ctx, d.template) }

// StillAt is the moment of the picture that a chat shows.
func (d *Draft) StillAt() time.Duration { return d.template.still }

// CanDraw is Maker.CanDraw.
func (d *Draft) CanDraw(name string) error { return d.maker.canDraw(d.template, name) }

// Still draws one moment as Maker.Still does, as a JPEG. discard removes it.
func (d *Draft) Still(ctx context.Context, o Order, at time.Duration) (path string, discard func() error, err error) {
	if err := d.maker.Room(0); err != nil {
		return "", nil, err
	}
	folder, err := newFolder(d.maker.cfg.Work, jobPrefix)
	if err != nil {
		return "", nil, err
	}
	discard = func() error { return os.RemoveAll(folder) }
	path = filepath.Join(folder, "still.jpg")
	if err := d.maker.stillOf(ctx, d.template, o, at, path); err != nil {
		return "", nil, errors.Join(err, discard())
	}
	return path, discard, nil
}

// Make makes the whole video, on this machine.
func (d *Draft) Make(ctx context.Context, o Order) (Video, error) {
	if err := d.template.sign(); err != nil {
		return Video{}, err
	}
	return d.maker.make(ctx, d.template, o, func(int) {})
}

// filmOf returns the prepared film of a template: what a browser plays of a scene.
func (m *Maker) filmOf(ctx context.Context, k *template, lang string) (path string, err error) {
	t, err := m.ready(ctx)
	if err != nil {
		return "", err
	}
	films, err := m.prepare(ctx, t, k)
	return films[lang].path, err
}
