// Tests of the running program when its settings change, and when its terminal is closed.

package test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
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

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/lang"
	"retake.example/internal/telegram"
	"retake.example/internal/testserver"
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
	address := testserver.FreeAddress(t)
	s.page = "http://" + address
	s.changes("127.0.0.1:0", address)
	cmd := s.serve()
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+s.path)
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
	r, err := http.NewRequest(http.MethodGet, s.page+"/healthz", nil)
	if err != nil {
		return err
	}
	r.Close = true // one that waits for the next request may be closed, and browsers then open another
	resp, err := http.DefaultClient.Do(r)
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
	cmd := s.serve()
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+s.path)
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

// ownersBrowser is an owner's browser at the page of a child.
type ownersBrowser struct {
	*testing.T
	page    string
	session *http.Cookie
}

func (s started) visit() ownersBrowser {
	s.victim.Helper()
	s.says(0, "/login/")
	path := regexp.MustCompile(`/login/\S+`).FindString(s.victim.log.String())
	v := ownersBrowser{T: s.victim.T, page: s.page}
	resp := v.post(path, nil)
	v.session = resp.Cookies()[0]
	return v
}

func (v ownersBrowser) post(path string, form url.Values) *http.Response {
	v.Helper()
	r, err := http.NewRequest("POST", v.page+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(r)
}

func (v ownersBrowser) get(path string) string {
	v.Helper()
	r, err := http.NewRequest("GET", v.page+path, nil)
	if err != nil {
		v.Fatal(err)
	}
	body, err := io.ReadAll(v.do(r).Body)
	if err != nil {
		v.Fatal(err)
	}
	return string(body)
}

func (v ownersBrowser) do(r *http.Request) *http.Response {
	v.Helper()
	if v.session != nil {
		r.AddCookie(v.session)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		v.Fatal(err)
	}
	v.Cleanup(func() { resp.Body.Close() })
	return resp
}

func TestConfiguration_ASaveAppliesAtOnceAndStaysAndItsSecretsAreSealed(t *testing.T) {
	t.Parallel()
	s := startService(t)
	s.changes("per_hour = 100\n", "")
	s.changes(`engine = "command"`, `engine = "template"`)
	s.hup()
	v := s.visit()
	p := parent{s.tg.Person(1, "П", "ru"), s.tg}
	question := func() faketelegram.Message {
		t.Helper()
		m, err := p.waits(t.Context(), int(p.Send("Маша")), func(m faketelegram.Message) bool {
			return len(m.Buttons) > 0 && strings.Contains(m.Text, "«Маша»")
		})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if q := question(); !strings.HasPrefix(q.Buttons[0][0].Data, telegram.YesButton) || len(q.Buttons[0]) > 2 {
		t.Errorf("got %v; want a question without a choice of videos", q.Buttons)
	}
	before := len(question().Buttons)
	const secret = "hush-hush-hush"
	resp := v.post("/configuration", url.Values{"limits.per_hour": {"1"}, "shown.limits.per_hour": {"10"},
		"youtube.client_id":     {"an-id"},
		"youtube.client_secret": {secret}})
	if resp.StatusCode != http.StatusSeeOther {
		body, _ := io.ReadAll(resp.Body)
		t.Fatalf("got %d; want it saved\n%s", resp.StatusCode, body)
	}
	if got := v.get("/configuration"); !strings.Contains(got, `name="limits.per_hour" value="1"`) {
		t.Error("got the old settings right after the new ones were saved")
	}
	s.hearsLike(`^RELOADING=1\nMONOTONIC_USEC=\d+\n$`)
	s.hears("READY=1")
	if resp := v.post("/templates", url.Values{"do": {"offer"}, "id": {"birthday"}}); resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("got %d; want the template offered", resp.StatusCode)
	}
	if q := question(); len(q.Buttons) <= before {
		t.Errorf("got %v; want a choice of videos", q.Buttons)
	}
	for _, path := range []string{"/configuration?notice=settings_saved", "/settings", "/activity", "/channels"} {
		if body := v.get(path); strings.Contains(body, secret) {
			t.Errorf("%s has the secret", path)
		}
	}
	if body := v.get("/activity"); !strings.Contains(body, "limits.per_hour, youtube.client_id, youtube.client_secret") {
		t.Error("the activity lacks the names of the keys")
	}
	file := filepath.Join(s.dir, "config.toml")
	printed, err := exec.Command(binary(t), "config", "-config", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	for _, want := range []string{`per_hour = 1 +# page\n`, `# client_secret = set +# page\n`,
		`per_day = 100 +# file: .*config.toml:\d+\n`, `open = 100`, `attempts = 3 +# default\n`, `# token = set +# file: `} {
		if !regexp.MustCompile(want).Match(printed) {
			t.Errorf("retake config lacks %s\n%s", want, printed)
		}
	}
	if out, err := exec.Command(binary(t), "backup", "-config", file, filepath.Join(s.dir, "copy.db")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.stops(syscall.SIGTERM)
	if strings.Contains(string(printed)+s.victim.log.String(), secret) {
		t.Error("the secret is printed or logged")
	}
	// In no file of the data folder, backups included, is it legible.
	err = filepath.WalkDir(s.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(secret)) {
			t.Errorf("%s has the secret", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	// It holds after a start, too.
	s.start()
	(&world{T: t, log: s.victim.log}).until("it is up again", func() bool { return s.healthy() == nil })
	if got := v.get("/configuration"); !strings.Contains(got, `name="limits.per_hour" value="1"`) {
		t.Error("what was saved is lost")
	}
}
