// Tests of the pauses between attempts.

package retry_test

import (
	"errors"
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

// away is an error of something that does not answer at all.
type away struct{ error }

func (away) Unreachable() bool { return true }

func TestPauseAfter_DoublesToFiveMinutesAndGivesWhatWasAskedFor(t *testing.T) {
	backoff := func(attempt int) time.Duration { return time.Duration(attempt) * time.Second }
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		err    error
		before int
		want   time.Duration
		waits  bool
	}{
		"the first wait":                    {retry.Wait(broken, 30*time.Second), 0, 30 * time.Second, true},
		"the second":                        {retry.Wait(broken, 30*time.Second), 1, time.Minute, true},
		"the tenth":                         {retry.Wait(broken, 30*time.Second), 9, 5 * time.Minute, true},
		"no time, again":                    {retry.Wait(broken, 0), 3, 8 * time.Second, true},
		"more than five minutes":            {retry.Wait(broken, time.Hour), 0, time.Hour, true},
		"more than five minutes, again":     {retry.Wait(broken, time.Hour), 7, time.Hour, true},
		"what does not answer":              {away{broken}, 0, time.Second, true},
		"what does not answer, a third try": {away{broken}, 2, 3 * time.Second, true},
		"a failure":                         {broken, 0, time.Second, false},
	} {
		if got, waits := retry.PauseAfter(c.err, c.before, backoff); got != c.want || waits != c.waits {
			t.Errorf("%s: got %v, %v; want %v, %v", name, got, waits, c.want, c.waits)
		}
	}
}
