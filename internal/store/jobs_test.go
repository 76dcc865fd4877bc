// Tests of how jobs are begun, and of how their attempts end.

package store

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestJobs_EachEndOfAnAttemptCountsAndWaitsAsItShould(t *testing.T) {
	for name, c := range map[string]struct {
		end     func(tx *Tx, j Job) error
		attempt int // of the next run
		wait    time.Duration
	}{
		"given back":          {func(tx *Tx, j Job) error { return tx.GiveBack(j) }, 1, 0},
		"tried again":         {func(tx *Tx, j Job) error { return tx.Reschedule(j, tx.Now().Add(time.Minute), "x") }, 2, time.Minute},
		"tried again further": {func(tx *Tx, j Job) error { return tx.RescheduleAnew(j, tx.Now().Add(time.Minute), "x") }, 1, time.Minute},
		"deferred":            {func(tx *Tx, j Job) error { return tx.Defer(j, tx.Now().Add(time.Hour), "x") }, 1, time.Hour},
		"held in an outage":   {func(tx *Tx, j Job) error { return tx.Hold(j, tx.Now().Add(time.Hour), "x") }, 1, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 12, 20, 12, 0, 0, 0, time.UTC)
			s := clocked(t, &now)
			do(t, s, func(tx *Tx) error { asks(t, tx, 1, "name"); return nil })
			task := claims(t, s, Render, 1)[0]
			if task.Attempt != 1 {
				t.Errorf("got attempt %d; want the first", task.Attempt)
			}
			do(t, s, func(tx *Tx) error { return c.end(tx, task.Job) })
			if c.wait > 0 {
				now = now.Add(c.wait - time.Millisecond)
				if tasks := claims(t, s, Render, 1); len(tasks) > 0 {
					t.Errorf("got it begun too early; want it to wait for %v", c.wait)
				}
				now = now.Add(time.Millisecond)
			}
			tasks := claims(t, s, Render, 1)
			if len(tasks) != 1 || tasks[0].Attempt != c.attempt {
				t.Fatalf("got %+v; want attempt %d", tasks, c.attempt)
			}
			if err := s.Tx(t.Context(), func(tx *Tx) error {
				return c.end(tx, Job{ID: task.ID, Kind: Render, AssetID: task.AssetID, Attempt: 9})
			}); !errors.Is(err, ErrNotFound) {
				t.Errorf("got %v; want an attempt that is not its own refused", err)
			}
		})
	}
}

// An attempt that fails for its own reason has outlived the crashes before it: only those in a row blame a job.
func TestJobs_AnAttemptThatEndsForgetsTheCrashesBeforeIt(t *testing.T) {
	for name, end := range map[string]func(tx *Tx, j Job) error{
		"tried again":         func(tx *Tx, j Job) error { return tx.Reschedule(j, tx.Now(), "x") },
		"tried again further": func(tx *Tx, j Job) error { return tx.RescheduleAnew(j, tx.Now(), "x") },
		"deferred":            func(tx *Tx, j Job) error { return tx.Defer(j, tx.Now(), "x") },
		"uploaded again":      func(tx *Tx, j Job) error { return tx.Reupload(j, "x") },
	} {
		now := time.Date(2026, 12, 20, 12, 0, 0, 0, time.UTC)
		s := clocked(t, &now)
		do(t, s, func(tx *Tx) error { asks(t, tx, 1, "name"); return nil })
		task := claims(t, s, Render, 1)[0]
		do(t, s, func(tx *Tx) error { return tx.Rescue(task.Job, true, true) })
		var tasks []Task
		do(t, s, func(tx *Tx) (err error) { tasks, err = tx.Claim(Render, true, 1); return err })
		if len(tasks) != 1 || tasks[0].Crashes != 1 {
			t.Fatalf("%s: got %+v; want the job that ran when the program died", name, tasks)
		}
		do(t, s, func(tx *Tx) error { return end(tx, tasks[0].Job) })
		if again := claims(t, s, Render, 1); len(again) != 1 || again[0].Crashes != 0 {
			t.Errorf("%s: got %+v; want no crash counted", name, again)
		}
	}
}

