// What somebody changes on a platform is told without anybody saving here, and nothing undoes it unasked.

package publish

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"retake.example/internal/store"
	"retake.example/internal/youtube"
)

// inStudio changes a video as somebody does at YouTube.
func (r *rig) inStudio(p store.Publication, change func(*youtube.Metadata)) {
	r.Helper()
	account, err := r.sites.account(r.Context(), p.Channel)
	r.must(err)
	base := r.sites.described(p.Metadata, p.PublishAt)
	mine := base
	change(&mine)
	_, err = account.Merge(r.Context(), p.Upload.ID, base, mine)
	r.must(err)
}

// look looks at what is due after so long, and returns how often YouTube was asked.
func (r *rig) look(after time.Duration) int64 {
	r.Helper()
	r.ahead.Add(int64(after))
	var calls atomic.Int64
	r.intercept(func(_ http.ResponseWriter, q *http.Request) bool {
		if strings.Contains(q.URL.Path, "/youtube/v3/") {
			calls.Add(1)
		}
		return false
	})
	defer r.intercept(nil)
	r.must(NewLooks(r.sites, slog.New(slog.DiscardHandler)).Once(r.Context()))
	return calls.Load()
}

func TestLooks_AnEditInStudioIsTold(t *testing.T) {
	tomorrow := time.Now().Add(24 * time.Hour).Truncate(time.Second)
	for name, c := range map[string]struct {
		sent   func(m *store.Metadata)
		at     time.Time
		change func(*youtube.Metadata)
		want   store.Edits
	}{
		"nothing": {nil, time.Time{}, func(*youtube.Metadata) {}, nil},
		"the title": {nil, time.Time{}, func(m *youtube.Metadata) { m.Title = "Theirs" },
			store.Edits{"title": "Theirs"}},
		"the description": {nil, time.Time{}, func(m *youtube.Metadata) { m.Description = "" },
			store.Edits{"description": ""}},
		"the order of the tags": {nil, time.Time{}, func(m *youtube.Metadata) { m.Tags = []string{"ёлка", "new year"} },
			nil},
		"the tags and the category": {nil, time.Time{},
			func(m *youtube.Metadata) { m.Tags, m.Category = []string{"a b", "c"}, "10" },
			store.Edits{"tags": "a b, c", "category": "10"}},
		"the language, made for kids": {nil, time.Time{}, func(m *youtube.Metadata) { m.Language, m.Kids = "de", true },
			store.Edits{"language": "de", "made_for_kids": "yes"}},
		"altered or synthetic, where nothing was chosen": {func(m *store.Metadata) { m.Synthetic = "" }, time.Time{},
			func(m *youtube.Metadata) { m.Synthetic = true }, store.Edits{"synthetic": "yes"}},
		"an unlisted video is public": {func(m *store.Metadata) { m.Privacy = "unlisted" }, time.Time{},
			func(m *youtube.Metadata) { m.Privacy = "public" }, store.Edits{"privacy": "public"}},
		"a private video gets a time": {func(m *store.Metadata) { m.Privacy = "private" }, time.Time{},
			func(m *youtube.Metadata) { m.Privacy, m.PublishAt = "public", tomorrow },
			store.Edits{"privacy": "public", "at": tomorrow.UTC().Format(time.RFC3339)}},
		"another time": {nil, tomorrow, func(m *youtube.Metadata) { m.PublishAt = tomorrow.Add(time.Hour) },
			store.Edits{"at": tomorrow.Add(time.Hour).UTC().Format(time.RFC3339)}},
		"public before its time": {nil, tomorrow, func(m *youtube.Metadata) { m.PublishAt = time.Time{} },
			store.Edits{"at": ""}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			m := greeting
			if c.sent != nil {
				c.sent(&m)
			}
			id, channel := r.video(), r.connect("YOUTUBE")
			r.write(func(tx *store.Tx) error {
				if err := tx.SaveMetadata(id, m); err != nil {
					return err
				}
				return tx.Publish(id, store.Publication{Platform: "YOUTUBE", Channel: channel, Creator: owner.ID, Metadata: m,
					PublishAt: c.at})
			})
			r.must(r.work())
			r.inStudio(r.on(id, "YOUTUBE"), c.change)
			if calls := r.look(6 * time.Minute); calls != 1 {
				t.Errorf("got %d calls; want the one that checks whether it is there", calls)
			}
			p := r.on(id, "YOUTUBE")
			if !maps.Equal(p.There, c.want) || p.Standing != "" || p.Looked.IsZero() || p.Metadata != m {
				t.Errorf("got %v, found %q at %v; want %v", p.There, p.Standing, p.Looked, c.want)
			}
			if got := ChangedThere(p); len(got) != len(c.want) {
				t.Errorf("got %+v for people; want each of %v", got, c.want)
			}
			need, err := r.store.Attention(t.Context(), owner, time.Time{})
			r.must(err)
			if n := need[store.NeedsPublication].N; n != 0 {
				t.Errorf("got %d that need attention; want none: nothing is broken", n)
			}
		})
	}
}

