// Tests of what differs between what is saved here and what is at YouTube.

package publish

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"retake.example/internal/config"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/tgchannel"
	"retake.example/internal/youtube"
)

var monday = time.Date(2026, 12, 21, 9, 0, 0, 0, time.UTC)

func TestDifferences_OfTheFieldsThatWereAskedAboutOnly(t *testing.T) {
	mine := store.Metadata{Title: "Мы", Description: "D ", Tags: "a, b", Privacy: "private"}
	ours := youtube.Metadata{Title: "Мы", Privacy: "private", PublishAt: monday}
	for name, c := range map[string]struct {
		theirs youtube.Metadata
		fields []string
		want   string
	}{
		"the title":                     {youtube.Metadata{Title: "Они"}, []string{"title"}, "[{title Мы Они}]"},
		"a title that is the same":      {youtube.Metadata{Title: "Мы"}, []string{"title"}, "[]"},
		"spaces at the end":             {youtube.Metadata{Description: "D"}, []string{"description"}, "[]"},
		"the order of the tags":         {youtube.Metadata{Tags: []string{"b", "a"}}, []string{"tags"}, "[]"},
		"a tag":                         {youtube.Metadata{Tags: []string{"b"}}, []string{"tags"}, "[{tags a, b b}]"},
		"the usual category":            {youtube.Metadata{Category: "22"}, []string{"category"}, "[]"},
		"another category":              {youtube.Metadata{Category: "1"}, []string{"category"}, "[{category  1}]"},
		"not synthetic, as nobody said": {youtube.Metadata{}, []string{"synthetic"}, "[]"},
		"synthetic":                     {youtube.Metadata{Synthetic: true}, []string{"synthetic"}, "[{synthetic  yes}]"},
		"the time": {youtube.Metadata{Privacy: "private"}, []string{"privacy"},
			"[{at 2026-12-21T09:00:00Z }]"},
		"the time and who may see it": {youtube.Metadata{Privacy: "public", PublishAt: monday.Add(time.Hour)},
			[]string{"privacy"}, "[{privacy private public} {at 2026-12-21T09:00:00Z 2026-12-21T10:00:00Z}]"},
	} {
		if got := fmt.Sprint(differences(mine, ours, c.theirs, c.fields)); got != c.want {
			t.Errorf("%s: got %s; want %s", name, got, c.want)
		}
	}
	said := store.Metadata{Synthetic: "yes"}
	if got := with(said, youtube.Metadata{}, []string{"synthetic"}); got.Synthetic != "no" {
		t.Errorf("got synthetic %q; want what YouTube has, where ours is another", got.Synthetic)
	}
}

func TestSites_WithoutYouTubeItsChannelsSaySo(t *testing.T) {
	r := newRig(t, func(c *config.Config) { c.YouTube.ClientID = "" })
	_, err := r.sites.account(t.Context(), 1)
	if retry.CodeOf(err) != "youtube_not_set_up" || !retry.IsPermanent(err) {
		t.Errorf("got %v; want that it is not set up", err)
	}
}

func TestPlaces_TheFormsKeepTheirNames(t *testing.T) {
	for _, p := range Places {
		want := p.Key() + "_channel"
		if p.ID == "YOUTUBE" {
			want = "channel"
		}
		if got := p.ChannelKey(); got != want {
			t.Errorf("%s: got %s; want %s", p.ID, got, want)
		}
	}
}

func TestTitleOf_IsThatOfTheChannelOrItsNumber(t *testing.T) {
	r := newRig(t)
	for _, c := range []store.Channel{{Platform: "YOUTUBE", External: "UC1", Title: "First"},
		{Platform: "YOUTUBE", External: "UC2", Title: "Second"}} {
		r.write(func(tx *store.Tx) error { _, err := tx.Connect(c, []byte{}); return err })
	}
	for external, want := range map[string]string{"UC1": "First", "UC2": "Second", "UC3": "UC3"} {
		if got := r.studio.titleOf(t.Context(), external); got != want {
			t.Errorf("%s: got %s; want %s", external, got, want)
		}
	}
}

// Only what Telegram itself has said is its refusal.
func TestRefusal_IsWhatTelegramHasSaid(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int // 0: it is no refusal
	}{
		"no error of the Bot API":  {errors.New("disk full"), 0},
		"no answer":                {&telegram.Error{Class: telegram.Down}, 0},
		"an answer that is a page": {&telegram.Error{Status: 502, Class: telegram.Down}, 502},
		"a page of a proxy":        {&telegram.Error{Status: 404, Class: telegram.Down}, 500},
		"gone":                     {&telegram.Error{Status: 400, Class: telegram.Gone}, 403},
		"refused":                  {&telegram.Error{Status: 400, Class: telegram.Refused}, 400},
		"stopped":                  {&telegram.Error{Status: 400, Class: telegram.Stopped}, 0},
		"cannot be read":           {&telegram.Error{Status: 400, Class: telegram.Unreadable}, 0},
		"before any refusal":       {&telegram.Error{Status: 399, Class: telegram.Refused}, 0},
	} {
		r, ok := errors.AsType[*tgchannel.Refusal](refusal(c.err))
		if ok != (c.status != 0) || ok && r.Status != c.status {
			t.Errorf("%s: got %+v; want status %d", name, r, c.status)
		}
		if !ok && refusal(c.err) != c.err {
			t.Errorf("%s: got another error", name)
		}
	}
}

func TestPlaceOf_OneThatNobodyKnowsHasItsID(t *testing.T) {
	if p, known := PlaceOf("MYSPACE"); known || p.Name != "MYSPACE" || p.ID != "MYSPACE" {
		t.Errorf("got %+v, %v; want its id, and that it is not known", p, known)
	}
	for _, id := range IDs() {
		if p, known := PlaceOf(id); !known || p.ID != id || p.Name == "" {
			t.Errorf("%s: got %+v, %v", id, p, known)
		}
	}
}
