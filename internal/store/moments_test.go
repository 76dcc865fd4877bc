// Tests of the moment at which something ends, and of the millisecond after it.

package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 12, 20, 12, 0, 0, 0, time.UTC)

// inserts runs statements in which $now is the time of the store.
func inserts(t *testing.T, s *Store, statements ...string) {
	t.Helper()
	do(t, s, func(tx *Tx) error {
		for _, statement := range statements {
			if _, err := tx.sql.Exec(strings.ReplaceAll(statement, "$now", fmt.Sprint(tx.now))); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	})
}

const (
	anAsset = `INSERT INTO assets (id, name, name_key, template, lang, origin, status, error, created, finished)
		VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaa', 'x', 'x', 't', 'ru', 'REQUEST', 'FAILED', 'broken', $now, $now)`
	aUser = `INSERT INTO users (id, lang, created, seen) VALUES (1, 'ru', $now, $now)`
)

// What may be kept for a time is there at its last moment, and goes with the next.
func TestPurge_TakesNothingAtTheLastMomentItMayBeKept(t *testing.T) {
	keep := Keep{Inbox: 3 * time.Hour, Videos: 5 * time.Hour, History: 7 * time.Hour, People: 50 * 24 * time.Hour}
	for name, c := range map[string]struct {
		rows   []string
		keeps  time.Duration
		remain string // counts what is kept
	}{
		"what waits for an answer": {[]string{`INSERT INTO inbox (update_id, chat_id, raw, received) VALUES (1, 1, '{}', $now)`},
			keep.Inbox, `SELECT count(*) FROM inbox WHERE raw IS NOT NULL`},
		"the number of an update": {[]string{`INSERT INTO inbox (update_id, chat_id, received) VALUES (1, 0, $now)`},
			inboxLife, `SELECT count(*) FROM inbox`},
		"a draft": {[]string{aUser, `INSERT INTO drafts (id, user_id, name, created) VALUES ('d', 1, 'x', $now)`},
			draftLife, `SELECT count(*) FROM drafts`},
		"what was spent": {[]string{`INSERT INTO ledger (person, at) VALUES (zeroblob(32), $now)`},
			ledgerLife, `SELECT count(*) FROM ledger`},
		"a key of the ledger": {[]string{`INSERT INTO ledger_keys (day, key) VALUES ($now, zeroblob(32))`},
			ledgerKeyLife, `SELECT count(*) FROM ledger_keys`},
		"a session without visits": {[]string{`INSERT INTO sessions (hash, admin, created, seen)
			VALUES (zeroblob(32), 8, $now, $now)`}, SessionLife, `SELECT count(*) FROM sessions`},
		"a session with visits": {[]string{fmt.Sprintf(`INSERT INTO sessions (hash, admin, created, seen)
			VALUES (zeroblob(32), 8, $now, $now + %d)`, (SessionEnd - time.Hour).Milliseconds())},
			SessionEnd, `SELECT count(*) FROM sessions`},
		"a link to sign in": {[]string{`INSERT INTO links (hash, admin, expires) VALUES (zeroblob(32), 8, $now)`},
			time.Minute, `SELECT count(*) FROM links`},
		"an invitation": {[]string{`INSERT INTO invitations (hash, owner, inviter, expires) VALUES (zeroblob(32), 0, 8, $now)`},
			time.Minute, `SELECT count(*) FROM invitations`},
		"an API token": {[]string{`INSERT INTO tokens (hash, admin, title, scope, created, expires)
			VALUES (zeroblob(32), 8, 'x', 'read', $now, $now)`}, tokenRest, `SELECT count(*) FROM tokens`},
		"an upload counted": {[]string{`INSERT INTO uploads (at) VALUES ($now)`}, uploadLife, `SELECT count(*) FROM uploads`},
		"a video":           {[]string{anAsset}, keep.Videos, `SELECT count(*) FROM assets`},
		"whose wish it was": {[]string{aUser, anAsset,
			`UPDATE assets SET creator = 8`, // so that it stays
			`INSERT INTO requests (user_id, asset_id, chat_id, status, created, finished)
			VALUES (1, 'aaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 'FAILED', $now, $now)`}, keep.Videos, `SELECT count(*) FROM requests`},
		"a deed": {[]string{`INSERT INTO audit (at, action) VALUES ($now, 'make')`}, keep.History, `SELECT count(*) FROM audit`},
		"an attempt": {[]string{anAsset, `UPDATE assets SET creator = 8`,
			`INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome)
			VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaa', 'RENDER', 1, $now, $now, 'done')`}, keep.History, `SELECT count(*) FROM attempts`},
		"a person": {[]string{aUser}, keep.People, `SELECT count(*) FROM users`},
	} {
		t.Run(name, func(t *testing.T) {
			now := noon
			s := clocked(t, &now)
			inserts(t, s, c.rows...)
			for _, step := range []struct {
				after time.Duration
				want  int
			}{{c.keeps, 1}, {c.keeps + time.Millisecond, 0}} {
				now = noon.Add(step.after)
				for n := 1; n > 0; {
					do(t, s, func(tx *Tx) (err error) { _, n, err = tx.Purge(keep); return err })
				}
				if got := number(t, s, c.remain); got != step.want {
					t.Errorf("after %v: got %d; want %d", step.after, got, step.want)
				}
			}
		})
	}
}

// The end of a backup is the last trace of anything in it, up to the moment asked about.
func TestLatest_CountsEveryTraceUpToTheMoment(t *testing.T) {
	for name, rows := range map[string][]string{
		"a deed":    {`INSERT INTO audit (at, action) VALUES ($now, 'make')`},
		"an update": {`INSERT INTO inbox (update_id, chat_id, received) VALUES (1, 0, $now)`},
		"an attempt": {anAsset, `UPDATE assets SET created = 1, finished = 1`,
			`INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome)
			VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaa', 'RENDER', 1, 1, $now, 'done')`},
		"a wish":  {anAsset, `UPDATE assets SET finished = 1`},
		"a video": {anAsset, `UPDATE assets SET created = 1`},
		"an answer": {aUser, anAsset, `UPDATE assets SET created = 1, finished = 1`,
			`INSERT INTO requests (user_id, asset_id, chat_id, status, created, finished)
			VALUES (1, 'aaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 'FAILED', 1, $now)`},
		"a publication": {anAsset, `UPDATE assets SET created = 1, finished = 1`,
			`INSERT INTO publications (asset_id, platform, creator, created, status, started, completed)
			VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaa', 'YOUTUBE', 8, 1, 'COMPLETED', 1, $now)`},
	} {
		now := noon
		s := clocked(t, &now)
		inserts(t, s, rows...)
		for until, want := range map[time.Time]bool{noon: true, noon.Add(-time.Millisecond): false} {
			if at, err := Latest(t.Context(), s.Path(), until); err != nil || at.Equal(noon) != want {
				t.Errorf("%s, up to %v: got %v, %v; want it counted: %v", name, until, at, err, want)
			}
		}
	}
}

func TestQuietFor_CountsOnlyWhatTelegramSent(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	if _, ever, err := s.QuietFor(t.Context()); ever || err != nil {
		t.Errorf("got %v, %v; want nothing heard ever", ever, err)
	}
	inserts(t, s, `INSERT INTO inbox (update_id, chat_id, received) VALUES (1, 0, $now)`)
	now = noon.Add(time.Hour)
	inserts(t, s, `INSERT INTO inbox (update_id, chat_id, received) VALUES (-1, 0, $now)`) // the program's own
	if quiet, ever, err := s.QuietFor(t.Context()); quiet != time.Hour || !ever || err != nil {
		t.Errorf("got %v, %v, %v; want an hour", quiet, ever, err)
	}
}

// A video may be shared if it was finished from one moment up to now. A clock that was ahead made none that is fresh.
func TestShareOrCreate_OnlyAVideoOfTheTimeAskedFor(t *testing.T) {
	for finished, shared := range map[time.Duration]bool{-time.Hour - time.Millisecond: false, -time.Hour: true, 0: true,
		time.Millisecond: false, time.Hour: false} {
		now := noon.Add(finished)
		s := clocked(t, &now)
		do(t, s, func(tx *Tx) error { asks(t, tx, 1, "name"); return nil })
		makes(t, s)
		now = noon
		do(t, s, func(tx *Tx) error {
			if _, err := tx.UpsertUser(2, "ru"); err != nil {
				return err
			}
			a, _, err := tx.ShareOrCreate(Order{User: 2, Chat: 2, Name: "name", Key: "name", Template: "t", Lang: "ru", Message: 1},
				noon.Add(-time.Hour))
			if got := a.Status == Completed; got != shared {
				t.Errorf("finished %v from now: got it shared: %v; want %v", finished, got, shared)
			}
			return err
		})
	}
}

// A user whose video has lost its file gets one that is newer, and not an older one.
func TestMakeAgain_AnOlderVideoIsNoNewTry(t *testing.T) {
	for _, c := range []struct {
		other time.Duration // when the other was finished, from when the lost one was
		taken bool
	}{{-time.Minute, false}, {0, false}, {time.Millisecond, true}, {time.Minute, true}} {
		now := noon
		s := clocked(t, &now)
		do(t, s, func(tx *Tx) error { asks(t, tx, 1, "name"); return nil })
		makes(t, s)
		task := claims(t, s, Deliver, 1)[0]
		now = noon.Add(c.other)
		inserts(t, s, `INSERT INTO assets (id, name, name_key, template, lang, origin, status, file, created, finished)
			VALUES ('bbbbbbbbbbbbbbbbbbbbbbbbbb', 'name', 'name', 't', 'ru', 'REQUEST', 'COMPLETED', 'b.mp4', $now, $now)`)
		now = noon.Add(time.Hour)
		do(t, s, func(tx *Tx) error { return tx.MakeAgain(task.Job) })
		n := number(t, s, `SELECT count(*) FROM requests WHERE asset_id = 'bbbbbbbbbbbbbbbbbbbbbbbbbb'`)
		if (n == 1) != c.taken {
			t.Errorf("finished %v after the lost one: got it taken: %v; want %v", c.other, n == 1, c.taken)
		}
	}
}

// A start after a clock was far ahead: a schedule stays, an upload waits for a day and an hour, all else for an hour.
func TestCapWaits_ByWhatNobodyAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		step       string // of a publication; "-": a render
		wait, want time.Duration
	}{
		"a render":             {"-", 24 * time.Hour, longestWait},
		"a render, an hour":    {"-", longestWait, longestWait},
		"an upload":            {"quota", 48 * time.Hour, longestHold},
		"an upload, a day":     {"quota", longestHold, longestHold},
		"a video with a time":  {"scheduled", 30 * 24 * time.Hour, 30 * 24 * time.Hour},
		"an upload, a quarter": {"", 15 * time.Minute, 15 * time.Minute},
	} {
		now := noon
		s := clocked(t, &now)
		if c.step == "-" {
			do(t, s, func(tx *Tx) error { asks(t, tx, 1, "name"); return nil })
		} else {
			made(t, s, "RUMBLE")
		}
		due := noon.Add(c.wait).UnixMilli()
		do(t, s, func(tx *Tx) error {
			_, err := tx.sql.Exec(`UPDATE jobs SET due = ?, asked = 0`, due)
			if err == nil && c.step != "-" {
				_, err = tx.sql.Exec(`UPDATE publications SET step = ?`, c.step)
			}
			return errors.Join(err, tx.CapWaits())
		})
		got := time.Duration(int64(number(t, s, `SELECT max(due) FROM jobs WHERE kind IN ('RENDER', 'PUBLISH')`))-
			noon.UnixMilli()) * time.Millisecond
		if got != c.want {
			t.Errorf("%s: got it waiting for %v; want %v", name, got, c.want)
		}
	}
}

