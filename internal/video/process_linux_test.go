// process_linux_test.go runs engines that leave as much behind as they can, and looks for it in the whole machine.

package video

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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
		"when it hangs": {`sleep 300`, true, "took longer than 700ms"},
		"when it hangs with its forks": {`sleep 300 & (sleep 300 & sleep 300) & wait`, true,
			"took longer than 700ms"},
		"when it hangs and its forks have left": {`setsid sleep 300 & setsid sh -c 'sleep 300 & sleep 300' >/dev/null 2>&1 ` +
			`& sleep 300`, true, "took longer than 700ms"},
		"when it hangs in a session of its own": {`exec setsid -w sh -c 'sleep 300 & wait'`, true,
			"took longer than 700ms"},
		"when it prints much and hangs": {`head -c 10000000 /dev/zero | tee /dev/stderr; sleep 300`, true,
			"took longer than 700ms"},
		"when it prints much": {`head -c 10000000 /dev/zero | tr '\0' x | tee /dev/stderr; ` +
			`exit 1`, false, "exit status 1: xxx"},
		"when it leaves garbage":             {`head -c 100000 /dev/urandom >"$RETAKE_OUTPUT"`, false, "probe"},
		"when it leaves nothing":             {`:`, false, "no video file"},
		"when it fails and its forks do not": {`sleep 300 & (sleep 300 &); exit 1`, false, "exit status 1"},
		"when it fails and its forks have left": {`setsid sleep 300 & setsid sh -c 'sleep 300 & sleep 300' >/dev/null ` +
			`2>&1 & exit 1`, false, "exit status 1"},
		"when its forks go on forking": {`setsid sh -c 'for i in $(seq 99); do sleep 300 & sleep 0.02; done' & ` +
			`exit 1`, false, "exit status 1"},
		"when its forks go on leaving": {`setsid sh -c 'for i in $(seq 99); do setsid sleep 300 & sleep 0.02; ` +
			`done' >/dev/null 2>&1 & exit 1`, false, "exit status 1"},
		"when its forks will not be told": {`setsid sh -c 'trap "" TERM INT HUP; while :; do sleep 300; done' & ` +
			`exit 1`, false, "exit status 1"},
		"when it has made a video and left a fork": {`setsid sleep 300 >/dev/null 2>&1 & cp "$SOURCE" ` +
			`"$RETAKE_OUTPUT"`, false, ""},
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
				if c.want == "" && err != nil ||
					c.want != "" && (err == nil || isPermanent(err) || !strings.Contains(err.Error(), c.want)) {
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

// sleeper is a process with an entry of its own in its environment.
func sleeper(t *testing.T, env string) *exec.Cmd {
	t.Helper()
	c := exec.Command("sleep", "300")
	c.Env = append(os.Environ(), env)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill() // it may be dead already
		_ = c.Wait()
	})
	return c
}

// wantAlive fails the test unless the process is there. A zombie is there, too, but has no environment any more.
func wantAlive(t *testing.T, c *exec.Cmd) {
	t.Helper()
	path := filepath.Join("/proc", strconv.Itoa(c.Process.Pid), "environ")
	if left, err := os.ReadFile(path); err != nil || len(left) == 0 {
		t.Errorf("another one: got %q, %v; want it alive", left, err)
	}
}

func wantKilled(t *testing.T, c *exec.Cmd) {
	t.Helper()
	if err := c.Wait(); err == nil || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("got %v; want it killed", err)
	}
}

func TestKillMarkedSparesOthers(t *testing.T) {
	token := rand.Text()
	marked := sleeper(t, "RETAKE_JOB="+token)
	others := []*exec.Cmd{sleeper(t, "RETAKE_JOB="+token+"x"), sleeper(t, "X_RETAKE_JOB="+token), sleeper(t,
		"RETAKE_JOB="+rand.Text())}
	killMarked("RETAKE_JOB=" + token)
	wantKilled(t, marked)
	for _, c := range others {
		wantAlive(t, c)
	}
}

func TestProcess_AStartKillsWhatAKilledProcessLeftBehind(t *testing.T) {
	work, cache := t.TempDir(), t.TempDir()
	left := []*exec.Cmd{sleeper(t, "TMPDIR="+filepath.Join(work, jobPrefix+"abc")), sleeper(t,
		"TMPDIR="+filepath.Join(cache, preparePrefix+"abc"))}
	others := []*exec.Cmd{sleeper(t, "TMPDIR="+work), sleeper(t, "TMPDIR="+filepath.Join(t.TempDir(), jobPrefix+"abc"))}
	newMaker(t, func(c *Config) { c.Work, c.Cache = work, cache })
	for _, c := range left {
		wantKilled(t, c)
	}
	for _, c := range others {
		wantAlive(t, c)
	}
}

