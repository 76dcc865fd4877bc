// errors.go holds what went wrong on the farm, with what it means for the order.

package farm

import (
	"errors"
	"time"

	"retake.example/internal/video"
)

// Codes of errors, beside those of internal/video. They are stored: never change one.
const (
	CodeAway  = "FARM_AWAY"  // NATS does not answer
	CodeEmpty = "FARM_EMPTY" // no worker is there
	CodeParts = "FARM_PARTS" // a worker could not fetch what films are made with
	CodeDied  = "FARM_DIED"  // several workers died, or fell silent, while they made this film
	CodeFilm  = "FARM_FILM"  // the film arrived damaged
	CodeStore = "FARM_STORE" // the film cannot be stored, or fetched
)

// Pauses of waits. Retry doubles them.
const (
	awayPause  = 10 * time.Second
	otherPause = time.Second // until another worker has it
)

// trouble is an error that says whether and when another try makes sense.
type trouble struct {
	text      string
	code      string
	permanent bool
	wait      time.Duration // 0: the try counts
}

func (t trouble) Error() string { return t.text }

// Code returns one of the codes above, or of internal/video.
func (t trouble) Code() string { return t.code }

// Permanent reports whether no other try can help.
func (t trouble) Permanent() bool { return t.permanent }

// RetryAfter returns how long to wait before another try; this one does not count.
func (t trouble) RetryAfter() (time.Duration, bool) { return t.wait, t.wait > 0 }

func waits(code, text string, pause time.Duration) error {
	return trouble{text: text, code: code, wait: pause}
}

// fateOf describes an error for the centre.
func fateOf(worker string, err error) fate {
	f := fate{Worker: worker, Text: err.Error(), Code: video.CodeOf(err)}
	var p interface{ Permanent() bool }
	f.Permanent = errors.As(err, &p) && p.Permanent()
	var w interface {
		RetryAfter() (time.Duration, bool)
	}
	if errors.As(err, &w) {
		if wait, yes := w.RetryAfter(); yes {
			f.Wait = max(wait, otherPause)
		}
	}
	return f
}

// error is what a fate means for the order.
func (f fate) error() error {
	text := f.Text
	if f.Worker != "" {
		text = "worker " + f.Worker + ": " + text
	}
	return trouble{text: text, code: f.Code, permanent: f.Permanent, wait: f.Wait}
}
