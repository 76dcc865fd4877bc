// What the tests of the farm share: real servers, workers in this process and in others, and makers that do as told.

package farm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"retake.example/internal/video"
)

// quick are the times of the tests.
var quick = times{beat: 100 * time.Millisecond, ackWait: 2 * time.Second, away: 6 * time.Second, tick: 50 * time.Millisecond,
	look: 300 * time.Millisecond, move: 3 * time.Second}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// A worker in a process of its own is this test binary with these variables.
const (
	envURL = "RETAKE_FARM_TEST_URL"
	envDir = "RETAKE_FARM_TEST_DIR"
	cores  = 2
)

func TestMain(m *testing.M) {
	if url := os.Getenv(envURL); url != "" {
		dir := os.Getenv(envDir)
		err := work(context.Background(), WorkerOptions{Access: Access{URL: url}, Cores: cores, Dir: filepath.Join(dir,
			strconv.Itoa(os.Getpid())), Build: build(func(ctx context.Context, o video.Order) error {
			if o.Name == "poison" {
				for o.Lang == "beside" && !exists(filepath.Join(dir, "beside")) {
					time.Sleep(10 * time.Millisecond)
				}
				os.Exit(9)
			}
			if o.Name == "beside" {
				if err := os.WriteFile(filepath.Join(dir, "beside"), nil, 0o600); err != nil {
					return err
				}
				time.Sleep(300 * time.Millisecond) // it takes longer to make than the poison to work
			}
			if o.Name == "stuck" {
				if err := os.WriteFile(filepath.Join(dir, "begun"), nil, 0o600); err != nil {
					return err
				}
				<-ctx.Done()
			}
			return nil
		})}, quick, quiet)
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// process starts a worker in a process of its own.
func process(t *testing.T, url, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envURL+"="+url, envDir+"="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

// making is a maker that calls a function and then writes a film of a few bytes.
type making func(ctx context.Context, o video.Order) error

func (making) ForgetNames([]string) error { return nil }

func (do making) Make(ctx context.Context, o video.Order, progress func(int)) (v video.Video, err error) {
	progress(10)
	if err := do(ctx, o); err != nil {
		return v, err
	}
	dir, err := os.MkdirTemp("", "retake-farm-test-")
	if err != nil {
		return v, err
	}
	v = video.Video{Path: filepath.Join(dir, "film.mp4"), Thumb: filepath.Join(dir, "still.jpg"), Width: 720, Height: 1280,
		Duration: 5 * time.Second, Note: "a note"}
	return v, errors.Join(os.WriteFile(v.Path, []byte("film of "+o.Asset+" "+strconv.Itoa(o.Attempt)), 0o600),
		os.WriteFile(v.Thumb, []byte("still of "+o.Asset), 0o600))
}

// build has workers make films as do says.
func build(do making) func(video.Kit, string) (Maker, error) {
	return func(video.Kit, string) (Maker, error) { return do, nil }
}

// centre starts a centre, with a kit without files.
func centre(t *testing.T, url string, change ...func(*video.Kit)) *Centre {
	t.Helper()
	return centreOf(t, Options{Access: Access{URL: url}, Replicas: 1}, quick, change...)
}

func centreOf(t *testing.T, opts Options, how times, change ...func(*video.Kit)) *Centre {
	t.Helper()
	c, err := open(opts, how, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		c.Run(ctx, func() (video.Kit, error) {
			k := video.Kit{Offered: []string{"new-year"}, Timeout: time.Minute}
			for _, change := range change {
				change(&k)
			}
			return k, nil
		})
	})
	t.Cleanup(func() { cancel(); wg.Wait(); c.Close() })
	return c
}

// start starts a worker in this process, and returns what stops it.
func start(t *testing.T, url string, cores int, do making) (stop func()) {
	t.Helper()
	return startWith(t, WorkerOptions{Access: Access{URL: url}, Cores: cores, Build: build(do)})
}

func startWith(t *testing.T, opts WorkerOptions) (stop func()) {
	t.Helper()
	opts.Dir = t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- work(ctx, opts, quick, quiet) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("worker: got %v; want nil", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// result is what came of an order.
type result struct {
	video.Received
	text string // of the film
	err  error
}

// film has a film made.
func film(ctx context.Context, t *testing.T, c *Centre, o video.Order) (r result) {
	r.err = c.Film(ctx, o, video.Reception{Folder: t.TempDir(), Room: func(int64) error { return nil },
		Take: func(arrived video.Received) error {
			b, err := os.ReadFile(arrived.Film)
			if err == nil && len(b) == 0 {
				err = problem{code: video.CodeUnplayable}
			}
			r.Received, r.text = arrived, string(b)
			return err
		}}, func(int) {})
	return r
}

// begin is film in the background.
func begin(ctx context.Context, t *testing.T, c *Centre, o video.Order) chan result {
	out := make(chan result, 1)
	go func() { out <- film(ctx, t, c, o) }()
	return out
}

// wanted is begin as the queue does it: what has to wait is tried again, in the same attempt.
func wanted(t *testing.T, c *Centre, o video.Order) chan result {
	out := make(chan result, 1)
	go func() {
		for {
			r := film(t.Context(), t, c, o)
			if of, ok := errors.AsType[trouble](r.err); !ok || of.wait == 0 {
				out <- r
				return
			}
		}
	}()
	return out
}

func order1(asset string) video.Order {
	return video.Order{Asset: asset, Name: "Маша", Lang: "ru", Template: "new-year", Attempt: 1}
}

func (r result) want(t *testing.T, o video.Order) {
	t.Helper()
	if want := "film of " + o.Asset + " " + strconv.Itoa(o.Attempt); r.err != nil || r.text != want || r.Note != "a note" ||
		r.Width != 720 || r.Height != 1280 || r.Duration != 5*time.Second {
		t.Fatalf("got %+v; want %q", r, want)
	}
}

// wantWait fails unless an error is a wait with that code.
func wantWait(t *testing.T, err error, code string) {
	t.Helper()
	of, ok := errors.AsType[trouble](err)
	if !ok {
		t.Fatalf("got %v; want a wait with %s", err, code)
	}
	if _, waits := of.RetryAfter(); !waits || of.code != code || of.permanent {
		t.Fatalf("got %+v; want a wait with %s", of, code)
	}
}

// until waits for something to become true.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !is(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s: it has not come to that in two minutes", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// leftovers lists what is still in NATS.
func leftovers(t *testing.T, c *Centre) string {
	t.Helper()
	g, _, err := c.standing()
	if err != nil {
		return err.Error()
	}
	orders, err := g.orders.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fates, err := g.fates.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	films, _ := g.films.List(t.Context()) // an error: there are none
	var names []string
	for _, f := range films {
		names = append(names, f.Name)
	}
	return fmt.Sprint(orders.State.Msgs, " orders, ", fates.State.Msgs, " fates, films ", strings.Join(names, " "))
}

const nothingLeft = "0 orders, 0 fates, films "
