//go:build install

// Tests of what is released, as a person meets it: the commands of docs/install.md in a machine with systemd, from an
// empty folder to a delivered video. They need root: make install-test.

package packaging

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	faketelegram "retake.example/internal/fake/telegram"
)

// token is the one of docs/install.md.
const token = "123456789:AAaaBBbbCCccDDddEEeeFFffGGggHHhhIIi"

// telegram is where the stand-in for Telegram listens.
const telegram = "127.0.0.1:8081"

func TestMain(m *testing.M) {
	if os.Getenv("STAND_IN") != "" {
		log.Fatal(standIn())
	}
	os.Exit(m.Run())
}

// looked reports whether something has come true, which it looks for again and again. It gives up when nothing that state
// describes has changed in so many looks as take five minutes: time that the machine stands still does not count.
func looked(is func() bool, state func() int) bool {
	for last, looks := state(), 0; !is(); looks++ {
		if now := state(); now != last {
			last, looks = now, 0
		}
		if looks == 6000 {
			return false
		}
		time.Sleep(50 * time.Millisecond)
	}
	return true
}

// standIn is Telegram, and a parent: GET /ask?name=… is answered when the video has come.
func standIn() error {
	tg := faketelegram.New(token)
	parent := tg.Person(1, "П", "ru")
	mux := http.NewServeMux()
	mux.Handle("/", tg)
	mux.HandleFunc("GET /ask", func(w http.ResponseWriter, r *http.Request) {
		since := parent.Send(r.FormValue("name"))
		find := func(fits func(faketelegram.Message) bool) (m faketelegram.Message, found bool) {
			found = looked(func() bool {
				all := parent.Messages()
				i := slices.IndexFunc(all, func(m faketelegram.Message) bool {
					return m.FromBot &&
						int64(m.ID) > since && fits(m)
				})
				if i >= 0 {
					m = all[i]
				}
				return i >= 0 || r.Context().Err() != nil
			}, tg.Count)
			return m, found
		}
		question, found := find(func(m faketelegram.Message) bool { return len(m.Buttons) > 0 })
		if found {
			parent.Press(question.ID, question.Buttons[0][0].Data)
			question, found = find(func(m faketelegram.Message) bool { return m.Video != nil })
		}
		if !found {
			http.Error(w, fmt.Sprintf("nothing happens any more; %+v", parent.Messages()), http.StatusGatewayTimeout)
			return
		}
		json.NewEncoder(w).Encode(question.Video)
	})
	return http.ListenAndServe(telegram, mux)
}

// machine is a copy of this one that systemd runs.
type machine struct {
	*testing.T
	folder string // /mnt/retake
	pid    int
}

// boot starts a machine with files in a folder of it.
func boot(t *testing.T, files ...string) *machine {
	t.Helper()
	m := &machine{T: t, folder: t.TempDir()}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(files, own) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(m.folder, filepath.Base(path)), text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(m.folder, 0o755); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command("./boot.sh", m.folder)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		name := "retake-boot-" + strconv.Itoa(cmd.Process.Pid)
		m.until("the end of its groups", func() bool {
			groups, _ := filepath.Glob("/sys/fs/cgroup/*/" + name)
			if _, err := os.Stat("/sys/fs/cgroup/" + name); err == nil {
				groups = append(groups, "/sys/fs/cgroup/"+name)
			}
			for _, dir := range groups {
				// once nobody is left in them
				exec.Command("find", dir, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";").Run()
			}
			return len(groups) == 0
		})
	})
	m.until("systemd", func() bool {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", cmd.Process.Pid))
		if err != nil {
			t.Fatalf("%v: %s", err, &said)
		}
		m.pid, _ = strconv.Atoi(strings.TrimSpace(string(children)))
		if m.pid == 0 {
			return false
		}
		out, _ := m.enter("systemctl", "is-system-running").CombinedOutput()
		return strings.HasPrefix(string(out), "running") || strings.HasPrefix(string(out), "degraded")
	})
	stand := m.enter("/mnt/retake/" + filepath.Base(own))
	stand.Env = append(os.Environ(), "STAND_IN=1")
	if err := stand.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stand.Process.Kill(); stand.Wait() })
	m.until("the stand-in for Telegram", func() bool {
		return m.enter("curl", "-s",
			"http://"+telegram+"/").Run() == nil
	})
	return m
}

func (m *machine) until(what string, done func() bool) {
	m.Helper()
	if !looked(done, func() int { return 0 }) {
		m.Fatalf("gave up waiting for %s", what)
	}
}

// enter is a command in the machine.
func (m *machine) enter(argv ...string) *exec.Cmd {
	where := []string{"--target", strconv.Itoa(m.pid), "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup",
		"--root", "--wd"}
	return exec.Command("nsenter", append(where, argv...)...)
}

