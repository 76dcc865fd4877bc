// Tests of Retake as a service: what it tells systemd, and the unit that it is installed with.

package test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"retake.example/internal/testrig"
)

// manager stands in for systemd: it is what a service tells.
type manager struct {
	*testing.T
	path string
	conn *net.UnixConn
}

func newManager(t *testing.T) *manager {
	t.Helper()
	dir, err := os.MkdirTemp("", "n") // the address of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &manager{t, path, conn}
}

func (m *manager) hears(want string) {
	m.Helper()
	m.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	b := make([]byte, 100)
	n, err := m.conn.Read(b)
	if err != nil || string(b[:n]) != want {
		m.Fatalf("got %q, %v; want %q", b[:n], err, want)
	}
}

func TestTheServiceManagerIsToldHowRetakeIs(t *testing.T) {
	t.Parallel()
	v, m := newVictim(t), newManager(t)
	cmd := v.serve()
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+m.path, "WATCHDOG_USEC=300000")
	v.run(cmd)
	m.hears("READY=1")
	m.hears("WATCHDOG=1")
	p := parent{v.tg.Person(1, "П", "ru"), v.tg}
	if err := p.wants(t.Context(), "Маша", nil); err != nil {
		t.Fatal(err)
	}
	m.hears("WATCHDOG=1") // while it worked, or before
	w := &world{T: t, log: v.log, tg: v.tg}
	s, err := openStore(filepath.Join(v.dir, "retake.db"))
	if err != nil {
		t.Fatal(err)
	}
	w.store = s
	w.calm()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	m.drain()
	before := written(t, cmd.Process.Pid)
	for range 5 {
		m.hears("WATCHDOG=1")
	}
	if more := written(t, cmd.Process.Pid) - before; more != 0 {
		t.Errorf("got %d bytes written for the watchdog of an idle program; want none", more)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	m.drain("STOPPING=1")
	<-v.dead
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("got exit %d; want 0\n%s", code, v.log)
	}
}

// drain takes what was told so far; with until, up to that.
func (m *manager) drain(until ...string) {
	m.Helper()
	patience := time.Millisecond
	if len(until) > 0 {
		patience = 30 * time.Second
	}
	b := make([]byte, 100)
	for {
		m.conn.SetReadDeadline(time.Now().Add(patience))
		n, err := m.conn.Read(b)
		switch {
		case err != nil && len(until) == 0:
			return
		case err != nil:
			m.Fatalf("%v; want %q", err, until)
		case len(until) > 0 && string(b[:n]) == until[0]:
			return
		}
	}
}

