package load

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

func TestFiguresAreOfJobsThatWereReallyDone(t *testing.T) {
	for _, test := range []struct {
		name string
		q    *memory
		want string // in the error, if any
	}{
		{"a good queue has all figures", &memory{}, ""},
		{"one without bulk has all others", &memory{single: true}, ""},
		{"one that refuses a job has none", &memory{refuses: true}, "job 4321: no"},
		{"one that forgets a job at once has none", &memory{forgets: true}, "holds 19999 jobs; 20000 were accepted"},
		{"one that does not run a job has none", &memory{skips: true}, "20000 jobs are gone, but only 19999 were handled"},
		{"one that runs a job twice has none", &memory{repeats: true}, "job 4321 was handled 2 times"},
		{"one that does not record a job as done has none", &memory{keeps: true},
			"1 of 20000 jobs were handled but not recorded"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, err := Run(t.Context(), test.q)
				if test.want != "" {
					if err == nil || !strings.Contains(err.Error(), test.want) {
						t.Errorf("got %v, %v; want an error with %q", f, err, test.want)
					}
					_ = test.q.Stop()
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				for _, u := range Units {
					if _, ok := f[u]; ok != (u != Bulk || !test.q.single) {
						t.Errorf("%s: got %v", u, ok)
					}
				}
			})
		})
	}
}

// memory is a queue with a fault, which one job shows.
type memory struct {
	single, refuses, forgets, skips, repeats, keeps bool

	mu     sync.Mutex
	wake   *sync.Cond
	jobs   []int64
	left   int64
	ended  bool
	worker sync.WaitGroup
}

const faulty = 4321

func (m *memory) Reset(context.Context) error {
	m.wake, m.jobs, m.left = sync.NewCond(&m.mu), nil, 0
	return nil
}

func (m *memory) Enqueue(_ context.Context, n int64) error { return m.add(n) }

func (m *memory) Bulk(_ context.Context, from, to int64) error {
	if m.single {
		return ErrNoBulk
	}
	for n := from; n < to; n++ {
		if err := m.add(n); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) add(n int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case n == faulty && m.refuses:
		return errors.New("no")
	case n == faulty && m.forgets:
		return nil
	}
	m.jobs = append(m.jobs, n)
	m.left++
	m.wake.Signal()
	return nil
}

func (m *memory) Start(workers int, handle func(int64)) error {
	m.ended = false
	for range workers {
		m.worker.Go(func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			for {
				for len(m.jobs) == 0 && !m.ended {
					m.wake.Wait()
				}
				if m.ended {
					return
				}
				n := m.jobs[0]
				m.jobs = m.jobs[1:]
				m.mu.Unlock()
				if n != faulty || !m.skips {
					handle(n)
				}
				if n == faulty && m.repeats {
					handle(n)
				}
				m.mu.Lock()
				if n != faulty || !m.keeps {
					m.left--
				}
			}
		})
	}
	return nil
}

func (m *memory) Stop() error {
	m.mu.Lock()
	m.ended = true
	m.wake.Broadcast()
	m.mu.Unlock()
	m.worker.Wait()
	return nil
}

func (m *memory) Left(context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.left, nil
}
