package test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"retake.example/internal/testserver"
)

// TestNoSecretOfARunIsInItsLogOrOnItsPages runs the program as an operator does, with people and admins who make
// mistakes.
func TestNoSecretOfARunIsInItsLogOrOnItsPages(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	path := filepath.Join(v.dir, "config.toml")
	settings, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	address := testserver.FreeAddress(t)
	const parentID, adminID = 700000001, 800000001
	changed := strings.NewReplacer(`listen = "127.0.0.1:0"`,
		fmt.Sprintf("listen = %q\nbase_url = \"http://%s\"", address, address),
		"[telegram]\n", fmt.Sprintf("[telegram]\nowners = [%d]\n", adminID)).
		Replace(string(settings))
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	v.breaks()
	v.start()
	w := &world{T: t, tg: v.tg, log: v.log}
	link := regexp.MustCompile(`http://\S+/login/(\S+)`)
	w.until("the link", func() bool { return link.MatchString(v.log.String()) })
	w.until("the page", func() bool { _, code := retake(t, nil, "healthcheck", "-config", path); return code == 0 })
	setUp := link.FindStringSubmatch(v.log.String())

	parent, admin := v.tg.Person(parentID, "Розалинда", "ru"), v.tg.Person(adminID, "Клементина", "ru")
	w.asks(parent, "Сбой Аглая")
	w.hears(parent, "Упс!")
	admin.Send("/admin")
	w.hears(admin, "/login/")
	var sent []string
	for _, m := range admin.Messages() {
		if found := link.FindStringSubmatch(m.Text); found != nil {
			sent = found
		}
		for _, row := range m.Buttons {
			for _, button := range row {
				if found := link.FindStringSubmatch(button.URL); found != nil {
					sent = found
				}
			}
		}
	}
	if sent == nil {
		t.Fatal("got no link from the bot")
	}
	secrets := map[string]string{
		"the token of the bot": strings.SplitN(testToken, ":", 2)[1],
		"the set-up link":      setUp[1],
		"the bot's link":       sent[1],
	}
	var pages bytes.Buffer
	do := func(method, target, body string, cookie *http.Cookie, header ...string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequest(method, "http://"+address+target, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if cookie != nil {
			r.AddCookie(cookie)
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		// a good link's button has its token
		if target != "/login/"+setUp[1] && target != "/login/"+sent[1] || resp.StatusCode != 200 {
			pages.Write(b)
		}
		return resp, string(b)
	}
	var cookies []*http.Cookie
	for _, token := range []string{setUp[1], sent[1]} {
		do("GET", "/login/"+token, "", nil)
		do("POST", "/login/"+token, "", nil, "Origin", "https://evil.example")
		if resp, _ := do("POST", "/login/"+token, "", nil); len(resp.Cookies()) == 1 {
			cookies = append(cookies, resp.Cookies()[0])
		}
		do("POST", "/login/"+token, "", nil)
		do("GET", "/login/"+token, "", nil)
	}
	if len(cookies) != 2 {
		t.Fatalf("got %d sessions; want 2", len(cookies))
	}
	in := cookies[1]
	secrets["a session"], secrets["another session"] = cookies[0].Value, in.Value
	_, library := do("GET", "/", "", in)
	failed := regexp.MustCompile(`asset-(\w+)`).FindStringSubmatch(library)
	if failed == nil {
		t.Fatalf("got %s; want the failed video\n%s", library, v.log)
	}
	for _, accept := range []string{"text/html", "application/json"} {
		for _, target := range []string{"/", "/assets/" + failed[1], "/activity", "/settings", "/retry-all", "/?q=Аглая",
			"/?q=%ff", "/nope", "/media/" + failed[1], "/login", "/healthz", "/readyz"} {
			do("GET", target, "", in, "Accept", accept)
			do("GET", target, "", nil, "Accept", accept)
			do("BREW", target, "", in, "Accept", accept)
		}
		for _, body := range []string{"name=Аглая%ff", "name=Аглая+5", "name=" + strings.Repeat("Аглая", 20000), "",
			"name=Аглая"} {
			do("POST", "/assets", body, in, "Accept", accept)
			do("POST", "/assets", body, in, "Accept", accept, "Origin", "https://evil.example")
		}
		do("POST", "/assets/"+failed[1]+"/retry", "", in, "Accept", accept)
	}
	w.until("the retry's end", func() bool {
		_, list := do("GET", "/", "", in, "Accept", "application/json")
		return !strings.Contains(list, `"status":"PENDING"`) && !strings.Contains(list, `"status":"PROCESSING"`)
	})
	for _, target := range []string{"/", "/activity", "/settings"} {
		do("GET", target, "", in)
	}
	do("POST", "/logout", "", cookies[0])
	do("POST", "/logout-everywhere", "", in)

	// The program ends, though browsers are connected.
	for _, hello := range []string{"", "GET / HTTP/1.1\r\n", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"} {
		io.WriteString(dial(t, address), hello)
	}
	if err := v.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-v.dead
	if code := v.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("got exit %d; want 0", code)
	}

	said := strings.Replace(v.log.String(), setUp[0], "", 1) // printed for the operator, once
	if !strings.Contains(said, "retake is running") || !strings.Contains(pages.String(), "Sign out") {
		t.Fatalf("got log %s and pages %s; want something to look at", said, &pages)
	}
	for what, secret := range secrets {
		if strings.Contains(said, secret) {
			t.Errorf("%s is in the log: %s", what, said)
		}
		if strings.Contains(pages.String(), secret) {
			t.Errorf("%s is on a page", what)
		}
	}
	for _, private := range []string{"Аглая", "Розалинда", "Клементина", fmt.Sprint(parentID), fmt.Sprint(adminID)} {
		if strings.Contains(said, private) {
			t.Errorf("%s is in the log: %s", private, said)
		}
		if private != "Аглая" && strings.Contains(pages.String(), private) {
			t.Errorf("%s is on a page", private)
		}
	}
}
