// The documents of the repository, for the tests that read them and run their code.

package testrig

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Documents are the texts for people, by path.
func Documents(t testing.TB) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(Root(), "docs/*.md"))
	if err != nil || len(paths) < 10 {
		t.Fatalf("got %v, %v; want the documents", paths, err)
	}
	for _, name := range []string{"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"} {
		paths = append(paths, filepath.Join(Root(), name))
	}
	all := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Rel(Root(), path)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.ToSlash(name)] = string(text)
	}
	return all
}

// CodeBlock is one of a document, without the blanks that a list puts before its lines.
type CodeBlock struct{ Language, Text string }

// Blocks lists the code of a document.
func Blocks(text string) (all []CodeBlock) {
	for _, m := range regexp.MustCompile("(?ms)^( *)```(\\w*)\n(.*?)^ *```$").FindAllStringSubmatch(text, -1) {
		all = append(all, CodeBlock{m[2], strings.ReplaceAll("\n"+m[3], "\n"+m[1], "\n")[1:]})
	}
	return all
}
