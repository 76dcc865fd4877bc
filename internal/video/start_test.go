package video

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestProcess_OnlyOnePlaceStartsPrograms reads the source of the whole program.
func TestProcess_OnlyOnePlaceStartsPrograms(t *testing.T) {
	var places []string
	err := filepath.WalkDir("../..", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path = strings.TrimPrefix(path, "../../")
		if e.IsDir() && (path == "bench" || path == "packaging" || path == "docs" || path == "build" || e.Name() == ".git") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(filepath.Dir(path), "test") ||
			strings.HasPrefix(path, "internal/test") { // what tests start
			return nil
		}
		b, err := os.ReadFile(filepath.Join("../..", path))
		for _, start := range []string{"exec.Command", "os.StartProcess", "syscall.ForkExec", "syscall.Exec("} {
			if strings.Contains(string(b), start) {
				places = append(places, path)
			}
		}
		return err
	})
	if err != nil || len(places) != 1 || places[0] != "internal/video/process.go" {
		t.Errorf("got %q, %v; want internal/video/process.go alone", places, err)
	}
}
