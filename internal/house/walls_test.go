// The walls between the rooms: who may import what.

package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"retake.example/internal/testrig"
)

// goods are packages that only some rooms may import.
var goods = map[string]struct {
	paths []string
	rooms []string
}{
	"sql": {[]string{"database/sql", "database/sql/driver", "modernc.org/sqlite", "modernc.org/libc"},
		[]string{"internal/store", "internal/db", "internal/testrig"}},
	"echo":     {[]string{"github.com/labstack/echo"}, []string{"web.go"}},
	"telegram": {[]string{"github.com/go-telegram/bot"}, []string{"bot.go", "internal/chat", "internal/telegram"}},
	"exec": {[]string{"os/exec"},
		[]string{"internal/video", "internal/testserver", "internal/testrig", "docs/generator", "packaging/release"}},
	"toml":       {[]string{"github.com/BurntSushi/toml"}, []string{"internal/config", "internal/lang", "internal/video"}},
	"s3":         {[]string{"github.com/minio/minio-go"}, []string{"internal/media"}},
	"nats":       {[]string{"github.com/nats-io"}, []string{"internal/farm"}},
	"prometheus": {[]string{"github.com/prometheus"}, []string{"internal/metrics"}},
}

// floors lists the rooms from the top of the house to the ground. An import may only point down this list, and rooms on
// the same floor do not know each other.
var floors = [][]string{
	{"internal/testrig"}, // only tests import it
	{"main.go", "packaging/release"},
	{"bot.go", "web.go"},
	{"queue.go"},
	{"store.go"},
	{"internal/command"},
	{"internal/chat"},
	{"internal/desk"},
	{"internal/publish"},
	{"internal/metrics"},
	{"internal/watch"},
	{"internal/worker"},
	{"internal/retry"},
	{"internal/store"},
	{"internal/check", "internal/config"}, // what the settings may say is known by the rooms below
	{"internal/farm"},
	{"internal/alarm", "internal/backup", "internal/cli", "internal/db", "internal/folder", "internal/lang", "internal/logs", "internal/media", "internal/outage",
		"internal/rumble", "internal/seal", "internal/service", "internal/telegram", "internal/tgchannel", "internal/video",
		"internal/youtube"},
	{"internal/routine"},
	{"internal/fake", "internal/testserver"},
	{"docs/generator"},
}

// floorOf returns the room that a folder or a file of the root belongs to, and its floor.
func floorOf(place string) (room string, floor int) {
	for i, rooms := range floors {
		for _, r := range rooms {
			if place == r || strings.HasPrefix(place, r+"/") {
				return r, i
			}
		}
	}
	return "", -1
}

func TestImports(t *testing.T) {
	seen := map[string]bool{}
	for _, path := range sources(t) {
		place := filepath.ToSlash(filepath.Dir(path))
		if place == "." {
			place = path
		}
		room, floor := floorOf(place)
		if room == "" {
			t.Errorf("%s: there is no such room in the house", path)
			continue
		}
		seen[room] = true
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if own, ok := strings.CutPrefix(imported, "retake.example/"); ok {
				if other, below := floorOf(own); other != room && below <= floor {
					t.Errorf("%s imports %s, which is not below it", path, imported)
				}
			}
			for name, good := range goods {
				for _, p := range good.paths {
					if (imported == p || strings.HasPrefix(imported, p+"/")) && !slices.Contains(good.rooms, place) &&
						!slices.Contains(good.rooms, room) {
						t.Errorf("%s imports %s; %s is for %q", path, imported, name, good.rooms)
					}
				}
			}
			// The stand-ins ship in the binary.
			outside := !strings.HasPrefix(imported, "retake.example/") && strings.Contains(strings.Split(imported, "/")[0], ".")
			if room == "internal/fake" && (outside || imported == "testing") {
				t.Errorf("%s imports %s; it may use the standard library only", path, imported)
			}
		}
	}
	for _, rooms := range floors {
		for _, room := range rooms {
			if !seen[room] {
				t.Errorf("the room %s is empty: take it out of this list", room)
			}
		}
	}
}

// TestTransactions_RunTwiceInTheTestsOfEveryRoom reads the tests: those that open a database run each function of a
// transaction twice.
func TestTransactions_RunTwiceInTheTestsOfEveryRoom(t *testing.T) {
	t.Chdir(testrig.Root())
	opens, twice := map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "bench") {
			return err
		}
		text, err := os.ReadFile(path)
		room := filepath.Dir(path)
		for _, call := range []string{"store.Open(", "testrig.NewStore", "testrig.OpenStore"} {
			opens[room] = opens[room] || room != "internal/house" && strings.Contains(string(text), call)
		}
		twice[room] = twice[room] || strings.Contains(string(text), "dbtest.AlwaysTwice()")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for room, yes := range opens {
		if yes {
			n++
		}
		if yes && !twice[room] {
			t.Errorf("%s: its tests open a database, and no TestMain calls dbtest.AlwaysTwice", room)
		}
	}
	if n < 8 {
		t.Errorf("got %d rooms whose tests open a database; want at least 8, or this test looks for a name that is gone", n)
	}
}

// sources lists the Go files of the tree that are no tests. bench is a module of its own.
func sources(t *testing.T) (paths []string) {
	t.Helper()
	t.Chdir(testrig.Root())
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "bench" ||
			path == "build") {
			return filepath.SkipDir
		}
		if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil || len(paths) < 100 {
		t.Fatalf("got %d files, %v; want the whole tree", len(paths), err)
	}
	return paths
}

