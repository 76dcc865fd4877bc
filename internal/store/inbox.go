package store

import (
	"context"
	"database/sql"
	"errors"
)

// Update is one of Telegram's updates, as it came.
type Update struct {
	ID, Chat int64
	Raw      string // JSON
}

// Receive stores updates and returns those it had not seen before. Rows older than six days go: Telegram sends nothing
// again after one. The order of received is that of arrival even if the clock is set back.
func (tx *Tx) Receive(updates []Update) (fresh []Update, err error) {
	for _, u := range updates {
		n, err := tx.sql.Exec(`INSERT INTO inbox (update_id, chat_id, raw, received)
			VALUES (?, ?, ?, max(?, ifnull((SELECT max(received) FROM inbox), 0)))
			ON CONFLICT (update_id) DO NOTHING`, u.ID, u.Chat, u.Raw, tx.now)
		if err != nil {
			return nil, err
		}
		if n == 1 {
			fresh = append(fresh, u)
		}
	}
	_, err = tx.sql.Exec(`DELETE FROM inbox WHERE received < ? AND raw IS NULL`, tx.now-inboxLife.Milliseconds())
	return fresh, err
}

// Offset returns the update id to ask Telegram for next. After six days without an update it is 0, because Telegram
// restarts its count after a week.
func (s *Store) Offset(ctx context.Context) (offset int64, err error) {
	err = s.db.Read().
		QueryRowContext(ctx, `SELECT update_id + 1 FROM inbox WHERE received >= ? ORDER BY received DESC, update_id DESC
			LIMIT 1`,
			s.now().Add(-inboxLife).UnixMilli()).
		Scan(&offset)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return offset, err
}

// Inbox lists the updates not handled yet, oldest first.
func (s *Store) Inbox(ctx context.Context) ([]Update, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT update_id, chat_id, raw FROM inbox
		WHERE raw IS NOT NULL AND held = 0 ORDER BY received, update_id`)
	return collect(rows, err, func(u *Update) error { return rows.Scan(&u.ID, &u.Chat, &u.Raw) })
}

// Handled marks an update done and erases it.
func (tx *Tx) Handled(updateID int64) error {
	_, err := tx.sql.Exec(`UPDATE inbox SET raw = NULL WHERE update_id = ?`, updateID)
	return err
}
