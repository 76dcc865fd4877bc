// A second machine takes over from the replica that Litestream keeps in a bucket, and the first one comes back.

package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"retake.example/internal/media/s3test"
	"retake.example/internal/testserver"
)

// TestHandOver_ToASecondMachineByLitestream kills a machine, brings its replica back on another one by the commands of
// docs/operating.md, and has the first come back while the second works.
func TestHandOver_ToASecondMachineByLitestream(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	w := &world{T: t, tg: v.tg, log: v.log}
	bucket := s3test.New(t)
	litestream := testserver.Program(t, "litestream")
	settings := filepath.Join(t.TempDir(), "litestream.yml")
	shipped, err := os.ReadFile("packaging/litestream.yml")
	if err != nil {
		t.Fatal(err)
	}
	database := filepath.Join(v.dir, "retake.db")
	text := string(shipped)
	for _, change := range [][2]string{{"/var/lib/retake/retake.db", database},
		{"https://s3.eu-central-1.amazonaws.com", "http://" + bucket.Address}, {"eu-central-1", bucket.Region},
		{"greetings-backup", bucket.Bucket}, {"sync-interval: 10s", "sync-interval: 100ms"}} {
		if !strings.Contains(text, change[0]) {
			t.Fatalf("packaging/litestream.yml has no %q", change[0])
		}
		text = strings.ReplaceAll(text, change[0], change[1])
	}
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) *exec.Cmd {
		cmd := exec.Command(litestream, args...)
		cmd.Env = append(os.Environ(), "LITESTREAM_ACCESS_KEY_ID="+bucket.AccessKey,
			"LITESTREAM_SECRET_ACCESS_KEY="+bucket.SecretKey, "AWS_CA_BUNDLE=") // this Litestream cannot start with one
		return cmd
	}

	v.start()
	replicate := run("replicate", "-config", settings)
	replicate.Stdout, replicate.Stderr = v.log, v.log
	w.until("the database", func() bool { _, err := os.Stat(database); return err == nil })
	if err := replicate.Start(); err != nil {
		t.Fatal(err)
	}
	stop := func() { replicate.Process.Kill(); replicate.Wait() }
	t.Cleanup(stop)
	first, second, third := v.tg.Person(1, "П", "ru"), v.tg.Person(2, "П", "ru"), v.tg.Person(3, "П", "ru")
	w.asks(first, "Аня")
	w.getsVideos(first, 1)
	replica, tries := "", 0
	w.until("the video in the replica", func() bool {
		tries++
		file := filepath.Join(t.TempDir(), fmt.Sprintf("%d.db", tries))
		if run("restore", "-config", settings, "-o", file, database).Run() != nil {
			return false
		}
		s, err := openStore(file)
		if err != nil {
			return false
		}
		defer s.Close()
		replica = file
		return count(t, s, `SELECT count(*) FROM requests WHERE status = 'COMPLETED'`) == 1
	})
	v.kill() // with its Litestream: the machine is gone
	stop()

	there := v.elsewhere()
	replica = filepath.Join(t.TempDir(), "replica.db")
	if out, err := run("restore", "-config", settings, "-o", replica, database).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	there.does("restore", replica)
	there.start()
	w.log = there.log
	w.asks(second, "Боря")
	w.getsVideos(second, 1)

	sent := v.sends()
	conflicts := func() (n int) {
		for _, c := range v.tg.Calls() {
			if c.Method == "getUpdates" && c.Code == 409 {
				n++
			}
		}
		return n
	}
	v.start() // the first machine has power again
	w.until("Telegram to notice both", func() bool { return conflicts() > 2 })
	if n := v.sends() - sent; n != 0 {
		t.Errorf("got %d messages when the first machine came back; want none", n)
	}
	v.kill()
	w.asks(third, "Вера")
	w.getsVideos(third, 1)
	for _, p := range []int64{1, 2, 3} {
		if n := videos(v.tg.Person(p, "П", "ru")); n != 1 {
			t.Errorf("got %d videos of %d; want one", n, p)
		}
	}
}
