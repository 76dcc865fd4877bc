// Tests of videos in advance: their place behind everybody's, how long they stay, and what of them goes.

package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// warmed is a database whose clock a test moves.
type warmed struct {
	*testing.T
	*Store
	at time.Time
}

func newWarmed(t *testing.T) *warmed {
	w := &warmed{T: t, Store: fresh(t), at: time.Date(2026, 12, 31, 18, 0, 0, 0, time.UTC)}
	w.Store.now = func() time.Time { return w.at }
	return w
}

func (w *warmed) tx(fn func(*Tx) error) {
	w.Helper()
	if err := w.Tx(w.Context(), fn); err != nil {
		w.Fatal(err)
	}
}

// add puts names on the list. Videos of the last hour are used again.
func (w *warmed) add(names ...string) Added {
	w.Helper()
	o := InAdvance{Admin: 7, Template: "t", Lang: "ru"}
	for _, name := range names {
		o.Names = append(o.Names, Named{name, strings.ToLower(name)})
	}
	n, err := w.AddInAdvance(w.Context(), o, w.at.Add(-time.Hour))
	if err != nil {
		w.Fatal(err)
	}
	return n
}

// wish is somebody's wish.
func (w *warmed) wish(user int64, name string) (a Asset, grant Result) {
	w.Helper()
	w.tx(func(tx *Tx) (err error) {
		if _, err = tx.UpsertUser(user, "ru"); err != nil {
			return err
		}
		order := Order{User: user, Chat: user, Name: name, Key: strings.ToLower(name), Template: "t", Lang: "ru"}
		a, grant, err = tx.ShareOrCreate(order, w.at.Add(-time.Hour))
		return err
	})
	return a, grant
}

// begin begins the next renders, at most n, and returns their names.
func (w *warmed) begin(n int) (names []string, jobs []Job) {
	w.Helper()
	for range n { // a worker takes one at a time
		var tasks []Task
		w.tx(func(tx *Tx) (err error) { tasks, err = tx.Claim(Render, false, 1); return err })
		for _, t := range tasks {
			names, jobs = append(names, t.Asset.Name), append(jobs, t.Job)
		}
	}
	return names, jobs
}

func (w *warmed) finish(jobs ...Job) {
	w.Helper()
	for _, j := range jobs {
		w.tx(func(tx *Tx) error { return tx.FinishRender(j, Video{File: j.AssetID + ".mp4", Size: 1000}) })
	}
}

// makeAll makes everything that can be made, and returns the names in their order.
func (w *warmed) makeAll() (made []string) {
	w.Helper()
	for {
		names, jobs := w.begin(1)
		if len(jobs) == 0 {
			return made
		}
		w.finish(jobs...)
		made = append(made, names...)
	}
}

