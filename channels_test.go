// Tests of publishing on the page: the form, what becomes of a publication, and the channels.

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"retake.example/internal/desk"
	"retake.example/internal/publish"
	"retake.example/internal/store"
)

// agency publishes on platforms that nobody has: what is asked of it, it notes in the store.
type agency struct {
	store *store.Store
	about desk.Studio
	err   error      // what everything ends in; nil: it works
	query url.Values // of the last answer
	asked int64      // channel
	kept  publish.Keep
}

func (a *agency) About(context.Context) (desk.Studio, error) { return a.about, nil }

func (a *agency) HandPage(string) string { return a.about.RumblePage }

func (a *agency) Tells(platform string) bool { return platform != "RUMBLE" }

func (a *agency) note(ctx context.Context, e store.Event, do func(tx *store.Tx) error) error {
	if a.err != nil {
		return a.err
	}
	return a.store.Tx(ctx, func(tx *store.Tx) error {
		if do != nil {
			if err := do(tx); err != nil {
				return err
			}
		}
		return tx.Note(e)
	})
}

func (a *agency) Ask(_ context.Context, _ [32]byte, channel int64) (string, error) {
	a.asked = channel
	return a.about.Consent + "?state=s", a.err
}

func (a *agency) Answer(ctx context.Context, _ [32]byte, query url.Values, admin store.Admin) (c store.Channel, err error) {
	a.query = query
	c = store.Channel{Platform: "YOUTUBE", External: "UC1", Title: "Our greetings", Creator: admin.ID}
	return c, a.note(ctx, store.Event{Admin: &admin.ID, Action: "connect"}, func(tx *store.Tx) (err error) {
		c.ID, err = tx.Connect(c, []byte("sealed"))
		return err
	})
}

func (a *agency) Check(ctx context.Context, channel int64, admin store.Admin) error {
	return a.note(ctx, store.Event{Admin: &admin.ID, Action: "check"}, func(tx *store.Tx) error { return tx.Checked(channel, "Our greetings") })
}

func (a *agency) Disconnect(ctx context.Context, channel int64, admin store.Admin) error {
	return a.note(ctx, store.Event{Admin: &admin.ID, Action: "disconnect"}, func(tx *store.Tx) error { return tx.Disconnect(channel, "youtube disconnected") })
}

func (a *agency) Update(ctx context.Context, assetID, platform string, keep publish.Keep, admin store.Admin) error {
	if a.kept = keep; keep != "" {
		a.err = nil
	}
	return a.note(ctx, store.Event{Admin: &admin.ID, Action: "update", AssetID: assetID, Platform: platform}, func(tx *store.Tx) error {
		p, err := tx.Publication(assetID, platform)
		if err != nil {
			return err
		}
		asset, err := tx.Asset(assetID)
		if err != nil {
			return err
		}
		return tx.Changed(p, assetID, asset.Metadata, p.PublishAt, nil)
	})
}

func (a *agency) Remove(ctx context.Context, assetID, platform string, admin store.Admin) (deleted bool, err error) {
	return platform == "YOUTUBE", a.note(ctx, store.Event{Admin: &admin.ID, Action: "unpublish", AssetID: assetID, Platform: platform}, func(tx *store.Tx) error {
		if err := tx.Unpublish(assetID, platform); err != nil {
			return err
		}
		_, err := tx.LetGo(assetID)
		return err
	})
}

func (a *agency) MarkPublished(ctx context.Context, assetID, platform, url string, admin store.Admin) error {
	return a.note(ctx, store.Event{Admin: &admin.ID, Action: "mark published", AssetID: assetID, Platform: platform}, func(tx *store.Tx) error { return tx.MarkPublished(assetID, platform, url, "") })
}

func (a *agency) PublishAgain(ctx context.Context, assetID, platform string, admin store.Admin) error {
	return a.note(ctx, store.Event{Admin: &admin.ID, Action: "update", AssetID: assetID, Platform: platform}, nil)
}

func (a *agency) Postpone(ctx context.Context, assetID, platform string, _, at time.Time, admin store.Admin) error {
	e := store.Event{Admin: &admin.ID, Action: "reschedule", AssetID: assetID, Platform: platform}
	return a.note(ctx, e, func(tx *store.Tx) error {
		p, err := tx.Publication(assetID, platform)
		if err != nil {
			return err
		}
		return tx.MoveTo(assetID, p, at, platform != "YOUTUBE")
	})
}

