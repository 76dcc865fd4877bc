// Publishing on YouTube.

package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"retake.example/internal/config"
	"retake.example/internal/media"
	"retake.example/internal/store"
	"retake.example/internal/youtube"
)

// NewYouTube returns a client of YouTube with the settings' credentials.
func NewYouTube(cfg config.Config, now func() time.Time) *youtube.Client {
	return youtube.New(
		youtube.Config{ClientID: cfg.YouTube.ClientID, ClientSecret: cfg.YouTube.ClientSecret, BaseURL: cfg.YouTube.BaseURL,
			AuthURL: cfg.YouTube.AuthURL, TokenURL: cfg.YouTube.TokenURL, WatchURL: cfg.YouTube.WatchURL,
			RedirectURL: cfg.Web.BaseURL + "/channels/callback", Now: now},
	)
}

// onYouTube publishes on YouTube.
type onYouTube struct{ *Sites }

// Ready reports whether there is a Google app.
func (s onYouTube) Ready() bool { return s.youtube != nil }

// Publish uploads the video, or carries its upload on.
func (s onYouTube) Publish(
	ctx context.Context,
	t store.Task,
	keep func(store.Upload) error,
) (again time.Duration, err error) {
	account, err := s.account(ctx, t.Publication.Channel)
	if err != nil {
		return 0, err
	}
	u, sealed := t.Publication.Upload, t.Publication.Upload.Session
	if u.Session, err = s.session(*t.Publication); err != nil {
		if u.ID == "" && !u.Uploaded.IsZero() {
			return 0, err
		}
		u.Session, sealed = "", "" // without its last byte it never became a video, and nobody can send that now
	}
	if u.ID == "" && u.Session == "" { // YouTube would keep what is damaged
		if err := media.Verify(ctx, s.files, t.Asset.Video.File, t.Asset.Video.Size); err != nil {
			return 0, fmt.Errorf("check the video: %w", err)
		}
	}
	file := s.opened(ctx, t.Asset.Video.File)
	defer file.Close()
	v := youtube.Video{File: file, Size: t.Asset.Video.Size, Type: media.TypeOf(t.Asset.Video.File)}
	if key := t.Asset.Video.Thumb; key != "" {
		thumb := s.opened(ctx, key)
		defer thumb.Close()
		v.Thumb, v.ThumbType = thumb, "image/jpeg"
	}
	at := youtube.State{
		Session:    u.Session,
		Since:      u.Since,
		Sent:       u.Sent,
		ID:         u.ID,
		Step:       u.Step,
		Uploaded:   u.Uploaded,
		ExtrasDone: u.ExtrasDone,
		Warning:    u.Warning,
	}
	return account.Publish(
		ctx,
		v,
		s.described(t.Publication.Metadata, t.Publication.PublishAt),
		at,
		func(at youtube.State) error {
			if at.Session != u.Session { // the store takes another text for another upload
				u.Session, sealed = at.Session, s.sealSession(t.Publication.ID, at.Session)
			}
			kept := store.Upload{
				Session:    sealed,
				Since:      at.Since,
				Sent:       at.Sent,
				ID:         at.ID,
				Step:       at.Step,
				Uploaded:   at.Uploaded,
				ExtrasDone: at.ExtrasDone,
				Warning:    at.Warning,
			}
			if kept.ID != "" {
				kept.URL = s.youtube.Watch(kept.ID)
			}
			return keep(kept)
		},
	)
}

