// Chats and messages that get few answers or none: groups, channels, albums, service messages.

package chat

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/go-telegram/bot/models"

	"retake.example/internal/lang"
)

// Group answers a command in a group, if it is for this bot, with where the bot works.
func (c *Chat) Group(ctx context.Context, t *Turn, m *models.Message) error {
	if !strings.HasPrefix(m.Text, "/") {
		return nil
	}
	if _, name, named := strings.Cut(strings.Fields(m.Text)[0], "@"); named {
		link, err := c.link(ctx)
		if err != nil {
			return err
		}
		if !strings.HasSuffix(strings.ToLower(link), "/"+strings.ToLower(name)) {
			return nil // another bot's command
		}
	}
	topic := 0
	if m.IsTopicMessage {
		topic = m.MessageThreadID
	}
	return c.Greet(ctx, t, m.Chat, m.From, topic)
}

// Greet says in a group where the bot works: once an hour at the most, in a channel never.
func (c *Chat) Greet(ctx context.Context, t *Turn, chat models.Chat, from *models.User, topic int) error {
	if !t.greets && !c.groups.May(chat, time.Now()) {
		return nil
	}
	t.greets = true // also when it is tried again
	code := ""
	if from != nil {
		code = from.LanguageCode
	}
	link, err := c.link(ctx)
	if err != nil {
		return err
	}
	text := lang.Say(lang.Match(code, c.Language), "group", lang.Vars{"Link": link})
	_, err = c.Talk.InTopic(topic).Send(ctx, chat.ID, text, nil)
	return err
}

// link returns the URL of the bot, which never changes while the program runs.
func (c *Chat) link(ctx context.Context) (string, error) {
	c.self.Lock()
	defer c.self.Unlock()
	if c.self.link == "" {
		link, err := c.Talk.Link(ctx)
		if err != nil {
			return "", err
		}
		c.self.link = link
	}
	return c.self.link, nil
}

type self struct {
	sync.Mutex
	link string
}

// Silent reports whether a message without text gets no answer: Telegram's notes about the chat, and all of an album
// but its first part.
func (c *Chat) Silent(m *models.Message) bool {
	service := m.PinnedMessage != nil || m.MessageAutoDeleteTimerChanged != nil || m.WriteAccessAllowed != nil ||
		m.ConnectedWebsite != "" || m.ChatBackgroundSet != nil || m.UsersShared != nil || m.ChatShared != nil ||
		m.SuccessfulPayment != nil || m.RefundedPayment != nil || m.Gift != nil || m.UniqueGift != nil ||
		m.GiftUpgradeSent != nil || m.PassportData != nil || m.BoostAdded != nil || m.ProximityAlertTriggered != nil ||
		m.DirectMessagePriceChanged != nil || m.PaidMessagePriceChanged != nil || m.WebAppData != nil ||
		m.ChecklistTasksDone != nil || m.ChecklistTasksAdded != nil || m.ForumTopicCreated != nil ||
		m.ForumTopicEdited != nil || m.ForumTopicClosed != nil || m.ForumTopicReopened != nil ||
		m.NewChatTitle != "" || m.NewChatPhoto != nil || m.DeleteChatPhoto
	return service || m.MediaGroupID != "" && !c.albums.first(m.Chat.ID, m.MediaGroupID)
}

// albums knows the last album of each chat, of some thousand chats.
type albums struct {
	mu   sync.Mutex
	last map[int64]string
}

func (a *albums) first(chat int64, album string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last == nil || len(a.last) > 10_000 {
		a.last = map[int64]string{}
	}
	old := a.last[chat]
	a.last[chat] = album
	return old != album
}

// Decode reads an update. A message with a part that the library does not know is read without its parts: the person
// still gets an answer.
func Decode(raw string) (*models.Update, error) {
	var u models.Update
	if json.Unmarshal([]byte(raw), &u) == nil {
		return &u, nil
	}
	var plain struct {
		Message struct {
			ID   int          `json:"message_id"`
			From *models.User `json:"from"`
			Chat models.Chat  `json:"chat"`
			Text string       `json:"text"`
		} `json:"message"`
	}
	m := &plain.Message
	if json.Unmarshal([]byte(raw), &plain) != nil || m.From == nil || m.Chat.Type != models.ChatTypePrivate {
		return nil, ErrShape
	}
	return &models.Update{Message: &models.Message{ID: m.ID, From: m.From, Chat: m.Chat, Text: m.Text}}, nil
}
