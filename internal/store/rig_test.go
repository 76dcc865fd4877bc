// What the tests of the store as its users see it share: short names of fixtures, and failures without a queue.

package store_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"testing"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/testrig"
)

const day = 24 * time.Hour

var errEngine = errors.New("engine: exit 1")

var (
	openStore     = testrig.OpenStore
	newStore      = testrig.NewStore
	setNow        = testrig.SetNow
	readDB        = testrig.ReadDB
	try           = testrig.Try
	texts         = testrig.Texts
	write         = testrig.Write
	mutate        = testrig.Mutate
	count         = testrig.Count
	text          = testrig.Text
	ask           = testrig.Ask
	wish          = testrig.Wish
	begin         = testrig.Begin
	beginAll      = testrig.BeginAll
	complete      = testrig.Complete
	madeByAdmin   = testrig.MadeByAdmin
	keeps         = testrig.Keeps
	mutateOutside = testrig.MutateOutside
)

func collect[T any](rows *sql.Rows, err error, scan func(*T) error) ([]T, error) {
	return testrig.Collect(rows, err, scan)
}

// retries is what Retry of the queue does to a store. A job that fails fails permanently.
type retries struct{ store *store.Store }

func newRetries(s *store.Store) *retries { return &retries{s} }

func (q *retries) Retry(ctx context.Context, assetID string, why retry.Cause) (out retry.Outcome, err error) {
	err = q.store.Tx(ctx, func(tx *store.Tx) (err error) {
		switch why := why.(type) {
		case retry.JobFailed:
			out, err = retry.GaveUp, tx.GiveUp(why.Job, why.Err.Error(), "")
		case retry.ButtonPressed:
			out, err = retry.RestartForUser(tx, assetID, why)
		case retry.AdminClicked:
			if why.Platform != "" {
				out, err = retry.RestartPublication(tx, assetID, why.Platform, why.Admin, false)
			} else {
				out, _, err = retry.RestartForAll(tx, assetID, why.Admin)
			}
		}
		return err
	})
	return out, err
}

// failForGood makes the next render FAILED.
func failForGood(t testing.TB, q *retries) store.Task {
	t.Helper()
	task := begin(t, q.store, store.Render)
	if _, err := q.Retry(t.Context(), task.AssetID, retry.JobFailed{Job: task.Job, Err: errEngine}); err != nil {
		t.Fatal(err)
	}
	return task
}

func hashOf(token string) [32]byte { return sha256.Sum256([]byte(token)) }
