// process_linux_test.go runs engines that leave as much behind as they can, and looks for it in the whole machine.

package video

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// descendants lists the processes that have this entry in their environment, as /proc knows them.
func descendants(t *testing.T, entry string) (found []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil && bytes.Contains(b, []byte(entry+"\x00")) {
			line, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
			found = append(found, filepath.Dir(file)+" "+strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

func TestCommandLeavesNothingBehind(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		hangs  bool   // until the time is up
		want   string // in the error; "": a video
	}{
		"when it hangs":                            {`sleep 300`, true, "took longer than 700ms"},
		"when it hangs with its forks":             {`sleep 300 & (sleep 300 & sleep 300) & wait`, true, "took longer than 700ms"},
		"when it hangs and its forks have left":    {`setsid sleep 300 & setsid sh -c 'sleep 300 & sleep 300' >/dev/null 2>&1 & sleep 300`, true, "took longer than 700ms"},
		"when it hangs in a session of its own":    {`exec setsid -w sh -c 'sleep 300 & wait'`, true, "took longer than 700ms"},
		"when it prints much and hangs":            {`head -c 10000000 /dev/zero | tee /dev/stderr; sleep 300`, true, "took longer than 700ms"},
		"when it prints much":                      {`head -c 10000000 /dev/zero | tr '\0' x | tee /dev/stderr; exit 1`, false, "exit status 1: xxx"},
		"when it leaves garbage":                   {`head -c 100000 /dev/urandom >"$RETAKE_OUTPUT"`, false, "probe"},
		"when it leaves nothing":                   {`:`, false, "no video file"},
		"when it fails and its forks do not":       {`sleep 300 & (sleep 300 &); exit 1`, false, "exit status 1"},
		"when it fails and its forks have left":    {`setsid sleep 300 & setsid sh -c 'sleep 300 & sleep 300' >/dev/null 2>&1 & exit 1`, false, "exit status 1"},
		"when its forks go on forking":             {`setsid sh -c 'for i in $(seq 99); do sleep 300 & sleep 0.02; done' & exit 1`, false, "exit status 1"},
		"when its forks go on leaving":             {`setsid sh -c 'for i in $(seq 99); do setsid sleep 300 & sleep 0.02; done' >/dev/null 2>&1 & exit 1`, false, "exit status 1"},
		"when its forks will not be told":          {`setsid sh -c 'trap "" TERM INT HUP; while :; do sleep 300; done' & exit 1`, false, "exit status 1"},
		"when it has made a video and left a fork": {`setsid sleep 300 >/dev/null 2>&1 & cp "$SOURCE" "$RETAKE_OUTPUT"`, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			mark := "TEST_MARK=" + rand.Text()
			t.Setenv("TEST_MARK", strings.TrimPrefix(mark, "TEST_MARK="))
			defer killMarked(mark) // nothing, unless the test has failed
			t.Setenv("SOURCE", clipWithSound(t))
			m := commandMaker(t, c.script, func(c *Config) { c.Timeout = 700 * time.Millisecond })
			if !c.hangs {
				m.cfg.Timeout = time.Minute
			}
			// A second for the end of it, and more for the probing on a machine that has other things to do.
			limit := 3 * time.Second
			if c.hangs {
				limit += m.cfg.Timeout
			}
			wantSoon(t, limit, func() time.Duration {
				before := time.Now()
				v, err := m.Make(t.Context(), Order{Asset: "a1", Name: "Маша", Lang: "ru"}, nil)
				took := time.Since(before)
				if left := descendants(t, mark); len(left) > 0 {
					t.Errorf("processes: got %v; want none", left)
				}
				if c.want == "" && err != nil || c.want != "" && (err == nil || isPermanent(err) || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("got %v, permanent %v; want a transient error with %q", err, isPermanent(err), c.want)
				}
				if err := v.Discard(); err != nil {
					t.Error(err)
				}
				wantEmpty(t, m)
				return took
			})
		})
	}
}

func TestKillMarkedSparesOthers(t *testing.T) {
	token := rand.Text()
	alive := func(env string) *process {
		p, err := start(t.Context(), child{argv: []string{"sleep", "300"}, env: append(os.Environ(), env)})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	marked := alive("RETAKE_JOB=" + token)
	others := []*process{alive("RETAKE_JOB=" + token + "x"), alive("X_RETAKE_JOB=" + token), alive("RETAKE_JOB=" + rand.Text())}
	killMarked("RETAKE_JOB=" + token)
	if err := marked.wait(); err == nil || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("the marked one: got %v; want it killed", err)
	}
	for _, p := range others {
		// A zombie is there, too, but has no environment any more.
		if left, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "environ")); err != nil || len(left) == 0 {
			t.Errorf("another one: got %q, %v; want it alive", left, err)
		}
		p.killGroup()
		p.wait()
	}
}
