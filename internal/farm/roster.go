// roster.go knows the workers: who is there, who is free, and who is the only one that fails.

package farm

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"retake.example/internal/video"
)

// forgotten is how long a worker that is not heard of any more stays in the list.
const forgotten = 10 * time.Minute

// blameAfter is how many different videos a worker must fail in a row, while others make some, to be at fault.
const blameAfter = 3

// Worker is a worker as the centre knows it.
type Worker struct {
	Status
	Heard time.Time `json:"heard"`
	Gone  bool      `json:"gone"` // it should have been heard of since
}

// roster holds the workers that were heard of.
type roster struct {
	opened time.Time
	times  times

	mu  sync.Mutex
	all map[string]*member
}

type member struct {
	Status
	heard  time.Time
	failed map[string]bool // assets that it failed in a row
	since  time.Time       // the first of them
	made   time.Time       // its last film
}

func newRoster(now time.Time, t times) *roster {
	return &roster{opened: now, times: t, all: map[string]*member{}}
}

func (r *roster) hear(s Status, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.all[s.ID]
	if m == nil {
		m = &member{failed: map[string]bool{}}
		r.all[s.ID] = m
	}
	if !s.Since.IsZero() && !s.Now.IsZero() { // its clock may be any
		s.Since, s.Now = now.Add(s.Since.Sub(s.Now)), now
	}
	m.Status, m.heard = s, now
	for id, other := range r.all {
		if now.Sub(other.heard) > forgotten {
			delete(r.all, id)
		}
	}
}

// takes reports whether a worker takes orders.
func (r *roster) takes(m *member, now time.Time) bool {
	return m.Protocol >= Protocol && !m.Drained && now.Sub(m.heard) <= r.times.away
}

// free reports whether some worker has nothing to do and would take an order.
func (r *roster) free(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.all {
		if r.takes(m, now) && m.Busy < m.Cores {
			return true
		}
	}
	return false
}

// empty says in a sentence why no worker takes orders; "": one does, or may still come.
func (r *roster) empty(now time.Time) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	drained, old := false, false
	for _, m := range r.all {
		if r.takes(m, now) {
			return ""
		}
		there := now.Sub(m.heard) <= r.times.away
		drained, old = drained || there && m.Drained, old || there && m.Protocol < Protocol
	}
	switch {
	case now.Sub(r.opened) <= r.times.away:
		return ""
	case drained:
		return "All workers of the farm are drained: let one take orders again."
	case old:
		return "The workers of the farm are older than this program: upgrade them."
	}
	return "No worker of the farm is there: start retake worker."
}

// list returns the workers by id.
func (r *roster) list(now time.Time) (all []Worker) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.all {
		all = append(all, Worker{Status: m.Status, Heard: m.heard, Gone: now.Sub(m.heard) > 5*r.times.beat})
	}
	slices.SortFunc(all, func(a, b Worker) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// made notes that a worker has made a film.
func (r *roster) made(worker string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.all[worker]; m != nil {
		clear(m.failed)
		m.made = now
	}
}

// ofMachine are codes of errors that a machine has, not a video: the centre has looked before it placed the order.
var ofMachine = []string{video.CodeMachine, video.CodeDiskFull, video.CodeCannotDraw, video.CodeTemplate}

// judge notes that a worker has failed an order, and reports whether that is the worker's fault: another one is there
// and works.
func (r *roster) judge(worker, asset string, f fate, now time.Time) (blamed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.all[worker]
	if m == nil {
		return false
	}
	if len(m.failed) == 0 {
		m.since = now
	}
	m.failed[asset] = true
	machine := slices.Contains(ofMachine, f.Code)
	for id, other := range r.all {
		if id == worker || !r.takes(other, now) {
			continue
		}
		if machine && len(other.failed) == 0 || len(m.failed) >= blameAfter && other.made.After(m.since) {
			return true
		}
	}
	return false
}

// nameOf makes a host's name and something random a worker's id.
func nameOf(host, random string) string {
	host, _, _ = strings.Cut(host, ".")
	host = strings.Map(func(r rune) rune {
		if isToken(string(r)) {
			return r
		}
		return '-'
	}, host)
	return cmp.Or(host, "worker") + "-" + strings.ToLower(random)
}
