// The progress messages: how far a request is, edited in place.

package chat

import (
	"context"
	"maps"
	"math"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/worker"
)

// ProgressRest is how many of Telegram's seconds lie between two edits of one message.
const ProgressRest = 3

// outlooker knows how far each asset is.
type outlooker interface {
	viewer
	Outlooks(ctx context.Context) (map[string]worker.Outlook, error)
}

// ShowProgress edits the progress messages after changes, each at most every ProgressRest seconds, until ctx ends.
func (c *Chat) ShowProgress(ctx context.Context, q outlooker) {
	changes := make(chan struct{}, 1)
	defer q.View(func(string, int) { nudge(changes) })()
	seen := map[int64]telegram.Shown{}
	dirty := false
	var rest <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-changes:
			dirty = true
		case <-rest:
			rest = nil
		}
		if !dirty || rest != nil {
			continue
		}
		var err error
		if dirty, err = c.editProgress(ctx, q, seen); err != nil && ctx.Err() == nil {
			c.Log.Warn("show progress", "err", err)
		}
		rest = time.After(ProgressRest * c.Second)
	}
}

// editProgress edits the messages whose difference matters. skipped: Telegram is too busy to be bothered with some.
func (c *Chat) editProgress(ctx context.Context, q outlooker, seen map[int64]telegram.Shown) (skipped bool, err error) {
	watchers, err := c.Store.Watchers(ctx)
	if err != nil {
		return false, err
	}
	outlooks, err := q.Outlooks(ctx)
	if err != nil {
		return false, err
	}
	live := map[int64]bool{}
	for _, w := range watchers {
		live[w.Request] = true
		o := outlooks[w.AssetID]
		now := telegram.Shown{State: string(w.Status), Place: o.Place, Percent: o.Percent, Held: o.Held}
		if old, ok := seen[w.Request]; ok && !old.Matters(now) {
			continue
		}
		if !c.Talk.Gate.Spare(w.Chat) {
			skipped = true
			continue
		}
		if still, err := c.Store.Awaited(ctx, w.Request); err != nil || !still { // cancelled while others were told
			continue
		}
		text := lang.Say(w.Lang, "request_created", nil) + "\n\n" + progressLine(w, o)
		k := CancelKeyboard(w.Lang, w.AssetID, w.Status)
		if err := c.Talk.As(telegram.Courtesy).Edit(ctx, w.Chat, w.Progress, text, k); err != nil {
			if _, waits := retry.After(err); waits {
				return true, nil
			}
			c.Log.Debug("edit a progress message", "asset", w.AssetID, "err", err)
		}
		seen[w.Request] = now
	}
	maps.DeleteFunc(seen, func(id int64, _ telegram.Shown) bool { return !live[id] })
	return skipped, nil
}

func progressLine(w store.Watcher, o worker.Outlook) string {
	switch {
	case w.Status == store.Completed:
		return lang.Say(w.Lang, "progress_sending", nil)
	case w.Status == store.Processing:
		return lang.Say(w.Lang, "progress_percent", lang.Vars{"Percent": o.Percent})
	case o.Held:
		return lang.Say(w.Lang, "progress_held", nil)
	case o.Place <= 1 && o.Left < time.Minute:
		return lang.Say(w.Lang, "progress_next", nil)
	}
	minutes := max(1, int(math.Ceil(o.Left.Minutes())))
	return lang.Say(w.Lang, "progress_place", lang.Vars{"Place": o.Place, "Count": minutes})
}
