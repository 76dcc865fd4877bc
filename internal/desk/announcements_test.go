// Tests of the page of announcements.

package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"retake.example/internal/store"
)

// loud is an announcer that remembers what was tried.
type loud struct {
	said []string
	err  error
}

func (l *loud) TryAnnouncement(_ context.Context, admin int64, language, text string) error {
	l.said = append(l.said, fmt.Sprint(admin, language, text))
	return l.err
}
func (*loud) Pace() (all, announcements float64) { return 20, 10 }

// announces sends the form of an announcement.
func (r *rig) announces(id string, json bool, fields ...string) *httptest.ResponseRecorder {
	r.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return r.do(r.ChangeAnnouncement, sent{id: id, body: form.Encode(), json: json})
}

func (r *rig) agreed(users ...int64) {
	r.Helper()
	for _, u := range users {
		if err := r.store.Tx(r.Context(), func(tx *store.Tx) error {
			if _, err := tx.UpsertUser(u, "ru"); err != nil {
				return err
			}
			return tx.SetConsent(u, store.Agreed)
		}); err != nil {
			r.Fatal(err)
		}
	}
}

// announcement returns the JSON of its page.
func (r *rig) announcement(id string) (p AnnouncementPage) {
	r.Helper()
	w := r.do(r.Announcement, sent{method: "GET", id: id, json: true})
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != http.StatusOK {
		r.Fatalf("got %d %s", w.Code, w.Body)
	}
	return p
}

func TestAnnouncement_IsWrittenTriedStartedPausedContinuedAndDeleted(t *testing.T) {
	r := newRig(t)
	out := &loud{}
	r.opts.Announcer = out
	r.agreed(1, 2, 3)
	r.mutate(`INSERT INTO bans (chat_id, since) VALUES (3, 1)`)
	steps := []struct {
		id, do, outcome string
		fields          []string
		status          store.AnnouncementStatus
	}{
		{"new", "save", "saved", []string{"text", " For all \r\n", "text_ru", "Всем", "version", "0"}, store.Draft},
		{"1", "try", "announcement-tried", nil, store.Draft},
		{"1", "start", "announcing", nil, store.Sending},
		{"1", "pause", "announcement-paused", nil, store.Halted},
		{"1", "continue", "announcing", nil, store.Sending},
		{"1", "pause", "announcement-paused", nil, store.Halted},
	}
	for _, s := range steps {
		w := r.announces(s.id, true, append(s.fields, "do", s.do)...)
		var a struct {
			Outcome, ID string
			Success     bool
		}
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || !a.Success || a.Outcome != s.outcome || a.ID != "1" {
			t.Fatalf("%s: got %d %s; want %s", s.do, w.Code, w.Body, s.outcome)
		}
		if got := r.announcement("1"); got.Status != s.status || got.First != "For all" || got.Own["ru"] != "Всем" {
			t.Errorf("%s: got %+v; want it %s", s.do, got.AnnouncementRow, s.status)
		}
	}
	if got := fmt.Sprint(out.said); got != "[8enFor all]" { // the owner has no language yet
		t.Errorf("got %s tried; want what people would get", got)
	}
	if got := r.announcement("1"); got.People != 2 || got.Agreed != 2 || got.Left() != 2 {
		t.Errorf("got %+v; want two people: the third is banned", got)
	}
	if w := r.announces("1", false, "do", "delete"); w.Code != 303 ||
		w.Header().Get("Location") != "/announcements?notice=announcement-deleted" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
	if w := r.do(r.Announcement, sent{method: "GET", id: "1"}); w.Code != 404 {
		t.Errorf("got %d; want it gone", w.Code)
	}
	if n := r.number(`SELECT count(*) FROM audit WHERE action LIKE 'announcement %' AND admin = 8 AND outcome = '1'`); n != 6 {
		t.Errorf("got %d deeds; want six", n)
	}
}

