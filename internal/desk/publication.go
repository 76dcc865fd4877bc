// Publications: what the pages and the JSON show of a video on a platform, and what an admin does with it there.

package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"retake.example/internal/publish"
	"retake.example/internal/rumble"
	"retake.example/internal/store"
	"retake.example/internal/youtube"
)

// Publication is a video on one platform.
type Publication struct {
	Platform  string         `json:"platform"` // YOUTUBE, RUMBLE or TELEGRAM
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
	URL       string         `json:"url,omitzero"`        // of the video there
	Metadata  store.Metadata `json:"-"`                   // what it is published with
	Changed   bool           `json:"changed"`             // another has been saved since
	Code      string         `json:"error_code,omitzero"` // of the failure
	Reason    string         `json:"reason,omitzero"`     // of the failure, in words
	Error     string         `json:"error,omitzero"`      // of the failure, as it came
	Link      string         `json:"link,omitzero"`       // where the failure can be fixed
	Field     string         `json:"field,omitzero"`      // of the form, which the platform has refused
	Warning   string         `json:"warning,omitzero"`    // as it came, a line each
	Warnings  []string       `json:"warnings,omitempty"`  // in words
	MayChange bool           `json:"may_change"`          // this admin
	CanRetry  bool           `json:"can_retry"`           // this admin, now
	History   []Try          `json:"history,omitempty"`

	Standing string    `json:"standing,omitzero"`       // how it was found on the platform, if not as it should be
	Found    string    `json:"found,omitzero"`          // the same in words
	Looked   time.Time `json:"looked_at,omitzero"`      // somebody last looked at it there
	There    []Both    `json:"changed_there,omitempty"` // what somebody changed there since it was sent
	Untold   bool      `json:"untold,omitzero"`         // the platform cannot be asked how it is
	Ended    time.Time `json:"completed_at,omitzero"`   // it was published or failed: what is known is from then

	OutOfReach bool `json:"-"` // its channel is disconnected, so nothing can be changed or deleted there from here

	HandPage string `json:"hand_page,omitzero"` // where it is uploaded by hand, while that is to be done
	Typed    string `json:"-"`                  // an address that was refused
	Fault    string `json:"-"`                  // why

	MoveTo    string `json:"-"` // a time to become public that was refused
	MoveZone  string `json:"-"` // on whose clock
	MoveFault string `json:"-"` // why
}

// Name is what the platform calls itself.
func (p Publication) Name() string { return PlatformName(p.Platform) }

// PlatformName is what a platform calls itself.
func PlatformName(platform string) string {
	place, _ := publish.PlaceOf(platform)
	return place.Name
}

