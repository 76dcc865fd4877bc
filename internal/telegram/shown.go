// When a progress message is worth an edit.

package telegram

// Shown is what a progress message says.
type Shown struct {
	State   string
	Place   int  // in the queue
	Percent int  // of a video being made
	Held    bool // by an outage
}

// Matters reports whether the difference is worth an edit: every place near the front, every fifth further back.
func (s Shown) Matters(now Shown) bool {
	if s.State != now.State || s.Percent != now.Percent || s.Held != now.Held {
		return true
	}
	if now.Place <= 5 {
		return s.Place != now.Place
	}
	return s.Place == 0 || now.Place > s.Place || now.Place*5 <= s.Place*4
}
