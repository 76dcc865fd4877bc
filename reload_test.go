// Tests of the running program when its settings change, and when its terminal is closed.

package main

import (
	"context"
	"errors"
	"net"
	"net/http"
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
	"unsafe"

	"retake.example/internal/lang"
	"retake.example/internal/telegram"

	faketelegram "retake.example/internal/fake/telegram"
)

// started is a child that runs as a service on an address that it keeps.
type started struct {
	*victim
	*manager
	page string
}

func startService(t *testing.T) started {
	t.Helper()
	s := started{victim: newVictim(t), manager: newManager(t)}
	l, err := listenNear("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	s.page = "http://" + address
	s.changes("127.0.0.1:0", address)
	path, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+s.dir, childAPI+"="+s.victim.http.URL, childSample+"="+path,
		childPoint+"=0", "NOTIFY_SOCKET="+s.path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal, wherever the test runs
	s.run(cmd)
	s.hears("READY=1")
	return s
}

func (s started) changes(from, to string) {
	s.victim.Helper()
	file := filepath.Join(s.dir, "config.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		s.victim.Fatal(err)
	}
	if !strings.Contains(string(text), from) {
		s.victim.Fatalf("%q is not in the settings", from)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), from, to, 1)), 0o600); err != nil {
		s.victim.Fatal(err)
	}
}

// hup sends a hangup and waits until the manager knows that the reload has begun and ended.
func (s started) hup() {
	s.victim.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		s.victim.Fatal(err)
	}
	s.hearsLike(`^RELOADING=1\nMONOTONIC_USEC=\d+\n$`)
	s.hears("READY=1")
}

func (m *manager) hearsLike(pattern string) {
	m.Helper()
	m.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	b := make([]byte, 200)
	n, err := m.conn.Read(b)
	if err != nil || !regexp.MustCompile(pattern).Match(b[:n]) {
		m.Fatalf("got %q, %v; want %s", b[:n], err, pattern)
	}
}

// says waits until the log contains some words behind a place in it.
func (s started) says(since int, words ...string) {
	s.victim.Helper()
	(&world{T: s.victim.T, log: s.victim.log}).until("the log says "+strings.Join(words, ", "), func() bool {
		said := s.victim.log.String()[since:]
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(said, w) })
	})
}

func (s started) healthy() error {
	resp, err := http.Get(s.page + "/healthz")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// stops ends the child and wants it to end well.
func (s started) stops(by syscall.Signal) {
	s.victim.Helper()
	s.cmd.Process.Signal(by)
	<-s.dead
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		s.victim.Errorf("got exit %d; want 0\n%s", code, s.victim.log)
	}
}

func TestReload_AHangupAppliesTheFileInTheSameProcess(t *testing.T) {
	t.Parallel()
	s := startService(t)
	p := parent{s.tg.Person(1, "П", "ru"), s.tg}
	if err := p.wants(t.Context(), "Маша", nil); err != nil {
		t.Fatal(err)
	}
	// Browsers that come meanwhile wait; none is refused.
	ctx, enough := context.WithCancel(t.Context())
	refused := make(chan error, 1)
	go func() {
		defer close(refused)
		for ctx.Err() == nil {
			if err := s.healthy(); err != nil && ctx.Err() == nil {
				refused <- err
				return
			}
		}
	}()
	s.changes("per_hour = 100", "per_hour = 1")
	s.hup()
	enough()
	if err := <-refused; err != nil {
		t.Errorf("got %v while the settings were read; want an answer", err)
	}
	since := int(p.Send("Даша"))
	q, err := p.waits(t.Context(), since, func(m faketelegram.Message) bool {
		return len(m.Buttons) > 0 && strings.HasPrefix(m.Buttons[0][0].Data, telegram.YesButton)
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Press(q.ID, q.Buttons[0][0].Data)
	if err := p.tg.Wait(t.Context(), func() bool {
		return slices.ContainsFunc(p.tg.Calls(), func(c faketelegram.Call) bool {
			return strings.HasPrefix(c.Params["text"], lang.Say("ru", "limit_hour", nil))
		})
	}); err != nil {
		t.Error(err)
	}
	if err := s.healthy(); err != nil {
		t.Error(err)
	}
	s.stops(syscall.SIGTERM)
}

func TestReload_SettingsWithAFaultChangeNothing(t *testing.T) {
	t.Parallel()
	s := startService(t)
	for _, c := range []struct{ from, to, key string }{
		{"per_hour = 100", "per_hour = 0", "limits.per_hour: "},
		{"[limits]", "[limit]", "limit: there is no such section"},
		{"outage_after = 1000", "outage_after = 1", "queue.outage_after: "},
		{`engine = "command"`, "template = 'none-such'\nengine = 'template'", "render.template"},
		{s.dir, filepath.Join(s.dir, "other"), "data_dir: a change needs a restart"},
	} {
		s.changes(c.from, c.to)
		before := len(s.victim.log.String())
		s.hup()
		s.says(before, "the settings are not changed", c.key)
		if err := s.healthy(); err != nil {
			t.Errorf("%s: %v", c.to, err)
		}
		s.changes(c.to, c.from)
	}
	p := parent{s.tg.Person(1, "П", "ru"), s.tg}
	if err := p.wants(t.Context(), "Маша", nil); err != nil {
		t.Error(err)
	}
	s.stops(syscall.SIGTERM)
}

func TestReload_TheAddressOfThePageMoves(t *testing.T) {
	t.Parallel()
	s := startService(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	before, after := strings.TrimPrefix(s.page, "http://"), l.Addr().String()
	s.changes(before, after)
	s.hup() // it is taken
	s.says(0, "web.listen: ")
	if err := s.healthy(); err != nil {
		t.Errorf("got %v; want the page where it was", err)
	}
	l.Close()
	s.hup()
	s.page = "http://" + after
	if err := s.healthy(); err != nil {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", before); err == nil {
		c.Close()
		t.Error("it still listens where it did before")
	}
	s.stops(syscall.SIGTERM)
}

func TestReload_AClosedTerminalIsAGracefulStop(t *testing.T) {
	t.Parallel()
	s := started{victim: newVictim(t), manager: newManager(t)}
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("there are no terminals here: ", err)
	}
	var number, unlocked uint32
	for request, argument := range map[uintptr]*uint32{syscall.TIOCGPTN: &number, syscall.TIOCSPTLCK: &unlocked} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, ours.Fd(), request,
			uintptr(unsafe.Pointer(argument))); errno != 0 {
			t.Fatal(errno)
		}
	}
	theirs, err := os.OpenFile("/dev/pts/"+strconv.Itoa(int(number)), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	path, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+s.dir, childAPI+"="+s.victim.http.URL, childSample+"="+path,
		childPoint+"=0", "NOTIFY_SOCKET="+s.path)
	cmd.Stdin, cmd.SysProcAttr = theirs, &syscall.SysProcAttr{Setsid: true, Setctty: true}
	s.run(cmd)
	s.hears("READY=1")
	theirs.Close()
	ours.Close()
	s.drain("STOPPING=1")
	<-s.dead
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("got exit %d; want 0\n%s", code, s.victim.log)
	}
}
