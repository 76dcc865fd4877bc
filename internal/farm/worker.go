// worker.go is the half on every other machine: it pulls orders, one for each core, makes the films, and leaves them in
// the store.

package farm

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"retake.example/internal/routine"
	"retake.example/internal/video"
)

// grace is how long a worker that is stopped may take to finish what it has begun.
const grace = time.Minute

// Maker makes films: a video.Maker.
type Maker interface {
	ForgetNames(names []string) error // removes how they sound
	Make(ctx context.Context, o video.Order, progress func(percent int)) (video.Video, error)
}

// WorkerOptions describe a worker.
type WorkerOptions struct {
	Access
	Version string
	Cores   int    // orders at a time
	Dir     string // a folder of its own, for what films are made with
	// Build returns a maker for a kit whose files are in a folder. The one before it is not used any more.
	Build func(k video.Kit, folder string) (Maker, error)
}

// worker makes films for a centre.
type worker struct {
	opts  WorkerOptions
	times times
	log   *slog.Logger
	id    string
	line  *line

	// alone is held by an order that comes again: a worker has died of it, or beside it. If this worker dies, too, it was
	// this order. The others hold it for reading.
	alone sync.RWMutex

	building sync.RWMutex // read by those who make a film, written by the one who builds the maker of another kit
	kit      string
	maker    Maker

	mu     sync.Mutex // guards what follows
	status Status
	making map[*order]context.CancelCauseFunc // two tries of one asset may be under way
	asking map[*context.CancelFunc]context.CancelFunc
}

// errUnwanted ends a film that nobody wants any more.
var errUnwanted = errors.New("nobody wants this video any more")

// Work takes orders until ctx ends. It then finishes what it has begun, for a minute at most; what is left another
// worker makes. NATS and the centre may come later.
func Work(ctx context.Context, opts WorkerOptions, log *slog.Logger) error {
	return work(ctx, opts, usual, log)
}

func work(ctx context.Context, opts WorkerOptions, t times, log *slog.Logger) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	w := &worker{opts: opts, times: t, log: log, id: nameOf(host, rand.Text()[:6]),
		making: map[*order]context.CancelCauseFunc{}, asking: map[*context.CancelFunc]context.CancelFunc{}}
	w.status = Status{ID: w.id, Version: opts.Version, Protocol: Protocol, Cores: opts.Cores}
	if w.line, err = opts.connect("retake worker "+w.id, log); err != nil {
		return err
	}
	defer w.line.Close()
	for subject, heard := range map[string]nats.MsgHandler{stopSubject + "*": w.stop, drainSubject + w.id: w.drain} {
		if _, err := w.line.Subscribe(subject, heard); err != nil {
			return fmt.Errorf("farm: %w", err)
		}
	}
	log.Info("the worker is running", "worker", w.id, "version", opts.Version, "cores", opts.Cores)
	finishing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	var slots, telling routine.Group
	for range opts.Cores {
		slots.Keep(ctx, func() { w.pull(ctx, finishing) })
	}
	told := make(chan struct{})
	telling.Run(func() { w.tellStatus(told) })
	slots.Wait()
	close(told)
	telling.Wait()
	return nil
}

