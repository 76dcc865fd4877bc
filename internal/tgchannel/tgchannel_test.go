// Connecting, posting, editing and deleting, and what each bad answer asks for.

package tgchannel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	channel  = Channel{ID: theChannel, Title: "Greetings", Username: "greetings"}
	greeting = Metadata{
		Title:       "С днём рождения!",
		Description: "Two\nlines",
		Tags:        []string{"new year", "2026", "семья"},
	}
)

// states keeps what is saved, as a database does.
type states struct {
	last State
	all  []State
}

func (s *states) save(next State) error {
	s.last = next
	s.all = append(s.all, next)
	return nil
}

func (tg *telegram) publish(s *states) (Published, error) {
	return tg.client.Publish(context.Background(), theChannel, fileID, greeting, s.last, s.save)
}

func failure(t *testing.T, err error) *Error {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("got %v; want an error of this package", err)
	}
	return e
}

func TestPublish_PostsByFileIDWithACaption(t *testing.T) {
	tg := newTelegram(t)
	var s states
	got, err := tg.publish(&s)
	if err != nil {
		t.Fatal(err)
	}
	p := tg.all()[got.ID]
	if p == nil || p.file != fileID || p.caption != "С днём рождения!\n\nTwo\nlines\n\n#new_year #семья" ||
		p.bold != 16 {
		t.Errorf("got %+v", p)
	}
	if got.URL != fmt.Sprintf("https://t.me/greetings/%d", got.ID) || !slices.Equal(s.all, []State{{uploading}}) {
		t.Errorf("got %s after %v", got.URL, s.all)
	}
}

func TestLink_OfAPrivateChannelIsForItsMembers(t *testing.T) {
	if got := Link(Channel{ID: theChannel}, 9); got != "https://t.me/c/1234567890/9" {
		t.Errorf("got %s", got)
	}
}

