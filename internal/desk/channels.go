// The page where channels are connected, with their defaults.

package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"retake.example/internal/publish"
	"retake.example/internal/retry"
	"retake.example/internal/store"
)

// Studio is what there is to publish with.
type Studio = publish.About

// Channel is a channel that was connected once.
type Channel struct {
	store.Channel
	Reason string `json:"reason,omitzero"` // why access has ended, in words
	Link   string `json:"link,omitzero"`   // where that can be fixed

	now time.Time
}

// EndsLater reports whether the platform has said when the access ends, and that is to come.
func (c Channel) EndsLater() bool { return c.State == "CONNECTED" && c.Ends.After(c.now) }

// Soon reports whether that is within two days: an owner should reconnect the channel before.
func (c Channel) Soon() bool { return c.EndsSoon(c.now) }

// Channels is the page.
type Channels struct {
	Success  bool      `json:"success"`
	Channels []Channel `json:"channels"`
	Studio   Studio    `json:"studio"`
	May      bool      `json:"may_change"` // an owner looks
	Problem  string    `json:"-"`          // what came of asking a platform, or of a check
	Link     string    `json:"-"`          // where that can be fixed
	Typed    string    `json:"-"`          // the name of a channel that was refused
	Edited   int64     `json:"-"`          // the channel whose defaults were refused
	Form     *Form     `json:"-"`          // what was wrong with them
}

// NewChannels describes channels.
func NewChannels(say Say, list []store.Channel, studio Studio, may bool, now time.Time) Channels {
	view := Channels{Success: true, Channels: []Channel{}, Studio: studio, May: may} // [] in JSON, not null
	for _, c := range list {
		code := codeOfText(c.Error)
		link := linkOf(code, c.Error)
		if messageOf(code) == "" {
			code = strings.ToLower(c.Platform) + "_access_ended"
		}
		view.Channels = append(view.Channels, Channel{c, Reason(say, code, c.Error, ""), link, now})
	}
	return view
}

// On are the channels of a platform.
func (v Channels) On(platform string) []Channel {
	return slices.DeleteFunc(slices.Clone(v.Channels), func(c Channel) bool { return c.Platform != platform })
}

// Further are the platforms that have no section of their own.
func (v Channels) Further() []publish.Place {
	return slices.DeleteFunc(slices.Clone(publish.Places), func(p publish.Place) bool { return !p.Further() })
}

// Ready reports whether the program itself can publish on a platform.
func (v Channels) Ready(p publish.Place) bool { return v.Studio.Ready(p) }

// ListOf is what the list of a platform's channels is made of.
func (v Channels) ListOf(platform string) ChannelList { return ChannelList{v, v.On(platform)} }

// ChannelList is that.
type ChannelList struct {
	View     Channels
	Channels []Channel
}

// DefaultsOf is the form with the defaults of a channel.
func (v Channels) DefaultsOf(c Channel) DefaultsForm {
	f := DefaultsForm{Channel: c, Form: v.Form, Languages: spoken}
	if v.Edited != c.ID || v.Form == nil {
		m := withChannel(store.Metadata{}, store.Metadata{}, c.Defaults)
		f.Form = &Form{Metadata: m, Version: versionOf(m)}
	}
	return f
}

// DefaultsForm is that form.
type DefaultsForm struct {
	Channel   Channel
	Form      *Form
	Languages []Language
}

// Ended is a channel that should be connected again.
type Ended struct {
	store.Channel
	Waiting int `json:"waiting"` // publications that failed because it is not
}

// ended are the channels to which access has ended or ends soon, and those that were disconnected while publications
// wait for them.
func (d *Desk) ended(ctx context.Context, list []store.Channel) (ended []Ended, err error) {
	waiting, err := d.store.WaitingForChannels(ctx)
	for _, c := range list {
		if c.EndsSoon(d.store.Now()) || c.State == "ENDED" || c.State == "DISCONNECTED" && waiting[c.ID] > 0 {
			ended = append(ended, Ended{c, waiting[c.ID]})
		}
	}
	return ended, err
}

// Errors about a channel that an owner is told.
var (
	OnlyOwners = HTTPError{http.StatusForbidden, "FORBIDDEN", "error_only_owners", nil}
	// youtube.client_id is empty
	NoClient = HTTPError{http.StatusConflict, "NOT_SET_UP", "error_no_client", nil}
	// nobody asked, or long ago, or elsewhere
	OldState = HTTPError{http.StatusForbidden, "OLD_STATE", "error_old_state", nil}
	// somebody pressed Cancel at Google
	Denied = HTTPError{http.StatusForbidden, "DENIED", "error_denied", nil}
	// a box at Google's page was not ticked
	NotAll = HTTPError{http.StatusConflict, "NOT_ALL", "error_not_all", nil}
	// Google gave access for an hour only
	NoRefresh = HTTPError{http.StatusConflict, "NO_REFRESH", "error_no_refresh", nil}
	NoChannel = HTTPError{http.StatusConflict, "NO_CHANNEL", "youtube_no_channel", nil} // the account has none
	// the channel is disconnected, but only here
	NotRevoked = HTTPError{http.StatusBadGateway, "NOT_REVOKED", "error_not_revoked", nil}
	// there is no access to check
	NotThere = HTTPError{http.StatusConflict, "NOT_CONNECTED", "error_not_connected", nil}
)

