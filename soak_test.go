// A soak: five hundred people, two hours, and five calls of a hundred refused in every way there is.

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/chat"
	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/media"
	"retake.example/internal/outage"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/video"
)

// spoiler is the way to a Telegram that refuses five calls of a hundred. It is a transport without a network, so that
// time can be that of a bubble.
type spoiler struct {
	tg *faketelegram.Server

	mu      sync.Mutex
	well    bool // nothing is refused any more
	calls   int
	refused map[string]int // by what was answered instead
}

// spoilt are the answers instead of Telegram's own. done: the call is done all the same.
var spoilt = []struct {
	name, method string // "": of every method
	status       int    // 0: the connection breaks
	body         string
	done         bool
}{
	{"400 in new words", "", 400, no(400, "Bad Request: words of 2031"), false},
	{"400 of a file_id", "sendVideo", 400, no(400, "Bad Request: FILE_ID_INVALID"), false},
	{"400 of an edit", "editMessageText", 400, no(400, "Bad Request: MESSAGE_ID_INVALID"), false},
	{"402", "", 402, no(402, "Payment Required"), false},
	{"413", "sendVideo", 413, no(413, "Request Entity Too Large"), false},
	{"429", "", 429, `{"ok":false,"error_code":429,"parameters":{"retry_after":20}}`, false},
	{"429 for an hour", "setMyCommands", 429, `{"ok":false,"error_code":429,"parameters":{"retry_after":3600}}`, false},
	{"401", "", 401, no(401, "Unauthorized"), false},
	{"logged out", "", 400, no(400, "Logged out"), false},
	{"409 webhook", "", 409, no(409, "Conflict: terminated by setWebhook request"), false},
	{"409 other poller", "getUpdates", 409, no(409, "Conflict: terminated by other getUpdates request"), false},
	{"500", "", 500, no(500, "Internal Server Error"), false},
	{"502", "", 502, `<h1>502</h1>`, false},
	{"no connection", "", 0, ``, false},
	{"no answer", "", 0, ``, true},
	{"no result", "", 200, `{"ok":true}`, true},
	{"cut", "", 200, `{"ok":true,"result":{"mess`, true},
	{"HTML", "", 200, `<h1>hello</h1>`, false},
}

// stubborn is in the caption of the videos that Telegram takes in no words.
var stubborn = []byte("Ъ")

// RoundTrip implements http.RoundTripper.
func (s *spoiler) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := []byte(nil), error(nil)
	if r.Body != nil {
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	method := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	s.mu.Lock()
	s.calls++
	way := spoilt[rand.IntN(len(spoilt))]
	for way.method != "" && way.method != method {
		way = spoilt[rand.IntN(len(spoilt))]
	}
	spoils := !s.well && method != "getMe" && rand.IntN(100) < 5
	if method == "sendVideo" && bytes.Contains(body, stubborn) { // one of the few chats that take no video at all
		way, spoils = spoilt[0], true
	}
	if spoils {
		s.refused[way.name]++
	}
	s.mu.Unlock()
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && !(spoils && way.name == "no connection") {
		trace.GotConn(httptrace.GotConnInfo{})
		trace.WroteRequest(httptrace.WroteRequestInfo{})
	}
	answer := httptest.NewRecorder()
	if !spoils || way.done {
		own := r.Clone(r.Context())
		own.Body = io.NopCloser(bytes.NewReader(body))
		if !s.serve(answer, own) {
			return nil, io.ErrUnexpectedEOF
		}
	}
	switch {
	case spoils && way.status == 0:
		return nil, errors.New("connection reset by peer")
	case spoils:
		answer = httptest.NewRecorder()
		if strings.HasPrefix(way.body, "<") {
			answer.Header().Set("Content-Type", "text/html")
		}
		answer.WriteHeader(way.status)
		io.WriteString(answer, way.body)
	}
	return answer.Result(), nil
}

// serve has Telegram answer. It returns false if Telegram hangs up.
func (s *spoiler) serve(w http.ResponseWriter, r *http.Request) (answered bool) {
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			panic(p)
		}
	}()
	s.tg.ServeHTTP(w, r)
	return true
}

// moody is a renderer that fails five times in a hundred, in every way there is, and always for the names that begin
// with a Щ.
type moody struct{ path string }

