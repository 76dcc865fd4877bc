package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// sentUnseen picks the publications p of which a platform has all bytes and has not confirmed it, if there is no
// session that can be asked about them. Before the last bytes leave the program stores that they do, so it cannot have
// any other.
const sentUnseen = `p.session_uri IS NULL AND p.step = 'uploading' AND p.sent >= (SELECT size FROM assets v WHERE v.id = p.asset_id)`

// mayBePublished picks the publications p whose video may be published. To look up the video of each takes too long for
// a page of a large library, which compares with toGo: the videos that should go, of which there are few.
const (
	mayBePublished = `EXISTS (SELECT 1 FROM publishable v WHERE v.id = p.asset_id)`
	toGo           = `(SELECT id FROM assets WHERE delete_requested_at IS NOT NULL)`
)

// EndPublishing ends the publishing of all videos that should go. Their PUBLISH jobs are deleted, so a running attempt
// can store nothing and sends nothing more. Publications of which the platform has nothing are deleted. The others
// fail: Withdrawals lists those that can be ended at the platform, and an admin has to look for the rest. So does a
// video that is uploaded and that the platform would show later.
func (tx *Tx) EndPublishing() error {
	const theirs = `asset_id IN ` + toGo
	if _, err := tx.sql.Exec(`DELETE FROM jobs WHERE kind = 'PUBLISH' AND ` + theirs); err != nil {
		return err
	}
	if _, err := tx.sql.Exec(`DELETE FROM publications AS p WHERE p.` + theirs + ` AND NOT ` + out); err != nil {
		return err
	}
	_, err := tx.sql.Exec(
		`UPDATE publications AS p SET status = 'FAILED', step = iif(p.step = 'unknown' OR `+sentUnseen+`, 'unknown', ''),
			error = lower(platform) || ' forgotten: the person who asked for this video had it deleted',
			error_code = lower(platform) || '_forgotten', completed = ?1
		WHERE p.`+theirs+` AND (p.status IN ('PENDING', 'PROCESSING')
			OR p.status = 'COMPLETED' AND p.remote_id IS NOT NULL AND p.publish_at > ?1)`,
		tx.now,
	)
	return err
}

// Withdrawal is the publication of a video that should go, of which a platform has something.
type Withdrawal struct {
	AssetID string
	Size    int64 // bytes of the video
	Publication
}

// Withdrawals lists the publications that the program itself can end at the platform: those that were under way when
// the person who asked for the video had it deleted.
func (s *Store) Withdrawals(ctx context.Context) ([]Withdrawal, error) {
	rows, err := s.db.Read().
		QueryContext(ctx, `SELECT a.id, a.size, `+publicationColumns+`, ifnull(p.session_uri, ''), ifnull(p.session_at, 0)
		FROM assets a CROSS JOIN publications p ON p.asset_id = a.id
		WHERE a.delete_requested_at IS NOT NULL AND p.status = 'FAILED' AND (p.remote_id IS NOT NULL OR p.session_uri IS NOT NULL) ORDER BY p.id`)
	return collect(rows, err, func(w *Withdrawal) error {
		var since int64
		dest, done := w.into()
		err := rows.Scan(append(append([]any{&w.AssetID, &w.Size}, dest...), &w.Upload.Session, &since)...)
		done()
		w.Upload.Since = Moment(since)
		return err
	})
}

// Withdrawn deletes a publication that was ended at the platform, and the video if it is on no other.
func (tx *Tx) Withdrawn(w Withdrawal) (gone Deleted, err error) {
	if _, err := tx.sql.Exec(`DELETE FROM publications WHERE id = ? AND status = 'FAILED' AND ifnull(remote_id, '') = ? AND ifnull(session_uri, '') = ?`,
		w.ID, w.Upload.ID, w.Upload.Session); err != nil {
		return gone, err
	}
	tx.touch(w.AssetID)
	return tx.LetGo(w.AssetID)
}

