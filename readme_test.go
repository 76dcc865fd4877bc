// The README's commands, typed by somebody who begins with an empty folder.

package main

import (
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	faketelegram "retake/internal/fake/telegram"
)

var shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// TestTheReadmeLeadsFromAnEmptyFolderToAVideo runs every command of the README in its order, but for those of make, which
// must be there, with the settings that it says, and asks for a video as soon as the program runs.
func TestTheReadmeLeadsFromAnEmptyFolderToAVideo(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	tg := faketelegram.New(testToken)
	api := httptest.NewServer(tg)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	operator := tg.Person(111111111, "Мария", "ru")
	environ := append(os.Environ(), "RETAKE_TELEGRAM_API_URL="+api.URL, "RETAKE_WEB_LISTEN="+l.Addr().String(), "RETAKE_WEB_BASE_URL=http://"+l.Addr().String())
	program := fmt.Sprintf("#!/bin/sh\nexec env %s=. %s=0 %q \"$@\"\n", childDir, childPoint, os.Args[0])
	if err := os.WriteFile(filepath.Join(dir, "retake"), []byte(program), 0o700); err != nil {
		t.Fatal(err)
	}
	command := func(line string) *exec.Cmd {
		cmd := exec.Command("sh", "-c", "exec "+line)
		cmd.Dir, cmd.Env = dir, environ
		return cmd
	}
	var serve *exec.Cmd
	w := &world{T: t, tg: tg, log: &journal{}}
	t.Cleanup(func() {
		if serve != nil {
			serve.Process.Kill()
			serve.Wait()
		}
		tg.Close()
		api.Close()
	})

	began := time.Now()
	ran := 0
	for _, block := range shellBlock.FindAllStringSubmatch(string(readme), -1) {
		for line := range strings.Lines(block[1]) {
			line = strings.TrimSpace(line)
			ran++
			if target, ok := strings.CutPrefix(line, "make "); ok {
				if !regexp.MustCompile(`(?m)^` + target + `:`).Match(makefile) {
					t.Errorf("make %s: there is no such target", target)
				}
				continue
			}
			if line != "./retake" {
				out, err := command(line).CombinedOutput()
				if err != nil {
					t.Fatalf("%s: got %v, %s; want it to work", line, err, out)
				}
				t.Logf("$ %s\n%s", line, out)
				switch line {
				case "./retake init":
					set(t, filepath.Join(dir, "config.toml"), readme)
					operator.Send("/start")
				case "./retake check":
					if !strings.HasSuffix(string(out), "All is well.\n") {
						t.Errorf("got %s; want all well", out)
					}
				}
				continue
			}
			serve = command(line)
			serve.Stdout, serve.Stderr = w.log, w.log
			if err := serve.Start(); err != nil {
				t.Fatal(err)
			}
			w.until("the link", func() bool { return strings.Contains(w.log.String(), "/login/") })
			w.asks(operator, "Маша")
			w.getsVideos(operator, 1)
			t.Logf("from an empty folder to a video in %v", time.Since(began).Round(time.Second/10))
		}
	}
	if ran < 10 || serve == nil {
		t.Errorf("got %d commands; want those of a README that shows how to begin", ran)
	}
}

// set changes the settings as the README says, but for the token, which this Telegram must know.
func set(t *testing.T, path string, readme []byte) {
	t.Helper()
	said := regexp.MustCompile("(?ms)^```toml\n\\[telegram\\]\n(.*?)^```$").FindSubmatch(readme)
	text, err := os.ReadFile(path)
	if err != nil || said == nil {
		t.Fatalf("got %v, %q; want the settings to change", err, said)
	}
	for line := range strings.Lines(string(said[1])) {
		key, _, _ := strings.Cut(line, " = ")
		if key == "token" {
			line = fmt.Sprintf("token = %q\n", testToken)
		}
		given := regexp.MustCompile(`(?m)^` + key + ` = .*\n`)
		if len(given.FindAll(text, -1)) != 1 {
			t.Fatalf("%s: got %s; want it once, to be set", key, text)
		}
		text = given.ReplaceAll(text, []byte(line))
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