// pull takes one order after the other.
func (w *worker) pull(ctx, finishing context.Context) {
	for ctx.Err() == nil {
		m, err := w.next(ctx)
		if m == nil {
			if err != nil && ctx.Err() == nil {
				w.line.complain("no order can be pulled", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(w.pauseAfter(err)):
			}
			continue
		}
		w.handle(finishing, m)
	}
}

func (w *worker) pauseAfter(err error) time.Duration {
	if err == nil && !w.drained() {
		return 0
	}
	return w.times.tick
}

// next waits some seconds for an order; nil: there is none, or the worker takes none.
func (w *worker) next(ctx context.Context) (jetstream.Msg, error) {
	if w.drained() {
		return nil, nil
	}
	if err := w.line.down(); err != nil {
		return nil, err
	}
	asked, cancel := question(ctx)
	defer cancel()
	queue, err := w.line.js.Consumer(asked, ordersStream, consumerOf(Protocol))
	if err != nil {
		return nil, err
	}
	for {
		m, err := w.fetch(ctx, queue)
		if m != nil || err != nil || ctx.Err() != nil || w.drained() {
			return m, err
		}
	}
}

// fetch asks for an order once. A drain ends the question: an order that comes too late goes to another worker.
func (w *worker) fetch(ctx context.Context, queue jetstream.Consumer) (jetstream.Msg, error) {
	ctx, cancel := question(ctx)
	defer cancel()
	w.mu.Lock()
	w.asking[&cancel] = cancel
	if w.status.Drained {
		cancel()
	}
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.asking, &cancel)
	}()
	batch, err := queue.Fetch(1, jetstream.FetchContext(ctx))
	if err != nil {
		return nil, worthTelling(err)
	}
	for m := range batch.Messages() {
		return m, nil
	}
	return nil, worthTelling(batch.Error())
}

// worthTelling drops an error that says no more than that no order came.
func worthTelling(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) {
		return nil
	}
	return err
}

// handle makes the film of one order. An order without a fate goes to another worker as soon as this one gives no sign
// of life any more.
func (w *worker) handle(finishing context.Context, m jetstream.Msg) {
	var o order
	if err := json.Unmarshal(m.Data(), &o); err != nil || !isToken(o.Asset) {
		m.Term() // nobody can make it
		return
	}
	key := keyOf(o.Asset, o.Attempt)
	delivered := 1
	if about, err := m.Metadata(); err == nil {
		delivered = int(about.NumDelivered)
	}
	ctx, cancel := context.WithCancelCause(finishing)
	defer cancel(nil)
	w.begin(&o, cancel)
	defer w.end(&o)

	var signs signs
	var beating routine.Group
	over := make(chan struct{})
	beating.Run(func() {
		tick := time.NewTicker(w.times.beat)
		defer tick.Stop()
		for {
			m.InProgress()
			w.say(beatSubject+key, beat{Worker: w.id, Percent: int(signs.percent.Load()), Delivered: delivered,
				Problem: signs.said()})
			select {
			case <-over:
				return
			case <-tick.C:
			}
		}
	})
	defer beating.Wait()
	defer close(over)

	if delivered > 1 {
		w.alone.Lock()
		defer w.alone.Unlock()
	} else {
		w.alone.RLock()
		defer w.alone.RUnlock()
	}
	for ctx.Err() == nil {
		err := w.fulfil(ctx, o, key, delivered, &signs)
		if err == nil && ctx.Err() == nil {
			if err = m.DoubleAck(ctx); err == nil {
				w.say(beatSubject+key, beat{Worker: w.id, Percent: 100, Delivered: delivered, Over: true})
				return
			}
		}
		w.troubled(ctx, &signs, "an order cannot be finished yet", err)
	}
	if errors.Is(context.Cause(ctx), errUnwanted) {
		m.Term()
		return
	}
	m.Nak() // the worker is stopped
}

// signs are what a worker says of an order while it makes it.
type signs struct {
	percent atomic.Int64
	problem atomic.Pointer[string]
}

// said returns why the order cannot be finished yet; "": nothing is in the way.
func (s *signs) said() string {
	if p := s.problem.Load(); p != nil {
		return *p
	}
	return ""
}

// troubled tells the centre and the log why an order cannot be finished yet, and waits before the next try.
func (w *worker) troubled(ctx context.Context, s *signs, what string, err error) {
	if ctx.Err() != nil {
		return
	}
	text := fmt.Sprintf("worker %s: %s: %v", w.id, what, err)
	s.problem.Store(&text)
	w.line.complain(what, err)
	select {
	case <-ctx.Done():
	case <-time.After(w.times.tick):
	}
}

