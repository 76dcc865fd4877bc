// The settings that owners made on the page.

package store

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"retake.example/internal/db"
)

// Setting is a key of the configuration with the value that it was given on the page.
type Setting struct {
	Key     string
	Value   string // as TOML writes it; "": sealed
	Sealed  []byte // a secret, encrypted with the key of the channels' tokens
	Changed time.Time
	Admin   int64 // who changed it last; 0: the operator
}

// SettingsIn lists the settings in a database file that another process may be using. There are none where no database
// is, and in one of a version that had none.
func SettingsIn(ctx context.Context, path string) ([]Setting, error) {
	d, err := db.Look(path)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer d.Close()
	var there bool
	err = d.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'settings')`).Scan(&there)
	if err != nil || !there {
		return nil, err
	}
	rows, err := d.QueryContext(ctx, `SELECT key, ifnull(value, ''), sealed, changed, admin FROM settings ORDER BY key`)
	return collect(rows, err, func(s *Setting) error {
		var changed int64
		err := rows.Scan(&s.Key, &s.Value, &s.Sealed, &changed, &s.Admin)
		s.Changed = Moment(changed)
		return err
	})
}

// ChangeSettings gives keys new values, and those of reset their defaults. The activity names the keys only.
func (tx *Tx) ChangeSettings(admin int64, set []Setting, reset []string) error {
	keys := slices.Clone(reset)
	for _, s := range set {
		keys = append(keys, s.Key)
		var sealed any
		if s.Sealed != nil {
			sealed = s.Sealed
		}
		if _, err := tx.sql.Exec(`INSERT INTO settings (key, value, sealed, changed, admin) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET value = excluded.value, sealed = excluded.sealed, changed = excluded.changed,
				admin = excluded.admin`, s.Key, null(s.Value), sealed, tx.now, admin); err != nil {
			return err
		}
	}
	if _, err := tx.sql.Exec(`DELETE FROM settings WHERE key`+listed, list(reset)); err != nil {
		return err
	}
	slices.Sort(keys)
	return tx.Note(Event{Admin: &admin, Action: "settings", Outcome: strings.Join(keys, ", ")})
}