func TestAnnouncement_WhatCannotBeIsRefusedInWords(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("😀", 2049) // 4098 UTF-16 units
	for _, c := range []struct {
		fields      []string
		field, want string
	}{
		{nil, "text", english("announcement_empty", nil)},
		{[]string{"text", " \u200b "}, "text", english("announcement_empty", nil)},
		{[]string{"text_ru", "Всем"}, "text", english("announcement_empty", nil)},
		{[]string{"text", long}, "text", english("announcement_long", Vars{"Of": 4096})},
		{[]string{"text", "x", "text_en", long}, "text_en", english("announcement_long", Vars{"Of": 4096})},
	} {
		w := r.announces("new", true, append(c.fields, "do", "save")...)
		var a struct {
			Error struct{ Fields map[string]string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != 422 || a.Error.Fields[c.field] != c.want {
			t.Errorf("%.40v: got %d %.300s; want %q at %s", c.fields, w.Code, w.Body, c.want, c.field)
		}
		if page := r.announces("new", false, append(c.fields, "do", "save")...).Body.String(); !strings.Contains(page, c.want) {
			t.Errorf("%.40v: got no word of it on the page", c.fields)
		}
	}
	if n := r.number(`SELECT count(*) FROM announcements`); n != 0 {
		t.Errorf("got %d saved; want none", n)
	}
	r.announces("new", false, "do", "save", "text", "x")
	refuses := func(do, want string) {
		t.Helper()
		if w := r.announces("1", false, "do", do); w.Code != 422 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: got %d; want %q on the page", do, w.Code, want)
		}
	}
	refuses("start", english("announcements_off", nil))
	refuses("try", english("announcements_off", nil))
	out := &loud{err: errors.New("chat not found")}
	r.opts.Announcer = out
	refuses("start", english("announcement_nobody", nil))
	refuses("try", english("announcement_not_tried", nil))
	r.agreed(1)
	r.announces("new", false, "do", "save", "text", "y")
	if w := r.announces("2", false, "do", "start"); w.Code != 303 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	refuses("start", english("announcement_busy", nil))
	for id, want := range map[string]int{"0": 404, "x": 404, "-1": 404, "7": 404} {
		if w := r.announces(id, true, "do", "start"); w.Code != want {
			t.Errorf("%s: got %d; want %d", id, w.Code, want)
		}
	}
	if w := r.announces("new", true, "do", "start"); w.Code != 404 {
		t.Errorf("got %d; want nothing started that was not saved", w.Code)
	}
	if w := r.announces("2", true, "do", "save", "text", "z"); w.Code != 409 {
		t.Errorf("got %d; want the text of one that is being sent left alone", w.Code)
	}
}

func TestAnnouncement_AnOldFormIsToldOfTheOther(t *testing.T) {
	r := newRig(t)
	r.opts.Announcer = &loud{}
	r.agreed(1)
	r.announces("new", false, "do", "save", "text", "one")
	old := r.announcement("1").Version
	r.announces("1", false, "do", "save", "text", "two", "version", old)
	w := r.announces("1", false, "do", "save", "text", "three", "version", old)
	if page := w.Body.String(); w.Code != 409 || !strings.Contains(page, english("announcement_conflict", nil)) ||
		!strings.Contains(page, "three") {
		t.Errorf("got %d; want the conflict, and what was typed", w.Code)
	}
	if w := r.announces("1", false, "do", "start", "version", old); w.Code != 409 ||
		r.announcement("1").Status != store.Draft {
		t.Errorf("got %d; want nothing started that was not seen", w.Code)
	}
	if w := r.announces("1", false, "do", "start", "version", r.announcement("1").Version); w.Code != 303 {
		t.Errorf("got %d; want it started", w.Code)
	}
}

func TestAnnouncement_ThePreviewShowsTheBubblesAndSavesNothing(t *testing.T) {
	r := newRig(t)
	w := r.announces("new", false, "do", "preview", "text", "<b>Hello</b>", "text_ru", "Привет")
	page := w.Body.String()
	for _, want := range []string{`id="text-bubble" dir="auto">&lt;b&gt;Hello&lt;/b&gt;<`, `id="text_ru-bubble" dir="auto">Привет<`,
		english("announcement_unsaved", nil), "🔕 No more of these", "🔕 Больше не присылать"} {
		if !strings.Contains(page, want) {
			t.Errorf("got %s; want %s", page, want)
		}
	}
	if n := r.number(`SELECT count(*) FROM announcements`); w.Code != 200 || n != 0 {
		t.Errorf("got %d, %d saved; want none", w.Code, n)
	}
}

func TestAnnouncement_TheResultHasEachReason(t *testing.T) {
	r := newRig(t)
	r.opts.Announcer = &loud{}
	r.agreed(1, 2, 3, 4, 5, 6)
	r.announces("new", false, "do", "save", "text", "x")
	r.announces("1", false, "do", "start")
	for _, c := range []struct {
		user          int64
		outcome, code string
	}{{1, store.CopyDelivered, ""}, {2, store.CopyBlocked, ""}, {3, store.CopyFailed, "telegram_refused"},
		{4, store.CopyFailed, "telegram_refused"}, {5, store.CopyFailed, store.MaybeSent}} {
		if err := r.store.Tx(t.Context(), func(tx *store.Tx) error {
			return tx.KeepCopy(store.Copy{Announcement: 1, User: c.user}, c.outcome, c.code, time.Time{}, false)
		}); err != nil {
			t.Fatal(err)
		}
	}
	p := r.announcement("1")
	if p.Seconds != 0 || p.Left() != 1 { // one copy at ten a second
		t.Errorf("got %d s for %d; want the time of the rest", p.Seconds, p.Left())
	}
	if len(p.Failures) != 2 || p.Failures[0].People != 2 || p.Failures[0].Reason != english("undelivered_refused", nil) ||
		p.Failures[1].Reason != english("announcement_maybe", nil) {
		t.Errorf("got %+v; want the reasons, the most frequent first", p.Failures)
	}
	for trouble, want := range map[string]string{"telegram_refused": english("undelivered_refused", nil),
		store.Restored: english("announcement_restored", nil)} {
		r.mutate(`UPDATE announcements SET status = 'paused', trouble = ?`, trouble)
		if page := r.do(r.Announcement, sent{method: "GET", id: "1"}).Body.String(); !strings.Contains(page, want) {
			t.Errorf("%s: got no %q on the page", trouble, want)
		}
	}
	r.mutate(`UPDATE announcements SET status = 'done', trouble = NULL, finished = 5`)
	page := r.do(r.Announcement, sent{method: "GET", id: "1"}).Body.String()
	for _, want := range []string{"1 delivered", "1 has blocked the bot", "3 failed", "1 changed their mind before it came",
		english("announcement_repeat", nil)} {
		if !strings.Contains(page, want) {
			t.Errorf("got no %q on the page", want)
		}
	}
	if w := r.announces("1", false, "do", "repeat"); w.Code != 303 || r.announcement("1").Failed != 0 {
		t.Errorf("got %d; want the failed ones tried again", w.Code)
	}
}

func TestAnnouncements_TheListHasTheNumbers(t *testing.T) {
	r := newRig(t)
	page := r.do(r.Announcements, sent{method: "GET"}).Body.String()
	for _, want := range []string{english("announcements_off", nil), english("announcements_none", nil)} {
		if !strings.Contains(page, want) {
			t.Errorf("got no %q on the page", want)
		}
	}
	r.agreed(1, 2)
	r.announces("new", false, "do", "save", "text", "Hello")
	var list AnnouncementList
	w := r.do(r.Announcements, sent{method: "GET", json: true})
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || list.Consents.Agreed != 2 || len(list.List) != 1 ||
		list.List[0].First != "Hello" || list.List[0].Status != store.Draft {
		t.Errorf("got %s, %v", w.Body, err)
	}
}

func TestAttention_AnAnnouncementThatTheProgramPausedIsTheOwners(t *testing.T) {
	r := newRig(t)
	r.mutate(`INSERT INTO announcements (texts, status, creator, created, changed, started, trouble) VALUES
		('{"":"Paused by an owner"}', 'paused', 8, 1, 1, 1, NULL),
		('{"":"Refused"}', 'paused', 8, 2, 2, 1700000000000, 'restored')`)
	var got Attended
	body := r.do(r.Attention, sent{method: "GET", path: "/attention", json: true}).Body.Bytes()
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Attention.Items) != 1 || got.Attention.Kinds[store.NeedsContinuing] != 1 {
		t.Fatalf("got %s; want the one that the program has paused", body)
	}
	if i := got.Attention.Items[0]; i.Name != "Announcement 2" || i.Code != store.Restored ||
		!strings.HasPrefix(i.Reason, "A backup was restored") || !i.Since.Equal(time.UnixMilli(1700000000000)) {
		t.Errorf("got %+v; want its number and why", i)
	}
	if page := r.do(r.Library, sent{method: "GET"}).Body.String(); !strings.Contains(page, `href="/announcements/2"`) {
		t.Errorf("got %s; want the way to it", page)
	}
	if others, err := r.store.Attention(t.Context(), store.Admin{ID: 7}, time.Time{}); err != nil || others.Total() != 0 {
		t.Errorf("got %v, %v for an admin who is no owner; want nothing", others, err)
	}
}

func TestAbout_IsRoundedUpToMinutesOrHours(t *testing.T) {
	say := sayIn("en")
	for d, want := range map[time.Duration]string{0: "1 minute", time.Second: "1 minute", time.Minute: "1 minute",
		time.Minute + 1: "2 minutes", 2*time.Hour - time.Minute + 1: "2 hours", 2 * time.Hour: "2 hours",
		2*time.Hour + 1: "3 hours", 5 * time.Hour: "5 hours", 90 * time.Minute: "90 minutes"} {
		if got := about(say, d); got != want {
			t.Errorf("%v: got %q; want %q", d, got, want)
		}
	}
}
