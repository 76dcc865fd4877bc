// What each probe says about a machine, and how the findings are written.

package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func one(level Level, text string) func(context.Context) []Finding {
	return func(context.Context) []Finding { return []Finding{{level, text}} }
}

func TestFindingsComeInOrderAndEachIsALine(t *testing.T) {
	second := make(chan bool)
	var out bytes.Buffer
	err := Run(t.Context(), &out, time.Minute, []string{"", "hush-hush", "x"},
		Probe{"a", "", func(context.Context) []Finding { <-second; return []Finding{{OK, "fine"}, {Warning, "but"}} }},
		Probe{"b", "", func(context.Context) []Finding {
			close(second)
			return []Finding{{Fault, "the key\n\thush-hush is wrong"}}
		}},
		Probe{"c", "b", one(OK, "not looked at")},
		Probe{"d", "a", one(OK, "looked at, x")},
		Probe{"e", "c", one(OK, "not looked at")},
	)
	if want := "ok       a: fine\nwarning  a: but\nfault    b: the key [secret] is wrong\nskipped  c: see b\nok      " +
		" d: looked at, x\nskipped  e: see c\n"; out.String() != want ||
		err == nil || err.Error() != "1 fault, 1 warning" {
		t.Errorf("got\n%s%v; want\n%s", &out, err, want)
	}
	for want, level := range map[string]Level{"All is well.": OK, "It will work, with 1 warning.": Warning} {
		out.Reset()
		if err := Run(t.Context(), &out, time.Minute, nil, Probe{"a", "", one(level, "b")}); err != nil ||
			!strings.HasSuffix(out.String(), "\n"+want+"\n") {
			t.Errorf("got %q, %v; want %s", &out, err, want)
		}
	}
	out.Reset()
	if err := Refused(&out, []string{"f:1: x",
		"f:2: y"}); out.String() != "fault    settings: f:1: x\nfault    settings: f:2: y\n" ||
		!strings.Contains(err.Error(), "2 faults") {
		t.Errorf("got %q, %v; want a line for each fault", &out, err)
	}
}

func TestAProbeThatHangsIsAFault(t *testing.T) {
	var out bytes.Buffer
	slow := Probe{"c", "", func(ctx context.Context) []Finding { <-ctx.Done(); return []Finding{Warn("it is large")} }}
	forever := make(chan bool)
	defer close(forever)
	err := Run(t.Context(), &out, 10*time.Millisecond, nil, Probe{"a", "",
		func(context.Context) []Finding { <-forever; return nil }}, Probe{"b", "", one(OK, "fine")}, slow)
	if want := "fault    a: no answer within 10ms\nok       b: fine\nwarning  c: it is large\n"; out.String() != want ||
		err == nil {
		t.Errorf("got %q, %v; want %q", &out, err, want)
	}
}

func TestRoomOnTheDisk(t *testing.T) {
	for free, want := range map[int64]Level{99: Fault, 100: Warning, 999: Warning, 1000: OK} {
		if got := room("/x", free, 100, 1000); got[0].Level != want {
			t.Errorf("%d bytes: got %v; want %s", free, got, want)
		}
	}
	if got := Disk(filepath.Join(t.TempDir(), "a", "b"), 1, 2); got[0].Level != OK {
		t.Errorf("a folder that is not there: got %v; want its disk", got)
	}
}