// What is wrong with who may see the video is said once: as what needs an admin, and not as an edit, too.
func TestLooks_WhatNeedsAnAdminIsNoEdit(t *testing.T) {
	r := newRig(t)
	id := r.owe("YOUTUBE", r.connect("YOUTUBE"), time.Now().Add(24*time.Hour))
	r.must(r.work())
	r.inStudio(r.on(id, "YOUTUBE"), func(m *youtube.Metadata) {
		m.PublishAt, m.Title = time.Now().Add(72*time.Hour), "Theirs"
	})
	r.look(25 * time.Hour) // it should be public since an hour
	p := r.on(id, "YOUTUBE")
	if want := (store.Edits{"title": "Theirs"}); p.Standing == "" || !maps.Equal(p.There, want) {
		t.Errorf("got %v, found %q; want %v, and that it is not public", p.There, p.Standing, want)
	}
}

func TestLooks_WhatIsChangedBackIsToldNoMore(t *testing.T) {
	r := newRig(t)
	id := r.owe("YOUTUBE", r.connect("YOUTUBE"), time.Time{})
	r.must(r.work())
	for _, there := range []string{"Theirs", greeting.Title} {
		r.inStudio(r.on(id, "YOUTUBE"), func(m *youtube.Metadata) { m.Title = there })
		r.look(25 * time.Hour)
		if got, told := r.on(id, "YOUTUBE").There["title"]; told != (there != greeting.Title) || told && got != there {
			t.Errorf("got %q, %v; want what is there", got, told)
		}
		account, err := r.sites.account(t.Context(), r.on(id, "YOUTUBE").Channel)
		r.must(err)
		base := r.sites.described(greeting, time.Time{})
		base.Title = there
		_, err = account.Merge(t.Context(), r.on(id, "YOUTUBE").Upload.ID, base, r.sites.described(greeting, time.Time{}))
		r.must(err)
	}
}

func TestLooks_AVideoIsLookedAtBeforeItsTimeToo(t *testing.T) {
	r := newRig(t)
	id := r.owe("YOUTUBE", r.connect("YOUTUBE"), r.store.Now().Add(72*time.Hour))
	r.must(r.work())
	r.tube.SetFault("takedown", true)
	if calls := r.look(6 * time.Minute); calls != 1 || r.on(id, "YOUTUBE").Standing != "taken down" {
		t.Errorf("got %d calls, %q; want to know it before its time", calls, r.on(id, "YOUTUBE").Standing)
	}
	r.tube.SetFault("takedown", false)
	for day := 1; day <= 2; day++ {
		if calls := r.look(24 * time.Hour); calls != 1 || r.on(id, "YOUTUBE").Standing != "" {
			t.Errorf("day %d: got %d calls, %q; want one look that finds it as it should be", day, calls, r.on(id, "YOUTUBE").Standing)
		}
	}
	r.tube.SetFault("stuck", true)
	at := r.on(id, "YOUTUBE").PublishAt
	if calls := r.look(at.Add(4 * time.Minute).Sub(r.store.Now())); calls != 0 {
		t.Errorf("got %d calls four minutes after its time; want none yet", calls)
	}
	if calls := r.look(2 * time.Minute); calls != 1 || r.on(id, "YOUTUBE").Standing != "private" {
		t.Errorf("got %d calls, %q; want it found private minutes after its time", calls, r.on(id, "YOUTUBE").Standing)
	}
}

