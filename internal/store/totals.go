// Daily totals: what happened on each day, without persons. Triggers count; nothing here is ever purged.

package store

import (
	"context"
	"time"
)

// Total is how often something happened on a day.
type Total struct {
	Day      time.Time // when it began, UTC
	What     string    // asked, made, failed, waited, new, source, returning, blocked or published
	Template string
	Detail   string // see the schema
	N        int
}

const dayMs = 24 * 60 * 60 * 1000

// Totals lists those of the days from one to another, the oldest first.
func (s *Store) Totals(ctx context.Context, from, to time.Time) ([]Total, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT day, what, template, detail, n FROM totals
		WHERE day >= ? AND day <= ? ORDER BY day, what, template, detail`, from.UnixMilli()/dayMs, to.UnixMilli()/dayMs)
	return collect(rows, err, func(t *Total) error {
		var day int64
		err := rows.Scan(&day, &t.What, &t.Template, &t.Detail, &t.N)
		t.Day = when(day * dayMs)
		return err
	})
}
