// Tests of what each end of an order means for it, and that a worker's own fault is no order's.

package farm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"retake.example/internal/farm/natstest"
	"retake.example/internal/video"
)

// problem is an error as internal/video makes them.
type problem struct {
	code      string
	permanent bool
	wait      time.Duration
}

func (p problem) Error() string                     { return "said " + p.code }
func (p problem) Code() string                      { return p.code }
func (p problem) Permanent() bool                   { return p.permanent }
func (p problem) RetryAfter() (time.Duration, bool) { return p.wait, p.wait > 0 }

func TestFilm_AFailureOfTheWorkerIsTheOrders(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL())
	var next atomic.Pointer[problem]
	start(t, s.URL(), 1, func(context.Context, video.Order) error {
		if p := next.Load(); p != nil {
			return *p
		}
		return nil
	})
	for i, p := range []problem{{code: video.CodeEngine}, {code: video.CodeRefused, permanent: true},
		{code: video.CodeDiskFull, wait: 30 * time.Second}, {code: video.CodeMachine}, {}} {
		next.Store(&p)
		r := film(t.Context(), t, c, order1(fmt.Sprint("asset", i)))
		of, ok := errors.AsType[trouble](r.err)
		if !ok || of.code != p.code || of.permanent != p.permanent || of.wait != p.wait ||
			!strings.Contains(of.text, "said "+p.code) || strings.Contains(of.text, "Маша") {
			t.Errorf("%+v: got %+v, %v; want the same", p, of, r.err)
		}
	}
	next.Store(nil) // the same try again, as after an outage that gave the attempt back
	o := order1("asset0")
	film(t.Context(), t, c, o).want(t, o)
	if got := leftovers(t, c); got != nothingLeft {
		t.Errorf("got %s; want %s", got, nothingLeft)
	}
}

func TestFilm_TheFateOfAnOlderAttemptIsIgnored(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL())
	until(t, "the streams are there", func() bool { _, _, err := c.standing(); return err == nil })
	late, err := json.Marshal(fate{Worker: "late", Code: video.CodeEngine, Text: "late"})
	if err == nil {
		_, err = c.line.js.Publish(t.Context(), fateSubject+keyOf("a", 1), late)
	}
	if err != nil {
		t.Fatal(err)
	}
	start(t, s.URL(), 1, nothing)
	o := order1("a")
	o.Attempt = 2
	film(t.Context(), t, c, o).want(t, o)
}

