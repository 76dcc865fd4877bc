package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"retake.example/internal/db"
)

// Parts lists the files that the database at path needs, whatever its version is.
func Parts(ctx context.Context, path string) ([]Part, error) {
	d, err := db.Look(path)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	rows, err := d.QueryContext(ctx, `SELECT file, ifnull(size, 0), origin = 'UPLOAD' FROM assets WHERE file IS NOT NULL
		UNION ALL SELECT thumb, 0, origin = 'UPLOAD' FROM assets WHERE thumb IS NOT NULL`)
	return collect(rows, err, func(p *Part) error { return rows.Scan(&p.Key, &p.Size, &p.Upload) })
}

// Part is a file that the database needs.
type Part struct {
	Key    string
	Size   int64 // bytes; 0: unknown
	Upload bool  // an admin sent it: it cannot be made again
}

// Latest returns when anything happened last, until a time, that the database at path knows; zero: nothing has. What
// happened later was written while the clock was ahead.
func Latest(ctx context.Context, path string, until time.Time) (time.Time, error) {
	d, err := db.Look(path)
	if err != nil {
		return time.Time{}, err
	}
	defer d.Close()
	var last sql.NullInt64
	err = d.QueryRowContext(ctx, `SELECT max(at) FROM (SELECT max(at) at FROM audit WHERE at <= ?1
		UNION ALL SELECT max(received) FROM inbox WHERE received <= ?1
		UNION ALL SELECT max(finished) FROM attempts WHERE finished <= ?1
		UNION ALL SELECT max(created) FROM assets WHERE created <= ?1
		UNION ALL SELECT max(finished) FROM assets WHERE finished <= ?1
		UNION ALL SELECT max(finished) FROM requests WHERE finished <= ?1
		UNION ALL SELECT max(completed) FROM publications WHERE completed <= ?1)`, until.UnixMilli()).
		Scan(&last)
	return Moment(last.Int64), err
}

// Recovered is what became of what a backup owes.
type Recovered struct {
	Held      int // people to whom nothing is sent until an admin decides
	Settled   int // messages that the previous database knows to have been sent
	Unclear   int // publications that an admin has to look for on their platform
	Forgotten int // people who had asked for that since
	Admins    int // by the backup alone: they may have been removed since
}

// Recover makes the database of a backup fit to go on with. What it owes to people may have been sent after it was
// made: what the database at before, which goes on where the backup ends, does not know about is held. An empty before,
// or one that cannot be read or is of another past, knows nothing. Everybody is signed out, and tokens and invitations
// are gone: what was ended since must not come back.
func (s *Store) Recover(ctx context.Context, before string) (r Recovered, err error) {
	if before != "" {
		d, err := db.Look(before)
		if err != nil {
			return r, err
		}
		defer d.Close()
		var ours bool
		err = s.Tx(ctx, func(tx *Tx) (err error) { ours, err = tx.begins(later{d}); return err })
		if err == nil && ours {
			if err = s.Tx(ctx, func(tx *Tx) (err error) { r, err = tx.recover(later{d}); return err }); err == nil {
				return r, nil
			}
		}
		if !errors.Is(err, errLater) && err != nil {
			return r, err
		}
	}
	err = s.Tx(ctx, func(tx *Tx) (err error) { r, err = tx.recover(later{}); return err })
	return r, err
}

// errLater says that a later database could not be asked.
var errLater = errors.New("the database that was there cannot be asked")

// later is a database that may know what happened after a backup; without one it knows nothing.
type later struct{ *sql.DB }

// ask scans the single row of a query. ErrNotFound: there is none.
func (l later) ask(query string, args []any, dest ...any) error {
	if l.DB == nil {
		return ErrNotFound
	}
	err := found(l.QueryRow(query, args...).Scan(dest...))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: %v", errLater, err)
	}
	return err
}

// begins reports whether a later database goes on where this one ends: it knows the last deed.
func (tx *Tx) begins(l later) (yes bool, err error) {
	var id, at int64
	var action string
	if err := found(tx.sql.Get(`SELECT id, at, action FROM audit ORDER BY id DESC LIMIT 1`, nil, &id, &at,
		&action)); err != nil {
		if errors.Is(err, ErrNotFound) {
			return false, nil
		}
		return false, err
	}
	return yes, l.ask(
		`SELECT EXISTS (SELECT 1 FROM audit WHERE id = ? AND at = ? AND action = ?)`,
		[]any{id, at, action},
		&yes,
	)
}

