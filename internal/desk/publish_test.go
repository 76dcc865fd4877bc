package desk

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/store"
)

func ids(id string, _ Vars) string {
	if id == "months" {
		return "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
	}
	return id
}

var (
	morning = time.Date(2026, 12, 20, 9, 0, 0, 0, time.UTC)
	oneOf   = []store.Channel{{ID: 3, Platform: "YOUTUBE", Title: "Ours", State: "CONNECTED"}}
	several = []store.Channel{{ID: 3, Platform: "YOUTUBE", Title: "Ours", State: "CONNECTED"},
		{ID: 4, Platform: "YOUTUBE", Title: "Others", State: "CONNECTED"},
		{ID: 5, Platform: "YOUTUBE", Title: "Lost", State: "ENDED"},
		{ID: 6, Platform: "YOUTUBE", State: "DISCONNECTED"}}
	complete = map[string]string{"youtube": "yes", "title": "A greeting", "made_for_kids": "no", "privacy": "public"}
)

func TestWhatIsWrongStandsAtItsFieldAndTheRestGoesWhereItWasSent(t *testing.T) {
	at := func(zone string, month time.Month, day, hour, minute int) time.Time {
		z, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		return time.Date(2026, month, day, hour, minute, 0, 0, z)
	}
	for name, c := range map[string]struct {
		sent     map[string]string
		channels []store.Channel
		studio   Studio
		faults   map[string]string
		first    string
		targets  []Target
	}{
		"now, to the only channel": {nil, oneOf, Studio{YouTube: true}, nil, "",
			[]Target{{Platform: "YOUTUBE", Channel: 3}}},
		"to one of several": {map[string]string{"channel": "4"}, several, Studio{YouTube: true},
			nil, "", []Target{{Platform: "YOUTUBE", Channel: 4}}},
		"to none of several": {nil, several, Studio{YouTube: true},
			map[string]string{"channel": "fault_channel"}, "channel", nil},
		"to one that was disconnected": {map[string]string{"channel": "6"}, several, Studio{YouTube: true},
			map[string]string{"channel": "fault_channel"}, "channel", nil},
		"to one whose access has ended": {map[string]string{"channel": "5"}, several, Studio{YouTube: true},
			map[string]string{"channel": "fault_channel_ended"}, "channel", nil},
		"without a channel": {nil, several[2:], Studio{YouTube: true},
			map[string]string{"channel": "fault_no_channel"}, "channel", nil},
		"to YouTube that is not set up": {nil, oneOf, Studio{},
			map[string]string{"youtube": "fault_place_off"}, "youtube", nil},
		"nowhere, without a title and a word": {map[string]string{"youtube": "", "title": " ", "made_for_kids": ""},
			oneOf, Studio{YouTube: true}, map[string]string{"youtube": "fault_nowhere", "title": "fault_title_empty",
				"made_for_kids": "fault_kids_open"}, "youtube", nil},
		"with faults of the metadata": {map[string]string{"title": "<", "category": "7"}, oneOf,
			Studio{YouTube: true}, map[string]string{"title": "fault_angle",
				"category": "fault_category"}, "title", nil},

		"at a time": {map[string]string{"when": "later", "at": "2026-12-24T18:00",
			"zone": "Europe/Moscow"}, oneOf, Studio{YouTube: true}, nil, "", []Target{{Platform: "YOUTUBE",
			Channel: 3, At: at("Europe/Moscow", 12, 24, 18, 0)}}},
		"at a time in UTC": {map[string]string{"at": "2026-12-24T18:00:00"}, oneOf, Studio{YouTube: true},
			nil, "", []Target{{Platform: "YOUTUBE", Channel: 3, At: at("UTC", 12, 24, 18, 0)}}},
		"now, with a time left over": {map[string]string{"when": "now", "at": "2026-12-24T18:00"}, oneOf,
			Studio{YouTube: true}, map[string]string{"at": "fault_at_now"}, "at", nil},
		"later, without a time": {map[string]string{"when": "later"}, oneOf, Studio{YouTube: true},
			map[string]string{"at": "fault_at_empty"}, "at", nil},
		"at no time": {map[string]string{"at": "tomorrow"}, oneOf, Studio{YouTube: true},
			map[string]string{"at": "fault_at"}, "at", nil},
		"too soon": {map[string]string{"at": "2026-12-20T09:14"}, oneOf, Studio{YouTube: true},
			map[string]string{"at": "fault_at_soon"}, "at", nil},
		"just late enough": {map[string]string{"at": "2026-12-20T09:15"}, oneOf, Studio{YouTube: true},
			nil, "", []Target{{Platform: "YOUTUBE", Channel: 3, At: at("UTC", 12, 20, 9, 15)}}},
		"in no zone": {map[string]string{"at": "2026-12-24T18:00", "zone": "Mars/Base"}, oneOf,
			Studio{YouTube: true}, map[string]string{"at": "fault_zone"}, "at", nil},
		"in the server's zone": {map[string]string{"at": "2026-12-24T18:00", "zone": "Local"}, oneOf,
			Studio{YouTube: true}, map[string]string{"at": "fault_zone"}, "at", nil},
		"out of a file": {map[string]string{"at": "2026-12-24T18:00", "zone": "../../etc/passwd"},
			oneOf, Studio{YouTube: true}, map[string]string{"at": "fault_zone"}, "at", nil},
		"when clocks go forward": {map[string]string{"at": "2027-03-28T02:30", "zone": "Europe/Berlin"}, oneOf,
			Studio{YouTube: true}, map[string]string{"at": "fault_at_skipped"}, "at", nil},
		"at a time, but for few": {map[string]string{"at": "2026-12-24T18:00", "privacy": "unlisted"}, oneOf,
			Studio{YouTube: true}, map[string]string{"at": "fault_at_private"}, "at", nil},
		"at a time, by hand": {map[string]string{"at": "2026-12-24T18:00", "youtube": "", "rumble": "yes"},
			oneOf, Studio{YouTube: true}, map[string]string{"at": "fault_at_by_hand"}, "at", nil},
		"at a time, by hand as well": {map[string]string{"at": "2026-12-24T18:00", "rumble": "yes"}, oneOf,
			Studio{YouTube: true}, nil, "", []Target{{Platform: "YOUTUBE", Channel: 3, At: at("UTC", 12, 24, 18, 0)},
				{Platform: "RUMBLE", Step: "manual"}}},
		"at a time, by Rumble's API": {map[string]string{"at": "2026-12-24T18:00", "rumble": "yes", "youtube": ""},
			oneOf, Studio{Rumble: true}, nil, "", []Target{{Platform: "RUMBLE", Step: "scheduled",
				At: at("UTC", 12, 24, 18, 0)}}},
		"by Rumble's API": {map[string]string{"rumble": "yes", "youtube": ""}, nil, Studio{Rumble: true},
			nil, "", []Target{{Platform: "RUMBLE"}}},
		"by Rumble's API, for nobody": {map[string]string{"rumble": "yes", "youtube": "", "privacy": "private"}, nil,
			Studio{Rumble: true}, map[string]string{"rumble": "fault_not_public"}, "rumble", nil},
		"by hand, for nobody": {map[string]string{"rumble": "yes", "youtube": "", "privacy": "private"}, nil,
			Studio{}, nil, "", []Target{{Platform: "RUMBLE", Step: "manual"}}},
	} {
		t.Run(name, func(t *testing.T) {
			sent := maps.Clone(complete)
			maps.Copy(sent, c.sent)
			p := NewPublishing(ids, Card{ID: "A"}, NewForm(ids, WithDefaults(store.Metadata{}, "", "ru", true), true),
				c.studio, c.channels)
			p.Read(ids, sent, morning)
			if !reflect.DeepEqual(p.Form.Faults, c.faults) || p.Form.First != c.first {
				t.Errorf("got %v, first %q; want %v, first %q", p.Form.Faults, p.Form.First, c.faults, c.first)
			}
			if got := p.Targets(); c.faults == nil && !slices.EqualFunc(got, c.targets, func(a, b Target) bool {
				return a.Platform == b.Platform && a.Channel == b.Channel && a.Step == b.Step && a.At.Equal(b.At)
			}) {
				t.Errorf("got %+v; want %+v", got, c.targets)
			}
		})
	}
}

