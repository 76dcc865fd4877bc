// Tests of what users write and press, and of what the bot answers: names, commands, limits and buttons.

package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/chat"
	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
)

func TestNamesAreRefusedInWords(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	for name, c := range map[string]struct{ sent, want string }{
		"too short":                {"Я", "слишком короткое"},
		"too long":                 {strings.Repeat("а", 51), "до 50 знаков"},
		"ten kilobytes":            {strings.Repeat("Маша ", 2000), "до 50 знаков"},
		"digits":                   {"Маша2015", "есть цифры"},
		"a link":                   {"https://example.com/x", "ссылку"},
		"a bare domain":            {"example.com", "ссылку"},
		"emoji":                    {"Ма😀ша", "смайликов"},
		"markup":                   {"<b>Маша</b>", "и других знаков"},
		"a bidi override":          {"Ма\u202eша", "невидимые знаки"},
		"a NUL":                    {"Ма\x00ша", "невидимые знаки"},
		"a zero width joiner":      {"Ма\u200dша", "невидимые знаки"},
		"only an apostrophe":       {"''", "и других знаков"},
		"a rude word":              {"Дерьмовый", "не могу поставить"},
		"letters no font can draw": {"Иꙮа", "не умею красиво рисовать"},
		"a template":               {"{{.Name}}", "и других знаков"},
	} {
		t.Run(name, func(t *testing.T) {
			said := since(p)
			p.Send(c.sent)
			w.until("an answer", func() bool { return len(said()) > 0 })
			if got := said()[0].Text; !strings.Contains(got, c.want) {
				t.Errorf("got %q; want it to say %q", got, c.want)
			}
		})
	}
	if n := count(t, w.store, `SELECT count(*) FROM drafts`); n != 0 {
		t.Errorf("got %d drafts; want none", n)
	}
}

func TestEveryMessageThatIsNoNameGetsAHelpfulAnswer(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Emma", "en-GB")
	for name, c := range map[string]struct {
		send func()
		want string
	}{
		"voice":            {func() { p.SendKind("voice") }, "only understand text"},
		"photo":            {func() { p.SendKind("photo") }, "only understand text"},
		"sticker":          {func() { p.SendKind("sticker") }, "only understand text"},
		"unknown command":  {func() { p.Send("/dance now") }, "do not know that command"},
		"help":             {func() { p.Send("/help@somebot") }, "/delete_my_data"},
		"privacy":          {func() { p.Send("/privacy") }, "What I keep"},
		"status":           {func() { p.Send("/status") }, "have not asked"},
		"cancel":           {func() { p.Send("/cancel") }, "nothing to cancel"},
		"admin, for users": {func() { p.Send("/admin") }, "for administrators"},
		"new":              {func() { p.Send("/new") }, "child's name"},
	} {
		t.Run(name, func(t *testing.T) {
			said := since(p)
			c.send()
			w.until("an answer", func() bool { return len(said()) > 0 })
			if got := said()[0].Text; !strings.Contains(got, c.want) {
				t.Errorf("got %q; want %q in it", got, c.want)
			}
		})
	}
}

func TestAGroupIsToldWhereTheBotWorks(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Emma", "en")
	g := w.tg.Group(-100, "Family")
	g.Send(p, "hello all")
	g.Send(p, "/start")
	w.calm()
	var said []string
	for _, m := range g.Messages() {
		if m.FromBot {
			said = append(said, m.Text)
		}
	}
	if len(said) != 1 || !strings.Contains(said[0], "https://t.me/") {
		t.Errorf("got %q; want one answer with the link", said)
	}
}

func TestAGroupIsGreetedWhenTheBotComesAndNotWhenItsRightsChange(t *testing.T) {
	w := newWorld(t)
	const update = `{"my_chat_member":{"date":1,"from":{"id":1,"first_name":"Emma","language_code":"en"},
		"chat":{"id":%d,"type":"group","title":"Family"},"old_chat_member":{"status":%q,"user":{"id":9,"first_name":"b","is_bot":true}},
		"new_chat_member":{"status":%q,"user":{"id":9,"first_name":"b","is_bot":true}}}}`
	said := func(chat int64) (n int) {
		for _, c := range w.tg.Calls() {
			if c.Method == "sendMessage" && c.Chat == chat {
				n++
			}
		}
		return n
	}
	w.tg.Group(-400, "Family")
	w.tg.Group(-500, "Friends")
	w.raw(update, -400, "administrator", "administrator")
	w.raw(update, -500, "left", "member")
	w.until("the greeting", func() bool { return said(-500) == 1 })
	w.calm()
	if n := said(-400); n != 0 {
		t.Errorf("got %d messages about other rights; want none", n)
	}
}

