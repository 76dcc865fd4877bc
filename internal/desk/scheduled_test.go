package desk

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/publish"
	"retake.example/internal/store"
)

func TestScheduled_ListsAMonthInOrderAndByDay(t *testing.T) {
	at := func(day, hour int) time.Time { return time.Date(2026, 12, day, hour, 0, 0, 0, time.UTC) }
	list := []store.Scheduled{
		{AssetID: "A", Name: "Лето", Publication: store.Publication{Platform: "TELEGRAM", PublishAt: at(1, 9)}},
		{AssetID: "B", Name: "Зима", Channel: "News",
			Publication: store.Publication{Platform: "YOUTUBE", PublishAt: at(31, 23)}},
	}
	english := func(id string, vars Vars) string {
		if id == "weekdays" {
			return "Mon Tue Wed Thu Fri Sat Sun"
		}
		return ids(id, vars)
	}
	got := NewScheduled(english, at(1, 0), morning, list)
	if got.Before != "2026-11" || got.Month != "2026-12" || got.After != "2027-01" || len(got.List) != 2 ||
		got.List[1].Name != "Зима" {
		t.Errorf("got %+v", got)
	}
	days := 0
	for _, week := range got.Weeks {
		if len(week) != 7 {
			t.Errorf("got a week of %d days", len(week))
		}
		for i, day := range week {
			if day.Number == 0 {
				continue
			}
			days++
			if want := time.Weekday((i + 1) % 7); at(day.Number, 0).Weekday() != want {
				t.Errorf("the %d. stands on %v", day.Number, want)
			}
			if n := len(day.List); n != map[int]int{1: 1, 31: 1}[day.Number] || day.Today != (day.Number == 20) {
				t.Errorf("got %+v", day)
			}
		}
	}
	if days != 31 {
		t.Errorf("got %d days", days)
	}
}

func TestScheduled_RefusesWhatIsNoMonth(t *testing.T) {
	r := newRig(t)
	for query, want := range map[string]int{"": 200, "month=2026-12": 200, "month=soon": 422, "month=2026-13": 422} {
		if got := r.do(r.Scheduled, sent{method: "GET", path: "/scheduled?" + query, json: true}); got.Code != want {
			t.Errorf("%q: got %d %s; want %d", query, got.Code, got.Body, want)
		}
	}
}

func TestMove_ReadsATimeOrSaysWhatIsWrongWithIt(t *testing.T) {
	r := newRig(t)
	id := r.finished(7, "Лето")
	r.mutate(`INSERT INTO publications (asset_id, platform, creator, created, step, metadata, publish_at)
		VALUES (?, 'TELEGRAM', 7, 0, 'scheduled', '{"title": "A", "privacy": "public"}', 4070908800000)`, id)
	tomorrow := time.Now().UTC().Add(24 * time.Hour).Format("2006-01-02T15:04")
	for form, want := range map[string]int{
		"when=later&at=" + tomorrow + "&zone=UTC":           200,
		"when=later&at=" + tomorrow + "&zone=Europe/Moscow": 200,
		"when=now":                      200,
		"when=later&at=":                422,
		"at=2020-01-01T00:00":           422,
		"at=soon":                       422,
		"at=" + tomorrow + "&zone=Mars": 422,
	} {
		r.out.calls = nil
		got := r.do(r.UpdatePublished, sent{id: id, body: "platform=TELEGRAM&do=move&" + form, json: true})
		called := strings.Contains(strings.Join(r.out.calls, " "), "reschedule")
		if got.Code != want || called != (want == 200) {
			t.Errorf("%s: got %d %s, calls %v; want %d", form, got.Code, got.Body, r.out.calls, want)
		}
		if zero := r.out.at.IsZero(); want == 200 && zero != (form == "when=now") {
			t.Errorf("%s: got %v", form, r.out.at)
		}
	}
}

func TestCanMove_WhatWaitsHereOrThere(t *testing.T) {
	for want, list := range map[bool][]Publication{
		true: {{Platform: "YOUTUBE", Status: "COMPLETED", RemoteID: "a"}, {Platform: "RUMBLE", Status: "PENDING",
			Step: "scheduled"}, {Platform: "YOUTUBE", Status: "PENDING"}},
		false: {{Platform: "TELEGRAM", Status: "COMPLETED", RemoteID: "a"}, {Platform: "YOUTUBE", Status: "PROCESSING"},
			{Platform: "YOUTUBE", Status: "PENDING", Sent: 1}, {Platform: "RUMBLE", Status: "FAILED"}},
	} {
		for _, p := range list {
			if p.MayChange, p.Ahead = true, true; p.CanMove() != want {
				t.Errorf("%+v: got %v", p, !want)
			}
			if p.Ahead = false; p.CanMove() {
				t.Errorf("%+v: its time has come", p)
			}
		}
	}
}

