// Tests of rows that a statement returns, and of who else reads the file.

package db

import (
	"os"
	"path/filepath"
	"testing"
)

// A statement that changes rows does so while it returns them, also where only the first one is asked for.
func TestGet_AllRowsOfAStatementAreChanged(t *testing.T) {
	d := open(t)
	for i := range 5 {
		if err := d.Tx(t.Context(), insert(i)); err != nil {
			t.Fatal(err)
		}
	}
	var first int
	if err := d.Tx(t.Context(), func(tx *Tx) error {
		return tx.Get(`DELETE FROM t WHERE n > ? RETURNING n`, []any{1}, &first)
	}); err != nil || first != 2 {
		t.Errorf("got %d, %v; want the first that went", first, err)
	}
	if n := rows(t, d); n != 2 {
		t.Errorf("got %d rows left; want 2", n)
	}
}

func TestOpen_NobodyElseReadsAnyPartOfAFileThatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.db")
	d, err := Open(path, table, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Tx(t.Context(), insert(1)); err != nil {
		t.Fatal(err)
	}
	parts := []string{path, path + "-wal", path + "-shm"}
	for _, part := range parts {
		if err := os.Chmod(part, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Open(path, table, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for _, part := range parts {
		if info, err := os.Stat(part); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got %v, %v; want it for its owner alone", filepath.Base(part), info.Mode(), err)
		}
	}
}
