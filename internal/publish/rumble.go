// Publishing on Rumble.

package publish

import (
	"context"
	"errors"
	"fmt"
	"time"

	"retake.example/internal/media"
	"retake.example/internal/rumble"
	"retake.example/internal/store"
)

// onRumble publishes on Rumble.
type onRumble struct{ *Sites }

// Ready reports whether there is a token for uploads; without one an admin uploads there.
func (s onRumble) Ready() bool { return s.rumble.Token() }

// UploadPage is where an admin uploads by hand.
func (s onRumble) UploadPage() string { return s.rumble.UploadPage() }

// Find returns the address as Rumble writes it. Rumble cannot be asked about it.
func (s onRumble) Find(_ context.Context, _ store.Asset, _ store.Publication, address string) (id, url string,
	err error) {
	url, err = s.rumble.CheckURL(address)
	wrong, _ := errors.AsType[*rumble.AddressError](err)
	switch {
	case wrong != nil && wrong.Why == rumble.NoAddress:
		return "", "", ErrURL
	case wrong != nil && wrong.Why == rumble.OtherSite:
		return "", "", ErrURLSite
	case err != nil:
		return "", "", ErrURLVideo
	}
	return "", url, nil
}

// Publish uploads the video.
func (s onRumble) Publish(
	ctx context.Context,
	t store.Task,
	keep func(store.Upload) error,
) (again time.Duration, err error) {
	u, m := t.Publication.Upload, t.Publication.Metadata
	if u.ID != "" { // it was there when the program ended
		return 0, nil
	}
	if u.Step == "" {
		if err := forEverybody(t.Publication); err != nil {
			return 0, err
		}
		if err := media.Verify(ctx, s.files, t.Asset.Video.File, t.Asset.Video.Size); err != nil {
			return 0, fmt.Errorf("check the video: %w", err)
		}
	}
	file := s.opened(ctx, t.Asset.Video.File)
	defer file.Close()
	v := rumble.Video{
		File: file,
		Size: t.Asset.Video.Size,
		Type: media.TypeOf(t.Asset.Video.File),
		Name: t.Asset.Video.File,
	}
	if key := t.Asset.Video.Thumb; key != "" {
		thumb := s.opened(ctx, key)
		defer thumb.Close()
		v.Thumb, v.ThumbType = thumb, "image/jpeg"
	}
	made, err := s.rumble.Publish(
		ctx,
		v,
		rumble.Metadata{Title: m.Title, Description: m.Description, Guid: t.AssetID},
		rumble.State{
			Step: u.Step,
			Sent: u.Sent,
		},
		func(at rumble.State) error { return keep(store.Upload{Step: at.Step, Sent: at.Sent}) },
	)
	if err != nil {
		return 0, err
	}
	return 0, keep(store.Upload{Step: "processing", Sent: v.Size, ID: made.ID, URL: made.URL, Warning: made.Warning})
}
