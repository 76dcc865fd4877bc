// How published videos are found, and whether one is the one it is taken for.

package youtube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestStandings_TellWhatIsThere(t *testing.T) {
	for name, one := range map[string]struct {
		m     Metadata
		fault string
		later time.Duration
		want  Found
		why   string
	}{
		"public":    {m: with(func(m *Metadata) { m.Privacy = "public" }), want: Public},
		"unlisted":  {m: about, want: Unlisted},
		"private":   {m: with(func(m *Metadata) { m.Privacy = "private" }), want: Private},
		"scheduled": {m: with(func(m *Metadata) { m.Privacy, m.PublishAt = "public", soon }), want: Scheduled},
		"its time": {m: with(func(m *Metadata) { m.Privacy, m.PublishAt = "public", soon }), later: 2 * time.Hour,
			want: Public},
		"not kept": {m: with(func(m *Metadata) { m.Privacy, m.PublishAt = "public", soon }), later: 2 * time.Hour,
			fault: "stuck", want: Scheduled},
		"in Studio":    {m: about, fault: "studio", want: Public},
		"taken down":   {m: about, fault: "takedown", want: TakenDown, why: "legal"},
		"not YouTube":  {m: about, fault: "private", want: Unlisted}, // the fault is for new ones
		"still edited": {m: about, want: Unlisted},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a, id, calls := published(w, one.m)
			if one.fault != "" {
				w.tube.SetFault(one.fault, true)
			}
			w.clock.Add(one.later)
			*calls = nil
			got, err := a.Standings(context.Background(), []string{id})
			if err != nil || got[id].Is != one.want || got[id].Reason != one.why || got[id].Title != one.m.Title {
				t.Errorf("got %+v, %v; want %s", got[id], err, one.want)
			}
			asked := slices.DeleteFunc(
				*calls,
				func(call string) bool { return strings.HasPrefix(call, "POST") },
			) // for a token
			if len(asked) != StandingsCost {
				t.Errorf("got %v; want %d question", asked, StandingsCost)
			}
			if one.want == Scheduled && !got[id].At.Equal(soon) {
				t.Errorf("got %v; want %v", got[id].At, soon)
			}
		})
	}
}

var soon = time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC)

func with(change func(*Metadata)) Metadata {
	m := about
	change(&m)
	return m
}

func TestStandings_ReadEachShapeOfAVideo(t *testing.T) {
	const (
		public  = `"status":{"uploadStatus":"processed","privacyStatus":"public"}`
		claimed = `"status":{"uploadStatus":"rejected","rejectionReason":"claim"}`
	)
	for text, want := range map[string]Standing{
		public: {Is: Public},
		`"status":{"uploadStatus":"uploaded","privacyStatus":"public"}`:      {Is: Processing},
		`"status":{"uploadStatus":"deleted","privacyStatus":"public"}`:       {Is: Gone},
		`"status":{"uploadStatus":"failed","failureReason":"codec"}`:         {Is: Failed, Reason: "codec"},
		`"status":{"uploadStatus":"rejected","rejectionReason":"duplicate"}`: {Is: Rejected, Reason: "duplicate"},
		`"status":{"uploadStatus":"uploaded"},` +
			`"processingDetails":{"processingStatus":"failed","processingFailureReason":"other"}`: {
			Is: Failed, Reason: "other",
		},
		claimed: {Is: Rejected, Reason: "claim"},
		claimed + `,"processingDetails":{"processingStatus":"terminated"}`:    {Is: Rejected, Reason: "claim"},
		claimed + `,"processingDetails":{"processingStatus":"succeeded"}`:     {Is: TakenDown, Reason: "claim"},
		public + `,"contentDetails":{"regionRestriction":{"allowed":[]}}`:     {Is: TakenDown, Reason: "blocked"},
		public + `,"contentDetails":{"regionRestriction":{"blocked":["DE"]}}`: {Is: Public},
		public + `,"contentDetails":{"regionRestriction":{"allowed":["DE"]}}`: {Is: Public},
		public + `,"contentDetails":{"duration":"PT5S"}`:                      {Is: Public},
		`"status":{"uploadStatus":"processed","privacyStatus":"private",` +
			`"publishAt":"2026-11-22T13:00:00Z"},"contentDetails":{"duration":"PT5S"}`: {Is: Scheduled, At: soon},
	} {
		var v resource
		if err := json.Unmarshal([]byte("{"+text+"}"), &v); err != nil {
			t.Fatal(err)
		}
		want.video = v
		if got := v.standing(); got != want {
			t.Errorf("%s: got %+v; want %+v", text, got, want)
		}
	}
}

