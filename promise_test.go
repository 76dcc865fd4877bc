// Tests that nobody waits in silence: messages that were given up, a doubted clock, places that are away.

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/desk"
	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/watch"
	"retake.example/internal/worker"
)

// undeliver gives up the message of a kind that is pending, as Telegram's refusals do.
func undeliver(t *testing.T, q *Queue, kind store.Kind, code string) {
	t.Helper()
	for {
		mutate(t, q.store, `UPDATE jobs SET due = 0`)
		_, out := fail(t, q, kind, retry.WithCode(errors.New("telegram refused the call"), code))
		if out == retry.Undelivered {
			return
		}
	}
}

func TestUndelivered_EveryPlaceKnowsItUntilItIsSentAgain(t *testing.T) {
	d := newDesk(t, "http://localhost")
	a := ask(t, d.store, "Маша", 1)
	complete(t, d.store)
	undeliver(t, d.queue, store.Deliver, "telegram_too_large")
	session := d.signIn(8)
	type view struct {
		Asset struct {
			Undelivered struct {
				People int    `json:"people"`
				Code   string `json:"error_code"`
				Reason string `json:"reason"`
				May    bool   `json:"can_send_again"`
			} `json:"undelivered"`
		} `json:"asset"`
		Attention struct {
			Kinds map[string]int `json:"by_kind"`
		} `json:"attention"`
	}
	get := func(path string) (v view) {
		t.Helper()
		body := d.want(200, d.send(call{path: path, session: session, json: true}))
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	if u := get("/assets/" + a.ID).Asset.Undelivered; u.People != 1 || u.Code != "telegram_too_large" || !u.May ||
		!strings.Contains(u.Reason, "too large for Telegram") || !strings.Contains(u.Reason, "telegram.max_upload_mb") {
		t.Errorf("the API: got %+v; want one person, why, what to do, and that it can be sent again", u)
	}
	if n := get("/").Attention.Kinds[store.NeedsSending]; n != 1 {
		t.Errorf("the library: got %d; want one video", n)
	}
	for _, path := range []string{"/", "/assets/" + a.ID} {
		page := d.want(200, d.send(call{path: path, session: session}))
		if !strings.Contains(page, "1 message did not arrive.") || !strings.Contains(page, ">Send again<") &&
			!strings.Contains(page, "Send again<span") {
			t.Errorf("%s: got no notice with a button", path)
		}
	}
	if c, err := d.store.Census(t.Context()); err != nil || c.Undelivered != 1 {
		t.Errorf("/metrics: got %d, %v; want one", c.Undelivered, err)
	}
	all, err := watch.Troubles(t.Context(), d.store, d.queue, store.Admin{ID: 8, Owner: true}, nil,
		watch.Options{Free: func() (int64, error) { return 38e9, nil }}, allWell)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, trouble := range all {
		if trouble.Cause == watch.Undelivered {
			told = trouble.N
		}
	}
	if told != 1 {
		t.Errorf("the digest: got %d; want one", told)
	}
	if body := d.want(200, d.send(call{method: "POST", path: "/assets/" + a.ID + "/retry", session: session,
		json: true})); !strings.Contains(body, `"restarted"`) {
		t.Errorf("got %s; want it sent again", body)
	}
	if u := get("/assets/" + a.ID).Asset.Undelivered; u.People != 0 {
		t.Errorf("sent again: got %+v; want nothing", u)
	}
	if n := count(t, d.store, `SELECT count(*) FROM jobs WHERE kind = 'DELIVER'`); n != 1 {
		t.Errorf("got %d deliveries; want one", n)
	}
}

func TestUndelivered_AParentSeesItInTheirChatWithAButton(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	over := w.tg.Inject(faketelegram.Fault{Method: "sendVideo", Times: -1, Status: 400, Description: "Bad Request: of 2031"})
	w.asks(p, "Маша")
	m := w.hears(p, "готово, но Telegram его сейчас не принимает")
	over()
	press(p, m, 0)
	w.getsVideos(p, 1)
	w.calm()
	if n := count(t, w.store, `SELECT count(*) FROM requests WHERE undelivered IS NOT NULL`); n != 0 {
		t.Errorf("got %d marks; want none", n)
	}
}

func TestUndelivered_AnApologyIsOverWhenThePersonHasAskedAgain(t *testing.T) {
	s := newStore(t)
	q := newQueue(s)
	ask(t, s, "Маша", 1)
	failForGood(t, q)
	undeliver(t, q, store.Apologise, "telegram_refused")
	ask(t, s, "Маша", 1)
	if n := count(t, s, `SELECT count(*) FROM requests WHERE undelivered IS NOT NULL`); n != 0 {
		t.Errorf("got %d marks; want none: a new video is on its way", n)
	}
}

// What may have arrived twice is not sent a third time unasked.
func TestUndelivered_WhatMayHaveArrivedIsSentAgainOnlyWhenSomebodyAsks(t *testing.T) {
	s := newStore(t)
	q := newQueue(s)
	a := ask(t, s, "Маша", 1)
	complete(t, s)
	mutate(t, s, `UPDATE jobs SET copies = 2`)
	if _, out := fail(t, q, store.Deliver, waits{time.Second}); out != retry.Undelivered {
		t.Fatalf("got %s; want %s", out, retry.Undelivered)
	}
	write(t, s, func(tx *store.Tx) error { _, err := tx.Return(1); return err })
	if n := count(t, s, `SELECT count(*) FROM jobs`); n != 0 {
		t.Errorf("got %d jobs after an update; want none", n)
	}
	if _, err := s.RecentUser(t.Context(), 1); err != nil {
		t.Errorf("got %v; want a user who is not met again and again", err)
	}
	out, err := q.Retry(t.Context(), a.ID, retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}})
	if err != nil || out != retry.Restarted {
		t.Errorf("got %s, %v; want %s", out, err, retry.Restarted)
	}
}