// try runs a script there, in /mnt/retake.
func (m *machine) try(script string) (string, error) {
	cmd := m.enter("sh", "-ec",
		`sudo() { if [ "$1" = -u ]; then local user="$2"; shift 2; runuser -u "$user" -- "$@"; else "$@"; fi; }; `+
			"cd /mnt/retake; "+script)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LANG=C.UTF-8"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// does runs a script there that must work, and logs it.
func (m *machine) does(script string) string {
	m.Helper()
	began := time.Now()
	out, err := m.try(script)
	m.Logf("%s\n(%.1f s) %s", script, time.Since(began).Seconds(), out)
	if err != nil {
		journal, _ := m.try("journalctl --no-pager -n 60 -u retake")
		m.Fatalf("%v\n%s", err, journal)
	}
	return out
}

// commands are the blocks of shell commands of a document, of all of it or under a heading.
func commands(t *testing.T, document, heading string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/" + document)
	if err != nil {
		t.Fatal(err)
	}
	section := string(text)
	if heading != "" {
		_, below, ok := strings.Cut(section, "\n## "+heading+"\n")
		if !ok {
			t.Fatalf("%s has no heading %q", document, heading)
		}
		section, _, _ = strings.Cut(below, "\n## ")
	}
	for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(section, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// code is a block of a document, by its language and what it begins with.
func code(t *testing.T, document, language, begins string) string {
	t.Helper()
	text, err := os.ReadFile("../docs/" + document)
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), "```"+language+"\n"+begins)
	if !ok {
		t.Fatalf("%s has no block of %s that begins with %q", document, language, begins)
	}
	script, _, _ := strings.Cut(after, "```")
	return begins + script
}

// video is what a parent gets.
func (m *machine) video(name string) {
	m.Helper()
	var got faketelegram.VideoInfo
	out := m.does("curl --fail-with-body -s --get --data-urlencode 'name=" + name + "' http://" + telegram + "/ask")
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.Size < 100_000 || got.Width == 0 || got.Animation {
		m.Errorf("got %s, %v; want a video with sound", out, err)
	}
}

// released builds the release once and returns its files of this processor.
func released(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob("../build/release/" + pattern)
	if err != nil || len(files) != 1 {
		t.Fatalf("got %v, %v; want the one file %s: make release", files, err, pattern)
	}
	return files[0]
}

const sums = "../build/release/SHA256SUMS"

// abroad is what the documented commands do not say: Telegram is a stand-in.
const abroad = "echo http://" + telegram + " >/etc/retake/credentials/telegram.api_url"

func TestFromAnEmptyFolderToAVideoByThePackage(t *testing.T) {
	m := boot(t, released(t, "*_amd64.deb"), sums)
	steps := commands(t, "install.md", "Debian and Ubuntu")
	if len(steps) != 4 {
		t.Fatalf("got %d blocks of commands; want 4: install, configure, sign in, check", len(steps))
	}
	began := time.Now()
	m.does(steps[0])
	if out, err := m.try("systemctl is-active retake"); err == nil {
		t.Errorf("got %s; want nothing started before it is configured", out)
	}
	m.does(abroad)
	m.does(steps[1])
	m.video("Маша")
	t.Logf("from the package to the video: %.1f s", time.Since(began).Seconds())
	if out := m.does(steps[2]); strings.Count(out, "http://localhost:8080/login/") != 2 {
		t.Errorf("got %s; want the first link and another", out)
	}
	m.does(steps[3])
	m.does("sudo -u retake kill -USR1 $(cat /var/lib/retake/lock)") // as retake retry wakes it
	m.does("printf 'Анна\\nЕва\\n' >names.txt")                     // the list of videos in advance
	for _, script := range commands(t, "operating.md", "") {
		m.does(script)
	}

	// A backup on another disk, and putting it back, as docs/backup.md says it for the service.
	m.does("mkdir /mnt/backup && chown retake /mnt/backup && sudo -u retake retake backup -config " +
		"/etc/retake/config.toml /mnt/backup/monday.db")
	m.does("mkdir -p /etc/systemd/system/retake.service.d; cat >/etc/systemd/system/retake.service.d/backup.conf " +
		"<<'END'\n" + code(t, "backup.md", "ini", "[Service]") + "END\nsystemctl daemon-reload")
	if out := m.does("systemctl show retake -P ReadWritePaths"); !strings.Contains(out, "/mnt/backup") {
		t.Errorf("got %s; want the other disk written to", out)
	}
	// a parent was served since
	m.does(strings.Replace(code(t, "backup.md", "text", "sudo systemctl stop"), " restore ", " restore -force ", 1))
	m.does("systemctl is-active retake; rm -r /etc/systemd/system/retake.service.d; systemctl daemon-reload; " +
		"systemctl restart retake")

	// Who it runs as, what it left, and that the unit is the one that is measured.
	if out := m.does("systemctl show retake -p User -p NotifyAccess -p WatchdogUSec -p ActiveState -p StatusText; " +
		"stat -c '%U %a %n' /var/lib/retake /var/lib/retake/retake.db /etc/retake/config.toml " +
		"/etc/retake/credentials"); !strings.Contains(out, "User=retake") ||
		!strings.Contains(out, "WatchdogUSec=1min") || !strings.Contains(out, "retake 750 /var/lib/retake\n") ||
		!strings.Contains(out, "root 640 /etc/retake/config.toml") || !strings.Contains(out,
		"root 700 /etc/retake/credentials") {
		t.Errorf("got %s", out)
	}
	if out, err := m.try("systemd-analyze security --threshold=11 --no-pager retake"); err != nil {
		t.Errorf("got %v; want an exposure of 1.1 at the most\n%s", err, out)
	}

	t.Run("a watchdog that is not fed starts it again", func(t *testing.T) {
		m.does("systemctl stop retake; mkdir -p /run/systemd/system/retake.service.d; printf " +
			"'[Service]\\nWatchdogSec=2s\\nRestartSec=0\\n' >/run/systemd/system/retake.service.d/short.conf; " +
			"systemctl daemon-reload; systemctl start retake")
		pid := m.does("systemctl show retake -P MainPID")
		m.does("kill -STOP " + pid) // the crudest way to hang; how the queue stops the food is tested beside it
		m.until("another process", func() bool {
			now, _ := m.try("systemctl show retake -P MainPID; systemctl is-active retake")
			return strings.HasSuffix(strings.TrimSpace(now), "\nactive") && !strings.HasPrefix(now,
				strings.TrimSpace(pid)+"\n")
		})
		if out := m.does("systemctl show retake -P Result -P NRestarts; journalctl --no-pager -u retake | grep -i " +
			"watchdog"); !strings.Contains(out, "Watchdog timeout") {
			t.Errorf("got %s; want a watchdog timeout", out)
		}
		m.video("Петя")
	})
	t.Run("its signals do what the manual says", func(t *testing.T) {
		process := func() string { return strings.TrimSpace(m.does("systemctl show retake -P MainPID")) }
		pid := process()
		m.does("systemctl reload retake; sudo -u retake kill -USR1 " + pid + "; systemctl is-active retake")
		m.video("Оля")
		if now := process(); now != pid {
			t.Errorf("got the process %s after HUP and USR1; want %s to go on", now, pid)
		}
		for _, signal := range []string{"TERM", "INT"} {
			pid := process()
			m.does("kill -" + signal + " " + pid)
			m.until("another process after "+signal, func() bool {
				now, _ := m.try("systemctl show retake -P MainPID; systemctl is-active retake")
				return strings.HasSuffix(strings.TrimSpace(now), "\nactive") && !strings.HasPrefix(now, pid+"\n")
			})
		}
		m.video("Юля")
	})
	t.Run("a mistake in the settings is not tried again", func(t *testing.T) {
		m.does("cp -p /etc/retake/config.toml /tmp/config.toml; echo 'colour = 1' >>/etc/retake/config.toml")
		if out, err := m.try("systemctl restart retake"); err == nil {
			t.Errorf("got %s; want a failure", out)
		}
		if out := m.does("systemctl show retake -p ExecMainStatus -p ActiveState; systemctl status --no-pager retake " +
			"|| true"); !strings.Contains(out, "ExecMainStatus=78") || !strings.Contains(out, "ActiveState=failed") ||
			!strings.Contains(out, "colour") {
			t.Errorf("got %s; want exit 78, failed, and the key", out)
		}
		m.does("cp -p /tmp/config.toml /etc/retake/config.toml; systemctl restart retake")
	})
	t.Run("a newer package restarts it, asks nothing and keeps the settings", func(t *testing.T) {
		pid := m.does("systemctl show retake -P MainPID")
		m.does("sed -i 's/^# /# mine: /' /etc/retake/config.toml")
		m.does(newer("2") + "DEBIAN_FRONTEND=readline apt-get install -y ./newer.deb </dev/null; " +
			"grep -q 111111111 /etc/retake/config.toml; grep -q '^# mine: ' /etc/retake/config.toml; systemctl is-active retake; " +
			"! ls /etc/retake/*.dpkg-*")
		if now := m.does("systemctl show retake -P MainPID"); now == pid {
			t.Errorf("got the process %s; want another", now)
		}
		m.video("Маша")
	})
	t.Run("a newer package is installed even if the program does not start", func(t *testing.T) {
		m.does("cp -p /etc/retake/config.toml /tmp/config.toml; echo 'colour = 1' >>/etc/retake/config.toml; " +
			newer("3") + "apt-get install -y ./newer.deb")
		if out := m.does("dpkg-query -W -f '${db:Status-Abbrev}' retake; systemctl is-active retake || true"); !strings.
			HasPrefix(out, "ii ") || !strings.Contains(out, "failed") {
			t.Errorf("got %s; want it installed, and failed by its settings", out)
		}
		m.does("cp -p /tmp/config.toml /etc/retake/config.toml; systemctl restart retake")
	})
	t.Run("a second bot runs beside it", func(t *testing.T) {
		m.does(code(t, "install.md", "sh", "sudo install -d -m 755 /etc/retake/second"))
		m.does("echo http://" + telegram + " >/etc/retake/second/credentials/telegram.api_url")
		m.does(code(t, "install.md", "sh", "sudo systemctl enable --now retake@second"))
		if out := m.does("systemctl is-active retake retake@second; stat -c %U /var/lib/retake-second/retake.db; " +
			"curl -s -o /dev/null -o /dev/null -w '%{http_code} ' http://127.0.0.1:8080/healthz http://127.0.0.1:8082/healthz"); out !=
			"active\nactive\nretake\n200 200 " {
			t.Errorf("got %s; want both", out)
		}
		pid := m.does("systemctl show retake@second -P MainPID")
		m.does(newer("4") + "apt-get install -y ./newer.deb; systemctl is-active retake@second")
		if now := m.does("systemctl show retake@second -P MainPID"); now == pid {
			t.Errorf("got the process %s; want another after the upgrade", now)
		}
	})
	t.Run("the manual and the completions are there", func(t *testing.T) {
		m.does("man --where retake; bash -c 'source /usr/share/bash-completion/completions/retake; complete -p retake'")
	})
	t.Run("it goes, and the data stay", func(t *testing.T) {
		m.does("apt-get purge -y retake")
		if out := m.does("ls /etc/retake /usr/bin/retake /usr/lib/systemd/system/retake.service 2>&1 || true; ls " +
			"/var/lib/retake/retake.db"); strings.Count(out, "No such file") != 3 {
			t.Errorf("got %s; want the data only", out)
		}
	})
}

// newer is a script that makes newer.deb of the package: a greater version whose config.toml says something else.
func newer(number string) string {
	return "rm -rf newer newer.deb; dpkg-deb --raw-extract retake_*_amd64.deb newer; " +
		"sed -i 's/^Version: .*/&+" + number + "/' newer/DEBIAN/control; " +
		"sed -i '1i # Version " + number + ".' newer/usr/share/retake/config.toml; " +
		"sed -i '/usr.share.retake.config/d' newer/DEBIAN/md5sums; dpkg-deb --build newer newer.deb; "
}

func TestLintianFindsNothing(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		out, err := exec.Command("lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0",
			released(t, "*_"+arch+".deb")).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%s: got %v, %s; want nothing", arch, err, out)
		}
	}
}

