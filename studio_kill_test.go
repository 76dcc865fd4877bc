// The program killed while it uploads.

package main

import (
	"math/rand/v2"
	"net/http"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"retake.example/internal/store"
	"retake.example/internal/testrig"
)

// TestKilledWhileItUploads kills the program fifty times, at random bytes of uploads of 20 MB and at the requests
// around them.
func TestKilledWhileItUploads(t *testing.T) {
	notShort(t)
	const kills, videos, size = 50, 25, 20 << 20
	random := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	var strike sync.Mutex
	var cmd *exec.Cmd
	var bytesLeft, requestsLeft atomic.Int64
	die := func() {
		strike.Lock()
		defer strike.Unlock()
		if cmd != nil {
			cmd.Process.Kill()
			cmd = nil
		}
	}
	b := newBroadcaster(t, func(w http.ResponseWriter, r *http.Request) {
		if requestsLeft.Add(-1) == 0 {
			die() // what is asked here is still done: its answer is lost
		}
		r.Body = deadly{r.Body, &bytesLeft, die}
	})
	channel := b.connect()
	sum := b.film("V.mp4", size)
	var ids []string
	for range videos {
		id := b.video("V.mp4", size)
		b.publishes(id, store.Publication{Platform: "YOUTUBE", Channel: channel.ID})
		ids = append(ids, id)
	}
	before := b.tube.BytesIn()
	run := func() (dead chan struct{}) {
		c := exec.Command(testrig.Program(t), "serve", "-config", b.config)
		c.Stdout, c.Stderr = b.log, b.log
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		dead = make(chan struct{})
		go func() { c.Wait(); close(dead) }()
		strike.Lock()
		cmd = c
		strike.Unlock()
		return dead
	}
	for i := range kills {
		dead := run() // first: what the last one had sent is still read, and counts
		if i%5 > 0 {
			bytesLeft.Store(1 + random.Int64N(size*videos/kills-1<<20))
		} else {
			requestsLeft.Store(1 + random.Int64N(20))
		}
		select {
		case <-dead:
		case <-time.After(stall):
			die()
			t.Fatalf("kill %d never came; %s", i, b.log)
		}
		bytesLeft.Store(-1)
		requestsLeft.Store(-1)
	}
	dead := run()
	defer func() { die(); <-dead }()
	for _, id := range ids {
		b.settles(id)
	}
	got := b.tube.Videos()
	if len(got) != videos {
		t.Errorf("got %d videos of %d; want one of each", len(got), videos)
	}
	for _, v := range got {
		if v.SHA256 != sum {
			t.Errorf("got %+v; want the bytes that were sent", v)
		}
	}
	in := b.tube.BytesIn() - before
	t.Logf("%d kills: %d bytes for %d videos of %d: %.3f", kills, in, videos, size, float64(in)/float64(videos*size))
	if float64(in) > 1.05*videos*size {
		t.Errorf("got %d bytes on the wire; want at most 1.05 times %d", in, videos*size)
	}
	if n := count(t, b.store, `SELECT count(*) FROM attempts WHERE outcome = 'crashed'`); n < kills/2 {
		t.Errorf("got %d crashes in the history; want those that met an upload", n)
	}
	if n := count(t, b.store, `SELECT count(*) FROM publications WHERE status <> 'COMPLETED'`); n != 0 {
		t.Errorf("got %d that are not published; want none", n)
	}
	b.tellsNoSecret()
}
