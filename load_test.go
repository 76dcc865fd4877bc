// The whole program under load: ten thousand people at once, a million earlier videos, one person who does not stop.

package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"image"
	"image/jpeg"
	"io"
	"log/slog"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/video"

	"retake.example/internal/db"
	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/lang"
)

// What is asked of the load.
const (
	loadMinutes   = 10  // in which all people come
	loadNames     = 5   // people to a name
	loadThinks    = 3   // seconds between the question and Yes
	renderTakes   = 0.5 // seconds
	loadWorkers   = 4   // so that making videos is not what people wait for: that is Telegram here
	longestWait99 = 1.0 // seconds until the first answer, for 99 of 100
	mostIdleRSS   = 60  // MB
	longestStart  = 1.0 // seconds
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
	if err := serve(ctx, cfg, log, os.Stdout, func(renderer) renderer { return moody }); err != nil {
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

// load is the program as a process of its own, with its crowd.
type load struct {
	*crowd
	dir, page string
	cmd       *exec.Cmd
	out       *journal
	dead      chan struct{}

	connections atomic.Int64 // to Telegram
}

// newLoad prepares a data folder in which so many videos are finished already.
func newLoad(b testing.TB, speed float64, before int) *load {
	b.Helper()
	l := &load{crowd: newCrowd(b, speed), dir: b.TempDir(), out: &journal{}}
	server := httptest.NewUnstartedServer(l.crowd)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			l.connections.Add(1)
		}
	}
	server.Start()
	b.Cleanup(func() { l.stop(); l.tg.Close(); server.Close() })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	l.page = "http://" + listener.Addr().String()
	listener.Close() // the program opens it again
	config := fmt.Sprintf(
		"data_dir = %q\n[telegram]\ntoken = %q\napi_url = %q\n[web]\nlisten = %q\nbase_url = %q\n[queue]\nworkers = "+
			"%d\nbackoff = %q\nbackoff_max = %q\n"+
			// once a day is not in these minutes
			"[render]\nengine = \"command\"\ncommand = [\"/bin/false\"]\n[backup]\nevery = \"0s\"\n",
		filepath.Join(l.dir, "data"),
		testToken,
		server.URL,
		strings.TrimPrefix(l.page, "http://"),
		l.page,
		loadWorkers,
		time.Duration(10/speed*float64(time.Second)),
		time.Duration(600/speed*float64(time.Second)),
	)
	if err := os.WriteFile(filepath.Join(l.dir, "config.toml"), []byte(config), 0o600); err != nil {
		b.Fatal(err)
	}
	path, err := sample()
	if err != nil {
		b.Fatal(err)
	}
	still, err := os.Create(path + ".jpg")
	if err == nil {
		err = cmp.Or(jpeg.Encode(still, image.NewGray(image.Rect(0, 0, 90, 160)), nil), still.Close())
	}
	if err != nil {
		b.Fatal(err)
	}
	if before > 0 {
		l.fill(before)
	}
	return l
}

// fill makes a database and a folder of media as years leave them behind.
func (l *load) fill(n int) {
	l.Helper()
	folder := filepath.Join(l.dir, "data", "media")
	if err := os.MkdirAll(folder, 0o750); err != nil {
		l.Fatal(err)
	}
	s, err := openStore(filepath.Join(l.dir, "data", "retake.db"))
	if err != nil {
		l.Fatal(err)
	}
	defer s.Close()
	var files sync.WaitGroup
	years(l, s, n, func(ids []string) {
		files.Wait()
		files.Go(func() { // beside the next rows
			for _, id := range ids {
				for _, key := range []string{id + ".mp4", id + ".jpg"} {
					if err := os.WriteFile(filepath.Join(folder, key), nil, 0o640); err != nil {
						l.Error(err)
					}
				}
			}
		})
	})
	files.Wait()
}

