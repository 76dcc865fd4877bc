// Tests of Retake among others' programs: behind the web servers of docs/install.md, and with the render servers of
// docs/scaling.md, as the documents set them up.

package test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"retake.example/internal/testserver"
)

// block returns a block of code of a document, by its language and what it begins with.
func block(t *testing.T, document, language, begins string) string {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		if strings.HasPrefix(m[1], begins) {
			return m[1]
		}
	}
	t.Fatalf("%s has no block of %s that begins with %q", document, language, begins)
	return ""
}

// swap replaces what a document says by what holds here.
func swap(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if strings.Count(text, pairs[i]) != 1 {
			t.Fatalf("got %s; want %q in it once", text, pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

// background runs a program until the test ends, and returns what it says and how to kill it.
func background(t *testing.T, cmd *exec.Cmd) (said *journal, kill func()) {
	t.Helper()
	said = &journal{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: make test fetches what is missing", err)
	}
	kill = sync.OnceFunc(func() { cmd.Process.Kill(); cmd.Wait() })
	t.Cleanup(func() {
		kill()
		if t.Failed() {
			t.Log(said)
		}
	})
	return said, kill
}

// listens waits until somebody does, at an address.
func listens(t *testing.T, address string, said *journal) {
	t.Helper()
	w := &world{T: t, log: said}
	w.until(address, func() bool {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return false
		}
		c.Close()
		return true
	})
}

// nginx runs Debian's nginx with the given lines in its http section, and returns what it logs.
func nginx(t *testing.T, text string) *journal {
	t.Helper()
	dir, err := os.MkdirTemp("", "nginx") // its workers are nobody when it is root: t.TempDir would shut them out
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;\n"
	}
	conf := user + "daemon off;\nmaster_process off;\npid " + dir + "/pid;\nerror_log stderr;\nevents {}\nhttp {\n" +
		"log_format orders '$request_method $upstream_addr $status';\naccess_log /dev/stdout orders;\n"
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		conf += fmt.Sprintf("%s_temp_path %s/%[1]s;\n", kind, dir)
	}
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf+text+"}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	said, _ := background(t, exec.Command("build/proxies/usr/sbin/nginx", "-p", dir, "-e", "stderr", "-c", path))
	return said
}

// certificate is one for a host that nobody vouches for, in two files.
func certificate(t *testing.T, host string) (cert, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &secret.PublicKey, secret)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der},
		key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestThePageWorksBehindTheWebServersOfTheDocument(t *testing.T) {
	const host = "retake.example.com"
	for name, server := range map[string]func(t *testing.T, address, page string) *journal{
		"nginx": func(t *testing.T, address, page string) *journal {
			cert, key := certificate(t, host)
			location := swap(t, block(t, "docs/install.md", "nginx", "location / {"), "127.0.0.1:8080", page)
			return nginx(t, fmt.Sprintf("server {\nlisten %s ssl http2;\nserver_name %s;\nssl_certificate "+
				"%s;\nssl_certificate_key %s;\n%s}\n", address, host, cert, key, location))
		},
		"Caddy": func(t *testing.T, address, page string) *journal {
			dir := t.TempDir()
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				t.Fatal(err)
			}
			_, plain, err := net.SplitHostPort(testserver.FreeAddress(t))
			if err != nil {
				t.Fatal(err)
			}
			// What no test can have: a certificate of a public authority, and the ports 80 and 443.
			text := fmt.Sprintf("{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\thttp_port %s\n\thttps_port "+
				"%s\n\tdefault_bind 127.0.0.1\n\tstorage file_system %s\n}\n", plain, port, dir) +
				swap(t, block(t, "docs/install.md", "caddy", host), "127.0.0.1:8080", page)
			path := filepath.Join(dir, "Caddyfile")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("build/proxies/usr/bin/caddy", "run", "--config", path, "--adapter", "caddyfile")
			cmd.Env = append(os.Environ(), "HOME="+dir)
			said, _ := background(t, cmd)
			return said
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, page, address := newVictim(t), testserver.FreeAddress(t), testserver.FreeAddress(t)
			file := filepath.Join(v.dir, "config.toml")
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			web := swap(t, block(t, "docs/install.md", "toml", "[web]"), "[web]\n", "[web]\nlisten = \""+page+"\"\n")
			if err := os.WriteFile(file, []byte(swap(t, string(text), "[web]\nlisten = \"127.0.0.1:0\"\n", web)),
				0o600); err != nil {
				t.Fatal(err)
			}
			v.start()
			listens(t, page, v.log)
			said := server(t, address, page)
			(&world{T: t, log: said}).until("a certificate", func() bool {
				c, err := tls.Dial("tcp", address, &tls.Config{ServerName: host, InsecureSkipVerify: true})
				if err != nil {
					return false
				}
				c.Close()
				return true
			})

			client := &http.Client{
				// nobody vouches for it
				Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
					DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
						return (&net.Dialer{}).DialContext(ctx, network, address)
					}},
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			}
			defer client.CloseIdleConnections()
			var session *http.Cookie
			ask := func(method, url, kind string, body io.Reader) *http.Response {
				t.Helper()
				r, err := http.NewRequestWithContext(t.Context(), method, url, body)
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Content-Type", kind)
				if method == http.MethodPost {
					r.Header.Set("Origin", "https://"+host)
				}
				if session != nil {
					r.AddCookie(session)
				}
				resp, err := client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				return resp
			}

			printed := regexp.MustCompile(`https://` + host + `/login/\S+`)
			(&world{T: t, log: v.log}).until("the link", func() bool { return printed.MatchString(v.log.String()) })
			link := printed.FindString(v.log.String())
			resp := ask("POST", link, "application/x-www-form-urlencoded", nil)
			resp.Body.Close()
			if cookies := resp.Cookies(); resp.StatusCode != http.StatusSeeOther || len(cookies) != 1 || !cookies[0].Secure {
				t.Fatalf("got %s, %v; want a secure cookie", resp.Status, cookies)
			}
			session = resp.Cookies()[0]

			resp = ask("GET", "https://"+host+"/events", "", nil)
			first := make(chan error, 1)
			go func() {
				line, err := bufio.NewReader(resp.Body).ReadString('\n')
				if err == nil && !strings.HasPrefix(line, "retry:") {
					err = fmt.Errorf("got %q", line)
				}
				first <- err
			}()
			select {
			case err := <-first:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(stall):
				t.Error("what happens does not come: it is kept back until there is more of it")
			}
			resp.Body.Close()

			path, err := sample()
			if err != nil {
				t.Fatal(err)
			}
			film, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			film = append(film, "\x00\x40\x00\x00free"...) // 4 MB that no player looks at
			film = append(film, make([]byte, 4<<20-8)...)
			body, kind := form(
				part{"title", "", "Film"},
				part{"file", "film.mp4", string(film)},
			)
			resp = ask("POST", "https://"+host+"/uploads", kind, bytes.NewReader(body))
			answer, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if where := resp.Header.Get("Location"); resp.StatusCode != http.StatusSeeOther ||
				!strings.HasPrefix(where, "/assets/") {
				t.Fatalf("got %s to %q; want the page of what was uploaded\n%.300s", resp.Status, where, answer)
			}
			id := regexp.MustCompile(`^/assets/(\w+)`).FindStringSubmatch(resp.Header.Get("Location"))[1]
			resp = ask("GET", "https://"+host+"/media/"+id, "", nil)
			back, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || !bytes.Equal(back, film) {
				t.Errorf("got %d bytes, %v; want the film again, %d bytes", len(back), err, len(film))
			}
		})
	}
}

