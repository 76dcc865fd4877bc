// Every method times every answer that Telegram, a proxy or a broken connection may give.

package telegram

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
)

const testToken = "123456:SECRETSECRETSECRETSECRETSECRET"

// talkTo returns a Talk with a server, and whom it was told to be gone.
func talkTo(t *testing.T, url string) (*Talk, *[]int64) {
	t.Helper()
	api, err := bot.New(testToken, bot.WithSkipGetMe(), bot.WithServerURL(url), bot.WithHTTPClient(0, NewClient()),
		bot.WithDefaultHandler(func(context.Context, *bot.Bot, *models.Update) {}),
		bot.WithErrorsHandler(func(error) {}))
	if err != nil {
		t.Fatal(err)
	}
	gone := &[]int64{}
	return &Talk{API: api, Gate: quiet(), Gone: func(_ context.Context, chat int64) error {
		*gone = append(*gone, chat)
		return nil
	}}, gone
}

// method is a way to call Telegram.
type method struct {
	name   string
	call   func(ctx context.Context, t *Talk, url string) error
	result string // of a success
	makes  bool   // a message
	edits  bool
	fileID bool
	lapses bool // 400 means that there is nothing left to do
	noChat bool
	poll   bool
}

const aMessage = `{"message_id":77,"date":1,"chat":{"id":5,"type":"private"},"text":"Аглая"}`
const aVideo = `{"message_id":77,"date":1,"chat":{"id":5,"type":"private"},"video":{"file_id":"BAAC1"}}`

var methods = []method{
	{name: "Send", makes: true, result: aMessage, call: func(ctx context.Context, t *Talk, _ string) error {
		id, err := t.Send(ctx, 5, "Аглая", Row(NewButton("x", "y", "z")))
		return wantID(id, err)
	}},
	{name: "SendVideo by upload", makes: true, result: aVideo, call: func(ctx context.Context, t *Talk, _ string) error {
		id, _, err := t.SendVideo(ctx, 5, Video{File: strings.NewReader("film"), Size: 4, Caption: "Аглая",
			Thumb: strings.NewReader("jpeg")})
		return wantID(id, err)
	}},
	{name: "SendVideo by file_id", makes: true, fileID: true, result: aVideo,
		call: func(ctx context.Context, t *Talk, _ string) error {
			id, _, err := t.SendVideo(ctx, 5, Video{FileID: "BAAC1", Caption: "Аглая"})
			return wantID(id, err)
		}},
	{name: "SendVideo of an animation", makes: true, fileID: true, result: aVideo,
		call: func(ctx context.Context, t *Talk, _ string) error {
			id, _, err := t.SendVideo(ctx, 5, Video{FileID: "animation:CgAC1", Caption: "Аглая"})
			return wantID(id, err)
		}},
	{name: "SendVideo of a document", makes: true, fileID: true, result: aVideo,
		call: func(ctx context.Context, t *Talk, _ string) error {
			id, _, err := t.SendVideo(ctx, 5, Video{FileID: "document:BQAC1", Caption: "Аглая"})
			return wantID(id, err)
		}},
	{name: "SendDocument", makes: true, result: aMessage, call: func(ctx context.Context, t *Talk, _ string) error {
		return t.SendDocument(ctx, 5, "my-data.json", []byte(`{"name":"Аглая"}`), "Аглая")
	}},
	{name: "SendVoice", makes: true, result: aMessage, call: func(ctx context.Context, t *Talk, _ string) error {
		return t.SendVoice(ctx, 5, []byte("OggS"), time.Second)
	}},
	{name: "edit", edits: true, result: aMessage, call: func(ctx context.Context, t *Talk, _ string) error {
		return t.edit(ctx, 5, 9, "Аглая", nil)
	}},
	{name: "StripButtons", lapses: true, edits: true, result: aMessage,
		call: func(ctx context.Context, t *Talk, _ string) error { return t.StripButtons(ctx, 5, 9) }},
	{name: "Delete", lapses: true, noChat: true, result: "true",
		call: func(ctx context.Context, t *Talk, _ string) error { return t.Delete(ctx, 5, 9) }},
	{name: "Answer", lapses: true, noChat: true, result: "true",
		call: func(ctx context.Context, t *Talk, _ string) error { return t.Answer(ctx, "1", "Аглая") }},
	{name: "SetCommands", noChat: true, result: "true", call: func(ctx context.Context, t *Talk, _ string) error {
		return t.SetCommands(ctx, "ru", 0, []Command{{"start", "x"}})
	}},
	{name: "DeleteWebhook", noChat: true, result: "true",
		call: func(ctx context.Context, t *Talk, _ string) error { return t.DeleteWebhook(ctx) }},
	{name: "Link", noChat: true, result: `{"id":1,"is_bot":true,"username":"x"}`,
		call: func(ctx context.Context, t *Talk, _ string) error { _, err := t.Link(ctx); return err }},
	{name: "Poll", noChat: true, poll: true, result: `[{"update_id":1}]`,
		call: func(ctx context.Context, _ *Talk, url string) error {
			_, err := Poll(ctx, NewClient(), url, testToken, 0)
			return err
		}},
	{name: "Look", noChat: true, result: `{"username":"x"}`, call: func(ctx context.Context, _ *Talk, url string) error {
		_, err := Look(ctx, NewClient(), url, testToken)
		return err
	}},
}

