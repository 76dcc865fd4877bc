// The room that videos may take: what goes when there is too little.

package store

import "context"

// MediaSize returns how many bytes the videos take, those in the bin included.
func (s *Store) MediaSize(ctx context.Context) (bytes int64, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT ifnull(sum(size), 0) +
		(SELECT ifnull(sum(content ->> '$.assets[0].size'), 0) FROM bin) FROM assets`).Scan(&bytes)
	return bytes, err
}

// MakeRoom deletes the oldest finished videos that users asked for, until they have taken so many bytes or as many as
// one transaction is for have gone. It leaves those that are on a platform, that an admin made or wants to be there in
// advance, and that somebody waits for.
func (tx *Tx) MakeRoom(bytes int64) (gone Deleted, freed int64, err error) {
	rows, err := tx.sql.Query(`SELECT id, size FROM assets a
		WHERE creator IS NULL AND published = 0 AND finished IS NOT NULL
			AND status = 'COMPLETED' AND advance IS NOT 1
			AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.asset_id = a.id)
			AND NOT EXISTS (SELECT 1 FROM requests r WHERE r.asset_id = a.id AND r.restore_hold = 1)
		ORDER BY finished, id LIMIT 0 + ?`, PurgeBatch/10)
	type one struct {
		id   string
		size int64
	}
	oldest, err := collect(rows, err, func(o *one) error { return rows.Scan(&o.id, &o.size) })
	if err != nil {
		return gone, 0, err
	}
	for _, o := range oldest {
		if freed >= bytes {
			break
		}
		before := len(gone.Assets)
		if err := tx.purgeVideos([]string{o.id}, &gone); err != nil {
			return gone, freed, err
		}
		if len(gone.Assets) > before {
			freed += o.size
		}
	}
	return gone, freed, nil
}
