package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"retake.example/internal/db"
	"retake.example/internal/lang"
)

// Admin is somebody who may sign in to the page.
type Admin struct {
	ID    int64 // Telegram user id; 0: the operator of the machine
	Owner bool
}

// MayChange reports whether an admin may retry, edit or delete what somebody made: an owner anything, the others what
// is theirs. creator is who made it; nil: a parent asked for it. Everybody who is signed in may see everything.
func (a Admin) MayChange(creator *int64) bool { return a.Owner || creator != nil && *creator == a.ID }

// AppointedIn is Appointed of a file that another process may be using.
func AppointedIn(ctx context.Context, path string) ([]Appointed, error) {
	d, err := db.Look(path)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return appointed(ctx, d)
}

// LinkLife is how long a sign-in link works at the most.
const LinkLife = 15 * time.Minute

// maxLinks is how many unspent sign-in links an admin has: the newest.
const maxLinks = 10

// SaveLink stores the hash of a one-time sign-in link.
func (tx *Tx) SaveLink(hash [32]byte, admin int64, expires time.Time) error {
	if _, err := tx.sql.Exec(`DELETE FROM links WHERE rowid IN (SELECT rowid FROM links WHERE admin = ?
		ORDER BY rowid DESC LIMIT -1 OFFSET 0 + ?)`, admin, maxLinks-1); err != nil {
		return err
	}
	_, err := tx.sql.Exec(`INSERT INTO links (hash, admin, expires) VALUES (?, ?, ?)`, hash[:], admin, expires.UnixMilli())
	return err
}

// SpendLink exchanges a link for a session, once. ErrNotFound: spent, expired or never made. One that would work for
// longer than a link does was made while the clock was ahead.
func (tx *Tx) SpendLink(link, session [32]byte) (admin int64, err error) {
	if err := found(tx.sql.Get(`DELETE FROM links WHERE hash = ? AND expires >= ? AND expires <= ? RETURNING admin`,
		[]any{link[:], tx.now, tx.now + LinkLife.Milliseconds()},
		&admin)); err != nil {
		return 0, err
	}
	_, err = tx.sql.Exec(
		`INSERT INTO sessions (hash, admin, created, seen) VALUES (?, ?, ?, ?)`,
		session[:],
		admin,
		tx.now,
		tx.now,
	)
	return admin, err
}

// LinkIsGood reports whether a link can still be spent.
func (s *Store) LinkIsGood(ctx context.Context, link [32]byte) (yes bool, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM links WHERE hash = ? AND expires >= ? AND expires <= ?)`,
		link[:], s.now().UnixMilli(), s.now().Add(LinkLife).UnixMilli()).Scan(&yes)
	return yes, err
}

// sessionLife is how long a session lasts after its last visit.
const SessionLife = 14 * 24 * time.Hour

// SessionEnd is how long a session lasts at the most, however often it is used.
const SessionEnd = 90 * 24 * time.Hour

// Session returns the admin of a session, or ErrNotFound. One of the future, by a clock that was ahead, has ended.
// stale: the visit should be recorded with Seen.
func (s *Store) Session(ctx context.Context, hash [32]byte) (admin int64, stale bool, err error) {
	now := s.now().UnixMilli()
	err = found(
		s.db.Read().QueryRowContext(ctx, `SELECT admin, seen < ? FROM sessions WHERE hash = ? AND seen >= ? AND created >= ?
			AND seen <= ? AND created <= ?`,
			now-time.Hour.Milliseconds(), hash[:], now-SessionLife.Milliseconds(), now-SessionEnd.Milliseconds(),
			now+aheadAtMost.Milliseconds(), now+aheadAtMost.Milliseconds()).
			Scan(&admin, &stale),
	)
	return admin, stale, err
}

// Seen prolongs a session.
func (tx *Tx) Seen(hash [32]byte) error {
	_, err := tx.sql.Exec(`UPDATE sessions SET seen = ? WHERE hash = ?`, tx.now, hash[:])
	return err
}

// SignOut ends a session, if there is one, and notes it.
func (tx *Tx) SignOut(hash [32]byte) error {
	return tx.end("sign out", `DELETE FROM sessions WHERE hash = ? RETURNING admin`, hash)
}

// SignOutEverywhere ends all sessions of the admin who has this one, and notes it.
func (tx *Tx) SignOutEverywhere(hash [32]byte) error {
	return tx.end(
		"sign out everywhere",
		`DELETE FROM sessions WHERE admin = (SELECT admin FROM sessions WHERE hash = ?) RETURNING admin`,
		hash,
	)
}

// end carries out a deletion of sessions, which SQLite has done to the last row before it returns the first.
func (tx *Tx) end(action, deletion string, hash [32]byte) error {
	var admin int64
	err := found(tx.sql.Get(deletion, []any{hash[:]}, &admin))
	switch {
	case errors.Is(err, ErrNotFound): // it has ended already
		return nil
	case err != nil:
		return err
	}
	tx.touch("") // open pages check whether their session is over
	return tx.Note(Event{Admin: &admin, Action: action})
}

// Session is a sign-in that has not ended.
type Session struct {
	Begun  time.Time `json:"begun"`
	Seen   time.Time `json:"seen"`   // written once an hour: it may have been used up to an hour later
	Recent bool      `json:"recent"` // so it may be in use
	This   bool      `json:"this"`   // the session that asks
}

// Visits lists the sessions of an admin, the newest first.
func (s *Store) Visits(ctx context.Context, admin int64, this [32]byte) ([]Session, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT created, seen, seen >= ?, hash = ? FROM sessions
		WHERE admin = ? AND seen >= ? ORDER BY created DESC, rowid DESC`,
		s.now().Add(-time.Hour).UnixMilli(), this[:], admin, s.now().Add(-SessionLife).UnixMilli())
	return collect(rows, err, func(v *Session) error {
		var begun, seen int64
		err := rows.Scan(&begun, &seen, &v.Recent, &v.This)
		v.Begun, v.Seen = Moment(begun), Moment(seen)
		return err
	})
}

