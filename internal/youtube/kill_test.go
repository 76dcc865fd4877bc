// An upload that is killed or cut at any moment becomes one video.

package youtube

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
)

// leash is a connection on which something happens after so many bytes were sent on it and its like.
type leash struct {
	net.Conn
	left *atomic.Int64
	snap func(net.Conn)
}

func (l leash) Write(p []byte) (int, error) {
	left := l.left.Add(-int64(len(p)))
	if left > 0 || left+int64(len(p)) <= 0 {
		return l.Conn.Write(p)
	}
	n, err := l.Conn.Write(p[:int64(len(p))+left])
	l.snap(l.Conn)
	if err == nil && n < len(p) {
		var more int
		more, err = l.Conn.Write(p[n:])
		n += more
	}
	return n, err
}

func TestAnUploadThatIsKilledOrCutAtAnyMomentIsOneVideo(t *testing.T) {
	v, sum := film(8 << 20)
	random := rand.New(rand.NewPCG(1, 2))
	worst := int64(0)
	for i := range 50 {
		kill := i%2 == 0
		at := random.Int64N(v.Size + 20_000)
		t.Run(fmt.Sprintf("%d kill %t", at, kill), func(t *testing.T) {
			w := newWorld(t)
			a := w.account()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			var left atomic.Int64
			left.Store(at)
			happened := false
			w.client.http.CloseIdleConnections()
			w.client.http.Transport.(*http.Transport).DialContext = func(ctx context.Context, network,
				addr string) (net.Conn, error) {
				c, err := new(net.Dialer).DialContext(ctx, network, addr)
				return leash{c, &left, func(c net.Conn) {
					happened = true
					if kill {
						cancel()
					} else {
						c.(*net.TCPConn).SetLinger(0)
						c.Close()
					}
				}}, err
			}
			var s states
			var err error
			for again := firstAsk; again > 0 && err == nil; {
				if again, err = a.Publish(ctx, v, about, s.last, s.save); again > 0 {
					w.clock.Add(again)
				}
			}
			if kill && happened && !errors.Is(err, context.Canceled) {
				t.Errorf("got %v; want %v", err, context.Canceled)
			}
			for range 2 {
				if err = s.finish(w, a, v, about); err == nil {
					break
				}
				if e := wantError(t, err, "connection"); e.Permanent() {
					t.Fatal(err)
				}
			}
			if all := w.tube.Videos(); err != nil || len(all) != 1 || all[0].SHA256 != sum || s.last.ID != all[0].ID {
				t.Fatalf("got %d videos, %v", len(all), err)
			}
			if got := w.tube.BytesIn(); got > v.Size+1<<20 { // what sockets held when it was cut
				t.Errorf("got %d bytes for %d", got, v.Size)
			}
			worst = max(worst, w.tube.BytesIn())
		})
	}
	t.Logf("at worst %.3f times the bytes", float64(worst)/float64(v.Size))
}
