// Cards: what the pages and the JSON show of a video.

package desk

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"retake.example/internal/publish"
	"retake.example/internal/store"
	"retake.example/internal/video"
	"retake.example/internal/worker"
)

// Card is a video.
type Card struct {
	ID              string        `json:"id"`
	Name            string        `json:"name"`
	Status          string        `json:"status"`
	Origin          string        `json:"origin"` // telegram, page or upload
	Lang            string        `json:"lang"`
	Template        string        `json:"template,omitzero"`
	Title           string        `json:"template_title,omitzero"` // where there is more than one template
	Created         time.Time     `json:"created"`
	Finished        time.Time     `json:"finished,omitzero"`
	Video           string        `json:"video,omitzero"` // path of the file on this page
	File            string        `json:"file,omitzero"`  // what to call it when it is downloaded
	Thumb           string        `json:"thumb,omitzero"` // path of the picture on this page
	Duration        int64         `json:"duration_ms,omitzero"`
	Size            int64         `json:"size,omitzero"`  // bytes
	Width           int           `json:"width,omitzero"` // px
	Height          int           `json:"height,omitzero"`
	Codec           string        `json:"codec,omitzero"` // of the pictures: h264, hevc
	Note            string        `json:"note,omitzero"`  // OTHER_VOICE or MUSIC_ONLY: the voice that is set did not say the name
	Waiting         int           `json:"waiting"`        // people: for the video
	Served          int           `json:"served"`         // people: have it
	Apologised      int           `json:"apologised"`     // people: have the apology, or it is on its way
	Untold          int           `json:"untold"`         // people: no message reaches them
	Attempt         int           `json:"attempt,omitzero"`
	Attempts        int           `json:"attempts,omitzero"` // there are at the most
	NextTry         time.Time     `json:"next_try,omitzero"`
	Percent         int           `json:"percent,omitzero"`
	Place           int           `json:"place,omitzero"`      // in the queue, from 1
	Code            string        `json:"error_code,omitzero"` // of the failure
	Reason          string        `json:"reason,omitzero"`     // of the failure, in words
	Error           string        `json:"error,omitzero"`      // of the failure, as it came
	RetryOf         string        `json:"retry_of,omitzero"`
	Successor       string        `json:"successor,omitzero"`
	MayEdit         bool          `json:"may_edit"`                     // this admin: retry, edit, delete
	CanRetry        bool          `json:"can_retry"`                    // this admin, now
	CanCancel       bool          `json:"can_cancel"`                   // this admin, now: nobody waits for it
	CanPublish      bool          `json:"can_publish"`                  // this admin, now: on a platform that it is not on
	DeleteRequested time.Time     `json:"delete_requested_at,omitzero"` // since when it should go, once it is taken off the platforms
	Advance         bool          `json:"advance,omitzero"`             // made in advance: goes to everybody who asks for it
	Replaced        bool          `json:"replaced"`                     // a later try is under way or has worked: no button
	Undelivered     *Undelivered  `json:"undelivered,omitempty"`        // nil: every message arrived, or may still
	Resolved        bool          `json:"resolved"`                     // failed, and it needs nobody any more
	Earlier         []store.Try   `json:"earlier,omitempty"`            // the failed tries before it, oldest first
	History         []Try         `json:"history,omitempty"`
	Publications    []Publication `json:"publications,omitempty"`
}

// Try is one attempt at making or publishing a video.
type Try struct {
	store.Attempt
	Code   string `json:"error_code,omitzero"`
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
	explain(say, c.History, "reason_other")
	c.Code = codeOf(c.Code, c.Error, c.History)
	c.Reason = Reason(say, c.Code, c.Error, "reason_other")
	for i := range c.Publications {
		c.Publications[i].explain(say)
	}
}

func explain(say Say, tries []Try, otherwise string) {
	for i, t := range tries {
		tries[i].Code = codeOf(cmp.Or(t.Code, t.ErrorCode), t.Error, nil)
		tries[i].Reason = Reason(say, tries[i].Code, t.Error, otherwise)
	}
}

// codeOf is the code of an error: the one that is known, that of the attempt which ended in it, or what its text tells.
func codeOf(known, problem string, tries []Try) string {
	if at := len(tries) - 1; known == "" && at >= 0 && tries[at].Error == problem {
		known = tries[at].Code
	}
	return cmp.Or(known, codeOfText(problem))
}

// Rev changes when anything on the card but the clock does, so that the page's script leaves the others alone.
func (c Card) Rev() string { return rev(c) }

func rev(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		b = fmt.Append(nil, v) // a damaged row has a time that JSON does not know
	}
	return fmt.Sprintf("%x", sha256.Sum256(b))[:16]
}

// Initial is shown where there is no picture.
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

// Plays reports whether browsers show the pictures. HEVC some do, on some machines.
func (c Card) Plays() bool {
	return c.Codec == "" || slices.Contains([]string{"h264", "vp8", "vp9", "av1"}, c.Codec)
}

// CodecName is what people call the codec of the pictures.
func (c Card) CodecName() string { return video.CodecName(c.Codec) }

// Noted is the id of the message about how the name is spoken; "": by the voice that is set, or there is none.
func (c Card) Noted() string { return notes[c.Note] }

var notes = map[string]string{video.NoteOtherVoice: "note_other_voice", video.NoteMusicOnly: "note_music_only"}

// Length is how long the video plays: 0:42.
func (c Card) Length() string { return Length(c.Duration) }

// Shown are the publications that viewers find.
func (c Card) Shown() (there []Publication) {
	for _, p := range c.Publications {
		if p.Status == "COMPLETED" && p.URL != "" {
			there = append(there, p)
		}
	}
	return there
}

