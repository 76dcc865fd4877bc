package logs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// hide is like a redaction: it must work in every format.
func hide(_ []string, a slog.Attr) slog.Attr {
	if strings.Contains(a.Value.String(), "SECRET") {
		a.Value = slog.StringValue("[token]")
	}
	return a
}

func TestLinesAreWhatTheirReaderTakes(t *testing.T) {
	for name, test := range map[string]struct {
		options Options
		fits    func(lines []string) bool
	}{
		"text has the time": {Options{Format: "text", Level: "info"}, func(l []string) bool {
			return len(l) == 3 && strings.HasPrefix(l[0], "time=") && strings.Contains(l[0], "level=INFO msg=began asset=A")
		}},
		"the journal gets priorities": {Options{Format: "text", Level: "debug", Journal: true}, func(l []string) bool {
			return strings.Join(l, "|") == "<7>msg=looked|<6>msg=began asset=A|<4>msg=\"attempt failed\" "+
				"err=[token]|<3>msg=panic job=7"
		}},
		"JSON is JSON in the journal too": {Options{Format: "json", Level: "warn", Journal: true}, func(l []string) bool {
			var v struct{ Time, Level, Msg, Err string }
			return len(l) == 2 && json.Unmarshal([]byte(l[0]), &v) == nil && v.Time != "" && v.Level == "WARN" &&
				v.Msg == "attempt failed" && v.Err == "[token]"
		}},
		"errors alone": {Options{Format: "text", Level: "error"}, func(l []string) bool {
			return len(l) == 1 &&
				strings.Contains(l[0], "msg=panic job=7")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			test.options.Replace = hide
			log := New(&out, test.options)
			log.Debug("looked")
			log.Info("began", "asset", "A")
			log.Warn("attempt failed", "err", fmt.Errorf("no SECRET"))
			log.With("job", 7).Error("panic")
			if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); !test.fits(lines) {
				t.Errorf("got %q", lines)
			}
		})
	}
}

func TestTheJournalIsKnownByItsFile(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var s syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &s); err != nil {
		t.Fatal(err)
	}
	for stream, want := range map[string]bool{fmt.Sprintf("%d:%d", s.Dev, s.Ino): true,
		fmt.Sprintf("%d:%d", s.Dev, s.Ino+1): false, "": false, "x": false} {
		if got := IsJournal(f, stream); got != want {
			t.Errorf("%q: got %v; want %v", stream, got, want)
		}
	}
}
