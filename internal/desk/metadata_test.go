package desk

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"retake.example/internal/store"
)

func TestTagsAreCountedAsGoogleDoes(t *testing.T) {
	for text, want := range map[string]int{
		"":                         0,
		" , ,,":                    0,
		"кот":                      3,
		"кот, дом":                 7, // with the comma
		"new year":                 10,
		"new year,кот":             14,
		" new   year ,, a\tb ":     16, // tidied first
		strings.Repeat("яй,", 10):  29,
		strings.Repeat("👨‍👩‍👧", 1): 5, // three people and what joins them
	} {
		if got := countTags(store.Metadata{Tags: text}.TagList()); got != want {
			t.Errorf("%q: got %d; want %d", text, got, want)
		}
	}
}

func TestWhatIsSentIsTidiedAndTheRestStays(t *testing.T) {
	was := store.Metadata{Title: "Old", Description: "Old text", Tags: "a, b", Language: "en", Kids: "no",
		Privacy: "public", Category: "24", Playlist: "PL1", Synthetic: "yes", Notify: "no"}
	got := Merge(was, map[string]string{"title": "  A\r\n greeting\t", "description": "\r\none\r\ntwo  ",
		"tags": ",a b,  c  d ,", "made_for_kids": "yes", "nonsense": "x"})
	if want := (store.Metadata{Title: "A greeting", Description: "one\ntwo", Tags: "a b, c d", Language: "en",
		Kids: "yes", Privacy: "public", Category: "24", Playlist: "PL1", Synthetic: "yes", Notify: "no"}); got != want {
		t.Errorf("got %q; want %q", got, want)
	}
	if got := Merge(was, nil); got != was {
		t.Errorf("got %q; want all of it as it was", got)
	}
	if got := Merge(was, map[string]string{"title": "a\xffb"}).Title; got != "a\uFFFDb" {
		t.Errorf("got %q; want no bytes that are no text", got)
	}
}

func TestMetadata_HasNoHiddenCharactersInAnyField(t *testing.T) {
	// controls, the ends of lines of Unicode's own, bidi embeddings, overrides, isolates and marks, a soft hyphen, a BOM
	const hidden = "\x00\x07\x1b\x7f\u0085\u061c\u00ad\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060" +
		"\u2066\u2067\u2068\u2069\ufeff\ue000\U000e0041"
	var m store.Metadata
	for field := range fieldsOf(&m) {
		got := Merge(m, map[string]string{field: "gpj" + hidden + ".exe"})
		if text := *fieldsOf(&got)[field]; text != "gpj.exe" {
			t.Errorf("%s: got %q; want gpj.exe", field, text)
		}
	}
	const kept = "مى\u200cخواهم, 👨\u200d👩\u200d👧\n\tthe end"
	if got := Merge(m, map[string]string{"description": kept}).Description; got != kept {
		t.Errorf("got %q; want joiners, line breaks and tabs kept", got)
	}
}

func TestTheFormBeginsWithoutTheNameOfAChild(t *testing.T) {
	for name, c := range map[string]struct {
		saved    store.Metadata
		greeting bool
		want     store.Metadata
	}{
		"a greeting": {store.Metadata{}, true, store.Metadata{Language: "ru", Privacy: "private"}},
		"an upload": {store.Metadata{}, false,
			store.Metadata{Title: "Маша", Language: "ru", Privacy: "private"}},
		"what was saved": {store.Metadata{Title: "x", Language: "de", Privacy: "public"}, true,
			store.Metadata{Title: "x", Language: "de", Privacy: "public"}},
		"an upload, saved bare": {store.Metadata{Privacy: "private"}, false, store.Metadata{Privacy: "private"}},
	} {
		c.want.Category, c.want.Synthetic, c.want.Notify = "22", "no", "no"
		if got := WithDefaults(c.saved, "Маша", "ru", c.greeting); got != c.want {
			t.Errorf("%s: got %q; want %q", name, got, c.want)
		}
	}
}

