// How fast the queue is: what `make bench` measures of Retake beside its peers.

package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"retake.example/internal/store"
	"retake.example/internal/worker"
)

// The measure is that of the peers in bench/queue. A job is a message that is pending for somebody and that nobody
// sends.
const (
	speedJobs      = 20_000
	speedBulk      = 1_000 // jobs of a call: everybody whom one video failed
	speedBulks     = 50    // how often all jobs are owed like that: once takes some milliseconds
	speedProducers = 8
	speedIdle      = 500 // samples
	speedLaps      = 5   // whose medians count: a disk is not as fast as it was some seconds ago
)

// track is a store with people waiting for videos, and a queue whose messages go nowhere.
type track struct {
	*testing.B
	store  *store.Store
	assets []string
	first  int64    // request; the others follow, speedBulk of each asset
	failed []string // assets, of as many
	begun  func()
	laps   map[string][]float64 // figures by their units
}

func (r *track) Send(context.Context, store.Task) (int, string, error) { return 1, "file-id", nil }
func (r *track) Tell(context.Context, store.Task, worker.Forecast) (int, error) {
	r.begun()
	return 2, nil
}
func (r *track) Withdraw(context.Context, int64, int) {}

func newTrack(b *testing.B, finished int) *track {
	b.Helper()
	s, err := openStore(filepath.Join(b.TempDir(), "retake.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	if finished > 0 {
		years(b, s, finished, func([]string) {})
		syscall.Sync() // years are on the disk long before
	}
	r := &track{B: b, store: s, begun: func() {}, laps: map[string][]float64{}}
	for i := range 2 * speedJobs / speedBulk {
		var a store.Asset
		r.must(s.Tx(b.Context(), func(tx *store.Tx) (err error) {
			for person := int64(1); person <= speedBulk; person++ {
				user := int64(i)*speedBulk + person
				if _, err := tx.UpsertUser(user, "ru"); err != nil {
					return err
				}
				if a, _, err = tx.ShareOrCreate(store.Order{User: user, Chat: user, Name: "Маша " + letters(i),
					Key: "маша " + letters(i), Template: "t", Lang: "ru"}, time.Time{}); err != nil {
					return err
				}
			}
			return nil
		}))
		r.assets = append(r.assets, a.ID)
	}
	r.assets, r.failed = r.assets[:speedJobs/speedBulk], r.assets[speedJobs/speedBulk:]
	for _, id := range r.failed {
		mutate(b, s, `UPDATE assets SET status = 'FAILED', error = 'none', finished = 1 WHERE id = ?`, id)
		mutate(b, s, `UPDATE requests SET status = 'FAILED', finished = 1 WHERE asset_id = ?`, id)
	}
	r.must(readDB(b, s).QueryRow(`SELECT min(id) FROM requests WHERE asset_id = ?`, r.assets[0]).Scan(&r.first))
	r.clear()
	return r
}

func (r *track) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// exec changes the database as no verb of the store does.
func (r *track) exec(query string, args ...any) {
	r.Helper()
	mutate(r, r.store, query, args...)
}

func (r *track) clear() { r.Helper(); r.exec(`DELETE FROM jobs`) }

func (r *track) left() (n int) {
	r.Helper()
	r.must(readDB(r, r.store).QueryRow(`SELECT count(*) FROM jobs`).Scan(&n))
	return n
}

// enqueue owes somebody a message.
func (r *track) enqueue(n int) {
	if err := r.store.Tx(context.Background(), func(tx *store.Tx) error {
		return tx.Enqueue(store.Announce, r.assets[n/speedBulk], r.first+int64(n), int64(n)+1)
	}); err != nil {
		panic(err)
	}
}

// produce owes everybody a message, each in a transaction of its own.
func (r *track) produce() {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range speedProducers {
		wg.Go(func() {
			for n := next.Add(1); n <= speedJobs; n = next.Add(1) {
				r.enqueue(int(n - 1))
			}
		})
	}
	wg.Wait()
}

// work runs the queue until jobs have been done and during has ended.
func (r *track) work(jobs int64, during func()) {
	r.Helper()
	done := make(chan struct{})
	var n atomic.Int64
	r.begun = func() {
		if n.Add(1) == jobs {
			close(done)
		}
	}
	stop := r.run()
	during()
	<-done
	stop()
	if left := r.left(); left > 0 {
		r.Fatalf("%d jobs are left", left)
	}
}

// run starts a queue. stop returns when what it had begun is on the disk.
func (r *track) run() (stop func()) {
	q := NewQueue(
		r.store,
		nil,
		r,
		nil,
		Options{Attempts: 3, Backoff: hours, Drain: time.Minute},
		slog.New(slog.DiscardHandler),
	)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- q.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			r.Fatal(err)
		}
	}
}