func (a *agency) Join(ctx context.Context, _, name string, admin store.Admin) (c store.Channel, err error) {
	c = store.Channel{Platform: "TELEGRAM", External: "-1001", Title: name, Creator: admin.ID}
	e := store.Event{Admin: &admin.ID, Action: "connect", Platform: "TELEGRAM"}
	err = a.note(ctx, e, func(tx *store.Tx) (err error) {
		c.ID, err = tx.Connect(c, []byte{})
		return err
	})
	return c, err
}

func (a *agency) Accept(ctx context.Context, assetID, platform string, admin store.Admin) error {
	return a.note(ctx, store.Event{Admin: &admin.ID, Action: "accept", AssetID: assetID, Platform: platform}, func(tx *store.Tx) error {
		p, err := tx.Publication(assetID, platform)
		if err != nil {
			return err
		}
		return tx.Accept(assetID, p)
	})
}

// studio is the agency of an office.
func (d *office) studio() *agency { return d.opts.Platforms.(*agency) }

// channel connects a channel of an office.
func (d *office) channel(external, title string) (id int64) {
	d.t.Helper()
	write(d.t, d.store, func(tx *store.Tx) (err error) {
		id, err = tx.Connect(store.Channel{Platform: "YOUTUBE", External: external, Title: title, Creator: 8}, []byte("sealed"))
		return err
	})
	return id
}

// reply is what a form that wants JSON is answered with.
type reply struct {
	Success bool
	Outcome string
	URL     string
	Error   struct {
		Code, Message string
		Fields        map[string]string
	}
}

func (d *office) post(session, path string, form url.Values) (status int, a reply) {
	d.t.Helper()
	w := d.send(call{method: "POST", path: path, session: session, body: form.Encode(), json: true, header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}})
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		d.t.Fatalf("%s: got %d %s; want JSON", path, w.Code, w.Body)
	}
	return w.Code, a
}

// ready makes a finished video of admin 7.
func (d *office) ready(name string) (id string) {
	d.t.Helper()
	id = madeByAdmin(d.t.(*testing.T), d.store, 7, name, strings.ToLower(name)).ID
	d.filmed("video", "thumb")
	return id
}

