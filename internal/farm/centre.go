// centre.go is the half beside the database: it keeps the streams, knows the workers, and clears away what is over.

package farm

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"retake.example/internal/video"
)

// times are how often things happen.
type times struct {
	beat    time.Duration // between two signs of life of an order or a worker
	ackWait time.Duration // without one, until another worker gets the order
	away    time.Duration // without an answer of NATS or a worker, until orders wait at no cost
	tick    time.Duration // between two looks at the clock
	look    time.Duration // between two checks that an order is still there
	move    time.Duration // for a file, until it is fetched or stored again; see moving
}

var usual = times{beat: 3 * time.Second, ackWait: 10 * time.Second, away: time.Minute, tick: time.Second,
	look: 20 * time.Second, move: 30 * time.Second}

// oldPart is how long a part stays that the kit no longer has: orders of the previous kit may be under way.
const oldPart = 24 * time.Hour

// Options are the operator's choices for the centre.
type Options struct {
	Access
	Replicas int // servers that keep each stream: 1, 3 or 5
}

// Centre places orders and receives films. It implements video.Farm. A nil Centre is a farm that is off.
type Centre struct {
	opts   Options
	times  times
	log    *slog.Logger
	line   *line
	roster *roster

	mu          sync.Mutex // guards what follows
	ground      *ground    // nil: the streams are not known to be there
	kit         string     // sha256 of the kit; "": it is not stored
	timeout     time.Duration
	answered    time.Time // when JetStream last answered
	problem     error     // why the farm was not ready the last time; nil: it was
	pending     int       // orders that no worker has begun, or that are under way
	redelivered int
	watched     map[string]*watched // by key
}

// ground is what the centre keeps in NATS.
type ground struct {
	orders, fates jetstream.Stream
	films, parts  jetstream.ObjectStore
	queue         jetstream.Consumer
}

// watched is an order under way, as its signs of life tell.
type watched struct {
	wake chan struct{} // something has happened

	// guarded by Centre.mu
	beaten    time.Time // zero: no worker has begun it
	percent   int
	delivered int
	problem   string // why its worker cannot finish it
	since     time.Time
	over      bool
}

// Open prepares a centre. It returns at once: NATS may be away. Run does the rest.
func Open(opts Options, log *slog.Logger) (*Centre, error) { return open(opts, usual, log) }

func open(opts Options, t times, log *slog.Logger) (*Centre, error) {
	l, err := opts.connect("retake", log)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	c := &Centre{opts: opts, times: t, log: log, line: l, answered: now, roster: newRoster(now, t),
		watched: map[string]*watched{}}
	for subject, heard := range map[string]nats.MsgHandler{beatSubject + ">": c.beat, statSubject + "*": c.status} {
		if _, err := l.Subscribe(subject, heard); err != nil {
			l.Close()
			return nil, fmt.Errorf("farm: %w", err)
		}
	}
	return c, nil
}

// Close ends the connection.
func (c *Centre) Close() {
	if c != nil {
		c.line.Close()
	}
}

// Renew has the kit stored again before the next order is placed: what is offered has changed.
func (c *Centre) Renew() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kit = ""
}

