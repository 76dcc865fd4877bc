// The HTTP client for the Bot API: it reads every answer itself, bounded, and says what a bad one means.

package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// mostAnswer bounds an answer, in bytes. The largest are a hundred updates.
	mostAnswer = 16 << 20
	// standstill is how long nothing of a request may move before it is cut off. An upload that moves is never cut off:
	// 50 MB at 0.5 Mbit/s take 14 minutes.
	standstill = 2 * time.Minute
)

// errStandstill ends a request of which nothing moves.
var errStandstill = errors.New("nothing moved for two minutes")

// Client is the http.Client for the Bot API. It returns only answers that the client library can read; for all others
// it returns an *Error, because the library would put a page that echoes the token, or a child's name, into its own
// error.
type Client struct{ HTTP *http.Client }

// NewClient returns a Client without a time limit, which would cut uploads: each call has its own. It keeps the
// connections of all who send at a time; by default Go keeps two, and each other call would begin with a handshake. It
// follows no redirect: the token is in the URL, and no Bot API server redirects.
func NewClient() Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = transport.MaxIdleConns
	return Client{HTTP: &http.Client{Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Do implements the client that the library asks for.
func (c Client) Do(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	watch := time.AfterFunc(standstill, func() { cancel(errStandstill) })
	defer watch.Stop()
	var connected, written atomic.Bool
	trace := &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { connected.Store(true) },
		WroteRequest: func(i httptrace.WroteRequestInfo) { written.Store(i.Err == nil) },
	}
	own := r.WithContext(httptrace.WithClientTrace(ctx, trace))
	body := &outgoing{ReadCloser: r.Body, moved: func() { watch.Reset(standstill) }}
	if r.Body != nil && r.Body != http.NoBody {
		own.Body = body
	}
	resp, err := c.HTTP.Do(own)
	if err != nil {
		if problem := body.problem.Load(); problem != nil {
			return nil, &Error{Class: Odd, text: "read what is to be sent: " + (*problem).Error(), cause: *problem}
		}
		return nil, unanswered(ctx, err, connected.Load(), written.Load())
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer+1))
	if err == nil && len(data) > mostAnswer {
		err = errors.New("it is too long")
	}
	if data, err = readable(r, resp, data, err); err != nil {
		return nil, err
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
	return resp, nil
}

// outgoing is the body of a request on its way.
type outgoing struct {
	io.ReadCloser
	moved   func()
	problem atomic.Pointer[error] // of what is read, a file of ours: nothing is wrong with Telegram
}

func (o *outgoing) Read(p []byte) (int, error) {
	n, err := o.ReadCloser.Read(p)
	o.moved()
	if err != nil && err != io.EOF && !errors.Is(err, io.ErrClosedPipe) { // a closed pipe: the transport gave up
		o.problem.CompareAndSwap(nil, &err)
	}
	return n, err
}

// unanswered is the error of a request to which no answer came.
func unanswered(ctx context.Context, err error, connected, written bool) *Error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // without the URL, which holds the token
	}
	e := failed(Down, 0, fmt.Sprintf("telegram cannot be reached: %v", err))
	if ctx.Err() != nil {
		e.text = "telegram did not answer in time"
	}
	e.cause, e.maybe, e.place = err, written, !connected
	return e
}

// parameters is what an answer may say about a refusal.
type parameters struct {
	RetryAfter number `json:"retry_after"`
	Migrated   number `json:"migrate_to_chat_id"`
}

// number is a JSON number of any form: one that we cannot read must not make the rest of an answer unreadable.
type number json.RawMessage

func (n *number) UnmarshalJSON(raw []byte) error {
	*n = append((*n)[:0], raw...)
	return nil
}

// seconds returns the number rounded up; 0 if it is none.
func (n number) seconds() int64 {
	f, err := strconv.ParseFloat(strings.Trim(string(n), `"`), 64)
	if err != nil || f != f {
		return 0
	}
	whole := int64(min(max(f, -1e15), 1e15))
	if float64(whole) < f {
		whole++
	}
	return whole
}

