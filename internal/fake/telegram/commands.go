// The command menu: a list per scope and language.

package telegram

import (
	"encoding/json"
	"regexp"
	"slices"
)

// Command is one line of the menu that a person sees behind the slash.
type Command struct {
	Name        string `json:"command"`
	Description string `json:"description"`
}

// menuKey is where a list holds. Chat and User are set for the scopes that
// name them.
type menuKey struct {
	Type     string `json:"type"`
	Chat     int64  `json:"chat_id"`
	User     int64  `json:"user_id"`
	language string
}

const maxCommands = 100

var (
	commandName  = regexp.MustCompile(`^[a-z0-9_]{1,32}$`)
	languageCode = regexp.MustCompile(`^([a-z]{2})?$`)
	scopes       = []string{"default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat",
		"chat_administrators", "chat_member"}
)

// menuOf reads scope and language of a call. The lock must be held.
func (s *Server) menuOf(r *request) (menuKey, *apiError) {
	key := menuKey{Type: "default"}
	if raw := r.text("scope"); raw != "" {
		if err := json.Unmarshal([]byte(raw), &key); err != nil {
			return key, bad("can't parse BotCommandScope: %v", err)
		}
	}
	key.language = r.text("language_code")
	switch {
	case !slices.Contains(scopes, key.Type):
		return key, bad("can't parse BotCommandScope: Unsupported type specified")
	case !languageCode.MatchString(key.language):
		return key, bad("invalid language code specified")
	case key.Chat != 0 && s.chats[key.Chat] == nil:
		return key, bad("chat not found")
	case key.Chat == 0 && (key.Type == "chat" || key.Type == "chat_administrators" || key.Type == "chat_member"):
		return key, bad("chat_id is empty")
	}
	return key, nil
}

func (s *Server) setMyCommands(r *request) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, err := s.menuOf(r)
	if err != nil {
		return nil, err
	}
	var list []Command
	if json.Unmarshal([]byte(r.text("commands")), &list) != nil {
		return nil, bad("can't parse commands")
	}
	if len(list) > maxCommands {
		return nil, bad("BOT_COMMANDS_TOO_MUCH")
	}
	for _, c := range list {
		if !commandName.MatchString(c.Name) {
			return nil, bad("BOT_COMMAND_INVALID")
		}
		if n := units(c.Description); n < 1 || n > 256 {
			return nil, bad("BOT_COMMAND_DESCRIPTION_INVALID")
		}
	}
	s.menu[key] = list
	s.broadcast()
	return true, nil
}

func (s *Server) getMyCommands(r *request) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, err := s.menuOf(r)
	if err != nil {
		return nil, err
	}
	return append([]Command{}, s.menu[key]...), nil
}

func (s *Server) deleteMyCommands(r *request) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, err := s.menuOf(r)
	if err != nil {
		return nil, err
	}
	delete(s.menu, key)
	s.broadcast()
	return true, nil
}

func (s *Server) commandsFor(p *Person) []Command {
	for _, key := range []menuKey{{Type: "chat", Chat: p.chat.id}, {Type: "all_private_chats"}, {Type: "default"}} {
		for _, language := range []string{p.language(), ""} {
			key.language = language
			if list := s.menu[key]; len(list) > 0 {
				return slices.Clone(list)
			}
		}
	}
	return nil
}

// language is the first part of the person's language code: "ru" of "ru-RU".
func (p *Person) language() string {
	code := p.user.LanguageCode
	return code[:min(2, len(code))]
}
