package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"
)

// Forget deletes a user with all that is kept of them: their sign-ins, too, if they are an admin, and every asset that
// only they asked for, with the successors that nobody waits for. What may be on a platform stays until an admin has
// taken it off there: Unpublish deletes it then. Nobody else is given it until then.
func (tx *Tx) Forget(user int64) (gone Deleted, err error) {
	rows, err := tx.sql.Query(`
		WITH RECURSIVE theirs (id) AS (
			SELECT asset_id FROM requests WHERE user_id = ?1
			UNION SELECT s.id FROM assets s JOIN theirs ON s.retry_of = theirs.id)
		SELECT a.id, a.name, ifnull(a.file, ''), ifnull(a.thumb, ''), EXISTS (SELECT 1 FROM publications p WHERE p.asset_id = a.id AND `+out+`)
		FROM assets a JOIN theirs ON theirs.id = a.id
		WHERE a.creator IS NULL AND NOT EXISTS (SELECT 1 FROM requests o WHERE o.asset_id = a.id AND o.user_id <> ?1)`, user)
	var kept []string
	theirs, err := collect(rows, err, func(a *Asset) error {
		var shown bool
		err := rows.Scan(&a.ID, &a.Name, &a.Video.File, &a.Video.Thumb, &shown)
		if shown {
			kept = append(kept, a.ID)
		}
		return err
	})
	if err != nil {
		return gone, err
	}
	for _, a := range theirs {
		tx.touch(a.ID)
		if !slices.Contains(kept, a.ID) {
			gone.Add(a)
			_, err = tx.sql.Exec(`DELETE FROM assets WHERE id = ?`, a.ID)
		} else if _, err = tx.sql.Exec(`UPDATE assets SET delete_requested_at = ?, file_id = NULL WHERE id = ?`, tx.now, a.ID); err == nil {
			gone.Kept = append(gone.Kept, a.ID)
		}
		if err != nil {
			return gone, err
		}
	}
	if err := tx.EndPublishing(); err != nil {
		return gone, err
	}
	if err := tx.forgetBin(user, &gone); err != nil {
		return gone, err
	}
	for _, statement := range []string{
		`UPDATE jobs SET fairness_key = 0 WHERE kind = 'RENDER' AND fairness_key = ?`, // of a video that others wait for, too
		`DELETE FROM users WHERE id = ?`,
		`DELETE FROM sessions WHERE admin = ?`,
		`DELETE FROM links WHERE admin = ?`,
		`DELETE FROM tokens WHERE admin = ?`,
		`DELETE FROM invitations WHERE inviter = ?`,
		`DELETE FROM admin_names WHERE id = ?`,
		// The rows stay: they hold Telegram's offset and keep an update from being handled twice. Those that have been
		// handled do not say who they were from.
		`UPDATE inbox SET raw = NULL, chat_id = 0, set_aside = NULL WHERE raw IS NOT NULL AND chat_id = ?`,
	} {
		if _, err := tx.sql.Exec(statement, user); err != nil {
			return gone, err
		}
	}
	return gone, nil
}

// Keep is how long what people sent is kept; 0: forever.
type Keep struct {
	Inbox   time.Duration // what they wrote and could not be answered
	Videos  time.Duration // what they asked for, with the name and whose wish it was, since it was finished
	History time.Duration // the activity list, attempts with their errors, and who got which announcement
	People  time.Duration // since they wrote or pressed last
}

// These times are nobody's choice: the program has no use for such rows after them.
const (
	inboxLife = 6 * 24 * time.Hour // Telegram sends nothing again after one
	draftLife = 24 * time.Hour
	tokenRest = 30 * 24 * time.Hour // after it has expired
	// uploadLife is more than the day for which a platform counts them.
	uploadLife = 48 * time.Hour
)

// A stale kind picks, of its rows, up to ?2 that are older than ?1. It reads the old end of an index, and not further.
// A row from after ?3 is of a clock that was ahead.
type stale struct {
	table string // of what people sent; "": of rows that may all go at once
	keep  func(Keep) time.Duration
	pick  string
	purge func(tx *Tx, ids []string, gone *Deleted) error
}

