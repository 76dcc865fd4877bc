// frames_test.go draws on several goroutines: in order, to the end, and without taking the program along in a panic.

package video

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestFrames_AreHandedOverInOrder(t *testing.T) {
	for _, workers := range []int{1, 2, 5} {
		var got []int
		err := drawInOrder(t.Context(), workers, 3, 40, 1, func(_, frame int, buf []byte) { buf[0] = byte(frame) },
			func(frame int, buf []byte) error {
				got = append(got, int(buf[0]))
				return nil
			})
		if err != nil || len(got) != 37 || got[0] != 3 || !slices.IsSorted(got) {
			t.Errorf("%d workers: got frames %v, %v; want 3 to 39", workers, got, err)
		}
	}
}

func TestFrames_APanicBecomesAnError(t *testing.T) {
	out := []int{1}
	for name, c := range map[string]struct {
		panics func()
		want   string
	}{
		"an index":      {func() { out[len(out)]++ }, "index out of range [1] with length 1"},
		"a text":        {func() { panic("cannot draw Маша") }, "string"},
		"an error":      {func() { panic(errors.New("cannot draw Маша")) }, "*errors.errorString"},
		"a nil pointer": {func() { _ = (*layer)(nil).w }, "nil pointer"},
	} {
		for _, at := range []int{0, 7, 19} {
			err := drawInOrder(t.Context(), 3, 0, 20, 1, func(_, frame int, _ []byte) {
				if frame == at {
					c.panics()
				}
			}, func(int, []byte) error { return nil })
			if !isCrash(err) || !strings.Contains(err.Error(), c.want) ||
				!strings.Contains(err.Error(), "frames_test.go:") || strings.Contains(err.Error(), "Маша") {
				t.Errorf("%s in frame %d: got %v; want %q and where it was, without the name", name, at, err, c.want)
			}
		}
	}
}

func TestFrames_EndWithTheContext(t *testing.T) {
	why := errors.New("enough")
	ctx, stop := context.WithCancelCause(t.Context())
	err := drawInOrder(ctx, 2, 0, 1000, 1, func(int, int, []byte) {}, func(frame int, _ []byte) error {
		if frame == 5 {
			stop(why)
		}
		return nil
	})
	if !errors.Is(err, why) {
		t.Errorf("got %v; want the cause of the context", err)
	}
}
