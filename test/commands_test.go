// Tests of commands beside a running program, and without one.

package test

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/store"
	"retake.example/internal/testserver"
)

// settle gives the page of a victim an address that lasts, and returns it.
func (v *victim) settle() (page string) {
	v.Helper()
	address := testserver.FreeAddress(v)
	v.sets("listen = \"127.0.0.1:0\"", fmt.Sprintf("listen = %q\nbase_url = \"http://%[1]s\"", address))
	return "http://" + address
}

// sets changes a part of a victim's settings.
func (v *victim) sets(old, new string) {
	v.Helper()
	path := filepath.Join(v.dir, "config.toml")
	text, err := os.ReadFile(path)
	if err != nil {
		v.Fatal(err)
	}
	changed := strings.Replace(string(text), old, new, 1)
	if changed == string(text) {
		v.Fatalf("%q is not in %s", old, text)
	}
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		v.Fatal(err)
	}
}

func TestAdminsWhoAreMadeByCommand(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	page := v.settle()
	v.sets("[telegram]\n", "[telegram]\nowners = [1]\nadmins = [3]\n")
	file := filepath.Join(v.dir, "config.toml")
	run := func(want string, code int, args ...string) string {
		t.Helper()
		out, got := retake(t, nil, append(args, "-config", file)...)
		if got != code || !strings.Contains(out, want) {
			t.Errorf("%s: got exit %d, %q; want %d and %q in it", args, got, out, code, want)
		}
		return out
	}
	list := func(want ...string) {
		t.Helper()
		out := run("", 0, "admin", "list")
		for _, line := range want {
			if !regexp.MustCompile(`(?m)^` + line).MatchString(out) {
				t.Errorf("got\n%s; want a line %s", out, line)
			}
		}
		if n := strings.Count(out, "\n"); n != len(want) {
			t.Errorf("got %d lines; want %d", n, len(want))
		}
	}
	given := []string{`1  owner  telegram\.owners of ` + file + `:\d`, `3  admin  telegram\.admins of ` + file + `:\d`}
	list(given...) // before the first start
	run("start retake serve first", exitFailure, "admin", "add", "2")
	v.start()
	w := &world{T: t, tg: v.tg, log: v.log}
	w.until("the page", func() bool { _, code := retake(t, nil, "healthcheck", "-config", file); return code == 0 })

	second := v.tg.Person(2, "Second", "en")
	offered := func() bool {
		return slices.ContainsFunc(second.Commands(), func(c faketelegram.Command) bool { return c.Name == "admin" })
	}
	second.Send("/admin")
	w.hears(second, "This command is for administrators.")
	run("2 is an admin now", 0, "admin", "add", "2")
	w.until("the menu of an admin", offered)
	second.Send("/admin")
	link := regexp.MustCompile(`http://\S+`).FindString(w.hears(second, "/login/").Text)
	resp, err := http.DefaultTransport.RoundTrip(post(t, link))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if len(resp.Cookies()) != 1 {
		t.Fatalf("got %s with %v; want a session", resp.Status, resp.Cookies())
	}
	get := func(path string) *http.Response {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, page+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(resp.Cookies()[0])
		r.Header.Set("Accept", "application/json")
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { answer.Body.Close() })
		return answer
	}
	if code := get("/channels").StatusCode; code != http.StatusOK {
		t.Errorf("got %d; want the page", code)
	}

	run("2 is an owner now", 0, "admin", "add", "2", "-owner")
	list(append(given, `2  owner  retake admin add, 20\d\d-`)...)
	run("1 is an owner already, by telegram.owners of "+file, 0, "admin", "add", "1")
	run("1 is an owner already", 0, "admin", "add", "1", "-owner")
	run("3 is an owner now", 0, "admin", "add", "3", "-owner")
	list(append(given, `2  owner  retake`, `3  owner  retake`)...)
	run("3 is an admin now", 0, "admin", "add", "3")
	run("3 is an admin already", 0, "admin", "add", "3")
	list(append(given, `2  owner  retake`, `3  admin  retake`)...)
	unspent := strings.TrimSpace(run("/login/", 0, "admin", "link", "2"))

	stream := get("/events")
	ended := make(chan bool)
	go func() {
		for lines := bufio.NewScanner(stream.Body); lines.Scan(); {
		}
		close(ended)
	}()
	run("2 is no admin any more", 0, "admin", "remove", "2")
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("an open page of a former admin goes on")
	}
	if code := get("/channels").StatusCode; code != http.StatusUnauthorized {
		t.Errorf("got %d; want the session ended", code)
	}
	if r, err := http.DefaultTransport.RoundTrip(post(t, unspent)); err != nil || r.StatusCode == http.StatusSeeOther {
		t.Errorf("got %v, %v; want no session for an earlier link", r, err)
	} else {
		r.Body.Close()
	}
	w.until("the menu of everybody", func() bool { return !offered() })
	run("2 is no admin", exitFailure, "admin", "remove", "2")
	run("not by retake admin add", exitFailure, "admin", "link", "2")
	run("2 is an admin now", 0, "admin", "add", "2")
	if code := get("/channels").StatusCode; code != http.StatusUnauthorized {
		t.Errorf("got %d; want that session ended permanently", code)
	}
	run("2 is no admin any more", 0, "admin", "remove", "2")
	run("3 is listed in telegram.admins of "+file, exitFailure, "admin", "remove", "3")
	run("1 is listed in telegram.owners of "+file, exitFailure, "admin", "remove", "1")
	list(given...)

	s, err := openStore(filepath.Join(v.dir, "retake.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := text(t, s, `SELECT group_concat(action || ' ' || outcome, ', ') FROM (SELECT * FROM audit WHERE admin = 0
		AND action IN ('appoint', 'dismiss') ORDER BY id)`); got !=
		"appoint admin, appoint owner, appoint owner, appoint admin, dismiss , appoint admin, dismiss , dismiss " {
		t.Errorf("got %q in the list of activity; want each change", got)
	}
}

func TestAllFailedAreTriedAgainAndTheRestIsNamed(t *testing.T) {
	dir := t.TempDir()
	s, err := openStore(filepath.Join(dir, "retake.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i, name := range []string{"Маша", "Оля"} {
		ask(t, s, name, int64(i+1))
		task := begin(t, s, store.Render)
		write(t, s, func(tx *store.Tx) error { return tx.GiveUp(task.Job, "engine: exit 1", "") })
	}
	served := uploaded(t, s, "Лето")
	ids := map[string]string{}
	channel := connected(t, s, "UC1")
	for name, step := range map[string]string{"Зима": "", "Весна": "unknown", "Март": "rejected"} {
		ids[name] = publishes(t, s, channel, name)
		mutate(t, s, `DELETE FROM jobs WHERE asset_id = ?`, ids[name])
		mutate(
			t,
			s,
			`UPDATE publications SET status = 'FAILED', step = ?, error = 'e', completed = 1 WHERE asset_id = ?`,
			step,
			ids[name],
		)
	}
	environ := []string{"RETAKE_DATA_DIR=" + dir}
	out, code := retake(t, environ, "retry", "--all-failed")
	if code != exitFailure || !strings.Contains(out, "Tried again: 2 videos, 1 publication, messages about 0 videos. Under way already: 0.\n") ||
		!strings.Contains(
			out,
			ids["Весна"]+" on YOUTUBE: it may have arrived",
		) || !strings.Contains(out, ids["Март"]+" on YOUTUBE: the platform has rejected it") ||
		strings.Contains(out, ids["Зима"]) || strings.Contains(out, served) {
		t.Errorf("got exit %d, %s; want what was tried again counted, and the rest named", code, out)
	}
	if n := count(t, s, `SELECT count(*) FROM assets a JOIN jobs j ON j.asset_id = a.id WHERE a.retry_of IS NOT NULL
		AND j.kind = 'RENDER'`); n != 2 {
		t.Errorf("got %d new tries; want 2", n)
	}
	mutate(t, s, `DELETE FROM publications`)
	if out, code := retake(t, environ, "retry", "-all-failed"); code != 0 ||
		!strings.Contains(out, "Tried again: 0 videos, 0 publications, messages about 0 videos. Under way already: 0.\n") {
		t.Errorf("once more: got exit %d, %s; want nothing left", code, out)
	}
	for _, args := range [][]string{{"retry"}, {"retry", "X", "-all-failed"}} {
		if out, code := retake(t, environ, args...); code != exitUsage ||
			!strings.Contains(out, "one ASSET is expected, or -all-failed") {
			t.Errorf("%v: got exit %d, %s; want %d", args, code, out, exitUsage)
		}
	}
}
