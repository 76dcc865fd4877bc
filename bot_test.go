// Tests of the bot against a stand-in for Telegram: what users meet, in words, and what must survive.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"retake.example/internal/chat"
	"retake.example/internal/db/dbtest"
	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/lang"
	"retake.example/internal/media"
	"retake.example/internal/outage"
	"retake.example/internal/store"
	"retake.example/internal/testrig"
	"retake.example/internal/video"
	"retake.example/internal/watch"
)

func TestMain(m *testing.M) {
	if speed, err := strconv.ParseFloat(os.Getenv(childSpeed), 64); err == nil {
		loadChild(os.Getenv(childDir), speed)
		return
	}
	dbtest.AlwaysTwice()
	code := m.Run()
	testrig.Clean()
	os.Exit(code)
}

// world is the whole program but for its page, on a real database, with an engine command that tests can break.
type world struct {
	*testing.T
	dir    string
	tg     *faketelegram.Server
	http   *httptest.Server
	log    *journal
	limits [3]int // open, hour, day
	outage int    // different videos that fail in a row
	offers []video.Offer

	program
	stop func()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOf(t, newYear)
}

// newWorldOf begins a world whose operator offers these templates.
func newWorldOf(t *testing.T, offers []video.Offer) *world {
	t.Helper()
	t.Parallel() // much of the time is spent in Telegram's limits
	return newWorldIn(t, t.TempDir(), offers)
}

func newWorldIn(t *testing.T, dir string, offers []video.Offer) *world {
	t.Helper()
	w := &world{
		T:      t,
		dir:    dir,
		tg:     faketelegram.New(testToken),
		log:    &journal{},
		limits: [3]int{100, 100, 100},
		outage: 5,
		offers: offers,
	}
	w.http = httptest.NewServer(w.tg)
	t.Cleanup(func() {
		w.stop()
		w.tg.Close()
		w.http.Close()
		if n := w.tg.LimitBreaches(); n > 0 {
			t.Errorf("the bot was faster than Telegram allows %d times", n)
		}
		for _, secret := range []string{testToken, "AAbbccdd"} {
			if strings.Contains(w.log.String(), secret) {
				t.Errorf("the log holds the token")
			}
		}
	})
	w.start()
	return w
}

// start begins a process on the data folder; stop ends it as SIGTERM would.
func (w *world) start() {
	w.Helper()
	p, err := startProgram(w.dir, w.http.URL, w.limits, w.outage, w.offers, w.log, nil)
	if err != nil {
		w.Fatal(err)
	}
	w.program = p
	w.stop = sync.OnceFunc(func() {
		if err := p.stop(); err != nil {
			w.Error(err)
		}
	})
}

// program is the whole of Retake but for its page.
type program struct {
	store *store.Store
	queue *Queue
	board *watch.Board
	bot   *Bot
	files *media.Disk
	stop  func() error
}

// newYear is what an operator offers who offers one template; choices is what one with three does.
var (
	newYear = []video.Offer{{ID: "new-year", Title: func(string) string { return "🎄 New Year" }}}
	choices = []video.Offer{
		titled("new-year", "🎄 Новый год", "🎄 New Year"),
		titled("birthday", "🎂 День рождения", "🎂 Birthday"),
		titled(strings.Repeat("x", 32), "🏫 Первое сентября", "🏫 The first day of school"),
	}
)

func titled(id, ru, en string) video.Offer {
	return video.Offer{
		ID:    id,
		Title: func(language string) string { return map[string]string{"ru": ru, "en": en}[language] },
	}
}

