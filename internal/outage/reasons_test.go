// Tests of which reasons are the same, whatever they name.

package outage_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"retake.example/internal/outage"
	"retake.example/internal/testrig"
)

// judge records a failed attempt at the video of a name for which nobody knows the waiting users.
func judge(w *outage.Watch, asset, name string, attempt int, problem string, now time.Time) (held bool, spent map[string]int) {
	return w.RecordFailure(outage.Failure{Asset: asset, Name: name, Key: strings.ToLower(name), Attempt: attempt, Problem: problem}, now)
}

func TestReasonsThatDifferInTheirParticularsAreOne(t *testing.T) {
	for name, reasons := range map[string][2]string{
		"an address and a folder": {"probe: [mov,mp4 @ 0x55ffae37a180] moov atom not found: /data/work/job-ogpv6hrk3labcdefghijklmnop/output.mp4",
			"probe: [mov,mp4 @ 0x7f10c2a4bb80] moov atom not found: /data/work/job-abcdefghijklmnopqrstuvwxyz/output.mp4"},
		"the number of a request": {"generator 503: request r-81f3 failed at 10:22", "generator 503: request r-9a44 failed at 10:23"},
	} {
		w := outage.New(2, time.Hour, time.Minute)
		held, _ := judge(w, "A", "Маша", 1, reasons[0], time.Now())
		again, spent := judge(w, "B", "Лев", 1, reasons[1], time.Now())
		if held || !again || spent["A"] != 1 || spent["B"] != 0 {
			t.Errorf("%s: got %v, then %v %v; want an outage with the second", name, held, again, spent)
		}
	}
}

// TestAnEngineThatTellsTheNameWithEverythingIsNoEndOfOutages: many names are hardly all wrong, and one whose letters
// are in the reason by chance does not hide that it is everybody's.
func TestAnEngineThatTellsTheNameWithEverythingIsNoEndOfOutages(t *testing.T) {
	w := outage.New(5, time.Hour, time.Minute)
	for i := range 20 {
		held, spent := judge(w, fmt.Sprint("A", i), "Маша "+testrig.Letters(i), 1, "engine: making [name]: 401: the key has expired", time.Now())
		if held != (i == 19) || held && len(spent) != 20 {
			t.Errorf("number %d: got %v, %v; want an outage with the twentieth", i+1, held, spent)
		}
	}
	w = outage.New(3, time.Hour, time.Minute)
	for i, problem := range []string{"the key has expired", "the key has expir[name]", "the key has expired", "the key has expired"} {
		if held, _ := judge(w, fmt.Sprint("B", i), "Лев "+testrig.Letters(i), 1, problem, time.Now()); held != (i == 3) {
			t.Errorf("number %d: got %v; want an outage with the third that says the same", i+1, held)
		}
	}
}

// TestNamesThatWereBadAmongGoodOnesAreNoOutageWhenTriedAgain: at the end of a busy evening nobody is left but those who
// try a bad name once more, and each try is another video.
func TestNamesThatWereBadAmongGoodOnesAreNoOutageWhenTriedAgain(t *testing.T) {
	const bad = 25
	w := outage.New(5, time.Hour, time.Minute)
	fails := func(asset, name string) bool {
		held, _ := judge(w, asset, name, 1, "nobody can say "+name, time.Now())
		return held
	}
	for i := range bad {
		fails(fmt.Sprint("A", i), "Имя "+testrig.Letters(i))
		if i%10 == 9 || i == bad-1 {
			w.RecordSuccess("GOOD")
		}
	}
	for i := range bad {
		if fails(fmt.Sprint("B", i), "имя "+testrig.Letters(i)) {
			t.Fatalf("an outage with the %d. that is tried again; want none", i+1)
		}
	}
	for i := range 20 {
		if held := fails(fmt.Sprint("C", i), "Другое "+testrig.Letters(i)); held != (i == 19) {
			t.Errorf("number %d of new names: got %v; want an outage with the twentieth", i+1, held)
		}
	}
	w.RecordSuccess("C0")
	for i := range 20 { // as the engine tells it with everything, they are not to blame for the outage before
		if held := fails(fmt.Sprint("D", i), "Другое "+testrig.Letters(i)); held != (i == 19) {
			t.Errorf("number %d after that outage: got %v; want another one with the twentieth", i+1, held)
		}
	}
}
