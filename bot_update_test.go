// Tests of updates and of Telegram's trouble: each update is handled once, and no trouble costs a message.

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/chat"
	"retake.example/internal/db/dbtest"
	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

func TestABlockedUserCostsTheOthersNothing(t *testing.T) {
	w := newWorld(t)
	maria, olga := w.tg.Person(1, "Мария", "ru"), w.tg.Person(2, "Ольга", "ru")
	mutate(t, w.store, holdRenders)
	w.asks(maria, "Маша")
	w.asks(olga, "Маша")
	w.until("both asked", func() bool {
		return count(t, w.store, `SELECT count(*) FROM requests WHERE progress_id IS NOT NULL`) == 2
	})
	maria.Block()
	mutate(t, w.store, `DROP TRIGGER hold`)
	mutate(t, w.store, `UPDATE jobs SET due = 0`)
	w.queue.Wake()
	w.getsVideos(olga, 1)
	w.calm()
	if n := count(t, w.store, `SELECT count(*) FROM users WHERE unreachable IS NOT NULL`); n != 1 {
		t.Errorf("got %d unreachable; want 1", n)
	}
	maria.Unblock()
	maria.Send("/status") // what is owed comes automatically
	w.getsVideos(maria, 1)
	if n := count(t, w.store, `SELECT count(*) FROM users WHERE unreachable IS NOT NULL`); n != 0 {
		t.Errorf("got %d unreachable; want 0", n)
	}
}

func TestTelegramTroubleCostsNoAttemptAndNoMessage(t *testing.T) {
	for name, trouble := range map[string]func(tg *faketelegram.Server) (over func()){
		"unreachable": func(tg *faketelegram.Server) func() { tg.SetDown(true); return func() { tg.SetDown(false) } },
		"429 for everything": func(tg *faketelegram.Server) func() {
			return tg.Inject(faketelegram.Fault{Times: -1, RetryAfter: 1})
		},
		"a proxy's error page": func(tg *faketelegram.Server) func() {
			return tg.Inject(faketelegram.Fault{Times: -1, HTML: 502})
		},
		"500": func(tg *faketelegram.Server) func() { return tg.Inject(faketelegram.Fault{Times: -1, Status: 500}) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			p := w.tg.Person(1, "Мария", "ru")
			mutate(t, w.store, holdRenders)
			w.asks(p, "Маша")
			w.hears(p, "Запрос создан")
			w.calm()
			over := trouble(w.tg)
			mutate(t, w.store, `DROP TRIGGER hold`)
			mutate(t, w.store, `UPDATE jobs SET due = 0`)
			w.queue.Wake()
			w.until("the delivery put off", func() bool {
				return count(
					t,
					w.store,
					`SELECT count(*) FROM jobs WHERE kind = 'DELIVER' AND attempt = 0 AND last_error IS NOT NULL`,
				) == 1
			})
			p.Send("Оля") // written while the bot is deaf
			over()
			w.getsVideos(p, 1)
			w.hears(p, "Делаем видео с именем «Оля»?")
			w.calm()
			if n := count(t, w.store, `SELECT count(*) FROM attempts WHERE outcome IN ('rescheduled', 'gave_up') OR `+
				`attempt > 1`); n != 0 {
				t.Errorf("got %d attempts burnt; want 0", n)
			}
		})
	}
}

func TestPress_IsAnsweredThoughMoreWriteThanCanBeAnswered(t *testing.T) {
	w := newWorld(t)
	maria := w.tg.Person(1, "Мария", "ru")
	question := w.names(maria, "Маша")
	goOn := w.tg.Inject(faketelegram.Fault{Method: "sendMessage", Hang: true, Times: -1})
	defer goOn()
	for i := range int64(2 * chat.AtOnce) {
		w.tg.Person(100+i, "П", "ru").Send("Оля")
	}
	w.until("all of them wait", func() bool {
		return count(t, w.store, `SELECT count(*) FROM inbox WHERE raw IS NOT NULL`) == 2*chat.AtOnce
	})
	press(maria, question, 0)
	w.until("the press is answered", func() bool { return toasted(maria, "Запрос создан!") })
	for _, c := range w.tg.Calls() {
		if c.Method == "sendMessage" && c.Chat >= 100 && c.Lost {
			t.Fatal("somebody else had to be given up before the press was answered")
		}
	}
}