func TestFilm_TwoWorkersWithOneOrderLeaveOneFilm(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL())
	until(t, "the streams are there", func() bool { _, _, err := c.standing(); return err == nil })
	g, _, err := c.standing()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		w := &worker{line: c.line, times: quick, log: quiet, id: fmt.Sprint("w", i)}
		v, err := making(nothing).Make(t.Context(), order1("a"), func(int) {})
		if err == nil {
			err = w.leave(t.Context(), g, keyOf("a", 1), fate{Worker: w.id, Done: true, Width: 720, Height: 1280,
				Duration: 5 * time.Second, Note: "a note"}, v, &signs{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := leftovers(t, c); strings.Count(got, ".mp4") != 1 || !strings.Contains(got, "1 fates") {
		t.Errorf("got %s; want one fate and one film", got)
	}
	film(t.Context(), t, c, order1("a")).want(t, order1("a"))
	if got := leftovers(t, c); got != nothingLeft {
		t.Errorf("got %s; want %s", got, nothingLeft)
	}
}

func TestWorker_CountsTheDeathsOfAnOrderThatWasMadeAlone(t *testing.T) {
	t.Parallel()
	c := centre(t, natstest.New(t).URL())
	until(t, "the streams are there", func() bool { _, _, err := c.standing(); return err == nil })
	g, _, err := c.standing()
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		attempt, want int
		worker        string
	}{
		{1, 0, "w-1"}, {1, 0, "w-1"}, {1, 1, "w-2"}, {10, 0, "w-3"}, {1, 2, "w-3"}, {1, 3, "w-4"}, {1, 4, "w-5"},
		{1, 5, "w-6"}, {1, 5, "w-7"},
	} {
		w := &worker{line: c.line, id: step.worker}
		got, err := w.countDeaths(t.Context(), g, "a", keyOf("a", step.attempt))
		if err != nil || got != step.want {
			t.Errorf("%+v: got %d, %v; want %d", step, got, err, step.want)
		}
	}
	c.clear(order1("a"), fate{})
	if got := leftovers(t, c); got != nothingLeft {
		t.Errorf("got %s; want %s", got, nothingLeft)
	}
}

func TestFilm_ADamagedFilmFailsAndALostOneIsMadeAgain(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL())
	until(t, "the streams are there", func() bool { _, _, err := c.standing(); return err == nil })
	g, _, err := c.standing()
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]fate{
		"damaged": {Worker: "w", Done: true, Film: stored{"damaged.mp4", 4, "0000"}, Still: stored{"damaged.mp4", 4, "0000"}},
		"lost":    {Worker: "w", Done: true, Film: stored{"gone.mp4", 4, "0000"}, Still: stored{"gone.jpg", 4, "0000"}},
	} {
		text, err := json.Marshal(f)
		if err == nil {
			_, err = c.line.js.Publish(t.Context(), fateSubject+keyOf(name, 1), text)
		}
		if err == nil && name == "damaged" {
			_, err = g.films.Put(t.Context(), jetstream.ObjectMeta{Name: f.Film.Object}, bytes.NewReader([]byte("film")))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	r := film(t.Context(), t, c, order1("damaged"))
	if of, ok := errors.AsType[trouble](r.err); !ok || of.code != CodeFilm || of.wait != 0 || of.permanent {
		t.Errorf("got %v; want a failure with %s", r.err, CodeFilm)
	}
	wantWait(t, film(t.Context(), t, c, order1("lost")).err, CodeFilm)
	start(t, s.URL(), 1, nothing)
	film(t.Context(), t, c, order1("lost")).want(t, order1("lost"))
}

func TestFilm_WaitsWhileNobodyIsThere(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL())
	o := order1("a")
	wantWait(t, film(t.Context(), t, c, o).err, CodeEmpty)
	wantWait(t, c.Ready(), CodeEmpty)
	s.Stop()
	until(t, "the silence is long enough", func() bool {
		var of trouble
		return errors.As(c.Ready(), &of) && of.code == CodeAway
	})
	wantWait(t, film(t.Context(), t, c, order1("b")).err, CodeAway)
	s.Start()
	start(t, s.URL(), 1, nothing)
	until(t, "both are there", func() bool { return c.Ready() == nil })
	film(t.Context(), t, c, o).want(t, o)
}

func TestFilm_AnOrderThatNobodySpeaksOfFails(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL(), func(k *video.Kit) { k.Timeout = 2 * time.Second })
	until(t, "the streams are there", func() bool { _, _, err := c.standing(); return err == nil })
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { // a worker that says that it is free, and takes nothing
		for ctx.Err() == nil {
			c.roster.hear(Status{ID: "idle", Protocol: Protocol, Cores: 1}, time.Now())
			time.Sleep(100 * time.Millisecond)
		}
	}()
	r := film(t.Context(), t, c, order1("a"))
	if of, ok := errors.AsType[trouble](r.err); !ok || of.code != video.CodeTimeout || of.wait != 0 {
		t.Errorf("got %v; want a failure with %s", r.err, video.CodeTimeout)
	}
}

func TestWorker_NeverGetsAnOrderOfANewerProtocol(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL())
	until(t, "the streams are there", func() bool { _, _, err := c.standing(); return err == nil })
	var made atomic.Int64
	start(t, s.URL(), 1, func(context.Context, video.Order) error { made.Add(1); return nil })
	text, err := json.Marshal(order{Asset: "newer", Attempt: 1, Name: "Маша"})
	if err == nil {
		_, err = c.line.js.Publish(t.Context(), orderAt(Protocol+1, keyOf("newer", 1)), text)
	}
	if err != nil {
		t.Fatal(err)
	}
	film(t.Context(), t, c, order1("ours")).want(t, order1("ours")) // the worker is there and takes orders
	if n := made.Load(); n != 1 {
		t.Errorf("got %d films; want only ours", n)
	}
	if got := leftovers(t, c); got != "1 orders, 0 fates, films " {
		t.Errorf("got %s; want the newer order untouched", got)
	}
}

