package store

import (
	"context"
	"database/sql"
	"errors"
)

// awaited picks the requests that something is still owed to: a delivery that was given up is not.
const awaited = `requests.finished IS NULL AND (
	EXISTS (SELECT 1 FROM assets a WHERE a.id = requests.asset_id AND a.status IN ('PENDING', 'PROCESSING'))
	OR EXISTS (SELECT 1 FROM jobs j WHERE j.request_id = requests.id AND j.kind = 'DELIVER')
	OR EXISTS (SELECT 1 FROM fan_outs c WHERE c.request_id = requests.id AND c.kind = 'DELIVER'))`

// Join links a user to an asset that is being made or finished, once, and owes them the message that follows from it.
// added is false when they were linked to it already.
func (tx *Tx) Join(a Asset, user, chat int64) (added bool, err error) {
	return tx.join(a, user, chat, 0)
}

// join is Join with the message that is the progress message from now on; 0: an announcement will be.
func (tx *Tx) join(a Asset, user, chat int64, message int) (added bool, err error) {
	status := a.Status
	if status == Completed {
		status = Processing // until that user has the video
	}
	n, err := tx.sql.Exec(`INSERT INTO requests (user_id, asset_id, chat_id, status, progress_id, created)
		VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (user_id, asset_id) DO NOTHING`, user, a.ID, chat, status, null(message), tx.now)
	if err != nil {
		return false, err
	}
	if err := tx.wanted(a, user); err != nil {
		return false, err
	}
	tx.touch(a.ID)
	var id int64
	if err := tx.sql.Get(`SELECT id FROM requests WHERE user_id = ? AND asset_id = ?`, []any{user, a.ID}, &id); err != nil {
		return false, err
	}
	switch {
	case a.Status == Completed:
		if n == 0 && message != 0 {
			if _, err := tx.sql.Exec(`UPDATE requests SET progress_id = ? WHERE id = ?`, message, id); err != nil {
				return false, err
			}
		}
		err = tx.Enqueue(Deliver, a.ID, id, user)
	case n == 1 && message == 0:
		err = tx.Enqueue(Announce, a.ID, id, user)
	}
	if err == nil && n == 1 {
		err = tx.outdated(user)
	}
	if err == nil && n == 0 { // an asker is owed it, whatever was before
		_, err = tx.sql.Exec(`UPDATE requests SET restore_hold = 0 WHERE id = ? AND restore_hold > 0`, id)
	}
	return n == 1, err
}

// HasRequest reports whether a user waits or waited for an asset.
func (tx *Tx) HasRequest(user int64, assetID string) (yes bool, err error) {
	err = tx.sql.Get(
		`SELECT EXISTS (SELECT 1 FROM requests WHERE user_id = ? AND asset_id = ?)`,
		[]any{user, assetID},
		&yes,
	)
	return yes, err
}

// Waiter is a user with a request, and the chat they are answered in.
type Waiter struct{ Request, User, Chat int64 }

// Unserved lists users whom an asset or one of its successors failed and who have not asked for the same video since:
// at most limit, those with the requests that come next after a given one.
func (tx *Tx) Unserved(failed Asset, after int64, limit int) (all []Waiter, err error) {
	rows, err := tx.sql.Query(`WITH RECURSIVE chain (id, n) AS (
		SELECT ?1, 0 UNION ALL SELECT s.id, n + 1 FROM assets s JOIN chain ON s.retry_of = chain.id)
		SELECT id FROM chain ORDER BY n`, failed.ID)
	tries, err := collect(rows, err, func(id *string) error { return rows.Scan(id) })
	for _, id := range tries { // the requests of one try are all older than those of the next
		if err == nil && len(all) < limit {
			err = pull(tx, &all, `SELECT request, user_id, chat_id FROM unserved WHERE id = ? AND request > ?
				ORDER BY request LIMIT 0 + ?`, []any{id, after, limit - len(all)},
				func(w *Waiter, scan scanner) error { return scan(&w.Request, &w.User, &w.Chat) })
		}
	}
	return all, err
}

// Cancel takes a user's request for a video that has not been begun away, and the asset with it when nobody else waits
// for it. It returns the id of the progress message. ErrNotFound: there is no such request, or its turn has come.
func (tx *Tx) Cancel(user int64, assetID string) (progress int, err error) {
	if err := found(tx.sql.Get(`DELETE FROM requests WHERE user_id = ? AND asset_id = ? AND status = 'PENDING' RETURNING ifnull(progress_id, 0)`,
		[]any{user, assetID}, &progress)); err != nil {
		return 0, err
	}
	tx.touch(assetID)
	_, err = tx.sql.Exec(`DELETE FROM assets WHERE id = ?1 AND status = 'PENDING' AND creator IS NULL
		AND NOT EXISTS (SELECT 1 FROM requests WHERE asset_id = ?1)`, assetID)
	return progress, err
}

