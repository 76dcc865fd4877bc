// The library: the page of all videos, their filters and tabs.

package desk

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// Tab picks videos by their status.
type Tab struct {
	Status string // "": all
	Label  string
	Count  int
	On     bool
}

// Option is a template that a video can be made with.
type Option struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// Needs is how many videos need the admin who looks, and how many publications.
type Needs struct {
	Count        int `json:"count"`
	Publications int `json:"publications"`
	Undelivered  int `json:"undelivered"` // videos with messages that were given up
}

// All is how many Retry all would try again.
func (n Needs) All() int { return n.Count + n.Publications + n.Undelivered }

// Library is a page of cards.
type Library struct {
	Success bool           `json:"success"`
	Cards   []Card         `json:"assets"`
	Counts  map[string]int `json:"counts"` // by status, of those found
	// so many are found that they are not counted
	Uncounted bool       `json:"uncounted,omitzero"`
	Next      string     `json:"after,omitzero"`      // of the next page; none: this is the last
	Options   []Option   `json:"templates,omitempty"` // none: there is no choice
	Problems  []string   `json:"problems,omitempty"`
	Need      Needs      `json:"need_you"`                 // what Retry all is about
	Ended     []Ended    `json:"ended_channels,omitempty"` // that should be connected again
	Attention Attention  `json:"attention"`                // all that needs the admin, whatever is shown
	Health    Health     `json:"health"`
	Platforms []Option   `json:"-"` // that any video is on, and the chosen one
	Status    string     `json:"-"`
	Platform  string     `json:"-"`
	Query     string     `json:"-"` // as it was typed
	Day       string     `json:"-"` // from which on older ones are shown; "": from the newest
	Total     int        `json:"-"` // with this status, of those found; store.Many: nobody has counted them
	Paged     bool       `json:"-"` // this is not the first page
	Tabs      []Tab      `json:"-"`
	BotOn     bool       `json:"-"`
	SetUp     bool       `json:"-"` // an owner looks, and the set-up is not done
	Languages []Language `json:"-"` // that a video can be made in
	Lang      string     `json:"-"` // the one that is picked unless another is
}

// Count fills the tabs, and the total of the one that is open, from the counts.
func (l *Library) Count(say Say) {
	all := 0
	for _, n := range l.Counts {
		if n == store.Many {
			all = store.Many
			break
		}
		all += n
	}
	for _, t := range []struct {
		status, label string
		count         int
	}{{"", "tab_all", all}, {"FAILED", "tab_failed", l.Counts["FAILED"]}, {"PROCESSING", "tab_rendering",
		l.Counts["PROCESSING"]},
		{"PENDING", "tab_waiting", l.Counts["PENDING"]}, {"COMPLETED", "tab_ready", l.Counts["COMPLETED"]}} {
		on := t.status == l.Status
		if on {
			l.Total = t.count
		}
		l.Tabs = append(l.Tabs, Tab{Status: t.status, Label: say(t.label, nil), Count: t.count, On: on})
	}
}

// Choose offers platforms to choose from.
func (l *Library) Choose(platforms []string) {
	if l.Platform != "" && !slices.Contains(platforms, l.Platform) {
		platforms = append(platforms, l.Platform) // what is chosen is never another
	}
	for _, p := range platforms {
		l.Platforms = append(l.Platforms, Option{ID: p, Title: PlatformName(p)})
	}
}

// Address is that of this library with another status or page; the search stays.
func (l Library) Address(status, after string) string {
	return Address("/", "status", status, "platform", l.Platform, "q", l.Query, "after", after)
}

// Question is where Retry all asks about what this library shows.
func (l Library) Question() string { return Found{l.Status, l.Platform, l.Query}.Address("/retry-all") }

// pageSize is how many cards a page of the library has, and how many lines one of the activity list.
const pageSize = 24

// foundBy is what the address of a page of the library asks for.
func foundBy(r *http.Request) Found {
	q := r.URL.Query()
	return Found{Status: q.Get("status"), Platform: q.Get("platform"), Query: strings.TrimSpace(q.Get("q"))}
}

// Library answers with a page of the library.
func (d *Desk) Library(w http.ResponseWriter, r *http.Request) error {
	f, err := foundBy(r).Filter()
	if err != nil {
		return err
	}
	f.After, f.Limit = r.URL.Query().Get("after"), pageSize
	day := r.URL.Query().Get("day")
	if day != "" && f.After == "" {
		end, err := time.Parse(time.DateOnly, day)
		if err != nil {
			return Invalid("error_day", nil)
		}
		f.After = store.Asset{Created: end.AddDate(0, 0, 1)}.Place()
	}
	view, err := d.library(r, f)
	view.Day = day
	if err != nil {
		return fmt.Errorf("library: %w", err)
	}
	return d.answer(w, r, "library", Frame{Title: sayTo(r)("nav_library", nil), Here: "/"}, view)
}

func (d *Desk) library(r *http.Request, f store.Filter) (Library, error) {
	ctx, admin := r.Context(), AdminOf(r)
	view := Library{Success: true, Status: string(f.Status), Platform: f.Platform, Query: f.Exact,
		Paged: f.After != "", BotOn: d.opts.BotOn,
		Counts: map[string]int{}, Problems: d.problems(r)}
	counts, err := d.store.Counts(ctx, f)
	if err != nil {
		return view, err
	}
	for status, n := range counts {
		view.Counts[string(status)] = n
	}
	view.Count(sayTo(r))
	if len(view.Counts) > 0 && view.Total == store.Many { // a program is told what is known
		view.Counts, view.Uncounted = map[string]int{}, true
	}
	unfinished, err := d.setUp(ctx)
	if err != nil {
		return view, err
	}
	view.SetUp = unfinished.open && admin.Owner
	size := f.Limit
	f.Limit++ // one more than is shown tells whether there is a next page
	list, err := d.store.Library(ctx, f, view.Total)
	if err != nil {
		return view, err
	}
	if len(list) > size {
		list = list[:size]
		view.Next = list[size-1].Place()
	}
	if d.choice() {
		for _, o := range d.opts.Offers.List() {
			view.Options = append(view.Options,
				Option{ID: o.ID, Title: video.TitleOf(d.opts.Offers.List(), o.ID, languageOf(r))})
		}
	}
	view.Lang = d.opts.Lang
	for _, l := range lang.Languages {
		view.Languages = append(view.Languages, Language{l, languageName(l)})
	}
	platforms, err := d.store.Platforms(ctx)
	if err != nil {
		return view, err
	}
	view.Choose(platforms)
	if f.Platform == "" { // a video that failed is on none
		if view.Need.Count, err = d.store.Needs(ctx, admin, f); err != nil {
			return view, err
		}
	}
	if view.Need.Publications, _, err = d.store.CountUnpublished(ctx, admin, f); err != nil {
		return view, err
	}
	if view.Attention, err = d.attention(r, fewItems); err != nil {
		return view, err
	}
	switch {
	case f.Platform != "":
	case f.Status == "" && f.Search == "":
		view.Need.Undelivered = view.Attention.Kinds[store.NeedsSending]
	default:
		if view.Need.Undelivered, _, err = d.store.CountUndelivered(ctx, admin, f); err != nil {
			return view, err
		}
	}
	if view.Health, err = d.health(r); err != nil {
		return view, err
	}
	channels, err := d.channels(ctx)
	if err != nil {
		return view, err
	}
	if view.Ended, err = d.ended(ctx, channels); err != nil {
		return view, fmt.Errorf("channels: %w", err)
	}
	view.Cards, err = d.cards(r, list...)
	return view, err
}
