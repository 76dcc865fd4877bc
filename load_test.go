// The whole program under load: ten thousand people at once, a million earlier videos, one person who does not stop.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"retake.example/internal/db"
	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/lang"
	"retake.example/internal/telegram"
	"retake.example/internal/video"
)

// What is asked of the load.
const (
	loadMinutes   = 10  // in which all people come
	loadNames     = 5   // people to a name
	loadThinks    = 3   // seconds between the question and Yes
	renderTakes   = 0.5 // seconds
	loadWorkers   = 8   // so that making videos is not what people wait for: that is Telegram here. Half of them fail once
	longestWait99 = 0.2 // seconds until the question, for 99 of 100
	longestPress  = 0.1 // seconds until a press is answered, for 99 of 100
	medianVideo   = 260 // seconds from Yes to the video
	mostVideo95   = 340 // seconds, for 95 of 100
	medianApology = 70  // seconds from the press to the apology
	lastServed    = 900 // seconds, from the first name
	mostMessages  = 2.3 // messages and edits for each person
	mostIdleRSS   = 60  // MB
	longestStart  = 1.0 // seconds
	// Bytes written while idle: no call writes any, but what the file system notes about files that were read counts.
	fewPages = 3 * 4096
)

// What a test tells its child, a copy of the test program that is Retake under load.
const (
	childDir    = "CHILD_DIR"    // data folder
	childSample = "CHILD_SAMPLE" // the engine's video
	childSpeed  = "CHILD_SPEED"  // how many times as fast Telegram's clock runs
)

// loadChild is `retake serve` with a clock that runs so many times as fast where Telegram's limits are kept, and videos
// that are there at once, or fail.
func loadChild(dir string, speed float64) {
	if err := db.UseOFDLocks(); err != nil {
		panic(err)
	}
	cfg, err := LoadConfig(filepath.Join(dir, "config.toml"), nil)
	if err != nil {
		panic(err)
	}
	cfg.Second = time.Duration(float64(time.Second) / speed)
	cfg.Privacy.Videos, cfg.Privacy.History, cfg.Privacy.People = 0, 0, 0 // the years before stay
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	moody := &moodyRenderer{
		takes: time.Duration(renderTakes * float64(cfg.Second)),
		video: os.Getenv(childSample),
		begun: map[string][]string{},
	}
	if err := serveWith(ctx, cfg, log, os.Stdout, func(renderer) renderer { return moody }); err != nil {
		panic(err)
	}
}

// moodyRenderer has a video at hand. Half of all names fail once. Two in a hundred fail permanently, and half of these
// again when somebody tries them once more. Each reason is the name's own: one for all would be an outage.
type moodyRenderer struct {
	takes time.Duration
	video string

	mu    sync.Mutex
	begun map[string][]string // assets of each attempt, by name
}

func (m *moodyRenderer) Make(ctx context.Context, o video.Order, progress func(int)) (video.Video, error) {
	m.mu.Lock()
	assets := append(m.begun[o.Name], o.Asset)
	m.begun[o.Name] = assets
	m.mu.Unlock()
	select { // the machine's time is not what is measured here
	case <-time.After(m.takes):
	case <-ctx.Done():
		return video.Video{}, ctx.Err()
	}
	mood := fnv.New32a()
	mood.Write([]byte(o.Name))
	n := int(mood.Sum32() >> 4)
	again := assets[0] != o.Asset
	if bad := n%100 < 2; bad && (!again || n/100%2 == 0) || !bad && n/100%2 == 0 && len(assets) == 1 {
		return video.Video{}, fmt.Errorf("nobody can say %s", o.Name)
	}
	info, err := os.Stat(m.video)
	if err != nil {
		return video.Video{}, err
	}
	return video.Video{
		Path:     m.video,
		Thumb:    m.video + ".jpg",
		Size:     info.Size(),
		Duration: 500 * time.Millisecond,
		Width:    90,
		Height:   160,
	}, nil
}

// crowd is everybody who writes to the bot, and the Telegram between.
type crowd struct {
	testing.TB
	tg    *faketelegram.Server
	began time.Time
	speed float64

	mu       sync.Mutex
	people   map[int64]*asker
	answered map[string]chan struct{} // closed when that press is
	seconds  map[int]int              // messages in each second since began
	calls    map[string]int
	tooMany  int           // 429s
	polled   chan struct{} // closed at the first poll
}

// asker is a person who wants one video.
type asker struct {
	*faketelegram.Person
	hears chan heard
}

// heard is what the bot has sent to somebody.
type heard struct {
	ID    int
	Text  string
	Video bool
	Data  string // of the first button
}

