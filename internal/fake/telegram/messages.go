// Messages: what is in a chat, and how the bot sends, edits and deletes it.

package telegram

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

const blockedText = "Forbidden: bot was blocked by the user"

// user and chat are written as Telegram writes them.
type user struct {
	ID           int64  `json:"id"`
	IsBot        bool   `json:"is_bot"`
	FirstName    string `json:"first_name"`
	Username     string `json:"username,omitempty"`
	LanguageCode string `json:"language_code,omitempty"`
}

// chat is a private chat or a group with everything in it.
type chat struct {
	id       int64
	person   *Person // nil = a group
	title    string  // of a group
	name     string  // of a public channel, without the @
	rights   Rights  // of the bot in a channel
	kind     string  // "group", "supergroup" or "channel"
	topics   map[int]string
	kicked   bool   // the bot is not in the group
	movedTo  int64  // the supergroup that the group has become; 0 = none
	instance string // Telegram's opaque name for the chat in presses
	messages []*message
	action   string    // "typing", "upload_video"…: what the bot seems to do
	until    time.Time // the action fades away
	rev      int64     // grows with every change a person could see
}

func (c *chat) wire() map[string]any {
	if c.person != nil {
		return map[string]any{"id": c.id, "type": "private", "first_name": c.person.user.FirstName}
	}
	out := map[string]any{"id": c.id, "type": c.kind, "title": c.title}
	if len(c.topics) > 0 {
		out["is_forum"] = true
	}
	if c.name != "" {
		out["username"] = c.name
	}
	return out
}

// message is one message. Its text is the caption when it has a file.
type message struct {
	id       int
	chat     *chat
	from     user
	at       time.Time
	edited   time.Time
	edits    int
	read     bool // the bot has confirmed the update that told of it
	text     string
	entities []Entity
	buttons  [][]Button
	file     *file
	kind     string // "text", "video", "animation", or the kind a person sent
	extra    any    // the field named kind in a person's non-text message
	preview  json.RawMessage
	topic    int    // of a forum; 0 = none
	album    string // that the message belongs to; "" = none
}

// wire is the message as the Bot API shows it.
func (m *message) wire() map[string]any {
	out := map[string]any{"message_id": m.id, "chat": m.chat.wire(), "date": m.at.Unix()}
	if m.from.ID != 0 {
		out["from"] = m.from
	} else {
		out["sender_chat"] = m.chat.wire()
	}
	if m.topic != 0 {
		out["message_thread_id"], out["is_topic_message"] = m.topic, true
	}
	if m.album != "" {
		out["media_group_id"] = m.album
	}
	if m.edits > 0 {
		out["edit_date"] = m.edited.Unix()
	}
	text, entities := "text", "entities"
	switch {
	case m.file != nil:
		text, entities = "caption", "caption_entities"
		out[m.file.kind] = m.file.wire()
		if m.file.kind == "animation" {
			out["document"] = m.file.document() // for clients older than animations
		}
	case m.extra != nil:
		out[m.kind] = m.extra
	}
	if m.text != "" {
		out[text] = m.text
	}
	if len(m.entities) > 0 {
		out[entities] = m.entities
	}
	if len(m.buttons) > 0 {
		out["reply_markup"] = map[string]any{"inline_keyboard": m.buttons}
	}
	if m.preview != nil {
		out["link_preview_options"] = m.preview
	}
	return out
}

// add puts a message into a chat. The lock must be held.
func (s *Server) add(m *message) {
	s.lastMessage++
	m.id, m.at = s.lastMessage, s.now()
	m.chat.messages = append(m.chat.messages, m)
	if m.from.IsBot {
		m.chat.action = ""
	}
	s.touch(m.chat)
}

// touch says that a chat looks different now.
func (s *Server) touch(c *chat) {
	c.rev++
	s.broadcast()
}

// target is the chat that a send goes to.
func (s *Server) target(r *request) (*chat, *apiError) {
	if r.text("chat_id") == "" {
		return nil, bad("chat_id is empty")
	}
	c := s.chats[r.number("chat_id")]
	switch {
	case c == nil:
		return nil, bad("chat not found")
	case c.person != nil && c.person.deactivated:
		return nil, &apiError{code: 403, text: "Forbidden: user is deactivated"}
	case c.person != nil && c.person.blocked:
		return nil, &apiError{code: 403, text: blockedText}
	case c.movedTo != 0:
		moved := bad("group chat was upgraded to a supergroup chat")
		moved.movedTo = c.movedTo
		return nil, moved
	case c.kicked:
		return nil, &apiError{code: 403, text: "Forbidden: bot was kicked from the " + c.kind + " chat"}
	case c.kind == "channel" && !c.rights.Post:
		return nil, bad("need administrator rights in the channel chat")
	case r.number("message_thread_id") != 0 && c.topics[int(r.number("message_thread_id"))] == "":
		return nil, bad("message thread not found")
	}
	return c, nil
}

func (s *Server) sendMessage(r *request) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.target(r)
	if err != nil {
		return nil, err
	}
	text, entities, err := messageText(r)
	if err != nil {
		return nil, err
	}
	buttons, err := keyboard(r)
	if err != nil {
		return nil, err
	}
	preview, err := linkPreview(r)
	if err != nil {
		return nil, err
	}
	m := &message{chat: c, from: s.bot, kind: "text", text: text, entities: entities, buttons: buttons, preview: preview,
		topic: int(r.number("message_thread_id"))}
	s.add(m)
	return m.wire(), nil
}