// Run keeps the streams and the kit in place until ctx ends.
func (c *Centre) Run(ctx context.Context, kit func() (video.Kit, error)) {
	if c == nil {
		return
	}
	for {
		err := c.keep(ctx, kit)
		if ctx.Err() != nil {
			return
		}
		pause := 5 * c.times.tick
		if err != nil {
			c.line.complain("the farm is not ready", err)
			pause = c.times.tick
		}
		c.mu.Lock()
		if c.problem = err; err == nil {
			c.answered = time.Now()
		}
		c.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// keep makes what is missing in NATS, and counts the orders.
func (c *Centre) keep(ctx context.Context, kit func() (video.Kit, error)) error {
	c.mu.Lock()
	g, stored := c.ground, c.kit != ""
	c.mu.Unlock()
	if g == nil {
		var err error
		if g, err = c.prepare(ctx); err != nil {
			return err
		}
		c.mu.Lock()
		c.ground = g
		c.mu.Unlock()
	}
	if !stored {
		k, err := kit()
		if err != nil {
			return fmt.Errorf("what films are made with: %w", err)
		}
		sum, err := c.stock(ctx, g, k)
		if err != nil {
			return fmt.Errorf("store what films are made with: %w", err)
		}
		c.mu.Lock()
		c.kit, c.timeout = sum, k.Timeout
		c.mu.Unlock()
	}
	asked, cancel := question(ctx)
	defer cancel()
	info, err := g.queue.Info(asked)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.ground = nil // somebody may have removed it
		return err
	}
	c.pending = int(info.NumPending) + info.NumAckPending
	return nil
}

// prepare makes the streams, the stores and the queue, unless they are there.
func (c *Centre) prepare(ctx context.Context) (g *ground, err error) {
	if err := c.line.down(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 4*askFor)
	defer cancel()
	g = &ground{}
	for i, to := range []*jetstream.Stream{&g.orders, &g.fates} {
		of := streams(c.opts.Replicas)[i]
		if *to, err = c.line.js.CreateOrUpdateStream(ctx, of); errors.Is(err, nats.ErrNoResponders) {
			return nil, errors.New("its JetStream is off, or has stopped because its disk is full")
		} else if err != nil {
			return nil, fmt.Errorf("stream %s: %w", of.Name, err)
		}
	}
	for i, to := range []*jetstream.ObjectStore{&g.films, &g.parts} {
		of := buckets(c.opts.Replicas)[i]
		if *to, err = c.line.js.CreateOrUpdateObjectStore(ctx, of); err != nil {
			return nil, fmt.Errorf("object store %s: %w", of.Bucket, err)
		}
	}
	g.queue, err = g.orders.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{Durable: consumerOf(Protocol),
		FilterSubject: orderAt(Protocol, "*.*"), AckPolicy: jetstream.AckExplicitPolicy, AckWait: c.times.ackWait,
		MaxAckPending: 10_000})
	return g, err
}

// stock stores the files of a kit that are not stored yet, and then the kit under the sha256 that it returns.
func (c *Centre) stock(ctx context.Context, g *ground, from video.Kit) (string, error) {
	there := map[string]time.Time{}
	list, err := g.parts.List(ctx)
	if err != nil && !errors.Is(err, jetstream.ErrNoObjectsFound) {
		return "", err
	}
	for _, o := range list {
		there[o.Name] = o.ModTime
	}
	k := kit{Settings: from, Files: map[string]string{}}
	k.Settings.Files = nil
	for at, path := range from.Files {
		sum, _, err := sumOf(path)
		if err == nil && there[sum].IsZero() {
			var part stored
			if part, err = upload(ctx, g.parts, sum, path, c.times.move); err == nil && part.SHA256 != sum {
				err = cmp.Or(g.parts.Delete(ctx, sum), errors.New("it has changed meanwhile"))
			}
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		k.Files[at] = sum
		there[sum] = time.Now()
	}
	text, err := json.Marshal(k) // maps come in order
	if err != nil {
		return "", err
	}
	h := sha256.Sum256(text)
	sum := hex.EncodeToString(h[:])
	if there[sum].IsZero() {
		if _, err := g.parts.Put(ctx, jetstream.ObjectMeta{Name: sum}, bytes.NewReader(text)); err != nil {
			return "", err
		}
	}
	there[sum] = time.Now()
	for name, stored := range there {
		if time.Since(stored) > oldPart {
			if err := g.parts.Delete(ctx, name); err != nil {
				return "", err
			}
		}
	}
	return sum, nil
}

// standing returns what is in NATS, or an error as long as it is not there.
func (c *Centre) standing() (g *ground, kit string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ground == nil || c.kit == "" {
		return nil, "", errors.New("the farm is not ready yet")
	}
	return c.ground, c.kit, nil
}

// heard notes that NATS has answered.
func (c *Centre) heard() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answered = time.Now()
}

// beat takes a sign of life of an order.
func (c *Centre) beat(m *nats.Msg) {
	var b beat
	if json.Unmarshal(m.Data, &b) != nil || len(m.Subject) < len(beatSubject) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.watched[m.Subject[len(beatSubject):]]
	if w == nil {
		return
	}
	if b.Delivered > max(1, w.delivered) {
		c.redelivered++
	}
	w.beaten, w.percent, w.over = time.Now(), b.Percent, w.over || b.Over
	w.delivered = max(w.delivered, b.Delivered)
	if w.problem == "" {
		w.since = w.beaten
	}
	w.problem = b.Problem
	w.nudge()
}

// status takes what a worker says of itself.
func (c *Centre) status(m *nats.Msg) {
	var s Status
	if json.Unmarshal(m.Data, &s) != nil || !isToken(s.ID) {
		return
	}
	c.roster.hear(s, time.Now())
}

