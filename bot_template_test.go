// Tests of the choice of a template in the chat.

package main

import (
	"slices"
	"strings"
	"testing"

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/video"
)

// labels lists what the buttons of a message say, row by row.
func labels(m faketelegram.Message) (rows []string) {
	for _, row := range m.Buttons {
		var texts []string
		for _, b := range row {
			texts = append(texts, b.Text)
		}
		rows = append(rows, strings.Join(texts, " | "))
	}
	return rows
}

func TestWhoAsksChoosesTheTemplate(t *testing.T) {
	for name, c := range map[string]struct {
		language, question, status string
		labels                     []string
	}{
		"in Russian": {"ru", "Имя: «Маша». Какое поздравление сделать?", "✅ Маша (🎂 День рождения) — отправлено",
			[]string{"🎄 Новый год", "🎂 День рождения", "🏫 Первое сентября", "✏️ Изменить"}},
		"in English": {"en", "Which video would you like for “Маша”?", "✅ Маша (🎂 Birthday) – sent",
			[]string{"🎄 New Year", "🎂 Birthday", "🏫 The first day of school", "✏️ Change"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOf(t, choices)
			p := w.tg.Person(1, "Мария", c.language)
			question := w.names(p, "маша")
			if !strings.HasPrefix(question.Text, c.question) {
				t.Errorf("got %q; want %q", question.Text, c.question)
			}
			if got := labels(question); !slices.Equal(got, c.labels) {
				t.Errorf("got buttons %q; want %q", got, c.labels)
			}
			press(p, question, 1)
			w.getsVideos(p, 1)
			w.calm()
			if got := text(t, w.store, `SELECT group_concat(template) FROM assets`); got != "birthday" {
				t.Errorf("got videos of %q; want birthday", got)
			}
			w.until("the buttons of the settled question gone", func() bool {
				return !slices.ContainsFunc(
					answers(p),
					func(m faketelegram.Message) bool { return m.ID == question.ID && len(m.Buttons) > 0 },
				)
			})
			p.Send("/status")
			w.hears(p, c.status)
		})
	}
}

func TestTheButtonsOfAChoiceFitAndCarryNoName(t *testing.T) {
	w := newWorldOf(t, choices)
	p := w.tg.Person(1, "Мария", "ru")
	question := w.names(p, "Александра-Виктория")
	for _, b := range slices.Concat(question.Buttons...) {
		if len(b.Data) > 64 || strings.Contains(b.Data, "Александра") {
			t.Errorf("got %q of %d bytes; want at most 64, and no name", b.Data, len(b.Data))
		}
	}
	press(p, question, 2)
	w.getsVideos(p, 1)
	if got, want := text(t, w.store, `SELECT template FROM assets`), choices[2].ID; got != want || len(want) != 32 {
		t.Errorf("got a video of %q; want %q, the longest id", got, want)
	}
}

func TestOneTemplateIsNoChoice(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	question := w.names(p, "Маша")
	if got, want := labels(question), []string{"✅ Да, делаем | ✏️ Изменить"}; question.Text != "Делаем видео с именем "+
		"«Маша»?" ||
		!slices.Equal(got, want) {
		t.Errorf("got %q with %q; want the plain question with %q", question.Text, got, want)
	}
	if data, want := question.Buttons[0][0].Data, "make:"+text(t, w.store, `SELECT id FROM drafts`); data != want {
		t.Errorf("got %q; want %q", data, want)
	}
	press(p, question, 0)
	w.getsVideos(p, 1)
	w.calm()
	p.Send("/status")
	w.hears(p, "✅ Маша — отправлено")
}

func TestOnlyTemplatesThatCanDrawTheNameAreOffered(t *testing.T) {
	w := newWorldOf(t, choices)
	mutate(t, w.store, holdRenders)
	plain := []string{"✅ Да, делаем | ✏️ Изменить"}
	person := int64(0)
	for name, c := range map[string]struct {
		labels   []string
		template string // of the first button
	}{
		"Маша":    {[]string{"🎄 Новый год", "🎂 День рождения", "🏫 Первое сентября", "✏️ Изменить"}, "new-year"},
		"Michał":  {[]string{"🎄 Новый год", "🎂 День рождения", "✏️ Изменить"}, "new-year"},
		"Надежда": {plain, "new-year"},
		"さくら":     {plain, "birthday"},
	} {
		person++
		p := w.tg.Person(person, "Мария", "ru")
		question := w.names(p, name)
		if got := labels(question); !slices.Equal(got, c.labels) {
			t.Errorf("%s: got buttons %q; want %q", name, got, c.labels)
		}
		press(p, question, 0)
		w.until(
			"asked for "+name,
			func() bool { return count(t, w.store, `SELECT count(*) FROM assets WHERE name = ?`, name) == 1 },
		)
		if got := text(t, w.store, `SELECT template FROM assets WHERE name = ?`, name); got != c.template {
			t.Errorf("%s: got a video of %q; want %q", name, got, c.template)
		}
	}
	olga := w.tg.Person(100, "Ольга", "ru")
	olga.Send("Иꙮа")
	w.hears(olga, "не умею красиво рисовать")
}

