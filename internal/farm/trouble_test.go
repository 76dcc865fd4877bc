// Tests of a farm whose server refuses, was set up otherwise, or is slow: films wait for it at no attempt's cost, and the
// operator is told why.

package farm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"retake.example/internal/farm/natstest"
	"retake.example/internal/video"
)

// saysWhy waits until a centre says that its server cannot be used, and why.
func saysWhy(t *testing.T, c *Centre, why string) {
	t.Helper()
	until(t, "it says "+why, func() bool {
		of, ok := errors.AsType[trouble](c.Ready())
		return ok && of.code == CodeAway && strings.Contains(of.text, why)
	})
}

func TestFilm_AServerWithoutJetStreamCostsNoAttempt(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL())
	start(t, s.URL(), 1, nothing)
	film(t.Context(), t, c, order1("a")).want(t, order1("a"))
	s.Stop()
	s.Change(t, "\njetstream", "\n# jetstream") // as it is when its disk is full: workers and centre reach each other
	s.Start()
	until(t, "the worker is heard", func() bool { return c.roster.free(time.Now()) })
	wantWait(t, film(t.Context(), t, c, order1("b")).err, CodeAway)
	saysWhy(t, c, "JetStream is off")
	s.Stop()
	s.Change(t, "\n# jetstream", "\njetstream")
	s.Start()
	(<-wanted(t, c, order1("b"))).want(t, order1("b"))
}

func TestFilm_TheSilenceOfAServerIsNotItsWorkers(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL(), func(k *video.Kit) { k.Timeout = 4 * time.Second })
	begun, goOn := make(chan bool, 1), make(chan bool)
	start(t, s.URL(), 1, func(context.Context, video.Order) error {
		begun <- true
		<-goOn
		return nil
	})
	out := wanted(t, c, order1("a"))
	<-begun
	s.Stop()
	until(t, "it is silent for longer than a film may take",
		func() bool { return c.deaf(time.Now().Add(-3 * time.Second)) })
	s.Start()
	close(goOn)
	(<-out).want(t, order1("a"))
}

func TestAccess_CredentialsThatAreRefusedForAWhileAreTriedAgain(t *testing.T) {
	t.Parallel()
	users := func(password string) string { return fmt.Sprintf("authorization { user: u, password: %q }", password) }
	s := natstest.New(t, users("before"))
	access := Access{URL: s.URL(), Credentials: "u:before"}
	c := centreOf(t, Options{Access: access, Replicas: 1}, quick)
	startWith(t, WorkerOptions{Access: access, Cores: 1, Build: build(nothing)})
	film(t.Context(), t, c, order1("a")).want(t, order1("a"))
	s.Stop()
	s.Change(t, users("before"), users("after"))
	s.Start()
	saysWhy(t, c, "uthorization")
	wantWait(t, film(t.Context(), t, c, order1("b")).err, CodeAway)
	s.Stop()
	s.Change(t, users("after"), users("before"))
	s.Start()
	(<-wanted(t, c, order1("b"))).want(t, order1("b"))

	// Those that were refused from the start, too.
	s.Stop()
	s.Change(t, users("before"), users("later"))
	s.Start()
	access.Credentials = "u:later"
	late := access
	late.Credentials = "u:latest"
	second := centreOf(t, Options{Access: late, Replicas: 1}, quick)
	startWith(t, WorkerOptions{Access: late, Cores: 1, Build: build(nothing)})
	saysWhy(t, second, "uthorization")
	s.Stop()
	s.Change(t, users("later"), users("latest"))
	s.Start()
	(<-wanted(t, second, order1("c"))).want(t, order1("c"))
}

func TestAccess_AnExpiredCertificateIsSaid(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t, time.Now().Add(-time.Minute))
	s := natstest.New(t, fmt.Sprintf("tls { cert_file: %q, key_file: %q }", cert, key))
	access := Access{URL: "tls://" + s.Address, CA: cert}
	saysWhy(t, centreOf(t, Options{Access: access, Replicas: 1}, quick), "expired")
	if workers, err := Look(t.Context(), access); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("got %v, %v; want that the certificate has expired", workers, err)
	}
}

// limited lets the store of films take no more than so many bytes; -1: all.
func limited(t *testing.T, c *Centre, bytes int64) {
	t.Helper()
	of := buckets(1)[0]
	of.MaxBytes = bytes
	if _, err := c.line.js.UpdateObjectStore(t.Context(), of); err != nil {
		t.Fatal(err)
	}
}

func TestFilm_AFullStoreCostsNoAttemptAndNoSecondFilm(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL())
	until(t, "the streams are there", func() bool { _, _, err := c.standing(); return err == nil })
	limited(t, c, 1)
	var made atomic.Int64
	start(t, s.URL(), 1, func(context.Context, video.Order) error { made.Add(1); return nil })
	r := film(t.Context(), t, c, order1("a"))
	wantWait(t, r.err, CodeStore)
	if !strings.Contains(r.err.Error(), "store a film: ") {
		t.Errorf("got %v; want it to say what the worker cannot do", r.err)
	}
	limited(t, c, -1)
	(<-wanted(t, c, order1("a"))).want(t, order1("a"))
	if n := made.Load(); n != 1 {
		t.Errorf("got %d films made; want 1", n)
	}
}

