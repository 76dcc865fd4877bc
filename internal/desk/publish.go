// The form that publishes a video: what, where and when.

package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones are read on machines without it

	"retake.example/internal/store"
)

// soonest is how far ahead a time to become public must be: the upload takes its time, too.
const soonest = 15 * time.Minute

// latest is how many years ahead it may be. Nobody plans further, and a typing error in the year should be heard at once.
const latest = 2

// Publishing is the page with the form.
type Publishing struct {
	Success  bool            `json:"success"`
	Card     Card            `json:"asset"`
	Form     *Form           `json:"metadata"`
	Studio   Studio          `json:"studio"`
	Channels []store.Channel `json:"channels"` // of YouTube that are connected, or were until access ended
	YouTube  bool            `json:"-"`        // is chosen
	Rumble   bool            `json:"-"`
	Channel  int64           `json:"-"`
	Later    bool            `json:"-"` // at a time, rather than now
	At       string          `json:"-"` // that time on a clock in the zone
	Zone     string          `json:"-"`
	Previews []Preview       `json:"previews"`

	at time.Time // the same; zero: now
}

// Target is a place to publish.
type Target struct {
	Platform string
	Channel  int64     // 0: none
	Step     string    // manual: by hand; scheduled: the program sends it at that time
	At       time.Time // zero: now
}

// NewPublishing begins the form for a finished video.
func NewPublishing(say Say, card Card, form *Form, studio Studio, channels []store.Channel) *Publishing {
	p := &Publishing{Success: true, Card: card, Form: form, Studio: studio, Channels: []store.Channel{}, Zone: "UTC"}
	for _, c := range channels {
		if c.State != "DISCONNECTED" {
			p.Channels = append(p.Channels, c)
		}
		if c.State == "CONNECTED" && p.Channel == 0 {
			p.Channel = c.ID
		}
	}
	p.YouTube = p.Channel != 0 && p.free("YOUTUBE")
	p.preview(say)
	return p
}

// free reports whether the video is not on a platform.
func (p *Publishing) free(platform string) bool { return p.Card.On(platform) == nil }

// OnYouTube and OnRumble are the publications there are; nil: none.
func (p *Publishing) OnYouTube() *Publication { return p.Card.On("YOUTUBE") }

// OnRumble is like OnYouTube.
func (p *Publishing) OnRumble() *Publication { return p.Card.On("RUMBLE") }

// Connected are the channels that take videos.
func (p *Publishing) Connected() []store.Channel {
	return slices.DeleteFunc(slices.Clone(p.Channels), func(c store.Channel) bool { return c.State != "CONNECTED" })
}

// Anywhere reports whether there is a platform left.
func (p *Publishing) Anywhere() bool { return p.free("YOUTUBE") || p.free("RUMBLE") }

// Read takes what was sent into the form and says what is wrong with it.
func (p *Publishing) Read(say Say, sent map[string]string, now time.Time) {
	p.Form, p.at = p.Form.Sent(say, sent), time.Time{}
	p.YouTube, p.Rumble = sent["youtube"] == "yes", sent["rumble"] == "yes"
	p.Later = sent["when"] == "later" || sent["when"] == "" && sent["at"] != ""
	p.At, p.Zone = strings.ToValidUTF8(sent["at"], "\uFFFD"), sent["zone"]
	if p.Zone == "" {
		p.Zone = "UTC"
	}
	p.Form.Whole(say)
	switch {
	case p.Later:
		p.schedule(say, now)
	case p.At != "": // without a script, a time does not choose itself; what is public at once cannot be taken back
		p.Form.refuse("at", say("fault_at_now", nil))
	}
	if p.Rumble && p.Studio.Rumble && p.Form.Privacy != "public" {
		p.Form.refuse("rumble", say("fault_rumble_private", nil))
	}
	if p.YouTube {
		p.choose(say, sent["channel"])
	}
	if !p.YouTube && !p.Rumble {
		p.Form.refuse("youtube", say("fault_nowhere", nil))
	}
	for _, above := range []string{"rumble", "channel", "youtube"} { // they stand above the other fields
		if p.Form.Faults[above] != "" {
			p.Form.First = above
		}
	}
	p.preview(say)
}

// Taken says that the video is on a platform already that was chosen: somebody was faster.
func (p *Publishing) Taken(say Say) {
	p.Form.refuse("youtube", say(Exists.ID, nil))
	p.Form.First = "youtube"
}

