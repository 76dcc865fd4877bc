// Tests of fan-outs: many users waiting for one video, beside others.

package store

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// do runs a transaction of a test.
func do(t *testing.T, s *Store, fn func(*Tx) error) {
	t.Helper()
	if err := s.Tx(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// asks makes a user wait for the video of a name.
func asks(t *testing.T, tx *Tx, user int64, name string) (a Asset) {
	t.Helper()
	_, err := tx.UpsertUser(user, "ru")
	if err == nil {
		a, _, err = tx.ShareOrCreate(
			Order{User: user, Chat: user, Name: name, Key: name, Template: "t", Lang: "ru", Message: 1}, tx.Now())
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// claims begins jobs of a kind.
func claims(t *testing.T, s *Store, kind Kind, limit int) (tasks []Task) {
	t.Helper()
	do(t, s, func(tx *Tx) (err error) { tasks, err = tx.Claim(kind, false, limit); return err })
	return tasks
}

// fails gives up all renders that wait.
func fails(t *testing.T, s *Store) {
	t.Helper()
	do(t, s, func(tx *Tx) error {
		tasks, err := tx.Claim(Render, false, 1000)
		for _, task := range tasks {
			err = errors.Join(err, tx.GiveUp(task.Job, "broken", ""))
		}
		return err
	})
}

// arrives ends the messages of tasks.
func arrives(t *testing.T, s *Store, tasks []Task) {
	t.Helper()
	do(t, s, func(tx *Tx) error {
		for i := range tasks {
			if _, err := tx.FinishMessage(&tasks[i], 5); err != nil {
				return err
			}
		}
		return nil
	})
}

// More comes than goes: 20 new apologies a step, and 16 are sent.
func TestFanout_TheFirstOfACrowdAreServedFirst(t *testing.T) {
	s := fresh(t)
	do(t, s, func(tx *Tx) error {
		for user := range int64(1000) {
			asks(t, tx, user+1, "crowd")
		}
		return nil
	})
	fails(t, s)
	var told []int64
	for step := range 120 {
		do(t, s, func(tx *Tx) error {
			for i := range 20 {
				asks(t, tx, int64(10_000+20*step+i), fmt.Sprintf("other %d %d", step, i))
			}
			return nil
		})
		fails(t, s)
		tasks := claims(t, s, Apologise, 16)
		if len(tasks) != 16 {
			t.Fatalf("got %d messages; want one for each worker", len(tasks))
		}
		for _, task := range tasks {
			told = append(told, task.To.User)
		}
		arrives(t, s, tasks)
	}
	if !slices.IsSorted(told) || told[len(told)-1] < 10_000 { // those of the crowd have the lower numbers
		t.Errorf("got %v; want the crowd first, then the others, each in the order in which they asked", told)
	}
}

func TestMessages_WhoAskedFirstIsAnsweredFirst(t *testing.T) {
	s := fresh(t)
	do(t, s, func(tx *Tx) error {
		asks(t, tx, 1, "slow")
		for user := range int64(20) {
			asks(t, tx, 2+user, "slow, too")
			asks(t, tx, 100+user, fmt.Sprint("quick ", user))
		}
		return nil
	})
	var slow []Task
	do(t, s, func(tx *Tx) error {
		slow = nil
		tasks, err := tx.Claim(Render, false, 100)
		for _, task := range tasks {
			if strings.HasPrefix(task.Asset.Name, "slow") {
				slow = append(slow, task)
				continue
			}
			err = errors.Join(err, tx.FinishRender(task.Job, Video{File: task.AssetID + ".mp4"}))
		}
		return err
	})
	for _, task := range slow {
		do(t, s, func(tx *Tx) error { return tx.FinishRender(task.Job, Video{File: task.AssetID + ".mp4"}) })
	}
	var told, want []int64
	want = append(want, 1)
	for user := range int64(20) {
		want = append(want, 2+user, 100+user)
	}
	for len(told) < len(want) {
		tasks := claims(t, s, Deliver, 3)
		if len(tasks) == 0 {
			t.Fatalf("got %v told and nothing more; want %v", told, want)
		}
		for _, task := range tasks {
			told = append(told, task.To.User)
			do(t, s, func(tx *Tx) error { return tx.VideoArrived(task.Job, 5, "file-id") })
		}
		arrives(t, s, tasks)
	}
	if !slices.Equal(told, want) {
		t.Errorf("got %v; want everybody in the order in which they asked: %v", told, want)
	}
}

func TestFanout_ManyCrowdsAreServedInOrder(t *testing.T) {
	s := fresh(t)
	const fanOuts, people = 4, 300
	for c := range int64(fanOuts) {
		do(t, s, func(tx *Tx) error {
			for user := range int64(people) {
				asks(t, tx, 1000*c+user+1, fmt.Sprint("crowd ", c))
			}
			return nil
		})
		fails(t, s)
	}
	var told []int64
	for range fanOuts*people/16 + fanOuts {
		tasks := claims(t, s, Apologise, 16)
		for _, task := range tasks {
			told = append(told, task.To.User)
		}
		if len(tasks) > 0 {
			arrives(t, s, tasks)
		}
	}
	if len(told) != fanOuts*people || !slices.IsSorted(told) || len(slices.Compact(told)) != len(told) {
		t.Errorf("got %d people told: %v; want each of %d once, in the order in which they asked", len(told), told,
			fanOuts*people)
	}
}

// More comes than goes, and each who comes has one wish: somebody's second one is not passed by all of them.
func TestEnqueue_ASecondWishIsPassedByTwoThousandLaterOnesAtTheMost(t *testing.T) {
	for _, known := range []bool{false, true} {
		t.Run(fmt.Sprint("of people who are known ", known), func(t *testing.T) {
			s := fresh(t)
			bound := 2000
			if known && testing.Short() {
				t.Skip("twenty thousand wishes take minutes")
			}
			if known {
				bound = 20_000
				do(t, s, func(tx *Tx) error {
					for _, statement := range []string{
						`INSERT INTO users (id, lang, created) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
							SELECT i, 'ru', 1 FROM n`,
						`INSERT INTO assets (id, name, name_key, template, lang, origin, status, file, created, finished)
							VALUES ('00000000000000000000000000', 'x', 'x', 't', 'ru', 'REQUEST', 'COMPLETED', 'x', 1, 1)`,
						`INSERT INTO requests (user_id, asset_id, chat_id, status, created, finished)
							SELECT id, '00000000000000000000000000', id, 'COMPLETED', 1, 1 FROM users`,
					} {
						if _, err := tx.sql.Exec(statement); err != nil {
							return err
						}
					}
					return nil
				})
			}
			came, second, passed := int64(0), "", 0
			for passed <= bound {
				do(t, s, func(tx *Tx) error {
					for i := range int64(200) {
						asks(t, tx, came+i+1, fmt.Sprint("name ", came+i+1))
					}
					return nil
				})
				if came += 200; second == "" {
					do(t, s, func(tx *Tx) error { second = asks(t, tx, 7, "second").ID; return nil })
				}
				for _, task := range claims(t, s, Render, 160) {
					if task.AssetID == second {
						return
					}
					if user, _ := strconv.Atoi(strings.TrimPrefix(task.Asset.Name, "name ")); user > 200 {
						passed++
					}
				}
			}
			t.Errorf("got %d who came later made before the second wish of a user; want %d at the most", passed, bound)
		})
	}
}

// After a failure somebody new asks for the same name, and then the crowd presses: looking at each press for somebody who
// has not asked again yet took longer the more had.
func TestJoin_ThePressesOfACrowdCostTheSame(t *testing.T) {
	s := fresh(t)
	people, beside := int64(10_000), 100_000
	if testing.Short() {
		people, beside = 3000, 1000
	}
	do(t, s, func(tx *Tx) error {
		_, err := tx.sql.Exec(`INSERT INTO assets (id, name, name_key, template, lang, origin, status, file, created, finished)
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			SELECT printf('%026d', i), 'n' || i % 5000, 'n' || i % 5000, 't', 'ru', 'REQUEST', 'COMPLETED', 'f', 1, 1 FROM n`, beside)
		return err
	})
	var failed Asset
	do(t, s, func(tx *Tx) error {
		for user := range people {
			failed = asks(t, tx, user+1, "crowd")
		}
		return nil
	})
	fails(t, s)
	var fresh Asset
	do(t, s, func(tx *Tx) error { fresh = asks(t, tx, people+1, "crowd"); return nil })
	if fresh.ID == failed.ID {
		t.Fatal("got the failed one again")
	}
	tenth := func(from int64) (took time.Duration) {
		for user := from; user < from+people/10; user++ {
			begun := time.Now()
			do(t, s, func(tx *Tx) error {
				next, made, err := tx.NextTry(failed, user)
				if err == nil && (made || next.ID != fresh.ID) {
					t.Fatalf("got %+v, %v; want the one that is being made", next, made)
				}
				if err == nil {
					_, err = tx.Join(next, user, user)
				}
				return err
			})
			took += time.Since(begun)
		}
		return took
	}
	var all []time.Duration
	for user := int64(1); user <= people; user += people / 10 {
		all = append(all, tenth(user))
	}
	t.Logf("each tenth of %d presses took %v", people, all)
	if slices.Min(all[5:]) > 5*slices.Max(all[:2]) {
		t.Errorf("got %v for tenths of the presses; want the last to cost as much as the first", all)
	}
	a, err := s.Asset(t.Context(), fresh.ID)
	if err != nil || a.RetryOf != failed.ID {
		t.Errorf("got %q, %v; want it to be the next try of the failed one", a.RetryOf, err)
	}
	if n, err := s.Needs(t.Context(), Admin{Owner: true}, Filter{}); n != 0 || err != nil {
		t.Errorf("got %d that need an admin, %v; want none: the next try is under way", n, err)
	}
}

// The file of the last video may have stayed when its person was forgotten: the next start sweeps it.
func TestHasMedia_KnowsOfVideosThatAreGone(t *testing.T) {
	s := fresh(t)
	has := func(want bool) {
		t.Helper()
		if got, err := s.HasMedia(t.Context()); got != want || err != nil {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	}
	has(false) // rather a new database in the place of one that was lost
	do(t, s, func(tx *Tx) error {
		a := asks(t, tx, 1, "name")
		return tx.Note(Event{User: 1, Action: "ask", AssetID: a.ID})
	})
	has(false)
	for _, task := range claims(t, s, Render, 1) {
		do(t, s, func(tx *Tx) error { return tx.FinishRender(task.Job, Video{File: "f"}) })
	}
	has(true)
	do(t, s, func(tx *Tx) error { _, err := tx.Forget(1); return err })
	has(true)
}

// Ten thousand people pressed, and hardly any of them had the announcement yet when their video was there: to delete
// all of these jobs at once held the writer for 40 ms.
func TestFinish_AnnouncementsOfACrowdGoInPortions(t *testing.T) {
	s := fresh(t)
	const people = 2*dropAtOnce + 5
	do(t, s, func(tx *Tx) error {
		for user := range int64(people) {
			if _, err := tx.UpsertUser(user+1, "ru"); err != nil {
				return err
			}
			if _, _, err := tx.ShareOrCreate(
				Order{User: user + 1, Chat: user + 1, Name: "crowd", Key: "crowd", Template: "t", Lang: "ru"}, tx.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	waiting := func() (n int) {
		t.Helper()
		if err := s.db.Read().QueryRow(`SELECT count(*) FROM jobs WHERE kind = 'ANNOUNCE'`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := waiting(); n != people {
		t.Fatalf("got %d announcements; want %d", n, people)
	}
	task := claims(t, s, Render, 1)[0]
	do(t, s, func(tx *Tx) error {
		err := tx.FinishRender(task.Job, Video{File: "f"})
		if !tx.Later() {
			t.Error("got nobody to look for the rest")
		}
		return err
	})
	do(t, s, func(tx *Tx) error { asks(t, tx, 9_000_000, "other"); return nil })
	do(t, s, func(tx *Tx) error {
		_, _, err := tx.ShareOrCreate(
			Order{User: 9_000_000, Chat: 1, Name: "third", Key: "third", Template: "t", Lang: "ru"}, tx.Now())
		return err
	})
	begun := 0
	for _, left := range []int{people - dropAtOnce, people - 2*dropAtOnce, 0} {
		if n := waiting(); n != left+1 {
			t.Errorf("got %d announcements; want %d and one of another video", n, left)
		}
		for _, task := range claims(t, s, Announce, 16) {
			if begun++; task.Asset.Name != "third" {
				t.Errorf("got an announcement of %q begun; want only that of the video that is not there", task.Asset.Name)
			}
		}
	}
	if begun != 1 {
		t.Errorf("got %d begun; want one", begun)
	}
}

// crowdFails makes the video of more people fail than are failed in one transaction, and returns it.
func crowdFails(t *testing.T, s *Store, people int) (failed Asset) {
	t.Helper()
	do(t, s, func(tx *Tx) error {
		for user := range int64(people) {
			failed = asks(t, tx, user+1, "crowd")
		}
		return nil
	})
	fails(t, s)
	return failed
}

// The requests of ten thousand people held the writer for 80 ms when their video failed. Now the video fails at once, with
// a row that owes all of them an apology, and their requests follow.
func TestGiveUp_TheRequestsOfACrowdFailInPortions(t *testing.T) {
	const people = 2*failAtOnce + 5
	statuses := func(t *testing.T, s *Store) (live, failed int) {
		t.Helper()
		if err := s.db.Read().QueryRow(`SELECT count(*) FILTER (WHERE finished IS NULL), count(*) FILTER (WHERE status = 'FAILED')
			FROM requests`).Scan(&live, &failed); err != nil {
			t.Fatal(err)
		}
		return live, failed
	}
	tellAll := func(t *testing.T, s *Store) {
		t.Helper()
		var told []int64
		for tasks := claims(t, s, Apologise, 16); len(tasks) > 0; tasks = claims(t, s, Apologise, 16) {
			for _, task := range tasks {
				told = append(told, task.To.User)
			}
			arrives(t, s, tasks)
		}
		if len(told) != people || !slices.IsSorted(told) || len(slices.Compact(told)) != people {
			t.Errorf("got %d apologies; want one for each of %d people, in the order in which they asked", len(told), people)
		}
		if live, failed := statuses(t, s); live != 0 || failed != people {
			t.Errorf("got %d requests under way and %d failed; want all failed", live, failed)
		}
	}
	t.Run("one after the other", func(t *testing.T) {
		s := fresh(t)
		a := crowdFails(t, s, people)
		if a, err := s.Asset(t.Context(), a.ID); a.Status != Failed || err != nil {
			t.Errorf("got a video that is %s, %v; want FAILED", a.Status, err)
		}
		for _, left := range []int{people - failAtOnce, people - 2*failAtOnce, 0} {
			if live, failed := statuses(t, s); live != left || failed != people-left {
				t.Errorf("got %d requests under way and %d failed; want %d and %d", live, failed, left, people-left)
			}
			do(t, s, func(tx *Tx) error {
				more, err := tx.FailCrowds()
				if more != (left > 0) {
					t.Errorf("with %d left: got more %v", left, more)
				}
				return err
			})
		}
		tellAll(t, s)
	})
	t.Run("the apologies are quicker", func(t *testing.T) {
		s := fresh(t)
		crowdFails(t, s, people)
		tellAll(t, s)
	})
	t.Run("the first have deleted their data, the last is forgotten", func(t *testing.T) {
		s := fresh(t)
		a := crowdFails(t, s, people+2)
		do(t, s, func(tx *Tx) error {
			_, err := tx.Forget(1)
			if err == nil {
				_, err = tx.Forget(people + 2)
			}
			return err
		})
		if err := s.Tx(t.Context(), func(tx *Tx) error { return tx.Delete(a.ID) }); err != Busy(Apologise) {
			t.Errorf("delete the video: got %v; want it busy, people are owed an apology", err)
		}
		for more := true; more; {
			do(t, s, func(tx *Tx) (err error) { more, err = tx.FailCrowds(); return err })
		}
		tellAll(t, s)
	})
}

// A backup may be made between two portions: who is owed what must be known before any of it is held.
func TestRecover_ACrowdHasFailedAsAWhole(t *testing.T) {
	s := fresh(t)
	const people = failAtOnce + 20
	crowdFails(t, s, people)
	do(t, s, func(tx *Tx) error { _, err := tx.recover(later{}); return err })
	var live, held int
	if err := s.db.Read().QueryRow(`SELECT count(*) FILTER (WHERE finished IS NULL), count(*) FILTER (WHERE restore_hold = 1)
		FROM requests`).Scan(&live, &held); err != nil {
		t.Fatal(err)
	}
	if live != 0 || held != people {
		t.Errorf("got %d requests under way and %d held for the owner; want none and all of %d", live, held, people)
	}
}

// Of a crowd the page counts no more than it must: it says that there are at least so many.
func TestNeedYou_CountsFewPeopleAndSaysThatACrowdIsMore(t *testing.T) {
	for people, crowd := range map[int]bool{1: false, manyUnserved - 1: false, manyUnserved: true, manyUnserved + 50: true} {
		s := fresh(t)
		do(t, s, func(tx *Tx) error {
			for user := range people {
				asks(t, tx, int64(user+1), fmt.Sprintf("name %d", user%2))
			}
			return nil
		})
		fails(t, s)
		n, err := s.NeedYou(t.Context(), Admin{ID: 8, Owner: true}, Filter{})
		if err != nil || n.Count != min(people, 2) || n.People != min(people, manyUnserved) || n.Crowd != crowd {
			t.Errorf("%d people: got %+v, %v; want them counted up to %d", people, n, err, manyUnserved)
		}
	}
}

// More videos than are looked at: those of their people are "at least" so many, and nobody is nobody.
func TestNeedYou_ManyVideos(t *testing.T) {
	for name, c := range map[string]struct {
		videos  int
		wanted  func(video int) bool // by one person each; the others were made by an admin. The last has failed last
		people  int
		atLeast bool
	}{
		"as many as are looked at, for nobody": {manyUnserved, func(int) bool { return false }, 0, false},
		"more, for nobody":                     {manyUnserved + 1, func(int) bool { return false }, 0, false},
		"more, the oldest for somebody":        {manyUnserved + 1, func(video int) bool { return video == 0 }, 1, false},
		"more, the newest for somebody": {manyUnserved + 1, func(video int) bool { return video == manyUnserved }, 1,
			true},
		"fewer, each for somebody": {manyUnserved - 1, func(int) bool { return true }, manyUnserved - 1, false},
		"more, each for somebody":  {manyUnserved + 1, func(int) bool { return true }, manyUnserved, true},
	} {
		s := fresh(t)
		do(t, s, func(tx *Tx) error {
			for i := range c.videos {
				if _, err := tx.sql.Exec(`INSERT INTO assets (id, name, name_key, template, lang, origin, status, error,
					created, finished, creator)
					VALUES (?1, ?1, ?1, 't', 'ru', 'REQUEST', 'FAILED', 'x', ?2, ?2, 8)`, fmt.Sprintf("%026d", i), i+1); err != nil {
					return err
				}
				if !c.wanted(i) {
					continue
				}
				if _, err := tx.UpsertUser(int64(i+1), "ru"); err != nil {
					return err
				}
				if _, err := tx.sql.Exec(`INSERT INTO requests (user_id, asset_id, chat_id, status, created, finished)
					VALUES (?1, ?2, ?1, 'FAILED', ?1, ?1)`, i+1, fmt.Sprintf("%026d", i)); err != nil {
					return err
				}
			}
			_, err := tx.sql.Exec(`UPDATE assets SET needs_attention = 1`)
			return err
		})
		n, err := s.NeedYou(t.Context(), Admin{ID: 8, Owner: true}, Filter{})
		if err != nil || n.Count != c.videos || n.People != c.people || n.Crowd != c.atLeast {
			t.Errorf("%s: got %+v, %v; want %d people, at least: %v", name, n, err, c.people, c.atLeast)
		}
	}
}
