// Messages that were given up: what is still owed to their recipients, and who is told.

package store

import (
	"context"
	"time"
)

// undelivered marks the request of a message that was given up. One whose chat is gone has no mark: an admin can do
// nothing about it, and Return owes the message again when the user comes back.
func (tx *Tx) undelivered(j Job) error {
	_, err := tx.sql.Exec(`UPDATE requests SET undelivered = ifnull(undelivered, ?1), undelivered_code = ?2
		WHERE id = ?3 AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = requests.user_id AND u.unreachable IS NOT NULL)`,
		tx.now, null(j.ErrorCode), j.RequestID)
	return err
}

// ChatGone records that the chat of a message cannot be written to any more.
func (tx *Tx) ChatGone(j Job) error {
	_, err := tx.sql.Exec(`UPDATE users SET unreachable = ifnull(unreachable, ?)
		WHERE id = (SELECT user_id FROM requests WHERE id = ?)`, tx.now, j.RequestID)
	return err
}

// delivered records that a message reached the user of a request: its mark goes, and what else could not be delivered
// to the same user is tried again.
func (tx *Tx) delivered(request int64) error {
	var user int64
	err := found(tx.sql.Get(`SELECT user_id FROM requests r WHERE id = ? AND EXISTS (
		SELECT 1 FROM requests o WHERE o.user_id = r.user_id AND o.undelivered IS NOT NULL)`, []any{request}, &user))
	if err == ErrNotFound {
		return nil
	} else if err != nil {
		return err
	}
	if _, err := tx.sql.Exec(`UPDATE requests SET undelivered = NULL, undelivered_code = NULL WHERE id = ?`, request); err != nil {
		return err
	}
	return tx.OweAgain(user)
}

// owing picks the undelivered requests r and the kind of the message that each is owed now.
const owing = `SELECT r.id, r.user_id, r.asset_id, CASE a.status WHEN 'COMPLETED' THEN 'DELIVER' WHEN 'FAILED' THEN 'APOLOGISE' ELSE 'ANNOUNCE' END
	FROM requests r JOIN assets a ON a.id = r.asset_id WHERE r.undelivered IS NOT NULL AND r.restore_hold = 0 AND `

// outdated takes the marks of apologies from a user who has asked for the same video since: nobody owes them any more.
func (tx *Tx) outdated(user int64) error {
	_, err := tx.sql.Exec(`UPDATE requests SET undelivered = NULL, undelivered_code = NULL
		WHERE user_id = ? AND undelivered IS NOT NULL AND status = 'FAILED'
			AND NOT EXISTS (SELECT 1 FROM unserved u WHERE u.request = requests.id)`, user)
	return err
}

// MaybeSent is the code of a message that was given up because it may have arrived twice. It is sent again only when
// somebody asks for it.
const MaybeSent = "telegram_maybe_sent"

// The codes of updates that are set aside for another reason than an error of Telegram.
const (
	UpdateShape  = "update_shape"  // it cannot be decoded
	UpdateFailed = "update_failed" // its handler failed
)

// unasked picks the requests r whose message is sent again unasked.
const unasked = `r.undelivered IS NOT NULL AND ifnull(r.undelivered_code, '') <> '` + MaybeSent + `'`

// OweAgain owes a user all messages again that were given up.
func (tx *Tx) OweAgain(user int64) error {
	_, _, err := tx.oweAgain(owing+unasked+` AND r.user_id = ? ORDER BY r.id`, user)
	return err
}

// SendAgain owes people the messages about an asset again that were given up: at most limit, those of the requests that
// come next after a given one. n is how many, and last the request of the last of them.
func (tx *Tx) SendAgain(assetID string, after int64, limit int) (n int, last int64, err error) {
	return tx.oweAgain(owing+`r.asset_id = ? AND r.id > ? ORDER BY r.id LIMIT 0 + ?`, assetID, after, limit)
}

func (tx *Tx) oweAgain(query string, args ...any) (n int, last int64, err error) {
	type message struct {
		request, user int64
		asset         string
		kind          Kind
	}
	rows, err := tx.sql.Query(query, args...)
	all, err := collect(rows, err, func(m *message) error { return rows.Scan(&m.request, &m.user, &m.asset, &m.kind) })
	for _, m := range all {
		if err := tx.Enqueue(m.kind, m.asset, m.request, m.user); err != nil {
			return 0, 0, err
		}
		if _, err := tx.sql.Exec(`UPDATE requests SET undelivered = NULL, undelivered_code = NULL WHERE id = ?`, m.request); err != nil {
			return 0, 0, err
		}
		tx.touch(m.asset)
		last = m.request
	}
	return len(all), last, err
}

