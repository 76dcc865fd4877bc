// Tests that kill the program: at every point where it is about to write or to talk to Telegram, and at random; that
// start two of it; and that put a backup back.

package test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
)

// victim is the program, started again as often as it is killed.
type victim struct {
	*testing.T
	dir  string
	tg   *faketelegram.Server
	http *httptest.Server
	cmd  *exec.Cmd
	dead chan struct{} // closed when cmd has ended
	log  *journal
	born []time.Time // when it was started
}

func newVictim(t *testing.T) *victim {
	t.Helper()
	return newVictimBehind(t, func(tg http.Handler) http.Handler { return tg })
}

// newVictimBehind makes one that reaches the stand-in for Telegram through something else.
func newVictimBehind(t *testing.T, between func(http.Handler) http.Handler) *victim {
	t.Helper()
	notShort(t)
	v := &victim{T: t, dir: t.TempDir(), tg: faketelegram.New(testToken), log: &journal{}}
	v.http = httptest.NewServer(between(v.tg))
	command, err := engine(v.dir)
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(
		"data_dir = %q\n[telegram]\ntoken = %q\napi_url = %q\n[web]\nlisten = \"127.0.0.1:0\"\n[queue]\nworkers = "+
			"2\noutage_after = 1000\nbackoff = \"20ms\"\n"+
			"[limits]\nopen = 100\nper_hour = 100\nper_day = 100\n[render]\nengine = \"command\"\ncommand = [%q, %q, %q, %q, "+
			"%q]\n",
		v.dir,
		testToken,
		v.http.URL,
		command[0],
		command[1],
		command[2],
		command[3],
		command[4],
	)
	if err := os.WriteFile(filepath.Join(v.dir, "config.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		v.kill()
		v.tg.Close()
		v.http.Close()
	})
	return v
}

// serve is the program that serves a victim's folder.
func (v *victim) serve() *exec.Cmd {
	v.Helper()
	return exec.Command(binary(v), "serve", "-config", filepath.Join(v.dir, "config.toml"))
}

func (v *victim) start() {
	v.Helper()
	v.run(v.serve())
}

func (v *victim) run(cmd *exec.Cmd) {
	v.Helper()
	v.cmd = cmd
	v.cmd.Stdout, v.cmd.Stderr = v.log, v.log
	v.born = append(v.born, time.Now())
	if err := v.cmd.Start(); err != nil {
		v.Fatal(err)
	}
	dead := make(chan struct{})
	v.dead = dead
	go func() { v.cmd.Wait(); close(dead) }()
}

func (v *victim) kill() {
	v.cmd.Process.Kill()
	<-v.dead
}

// sends counts the messages that have gone out.
func (v *victim) sends() (n int) {
	for _, c := range v.tg.Calls() {
		if c.OK && (c.Method == "sendMessage" || c.Method == "sendVideo") {
			n++
		}
	}
	return n
}

// asLongAsItSends returns a context that ends when no message has gone out for stall.
func (v *victim) asLongAsItSends() context.Context {
	p := newProgress(v.T)
	go func() {
		for n := 0; v.tg.Wait(p, func() bool { return v.sends() > n }) == nil; p.Changed() {
			n = v.sends()
		}
	}()
	return p
}

// parent is a person who wants videos and does what a person would: nothing twice.
type parent struct {
	*faketelegram.Person
	tg *faketelegram.Server
}

// waits waits until there is a message after since that fits, and returns it.
func (p parent) waits(
	ctx context.Context,
	since int,
	fits func(faketelegram.Message) bool,
) (m faketelegram.Message, err error) {
	err = p.tg.Wait(ctx, func() bool {
		all := p.Messages()
		i := slices.IndexFunc(all, func(m faketelegram.Message) bool { return m.FromBot && m.ID > since && fits(m) })
		if i >= 0 {
			m = all[i]
		}
		return i >= 0
	})
	if err != nil {
		var said []string
		for _, m := range p.Messages() {
			said = append(said, fmt.Sprintf("%d %s %q", m.ID, m.Kind, m.Text))
		}
		err = fmt.Errorf("%d is still waiting: %w\n%s", p.ID(), err, strings.Join(said, "\n"))
	}
	return m, err
}

