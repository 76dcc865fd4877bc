// Tests of what a method does to the rows beside the one it is about: other videos, other people, other moments.

package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestFinishMessage_TakesBackOnlyAnAnnouncementThatWasOvertaken(t *testing.T) {
	for name, c := range map[string]struct {
		overtaken bool
		spent     int
	}{"in time": {false, 0}, "overtaken": {true, 77}} {
		s := fresh(t)
		do(t, s, func(tx *Tx) error {
			if _, err := tx.UpsertUser(1, "ru"); err != nil {
				return err
			}
			_, _, err := tx.ShareOrCreate(Order{User: 1, Chat: 1, Name: "anna", Key: "anna", Template: "t", Lang: "ru"}, tx.Now())
			return err
		})
		task := claims(t, s, Announce, 1)[0]
		if c.overtaken {
			do(t, s, func(tx *Tx) error {
				_, err := tx.sql.Exec(`UPDATE requests SET status = 'COMPLETED', answer_id = 5, finished = ?`, tx.now)
				return err
			})
		}
		do(t, s, func(tx *Tx) error {
			spent, err := tx.FinishMessage(&task, 77)
			if spent != c.spent {
				t.Errorf("%s: got message %d to take back; want %d", name, spent, c.spent)
			}
			return err
		})
		var progress int
		if err := s.db.Read().QueryRow(`SELECT progress_id FROM requests`).Scan(&progress); err != nil || progress != 77 {
			t.Errorf("%s: got progress message %d, %v; want the announcement", name, progress, err)
		}
	}
}

// A time that is nearer than a job asked for stays as near.
func TestCapWaits_MakesNothingLater(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	do(t, s, func(tx *Tx) error { asks(t, tx, 1, "name"); return nil })
	task := claims(t, s, Render, 1)[0]
	do(t, s, func(tx *Tx) error { return tx.Defer(task.Job, tx.Now().Add(time.Hour), "away") })
	now = noon.Add(50 * time.Minute)
	do(t, s, (*Tx).CapWaits)
	if due, err := s.NextDue(t.Context(), now); err != nil || !due.Equal(noon.Add(time.Hour)) {
		t.Errorf("got it due at %v, %v; want the time it asked for", due, err)
	}
}

// A bot that comes back, and back again, finds all that waits.
func TestInbox_SurvivesAnyNumberOfBots(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	do(t, s, func(tx *Tx) error { return tx.UseBot(1) })
	for i := range 6 {
		do(t, s, func(tx *Tx) error {
			_, err := tx.Receive([]Update{{ID: 10, Chat: 1, Raw: fmt.Sprint("a", i)}, {ID: 11, Chat: 1, Raw: fmt.Sprint("b", i)}})
			return errors.Join(err, tx.UseBot(int64(2-i%2)))
		})
		now = now.Add(time.Second)
		do(t, s, func(tx *Tx) error { return tx.UseBot(int64(1 + i%2)) })
	}
	waiting, err := s.Inbox(t.Context())
	if err != nil || len(waiting) != 12 {
		t.Fatalf("got %v, %v; want all twelve", waiting, err)
	}
	for i, u := range waiting {
		if u.ID > 0 || u.Raw[1:] != fmt.Sprint(i/2) {
			t.Errorf("got %+v in place %d; want them in the order they came, with no number of the bot's", u, i)
		}
	}
}

func TestRecentUser_WasSeenWithinADayAndNotLater(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	do(t, s, func(tx *Tx) error { _, err := tx.UpsertUser(1, "ru"); return err })
	for after, want := range map[time.Duration]bool{-time.Millisecond: false, 0: true, 24*time.Hour - time.Millisecond: true,
		24 * time.Hour: false} {
		now = noon.Add(after)
		if _, err := s.RecentUser(t.Context(), 1); (err == nil) != want {
			t.Errorf("%v after: got %v; want them known: %v", after, err, want)
		}
	}
}