func TestPublishing(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	id, channel := d.ready("Маша"), d.channel("UC1", "Our greetings")
	session := d.signIn(7)
	page := d.want(200, d.send(call{method: "GET", path: "/assets/" + id + "/publish", session: session}))
	for _, want := range []string{"To the channel Our greetings.", "<strong>93</strong> of 100 uploads", "You upload it yourself", `name="at"`, "This is the time in UTC.", `name="made_for_kids" value="yes"`, "Who sees it:", `src="/thumbs/` + id, `name="category"`} {
		if !strings.Contains(page, want) {
			t.Errorf("got %s; want %q in it", page, want)
		}
	}
	if strings.Contains(page, `name="channel"`) {
		t.Error("got a choice of channels; want none, for there is one")
	}

	before := d.tables()
	status, a := d.post(session, "/assets/"+id+"/publish", url.Values{"youtube": {"yes"}, "at": {"2020-01-01T00:00"}})
	if status != 422 || a.Error.Code != "INVALID" || len(a.Error.Fields) != 3 || a.Error.Fields["title"] == "" || a.Error.Fields["made_for_kids"] == "" || a.Error.Fields["at"] == "" {
		t.Errorf("got %d %+v; want what is wrong at each field", status, a)
	}
	page = d.want(422, d.send(call{method: "POST", path: "/assets/" + id + "/publish", session: session, body: "title=%3Cb%3E&rumble=yes&at=soon"}))
	for _, want := range []string{`value="&lt;b&gt;"`, `id="title-fault"`, `name="rumble" value="yes" checked`, `id="at-fault"`, `value="soon"`, "Nothing was saved"} {
		if !strings.Contains(page, want) {
			t.Errorf("got %s; want %q in it", page, want)
		}
	}
	if d.tables() != before {
		t.Error("something was kept of what was refused")
	}

	form := url.Values{"youtube": {"yes"}, "rumble": {"yes"}, "title": {"A greeting"}, "description": {"One"}, "tags": {"a, b"}, "made_for_kids": {"yes"}, "privacy": {"public"},
		"synthetic": {"yes"}, "when": {"later"}, "at": {time.Now().UTC().Add(24 * time.Hour).Format("2006-01-02T15:04")}, "zone": {"UTC"}}
	if status, a := d.post(session, "/assets/"+id+"/publish", form); status != 200 || a.Outcome != "publishing" {
		t.Fatalf("got %d %+v; want it in the queue", status, a)
	}
	all, err := d.store.Publications(t.Context(), id)
	if err != nil || len(all[id]) != 2 {
		t.Fatalf("got %+v, %v; want two publications", all, err)
	}
	tube, rumble := all[id][0], all[id][1]
	want := store.Metadata{Title: "A greeting", Description: "One", Tags: "a, b", Language: "ru", Kids: "yes", Privacy: "public", Category: "22", Synthetic: "yes", Notify: "no"}
	if tube.Platform != "YOUTUBE" || tube.Channel != channel || tube.Creator != 7 || tube.Status != store.Pending || tube.Metadata != want || time.Until(tube.PublishAt) < 23*time.Hour {
		t.Errorf("got %+v; want it to wait for YouTube with %+v", tube, want)
	}
	if rumble.Platform != "RUMBLE" || rumble.Step != "manual" || !rumble.PublishAt.IsZero() || rumble.Metadata != want {
		t.Errorf("got %+v; want it to wait for an admin", rumble)
	}
	if n := count(t, d.store, `SELECT count(*) FROM jobs WHERE kind = 'PUBLISH' AND publication_id = ?`, tube.ID); n != 1 {
		t.Errorf("got %d jobs; want one", n)
	}
	if m := d.detail(session, id).Metadata; *m != want {
		t.Errorf("got %+v saved; want %+v", m, want)
	}
	if n := count(t, d.store, `SELECT count(*) FROM audit WHERE action = 'publish' AND outcome = 'queued' AND admin = 7`); n != 2 {
		t.Errorf("got %d lines of activity; want one a platform", n)
	}
	before = d.tables()
	if status, a := d.post(session, "/assets/"+id+"/publish", form); status != 409 || a.Error.Code != "EXISTS" || d.tables() != before {
		t.Errorf("got %d %+v; want 409 EXISTS and nothing changed", status, a)
	}
	page = d.want(409, d.send(call{method: "POST", path: "/assets/" + id + "/publish", session: session, body: form.Encode()}))
	if !strings.Contains(page, "on every platform already") || d.tables() != before {
		t.Errorf("got %s; want to be told where it is", page)
	}
	if page := d.want(200, d.send(call{method: "GET", path: "/assets/" + id + "/publish", session: session})); strings.Contains(page, "<form class") || !strings.Contains(page, "on every platform already") {
		t.Errorf("got %s; want no form", page)
	}
	words, _ := d.page(session, id)
	for _, want := range []string{"YouTube Waiting", "Rumble Action needed", "Download the video.", "A greeting Copy : Title", "Open the upload page", "Mark as published", "sent it to be published"} {
		if !strings.Contains(words, want) {
			t.Errorf("got %s; want %q in it", words, want)
		}
	}
}

func TestWhatIsTypedOutlivesSomebodyWhoWasFaster(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	id, session := d.ready("Маша"), d.signIn(7)
	form := url.Values{"rumble": {"yes"}, "title": {"A greeting"}, "description": {"Typed for long"}, "made_for_kids": {"no"}, "privacy": {"public"}}
	if status, a := d.post(session, "/assets/"+id+"/publish", form); status != 200 {
		t.Fatalf("got %d %+v; want it in the queue", status, a)
	}
	form.Set("description", "Typed for longer")
	page := d.want(409, d.send(call{method: "POST", path: "/assets/" + id + "/publish", session: session, body: form.Encode()}))
	for _, want := range []string{"Typed for longer", `id="youtube-fault"`, "on that platform already", "Action needed"} {
		if !strings.Contains(page, want) {
			t.Errorf("got %s; want %q in it", page, want)
		}
	}
	if got := d.detail(session, id).Metadata.Description; got != "Typed for long" {
		t.Errorf("got %q saved; want what was published", got)
	}
}

