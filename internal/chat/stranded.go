// What people see whose video or apology Telegram does not take: their progress message says so, with a button.

package chat

import (
	"context"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
)

// showStranded edits the progress messages of requests whose last message was given up. It returns when to look again;
// zero: when something changes. live gets these requests.
func (c *Chat) showStranded(ctx context.Context, seen map[int64]shown,
	live map[int64]bool) (next time.Time, err error) {
	all, err := c.Store.Stranded(ctx)
	if err != nil {
		return next, err
	}
	for _, r := range all {
		live[r.Request] = true
		text, k := stranded(r)
		if seen[r.Request].text == text {
			continue
		}
		if !c.Talk.Gate.Spare(r.Chat) {
			next = earlier(next, time.Now().Add(c.seconds(1)))
			continue
		}
		if err := c.editStranded(ctx, r, text, k); err != nil {
			if _, waits := retry.After(err); waits {
				return time.Now().Add(c.seconds(1)), nil
			}
			c.Log.Debug("edit a progress message", "asset", r.AssetID, "err", err)
		}
		seen[r.Request] = shown{text: text, at: time.Now()}
	}
	return next, nil
}

// stranded is what such a progress message says: that the video is there, or the apology itself.
func stranded(r store.Stranded) (text string, k telegram.Keyboard) {
	name := lang.Vars{"Name": r.Name}
	if r.Status == store.Failed {
		return lang.Say(r.Lang, "apology", name), RetryKeyboard(r.Lang, r.AssetID)
	}
	return lang.Say(r.Lang, "progress_undelivered", name),
		telegram.Row(telegram.NewButton(lang.Say(r.Lang, "button_get", name), telegram.GetButton, r.AssetID))
}

// editStranded says it unless the message has been pending again since.
func (c *Chat) editStranded(ctx context.Context, r store.Stranded, text string, k telegram.Keyboard) error {
	defer c.lines.hold(r.Chat)()
	if again, err := c.Store.Awaited(ctx, r.Request); err != nil || again {
		return err
	}
	return c.Talk.As(telegram.Courtesy).Edit(ctx, r.Chat, r.Progress, text, k)
}
