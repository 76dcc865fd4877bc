// The manual page is read by man without a warning, and has every command.

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMan_IsReadWithoutAWarningAndHasEveryCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "retake.1")
	text := Man(`1.2.3+4.g\5ab`, time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("man", "--warnings", "--local-file", file)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MANWIDTH=200", "MANROFFSEQ=", "GROFF_NO_SGR=1")
	var wrong strings.Builder
	cmd.Stderr = &wrong
	shown, err := cmd.Output()
	if err != nil || wrong.Len() > 0 {
		t.Fatalf("got %v, %s; want no warning", err, &wrong)
	}
	page := strings.Join(strings.Fields(string(shown)), " ")
	for _, c := range Commands {
		for _, want := range append([]string{"retake " + c.Call() + " " + strings.ToUpper(c.Short[:1])}, c.Examples...) {
			if !strings.Contains(page, strings.Join(strings.Fields(want), " ")) {
				t.Errorf("%s: %q is missing", c.Name, want)
			}
		}
		for _, f := range c.flags() {
			if !strings.Contains(page, f.String()+" ") {
				t.Errorf("%s: the flag %s is missing", c.Name, f)
			}
		}
	}
	for _, want := range []string{`Retake 1.2.3+4.g\5ab`, "EXIT STATUS", "78", "2026-11-30"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing", want)
		}
	}
}
