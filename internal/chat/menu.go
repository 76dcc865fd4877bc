// The menus of commands behind the slash.

package chat

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/worker"
)

var (
	userCommands = []string{
		"new",
		"status",
		"cancel",
		"language",
		"news", // while announcements are on
		"help",
		"privacy",
		"my_data",
		"delete_my_data",
		"start",
	}
	adminCommands = []string{"admin", "stats"}
)

// viewer tells of changes; see queue.View.
type viewer interface {
	View(told func(assetID string, percent int)) (end func())
}

// KeepMenus offers the commands to everybody, and again where somebody has become an admin or is none any more, until
// ctx ends. Telegram is given only what has changed.
func (c *Chat) KeepMenus(ctx context.Context, q viewer) {
	changes := make(chan struct{}, 1)
	defer q.View(func(asset string, _ int) {
		if asset == "" {
			worker.Nudge(changes)
		}
	})()
	known, err := c.Store.MenuChats(ctx)
	if err != nil && ctx.Err() == nil {
		c.Log.Error("look who has a menu", "err", err)
	}
	for {
		admins, err := c.Store.Admins(ctx, c.Admins)
		if err != nil {
			if admins = known; ctx.Err() == nil {
				c.Log.Error("look who is an admin", "err", err)
			}
		}
		chats := slices.Concat([]int64{0}, known, admins)
		slices.Sort(chats)
		for _, chat := range slices.Compact(chats) {
			c.publishMenus(ctx, chat, slices.Contains(admins, chat), false)
		}
		known = admins
		select {
		case <-ctx.Done():
			return
		case <-changes:
		case chat := <-c.renew:
			c.publishMenus(ctx, chat, slices.Contains(admins, chat), true)
		}
	}
}

// RenewMenu has the menu of a chat sent again, even if it has not changed: Telegram may not have had the chat before.
func (c *Chat) RenewMenu(chat int64) {
	select {
	case c.renew <- chat:
	default: // many are waiting
	}
}

// publishMenus tells Telegram which commands to offer in a chat, in each language: more in that of an admin. 0: all
// others.
func (c *Chat) publishMenus(ctx context.Context, chat int64, admin, anyway bool) {
	names := slices.Clone(userCommands)
	if !c.Announcements {
		names = slices.DeleteFunc(names, func(name string) bool { return name == "news" })
	}
	if admin {
		names = append(names, adminCommands...)
	}
	bot, _, _ := strings.Cut(c.Token, ":")
	for _, language := range append([]string{""}, lang.Languages...) {
		list := make([]telegram.Command, len(names))
		sum := sha256.New()
		fmt.Fprintf(sum, "%s\n", bot)
		for i, name := range names {
			list[i] = telegram.Command{Name: name, Description: lang.Say(cmp.Or(language, c.Language), "command_"+name, nil)}
			fmt.Fprintf(sum, "%s %s\n", name, list[i].Description)
		}
		hash := hex.EncodeToString(sum.Sum(nil)[:16])
		if given, err := c.Store.Menu(ctx, chat, language); err == nil && given == hash && !anyway {
			continue
		}
		err := telegram.Patiently(ctx, func() error { return c.Talk.SetCommands(ctx, language, chat, list) })
		if chat != 0 && !admin { // their number goes, whatever Telegram said
			err = errors.Join(err, c.Store.Tx(ctx, func(tx *store.Tx) error { return tx.DropMenu(chat, language) }))
		} else if err == nil {
			err = c.Store.Tx(ctx, func(tx *store.Tx) error { return tx.KeepMenu(chat, language, hash) })
		}
		if err != nil && ctx.Err() == nil {
			c.Log.Warn("publish the commands", "err", err)
		}
	}
}
