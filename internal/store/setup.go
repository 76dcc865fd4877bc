// The set-up on the page: how far it is, and the code with which its owner is found.

package store

import (
	"context"
	"errors"
	"time"
)

// OwnerCodeLife is how long a code makes somebody the owner.
const OwnerCodeLife = 15 * time.Minute

// Setup is a set-up that is under way.
type Setup struct {
	Code    [32]byte  // hash of the code that works
	Expires time.Time // when it ends; zero: none works
	Test    string    // id of the test video; "": none was asked for
}

// Setup returns the set-up that is under way; ErrNotFound: none is.
func (s *Store) Setup(ctx context.Context) (u Setup, err error) {
	var code []byte
	var expires int64
	err = found(s.db.Read().QueryRowContext(ctx, `SELECT code, expires, ifnull(test, '') FROM setup`).
		Scan(&code, &expires, &u.Test))
	if now := s.now(); len(code) == len(u.Code) && expires >= now.UnixMilli() &&
		expires <= now.Add(OwnerCodeLife).UnixMilli() {
		u.Code, u.Expires = [32]byte(code), Moment(expires)
	}
	return u, err
}

// BeginSetup records that a set-up is under way.
func (tx *Tx) BeginSetup() error {
	_, err := tx.sql.Exec(`INSERT INTO setup (id) VALUES (1) ON CONFLICT DO NOTHING`)
	return err
}

// OfferOwnership makes a code the one with which somebody becomes the owner. Only its hash is stored.
func (tx *Tx) OfferOwnership(code [32]byte) error {
	_, err := tx.sql.Exec(`INSERT INTO setup (id, code, expires) VALUES (1, ?1, ?2)
		ON CONFLICT (id) DO UPDATE SET code = ?1, expires = ?2`, code[:], tx.now+OwnerCodeLife.Milliseconds())
	tx.touch("")
	return err
}

// BecomeOwner makes the user who sent the right code an owner, once. Wrong codes change nothing, however many there
// are: nobody guesses 80 bits, and a limit would let anybody keep the owner out. When there is an owner, no code works.
func (tx *Tx) BecomeOwner(code [32]byte, user int64) (yes bool, err error) {
	var owned bool
	if err := tx.sql.Get(`SELECT EXISTS (SELECT 1 FROM admins WHERE owner = 1)`, nil, &owned); err != nil || owned {
		return false, err
	}
	var one int
	err = found(tx.sql.Get(`UPDATE setup SET code = NULL WHERE code = ? AND expires >= ? AND expires <= ? RETURNING 1`,
		[]any{code[:], tx.now, tx.now + OwnerCodeLife.Milliseconds()}, &one))
	switch {
	case errors.Is(err, ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, tx.Appoint(Admin{ID: user, Owner: true}, user, ByInvitation)
}

// HasOwner reports whether somebody was made an owner, beside those of the settings.
func (s *Store) HasOwner(ctx context.Context) (yes bool, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM admins WHERE owner = 1)`).Scan(&yes)
	return yes, err
}

// KeepTest records which video the set-up has asked for, to see how it goes.
func (tx *Tx) KeepTest(assetID string) error {
	_, err := tx.sql.Exec(`INSERT INTO setup (id, test) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET test = ?1`, assetID)
	return err
}

// EndSetup records that nothing is left to set up.
func (tx *Tx) EndSetup() error {
	_, err := tx.sql.Exec(`DELETE FROM setup`)
	return err
}
