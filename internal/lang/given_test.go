// A message that is not given what it says reads "<no value>".

package lang

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

var (
	placed = regexp.MustCompile(`\{\{[^}]*?\.(\w+)`)
	value  = `(?:"[^"]*"|\((?:[^()]|\([^()]*\))*\)|[^\s})"]+)`
	saying = regexp.MustCompile(`\b(?:say|rich) "(\w+)"((?: "\w+" ` + value + `)*)`)
	given  = regexp.MustCompile(`"(\w+)" ` + value)
)

// needed returns the variables of every message, in all its languages and forms.
func needed(t *testing.T) map[string]map[string]bool {
	t.Helper()
	all := map[string]map[string]bool{}
	files, err := filepath.Glob("messages/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %v, %v; want the messages", files, err)
	}
	for _, file := range files {
		var messages map[string]any
		if _, err := toml.DecodeFile(file, &messages); err != nil {
			t.Fatal(err)
		}
		for id, m := range messages {
			if all[id] == nil {
				all[id] = map[string]bool{}
			}
			forms, ok := m.(map[string]any)
			if !ok {
				forms = map[string]any{"other": m}
			}
			for _, text := range forms {
				for _, v := range placed.FindAllStringSubmatch(text.(string), -1) {
					all[id][v[1]] = true
				}
			}
		}
	}
	return all
}

// TestMessages_AreGivenWhatTheySay reads the calls in the sources and in the pages that name a message and its variables.
func TestMessages_AreGivenWhatTheySay(t *testing.T) {
	all := needed(t)
	looked := 0
	look := func(where, id string, vars []string) {
		t.Helper()
		looked++
		for v := range all[id] {
			if !slices.Contains(vars, v) {
				t.Errorf("%s: %s is given %v; want %s, too", where, id, vars, v)
			}
		}
	}
	err := filepath.WalkDir("../..", func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && slices.Contains([]string{"build", "bench", ".git"}, e.Name()):
			return fs.SkipDir
		case strings.HasSuffix(path, ".html"):
			text, err := os.ReadFile(path)
			for _, m := range saying.FindAllStringSubmatch(string(text), -1) {
				vars := []string{}
				for _, v := range given.FindAllStringSubmatch(m[2], -1) {
					vars = append(vars, v[1])
				}
				look(path, m[1], vars)
			}
			return err
		case strings.HasSuffix(path, "_test.go") || !strings.HasSuffix(path, ".go"):
			return nil
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			for i := range max(0, len(call.Args)-1) {
				literal, ok := call.Args[i].(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					continue
				}
				id, _ := strconv.Unquote(literal.Value)
				if vars, ok := varsOf(call.Args[i+1]); ok && all[id] != nil {
					look(files.Position(call.Pos()).String(), id, vars)
				}
			}
			return true
		})
		return nil
	})
	if err != nil || looked < 300 {
		t.Errorf("got %v, %d calls; want those of the whole program", err, looked)
	}
}

// varsOf returns the names of variables that are written out; ok: they are, or there are none.
func varsOf(e ast.Expr) (names []string, ok bool) {
	switch e := e.(type) {
	case *ast.Ident:
		return nil, e.Name == "nil"
	case *ast.CompositeLit:
		found := map[string]bool{}
		for _, pair := range e.Elts {
			kv, ok := pair.(*ast.KeyValueExpr)
			if !ok {
				return nil, false
			}
			key, ok := kv.Key.(*ast.BasicLit)
			if !ok {
				return nil, false
			}
			name, _ := strconv.Unquote(key.Value)
			found[name] = true
		}
		return slices.Collect(maps.Keys(found)), true
	}
	return nil, false
}