// HadSession reports whether anybody is signed in.
func (s *Store) HadSession(ctx context.Context) (yes bool, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sessions)`).Scan(&yes)
	return yes, err
}

// How somebody who is not in the settings became an admin.
const (
	ByCommand    = "command"
	ByPage       = "page"
	ByInvitation = "invitation"
)

// Appointed is an admin beside those of the settings.
type Appointed struct {
	Admin
	Added  time.Time
	Origin string // ByCommand, ByPage or ByInvitation
}

// Appointed lists the admins beside those of the settings, the first before the others.
func (s *Store) Appointed(ctx context.Context) ([]Appointed, error) {
	return appointed(ctx, s.db.Read())
}

func appointed(ctx context.Context, d interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}) ([]Appointed, error) {
	rows, err := d.QueryContext(ctx, `SELECT id, owner, added, origin FROM admins ORDER BY added, id`)
	return collect(rows, err, func(a *Appointed) error {
		var added int64
		err := rows.Scan(&a.ID, &a.Owner, &added, &a.Origin)
		a.Added = Moment(added)
		return err
	})
}

// RoleOf returns what somebody may do: as much as the settings say, or as the table admins says.
func (s *Store) RoleOf(
	ctx context.Context,
	settings func(id int64) (Admin, bool),
	id int64,
) (a Admin, ok bool, err error) {
	return roleOf(
		settings,
		id,
		func(query string, owner *bool) error { return s.db.Read().QueryRowContext(ctx, query, id).Scan(owner) },
	)
}

// RoleOf is that of the store, within the transaction.
func (tx *Tx) RoleOf(settings func(id int64) (Admin, bool), id int64) (a Admin, ok bool, err error) {
	return roleOf(settings, id, func(query string, owner *bool) error { return tx.sql.Get(query, []any{id}, owner) })
}

func roleOf(
	settings func(id int64) (Admin, bool),
	id int64,
	get func(query string, owner *bool) error,
) (a Admin, ok bool, err error) {
	if a, ok = settings(id); ok && a.Owner {
		return a, true, nil
	}
	var owner bool
	err = found(get(`SELECT owner FROM admins WHERE id = ?`, &owner))
	switch {
	case errors.Is(err, ErrNotFound):
		return a, ok, nil
	case err != nil:
		return a, false, fmt.Errorf("read the role of an admin: %w", err)
	}
	return Admin{ID: id, Owner: owner}, true, nil
}

// Admins are those of the settings and those of the table. With an error they are those of the
// settings.
func (s *Store) Admins(ctx context.Context, settings []int64) (ids []int64, err error) {
	appointed, err := s.Appointed(ctx)
	if err != nil {
		return settings, fmt.Errorf("read the admins: %w", err)
	}
	ids = slices.Clone(settings)
	for _, a := range appointed {
		if !slices.Contains(ids, a.ID) {
			ids = append(ids, a.ID)
		}
	}
	return ids, nil
}

// Appoint makes somebody an admin, or changes what an admin may do, and notes who did that; 0: the operator. An owner
// who becomes an admin loses what only owners have: tokens, and invitations that are open.
func (tx *Tx) Appoint(a Admin, by int64, origin string) error {
	if _, err := tx.sql.Exec(`INSERT INTO admins (id, owner, added, origin) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
		SET owner = excluded.owner`,
		a.ID, a.Owner, tx.now, origin); err != nil {
		return err
	}
	if !a.Owner {
		if err := tx.clear(a.ID, `DELETE FROM tokens WHERE admin = ?`,
			`DELETE FROM invitations WHERE inviter = ?`); err != nil {
			return err
		}
	}
	tx.touch("")
	action := "appoint"
	if origin == ByInvitation {
		action = "join"
	}
	return tx.Note(Event{Admin: &by, Action: action, Outcome: rank(a.Owner)})
}

// Dismiss takes back what Appoint did, and ends the sessions, the links and the tokens of whom it was, their
// invitations, and what they were told. by is who did that; 0: the operator. ErrNotFound: nobody was made that.
func (tx *Tx) Dismiss(id, by int64) error {
	if err := one(tx.sql.Exec(`DELETE FROM admins WHERE id = ?`, id)); err != nil {
		return err
	}
	if err := tx.clear(id, `DELETE FROM sessions WHERE admin = ?`, `DELETE FROM links WHERE admin = ?`,
		`DELETE FROM tokens WHERE admin = ?`, `DELETE FROM invitations WHERE inviter = ?`,
		`DELETE FROM alerts WHERE admin = ?`, `DELETE FROM admin_names WHERE id = ?`); err != nil {
		return err
	}
	tx.touch("")
	return tx.Note(Event{Admin: &by, Action: "dismiss"})
}

// clear deletes rows of an admin.
func (tx *Tx) clear(id int64, statements ...string) error {
	for _, statement := range statements {
		if _, err := tx.sql.Exec(statement, id); err != nil {
			return err
		}
	}
	return nil
}

// OtherOwner reports whether anybody beside id is an owner by the table.
func (tx *Tx) OtherOwner(id int64) (yes bool, err error) {
	err = tx.sql.Get(`SELECT EXISTS (SELECT 1 FROM admins WHERE owner = 1 AND id <> ?)`, []any{id}, &yes)
	return yes, err
}

// LastSeen returns when admins last used the page, as far as they still can sign in by a session or a token. It is
// written once an hour.
func (s *Store) LastSeen(ctx context.Context) (map[int64]time.Time, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT admin, max(at) FROM (SELECT admin, seen AS at FROM sessions
		UNION ALL SELECT admin, used FROM tokens WHERE used IS NOT NULL) GROUP BY admin`)
	all := map[int64]time.Time{}
	_, err = collect(rows, err, func(id *int64) error {
		var at int64
		err := rows.Scan(id, &at)
		all[*id] = Moment(at)
		return err
	})
	return all, err
}