func TestALostAnswerSendsAgainAndLosesNothing(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	w.tg.Inject(faketelegram.Fault{Method: "sendVideo", LoseAnswer: true})
	w.asks(p, "Маша")
	w.getsVideos(p, 2) // at least once: Telegram has no idempotency key
	w.calm()
	if n := count(t, w.store, `SELECT count(*) FROM requests WHERE status = 'COMPLETED'`); n != 1 {
		t.Errorf("got %d requests served; want 1", n)
	}
}

func TestAFileIDThatTelegramForgotIsUploadedAgain(t *testing.T) {
	w := newWorld(t)
	maria, olga := w.tg.Person(1, "Мария", "ru"), w.tg.Person(2, "Ольга", "ru")
	w.asks(maria, "Маша")
	w.getsVideos(maria, 1)
	w.calm()
	w.tg.ForgetFiles()
	w.asks(olga, "Маша")
	w.getsVideos(olga, 1)
	if n := count(t, w.store, `SELECT count(*) FROM assets`); n != 1 {
		t.Errorf("got %d assets; want 1", n)
	}
}

func TestUpdatesThatNobodyUnderstandsAreSetAside(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	w.tg.SendRaw(json.RawMessage(`{"message":{"message_id":"not a number","chat":{"id":1},"text":"Аглая"}}`))
	w.tg.SendRaw(json.RawMessage(`{"a_kind_of_2031":{"x":1}}`))
	w.tg.SendRaw(json.RawMessage(`{"my_chat_member":{"chat":{"id":1},"new_chat_member":{"status":"hologram"}}}`))
	p.Send("/start")
	w.hears(p, "Пришлите имя ребёнка")
	w.calm()
	if n := count(t, w.store, `SELECT count(*) FROM inbox WHERE error IS NOT NULL`); n < 1 {
		t.Errorf("got %d set aside; want those that cannot be decoded", n)
	}
	if strings.Contains(w.log.String(), "Аглая") {
		t.Error("the log holds a name")
	}
}

func TestAnUpdateIsHandledOnceThoughTelegramSendsItAgainAndTheProgramRestarts(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	p.Send("/start")
	w.hears(p, "Здравствуйте")
	w.calm()
	last := w.tg.Updates()[len(w.tg.Updates())-1].ID
	w.tg.Redeliver(last)
	w.until("confirmed again", func() bool { return w.tg.Pending() == 0 })
	w.stop()
	w.tg.Redeliver(last)
	p.Send("Маша")
	w.start()
	w.hears(p, "Делаем видео с именем «Маша»?")
	w.calm()
	if n := len(answers(p)); n != 2 {
		t.Errorf("got %d answers; want 2: %v", n, answers(p))
	}
}

func TestAnUpdateStoredBeforeACrashIsHandledAfterIt(t *testing.T) {
	w := newWorld(t)
	w.stop()
	st, err := openStore(filepath.Join(w.dir, "retake.db"))
	if err != nil {
		t.Fatal(err)
	}
	p := w.tg.Person(1, "Мария", "ru")
	write(t, st, func(tx *store.Tx) error {
		_, err := tx.Receive(
			[]store.Update{
				{
					ID:   1,
					Chat: 1,
					Raw: `{"update_id":1,"message":{"message_id":1,"date":1,"chat":{"id":1,"type":"private"},` +
						`"from":{"id":1,"first_name":"М","language_code":"ru"},"text":"/help"}}`,
				},
			},
		)
		return err
	})
	st.Close()
	w.start()
	w.hears(p, "/delete_my_data")
}

func TestAVideoThatTelegramDoesNotTakeIsGivenUp(t *testing.T) {
	b := &Sender{Chat: &chat.Chat{Options: chat.Options{MaxUpload: 1}}}
	task := store.Task{Asset: &store.Asset{Video: store.Video{File: "f", Size: 2}}, To: store.Recipient{Lang: "ru"}}
	if _, _, err := b.Send(t.Context(), task); !retry.IsPermanent(err) ||
		!strings.Contains(err.Error(), "telegram.max_upload_mb") {
		t.Errorf("got %v; want a permanent error that names the setting", err)
	}
}

func TestAnUpdateIsNotSetAsideForTheDisksSake(t *testing.T) {
	dir := t.TempDir()
	disk := dbtest.Watch(t, dir)
	t.Parallel()
	w := newWorldIn(t, dir, newYear)
	disk.FailEvery(2, dbtest.BadSync, dbtest.Sync)
	var people []*faketelegram.Person
	for i := range 20 {
		people = append(people, w.tg.Person(int64(i+1), "П", "ru"))
		people[i].Send("Маша")
	}
	w.until("many failures", func() bool {
		return strings.Contains(w.log.String(), "is set aside") ||
			strings.Count(w.log.String(), "an update will be tried again") > 2*len(people) ||
			!slices.ContainsFunc(people, func(p *faketelegram.Person) bool { return len(answers(p)) == 0 })
	})
	disk.Repair()
	for _, p := range people {
		w.hears(p, "Маша")
	}
	if strings.Contains(w.log.String(), "is set aside") {
		t.Error("got an update that is set aside; want it to wait for the disk")
	}
}

