// Crowds: what Retry does to more people than one transaction has room for.

package retry

import (
	"context"
	"errors"

	"retake.example/internal/store"
)

// ForTheRest links the rest of a crowd to the new try that an admin has asked for: those after a request. Like Retry it
// does not inherit the end of ctx.
func ForTheRest(ctx context.Context, st *store.Store, assetID string, after int64) error {
	for more := true; more; more = after > 0 {
		var last int64
		err := st.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) (err error) {
			last, err = RestartMore(tx, assetID, after)
			return err
		})
		if err != nil {
			return err
		}
		after = last
	}
	return nil
}

// FailCrowds makes all requests FAILED that were too many for the transaction in which their video was given up.
func FailCrowds(ctx context.Context, st *store.Store) (err error) {
	for more := true; more && err == nil; {
		err = st.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) (err error) { more, err = tx.FailCrowds(); return err })
	}
	return err
}

// ResumeCrowds goes on with the crowds that the last process left in the middle.
func ResumeCrowds(ctx context.Context, st *store.Store) error {
	if err := FailCrowds(ctx, st); err != nil {
		return err
	}
	half, err := st.Restarting(ctx)
	for _, id := range half {
		err = errors.Join(err, ForTheRest(ctx, st, id, 0))
	}
	return err
}
