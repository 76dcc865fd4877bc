// Channels: an owner makes the bot an admin of one, and takes that back; somebody edits a post.

package chat

import (
	"context"
	"errors"
	"strconv"

	"github.com/go-telegram/bot/models"

	"retake.example/internal/publish"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
)

// Channel connects a channel in which an owner lets the bot post from now on, and records that it may not post in one
// any more. connected: what waits for that channel goes on.
func (c *Chat) Channel(ctx context.Context, t *Turn, m *models.ChatMemberUpdated) (owner store.Admin, connected bool,
	err error) {
	owner, _, err = c.Store.RoleOf(ctx, c.Role, m.From.ID)
	if err != nil {
		return owner, false, err
	}
	could, may := telegram.RightsOf(&m.OldChatMember).Post, telegram.RightsOf(&m.NewChatMember).Post
	external := strconv.FormatInt(m.Chat.ID, 10)
	switch {
	case may && !could && owner.Owner:
	case !may:
		return owner, false, c.Effect(ctx, t, func(tx *store.Tx) ([]Answer, error) {
			return nil, tx.LoseChannel("TELEGRAM", external, "telegram noRights: the bot may not post in the channel any more")
		})
	default: // strangers add the bot to their channels, too
		return owner, false, nil
	}
	u, err := c.Store.RecentUser(ctx, m.From.ID)
	known := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return owner, false, err
	}
	err = c.Effect(ctx, t, func(tx *store.Tx) (answers []Answer, err error) {
		if known { // who has not written to the bot gets no messages
			answers = []Answer{AnswerTo(u, "posting_in", map[string]any{"Name": m.Chat.Title}, nil)}
		}
		if _, err := tx.Connect(store.Channel{Platform: "TELEGRAM", External: external, Title: m.Chat.Title,
			Creator: owner.ID}, []byte{}); err != nil {
			return nil, err
		}
		return answers, tx.Note(store.Event{Admin: &owner.ID, Action: "connect", Platform: "TELEGRAM"})
	})
	return owner, err == nil, err
}

// PostEdited records what somebody has changed in a post that the program has made.
func (c *Chat) PostEdited(ctx context.Context, t *Turn, m *models.Message) error {
	return c.Effect(ctx, t, func(tx *store.Tx) ([]Answer, error) {
		return nil, publish.PostEdited(tx, m.Chat.ID, int64(m.ID), m.Caption)
	})
}