// TestOnlyRetryRetriesAndAnnounces reads the source of the whole tree: what fails, re-queues or apologises is called by
// Retry's functions alone, and only internal/store could do it another way.
func TestOnlyRetryRetriesAndAnnounces(t *testing.T) {
	guarded := map[string][]string{ // store verb: the functions that may call it
		"Reschedule": {"retryJob"}, "Defer": {"retryJob", "Hold", "PauseUploads"}, "Hold": {"retryJob"}, "GiveUp": {"giveUp", "EndAccess"},
		"PauseUploads": {"retryJob"}, "giveUp": {"retryJob"}, "Reupload": {"retryJob"}, "SendAgain": {"sendAgain"},
		"EndAccess": {"retryJob"}, "MakeAgain": {"retryJob"},
		"NextTry": {"RestartForUser", "RestartForAll"}, "Unserved": {"some"}, "some": {"RestartForAll", "RestartMore"}, "LaterTry": {"NextTry", "RestartMore"},
		"RestartMore": {"ForTheRest"}, "ForTheRest": {"Retry", "ResumeCrowds"}, "FailSome": {"GiveUp", "beginSome", "FailCrowds", "some"},
		"FailCrowds": {"FailCrowds", "ResumeCrowds", "report", "recover"}, "Republish": {"RestartPublication"},
		"retryJob": {"Retry"}, "RestartForUser": {"Retry"}, "RestartForAll": {"Retry"}, "RestartPublication": {"Retry"},
	}
	calls := 0
	for _, name := range sources(t) {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					called := ""
					switch f := n.Fun.(type) {
					case *ast.SelectorExpr:
						called = f.Sel.Name
					case *ast.Ident:
						called = f.Name
					}
					if allowed, ok := guarded[called]; ok {
						calls++
						if !slices.Contains(allowed, fn.Name.Name) {
							t.Errorf("%s: %s calls %s; only %q may", name, fn.Name.Name, called, allowed)
						}
					}
				case *ast.Ident: // the kind of an apology is named where it is owed and where it is sent
					if n.Name == "Apologise" && !slices.Contains([]string{"GiveUp", "beginSome", "FailCrowds", "SendHeld", "Return",
						"NewQueue", "do", "message", "Tell"}, fn.Name.Name) {
						t.Errorf("%s: %s names APOLOGISE jobs", name, fn.Name.Name)
					}
				case *ast.BasicLit:
					if strings.Contains(n.Value, "INSERT INTO jobs") && !slices.Contains([]string{"enqueueAt", "enqueueRender", "EnqueueAll", "beginSome"}, fn.Name.Name) {
						t.Errorf("%s: %s inserts jobs; only enqueueAt, enqueueRender, EnqueueAll and beginSome may", name, fn.Name.Name)
					}
					if strings.Contains(n.Value, "UPDATE jobs SET started = NULL") && fn.Name.Name != "release" {
						t.Errorf("%s: %s re-queues; only release may", name, fn.Name.Name)
					}
				}
				return true
			})
		}
	}
	if calls < 10 {
		t.Errorf("got %d guarded calls; want at least 10, or this test looks for names that are gone", calls)
	}
}

// TestEveryGoroutineIsOfRoutine reads the source: a panic on a goroutine of its own ends the program.
func TestEveryGoroutineIsOfRoutine(t *testing.T) {
	for _, name := range sources(t) {
		place := filepath.ToSlash(filepath.Dir(name))
		if place == "internal/routine" || strings.HasPrefix(place, "docs/") || strings.HasPrefix(place, "packaging/") {
			continue // programs of their own
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, bare := range bareGoroutines(f) {
			if place == "internal/db" && isPanic(bare) {
				continue // ends the program on purpose
			}
			t.Errorf("%v starts a goroutine; internal/routine does that", set.Position(bare.Pos()))
		}
	}
}

// bareGoroutines finds go statements, and calls of Go of what a file declares as a sync.WaitGroup or of errgroup.
func bareGoroutines(f *ast.File) (found []ast.Node) {
	groups := map[string]bool{"errgroup": true}
	is := func(kind ast.Expr) bool {
		s, ok := kind.(*ast.SelectorExpr)
		return ok && (s.Sel.Name == "WaitGroup" || s.Sel.Name == "Group" && lastName(s.X) == "errgroup")
	}
	ast.Inspect(f, func(n ast.Node) bool {
		var names []*ast.Ident
		switch n := n.(type) {
		case *ast.ValueSpec:
			if is(n.Type) {
				names = n.Names
			}
		case *ast.Field:
			if is(n.Type) {
				names = n.Names
			}
		case *ast.ImportSpec:
			if strings.Contains(n.Path.Value, "errgroup") {
				found = append(found, n)
			}
		}
		for _, name := range names {
			groups[name.Name] = true
		}
		return true
	})
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = append(found, n)
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Go" && groups[lastName(s.X)] {
				found = append(found, n)
			}
		}
		return true
	})
	return found
}

// lastName returns the last name of an expression such as p.out.
func lastName(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return x.Sel.Name
	}
	return ""
}

func isPanic(n ast.Node) bool {
	g, ok := n.(*ast.GoStmt)
	return ok && lastName(g.Call.Fun) == "panic"
}

func TestEveryGoroutineIsOfRoutine_FindsWhatItLooksFor(t *testing.T) {
	for source, want := range map[string]int{
		"go f()":                                          1,
		"var wg sync.WaitGroup; wg.Go(f)":                 1,
		"var g errgroup.Group; g.Go(f)":                   1,
		"var g routine.Group; g.Go(f)":                    0,
		"routine.Go(f)":                                   0,
		"var s struct{ out sync.WaitGroup }; s.out.Go(f)": 1,
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x; func y() {"+source+"}", 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(bareGoroutines(f)); got != want {
			t.Errorf("%s: got %d; want %d", source, got, want)
		}
	}
}