func TestRetry_ARefusedFileIDIsOneNewUploadAndThenAnAttempt(t *testing.T) {
	s := newStore(t)
	q := newQueue(s)
	ask(t, s, "Маша", 1)
	complete(t, s)
	for i, want := range []int{0, 1} {
		mutate(t, s, `UPDATE assets SET file_id = 'BAAC1'`)
		task := begin(t, s, store.Deliver)
		out, err := q.Retry(t.Context(), task.AssetID,
			retry.JobFailed{Job: task.Job, Err: fmt.Errorf("refused: %w", &telegram.Error{Class: telegram.BadFile}), FileID: "BAAC1"})
		if err != nil || out != retry.Rescheduled {
			t.Fatalf("got %s, %v; want %s", out, err, retry.Rescheduled)
		}
		if got := count(t, s, `SELECT attempt FROM jobs WHERE (due > 0) = ?`, i); got != want {
			t.Errorf("refusal %d: got %d attempts spent; want %d", i+1, got, want)
		}
		if n := count(t, s, `SELECT count(*) FROM assets WHERE file_id IS NULL`); n != 1 {
			t.Error("got the file_id kept; want it forgotten")
		}
	}
}

func TestPurge_AnOwnerSaysThatTheClockIsRight(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		for i := range 10 {
			ask(t, s, "Маша"+letters(i), 1)
			complete(t, s)
		}
		mutate(t, s, `DELETE FROM jobs`)
		setNow(s, func() time.Time { return time.Now().AddDate(10, 0, 0) })
		q := newQueue(s)
		q.media = &bench{}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		p := worker.NewPurger(s, keeps, q.log)
		if err := p.Trust(); !errors.Is(err, store.ErrNotFailed) {
			t.Errorf("before: got %v; want %v", err, store.ErrNotFailed)
		}
		go p.Run(ctx, q.Discard, q.ForgetOldNames)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if p.Blocked() < 9*365*24*time.Hour || count(t, s, `SELECT count(*) FROM assets`) != 10 {
			t.Fatalf("got the clock ahead by %v; want ten years, and nothing deleted", p.Blocked())
		}
		if err := p.Trust(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := count(t, s, `SELECT count(*) FROM assets`); n != 0 || p.Blocked() != 0 {
			t.Errorf("got %d videos, ahead by %v; want all deleted at the owner's word", n, p.Blocked())
		}
	})
}

