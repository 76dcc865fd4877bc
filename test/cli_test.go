// Tests of the command line, the configuration and the data folder: the program as an operator meets it.

package test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"retake.example/internal/config"
	"retake.example/internal/retry"
	"retake.example/internal/testrig"
	"retake.example/internal/testserver"
)

func TestEveryFaultOfAConfigurationIsToldAtOnceWithItsLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(`data_dir = 5
langage = "ru"
[telegram]
token = "abc"
owners = ["x"]
[web]
listen = "nowhere"
base_url = "localhost"
[queue]
backoff = "ten"
attempts = 0
[limits]
open = 1.5
[reder]
engine = "magic"
`), 0o600); err != nil {
		t.Fatal(err)
	}
	out, code := retake(
		t,
		[]string{"RETAKE_QUEUE_WORKERS=many", "RETAKE_NOTHING=1", "RETAKE_WEB_LISTEN_FILE=/none"},
		"serve",
		"-config",
		path,
	)
	if code != exitConfig {
		t.Errorf("got exit %d; want %d", code, exitConfig)
	}
	for line, key := range map[string]string{":1:": "data_dir", ":2:": "langage", ":4:": "telegram.token",
		":5:": "telegram.owners", ":7:": "web.listen",
		":8:": "web.base_url", ":10:": "queue.backoff", ":11:": "queue.attempts", ":13:": "limits.open", ":14:": "reder",
		"RETAKE_QUEUE_WORKERS:": "queue.workers", "RETAKE_NOTHING:": "no such setting",
		"RETAKE_WEB_LISTEN_FILE:": "web.listen"} {
		if !regexp.MustCompile(`(?m)` + regexp.QuoteMeta(line) + ` ` + key + `|` + regexp.QuoteMeta(line) + `.*` + key).
			MatchString(out) {
			t.Errorf("got %s; want a line with %s and %s", out, line, key)
		}
	}
	if n := strings.Count(strings.TrimSpace(out), "\n") + 1; n != 13 {
		t.Errorf("got %d lines; want one for each of the 13 faults", n)
	}
}

