// The edges of the page and of the data folder: headers, the end of sessions, and what is erased.

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestHeaders_OfEveryAnswer(t *testing.T) {
	for base, hsts := range map[string]string{"https://retake.example.com": "max-age=31536000", "http://localhost:8080": ""} {
		d := newDesk(t, base)
		for _, path := range []string{"/login", "/", "/nope", "/static/style.css", "/healthz"} {
			h := d.send(call{method: "GET", path: path}).Header()
			for key, want := range map[string]string{"Cross-Origin-Opener-Policy": "same-origin",
				"Permissions-Policy":        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
				"Strict-Transport-Security": hsts} {
				if got := h.Get(key); got != want {
					t.Errorf("%s%s: got %s %q; want %q", base, path, key, got, want)
				}
			}
		}
	}
}

func TestSession_EndsAfterNinetyDaysHoweverOftenItIsUsed(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	session, began := d.signIn(8), time.Now()
	for day := 4; day <= 94; day += 6 {
		setNow(d.store, func() time.Time { return began.AddDate(0, 0, day) })
		want := 200
		if day > 90 {
			want = 303
		}
		d.want(want, d.send(call{method: "GET", path: "/", session: session}))
	}
}

func TestSignOut_ClearsWhatTheBrowserKeeps(t *testing.T) {
	for _, path := range []string{"/logout", "/logout-everywhere"} {
		d := newDesk(t, "http://localhost:8080")
		w := d.send(call{method: "POST", path: path, session: d.signIn(8)})
		if got := w.Header().Get("Clear-Site-Data"); got != `"cache"` {
			t.Errorf("%s: got Clear-Site-Data %q; want the cache cleared", path, got)
		}
	}
}

func TestEvents_ASessionHasSoManyStreams(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	server := httptest.NewServer(d.Handler())
	defer server.Close()
	defer d.Web.Close()
	session := d.session(8)
	for n := range 33 {
		l := dial(t, server.Listener.Addr().String())
		l.say("GET /events HTTP/1.1", "Host: localhost", d.as(session), "")
		l.Reader.ReadString(' ') // the protocol
		status, _ := l.Reader.ReadString(' ')
		if want := map[bool]string{true: "200 ", false: "429 "}[n < 32]; status != want {
			t.Errorf("stream %d: got %s; want %s", n, status, want)
		}
	}
}

func TestSession_OfTwoBotsOnOneHost(t *testing.T) {
	one, two := newDesk(t, "http://localhost:8080"), newDesk(t, "http://localhost:8090")
	jar := map[string]string{} // what a browser keeps for localhost, whatever the port
	for _, d := range []*office{one, two} {
		for _, c := range d.send(call{method: "POST", path: d.link(8)}).Result().Cookies() {
			jar[c.Name] = c.Value
		}
	}
	for _, d := range []*office{one, two} {
		r := httptest.NewRequest("GET", "/settings", nil)
		for name, value := range jar {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		w := httptest.NewRecorder()
		d.Handler().ServeHTTP(w, r)
		if w.Code != 200 {
			t.Errorf("got %d; want both admins signed in", w.Code)
		}
	}
}

// TestFiles_NobodyElseReadsWhatTheProgramMakes starts the program and its commands with a umask that allows everything,
// on a folder that everybody may use.
func TestFiles_NobodyElseReadsWhatTheProgramMakes(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	config := filepath.Join(dir, "config.toml")
	if err := errors.Join(os.Mkdir(data, 0o700), os.Chmod(data, 0o777), os.WriteFile(config, fmt.Appendf(nil,
		"data_dir = %q\n[web]\nlisten = \"127.0.0.1:0\"\n[render]\nengine = \"command\"\ncommand = [\"true\"]\n", data),
		0o600)); err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command("sh", append([]string{"-c", `umask 000; exec "$0" "$@"`, os.Args[0]}, args...)...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), childDir+"=.", childPoint+"=0")
		return cmd
	}
	w := &world{T: t, log: &journal{}}
	serving := command("serve", "-config", config)
	serving.Stdout, serving.Stderr = w.log, w.log
	if err := serving.Start(); err != nil {
		t.Fatal(err)
	}
	defer serving.Wait()
	defer serving.Process.Signal(syscall.SIGTERM)
	w.until("the start", func() bool { return strings.Contains(w.log.String(), "retake is running") })
	for _, args := range [][]string{{"backup", "-config", config, filepath.Join(dir, "backup.db")},
		{"admin", "list", "-config", config}, {"init", filepath.Join(dir, "new.toml")}} {
		if b, err := command(args...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v: %s", args, err, b)
		}
	}
	var made []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
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
	for _, name := range []string{"retake.db", "retake.db-wal", "lock", "token.key", "work", "backup.db"} {
		if err != nil || !slices.Contains(made, name) {
			t.Errorf("got %v, %v; want %s among them", made, err, name)
		}
	}
}
