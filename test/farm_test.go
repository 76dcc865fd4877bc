// Tests of the whole program with a farm: the centre, its workers and their server are killed, and everybody gets one
// video, at no attempt's cost.

package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"retake.example/internal/farm/natstest"
)

// farmWorker starts a worker in a process of its own, whose engine waits until the folder holds the file go.
func (v *victim) farmWorker(server *natstest.Server, dir string) *exec.Cmd {
	v.Helper()
	path, err := sample()
	if err != nil {
		v.Fatal(err)
	}
	script := `touch "$0/begun"; while [ ! -e "$0/go" ]; do sleep 0.05; done; cp "$1" "$RETAKE_OUTPUT"`
	cmd := exec.Command(binary(v), "worker")
	cmd.Dir = v.TempDir()
	cmd.Env = append(os.Environ(), "RETAKE_FARM_URL="+server.URL(), "RETAKE_QUEUE_WORKERS=1",
		"RETAKE_RENDER_ENGINE=command", fmt.Sprintf(`RETAKE_RENDER_COMMAND=["/bin/sh", "-c", '''%s''', %q, %q]`, script, dir, path))
	cmd.Stdout, cmd.Stderr = v.log, v.log
	if err := cmd.Start(); err != nil {
		v.Fatal(err)
	}
	v.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

func TestFarm_KillsCostNoAttemptAndNoVideo(t *testing.T) {
	notShort(t)
	t.Parallel()
	server := natstest.New(t)
	v := newVictim(t)
	config := filepath.Join(v.dir, "config.toml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), `engine = "command"`, `engine = "farm"`, 1) +
		fmt.Sprintf("[farm]\nurl = %q\n", server.URL())
	if err := os.WriteFile(config, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	gate := t.TempDir()
	doomed := v.farmWorker(server, gate)
	v.start()
	ctx := v.asLongAsItSends()
	var people sync.WaitGroup
	for i, name := range []string{"Маша", "Саша", "Паша", "Даша", "Глаша", "Наташа"} {
		p := parent{v.tg.Person(int64(i+1), "П", "ru"), v.tg}
		people.Go(func() {
			if err := p.wants(ctx, name, func() { t.Errorf("%s: got an apology; want none", name) }); err != nil {
				t.Errorf("%v\n%s", err, v.log)
			}
		})
	}
	w := &world{T: t, log: v.log}
	w.until("a worker has begun", func() bool { _, err := os.Stat(filepath.Join(gate, "begun")); return err == nil })
	v.kill()
	v.start() // it takes up its orders
	doomed.Process.Kill()
	server.Stop()
	server.Start()
	if err := os.WriteFile(filepath.Join(gate, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	v.farmWorker(server, gate)
	people.Wait()
	v.nothingIsLost(func() {
		s, err := openStore(filepath.Join(v.dir, "retake.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if n := count(t, s, `SELECT count(*) FROM attempts WHERE kind = 'RENDER' AND outcome NOT IN ('done', 'crashed',
			'deferred', 'given back') OR attempt > 1`); n > 0 {
			t.Errorf("got %d attempts that were spent; want none", n)
		}
	})
	v.extra()
}