// Arrived stores the platform's id of a video whose last bytes had left when its publishing was ended.
func (tx *Tx) Arrived(j Job, u Upload) error {
	tx.touch(j.AssetID)
	_, err := tx.sql.Exec(
		`UPDATE publications AS p SET step = '', remote_id = ?, remote_url = ?, uploaded = ?, session_uri = NULL, session_at = NULL
		WHERE p.id = ? AND p.status = 'FAILED' AND p.remote_id IS NULL AND NOT `+mayBePublished,
		u.ID,
		null(u.URL),
		stamp(u.Uploaded),
		j.PublicationID,
	)
	return err
}

// TagList returns the tags, which the metadata hold with commas between them.
func (m Metadata) TagList() (tags []string) {
	for tag := range strings.SplitSeq(m.Tags, ",") {
		if tag = strings.Join(strings.Fields(tag), " "); tag != "" {
			tags = append(tags, tag)
		}
	}
	return tags
}

// Publication is one asset on one platform.
type Publication struct {
	ID        int64
	Platform  string // the ID of a row of Places in internal/publish
	Channel   int64  // 0: the platform is not connected by channels
	Creator   int64  // admin
	Status    Status
	Step      string // finer than the status: see the schema
	Metadata  Metadata
	PublishAt time.Time // zero: at once
	Upload    Upload
	Error     string
	ErrorCode string    // stable code of Error; "": it has none
	Attempt   int       // of its PUBLISH job; 0: none is owed, or none was made
	Due       time.Time // of its PUBLISH job while that waits; zero: at once
	LastError string    // of its PUBLISH job's last attempt
	Standing  string    // how it was found on the platform, if not as it should be: see the schema
	Completed time.Time // when it was published or failed; zero: it waits
	Looked    time.Time // when somebody last looked at it on the platform; zero: nobody has
	There     Edits     // what somebody changed on the platform since it was sent
}

// Edits are fields that somebody changed on a platform, with what they hold there, by the name of the form. "at" is the
// time to become public in RFC 3339, "" for none; "caption" is the text of a post.
type Edits map[string]string

// Scan reads the column. A damaged one tells of nothing: it must not take a page away, and the next look repairs it.
func (e *Edits) Scan(column any) error {
	*e = nil
	if text := fmt.Sprint(column); text != "" && json.Unmarshal([]byte(text), e) != nil {
		*e = nil
	}
	return nil
}

// column is what the database keeps.
func (e Edits) column() any {
	if len(e) == 0 {
		return nil
	}
	text, _ := json.Marshal(e) // texts can be written
	return string(text)
}

// Upload is how far a publication has come on its platform.
type Upload struct {
	Session    string    // URI of a resumable upload, sealed; read for the worker only
	Since      time.Time // when that began
	Step       string    // uploading or processing
	Sent       int64     // bytes that the platform has confirmed
	ID         string    // there, once it has all of them
	URL        string
	Uploaded   time.Time // when it had
	ExtrasDone bool      // picture and playlist have been set, as far as that goes
	Warning    string    // published, but something smaller did not work
}

const publicationColumns = `p.id, p.platform, ifnull(p.channel_id, 0), p.creator, p.status, p.step, p.metadata, ifnull(p.publish_at, 0),
	p.sent, ifnull(p.remote_id, ''), ifnull(p.remote_url, ''), ifnull(p.uploaded, 0), p.extras_done, ifnull(p.warning, ''), ifnull(p.error, ''),
	ifnull(p.error_code, ''), ifnull(p.standing, ''), ifnull(p.completed, 0), ifnull(p.looked_at, 0), ifnull(p.changed_there, '')`

// into lists where publicationColumns go; done must run after the scan.
func (p *Publication) into() (dest []any, done func()) {
	var at, uploaded, completed, looked int64
	u := &p.Upload
	return []any{&p.ID, &p.Platform, &p.Channel, &p.Creator, &p.Status, &p.Step, &p.Metadata, &at,
			&u.Sent, &u.ID, &u.URL, &uploaded, &u.ExtrasDone, &u.Warning, &p.Error, &p.ErrorCode, &p.Standing,
			&completed, &looked, &p.There}, func() {
			p.PublishAt, u.Uploaded, u.Step = Moment(at), Moment(uploaded), p.Step
			p.Completed, p.Looked = Moment(completed), Moment(looked)
		}
}

