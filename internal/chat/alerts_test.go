// What admins can read of errors that others wrote.

package chat

import (
	"strings"
	"testing"

	"retake.example/internal/lang"
)

func TestReadable_HoldsNoControlBytesAndIsShort(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                      "plain",
		"\x1b[31mred\x1b[0m\x00\r\n": "[31mred [0m",
		"a\u202eb\u200bc":            "a b c",
		"bad \xff byte":              "bad byte",
		"two\nlines":                 "two lines",
		strings.Repeat("ы", 600):     strings.Repeat("ы", 500) + "…",
	} {
		if got := readable(lang.Vars{"Reason": in})["Reason"]; got != want {
			t.Errorf("%q: got %q; want %q", in, got, want)
		}
	}
	if got := readable(lang.Vars{"Count": 3})["Count"]; got != 3 {
		t.Errorf("got %v; want numbers as they are", got)
	}
}

func TestAlert_ThePlainReasonIsFirst(t *testing.T) {
	for raw, want := range map[string]string{
		"write x: no space left on device\x1b[0m": "The disk is full.\nwrite x: no space left on device [0m",
		"nobody has heard of this":                "nobody has heard of this",
	} {
		if got := plainFirst("en", lang.Vars{"Reason": raw})["Reason"]; got != want {
			t.Errorf("%q: got %q; want %q", raw, got, want)
		}
	}
}
