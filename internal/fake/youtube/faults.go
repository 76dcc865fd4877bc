// Trouble on demand, and what other people do to the videos.

package youtube

// Fault is a kind of trouble that can be switched on and off at any time.
type Fault struct {
	ID, Label, Hint string
	On              func() bool
	Set             func(bool)
}

var faults = []Fault{
	{ID: "unavailable", Label: "YouTube is down", Hint: "It answers every call with 503."},
	{ID: "signin", Label: "Google's sign-in is down", Hint: "The token server answers 503; YouTube itself works."},
	{
		ID:    "blocked",
		Label: "A firewall in between",
		Hint:  "It answers every call with 403 and a page that isn't YouTube's.",
	},
	{ID: "cut", Label: "Cut connections", Hint: "The connection breaks in the middle of each part of an upload."},
	{
		ID:    "hiccups",
		Label: "Three short failures",
		Hint:  "An upload is answered with 503 after its second, fourth and sixth part.",
	},
	{ID: "lost", Label: "Lose the last answer", Hint: "The video arrives, but the answer that says so does not."},
	{ID: "forgotten", Label: "Lose the last answer and the upload",
		Hint: "The video arrives, the answer does not, and then YouTube doesn't know the upload any more."},
	{ID: "expired", Label: "Uploads expire", Hint: "YouTube says of each upload that was begun that it is gone."},
	{ID: "quota", Label: "The app's daily limit", Hint: "The app has no uploads left until midnight, Pacific time."},
	{ID: "limit", Label: "The channel's upload limit", Hint: "The channel has uploaded too many videos lately."},
	{
		ID:    "revoked",
		Label: "End the access",
		Hint:  "Access given before this is gone, as if removed in the Google account. A new consent works.",
	},
	{ID: "badtoken", Label: "Refuse all access tokens", Hint: "It refuses even fresh ones."},
	{ID: "apidisabled", Label: "API not enabled", Hint: "The YouTube Data API is not enabled in the Google project."},
	{
		ID:    "redirect",
		Label: "Redirect address not registered",
		Hint:  "Google doesn't know the address that it sends people back to.",
	},
	{ID: "slow", Label: "Slow processing", Hint: "YouTube works on a new video for a minute."},
	{
		ID:    "rejected",
		Label: "Refuse new videos",
		Hint:  "YouTube rejects a new video for copyright once it is uploaded.",
	},
	{
		ID:    "thumbnail",
		Label: "No custom thumbnails",
		Hint:  "The channel is not verified, so it may not set a thumbnail.",
	},
	{ID: "private", Label: "Publish as private", Hint: "New videos become private, whatever was asked for."},
	{ID: "stuck", Label: "A schedule that isn't kept", Hint: "Scheduled videos stay private when their time has come."},
	{
		ID:    "studio",
		Label: "Edit in YouTube Studio",
		Hint:  "Somebody makes the videos public and gives them another description and tags. Off changes nothing.",
	},
	{
		ID:    "takedown",
		Label: "Take the videos down",
		Hint:  "YouTube removes the videos that are processed, for a legal reason.",
	},
}

// Faults returns the switches.
func (s *Server) Faults() []Fault {
	all := make([]Fault, len(faults))
	for i, f := range faults {
		f.On = func() bool { return s.fault(f.ID) }
		f.Set = func(on bool) {
			s.mu.Lock()
			defer s.mu.Unlock()
			switch begins := on && !s.on[f.ID]; {
			case begins && f.ID == "revoked":
				s.ended = s.given
			case begins && f.ID == "studio":
				s.editInStudio()
			}
			s.on[f.ID] = on
		}
		all[i] = f
	}
	return all
}

// editInStudio is somebody who changes every video in the browser. The lock must be held.
func (s *Server) editInStudio() {
	for _, v := range s.videos {
		v.snippet.Description, v.snippet.Tags = "Edited in YouTube Studio.", []string{"studio", "edited"}
		v.status.Privacy, v.status.PublishAt = "public", nil
	}
}

// SetFault switches one of them. It panics if there is none, because such a test would prove nothing.
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