func (tx *Tx) recover(l later) (r Recovered, err error) {
	orphans, err := tx.Orphans()
	if err != nil {
		return r, err
	}
	for _, j := range orphans { // nothing died
		if err := tx.GiveBack(j); err != nil && !errors.Is(err, ErrNotFound) {
			return r, err
		}
	}
	for more := true; more; { // everybody whom a video has failed counts
		if more, err = tx.FailCrowds(); err != nil {
			return r, err
		}
	}
	for _, statement := range []string{`DELETE FROM sessions`, `DELETE FROM links`,
		`DELETE FROM tokens`, `DELETE FROM invitations`, `DELETE FROM outage`,
		endRetries, // they may have ended since
		`DELETE FROM alerts WHERE cause NOT IN ('failed', 'unpublished')`,
		fmt.Sprintf(`UPDATE alerts SET at = %d`, tx.now),                 // a digest is of what happens from now on
		`DELETE FROM jobs WHERE kind = 'DELIVER' AND sent IS NOT NULL`} { // the video is there; what follows it is a courtesy
		if _, err := tx.sql.Exec(statement); err != nil {
			return r, err
		}
	}
	if r.Admins, err = tx.recoverAdmins(l); err != nil {
		return r, err
	}
	if r.Forgotten, err = tx.forgetAgain(l); err != nil {
		return r, err
	}
	if err := tx.recoverAnnouncements(l); err != nil {
		return r, err
	}
	rows, err := tx.sql.Query(`SELECT id, user_id, asset_id FROM requests WHERE ` + awaited + `
		OR EXISTS (SELECT 1 FROM jobs j WHERE j.request_id = requests.id AND j.kind IN ('DELIVER', 'APOLOGISE'))
		OR EXISTS (SELECT 1 FROM fan_outs c WHERE c.request_id = requests.id) ORDER BY id`)
	owed, err := collect(rows, err, func(r *owedTo) error { return rows.Scan(&r.id, &r.user, &r.asset) })
	if err != nil {
		return r, err
	}
	for _, o := range owed {
		settled, err := tx.settleOrHold(l, o)
		if err != nil {
			return r, err
		}
		if settled {
			r.Settled++
		}
	}
	if err := tx.recoverInbox(l); err != nil {
		return r, err
	}
	if r.Unclear, err = tx.recoverPublications(l); err != nil {
		return r, err
	}
	return r, tx.sql.Get(held, nil, &r.Held)
}