// Tall reports whether the video is higher than its place on the page: it is shown whole, with itself behind it.
func (c Card) Tall() bool { return c.Width > 0 && 16*c.Height > 10*c.Width }

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

// forecast is what the queue says about videos that are not finished.
type forecast interface {
	Outlooks(ctx context.Context) (map[string]worker.Outlook, error)
}

// cards makes cards of assets for the admin who looks.
func (d *Desk) cards(r *http.Request, list ...store.Listed) ([]Card, error) {
	ctx, admin := r.Context(), AdminOf(r)
	var all, failed []string
	live := false
	for _, l := range list {
		if all = append(all, l.ID); l.Status == store.Failed {
			failed = append(failed, l.ID)
		}
		live = live || l.Status.Live()
	}
	var outlooks map[string]worker.Outlook
	var err error
	if live { // only they have one, and the queue may be long
		if outlooks, err = d.opts.Forecast.Outlooks(ctx); err != nil {
			return nil, err
		}
	}
	runs, err := d.store.Attempts(ctx, all...)
	if err != nil {
		return nil, err
	}
	replaced, err := d.store.Replaced(ctx, failed...)
	if err != nil {
		return nil, err
	}
	earlier, err := d.store.Earlier(ctx, all...)
	if err != nil {
		return nil, err
	}
	publications, err := d.store.Publications(ctx, all...)
	if err != nil {
		return nil, err
	}
	channels, err := d.channels(ctx)
	if err != nil {
		return nil, err
	}
	cards := []Card{} // empty in JSON, not null
	for _, l := range list {
		card := newCard(l, outlooks[l.ID], d.opts.Attempts, d.store.Now())
		card.Earlier = earlier[l.ID]
		if d.choice() {
			card.Title = video.TitleOf(d.opts.Offers.List(), l.Template, languageOf(r))
		}
		for _, p := range publications[l.ID] {
			pub := NewPublication(p, l.Video.Size, d.opts.Attempts, d.store.Now())
			pub.MayChange = admin.MayChange(&p.Creator)
			pub.CanRetry = pub.MayChange && p.Status == store.Failed && l.DeleteRequested.IsZero()
			if at := slices.IndexFunc(channels, func(c store.Channel) bool { return c.ID == p.Channel }); at >= 0 {
				pub.OutOfReach = channels[at].State == "DISCONNECTED"
				if len(channels) > 1 {
					pub.Channel = channels[at].Title
				}
			}
			pub.Untold = !d.opts.Platforms.Tells(p.Platform)
			if pub.ByHand() {
				pub.HandPage = d.opts.Platforms.HandPage(p.Platform)
			}
			card.Publications = append(card.Publications, pub)
		}
		for _, a := range runs[l.ID] {
			card.Add(a)
		}
		card.Explain(sayTo(r))
		card.MayEdit = admin.MayChange(l.Creator)
		card.CanCancel = card.MayEdit && l.Status.Live() && l.Waiting == 0
		card.CanPublish = card.MayEdit && l.Status == store.Completed && l.DeleteRequested.IsZero() &&
			slices.ContainsFunc(publish.Places, func(p publish.Place) bool {
				return card.On(p.ID) == nil && offered(p, channels)
			})
		if l.Status == store.Failed {
			card.Replaced = replaced[l.ID]
			card.CanRetry = !card.Replaced && card.MayEdit
			card.Resolved = card.Replaced || l.Resolved
		}
		cards = append(cards, card)
	}
	return cards, d.addUndelivered(r, cards)
}

// newCard makes the part of a card that needs no further look at the store. attempts is how many a job has.
func newCard(l store.Listed, o worker.Outlook, attempts int, now time.Time) Card {
	c := Card{ID: l.ID, Name: l.Name, Status: string(l.Status), Lang: l.Lang, Template: l.Template,
		Created: l.Created, Finished: l.Finished,
		Waiting: l.Waiting, Served: l.Served, Apologised: l.Unserved, Untold: l.Untold,
		RetryOf: l.RetryOf, Successor: l.Successor, DeleteRequested: l.DeleteRequested, Advance: l.Advance}
	switch {
	case l.Origin == "UPLOAD":
		c.Origin = "upload"
	case l.Creator != nil:
		c.Origin = "page"
	default:
		c.Origin = "telegram"
	}
	switch l.Status {
	case store.Pending:
		if l.Due.After(now) {
			c.NextTry = l.Due
		} else {
			c.Place = o.Place
		}
		if l.Attempt > 0 { // the one to come
			c.Attempt, c.Attempts = l.Attempt+1, attempts
		}
		c.Error = l.LastError
	case store.Processing:
		c.Attempt, c.Attempts, c.Percent, c.Error = l.Attempt, attempts, o.Percent, l.LastError
	case store.Completed:
		c.Video, c.File = "/media/"+l.ID, fileName(l.Asset)
		if l.Video.Thumb != "" {
			c.Thumb = "/thumbs/" + l.ID
		}
		c.Duration, c.Size = l.Video.Duration.Milliseconds(), l.Video.Size
		c.Width, c.Height, c.Codec, c.Note = l.Video.Width, l.Video.Height, l.Video.Codec, l.Video.Note
		c.Waiting -= l.Untold // no message reaches them
	case store.Failed:
		c.Error, c.Code = l.Error, l.ErrorCode
		c.Apologised -= l.Untold
	}
	return c
}

// fileName is what a video is called when it is downloaded: its title or name, without what file systems refuse.
func fileName(a store.Asset) string {
	title := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || strings.ContainsRune(`<>:"/\|?*`, r) {
			return -1
		}
		return r
	}, cmp.Or(a.Metadata.Title, a.Name))
	if runes := []rune(title); len(runes) > 80 {
		title = string(runes[:80])
	}
	return cmp.Or(strings.Trim(title, ". "), a.ID) + path.Ext(a.Video.File)
}
