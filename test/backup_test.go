// Tests of backups: made while everything runs, put back on another machine and in place, and of upgrades.

package test

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/testrig"
)

// configOf is the configuration of a victim.
func configOf(dir string) string { return filepath.Join(dir, "config.toml") }

// withPage gives a victim a page at an address of its own, which it returns.
func (v *victim) withPage() string {
	v.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		v.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	v.configure(`listen = "127.0.0.1:0"`, fmt.Sprintf("listen = %q", address))
	return "http://" + address
}

// configure replaces a part of the configuration.
func (v *victim) configure(old, new string) {
	v.Helper()
	text, err := os.ReadFile(configOf(v.dir))
	if err != nil || !strings.Contains(string(text), old) {
		v.Fatalf("%v; want %q in %s", err, old, text)
	}
	if err := os.WriteFile(configOf(v.dir), []byte(strings.Replace(string(text), old, new, 1)), 0o600); err != nil {
		v.Fatal(err)
	}
}

// elsewhere is another machine with the same configuration and an empty data folder.
func (v *victim) elsewhere() *victim {
	v.Helper()
	other := &victim{T: v.T, dir: v.TempDir(), tg: v.tg, http: v.http, log: &journal{}}
	text, err := os.ReadFile(configOf(v.dir))
	if err != nil {
		v.Fatal(err)
	}
	moved := strings.ReplaceAll(string(text), v.dir, other.dir)
	if err := os.WriteFile(configOf(other.dir),
		[]byte(regexp.MustCompile(`listen = .*`).ReplaceAllString(moved, `listen = "127.0.0.1:0"`)), 0o600); err != nil {
		v.Fatal(err)
	}
	v.Cleanup(func() {
		if other.cmd != nil {
			other.kill()
		}
	})
	return other
}

// does runs a command on a victim's data folder that must work, and returns what it says.
func (v *victim) does(args ...string) string {
	v.Helper()
	out, code := retake(v.T, nil, append(args, "-config", configOf(v.dir))...)
	if code != 0 {
		v.Fatalf("%v: got exit %d, %s", args, code, out)
	}
	return out
}

// owner signs in to the page as one who may do everything.
func (v *victim) owner(page string) *http.Client {
	v.Helper()
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar}
	v.does("admin", "add", "8", "-owner")
	link, err := url.Parse(strings.TrimSpace(v.does("admin", "link", "8")))
	if err != nil {
		v.Fatal(err)
	}
	w := &world{T: v.T, log: v.log}
	w.until("a page", func() bool {
		resp, err := client.Get(page + "/healthz")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	})
	resp, err := client.Post(page+link.Path, "", nil)
	if err != nil {
		v.Fatal(err)
	}
	resp.Body.Close()
	return client
}

