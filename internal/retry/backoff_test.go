// Tests of the pauses between attempts.

package retry_test

import (
	"slices"
	"testing"
	"time"

	"retake.example/internal/retry"
)

func TestExponential(t *testing.T) {
	pause := retry.Exponential(10*time.Second, 10*time.Minute)
	for attempt, want := range map[int]time.Duration{1: 10 * time.Second, 2: 20 * time.Second, 3: 40 * time.Second, 7: 10 * time.Minute, 500: 10 * time.Minute} {
		for range 100 {
			if got := pause(attempt); got < want*9/10 || got > want*11/10 {
				t.Fatalf("after attempt %d: got %v; want %v ± 10 %%", attempt, got, want)
			}
		}
	}
}

func TestPausesAreSpread(t *testing.T) {
	pause := retry.Exponential(10*time.Second, 10*time.Minute)
	var all []time.Duration
	for range 200 {
		all = append(all, pause(1))
	}
	if least, most := slices.Min(all), slices.Max(all); least > 9500*time.Millisecond || most < 10500*time.Millisecond {
		t.Errorf("got pauses of %v to %v; want them spread by ± 10 %%", least, most)
	}
}
