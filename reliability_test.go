// The documents say what the program does: tests they name exist, and the diagrams are what happens.

package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// testFunction finds the beginning of a test; testName finds its name in a text.
var (
	testFunction = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	testName     = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w*`)
)

// tests lists every test, fuzz target and benchmark below this folder, by name, with its folder.
func tests(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range testFunction.FindAllSubmatch(source, -1) {
			all[string(m[1])] = filepath.ToSlash(filepath.Dir(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryProofThatIsNamedExists(t *testing.T) {
	all := tests(t)
	for _, doc := range []string{"docs/reliability.md", "docs/design.md", "docs/api.md", "docs/privacy.md", "README.md", "CONTRIBUTING.md", "SECURITY.md"} {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range testName.FindAllString(string(text), -1) {
			if all[name] == "" {
				t.Errorf("%s names %s; want a test that there is", doc, name)
			}
		}
	}
}

// TestEveryPromiseHasAProof reads the tables of docs/reliability.md: a promise without a test is none.
func TestEveryPromiseHasAProof(t *testing.T) {
	text, err := os.ReadFile("docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	promises := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|--") || strings.TrimSpace(cells[0]) == "promise" {
			continue
		}
		if len(cells) != 4 {
			continue // a table of something else
		}
		promises++
		for i, cell := range cells {
			if strings.TrimSpace(cell) == "" || i == 2 && !testName.MatchString(cell) {
				t.Errorf("%q: got the cell %q; want a promise, how it is kept, a test, and what it leaves open", cells[0], cell)
			}
		}
	}
	if promises < 30 {
		t.Errorf("got %d promises; want the table read", promises)
	}
}

func TestEveryFuzzTargetIsRunByMake(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for name, folder := range tests(t) {
		if target := " " + folder + "@" + name + "@"; strings.HasPrefix(name, "Fuzz") && !strings.Contains(strings.Join(strings.Fields(string(makefile)), " "), target) {
			t.Errorf("the Makefile lacks%s", target)
		}
	}
}

// TestTheDiagramsOfTheDesignAreWhatHappens compares the arrows of docs/design.md with the states that the schema knows, and with
// those that triggers see in a story of everything that can become of a video.
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
	for table, state := range map[string]string{"assets": "%s.status", "requests": "%s.status", "publications": "%s.status", "jobs": "iif(%s.started IS NULL, 'waiting', 'started')"} {
		before, after := fmt.Sprintf(state, "old"), fmt.Sprintf(state, "new")
		mutate(t, s, fmt.Sprintf(`CREATE TRIGGER born_%[1]s AFTER INSERT ON %[1]s BEGIN INSERT INTO moves VALUES ('%[1]s', '[*] --> ' || %[2]s); END`, table, after))
		mutate(t, s, fmt.Sprintf(`CREATE TRIGGER moved_%[1]s AFTER UPDATE ON %[1]s WHEN %[2]s <> %[3]s
			BEGIN INSERT INTO moves VALUES ('%[1]s', %[2]s || ' --> ' || %[3]s); END`, table, before, after))
		if table == "jobs" {
			mutate(t, s, fmt.Sprintf(`CREATE TRIGGER gone_jobs AFTER DELETE ON jobs BEGIN INSERT INTO moves VALUES ('jobs', %s || ' --> [*]'); END`, before))
		}
	}
	everything(t, s)
	rows, err := s.db.Read().Query(`SELECT subject, arrow FROM moves`)
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
			t.Errorf("%s: got the arrows\n%s\nwant what happens\n%s", table, strings.Join(drawn[table], "\n"), strings.Join(happened[table], "\n"))
		}
		if table == "jobs" {
			continue // its states are no words in the schema
		}
		known := regexp.MustCompile(`status IN \(([^)]*)\)`).FindStringSubmatch(text(t, s, `SELECT sql FROM sqlite_schema WHERE name = ?`, table))
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

// everything lets happen whatever can become of videos, those who wait for them, and what is published.
func everything(t *testing.T, s *Store) {
	t.Helper()
	q := newQueue(s)
	due := func() { mutate(t, s, `UPDATE jobs SET due = 0`) }

	// Made: after another attempt, a wait and a stop, with somebody who joins before, while and after.
	ask(t, s, "Маша", 1)
	fail(t, q, Render, errEngine)
	due()
	fail(t, q, Render, waits{time.Hour})
	due()
	render := begin(t, s, Render)
	ask(t, s, "Маша", 2)
	write(t, s, func(tx *Tx) error { return tx.GiveBack(render.Job) })
	made := complete(t, s)
	write(t, s, func(tx *Tx) error {
		a, err := tx.Asset(made.AssetID)
		if err == nil {
			_, err = tx.Meet(3, "ru")
		}
		if err == nil {
			_, err = tx.Join(a, 3, 3)
		}
		return err
	})
	video := begin(t, s, Deliver)
	write(t, s, func(tx *Tx) error { return tx.VideoArrived(video.Job, 5, "file") })
	write(t, s, func(tx *Tx) error { _, err := tx.FinishMessage(video.Job, 5); return err })

	// Failed, and pressed; then cancelled.
	ask(t, s, "Даша", 1)
	failed := failForGood(t, q)
	if _, err := q.Retry(t.Context(), failed.AssetID, ButtonPressed{1, 1}); err != nil {
		t.Fatal(err)
	}
	write(t, s, func(tx *Tx) error {
		return one(tx.Exec(`DELETE FROM assets WHERE retry_of = ? AND status = 'PENDING'`, failed.AssetID))
	})
	begin(t, s, Apologise)
	write(t, s, func(tx *Tx) error { // the process died
		orphans, err := tx.Orphans()
		if err != nil || len(orphans) != 1 {
			return fmt.Errorf("got %d orphans, %v; want 1", len(orphans), err)
		}
		return tx.Rescue(orphans[0], true)
	})

	// Published: after another attempt; refused for ever, and retried; refused with all that waits; by hand; found there.
	channel := connected(t, s, "UC1")
	id := publishes(t, s, channel, "Лето")
	fail(t, q, Publish, errUnavailable)
	due()
	fail(t, q, Publish, Permanent(errUnavailable))
	if _, err := q.Retry(t.Context(), id, AdminClicked{Admin{ID: 7}, "YOUTUBE"}); err != nil {
		t.Fatal(err)
	}
	publish := begin(t, s, Publish)
	write(t, s, func(tx *Tx) error { _, err := tx.FinishPublishing(publish.Job); return err })
	publishes(t, s, channel, "Осень")
	publishes(t, s, channel, "Зима")
	fail(t, q, Publish, errRevoked)
	byHand := uploaded(t, s, "Весна")
	write(t, s, func(tx *Tx) error {
		return tx.Publish(byHand, Publication{Platform: "RUMBLE", Creator: 7, Step: "manual"})
	})
	write(t, s, func(tx *Tx) error { return tx.MarkPublished(byHand, "RUMBLE", "https://rumble.com/v1", "") })
	lost := uploaded(t, s, "Год")
	write(t, s, func(tx *Tx) error { return tx.Publish(lost, Publication{Platform: "RUMBLE", Creator: 7}) })
	fail(t, q, Publish, refusal{text: "no answer came", step: "unknown", permanent: true})
	write(t, s, func(tx *Tx) error { return tx.MarkPublished(lost, "RUMBLE", "https://rumble.com/v2", "") })
}
