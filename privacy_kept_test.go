// Tests of what is not kept of people, whatever they send.

package main

import (
	"slices"
	"strings"
	"testing"

	"retake.example/internal/store"
)

// allOf is the text of all that the database holds.
func allOf(t *testing.T, s *store.Store) string {
	t.Helper()
	tables, err := texts(t, s, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, table := range tables {
		columns, err := texts(t, s, `SELECT name FROM pragma_table_info('`+table+`')`)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range columns {
			rows, err := texts(t, s, `SELECT ifnull(CAST("`+c+`" AS TEXT), '') FROM `+table)
			if err != nil {
				t.Fatal(err)
			}
			all.WriteString(table + "." + c + ": " + strings.Join(rows, " ") + "\n")
		}
	}
	return all.String()
}

func TestPrivacy_WhatIsNoNameIsNotKept(t *testing.T) {
	const id = 424242424242
	w := newWorld(t)
	p := w.tg.Person(id, "Матьпятилетняя", "ru")
	w.asks(p, "Маша")
	w.getsVideos(p, 1)
	from := `"from":{"id":424242424242,"is_bot":false,"first_name":"Матьпятилетняя","last_name":"Фамильная",` +
		`"username":"mother_of_five","language_code":"ru"}`
	private := `"date":1,"chat":{"id":424242424242,"type":"private","first_name":"Матьпятилетняя","username":"mother_of_five"}`
	for i, what := range []string{
		`"contact":{"phone_number":"+79990001122","first_name":"Матьпятилетняя","user_id":424242424242}`,
		`"photo":[{"file_id":"AgAC-photograph","file_unique_id":"u1","width":9,"height":9}],"caption":"Подпись-под-снимком"`,
		`"voice":{"file_id":"AwAC-voice-message","file_unique_id":"u2","duration":3}`,
		`"video_note":{"file_id":"DQAC-round-film","file_unique_id":"u3","length":9,"duration":3}`,
		`"video":{"file_id":"BAAC-film-of-theirs","file_unique_id":"u4","width":9,"height":9,"duration":3}`,
		`"document":{"file_id":"BQAC-document","file_unique_id":"u5","file_name":"паспорт-матери.pdf"}`,
		`"location":{"latitude":59.938631,"longitude":30.323037}`,
		`"venue":{"location":{"latitude":59.938631,"longitude":30.323037},"title":"Детсад-ромашка","address":"Сказочная-улица"}`,
		`"text":"Спасибо"`,
		`"sticker":{"file_id":"CAAC-sticker","file_unique_id":"u6","type":"regular","width":9,"height":9}`,
	} {
		w.raw(`{"message":{"message_id":%d,%s,%s,%s}}`, 9000+i, from, private, what)
	}
	w.raw(`{"message":{"message_id":9100,%s,"date":1,"chat":{"id":-100777,"type":"supergroup","title":"Родители-ясельной"},`+
		`"text":"Тайна-группы"}}`, from)
	w.raw(`{"message":{"message_id":9101,%s,"date":1,"chat":{"id":-100777,"type":"supergroup","title":"Родители-ясельной"},`+
		`"text":"/start@retake_bot"}}`, from)
	w.raw(`{"channel_post":{"message_id":9102,"date":1,"chat":{"id":-100778,"type":"channel","title":"Чужой-канал"},` +
		`"text":"Запись-канала"}}`)
	w.calm()
	kept, log := allOf(t, w.store), w.log.String()
	for _, trace := range []string{"79990001122", "photograph", "Подпись", "voice-message", "round-film", "film-of-theirs",
		"document", "паспорт", "59.93", "30.32", "Детсад", "Сказочная", "Спасибо", "CAAC", "mother_of_five", "Матьпятилетняя",
		"Фамильная", "Тайна-группы", "Родители", "Чужой-канал", "Запись-канала"} {
		if strings.Contains(kept, trace) {
			t.Errorf("got %q in the database", trace)
		}
		if strings.Contains(log, trace) {
			t.Errorf("got %q in the log", trace)
		}
	}
	if !strings.Contains(kept, "Маша") || !strings.Contains(kept, "424242424242") {
		t.Errorf("got neither the name nor the number, which are kept:\n%s", kept)
	}
	if strings.Contains(log, "424242424242") {
		t.Error("got the number of a person in the log")
	}
}

// Whom the bot has forgotten is somebody new.
func TestForget_WhoWritesAgainIsANewUser(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	p.Send("/start spring")
	w.hears(p, "Пришлите имя ребёнка")
	w.asks(p, "Маша")
	w.getsVideos(p, 1)
	w.calm()
	mutate(t, w.store, `UPDATE users SET created = 5, lang = 'en'`)
	p.Send("/delete_my_data")
	press(p, w.hears(p, "Delete everything"), 0)
	w.until("forgotten", func() bool { return count(t, w.store, `SELECT count(*) FROM users`) == 0 })
	w.calm()
	p.Send("/status")
	w.hears(p, "Вы ещё не заказывали видео")
	w.calm()
	rows, err := texts(t, w.store, `SELECT lang || (created > 5) || ifnull(source, '') FROM users`)
	if err != nil || !slices.Equal(rows, []string{"ru1"}) || count(t, w.store, `SELECT count(*) FROM requests`) != 0 {
		t.Errorf("got %q, %v; want one in the language that Telegram gives, without a past", rows, err)
	}
}
