// The texts of the bot that owners have changed.

package store

import (
	"context"
	"time"
)

// Text is a text of the bot in a language, as an owner has changed it.
type Text struct {
	Lang, Key string
	Forms     map[string]string // by plural form
	Changed   time.Time
	Admin     int64 // who did; 0: the operator
}

// Texts lists the changed texts, by language and key.
func (s *Store) Texts(ctx context.Context) (all []Text, err error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT lang, key, form, text, changed, admin FROM texts
		ORDER BY lang, key, form`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var t Text
		var form, text string
		var changed int64
		if err := rows.Scan(&t.Lang, &t.Key, &form, &text, &changed, &t.Admin); err != nil {
			return nil, err
		}
		last := len(all) - 1
		if last < 0 || all[last].Lang != t.Lang || all[last].Key != t.Key {
			t.Forms, t.Changed = map[string]string{}, Moment(changed)
			all, last = append(all, t), last+1
		}
		all[last].Forms[form] = text
	}
	return all, rows.Err()
}

// ChangeText keeps the forms of a text. seen is when the text that the admin saw was changed; zero: it was not.
// ErrConflict: somebody has changed it since.
func (tx *Tx) ChangeText(lang, key string, forms map[string]string, seen time.Time, admin int64) error {
	if err := tx.unchangedText(lang, key, seen); err != nil {
		return err
	}
	if _, err := tx.sql.Exec(`DELETE FROM texts WHERE lang = ? AND key = ?`, lang, key); err != nil {
		return err
	}
	for form, text := range forms {
		if _, err := tx.sql.Exec(`INSERT INTO texts (lang, key, form, text, changed, admin) VALUES (?, ?, ?, ?, ?, ?)`,
			lang, key, form, text, tx.now, admin); err != nil {
			return err
		}
	}
	return tx.textChanged("change text", lang, key, admin)
}

// ResetText brings the text back that comes with the program. ErrNotFound: it is said already.
func (tx *Tx) ResetText(lang, key string, admin int64) error {
	n, err := tx.sql.Exec(`DELETE FROM texts WHERE lang = ? AND key = ?`, lang, key)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrNotFound
	}
	return tx.textChanged("reset text", lang, key, admin)
}

func (tx *Tx) unchangedText(lang, key string, seen time.Time) error {
	var since, at int64
	if !seen.IsZero() {
		at = seen.UnixMilli()
	}
	if err := tx.sql.Get(`SELECT ifnull(max(changed), 0) FROM texts WHERE lang = ? AND key = ?`, []any{lang, key},
		&since); err != nil {
		return err
	}
	if since != at {
		return ErrConflict
	}
	return nil
}

// textChanged notes a change without its words, and has the menus of commands looked at.
func (tx *Tx) textChanged(action, lang, key string, admin int64) error {
	tx.touch("")
	return tx.Note(Event{Admin: &admin, Action: action, Outcome: key + " (" + lang + ")"})
}
