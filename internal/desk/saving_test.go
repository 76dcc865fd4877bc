// Tests of two admins who change the same video.

package desk

import (
	"net/url"
	"strings"
	"testing"

	"retake.example/internal/store"
)

// opened is a form of a video as it was opened, to be sent with some fields changed.
func (r *rig) opened(id string) map[string]string {
	r.Helper()
	a, err := r.store.Asset(r.Context(), id)
	if err != nil {
		r.Fatal(err)
	}
	f := savedForm(ids, a, store.Defaults{})
	sent := map[string]string{"version": f.Version}
	for field, value := range fieldsOf(&f.Metadata) {
		sent[field] = *value
	}
	return sent
}

func form(opened map[string]string, changes ...string) string {
	v := url.Values{}
	for field, value := range opened {
		v.Set(field, value)
	}
	for i := 0; i < len(changes); i += 2 {
		v.Set(changes[i], changes[i+1])
	}
	return v.Encode()
}

func (r *rig) saved(id string) store.Metadata {
	r.Helper()
	a, err := r.store.Asset(r.Context(), id)
	if err != nil {
		r.Fatal(err)
	}
	return a.Metadata
}

func TestSaveMetadata_TwoAdminsAreMerged(t *testing.T) {
	for name, handler := range map[string]func(r *rig) Handler{
		"the form of the video":   func(r *rig) Handler { return r.SaveMetadata },
		"the form that publishes": func(r *rig) Handler { return r.Publish },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			id := r.finished(8, "Party")
			first := sent{id: id, body: "title=Old&privacy=public&made_for_kids=no&tags=a&description=one%0D%0Atwo"}
			if w := r.do(r.SaveMetadata, first); w.Code != 303 {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			old := r.opened(id)
			if w := r.do(r.SaveMetadata,
				sent{id: id, body: form(r.opened(id), "privacy", "private", "tags", "b")}); w.Code != 303 {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}

			// The old form changes another field: both changes hold, and what is private stays private.
			if w := r.do(handler(r), sent{id: id, body: form(old, "title", "New", "rumble", "yes")}); w.Code != 303 {
				t.Fatalf("got %d %s; want it merged", w.Code, w.Body)
			}
			m := r.saved(id)
			if m.Title != "New" || m.Privacy != "private" || m.Tags != "b" || m.Description != "one\ntwo" {
				t.Errorf("got %+v; want the new title, and what the other admin saved", m)
			}
		})
	}
}

func TestSaveMetadata_AFieldThatBothChangedIsShown(t *testing.T) {
	for name, c := range map[string]struct {
		handler func(r *rig) Handler
		extra   []string
	}{
		"the form of the video":   {func(r *rig) Handler { return r.SaveMetadata }, nil},
		"the form that publishes": {func(r *rig) Handler { return r.Publish }, []string{"rumble", "yes"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			id := r.finished(8, "Party")
			r.do(r.SaveMetadata, sent{id: id, body: "title=Old&privacy=public&made_for_kids=no"})
			old := r.opened(id)
			r.do(r.SaveMetadata, sent{id: id, body: form(r.opened(id), "title", "Theirs", "privacy", "private")})
			mine := append(c.extra, "title", "Mine", "privacy", "unlisted")

			w := r.do(c.handler(r), sent{id: id, body: form(old, mine...), json: true})
			if text := w.Body.String(); w.Code != 409 || !strings.Contains(text, `"CONFLICT"`) ||
				!strings.Contains(text, "Theirs") || !strings.Contains(text, `"privacy"`) {
				t.Errorf("got %d %s; want the conflict with what was saved", w.Code, text)
			}
			w = r.do(c.handler(r), sent{id: id, body: form(old, mine...)})
			text := w.Body.String()
			if w.Code != 409 || !strings.Contains(text, english("error_conflict", nil)) ||
				!strings.Contains(text, "Theirs") || !strings.Contains(text, `value="Mine"`) {
				t.Errorf("got %d %s; want the page with both", w.Code, text)
			}
			if m := r.saved(id); m.Title != "Theirs" || m.Privacy != "private" ||
				r.number(`SELECT count(*) FROM publications`) != 0 {
				t.Errorf("got %+v; want nothing saved and nothing published", m)
			}
			_, version, _ := strings.Cut(text, `name="version" value="`)
			version, _, _ = strings.Cut(version, `"`)
			old["version"] = version
			if w := r.do(c.handler(r), sent{id: id, body: form(old, mine...)}); w.Code != 303 {
				t.Errorf("got %d %s; want it saved after it was seen", w.Code, w.Body)
			}
			if m := r.saved(id); m.Title != "Mine" || m.Privacy != "unlisted" {
				t.Errorf("got %+v; want the second choice", m)
			}
		})
	}
}

func TestSaveMetadata_AVersionThatIsNoneOverwritesNothing(t *testing.T) {
	r := newRig(t)
	id := r.finished(8, "Party")
	r.do(r.SaveMetadata, sent{id: id, body: "title=Old&privacy=private"})
	if w := r.do(r.SaveMetadata, sent{id: id, body: "title=New&version=1.2"}); w.Code != 409 ||
		r.saved(id).Title != "Old" {
		t.Errorf("got %d, %+v; want a conflict", w.Code, r.saved(id))
	}
	if w := r.do(r.SaveMetadata, sent{id: id, body: "title=New"}); w.Code != 303 || r.saved(id).Title != "New" {
		t.Errorf("got %d, %+v; want what a program sends saved", w.Code, r.saved(id))
	}
}

func TestSaveMetadata_WhatIsPublishedMeanwhileMustBeWhole(t *testing.T) {
	r := newRig(t)
	id := r.finished(8, "Party")
	r.mutate(`CREATE TRIGGER soon AFTER UPDATE ON assets WHEN new.metadata LIKE '%first%' BEGIN
		INSERT INTO publications (asset_id, platform, creator, created) VALUES (new.id, 'RUMBLE', 8, 1); END`)
	if w := r.do(r.SaveMetadata, sent{id: id, body: "title=first&made_for_kids=no"}); w.Code != 303 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	if w := r.do(r.SaveMetadata, sent{id: id, body: "title="}); w.Code != 422 || r.saved(id).Title != "first" {
		t.Errorf("got %d, %+v; want a title demanded", w.Code, r.saved(id))
	}
}