// oldest is a subquery of the rows of a table, in the order of their arrival, up to the first that is not older than
// ?1: a clock that was set back makes none older than those before it. One of the future is as old as the next that is
// not.
func oldest(table, where, columns, arrival, time string) string {
	names := strings.NewReplacer("$table", table, "$columns", columns, "$n", arrival, "$time", time, "$where", where)
	return names.Replace(
		`(WITH block AS (SELECT $columns, $n AS n, $time AS t FROM $table WHERE $where ORDER BY $n LIMIT 0 + ?2)
			SELECT * FROM block WHERE n < ifnull((SELECT n FROM block WHERE t >= ?1 AND t <= ?3 LIMIT 1), n + 1)
				AND n <= max(ifnull((SELECT max(n) FROM block WHERE t < ?1), 0),
					ifnull((SELECT iif($time < ?1, $n, 0) FROM $table WHERE $where AND $time <= ?3 ORDER BY $n LIMIT 1), 0)))`)
}

// args are the parameters of pick at a time (ms).
func (s *stale) args(k Keep, now int64, limit int) []any {
	args := []any{now - s.keep(k).Milliseconds(), limit}
	if strings.Contains(s.pick, "?3") {
		args = append(args, now+aheadAtMost.Milliseconds())
	}
	return args
}