// startProgram starts it on a data folder. So many different failures in a row are an outage; now, if not nil, is the
// store's clock.
func startProgram(
	dir, api string,
	limits [3]int,
	after int,
	offers []video.Offer,
	log io.Writer,
	now func() time.Time,
) (p program, err error) {
	command, err := engine(dir)
	if err != nil {
		return p, err
	}
	maker, err := video.New(
		video.Config{Engine: "command", Offered: []string{"new-year"}, Command: command, Timeout: time.Minute,
			Work: filepath.Join(dir, "work"), Cache: filepath.Join(dir, "cache"), Workers: 2, Patience: time.Hour},
	)
	if err != nil {
		return p, err
	}
	if p.store, err = openStore(filepath.Join(dir, "retake.db")); err != nil {
		return p, err
	}
	if now != nil {
		setNow(p.store, now)
	}
	if p.files, err = media.OpenDisk(filepath.Join(dir, "media")); err != nil {
		return p, err
	}
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	role := func(id int64) (store.Admin, bool) { return store.Admin{ID: id, Owner: true}, id == 900 }
	sender, err := NewSender(
		p.store,
		p.files,
		chat.Options{Token: testToken, APIURL: api, Offers: video.NewOffers(offers...), ReuseFor: time.Hour,
			Language: "ru", LanguageChosen: true, OpenLimit: limits[0], HourLimit: limits[1], DayLimit: limits[2], MaxUpload: 50 << 20,
			BaseURL: "http://localhost", Second: time.Second,
			Role: role, Admins: []int64{900}, Rude: lang.ParseWords(lang.RudeWords("ru")),
			CanDraw: func(template, name string) error {
				lacks := map[string]string{"new-year": "ꙮさ", "birthday": "ꙮж"}[template]
				if lacks == "" {
					lacks = "ꙮさжł"
				}
				if strings.ContainsAny(name, lacks) {
					return video.ErrCannotDraw
				}
				return nil
			}},
		logger,
	)
	if err != nil {
		return p, err
	}
	p.queue = NewQueue(p.store, maker, sender, p.files, Options{Workers: 2, Attempts: 3,
		Backoff: func(attempt int) time.Duration { return time.Duration(attempt) * 40 * time.Millisecond },
		Drain:   time.Second,
		Outages: outage.New(after, 24*time.Hour, time.Hour)}, logger)
	bot := NewBot(sender, p.queue)
	p.bot = bot
	p.board = watch.NewProgramBoard(
		p.store,
		p.queue,
		watch.Options{Page: "http://localhost", Role: role, Tell: bot.Alert, Gather: time.Second,
			Admins: func(ctx context.Context) ([]int64, error) { return p.store.Admins(ctx, []int64{900}) },
			Free:   func() (int64, error) { return 38e9, nil }},
		logger,
	)
	ctx, cancel := context.WithCancel(context.Background())
	var group errgroup.Group
	group.Go(func() error { p.board.Watch(ctx, p.queue); return nil })
	group.Go(func() error { return p.queue.Run(ctx) })
	group.Go(func() error { return bot.Run(ctx) })
	p.stop = func() error {
		cancel()
		return errors.Join(group.Wait(), p.store.Close(), p.files.Close())
	}
	return p, nil
}

// until waits for a condition.
func (w *world) until(what string, is func() bool) {
	w.Helper()
	state := w.log.String
	if w.tg != nil { // on a busy machine a video tells its percents for minutes
		state = func() string { return fmt.Sprint(w.tg.Count(), w.log) }
	}
	if err := until(w, is, state); err != nil {
		w.Fatalf("%s: %v\n%s", what, err, w.log)
	}
}

func (w *world) breakEngine() {
	w.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, brokenFile), nil, 0o600); err != nil {
		w.Fatal(err)
	}
}

func (w *world) repairEngine() {
	w.Helper()
	if err := os.Remove(filepath.Join(w.dir, brokenFile)); err != nil {
		w.Fatal(err)
	}
}

// hears waits until the bot has said a text to somebody, and returns that message.
func (w *world) hears(p *faketelegram.Person, text string) faketelegram.Message {
	w.Helper()
	return testrig.Hears(w.until, p, text)
}

// asks sends a name and says yes, to the first template where there is a choice.
func (w *world) asks(p *faketelegram.Person, name string) {
	w.Helper()
	press(p, w.names(p, name), 0)
}

// names sends a name and returns the question that follows.
func (w *world) names(p *faketelegram.Person, name string) faketelegram.Message {
	w.Helper()
	return testrig.Names(w.until, p, name)
}

func (w *world) getsVideos(p *faketelegram.Person, n int) {
	w.Helper()
	testrig.GetsVideos(w.until, p, n)
}

// calm waits until no work is owed and no update waits.
func (w *world) calm() {
	w.Helper()
	w.until("calm", func() bool {
		return w.tg.Pending() == 0 &&
			count(
				w,
				w.store,
				`SELECT (SELECT count(*) FROM jobs WHERE due < 9e15) + (SELECT count(*) FROM inbox WHERE set_aside IS NULL AND raw IS NOT NULL)`,
			) == 0
	})
}