// wants asks for a video and presses the button of every apology until it comes. failed is called once, at the first.
func (p parent) wants(ctx context.Context, name string, failed func()) error {
	sent := int(p.Send(name))
	question, err := p.waits(ctx, sent, func(m faketelegram.Message) bool {
		return len(m.Buttons) > 0 && strings.HasPrefix(m.Buttons[0][0].Data, telegram.YesButton) &&
			strings.Contains(m.Text, "«"+name+"»")
	})
	if err != nil {
		return err
	}
	p.Press(question.ID, question.Buttons[0][0].Data)
	pressed := map[string]bool{}
	for {
		m, err := p.waits(ctx, sent, func(m faketelegram.Message) bool {
			return m.Video != nil && strings.Contains(m.Text, "«"+name+"»") ||
				len(m.Buttons) > 0 && strings.HasPrefix(m.Buttons[0][0].Data, telegram.RetryButton) &&
					strings.Contains(m.Text, name) &&
					!pressed[m.Buttons[0][0].Data]
		})
		if err != nil || m.Video != nil {
			return err
		}
		if len(pressed) == 0 && failed != nil {
			failed()
		}
		pressed[m.Buttons[0][0].Data] = true
		p.Press(m.ID, m.Buttons[0][0].Data)
	}
}

// nothingIsLost waits for the end of all work, calls then, ends the program and looks at what is left of it.
func (v *victim) nothingIsLost(then func()) {
	v.Helper()
	s, err := openStore(filepath.Join(v.dir, "retake.db"))
	if err != nil {
		v.Fatal(err)
	}
	defer s.Close()
	w := &world{T: v.T, log: v.log, tg: v.tg, store: s}
	w.calm()
	then()
	v.kill()
	isPeace(v, s)
	v.tidy(s)
	if v.Failed() {
		rows, err := readDB(
			v,
			s,
		).Query(`SELECT a.name || ' ' || t.kind || ' ' || t.attempt || ' ' || t.outcome || ' ' || ifnull(t.error, '')
			FROM attempts t JOIN assets a ON a.id = t.asset_id WHERE t.outcome <> 'done' AND a.name NOT LIKE 'Сбой%'`)
		if err != nil {
			v.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				v.Fatal(err)
			}
			v.Log(line)
		}
	}
}

// extra counts the videos, and the messages about one video, that somebody has got more than once, of each the times
// beyond the first. Each of them must have been on its way when the program was killed, or waiting for the commit under
// way: one of the last that went out before.
func (v *victim) extra() (n int) {
	v.Helper()
	var out []time.Time // of all sends
	last := map[string]time.Time{}
	for _, c := range v.tg.Calls() {
		if !c.OK || c.Method != "sendVideo" && c.Method != "sendMessage" {
			continue
		}
		out = append(out, c.At)
		what := c.Params["caption"] + c.Params["reply_markup"]
		if c.Method == "sendMessage" && !strings.Contains(what, telegram.RetryButton+":") &&
			!strings.Contains(what, telegram.CancelButton+":") {
			continue
		}
		key := fmt.Sprint(c.Chat, c.Method, what)
		if before, again := last[key]; again {
			n++
			if !v.diedAfter(before, c.At, out) {
				v.Errorf("a message of %v was sent again at %v, and no kill excuses it", before, c.At)
			}
		}
		last[key] = c.At
	}
	return n
}

// diedAfter reports whether the program was killed after a message and before another one, when no more had gone out
// since the first than may be under way at a time.
func (v *victim) diedAfter(first, second time.Time, out []time.Time) bool {
	for _, start := range v.born[1:] {
		if !start.After(first) || start.After(second) {
			continue
		}
		since := 0
		for _, at := range out {
			if at.After(first) && at.Before(start) {
				since++
			}
		}
		return since < store.MessageWorkers
	}
	return false
}

// tidy looks for what the program may not leave behind: processes, half made files, and files that no video needs.
func (v *victim) tidy(s *store.Store) {
	v.Helper()
	keys, err := s.MediaKeys(v.Context())
	if err != nil {
		v.Fatal(err)
	}
	filepath.WalkDir(v.dir, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(v.dir, path)
		switch folder, file := filepath.Split(name); {
		case err != nil:
			v.Error(err)
		case d.IsDir():
		case folder == "" && (strings.HasPrefix(file, "retake.db") ||
			slices.Contains([]string{"config.toml", "lock", "id", "token.key", brokenFile}, file)):
		case folder == "media/" && slices.Contains(keys, file), folder == "rude/", strings.HasPrefix(folder, "backups/"):
		default:
			v.Errorf("%s is left", name)
		}
		return nil
	})
	w := &world{T: v.T, log: v.log}
	w.until("the end of every child", func() bool { return len(processesOf(v.dir)) == 0 })
}

// processesOf lists the command lines of those that have to do with a folder.
func processesOf(dir string) (found []string) {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		if line, err := os.ReadFile(path); err == nil && strings.Contains(string(line), dir) { // it may have ended by now
			found = append(found, string(line))
		}
	}
	return found
}

