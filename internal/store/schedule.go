// Schedules: what is to become public and when, and another time for it.

package store

import (
	"context"
	"errors"
	"time"
)

// MoveTo sets when a publication is to become public that waits, and of which the platform has nothing yet; zero: as
// soon as it is there. held: the queue waits for the time, and not the platform. It returns Busy if it is on its way.
func (tx *Tx) MoveTo(assetID string, p Publication, at time.Time, held bool) error {
	step := p.Step
	if held {
		if step = ""; !at.IsZero() {
			step = "scheduled"
		}
	}
	err := one(tx.sql.Exec(`UPDATE publications SET publish_at = ?, step = ? WHERE id = ? AND status = 'PENDING'
		AND step <> 'manual' AND session_uri IS NULL AND remote_id IS NULL AND sent = 0 AND publish_at IS ?`,
		stamp(at), step, p.ID, stamp(p.PublishAt)))
	if errors.Is(err, ErrNotFound) {
		return Busy(Publish)
	}
	if err != nil || !held {
		tx.touch(assetID)
		return err
	}
	due := int64(0)
	if !at.IsZero() {
		due = at.UnixMilli()
	}
	if err := one(tx.sql.Exec(`UPDATE jobs SET due = ?, asked = 0, waiting_since = NULL, waits = 0
		WHERE publication_id = ? AND started IS NULL`, due, p.ID)); err != nil {
		return err
	}
	tx.MarkDue(Publish, due)
	tx.touch(assetID)
	return nil
}

// Scheduled is a publication that is to become public.
type Scheduled struct {
	AssetID, Name string
	Channel       string // its title; "": the platform has none
	Publication
}

// Scheduled lists up to n publications that are to become public from one time until another, the next first.
func (s *Store) Scheduled(ctx context.Context, from, until time.Time, n int) ([]Scheduled, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT a.id, a.name, ifnull(c.title, ''), `+publicationColumns+`
		FROM publications p JOIN assets a ON a.id = p.asset_id LEFT JOIN channels c ON c.id = p.channel_id
		WHERE p.publish_at >= ?1 AND p.publish_at < ?2 AND a.delete_requested_at IS NULL
			AND (p.status IN ('PENDING', 'PROCESSING') OR p.status = 'COMPLETED' AND p.publish_at > ?3)
		ORDER BY p.publish_at, p.id LIMIT ?4`, from.UnixMilli(), until.UnixMilli(), s.now().UnixMilli(), n)
	return collect(rows, err, func(p *Scheduled) error {
		dest, done := p.into()
		err := rows.Scan(append([]any{&p.AssetID, &p.Name, &p.Channel}, forPages(dest)...)...)
		done()
		return err
	})
}
