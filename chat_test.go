// What a chat looks like from outside: one message per state, few answers where few are wanted, nothing forgotten.

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/lang"
	"retake.example/internal/store"
)

// sends counts the messages and edits that a chat got, by method.
func (w *world) sends(chat int64) map[string]int {
	n := map[string]int{}
	for _, c := range w.tg.Calls() {
		if c.Chat == chat && c.Code == 200 {
			n[c.Method]++
		}
	}
	return n
}

func (w *world) raw(format string, args ...any) {
	w.tg.SendRaw(json.RawMessage(fmt.Sprintf(format, args...)))
}

func toasted(p *faketelegram.Person, text string) bool {
	return slices.ContainsFunc(p.Toasts(), func(t faketelegram.Toast) bool { return strings.Contains(t.Text, text) })
}

func TestWish_SendsTwoMessagesAndLeavesOne(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	question := w.names(p, "Маша")
	press(p, question, 0)
	w.getsVideos(p, 1)
	w.until("only the video left", func() bool { return len(answers(p)) == 1 })
	if n := w.sends(1); n["sendMessage"] != 1 || n["sendVideo"] != 1 {
		t.Errorf("got %v; want the question and the video", n)
	}
	video := answers(p)[0]
	if !strings.Contains(video.Text, "Поздравление с именем «Маша»") ||
		!strings.Contains(video.Text, "Готово! Пусть порадует 🎉") ||
		len(video.Buttons) != 1 ||
		video.Buttons[0][0].Text != "🎬 Ещё одно видео" {
		t.Errorf("got %q with %v; want the kind words and [One more video]", video.Text, video.Buttons)
	}
	if !toasted(p, "Запрос создан! Скоро отправим видео.\n⏳ Вы следующие") {
		t.Errorf("got the toasts %v; want the request, its place and the time", p.Toasts())
	}
	// Another person is sent the video at once: the question goes, one message is left.
	eve := w.tg.Person(2, "Ева", "ru")
	w.asks(eve, "Маша")
	w.until("only the video left", func() bool { return len(answers(eve)) == 1 && videos(eve) == 1 })
	if !toasted(eve, "Видео уже готово") {
		t.Errorf("got the toasts %v; want that it is ready", eve.Toasts())
	}
}

func TestWish_TheQuestionCountsUpAndCanBeCancelled(t *testing.T) {
	w := newWorld(t)
	mutate(t, w.store, holdRenders)
	p := w.tg.Person(1, "Мария", "ru")
	question := w.names(p, "Маша")
	press(p, question, 0)
	progress := w.hears(p, "Запрос создан")
	if progress.ID != question.ID || !strings.Contains(progress.Text, "⏳ Вы следующие") ||
		labels(progress)[0] != "Отменить" {
		t.Errorf(
			"got message %d, %q, %v; want the question with its place and [Cancel]",
			progress.ID,
			progress.Text,
			progress.Buttons,
		)
	}
	press(p, question, 0) // its old button once more
	w.until("a toast", func() bool { return toasted(p, "Видео уже делается") })
	press(p, progress, 0)
	if m := w.hears(p, "видео с именем «Маша» отменено"); m.ID != question.ID || len(m.Buttons) != 0 {
		t.Errorf("got message %d with %v; want the same message without buttons", m.ID, m.Buttons)
	}
	w.calm()
	if n := w.sends(1); n["sendMessage"] != 1 {
		t.Errorf("got %v; want one message in all", n)
	}
}

func TestProgress_AMessageThatIsGoneIsReplacedOnce(t *testing.T) {
	w := newWorld(t)
	mutate(t, w.store, holdRenders)
	p := w.tg.Person(1, "Мария", "ru")
	question := w.names(p, "Маша")
	w.tg.Inject(faketelegram.Fault{Method: "editMessageText", Status: 400, Description: "Bad Request: something new"})
	press(p, question, 0)
	again := w.hears(p, "Запрос создан")
	if again.ID == question.ID {
		t.Fatalf("got the question edited; want another message")
	}
	w.until("its id kept", func() bool { return count(t, w.store, `SELECT progress_id FROM requests`) == again.ID })
	mutate(t, w.store, `DROP TRIGGER hold`)
	mutate(t, w.store, `UPDATE jobs SET due = 0`)
	w.queue.Wake()
	w.getsVideos(p, 1)
	w.until("the other message gone", func() bool {
		return !slices.ContainsFunc(
			answers(p),
			func(m faketelegram.Message) bool { return strings.Contains(m.Text, "Запрос создан") },
		)
	})
}