func TestAYesFromBeforeThereWasAChoiceMeansTheFirstTemplate(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	question := w.names(p, "Маша")
	w.stop()
	w.offers = []video.Offer{choices[1], choices[0]}
	w.start()
	press(p, question, 0)
	w.getsVideos(p, 1)
	if got := text(t, w.store, `SELECT template FROM assets`); got != "birthday" {
		t.Errorf("got a video of %q; want birthday", got)
	}
}

func TestAButtonOfATemplateThatWasTakenAwayGetsAKindAnswer(t *testing.T) {
	w := newWorldOf(t, choices)
	p, olga := w.tg.Person(1, "Мария", "ru"), w.tg.Person(2, "Ольга", "ru")
	press(olga, w.names(olga, "Лев"), 1)
	w.getsVideos(olga, 1)
	question := w.names(p, "Маша")
	w.calm()
	w.stop()
	w.offers = []video.Offer{choices[0], choices[2]}
	w.start()
	press(p, question, 1)
	w.hears(p, "Эта кнопка уже не работает")
	w.calm()
	if n := count(t, w.store, `SELECT count(*) FROM assets WHERE name = 'Маша'`); n != 0 {
		t.Errorf("got %d videos; want none", n)
	}
	press(p, question, 2) // the draft was not spent
	w.getsVideos(p, 1)
	if got, want := text(t, w.store, `SELECT template FROM assets WHERE name = 'Маша'`), choices[2].ID; got != want {
		t.Errorf("got a video of %q; want %q", got, want)
	}
	olga.Send("/status")
	w.hears(olga, "✅ Лев (birthday) — отправлено") // its title went with the template
}

func TestPressesOnTwoTemplatesOfOneQuestionMakeOneVideo(t *testing.T) {
	w := newWorldOf(t, choices)
	mutate(t, w.store, holdRenders)
	p := w.tg.Person(1, "Мария", "ru")
	question := w.names(p, "Маша")
	press(p, question, 1)
	press(p, question, 0)
	w.until("the second press answered", func() bool {
		return slices.ContainsFunc(
			p.Toasts(),
			func(t faketelegram.Toast) bool { return strings.Contains(t.Text, "уже делается") },
		)
	})
	w.until("all answered", func() bool { return w.tg.Pending() == 0 && w.tg.Unanswered() == 0 })
	if got := text(t, w.store, `SELECT group_concat(template) FROM assets`); got != "birthday" {
		t.Errorf("got videos of %q; want birthday, the first pressed", got)
	}
}

func TestAVideoIsSharedByThoseWhoChooseTheSameTemplate(t *testing.T) {
	w := newWorldOf(t, choices)
	mutate(t, w.store, holdRenders)
	maria, olga, ivan, anna := w.tg.Person(
		1,
		"Мария",
		"ru",
	), w.tg.Person(
		2,
		"Ольга",
		"ru",
	), w.tg.Person(
		3,
		"Иван",
		"ru",
	), w.tg.Person(
		4,
		"Анна",
		"ru",
	)
	for p, n := range map[*faketelegram.Person]int{maria: 0, olga: 1, ivan: 1} {
		press(p, w.names(p, "Маша"), n)
	}
	w.until("all have asked", func() bool { return count(t, w.store, `SELECT count(*) FROM requests`) == 3 })
	made := `SELECT group_concat(n || ' ' || template, ', ') FROM (SELECT a.template, count(*) n
		FROM assets a JOIN requests r ON r.asset_id = a.id GROUP BY a.id ORDER BY a.template)`
	if got, want := text(t, w.store, made), "2 birthday, 1 new-year"; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	press(maria, w.names(maria, "Маша"), 0)
	w.hears(maria, "Видео с именем «Маша» уже делается")
	press(maria, w.names(maria, "Маша"), 1)
	w.until("both asked for", func() bool { return count(t, w.store, `SELECT count(*) FROM requests`) == 4 })
	mutate(t, w.store, `DROP TRIGGER hold`)
	mutate(t, w.store, `UPDATE jobs SET due = 0`)
	w.queue.Wake()
	w.getsVideos(maria, 2)
	w.getsVideos(olga, 1)
	w.getsVideos(ivan, 1)
	w.calm()
	press(anna, w.names(anna, "Маша"), 1) // there is one
	w.getsVideos(anna, 1)
	press(anna, w.names(anna, "Маша"), 2) // there is none
	w.getsVideos(anna, 2)
	w.calm()
	if got, want := text(t, w.store, made), "4 birthday, 1 new-year, 1 "+choices[2].ID; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
}

