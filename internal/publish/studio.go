// What the page does with channels and publications: connect, check, update, remove.

package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"retake.example/internal/config"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/youtube"
)

// Studio is what the page publishes with.
type Studio struct {
	*Sites
	queue queue
	cfg   config.Config
}

// queue is what a change of a channel or a publication means for the queue.
type queue interface {
	retry.Retrier
	Reconnected(ctx context.Context, admin store.Admin) error
	Discard(ctx context.Context, gone store.Deleted)
}

// NewStudio returns a studio on these sites.
func NewStudio(sites *Sites, q queue, cfg config.Config) *Studio {
	return &Studio{Sites: sites, queue: q, cfg: cfg}
}

// About says what there is to publish with.
func (s *Studio) About(ctx context.Context) (About, error) {
	reset := youtube.Midnight(s.store.Now())
	begun, err := s.store.UploadsSince(ctx, reset.AddDate(0, 0, -1))
	about := About{
		Callback:   s.cfg.Web.BaseURL + "/channels/callback",
		Consent:    s.cfg.YouTube.AuthURL,
		PerDay:     s.cfg.YouTube.UploadsPerDay,
		Left:       max(0, s.cfg.YouTube.UploadsPerDay-begun),
		Reset:      reset,
		RumblePage: s.rumble.UploadPage(),
		Others:     map[string]bool{},
	}
	for _, p := range Places {
		if p.ready == nil {
			about.Others[p.ID] = s.all[p.ID].Ready()
		} else {
			*p.ready(&about) = s.all[p.ID].Ready()
		}
	}
	return about, err
}

// HandPage is where an admin uploads to a platform by hand; "": nobody knows.
func (s *Studio) HandPage(platform string) string {
	if at, ok := s.all[platform].(interface{ UploadPage() string }); ok {
		return at.UploadPage()
	}
	return ""
}

// Tells reports whether a platform can be asked how its videos are.
func (s *Studio) Tells(platform string) bool {
	_, tells := s.all[platform].(Witness)
	return tells
}

// Ask returns the address at which Google asks the admin of a session for access. channel: the one that is reconnected;
// 0: any.
func (s *Studio) Ask(ctx context.Context, session [32]byte, channel int64) (string, error) {
	if s.youtube == nil {
		return "", ErrNoClient
	}
	if channel == 0 {
		return s.youtube.Ask(session, ""), nil
	}
	c, err := s.store.Channel(ctx, channel)
	return s.youtube.Ask(session, c.External), err
}

// Answer connects the channel that Google has given access to. What failed because that had ended goes on.
func (s *Studio) Answer(
	ctx context.Context,
	session [32]byte,
	query url.Values,
	admin store.Admin,
) (store.Channel, error) {
	if s.youtube == nil {
		return store.Channel{}, ErrNoClient
	}
	grant, err := s.youtube.Answer(ctx, session, query)
	if other, ok := errors.AsType[*youtube.OtherChannel](err); ok {
		return store.Channel{}, &OtherChannel{s.titleOf(ctx, other.Want), other.Got.Title}
	}
	if err != nil {
		return store.Channel{}, err
	}
	c := store.Channel{
		Platform: "YOUTUBE",
		External: grant.Channel.ID,
		Title:    grant.Channel.Title,
		Creator:  admin.ID,
		Ends:     grant.Token.Ends,
	}
	sealed, err := s.seal(grant.Token, c.External)
	if err != nil {
		return c, err
	}
	err = s.connect(ctx, &c, sealed, admin)
	return c, err
}

// connect connects a channel with its sealed token, and sets its id. What failed because its access had ended goes on.
func (s *Studio) connect(ctx context.Context, c *store.Channel, sealed []byte, admin store.Admin) error {
	if err := s.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) (err error) {
		if c.ID, err = tx.Connect(*c, sealed); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "connect", Platform: c.Platform})
	}); err != nil {
		return err
	}
	return s.queue.Reconnected(context.WithoutCancel(ctx), admin)
}

// Join connects the channel of a platform with a name, an address or a number. What failed because its access had ended
// goes on. It returns store.ErrNotFound if channels of the platform are not connected by naming them.
func (s *Studio) Join(ctx context.Context, platform, name string, admin store.Admin) (c store.Channel, err error) {
	site, ok := s.all[platform].(Joiner)
	if !ok {
		return c, store.ErrNotFound
	}
	if c, err = site.Join(ctx, name); err != nil {
		return c, err
	}
	c.Platform, c.Creator = platform, admin.ID
	err = s.connect(ctx, &c, []byte{}, admin)
	return c, err
}

