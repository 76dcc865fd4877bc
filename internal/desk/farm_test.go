// What the settings show of the farm, and what an owner can do to a worker.

package desk

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/farm"
)

// barn is a farm with two workers.
type barn struct{ asked []string }

func (*barn) On() bool           { return true }
func (*barn) Orders() (int, int) { return 7, 2 }
func (*barn) Workers() []farm.Worker {
	return []farm.Worker{
		{Status: farm.Status{ID: "oak-1", Version: "1.2.3", Cores: 4, Busy: 3, Made: 90, Failed: 1, Pace: 2340 * time.Millisecond,
			Problem: "ffmpeg: <broken>", Since: time.Now().Add(-time.Hour)}, Heard: time.Now()},
		{Status: farm.Status{ID: "elm-2", Version: "1.2.2", Cores: 2, Drained: true}, Heard: time.Now()},
		{Status: farm.Status{ID: "ash-3", Version: "1.2.2"}, Heard: time.Now().Add(-time.Minute), Gone: true},
	}
}
func (b *barn) Renew() {}
func (b *barn) Drain(_ context.Context, worker string, on bool, _ string) error {
	if worker != "oak-1" {
		return farm.ErrNoWorker
	}
	b.asked = append(b.asked, map[bool]string{true: "drain", false: "take"}[on])
	return nil
}

func TestSettings_ShowTheFarm(t *testing.T) {
	r := newRig(t)
	if page := r.do(r.Settings, sent{method: "GET", path: "/settings"}).Body.String(); strings.Contains(page, "/farm/drain") {
		t.Error("got a farm; want none without one")
	}
	r.opts.Farm = &barn{}
	page := r.do(r.Settings, sent{method: "GET", path: "/settings"}).Body.String()
	for _, want := range []string{"Open orders: 7.", "oak-1", "3 of 4 cores busy", "1.2.3", "2.3s per video", "90 made, 1 failed",
		"ffmpeg: &lt;broken&gt;", "elm-2", "Takes no more orders", `value="yes">Let it take orders`, `value="no">Drain`, "ash-3",
		"Not heard from since"} {
		if !strings.Contains(page, want) {
			t.Errorf("want %q on the page; it is missing", want)
		}
	}
	if n := strings.Count(page, "/farm/drain"); n != 2 {
		t.Errorf("got %d buttons; want one for each worker that is there", n)
	}
}

func TestDrain_AsksTheWorkerAndSaysWhoDid(t *testing.T) {
	r := newRig(t)
	b := &barn{}
	r.opts.Farm = b
	for body, want := range map[string]int{"worker=oak-1&take=no": http.StatusOK, "worker=oak-1&take=yes": http.StatusOK,
		"worker=nobody&take=no": http.StatusNotFound, "worker=oak-1": http.StatusUnprocessableEntity} {
		if got := r.do(r.Drain, sent{method: "POST", path: "/farm/drain", body: body, json: true}).Code; got != want {
			t.Errorf("%s: got %d; want %d", body, got, want)
		}
	}
	if slices.Sort(b.asked); !slices.Equal(b.asked, []string{"drain", "take"}) {
		t.Errorf("got %v; want the worker asked twice", b.asked)
	}
	if n := r.number(`SELECT count(*) FROM audit WHERE action = 'drain' AND admin = 8`); n != 2 {
		t.Errorf("got %d lines of activity; want 2", n)
	}
}
