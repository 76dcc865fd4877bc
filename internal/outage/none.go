// A program without outages.

package outage

import "time"

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
