// Messages arrive in the shape that each way wants, and no error tells a secret.

package alarm

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestSend_AWebhookGetsItsShape(t *testing.T) {
	var title, kind, body string
	status := 200
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		title, kind, body = r.Header.Get("Title"), r.Header.Get("Content-Type"), string(text)
		w.WriteHeader(status)
	}))
	defer server.Close()
	w := Ways{Webhook: server.URL + "/a-secret", Shape: Ntfy}
	if _, err := w.Send(t.Context(), "Retake", "⚠️ Диск"); err != nil || title != "Retake" || body != "⚠️ Диск" ||
		!strings.HasPrefix(kind, "text/plain") {
		t.Errorf("ntfy: got %q, %q, %q, %v; want the text, and a title", title, kind, body, err)
	}
	w.Shape = Slack
	var got struct{ Text string }
	_, err := w.Send(t.Context(), "Retake", "⚠️ Диск")
	if json.Unmarshal([]byte(body), &got); err != nil || got.Text != "*Retake*\n⚠️ Диск" || kind != "application/json" {
		t.Errorf("slack: got %q, %q, %v; want JSON with the text", kind, body, err)
	}
	if err := w.Ping(t.Context(), w.Webhook); err != nil {
		t.Errorf("got %v; want a ping", err)
	}
	status = 403
	_, refused := w.Send(t.Context(), "a", "b")
	for name, err := range map[string]error{"watch.webhook": refused, "watch.ping": w.Ping(t.Context(), w.Webhook)} {
		if err == nil || !strings.Contains(err.Error(), name+": the answer is 403") {
			t.Errorf("got %v; want %s refused", err, name)
		}
	}
	server.Close()
	_, away := w.Send(t.Context(), "a", "b")
	for _, err := range []error{away, w.Ping(t.Context(), w.Webhook)} {
		if err == nil || strings.Contains(err.Error(), "a-secret") {
			t.Errorf("got %v; want an error without the address", err)
		}
	}
}

// mailServer answers one session and returns what it got.
func mailServer(t *testing.T, refuse string) (address string, got chan string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	got = make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		var said strings.Builder
		defer func() { got <- said.String() }()
		fmt.Fprint(conn, "220 ready\r\n")
		in, data := bufio.NewScanner(conn), false
		for in.Scan() {
			line := in.Text()
			said.WriteString(line + "\n")
			switch {
			case data && line == ".":
				data = false
				fmt.Fprint(conn, "250 taken\r\n")
			case data:
			case refuse != "" && strings.HasPrefix(line, refuse):
				fmt.Fprint(conn, "550 no\r\n")
			case line == "DATA":
				data = true
				fmt.Fprint(conn, "354 go on\r\n")
			case strings.HasPrefix(line, "EHLO"):
				fmt.Fprint(conn, "250-here\r\n250 AUTH PLAIN\r\n")
			case strings.HasPrefix(line, "AUTH"):
				fmt.Fprint(conn, "235 welcome\r\n")
			case line == "QUIT":
				fmt.Fprint(conn, "221 bye\r\n")
				return
			default:
				fmt.Fprint(conn, "250 fine\r\n")
			}
		}
	}()
	return l.Addr().String(), got
}

func TestSend_MailReachesEveryAddress(t *testing.T) {
	address, got := mailServer(t, "")
	w := Ways{SMTP: address, User: "me", Secret: "hush", From: "retake@example.org", To: []string{"a@example.org",
		"b@example.org"}}
	if taken, err := w.Send(t.Context(), "Ретейк", "one\n.two"); err != nil || !taken {
		t.Fatalf("got %v, %v; want it taken", taken, err)
	}
	said := <-got
	for _, want := range []string{"AUTH PLAIN ", "MAIL FROM:<retake@example.org>", "RCPT TO:<a@example.org>",
		"RCPT TO:<b@example.org>", "Subject: =?utf-8?b?", "\n\none\n..two\n"} {
		if !strings.Contains(said, want) {
			t.Errorf("got %s; want %q", said, want)
		}
	}
}

func TestSend_AFailureNamesTheWayAndNoSecret(t *testing.T) {
	address, _ := mailServer(t, "RCPT")
	w := Ways{SMTP: address, User: "me", Secret: "hush-hush", From: "a@example.org", To: []string{"b@example.org"}}
	if taken, err := w.Send(t.Context(), "a", "b"); err == nil || taken || !strings.Contains(err.Error(), "watch.smtp: 550") ||
		strings.Contains(err.Error(), "hush") {
		t.Errorf("got %v; want what the server said", err)
	}
}

// A server that says one line without an end, at whatever point, is left after some of it.
func TestSend_NoMailServerIsEndless(t *testing.T) {
	for name, greeting := range map[string]string{
		"its greeting": "220 ", "the extensions": "220 x\r\n250-", "an answer of many lines": "220 x\r\n250-a\r\n250-b\r\n250-",
		"no SMTP": "", "nothing but line ends": "220 x\r\n250-x\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			told := make(chan int, 1)
			go func() {
				sent := 0
				defer func() { told <- sent }()
				c, err := l.Accept()
				if err != nil {
					return
				}
				defer c.Close()
				io.WriteString(c, greeting)
				for page := bytes.Repeat([]byte("a"), 64<<10); sent < 1<<30; sent += len(page) {
					if strings.HasPrefix(name, "nothing") {
						page = bytes.Repeat([]byte("250-x\r\n"), 9<<10)
					}
					if _, err := c.Write(page); err != nil {
						return
					}
				}
			}()
			w := Ways{SMTP: l.Addr().String(), From: "a@b.example", To: []string{"c@d.example"}}
			if taken, err := w.Send(t.Context(), "a", "b"); taken || err == nil || t.Context().Err() != nil {
				t.Errorf("got taken %v, %v; want the server left", taken, err)
			}
			if sent := <-told; sent > 20<<20 { // what the kernel holds included
				t.Errorf("got %d bytes taken; want a little", sent)
			}
		})
	}
}
