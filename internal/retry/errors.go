// What an error says about another try: that there is none, that it should wait, or what to show.

package retry

import (
	"errors"
	"time"
)

// Permanent marks an error that another attempt cannot fix.
func Permanent(err error) error { return permanentError{err} }

type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

func (permanentError) Permanent() bool { return true }

// IsPermanent reports whether an error is marked as one that another attempt cannot fix.
func IsPermanent(err error) bool {
	var p interface{ Permanent() bool }
	return errors.As(err, &p) && p.Permanent()
}

// After reports whether an error asks to wait, which spends no attempt, and how long.
func After(err error) (time.Duration, bool) {
	var w interface {
		RetryAfter() (wait time.Duration, yes bool)
	}
	if errors.As(err, &w) {
		return w.RetryAfter()
	}
	return 0, false
}

// Unreachable reports whether an error says that what an attempt needs did not answer at all, which spends no attempt.
func Unreachable(err error) bool {
	var u interface{ Unreachable() bool }
	return errors.As(err, &u) && u.Unreachable()
}

// Progressed reports whether an attempt got further than the one before it, although it failed.
func Progressed(err error) bool {
	var p interface{ Progressed() bool }
	return errors.As(err, &p) && p.Progressed()
}

// Wait marks an error that asks to be retried after a time, which spends no attempt.
func Wait(err error, after time.Duration) error { return waitError{err, after} }

type waitError struct {
	error
	after time.Duration
}

func (e waitError) Unwrap() error { return e.error }

func (e waitError) RetryAfter() (time.Duration, bool) { return e.after, true }

// WithCode gives an error the stable code by which the page and the alerts choose their sentence.
func WithCode(err error, code string) error { return codedError{err, code} }

type codedError struct {
	error
	code string
}

func (e codedError) Unwrap() error { return e.error }

func (e codedError) Code() string { return e.code }

// CodeOf returns the code of an error, or "" if it has none. The outermost code counts: it knows the most about the
// context.
func CodeOf(err error) string {
	var c interface{ Code() string }
	if errors.As(err, &c) {
		return c.Code()
	}
	return ""
}

// Trouble is what the error of a platform says of itself beyond Permanent and RetryAfter.
type Trouble interface {
	error
	Pause() time.Duration // the shortest pause before the next attempt
	Step() string         // what the publication needs or waits for: see the schema
}

// ChannelTrouble is what the error of a platform with channels says about them.
type ChannelTrouble interface {
	error
	// the platform refuses the token: nothing can be published there until somebody reconnects the channel
	AccessEnded() bool
	WholeApp() bool // the wait holds for the uploads to all channels
}
