// Claims: work for idle workers, taken in the transaction that leaves it.

package worker

import (
	"time"

	"retake.example/internal/store"
)

// Claim takes work for idle workers, in the transaction that leaves it: one fsync from a request to its work, and one
// from the end of a job to the next.
func (p *Pool) Claim(tx *store.Tx) error {
	for _, kind := range tx.Due() {
		for more := true; more; {
			limit := store.MessageWorkers
			if kind == store.Render { // an outage admits one at a time
				limit = 1
			}
			if limit = p.reserve(kind, limit); limit == 0 {
				break
			}
			var tasks []store.Task
			var err error
			if kind != store.Render || p.opts.Outages.Allow(tx.Now()) {
				tasks, err = tx.Claim(kind, false, limit)
				if kind == store.Render && len(tasks) == 0 {
					p.opts.Outages.Undo()
				}
			}
			tx.Tasks = append(tx.Tasks, tasks...)
			p.release(kind, limit-len(tasks))
			if err != nil {
				return err
			}
			more = len(tasks) == limit
		}
	}
	return nil
}

// reserve takes at most n idle workers of a kind.
func (p *Pool) reserve(kind store.Kind, n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	// n first: ctx is nil before work has begun, and in commands.
	if n = min(n, p.idle[kind]); n == 0 || p.ctx.Err() != nil {
		return 0
	}
	p.idle[kind] -= n
	p.out.Add(n)
	return n
}

// release gives back workers that have begun nothing.
func (p *Pool) release(kind store.Kind, n int) {
	p.free(kind, n)
	p.out.Add(-n)
}

func (p *Pool) free(kind store.Kind, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle[kind] += n
}

// Settled begins the work that a transaction has claimed, if that is on the disk, and tells the viewers.
func (p *Pool) Settled(tx *store.Tx, done bool) {
	for i := range tx.Tasks {
		t := &tx.Tasks[i]
		if done {
			p.hasBegun(t.Kind, tx.Now())
			p.begin(t)
		}
	}
	if !done {
		p.Undone(tx)
		Nudge(p.look) // it may have been the one to claim what others left
		return
	}
	if tx.Later() {
		Nudge(p.look)
	}
	for _, id := range tx.Touched() {
		p.tell(id, 0)
	}
}

// Undone gives back what a run of a transaction has claimed that was rolled back. The next run claims it again.
func (p *Pool) Undone(tx *store.Tx) {
	for i := range tx.Tasks {
		if tx.Tasks[i].Kind == store.Render {
			p.opts.Outages.Undo()
		}
		p.release(tx.Tasks[i].Kind, 1)
	}
}

func (p *Pool) hasBegun(kind store.Kind, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun[kind] = at
}