// rescues returns how long after each start of the program it had found out what was under way when it died, and how
// long after that it began to work on it.
func (v *victim) rescues() (found, begun []time.Duration) {
	v.Helper()
	s, err := openStore(filepath.Join(v.dir, "retake.db"))
	if err != nil {
		v.Fatal(err)
	}
	defer s.Close()
	for i, from := range v.born {
		until := time.Now()
		if i+1 < len(v.born) {
			until = v.born[i+1]
		}
		crashed := count(
			v,
			s,
			`SELECT ifnull(min(finished), 0) FROM attempts WHERE outcome = 'crashed' AND finished BETWEEN ? AND ?`,
			from.UnixMilli(),
			until.UnixMilli(),
		)
		first := count(
			v,
			s,
			`SELECT ifnull(min(started), 0) FROM attempts WHERE started BETWEEN ? AND ?`,
			crashed,
			until.UnixMilli(),
		)
		if crashed == 0 || first == 0 { // nothing was under way, or it was killed too soon
			continue
		}
		found = append(found, store.Moment(int64(crashed)).Sub(from))
		begun = append(begun, store.Moment(int64(first)).Sub(from))
	}
	slices.Sort(found)
	slices.Sort(begun)
	return found, begun
}

func (v *victim) breaks() {
	v.Helper()
	if err := os.WriteFile(filepath.Join(v.dir, brokenFile), []byte("Сбой"), 0o600); err != nil {
		v.Fatal(err)
	}
}

func (v *victim) repairs() { os.Remove(filepath.Join(v.dir, brokenFile)) }

// story lets three people ask a program that dies when strike says so; struck is closed then. It is started once more,
// as an operator's systemd would, and the story told to its end.
func (v *victim) story(strike <-chan struct{}, struck chan<- struct{}) (died bool) {
	v.Helper()
	v.breaks()
	v.start()
	ctx := v.asLongAsItSends()
	over, revived := make(chan struct{}), make(chan bool)
	go func() {
		select {
		case <-strike:
			v.kill()
			close(struck)
		case <-v.dead:
		case <-over:
			revived <- false
			return
		}
		v.start()
		revived <- true
	}()
	var people sync.WaitGroup
	for i, name := range []string{"Маша", "Маша", "Сбой"} {
		p := parent{v.tg.Person(int64(i+1), "П", "ru"), v.tg}
		people.Go(func() {
			if err := p.wants(ctx, name, v.repairs); err != nil {
				v.Errorf("%v\n%s", err, v.log)
			}
		})
	}
	people.Wait()
	v.nothingIsLost(func() {
		close(over)
		died = <-revived
	})
	v.extra()
	return died
}

// atWrite returns a channel that is closed when the database has been written to n times.
func (v *victim) atWrite(n int) <-chan struct{} {
	v.Helper()
	watch, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		v.Fatal(err)
	}
	if _, err := unix.InotifyAddWatch(watch, v.dir, unix.IN_MODIFY|unix.IN_DELETE_SELF); err != nil {
		v.Fatal(err)
	}
	strike := make(chan struct{})
	go func() {
		defer unix.Close(watch)
		events := make([]byte, 4096)
		for {
			size, err := unix.Read(watch, events)
			if err != nil && err != unix.EINTR {
				return
			}
			for at := 0; at < size; {
				event := (*unix.InotifyEvent)(unsafe.Pointer(&events[at]))
				name := string(events[at+unix.SizeofInotifyEvent : at+unix.SizeofInotifyEvent+int(event.Len)])
				at += unix.SizeofInotifyEvent + int(event.Len)
				if event.Mask&unix.IN_MODIFY == 0 { // the folder is gone: the test is over
					return
				}
				if strings.TrimRight(name, "\x00") != "retake.db-wal" {
					continue
				}
				if n--; n == 0 {
					close(strike)
				}
			}
		}
	}()
	return strike
}

// TestKilledAtEveryPoint lets the program die at its 1st, 2nd, 3rd, … write to the database, until the story ends before
// the program does.
func TestKilledAtEveryPoint(t *testing.T) {
	notShort(t)
	t.Parallel()
	const together = 8
	every := 3
	if *long {
		every = 1
	}
	var points, past atomic.Int64
	var wg sync.WaitGroup
	for lane := range together {
		wg.Go(func() {
			for n := lane; past.Load() == 0 && !t.Failed(); n += together {
				point := 1 + n*every
				t.Run(strconv.Itoa(point), func(t *testing.T) {
					v := newVictim(t)
					if v.story(v.atWrite(point), make(chan struct{})) {
						points.Add(1)
					} else {
						past.Add(1) // the story needs fewer writes than that
					}
				})
			}
		})
	}
	wg.Wait()
	t.Logf("died at %d points", points.Load())
	if points.Load() < 12 { // a busy machine merges writes, and the notes of them
		t.Errorf("got %d points; want at least 12, or the program does not die where it should", points.Load())
	}
}