func TestRoster_OldAndDrainedWorkersAreNobody(t *testing.T) {
	now := time.Now()
	later := now.Add(2 * usual.away)
	for name, c := range map[string]struct {
		s    []Status
		want string
	}{
		"nobody":             {nil, "No worker"},
		"an old one":         {[]Status{{ID: "a", Protocol: Protocol - 1, Cores: 1}}, "older than this program"},
		"a drained one":      {[]Status{{ID: "a", Protocol: Protocol, Drained: true, Cores: 1}}, "drained"},
		"one that takes":     {[]Status{{ID: "a", Protocol: Protocol, Cores: 1}, {ID: "b", Drained: true}}, ""},
		"one that is newer":  {[]Status{{ID: "a", Protocol: Protocol + 1, Cores: 1}}, ""},
		"one that is silent": {[]Status{{ID: "gone", Protocol: Protocol, Cores: 1}}, "No worker"},
	} {
		r := newRoster(now, usual)
		for _, s := range c.s {
			at := later
			if s.ID == "gone" {
				at = now
			}
			r.hear(s, at)
		}
		if got := r.empty(later.Add(time.Second)); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q; want %q in it", name, got, c.want)
		}
	}
}

func TestRoster_AWorkersClockMayBeAny(t *testing.T) {
	now := time.Now()
	for _, off := range []time.Duration{0, 5 * time.Hour, -5 * time.Hour} {
		r := newRoster(now, usual)
		r.hear(Status{ID: "a", Protocol: Protocol, Cores: 1, Since: now.Add(off - time.Minute), Now: now.Add(off)}, now)
		all := r.list(now)
		if len(all) != 1 || all[0].Gone || !r.free(now) || !all[0].Since.Equal(now.Add(-time.Minute)) {
			t.Errorf("a clock off by %v: got %+v; want it there, with an error a minute ago", off, all)
		}
	}
}

func TestFilm_AWorkerThatAloneFailsIsDrainedAndCostsNoAttempt(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]string{"at once": video.CodeMachine, "after some": video.CodeEngine,
		"after some empty films": video.CodeUnplayable} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := natstest.New(t)
			c := centre(t, s.URL())
			bad := Maker(making(func(context.Context, video.Order) error { return problem{code: code} }))
			if code == video.CodeUnplayable {
				bad = empty{nothing}
			}
			startWith(t, WorkerOptions{Access: Access{URL: s.URL()}, Cores: 1,
				Build: func(video.Kit, string) (Maker, error) { return bad, nil }})
			start(t, s.URL(), 1, nothing)
			until(t, "both are there", func() bool { return len(c.Workers()) == 2 })
			spent := 0
			drained := func() bool {
				return slices.ContainsFunc(c.Workers(), func(w Worker) bool { return w.Drained })
			}
			for i := 0; !drained() && i < 100; i++ {
				err := film(t.Context(), t, c, order1(fmt.Sprint("asset", i))).err
				if of, ok := errors.AsType[trouble](err); ok && of.wait == 0 {
					spent++
				} else if ok {
					wantWait(t, err, code)
					until(t, "it is drained", drained)
				}
			}
			most := blameAfter - 1
			if code == video.CodeMachine {
				most = 0
			}
			if !drained() || spent > most {
				t.Fatalf("got %d attempts spent, drained: %v; want at most %d and true", spent, drained(), most)
			}
			for i := range 10 { // only the good one takes orders now
				o := order1(fmt.Sprint("later", i))
				film(t.Context(), t, c, o).want(t, o)
			}
		})
	}
}

// empty is a maker whose films have no bytes.
type empty struct{ making }

func (m empty) Make(ctx context.Context, o video.Order, progress func(int)) (video.Video, error) {
	v, err := m.making.Make(ctx, o, progress)
	return v, errors.Join(err, os.Truncate(v.Path, 0))
}

