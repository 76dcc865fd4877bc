// The calls themselves: files and what becomes of them, edits of messages that are gone, polls, panics.

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
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	faketelegram "retake.example/internal/fake/telegram"
)

// withTelegram returns a Talk with the stand-in for Telegram.
func withTelegram(t *testing.T) (*Talk, *faketelegram.Server) {
	t.Helper()
	tg := faketelegram.New(testToken)
	server := httptest.NewServer(tg)
	t.Cleanup(func() {
		tg.Close()
		server.Close()
		if m := tg.Mistakes(); len(m) > 0 {
			t.Errorf("got %q; want nothing asked that the Bot API does not know", m)
		}
	})
	talk, _ := talkTo(t, server.URL)
	talk.Gate = NewGate(time.Millisecond, LogTo(slog.New(slog.DiscardHandler))) // a thousand messages a second
	return talk, tg
}

func TestTalk_AVideoIsSentAgainAsWhatTelegramMadeOfIt(t *testing.T) {
	for kind, want := range map[string]string{"video": "sendVideo", "animation": "sendAnimation",
		"document": "sendDocument"} {
		var paths, files []string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := r.ParseMultipartForm(1 << 20); err != nil {
				t.Error(err)
			}
			paths = append(paths, r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
			files = append(files, r.FormValue(kind))
			fmt.Fprintf(w, `{"ok":true,"result":{"message_id":7,%q:{"file_id":"XYZ"}}}`, kind)
		}))
		talk, _ := talkTo(t, server.URL)
		_, fileID, err := talk.SendVideo(t.Context(), 5, Video{File: strings.NewReader("film"), Size: 4})
		if err != nil {
			t.Fatal(err)
		}
		_, again, err := talk.SendVideo(t.Context(), 5, Video{FileID: fileID})
		if err != nil || again != fileID {
			t.Errorf("%s: got file_id %q, then %q, %v; want the same", kind, fileID, again, err)
		}
		if !slices.Equal(paths, []string{"sendVideo", want}) || files[1] != "XYZ" {
			t.Errorf("%s: got calls %v with %q; want sendVideo, then %s with XYZ", kind, paths, files, want)
		}
		server.Close()
	}
}

