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
	chat, err := invoke(ctx, t, Call{Method: "getChat"}, t.API.GetChat, &bot.GetChatParams{ChatID: ref})
	if err != nil {
		return c, err
	}
	return Chat{chat.ID, string(chat.Type), chat.Title, chat.Username}, nil
}

// MyRights returns what the bot may do in a channel.
func (t *Talk) MyRights(ctx context.Context, channel int64) (r Rights, err error) {
	m, err := invoke(ctx, t, Call{Method: "getChatMember"}, t.API.GetChatMember,
		&bot.GetChatMemberParams{ChatID: channel, UserID: t.API.ID()})
	if err != nil {
		return r, err
	}
	return RightsOf(m), nil
}

// EditCaption replaces the caption of a post. bold is how much of its start is bold, in UTF-16 units. It returns nil if
// the caption is the same.
func (t *Talk) EditCaption(ctx context.Context, channel int64, message int, caption string, bold int) error {
	p := &bot.EditMessageCaptionParams{ChatID: channel, MessageID: message, Caption: caption,
		CaptionEntities: boldOf(bold)}
	_, err := invoke(ctx, t, Call{Method: "editMessageCaption", Chat: channel}, t.API.EditMessageCaption, p)
	return err
}

// DeletePost deletes a post. Unlike Delete it says if Telegram refuses.
func (t *Talk) DeletePost(ctx context.Context, channel int64, message int) error {
	p := &bot.DeleteMessageParams{ChatID: channel, MessageID: message}
	_, err := invoke(ctx, t, Call{Method: "deleteMessage", Chat: channel}, t.API.DeleteMessage, p)
	return err
}

// boldOf makes the start of a caption bold, in UTF-16 units.
func boldOf(units int) []models.MessageEntity {
	if units == 0 {
		return nil
	}
	return []models.MessageEntity{{Type: models.MessageEntityTypeBold, Length: units}}
}