// recoverAdmins takes the admins of the previous database, if it knows any: nobody who was removed comes back.
// Otherwise it counts those of the backup.
func (tx *Tx) recoverAdmins(l later) (n int, err error) {
	type appointed struct {
		id, owner, added int64
		origin           string
	}
	var all []appointed
	err = errLater
	if l.DB != nil {
		var rows *sql.Rows
		if rows, err = l.Query(`SELECT id, owner, added, origin FROM admins`); err != nil { // it may be of version 15
			rows, err = l.Query(`SELECT id, owner, added, 'command' FROM admins`)
		}
		all, err = collect(rows, err, func(a *appointed) error { return rows.Scan(&a.id, &a.owner, &a.added, &a.origin) })
	}
	if err != nil { // there is no previous database, or it is older than the table of admins
		return n, tx.sql.Get(`SELECT count(*) FROM admins`, nil, &n)
	}
	if _, err := tx.sql.Exec(`DELETE FROM admins`); err != nil {
		return 0, err
	}
	for _, a := range all {
		if _, err := tx.sql.Exec(`INSERT INTO admins (id, owner, added, origin) VALUES (?, ?, ?, ?)`, a.id, a.owner,
			a.added, a.origin); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// forgetAgain forgets the people who are in the backup and not in the previous database: they had asked for that.
func (tx *Tx) forgetAgain(l later) (n int, err error) {
	if l.DB == nil {
		return 0, nil
	}
	rows, err := tx.sql.Query(`SELECT id FROM users`)
	all, err := collect(rows, err, func(id *int64) error { return rows.Scan(id) })
	if err != nil {
		return 0, err
	}
	for _, id := range all {
		var known bool
		if err := l.ask(`SELECT EXISTS (SELECT 1 FROM users WHERE id = ?)`, []any{id}, &known); err != nil {
			return n, err
		}
		if !known {
			if _, err := tx.Forget(id); err != nil { // their files go with the next sweep
				return n, err
			}
			n++
		}
	}
	return n, nil
}

// owedTo is a request for which a message is pending, or will be.
type owedTo struct {
	id, user int64
	asset    string
}

// settleOrHold decides about the messages pending for a request. settled: the previous database knows that they were
// sent. What it knows to be still owed stays so; all else is held.
func (tx *Tx) settleOrHold(l later, o owedTo) (settled bool, err error) {
	var status Status
	var answer, progress, at int64
	var served bool
	// Served is who has had a video of that key by then, whether by this request or by a later one.
	err = l.ask(`SELECT r.status, ifnull(r.answer_id, 0), ifnull(r.progress_id, 0), ifnull(r.finished, 0), EXISTS (
			SELECT 1 FROM requests n JOIN assets b ON b.id = n.asset_id WHERE n.user_id = r.user_id AND n.id >= r.id
			AND n.status = 'COMPLETED'
				AND b.name_key = a.name_key AND b.template = a.template AND b.lang = a.lang)
		FROM requests r JOIN assets a ON a.id = r.asset_id WHERE r.id = ? AND r.user_id = ? AND r.asset_id = ?`,
		[]any{o.id, o.user, o.asset}, &status, &answer, &progress, &at, &served)
	switch {
	case errors.Is(err, ErrNotFound):
		if _, err := tx.sql.Exec(`UPDATE requests SET restore_hold = 1 WHERE id = ?`, o.id); err != nil {
			return false, err
		}
		_, err := tx.sql.Exec(`DELETE FROM jobs WHERE request_id = ?`, o.id)
		return false, err
	case err != nil:
		return false, err
	}
	var failed bool
	if err := tx.sql.Get(`SELECT status = 'FAILED' FROM requests WHERE id = ?`, []any{o.id}, &failed); err != nil {
		return false, err
	}
	if served || failed && answer != 0 {
		if _, err := tx.sql.Exec(`UPDATE requests SET status = 'COMPLETED', finished = ?, restore_hold = 0 WHERE id = ?
			AND status IN ('PENDING', 'PROCESSING')`, max(at, 1), o.id); err != nil {
			return false, err
		}
		if _, err := tx.sql.Exec(`UPDATE requests SET answer_id = ? WHERE id = ?`, null(answer), o.id); err != nil {
			return false, err
		}
		_, err := tx.sql.Exec(`DELETE FROM jobs WHERE request_id = ?`, o.id)
		return true, err
	}
	if progress != 0 {
		if _, err := tx.sql.Exec(`DELETE FROM jobs WHERE request_id = ? AND kind = 'ANNOUNCE'`, o.id); err != nil {
			return false, err
		}
		_, err = tx.sql.Exec(`UPDATE requests SET progress_id = ? WHERE id = ?`, progress, o.id)
	}
	return false, err
}

// recoverInbox holds the updates that waited, unless the previous database knows of them, and takes those over that
// came since: Telegram does not send them again.
func (tx *Tx) recoverInbox(l later) error {
	rows, err := tx.sql.Query(`SELECT update_id FROM inbox WHERE raw IS NOT NULL`)
	waiting, err := collect(rows, err, func(id *int64) error { return rows.Scan(id) })
	if err != nil {
		return err
	}
	for _, id := range waiting {
		var handled bool
		err := l.ask(`SELECT raw IS NULL FROM inbox WHERE update_id = ?`, []any{id}, &handled)
		switch {
		case errors.Is(err, ErrNotFound):
			_, err = tx.sql.Exec(`UPDATE inbox SET restore_hold = 1 WHERE update_id = ? AND set_aside IS NULL`, id)
		case err == nil && handled:
			err = tx.Handled(id)
		}
		if err != nil {
			return err
		}
	}
	if l.DB == nil {
		return nil
	}
	since, err := l.Query(
		`SELECT update_id, chat_id, raw, received, tries, error FROM inbox WHERE received >= ?`,
		tx.now-6*24*time.Hour.Milliseconds(),
	)
	if err != nil {
		return fmt.Errorf("%w: %v", errLater, err)
	}
	defer since.Close()
	for since.Next() {
		var id, chat, received, tries int64
		var raw, problem sql.NullString
		if err := since.Scan(&id, &chat, &raw, &received, &tries, &problem); err != nil {
			return fmt.Errorf("%w: %v", errLater, err)
		}
		if _, err := tx.sql.Exec(`INSERT INTO inbox (update_id, chat_id, raw, received, tries, error)
			VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			id, chat, raw, received, tries, problem); err != nil {
			return err
		}
	}
	if err := since.Err(); err != nil {
		return fmt.Errorf("%w: %v", errLater, err)
	}
	return nil
}

// sessionAsks is how long an upload's session can certainly be asked what became of it: YouTube keeps them for a week.
const sessionAsks = 6 * 24 * time.Hour

// recoverPublications fails the publications that may have been made since, so that an admin looks: nothing is
// published twice unasked. Those that the platform can be asked about, that are not due, or that the previous database
// knows, go on.
func (tx *Tx) recoverPublications(l later) (unclear int, err error) {
	rows, err := tx.sql.Query(
		`SELECT p.id, p.asset_id, p.platform FROM publications p JOIN jobs j ON j.publication_id = p.id
		WHERE p.remote_id IS NULL AND j.due <= ?1 AND ifnull(p.session_at, 0) < ?2`,
		tx.now,
		tx.now-sessionAsks.Milliseconds(),
	)
	type waiting struct {
		id              int64
		asset, platform string
	}
	all, err := collect(rows, err, func(w *waiting) error { return rows.Scan(&w.id, &w.asset, &w.platform) })
	if err != nil {
		return 0, err
	}
	for _, w := range all {
		var untouched, done bool
		var remote, url sql.NullString
		var completed int64
		err := l.ask(
			`SELECT status = 'PENDING' AND session_uri IS NULL
				AND remote_id IS NULL, status = 'COMPLETED', remote_id, remote_url, ifnull(completed, 0)
			FROM publications WHERE asset_id = ? AND platform = ?`,
			[]any{w.asset, w.platform},
			&untouched,
			&done,
			&remote,
			&url,
			&completed,
		)
		switch {
		case err != nil && !errors.Is(err, ErrNotFound):
			return unclear, err
		case untouched:
			continue
		case done:
			_, err = tx.sql.Exec(
				`UPDATE publications SET status = 'COMPLETED', step = '', started = ifnull(started, ?1), completed = ?1,
				session_uri = NULL, session_at = NULL, remote_id = ?2, remote_url = ?3 WHERE id = ?4`,
				completed,
				remote,
				url,
				w.id,
			)
		default:
			unclear++
			_, err = tx.sql.Exec(
				`UPDATE publications SET status = 'FAILED', step = 'unknown', completed = ?, session_uri = NULL, session_at = NULL,
				error = lower(platform) || ' restored: it was to be published when the backup was made, and may have been since',
				error_code = lower(platform) || '_restored' WHERE id = ?`,
				tx.now,
				w.id,
			)
		}
		if err != nil {
			return unclear, err
		}
		if _, err := tx.sql.Exec(`DELETE FROM jobs WHERE publication_id = ?`, w.id); err != nil {
			return unclear, err
		}
	}
	return unclear, nil
}

// held counts the people about whom an admin has to decide.
const held = `SELECT count(*) FROM (SELECT user_id FROM requests WHERE restore_hold = 1 UNION SELECT chat_id FROM inbox
	WHERE restore_hold = 1 AND raw IS NOT NULL)`

// Held counts the people who were owed something by a backup that was put back, about whom no admin has decided yet.
func (s *Store) Held(ctx context.Context) (people int, err error) {
	err = s.db.Read().QueryRowContext(ctx, held).Scan(&people)
	return people, err
}

// SendHeld owes what is held, and returns the updates that are to be handled. ErrNotFound: nothing is held.
func (tx *Tx) SendHeld() ([]Update, error) {
	var n int
	if err := tx.sql.Get(held, nil, &n); err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, ErrNotFound
	}
	type waiting struct {
		id, user int64
		asset    string
		kind     Kind
	}
	rows, err := tx.sql.Query(`SELECT r.id, r.user_id, r.asset_id, CASE r.status WHEN 'FAILED' THEN ?1
			ELSE iif(a.status = 'COMPLETED', 'DELIVER', iif(r.progress_id IS NULL, 'ANNOUNCE', '')) END
		FROM requests r INDEXED BY requests_restore_hold CROSS JOIN assets a ON a.id = r.asset_id WHERE r.restore_hold = 1 ORDER BY r.id`,
		Apologise)
	all, err := collect(rows, err, func(w *waiting) error { return rows.Scan(&w.id, &w.user, &w.asset, &w.kind) })
	if err != nil {
		return nil, err
	}
	for _, w := range all {
		if w.kind == "" { // its video will be owed to it
			continue
		}
		if err := tx.Enqueue(w.kind, w.asset, w.id, w.user); err != nil {
			return nil, err
		}
	}
	if _, err := tx.sql.Exec(`UPDATE requests SET restore_hold = 0 WHERE restore_hold = 1`); err != nil {
		return nil, err
	}
	tx.touch("")
	rows, err = tx.sql.Query(
		`UPDATE inbox SET restore_hold = 0 WHERE restore_hold = 1 AND raw IS NOT NULL RETURNING update_id, chat_id, raw`,
	)
	updates, err := collect(rows, err, func(u *Update) error { return rows.Scan(&u.ID, &u.Chat, &u.Raw) })
	slices.SortFunc(updates, func(a, b Update) int { return cmp.Compare(a.ID, b.ID) })
	return updates, err
}

// LeaveHeld sends nothing of what is held: /status offers it to everyone who has not had it. It returns ErrNotFound if
// nothing is held.
func (tx *Tx) LeaveHeld() error {
	n, err := tx.sql.Exec(`UPDATE requests SET restore_hold = 2 WHERE restore_hold = 1`)
	if err != nil {
		return err
	}
	m, err := tx.sql.Exec(`UPDATE inbox SET restore_hold = 0, raw = NULL, chat_id = 0 WHERE restore_hold = 1`)
	tx.touch("")
	return one(n+m, err)
}
