// Saving what a video is published with. What two admins change is merged in the transaction that saves it; a field
// that both have changed is shown to the second.

package desk

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"retake.example/internal/publish"
	"retake.example/internal/retry"
	"retake.example/internal/store"
)

// errFaults ends a transaction that saves nothing because the form has faults.
var errFaults = errors.New("the form has faults")

// versionOf names what each field holds. A form carries it, so that it can be told which fields were saved since it
// was opened.
func versionOf(m store.Metadata) string {
	var parts []string
	at := fieldsOf(&m)
	for _, field := range inForm {
		parts = append(parts, fmt.Sprintf("%x", sha256.Sum256([]byte(*at[field])))[:8])
	}
	return strings.Join(parts, ".")
}

// mergeSince returns what is saved with the fields that were sent, and the fields that somebody else has changed,
// too, since the form with them was opened. A field that only somebody else has changed stays as they saved it.
// Without a version, as programs may send it, every field that was sent counts.
func mergeSince(saved store.Metadata, sent map[string]string) (merged store.Metadata, both []string) {
	merged = Merge(saved, sent)
	opened, ok := sent["version"]
	if !ok {
		return merged, nil
	}
	seen := strings.Split(opened, ".")
	if len(seen) != len(inForm) { // nobody knows what was seen
		seen = make([]string, len(inForm))
	}
	mine, theirs := strings.Split(versionOf(merged), "."), strings.Split(versionOf(saved), ".")
	is, was := fieldsOf(&merged), fieldsOf(&saved)
	for i, field := range inForm {
		switch {
		case mine[i] == theirs[i], seen[i] == theirs[i]:
		case seen[i] == mine[i]:
			*is[field] = *was[field]
		default:
			both = append(both, field)
		}
	}
	return merged, both
}

// savedForm is the form with what is saved for a finished video, or else with the defaults of a channel.
func savedForm(say Say, a store.Asset, defaults store.Defaults) *Form {
	greeting := a.Origin == "REQUEST"
	f := NewForm(say, withChannel(WithDefaults(a.Metadata, a.Name, a.Lang, greeting), a.Metadata, defaults), greeting)
	f.fresh, f.defaults = a.Metadata.Privacy == "", defaults
	return f
}

// Sent is the form with what was sent. f holds what is saved.
func (f *Form) Sent(say Say, sent map[string]string) *Form {
	if f.fresh { // nobody else has changed anything, and what was shown counts, not the defaults of now
		sent = maps.Clone(sent)
		delete(sent, "version")
	}
	merged, both := mergeSince(f.Metadata, sent)
	next := NewForm(say, merged, f.Greeting)
	next.fresh, next.defaults = f.fresh, f.defaults
	next.Version, next.Conflict = versionOf(f.Metadata), len(both) > 0
	next.show(say, both, f.Metadata)
	return next
}

// show marks the fields that somebody else has changed, too, with what they saved.
func (f *Form) show(say Say, both []string, saved store.Metadata) {
	theirs := fieldsOf(&saved)
	for _, field := range both {
		if text := f.inWords(say, field, *theirs[field]); text != "" {
			f.refuse(field, say("fault_conflict", Vars{"Value": Excerpt(text)}))
		} else {
			f.refuse(field, say("fault_conflict_empty", nil))
		}
	}
}

// sentDefaults is the form with what was sent for the defaults of a channel, and what is to be saved unless it has
// faults.
func sentDefaults(say Say, saved store.Defaults, sent map[string]string) (*Form, store.Defaults) {
	was := withChannel(store.Metadata{}, store.Metadata{}, saved)
	m, both := mergeSince(was, sent)
	form := NewForm(say, WithDefaults(store.Metadata{Privacy: "private", Description: m.Description, Tags: m.Tags,
		Language: m.Language, Kids: m.Kids, Playlist: m.Playlist}, "", "", false), false)
	if m.Privacy != "" && !slices.Contains(privacies, m.Privacy) {
		form.refuse("privacy", say("fault_privacy", nil))
	}
	form.Privacy = m.Privacy
	form.Version, form.Conflict = versionOf(was), len(both) > 0
	form.show(say, both, was)
	last := sent["like_last_time"] == "yes"
	if seen, ok := sent["like_last_time_was"]; ok && (seen == "yes") == last { // this admin has not changed it
		last = saved.Last
	}
	return form, store.Defaults{Description: m.Description, Tags: m.Tags, Language: m.Language, Kids: m.Kids,
		Privacy: m.Privacy, Playlist: m.Playlist, Last: last}
}

// inWords is the value of a field as the form calls it.
func (f *Form) inWords(say Say, field, value string) string {
	prefix := map[string]string{"privacy": "privacy_", "made_for_kids": "kids_", "synthetic": "synthetic_",
		"notify": "notify_"}[field]
	switch {
	case value == "":
		return ""
	case prefix != "":
		return say(prefix+value, nil)
	case field == "language":
		return languageName(value)
	case field == "category":
		for _, c := range f.Choices {
			if c.ID == value {
				return c.Name
			}
		}
	}
	return value
}

// error is what a form with faults is answered with.
func (f *Form) error() HTTPError {
	if f.Conflict {
		return Conflict
	}
	return Invalid("error_fields", nil)
}

// SaveMetadata keeps what a finished video is published with. What cannot be kept comes back as it was typed.
func (d *Desk) SaveMetadata(w http.ResponseWriter, r *http.Request) error {
	say := sayTo(r)
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	view, err := d.editable(r)
	switch {
	case err != nil:
		return err
	case view.Form == nil:
		return NotReady
	}
	admin, id := AdminOf(r), view.Card.ID
	err = d.store.Tx(r.Context(), func(tx *store.Tx) error {
		a, err := tx.Asset(id)
		if err != nil {
			return err
		}
		view.Form = savedForm(say, a, view.Form.defaults).Sent(say, sent)
		if out, err := isOut(tx, id); err != nil {
			return err
		} else if out { // another try and an update send what is saved
			view.Form.Whole(say)
		}
		if view.Form.Faults != nil {
			return errFaults
		}
		if err := tx.SaveMetadata(id, view.Form.Metadata); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "edit", AssetID: id, Outcome: "saved"})
	})
	switch {
	case errors.Is(err, errFaults):
		return d.refuse(w, r, view.Form.error(), "asset", view.Card.Name, view, view.Form.Faults)
	case err != nil:
		return fmt.Errorf("save metadata: %w", err)
	}
	outcome := "saved"
	if platform := sent["retry"]; platform != "" {
		tried, err := d.opts.Retrier.Retry(d.ctx, id, retry.AdminClicked{Admin: admin, Platform: platform})
		if err != nil {
			return err
		}
		outcome = string(tried)
	}
	return doneAt(w, r, "/assets/"+id+"?notice="+outcome, outcome, "")
}

// isOut reports whether a video is published somewhere, or is to be.
func isOut(tx *store.Tx, assetID string) (bool, error) {
	for _, place := range publish.Places {
		if _, err := tx.Publication(assetID, place.ID); !errors.Is(err, store.ErrNotFound) {
			return err == nil, err
		}
	}
	return false, nil
}