func TestForgedAndStrangePressesDoNoHarm(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	w.asks(p, "Маша")
	w.getsVideos(p, 1)
	w.calm()
	m := answers(p)[0]
	before := count(t, w.store, `SELECT (SELECT count(*) FROM assets) * 1000 + (SELECT count(*) FROM requests)`)
	for _, data := range []string{"retry_failed_video:", "retry_failed_video:nothing", "retry_failed_video:' OR 1=1 --",
		"make:", "make:x", "make:x:new-year", "make::", "make:x:y:z", "change:x",
		"cancel:x", "get:x", "lang:xx", "lang:", "forget:maybe", "nonsense", "a:b:c", "\u202e", strings.Repeat("x", 64)} {
		if len(data) < 9 {
			p.PressOld(m.ID, data)
		} else {
			p.Press(m.ID, data)
		}
	}
	w.until("all answered", func() bool { return w.tg.Pending() == 0 && w.tg.Unanswered() == 0 })
	w.calm()
	if after := count(t, w.store, `SELECT (SELECT count(*) FROM assets) * 1000 + (SELECT count(*) FROM `+
		`requests)`); after != before {
		t.Errorf("got %d; want the earlier %d", after, before)
	}
	if strings.Contains(w.log.String(), "level=ERROR") {
		t.Errorf("the log has an error:\n%s", w.log)
	}
}

func TestSomebodyElsesButtonGetsAKindAnswer(t *testing.T) {
	w := newWorld(t)
	w.breakEngine()
	maria, eve := w.tg.Person(1, "Мария", "ru"), w.tg.Person(2, "Eve", "en")
	w.asks(maria, "Маша")
	button := slices.Concat(w.hears(maria, "Упс!").Buttons...)[0].Data
	eve.Send("/start")
	w.hears(eve, "Hello")
	eve.Press(answers(eve)[0].ID, button)
	w.hears(eve, "somebody else's greeting")
	eve.Press(answers(eve)[0].ID, telegram.RetryButton+":"+store.NewID()) // of a database that has been restored
	w.hears(eve, "does not work any more")
	if n := count(t, w.store, `SELECT count(*) FROM assets`); n != 1 {
		t.Errorf("got %d assets; want 1", n)
	}
}

func TestAnOldButtonOfAMessageTelegramNoLongerShowsStillRetries(t *testing.T) {
	w := newWorld(t)
	w.breakEngine()
	maria := w.tg.Person(1, "Мария", "ru")
	w.asks(maria, "Маша")
	m := w.hears(maria, "Упс!")
	w.calm()
	w.repairEngine()
	maria.PressOld(m.ID, slices.Concat(m.Buttons...)[0].Data)
	w.getsVideos(maria, 1)
}

func TestAPressIsAnsweredBeforeItWorks(t *testing.T) {
	w := newWorld(t)
	w.breakEngine()
	maria := w.tg.Person(1, "Мария", "ru")
	w.asks(maria, "Маша")
	m := w.hears(maria, "Упс!")
	w.calm()
	clear := w.tg.Inject(faketelegram.Fault{Method: "answerCallbackQuery", Times: -1, Status: 500})
	press(maria, m, 0)
	w.until("a try to answer", func() bool {
		return slices.ContainsFunc(
			w.tg.Calls(),
			func(c faketelegram.Call) bool { return c.Method == "answerCallbackQuery" && c.Code == 500 },
		)
	})
	if n := count(t, w.store, `SELECT count(*) FROM assets`); n != 1 {
		t.Errorf("got %d assets before the answer; want the old one only", n)
	}
	w.repairEngine()
	clear()
	w.getsVideos(maria, 1) // the press was not lost
}

func TestStatusOffersTheSameButton(t *testing.T) {
	w := newWorld(t)
	w.breakEngine()
	maria := w.tg.Person(1, "Мария", "ru")
	w.asks(maria, "Маша")
	m := w.hears(maria, "Упс!")
	w.calm()
	maria.Send("/status")
	w.hears(maria, "😔 Маша — не получилось")
	again := w.hears(maria, "Попробуем ещё раз?")
	if got, want := again.Buttons[0][0], m.Buttons[0][0]; got != want {
		t.Errorf("got %v; want %v", got, want)
	}
	w.repairEngine()
	press(maria, again, 0)
	w.getsVideos(maria, 1)
	w.calm()
	maria.Send("/status")
	w.hears(maria, "✅ Маша — отправлено")
}

func TestLanguageIsChosenAndKept(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Kai", "de")
	p.Send("/language")
	m := w.hears(p, "На каком языке") // the operator's language, for those whose own is not there
	press(p, m, 1)
	w.hears(p, "I will speak English")
	p.Send("/help")
	w.hears(p, "Send me a child's first name and I will make")
	w.asks(p, "Kai")
	w.getsVideos(p, 1)
	if got := text(t, w.store, `SELECT lang FROM assets`); got != "en" {
		t.Errorf("got a video in %q; want en", got)
	}
}