// RoleBySettings returns what the settings let somebody do on the page. The operator of the server, who gets links from
// the command line, has the id 0 and is an owner.
func RoleBySettings(owners, admins []int64) func(id int64) (Admin, bool) {
	return func(id int64) (Admin, bool) {
		owner := id == 0 || slices.Contains(owners, id)
		return Admin{ID: id, Owner: owner}, owner || slices.Contains(admins, id)
	}
}

// AdminName is what an admin is called in Telegram.
type AdminName struct {
	Name     string `json:"first_name"`
	Username string `json:"username,omitempty"` // without the @
}

// String is the name with the username.
func (n AdminName) String() string {
	if n.Username != "" {
		return n.Name + " (@" + n.Username + ")"
	}
	return n.Name
}

// NameAdmin keeps what an admin is called, without characters that nobody sees.
func (tx *Tx) NameAdmin(id int64, name, username string) error {
	_, err := tx.sql.Exec(`INSERT INTO admin_names (id, name, username) VALUES (?1, ?2, ?3)
		ON CONFLICT (id) DO UPDATE SET name = ?2, username = ?3 WHERE (name, username) <> (?2, ?3)`, id, lang.Visible(name), username)
	return err
}

// AdminNames returns what admins are called, as far as they have asked for a link.
func (s *Store) AdminNames(ctx context.Context) (map[int64]AdminName, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id, name, username FROM admin_names`)
	all := map[int64]AdminName{}
	_, err = collect(rows, err, func(id *int64) error {
		var n AdminName
		err := rows.Scan(id, &n.Name, &n.Username)
		all[*id] = n
		return err
	})
	return all, err
}
