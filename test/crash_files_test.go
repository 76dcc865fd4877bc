// Tests of two programs on one folder, of a disk that refuses, of killed upgrades and of yesterday's backup.

package test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/folder"
	"retake.example/internal/lang"
	"retake.example/internal/testrig"
)

// TestOfTwoThatStartOneServes starts two at once, again and again, and kills the one that serves.
func TestOfTwoThatStartOneServes(t *testing.T) {
	t.Parallel()
	rounds := 2
	if *long {
		rounds = 30
	}
	one := newVictim(t)
	two := *one
	t.Cleanup(two.kill)
	p := parent{one.tg.Person(1, "П", "ru"), one.tg}
	ctx := one.asLongAsItSends()
	for round := range rounds {
		one.start()
		two.start()
		loser, winner := one, &two
		select {
		case <-one.dead:
		case <-two.dead:
			loser, winner = &two, one
		}
		want := fmt.Sprintf("in use by process %d", winner.cmd.Process.Pid)
		if code := loser.cmd.ProcessState.ExitCode(); code != exitFailure || !strings.Contains(one.log.String(), want) {
			t.Fatalf("got exit %d, %s; want %d and %s", code, one.log, exitFailure, want)
		}
		if err := p.wants(ctx, "Имя "+letters(round), nil); err != nil {
			t.Fatal(err)
		}
		if round+1 < rounds {
			winner.kill()
		} else {
			winner.nothingIsLost(func() {})
		}
	}
	if n := videos(p.Person) - one.extra(); n != rounds {
		t.Errorf("got %d videos; want %d, besides what went out twice because of a kill", n, rounds)
	}
}

// TestTheDiskRefusesToSync lets every seventh fsync of the database fail, in the program as it is built.
func TestTheDiskRefusesToSync(t *testing.T) {
	if !*long {
		t.Skip("make torture runs it, for it needs strace")
	}
	v := newVictim(t)
	v.breaks()
	path := filepath.Join(v.dir, "retake.db")
	v.run(
		exec.Command(
			"strace",
			"-D",
			"-f",
			"-qq",
			"-o",
			filepath.Join(t.TempDir(), "trace"),
			"-P",
			path,
			"-P",
			path+"-wal",
			"-e",
			"trace=fsync,fdatasync",
			"-e",
			"inject=fsync,fdatasync:error=EIO:when=20+7",
			binary(t),
			"serve",
			"-config",
			filepath.Join(v.dir, "config.toml"),
		),
	)
	ctx := v.asLongAsItSends()
	var people sync.WaitGroup
	for i := range 20 {
		p := parent{v.tg.Person(int64(i+1), "П", "ru"), v.tg}
		people.Go(func() {
			for _, name := range []string{"Общий", "Сбой " + letters(i%3), "Свой " + letters(i)} {
				if err := p.wants(ctx, name, v.repairs); err != nil {
					t.Errorf("%v\n%s", err, v.log)
				}
			}
		})
	}
	people.Wait()
	v.nothingIsLost(func() {})
	if n := v.extra(); n > 0 {
		t.Errorf("got %d messages twice; want none", n)
	}
	refusals := strings.Count(v.log.String(), "disk I/O error")
	t.Logf("%d refusals in the log", refusals)
	if refusals == 0 {
		t.Errorf("got no refusal in the log; want syncs that failed\n%s", v.log)
	}
}

// someSteps lead to a version of the schema that has not been thought of yet.
var someSteps = []string{
	`ALTER TABLE users ADD COLUMN one TEXT NOT NULL DEFAULT 'old'`,
	`CREATE TABLE inbox2 (update_id INTEGER PRIMARY KEY, chat_id INTEGER NOT NULL, raw TEXT, received INTEGER NOT NULL,
		tries INTEGER NOT NULL DEFAULT 0, error TEXT, restore_hold INTEGER NOT NULL DEFAULT 0, set_aside INTEGER) STRICT;
	 INSERT INTO inbox2 SELECT * FROM inbox; DROP TABLE inbox; ALTER TABLE inbox2 RENAME TO inbox`,
	`ALTER TABLE users ADD COLUMN three TEXT NOT NULL DEFAULT ''; UPDATE users SET three = hex(randomblob(50))`,
}

// newer builds a Retake that has someSteps after its own.
func newer(t *testing.T) (path string, before, after int) {
	t.Helper()
	dir, before := t.TempDir(), testrig.SchemaVersion(t)
	files := map[string]string{}
	for i, step := range someSteps {
		real := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(real, []byte(step), 0o600); err != nil {
			t.Fatal(err)
		}
		files[filepath.Join(testrig.Root(), "migrations", fmt.Sprintf("v%d.sql", before+1+i))] = real
	}
	overlay, err := json.Marshal(map[string]any{"Replace": files})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "retake")
	testrig.Build(t, path, "-overlay", filepath.Join(dir, "overlay.json"))
	return path, before, before + len(someSteps)
}

