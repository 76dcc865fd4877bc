// Tests of what is kept of the pictures and videos that owners try.

package desk

import (
	"fmt"
	"testing"
)

func TestTrials_TheNewest24AreKept(t *testing.T) {
	kept := newTrials()
	gone := map[int]bool{}
	var keys []string
	for i := range 30 {
		key, err := kept.keep(fmt.Sprint(i), ".png", func() error { gone[i] = true; return nil })
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	for i, key := range keys {
		path, _, ok := kept.find(key)
		if old := i < 6; ok == old || gone[i] != old || ok && path != fmt.Sprint(i) {
			t.Errorf("trial %d: got %q, found %v, deleted %v", i, path, ok, gone[i])
		}
	}
}