// An upload that others hold up has asked for that time: a start after a wrong clock may not cut it.
func TestPauseUploads_WhatIsHeldHasAskedForTheTime(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	made(t, s, "YOUTUBE")
	var another Asset
	do(t, s, func(tx *Tx) error { another = asks(t, tx, 1, "another name"); return nil })
	makes(t, s)
	do(t, s, func(tx *Tx) error { return tx.Publish(another.ID, Publication{Platform: "YOUTUBE", Channel: 1}) })
	task := claims(t, s, Publish, 1)[0]
	do(t, s, func(tx *Tx) error {
		return tx.PauseUploads(task.Job, true, tx.Now().Add(20*time.Hour), "quota", "x")
	})
	now = noon.Add(-72 * time.Hour) // the clock had been ahead
	do(t, s, (*Tx).CapWaits)
	for _, due := range []string{`min(due)`, `max(due)`} {
		got := int64(number(t, s, `SELECT `+due+` FROM jobs WHERE kind = 'PUBLISH'`)) - now.UnixMilli()
		if want := (20 * time.Hour).Milliseconds(); got != want {
			t.Errorf("%s: got %d ms from now; want %d", due, got, want)
		}
	}
}

// How often a message may have arrived although its attempt failed is remembered through each kind of another try.
func TestJobs_WhatMayHaveArrivedIsRemembered(t *testing.T) {
	for name, end := range map[string]func(tx *Tx, j Job) error{
		"tried again": func(tx *Tx, j Job) error { return tx.Reschedule(j, tx.Now(), "x") },
		"deferred":    func(tx *Tx, j Job) error { return tx.Defer(j, tx.Now(), "x") },
		"given back":  func(tx *Tx, j Job) error { return tx.GiveBack(j) },
	} {
		s := fresh(t)
		do(t, s, func(tx *Tx) error { asks(t, tx, 1, "name"); return nil })
		makes(t, s)
		job := claims(t, s, Deliver, 1)[0].Job
		job.Copies = 2
		do(t, s, func(tx *Tx) error { return end(tx, job) })
		if again := claims(t, s, Deliver, 1); len(again) != 1 || again[0].Copies != 2 {
			t.Errorf("%s: got %+v; want a message that may have arrived twice", name, again)
		}
	}
}

