// Changing a video here that was changed at YouTube as well.

package youtube

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// inStudio changes a video as somebody at YouTube does.
func (w *world) inStudio(a *Account, id string, change func(*resource)) {
	w.Helper()
	v, err := a.loadWhole(context.Background(), id)
	if err != nil {
		w.Fatal(err)
	}
	change(&v)
	if err := a.call(
		context.Background(),
		"PUT",
		"/youtube/v3/videos",
		map[string][]string{"part": {"snippet,status"}},
		v,
		nil,
	); err != nil {
		w.Fatal(err)
	}
}

// ways are how each field is changed here and at YouTube, to different values.
var ways = map[string]struct {
	here  func(*Metadata)
	there func(*resource)
}{
	"title": {func(m *Metadata) { m.Title = "Ours" }, func(v *resource) { v.Snippet.Title = "Theirs" }},
	"description": {
		func(m *Metadata) { m.Description = "Ours" },
		func(v *resource) { v.Snippet.Description = "Theirs" },
	},
	"tags": {
		func(m *Metadata) { m.Tags = []string{"ours"} },
		func(v *resource) { v.Snippet.Tags = []string{"theirs"} },
	},
	"category": {func(m *Metadata) { m.Category = "24" }, func(v *resource) { v.Snippet.Category = "10" }},
	"language": {func(m *Metadata) { m.Language = "ru" }, func(v *resource) { v.Snippet.Language = "de" }},
	"privacy":  {func(m *Metadata) { m.Privacy = "private" }, func(v *resource) { v.Status.Privacy = "public" }},
	"made_for_kids": {func(m *Metadata) { m.Kids = !about.Kids }, func(v *resource) {
		v.Status.Kids = nil // somebody took the choice back
	}},
	"synthetic": {func(m *Metadata) { m.Synthetic = true }, func(v *resource) { v.Status.Synthetic = nil }},
}

func TestMerge_WhatWasChangedInStudioStays(t *testing.T) {
	for _, ours := range fields {
		for _, theirs := range fields {
			if ours == theirs {
				continue
			}
			t.Run(ours+" here, "+theirs+" there", func(t *testing.T) {
				w := newWorld(t)
				a, id, _ := published(w, about)
				w.inStudio(a, id, ways[theirs].there)
				before, err := a.loadWhole(context.Background(), id)
				if err != nil {
					t.Fatal(err)
				}
				mine := about
				ways[ours].here(&mine)
				now, err := a.Merge(context.Background(), id, about, mine)
				if err != nil {
					t.Fatal(err)
				}
				after, err := a.loadWhole(context.Background(), id)
				if err != nil {
					t.Fatal(err)
				}
				want := before // theirs, with our field
				mine.fill(&want, w.clock.Now(), []string{ours})
				if !reflect.DeepEqual(after, want) {
					t.Errorf("got %+v %+v; want %+v %+v", after.Snippet, after.Status, want.Snippet, want.Status)
				}
				if got := after.metadata(about); !a.all(got, now) {
					t.Errorf("got the next base %+v; want %+v", now, got)
				}
			})
		}
	}
}

func TestEdited_NamesEachFieldThatWasChangedInStudio(t *testing.T) {
	for field, way := range ways {
		t.Run(field, func(t *testing.T) {
			w := newWorld(t)
			a, id, calls := published(w, about)
			w.inStudio(a, id, way.there)
			*calls = nil
			found, err := a.Standings(context.Background(), []string{id})
			if err != nil || len(*calls) != StandingsCost {
				t.Fatalf("got %v after %v", err, *calls)
			}
			var want []string
			if field != "made_for_kids" && field != "synthetic" { // where YouTube says nothing, nothing was changed
				want = []string{field}
			}
			got, theirs := a.Edited(found[id], about)
			if !slices.Equal(got, want) || !a.all(theirs, found[id].video.metadata(about)) {
				t.Errorf("got %v, %+v; want %v", got, theirs, want)
			}
		})
	}
	w := newWorld(t)
	if got, theirs := w.client.With(Token{}, nil).Edited(Standing{Is: Gone}, about); got != nil || theirs.Title != about.Title {
		t.Errorf("of a video that is gone: got %v, %+v", got, theirs)
	}
}

