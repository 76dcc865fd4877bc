// A run of the load: the program, its filled database, and what is measured of both.

package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"os/exec"
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
)

// load is the program as a process of its own, with its crowd.
type load struct {
	*crowd
	dir, page string
	cmd       *exec.Cmd
	out       *journal
	dead      chan struct{}
	admin     *http.Client // signed in

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
	l.signIn()
}

// signIn signs an admin in, while the link that the program prints is good.
func (l *load) signIn() {
	l.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		l.Fatal(err)
	}
	l.admin = &http.Client{Jar: jar}
	resp, err := l.admin.Post(regexp.MustCompile(`http://\S+/login/\S+`).FindString(l.out.String()), "", nil)
	if err != nil {
		l.Fatal(err)
	}
	resp.Body.Close()
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
	var took []time.Duration
	for range 21 {
		began := time.Now()
		resp, err := l.admin.Get(l.page + "/")
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
	for count(l, s, `SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM inbox WHERE set_aside IS NULL AND raw IS NOT NULL)`) > 0 &&
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
