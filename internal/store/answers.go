// The end of an update: what is still to be said about it stays in the inbox until Telegram has taken it.

package store

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

// SetAside erases an update that cannot be handled, and keeps the reason.
func (tx *Tx) SetAside(updateID int64, problem string) error {
	_, err := tx.sql.Exec(`UPDATE inbox SET raw = NULL, chat_id = 0, error = ? WHERE update_id = ?`, problem, updateID)
	return err
}
