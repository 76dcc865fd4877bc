// library.go is what the library shows around its cards.

package desk

import (
	"slices"

	"retake.example/internal/store"
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
}

// All is how many Retry all would try again.
func (n Needs) All() int { return n.Count + n.Publications }

// Library is a page of cards.
type Library struct {
	Success   bool             `json:"success"`
	Cards     []Card           `json:"assets"`
	Counts    map[string]int   `json:"counts"`              // by status, of those found
	Next      string           `json:"after,omitzero"`      // of the next page; none: this is the last
	Options   []Option         `json:"templates,omitempty"` // none: there is no choice
	Problems  []string         `json:"problems,omitempty"`
	Need      Needs            `json:"need_you"`                 // what Retry all is about
	Ended     []store.Channel  `json:"ended_channels,omitempty"` // to which access has ended
	Unwanted  []store.Unwanted `json:"unwanted,omitempty"`       // that should go, but may be on a platform: ten at the most
	Health    Health           `json:"health"`
	Platforms []Option         `json:"-"` // that any video is on, and the chosen one
	Status    string           `json:"-"`
	Platform  string           `json:"-"`
	Query     string           `json:"-"` // as it was typed
	Total     int              `json:"-"` // with this status, of those found
	Paged     bool             `json:"-"` // this is not the first page
	Tabs      []Tab            `json:"-"`
	BotOn     bool             `json:"-"`
}

// Count fills the tabs, and the total of the one that is open, from the counts.
func (l *Library) Count(say Say) {
	all := 0
	for _, n := range l.Counts {
		all += n
	}
	for _, t := range []struct {
		status, label string
		count         int
	}{{"", "tab_all", all}, {"FAILED", "tab_failed", l.Counts["FAILED"]}, {"PROCESSING", "tab_rendering", l.Counts["PROCESSING"]},
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
