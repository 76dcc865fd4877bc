// Publishing on YouTube.

package publish

import (
	"cmp"
	"context"
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
		Session:  u.Session,
		Since:    u.Since,
		Sent:     u.Sent,
		ID:       u.ID,
		Step:     u.Step,
		Uploaded: u.Uploaded,
		Dressed:  u.Dressed,
		Warning:  u.Warning,
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
				Session:  sealed,
				Since:    at.Since,
				Sent:     at.Sent,
				ID:       at.ID,
				Step:     at.Step,
				Uploaded: at.Uploaded,
				Dressed:  at.Dressed,
				Warning:  at.Warning,
			}
			if kept.ID != "" {
				kept.URL = s.youtube.Watch(kept.ID)
			}
			return keep(kept)
		},
	)
}

// Withdraw ends an upload, and deletes the video if there is one already.
func (s onYouTube) Withdraw(ctx context.Context, w store.Withdrawal) error {
	began := s.store.Now()
	if err := s.erase(ctx, w.Publication, w.Size); err != nil {
		return s.noticed(ctx, w.Channel, began, err)
	}
	return nil
}

// erase deletes the video of a publication, or ends its upload and deletes the video if it has become one. size is in
// bytes. After nil YouTube has nothing of it.
func (s *Sites) erase(ctx context.Context, p store.Publication, size int64) error {
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
