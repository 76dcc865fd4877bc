// A program without outages.

package outage

import "time"

// None never holds anything: a queue without outages.
type None struct{}

func (None) Judge(string, string, int, string, time.Time) (bool, map[string]int) { return false, nil }
func (None) Suspect(string, time.Time, time.Time, time.Duration) (time.Duration, int) {
	return 0, 0
}
func (None) Made(string) bool                                                      { return false }
func (None) Admit(time.Time) bool                                                  { return true }
func (None) Left()                                                                 {}
func (None) State(time.Time) (b time.Time, reason string, n time.Time, spent bool) { return }
func (None) Hurry() bool                                                           { return false }
func (None) Resume(time.Time, string)                                              {}