// titleOf is what a channel is called.
func (s *Studio) titleOf(ctx context.Context, external string) string {
	all, _ := s.store.Channels(ctx) // without a title the id has to do
	for _, c := range all {
		if c.External == external {
			return c.Title
		}
	}
	return external
}

// holder returns a channel and its platform. It returns ErrNoAccess if the channel is not connected.
func (s *Studio) holder(ctx context.Context, channel int64) (c store.Channel, site Holder, err error) {
	if c, err = s.store.Channel(ctx, channel); err != nil {
		return c, nil, err
	}
	site, ok := s.all[c.Platform].(Holder)
	if !ok || c.State == "DISCONNECTED" {
		return c, site, ErrNoAccess
	}
	return c, site, nil
}

// Check asks whether a channel still works. If its access had ended and is back, what failed for that goes on. Its
// videos are looked at soon.
func (s *Studio) Check(ctx context.Context, channel int64, admin store.Admin) error {
	c, site, err := s.holder(ctx, channel)
	if err != nil {
		return err
	}
	began := s.store.Now()
	title, err := site.Check(ctx, c)
	if err != nil {
		return s.noticed(ctx, channel, began, err)
	}
	if err := s.store.Tx(ctx, func(tx *store.Tx) error {
		return errors.Join(tx.Checked(channel, title), tx.LookNow(channel))
	}); err != nil {
		return err
	}
	return s.queue.Reconnected(ctx, admin)
}

// Disconnect gives the access to a channel back and forgets its token. It returns ErrNotRevoked if the platform could
// not be told; the token is gone here then.
func (s *Studio) Disconnect(ctx context.Context, channel int64, admin store.Admin) error {
	all, err := s.store.Channels(ctx)
	if err != nil {
		return err
	}
	c, site, err := s.holder(ctx, channel)
	if err != nil && !errors.Is(err, ErrNoAccess) {
		return err
	}
	if err == nil {
		err = site.Release(ctx, c, slices.ContainsFunc(all, func(o store.Channel) bool {
			return o.ID != channel && o.Platform == c.Platform && o.State == "CONNECTED"
		}))
	} else {
		err = nil // there is nothing to give back
	}
	forgot := s.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		problem := strings.ToLower(c.Platform) + " disconnected: the channel was disconnected here"
		if err := tx.Disconnect(channel, problem); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "disconnect", Platform: c.Platform})
	})
	of, isOf := errors.AsType[retry.ChannelTrouble](err)
	switch {
	case forgot != nil:
		return forgot
	case err == nil, isOf && of.AccessEnded(): // there was nothing to give back
		return nil
	}
	return fmt.Errorf("%w: %w", ErrNotRevoked, err)
}

// published returns a video and its publication on a platform, if this admin may change it.
func (s *Studio) published(
	ctx context.Context,
	assetID, platform string,
	admin store.Admin,
) (a store.Asset, p store.Publication, err error) {
	err = s.store.Tx(ctx, func(tx *store.Tx) (err error) {
		if a, err = tx.Asset(assetID); err != nil {
			return err
		}
		if p, err = tx.Publication(assetID, platform); err != nil {
			return err
		}
		if !admin.MayChange(&p.Creator) {
			return store.ErrForbidden
		}
		p.Upload.Session, p.Upload.Since, err = tx.Session(p.ID)
		return err
	})
	return a, p, err
}

// Update changes on its platform what was changed here since it was sent. What somebody changed on the platform stays.
// If a field was changed in both places it returns *Conflict and changes nothing, unless keep says which of the two
// counts. It returns ErrNoChange if the video is not there, or nothing can be changed there.
func (s *Studio) Update(ctx context.Context, assetID, platform string, keep Keep, admin store.Admin) error {
	a, p, err := s.published(ctx, assetID, platform, admin)
	if err != nil {
		return err
	}
	return s.change(ctx, a, p, Version{Metadata: a.Metadata, PublishAt: p.PublishAt}, keep, "update", admin)
}

// change makes a published video another version, and notes the action.
func (s *Studio) change(ctx context.Context, a store.Asset, p store.Publication, to Version, keep Keep, action string,
	admin store.Admin) error {
	site, ok := s.all[p.Platform].(Changer)
	if !ok || p.Upload.ID == "" || p.Status != store.Completed {
		return ErrNoChange
	}
	began := s.store.Now()
	there, err := site.Change(ctx, p, to, keep)
	if retry.CodeOf(err) == strings.ToLower(p.Platform)+"_not_found" {
		gone := s.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.Missing(a.ID, p) })
		return errors.Join(err, gone)
	}
	if err != nil {
		return s.noticed(ctx, p.Channel, began, err)
	}
	if there.PublishAt.IsZero() && there.Privacy == "public" && !p.PublishAt.After(began) {
		there.PublishAt = p.PublishAt // its time has come
	}
	return s.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		if err := tx.Changed(p, a.ID, there.Metadata, there.PublishAt, there.There); err != nil {
			return err
		}
		// The form shows what was changed on the platform, too: otherwise the next update would undo it.
		saved, err := tx.Asset(a.ID)
		if err != nil {
			return err
		}
		if err := tx.SaveMetadata(a.ID, carry(saved.Metadata, to.Metadata, there.Metadata)); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: action, AssetID: a.ID, Platform: p.Platform})
	})
}

