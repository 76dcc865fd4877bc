// Tests of how a setting is put into the fields of its form.

package desk

import "testing"

func TestKnob_ASpanIsShownInItsLongestUnit(t *testing.T) {
	for value, want := range map[string]string{"48h": "2 days", "24h0m0s": "1 days", "36h": "36 hours",
		"90m": "90 minutes",
		"1h":  "1 hours", "90s": "90 seconds", "1m0s": "1 minutes", "0s": "0 days", "0": "0 days", "never": "never "} {
		k := Knob{knob: knob{kind: "span"}, Kind: "span"}
		if k.put(value); k.Number+" "+k.Unit != want || k.Value != value {
			t.Errorf("%s: got %s %s, value %s; want %s", value, k.Number, k.Unit, k.Value, want)
		}
	}
}

func TestKnob_AChoiceIsTheOneThatIsSet(t *testing.T) {
	for _, kind := range []string{"choice", "switch"} {
		k := Knob{Kind: kind, Options: []KnobOption{{ID: "a", On: true}, {ID: "b"}, {ID: "c"}}}
		k.put("b")
		if k.Options[0].On || !k.Options[1].On || k.Options[2].On {
			t.Errorf("%s: got %+v; want the second alone", kind, k.Options)
		}
	}
}
