// detail.go is what the page of one video shows beside its card, and what the page before a deletion says.

package desk

import (
	"strconv"
	"strings"
	"time"

	"retake.example/internal/store"
)

// Detail is the page of one video, and the page that asks before it is deleted.
type Detail struct {
	Success  bool          `json:"success"`
	Card     Card          `json:"asset"`
	Tries    []store.Try   `json:"tries"`              // at the same video, oldest first: this one and some before and after it
	Shares   []store.Share `json:"people_by_language"` // of those who have asked for it
	Busy     string        `json:"busy,omitzero"`      // why it cannot be deleted now, in words
	Activity []Line        `json:"activity"`
	Form     *Form         `json:"metadata,omitzero"` // of a finished video

	Published bool         `json:"-"` // something of it is on a platform
	Fix       *Publication `json:"-"` // needs other metadata and then another try; nil: none does
	Mending   bool         `json:"-"` // somebody came for that: what was refused is marked
}

// Fixes compares what is saved with what the video is published with, and finds the publication that needs other metadata.
// asked is the platform that somebody came to mend: what it has refused is marked.
func (d *Detail) Fixes(saved store.Metadata, asked string) {
	for i := range d.Card.Publications {
		p := &d.Card.Publications[i]
		p.Changed = saved.Privacy != "" && p.Metadata != saved
		d.Published = d.Published || p.Status == "COMPLETED"
		if p.MayChange && p.Needs("edit") && (d.Fix == nil || p.Platform == asked) {
			d.Fix = p
		}
	}
	if d.Fix != nil && d.Fix.Platform == asked && d.Form != nil {
		d.Mending = true
		d.Form.Refused(d.Fix.Field, d.Fix.Reason)
	}
}

// Rev changes when anything on the page but the clock does.
func (d Detail) Rev() (string, error) { return rev(d) }

// busy says what keeps a video from being deleted, by the kind of the job that is owed.
var busy = map[string]string{
	"RENDER":    "busy_render",
	"ANNOUNCE":  "busy_announce",
	"DELIVER":   "busy_deliver",
	"APOLOGISE": "busy_apologise",
	"PUBLISH":   "busy_publish",
}

// Busy is the id of the message about a job that keeps a video from being deleted; "" for none.
func Busy(kind string) string { return busy[kind] }

// took is how long something took: 2.3 s, 48 s, 1:05.
func took(say Say, d time.Duration) string {
	switch {
	case d < 9950*time.Millisecond:
		return say("seconds_short", Vars{"N": decimal(say, d.Seconds())})
	case d.Round(time.Second) < time.Minute:
		return say("seconds_short", Vars{"N": int(d.Round(time.Second).Seconds())})
	}
	return Length(d.Milliseconds())
}

// size is a number of bytes in megabytes.
func size(say Say, bytes int64) string {
	return say("megabytes", Vars{"N": decimal(say, float64(bytes)/(1<<20))})
}

// decimal is a number with one digit after the point.
func decimal(say Say, n float64) string {
	return strings.Replace(strconv.FormatFloat(n, 'f', 1, 64), ".", say("decimal_point", nil), 1)
}