func TestLimitsAreToldKindly(t *testing.T) {
	for name, c := range map[string]struct {
		limits [3]int
		want   string
	}{
		"open": {[3]int{1, 100, 100}, "Сейчас я делаю для вас 1 видео"},
		"hour": {[3]int{100, 1, 100}, "лишь несколько видео"},
		"day":  {[3]int{100, 100, 1}, "На сегодня это все видео"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.stop()
			w.limits = c.limits
			w.start()
			mutate(t, w.store, holdRenders)
			p := w.tg.Person(1, "Мария", "ru")
			w.asks(p, "Маша")
			w.hears(p, "Запрос создан")
			p.Send("Оля")
			press(p, w.hears(p, "Делаем видео с именем «Оля»?"), 0)
			w.hears(p, c.want)
			if n := count(t, w.store, `SELECT count(*) FROM assets`); n != 1 {
				t.Errorf("got %d assets; want 1", n)
			}
		})
	}
}

func TestCancelTakesTheRequestAway(t *testing.T) {
	w := newWorld(t)
	mutate(t, w.store, holdRenders)
	p := w.tg.Person(1, "Мария", "ru")
	w.asks(p, "Маша")
	m := w.hears(p, "Запрос создан")
	press(p, m, 0)
	w.hears(p, "видео с именем «Маша» отменено")
	if n := count(t, w.store, `SELECT (SELECT count(*) FROM assets) + (SELECT count(*) FROM jobs)`); n != 0 {
		t.Errorf("got %d rows; want none", n)
	}
	press(p, m, 0)
	w.hears(p, "Сейчас нечего отменять")
}

func TestCancelIsToldOnceThoughTelegramAsksToWait(t *testing.T) {
	w := newWorld(t)
	mutate(t, w.store, holdRenders)
	p := w.tg.Person(1, "Мария", "ru")
	w.asks(p, "Маша")
	m := w.hears(p, "Запрос создан")
	w.tg.Inject(faketelegram.Fault{Method: "editMessageText", RetryAfter: 1})
	p.Send("/cancel")
	w.hears(p, "видео с именем «Маша» отменено")
	w.calm()
	for _, a := range answers(p) {
		if strings.Contains(a.Text, "уже делается") || strings.Contains(a.Text, "нечего") ||
			a.ID == m.ID && len(a.Buttons) > 0 {
			t.Errorf("got %q with buttons %v; want only the news of the cancelling", a.Text, a.Buttons)
		}
	}
}

func TestDeletingMyDataDeletesTheVideoToo(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	w.asks(p, "Маша")
	w.getsVideos(p, 1)
	w.calm()
	p.Send("/delete_my_data")
	press(p, w.hears(p, "Удалить всё, что я о вас храню?"), 0)
	w.hears(p, "я всё удалил")
	w.until("the files gone", func() bool { return len(keysOf(w.T, w.files)) == 0 })
	if n := count(t, w.store, `SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM assets) + (SELECT count(*)
		FROM requests)`); n != 0 {
		t.Errorf("got %d rows; want none", n)
	}
}

func TestAdminsGetALinkAndMoreCommands(t *testing.T) {
	w := newWorld(t)
	boss := w.tg.Person(900, "Boss", "en")
	boss.Send("/admin")
	w.hears(boss, "http://localhost/login/")
	boss.Send("/stats")
	w.hears(boss, "Completed: 0")
	w.until("the commands", func() bool { return len(boss.Commands()) > 0 })
	has := func(p *faketelegram.Person, name string) bool {
		return slices.ContainsFunc(p.Commands(), func(c faketelegram.Command) bool { return c.Name == name })
	}
	user := w.tg.Person(1, "Мария", "ru")
	w.until("all commands", func() bool { return has(boss, "admin") && has(user, "delete_my_data") })
	if has(user, "admin") {
		t.Error("a user is offered /admin")
	}
	i := slices.IndexFunc(user.Commands(), func(c faketelegram.Command) bool { return c.Name == "status" })
	if got := user.Commands()[i].Description; got != "Мои видео" {
		t.Errorf("got %q; want it in the user's language", got)
	}
}

func TestProgressIsTold(t *testing.T) {
	w := newWorld(t)
	mutate(t, w.store, holdRenders)
	p := w.tg.Person(1, "Мария", "ru")
	for _, name := range []string{"Маша", "Оля"} {
		w.asks(p, name)
		w.until("asked", func() bool { return count(t, w.store, `SELECT count(*) FROM assets WHERE name = ?`, name) == 1 })
	}
	w.hears(p, "Вы 2-й в очереди")
}

