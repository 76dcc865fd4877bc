// The last look at the queue: thousands who ask at once share it.

package chat

import (
	"context"
	"sync"
	"time"

	"retake.example/internal/store"
	"retake.example/internal/worker"
)

// outlooks keeps the outlooks of all assets for a moment.
type outlooks struct {
	mu   sync.Mutex
	at   time.Time
	last map[string]worker.Outlook

	counted time.Time
	pending int
}

// of returns the outlooks as they were no longer ago than fresh. The map is shared: it is only read.
func (o *outlooks) of(ctx context.Context, q worker.Forecast, fresh time.Duration) (map[string]worker.Outlook, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now := time.Now(); o.last == nil || now.Sub(o.at) >= fresh || now.Before(o.at) {
		last, err := q.Outlooks(ctx)
		if err != nil {
			return nil, err
		}
		o.last, o.at = last, now
	}
	return o.last, nil
}

// owed returns how many messages were to be sent no longer ago than fresh.
func (o *outlooks) owed(ctx context.Context, st *store.Store, fresh time.Duration) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now := time.Now(); o.counted.IsZero() || now.Sub(o.counted) >= fresh || now.Before(o.counted) {
		n, err := st.PendingMessages(ctx)
		if err != nil {
			return 0, err
		}
		o.pending, o.counted = n, now
	}
	return o.pending, nil
}