// OtherChannel refuses to reconnect a channel with the access to another one.
func OtherChannel(want, got string) HTTPError {
	return HTTPError{http.StatusConflict, "OTHER_CHANNEL", "error_other_channel", Vars{"Want": want, "Got": got}}
}

// AllowForms lets forms of this answer lead to another address: browsers hold the policy against where a form is sent
// on to.
func AllowForms(h http.Header, address string) {
	if host := oneHost(address); host != "" {
		h.Set("Content-Security-Policy", policyFor(host))
	}
}

// consent connects channels by way of Google's page. What it refuses is an HTTPError, an error of the store, or what
// Google said.
type consent interface {
	Ask(ctx context.Context, session [32]byte, channel int64) (url string, err error) // 0: any channel
	Answer(ctx context.Context, session [32]byte, query url.Values, admin store.Admin) (store.Channel, error)
	// Join connects a channel of another platform by its name, address or number.
	Join(ctx context.Context, platform, name string, admin store.Admin) (store.Channel, error)
}

// channelKeeper checks the access to channels and gives it back. What it refuses is as consent does.
type channelKeeper interface {
	Check(ctx context.Context, channel int64, admin store.Admin) error
	Disconnect(ctx context.Context, channel int64, admin store.Admin) error
}

// channels reads the channels that were connected once.
func (d *Desk) channels(ctx context.Context) ([]store.Channel, error) {
	list, err := d.store.Channels(ctx)
	if err != nil {
		return nil, fmt.Errorf("channels: %w", err)
	}
	return list, nil
}

// Channels answers with the page.
func (d *Desk) Channels(w http.ResponseWriter, r *http.Request) error {
	view, err := d.channelsView(w, r)
	if err != nil {
		return err
	}
	return d.answer(w, r, "channels", Frame{Title: sayTo(r)("nav_channels", nil), Here: "/channels"}, view)
}

func (d *Desk) channelsView(w http.ResponseWriter, r *http.Request) (view Channels, err error) {
	studio, err := d.opts.Platforms.About(r.Context())
	if err != nil {
		return view, fmt.Errorf("channels: %w", err)
	}
	list, err := d.channels(r.Context())
	AllowForms(w.Header(), studio.Consent) // where Connect leads
	return NewChannels(sayTo(r), list, studio, AdminOf(r).Owner, d.store.Now()), err
}

// refuseChannel says on the page of the channels what a platform or Google's consent said. typed is the name of a
// channel.
func (d *Desk) refuseChannel(w http.ResponseWriter, r *http.Request, typed string, err error) error {
	e := HTTPErrorOf(err)
	if e.Code == Internal.Code || e.Status == http.StatusNotFound || WantsJSON(r) {
		return err
	}
	view, problem := d.channelsView(w, r)
	if problem != nil {
		return problem
	}
	d.note(r, e, err)
	view.Problem, view.Link = sayTo(r)(e.ID, e.Vars), linkOf(retry.CodeOf(err), err.Error())
	view.Typed = typed
	return d.page(w, r, e.Status, "channels",
		Frame{Title: sayTo(r)("nav_channels", nil), SignedIn: true, Here: "/channels"}, view)
}

// channelID is the number of a channel; 0 for none.
func channelID(text string) (int64, error) {
	id, err := strconv.ParseInt(cmp.Or(text, "0"), 10, 64)
	if err != nil || id < 0 {
		return 0, store.ErrNotFound
	}
	return id, nil
}

// channelOf is the channel that the address names.
func (d *Desk) channelOf(r *http.Request) (c store.Channel, err error) {
	id, err := channelID(r.PathValue("id"))
	if err != nil {
		return c, err
	}
	if c, err = d.store.Channel(r.Context(), id); err != nil {
		return c, fmt.Errorf("channel %d: %w", id, err)
	}
	return c, nil
}

// Connect leads to the page where Google asks for access, or connects the channel of another platform that is named.
func (d *Desk) Connect(w http.ResponseWriter, r *http.Request) error {
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	if platform := sent["platform"]; platform != "" && platform != "YOUTUBE" {
		if _, err := d.opts.Consent.Join(d.ctx, platform, sent["name"], AdminOf(r)); err != nil {
			return d.refuseChannel(w, r, sent["name"], fmt.Errorf("connect a channel: %w", Told(err)))
		}
		return doneAt(w, r, "/channels?notice=connected", "connected", "")
	}
	channel, err := channelID(sent["channel"])
	if err != nil {
		return err
	}
	address, err := d.opts.Consent.Ask(r.Context(), sessionOf(r), channel)
	if err != nil {
		return d.refuseChannel(w, r, "", fmt.Errorf("ask for a channel: %w", Told(err)))
	}
	if WantsJSON(r) {
		return JSON(w, http.StatusOK, map[string]any{"success": true, "outcome": "asked", "url": address})
	}
	return redirect(w, address)
}