func TestCancel_IsAnsweredThoughTheMessageIsGone(t *testing.T) {
	w := newWorld(t)
	mutate(t, w.store, holdRenders)
	p := w.tg.Person(1, "Мария", "ru")
	w.asks(p, "Маша")
	w.hears(p, "Запрос создан")
	w.calm()
	w.tg.Inject(
		faketelegram.Fault{Method: "editMessageText", Status: 400, Description: "Bad Request: message to edit not found"},
	)
	p.Send("/cancel")
	w.hears(p, "видео с именем «Маша» отменено")
}

func TestForget_TakesThePromiseBack(t *testing.T) {
	w := newWorld(t)
	mutate(t, w.store, holdRenders)
	p := w.tg.Person(1, "Мария", "ru")
	w.asks(p, "Маша")
	w.hears(p, "Запрос создан")
	p.Send("/delete_my_data")
	press(p, w.hears(p, "Удалить всё"), 0)
	w.hears(p, "я всё удалил")
	w.until("the promise gone", func() bool { return saying(p, "Запрос создан") == 0 })
}

func TestForget_AnOlderButtonSaysWhatHappened(t *testing.T) {
	w := newWorld(t)
	w.breakEngine()
	p := w.tg.Person(1, "Мария", "ru")
	w.asks(p, "Маша")
	apology := w.hears(p, "Упс!")
	w.calm()
	p.Send("/delete_my_data")
	press(p, w.hears(p, "Удалить всё"), 0)
	w.hears(p, "я всё удалил")
	w.calm()
	press(p, apology, 0)
	w.hears(p, "с тех пор, как ваши данные были удалены")
}

func TestReturn_WhatCouldNotBeSentComesAfterUnblocking(t *testing.T) {
	w := newWorld(t)
	for id, c := range map[int64]struct {
		broken bool
		back   func(p *faketelegram.Person)
	}{
		1: {false, (*faketelegram.Person).Unblock},
		2: {false, func(p *faketelegram.Person) { p.Send("/start") }},
		3: {true, (*faketelegram.Person).Unblock},
	} {
		p := w.tg.Person(id, "Мария", "ru")
		mutate(t, w.store, holdRenders)
		if c.broken {
			w.breakEngine()
		}
		w.asks(p, "Маша"+strings.Repeat("а", int(id)))
		w.hears(p, "Запрос создан")
		p.Block()
		w.until("the block known", func() bool {
			return count(t, w.store, `SELECT count(*) FROM users WHERE id = ? AND unreachable > 0`, id) == 1
		})
		mutate(t, w.store, `DROP TRIGGER hold`)
		mutate(t, w.store, `UPDATE jobs SET due = 0`)
		w.queue.Wake()
		w.calm()
		if videos(p) != 0 || saying(p, "Упс!") != 0 {
			t.Fatalf("%d: got something while they had blocked the bot", id)
		}
		c.back(p)
		if c.broken {
			w.hears(p, "Упс!")
			w.repairEngine()
			continue
		}
		w.getsVideos(p, 1)
	}
}

func TestGroup_OneAnswerAnHourInItsTopicAndNoneToOthersCommands(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Emma", "en")
	g := w.tg.Group(-100, "Family")
	g.Send(p, "/start@some_other_bot")
	g.Send(p, "/start")
	g.Send(p, "/help")
	forum := w.tg.Group(-200, "Forum")
	thread := forum.Topic("Birthdays")
	forum.SendIn(thread, p, "/start")
	const from = `"from":{"id":1,"first_name":"Emma","language_code":"en"}`
	w.raw(
		`{"my_chat_member":{"date":1,%s,"chat":{"id":-300,"type":"channel","title":"News"},"old_chat_member":{"status":"left","user":{"id":9,"first_name":"b","is_bot":true}},
		"new_chat_member":{"status":"member","user":{"id":9,"first_name":"b","is_bot":true}}}}`,
		from,
	)
	w.calm()
	n := map[int64]int{}
	topic := ""
	for _, c := range w.tg.Calls() {
		if c.Method == "sendMessage" {
			n[c.Chat]++
			if c.Chat == -200 {
				topic = c.Params["message_thread_id"]
			}
		}
	}
	if n[-100] != 1 || n[-200] != 1 || n[-300] != 0 || topic != fmt.Sprint(thread) {
		t.Errorf(
			"got %v answers, in topic %q; want one to each group, in topic %d, and none to the channel",
			n,
			topic,
			thread,
		)
	}
}