func TestPublishAgain_LeavesWhatElseWasChangedInStudio(t *testing.T) {
	r := newRig(t)
	id := r.owe("YOUTUBE", r.connect("YOUTUBE"), time.Time{})
	r.must(r.work())
	r.inStudio(r.on(id, "YOUTUBE"), func(m *youtube.Metadata) { m.Description, m.Privacy = "Theirs", "private" })
	r.look(6 * time.Minute)
	p := r.on(id, "YOUTUBE")
	if p.Standing != "private" || !maps.Equal(p.There, store.Edits{"description": "Theirs"}) {
		t.Fatalf("got %q, %v; want it private, and the description told", p.Standing, p.There)
	}
	r.must(r.studio.PublishAgain(t.Context(), id, "YOUTUBE", owner))
	if v := r.tube.Videos()[0]; v.Privacy != "public" || v.Description != "Theirs" || v.Title != greeting.Title {
		t.Errorf("got %+v; want it public, and the rest as it was", v)
	}
	if p := r.on(id, "YOUTUBE"); p.Standing != "" || p.There["description"] != "Theirs" {
		t.Errorf("got %q, %v; want the description still told", p.Standing, p.There)
	}
	r.must(r.store.Tx(t.Context(), func(tx *store.Tx) error {
		m := greeting
		m.Title = "Ours"
		return tx.SaveMetadata(id, m)
	}))
	r.must(r.studio.Update(t.Context(), id, "YOUTUBE", KeepNone, owner))
	if p := r.on(id, "YOUTUBE"); len(p.There) != 0 || p.Metadata.Description != "Theirs" || p.Metadata.Title != "Ours" {
		t.Errorf("got %+v; want both changes, and nothing left to tell", p)
	}
}

func TestPostpone_ATimeThatWasChangedInStudioIsToldFirst(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*youtube.Metadata)
		ahead  bool
	}{
		"another time": {func(m *youtube.Metadata) { m.PublishAt = m.PublishAt.Add(time.Hour) }, true},
		"at once":      {func(m *youtube.Metadata) { m.PublishAt = time.Time{} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			at := r.store.Now().Add(24 * time.Hour).Truncate(time.Minute)
			id := r.owe("YOUTUBE", r.connect("YOUTUBE"), at)
			r.must(r.work())
			r.inStudio(r.on(id, "YOUTUBE"), func(m *youtube.Metadata) { c.change(m); m.Title = "Theirs" })
			r.look(6 * time.Minute)
			err := r.studio.Postpone(t.Context(), id, "YOUTUBE", at, at.Add(48*time.Hour), owner)
			there, p := r.tube.Videos()[0], r.on(id, "YOUTUBE")
			if !errors.Is(err, ErrMoved) || !p.PublishAt.Equal(there.PublishAt) || p.PublishAt.IsZero() == c.ahead {
				t.Fatalf("got %v, %v; want to be told of %v", err, p.PublishAt, there.PublishAt)
			}
			if !maps.Equal(p.There, store.Edits{"title": "Theirs"}) {
				t.Errorf("got %v; want the title that is still another one there", p.There)
			}
			err = r.studio.Postpone(t.Context(), id, "YOUTUBE", p.PublishAt, at.Add(48*time.Hour), owner)
			there = r.tube.Videos()[0]
			if c.ahead && (err != nil || !there.PublishAt.Equal(at.Add(48*time.Hour))) ||
				!c.ahead && (!errors.Is(err, ErrNoChange) || there.Privacy != "public") || there.Title != "Theirs" {
				t.Errorf("got %v, %+v; want it moved if it still waits", err, there)
			}
		})
	}
}

// Any command wakes the program. That must not end a pause that a platform has asked for.
func TestLooks_AWakeEndsNoPause(t *testing.T) {
	r := newRig(t)
	channel := r.connect("YOUTUBE")
	r.owe("YOUTUBE", channel, time.Time{})
	r.must(r.work())
	r.ahead.Add(int64(6 * time.Minute))
	var calls atomic.Int64
	r.intercept(func(http.ResponseWriter, *http.Request) bool { calls.Add(1); return false })
	l := NewLooks(r.sites, slog.New(slog.DiscardHandler))
	for _, pause := range []time.Duration{time.Hour, 0} {
		l.pause[channel] = r.store.Now().Add(pause)
		ctx, stop := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() { defer close(over); l.Run(ctx) }()
		for range 3 { // the third one is taken after a look for the first
			l.woken <- struct{}{}
		}
		stop()
		<-over
		if got := calls.Load() > 0; got != (pause == 0) {
			t.Errorf("a pause of %v: asked: %v", pause, got)
		}
	}
}