func TestAParentGetsAVideo(t *testing.T) {
	w := newWorld(t)
	maria := w.tg.Person(1, "Мария", "ru-RU")
	maria.Send("/start")
	w.hears(maria, "Пришлите имя ребёнка")
	maria.Send("  маша ")
	question := w.hears(maria, "Делаем видео с именем «Маша»?")
	press(maria, question, 0)
	w.getsVideos(maria, 1)
	done := w.hears(maria, "Готово!")
	if b := done.Buttons; len(b) != 1 || b[0][0].Text != "🎬 Ещё одно видео" {
		t.Errorf("got buttons %v; want one more video", b)
	}
	w.until("the progress message and the buttons of the settled question gone", func() bool {
		return !slices.ContainsFunc(answers(maria), func(m faketelegram.Message) bool {
			return strings.Contains(m.Text, "Запрос создан") || m.ID == question.ID && len(m.Buttons) != 0
		})
	})
	press(maria, done, 0)
	w.hears(maria, "так, как зовёте его дома")
	if w.tg.Unanswered() != 0 {
		t.Errorf("got %d presses without an answer; want 0", w.tg.Unanswered())
	}
}

const apologyRu = "Упс! Что-то пошло не так при создании видео для Маша. 😔\n\nНе переживайте, вы можете попробовать " +
	"еще раз!"

// TestNoFailureIsSilent is the story the product exists for.
func TestNoFailureIsSilent(t *testing.T) {
	w := newWorld(t)
	w.breakEngine()
	russians := []*faketelegram.Person{
		w.tg.Person(1, "Мария", "ru"),
		w.tg.Person(2, "Ольга", "ru"),
		w.tg.Person(3, "Иван", "ru"),
	}
	emma := w.tg.Person(4, "Emma", "en")
	// The engine must not fail permanently before all three have joined, so the renders are held until then.
	mutate(t, w.store, holdRenders)
	for _, p := range append(russians, emma) {
		w.asks(p, "Маша")
	}
	w.until("all have asked", func() bool { return count(t, w.store, `SELECT count(*) FROM requests`) == 4 })
	mutate(t, w.store, `DROP TRIGGER hold`)
	mutate(t, w.store, `UPDATE jobs SET due = 0`)
	w.queue.Wake()

	var apologies []faketelegram.Message
	for _, p := range russians {
		m := w.hears(p, "Упс!")
		if m.Text != apologyRu {
			t.Errorf("got %q; want %q", m.Text, apologyRu)
		}
		if b := slices.Concat(m.Buttons...); len(b) != 1 || b[0].Text != "🔄 Попробовать еще раз" ||
			!strings.HasPrefix(b[0].Data, "retry_failed_video:") {
			t.Errorf("got buttons %v; want the one of the retry", b)
		}
		apologies = append(apologies, m)
	}
	w.hears(emma, "Oops! Something went wrong while making the video for Маша.")
	w.calm()
	for query, want := range map[string]int{
		`SELECT count(*) FROM assets WHERE status = 'FAILED'`:                                                            2,
		`SELECT count(*) FROM requests r JOIN assets a ON a.id = r.asset_id WHERE a.lang = 'ru' AND r.status = 'FAILED'`: 3,
		`SELECT count(*) FROM requests r JOIN assets a ON a.id = r.asset_id WHERE a.lang = 'en' AND r.status = 'FAILED'`: 1,
		`SELECT count(*) FROM attempts t JOIN assets a ON a.id = t.asset_id WHERE a.lang = 'ru' AND kind = 'RENDER'`:     3,
		`SELECT count(*) FROM requests WHERE status = 'FAILED' AND answer_id IS NOT NULL`:                                4,
		`SELECT count(*) FROM assets WHERE error LIKE '%engine: no such model%'`:                                         2,
	} {
		if got := count(t, w.store, query); got != want {
			t.Errorf("%s: got %d; want %d", query, got, want)
		}
	}

	// One presses: a new try. The others press: they join it.
	mutate(t, w.store, holdRenders)
	for i, p := range russians {
		press(p, apologies[i], 0)
		w.until("the confirmation", func() bool {
			return slices.ContainsFunc(answers(p), func(m faketelegram.Message) bool {
				return m.ID > apologies[i].ID && strings.HasPrefix(m.Text, "Запрос создан! Скоро отправим видео.")
			})
		})
	}
	if a, r := count(t, w.store, `SELECT count(*) FROM assets WHERE retry_of IS NOT NULL`),
		count(t, w.store, `SELECT count(*) FROM requests r JOIN assets a ON a.id = r.asset_id WHERE a.retry_of IS `+
			`NOT NULL`); a != 1 || r != 3 {
		t.Errorf("got %d new assets with %d requests; want 1 with 3", a, r)
	}
	for i, p := range russians {
		w.until("the button gone", func() bool {
			j := slices.IndexFunc(p.Messages(), func(m faketelegram.Message) bool { return m.ID == apologies[i].ID })
			return len(p.Messages()[j].Buttons) == 0
		})
	}
	w.repairEngine()
	mutate(t, w.store, `DROP TRIGGER hold`)
	mutate(t, w.store, `UPDATE jobs SET due = 0`)
	w.queue.Wake()
	for _, p := range russians {
		w.getsVideos(p, 1)
	}
	w.calm()
	uploads, resends := 0, 0
	for _, c := range w.tg.Calls() {
		switch {
		case c.Method != "sendVideo" || !c.OK:
		case c.Uploaded:
			uploads++
		default:
			resends++
		}
	}
	if uploads != 1 || resends != 2 {
		t.Errorf("got %d uploads, %d sends by file_id; want 1, 2", uploads, resends)
	}
	// A press while it waits is answered kindly, too: that was one press each; the toasts tell.
	for _, p := range russians {
		if toasts := p.Toasts(); !slices.ContainsFunc(
			toasts,
			func(t faketelegram.Toast) bool { return t.Text == "Пробуем ещё раз!" },
		) {
			t.Errorf("got toasts %v; want the retry among them", toasts)
		}
	}
	// The old button, once more: the video itself, and no second asset.
	press(russians[0], apologies[0], 0)
	w.getsVideos(russians[0], 2)
	if n := count(t, w.store, `SELECT count(*) FROM assets`); n != 3 {
		t.Errorf("got %d assets; want 3", n)
	}
	if w.tg.Unanswered() != 0 {
		t.Errorf("got %d presses without an answer; want 0", w.tg.Unanswered())
	}
	if strings.Contains(w.log.String(), "Маша") {
		t.Error("the log holds a child's name")
	}
}