func (w *warmed) state() Advance {
	w.Helper()
	a, err := w.Advance(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return a
}

func TestAdvance_OneAtATimeAfterEverythingElse(t *testing.T) {
	w := newWarmed(t)
	if n := w.add("Анна", "Борис", "Вера"); n != (Added{Queued: 3}) {
		t.Fatalf("got %+v; want three on the list", n)
	}
	first, running := w.begin(3)
	if fmt.Sprint(first) != "[Анна]" {
		t.Fatalf("three workers begin %v; want one video in advance", first)
	}
	w.wish(1, "Гоша")
	w.wish(2, "Даша")
	if names, _ := w.begin(3); fmt.Sprint(names) != "[Гоша Даша]" {
		t.Errorf("got %v; want both wishes beside the render under way, and no other in advance", names)
	}
	w.finish(running...)
	w.wish(3, "Ева")
	if got := w.makeAll(); fmt.Sprint(got) != "[Ева Борис Вера]" {
		t.Errorf("got %v; want the wish first", got)
	}
	if a := w.state(); a.Ready != 3 || a.Rest() != 0 || a.Failed != 0 {
		t.Errorf("got %+v; want three ready", a)
	}
}

func TestAdvance_AWishForAWaitingNameTakesItsTurnAmongPeople(t *testing.T) {
	w := newWarmed(t)
	w.add("Анна", "Борис")
	_, jobs := w.begin(1)
	w.tx(func(tx *Tx) error { return tx.Reschedule(jobs[0], w.at, "not yet") })
	if names, _ := w.begin(1); fmt.Sprint(names) != "[Анна]" {
		t.Fatalf("got %v; want the next attempt, not the next name", names)
	}
	_, last := w.begin(1)
	if last != nil {
		t.Fatalf("got %v; want nothing beside it", last)
	}
	w.tx(func(tx *Tx) error { j := jobs[0]; j.Attempt = 2; return tx.Reschedule(j, w.at, "not yet") })
	w.wish(1, "Гоша")
	if a, grant := w.wish(2, "Анна"); grant != Shared || !a.Advance {
		t.Errorf("got %s of %+v; want the one in advance shared", grant, a)
	}
	w.wish(3, "Даша")
	if got := w.makeAll(); fmt.Sprint(got) != "[Гоша Анна Даша Борис]" {
		t.Errorf("got %v; want the wishes in their order, then the list", got)
	}
}

func TestAdvance_AnOutageCostsItNoAttempt(t *testing.T) {
	w := newWarmed(t)
	w.add("Анна")
	_, jobs := w.begin(1)
	w.tx(func(tx *Tx) error { return tx.Reschedule(jobs[0], w.at, "not yet") })
	_, jobs = w.begin(1)
	w.tx(func(tx *Tx) error { return tx.Hold(jobs[0], w.at, "no such model") })
	if _, jobs = w.begin(1); len(jobs) != 1 || jobs[0].Attempt != 1 {
		t.Errorf("got %+v; want the first attempt again", jobs)
	}
}

// A waiting job in advance must not put newcomers behind everybody else.
func TestAdvance_TurnsOfOthersDoNotDependOnIt(t *testing.T) {
	w := newWarmed(t)
	w.add("Анна")
	_, jobs := w.begin(1)
	w.tx(func(tx *Tx) error { return tx.Hold(jobs[0], w.at.Add(time.Minute), "no such model") })
	a, _ := w.wish(1, "Гоша")
	var position int64
	row := w.db.Read().QueryRow(`SELECT position FROM jobs WHERE kind = 'RENDER' AND asset_id = ?`, a.ID)
	if err := row.Scan(&position); err != nil || position > 10 {
		t.Errorf("got turn %d, %v; want a small one", position, err)
	}
}

func TestAdvance_ServedHoweverOldUntilItIsWithdrawn(t *testing.T) {
	w := newWarmed(t)
	w.wish(9, "Вера") // whose video is taken over
	w.makeAll()
	w.add("Анна", "Борис", "Вера")
	w.makeAll()
	w.at = w.at.AddDate(0, 1, 0)
	if _, grant := w.wish(1, "Анна"); grant != Ready {
		t.Errorf("got %s after a month; want it sent at once", grant)
	}
	keep := Keep{Videos: time.Hour, People: 0}
	purge := func() (n int) {
		t.Helper()
		for {
			var rows int
			w.tx(func(tx *Tx) (err error) { _, rows, err = tx.Purge(keep); return err })
			if n += rows; rows == 0 {
				return n
			}
		}
	}
	w.tx(func(tx *Tx) error { _, err := tx.sql.Exec(`DELETE FROM jobs`); return err }) // the video has arrived
	w.tx(func(tx *Tx) error {
		_, freed, err := tx.MakeRoom(1 << 40)
		if freed != 0 {
			t.Errorf("%d bytes of videos in advance went; want none", freed)
		}
		return err
	})
	purge()
	if a := w.state(); a.Ready != 3 {
		t.Errorf("got %d after a purge; want all three", a.Ready)
	}
	w.tx(func(tx *Tx) error {
		n, err := tx.WithdrawAdvance(7)
		if n != 3 {
			t.Errorf("%d are withdrawn; want 3", n)
		}
		return err
	})
	if _, grant := w.wish(2, "Борис"); grant != Created {
		t.Errorf("got %s; want a withdrawn video to go to nobody", grant)
	}
	w.at = w.at.Add(2 * time.Minute)
	purge()
	var left int
	row := w.db.Read().QueryRow(`SELECT count(*) FROM assets WHERE status = 'COMPLETED'`)
	if err := row.Scan(&left); err != nil || left != 0 {
		t.Errorf("%d withdrawn videos stay, %v; want none", left, err)
	}
	if err := w.Tx(t.Context(), func(tx *Tx) error { _, err := tx.WithdrawAdvance(7); return err }); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v; want nothing to withdraw", err)
	}
}

func TestAdvance_WithdrawnWhenTheTemplateChanges(t *testing.T) {
	w := newWarmed(t)
	w.add("Анна")
	w.makeAll()
	for i, c := range []struct {
		template, edition string
		withdrawn         int
	}{{"t", "1", 0}, {"t", "1", 0}, {"other", "1", 0}, {"other", "2", 0}, {"t", "2", 1}, {"t", "2", 0}} {
		w.tx(func(tx *Tx) error {
			n, err := tx.KeepEdition(c.template, c.edition)
			if n != c.withdrawn {
				t.Errorf("%d: %+v withdrew %d", i, c, n)
			}
			return err
		})
	}
}

func TestAdvance_WhatIsThereIsTakenOver(t *testing.T) {
	w := newWarmed(t)
	w.wish(1, "Анна")
	w.makeAll()
	w.wish(2, "Борис") // under way
	if n := w.add("Анна", "Борис", "Вера", "Вера"); n != (Added{Queued: 2, Ready: 1, Listed: 1}) {
		t.Errorf("got %+v; want one ready, two on the list, one there already", n)
	}
	w.at = w.at.Add(30 * time.Minute)
	if got := w.makeAll(); fmt.Sprint(got) != "[Борис Вера]" {
		t.Errorf("got %v; want no name made twice", got)
	}
	if a := w.state(); a.Ready != 3 || a.Rest() != 0 {
		t.Errorf("got %+v; want three ready", a)
	}
	w.at = w.at.Add(24 * time.Hour)
	for user, name := range map[int64]string{3: "Анна", 4: "Борис", 5: "Вера"} {
		if _, grant := w.wish(user, name); grant != Ready {
			t.Errorf("%s: got %s; want it sent at once", name, grant)
		}
	}
}