func TestInitWritesTheDefaults(t *testing.T) {
	dir := t.TempDir()
	out, code := retake(t, nil, "init", dir)
	file := filepath.Join(dir, "config.toml")
	if code != 0 || !strings.Contains(out, "check -config "+file) {
		t.Fatalf("got exit %d, %q; want the next steps", code, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	open := regexp.MustCompile(`(?m)^# ([a-z0-9_]+ = )`).ReplaceAllString(string(text), "$1")
	want, err := testrig.LoadConfig("", []string{"RETAKE_DATA_DIR=" + filepath.Join(dir, "data")})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"as it is": string(text), "with every # taken away": open} {
		got, err := testrig.FromDefaults(nil, config.Source{Name: name, Text: text})
		if err != nil || !reflect.DeepEqual(got.Settings, want.Settings) {
			t.Errorf("%s: got %+v, %v; want the defaults", name, got, err)
		}
	}
	if keys := len(regexp.MustCompile(`(?m)^[a-z0-9_]+ = `).FindAllString(open, -1)); keys != len(
		regexp.MustCompile(`(?m)^[a-z0-9_]+ = `).FindAllString(testrig.Defaults(), -1),
	) {
		t.Errorf("got %d keys; want every one of the defaults", keys)
	}
}

func TestCommandLine(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"an unknown command": {[]string{"dance"}, exitUsage, `"dance" is not a command`},
		"too many words":     {[]string{"serve", "now"}, exitUsage, `unexpected argument "now"`},
		"an unknown flag":    {[]string{"serve", "-x"}, exitUsage, "usage: retake serve [-config FILE]"},
		"admin without link": {[]string{"admin"}, exitUsage, "admin needs one of"},
		"version":            {[]string{"version"}, 0, "/"},
		"a list of nobody": {[]string{"admin", "list"}, 0,
			"Nobody is an admin: retake admin add ID -owner"},
		"the help of a command":               {[]string{"retry", "-h"}, 0, "usage: retake retry"},
		"a slip of the pen":                   {[]string{"chekc"}, exitUsage, "did you mean check?"},
		"lines for a shell that is not there": {[]string{"completion", "tcsh"}, exitUsage, "bash, zsh, fish"},
		"a link before the first start":       {[]string{"admin", "link", "42"}, exitFailure, "start retake serve first"},
		"a link for a word":                   {[]string{"admin", "link", "bob"}, exitUsage, "number is expected"},
		"a retry before the first start":      {[]string{"retry", "X"}, exitFailure, "start retake serve first"},
		"a backup before the first start":     {[]string{"backup", "x.db"}, exitFailure, "start retake serve first"},
		"a backup of no name":                 {[]string{"backup"}, exitUsage, "usage: retake"},
		"a restore of what is not there": {[]string{"restore", "x.db", "-force"}, exitFailure,
			"nothing was changed: x.db"},
		"a flag of another command":         {[]string{"backup", "-force", "x.db"}, exitUsage, "usage: retake"},
		"a health check of nothing":         {[]string{"healthcheck"}, exitFailure, "connection refused"},
		"a template command without a name": {[]string{"template", "preview", "new-year"}, exitUsage, "NAME is missing"},
		"a preview in no language": {[]string{"template", "preview", "new-year", "Маша", "-lang", "xx"}, exitUsage,
			"one of ru, en"},
		"a preview of nothing": {[]string{"template", "preview", "easter", "Маша"}, exitFailure,
			`unknown template "easter"`},
		"a preview after the end": {[]string{"template", "preview", "-at", "11s", "birthday", "Маша"}, exitFailure,
			"the video is 10s long"},
		"a preview nobody can draw": {[]string{"template", "preview", "birthday", "\U00012000", "-at", "5s"}, exitFailure,
			"no font here covers this name"},
		"a template without faults": {[]string{"template", "check", "birthday-wide"}, 0,
			"is right: 1280×720, 30 frames a second, 10s, of which 6.2s"},
	} {
		t.Run(name, func(t *testing.T) {
			out, code := retake(t, []string{"RETAKE_WEB_LISTEN=127.0.0.1:1"}, c.args...)
			if code != c.code || !strings.Contains(out, c.want) {
				t.Errorf("got exit %d, %q; want %d and %q in it", code, out, c.code, c.want)
			}
		})
	}
}

func TestSettingsThatDoNotFitTogetherStopTheStart(t *testing.T) {
	for name, c := range map[string]struct {
		environ []string
		want    string
	}{
		"a template that is not there": {[]string{"RETAKE_RENDER_TEMPLATE=easter"},
			`render.template, render.offer: unknown template "easter"`},
		"an offer that is not there": {[]string{`RETAKE_RENDER_OFFER=["birthday", "easter"]`},
			`render.template, render.offer: unknown template "easter"`},
		"a template with a strange name": {[]string{"RETAKE_RENDER_TEMPLATE=../x"},
			"render.template: the name of a template is expected"},
		"a generator without an address":  {[]string{"RETAKE_RENDER_ENGINE=http"}, "render.url: with engine http"},
		"a voice service without address": {[]string{"RETAKE_VOICE_ENGINE=http"}, "voice.url: with engine http"},
		"an unknown voice": {[]string{"RETAKE_VOICE_ENGINE=choir"},
			"voice.engine: command, rhvoice, http or none"},
		"no backup that is kept": {[]string{"RETAKE_BACKUP_KEEP=0"}, "backup.keep: 1 or more is expected"},
		"backups in the past":    {[]string{"RETAKE_BACKUP_EVERY=-1h"}, "backup.every: 0s or more is expected"},
		"names kept for an hour": {[]string{"RETAKE_PRIVACY_VIDEOS=1h", "RETAKE_PRIVACY_PEOPLE=-48h"},
			"privacy.videos: 24h or more is expected, or 0s"},
		"a switch that is neither": {[]string{"RETAKE_RENDER_ALLOW_PRIVATE=maybe"},
			"render.allow_private: true or false is expected"},
	} {
		t.Run(name, func(t *testing.T) {
			out, code := retake(t, append(c.environ, "RETAKE_WEB_LISTEN=127.0.0.1:0"), "serve")
			if code != exitConfig || !strings.Contains(out, c.want) {
				t.Errorf("got exit %d, %q; want %d and %q in it", code, out, exitConfig, c.want)
			}
		})
	}
}