// TestATimeIsNeverOverlooked sends a form as a browser does without a script: a time does not choose itself there.
func TestATimeIsNeverOverlooked(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	id, session := d.ready("Маша"), d.signIn(7)
	d.channel("UC1", "Our greetings")
	form := url.Values{"youtube": {"yes"}, "title": {"A greeting"}, "made_for_kids": {"no"}, "privacy": {"public"}, "when": {"now"}, "at": {"2099-12-24T18:00"}, "zone": {"UTC"}}
	page := d.want(422, d.send(call{method: "POST", path: "/assets/" + id + "/publish", session: session, body: form.Encode()}))
	if !strings.Contains(page, `id="at-fault"`) || !strings.Contains(page, `value="2099-12-24T18:00"`) {
		t.Errorf("got %s; want to be asked", page)
	}
	if n := count(t, d.store, `SELECT count(*) FROM publications`); n != 0 {
		t.Errorf("got %d publications; want none", n)
	}
}

func TestAFailureOrAWaitSaysItsTime(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	id, session := d.ready("Маша"), d.signIn(7)
	channel := d.channel("UC1", "Our greetings")
	mutate(t, d.store, `INSERT INTO publications (asset_id, platform, channel_id, creator, created, metadata, publish_at) VALUES (?, 'YOUTUBE', ?, 7, 0, '{"title": "A", "privacy": "public"}', 4070908800000)`, id, channel)
	if words, _ := d.page(session, id); !strings.Contains(words, "To be public:") {
		t.Errorf("got %s; want when it will be public", words)
	}
	mutate(t, d.store, `UPDATE publications SET status = 'COMPLETED', started = 1, completed = 2`)
	if words, source := d.page(session, id); !strings.Contains(words, "To be public:") || !strings.Contains(source, `data-say="Ready, YouTube: Scheduled"`) {
		t.Errorf("got %s; want it scheduled, also for those who hear the page", source)
	}
	mutate(t, d.store, `UPDATE publications SET status = 'FAILED', error = 'youtube http503: no'`)
	if words, _ := d.page(session, id); strings.Contains(words, "To be public:") {
		t.Errorf("got %s; want no promise of what has failed", words)
	}
}

func TestAFailureIsMendedInOnePress(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	id, session := d.ready("Маша"), d.signIn(7)
	channel := d.channel("UC1", "Our greetings")
	mutate(t, d.store, `INSERT INTO publications (asset_id, platform, channel_id, creator, created, status, step, error, started, completed) VALUES (?, 'YOUTUBE', ?, 7, 0, 'FAILED', 'edit', 'youtube invalidTitle: bad', 1, 2)`, id, channel)
	words, source := d.page(session, id)
	if !strings.Contains(words, "YouTube refuses the title. Change it and try again.") || !strings.Contains(source, `href="/assets/`+id+`?fix=YOUTUBE#metadata"`) || strings.Contains(source, "title-fault") {
		t.Errorf("got %s; want the way to the field", words)
	}
	page := d.want(200, d.send(call{method: "GET", path: "/assets/" + id + "?fix=YOUTUBE", session: session}))
	if !strings.Contains(page, `id="title-fault"`) || strings.Contains(page, "Nothing was saved") || !strings.Contains(page, `name="retry" value="YOUTUBE"`) {
		t.Errorf("got %s; want the field marked, and a button that tries again", page)
	}
	if status, a := d.post(session, "/assets/"+id+"/metadata", url.Values{"title": {"Better"}, "made_for_kids": {"no"}, "retry": {"YOUTUBE"}}); status != 200 || a.Outcome != "restarted" {
		t.Errorf("got %d %+v; want it to be tried again", status, a)
	}
	if got := text(t, d.store, `SELECT status || ' ' || json_extract(metadata, '$.title') FROM publications`); got != "PENDING Better" {
		t.Errorf("got %s; want it PENDING with the new title", got)
	}
}

