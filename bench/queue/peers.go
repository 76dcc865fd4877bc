// peers.go has the queues in Go that Retake's is measured beside, each with the best settings that lose no acknowledged
// job.

package main

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/hibiken/asynq"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/mikestefanello/backlite"
	"github.com/redis/go-redis/v9"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite"

	"retake.example/bench/queue/load"
)

// peers open a queue in the current folder or in the server at the address. They are closed by the end of their
// process.
var peers = map[string]func(ctx context.Context, address string) (load.Queue, error){
	"river":      openRiver(load.Workers),
	"river-2000": openRiver(2000),
	"asynq":      openAsynq,
	"backlite":   openBacklite,
}

var quiet = slog.New(slog.DiscardHandler)

// job is what River and backlite store.
type job struct {
	N int64 `json:"n"`
}

func (job) Kind() string { return "noop" }

func (job) Config() backlite.QueueConfig {
	return backlite.QueueConfig{Name: "noop", MaxAttempts: 3, Backoff: time.Second, Timeout: 10 * time.Second}
}

type riverQueue struct {
	pool     *pgxpool.Pool
	workers  int // also the most jobs that it fetches at once
	producer *river.Client[pgx.Tx]
	client   *river.Client[pgx.Tx] // nil without workers
}

func openRiver(workers int) func(context.Context, string) (load.Queue, error) {
	return func(ctx context.Context, address string) (load.Queue, error) {
		c, err := pgxpool.ParseConfig(address)
		if err != nil {
			return nil, err
		}
		c.MaxConns = 20
		q := &riverQueue{workers: workers}
		if q.pool, err = pgxpool.NewWithConfig(ctx, c); err != nil {
			return nil, err
		}
		m, err := rivermigrate.New(riverpgxv5.New(q.pool), &rivermigrate.Config{Logger: quiet})
		if err != nil {
			return nil, err
		}
		if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return nil, err
		}
		q.producer, err = river.NewClient(
			riverpgxv5.New(q.pool),
			&river.Config{Logger: quiet, FetchCooldown: time.Millisecond},
		)
		return q, err
	}
}

func (q *riverQueue) Enqueue(ctx context.Context, n int64) error {
	c := q.producer
	if q.client != nil { // as a program would that works on its own jobs
		c = q.client
	}
	_, err := c.Insert(ctx, job{n}, nil)
	return err
}

func (q *riverQueue) Bulk(ctx context.Context, from, to int64) error {
	jobs := make([]river.InsertManyParams, 0, to-from)
	for n := from; n < to; n++ {
		jobs = append(jobs, river.InsertManyParams{Args: job{n}})
	}
	_, err := q.producer.InsertManyFast(ctx, jobs)
	return err
}

type riverWorker struct {
	river.WorkerDefaults[job]
	handle func(int64)
}

func (w *riverWorker) Work(_ context.Context, j *river.Job[job]) error {
	w.handle(j.Args.N)
	return nil
}

func (q *riverQueue) Start(_ int, handle func(int64)) error {
	w := river.NewWorkers()
	river.AddWorker(w, &riverWorker{handle: handle})
	var err error
	q.client, err = river.NewClient(riverpgxv5.New(q.pool), &river.Config{Logger: quiet, Workers: w,
		FetchCooldown: time.Millisecond, // the shortest it takes; 100 ms unless set
		Queues:        map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: q.workers}}})
	if err != nil {
		return err
	}
	return q.client.Start(context.Background())
}

func (q *riverQueue) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := q.client.Stop(ctx)
	q.client = nil
	return err
}

func (q *riverQueue) Left(ctx context.Context) (n int64, err error) {
	err = q.pool.QueryRow(ctx, "SELECT count(*) FROM river_job WHERE state <> 'completed'").Scan(&n)
	return n, err
}

func (q *riverQueue) Reset(ctx context.Context) error {
	_, err := q.pool.Exec(ctx, "TRUNCATE river_job")
	return err
}

type asynqQueue struct {
	server    asynq.RedisConnOpt
	redis     *redis.Client
	client    *asynq.Client
	inspector *asynq.Inspector
	worker    *asynq.Server
}