func wantID(id int, err error) error {
	if err == nil && id != 77 {
		return fmt.Errorf("got message %d; want 77", id)
	}
	return err
}

// answer is what a server may say, and the class that it has for each method; -1 is success.
type answer struct {
	name   string
	status int
	kind   string // Content-Type; "": JSON
	body   string // $RESULT stands for the method's own
	header [2]string
	cut    bool // the connection breaks after the body
	maybe  bool // a message may have gone out
	is     func(m method) Class
}

func same(c Class) func(method) Class { return func(method) Class { return c } }

// unknown is the class of a 400 in words that we don't know.
func unknown(m method) Class {
	switch {
	case m.poll:
		return Down
	case m.lapses:
		return -1
	case m.edits:
		return NoMessage
	case m.fileID:
		return BadFile
	}
	return Refused
}

// gone is the class of a 400 that says that the chat is gone.
func gone(m method) Class {
	if m.poll {
		return Down
	}
	return Gone
}

// forbidden is the class of a 403.
func forbidden(m method) Class {
	switch {
	case m.poll:
		return Down
	case m.noChat:
		return Refused
	}
	return Gone
}

// elsewhere is the class of what a poll takes for trouble with Telegram.
func elsewhere(c Class) func(method) Class {
	return func(m method) Class {
		if m.poll {
			return Down
		}
		return c
	}
}

func refused(code int, words string) string {
	return fmt.Sprintf(`{"ok":false,"error_code":%d,"description":%q}`, code, words)
}

var answers400 = map[string]func(method) Class{
	"Bad Request: chat not found":                                                       gone,
	"Bad Request: CHAT NOT FOUND":                                                       gone,
	"Bad Request: user not found":                                                       gone,
	"Bad Request: user is deactivated":                                                  gone,
	"Bad Request: PEER_ID_INVALID":                                                      gone,
	"Bad Request: USER_IS_BLOCKED":                                                      gone,
	"Bad Request: INPUT_USER_DEACTIVATED":                                               gone,
	"Bad Request: bot was kicked from the group chat":                                   gone,
	"Bad Request: group chat was upgraded to a supergroup chat":                         gone,
	"Bad Request: message is too long":                                                  unknown,
	"Bad Request: BUTTON_DATA_INVALID":                                                  unknown,
	"Bad Request: wrong file identifier/HTTP URL specified":                             unknown,
	"Bad Request: type of file mismatch":                                                unknown,
	"Bad Request: FILE_ID_INVALID":                                                      unknown,
	"Bad Request: FILE_REFERENCE_EXPIRED":                                               unknown,
	"Bad Request: message to edit not found":                                            unknown,
	"Bad Request: message can't be edited":                                              unknown,
	"Bad Request: MESSAGE_ID_INVALID":                                                   unknown,
	"Bad Request: message to delete not found":                                          unknown,
	"Bad Request: message can't be deleted for everyone":                                unknown,
	"Bad Request: query is too old and response timeout expired or query ID is invalid": unknown,
	"Bad Request: not enough rights to send videos to the chat":                         unknown,
	"Bad Request: words of 2031 that nobody has heard":                                  unknown,
	"":                        unknown,
	"Logged out":              same(LoggedOut),
	"Bad Request: logged out": same(LoggedOut),
}

