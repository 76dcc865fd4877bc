// API tokens: how programs of an owner use the page.

package store

import (
	"context"
	"database/sql"
	"time"
)

// Scope is how much a token lets a program do. Each includes those before it.
type Scope string

// The scopes.
const (
	ScopeRead       Scope = "read"
	ScopeMake       Scope = "make"       // make, upload and retry videos
	ScopePublish    Scope = "publish"    // edit details, publish, update and remove
	ScopeEverything Scope = "everything" // all that owners do, but for admins and tokens
)

// Scopes lists the scopes, the smallest first.
var Scopes = []Scope{ScopeRead, ScopeMake, ScopePublish, ScopeEverything}

// Token is what is known about a token. The token itself is shown once, and only its hash is stored.
type Token struct {
	ID      int64     `json:"id"`
	Title   string    `json:"title"`
	Scope   Scope     `json:"scope"`
	Created time.Time `json:"created"`
	Used    time.Time `json:"used,omitzero"`    // when last, to the hour; zero: never
	Expires time.Time `json:"expires,omitzero"` // zero: never
}

// SaveToken stores the hash of a token of an owner, and notes it. life 0: it doesn't expire.
func (tx *Tx) SaveToken(hash [32]byte, admin int64, title string, scope Scope, life time.Duration) error {
	var expires sql.NullInt64
	if life > 0 {
		expires = sql.NullInt64{Int64: tx.now + life.Milliseconds(), Valid: true}
	}
	if _, err := tx.sql.Exec(`INSERT INTO tokens (hash, admin, title, scope, created, expires) VALUES (?, ?, ?, ?, ?, ?)`,
		hash[:], admin, title, string(scope), tx.now, expires); err != nil {
		return err
	}
	return tx.Note(Event{Admin: &admin, Action: "make token", Outcome: string(scope)})
}

// RevokeToken ends a token of an owner, and notes it. ErrNotFound: that owner has none with that id.
func (tx *Tx) RevokeToken(id, admin int64) error {
	if err := one(tx.sql.Exec(`DELETE FROM tokens WHERE id = ? AND admin = ?`, id, admin)); err != nil {
		return err
	}
	tx.touch("") // streams of events check whether their token is over
	return tx.Note(Event{Admin: &admin, Action: "revoke token"})
}

// Tokens lists the tokens of an owner, the newest first.
func (s *Store) Tokens(ctx context.Context, admin int64) ([]Token, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id, title, scope, created, ifnull(used, 0), ifnull(expires, 0)
		FROM tokens WHERE admin = ? ORDER BY id DESC`, admin)
	return collect(rows, err, func(t *Token) error {
		var created, used, expires int64
		err := rows.Scan(&t.ID, &t.Title, &t.Scope, &created, &used, &expires)
		t.Created, t.Used, t.Expires = Moment(created), Moment(used), Moment(expires)
		return err
	})
}

// TokenOf returns whose a token is and what it lets do, or ErrNotFound if there is none with that hash or it has
// expired. stale: its use should be recorded with UsedToken.
func (s *Store) TokenOf(ctx context.Context, hash [32]byte) (admin int64, scope Scope, stale bool, err error) {
	now := s.now().UnixMilli()
	err = found(s.db.Read().QueryRowContext(ctx, `SELECT admin, scope, ifnull(used, 0) < ?1 FROM tokens
		WHERE hash = ?2 AND ifnull(expires, ?3) >= ?3`, now-time.Hour.Milliseconds(), hash[:], now).
		Scan(&admin, &scope, &stale))
	return admin, scope, stale, err
}

// UsedToken records that a token is in use.
func (tx *Tx) UsedToken(hash [32]byte) error {
	_, err := tx.sql.Exec(`UPDATE tokens SET used = ? WHERE hash = ?`, tx.now, hash[:])
	return err
}
