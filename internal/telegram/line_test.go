// The line: whose turn is next, and that nobody starves.

package telegram

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestLine_AnswersGoFirstAndTheRestGetsItsThird(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		var mu sync.Mutex
		var order []string
		chat := int64(0)
		send := func(name string, n int, call func(chat int64) Call) {
			for range n {
				chat++
				c := call(chat)
				go g.Do(t.Context(), c, func(context.Context) error {
					mu.Lock()
					defer mu.Unlock()
					order = append(order, name)
					return nil
				})
			}
			synctest.Wait()
		}
		send("at once", 10, func(chat int64) Call { return message(chat, Pending) })
		send("courtesy", 20, edit)
		send("video", 60, video)
		send("notice", 20, func(chat int64) Call { return message(chat, Pending) })
		send("answer", 60, func(chat int64) Call { return message(chat, Answer) }) // the last to come are the first to go
		time.Sleep(time.Minute)
		synctest.Wait()
		count := func(part []string, name string) (n int) {
			for _, o := range part {
				if o == name {
					n++
				}
			}
			return n
		}
		order = order[10:]
		if len(order) != 140 {
			t.Fatalf("got %d messages; want all but the courtesies, which find no free turn: %v", len(order), order)
		}
		if got := count(order[:90], "answer"); got != 60 {
			t.Errorf("got %d answers in the first 90 turns; want all 60", got)
		}
		if got := count(order[:20], "answer"); got != 20 {
			t.Errorf("got %d answers in the first 20 turns; want 20, for the 10 messages that went before them", got)
		}
		for i := 20; i+3 <= 90; i += 3 { // then in any three turns, one belongs to what people are waiting for
			if part := order[i : i+3]; count(part, "answer") == 3 {
				t.Errorf("turns %d to %d: got %v; want one that is no answer", i+1, i+3, part)
			}
		}
		if got := count(order[:90], "notice"); got != 20 {
			t.Errorf("got %d apologies in the first 90 turns; want all 20 of them among the 30 turns of what is pending", got)
		}
		if got := count(order[20:65], "video"); got < 4 {
			t.Errorf("got %d videos in the next 45 turns; want a third of the turns of what is pending", got)
		}
		if got := count(order[:90], "video"); got != 10 {
			t.Errorf("got %d videos in the first 90 turns; want 10", got)
		}
	})
}

// Questions that come at just the pace of their share are late after a stall, and on time again soon.
func TestLine_AStallDoesNotMakeAllLaterAnswersLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		var wg sync.WaitGroup
		end, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		for chat := range int64(2000) {
			wg.Go(func() { g.Do(end, video(chat+1), fine) })
		}
		time.Sleep(5 * time.Second) // with no question
		var longest atomic.Int64
		ask := func(chat int64) {
			wg.Go(func() {
				asked := time.Now()
				if g.Do(end, message(chat, Answer), fine) == nil && chat >= 20_000 {
					longest.Store(max(longest.Load(), int64(time.Since(asked))))
				}
			})
		}
		for chat := range int64(20) { // a second's questions at once: the stall
			ask(10_000 + chat)
		}
		for chat := range int64(500) {
			if chat == 100 {
				longest.Store(0)
			}
			ask(20_000 + chat)
			time.Sleep(60 * time.Millisecond) // 25 turns a second, of which two thirds are theirs
		}
		if got := time.Duration(longest.Load()); got > 200*time.Millisecond {
			t.Errorf("got an answer after %v, six seconds after the stall and later; want 200 ms at the most", got)
		}
		stop()
		wg.Wait()
	})
}

func TestLine_WithoutAnswersTheOthersGetAllTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, began := quiet(), time.Now()
		var wg sync.WaitGroup
		for chat := range int64(260) {
			wg.Go(func() { g.Do(t.Context(), video(chat+1), fine) })
		}
		wg.Wait()
		if took := time.Since(began); took > 10100*time.Millisecond {
			t.Errorf("got 260 videos after %v; want 10 s", took)
		}
	})
}

