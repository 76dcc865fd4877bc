// The walls between the rooms: who may import what.

package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// goods are what the walls are about; a room that does not list one may not import it.
var goods = map[string][]string{
	"sql":      {"database/sql", "database/sql/driver", "modernc.org/sqlite", "modernc.org/libc"},
	"echo":     {"github.com/labstack/echo"},
	"telegram": {"github.com/go-telegram/bot"},
	"exec":     {"os/exec"},
	"toml":     {"github.com/BurntSushi/toml"},
	"s3":       {"github.com/minio/minio-go"},

	"prometheus": {"github.com/prometheus"},
}

// rooms say what a file, or the files of a folder, may import: goods, and packages of our own.
var rooms = map[string]struct {
	goods []string
	ours  []string
}{
	"main.go":                {nil, []string{"backup", "check", "cli", "config", "db", "desk", "folder", "lang", "logs", "media", "metrics", "outage", "rumble", "seal", "service", "telegram", "video", "watch", "youtube", "fake/demo"}},
	"bot.go":                 {[]string{"telegram"}, []string{"lang", "telegram", "watch"}},
	"web.go":                 {[]string{"echo"}, []string{"desk", "lang", "media"}},
	"queue.go":               {nil, nil},
	"store.go":               {[]string{"sql"}, []string{"db"}},
	"internal/backup":        {nil, nil},
	"internal/check":         {nil, nil},
	"internal/cli":           {nil, nil},
	"internal/config":        {[]string{"toml"}, nil},
	"internal/db":            {[]string{"sql"}, nil},
	"internal/db/dbtest":     {[]string{"sql"}, nil}, // for tests
	"internal/telegram":      {[]string{"telegram"}, nil},
	"internal/video":         {[]string{"exec", "toml"}, nil},
	"internal/media":         {[]string{"s3"}, nil},
	"internal/media/s3test":  {[]string{"exec", "s3"}, nil}, // for tests
	"internal/desk":          {nil, nil},
	"internal/folder":        {nil, nil},
	"internal/logs":          {nil, nil},
	"internal/metrics":       {[]string{"prometheus"}, nil},
	"internal/outage":        {nil, nil},
	"internal/rumble":        {nil, nil},
	"internal/seal":          {nil, nil},
	"internal/service":       {nil, nil},
	"internal/watch":         {nil, nil},
	"internal/youtube":       {nil, nil},
	"internal/fake/demo":     {nil, []string{"fake/rumble", "fake/stage", "fake/telegram", "fake/youtube"}},
	"internal/fake/rumble":   {nil, nil},
	"internal/fake/stage":    {nil, nil},
	"internal/fake/youtube":  {nil, nil},
	"internal/lang":          {[]string{"toml"}, nil},
	"internal/fake/telegram": {nil, nil},
	"docs/generator":         {[]string{"exec"}, nil}, // an example, no part of the program
	"packaging/release":      {[]string{"exec"}, nil}, // makes what people download
}

func TestImports(t *testing.T) {
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "bench") {
			return filepath.SkipDir // bench is a module of its own
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		room := filepath.ToSlash(filepath.Dir(path))
		if room == "." {
			room = path
		}
		allowed, ok := rooms[room]
		if !ok {
			t.Errorf("%s: there is no such room in the house", path)
			return nil
		}
		seen[room] = true
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if own, ok := strings.CutPrefix(imported, "retake.example/internal/"); ok && !slices.Contains(allowed.ours, own) {
				t.Errorf("%s imports %s", path, imported)
			}
			for good, paths := range goods {
				if slices.Contains(allowed.goods, good) {
					continue
				}
				for _, p := range paths {
					if imported == p || strings.HasPrefix(imported, p+"/") {
						t.Errorf("%s imports %s", path, imported)
					}
				}
			}
			// The stand-ins ship in the binary.
			if strings.HasPrefix(room, "internal/fake/") && (strings.Contains(strings.Split(imported, "/")[0], ".") || imported == "testing") {
				t.Errorf("%s imports %s; it may use the standard library only", path, imported)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room := range rooms {
		if !seen[room] {
			t.Errorf("the room %s is empty: take it out of this list", room)
		}
	}
}