func TestCentre_ChangesStreamsOfAnOlderVersionAndSaysWhichItCannot(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	l, err := Access{URL: s.URL()}.connect("an older version", quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	older := streams(1)
	older[0].Retention = jetstream.LimitsPolicy // cannot be changed
	older[1].MaxAge, older[1].MaxMsgsPerSubject = 2*keep, 5
	for _, of := range older {
		if _, err := l.js.CreateStream(t.Context(), of); err != nil {
			t.Fatal(err)
		}
	}
	c := centre(t, s.URL())
	start(t, s.URL(), 1, nothing)
	saysWhy(t, c, "stream "+ordersStream)
	wantWait(t, film(t.Context(), t, c, order1("a")).err, CodeAway)
	if err := l.js.DeleteStream(t.Context(), ordersStream); err != nil { // as docs/farm.md says
		t.Fatal(err)
	}
	(<-wanted(t, c, order1("a"))).want(t, order1("a"))
	fates, err := l.js.Stream(t.Context(), fatesStream)
	if err != nil {
		t.Fatal(err)
	}
	if of := fates.CachedInfo().Config; of.MaxAge != keep || of.MaxMsgsPerSubject != 1 {
		t.Errorf("got %v, %d; want the settings of this version", of.MaxAge, of.MaxMsgsPerSubject)
	}
}

// TestFilm_TwoCentresOfOneAccountGetTheirFilms has a machine order that was replaced and is back, and one with other
// templates.
func TestFilm_TwoCentresOfOneAccountGetTheirFilms(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	old, replacement := centre(t, s.URL()), centre(t, s.URL(), func(k *video.Kit) { k.Offered = []string{"clock"} })
	start(t, s.URL(), 2, nothing)
	var out []chan result
	for i := range 5 {
		for _, c := range []*Centre{old, replacement} {
			out = append(out, wanted(t, c, order1(fmt.Sprint("asset", i))))
		}
	}
	for i, o := range out {
		(<-o).want(t, order1(fmt.Sprint("asset", i/2)))
	}
}

// lossy is JetStream whose first answer is lost.
type lossy struct {
	jetstream.JetStream
	lost atomic.Bool
}

func (l *lossy) Publish(ctx context.Context, subject string, data []byte,
	opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	ack, err := l.JetStream.Publish(ctx, subject, data, opts...)
	if err == nil && !l.lost.Swap(true) {
		return nil, nats.ErrTimeout
	}
	return ack, err
}

func TestWorker_AFateWhoseAnswerIsLostKeepsItsFilm(t *testing.T) {
	t.Parallel()
	c := centre(t, natstest.New(t).URL())
	until(t, "the streams are there", func() bool { _, _, err := c.standing(); return err == nil })
	g, _, err := c.standing()
	if err != nil {
		t.Fatal(err)
	}
	w := &worker{line: &line{Conn: c.line.Conn, js: &lossy{JetStream: c.line.js}, log: quiet,
		told: map[string]time.Time{}}, times: quick, log: quiet, id: "w"}
	v, err := making(nothing).Make(t.Context(), order1("a"), func(int) {})
	if err == nil {
		err = w.leave(t.Context(), g, keyOf("a", 1), fate{Worker: w.id, Done: true, Width: 720, Height: 1280,
			Duration: 5 * time.Second, Note: "a note"}, v, &signs{})
	}
	if err != nil {
		t.Fatal(err)
	}
	film(t.Context(), t, c, order1("a")).want(t, order1("a"))
}

// slow is a way to a server on which a megabyte takes a second.
func slow(t *testing.T, to string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	carry := func(to, from net.Conn) {
		defer to.Close()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			<-tick.C
			if _, err := io.CopyN(to, from, 20_000); err != nil {
				return
			}
		}
	}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			go carry(near, far)
			go carry(far, near)
		}
	}()
	return l.Addr().String()
}

// TestKit_ALargeFileOverASlowLineTakesItsTime moves one that takes longer than a question to NATS may.
func TestKit_ALargeFileOverASlowLineTakesItsTime(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	font := filepath.Join(t.TempDir(), "font.ttf")
	if err := os.WriteFile(font, []byte(strings.Repeat("a font. ", 1<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	c := centre(t, s.URL(), func(k *video.Kit) { k.Files = map[string]string{"fonts/font.ttf": font} })
	var built sync.WaitGroup
	built.Add(1)
	startWith(t, WorkerOptions{Access: Access{URL: "nats://" + slow(t, s.Address)}, Cores: 1,
		Build: func(video.Kit, string) (Maker, error) { built.Done(); return making(nothing), nil }})
	r := <-begin(t.Context(), t, c, order1("a"))
	r.want(t, order1("a"))
	built.Wait()
}
