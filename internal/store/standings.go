// Looks at the platforms: which publications are due for one, and what was found.

package store

import (
	"context"
	"errors"
	"time"
)

const (
	lookEvery = 24 * time.Hour     // from then on
	lookUntil = 7 * 24 * time.Hour // after it
)

// lookAt is when a publication that is completed at ?1 is due for its first look: five minutes after that, or after its
// time. Only a channel can be asked how a video is.
const lookAt = `iif(channel_id IS NOT NULL, max(?1, ifnull(publish_at, 0)) + 300000, NULL)`

// Look is a publication that somebody should look at on its platform.
type Look struct {
	AssetID string
	Publication
}

// Looks lists up to n publications that are due for a look, by channel. Those whose channel is not connected wait.
func (s *Store) Looks(ctx context.Context, n int) ([]Look, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT p.asset_id, `+publicationColumns+`
		FROM publications p JOIN channels c ON c.id = p.channel_id
		WHERE p.look_at <= ? AND p.status = 'COMPLETED' AND p.remote_id IS NOT NULL AND c.state = 'CONNECTED'
		ORDER BY p.look_at LIMIT ?`, s.now().UnixMilli(), n)
	return collect(rows, err, func(l *Look) error {
		dest, done := l.into()
		err := rows.Scan(append([]any{&l.AssetID}, forPages(dest)...)...)
		done()
		return err
	})
}

// Looked records how a published video was found; standing is "" if it is as it should be. One that an admin has
// accepted is not reported again. The next look is a day later, for a week. It does nothing if the publication is
// another one by now.
func (tx *Tx) Looked(l Look, standing string) error {
	next := any(tx.now + lookEvery.Milliseconds())
	var began int64
	err := found(tx.sql.Get(`SELECT max(completed, ifnull(publish_at, 0)) FROM publications
		WHERE id = ? AND completed IS NOT NULL`, []any{l.ID}, &began))
	if errors.Is(err, ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	if tx.now+lookEvery.Milliseconds() > began+lookUntil.Milliseconds()+time.Hour.Milliseconds() {
		next = nil
	}
	if standing != l.Standing {
		tx.touch(l.AssetID)
	}
	_, err = tx.sql.Exec(`UPDATE publications SET look_at = ?1,
			standing_at = CASE WHEN ?2 IS NULL OR ?2 IS accepted THEN NULL
				WHEN ?2 IS standing THEN standing_at ELSE ?3 END,
			standing = iif(?2 IS accepted, NULL, ?2)
		WHERE id = ?4 AND status = 'COMPLETED' AND remote_id = ?5`, next, null(standing), tx.now, l.ID, l.Upload.ID)
	return err
}

// Missing records that a published video is not on its platform any more, as somebody found who wanted to change it.
func (tx *Tx) Missing(assetID string, p Publication) error {
	tx.touch(assetID)
	_, err := tx.sql.Exec(`UPDATE publications SET standing = 'gone', standing_at = ifnull(standing_at, ?), accepted = NULL
		WHERE id = ? AND status = 'COMPLETED' AND remote_id = ?`, tx.now, p.ID, p.Upload.ID)
	return err
}

// LookAt sets when a publication is looked at next, without a finding.
func (tx *Tx) LookAt(l Look, at time.Time) error {
	_, err := tx.sql.Exec(`UPDATE publications SET look_at = ? WHERE id = ? AND remote_id = ?`,
		stamp(at), l.ID, l.Upload.ID)
	return err
}

// LookNow makes the videos of a channel that are still looked at due for a look.
func (tx *Tx) LookNow(channel int64) error {
	_, err := tx.sql.Exec(`UPDATE publications SET look_at = ?1
		WHERE channel_id = ?2 AND status = 'COMPLETED' AND look_at > ?1 AND ifnull(publish_at, 0) <= ?1`, tx.now, channel)
	return err
}

// Accept records that a video may be as it was found. It returns ErrNotFailed if it was found to be otherwise, or
// as it should be.
func (tx *Tx) Accept(assetID string, p Publication) error {
	tx.touch(assetID)
	err := one(tx.sql.Exec(`UPDATE publications SET accepted = standing, standing = NULL, standing_at = NULL
		WHERE id = ? AND status = 'COMPLETED' AND standing = ? AND ifnull(remote_id, '') = ?`,
		p.ID, p.Standing, p.Upload.ID))
	if errors.Is(err, ErrNotFound) {
		return ErrNotFailed
	}
	return err
}

// Lost makes a publication FAILED whose video is not on the platform any more, so that Retry can publish it again.
func (tx *Tx) Lost(assetID string, p Publication) error {
	tx.touch(assetID)
	err := one(tx.sql.Exec(`UPDATE publications SET status = 'FAILED', step = 'rejected', completed = ?,
			error = lower(platform) || ' videoNotFound: ' || standing,
			standing = NULL, standing_at = NULL, accepted = NULL, look_at = NULL
		WHERE id = ? AND status = 'COMPLETED' AND standing = ? AND remote_id = ?`,
		tx.now, p.ID, p.Standing, p.Upload.ID))
	if errors.Is(err, ErrNotFound) {
		return ErrNotFailed
	}
	return err
}
