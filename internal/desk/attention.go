// What needs an admin: the section above everything else in the library, and the page that lists all of it.

package desk

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"retake.example/internal/store"
)

// Attention is what needs the admin who looks.
type Attention struct {
	Count int            `json:"count"`
	Kinds map[string]int `json:"by_kind"`
	Items []Item         `json:"items"`
	More  int            `json:"more,omitzero"` // that are not among the items
}

// Item is one thing that needs an admin, with one action.
type Item struct {
	Kind     string    `json:"kind"`
	Asset    string    `json:"asset,omitzero"`
	Name     string    `json:"name"` // of the video or the channel
	Platform string    `json:"platform,omitzero"`
	Channel  int64     `json:"channel,omitzero"`
	Messages int       `json:"messages,omitzero"` // that people did not get
	Since    time.Time `json:"since"`
	Code     string    `json:"error_code,omitzero"`
	Reason   string    `json:"reason"` // in words
	Act      string    `json:"action"` // in words
	Form     string    `json:"-"`      // where a form leads that does it
	Link     string    `json:"-"`      // or the page where it is done
	Icon     string    `json:"-"`
}

// Page is where the item is shown with all that belongs to it.
func (i Item) Page() string {
	switch {
	case i.Kind == store.NeedsAnswer:
		return "/attention"
	case i.Kind == store.NeedsContinuing:
		return announcementPath(i.Channel)
	case i.Asset == "":
		return "/channels#channel-" + strconv.FormatInt(i.Channel, 10)
	}
	return "/assets/" + i.Asset
}

// Site is what the platform calls itself; "" for what is on none.
func (i Item) Site() string {
	if i.Platform == "" || i.Asset == "" {
		return ""
	}
	return PlatformName(i.Platform)
}

// Key tells the item from all others on a page.
func (i Item) Key() string {
	return i.Kind + "-" + i.Asset + i.Platform + strconv.FormatInt(i.Channel, 10)
}

const (
	fewItems  = 5  // of a kind, on the library
	manyItems = 25 // of a kind, on their own page
)

// attention lists up to so many things of each kind that need the admin who looks.
func (d *Desk) attention(r *http.Request, each int) (a Attention, err error) {
	counts, some, err := d.store.Needing(r.Context(), AdminOf(r), each)
	if err != nil {
		return a, fmt.Errorf("attention: %w", err)
	}
	a = Attention{Count: counts.Total(), Kinds: map[string]int{}, Items: []Item{}}
	for _, kind := range store.AttentionKinds {
		a.Kinds[kind] = counts[kind].N
	}
	for _, n := range some {
		a.Items = append(a.Items, itemOf(sayTo(r), n))
	}
	a.More = a.Count - len(a.Items)
	return a, nil
}

// itemOf says what somebody has to do about something.
func itemOf(say Say, n store.Needing) Item {
	i := Item{Kind: n.Kind, Asset: n.AssetID, Name: n.Name, Platform: n.Platform, Channel: n.Channel, Since: n.Since,
		Messages: n.Messages, Code: codeOf(n.Code, n.Error, nil), Icon: "next"}
	i.Link = i.Page()
	on := i.Page() + "#on-" + i.Platform
	name := Vars{"Name": PlatformName(n.Platform)}
	switch n.Kind {
	case store.NeedsChannel:
		i.Reason = say("channel_ended", Vars{"Name": n.Name, "Platform": PlatformName(n.Platform)}) + " " +
			say("channel_ended_hint", nil)
		i.Act, i.Icon = say("reconnect", nil), "retry"
	case store.NeedsRetry:
		i.Reason, i.Act = Reason(say, i.Code, n.Error, "reason_other"), say("need_retry", nil)
		i.Form, i.Icon = i.Page()+"/retry", "retry"
	case store.NeedsSending:
		i.Reason, i.Act = say("undelivered_people", Vars{"Count": n.Messages}), say("send_again", nil)
		i.Reason += " " + undeliveredReason(say, n.Code)
		i.Form, i.Icon = i.Page()+"/retry", "up"
	case store.NeedsAnswer:
		i.Name, i.Reason = say("unanswered", nil), say("unanswered_messages", Vars{"Count": n.Messages})
		i.Reason += " " + unansweredReason(say, n.Code)
		i.Act, i.Form, i.Icon = say("need_retry", nil), "/unanswered", "retry"
	case store.NeedsContinuing:
		i.Name, i.Reason = say("announcement_title", Vars{"N": n.Channel}), copyReason(say, n.Code)
		i.Act, i.Code = say("need_decide", nil), n.Code
	case store.NeedsHand:
		i.Reason, i.Act, i.Link, i.Icon = say("need_hand", name), say("hand_more", nil), on, "hand"
	case store.NeedsTakeDown:
		i.Reason, i.Act, i.Icon = say("need_take_down", nil), say("unwanted_more", nil), "bin"
	case store.NeedsPublication:
		i.Reason = Reason(say, i.Code, n.Error, "reason_unpublished")
		switch {
		case n.Standing != "":
			i.Reason, i.Act, i.Link = say(standings[n.Standing], name), say("need_decide", nil), on
		case n.Step == "unknown":
			i.Act, i.Link = say("lost_more", nil), on
		case n.Step == "edit":
			i.Act, i.Link = say("edit_more", nil), i.Page()+"?fix="+i.Platform+"#metadata"
		case n.Step == "reconnect":
			i.Act, i.Link, i.Icon = say("reconnect", nil), "/channels", "retry"
		case n.Step == "rejected":
			i.Act, i.Link = say("need_decide", nil), on
		default:
			i.Act, i.Form, i.Icon = say("need_retry", nil), i.Page()+"/retry", "retry"
		}
	}
	return i
}

// Attended is the page of all that needs an admin.
type Attended struct {
	Success   bool      `json:"success"`
	Attention Attention `json:"attention"`
}

// Attention answers with all that needs the admin who looks.
func (d *Desk) Attention(w http.ResponseWriter, r *http.Request) error {
	all, err := d.attention(r, manyItems)
	if err != nil {
		return err
	}
	return d.answer(w, r, "attention", Frame{Title: sayTo(r)("needs_you_label", nil), Here: "/"}, Attended{true, all})
}
