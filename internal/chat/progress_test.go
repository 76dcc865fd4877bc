// What a progress message and a toast say.

package chat

import (
	"context"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/worker"
)

func TestProgressLine_TellsNoMinutesThatNobodyKnows(t *testing.T) {
	for name, c := range map[string]struct {
		status store.Status
		o      worker.Outlook
		want   string
	}{
		"next":               {store.Pending, worker.Outlook{Place: 1}, "⏳ You are next"},
		"next, in minutes":   {store.Pending, worker.Outlook{Place: 1, Left: 90 * time.Second}, "number 1 in the queue, about 2 minutes left"},
		"nobody knows":       {store.Pending, worker.Outlook{Place: 7}, "⏳ You are number 7 in the queue."},
		"some minutes":       {store.Pending, worker.Outlook{Place: 7, Left: 3 * time.Minute}, "number 7 in the queue, about 3 minutes left"},
		"during an outage":   {store.Pending, worker.Outlook{Place: 7, Held: true}, "longer than usual"},
		"being made":         {store.Processing, worker.Outlook{Percent: 42}, "42%"},
		"ready for delivery": {store.Completed, worker.Outlook{}, "is ready"},
	} {
		if got := progressLine("en", c.status, c.o); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q; want %q in it", name, got, c.want)
		}
	}
}

// queue is one whose outlooks are known.
type queue map[string]worker.Outlook

func (q queue) View(func(string, int)) func()                               { return func() {} }
func (q queue) Outlooks(context.Context) (map[string]worker.Outlook, error) { return q, nil }

func TestCreated_IsAToastThatTelegramTakes(t *testing.T) {
	for _, l := range lang.Languages {
		for name, o := range map[string]worker.Outlook{"next": {Place: 1}, "held": {Place: 100_000, Held: true},
			"late": {Place: 100_000, Left: 1000 * time.Hour}, "unknown": {Place: 100_000}} {
			c := &Chat{Options: Options{Second: time.Second}}
			got := c.Created(t.Context(), queue{"a": o}, l, store.Asset{ID: "a", Status: store.Pending})
			line := progressLine(l, store.Pending, o)
			if n := utf8.RuneCountInString(got); n > 200 || !strings.HasSuffix(got, line) {
				t.Errorf("%s, %s: got %d characters, %q; want at most 200, with %q", l, name, n, got, line)
			}
		}
	}
}

func TestCreated_ANewRequestIsBehindAllOthers(t *testing.T) {
	c := &Chat{Options: Options{Second: time.Second}}
	q := queue{"a": {Percent: 50}, "b": {Place: 1, Left: time.Minute}, "c": {Place: 2, Left: 2 * time.Minute}}
	got := c.Created(t.Context(), q, "en", store.Asset{ID: "d", Status: store.Pending})
	if want := "You are number 3 in the queue, about 2 minutes left"; !strings.Contains(got, want) {
		t.Errorf("got %q; want %q in it", got, want)
	}
}

func TestTurned_ShowsThatSomethingMoves(t *testing.T) {
	for _, l := range lang.Languages {
		for _, text := range []string{
			progressLine(l, store.Completed, worker.Outlook{}), progressLine(l, store.Processing, worker.Outlook{}),
			progressLine(l, store.Pending, worker.Outlook{Held: true}), progressLine(l, store.Pending, worker.Outlook{Place: 1}),
			progressLine(l, store.Pending, worker.Outlook{Place: 7}),
			progressLine(l, store.Pending, worker.Outlook{Place: 7, Left: time.Hour}),
		} {
			if once := turned.Replace(text); once == text || turned.Replace(once) != text {
				t.Errorf("%s, %q: got %q and back %q; want another sign, and the first again", l, text, once, turned.Replace(once))
			}
		}
	}
}
