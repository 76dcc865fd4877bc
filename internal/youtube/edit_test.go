// Changing and deleting published videos.

package youtube

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"
)

// published is a video that is online, in a world that counts the calls.
func published(w *world, m Metadata) (*Account, string, *[]string) {
	w.Helper()
	a := w.account()
	v, _ := film(1000)
	var s states
	if err := s.finish(w, a, v, m); err != nil {
		w.Fatal(err)
	}
	var calls []string
	w.before = func(_ http.ResponseWriter, r *http.Request) bool {
		calls = append(calls, r.Method+" "+r.URL.Query().Get("part"))
		return false
	}
	return a, s.last.ID, &calls
}

func TestUpdate_AnUpdateChangesWhatItIsAboutAndNothingElse(t *testing.T) {
	w := newWorld(t)
	a, id, _ := published(w, about)
	// Somebody set these by hand.
	no := false
	err := a.call(
		context.Background(),
		"PUT",
		"/youtube/v3/videos",
		url.Values{"part": {"status"}},
		resource{ID: id, Status: &status{
			Privacy:     "unlisted",
			License:     "creativeCommon",
			Embeddable:  &no,
			PublicStats: &no,
			Kids:        &about.Kids,
			Synthetic:   &no,
		}},
		nil,
	)
	if err != nil {
		t.Fatal(err)
	}
	m := about
	m.Title, m.Description, m.Tags, m.Privacy, m.Kids, m.Language, m.Playlist = "Another", "", nil, "private", false,
		"", "PLgreetings"
	if err := second(a.Merge(context.Background(), id, about, m)); err != nil {
		t.Fatal(err)
	}
	v, err := a.load(context.Background(), id, "snippet,status")
	if err != nil {
		t.Fatal(err)
	}
	if s := v.Snippet; s.Title != "Another" || s.Description != "" || len(s.Tags) != 0 || s.Category != "22" ||
		s.Language != "en" {
		t.Errorf("got %+v", s)
	}
	if s := v.Status; s.Privacy != "private" || *s.Kids || *s.Synthetic || s.License != "creativeCommon" ||
		*s.Embeddable ||
		*s.PublicStats {
		t.Errorf("got %+v", s)
	}
	if got := w.tube.Videos()[0].Playlists; !slices.Equal(got, []string{"PLgreetings"}) {
		t.Errorf("got %v", got)
	}
}

func TestUpdate_AnUpdateSendsOnlyThePartsThatChange(t *testing.T) {
	scheduled := about
	scheduled.Privacy = "public"
	for _, one := range []struct {
		name   string
		change func(*Metadata)
		want   []string
	}{
		{"nothing", func(*Metadata) {}, []string{"GET snippet,status"}},
		{"title", func(m *Metadata) { m.Title = "B" }, []string{"GET snippet,status", "PUT snippet"}},
		{"for kids", func(m *Metadata) { m.Kids = false }, []string{"GET snippet,status", "PUT status"}},
		{"both", func(m *Metadata) { m.Title, m.Synthetic = "B", true },
			[]string{"GET snippet,status", "PUT snippet,status"}},
		{"time", func(m *Metadata) { m.PublishAt = m.PublishAt.Add(time.Hour) },
			[]string{"GET snippet,status", "PUT status"}},
	} {
		t.Run(one.name, func(t *testing.T) {
			w := newWorld(t)
			m := scheduled
			m.PublishAt = w.clock.Now().Add(24 * time.Hour).In(time.FixedZone("", 3600))
			a, id, calls := published(w, m)
			was := m
			one.change(&m)
			if err := second(a.Merge(context.Background(), id, was, m)); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(*calls, one.want) {
				t.Errorf("got %v; want %v", *calls, one.want)
			}
			if got := w.tube.Videos()[0]; !got.PublishAt.Equal(m.PublishAt) {
				t.Errorf("got %v; want %v", got.PublishAt, m.PublishAt)
			}
		})
	}
}

func TestUpdate_APublicVideoCannotBeScheduled(t *testing.T) {
	w := newWorld(t)
	m := about
	m.Privacy = "public"
	a, id, calls := published(w, m)
	was := m
	m.PublishAt = w.clock.Now().Add(time.Hour)
	e := wantError(t, second(a.Merge(context.Background(), id, was, m)), "invalidPublishAt")
	if e.Step() != "edit" || e.Field() != "at" || len(*calls) != 1 {
		t.Errorf("got %q at %q after %v", e.Step(), e.Field(), *calls)
	}
	w.clock.Add(2 * time.Hour) // a time that has passed is not a schedule
	m.Title = "B"
	if err := second(a.Merge(context.Background(), id, was, m)); err != nil || w.tube.Videos()[0].Privacy != "public" {
		t.Errorf("got %v, %s", err, w.tube.Videos()[0].Privacy)
	}
}

func TestUpdate_AVideoIsDeletedAndOneThatIsGoneIsNoError(t *testing.T) {
	w := newWorld(t)
	a, id, _ := published(w, about)
	for range 2 {
		if err := a.Delete(context.Background(), id); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.tube.Videos()); n != 0 {
		t.Errorf("got %d videos; want 0", n)
	}
	wantError(t, a.Show(context.Background(), id, about), "videoNotFound")
	w.tube.SetFault("unavailable", true)
	wantError(t, a.Delete(context.Background(), id), "http503")
}