// Only as many of the oldest videos go as the room is for, and none that somebody may still want.
func TestMakeRoom_TakesTheOldestAndNoMoreThanIsNeeded(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	video := func(id string, age int, more string) {
		t.Helper()
		inserts(t, s, fmt.Sprintf(`INSERT INTO assets (id, name, name_key, template, lang, origin, status, file, size, created, finished)
			VALUES ('%s', '%s', '%[1]s', 't', 'ru', 'REQUEST', 'COMPLETED', '%[1]s.mp4', 1000, $now - %[3]d, $now - %[3]d)`, id, id, age))
		if more != "" {
			inserts(t, s, fmt.Sprintf(more, id))
		}
	}
	inserts(t, s, aUser)
	for i, more := range []string{`UPDATE assets SET creator = 8 WHERE id = '%s'`, `UPDATE assets SET advance = 1 WHERE id = '%s'`,
		`INSERT INTO publications (asset_id, platform, creator, created, status, remote_id, remote_url, started, completed)
			VALUES ('%s', 'YOUTUBE', 8, 1, 'COMPLETED', 'x', 'https://x', 1, 1)`,
		`INSERT INTO jobs (kind, asset_id, fairness_key, position, due, created) VALUES ('RENDER', '%s', 1, 1, 0, 1)`,
		`INSERT INTO requests (user_id, asset_id, chat_id, status, created, restore_hold) VALUES (1, '%s', 1, 'PROCESSING', 1, 1)`,
	} {
		video(fmt.Sprintf("k%025d", i), 100_000-i, more)
	}
	for i := range 5 {
		video(fmt.Sprintf("v%025d", i), 10_000-i, "")
	}
	left := func() (n int) {
		if err := s.db.Read().QueryRow(`SELECT count(*) FROM assets`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, c := range []struct {
		bytes, freed int64
		left         int
	}{{0, 0, 10}, {1, 1000, 9}, {1000, 1000, 8}, {1001, 2000, 6}, {1 << 40, 1000, 5}, {1, 0, 5}} {
		do(t, s, func(tx *Tx) error {
			gone, freed, err := tx.MakeRoom(c.bytes)
			if freed != c.freed || len(gone.Assets) != int(c.freed/1000) {
				t.Errorf("%d bytes: got %d from %d videos; want %d", c.bytes, freed, len(gone.Assets), c.freed)
			}
			return err
		})
		if got := left(); got != c.left {
			t.Errorf("%d bytes: %d videos are left; want %d", c.bytes, got, c.left)
		}
	}
	var oldest string
	if err := s.db.Read().QueryRow(`SELECT group_concat(substr(id, 1, 1), '') FROM assets`).Scan(&oldest); err != nil || oldest != "kkkkk" {
		t.Errorf("got %s, %v left; want those that somebody may want", oldest, err)
	}
}

func TestMoveTo_ChangesOnlyWhatWaitsAndIsAsItWasSeen(t *testing.T) {
	at := noon.Add(48 * time.Hour)
	for name, c := range map[string]struct {
		was  string // how the publication differs from one that waits
		seen time.Time
		to   time.Time
		held bool
		busy bool
		step string
		due  int64
	}{
		"by the queue":              {"", time.Time{}, at, true, false, "scheduled", at.UnixMilli()},
		"by the queue, at once":     {"publish_at = 5, step = 'scheduled'", Moment(5), time.Time{}, true, false, "", 0},
		"by the platform":           {"", time.Time{}, at, false, false, "", 7},
		"by the platform, at once":  {"publish_at = 5", Moment(5), time.Time{}, false, false, "", 7},
		"it was moved meanwhile":    {"publish_at = 6", Moment(5), at, true, true, "", 7},
		"the platform has some":     {"sent = 1", time.Time{}, at, true, true, "", 7},
		"it has a session":          {"session_uri = 'https://x', session_at = 1", time.Time{}, at, false, true, "", 7},
		"it is there":               {"remote_id = 'x'", time.Time{}, at, false, true, "", 7},
		"somebody has to upload it": {"step = 'manual'", time.Time{}, at, true, true, "manual", 7},
		"it is sent":                {"status = 'PROCESSING', started = 1", time.Time{}, at, true, true, "", 7},
	} {
		t.Run(name, func(t *testing.T) {
			now := noon
			s := clocked(t, &now)
			inserts(t, s, `INSERT INTO assets (id, name, name_key, template, lang, origin, status, file, created, finished)
				VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaa', 'x', 'x', 't', 'ru', 'REQUEST', 'COMPLETED', 'x.mp4', 1, 1)`,
				`INSERT INTO publications (id, asset_id, platform, creator, created)
				VALUES (3, 'aaaaaaaaaaaaaaaaaaaaaaaaaa', 'YOUTUBE', 8, 1)`,
				`INSERT INTO jobs (kind, asset_id, publication_id, fairness_key, position, due, asked, waiting_since, waits, created)
				VALUES ('PUBLISH', 'aaaaaaaaaaaaaaaaaaaaaaaaaa', 3, 1, 1, 7, 9, 9, 9, 1)`)
			if c.was != "" {
				inserts(t, s, `UPDATE publications SET `+c.was)
			}
			p := Publication{ID: 3, PublishAt: c.seen}
			var told []string
			err := s.Tx(t.Context(), func(tx *Tx) error {
				defer func() { told = tx.Touched() }()
				return tx.MoveTo("aaaaaaaaaaaaaaaaaaaaaaaaaa", p, c.to, c.held)
			})
			if !c.busy && len(told) == 0 {
				t.Error("open pages are told nothing")
			}
			if (err != nil) != c.busy || c.busy && !errors.Is(err, Busy(Publish)) {
				t.Errorf("got %v; want it busy: %v", err, c.busy)
			}
			var step string
			var publishAt, due, waits int64
			if err := s.db.Read().QueryRow(`SELECT p.step, ifnull(p.publish_at, 0), j.due, j.waits FROM publications p
				JOIN jobs j ON j.publication_id = p.id`).Scan(&step, &publishAt, &due, &waits); err != nil {
				t.Fatal(err)
			}
			moved := int64(0)
			if !c.to.IsZero() {
				moved = c.to.UnixMilli()
			}
			if step != c.step || due != c.due || !c.busy && publishAt != moved || (waits == 0) != (c.held && !c.busy) {
				t.Errorf("got step %q, at %d, due %d, %d waits", step, publishAt, due, waits)
			}
		})
	}
}

func TestActivity_GoesOnWhereThePageBeforeHasEnded(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	inserts(t, s, anAsset)
	for i := range 4 { // of each moment a deed of a person and one of the program
		inserts(t, s, fmt.Sprintf(`INSERT INTO audit (at, admin, action, outcome) VALUES ($now + %d, 8, 'edit', '%[1]d')`, i/2),
			fmt.Sprintf(`INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome, error)
				VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaa', 'RENDER', 1, $now, $now + %d, 'gave_up', 'x')`, i/2))
	}
	whole, err := s.Activity(t.Context(), Deeds{}, "", 100)
	if err != nil || len(whole) != 8 {
		t.Fatalf("got %d deeds, %v; want eight", len(whole), err)
	}
	for size := 1; size <= 3; size++ {
		var keys []string
		for after := ""; ; {
			page, err := s.Activity(t.Context(), Deeds{}, after, size)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, d := range page {
				keys = append(keys, d.Key)
			}
			after = page[len(page)-1].Key
		}
		if len(keys) != len(whole) {
			t.Fatalf("%d a page: got %v; want each of eight once", size, keys)
		}
		for i, d := range whole {
			if keys[i] != d.Key {
				t.Errorf("%d a page: got %s in place %d; want %s", size, keys[i], i, d.Key)
			}
		}
	}
	for _, key := range []string{"x", "5", "5-a", "5-b-1", "5-a-x", "-"} {
		if _, err := s.Activity(t.Context(), Deeds{}, key, 5); !errors.Is(err, ErrNotFound) {
			t.Errorf("after %q: got %v; want ErrNotFound", key, err)
		}
	}
}

func TestMayChange_AnOwnerAnythingTheOthersTheirs(t *testing.T) {
	mine, other := int64(7), int64(9)
	for _, c := range []struct {
		admin   Admin
		creator *int64
		want    bool
	}{{Admin{ID: 7}, &mine, true}, {Admin{ID: 7}, &other, false}, {Admin{ID: 7}, nil, false},
		{Admin{ID: 7, Owner: true}, &other, true}, {Admin{ID: 7, Owner: true}, nil, true}, {Admin{}, nil, false}} {
		if got := c.admin.MayChange(c.creator); got != c.want {
			t.Errorf("%+v, made by %v: got %v; want %v", c.admin, c.creator, got, c.want)
		}
	}
}

func TestVisits_TheNewestFirst(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	for i, hash := range []string{"0a", "0c", "0b"} {
		inserts(t, s, fmt.Sprintf(`INSERT INTO sessions (hash, admin, created, seen) VALUES (CAST(x'%s' || zeroblob(31) AS BLOB), 8,
			$now - %d, $now - %d)`, hash, []int{2000, 9000, 5000}[i], []int{3_600_001, 3_600_000, 0}[i]))
	}
	visits, err := s.Visits(t.Context(), 8, [32]byte{0x0b})
	if err != nil || len(visits) != 3 {
		t.Fatalf("got %+v, %v; want three", visits, err)
	}
	for i, want := range []Session{{Begun: noon.Add(-2 * time.Second)}, {Begun: noon.Add(-5 * time.Second), Recent: true, This: true},
		{Begun: noon.Add(-9 * time.Second), Recent: true}} {
		got := visits[i]
		if !got.Begun.Equal(want.Begun) || got.Recent != want.Recent || got.This != want.This {
			t.Errorf("got %+v in place %d; want %+v", got, i, want)
		}
	}
}

func TestRepeatAnnouncement_SendsWhatFailedAndNothingElse(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	inserts(t, s, aUser, `INSERT INTO users (id, lang, created) VALUES (2, 'ru', 1), (3, 'ru', 1)`,
		`INSERT INTO announcements (id, texts, status, creator, created, changed, started, finished, people, failed, delivered)
			VALUES (1, '{"": "x"}', 'done', 8, 1, 1, 1, 1, 3, 1, 1)`,
		`INSERT INTO announced (announcement_id, user_id, outcome, at, tries)
			VALUES (1, 1, 'delivered', 1, 1), (1, 2, 'failed', 1, 1), (1, 3, 'blocked', 1, 1)`)
	do(t, s, func(tx *Tx) error { return tx.RepeatAnnouncement(1, 8) })
	if n := number(t, s, `SELECT count(*) FROM announced WHERE outcome = 'waiting' AND user_id = 2`); n != 1 ||
		number(t, s, `SELECT count(*) FROM announced WHERE outcome = 'waiting'`) != 1 {
		t.Error("want the copy that failed sent again, and no other")
	}
	inserts(t, s, `UPDATE announcements SET status = 'done', finished = 1`, `UPDATE announced SET outcome = 'delivered'`)
	if err := s.Tx(t.Context(), func(tx *Tx) error { return tx.RepeatAnnouncement(1, 8) }); !errors.Is(err, ErrConflict) {
		t.Errorf("with none that failed: got %v; want ErrConflict", err)
	}
}

func TestConsent_OfSomebodyWhoWasNotAskedIsNone(t *testing.T) {
	s := fresh(t)
	do(t, s, func(tx *Tx) error {
		answer, err := tx.Consent(404)
		if answer != "" || err != nil {
			t.Errorf("got %q, %v; want no answer", answer, err)
		}
		return nil
	})
}

// An announcement that fails after the video is there is over: nobody sends it any more.
func TestRelease_AnAnnouncementThatWasOvertakenIsOver(t *testing.T) {
	for _, overtaken := range []bool{false, true} {
		s := fresh(t)
		do(t, s, func(tx *Tx) error {
			if _, err := tx.UpsertUser(1, "ru"); err != nil {
				return err
			}
			_, _, err := tx.ShareOrCreate(Order{User: 1, Chat: 1, Name: "anna", Key: "anna", Template: "t", Lang: "ru"}, tx.Now())
			return err
		})
		said := claims(t, s, Announce, 1)[0]
		if overtaken {
			fails(t, s)
		}
		do(t, s, func(tx *Tx) error { return tx.Reschedule(said.Job, tx.Now(), "away") })
		want := 1
		if overtaken {
			want = 0
		}
		if n := number(t, s, `SELECT count(*) FROM jobs WHERE kind = 'ANNOUNCE'`); n != want {
			t.Errorf("overtaken %v: got %d announcements that wait; want %d", overtaken, n, want)
		}
	}
}

func TestRenderTimes_CountsWhatWorked(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	inserts(t, s, anAsset)
	for i, outcome := range []string{"done", "gave_up", "done", "rescheduled"} {
		inserts(t, s, fmt.Sprintf(`INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome, error)
			VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaa', 'RENDER', 1, 0, %d, '%s', iif('%[2]s' = 'done', NULL, 'x'))`, (i+1)*1000, outcome))
	}
	inserts(t, s, `INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome)
		VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaa', 'PUBLISH', 1, 0, 9000, 'done')`)
	got, err := s.RenderTimes(t.Context())
	if err != nil || fmt.Sprint(got) != "[3s 1s]" {
		t.Errorf("got %v, %v; want those of the two that worked, the newest first", got, err)
	}
}

// The page of a try lists those before it and those after it, five of each, in their order.
func TestDetail_ListsTheTriesBeforeAndAfter(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	const tries = 14
	for i := range tries {
		inserts(t, s, fmt.Sprintf(`INSERT INTO assets (id, name, name_key, template, lang, origin, status, error, created, finished, retry_of)
			VALUES ('%026d', 'x', 'x', 't', 'ru', 'REQUEST', 'FAILED', 'e', %d, %[2]d, iif(%[1]d = 0, NULL, '%026[3]d'))`, i, i+1, i-1))
	}
	for at, want := range map[int][2]int{0: {0, 5}, 7: {2, 12}, tries - 1: {tries - 6, tries - 1}} {
		d, err := s.Detail(t.Context(), fmt.Sprintf("%026d", at))
		if err != nil || len(d.Tries) != want[1]-want[0]+1 {
			t.Fatalf("try %d: got %d tries, %v; want %d", at, len(d.Tries), err, want[1]-want[0]+1)
		}
		for i, try := range d.Tries {
			if try.ID != fmt.Sprintf("%026d", want[0]+i) {
				t.Errorf("try %d: got %s in place %d", at, try.ID, i)
			}
		}
	}
}

// An admin who made a video waits for it. One that is made in advance is waited for by nobody.
func TestWaitingPeople_AreThoseWhoAskedOrTheAdmin(t *testing.T) {
	for name, c := range map[string]struct {
		set  string
		want string
	}{"asked for": {``, "[1 2]"}, "made by an admin": {`UPDATE assets SET creator = 8`, "[1 2]"},
		"by an admin alone":  {`UPDATE assets SET creator = 8; DELETE FROM requests`, "[8]"},
		"in advance":         {`UPDATE assets SET creator = 8, advance = 1; DELETE FROM requests`, "[]"},
		"by nobody any more": {`DELETE FROM requests`, "[]"}} {
		s := fresh(t)
		var id string
		do(t, s, func(tx *Tx) error {
			asks(t, tx, 1, "anna")
			id = asks(t, tx, 2, "anna").ID
			for _, statement := range strings.Split(c.set, "; ") {
				if _, err := tx.sql.Exec(statement); statement != "" && err != nil {
					return err
				}
			}
			return nil
		})
		do(t, s, func(tx *Tx) error {
			got, err := tx.WaitingPeople(id, 2)
			if fmt.Sprint(got) != c.want {
				t.Errorf("%s: got %v; want %s", name, got, c.want)
			}
			return err
		})
	}
}

// Somebody who asks again takes the mark only from an apology about that video.
func TestOutdated_TakesOnlyMarksOfWhatWasAskedForSince(t *testing.T) {
	s := fresh(t)
	do(t, s, func(tx *Tx) error { asks(t, tx, 1, "anna"); asks(t, tx, 1, "boris"); return nil })
	fails(t, s)
	for _, task := range claims(t, s, Apologise, 9) {
		do(t, s, func(tx *Tx) error { return tx.GiveUp(task.Job, "away", "") })
	}
	marked := func() int { return number(t, s, `SELECT count(*) FROM requests WHERE undelivered IS NOT NULL`) }
	if n := marked(); n != 2 {
		t.Fatalf("got %d messages given up; want both apologies", n)
	}
	if n := number(t, s, `SELECT count(*) FROM requests WHERE progress_id IS NOT NULL`); n != 2 {
		t.Fatalf("got %d progress messages; want two", n)
	}
	if all, err := s.Stranded(t.Context()); err != nil || len(all) != 2 {
		t.Errorf("got %+v, %v; want both people's messages to say so", all, err)
	}
	do(t, s, func(tx *Tx) error { asks(t, tx, 1, "anna"); return nil })
	if n := marked(); n != 1 {
		t.Errorf("got %d; want the one about the other name", n)
	}
	if all, err := s.Stranded(t.Context()); err != nil || len(all) != 1 || all[0].Name != "boris" {
		t.Errorf("got %+v, %v; want that one alone", all, err)
	}
}

func TestActivity_OfADayIsOfThatDay(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	day := time.Date(2026, 12, 20, 0, 0, 0, 0, time.UTC)
	for i, at := range []time.Time{day.Add(-time.Millisecond), day, day.Add(24*time.Hour - time.Millisecond), day.Add(24 * time.Hour)} {
		inserts(t, s, fmt.Sprintf(`INSERT INTO audit (at, admin, action, outcome) VALUES (%d, 8, 'edit', '%d')`, at.UnixMilli(), i))
	}
	got, err := s.Activity(t.Context(), Deeds{Day: day}, "", 10)
	if err != nil || len(got) != 2 || got[0].Outcome != "2" || got[1].Outcome != "1" {
		t.Errorf("got %+v, %v; want the second and the third, the newest first", got, err)
	}
}

// Open pages are told when an announcement stops, ends, or has gone further and says so.
func TestAnnouncements_PagesAreTold(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(tx *Tx) error
		told bool
	}{
		"halted":   {func(tx *Tx) error { return tx.HaltAnnouncement(1, "x") }, true},
		"finished": {func(tx *Tx) error { return tx.FinishAnnouncement(1) }, true},
		"a copy": {func(tx *Tx) error {
			return tx.KeepCopy(Copy{Announcement: 1, User: 1}, CopyDelivered, "", tx.Now(), true)
		}, true},
		"a copy among many.": {func(tx *Tx) error {
			return tx.KeepCopy(Copy{Announcement: 1, User: 1}, CopyDelivered, "", tx.Now(), false)
		}, false},
	} {
		now := noon
		s := clocked(t, &now)
		inserts(t, s, aUser, `INSERT INTO announcements (id, texts, status, creator, created, changed, started, people)
			VALUES (1, '{"": "x"}', 'sending', 8, 1, 1, 1, 1)`)
		var told []string
		do(t, s, func(tx *Tx) error {
			defer func() { told = tx.Touched() }()
			return c.do(tx)
		})
		if (len(told) > 0) != c.told {
			t.Errorf("%s: told %q; want it told: %v", name, told, c.told)
		}
	}
}

// A session that has ended is not listed, and one at its last moment is.
func TestVisits_OfSessionsThatHaveNotEnded(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	inserts(t, s, `INSERT INTO sessions (hash, admin, created, seen) VALUES (zeroblob(32), 8, $now, $now)`)
	for after, want := range map[time.Duration]int{SessionLife: 1, SessionLife + time.Millisecond: 0} {
		now = noon.Add(after)
		if visits, err := s.Visits(t.Context(), 8, [32]byte{}); err != nil || len(visits) != want {
			t.Errorf("%v after: got %d, %v; want %d", after, len(visits), err, want)
		}
	}
}

// Each state of a publication needs an admin for one reason, or for none.
func TestAttention_WhatAPublicationNeeds(t *testing.T) {
	for name, c := range map[string]struct {
		set  string
		want string
	}{
		"waits":               {``, "map[]"},
		"waits for its time":  {`step = 'scheduled', publish_at = 5`, "map[]"},
		"by hand":             {`step = 'manual'`, "map[hand-off:1]"},
		"is sent":             {`status = 'PROCESSING', started = 1`, "map[]"},
		"failed":              {`status = 'FAILED', error = 'x', completed = 1`, "map[publication:1]"},
		"is there":            {`status = 'COMPLETED', remote_id = 'x', remote_url = 'https://x', started = 1, completed = 1`, "map[]"},
		"not as it should be": {`status = 'COMPLETED', remote_id = 'x', remote_url = 'https://x', started = 1, completed = 1, standing = 'private', standing_at = 1`, "map[publication:1]"},
		"its access has ended": {`status = 'FAILED', error = 'x', completed = 1, step = 'reconnect', channel_id = 1`,
			"map[channel:1]"},
	} {
		now := noon
		s := clocked(t, &now)
		inserts(t, s, `INSERT INTO assets (id, name, name_key, template, lang, origin, status, file, created, finished)
				VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaa', 'x', 'x', 't', 'ru', 'REQUEST', 'COMPLETED', 'x.mp4', 1, 1)`,
			`INSERT INTO channels (id, platform, external_id, title, state, token, creator, connected, checked)
				VALUES (1, 'YOUTUBE', 'UC1', 'x', 'CONNECTED', x'00', 8, 1, 1)`,
			`INSERT INTO publications (asset_id, platform, creator, created) VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaa', 'YOUTUBE', 8, 1)`)
		if c.set != "" {
			inserts(t, s, `UPDATE publications SET `+c.set)
		}
		if name == "its access has ended" {
			inserts(t, s, `UPDATE channels SET state = 'ENDED', error = 'x'`)
		}
		all, err := s.Attention(t.Context(), Admin{ID: 8, Owner: true}, time.Time{})
		got := map[string]int{}
		for kind, g := range all {
			got[kind] = g.N
		}
		if err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%s: got %v, %v; want %s", name, got, err, c.want)
		}
	}
}

