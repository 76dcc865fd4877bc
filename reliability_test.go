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

	"retake.example/internal/retry"

	"retake.example/internal/store"
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
	for doc, text := range documents(t) {
		for _, name := range testName.FindAllString(text, -1) {
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
		if target := " " + folder + "@" + name + "@"; strings.HasPrefix(name, "Fuzz") &&
			!strings.Contains(strings.Join(strings.Fields(string(makefile)), " "), target) {
			t.Errorf("the Makefile lacks%s", target)
		}
	}
}

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
		return tx.Rescue(orphans[0], true)
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

// documents are the texts for people, by path.
func documents(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("docs/*.md")
	if err != nil || len(paths) < 10 {
		t.Fatalf("got %v, %v; want the documents", paths, err)
	}
	all := map[string]string{}
	for _, path := range append(paths, "README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[path] = string(text)
	}
	return all
}

// codeBlock is one of a document, without the blanks that a list puts before its lines.
type codeBlock struct{ language, text string }

func blocks(text string) (all []codeBlock) {
	for _, m := range regexp.MustCompile("(?ms)^( *)```(\\w*)\n(.*?)^ *```$").FindAllStringSubmatch(text, -1) {
		all = append(all, codeBlock{m[2], strings.ReplaceAll("\n"+m[3], "\n"+m[1], "\n")[1:]})
	}
	return all
}

// Who runs the code of the documents: a test, or nobody, and why not. Without a beginning it is all of that language
// there.
var runners = []struct{ document, language, begins, by string }{
	{"README.md", "sh", "", "TestTheReadmeLeadsFromAnEmptyFolderToAVideo"},
	{"README.md", "toml", "", "TestTheReadmeLeadsFromAnEmptyFolderToAVideo"},
	{"docs/api.md", "sh", "", "TestTheDocumentedCommandsWork"},
	{"docs/api.md", "json", "", "TestTheDocumentedCommandsWork"},
	{"docs/backup.md", "toml", "", "TestTheSettingsOfTheDocumentsAreTaken"},
	{"docs/backup.md", "sh", "", "TestTheCommandsOfTheBackupPageWork"},
	{"docs/backup.md", "ini", "[Service]", "TestFromAnEmptyFolderToAVideoByThePackage"},
	{"docs/backup.md", "text", "sudo systemctl stop", "TestFromAnEmptyFolderToAVideoByThePackage"},
	{"docs/backup.md", "ini", "[Unit]", "nobody: it copies to another machine"},
	{"docs/backup.md", "ini", "[Timer]", "nobody: it copies to another machine"},
	{"docs/backup.md", "text", "restic ", "nobody: it wants another machine"},
	{"docs/backup.md", "text", "borg ", "nobody: it wants another machine"},
	{"docs/backup.md", "text", "rsync ", "nobody: it wants another machine"},
	{"docs/backup.md", "yaml", "dbs:", "TestHandOver_ToASecondMachineByLitestream"},
	{"docs/backup.md", "text", "litestream restore", "TestHandOver_ToASecondMachineByLitestream"},
	{"docs/operating.md", "text", "sudo systemctl stop", "TestHandOver_ToASecondMachineByLitestream"},
	{"docs/benchmarks.md", "sh", "make load", "nobody: it takes half an hour"},
	{"docs/design.md", "mermaid", "", "TestTheDiagramsOfTheDesignAreWhatHappens"},
	{"docs/design.md", "", "draw the letters", "nobody: it is a drawing"},
	{"docs/engines.md", "toml", "", "TestTheSettingsOfTheDocumentsAreTaken"},
	{"docs/engines.md", "http", "POST / HTTP/1.1", "TestRemoteOrderArrivesAsItIs"},
	{"docs/engines.md", "sh", "go run ./docs/generator -listen", "TestOneOfTwoRenderServersDies"},
	{"docs/engines.md", "text", "# name = ", "TestSpokenForms_TheOperatorsListComesFirst"},
	{"docs/farm.md", "toml", "", "TestTheSettingsOfTheDocumentsAreTaken"},
	{"docs/farm.md", "text", "listen:", "TestAccess_TheDocumentedServerLetsInTheCentreAndItsWorkers"},
	{"docs/farm.md", "sh", "RETAKE_FARM_URL", "nobody: it wants another machine"},
	{"docs/install.md", "sh", "sha256sum", "TestFromAnEmptyFolderToAVideoByThePackage"},
	{"docs/install.md", "sh", "sudo install -m 600 /dev/stdin", "TestFromAnEmptyFolderToAVideoByThePackage"},
	{"docs/install.md", "sh", "sudo journalctl", "TestFromAnEmptyFolderToAVideoByThePackage"},
	{"docs/install.md", "sh", "sudo systemd-run", "TestFromAnEmptyFolderToAVideoByThePackage"},
	{"docs/install.md", "sh", "tar -xzf", "TestFromAnEmptyFolderToAVideoByTheArchive"},
	{"docs/install.md", "sh", "sudo install -d -m 755 /etc/retake/second", "TestFromAnEmptyFolderToAVideoByThePackage"},
	{"docs/install.md", "sh", "sudo systemctl enable --now retake@second", "TestFromAnEmptyFolderToAVideoByThePackage"},
	{"docs/install.md", "sh", "sudo install -m 600 -o 10001", "nobody: it wants Docker"},
	{"docs/install.md", "sh", "docker build", "nobody: it wants Docker"},
	{"docs/install.md", "sh", "ssh -L", "nobody: it wants another machine"},
	{"docs/install.md", "toml", "[web]", "TestThePageWorksBehindTheWebServersOfTheDocument"},
	{"docs/install.md", "caddy", "", "TestThePageWorksBehindTheWebServersOfTheDocument"},
	{"docs/install.md", "nginx", "", "TestThePageWorksBehindTheWebServersOfTheDocument"},
	{"docs/media.md", "toml", "", "TestTheSettingsOfTheDocumentsAreTaken"},
	{"docs/operating.md", "sh", "", "TestFromAnEmptyFolderToAVideoByThePackage"},
	{"docs/privacy.md", "toml", "", "TestThePrivacyPageIsTrue"},
	{"docs/privacy.md", "sh", "", "TestThePrivacyPageIsTrue"},
	{"docs/publishing.md", "toml", "", "TestTheSettingsOfTheDocumentsAreTaken"},
	{"docs/scaling.md", "nginx", "", "TestOneOfTwoRenderServersDies"},
	{"docs/scaling.md", "toml", "", "TestOneOfTwoRenderServersDies"},
	{"docs/templates.md", "text", "templates/", "TestTheCommandsOfTheTemplatePageWork"},
	{"docs/templates.md", "toml", "title = ", "TestTheCommandsOfTheTemplatePageWork"},
	{"docs/templates.md", "toml", "[render]", "TestTheCommandsOfTheTemplatePageWork"},
	{"docs/templates.md", "toml", "[voice]", "TestTheCommandsOfTheTemplatePageWork"},
	{"docs/templates.md", "sh", "", "TestTheCommandsOfTheTemplatePageWork"},
	{"docs/watching.md", "sh", "", "TestWhatIsMeasuredIsTrueAndDocumented"},
	{"docs/watching.md", "json", "", "TestWhatIsMeasuredIsTrueAndDocumented"},
	{"docs/watching.md", "text", "", "TestWhatIsMeasuredIsTrueAndDocumented"},
	{"docs/watching.md", "toml", "[watch]", "TestTheSettingsOfTheDocumentsAreTaken"},
	{"docs/watching.md", "yaml", "scrape_configs:", "nobody: Prometheus is another program"},
}

