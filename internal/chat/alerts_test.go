// What admins can read of errors that others wrote.

package chat

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/telegram"
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

func TestAlert_ThatMayHaveArrivedIsSentTwiceAtMost(t *testing.T) {
	var u unclear
	maybe := maybeSent(t)
	for i, want := range []bool{false, true, false, true} {
		if got := u.enough(1, maybe); got != want {
			t.Errorf("%d: got %v; want %v", i+1, got, want)
		}
	}
	u.enough(1, maybe)
	u.enough(1, nil)
	if u.enough(1, maybe) {
		t.Error("after a success: got enough; want to count from the beginning")
	}
	if u.enough(1, errors.New("refused")) || u.enough(2, maybe) {
		t.Error("got enough for another error or admin")
	}
}

// maybeSent is the error of a message whose answer cannot be read.
func maybeSent(t *testing.T) error {
	t.Helper()
	err := telegram.NewGate(time.Second).Do(t.Context(), telegram.Call{Method: "sendMessage", Chat: 5},
		func(context.Context) error { return errors.New("cannot decode") })
	if !telegram.MaybeSent(err) {
		t.Fatalf("got %v; want one that may have been sent", err)
	}
	return err
}