// years puts finished videos of three years into a database, and tells of each ten thousand.
func years(t testing.TB, s *store.Store, n int, told func(ids []string)) {
	t.Helper()
	const chunk = 10_000
	mutate(t, s, `WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 50000)
		INSERT INTO users (id, lang, created) SELECT 1000000 + n, 'ru', 1 FROM i`)
	begin := time.Now().Add(-3 * 365 * 24 * time.Hour).UnixMilli()
	for at := 0; at < n; at += chunk {
		ids := make([]string, min(chunk, n-at))
		for i := range ids {
			sum := sha256.Sum256([]byte(strconv.Itoa(at + i)))
			ids[i] = base32.StdEncoding.EncodeToString(sum[:])[:26]
		}
		if err := plant(s, func(tx *sql.Tx) error {
			for _, statement := range []string{
				`INSERT INTO assets (id, name, name_key, template, lang, origin, status, file, thumb, size, duration, width, height,
					file_id, created, finished)
					SELECT value, 'Старый ' || (?2 + key) % 20000, 'старый ' || (?2 + key) % 20000, 'new-year', 'ru', 'REQUEST',
					'COMPLETED', value || '.mp4', value || '.jpg',
					4000000, 41900, 720, 1280, 'BAACAgIAAxkBAAI' || value, ?3 + (?2 + key) * 80000, ?3 + (?2 + key) * 80000 + 30000
					FROM json_each(?1)`,
				`INSERT INTO requests (user_id, asset_id, chat_id, status, progress_id, answer_id, created, finished)
					SELECT 1000001 + (?2 + key) % 50000, value, 1000001 + (?2 + key) % 50000, 'COMPLETED', NULL, key, ?3 + (?2 + key) *
					80000, ?3 + (?2 + key) * 80000 + 31000 FROM json_each(?1)`,
				`INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome)
					SELECT value, 'RENDER', 1, ?3 + (?2 + key) * 80000, ?3 + (?2 + key) * 80000 + 30000, 'done' FROM json_each(?1)`,
				`INSERT INTO audit (at, user_id, action, asset_id, outcome)
					SELECT ?3 + (?2 + key) * 80000, 1000001 + (?2 + key) % 50000, 'ask', value, 'created' FROM json_each(?1)`,
			} {
				if _, err := tx.Exec(statement, list(ids), at, begin); err != nil {
					return fmt.Errorf("%s: %w", statement, err)
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		told(ids)
	}
}

// start starts the process and measures how long it takes until the page answers and Telegram is asked.
func (l *load) start(f *figures) {
	l.Helper()
	path, err := sample()
	if err != nil {
		l.Fatal(err)
	}
	l.cmd = exec.Command(os.Args[0])
	l.cmd.Env = append(os.Environ(), childDir+"="+l.dir, childSample+"="+path, childSpeed+"="+fmt.Sprint(l.speed))
	l.cmd.Stdout, l.cmd.Stderr = l.out, l.out
	l.dead = make(chan struct{})
	began := time.Now()
	if err := l.cmd.Start(); err != nil {
		l.Fatal(err)
	}
	go func() { l.cmd.Wait(); close(l.dead) }()
	for up := false; !up; {
		resp, err := http.Get(l.page + "/healthz")
		if err == nil {
			resp.Body.Close()
			up = resp.StatusCode == http.StatusOK
		}
		select {
		case <-l.dead:
			l.Fatalf("it ended: %s", l.out)
		case <-time.After(2 * time.Millisecond):
		}
	}
	f.listens = time.Since(began)
	<-l.polled
	f.polls = time.Since(began)
}

func (l *load) stop() {
	if l.cmd == nil {
		return
	}
	l.cmd.Process.Signal(syscall.SIGTERM)
	<-l.dead
}

// status reads a number from a file about the process.
func (l *load) status(file, key string) (n int64) {
	l.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", l.cmd.Process.Pid, file))
	if err != nil {
		l.Fatalf("%v\n%s", err, l.out)
	}
	m := regexp.MustCompile(`(?m)^` + key + `:\s+(\d+)`).FindSubmatch(raw)
	if m == nil {
		l.Fatalf("no %s in %s", key, raw)
	}
	n, _ = strconv.ParseInt(string(m[1]), 10, 64)
	return n
}

func (l *load) rss() float64 { return float64(l.status("status", "VmRSS")) / 1024 }

// cpu returns the seconds that the process has used of a processor.
func (l *load) cpu() float64 {
	l.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", l.cmd.Process.Pid))
	if err != nil {
		l.Fatal(err)
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100
}

// size returns the megabytes of the database or its log.
func (l *load) size(suffix string) float64 {
	info, err := os.Stat(filepath.Join(l.dir, "data", "retake.db"+suffix))
	if err != nil {
		return 0
	}
	return float64(info.Size()) / 1e6
}

// settle waits until the start is over: ffmpeg has been tried, and the folder of media swept.
func (l *load) settle(f *figures) {
	began := time.Now()
	for before := -1.0; ; {
		now := l.cpu()
		if now-before < 0.02 {
			break
		}
		before = now
		<-time.After(2 * time.Second)
	}
	f.settled, f.sweptRSS = time.Since(began), l.rss()
}

// idle lets the process be for a while and returns its memory at the end, and the bytes it has written.
func (l *load) idle(d time.Duration) (rss float64, written int64) {
	before := l.status("io", "write_bytes")
	time.Sleep(d) // this is the measurement
	return l.rss(), l.status("io", "write_bytes") - before
}

// library measures the page, as its admin gets it.
func (l *load) library() time.Duration {
	l.Helper()
	link := regexp.MustCompile(`http://\S+/login/\S+`).FindString(l.out.String())
	jar, err := cookiejar.New(nil)
	if err != nil {
		l.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	resp, err := client.Post(link, "", nil)
	if err != nil {
		l.Fatal(err)
	}
	resp.Body.Close()
	var took []time.Duration
	for range 21 {
		began := time.Now()
		resp, err := client.Get(l.page + "/")
		if err != nil {
			l.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		took = append(took, time.Since(began))
		if err != nil || resp.StatusCode != http.StatusOK || !bytes.Contains(body, []byte("/assets/")) {
			l.Fatalf("got %d, %v; want the library", resp.StatusCode, err)
		}
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// run lets everybody come and waits for their ends.
func (l *load) run(people int, f *figures) {
	l.Helper()
	f.people, f.names = people, people/loadNames
	ctx, cancel := context.WithTimeout(l.Context(), time.Duration(90*60/l.speed*float64(time.Second)))
	defer cancel()
	var askers []*asker
	for i := range people {
		p := &asker{l.tg.Person(int64(i+1), "П", "ru"), make(chan heard, 64)}
		l.people[p.ID()] = p
		askers = append(askers, p)
	}
	rand.Shuffle(len(askers), func(i, j int) { askers[i], askers[j] = askers[j], askers[i] })
	began, cpu := l.now(), l.cpu()
	over := make(chan struct{})
	var wg, watch sync.WaitGroup
	for i, p := range askers {
		wg.Go(func() {
			select {
			case <-l.after(60 * loadMinutes * float64(i) / float64(people)):
			case <-ctx.Done():
			}
			if !l.wants(ctx, p, "Имя "+letters(i%f.names), f) {
				atomic.AddInt64(&f.lost, 1)
			}
		})
	}
	watch.Go(func() {
		for {
			f.peakRSS, f.wal = max(f.peakRSS, l.rss()), max(f.wal, l.size("-wal"))
			select {
			case <-over:
				return
			case <-l.dead:
				l.Errorf("it ended: %s", l.out)
				cancel()
				return
			case <-time.After(200 * time.Millisecond):
			}
		}
	})
	wg.Wait()
	f.took = l.now() - began
	s, err := openStore(filepath.Join(l.dir, "data", "retake.db"))
	if err != nil {
		l.Fatal(err)
	}
	for count(l, s, `SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM inbox WHERE raw IS NOT NULL)`) > 0 &&
		ctx.Err() == nil {
		<-time.After(50 * time.Millisecond)
	}
	f.silent = count(
		l,
		s,
		`SELECT count(*) FROM requests WHERE status IN ('PENDING', 'PROCESSING') OR answer_id IS NULL`,
	) +
		count(
			l,
			s,
			`SELECT count(*) FROM jobs`,
		) + count(
		l,
		s,
		`SELECT count(*) FROM inbox WHERE raw IS NOT NULL OR error IS NOT NULL`,
	) + l.tg.Unanswered()
	if err := s.Close(); err != nil {
		l.Error(err)
	}
	l.quiet(ctx)
	close(over)
	watch.Wait()
	f.connections = l.connections.Load()
	f.cpu, f.real, f.database = l.cpu()-cpu, (l.now()-began)/l.speed, l.size("")
	l.mu.Lock()
	defer l.mu.Unlock()
	f.calls, f.tooMany = l.calls, l.tooMany
	first, last := 1<<62, 0
	for second, n := range l.seconds {
		first, last = min(first, second), max(last, second)
		f.messages += n
		f.busiest = max(f.busiest, float64(n))
	}
	f.busy = float64(last - first + 1)
	f.perSecond = float64(f.messages) / f.busy
}

// quiet lags until nothing has gone out for ten of Telegram's seconds: courtesies come last.
func (l *load) quiet(ctx context.Context) {
	for before := -1; ctx.Err() == nil; {
		l.mu.Lock()
		n := 0
		for _, calls := range l.calls {
			n += calls
		}
		n -= l.calls["getupdates"]
		l.mu.Unlock()
		if n == before {
			return
		}
		before = n
		<-l.after(10)
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
func BenchmarkLoad(b *testing.B) {
	people, before, speed := int(
		number(b, "LOAD_PEOPLE", 10_000),
	), int(
		number(b, "LOAD_BEFORE", 1_000_000),
	), number(
		b,
		"LOAD_SPEED",
		5,
	)
	idle := time.Duration(number(b, "LOAD_IDLE", 60) * float64(time.Second)) // longer than Telegram keeps a poll open
	var both [2]*figures
	for b.Loop() {
		for i, finished := range []int{0, before} {
			f := &figures{}
			both[i] = f
			l := newLoad(b, speed, finished)
			l.start(f)
			l.settle(f)
			f.idleRSS, f.idleWrites = l.idle(idle / 2)
			l.run(people, f)
			f.afterRSS, f.afterWrites = l.idle(idle)
			f.page = l.library()
			l.stop()
			for what, wrong := range map[string]bool{
				"somebody was lost or told nothing": f.lost > 0 || f.silent > 0 || f.videos+f.apologies-f.retries != int64(people),
				"nobody was told that it failed":    f.apologies == 0 || f.retries == 0,
				"Telegram had to ask for patience":  f.tooMany > 0 || l.tg.LimitBreaches() > 0,
				"the first answer takes too long":   f.question.at(99) >= longestWait99,
				"an idle program takes too much":    f.idleRSS >= mostIdleRSS,
				"an idle program writes":            f.idleWrites+f.afterWrites > 0,
				"the start takes too long":          max(f.listens, f.polls).Seconds() >= longestStart,
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

// heldRenderer makes a video when it is told to.
type heldRenderer struct {
	video string
	begun chan video.Order
	make  chan struct{}
}

func (h heldRenderer) Make(ctx context.Context, o video.Order, progress func(int)) (video.Video, error) {
	select {
	case h.begun <- o:
	case <-ctx.Done():
		return video.Video{}, ctx.Err()
	}
	select {
	case <-h.make:
	case <-ctx.Done():
		return video.Video{}, ctx.Err()
	}
	info, err := os.Stat(h.video)
	if err != nil {
		return video.Video{}, err
	}
	return video.Video{Path: h.video, Size: info.Size(), Duration: time.Second, Width: 90, Height: 160}, nil
}

func TestAHundredThousandMessagesOfOnePersonAreRefusedOnceAndHoldUpNobody(t *testing.T) {
	t.Parallel()
	const messages = 100_000
	path, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := newCrowd(t, 1)
	server := httptest.NewServer(c)
	cfg, err := LoadConfig(
		"",
		[]string{
			"RETAKE_DATA_DIR=" + dir,
			"RETAKE_WEB_LISTEN=127.0.0.1:0",
			"RETAKE_TELEGRAM_TOKEN=" + testToken,
			"RETAKE_TELEGRAM_API_URL=" + server.URL,
			"RETAKE_QUEUE_WORKERS=1",
			"RETAKE_RENDER_ENGINE=command",
			`RETAKE_RENDER_COMMAND=["false"]`,
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	held := heldRenderer{path, make(chan video.Order), make(chan struct{})}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	log := &journal{}
	go func() {
		done <- serve(ctx, cfg, slog.New(slog.NewTextHandler(log, nil)), io.Discard, func(renderer) renderer { return held })
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		c.tg.Close()
		server.Close()
	})
	person := func(id int64) *asker {
		p := &asker{c.tg.Person(id, "П", "ru"), make(chan heard, 1000)}
		c.mu.Lock()
		c.people[id] = p
		c.mu.Unlock()
		return p
	}
	hears := func(p *asker, what string, fits func(heard) bool) heard {
		t.Helper()
		deadline := time.After(stall)
		for {
			select {
			case m := <-p.hears:
				if fits(m) {
					return m
				}
			case <-deadline:
				t.Fatalf("%d: %s did not come\n%s", p.ID(), what, log)
			}
		}
	}
	begins := func() video.Order {
		t.Helper()
		select {
		case o := <-held.begun:
			return o
		case <-time.After(stall):
			t.Fatalf("no video was begun\n%s", log)
			return video.Order{}
		}
	}
	asks := func(p *asker, name string) {
		t.Helper()
		p.Send(name)
		question := hears(p, "the question", func(m heard) bool { return strings.HasPrefix(m.Data, telegram.YesButton+":") })
		p.Press(question.ID, question.Data)
		hears(p, "the announcement", func(m heard) bool { return m.Text == lang.Say("ru", "request_created", nil) })
	}

	eve := person(1)
	first := time.Now()
	asks(eve, "Ева")
	if o := begins(); o.Name != "Ева" {
		t.Fatalf("got a video for %q", o.Name)
	}
	for _, name := range []string{"Ева один", "Ева два"} { // they wait
		asks(eve, name)
	}
	began := time.Now()
	for i := range messages {
		eve.Send("Ева " + letters(i))
	}
	names := []string{"Борис", "Вера", "Глеб"}
	others := []*asker{person(2), person(3), person(4)}
	for i, p := range others {
		asks(p, names[i])
	}
	read := time.Now()
	t.Logf("%d messages were read in %v", messages, read.Sub(began))
	// One of hers whose turn was the same may go before them: it was first.
	var order []string
	for range 4 {
		held.make <- struct{}{}
		order = append(order, begins().Name)
	}
	if order = slices.DeleteFunc(order, func(name string) bool { return !slices.Contains(names, name) }); !slices.Equal(
		order,
		names,
	) {
		t.Errorf("got %q among the next four; want %q", order, names)
	}
	held.make <- struct{}{} // the last of them
	for i, p := range others {
		hears(p, "the video", func(m heard) bool { return m.Video && strings.Contains(m.Text, names[i]) })
	}
	refused, asked := 0, 0
	for _, m := range answers(eve.Person) {
		switch {
		case m.Text == lang.Say("ru", "too_many", nil):
			refused++
		case strings.HasPrefix(m.Text, "Делаем видео"):
			asked++
		}
	}
	if most := 1 + int(read.Sub(first)/time.Minute); refused < 1 || refused > most {
		t.Errorf("got %d refusals; want 1, or one in each minute that the machine took", refused)
	}
	if asked < 2 || asked > 70 {
		t.Errorf("got %d answers to hers; want some of the first", asked)
	}
	s, err := thisProgram().OpenBeside(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if n := count(t, s, `SELECT count(*) FROM inbox WHERE chat_id = 1`); n != messages+6 { // and three names with their Yes
		t.Errorf("got %d of hers in the inbox; want %d", n, messages+6)
	}
	if n := count(t, s, `SELECT count(*) FROM inbox WHERE raw IS NOT NULL`); n > 60 {
		t.Errorf("got %d that wait; want no more than can be answered in a minute", n)
	}
	if n := c.tg.LimitBreaches(); n > 0 {
		t.Errorf("the bot was faster than Telegram allows %d times", n)
	}
}
