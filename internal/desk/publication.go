// publication.go is what the page and the JSON show of a video on a platform.

package desk

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"retake.example/internal/store"
)

// Publication is a video on one platform.
type Publication struct {
	Platform  string         `json:"platform"` // YOUTUBE or RUMBLE
	Status    string         `json:"status"`
	Step      string         `json:"step,omitzero"` // finer than the status
	State     string         `json:"state"`         // both, in words
	Sent      int64          `json:"sent,omitzero"` // bytes that have arrived
	Percent   int            `json:"percent,omitzero"`
	Channel   string         `json:"channel,omitzero"`    // its name, where there are several
	PublishAt time.Time      `json:"publish_at,omitzero"` // it is to be public
	Ahead     bool           `json:"scheduled"`           // that time is to come
	Attempt   int            `json:"attempt,omitzero"`
	Attempts  int            `json:"attempts,omitzero"` // there are at the most
	NextTry   time.Time      `json:"next_try,omitzero"`
	RemoteID  string         `json:"remote_id,omitzero"`
	URL       string         `json:"url,omitzero"`       // of the video there
	Metadata  store.Metadata `json:"-"`                  // what it is published with
	Changed   bool           `json:"changed"`            // another has been saved since
	Reason    string         `json:"reason,omitzero"`    // of the failure, in words
	Error     string         `json:"error,omitzero"`     // of the failure, as it came
	Field     string         `json:"field,omitzero"`     // of the form, which the platform has refused
	Warning   string         `json:"warning,omitzero"`   // as it came, a line each
	Warnings  []string       `json:"warnings,omitempty"` // in words
	MayChange bool           `json:"may_change"`         // this admin
	CanRetry  bool           `json:"can_retry"`          // this admin, now
	History   []Try          `json:"history,omitempty"`

	HandPage string `json:"hand_page,omitzero"` // where it is uploaded by hand, while that is to be done
	Typed    string `json:"-"`                  // an address that was refused
	Fault    string `json:"-"`                  // why
}

// Name is what the platform calls itself.
func (p Publication) Name() string { return PlatformName(p.Platform) }

// PlatformName is what a platform calls itself.
func PlatformName(platform string) string {
	if platform == "YOUTUBE" {
		return "YouTube"
	}
	return "Rumble"
}

// Excerpt is the error where many are shown.
func (p Publication) Excerpt() string { return Excerpt(p.Error) }

// pubStates are what the pill of a publication says, how it looks and what its sign is.
var pubStates = []struct{ status, step, id, tone, icon string }{
	{"PENDING", "scheduled", "pub_scheduled", "wait", "clock"},
	{"PENDING", "manual", "pub_manual", "wait", "hand"},
	{"PENDING", "", "pill_waiting", "wait", "clock"},
	{"PROCESSING", "uploading", "pub_uploading", "busy", "up"},
	{"PROCESSING", "processing", "pub_works", "busy", "spin"},
	{"PROCESSING", "", "pub_processing", "busy", "spin"},
	{"COMPLETED", "manual", "pub_by_hand", "ok", "check"},
	{"COMPLETED", "", "pub_completed", "ok", "check"},
	{"FAILED", "unknown", "pub_unknown", "bad", "alert"},
	{"FAILED", "", "pill_failed", "bad", "alert"},
}

// Pill is the id of a message, a tone and an icon.
type Pill struct{ Word, Tone, Icon string }

// Pill says how far it is.
func (p Publication) Pill() Pill {
	if p.Status == "COMPLETED" && p.Ahead {
		return Pill{"pub_scheduled", "wait", "clock"}
	}
	for _, s := range pubStates {
		if s.status == p.Status && (s.step == p.Step || s.step == "") {
			return Pill{s.id, s.tone, s.icon}
		}
	}
	return Pill{"pill_waiting", "wait", "clock"}
}

// On is a publication with its card, for a template of its own.
type On struct {
	Pub  Publication
	Card Card
}

// For joins a publication and its card.
func (p Publication) For(c Card) On { return On{p, c} }

// Uploading reports whether a part of it may be there.
func (p Publication) Uploading() bool { return p.Step == "uploading" }

// Waits is the id of the message about what it waits for, which NextTry ends; "" for no more than its turn.
func (p Publication) Waits() string {
	switch {
	case p.Status != "PENDING" || p.NextTry.IsZero():
		return ""
	case p.Step == "quota":
		return "pub_quota"
	case p.Step == "limit":
		return "pub_limit"
	}
	return ""
}

// ByHand reports whether an admin has to upload it.
func (p Publication) ByHand() bool { return p.Status == "PENDING" && p.Step == "manual" }

// Lost reports whether nobody but an admin can find out if it is there.
func (p Publication) Lost() bool { return p.Status == "FAILED" && p.Step == "unknown" }

