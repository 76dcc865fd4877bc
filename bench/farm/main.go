// Command farm measures what a video costs the machine with the database, and how many an hour come: made here, by a
// service behind HTTP, and by a farm with 1, 2, 4 and 8 workers that take no time for a video or make it. It needs
// build/nats-server: packaging/testservers.sh builds it. Run it in bench:
//
//	go run ./farm [-videos 400] [-made 24]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"retake.example/internal/farm"
	"retake.example/internal/video"
)

// slots are the open orders, as the program has them.
const slots = 64

func main() {
	videos := flag.Int("videos", 400, "videos for each number of workers that take no time")
	made := flag.Int("made", 24, "videos for each number of workers that make them, and made here")
	worker := flag.String("worker", "", "be a worker of the server at this address")
	service := flag.String("service", "", "be a service behind HTTP at this address")
	film := flag.String("film", "", "what a worker or a service delivers; none: a worker makes videos")
	cache := flag.String("cache", "", "folder for what a worker makes videos with")
	flag.Parse()
	err := error(nil)
	switch {
	case *worker != "":
		err = work(*worker, *film, *cache)
	case *service != "":
		err = http.ListenAndServe(*service, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "video/mp4")
			http.ServeFile(w, r, *film)
		}))
	default:
		err = measure(*videos, *made)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var silent = slog.New(slog.NewTextHandler(io.Discard, nil))

// ready makes no film: it has one.
type ready struct{ film, still string }

func (ready) ForgetNames([]string) error { return nil }

func (r ready) Make(ctx context.Context, o video.Order, progress func(int)) (v video.Video, err error) {
	dir, err := os.MkdirTemp("", "farm-bench-")
	if err != nil {
		return v, err
	}
	v = video.Video{Path: filepath.Join(dir, "film.mp4"), Thumb: filepath.Join(dir, "still.jpg"), Width: 720, Height: 1280,
		Duration: 10 * time.Second}
	return v, errors.Join(os.Link(r.film, v.Path), os.Link(r.still, v.Thumb))
}

func work(address, film, cache string) error {
	dir, err := os.MkdirTemp("", "farm-bench-")
	if err != nil {
		return err
	}
	base := config(dir, video.EngineTemplate, 1)
	base.Cache = cache
	return farm.Work(context.Background(), farm.WorkerOptions{Access: farm.Access{URL: address}, Cores: 1, Dir: dir,
		Build: func(k video.Kit, folder string) (farm.Maker, error) {
			if film != "" {
				return ready{film, film + ".jpg"}, nil
			}
			return video.New(base.With(k, folder))
		}}, silent)
}

// config describes a maker of new-year.
func config(dir, engine string, workers int) video.Config {
	return video.Config{Engine: engine, Offered: []string{"new-year"}, Languages: []string{"ru", "en"},
		Timeout: time.Minute, Work: filepath.Join(dir, "work"), Cache: filepath.Join(dir, "cache"), Workers: workers,
		AllowPrivate: true}
}