// choose finds the channel that was named, or the only one.
func (p *Publishing) choose(say Say, named string) {
	if !p.Studio.YouTube {
		p.Form.refuse("youtube", say("fault_youtube_off", nil))
		return
	}
	usable := p.Connected()
	if named == "" && len(usable) == 1 {
		p.Channel = usable[0].ID
		return
	}
	p.Channel, _ = strconv.ParseInt(named, 10, 64)
	at := slices.IndexFunc(p.Channels, func(c store.Channel) bool { return c.ID == p.Channel })
	switch {
	case len(usable) == 0:
		p.Form.refuse("channel", say("fault_no_channel", nil))
	case at < 0:
		p.Form.refuse("channel", say("fault_channel", nil))
	case p.Channels[at].State != "CONNECTED":
		p.Form.refuse("channel", say("fault_channel_ended", Vars{"Name": p.Channels[at].Title}))
	}
}

// schedule reads the time when it is to be public.
func (p *Publishing) schedule(say Say, now time.Time) {
	zone, err := time.LoadLocation(p.Zone)
	if err != nil || p.Zone == "Local" { // which is the server's: nobody means that
		p.Form.refuse("at", say("fault_zone", Vars{"Zone": p.Zone}))
		p.Zone = "UTC"
		return
	}
	const clock = "2006-01-02T15:04"
	text := p.At
	if len(text) == len(clock)+len(":00") {
		text = strings.TrimSuffix(text, ":00") // some browsers send seconds
	}
	at, err := time.ParseInLocation(clock, text, zone)
	switch {
	case p.At == "":
		p.Form.refuse("at", say("fault_at_empty", nil))
	case err != nil:
		p.Form.refuse("at", say("fault_at", nil))
	case at.Format(clock) != text: // clocks go forward over it
		p.Form.refuse("at", say("fault_at_skipped", nil))
	case at.Before(now.Add(soonest)):
		p.Form.refuse("at", say("fault_at_soon", nil))
	case at.After(now.AddDate(latest, 0, 0)):
		p.Form.refuse("at", say("fault_at_late", nil))
	case p.Form.Privacy != "public":
		p.Form.refuse("at", say("fault_at_private", nil))
	case p.Rumble && !p.Studio.Rumble && !p.YouTube:
		p.Form.refuse("at", say("fault_at_by_hand", nil))
	default:
		p.at = at
	}
}

// Targets are the places that were chosen. One where somebody uploads it by hand knows no time.
func (p *Publishing) Targets() (list []Target) {
	if p.YouTube {
		list = append(list, Target{Platform: "YOUTUBE", Channel: p.Channel, At: p.at})
	}
	switch {
	case p.Rumble && !p.Studio.Rumble:
		list = append(list, Target{Platform: "RUMBLE", Step: "manual"})
	case p.Rumble && p.at.IsZero():
		list = append(list, Target{Platform: "RUMBLE"})
	case p.Rumble:
		list = append(list, Target{Platform: "RUMBLE", Step: "scheduled", At: p.at})
	}
	return list
}

// platforms are the platforms that there are to publish on.
type platforms interface {
	About(ctx context.Context) (Studio, error)
	HandPage() string // where an admin uploads to Rumble by hand
}

// publishing is the form that publishes the video which the address names.
func (d *Desk) publishing(r *http.Request) (*Publishing, error) {
	view, err := d.editable(r)
	switch {
	case err != nil:
		return nil, err
	case !view.Card.Unwanted.IsZero():
		return nil, store.ErrNotPublishable
	case view.Form == nil:
		return nil, NotReady
	}
	studio, err := d.opts.Platforms.About(r.Context())
	if err != nil {
		return nil, fmt.Errorf("publish: %w", err)
	}
	channels, err := d.channels(r.Context())
	return NewPublishing(sayTo(r), view.Card, view.Form, studio, channels), err
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
	admin, id := AdminOf(r), view.Card.ID
	err = d.store.Tx(r.Context(), func(tx *store.Tx) error {
		a, err := tx.Asset(id)
		if err != nil {
			return err
		}
		view.Form = savedForm(say, a)
		view.Read(say, sent, tx.Now())
		if view.Form.Faults != nil {
			return errFaults
		}
		metadata := view.Form.Metadata
		if err := tx.SaveMetadata(id, metadata); err != nil {
			return err
		}
		for _, t := range view.Targets() {
			if err := tx.Publish(id, store.Publication{Platform: t.Platform, Channel: t.Channel, Creator: admin.ID, Step: t.Step, Metadata: metadata, PublishAt: t.At}); err != nil {
				return err
			}
			if err := tx.Note(store.Event{Admin: &admin.ID, Action: "publish", AssetID: id, Platform: t.Platform, Outcome: "queued"}); err != nil {
				return err
			}
		}
		return nil
	})
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
