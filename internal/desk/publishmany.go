// Many videos are published on one channel: what the channel begins with holds for all of them, and each has its title.

package desk

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"retake.example/internal/publish"
	"retake.example/internal/store"
)

// Batch is the page.
type Batch struct {
	Success bool     `json:"success"`
	Outlets []Outlet `json:"outlets"` // where videos can be sent
	To      *Outlet  `json:"to"`      // the chosen one; nil: there is none
	Videos  []Sent   `json:"videos"`
	Kids    string   `json:"made_for_kids"` // of those without details of their own
	Privacy string   `json:"privacy"`       // the same
	Faults  bool     `json:"-"`             // something that was sent cannot be published as it is

	Error map[string]string `json:"error,omitempty"` // none of them can be published like this
}

// Outlet is a place that the program sends videos to.
type Outlet struct {
	Key   string `json:"to"` // what forms call it
	Name  string `json:"platform"`
	Title string `json:"channel,omitzero"`

	place   publish.Place
	channel store.Channel // none: the platform has no channels
}

// Icon is that of its platform.
func (o Outlet) Icon() string { return o.place.Icon }

// Open reports whether everybody sees at once what is sent there.
func (o Outlet) Open() bool { return o.place.Open }

// Sent is one of the videos, and what became of it.
type Sent struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Title   string `json:"title"`            // that it is published with
	Version string `json:"version,omitzero"` // of its details
	Outcome string `json:"outcome,omitzero"` // publishing: it is in the queue
	Cannot  string `json:"cannot,omitzero"`  // why it is not published there at all, in words
	Fault   string `json:"fault,omitzero"`   // what is wrong with what would be published, in words

	view *Publishing
}

// Ready reports whether there are videos that can be published.
func (b Batch) Ready() bool {
	return b.To != nil && slices.ContainsFunc(b.Videos, func(s Sent) bool { return s.Cannot == "" && s.Outcome == "" })
}

// IDs are those of all videos, as the form names them.
func (b Batch) IDs() string {
	var ids []string
	for _, v := range b.Videos {
		ids = append(ids, v.ID)
	}
	return strings.Join(ids, " ")
}

// Address is this page with another place to publish.
func (b Batch) Address(to Outlet) string {
	return "/selection?" + url.Values{"do": {"publish"}, "to": {to.Key}, "id": strings.Fields(b.IDs())}.Encode()
}

// outlets are the places that the program itself can send videos to.
func outlets(studio Studio, channels []store.Channel) (list []Outlet) {
	for _, place := range publish.Places {
		switch {
		case !studio.Ready(place):
		case !place.Channels:
			list = append(list, Outlet{Key: place.Key(), Name: place.Name, place: place})
		default:
			for _, c := range channels {
				if c.Platform == place.ID && c.State == "CONNECTED" {
					list = append(list, Outlet{strconv.FormatInt(c.ID, 10), place.Name, c.Title, place, c})
				}
			}
		}
	}
	return list
}

// batch is the page for some videos and the place that was asked for, or the first.
func (d *Desk) batch(r *http.Request, all []store.Listed, asked string) (b Batch, err error) {
	ctx, say := r.Context(), sayTo(r)
	studio, err := d.opts.Platforms.About(ctx)
	if err != nil {
		return b, fmt.Errorf("publish: %w", err)
	}
	channels, err := d.channels(ctx)
	if err != nil {
		return b, err
	}
	b = Batch{Success: true, Outlets: append([]Outlet{}, outlets(studio, channels)...)}
	var defaults store.Defaults
	if len(b.Outlets) > 0 {
		at := slices.IndexFunc(b.Outlets, func(o Outlet) bool { return o.Key == asked })
		if at < 0 && asked != "" {
			return b, Invalid("fault_channel", nil)
		}
		b.To = &b.Outlets[max(at, 0)]
		if b.To.place.Channels {
			if defaults, err = d.defaultsOf(ctx, b.To.channel); err != nil {
				return b, err
			}
		}
		first := withChannel(WithDefaults(store.Metadata{}, "", "", false), store.Metadata{}, defaults)
		if b.Kids, b.Privacy = first.Kids, first.Privacy; b.To.Open() {
			b.Privacy = "public"
		}
	}
	cards, err := d.cards(r, all...)
	if err != nil {
		return b, err
	}
	for i, card := range cards {
		s := Sent{ID: card.ID, Name: card.Name}
		switch {
		case !card.MayEdit:
			s.Cannot = say(HTTPErrorOf(store.ErrForbidden).ID, nil)
		case card.Status != string(store.Completed):
			s.Cannot = say(NotReady.ID, nil)
		case !card.DeleteRequested.IsZero():
			s.Cannot = say(HTTPErrorOf(store.ErrNotPublishable).ID, nil)
		case b.To != nil && card.On(b.To.place.ID) != nil:
			s.Cannot = say(Exists.ID, nil)
		default:
			form := savedForm(say, all[i].Asset, defaults)
			s.Title, s.Version = form.Title, form.Version
			s.view = NewPublishing(say, card, form, studio, channels)
		}
		b.Videos = append(b.Videos, s)
	}
	return b, nil
}