// fulfil leaves the fate of an order, unless it has one or nobody wants it any more.
func (w *worker) fulfil(ctx context.Context, o order, key string, delivered int, s *signs) error {
	g, err := w.stores(ctx)
	if err != nil {
		return err
	}
	if open, err := isOpen(ctx, g, key); err != nil || !open {
		return err
	}
	if delivered > 1 {
		deaths, err := w.countDeaths(ctx, g, o.Asset, key)
		if err != nil {
			return err
		}
		if deaths >= maxDeaths {
			return w.leave(ctx, g, key, fate{Code: CodeDied,
				Text: fmt.Sprintf("%d workers died or fell silent while they made this film alone", deaths)}, video.Video{}, s)
		}
	}
	s.problem.Store(nil)
	began := time.Now()
	f, made := w.make(ctx, g, o, s)
	if ctx.Err() == nil {
		w.learn(f, time.Since(began))
		err = w.leave(ctx, g, key, f, made, s)
	}
	if gone := made.Discard(); gone != nil {
		w.log.Warn("remove a film that was stored", "err", gone)
	}
	return err
}

// countDeaths returns how many other workers made an order alone and left it without a fate. If more may, it notes that
// this one makes it alone now.
func (w *worker) countDeaths(ctx context.Context, g *ground, asset, key string) (deaths int, err error) {
	ctx, cancel := question(ctx)
	defer cancel()
	info, err := g.fates.Info(ctx, jetstream.WithSubjectFilter(fateSubject+asset+".*"))
	if err != nil {
		return 0, err
	}
	for subject := range info.State.Subjects {
		if strings.HasPrefix(subject, loneAt(key, "")) && subject != loneAt(key, w.id) {
			deaths++
		}
	}
	if deaths < maxDeaths {
		_, err = w.line.js.Publish(ctx, loneAt(key, w.id), nil, jetstream.WithExpectStream(fatesStream))
		if refusedTwin(err) { // it has this order again, or the answer to the first note was lost
			err = nil
		}
	}
	return deaths, err
}

// stores are what a worker uses in NATS.
func (w *worker) stores(ctx context.Context) (g *ground, err error) {
	ctx, cancel := question(ctx)
	defer cancel()
	g = &ground{}
	if g.orders, err = w.line.js.Stream(ctx, ordersStream); err != nil {
		return nil, err
	}
	if g.fates, err = w.line.js.Stream(ctx, fatesStream); err != nil {
		return nil, err
	}
	if g.films, err = w.line.js.ObjectStore(ctx, filmsBucket); err != nil {
		return nil, err
	}
	g.parts, err = w.line.js.ObjectStore(ctx, partsBucket)
	return g, err
}

// isOpen reports whether an order is still to be made. One that comes again may have a fate, or be gone with it: the
// centre removes the order first.
func isOpen(ctx context.Context, g *ground, key string) (bool, error) {
	ctx, cancel := question(ctx)
	defer cancel()
	if f, err := fateAt(ctx, g, key); f != nil || err != nil {
		return false, err
	}
	_, err := g.orders.GetLastMsgForSubject(ctx, orderAt(Protocol, key))
	if missing(err) {
		return false, nil
	}
	return err == nil, err
}

// make makes a film and describes it; the caller discards it.
func (w *worker) make(ctx context.Context, g *ground, o order, s *signs) (fate, video.Video) {
	maker, done, err := w.makerOf(ctx, g, o.Kit)
	if err != nil {
		return fate{Worker: w.id, Code: CodeParts, Text: fmt.Sprintf("fetch what films are made with: %v", err),
			Wait: awayPause}, video.Video{}
	}
	defer done()
	defer func() {
		if err := maker.ForgetNames([]string{o.Name}); err != nil {
			w.log.Warn("forget how a name sounds", "err", err)
		}
	}()
	made, err := maker.Make(ctx, video.Order{Asset: o.Asset, Name: o.Name, Lang: o.Lang, Template: o.Template,
		Attempt: o.Attempt}, func(p int) { s.percent.Store(int64(p)) })
	if err != nil {
		return fateOf(w.id, err), video.Video{}
	}
	return fate{Worker: w.id, Done: true, Width: made.Width, Height: made.Height, Duration: made.Duration,
		Note: made.Note}, made
}

