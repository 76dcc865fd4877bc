// Tests that what was sent is recorded, and nothing else: when the program stops, and when the record cannot be
// written.

package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/db/dbtest"
	"retake.example/internal/store"
)

// notice is a board for admins 1 and 2 with one trouble, whose Tell and Keep a test replaces.
type notice struct {
	Source
	kept map[int64]map[string]Told
	sent []int64
}

func newNotice() *notice {
	n := &notice{kept: map[int64]map[string]Told{1: {}, 2: {}}}
	n.Source = Source{Now: dbtest.Clock(time.Now), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Admins: func(context.Context) ([]int64, error) { return []int64{1, 2}, nil },
		Told: func(_ context.Context, admin int64) (map[string]Told, error) {
			return maps.Clone(n.kept[admin]), nil
		},
		Keep: func(ctx context.Context, admin int64, told map[string]Told) error {
			if ctx.Err() == nil {
				maps.Copy(n.kept[admin], told)
			}
			return ctx.Err()
		},
		Look: func(context.Context, int64, map[string]Told) ([]Trouble, error) {
			return []Trouble{BackupOf(errors.New("no room")), ChannelsOf([]string{"3"}, "")}, nil
		},
		Tell: func(_ context.Context, admin int64, _ Message) (time.Duration, error) {
			n.sent = append(n.sent, admin)
			return 0, nil
		}}
	return n
}

func TestBoard_RecordsWhatWasSentAlsoWhileStopping(t *testing.T) {
	refused := errors.New("Bad Request: text must be non-empty")
	for name, c := range map[string]struct {
		later    time.Duration
		err      error
		stop     bool // the program stops while the message is on its way
		recorded bool
	}{
		"sent":                          {recorded: true},
		"sent, then the stop":           {stop: true, recorded: true},
		"refused":                       {err: refused, recorded: true},
		"cut by the stop":               {err: context.Canceled, stop: true},
		"refused as the program stops":  {err: refused, stop: true},
		"to be sent later":              {later: time.Minute, err: errors.New("telegram is away")},
		"to be sent later, and no word": {later: time.Minute},
		"later, then the stop":          {later: time.Minute, err: errors.New("telegram is away"), stop: true},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			n, tells := newNotice(), 0
			n.Tell = func(context.Context, int64, Message) (time.Duration, error) {
				if tells++; c.stop {
					stop()
				}
				return c.later, c.err
			}
			if _, err := NewBoard(n.Source).look(ctx); err != nil && !c.stop {
				t.Error(err)
			}
			if _, got := n.kept[1][Backup]; got != c.recorded {
				t.Errorf("recorded: got %v; want %v", got, c.recorded)
			}
			if c.stop && tells != 1 {
				t.Errorf("got %d messages; want none after the stop", tells)
			}
		})
	}
}

// TestBoard_SendsOnceThoughTheRecordFails covers a full disk: that is when admins are told most, and nothing can be
// written.
func TestBoard_SendsOnceThoughTheRecordFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNotice()
		var roomy atomic.Bool
		keep := n.Keep
		n.Keep = func(ctx context.Context, admin int64, told map[string]Told) error {
			if !roomy.Load() {
				return errors.New("the disk is full")
			}
			return keep(ctx, admin, told)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { NewBoard(n.Source).Run(ctx); close(done) }()
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		if want := []int64{1, 1, 2, 2}; !slices.Equal(n.sent, want) {
			t.Errorf("with a full disk: got messages to %v; want %v", n.sent, want)
		}
		roomy.Store(true)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		for _, admin := range []int64{1, 2} {
			if got := n.kept[admin]; len(got) != 2 {
				t.Errorf("admin %d: got %v recorded after the disk has room; want both messages", admin, got)
			}
		}
		stop()
		<-done
	})
}