func body(t testing.TB, resp *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// told is the one that stands before a text.
func told(t testing.TB, out, text string) int {
	t.Helper()
	m := regexp.MustCompile(`(?m)^(\d+) ` + regexp.QuoteMeta(text)).FindStringSubmatch(out)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// rush has so many people press Yes at once, and returns them when all wishes are on the disk and some have their
// video.
func (v *victim) rush(n int) (people []*faketelegram.Person) {
	v.Helper()
	w := &world{T: v.T, tg: v.tg, log: v.log}
	s, err := openStore(filepath.Join(v.dir, "retake.db"))
	if err != nil {
		v.Fatal(err)
	}
	defer s.Close()
	var questions []faketelegram.Message
	for i := range n {
		p := v.tg.Person(int64(i+1), "П", "ru")
		people = append(people, p)
		questions = append(questions, w.names(p, fmt.Sprintf("Имя %s", letters(i/2)))) // two of each name
	}
	for i, p := range people {
		press(p, questions[i], 0)
	}
	w.until("all wishes and some videos", func() bool {
		some := 0
		for _, p := range people {
			some += min(1, videos(p))
		}
		return some >= 3 && count(v, s, `SELECT count(*) FROM requests`) == n
	})
	return people
}

// TestABackupDuringLoadIsRestoredElsewhere makes a backup while many wait, lets them all be answered or not, and goes
// on with the backup on another machine.
func TestABackupDuringLoadIsRestoredElsewhere(t *testing.T) {
	t.Parallel()
	const n = 40
	for _, c := range []struct {
		name      string
		lives     bool // the old machine, until all are answered
		send      string
		min, most int // videos of each
	}{
		{"all were answered since, and it is let be", true, "no", 1, 1},
		{"it died at once, and all is sent", false, "yes", 1, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := newVictim(t)
			w := &world{T: t, tg: v.tg, log: v.log}
			v.start()
			people := v.rush(n)
			file := filepath.Join(t.TempDir(), "monday.db")
			v.does("backup", file)
			if c.lives {
				for _, p := range people {
					w.getsVideos(p, 1)
				}
				v.nothingIsLost(func() {})
			} else {
				v.kill()
			}
			had := 0
			for _, p := range people {
				had += videos(p)
			}
			if c.lives != (had == n) {
				t.Fatalf("got %d of %d videos on the old machine; want all of them: %v", had, n, c.lives)
			}

			there := v.elsewhere()
			page := there.withPage()
			if err := exec.Command("cp", "-r", filepath.Join(v.dir, "media"),
				filepath.Join(there.dir, "media")).Run(); err != nil {
				t.Fatal(err)
			}
			out := there.does("restore", file)
			held := told(t, out, "people were waiting when the backup was made")
			if held < n/4 || held > n {
				t.Fatalf("got %d people held of %d; want some who had waited:\n%s", held, n, out)
			}
			sends := v.sends()
			there.start()
			in := there.owner(page)
			get := func() string { resp, err := in.Get(page + "/"); return body(t, resp, err) }
			var shown string
			s, err := openStore(filepath.Join(there.dir, "retake.db"))
			if err != nil {
				t.Fatal(err)
			}
			w.until("every video made again", func() bool { return count(t, s, `SELECT count(*) FROM jobs`) == 0 })
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if shown = get(); !strings.Contains(shown, fmt.Sprintf("%d people were waiting", held)) ||
				!strings.Contains(shown, `action="/held"`) {
				t.Errorf("got a page without the question about %d people", held)
			}
			if n := v.sends() - sends; n != 0 {
				t.Errorf("got %d messages before anybody has decided; want none", n)
			}
			resp, err := in.PostForm(page+"/held", url.Values{"send": {c.send}})
			body(t, resp, err)
			if resp.StatusCode != 200 {
				t.Fatalf("got %s for the decision", resp.Status)
			}
			if c.send == "yes" {
				for _, p := range people {
					w.until(fmt.Sprintf("a video for %d", p.ID()), func() bool { return videos(p) >= 1 })
				}
			}
			there.nothingIsLost(func() {
				if strings.Contains(get(), `action="/held"`) {
					t.Error("the page asks again")
				}
				again, err := in.PostForm(page+"/held", url.Values{"send": {c.send}})
				body(t, again, err)
				if again.StatusCode != 409 {
					t.Errorf("a second decision: got %s; want 409", again.Status)
				}
			})
			twice := 0
			for _, p := range people {
				got := videos(p)
				if got < c.min || got > c.most {
					t.Errorf("got %d videos of %d; want %d to %d", got, p.ID(), c.min, c.most)
				}
				twice += got - 1
			}
			t.Logf("%d people, %d videos before, %d held, %d got theirs twice", n, had, held, twice)
			if twice > held {
				t.Errorf("got %d videos twice; want at most the %d that were held", twice, held)
			}
		})
	}
}

// TestABackupPutBackInPlaceKnowsWhatWasSentSince restores over the database of the same day, which was killed.
func TestABackupPutBackInPlaceKnowsWhatWasSentSince(t *testing.T) {
	t.Parallel()
	const n = 40
	v := newVictim(t)
	w := &world{T: t, tg: v.tg, log: v.log}
	v.start()
	people := v.rush(n)
	file := filepath.Join(t.TempDir(), "backup.db")
	v.does("backup", file)
	begun := v.sends()
	if err := v.tg.Wait(t.Context(), func() bool { return v.sends() > begun+20 }); err != nil {
		t.Fatal(err)
	}
	if out, code := retake(t, nil, "restore", file, "-config", configOf(v.dir)); code != exitFailure ||
		!strings.Contains(out, "in use by process") {
		t.Errorf("while it runs: got exit %d, %s; want a refusal", code, out)
	}
	v.kill()
	if out, code := retake(t, nil, "restore", file, "-config", configOf(v.dir)); code != exitFailure ||
		!strings.Contains(out, "add -force") {
		t.Errorf("onto newer data: got exit %d, %s; want a refusal", code, out)
	}
	out := v.does("restore", file, "-force")
	t.Logf("%s", out)
	if told(t, out, "answers that the backup owed have been sent since") == 0 ||
		strings.Contains(out, "people were waiting") {
		t.Errorf("got %s; want answers that are known to have been sent, and nobody held", out)
	}
	kept, err := filepath.Glob(filepath.Join(v.dir, "retake.db.replaced-*"))
	if err != nil || len(kept) != 1 {
		t.Errorf("got %q, %v; want the database that was there", kept, err)
	}
	v.start()
	for _, p := range people {
		w.until(fmt.Sprintf("a video for %d", p.ID()), func() bool { return videos(p) >= 1 })
	}
	v.nothingIsLost(func() {})
	t.Logf("%d messages went out twice", v.extra())
}

// TestTheCommandsOfTheBackupPageWork runs what docs/backup.md says, in its order, as an operator who begins with a
// day's work.
func TestTheCommandsOfTheBackupPageWork(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/backup.md")
	if err != nil {
		t.Fatal(err)
	}
	dir, backups := t.TempDir(), t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(filepath.Join(data, "media"), 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := openStore(filepath.Join(data, "retake.db"))
	if err != nil {
		t.Fatal(err)
	}
	ask(t, s, "Маша", 1)
	made := complete(t, s)
	ask(t, s, "Лев", 2)
	s.Close()
	for path, content := range map[string]string{
		filepath.Join(data, "media", made.AssetID+".mp4"): "video",
		filepath.Join(data, "token.key"):                  strings.Repeat("k", 40),
		filepath.Join(dir, "config.toml"):                 "[web]\nlisten = \"127.0.0.1:0\"\n",
		filepath.Join(dir, "retake"):                      "#!/bin/sh\nexec " + binary(t) + " \"$@\"\n",
	} {
		if err := os.WriteFile(path, []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	blocks := regexp.MustCompile("(?ms)^ *```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 6 {
		t.Fatalf("got %d blocks; want all of them", len(blocks))
	}
	for i, b := range blocks {
		if i == 3 { // the disk has died
			if err := os.RemoveAll(data); err != nil {
				t.Fatal(err)
			}
		}
		if i == 5 { // and it was put back, and the day went on
			s, err := openStore(filepath.Join(data, "retake.db"))
			if err != nil {
				t.Fatal(err)
			}
			ask(t, s, "Ева", 3)
			s.Close()
		}
		cmd := exec.Command("sh", "-euc", b[1])
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "BACKUPS="+backups)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", b[1], err, out)
		}
		want := map[int]string{0: "monday.db is a copy of the database", 1: made.AssetID + ".mp4",
			2: "1 file of a greeting is missing", 4: "2 people were waiting", 5: "is kept as data/retake.db.replaced-"}[i]
		if !strings.Contains(string(out), want) || i != 2 && strings.Contains(string(out), "missing") {
			t.Errorf("%s: got %s; want %q, and nothing else missing", b[1], out, want)
		}
	}
}

func TestRestoreTellsWhatIsMissing(t *testing.T) {
	t.Parallel()
	path := fromGolden(t, 1) // of an older version, too
	out, code := retake(t, []string{"RETAKE_DATA_DIR=" + filepath.Join(t.TempDir(), "new", "data")}, "restore", path)
	for _, want := range []string{"1 channel has to be connected again", "made again when somebody asks",
		"2 files of greetings", "people were waiting"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("got exit %d, %s; want %q in it", code, out, want)
		}
	}
	mutateOutside(t, path, `UPDATE assets SET origin = 'UPLOAD', creator = 8 WHERE status = 'COMPLETED'`)
	out, code = retake(t, []string{"RETAKE_DATA_DIR=" + t.TempDir()}, "restore", path)
	if code != 0 || len(regexp.MustCompile(`(?m)^missing: \w{26}\.(mp4|jpg)$`).FindAllString(out, -1)) != 2 ||
		!strings.Contains(out, "2 files that admins sent are missing") {
		t.Errorf("got exit %d, %s; want the files of an upload by name", code, out)
	}
	broken := filepath.Join(t.TempDir(), "broken.db")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 8192; i < len(text) && i < 40960; i++ {
		text[i] = 'x'
	}
	newer := filepath.Join(t.TempDir(), "newer.db")
	mutateOutside(t, newer, `PRAGMA user_version = 99`)
	if err := os.WriteFile(broken, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{broken: "no sound database", newer: "made by a newer version of Retake",
		"/none":   "no such file",
		binary(t): "no sound database"} {
		dir := t.TempDir()
		if out, code := retake(t, []string{"RETAKE_DATA_DIR=" + dir}, "restore", file); code != exitFailure ||
			!strings.Contains(out, "nothing was changed") ||
			!strings.Contains(out, want) {
			t.Errorf("%s: got exit %d, %s; want %q", filepath.Base(file), code, out, want)
		}
		if left, err := filepath.Glob(filepath.Join(dir, "retake.db*")); err != nil || left != nil {
			t.Errorf("%s: got %q left", filepath.Base(file), left)
		}
	}
}

// TestAnUpgradeMakesABackupFirst starts Retake on a database of the first version.
func TestAnUpgradeMakesABackupFirst(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	if err := os.Rename(fromGolden(t, 1), filepath.Join(v.dir, "retake.db")); err != nil {
		t.Fatal(err)
	}
	in := filepath.Join(v.dir, "file")
	if err := os.WriteFile(in, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"admin", "link", "8"}, {"retry", "X"}} { // they are no start
		if out, code := retake(t, nil, append(args, "-config", configOf(v.dir))...); code != exitFailure ||
			!strings.Contains(out, "of an older version, start retake serve first") {
			t.Errorf("%v: got exit %d, %s; want a refusal", args, code, out)
		}
	}
	out, code := retake(t, []string{"RETAKE_BACKUP_DIR=" + in}, "serve", "-config", configOf(v.dir))
	if code != exitFailure ||
		!strings.Contains(out, "is not brought up to date, because the backup from before cannot be made") {
		t.Errorf("without a place for a backup: got exit %d, %s; want the end of the start", code, out)
	}
	version := func(path string) (n int) {
		t.Helper()
		d, err := sql.Open("sqlite", path)
		if err == nil {
			defer d.Close()
			err = d.QueryRow(`PRAGMA user_version`).Scan(&n)
		}
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := version(filepath.Join(v.dir, "retake.db")); n != 1 {
		t.Errorf("got version %d; want 1", n)
	}
	v.start()
	w := &world{T: t, log: v.log}
	w.until("the start", func() bool { return strings.Contains(v.log.String(), "retake is running") })
	v.kill()
	made, err := filepath.Glob(filepath.Join(v.dir, "backups", "retake-*-v1.db"))
	if err != nil || len(made) != 1 || version(made[0]) != 1 ||
		version(filepath.Join(v.dir, "retake.db")) != testrig.SchemaVersion(t) {
		t.Errorf("got %q, %v; want one backup of version 1, and the database of version %d", made, err, testrig.SchemaVersion(t))
	}
	mutateOutside(t, filepath.Join(v.dir, "retake.db"), `PRAGMA user_version = 99`)
	if out, code := retake(t, nil, "serve", "-config", configOf(v.dir)); code != exitFailure ||
		!strings.Contains(out, "written by a newer version") ||
		!strings.Contains(out, "retake restore") {
		t.Errorf("a newer database: got exit %d, %s; want what to do", code, out)
	}
}

func TestServeMakesBackupsByItself(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	v.configure("[queue]", "[backup]\nevery = \"200ms\"\nkeep = 2\n[queue]")
	page := v.withPage()
	v.start()
	w := &world{T: t, log: v.log}
	seen := map[string]bool{}
	w.until("three backups, of which two are kept", func() bool {
		made, err := filepath.Glob(filepath.Join(v.dir, "backups", "retake-*.db"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range made {
			seen[path] = true
		}
		if len(made) > 3 { // the third is there for a moment
			t.Fatalf("got %q; want two", made)
		}
		return len(seen) >= 3
	})
	in := v.owner(page)
	get := func() string { resp, err := in.Get(page + "/"); return body(t, resp, err) }
	if !strings.Contains(get(), "Last backup") {
		t.Error("the page says nothing about backups")
	}
	backups := filepath.Join(v.dir, "backups")
	w.until("a file in the place of the folder", func() bool { // into which a backup may just be written
		os.RemoveAll(backups)
		return os.WriteFile(backups, nil, 0o600) == nil
	})
	w.until("a failure on the page", func() bool { return strings.Contains(get(), "No backup could be made since") })
	w.until("a failure for everyone watching", func() bool {
		resp, err := in.Get(page + "/readyz")
		return strings.Contains(body(t, resp, err), "The last backup failed.")
	})
	if !strings.Contains(v.log.String(), "no backup could be made; trying again") {
		t.Errorf("got the log %s; want the failure", v.log)
	}
}

func TestRestoreIsForTheUserWhoseFolderItIs(t *testing.T) {
	file, dir := fromGolden(t, 1), "/" // of root
	if os.Geteuid() == 0 {
		dir = filepath.Join(t.TempDir(), "data")
		if err := errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, 65534, 65534)); err != nil {
			t.Fatal(err)
		}
	}
	if out, code := retake(t, []string{"RETAKE_DATA_DIR=" + dir}, "restore", file); code != exitFailure ||
		!strings.Contains(out, "run this as that one") {
		t.Errorf("got exit %d, %s; want a refusal", code, out)
	}
}