func TestMessage_IsAnsweredOnceAtTheMost(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	const in = `"date":1,"from":{"id":1,"first_name":"Мария","language_code":"ru"},"chat":{"id":1,"type":"private"}`
	answersTo := func(raw ...string) int {
		said := since(p)
		for _, r := range raw {
			w.raw("%s", r)
		}
		w.calm()
		return len(said())
	}
	photo := `"photo":[{"file_id":"a","file_unique_id":"b","width":1,"height":1}]`
	for what, c := range map[string]struct {
		want int
		raw  []string
	}{
		"an album": {1, []string{`{"message":{"message_id":901,` + in + `,"media_group_id":"7",` + photo + `}}`,
			`{"message":{"message_id":902,` + in + `,"media_group_id":"7",` + photo + `}}`}},
		"a pinned message": {0,
			[]string{`{"message":{"message_id":903,` + in + `,"pinned_message":{"message_id":1,` + in + `,"text":"x"}}}`}},
		"an edited name":  {1, []string{`{"edited_message":{"message_id":904,` + in + `,"edit_date":2,"text":"Маша"}}`}},
		"an edited photo": {0, []string{`{"edited_message":{"message_id":905,` + in + `,"edit_date":2,` + photo + `}}`}},
		"an unknown part": {1, []string{`{"message":{"message_id":906,` + in + `,"chat_background_set":7}}`}},
		"thanks":          {1, []string{`{"message":{"message_id":907,` + in + `,"text":"Спасибо!"}}`}},
	} {
		if n := answersTo(c.raw...); n != c.want {
			t.Errorf("%s: got %d answers; want %d", what, n, c.want)
		}
	}
	w.hears(p, "Делаем видео с именем «Маша»?")
	w.hears(p, lang.Say("ru", "chat_thanks", nil))
}

func TestRude_IsNotMadeByAButtonEither(t *testing.T) {
	w := newWorld(t)
	word := lang.ParseWords(lang.RudeWords("ru"))[0]
	p := w.tg.Person(1, "Мария", "ru")
	question := w.names(p, "Маша")
	w.calm()
	mutate(t, w.store, `UPDATE drafts SET name = ?`, word)
	press(p, question, 0)
	w.hears(p, "Такое слово")
	failed := store.NewID()
	mutate(
		t,
		w.store,
		`INSERT INTO assets (id, name, name_key, template, lang, origin, status, error, created, finished)
			VALUES (?, ?, ?, 'new-year', 'ru', 'REQUEST', 'FAILED', 'e', 1, 1)`,
		failed,
		word,
		lang.NameKey(word),
	)
	mutate(
		t,
		w.store,
		`INSERT INTO requests (user_id, asset_id, chat_id, status, created, finished) VALUES (1, ?, 1, 'FAILED', 1, 1)`,
		failed,
	)
	p.Press(question.ID, "retry_failed_video:"+failed)
	w.until("a second refusal", func() bool { return saying(p, "Такое слово") == 2 })
	w.calm()
	if n := count(t, w.store, `SELECT count(*) FROM assets`); n != 1 {
		t.Errorf("got %d assets; want no new one", n)
	}
}

func TestStatus_ShowsEachFailureWithAButtonUntilALaterTryHasDelivered(t *testing.T) {
	w := newWorld(t)
	w.breakEngine()
	p := w.tg.Person(1, "Мария", "ru")
	names := []string{"Шура", "Шаша", "Шеша", "Шиша"}
	for i, name := range names {
		w.asks(p, name)
		w.until("the apology", func() bool { return saying(p, "Упс!") == i+1 })
	}
	w.calm()
	p.Send("/status")
	w.until("a button for each", func() bool { return saying(p, "Попробуем ещё раз?") == len(names) })
	w.repairEngine()
	for _, m := range answers(p) {
		if strings.Contains(m.Text, "«Шура» не получилось") {
			press(p, m, 0)
		}
	}
	w.getsVideos(p, 1)
	w.calm()
	p.Send("/status")
	list := w.hears(p, "✅ Шура")
	if strings.Contains(list.Text, "Шура — не получилось") {
		t.Errorf("got %q; want nothing of the failure that is over", list.Text)
	}
}

