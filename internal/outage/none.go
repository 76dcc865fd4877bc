// What a queue asks of outages, and a program without them.

package outage

import "time"

// A Breaker knows whether videos fail for a reason that is not their own, and lets one at a time be tried while they
// do. RecordFailure and RecordSuccess, asked in a transaction, say the same when that is repeated.
type Breaker interface {
	// RecordFailure looks at a failed attempt. held: it belongs to an outage. spent: that begins with it, and has cost so
	// many earlier attempts of each asset.
	RecordFailure(f Failure, now time.Time) (held bool, spent map[string]int)
	// ShouldWait returns how long an asset that has spent its attempts should wait whether more others fail as it does; 0:
	// it should not.
	ShouldWait(asset string, created, now time.Time, took time.Duration) (wait time.Duration, more int)
	// RecordSuccess is told of a finished video. over: it ends an outage.
	RecordSuccess(asset string) (over bool)
	// Allow reports whether a video may be tried now. During an outage no other may until Done is called. Undo takes that
	// back.
	Allow(now time.Time) bool
	Done()
	Undo()
	// State returns when the outage under way began, why, when the next video is tried, and whether it has lasted so long
	// that failures count again; zero times: there is none.
	State(now time.Time) (began time.Time, reason string, next time.Time, spent bool)
	// Resume goes on with an earlier outage, and lets a video be tried at once; ProbeNow does that during one.
	Resume(began time.Time, reason string)
	ProbeNow() (during bool)
}

// None never holds anything: a queue without outages.
type None struct{}

func (None) RecordFailure(Failure, time.Time) (bool, map[string]int) { return false, nil }
func (None) ShouldWait(string, time.Time, time.Time, time.Duration) (time.Duration, int) {
	return 0, 0
}
func (None) RecordSuccess(string) bool { return false }
func (None) Allow(time.Time) bool      { return true }
func (None) Done()                     {}
func (None) Undo()                     {}
func (None) State(time.Time) (began time.Time, reason string, next time.Time, spent bool) {
	return
}
func (None) ProbeNow() bool           { return false }
func (None) Resume(time.Time, string) {}
