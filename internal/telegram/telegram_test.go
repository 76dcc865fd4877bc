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
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-telegram/bot"
)

func fine(context.Context) error { return nil }

// tooMany is the library's error for a 429.
func tooMany(seconds int) error { return &bot.TooManyRequestsError{RetryAfter: seconds} }

func TestPace(t *testing.T) {
	for name, c := range map[string]struct {
		chat  func(i int) int64
		calls int
		least time.Duration
		most  time.Duration
	}{
		"one chat gets three at once, then one a second": {func(int) int64 { return 1 }, 8, 4900 * time.Millisecond, 5100 * time.Millisecond},
		"many chats share twenty-five a second":          {func(i int) int64 { return int64(i + 1) }, 60, 1900 * time.Millisecond, 2100 * time.Millisecond},
		"what is no message has no pace":                 {func(int) int64 { return 0 }, 1000, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, began := NewGate(time.Second), time.Now()
				for i := range c.calls {
					if err := g.Do(t.Context(), Answer, c.chat(i), fine); err != nil {
						t.Fatal(err)
					}
				}
				if took := time.Since(began); took < c.least || took > c.most {
					t.Errorf("got %v; want %v to %v", took, c.least, c.most)
				}
			})
		})
	}
}

func TestAnswersGoBeforeWhatIsOwedAndThatBeforeCourtesies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, began := NewGate(time.Second), time.Now()
		var last [ranks]atomic.Int64 // ms
		chat := int64(0)
		send := func(rank Rank, n int) {
			for range n {
				chat++
				go func(chat int64) {
					g.Do(t.Context(), rank, chat, func(context.Context) error { last[rank].Store(time.Since(began).Milliseconds()); return nil })
				}(chat)
			}
		}
		send(Courtesy, burst) // go at once
		synctest.Wait()
		send(Courtesy, 50)
		send(Owed, 50)
		synctest.Wait()
		send(Answer, 50) // who come last are the first
		synctest.Wait()
		for rank, want := range []int64{2000, 4000, 6000} {
			time.Sleep(time.Duration(want)*time.Millisecond - time.Since(began) + 20*time.Millisecond)
			synctest.Wait()
			if got := last[rank].Load(); got < want-20 || got > want+20 {
				t.Errorf("rank %d: got the last of them after %d ms; want %d", rank, got, want)
			}
		}
	})
}

func TestAChatThatHasToWaitHoldsUpNoOtherAndIsNotFloodedAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, began := NewGate(time.Second), time.Now()
		at := map[int64][]time.Duration{}
		var mu sync.Mutex
		send := func(chat int64) {
			go g.Do(t.Context(), Owed, chat, func(context.Context) error {
				mu.Lock()
				defer mu.Unlock()
				at[chat] = append(at[chat], time.Since(began))
				return nil
			})
			synctest.Wait()
		}
		for range 10 {
			send(1)
		}
		for chat := range int64(200) { // a backlog of 8 s: those of chat 1 would be let go together at its end
			send(chat + 2)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := at[201][0]; got > 8*time.Second {
			t.Errorf("got the last of the others after %v; want it after 8 s at the most", got)
		}
		for i := chatBurst; i < 10; i++ {
			if got := at[1][i] - at[1][i-chatBurst]; got < 999*time.Millisecond {
				t.Errorf("got messages %d to %d of a chat within %v; want a second for one more than %d", i-chatBurst+1, i+1, got, chatBurst)
			}
		}
	})
}

func TestAnswersDoNotKeepAVideoFromWhoeverWritesAndWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, began := NewGate(time.Second), time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		go func() {
			for ctx.Err() == nil {
				g.Do(ctx, Answer, 1, fine)
			}
		}()
		time.Sleep(10 * time.Second)
		if err := g.Do(ctx, Owed, 1, fine); err != nil || time.Since(began) > 12*time.Second {
			t.Errorf("got the video after %v, %v; want it in its turn", time.Since(began)-10*time.Second, err)
		}
		cancel()
	})
}

func TestWhatWasHeldUpOnItsWayIsNotTooMuchAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, road := NewGate(time.Second), make(chan struct{})
		var arrived atomic.Int64
		for chat := range int64(200) {
			go g.Do(t.Context(), Owed, chat+1, func(context.Context) error { <-road; arrived.Add(1); return nil })
		}
		time.Sleep(time.Minute) // nothing gets through
		close(road)
		synctest.Wait()
		if n := arrived.Load(); n < 15 || n > 28 {
			t.Errorf("got %d messages at once; want fewer than the 30 that Telegram takes", n)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := arrived.Load(); n != 200 {
			t.Errorf("got %d messages; want all", n)
		}
	})
}

