// The form that publishes a video: what, where and when.

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

	"retake.example/internal/publish"
	"retake.example/internal/store"
)

// Publishing is the page with the form.
type Publishing struct {
	Success  bool            `json:"success"`
	Card     Card            `json:"asset"`
	Form     *Form           `json:"metadata"`
	Studio   Studio          `json:"studio"`
	Channels []store.Channel `json:"channels"` // that are connected, or were until access ended
	Spots    []Spot          `json:"-"`
	Later    bool            `json:"-"` // at a time, rather than now
	At       string          `json:"-"` // that time on a clock in the zone
	Zone     string          `json:"-"`
	Previews []Preview       `json:"previews"`

	at time.Time // the same; zero: now
}

// Spot is a platform on the form.
type Spot struct {
	publish.Place
	Pub      *Publication    // that is there already; nil: none
	On       bool            // it is chosen
	Ready    bool            // the program itself publishes there
	Channels []store.Channel // of it, as in Publishing
	Channel  int64           // that is chosen; 0: none
}

// Connected are the channels that take videos.
func (s Spot) Connected() []store.Channel {
	return slices.DeleteFunc(slices.Clone(s.Channels), func(c store.Channel) bool { return c.State != "CONNECTED" })
}

// ByHand reports whether an admin has to upload the video there.
func (s Spot) ByHand() bool { return !s.Ready && !s.Place.Channels }

// Target is a place to publish.
type Target struct {
	Platform string
	Channel  int64     // 0: none
	Step     string    // manual: by hand; scheduled: the program sends it at that time
	At       time.Time // zero: now
}

// NewPublishing begins the form for a finished video. Where everybody sees a video at once nothing is chosen before
// somebody does.
func NewPublishing(say Say, card Card, form *Form, studio Studio, channels []store.Channel) *Publishing {
	p := &Publishing{Success: true, Card: card, Form: form, Studio: studio, Channels: []store.Channel{}, Zone: "UTC"}
	for _, place := range publish.Places {
		s := Spot{Place: place, Pub: card.On(place.ID), Ready: studio.Ready(place)}
		for _, c := range channels {
			if c.State != "DISCONNECTED" && c.Platform == place.ID {
				s.Channels = append(s.Channels, c)
			}
		}
		if s.Pub == nil && !offered(place, channels) {
			continue
		}
		if list := s.Connected(); len(list) > 0 {
			s.Channel = list[0].ID
		}
		s.On = s.Channel != 0 && s.Pub == nil && !place.Open
		p.Channels, p.Spots = append(p.Channels, s.Channels...), append(p.Spots, s)
	}
	p.preview(say)
	return p
}

// offered reports whether the form offers a platform: one that shows everything at once only when somebody has
// connected a channel there.
func offered(place publish.Place, channels []store.Channel) bool {
	return !place.Channels || !place.Open || slices.ContainsFunc(channels, func(c store.Channel) bool {
		return c.Platform == place.ID && c.State != "DISCONNECTED"
	})
}

// Anywhere reports whether there is a platform left.
func (p *Publishing) Anywhere() bool {
	return slices.ContainsFunc(p.Spots, func(s Spot) bool { return s.Pub == nil })
}

// Read takes what was sent into the form and says what is wrong with it.
func (p *Publishing) Read(say Say, sent map[string]string, now time.Time) {
	p.Form, p.at = p.Form.Sent(say, sent), time.Time{}
	p.Later = sent["when"] == "later" || sent["when"] == "" && sent["at"] != ""
	p.At, p.Zone = strings.ToValidUTF8(sent["at"], "\uFFFD"), cmp.Or(sent["zone"], "UTC")
	p.Form.Whole(say)
	some, timed := false, false
	for i := range p.Spots {
		s := &p.Spots[i]
		if s.On = sent[s.Key()] == "yes"; s.On {
			some, timed = true, timed || !s.ByHand()
			p.choose(say, s, sent[s.ChannelKey()])
		}
	}
	switch {
	case p.Later:
		p.schedule(say, now, timed || !some)
	case p.At != "": // without a script, a time does not choose itself; what is public at once cannot be taken back
		p.Form.refuse("at", say("fault_at_now", nil))
	}
	if !some {
		p.Form.refuse(p.Spots[0].Key(), say("fault_nowhere", nil))
	}
	for _, s := range slices.Backward(p.Spots) { // they stand above the other fields
		for _, above := range []string{s.ChannelKey(), s.Key()} {
			if p.Form.Faults[above] != "" {
				p.Form.First = above
			}
		}
	}
	p.preview(say)
}

// begin chooses the channel that an address names, whose defaults the form has.
func (p *Publishing) begin(named string) {
	for i, s := range p.Spots {
		for _, c := range s.Connected() {
			if strconv.FormatInt(c.ID, 10) == named && s.Pub == nil {
				p.Spots[i].Channel, p.Spots[i].On = c.ID, true
			}
		}
	}
}

// Taken says that the video is on a platform already that was chosen: somebody was faster.
func (p *Publishing) Taken(say Say) {
	p.Form.refuse(p.Spots[0].Key(), say(Exists.ID, nil))
	p.Form.First = p.Spots[0].Key()
}

