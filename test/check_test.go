// Tests of retake check: each fault is planted in a machine that is well, and named.

package test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	faketelegram "retake.example/internal/fake/telegram"
	fakeyoutube "retake.example/internal/fake/youtube"
)

// machine is one on which all is well.
type machine struct {
	*testing.T
	dir, file string // the settings are in the file
	environ   []string
	before    string // a line of the shell, in a mount namespace of its own
}

const checkSecret = "the-secret-of-the-client"

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{T: t, dir: t.TempDir()}
	m.file = filepath.Join(m.dir, "config.toml")
	tg := faketelegram.New(testToken)
	telegram := httptest.NewServer(tg)
	tube := fakeyoutube.New(fakeyoutube.Options{ClientID: "client", ClientSecret: checkSecret})
	tg.Person(1, "Owner", "en").Send("/start")
	google := httptest.NewServer(http.StripPrefix("/google", tube))
	t.Cleanup(func() { tg.Close(); telegram.Close(); tube.Close(); google.Close() })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	// The engine is a program, which is quick to look at.
	m.write(
		"config.toml",
		fmt.Sprintf(
			"data_dir = %q\n[telegram]\ntoken = %q\napi_url = %q\nowners = [1]\n[web]\nlisten = %q\nbase_url = "+
				"\"http://%[4]s\"\n"+
				"[render]\nengine = \"command\"\ncommand = [\"true\"]\n[youtube]\nclient_id = \"client\"\nclient_secret = "+
				"%q\nbase_url = \"%[6]s/google\"\ntoken_url = \"%[6]s/google/token\"\n",
			filepath.Join(m.dir, "data"),
			testToken,
			telegram.URL,
			l.Addr(),
			checkSecret,
			google.URL,
		),
	)
	if err := os.Mkdir(filepath.Join(m.dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := openStore(filepath.Join(m.dir, "data", "retake.db"))
	if err != nil {
		t.Fatal(err)
	}
	ask(t, s, "Маша", 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *machine) write(name, text string) {
	m.Helper()
	if err := os.WriteFile(filepath.Join(m.dir, name), []byte(text), 0o700); err != nil {
		m.Fatal(err)
	}
}

// sets changes the settings by variables.
func (m *machine) sets(pairs ...string) { m.environ = append(m.environ, pairs...) }

// draws makes the videos here, with a template.
func (m *machine) draws() { m.sets("RETAKE_RENDER_ENGINE=template", "RETAKE_RENDER_TEMPLATE=birthday") }

// outside runs a statement on the database.
func (m *machine) outside(statement string) {
	m.Helper()
	mutateOutside(m.T, filepath.Join(m.dir, "data", "retake.db"), statement)
}

// checks runs the command and returns what it printed.
func (m *machine) checks() (out string, code int) {
	m.Helper()
	cmd := exec.Command(binary(m), "check", "-config", m.file)
	if m.before != "" {
		cmd = exec.Command("unshare", "-rm", "sh", "-c", m.before+` && exec "$0" check -config "$1"`, binary(m), m.file)
	}
	cmd.Dir = m.dir
	cmd.Env = append(os.Environ(), m.environ...)
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	cmd.Run()
	return b.String(), cmd.ProcessState.ExitCode()
}

func TestCheckNamesEachPlantedFaultAndOnlyThat(t *testing.T) {
	for name, c := range map[string]struct {
		plant func(m *machine)
		want  string // what the only line begins with that is neither ok nor skipped; "": there is none
		says  string // what is in it: above all what to do
	}{
		"nothing":               {func(m *machine) {}, "", ""},
		"nothing, and it draws": {func(m *machine) { m.draws() }, "", ""},
		"a setting that is not": {func(m *machine) { m.sets("RETAKE_QUEUE_WORKERS=many") }, "fault    settings",
			"RETAKE_QUEUE_WORKERS: queue.workers: a whole number is expected"},
		"no settings": {func(m *machine) { os.Remove(m.file) }, "fault    settings", "no such file"},
		"a secret that everybody can read": {func(m *machine) { os.Chmod(m.file, 0o644) }, "warning  settings",
			"every user of this machine can read the secrets"},
		"a token that Telegram does not know": {func(m *machine) {
			m.sets("RETAKE_TELEGRAM_TOKEN=1:" + strings.Repeat(
				"x", 35))
		},
			"fault    bot", "check telegram.token"},
		"no token": {func(m *machine) { m.sets("RETAKE_TELEGRAM_TOKEN=") }, "fault    bot",
			"send /newbot to @BotFather"},
		"Telegram out of reach": {func(m *machine) { m.sets("RETAKE_TELEGRAM_API_URL=http://127.0.0.1:1") }, "fault    bot",
			"telegram cannot be reached"},
		"a webhook": {func(m *machine) {
			tg := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, `{"ok":true,"result":{"username":"x","url":"https://elsewhere.example/path-that-is-a-secret"}}`)
			}))
			m.Cleanup(tg.Close)
			m.sets("RETAKE_TELEGRAM_API_URL=" + tg.URL)
		}, "fault    bot", "a webhook at elsewhere.example receives"},
		"no owner": {func(m *machine) { m.sets("RETAKE_TELEGRAM_OWNERS=[]") }, "warning  owners",
			"retake admin add ID -owner"},
		"an owner who has not written": {func(m *machine) { m.sets("RETAKE_TELEGRAM_OWNERS=[1, 2]") }, "warning  owners",
			"to 2 before they send /start"},
		"no owner but one whom a command has made": {func(m *machine) {
			m.sets("RETAKE_TELEGRAM_OWNERS=[]")
			m.outside(`INSERT INTO admins (id, owner, added) VALUES (1, 1, 0)`)
		}, "", ""},
		"a port that is taken": {func(m *machine) {
			other := httptest.NewServer(http.NotFoundHandler())
			m.Cleanup(other.Close)
			m.sets("RETAKE_WEB_LISTEN="+other.Listener.Addr().String(), "RETAKE_WEB_BASE_URL="+other.URL)
		}, "fault    port", "another program listens on web.listen"},
		"links to another port": {func(m *machine) { m.sets("RETAKE_WEB_BASE_URL=http://localhost:1") }, "fault    page",
			"make them agree"},
		"a page without https": {func(m *machine) {
			m.sets("RETAKE_WEB_BASE_URL=http://retake.example", "RETAKE_YOUTUBE_CLIENT_ID=", "RETAKE_YOUTUBE_CLIENT_SECRET=")
		}, "warning  page", "put a proxy in front"},
		"a data folder that is a file": {func(m *machine) {
			m.write("file", "")
			m.sets("RETAKE_DATA_DIR=" + filepath.Join(m.dir, "file"))
		}, "fault    data folder", "is not a folder"},
		"a data folder that is read-only": {func(m *machine) {
			m.before = `mount -t tmpfs -o ro none "` + m.dir + `/data"`
		}, "fault    data folder", "read-only file system: make it writable for this user"},
		"a part of it that is read-only": {func(m *machine) {
			os.Mkdir(filepath.Join(m.dir, "data", "media"), 0o700)
			m.before = `mount -t tmpfs -o ro none "` + m.dir + `/data/media"`
		}, "fault    data folder", "data/media is not writable: give all of"},
		"a disk with little room": {func(m *machine) {
			m.before = `mount -t tmpfs -o size=500m ` +
				`none "` + m.dir + `/data"`
		}, "warning  disk", "free some space soon"},
		"a disk without room": {func(m *machine) {
			m.before = `mount -t tmpfs -o size=5m ` +
				`none "` + m.dir + `/data"`
		}, "fault    disk", "delete files you don"},
		"backups in a folder that cannot be made": {func(m *machine) { m.sets("RETAKE_BACKUP_DIR=/proc/x") },
			"fault    backups", "or set another backup.dir"},
		"a disk without room for a backup": {func(m *machine) {
			os.Mkdir(filepath.Join(m.dir, "copies"), 0o700)
			m.before = `mount -t tmpfs -o size=20m none "` + m.dir + `/copies"`
			m.sets("RETAKE_BACKUP_DIR=" + filepath.Join(m.dir, "copies"))
		}, "fault    backups", "there is no room for a backup: 20 MB are free"},
		"a database that is damaged": {func(m *machine) {
			path := filepath.Join(m.dir, "data", "retake.db")
			b, err := os.ReadFile(path)
			if err != nil {
				m.Fatal(err)
			}
			for i := 8 << 10; i < 200<<10 && i < len(b); i++ {
				b[i] = 0xA5
			}
			m.write("data/retake.db", string(b))
		}, "fault    database", "restore the last backup"},
		"a database that is none": {func(m *machine) { m.write("data/retake.db", strings.Repeat("text ", 1000)) },
			"fault    database", "file is not a database"},
		"a database from tomorrow": {func(m *machine) { m.outside(`PRAGMA user_version = 999`) }, "fault    database",
			"it was written by a newer version of Retake"},
		"rows without what they belong to": {func(m *machine) {
			m.outside(`PRAGMA foreign_keys = OFF; DELETE FROM users`)
		}, "fault    database", "rows of requests without their users"},
		"no ffmpeg": {func(m *machine) {
			m.draws()
			m.sets("RETAKE_RENDER_FFMPEG=/none/ffmpeg")
		}, "fault    ffmpeg", "apt-get install -y ffmpeg"},
		"an ffmpeg that cannot encode": {func(m *machine) {
			m.write("ffmpeg", "#!/bin/sh\n[ \"$1\" = -version ] && echo ffmpeg version 1 && exit\necho \"Unknown encoder "+
				"'libx264'\" >&2\nexit 1\n")
			m.sets("RETAKE_RENDER_FFMPEG=" + filepath.Join(m.dir, "ffmpeg"))
		}, "fault    ffmpeg", "cannot encode H.264 and AAC"},
		"no font but ours": {func(m *machine) {
			m.draws()
			m.before = `mount -t tmpfs none /usr/share/fonts`
		}, "warning  font", "apt-get install -y fonts-sil-andika"},
		"a voice that cannot be run": {func(m *machine) {
			m.draws()
			m.sets(`RETAKE_VOICE_COMMAND=["/none/speak"]`)
		}, "fault    voice", "/none/speak was not found: install it, or change voice.command"},
		"a voice that says nothing": {func(m *machine) {
			m.draws()
			m.sets(`RETAKE_VOICE_COMMAND=["false"]`)
		}, "fault    voice", "exit status 1"},
		"no voice": {func(m *machine) {
			m.draws()
			for _, program := range []string{"ffmpeg", "ffprobe"} {
				path, err := exec.LookPath(program)
				if err == nil {
					err = os.Symlink(path, filepath.Join(m.dir, program))
				}
				if err != nil {
					m.Fatal(err)
				}
			}
			m.sets("PATH=" + m.dir)
		}, "warning  voice", "apt-get install -y espeak-ng"},
		"a template that is not there": {func(m *machine) {
			m.draws()
			m.sets(`RETAKE_RENDER_OFFER=["easter"]`)
		}, "fault    template easter", `unknown template "easter"`},
		"an engine that is not there": {func(m *machine) { m.sets(`RETAKE_RENDER_COMMAND=["/none/make-video"]`) },
			"fault    engine",
			"install it, or change render.command"},
		"a generator that is away": {func(m *machine) {
			m.sets("RETAKE_RENDER_ENGINE=http",
				"RETAKE_RENDER_URL=http://127.0.0.1:1")
		},
			"fault    engine", "start the generator, or change render.url"},
		"a client that Google does not know": {func(m *machine) { m.sets("RETAKE_YOUTUBE_CLIENT_ID=other") },
			"fault    youtube",
			"copy youtube.client_id and youtube.client_secret again"},
		"YouTube out of reach": {func(m *machine) {
			m.sets("RETAKE_YOUTUBE_TOKEN_URL=http://127.0.0.1:1/token")
		}, "fault    youtube", "check that this machine can reach Google"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			os.Chmod(m.file, 0o600)
			c.plant(m)
			out, code := m.checks()
			named := regexp.MustCompile(`(?m)^(fault|warning) .*$`).FindAllString(out, -1)
			switch {
			case c.want == "" && (len(named) > 0 || code != 0 || !strings.HasSuffix(out, "All is well.\n")):
				t.Errorf("got exit %d,\n%s; want all well", code, out)
			case c.want != "" && (len(named) != 1 || !strings.HasPrefix(named[0], c.want+": ") ||
				!strings.Contains(named[0], c.says)):
				t.Errorf("got %q of\n%s; want one line that begins with %q and has %q", named, out, c.want, c.says)
			case (code != 0) != strings.HasPrefix(c.want, "fault"):
				t.Errorf("got exit %d for %q", code, c.want)
			}
			_, secret, _ := strings.Cut(testToken, ":")
			for _, s := range []string{secret, checkSecret, "path-that-is-a-secret"} {
				if strings.Contains(out, s) {
					t.Errorf("got %s; want no secret in it", out)
				}
			}
		})
	}
}