func (d *Desk) batchFrame(r *http.Request) Frame {
	return Frame{Title: sayTo(r)("publish_many", nil), SignedIn: true}
}

func (d *Desk) askPublishMany(w http.ResponseWriter, r *http.Request, all []store.Listed) error {
	view, err := d.batch(r, all, r.URL.Query().Get("to"))
	if err != nil {
		return err
	}
	return d.answer(w, r, "publish-many", d.batchFrame(r), view)
}

// PublishMany owes videos to one place, each in a transaction of its own. What cannot be published as it is comes back
// with what is wrong with it; the others are on their way.
func (d *Desk) PublishMany(w http.ResponseWriter, r *http.Request) error {
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	all, err := d.selected(r, strings.Fields(sent["ids"]))
	if err != nil {
		return err
	}
	view, err := d.batch(r, all, sent["to"])
	if err != nil {
		return err
	}
	if view.To == nil {
		return Invalid("fault_no_channel", nil)
	}
	if kids, ok := sent["made_for_kids"]; ok {
		view.Kids = kids
	}
	if privacy := sent["privacy"]; privacy != "" && !view.To.Open() {
		view.Privacy = privacy
	}
	queued := 0
	for i := range view.Videos {
		s := &view.Videos[i]
		if s.view != nil {
			if err := d.publishOne(r, view, s, sent); err != nil {
				return err
			}
		}
		if s.Outcome != "" {
			queued++
		}
		view.Faults = view.Faults || s.Fault != ""
	}
	switch view.Success = queued == len(view.Videos); {
	case view.Success && !WantsJSON(r):
		return redirect(w, "/?notice=publishing-many")
	case queued > 0:
		return d.answer(w, r, "publish-many", d.batchFrame(r), view)
	case WantsJSON(r):
		e := Invalid("publish_many_none", nil)
		view.Error = map[string]string{"code": e.Code, "message": sayTo(r)(e.ID, nil)}
		return JSON(w, e.Status, view)
	}
	return d.page(w, r, http.StatusUnprocessableEntity, "publish-many", d.batchFrame(r), view)
}

// publishOne owes one of the videos to the place. What its details say already stays; the title was typed for it.
func (d *Desk) publishOne(r *http.Request, b Batch, s *Sent, sent map[string]string) error {
	form := map[string]string{b.To.place.Key(): "yes", "when": "now"}
	if b.To.place.Channels {
		form[b.To.place.ChannelKey()] = b.To.Key
	}
	if title, ok := sent["title."+s.ID]; ok {
		form["title"], s.Title = title, title
	}
	if version, ok := sent["version."+s.ID]; ok {
		form["version"], s.Version = version, version
	}
	if s.view.Form.fresh {
		form["privacy"] = b.Privacy
	}
	if s.view.Form.fresh || s.view.Form.Kids == "" {
		form["made_for_kids"] = b.Kids
	}
	switch err := d.publish(r, s.view, form); {
	case err == nil:
		s.Outcome = "publishing"
	case errors.Is(err, errFaults):
		s.Fault = s.view.Form.Faults[s.view.Form.First]
	default:
		e := HTTPErrorOf(err)
		if e.Status >= http.StatusInternalServerError {
			return fmt.Errorf("publish many: %w", err)
		}
		s.Cannot = sayTo(r)(e.ID, e.Vars)
	}
	return nil
}
