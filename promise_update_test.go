// Everything people write and press times every answer that Telegram may give to what the bot says about it, once and
// again and again.

package main

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/media"
	"retake.example/internal/store"
)

// refuser is the way to a Telegram that gives the same answer to what the bot says in some chats. Like spoiler it is a
// transport without a network.
type refuser struct {
	tg     *faketelegram.Server
	answer answerOf

	mu      sync.Mutex
	times   map[int64]int // how often more, by chat; less than 0: until it is well
	well    bool
	refused int // calls
}

// RoundTrip implements http.RoundTripper.
func (f *refuser) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := []byte(nil), error(nil)
	if r.Body != nil {
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil {
		trace.GotConn(httptrace.GotConnInfo{})
		trace.WroteRequest(httptrace.WroteRequestInfo{})
	}
	chat := chatOf(r.Header.Get("Content-Type"), body)
	f.mu.Lock()
	refuses := !f.well && f.times[chat] != 0
	if refuses {
		f.times[chat]--
		f.refused++
	}
	f.mu.Unlock()
	answer := httptest.NewRecorder()
	if !refuses || f.answer.maybe {
		own := r.Clone(r.Context())
		own.Body = io.NopCloser(bytes.NewReader(body))
		if !(&spoiler{tg: f.tg}).serve(answer, own) {
			return nil, io.ErrUnexpectedEOF
		}
	}
	switch {
	case refuses && f.answer.status == 0:
		return nil, io.ErrUnexpectedEOF
	case refuses:
		answer = httptest.NewRecorder()
		if strings.HasPrefix(f.answer.body, "<") {
			answer.Header().Set("Content-Type", "text/html")
		}
		answer.WriteHeader(f.answer.status)
		io.WriteString(answer, f.answer.body)
	}
	return answer.Result(), nil
}

// chatOf is the chat that a call speaks in; 0: none.
func chatOf(kind string, body []byte) int64 {
	_, params, err := mime.ParseMediaType(kind)
	if err != nil {
		return 0
	}
	form, err := multipart.NewReader(bytes.NewReader(body), params["boundary"]).ReadForm(1 << 20)
	if err != nil || len(form.Value["chat_id"]) != 1 {
		return 0
	}
	chat, _ := strconv.ParseInt(form.Value["chat_id"][0], 10, 64)
	return chat
}

// wishes are what people do, and the words of the answer. Each begins with a question that was answered.
var wishes = map[string]struct {
	does func(p *faketelegram.Person, question faketelegram.Message)
	want string
}{
	"a name":     {func(p *faketelegram.Person, _ faketelegram.Message) { p.Send("Оля") }, "«Оля»?"},
	"a bad name": {func(p *faketelegram.Person, _ faketelegram.Message) { p.Send("М4ша") }, "есть цифры"},
	"/help":      {func(p *faketelegram.Person, _ faketelegram.Message) { p.Send("/help") }, "/delete_my_data"},
	"/start":     {func(p *faketelegram.Person, _ faketelegram.Message) { p.Send("/start") }, "Пришлите имя ребёнка"},
	"/status":    {func(p *faketelegram.Person, _ faketelegram.Message) { p.Send("/status") }, "Вы ещё не заказывали"},
	"/my_data":   {func(p *faketelegram.Person, _ faketelegram.Message) { p.Send("/my_data") }, "всё, что я о вас храню"},
	"Change":     {func(p *faketelegram.Person, q faketelegram.Message) { press(p, q, 1) }, "Напишите имя так"},
	"an edit": {func(p *faketelegram.Person, _ faketelegram.Message) {
		for _, m := range p.Messages() {
			if !m.FromBot {
				p.Edit(int64(m.ID), "Ева")
				return
			}
		}
	}, "«Ева»?"},
}

// TestPromise_EveryUpdateTimesEveryAnswer holds of what people write and press: nobody waits in silence, nothing
// disappears, Telegram's own faults set nothing aside, and nobody is told anything more than twice.
func TestPromise_EveryUpdateTimesEveryAnswer(t *testing.T) {
	files, err := media.OpenDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	for name, answer := range allAnswers {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *store.Store) { updatesMeet(t, s, files, answer) })
		})
	}
}

func updatesMeet(t *testing.T, s *store.Store, files *media.Disk, answer answerOf) {
	tg := faketelegram.New(testToken)
	defer tg.Close()
	way := &refuser{tg: tg, answer: answer, times: map[int64]int{}}
	bot, stop := live(t, s, files, way, endless{})
	defer stop()
	type case_ struct {
		what  string
		times int
		p     *faketelegram.Person
	}
	var all []case_
	for what := range wishes {
		for _, times := range []int{1, -1} {
			p := tg.Person(int64(len(all)+1), "П", "ru")
			all = append(all, case_{what, times, p})
			p.Send("Маша")
		}
	}
	pass := func(d time.Duration) { time.Sleep(d); synctest.Wait() }
	pass(time.Minute)
	for _, c := range all {
		question := answers(c.p)[0]
		way.mu.Lock()
		way.times[c.p.ID()] = c.times
		way.mu.Unlock()
		wishes[c.what].does(c.p, question)
	}
	pass(time.Hour)
	if n := count(t, s, `SELECT count(*) FROM inbox WHERE tries > 0`); n != 0 && answer.fate == waiting {
		t.Errorf("got %d updates with a try spent by Telegram's own fault; want none", n)
	}
	aside, want := count(t, s, `SELECT count(*) FROM inbox WHERE set_aside IS NOT NULL`), 0
	if answer.fate == declined || answer.fate == badFileID {
		want = len(wishes) // of those that are refused again and again
	}
	if given, err := s.NotDelivered(t.Context(), time.Time{}); err != nil || aside != want || given.N != want {
		t.Errorf("got %d set aside, %d told to admins, %v; want %d", aside, given.N, err, want)
	}
	way.mu.Lock()
	way.well = true
	if way.refused < len(all) {
		t.Errorf("got %d calls refused; want one or more of each", way.refused)
	}
	way.mu.Unlock()
	pass(time.Hour)
	if want > 0 {
		var updates []store.Update
		write(t, s, func(tx *store.Tx) (err error) { updates, err = tx.TryAside(); return err })
		bot.Resume(t.Context(), updates)
		pass(time.Hour)
	}
	if n := count(t, s, `SELECT count(*) FROM inbox WHERE raw IS NOT NULL`); n != 0 {
		t.Errorf("got %d updates left; want each answered", n)
	}
	for _, c := range all {
		said, most := 0, 1
		for _, m := range answers(c.p) {
			said += strings.Count(m.Text, wishes[c.what].want)
		}
		if answer.maybe {
			most = 2
		}
		if answer.fate == nobody {
			if n := count(t, s, `SELECT count(*) FROM users WHERE id = ? AND unreachable IS NOT NULL`, c.p.ID()); n != 1 {
				t.Errorf("%s, %d times: got somebody who can be reached; want it known that they can't", c.what, c.times)
			}
		} else if said < 1 || said > most {
			t.Errorf("%s, %d times: got it answered %d times; want once, or twice at most: %v", c.what, c.times, said, answers(c.p))
		}
	}
}