func TestAPreviewSaysWhoSeesItAndWhatIsCut(t *testing.T) {
	long := strings.Repeat("я", 71)
	for name, c := range map[string]struct {
		sent    map[string]string
		studio  Studio
		youtube string
		rumble  string
		title   string
		cut     bool
	}{
		"private": {map[string]string{"privacy": "private", "title": "x"}, Studio{}, "who_sees_private",
			"who_sees_by_hand", "x", false},
		"everyone with the link": {map[string]string{"privacy": "unlisted", "title": "x"}, Studio{Rumble: true},
			"who_sees_unlisted", "fault_not_public", "x", false},
		"everybody": {map[string]string{"privacy": "public", "title": long[:140]}, Studio{Rumble: true},
			"who_sees_public", "who_sees_open", long[:140], false},
		"everybody, later": {map[string]string{"privacy": "public", "title": long, "at": "2026-12-24T18:00"},
			Studio{Rumble: true}, "who_sees_later", "who_sees_open_later", long[:140] + "…", true},
	} {
		p := NewPublishing(ids, Card{ID: "A"}, NewForm(ids, WithDefaults(store.Metadata{}, "", "ru", true), true),
			c.studio, nil)
		p.Read(ids, c.sent, morning)
		if len(p.Previews) != 2 || p.Previews[0].Who != c.youtube || p.Previews[1].Who != c.rumble ||
			p.Previews[0].Title != c.title || p.Previews[0].Cut != c.cut {
			t.Errorf("%s: got %+v; want %s, %s, %q, cut %v", name, p.Previews, c.youtube, c.rumble, c.title, c.cut)
		}
	}
	p := NewPublishing(ids, Card{ID: "A", Publications: []Publication{{Platform: "RUMBLE"}}},
		NewForm(ids, store.Metadata{}, true), Studio{}, nil)
	if len(p.Previews) != 1 || p.Previews[0].Platform != "YOUTUBE" {
		t.Errorf("got %+v; want a preview of the platform that it is not on", p.Previews)
	}
	if got := exactly(english, time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC)); got != "24 Dec 2026, 18:00 (UTC)" {
		t.Errorf("got %q", got)
	}
}