func TestFilm_OneWorkerAloneIsNeverBlamed(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL())
	start(t, s.URL(), 1, func(context.Context, video.Order) error { return problem{code: video.CodeMachine} })
	for i := range 4 {
		r := film(t.Context(), t, c, order1(fmt.Sprint("asset", i)))
		if of, ok := errors.AsType[trouble](r.err); !ok || of.wait != 0 || of.code != video.CodeMachine {
			t.Fatalf("got %v; want a failure that counts", r.err)
		}
	}
	until(t, "it has said so", func() bool { return c.Workers()[0].Failed == 4 })
	if w := c.Workers(); len(w) != 1 || w[0].Drained || w[0].Failed != 4 || !strings.Contains(w[0].Problem, "said MACHINE") {
		t.Errorf("got %+v; want one that is not drained, with its error", w)
	}
}

func TestDrain_TheWorkerTakesNothingUntilItIsLet(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL())
	start(t, s.URL(), 1, nothing)
	until(t, "it is there", func() bool { return len(c.Workers()) == 1 })
	id := c.Workers()[0].ID
	if err := c.Drain(t.Context(), id, true, ""); err != nil || !c.Workers()[0].Drained {
		t.Fatalf("got %v, %+v; want it drained", err, c.Workers())
	}
	wantWait(t, film(t.Context(), t, c, order1("a")).err, CodeEmpty)
	if err := c.Drain(t.Context(), id, false, ""); err != nil {
		t.Fatal(err)
	}
	film(t.Context(), t, c, order1("a")).want(t, order1("a"))
	if err := c.Drain(t.Context(), "nobody", true, ""); !errors.Is(err, ErrNoWorker) {
		t.Errorf("got %v; want ErrNoWorker", err)
	}
}

func TestForget_RemovesWhatAPersonHadDeleted(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL())
	begun, ended := make(chan bool, 1), make(chan error, 1)
	start(t, s.URL(), 1, func(ctx context.Context, o video.Order) error {
		if o.Asset != "making" {
			return nil
		}
		begun <- true
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return ctx.Err()
	})
	ctx, stop := context.WithCancel(t.Context())
	making := begin(ctx, t, c, order1("making"))
	<-begun
	waiting := begin(ctx, t, c, order1("waiting"))
	until(t, "both are placed", func() bool { return leftovers(t, c) == "2 orders, 0 fates, films " })
	stop() // the queue stops them, and then forgets them
	<-making
	<-waiting
	c.Forget([]string{"making", "waiting"})
	if err := <-ended; !errors.Is(err, errUnwanted) {
		t.Errorf("got %v; want the film stopped", err)
	}
	if got := leftovers(t, c); got != nothingLeft {
		t.Errorf("got %s; want %s", got, nothingLeft)
	}

	// One that is finished, and that nobody has taken yet.
	ctx, stop = context.WithCancel(t.Context())
	out := make(chan error, 1)
	go func() {
		out <- c.Film(ctx, order1("made"), video.Reception{Folder: t.TempDir(),
			Room: func(int64) error { return errors.New("no room") }}, func(int) {})
	}()
	if err := <-out; err == nil || err.Error() != "no room" {
		t.Fatalf("got %v; want no room", err)
	}
	stop()
	if got := leftovers(t, c); !strings.Contains(got, "1 fates") || !strings.Contains(got, "made.1.") {
		t.Fatalf("got %s; want the film there", got)
	}
	c.Forget([]string{"made"})
	if got := leftovers(t, c); got != nothingLeft {
		t.Errorf("got %s; want %s", got, nothingLeft)
	}
}

