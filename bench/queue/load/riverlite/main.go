// Command riverlite puts the load on River with SQLite in the current folder, and prints the figures.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite"

	"retake.example/bench/queue/load"
)

func main() {
	f, err := run(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(f)
}

func run(ctx context.Context) (load.Figures, error) {
	db, err := sql.Open(
		"sqlite",
		"file:queue.db?_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=synchronous(full)&_txlock=immediate",
	)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // as River's documentation asks
	m, err := rivermigrate.New(riversqlite.New(db), &rivermigrate.Config{Logger: quiet})
	if err != nil {
		return nil, err
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, err
	}
	producer, err := river.NewClient(riversqlite.New(db), &river.Config{Logger: quiet})
	if err != nil {
		return nil, err
	}
	return load.Run(ctx, &queue{db: db, producer: producer})
}

var quiet = slog.New(slog.DiscardHandler)

type job struct {
	N int64 `json:"n"`
}

func (job) Kind() string { return "noop" }

type worker struct {
	river.WorkerDefaults[job]
	handle func(int64)
}

func (w *worker) Work(_ context.Context, j *river.Job[job]) error {
	w.handle(j.Args.N)
	return nil
}

type queue struct {
	db       *sql.DB
	producer *river.Client[*sql.Tx]
	client   *river.Client[*sql.Tx] // nil without workers
}

func (q *queue) Enqueue(ctx context.Context, n int64) error {
	c := q.producer
	if q.client != nil { // it wakes its own workers
		c = q.client
	}
	_, err := c.Insert(ctx, job{n}, nil)
	return err
}

func (q *queue) Bulk(ctx context.Context, from, to int64) error {
	jobs := make([]river.InsertManyParams, 0, to-from)
	for n := from; n < to; n++ {
		jobs = append(jobs, river.InsertManyParams{Args: job{n}})
	}
	_, err := q.producer.InsertManyFast(ctx, jobs)
	return err
}

func (q *queue) Start(workers int, handle func(int64)) error {
	w := river.NewWorkers()
	river.AddWorker(w, &worker{handle: handle})
	var err error
	q.client, err = river.NewClient(
		riversqlite.New(q.db),
		&river.Config{Logger: quiet, Workers: w, FetchCooldown: time.Millisecond,
			Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}}},
	)
	if err != nil {
		return err
	}
	return q.client.Start(context.Background())
}

func (q *queue) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := q.client.Stop(ctx)
	q.client = nil
	return err
}

func (q *queue) Left(ctx context.Context) (n int64, err error) {
	err = q.db.QueryRowContext(ctx, "SELECT count(*) FROM river_job WHERE state <> 'completed'").Scan(&n)
	return n, err
}

func (q *queue) Reset(ctx context.Context) error {
	_, err := q.db.ExecContext(ctx, "DELETE FROM river_job")
	return err
}
