// What renders wait for.

package store

import (
	"context"
	"time"
)

// Wait is a reason for which renders wait.
type Wait struct {
	Code  string // of the error
	Since time.Time
}

// someWaits is how many jobs tell what renders wait for: all wait for the same, as a rule.
const someWaits = 50

// RenderWaits returns the reasons for which renders wait, by their codes, since the first of them.
func (s *Store) RenderWaits(ctx context.Context) ([]Wait, error) {
	rows, err := s.db.Read().QueryContext(ctx, `
		SELECT code, min(waiting_since) FROM (
			SELECT waiting_since, (SELECT ifnull(t.error_code, '') FROM attempts t
				WHERE t.asset_id = j.asset_id AND t.kind = 'RENDER' ORDER BY t.id DESC LIMIT 1) code
			FROM jobs j WHERE started IS NULL AND due > 0 AND kind = 'RENDER' AND waits > 0 LIMIT 0 + ?)
		WHERE code <> '' GROUP BY code ORDER BY 2`, someWaits)
	return collect(rows, err, func(w *Wait) error { return rows.Scan(&w.Code, (*sinceMs)(&w.Since)) })
}

// PendingMessages counts the messages that are to be sent as soon as Telegram takes them.
func (s *Store) PendingMessages(ctx context.Context) (n int, err error) {
	err = s.db.Read().QueryRowContext(ctx, `
		SELECT ifnull(sum(CASE WHEN fan_out IS NULL THEN 1 ELSE (SELECT count(*) FROM fan_outs c WHERE c.job = jobs.id) END), 0)
		FROM jobs WHERE kind IN ('ANNOUNCE', 'DELIVER', 'APOLOGISE') AND started IS NULL AND due <= ?`,
		s.now().UnixMilli()).Scan(&n)
	return n, err
}
