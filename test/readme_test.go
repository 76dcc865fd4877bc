// The commands of the README and of docs/templates.md, typed by somebody who begins with an empty folder, and the
// settings that the documents show.

package test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/testrig"
)

var shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// TestTheReadmeLeadsFromAnEmptyFolderToAVideo runs every command of the README in its order, but for those of make,
// which must be there, with the settings that it says, and asks for a video as soon as the program runs.
func TestTheReadmeLeadsFromAnEmptyFolderToAVideo(t *testing.T) {
	notShort(t)
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	where := filepath.Join(home, "copy") // of the repository, whose own config.toml is none to write into
	if err := os.Mkdir(where, 0o700); err != nil {
		t.Fatal(err)
	}
	tg := faketelegram.New(testToken)
	api := httptest.NewServer(tg)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	operator := tg.Person(111111111, "Мария", "ru")
	environ := append(
		os.Environ(),
		"HOME="+home,
		"RETAKE_TELEGRAM_API_URL="+api.URL,
		"RETAKE_WEB_LISTEN="+l.Addr().String(),
		"RETAKE_WEB_BASE_URL=http://"+l.Addr().String(),
	)
	program := fmt.Sprintf("#!/bin/sh\nexec %q \"$@\"\n", binary(t))
	for name, text := range map[string]string{"retake": program, "config.toml": testrig.Defaults()} {
		if err := os.WriteFile(filepath.Join(where, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	command := func(line string) *exec.Cmd {
		cmd := exec.Command("sh", "-c", line)
		cmd.Dir, cmd.Env = where, environ
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
			if strings.Contains(line, "cd ") {
				out, err := command(line + " && pwd").CombinedOutput()
				if err != nil {
					t.Fatalf("%s: got %v, %s; want it to work", line, err, out)
				}
				where = strings.TrimSpace(string(out))
				continue
			}
			if line != "./retake" {
				out, err := command(line).CombinedOutput()
				if err != nil {
					t.Fatalf("%s: got %v, %s; want it to work", line, err, out)
				}
				t.Logf("$ %s\n%s", line, out)
				continue
			}
			serve = command("exec " + line + " serve") // the default; without a word, a child takes another file
			serve.Stdout, serve.Stderr = w.log, w.log
			if err := serve.Start(); err != nil {
				t.Fatal(err)
			}
			w.until("the link", func() bool { return strings.Contains(w.log.String(), "/login/") })
			setUpByHand(t, "http://"+l.Addr().String(), w, operator)
			w.asks(operator, "Маша")
			w.getsVideos(operator, 1)
			t.Logf("from an empty folder to a video in %v", time.Since(began).Round(time.Second/10))
		}
	}
	if ran < 10 || serve == nil {
		t.Errorf("got %d commands; want those of a README that shows how to begin", ran)
	}
}

// setUpByHand sends the forms of the set-up until the bot has an owner.
func setUpByHand(t *testing.T, page string, w *world, operator *faketelegram.Person) {
	t.Helper()
	link := regexp.MustCompile(`http://\S+/login/\S+`).FindString(w.log.String())
	var session []*http.Cookie
	send := func(address, body string) (answer string) {
		r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept", "application/json")
		for _, c := range session {
			r.AddCookie(c)
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if session == nil {
			session = resp.Cookies()
		}
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode >= 400 {
			t.Fatalf("%s: got %s, %s, %v; want it taken", body, resp.Status, b, err)
		}
		return string(b)
	}
	send(link, "")
	send(page+"/setup", "do=token&token="+url.QueryEscape(testToken))
	code := regexp.MustCompile(`"code":"([^"]+)"`).FindStringSubmatch(send(page+"/setup", "do=code"))
	if code == nil {
		t.Fatal("got no code for the owner")
	}
	operator.Send("/start " + code[1])
	w.hears(operator, "Теперь вы владелец")
}

// TestTheCommandsOfTheTemplatePageWork makes a template of a film as docs/templates.md says: in a folder of its own,
// with the lines that it shows, the voice's too, and the settings that offer it.
func TestTheCommandsOfTheTemplatePageWork(t *testing.T) {
	notShort(t)
	t.Parallel()
	const page = "docs/templates.md"
	dir := t.TempDir()
	own := filepath.Join(dir, "templates", "grandfather-frost")
	if err := os.MkdirAll(own, 0o700); err != nil {
		t.Fatal(err)
	}
	film := exec.Command(
		"ffmpeg",
		"-v",
		"error",
		"-f",
		"lavfi",
		"-i",
		"color=navy:size=1920x1080:rate=5",
		"-t",
		"9",
		"-pix_fmt",
		"yuv420p",
		filepath.Join(own, "film.mp4"),
	)
	if out, err := film.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for path, text := range map[string]string{
		filepath.Join(own, "template.toml"): block(t, page, "toml", "title = ") + block(t, page, "toml", "[voice]"),
		filepath.Join(dir, "config.toml"):   block(t, page, "toml", "[render]"),
		filepath.Join(dir, "retake"):        fmt.Sprintf("#!/bin/sh\nexec %q \"$@\"\n", binary(t)),
	} {
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, script := range []string{block(t, page, "sh", "retake template check"), "retake check || true"} {
		cmd := exec.Command("sh", "-euc", script)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: got %v, %s; want it to work", script, err, out)
		}
		if strings.Contains(script, "|| true") &&
			!strings.Contains(string(out), "ok       template grandfather-frost: it draws a name\n") {
			t.Errorf("got %s; want the template offered", out) // the bot is off, which is the fault that the command ends with
		}
	}
	for name, begins := range map[string]string{"still.png": "\x89PNG", "video.mp4": "\x00\x00\x00"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || len(b) < 10_000 ||
			!strings.HasPrefix(string(b), begins) {
			t.Errorf("%s: got %d bytes, %v; want what was previewed", name, len(b), err)
		}
	}
}

// keyOfSettings finds a key of the settings in a text about them.
var keyOfSettings = regexp.MustCompile(
	"`((?:telegram|web|log|queue|limits|privacy|render|voice|youtube|rumble|backup|media(?:\\.s3)?)\\.[a-z0-9_]+)(?: = " +
		"[^`]*)?`",
)

// TestTheSettingsOfTheDocumentsAreTaken loads whatever the documents say to write into config.toml, and looks for each
// key they name.
func TestTheSettingsOfTheDocumentsAreTaken(t *testing.T) {
	keys, section := map[string]bool{"media.s3": true}, ""
	for line := range strings.Lines(testrig.Defaults()) {
		if strings.HasPrefix(line, "[") {
			section = line[1:strings.Index(line, "]")] + "."
		} else if key, _, ok := strings.Cut(line, " = "); ok && !strings.HasPrefix(line, "#") {
			keys[section+key] = true
			if !strings.Contains(line, " # ") {
				t.Errorf("%s%s: got %s; want a word about it in config.toml", section, key, line)
			}
		}
	}
	secrets := map[string]string{
		"[media.s3]": "RETAKE_MEDIA_S3_SECRET_KEY=secret",
		"[youtube]":  "RETAKE_YOUTUBE_CLIENT_SECRET=secret",
	} // which none of them shows
	loaded, named := 0, 0
	for document, text := range testrig.Documents(t) {
		for _, m := range keyOfSettings.FindAllStringSubmatch(text, -1) {
			named++
			if !keys[m[1]] && !strings.HasSuffix(m[1], ".go") && m[1] != "youtube.upload" &&
				m[1] != "youtube.readonly" { // rights that Google gives
				t.Errorf("%s names %s; want a key that there is", document, m[1])
			}
		}
		for _, b := range testrig.Blocks(text) {
			if b.Language != "toml" || !regexp.MustCompile(`^(\[|#)`).MatchString(b.Text) ||
				strings.HasPrefix(b.Text, "[voice]\ntext ") {
				continue // a template.toml
			}
			loaded++
			path := filepath.Join(t.TempDir(), "config.toml")
			if err := os.WriteFile(path, []byte(strings.Replace(b.Text, "123456789:AA…", testToken, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			var environ []string
			for section, secret := range secrets {
				if strings.Contains(b.Text, section) {
					environ = append(environ, secret)
				}
			}
			if _, err := testrig.LoadConfig(path, environ); err != nil {
				t.Errorf("%s: got %v; want it taken\n%s", document, err, b.Text)
			}
		}
	}
	if loaded < 9 || named < 30 {
		t.Errorf("got %d blocks of settings, and %d keys named; want all of them", loaded, named)
	}
}
