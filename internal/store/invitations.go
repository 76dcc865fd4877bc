// Invitations: one-time links that make the first person who opens them an admin.

package store

import (
	"context"
	"time"
)

// InvitationLife is how long an invitation is open.
const InvitationLife = 24 * time.Hour

// Invitation is a link that has not been opened yet.
type Invitation struct {
	ID      int64     `json:"id"`
	Owner   bool      `json:"owner"` // who opens it becomes an owner
	Inviter int64     `json:"-"`     // Telegram id; 0: the operator
	Expires time.Time `json:"expires"`
}

// Invite stores the hash of an invitation's code, and notes it.
func (tx *Tx) Invite(hash [32]byte, owner bool, by int64) error {
	if _, err := tx.sql.Exec(`INSERT INTO invitations (hash, owner, inviter, expires) VALUES (?, ?, ?, ?)`,
		hash[:], owner, by, tx.now+InvitationLife.Milliseconds()); err != nil {
		return err
	}
	return tx.Note(Event{Admin: &by, Action: "invite", Outcome: rank(owner)})
}

// Invitations lists those that are open, the newest first.
func (s *Store) Invitations(ctx context.Context) ([]Invitation, error) {
	now := s.now()
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id, owner, inviter, expires FROM invitations
		WHERE expires >= ? AND expires <= ? ORDER BY id DESC`, now.UnixMilli(), now.Add(InvitationLife).UnixMilli())
	return collect(rows, err, func(i *Invitation) error {
		var expires int64
		err := rows.Scan(&i.ID, &i.Owner, &i.Inviter, &expires)
		i.Expires = Moment(expires)
		return err
	})
}

// Uninvite withdraws an invitation, and notes it. ErrNotFound: it is not open any more.
func (tx *Tx) Uninvite(id, by int64) error {
	if err := one(tx.sql.Exec(`DELETE FROM invitations WHERE id = ?`, id)); err != nil {
		return err
	}
	return tx.Note(Event{Admin: &by, Action: "uninvite"})
}

// AcceptInvitation spends an invitation: the person who opened it is an admin now. already: they were at least that
// before, and the invitation stays open for somebody else. ErrNotFound: spent, withdrawn or expired, never made, or its
// maker is no owner any more. One that would be open for longer than an invitation is was made while the clock was
// ahead.
func (tx *Tx) AcceptInvitation(hash [32]byte, id int64, settings func(id int64) (Admin, bool)) (a Admin, already bool,
	err error) {
	a.ID = id
	var inviter int64
	if err := found(tx.sql.Get(`SELECT owner, inviter FROM invitations WHERE hash = ? AND expires >= ? AND expires <= ?`,
		[]any{hash[:], tx.now, tx.now + InvitationLife.Milliseconds()}, &a.Owner, &inviter)); err != nil {
		return a, false, err
	}
	switch by, ok, err := tx.RoleOf(settings, inviter); {
	case err != nil:
		return a, false, err
	case !ok || !by.Owner:
		return a, false, ErrNotFound
	}
	switch now, ok, err := tx.RoleOf(settings, id); {
	case err != nil:
		return a, false, err
	case ok && (now.Owner || !a.Owner):
		return now, true, nil
	}
	if _, err := tx.sql.Exec(`DELETE FROM invitations WHERE hash = ?`, hash[:]); err != nil {
		return a, false, err
	}
	return a, false, tx.Appoint(a, id, ByInvitation)
}

// rank is the word for a role in the activity list.
func rank(owner bool) string {
	if owner {
		return "owner"
	}
	return "admin"
}
