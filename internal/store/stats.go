package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"
)

// Census counts what there is, as /metrics tells it.
type Census struct {
	Jobs         []Backlog
	Assets       map[Status]int
	Attention    Attention
	Undelivered  int // messages that were given up
	Open, Wishes int // requests that are not over; all there ever were
	Advance      Advance
	Inbox        int // updates that are not handled
	SetAside     int // updates that could not be
	Publications []Published
	Channels     map[string]int // by state
	Consents     Consents
	Announced    map[string]int // copies of announcements, by what became of them
}

// Backlog is the work of one kind that is owed.
type Backlog struct {
	Kind    Kind
	State   string // waiting for a worker, later, or started
	N       int
	Waiting time.Duration // how long the first of them has waited
}

// Published counts the publications on a platform that have a status.
type Published struct {
	Platform string
	Status   Status
	N        int
}

// Census reads no table that grows with the years from its beginning to its end.
func (s *Store) Census(ctx context.Context) (c Census, err error) {
	now := s.now().UnixMilli()
	rows, err := s.db.Read().
		QueryContext(ctx, `SELECT kind, CASE WHEN started IS NOT NULL THEN 'started' WHEN due > ?1 THEN 'later' ELSE 'waiting' END state,
		sum(CASE WHEN fan_out IS NULL THEN 1 ELSE (SELECT count(*) FROM fan_outs c WHERE c.job = jobs.id) END), ifnull(min(iif(fairness_key = `+advanceKeySQL+`, NULL, max(due, created))), ?1) FROM jobs GROUP BY 1, 2`, now)
	if c.Jobs, err = collect(rows, err, func(b *Backlog) error {
		var since int64
		err := rows.Scan(&b.Kind, &b.State, &b.N, &since)
		b.Waiting = time.Duration(max(now-since, 0)) * time.Millisecond
		return err
	}); err != nil {
		return c, err
	}
	if c.Assets, err = s.Counts(ctx, Filter{}); err != nil {
		return c, err
	}
	if c.Attention, err = s.Attention(ctx, Admin{Owner: true}, time.Time{}); err != nil {
		return c, err
	}
	if err := s.db.Read().QueryRowContext(ctx, `SELECT (SELECT count(*) FROM requests WHERE finished IS NULL),
		ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'requests'), 0), (SELECT count(*) FROM inbox WHERE raw IS NOT NULL),
		(SELECT count(*) FROM inbox WHERE set_aside IS NOT NULL)`).
		Scan(&c.Open, &c.Wishes, &c.Inbox, &c.SetAside); err != nil {
		return c, err
	}
	given, err := s.NotDelivered(ctx, time.Time{})
	if err != nil {
		return c, err
	}
	c.Undelivered, c.Inbox = given.N, c.Inbox-c.SetAside
	rows, err = s.db.Read().
		QueryContext(ctx, `WITH all_of AS (SELECT part platform, sum(n) n FROM name_counts
				WHERE name_key = '' AND part NOT IN ('', 'NEEDS', 'REPLACED') GROUP BY part),
			some AS (SELECT a.platform, s.value status, (SELECT count(*) FROM publications p
				WHERE p.platform = a.platform AND p.status = s.value) n
				FROM all_of a CROSS JOIN json_each('["PENDING", "PROCESSING", "FAILED"]') s)
			SELECT platform, status, n FROM (SELECT platform, status, n FROM some
				UNION ALL SELECT platform, 'COMPLETED', n - (SELECT sum(n) FROM some s WHERE s.platform = a.platform)
				FROM all_of a) WHERE n > 0`)
	if c.Publications, err = collect(rows, err, func(p *Published) error {
		return rows.Scan(&p.Platform, &p.Status, &p.N)
	}); err != nil {
		return c, err
	}
	if c.Advance, err = s.Advance(ctx); err != nil {
		return c, err
	}
	if c.Consents, err = s.Consents(ctx); err != nil {
		return c, err
	}
	if c.Announced, err = s.announced(ctx); err != nil {
		return c, err
	}
	channels, err := s.Channels(ctx)
	c.Channels = map[string]int{}
	for _, channel := range channels {
		c.Channels[channel.State]++
	}
	return c, err
}

// NextUp returns since when the job of a kind waits that would be begun next; zero: none could be begun.
func (s *Store) NextUp(ctx context.Context, kind Kind) (time.Time, error) {
	var since int64
	err := s.db.Read().
		QueryRowContext(ctx, `SELECT max(w.due, w.created) `+toBegin, kind, s.now().UnixMilli(), false, 1).
		Scan(&since)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return Moment(since), err
}

// Given is what was given up after a time.
type Given struct {
	N           int
	First, Last time.Time
}

// Alert is what an admin was told last of a cause of trouble, and which troubles of it they know that are not over.
type Alert struct {
	At    time.Time
	About []string
}

// Alerts returns what an admin was told, by cause.
func (s *Store) Alerts(ctx context.Context, admin int64) (map[string]Alert, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT cause, at, about FROM alerts WHERE admin = ?`, admin)
	all := map[string]Alert{}
	_, err = collect(rows, err, func(cause *string) error {
		var at int64
		var about string
		if err := rows.Scan(cause, &at, &about); err != nil {
			return err
		}
		a := Alert{At: Moment(at)}
		err := json.Unmarshal([]byte(about), &a.About)
		all[*cause] = a
		return err
	})
	return all, err
}

// KeepAlert records what an admin was told of a cause.
func (tx *Tx) KeepAlert(admin int64, cause string, a Alert) error {
	_, err := tx.sql.Exec(`INSERT INTO alerts (admin, cause, at, about) VALUES (?, ?, ?, ?)
		ON CONFLICT (admin, cause) DO UPDATE SET at = excluded.at, about = excluded.about`, admin, cause, a.At.UnixMilli(), list(append([]string{}, a.About...)))
	return err
}