func TestFoldersAndFiles(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	roomy := func(string) error { return nil }
	for name, c := range map[string]struct {
		got  []Finding
		want Finding
	}{
		"a folder": {Folder(dir, "data_dir"), Finding{OK, dir}},
		"a folder to be made": {Folder(filepath.Join(dir, "new", "er"), "data_dir"), Finding{OK,
			"will be made"}},
		"a file in its place": {Folder(file, "data_dir"), Finding{Fault,
			"is not a folder: make it writable"}},
		"a folder in a file": {Folder(filepath.Join(file, "x"), "data_dir"), Finding{Fault,
			"not a directory"}},
		"a place where nothing can be made": {Folder("/proc/x", "data_dir"), Finding{Fault,
			"cannot be made: /proc:"}},
		"backups that nobody wants": {Backups("/proc/x", dir, true, nil), Finding{OK, "backup.every is 0s"}},
		"backups that can be made nowhere": {Backups("/proc/x", dir, false, nil), Finding{Fault,
			"or set another backup.dir"}},
		"backups beside the database": {Backups(filepath.Join(dir, "backups"), dir, false, roomy), Finding{OK,
			"on the disk of the data folder"}},
		"backups on another disk": {Backups(dir, "/proc", false, roomy), Finding{OK, dir}},
		"backups of what is not there yet": {Backups(dir, "/proc", false,
			func(string) error { return os.ErrNotExist }), Finding{OK, dir}},
		"backups without room": {Backups(dir, dir, false,
			func(string) error { return errors.New("no room") }), Finding{Fault, "no room: delete"}},
		"no settings": {File("", true), Finding{OK, "no file"}},
		"settings that are gone": {File(filepath.Join(dir, "none"), true), Finding{Fault,
			"no such file"}},
		"settings without a secret for all": {File(file, false), Finding{OK, file}},
		"a secret for all":                  {File(file, true), Finding{Warning, "chmod 600 " + file}},
		"a database that is not there": {Database(nil, false, fmt.Errorf("x: %w", os.ErrNotExist)), Finding{OK,
			"will be made"}},
		"a database that is too large": {Database(nil, false, fmt.Errorf("x: %w", context.DeadlineExceeded)),
			Finding{Warning, "too large"}},
		"a voice that was asked for": {Voice("command", true, errors.New("no voice")), Finding{Fault,
			"no voice"}},
		"a voice that is not there": {Voice("command", false, errors.New("no voice")), Finding{Warning,
			"music only"}},
		"a service that does not speak": {Voice("http", false, errors.New("no voice")), Finding{Fault,
			"no voice"}},
		"a voice that is off": {Voice("none", false, errors.New("no voice")), Finding{OK, "off"}},
		"a page for this machine": {Page("127.0.0.1:80", "http://localhost"), Finding{OK,
			"this machine only"}},
		"a page for all without https": {Page("127.0.0.1:80", "http://example.com"), Finding{Warning,
			"without https"}},
		"a page for all": {Page("127.0.0.1:8080", "https://example.com"), Finding{OK,
			"https://example.com"}},
		"links to another port": {Page("127.0.0.1:8081", "http://127.0.0.1:8080"), Finding{Fault,
			"port 8081: make them agree"}},
		"YouTube without https": {YouTube(nil, false, "http://example.com"), Finding{Fault,
			"Google sends admins back"}},
		"YouTube on this machine": {YouTube(nil, false, "http://localhost:8080"), Finding{OK,
			"http://localhost:8080/channels/callback"}},
		"a font that is missing": {Font("fonts-x", false), Finding{Warning,
			"apt-get install -y fonts-x"}},
		"a template with a strange font": {Template([]string{"font"}, nil), Finding{Warning, "font"}},
		"a listener on another machine": {Port(t.Context(), "192.0.2.1:80", 0), Finding{Fault,
			"choose an address of this machine"}},
		"a process that listens somewhere else": {Port(t.Context(), "127.0.0.1:0", 7), Finding{Warning, "process 7"}},
	} {
		if len(c.got) != 1 || c.got[0].Level != c.want.Level || !strings.Contains(c.got[0].Text, c.want.Text) {
			t.Errorf("%s: got %v; want %v", name, c.got, c.want)
		}
	}
}

func TestAPortThatIsTaken(t *testing.T) {
	status, text := http.StatusOK, "ok\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.WriteHeader(status)
		fmt.Fprint(w, text)
	}))
	defer server.Close()
	address := server.Listener.Addr().String()
	for _, c := range []struct {
		owner, status int
		text          string
		want          Level
	}{{7, 200, "ok\n", OK}, {7, 503, "the disk is full", OK}, {0, 200, "ok\n", Fault}, {7, 200, "<html>", Fault}, {7,
		404, "", Fault}} {
		status, text = c.status, c.text
		if got := Port(t.Context(), address, c.owner); got[0].Level != c.want {
			t.Errorf("%+v: got %v; want %s", c, got, c.want)
		}
	}
	mute, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and never says a word
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if got := Port(ctx, mute.Addr().String(), 7); got[0].Level != Fault {
		t.Errorf("somebody who is silent: got %v; want a fault", got)
	}
}

func TestUploadLimit_IsThatOfTheServer(t *testing.T) {
	for _, c := range []struct {
		mb   int64
		api  string
		warn bool
	}{
		{50, "https://api.telegram.org", false}, {2000, "https://api.telegram.org", true},
		{2000, "http://127.0.0.1:8081", false}, {20, "https://api.telegram.org/", false},
	} {
		got := UploadLimit(c.mb, c.api)
		if (len(got) > 0) != c.warn || c.warn && !strings.Contains(got[0].Text, "too large for Telegram") {
			t.Errorf("%d at %s: got %v; want a warning: %v", c.mb, c.api, got, c.warn)
		}
	}
}