func (w *watched) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// watch begins to listen for the signs of life of an order.
func (c *Centre) watch(key string) (w *watched, end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w = &watched{wake: make(chan struct{}, 1)}
	c.watched[key] = w
	return w, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.watched, key)
	}
}

// Ready returns nil if films can be made, or an error of one sentence that says why not.
func (c *Centre) Ready() error {
	now := time.Now()
	if why := c.away(now); why != "" {
		return waits(CodeAway, why, awayPause)
	}
	if why := c.roster.empty(now); why != "" {
		return waits(CodeEmpty, why, awayPause)
	}
	return nil
}

// away says in a sentence why JetStream has not answered for long; "": it has.
func (c *Centre) away(now time.Time) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.answered) <= c.times.away {
		return ""
	}
	return fmt.Sprintf("The farm's server does not answer, or refuses (%s: %v): start nats-server, or change the "+
		"settings under farm.", c.opts.hosts(), cmp.Or(c.problem, errors.New("no answer")))
}

// Forget removes orders of assets that nobody wants any more, and what has become of them, and stops the workers that
// are making them. What it cannot remove now expires within the hour.
func (c *Centre) Forget(assets []string) {
	if c == nil {
		return
	}
	g, _, err := c.standing()
	if err != nil {
		return // nothing was ordered since the start, or nobody answers
	}
	// All orders go first: a worker that stops making one film takes the next order.
	for _, remove := range []func(g *ground, asset string) error{c.forgetOrders, c.forgetFilms} {
		for _, asset := range assets {
			if !isToken(asset) {
				continue
			}
			if err := remove(g, asset); err != nil {
				c.log.Warn("remove orders from the farm; they expire within the hour", "asset", asset, "err", err)
				return // the others would wait for the same answer
			}
		}
	}
}

func (c *Centre) forgetOrders(g *ground, asset string) error {
	ctx, cancel := question(context.Background())
	defer cancel()
	return g.orders.Purge(ctx, jetstream.WithPurgeSubject(orderSubject+"*."+asset+".*"))
}

func (c *Centre) forgetFilms(g *ground, asset string) error {
	ctx, cancel := question(context.Background())
	defer cancel()
	err := c.line.Publish(stopSubject+asset, nil)
	m, lookErr := g.fates.GetLastMsgForSubject(ctx, fateSubject+asset+".*")
	if lookErr != nil {
		if missing(lookErr) {
			lookErr = nil
		}
		return errors.Join(err, lookErr)
	}
	var f fate
	if json.Unmarshal(m.Data, &f) == nil {
		err = errors.Join(err, c.drop(ctx, g, f))
	}
	return errors.Join(err, g.fates.Purge(ctx, jetstream.WithPurgeSubject(fateSubject+asset+".*")))
}

// drop removes the film and the still of a fate.
func (c *Centre) drop(ctx context.Context, g *ground, f fate) (err error) {
	for _, s := range []stored{f.Film, f.Still} {
		if s.Object != "" {
			if gone := g.films.Delete(ctx, s.Object); !missing(gone) {
				err = cmp.Or(err, gone)
			}
		}
	}
	return err
}

// Workers returns the workers that were heard of lately, by id.
func (c *Centre) Workers() []Worker {
	if c == nil {
		return nil
	}
	return c.roster.list(time.Now())
}

// On reports whether videos are made on a farm.
func (c *Centre) On() bool { return c != nil }

// Orders returns how many orders are open in NATS, and how often an order went to another worker since the start.
func (c *Centre) Orders() (pending, redelivered int) {
	if c == nil {
		return 0, 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pending, c.redelivered
}

// Drain asks a worker to take no more orders, or to take them again. What it has begun it finishes.
func (c *Centre) Drain(ctx context.Context, worker string, on bool, reason string) error {
	if c == nil || !isToken(worker) {
		return ErrNoWorker
	}
	text, err := json.Marshal(drain{On: on, Reason: reason})
	if err != nil {
		return err
	}
	ctx, cancel := question(ctx)
	defer cancel()
	answer, err := c.line.RequestWithContext(ctx, drainSubject+worker, text)
	if errors.Is(err, nats.ErrNoResponders) {
		return ErrNoWorker
	}
	if err != nil {
		return fmt.Errorf("worker %s: %w", worker, err)
	}
	c.status(answer)
	return nil
}

// ErrNoWorker says that no worker of that name is there.
var ErrNoWorker = errors.New("no worker of that name is there")