var stales = []stale{
	{"inbox", func(k Keep) time.Duration { return k.Inbox },
		`SELECT update_id FROM inbox WHERE received < ?1 AND raw IS NOT NULL AND restore_hold = 0 ORDER BY received LIMIT 0 + ?2`,
		each(
			`UPDATE inbox SET raw = NULL, chat_id = 0, set_aside = NULL,
				error = 'it could not be answered for so long that it was erased' WHERE update_id` + listed,
		)},
	{"inbox", func(Keep) time.Duration { return inboxLife },
		`SELECT update_id FROM inbox WHERE received < ?1 AND raw IS NULL ORDER BY received LIMIT 0 + ?2`,
		each(`DELETE FROM inbox WHERE update_id` + listed)},
	{"", func(Keep) time.Duration { return draftLife },
		`SELECT id FROM ` + oldest("drafts", "true", "id", "rowid", "created"),
		each(`DELETE FROM drafts WHERE id` + listed)},
	{"", func(Keep) time.Duration { return ledgerLife },
		`SELECT rowid FROM ledger WHERE at < ?1 OR at > ?3 LIMIT 0 + ?2`,
		each(`DELETE FROM ledger WHERE rowid` + listed)},
	{"", func(Keep) time.Duration { return ledgerKeyLife },
		`SELECT day FROM ledger_keys WHERE day < ?1 OR day > ?3 LIMIT 0 + ?2`,
		each(`DELETE FROM ledger_keys WHERE day` + listed)},
	{"", func(Keep) time.Duration { return SessionLife }, // as few as there are admins
		`SELECT rowid FROM sessions WHERE seen < ?1 OR seen > ?3 LIMIT 0 + ?2`,
		each(`DELETE FROM sessions WHERE rowid` + listed)},
	{"", func(Keep) time.Duration { return SessionEnd },
		`SELECT rowid FROM sessions WHERE created < ?1 OR created > ?3 LIMIT 0 + ?2`,
		each(`DELETE FROM sessions WHERE rowid` + listed)},
	{"", func(Keep) time.Duration { return time.Minute }, // after they have expired
		`SELECT rowid FROM links WHERE expires < ?1 OR expires > ?3 LIMIT 0 + ?2`,
		each(`DELETE FROM links WHERE rowid` + listed)},
	{"", func(Keep) time.Duration { return time.Minute },
		`SELECT id FROM invitations WHERE expires < ?1 OR expires > ?3 LIMIT 0 + ?2`,
		each(`DELETE FROM invitations WHERE id` + listed)},
	{"", func(Keep) time.Duration { return tokenRest }, // the page shows that they have expired
		`SELECT id FROM tokens WHERE expires < ?1 LIMIT 0 + ?2`,
		each(`DELETE FROM tokens WHERE id` + listed)},
	{"", func(Keep) time.Duration { return uploadLife },
		`SELECT rowid FROM uploads WHERE at < ?1 OR at > ?3 LIMIT 0 + ?2`,
		each(`DELETE FROM uploads WHERE rowid` + listed)},
	{"", func(Keep) time.Duration { return BinLife },
		`SELECT id FROM ` + oldest("bin", "true", "id", "rowid", "+at"), (*Tx).purgeBin},
	// What is held waits for an admin, however old it is. Whose wish a video was, first: of a video that thousands wanted,
	// no more than some go at a time.
	{"requests", func(k Keep) time.Duration { return k.Videos },
		`SELECT id FROM ` + oldest("requests", "restore_hold <> 1", "asset_id, id", "id", "created") + ` r
			WHERE EXISTS (SELECT 1 FROM assets a WHERE a.id = r.asset_id AND (a.finished < ?1 OR a.finished > ?3))
			AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.request_id = r.id) AND NOT EXISTS (SELECT 1 FROM fan_outs c WHERE c.request_id = r.id)`,
		each(`DELETE FROM requests WHERE id` + listed)},
	{"assets", func(k Keep) time.Duration { return k.Videos },
		`SELECT id FROM assets a WHERE creator IS NULL AND published = 0 AND finished < ?1 AND advance IS NOT 1
			AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.asset_id = a.id)
			AND NOT EXISTS (SELECT 1 FROM requests r WHERE r.asset_id = a.id AND r.restore_hold = 1) ORDER BY finished LIMIT (?2 + 9) / 10`,
		(*Tx).purgeVideos},
	{"", func(Keep) time.Duration { return time.Minute }, // withdrawn by an owner: they cost room, and have no other use
		`SELECT id FROM assets a WHERE advance = 0 AND status = 'COMPLETED' AND finished < ?1
			AND creator IS NOT NULL AND published = 0
			AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.asset_id = a.id)
			AND NOT EXISTS (SELECT 1 FROM requests r WHERE r.asset_id = a.id AND r.restore_hold = 1) ORDER BY finished LIMIT (?2 + 9) / 10`,
		(*Tx).purgeVideos},
	{"audit", func(k Keep) time.Duration { return k.History },
		`SELECT id FROM audit WHERE at < ?1 ORDER BY at LIMIT 0 + ?2`,
		each(`DELETE FROM audit WHERE id` + listed)},
	{"attempts", func(k Keep) time.Duration { return k.History },
		`SELECT id FROM ` + oldest("attempts", "true", "id", "id", "finished"),
		each(`DELETE FROM attempts WHERE id` + listed)},
	// Of an announcement that is over its numbers stay: who has had one that is paused must not get it twice.
	{"announced", func(k Keep) time.Duration { return k.History },
		`SELECT id FROM ` + oldest("announced", "EXISTS (SELECT 1 FROM announcements o WHERE o.id = announcement_id AND o.status = 'done')",
			"id", "id", "at"),
		each(`DELETE FROM announced WHERE id` + listed)},
	{"users", func(k Keep) time.Duration { return k.People },
		`SELECT id FROM users u WHERE seen < ?1 AND NOT EXISTS (SELECT 1 FROM requests WHERE user_id = u.id AND ` + awaited + `)
			AND NOT EXISTS (SELECT 1 FROM requests WHERE user_id = u.id AND restore_hold = 1) ORDER BY seen LIMIT (?2 + 9) / 10`,
		each(`DELETE FROM users WHERE id` + listed)},
}

// PurgeBatch is how many rows a transaction purges at the most: it takes some milliseconds.
const PurgeBatch = 200

// Stale reports whether anything has been kept for too long. It writes nothing, and reads little of what is not too
// old.
func (s *Store) Stale(ctx context.Context, k Keep) (bool, error) {
	return s.stale(ctx, k, func(string) bool { return true })
}

