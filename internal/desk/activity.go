// The activity list: who did what. It names nobody: Telegram ids stay in the database.

package desk

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"retake.example/internal/store"
)

// Staff are the Telegram ids of those who may sign in. They go no further than this package.
type Staff struct{ Owners, Admins []int64 }

// Who names somebody by their rank and, where there are several, by their place in the settings or, after those, by
// who came first. me is who reads it;
// 0 is the operator of the machine.
func (s Staff) Who(say Say, id, me int64) string {
	switch {
	case id == me:
		return say("who_you", nil)
	case id == 0:
		return say("who_operator", nil)
	}
	for _, rank := range []struct {
		only, one string
		ids       []int64
	}{{"who_owner", "who_owner_n", s.Owners}, {"who_admin", "who_admin_n", s.admins()}} {
		i := slices.Index(rank.ids, id)
		switch {
		case i >= 0 && len(rank.ids) == 1:
			return say(rank.only, nil)
		case i >= 0:
			return say(rank.one, Vars{"N": i + 1})
		}
	}
	return say("who_former", nil)
}

// admins are those who are not owners as well.
func (s Staff) admins() []int64 {
	return slices.DeleteFunc(slices.Clone(s.Admins), func(id int64) bool { return slices.Contains(s.Owners, id) })
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

	say   Say
	staff Staff
	me    int64
	size  int
	last  string // key of the last line
}

// NewActivity begins a page of so many lines for somebody, after the deed with a key.
func NewActivity(say Say, staff Staff, me int64, after string, size int) *Activity {
	return &Activity{Success: true, Lines: []Line{}, Paged: after != "", say: say, staff: staff, me: me, size: size}
}

// Add puts a deed at the end. One that finds no room tells that there is a next page.
func (a *Activity) Add(d store.Deed) {
	if len(a.Lines) == a.size {
		a.Next = a.last
		return
	}
	a.last = d.Key
	l := Line{At: d.At, Who: a.say("who_parent", nil), What: what(a.say, d), Action: d.Action, Outcome: d.Outcome,
		Platform: d.Platform,
		Name:     d.Name, Gone: d.AssetID != "" && d.Name == "" && d.Action != "delete"} // the words say it
	switch {
	case d.Admin != nil:
		l.Who = a.staff.Who(a.say, *d.Admin, a.me)
	case d.Attempt > 0:
		l.Who = a.say("who_program", nil)
	}
	if d.Name != "" {
		l.Asset = d.AssetID
	}
	a.Lines = append(a.Lines, l)
}

// whats say in words what an action with an outcome was. Without an outcome: whatever the outcome.
var whats = []struct{ action, outcome, id string }{
	{"ask", "created", "did_ask"},
	{"ask", "joined", "did_ask_joined"},
	{"ask", "waiting", "did_ask_waiting"},
	{"ask", "ready", "did_ask_ready"},
	{"make", "created", "did_make"},
	{"make", "joined", "did_make_joined"},
	{"make", "ready", "did_make_ready"},
	{"upload", "", "did_upload"},
	{"retry", "restarted", "did_retry"},
	{"retry", "joined", "did_retry_joined"},
	{"try now", "", "did_try_now"},
	{"decide", "sent", "did_send_held"},
	{"decide", "left", "did_leave_held"},
	{"ban", "", "did_ban"},
	{"unban", "", "did_unban"},
	{"pause", "", "did_pause"},
	{"resume", "", "did_resume"},
	{"edit", "", "did_edit"},
	{"delete", "deleted", "did_delete"},
	{"delete", "cancelled", "did_cancel"},
	{"restore", "", "did_restore"},
	{"erase", "", "did_erase"},
	{"sign in", "", "did_sign_in"},
	{"sign out", "", "did_sign_out"},
	{"sign out everywhere", "", "did_sign_out_everywhere"},
	{"appoint", "owner", "did_appoint_owner"},
	{"appoint", "admin", "did_appoint_admin"},
	{"dismiss", "", "did_dismiss"},
	{"render", "rescheduled", "did_render_rescheduled"},
	{"render", "gave up", "did_render_gave_up"},
	{"render", "crashed", "did_render_crashed"},
	{"publish", "queued", "did_publish"},
	{"update", "", "did_update"},
	{"accept", "", "did_accept"},
	{"unpublish", "", "did_unpublish"},
	{"mark published", "", "did_mark_published"},
	{"connect", "", "did_connect"},
	{"disconnect", "", "did_disconnect"},
	{"publish", "rescheduled", "did_publish_rescheduled"},
	{"publish", "gave up", "did_publish_gave_up"},
	{"publish", "crashed", "did_publish_crashed"},
}

func what(say Say, d store.Deed) string {
	for _, w := range whats {
		if w.action == d.Action && (w.outcome == "" || w.outcome == d.Outcome) {
			return say(w.id, Vars{"Attempt": d.Attempt})
		}
	}
	if d.Outcome != "" { // an action that has no words yet
		return d.Action + ": " + d.Outcome
	}
	return d.Action
}

// staff are all who may sign in.
func (d *Desk) staff(ctx context.Context) (Staff, error) {
	appointed, err := d.store.Appointed(ctx)
	if err != nil {
		return Staff{}, fmt.Errorf("read the admins: %w", err)
	}
	s := Staff{Owners: slices.Clone(d.opts.Staff.Owners), Admins: slices.Clone(d.opts.Staff.Admins)}
	for _, a := range appointed {
		if a.Owner {
			s.Owners = append(s.Owners, a.ID)
		} else {
			s.Admins = append(s.Admins, a.ID)
		}
	}
	return s, nil
}

// Activity answers with a page of the list.
func (d *Desk) Activity(w http.ResponseWriter, r *http.Request) error {
	after := r.URL.Query().Get("after")
	entries, err := d.store.Activity(r.Context(), after, pageSize+1) // one more tells whether there is a next page
	if err != nil {
		return fmt.Errorf("activity: %w", err)
	}
	staff, err := d.staff(r.Context())
	if err != nil {
		return err
	}
	list := NewActivity(sayTo(r), staff, AdminOf(r).ID, after, pageSize)
	for _, e := range entries {
		list.Add(e)
	}
	return d.answer(w, r, "activity", Frame{Title: sayTo(r)("nav_activity", nil), Here: "/activity"}, list)
}
