// clock.go makes clocks wrong: the tests of a room run with each once more.

package dbtest

import (
	"flag"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// wrong says how the clocks of Clock go wrong.
var wrong = flag.String("clock", "", "how the clock goes wrong in each test: "+
	"ahead (by ten years for some transactions) or back (by five days after some)")

const (
	rightFor = 3 // looks at a clock before it goes wrong
	wrongFor = 4 // looks at one that is ahead for a while
)

// decade and days are by how much a clock is wrong.
const (
	decade = 3652 * 24 * time.Hour
	days   = 5 * 24 * time.Hour
)

// WasAhead returns how far ahead of now the clock has been, by the flag -clock; 0: it was right. It is for what looks
// at the clock of the machine and leaves marks elsewhere, such as in the names of files.
func WasAhead() time.Duration {
	return map[string]time.Duration{"ahead": decade, "back": days}[*wrong]
}

// Skip leaves the tests of a package out, with their reasons, while the clock is wrong. TestMain calls it.
func Skip(reasons map[string]string) {
	flag.Parse()
	if *wrong == "" {
		return
	}
	var patterns []string
	for _, name := range slices.Sorted(maps.Keys(reasons)) {
		patterns = append(patterns, "^"+strings.ReplaceAll(name, "/", "$/^")+"$")
	}
	if err := flag.Set("test.skip", strings.Join(patterns, "|")); err != nil {
		panic(err)
	}
}

// Clock is now, which goes wrong as the flag -clock says. What looks at a clock is a transaction, as a rule.
func Clock(now func() time.Time) func() time.Time {
	var looks atomic.Int64
	return func() time.Time {
		n := looks.Add(1)
		switch {
		case *wrong == "ahead" && n > rightFor && n <= rightFor+wrongFor:
			return now().Add(decade)
		case *wrong == "back" && n > rightFor:
			return now().Add(-days)
		}
		return now()
	}
}
