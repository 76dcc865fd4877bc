// Videos in advance: the list of names that are made while nobody waits for anything, and how far it is.

package desk

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// Advance is the page of videos in advance.
type Advance struct {
	Success  bool         `json:"success"`
	Waiting  int          `json:"waiting"`             // names on the list
	Live     int          `json:"live"`                // being made, or waiting for their next attempt
	Ready    int          `json:"ready"`               // go to everybody who asks
	Failed   int          `json:"failed"`              // need an admin
	Left     int64        `json:"left_ms,omitzero"`    // until the rest is made if nobody asks for anything, roughly
	Bytes    int64        `json:"bytes,omitzero"`      // that the rest will take, roughly
	Free     int64        `json:"disk_free,omitzero"`  // bytes
	Next     []string     `json:"next,omitempty"`      // the first names on the list
	Cards    []Card       `json:"assets"`              // being made
	Options  []Option     `json:"templates,omitempty"` // none: there is no choice
	People   int          `json:"popular_from"`        // so many people must have asked for a popular name
	Added    *store.Added `json:"-"`                   // what came of the list that was sent
	Bad      []BadLine    `json:"-"`                   // its lines that were refused
	Lang     string       `json:"-"`                   // the chosen one
	Template string       `json:"-"`
	Langs    []Language   `json:"-"`
	Owner    bool         `json:"-"` // who looks is one
}

// Rest is how many are to be made yet.
func (a Advance) Rest() int { return a.Waiting + a.Live }

// All is how many there are, those that failed included.
func (a Advance) All() int { return a.Rest() + a.Ready + a.Failed }

// Made is how many of them are over.
func (a Advance) Made() int { return a.Ready + a.Failed }

// More is how many names of the list are not shown.
func (a Advance) More() int { return a.Waiting - len(a.Next) }

// Minutes is Left in minutes, rounded up.
func (a Advance) Minutes() int {
	return int((a.Left + time.Minute.Milliseconds() - 1) / time.Minute.Milliseconds())
}

// Megabytes is Bytes in megabytes, at least one.
func (a Advance) Megabytes() int64 { return max(a.Bytes>>20, 1) }

// Tight reports whether the disk is too small for the rest.
func (a Advance) Tight() bool { return a.Bytes > 0 && a.Bytes+video.Reserve > a.Free }

const (
	// popularFrom is how many people must have asked for a name that is popular: fewer might know each other.
	popularFrom = 10
	// nextNames is how many names of the list the page shows.
	nextNames = 20
)

// Advance answers with the page.
func (d *Desk) Advance(w http.ResponseWriter, r *http.Request) error {
	view, err := d.advance(r)
	if err != nil {
		return err
	}
	return d.answer(w, r, "advance", d.advanceFrame(r), view)
}

func (d *Desk) advanceFrame(r *http.Request) Frame {
	return Frame{Title: sayTo(r)("title_advance", nil), SignedIn: true}
}

func (d *Desk) advance(r *http.Request) (view Advance, err error) {
	ctx := r.Context()
	state, err := d.store.Advance(ctx)
	if err != nil {
		return view, fmt.Errorf("videos in advance: %w", err)
	}
	view = Advance{Success: true, Waiting: state.Waiting, Live: state.Live, Ready: state.Ready, Failed: state.Failed,
		Left: state.Left.Milliseconds(), Bytes: state.Bytes, People: popularFrom, Lang: d.opts.Lang,
		Template: d.opts.Offers.List()[0].ID, Owner: AdminOf(r).Owner}
	if view.Free, err = d.opts.Free(); err != nil {
		return view, fmt.Errorf("free room on the disk: %w", err)
	}
	if view.Next, err = d.store.AdvanceNext(ctx, nextNames); err != nil {
		return view, fmt.Errorf("videos in advance: %w", err)
	}
	if d.choice() {
		for _, o := range d.opts.Offers.List() {
			view.Options = append(view.Options,
				Option{ID: o.ID, Title: video.TitleOf(d.opts.Offers.List(), o.ID, languageOf(r))})
		}
	}
	for _, l := range lang.Languages {
		view.Langs = append(view.Langs, Language{l, languageName(l)})
	}
	live, err := d.store.AdvanceLive(ctx)
	if err != nil {
		return view, fmt.Errorf("videos in advance: %w", err)
	}
	view.Cards, err = d.cards(r, live...)
	return view, err
}

