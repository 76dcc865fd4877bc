// The pauses between attempts.

package retry

import (
	"math/rand/v2"
	"time"
)

// Exponential returns the pauses between attempts: base, doubling up to limit, ±10 %.
func Exponential(base, limit time.Duration) func(attempt int) time.Duration {
	return func(attempt int) time.Duration {
		d := base
		for i := 1; i < attempt && d < limit; i++ {
			d *= 2
		}
		d = min(d, limit)
		return d - d/10 + rand.N(d/5+1)
	}
}

// longestPause bounds the pauses of a job that waits: they begin with what the error asks for and double.
const longestPause = 5 * time.Minute

// PauseAfter returns how long a job that has waited so many times waits because of an error. waits reports whether the
// error asks for a wait at all. An error that asks for more than longestPause gets it.
func PauseAfter(err error, before int, backoff func(attempt int) time.Duration) (wait time.Duration, waits bool) {
	asked, waits := After(err)
	if !waits {
		return backoff(before + 1), Unreachable(err)
	}
	longer := asked
	if before > 0 {
		longer = max(asked, time.Second)
	}
	for i := 0; i < before && longer < longestPause; i++ {
		longer *= 2
	}
	return max(asked, min(longer, longestPause)), true
}

// Earlier returns the earlier of two times.
func Earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
