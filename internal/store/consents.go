// Who agreed to get announcements, and what a restored backup may say about that.

package store

import (
	"context"
	"errors"
	"fmt"
)

// Answer is what somebody said to the question whether they want announcements; "": nothing yet.
type Answer string

// The answers. Lapsed: they had agreed, and cannot be written to any more.
const (
	Agreed   Answer = "agreed"
	Declined Answer = "declined"
	Lapsed   Answer = "ended"
)

// AskConsent records that a user is asked now whether they want announcements, and reports whether they may be: once,
// and not while they wait for anything.
func (tx *Tx) AskConsent(user int64) (yes bool, err error) {
	n, err := tx.sql.Exec(`INSERT INTO consents (user_id, asked)
		SELECT u.id, ?2 FROM users u WHERE u.id = ?1 AND u.unreachable IS NULL
			AND NOT EXISTS (SELECT 1 FROM requests r WHERE r.user_id = u.id AND (r.finished IS NULL OR r.undelivered IS NOT NULL))
		ON CONFLICT DO NOTHING`, user, tx.now)
	return n == 1, err
}

// NotAsked takes AskConsent back: the question could not be put.
func (tx *Tx) NotAsked(user int64) error {
	_, err := tx.sql.Exec(`DELETE FROM consents WHERE user_id = ? AND answer IS NULL`, user)
	return err
}

// Consent returns what a user has answered.
func (tx *Tx) Consent(user int64) (a Answer, err error) {
	err = found(tx.sql.Get(`SELECT ifnull(answer, '') FROM consents WHERE user_id = ?`, []any{user}, &a))
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return a, err
}

// SetConsent records an answer. One that changes nothing keeps its time.
func (tx *Tx) SetConsent(user int64, a Answer) error {
	_, err := tx.sql.Exec(`INSERT INTO consents (user_id, asked, answer, answered) VALUES (?1, ?3, ?2, ?3)
		ON CONFLICT (user_id) DO UPDATE SET answer = ?2, answered = ?3 WHERE answer IS NOT ?2`, user, a, tx.now)
	return err
}

// Consents counts people by their answer to the question whether they want announcements.
type Consents struct {
	Agreed     int `json:"agreed"` // and are not banned
	Declined   int `json:"declined"`
	Ended      int `json:"ended"` // had agreed, and have blocked the bot
	Unanswered int `json:"unanswered"`
}

// Consents returns how many people have given each answer.
func (s *Store) Consents(ctx context.Context) (c Consents, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE answer = 'agreed'),
		count(*) FILTER (WHERE answer = 'declined'), count(*) FILTER (WHERE answer = 'ended'),
		count(*) FILTER (WHERE answer IS NULL) FROM consents`).Scan(&c.Agreed, &c.Declined, &c.Ended, &c.Unanswered)
	if err != nil {
		return c, err
	}
	banned := 0
	err = s.db.Read().QueryRowContext(ctx, `SELECT count(*) FROM bans b JOIN consents c ON c.user_id = b.chat_id
		WHERE c.answer = 'agreed'`).Scan(&banned)
	c.Agreed -= banned
	return c, err
}

// recoverAnnouncements takes over who has agreed to announcements, and who has had which, from the previous database.
// None goes on until an owner says so: without that database, who was sent one since is unknown.
func (tx *Tx) recoverAnnouncements(l later) error {
	if l.DB != nil && errors.Is(l.ask(`SELECT 1 FROM announcements LIMIT 0`, nil), ErrNotFound) { // older ones know nothing of them
		for _, t := range []struct{ empty, read, write string }{
			{`DELETE FROM consents`, `SELECT user_id, asked, answer, answered FROM consents`,
				`INSERT INTO consents (user_id, asked, answer, answered) SELECT ?1, ?2, ?3, ?4 FROM users WHERE id = ?1`},
			{`DELETE FROM announcements`, `SELECT id, texts, status, creator, created, changed, started, finished, people,
				reached, delivered, blocked, failed, trouble FROM announcements`,
				`INSERT INTO announcements (id, texts, status, creator, created, changed, started, finished, people, reached,
				delivered, blocked, failed, trouble) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
			{`DELETE FROM announced`, `SELECT announcement_id, user_id, outcome, at, tries, code FROM announced`,
				`INSERT INTO announced (announcement_id, user_id, outcome, at, tries, code)
				SELECT ?1, ?2, ?3, ?4, ?5, ?6 FROM users WHERE id = ?2`},
		} {
			if err := tx.takeOver(l, t.empty, t.read, t.write); err != nil {
				return err
			}
		}
	}
	_, err := tx.sql.Exec(`UPDATE announcements SET status = 'paused', trouble = '` + Restored + `' WHERE status = 'sending'`)
	return err
}

// takeOver puts the rows of the previous database in the place of those of a table.
func (tx *Tx) takeOver(l later, empty, read, write string) error {
	if _, err := tx.sql.Exec(empty); err != nil {
		return err
	}
	rows, err := l.Query(read)
	if err != nil {
		return fmt.Errorf("%w: %v", errLater, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return fmt.Errorf("%w: %v", errLater, err)
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("%w: %v", errLater, err)
		}
		if _, err := tx.sql.Exec(write, values...); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%w: %v", errLater, err)
	}
	return nil
}