func newCrowd(b testing.TB, speed float64) *crowd {
	c := &crowd{TB: b, tg: faketelegram.New(testToken), began: time.Now(), speed: speed, people: map[int64]*asker{},
		answered: map[string]chan struct{}{}, seconds: map[int]int{}, calls: map[string]int{}, polled: make(chan struct{})}
	c.tg.EnforceLimits(true)
	c.tg.SetNow(func() time.Time { return c.began.Add(time.Duration(c.speed * float64(time.Since(c.began)))) })
	return c
}

// now returns the seconds that have passed for people and Telegram.
func (c *crowd) now() float64 { return c.speed * time.Since(c.began).Seconds() }

func (c *crowd) after(seconds float64) <-chan time.Time {
	return time.After(time.Duration(seconds / c.speed * float64(time.Second)))
}

// ServeHTTP is Telegram's, and tells people what they get: the stand-in's own Wait would ask all of them at each
// message.
func (c *crowd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := strings.ToLower(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
	if method == "getupdates" {
		c.mu.Lock()
		if c.calls[method]++; c.calls[method] == 1 {
			close(c.polled)
		}
		c.mu.Unlock()
		c.tg.ServeHTTP(w, r)
		return
	}
	query := ""
	if method == "answercallbackquery" {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			c.Error(err)
		}
		_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if form, err := multipart.NewReader(bytes.NewReader(body), params["boundary"]).ReadForm(1 << 20); err != nil {
			c.Error(err)
		} else {
			query = form.Value["callback_query_id"][0]
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	out := httptest.NewRecorder()
	c.tg.ServeHTTP(out, r)
	c.note(method, query, out)
	for k, v := range out.Header() {
		w.Header()[k] = v
	}
	w.WriteHeader(out.Code)
	w.Write(out.Body.Bytes())
}

func (c *crowd) note(method, query string, out *httptest.ResponseRecorder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if out.Code == http.StatusTooManyRequests {
		c.tooMany++
	}
	if out.Code != http.StatusOK {
		return
	}
	c.calls[method]++
	if strings.HasPrefix(method, "send") || strings.HasPrefix(method, "edit") {
		c.seconds[int(c.now())]++
	}
	if query != "" {
		close(c.press(query))
	}
	if method != "sendmessage" && method != "sendvideo" {
		return
	}
	var m struct {
		Result struct {
			ID            int `json:"message_id"`
			Chat          struct{ ID int64 }
			Text, Caption string
			Markup        struct {
				Rows [][]struct {
					Data string `json:"callback_data"`
				} `json:"inline_keyboard"`
			} `json:"reply_markup"`
		}
	}
	if err := json.Unmarshal(out.Body.Bytes(), &m); err != nil {
		c.Error(err)
	}
	s := heard{ID: m.Result.ID, Text: m.Result.Text + m.Result.Caption, Video: method == "sendvideo"}
	if rows := m.Result.Markup.Rows; len(rows) > 0 {
		s.Data = rows[0][0].Data
	}
	if p := c.people[m.Result.Chat.ID]; p != nil {
		p.hears <- s
	}
}

// press returns what is closed when a press is answered. The lock must be held.
func (c *crowd) press(query string) chan struct{} {
	if c.answered[query] == nil {
		c.answered[query] = make(chan struct{})
	}
	return c.answered[query]
}

// lags are how long each of many had to wait, in seconds.
type lags struct {
	mu  sync.Mutex
	all []float64
}

func (w *lags) add(seconds float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, seconds)
}

// at returns what so many of a hundred waited at the most.
func (w *lags) at(percent float64) float64 {
	if len(w.all) == 0 {
		return 0
	}
	slices.Sort(w.all)
	return w.all[min(len(w.all)-1, int(percent/100*float64(len(w.all))))]
}

// figures are what comes of a load.
type figures struct {
	people, names int
	// until the question, the answer to a press, the video, the apology, from the name to the end
	question, toast, video, apology, all lags
	videos, apologies, retries, lost     int64
	silent                               int
	calls                                map[string]int
	messages, tooMany                    int
	busy                                 float64 // seconds in which messages went out
	perSecond, busiest                   float64
	took                                 float64 // seconds until the last was served

	listens, polls, settled    time.Duration // from the start of the process, the last from when it polls
	sweptRSS                   float64
	idleRSS, peakRSS, afterRSS float64 // MB
	idleWrites, afterWrites    int64   // bytes
	cpu, real                  float64 // seconds of the process and of the clock on the wall
	wal, database              float64 // MB, at the most
	connections                int64
	page                       time.Duration
}

// perPerson is how many messages and edits of Telegram's limit one person costs.
func (f *figures) perPerson() float64 { return float64(f.messages) / float64(f.people) }

// wants is what a person does: name, Yes, and one press of Try again.
func (c *crowd) wants(ctx context.Context, p *asker, name string, f *figures) (served bool) {
	hears := func(fits func(heard) bool) (s heard, ok bool) {
		for {
			select {
			case s := <-p.hears:
				if fits(s) {
					return s, true
				}
			case <-ctx.Done():
				return s, false
			}
		}
	}
	presses := func(m heard) bool {
		pressed := c.now()
		query := p.Press(m.ID, m.Data)
		c.mu.Lock()
		answer := c.press(query)
		c.mu.Unlock()
		select {
		case <-answer:
			f.toast.add(c.now() - pressed)
			return true
		case <-ctx.Done():
			return false
		}
	}
	sent := c.now()
	p.Send(name)
	question, ok := hears(func(s heard) bool { return strings.HasPrefix(s.Data, telegram.YesButton+":") })
	if !ok {
		return false
	}
	f.question.add(c.now() - sent)
	select {
	case <-c.after(loadThinks * (0.5 + rand.Float64())):
	case <-ctx.Done():
		return false
	}
	for tries := 1; ; tries++ {
		pressed := c.now()
		if !presses(question) {
			return false
		}
		end, ok := hears(func(s heard) bool { return s.Video || strings.HasPrefix(s.Data, telegram.RetryButton+":") })
		switch {
		case !ok:
			return false
		case !strings.Contains(end.Text, name):
			c.Errorf("%d got %q; want it about %s", p.ID(), end.Text, name)
		case end.Video:
			f.video.add(c.now() - pressed)
			f.all.add(c.now() - sent)
			atomic.AddInt64(&f.videos, 1)
			return true
		}
		f.apology.add(c.now() - pressed)
		atomic.AddInt64(&f.apologies, 1)
		if tries == 2 {
			return true // they have been told
		}
		atomic.AddInt64(&f.retries, 1)
		question = end
	}
}

// number returns a setting of the benchmark.
func number(b *testing.B, name string, usual float64) float64 {
	v := os.Getenv(name)
	if v == "" {
		return usual
	}
	n, err := strconv.ParseFloat(v, 64)
	if err != nil {
		b.Fatalf("%s: %v", name, err)
	}
	return n
}

// BenchmarkLoad lets 10,000 people ask for 2,000 names within ten minutes: into an empty database, and into one with a
// million finished videos.
//
// Telegram takes 25 messages a second, so this needs half an hour. To have it in minutes, the clock of Telegram's
// limits runs faster (LOAD_SPEED times) on both sides, and so do people, backoffs and renders; the program itself, its
// disk and its processor do not: to them it is LOAD_SPEED times the load. So what people wait for Telegram's turn is
// told as it would be, and what they wait for the program is told too long, up to LOAD_SPEED times. LOAD_SPEED=1 takes
// the half hour.
//
// With LOAD_LIMIT Telegram takes fewer messages a second than the program thinks. Then only what must hold at any pace
// is judged: nobody is lost, told nothing, or served twice.
func BenchmarkLoad(b *testing.B) {
	people, before := int(number(b, "LOAD_PEOPLE", 10_000)), int(number(b, "LOAD_BEFORE", 1_000_000))
	speed := number(b, "LOAD_SPEED", 5)
	limit := number(b, "LOAD_LIMIT", 0)                                      // messages a second that Telegram takes, which the program is not told; 0: 30
	idle := time.Duration(number(b, "LOAD_IDLE", 60) * float64(time.Second)) // longer than Telegram keeps a poll open
	var both [2]*figures
	for b.Loop() {
		for i, finished := range []int{0, before} {
			f := &figures{}
			both[i] = f
			l := newLoad(b, speed, finished)
			if limit > 0 {
				l.tg.SetOverallLimit(limit)
			}
			l.start(f)
			l.settle(f)
			f.idleRSS, f.idleWrites = l.idle(idle / 2)
			l.run(people, f)
			f.afterRSS, f.afterWrites = l.idle(idle)
			f.page = l.library()
			l.stop()
			for what, wrong := range map[string]bool{
				"somebody was lost or told nothing":   f.lost > 0 || f.silent > 0 || f.videos+f.apologies-f.retries != int64(people),
				"nobody was told that it failed":      f.apologies == 0 || f.retries == 0,
				"somebody got a video twice":          int64(f.calls["sendvideo"]) != f.videos,
				"Telegram had to ask for patience":    limit == 0 && (f.tooMany > 0 || l.tg.LimitBreaches() > 0),
				"Telegram's limit was never met":      limit > 0 && f.tooMany == 0,
				"the question takes too long":         limit == 0 && f.question.at(99) > longestWait99,
				"an answer to a press takes too long": limit == 0 && f.toast.at(99) > longestPress,
				"the video takes too long":            limit == 0 && (f.video.at(50) > medianVideo || f.video.at(95) > mostVideo95),
				"the apology takes too long":          limit == 0 && f.apology.at(50) > medianApology,
				"the last one waits too long":         limit == 0 && f.took > lastServed,
				"there are too many messages":         f.perPerson() > mostMessages,
				"an idle program takes too much":      f.idleRSS >= mostIdleRSS,
				"an idle program writes":              max(f.idleWrites, f.afterWrites) > fewPages,
				"the start takes too long":            max(f.listens, f.polls).Seconds() >= longestStart,
			} {
				if wrong {
					b.Errorf("%d finished before: %s", finished, what)
				}
			}
		}
	}
	fmt.Print(table(both, before, speed))
}

// table is the figures for people to read.
func table(both [2]*figures, before int, speed float64) string {
	var out strings.Builder
	row := func(what, format string, value func(f *figures) []any) {
		fmt.Fprintf(
			&out,
			"| %s | "+format+" | "+format+" |\n",
			append([]any{what}, append(value(both[0]), value(both[1])...)...)...)
	}
	percentiles := func(what string, of func(f *figures) *lags) {
		row(
			what,
			"%.2f / %.2f / %.2f / %.2f",
			func(f *figures) []any { w := of(f); return []any{w.at(50), w.at(95), w.at(99), w.at(100)} },
		)
	}
	fmt.Fprintf(
		&out,
		"\n| %d people, %d names, %d minutes, clock × %g | empty database | %d finished videos |\n|---|--:|--:|\n",
		both[0].people,
		both[0].names,
		loadMinutes,
		speed,
		before,
	)
	row("lost / told nothing", "%d / %d", func(f *figures) []any { return []any{f.lost, f.silent} })
	row(
		"videos / apologies / tried again",
		"%d / %d / %d",
		func(f *figures) []any { return []any{f.videos, f.apologies, f.retries} },
	)
	percentiles("name → question, s: p50 / p95 / p99 / longest", func(f *figures) *lags { return &f.question })
	percentiles("press → answer, s", func(f *figures) *lags { return &f.toast })
	percentiles("Yes → video, s", func(f *figures) *lags { return &f.video })
	percentiles("press → apology, s", func(f *figures) *lags { return &f.apology })
	row("until the last one was served, s", "%.0f", func(f *figures) []any { return []any{f.took} })
	row(
		"messages and edits / a second / in the busiest",
		"%d / %.1f / %.0f",
		func(f *figures) []any { return []any{f.messages, f.perSecond, f.busiest} },
	)
	row("messages and edits for each person", "%.2f", func(f *figures) []any { return []any{f.perPerson()} })
	row("connections to Telegram", "%d", func(f *figures) []any { return []any{f.connections} })
	row("429", "%d", func(f *figures) []any { return []any{f.tooMany} })
	row(
		"process start → page answers / Telegram is asked, ms",
		"%d / %d",
		func(f *figures) []any { return []any{f.listens.Milliseconds(), f.polls.Milliseconds()} },
	)
	row(
		"start and sweep are over after, s / RSS then, MB",
		"%.0f / %.0f",
		func(f *figures) []any { return []any{f.settled.Seconds(), f.sweptRSS} },
	)
	row(
		"RSS idle / at most / idle afterwards, MB",
		"%.0f / %.0f / %.0f",
		func(f *figures) []any { return []any{f.idleRSS, f.peakRSS, f.afterRSS} },
	)
	row(
		"bytes written while idle, before / after",
		"%d / %d",
		func(f *figures) []any { return []any{f.idleWrites, f.afterWrites} },
	)
	row(
		"CPU: seconds / of one processor, real time",
		"%.0f / %.0f %%",
		func(f *figures) []any { return []any{f.cpu, 100 * f.cpu / f.real} },
	)
	row("database / WAL at most, MB", "%.0f / %.0f", func(f *figures) []any { return []any{f.database, f.wal} })
	row("library page, ms", "%.1f", func(f *figures) []any { return []any{float64(f.page.Microseconds()) / 1000} })
	for _, method := range []string{"sendmessage", "sendvideo", "editmessagereplymarkup", "editmessagetext",
		"answercallbackquery", "deletemessage"} {
		row(method, "%d", func(f *figures) []any { return []any{f.calls[method]} })
	}
	return out.String()
}

// TestTheNamesOfTheLoadAreNames: nobody would get a question about another.
func TestTheNamesOfTheLoadAreNames(t *testing.T) {
	rude := lang.ParseWords(lang.RudeWords("ru") + "\n" + lang.RudeWords("en"))
	for i := range 2000 {
		name, key, problem := lang.ParseName("Имя " + letters(i))
		if problem != "" || name != "Имя "+letters(i) || lang.IsRude(key, rude) {
			t.Errorf("%s: got %q, %q; want it taken as it is", letters(i), name, problem)
		}
	}
}