// AddAdvance puts a list of names, or the popular ones, on the list. Lines that the rules refuse are named; the others
// are made.
func (d *Desk) AddAdvance(w http.ResponseWriter, r *http.Request) error {
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	var orders []store.InAdvance
	var bad []BadLine
	if sent["popular"] != "" {
		orders, err = d.popular(r)
	} else {
		orders, bad, err = d.namesOf(r, sent)
	}
	if err != nil {
		return err
	}
	since := d.store.Now().Add(-d.opts.ReuseFor)
	var added store.Added
	for _, o := range orders {
		o.Admin = AdminOf(r).ID
		some, err := d.store.AddInAdvance(d.ctx, o, since)
		if err != nil {
			return fmt.Errorf("add names in advance: %w", err)
		}
		added = added.And(some)
	}
	if WantsJSON(r) {
		if bad == nil {
			bad = []BadLine{}
		}
		return JSON(w, http.StatusOK, struct {
			Success bool   `json:"success"`
			Outcome string `json:"outcome"`
			store.Added
			Refused []BadLine `json:"refused"`
		}{true, "queued", added, bad})
	}
	view, err := d.advance(r)
	if err != nil {
		return err
	}
	view.Added, view.Bad = &added, bad
	if sent["lang"] != "" {
		view.Lang = sent["lang"]
	}
	if sent["template"] != "" {
		view.Template = sent["template"]
	}
	return d.page(w, r, http.StatusOK, "advance", d.advanceFrame(r), view)
}

// namesOf reads the list of a form.
func (d *Desk) namesOf(r *http.Request, sent map[string]string) ([]store.InAdvance, []BadLine, error) {
	template, err := d.pick(sent["template"])
	if err != nil {
		return nil, nil, err
	}
	language := sent["lang"]
	if language == "" {
		language = d.opts.Lang
	}
	if !slices.Contains(lang.Languages, language) {
		return nil, nil, Invalid("error_language", Vars{"Offered": strings.Join(lang.Languages, ", ")})
	}
	names, bad, err := d.rules().List(template, sent["names"])
	if err != nil {
		return nil, nil, err
	}
	if len(names)+len(bad) == 0 {
		return nil, nil, Invalid("advance_empty", nil)
	}
	say := sayTo(r)
	for i := range bad {
		bad[i].Message = say(bad[i].Problem, nil)
	}
	if len(names) == 0 {
		return nil, bad, nil
	}
	return []store.InAdvance{{Template: template, Lang: language, Names: names}}, bad, nil
}

// popular are the names that many people have asked for, without those that no video is made of any more.
func (d *Desk) popular(r *http.Request) (orders []store.InAdvance, err error) {
	all, err := d.store.Popular(r.Context(), popularFrom)
	if err != nil {
		return nil, fmt.Errorf("popular names: %w", err)
	}
	for _, o := range all {
		var err error
		if o.Template, err = d.pick(o.Template); err != nil || !slices.Contains(lang.Languages, o.Lang) {
			continue // not offered any more
		}
		var names []store.Named
		for _, n := range o.Names {
			switch _, problem, err := d.rules().Read(o.Template, n.Name); {
			case err != nil:
				return nil, err
			case problem == "":
				names = append(names, n)
			}
		}
		o.Names = names
		orders = append(orders, o)
	}
	return orders, nil
}

func (d *Desk) rules() NameRules { return NameRules{CanDraw: d.opts.CanDraw, Rude: d.opts.Rude} }

// StopAdvance takes all names from the list. What has been made stays.
func (d *Desk) StopAdvance(w http.ResponseWriter, r *http.Request) error {
	return d.endAdvance(w, r, "stopped", (*store.Tx).StopAdvance)
}

// WithdrawAdvance lets no video that was made in advance go to anybody else.
func (d *Desk) WithdrawAdvance(w http.ResponseWriter, r *http.Request) error {
	return d.endAdvance(w, r, "withdrawn", (*store.Tx).WithdrawAdvance)
}

func (d *Desk) endAdvance(w http.ResponseWriter, r *http.Request, outcome string,
	end func(tx *store.Tx, admin int64) (int, error)) error {
	admin := AdminOf(r)
	err := d.store.Tx(r.Context(), func(tx *store.Tx) error {
		_, err := end(tx, admin.ID)
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) { // somebody else was quicker, and it is as it should be
		return fmt.Errorf("videos in advance: %w", err)
	}
	return doneAt(w, r, "/advance?notice="+outcome, outcome, "")
}