func allAnswers() []answer {
	list := []answer{
		{name: "200", status: 200, body: `{"ok":true,"result":$RESULT}`, is: same(-1)},
		{name: "200, as text", status: 200, kind: "text/plain", body: `{"ok":true,"result":$RESULT}`, is: same(-1)},
		{name: "401", status: 401, body: refused(401, "Unauthorized"), is: same(Token)},
		{name: "404", status: 404, body: refused(404, "Not Found"), is: same(Token)},
		{name: "403 blocked", status: 403, body: refused(403, "Forbidden: bot was blocked by the user"), is: forbidden},
		{name: "403 deactivated", status: 403, body: refused(403, "Forbidden: user is deactivated"), is: forbidden},
		{name: "403 in new words", status: 403, body: refused(403, "Forbidden: by a law of 2031"), is: forbidden},
		{name: "403 without words", status: 403, body: `{"ok":false}`, is: forbidden},
		{name: "400 migrated", status: 400, is: gone,
			body: `{"ok":false,"error_code":400,"description":"Bad Request: moved",` +
				`"parameters":{"migrate_to_chat_id":-1001}}`},
		{name: "400 with HTTP 200", status: 200, body: refused(400, "Bad Request: chat not found"), is: gone},
		{name: "402", status: 402, body: refused(402, "Payment Required"), is: elsewhere(Refused)},
		{name: "406", status: 406, body: refused(406, "Not Acceptable: CHANNEL_PRIVATE"), is: elsewhere(Refused)},
		{name: "409 webhook", status: 409, is: same(Webhook),
			body: refused(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook")},
		{name: "409 setWebhook", status: 409, body: refused(409, "Conflict: terminated by setWebhook request"),
			is: same(Webhook)},
		{name: "409 other poller", status: 409, body: refused(409, "Conflict: terminated by other getUpdates request"),
			is: same(OtherPoller)},
		{name: "409 in new words", status: 409, body: refused(409, "Conflict"), is: same(OtherPoller)},
		{name: "413 in JSON", status: 413, body: refused(413, "Request Entity Too Large"), is: elsewhere(TooLarge)},
		{name: "413 of a proxy", status: 413, kind: "text/html", body: "<h1>413</h1>", is: elsewhere(TooLarge)},
		{name: "429", status: 429, is: same(Wait),
			body: `{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":7}}`},
		{name: "429 with a fraction", status: 429, is: same(Wait),
			body: `{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":6.5}}`},
		{name: "429 of a proxy", status: 429, kind: "text/html", body: "<h1>429</h1>", header: [2]string{"Retry-After",
			"7"}, is: same(Wait)},
		{name: "429 behind the 400 of a proxy", status: 400, is: same(Wait),
			body: `{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":7}}`},
		{name: "429 without a time", status: 429, body: refused(429, "Too Many Requests"), header: [2]string{"Retry-After",
			"7"}, is: same(Wait)},
		{name: "500 in JSON", status: 500, body: refused(500, "Internal Server Error"), is: same(Down)},
		{name: "500 that says 400", status: 500, body: refused(400, "Bad Request: chat not found"), is: same(Down)},
		{name: "500 that says ok", status: 500, body: `{"ok":true,"result":$RESULT}`, is: same(Down)},
		{name: "302", status: 302, header: [2]string{"Location", "/elsewhere"}, kind: "text/html", body: "elsewhere",
			is: same(Down)},
		{name: "400 in HTML", status: 400, kind: "text/html", body: "<h1>400</h1>", is: same(Down)},
		{name: "403 in HTML", status: 403, kind: "text/html", body: "<h1>403</h1>", is: same(Down)},
		{name: "404 in HTML", status: 404, kind: "text/html", body: "<h1>404</h1>", is: same(Down)},
		{name: "403 cut", status: 403, body: `{"ok":false,"error_code":403,"descr`, cut: true, is: same(Down)},
		{name: "no answer", cut: true, maybe: true, is: same(Down)},
		{name: "says no, not why", status: 200, body: `{"ok":false}`, is: same(Unreadable)},
	}
	for _, status := range []int{501, 502, 503, 504, 520, 599} {
		list = append(list, answer{name: fmt.Sprint(status, " in HTML"), status: status, kind: "text/html",
			body: "<h1>sorry</h1>", is: same(Down)})
	}
	for words, is := range answers400 {
		list = append(list, answer{name: "400 " + words, status: 400, body: refused(400, words), is: is})
	}
	for name, body := range map[string]string{
		"ok without a result": `{"ok":true}`, "ok with null": `{"ok":true,"result":null}`, "empty": "",
		"HTML": "<html>Аглая /bot" + testToken + "</html>", "no object": `"ok"`, "an array": `[]`, "null": `null`,
		"another API": `{"status":"ok"}`, "cut before the id": `{"ok":true,"result":{"mess`,
		"cut in the id":            `{"ok":true,"result":{"message_id":7`,
		"ok of another type":       `{"ok":"yes","result":{"message_id":77}}`,
		"a result of another type": `{"ok":true,"result":"Аглая"}`, "garbage": "\x00\xff\x1f\x8b",
	} {
		list = append(list, answer{name: "200 " + name, status: 200, body: body, maybe: true, is: same(Unreadable)})
	}
	for name, body := range map[string]string{
		"cut after the id":   `{"ok":true,"result":{"message_id":77,"from":{"id":1,"first_na`,
		"cut in the text":    `{"ok":true,"result":{"message_id":77,"date":1,"text":"Агл`,
		"another order, cut": `{"x":[1,{}],"ok":true,"result":{"date":1,"message_id":77,"chat":{"id":5`,
		"garbage at the end": `{"ok":true,"result":{"message_id":77}}<!-- by a proxy -->`,
	} {
		list = append(list, answer{name: "200 " + name, status: 200, body: body, cut: true, maybe: true,
			is: func(m method) Class {
				if m.makes || m.edits {
					return -1 // the message is there
				}
				return Unreadable
			}})
	}
	return list
}

func TestErrors_EveryMethodTimesEveryAnswer(t *testing.T) {
	for _, a := range allAnswers() {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			for _, m := range methods {
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					io.Copy(io.Discard, r.Body)
					if strings.HasSuffix(r.URL.Path, "/getMe") && m.name != "Link" && m.name != "Look" { // whether Telegram is there
						w.Write([]byte(`{"ok":true,"result":{"id":1}}`))
						return
					}
					say(w, r, a, m)
				}))
				for _, attempt := range []string{"first", "last"} {
					talk, told := talkTo(t, server.URL)
					err := m.call(t.Context(), talk, server.URL)
					check(t, m.name+", "+attempt, a, m, err)
					if want := ClassOf(err) == Gone && !m.noChat && err != nil; want != slices.Equal(*told, []int64{5}) {
						t.Errorf("%s: told that %v are gone; want %v", m.name, *told, want)
					}
				}
				server.Close()
			}
		})
	}
}

