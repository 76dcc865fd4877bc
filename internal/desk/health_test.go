// Tests of what the page says of the machine.

package desk

import (
	"testing"

	"retake.example/internal/watch"
)

func TestHealth_TheDiskIsLowBelowTheLimitIfItIsKnown(t *testing.T) {
	for free, want := range map[int64]bool{0: false, 1: true, watch.LowDisk - 1: true, watch.LowDisk: false} {
		if got := (Health{Free: free}).Low(); got != want {
			t.Errorf("%d bytes: got %v; want %v", free, got, want)
		}
	}
}

func TestGigabytes_HasADecimalWhereThatMatters(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0.0", 1 << 30: "1.0", 14 << 30 / 10: "1.4",
		10<<30 - 1<<26: "9.9", 10 << 30: "10",
		38<<30 + 1<<29: "38"} {
		if got := gigabytes(sayIn("en"), bytes); got != want {
			t.Errorf("%d bytes: got %s; want %s", bytes, got, want)
		}
	}
}