func TestFortyPressesInTheChatsOfTwoUsers(t *testing.T) {
	w := newWorld(t)
	w.breakEngine()
	people := []*faketelegram.Person{w.tg.Person(1, "Мария", "ru"), w.tg.Person(2, "Ольга", "ru")}
	for _, p := range people {
		w.asks(p, "Маша")
	}
	var buttons []faketelegram.Message
	for _, p := range people {
		buttons = append(buttons, w.hears(p, "Упс!"))
	}
	w.calm()
	assets := count(t, w.store, `SELECT count(*) FROM assets`)
	mutate(t, w.store, holdRenders)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() { press(people[i%2], buttons[i%2], 0) })
	}
	wg.Wait()
	w.until("all presses answered", func() bool { return w.tg.Pending() == 0 && w.tg.Unanswered() == 0 })
	w.calm()
	if n := count(t, w.store, `SELECT count(*) FROM assets`) - assets; n != 1 {
		t.Errorf("got %d new assets; want 1", n)
	}
	if n := count(t, w.store, `SELECT count(*) FROM requests WHERE status = 'PENDING'`); n != 2 {
		t.Errorf("got %d requests; want 2", n)
	}
	if n := count(t, w.store, `SELECT count(*) FROM jobs WHERE kind = 'RENDER'`); n != 1 {
		t.Errorf("got %d renders owed; want 1", n)
	}
	told := 0
	for _, toast := range people[0].Toasts() {
		if toast.Text == "Видео уже делается — скоро пришлю." {
			told++
		}
	}
	if told != 19 {
		t.Errorf("got %d presses told that it is on its way; want all 19 after the first", told)
	}
}

// holdRenders keeps new renders from beginning until the trigger is dropped.
const holdRenders = `CREATE TRIGGER hold AFTER INSERT ON jobs WHEN new.kind = 'RENDER' BEGIN UPDATE jobs SET due = 9e15
	WHERE id = new.id; END`

// hangEngine makes the engine wait, for every name, until release.
func (w *world) hangEngine() (release func()) {
	w.Helper()
	path := filepath.Join(w.dir, brokenFile)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		w.Fatal(err)
	}
	return func() {
		if err := os.WriteFile(path, []byte("nobody"), 0); err != nil {
			w.Error(err)
		}
		os.Remove(path)
	}
}

func (w *world) rendering() int {
	n, _ := w.queue.Busy()
	return n
}

// calm0 waits until no update waits.
func (w *world) calm0() {
	w.Helper()
	w.until("no update waits", func() bool {
		return w.tg.Pending() == 0 && count(w, w.store, `SELECT count(*) FROM inbox WHERE set_aside IS NULL AND raw IS NOT NULL`) == 0
	})
}