// say gives an answer.
func say(w http.ResponseWriter, r *http.Request, a answer, m method) {
	w.Header().Set("Content-Type", "application/json")
	if a.kind != "" {
		w.Header().Set("Content-Type", a.kind)
	}
	if a.header[0] != "" {
		w.Header().Set(a.header[0], a.header[1])
	}
	body := strings.ReplaceAll(a.body, "$RESULT", m.result)
	if a.status == 0 {
		panic(http.ErrAbortHandler)
	}
	if a.cut {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)+1000))
	}
	w.WriteHeader(a.status)
	io.WriteString(w, body)
	if a.cut {
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

func check(t *testing.T, what string, a answer, m method, err error) {
	t.Helper()
	want := a.is(m)
	if want == -1 {
		if err != nil {
			t.Errorf("%s: got %v; want no error", what, err)
		}
		return
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Errorf("%s: got %v; want an *Error", what, err)
		return
	}
	if e.Class != want || e.Code() != want.Code() {
		t.Errorf("%s: got class %v, %v; want %v", what, e.Class, e, want)
	}
	if e.Permanent() != (want == Gone) {
		t.Errorf("%s: got permanent %v; want it for a chat that is gone, and nothing else", what, e.Permanent())
	}
	wait, waits := e.RetryAfter()
	if wantWait := !slices.Contains([]Class{Gone, Refused, BadFile, NoMessage, TooLarge}, want); waits != wantWait {
		t.Errorf("%s: got waits %v; want %v", what, waits, wantWait)
	}
	if waits && wait < 900*time.Millisecond || wait > time.Minute || want == Wait && (wait < 6*time.Second ||
		wait > 8*time.Second) {
		t.Errorf("%s: got %v to wait; want no hurry, and 7 s after a 429", what, wait)
	}
	if m.makes && MaybeSent(err) != a.maybe {
		t.Errorf("%s: may have been sent: got %v; want %v", what, MaybeSent(err), a.maybe)
	}
	if text := err.Error(); strings.Contains(text, "Аглая") || strings.Contains(text, "SECRET") {
		t.Errorf("%s: got %q; want neither the name nor the token in it", what, text)
	}
}

func TestErrors_EachClassHasANameAndACodeOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Classes() {
		if c.String() == "" || !strings.HasPrefix(c.Code(), "telegram_") || seen[c.Code()] || seen[c.String()] {
			t.Errorf("class %d: got %q, %q; want a name and a code of its own", c, c, c.Code())
		}
		seen[c.Code()], seen[c.String()] = true, true
	}
	for _, code := range []string{"telegram_unreachable", "telegram_chat_gone", "telegram_token", "telegram_webhook",
		"telegram_other_poller", "telegram_too_large", "telegram_file_refused", "telegram_unreadable", "telegram_refused",
		"telegram_rate", "telegram_logged_out"} {
		if !seen[code] {
			t.Errorf("no class has the code %s, which is stored in databases", code)
		}
	}
	if ClassOf(errors.New("x")) != Odd || ClassOf(nil) != Odd || MaybeSent(errors.New("x")) {
		t.Error("an error of another package has a class")
	}
}