// all reports whether everything is the same.
func (a *Account) all(x, y Metadata) bool {
	return !slices.ContainsFunc(fields, func(field string) bool { return !a.same(field, x, y) })
}

func TestMerge_ChangesOfBothAreAConflictThatSendsNothing(t *testing.T) {
	for _, field := range []string{"title", "description", "tags", "category", "language", "privacy"} {
		t.Run(field, func(t *testing.T) {
			w := newWorld(t)
			a, id, calls := published(w, about)
			w.inStudio(a, id, ways[field].there)
			*calls = nil
			mine := about
			ways[field].here(&mine)
			_, err := a.Merge(context.Background(), id, about, mine)
			conflict, ok := errors.AsType[*Conflict](err)
			if !ok || !slices.Equal(conflict.Fields, []string{field}) || conflict.Code() != "youtube_conflict" ||
				!conflict.Permanent() {
				t.Fatalf("got %v; want a conflict of %s", err, field)
			}
			if a.same(field, conflict.Mine, conflict.Theirs) || len(*calls) != 1 {
				t.Errorf("got %+v and %+v after %v", conflict.Mine, conflict.Theirs, *calls)
			}
			// Ours wins when theirs is the base, theirs when we take it.
			if _, err := a.Merge(context.Background(), id, conflict.Theirs, mine); err != nil {
				t.Fatal(err)
			}
			if now, err := a.loadWhole(
				context.Background(),
				id,
			); err != nil ||
				!a.same(field, now.metadata(about), mine) {
				t.Errorf("got %+v, %v; want ours", now.Snippet, err)
			}
		})
	}
}

func TestMerge_TheSameChangeOnBothSidesIsNone(t *testing.T) {
	w := newWorld(t)
	a, id, calls := published(w, about)
	w.inStudio(a, id, func(v *resource) { v.Snippet.Title, v.Snippet.Tags = "Ours", []string{"new year", "greeting"} })
	*calls = nil
	mine := about
	mine.Title, mine.Description = " Ours ", about.Description+"\r\n"
	if _, err := a.Merge(context.Background(), id, about, mine); err != nil || len(*calls) != 1 {
		t.Errorf("got %v after %v; want nothing sent", err, *calls)
	}
}

func TestMerge_Schedules(t *testing.T) {
	hours := func(w *world, n int) time.Time { return w.clock.Now().Add(time.Duration(n) * time.Hour) }
	for name, one := range map[string]struct {
		there    func(*resource)             // in Studio
		later    time.Duration               // then time passes
		here     func(w *world, m *Metadata) // and this is changed here
		privacy  string
		at       bool // it is scheduled afterwards
		conflict bool
	}{
		"moved here": {here: func(w *world, m *Metadata) { m.PublishAt = hours(w, 5) }, privacy: "private",
			at: true},
		"taken off here": {here: func(w *world, m *Metadata) {
			m.PublishAt, m.Privacy = time.Time{},
				"unlisted"
		}, privacy: "unlisted"},
		"made public here": {here: func(w *world, m *Metadata) { m.PublishAt = time.Time{} }, privacy: "public"},
		"its time came": {later: 3 * time.Hour, here: func(w *world, m *Metadata) { m.Title = "B" },
			privacy: "public"},
		"taken off in Studio": {there: func(v *resource) { v.Status.PublishAt = "" },
			here: func(w *world, m *Metadata) { m.Title = "B" }, privacy: "private"},
		"moved on both sides": {there: func(v *resource) { v.Status.PublishAt = "2026-11-25T00:00:00Z" },
			here: func(w *world, m *Metadata) { m.PublishAt = hours(w, 5) }, conflict: true},
		"public in Studio now": {there: func(v *resource) { v.Status.Privacy, v.Status.PublishAt = "public", "" },
			here: func(w *world, m *Metadata) { m.Title = "B" }, privacy: "public"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			base := about
			base.Privacy, base.PublishAt = "public", hours(w, 2).Truncate(time.Second)
			a, id, _ := published(w, base)
			if one.there != nil {
				w.inStudio(a, id, one.there)
			}
			w.clock.Add(one.later)
			mine := base
			one.here(w, &mine)
			_, err := a.Merge(context.Background(), id, base, mine)
			if _, ok := errors.AsType[*Conflict](err); ok != one.conflict || !ok && err != nil {
				t.Fatalf("got %v; want a conflict: %v", err, one.conflict)
			}
			got := w.tube.Videos()[0]
			if !one.conflict &&
				(got.Privacy != one.privacy || got.PublishAt.IsZero() == one.at || got.Title != mine.Title) {
				t.Errorf("got %s at %v, %q; want %s", got.Privacy, got.PublishAt, got.Title, one.privacy)
			}
		})
	}
}