func TestStandings_OneEmptyAnswerIsNotFinal(t *testing.T) {
	w := newWorld(t)
	a, id, _ := published(w, about)
	empty := false
	w.before = func(rw http.ResponseWriter, _ *http.Request) bool {
		if empty {
			fmt.Fprint(rw, `{"kind":"youtube#listResponse","items":[]}`)
		}
		return empty
	}
	look := func(want Found) {
		t.Helper()
		if got, err := a.Standings(context.Background(), []string{id}); err != nil || got[id].Is != want {
			t.Errorf("got %+v, %v; want %s", got[id], err, want)
		}
	}
	empty = true
	look(Missing)
	look(Missing) // at once is not another look
	empty = false
	w.clock.Add(MissingFor)
	look(Unlisted)
	empty = true
	look(Missing) // it counts from the start again
	w.clock.Add(MissingFor - time.Second)
	look(Missing)
	w.clock.Add(time.Second)
	look(Gone)
}

func TestStandings_AskForFiftyAtOnceAndAnswerForAll(t *testing.T) {
	w := newWorld(t)
	a, id, calls := published(w, about)
	ids := []string{id}
	for i := range maxIDs - 1 {
		ids = append(ids, fmt.Sprint("other", i))
	}
	*calls = nil
	got, err := a.Standings(context.Background(), ids)
	if err != nil || len(got) != maxIDs || got[id].Is != Unlisted || got["other7"].Is != Missing || len(*calls) != 1 {
		t.Errorf("got %d, %v after %v", len(got), err, *calls)
	}
	if _, err := a.Standings(context.Background(), append(ids, "more")); err == nil {
		t.Error("more than YouTube answers for was taken")
	}
	*calls = nil
	if got, err := a.Standings(context.Background(), nil); err != nil || len(got) != 0 || len(*calls) != 0 {
		t.Errorf("none: got %v, %v after %v", got, err, *calls)
	}
	w.before = func(rw http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(rw, `{"kind":"youtube#listResponse","items":null}`)
		return true
	}
	if got, err := a.Standings(context.Background(), []string{id}); err != nil || got[id].Is != Missing {
		t.Errorf("null: got %v, %v", got, err)
	}
}

func TestConfirm_OnlyTheRightVideoIsTaken(t *testing.T) {
	w := newWorld(t)
	a, id, _ := published(w, about)
	for _, one := range []struct {
		channel, title string
		size           int64
		what           string
	}{
		{north, about.Title, 1000, ""},
		{north, " " + about.Title + " ", 1000, ""},
		{family, about.Title, 1000, "channel"},
		{north, "Another", 1000, "title"},
		{north, about.Title, 1001, "size"},
	} {
		err := a.Confirm(context.Background(), id, one.channel, one.title, one.size)
		other, _ := errors.AsType[*Otherwise](err)
		if one.what == "" && err != nil ||
			one.what != "" &&
				(other == nil || other.What != one.what || other.Theirs == "" || other.Code() != "youtube_otherwise") {
			t.Errorf("%+v: got %v", one, err)
		}
	}
	if e := wantError(
		t,
		a.Confirm(context.Background(), "none", north, about.Title, 1000),
		"videoNotFound",
	); e.Code() != "youtube_not_found" {
		t.Errorf("got %q", e.Code())
	}
	w.before = func(rw http.ResponseWriter, _ *http.Request) bool { // a size is not always told
		fmt.Fprintf(rw, `{"kind":"youtube#videoListResponse","items":[{"id":"x","snippet":{"title":%q,"channelId":%q},"status":{}}]}`, about.Title, north)
		return true
	}
	if err := a.Confirm(context.Background(), id, north, about.Title, 1000); err != nil {
		t.Errorf("without a size: got %v", err)
	}
}