func TestConnect_TakesANameAnAddressOrANumber(t *testing.T) {
	tg := newTelegram(t)
	for _, name := range []string{"@greetings", "greetings", " t.me/greetings ", "https://t.me/greetings",
		"https://t.me/s/greetings?before=3",
		"http://www.telegram.me/greetings/", "-1001234567890"} {
		if got, err := tg.client.Connect(context.Background(), name); err != nil || got != channel {
			t.Errorf("%q: got %+v, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "@", "a b", "https://youtube.com/greetings", "12345", "-100", "@другой",
		"t.me/+AbCdEfGh"} {
		if _, err := tg.client.Connect(context.Background(), name); failure(t, err).Code() != "telegram_no_channel" {
			t.Errorf("%q: got %v", name, err)
		}
	}
	if got, err := tg.client.Check(context.Background(), theChannel); err != nil || got != channel {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestConnect_OnlyAChannelInWhichTheBotMayPost(t *testing.T) {
	for want, spoil := range map[string]func(*telegram){
		"telegram_not_channel": func(tg *telegram) { tg.kind = "supergroup" },
		"telegram_no_channel":  func(tg *telegram) { tg.name = "renamed" },
	} {
		tg := newTelegram(t)
		spoil(tg)
		_, err := tg.client.Connect(context.Background(), "@greetings")
		if e := failure(t, err); e.Code() != want || !e.AccessEnded() || e.Step() != "reconnect" {
			t.Errorf("got %v (%s); want %s", err, e.Code(), want)
		}
	}
	for _, rights := range []map[string]any{
		{"status": "left"}, {"status": "member"}, {"status": "kicked"},
		{"status": "administrator", "can_post_messages": false},
	} {
		tg := newTelegram(t)
		tg.rights = rights
		var s states
		_, connecting := tg.client.Connect(context.Background(), "@greetings")
		_, publishing := tg.publish(&s)
		for _, err := range []error{connecting, publishing} {
			if e := failure(t, err); e.Code() != "telegram_no_rights" || !e.AccessEnded() {
				t.Errorf("%v: got %v (%s)", rights, err, e.Code())
			}
		}
		if len(tg.all()) != 0 || len(s.all) != 0 {
			t.Errorf("%v: got %d posts and %v", rights, len(tg.all()), s.all)
		}
	}
}

// bad is a kind of bad answer.
type bad struct {
	name        string
	status      int // 0: the connection breaks
	description string
	after       int // retry_after
	page        bool
	code        string
	wait        time.Duration
	permanent   bool
}

func (b bad) give(w http.ResponseWriter) {
	switch {
	case b.status == 0:
		panic(http.ErrAbortHandler)
	case b.page:
		w.WriteHeader(b.status)
		fmt.Fprint(w, "<html>Bad Gateway")
		return
	}
	w.WriteHeader(b.status)
	fmt.Fprintf(
		w,
		`{"ok":false,"error_code":%d,"description":%q,"parameters":{"retry_after":%d}}`,
		b.status,
		b.description,
		b.after,
	)
}

var badAnswers = []bad{
	{name: "connection breaks", code: "telegram_unreachable", wait: awayPause},
	{name: "502 page", status: 502, page: true, code: "telegram_unreachable", wait: awayPause},
	{name: "403 page", status: 403, page: true, code: "telegram_unreachable", wait: awayPause},
	{name: "500", status: 500, description: "Internal Server Error", code: "telegram_unreachable", wait: awayPause},
	{name: "401", status: 401, description: "Unauthorized", code: "telegram_unreachable", wait: awayPause},
	{name: "404", status: 404, description: "Not Found", code: "telegram_unreachable", wait: awayPause},
	{
		name:        "429",
		status:      429,
		description: "Too Many Requests: retry after 35",
		after:       35,
		code:        "telegram_busy",
		wait:        35 * time.Second,
	},
	{name: "429 without time", status: 429, description: "Too Many Requests", code: "telegram_busy", wait: time.Second},
	{
		name:        "429 for ever",
		status:      429,
		description: "Too Many Requests",
		after:       1 << 30,
		code:        "telegram_busy",
		wait:        longest,
	},
	{
		name:        "403",
		status:      403,
		description: "Forbidden: bot was kicked from the channel chat",
		code:        "telegram_no_rights",
		permanent:   true,
	},
	{
		name:        "no chat",
		status:      400,
		description: "Bad Request: chat not found",
		code:        "telegram_no_channel",
		permanent:   true,
	},
	{
		name:        "no rights",
		status:      400,
		description: "Bad Request: not enough rights to send videos to the chat",
		code:        "telegram_no_rights",
		permanent:   true,
	},
	{
		name:        "rights in capitals",
		status:      400,
		description: "Bad Request: CHAT_WRITE_FORBIDDEN",
		code:        "telegram_no_rights",
		permanent:   true,
	},
	{
		name:        "file",
		status:      400,
		description: "Bad Request: wrong file identifier/HTTP URL specified",
		code:        "telegram_file",
	},
	{name: "something new", status: 400, description: "Bad Request: SOMETHING_NEW", code: "telegram_refused"},
}

func TestActions_EachBadAnswerAsksForTheSameEverywhere(t *testing.T) {
	for _, action := range []struct {
		name, method string
		do           func(tg *telegram, id int64) error
	}{
		{"connect", "getChat", func(tg *telegram, _ int64) error {
			return second(tg.client.Connect(context.Background(), "@greetings"))
		}},
		{"check", "getChatMember", func(tg *telegram,
			_ int64) error {
			return second(tg.client.Check(context.Background(), theChannel))
		}},
		{"publish", "getChatMember", func(tg *telegram, _ int64) error { return second(tg.publish(&states{})) }},
		{"update", "editMessageCaption", func(tg *telegram, id int64) error {
			return tg.client.Update(context.Background(), theChannel, id, Metadata{Title: "Another"})
		}},
		{"delete", "deleteMessage", func(tg *telegram,
			id int64) error {
			return tg.client.Delete(context.Background(), theChannel, id)
		}},
	} {
		for _, answer := range badAnswers {
			t.Run(action.name+" "+answer.name, func(t *testing.T) {
				tg := newTelegram(t)
				made, err := tg.publish(&states{})
				if err != nil {
					t.Fatal(err)
				}
				before := *tg.all()[made.ID]
				tg.before = func(method string, w http.ResponseWriter) bool {
					if method == action.method {
						answer.give(w)
						return true
					}
					return false
				}
				wantAnswer(t, action.do(tg, made.ID), answer)
				if len(tg.all()) != 1 || *tg.all()[made.ID] != before {
					t.Errorf("got %d posts; want the earlier one", len(tg.all()))
				}
			})
		}
	}
}

func second[T any](_ T, err error) error { return err }

func wantAnswer(t *testing.T, err error, b bad) {
	t.Helper()
	e := failure(t, err)
	wait, waits := e.RetryAfter()
	if e.Code() != b.code || e.Permanent() != b.permanent || waits != (b.wait > 0) || wait != b.wait ||
		!slices.Contains(Codes(), e.Code()) {
		t.Errorf(
			"got %v (%s), permanent %v, wait %v; want %s, %v, %v",
			err,
			e.Code(),
			e.Permanent(),
			wait,
			b.code,
			b.permanent,
			b.wait,
		)
	}
	if e.Unreachable() != (b.code == "telegram_unreachable") || e.AccessEnded() != (e.Step() == "reconnect") ||
		e.WholeApp() ||
		e.Pause() != 0 {
		t.Errorf("got %+v", e)
	}
}

// A refusal means that the post is not there; anything else after it left means that nobody knows.
func TestPublish_ALostAnswerIsUnclearAndStaysSo(t *testing.T) {
	for _, answer := range badAnswers {
		t.Run(answer.name, func(t *testing.T) {
			tg := newTelegram(t)
			tg.before = func(method string, w http.ResponseWriter) bool {
				if method == "sendVideo" {
					answer.give(w)
				}
				return method == "sendVideo"
			}
			if answer.code == "telegram_refused" { // a file_id is refused in any words
				answer.code = "telegram_file"
			}
			var s states
			_, err := tg.publish(&s)
			if lost := answer.status == 0 || answer.page || answer.status >= 500; !lost {
				wantAnswer(t, err, answer)
				if s.last != (State{}) {
					t.Errorf("got %v; want an empty state", s.last)
				}
				return
			}
			for range 2 { // until a person has looked
				e := failure(t, err)
				if e.Code() != "telegram_unclear" || e.Step() != "unknown" || !e.Permanent() ||
					s.last != (State{uploading}) {
					t.Errorf("got %v (%s) in state %v", err, e.Code(), s.last)
				}
				_, err = tg.publish(&s)
			}
			if n := strings.Count(strings.Join(tg.said(), " "), "sendVideo"); n != 1 {
				t.Errorf("it was sent %d times", n)
			}
		})
	}
}

func TestPublish_AKilledProgramSendsNothingTwice(t *testing.T) {
	tg := newTelegram(t)
	ctx, kill := context.WithCancel(context.Background())
	tg.after = func(method string) {
		if method == "sendVideo" {
			kill()
			<-ctx.Done()
		}
	}
	dead := false
	var s states
	_, err := tg.client.Publish(ctx, theChannel, fileID, greeting, State{}, func(next State) error {
		if !dead {
			return s.save(next)
		}
		return nil
	})
	dead = true
	if _, again := tg.publish(&s); err == nil && again == nil || len(tg.all()) != 1 {
		t.Errorf("got %v, then %v, and %d posts", err, again, len(tg.all()))
	}
}

func TestPublish_WithoutALineItWaits(t *testing.T) {
	for name, broken := range map[string]error{
		"refused": &net.OpError{Op: "dial", Err: errors.New("connection refused")},
		"no name": &net.DNSError{Err: "no such host", Name: "api.telegram.org"},
	} {
		t.Run(name, func(t *testing.T) {
			tg := newTelegram(t)
			tg.client.post = away{tg.client.post, broken}
			var s states
			_, err := tg.publish(&s)
			wantAnswer(t, err, bad{code: "telegram_unreachable", wait: awayPause})
			if s.last != (State{}) {
				t.Errorf("got %v; want an empty state", s.last)
			}
		})
	}
}

// TestPublish_WhatHasNotLeftAsAWholeIsNotThere breaks the line before the last bytes: nobody has to be asked.
func TestPublish_WhatHasNotLeftAsAWholeIsNotThere(t *testing.T) {
	tg := newTelegram(t)
	real := tg.client.post
	var late func() error
	tg.client.post = cut{real, &late}
	var s states
	_, err := tg.publish(&s)
	if e := failure(t, err); e.Step() == "unknown" || e.Permanent() || s.last != (State{}) {
		t.Errorf("got %v in state %v; want another try", err, s.last)
	}
	if err := late(); err == nil || s.last != (State{}) { // what still reads after the end
		t.Errorf("got %v in state %v; want nothing stored any more", err, s.last)
	}
	tg.client.post = real
	if _, err := tg.publish(&s); err != nil || len(tg.all()) != 1 {
		t.Errorf("got %v and %d posts; want one", err, len(tg.all()))
	}
}

// cut breaks before the last bytes.
type cut struct {
	Poster
	late *func() error
}

func (c cut) SendVideo(_ context.Context, _ int64, _ string, _ Caption, leaving func() error) (int64, error) {
	*c.late = leaving
	return 0, &net.OpError{Op: "write", Err: errors.New("broken pipe")}
}

// away cannot be connected to.
type away struct {
	Poster
	err error
}

func (a away) SendVideo(_ context.Context, _ int64, _ string, _ Caption, leaving func() error) (int64, error) {
	return 0, errors.Join(leaving(), a.err)
}

func TestPublish_NothingLeavesThatIsNotSaved(t *testing.T) {
	tg := newTelegram(t)
	full := errors.New("the disk is full")
	_, err := tg.client.Publish(
		context.Background(),
		theChannel,
		fileID,
		greeting,
		State{},
		func(State) error { return full },
	)
	if !errors.Is(err, full) || len(tg.all()) != 0 {
		t.Errorf("got %v and %d posts", err, len(tg.all()))
	}
}

func TestUpdate_ChangesTheCaptionAndOneThatIsTheSameIsNoError(t *testing.T) {
	tg := newTelegram(t)
	made, err := tg.publish(&states{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := tg.client.Update(context.Background(), theChannel, made.ID, Metadata{Title: "Another"}); err != nil {
			t.Fatal(err)
		}
	}
	if p := tg.all()[made.ID]; p.caption != "Another" || p.bold != 7 || p.file != fileID {
		t.Errorf("got %+v", p)
	}
	err = tg.client.Update(context.Background(), theChannel, 99, greeting)
	if e := failure(t, err); e.Code() != "telegram_not_found" || !e.Permanent() {
		t.Errorf("got %v", err)
	}
}

func TestThere_OnlyAPostThatIsThereIs(t *testing.T) {
	for words, c := range map[string]struct {
		status int
		there  bool
		code   string // of the error; "": none
	}{
		"":                                     {0, true, ""},
		"Bad Request: MESSAGE_ID_INVALID":      {400, false, ""},
		"Bad Request: message can't be edited": {400, true, ""},
		"Bad Request: SOMETHING_NEW":           {400, false, "telegram_refused"},
		"Forbidden: bot is not a member of the channel chat": {403, false, "telegram_no_rights"},
		"Bad Gateway": {502, false, "telegram_unreachable"},
	} {
		t.Run(words, func(t *testing.T) {
			tg := newTelegram(t)
			made, err := tg.publish(&states{})
			if err != nil {
				t.Fatal(err)
			}
			before := *tg.all()[made.ID]
			if words != "" {
				tg.before = func(_ string, w http.ResponseWriter) bool {
					bad{status: c.status, description: words}.give(w)
					return true
				}
			}
			there, err := tg.client.There(context.Background(), theChannel, made.ID)
			if c.code == "" && err != nil || c.code != "" && failure(t, err).Code() != c.code || there != c.there {
				t.Errorf("got %v, %v; want %v, %s", there, err, c.there, c.code)
			}
			tg.before = nil
			if there, err := tg.client.There(context.Background(), theChannel, made.ID+1); there || err != nil {
				t.Errorf("got %v, %v; want no post of that number", there, err)
			}
			if posts := tg.all(); len(posts) != 1 || *posts[made.ID] != before {
				t.Errorf("got %+v; want the post as it was", posts)
			}
		})
	}
}

func TestDelete_APostThatIsGoneIsNoErrorAndOneThatIsTooOldIs(t *testing.T) {
	tg := newTelegram(t)
	made, err := tg.publish(&states{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := tg.client.Delete(context.Background(), theChannel, made.ID); err != nil || len(tg.all()) != 0 {
			t.Fatalf("got %v and %d posts", err, len(tg.all()))
		}
	}
	tg.before = func(_ string, w http.ResponseWriter) bool {
		bad{status: 400, description: "Bad Request: MESSAGE_ID_INVALID"}.give(w)
		return true
	}
	if err := tg.client.Delete(context.Background(), theChannel, made.ID); err != nil {
		t.Errorf("got %v; want that it is gone", err)
	}
	tg.before = func(_ string, w http.ResponseWriter) bool {
		bad{status: 400, description: "Bad Request: message can't be deleted for everyone"}.give(w)
		return true
	}
	if e := failure(
		t,
		tg.client.Delete(context.Background(), theChannel, made.ID),
	); e.Code() != "telegram_too_old" ||
		!e.Permanent() {
		t.Errorf("got %v", e)
	}
}

func TestCaption_FitsAndSaysWhatThereIs(t *testing.T) {
	for _, one := range []struct {
		name string
		m    Metadata
		want string
	}{
		{"nothing", Metadata{}, ""},
		{"a title", Metadata{Title: " A <b>title</b> "}, "A <b>title</b>"},
		{"no title", Metadata{Description: "Words"}, "Words"},
		{"tags alone", Metadata{Tags: []string{"a b-c", "1", "год 2026", "", "!"}}, "#a_b_c #год_2026"},
		{"controls", Metadata{Title: "a\x00b", Description: "x\r\ny\x1b"}, "ab\n\nx\ny"},
	} {
		if got := CaptionOf(one.m); got.Text != one.want {
			t.Errorf("%s: got %q; want %q", one.name, got.Text, one.want)
		}
	}
	for _, m := range []Metadata{
		{Title: strings.Repeat("ж", 100), Description: strings.Repeat("слово ", 1000), Tags: []string{"new year"}},
		{Title: strings.Repeat("👶", 600), Description: "x", Tags: []string{"a"}},
		{Title: strings.Repeat("👶", 510), Description: strings.Repeat("👶", 510),
			Tags: []string{strings.Repeat("x", 190)}},
		{Title: "T", Description: strings.Repeat("👶", 1000)},
		{Title: "T", Tags: slices.Repeat([]string{"tag"}, 300)},
		{Title: strings.Repeat("x", 1020), Description: "words", Tags: []string{"a"}},
		{Title: "\xff\xfe", Description: "\xff"},
	} {
		got := CaptionOf(m)
		if n := units(got.Text); n > maxCaption || got.Bold > n || got.Bold == 0 {
			t.Errorf("got %d units, %d of them bold; want %d at most", n, got.Bold, maxCaption)
		}
	}
	long := CaptionOf(Metadata{Title: "T", Description: strings.Repeat("слово ", 1000), Tags: []string{"tag"}}).Text
	if !strings.HasSuffix(long, "слово…\n\n#tag") || units(long) < maxCaption-10 {
		t.Errorf("got %d units that end with %q", units(long), long[len(long)-40:])
	}
}