func (m moody) Make(ctx context.Context, o video.Order, progress func(int)) (video.Video, error) {
	progress(50)
	select {
	case <-ctx.Done():
		return video.Video{}, ctx.Err()
	case <-time.After(time.Duration(4+rand.IntN(5)) * time.Second):
	}
	if rand.IntN(100) < 5 || strings.HasPrefix(o.Name, "Щ") {
		switch rand.IntN(6) {
		case 0:
			return video.Video{}, retry.WithCode(errors.New("exit status 1"), "ENGINE")
		case 1:
			return video.Video{}, retry.Permanent(retry.WithCode(errors.New("refused"), "ENGINE_REFUSED"))
		case 2:
			return video.Video{}, retry.WithCode(retry.Wait(errors.New("503"), 10*time.Second), "UNREACHABLE")
		case 3:
			return video.Video{}, retry.WithCode(retry.Wait(errors.New("429"), time.Minute), "BUSY")
		case 4:
			panic("a map without a lock")
		case 5:
			return video.Video{}, retry.WithCode(errors.New("too slow"), "TIMEOUT")
		}
	}
	return video.Video{Path: m.path, Size: 1, Duration: time.Second, Width: 16, Height: 16}, nil
}

// somebody asks for some videos in the first hour and a half, and presses what the bot offers. Some block the bot for a
// while.
func somebody(p *faketelegram.Person, names []string, until time.Time) {
	pressed := map[string]bool{}
	look := func() {
		for _, m := range p.Messages() {
			for _, row := range m.Buttons {
				for _, b := range row {
					kind, _, _ := strings.Cut(b.Data, ":")
					key := fmt.Sprint(m.ID, b.Data)
					switch {
					case pressed[key], !m.FromBot:
					case kind == telegram.YesButton, kind == telegram.RetryButton && rand.IntN(10) < 7:
						p.Press(m.ID, b.Data)
						pressed[key] = true
					case kind == telegram.RetryButton: // not everybody tries again
						pressed[key] = true
					}
				}
			}
		}
	}
	next := time.Now().Add(time.Duration(rand.IntN(60)) * time.Minute)
	for time.Now().Before(until) {
		if len(names) > 0 && time.Now().After(next) {
			p.Send(names[0])
			names, next = names[1:], time.Now().Add(time.Duration(5+rand.IntN(20))*time.Minute)
			if rand.IntN(20) == 0 {
				time.Sleep(20 * time.Second)
				p.Block()
				time.Sleep(10 * time.Minute)
				p.Unblock()
			}
		}
		time.Sleep(time.Duration(60+rand.IntN(60)) * time.Second)
		look()
	}
}

func TestSoak_EveryRequestEndsDeliveredApologisedOrNeedingAttention(t *testing.T) {
	if testing.Short() {
		t.Skip("some 20 s")
	}
	film, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	memory, err := os.MkdirTemp("/dev/shm", "retake-soak-") // thousands of commits: the disk is not what is tested
	if err != nil {
		memory = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(memory) })
	files, err := media.OpenDisk(filepath.Join(memory, "media"))
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	bubbleIn(t, memory, func(t *testing.T, s *store.Store) {
		tg := faketelegram.New(testToken)
		defer tg.Close()
		way := &spoiler{tg: tg, refused: map[string]int{}}
		_, stop := live(t, s, files, way, moody{film})
		var people sync.WaitGroup
		began := time.Now()
		for i := range 500 {
			p := tg.Person(int64(i+1), "П", "ru")
			var names []string
			for n := range 1 + rand.IntN(3) {
				first := []string{"К", "Л", "М", "Н", "О", "П", "Р", "С", "Т", "Щ"}[rand.IntN(10)]
				if i%100 == 0 {
					first = string(stubborn)
				}
				names = append(names, first+letters(n*100+rand.IntN(100)))
			}
			people.Go(func() { somebody(p, names, began.Add(2*time.Hour)) })
		}
		people.Wait()
		way.mu.Lock()
		way.well = true
		way.mu.Unlock()
		for range 60 { // what was under way ends
			if count(t, s, `SELECT count(*) FROM jobs`)+count(t, s, `SELECT count(*) FROM inbox WHERE raw IS NOT NULL AND set_aside IS NULL`) == 0 {
				break
			}
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		settled := time.Since(began)
		stop()
		soaked(t, s, tg, way, settled)
	})
}

// live runs the bot and the queue on a store of the bubble until stop.
func live(t *testing.T, s *store.Store, files *media.Disk, way http.RoundTripper, render renderer) (b *Bot,
	stop func()) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	sender, err := NewSender(s, files, chat.Options{Token: testToken, APIURL: "http://telegram", Offers: video.NewOffers(newYear...),
		ReuseFor: time.Hour, Language: "ru", LanguageChosen: true, OpenLimit: 100, HourLimit: 100, DayLimit: 100,
		MaxUpload: 50 << 20, BaseURL: "http://localhost", Second: time.Second,
		Role:    func(int64) (store.Admin, bool) { return store.Admin{}, false },
		CanDraw: func(string, string) error { return nil }}, log)
	if err != nil {
		t.Fatal(err)
	}
	sender.Client.HTTP.Transport = way
	queue := NewQueue(s, render, sender, files, Options{Workers: 4, Attempts: 3,
		Backoff: retry.Exponential(10*time.Second, 10*time.Minute), Drain: 5 * time.Second,
		Outages: outage.New(5, 24*time.Hour, time.Minute)}, log)
	bot := NewBot(sender, queue)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { queue.Run(ctx) })
	running.Go(func() { bot.Run(ctx) })
	return bot, func() {
		cancel()
		running.Wait()
	}
}

