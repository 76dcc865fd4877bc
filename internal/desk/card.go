// card.go is what the page and the JSON show of a video.

package desk

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Card is a video.
type Card struct {
	ID           string        `json:"id"`
	Name         string        `json:"name"`
	Status       string        `json:"status"`
	Origin       string        `json:"origin"` // telegram, page or upload
	Lang         string        `json:"lang"`
	Template     string        `json:"template,omitzero"`
	Title        string        `json:"template_title,omitzero"` // where there is more than one template
	Created      time.Time     `json:"created"`
	Finished     time.Time     `json:"finished,omitzero"`
	Video        string        `json:"video,omitzero"` // path of the file on this page
	Thumb        string        `json:"thumb,omitzero"` // path of the picture on this page
	Duration     int64         `json:"duration_ms,omitzero"`
	Waiting      int           `json:"waiting"`    // people: for the video
	Served       int           `json:"served"`     // people: have it
	Apologised   int           `json:"apologised"` // people: have the apology, or it is on its way
	Untold       int           `json:"untold"`     // people: no message reaches them
	Attempt      int           `json:"attempt,omitzero"`
	Attempts     int           `json:"attempts,omitzero"` // there are at the most
	NextTry      time.Time     `json:"next_try,omitzero"`
	Percent      int           `json:"percent,omitzero"`
	Place        int           `json:"place,omitzero"`  // in the queue, from 1
	Reason       string        `json:"reason,omitzero"` // of the failure, in words
	Error        string        `json:"error,omitzero"`  // of the failure, as it came
	RetryOf      string        `json:"retry_of,omitzero"`
	Successor    string        `json:"successor,omitzero"`
	MayEdit      bool          `json:"may_edit"`  // this admin: retry, edit, delete
	CanRetry     bool          `json:"can_retry"` // this admin, now
	Replaced     bool          `json:"replaced"`  // a later try is under way or has worked: no button
	History      []Try         `json:"history,omitempty"`
	Publications []Publication `json:"publications,omitempty"`
}

// Try is one attempt at making or publishing a video.
type Try struct {
	Number   int       `json:"number"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	Outcome  string    `json:"outcome"`
	Error    string    `json:"error,omitzero"`
}

// Publication is a video on one platform.
type Publication struct {
	Platform  string    `json:"platform"` // YOUTUBE or RUMBLE
	Status    string    `json:"status"`
	Step      string    `json:"step,omitzero"` // finer than the status
	PublishAt time.Time `json:"publish_at,omitzero"`
	URL       string    `json:"url,omitzero"`    // of the video there
	Reason    string    `json:"reason,omitzero"` // of the failure, in words
	Error     string    `json:"error,omitzero"`  // of the failure, as it came
	Warning   string    `json:"warning,omitzero"`
	CanRetry  bool      `json:"can_retry"` // this admin, now
	History   []Try     `json:"history,omitempty"`
}

// Name is what the platform calls itself.
func (p Publication) Name() string {
	if p.Platform == "YOUTUBE" {
		return "YouTube"
	}
	return "Rumble"
}

// Excerpt is the error where many are shown.
func (p Publication) Excerpt() string { return Excerpt(p.Error) }

// Rev changes when anything on the card but the clock does, so that the page's script leaves the others alone.
func (c Card) Rev() (string, error) {
	b, err := json.Marshal(c)
	return fmt.Sprintf("%x", sha256.Sum256(b))[:16], err
}

// Initial stands in for a picture.
func (c Card) Initial() string {
	for _, r := range c.Name {
		return strings.ToUpper(string(r))
	}
	return ""
}

// Hue picks one of the four backgrounds of a card without a picture.
func (c Card) Hue() byte { return c.ID[len(c.ID)-1] % 4 }

// Excerpt is the error where many are shown.
func (c Card) Excerpt() string { return Excerpt(c.Error) }

// Length is how long the video plays: 0:42.
func (c Card) Length() string { return Length(c.Duration) }
