// Tests that kill the program: at every point where it is about to write, and fifty times at random.

package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	faketelegram "retake/internal/fake/telegram"
)

// What a test tells its child, a copy of the test program that is Retake.
const (
	childDir    = "CHILD_DIR"    // data folder
	childAPI    = "CHILD_API"    // address of the stand-in for Telegram
	childSample = "CHILD_SAMPLE" // the engine's video
	childSpeed  = "CHILD_SPEED"  // how many times as fast Telegram's clock runs; unset: this is not about load
	childPoint  = "CHILD_POINT"  // dies where it is about to look at the clock for the n-th time, as each transaction does first; 0: never
)

// child is Retake until it is killed. Without a point to die at it is the command itself.
func child() {
	dir := os.Getenv(childDir)
	sample = func() (string, error) { return os.Getenv(childSample), nil }
	if speed, err := strconv.ParseFloat(os.Getenv(childSpeed), 64); err == nil {
		loadChild(dir, speed)
		return
	}
	point, err := strconv.ParseInt(os.Getenv(childPoint), 10, 64)
	if err != nil {
		panic(err)
	}
	if point == 0 {
		if len(os.Args) == 1 {
			os.Args = append(os.Args, "serve", "-config", filepath.Join(dir, "config.toml"))
		}
		main()
		return
	}
	var looks atomic.Int64
	if _, err := startProgram(dir, os.Getenv(childAPI), [3]int{100, 100, 100}, 1000, newYear, io.Discard, func() time.Time {
		if looks.Add(1) == point {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // until it is delivered
		}
		return time.Now()
	}); err != nil {
		panic(err)
	}
	select {}
}

// victim is a child, started again as often as it is killed.
type victim struct {
	*testing.T
	dir  string
	tg   *faketelegram.Server
	http *httptest.Server
	cmd  *exec.Cmd
	dead chan struct{} // closed when cmd has ended
	log  *journal
}