func TestTalk_AMessageToEditThatIsGoneIsReplacedOnce(t *testing.T) {
	talk, tg := withTelegram(t)
	p := tg.Person(5, "Ada", "en")
	id, err := talk.Send(t.Context(), 5, "one", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := talk.Replace(t.Context(), 5, id, "two", nil); got != id || err != nil {
		t.Errorf("got %d, %v; want the message edited", got, err)
	}
	if got, err := talk.Replace(t.Context(), 5, id, "two", nil); got != id || err != nil {
		t.Errorf("unchanged: got %d, %v; want it counted as done", got, err)
	}
	if err := talk.Delete(t.Context(), 5, id); err != nil {
		t.Fatal(err)
	}
	if err := talk.Edit(t.Context(), 5, id, "three", nil); err != nil {
		t.Errorf("edit of a deleted message: got %v; want none", err)
	}
	for name, words := range map[string]string{"deleted": "", "too old": "Bad Request: message can't be edited",
		"in new words": "Bad Request: of 2031"} {
		if words != "" {
			tg.Inject(faketelegram.Fault{Method: "editMessageText", Status: 400, Description: words})
		}
		before := len(p.Messages())
		got, err := talk.Replace(t.Context(), 5, id, name, nil)
		if err != nil || got == id || len(p.Messages()) != before+1 {
			t.Errorf("%s: got %d, %v, %d messages more; want a new one", name, got, err, len(p.Messages())-before)
		}
	}
	if got, err := talk.Replace(t.Context(), 5, 0, "none yet", nil); err != nil || got == 0 {
		t.Errorf("without a message: got %d, %v; want a new one", got, err)
	}
	p.Block()
	if _, err := talk.Replace(t.Context(), 5, id, "x", nil); ClassOf(err) != Gone {
		t.Errorf("blocked: got %v; want the chat gone", err)
	}
}

// A file of ours that cannot be read is not Telegram's fault, and makes nobody wait. The client library reads in a
// goroutine of its own, in which a panic would end the program.
func TestTalk_AFileThatCannotBeReadIsOurError(t *testing.T) {
	broken := errors.New("input/output error")
	for name, file := range map[string]io.Reader{
		"an error":        io.MultiReader(strings.NewReader("begin"), failing{err: broken}),
		"a panic":         failing{panics: true},
		"not a pointer":   failing{err: broken},
		"no such pointer": (*bytes.Reader)(nil),
	} {
		talk, tg := withTelegram(t)
		tg.Person(5, "Ada", "en")
		_, _, err := talk.SendVideo(t.Context(), 5, Video{File: file, Size: 9})
		if err == nil || ClassOf(err) != Odd || MaybeSent(err) {
			t.Errorf("%s: got %v, class %v; want an error of our own", name, err, ClassOf(err))
		}
		if _, waits := retryAfter(err); waits || len(talk.Gate.Pauses())+len(talk.Gate.Troubles()) > 0 {
			t.Errorf("%s: got a wait for %v; want none", name, err)
		}
		if strings.Contains(name, "error") && !errors.Is(err, broken) {
			t.Errorf("%s: got %v; want its cause", name, err)
		}
	}
}

type failing struct {
	err    error
	panics bool
}

func (f failing) Read([]byte) (int, error) {
	if f.panics {
		panic("Аглая")
	}
	return 0, f.err
}

// An answer that is lost: the message may have gone out if Telegram is there, and has not if it is not.
func TestTalk_ALostAnswerMayBeADelivery(t *testing.T) {
	talk, tg := withTelegram(t)
	p := tg.Person(5, "Ada", "en")
	tg.Inject(faketelegram.Fault{Method: "sendMessage", LoseAnswer: true})
	_, err := talk.Send(t.Context(), 5, "x", nil)
	if ClassOf(err) != Down || !MaybeSent(err) || len(p.Messages()) != 1 || len(talk.Gate.Troubles()) > 0 {
		t.Errorf("lost: got %v, maybe sent %v, troubles %v; want that it may have been sent, and no trouble", err,
			MaybeSent(err),
			talk.Gate.Troubles())
	}
	tg.SetDown(true)
	_, err = talk.Send(t.Context(), 5, "y", nil)
	if ClassOf(err) != Down || MaybeSent(err) || len(talk.Gate.Troubles()) != 1 {
		t.Errorf("away: got %v, maybe sent %v, troubles %v; want Telegram away, and nothing sent", err, MaybeSent(err),
			talk.Gate.Troubles())
	}
}

func TestTalk_AWebhookIsTakenOver(t *testing.T) {
	talk, tg := withTelegram(t)
	tg.Person(5, "Ada", "en").Send("hello")
	tg.SetWebhook("https://elsewhere.example/hook")
	if err := talk.DeleteWebhook(t.Context()); err != nil || tg.Webhook() != "" || tg.Pending() != 1 {
		t.Errorf("got %v, webhook %q, %d updates; want it deleted, and no update dropped", err, tg.Webhook(), tg.Pending())
	}
}

func TestTalk_AForumTopicIsAnsweredInItsTopic(t *testing.T) {
	talk, tg := withTelegram(t)
	forum := tg.Group(-100, "Forum")
	topic := forum.Topic("Greetings")
	talk.InTopic(topic).Send(t.Context(), -100, "x", nil)
	talk.Send(t.Context(), -100, "x", nil)
	if got := forum.Messages(); len(got) != 2 || got[0].Topic != topic || got[1].Topic != 0 {
		t.Errorf("got %+v; want the first in the topic, the second in none", got)
	}
}

// The body of an answer that is cut after the id of the message is used: sending again would be a second copy.
func TestTalk_SpoiledAnswersOfMessagesThatWentOut(t *testing.T) {
	for name, c := range map[string]struct {
		fault faketelegram.Fault
		known bool
	}{
		"cut after the id":   {faketelegram.Fault{CutAfter: `"message_id":1,`}, true},
		"cut before the id":  {faketelegram.Fault{CutAfter: `"message_id":`}, false},
		"ok without result":  {faketelegram.Fault{NoResult: true}, false},
		"the answer is lost": {faketelegram.Fault{LoseAnswer: true}, false},
	} {
		talk, tg := withTelegram(t)
		p := tg.Person(5, "Ada", "en")
		tg.Inject(c.fault)
		id, fileID, err := talk.SendVideo(t.Context(), 5, Video{File: strings.NewReader("film"), Size: 4})
		if len(p.Messages()) != 1 || (err == nil) != c.known || c.known && id != 1 || MaybeSent(err) == c.known {
			t.Errorf("%s: got %d, %q, %v, maybe sent %v", name, id, fileID, err, MaybeSent(err))
		}
	}
}

func TestTalk_TheMenuOfSomebodyWhoHasNotWrittenIsNoError(t *testing.T) {
	talk, tg := withTelegram(t)
	tg.Person(5, "Ada", "en")
	for _, chat := range []int64{0, 5, 6} {
		if err := talk.SetCommands(t.Context(), "ru", chat, []Command{{"start", "x"}}); err != nil {
			t.Errorf("chat %d: got %v", chat, err)
		}
	}
	if len(tg.Calls()) != 3 {
		t.Errorf("got %d calls; want one for each", len(tg.Calls()))
	}
}

type meter struct {
	mu     sync.Mutex
	called []string
	waited int
}

func (m *meter) Called(method, result string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.called = append(m.called, method+" "+result)
}

func (m *meter) Waited(time.Duration) { m.waited++ }

func TestTalk_EachCallIsCountedWithItsResult(t *testing.T) {
	talk, tg := withTelegram(t)
	tg.Person(5, "Ada", "en")
	m := &meter{}
	talk.Meter, talk.Gate = m, quiet()
	talk.Send(t.Context(), 5, "x", nil)
	talk.Send(t.Context(), 6, "x", nil)
	tg.Inject(faketelegram.Fault{Method: "sendMessage", RetryAfter: 60})
	talk.Send(t.Context(), 5, "x", nil)
	talk.Send(t.Context(), 5, "x", nil)
	if got, want := strings.Join(m.called, ", "),
		"sendMessage ok, sendMessage gone, sendMessage too_many, sendMessage held"; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	if m.waited != 3 {
		t.Errorf("got %d turns; want those of the three that were made", m.waited)
	}
}

func TestClient_ThoseWhoSendTogetherKeepTheirConnections(t *testing.T) {
	var connections, calls atomic.Int64
	together := make(chan struct{}, 20)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1)%20 == 0 { // all twenty of a round are on their way
			for range 20 {
				together <- struct{}{}
			}
		}
		<-together
		io.WriteString(w, `{"ok":true,"result":true}`)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	client := NewClient()
	for range 5 {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := client.Do(r); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	if n := connections.Load(); n > 30 { // Go may dial one more than it then needs
		t.Errorf("got %d connections for five rounds of 20 calls; want some 20", n)
	}
}

// An upload that moves is not cut off, however long it takes; one of which nothing moves is.
func TestClient_AnUploadIsCutOffByAStandstillOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := Client{&http.Client{Transport: slowLine{}}}
		file := &drip{parts: 30, each: time.Minute}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://x/bot1:x/sendVideo", io.NopCloser(file))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Do(r); err != nil {
			t.Errorf("half an hour that moves: got %v; want it through", err)
		}
		began := time.Now()
		r, err = http.NewRequestWithContext(t.Context(), http.MethodPost, "http://x/bot1:x/sendVideo",
			io.NopCloser(&drip{parts: 3, each: time.Second, stands: true}))
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Do(r)
		time.Sleep(time.Hour) // the read ends
		if took := time.Since(began) - time.Hour; ClassOf(err) != Down || took < standstill || took > standstill+time.Minute {
			t.Errorf("a standstill: got %v after %v; want it cut off after %v", err, took, standstill)
		}
	})
}

