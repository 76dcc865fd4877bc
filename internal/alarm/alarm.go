// Package alarm is the way to the operator that needs no Telegram: messages to a webhook and by mail, and the request
// each minute that a dead man's switch waits for.
package alarm

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/smtp"
	"net/url"
	"strings"
	"time"
)

// The shapes of what a webhook gets.
const (
	Ntfy  = "ntfy"  // the text, with the title in a header
	Slack = "slack" // JSON with the text; Mattermost and Discord's /slack read it, too
)

// patience is how long a message may take.
const patience = 20 * time.Second

// Ways are where messages go; an empty one is off.
type Ways struct {
	Webhook string // an address
	Shape   string // of what it gets
	SMTP    string // host and port of a mail server; 465 begins with TLS, others change to it if the server offers it
	User    string
	Secret  string // the password of User; it is sent over TLS only, or to this machine
	From    string // an address
	To      []string
	// Roots and Client are those of the system if nil.
	Roots  *tls.Config
	Client *http.Client
}

// On reports whether there is any.
func (w Ways) On() bool { return w.Webhook != "" || w.SMTP != "" }

// Send sends a message by all ways, and returns whether one has taken it. An error names the way and none of its
// secrets.
func (w Ways) Send(ctx context.Context, title, text string) (taken bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var wrong []error
	if w.Webhook != "" {
		if err := w.post(ctx, title, text); err != nil {
			wrong = append(wrong, fmt.Errorf("watch.webhook: %w", err))
		} else {
			taken = true
		}
	}
	if w.SMTP != "" {
		if err := w.mail(ctx, title, text); err != nil {
			wrong = append(wrong, fmt.Errorf("watch.smtp: %w", err))
		} else {
			taken = true
		}
	}
	return taken, errors.Join(wrong...)
}

func (w Ways) post(ctx context.Context, title, text string) error {
	body, kind := []byte(text), "text/plain; charset=utf-8"
	if w.Shape == Slack {
		var err error
		if body, err = json.Marshal(map[string]string{"text": "*" + title + "*\n" + text}); err != nil {
			return err
		}
		kind = "application/json"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.Webhook, bytes.NewReader(body))
	if err != nil {
		return errors.New("that isn't a valid URL")
	}
	r.Header.Set("Content-Type", kind)
	if w.Shape == Ntfy {
		r.Header.Set("Title", mime.BEncoding.Encode("utf-8", title))
	}
	return w.do(r)
}

// do makes a request of which only the status counts.
func (w Ways) do(r *http.Request) error {
	resp, err := cmp.Or(w.Client, http.DefaultClient).Do(r)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // without the address, which is a secret
		}
		return err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode >= 300 {
		return fmt.Errorf("the answer is %s", resp.Status)
	}
	return nil
}

// Ping makes the request of the dead man's switch.
func (w Ways) Ping(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errors.New("watch.ping: that isn't a valid URL")
	}
	if err := w.do(r); err != nil {
		return fmt.Errorf("watch.ping: %w", err)
	}
	return nil
}

// mostSaid is how many bytes a mail server may say about one message, TLS included.
const mostSaid = 256 << 10

// brief is a connection with somebody who may say only so much. net/smtp reads a line to its end, however long it is.
type brief struct {
	net.Conn
	left int
}

func (b *brief) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("the server says too much")
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// mail sends a message to all addresses.
func (w Ways) mail(ctx context.Context, title, text string) error {
	host, port, err := net.SplitHostPort(w.SMTP)
	if err != nil {
		return err
	}
	secure := &tls.Config{ServerName: host}
	if w.Roots != nil {
		secure = w.Roots.Clone()
		secure.ServerName = host
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", w.SMTP)
	if err != nil {
		return err
	}
	defer conn.Close()
	if end, ok := ctx.Deadline(); ok {
		conn.SetDeadline(end)
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	conn = &brief{conn, mostSaid}
	if port == "465" {
		conn = tls.Client(conn, secure)
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return err
	}
	defer c.Close()
	if offered, _ := c.Extension("STARTTLS"); offered {
		if err := c.StartTLS(secure); err != nil {
			return err
		}
	}
	if w.User != "" {
		if err := c.Auth(smtp.PlainAuth("", w.User, w.Secret, host)); err != nil { // refuses without TLS
			return err
		}
	}
	if err := c.Mail(w.From); err != nil {
		return err
	}
	for _, to := range w.To {
		if err := c.Rcpt(to); err != nil {
			return err
		}
	}
	body, err := c.Data()
	if err != nil {
		return err
	}
	_, err = io.WriteString(body, w.letter(title, text))
	if err := errors.Join(err, body.Close()); err != nil {
		return err
	}
	return c.Quit()
}

func (w Ways) letter(title, text string) string {
	return fmt.Sprintf("From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMIME-Version: 1.0\r\n"+
		"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\nAuto-Submitted: auto-generated\r\n"+
		"\r\n%s\r\n", w.From, strings.Join(w.To, ", "), mime.BEncoding.Encode("utf-8", title),
		time.Now().Format(time.RFC1123Z), strings.ReplaceAll(text, "\n", "\r\n"))
}
