// The activity list: who did what. Admins are called as Telegram calls them; users, and Telegram ids, are not named.

package desk

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"retake.example/internal/store"
)

// Staff are the Telegram ids of those who may sign in. They go no further than this package.
type Staff struct {
	Owners, Admins []int64
	Names          map[int64]store.AdminName // of those who have asked for a link in the bot
}

// Who names somebody as Telegram does, or by their rank and, where there are several, by their place in the settings
// or, after those, by who came first. me is who reads it; 0 is the operator of the machine.
func (s Staff) Who(say Say, id, me int64) string {
	switch {
	case id == me:
		return say("who_you", nil)
	case id == 0:
		return say("who_operator", nil)
	}
	if n := s.Names[id]; n.Name != "" {
		return n.String()
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
	Success bool       `json:"success"`
	Lines   []Line     `json:"activity"`
	Next    string     `json:"after,omitzero"` // of the next page; none: this is the last
	Paged   bool       `json:"-"`              // this is not the first page
	Picked  Picked     `json:"-"`
	People  []Pickable `json:"-"` // whose deeds can be picked
	Kinds   []Pickable `json:"-"` // which deeds can be picked

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
func (a *Activity) Add(d store.AuditEntry) {
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
	{"retry", "restarting", "did_retry"}, // it has not reached all of a crowd yet
	{"retry", "joining", "did_retry_joined"},
	{"try now", "", "did_try_now"},
	{"trust clock", "", "did_trust_clock"},
	{"purge", "", "did_purge_rest"},
	{"answer again", "", "did_answer_again"},
	{"decide", "sent", "did_send_held"},
	{"decide", "left", "did_leave_held"},
	{"ban", "", "did_ban"},
	{"unban", "", "did_unban"},
	{"pause", "", "did_pause"},
	{"resume", "", "did_resume"},
	{"settings", "", "did_settings"},
	{"drain", "drained", "did_drain"},
	{"drain", "taking", "did_take"},
	{"advance", "queued", "did_advance"},
	{"advance", "stopped", "did_advance_stop"},
	{"advance", "withdrawn", "did_advance_withdraw"},
	{"edit", "", "did_edit"},
	{"change text", "", "did_change_text"},
	{"reset text", "", "did_reset_text"},
	{"announcement write", "", "did_announcement_write"},
	{"announcement start", "", "did_announcement_start"},
	{"announcement pause", "", "did_announcement_pause"},
	{"announcement continue", "", "did_announcement_continue"},
	{"announcement repeat", "", "did_announcement_repeat"},
	{"announcement delete", "", "did_announcement_delete"},
	{"delete", "deleted", "did_delete"},
	{"delete", "cancelled", "did_cancel"},
	{"restore", "", "did_restore"},
	{"erase", "", "did_erase"},
	{"bot", "", "did_bot"},
	{"back up", "", "did_back_up"},
	{"try backup", "", "did_try_backup"},
	{"download backup", "", "did_download_backup"},
	{"template add", "", "did_template_add"},
	{"template save", "", "did_template_save"},
	{"template file", "", "did_template_file"},
	{"template back", "", "did_template_back"},
	{"template offer", "", "did_template_offer"},
	{"template retire", "", "did_template_retire"},
	{"template order", "", "did_template_order"},
	{"sign in", "", "did_sign_in"},
	{"sign out", "", "did_sign_out"},
	{"sign out everywhere", "", "did_sign_out_everywhere"},
	{"appoint", "owner", "did_appoint_owner"},
	{"appoint", "admin", "did_appoint_admin"},
	{"dismiss", "", "did_dismiss"},
	{"invite", "owner", "did_invite_owner"},
	{"invite", "admin", "did_invite_admin"},
	{"uninvite", "", "did_uninvite"},
	{"join", "owner", "did_join_owner"},
	{"join", "admin", "did_join_admin"},
	{"make token", "", "did_make_token"},
	{"revoke token", "", "did_revoke_token"},
	{"render", "rescheduled", "did_render_rescheduled"},
	{"render", "gave_up", "did_render_gave_up"},
	{"render", "crashed", "did_render_crashed"},
	{"publish", "queued", "did_publish"},
	{"update", "", "did_update"},
	{"accept", "", "did_accept"},
	{"reschedule", "", "did_reschedule"},
	{"defaults", "", "did_defaults"},
	{"unpublish", "", "did_unpublish"},
	{"mark published", "", "did_mark_published"},
	{"connect", "", "did_connect"},
	{"disconnect", "", "did_disconnect"},
	{"publish", "rescheduled", "did_publish_rescheduled"},
	{"publish", "gave_up", "did_publish_gave_up"},
	{"publish", "crashed", "did_publish_crashed"},
}

func what(say Say, d store.AuditEntry) string {
	for _, w := range whats {
		if w.action == d.Action && (w.outcome == "" || w.outcome == d.Outcome) {
			return say(w.id, Vars{"Attempt": d.Attempt, "Outcome": d.Outcome, "Of": d.Outcome})
		}
	}
	if d.Outcome != "" { // an action that has no words yet
		return d.Action + ": " + d.Outcome
	}
	return d.Action
}

// Picked is what the list is narrowed to.
type Picked struct{ By, Who, What, Day, Asset string }

// Any reports whether it is narrowed at all.
func (p Picked) Any() bool { return p != Picked{} }

// Address is that of the list with other deeds, or of another page.
func (p Picked) Address(by, after string) string {
	return Address("/activity", "by", by, "who", p.Who, "what", p.What, "day", p.Day, "asset", p.Asset, "after", after)
}

// Pickable is an entry of a list to choose from.
type Pickable struct {
	ID, Title string
	On        bool
}

// kinds group the actions that the list can be narrowed to.
var kinds = []struct {
	id, label string
	actions   []string
}{
	{"asked", "deeds_asked", []string{"ask", "make", "upload", "advance"}},
	{"retried", "deeds_retried", []string{"retry", "try now", "answer again"}},
	{"published", "deeds_published", []string{"publish", "update", "accept", "unpublish", "mark published", "reschedule",
		"connect", "disconnect", "defaults"}},
	{"edited", "deeds_edited", []string{"edit", "change text", "reset text"}},
	{"deleted", "deeds_deleted", []string{"delete", "restore", "erase"}},
	{"rights", "deeds_rights", []string{"appoint", "dismiss", "invite", "uninvite", "join", "make token",
		"revoke token", "ban", "unban", "pause", "resume", "decide", "drain",
		"trust clock", "purge", "bot", "settings", "back up", "try backup", "download backup"}},
	{"templates", "deeds_templates", []string{"template add", "template save", "template file",
		"template back", "template offer", "template retire", "template order"}},
	{"announcements", "announcements", []string{"announcement write", "announcement start", "announcement pause",
		"announcement continue", "announcement repeat", "announcement delete"}},
	{"sign-ins", "deeds_sign_ins", []string{"sign in", "sign out", "sign out everywhere"}},
}

// pick reads what the address narrows the list to.
func (a *Activity) pick(r *http.Request) (pick store.Deeds, err error) {
	q := r.URL.Query()
	p := Picked{q.Get("by"), q.Get("who"), q.Get("what"), q.Get("day"), strings.TrimSpace(q.Get("asset"))}
	a.Picked, pick.By, pick.AssetID = p, p.By, p.Asset
	if !slices.Contains([]string{"", "people", "program"}, p.By) {
		return pick, Invalid("error_query", nil)
	}
	if p.Day != "" {
		if pick.Day, err = time.Parse(time.DateOnly, p.Day); err != nil {
			return pick, Invalid("error_day", nil)
		}
	}
	a.People = []Pickable{{"users", a.say("who_parents", nil), p.Who == "users"}}
	found := p.Who == "" || p.Who == "users"
	pick.Parents = p.Who == "users"
	for i, id := range slices.Concat([]int64{0}, a.staff.Owners, a.staff.admins()) { // the place: ids stay here
		c := Pickable{ID: strconv.Itoa(i), Title: a.staff.Who(a.say, id, a.me)}
		if c.On = c.ID == p.Who; c.On {
			found, pick.Admin = true, &id
		}
		a.People = append(a.People, c)
	}
	known := p.What == ""
	for _, k := range kinds {
		on := k.id == p.What
		if on {
			known, pick.Actions = true, k.actions
		}
		a.Kinds = append(a.Kinds, Pickable{k.id, a.say(k.label, nil), on})
	}
	if !found || !known {
		return pick, Invalid("error_query", nil)
	}
	return pick, nil
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
	if s.Names, err = d.store.AdminNames(ctx); err != nil {
		return s, fmt.Errorf("read the names of the admins: %w", err)
	}
	return s, nil
}

// Activity answers with a page of the list.
func (d *Desk) Activity(w http.ResponseWriter, r *http.Request) error {
	after := r.URL.Query().Get("after")
	staff, err := d.staff(r.Context())
	if err != nil {
		return err
	}
	list := NewActivity(sayTo(r), staff, AdminOf(r).ID, after, pageSize)
	pick, err := list.pick(r)
	if err != nil {
		return err
	}
	entries, err := d.store.Activity(r.Context(), pick, after, pageSize+1) // one more tells whether there is a next page
	if err != nil {
		return fmt.Errorf("activity: %w", err)
	}
	for _, e := range entries {
		list.Add(e)
	}
	return d.answer(w, r, "activity", Frame{Title: sayTo(r)("nav_activity", nil), Here: "/activity"}, list)
}