func TestWhatIsDoneByHandIsMarked(t *testing.T) {
	for _, state := range []string{`'PENDING', 'manual', NULL, NULL, NULL`, `'FAILED', 'unknown', 'rumble answerLost: EOF', 1, 2`} {
		d := newDesk(t, "http://localhost:8080")
		id, session := d.ready("Маша"), d.signIn(7)
		mutate(t, d.store, `INSERT INTO publications (asset_id, platform, creator, created, status, step, error, started, completed) VALUES (?, 'RUMBLE', 7, 0, `+state+`)`, id)
		form := url.Values{"platform": {"RUMBLE"}, "url": {"<not> an address"}}
		d.studio().err = desk.BadURL
		if status, a := d.post(session, "/assets/"+id+"/published", form); status != 422 || !strings.HasPrefix(a.Error.Fields["url"], "That isn’t a valid URL.") {
			t.Errorf("got %d %+v; want what is wrong with the address", status, a)
		}
		page := d.want(422, d.send(call{method: "POST", path: "/assets/" + id + "/published", session: session, body: form.Encode()}))
		if !strings.Contains(page, `id="url-fault"`) || !strings.Contains(page, `value="&lt;not&gt; an address"`) || strings.Contains(page, `id="title-fault"`) {
			t.Errorf("got %s; want the address as it was typed, with what is wrong beside it", page)
		}
		d.studio().err = nil
		form.Set("url", "https://rumble.com/v1.html")
		if status, a := d.post(session, "/assets/"+id+"/published", form); status != 200 || a.Outcome != "published" {
			t.Errorf("got %d %+v; want it published", status, a)
		}
		if words, source := d.page(session, id); !strings.Contains(words, "Rumble Published by hand") || !strings.Contains(source, `href="https://rumble.com/v1.html"`) {
			t.Errorf("got %s; want it published by hand", words)
		}
		if status, a := d.post(session, "/assets/"+id+"/published", form); status != 409 || a.Error.Code != "NOT_FAILED" {
			t.Errorf("got %d %+v; want nothing left to be marked", status, a)
		}
	}
}

func TestWhatIsPublishedIsUpdatedAndTakenBack(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	id, session := d.ready("Маша"), d.signIn(7)
	channel := d.channel("UC1", "Our greetings")
	mutate(t, d.store, `INSERT INTO publications (asset_id, platform, channel_id, creator, created, status, remote_id, remote_url, metadata, started, completed)
		VALUES (?, 'YOUTUBE', ?, 7, 0, 'COMPLETED', 'abc', 'https://youtu.be/abc', '{"title": "A greeting", "privacy": "public"}', 1, 2)`, id, channel)
	if words, _ := d.page(session, id); strings.Contains(words, "Update on") || !strings.Contains(words, "View on YouTube") {
		t.Errorf("got %s; want nothing to update", words)
	}
	// an update would send it
	for _, open := range []url.Values{{"title": {"Another"}}, {"title": {""}, "made_for_kids": {"yes"}}} {
		if status, a := d.post(session, "/assets/"+id+"/metadata", open); status != 422 || len(a.Error.Fields) != 1 {
			t.Errorf("%v: got %d %+v; want it refused at the field that is open", open, status, a)
		}
	}
	d.post(session, "/assets/"+id+"/metadata", url.Values{"title": {"Another"}, "made_for_kids": {"yes"}})
	if words, _ := d.page(session, id); !strings.Contains(words, "Update on YouTube") {
		t.Errorf("got %s; want that it can be updated", words)
	}
	form := url.Values{"platform": {"YOUTUBE"}}
	d.studio().err = errors.New("youtube quotaExceeded: used up")
	if status, a := d.post(session, "/assets/"+id+"/update", form); status != 502 || a.Error.Code != "PLATFORM" || !strings.HasPrefix(a.Error.Message, "The daily limit") {
		t.Errorf("got %d %+v; want what YouTube said, in words", status, a)
	}
	if !strings.Contains(d.log.String(), "youtube quotaExceeded: used up") {
		t.Errorf("got %s; want YouTube's own words in the log", &d.log)
	}
	d.studio().err = nil
	if status, a := d.post(session, "/assets/"+id+"/update", form); status != 200 || a.Outcome != "updated" {
		t.Errorf("got %d %+v; want it updated", status, a)
	}
	if words, _ := d.page(session, id); strings.Contains(words, "Update on") {
		t.Errorf("got %s; want nothing left to update", words)
	}

	page := d.want(200, d.send(call{method: "GET", path: "/assets/" + id + "/unpublish?platform=YOUTUBE", session: session}))
	if !strings.Contains(page, "<strong>Another</strong>") || !strings.Contains(page, "permanently deleted on YouTube") {
		t.Errorf("got %s; want the title to type", page)
	}
	form.Set("title", "A greeting")
	if status, a := d.post(session, "/assets/"+id+"/unpublish", form); status != 422 || a.Error.Fields["title"] != "This is not its title." {
		t.Errorf("got %d %+v; want it kept", status, a)
	}
	page = d.want(422, d.send(call{method: "POST", path: "/assets/" + id + "/unpublish", session: session, body: form.Encode()}))
	if !strings.Contains(page, `value="A greeting"`) || !strings.Contains(page, "This is not its title.") {
		t.Errorf("got %s; want what was typed, and what is wrong with it", page)
	}
	form.Set("title", "Another")
	if status, a := d.post(session, "/assets/"+id+"/unpublish", form); status != 200 || a.Outcome != "unpublished" {
		t.Errorf("got %d %+v; want it deleted", status, a)
	}
	if v := d.detail(session, id); len(v.Asset.Publications) != 0 || !v.Asset.CanPublish {
		t.Errorf("got %+v; want it ready to be published again", v.Asset)
	}
	d.want(404, d.send(call{method: "GET", path: "/assets/" + id + "/unpublish?platform=YOUTUBE", session: session}))
}