func (tx *Tx) publication(where string, args ...any) (p Publication, err error) {
	dest, done := p.into()
	err = found(tx.sql.Get(`SELECT `+publicationColumns+` FROM publications p WHERE `+where, args, dest...))
	done()
	return p, err
}

// Publication returns one asset's publication on a platform.
func (tx *Tx) Publication(assetID, platform string) (Publication, error) {
	return tx.publication(`p.asset_id = ? AND p.platform = ?`, assetID, platform)
}

// Publish owes an asset to a platform. One with the step manual waits for an admin instead, one with the step scheduled
// until its time. It returns ErrExists if the publication is there, on its way, or failed (then Retry is the way), and
// ErrNotPublishable if the video may not be published.
func (tx *Tx) Publish(assetID string, p Publication) error {
	var may bool
	if err := tx.sql.Get(`SELECT EXISTS (SELECT 1 FROM publishable WHERE id = ?)`, []any{assetID}, &may); err != nil {
		return err
	}
	if !may {
		return ErrNotPublishable
	}
	if _, err := tx.Publication(assetID, p.Platform); !errors.Is(err, ErrNotFound) {
		return cmp.Or(err, ErrExists)
	}
	if err := tx.sql.Get(`INSERT INTO publications (asset_id, platform, channel_id, creator, step, metadata, publish_at, created)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		[]any{assetID, p.Platform, null(p.Channel), p.Creator, p.Step, p.Metadata.column(), stamp(p.PublishAt), tx.now},
		&p.ID); err != nil {
		return err
	}
	tx.touch(assetID)
	switch p.Step {
	case "manual":
		return nil
	case "scheduled":
		return tx.enqueueAt(Publish, assetID, 0, p.ID, p.Creator, p.PublishAt.UnixMilli())
	}
	return tx.owePublishing(assetID, p)
}

// owePublishing owes a publication, when its channel may upload again.
func (tx *Tx) owePublishing(assetID string, p Publication) error {
	var hold int64
	var why string
	err := found(
		tx.sql.Get(`SELECT paused_until, paused_for FROM channels WHERE id = ? AND paused_until > ?`, []any{p.Channel, tx.now}, &hold, &why),
	)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if _, err := tx.sql.Exec(`UPDATE publications SET step = ? WHERE id = ?`, why, p.ID); err != nil {
		return err
	}
	return tx.enqueueAt(Publish, assetID, 0, p.ID, p.Creator, hold)
}

// savedMetadata sets what the publications p are published with to what is saved for their videos, while no upload has
// begun: from then on it is what was sent, to which later changes are compared. A title, who may see it and the choice
// for kids stay if they were taken out since: no video can be published without them. A schedule ends if not everybody
// may see the video any more.
const savedMetadata = `UPDATE publications AS p SET metadata = json_set(s.metadata,
		'$.title', coalesce(nullif(s.metadata ->> 'title', ''), p.metadata ->> 'title', ''),
		'$.privacy', coalesce(nullif(s.metadata ->> 'privacy', ''), p.metadata ->> 'privacy', ''),
		'$.made_for_kids', coalesce(nullif(s.metadata ->> 'made_for_kids', ''), p.metadata ->> 'made_for_kids', '')),
		publish_at = iif(coalesce(nullif(s.metadata ->> 'privacy', ''), p.metadata ->> 'privacy') = 'public', p.publish_at, NULL)
	FROM assets s WHERE s.id = p.asset_id AND s.metadata <> '{}' AND p.session_uri IS NULL AND p.remote_id IS NULL
		AND p.id = ?`

// Republish makes a failed publication PENDING again, as if it had never been tried, and enqueues it. What is uploaded,
// or under way to it, stays, unless the platform has rejected it, or an admin has looked and it is not there: then it
// begins with nothing. It returns ErrNotPublishable if the video may not be published.
func (tx *Tx) Republish(assetID string, p Publication) error {
	var may bool
	if err := tx.sql.Get(`SELECT EXISTS (SELECT 1 FROM publishable WHERE id = ?)`, []any{assetID}, &may); err != nil {
		return err
	}
	if !may {
		return ErrNotPublishable
	}
	if p.Step == "rejected" || p.Step == "unknown" {
		if _, err := tx.sql.Exec(`UPDATE publications SET session_uri = NULL, session_at = NULL, sent = 0, uploaded = NULL, extras_done = 0,
			remote_id = NULL, remote_url = NULL WHERE id = ?`, p.ID); err != nil {
			return err
		}
	}
	if err := one(tx.sql.Exec(`UPDATE publications SET status = 'PENDING', step = '', error = NULL, error_code = NULL, warning = NULL, started = NULL, completed = NULL,
			sent = iif(session_uri IS NULL AND remote_id IS NULL, 0, sent), look_at = NULL, standing = NULL, standing_at = NULL, accepted = NULL,
			looked_at = NULL, changed_there = NULL
		WHERE id = ? AND status = 'FAILED'`, p.ID)); err != nil {
		return err
	}
	if _, err := tx.sql.Exec(savedMetadata, p.ID); err != nil {
		return err
	}
	tx.touch(assetID)
	return tx.owePublishing(assetID, p)
}

// beginPublishing makes a publication PROCESSING and returns it with all that its worker needs.
func (tx *Tx) beginPublishing(id int64) (*Publication, error) {
	if err := one(tx.sql.Exec(`UPDATE publications AS p SET status = 'PROCESSING', started = ifnull(started, ?),
			step = CASE WHEN step IN ('uploading', 'processing') THEN step ELSE '' END
		WHERE id = ? AND status IN ('PENDING', 'PROCESSING') AND `+mayBePublished, tx.now, id)); err != nil {
		return nil, err
	}
	if _, err := tx.sql.Exec(savedMetadata, id); err != nil {
		return nil, err
	}
	p, err := tx.publication(`p.id = ?`, id)
	if err != nil {
		return nil, err
	}
	var since int64
	err = tx.sql.Get(
		`SELECT ifnull(session_uri, ''), ifnull(session_at, 0) FROM publications WHERE id = ?`,
		[]any{id},
		&p.Upload.Session,
		&since,
	)
	p.Upload.Since = Moment(since)
	return &p, err
}

// KeepUpload records how far a publication has come. A job that comes on is not what kills the process. It returns
// ErrNotFound if the attempt has ended or the video may not be published any more: the caller has to stop then.
func (tx *Tx) KeepUpload(j Job, u Upload) error {
	if err := one(tx.sql.Exec(`UPDATE jobs SET crashes = 0 WHERE id = ? AND attempt = ? AND started IS NOT NULL`, j.ID, j.Attempt)); err != nil {
		return err
	}
	tx.touch(j.AssetID)
	var before string
	var sent int64
	if err := tx.sql.Get(`SELECT ifnull(session_uri, ''), sent FROM publications WHERE id = ?`, []any{j.PublicationID}, &before, &sent); err != nil {
		return err
	}
	if u.Sent > sent { // a job that gets further has waited enough
		if _, err := tx.sql.Exec(`UPDATE jobs SET waiting_since = NULL, waits = 0 WHERE id = ?`, j.ID); err != nil {
			return err
		}
	}
	if u.Session != "" && u.Session != before {
		if _, err := tx.sql.Exec(`INSERT INTO uploads VALUES (?)`, tx.now); err != nil {
			return err
		}
	}
	return one(
		tx.sql.Exec(
			`UPDATE publications AS p SET session_uri = ?, session_at = ?, step = ?, sent = ?, remote_id = ?, remote_url = ?,
			uploaded = ?, extras_done = ?, warning = ? WHERE id = ? AND status = 'PROCESSING' AND `+mayBePublished,
			null(
				u.Session,
			),
			stamp(u.Since),
			u.Step,
			u.Sent,
			null(u.ID),
			null(u.URL),
			stamp(u.Uploaded),
			u.ExtrasDone,
			null(u.Warning),
			j.PublicationID,
		),
	)
}

// UploadsSince counts the uploads that began at that time or later.
func (s *Store) UploadsSince(ctx context.Context, since time.Time) (n int, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT count(*) FROM uploads WHERE at >= ? AND at <= ?`,
		since.UnixMilli(), s.now().UnixMilli()).Scan(&n)
	return n, err
}

