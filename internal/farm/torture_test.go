// A test that kills workers, servers and centres at random while videos are asked for.

package farm

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"retake.example/internal/farm/natstest"
	"retake.example/internal/video"
)

var long = flag.Bool("long", false, "kill at random for ten minutes")

// TestFilm_KilledAtRandom asks as the queue does: a wait is tried again in the same attempt, and no attempt may fail.
func TestFilm_KilledAtRandom(t *testing.T) {
	if !*long {
		t.Skip("add -args -long")
	}
	t.Parallel()
	lasts := 10 * time.Minute
	nodes := natstest.Cluster(t)
	urls := nodes[0].URL() + "," + nodes[1].URL() + "," + nodes[2].URL()
	how := quick
	how.away = 5 * time.Second
	opts := Options{Access: Access{URL: urls}, Replicas: 3}
	stopping, stop := context.WithTimeout(t.Context(), lasts)
	defer stop()
	dir := t.TempDir()

	var mu sync.Mutex // guards what the killer replaces
	var ctx context.Context
	var c *Centre
	var end func()
	begin := func() {
		next, err := open(opts, how, quiet)
		if err != nil {
			t.Error(err)
			return
		}
		alive, cancel := context.WithCancel(context.Background())
		running := make(chan struct{})
		go func() {
			next.Run(alive, func() (video.Kit, error) { return video.Kit{Timeout: time.Minute}, nil })
			close(running)
		}()
		ctx, c, end = alive, next, func() { cancel(); <-running; next.Close() }
	}
	begin()
	defer func() { end() }()

	kills, finished := map[string]int{}, 0
	var wg sync.WaitGroup
	ended, finish := context.WithCancel(context.Background())
	workers := make([]func(), 3)
	for i := range workers { // each is started again, as systemd does
		strike := make(chan struct{})
		workers[i] = func() { strike <- struct{}{} }
		wg.Go(func() {
			for ended.Err() == nil {
				p := process(t, urls, dir)
				died := make(chan struct{})
				go func() { p.Wait(); close(died) }()
				select {
				case <-strike:
				case <-ended.Done():
				}
				p.Process.Kill()
				<-died
			}
		})
	}
	var orders, killer sync.WaitGroup
	killer.Go(func() {
		for stopping.Err() == nil {
			select {
			case <-stopping.Done():
				return
			case <-time.After(rand.N(4 * time.Second)):
			}
			switch rand.N(4) {
			case 0:
				kills["server"]++
				n := nodes[rand.N(3)]
				n.Stop()
				n.Start()
			case 1:
				kills["centre"]++
				mu.Lock()
				end()
				begin()
				mu.Unlock()
			case 2:
				kills["all workers"]++
				for _, kill := range workers {
					kill()
				}
			default:
				kills["worker"]++
				workers[rand.N(3)]()
			}
		}
	})
	for lane := range 6 {
		orders.Go(func() {
			for i := 0; stopping.Err() == nil; i++ {
				o := order1(fmt.Sprint("asset", lane, "-", i))
				for {
					mu.Lock()
					ctx, c := ctx, c
					mu.Unlock()
					r := film(ctx, t, c, o)
					var wait interface {
						RetryAfter() (time.Duration, bool)
					}
					waits := errors.Is(r.err, context.Canceled) // the centre has died
					if errors.As(r.err, &wait) {
						_, waits = wait.RetryAfter()
					}
					if !waits {
						if r.err != nil || r.text != fmt.Sprintf("film of %s 1", o.Asset) {
							t.Errorf("%s: got %q, %v; want its film at no attempt's cost", o.Asset, r.text, r.err)
						}
						break
					}
					select {
					case <-t.Context().Done():
						return
					case <-time.After(how.tick):
					}
				}
				mu.Lock()
				finished++
				mu.Unlock()
			}
		})
	}
	killer.Wait()
	orders.Wait()
	finish()
	wg.Wait()
	t.Logf("killed %v; %d videos", kills, finished)
	if finished == 0 {
		t.Error("got no video")
	}
}