func measure(videos, made int) error {
	dir, err := os.MkdirTemp("", "farm-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	here, err := video.New(config(dir, video.EngineTemplate, 2))
	if err != nil {
		return err
	}
	v, err := here.Make(ctx, video.Order{Asset: "first", Name: "Маша", Lang: "ru"}, nil)
	if err != nil {
		return err
	}
	film := filepath.Join(dir, "film.mp4")
	if err := errors.Join(os.Rename(v.Path, film), os.Rename(v.Thumb, film+".jpg"), v.Discard()); err != nil {
		return err
	}
	info, err := os.Stat(film)
	if err != nil {
		return err
	}
	fmt.Printf("videos of %.1f MB, %d open orders\n\n| made | videos an hour | centre, CPU-s a video | NATS | makers | "+
		"all of it, of two cores | videos an hour that two cores of the centre take |\n|---|--:|--:|--:|--:|--:|--:|\n",
		float64(info.Size())/1e6, slots)
	if err := take(ctx, "here", here, 2, made, nil, nil); err != nil {
		return err
	}
	if err := byService(ctx, dir, film, made); err != nil {
		return err
	}
	for _, n := range []int{1, 2, 4, 8} {
		name := fmt.Sprintf("farm, %d workers, no time", n)
		if err := byFarm(ctx, name, filepath.Join(dir, fmt.Sprint("ready", n)), film, dir, n, videos); err != nil {
			return err
		}
	}
	for _, n := range []int{1, 2, 4, 8} {
		name := fmt.Sprintf("farm, %d workers", n)
		if err := byFarm(ctx, name, filepath.Join(dir, fmt.Sprint("made", n)), "", dir, n, made); err != nil {
			return err
		}
	}
	return nil
}

// byService measures films that come from another program behind HTTP.
func byService(ctx context.Context, dir, film string, videos int) error {
	ctx, cancel := context.WithCancel(ctx)
	address, err := free()
	if err != nil {
		cancel()
		return err
	}
	service := exec.CommandContext(ctx, os.Args[0], "-service", address, "-film", film)
	defer service.Wait()
	defer cancel()
	if err := service.Start(); err != nil {
		return err
	}
	c := config(filepath.Join(dir, "http"), video.EngineHTTP, 2)
	c.URL = "http://" + address + "/"
	maker, err := video.New(c)
	if err != nil {
		return err
	}
	return take(ctx, "by a service behind HTTP, no time", maker, 2, videos, nil, []*exec.Cmd{service})
}

// byFarm measures a number of workers. Those that make videos find what they make them with in dir.
func byFarm(ctx context.Context, name, own, film, dir string, workers, videos int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server, address, err := serve(ctx, own)
	if err != nil {
		return err
	}
	defer server.Wait()
	defer cancel()
	centre, err := farm.Open(farm.Options{Access: farm.Access{URL: address}, Replicas: 1}, silent)
	if err != nil {
		return err
	}
	defer centre.Close()
	c := config(own, video.EngineFarm, slots)
	c.Farm = centre
	maker, err := video.New(c)
	if err != nil {
		return err
	}
	go centre.Run(ctx, maker.Kit)
	var makers []*exec.Cmd
	for range workers {
		w := exec.CommandContext(ctx, os.Args[0], "-worker", address, "-film", film, "-cache", filepath.Join(dir, "cache"))
		w.Stderr = os.Stderr
		if err := w.Start(); err != nil {
			return err
		}
		defer w.Wait()
		makers = append(makers, w)
	}
	defer cancel()
	return take(ctx, name, maker, slots, videos, server, makers)
}

// take has so many videos made, as many at a time as there are slots, and prints a line of the table. nats is nil where
// there is none, and so are the other programs that make the videos.
func take(ctx context.Context, name string, maker *video.Maker, slots, videos int, nats *exec.Cmd,
	makers []*exec.Cmd) error {
	order := func(i int64) error {
		o := video.Order{Asset: fmt.Sprint("asset", i), Name: "Маша", Lang: "ru", Attempt: 1}
		v, err := maker.Make(ctx, o, nil)
		return errors.Join(err, v.Discard())
	}
	for range 2 { // when these are there, what films are made with has travelled
		if err := order(0); err != nil {
			return err
		}
	}
	servers := []*exec.Cmd{}
	if nats != nil {
		servers = append(servers, nats)
	}
	began, spent, served, worked := time.Now(), cpu(), cpuOf(servers), cpuOf(makers)
	var next atomic.Int64
	var wg sync.WaitGroup
	failures := make(chan error, slots)
	for range slots {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(videos); i = next.Add(1) {
				if err := order(i); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	close(failures)
	if err := <-failures; err != nil {
		return err
	}
	spent, served, worked = cpu()-spent, cpuOf(servers)-served, cpuOf(makers)-worked
	each := func(of time.Duration) float64 { return of.Seconds() / float64(videos) }
	fmt.Printf("| %s | %.0f | %.3f | %.3f | %.3f | %.0f %% | %.0f |\n", name, float64(videos)/took.Hours(), each(spent),
		each(served), each(worked), 50*(spent+served+worked).Seconds()/took.Seconds(), 2*3600/each(spent))
	return nil
}

// serve starts a server as docs/farm.md configures one.
func serve(ctx context.Context, dir string) (*exec.Cmd, string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, "", err
	}
	address, err := free()
	if err != nil {
		return nil, "", err
	}
	settings := filepath.Join(dir, "nats.conf")
	if err := os.WriteFile(settings, fmt.Appendf(nil, "listen: %q\njetstream { store_dir: %q, sync_interval: always }\n",
		address, filepath.Join(dir, "store")), 0o600); err != nil {
		return nil, "", err
	}
	cmd := exec.CommandContext(ctx, filepath.Join("..", "build", "nats-server"), "-c", settings)
	return cmd, "nats://" + address, cmd.Start()
}

// free returns an address that nothing listens at.
func free() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// cpu is the time of this process and of those that it has waited for.
func cpu() (spent time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err == nil {
			spent += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return spent
}

// cpuOf is the time of other programs and of those that they have waited for, in Linux.
func cpuOf(programs []*exec.Cmd) (spent time.Duration) {
	for _, p := range programs {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Process.Pid))
		if err != nil {
			return 0
		}
		var skip string
		var user, system, children, theirs int64
		fields := append(slices.Repeat([]any{&skip}, 13), &user, &system, &children, &theirs)
		if _, err := fmt.Sscan(string(text), fields...); err != nil {
			return 0
		}
		spent += time.Duration(user+system+children+theirs) * (time.Second / 100)
	}
	return spent
}
