// Templates: all that there are. An owner offers, retires and orders them, and makes an own one of a built-in one.

package desk

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"retake.example/internal/store"
	"retake.example/internal/video"
)

// TemplatesPage is the page.
type TemplatesPage struct {
	Success   bool             `json:"success"`
	Templates []ListedTemplate `json:"templates"` // those that are offered first, in their order
	Folder    string           `json:"folder"`
}

// ListedTemplate is a template in the list.
type ListedTemplate struct {
	video.Entry
	Title   string `json:"title"`
	Offered bool   `json:"offered"`
	Picture string `json:"picture,omitzero"` // path of a JPEG
	First   bool   `json:"-"`                // of those that are offered
	Last    bool   `json:"-"`
}

// What the shelf refuses, in words.
var (
	templatesFull = HTTPError{http.StatusConflict, "TOO_MANY", "templates_full", nil}
	templatesKept = HTTPError{http.StatusConflict, "READ_ONLY", "templates_read_only", nil}
	newerVersion  = HTTPError{http.StatusConflict, "CONFLICT", "studio_newer", nil}
	lastOffered   = HTTPError{http.StatusConflict, "LAST", "templates_last", nil}
)

// shelved makes the errors of the shelf those that a client is told.
func shelved(err error) error {
	for _, e := range []struct {
		err    error
		answer HTTPError
	}{{video.ErrTemplatesFull, templatesFull}, {video.ErrReadOnly, templatesKept}, {video.ErrNewerVersion, newerVersion}} {
		if errors.Is(err, e.err) {
			return fmt.Errorf("%w: %w", e.answer, err)
		}
	}
	return err
}

// draws returns NotFound unless videos are made from templates.
func (d *Desk) draws() error {
	if d.opts.Shelf == nil || !d.opts.Shelf.Draws() {
		return NotFound
	}
	return nil
}

// TemplateList answers with the page.
func (d *Desk) TemplateList(w http.ResponseWriter, r *http.Request) error {
	if err := d.draws(); err != nil {
		return err
	}
	all, err := d.opts.Shelf.All()
	if err != nil {
		return fmt.Errorf("templates: %w", err)
	}
	view := TemplatesPage{Success: true, Folder: d.opts.Shelf.Folder()}
	offered := d.offeredIDs()
	rank := func(id string) int {
		if i := slices.Index(offered, id); i >= 0 {
			return i
		}
		return len(offered)
	}
	slices.SortStableFunc(all, func(a, b video.Entry) int { return rank(a.ID) - rank(b.ID) })
	for _, e := range all {
		at := rank(e.ID)
		l := ListedTemplate{Entry: e, Title: d.opts.Shelf.Title(e.Order, languageOf(r)), Offered: at < len(offered),
			First: at == 0, Last: at == len(offered)-1}
		if e.Fault == "" && d.opts.Covers.Has(e.Order) {
			l.Picture = "/templates/" + e.Order + ".jpg"
		}
		view.Templates = append(view.Templates, l)
	}
	return d.answer(w, r, "templates", Frame{Title: sayTo(r)("templates", nil), Here: "/settings"}, view)
}

func (d *Desk) offeredIDs() (ids []string) {
	for _, o := range d.opts.Offers.List() {
		ids = append(ids, o.ID)
	}
	return ids
}

// ChangeTemplates offers or retires a template, moves it, or makes an own one of it.
func (d *Desk) ChangeTemplates(w http.ResponseWriter, r *http.Request) error {
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	if err := d.draws(); err != nil {
		return err
	}
	id, admin := sent["id"], AdminOf(r)
	t, err := d.opts.Shelf.Template(id)
	if err != nil {
		return err
	}
	if sent["do"] == "copy" {
		made, err := d.opts.Shelf.Copy(r.Context(), id, d.opts.Shelf.Title(t.Order, languageOf(r)))
		if err != nil {
			return fmt.Errorf("copy template %s: %w", id, shelved(err))
		}
		if err := d.noteTemplate(admin, "template add", made); err != nil {
			return err
		}
		return doneAt(w, r, "/studio/"+made+"?notice=template-added", "added", made)
	}
	action := map[string]string{"offer": "template offer", "retire": "template retire", "up": "template order",
		"down": "template order"}[sent["do"]]
	if action == "" {
		return Invalid("error_form", nil)
	}
	err = d.offer(action, id, admin, func(ids []string) ([]string, error) {
		at := slices.Index(ids, id)
		switch {
		case sent["do"] == "offer" && at < 0:
			return append(ids, id), nil
		case sent["do"] == "retire" && at >= 0 && len(ids) == 1:
			return nil, lastOffered
		case sent["do"] == "retire" && at >= 0:
			return slices.Delete(ids, at, at+1), nil
		case sent["do"] == "up" && at > 0:
			ids[at-1], ids[at] = ids[at], ids[at-1]
		case sent["do"] == "down" && at >= 0 && at+1 < len(ids):
			ids[at], ids[at+1] = ids[at+1], ids[at]
		}
		return ids, nil
	})
	if err != nil {
		return fmt.Errorf("offer templates: %w", err)
	}
	return doneAt(w, r, "/templates?notice=templates", sent["do"], id)
}

// offer changes what is offered, for the bot too, and keeps it.
func (d *Desk) offer(action, of string, admin store.Admin, change func(ids []string) ([]string, error)) error {
	d.offering.Lock()
	defer d.offering.Unlock()
	before := d.offeredIDs()
	ids, err := change(slices.Clone(before))
	if err != nil {
		return err
	}
	if err := d.opts.Shelf.Offer(d.opts.Offers, ids); err != nil {
		if faults, ok := errors.AsType[video.Faults](err); ok {
			return Invalid("template_fault", Vars{"Why": faults[0]})
		}
		return err
	}
	err = d.store.Tx(d.ctx, func(tx *store.Tx) error {
		if !slices.Equal(ids, before) {
			if err := tx.SetOffers(ids); err != nil {
				return err
			}
		}
		for _, o := range d.opts.Offers.List() {
			if _, err := tx.UseVersion(o.ID, o.Template()); err != nil {
				return err
			}
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: action, Outcome: of})
	})
	if err != nil {
		return errors.Join(err, d.opts.Shelf.Offer(d.opts.Offers, before))
	}
	if d.opts.Farm != nil {
		d.opts.Farm.Renew()
	}
	d.preparing.Go(func() { // the next video should not wait for the film
		if err := d.opts.Shelf.Prepare(d.films); err != nil && d.films.Err() == nil {
			d.log.Warn("prepare the templates", "err", err)
		}
	})
	return nil
}

func (d *Desk) noteTemplate(admin store.Admin, action, of string) error {
	return d.store.Tx(d.ctx, func(tx *store.Tx) error {
		return tx.Note(store.Event{Admin: &admin.ID, Action: action, Outcome: of})
	})
}