// A start caps the waits that a wrong clock has made longer, and none that a job has asked for: Telegram may put a message
// off for a day.
func TestCapWaits_WhatAJobAskedForStays(t *testing.T) {
	now := time.Date(2026, 12, 20, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		wait, back time.Duration // asked for; by which the clock is set back then
		want       time.Duration
	}{
		"a minute":                     {time.Minute, 0, time.Minute},
		"a day":                        {24 * time.Hour, 0, 24 * time.Hour},
		"a minute, the clock set back": {time.Minute, 48 * time.Hour, time.Minute},
		"a day, the clock set back":    {24 * time.Hour, 48 * time.Hour, 24 * time.Hour},
	} {
		s := clocked(t, &now)
		do(t, s, func(tx *Tx) error { asks(t, tx, 1, "name"); return nil })
		task := claims(t, s, Render, 1)[0]
		do(t, s, func(tx *Tx) error { return tx.Defer(task.Job, tx.Now().Add(c.wait), "away") })
		now = now.Add(-c.back)
		do(t, s, (*Tx).CapWaits)
		if due, err := s.NextDue(t.Context(), now); err != nil || due.Sub(now) != c.want {
			t.Errorf("%s: got it due in %v, %v; want %v", name, due.Sub(now), err, c.want)
		}
		now = now.Add(c.back)
	}
}

// A failure of the third attempt after two that were held in an outage leaves it with its first attempt.
func TestJobs_AnOutageGivesBackTheAttemptsOfARunningVideo(t *testing.T) {
	s := fresh(t)
	do(t, s, func(tx *Tx) error { asks(t, tx, 1, "name"); return nil })
	for range 2 {
		task := claims(t, s, Render, 1)[0]
		do(t, s, func(tx *Tx) error { return tx.Reschedule(task.Job, tx.Now(), "the key has expired") })
	}
	running := claims(t, s, Render, 1)[0]
	do(t, s, func(tx *Tx) error { return tx.BeginOutage("the key has expired", map[string]int{running.AssetID: 2}) })
	do(t, s, func(tx *Tx) error { return tx.Hold(running.Job, tx.Now(), "the key has expired") })
	if task := claims(t, s, Render, 1)[0]; task.Attempt != 1 {
		t.Errorf("got attempt %d; want the first", task.Attempt)
	}
}

func TestGiveUp_EverybodyIsToldAndTheAdminsCountIt(t *testing.T) {
	for _, people := range []int64{1, FanoutMin - 1, FanoutMin, FanoutMin + 1} {
		s := fresh(t)
		before := time.Now().Add(-time.Second)
		do(t, s, func(tx *Tx) error {
			for user := range people {
				asks(t, tx, user+1, "name")
			}
			return nil
		})
		fails(t, s)
		var rows int64
		if err := s.db.Read().QueryRow(`SELECT count(*) FROM jobs`).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		if fanOut := people >= FanoutMin; fanOut != (rows == 1 && people > 1) || !fanOut && rows != people {
			t.Errorf("got %d rows for %d people; want one from %d people on", rows, people, FanoutMin)
		}
		told := 0
		for tasks := claims(t, s, Apologise, 16); len(tasks) > 0; tasks = claims(t, s, Apologise, 16) {
			told += len(tasks)
			arrives(t, s, tasks)
		}
		if told != int(people) {
			t.Errorf("got %d told; want %d", told, people)
		}
		all, err := s.Attention(t.Context(), Admin{Owner: true}, before)
		if given := all[NeedsRetry]; err != nil || given.N != 1 || given.Last.Before(before) {
			t.Errorf("got %+v, %v; want one failure", given, err)
		}
	}
}

func TestCancel_OnlyWhatHasNotBegun(t *testing.T) {
	s := fresh(t)
	var a Asset
	do(t, s, func(tx *Tx) error { a = asks(t, tx, 1, "name"); return nil })
	claims(t, s, Render, 1)
	if err := s.Tx(t.Context(), func(tx *Tx) error { _, err := tx.Cancel(1, a.ID); return err }); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v; want a video that is being made not cancelled", err)
	}
	do(t, s, func(tx *Tx) error { a = asks(t, tx, 1, "other"); return nil })
	do(t, s, func(tx *Tx) error {
		message, err := tx.Cancel(1, a.ID)
		if message != 1 {
			t.Errorf("got message %d; want its progress message", message)
		}
		return err
	})
	if _, err := s.Asset(t.Context(), a.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v; want a video that nobody waits for gone", err)
	}
}