func TestMenus_AreSentOnlyWhenTheyHaveChanged(t *testing.T) {
	w := newWorld(t)
	menus := func() (n int) {
		for _, c := range w.tg.Calls() {
			if c.Method == "setMyCommands" {
				n++
			}
		}
		return n
	}
	all := (1 + len(lang.Languages)) * 2 // everybody's, and the admin's
	w.until("the menus kept", func() bool { return count(t, w.store, `SELECT count(*) FROM menus`) == all })
	before := menus()
	w.stop()
	w.start()
	p := w.tg.Person(1, "Мария", "ru")
	p.Send("/help")
	w.hears(p, "/delete_my_data")
	if n := menus(); n != before {
		t.Errorf("got %d calls after the restart; want none", n-before)
	}
	admin := w.tg.Person(900, "Admin", "en")
	admin.Send("/start")
	w.until("the admin's menu sent again", func() bool { return menus() >= before+1+len(lang.Languages) })
}

func TestMenus_KeepNoNumberOfWhoIsNoAdmin(t *testing.T) {
	w := newWorld(t)
	chats := func() string {
		return text(t, w.store, `SELECT ifnull(group_concat(DISTINCT chat), '') FROM (SELECT chat FROM menus ORDER BY chat)`)
	}
	w.until("the menus kept", func() bool { return chats() == "0,900" })
	admin := w.tg.Person(55, "Ольга", "ru")
	admin.Send("/start")
	w.hears(admin, "Пришлите имя ребёнка")
	write(t, w.store, func(tx *store.Tx) error { return tx.Appoint(store.Admin{ID: 55}, 0, store.ByCommand) })
	w.until("a menu of their own", func() bool { return chats() == "0,55,900" })
	write(t, w.store, func(tx *store.Tx) error { return tx.Dismiss(55, 0) })
	w.until("no trace of it", func() bool { return chats() == "0,900" })

	stranger := w.tg.Person(1, "Мария", "ru")
	stranger.Send("/start admin-" + strings.Repeat("x", 43))
	w.hears(stranger, lang.Say("ru", "invitation_lapsed", nil))
	w.calm()
	w.stop()
	mutate(t, w.store, `INSERT INTO menus VALUES (77, 'ru', 'an admin of older settings')`)
	w.start()
	w.until("what a start finds gone, too", func() bool { return chats() == "0,900" })
}

func TestStart_KeepsTheTagOfItsLink(t *testing.T) {
	w := newWorld(t)
	p, q, admin := w.tg.Person(1, "Мария", "ru"), w.tg.Person(2, "Ева", "ru"), w.tg.Person(900, "Admin", "en")
	p.Send("/start school_5")
	p.Send("/start other")
	q.Send("/start <b>")
	admin.Send("/stats")
	w.hears(q, "Пришлите имя ребёнка")
	w.calm()
	if got := text(t, w.store, `SELECT group_concat(ifnull(source, '-')) FROM (SELECT source FROM users WHERE id < 900
		ORDER BY id)`); got != "school_5,-" {
		t.Errorf("got %s; want the first tag, and none that is no tag", got)
	}
	admin.Send("/stats")
	w.hears(admin, "From the link “school_5”: 1")
	admin.Send("/help")
	w.hears(admin, "/admin – sign in")
	admin.Send("/admin")
	w.hears(admin, "opens only on the server itself")
}

func TestStart_AnInvitationMakesWhoOpensItAnAdmin(t *testing.T) {
	w := newWorld(t)
	p, q := w.tg.Person(1, "Maria", "en"), w.tg.Person(2, "Eva", "en")
	code := "admin-" + strings.Repeat("x", 43)
	write(t, w.store, func(tx *store.Tx) error { return tx.Invite(hashOf(code), true, 900) })
	p.Send("/start " + code)
	w.hears(p, "You are an owner of this bot now")
	p.Send("/admin")
	w.hears(p, "/login/")
	q.Send("/start " + code)
	w.hears(q, "has already been used")
	q.Send("/admin")
	w.hears(q, "This command is for administrators.")
	w.calm()
	if got := text(t, w.store, `SELECT name || ' ' || (SELECT count(*) FROM users WHERE source IS NOT NULL)
		FROM admin_names WHERE id = 1`); got != "Maria 0" {
		t.Errorf("got %q; want the name that Telegram gives, and the code kept nowhere", got)
	}
}