func messageText(r *request) (string, []Entity, *apiError) {
	if r.text("text") == "" {
		return "", nil, bad("message text is empty")
	}
	text, entities, err := formatted(r, "text", "entities")
	switch {
	case err != nil:
		return "", nil, err
	case text == "":
		return "", nil, bad("text must be non-empty")
	case units(text) > maxText:
		return "", nil, bad("message is too long")
	}
	return text, entities, nil
}

func caption(r *request) (string, []Entity, *apiError) {
	text, entities, err := formatted(r, "caption", "caption_entities")
	if err == nil && units(text) > maxCaption {
		err = bad("message caption is too long")
	}
	return text, entities, err
}

func linkPreview(r *request) (json.RawMessage, *apiError) {
	raw := r.text("link_preview_options")
	if raw == "" {
		return nil, nil
	}
	var options map[string]any
	if json.Unmarshal([]byte(raw), &options) != nil {
		return nil, bad("object expected as link preview options")
	}
	return json.RawMessage(raw), nil
}

// find returns a message of the chat, nil when it is not or no longer there.
func (c *chat) find(id int) *message {
	for _, m := range c.messages {
		if m.id == id {
			return m
		}
	}
	return nil
}

// editable is the bot's own message that an edit is about.
func (s *Server) editable(r *request) (*message, *apiError) {
	c := s.chats[r.number("chat_id")]
	switch {
	case r.text("chat_id") == "":
		return nil, bad("chat_id is empty")
	case r.text("message_id") == "":
		return nil, bad("message identifier is not specified")
	case c == nil:
		return nil, bad("chat not found")
	}
	m := c.find(int(r.number("message_id")))
	switch {
	case m == nil:
		return nil, bad("message to edit not found")
	case !m.from.IsBot:
		return nil, bad("message can't be edited")
	case c.kind == "channel" && !c.rights.Post:
		return nil, bad("not enough rights to edit the message")
	}
	return m, nil
}

// change is the last step of every edit; a message that would stay the same is
// refused.
func (s *Server) change(m *message, text string, entities []Entity, buttons [][]Button) (any, *apiError) {
	if text == m.text && slices.Equal(entities, m.entities) && sameButtons(buttons, m.buttons) {
		return nil, bad("message is not modified: specified new message content and reply markup are exactly the same" +
			" as a current content and reply markup of the message")
	}
	m.text, m.entities, m.buttons = text, entities, buttons
	m.edits++
	m.edited = s.now()
	s.touch(m.chat)
	return m.wire(), nil
}

func (s *Server) editMessageText(r *request) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.editable(r)
	if err != nil {
		return nil, err
	}
	if m.kind != "text" {
		return nil, bad("there is no text in the message to edit")
	}
	text, entities, err := messageText(r)
	if err != nil {
		return nil, err
	}
	buttons, err := keyboard(r)
	if err != nil {
		return nil, err
	}
	return s.change(m, text, entities, buttons)
}

func (s *Server) editMessageCaption(r *request) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.editable(r)
	if err != nil {
		return nil, err
	}
	if m.file == nil {
		return nil, bad("there is no caption in the message to edit")
	}
	text, entities, err := caption(r)
	if err != nil {
		return nil, err
	}
	buttons, err := keyboard(r)
	if err != nil {
		return nil, err
	}
	return s.change(m, text, entities, buttons)
}

func (s *Server) editMessageReplyMarkup(r *request) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.editable(r)
	if err != nil {
		return nil, err
	}
	buttons, err := keyboard(r)
	if err != nil {
		return nil, err
	}
	return s.change(m, m.text, m.entities, buttons)
}

func (s *Server) deleteMessage(r *request) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.chats[r.number("chat_id")]
	if c == nil {
		return nil, bad("chat not found")
	}
	m := c.find(int(r.number("message_id")))
	switch {
	case m == nil:
		return nil, bad("message to delete not found")
	case c.kind == "channel" && c.rights.Delete:
	case s.now().Sub(m.at) > 48*time.Hour:
		return nil, bad("message can't be deleted for everyone")
	}
	c.messages = slices.DeleteFunc(c.messages, func(other *message) bool { return other == m })
	s.touch(c)
	return true, nil
}

var actions = []string{
	"typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
	"choose_sticker", "find_location", "record_video_note", "upload_video_note",
}

// actionLife is how long a person sees "sending a video…".
const actionLife = 5 * time.Second

func (s *Server) sendChatAction(r *request) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.target(r)
	if err != nil {
		return nil, err
	}
	action := strings.ToLower(r.text("action"))
	if !slices.Contains(actions, action) {
		return nil, bad("wrong parameter action in request")
	}
	c.action, c.until = action, s.now().Add(actionLife)
	s.touch(c)
	return true, nil
}

func (s *Server) getChat(r *request) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, _ := strconv.ParseInt(r.text("chat_id"), 10, 64)
	c := s.chats[id]
	if name, ok := strings.CutPrefix(r.text("chat_id"), "@"); ok {
		for _, other := range s.chats {
			if strings.EqualFold(other.name, name) {
				c = other
			}
		}
	}
	if c == nil {
		return nil, bad("chat not found")
	}
	info := c.wire()
	info["accent_color_id"], info["max_reaction_count"] = 0, 11
	return info, nil
}

// getChatMember tells of the bot itself only.
func (s *Server) getChatMember(r *request) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.chats[r.number("chat_id")]
	switch {
	case c == nil:
		return nil, bad("chat not found")
	case c.kicked:
		return nil, &apiError{code: 403, text: "Forbidden: bot was kicked from the " + c.kind + " chat"}
	case r.number("user_id") != s.me():
		return nil, bad("user not found")
	}
	return s.member(c, !c.kicked), nil
}
