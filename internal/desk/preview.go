// Previews: how a platform will show a video, and to whom.

package desk

import (
	"strings"
	"time"
)

// Preview is how a platform shows the video to whom.
type Preview struct {
	Platform string `json:"platform"`
	Title    string `json:"title"` // as lists show it
	Text     string `json:"text"`  // as it stands under the video before somebody unfolds it
	Cut      bool   `json:"cut"`   // either is longer than that
	Who      string `json:"who"`   // sees it

	Private, Unlisted, Public, Later string `json:"-"` // what Who is with another choice
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
	for _, s := range p.Spots {
		if s.Pub == nil {
			p.Previews = append(p.Previews,
				Preview{Platform: s.ID, Title: title, Text: text, Cut: titleCut || textCut,
					Who:     p.who(say, s, p.Form.Privacy, p.at),
					Private: p.sees(say, s, "private", false), Unlisted: p.sees(say, s, "unlisted", false),
					Public: p.sees(say, s, "public", false), Later: p.sees(say, s, "public", true)})
		}
	}
}

// who says who sees it on a platform, and from when.
func (p *Publishing) who(say Say, s Spot, privacy string, at time.Time) string {
	vars := Vars{"Name": s.Name}
	if !at.IsZero() {
		vars["Time"] = exactly(say, at)
	}
	switch {
	case s.ByHand():
		return say("who_sees_by_hand", vars)
	case s.Open && privacy != "public":
		return say("fault_not_public", vars)
	case s.Open && at.IsZero():
		return say("who_sees_open", nil)
	case s.Open:
		return say("who_sees_open_later", vars)
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
func (p *Publishing) sees(say Say, s Spot, privacy string, later bool) string {
	if !later {
		return p.who(say, s, privacy, time.Time{})
	}
	return p.who(func(id string, vars Vars) string {
		if vars["Time"] != nil {
			vars["Time"] = "{time}"
		}
		return say(id, vars)
	}, s, privacy, time.Unix(0, 0))
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
	return say("clock_exact", Vars{"Day": t.Day(), "Month": strings.Fields(say("months", nil))[t.Month()-1],
		"Year": t.Year(), "Time": t.Format("15:04"), "Zone": t.Location().String()})
}
