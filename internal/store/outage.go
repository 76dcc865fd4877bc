package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Outage is what keeps videos from being made.
type Outage struct {
	Began  time.Time // zero: there is none
	Reason string
}

// Outage returns the outage under way, if there is one.
func (s *Store) Outage(ctx context.Context) (o Outage, err error) {
	var began int64
	err = s.db.Read().QueryRowContext(ctx, `SELECT began, reason FROM outage`).Scan(&began, &o.Reason)
	if errors.Is(err, sql.ErrNoRows) {
		return o, nil
	}
	o.Began = Moment(began)
	return o, err
}

// BeginOutage records an outage and gives back the attempts that it has cost: so many of each asset's.
func (tx *Tx) BeginOutage(reason string, spent map[string]int) error {
	if _, err := tx.sql.Exec(`INSERT INTO outage (id, began, reason) VALUES (1, ?, ?) ON CONFLICT DO NOTHING`, tx.now, reason); err != nil {
		return err
	}
	for id, n := range spent {
		if _, err := tx.sql.Exec(`UPDATE jobs SET attempt = max(attempt - ?, 0) WHERE asset_id = ? AND kind = 'RENDER' AND started IS NULL`, n, id); err != nil {
			return err
		}
	}
	tx.touch("")
	return nil
}

// Hold defers a render that failed in an outage, behind the others: each is tried in turn. All of its attempts are
// given back: it may have been under way when the outage began.
func (tx *Tx) Hold(j Job, due time.Time, problem string) error {
	if err := tx.Defer(j, due, problem); err != nil {
		return err
	}
	_, err := tx.sql.Exec(
		`UPDATE jobs SET attempt = 0, position = iif(position < `+lastPosition+`,
			(SELECT max(position) FROM jobs WHERE kind = 'RENDER' AND position < `+lastPosition+`) + 1, position) WHERE id = ?`,
		j.ID,
	)
	return err
}

// Untried reports whether there are at least n other renders that no attempt has failed of.
func (tx *Tx) Untried(than Job, n int) (yes bool, err error) {
	err = tx.sql.Get(
		`SELECT count(*) >= ?2 FROM (SELECT 1 FROM jobs WHERE kind = 'RENDER' AND last_error IS NULL AND id <> ?1 LIMIT 0 + ?2)`,
		[]any{than.ID, n},
		&yes,
	)
	return yes, err
}

// EndOutage forgets the outage; the renders that it made wait are due.
func (tx *Tx) EndOutage() error {
	if _, err := tx.sql.Exec(`DELETE FROM outage`); err != nil {
		return err
	}
	return tx.HurryRenders()
}

// HurryRenders makes every render that waits due.
func (tx *Tx) HurryRenders() error {
	_, err := tx.sql.Exec(`UPDATE jobs SET due = ?1 WHERE kind = 'RENDER' AND started IS NULL AND due > ?1`, tx.now)
	tx.MarkDue(Render, 0)
	tx.touch("")
	return err
}

// WaitingPeople returns up to n of the waiting users of an asset, or the admin who made it. Nobody waits for what is
// made in advance, so each such name counts as a person's.
func (tx *Tx) WaitingPeople(assetID string, n int) (users []int64, err error) {
	rows, err := tx.sql.Query(
		`SELECT user_id FROM (SELECT user_id FROM requests WHERE asset_id = ?1 AND status IN ('PENDING', 'PROCESSING') LIMIT 0 + ?2)
		UNION SELECT creator FROM assets WHERE id = ?1 AND creator IS NOT NULL AND advance IS NULL LIMIT 0 + ?2`,
		assetID,
		n,
	)
	return collect(rows, err, func(user *int64) error { return rows.Scan(user) })
}