func TestChannels(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	owner, other := d.signIn(8), d.signIn(7)
	page := d.want(200, d.send(call{method: "GET", path: "/channels", session: owner}))
	for _, want := range []string{"No YouTube channel yet", "Connect a YouTube channel", "http://localhost:8080/channels/callback", "youtube.com/t/terms", "myaccount.google.com/permissions", "rumble.access_token"} {
		if !strings.Contains(page, want) {
			t.Errorf("got %s; want %q in it", page, want)
		}
	}
	if page := d.want(200, d.send(call{method: "GET", path: "/channels", session: other})); strings.Contains(page, `action="/channels`) || !strings.Contains(page, "Only an owner can connect") {
		t.Errorf("got %s; want no buttons for somebody who is no owner", page)
	}
	w := d.send(call{method: "POST", path: "/channels/connect", session: owner})
	if d.want(303, w); w.Header().Get("Location") != "https://accounts.google.com/o/oauth2/v2/auth?state=s" {
		t.Errorf("got sent to %s; want Google's page", w.Header().Get("Location"))
	}
	if status, a := d.post(owner, "/channels/connect", url.Values{"channel": {"7"}}); status != 200 || a.URL == "" || d.studio().asked != 7 {
		t.Errorf("got %d %+v for %d; want the address for channel 7", status, a, d.studio().asked)
	}
	w = d.send(call{method: "GET", path: "/channels/callback?code=secret&state=s", session: owner})
	if d.want(303, w); w.Header().Get("Location") != "/channels?notice=connected" || d.studio().query.Get("code") != "secret" {
		t.Errorf("got sent to %s with %v; want the page of the channels", w.Header().Get("Location"), d.studio().query)
	}
	for _, c := range []struct {
		err     error
		status  int
		code    string
		message string
	}{
		{desk.Denied, 403, "DENIED", "access was declined"},
		{desk.OldState, 403, "OLD_STATE", "last ten minutes"},
		{desk.NoRefresh, 409, "NO_REFRESH", "one hour only"},
		{desk.NoChannel, 409, "NO_CHANNEL", "no YouTube channel"},
		{desk.OtherChannel("Ours", "<Theirs>"), 409, "OTHER_CHANNEL", "That was <Theirs>, and Ours is to be reconnected."},
		{errors.New("youtube insufficientPermissions: no"), 502, "PLATFORM", "leave all boxes ticked"},
	} {
		d.studio().err = fmt.Errorf("answer: %w", c.err)
		page := d.want(c.status, d.send(call{method: "GET", path: "/channels/callback?code=secret", session: owner}))
		if !strings.Contains(html.UnescapeString(page), c.message) || !strings.Contains(page, "Connect a YouTube channel") || strings.Contains(page, "secret") || strings.Contains(page, "<Theirs>") {
			t.Errorf("%v: got %s; want the page of the channels with %q", c.err, page, c.message)
		}
		if code := refused(t, d.want(c.status, d.send(call{method: "GET", path: "/channels/callback?code=secret", session: owner, json: true}))); code != c.code {
			t.Errorf("got %s; want %s", code, c.code)
		}
	}
	d.studio().err = nil
	mutate(t, d.store, `UPDATE channels SET state = 'ENDED', error = 'youtube invalid_grant: revoked'`)
	page = d.want(200, d.send(call{method: "GET", path: "/", session: other}))
	if !strings.Contains(page, "YouTube access to Our greetings has ended.") || !strings.Contains(page, `href="/channels#channel-1"`) {
		t.Errorf("got %s; want the library to say it", page)
	}
	if status, a := d.post(owner, "/channels/1/check", nil); status != 200 || a.Outcome != "checked" {
		t.Errorf("got %d %+v; want it checked", status, a)
	}
	if page = d.want(200, d.send(call{method: "GET", path: "/", session: other})); strings.Contains(page, "has ended") {
		t.Errorf("got %s; want nothing said of a channel that works", page)
	}
	if page = d.want(200, d.send(call{method: "GET", path: "/channels/1/disconnect", session: owner})); !strings.Contains(page, "Disconnect Our greetings?") {
		t.Errorf("got %s; want to be asked", page)
	}
	if status, a := d.post(owner, "/channels/1/disconnect", nil); status != 200 || a.Outcome != "disconnected" {
		t.Errorf("got %d %+v; want it disconnected", status, a)
	}
	for _, path := range []string{"/channels/none/check", "/channels/99/check", "/channels/-1/disconnect", "/channels/99999999999999999999/disconnect"} {
		if status, a := d.post(owner, path, nil); status != 404 || a.Error.Code != "NOT_FOUND" {
			t.Errorf("%s: got %d %+v; want NOT_FOUND", path, status, a)
		}
	}
	if page = d.want(200, d.send(call{method: "GET", path: "/activity", session: owner})); !strings.Contains(page, "connected a channel") || !strings.Contains(page, "disconnected a channel") {
		t.Errorf("got %s; want what was done with the channel", page)
	}
	if strings.Contains(d.log.String(), "secret") {
		t.Errorf("got %s in the log; want no code of Google's there", &d.log)
	}
}