// TestOneOfTwoRenderServersDies is the example of docs/scaling.md: all videos come.
func TestOneOfTwoRenderServersDies(t *testing.T) {
	notShort(t)
	t.Parallel()
	program := filepath.Join(t.TempDir(), "generator")
	if out, err := exec.Command("go", "build", "-o", program, "./docs/generator").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	type server struct {
		address string
		said    *journal
		kill    func()
	}
	var servers []server
	for range 2 {
		address := testserver.FreeAddress(t)
		said, kill := background(t, exec.Command(program, "-listen", address))
		listens(t, address, said)
		servers = append(servers, server{address, said, kill})
	}
	front := testserver.FreeAddress(t)
	orders := nginx(t, swap(t, block(t, "docs/scaling.md", "nginx", "upstream renderers {"),
		"10.0.0.11:9000", servers[0].address, "10.0.0.12:9000", servers[1].address, "127.0.0.1:9000", front,
		`10\.0\.0\.1[12]:9000`, servers[0].address+"|"+servers[1].address))
	listens(t, front, orders)

	v := newVictim(t)
	file := filepath.Join(v.dir, "config.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	own, _, _ := strings.Cut(string(text), "[render]\n")
	document := block(t, "docs/scaling.md", "toml", "[queue]\n")
	queue, render, _ := strings.Cut(document, "[render]\n")
	own = swap(t, own, "[queue]\nworkers = 2\n", queue) + "[render]\n" + swap(t, render, "127.0.0.1:9000", front)
	if err := os.WriteFile(file, []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	v.start()
	names := []string{"Аня", "Боря", "Вера", "Гена", "Даша", "Егор", "Женя", "Зоя"}
	ctx := v.asLongAsItSends()
	came := make(chan error, len(names))
	for i, name := range names {
		p := parent{v.tg.Person(int64(i+1), name, "ru"), v.tg}
		go func() { came <- p.wants(ctx, name, func() { t.Errorf("%s got an apology", name) }) }()
	}
	w := &world{T: t, log: v.log}
	taken := func(s server) int {
		return len(regexp.MustCompile("(?m)^POST (.*, )?"+s.address+" 202$").FindAllString(orders.String(), -1))
	}
	w.until("all orders are placed", func() bool { return taken(servers[0])+taken(servers[1]) == len(names) })
	busy, other := servers[0], servers[1]
	if taken(other) > taken(busy) {
		busy, other = other, busy
	}
	w.until("a video of the busier server", func() bool { return strings.Contains(busy.said.String(), "job ") })
	busy.kill()
	before := taken(other)
	for range names {
		if err := <-came; err != nil {
			t.Error(err)
		}
	}
	if t.Failed() {
		t.Log(v.log)
	}
	t.Logf(
		"orders of the server that died and of the other: %d and %d, and afterwards %d",
		taken(busy),
		before,
		taken(other)-before,
	)
	if taken(other) == before {
		t.Errorf("got no order placed again; want those of the server that died\n%s", orders)
	}
}