// TestATemplateOfTheOperatorsOwn checks and previews a folder as its author would.
func TestATemplateOfTheOperatorsOwn(t *testing.T) {
	notShort(t)
	folder := filepath.Join(t.TempDir(), "clock")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if b, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=3",
		filepath.Join(folder, "film.mp4")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	describe := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, "template.toml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	describe(
		"title = \"x\"\nfilm = \"film.mp4\"\n[[segment]]\nstart = 2\nend = 1\nbox = [0, 0, 100, 100]\ncolour = \"red\"\n",
	)
	out, code := retake(t, nil, "template", "check", folder)
	if code != exitFailure || !strings.Contains(out, "template.toml:5: segment 1: end:") ||
		!strings.Contains(out, "template.toml:7: segment 1: colour:") {
		t.Errorf("a template with faults: got exit %d, %s; want both faults with their lines", code, out)
	}
	describe(
		"title = \"x\"\nfilm = \"film.mp4\"\n[[segment]]\nstart = 1\nend = 2\nbox = [20, 20, 600, 150]\nfont = \"Comic " +
			"Sans of Nowhere\"\n",
	)
	out, code = retake(t, nil, "template", "check", folder)
	if code != 0 || !strings.Contains(out, `font "Comic Sans of Nowhere" is neither`) ||
		!strings.Contains(out, "Template clock is right: 640×360, 25 frames a second, 3s, of which 1s") {
		t.Errorf("a template with a strange font: got exit %d, %s; want a note, and that it is right", code, out)
	}
	for _, c := range []struct {
		file  string
		flags []string
	}{{"still.png", []string{"-at", "1.5s"}}, {"video.mp4", nil}} {
		path := filepath.Join(t.TempDir(), c.file)
		out, code = retake(t, nil, append([]string{"template", "preview", folder, "Маша", "-o", path}, c.flags...)...)
		if code != 0 || !strings.Contains(out, path) {
			t.Errorf("%s: got exit %d, %s; want the file's name", c.file, code, out)
		}
		if b, err := exec.Command("ffprobe", "-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0",
			path).CombinedOutput(); err != nil ||
			!strings.HasPrefix(string(b), "640,360") {
			t.Errorf("%s: got %s, %v; want 640,360", c.file, b, err)
		}
	}
}

func TestAFolderThatCannotBeUsedIsToldInOneSentence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ dir, want string }{
		"a file in its place": {file, "make it writable for this user, or set another data_dir"},
		"no such place":       {"/proc/nothing/here", "make it writable for this user, or set another data_dir"},
	} {
		t.Run(name, func(t *testing.T) {
			out, code := retake(t, []string{"RETAKE_WEB_LISTEN=127.0.0.1:0", "RETAKE_DATA_DIR=" + c.dir}, "serve")
			if code != exitFailure || !strings.Contains(out, c.want) || strings.Count(out, "\n") != 1 {
				t.Errorf("got exit %d, %q; want %d and one line with %q", code, out, exitFailure, c.want)
			}
		})
	}
	for name, c := range map[string]struct{ options, want string }{
		"a full disk":      {"size=64k", "the disk is full: free some space"},
		"a read-only disk": {"ro", "read-only file system"},
	} {
		t.Run(name, func(t *testing.T) { // in a mount namespace of its own, which needs no root
			dir := t.TempDir()
			cmd := exec.Command(
				"unshare",
				"-rm",
				"sh",
				"-c",
				`mount -t tmpfs -o `+c.options+` none "$1" && RETAKE_WEB_LISTEN=127.0.0.1:0 RETAKE_DATA_DIR="$1/d" exec "$0" serve`,
				binary(t),
				dir,
			)
			cmd.Dir = dir
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			cmd.Run()
			if code := cmd.ProcessState.ExitCode(); code != exitFailure || !strings.Contains(out.String(), c.want) {
				t.Errorf("got exit %d, %q; want %d and %q in it", code, out.String(), exitFailure, c.want)
			}
		})
	}
}

