// look.go reads a file that another process may be using, and changes nothing in it.

package db

import (
	"context"
	"database/sql"
	"fmt"
	"os"
)

// Look opens the file at path for reading, without upgrading it. A missing file is an error.
func Look(path string) (*sql.DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	return sql.Open("sqlite", dsn(path, "ro", "query_only(1)"))
}

// Examine returns the version of an open file, and up to ten descriptions of what is broken in it. When ctx ends it
// returns the error of ctx.
func Examine(ctx context.Context, d *sql.DB) (version int, broken []string, err error) {
	defer func() {
		if err != nil && ctx.Err() != nil { // the driver words that in its own way
			err = ctx.Err()
		}
	}()
	if err := d.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return 0, nil, err
	}
	rows, err := d.QueryContext(ctx, "PRAGMA quick_check(10)")
	if err != nil {
		return version, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var what string
		if err := rows.Scan(&what); err != nil {
			return version, broken, err
		}
		if what != "ok" {
			broken = append(broken, what)
		}
	}
	if err := rows.Err(); err != nil || len(broken) > 0 {
		return version, broken, err
	}
	lost, err := d.QueryContext(ctx, `
		SELECT "table", "parent", count(*) FROM pragma_foreign_key_check GROUP BY 1, 2 LIMIT 10`)
	if err != nil {
		return version, nil, err
	}
	defer lost.Close()
	for lost.Next() {
		var table, parent string
		var n int
		if err := lost.Scan(&table, &parent, &n); err != nil {
			return version, broken, err
		}
		broken = append(broken, fmt.Sprintf("%d rows of %s without their %s", n, table, parent))
	}
	return version, broken, lost.Err()
}
