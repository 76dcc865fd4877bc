// callers.go has the names by which the queue and its workers call a Watch.

package outage

import (
	"strings"
	"time"
)

// Judge is RecordFailure for a caller that knows neither the key of the name nor the waiting users.
func (w *Watch) Judge(asset, name string, attempt int, problem string, now time.Time) (held bool,
	spent map[string]int) {
	return w.RecordFailure(Failure{Asset: asset, Name: name, Key: strings.ToLower(name), Attempt: attempt,
		Problem: problem}, now)
}

// Suspect is ShouldWait.
func (w *Watch) Suspect(asset string, created, now time.Time, took time.Duration) (wait time.Duration, more int) {
	return w.ShouldWait(asset, created, now, took)
}

// Made is RecordSuccess.
func (w *Watch) Made(asset string) (over bool) { return w.RecordSuccess(asset) }

// Admit is Allow.
func (w *Watch) Admit(now time.Time) bool { return w.Allow(now) }

// Left is Done.
func (w *Watch) Left() { w.Done() }

// Hurry is ProbeNow.
func (w *Watch) Hurry() (during bool) { return w.ProbeNow() }
