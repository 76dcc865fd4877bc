// film.go has one film made: it places the order, listens for its signs of life, and takes its fate.

package farm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"retake.example/internal/routine"
	"retake.example/internal/video"
)

// Film has an order made on the farm. It takes up an order that a previous process placed, and the fate of one that
// ended meanwhile. When ctx ends the order stays: the next process, or the next try, takes it up; see Forget.
func (c *Centre) Film(ctx context.Context, o video.Order, to video.Reception, progress func(int)) error {
	if !isToken(o.Asset) {
		return trouble{text: "an asset with that id cannot be ordered", permanent: true}
	}
	key := keyOf(o.Asset, o.Attempt)
	w, end := c.watch(key)
	defer end()
	tick := time.NewTicker(c.times.tick)
	defer tick.Stop()
	began := time.Now()
	quiet := began // since when nothing is heard of the order, though something should be
	last := began
	placed := false
	var looked, refused time.Time // refused: since when the film is there and cannot be fetched
	for {
		now := time.Now()
		if stood := now.Sub(last); stood > c.times.beat { // it is this process that has heard nothing meanwhile
			quiet = quiet.Add(stood)
		}
		last = now
		seen := c.seen(w)
		if seen.over || now.Sub(looked) >= c.times.look {
			f, err := c.settle(ctx, o, key)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err == nil {
				looked, placed = now, true
				c.heard()
			}
			if f != nil {
				if err = c.take(ctx, *f, o, to); !errors.Is(err, errAgain) {
					return err
				}
				looked, quiet = time.Time{}, time.Now() // the film is there, and a server on the way is not
				if refused.IsZero() {
					refused = quiet
				}
				if quiet.Sub(refused) > c.times.away {
					return waits(CodeStore, err.Error(), awayPause)
				}
			}
		}
		switch {
		case seen.beaten.After(quiet):
			quiet = seen.beaten
		case c.deaf(now), seen.beaten.IsZero() && (!placed || !c.roster.free(now)): // all workers are busy with others
			quiet = now
		}
		if seen.beaten.After(began) {
			progress(seen.percent)
		}
		if of := c.judge(seen, now, quiet); of != nil {
			if of.wait == 0 {
				c.clear(o, fate{})
			}
			return *of
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-w.wake:
		case <-tick.C:
		}
	}
}

// seen returns what is known of an order, and takes the news that it is over.
func (c *Centre) seen(w *watched) watched {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := watched{beaten: w.beaten, percent: w.percent, problem: w.problem, since: w.since, over: w.over}
	w.over = false
	return now
}

// judge returns why nothing may come of an order any more; nil: it goes on.
func (c *Centre) judge(w watched, now, quiet time.Time) *trouble {
	c.mu.Lock()
	timeout := c.timeout
	c.mu.Unlock()
	if why := c.away(now); why != "" {
		return &trouble{text: why, code: CodeAway, wait: awayPause}
	}
	switch {
	case w.problem != "" && now.Sub(w.since) > c.times.away:
		return &trouble{text: w.problem, code: CodeStore, wait: awayPause}
	case timeout > 0 && now.Sub(quiet) > timeout:
		return &trouble{text: fmt.Sprintf("no worker has reported on this film for %v", timeout),
			code: video.CodeTimeout}
	case now.Sub(w.beaten) > c.times.away:
		if why := c.roster.empty(now); why != "" {
			return &trouble{text: why, code: CodeEmpty, wait: awayPause}
		}
	}
	return nil
}

// deaf reports whether JetStream has not answered for so long that workers may try to report, and cannot.
func (c *Centre) deaf(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return now.Sub(c.answered) > c.times.ackWait
}

// settle returns the fate of an order. As long as there is none it makes sure that the order is there. A worker stores
// the fate before it takes the order away, so an order that is gone and has no fate is lost: it is placed again.
func (c *Centre) settle(ctx context.Context, o video.Order, key string) (f *fate, err error) {
	g, kit, err := c.standing()
	if err != nil {
		return nil, err
	}
	ctx, cancel := question(ctx)
	defer cancel()
	if f, err = fateAt(ctx, g, key); f != nil || err != nil {
		return f, err
	}
	for range 2 {
		_, err := g.orders.GetLastMsgForSubject(ctx, orderAt(Protocol, key))
		if err == nil {
			return nil, nil
		}
		if !missing(err) {
			return nil, err
		}
		if f, err = fateAt(ctx, g, key); f != nil || err != nil {
			return f, err
		}
		text, err := json.Marshal(order{Asset: o.Asset, Attempt: o.Attempt, Name: o.Name, Lang: o.Lang,
			Template: o.Template, Kit: kit})
		if err != nil {
			return nil, err
		}
		_, err = c.line.js.Publish(ctx, orderAt(Protocol, key), text, jetstream.WithExpectStream(ordersStream))
		if err == nil {
			return nil, nil
		}
		if !refusedTwin(err) {
			return nil, err
		}
	}
	return nil, errors.New("the order is there and is not")
}