// LookAgain makes a job wait whose publication the platform has and works on: that is no attempt.
func (tx *Tx) LookAgain(j Job, due time.Time) error {
	j.WaitingSince, j.Waits = time.Time{}, 0
	return tx.release(j, due.UnixMilli(), j.Attempt-1, 0, false, "")
}

// FinishPublishing completes a publication. Its channel works, then. back: access to that had ended.
func (tx *Tx) FinishPublishing(j Job) (back bool, err error) {
	if err := one(tx.sql.Exec(`UPDATE publications SET status = 'COMPLETED', step = '', completed = ?1, session_uri = NULL, session_at = NULL,
			look_at = `+firstLook+`
		WHERE id = ? AND status = 'PROCESSING' AND `+runs, tx.now, j.PublicationID, j.ID, j.Attempt)); err != nil {
		return false, err
	}
	if err := tx.finish(j); err != nil {
		return false, err
	}
	const channel = `(SELECT channel_id FROM publications WHERE id = ?)`
	n, err := tx.sql.Exec(
		`UPDATE channels SET state = 'CONNECTED', error = NULL WHERE state = 'ENDED' AND id = `+channel,
		j.PublicationID,
	)
	if err != nil {
		return false, err
	}
	if n == 1 {
		tx.touch("") // every page counts the channels without access
	}
	_, err = tx.sql.Exec(
		`UPDATE channels SET checked = ? WHERE token IS NOT NULL AND id = `+channel,
		tx.now,
		j.PublicationID,
	)
	return n == 1, err
}

