// Tests that "gone", "deleted" and "taken off" are said only of what was looked at.

package store

import (
	"errors"
	"fmt"
	"testing"
)

// Each of these writes that a platform has a video no longer, or that this is as it should be. What they say holds for
// the video, session and status that were seen: whatever came in between wins.
func TestGone_IsSaidOnlyOfWhatWasSeen(t *testing.T) {
	verbs := map[string]func(tx *Tx, assetID string, seen Publication) error{
		"Unchanged": func(tx *Tx, assetID string, seen Publication) error { // before Unpublish, after the platform was asked
			if err := tx.Unchanged(assetID, seen); err != nil {
				return err
			}
			return tx.Unpublish(assetID, seen.Platform)
		},
		"Withdrawn": func(tx *Tx, assetID string, seen Publication) error {
			_, err := tx.Withdrawn(Withdrawal{AssetID: assetID, Publication: seen})
			return err
		},
		"Missing": func(tx *Tx, assetID string, seen Publication) error { return tx.Missing(assetID, seen) },
		"Looked": func(tx *Tx, assetID string, seen Publication) error {
			return tx.Looked(Look{AssetID: assetID, Publication: seen}, Finding{Standing: "gone"})
		},
		"Lost":   func(tx *Tx, assetID string, seen Publication) error { return tx.Lost(assetID, seen) },
		"Accept": func(tx *Tx, assetID string, seen Publication) error { return tx.Accept(assetID, seen) },
	}
	const columns = `id, status, step, ifnull(remote_id, ''), ifnull(session_uri, ''), ifnull(standing, ''), ifnull(accepted, '')`
	for name, c := range map[string]struct{ seen, meanwhile string }{
		"another video was found": {
			`status = 'COMPLETED', completed = 1, remote_id = 'old', standing = 'gone', standing_at = 1`, `remote_id = 'new'`},
		"a failed one was sent again": {
			`status = 'FAILED', completed = 1, error = 'x', remote_id = 'old'`,
			`status = 'PENDING', completed = NULL, started = NULL, error = NULL, remote_id = NULL`},
		"the upload has another session": {
			`status = 'FAILED', completed = 1, error = 'x', session_uri = 'old', session_at = 1, uploaded = 1`,
			`session_uri = 'new'`},
		"its video arrived": {
			`status = 'FAILED', completed = 1, error = 'x', session_uri = 'old', session_at = 1, uploaded = 1`,
			`status = 'COMPLETED', error = NULL, session_uri = NULL, session_at = NULL, remote_id = 'new'`},
	} {
		for verb, say := range verbs {
			t.Run(verb+", "+name, func(t *testing.T) {
				s := fresh(t)
				a := made(t, s, "YOUTUBE")
				set := func(columns string) {
					t.Helper()
					do(t, s, func(tx *Tx) error {
						_, err := tx.sql.Exec(`UPDATE publications SET ` + columns)
						return err
					})
				}
				row := func() string {
					t.Helper()
					var id int64
					var all [6]string
					if err := s.db.Read().QueryRow(`SELECT `+columns+` FROM publications`).
						Scan(&id, &all[0], &all[1], &all[2], &all[3], &all[4], &all[5]); err != nil {
						return err.Error()
					}
					return fmt.Sprint(id, all)
				}
				set(c.seen)
				var seen Publication
				do(t, s, func(tx *Tx) (err error) {
					if seen, err = tx.Publication(a.ID, "YOUTUBE"); err == nil {
						seen.Upload.Session, _, err = tx.Session(seen.ID)
					}
					return err
				})
				set(c.meanwhile)
				before := row()
				err := s.Tx(t.Context(), func(tx *Tx) error { return say(tx, a.ID, seen) })
				var busy Busy
				if err != nil && !errors.As(err, &busy) && !errors.Is(err, ErrNotFailed) && !errors.Is(err, ErrNotFound) {
					t.Error(err)
				}
				if after := row(); after != before {
					t.Errorf("got %s; want %s: what was seen is not what is there", after, before)
				}
			})
		}
	}
}