func TestBesideARunningServe(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	v.breaks()
	v.start()
	p := parent{v.tg.Person(1, "П", "ru"), v.tg}
	w := &world{T: t, tg: v.tg, log: v.log}
	w.asks(p.Person, "Сбой")
	w.hears(p.Person, "Упс!")
	v.repairs()
	file := filepath.Join(v.dir, "config.toml")

	t.Run("a second one is told whose the folder is", func(t *testing.T) {
		out, code := retake(t, nil, "serve", "-config", file)
		if want := fmt.Sprintf("in use by process %d", v.cmd.Process.Pid); code != exitFailure ||
			!strings.Contains(out, want) {
			t.Errorf("got exit %d, %q; want %d and %q in it", code, out, exitFailure, want)
		}
	})
	t.Run("a retry is noticed at once", func(t *testing.T) {
		s, err := openStore(filepath.Join(v.dir, "retake.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		id := text(t, s, `SELECT id FROM assets WHERE status = 'FAILED'`)
		if out, code := retake(t, nil, "retry", "-config", file, id); code != 0 ||
			strings.TrimSpace(out) != string(retry.Restarted) {
			t.Errorf("got exit %d, %q; want 0, %s", code, out, retry.Restarted)
		}
		w.getsVideos(p.Person, 1)
		if out, code := retake(t, nil, "retry", "-config", file, "nothing"); code != exitFailure ||
			!strings.Contains(out, "not found") {
			t.Errorf("got exit %d, %q; want %d and not found", code, out, exitFailure)
		}
	})
	t.Run("SIGTERM ends it well", func(t *testing.T) {
		if err := v.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		<-v.dead
		if code := v.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("got exit %d; want 0\n%s", code, v.log)
		}
	})
}

// TestNobodyAsksAProxyWhetherServeIsWell: in a container the page listens on all addresses, and the environment may
// name a proxy.
func TestNobodyAsksAProxyWhetherServeIsWell(t *testing.T) {
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{
		Listener: l,
		Config: &http.Server{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }),
		},
	}
	server.Start()
	defer server.Close()
	environ := []string{
		"HTTP_PROXY=http://127.0.0.1:1",
		"http_proxy=http://127.0.0.1:1",
		"RETAKE_WEB_LISTEN=" + l.Addr().String(),
		"RETAKE_DATA_DIR=" + t.TempDir(),
	}
	if out, code := retake(t, environ, "healthcheck"); code != 0 {
		t.Errorf("got exit %d, %q; want 0", code, out)
	}
	out, _ := retake(t, environ, "check")
	if want := "port: another Retake with another data folder listens"; !strings.Contains(out, want) {
		t.Errorf("got\n%s; want %q", out, want)
	}
}