func TestALimitCountsTheVideosOfAllTemplates(t *testing.T) {
	w := newWorldOf(t, choices)
	w.stop()
	w.limits = [3]int{1, 100, 100}
	w.start()
	mutate(t, w.store, holdRenders)
	p := w.tg.Person(1, "Мария", "ru")
	w.asks(p, "Маша")
	w.hears(p, "Запрос создан")
	question := w.names(p, "Маша")
	press(p, question, 1)
	w.hears(p, "Сейчас я делаю для вас 1 видео")
	p.Send("/cancel")
	w.hears(p, "видео с именем «Маша» отменено")
	press(p, question, 1)
	w.until(
		"asked for",
		func() bool { return count(t, w.store, `SELECT count(*) FROM assets WHERE template = 'birthday'`) == 1 },
	)
}

func TestARetryKeepsTheTemplateThatWasChosen(t *testing.T) {
	w := newWorldOf(t, choices)
	w.breakEngine()
	p := w.tg.Person(1, "Мария", "ru")
	press(p, w.names(p, "Маша"), 1)
	m := w.hears(p, "Упс!")
	if m.Text != apologyRu {
		t.Errorf("got %q; want %q", m.Text, apologyRu)
	}
	w.calm()
	p.Send("/status")
	w.hears(p, "😔 Маша (🎂 День рождения) — не получилось")
	w.hears(p, "Видео с именем «Маша (🎂 День рождения)» не получилось. Попробуем ещё раз?")
	w.repairEngine()
	press(p, w.names(p, "Маша"), 0) // the same name with another template is no other try
	w.getsVideos(p, 1)
	press(p, m, 0)
	w.getsVideos(p, 2)
	w.calm()
	if got, want := text(t, w.store, `SELECT group_concat(template || ' ' || status, ', ') FROM (SELECT * FROM assets
		ORDER BY created, rowid)`),
		"birthday FAILED, new-year COMPLETED, birthday COMPLETED"; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	if n := count(t, w.store, `SELECT count(*) FROM assets s JOIN assets f ON f.id = s.retry_of
		WHERE s.template = 'birthday' AND f.template = 'birthday'`); n != 1 {
		t.Errorf("got %d successors; want one, of the birthday video", n)
	}
}

func TestTheBotFollowsWhatIsOfferedWithoutARestart(t *testing.T) {
	spring := titled("spring", "🌷 Весна", "🌷 Spring")
	spring.Order = "spring@1"
	w := newWorldOf(t, []video.Offer{spring})
	maria, olga := w.tg.Person(1, "Мария", "ru"), w.tg.Person(2, "Ольга", "ru")
	press(maria, w.names(maria, "Маша"), 0)
	w.getsVideos(maria, 1)
	before := w.names(maria, "Лев") // asked before the change

	spring.Order = "spring@2"
	w.bot.Offers.Set([]video.Offer{spring, choices[1]})
	question := w.names(olga, "Маша")
	if got := labels(question); len(got) != 3 || !strings.Contains(got[0], "🌷 Весна") || !strings.Contains(got[1], "🎂") {
		t.Errorf("got %q; want both templates", got)
	}
	press(olga, question, 0)
	w.getsVideos(olga, 1)
	press(maria, before, 0)
	w.getsVideos(maria, 2)
	const made = `SELECT group_concat(name || ' ' || template, ', ') FROM (SELECT name, template
		FROM assets ORDER BY created, id)`
	if got, want := text(t, w.store, made), "Маша spring@1, Маша spring@2, Лев spring@2"; got != want {
		t.Errorf("got %q; want %q: a finished video of another version is not sent again", got, want)
	}
	w.calm()
	maria.Send("/status")
	w.hears(maria, "Маша (🌷 Весна)")
}
