// Whether the program's work flows, as /readyz and the page ask.

package watch

import (
	"context"
	"fmt"
	"time"

	"retake.example/internal/farm"
	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/worker"
)

// Program is what the watch looks at.
type Program struct {
	Store *store.Store
	Queue interface {
		Queue
		Loads() []worker.Load
	}
	Contact func() time.Time // when Telegram last answered a poll; nil: the bot is off
	Faults  func() []Fault   // what cannot be used; nil: nothing
	Pauses  func() []Pause   // of calls to Telegram; nil: none
	Board   *Board
	Writer  *Probe // of the database's writer
	Room    interface {
		Room(need int64) error
		Free() (int64, error)
	}
	Farm interface { // nil: videos are not made on other machines
		Workers() []farm.Worker
		Orders() (pending, redelivered int)
	}
	Missing func(ctx context.Context) []string // messages or sentences of what the program lacks
	Longest time.Duration                      // that a render may take
	Began   time.Time
}

// longest is how long an attempt of a kind of work may take; 0: unknown.
func (p *Program) longest(kind store.Kind) time.Duration {
	switch kind {
	case store.Render:
		return p.Longest + 5*time.Minute // and to keep it
	case store.Publish:
		return 0
	}
	return 30 * time.Minute // a video over a slow line
}

// Stuck returns why work does not flow.
func (p *Program) Stuck() []Reason {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var lacks []Reason
	for _, problem := range p.Missing(ctx) {
		if problem != "problem_bot_off" { // on purpose
			lacks = append(lacks, Reason{"setup", lang.Say("en", problem, nil)})
		}
	}
	// The database gets a time of its own: a bucket that hangs must not look like a database that does.
	ctx, cancel = context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	outage, _, spent := p.Queue.Outage()
	state := State{Outage: outage.Began, Writer: p.Writer.Err(ctx), Room: p.Room.Room(0), Backup: p.Board.Reported(Backup)}
	for _, load := range p.Queue.Loads() {
		next, err := p.Store.NextUp(ctx, load.Kind)
		if err != nil {
			return append(lacks, Reason{"database", fmt.Sprintf("The database does not answer: %v.", err)})
		}
		if load.Begun.IsZero() {
			load.Begun = p.Began
		}
		state.Lines = append(
			state.Lines,
			Line{Kind: string(load.Kind), Workers: load.Workers, Idle: load.Idle, Begun: load.Begun,
				Next: next, Longest: p.longest(load.Kind), Held: load.Kind == store.Render && !outage.Began.IsZero() && !spent},
		)
	}
	undelivered, err := p.Store.NotDelivered(ctx, p.Store.Now().Add(-24*time.Hour))
	if err != nil {
		return append(lacks, Reason{"database", fmt.Sprintf("The database does not answer: %v.", err)})
	}
	state.Undelivered = undelivered
	if p.Contact != nil {
		state.BotOn, state.Contact = true, p.Contact()
		if state.Contact.IsZero() {
			state.Contact = p.Began
		}
	}
	if p.Faults != nil {
		state.Faults = butMedia(p.Faults()) // Missing has asked the media store itself
	}
	if p.Pauses != nil {
		state.Pauses = p.Pauses()
	}
	return append(lacks, Reasons(state, p.Store.Now())...)
}
