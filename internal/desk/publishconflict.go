// The page that asks which counts of what was changed both here and on a platform.

package desk

import (
	"net/http"
	"time"

	"retake.example/internal/publish"
)

// Conflicting is the page.
type Conflicting struct {
	ID     string
	Name   string
	Pub    Publication
	Fields []Both
}

// Both is a field as it is here and on the platform. Label, Ours and Theirs are in words.
type Both struct {
	publish.Difference
	Label string `json:"label"`

	Platform         string    `json:"-"` // its name
	OursAt, TheirsAt time.Time `json:"-"` // of a field that holds a time
}

// word says in words what the field is and holds.
func (b *Both) word(say Say) {
	b.Label = say(fieldLabels[b.Field], nil)
	if b.Field == "at" {
		b.OursAt, _ = time.Parse(time.RFC3339, b.Ours)
		b.TheirsAt, _ = time.Parse(time.RFC3339, b.Theirs)
	}
	b.Ours, b.Theirs = valueInWords(say, b.Field, b.Ours), valueInWords(say, b.Field, b.Theirs)
}

// fieldLabels are the messages with the names of the fields that a platform can change.
var fieldLabels = map[string]string{"title": "field_title", "description": "field_description", "tags": "field_tags",
	"category": "field_category", "language": "field_language", "privacy": "field_privacy",
	"made_for_kids": "field_kids", "synthetic": "field_synthetic", "at": "field_at", "caption": "field_caption"}

// NewConflicting describes what was changed in both places.
func NewConflicting(say Say, c Card, p Publication, conflict *publish.Conflict) Conflicting {
	view := Conflicting{ID: c.ID, Name: c.Name, Pub: p}
	for _, f := range conflict.Fields {
		b := Both{Difference: f, Platform: p.Name()}
		b.word(say)
		view.Fields = append(view.Fields, b)
	}
	return view
}

// valueInWords says what a field holds as the form does.
func valueInWords(say Say, field, value string) string {
	switch {
	case field == "privacy" && value != "":
		return say("privacy_"+value, nil)
	case field == "language":
		return languageName(value)
	case field == "category":
		for _, c := range categories {
			if c.ID == value {
				return say(c.Name, nil)
			}
		}
	case field == "synthetic" && (value == "yes" || value == "no"):
		return say("synthetic_"+value, nil)
	case field == "made_for_kids" && (value == "yes" || value == "no"):
		return say("kids_"+value, nil)
	}
	return value
}

// askConflict answers an update of which nothing was sent.
func (d *Desk) askConflict(w http.ResponseWriter, r *http.Request, view Conflicting) error {
	say, fields := sayTo(r), map[string]string{}
	for _, f := range view.Fields {
		fields[f.Label] = f.Theirs
	}
	refusal := HTTPError{http.StatusConflict, "CHANGED_THERE", "youtube_conflict", nil}
	return d.refuse(w, r, refusal, "conflict", say("title_conflict", nil), view, fields)
}