func TestFromAnEmptyFolderToAVideoByTheArchive(t *testing.T) {
	m := boot(t, released(t, "*-linux-amd64.tar.gz"))
	steps := commands(t, "install.md", "Any Linux with systemd")
	if len(steps) != 1 {
		t.Fatalf("got %d blocks of commands; want 1", len(steps))
	}
	began := time.Now()
	m.does(steps[0])
	m.does(abroad)
	m.does(commands(t, "install.md", "Debian and Ubuntu")[1])
	m.video("Маша")
	t.Logf("from the archive to the video: %.1f s", time.Since(began).Seconds())
	m.does("sudo -u retake retake healthcheck -config /etc/retake/config.toml; systemctl stop retake")
	if out := m.does("journalctl --no-pager -u retake"); strings.Contains(out, "Маша") || strings.Contains(out, token) {
		t.Errorf("got %s; want neither a name nor the token", out)
	}
}

func TestTheSameCommitGivesTheSameBytes(t *testing.T) {
	copied := t.TempDir() // another folder, and a stage of its own
	if out, err := exec.Command("git", "clone", "-q", "..", copied).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.Command("go", "run", "./packaging/release")
	cmd.Dir = copied
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ours, err := os.ReadFile(sums)
	if err != nil {
		t.Fatal(err)
	}
	again, err := os.ReadFile(filepath.Join(copied, "build/release/SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(ours, again) {
		t.Errorf("got\n%swant\n%s", again, ours)
	}
}