func TestPurge_SaysThatItTookAFifthAndAnOwnerHasTheRestDeleted(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		for i := range 10 {
			ask(t, s, "Маша"+letters(i), 1)
			complete(t, s)
		}
		mutate(t, s, `DELETE FROM jobs`)
		ahead := time.Duration(0)
		setNow(s, func() time.Time { return time.Now().Add(ahead) })
		q := newQueue(s)
		q.media = &bench{}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		p := worker.NewPurger(s, keeps, q.log)
		go p.Run(ctx, q.Discard, q.ForgetOldNames)
		after := func(d time.Duration, left int, limited bool) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if n := count(t, s, `SELECT count(*) FROM assets`); n != left || p.Limited() != limited {
				t.Errorf("got %d videos, limited %v; want %d, %v", n, p.Limited(), left, limited)
			}
		}
		after(90*time.Minute, 10, false)
		if err := p.Finish(); !errors.Is(err, store.ErrNotFailed) {
			t.Errorf("nothing left: got %v; want %v", err, store.ErrNotFailed)
		}
		mutate(t, s, `UPDATE assets SET created = created - 9e10, finished = finished - 9e10`)
		mutate(t, s, `UPDATE requests SET created = created - 9e10, finished = finished - 9e10`)
		after(time.Hour, 8, true)
		ahead = 100 * 365 * 24 * time.Hour // a clock that is not trusted: the yes to the rest is none to it
		after(time.Hour, 8, false)
		if err := p.Finish(); !errors.Is(err, store.ErrNotFailed) || p.Blocked() == 0 {
			t.Errorf("a doubted clock: got %v, ahead by %v; want %v", err, p.Blocked(), store.ErrNotFailed)
		}
		ahead = 0
		after(time.Hour, 7, true)
		if err := p.Finish(); err != nil {
			t.Fatal(err)
		}
		after(time.Minute, 0, false)
	})
}

// doubtful is a purge that does not trust the clock, or has left something, until an owner says yes.
type doubtful struct {
	mu      sync.Mutex
	ahead   time.Duration
	limited bool
}

func (d *doubtful) becomes(ahead time.Duration, limited bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ahead, d.limited = ahead, limited
}

func (d *doubtful) Blocked() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ahead
}

func (d *doubtful) Limited() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.limited
}

func (d *doubtful) Trust() error  { d.becomes(0, false); return nil }
func (d *doubtful) Finish() error { d.becomes(0, false); return nil }

func TestThePageAsksAnOwnerWhetherTheClockIsRight(t *testing.T) {
	d := newDesk(t, "http://localhost")
	d.opts.Purge = &doubtful{ahead: 72 * time.Hour}
	d.change(func(*desk.Options) {})
	owner, admin := d.signIn(8), d.signIn(7)
	const form = `action="/trust-clock"`
	if page := d.want(200, d.send(call{path: "/", session: admin})); strings.Contains(page, form) ||
		!strings.Contains(page, "3 days ahead") || !strings.Contains(page, "An owner can say") {
		t.Error("an admin: want the notice without a button")
	}
	if page := d.want(200, d.send(call{path: "/", session: owner})); !strings.Contains(page, form) {
		t.Error("an owner: want a button")
	}
	d.want(403, d.send(call{method: "POST", path: "/trust-clock", session: admin, json: true}))
	d.want(200, d.send(call{method: "POST", path: "/trust-clock", session: owner, json: true}))
	d.want(409, d.send(call{method: "POST", path: "/trust-clock", session: owner, json: true}))
	if page := d.want(200, d.send(call{path: "/", session: owner})); strings.Contains(page, form) {
		t.Error("got the notice again")
	}
	if page := d.want(200, d.send(call{path: "/activity", session: owner})); !strings.Contains(page,
		"said that the clock is right") {
		t.Error("got nothing in the list of activity")
	}
}

