// activity.go tells who did what, and names nobody: Telegram ids stay in the database.

package desk

import (
	"fmt"
	"slices"
	"time"
)

// Staff are the Telegram ids of those who may sign in. They go no further than this package.
type Staff struct{ Owners, Admins []int64 }

// Who names somebody by their rank and, where there are several, by their place in the settings file. me is who reads it;
// 0 is the operator of the machine.
func (s Staff) Who(id, me int64) string {
	switch {
	case id == me:
		return "you"
	case id == 0:
		return "the operator"
	}
	for _, rank := range []struct {
		name string
		ids  []int64
	}{{"owner", s.Owners}, {"admin", s.admins()}} {
		i := slices.Index(rank.ids, id)
		switch {
		case i >= 0 && len(rank.ids) == 1:
			return "the " + rank.name
		case i >= 0:
			return fmt.Sprintf("%s %d", rank.name, i+1)
		}
	}
	return "a former admin"
}

// admins are those who are not owners as well.
func (s Staff) admins() []int64 {
	return slices.DeleteFunc(slices.Clone(s.Admins), func(id int64) bool { return slices.Contains(s.Owners, id) })
}

// Deed is something that was done.
type Deed struct {
	Key      string // names the place in the list
	At       time.Time
	Admin    *int64 // Telegram id; nil: a parent, or the program
	Action   string
	AssetID  string
	Platform string
	Outcome  string
	Attempt  int    // of the program; 0: somebody did it
	Name     string // of the asset; "": it is gone, or there was none
}

// Line is a deed in words.
type Line struct {
	At       time.Time `json:"at"`
	Who      string    `json:"who"`
	What     string    `json:"what"`
	Action   string    `json:"action"`
	Outcome  string    `json:"outcome,omitzero"`
	Platform string    `json:"platform,omitzero"`
	Asset    string    `json:"asset,omitzero"` // while it exists
	Name     string    `json:"name,omitzero"`
	Gone     bool      `json:"gone,omitzero"` // the asset was deleted
}

// Activity is a page of the list.
type Activity struct {
	Success bool   `json:"success"`
	Lines   []Line `json:"activity"`
	Next    string `json:"after,omitzero"` // of the next page; none: this is the last
	Paged   bool   `json:"-"`              // this is not the first page

	staff Staff
	me    int64
	size  int
	last  string // key of the last line
}

// NewActivity begins a page of so many lines for somebody, after the deed with a key.
func NewActivity(staff Staff, me int64, after string, size int) *Activity {
	return &Activity{Success: true, Lines: []Line{}, Paged: after != "", staff: staff, me: me, size: size}
}

// Add puts a deed at the end. One that finds no room tells that there is a next page.
func (a *Activity) Add(d Deed) {
	if len(a.Lines) == a.size {
		a.Next = a.last
		return
	}
	a.last = d.Key
	l := Line{At: d.At, Who: "a parent", What: what(d), Action: d.Action, Outcome: d.Outcome, Platform: d.Platform,
		Name: d.Name, Gone: d.AssetID != "" && d.Name == ""}
	switch {
	case d.Admin != nil:
		l.Who = a.staff.Who(*d.Admin, a.me)
	case d.Attempt > 0:
		l.Who = "the program"
	}
	if d.Name != "" {
		l.Asset = d.AssetID
	}
	a.Lines = append(a.Lines, l)
}

// whats say in words what an action with an outcome was. Without an outcome: whatever the outcome.
var whats = []struct{ action, outcome, words string }{
	{"ask", "created", "asked for a video"},
	{"ask", "joined", "asked for a video that was being made already"},
	{"ask", "waiting", "asked once more for a video they wait for"},
	{"ask", "ready", "asked for a video that was ready already"},
	{"make", "created", "asked for a video on this page"},
	{"make", "joined", "asked on this page for a video that was being made already"},
	{"make", "ready", "asked on this page for a video that was ready already"},
	{"retry", "restarted", "pressed Retry, and it is made again"},
	{"retry", "joined", "pressed Retry while a new try was under way already, or had worked"},
	{"sign in", "", "signed in"},
	{"sign out", "", "signed out"},
	{"sign out everywhere", "", "signed out everywhere"},
	{"render", "rescheduled", "could not make it in attempt %d and tries again"},
	{"render", "gave up", "could not make it in attempt %d and gave up"},
	{"render", "crashed", "ended while it was made in attempt %d and tries again"},
	{"publish", "rescheduled", "could not publish it in attempt %d and tries again"},
	{"publish", "gave up", "could not publish it in attempt %d and gave up"},
	{"publish", "crashed", "ended while it was published in attempt %d and tries again"},
}

func what(d Deed) string {
	for _, w := range whats {
		if w.action != d.Action || w.outcome != "" && w.outcome != d.Outcome {
			continue
		}
		if d.Attempt > 0 {
			return fmt.Sprintf(w.words, d.Attempt)
		}
		return w.words
	}
	if d.Outcome != "" { // an action that has no words yet
		return d.Action + ": " + d.Outcome
	}
	return d.Action
}
