// Tests of what the pages say of a video on a platform: what is known, since when, and what somebody changed there.

package desk

import (
	"net/http"
	"strings"
	"testing"
)

// told returns the pages of a video, as people and as programs get them.
func (r *rig) told(id string) (page, answer string) {
	r.Helper()
	page = r.do(r.Asset, sent{method: http.MethodGet, path: "/assets/" + id, id: id}).Body.String()
	answer = r.do(r.Asset, sent{method: http.MethodGet, path: "/assets/" + id, id: id, json: true}).Body.String()
	return page, answer
}

func TestAsset_WhatWasChangedThereIsToldAndNeedsNobody(t *testing.T) {
	r := newRig(t)
	id := r.finished(8, "Лето")
	r.published(id, "YOUTUBE")
	r.mutate(`UPDATE publications SET looked_at = 1700000004000,
		metadata = '{"title":"A greeting","description":"Ours","privacy":"private"}',
		changed_there = '{"privacy":"public","description":"<b>Theirs</b>","at":"2031-05-06T07:08:00Z"}'`)
	page, answer := r.told(id)
	for _, want := range []string{"Changed on YouTube: Description, Who can see it, Day and time",
		"&lt;b&gt;Theirs&lt;/b&gt;", "Ours", "Everyone (public)", "Only you (private)", `datetime="2031-05-06T07:08:00Z"`,
		"Last checked on YouTube:", `datetime="2023-11-14T22:13:24Z"`} {
		if !strings.Contains(page, want) {
			t.Errorf("got %s; want %s on it", page, want)
		}
	}
	_, section, _ := strings.Cut(page, `id="on-YOUTUBE"`)
	section, _, _ = strings.Cut(section, "</section>")
	for _, not := range []string{"Needs attention", `value="again"`, "<b>Theirs"} {
		if strings.Contains(section, not) {
			t.Errorf("got %s on the page", not)
		}
	}
	for _, want := range []string{`"looked_at":"2023-11-14T22:13:24Z"`,
		`"changed_there":[{"field":"description","ours":"Ours",` +
			`"theirs":"\u003cb\u003eTheirs\u003c/b\u003e","label":"Description"}`} {
		if !strings.Contains(answer, want) {
			t.Errorf("got %s; want %s", answer, want)
		}
	}
	library := r.do(r.Library, sent{method: http.MethodGet}).Body.String()
	if !strings.Contains(library, "Changed on YouTube: Description, Who can see it, Day and time") {
		t.Errorf("got %s; want it on the card", library)
	}

	r.mutate(`PRAGMA ignore_check_constraints = 1; UPDATE publications SET changed_there = '{"title'`)
	if page, _ := r.told(id); !strings.Contains(page, "Лето") || strings.Contains(page, "Changed on") {
		t.Errorf("got %s; want the page without what cannot be read", page)
	}
}

// TestAsset_SaysSinceWhenItIsKnown has a platform that tells nothing, and one that nobody has asked yet.
func TestAsset_SaysSinceWhenItIsKnown(t *testing.T) {
	for platform, c := range map[string]struct{ step, pill, want, not string }{
		"RUMBLE":  {"", "Sent", "Rumble cannot be asked about its videos.", "Published"},
		"rumble":  {"manual", "Published by hand", "Rumble cannot be asked about its videos.", "Last checked"},
		"YOUTUBE": {"", "Published", "", "Last checked"},
	} {
		t.Run(platform, func(t *testing.T) {
			r := newRig(t)
			id := r.finished(8, "Лето")
			r.published(id, strings.ToUpper(platform))
			r.mutate(`UPDATE publications SET step = ?`, c.step)
			page, answer := r.told(id)
			_, section, _ := strings.Cut(page, `id="on-`+strings.ToUpper(platform))
			section, _, _ = strings.Cut(section, "</section>")
			if !strings.Contains(section, ">"+c.pill+"<") || !strings.Contains(section, c.want) ||
				strings.Contains(section, ">"+c.not) || strings.Contains(section, c.not+" on") {
				t.Errorf("got %s; want %q and %q", section, c.pill, c.want)
			}
			if known := strings.Contains(section, `datetime="2023-11-14T22:13:23Z"`); known != (c.want != "") {
				t.Errorf("got %s; want the time of what is known: %v", section, c.want != "")
			}
			if !strings.Contains(answer, `"completed_at":"2023-11-14T22:13:23Z"`) ||
				strings.Contains(answer, `"untold":true`) != (c.want != "") {
				t.Errorf("got %s", answer)
			}
		})
	}
}
