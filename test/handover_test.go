// A second machine takes over from the replica that Litestream keeps in a bucket, by the commands of
// docs/operating.md, and the first one comes back.

package test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"retake.example/internal/media/s3test"
	"retake.example/internal/testserver"
)

// handOver is the five commands of docs/operating.md.
func handOver(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## When the machine is lost: another one takes over\n")
	_, block, _ := strings.Cut(section, "```text\n")
	block, _, _ = strings.Cut(block, "\n```")
	commands := strings.Split(strings.ReplaceAll(block, "\\\n", ""), "\n")
	if len(commands) != 5 {
		t.Fatalf("got %q; want five commands", commands)
	}
	return commands
}

// wire is the way of one machine to Telegram.
type wire struct {
	cut  atomic.Bool // nothing gets through
	busy atomic.Bool // every video is asked to wait, which leaves no doubt that it was not sent
}

func (l *wire) to(tg http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case l.cut.Load():
			panic(http.ErrAbortHandler)
		case l.busy.Load() && strings.HasSuffix(strings.ToLower(r.URL.Path), "/sendvideo"):
			w.WriteHeader(http.StatusTooManyRequests)
			io.WriteString(w, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 2",`+
				`"parameters":{"retry_after":2}}`)
			return
		}
		tg.ServeHTTP(w, r)
	})
}

// TestHandOver_ToASecondMachineByLitestream loses a machine that is killed, or is cut off while it goes on, and that has
// a video pending; a second one takes over, sends it and serves others; and the first one comes back with what it had.
func TestHandOver_ToASecondMachineByLitestream(t *testing.T) {
	notShort(t)
	rounds := 2
	if *long {
		rounds = 20
	}
	for i := range rounds {
		how := []string{"killed", "cut off"}[i%2]
		t.Run(fmt.Sprint(how, i), func(t *testing.T) {
			t.Parallel()
			handsOver(t, how == "killed")
		})
	}
}