// TestPublishingInABrowser leaves for another site and comes back, which a policy may forbid, and schedules on the
// reader's clock.
func TestPublishingInABrowser(t *testing.T) {
	google := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "<title>Google</title><h1>%s</h1>", r.Method)
	}))
	t.Cleanup(google.Close)
	var id string
	d := openDesk(t, func(d *office) {
		d.studio().about.Consent = google.URL + "/auth"
		id = d.ready("Маша")
	})
	b := newBrowser(t)
	b.signsIn(d, 8)
	b.open(d, "/channels")
	b.Press(`form[action="/channels/connect"] button`)
	b.Until("document.title === 'Google'")
	b.open(d, "/channels/callback?code=secret&state=s")
	b.Until("location.pathname === '/channels' && location.search === '' && " +
		"document.body?.innerText.includes('Our greetings')")
	d.studio().err = desk.Denied
	b.open(d, "/channels/callback?error=access_denied")
	b.Until("location.pathname === '/channels' && location.search === '' && " +
		"document.body?.innerText.includes('access was declined')")

	if _, err := chromedp.Call(b.Ctx, emulation.SetTimezoneOverride,
		emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Kathmandu"}); err != nil {
		t.Fatal(err)
	}
	b.open(d, "/assets/"+id+"/publish")
	b.Until("document.querySelector('#zone').value.startsWith('Asia/Kat') && " +
		"document.querySelector('#zone-hint').textContent.includes('your local time: Asia/Kat')")
	b.JS(`(() => { const set = (name, value) => { const f = document.querySelector('form.form').elements[name];
		f.value = value; (f.dispatchEvent ? f : document.querySelector('form.form'))
			.dispatchEvent(new Event('input', { bubbles: true })); };
		set('title', 'ы'.repeat(80)); set('privacy', 'public');
		set('at', '2027-12-24T18:00'); set('made_for_kids', 'no'); })()`)
	b.Until("document.querySelector('.preview .title').textContent === 'ы'.repeat(70) + '…' && " +
		"!document.querySelector('.preview .cut').hidden")
	b.Until("document.querySelector('.preview .who').textContent.includes('from Dec 24, 2027')")
	b.Until("document.querySelector('[name=when]:checked').value === 'later'")
	if got := b.JS("(() => { const f = document.querySelector('form.form'); f.elements.when.value = 'now'; " +
		"const at = [...new FormData(f).keys()].includes('at'); f.elements.when.value = 'later'; " +
		"return at + ' ' + [...new FormData(f).keys()].includes('at'); })()"); got != "false true" {
		t.Errorf("got %s; want a time sent only where it is chosen", got)
	}
	b.Press("form.form .actions button")
	b.Until("location.pathname === '/assets/" + id + "' && document.body?.innerText.includes('It is in the queue.')")
	all, err := d.store.Publications(t.Context(), id)
	if err != nil || len(all[id]) != 1 || !all[id][0].PublishAt.Equal(time.Date(2027, 12, 24, 12, 15, 0, 0, time.UTC)) {
		t.Errorf("got %+v, %v; want it at 18:00 in Nepal", all, err)
	}

	// What is wrong with an address is said beside it, and it stays.
	mutate(t, d.store, `INSERT INTO publications (asset_id, platform, creator, created, step) VALUES (?, 'RUMBLE', 8, 0, 'manual')`, id)
	d.studio().err = desk.OtherURL
	b.open(d, "/assets/"+id)
	b.Until("document.querySelector('#url-RUMBLE') !== null") // the address was the same before
	b.JS("document.querySelector('#url-RUMBLE').value = 'https://example.com/v1.html'")
	b.Press("form.found button")
	b.Until("document.querySelector('.refused')?.textContent === 'This address does not belong to that platform.' && " +
		"document.querySelector('#url-RUMBLE').value === 'https://example.com/v1.html'")
}