// note keeps a figure of a lap.
func (r *track) note(v float64, unit string) { r.laps[unit] = append(r.laps[unit], v) }

// perSecond notes how many of n were done in a second.
func (r *track) perSecond(n int, what string, fn func()) {
	r.Helper()
	began := time.Now()
	fn()
	r.note(float64(n)/time.Since(began).Seconds(), what+"/s")
}

// bulk notes how many are owed a message in a second, speedBulk in a transaction.
func (r *track) bulk() {
	r.Helper()
	for _, id := range r.failed { // who was told is not told again
		r.exec(`UPDATE requests SET answer_id = NULL WHERE asset_id = ?`, id)
	}
	var took time.Duration
	for range speedBulks {
		r.clear()
		began := time.Now()
		for _, id := range r.failed {
			r.must(r.store.Tx(r.Context(), func(tx *store.Tx) error { return tx.EnqueueAll(store.Apologise, id) }))
		}
		took += time.Since(began)
	}
	r.note(speedBulks*speedJobs/took.Seconds(), "bulk/s")
}

// idle notes how long it takes from the wish to owe a message until a worker has it.
func (r *track) idle() {
	begun := make(chan time.Time, 1)
	r.begun = func() { begun <- time.Now() }
	stop := r.run()
	r.enqueue(0)
	<-begun
	waits := make([]time.Duration, speedIdle)
	for i := range waits {
		time.Sleep(time.Duration(3+i*7%11) * time.Millisecond) // until it is idle again
		began := time.Now()
		r.enqueue(i + 1)
		waits[i] = (<-begun).Sub(began)
	}
	stop()
	slices.Sort(waits)
	r.note(waits[speedIdle/2].Seconds()*1000, "p50-ms")
	r.note(waits[speedIdle*99/100].Seconds()*1000, "p99-ms")
}

// raw notes how many transactions of one row SQLite commits in a second, one after the other.
func (r *track) raw() {
	d, err := sql.Open(
		"sqlite",
		"file:"+filepath.Join(
			r.TempDir(),
			"raw.db",
		)+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=wal_autocheckpoint(4000)",
	)
	r.must(err)
	defer d.Close()
	d.SetMaxOpenConns(1)
	_, err = d.Exec(`CREATE TABLE jobs (id INTEGER PRIMARY KEY, payload TEXT NOT NULL) STRICT`)
	r.must(err)
	insert, err := d.Prepare(`INSERT INTO jobs (payload) VALUES (?)`)
	r.must(err)
	const n = 5000
	r.perSecond(n, "raw", func() {
		for i := range n {
			if _, err := insert.Exec(fmt.Sprint(i)); err != nil {
				r.Fatal(err)
			}
		}
	})
}

func (r *track) race() {
	for range speedLaps {
		r.raw()
		r.clear()
		r.perSecond(speedJobs, "enqueue", r.produce)
		r.bulk()
		r.perSecond(speedJobs, "drain", func() { r.work(speedJobs, func() {}) })
		r.perSecond(speedJobs, "work", func() { r.work(speedJobs, r.produce) })
		r.idle()
	}
	for unit, all := range r.laps {
		slices.Sort(all)
		r.ReportMetric(all[len(all)/2], unit)
		r.Logf("%.4g %s", all, unit)
	}
	r.ReportMetric(0, "ns/op")
}

func BenchmarkQueue(b *testing.B) {
	for b.Loop() {
		newTrack(b, 0).race()
	}
}

// BenchmarkQueueWithAMillion is BenchmarkQueue in the database of three busy years.
func BenchmarkQueueWithAMillion(b *testing.B) {
	for b.Loop() {
		newTrack(b, 1_000_000).race()
	}
}