func TestDefaults_BeginTheFormAndWhatIsSavedStays(t *testing.T) {
	r := newRig(t)
	var channel int64
	if err := r.store.Tx(t.Context(), func(tx *store.Tx) (err error) {
		channel, err = tx.Connect(store.Channel{Platform: "YOUTUBE", External: "UC1", Title: "Ours", Creator: 8}, []byte("x"))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	form := "description=Words&tags=a,+b&language=pt-br&made_for_kids=yes&privacy=unlisted&playlist=PL12"
	if got := r.do(r.SaveDefaults, sent{id: "1", body: form, json: true}); got.Code != http.StatusOK {
		t.Fatalf("got %d %s", got.Code, got.Body)
	}
	for bad, field := range map[string]string{"privacy=friends": "privacy", "tags=<": "tags",
		"language=in+words": "language", "playlist=?": "playlist", "made_for_kids=perhaps": "made_for_kids"} {
		got := r.do(r.SaveDefaults, sent{id: "1", body: bad, json: true})
		if got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), `"`+field+`"`) {
			t.Errorf("%s: got %d %s", bad, got.Code, got.Body)
		}
	}
	id := r.finished(7, "Лето")
	want := `"description":"Words","tags":"a, b","language":"pt-BR","made_for_kids":"yes","privacy":"unlisted"`
	if got := r.do(r.Asset, sent{id: id, json: true}).Body.String(); !strings.Contains(got, want) {
		t.Errorf("got %s; want %s", got, want)
	}
	r.mutate(`UPDATE assets SET metadata = '{"title": "T", "privacy": "private", "language": "ru"}' WHERE id = ?`, id)
	if got := r.do(r.Asset, sent{id: id, json: true}).Body.String(); strings.Contains(got, "Words") {
		t.Errorf("got %s; want what is saved", got)
	}

	// Like last time is without the description, which may name a child.
	r.mutate(`UPDATE channels SET defaults = '{"like_last_time": true, "description": "Words"}'`)
	r.mutate(`INSERT INTO publications (asset_id, platform, channel_id, creator, created, metadata)
		VALUES (?, 'YOUTUBE', ?, 7, 0,
			'{"title": "T", "description": "For Masha", "tags": "c", "privacy": "public", "made_for_kids": "no"}')`,
		id, channel)
	other := r.finished(7, "Зима")
	want = `"description":"Words","tags":"c","language":"","made_for_kids":"no","privacy":"public"`
	got := strings.Replace(r.do(r.Asset, sent{id: other, json: true}).Body.String(), `"language":"en"`, `"language":""`, 1)
	if !strings.Contains(got, want) || strings.Contains(got, "Masha") {
		t.Errorf("got %s; want %s", got, want)
	}
}

func TestConnect_ATelegramChannelByItsName(t *testing.T) {
	r := newRig(t)
	got := r.do(r.Connect, sent{body: "platform=TELEGRAM&name=@news", json: true})
	if got.Code != http.StatusOK || strings.Join(r.out.calls, " ") != "join" {
		t.Errorf("got %d %s, calls %v", got.Code, got.Body, r.out.calls)
	}
}

func TestPublishing_NothingIsChosenWhereEverybodySeesIt(t *testing.T) {
	channels := []store.Channel{{ID: 1, Platform: "YOUTUBE", State: "CONNECTED"}, {ID: 2, Platform: "TELEGRAM",
		State: "CONNECTED"}}
	form := func() *Form { return NewForm(ids, WithDefaults(store.Metadata{}, "", "ru", true), true) }
	p := NewPublishing(ids, Card{ID: "A"}, form(), Studio{YouTube: true, Telegram: true}, channels)
	for _, s := range p.Spots {
		if s.On != (s.ID == "YOUTUBE") {
			t.Errorf("%s: got %v", s.ID, s.On)
		}
	}
	sent := map[string]string{"telegram": "yes", "title": "A", "made_for_kids": "no", "privacy": "public",
		"at": "2026-12-24T18:00"}
	if p.Read(ids, sent, morning); p.Form.Faults != nil {
		t.Fatalf("got %v", p.Form.Faults)
	}
	if got := p.Targets(); len(got) != 1 || got[0].Platform != "TELEGRAM" || got[0].Channel != 2 ||
		got[0].Step != "scheduled" {
		t.Errorf("got %+v; want that the queue posts it at its time", got)
	}
	sent["privacy"] = "unlisted"
	if p.Read(ids, sent, morning); p.Form.Faults["telegram"] != "fault_not_public" {
		t.Errorf("got %v; want that only what is public goes there", p.Form.Faults)
	}
}