// TestForget_StopsEveryTryOfAnAsset has a try end beside a later one, which nobody may lose sight of.
func TestForget_StopsEveryTryOfAnAsset(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL())
	begun, ended, finish := make(chan int, 2), make(chan error, 1), make(chan bool)
	start(t, s.URL(), 2, func(ctx context.Context, o video.Order) error {
		begun <- o.Attempt
		if o.Attempt == 1 {
			<-finish
			return nil
		}
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return ctx.Err()
	})
	first, second := order1("asset"), order1("asset")
	second.Attempt = 2
	ctx, stop := context.WithCancel(t.Context())
	early, late := begin(t.Context(), t, c, first), begin(ctx, t, c, second)
	<-begun
	<-begun
	close(finish)
	(<-early).want(t, first)
	until(t, "one is under way", func() bool {
		all := c.Workers()
		return len(all) == 1 && all[0].Made == 1 && all[0].Busy == 1
	})
	stop()
	<-late
	c.Forget([]string{"asset"})
	until(t, "the later one is stopped", func() bool { return len(ended) == 1 })
	if err := <-ended; !errors.Is(err, errUnwanted) {
		t.Errorf("got %v; want %v", err, errUnwanted)
	}
}

func TestKit_TravelsByHashAndOnlyWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	font, design := write("font.ttf", "a font"), write("template.toml", "a design")
	var seen []string
	opts := WorkerOptions{Access: Access{URL: s.URL()}, Cores: 1, Build: func(k video.Kit, folder string) (Maker, error) {
		text := k.Offered[0] + ", " + k.Voice.Voice
		for _, at := range []string{"templates/clock/template.toml", "fonts/usr/font.ttf"} {
			b, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(at)))
			if err != nil {
				return nil, err
			}
			text += ", " + string(b)
		}
		seen = append(seen, text)
		return making(nothing), nil
	}}
	startWith(t, opts)
	for i, design := range []string{design, write("other.toml", "another design")} {
		c := centre(t, s.URL(), func(k *video.Kit) {
			k.Offered, k.Voice.Voice = []string{"clock"}, "anna"
			k.Files = map[string]string{"templates/clock/template.toml": design, "fonts/usr/font.ttf": font}
		})
		o := order1(fmt.Sprint("asset", i))
		film(t.Context(), t, c, o).want(t, o)
		g, _, err := c.standing()
		if err != nil {
			t.Fatal(err)
		}
		if list, err := g.parts.List(t.Context()); err != nil || len(list) != 3+2*i { // a second design, a second kit
			t.Errorf("got %d parts, %v; want %d", len(list), err, 3+2*i)
		}
	}
	if want := []string{"clock, anna, a design, a font", "clock, anna, another design, a font"}; !slices.Equal(seen, want) {
		t.Errorf("got %q; want %q", seen, want)
	}
}

func TestKit_LeavesNoFolder(t *testing.T) {
	for _, at := range []string{"../x", "/etc/passwd", "fonts/../../x", ""} {
		if path, err := place("/kit", at); err == nil {
			t.Errorf("%q: got %s; want an error", at, path)
		}
	}
}

func TestWorker_FinishesWhatItHasBegunWhenItIsStopped(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL())
	begun, goOn := make(chan bool, 1), make(chan bool)
	stop := start(t, s.URL(), 1, func(context.Context, video.Order) error {
		begun <- true
		<-goOn
		return nil
	})
	out := begin(t.Context(), t, c, order1("a"))
	<-begun
	go close(goOn)
	stop()
	(<-out).want(t, order1("a"))
	if _, again := c.Orders(); again != 0 {
		t.Errorf("got %d redeliveries; want 0", again)
	}
}

// forgetful is a maker that notes what it is to forget.
type forgetful struct {
	making
	forgotten chan []string
}

func (f forgetful) ForgetNames(names []string) error { f.forgotten <- names; return nil }

func TestWorker_KeepsNothingOfAName(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL())
	f := forgetful{forgotten: make(chan []string, 2)}
	f.making = func(_ context.Context, o video.Order) error {
		if o.Asset == "bad" {
			return problem{code: video.CodeEngine}
		}
		return nil
	}
	startWith(t, WorkerOptions{Access: Access{URL: s.URL()}, Cores: 1,
		Build: func(video.Kit, string) (Maker, error) { return f, nil }})
	film(t.Context(), t, c, order1("good")).want(t, order1("good"))
	if r := film(t.Context(), t, c, order1("bad")); r.err == nil {
		t.Error("got nil; want an error")
	}
	for range 2 {
		if got := <-f.forgotten; !slices.Equal(got, []string{"Маша"}) {
			t.Errorf("got %q forgotten; want the name", got)
		}
	}
}