// A thousand questions a minute for an hour, and what is owed meanwhile: nobody starves. The clock is injected.
func TestLine_NobodyStarvesInAnHourOfAThousandQuestionsAMinute(t *testing.T) {
	for name, c := range map[string]struct {
		questions, videos, notices time.Duration // from one to the next
		hours                      float64
		answer                     time.Duration // longest wait; 0: they are more than Telegram takes
	}{
		"as many as Telegram takes": {60 * time.Millisecond, 140 * time.Millisecond, 2 * time.Second, 1, time.Second},
		"three times as many":       {20 * time.Millisecond, 140 * time.Millisecond, 2 * time.Second, 0.05, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := quiet()
				end, stop := context.WithTimeout(t.Context(), time.Duration(c.hours*float64(time.Hour)))
				defer stop()
				var longest [lanes]atomic.Int64
				var sent [lanes]atomic.Int64
				var chat atomic.Int64
				var wg sync.WaitGroup
				stream := func(at lane, each time.Duration, call func(chat int64) Call) {
					wg.Go(func() {
						for end.Err() == nil {
							wg.Go(func() {
								asked := time.Now()
								if g.Do(end, call(chat.Add(1)), fine) == nil {
									sent[at].Add(1)
									if d := int64(time.Since(asked)); d > longest[at].Load() {
										longest[at].Store(d)
									}
								}
							})
							time.Sleep(each)
						}
					})
				}
				stream(answers, c.questions, func(chat int64) Call { return message(chat, Answer) })
				stream(videos, c.videos, video)
				stream(notices, c.notices, func(chat int64) Call { return message(chat, Pending) })
				wg.Wait()
				for at, limit := range map[lane]time.Duration{answers: c.answer, videos: 2 * time.Second, notices: time.Second} {
					got := time.Duration(longest[at].Load())
					if limit > 0 && got > limit {
						t.Errorf("lane %d: got one that waited %v, of %d; want %v at the most", at, got, sent[at].Load(), limit)
					}
				}
				all := c.hours * 3600
				if got, want := float64(sent[videos].Load()), all/c.videos.Seconds(); got < 0.99*want {
					t.Errorf("got %v videos sent; want all %v", got, want)
				}
				if got, want := float64(sent[answers].Load()), min(all/c.questions.Seconds(), all*25*2/3*0.99); got < 0.99*want {
					t.Errorf("got %v answers; want %v", got, want)
				}
			})
		})
	}
}

func TestLine_AnswersDoNotKeepAVideoFromSomebodyWhoWritesAndWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, began := quiet(), time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		for range 3 {
			go func() {
				for ctx.Err() == nil {
					g.Do(ctx, message(1, Answer), fine)
				}
			}()
		}
		time.Sleep(10 * time.Second)
		if err := g.Do(ctx, video(1), fine); err != nil || time.Since(began) > 15*time.Second {
			t.Errorf("got the video after %v, %v; want it in its turn", time.Since(began)-10*time.Second, err)
		}
		cancel()
	})
}

// Somebody whose video waits in a long line presses a button: the answer does not wait behind the videos of all others.
func TestLine_AnAnswerIsNotBehindTheVideosBecauseItsChatHasOneAmongThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		for chat := range int64(500) {
			go g.Do(t.Context(), video(chat+2), fine)
		}
		synctest.Wait()
		go g.Do(t.Context(), video(1), fine) // the last in line, after 20 s
		synctest.Wait()
		began := time.Now()
		if err := g.Do(t.Context(), message(1, Answer), fine); err != nil || time.Since(began) > 200*time.Millisecond {
			t.Errorf("got %v after %v; want the answer in the next turns", err, time.Since(began))
		}
		time.Sleep(time.Minute)
	})
}

func TestLine_ACourtesyWaitsAFewSecondsThenIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		for chat := range int64(500) { // 20 s of others
			go g.Do(t.Context(), video(chat+2), fine)
		}
		synctest.Wait()
		if g.Spare(1) {
			t.Error("got time to spare; want none while others wait")
		}
		for name, c := range map[string]Call{"an edit": edit(1), "a group": message(-5, Answer)} {
			began := time.Now()
			err := g.Do(t.Context(), c, func(context.Context) error { t.Errorf("%s is sent", name); return nil })
			if took := time.Since(began); ClassOf(err) != Dropped || took > 3100*time.Millisecond {
				t.Errorf("%s: got %v after %v; want it dropped after 3 s", name, err, took)
			}
		}
		time.Sleep(time.Minute)
		if !g.Spare(1) {
			t.Error("got no time to spare; want it when nobody waits")
		}
		if err := g.Do(t.Context(), edit(1), fine); err != nil {
			t.Errorf("got %v; want the edit made", err)
		}
	})
}

// The next videos come when those before them are recorded: until then the line is empty, and that is no room.
func TestLine_TheTimeUntilTheNextVideosComeIsNotToSpare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		chat := int64(0)
		for range 10 {
			var wg sync.WaitGroup
			for range 16 {
				chat++
				to := chat
				wg.Go(func() { g.Do(t.Context(), video(to), fine) })
			}
			wg.Wait()
			time.Sleep(300 * time.Millisecond) // the commit; the limit has room for 7 again
			if g.Spare(0) {
				t.Error("got time to spare between the videos; want none")
			}
		}
		time.Sleep(time.Second)
		if !g.Spare(0) {
			t.Error("got no time to spare a second after the last video; want it")
		}
	})
}

func TestLine_UploadsTakeOneTurnAndOthersPassThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, slow := quiet(), make(chan struct{})
		var wg sync.WaitGroup
		for chat := range int64(40) { // more than there are places on the way
			wg.Go(func() {
				g.Do(t.Context(), Call{Method: "sendVideo", Chat: chat + 1, Priority: Pending, Upload: true},
					func(context.Context) error { <-slow; return nil })
			})
		}
		time.Sleep(10 * time.Second)
		began := time.Now()
		for chat := range int64(50) {
			if err := g.Do(t.Context(), message(chat+100, Answer), fine); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("got 50 answers after %v while 40 uploads are on their way; want 1.6 s", took)
		}
		close(slow)
		wg.Wait()
		if g.away != 0 {
			t.Errorf("got %d places taken; want none", g.away)
		}
	})
}

func TestLine_EachLaneIsFirstInFirstOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		var mu sync.Mutex
		var order []int64
		for chat := range int64(100) {
			go g.Do(t.Context(), video(chat+1), func(context.Context) error {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, chat)
				return nil
			})
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(order) != 100 || !slices.IsSorted(order) {
			t.Errorf("got %v; want the longest waiting first", order)
		}
	})
}

func TestLine_BulkTakesHalfOfThePaceAndNothingFromOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		bulk := func() (n int, took time.Duration) {
			began := time.Now()
			for chat := int64(1000); time.Since(began) < 20*time.Second; chat++ {
				if g.Do(t.Context(), message(chat, Bulk), fine) == nil {
					n++
				}
			}
			return n, time.Since(began)
		}
		if n, took := bulk(); n < 245 || n > 260 {
			t.Errorf("got %d in %v; want half of 25 a second", n, took)
		}
		done := make(chan struct{})
		go func() {
			bulk()
			close(done)
		}()
		synctest.Wait()
		for chat := range int64(100) { // an edit always finds a place, and a video waits for nothing in bulk
			time.Sleep(150 * time.Millisecond)
			if !g.Spare(chat + 1) {
				t.Fatal("got no time to spare for an edit; want it before what is sent in bulk")
			}
			began := time.Now()
			if err := g.Do(t.Context(), video(chat+1), fine); err != nil || time.Since(began) > 0 {
				t.Fatalf("got %v after %v; want it at once", err, time.Since(began))
			}
		}
		<-done
	})
}

func TestLine_BulkIsBehindAllOthersAndComesBackLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		for chat := range int64(500) { // 20 s of others
			go g.Do(t.Context(), video(chat+2), fine)
		}
		synctest.Wait()
		began := time.Now()
		err := g.Do(t.Context(), message(1, Bulk), func(context.Context) error { t.Error("it is sent"); return nil })
		if took := time.Since(began); ClassOf(err) != Dropped || took > 3100*time.Millisecond {
			t.Errorf("got %v after %v; want it told to come back after 3 s", err, took)
		}
		time.Sleep(time.Minute)
		if err := g.Do(t.Context(), message(1, Bulk), fine); err != nil {
			t.Errorf("got %v; want it sent when nobody waits", err)
		}
	})
}

// It is a video's turn, and the videos have given theirs up: what else is pending goes.
func TestLine_VideosThatGaveUpTheirTurnHoldUpNothing(t *testing.T) {
	g := quiet()
	g.videosPassed = 2
	for _, at := range []lane{courtesies, notices} {
		g.lines[at] = append(g.lines[at], &waiter{call: message(int64(at)+1, Pending)})
	}
	if at, i, _ := g.next(time.Now()); at != notices || i != 0 {
		t.Errorf("got lane %d, place %d; want the notice", at, i)
	}
}

// The line looks again when the first of those that are held can go.
func TestLine_LooksAgainWhenTheFirstCanGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, order := range [][]int64{{1, 2, 3}, {3, 2, 1}, {2, 1, 3}} {
			g := quiet()
			for _, chat := range order {
				g.extend(scopeOf(message(chat, Pending)), Wait, time.Now(), time.Now().Add(time.Duration(chat)*time.Second), 0)
				g.lines[notices] = append(g.lines[notices], &waiter{call: message(chat, Pending)})
			}
			if _, i, again := g.next(time.Now()); i != -1 || again != time.Second {
				t.Errorf("%v: got place %d, again in %v; want none before a second", order, i, again)
			}
		}
	})
}

func TestLine_EachMessageHasItsLane(t *testing.T) {
	for name, c := range map[string]struct {
		call Call
		want lane
	}{
		"a question":                 {message(1, Answer), answers},
		"a voice message, an answer": {Call{Method: "sendVoice", Chat: 1, Priority: Answer, Upload: true}, answers},
		"an answer in a group":       {message(-1, Answer), courtesies},
		"an apology":                 {message(1, Pending), notices},
		"a video":                    {video(1), videos},
		"a video to upload":          {Call{Method: "sendVideo", Chat: 1, Priority: Pending, Upload: true}, videos},
		"a file in an edit":          {Call{Method: "editMessageMedia", Chat: 1, Priority: Pending, Upload: true}, notices},
		"an edit of progress":        {edit(1), courtesies},
		"news":                       {message(1, Bulk), bulk},
	} {
		if got := quiet().laneOf(c.call); got != c.want {
			t.Errorf("%s: got lane %d; want %d", name, got, c.want)
		}
	}
}