// written is how many bytes a process has sent to a disk.
func written(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/io")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^write_bytes: (\d+)$`).FindStringSubmatch(string(text))
	if m == nil {
		t.Fatalf("got %s; want write_bytes", text)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTheUnitIsSoundAndExposesLittle(t *testing.T) {
	unit, err := os.ReadFile("packaging/retake.service")
	if err != nil {
		t.Fatal(err)
	}
	// As systemd would find it, with a program where the unit says that it is.
	root := t.TempDir()
	for _, dir := range []string{"bin", "usr/bin", "etc/systemd/system", "usr/lib/systemd/system"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(root, "usr/lib/systemd/system/retake.service")
	if err := errors.Join(os.WriteFile(path, unit, 0o644),
		os.WriteFile(filepath.Join(root, "usr/bin/retake"), nil, 0o755),
		os.WriteFile(filepath.Join(root, "bin/sh"), nil, 0o755)); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--threshold=11", "--no-pager", path).
		CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Overall exposure level for retake.service:") {
		t.Errorf("got %v; want an exposure of 1.1 at the most\n%s", err, out)
	}
	if out, err := exec.Command("systemd-analyze", "verify", "--root="+root, "--man=no", "--recursive-errors=no",
		"retake.service").CombinedOutput(); err != nil ||
		len(out) > 0 {
		t.Errorf("got %v, %q; want nothing wrong", err, out)
	}
}

// TestTheContainerIsBuiltFromWhatIsThere looks at the Dockerfile as far as that goes without an engine: what it copies,
// what it sets, and the version of Go.
func TestTheContainerIsBuiltFromWhatIsThere(t *testing.T) {
	text, err := os.ReadFile("packaging/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	ignored, err := os.ReadFile("packaging/Dockerfile.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	find := func(expression string) []string {
		t.Helper()
		m := regexp.MustCompile(`(?m)` + expression).FindStringSubmatch(string(text))
		if m == nil {
			t.Fatalf("%s is missing", expression)
		}
		return strings.Fields(m[1])
	}
	for _, file := range find(`^COPY (go\.mod .*) \./$`) {
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
	cfg, err := testrig.LoadConfig("", find(`^ENV (.*)$`))
	if err != nil || cfg.DataDir != "/data" {
		t.Errorf("got %v, %v; want settings that exist, and the volume for the data", cfg.DataDir, err)
	}
	module, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	least := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(module))[1]
	if got := find(`^ARG GO_IMAGE=golang:(\S+)-bookworm$`)[0]; !strings.HasPrefix(got, least+".") {
		t.Errorf("got Go %s; want a release of %s, as in go.mod", got, least)
	}
	// An operator may name other images, by their digests: each is an argument, and nothing else is built from.
	for _, from := range regexp.MustCompile(`(?m)^FROM (.*)$`).FindAllStringSubmatch(string(text), -1) {
		image, _, _ := strings.Cut(from[1], " ")
		find(`^ARG ` + strings.TrimPrefix(image, "$") + `=(\S+:\S+)$`)
	}
	packages := find(`--no-install-recommends (.*) \\$`)
	for _, needed := range []string{"ca-certificates", "espeak-ng", "ffmpeg", "fonts-sil-andika"} {
		if !slices.Contains(packages, needed) {
			t.Errorf("%s is not installed", needed)
		}
	}
	// Compose builds this file, and sets what exists.
	compose, err := os.ReadFile("packaging/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(compose), "context: ..\n      dockerfile: packaging/Dockerfile\n") ||
		!strings.Contains(string(compose), `test: ["CMD", "retake", "healthcheck"]`) {
		t.Errorf("got %s; want this Dockerfile, and a health check", compose)
	}
	secret := filepath.Join(t.TempDir(), "telegram.token")
	if err := os.WriteFile(secret, []byte(testToken), 0o600); err != nil {
		t.Fatal(err)
	}
	var environ []string
	for _, m := range regexp.MustCompile(`(?m)^ {6}(RETAKE_\w+): (\S+)`).FindAllStringSubmatch(string(compose), -1) {
		value := map[string]string{"RETAKE_TELEGRAM_TOKEN_FILE": secret, "RETAKE_TELEGRAM_OWNERS": "[111111111]"}[m[1]]
		environ = append(environ, m[1]+"="+value)
	}
	if cfg, err := testrig.LoadConfig("", environ); err != nil || cfg.Telegram.Token != testToken ||
		!slices.Equal(cfg.Telegram.Owners, []int64{111111111}) {
		t.Errorf("%v: got %v, %v; want the token and the owner", environ, cfg.Telegram.Owners, err)
	}
	// Whatever the program is built from must not be ignored.
	out, err := exec.Command("go", "list", "-deps", "-f", `{{if not .Standard}}{{range `+
		`.GoFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}{{end}}`, ".").
		Output()
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for path := range strings.Lines(string(out)) {
		file, err := filepath.Rel(here, strings.TrimSpace(path))
		if err != nil || strings.HasPrefix(file, "..") { // another module
			continue
		}
		n++
		for pattern := range strings.Lines(string(ignored)) {
			if pattern = strings.TrimSpace(pattern); file == pattern || strings.HasPrefix(file, pattern+"/") ||
				pattern == "**/*_test.go" && strings.HasSuffix(file, "_test.go") {
				t.Errorf("%s is ignored by %s", file, pattern)
			}
		}
	}
	if n < 100 {
		t.Errorf("got %d files; want all of the program", n)
	}
}
