// Trouble on demand.

package youtube

// Fault is a kind of trouble that can be switched on and off at any time.
type Fault struct {
	ID, Label, Hint string
	On              func() bool
	Set             func(bool)
}

var faults = []Fault{
	{ID: "unavailable", Label: "YouTube is down", Hint: "Every call is answered with 503."},
	{ID: "cut", Label: "Cut connections", Hint: "The connection is cut in the middle of each part of an upload."},
	{ID: "lost", Label: "Lose the last answer", Hint: "The video arrives whole, but the answer that says so does not."},
	{ID: "quota", Label: "The app's daily limit", Hint: "No app uploads are left until midnight, Pacific time."},
	{ID: "limit", Label: "The channel's upload limit", Hint: "The channel has uploaded too many videos lately."},
	{ID: "revoked", Label: "End the access", Hint: "Access given before this is gone, as if removed in the Google account. A new consent works."},
	{ID: "badtoken", Label: "Refuse all access tokens", Hint: "They are refused even when fresh."},
	{ID: "slow", Label: "Slow processing", Hint: "YouTube works on a new video for a minute."},
	{ID: "rejected", Label: "Refuse new videos", Hint: "A new video is rejected for copyright once it is uploaded."},
	{ID: "thumbnail", Label: "No custom pictures", Hint: "The channel is not verified, so it may not set a picture."},
	{ID: "private", Label: "Publish as private", Hint: "New videos become private, whatever was asked for."},
}

// Faults returns the switches.
func (s *Server) Faults() []Fault {
	all := make([]Fault, len(faults))
	for i, f := range faults {
		f.On = func() bool { return s.fault(f.ID) }
		f.Set = func(on bool) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if on && !s.on[f.ID] && f.ID == "revoked" {
				s.ended = s.given
			}
			s.on[f.ID] = on
		}
		all[i] = f
	}
	return all
}

// SetFault switches one of them; it panics when there is none, because such a test would prove nothing.
func (s *Server) SetFault(id string, on bool) {
	for _, f := range s.Faults() {
		if f.ID == id {
			f.Set(on)
			return
		}
	}
	panic("youtube: there is no fault " + id)
}

func (s *Server) fault(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.on[id]
}
