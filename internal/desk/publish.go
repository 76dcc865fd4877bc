// publish.go is the form that publishes a video: what, where and when.

package desk

import (
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones are read on machines without it

	"retake.example/internal/store"
)

// soonest is how far ahead a time to become public must be: the upload takes its time, too.
const soonest = 15 * time.Minute

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

// Preview is how a platform shows the video to whom.
type Preview struct {
	Platform string `json:"platform"`
	Title    string `json:"title"` // as lists show it
	Text     string `json:"text"`  // as it stands under the video before somebody unfolds it
	Cut      bool   `json:"cut"`   // either is longer than that
	Who      string `json:"who"`   // sees it

	Private, Unlisted, Public, Later string `json:"-"` // what Who is with another choice
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
	p.Form = NewForm(say, Merge(p.Form.Metadata, sent), p.Form.Greeting)
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

// How much of a text is seen before somebody unfolds it, in characters.
const (
	titleInLists = 70
	textInLists  = 150
)

// preview says how each platform shows it.
func (p *Publishing) preview(say Say) {
	p.Previews = nil
	title, titleCut := beginning(p.Form.Title, titleInLists)
	text, textCut := beginning(p.Form.Description, textInLists)
	for _, platform := range []string{"YOUTUBE", "RUMBLE"} {
		if p.free(platform) {
			p.Previews = append(p.Previews, Preview{Platform: platform, Title: title, Text: text, Cut: titleCut || textCut, Who: p.who(say, platform, p.Form.Privacy, p.at),
				Private: p.sees(say, platform, "private", false), Unlisted: p.sees(say, platform, "unlisted", false),
				Public: p.sees(say, platform, "public", false), Later: p.sees(say, platform, "public", true)})
		}
	}
}

// who says who sees it on a platform, and from when.
func (p *Publishing) who(say Say, platform, privacy string, at time.Time) string {
	vars := Vars{}
	if !at.IsZero() {
		vars["Time"] = exactly(say, at)
	}
	switch {
	case platform == "RUMBLE" && !p.Studio.Rumble:
		return say("who_sees_by_hand", nil)
	case platform == "RUMBLE" && privacy != "public":
		return say("fault_rumble_private", nil)
	case platform == "RUMBLE" && at.IsZero():
		return say("who_sees_rumble", nil)
	case platform == "RUMBLE":
		return say("who_sees_rumble_later", vars)
	case privacy == "unlisted":
		return say("who_sees_unlisted", nil)
	case privacy != "public":
		return say("who_sees_private", nil)
	case at.IsZero():
		return say("who_sees_public", nil)
	}
	return say("who_sees_later", vars)
}

// Name is what the platform of a preview calls itself.
func (v Preview) Name() string { return PlatformName(v.Platform) }

// sees is what a preview says for one choice of who can see it; later leaves the time to the page's script.
func (p *Publishing) sees(say Say, platform, privacy string, later bool) string {
	if !later {
		return p.who(say, platform, privacy, time.Time{})
	}
	return p.who(func(id string, vars Vars) string {
		if vars["Time"] != nil {
			vars["Time"] = "{time}"
		}
		return say(id, vars)
	}, platform, privacy, time.Unix(0, 0))
}

// beginning is a text up to so many characters.
func beginning(text string, most int) (string, bool) {
	letters := []rune(text)
	if len(letters) <= most {
		return text, false
	}
	return strings.TrimSpace(string(letters[:most])) + "…", true
}

// exactly names a moment with its year and zone.
func exactly(say Say, t time.Time) string {
	return say("clock_exact", Vars{"Day": t.Day(), "Month": strings.Fields(say("months", nil))[t.Month()-1], "Year": t.Year(), "Time": t.Format("15:04"), "Zone": t.Location().String()})
}
