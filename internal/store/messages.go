// What chats show of the requests of a person, and what they are still promised.

package store

// Awaits reports whether something is still owed to a user's request for an asset.
func (tx *Tx) Awaits(user int64, assetID string) (yes bool, err error) {
	err = tx.sql.Get(`SELECT EXISTS (SELECT 1 FROM requests WHERE user_id = ? AND asset_id = ? AND `+awaited+`)`,
		[]any{user, assetID}, &yes)
	return yes, err
}

// Promises lists the messages that promise a user a video which has not come yet.
func (tx *Tx) Promises(user int64) (messages []int, err error) {
	rows, err := tx.sql.Query(`SELECT progress_id FROM requests WHERE user_id = ? AND progress_id IS NOT NULL
		AND status IN ('PENDING', 'PROCESSING') ORDER BY id`, user)
	return collect(rows, err, func(m *int) error { return rows.Scan(m) })
}