func TestTheYesOfALimitWorksLater(t *testing.T) {
	w := newWorld(t)
	w.stop()
	w.limits = [3]int{1, 100, 100}
	w.start()
	mutate(t, w.store, holdRenders)
	p := w.tg.Person(1, "Мария", "ru")
	w.asks(p, "Маша")
	w.hears(p, "Запрос создан")
	p.Send("Оля")
	question := w.hears(p, "Делаем видео с именем «Оля»?")
	press(p, question, 0)
	w.hears(p, "Сейчас я делаю")
	p.Send("/cancel")
	w.hears(p, "видео с именем «Маша» отменено")
	press(p, question, 0)
	w.until(
		"Оля asked for",
		func() bool { return count(t, w.store, `SELECT count(*) FROM assets WHERE name = 'Оля'`) == 1 },
	)
}

func TestAProgressMessageIsEditedEveryThreeSecondsAtTheMost(t *testing.T) {
	w := newWorld(t)
	mutate(t, w.store, holdRenders)
	p := w.tg.Person(1, "Мария", "ru")
	names := []string{"Аня", "Боря", "Вера", "Глеб", "Дина"}
	for i, name := range names {
		ask(t, w.store, name, int64(i+100))
	}
	mutate(t, w.store, `DELETE FROM jobs WHERE kind = 'ANNOUNCE'`) // nobody is behind those
	w.asks(p, "Маша")
	w.hears(p, "Вы 6-й в очереди")
	for i := range names {
		id := text(t, w.store, `SELECT asset_id FROM requests WHERE user_id = ?`, i+100)
		write(t, w.store, func(tx *store.Tx) error { _, err := tx.Cancel(int64(i+100), id); return err })
	}
	w.hears(p, "следующие в очереди")
	var last time.Time
	edits := 0
	for _, c := range w.tg.Calls() {
		if c.Method != "editMessageText" || c.Chat != 1 {
			continue
		}
		if edits++; edits > 1 && c.At.Sub(last) < chat.ProgressRest-100*time.Millisecond {
			t.Errorf("got two edits within %v; want %v between them", c.At.Sub(last), chat.ProgressRest)
		}
		last = c.At
	}
	if edits < 2 {
		t.Errorf("got %d edits; want some", edits)
	}
}

func TestAForgedGetBringsNoVideoOfSomebodyElse(t *testing.T) {
	w := newWorld(t)
	maria, eve := w.tg.Person(1, "Мария", "ru"), w.tg.Person(2, "Eve", "en")
	w.asks(maria, "Маша")
	w.getsVideos(maria, 1)
	w.calm()
	eve.Send("/start")
	w.hears(eve, "Hello")
	eve.Press(answers(eve)[0].ID, telegram.GetButton+":"+text(t, w.store, `SELECT id FROM assets`))
	w.hears(eve, "does not work any more")
	w.calm()
	if n := count(t, w.store, `SELECT count(*) FROM requests`); n != 1 || videos(eve) != 0 {
		t.Errorf("got %d requests, %d videos; want 1, none", n, videos(eve))
	}
}

func TestAForgottenUsersRenderStops(t *testing.T) {
	w := newWorld(t)
	w.hangEngine()
	p := w.tg.Person(1, "Мария", "ru")
	w.asks(p, "Маша")
	w.until("rendering", func() bool { return w.rendering() == 1 })
	p.Send("/delete_my_data")
	press(p, w.hears(p, "Удалить всё, что я о вас храню?"), 0)
	w.hears(p, "я всё удалил")
	w.until("the render stopped", func() bool { return w.rendering() == 0 })
}

func TestTheCancelButtonGoesWhenTheWorkBegins(t *testing.T) {
	w := newWorld(t)
	release := w.hangEngine()
	p := w.tg.Person(1, "Мария", "ru")
	w.asks(p, "Маша")
	if m := w.hears(p, "Готовим видео"); len(m.Buttons) != 0 {
		t.Errorf("got buttons %v; want none once it is too late", m.Buttons)
	}
	release()
	w.getsVideos(p, 1)
}

func TestChangeForgetsTheDraft(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	p.Send("Маша")
	m := w.hears(p, "Делаем видео с именем «Маша»?")
	press(p, m, 1)
	w.until("the draft gone", func() bool { return count(t, w.store, `SELECT count(*) FROM drafts`) == 0 })
	w.calm()
	press(p, m, 0) // the Yes of a message that has not lost its buttons yet
	w.calm()
	if n := count(t, w.store, `SELECT count(*) FROM assets`); n != 0 {
		t.Errorf("got %d assets; want none", n)
	}
}
