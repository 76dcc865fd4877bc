// The documents say what the program does: tests they name exist, their links lead somewhere, their code is run.

package house

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"retake.example/internal/cli"
	"retake.example/internal/testrig"
)

// testFunction finds the beginning of a test; testName finds its name in a text.
var (
	testFunction = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	testName     = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w*`)
)

// tests lists every test, fuzz target and benchmark of the repository, by name, with its folder.
func tests(t *testing.T) map[string]string {
	t.Helper()
	t.Chdir(testrig.Root())
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
	for doc, text := range testrig.Documents(t) {
		for _, name := range testName.FindAllString(text, -1) {
			if all[name] == "" {
				t.Errorf("%s names %s; want a test that there is", doc, name)
			}
		}
	}
}

// TestEveryPromiseHasAProof reads the tables of docs/reliability.md: a promise without a test is none.
func TestEveryPromiseHasAProof(t *testing.T) {
	t.Chdir(testrig.Root())
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

// TestEverySecurityPromiseHasAProof reads the table of SECURITY.md.
func TestEverySecurityPromiseHasAProof(t *testing.T) {
	promises := 0
	for line := range strings.Lines(testrig.Documents(t)["SECURITY.md"]) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|--") ||
			strings.TrimSpace(cells[len(cells)-1]) == "proved by" {
			continue
		}
		promises++
		if len(cells) != 4 || strings.TrimSpace(cells[2]) == "" || !testName.MatchString(cells[3]) {
			t.Errorf("got %q; want from whom, how, and a test", line)
		}
	}
	if promises < 20 {
		t.Errorf("got %d promises; want the table read", promises)
	}
}

// noPromises are the beginnings of sentences that say what others do, or what the reader should do.
var noPromises = map[string][]string{
	"docs/privacy.md": {"This page says what", "A person is someone", "They send the first name", "What stays:",
		"You decide why", "1. **Say who", "2. **Answer requests", "If they cannot, verify", "Show the file",
		"3. **Remove from", "You need its terms", "What it stores is", "5. **Copies of the data folder**",
		"Keep them for as short", "Copies that the service makes", "6. **A proxy in front**", "Switch that log off",
		"7. **Keep the disk", "- A deleted file is unlinked", "- Messages in a chat", "- Everyone who can read"},
	"SECURITY.md": {"Don't open public", "Tell the maintainers", "Say what you did", "Please leave out", "Fixes go into",
		"A kernel without seccomp", "A network namespace", "Protect it and", "- Without https", "Retake speaks http",
		"- Telegram and the platforms", "- Everyone with the operator's shell"},
}

// sentences are those of a document, without its headings, tables and code. Each begins on a line of its own.
func sentences(text string) (all []string) {
	text = regexp.MustCompile("(?s)```.*?```").ReplaceAllString(text, "")
	sentence := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if ends := line == "" || strings.ContainsAny(line[:1], "#|"); ends {
			line = ""
		} else if sentence = strings.TrimSpace(sentence + " " + line); !strings.ContainsAny(line[len(line)-1:], ".:;") {
			continue
		}
		if sentence != "" {
			all, sentence = append(all, sentence), ""
		}
	}
	return all
}

// TestEveryPrivacyPromiseHasAProof reads docs/privacy.md and SECURITY.md: each sentence names a test, but for those
// that promise nothing. So does each row of what is stored.
func TestEveryPrivacyPromiseHasAProof(t *testing.T) {
	documents, there := testrig.Documents(t), tests(t)
	for document, none := range noPromises {
		promises, spared := 0, map[string]bool{}
		for _, sentence := range sentences(documents[document]) {
			if testName.MatchString(sentence) {
				promises++
				continue
			}
			at := slices.IndexFunc(none, func(begins string) bool { return strings.HasPrefix(sentence, begins) })
			if at < 0 {
				t.Errorf("%s: got %q; want a test that proves it", document, sentence)
			} else {
				spared[none[at]] = true
			}
		}
		if promises < 4 || len(spared) != len(none) {
			t.Errorf("%s: got %d promises, and of the others %v; want it read", document, promises, spared)
		}
	}
	rows := 0
	for line := range strings.Lines(documents["docs/privacy.md"]) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|--") ||
			strings.TrimSpace(cells[len(cells)-1]) == "tested by" {
			continue
		}
		rows++
		proofs := testName.FindAllString(cells[len(cells)-1], -1)
		if len(cells) != 6 || len(proofs) == 0 || slices.ContainsFunc(proofs, func(p string) bool { return there[p] == "" }) {
			t.Errorf("got the row %q; want what, where, why, how long, who sees it, and tests that there are", line)
		}
	}
	if rows < 35 {
		t.Errorf("got %d rows; want the table read", rows)
	}
}

func TestEveryFuzzTargetIsRunByMake(t *testing.T) {
	t.Chdir(testrig.Root())
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
	{"docs/benchmarks.md", "sh", "go test -run '^$' -bench '^BenchmarkPages'", "nobody: it takes some minutes"},
	{"docs/benchmarks.md", "sh", "go test -run '^$' -bench '^BenchmarkPresses'", "nobody: it takes some minutes"},
	{"docs/benchmarks.md", "sh", "go test -run '^$' -bench 'Video|Finish'", "nobody: it takes some minutes"},
	{"docs/benchmarks.md", "sh", "cd bench && go run ./farm", "nobody: it takes some minutes"},
	{"docs/design.md", "mermaid", "", "TestTheDiagramsOfTheDesignAreWhatHappens"},
	{"docs/design.md", "", "draw the letters", "nobody: it is a drawing"},
	{"docs/engines.md", "sh", "docker run -d --name voice", "nobody: it wants Docker"},
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
	{"docs/install.md", "sh", "docker buildx", "nobody: it wants Docker"},
	{"docs/install.md", "sh", "docker build ", "nobody: it wants Docker"},
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
	for document, text := range testrig.Documents(t) {
		if n := strings.Count(text, "```"); n != 2*len(testrig.Blocks(text)) {
			t.Errorf(
				"%s: got %d blocks, and %d marks of them; want each mark on a line of its own",
				document,
				len(testrig.Blocks(text)),
				n,
			)
		}
		for _, b := range testrig.Blocks(text) {
			by := 0
			for i, r := range runners {
				if r.document == document && r.language == b.Language && strings.HasPrefix(b.Text, r.begins) {
					met[i]++
					by++
				}
			}
			if by != 1 {
				t.Errorf("%s: got %d that run this; want one\n%s", document, by, b.Text)
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
	t.Chdir(testrig.Root())
	all := testrig.Documents(t)
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
	t.Chdir(testrig.Root())
	design := testrig.Documents(t)["docs/design.md"]
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

func TestReadme_NamesEveryCommand(t *testing.T) {
	t.Chdir(testrig.Root())
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	table := "| command | |\n|---|---|\n"
	for _, c := range cli.Commands {
		call := c.Call()
		for _, f := range c.Flags {
			call += " [" + f.String() + "]"
		}
		table += fmt.Sprintf("| `retake %s` | %s |\n", call, c.Short)
	}
	if !strings.Contains(string(readme), "\n"+table+"\n") {
		t.Errorf("want this table in README.md:\n%s", table)
	}
}
