// Any update and any press, put through the real poller, inbox and bot.

package main

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-telegram/bot/models"

	"retake.example/internal/chat"
	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/lang"
	"retake.example/internal/media"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/video"
)

// Maria is whose updates these are; Eve has the same things and must never notice. Nobody has written the witness's id
// down.
const (
	maria, eve = 1, 2
	witness    = 770_000_001
)

// things is what each of the two has: a name that waits for its Yes, a video that failed, one that is to be made and
// one that is made. Each id is the letter of the owner and a word.
func things(t testing.TB, s *store.Store) {
	t.Helper()
	now := s.Now().UnixMilli()
	if err := plant(s, func(tx *sql.Tx) error {
		for _, q := range []string{"DELETE FROM assets", "DELETE FROM users", "DELETE FROM audit", "DELETE FROM inbox",
			"DELETE FROM attempts", "DELETE FROM outage", "DELETE FROM links",
			"DELETE FROM name_counts", "DELETE FROM name_suffixes"} {
			if _, err := tx.Exec(q); err != nil {
				return fmt.Errorf("%s: %w", q, err)
			}
		}
		for who, user := range map[string]int64{"M": maria, "E": eve} {
			for _, q := range []string{
				`INSERT INTO users (id, lang, created) VALUES (?1, 'ru', 1)`,
				`INSERT INTO drafts (id, user_id, name, created) VALUES (?2 || 'DRAFT', ?1, 'Глеб ' || ?2, ?3)`,
				`INSERT INTO assets (id, name, name_key, template, lang, origin, status, file, error, created, finished) VALUES
					(?2 || 'FAILEDAAAAAAAAAAAAAAAAAAAAA', 'Аглая ' || ?2, 'аглая ' || ?2, 'new-year', 'ru', 'REQUEST', 'FAILED', NULL,
					'broken', ?3, ?3),
					(?2 || 'WAITINGAAAAAAAAAAAAAAAAAAAA', 'Яна ' || ?2, 'яна ' || ?2, 'new-year', 'ru', 'REQUEST', 'PENDING', NULL,
					NULL, ?3, NULL),
					(?2 || 'READYAAAAAAAAAAAAAAAAAAAAAA', 'Лев ' || ?2, 'лев ' || ?2, 'new-year', 'ru', 'REQUEST', 'COMPLETED',
					'x.mp4', NULL, ?3, ?3)`,
				`INSERT INTO requests (user_id, chat_id, asset_id, status, created, finished) VALUES
					(?1, ?1, ?2 || 'FAILEDAAAAAAAAAAAAAAAAAAAAA', 'FAILED', ?3, ?3),
					(?1, ?1, ?2 || 'WAITINGAAAAAAAAAAAAAAAAAAAA', 'PENDING', ?3, NULL),
					(?1, ?1, ?2 || 'READYAAAAAAAAAAAAAAAAAAAAAA', 'COMPLETED', ?3, ?3)`,
				`INSERT INTO jobs (kind, asset_id, fairness_key, position, due, created)
					VALUES ('RENDER', ?2 || 'WAITINGAAAAAAAAAAAAAAAAAAAA', ?1, 1, 0, ?3)`,
			} {
				if _, err := tx.Exec(q, []any{user, who, now}[:highest(q)]...); err != nil {
					return fmt.Errorf("%s: %w", q, err)
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// highest is the largest number of a parameter in a statement.
func highest(query string) (n int) {
	for i := range 9 {
		if strings.Contains(query, fmt.Sprintf("?%d", i)) {
			n = i
		}
	}
	return n
}

// wire carries a client's calls to a handler without a network.
type wire struct{ http.Handler }

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	answer := httptest.NewRecorder()
	w.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// chats is a bot on a store and the stand-in for Telegram that it talks to. No queue runs: what is owed stays in the
// database.
type chats struct {
	*testing.T
	store *store.Store
	bot   *Bot
	tg    *faketelegram.Server
	log   *journal
	ctx   context.Context
}

func newChats(t *testing.T, s *store.Store, files *media.Disk) chats {
	t.Helper()
	things(t, s)
	c := chats{T: t, store: s, tg: faketelegram.New(testToken), log: &journal{}}
	t.Cleanup(c.tg.Close)
	logger := slog.New(slog.NewTextHandler(c.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	sender, err := NewSender(
		s,
		files,
		chat.Options{Token: testToken, APIURL: "http://telegram", Offers: video.NewOffers(choices[:2]...),
			ReuseFor: time.Hour,
			Language: "ru", OpenLimit: 100, HourLimit: 100, DayLimit: 100, MaxUpload: 50 << 20, BaseURL: "http://localhost",
			Role: func(id int64) (store.Admin, bool) {
				return store.Admin{ID: id, Owner: true},
					id == 900
			}, CanDraw: func(string, string) error { return nil }},
		logger,
	)
	if err != nil {
		t.Fatal(err)
	}
	sender.Client.HTTP.Transport = wire{c.tg}
	c.bot = NewBot(sender, NewQueue(s, nil, sender, files, Options{}, logger))
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	c.ctx = ctx
	c.tg.Person(maria, "Мария", "ru")
	c.tg.Person(eve, "Eve", "en")
	c.tg.Group(-5, "Group")
	return c
}

// polls receives what waits and handles it to its end.
func (c chats) polls() {
	c.Helper()
	if err := c.bot.receive(c.ctx); err != nil {
		c.Fatalf("the poll: got %v; want nil", err)
	}
	c.bot.chats.Wait()
	c.bot.Wait() // courtesies are calls, too
}

// holds lists what the database holds of users; "inbox" and users who only became known do not count.
func (c chats) holds(whose string) string {
	c.Helper()
	return text(c, c.store, `SELECT group_concat(row, char(10)) FROM (
		SELECT 'user ' || id || ' ' || lang || ' ' || ifnull(unreachable, '') row
		FROM users WHERE id IN (1, 2) AND id `+whose+`
		UNION ALL SELECT 'draft ' || id || ' ' || name FROM drafts WHERE user_id `+whose+`
		UNION ALL SELECT 'request ' || asset_id || ' ' || status || ' ' || ifnull(answer_id, '')
		FROM requests WHERE user_id `+whose+`
		UNION ALL SELECT 'asset ' || a.id || ' ' || a.status FROM assets a JOIN requests r ON r.asset_id = a.id
		WHERE r.user_id `+whose+`
		UNION ALL SELECT 'job ' || kind || ' ' || j.asset_id FROM jobs j WHERE fairness_key `+whose+` ORDER BY row)`)
}

// buttonShape is all that a button may carry: a word, and ids. A name has no place in it.
var buttonShape = regexp.MustCompile(
	`^(more|try|lang:(ru|en)|forget:(yes|no)|(retry_failed_video|change|cancel|get):[A-Z2-7]{6,36}` +
		`|make:[A-Z2-7]{6,36}(:[a-z0-9-]{1,32})?)$`,
)

// soundly looks at what must hold whatever was sent.
func (c chats) soundly() {
	c.Helper()
	if n := count(c, c.store, `SELECT count(*) FROM inbox WHERE raw IS NOT NULL AND set_aside IS NULL`); n != 0 {
		c.Errorf("got %d updates that wait for ever; want none", n)
	}
	log := c.log.String()
	for _, word := range []string{"panic", "Аглая", "Глеб", testToken[10:], "no such", "constraint"} {
		if strings.Contains(log, word) {
			c.Errorf("got %q in the log:\n%s", word, log)
		}
	}
	for _, id := range []int64{maria, eve, witness} {
		for _, m := range answers(c.tg.Person(id, "", "")) {
			for _, b := range slices.Concat(m.Buttons...) {
				if len(b.Data) > 64 || !buttonShape.MatchString(b.Data) {
					c.Errorf("got the button %q; want %s", b.Data, buttonShape)
				}
			}
		}
	}
}

// fuzzStore is a store and a media folder for all runs of a target. It is kept in memory where that is possible: what
// is asked is not whether it survives, and most of the time was spent waiting for the disk.
func fuzzStore(f *testing.F) (*store.Store, *media.Disk) {
	f.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "retake-fuzz-")
	if err != nil {
		dir = f.TempDir()
	}
	s, err := openStore(filepath.Join(dir, "retake.db"))
	if err != nil {
		f.Fatal(err)
	}
	files, err := media.OpenDisk(filepath.Join(dir, "media"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := errors.Join(files.Close(), s.Close(), os.RemoveAll(dir)); err != nil {
			f.Error(err)
		}
	})
	return s, files
}

func FuzzPress(f *testing.F) {
	ids := []string{"MDRAFT", "EDRAFT"}
	for _, who := range "ME" {
		for _, what := range []string{"FAILEDAAAAAAAAAAAAAAAAAAAAA", "WAITINGAAAAAAAAAAAAAAAAAAAA",
			"READYAAAAAAAAAAAAAAAAAAAAAA"} {
			ids = append(ids, string(who)+what)
		}
	}
	for _, kind := range []string{telegram.RetryButton, telegram.YesButton, telegram.ChangeButton, telegram.CancelButton,
		telegram.GetButton, telegram.PlayButton} {
		for i, id := range ids {
			f.Add(kind+":"+id, i%2 == 0)
		}
		f.Add(kind, false)
		f.Add(kind+":", true)
		f.Add(kind+":"+store.NewID(), true)
		f.Add(kind+":' OR 1=1 --", true)
	}
	for _, data := range []string{"make:MDRAFT:birthday", "make:MDRAFT:", "make:MDRAFT:easter", "make:MDRAFT:birthday:x",
		"make:EDRAFT:new-year", "more", "try", "lang:en", "lang:xx", "forget:yes", "forget:no", "forget", "", ":", "::",
		"\u202e", "\x00",
		"get:MREADY%", strings.Repeat("x", 64), "retry_failed_video:mfailedaaaaaaaaaaaaaaaaaaaaa"} {
		f.Add(data, false)
	}
	s, files := fuzzStore(f)
	f.Fuzz(func(t *testing.T, data string, old bool) {
		c := newChats(t, s, files)
		before, others := c.holds("= 1"), c.holds("<> 1")
		p := c.tg.Person(maria, "", "")
		if old {
			p.PressOld(7, data)
		} else {
			p.Press(7, data)
		}
		c.polls()
		c.soundly()
		if n := c.tg.Unanswered(); n != 0 {
			t.Errorf("got %d presses that spin; want each answered", n)
		}
		if n := count(t, s, `SELECT count(*) FROM inbox WHERE error IS NOT NULL`); n != 0 {
			t.Errorf("got it set aside; want it answered, whatever it is:\n%s", c.log)
		}
		if now := c.holds("<> 1"); now != others {
			t.Errorf("what somebody else has: got\n%s\nwant\n%s", now, others)
		}
		kind, id, _ := strings.Cut(data, ":")
		may := map[string][]string{
			telegram.RetryButton:  {"MFAILEDAAAAAAAAAAAAAAAAAAAAA"},
			telegram.ChangeButton: {"MDRAFT"},
			telegram.CancelButton: {"MWAITINGAAAAAAAAAAAAAAAAAAAA"},
			telegram.LangButton:   lang.Languages,
			telegram.ForgetButton: {"yes"},
			telegram.YesButton: {
				"MDRAFT",
				"MDRAFT:new-year",
				"MDRAFT:birthday",
			},
			telegram.GetButton: {"MREADYAAAAAAAAAAAAAAAAAAAAAA", "MFAILEDAAAAAAAAAAAAAAAAAAAAA"},
		}
		// An apology's button of a video that is there by now brings it.
		may[telegram.RetryButton] = append(may[telegram.RetryButton], "MREADYAAAAAAAAAAAAAAAAAAAAAA")
		if now := c.holds("= 1"); now != before && !slices.Contains(may[kind], id) {
			t.Errorf("%q: got\n%s\nwant nothing changed of\n%s", data, now, before)
		} else if now == before && (kind == telegram.YesButton && slices.Contains(may[kind], id) ||
			data == telegram.RetryButton+":MFAILEDAAAAAAAAAAAAAAAAAAAAA") {
			t.Errorf("%q: got nothing changed; want it to work", data)
		}
	})
}

// updateSeeds are updates as Telegram sends them.
func updateSeeds(t testing.TB) (out [][]byte) {
	t.Helper()
	tg := faketelegram.New(testToken)
	defer tg.Close()
	p := tg.Person(maria, "Мария", "ru")
	for _, text := range []string{"/start", "/status", "/cancel@retake_bot x", "/language", "/delete_my_data", "/admin",
		"/", "Аглая", "Глеб M", "Маша2", "\u202e"} {
		p.Send(text)
	}
	for _, data := range []string{"retry_failed_video:MFAILEDAAAAAAAAAAAAAAAAAAAAA", "make:MDRAFT",
		"cancel:MWAITINGAAAAAAAAAAAAAAAAAAAA", "get:MREADYAAAAAAAAAAAAAAAAAAAAAA", "forget:yes", "lang:en",
		"retry_failed_video:EFAILEDAAAAAAAAAAAAAAAAAAAAA"} {
		p.Press(7, data)
		p.PressOld(7, data)
	}
	p.SendKind("voice")
	p.Block()
	p.Unblock()
	g := tg.Group(-5, "Group")
	g.Send(p, "/start")
	g.Press(p, 3, "get:MREADYAAAAAAAAAAAAAAAAAAAAAA")
	for _, u := range tg.Updates() {
		out = append(out, u.JSON)
	}
	for _, raw := range []string{`{"edited_message":{"message_id":1,"chat":{"id":1,"type":"private"},"text":"Аглая"}}`,
		`{"my_chat_member":{"chat":{"id":-5,"type":"group"},"from":{"id":1},` +
			`"old_chat_member":{"status":"left","user":{"id":9}},` +
			`"new_chat_member":{"status":"member","user":{"id":9}}}}`,
		`{"message":{"message_id":1,"chat":{"id":1,"type":"private"},"from":{"id":900,"language_code":"x-a-b-c"},"text":"/stats"}}`,
		`{"message":{"message_id":1,"chat":{"id":1,"type":"private"},"text":"/status"}}`, `{"a_kind_of_2031":{}}`, `{}`,
		`{"message":{"chat":{"id":"1"},"text":"Аглая"}}`, `{"callback_query":null,"message":null}`} {
		out = append(out, []byte(raw))
	}
	return out
}

// strange is what may stand anywhere in a mutated update.
var strange = []any{
	nil,
	true,
	json.Number("-1"),
	json.Number("0"),
	json.Number("1"),
	json.Number("2"),
	json.Number("900"),
	json.Number("-5"),
	json.Number("1.5"),
	json.Number("1e400"),
	json.Number("9223372036854775807"),
	json.Number("9223372036854775808"),
	"",
	" ",
	"\x00",
	"\u202e",
	"/",
	"/ ",
	"/status",
	"/cancel",
	"/delete_my_data",
	"Аглая",
	"make:MDRAFT",
	"get:EREADYAAAAAAAAAAAAAAAAAAAAAA",
	"private",
	"channel",
	"kicked",
	"x-",
	strings.Repeat("я", 5000),
	[]any{},
	[]any{nil},
	map[string]any{},
	map[string]any{"id": json.Number("2")},
}

// mutated changes an update, two bytes a change: the place, and what stands there afterwards. It returns nil for what
// is no object. The id of an update is Telegram's and always there.
func mutated(raw, changes []byte) []byte {
	var update map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&update) != nil || update == nil {
		return nil
	}
	for ; len(changes) >= 2; changes = changes[2:] {
		var places []func(any)
		var walk func(v any)
		walk = func(v any) {
			switch v := v.(type) {
			case map[string]any:
				for _, key := range slices.Sorted(maps.Keys(v)) {
					places = append(places, func(to any) {
						if v[key] = to; to == deleted {
							delete(v, key)
						}
					})
					walk(v[key])
				}
			case []any:
				for i := range v {
					places = append(places, func(to any) { v[i] = to })
					walk(v[i])
				}
			}
		}
		if walk(update); len(places) == 0 {
			break
		}
		var to any = deleted
		if i := int(changes[1]); i < len(strange) {
			to = strange[i]
		}
		places[int(changes[0])%len(places)](to)
	}
	maps.DeleteFunc(update, func(key string, _ any) bool { return strings.EqualFold(key, "update_id") })
	out, err := json.Marshal(update)
	if err != nil {
		return nil
	}
	return out
}

// deleted stands for nothing at all.
var deleted any = json.Number("0.0")

func FuzzUpdate(f *testing.F) {
	for i, raw := range updateSeeds(f) {
		f.Add(raw, []byte(nil))
		f.Add(raw, []byte{byte(3 * i), byte(i), byte(5 * i), byte(7 * i)})
	}
	s, files := fuzzStore(f)
	f.Fuzz(func(t *testing.T, raw, changes []byte) {
		raw = mutated(raw, changes)
		if raw == nil || len(raw) > 1<<16 {
			return
		}
		c := newChats(t, s, files)
		var update models.Update
		understood := json.Unmarshal(raw, &update) == nil
		from := int64(0)
		switch {
		case !understood:
		case update.CallbackQuery != nil:
			from = update.CallbackQuery.From.ID
		case update.Message != nil && update.Message.From != nil:
			from = update.Message.From.ID
		case update.MyChatMember != nil:
			from = update.MyChatMember.From.ID
		}
		others := fmt.Sprintf("NOT IN (%d, %d)", from, witness)
		before := c.holds(others)
		c.tg.SendRaw(raw)
		c.tg.Person(witness, "W", "en").Send("/help")
		c.polls()
		c.soundly()
		if got := c.holds(others); got != before {
			t.Errorf("%s: what others have: got\n%s\nwant\n%s", raw, got, before)
		}
		if n := len(answers(c.tg.Person(witness, "", ""))); n != 1 {
			t.Errorf("got %d answers to somebody else; want 1", n)
		}
		aside := count(t, s, `SELECT count(*) FROM inbox WHERE error IS NOT NULL`)
		if n := count(t, s, `SELECT count(*) FROM inbox`); n != 2 || aside > 1 || aside == 1 && understood {
			t.Errorf(
				"%s: got %d updates, %d of them set aside; want 2, and none set aside that can be read:\n%s",
				raw,
				n,
				aside,
				c.log,
			)
		}
		// Telegram gives each out at least once.
		calls, held := len(c.tg.Calls()), c.holds("IS NOT NULL")
		for _, u := range c.tg.Updates() {
			c.tg.Redeliver(u.ID)
		}
		c.polls()
		if got := c.holds("IS NOT NULL"); got != held || len(c.tg.Calls()) != calls+1 {
			t.Errorf(
				"%s: given out again: got %d calls and\n%s\nwant the poll alone and\n%s",
				raw,
				len(c.tg.Calls())-calls,
				got,
				cmp.Or(held, "nothing"),
			)
		}
	})
}
