// Contexts that outlive a stop, and wake-up signals.

package worker

import (
	"context"
	"time"
)

// Nudge signals a channel with room for one signal, unless it holds one already.
func Nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Outlive returns a context that ends a while after ctx does.
func Outlive(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(d, cancel) })
	return longer, func() { stop(); cancel() }
}

// UnlessStopped drops an error that the end of ctx caused: a stop is not a failure.
func UnlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
