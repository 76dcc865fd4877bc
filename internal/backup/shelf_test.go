// Tests of the drill: what could be restored is told from what could not, and nothing is left of it.

package backup

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestDrill_TellsAGoodBackupFromABadOne(t *testing.T) {
	k := newKeeper(t, 3)
	damaged := error(nil)
	k.Check = func(_ context.Context, path string) error {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("got %v; want the copy", err)
		}
		return damaged
	}
	if err := k.Now(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	all, err := k.Copies()
	all = slices.DeleteFunc(all, func(c Copy) bool { return hidden[c.Name] })
	if err != nil || len(all) != 1 || all[0].Size == 0 || all[0].Made.IsZero() {
		t.Fatalf("got %+v, %v; want the backup", all, err)
	}
	if _, err := k.Drill(t.Context(), all[0].Name); err != nil {
		t.Errorf("got %v; want a good backup", err)
	}
	damaged = errors.New("damaged")
	if _, err := k.Drill(t.Context(), all[0].Name); !errors.Is(err, damaged) {
		t.Errorf("got %v; want %v", err, damaged)
	}
	for _, name := range []string{"../retake.db", "retake-20200101T000000Z.db"} {
		_, drill := k.Drill(t.Context(), name)
		if _, err := k.Open(name); !errors.Is(err, fs.ErrNotExist) || !errors.Is(drill, fs.ErrNotExist) {
			t.Errorf("%s: got %v, %v; want no such backup", name, err, drill)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(k.Dir, partial+"*")); len(left) > 0 {
		t.Errorf("got %v left of the drill; want nothing", left)
	}
}
