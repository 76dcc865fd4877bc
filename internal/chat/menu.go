// The menus of commands behind the slash.

package chat

import (
	"cmp"
	"context"
	"slices"

	"retake.example/internal/lang"
	"retake.example/internal/telegram"
)

var (
	userCommands  = []string{"new", "status", "cancel", "language", "help", "privacy", "my_data", "delete_my_data", "start"}
	adminCommands = []string{"admin", "stats"}
)

// viewer tells of changes; see queue.View.
type viewer interface {
	View(told func(assetID string, percent int)) (end func())
}

// KeepMenus offers the commands to everybody, and again where somebody has become an admin or is none any more, until ctx
// ends.
func (c *Chat) KeepMenus(ctx context.Context, q viewer) {
	changes := make(chan struct{}, 1)
	defer q.View(func(asset string, _ int) {
		if asset == "" {
			nudge(changes)
		}
	})()
	var known []int64
	for first := true; ; first = false {
		admins, err := c.Store.Admins(ctx, c.Admins)
		if err != nil {
			if admins = known; ctx.Err() == nil {
				c.Log.Error("look who is an admin", "err", err)
			}
		}
		var changed []int64
		for _, id := range slices.Concat(known, admins) {
			if slices.Contains(known, id) != slices.Contains(admins, id) {
				changed = append(changed, id)
			}
		}
		if first || len(changed) > 0 {
			c.PublishCommands(ctx, admins, changed...)
		}
		known = admins
		select {
		case <-ctx.Done():
			return
		case <-changes:
		}
	}
}

// PublishCommands tells Telegram which commands to offer: in each language, and in some chats, with more in those of
// admins.
func (c *Chat) PublishCommands(ctx context.Context, admins []int64, chats ...int64) {
	err := c.Talk.PublishCommands(ctx, lang.Languages, chats, func(language string, chat int64) (list []telegram.Command) {
		names := userCommands
		if slices.Contains(admins, chat) {
			names = slices.Concat(userCommands, adminCommands)
		}
		for _, name := range names {
			text := lang.Say(cmp.Or(language, c.Language), "command_"+name, nil)
			list = append(list, telegram.Command{Name: name, Description: text})
		}
		return list
	})
	if err != nil && ctx.Err() == nil {
		c.Log.Warn("publish the commands", "err", err)
	}
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
