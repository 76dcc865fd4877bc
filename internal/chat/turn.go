// The handling of one update, and how its effect and its end become one transaction.

package chat

import (
	"context"

	"retake.example/internal/store"
)

// Turn is the handling of one update.
type Turn struct {
	Update int64
	Lang   string                      // of the sender, as far as known
	Done   bool                        // the update is marked handled, with its effect
	Rest   func(context.Context) error // what is left to do when the effect is in the database already
}

// Tx runs a transaction that is the whole effect of an update, and marks the update handled in it. then answers; it
// alone is repeated when Telegram asks to wait.
func (c *Chat) Tx(ctx context.Context, t *Turn, fn func(*store.Tx) error, then func(context.Context) error) error {
	err := c.Store.Tx(ctx, func(tx *store.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return tx.Handled(t.Update)
	})
	if err != nil {
		return err
	}
	t.Rest, t.Done = then, true
	return then(ctx)
}