func newVictim(t *testing.T) *victim {
	t.Helper()
	v := &victim{T: t, dir: t.TempDir(), tg: faketelegram.New(testToken), log: &journal{}}
	v.http = httptest.NewServer(v.tg)
	command, err := engine(v.dir)
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf("data_dir = %q\n[telegram]\ntoken = %q\napi_url = %q\n[web]\nlisten = \"127.0.0.1:0\"\n[queue]\nworkers = 2\noutage_after = 1000\nbackoff = \"20ms\"\n"+
		"[limits]\nopen = 100\nper_hour = 100\nper_day = 100\n[render]\nengine = \"command\"\ncommand = [%q, %q, %q, %q, %q]\n",
		v.dir, testToken, v.http.URL, command[0], command[1], command[2], command[3], command[4])
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

func (v *victim) start(point int) {
	v.Helper()
	path, err := sample()
	if err != nil {
		v.Fatal(err)
	}
	v.cmd = exec.Command(os.Args[0])
	v.cmd.Env = append(os.Environ(), childDir+"="+v.dir, childAPI+"="+v.http.URL, childSample+"="+path, childPoint+"="+strconv.Itoa(point))
	v.cmd.Stdout, v.cmd.Stderr = v.log, v.log
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

// parent is a person who wants videos and does what a person would: nothing twice.
type parent struct {
	*faketelegram.Person
	tg *faketelegram.Server
}

// waits waits until there is a message after since that fits, and returns it.
func (p parent) waits(ctx context.Context, since int, fits func(faketelegram.Message) bool) (m faketelegram.Message, err error) {
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
		err = fmt.Errorf("%d waits in vain: %w\n%s", p.ID(), err, strings.Join(said, "\n"))
	}
	return m, err
}

// wants asks for a video and presses the button of every apology until it comes. failed is called once, at the first.
func (p parent) wants(ctx context.Context, name string, failed func()) error {
	sent := int(p.Send(name))
	question, err := p.waits(ctx, sent, func(m faketelegram.Message) bool {
		return len(m.Buttons) > 0 && strings.HasPrefix(m.Buttons[0][0].Data, yesButton) && strings.Contains(m.Text, "«"+name+"»")
	})
	if err != nil {
		return err
	}
	p.Press(question.ID, question.Buttons[0][0].Data)
	pressed := map[string]bool{}
	for {
		m, err := p.waits(ctx, sent, func(m faketelegram.Message) bool {
			return m.Video != nil && strings.Contains(m.Text, "«"+name+"»") ||
				len(m.Buttons) > 0 && strings.HasPrefix(m.Buttons[0][0].Data, retryButton) && strings.Contains(m.Text, name) && !pressed[m.Buttons[0][0].Data]
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
	s, err := OpenStore(filepath.Join(v.dir, "retake.db"))
	if err != nil {
		v.Fatal(err)
	}
	defer s.Close()
	w := &world{T: v.T, log: v.log, tg: v.tg, program: program{store: s}}
	w.calm()
	then()
	v.kill()
	for query, want := range map[string]int{
		`SELECT count(*) FROM requests WHERE status IN ('PENDING', 'PROCESSING')`:                                                             0,
		`SELECT count(*) FROM assets WHERE status IN ('PENDING', 'PROCESSING')`:                                                               0,
		`SELECT count(*) FROM assets WHERE status = 'FAILED' AND name NOT LIKE 'Сбой%'`:                                                       0,
		`SELECT count(*) FROM (SELECT 1 FROM attempts WHERE kind = 'APOLOGISE' AND outcome = 'done' GROUP BY request_id HAVING count(*) > 1)`: 0,
		`SELECT count(*) FROM requests r WHERE r.status = 'FAILED' AND r.answer_id IS NULL`:                                                   0,
		`SELECT count(*) FROM (SELECT 1 FROM assets WHERE status = 'FAILED' AND 3 <> (SELECT count(*) FROM attempts t
			WHERE t.asset_id = assets.id AND kind = 'RENDER' AND outcome IN ('rescheduled', 'gave up')))`: 0,
		`SELECT count(*) FROM inbox WHERE error IS NOT NULL`: 0,
	} {
		if got := count(v, s, query); got != want {
			v.Errorf("%s: got %d; want %d", query, got, want)
		}
	}
	if v.Failed() {
		rows, err := s.db.Read().Query(`SELECT a.name || ' ' || t.kind || ' ' || t.attempt || ' ' || t.outcome || ' ' || ifnull(t.error, '')
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

func (v *victim) breaks() {
	v.Helper()
	if err := os.WriteFile(filepath.Join(v.dir, brokenFile), []byte("Сбой"), 0o600); err != nil {
		v.Fatal(err)
	}
}

func (v *victim) mends() { os.Remove(filepath.Join(v.dir, brokenFile)) }

// TestKilledAtEveryPoint lets the program die before its 1st, 2nd, 3rd, … transaction of a story, until the story ends
// before the program does.
func TestKilledAtEveryPoint(t *testing.T) {
	t.Parallel()
	const together = 8
	var points, past atomic.Int64
	var wg sync.WaitGroup
	for lane := range together {
		wg.Go(func() {
			for point := lane + 1; past.Load() == 0 && !t.Failed(); point += together {
				t.Run(strconv.Itoa(point), func(t *testing.T) {
					v := newVictim(t)
					v.breaks()
					v.start(point)
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					over, revived := make(chan struct{}), make(chan bool)
					go func() { // as an operator's systemd would
						select {
						case <-v.dead:
							v.start(0)
							revived <- true
						case <-over:
							revived <- false
						}
					}()
					var story sync.WaitGroup
					for i, name := range []string{"Маша", "Маша", "Сбой"} {
						p := parent{v.tg.Person(int64(i+1), "П", "ru"), v.tg}
						story.Go(func() {
							if err := p.wants(ctx, name, v.mends); err != nil {
								t.Errorf("%v\n%s", err, v.log)
							}
						})
					}
					story.Wait()
					v.nothingIsLost(func() {
						close(over)
						if <-revived {
							points.Add(1)
						} else {
							past.Add(1) // the story needs fewer transactions than that
						}
					})
				})
			}
		})
	}
	wg.Wait()
	t.Logf("died at %d points", points.Load())
	if points.Load() < 30 {
		t.Errorf("got %d points; want at least 30, or the program does not die where it should", points.Load())
	}
}

// TestKilledFiftyTimesAtRandom kills `retake serve` again and again while people ask, fail and press.
func TestKilledFiftyTimesAtRandom(t *testing.T) {
	t.Parallel()
	const kills, people = 50, 12
	v := newVictim(t)
	v.breaks()
	v.start(0)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
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
				for _, name := range []string{"Общий " + letters(round), "Сбой " + letters(round) + " " + letters(i%3), "Свой " + letters(round) + " " + letters(i)} {
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
		// After some messages and a moment more, so that on a slow machine, too, a life is long enough for a video now and
		// then: a job that never survives is a job that kills.
		life, end := context.WithTimeout(ctx, 5*time.Second)
		want := v.sends() + 1 + rand.IntN(8)
		v.tg.Wait(life, func() bool { return v.sends() >= want })
		end()
		select {
		case <-time.After(time.Duration(rand.IntN(150)) * time.Millisecond):
		case <-ctx.Done():
			t.Fatal("the time is over")
		}
		v.kill()
		if n%5 == 4 { // the engine breaks and is mended, too
			v.mends()
		} else {
			v.breaks()
		}
		v.start(0)
	}
	close(over)
	v.mends()
	wg.Wait()
	t.Logf("%d kills; %d wishes, all granted", kills, wishes.Load())
	v.nothingIsLost(func() {})
}

// letters spells a number with letters, for names have no digits.
func letters(n int) string {
	out := ""
	for _, d := range strconv.Itoa(n) {
		out += string([]rune("абвгдежзик")[d-'0'])
	}
	return out
}
