// The settings: limits, templates, who may sign in, and the sessions of the admin who looks.

package desk

import (
	"fmt"
	_ "image/png" // covers are drawn as such
	"net/http"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/store"
)

// Limit is a setting: the id of its label, and a number, a time.Duration, KeptFor or Megabytes.
type Limit struct {
	Label string
	Value any
}

// KeptFor is how long something is kept; 0: without an end.
type KeptFor time.Duration

// Megabytes is a size.
type Megabytes int64

// Settings are what the page of that name shows.
type Settings struct {
	Success   bool            `json:"success"`
	Visits    []store.Session `json:"sessions"` // of the admin who looks
	Owners    int             `json:"owners"`   // how many: their ids are nobody's business
	Admins    int             `json:"admins"`
	Limits    []Pair          `json:"limits"`
	Templates []Template      `json:"templates"`
	Problems  []string        `json:"problems,omitempty"`       // sentences about what is missing; none: all is well
	Paused    time.Time       `json:"no_wishes_since,omitzero"` // zero: new wishes are taken
	Farm      *Farm           `json:"farm,omitempty"`           // nil: videos are not made on other machines
	Owner     bool            `json:"-"`                        // who looks is one
	Studio    bool            `json:"-"`                        // who looks may change the templates
	Languages []Language      `json:"-"`                        // that the page speaks
}

// Language is one that the page speaks.
type Language struct{ Code, Name string }

// languagesOfPage lists them.
func languagesOfPage() (all []Language) {
	for _, l := range lang.Languages {
		all = append(all, Language{l, languageName(l)})
	}
	return all
}

// Pair is a setting in words.
type Pair struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// Template is one that is offered.
type Template struct {
	ID      string `json:"id"`
	Title   string `json:"title"`
	Picture string `json:"picture,omitzero"` // path of a JPEG
}

// NewSettings begins the page with what the configuration says.
func NewSettings(say Say, staff Staff, limits []Limit, languages []string) Settings {
	s := Settings{Success: true, Owners: len(staff.Owners), Admins: len(staff.admins())}
	for _, l := range languages {
		s.Languages = append(s.Languages, Language{l, languageName(l)})
	}
	for _, l := range limits {
		value := fmt.Sprint(l.Value)
		switch v := l.Value.(type) {
		case time.Duration:
			value = Span(say, v)
		case KeptFor:
			if value = say("for_good", nil); v > 0 {
				value = Span(say, time.Duration(v))
			}
		case Megabytes:
			value = say("megabytes", Vars{"N": int64(v)})
		}
		s.Limits = append(s.Limits, Pair{say(l.Label, nil), value})
	}
	return s
}

// Settings answers with the page.
func (d *Desk) Settings(w http.ResponseWriter, r *http.Request) error {
	say := sayTo(r)
	staff, err := d.staff(r.Context())
	if err != nil {
		return err
	}
	view := NewSettings(say, staff, d.opts.Limits, lang.Languages)
	if view.Visits, err = d.store.Visits(r.Context(), AdminOf(r).ID, sessionOf(r)); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	view.Templates = d.templates(d.opts.Offers.List(), languageOf(r))
	if view.Paused, err = d.store.Paused(r.Context()); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	view.Owner, view.Farm = AdminOf(r).Owner, d.farm()
	view.Problems, view.Studio = d.problems(r), view.Owner && d.draws() == nil
	return d.answer(w, r, "settings", Frame{Title: say("nav_settings", nil), Here: "/settings"}, view)
}
