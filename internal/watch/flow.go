// Package watch tells whether work flows, and which troubles admins are told of, and when.
package watch

import (
	"context"
	"fmt"
	"sync"
	"time"

	"retake.example/internal/routine"
	"retake.example/internal/store"
)

// Line is how work of one kind goes.
type Line struct {
	Kind          string
	Workers, Idle int
	Begun         time.Time     // when a worker last began a job, or was free to
	Next          time.Time     // since when the next job has waited; zero: none does
	Longest       time.Duration // that a job may take; 0: nobody knows
	Held          bool          // on purpose
}

// grace is how long a job may wait while a worker has nothing to do: to begin it takes a moment.
const grace = time.Minute

// stuck returns what is wrong with a line, "" if nothing is. A long queue is not wrong while it moves.
func (l Line) stuck(now time.Time) string {
	if l.Next.IsZero() || l.Held {
		return ""
	}
	waits := now.Sub(l.Next)
	still := now.Sub(l.Begun)
	if still < 0 { // the clock was set back since
		still = waits
	}
	switch {
	case l.Idle > 0 && min(waits, still) > grace:
		return fmt.Sprintf("%s jobs have waited for %s, and %d of %d workers are idle.", l.Kind, round(waits), l.Idle,
			l.Workers)
	case l.Idle == 0 && l.Longest > 0 && min(waits, still) > l.Longest+grace:
		return fmt.Sprintf("%s jobs wait, and none of the %d workers has ended in %s.", l.Kind, l.Workers, round(still))
	}
	return ""
}

func round(d time.Duration) time.Duration { return max(0, d).Round(time.Second) }

// silence is how long Telegram may not answer the poll, which it keeps open for less than a minute.
const silence = 3 * time.Minute

// State is what Reasons looks at.
type State struct {
	Lines   []Line
	Outage  time.Time // since when videos have failed for a reason that is not their own; zero: they do not
	BotOn   bool
	Contact time.Time // when Telegram last answered the poll, or the program started
	Faults  []Fault   // what cannot be used
	Pauses  []Pause   // of calls to Telegram
	Room    error     // on the disk; nil: enough
	Writer  error     // of the database; nil: it answers
	// messages that were given up in the last day and have not been sent since
	Undelivered store.Given
	Backup      error // the last one; nil: it worked, or there was none. Its text is not shown: anybody may read this
}

// Reason is why work does not flow: a fixed word, one of ReasonCodes, and a sentence.
type Reason struct{ Code, Text string }

// ReasonCodes are all codes of a Reason. Setup is what Missing lists: a program, a font, the bucket, the token.
var ReasonCodes = []string{"setup", "database", Disk, Outage, "stuck", Telegram, Media, Engine, Voice, Undelivered,
	Backup}

// Sentences returns what Reasons say.
func Sentences(reasons []Reason) (texts []string) {
	for _, r := range reasons {
		texts = append(texts, r.Text)
	}
	return texts
}

// Reasons returns why work does not flow. There are none while it does.
func Reasons(s State, now time.Time) (reasons []Reason) {
	add := func(code, format string, args ...any) {
		reasons = append(reasons, Reason{code, fmt.Sprintf(format, args...)})
	}
	if s.Writer != nil {
		add("database", "The database takes no changes: %v.", s.Writer)
	}
	if s.Room != nil {
		add(Disk, "No room: %v.", s.Room)
	}
	if !s.Outage.IsZero() {
		add(Outage, "Videos have failed one after the other for %s: an outage.", round(now.Sub(s.Outage)))
	}
	for _, l := range s.Lines {
		if stuck := l.stuck(now); stuck != "" {
			add("stuck", "%s", stuck)
		}
	}
	told := false // why Telegram is silent
	for _, f := range s.Faults {
		add(f.Cause, "%s", f.sentence(now))
		told = told || f.Cause == Telegram
	}
	if s.BotOn && !told && now.Sub(s.Contact) > silence {
		add(Telegram, "Telegram has not answered for %s.", round(now.Sub(s.Contact)))
	}
	for _, sentence := range paused(s.Pauses, now) {
		add(Telegram, "%s", sentence)
	}
	if n := s.Undelivered.N; n > 0 {
		add(Undelivered, "%d messages were given up, the first of them %s ago: "+
			"the page says why and has a button to send them again.", n, round(now.Sub(s.Undelivered.First)))
	}
	if s.Backup != nil {
		add(Backup, "The last backup failed.")
	}
	return reasons
}

// Cache keeps reasons for a second: frequent questions cost nothing.
type Cache struct {
	mu   sync.Mutex
	at   time.Time
	last []Reason
	ask  func() []Reason
}

// NewCache returns a Cache of what ask returns.
func NewCache(ask func() []Reason) *Cache { return &Cache{ask: ask} }

// Reasons returns what ask returns, or returned within the last second.
func (m *Cache) Reasons() []Reason {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at.IsZero() || time.Since(m.at) > time.Second {
		m.last = m.ask()
		m.at = time.Now()
	}
	return m.last
}

// Sentences returns what Reasons says.
func (m *Cache) Sentences() []string { return Sentences(m.Reasons()) }

// Glance asks something that may take long, such as a bucket, in the background: those who look get the last answer
// rather than wait.
type Glance struct {
	ask  func(ctx context.Context) error
	wait time.Duration

	mu   sync.Mutex
	open chan struct{} // closed with the answer to the question under way; nil: there is none
	last error
}

// NewGlance returns a Glance that waits so long for an answer. ask must have an end of its own.
func NewGlance(wait time.Duration, ask func(ctx context.Context) error) *Glance {
	return &Glance{ask: ask, wait: wait}
}

// Err asks, unless a question is under way, and returns the answer, or that to the question before if there is none in
// time. Before the first answer that is nil.
func (g *Glance) Err() error {
	g.mu.Lock()
	open := g.open
	if open == nil {
		open = make(chan struct{})
		g.open = open
		routine.Go(func() (err error) {
			defer func() {
				g.mu.Lock()
				g.open, g.last = nil, err
				g.mu.Unlock()
				close(open)
			}()
			return g.ask(context.Background())
		})
	}
	g.mu.Unlock()
	late := time.NewTimer(g.wait)
	defer late.Stop()
	select {
	case <-open:
	case <-late.C:
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.last
}

// Probe asks something that may never answer, such as a disk that hangs, and does not wait forever.
type Probe struct {
	ask   func() error
	busy  chan struct{}
	bound time.Duration
}

// NewProbe returns a Probe that waits that long for an answer.
func NewProbe(bound time.Duration, ask func() error) *Probe {
	return &Probe{ask, make(chan struct{}, 1), bound}
}

// Err returns the answer. While one question is open no other is asked.
func (p *Probe) Err(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	late := time.NewTimer(p.bound)
	defer late.Stop()
	var answer <-chan error
	select {
	case p.busy <- struct{}{}:
		answer = routine.Go(func() error {
			defer func() { <-p.busy }()
			return p.ask()
		})
	case <-ctx.Done():
		return ctx.Err()
	case <-late.C:
		return fmt.Errorf("no answer within %v", p.bound)
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-late.C:
		return fmt.Errorf("no answer within %v", p.bound)
	}
}