func TestFaultsStandAtTheirFieldsAndTheFirstIsLedTo(t *testing.T) {
	good := WithDefaults(store.Metadata{Language: "ru", Privacy: "private"}, "", "", true)
	for name, c := range map[string]struct {
		sent  map[string]string
		want  map[string]string
		first string
	}{
		"nothing chosen that can wait": {nil, nil, ""},
		"a title of 100 letters":       {map[string]string{"title": strings.Repeat("я", 100)}, nil, ""},
		"a title of 101 letters": {map[string]string{"title": strings.Repeat("я", 101)},
			map[string]string{"title": "fault_title"}, "title"},
		"a title of 100 emoji": {map[string]string{"title": strings.Repeat("🎄", 100)}, nil, ""},
		"a title with a tag": {map[string]string{"title": "<b>"},
			map[string]string{"title": "fault_angle"}, "title"},
		"a description of 5000 bytes": {map[string]string{"description": strings.Repeat("я", 2500)}, nil, ""},
		"a description of 5001 bytes": {map[string]string{"description": strings.Repeat("я", 2500) + "a"},
			map[string]string{"description": "fault_description"}, "description"},
		"5000 bytes as a browser sends them": {map[string]string{"description": strings.Repeat("a\r\n", 2499) + "aa"},
			nil, ""},
		"a description with an arrow": {map[string]string{"description": "->"},
			map[string]string{"description": "fault_angle"}, "description"},
		"tags of 500": {map[string]string{"tags": strings.Repeat("a", 500)}, nil, ""},
		"tags of 501": {map[string]string{"tags": strings.Repeat("a", 501)},
			map[string]string{"tags": "fault_tags"}, "tags"},
		"tags of 500 with the quotes": {map[string]string{"tags": "a " + strings.Repeat("b", 496)}, nil, ""},
		"tags of 501 with the quotes": {map[string]string{"tags": "a " + strings.Repeat("b", 497)},
			map[string]string{"tags": "fault_tags"}, "tags"},
		"tags of 500 with the commas": {map[string]string{"tags": strings.Repeat("abc,", 125) + "d"},
			map[string]string{"tags": "fault_tags"}, "tags"},
		"tags of 499 with the commas": {map[string]string{"tags": strings.Repeat("abc,", 125)}, nil, ""},
		"no language of BCP 47": {map[string]string{"language": "in words"},
			map[string]string{"language": "fault_language"}, "language"},
		"a language that is not offered": {map[string]string{"language": "pt-br"}, nil, ""},
		"no language":                    {map[string]string{"language": ""}, nil, ""},
		"a tag with a bracket": {map[string]string{"tags": "a, <b"}, map[string]string{"tags": "fault_angle"},
			"tags"},
		"a title that shows nothing": {map[string]string{"title": "\u200b\u200d\u3164"},
			map[string]string{"title": "title_hidden"}, "title"},
		"perhaps for kids": {map[string]string{"made_for_kids": "perhaps"},
			map[string]string{"made_for_kids": "fault_kids"}, "made_for_kids"},
		"a secret one": {map[string]string{"privacy": "secret"},
			map[string]string{"privacy": "fault_privacy"}, "privacy"},
		"a category that is none": {map[string]string{"category": "9"},
			map[string]string{"category": "fault_category"}, "category"},
		"a playlist by its address": {map[string]string{"playlist": " https://www.youtube.com/playlist?list=PLabc_-9 "}, nil, ""},
		"a playlist with a tag": {map[string]string{"playlist": "<b>"},
			map[string]string{"playlist": "fault_playlist"}, "playlist"},
		"perhaps real, perhaps told": {map[string]string{"synthetic": "", "notify": "perhaps"},
			map[string]string{"synthetic": "fault_yes_no", "notify": "fault_yes_no"}, "synthetic"},
		"several": {map[string]string{"privacy": "", "tags": strings.Repeat("a", 501), "description": "<"},
			map[string]string{"privacy": "fault_privacy", "tags": "fault_tags",
				"description": "fault_angle"}, "description"},
	} {
		t.Run(name, func(t *testing.T) {
			f := NewForm(func(id string, _ Vars) string { return id }, Merge(good, c.sent), true)
			if !reflect.DeepEqual(f.Faults, c.want) || f.First != c.first {
				t.Errorf("got %v, first %q; want %v, first %q", f.Faults, f.First, c.want, c.first)
			}
		})
	}
}

func TestHowLongAndHowLarge(t *testing.T) {
	say := func(id string, vars Vars) string {
		if id == "decimal_point" {
			return ","
		}
		return fmt.Sprint(vars["N"], " ", id)
	}
	for ms, want := range map[int]string{0: "0,0 seconds_short", 2340: "2,3 seconds_short", 9949: "9,9 seconds_short",
		9950:  "10 seconds_short",
		59499: "59 seconds_short", 59500: "1:00", 65000: "1:05"} {
		if got := took(say, time.Duration(ms)*time.Millisecond); got != want {
			t.Errorf("%d ms: got %q; want %q", ms, got, want)
		}
	}
	if got := size(say, 4404019); got != "4,2 megabytes" {
		t.Errorf("got %q; want 4,2 megabytes", got)
	}
}