func TestErrors_WhatATimeToWaitMayBe(t *testing.T) {
	for retry, want := range map[string]time.Duration{
		"7": 7 * time.Second, "0": time.Second, "-5": time.Second, "1.2": 2 * time.Second, `"9"`: 9 * time.Second,
		"99999999999999999999": 24 * time.Hour, "1e300": 24 * time.Hour, `"soon"`: time.Second, "null": time.Second,
		"{}": time.Second,
	} {
		r, resp := httptest.NewRequest("POST", "/bot1:x/sendMessage", nil), &http.Response{StatusCode: 429,
			Header: http.Header{}}
		_, err := readable(r, resp, []byte(`{"ok":false,"error_code":429,"parameters":{"retry_after":`+retry+`}}`), nil)
		if wait, waits := retryAfter(err); !waits || wait != want+100*time.Millisecond {
			t.Errorf("%s: got %v; want %v and a little more", retry, wait, want)
		}
	}
}

func TestErrors_TelegramIsNotThere(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes the connection, and closes it before a word
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	go func() {
		for {
			c, err := silent.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	for name, url := range map[string]string{"nobody listens": closed.URL, "no such host": "http://host.invalid",
		"hangs up": "http://" + silent.Addr().String(), "no URL": "http://a b"} {
		for _, m := range methods {
			if name == "no URL" && m.name != "Poll" && m.name != "Look" {
				continue
			}
			talk, _ := talkTo(t, url)
			err := m.call(t.Context(), talk, url)
			wait, waits := retryAfter(err)
			if ClassOf(err) != Down || !waits || wait < 900*time.Millisecond || MaybeSent(err) {
				t.Errorf("%s, %s: got %v, maybe sent %v; want a wait for a Telegram that is away", name, m.name, err,
					MaybeSent(err))
			}
			if strings.Contains(fmt.Sprint(err), "SECRET") {
				t.Errorf("%s, %s: got %v; want no token in it", name, m.name, err)
			}
			looks := m.poll || m.name == "Look" // without a gate
			if away := m.makes || name != "hangs up"; away && !looks && len(talk.Gate.Troubles()) != 1 {
				t.Errorf("%s, %s: got troubles %v; want that Telegram is away", name, m.name, talk.Gate.Troubles())
			}
		}
	}
}

func TestErrors_ACallCutByAStopIsStoppedAndNotTelegrams(t *testing.T) {
	arrived := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	defer server.Close()
	for _, m := range methods {
		ctx, cancel := context.WithCancel(t.Context())
		talk, _ := talkTo(t, server.URL)
		go func() { <-arrived; cancel() }()
		err := m.call(ctx, talk, server.URL)
		if ClassOf(err) != Stopped || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v; want it stopped", m.name, err)
		}
		if m.makes && !MaybeSent(err) {
			t.Errorf("%s: it was handed over: want that it may have been sent", m.name)
		}
	}
}

func TestErrors_AnEndlessAnswerIsBounded(t *testing.T) {
	for name, begin := range map[string]string{"of nothing": `{"ok":true,"result":{"x":"`,
		"with the id": `{"ok":true,"result":{"message_id":77,"x":"`} {
		sent := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			io.WriteString(w, begin)
			for part := bytes.Repeat([]byte("x"), 1<<20); sent < 400<<20; sent += len(part) {
				if _, err := w.Write(part); err != nil {
					return
				}
			}
		}))
		talk, _ := talkTo(t, server.URL)
		id, err := talk.Send(t.Context(), 5, "x", nil)
		if name == "of nothing" && (ClassOf(err) != Unreadable || !MaybeSent(err)) || name == "with the id" &&
			(err != nil || id != 77) {
			t.Errorf("%s: got %d, %v", name, id, err)
		}
		server.CloseClientConnections()
		server.Close()
		if sent > 64<<20 {
			t.Errorf("%s: got %d MB read; want some 16", name, sent>>20)
		}
	}
}

