package store

import (
	"context"
	"time"
)

// User is a person who wrote to the bot.
type User struct {
	ID   int64
	Lang string
}

// UpsertUser returns the user, and creates them with lang at the first contact. Anyone who writes can be reached again.
func (tx *Tx) UpsertUser(id int64, lang string) (User, error) {
	u := User{ID: id}
	err := tx.sql.Get(`
		INSERT INTO users (id, lang, created, seen) VALUES (?1, ?2, ?3, ?3)
		ON CONFLICT (id) DO UPDATE SET unreachable = NULL, seen = ?3
		RETURNING lang`, []any{id, lang, tx.now}, &u.Lang)
	return u, err
}

// RecentUser returns a user who has written in the last day, can be reached and is owed nothing that was given up:
// UpsertUser would change nothing of what is known of them. ErrNotFound otherwise.
func (s *Store) RecentUser(ctx context.Context, id int64) (User, error) {
	u := User{ID: id}
	err := found(
		s.db.Read().
			QueryRowContext(ctx, `SELECT lang FROM users WHERE id = ? AND unreachable IS NULL AND seen > ? AND seen <= ?
		AND NOT EXISTS (SELECT 1 FROM requests r WHERE r.user_id = users.id AND `+unasked+`)`,
				id, s.now().Add(-24*time.Hour).UnixMilli(), s.now().UnixMilli()).
			Scan(&u.Lang),
	)
	return u, err
}

// SetLang stores the language a user chose.
func (tx *Tx) SetLang(user int64, lang string) error {
	return one(tx.sql.Exec(`UPDATE users SET lang = ? WHERE id = ?`, lang, user))
}

// Language returns the language of a user.
func (s *Store) Language(ctx context.Context, user int64) (lang string, err error) {
	err = found(s.db.Read().QueryRowContext(ctx, `SELECT lang FROM users WHERE id = ?`, user).Scan(&lang))
	return lang, err
}

// SetReachable records whether messages reach a user. A user nobody knows is not an error.
func (tx *Tx) SetReachable(user int64, yes bool) error {
	_, err := tx.sql.Exec(
		`UPDATE users SET unreachable = CASE WHEN ? THEN NULL ELSE ifnull(unreachable, ?) END WHERE id = ?`,
		yes,
		tx.now,
		user,
	)
	return err
}

// maxDrafts is how many names of one person wait for their Yes: who types more does not mean the oldest.
const maxDrafts = 50

// SaveDraft keeps a name until its Yes is pressed and returns the id that the button carries.
func (tx *Tx) SaveDraft(user int64, name string) (string, error) {
	if _, err := tx.sql.Exec(`DELETE FROM drafts WHERE user_id = ? AND created < ?`, user,
		tx.now-draftLife.Milliseconds()); err != nil {
		return "", err
	}
	if _, err := tx.sql.Exec(`DELETE FROM drafts WHERE id IN (SELECT id FROM drafts WHERE user_id = ?
		ORDER BY rowid DESC LIMIT -1 OFFSET 0 + ?)`, user, maxDrafts-1); err != nil {
		return "", err
	}
	id := NewID()
	_, err := tx.sql.Exec(`INSERT INTO drafts (id, user_id, name, created) VALUES (?, ?, ?, ?)`, id, user, name, tx.now)
	return id, err
}

// Draft returns the name of a user's draft.
func (s *Store) Draft(ctx context.Context, user int64, id string) (name string, err error) {
	err = found(s.db.Read().QueryRowContext(ctx, `SELECT name FROM drafts WHERE id = ? AND user_id = ?`, id,
		user).Scan(&name))
	return name, err
}

// TakeDraft returns a user's draft and forgets it.
func (tx *Tx) TakeDraft(user int64, id string) (name string, err error) {
	err = found(tx.sql.Get(`DELETE FROM drafts WHERE id = ? AND user_id = ? RETURNING name`, []any{id, user}, &name))
	return name, err
}