func TestUploadsSince_CountsNoneOfTheFuture(t *testing.T) {
	s := fresh(t)
	now := time.Now()
	do(t, s, func(tx *Tx) error {
		_, err := tx.sql.Exec(`INSERT INTO uploads (at) VALUES (?), (?), (?)`, now.Add(-time.Minute).UnixMilli(),
			now.Add(48*time.Hour).UnixMilli(), now.Add(-48*time.Hour).UnixMilli())
		return err
	})
	if n, err := s.UploadsSince(t.Context(), now.Add(-time.Hour)); n != 1 || err != nil {
		t.Errorf("got %d, %v; want the one of the last hour", n, err)
	}
}

func TestPauseUploads_KeepsALongerHold(t *testing.T) {
	s := fresh(t)
	var asset Asset
	do(t, s, func(tx *Tx) error { asset = asks(t, tx, 1, "name"); return nil })
	task := claims(t, s, Render, 1)[0]
	do(t, s, func(tx *Tx) error {
		if err := tx.FinishRender(task.Job, Video{File: "f"}); err != nil {
			return err
		}
		_, err := tx.Connect(Channel{Platform: "YOUTUBE", External: "UC", Title: "x"}, []byte{1})
		return errors.Join(err, tx.Publish(asset.ID, Publication{Platform: "YOUTUBE", Channel: 1}))
	})
	now := time.Now()
	for _, c := range []struct {
		ask, want time.Duration
		why       string
	}{{24 * time.Hour, 24 * time.Hour, "limit"}, {time.Hour, 24 * time.Hour, "quota"}, {25 * time.Hour, 25 * time.Hour, "quota"}} {
		do(t, s, func(tx *Tx) error {
			if _, err := tx.sql.Exec(`UPDATE jobs SET started = NULL, due = 0 WHERE kind = 'PUBLISH'`); err != nil {
				return err
			}
			tasks, err := tx.Claim(Publish, false, 1)
			if err != nil || len(tasks) != 1 {
				t.Fatalf("got %v, %v; want the upload begun", tasks, err)
			}
			return tx.PauseUploads(tasks[0].Job, true, now.Add(c.ask), c.why, "x")
		})
		channels, err := s.Channels(t.Context())
		if err != nil || len(channels) != 1 || channels[0].PausedUntil.Sub(now).Round(time.Minute) != c.want {
			t.Errorf("got %+v, %v; want it held for %v", channels, err, c.want)
		}
	}
}

// made makes a video that is asked for and published to a platform, with its PUBLISH job waiting.
func made(t *testing.T, s *Store, platform string) (a Asset) {
	t.Helper()
	do(t, s, func(tx *Tx) error { a = asks(t, tx, 1, "name "+platform); return nil })
	task := claims(t, s, Render, 1)[0]
	do(t, s, func(tx *Tx) error {
		if err := tx.FinishRender(task.Job, Video{File: platform}); err != nil {
			return err
		}
		channel := int64(0)
		if platform == "YOUTUBE" {
			id, err := tx.Connect(Channel{Platform: platform, External: "UC", Title: "x"}, []byte{1})
			if err != nil {
				return err
			}
			channel = id
		}
		return tx.Publish(a.ID, Publication{Platform: platform, Channel: channel})
	})
	return a
}

func TestClaim_AVideoThatShouldGoIsNotPublishedWhateverLeftTheJob(t *testing.T) {
	s := fresh(t)
	made(t, s, "YOUTUBE")
	do(t, s, func(tx *Tx) error { _, err := tx.sql.Exec(`UPDATE assets SET delete_requested_at = 1`); return err })
	if tasks := claims(t, s, Publish, 9); len(tasks) > 0 {
		t.Errorf("got %+v; want nothing begun", tasks)
	}
	do(t, s, func(tx *Tx) error { _, err := tx.sql.Exec(`UPDATE assets SET delete_requested_at = NULL`); return err })
	if tasks := claims(t, s, Publish, 9); len(tasks) != 1 {
		t.Errorf("got %+v; want the upload begun", tasks)
	}
}

