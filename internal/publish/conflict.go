// What was changed both here and on a platform, and the choice between the two.

package publish

import (
	"slices"
	"strings"
	"time"

	"retake.example/internal/store"
	"retake.example/internal/tgchannel"
	"retake.example/internal/youtube"
)

// Keep says whose changes count where both sides changed the same.
type Keep string

const (
	KeepNone   Keep = ""       // ask
	KeepOurs   Keep = "ours"   // what is saved here
	KeepTheirs Keep = "theirs" // what is on the platform
)

// Difference is a field that is not the same here and on the platform. Its name is that of the form; see store.Edits.
type Difference struct {
	Field  string `json:"field"`
	Ours   string `json:"ours"`
	Theirs string `json:"theirs"`
}

// Conflict is the error of an update of which nothing was sent.
type Conflict struct{ Fields []Difference }

func (e *Conflict) Error() string { return "publish: the video was changed here and on the platform" }

// Code returns a stable word for the reason.
func (*Conflict) Code() string { return "youtube_conflict" }

// everyField are the fields of the metadata that can be changed on a platform.
var everyField = []string{"title", "description", "tags", "category", "language", "privacy", "made_for_kids",
	"synthetic"}

// fieldAt and fieldCaption are no fields of the metadata: the time to become public, and the text of a post, which is
// made of several fields.
const (
	fieldAt      = "at"
	fieldCaption = "caption"
)

// newConflict is the error of a merge that has to ask; mine is what is saved here.
func newConflict(mine store.Metadata, c *youtube.Conflict) *Conflict {
	return &Conflict{differences(mine, c.Mine, c.Theirs, c.Fields)}
}

// differences compares fields as they are here and at YouTube; m is ours as the form has it.
func differences(m store.Metadata, ours, theirs youtube.Metadata, fields []string) (all []Difference) {
	there := with(m, theirs, fields)
	for _, field := range fields {
		if d := (Difference{field, *fieldOf(&m, field), *fieldOf(&there, field)}); d.Ours != d.Theirs {
			all = append(all, d)
		}
		if field == "privacy" && !ours.PublishAt.Equal(theirs.PublishAt) {
			all = append(all, Difference{fieldAt, momentText(ours.PublishAt), momentText(theirs.PublishAt)})
		}
	}
	return all
}

// ChangedThere lists what somebody changed on the platform of a publication since it was sent, as far as it told.
func ChangedThere(p store.Publication) (all []Difference) {
	for _, field := range slices.Concat(everyField, []string{fieldAt, fieldCaption}) {
		theirs, changed := p.There[field]
		if !changed {
			continue
		}
		ours := ""
		switch field {
		case fieldAt:
			ours = momentText(p.PublishAt)
		case fieldCaption:
			ours = tgchannel.CaptionOf(wordsOf(p.Metadata)).Text
		default:
			ours = *fieldOf(&p.Metadata, field)
		}
		all = append(all, Difference{field, ours, theirs})
	}
	return all
}

// momentText is a time as an Edit has it.
func momentText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// with returns the metadata with some fields as YouTube has them.
func with(m store.Metadata, y youtube.Metadata, fields []string) store.Metadata {
	yesNo := map[bool]string{true: "yes", false: "no"}
	theirs := store.Metadata{Title: y.Title, Description: y.Description, Tags: strings.Join(y.Tags, ", "),
		Category: y.Category, Language: y.Language, Privacy: y.Privacy, Kids: yesNo[y.Kids], Synthetic: yesNo[y.Synthetic]}
	was := m
	for _, field := range fields {
		*fieldOf(&m, field) = *fieldOf(&theirs, field)
	}
	// Texts that mean the same stay as they were typed, so that nothing seems to have changed.
	if slices.Equal(sorted(was.TagList()), sorted(m.TagList())) {
		m.Tags = was.Tags
	}
	if m.Category == "22" && was.Category == "" {
		m.Category = ""
	}
	if m.Synthetic == "no" && was.Synthetic == "" {
		m.Synthetic = ""
	}
	if strings.TrimSpace(m.Description) == strings.TrimSpace(was.Description) {
		m.Description = was.Description
	}
	return m
}

// carry brings what differs between two states of the metadata into the saved ones, except where those were changed
// meanwhile.
func carry(saved, from, to store.Metadata) store.Metadata {
	for _, field := range everyField {
		if now := fieldOf(&saved, field); *now == *fieldOf(&from, field) {
			*now = *fieldOf(&to, field)
		}
	}
	return saved
}

func sorted(tags []string) []string { return slices.Sorted(slices.Values(tags)) }

// fieldOf returns where a field of everyField is.
func fieldOf(m *store.Metadata, name string) *string {
	switch name {
	case "title":
		return &m.Title
	case "description":
		return &m.Description
	case "tags":
		return &m.Tags
	case "category":
		return &m.Category
	case "language":
		return &m.Language
	case "privacy":
		return &m.Privacy
	case "made_for_kids":
		return &m.Kids
	}
	return &m.Synthetic
}
