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
func (c *Centre) Film(ctx context.Context, o video.Order, folder string, room func(int64) error,
	progress func(int)) (r video.Received, err error) {
	if !isToken(o.Asset) {
		return r, trouble{text: "an asset with that id cannot be ordered", permanent: true}
	}
	key := keyOf(o.Asset, o.Attempt)
	w, end := c.watch(key)
	defer end()
	tick := time.NewTicker(c.times.tick)
	defer tick.Stop()
	began := time.Now()
	quiet := began // since when nothing is heard of the order, though something should be
	var looked time.Time
	for {
		now := time.Now()
		seen := c.seen(w)
		if seen.over || now.Sub(looked) >= c.times.look {
			f, err := c.settle(ctx, o, key)
			if ctx.Err() != nil {
				return r, context.Cause(ctx)
			}
			if err == nil {
				looked = now
				c.heard()
			}
			if f != nil {
				if r, err = c.take(ctx, *f, o, folder, room); !errors.Is(err, errAgain) {
					return r, err
				}
				looked = time.Time{} // the film is there, and a server on the way is not
			}
		}
		switch {
		case !seen.beaten.IsZero():
			quiet = seen.beaten
		case !c.roster.free(now): // all workers are busy with others
			quiet = now
		}
		if seen.beaten.After(began) {
			progress(seen.percent)
		}
		if of := c.judge(seen, now, quiet); of != nil {
			if of.wait == 0 {
				c.clear(o, fate{})
			}
			return r, *of
		}
		select {
		case <-ctx.Done():
			return r, context.Cause(ctx)
		case <-w.wake:
		case <-tick.C:
		}
	}
}

// seen returns what is known of an order, and takes the news that it is over.
func (c *Centre) seen(w *watched) watched {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := watched{beaten: w.beaten, percent: w.percent, over: w.over}
	w.over = false
	return now
}

// judge returns why nothing may come of an order any more; nil: it goes on.
func (c *Centre) judge(w watched, now, quiet time.Time) *trouble {
	c.mu.Lock()
	timeout, answered := c.timeout, c.answered
	c.mu.Unlock()
	switch {
	case now.Sub(answered) > c.times.away:
		return &trouble{text: "NATS does not answer at " + c.opts.hosts(), code: CodeAway, wait: awayPause}
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
		_, err = c.js.Publish(ctx, orderAt(Protocol, key), text, jetstream.WithExpectStream(ordersStream))
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
func (c *Centre) take(ctx context.Context, f fate, o video.Order, folder string,
	room func(int64) error) (r video.Received, err error) {
	if !f.Done {
		c.clear(o, f)
		if f.Code == CodeParts {
			c.mu.Lock()
			c.kit = "" // it is stored again
			c.mu.Unlock()
		}
		if c.roster.judge(f.Worker, o.Asset, f, time.Now()) {
			routine.Go(func() error { c.blame(f); return nil })
			f.Permanent, f.Wait = false, otherPause
		}
		return r, f.error()
	}
	if err := room(f.Film.Size + f.Still.Size); err != nil {
		return r, err
	}
	g, _, err := c.standing()
	if err != nil {
		return r, fmt.Errorf("%w: %w", errAgain, err)
	}
	r = video.Received{Film: filepath.Join(folder, "video.mp4"), Still: filepath.Join(folder, "thumb.jpg"),
		Width: f.Width, Height: f.Height, Duration: f.Duration, Note: f.Note}
	fetching, cancel := context.WithTimeout(ctx, c.times.fetch)
	defer cancel()
	for _, of := range []struct {
		stored
		path string
	}{{f.Film, r.Film}, {f.Still, r.Still}} {
		if err = os.RemoveAll(of.path); err == nil && of.Size < 0 {
			err = errDamaged // a worker knows its size, and room was looked for by it
		}
		if err == nil {
			err = download(fetching, g.films, of.stored, of.path)
		}
		if err != nil {
			break
		}
	}
	switch {
	case err == nil:
		c.roster.made(f.Worker, time.Now())
		c.clear(o, f)
		return r, nil
	case ctx.Err() != nil:
		return r, context.Cause(ctx)
	case missing(err): // lost: it is made again
		c.clear(o, f)
		return r, waits(CodeFilm, "the film is gone from the farm", otherPause)
	case errors.Is(err, errDamaged) || errors.Is(err, jetstream.ErrDigestMismatch):
		c.clear(o, f)
		return r, failed(CodeFilm, "the film of worker "+f.Worker+": "+errDamaged.Error())
	}
	if _, disk := errors.AsType[*fs.PathError](err); disk {
		return r, err
	}
	return r, fmt.Errorf("%w: %w", errAgain, err)
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
