// Tests of publishing many videos on one channel.

package desk

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"retake.example/internal/store"
)

// twoChannels are one of YouTube with defaults and one of Telegram.
func (r *rig) twoChannels() {
	r.Helper()
	r.mutate(`INSERT INTO channels (id, platform, external_id, title, state, token, creator, connected, checked, defaults)
		VALUES (1, 'YOUTUBE', 'UC1', 'Ours', 'CONNECTED', x'00', 8, 1, 1,
		'{"description": "From us", "tags": "fun", "privacy": "unlisted", "made_for_kids": "yes"}'),
		(2, 'TELEGRAM', '-100', 'News', 'CONNECTED', x'', 8, 2, 2, '{}')`)
}

func TestPublishMany_EachGetsTheDefaultsOfTheChannel(t *testing.T) {
	r := newRig(t)
	r.twoChannels()
	plain, own, there := r.finished(8, "A film"), r.finished(8, "Another"), r.finished(8, "There already")
	r.mutate(`UPDATE assets SET metadata = '{"title": "My own", "privacy": "public", "made_for_kids": "no",
		"category": "22", "synthetic": "no", "notify": "no"}' WHERE id = ?`, own)
	r.published(there, "YOUTUBE")
	live := store.NewID()
	r.mutate(`INSERT INTO assets (id, name, name_key, template, lang, origin, creator, status, created)
		VALUES (?, 'Ева', 'ева', 'new-year', 'ru', 'REQUEST', 8, 'PENDING', 1)`, live)
	all := []string{plain, own, there, live}

	page := r.do(r.Selection, sent{method: "GET", path: "/selection?do=publish&id=" + strings.Join(all, "&id=")})
	for _, want := range []string{`value="A film"`, `value="My own"`, `<option value="unlisted" selected>`, "to=2",
		`name="made_for_kids" value="yes" checked`, "already"} {
		if !strings.Contains(page.Body.String(), want) {
			t.Errorf("got a page without %s", want)
		}
	}
	form := url.Values{"ids": {strings.Join(all, " ")}, "to": {"1"}, "title." + plain: {"Ours alone"},
		"title." + own: {"My own"}, "made_for_kids": {"yes"}, "privacy": {"unlisted"}}
	w := r.do(r.PublishMany, sent{body: form.Encode(), json: true})
	var got Batch
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || got.Success {
		t.Fatalf("got %d %s, %v; want two in the queue, and the others told why not", w.Code, w.Body, err)
	}
	for _, v := range got.Videos {
		if queued := v.Outcome == "publishing"; queued != (v.ID == plain || v.ID == own) || queued == (v.Cannot != "") {
			t.Errorf("got %+v", v)
		}
	}
	for id, want := range map[string]string{plain: "Ours alone|From us|unlisted|yes", own: "My own||public|no"} {
		if n := r.number(`SELECT count(*) FROM publications WHERE asset_id = ?1 AND channel_id = 1 AND ?2 =
			(metadata ->> 'title') || '|' || ifnull(metadata ->> 'description', '') || '|' || (metadata ->> 'privacy') || '|' ||
			(metadata ->> 'made_for_kids')`, id, want); n != 1 {
			t.Errorf("got no publication with %s", want)
		}
	}
	if n := r.number(`SELECT count(*) FROM jobs WHERE kind = 'PUBLISH'`); n != 2 {
		t.Errorf("got %d jobs; want 2", n)
	}
	if n := r.number(`SELECT count(*) FROM audit WHERE action = 'publish' AND admin = 8`); n != 2 {
		t.Errorf("got %d in the list of activity; want 2", n)
	}
}

func TestPublishMany_WhatIsWrongComesBackWithWhatWasTyped(t *testing.T) {
	r := newRig(t)
	r.twoChannels()
	good, bad := r.finished(8, "Good"), r.finished(8, "Bad")
	form := url.Values{"ids": {good + " " + bad}, "to": {"2"}, "title." + good: {"Good"}, "title." + bad: {"<b>"},
		"made_for_kids": {"no"}}
	page := r.do(r.PublishMany, sent{body: form.Encode()})
	if body := page.Body.String(); page.Code != 200 || !strings.Contains(body, `value="&lt;b&gt;"`) ||
		!strings.Contains(body, "In the queue") || !strings.Contains(body, "title."+bad+"-fault") {
		t.Errorf("got %d %s; want one in the queue, and the other with its fault", page.Code, body)
	}
	form.Set("title."+bad, "Better")
	if w := r.do(r.PublishMany, sent{body: form.Encode()}); w.Code != 200 {
		t.Errorf("got %d; want the page: one was in the queue before", w.Code)
	}
	if n := r.number(`SELECT count(*) FROM publications WHERE platform = 'TELEGRAM' AND metadata ->> 'privacy' = 'public'`); n != 2 {
		t.Errorf("got %d; want both, for everybody, in Telegram", n)
	}
	if w := r.do(r.PublishMany, sent{body: form.Encode(), json: true}); w.Code != 422 ||
		!strings.Contains(w.Body.String(), `"code":"INVALID"`) {
		t.Errorf("got %d %s; want a refusal of what is there", w.Code, w.Body)
	}
	// A greeting has a child's name: it gets no title automatically.
	greeting := r.finished(8, "Маша")
	r.mutate(`UPDATE assets SET origin = 'REQUEST', template = 'new-year' WHERE id = ?`, greeting)
	w := r.do(r.PublishMany, sent{body: "to=1&made_for_kids=no&ids=" + greeting, json: true})
	if w.Code != 422 || strings.Contains(w.Body.String(), `"title":"Маша"`) || !strings.Contains(w.Body.String(), `"fault":`) {
		t.Errorf("got %d %s; want that it lacks a title", w.Code, w.Body)
	}
	if all := r.do(r.PublishMany, sent{body: "to=1&made_for_kids=no&title." + greeting + "=Hello&ids=" + greeting}); all.Code != 303 {
		t.Errorf("got %d; want the library, with all of them in the queue", all.Code)
	}
	if w := r.do(r.PublishMany, sent{body: "to=9&ids=" + good}); w.Code != 422 {
		t.Errorf("got %d of a channel that is not there; want 422", w.Code)
	}
}