func TestErrors_TheTokenIsInNoLog(t *testing.T) {
	var log bytes.Buffer
	l := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: Redact(testToken)}))
	l.Error("x "+testToken, "err", errors.New("y/bot"+testToken+"/z"), "url", "/bot"+testToken)
	if strings.Contains(log.String(), "SECRET") {
		t.Errorf("got the log %s; want no token in it", &log)
	}
	log.Reset()
	slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: Redact("")})).Error("x")
	if !strings.Contains(log.String(), "msg=x") {
		t.Errorf("without a token: got %s; want the line as it is", &log)
	}
	r := httptest.NewRequest("POST", "/bot"+testToken+"/sendMessage", nil)
	got := describe(r, []byte(`"echo of `+testToken+` and \u001b[31mАглая"`))
	if strings.Contains(got, "SECRET") || strings.ContainsAny(got, "\x1bА") {
		t.Errorf("got %q; want neither token, control bytes nor letters of names", got)
	}
}

// A stop comes together with the answer: what Telegram has said counts.
func TestErrors_AnAnswerThatComesWithAStopIsThatAnswer(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	err := quiet().Do(ctx, message(5, Answer), func(context.Context) error {
		stop()
		return refusal(http.StatusBadRequest, "Bad Request: chat not found", parameters{})
	})
	if class := ClassOf(err); class != Gone {
		t.Errorf("got %v; want %v", class, Gone)
	}
}
