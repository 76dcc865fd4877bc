// draft.go tries a template that nobody has saved: what is wrong with it, one moment, and a whole video.

package video

import (
	"context"
	"io/fs"
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

// Still draws one moment as Maker.Still does.
func (d *Draft) Still(ctx context.Context, o Order, at time.Duration, path string) error {
	return d.maker.stillOf(ctx, d.template, o, at, path)
}

// Make makes the whole video, on this machine.
func (d *Draft) Make(ctx context.Context, o Order) (Video, error) {
	ctx, cancel := context.WithTimeout(ctx, d.maker.cfg.Timeout)
	defer cancel()
	return d.maker.make(ctx, d.template, o, func(int) {})
}

// Film returns the film of the draft, ready for a browser to play, without a name.
func (d *Draft) Film(ctx context.Context, lang string) (path string, err error) {
	t, err := d.maker.ready(ctx)
	if err != nil {
		return "", err
	}
	films, err := d.maker.prepare(ctx, t, d.template)
	return films[lang].path, err
}