// leave stores a film, and then the fate that names it. If another worker was first, its fate stays.
func (w *worker) leave(ctx context.Context, g *ground, key string, f fate, made video.Video, s *signs) (err error) {
	object := key + "." + strings.ToLower(rand.Text()) // nobody overwrites what the centre may be fetching
	for ctx.Err() == nil {
		if err = w.store(ctx, g, object, &f, made); err == nil {
			err = w.publish(ctx, key, f)
		}
		if refusedTwin(err) {
			asked, cancel := question(ctx)
			var first *fate
			if first, err = fateAt(asked, g, key); err == nil && (first == nil || first.Film != f.Film) {
				w.discard(ctx, g, f) // else it is ours, and the answer to it was lost
			}
			cancel()
		}
		if err == nil {
			return nil
		}
		w.troubled(ctx, s, "store a film", err)
	}
	w.discard(ctx, g, f)
	return context.Cause(ctx)
}

// store stores what a fate names and is not stored yet.
func (w *worker) store(ctx context.Context, g *ground, object string, f *fate, made video.Video) (err error) {
	if !f.Done {
		return nil
	}
	if f.Film.Object == "" {
		if f.Film, err = upload(ctx, g.films, object+".mp4", made.Path, w.times.move); err != nil {
			return err
		}
	}
	if f.Still.Object == "" {
		f.Still, err = upload(ctx, g.films, object+".jpg", made.Thumb, w.times.move)
	}
	return err
}

func (w *worker) publish(ctx context.Context, key string, f fate) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	ctx, cancel := question(ctx)
	defer cancel()
	_, err = w.line.js.Publish(ctx, fateSubject+key, text, jetstream.WithExpectStream(fatesStream))
	return err
}

// discard removes what a fate names, if it can; else it expires.
func (w *worker) discard(ctx context.Context, g *ground, f fate) {
	for _, s := range []stored{f.Film, f.Still} {
		if s.Object != "" {
			g.films.Delete(context.WithoutCancel(ctx), s.Object)
		}
	}
}

// begin and end keep the list of what is being made.
func (w *worker) begin(o *order, cancel context.CancelCauseFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.making[o] = cancel
	w.status.Busy++
}

func (w *worker) end(o *order) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.making, o)
	w.status.Busy--
}

// learn counts a film or a failure.
func (w *worker) learn(f fate, took time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f.Done {
		w.status.Made++
		if w.status.Pace == 0 {
			w.status.Pace = took
		}
		w.status.Pace += (took - w.status.Pace) / 4
		return
	}
	w.status.Failed++
	w.status.Problem, w.status.Since = f.Text, time.Now()
	w.log.Warn("a film could not be made", "code", f.Code, "err", f.Text)
}

func (w *worker) drained() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status.Drained
}

// stop ends the film of an asset that nobody wants any more.
func (w *worker) stop(m *nats.Msg) {
	asset := strings.TrimPrefix(m.Subject, stopSubject)
	w.mu.Lock()
	defer w.mu.Unlock()
	for o, cancel := range w.making {
		if o.Asset == asset {
			cancel(errUnwanted)
		}
	}
}

// drain takes no more orders, or takes them again, and answers with the new status.
func (w *worker) drain(m *nats.Msg) {
	var d drain
	if json.Unmarshal(m.Data, &d) != nil {
		return
	}
	w.mu.Lock()
	w.status.Drained = d.On
	if d.On {
		for _, cancel := range w.asking {
			cancel()
		}
	}
	if d.On && d.Reason != "" {
		w.status.Problem, w.status.Since = d.Reason, time.Now()
	}
	w.mu.Unlock()
	w.log.Info("an admin or the centre has changed what this worker takes", "drained", d.On)
	if text, err := json.Marshal(w.now()); err == nil {
		m.Respond(text)
	}
}

// now returns how the worker is.
func (w *worker) now() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.status
	s.Now = time.Now()
	return s
}

