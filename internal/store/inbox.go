package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Update is one of Telegram's updates, as it came.
type Update struct {
	ID, Chat int64
	Raw      string // JSON
}

// aheadAtMost is how far a clock that was set back may have been ahead for the order of arrival to survive. A row from
// further in the future counts as not there: it must not decide about all that come after it.
const aheadAtMost = 24 * time.Hour

// Receive stores updates and returns those it had not seen before. The order of received is that of arrival even if the
// clock is set back by up to aheadAtMost.
func (tx *Tx) Receive(updates []Update) (fresh []Update, err error) {
	for _, u := range updates {
		n, err := tx.sql.Exec(`INSERT INTO inbox (update_id, chat_id, raw, received)
			VALUES (?1, ?2, ?3, max(?4, ifnull((SELECT max(received) FROM inbox WHERE received <= ?4 + ?5), 0)))
			ON CONFLICT (update_id) DO NOTHING`, u.ID, u.Chat, u.Raw, tx.now, aheadAtMost.Milliseconds())
		if err != nil {
			return nil, err
		}
		if n == 1 {
			fresh = append(fresh, u)
		}
	}
	return fresh, nil
}

// UseBot makes the inbox that of a bot. Each bot counts its updates on its own: after those of another one, the new
// bot's would be taken for ones that are known, or never be asked for. What waits keeps its place under a number below
// zero.
func (tx *Tx) UseBot(id int64) error {
	var before int64
	err := tx.sql.Get(`SELECT telegram_id FROM bot`, nil, &before)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if before == id || id == 0 {
		return nil
	}
	if before != 0 {
		if _, err := tx.sql.Exec(`DELETE FROM inbox WHERE raw IS NULL`); err != nil {
			return err
		}
		if _, err := tx.sql.Exec(`UPDATE inbox SET update_id = min(ifnull((SELECT min(update_id) FROM inbox), 0), 0) - update_id
			WHERE update_id > 0`); err != nil {
			return err
		}
	}
	_, err = tx.sql.Exec(`INSERT INTO bot (id, telegram_id) VALUES (1, ?) ON CONFLICT DO UPDATE SET telegram_id = excluded.telegram_id`, id)
	return err
}

// Offset returns the update id to ask Telegram for next. After six days without an update it is 0, because Telegram
// restarts its count after a week.
func (s *Store) Offset(ctx context.Context) (offset int64, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT update_id + 1 FROM inbox WHERE update_id > 0 AND received >= ? AND received <= ?
		ORDER BY received DESC, update_id DESC LIMIT 1`, s.now().Add(-inboxLife).UnixMilli(), s.now().Add(aheadAtMost).UnixMilli()).Scan(&offset)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return offset, err
}

// QuietFor returns how long ago the last update came; ever: one has.
func (s *Store) QuietFor(ctx context.Context) (quiet time.Duration, ever bool, err error) {
	var last int64
	err = s.db.Read().QueryRowContext(ctx, `SELECT received FROM inbox WHERE update_id > 0
		ORDER BY received DESC, update_id DESC LIMIT 1`).Scan(&last)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return s.now().Sub(Moment(last)), err == nil, err
}

// Inbox lists the updates that are to be handled, oldest first.
func (s *Store) Inbox(ctx context.Context) ([]Update, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT update_id, chat_id, raw FROM inbox
		WHERE raw IS NOT NULL AND restore_hold = 0 AND set_aside IS NULL ORDER BY received, update_id`)
	return collect(rows, err, func(u *Update) error { return rows.Scan(&u.ID, &u.Chat, &u.Raw) })
}

// Handled marks an update done and erases it, with whom it was from.
func (tx *Tx) Handled(updateID int64) error {
	_, err := tx.sql.Exec(`UPDATE inbox SET raw = NULL, chat_id = 0, set_aside = NULL WHERE update_id = ?`, updateID)
	return err
}
