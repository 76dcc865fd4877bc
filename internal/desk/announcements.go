// Announcements: messages to everyone who has agreed to get some. Their list, and the page on which an owner writes
// one, sends it, and sees what becomes of it.

package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/store"
)

// announcer sends announcements.
type announcer interface {
	// TryAnnouncement sends an admin what people would get.
	TryAnnouncement(ctx context.Context, admin int64, language, text string) error
	// Pace returns how many messages a second go out at most, and how many of them may be copies of an announcement.
	Pace() (all, announcements float64)
}

// longestAnnouncement is how many characters Telegram takes in a message.
var longestAnnouncement = lang.Message.Most()

// AnnouncementList is the list.
type AnnouncementList struct {
	Success  bool              `json:"success"`
	On       bool              `json:"on"` // people are asked, and what is started is sent
	Consents store.Consents    `json:"consents"`
	List     []AnnouncementRow `json:"announcements"`
}

// AnnouncementRow is an announcement in words and numbers.
type AnnouncementRow struct {
	store.Announcement
	First string            `json:"text"`            // for everyone without a text in their language
	Own   map[string]string `json:"texts,omitempty"` // by language
}

func newAnnouncementRow(a store.Announcement) AnnouncementRow {
	row := AnnouncementRow{Announcement: a, First: a.Texts[""], Own: map[string]string{}}
	for _, l := range lang.Languages {
		if text := a.Texts[l]; text != "" {
			row.Own[l] = text
		}
	}
	return row
}

// Pill is the message that names the status.
func (a AnnouncementRow) Pill() string {
	if a.Status == store.Halted && a.Trouble != "" {
		return "announcement_halted"
	}
	return "announcement_" + string(a.Status)
}

// Over is how many copies are over.
func (a AnnouncementRow) Over() int { return a.People - a.Left() }

// AnnouncementPage is the page of one.
type AnnouncementPage struct {
	Success bool `json:"success"`
	AnnouncementRow
	On       bool                `json:"on"`
	Version  string              `json:"version"` // of the texts: a form carries it
	Agreed   int                 `json:"agreed"`  // people who would get it now
	Seconds  int                 `json:"seconds"` // that it takes to send it, or the rest of it, at least
	Waiting  int                 `json:"waiting"` // people waiting for a video: theirs go first
	Failures []AnnouncementFault `json:"failures,omitempty"`
	Why      string              `json:"reason,omitzero"` // the trouble in words
	Fields   []AnnouncementField `json:"-"`
	Unsaved  bool                `json:"-"`
	Faulty   bool                `json:"-"`
	Conflict bool                `json:"-"`
	Problem  string              `json:"-"` // that belongs to no field
	Chat     bool                `json:"-"` // who looks has one with the bot
	Takes    string              `json:"-"`
}

// AnnouncementFault counts copies that failed for one reason.
type AnnouncementFault struct {
	Code   string `json:"error_code"`
	Reason string `json:"reason"`
	People int    `json:"people"`
}

// AnnouncementField is the text of a language; "": of all that have none.
type AnnouncementField struct {
	Lang   string
	Value  string
	Button string // below the message
	N      int    // characters
	Fault  string
}

// Name is what the field is called in the form.
func (f AnnouncementField) Name() string {
	if f.Lang == "" {
		return "text"
	}
	return "text_" + f.Lang
}

// Rows is how high the field is.
func (f AnnouncementField) Rows() int {
	return min(14, max(3, 1+len(f.Value)/90+strings.Count(f.Value, "\n")))
}

// Longest is how many characters the field takes.
func (AnnouncementField) Longest() int { return longestAnnouncement }

// New reports whether the announcement has not been saved yet.
func (p AnnouncementPage) New() bool { return p.ID == 0 }

// Key is what the announcement is called in the address of its page.
func (p AnnouncementPage) Key() string {
	if p.New() {
		return "new"
	}
	return strconv.FormatInt(p.ID, 10)
}