// endless is a renderer that says nothing until it is stopped.
type endless struct{}

func (endless) Make(ctx context.Context, _ video.Order, _ func(int)) (video.Video, error) {
	<-ctx.Done()
	return video.Video{}, ctx.Err()
}

func TestProgress_AWaitingChatSeesAChangeEveryTwoMinutes(t *testing.T) {
	files, err := media.OpenDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	inBubble(t, func(t *testing.T, s *store.Store) {
		tg := faketelegram.New(testToken)
		defer tg.Close()
		_, stop := live(t, s, files, &spoiler{tg: tg, well: true, refused: map[string]int{}}, endless{})
		defer stop()
		p := tg.Person(1, "П", "ru")
		p.Send("Маша")
		time.Sleep(10 * time.Second)
		question := answers(p)[0]
		press(p, question, 0)
		time.Sleep(10 * time.Second)
		seen := ""
		for range 10 {
			time.Sleep(2*time.Minute + 5*time.Second)
			synctest.Wait()
			now := answers(p)[0].Text
			if now == seen {
				t.Errorf("got %q again after two minutes; want a change", now)
			}
			seen = now
		}
	})
}

// soaked checks how every request has ended, and reports the figures.
func soaked(t *testing.T, s *store.Store, tg *faketelegram.Server, way *spoiler, settled time.Duration) {
	t.Helper()
	ends := map[string]int{
		"delivered": count(t, s, `SELECT count(*) FROM requests WHERE status = 'COMPLETED' AND answer_id IS NOT NULL`),
		"apologised": count(t, s, `SELECT count(*) FROM requests WHERE status = 'FAILED' AND undelivered IS NULL
			AND (answer_id IS NOT NULL OR id NOT IN (SELECT request FROM unserved))`),
		"need attention": count(t, s, `SELECT count(*) FROM requests WHERE undelivered IS NOT NULL AND undelivered_code <> ''`),
	}
	all := count(t, s, `SELECT count(*) FROM requests`)
	if sum := ends["delivered"] + ends["apologised"] + ends["need attention"]; sum != all || all < 500 {
		rows, err := texts(t, s, `SELECT r.status || ' ' || a.status || ' answer ' || ifnull(r.answer_id, '-') || ' mark ' ||
				ifnull(r.undelivered_code, '-') || ' blocked ' || ifnull(u.unreachable, '-') || ' restore_hold ' || r.restore_hold
			FROM requests r JOIN assets a ON a.id = r.asset_id JOIN users u ON u.id = r.user_id
			WHERE NOT (r.status = 'COMPLETED' AND r.answer_id IS NOT NULL) AND r.undelivered IS NULL LIMIT 20`)
		t.Errorf("got %v of %d requests; want every one of them: %q, %v", ends, all, rows, err)
	}
	for how, n := range ends {
		if n == 0 {
			t.Errorf("%s: got none; want each end among them", how)
		}
	}
	if n := count(t, s, `SELECT count(*) FROM jobs`); n != 0 {
		t.Errorf("got %d jobs an hour after the last trouble; want none", n)
	}
	refused, most, twice := 0, 0, 0
	for name, n := range way.refused {
		if refused += n; n == 0 {
			t.Errorf("%s: never", name)
		}
	}
	for i := range 500 {
		copies := map[string]int{}
		for _, m := range tg.Person(int64(i+1), "П", "ru").Messages() {
			if m.FromBot && m.Video != nil {
				copies[m.Text]++
			}
		}
		for _, n := range copies {
			if most = max(most, n); n > 1 {
				twice++
			}
		}
	}
	if most > 2 {
		t.Errorf("got %d copies of one video in a chat; want two at most", most)
	}
	spent := count(t, s, `SELECT count(*) FROM attempts WHERE kind IN ('ANNOUNCE', 'DELIVER', 'APOLOGISE')
		AND outcome <> 'deferred' AND error_code IN ('telegram_unreachable', 'telegram_rate', 'telegram_token',
			'telegram_logged_out', 'telegram_webhook', 'telegram_other_poller', 'telegram_unreadable')
		AND outcome = 'rescheduled'`)
	if spent != 0 {
		t.Errorf("got %d attempts spent on Telegram's own faults; want none", spent)
	}
	t.Logf("%d requests: %v; %d calls, %d refused in %d ways; %d videos twice; all settled after %v",
		all, ends, way.calls, refused, len(way.refused), twice, settled.Round(time.Minute))
}
