// Tests of who else reads the file.

package db

import (
	"os"
	"path/filepath"
	"testing"
)

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
