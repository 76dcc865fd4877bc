package store

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"
)

// Event is one line of the activity list: who did what to which asset, with what outcome.
type Event struct {
	Admin    *int64 // nil: a user pressed
	User     int64
	Action   string
	AssetID  string
	Platform string
	Outcome  string
}

// Note adds an event to the activity list. What a user does counts against the limits: see Allow.
func (tx *Tx) Note(e Event) error {
	if e.User != 0 {
		if err := tx.spend(e.User); err != nil {
			return err
		}
	}
	_, err := tx.sql.Exec(
		`INSERT INTO audit (at, admin, user_id, action, asset_id, platform, outcome) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		tx.now,
		e.Admin,
		null(e.User),
		e.Action,
		null(e.AssetID),
		null(e.Platform),
		e.Outcome,
	)
	return err
}

// NoteBegun is Note for a retry that goes on in further transactions, until NoteEnded: see Restarting.
func (tx *Tx) NoteBegun(e Event) error {
	e.Outcome = map[string]string{"restarted": "restarting", "joined": "joining"}[e.Outcome]
	return tx.Note(e)
}

// halfway picks the retries between NoteBegun and NoteEnded, and endRetries ends them.
const (
	halfway    = `action = 'retry' AND outcome IN ('restarting', 'joining')`
	endRetries = `UPDATE audit SET outcome = iif(outcome = 'joining', 'joined', 'restarted') WHERE ` + halfway
)

// NoteEnded notes that the retry of an asset has reached everybody.
func (tx *Tx) NoteEnded(assetID string) error {
	_, err := tx.sql.Exec(endRetries+` AND asset_id = ?`, assetID)
	return err
}

// restartsSeen is among how many of the last events a start looks for retries that the program has not ended.
const restartsSeen = 10_000

// Restarting lists the assets whose retry has reached some of a crowd only: the program ended in the middle of it.
func (s *Store) Restarting(ctx context.Context) ([]string, error) {
	return s.texts(ctx, `SELECT DISTINCT asset_id FROM audit WHERE id > (SELECT max(id) FROM audit) - ?
		AND `+halfway, restartsSeen)
}

// AuditEntry is an event as the activity list shows it. What the program itself tried again, or gave up, is one too:
// it is not in the table audit but follows from the attempts, and goes with their asset.
type AuditEntry struct {
	Key      string // names the place in the list, for Activity
	At       time.Time
	Admin    *int64 // nil: a user, or the program
	Action   string // of the event; render or publish: the program's
	AssetID  string
	Platform string
	Outcome  string // of the event, or of the program's attempt
	Attempt  int    // of the program; 0: somebody did it
	Name     string // of the asset; "": it is gone, or there was none
}

// Deeds picks deeds for the activity list.
type Deeds struct {
	By      string    // people: those of users and admins; program: its attempts; "": all
	Admin   *int64    // of this admin alone
	Parents bool      // of users alone
	Actions []string  // of these alone; none: all
	AssetID string    // about this alone
	Day     time.Time // on this day, UTC; zero: on any
}

// people selects the newest of them in the table audit; ?5 is the admin, ?6 the actions. Each action is found in its
// index, so that the rare ones are not looked for among a million wishes.
func (d Deeds) people(more string) string {
	const columns = `at, 'a' source, id, admin, action, asset_id, platform, outcome, 0 attempt`
	newest := func(where string) string {
		return `SELECT * FROM (SELECT ` + columns + ` FROM audit WHERE (at, id) < (?1, ?2)` + more + where + `
			ORDER BY at DESC, id DESC LIMIT ?4)`
	}
	switch {
	case d.Admin != nil:
		more += ` AND admin IS NOT NULL AND admin = ?5`
	case d.Parents:
		more += ` AND admin IS NULL`
	}
	if len(d.Actions) == 0 {
		return newest(``)
	}
	var each []string
	for i, action := range d.Actions {
		where := fmt.Sprintf(` AND action = (?6 ->> %d)`, i)
		if action != "ask" {
			where += ` AND action <> 'ask'` // as the index says
		}
		each = append(each, newest(where))
	}
	return `SELECT * FROM (` + strings.Join(each, ` UNION ALL `) + ` ORDER BY at DESC, id DESC LIMIT ?4)`
}

// Activity lists what was done, newest first, from the place after the deed with that key; "": from the beginning.
// ErrNotFound: that is no key.
func (s *Store) Activity(ctx context.Context, pick Deeds, after string, limit int) ([]AuditEntry, error) {
	// Of deeds with the same time, those of people come first, then those of the program, each by their ids.
	at, person, program := int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64)
	if !pick.Day.IsZero() {
		at, person, program = pick.Day.AddDate(0, 0, 1).UnixMilli(), 0, 0
	}
	if after != "" {
		kind, id := "", int64(0)
		if n, err := fmt.Sscanf(after, "%d-%1s-%d", &at, &kind, &id); err != nil || n != 3 {
			return nil, ErrNotFound
		}
		switch kind {
		case "a":
			person, program = id, math.MaxInt64
		case "p":
			person, program = 0, id
		default:
			return nil, ErrNotFound
		}
	}
	since := ``
	if !pick.Day.IsZero() {
		since = fmt.Sprintf(` AND at >= %d`, pick.Day.UnixMilli())
	}
	about := ``
	if pick.AssetID != "" {
		about = ` AND asset_id = ?7`
	}
	people := pick.people(since + about)
	attempts := `SELECT * FROM (SELECT finished at, 'p' source, id, NULL admin, lower(kind) action, asset_id, platform, outcome, attempt
			FROM attempts WHERE kind IN ('RENDER', 'PUBLISH') AND outcome IN ('rescheduled', 'gave_up', 'crashed')
			AND (finished, id) < (?1, ?3)` + strings.ReplaceAll(since, " at ", " finished ") + about + `
			ORDER BY finished DESC, id DESC LIMIT ?4)`
	some := people + ` UNION ALL ` + attempts + ` ORDER BY at DESC, source, id DESC LIMIT ?4`
	switch {
	case pick.By == "program":
		some = attempts
	case pick.By == "people", pick.Admin != nil, pick.Parents, len(pick.Actions) > 0:
		some = people
	}
	return s.deeds(ctx, some, at, person, program, limit, pick.Admin, list(pick.Actions), pick.AssetID)
}

// deeds reads some of them, in the order of the list.
func (s *Store) deeds(ctx context.Context, some string, args ...any) ([]AuditEntry, error) {
	rows, err := s.db.Read().QueryContext(ctx, `
		SELECT d.at, d.source, d.id, d.admin, d.action, ifnull(d.asset_id, ''), ifnull(d.platform, ''), d.outcome, d.attempt,
		ifnull(a.name, '')
		FROM (`+some+`) d LEFT JOIN assets a ON a.id = d.asset_id ORDER BY d.at DESC, d.source, d.id DESC`, args...)
	return collect(rows, err, func(d *AuditEntry) error {
		var at, id int64
		var source string
		err := rows.Scan(&at, &source, &id, &d.Admin, &d.Action, &d.AssetID, &d.Platform, &d.Outcome, &d.Attempt, &d.Name)
		d.At, d.Key = Moment(at), fmt.Sprintf("%d-%s-%d", at, source, id)
		return err
	})
}
