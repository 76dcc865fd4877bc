// The page that asks before a publication is taken back, and taking it back.

package desk

import (
	"errors"
	"fmt"
	"net/http"

	"retake.example/internal/store"
)

// Removal is the page that asks before a publication is taken back.
type Removal struct {
	Success bool        `json:"success"`
	ID      string      `json:"id"`
	Name    string      `json:"name"`
	Pub     Publication `json:"publication"`
	Title   string      `json:"title,omitzero"` // to be typed
	Typed   string      `json:"-"`
	Fault   string      `json:"-"`
}

// NewRemoval asks about a publication of a video.
func NewRemoval(c Card, p Publication) Removal {
	r := Removal{Success: true, ID: c.ID, Name: c.Name, Pub: p}
	if p.Deletes() {
		r.Title = p.Name()
		if p.Metadata.Title != "" {
			r.Title = p.Metadata.Title
		}
	}
	return r
}

// Confirmed reports whether the title was typed, where that is asked for.
func (r *Removal) Confirmed(say Say, typed string) bool {
	if r.Typed = typed; r.Title == "" || oneLine(typed) == oneLine(r.Title) {
		return true
	}
	r.Fault = say("fault_typed", nil)
	return false
}

// AskUnpublish answers with the page.
func (d *Desk) AskUnpublish(w http.ResponseWriter, r *http.Request) error {
	page, p, err := d.published(r, r.URL.Query().Get("platform"))
	if err != nil {
		return err
	}
	view := NewRemoval(page.Card, *p)
	return d.answer(w, r, "unpublish", Frame{Title: sayTo(r)("title_unpublish", nil)}, view)
}

// Unpublish deletes a video on a platform, where that can be done from here, and forgets that it was published there.
func (d *Desk) Unpublish(w http.ResponseWriter, r *http.Request) error {
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	page, p, err := d.published(r, sent["platform"])
	if err != nil {
		return err
	}
	view := NewRemoval(page.Card, *p)
	if !view.Confirmed(sayTo(r), sent["title"]) {
		return d.refuse(w, r, Invalid("error_fields", nil), "unpublish", sayTo(r)("title_unpublish", nil), view,
			map[string]string{"title": view.Fault})
	}
	deleted, err := d.opts.Published.Remove(d.ctx, view.ID, view.Pub.Platform, AdminOf(r))
	if err != nil {
		return fmt.Errorf("unpublish: %w", Told(err))
	}
	outcome := "forgotten"
	if deleted {
		outcome = "unpublished"
	}
	back := "/assets/" + view.ID
	if _, err := d.store.Asset(d.ctx, view.ID); errors.Is(err, store.ErrNotFound) { // it should have gone long ago
		back = "/"
	} else if err != nil {
		return fmt.Errorf("unpublish: %w", err)
	}
	return doneAt(w, r, back+"?notice="+outcome, outcome, "")
}
