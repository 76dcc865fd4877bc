// What people see of the work: progress, positions, minutes left.

package worker

import (
	"context"
	"slices"
	"time"

	"retake.example/internal/store"
)

// attempt is a render or an upload under way.
type attempt struct {
	asset       string
	publication int64 // of an upload
	percent     int   // of a render
	cancel      context.CancelFunc
}

// Track registers a render or an upload that can be stopped. done must be called when it is over.
func (p *Pool) Track(ctx context.Context, t *store.Task) (stoppable context.Context, done func()) {
	stoppable, cancel := context.WithCancel(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running[t.ID] = &attempt{asset: t.AssetID, publication: t.PublicationID, cancel: cancel}
	return stoppable, func() {
		cancel()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.running, t.ID)
	}
}

// Stop ends the renders and uploads of assets that nobody waits for any more.
func (p *Pool) Stop(assets []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.running {
		if slices.Contains(assets, a.asset) {
			a.cancel()
		}
	}
}

// Uploading reports whether a publication's upload is under way.
func (p *Pool) Uploading(publication int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.running {
		if a.publication == publication {
			return true
		}
	}
	return false
}

// Progress sets how much of a render is done, in percent.
func (p *Pool) Progress(t *store.Task, percent int) {
	p.mu.Lock()
	a := p.running[t.ID]
	changed := a != nil && a.percent != percent
	if changed {
		a.percent = percent
	}
	p.mu.Unlock()
	if changed {
		p.tell(t.AssetID, percent)
	}
}

// renders returns the renders under way, by asset. The lock is held.
func (p *Pool) renders() map[string]*attempt {
	all := map[string]*attempt{}
	for _, a := range p.running {
		if a.publication == 0 {
			all[a.asset] = a
		}
	}
	return all
}

// Busy returns how many videos are being rendered, and how many can be at a time.
func (p *Pool) Busy() (busy, workers int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.renders()), p.opts.Workers[store.Render]
}

// Learn takes the time of a render into the moving average.
func (p *Pool) Learn(took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pace == 0 {
		p.pace = took
	}
	p.pace += (took - p.pace) / 4
}

// View subscribes to changes. told gets the id of an asset that changed ("": any may have), and its percentage if only
// that changed, else 0. It must not wait for anything.
func (p *Pool) View(told func(assetID string, percent int)) (end func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.viewers[&told] = true
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.viewers, &told)
	}
}

func (p *Pool) tell(assetID string, percent int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for told := range p.viewers {
		(*told)(assetID, percent)
	}
}

// Outlook is what can be said about an asset that is being rendered or waits for it.
type Outlook struct {
	Place   int           // 1: next; 0: being rendered
	Percent int           // of a render under way
	Left    time.Duration // until it is finished, roughly; 0: unknown
	Held    bool          // by an outage
	Turn    time.Duration // that Telegram will let the message wait, roughly; the chat sets it
}

// A Forecast tells how far each asset is.
type Forecast interface {
	Outlooks(ctx context.Context) (map[string]Outlook, error)
}

// Outlooks returns the outlook of every asset with a pending render.
func (p *Pool) Outlooks(ctx context.Context) (map[string]Outlook, error) {
	line, err := p.store.Line(ctx)
	if err != nil {
		return nil, err
	}
	began, _, _, spent := p.opts.Outages.State(p.store.Now())
	p.mu.Lock()
	defer p.mu.Unlock()
	running, workers := p.renders(), p.opts.Workers[store.Render]
	out := make(map[string]Outlook, len(line)+len(running))
	for i, id := range line {
		rounds := i/max(1, workers) + 1
		if len(running) >= workers {
			rounds++ // those under way come first
		}
		out[id] = Outlook{Place: i + 1, Left: time.Duration(rounds) * p.pace, Held: !began.IsZero() && !spent}
	}
	for id, a := range running {
		out[id] = Outlook{Percent: a.percent, Left: p.pace * time.Duration(100-a.percent) / 100}
	}
	return out, nil
}