func TestAPublicationSaysHowFarItIs(t *testing.T) {
	later := morning.Add(time.Hour)
	for want, p := range map[string]Publication{
		"Waiting":           {Status: "PENDING", Step: "quota"},
		"Action needed":     {Status: "PENDING", Step: "manual"},
		"Scheduled":         {Status: "PENDING", Step: "scheduled"},
		"Uploading":         {Status: "PROCESSING", Step: "uploading"},
		"Processing":        {Status: "PROCESSING", Step: "processing"},
		"Publishing":        {Status: "PROCESSING"},
		"Published":         {Status: "COMPLETED"},
		"Published by hand": {Status: "COMPLETED", Step: "manual"},
		"Unclear":           {Status: "FAILED", Step: "unknown"},
		"Failed":            {Status: "FAILED", Step: "edit"},
	} {
		p.explain(english)
		if p.State != want {
			t.Errorf("%s %s: got %q; want %q", p.Status, p.Step, p.State, want)
		}
	}
	public := Publication{Status: "COMPLETED", Ahead: true, PublishAt: later}
	if public.explain(english); public.State != "Scheduled" {
		t.Errorf("got %q; want that it is public later", public.State)
	}
	for _, c := range []struct {
		p                      Publication
		removes, deletes, sent bool
	}{
		{Publication{Platform: "YOUTUBE", Status: "COMPLETED", RemoteID: "a", Changed: true}, true, true, true},
		{Publication{Platform: "YOUTUBE", Status: "FAILED", Step: "rejected", RemoteID: "a", Changed: true}, true,
			true, false},
		{Publication{Platform: "YOUTUBE", Status: "PROCESSING", RemoteID: "a"}, true, true, false},
		{Publication{Platform: "YOUTUBE", Status: "PROCESSING"}, false, false, false},
		{Publication{Platform: "YOUTUBE", Status: "PENDING"}, true, false, false},
		{Publication{Platform: "YOUTUBE", Status: "PENDING", Sent: 1}, false, false, false},
		{Publication{Platform: "RUMBLE", Status: "COMPLETED", RemoteID: "a", Changed: true}, true, false, false},
	} {
		c.p.MayChange = true
		if c.p.CanRemove() != c.removes || c.p.Deletes() != c.deletes || c.p.CanUpdate() != c.sent {
			t.Errorf("%+v: got %v, %v, %v; want %v, %v, %v", c.p, c.p.CanRemove(), c.p.Deletes(), c.p.CanUpdate(),
				c.removes, c.deletes, c.sent)
		}
		if c.p.MayChange = false; c.p.CanRemove() || c.p.CanUpdate() {
			t.Errorf("%+v: got buttons for somebody else's", c.p)
		}
	}
}

func TestWarningsAreSentencesWhereTheyCanBe(t *testing.T) {
	p := Publication{Warning: "youtube thumbnail-forbidden: no\nyoutube playlist-playlistNotFound: gone\nyoutube privacy-private: asked for public\nsomething else"}
	p.explain(ids)
	if want := []string{"youtube_verify", "youtube_playlist_unknown", "youtube_privacy",
		"something else"}; !slices.Equal(p.Warnings, want) || !p.Worded() {
		t.Errorf("got %q; want %q", p.Warnings, want)
	}
}

