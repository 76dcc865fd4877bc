// Package house holds the tests that read the repository: the language and size of its files, what its rooms import, and
// what its documents say.
package house

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	longestLine = 120 // characters, of Markdown and of Go that is no test
	longestFile = 700 // lines, of Go that is no test
)

// rule finds words, and says what to write instead.
type rule struct {
	words   *regexp.Regexp
	instead string
}

// dialect are words that a native reader stumbles over, each with what to write instead.
var dialect = []rule{
	{regexp.MustCompile(`(?i)\bwhoever\b`), "everyone who, anyone who"},
	{regexp.MustCompile(`(?i)\banew\b`), "again"},
	{regexp.MustCompile(`(?i)\bmend(s|ed|ing)?\b`), "fix, repair"},
	{regexp.MustCompile(`(?i)\bin vain\b`), "failed, without effect"},
	{regexp.MustCompile(`(?i)\bof before\b`), "previous, old"},
	{regexp.MustCompile(`(?i)\bfor good\b`), "permanently"},
	{regexp.MustCompile(`(?i)\bby (itself|themselves)\b`), "automatically"},
	{regexp.MustCompile(`(?i)\bwho waits?\b`), "waiting users, everyone waiting"},
	{regexp.MustCompile(`(?i)\bstands? in (the|an?|its|this|that|one)\b`), "is in"},
	{regexp.MustCompile(`(?i)\b(is|are|was|were) owed to\b`), "is pending for"},
	{regexp.MustCompile(`(?i)\bse(e|es|en) to (it|that|this|the)\b`), "handle"},
	{regexp.MustCompile(`(?i)\blook(s|ed)? whether\b`), "check whether"},
	{regexp.MustCompile(`(?i)\b(this|that) is no (address|name|file|video|day|playlist|title|command|folder|link)\b`),
		"isn't a valid"},
	{regexp.MustCompile(`(?i)\blet(s)? (it )?be as\b`), "leave unchanged"},
	{regexp.MustCompile(`(?i)\ball is as before\b`), "back to normal"},
}

// skipped are folders whose files nobody here writes, and this file, which must name the words.
var skipped = []string{".git", "testdata", "node_modules"}

func TestProse_NoDialect(t *testing.T) {
	read := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(skipped, d.Name()):
			return fs.SkipDir
		case d.IsDir() || filepath.Base(path) == "house_test.go":
			return nil
		}
		kind := filepath.Ext(path)
		if !slices.Contains([]string{".go", ".md", ".toml", ".html", ".sql"}, kind) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read++
		look(t, strings.TrimPrefix(filepath.ToSlash(path), "../../"), kind, string(text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read < 150 {
		t.Errorf("got %d files; want all of the repository", read)
	}
}

// look reports what is wrong with one file.
func look(t *testing.T, path, kind, text string) {
	t.Helper()
	n, code, raw := 0, false, false
	test := strings.HasSuffix(path, "_test.go")
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if kind == ".md" && strings.HasPrefix(strings.TrimSpace(line), "```") {
			code = !code
		}
		for _, d := range dialect {
			if word := d.words.FindString(line); word != "" {
				t.Errorf("%s:%d: %q; write %s", path, n, word, d.instead)
			}
		}
		free := kind == ".md" && (code || strings.HasPrefix(strings.TrimSpace(line), "|"))
		if kind == ".go" { // texts in backquotes, such as SQL and tables in comments, are as wide as they are
			free = test || raw || strings.Contains(line, "`") || strings.HasPrefix(line, "//\t")
			raw = raw != (strings.Count(line, "`")%2 == 1)
		}
		if length := utf8.RuneCountInString(line); length > longestLine && !free && (kind == ".go" || kind == ".md") {
			t.Errorf("%s:%d: %d characters; want at most %d", path, n, length, longestLine)
		}
	}
	if n > longestFile && kind == ".go" && !test {
		t.Errorf("%s: %d lines; want at most %d", path, n, longestFile)
	}
}

func TestProse_FindsWhatItLooksFor(t *testing.T) {
	for _, line := range []string{"Whoever asks", "made anew", "we mend it", "it waits in vain", "those of before",
		"gone for good", "it goes on by itself", "tell who waits", "it stands in the settings", "what is owed to them",
		"see to it", "look whether it works", "This is no address."} {
		if !slices.ContainsFunc(dialect, func(r rule) bool { return r.words.MatchString(line) }) {
			t.Errorf("%q: got nothing; want it found", line)
		}
	}
	for _, line := range []string{"amend the commit", "recommended", "a stand-in for Telegram", "a good day",
		"that is no longer so", "see the list", "everyone waiting"} {
		for _, r := range dialect {
			if word := r.words.FindString(line); word != "" {
				t.Errorf("%q: got %q; want nothing found", line, word)
			}
		}
	}
}