// TestUpdate_ThePageAsksWhichOfTwoChangesCounts shows both and sends the choice.
func TestUpdate_ThePageAsksWhichOfTwoChangesCounts(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	id, session := d.ready("Маша"), d.signIn(7)
	channel := d.channel("UC1", "Our greetings")
	mutate(t, d.store, `INSERT INTO publications (asset_id, platform, channel_id, creator, created, status, remote_id, remote_url, metadata, started, completed)
		VALUES (?, 'YOUTUBE', ?, 7, 0, 'COMPLETED', 'abc', 'https://youtu.be/abc', '{"title": "A greeting", "privacy": "public"}', 1, 2)`, id, channel)
	both := &publish.Conflict{Fields: []publish.Difference{{Field: "title", Ours: "<Ours>", Theirs: "Theirs"}, {Field: "privacy", Ours: "public", Theirs: "private"}}}
	form := url.Values{"platform": {"YOUTUBE"}}
	for range 2 {
		d.studio().err = both
		if status, a := d.post(session, "/assets/"+id+"/update", form); status != 409 || a.Error.Code != "CHANGED_THERE" || len(a.Error.Fields) != 2 {
			t.Errorf("got %d %+v; want to be asked", status, a)
		}
		page := d.want(409, d.send(call{method: "POST", path: "/assets/" + id + "/update", session: session, body: form.Encode()}))
		for _, want := range []string{"&lt;Ours&gt;", "Theirs", "Everyone (public)", "Only you (private)", `value="ours"`, `value="theirs"`} {
			if !strings.Contains(page, want) {
				t.Errorf("got %s; want %s on it", page, want)
			}
		}
	}
	for _, keep := range []publish.Keep{publish.KeepOurs, publish.KeepTheirs} {
		d.studio().err = both
		status, a := d.post(session, "/assets/"+id+"/update", url.Values{"platform": {"YOUTUBE"}, "keep": {string(keep)}})
		if status != 200 || a.Outcome != "updated" || d.studio().kept != keep {
			t.Errorf("got %d %+v, %q; want %q sent on", status, a, d.studio().kept, keep)
		}
	}
	if status, _ := d.post(session, "/assets/"+id+"/update", url.Values{"platform": {"YOUTUBE"}, "keep": {"mine"}}); status != 422 {
		t.Errorf("got %d; want a choice that there is not refused", status)
	}
}