// TestCheckBesideARunningServe looks at a machine that works, and leaves it as it is.
func TestCheckBesideARunningServe(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	page := v.settle()
	v.sets("[telegram]\n", "[telegram]\nowners = [1]\n")
	v.tg.Person(1, "Owner", "en").Send("/start")
	file := filepath.Join(v.dir, "config.toml")
	files := func() (names []string) {
		entries, err := os.ReadDir(v.dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	looks := func(want ...string) {
		t.Helper()
		before := files()
		out, code := retake(t, nil, "check", "-config", file)
		for _, w := range append(want, "All is well.") {
			if !strings.Contains(out, w) || code != 0 {
				t.Errorf("got exit %d, %s; want %q", code, out, w)
			}
		}
		if after := files(); strings.Join(after, " ") != strings.Join(before, " ") {
			t.Errorf("got %v; want %v as before", after, before)
		}
	}
	looks("database: it will be made at the first start")
	v.start()
	w := &world{T: t, tg: v.tg, log: v.log}
	w.until("the page", func() bool { _, code := retake(t, nil, "healthcheck", "-config", file); return code == 0 })
	looks(
		fmt.Sprintf("process %d serves it on %s", v.cmd.Process.Pid, strings.TrimPrefix(page, "http://")),
		"ok       database: sound",
	)
	v.kill()
	looks("is free", "ok       database: sound")
	v.start()
	w.until("the page", func() bool { _, code := retake(t, nil, "healthcheck", "-config", file); return code == 0 })
}