func TestABlockIsKnownWithoutAMessageThatFails(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	p.Send("/start")
	w.hears(p, "Пришлите имя ребёнка")
	for i, block := range []func(){p.Block, p.Unblock} {
		block()
		w.until("the news", func() bool {
			return count(t, w.store, `SELECT count(*) FROM users WHERE unreachable IS NOT NULL`) == 1-i
		})
	}
}

func TestNothingIsSentToWhoCannotBeReached(t *testing.T) {
	w := newWorld(t)
	mutate(t, w.store, holdRenders)
	p := w.tg.Person(1, "Мария", "ru")
	w.asks(p, "Маша")
	w.hears(p, "Запрос создан")
	w.calm()
	mutate(t, w.store, `UPDATE users SET unreachable = 1`)
	before := len(p.Messages())
	mutate(t, w.store, `DROP TRIGGER hold`)
	mutate(t, w.store, `UPDATE jobs SET due = 0`)
	w.queue.Wake()
	w.calm()
	if n := len(p.Messages()) - before; n != 0 || videos(p) != 0 {
		t.Errorf("got %d more messages; want none", n)
	}
	if n := count(t, w.store, `SELECT count(*) FROM attempts WHERE kind = 'DELIVER' AND outcome = 'gave_up'`); n != 1 {
		t.Errorf("got %d deliveries given up; want 1", n)
	}
}

func TestAHandlerThatFailsSaysSoKindly(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	w.tg.Inject(
		faketelegram.Fault{
			Method:      "sendMessage",
			Times:       refusedTries,
			Status:      400,
			Description: "Bad Request: message is too long",
		},
	)
	p.Send("/help")
	w.hears(p, "Извините, у меня что-то не получилось")
	w.calm()
	if n := count(t, w.store, `SELECT count(*) FROM inbox WHERE error IS NOT NULL`); n != 1 {
		t.Errorf("got %d set aside; want 1", n)
	}
}

func TestAnUpdateOfWhoHasGoneIsDone(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	w.tg.Inject(
		faketelegram.Fault{Method: "sendMessage", Status: 403, Description: "Forbidden: bot was blocked by the user"},
	)
	p.Send("/help")
	w.until(
		"the refusal",
		func() bool { return count(t, w.store, `SELECT count(*) FROM users WHERE unreachable IS NOT NULL`) == 1 },
	)
	w.calm()
	if n := count(t, w.store, `SELECT count(*) FROM inbox WHERE error IS NOT NULL`); n != 0 ||
		strings.Contains(w.log.String(), "set aside") {
		t.Errorf("got %d set aside; want none: nothing is wrong with the update", n)
	}
}

func TestAnEffectAndTheEndOfItsUpdateAreOneTransaction(t *testing.T) {
	w := newWorld(t)
	mutate(t, w.store, holdRenders)
	p := w.tg.Person(1, "Мария", "ru")
	w.asks(p, "Маша")
	w.hears(p, "Запрос создан")
	w.calm0()
	w.tg.Inject(faketelegram.Fault{Method: "editMessageText", Times: -1, RetryAfter: 60})
	p.Send("/cancel")
	w.until("the effect", func() bool { return count(t, w.store, `SELECT count(*) FROM requests`) == 0 })
	if n := count(t, w.store, `SELECT count(*) FROM inbox WHERE raw IS NOT NULL AND raw NOT LIKE '{"answers":%'`); n != 0 {
		t.Errorf("got %d updates that would be handled again after a crash; want 0", n)
	}
}

func TestAnUpdateWaitsInTheInboxUntilItIsAnswered(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	over := w.tg.Inject(faketelegram.Fault{Method: "sendMessage", Times: -1, RetryAfter: 60})
	p.Send("/help")
	w.until("the refusal", func() bool {
		return slices.ContainsFunc(
			w.tg.Calls(),
			func(c faketelegram.Call) bool { return c.Method == "sendMessage" && c.Code == 429 },
		)
	})
	if n := count(t, w.store, `SELECT count(*) FROM inbox WHERE raw IS NOT NULL`); n != 1 {
		t.Errorf("got %d updates that wait; want 1", n)
	}
	w.stop()
	over()
	w.start()
	w.hears(p, "/delete_my_data")
}

