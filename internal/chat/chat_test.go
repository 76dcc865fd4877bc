// Tests of what the settings make of a chat.

package chat

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/testrig"
)

// counted is a meter.
type counted struct{ calls atomic.Int64 }

func (c *counted) Called(string, string) { c.calls.Add(1) }
func (c *counted) Waited(time.Duration)  {}
func (c *counted) Received(int)          {}

func TestNew_KeepsThePaceAndCounts(t *testing.T) {
	server := httptest.NewServer(&scripted{})
	defer server.Close()
	m := &counted{}
	for perSecond, want := range map[int]float64{0: 25, 7: 7} {
		c, err := New(testrig.NewStore(t), Options{Token: "1000:secret", APIURL: server.URL, Second: time.Second,
			PerSecond: perSecond, Meter: m}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if all, news := c.Pace(); all != want || news != want/2 {
			t.Errorf("%d: got %v and %v a second; want %v and half of it", perSecond, all, news, want)
		}
		if _, err := c.Talk.Send(t.Context(), 1, "x", nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := m.calls.Load(); n != 2 {
		t.Errorf("got %d calls counted; want both", n)
	}
}

// What has begun when the program stops has a while to end.
func TestClose_EndsWhatHasBegunAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Chat{}
		c.Work, c.end = context.WithCancel(t.Context())
		c.Close()
		time.Sleep(drain - time.Nanosecond)
		if c.Work.Err() != nil {
			t.Error("it was ended at once")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if c.Work.Err() == nil {
			t.Error("it was not ended")
		}
	})
}
