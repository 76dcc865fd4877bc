// The other side: people, what they do and what they see.

package telegram

import (
	"slices"
	"time"
)

// Person is somebody with a private chat with the bot, whose id is the
// person's. The bot may write at once, as if Start had been pressed before.
type Person struct {
	s    *Server
	user user
	chat *chat

	// Guarded by the server's lock.
	blocked     bool
	deactivated bool
	presses     []*query // not answered yet
	toasts      []Toast
}

// Person returns the person with that id, who is made on the first call; a
// later name or language changes nothing.
func (s *Server) Person(id int64, firstName, languageCode string) *Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.people[id]; p != nil {
		return p
	}
	p := &Person{s: s, user: user{ID: id, FirstName: firstName, LanguageCode: languageCode}}
	p.chat = &chat{id: id, person: p, instance: randomDigits()}
	s.people[id], s.chats[id] = p, p.chat
	s.broadcast()
	return p
}

// ID is the person's id, and that of the private chat.
func (p *Person) ID() int64 { return p.user.ID }

// Send writes a message to the bot and returns its id. Somebody who has
// blocked the bot unblocks it by that, as in Telegram's apps.
func (p *Person) Send(text string) int64 {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.setBlocked(false)
	return p.s.receive(p.chat, &message{from: p.user, kind: "text", text: text, entities: commandsIn(text)})
}

// Press presses a button below a message in the private chat and returns the
// query's id. The data need not be any button's: it can be forged.
func (p *Person) Press(messageID int, data string) string {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.s.press(p, p.chat, messageID, data, false)
}

// PressOld is Press on a message so old that the bot is told only its id
// (an InaccessibleMessage, date 0).
func (p *Person) PressOld(messageID int, data string) string {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.s.press(p, p.chat, messageID, data, true)
}

// Block stops the bot: it is told, and its sends are refused.
func (p *Person) Block() {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.setBlocked(true)
}

// Unblock lets the bot write again.
func (p *Person) Unblock() {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.setBlocked(false)
}

// Blocked says whether the person has blocked the bot.
func (p *Person) Blocked() bool {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.blocked
}

func (p *Person) setBlocked(blocked bool) {
	if p.blocked == blocked {
		return
	}
	p.blocked = blocked
	status := map[bool]string{true: "kicked", false: "member"}
	member := func(blocked bool) map[string]any {
		m := map[string]any{"status": status[blocked], "user": p.s.bot}
		if blocked {
			m["until_date"] = 0
		}
		return m
	}
	p.s.tell("my_chat_member", nil, map[string]any{
		"chat": p.chat.wire(), "from": p.user, "date": p.s.now().Unix(),
		"old_chat_member": member(!blocked), "new_chat_member": member(blocked),
	})
	p.s.touch(p.chat)
}

// Deactivate deletes the person's account: the bot's sends are refused, and it is
// not told.
func (p *Person) Deactivate() {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.deactivated = true
	p.s.touch(p.chat)
}

// Delete deletes a message from the chat, for both sides; the bot is not told. It
// says whether the message was there.
func (p *Person) Delete(messageID int) bool {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	m := p.chat.find(messageID)
	if m == nil {
		return false
	}
	p.chat.messages = slices.DeleteFunc(p.chat.messages, func(other *message) bool { return other == m })
	p.s.touch(p.chat)
	return true
}

// Edit changes a message that the person has sent, and says whether it was there.
func (p *Person) Edit(messageID int64, text string) bool {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	m := p.chat.find(int(messageID))
	if m == nil || m.from.IsBot {
		return false
	}
	m.text, m.entities = text, commandsIn(text)
	m.edits++
	m.edited = p.s.now()
	p.s.tell("edited_message", nil, m.wire())
	p.s.touch(p.chat)
	return true
}

// SendAlbum sends so many photos that belong together: the bot is told of each.
func (p *Person) SendAlbum(photos int) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.setBlocked(false)
	album := randomDigits()
	for range photos {
		p.s.receive(p.chat, &message{from: p.user, kind: "photo", extra: kinds["photo"](), album: album})
	}
}

// Toasts returns the answers to the person's presses, in order.
func (p *Person) Toasts() []Toast {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return slices.Clone(p.toasts)
}

// Messages returns the private chat as the person sees it: in order, edited
// messages in their place, deleted ones gone.
func (p *Person) Messages() []Message {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.chat.view()
}

// Commands returns the menu that the person sees, chosen as Telegram does it:
// the narrowest scope first, and in each the own language before the general.
func (p *Person) Commands() []Command {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.s.commandsFor(p)
}

// Message is a message as a person sees it.
type Message struct {
	ID       int
	FromBot  bool
	From     string // the writer's first name
	Kind     string // "text", "video", "animation", "voice"…
	Text     string // or the caption
	Entities []Entity
	Buttons  [][]Button
	Video    *VideoInfo // of a video or an animation
	Document *FileInfo  // of a document that the bot has sent
	Voice    *FileInfo  // of a voice message that the bot has sent
	Topic    int        // of a forum; 0 = none
	Edited   int        // how often
	Read     bool       // a person's message: the bot has confirmed it
	At       time.Time
}

// VideoInfo is the file of a video message.
type VideoInfo struct {
	FileID        string
	UniqueID      string
	Size          int // bytes
	Width, Height int
	Duration      int    // seconds
	Thumbnail     string // file id, "" = none
	Animation     bool   // it has no sound, so Telegram made an animation of it
}

// FileInfo is the file of a document or a voice message, which has no name.
type FileInfo struct {
	FileID string
	Name   string
}

func (c *chat) view() []Message {
	out := make([]Message, len(c.messages))
	for i, m := range c.messages {
		out[i] = Message{
			ID: m.id, FromBot: m.from.IsBot, From: m.from.FirstName, Kind: m.kind, Text: m.text,
			Entities: slices.Clone(m.entities), Buttons: copyButtons(m.buttons), Topic: m.topic,
			Edited: m.edits, Read: m.read, At: m.at,
		}
		if f := m.file; f != nil && f.kind == "document" {
			out[i].Document = &FileInfo{FileID: f.id, Name: f.name}
		} else if f != nil && f.kind == "voice" {
			out[i].Voice = &FileInfo{FileID: f.id}
		} else if f != nil {
			out[i].Video = &VideoInfo{FileID: f.id, UniqueID: f.unique, Size: len(f.data), Width: f.width, Height: f.height,
				Duration: f.duration, Animation: f.kind == "animation"}
			if f.thumb != nil {
				out[i].Video.Thumbnail = f.thumb.id
			}
		}
	}
	return out
}

// receive puts a person's message into a chat and tells the bot.
func (s *Server) receive(c *chat, m *message) int64 {
	m.chat = c
	s.add(m)
	s.tell("message", m, m.wire())
	return int64(m.id)
}
