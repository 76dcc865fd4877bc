// Bans of people and groups, and the switch that takes no new wishes.

package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Ban keeps a person or a group from getting anything from the bot; admin is who decided it, 0: the operator. What they
// wait for and nobody else does is dropped, unless it is being made. ErrExists: they are banned already.
func (tx *Tx) Ban(chat, admin int64, assetID string) error {
	n, err := tx.sql.Exec(`INSERT INTO bans (chat_id, since) VALUES (?, ?) ON CONFLICT DO NOTHING`, chat, tx.now)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrExists
	}
	rows, err := tx.sql.Query(`SELECT asset_id FROM requests WHERE user_id = ? AND status = 'PENDING'`, chat)
	waiting, err := collect(rows, err, func(id *string) error { return rows.Scan(id) })
	if err != nil {
		return err
	}
	for _, id := range waiting {
		if _, err := tx.Cancel(chat, id); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	// Nothing is sent to them any more, as if they had blocked the bot.
	if _, err := tx.sql.Exec(`UPDATE users SET unreachable = ifnull(unreachable, ?) WHERE id = ?`, tx.now, chat); err != nil {
		return err
	}
	return tx.Note(Event{Admin: &admin, Action: "ban", AssetID: assetID})
}

// Unban ends a ban. ErrNotFound: there is none.
func (tx *Tx) Unban(chat, admin int64) error {
	if err := one(tx.sql.Exec(`DELETE FROM bans WHERE chat_id = ?`, chat)); err != nil {
		return err
	}
	return tx.Note(Event{Admin: &admin, Action: "unban"})
}

// bansAtOnce is how many people are banned in one transaction: ten thousand take the writer a second.
const bansAtOnce = 200

// BanAskers bans those who asked for a video and are not banned yet. more: these are too many for one transaction, and
// it is to be called again. ErrNotFound: nobody is left of them.
func (tx *Tx) BanAskers(assetID string, admin int64) (more bool, err error) {
	rows, err := tx.sql.Query(`SELECT user_id FROM requests WHERE asset_id = ?
		AND NOT EXISTS (SELECT 1 FROM bans WHERE chat_id = user_id) LIMIT 0 + ?`, assetID, bansAtOnce+1)
	askers, err := collect(rows, err, func(id *int64) error { return rows.Scan(id) })
	if err != nil {
		return false, err
	}
	if len(askers) == 0 {
		return false, ErrNotFound
	}
	for _, id := range askers[:min(len(askers), bansAtOnce)] {
		if err := tx.Ban(id, admin, assetID); err != nil {
			return false, err
		}
	}
	return len(askers) > bansAtOnce, nil
}

// Banned reports whether a person or a group is banned.
func (s *Store) Banned(ctx context.Context, chat int64) (yes bool, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM bans WHERE chat_id = ?)`, chat).Scan(&yes)
	return yes, err
}

// Pause makes the bot take no new wishes until Resume. ErrExists: it takes none already.
func (tx *Tx) Pause(admin int64) error {
	n, err := tx.sql.Exec(`INSERT INTO pause (id, since) VALUES (1, ?) ON CONFLICT DO NOTHING`, tx.now)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrExists
	}
	return tx.Note(Event{Admin: &admin, Action: "pause"})
}

// Resume has the bot take wishes again. ErrNotFound: it takes them.
func (tx *Tx) Resume(admin int64) error {
	if err := one(tx.sql.Exec(`DELETE FROM pause`)); err != nil {
		return err
	}
	return tx.Note(Event{Admin: &admin, Action: "resume"})
}

// Paused returns since when no new wishes are taken; zero: they are.
func (s *Store) Paused(ctx context.Context) (time.Time, error) {
	var since sql.NullInt64
	err := s.db.Read().QueryRowContext(ctx, `SELECT max(since) FROM pause`).Scan(&since)
	return Moment(since.Int64), err
}