// An owner who becomes an admin loses what only owners have; one who stays an owner keeps it.
func TestAppoint_AnAdminHasNoTokensAndInvitesNobody(t *testing.T) {
	for owner, want := range map[bool]int{true: 2, false: 0} {
		now := noon
		s := clocked(t, &now)
		do(t, s, func(tx *Tx) error { return tx.Appoint(Admin{ID: 7, Owner: true}, 8, "page") })
		inserts(t, s, `INSERT INTO tokens (hash, admin, title, scope, created, expires) VALUES (zeroblob(32), 7, 'x', 'read', 1, $now)`,
			`INSERT INTO invitations (hash, owner, inviter, expires) VALUES (zeroblob(32), 0, 7, $now)`)
		do(t, s, func(tx *Tx) error { return tx.Appoint(Admin{ID: 7, Owner: owner}, 8, "page") })
		if n := number(t, s, `SELECT (SELECT count(*) FROM tokens) + (SELECT count(*) FROM invitations)`); n != want {
			t.Errorf("owner %v: got %d tokens and invitations; want %d", owner, n, want)
		}
	}
}

// What a page says of attempts is about the video and its publications, and not about messages to people.
func TestAttempts_AreThoseOfTheVideoAndItsPublications(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	inserts(t, s, anAsset)
	for i, kind := range []string{"RENDER", "DELIVER", "PUBLISH", "APOLOGISE", "ANNOUNCE"} {
		inserts(t, s, fmt.Sprintf(`INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome)
			VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaa', '%s', %d, 1, 2, 'done')`, kind, i+1))
	}
	all, err := s.Attempts(t.Context(), "aaaaaaaaaaaaaaaaaaaaaaaaaa", "other")
	got := all["aaaaaaaaaaaaaaaaaaaaaaaaaa"]
	if err != nil || len(all) != 1 || len(got) != 2 || got[0].Kind != Render || got[1].Kind != Publish {
		t.Errorf("got %+v, %v; want the render and the publication", all, err)
	}
}