func TestWhoGivesUpWaitingTakesNobodysTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, began := NewGate(time.Second), time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		for chat := range int64(burst + 50) {
			go g.Do(ctx, Answer, chat+1, fine)
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		if err := g.Do(t.Context(), Courtesy, 999, fine); err != nil || time.Since(began) > 50*time.Millisecond {
			t.Errorf("got %v after %v; want the next turn, after 40 ms", err, time.Since(began))
		}
	})
}

func TestA429StopsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(time.Second)
		err := g.Do(t.Context(), Answer, 1, func(context.Context) error { return tooMany(30) })
		var e *Error
		if !errors.As(err, &e) || e.Class != Wait {
			t.Fatalf("got %v; want an error that asks to wait", err)
		}
		if wait, _ := e.RetryAfter(); wait != 30*time.Second+100*time.Millisecond {
			t.Errorf("got %v; want the 30 s and a little more", wait)
		}
		calls := 0
		for chat := range int64(50) {
			err := g.Do(t.Context(), Answer, chat, func(context.Context) error { calls++; return nil })
			if ClassOf(err) != Wait {
				t.Errorf("got %v; want to be told to wait", err)
			}
		}
		g.Up() // polling works; the 429 stands
		if g.Spare(9) {
			t.Error("there is time to spare; want none")
		}
		time.Sleep(31 * time.Second)
		if err := g.Do(t.Context(), Answer, 1, func(context.Context) error { calls++; return nil }); err != nil || calls != 1 {
			t.Errorf("got %v, %d calls; want the one after the wait", err, calls)
		}
	})
}

func TestThoseWhoQueueForTheLimiterSeeThe429Too(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(time.Second)
		var late atomic.Int64
		for chat := range int64(100) {
			go g.Do(t.Context(), Answer, chat+1, func(context.Context) error {
				if chat > 30 {
					late.Add(1)
				}
				return nil
			})
		}
		g.Do(t.Context(), Answer, 0, func(context.Context) error { return tooMany(3600) })
		stopped := late.Load()
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := late.Load() - stopped; n > 1 {
			t.Errorf("got %d calls after the 429; want none", n)
		}
	})
}

func TestUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(time.Second)
		var pauses []time.Duration
		for range 7 {
			err := g.Do(t.Context(), Answer, 0, func(context.Context) error { return down("no way") })
			var e *Error
			if !errors.As(err, &e) {
				t.Fatal(err)
			}
			wait, _ := e.RetryAfter()
			pauses = append(pauses, wait)
			time.Sleep(wait)
		}
		if got, want := fmt.Sprint(pauses), "[1s 2s 4s 8s 16s 30s 30s]"; got != want {
			t.Errorf("got pauses %s; want %s", got, want)
		}
		g.Do(t.Context(), Answer, 0, func(context.Context) error { return down("no way") })
		g.Up()
		if err := g.Do(t.Context(), Answer, 0, fine); err != nil {
			t.Errorf("after somebody reached it: got %v; want the call made", err)
		}
	})
}

func TestClassify(t *testing.T) {
	for name, c := range map[string]struct {
		err       error
		class     Class
		permanent bool
		waits     bool
	}{
		"429":                          {tooMany(3), Wait, false, true},
		"403":                          {fmt.Errorf("%w, bot was blocked by the user", bot.ErrorForbidden), Gone, true, false},
		"chat not found":               {fmt.Errorf("%w, Bad Request: chat not found", bot.ErrorBadRequest), Gone, true, false},
		"a group that moved":           {&bot.MigrateError{MigrateToChatID: 5}, Gone, true, false},
		"another 400":                  {fmt.Errorf("%w, Bad Request: message is too long", bot.ErrorBadRequest), Refused, true, false},
		"a file_id of another bot":     {fmt.Errorf("%w, Bad Request: wrong file identifier/HTTP URL specified", bot.ErrorBadRequest), BadFile, false, false},
		"a wrong token":                {fmt.Errorf("%w, Unauthorized", bot.ErrorUnauthorized), Down, false, true},
		"a timeout":                    {context.DeadlineExceeded, Down, false, true},
		"an answer nobody understands": {fmt.Errorf(`error decode response body for method sendMessage, {"text":"Аглая", unexpected EOF`), Odd, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			err := NewGate(time.Second).Do(t.Context(), Answer, 0, func(context.Context) error { return c.err })
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v; want an *Error", err)
			}
			if _, waits := e.RetryAfter(); e.Class != c.class || e.Permanent() != c.permanent || waits != c.waits {
				t.Errorf("got class %d, permanent %v, waits %v; want %d, %v, %v", e.Class, e.Permanent(), waits, c.class, c.permanent, c.waits)
			}
			if strings.Contains(err.Error(), "Аглая") {
				t.Errorf("got %q; want no name in it", err)
			}
		})
	}
	for _, text := range []string{"message is not modified", "query is too old and response timeout expired", "message to delete not found"} {
		err := NewGate(time.Second).Do(t.Context(), Answer, 0, func(context.Context) error { return fmt.Errorf("%w, Bad Request: %s", bot.ErrorBadRequest, text) })
		if err != nil {
			t.Errorf("%s: got %v; want it counted as success", text, err)
		}
	}
}