// MarkPublished completes a publication that an admin has made by hand, or found on the platform; id is its own there,
// "" where nobody knows it. It returns ErrNotFailed if it needs nothing by hand, and ErrExists if that video belongs to
// another publication.
func (tx *Tx) MarkPublished(assetID, platform, url, id string) error {
	var taken bool
	if err := tx.sql.Get(`SELECT EXISTS (SELECT 1 FROM publications WHERE platform = ? AND asset_id <> ?
		AND (remote_id = ? OR remote_url = ?))`, []any{platform, assetID, null(id), url}, &taken); err != nil {
		return err
	}
	if taken {
		return ErrExists
	}
	tx.touch(assetID)
	err := one(
		tx.sql.Exec(
			`UPDATE publications SET status = 'COMPLETED', step = iif(?5 IS NULL, 'manual', ''), remote_url = ?2, remote_id = ?5, error = NULL, error_code = NULL,
			started = ifnull(started, ?1), completed = ?1, look_at = `+firstLook+`
		WHERE asset_id = ?3 AND platform = ?4 AND step IN ('manual', 'unknown') AND status IN ('PENDING', 'FAILED')`,
			tx.now,
			url,
			assetID,
			platform,
			null(id),
		),
	)
	if errors.Is(err, ErrNotFound) {
		if _, err := tx.Publication(assetID, platform); err != nil {
			return err
		}
		return ErrNotFailed
	}
	return err
}

// Changed records what a video on a platform is like from now on, when it becomes public (zero: it has no such time),
// and what stays as somebody changed it there. It returns ErrNotFound if the video of the publication is another one by
// now.
func (tx *Tx) Changed(p Publication, assetID string, m Metadata, at time.Time, there Edits) error {
	tx.touch(assetID)
	return one(tx.sql.Exec(`UPDATE publications SET metadata = ?2, publish_at = ?3, standing = NULL, standing_at = NULL,
			changed_there = ?4, look_at = `+firstLook+`
		WHERE id = ?5 AND ifnull(remote_id, '') = ?6`,
		tx.now, m.column(), stamp(at), there.column(), p.ID, p.Upload.ID))
}

