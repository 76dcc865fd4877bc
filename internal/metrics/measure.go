// What is looked up at each scrape.

package metrics

import (
	"context"
	"os"
	"time"

	"retake.example/internal/backup"
	"retake.example/internal/watch"
)

// Measure looks up the state of a program. stuck has the reasons why its work does not flow, platforms are all there
// are.
func Measure(p *watch.Program, stuck *watch.Cache, backups func() backup.State, platforms []string) (state State,
	err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := p.Store.Census(ctx)
	if err != nil {
		return state, err
	}
	outage, _, _ := p.Queue.Outage()
	state = State{
		Assets:      map[string]int{},
		Platforms:   platforms,
		Needing:     map[string]int{},
		Undelivered: c.Undelivered,
		Advance: map[string]int{"waiting": c.Advance.Waiting, "live": c.Advance.Live, "ready": c.Advance.Ready,
			"failed": c.Advance.Failed},
		Open:     c.Open,
		Wishes:   c.Wishes,
		Inbox:    c.Inbox,
		SetAside: c.SetAside,
		Channels: c.Channels,
		Consents: map[string]int{"agreed": c.Consents.Agreed, "declined": c.Consents.Declined, "ended": c.Consents.Ended,
			"unanswered": c.Consents.Unanswered},
		Announced: c.Announced,
		Files:     map[string]int64{},
		Stuck:     map[string]bool{},
	}
	if state.Free, err = p.Room.Free(); err != nil {
		return state, err
	}
	state.Troubles = map[string]bool{
		watch.Outage:  !outage.Began.IsZero(),
		watch.Disk:    state.Free < watch.LowDisk,
		watch.Channel: c.Channels["ENDED"] > 0,
		watch.Backup:  p.Board.Reported(watch.Backup) != nil,
	}
	if p.Faults != nil {
		for _, f := range p.Faults() {
			state.Troubles[f.Cause] = true
		}
	}
	for _, b := range c.Jobs {
		state.Backlogs = append(state.Backlogs, Backlog{Kind: string(b.Kind), State: b.State, N: b.N, Waiting: b.Waiting})
	}
	for _, l := range p.Queue.Loads() {
		state.Loads = append(state.Loads, Load{Kind: string(l.Kind), Workers: l.Workers, Idle: l.Idle})
	}
	for kind, given := range c.Attention {
		state.Needing[kind] = given.N
	}
	for status, n := range c.Assets {
		state.Assets[string(status)] = n
	}
	for _, p := range c.Publications {
		state.Publications = append(state.Publications, Publications{Platform: p.Platform, Status: string(p.Status), N: p.N})
	}
	if p.Farm != nil {
		state.Farm.Orders, state.Farm.Redelivered = p.Farm.Orders()
		for _, w := range p.Farm.Workers() {
			state.Farm.add(w)
		}
	}
	copies := backups()
	state.Backup, state.BackupCopy = copies.Last, copies.Copied
	for _, r := range stuck.Reasons() {
		state.Stuck[r.Code] = true
	}
	if p.Contact != nil {
		state.BotOn = true
		state.Contact = p.Contact()
	}
	for file, path := range map[string]string{"main": p.Store.Path(), "wal": p.Store.Path() + "-wal"} {
		info, err := os.Stat(path)
		if err != nil {
			return state, err
		}
		state.Files[file] = info.Size()
	}
	return state, nil
}