func announcementPath(id int64) string { return fmt.Sprintf("/announcements/%d", id) }

// Announcements answers with the list.
func (d *Desk) Announcements(w http.ResponseWriter, r *http.Request) error {
	view := AnnouncementList{Success: true, On: d.opts.Announcer != nil, List: []AnnouncementRow{}}
	var err error
	if view.Consents, err = d.store.Consents(r.Context()); err != nil {
		return fmt.Errorf("announcements: %w", err)
	}
	all, err := d.store.Announcements(r.Context())
	if err != nil {
		return fmt.Errorf("announcements: %w", err)
	}
	for _, a := range all {
		view.List = append(view.List, newAnnouncementRow(a))
	}
	return d.answer(w, r, "announcements", Frame{Title: sayTo(r)("announcements", nil), Here: "/settings"}, view)
}

// announcementOf returns the announcement that a request is about; id 0: a new one.
func (d *Desk) announcementOf(r *http.Request) (a store.Announcement, err error) {
	if r.PathValue("id") == "new" {
		return store.Announcement{Status: store.Draft, Texts: map[string]string{}}, nil
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id <= 0 {
		return a, NotFound
	}
	if a, err = d.store.Announcement(r.Context(), id); err != nil {
		err = fmt.Errorf("announcement: %w", err)
	}
	return a, err
}

// announcementPage is the page of an announcement, with what was typed if texts is not nil.
func (d *Desk) announcementPage(r *http.Request, a store.Announcement, texts map[string]string) (p AnnouncementPage,
	err error) {
	say, ctx := sayTo(r), r.Context()
	p = AnnouncementPage{Success: true, AnnouncementRow: newAnnouncementRow(a), On: d.opts.Announcer != nil, Version: "0",
		Chat: AdminOf(r).ID != 0}
	if a.ID != 0 {
		p.Version = strconv.FormatInt(a.Changed.UnixMilli(), 10)
	}
	values := a.Texts
	if texts != nil {
		values = texts
		p.Unsaved = slices.ContainsFunc(append([]string{""}, lang.Languages...), func(l string) bool {
			return texts[l] != a.Texts[l]
		})
	}
	for _, l := range append([]string{""}, lang.Languages...) {
		field := AnnouncementField{Lang: l, Value: values[l], N: lang.Units(values[l]),
			Button: lang.Say(cmp.Or(l, d.opts.Lang), "button_news_stop", nil)}
		switch {
		case texts == nil:
		case l == "" && field.Value == "":
			field.Fault = say("announcement_empty", nil)
		case field.N > longestAnnouncement:
			field.Fault = say("announcement_long", Vars{"Of": longestAnnouncement})
		}
		p.Faulty = p.Faulty || field.Fault != ""
		p.Fields = append(p.Fields, field)
	}
	consents, err := d.store.Consents(ctx)
	if err == nil {
		p.Agreed = consents.Agreed
		p.Waiting, err = d.store.Waiting(ctx)
	}
	var failed map[string]int
	if err == nil && a.Failed > 0 {
		failed, err = d.store.FailedCopies(ctx, a.ID)
	}
	if err != nil {
		return p, fmt.Errorf("announcement: %w", err)
	}
	for code, n := range failed {
		p.Failures = append(p.Failures, AnnouncementFault{code, copyReason(say, code), n})
	}
	slices.SortFunc(p.Failures, func(a, b AnnouncementFault) int {
		return cmp.Or(b.People-a.People, strings.Compare(a.Code, b.Code))
	})
	if a.Trouble != "" {
		p.Why = copyReason(say, a.Trouble)
	}
	people := p.Left()
	if a.Status == store.Draft {
		people = p.Agreed
	}
	if d.opts.Announcer != nil {
		all, ours := d.opts.Announcer.Pace()
		takes := time.Duration((float64(people)/ours + float64(p.Waiting)/all) * float64(time.Second))
		p.Seconds, p.Takes = int(takes.Seconds()), about(say, takes)
	}
	return p, nil
}

// copyReason says why a copy failed, or an announcement was paused.
func copyReason(say Say, code string) string {
	switch code {
	case store.Restored:
		return say("announcement_restored", nil)
	case store.MaybeSent:
		return say("announcement_maybe", nil)
	case "telegram_unreachable", "telegram_rate":
		return say("announcement_away", nil)
	}
	return undeliveredReason(say, code)
}

// about is a length of time in words, rounded up to minutes or hours.
func about(say Say, d time.Duration) string {
	unit := time.Minute
	if d > 2*time.Hour {
		unit = time.Hour
	}
	return Span(say, max(1, (d+unit-1)/unit)*unit)
}

func (d *Desk) announcementFrame(r *http.Request, a store.Announcement) Frame {
	title := sayTo(r)("announcement_new", nil)
	if a.ID != 0 {
		title = sayTo(r)("announcement_title", Vars{"N": a.ID})
	}
	return Frame{Title: title, SignedIn: true, Here: "/settings"}
}

// Announcement answers with the page of one.
func (d *Desk) Announcement(w http.ResponseWriter, r *http.Request) error {
	a, err := d.announcementOf(r)
	if err != nil {
		return err
	}
	view, err := d.announcementPage(r, a, nil)
	if err != nil {
		return err
	}
	return d.answer(w, r, "announcement", d.announcementFrame(r, a), view)
}

// ChangeAnnouncement saves, tries, starts, pauses, continues, repeats or deletes an announcement.
func (d *Desk) ChangeAnnouncement(w http.ResponseWriter, r *http.Request) error {
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	a, err := d.announcementOf(r)
	if err != nil {
		return err
	}
	do, admin, seen := sent["do"], AdminOf(r).ID, time.Time{}
	if ms, _ := strconv.ParseInt(sent["version"], 10, 64); ms > 0 { // else a program that does not say what it has seen
		seen = store.Moment(ms)
	}
	var step func(tx *store.Tx) error
	people, more := 0, false
	switch {
	case do == "save" || do == "preview":
		return d.writeAnnouncement(w, r, a, sent, seen)
	case a.ID == 0:
		return NotFound
	case do == "try":
		return d.tryAnnouncement(w, r, a)
	case do == "start":
		step = func(tx *store.Tx) error { return tx.StartAnnouncement(a.ID, seen, people, admin) }
	case do == "pause":
		step = func(tx *store.Tx) error { return tx.PauseAnnouncement(a.ID, admin) }
	case do == "continue":
		step = func(tx *store.Tx) error { return tx.ContinueAnnouncement(a.ID, admin) }
	case do == "repeat":
		step = func(tx *store.Tx) error { return tx.RepeatAnnouncement(a.ID, admin) }
	case do == "delete":
		step = func(tx *store.Tx) (err error) { more, err = tx.DeleteAnnouncement(a.ID, admin); return err }
	default:
		return Invalid("error_form", nil)
	}
	if d.opts.Announcer == nil && slices.Contains([]string{"start", "continue", "repeat"}, do) {
		return d.refuseAnnouncement(w, r, a, Invalid("announcements_off", nil))
	}
	if do == "start" {
		consents, err := d.store.Consents(r.Context())
		if err != nil {
			return fmt.Errorf("announcement: %w", err)
		}
		if people = consents.Agreed; people == 0 {
			return d.refuseAnnouncement(w, r, a, Invalid("announcement_nobody", nil))
		}
	}
	err = d.store.Tx(r.Context(), step)
	for err == nil && more {
		err = d.store.Tx(d.ctx, step)
	}
	switch {
	case errors.Is(err, store.ErrAnnouncing):
		return d.refuseAnnouncement(w, r, a, Invalid("announcement_busy", nil))
	case err != nil:
		return fmt.Errorf("%s an announcement: %w", do, err)
	}
	outcome, to := announcementOutcomes[do], announcementPath(a.ID)
	if do == "delete" {
		to = "/announcements"
	}
	return doneAt(w, r, Address(to, "notice", outcome), outcome, strconv.FormatInt(a.ID, 10))
}

// announcementOutcomes are what came of each action.
var announcementOutcomes = map[string]string{"start": "announcing", "pause": "announcement-paused",
	"continue": "announcing", "repeat": "announcing", "delete": "announcement-deleted"}

// writeAnnouncement keeps the texts of a draft, or shows how they look.
func (d *Desk) writeAnnouncement(w http.ResponseWriter, r *http.Request, a store.Announcement, sent map[string]string,
	seen time.Time) error {
	if a.Status != store.Draft {
		return Conflict
	}
	texts := map[string]string{}
	for _, l := range append([]string{""}, lang.Languages...) {
		if text := lang.Tidy(sent[AnnouncementField{Lang: l}.Name()]); text != "" {
			texts[l] = text
		}
	}
	view, err := d.announcementPage(r, a, texts)
	if err != nil {
		return err
	}
	frame := d.announcementFrame(r, a)
	switch {
	case sent["do"] == "preview" && WantsJSON(r):
		return JSON(w, http.StatusOK, view)
	case sent["do"] == "preview":
		return d.page(w, r, http.StatusOK, "announcement", frame, view)
	case view.Faulty:
		faults := map[string]string{}
		for _, f := range view.Fields {
			if f.Fault != "" {
				faults[f.Name()] = f.Fault
			}
		}
		return d.refuse(w, r, Invalid("error_fields", nil), "announcement", frame.Title, view, faults)
	}
	id, admin := int64(0), AdminOf(r)
	err = d.store.Tx(r.Context(), func(tx *store.Tx) (err error) {
		id, err = tx.SaveAnnouncement(a.ID, texts, seen, admin.ID)
		return err
	})
	if errors.Is(err, store.ErrConflict) {
		if now, err := d.store.Announcement(r.Context(), a.ID); err == nil && now.Status == store.Draft {
			view.Version, view.Conflict = strconv.FormatInt(now.Changed.UnixMilli(), 10), true
			return d.refuse(w, r, Conflict, "announcement", frame.Title, view, nil)
		}
	}
	if err != nil {
		return fmt.Errorf("save an announcement: %w", err)
	}
	return doneAt(w, r, Address(announcementPath(id), "notice", "saved"), "saved", strconv.FormatInt(id, 10))
}

// tryAnnouncement sends an announcement to the admin who looks alone.
func (d *Desk) tryAnnouncement(w http.ResponseWriter, r *http.Request, a store.Announcement) error {
	admin := AdminOf(r).ID
	switch {
	case d.opts.Announcer == nil:
		return d.refuseAnnouncement(w, r, a, Invalid("announcements_off", nil))
	case admin == 0:
		return d.refuseAnnouncement(w, r, a, Invalid("announcement_no_chat", nil))
	}
	language, err := d.store.Language(r.Context(), admin)
	if err != nil {
		language = d.opts.Lang
	}
	if err := d.opts.Announcer.TryAnnouncement(r.Context(), admin, language, a.Text(language)); err != nil {
		d.log.Warn("send an announcement to an admin", "err", err)
		return d.refuseAnnouncement(w, r, a, Invalid("announcement_not_tried", nil))
	}
	return doneAt(w, r, Address(announcementPath(a.ID), "notice", "announcement-tried"), "announcement-tried",
		strconv.FormatInt(a.ID, 10))
}

// refuseAnnouncement answers with the page and what is wrong.
func (d *Desk) refuseAnnouncement(w http.ResponseWriter, r *http.Request, a store.Announcement, e HTTPError) error {
	if WantsJSON(r) {
		return e
	}
	view, err := d.announcementPage(r, a, nil)
	if err != nil {
		return err
	}
	view.Problem = sayTo(r)(e.ID, e.Vars)
	return d.page(w, r, e.Status, "announcement", d.announcementFrame(r, a), view)
}
