// Command farm measures what a video from the farm costs the centre, and how many a minute come, with simulated workers
// that make a film in no time. It needs build/nats-server: packaging/testservers.sh builds it. Run it in bench:
//
//	go run ./farm [-videos 400]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
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
	videos := flag.Int("videos", 400, "videos for each number of workers")
	worker := flag.String("worker", "", "be a worker of the server at this address")
	film := flag.String("film", "", "what a worker delivers")
	flag.Parse()
	err := error(nil)
	if *worker != "" {
		err = work(*worker, *film)
	} else {
		err = measure(*videos)
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

func work(address, film string) error {
	dir, err := os.MkdirTemp("", "farm-bench-")
	if err != nil {
		return err
	}
	return farm.Work(context.Background(), farm.WorkerOptions{Access: farm.Access{URL: address}, Cores: 1, Dir: dir,
		Build: func(video.Kit, string) (farm.Maker, error) { return ready{film, film + ".jpg"}, nil }}, silent)
}

func measure(videos int) error {
	dir, err := os.MkdirTemp("", "farm-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	film := filepath.Join(dir, "film.mp4")
	for _, args := range [][]string{
		{"-f", "lavfi", "-i", "testsrc2=s=720x1280:r=30:d=10", "-f", "lavfi", "-i", "sine=d=10", "-c:v", "libx264", "-preset",
			"veryfast", "-b:v", "2400k", "-bf", "0", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ar", "48000", "-movflags",
			"+faststart", film},
		{"-i", film, "-frames:v", "1", "-vf", "scale=180:320", film + ".jpg"},
	} {
		if out, err := exec.Command("ffmpeg", append([]string{"-v", "error"}, args...)...).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
	}
	info, err := os.Stat(film)
	if err != nil {
		return err
	}
	fmt.Printf("%d videos of %.1f MB, %d open orders\n\n| workers | videos an hour | centre, CPU-s a video | "+
		"server, CPU-s a video | videos an hour that two cores of the centre take |\n|--:|--:|--:|--:|--:|\n", videos,
		float64(info.Size())/1e6, slots)
	for _, n := range []int{1, 2, 4, 8} {
		if err := round(filepath.Join(dir, fmt.Sprint(n)), film, n, videos); err != nil {
			return err
		}
	}
	return nil
}

// round measures one number of workers.
func round(dir, film string, workers, videos int) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	server, address, err := serve(ctx, dir)
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
	maker, err := video.New(video.Config{Engine: video.EngineFarm, Farm: centre, Offered: []string{"new-year"},
		Languages: []string{"ru", "en"}, Timeout: time.Minute, Work: filepath.Join(dir, "work"), Cache: filepath.Join(dir,
			"cache"), Workers: slots})
	if err != nil {
		return err
	}
	go centre.Run(ctx, maker.Kit)
	for range workers {
		w := exec.CommandContext(ctx, os.Args[0], "-worker", address, "-film", film)
		w.Stderr = os.Stderr
		if err := w.Start(); err != nil {
			return err
		}
		defer w.Wait()
	}
	defer cancel()
	// When this one is there, the kit has travelled.
	if _, err := maker.Make(ctx, video.Order{Asset: "first", Name: "Маша", Lang: "ru"}, nil); err != nil {
		return err
	}
	began, spent, others := time.Now(), cpu(syscall.RUSAGE_SELF), cpuOf(server.Process.Pid)
	var next atomic.Int64
	var wg sync.WaitGroup
	failures := make(chan error, slots)
	for range slots {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(videos); i = next.Add(1) {
				o := video.Order{Asset: fmt.Sprint("asset", i), Name: "Маша", Lang: "ru", Attempt: 1}
				v, err := maker.Make(ctx, o, nil)
				if err = errors.Join(err, v.Discard()); err != nil {
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
	each := (cpu(syscall.RUSAGE_SELF) - spent).Seconds() / float64(videos)
	theirs := (cpuOf(server.Process.Pid) - others).Seconds() / float64(videos)
	fmt.Printf("| %d | %.0f | %.3f | %.3f | %.0f |\n", workers, float64(videos)/took.Hours(), each, theirs, 2*3600/each)
	return nil
}

// serve starts a server as docs/farm.md configures one.
func serve(ctx context.Context, dir string) (*exec.Cmd, string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, "", err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	l.Close()
	config := filepath.Join(dir, "nats.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, "listen: %q\njetstream { store_dir: %q, sync_interval: always }\n",
		l.Addr(), filepath.Join(dir, "store")), 0o600); err != nil {
		return nil, "", err
	}
	cmd := exec.CommandContext(ctx, filepath.Join("..", "build", "nats-server"), "-c", config)
	return cmd, "nats://" + l.Addr().String(), cmd.Start()
}

func cpu(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// cpuOf is the time of another process, in Linux.
func cpuOf(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	var skip string
	var user, system int64
	fields := append(slices.Repeat([]any{&skip}, 13), &user, &system)
	if _, err := fmt.Sscan(string(text), fields...); err != nil {
		return 0
	}
	return time.Duration(user+system) * (time.Second / 100)
}