// tellStatus says regularly how the worker is.
func (w *worker) tellStatus(end <-chan struct{}) {
	tick := time.NewTicker(w.times.beat)
	defer tick.Stop()
	for {
		w.say(statSubject+w.id, w.now())
		select {
		case <-end:
			return
		case <-tick.C:
		}
	}
}

// say publishes something that may be lost.
func (w *worker) say(subject string, what any) {
	text, err := json.Marshal(what)
	if err == nil {
		err = w.line.Publish(subject, text)
	}
	if err != nil {
		w.log.Debug("tell the centre", "err", err)
	}
}

// makerOf returns the maker of a kit, which stays until done is called. It fetches what is missing of the kit.
func (w *worker) makerOf(ctx context.Context, g *ground, sum string) (maker Maker, done func(), err error) {
	for {
		w.building.RLock()
		if w.kit == sum {
			return w.maker, w.building.RUnlock, nil
		}
		w.building.RUnlock()
		if err := w.build(ctx, g, sum); err != nil {
			return nil, nil, err
		}
	}
}

// build makes the maker of a kit.
func (w *worker) build(ctx context.Context, g *ground, sum string) error {
	w.building.Lock()
	defer w.building.Unlock()
	if w.kit == sum {
		return nil
	}
	w.kit, w.maker = "", nil // its files go
	k, folder, err := w.fetchKit(ctx, g, sum)
	if err != nil {
		return err
	}
	maker, err := w.opts.Build(k, folder)
	if err != nil {
		return err
	}
	w.kit, w.maker = sum, maker
	return nil
}

// fetchKit puts the files of a kit into a folder, and removes those of other kits.
func (w *worker) fetchKit(ctx context.Context, g *ground, sum string) (settings video.Kit, folder string, err error) {
	parts := filepath.Join(w.opts.Dir, "parts")
	folder = filepath.Join(w.opts.Dir, "kit")
	if err := os.MkdirAll(parts, 0o700); err != nil {
		return settings, "", err
	}
	if err := os.RemoveAll(folder); err != nil {
		return settings, "", err
	}
	text, err := w.part(ctx, g, parts, sum)
	if err != nil {
		return settings, "", err
	}
	data, err := os.ReadFile(text)
	if err != nil {
		return settings, "", err
	}
	var k kit
	if err := json.Unmarshal(data, &k); err != nil {
		return settings, "", fmt.Errorf("the kit: %w", err)
	}
	needed := map[string]bool{sum: true}
	for at, of := range k.Files {
		needed[of] = true
		have, err := w.part(ctx, g, parts, of)
		if err != nil {
			return settings, "", fmt.Errorf("%s: %w", filepath.Base(at), err)
		}
		path, err := place(folder, at)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(path), 0o700)
		}
		if err == nil {
			err = os.Link(have, path)
		}
		if err != nil {
			return settings, "", err
		}
	}
	old, err := os.ReadDir(parts)
	if err != nil {
		return settings, "", err
	}
	for _, e := range old {
		if !needed[e.Name()] {
			err = errors.Join(err, os.Remove(filepath.Join(parts, e.Name())))
		}
	}
	for _, empty := range []string{"templates", "fonts", "forms"} {
		err = errors.Join(err, os.MkdirAll(filepath.Join(folder, empty), 0o700))
	}
	return k.Settings, folder, err
}

// part returns the path of a part, and fetches it if it is not here.
func (w *worker) part(ctx context.Context, g *ground, folder, sum string) (string, error) {
	if !isToken(sum) {
		return "", fmt.Errorf("a part with the name %q", sum)
	}
	path := filepath.Join(folder, sum)
	if have, _, err := sumOf(path); err == nil && have == sum {
		return path, nil
	} else if err == nil {
		if err := os.Remove(path); err != nil {
			return "", err
		}
	}
	fresh := path + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return "", err
	}
	if err := download(ctx, g.parts, stored{Object: sum, Size: -1, SHA256: sum}, fresh, w.times.move); err != nil {
		return "", err
	}
	return path, os.Rename(fresh, path)
}
