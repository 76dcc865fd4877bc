// look.go looks at a farm from outside, for somebody who sets it up.

package farm

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
)

// Look connects to a farm and listens until every worker has had the time to say that it is there. The error says what
// to do.
func Look(ctx context.Context, access Access) (workers []Status, err error) {
	l, err := access.connect("retake check", slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	defer l.Close()
	heard := make(chan *nats.Msg, 1000)
	if _, err := l.ChanSubscribe(statSubject+"*", heard); err != nil {
		return nil, fmt.Errorf("farm: %w", err)
	}
	asked, cancel := question(ctx)
	defer cancel()
	for why := l.down(); why != nil; why = l.down() {
		select {
		case <-asked.Done():
			return nil, fmt.Errorf("%s: %w: start nats-server, or change farm.url, farm.credentials or farm.ca",
				access.hosts(), why)
		case <-time.After(usual.tick / 20):
		}
	}
	if _, err := l.js.AccountInfo(asked); err != nil {
		return nil, fmt.Errorf("JetStream at %s: %w: switch it on in the server's configuration", access.hosts(), err)
	}
	seen := map[string]bool{}
	for end := time.After(usual.beat + usual.tick); ; {
		select {
		case <-ctx.Done():
			return workers, ctx.Err()
		case <-end:
			return workers, nil
		case m := <-heard:
			var s Status
			if json.Unmarshal(m.Data, &s) == nil && !seen[s.ID] {
				seen[s.ID] = true
				workers = append(workers, s)
			}
		}
	}
}
