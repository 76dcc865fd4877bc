// Tests of what a restored backup holds.

package desk

import (
	"testing"
)

func TestDecideHeld_OnlyYesOrNo(t *testing.T) {
	r := newRig(t)
	for send, want := range map[string]int{"": 422, "maybe": 422, "yes": 409, "no": 409} { // 409: nothing is held
		if w := r.do(r.DecideHeld, sent{body: "send=" + send, json: true}); w.Code != want {
			t.Errorf("%q: got %d; want %d", send, w.Code, want)
		}
	}
}