func (tx *Tx) forgetUndelivered(user int64) error {
	_, err := tx.sql.Exec(`UPDATE requests SET undelivered = NULL, undelivered_code = NULL
		WHERE user_id = ? AND undelivered IS NOT NULL`, user)
	return err
}

// Undelivered is what was given up of the messages about an asset.
type Undelivered struct {
	People int
	Since  time.Time // the first of them
	Code   string    // of the last error; "": it has none
}

// Undelivered returns what could not be delivered of assets, by asset.
func (s *Store) Undelivered(ctx context.Context, assets ...string) (map[string]Undelivered, error) {
	all := map[string]Undelivered{}
	rows, err := s.db.Read().
		QueryContext(ctx, `SELECT asset_id, count(*), min(undelivered), ifnull(max(undelivered_code), '') FROM requests
		WHERE undelivered IS NOT NULL AND asset_id IN (SELECT value FROM json_each(?)) GROUP BY asset_id`, list(assets))
	_, err = collect(rows, err, func(u *Undelivered) error {
		var asset string
		err := rows.Scan(&asset, &u.People, (*sinceMs)(&u.Since), &u.Code)
		all[asset] = *u
		return err
	})
	return all, err
}

// NotDelivered counts the messages that were given up after a time and have not been sent since, answers among them.
// An update that nobody can read is no message: perhaps nobody waits for an answer.
func (s *Store) NotDelivered(ctx context.Context, after time.Time) (g Given, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT count(*), ifnull(min(at), 0), ifnull(max(at), 0) FROM (
		SELECT undelivered at FROM requests WHERE undelivered IS NOT NULL AND undelivered > ?1
		UNION ALL SELECT set_aside FROM inbox WHERE set_aside IS NOT NULL AND set_aside > ?1 AND error <> ?2)`,
		after.UnixMilli(), UpdateShape).
		Scan(&g.N, (*sinceMs)(&g.First), (*sinceMs)(&g.Last))
	return g, err
}

// Reupload makes a delivery whose file_id was refused run again at once with the file itself, which is no new attempt.
func (tx *Tx) Reupload(j Job, problem string) error {
	if err := tx.record(j, "rescheduled", problem); err != nil {
		return err
	}
	return tx.release(j, 0, j.Attempt-1, 0, false, problem)
}

// Reuploaded reports whether this attempt of a delivery has been run again before because a file_id was refused.
func (tx *Tx) Reuploaded(j Job) (yes bool, err error) {
	err = tx.sql.Get(`SELECT EXISTS (SELECT 1 FROM attempts WHERE request_id = ? AND kind = 'DELIVER' AND attempt = ?
		AND outcome = 'rescheduled' AND error_code = ? AND finished >= (SELECT created FROM jobs WHERE id = ?))`,
		[]any{j.RequestID, j.Attempt, j.ErrorCode, j.ID}, &yes)
	return yes, err
}

// A Stranded request has a progress message and a video or an apology that was given up.
type Stranded struct {
	Watcher
	Name string
}

// Stranded lists the requests whose message was given up, of users who can be reached and have a progress message.
func (s *Store) Stranded(ctx context.Context) ([]Stranded, error) {
	rows, err := s.db.Read().QueryContext(ctx, `
		SELECT r.id, r.chat_id, r.asset_id, u.lang, r.progress_id, a.status, a.name
		FROM requests r JOIN users u ON u.id = r.user_id JOIN assets a ON a.id = r.asset_id
		WHERE r.undelivered IS NOT NULL AND r.progress_id IS NOT NULL AND r.answer_id IS NULL AND r.restore_hold = 0
			AND u.unreachable IS NULL AND a.finished IS NOT NULL`)
	return collect(rows, err, func(s *Stranded) error {
		return rows.Scan(&s.Request, &s.Chat, &s.AssetID, &s.Lang, &s.Progress, &s.Status, &s.Name)
	})
}
