// What chats show of the requests of a person, and what they are still promised.

package store

import (
	"context"
	"regexp"
	"time"
)

// Awaits reports whether something is still owed to a user's request for an asset.
func (tx *Tx) Awaits(user int64, assetID string) (yes bool, err error) {
	err = tx.sql.Get(`SELECT EXISTS (SELECT 1 FROM requests WHERE user_id = ? AND asset_id = ? AND `+awaited+`)`,
		[]any{user, assetID}, &yes)
	return yes, err
}

// Promises lists the messages that promise a user a video which has not come yet.
func (tx *Tx) Promises(user int64) (messages []int, err error) {
	rows, err := tx.sql.Query(`SELECT progress_id FROM requests WHERE user_id = ? AND progress_id IS NOT NULL
		AND finished IS NULL ORDER BY id`, user)
	return collect(rows, err, func(m *int) error { return rows.Scan(m) })
}

// Shows reports whether a message is or was the progress message of one of a user's requests.
func (tx *Tx) Shows(user int64, message int) (yes bool, err error) {
	err = tx.sql.Get(`SELECT EXISTS (SELECT 1 FROM requests WHERE user_id = ? AND progress_id = ?)`,
		[]any{user, message}, &yes)
	return yes, err
}

// MoveProgress records that another message is the progress message of a request. It returns ErrNotFound if nothing is
// owed to the request any more, or it has yet another one: the new message is nobody's then.
func (tx *Tx) MoveProgress(request int64, from, to int) error {
	return one(tx.sql.Exec(`UPDATE requests SET progress_id = ? WHERE id = ? AND progress_id = ? AND `+awaited,
		to, request, from))
}

// Return records that messages reach a user again. What could not be sent to them while they had blocked the bot is
// pending again: finished videos, and apologies for those that they have not asked for since. newcomer is true if
// nobody knows the user.
func (tx *Tx) Return(user int64) (newcomer bool, err error) {
	var blocked bool
	switch err := found(tx.sql.Get(`SELECT unreachable IS NOT NULL FROM users WHERE id = ?`, []any{user}, &blocked)); {
	case err == ErrNotFound:
		return true, nil
	case err != nil:
		return false, err
	case !blocked:
		return false, tx.OweAgain(user)
	}
	if err := tx.forgetUndelivered(user); err != nil { // all that is owed is owed again below
		return false, err
	}
	if err := tx.SetReachable(user, true); err != nil {
		return false, err
	}
	type pending struct {
		id    int64
		asset string
		kind  Kind
	}
	rows, err := tx.sql.Query(`
		SELECT r.id, r.asset_id, iif(r.status = 'FAILED', ?2, 'DELIVER')
		FROM requests r JOIN assets a ON a.id = r.asset_id
		WHERE r.user_id = ?1 AND r.restore_hold = 0 AND (r.status = 'PROCESSING' AND a.status = 'COMPLETED'
				OR r.status = 'FAILED' AND r.answer_id IS NULL
					AND EXISTS (SELECT 1 FROM unserved u WHERE u.request = r.id))
			AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.request_id = r.id AND j.kind <> 'ANNOUNCE')
			AND NOT EXISTS (SELECT 1 FROM fan_outs c WHERE c.request_id = r.id)
		ORDER BY r.id`, user, Apologise)
	all, err := collect(rows, err, func(p *pending) error { return rows.Scan(&p.id, &p.asset, &p.kind) })
	if err != nil {
		return false, err
	}
	for _, p := range all {
		if err := tx.Enqueue(p.kind, p.asset, p.id, user); err != nil {
			return false, err
		}
		tx.touch(p.asset)
	}
	return false, nil
}

// KnownSince returns when a user wrote for the first time, or for the first time after their data was deleted.
func (s *Store) KnownSince(ctx context.Context, user int64) (time.Time, error) {
	var created int64
	err := found(s.db.Read().QueryRowContext(ctx, `SELECT created FROM users WHERE id = ?`, user).Scan(&created))
	return Moment(created), err
}

// sourceTag is the form of what a link to the bot can pass on (core.telegram.org/bots/features#deep-linking).
var sourceTag = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// SetSource keeps the tag of the link that led a user to the bot, the first one. Others than Telegram's are ignored.
func (tx *Tx) SetSource(user int64, tag string) error {
	if !sourceTag.MatchString(tag) {
		return nil
	}
	_, err := tx.sql.Exec(`UPDATE users SET source = ? WHERE id = ? AND source IS NULL`, tag, user)
	return err
}

// Source is a tag and how many people came with it.
type Source struct {
	Tag    string
	People int
}

// Sources counts the people of the tags that led most of them here.
func (s *Store) Sources(ctx context.Context, limit int) ([]Source, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT source, count(*) FROM users WHERE source IS NOT NULL
		GROUP BY source ORDER BY count(*) DESC, source LIMIT ?`, limit)
	return collect(rows, err, func(s *Source) error { return rows.Scan(&s.Tag, &s.People) })
}

// Menu returns the hash of the menu that Telegram was given for a chat and a language; "": none.
func (s *Store) Menu(ctx context.Context, chat int64, lang string) (hash string, err error) {
	err = found(s.db.Read().QueryRowContext(ctx, `SELECT hash FROM menus WHERE chat = ? AND lang = ?`,
		chat, lang).Scan(&hash))
	if err == ErrNotFound {
		return "", nil
	}
	return hash, err
}

// MenuChats lists the chats that were given menus of their own: those of admins, and of some who no longer are.
func (s *Store) MenuChats(ctx context.Context) ([]int64, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT DISTINCT chat FROM menus WHERE chat <> 0`)
	return collect(rows, err, func(chat *int64) error { return rows.Scan(chat) })
}

// DropMenu forgets which menu a chat was given: of people who are no admins nothing is kept.
func (tx *Tx) DropMenu(chat int64, lang string) error {
	_, err := tx.sql.Exec(`DELETE FROM menus WHERE chat = ? AND lang = ?`, chat, lang)
	return err
}

// KeepMenu records which menu Telegram was given.
func (tx *Tx) KeepMenu(chat int64, lang, hash string) error {
	_, err := tx.sql.Exec(`INSERT INTO menus (chat, lang, hash) VALUES (?1, ?2, ?3)
		ON CONFLICT (chat, lang) DO UPDATE SET hash = ?3`, chat, lang, hash)
	return err
}
