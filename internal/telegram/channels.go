// Channels: where the bot posts as an admin, and what it may do there.

package telegram

import (
	"context"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
)

// Chat is what Telegram tells of a chat.
type Chat struct {
	ID              int64
	Type            string // channel, private, …
	Title, Username string // Username: without the @; "": it has none
}

// Rights are what the bot may do in a channel.
type Rights struct{ Admin, Post, Edit, Delete bool }

// RightsOf reads them from a member of a channel, the bot.
func RightsOf(m *models.ChatMember) Rights {
	switch a := m.Administrator; {
	case m.Owner != nil:
		return Rights{true, true, true, true}
	case a != nil:
		return Rights{true, a.CanPostMessages, a.CanEditMessages, a.CanDeleteMessages}
	}
	return Rights{}
}

// LookUp returns the chat with an id, or the channel with a name such as "@news".
func (t *Talk) LookUp(ctx context.Context, ref string) (c Chat, err error) {
	err = t.call(ctx, Call{Method: "getChat"}, callTime, func(ctx context.Context) error {
		chat, err := t.API.GetChat(ctx, &bot.GetChatParams{ChatID: ref})
		if err == nil {
			c = Chat{chat.ID, string(chat.Type), chat.Title, chat.Username}
		}
		return err
	})
	return c, err
}

// MyRights returns what the bot may do in a channel.
func (t *Talk) MyRights(ctx context.Context, channel int64) (r Rights, err error) {
	err = t.call(ctx, Call{Method: "getChatMember"}, callTime, func(ctx context.Context) error {
		m, err := t.API.GetChatMember(ctx, &bot.GetChatMemberParams{ChatID: channel, UserID: t.API.ID()})
		if err == nil {
			r = RightsOf(m)
		}
		return err
	})
	return r, err
}

// EditCaption replaces the caption of a post, of which so many UTF-16 units from the start are bold. It is not an error
// if the caption is the same.
func (t *Talk) EditCaption(ctx context.Context, channel int64, message int, caption string, bold int) error {
	p := &bot.EditMessageCaptionParams{ChatID: channel, MessageID: message, Caption: caption,
		CaptionEntities: boldOf(bold)}
	return t.call(ctx, Call{Method: "editMessageCaption", Chat: channel}, callTime, func(ctx context.Context) error {
		_, err := t.API.EditMessageCaption(ctx, p)
		return err
	})
}

// DeletePost deletes a post. Unlike Delete it says if Telegram refuses.
func (t *Talk) DeletePost(ctx context.Context, channel int64, message int) error {
	p := &bot.DeleteMessageParams{ChatID: channel, MessageID: message}
	return t.call(ctx, Call{Method: "deleteMessage", Chat: channel}, callTime, func(ctx context.Context) error {
		_, err := t.API.DeleteMessage(ctx, p)
		return err
	})
}

// boldOf makes so many UTF-16 units from the start of a caption bold.
func boldOf(units int) []models.MessageEntity {
	if units == 0 {
		return nil
	}
	return []models.MessageEntity{{Type: models.MessageEntityTypeBold, Length: units}}
}
