// Groups, forums and channels: chats of several people with the bot in them.

package telegram

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Group is a chat of several people with the bot in it: a group, a supergroup or a
// channel.
type Group struct {
	s    *Server
	chat *chat
}

// Group returns the supergroup with that id, a negative number, which is made on
// the first call.
func (s *Server) Group(id int64, title string) *Group { return s.group(id, title, "supergroup") }

// SmallGroup is Group for a group that has not become a supergroup yet.
func (s *Server) SmallGroup(id int64, title string) *Group { return s.group(id, title, "group") }

// Channel is Group for a channel, in which the bot is an admin who may do everything.
func (s *Server) Channel(id int64, title string) *Group { return s.group(id, title, "channel") }

// Rights are what the bot may do in a channel.
type Rights struct{ Post, Edit, Delete bool }

// SetName makes a channel public: the name is without the @.
func (g *Group) SetName(name string) {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	g.chat.name = name
	g.s.touch(g.chat)
}

// Delete deletes a post of a channel or a message of a group, as an admin does; the bot is not told. It says whether
// the message was there.
func (g *Group) Delete(messageID int) bool { return (&Person{s: g.s, chat: g.chat}).Delete(messageID) }

// SetCaption changes the caption of a post, as an admin of the channel does: the bot is told.
func (g *Group) SetCaption(messageID int, text string) {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	m := g.chat.find(messageID)
	m.text, m.entities = text, nil
	g.s.tell("edited_channel_post", m, m.wire())
	g.s.touch(g.chat)
}

// SetRights changes what the bot may do in a channel: it is told who did that.
func (g *Group) SetRights(by *Person, r Rights) {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	old := g.s.member(g.chat, true)
	g.chat.rights = r
	g.s.tell("my_chat_member", nil, map[string]any{
		"chat": g.chat.wire(), "from": by.user, "date": g.s.now().Unix(),
		"old_chat_member": old, "new_chat_member": g.s.member(g.chat, true),
	})
	g.s.touch(g.chat)
}

// me is the id of the bot as its token has it. The lock must be held.
func (s *Server) me() int64 {
	id, _ := strconv.ParseInt(strings.Split(s.token, ":")[0], 10, 64)
	return id
}

// member is the bot in a chat. The lock must be held.
func (s *Server) member(c *chat, in bool) map[string]any {
	switch {
	case !in:
		return map[string]any{"status": "left", "user": s.bot}
	case c.kind == "channel":
		return map[string]any{"status": "administrator", "user": s.bot, "can_post_messages": c.rights.Post,
			"can_edit_messages": c.rights.Edit, "can_delete_messages": c.rights.Delete}
	}
	return map[string]any{"status": "member", "user": s.bot}
}

func (s *Server) group(id int64, title, kind string) *Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.chats[id] == nil {
		s.chats[id] = &chat{id: id, title: title, kind: kind, instance: randomDigits(), topics: map[int]string{},
			rights: Rights{true, true, true}}
	}
	return &Group{s: s, chat: s.chats[id]}
}

// Send writes a message into the group and returns its id.
func (g *Group) Send(from *Person, text string) int64 { return g.SendIn(0, from, text) }

// SendIn is Send into a topic of a forum; 0 is the group itself.
func (g *Group) SendIn(topic int, from *Person, text string) int64 {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	return g.s.receive(g.chat, &message{from: from.user, kind: "text", text: text, entities: commandsIn(text),
		topic: topic})
}

// SendKind writes a message without text into the group: see Person.SendKind, and
// the service messages new_chat_members, left_chat_member, new_chat_title and
// pinned_message.
func (g *Group) SendKind(from *Person, kind string) int64 {
	content := kinds[kind]
	if content == nil {
		content = g.service(from, kind)
	}
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	return g.s.receive(g.chat, &message{from: from.user, kind: kind, extra: content()})
}

func (g *Group) service(from *Person, kind string) func() any {
	services := map[string]any{
		"new_chat_members": []any{from.user}, "left_chat_member": from.user, "new_chat_title": "Family 2",
		"pinned_message": map[string]any{"chat": g.chat.wire(), "message_id": 1, "date": 0},
	}
	content, ok := services[kind]
	if !ok {
		panic(fmt.Sprintf("telegram: no kind %q; there are %v", kind, slices.Sorted(maps.Keys(services))))
	}
	return func() any { return content }
}

// Post writes into a channel: the bot is told of a channel_post, from nobody.
func (g *Group) Post(text string) int64 {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	m := &message{chat: g.chat, kind: "text", text: text, entities: commandsIn(text)}
	g.s.add(m)
	g.s.tell("channel_post", m, m.wire())
	return int64(m.id)
}

// Topic opens a topic and returns its id. The group is a forum from then on.
func (g *Group) Topic(title string) int {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	g.s.lastMessage++
	g.chat.topics[g.s.lastMessage] = title
	g.s.touch(g.chat)
	return g.s.lastMessage
}

// Press presses a button below a message in the group and returns the query's id.
func (g *Group) Press(from *Person, messageID int, data string) string {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	return g.s.press(from, g.chat, messageID, data, false)
}

// Kick takes the bot out of the group: it is told, and its sends are refused.
func (g *Group) Kick(by *Person) { g.setKicked(by, true) }

// Add puts the bot into the group: it is told, as it is after Kick.
func (g *Group) Add(by *Person) { g.setKicked(by, false) }

func (g *Group) setKicked(by *Person, kicked bool) {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	g.chat.kicked = kicked
	g.s.tell("my_chat_member", nil, map[string]any{
		"chat": g.chat.wire(), "from": by.user, "date": g.s.now().Unix(),
		"old_chat_member": g.s.member(g.chat, kicked), "new_chat_member": g.s.member(g.chat, !kicked),
	})
	g.s.touch(g.chat)
}

// Upgrade makes a supergroup of the group and returns it. Sends to the old id are
// refused from then on, with the new one.
func (g *Group) Upgrade() *Group {
	g.s.mu.Lock()
	id := -1_000_000_000_000 + g.chat.id
	g.chat.movedTo = id
	title := g.chat.title
	g.s.mu.Unlock()
	return g.s.Group(id, title)
}

// Messages returns what is in the group.
func (g *Group) Messages() []Message {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	return g.chat.view()
}