func TestLinkOf_LeadsToTheProjectThatIsMeant(t *testing.T) {
	const console = "https://console.developers.google.com/apis/api/youtube.googleapis.com/overview?project=12345"
	for problem, want := range map[string]string{
		"youtube accessNotConfigured: not used before. Enable it by visiting " + console + " then retry": console,
		"youtube invalid_client: no":  "https://console.cloud.google.com/apis/credentials",
		"youtube quotaExceeded: no":   "",
		"rumble badToken: " + console: "",
	} {
		p := Publication{Status: "FAILED", Error: problem}
		if p.explain(ids); p.Link != want {
			t.Errorf("%s: got %q; want %q", problem, p.Link, want)
		}
	}
}

func TestEnded_CountsWhatWaitsForADisconnectedChannel(t *testing.T) {
	r := newRig(t)
	id := r.finished(7, "Лето")
	r.mutate(`INSERT INTO channels (id, platform, external_id, title, state, creator, connected, checked)
		VALUES (1, 'TELEGRAM', '-1001', 'News', 'DISCONNECTED', 8, 0, 0),
			(2, 'TELEGRAM', '-1002', 'Old', 'DISCONNECTED', 8, 0, 0)`)
	r.mutate(`INSERT INTO publications
			(asset_id, platform, channel_id, creator, created, status, step, error, started, completed)
		VALUES (?, 'TELEGRAM', 1, 7, 0, 'FAILED', 'reconnect', 'telegram disconnected: x', 1, 2)`, id)
	got := r.do(r.Library, sent{json: true}).Body.String()
	if !strings.Contains(got, `"title":"News","state":"DISCONNECTED"`) || !strings.Contains(got, `"waiting":1`) ||
		strings.Contains(got, `"title":"Old"`) {
		t.Errorf("got %s; want the channel that a publication waits for", got)
	}
	r.mutate(`INSERT INTO channels (platform, external_id, title, state, token, creator, connected, checked, ends)
		VALUES ('YOUTUBE', 'UC1', 'Soon', 'CONNECTED', x'00', 8, 0, 0, ?),
			('YOUTUBE', 'UC2', 'Late', 'CONNECTED', x'00', 8, 0, 0, ?)`,
		time.Now().Add(time.Hour).UnixMilli(), time.Now().Add(72*time.Hour).UnixMilli())
	page := r.do(r.Library, sent{}).Body.String()
	if !strings.Contains(page, "Google will soon end access to Soon") || strings.Contains(page, "access to Late") {
		t.Errorf("got %s; want a warning about the access that ends", page)
	}
	if !strings.Contains(page, "The channel News is disconnected.") ||
		!strings.Contains(page, "1 publication waits for it.") {
		t.Errorf("got %s", page)
	}
}

func TestPlaces_HaveAllTheirWords(t *testing.T) {
	r := newRig(t)
	for _, p := range publish.Places {
		if page := r.do(r.Library, sent{}).Body.String(); !strings.Contains(page, `id="i-`+p.Icon+`"`) {
			t.Errorf("%s has no icon", p.ID)
		}
		if platformOf(p.Key()+"_x") != p.Name || messageOf(p.Key()) == "" || messageOf(p.Key()+"_unreachable") == "" {
			t.Errorf("%s: its errors have no words", p.ID)
		}
	}
}