// TestProcess_EveryChildHasItsEnvironmentAndLimits starts each kind of child with a shell in the place of its program.
func TestProcess_EveryChildHasItsEnvironmentAndLimits(t *testing.T) {
	hidden := []string{"RETAKE_TELEGRAM_TOKEN", "RETAKE_VOICE_URL", "RETAKE_NAME", "RETAKE_DATA_DIR",
		"RETAKE_RENDER_URL", "CREDENTIALS_DIRECTORY",
		"AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY", "HTTPS_PROXY", "DATABASE_URL", "SSH_AUTH_SOCK", "NOTIFY_SOCKET", "LC",
		"XLC_ALL", "PATHS"}
	for _, name := range hidden {
		t.Setenv(name, "hidden")
	}
	t.Setenv("LC_TIME", "C")
	t.Setenv("TZ", "UTC")
	folder := t.TempDir()
	script := filepath.Join(folder, "program")
	for _, name := range []string{espeak, rhvoice} {
		if err := os.Symlink(script, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	most := uint64(61 * runtime.NumCPU()) // seconds
	out := filepath.Join(folder, "out")
	write(t, script, `#!/bin/sh
for i in 1 2 3 4 5 6 7 8 9; do
	sleep 0.05 # until its limits are set
	grep -q '^Max core file size *0 ' /proc/$$/limits && break
done
{ cat /proc/$$/limits; cut -d' ' -f19 /proc/$$/stat; env; } >'`+out+`'
`)
	tool := &tools{ffmpeg: script, ffprobe: script}
	engine := newMaker(t, func(c *Config) { c.Engine, c.Command = EngineCommand, []string{script} })
	voice := VoiceConfig{Engine: VoiceCommand, Command: []string{script}}
	for name, c := range map[string]struct {
		run    func() error
		memory uint64
		want   []string // entries, beside those of the system
		not    []string
	}{
		"ffmpeg": {func() error { return tool.run(t.Context(), []string{"-version"}, nil) }, toolMemory,
			[]string{"LC_ALL=C"}, []string{"HOME=", "LC_TIME=", "RETAKE_"}},
		"ffprobe": {func() error { _, err := output(t.Context(), script); return err }, toolMemory,
			[]string{"LC_ALL=C"}, []string{"HOME=", "RETAKE_"}},
		"the sampler": {func() error { return tool.readSample(t.Context()) }, toolMemory, []string{"LC_ALL=C"},
			[]string{"HOME=", "RETAKE_"}},
		"an engine": {func() error {
			_, err := engine.command(ctx, folder, Order{Asset: "a1", Name: "Маша", Lang: "ru", Template: "new-year"})
			return err
		}, 1, []string{"RETAKE_NAME=Маша", "RETAKE_LANG=ru", "RETAKE_TEMPLATE=new-year", "RETAKE_ASSET=a1",
			"RETAKE_OUTPUT=" + filepath.Join(folder, "output.mp4"),
			"TMPDIR=" + folder, "LC_TIME=C", "TZ=UTC"}, []string{"LC_ALL=C"}},
		"a voice": {func() error { return voice.command(ctx, folder, "Маша", "Маша", "ru", "/tmp/x.wav") }, 1,
			[]string{"RETAKE_LANG=ru", "RETAKE_OUTPUT=/tmp/x.wav", "TMPDIR=" + folder}, []string{"RETAKE_NAME"}},
		"RHVoice": {func() error {
			return VoiceConfig{Engine: VoiceRHVoice}.command(ctx, folder, "Маша", "Маша", "ru", "/tmp/x.wav")
		}, 1, []string{"TMPDIR=" + folder}, []string{"RETAKE_NAME"}},
		"espeak-ng": {func() error {
			return VoiceConfig{Engine: VoiceCommand}.command(ctx, folder, "Маша", "Маша", "ru", "/tmp/x.wav")
		}, 1, []string{"TMPDIR=" + folder}, []string{"RETAKE_NAME"}},
		"the stress of a word": {func() error { espeakPhonemes(ctx)("Маша"); return nil }, 1, nil, []string{"RETAKE_NAME"}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.run(); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			got := "\n" + string(b)
			for _, name := range hidden {
				if strings.Contains(got, "\n"+name+"=hidden\n") {
					t.Errorf("environment: got %s", name)
				}
			}
			for _, want := range append(c.want, "PATH="+os.Getenv("PATH")) {
				if !strings.Contains(got, "\n"+want+"\n") {
					t.Errorf("environment: got no %q in %s", want, got)
				}
			}
			for _, not := range c.not {
				if strings.Contains(got, "\n"+not) {
					t.Errorf("environment: got %q in %s", not, got)
				}
			}
			seconds := uint64(toolTime)
			if c.memory == 1 {
				seconds = most
			}
			for limit, most := range map[string]uint64{"Max core file size": 0, "Max data size": machineMemory(),
				"Max file size": engineFile, "Max processes": maxProcesses,
				"Max cpu time": seconds} {
				line := got[strings.Index(got, "\n"+limit)+1:]
				value, err := strconv.ParseUint(strings.Fields(line[len(limit):])[0], 10, 64)
				if err != nil || value > most {
					t.Errorf("%s: got %.60q; want at most %d", limit, line, most)
				}
			}
			if c.memory > 1 && !strings.Contains(got, "Max data size             "+strconv.FormatUint(c.memory, 10)) {
				t.Errorf("memory: got %s; want %d", got, c.memory)
			}
			if !strings.Contains(got, "\n10\n") {
				t.Errorf("niceness: got %s; want 10", got)
			}
		})
	}
}

func TestProcess_OutputIsLimited(t *testing.T) {
	out, err := output(t.Context(), "/bin/sh", "-c", "head -c 3000000 /dev/zero")
	if err != nil || len(out) != 1<<20 {
		t.Errorf("got %d bytes, %v; want 1 MiB", len(out), err)
	}
}