// Watcher is a user who looks at a progress message.
type Watcher struct {
	Request, Chat int64
	AssetID       string
	Lang          string
	Progress      int // message id
	Status        Status
}

// Watchers lists the requests that are under way and have a progress message.
func (s *Store) Watchers(ctx context.Context) ([]Watcher, error) {
	rows, err := s.db.Read().QueryContext(ctx, `
		SELECT requests.id, chat_id, asset_id, u.lang, progress_id, a.status
		FROM requests JOIN users u ON u.id = user_id JOIN assets a ON a.id = asset_id
		WHERE progress_id IS NOT NULL AND u.unreachable IS NULL AND restore_hold = 0 AND `+awaited)
	return collect(rows, err, func(w *Watcher) error {
		return rows.Scan(&w.Request, &w.Chat, &w.AssetID, &w.Lang, &w.Progress, &w.Status)
	})
}

// Awaited reports whether something is still owed to a request.
func (s *Store) Awaited(ctx context.Context, request int64) (yes bool, err error) {
	err = s.db.Read().
		QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM requests WHERE id = ? AND `+awaited+`)`, request).
		Scan(&yes)
	return yes, err
}

// Wanted is one of a user's requests, as they see it.
type Wanted struct {
	AssetID  string
	Name     string
	Template string
	Status   Status
	Finished bool // the video exists, whether it has arrived or not
	Retried  bool // the user has asked for the same video again since
}

// RequestsOf lists a user's latest requests, newest first, without failed ones whose video has come by a later try.
func (s *Store) RequestsOf(ctx context.Context, user int64, limit int) ([]Wanted, error) {
	rows, err := s.db.Read().QueryContext(ctx, `
		SELECT a.id, a.name, a.template, r.status, a.status = 'COMPLETED', EXISTS (
			SELECT 1 FROM requests later JOIN assets b ON b.id = later.asset_id
			WHERE later.user_id = r.user_id AND later.id > r.id AND b.name_key = a.name_key AND b.template = a.template AND b.lang = a.lang)
		FROM requests r JOIN assets a ON a.id = r.asset_id WHERE r.user_id = ? AND (r.status <> 'FAILED' OR NOT EXISTS (
			SELECT 1 FROM requests later JOIN assets b ON b.id = later.asset_id
			WHERE later.user_id = r.user_id AND later.id > r.id AND later.status = 'COMPLETED'
				AND b.name_key = a.name_key AND b.template = a.template AND b.lang = a.lang))
		ORDER BY r.id DESC LIMIT ?`, user, limit)
	return collect(rows, err, func(w *Wanted) error {
		return rows.Scan(&w.AssetID, &w.Name, &w.Template, &w.Status, &w.Finished, &w.Retried)
	})
}

// Press is what a press of the retry button will meet: decided before Retry, only to answer the press in time.
type Press string

const (
	PressNew     Press = "new"     // a failed asset of theirs that they have not retried
	PressAgain   Press = "again"   // they wait for it already
	PressReady   Press = "ready"   // the video exists
	PressUnknown Press = "unknown" // not theirs, or gone
)

// PreviewRetry looks at a press without changing anything.
func (s *Store) PreviewRetry(ctx context.Context, user int64, assetID string) (Press, error) {
	var ready bool
	var latest Status
	err := s.db.Read().QueryRowContext(ctx, `
		SELECT a.status = 'COMPLETED' OR EXISTS (
			SELECT 1 FROM assets b WHERE b.name_key = a.name_key AND b.template = a.template AND b.lang = a.lang
			AND b.origin = 'REQUEST' AND b.status = 'COMPLETED' AND (b.finished >= a.finished AND b.advance IS NULL OR b.advance = 1)
			AND b.delete_requested_at IS NULL), (
			SELECT b.status FROM requests l JOIN assets b ON b.id = l.asset_id
			WHERE l.user_id = r.user_id AND b.name_key = a.name_key AND b.template = a.template AND b.lang = a.lang
			ORDER BY l.id DESC LIMIT 1)
		FROM requests r JOIN assets a ON a.id = r.asset_id WHERE r.user_id = ? AND r.asset_id = ?`, user, assetID).Scan(&ready, &latest)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return PressUnknown, nil
	case err != nil:
		return "", err
	case latest.Live():
		return PressAgain, nil
	case ready:
		return PressReady, nil
	}
	return PressNew, nil
}