// slowLine is a transport that sends as fast as it can read, and answers.
type slowLine struct{}

func (slowLine) RoundTrip(r *http.Request) (*http.Response, error) {
	done := make(chan error, 1)
	go func() { _, err := io.Copy(io.Discard, r.Body); done <- err }()
	select {
	case <-done:
	case <-r.Context().Done():
		r.Body.Close()
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: 200,
		Body: io.NopCloser(strings.NewReader(`{"ok":true,"result":{"message_id":1}}`))}, nil
}

// drip is a file that comes in parts.
type drip struct {
	parts  int
	each   time.Duration
	stands bool // after the last part
}

func (d *drip) Read(p []byte) (int, error) {
	if d.parts == 0 {
		if d.stands {
			time.Sleep(time.Hour)
		}
		return 0, io.EOF
	}
	time.Sleep(d.each)
	d.parts--
	return copy(p, "part"), nil
}

func TestPoll_ReadsNoMoreThanItMust(t *testing.T) {
	answer := `{"ok":true,"result":[
		{"update_id":1,"message":{"chat":{"id":7}}},
		{"update_id":2,"callback_query":{"from":{"id":8},"message":{"chat":{"id":9}}}},
		{"update_id":3,"callback_query":{"from":{"id":8}}},
		{"update_id":4,"my_chat_member":{"chat":{"id":10}}},
		{"update_id":5,"edited_message":{"chat":{"id":11}}},
		{"without":"an id"},{"update_id":"x"},5,
		{"update_id":6,"message":"of a shape nobody knows"},
		{"update_id":7,"a_kind_of_2031":{}},
		{"update_id":8,"edited_channel_post":{"chat":{"id":-12}}}]}`
	var asked string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = string(body)
		io.WriteString(w, answer)
	}))
	defer s.Close()
	updates, err := Poll(t.Context(), NewClient(), s.URL, "1:x", 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range updates {
		got = append(got, fmt.Sprint(u.ID, ":", u.Chat))
	}
	if want := "1:7 2:9 3:8 4:10 5:11 6:0 7:0 8:0"; strings.Join(got, " ") != want {
		t.Errorf("got %s; want %s", got, want)
	}
	if !strings.Contains(asked, `["message","edited_message","edited_channel_post","callback_query","my_chat_member"]`) {
		t.Errorf("got asked %s; want edited messages and posts among the kinds", asked)
	}
	answer = `{"ok":true,"result":[{"without":"an id"}]}` // asking again at once would be at full speed, for ever
	if _, err := Poll(t.Context(), NewClient(), s.URL, "1:x", 0); ClassOf(err) != Unreadable {
		t.Errorf("got %v; want an error that asks to wait", err)
	}
}