// platformIcon is the icon of a platform.
func platformIcon(platform string) string {
	place, _ := publish.PlaceOf(platform)
	return place.Icon
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
	if p.Standing != "" {
		return Pill{"pub_standing", "bad", "alert"}
	}
	if p.Status == "COMPLETED" && p.Ahead {
		return Pill{"pub_scheduled", "wait", "clock"}
	}
	if p.Status == "COMPLETED" && p.Untold && p.Step == "" {
		return Pill{"pub_sent", "ok", "check"}
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

// Edited names what somebody changed on the platform, in words.
func (p Publication) Edited() string {
	var names []string
	for _, b := range p.There {
		names = append(names, b.Label)
	}
	return strings.Join(names, ", ")
}

// Needs reports whether a FAILED one needs what a step says.
func (p Publication) Needs(step string) bool { return p.Status == "FAILED" && p.Step == step }

// CanUpdate reports whether the platform can be told what has been saved since.
func (p Publication) CanUpdate() bool {
	place, _ := publish.PlaceOf(p.Platform)
	return p.MayChange && p.Status == "COMPLETED" && place.Changes && p.RemoteID != "" && p.Changed
}

// CanRemove reports whether it can be deleted there, cancelled or forgotten.
func (p Publication) CanRemove() bool {
	return p.MayChange && (p.RemoteID != "" || p.Status != "PROCESSING" && (p.Status != "PENDING" || p.Sent == 0))
}

// Deletes reports whether removing it deletes a video on the platform.
func (p Publication) Deletes() bool {
	place, _ := publish.PlaceOf(p.Platform)
	return place.Changes && p.RemoteID != "" && !p.OutOfReach
}

// standings are the messages about how a video was found on its platform.
var standings = map[string]string{"private": "standing_private", "gone": "standing_gone", "failed": "standing_failed",
	"rejected": "standing_rejected", "taken down": "standing_taken_down"}

// explain says in words what the publication and its errors are.
func (p *Publication) explain(say Say) {
	p.State = say(p.Pill().Word, nil)
	if p.Standing != "" {
		p.Found = say(standings[p.Standing], Vars{"Name": p.Name()})
	}
	for i := range p.There {
		p.There[i].word(say)
	}
	explain(say, p.History, "reason_unpublished")
	p.Code = codeOf(p.Code, p.Error, p.History)
	p.Reason = Reason(say, p.Code, p.Error, "reason_unpublished")
	p.Link = linkOf(p.Code, p.Error)
	if p.Needs("edit") {
		p.Field = fields[p.Code]
	}
	for line := range strings.Lines(p.Warning) {
		line = strings.TrimSpace(line)
		if code := warningCode(line); code != "" {
			line = Reason(say, code, line, "reason_unpublished")
		}
		p.Warnings = append(p.Warnings, line)
	}
}

// Worded reports whether the warnings in words are not those that came.
func (p Publication) Worded() bool { return strings.Join(p.Warnings, "\n") != p.Warning }

// warningCode is the code of a line of warnings; "" for one that is not in a platform's words, which is shown as it is.
func warningCode(line string) string {
	switch {
	case strings.HasPrefix(line, "youtube "):
		return youtube.WarningCode(line)
	case strings.HasPrefix(line, "rumble "):
		return rumble.WarningCode
	}
	return ""
}

// NewPublication makes the part of a publication that does not depend on who looks. size is that of the video;
// attempts is how many a job has.
func NewPublication(p store.Publication, size int64, attempts int, now time.Time) Publication {
	v := Publication{
		Platform:  p.Platform,
		Status:    string(p.Status),
		Step:      p.Step,
		Metadata:  p.Metadata,
		PublishAt: p.PublishAt,
		Ahead: p.Metadata.Privacy == "public" &&
			p.PublishAt.After(now),
		Sent:     p.Upload.Sent,
		Percent:  Percent(p.Upload.Sent, size),
		RemoteID: p.Upload.ID,
		URL:      p.Upload.URL,
		Code:     p.ErrorCode,
		Error:    cmp.Or(p.Error, p.LastError),
		Warning:  p.Upload.Warning,
		Standing: p.Standing,
		Looked:   p.Looked,
		Ended:    p.Completed,
	}
	for _, d := range publish.ChangedThere(p) {
		v.There = append(v.There, Both{Difference: d, Platform: v.Name()})
	}
	if p.Attempt > 0 {
		v.Attempt, v.Attempts = p.Attempt, attempts
	}
	if p.Status == store.Pending {
		if p.Attempt > 0 { // the one to come
			v.Attempt++
		}
		if p.Due.After(now) {
			v.NextTry = p.Due
		}
	}
	if v.Waits() != "" {
		v.Error = "" // it says the same
	}
	return v
}

// Percent is how much of something is done, at most 100.
func Percent(done, of int64) int {
	if of <= 0 {
		return 0
	}
	return int(min(100, 100*done/of))
}

// published changes what is on the platforms. What it refuses is an HTTPError, an error of the store, or what the
// platform said: "youtube REASON: …".
type published interface {
	Update(ctx context.Context, assetID, platform string, keep publish.Keep, admin store.Admin) error
	Remove(ctx context.Context, assetID, platform string, admin store.Admin) (deleted bool, err error)
	MarkPublished(ctx context.Context, assetID, platform, url string, admin store.Admin) error
	PublishAgain(ctx context.Context, assetID, platform string, admin store.Admin) error
	Accept(ctx context.Context, assetID, platform string, admin store.Admin) error
	// was: the time that the admin saw; zero: any. at: zero: now
	Postpone(ctx context.Context, assetID, platform string, was, at time.Time, admin store.Admin) error
}

// published is a publication that this admin may change, on the page of its video.
func (d *Desk) published(r *http.Request, platform string) (view Detail, p *Publication, err error) {
	if view, err = d.detail(r); err != nil {
		return view, nil, err
	}
	p = view.Card.On(platform)
	switch {
	case p == nil:
		return view, nil, store.ErrNotFound
	case !p.MayChange:
		return view, nil, store.ErrForbidden
	}
	return view, p, nil
}

// MarkPublished records where an admin has put a video by hand, or found it.
func (d *Desk) MarkPublished(w http.ResponseWriter, r *http.Request) error {
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	view, p, err := d.published(r, sent["platform"])
	if err != nil {
		return err
	}
	err = Told(d.opts.Published.MarkPublished(d.ctx, view.Card.ID, p.Platform, sent["url"], AdminOf(r)))
	if e, ok := errors.AsType[HTTPError](err); ok && e.IsURL() {
		p.Typed, p.Fault = sent["url"], sayTo(r)(e.ID, e.Vars)
		return d.refuse(w, r, Invalid("error_fields", nil), "asset", view.Card.Name, view,
			map[string]string{"url": p.Fault})
	} else if err != nil {
		return fmt.Errorf("mark as published: %w", err)
	}
	return Done(w, r, "published", "")
}

// UpdatePublished sends what is saved for a video to the platform that it is on. With the field do it answers what was
// found there: again publishes the video once more, accept leaves it as it is. With move it sets another time to become
// public.
func (d *Desk) UpdatePublished(w http.ResponseWriter, r *http.Request) error {
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	view, p, err := d.published(r, sent["platform"])
	if err != nil {
		return err
	}
	switch sent["do"] {
	case "":
	case "again":
		if err := d.opts.Published.PublishAgain(d.ctx, view.Card.ID, p.Platform, AdminOf(r)); err != nil {
			return fmt.Errorf("publish again: %w", Told(err))
		}
		return Done(w, r, "publishing", "")
	case "move":
		return d.move(w, r, view, p, sent)
	case "accept":
		if err := d.opts.Published.Accept(d.ctx, view.Card.ID, p.Platform, AdminOf(r)); err != nil {
			return fmt.Errorf("accept what was found: %w", Told(err))
		}
		return Done(w, r, "accepted", "")
	default:
		return Invalid("error_form", nil)
	}
	keep := publish.Keep(sent["keep"])
	if !slices.Contains([]publish.Keep{publish.KeepNone, publish.KeepOurs, publish.KeepTheirs}, keep) {
		return Invalid("error_form", nil)
	}
	err = d.opts.Published.Update(d.ctx, view.Card.ID, p.Platform, keep, AdminOf(r))
	if both, ok := errors.AsType[*publish.Conflict](err); ok {
		return d.askConflict(w, r, NewConflicting(sayTo(r), view.Card, *p, both))
	}
	if err != nil {
		return fmt.Errorf("update what is published: %w", Told(err))
	}
	if keep != publish.KeepNone { // the question came from another page
		return doneAt(w, r, "/assets/"+view.Card.ID+"?notice=updated", "updated", "")
	}
	return Done(w, r, "updated", "")
}