func openAsynq(_ context.Context, address string) (load.Queue, error) {
	o, err := redis.ParseURL(address)
	if err != nil {
		return nil, err
	}
	server := asynq.RedisClientOpt{Addr: o.Addr, Password: o.Password, PoolSize: 40}
	return &asynqQueue{
		server:    server,
		redis:     redis.NewClient(o),
		client:    asynq.NewClient(server),
		inspector: asynq.NewInspector(server),
	}, nil
}

func (q *asynqQueue) Enqueue(ctx context.Context, n int64) error {
	_, err := q.client.EnqueueContext(ctx, asynq.NewTask("noop", strconv.AppendInt(nil, n, 10)))
	return err
}

func (q *asynqQueue) Bulk(context.Context, int64, int64) error { return load.ErrNoBulk }

func (q *asynqQueue) Start(workers int, handle func(int64)) error {
	q.worker = asynq.NewServer(q.server, asynq.Config{Concurrency: workers, LogLevel: asynq.FatalLevel,
		TaskCheckInterval: 2 * time.Millisecond}) // between looks at an empty queue; 1 s unless set
	return q.worker.Start(asynq.HandlerFunc(func(_ context.Context, t *asynq.Task) error {
		n, err := strconv.ParseInt(string(t.Payload()), 10, 64)
		if err == nil {
			handle(n)
		}
		return err
	}))
}

func (q *asynqQueue) Stop() error {
	q.worker.Shutdown()
	return nil
}

func (q *asynqQueue) Left(context.Context) (int64, error) {
	i, err := q.inspector.GetQueueInfo("default")
	if errors.Is(err, asynq.ErrQueueNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return int64(i.Pending + i.Active + i.Scheduled + i.Retry + i.Archived), nil
}

func (q *asynqQueue) Reset(ctx context.Context) error {
	if err := q.redis.FlushDB(ctx).Err(); err != nil {
		return err
	}
	err := q.client.Close() // it remembers that the server knows the queue
	q.client = asynq.NewClient(q.server)
	return err
}

type backliteQueue struct {
	db       *sql.DB
	producer *backlite.Client
	client   *backlite.Client // nil without workers
}

func openBacklite(context.Context, string) (load.Queue, error) {
	db, err := sql.Open(
		"sqlite",
		"file:queue.db?_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=synchronous(full)&_txlock=immediate",
	)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // with more, they wait for each other's locks
	q := &backliteQueue{db: db}
	if q.producer, err = q.open(1, func(int64) {}); err != nil {
		return nil, err
	}
	return q, q.producer.Install()
}

func (q *backliteQueue) open(workers int, handle func(int64)) (*backlite.Client, error) {
	c, err := backlite.NewClient(backlite.ClientConfig{DB: q.db, NumWorkers: workers, ReleaseAfter: 10 * time.Minute})
	if err != nil {
		return nil, err
	}
	c.Register(backlite.NewQueue(func(_ context.Context, j job) error {
		handle(j.N)
		return nil
	}))
	return c, nil
}

func (q *backliteQueue) Enqueue(ctx context.Context, n int64) error {
	c := q.producer
	if q.client != nil { // it wakes its own workers
		c = q.client
	}
	_, err := c.Add(job{n}).Ctx(ctx).Save()
	return err
}

func (q *backliteQueue) Bulk(ctx context.Context, from, to int64) error {
	jobs := make([]backlite.Task, 0, to-from)
	for n := from; n < to; n++ {
		jobs = append(jobs, job{n})
	}
	_, err := q.producer.Add(jobs...).Ctx(ctx).Save()
	return err
}

func (q *backliteQueue) Start(workers int, handle func(int64)) error {
	c, err := q.open(workers, handle)
	if err != nil {
		return err
	}
	c.Start(context.Background())
	q.client = c
	return nil
}

func (q *backliteQueue) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	done := q.client.Stop(ctx)
	q.client = nil
	if !done {
		return errors.New("workers did not stop")
	}
	return nil
}

func (q *backliteQueue) Left(ctx context.Context) (n int64, err error) {
	err = q.db.QueryRowContext(ctx, "SELECT count(*) FROM backlite_tasks").Scan(&n)
	return n, err
}

func (q *backliteQueue) Reset(ctx context.Context) error {
	_, err := q.db.ExecContext(ctx, "DELETE FROM backlite_tasks")
	return err
}
