package db

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestALookChangesNothingAndNamesWhatIsBroken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if _, err := Look(path); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("got %v; want that there is no file", err)
	}
	const schema = `CREATE TABLE IF NOT EXISTS parents (id INTEGER PRIMARY KEY) STRICT;
		CREATE TABLE IF NOT EXISTS children (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES parents (id)) STRICT`
	d, err := Open(path, schema, []string{"SELECT 1", "SELECT 1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	looks := func(when, want string) {
		t.Helper()
		l, err := Look(path)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		version, broken, err := Examine(t.Context(), l)
		if err != nil || version != 3 || strings.Join(broken, "; ") != want {
			t.Errorf("%s: got version %d, %q, %v; want 3, %q", when, version, broken, err, want)
		}
		if _, err := l.Exec(`DELETE FROM parents`); err == nil {
			t.Errorf("%s: a look could write", when)
		}
	}
	looks("beside a writer", "")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	looks("alone", "")
	over, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	if r, err := Look(path); err != nil {
		t.Fatal(err)
	} else if _, _, err := Examine(over, r); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without time: got %v; want that it was too long", err)
	} else {
		r.Close()
	}
	l, err := Open(path, schema, []string{"SELECT 1", "SELECT 1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.conn.script(`PRAGMA foreign_keys = 0; INSERT INTO children (parent) VALUES (7), (8)`); err != nil {
		t.Fatal(err)
	}
	looks("with orphans", "2 rows of children without their parents")
}