func TestPostEdited_AnEditInTheChannelIsToldAndAskedAbout(t *testing.T) {
	r := newRig(t)
	id := r.owe("TELEGRAM", r.connect("TELEGRAM"), time.Time{})
	r.must(r.work())
	post := r.news.Messages()[0]
	edit := func(text string) {
		r.news.SetCaption(post.ID, text)
		r.write(func(tx *store.Tx) error { return PostEdited(tx, newsID, int64(post.ID), text) })
	}
	r.write(func(tx *store.Tx) error { return PostEdited(tx, newsID, int64(post.ID), post.Text) }) // ours comes back
	r.write(func(tx *store.Tx) error { return PostEdited(tx, newsID, int64(post.ID)+1, "Not ours") })
	if p := r.on(id, "TELEGRAM"); len(p.There) != 0 {
		t.Errorf("got %v; want nothing told", p.There)
	}
	edit("Theirs")
	r.look(6 * time.Minute) // which finds the post there, and cannot see its text
	p := r.on(id, "TELEGRAM")
	want := Difference{"caption", post.Text, "Theirs"}
	if got := ChangedThere(p); len(got) != 1 || got[0] != want || p.Standing != "" || p.Looked.IsZero() {
		t.Errorf("got %+v, %q; want %+v", got, p.Standing, want)
	}

	m := greeting
	m.Category = "24" // which no post shows
	save := func() { r.write(func(tx *store.Tx) error { return tx.SaveMetadata(id, m) }) }
	save()
	r.must(r.studio.Update(t.Context(), id, "TELEGRAM", KeepNone, owner))
	if got := r.news.Messages()[0].Text; got != "Theirs" || r.on(id, "TELEGRAM").There["caption"] != "Theirs" {
		t.Errorf("got %q; want what was not changed here left alone", got)
	}
	m.Title = "Ours"
	save()
	both, ok := errors.AsType[*Conflict](r.studio.Update(t.Context(), id, "TELEGRAM", KeepNone, owner))
	if !ok || len(both.Fields) != 1 || both.Fields[0].Theirs != "Theirs" || r.news.Messages()[0].Text != "Theirs" {
		t.Fatalf("got %+v; want to be asked, and nothing sent", both)
	}
	r.must(r.studio.Update(t.Context(), id, "TELEGRAM", KeepTheirs, owner))
	if p := r.on(id, "TELEGRAM"); r.news.Messages()[0].Text != "Theirs" || p.There["caption"] != "Theirs" || p.Metadata != m {
		t.Errorf("got %q, %+v; want theirs kept and told", r.news.Messages()[0].Text, p)
	}
	m.Title = "Ours again"
	save()
	r.must(r.studio.Update(t.Context(), id, "TELEGRAM", KeepOurs, owner))
	if p := r.on(id, "TELEGRAM"); !strings.HasPrefix(r.news.Messages()[0].Text, "Ours again") || len(p.There) != 0 {
		t.Errorf("got %q, %v; want ours", r.news.Messages()[0].Text, p.There)
	}
	edit("")
	edit(r.news.Messages()[0].Text)
	if got, told := r.on(id, "TELEGRAM").There["caption"]; !told || got != "" {
		t.Errorf("got %q, %v; want an empty caption told", got, told)
	}
}

// TestLooks_WhatIsToldMeanwhileStays has Telegram tell of an edit while a look is under way.
func TestLooks_WhatIsToldMeanwhileStays(t *testing.T) {
	r := newRig(t)
	id := r.owe("TELEGRAM", r.connect("TELEGRAM"), time.Time{})
	r.must(r.work())
	post := r.news.Messages()[0]
	r.ahead.Add(int64(6 * time.Minute))
	r.intercept(func(http.ResponseWriter, *http.Request) bool {
		r.write(func(tx *store.Tx) error { return PostEdited(tx, newsID, int64(post.ID), "Theirs") })
		return false
	})
	r.must(NewLooks(r.sites, slog.New(slog.DiscardHandler)).Once(t.Context()))
	if p := r.on(id, "TELEGRAM"); p.There["caption"] != "Theirs" || p.Looked.IsZero() {
		t.Errorf("got %v at %v; want the edit kept", p.There, p.Looked)
	}
}
