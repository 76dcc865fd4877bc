// What is to become public, and when: reading a time, moving it, and the page with the list and the month.

package desk

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	_ "time/tzdata" // zones are read on machines without it

	"retake.example/internal/publish"
	"retake.example/internal/store"
)

// soonest is how far ahead a time to become public must be: the upload takes its time, too.
const soonest = 15 * time.Minute

// latest is how many years ahead it may be. Nobody plans further, and a typing error in the year should be heard at
// once.
const latest = 2

// readTime reads a time on a clock in a zone. fault says what is wrong with it; an unknown zone becomes UTC.
func readTime(say Say, text string, zone *string, now time.Time) (at time.Time, fault string) {
	place, err := time.LoadLocation(*zone)
	if err != nil || *zone == "Local" { // which is the server's: nobody means that
		fault = say("fault_zone", Vars{"Zone": *zone})
		*zone = "UTC"
		return at, fault
	}
	const clock = "2006-01-02T15:04"
	typed := text
	if len(typed) == len(clock)+len(":00") {
		typed = strings.TrimSuffix(typed, ":00") // some browsers send seconds
	}
	at, err = time.ParseInLocation(clock, typed, place)
	switch {
	case text == "":
		return at, say("fault_at_empty", nil)
	case err != nil:
		return at, say("fault_at", nil)
	case at.Format(clock) != typed: // clocks go forward over it
		return at, say("fault_at_skipped", nil)
	case at.Before(now.Add(soonest)):
		return at, say("fault_at_soon", nil)
	case at.After(now.AddDate(latest, 0, 0)):
		return at, say("fault_at_late", nil)
	}
	return at, ""
}

// move gives a publication another time. The form comes back with what is wrong with it.
func (d *Desk) move(w http.ResponseWriter, r *http.Request, view Detail, p *Publication, sent map[string]string) error {
	say, zone := sayTo(r), cmp.Or(sent["zone"], "UTC")
	var at time.Time // now
	if sent["when"] != "now" {
		var fault string
		if at, fault = readTime(say, sent["at"], &zone, d.store.Now()); fault != "" {
			p.MoveTo, p.MoveZone, p.MoveFault = strings.ToValidUTF8(sent["at"], "\uFFFD"), zone, fault
			return d.refuse(w, r, Invalid("error_fields", nil), "asset", view.Card.Name, view, map[string]string{"at": fault})
		}
	}
	was, _ := time.Parse(time.RFC3339Nano, sent["was"]) // programs need not say what they have seen
	err := d.opts.Published.Postpone(d.ctx, view.Card.ID, p.Platform, was, at, AdminOf(r))
	if errors.Is(err, publish.ErrMoved) {
		if view, p, err = d.published(r, p.Platform); err != nil {
			return err
		}
		zoned := p.PublishAt.UTC()
		if place, err := time.LoadLocation(zone); err == nil {
			zoned = zoned.In(place)
		}
		p.MoveTo, p.MoveZone = strings.ToValidUTF8(sent["at"], "\uFFFD"), zone
		value := p.State // it waits for no time any more
		if p.Ahead {
			value = zoned.Format("2006-01-02 15:04 MST")
		}
		p.MoveFault = say("fault_conflict", Vars{"Value": value})
		return d.refuse(w, r, Conflict, "asset", view.Card.Name, view, map[string]string{"at": p.MoveFault})
	}
	if err != nil {
		return fmt.Errorf("postpone: %w", Told(err))
	}
	return Done(w, r, "rescheduled", "")
}

// Scheduled is the page with what is to become public.
type Scheduled struct {
	Success bool            `json:"success"`
	Month   string          `json:"month"` // 2006-01
	Before  string          `json:"-"`     // the month before and the one after
	After   string          `json:"-"`
	Name    string          `json:"-"` // of the month, in words
	Weekday []string        `json:"-"` // their names, from Monday
	Weeks   [][]Day         `json:"-"`
	List    []ScheduledItem `json:"scheduled"`
	More    bool            `json:"more"` // than are listed
}

// ScheduledItem is a publication that is to become public.
type ScheduledItem struct {
	Asset    string    `json:"asset"`
	Name     string    `json:"name"`
	Platform string    `json:"platform"`
	Channel  string    `json:"channel,omitzero"`
	At       time.Time `json:"publish_at"`
}

// PlatformName is what its platform calls itself.
func (i ScheduledItem) PlatformName() string { return PlatformName(i.Platform) }

// Day is a day of the month; Number is 0 for one of another month.
type Day struct {
	Number int
	Today  bool
	List   []ScheduledItem
}

// mostScheduled bounds what the page lists.
const mostScheduled = 500

// NewScheduled describes what becomes public in a month, which begins at a time in UTC.
func NewScheduled(say Say, month, now time.Time, list []store.Scheduled) Scheduled {
	s := Scheduled{Success: true, Month: month.Format("2006-01"), Before: month.AddDate(0, -1, 0).Format("2006-01"),
		After: month.AddDate(0, 1, 0).Format("2006-01"), List: []ScheduledItem{}, More: len(list) > mostScheduled,
		Name: say("month_and_year", Vars{"Month": strings.Fields(say("months", nil))[month.Month()-1],
			"Year": month.Year()}),
		Weekday: strings.Fields(say("weekdays", nil))}
	byDay := map[int][]ScheduledItem{}
	for _, p := range list[:min(len(list), mostScheduled)] {
		item := ScheduledItem{p.AssetID, p.Name, p.Platform, p.Channel, p.PublishAt}
		day := p.PublishAt.UTC().Day()
		byDay[day] = append(byDay[day], item)
		s.List = append(s.List, item)
	}
	for day := month.AddDate(0, 0, -int(month.Weekday()+6)%7); day.Before(month.AddDate(0, 1, 0)); {
		var week []Day
		for range 7 {
			d := Day{}
			if day.Month() == month.Month() {
				d = Day{Number: day.Day(), Today: day.Format(time.DateOnly) == now.UTC().Format(time.DateOnly),
					List: byDay[day.Day()]}
			}
			week, day = append(week, d), day.AddDate(0, 0, 1)
		}
		s.Weeks = append(s.Weeks, week)
	}
	return s
}

// Scheduled answers with the page of a month, ?month=2006-01, or of this one.
func (d *Desk) Scheduled(w http.ResponseWriter, r *http.Request) error {
	now := d.store.Now()
	month := time.Date(now.UTC().Year(), now.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
	if asked := r.URL.Query().Get("month"); asked != "" {
		var err error
		if month, err = time.Parse("2006-01", asked); err != nil {
			return Invalid("error_month", nil)
		}
	}
	list, err := d.store.Scheduled(r.Context(), month, month.AddDate(0, 1, 0), mostScheduled+1)
	if err != nil {
		return fmt.Errorf("scheduled: %w", err)
	}
	say := sayTo(r)
	return d.answer(w, r, "scheduled", Frame{Title: say("nav_scheduled", nil)}, NewScheduled(say, month, now, list))
}

// CanMove reports whether the time when it becomes public can be changed.
func (p Publication) CanMove() bool {
	place, _ := publish.PlaceOf(p.Platform)
	return p.MayChange && p.Ahead && (p.Status == "PENDING" && p.RemoteID == "" && p.Sent == 0 ||
		p.Status == "COMPLETED" && place.Times)
}