func TestATitleIsTypedBeforeItIsDeleted(t *testing.T) {
	there := Publication{Platform: "YOUTUBE", Status: "COMPLETED", RemoteID: "a",
		Metadata: store.Metadata{Title: "A greeting"}}
	for typed, want := range map[string]bool{"A greeting": true, " A  greeting ": true, "a greeting": false,
		"": false} {
		r := NewRemoval(Card{ID: "A"}, there)
		if got := r.Confirmed(ids, typed); got != want || (r.Fault == "") != want {
			t.Errorf("%q: got %v, %q; want %v", typed, got, r.Fault, want)
		}
	}
	if r := NewRemoval(Card{ID: "A"}, Publication{Platform: "RUMBLE", Status: "COMPLETED", RemoteID: "a"}); !r.Confirmed(ids, "") {
		t.Errorf("got %+v; want nothing typed for what is not deleted from here", r)
	}
}

func TestChannel_WarnsBeforeItsAccessEnds(t *testing.T) {
	for name, c := range map[string]struct {
		state       string
		in          time.Duration // until it ends; 0: the platform did not say
		later, soon bool
	}{
		"in a week":           {"CONNECTED", 7 * 24 * time.Hour, true, false},
		"in two days":         {"CONNECTED", 48 * time.Hour, true, false},
		"tomorrow":            {"CONNECTED", 47 * time.Hour, true, true},
		"an hour ago":         {"CONNECTED", -time.Hour, false, false},
		"nobody knows":        {"CONNECTED", 0, false, false},
		"of one that ended":   {"ENDED", time.Hour, false, false},
		"of one disconnected": {"DISCONNECTED", time.Hour, false, false},
	} {
		channel := store.Channel{State: c.state}
		if c.in != 0 {
			channel.Ends = morning.Add(c.in)
		}
		got := NewChannels(ids, []store.Channel{channel}, Studio{}, true, morning).Channels[0]
		if got.EndsLater() != c.later || got.Soon() != c.soon {
			t.Errorf("%s: got %v, %v; want %v, %v", name, got.EndsLater(), got.Soon(), c.later, c.soon)
		}
	}
}

func TestChannels_NoneIsAListInJSON(t *testing.T) {
	if got := NewChannels(ids, nil, Studio{}, true, morning).Channels; got == nil {
		t.Error("got null; want an empty list")
	}
}

func TestFormsMayLeadToOneHostOnly(t *testing.T) {
	for address, want := range map[string]string{"https://accounts.google.com/o/oauth2/v2/auth": "https://accounts.google.com", "http://127.0.0.1:8090/x": "http://127.0.0.1:8090",
		"": "", "javascript:alert(1)": "", "/path": "", "https:///x": ""} {
		h := map[string][]string{}
		AllowForms(h, address)
		got := strings.Join(h["Content-Security-Policy"], "")
		if got != "" && !strings.Contains(got, "form-action 'self' "+want+";") || (got == "") != (want == "") {
			t.Errorf("%q: got %q; want %q", address, got, want)
		}
	}
}

func TestPublishing_TheFirstChannelThatTakesVideosIsChosen(t *testing.T) {
	channel := func(id int64, state string) store.Channel {
		return store.Channel{ID: id, Platform: "YOUTUBE", State: state}
	}
	ended, gone, ours, theirs := channel(1, "ENDED"), channel(2, "DISCONNECTED"), channel(3, "CONNECTED"),
		channel(4, "CONNECTED")
	for name, c := range map[string]struct {
		channels []store.Channel
		want     int64
	}{
		"none": {nil, 0}, "ended": {[]store.Channel{ended}, 0}, "disconnected": {[]store.Channel{gone}, 0},
		"ended, connected": {[]store.Channel{ended, ours},
			3}, "disconnected, connected": {[]store.Channel{gone, ours}, 3},
		"connected, ended": {[]store.Channel{ours, ended}, 3}, "two": {[]store.Channel{ended, gone, theirs, ours}, 4},
	} {
		p := NewPublishing(ids, Card{ID: "A"}, NewForm(ids, WithDefaults(store.Metadata{}, "", "ru", true), true),
			Studio{YouTube: true}, c.channels)
		if s := p.Spots[0]; s.Channel != c.want || s.On != (c.want != 0) {
			t.Errorf("%s: got channel %d, YouTube %v; want channel %d", name, s.Channel, s.On, c.want)
		}
	}
}