// A failed wish counts as asked for again only if the later one is for the same video.
func TestRequestsOf_RetriedIsWhatWasAskedForAgain(t *testing.T) {
	for name, c := range map[string]struct {
		key, template, lang string
		want                bool
	}{"the same": {"x", "t", "ru", true}, "another name": {"y", "t", "ru", false}, "another template": {"x", "u", "ru", false},
		"another language": {"x", "t", "en", false}} {
		now := noon
		s := clocked(t, &now)
		inserts(t, s, aUser, anAsset, fmt.Sprintf(`INSERT INTO assets (id, name, name_key, template, lang, origin, created)
			VALUES ('bbbbbbbbbbbbbbbbbbbbbbbbbb', '%s', '%[1]s', '%s', '%s', 'REQUEST', 2)`, c.key, c.template, c.lang),
			`INSERT INTO requests (user_id, asset_id, chat_id, status, created, finished)
				VALUES (1, 'aaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 'FAILED', 1, 1)`,
			`INSERT INTO requests (user_id, asset_id, chat_id, status, created) VALUES (1, 'bbbbbbbbbbbbbbbbbbbbbbbbbb', 1, 'PENDING', 2)`)
		wanted, err := s.RequestsOf(t.Context(), 1, 10)
		if err != nil || len(wanted) != 2 || wanted[1].Retried != c.want || wanted[0].Retried {
			t.Errorf("%s: got %+v, %v; want the failed one asked for again: %v", name, wanted, err, c.want)
		}
	}
}

// What was given up after a moment is counted, and an update that nobody can read is no message.
func TestNotDelivered_CountsMessagesAndAnswersSinceThen(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	inserts(t, s, aUser, anAsset, `INSERT INTO requests (user_id, asset_id, chat_id, status, created, finished, undelivered)
			VALUES (1, 'aaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 'FAILED', 1, 1, $now)`,
		`INSERT INTO inbox (update_id, chat_id, raw, received, set_aside, error) VALUES (1, 1, '{}', 1, $now - 1, 'update_failed'),
			(2, 1, '{}', 1, $now, '`+UpdateShape+`')`)
	for after, want := range map[time.Duration]int{-2 * time.Millisecond: 2, -time.Millisecond: 1, 0: 0} {
		g, err := s.NotDelivered(t.Context(), noon.Add(after))
		if err != nil || g.N != want {
			t.Errorf("after %v: got %+v, %v; want %d", after, g, err, want)
		}
	}
}
