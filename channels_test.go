// Tests of publishing on the page: the form, what becomes of a publication, and the channels.

package main

import (
	"context"
	"net/url"
	"testing"

	"retake/internal/desk"
)

// agency publishes on platforms that nobody has: what is asked of it, it notes in the store.
type agency struct {
	store *Store
	about desk.Studio
	err   error      // what everything ends in; nil: it works
	query url.Values // of the last answer
	asked int64      // channel
}

func (a *agency) About(context.Context) (desk.Studio, error) { return a.about, nil }

func (a *agency) note(ctx context.Context, e Event, do func(tx *Tx) error) error {
	if a.err != nil {
		return a.err
	}
	return a.store.Tx(ctx, func(tx *Tx) error {
		if do != nil {
			if err := do(tx); err != nil {
				return err
			}
		}
		return tx.Note(e)
	})
}

func (a *agency) Ask(_ context.Context, _ [32]byte, channel int64) (string, error) {
	a.asked = channel
	return a.about.Consent + "?state=s", a.err
}

func (a *agency) Answer(ctx context.Context, _ [32]byte, query url.Values, admin Admin) (c Channel, err error) {
	a.query = query
	c = Channel{Platform: "YOUTUBE", External: "UC1", Title: "Our greetings", Creator: admin.ID}
	return c, a.note(ctx, Event{Admin: &admin.ID, Action: "connect"}, func(tx *Tx) (err error) {
		c.ID, err = tx.Connect(c, []byte("sealed"))
		return err
	})
}

func (a *agency) Check(ctx context.Context, channel int64, admin Admin) error {
	return a.note(ctx, Event{Admin: &admin.ID, Action: "check"}, func(tx *Tx) error { return tx.Checked(channel, "Our greetings") })
}

func (a *agency) Disconnect(ctx context.Context, channel int64, admin Admin) error {
	return a.note(ctx, Event{Admin: &admin.ID, Action: "disconnect"}, func(tx *Tx) error { return tx.Disconnect(channel, "youtube disconnected") })
}

func (a *agency) Update(ctx context.Context, assetID, platform string, admin Admin) error {
	return a.note(ctx, Event{Admin: &admin.ID, Action: "update", AssetID: assetID, Platform: platform}, func(tx *Tx) error {
		p, err := tx.Publication(assetID, platform)
		if err != nil {
			return err
		}
		asset, err := tx.Asset(assetID)
		if err != nil {
			return err
		}
		return tx.Changed(p.ID, assetID, asset.Metadata)
	})
}

func (a *agency) Remove(ctx context.Context, assetID, platform string, admin Admin) error {
	return a.note(ctx, Event{Admin: &admin.ID, Action: "unpublish", AssetID: assetID, Platform: platform}, func(tx *Tx) error { return tx.Unpublish(assetID, platform) })
}

func (a *agency) MarkPublished(ctx context.Context, assetID, platform, url string, admin Admin) error {
	return a.note(ctx, Event{Admin: &admin.ID, Action: "mark published", AssetID: assetID, Platform: platform}, func(tx *Tx) error { return tx.MarkPublished(assetID, platform, url) })
}

// studio is the agency of an office.
func (d *office) studio() *agency { return d.opts.Studio.(*agency) }

// channel connects a channel of an office.
func (d *office) channel(external, title string) (id int64) {
	d.t.Helper()
	write(d.t, d.store, func(tx *Tx) (err error) {
		id, err = tx.Connect(Channel{Platform: "YOUTUBE", External: external, Title: title, Creator: 8}, []byte("sealed"))
		return err
	})
	return id
}

var _ = testing.Short
