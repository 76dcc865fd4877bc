// Looks at the platforms: which publications are due for one, and what was found.

package store

import (
	"context"
	"errors"
	"maps"
	"time"
)

const (
	lookEvery = 24 * time.Hour     // after the first look
	lookUntil = 7 * 24 * time.Hour // after it
)

// firstLook is when a publication that is completed or changed at ?1 is due for a look: five minutes later. Only a
// channel can be asked how a video is.
const firstLook = `iif(channel_id IS NOT NULL, ?1 + 300000, NULL)`

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

// Finding is what a published video is like on its platform.
type Finding struct {
	Standing string // "" if it is as it should be: see the schema
	There    Edits  // what somebody changed there since it was sent
}

// Looked records what a look at a published video found. A standing that an admin has accepted is not reported again.
// The next look is a day later, or five minutes after the time when the video becomes public, until a week after both.
// It does nothing if the publication is another one by now.
func (tx *Tx) Looked(l Look, found Finding) error {
	if found.Standing != l.Standing || !maps.Equal(found.There, l.There) {
		tx.touch(l.AssetID)
	}
	_, err := tx.sql.Exec(`UPDATE publications SET looked_at = ?1, look_at = CASE
				WHEN publish_at > ?1 - 300000 THEN min(?1 + ?6, publish_at + 300000)
				WHEN max(completed, ifnull(publish_at, 0)) + ?7 > ?1 + ?6 THEN ?1 + ?6 END,
			standing_at = CASE WHEN ?2 IS NULL OR ?2 IS accepted THEN NULL
				WHEN ?2 IS standing THEN standing_at ELSE ?1 END,
			standing = iif(?2 IS accepted, NULL, ?2),
			changed_there = iif(changed_there IS ?8, ?3, changed_there) -- another may have been told meanwhile
		WHERE id = ?4 AND status = 'COMPLETED' AND remote_id = ?5`, tx.now, null(found.Standing), found.There.column(),
		l.ID, l.Upload.ID, lookEvery.Milliseconds(), (lookUntil + time.Hour).Milliseconds(), l.There.column())
	return err
}

// EditedThere records what somebody changed on the platform of a publication, as the platform told.
func (tx *Tx) EditedThere(assetID string, p Publication, there Edits) error {
	if maps.Equal(there, p.There) {
		return nil
	}
	tx.touch(assetID)
	_, err := tx.sql.Exec(`UPDATE publications SET changed_there = ? WHERE id = ? AND remote_id = ?`,
		there.column(), p.ID, p.Upload.ID)
	return err
}

// PublicationAt returns the publication with an id of its platform, and its asset.
func (tx *Tx) PublicationAt(platform, remoteID string) (assetID string, p Publication, err error) {
	if p, err = tx.publication(`p.platform = ? AND p.remote_id = ?`, platform, remoteID); err != nil {
		return "", p, err
	}
	err = tx.sql.Get(`SELECT asset_id FROM publications WHERE id = ?`, []any{p.ID}, &assetID)
	return assetID, p, err
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
		WHERE channel_id = ?2 AND status = 'COMPLETED' AND look_at > ?1`, tx.now, channel)
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