// TestKilledAtEverySend lets the program die as its 1st, 2nd, 3rd, … call reaches Telegram, before it is done there
// and, in another life, after.
func TestKilledAtEverySend(t *testing.T) {
	notShort(t)
	t.Parallel()
	const together = 8
	every := 5
	if *long {
		every = 1
	}
	var points, past, extra atomic.Int64
	var wg sync.WaitGroup
	for lane := range together {
		wg.Go(func() {
			for n := lane; past.Load() == 0 && !t.Failed(); n += together {
				call, done := int64(1+n/2*every), n%2 == 1
				t.Run(fmt.Sprintf("%d %t", call, done), func(t *testing.T) {
					strike, struck := make(chan struct{}), make(chan struct{})
					var calls atomic.Int64
					v := newVictimBehind(t, func(tg http.Handler) http.Handler {
						return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
							if calls.Add(1) != call {
								tg.ServeHTTP(w, r)
								return
							}
							if done {
								tg.ServeHTTP(httptest.NewRecorder(), r)
							}
							io.Copy(io.Discard, r.Body) // without the end of it nobody sees that the program is gone
							close(strike)
							select {
							case <-struck:
							case <-r.Context().Done(): // it was the last call of a story that ended meanwhile
							}
							panic(http.ErrAbortHandler) // nobody is there any more
						})
					})
					if v.story(strike, struck) {
						points.Add(1)
						extra.Add(int64(v.extra()))
					} else {
						past.Add(1)
					}
				})
			}
		})
	}
	wg.Wait()
	t.Logf("died at %d sends; %d messages went out twice", points.Load(), extra.Load())
	if points.Load() < 8 {
		t.Errorf("got %d points; want at least 8, or the program does not die where it should", points.Load())
	}
}

// TestKilledAtRandom kills `retake serve` again and again while people ask, fail and press.
func TestKilledAtRandom(t *testing.T) {
	notShort(t)
	t.Parallel()
	const people = 12
	kills := 50
	if *long {
		kills = 200
	}
	v := newVictim(t)
	v.breaks()
	v.start()
	ctx := v.asLongAsItSends()
	over := make(chan struct{})
	var wg sync.WaitGroup
	var wishes atomic.Int64
	for i := range people {
		p := parent{v.tg.Person(int64(i+1), "П", "ru"), v.tg}
		wg.Go(func() {
			for round := 0; ctx.Err() == nil; round++ {
				select {
				case <-over:
					return
				default:
				}
				// One that many share, one that fails for some, one of their own.
				for _, name := range []string{"Общий " + letters(round), "Сбой " + letters(round) + " " + letters(i%3),
					"Свой " + letters(round) + " " + letters(i)} {
					if err := p.wants(ctx, name, nil); err != nil {
						t.Errorf("%v\n%s", err, v.log)
						return
					}
					wishes.Add(1)
				}
			}
		})
	}
	for n := range kills {
		// After some messages and a moment more, however long they take, so that also on a slow machine a life is long enough
		// for a video now and then: a job that never survives is a job that kills.
		want := v.sends() + 1 + rand.IntN(8)
		if err := v.tg.Wait(ctx, func() bool { return v.sends() >= want }); err != nil {
			t.Fatalf("life %d: %v\n%s", n+1, context.Cause(ctx), v.log)
		}
		select {
		case <-time.After(time.Duration(rand.IntN(150)) * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("life %d: %v\n%s", n+1, context.Cause(ctx), v.log)
		}
		v.kill()
		if n%5 == 4 { // the engine breaks and is repaired, too
			v.repairs()
		} else {
			v.breaks()
		}
		v.start()
	}
	close(over)
	v.repairs()
	wg.Wait()
	v.nothingIsLost(func() {})
	found, begun := v.rescues()
	if len(found) < kills/10 {
		t.Fatalf("got %d rescues; want some", len(found))
	}
	t.Logf(
		"%d kills; %d wishes, all granted; %d messages went out twice; %d rescues, after a start by %v, at most %v; work "+
			"on it had begun by %v, at most %v",
		kills,
		wishes.Load(),
		v.extra(),
		len(found),
		found[len(found)/2],
		found[len(found)-1],
		begun[len(begun)/2],
		begun[len(begun)-1],
	)
	if *long && found[len(found)/2] > time.Second {
		t.Errorf("got %v for half of the rescues; want at most a second", found[len(found)/2])
	}
}