func TestTheFirstStartPrintsALinkThatSignsIn(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	text, err := os.ReadFile(filepath.Join(v.dir, "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	address := testserver.FreeAddress(t)
	fixed := strings.Replace(
		string(text),
		`listen = "127.0.0.1:0"`,
		fmt.Sprintf("listen = %q\nbase_url = \"http://%s\"", address, address),
		1,
	)
	if err := os.WriteFile(filepath.Join(v.dir, "config.toml"), []byte(fixed), 0o600); err != nil {
		t.Fatal(err)
	}
	v.start()
	w := &world{T: t, tg: v.tg, log: v.log}
	link := regexp.MustCompile(`http://\S+/login/\S+`)
	w.until("the link", func() bool { return link.MatchString(v.log.String()) })
	w.until("the page", func() bool {
		_, code := retake(t, nil, "healthcheck", "-config", filepath.Join(v.dir, "config.toml"))
		return code == 0
	})
	resp, err := http.DefaultTransport.RoundTrip(post(t, link.FindString(v.log.String())))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther || len(resp.Cookies()) != 1 {
		t.Errorf("got %s with cookies %v; want a session", resp.Status, resp.Cookies())
	}
}

func TestTheLogOfServeHoldsNoToken(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	_, secret, _ := strings.Cut(testToken, ":")
	path := filepath.Join(v.dir, "config.toml")
	settings, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	moved := strings.Replace(string(settings), v.dir, filepath.Join(v.dir, secret), 1) // the log names the data folder
	if err := os.WriteFile(path, []byte(moved), 0o600); err != nil {
		t.Fatal(err)
	}
	v.start()
	w := &world{T: t, tg: v.tg, log: v.log}
	w.until("the start", func() bool { return strings.Contains(v.log.String(), "retake is running") })
	if strings.Contains(v.log.String(), secret) {
		t.Errorf("got %s; want no token in it", v.log)
	}
}

func TestServeObeysItsSettings(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	path := filepath.Join(v.dir, "config.toml")
	settings, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer("per_hour = 100", "per_hour = 1", "[queue]\n", "[queue]\nattempts = 1\n").
		Replace(string(settings))
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	v.breaks()
	v.start()
	w := &world{T: t, tg: v.tg, log: v.log}
	p := v.tg.Person(1, "П", "ru")
	w.asks(p, "Сбой")
	w.hears(p, "Упс!")
	w.asks(p, "Оля")
	w.hears(p, "лишь несколько видео")
	s, err := openStore(filepath.Join(v.dir, "retake.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if n := count(t, s, `SELECT count(*) FROM attempts WHERE kind = 'RENDER'`); n != 1 {
		t.Errorf("got %d attempts; want the 1 of the settings", n)
	}
}

// TestFiles_NobodyElseReadsWhatTheProgramMakes starts the program and its commands with a umask that allows everything,
// on a folder that everybody may use.
func TestFiles_NobodyElseReadsWhatTheProgramMakes(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	config := filepath.Join(dir, "config.toml")
	person := filepath.Join(dir, "person.json")
	if err := errors.Join(os.Mkdir(data, 0o700), os.Chmod(data, 0o777), os.WriteFile(config, fmt.Appendf(nil,
		"data_dir = %q\n[web]\nlisten = \"127.0.0.1:0\"\n[render]\nengine = \"command\"\ncommand = [\"true\"]\n", data),
		0o600)); err != nil {
		t.Fatal(err)
	}
	s, err := openStore(filepath.Join(data, "retake.db")) // as an older version may have left it
	if err != nil {
		t.Fatal(err)
	}
	ask(t, s, "Маша", 42)
	if err := errors.Join(s.Close(), os.Chmod(filepath.Join(data, "retake.db"), 0o666)); err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command("sh", append([]string{"-c", `umask 000; exec "$0" "$@"`, binary(t)}, args...)...)
		cmd.Dir = dir
		return cmd
	}
	w := &world{T: t, log: &journal{}}
	serving := command("serve", "-config", config)
	serving.Stdout, serving.Stderr = w.log, w.log
	if err := serving.Start(); err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceFunc(func() {
		serving.Process.Signal(syscall.SIGTERM)
		serving.Wait()
	})
	defer stop()
	w.until("the start", func() bool { return strings.Contains(w.log.String(), "retake is running") })
	running := [][]string{{"backup", "-config", config, filepath.Join(dir, "backup.db")},
		{"admin", "list", "-config", config}, {"admin", "add", "-config", config, "42"},
		{"admin", "link", "-config", config, "42"},
		{"export", "-config", config, "42", person},
		{"template", "preview", "-config", config, "birthday", "Маша", "-at", "5s", "-o", filepath.Join(dir, "still.png")},
		{"init", filepath.Join(dir, "new.toml")}}
	for i, args := range append(running, []string{"restore", "-config", config, "-force", filepath.Join(dir,
		"backup.db")}) {
		if i == len(running) {
			stop()
		}
		if b, err := command(args...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v: %s", args, err, b)
		}
	}
	var made []string
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir || path == data || path == config {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: got %v; want it for its user only", path, info.Mode())
		}
		made = append(made, e.Name())
		return err
	})
	for _, name := range []string{"retake.db", "retake.db-wal", "lock", "token.key", "work", "backup.db", "person.json",
		"still.png"} {
		if err != nil || !slices.Contains(made, name) {
			t.Errorf("got %v, %v; want %s among them", made, err, name)
		}
	}
}