// TestBoard_OneAdminsTroubleSilencesNoOther lets each step fail for the first admin.
func TestBoard_OneAdminsTroubleSilencesNoOther(t *testing.T) {
	broken := errors.New("broken")
	for name, breaks := range map[string]func(n *notice){
		"Told": func(n *notice) {
			told := n.Told
			n.Told = func(ctx context.Context, admin int64) (map[string]Told, error) {
				if admin == 1 {
					return nil, broken
				}
				return told(ctx, admin)
			}
		},
		"Look": func(n *notice) {
			look := n.Look
			n.Look = func(ctx context.Context, admin int64, told map[string]Told) ([]Trouble, error) {
				if admin == 1 {
					return nil, broken
				}
				return look(ctx, admin, told)
			}
		},
		"Write": func(n *notice) {
			n.Look = func(_ context.Context, admin int64, _ map[string]Told) ([]Trouble, error) {
				write := func(context.Context) (Message, error) {
					if admin == 1 {
						return Message{}, broken
					}
					return Message{ID: "alert_failed"}, nil
				}
				return []Trouble{{Cause: Failed, N: 1, First: time.Now(), Write: write}}, nil
			}
		},
		"Look, by a panic": func(n *notice) {
			look := n.Look
			n.Look = func(ctx context.Context, admin int64, told map[string]Told) ([]Trouble, error) {
				if admin == 1 {
					panic(broken)
				}
				return look(ctx, admin, told)
			}
		},
		"Keep": func(n *notice) {
			keep := n.Keep
			n.Keep = func(ctx context.Context, admin int64, told map[string]Told) error {
				if admin == 1 {
					return broken
				}
				return keep(ctx, admin, told)
			}
		},
	} {
		n := newNotice()
		breaks(n)
		if _, err := NewBoard(n.Source).look(t.Context()); !strings.Contains(fmt.Sprint(err), broken.Error()) &&
			!strings.Contains(fmt.Sprint(err), "panic: *errors.errorString") {
			t.Errorf("%s: got %v; want the error of the first admin", name, err)
		}
		if !slices.Contains(n.sent, 2) {
			t.Errorf("%s fails for admin 1: got messages to %v; want admin 2 told", name, n.sent)
		}
	}
}

// TestBoard_AFailureInTheFutureIsToldNow covers a clock that was ahead for a moment: what it dated is told, not kept
// for then.
func TestBoard_AFailureInTheFutureIsToldNow(t *testing.T) {
	n, write := newNotice(), func(context.Context) (Message, error) { return Message{ID: "alert_failed"}, nil }
	n.Look = func(context.Context, int64, map[string]Told) ([]Trouble, error) {
		return []Trouble{{Cause: Failed, N: 1, First: time.Now().AddDate(10, 0, 0), Write: write}}, nil
	}
	n.Gather = time.Minute
	if _, err := NewBoard(n.Source).look(t.Context()); err != nil || len(n.sent) != 2 {
		t.Errorf("got messages to %v, %v; want both admins told", n.sent, err)
	}
}

// A failure has the time at which its transaction began. One that is written while a message is being sent is in the next
// message.
func TestSince_CountsFromTheLastFailureThatWasTold(t *testing.T) {
	now := time.Date(2026, 12, 20, 12, 0, 0, 0, time.UTC)
	counted := now.Add(-10 * time.Second)
	for cause := range digests {
		trouble := Digest(cause, store.Given{N: 1, First: counted, Last: counted}, now, "",
			func(context.Context) (string, int, error) { return "", 0, nil })
		told := trouble.judge(nil, now, 0).keep[cause]
		if since := Since(told, now.Add(time.Hour)); !since.Equal(counted) || !told.At.Equal(now) {
			t.Errorf("%s: got %v; want what was given up after %v", cause, since, counted)
		}
	}
	for last, told := range map[time.Time]Told{
		now: {At: now}, now.Add(24 * time.Hour): {At: now, About: countedTo(now.Add(time.Hour), now)},
	} {
		if since := Since(told, now.Add(time.Minute)); !since.Equal(now) {
			t.Errorf("got %v for %v; want the time of the message", since, last)
		}
	}
}