// Postpone sets another time when a video is to become public; zero: as soon as it can be. It returns ErrNoChange if
// it waits for no time, and store.Busy while it is being sent. It returns ErrMoved if the time is another one by now,
// here or on the platform: the publication has that, then.
func (s *Studio) Postpone(
	ctx context.Context, assetID, platform string, was, at time.Time, admin store.Admin,
) error {
	a, p, err := s.published(ctx, assetID, platform, admin)
	place, _ := PlaceOf(platform)
	switch {
	case err != nil:
		return err
	case !was.IsZero() && !p.PublishAt.Equal(was):
		return ErrMoved
	case p.PublishAt.IsZero(), p.Status == store.Failed, p.Metadata.Privacy != "public":
		return ErrNoChange
	case p.Status != store.Completed:
		return s.store.Tx(ctx, func(tx *store.Tx) error {
			if err := tx.MoveTo(assetID, p, at, !place.Times); err != nil {
				return err
			}
			return tx.Note(store.Event{Admin: &admin.ID, Action: "reschedule", AssetID: assetID, Platform: platform})
		})
	case !place.Times, !p.PublishAt.After(s.store.Now()):
		return ErrNoChange
	}
	err = s.change(ctx, a, p, Version{Metadata: p.Metadata, PublishAt: at}, KeepNone, "reschedule", admin)
	if both, ok := errors.AsType[*Conflict](err); ok { // now it is known what was chosen there
		there := Version{Metadata: p.Metadata, PublishAt: p.PublishAt, There: maps.Clone(p.There)}
		for _, d := range both.Fields {
			delete(there.There, d.Field)
			switch d.Field {
			case "privacy":
				there.Privacy = d.Theirs
			case fieldAt:
				there.PublishAt, _ = time.Parse(time.RFC3339, d.Theirs) // "" is no time
			}
		}
		err = s.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error {
			return tx.Changed(p, a.ID, there.Metadata, there.PublishAt, there.There)
		})
		return cmp.Or(err, error(ErrMoved))
	}
	return err
}

// Remove deletes a video on its platform, where that can be done from here, and forgets the publication. deleted
// reports whether the platform has nothing of it for certain. What is on a disconnected channel is only forgotten: an
// admin has to delete it there.
func (s *Studio) Remove(ctx context.Context, assetID, platform string, admin store.Admin) (deleted bool, err error) {
	a, p, err := s.published(ctx, assetID, platform, admin)
	if err != nil {
		return false, err
	}
	c, err := s.store.Channel(ctx, p.Channel)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	// Of an upload there can be a video only if its last bytes had left.
	there := p.Upload.ID != "" || p.Upload.Session != "" && p.Status == store.Failed && !p.Upload.Uploaded.IsZero()
	if there && c.State != "" && c.State != "DISCONNECTED" {
		began := s.store.Now()
		site, ok := s.all[platform].(Changer)
		if ok {
			if err := site.Erase(ctx, p, a.Video.Size); err != nil {
				return false, s.noticed(ctx, p.Channel, began, err)
			}
		}
		deleted = ok
	}
	var gone store.Deleted
	err = s.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) (err error) {
		if err := tx.Unchanged(assetID, p); err != nil {
			return err
		}
		if err := tx.Unpublish(assetID, platform); err != nil {
			return err
		}
		if gone, err = tx.LetGo(assetID); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "unpublish", AssetID: assetID, Platform: platform})
	})
	if err == nil {
		s.queue.Discard(context.WithoutCancel(ctx), gone)
	}
	return deleted, err
}

// MarkPublished records that somebody has put a video on a platform, or found it there, at an address.
func (s *Studio) MarkPublished(ctx context.Context, assetID, platform, address string, admin store.Admin) error {
	a, p, err := s.published(ctx, assetID, platform, admin)
	if err != nil {
		return err
	}
	site := s.all[platform]
	if site == nil {
		return store.ErrNotFound
	}
	id, address, err := site.Find(ctx, a, p, address)
	if err != nil {
		return err
	}
	return s.store.Tx(ctx, func(tx *store.Tx) error {
		if err := tx.MarkPublished(assetID, platform, address, id); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "mark published", AssetID: assetID, Platform: platform})
	})
}
