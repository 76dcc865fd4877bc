// Tests of the whole program with a farm: the centre, its workers and their servers are killed while people ask for
// videos, and everybody gets one video, at no attempt's cost.

package test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/farm"
	"retake.example/internal/farm/natstest"
	"retake.example/internal/telegram"
)

// poison begins the names that kill the worker which makes a video with them.
const poison = "Сбой"

// farmWorkers are workers in processes of their own, each started again when it dies, as systemd does.
type farmWorkers struct {
	strikes []chan struct{}
	wg      sync.WaitGroup
	over    chan struct{}
}

// farmWorkers starts n workers with two slots each. A video takes them up to a second beside its inspection.
func (v *victim) farmWorkers(urls string, n int) *farmWorkers {
	v.Helper()
	path, err := sample()
	if err != nil {
		v.Fatal(err)
	}
	script := `case "$RETAKE_NAME" in ` + poison + `*) kill -9 $PPID;; esac; sleep 0.$(($$ % 10)); cp "$0" "$RETAKE_OUTPUT"`
	f := &farmWorkers{over: make(chan struct{})}
	for range n {
		dir, strike := v.TempDir(), make(chan struct{})
		f.strikes = append(f.strikes, strike)
		f.wg.Go(func() {
			for {
				cmd := exec.Command(binary(v), "worker")
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "RETAKE_FARM_URL="+urls, "RETAKE_QUEUE_WORKERS=2", "RETAKE_RENDER_ENGINE=command",
					fmt.Sprintf(`RETAKE_RENDER_COMMAND=["/bin/sh", "-c", '''%s''', %q]`, script, path))
				cmd.Stdout, cmd.Stderr = v.log, v.log
				if err := cmd.Start(); err != nil {
					v.Error(err)
					return
				}
				died := make(chan struct{})
				go func() { cmd.Wait(); close(died) }()
				select {
				case <-died:
					continue
				case <-strike:
				case <-f.over:
				}
				cmd.Process.Kill()
				<-died
				select {
				case <-f.over:
					return
				default:
				}
			}
		})
	}
	v.Cleanup(f.end)
	return f
}

// kill kills one of them, which is started again.
func (f *farmWorkers) kill(i int) { f.strikes[i] <- struct{}{} }

// end kills all of them.
func (f *farmWorkers) end() {
	select {
	case <-f.over:
	default:
		close(f.over)
	}
	f.wg.Wait()
}

// onFarm has the videos of a victim made on a farm with so many servers.
func (v *victim) onFarm(urls string, servers int) {
	v.Helper()
	config := filepath.Join(v.dir, "config.toml")
	text, err := os.ReadFile(config)
	if err != nil {
		v.Fatal(err)
	}
	changed := strings.NewReplacer("engine = \"command\"", "engine = \"farm\"", "workers = 2\n", "workers = 64\n").
		Replace(string(text)) + fmt.Sprintf("[farm]\nurl = %q\nreplicas = %d\n", urls, servers)
	if err := os.WriteFile(config, []byte(changed), 0o600); err != nil {
		v.Fatal(err)
	}
}

// wantsVideos has one person after the other want a video until stop is closed. None may get an apology.
func (v *victim) wantsVideos(ctx context.Context, next, got *atomic.Int64, stop <-chan struct{}) {
	for {
		i := next.Add(1)
		name := "Аль" + letters(int(i)) // no such name means yes, as Ага does
		err := parent{v.tg.Person(i, "П", "ru"), v.tg}.wants(ctx, name, func() {
			v.Errorf("%s: got an apology; want none", name)
		})
		if err != nil {
			v.Errorf("%s: %v\n%s", name, err, v.log)
			return
		}
		got.Add(1)
		select {
		case <-stop:
			return
		default:
		}
	}
}

// isRefused asks for a video that nobody can make, and waits for the apology.
func (p parent) isRefused(ctx context.Context, name string) error {
	sent := int(p.Send(name))
	question, err := p.waits(ctx, sent, func(m faketelegram.Message) bool {
		return len(m.Buttons) > 0 && strings.HasPrefix(m.Buttons[0][0].Data, telegram.YesButton)
	})
	if err != nil {
		return err
	}
	p.Press(question.ID, question.Buttons[0][0].Data)
	_, err = p.waits(ctx, sent, func(m faketelegram.Message) bool {
		return len(m.Buttons) > 0 && strings.HasPrefix(m.Buttons[0][0].Data, telegram.RetryButton)
	})
	return err
}

