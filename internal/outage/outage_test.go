// Tests of what is an outage and what is not, and of how videos are tried during one.

package outage

import (
	"fmt"
	"testing"
	"time"
)

const broken = "engine: 401: the key has expired"

func watch(after int) *Watch { return New(after, 24*time.Hour, time.Minute) }

func failure(n int, key string, users ...int64) Failure {
	return Failure{Asset: fmt.Sprint("ASSET", n), Name: "Имя " + key, Key: key, Users: users, Attempt: 1, Problem: broken}
}

// TestRecordFailure_CountsNamesOfSeveralPeople: an id that a press mints is no other name, and one person is no
// crowd.
func TestRecordFailure_CountsNamesOfSeveralPeople(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		failures []Failure
		at       int // which of them begins an outage, from 1; 0: none
	}{
		"five names of five people": {[]Failure{failure(1, "a", 1), failure(2, "b", 2), failure(3, "c", 3),
			failure(4, "d", 4),
			failure(5, "e", 5)}, 5},
		"five names of two people": {[]Failure{failure(1, "a", 1), failure(2, "b", 1), failure(3, "c", 1), failure(4, "d", 1),
			failure(5, "e", 2)}, 5},
		"five names of one person": {[]Failure{failure(1, "a", 1), failure(2, "b", 1), failure(3, "c", 1), failure(4, "d", 1),
			failure(5, "e", 1), failure(6, "f", 1)}, 0},
		"one name, pressed again and again": {[]Failure{failure(1, "a", 1), failure(2, "a", 1), failure(3, "a", 1),
			failure(4, "a", 1), failure(5, "a", 1), failure(6, "a", 1)}, 0},
		"one name of many people": {[]Failure{failure(1, "a", 1, 2), failure(2, "a", 3), failure(3, "a", 4),
			failure(4, "a", 5),
			failure(5, "a", 6)}, 0},
		"four names, and one of them again": {[]Failure{failure(1, "a", 1), failure(2, "b", 2), failure(3, "c", 3),
			failure(4, "d", 4), failure(5, "d", 5), failure(6, "a", 1), failure(7, "e", 1)}, 7},
		"one person's names, one of which another one wants, too": {[]Failure{failure(1, "a", 1, 2), failure(2, "b", 1),
			failure(3, "c", 1), failure(4, "d", 1), failure(5, "e", 1)}, 5},
		"a second person comes late": {[]Failure{failure(1, "a", 1), failure(2, "b", 1), failure(3, "c", 1),
			failure(4, "d", 1),
			failure(5, "e", 1), failure(6, "a", 2)}, 6},
		"nobody knows who": {[]Failure{failure(1, "a"), failure(2, "b"), failure(3, "c"), failure(4, "d"),
			failure(5, "e")}, 5},
	} {
		w := watch(5)
		for i, f := range c.failures {
			held, spent := w.RecordFailure(f, now)
			if want := i+1 == c.at; held != want || (spent != nil) != want {
				t.Errorf("%s: number %d: got %v, %v; want held: %v", name, i+1, held, spent, want)
				break
			}
			if again, _ := w.RecordFailure(f, now); again != held {
				t.Errorf("%s: number %d, asked again: got %v; want %v", name, i+1, again, held)
				break
			}
			if held {
				break
			}
		}
	}
}

func TestRecordFailure_GivesBackWhatTheOutageHasCost(t *testing.T) {
	w, now := watch(2), time.Now()
	first := failure(1, "a", 1)
	for attempt := range 2 {
		first.Attempt = attempt + 1
		w.RecordFailure(first, now)
	}
	for range 2 { // the same again: the transaction may be repeated
		held, spent := w.RecordFailure(failure(2, "b", 2), now)
		if !held || spent["ASSET1"] != 2 || spent["ASSET2"] != 0 || len(spent) != 2 {
			t.Errorf("got %v, %v; want two attempts of the first given back", held, spent)
		}
	}
}

func TestRecordFailure_OneVideoThatIsMadeStartsTheCountAgain(t *testing.T) {
	w, now := watch(3), time.Now()
	w.RecordFailure(failure(1, "a", 1), now)
	w.RecordFailure(failure(2, "b", 2), now)
	if w.RecordSuccess("GOOD") {
		t.Error("a video that is made ends an outage that there is not")
	}
	for i, want := range []bool{false, false, true} {
		if held, _ := w.RecordFailure(failure(10+i, fmt.Sprint("k", i), int64(i+1)), now); held != want {
			t.Errorf("number %d after it: got %v; want %v", i+1, held, want)
		}
	}
	// Those that failed while another was made are their own fault, and never count.
	w.RecordSuccess("GOOD2")
	for i, f := range []Failure{failure(1, "a", 1), failure(2, "b", 2), failure(3, "c", 3), failure(4, "d", 4)} {
		if held, _ := w.RecordFailure(f, now); held {
			t.Errorf("number %d: got an outage by two that failed beside a success, and two others", i+1)
		}
	}
}

