// Tests of the bot against a stand-in for Telegram: what users meet, in words, and what must survive.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"retake.example/internal/chat"
	"retake.example/internal/retry"
	"retake.example/internal/telegram"

	"retake.example/internal/store"

	"golang.org/x/sync/errgroup"

	"retake.example/internal/db/dbtest"
	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/lang"
	"retake.example/internal/media"
	"retake.example/internal/outage"
	"retake.example/internal/video"
	"retake.example/internal/watch"
)

const testToken = "123456789:AAbbccddeeffgghhiijjkkllmmnnooppqq"

// sample is a real video with sound, made once.
var sample = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "retake-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "sample.mp4")
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=90x160:r=10:d=0.5", "-f", "lavfi",
		"-i", "sine=d=0.5",
		"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-movflags", "+faststart", path).
		CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("make a sample: %w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	if os.Getenv(childDir) != "" {
		child()
		return
	}
	code := m.Run()
	if path, err := sample(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// journal is a log that tests read while it is written.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
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

const brokenFile = "broken"

// engine is an engine command that copies a sample, or fails while the folder holds brokenFile: for every name, or for
// those that begin with what that file holds.
func engine(dir string) ([]string, error) {
	path, err := sample()
	if err != nil {
		return nil, err
	}
	script := `if [ -e "$0/broken" ]; then
		case "$RETAKE_NAME" in
		Ш*) echo "engine: cannot say $RETAKE_NAME" >&2; exit 1;; # which is that name's own fault
		"$(cat "$0/broken")"*) echo "engine: no such model" >&2; exit 1;;
		esac
	fi
	cp "$1" "$RETAKE_OUTPUT"`
	return []string{"/bin/sh", "-c", script, dir, path}, nil
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
		chat.Options{Token: testToken, APIURL: api, Offers: offers, ReuseFor: time.Hour,
			Language: "ru", OpenLimit: limits[0], HourLimit: limits[1], DayLimit: limits[2], MaxUpload: 50 << 20, BaseURL: "http://localhost", Second: time.Second,
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
		Backoff: func(attempt int) time.Duration { return time.Duration(attempt) * 40 * time.Millisecond }, Drain: time.Second,
		Outages: outage.New(after, 24*time.Hour, time.Hour)}, logger)
	bot := NewBot(sender, p.queue)
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
	if err := until(w, is, w.log.String); err != nil {
		w.Fatalf("%s: %v\n%s", what, err, w.log)
	}
}

func (w *world) breakEngine() {
	w.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, brokenFile), nil, 0o600); err != nil {
		w.Fatal(err)
	}
}

func (w *world) mendEngine() {
	w.Helper()
	if err := os.Remove(filepath.Join(w.dir, brokenFile)); err != nil {
		w.Fatal(err)
	}
}

// answers lists what the bot has said to somebody.
func answers(p *faketelegram.Person) (out []faketelegram.Message) {
	for _, m := range p.Messages() {
		if m.FromBot {
			out = append(out, m)
		}
	}
	return out
}

// hears waits until the bot has said a text to somebody, and returns that message.
func (w *world) hears(p *faketelegram.Person, text string) (found faketelegram.Message) {
	w.Helper()
	w.until(fmt.Sprintf("%q said to %d", text, p.ID()), func() bool {
		for _, m := range answers(p) {
			if strings.Contains(m.Text, text) {
				found = m
			}
		}
		return found.ID != 0
	})
	return found
}

// press presses the n-th button of a message.
func press(p *faketelegram.Person, m faketelegram.Message, n int) {
	p.Press(m.ID, slices.Concat(m.Buttons...)[n].Data)
}

// asks sends a name and says yes, to the first template where there is a choice.
func (w *world) asks(p *faketelegram.Person, name string) {
	w.Helper()
	press(p, w.names(p, name), 0)
}

// names sends a name and returns the question that follows.
func (w *world) names(p *faketelegram.Person, name string) (question faketelegram.Message) {
	w.Helper()
	sent := p.Send(name)
	w.until("the question about "+name, func() bool {
		for _, m := range answers(p) {
			if int64(m.ID) > sent && len(m.Buttons) > 0 && strings.HasPrefix(m.Buttons[0][0].Data, telegram.YesButton+":") {
				question = m
				return true
			}
		}
		return false
	})
	return question
}

func videos(p *faketelegram.Person) (n int) {
	for _, m := range p.Messages() {
		if m.Video != nil {
			n++
		}
	}
	return n
}

func (w *world) getsVideos(p *faketelegram.Person, n int) {
	w.Helper()
	w.until(fmt.Sprintf("video %d of %d", n, p.ID()), func() bool { return videos(p) == n })
}

