package store

import (
	"context"
	"fmt"
	"math"
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
	_, err := tx.sql.Exec(`INSERT INTO audit (at, admin, user_id, action, asset_id, platform, outcome) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		tx.now, e.Admin, null(e.User), e.Action, null(e.AssetID), null(e.Platform), e.Outcome)
	return err
}

// Deed is an event as the activity list shows it. What the program itself tried again, or gave up, is one too: it is
// not in the table audit but follows from the attempts, and goes with their asset.
type Deed struct {
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

// Activity lists what was done, newest first, from the place after the deed with that key; "": from the beginning.
// ErrNotFound: that is no key.
func (s *Store) Activity(ctx context.Context, after string, limit int) ([]Deed, error) {
	// Of deeds with the same time, those of people come first, then those of the program, each by their ids.
	at, person, program := int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64)
	if after != "" {
		kind, id := "", int64(0)
		if n, err := fmt.Sscanf(after, "%d-%1s-%d", &at, &kind, &id); err != nil || n != 3 {
			return nil, ErrNotFound
		}
		switch kind {
		case "a":
			person = id
		case "p":
			person, program = 0, id
		default:
			return nil, ErrNotFound
		}
	}
	return s.deeds(ctx, `
		SELECT * FROM (SELECT at, 'a' source, id, admin, action, asset_id, platform, outcome, 0 attempt
			FROM audit WHERE (at, id) < (?1, ?2) ORDER BY at DESC, id DESC LIMIT ?4)
		UNION ALL
		SELECT * FROM (SELECT finished, 'p', id, NULL, lower(kind), asset_id, platform, outcome, attempt
			FROM attempts WHERE kind IN ('RENDER', 'PUBLISH') AND outcome IN ('rescheduled', 'gave up', 'crashed')
			AND (finished, id) < (?1, ?3) ORDER BY finished DESC, id DESC LIMIT ?4)
		ORDER BY at DESC, source, id DESC LIMIT ?4`, at, person, program, limit)
}

// deeds reads some of them, in the order of the list.
func (s *Store) deeds(ctx context.Context, some string, args ...any) ([]Deed, error) {
	rows, err := s.db.Read().QueryContext(ctx, `
		SELECT d.at, d.source, d.id, d.admin, d.action, ifnull(d.asset_id, ''), ifnull(d.platform, ''), d.outcome, d.attempt,
		ifnull(a.name, '')
		FROM (`+some+`) d LEFT JOIN assets a ON a.id = d.asset_id ORDER BY d.at DESC, d.source, d.id DESC`, args...)
	return collect(rows, err, func(d *Deed) error {
		var at, id int64
		var source string
		err := rows.Scan(&at, &source, &id, &d.Admin, &d.Action, &d.AssetID, &d.Platform, &d.Outcome, &d.Attempt, &d.Name)
		d.At, d.Key = Moment(at), fmt.Sprintf("%d-%s-%d", at, source, id)
		return err
	})
}