// fateAt returns the fate of an order, or nil.
func fateAt(ctx context.Context, g *ground, key string) (*fate, error) {
	m, err := g.fates.GetLastMsgForSubject(ctx, fateSubject+key)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var f fate
	if err := json.Unmarshal(m.Data, &f); err != nil {
		return nil, fmt.Errorf("a fate that cannot be read: %w", err)
	}
	return &f, nil
}

// take fetches the film of a fate, or says what the fate means for the order.
func (c *Centre) take(ctx context.Context, f fate, o video.Order, to video.Reception) error {
	if !f.Done {
		if f.Code == CodeParts {
			c.Renew()
		}
		return c.refuse(o, f, f)
	}
	if err := to.Room(max(0, f.Film.Size) + max(0, f.Still.Size)); err != nil {
		return c.object(o, f, err)
	}
	g, _, err := c.standing()
	if err != nil {
		return fmt.Errorf("%w: %w", errAgain, err)
	}
	r := video.Received{Film: filepath.Join(to.Folder, "video.mp4"), Still: filepath.Join(to.Folder, "thumb.jpg"),
		Width: f.Width, Height: f.Height, Duration: f.Duration, Note: f.Note}
	for _, of := range []struct {
		stored
		path string
	}{{f.Film, r.Film}, {f.Still, r.Still}} {
		if err = os.RemoveAll(of.path); err == nil && of.Size < 0 {
			err = errDamaged // a worker knows its size, and room was looked for by it
		}
		if err == nil {
			err = download(ctx, g.films, of.stored, of.path, c.times.move)
		}
		if err != nil {
			break
		}
	}
	switch {
	case err == nil:
		if err := to.Take(r); err != nil {
			return c.object(o, f, err)
		}
		c.roster.made(f.Worker, time.Now())
		c.clear(o, f)
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case missing(err): // lost: it is made again
		c.clear(o, f)
		return waits(CodeFilm, "the film is gone from the farm", otherPause)
	case errors.Is(err, errDamaged) || errors.Is(err, jetstream.ErrDigestMismatch):
		return c.refuse(o, f, fate{Worker: f.Worker, Code: CodeFilm, Text: errDamaged.Error()})
	}
	if _, disk := errors.AsType[*fs.PathError](err); disk {
		return err
	}
	return fmt.Errorf("%w: %w", errAgain, err)
}

// object handles an objection to a film. One that is not to the film itself leaves it there, for another try.
func (c *Centre) object(o video.Order, f fate, err error) error {
	if code := video.CodeOf(err); code == video.CodeUnplayable || code == video.CodeTooLarge {
		return c.refuse(o, f, fateOf(f.Worker, err))
	}
	return err
}

// refuse clears an order away that has failed, and returns what that means for it. If the worker is at fault, that one
// is drained, and the order waits for another.
func (c *Centre) refuse(o video.Order, f, why fate) error {
	c.clear(o, f)
	if c.roster.judge(why.Worker, o.Asset, why, time.Now()) {
		blamed := why // a copy: the goroutine reads it while why is changed below
		routine.Go(func() error { c.blame(blamed); return nil })
		why.Permanent, why.Wait = false, otherPause
	}
	return why.error()
}

// errAgain says that a film is there and could not be fetched.
var errAgain = errors.New("fetch the film again")

// clear removes an order, the fates of its asset and its film. What cannot be removed now expires within the hour, and
// an order that has a fate is not made again.
func (c *Centre) clear(o video.Order, f fate) {
	g, _, err := c.standing()
	if err != nil {
		return
	}
	ctx, cancel := question(context.Background())
	defer cancel()
	err = errors.Join(c.drop(ctx, g, f),
		g.orders.Purge(ctx, jetstream.WithPurgeSubject(orderAt(Protocol, keyOf(o.Asset, o.Attempt)))),
		g.fates.Purge(ctx, jetstream.WithPurgeSubject(fateSubject+o.Asset+".*")))
	if err != nil {
		c.log.Warn("clear an order away; it expires within the hour", "asset", o.Asset, "err", err)
	}
}

// blame drains a worker whose machine is at fault.
func (c *Centre) blame(f fate) {
	c.log.Warn("a worker is drained, because others make what it cannot", "worker", f.Worker, "code", f.Code)
	if err := c.Drain(context.Background(), f.Worker, true, f.Text); err != nil {
		c.log.Warn("drain a worker", "worker", f.Worker, "err", err)
	}
}