func TestPages_ShowChannelsSchedulesAndAnotherTime(t *testing.T) {
	r := newRig(t)
	id := r.finished(8, "Лето")
	r.mutate(`INSERT INTO channels (id, platform, external_id, title, state, token, creator, connected, checked, defaults)
		VALUES (1, 'TELEGRAM', '-1001', 'News', 'CONNECTED', x'', 8, 0, 0, '{"tags": "a, b"}'),
			(2, 'YOUTUBE', 'UC1', 'Ours', 'CONNECTED', x'00', 8, 0, 0, '{}'),
			(3, 'YOUTUBE', 'UC2', 'Theirs', 'CONNECTED', x'00', 8, 0, 0, '{}')`)
	r.mutate(`INSERT INTO publications (asset_id, platform, channel_id, creator, created, step, metadata, publish_at)
		VALUES (?, 'TELEGRAM', 1, 8, 0, 'scheduled', '{"title": "A", "privacy": "public"}', 4070908800000)`, id)
	other := r.finished(8, "Зима")
	for _, page := range []struct {
		name  string
		h     Handler
		s     sent
		wants []string
	}{
		{"channels", r.Channels, sent{}, []string{"News", "Ours", `action="/channels/1/defaults"`, `value="a, b"`,
			`placeholder="@channel"`, `href="/scheduled"`}},
		{"scheduled", r.Scheduled, sent{path: "/scheduled?month=2099-01"}, []string{"Лето", "News", "Jan 2099",
			`class="month"`, "month=2098-12", "month=2099-02"}},
		{"asset", r.Asset, sent{id: id}, []string{`name="do" value="move"`, "Another time…", "#i-telegram"}},
		{"publish", r.AskPublish, sent{id: other, path: "/assets/x/publish?channel=3"}, []string{
			`name="telegram" value="yes"`, `<option value="3" selected>`, `href="?channel=2"`, `name="rumble"`}},
	} {
		page.s.method = http.MethodGet
		got := r.do(page.h, page.s)
		for _, want := range page.wants {
			if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), want) {
				t.Errorf("%s: got %d %s; want %q", page.name, got.Code, got.Body, want)
			}
		}
	}
	refused := r.do(r.UpdatePublished, sent{id: id, body: "platform=TELEGRAM&do=move&at=2020-01-01T00:00&zone=Asia/Tokyo"})
	for _, want := range []string{`id="at-fault"`, `value="2020-01-01T00:00"`, `value="Asia/Tokyo"`, "Asia/Tokyo."} {
		if refused.Code != http.StatusUnprocessableEntity || !strings.Contains(refused.Body.String(), want) {
			t.Errorf("got %d %s; want %q", refused.Code, refused.Body, want)
		}
	}
	bad := r.do(r.SaveDefaults, sent{id: "1", body: "tags=%3C&privacy=public"})
	if bad.Code != http.StatusUnprocessableEntity || !strings.Contains(bad.Body.String(), `id="tags-fault"`) {
		t.Errorf("got %d %s; want what is wrong at its field", bad.Code, bad.Body)
	}
}

// TestPages_AFurtherPlatformIsOnAllOfThem adds one that nobody has heard of.
func TestPages_AFurtherPlatformIsOnAllOfThem(t *testing.T) {
	before := publish.Places
	t.Cleanup(func() { publish.Places = before })
	publish.Places = append(slices.Clone(before), publish.Place{ID: "CLIPS", Name: "Clips & Co", Icon: "film", Channels: true,
		Changes: true})
	r := newRig(t)
	r.out.others = map[string]bool{"CLIPS": true}
	r.mutate(`INSERT INTO channels (id, platform, external_id, title, state, token, error, creator, connected, checked)
		VALUES (1, 'CLIPS', 'a', 'Short ones', 'CONNECTED', x'', NULL, 8, 0, 0), (2, 'CLIPS', 'b', 'Long ones', 'ENDED', x'', 'no', 8, 0, 0)`)
	id, other := r.finished(8, "Лето"), r.finished(8, "Зима")
	r.published(id, "CLIPS")
	for _, page := range []struct {
		name  string
		h     Handler
		s     sent
		wants []string
	}{
		{"channels", r.Channels, sent{}, []string{"Clips &amp; Co", "Short ones", "Access to Clips &amp; Co has ended.",
			`name="platform" value="CLIPS"`, `id="clips-name"`, `href="/channels/2/disconnect"`}},
		{"publish", r.AskPublish, sent{id: other}, []string{`name="clips" value="yes"`, "Clips &amp; Co"}},
		{"library", r.Library, sent{path: "/?platform=CLIPS"}, []string{"Лето", `<option value="CLIPS" selected>Clips &amp; Co`,
			"#i-film"}},
		{"asset", r.Asset, sent{id: id}, []string{`id="on-CLIPS"`, `/unpublish?platform=CLIPS`}},
	} {
		page.s.method = http.MethodGet
		got := r.do(page.h, page.s)
		for _, want := range page.wants {
			if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), want) {
				t.Errorf("%s: got %d %s; want %q", page.name, got.Code, got.Body, want)
			}
		}
	}
	if list := r.do(r.Library, sent{method: http.MethodGet, path: "/?platform=CLIPS"}).Body.String(); strings.Contains(list, "Зима") {
		t.Error("got a video that is not there")
	}
	if w := r.do(r.Connect, sent{body: "platform=CLIPS&name=@c"}); w.Code != http.StatusSeeOther || !slices.Contains(r.out.calls, "join") {
		t.Errorf("got %d, %v; want the channel connected", w.Code, r.out.calls)
	}
	say := func(id string, vars Vars) string { return lang.Say("en", id, vars) }
	for code, want := range map[string]string{"clips_unreachable": "The connection to Clips & Co broke",
		"clips_something": "The video could not be published", "clips_not_public": "Clips & Co"} {
		if got := Reason(say, code, "no", ""); !strings.Contains(got, want) {
			t.Errorf("%s: got %q; want %q in it", code, got, want)
		}
	}
}