func TestAdvance_StopLeavesWhatIsUnderWay(t *testing.T) {
	w := newWarmed(t)
	w.add("Анна", "Борис", "Вера")
	_, jobs := w.begin(1)
	w.tx(func(tx *Tx) error {
		n, err := tx.StopAdvance(7)
		if n != 2 {
			t.Errorf("%d names are taken from the list; want 2", n)
		}
		return err
	})
	w.finish(jobs...)
	if got := w.makeAll(); len(got) > 0 {
		t.Errorf("%v are made after the stop", got)
	}
	if a := w.state(); a.Ready != 1 || a.Rest() != 0 {
		t.Errorf("got %+v; want what was under way", a)
	}
	if err := w.Tx(t.Context(), func(tx *Tx) error { _, err := tx.StopAdvance(7); return err }); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v; want nothing to stop", err)
	}
	w.add("Гоша")
	_, jobs = w.begin(1)
	w.tx(func(tx *Tx) error { return tx.Reschedule(jobs[0], w.at.Add(time.Minute), "not yet") })
	w.tx(func(tx *Tx) error { _, err := tx.StopAdvance(7); return err })
	if a := w.state(); a.Rest() != 0 {
		t.Errorf("got %+v; want what waited for its next attempt gone", a)
	}
}

func TestAdvance_CountsAgainstNobody(t *testing.T) {
	w := newWarmed(t)
	w.add("Анна", "Борис", "Вера")
	w.makeAll()
	w.tx(func(tx *Tx) error {
		if _, err := tx.UpsertUser(7, "ru"); err != nil {
			return err
		}
		return tx.Allow(7, Limits{Open: 1, Hour: 1, Day: 1, All: 1})
	})
}

func TestAdvance_PopularNamesAreCountedByPeople(t *testing.T) {
	w := newWarmed(t)
	for user := range int64(10) {
		w.wish(user+1, "Анна")
	}
	for user := range int64(9) {
		w.wish(user+1, "Борис")
	}
	for range 3 { // one person may ask again and again
		w.makeAll()
		w.at = w.at.Add(2 * time.Hour)
		w.wish(1, "Борис")
	}
	orders, err := w.Popular(t.Context(), 10)
	if err != nil || len(orders) != 1 || len(orders[0].Names) != 1 ||
		orders[0].Names[0] != (Named{"Анна", "анна"}) || orders[0].Template != "t" || orders[0].Lang != "ru" {
		t.Errorf("got %+v, %v; want Анна alone", orders, err)
	}
}

// The file of a video may be lost. The next one takes its place in advance, too.
func TestAdvance_ALostFileIsMadeAgain(t *testing.T) {
	w := newWarmed(t)
	w.add("Анна")
	w.makeAll()
	lost, _ := w.wish(1, "Анна")
	w.tx(func(tx *Tx) error {
		tasks, err := tx.Claim(Deliver, false, 1)
		if err != nil || len(tasks) != 1 {
			t.Fatalf("got %v, %v; want the message", tasks, err)
		}
		return tx.MakeAgain(tasks[0].Job)
	})
	if got := w.makeAll(); fmt.Sprint(got) != "[Анна]" {
		t.Fatalf("got %v; want it made again", got)
	}
	if a, grant := w.wish(2, "Анна"); grant != Ready || a.ID == lost.ID || !a.Advance {
		t.Errorf("got %s of %+v; want the new one", grant, a)
	}
}

func TestAdvance_EstimateByTheLatestVideos(t *testing.T) {
	w := newWarmed(t)
	w.add("Анна", "Борис", "Вера")
	if a := w.state(); a.Left != 0 || a.Bytes != 0 {
		t.Errorf("got %+v before the first video; want nothing", a)
	}
	_, jobs := w.begin(1)
	w.at = w.at.Add(4 * time.Second)
	w.finish(jobs...)
	if a := w.state(); a.Left != 8*time.Second || a.Bytes != 2000 {
		t.Errorf("got %v and %d bytes for two; want 8 s and 2,000", a.Left, a.Bytes)
	}
}

func TestPlan_AdvanceReadsNoTable(t *testing.T) {
	s := fresh(t)
	for name, query := range map[string]string{
		"counts":   `SELECT count(*) FROM assets WHERE advance = 1 AND status = 'COMPLETED'`,
		"withdraw": `UPDATE assets SET advance = 0 WHERE advance = 1 AND status = 'COMPLETED' AND true`,
		"busy":     `SELECT 1 FROM jobs WHERE kind = 'RENDER' AND fairness_key = ` + advanceKeySQL,
		"live": `SELECT a.id FROM assets a WHERE a.advance = 1 AND a.status IN ('PENDING', 'PROCESSING')
			ORDER BY a.created, a.id LIMIT 20`,
	} {
		for _, step := range plan(t, s, query) {
			if scansATable.MatchString(step) {
				t.Errorf("%s: got %s; want a search in an index", name, step)
			}
		}
	}
}
