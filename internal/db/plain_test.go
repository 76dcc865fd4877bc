// What the writer's own connection gains over database/sql: the figures in conn.go come from here.

package db

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
)

// BenchmarkStatement runs small statements in one transaction: by the writer's connection, and by database/sql with
// the same driver, settings and prepared statements.
func BenchmarkStatement(b *testing.B) {
	const query, change = `SELECT n, s FROM t WHERE n = ?`, `UPDATE t SET s = ? WHERE n = ?`
	b.Run("conn", func(b *testing.B) {
		d := open(b)
		if err := d.Tx(context.Background(), insert(1)); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		b.ResetTimer()
		if err := d.Tx(context.Background(), func(tx *Tx) error {
			for range b.N {
				var n int
				var s sql.NullString
				if err := tx.Get(query, []any{1}, &n, &s); err != nil {
					return err
				}
				if _, err := tx.Exec(change, "some words", 1); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	})
	b.Run("database-sql", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "d.db")
		d, err := sql.Open(
			"sqlite",
			dsn(path, "rwc", "journal_mode(wal)", "synchronous(full)", "secure_delete(1)", "cache_size(-32000)"),
		)
		if err != nil {
			b.Fatal(err)
		}
		defer d.Close()
		if _, err := d.Exec(table + `INSERT INTO t (n) VALUES (1)`); err != nil {
			b.Fatal(err)
		}
		tx, err := d.Begin()
		if err != nil {
			b.Fatal(err)
		}
		defer tx.Rollback()
		read, err := tx.Prepare(query)
		if err != nil {
			b.Fatal(err)
		}
		write, err := tx.Prepare(change)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		b.ResetTimer()
		for range b.N {
			var n int
			var s sql.NullString
			if err := read.QueryRow(1).Scan(&n, &s); err != nil {
				b.Fatal(err)
			}
			if _, err := write.Exec("some words", 1); err != nil {
				b.Fatal(err)
			}
		}
	})
}
