package desk

import (
	"fmt"
	"testing"
	"time"
)

// spell says an id and what fills it.
func spell(point string) Say {
	return func(id string, vars Vars) string {
		if id == "decimal_point" {
			return point
		}
		return fmt.Sprint(id, " ", vars["N"])
	}
}

func TestSizesAreWrittenAsTheLanguageDoes(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0,0", 1536 << 20: "1,5", 38 << 30: "38", 10<<30 - 1: "10,0"} {
		if got := gigabytes(spell(","), bytes); got != want {
			t.Errorf("%d: got %s GB; want %s", bytes, got, want)
		}
	}
	if got := size(spell(","), 50<<20+1<<19); got != "megabytes 50,5" {
		t.Errorf("got %s; want what the form of an upload calls 50,5", got)
	}
}

func TestSettingsSayWhatIsKeptForGood(t *testing.T) {
	say := func(id string, vars Vars) string { return fmt.Sprint(id, vars["Count"]) }
	got := NewSettings(say, Staff{}, []Limit{{"a", KeptFor(0)}, {"b", KeptFor(90 * 24 * time.Hour)}}, nil).Limits
	if len(got) != 2 || got[0].Value != "for_good<nil>" || got[1].Value != "days90" {
		t.Errorf("got %v; want no end, and ninety days", got)
	}
}
