// The last look at the queue: thousands who ask at once share it.

package chat

import (
	"context"
	"sync"
	"time"

	"retake.example/internal/worker"
)

// outlooks keeps the outlooks of all assets for a moment.
type outlooks struct {
	mu   sync.Mutex
	at   time.Time
	last map[string]worker.Outlook
}

// of returns the outlooks as they were no longer ago than fresh. The map is shared: it is only read.
func (o *outlooks) of(ctx context.Context, q outlooker, fresh time.Duration) (map[string]worker.Outlook, error) {
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
