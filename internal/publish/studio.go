// What the page does with channels and publications: connect, check, update, remove.

package publish

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"retake.example/internal/config"
	"retake.example/internal/retry"
	"retake.example/internal/rumble"
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
	Discard(ctx context.Context, gone store.Gone)
}

// NewStudio returns a studio on these sites.
func NewStudio(sites *Sites, q queue, cfg config.Config) *Studio {
	return &Studio{Sites: sites, queue: q, cfg: cfg}
}

// About says what there is to publish with.
func (s *Studio) About(ctx context.Context) (About, error) {
	reset := youtube.Midnight(s.store.Now())
	begun, err := s.store.UploadsSince(ctx, reset.AddDate(0, 0, -1))
	return About{
		YouTube:    s.youtube != nil,
		Callback:   s.cfg.Web.BaseURL + "/channels/callback",
		Consent:    s.cfg.YouTube.AuthURL,
		PerDay:     s.cfg.YouTube.UploadsPerDay,
		Left:       max(0, s.cfg.YouTube.UploadsPerDay-begun),
		Reset:      reset,
		Rumble:     s.rumble.Token(),
		RumblePage: s.rumble.UploadPage(),
	}, err
}

func (s *Studio) HandPage() string { return s.rumble.UploadPage() }

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
	if err := s.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) (err error) {
		if c.ID, err = tx.Connect(c, sealed); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "connect", Platform: c.Platform})
	}); err != nil {
		return c, err
	}
	return c, s.queue.Reconnected(context.WithoutCancel(ctx), admin)
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

// Check asks whether a channel still works. If its access had ended and is back, what failed for that goes on.
func (s *Studio) Check(ctx context.Context, channel int64, admin store.Admin) error {
	if _, err := s.store.Token(ctx, channel); errors.Is(err, store.ErrNotFound) {
		if _, err := s.store.Channel(ctx, channel); err != nil {
			return err
		}
		return ErrNoAccess
	}
	began := s.store.Now()
	account, err := s.account(ctx, channel)
	var c youtube.Channel
	if err == nil {
		c, err = account.Mine(ctx)
	}
	if err != nil {
		return s.noticed(ctx, channel, began, err)
	}
	if err := s.store.Tx(ctx, func(tx *store.Tx) error { return tx.Checked(channel, c.Title) }); err != nil {
		return err
	}
	return s.queue.Reconnected(ctx, admin)
}

// Disconnect gives the access to a channel back and forgets its token. Google ends all access to an account at once,
// which other channels may belong to, too, so while another channel is connected it only forgets the token. It returns
// ErrNotRevoked if Google could not be told; the token is gone here then.
func (s *Studio) Disconnect(ctx context.Context, channel int64, admin store.Admin) error {
	all, err := s.store.Channels(ctx)
	if err != nil {
		return err
	}
	others := slices.ContainsFunc(all, func(c store.Channel) bool { return c.ID != channel && c.State == "CONNECTED" })
	account, err := s.account(ctx, channel)
	if err == nil && !others {
		err = account.Revoke(ctx)
	}
	if err != nil && errors.Is(err, store.ErrNotFound) {
		return err
	}
	forgot := s.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		if err := tx.Disconnect(channel, "youtube disconnected: the channel was disconnected here"); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "disconnect", Platform: "YOUTUBE"})
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
	switch {
	case err != nil:
		return err
	case platform != "YOUTUBE", p.Upload.ID == "", p.Status != store.Completed:
		return ErrNoChange
	case a.Metadata.Kids == "": // the law wants a choice, and none would be sent as no
		return ErrKidsOpen
	}
	began := s.store.Now()
	account, err := s.account(ctx, p.Channel)
	if err != nil {
		return s.noticed(ctx, p.Channel, began, err)
	}
	mine := a.Metadata
	now, err := account.Merge(ctx, p.Upload.ID, s.described(p.Metadata, p.PublishAt), s.described(mine, p.PublishAt))
	if conflict, ok := errors.AsType[*youtube.Conflict](err); ok {
		switch keep {
		case KeepOurs:
			now, err = account.Merge(ctx, p.Upload.ID, conflict.Theirs, conflict.Mine)
		case KeepTheirs:
			mine = with(mine, conflict.Theirs, conflict.Fields)
			now, err = account.Merge(ctx, p.Upload.ID, s.described(p.Metadata, p.PublishAt), s.described(mine, p.PublishAt))
		default:
			return newConflict(p.Metadata, mine, conflict)
		}
	}
	if err != nil {
		return s.noticed(ctx, p.Channel, began, err)
	}
	there, at := with(mine, now, everyField), now.PublishAt
	if at.IsZero() && there.Privacy == "public" && !p.PublishAt.After(began) {
		at = p.PublishAt // its time has come
	}
	return s.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		if err := tx.Changed(p, assetID, there, at); err != nil {
			return err
		}
		// The form shows what was changed on the platform, too: otherwise the next update would undo it.
		saved, err := tx.Asset(assetID)
		if err != nil {
			return err
		}
		if err := tx.SaveMetadata(assetID, carry(saved.Metadata, a.Metadata, there)); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "update", AssetID: assetID, Platform: platform})
	})
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
		if err := s.erase(ctx, p, a.Video.Size); err != nil {
			return false, s.noticed(ctx, p.Channel, began, err)
		}
		deleted = true
	}
	var gone store.Gone
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
	id := ""
	if platform == "YOUTUBE" {
		id, err = youtube.VideoID(address, s.cfg.YouTube.WatchURL)
		address = s.cfg.YouTube.WatchURL + id
	} else {
		address, err = s.rumble.CheckURL(address)
	}
	wrong, _ := errors.AsType[*rumble.AddressError](err)
	switch {
	case errors.Is(err, youtube.ErrNoAddress), wrong != nil && wrong.Why == rumble.NoAddress:
		return ErrURL
	case errors.Is(err, youtube.ErrOtherSite), wrong != nil && wrong.Why == rumble.OtherSite:
		return ErrURLSite
	case err != nil:
		return ErrURLVideo
	}
	if platform == "YOUTUBE" {
		if err := s.confirm(ctx, a, p, id); err != nil {
			return err
		}
	}
	return s.store.Tx(ctx, func(tx *store.Tx) error {
		if err := tx.MarkPublished(assetID, platform, address, id); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "mark published", AssetID: assetID, Platform: platform})
	})
}

// confirm checks that a video on YouTube is the one of a publication: an admin who names the address of another video
// would delete that later.
func (s *Studio) confirm(ctx context.Context, a store.Asset, p store.Publication, id string) error {
	c, err := s.store.Channel(ctx, p.Channel)
	if errors.Is(err, store.ErrNotFound) {
		return ErrNoAccess
	} else if err != nil {
		return err
	}
	began := s.store.Now()
	account, err := s.account(ctx, p.Channel)
	if err == nil {
		err = account.Confirm(ctx, id, c.External, p.Metadata.Title, a.Video.Size)
	}
	if err != nil {
		return s.noticed(ctx, p.Channel, began, err)
	}
	return nil
}