func TestThoseWhoSendTogetherKeepTheirConnections(t *testing.T) {
	var connections, calls atomic.Int64
	together := make(chan struct{}, 20)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1)%20 == 0 { // all twenty of a round are on their way
			for range 20 {
				together <- struct{}{}
			}
		}
		<-together
		w.Header().Set("Content-Type", "application/json")
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
				resp, err := client.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			})
		}
		wg.Wait()
	}
	if n := connections.Load(); n > 30 { // Go may dial one more than it then needs
		t.Errorf("got %d connections for five rounds of 20 calls; want some 20", n)
	}
}

func TestTheTokenIsInNoError(t *testing.T) {
	const token = "123456:SECRETSECRETSECRETSECRETSECRET"
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprintf(w, "<h1>502</h1>%s", r.URL.Path)
	}))
	defer echo.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, address := range []string{echo.URL, gone.URL, "http://\x7f"} {
		_, err := Poll(t.Context(), Client{&http.Client{}}, address, token, 0)
		if err == nil || strings.Contains(err.Error(), "SECRET") || ClassOf(err) != Down {
			t.Errorf("got %v; want an error without the token that asks to wait", err)
		}
	}
	var log bytes.Buffer
	l := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: Redact(token)}))
	l.Error("x "+token, "err", errors.New("y/bot"+token+"/z"), "url", "/bot"+token)
	if strings.Contains(log.String(), "SECRET") {
		t.Errorf("got the log %s; want no token in it", &log)
	}
}

func TestPollingReadsNoMoreThanItMust(t *testing.T) {
	answer := `{"ok":true,"result":[
		{"update_id":1,"message":{"chat":{"id":7}}},
		{"update_id":2,"callback_query":{"from":{"id":8},"message":{"chat":{"id":9}}}},
		{"update_id":3,"callback_query":{"from":{"id":8}}},
		{"update_id":4,"my_chat_member":{"chat":{"id":10}}},
		{"update_id":5,"message":"of a shape nobody knows"},
		{"update_id":6,"a_kind_of_2031":{}}]}`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, answer)
	}))
	defer s.Close()
	updates, err := Poll(t.Context(), Client{s.Client()}, s.URL, "1:x", 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range updates {
		got = append(got, fmt.Sprint(u.ID, ":", u.Chat))
	}
	if want := "1:7 2:9 3:8 4:10 5:0 6:0"; strings.Join(got, " ") != want {
		t.Errorf("got %s; want %s", got, want)
	}
}

func TestAChatIsServedInOrderAndAloneAndASlowOneHoldsUpNoOther(t *testing.T) {
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

func TestPollingPausesLongerAfterEachErrorAndAsLongAsItIsTold(t *testing.T) {
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
		// 1 s, 2 s, the minute, then the longest of its own, 30 s; a success begins anew.
		want := []time.Duration{0, 1, 3, 63, 93, 93, 94}
		for i := range want {
			want[i] *= time.Second
		}
		if !slices.Equal(at, want) {
			t.Errorf("got asked at %v; want %v", at, want)
		}
		if warned, well := strings.Count(log.String(), "level=WARN"), strings.Count(log.String(), "works again"); warned != 2 || well != 1 {
			t.Errorf("got %d warnings, %d ends of trouble; want 2, 1: %s", warned, well, log.String())
		}
	})
}