// Needs reports whether a FAILED one needs what a step says.
func (p Publication) Needs(step string) bool { return p.Status == "FAILED" && p.Step == step }

// CanUpdate reports whether the platform can be told what has been saved since.
func (p Publication) CanUpdate() bool {
	return p.MayChange && p.Status == "COMPLETED" && p.Platform == "YOUTUBE" && p.RemoteID != "" && p.Changed
}

// CanRemove reports whether it can be deleted there, cancelled or forgotten.
func (p Publication) CanRemove() bool {
	return p.MayChange && (p.RemoteID != "" || p.Status != "PROCESSING" && (p.Status != "PENDING" || p.Sent == 0))
}

// Deletes reports whether removing it deletes a video on the platform.
func (p Publication) Deletes() bool { return p.Platform == "YOUTUBE" && p.RemoteID != "" }

// explain says in words what the publication and its errors are.
func (p *Publication) explain(say Say) {
	p.State = say(p.Pill().Word, nil)
	p.Reason = Reason(say, p.Error, "reason_unpublished")
	if p.Needs("edit") {
		p.Field = fieldOf(p.Error)
	}
	for line := range strings.Lines(p.Warning) {
		if line = strings.TrimSpace(line); wordless(line) {
			p.Warnings = append(p.Warnings, line)
		} else {
			p.Warnings = append(p.Warnings, Reason(say, line, "reason_unpublished"))
		}
	}
	explain(say, p.History, "reason_unpublished")
}

// Worded reports whether the warnings in words are not those that came.
func (p Publication) Worded() bool { return strings.Join(p.Warnings, "\n") != p.Warning }

// wordless reports whether a warning is not in a platform's words: it is shown as it is.
func wordless(line string) bool {
	_, word := wordOf(line)
	return word == ""
}

// Percent is how much of something is done, at most 100.
func Percent(done, of int64) int {
	if of <= 0 {
		return 0
	}
	return int(min(100, 100*done/of))
}

// ---- taking a publication back

// Removal is the page that asks before a publication is taken back.
type Removal struct {
	Success bool        `json:"success"`
	ID      string      `json:"id"`
	Name    string      `json:"name"`
	Pub     Publication `json:"publication"`
	Title   string      `json:"title,omitzero"` // to be typed
	Typed   string      `json:"-"`
	Fault   string      `json:"-"`
}

// NewRemoval asks about a publication of a video.
func NewRemoval(c Card, p Publication) Removal {
	r := Removal{Success: true, ID: c.ID, Name: c.Name, Pub: p}
	if p.Deletes() {
		r.Title = p.Name()
		if p.Metadata.Title != "" {
			r.Title = p.Metadata.Title
		}
	}
	return r
}

// Outcome is what removing it comes to.
func (r Removal) Outcome() string {
	if r.Pub.Deletes() {
		return "unpublished"
	}
	return "forgotten"
}

// Confirmed reports whether the title was typed, where that is asked for.
func (r *Removal) Confirmed(say Say, typed string) bool {
	if r.Typed = typed; r.Title == "" || oneLine(typed) == oneLine(r.Title) {
		return true
	}
	r.Fault = say("fault_typed", nil)
	return false
}

// ---- what studios refuse

// Refusals of what is to be published, by what connects to the platforms.
var (
	Exists     = HTTPError{http.StatusConflict, "EXISTS", "error_exists", nil}
	NoPlatform = HTTPError{http.StatusConflict, "NOT_SET_UP", "error_no_platform", nil}
	NoChange   = HTTPError{http.StatusConflict, "NOT_PUBLISHED", "error_not_published", nil} // there is no video on the platform to change
	BadURL     = Invalid("fault_url", nil)                                                   // no address
	OtherURL   = Invalid("fault_url_other", nil)                                             // not on the platform
	NoVideoURL = Invalid("fault_url_no_video", nil)                                          // on the platform, but not of a video
	urlErrors  = []HTTPError{BadURL, OtherURL, NoVideoURL}
)

// IsURL reports whether a refusal is about the address of a video.
func (r HTTPError) IsURL() bool {
	for _, u := range urlErrors {
		if r.ID == u.ID {
			return true
		}
	}
	return false
}

// Platform is the code of what a platform has refused: the log has its own words.
const Platform = "PLATFORM"

// Told makes a refusal of what a platform said to something that was asked of it at once. Other errors stay as they are.
func Told(err error) error {
	if err == nil {
		return nil
	}
	platform, word := wordOf(err.Error())
	if _, refused := errors.AsType[HTTPError](err); refused || word == "" {
		return err
	}
	return fmt.Errorf("%w: %w", HTTPError{http.StatusBadGateway, Platform, about(platform, word), Vars{"Name": platform}}, err)
}

// oneHost is the part of an address that a policy of the page names; "" if it is none.
func oneHost(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
