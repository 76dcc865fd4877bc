// The diagrams of the design are what happens, and a queue that hangs is known.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// TestTheDiagramsOfTheDesignAreWhatHappens compares the arrows of docs/design.md with the states that the schema knows,
// and with those that triggers see in a story of everything that can become of a video.
func TestTheDiagramsOfTheDesignAreWhatHappens(t *testing.T) {
	design, err := os.ReadFile("docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	drawn := map[string][]string{} // arrows by table
	for _, block := range regexp.MustCompile("(?s)```mermaid\nstateDiagram-v2\n(.*?)```").FindAllSubmatch(design, -1) {
		table := ""
		for line := range strings.Lines(string(block[1])) {
			line, _, _ = strings.Cut(strings.TrimSpace(line), ": ")
			if name, ok := strings.CutPrefix(line, "%% "); ok {
				table = name
			} else {
				drawn[table] = append(drawn[table], line)
			}
		}
	}

	s := newStore(t)
	mutate(t, s, `CREATE TABLE moves (subject TEXT, arrow TEXT, UNIQUE (subject, arrow) ON CONFLICT IGNORE)`)
	for table, state := range map[string]string{"assets": "%s.status", "requests": "%s.status",
		"publications": "%s.status", "jobs": "iif(%s.started IS NULL, 'waiting', 'started')"} {
		before, after := fmt.Sprintf(state, "old"), fmt.Sprintf(state, "new")
		mutate(
			t,
			s,
			fmt.Sprintf(
				`CREATE TRIGGER born_%[1]s AFTER INSERT ON %[1]s BEGIN INSERT INTO moves VALUES ('%[1]s', '[*] --> ' || `+
					`%[2]s); END`,
				table,
				after,
			),
		)
		mutate(t, s, fmt.Sprintf(`CREATE TRIGGER moved_%[1]s AFTER UPDATE ON %[1]s WHEN %[2]s <> %[3]s
			BEGIN INSERT INTO moves VALUES ('%[1]s', %[2]s || ' --> ' || %[3]s); END`, table, before, after))
		if table == "jobs" {
			mutate(
				t,
				s,
				fmt.Sprintf(
					`CREATE TRIGGER gone_jobs AFTER DELETE ON jobs BEGIN INSERT INTO moves VALUES ('jobs', %s || ' --> [*]'); END`,
					before,
				),
			)
		}
	}
	everything(t, s)
	rows, err := readDB(t, s).Query(`SELECT subject, arrow FROM moves`)
	seen, err := collect(rows, err, func(m *[2]string) error { return rows.Scan(&m[0], &m[1]) })
	if err != nil {
		t.Fatal(err)
	}
	happened := map[string][]string{}
	for _, m := range seen {
		happened[m[0]] = append(happened[m[0]], m[1])
	}
	for table := range happened {
		slices.Sort(drawn[table])
		slices.Sort(happened[table])
		if !slices.Equal(drawn[table], happened[table]) {
			t.Errorf(
				"%s: got the arrows\n%s\nwant what happens\n%s",
				table,
				strings.Join(drawn[table], "\n"),
				strings.Join(happened[table], "\n"),
			)
		}
		if table == "jobs" {
			continue // its states are no words in the schema
		}
		known := regexp.MustCompile(`status IN \(([^)]*)\)`).
			FindStringSubmatch(text(t, s, `SELECT sql FROM sqlite_schema WHERE name = ?`, table))
		var states []string
		for _, arrow := range drawn[table] {
			states = append(states, strings.Split(arrow, " --> ")...)
		}
		for state := range strings.SplitSeq(known[1], ", ") {
			if !slices.Contains(states, strings.Trim(state, "'")) {
				t.Errorf("%s: the diagram lacks %s", table, state)
			}
		}
	}
	if len(happened) != 4 || len(drawn) != 4 {
		t.Errorf("got diagrams of %d tables, and %d in which something happened; want 4", len(drawn), len(happened))
	}
}

// everything brings about all states of videos, of the requests waiting for them, and of publications.
func everything(t *testing.T, s *store.Store) {
	t.Helper()
	q := newQueue(s)
	due := func() { mutate(t, s, `UPDATE jobs SET due = 0`) }

	// Made: after another attempt, a wait and a stop, with somebody who joins before, while and after.
	ask(t, s, "Маша", 1)
	fail(t, q, store.Render, errEngine)
	due()
	fail(t, q, store.Render, waits{time.Hour})
	due()
	render := begin(t, s, store.Render)
	ask(t, s, "Маша", 2)
	write(t, s, func(tx *store.Tx) error { return tx.GiveBack(render.Job) })
	made := complete(t, s)
	write(t, s, func(tx *store.Tx) error {
		a, err := tx.Asset(made.AssetID)
		if err == nil {
			_, err = tx.UpsertUser(3, "ru")
		}
		if err == nil {
			_, err = tx.Join(a, 3, 3)
		}
		return err
	})
	video := begin(t, s, store.Deliver)
	write(t, s, func(tx *store.Tx) error { return tx.VideoArrived(video.Job, 5, "file") })
	write(t, s, func(tx *store.Tx) error { _, err := tx.FinishMessage(&video, 5); return err })

	// Failed, and pressed; then cancelled.
	ask(t, s, "Даша", 1)
	failed := failForGood(t, q)
	if _, err := q.Retry(t.Context(), failed.AssetID, retry.ButtonPressed{User: 1, Chat: 1}); err != nil {
		t.Fatal(err)
	}
	mutate(t, s, `DELETE FROM assets WHERE retry_of = ? AND status = 'PENDING'`, failed.AssetID)
	begin(t, s, store.Apologise)
	write(t, s, func(tx *store.Tx) error { // the process died
		orphans, err := tx.Orphans()
		if err != nil || len(orphans) != 1 {
			return fmt.Errorf("got %d orphans, %v; want 1", len(orphans), err)
		}
		return tx.Rescue(orphans[0], true, true)
	})

	// Published: after another attempt; refused for ever, and retried; refused with all that waits; by hand; found there.
	channel := connected(t, s, "UC1")
	id := publishes(t, s, channel, "Лето")
	fail(t, q, store.Publish, errUnavailable)
	due()
	fail(t, q, store.Publish, retry.Permanent(errUnavailable))
	if _, err := q.Retry(t.Context(), id, retry.AdminClicked{Admin: store.Admin{ID: 7}, Platform: "YOUTUBE"}); err != nil {
		t.Fatal(err)
	}
	publish := begin(t, s, store.Publish)
	write(t, s, func(tx *store.Tx) error { _, err := tx.FinishPublishing(publish.Job); return err })
	publishes(t, s, channel, "Осень")
	publishes(t, s, channel, "Зима")
	fail(t, q, store.Publish, errRevoked)
	byHand := uploaded(t, s, "Весна")
	write(t, s, func(tx *store.Tx) error {
		return tx.Publish(byHand, store.Publication{Platform: "RUMBLE", Creator: 7, Step: "manual"})
	})
	write(t, s, func(tx *store.Tx) error { return tx.MarkPublished(byHand, "RUMBLE", "https://rumble.com/v1", "") })
	lost := uploaded(t, s, "Год")
	write(t, s, func(tx *store.Tx) error { return tx.Publish(lost, store.Publication{Platform: "RUMBLE", Creator: 7}) })
	fail(t, q, store.Publish, refusal{text: "no answer came", step: "unknown", permanent: true})
	write(t, s, func(tx *store.Tx) error { return tx.MarkPublished(lost, "RUMBLE", "https://rumble.com/v2", "") })
}

// silent reports whether the queue does not answer within a time.
func silent(t *testing.T, q *Queue, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return errors.Is(q.Alive(ctx), context.DeadlineExceeded)
}

func TestAQueueThatWaitsIsAliveAndOneThatHangsIsNot(t *testing.T) {
	const soon, moment = 10 * time.Second, 200 * time.Millisecond
	idle := &bench{render: func(context.Context, video.Order) error { return nil }}
	t.Run("it has nothing to do", func(t *testing.T) {
		s := newStore(t)
		if !silent(t, newQueue(s), moment) {
			t.Error("it is alive before it runs")
		}
		q, stop := start(t, s, idle, Options{})
		defer stop()
		for range 3 {
			if silent(t, q, soon) {
				t.Fatal("it does not answer")
			}
		}
	})
	t.Run("the writer of the database hangs", func(t *testing.T) {
		s := newStore(t)
		q, stop := start(t, s, idle, Options{})
		defer stop()
		release, hung, held := make(chan struct{}), make(chan struct{}, 2), make(chan error, 1) // it runs twice
		go func() {
			held <- s.Tx(t.Context(), func(*store.Tx) error { hung <- struct{}{}; <-release; return nil })
		}()
		<-hung
		if !silent(t, q, moment) {
			t.Error("it is alive while nothing can be written")
		}
		close(release)
		if err := <-held; err != nil {
			t.Error(err)
		}
		if silent(t, q, soon) {
			t.Error("it does not answer when the writer goes on")
		}
	})
	t.Run("somebody never lets the queue's lock go", func(t *testing.T) {
		q, stop := start(t, newStore(t), idle, Options{})
		defer stop()
		(&world{T: t, log: &journal{}}).until(
			"the workers wait for work",
			func() bool { return !q.Loads()[0].Begun.IsZero() },
		)
		held, release := make(chan struct{}), make(chan struct{})
		defer q.View(func(string, int) { close(held); <-release })() // viewers are told under the lock
		go q.Wake()
		<-held
		if !silent(t, q, moment) {
			t.Error("it is alive while no work can begin")
		}
		close(release)
		if silent(t, q, soon) {
			t.Error("it does not answer when the loop goes on")
		}
	})
	t.Run("the database refuses", func(t *testing.T) {
		s := newStore(t)
		q, stop := start(t, s, idle, Options{})
		defer stop()
		if silent(t, q, soon) {
			t.Fatal("it does not answer")
		}
		mutate(t, s, `ALTER TABLE jobs RENAME TO lost`) // so that nobody can look for work
		for range 2 {
			if silent(t, q, soon) {
				t.Fatal("it does not answer, although it waits for the database and does not hang")
			}
		}
	})
	t.Run("a video begun before the crash is being made", func(t *testing.T) {
		s := newStore(t)
		ask(t, s, "Маша", 1)
		begin(t, s, store.Render) // and the process died
		making := make(chan struct{})
		q, stop := start(t, s, &bench{render: func(ctx context.Context, _ video.Order) error {
			close(making)
			<-ctx.Done()
			return ctx.Err()
		}}, Options{})
		defer stop()
		<-making
		for range 2 {
			if silent(t, q, soon) {
				t.Fatal("it does not answer for as long as that takes")
			}
		}
	})
}