func TestThePageSaysThatAPurgeHasLeftSomething(t *testing.T) {
	d := newDesk(t, "http://localhost")
	d.opts.Purge = &doubtful{limited: true}
	d.change(func(*desk.Options) {})
	owner, admin := d.signIn(8), d.signIn(7)
	const form = `action="/purge"`
	if page := d.want(200, d.send(call{path: "/", session: admin})); strings.Contains(page, form) ||
		!strings.Contains(page, "a fifth each hour") || !strings.Contains(page, "An owner can have it deleted now.") {
		t.Error("an admin: want the notice without a button")
	}
	if body := d.want(200, d.send(call{path: "/", session: admin, json: true})); !strings.Contains(body, `"purge_limited":true`) {
		t.Errorf("JSON: got %s; want it to say so", body)
	}
	if page := d.want(200, d.send(call{path: "/", session: owner})); !strings.Contains(page, form) {
		t.Error("an owner: want a button")
	}
	d.want(403, d.send(call{method: "POST", path: "/purge", session: admin, json: true}))
	d.want(200, d.send(call{method: "POST", path: "/purge", session: owner, json: true}))
	d.want(409, d.send(call{method: "POST", path: "/purge", session: owner, json: true}))
	if page := d.want(200, d.send(call{path: "/", session: owner})); strings.Contains(page, form) {
		t.Error("got the notice again")
	}
	if page := d.want(200, d.send(call{path: "/activity", session: owner})); !strings.Contains(page,
		"had everything that is too old deleted at once") {
		t.Error("got nothing in the list of activity")
	}
}

// awayFor is the error of a place of that code that is away.
type awayFor struct{ code string }

func (a awayFor) Error() string                   { return "dial tcp: connection refused" }
func (a awayFor) Code() string                    { return a.code }
func (awayFor) RetryAfter() (time.Duration, bool) { return 10 * time.Second, true }

func TestWaits_WhatRendersWaitForIsATroubleUntilItIsThere(t *testing.T) {
	for _, c := range []struct {
		code   string
		spoken bool
		want   string // cause and code
	}{
		{"UNREACHABLE", false, "engine engine_unreachable"},
		{"UNREACHABLE", true, "voice voice_unreachable"},
		{"FARM_AWAY", true, "engine farm_unreachable"},
		{"FARM_EMPTY", true, "engine farm_unreachable"},
		{"FARM_STORE", true, "engine farm_unreachable"},
		{"FARM_FILM", true, ""}, // is made again at once
		{"media_s3_quota", false, "media media_s3_quota"},
		{"DISK_FULL", false, ""}, // is looked at itself
	} {
		s := newStore(t)
		q := newQueue(s)
		ask(t, s, "Маша", 1)
		faults := watch.Waits(s, c.spoken)
		if got := faults(); len(got) != 0 {
			t.Errorf("%s: got %+v; want none before", c.code, got)
		}
		if _, out := fail(t, q, store.Render, awayFor{c.code}); out != retry.Deferred {
			t.Fatalf("%s: got %s; want %s", c.code, out, retry.Deferred)
		}
		got := ""
		for _, f := range faults() {
			got += f.Cause + " " + f.Code
			if f.Since.IsZero() {
				t.Errorf("%s: got no time", c.code)
			}
		}
		if got != c.want {
			t.Errorf("%s: got %q; want %q", c.code, got, c.want)
		}
		mutate(t, s, `UPDATE jobs SET due = 0`)
		complete(t, s)
		if got := faults(); len(got) != 0 {
			t.Errorf("%s: got %+v; want none after", c.code, got)
		}
	}
}
