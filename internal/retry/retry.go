// Why somebody asks for another try, and what comes of it. The decision itself is Retry in queue.go.

package retry

import "retake.example/internal/store"

// A Cause is why somebody asks for another try: JobFailed, ButtonPressed, AdminClicked or Reconnected.
type Cause interface{ cause() }

// JobFailed is a worker's report that an attempt went wrong. Err may say more than that: see Permanent and RetryAfter.
type JobFailed struct {
	Job    store.Job
	Err    error
	FileID string // Telegram's handle by which the attempt sent a video; "": it sent the file, or none
}

// ButtonPressed is a user's press of the retry button of an apology. It costs a render as a wish does, so the same
// limits hold.
type ButtonPressed struct {
	User, Chat int64
	Limits     store.Limits
}

// AdminClicked is an admin's press on the page, for one platform or, when Platform is empty, for the video itself.
type AdminClicked struct {
	Admin    store.Admin
	Platform string // "": none
}

// Reconnected is what an owner does to a channel whose access had ended: what failed because of that goes on.
type Reconnected struct {
	Admin    store.Admin
	Platform string
}

func (JobFailed) cause() {}

func (ButtonPressed) cause() {}

func (AdminClicked) cause() {}

func (Reconnected) cause() {}

// Outcome is what came of a Cause.
type Outcome string

const (
	Rescheduled Outcome = "rescheduled" // the same job runs again after a pause
	Deferred    Outcome = "deferred"    // the same job runs again when what it waits for is over; no attempt spent
	GaveUp      Outcome = "gave_up"     // FAILED, and everybody affected will be told
	// a message that is still owed, and is sent again when its user is heard of or an admin asks
	Undelivered Outcome = "undelivered"
	Restarted   Outcome = "restarted" // fresh work is queued
	Joined      Outcome = "joined"    // the work is under way, or done, already
)