// Connected takes Google's answer.
func (d *Desk) Connected(w http.ResponseWriter, r *http.Request) error {
	if _, err := d.opts.Consent.Answer(d.ctx, sessionOf(r), r.URL.Query(), AdminOf(r)); err != nil {
		return d.refuseChannel(w, r, "", fmt.Errorf("connect a channel: %w", Told(err)))
	}
	return doneAt(w, r, "/channels?notice=connected", "connected", "")
}

// CheckChannel asks a platform whether access to a channel works.
func (d *Desk) CheckChannel(w http.ResponseWriter, r *http.Request) error {
	id, err := channelID(r.PathValue("id"))
	if err == nil {
		err = d.opts.Channels.Check(d.ctx, id, AdminOf(r))
	}
	if err != nil {
		return d.refuseChannel(w, r, "", fmt.Errorf("check a channel: %w", Told(err)))
	}
	return doneAt(w, r, "/channels?notice=checked", "checked", "")
}

// defaults are those of the channel that the address names, or of the first one that is connected. Like last time means
// without the description, which may name a child.
func (d *Desk) defaults(r *http.Request) (store.Defaults, error) {
	list, err := d.channels(r.Context())
	if err != nil {
		return store.Defaults{}, err
	}
	named := r.URL.Query().Get("channel")
	at := slices.IndexFunc(list, func(c store.Channel) bool {
		return c.State == "CONNECTED" && (named == "" || strconv.FormatInt(c.ID, 10) == named)
	})
	if at < 0 {
		return store.Defaults{}, nil
	}
	return d.defaultsOf(r.Context(), list[at])
}

// defaultsOf are those of a channel.
func (d *Desk) defaultsOf(ctx context.Context, c store.Channel) (store.Defaults, error) {
	if !c.Defaults.Last {
		return c.Defaults, nil
	}
	last, err := d.store.LastOn(ctx, c.ID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return c.Defaults, nil
	case err != nil:
		return c.Defaults, fmt.Errorf("what was published last: %w", err)
	}
	return store.Defaults{Description: c.Defaults.Description, Tags: last.Tags, Language: last.Language, Kids: last.Kids,
		Privacy: last.Privacy, Playlist: last.Playlist}, nil
}

// SaveDefaults keeps what the form to publish on a channel begins with.
func (d *Desk) SaveDefaults(w http.ResponseWriter, r *http.Request) error {
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	c, err := d.channelOf(r)
	if err != nil {
		return err
	}
	say := sayTo(r)
	var form *Form
	admin := AdminOf(r)
	err = d.store.Tx(r.Context(), func(tx *store.Tx) error {
		saved, err := tx.Defaults(c.ID)
		if err != nil {
			return err
		}
		var next store.Defaults
		if form, next = sentDefaults(say, saved, sent); form.Faults != nil {
			return errFaults
		}
		if err := tx.SetDefaults(c.ID, next); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "defaults", Platform: c.Platform})
	})
	if errors.Is(err, errFaults) {
		view, err := d.channelsView(w, r)
		if err != nil {
			return err
		}
		view.Edited, view.Form = c.ID, form
		return d.refuse(w, r, form.error(), "channels", say("nav_channels", nil), view, form.Faults)
	}
	if err != nil {
		return fmt.Errorf("defaults: %w", err)
	}
	return doneAt(w, r, "/channels?notice=defaults#channel-"+strconv.FormatInt(c.ID, 10), "defaults", "")
}

// AskDisconnect answers with the page that asks before a channel is disconnected.
func (d *Desk) AskDisconnect(w http.ResponseWriter, r *http.Request) error {
	channel, err := d.channelOf(r)
	if err != nil {
		return err
	}
	all, err := d.channels(r.Context())
	if err != nil {
		return err
	}
	others := slices.ContainsFunc(all, func(c store.Channel) bool {
		return c.ID != channel.ID && c.Platform == channel.Platform && c.State == "CONNECTED"
	})
	return d.answer(w, r, "disconnect", Frame{Title: sayTo(r)("title_disconnect", nil)}, struct {
		Success       bool `json:"success"`
		store.Channel `json:"channel"`
		Others        bool `json:"others_connected"` // Google is not told then
	}{true, channel, others})
}

// Disconnect gives access to a channel back and forgets it.
func (d *Desk) Disconnect(w http.ResponseWriter, r *http.Request) error {
	id, err := channelID(r.PathValue("id"))
	if err == nil {
		err = d.opts.Channels.Disconnect(d.ctx, id, AdminOf(r))
	}
	if err != nil {
		return d.refuseChannel(w, r, "", fmt.Errorf("disconnect a channel: %w", Told(err)))
	}
	return doneAt(w, r, "/channels?notice=disconnected", "disconnected", "")
}