func TestPoll_PausesLongerAfterEachErrorAndAsLongAsItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		odd, busy := errors.New("odd"), &Error{Class: Wait, after: time.Minute, text: "busy"}
		answers := []error{odd, odd, busy, odd, nil, odd, nil}
		began := time.Now()
		var at []time.Duration
		var log bytes.Buffer
		Keep(ctx, func(context.Context) error {
			at = append(at, time.Since(began))
			if len(at) == len(answers) {
				cancel()
			}
			return answers[len(at)-1]
		}, slog.New(slog.NewTextHandler(&log, nil)))
		// 1 s, 2 s, the minute, then the longest of its own, 30 s; after a success from the beginning.
		want := []time.Duration{0, 1, 3, 63, 93, 93, 94}
		for i := range want {
			want[i] *= time.Second
		}
		if !slices.Equal(at, want) {
			t.Errorf("got asked at %v; want %v", at, want)
		}
		// odd, then busy, then odd once more mean different things; then it works, and then it does not.
		if warned, well := strings.Count(log.String(), "level=WARN"), strings.Count(log.String(),
			"works again"); warned != 4 || well != 1 {
			t.Errorf("got %d warnings, %d ends of trouble; want 4, 1: %s", warned, well, log.String())
		}
	})
}

func TestPoll_APanicIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var log bytes.Buffer
		calls := 0
		Keep(ctx, func(context.Context) error {
			if calls++; calls == 3 {
				cancel()
				return nil
			}
			panic("Аглая")
		}, slog.New(slog.NewTextHandler(&log, nil)))
		if calls != 3 || !strings.Contains(log.String(), "panic: string") || strings.Contains(log.String(), "Аглая") {
			t.Errorf("got %d calls, log %s; want polling to go on, and the panic in the log", calls, log.String())
		}
	})
}