// Of a crowd each portion is full but the last, and the call says so: one of exactly a portion has no rest.
func TestDeleteAnnouncement_ThePortionsOfACrowd(t *testing.T) {
	for people, calls := range map[int]int{0: 1, 1: 1, copiesAtOnce - 1: 1, copiesAtOnce: 2, copiesAtOnce + 1: 2} {
		s := fresh(t)
		inserts(t, s, `INSERT INTO announcements (id, texts, status, creator, created, changed, started, finished)
			VALUES (1, '{}', 'done', 8, 1, 1, 1, 1)`,
			fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO users (id, lang, created) SELECT i, 'ru', 1 FROM n WHERE i <= %[1]d`, people),
			`INSERT INTO announced (announcement_id, user_id, outcome, at) SELECT 1, id, 'delivered', 1 FROM users`)
		n := 0
		for more := true; more; n++ {
			do(t, s, func(tx *Tx) (err error) { more, err = tx.DeleteAnnouncement(1, 8); return err })
		}
		if left := number(t, s, `SELECT count(*) FROM announced`) + number(t, s, `SELECT count(*) FROM announcements`); n != calls ||
			left != 0 {
			t.Errorf("%d people: got %d calls, %d rows left; want %d and none", people, n, left, calls)
		}
	}
}

// Copies that failed have all their tries before them when they are sent again.
func TestRepeatAnnouncement_FailedCopiesBeginAnew(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	inserts(t, s, aUser, `INSERT INTO announcements (id, texts, status, creator, created, changed, started, finished, people, failed)
			VALUES (1, '{"": "x"}', 'done', 8, 1, 1, 1, 1, 1, 1)`,
		`INSERT INTO announced (announcement_id, user_id, outcome, at, tries, code) VALUES (1, 1, 'failed', 1, 3, 'x')`)
	do(t, s, func(tx *Tx) error { return tx.RepeatAnnouncement(1, 8) })
	if n := number(t, s, `SELECT count(*) FROM announced WHERE outcome = 'waiting' AND tries = 0 AND code IS NULL AND at = ?`,
		noon.UnixMilli()); n != 1 {
		t.Errorf("got %d; want the copy due at once with no try behind it", n)
	}
	if n := number(t, s, `SELECT count(*) FROM announcements WHERE status = 'sending' AND failed = 0 AND finished IS NULL`); n != 1 {
		t.Error("got it otherwise; want it sent on, with no failure left")
	}
}

func TestScheduled_SaysWhereAndWhen(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	a := made(t, s, "YOUTUBE")
	at := noon.Add(3 * time.Hour)
	do(t, s, func(tx *Tx) error {
		_, err := tx.sql.Exec(`UPDATE publications SET publish_at = ?, metadata = '{"Title": "A greeting"}'`, at.UnixMilli())
		return err
	})
	for from, want := range map[time.Time]int{at: 1, at.Add(time.Millisecond): 0} {
		list, err := s.Scheduled(t.Context(), from, at.Add(time.Hour), 9)
		if err != nil || len(list) != want {
			t.Fatalf("from %v: got %+v, %v; want %d", from, list, err, want)
		}
		for _, p := range list {
			if p.AssetID != a.ID || p.Name != a.Name || p.Channel != "x" || p.Platform != "YOUTUBE" || !p.PublishAt.Equal(at) ||
				p.Metadata.Title != "A greeting" {
				t.Errorf("got %+v; want the video, its channel, and the time", p)
			}
		}
	}
	if list, err := s.Scheduled(t.Context(), noon, at, 9); err != nil || len(list) != 0 {
		t.Errorf("got %+v, %v; want nothing before its time", list, err)
	}
}

func TestStatus_LiveIsWhatThereIsStillToWaitFor(t *testing.T) {
	for status, want := range map[Status]bool{Pending: true, Processing: true, Completed: false, Failed: false} {
		if got := status.Live(); got != want {
			t.Errorf("%s: got %v; want %v", status, got, want)
		}
	}
}

func TestClaim_EachTaskHasItsOwnVideo(t *testing.T) {
	s := fresh(t)
	ids := map[int64]string{}
	do(t, s, func(tx *Tx) error {
		for user := range int64(6) { // two people to a video
			ids[user+1] = asks(t, tx, user+1, fmt.Sprintf("name %d", user/2)).ID
		}
		return nil
	})
	for _, task := range claims(t, s, Render, 3) {
		if task.Asset.ID != task.AssetID {
			t.Errorf("got the video %s to make; want %s", task.Asset.ID, task.AssetID)
		}
		do(t, s, func(tx *Tx) error {
			return tx.FinishRender(task.Job, Video{File: task.AssetID + ".mp4", Thumb: task.AssetID + ".jpg", Size: 9})
		})
	}
	inserts(t, s, `UPDATE assets SET file_id = id`)
	got := claims(t, s, Deliver, 9)
	if len(got) != 6 {
		t.Fatalf("got %d messages; want one for each person", len(got))
	}
	for _, task := range got {
		if task.Asset.ID != ids[task.To.User] || task.AssetID != ids[task.To.User] {
			t.Errorf("got the video %s for %d; want %s", task.Asset.ID, task.To.User, ids[task.To.User])
		}
	}
}
