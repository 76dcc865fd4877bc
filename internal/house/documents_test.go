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

// TestEveryPrivacyPromiseHasAProof reads what docs/privacy.md says of deleting and of what people can do: each paragraph
// and each point names a test, but for those that introduce others.
func TestEveryPrivacyPromiseHasAProof(t *testing.T) {
	text := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(testrig.Documents(t)["docs/privacy.md"], "")
	promises := 0
	for _, title := range []string{"How long", "What a person can do", "Where the promise ends"} {
		_, section, found := strings.Cut(text, "\n## "+title+"\n")
		if section, _, _ = strings.Cut(section, "\n## "); !found {
			t.Fatalf("got no section %q", title)
		}
		for _, block := range regexp.MustCompile(`\n\n|\n- `).Split(section, -1) {
			block = strings.TrimSpace(block)
			if block == "" || strings.HasSuffix(block, "What stays:") || regexp.MustCompile(`(?s)^(Messages in a chat|Everyone who can)`).
				MatchString(block) { // no promise
				continue
			}
			promises++
			if !testName.MatchString(block) {
				t.Errorf("%s: got %q; want a test that proves it", title, block)
			}
		}
	}
	if promises < 15 {
		t.Errorf("got %d promises; want the sections read", promises)
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
	{"docs/benchmarks.md", "sh", "go test -run '^$' -bench '^BenchmarkPresses'", "nobody: it takes some minutes"},
	{"docs/benchmarks.md", "sh", "go test -run '^$' -bench 'Video|Finish'", "nobody: it takes some minutes"},
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