// Overdue reports whether videos, people or history have been kept for too long. Updates don't count: what is left of
// one that was answered is a number.
func (s *Store) Overdue(ctx context.Context, k Keep) (bool, error) {
	return s.stale(ctx, k, func(table string) bool { return table != "" && table != "inbox" })
}

func (s *Store) stale(ctx context.Context, k Keep, counts func(table string) bool) (bool, error) {
	for _, kind := range stales {
		if kind.keep(k) == 0 || !counts(kind.table) {
			continue
		}
		rows, err := s.texts(ctx, kind.pick, kind.args(k, s.now().UnixMilli(), PurgeBatch)...)
		if err != nil || len(rows) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}

// Share is how many rows of each table one purge may take at the most: a fifth, so that a wrong clock cannot take
// everything before somebody notices. It is at least one row.
func (s *Store) Share(ctx context.Context) (map[string]int, error) {
	share := map[string]int{}
	for _, kind := range stales {
		if kind.table == "" {
			continue
		}
		var n int
		if err := s.db.Read().QueryRowContext(ctx, `SELECT count(*) FROM `+kind.table).Scan(&n); err != nil {
			return nil, err
		}
		share[kind.table] = max(1, n/5)
	}
	return share, nil
}

// Newest returns the time of the newest row that people's and the program's actions leave; zero: there is none.
func (s *Store) Newest(ctx context.Context) (time.Time, error) {
	var last sql.NullInt64
	err := s.db.Read().
		QueryRowContext(ctx, `SELECT max(at) FROM (SELECT max(at) at FROM audit UNION ALL SELECT max(received) FROM inbox
		UNION ALL SELECT max(created) FROM assets UNION ALL SELECT max(seen) FROM users
		UNION ALL SELECT finished FROM attempts WHERE id = (SELECT max(id) FROM attempts)
		UNION ALL SELECT created FROM requests WHERE id = (SELECT max(id) FROM requests))`).
		Scan(&last)
	return Moment(last.Int64), err
}

// Purge deletes some of what has been kept for too long; n is how many rows, 0: nothing is left.
func (tx *Tx) Purge(k Keep) (gone Deleted, n int, err error) {
	gone, _, n, err = tx.PurgeSome(k, nil)
	return gone, n, err
}

// PurgeSome is Purge that takes no more rows of a table than share has for it; a nil share has no bound. It returns the
// table that it took n rows of.
func (tx *Tx) PurgeSome(k Keep, share map[string]int) (gone Deleted, table string, n int, err error) {
	for _, kind := range stales {
		limit := PurgeBatch
		if share != nil && kind.table != "" {
			limit = min(limit, share[kind.table])
		}
		if kind.keep(k) == 0 || limit <= 0 {
			continue
		}
		rows, err := tx.sql.Query(kind.pick, kind.args(k, tx.now, limit)...)
		ids, err := collect(rows, err, func(id *string) error { return rows.Scan(id) })
		if err != nil {
			return gone, "", 0, err
		}
		if len(ids) > 0 {
			return gone, kind.table, len(ids), kind.purge(tx, ids, &gone)
		}
	}
	return gone, "", 0, nil
}

// purgeVideos deletes assets, the oldest first, until as many people as one transaction is for have lost their link to
// one.
func (tx *Tx) purgeVideos(ids []string, gone *Deleted) error {
	for _, id := range ids {
		n, err := tx.sql.Exec(
			`DELETE FROM requests WHERE id IN (SELECT id FROM requests WHERE asset_id = ? LIMIT 0 + ?)`,
			id,
			PurgeBatch,
		)
		if err != nil || n == PurgeBatch {
			return err
		}
		a, err := tx.Asset(id)
		if err != nil {
			return err
		}
		tx.touch(id)
		gone.Add(a)
		if _, err := tx.sql.Exec(`DELETE FROM assets WHERE id = ?`, id); err != nil {
			return err
		}
	}
	return nil
}