// calm waits until no work is owed and no update waits.
func (w *world) calm() {
	w.Helper()
	w.until("calm", func() bool {
		return w.tg.Pending() == 0 &&
			count(
				w,
				w.store,
				`SELECT (SELECT count(*) FROM jobs WHERE due < 9e15) + (SELECT count(*) FROM inbox WHERE raw IS NOT NULL)`,
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
	w.hears(p, "Видео для Маша (🎂 День рождения) не получилось. Попробуем ещё раз?")
	w.mendEngine()
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
	w.mendEngine()
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
			before := len(answers(p))
			p.Send(c.sent)
			w.until("an answer", func() bool { return len(answers(p)) > before })
			if got := answers(p)[before].Text; !strings.Contains(got, c.want) {
				t.Errorf("got %q; want it to say %q", got, c.want)
			}
		})
	}
	if n := count(t, w.store, `SELECT count(*) FROM drafts`); n != 0 {
		t.Errorf("got %d drafts; want none", n)
	}
}

func TestNamesOfAllPeoplesAreWelcome(t *testing.T) {
	for name, want := range map[string]string{
		"Маша": "Маша", "ян": "Ян", "анна мария": "Анна Мария", "Александра-Виктория": "Александра-Виктория", "Łukasz": "Łukasz",
		"O'Connor": "O'Connor", "Әлия": "Әлия", "محمد": "محمد", "שרה": "שרה", "さくら": "さくら", "  Анна   Мария ": "Анна Мария",
		"Mari\u0301a": "Mar\u00eda", "ДАША": "ДАША", "O\u2019Neil": "O\u2019Neil",
	} {
		got, key, problem := lang.ParseName(name)
		if got != want || problem != "" || key == "" {
			t.Errorf("%q: got %q, %q; want %q", name, got, problem, want)
		}
	}
	if a, b := lang.NameKey("О\u2019НИЛ"), lang.NameKey("о'нил"); a != b {
		t.Errorf("got keys %q and %q; want the same", a, b)
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
		"new":              {func() { p.Send("/new") }, "first name"},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(answers(p))
			c.send()
			w.until("an answer", func() bool { return len(answers(p)) > before })
			if got := answers(p)[before].Text; !strings.Contains(got, c.want) {
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
	w.mendEngine()
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
	w.mendEngine()
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
	w.mendEngine()
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
	maria.Send("/status")
	m := w.hears(maria, "📨 Маша — готово")
	press(maria, m, 0)
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
			if n := count(t, w.store, `SELECT count(*) FROM attempts WHERE outcome IN ('rescheduled', 'gave up') OR `+
				`attempt > 1`); n != 0 {
				t.Errorf("got %d attempts burnt; want 0", n)
			}
		})
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
					Raw:  `{"update_id":1,"message":{"message_id":1,"date":1,"chat":{"id":1,"type":"private"},"from":{"id":1,"first_name":"М","language_code":"ru"},"text":"/help"}}`,
				},
			},
		)
		return err
	})
	st.Close()
	w.start()
	w.hears(p, "/delete_my_data")
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
	if n := count(t, w.store, `SELECT count(*) FROM attempts WHERE kind = 'DELIVER' AND outcome = 'gave up'`); n != 1 {
		t.Errorf("got %d deliveries given up; want 1", n)
	}
}

func TestAHandlerThatFailsSaysSoKindly(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	w.tg.Inject(
		faketelegram.Fault{
			Method:      "sendMessage",
			Times:       maxTries,
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

// calm0 waits until no update waits.
func (w *world) calm0() {
	w.Helper()
	w.until("no update waits", func() bool {
		return w.tg.Pending() == 0 && count(w, w.store, `SELECT count(*) FROM inbox WHERE raw IS NOT NULL`) == 0
	})
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
	sender, err := NewSender(newStore(t), nil, chat.Options{Token: testToken, APIURL: "http://127.0.0.1:1", Language: "ru",
		Offers: newYear, CanDraw: func(_, name string) error { panic(name) }}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	err = NewBot(
		sender,
		nil,
	).handle(t.Context(), store.Update{ID: 1, Chat: 1, Raw: `{"update_id":1,"message":{"message_id":1,"date":1,
		"chat":{"id":1,"type":"private"},"from":{"id":1,"first_name":"М","language_code":"ru"},"text":"Аглая"}}`}, chat.NewTurn(store.Update{ID: 1}, "ru"))
	if err == nil || strings.Contains(fmt.Sprint(err), "Аглая") || strings.Contains(log.String(), "Аглая") ||
		!strings.Contains(log.String(), "panic in a handler") {
		t.Errorf("got %v and the log %s; want the panic in both, and no name", err, &log)
	}
}
