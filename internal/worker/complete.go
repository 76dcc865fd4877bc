// Completions: the ends of attempts, written in batches.

package worker

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"time"

	"retake.example/internal/routine"
	"retake.example/internal/store"
)

// Completion is what a finished attempt has to write, and what follows when that is on the disk.
type Completion struct {
	Write   func(*store.Tx) error // ErrNotFound: the job was taken away in the meantime, and nothing is written
	Then    func(gone bool)       // gone: Write returned ErrNotFound; nil: nothing follows
	Outcome string                // "": done
}

// completer commits finished attempts in batches: everything that arrived during the previous commit goes into the next
// one, which also claims new work.
func (p *Pool) completer(draining context.Context, kind store.Kind, ends <-chan *Completion) {
	for end := range ends {
		all := []*Completion{end}
		runtime.Gosched() // attempts that have just begun may have ended
		for len(ends) > 0 {
			all = append(all, <-ends)
		}
		routine.Call(func() error { p.complete(draining, kind, all...); return nil })
		p.out.Add(-len(all))
	}
}

// complete writes the ends of attempts. A nil end is written already.
func (p *Pool) complete(draining context.Context, kind store.Kind, ends ...*Completion) {
	gone := make([]bool, len(ends))
	err := p.RetryWrite(draining, func() error {
		return p.store.Tx(context.WithoutCancel(draining), func(tx *store.Tx) error {
			for i, end := range ends {
				if end == nil {
					continue
				}
				err := end.Write(tx)
				if gone[i] = errors.Is(err, store.ErrNotFound); err != nil && !gone[i] {
					return err
				}
			}
			// Also when all ends are nil: deliveries that waited for this one's upload would sleep until something else happens.
			tx.MarkDue(kind, 0)
			return nil
		})
	})
	if err != nil {
		return
	}
	for i, end := range ends {
		if end == nil {
			continue
		}
		outcome := cmp.Or(end.Outcome, "done")
		if gone[i] {
			outcome = "dropped"
		}
		p.opts.Meter.Ended(string(kind), outcome)
		if end.Then != nil {
			p.out.Add(1)
			routine.Go(func() error {
				defer p.out.Done()
				end.Then(gone[i])
				return nil
			})
		}
	}
}

// RetryWrite repeats fn until it works: what it writes must not be lost because the disk was full for a while. It
// returns the error only when draining has ended, and ErrNotFound at once; the job is then rescued at the next start.
func (p *Pool) RetryWrite(draining context.Context, fn func() error) error {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		err := fn()
		if err == nil || errors.Is(err, store.ErrNotFound) {
			return err
		}
		p.log.Error("database write failed; retrying", "err", err)
		select {
		case <-time.After(pause):
		case <-draining.Done():
			return err
		}
	}
}

// GiveBack takes back an attempt that a stop has interrupted, so that it does not count.
func (p *Pool) GiveBack(draining context.Context, j store.Job) {
	err := p.RetryWrite(draining, func() error {
		return p.store.Tx(context.WithoutCancel(draining), func(tx *store.Tx) error { return tx.GiveBack(j) })
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) { // nobody waits for it any more
		p.log.Error("give an attempt back", "job", j.ID, "asset", j.AssetID, "err", err)
	}
	p.opts.Meter.Ended(string(j.Kind), "given_back")
}
