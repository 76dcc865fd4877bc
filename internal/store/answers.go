// The end of an update: what is still to be said about it stays in the inbox until Telegram has taken it, and what
// cannot be handled or answered stays until an owner has it tried again.

package store

import (
	"cmp"
	"slices"
)

// Answering records that the effect of an update is in the database, in the transaction of that effect, and what is
// still to be said about it, as JSON of the form {"answers": …}. The update is not handled again: only its answers are
// sent.
func (tx *Tx) Answering(updateID int64, answers string) error {
	_, err := tx.sql.Exec(`UPDATE inbox SET raw = ? WHERE update_id = ?`, answers, updateID)
	return err
}

// RecordAttempt counts a failed attempt to handle an update and returns how many there were. It returns ErrNotFound
// if the update is no longer in the inbox.
func (tx *Tx) RecordAttempt(updateID int64) (tries int, err error) {
	err = found(
		tx.sql.Get(`UPDATE inbox SET tries = tries + 1 WHERE update_id = ? RETURNING tries`, []any{updateID}, &tries),
	)
	return tries, err
}

// SetAside keeps an update that cannot be handled, or what cannot be said about it, with the code of the reason, until
// TryAside. What came from a group is erased: nobody waits for it.
func (tx *Tx) SetAside(updateID int64, raw, code string) error {
	_, err := tx.sql.Exec(`UPDATE inbox SET raw = iif(chat_id < 0, NULL, ?1), set_aside = iif(chat_id < 0, NULL, ?2),
		chat_id = max(chat_id, 0), error = ?3 WHERE update_id = ?4 AND raw IS NOT NULL`, raw, tx.now, code, updateID)
	return err
}

// TryAside returns the updates that are set aside, which are to be handled again, the oldest first. ErrNotFound: there
// are none.
func (tx *Tx) TryAside() ([]Update, error) {
	rows, err := tx.sql.Query(`UPDATE inbox SET set_aside = NULL, error = NULL, tries = 0 WHERE set_aside IS NOT NULL
		RETURNING update_id, chat_id, raw`)
	updates, err := collect(rows, err, func(u *Update) error { return rows.Scan(&u.ID, &u.Chat, &u.Raw) })
	if err == nil && len(updates) == 0 {
		err = ErrNotFound
	}
	slices.SortFunc(updates, func(a, b Update) int { return cmp.Compare(a.ID, b.ID) })
	return updates, err
}