// TestAllow_OneProbeAtATime: a probe may take longer than a minute.
func TestAllow_OneProbeAtATime(t *testing.T) {
	w, now := watch(2), time.Now()
	allow := func(want bool, what string) {
		t.Helper()
		if got := w.Allow(now); got != want {
			t.Errorf("%s: got %v; want %v", what, got, want)
		}
	}
	allow(true, "no outage")
	allow(true, "no outage, beside another")
	w.RecordFailure(failure(1, "a", 1), now)
	w.RecordFailure(failure(2, "b", 2), now)
	allow(false, "as it begins")
	now = now.Add(time.Minute)
	allow(true, "the probe")
	allow(false, "beside the probe")
	now = now.Add(time.Minute)
	allow(false, "a minute later, beside the probe")
	w.Done() // one that began before the outage
	allow(false, "when an earlier one is done")
	w.Done() // another one
	now = now.Add(time.Minute)
	allow(false, "when all earlier ones are done")
	w.Done() // the probe
	allow(true, "when the probe is done")
	w.Undo() // the transaction is rolled back, and runs again
	allow(true, "in the second run")
	w.Done()
	allow(false, "within the minute")
	if !w.ProbeNow() {
		t.Error("ProbeNow knows of no outage")
	}
	allow(true, "by Try now")
	allow(false, "by Try now, beside it")
	w.Done() // no job was there to begin
	now = now.Add(time.Minute)
	allow(true, "after one that found no job")
	for range 2 {
		if !w.RecordSuccess("GOOD") {
			t.Error("want the probe to end the outage, however often it is told")
		}
	}
	if w.RecordSuccess("OTHER") {
		t.Error("want no other one to end it")
	}
	allow(true, "after the outage")
	if w.ProbeNow() {
		t.Error("ProbeNow knows of an outage that is over")
	}
}

func TestAllow_AnOutageEndsInTheEnd(t *testing.T) {
	w, now := watch(2), time.Now()
	w.Resume(now.Add(-23*time.Hour), broken)
	if !w.Allow(now) || w.Allow(now) {
		t.Error("want a probe at once, and one alone")
	}
	now = now.Add(time.Hour)
	for range 2 {
		if !w.Allow(now) {
			t.Error("after a day: want all to be tried")
		}
	}
	if _, _, _, spent := w.State(now); !spent {
		t.Error("after a day: want it spent")
	}
	if held, _ := w.RecordFailure(failure(1, "a", 1), now); held {
		t.Error("after a day: want failures to count")
	}
}

// TestWatch_AClockThatWasAheadHoldsNothingForYears has marks in the future, as an earlier process left them.
func TestWatch_AClockThatWasAheadHoldsNothingForYears(t *testing.T) {
	w, now := watch(2), time.Now()
	w.Resume(now.AddDate(10, 0, 0), broken)
	if !w.Allow(now) {
		t.Error("want a probe at once")
	}
	w.Done()
	if held, _ := w.RecordFailure(failure(1, "a", 1), now); !held {
		t.Error("want an outage that has just begun")
	}
	if held, _ := w.RecordFailure(failure(2, "b", 2), now.Add(25*time.Hour)); held {
		t.Error("a day later: want failures to count")
	}
	w = watch(2)
	w.RecordFailure(failure(1, "a", 1), now.AddDate(10, 0, 0)) // then the clock is set right
	w.RecordFailure(failure(2, "b", 2), now.AddDate(10, 0, 0))
	if w.Allow(now) {
		t.Error("want the next probe in a minute")
	}
	if !w.Allow(now.Add(time.Minute)) {
		t.Error("want the next probe in a minute, not in ten years")
	}
}

// TestShouldWait_EndsForEachName: a name that always fails must come to its apology.
func TestShouldWait_EndsForEachName(t *testing.T) {
	now := time.Now()
	w := watch(5)
	w.RecordFailure(failure(1, "a", 1), now)
	for name, c := range map[string]struct {
		before  func(w *Watch)
		created time.Time
		more    int
	}{
		"alone":                      {func(*Watch) {}, now, 0},
		"with itself, pressed again": {func(w *Watch) { w.RecordFailure(failure(2, "a", 1), now) }, now, 0},
		"with another name":          {func(w *Watch) { w.RecordFailure(failure(2, "b", 2), now) }, now, 3},
		"with another for its own": {func(w *Watch) {
			f := failure(2, "b", 2)
			f.Problem = "other"
			w.RecordFailure(f,
				now)
		}, now, 0},
		"after a video was made": {func(w *Watch) {
			w.RecordFailure(failure(2, "b", 2),
				now)
			w.RecordSuccess("GOOD")
		}, now, 0},
		"a day old":           {func(w *Watch) { w.RecordFailure(failure(2, "b", 2), now) }, now.Add(-24 * time.Hour), 0},
		"dated in the future": {func(w *Watch) { w.RecordFailure(failure(2, "b", 2), now) }, now.AddDate(10, 0, 0), 0},
		"with five names of one person": {func(w *Watch) {
			for i := range 6 {
				w.RecordFailure(failure(2+i, fmt.Sprint("k", i), 1), now)
			}
		}, now, 1},
	} {
		w := watch(5)
		w.RecordFailure(failure(1, "a", 1), now)
		c.before(w)
		wait, more := w.ShouldWait("ASSET1", c.created, now, 20*time.Second)
		if more != c.more || (wait > 0) != (c.more > 0) || wait > 0 && wait != 100*time.Second {
			t.Errorf("%s: got %v for %d more; want a wait for %d", name, wait, more, c.more)
		}
	}
}
