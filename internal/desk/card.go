// card.go is what the page and the JSON show of a video.

package desk

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"retake.example/internal/store"
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
	File         string        `json:"file,omitzero"`  // what to call it when it is downloaded
	Thumb        string        `json:"thumb,omitzero"` // path of the picture on this page
	Duration     int64         `json:"duration_ms,omitzero"`
	Size         int64         `json:"size,omitzero"`  // bytes
	Width        int           `json:"width,omitzero"` // px
	Height       int           `json:"height,omitzero"`
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
	MayEdit      bool          `json:"may_edit"`          // this admin: retry, edit, delete
	CanRetry     bool          `json:"can_retry"`         // this admin, now
	CanCancel    bool          `json:"can_cancel"`        // this admin, now: nobody waits for it
	CanPublish   bool          `json:"can_publish"`       // this admin, now: on a platform that it is not on
	Unwanted     time.Time     `json:"unwanted,omitzero"` // since when it should go, once it is taken off the platforms
	Replaced     bool          `json:"replaced"`          // a later try is under way or has worked: no button
	History      []Try         `json:"history,omitempty"`
	Publications []Publication `json:"publications,omitempty"`
}

// Try is one attempt at making or publishing a video.
type Try struct {
	store.Attempt
	Reason string `json:"reason,omitzero"` // of the failure, in words
}

// Add adds an attempt at the end of the history of its platform, or, when that is "", of the video.
func (c *Card) Add(a store.Attempt) {
	if a.Platform == "" {
		c.History = append(c.History, Try{Attempt: a})
	}
	for i := range c.Publications {
		if p := &c.Publications[i]; p.Platform == a.Platform {
			p.History = append(p.History, Try{Attempt: a})
		}
	}
}

// Explain says in words why something on the card failed.
func (c *Card) Explain(say Say) {
	c.Reason = Reason(say, c.Error, "reason_other")
	explain(say, c.History, "reason_other")
	for i := range c.Publications {
		c.Publications[i].explain(say)
	}
}

func explain(say Say, tries []Try, otherwise string) {
	for i, t := range tries {
		tries[i].Reason = Reason(say, t.Error, otherwise)
	}
}

// Rev changes when anything on the card but the clock does, so that the page's script leaves the others alone.
func (c Card) Rev() (string, error) { return rev(c) }

func rev(v any) (string, error) {
	b, err := json.Marshal(v)
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

// Shown is the publication that viewers find, if there is one.
func (c Card) Shown() *Publication {
	for i, p := range c.Publications {
		if p.Status == "COMPLETED" && p.URL != "" {
			return &c.Publications[i]
		}
	}
	return nil
}

// HandOff is the publication that this admin is to upload, if there is one.
func (c Card) HandOff() *Publication {
	for i, p := range c.Publications {
		if p.ByHand() && p.MayChange {
			return &c.Publications[i]
		}
	}
	return nil
}

// On returns the publication on a platform; nil if there is none.
func (c *Card) On(platform string) *Publication {
	for i := range c.Publications {
		if c.Publications[i].Platform == platform {
			return &c.Publications[i]
		}
	}
	return nil
}
