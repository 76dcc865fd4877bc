// What a progress message and a toast say.

package chat

import (
	"context"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/testrig"
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
		"Telegram is slow":   {store.Pending, worker.Outlook{Place: 7, Left: 3 * time.Minute, Turn: 4 * time.Minute}, "about 7 minutes left"},
		"next, but slow":     {store.Pending, worker.Outlook{Place: 1, Turn: 4 * time.Minute}, "about 4 minutes left"},
		"ready, but slow":    {store.Completed, worker.Outlook{Turn: 4 * time.Minute}, "in about 4 minutes"},
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

// quiet is a chat in which nothing is to be sent.
func quiet() *Chat {
	return &Chat{Options: Options{Second: time.Second}, outlooks: outlooks{counted: time.Now()},
		Talk: telegram.Talk{Gate: telegram.NewGate(time.Second)}}
}

func TestCreated_IsAToastThatTelegramTakes(t *testing.T) {
	for _, l := range lang.Languages {
		for name, o := range map[string]worker.Outlook{"next": {Place: 1}, "held": {Place: 100_000, Held: true},
			"late": {Place: 100_000, Left: 1000 * time.Hour}, "unknown": {Place: 100_000}} {
			c := quiet()
			got := c.Created(t.Context(), queue{"a": o}, l, store.Asset{ID: "a", Status: store.Pending})
			line := progressLine(l, store.Pending, o)
			if n := utf8.RuneCountInString(got); n > 200 || !strings.HasSuffix(got, line) {
				t.Errorf("%s, %s: got %d characters, %q; want at most 200, with %q", l, name, n, got, line)
			}
		}
	}
}

func TestCreated_ANewRequestIsBehindAllOthers(t *testing.T) {
	c := quiet()
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

// What is told includes the wait for Telegram: its pauses, and what is to be sent before.
func TestConfirmation_TellsPlaceAndMinutesWithTheWaitForTelegram(t *testing.T) {
	c := quiet()
	c.outlooks.pending = 25 * 60 * 9 // nine minutes at 25 a second
	q := queue{"a": {Place: 3, Left: 2 * time.Minute}}
	got := c.Confirmation(t.Context(), q, 5, "en", store.Asset{ID: "a", Status: store.Pending})
	if want := lang.Say("en", "request_created", nil) + "\n\n⏳ You are number 3 in the queue, about 11 minutes left."; got != want {
		t.Errorf("got %q; want %q", got, want)
	}
}

// moving is a queue whose changes and outlooks a test makes.
type moving struct {
	mu       sync.Mutex
	outlooks map[string]worker.Outlook
	told     chan func(assetID string, percent int)
}

func (m *moving) View(told func(assetID string, percent int)) func() {
	m.told <- told
	return func() {}
}

func (m *moving) Outlooks(context.Context) (map[string]worker.Outlook, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.outlooks), nil
}

func (m *moving) set(id string, o worker.Outlook) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.outlooks = map[string]worker.Outlook{id: o}
}

// A new state, percents, and nothing at all for a while: each is seen in the message, the last without a word from the
// queue.
func TestShowProgress_FollowsWhatHappens(t *testing.T) {
	c, tg := newChat(t, 10*time.Millisecond)
	a := wishes(t, c, "Маша", 7)
	q := &moving{told: make(chan func(string, int), 1)}
	q.set(a.ID, worker.Outlook{Place: 1})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { c.ShowProgress(ctx, q); close(done) }()
	defer func() { cancel(); <-done }()
	told := <-q.told
	shows := func(status store.Status, o worker.Outlook, turns bool) {
		t.Helper()
		want := lang.Say("ru", "request_created", nil) + "\n\n" + progressLine("ru", status, o)
		if turns {
			want = turned.Replace(want)
		}
		want = "editMessageText " + want
		if err := testrig.Until(t, func() bool { return strings.HasSuffix(tg.said(), want) }, tg.said); err != nil {
			t.Fatalf("%v; want %q", err, want)
		}
	}
	told(a.ID, 0)
	shows(store.Pending, worker.Outlook{Place: 1}, false)
	shows(store.Pending, worker.Outlook{Place: 1}, true) // nothing has happened for two minutes of Telegram's
	testrig.Begin(t, c.Store, store.Render)
	q.set(a.ID, worker.Outlook{Percent: 10})
	told(a.ID, 0)
	shows(store.Processing, worker.Outlook{Percent: 10}, false)
	q.set(a.ID, worker.Outlook{Percent: 20})
	told(a.ID, 20)
	shows(store.Processing, worker.Outlook{Percent: 20}, false)
}

// The minutes of a new request are those of the last before it, in whatever order they are listed.
func TestLineOf_ANewRequestWaitsAsLongAsAnyOther(t *testing.T) {
	q := queue{"a": {Place: 1, Left: 9 * time.Minute}, "b": {Place: 2, Left: 2 * time.Minute},
		"c": {Place: 3, Left: time.Minute}}
	want := progressLine("en", store.Pending, worker.Outlook{Place: 4, Left: 9 * time.Minute})
	for range 50 {
		if got := quiet().lineOf(t.Context(), q, 1, "en", store.Asset{ID: "new", Status: store.Pending}); got != want {
			t.Fatalf("got %q; want %q", got, want)
		}
	}
}