func TestCheck_FindsWhatYouTubeRefuses(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, one := range []struct {
		name   string
		change func(*Metadata)
		field  string // "": it is right
	}{
		{"as it is", func(m *Metadata) {}, ""},
		{"no title", func(m *Metadata) { m.Title = "" }, "title"},
		{"a title of spaces", func(m *Metadata) { m.Title = " \u00a0\u3000" }, "title"},
		{"a title of zero-width characters", func(m *Metadata) { m.Title = "\u200b\u200d\ufeff\u2060" }, "title"},
		{"a title of marks nobody sees", func(m *Metadata) { m.Title = "\u034f\u115f\u3164\ufe0f\u180b\u2800\u00ad" },
			"title"},
		{"a title with a joiner in it", func(m *Metadata) { m.Title = "👨\u200d👩\u200d👧" }, ""},
		{"100 characters", func(m *Metadata) { m.Title = strings.Repeat("ж", 100) }, ""},
		{"101 characters", func(m *Metadata) { m.Title = strings.Repeat("ж", 101) }, "title"},
		{"a title with <", func(m *Metadata) { m.Title = "a < b" }, "title"},
		{"a title with >", func(m *Metadata) { m.Title = "a > b" }, "title"},
		{"a title of two lines", func(m *Metadata) { m.Title = "a\nb" }, "title"},
		{"a title with NUL", func(m *Metadata) { m.Title = "a\x00b" }, "title"},
		{"a title with a C1 control", func(m *Metadata) { m.Title = "a\u0085b" }, "title"},
		{"a title that is not UTF-8", func(m *Metadata) { m.Title = "a\xffb" }, "title"},
		{"5000 bytes", func(m *Metadata) { m.Description = strings.Repeat("ж", 2500) }, ""},
		{"5001 bytes", func(m *Metadata) { m.Description = strings.Repeat("ж", 2500) + "x" }, "description"},
		{"a description of lines", func(m *Metadata) { m.Description = "a\r\n\tb\n" }, ""},
		{"a description with an escape", func(m *Metadata) { m.Description = "a\x1b[31m" }, "description"},
		{"a description with <", func(m *Metadata) { m.Description = "<b>" }, "description"},
		{"500 in tags", func(m *Metadata) { m.Tags = []string{strings.Repeat("x", 497), "a"} }, ""},
		{"501 in tags", func(m *Metadata) { m.Tags = []string{strings.Repeat("x", 498), "ab"} }, "tags"},
		{"quotes count", func(m *Metadata) { m.Tags = []string{strings.Repeat("x", 497) + " y"} }, "tags"},
		{"a tag with <", func(m *Metadata) { m.Tags = []string{"a", "<b"} }, "tags"},
		{"a tag with >", func(m *Metadata) { m.Tags = []string{"b>"} }, "tags"},
		{"a tag with a control", func(m *Metadata) { m.Tags = []string{"a\tb"} }, "tags"},
		{"an empty tag", func(m *Metadata) { m.Tags = []string{"a", ""} }, "tags"},
		{"a tag nobody sees", func(m *Metadata) { m.Tags = []string{"\u200b"} }, "tags"},
		{"no language", func(m *Metadata) { m.Language = "" }, ""},
		{"a script", func(m *Metadata) { m.Language = "zh-Hans" }, ""},
		{"a region", func(m *Metadata) { m.Language = "es-419" }, ""},
		{"a rare language", func(m *Metadata) { m.Language = "tt" }, ""},
		{"three letters", func(m *Metadata) { m.Language = "myv" }, ""},
		{"not a language", func(m *Metadata) { m.Language = "english" }, "language"},
		{"an undetermined one", func(m *Metadata) { m.Language = "und" }, "language"},
		{"a sentence", func(m *Metadata) { m.Language = "en; DROP" }, "language"},
		{"no privacy", func(m *Metadata) { m.Privacy = "" }, "privacy"},
		{"a category of words", func(m *Metadata) { m.Category = "music" }, "category"},
		{"a playlist's address", func(m *Metadata) { m.Playlist = "https://youtube.com/playlist?list=PL1" },
			"playlist"},
		{"in two years", func(m *Metadata) { m.PublishAt = now.AddDate(2, 0, 0) }, ""},
		{"in the year 9999", func(m *Metadata) { m.PublishAt = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }, "at"},
		{"a time that has passed", func(m *Metadata) { m.PublishAt = now.Add(-time.Hour) }, ""},
	} {
		got := Check(with(one.change), now)
		switch {
		case one.field == "" && len(got) > 0:
			t.Errorf("%s: got %v; want nothing", one.name, got)
		case one.field != "" && (len(got) != 1 || got[0].Field != one.field ||
			!strings.HasPrefix(got[0].Code, "youtube_")):
			t.Errorf("%s: got %v; want a fault of %s", one.name, got, one.field)
		}
	}
	all := Check(Metadata{Title: "<", Tags: []string{""}, Language: "?", Playlist: "?"}, now)
	if len(all) != 6 || all[0].Field != "title" || all[1].Field != "tags" {
		t.Errorf("got %v; want each fault, in the order of the form", all)
	}
}

func TestPublish_NoSessionIsOpenedForWhatWouldBeRefused(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, _ := film(1000)
	for name, m := range map[string]Metadata{
		"tags":  with(func(m *Metadata) { m.Tags = []string{"<x>"} }),
		"title": with(func(m *Metadata) { m.Title = "\u200b" }),
		"at":    with(func(m *Metadata) { m.PublishAt = w.clock.Now().AddDate(3, 0, 0) }),
	} {
		_, err := new(states).publish(a, v, m)
		if e, ok := errors.AsType[*Error](err); !ok || e.Field() != name || !e.Permanent() || w.tube.Inserts() != 0 {
			t.Errorf("%s: got %v and %d uploads", name, err, w.tube.Inserts())
		}
	}
}

func TestPublish_MetadataThatIsRefusedNamesItsField(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, _ := film(1000)
	for _, one := range []struct {
		field string
		spoil func(*Metadata)
	}{
		{"title", func(m *Metadata) { m.Title = "a<b" }},
		{"title", func(m *Metadata) { m.Title = strings.Repeat("x", 101) }},
		{"description", func(m *Metadata) { m.Description = strings.Repeat("ж", 2501) }},
		{"tags", func(m *Metadata) { m.Tags = []string{strings.Repeat("x", 501)} }},
		{"tags", func(m *Metadata) { m.Tags = []string{strings.Repeat("x ", 250)} }},
		{"category", func(m *Metadata) { m.Category = "99" }},
	} {
		m := about
		one.spoil(&m)
		_, err := new(states).publish(a, v, m)
		var e *Error
		if !errors.As(err, &e) || e.Step() != "edit" || e.Field() != one.field {
			t.Errorf("%s: got %v", one.field, err)
		}
	}
}
