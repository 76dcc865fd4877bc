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
