// The platforms: what each of them is, and what the program can do there.

package publish

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"retake.example/internal/store"
)

// Place is a platform. A further one is a package that speaks to it, a file here that makes a Site of it, and a row
// of Places. The database, the pages and the metrics learn of it from its row; TestPlaces_AFurtherOneIsARow adds one.
type Place struct {
	ID       string // its name in the database, in capitals
	Name     string // what it calls itself
	Icon     string // of the page
	Channels bool   // videos go to a channel that an owner has connected
	Changes  bool   // what is there can be changed and deleted from here
	Times    bool   // it makes a video public at its time itself; for the others the queue waits until then
	Open     bool   // what the program sends there is shown to everybody at once

	ready func(*About) *bool // where About says that the program itself can publish there; nil: in Others
	with  func(*Sites) Site
}

// Places are the platforms, in the order of the page.
var Places = []Place{
	{ID: "YOUTUBE", Name: "YouTube", Icon: "yt", Channels: true, Changes: true, Times: true,
		ready: func(a *About) *bool { return &a.YouTube },
		with:  func(s *Sites) Site { return onYouTube{s} }},
	{ID: "RUMBLE", Name: "Rumble", Icon: "rumble", Open: true,
		ready: func(a *About) *bool { return &a.Rumble },
		with:  func(s *Sites) Site { return onRumble{s} }},
	{ID: "TELEGRAM", Name: "Telegram", Icon: "telegram", Channels: true, Changes: true, Open: true,
		ready: func(a *About) *bool { return &a.Telegram },
		with:  func(s *Sites) Site { return onTelegram{s} }},
}

// PlaceOf returns the platform with an id; false: there is none.
func PlaceOf(id string) (Place, bool) {
	i := slices.IndexFunc(Places, func(p Place) bool { return p.ID == id })
	if i < 0 {
		return Place{ID: id, Name: id}, false
	}
	return Places[i], true
}

// IDs are those of Places.
func IDs() (all []string) {
	for _, p := range Places {
		all = append(all, p.ID)
	}
	return all
}

// Further reports whether it has no section of its own on the page of the channels.
func (p Place) Further() bool { return p.ready == nil }

// Key is what forms call the platform.
func (p Place) Key() string { return strings.ToLower(p.ID) }

// ChannelKey is what forms call the channel on it.
func (p Place) ChannelKey() string {
	if p.ID == "YOUTUBE" { // from when it was the only platform with channels
		return "channel"
	}
	return p.Key() + "_channel"
}

// Ready reports whether the program itself can publish on a platform.
func (a About) Ready(place Place) bool {
	if place.ready == nil {
		return a.Others[place.ID]
	}
	return *place.ready(&a)
}

// forEverybody returns an error if a video is not public, for platforms that show everything: its privacy can change
// while it waits in the queue.
func forEverybody(p *store.Publication) error {
	if p.Metadata.Privacy == "public" {
		return nil
	}
	platform := strings.ToLower(p.Platform)
	return notPublic{errors.New(platform + " refused-privacy: what is sent there is shown to everybody"),
		platform + "_not_public"}
}

type notPublic struct {
	error
	code string
}

// Code returns a stable word for the reason.
func (e notPublic) Code() string { return e.code }

func (notPublic) Permanent() bool { return true }

func (notPublic) Pause() time.Duration { return 0 }

func (notPublic) Step() string { return "edit" }

// A Platform is a site that the queue publishes videos on.
type Platform interface {
	// Publish carries a publication on from t.Publication.Upload. It keeps what must not be done twice before it does it.
	// With again > 0 the platform is still working on the video: ask again after that time.
	Publish(ctx context.Context, t store.Task, keep func(store.Upload) error) (again time.Duration, err error)
}

// A Site is a platform as the page needs it.
type Site interface {
	Platform
	// Ready reports whether the program itself can publish there.
	Ready() bool
	// Find returns the id ("" where nobody knows it) and the address of the video of a publication that an admin has
	// found there. It returns ErrURL, ErrURLSite or ErrURLVideo if the address does not show one.
	Find(ctx context.Context, a store.Asset, p store.Publication, address string) (id, url string, err error)
}

// A Changer is a platform where what was published can be changed and deleted from here. Errors may be
// retry.ChannelTrouble.
type Changer interface {
	// Change makes a published video as somebody changed it here since it was sent, and returns what it is like then. It
	// returns *Conflict and changes nothing if a field was changed there, too, unless keep says which of the two counts.
	Change(ctx context.Context, p store.Publication, to Version, keep Keep) (now Version, err error)
	// Erase deletes the video of a publication, or ends its upload and deletes the video if it has become one. size is in
	// bytes. After nil the platform has nothing of it.
	Erase(ctx context.Context, p store.Publication, size int64) error
}

// A Holder is a platform with channels.
type Holder interface {
	// Check returns what a channel is called now, if videos can be published there.
	Check(ctx context.Context, c store.Channel) (title string, err error)
	// Release gives the access to a channel back; others: another channel of the platform is connected.
	Release(ctx context.Context, c store.Channel, others bool) error
}

// A Joiner is a Holder whose channels are connected by naming them.
type Joiner interface {
	Holder
	// Join returns the channel with a name, an address or a number, if videos can be published there. No token is kept.
	Join(ctx context.Context, name string) (store.Channel, error)
}

// A Witness is a platform that tells how published videos are.
type Witness interface {
	// Look returns how videos of a channel are, by the id of the publication. It leaves out those that have to be looked
	// at again, in lookAgain. list has at most lookBatch.
	Look(ctx context.Context, channel int64, list []store.Look) (map[int64]store.Finding, error)
	// Spends returns what one look costs of lookBudget.
	Spends() int
}

// Version is what a video on a platform is like.
type Version struct {
	store.Metadata
	PublishAt time.Time   // zero: it waits for no time
	There     store.Edits // what stays as somebody changed it there, and is not in the metadata
}