func handsOver(t *testing.T, killed bool) {
	commands := handOver(t)
	var first wire
	v := newVictimBehind(t, first.to)
	w := &world{T: t, tg: v.tg, log: v.log}
	database := filepath.Join(v.dir, "retake.db")
	settings, litestream := v.litestream(database)
	v.start()
	w.until("the database", func() bool { _, err := os.Stat(database); return err == nil })
	replicate := litestream("replicate", "-config", settings)
	replicate.Stdout, replicate.Stderr = v.log, v.log
	if err := replicate.Start(); err != nil {
		t.Fatal(err)
	}
	stop := func() { replicate.Process.Kill(); replicate.Wait() }
	t.Cleanup(stop)
	served, pending, later, last := v.tg.Person(1, "П", "ru"), v.tg.Person(2, "П", "ru"), v.tg.Person(3, "П", "ru"),
		v.tg.Person(4, "П", "ru")
	w.asks(served, "Аня")
	w.getsVideos(served, 1)
	first.busy.Store(true)
	w.asks(pending, "Боря")
	tries := 0
	w.until("both in the replica", func() bool {
		tries++
		file := filepath.Join(t.TempDir(), fmt.Sprintf("%d.db", tries))
		if litestream("restore", "-config", settings, "-o", file, database).Run() != nil {
			return false
		}
		s, err := openStore(file)
		if err != nil {
			return false
		}
		defer s.Close()
		return count(t, s, `SELECT count(*) FROM requests WHERE status = 'COMPLETED'`) == 1 &&
			count(t, s, `SELECT count(*) FROM jobs WHERE kind = 'DELIVER'`) == 1
	})
	lost := time.Now()
	if first.cut.Store(true); killed {
		v.kill()
	}
	stop() // its Litestream reaches the bucket no more

	line := httptest.NewServer(v.tg)
	t.Cleanup(line.Close) // after the second machine, which keeps a poll open
	there := v.elsewhere()
	there.configure(v.http.URL, line.URL)
	page := there.withPage()
	replica := filepath.Join(there.dir, "replica.db")
	here := strings.NewReplacer("/etc/litestream.yml", settings, "/var/lib/retake/replica.db", replica,
		"/var/lib/retake/retake.db", database, "chown retake", "chown "+strconv.Itoa(os.Getuid()),
		"/etc/retake/config.toml", configOf(there.dir))
	for i, begins := range []string{"sudo systemctl stop retake litestream", "sudo litestream restore ", "sudo chown ",
		"sudo systemd-run ", "sudo systemctl enable --now retake"} {
		if !strings.HasPrefix(commands[i], begins) {
			t.Fatalf("got %q in docs/operating.md; want %s", commands[i], begins)
		}
		words := strings.Fields(here.Replace(commands[i]))[1:]
		switch i {
		case 0: // nobody reaches the old machine
		case 1:
			if out, err := litestream(words[1:]...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		case 2:
			if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		case 3:
			words = words[slices.Index(words, "/usr/bin/retake")+1:]
			if out, code := retake(t, nil, words...); code != 0 {
				t.Fatalf("%v: got exit %d, %s", words, code, out)
			}
		case 4:
			there.start()
		}
	}
	w.log = there.log
	resp, err := there.owner(page).PostForm(page+"/held", url.Values{"send": {"yes"}})
	if body(t, resp, err); resp.StatusCode != 200 {
		t.Fatalf("got %s for the decision", resp.Status)
	}
	w.getsVideos(pending, 1)
	w.asks(later, "Вера")
	w.getsVideos(later, 1)
	t.Logf("the second machine served everybody %v after the loss", time.Since(lost).Round(time.Second))

	if killed { // as if it had been off for some minutes
		s, err := openStore(database)
		if err != nil {
			t.Fatal(err)
		}
		mutate(t, s, `UPDATE inbox SET received = received - 180000`)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	} else {
		w.until("an absence of some length", func() bool { return time.Since(lost) > 70*time.Second })
	}
	sent := v.sends()
	first.busy.Store(false)
	if first.cut.Store(false); killed {
		v.start()
	}
	conflicts := func() (n int) {
		for _, c := range v.tg.Calls() {
			if c.Method == "getUpdates" && c.Code == 409 {
				n++
			}
		}
		return n
	}
	w.until("Telegram to notice both", func() bool { return conflicts() > 12 })
	if n := v.sends() - sent; n != 0 {
		t.Errorf("got %d messages when the first machine came back; want none", n)
	}
	v.kill()
	w.asks(last, "Глеб")
	w.getsVideos(last, 1)
	for _, p := range []int64{1, 2, 3, 4} {
		if n := videos(v.tg.Person(p, "П", "ru")); n != 1 {
			t.Errorf("got %d videos of %d; want one", n, p)
		}
	}
	t.Logf("all was over %v after the loss", time.Since(lost).Round(time.Second))
}

// litestream returns the shipped settings, changed for a bucket of the test and a database, and what runs Litestream.
func (v *victim) litestream(database string) (settings string, run func(args ...string) *exec.Cmd) {
	v.Helper()
	bucket := s3test.New(v)
	program := testserver.Program(v, "litestream")
	settings = filepath.Join(v.TempDir(), "litestream.yml")
	shipped, err := os.ReadFile("packaging/litestream.yml")
	if err != nil {
		v.Fatal(err)
	}
	text := string(shipped)
	for _, change := range [][2]string{{"/var/lib/retake/retake.db", database},
		{"https://s3.eu-central-1.amazonaws.com", bucket.URL}, {"eu-central-1", bucket.Region},
		{"greetings-backup", bucket.Bucket}, {"sync-interval: 10s", "sync-interval: 100ms"}} {
		if !strings.Contains(text, change[0]) {
			v.Fatalf("packaging/litestream.yml has no %q", change[0])
		}
		text = strings.ReplaceAll(text, change[0], change[1])
	}
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		v.Fatal(err)
	}
	return settings, func(args ...string) *exec.Cmd {
		cmd := exec.Command(program, args...)
		cmd.Env = append(os.Environ(), "LITESTREAM_ACCESS_KEY_ID="+bucket.AccessKey,
			"LITESTREAM_SECRET_ACCESS_KEY="+bucket.SecretKey, "AWS_CA_BUNDLE=") // this Litestream cannot start with one
		return cmd
	}
}