// TestEveryCommandOfTheDocumentsIsRun knows for each block of code who runs it, so that a new one is run, too.
func TestEveryCommandOfTheDocumentsIsRun(t *testing.T) {
	all := tests(t)
	met := make([]int, len(runners))
	for document, text := range documents(t) {
		if n := strings.Count(text, "```"); n != 2*len(blocks(text)) {
			t.Errorf(
				"%s: got %d blocks, and %d marks of them; want each mark on a line of its own",
				document,
				len(blocks(text)),
				n,
			)
		}
		for _, b := range blocks(text) {
			by := 0
			for i, r := range runners {
				if r.document == document && r.language == b.language && strings.HasPrefix(b.text, r.begins) {
					met[i]++
					by++
				}
			}
			if by != 1 {
				t.Errorf("%s: got %d that run this; want one\n%s", document, by, b.text)
			}
		}
		outside := regexp.MustCompile("(?ms)^ *```.*?^ *```$").ReplaceAllString(text, "")
		if line := regexp.MustCompile(`(?m)^\n {4}\S.*$`).FindString(outside); line != "" {
			t.Errorf("%s: got code without a mark, which no test finds: %s", document, strings.TrimSpace(line))
		}
	}
	for i, r := range runners {
		if met[i] == 0 || strings.HasPrefix(r.by, "Test") && all[r.by] == "" {
			t.Errorf("got %q; want code and a test that there are", r)
		}
	}
}

// TestEveryLinkOfTheDocumentsLeadsSomewhere follows those within the repository, to the heading.
func TestEveryLinkOfTheDocumentsLeadsSomewhere(t *testing.T) {
	all := documents(t)
	links := 0
	for document, text := range all {
		for _, m := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			links++
			path, anchor, _ := strings.Cut(m[1], "#")
			target := document
			if path != "" {
				target = filepath.Join(filepath.Dir(document), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: got %v; want what %s leads to", document, err, m[1])
			}
			if anchor != "" && !slices.Contains(anchors(all[target]), anchor) {
				t.Errorf("%s leads to %s; want one of %q", document, m[1], anchors(all[target]))
			}
		}
	}
	if links < 40 {
		t.Errorf("got %d links; want all of them", links)
	}
}

// anchors are those of the headings of a document, as they are made where it is shown.
func anchors(text string) (all []string) {
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		words := regexp.MustCompile(`[^\pL\pN _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(words, " ", "-"))
	}
	return all
}

func TestTheDesignKnowsEveryRoomAndEveryTable(t *testing.T) {
	design := documents(t)["docs/design.md"]
	rooms, err := filepath.Glob("internal/*")
	if err != nil || len(rooms) < 15 {
		t.Fatalf("got %v, %v; want the rooms", rooms, err)
	}
	for _, room := range rooms {
		if !strings.Contains(design, "`"+filepath.ToSlash(room)+"`") {
			t.Errorf("docs/design.md lacks %s", room)
		}
	}
	for _, m := range regexp.MustCompile("`(internal/\\w+)`").FindAllStringSubmatch(design, -1) {
		if !slices.Contains(rooms, filepath.FromSlash(m[1])) {
			t.Errorf("docs/design.md names %s; want a room that there is", m[1])
		}
	}
	schema, err := os.ReadFile("schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^CREATE TABLE IF NOT EXISTS (\w+)`).FindAllSubmatch(schema, -1) {
		if !regexp.MustCompile("`" + string(m[1]) + "[`.]").MatchString(design) {
			t.Errorf("docs/design.md says of nothing that the table %s has it", m[1])
		}
	}
}