// Change sends what was changed here since the video was sent, and leaves what was changed in YouTube Studio.
func (s onYouTube) Change(ctx context.Context, p store.Publication, to Version, keep Keep) (Version, error) {
	if to.Kids == "" { // the law wants a choice, and none would be sent as no
		return to, ErrKidsOpen
	}
	account, err := s.account(ctx, p.Channel)
	if err != nil {
		return to, err
	}
	base, mine := s.described(p.Metadata, p.PublishAt), s.described(to.Metadata, to.PublishAt)
	now, err := account.Merge(ctx, p.Upload.ID, base, mine)
	if conflict, ok := errors.AsType[*youtube.Conflict](err); ok {
		switch keep {
		case KeepOurs:
			now, err = account.Merge(ctx, p.Upload.ID, conflict.Theirs, conflict.Mine)
		case KeepTheirs:
			to.Metadata = with(to.Metadata, conflict.Theirs, conflict.Fields)
			now, err = account.Merge(ctx, p.Upload.ID, base, s.described(to.Metadata, to.PublishAt))
		default:
			return to, newConflict(to.Metadata, conflict)
		}
	}
	if err != nil {
		return to, err
	}
	return Version{Metadata: with(to.Metadata, now, everyField), PublishAt: now.PublishAt}, nil
}

// Find returns the video that an address shows, if it is the one of a publication: an admin who names the address of
// another video would delete that later.
func (s onYouTube) Find(ctx context.Context, a store.Asset, p store.Publication, address string) (id, url string,
	err error) {
	id, err = youtube.VideoID(address, s.watch)
	if err != nil {
		return "", "", urlError(err, youtube.ErrNoAddress, youtube.ErrOtherSite)
	}
	c, err := s.store.Channel(ctx, p.Channel)
	if errors.Is(err, store.ErrNotFound) {
		return "", "", ErrNoAccess
	} else if err != nil {
		return "", "", err
	}
	began := s.store.Now()
	account, err := s.account(ctx, p.Channel)
	if err == nil {
		err = account.Confirm(ctx, id, c.External, p.Metadata.Title, a.Video.Size)
	}
	if err != nil {
		return "", "", s.noticed(ctx, p.Channel, began, err)
	}
	return id, s.watch + id, nil
}

// Check asks YouTube what a channel is called.
func (s onYouTube) Check(ctx context.Context, c store.Channel) (title string, err error) {
	account, err := s.account(ctx, c.ID)
	if err != nil {
		return "", err
	}
	now, err := account.Mine(ctx)
	return now.Title, err
}

// Release gives the access back. Google ends all access to an account at once, which other channels may belong to, too:
// then it gives nothing back.
func (s onYouTube) Release(ctx context.Context, c store.Channel, others bool) error {
	account, err := s.account(ctx, c.ID)
	if err == nil && !others {
		err = account.Revoke(ctx)
	}
	return err
}

// Erase deletes the video of a publication, or ends its upload.
func (s onYouTube) Erase(ctx context.Context, p store.Publication, size int64) error {
	account, err := s.account(ctx, p.Channel)
	id, u := p.Upload.ID, p.Upload
	if err == nil && id == "" {
		u.Session, err = s.session(p)
	}
	if err == nil && id == "" {
		id, err = account.Abandon(
			ctx,
			youtube.State{Session: u.Session, Since: u.Since, Sent: u.Sent, Uploaded: u.Uploaded},
			size,
		)
	}
	if err == nil && id != "" {
		err = account.Delete(ctx, id)
	}
	return err
}

// described is metadata as YouTube takes it. A time that has passed in the queue means at once. Only what everybody may
// see has a time: YouTube would show the video to all at it, whatever was chosen since.
func (s *Sites) described(m store.Metadata, at time.Time) youtube.Metadata {
	if m.Privacy != "public" || !at.After(s.store.Now()) {
		at = time.Time{}
	}
	return youtube.Metadata{
		Title:       m.Title,
		Description: m.Description,
		Tags:        m.TagList(),
		Language:    m.Language,
		Privacy:     m.Privacy,
		Category: cmp.Or(
			m.Category,
			"22",
		),
		Playlist:  m.Playlist,
		Kids:      m.Kids == "yes",
		Synthetic: m.Synthetic == "yes",
		Notify:    m.Notify == "yes",
		PublishAt: at,
	}
}
