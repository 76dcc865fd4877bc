// The bin: videos that an admin has deleted, for a day, so that the deletion can be undone.

package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// BinLife is how long a deleted video can be restored.
const BinLife = 24 * time.Hour

// Binned is a video in the bin.
type Binned struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Deleted time.Time `json:"deleted"`
	Creator *int64    `json:"-"` // see Asset
}

// binned are the tables whose rows a video takes along. Rows of the others get new ids when they come back: theirs may
// have been used again.
var binned = []struct {
	table, of string
	keepsID   bool
}{{"assets", "id", true}, {"requests", "asset_id", true}, {"attempts", "asset_id", false},
	{"publications", "asset_id", false}}

// counted are the columns of assets that triggers set, or count when they change.
var counted = []string{"needs_attention", "published", "replaced", "undelivered"}

// columns lists those of a table that the bin keeps.
func (tx *Tx) columns(table string, withID bool) ([]string, error) {
	rows, err := tx.sql.Query(`SELECT name FROM pragma_table_info(?) WHERE ? OR name <> 'id'`, table, withID)
	return collect(rows, err, func(c *string) error { return rows.Scan(c) })
}

// Bin deletes a finished asset like Delete, and keeps it for Restore.
func (tx *Tx) Bin(a Asset, admin int64) error {
	var parts []string
	for _, b := range binned {
		columns, err := tx.columns(b.table, b.keepsID)
		if err != nil {
			return err
		}
		var pairs []string
		for _, c := range columns {
			pairs = append(pairs, "'"+c+"', "+c)
		}
		parts = append(parts, fmt.Sprintf(`'%s', json((SELECT json_group_array(json_object(%s)) FROM %s WHERE %s = ?1))`,
			b.table, strings.Join(pairs, ", "), b.table, b.of))
	}
	if _, err := tx.sql.Exec(`INSERT INTO bin (id, at, admin, creator, name, file, thumb, content)
		SELECT id, ?2, ?3, creator, name, file, thumb, json_object('next', (SELECT n.id FROM assets n WHERE n.retry_of = ?1), `+
		strings.Join(parts, ", ")+`) FROM assets WHERE id = ?1`, a.ID, tx.now, admin); err != nil {
		return err
	}
	return tx.Delete(a.ID)
}

// Restore brings a deleted asset back, with what belonged to it. People who are gone do not come back with it. It
// returns ErrNotFound if it is not in the bin, and ErrForbidden if the admin may not change it.
func (tx *Tx) Restore(id string, admin Admin) error {
	var creator *int64
	var content string
	if err := found(tx.sql.Get(`SELECT creator, content FROM bin WHERE id = ?`, []any{id}, &creator, &content)); err != nil {
		return err
	}
	if !admin.MayChange(creator) {
		return ErrForbidden
	}
	for _, b := range binned {
		columns, err := tx.columns(b.table, b.keepsID)
		if err != nil {
			return err
		}
		var values []string
		for _, c := range columns {
			value := `v.value ->> '$.` + c + `'`
			switch {
			case b.table == "assets" && slices.Contains(counted, c):
				value = "0" // set below, or with the publications and requests
			case c == "retry_of": // another try may have taken its place
				value = `(SELECT a.id FROM assets a WHERE a.id = ` + value +
					` AND NOT EXISTS (SELECT 1 FROM assets n WHERE n.retry_of = a.id))`
			case c == "channel_id":
				value = `(SELECT c.id FROM channels c WHERE c.id = ` + value + `)`
			case c == "request_id":
				value = `(SELECT r.id FROM requests r WHERE r.id = ` + value + `)`
			}
			values = append(values, value)
		}
		where := ""
		if b.table == "requests" {
			where = ` WHERE EXISTS (SELECT 1 FROM users u WHERE u.id = v.value ->> '$.user_id')`
		}
		if _, err := tx.sql.Exec(`INSERT INTO `+b.table+` (`+strings.Join(columns, ", ")+`) SELECT `+
			strings.Join(values, ", ")+` FROM json_each(?, '$.`+b.table+`') v`+where, content); err != nil {
			return fmt.Errorf("restore %s of a deleted video: %w", b.table, err)
		}
	}
	for _, statement := range []string{
		`UPDATE assets SET retry_of = ?1 WHERE id = ?2 ->> '$.next' AND retry_of IS NULL`,
		`UPDATE assets SET replaced = 1 WHERE id = ?1 AND status = 'FAILED' AND ?2 ->> '$.next' IN (SELECT id FROM assets)`,
		`UPDATE assets SET needs_attention = ?2 ->> '$.assets[0].needs_attention' WHERE id = ?1 AND replaced = 0`,
	} {
		if _, err := tx.sql.Exec(statement, id, content); err != nil {
			return err
		}
	}
	// Another video of that name may have been made since.
	if _, err := tx.sql.Exec(`UPDATE assets SET needs_attention = 0 WHERE id IN (SELECT id FROM resolved WHERE id = ?)`, id); err != nil {
		return err
	}
	tx.touch(id)
	_, err := tx.sql.Exec(`DELETE FROM bin WHERE id = ?`, id)
	return err
}

// EmptyBin deletes videos in the bin permanently. It returns ErrForbidden if the admin may not change one of them;
// those that are not there are no error.
func (tx *Tx) EmptyBin(admin Admin, ids ...string) (gone Deleted, err error) {
	for _, id := range ids {
		b := Asset{ID: id}
		err := found(tx.sql.Get(`SELECT name, creator, ifnull(file, ''), ifnull(thumb, '') FROM bin WHERE id = ?`, []any{id},
			&b.Name, &b.Creator, &b.Video.File, &b.Video.Thumb))
		switch {
		case errors.Is(err, ErrNotFound):
			continue
		case err != nil:
			return gone, err
		case !admin.MayChange(b.Creator):
			return gone, ErrForbidden
		}
		gone.Add(b)
		if _, err := tx.sql.Exec(`DELETE FROM bin WHERE id = ?`, id); err != nil {
			return gone, err
		}
	}
	return gone, nil
}

// forgetBin permanently deletes what a person had asked for.
func (tx *Tx) forgetBin(user int64, gone *Deleted) error {
	rows, err := tx.sql.Query(`SELECT id FROM bin WHERE EXISTS (SELECT 1 FROM json_each(bin.content, '$.requests') item
		WHERE item.value ->> '$.user_id' = ?)`, user)
	ids, err := collect(rows, err, func(id *string) error { return rows.Scan(id) })
	if err != nil {
		return err
	}
	return tx.purgeBin(ids, gone)
}

func (tx *Tx) purgeBin(ids []string, gone *Deleted) error {
	all, err := tx.EmptyBin(Admin{Owner: true}, ids...)
	gone.Files, gone.Assets = append(gone.Files, all.Files...), append(gone.Assets, all.Assets...)
	gone.Names = append(gone.Names, all.Names...)
	return err
}

// InBin lists the videos in the bin that an admin may restore, the last one first.
func (s *Store) InBin(ctx context.Context, admin Admin) ([]Binned, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id, name, at, creator FROM bin WHERE at > ?3 AND (?1 OR creator = ?2)
		ORDER BY at DESC, id LIMIT 500`, admin.Owner, admin.ID, s.now().Add(-BinLife).UnixMilli())
	return collect(rows, err, func(b *Binned) error {
		return rows.Scan(&b.ID, &b.Name, at(&b.Deleted), &b.Creator)
	})
}