// stream looks at the orders of a farm.
func stream(t *testing.T, urls string) *jetstream.StreamInfo {
	t.Helper()
	conn, err := nats.Connect(urls, nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	for {
		of, err := js.Stream(t.Context(), "RETAKE_ORDERS")
		if err == nil {
			return of.CachedInfo()
		}
		if t.Context().Err() != nil {
			t.Fatal(err)
		}
	}
}

// TestFarm_KillsCostNoAttemptAndNoVideo kills one of each kind while people ask for videos; with -long at random, for
// ten minutes with one server and with three, and while three orders go round that kill every worker which takes them.
func TestFarm_KillsCostNoAttemptAndNoVideo(t *testing.T) {
	notShort(t)
	if *long {
		t.Run("one server", func(t *testing.T) { survivesKills(t, []*natstest.Server{natstest.New(t)}) })
	}
	t.Run("three servers", func(t *testing.T) { survivesKills(t, natstest.Cluster(t)) })
}

func survivesKills(t *testing.T, nodes []*natstest.Server) {
	var all []string
	for _, n := range nodes {
		all = append(all, n.URL())
	}
	urls := strings.Join(all, ",")
	v := newVictim(t)
	v.onFarm(urls, len(nodes))
	workers := v.farmWorkers(urls, 3)
	v.start()
	w := &world{T: t, tg: v.tg, log: v.log}
	ctx := v.asLongAsItSends()
	restart := func(i int) { nodes[i].Stop(); nodes[i].Start() }
	kinds := []string{"centre", "server", "worker", "all workers"}
	strikes := []func(){
		func() { v.kill(); v.start() },
		func() { restart(rand.N(len(nodes))) },
		func() { workers.kill(rand.N(len(workers.strikes))) },
		func() {
			for i := range workers.strikes {
				workers.kill(i)
			}
		},
	}
	if len(nodes) > 1 {
		kinds, strikes = append(kinds, "leader"), append(strikes, func() {
			leader := stream(t, urls).Cluster.Leader
			for i := range nodes {
				if leader == fmt.Sprint("node", i) {
					restart(i)
				}
			}
		})
	}
	var people, refused sync.WaitGroup
	var got, next atomic.Int64
	over := make(chan struct{})
	for range 8 {
		people.Go(func() { v.wantsVideos(ctx, &next, &got, over) })
	}
	poisons, kills := 0, map[string]int{}
	strike := func(i int) { kills[kinds[i]]++; strikes[i]() }
	if *long {
		poisons = 3
		refused.Go(func() { // one after the other, or no worker would be up on a busy machine
			for i := range poisons {
				p := parent{v.tg.Person(int64(1_000_000+i), "П", "ru"), v.tg}
				if err := p.isRefused(ctx, poison+letters(i)); err != nil {
					t.Errorf("%v\n%s", err, v.log)
				}
			}
		})
		end := time.After(10 * time.Minute)
		for ended := false; !ended; {
			want := got.Load()
			if rand.N(3) == 0 { // else what recovers is killed, too
				want++
			}
			w.until("videos", func() bool { return got.Load() >= want })
			select {
			case <-end:
				ended = true
			case <-time.After(rand.N(8 * time.Second)):
				strike(rand.N(len(strikes)))
			}
		}
	} else {
		for _, i := range rand.Perm(len(strikes)) {
			want := got.Load() + 3
			w.until("videos", func() bool { return got.Load() >= want })
			strike(i)
		}
	}
	refused.Wait()
	close(over)
	people.Wait()
	v.nothingIsLost(func() {
		s, err := openStore(filepath.Join(v.dir, "retake.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if n := count(t, s, `SELECT count(*) FROM attempts t JOIN assets a ON a.id = t.asset_id WHERE t.kind = 'RENDER' AND
			a.name NOT LIKE ? AND (t.outcome IN ('rescheduled', 'gave_up') OR t.attempt > 1)`, poison+"%"); n > 0 {
			t.Errorf("got %d attempts that were spent; want none", n)
		}
		if n := count(t, s, `SELECT count(*) FROM attempts WHERE kind = 'RENDER' AND error_code = ?`, farm.CodeDied); n !=
			3*poisons {
			t.Errorf("got %d failures of %d orders that kill; want three each", n, poisons)
		}
	})
	t.Logf("killed %v; %d videos, of which %d went out twice; %d orders that kill ended in their apology", kills,
		got.Load(), v.extra(), poisons)
	w.until("nothing is left", func() bool { return stream(t, urls).State.Msgs == 0 })
}
