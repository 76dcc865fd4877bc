// Package worker runs the jobs of the queue, and says how far they are.
package worker

import "time"

// Outlook is what can be said about an asset that is being made or waits for it.
type Outlook struct {
	Place   int           // 1: next; 0: being made
	Percent int           // of a render under way
	Left    time.Duration // until it is finished, roughly; 0: nobody knows yet
	Held    bool          // by an outage
}