func TestChats_AChatIsServedInOrderAndAloneAndASlowOneHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order [2][]int
		var inside [2]atomic.Int64
		c := NewChats(func(_ context.Context, item [2]int) {
			chat := item[0]
			if inside[chat].Add(1) > 1 {
				t.Error("two items of a chat at a time")
			}
			if chat == 0 {
				time.Sleep(time.Hour)
			}
			order[chat] = append(order[chat], item[1])
			inside[chat].Add(-1)
		})
		began := time.Now()
		for i := range 5 {
			for chat := range 2 {
				c.Accept(t.Context(), int64(chat), [2]int{chat, i})
			}
		}
		synctest.Wait()
		if fmt.Sprint(order[1]) != "[0 1 2 3 4]" || time.Since(began) != 0 {
			t.Errorf("got %v after %v; want the quick chat done at once, in order", order[1], time.Since(began))
		}
		c.Wait()
		if fmt.Sprint(order[0]) != "[0 1 2 3 4]" {
			t.Errorf("got %v; want the slow chat in order", order[0])
		}
	})
}

func TestChats_APanicCostsItsItemAlone(t *testing.T) {
	var log bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(old) })
	var done []int
	c := NewChats(func(_ context.Context, item int) {
		if item == 2 {
			panic("Аглая")
		}
		done = append(done, item)
	})
	for item := range 4 {
		c.Accept(t.Context(), 1, item)
	}
	c.Wait()
	if !slices.Equal(done, []int{0, 1, 3}) {
		t.Errorf("got %v handled; want all but the one that panics", done)
	}
	if !strings.Contains(log.String(), "msg=panic") || strings.Contains(log.String(), "Аглая") {
		t.Errorf("got the log %s; want the panic without its text", &log)
	}
}

func TestCall_WhatItIs(t *testing.T) {
	for call, want := range map[Call]struct{ creates, edits bool }{
		{Method: "sendMessage", Chat: 5}:     {true, false},
		{Method: "sendMessage"}:              {false, false},
		{Method: "editMessageText", Chat: 5}: {false, true},
		{Method: "deleteMessage", Chat: 5}:   {false, false},
	} {
		if call.creates() != want.creates || call.edits() != want.edits {
			t.Errorf("%+v: creates %v, edits %v; want %+v", call, call.creates(), call.edits(), want)
		}
	}
}

// What the transport gives up says nothing of a file of ours.
func TestOutgoing_OnlyAFileHasAProblem(t *testing.T) {
	for err, want := range map[error]bool{io.EOF: false, io.ErrClosedPipe: false, errors.New("disk"): true, nil: false} {
		o := &outgoing{ReadCloser: io.NopCloser(errorReader{err}), moved: func() {}}
		o.Read(make([]byte, 1))
		if got := o.problem.Load() != nil; got != want {
			t.Errorf("%v: got a problem: %v; want %v", err, got, want)
		}
	}
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

func TestUnanswered_SaysWhetherTimeRanOut(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for want, ctx := range map[string]context.Context{"telegram did not answer in time": over,
		"telegram cannot be reached: dial": t.Context()} {
		err := unanswered(ctx, &url.Error{Op: "Post", URL: "https://api/secret", Err: errors.New("dial")}, true, true)
		if err.Error() != want || !err.maybe || err.place {
			t.Errorf("got %q, %+v; want %q, and that it may have arrived", err, err, want)
		}
	}
}