func TestPurge_KeepsWhatIsPublishedOnEitherPlatform(t *testing.T) {
	for _, platform := range []string{"YOUTUBE", "RUMBLE", ""} {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		s := clocked(t, &now)
		a := made(t, s, "RUMBLE")
		do(t, s, func(tx *Tx) error {
			for _, statement := range []string{`DELETE FROM jobs`, `DELETE FROM publications`} {
				if _, err := tx.sql.Exec(statement); err != nil {
					return err
				}
			}
			if platform == "" {
				return nil
			}
			_, err := tx.sql.Exec(`INSERT INTO publications (asset_id, platform, creator, status, created, started, completed)
				VALUES (?, ?, 1, 'COMPLETED', 1, 1, 1)`, a.ID, platform)
			return err
		})
		now = now.Add(1000 * time.Hour)
		for range 5 {
			do(t, s, func(tx *Tx) error { _, _, err := tx.Purge(Keep{Videos: time.Hour}); return err })
		}
		if _, err := s.Asset(t.Context(), a.ID); (err == nil) != (platform != "") {
			t.Errorf("on %q: got %v; want it kept while it is published, and only then", platform, err)
		}
	}
}

func TestLoseAccess_ALateRefusalOfTheOldTokenEndsNothing(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := clocked(t, &now)
	made(t, s, "YOUTUBE")
	for at, want := range map[time.Duration]string{-time.Second: "CONNECTED", 0: "ENDED"} {
		undo := errors.New("undo")
		err := s.Tx(t.Context(), func(tx *Tx) error {
			var state string
			err := errors.Join(tx.LoseAccess(1, now.Add(at), "revoked"), tx.sql.Get(`SELECT state FROM channels`, nil, &state))
			if state != want {
				t.Errorf("a refusal from %v after it was connected: got %s; want %s", at, state, want)
			}
			return errors.Join(err, undo)
		})
		if !errors.Is(err, undo) || err.Error() != "undo" {
			t.Error(err)
		}
	}
}

func TestDefer_AWaitThatBeganInTheFutureBeginsNow(t *testing.T) {
	right := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now := right.Add(1000 * time.Hour)
	s := clocked(t, &now)
	do(t, s, func(tx *Tx) error { asks(t, tx, 1, "name"); return nil })
	for i, at := range []time.Time{now, right, right.Add(time.Minute)} {
		now = at
		do(t, s, (*Tx).CapWaits) // as the program does when it sees the clock jump
		now = now.Add(longestWait)
		task := claims(t, s, Render, 1)[0]
		now = at
		do(t, s, func(tx *Tx) error { return tx.Defer(task.Job, tx.Now(), "away") })
		var since, rows int64
		err := errors.Join(s.db.Read().QueryRow(`SELECT waiting_since FROM jobs`).Scan(&since),
			s.db.Read().QueryRow(`SELECT count(*) FROM attempts`).Scan(&rows))
		want := []time.Time{now, right, right}[i]
		if err != nil || since != want.UnixMilli() || rows != 1 {
			t.Errorf("wait %d: got %v and %d rows of history, %v; want one since %v", i+1, Moment(since), rows, err, want)
		}
	}
}

// asksWithoutMessage makes user 1 wait for a video, of which an announcement is to tell.
func asksWithoutMessage(t *testing.T, s *Store) {
	t.Helper()
	do(t, s, func(tx *Tx) error {
		if _, err := tx.UpsertUser(1, "ru"); err != nil {
			return err
		}
		order := Order{User: 1, Chat: 1, Name: "anna", Key: "anna", Template: "t", Lang: "ru"}
		_, _, err := tx.ShareOrCreate(order, tx.Now())
		return err
	})
}

func TestFinishMessage_TakesBackOnlyAnAnnouncementThatWasOvertaken(t *testing.T) {
	for name, c := range map[string]struct {
		overtaken bool
		spent     int
	}{"in time": {false, 0}, "overtaken": {true, 77}} {
		s := fresh(t)
		asksWithoutMessage(t, s)
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

// An announcement that fails after the video is there is over: nobody sends it any more.
func TestRelease_AnAnnouncementThatWasOvertakenIsOver(t *testing.T) {
	for _, overtaken := range []bool{false, true} {
		s := fresh(t)
		asksWithoutMessage(t, s)
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