// TestAnUpgradeThatIsKilledIsWholeOrHasNotBegun kills a newer Retake while it brings a database up to date.
func TestAnUpgradeThatIsKilledIsWholeOrHasNotBegun(t *testing.T) {
	notShort(t)
	t.Parallel()
	const people = 20_000
	kills := 8
	if *long {
		kills = 60
	}
	old := filepath.Join(t.TempDir(), "retake.db")
	s, err := openStore(old)
	if err != nil {
		t.Fatal(err)
	}
	mutate(t, s, `WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < ?)
		INSERT INTO users (id, lang, created) SELECT n, 'ru', 0 FROM i`, people)
	mutate(t, s, `INSERT INTO inbox (update_id, chat_id, received) SELECT id, id, 0 FROM users`)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// Once without a kill, to know how long it takes.
	var whole time.Duration
	program, before, after := newer(t)
	seen := map[int]int{}
	for n := range kills + 1 {
		v := newVictim(t)
		path := filepath.Join(v.dir, "retake.db")
		if err := folder.Copy(old, path); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		v.run(exec.Command(program, "serve", "-config", filepath.Join(v.dir, "config.toml")))
		if n == 0 {
			w := &world{T: t, log: v.log}
			w.until("the start", func() bool { return strings.Contains(v.log.String(), "retake is running") })
			whole = time.Since(began)
		} else {
			select {
			case <-time.After(time.Duration(rand.Int64N(int64(whole) * 3 / 2))):
			case <-v.dead:
				t.Fatalf("the program ended: %s", v.log)
			}
		}
		v.kill()
		raw, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		var version, columns, users, inbox int
		var sound string
		err = raw.QueryRow(`SELECT user_version, (SELECT count(*) FROM pragma_table_info('users')
			WHERE name IN ('one', 'three')),
			(SELECT count(*) FROM users), (SELECT count(*) FROM inbox), (SELECT integrity_check FROM pragma_integrity_check)
			FROM pragma_user_version`).
			Scan(&version, &columns, &users, &inbox, &sound)
		raw.Close()
		if err != nil || users != people || inbox != people || sound != "ok" ||
			columns != map[int]int{before: 0, after: 2}[version] {
			t.Fatalf(
				"got version %d with %d new columns, %d users, %d updates, %s, %v; want all of one version or of the other\n%s",
				version,
				columns,
				users,
				inbox,
				sound,
				err,
				v.log,
			)
		}
		seen[version]++
	}
	t.Logf("killed %d times in the %v of an upgrade; versions that were left: %v", kills, whole, seen)
	if seen[after] == 0 {
		t.Errorf("got versions %v; want that of the upgrade nobody killed", seen)
	}
}

// TestABackupOfYesterdayIsPutBack goes on with a database that knows less than Telegram and the people do.
func TestABackupOfYesterdayIsPutBack(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	w := &world{T: t, tg: v.tg, log: v.log}
	path, backup := filepath.Join(v.dir, "retake.db"), filepath.Join(t.TempDir(), "backup.db")
	served, apologised, waiting, later, lapsed := v.tg.Person(
		1,
		"П",
		"ru",
	), v.tg.Person(
		2,
		"П",
		"ru",
	), v.tg.Person(
		3,
		"П",
		"ru",
	), v.tg.Person(
		4,
		"П",
		"ru",
	), v.tg.Person(
		5,
		"П",
		"ru",
	)
	sorry := func(p *faketelegram.Person) faketelegram.Message { return w.hears(p, "Упс!") }
	tryAgain := func(p *faketelegram.Person) {
		m := sorry(p)
		p.Press(m.ID, m.Buttons[0][0].Data)
	}
	v.breaks()
	v.start()
	w.asks(served, "Маша")
	w.getsVideos(served, 1)
	w.asks(apologised, "Сбой один")
	sorry(apologised)
	w.asks(waiting, "Оля")
	s, err := openStore(path)
	if err != nil {
		t.Fatal(err)
	}
	w.until("her wish on the disk", func() bool { return count(t, s, `SELECT count(*) FROM requests WHERE user_id = 3`) == 1 })
	v.kill()
	before := count(t, s, `SELECT count(*) FROM requests WHERE user_id = 3 AND status <> 'COMPLETED'`)
	mutateOutside(t, path, `VACUUM INTO '`+backup+`'`)
	s.Close()

	v.start() // and the day goes on
	w.getsVideos(waiting, 1)
	w.asks(later, "Вера")
	w.getsVideos(later, 1)
	w.asks(lapsed, "Сбой два")
	sorry(lapsed)
	v.repairs()
	tryAgain(apologised)
	w.getsVideos(apologised, 1)
	v.kill()
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if err := os.Rename(backup, path); err != nil {
		t.Fatal(err)
	}

	v.start()
	tryAgain(lapsed)
	w.hears(lapsed, lang.Say("ru", "press_forgotten", nil))
	w.asks(lapsed, "Нина")
	w.getsVideos(lapsed, 1)
	w.asks(later, "Вера")
	w.getsVideos(later, 2)
	w.asks(apologised, "Сбой один") // the button went with the press that is forgotten
	w.getsVideos(apologised, 2)
	v.nothingIsLost(func() {})
	if videos(served) != 1 || videos(waiting) > 1+before {
		t.Errorf("got %d and %d videos; want 1, and one more if it was owed by the backup", videos(served), videos(waiting))
	}
}
