// Tests of when a progress message is worth an edit.

package telegram

import "testing"

func TestShown_EveryPlaceNearTheFrontAndEveryFifthFurtherBack(t *testing.T) {
	at := func(place int) Shown { return Shown{State: "PENDING", Place: place} }
	for name, c := range map[string]struct {
		was, now Shown
		want     bool
	}{
		"the same":                   {at(40), at(40), false},
		"another state":              {at(1), Shown{State: "PROCESSING", Place: 1}, true},
		"another percentage":         {Shown{Percent: 5}, Shown{Percent: 6}, true},
		"held":                       {at(40), Shown{State: "PENDING", Place: 40, Held: true}, true},
		"near the front, one place":  {at(6), at(5), true},
		"near the front, the same":   {at(5), at(5), false},
		"back, one place":            {at(40), at(39), false},
		"back, less than a fifth":    {at(40), at(33), false},
		"back, a fifth":              {at(40), at(32), true},
		"back, more than a fifth":    {at(40), at(31), true},
		"further back":               {at(40), at(41), true},
		"a place where none was":     {at(0), at(40), true},
		"just before the front":      {at(7), at(6), false},
		"far back, to before a few.": {at(8), at(6), true},
	} {
		if got := c.was.Matters(c.now); got != c.want {
			t.Errorf("%s: got %v; want %v", name, got, c.want)
		}
	}
}