func TestAPanicOfAHandlerTellsNoName(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	sender, err := NewSender(newStore(t), nil, chat.Options{Token: testToken, APIURL: "http://127.0.0.1:1", Language: "ru",
		Offers: video.NewOffers(newYear...), CanDraw: func(_, name string) error { panic(name) }},
		slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	err = NewBot(
		sender,
		nil,
	).handle(t.Context(), store.Update{ID: 1, Chat: 1, Raw: `{"update_id":1,"message":{"message_id":1,"date":1,
		"chat":{"id":1,"type":"private"},"from":{"id":1,"first_name":"М","language_code":"ru"},"text":"Аглая"}}`},
		chat.NewTurn(store.Update{ID: 1}, "ru"))
	if err == nil || strings.Contains(fmt.Sprint(err), "Аглая") || strings.Contains(log.String(), "Аглая") ||
		!strings.Contains(log.String(), "msg=panic") {
		t.Errorf("got %v and the log %s; want the panic in both, and no name", err, &log)
	}
}

// tryAside has the bot try again what is set aside, as the page does.
func tryAside(t *testing.T, w *world, want int) {
	t.Helper()
	var updates []store.Update
	write(t, w.store, func(tx *store.Tx) (err error) { updates, err = tx.TryAside(); return err })
	if len(updates) != want {
		t.Fatalf("got %v; want %d updates", updates, want)
	}
	w.bot.Resume(t.Context(), updates)
}

func TestAside_AnUpdateIsKeptShownAndTriedAgain(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	over := w.tg.Inject(faketelegram.Fault{Method: "sendMessage", Times: -1, Status: 400, Description: "Bad Request: of 2031"})
	p.Send("Аглая")
	aside := func() bool { return count(t, w.store, `SELECT count(*) FROM inbox WHERE set_aside IS NOT NULL`) == 1 }
	w.until("set aside", aside)
	if n, err := w.store.Attention(t.Context(), store.Admin{Owner: true}, time.Time{}); err != nil || n[store.NeedsAnswer].N != 1 {
		t.Errorf("got %v, %v; want it to need attention", n, err)
	}
	if given, err := w.store.NotDelivered(t.Context(), time.Time{}); err != nil || given.N != 1 {
		t.Errorf("got %v, %v; want it in /readyz, /metrics and the digest", given, err)
	}
	w.stop() // nobody tries it unasked
	w.start()
	tryAside(t, w, 1) // fails, and it is kept once more
	w.until("set aside again", aside)
	over()
	tryAside(t, w, 1)
	w.hears(p, "Делаем видео с именем «Аглая»?")
	w.calm()
	if n := count(t, w.store, `SELECT count(*) FROM inbox WHERE raw IS NOT NULL OR error IS NOT NULL`); n != 0 {
		t.Errorf("got %d left; want none", n)
	}
	if strings.Contains(w.log.String(), "Аглая") {
		t.Error("the log holds a name")
	}
}

// The effect is there already, so only its answer is said again.
func TestAside_AnAnswerIsKeptShownAndTriedAgain(t *testing.T) {
	w := newWorld(t)
	mutate(t, w.store, holdRenders)
	p := w.tg.Person(1, "Мария", "ru")
	w.asks(p, "Маша")
	w.hears(p, "Запрос создан")
	w.calm0()
	var over []func()
	for _, method := range []string{"sendMessage", "editMessageText"} {
		over = append(over, w.tg.Inject(faketelegram.Fault{Method: method, Times: -1, Status: 400,
			Description: "Bad Request: of 2031"}))
	}
	p.Send("/cancel")
	w.until("set aside", func() bool {
		return count(t, w.store, `SELECT count(*) FROM inbox WHERE set_aside IS NOT NULL AND raw LIKE '{"answers":%'`) == 1
	})
	if n := count(t, w.store, `SELECT count(*) FROM requests`); n != 0 {
		t.Errorf("got %d requests; want the effect", n)
	}
	for _, clear := range over {
		clear()
	}
	tryAside(t, w, 1)
	w.hears(p, "отменено")
	w.calm()
	if n := count(t, w.store, `SELECT count(*) FROM inbox WHERE raw IS NOT NULL OR error IS NOT NULL`); n != 0 {
		t.Errorf("got %d left; want none", n)
	}
}