func TestMerge_PlaylistsAreOnlyTouchedIfTheyWereChangedHere(t *testing.T) {
	w := newWorld(t)
	base := about
	base.Playlist = "PLfirst"
	a, id, calls := published(w, base)
	*calls = nil
	mine := base
	mine.Title = "B"
	if _, err := a.Merge(context.Background(), id, base, mine); err != nil || len(*calls) != 2 {
		t.Fatalf("got %v after %v; want no question for the playlist", err, *calls)
	}
	mine.Playlist = "PLsecond"
	now, err := a.Merge(context.Background(), id, base, mine)
	if err != nil || now.Playlist != "PLsecond" {
		t.Fatalf("got %v, %q", err, now.Playlist)
	}
	if got := w.tube.Videos()[0].Playlists; !slices.Contains(got, "PLsecond") {
		t.Errorf("got %v", got)
	}
}

// YouTube ignores them today, but the document lists them as its own.
func TestUpdate_NothingReadOnlyIsSentBack(t *testing.T) {
	w := newWorld(t)
	a, id, _ := published(w, about)
	var sent map[string]map[string]any
	w.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method == "GET" {
			writeAnswer(rw, map[string]any{"kind": "youtube#videoListResponse", "items": []any{
				map[string]any{
					"id": id,
					"snippet": map[string]any{
						"title":        "A",
						"categoryId":   "22",
						"channelId":    north,
						"publishedAt":  "2026-11-22T12:00:00Z",
						"channelTitle": "x",
						"thumbnails":   map[string]any{},
					},
					"status": map[string]any{
						"privacyStatus":   "unlisted",
						"uploadStatus":    "processed",
						"madeForKids":     true,
						"failureReason":   "codec",
						"rejectionReason": "claim",
						"license":         "youtube",
					},
				},
			}})
			return true
		}
		body, err := io.ReadAll(r.Body)
		var all map[string]any
		if err != nil || json.Unmarshal(body, &all) != nil {
			t.Errorf("got %s, %v", body, err)
		}
		sent = map[string]map[string]any{
			"snippet": all["snippet"].(map[string]any),
			"status":  all["status"].(map[string]any),
		}
		writeAnswer(rw, map[string]any{"kind": "youtube#video"})
		return true
	}
	both, ok := errors.AsType[*Conflict](second(a.Merge(context.Background(), id, about, changed())))
	if !ok { // the title was changed there as well
		t.Fatal("got no conflict")
	}
	if _, err := a.Merge(context.Background(), id, both.Theirs, changed()); err != nil {
		t.Fatal(err)
	}
	for part, known := range map[string]string{
		"snippet": "title description tags categoryId defaultLanguage defaultAudioLanguage",
		"status": "privacyStatus publishAt license embeddable publicStatsViewable " +
			"selfDeclaredMadeForKids containsSyntheticMedia",
	} {
		for field := range sent[part] {
			if !slices.Contains(strings.Fields(known), field) {
				t.Errorf("%s.%s was sent", part, field)
			}
		}
	}
	if len(sent) == 0 {
		t.Error("nothing was sent")
	}
}
