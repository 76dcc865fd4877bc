// Groups, forums and channels, and what people do to their messages.

package telegram_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
)

func TestGroups_TheBotIsAddedAndKicked(t *testing.T) {
	w := newWorld(t)
	p := w.Person(5, "Мария", "ru")
	small, channel := w.SmallGroup(-5, "Family"), w.Channel(-1005, "News")
	small.Kick(p)
	if a := w.form("sendMessage", "chat_id", "-5", "text",
		"x"); a.Description != "Forbidden: bot was kicked from the group chat" {
		t.Errorf("got %+v", a)
	}
	small.Add(p)
	w.send(-5, "x")
	channel.Add(p)
	channel.Post("news")
	var kinds []string
	for _, u := range w.updates() {
		kinds = append(kinds, memberStatus(u))
	}
	if got := strings.Join(kinds, " "); got != "group:left group:member channel:administrator channel_post" {
		t.Errorf("got updates %q", got)
	}
}

func TestGroups_OneThatBecameASupergroupSaysWhere(t *testing.T) {
	w := newWorld(t)
	g := w.SmallGroup(-5, "Family")
	big := g.Upgrade()
	_, err := w.bot.SendMessage(w.ctx, &bot.SendMessageParams{ChatID: -5, Text: "x"})
	var moved *bot.MigrateError
	if !errors.As(err, &moved) {
		t.Fatalf("got %v; want where it has moved", err)
	}
	w.send(int64(moved.MigrateToChatID), "x")
	if len(big.Messages()) != 1 {
		t.Errorf("got %+v; want the message in the supergroup", big.Messages())
	}
}

func TestGroups_ATopicIsWrittenToByItsID(t *testing.T) {
	w := newWorld(t)
	p, g := w.Person(5, "Мария", "ru"), w.Group(-100, "Forum")
	topic := g.Topic("Greetings")
	g.SendIn(topic, p, "/start")
	m := w.updates()[0].Message
	if m.MessageThreadID != topic || !m.IsTopicMessage || !m.Chat.IsForum {
		t.Errorf("got %+v; want the topic in it", m)
	}
	if a := w.form("sendMessage", "chat_id", "-100", "text", "x", "message_thread_id", number(int64(topic))); !a.OK {
		t.Errorf("got %+v", a)
	}
	if got := g.Messages(); got[len(got)-1].Topic != topic {
		t.Errorf("got %+v; want the answer in the topic", got)
	}
	a := w.form("sendMessage", "chat_id", "-100", "text", "x", "message_thread_id", "999")
	if a.Description != "Bad Request: message thread not found" {
		t.Errorf("got %+v", a)
	}
}

func TestGroups_ServiceMessagesHaveTheirOwnFields(t *testing.T) {
	w := newWorld(t)
	p, g := w.Person(5, "Мария", "ru"), w.Group(-100, "Family")
	for _, kind := range []string{"new_chat_members", "left_chat_member", "new_chat_title", "pinned_message", "photo"} {
		g.SendKind(p, kind)
	}
	got := w.updates()
	if len(got) != 5 || len(got[0].Message.NewChatMembers) != 1 || got[1].Message.LeftChatMember == nil ||
		got[2].Message.NewChatTitle == "" || got[3].Message.PinnedMessage == nil || len(got[4].Message.Photo) == 0 {
		t.Errorf("got %+v", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("an unknown kind is accepted")
		}
	}()
	g.SendKind(p, "telepathy")
}

func TestPeople_EditDeleteSendAlbumsAndGo(t *testing.T) {
	w := newWorld(t)
	p := w.Person(5, "Мария", "ru")
	id := p.Send("Маша")
	bots := w.send(5, "question")
	if !p.Edit(id, "Саша") || p.Edit(int64(bots.ID), "x") || p.Edit(999, "x") {
		t.Error("a person edits their own messages, and no others")
	}
	if !p.Delete(bots.ID) || p.Delete(bots.ID) {
		t.Error("a person deletes a message once")
	}
	if a := w.form("editMessageText", "chat_id", "5", "message_id", number(int64(bots.ID)), "text",
		"x"); a.Description != "Bad Request: message to edit not found" {
		t.Errorf("got %+v", a)
	}
	p.SendAlbum(3)
	got := w.updates()
	if len(got) != 5 || got[1].Edited == nil || got[1].Edited.Text != "Саша" || got[1].Edited.EditDate == 0 {
		t.Fatalf("got %+v; want the edit", got)
	}
	if a := got[2].Message.MediaGroupID; a == "" || a != got[4].Message.MediaGroupID {
		t.Errorf("got album %q; want one for all three", a)
	}
	p.Deactivate()
	wantText(t, w.try(5, "x"), "Forbidden: user is deactivated")
}

// memberStatus says in short what an update is about.
func memberStatus(u fetched) string {
	if u.Post != nil {
		return "channel_post"
	}
	var m struct {
		Chat models.Chat `json:"chat"`
		New  struct {
			Status string `json:"status"`
		} `json:"new_chat_member"`
	}
	if err := json.Unmarshal(u.Member, &m); err != nil {
		return err.Error()
	}
	return string(m.Chat.Type) + ":" + m.New.Status
}
