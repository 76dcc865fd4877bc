// Tests of what is not kept of people, whatever they send, and of who sees what is kept.

package main

import (
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"retake.example/internal/outage"
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
			// a hash may have any byte
			rows, err := texts(t, s, `SELECT iif(typeof("`+c+`") = 'blob' AND length("`+c+`") <= 64, hex("`+c+`"),
				ifnull(CAST("`+c+`" AS TEXT), '')) FROM `+table)
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

// TestPrivacy_WhoSeesWhat puts a mark into each place where something is kept, and reads every page as it is shown to a
// stranger, an admin and an owner, with its JSON.
func TestPrivacy_WhoSeesWhat(t *testing.T) {
	const (
		nobody = iota
		owners
		admins
	)
	d := newDesk(t, "http://localhost:8080")
	theirs := ask(t, d.store, "Знакимя", 424242000001)
	d.filmed("video", "thumb")
	failed := ask(t, d.store, "Знаксбой", 424242000001)
	failForGood(t, d.queue)
	for _, statement := range []string{
		`UPDATE requests SET chat_id = 424242000002, progress_id = 771771771, answer_id = 772772772`,
		`UPDATE users SET source = 'znaktag'`,
		`INSERT INTO drafts (id, user_id, name, created) VALUES ('znakdraft', 424242000001, 'Знакчерновик', ?1)`,
		`INSERT INTO advance (name, name_key, template, lang, creator, created)
			VALUES ('Знакзаранее', 'знакзаранее', 'new-year', 'ru', 8, ?1)`,
		`UPDATE attempts SET error = 'znakerror', error_code = NULL WHERE error IS NOT NULL`,
		`INSERT INTO audit (at, user_id, action, asset_id) VALUES (?1, 424242000001, 'ask', '` + theirs.ID + `')`,
		`INSERT INTO ledger VALUES (CAST('znakledgerznakledgerznakledger12' AS BLOB), ?1)`,
		`INSERT INTO ledger_keys VALUES (5, CAST('znakkeykznakkeykznakkeykznakkey1' AS BLOB))`,
		`INSERT INTO bans VALUES (424242000003, ?1)`,
		`INSERT INTO inbox (update_id, chat_id, raw, received, error, set_aside)
			VALUES (773773773, 424242000004, '{"text":"Знакписьмо"}', ?1, 'telegram_refused', ?1)`,
		`INSERT INTO publications (asset_id, platform, creator, created, step, metadata)
			VALUES ('` + theirs.ID + `', 'RUMBLE', 8, ?1, 'manual', '{"title":"Знакзаголовок"}')`,
		`INSERT INTO channels (platform, external_id, title, state, token, creator, connected, checked)
			VALUES ('YOUTUBE', 'UC', 'Знакканал', 'CONNECTED', CAST('znakaccess' AS BLOB), 8, ?1, ?1)`,
		`INSERT INTO admins (id, owner, added) VALUES (424242000005, 0, ?1)`,
		`INSERT INTO admin_names (id, name) VALUES (8, 'Знаквладелец')`,
		`INSERT INTO links VALUES (CAST('znaklinkznaklinkznaklinkznaklink' AS BLOB), 8, ?1)`,
		`INSERT INTO sessions VALUES (CAST('znaksessznaksessznaksessznaksess' AS BLOB), 8, ?1, ?1)`,
		`INSERT INTO tokens (hash, admin, title, scope, created)
			VALUES (CAST('znakhashznakhashznakhashznakhash' AS BLOB), 8, 'Знакпрограмма', 'read', ?1)`,
		`INSERT INTO tokens (hash, admin, title, scope, created)
			VALUES (CAST('znakhashznakhashznakhashznakhas2' AS BLOB), 424242000006, 'Знакчужая', 'read', ?1)`,
		`INSERT INTO invitations (hash, owner, inviter, expires)
			VALUES (CAST('znakinviznakinviznakinviznakinvi' AS BLOB), 0, 8, ?1 + 9000000)`,
		`INSERT INTO setup (id, code) VALUES (1, CAST('znakcodeznakcodeznakcodeznakcode' AS BLOB))`,
		`INSERT OR REPLACE INTO bot VALUES (1, 424242000007)`,
		`INSERT INTO menus VALUES (424242000008, 'ru', 'znakmenu')`,
		`INSERT INTO alerts (admin, cause, at) VALUES (424242000009, 'znakcause', ?1)`,
		`INSERT INTO texts VALUES ('ru', 'start', 'other', 'Знакпривет', ?1, 8)`,
		`INSERT INTO announcements (texts, creator, created, changed) VALUES ('{"":"Знакобъявление"}', 8, ?1, ?1)`,
		`INSERT INTO consents VALUES (424242000001, ?1, 'agreed', ?1)`,
		`INSERT INTO bin (id, at, admin, creator, name, content)
			VALUES ('AAAAAAAAAAAAAAAAAAAAAAAAAA', ?1, 8, 8, 'Знаккорзина', '{}')`,
		`INSERT INTO settings (key, sealed, changed, admin) VALUES ('telegram.token', CAST('znaksealed' AS BLOB), ?1, 8)`,
		`INSERT INTO editions VALUES ('t', 'znakedition')`,
	} {
		mutate(t, d.store, strings.ReplaceAll(statement, "?1", strconv.FormatInt(time.Now().UnixMilli(), 10)))
	}
	d.queue.outages = outage.New(2, time.Hour, probeEvery)
	d.queue.outages.Resume(time.Now(), "znakoutage")
	read := map[string]string{}
	for who, session := range map[string]string{"stranger": "", "admin": d.session(9), "owner": d.session(8)} {
		for _, route := range d.echo.Routes() {
			if route.Method != http.MethodGet || route.Path == "/channels/callback" {
				continue
			}
			path := strings.Replace(route.Path, "/announcements/:id", "/announcements/1", 1)
			path = strings.Replace(path, "/texts/:key", "/texts/start?lang=ru", 1)
			for _, id := range []string{theirs.ID, failed.ID} {
				for _, asJSON := range []bool{false, true} {
					read[who] += d.begin(call{method: "GET", path: pathOf(path, id), session: session, json: asJSON}).Body.String()
				}
			}
		}
	}
	for mark, who := range map[string]int{
		"424242000001": nobody, "424242000002": nobody, "771771771": nobody, "772772772": nobody, // a person
		"Знакчерновик": nobody, "znakdraft": nobody, "424242000003": nobody, "znakledger": nobody, "znakkeyk": nobody,
		"Знакписьмо": nobody, "424242000004": nobody, "znakaccess": nobody, "znaklink": nobody, "znaksess": nobody,
		"znakhash": nobody, "Знакчужая": nobody, "znakinvi": nobody, "znakcode": nobody, "424242000007": nobody,
		"znakmenu": nobody, "424242000008": nobody, "424242000009": nobody, "znakcause": nobody, "znaksealed": nobody,
		"znakedition": nobody,

		"424242000005": owners, "Знакпрограмма": owners, "Знакпривет": owners, "Знакобъявление": owners,
		"Знакзаголовок": owners, "Знаккорзина": owners, // and who made the video

		"Знакимя": admins, "Знаксбой": admins, "znaktag": admins, "Знакзаранее": admins, "znakerror": admins,
		"znakoutage": admins, "Знакканал": admins, "Знаквладелец": admins,
	} {
		for visitor, sees := range map[string]bool{"stranger": false, "admin": who >= admins, "owner": who >= owners} {
			if got := strings.Contains(read[visitor], mark); got != sees {
				t.Errorf("%s: seen by the %s: %v; want %v", mark, visitor, got, sees)
			}
		}
	}
}

// What is typed may not make a text read as another one: control and bidi characters are refused or dropped.
func TestForms_NothingHiddenIsKept(t *testing.T) {
	const hidden = "a\u202eb\u2066c\u200bd\u0007e\ufefff\u00adg"
	word := url.QueryEscape(hidden)
	d := newDesk(t, "http://localhost:8080")
	ask(t, d.store, "Маша", 1)
	made := d.filmed("video", "thumb").AssetID
	another := ask(t, d.store, "Эва", 1).ID
	d.filmed("video", "thumb")
	d.channel("UC1", "Ours "+hidden)
	write(t, d.store, func(tx *store.Tx) error { return tx.NameAdmin(8, "Ольга "+hidden, "olga") })
	session := d.session(8)
	for _, form := range []struct {
		path, body string
		keeps      bool // what is left of it
	}{
		{"/assets", "name=Аня" + word, false},
		{"/assets/" + made + "/metadata", "made_for_kids=no&title=T" + word + "&description=D" + word + "&tags=t" + word +
			"&playlist=PL" + word, true},
		{"/assets/" + made + "/metadata", "made_for_kids=no&title=T&language=" + word, false},
		{"/assets/" + made + "/publish", "youtube=yes&made_for_kids=no&title=P" + word + "&description=" + word, true},
		{"/selection/publish", "ids=" + another + "&to=1&made_for_kids=no&title." + another + "=M" + word, true},
		{"/assets/" + made + "/published", "platform=RUMBLE&url=https://rumble.com/" + word, false},
		{"/channels/1/defaults", "privacy=private&description=" + word + "&tags=" + word + "&playlist=" + word, true},
		{"/texts/start", "lang=ru&text_other=Привет" + word, true},
		{"/announcements/new", "do=save&text=" + word + "&text_ru=" + word, true},
		{"/tokens", "do=make&scope=read&title=" + word, true},
		{"/admins", "do=add&id=5" + word, false},
		{"/advance", "names=Яна" + word, false},
		{"/configuration", "watch.from=" + word + "%40example.com", false},
	} {
		before := d.tables()
		w := d.send(call{method: "POST", path: form.path, body: form.body, session: session})
		if form.keeps && d.tables() == before || w.Code >= 500 {
			t.Errorf("%s %s: got %d; want what can be seen of it kept: %s", form.path, form.body, w.Code, w.Body)
		}
	}
	all := allOf(t, d.store)
	for _, trace := range []string{"\u202e", "\u2066", "\u200b", "\u0007", "\ufeff", "\u00ad", `\u202e`, `\u0007`, `\u200b`} {
		if i := strings.Index(all, trace); i >= 0 {
			t.Errorf("got %+q in …%+q…", trace, all[max(0, i-80):min(len(all), i+20)])
		}
	}

	// Every field for a text is above, or in a test of its own room, or is not kept.
	elsewhere := []string{
		"q",                                        // a search
		"token",                                    // of the bot: TestSetUp_ATokenIsTakenAsItWasPastedAndShownNowhere
		"short_description",                        // of the bot: TestBot_ItsTextsAreSetInEachLanguage
		"at", "still", "voice.start", "voice.duck", // of the studio: TestStudio_SaysWhatIsWrongAtItsFieldAndSavesNothing
	}
	above := regexp.MustCompile(`name="(name|title|description|tags|playlist|language|url|id|names)"`)
	field := regexp.MustCompile(`<(?:textarea|input)\b[^>]*\bname="([^"{]+)"[^>]*`)
	other := regexp.MustCompile(`type="(hidden|checkbox|radio|file|number|date|datetime-local|time|month|range|color)"`)
	pages, err := fs.Glob(templateFiles, "web/templates/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatal(pages, err)
	}
	for _, page := range pages {
		source, err := fs.ReadFile(templateFiles, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range field.FindAllStringSubmatch(string(source), -1) {
			if !other.MatchString(m[0]) && !above.MatchString(m[0]) && !slices.Contains(elsewhere, m[1]) {
				t.Errorf("%s: the field %q is in no list: what becomes of hidden characters in it?", page, m[1])
			}
		}
	}
}
