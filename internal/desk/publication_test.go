// Tests of how far a publication is.

package desk

import (
	"testing"
)

func TestPercent_IsAHundredAtMost(t *testing.T) {
	for _, c := range [][3]int64{{0, 0, 0}, {5, 0, 0}, {0, 10, 0}, {1, 3, 33}, {10, 10, 100}, {11, 10, 100}} {
		if got := Percent(c[0], c[1]); int64(got) != c[2] {
			t.Errorf("%d of %d: got %d; want %d", c[0], c[1], got, c[2])
		}
	}
}