// readable returns the answer for the library, or the *Error that it means. problem is of reading it.
func readable(r *http.Request, resp *http.Response, data []byte, problem error) ([]byte, error) {
	var answer struct {
		OK          *bool           `json:"ok"`
		Result      json.RawMessage `json:"result"`
		Code        number          `json:"error_code"`
		Description json.RawMessage `json:"description"`
		Parameters  json.RawMessage `json:"parameters"`
	}
	success := resp.StatusCode >= 200 && resp.StatusCode <= 299
	if problem == nil {
		problem = json.Unmarshal(data, &answer)
	}
	method := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	unreadable := failed(Unreadable, resp.StatusCode, "telegram's answer to "+method+" cannot be read")
	unreadable.maybe = true
	switch {
	case problem == nil && answer.OK != nil && !*answer.OK:
		status := resp.StatusCode
		if code := int(answer.Code.seconds()); code >= 400 && status < 500 {
			status = code
		}
		if status < 400 { // it says no, but not why
			unreadable.maybe = false
			return nil, unreadable
		}
		var p parameters
		if json.Unmarshal(answer.Parameters, &p) != nil {
			p = parameters{}
		}
		if status == http.StatusTooManyRequests && p.RetryAfter.seconds() == 0 {
			p.RetryAfter = number(resp.Header.Get("Retry-After"))
		}
		return nil, refusal(status, describe(r, answer.Description), p)
	case resp.StatusCode == http.StatusTooManyRequests:
		return nil, tooMany(number(resp.Header.Get("Retry-After")).seconds())
	case resp.StatusCode == http.StatusRequestEntityTooLarge:
		return nil, refusal(resp.StatusCode, "", parameters{})
	case !success:
		return nil, failed(Down, resp.StatusCode, "telegram answered "+resp.Status)
	case problem != nil:
		if strings.HasPrefix(method, "send") || strings.HasPrefix(method, "edit") {
			if kept := salvage(data); kept != nil {
				return kept, nil
			}
		}
		return nil, unreadable
	case answer.OK == nil, len(answer.Result) == 0, string(answer.Result) == "null":
		return nil, unreadable
	}
	return data, nil
}

// describe returns Telegram's description of a refusal, without the token and whatever else no log may hold: names are
// often written in letters beyond ASCII, descriptions never are.
func describe(r *http.Request, raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil || text == "" {
		return "it says no reason"
	}
	if token, _, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/bot"), "/"); ok && token != "" {
		text = strings.ReplaceAll(text, token, "[token]")
	}
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, text)
	return text[:min(len(text), 200)]
}

// salvage returns what can be used of a cut answer: that a message went out, with all fields that arrived whole. It
// returns nil if the id of the message did not arrive.
func salvage(data []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(data))
	ok, fields := false, map[string]json.RawMessage{}
	walk(dec, func(name string) error {
		switch name {
		case "ok":
			return dec.Decode(&ok)
		case "result":
			return walk(dec, func(name string) error {
				var value json.RawMessage
				err := dec.Decode(&value)
				if err == nil && dec.InputOffset() < int64(len(data)) { // a number at the very end may be cut
					fields[name] = value
				}
				return err
			})
		}
		var skipped json.RawMessage
		return dec.Decode(&skipped)
	})
	id := number(fields["message_id"]).seconds()
	if !ok || id <= 0 {
		return nil
	}
	whole, err := json.Marshal(map[string]any{"ok": true, "result": fields})
	if err != nil {
		return nil
	}
	return whole
}

// walk calls field for each field of the object that comes next, until one fails.
func walk(dec *json.Decoder, field func(name string) error) error {
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(err, errors.New("not an object"))
	}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string)
		if err := field(name); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

// Redact returns a slog ReplaceAttr function that takes the secret half of a bot token out of everything.
func Redact(token string) func([]string, slog.Attr) slog.Attr {
	_, secret, _ := strings.Cut(token, ":")
	return func(_ []string, a slog.Attr) slog.Attr {
		if secret == "" {
			return a
		}
		text := a.Value.String()
		if strings.Contains(text, secret) {
			a.Value = slog.StringValue(strings.ReplaceAll(text, secret, "[token]"))
		}
		return a
	}
}