// choose finds the channel of a platform that was named, or the only one.
func (p *Publishing) choose(say Say, s *Spot, named string) {
	name := Vars{"Name": s.Name}
	if s.Open && s.Ready && p.Form.Privacy != "public" {
		p.Form.refuse(s.Key(), say("fault_not_public", name))
	}
	switch {
	case s.Place.Channels && !s.Ready:
		p.Form.refuse(s.Key(), say("fault_place_off", name))
		return
	case !s.Place.Channels:
		return
	}
	usable := s.Connected()
	if named == "" && len(usable) == 1 {
		s.Channel = usable[0].ID
		return
	}
	s.Channel, _ = strconv.ParseInt(named, 10, 64)
	at := slices.IndexFunc(s.Channels, func(c store.Channel) bool { return c.ID == s.Channel })
	switch {
	case len(usable) == 0:
		p.Form.refuse(s.ChannelKey(), say("fault_no_channel", nil))
	case at < 0:
		p.Form.refuse(s.ChannelKey(), say("fault_channel", nil))
	case s.Channels[at].State != "CONNECTED":
		p.Form.refuse(s.ChannelKey(), say("fault_channel_ended", Vars{"Name": s.Channels[at].Title}))
	}
}

// schedule reads the time when it is to be public. timed: the program can wait for it somewhere.
func (p *Publishing) schedule(say Say, now time.Time, timed bool) {
	at, fault := readTime(say, p.At, &p.Zone, now)
	switch {
	case fault != "":
		p.Form.refuse("at", fault)
	case p.Form.Privacy != "public":
		p.Form.refuse("at", say("fault_at_private", nil))
	case !timed:
		p.Form.refuse("at", say("fault_at_by_hand", nil))
	default:
		p.at = at
	}
}

// Targets are the places that were chosen. One where somebody uploads it by hand knows no time.
func (p *Publishing) Targets() (list []Target) {
	for _, s := range p.Spots {
		t := Target{Platform: s.ID, At: p.at}
		if s.Place.Channels {
			t.Channel = s.Channel
		}
		switch {
		case !s.On:
			continue
		case s.ByHand():
			t.Step, t.At = "manual", time.Time{}
		case !s.Times && !p.at.IsZero():
			t.Step = "scheduled"
		}
		list = append(list, t)
	}
	return list
}

// platforms are the platforms that there are to publish on.
type platforms interface {
	About(ctx context.Context) (Studio, error)
	HandPage(platform string) string // where an admin uploads by hand; "": nobody knows
	Tells(platform string) bool      // it can be asked how its videos are
}

// publishing is the form that publishes the video which the address names.
func (d *Desk) publishing(r *http.Request) (*Publishing, error) {
	view, err := d.editable(r)
	switch {
	case err != nil:
		return nil, err
	case !view.Card.DeleteRequested.IsZero():
		return nil, store.ErrNotPublishable
	case view.Form == nil:
		return nil, NotReady
	}
	studio, err := d.opts.Platforms.About(r.Context())
	if err != nil {
		return nil, fmt.Errorf("publish: %w", err)
	}
	channels, err := d.channels(r.Context())
	if err != nil {
		return nil, err
	}
	p := NewPublishing(sayTo(r), view.Card, view.Form, studio, channels)
	p.begin(r.URL.Query().Get("channel"))
	return p, nil
}

// AskPublish answers with the form.
func (d *Desk) AskPublish(w http.ResponseWriter, r *http.Request) error {
	view, err := d.publishing(r)
	if err != nil {
		return err
	}
	return d.answer(w, r, "publish", Frame{Title: view.title(sayTo(r))}, view)
}

func (p *Publishing) title(say Say) string { return say("title_publish", Vars{"Name": p.Card.Name}) }

// Publish saves what a video is published with, and owes it to the platforms that were chosen.
func (d *Desk) Publish(w http.ResponseWriter, r *http.Request) error {
	say := sayTo(r)
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	view, err := d.publishing(r)
	if err != nil {
		return err
	}
	id := view.Card.ID
	err = d.publish(r, view, sent)
	if errors.Is(err, errFaults) {
		return d.refuse(w, r, view.Form.error(), "publish", view.title(say), view, view.Form.Faults)
	}
	if errors.Is(err, store.ErrExists) && !WantsJSON(r) { // what was typed for the rest stays
		if view, err = d.publishing(r); err != nil {
			return err
		}
		view.Read(say, sent, d.store.Now())
		view.Taken(say)
		return d.page(w, r, Exists.Status, "publish", Frame{Title: view.title(say), SignedIn: true}, view)
	}
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return doneAt(w, r, "/assets/"+id+"?notice=publishing", "publishing", "")
}

// publish saves what was sent, and owes the video to the platforms that were chosen, in one transaction. errFaults: the
// form says what is wrong.
func (d *Desk) publish(r *http.Request, view *Publishing, sent map[string]string) error {
	say, admin, id := sayTo(r), AdminOf(r), view.Card.ID
	return d.store.Tx(r.Context(), func(tx *store.Tx) error {
		a, err := tx.Asset(id)
		if err != nil {
			return err
		}
		view.Form = savedForm(say, a, view.Form.defaults)
		view.Read(say, sent, tx.Now())
		if view.Form.Faults != nil {
			return errFaults
		}
		metadata := view.Form.Metadata
		if err := tx.SaveMetadata(id, metadata); err != nil {
			return err
		}
		for _, t := range view.Targets() {
			if err := tx.Publish(id, store.Publication{Platform: t.Platform, Channel: t.Channel, Creator: admin.ID,
				Step: t.Step, Metadata: metadata, PublishAt: t.At}); err != nil {
				return err
			}
			if err := tx.Note(store.Event{Admin: &admin.ID, Action: "publish", AssetID: id, Platform: t.Platform,
				Outcome: "queued"}); err != nil {
				return err
			}
		}
		return nil
	})
}