// Session returns the sealed address of the upload of a publication, and when it began; "" if it has none.
func (tx *Tx) Session(publication int64) (address string, since time.Time, err error) {
	var at int64
	err = tx.sql.Get(
		`SELECT ifnull(session_uri, ''), ifnull(session_at, 0) FROM publications WHERE id = ?`,
		[]any{publication},
		&address,
		&at,
	)
	return address, Moment(at), err
}

// SealSessions seals the addresses of uploads that are readable in the database, and returns how many there were.
func (tx *Tx) SealSessions(seal func(publication int64, address string) string) (int, error) {
	type plain struct {
		id      int64
		address string
	}
	rows, err := tx.sql.Query(`SELECT id, session_uri FROM publications WHERE session_uri LIKE '%:%'`)
	old, err := collect(rows, err, func(p *plain) error { return rows.Scan(&p.id, &p.address) })
	if err != nil {
		return 0, err
	}
	for _, p := range old {
		if _, err := tx.sql.Exec(`UPDATE publications SET session_uri = ? WHERE id = ?`,
			seal(p.id, p.address), p.id); err != nil {
			return 0, err
		}
	}
	return len(old), nil
}

// Unchanged returns Busy if a publication is not as somebody saw it, who has deleted what the platform had of it:
// something else may be there by now.
func (tx *Tx) Unchanged(assetID string, seen Publication) error {
	now, err := tx.Publication(assetID, seen.Platform)
	if err != nil {
		return err
	}
	session, _, err := tx.Session(now.ID)
	if err != nil {
		return err
	}
	same := now.Upload.ID != "" || now.Status == seen.Status && session == seen.Upload.Session // a known video is that one
	if now.ID != seen.ID || now.Upload.ID != seen.Upload.ID || !same {
		return Busy(Publish)
	}
	return nil
}

// Unpublish forgets a publication. What waits is not made then, and what the platform has stays there. It returns Busy
// if it is on its way.
func (tx *Tx) Unpublish(assetID, platform string) error {
	p, err := tx.Publication(assetID, platform)
	switch {
	case err != nil:
		return err
	case p.Upload.ID == "" && (p.Status == Processing || p.Status == Pending && p.Upload.Sent > 0):
		return Busy(Publish)
	}
	tx.touch(assetID)
	// The answer to the only part of a small file may have been lost: it may be there.
	err = one(
		tx.sql.Exec(
			`DELETE FROM publications WHERE id = ? AND NOT (status = 'PENDING' AND session_uri IS NOT NULL AND remote_id IS NULL)`,
			p.ID,
		),
	)
	if errors.Is(err, ErrNotFound) {
		return Busy(Publish)
	}
	return err
}

// Publications lists the publications of assets, by asset, without their sessions.
func (s *Store) Publications(ctx context.Context, assets ...string) (map[string][]Publication, error) {
	all := map[string][]Publication{}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT p.asset_id, `+publicationColumns+`,
			ifnull(j.attempt, 0), CASE WHEN j.started IS NULL THEN ifnull(j.due, 0) ELSE 0 END, ifnull(j.last_error, '')
		FROM publications p LEFT JOIN jobs j ON j.publication_id = p.id
		WHERE p.asset_id IN (SELECT value FROM json_each(?)) ORDER BY p.id`, list(assets))
	_, err = collect(rows, err, func(p *Publication) error {
		var asset string
		var due int64
		dest, done := p.into()
		err := rows.Scan(append(append([]any{&asset}, forPages(dest)...), &p.Attempt, &due, &p.LastError)...)
		done()
		p.Due = Moment(due)
		all[asset] = append(all[asset], *p)
		return err
	})
	return all, err
}
