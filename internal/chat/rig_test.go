// What the tests of the chat share: a chat on a real database, with a Telegram that says what a test wants.

package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"retake.example/internal/store"
	"retake.example/internal/testrig"
	"retake.example/internal/video"
)

// scripted is a Telegram whose calls a test sees, as "method text".
type scripted struct {
	mu      sync.Mutex
	calls   []string
	toasts  []string
	buttons []string                                  // the data of those of the last message, row by row
	menus   []menu                                    // that were set
	say     func(method, text string) (answer string) // "": the call worked
}

// menu is one that Telegram was given.
type menu struct {
	Language string
	Chat     int64 // 0: all others
	Commands []struct{ Command, Description string }
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	method, text := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:], r.FormValue("text")
	answer := ""
	switch method {
	case "answerCallbackQuery":
		s.toasts = append(s.toasts, text)
	case "getMe":
		answer = `{"ok":true,"result":{"id":1000,"is_bot":true,"first_name":"Retake","username":"RetakeBot"}}`
	case "setMyCommands":
		m := menu{Language: r.FormValue("language_code")}
		var scope struct {
			Chat int64 `json:"chat_id"`
		}
		json.Unmarshal([]byte(r.FormValue("scope")), &scope)
		json.Unmarshal([]byte(r.FormValue("commands")), &m.Commands)
		m.Chat = scope.Chat
		s.menus = append(s.menus, m)
		answer = `{"ok":true,"result":true}`
	default:
		s.calls = append(s.calls, method+" "+text)
		var markup struct {
			Rows [][]struct {
				Data string `json:"callback_data"`
			} `json:"inline_keyboard"`
		}
		json.Unmarshal([]byte(r.FormValue("reply_markup")), &markup)
		s.buttons = nil
		for _, row := range markup.Rows {
			var data []string
			for _, b := range row {
				data = append(data, b.Data)
			}
			s.buttons = append(s.buttons, strings.Join(data, " "))
		}
		if s.say != nil {
			answer = s.say(method, text)
		}
	}
	if answer == "" {
		answer = fmt.Sprintf(`{"ok":true,"result":{"message_id":%d,"date":1,"chat":{"id":1,"type":"private"}}}`, 100+len(s.calls))
		if method == "answerCallbackQuery" || method == "deleteMessage" {
			answer = `{"ok":true,"result":true}`
		}
	}
	io.WriteString(w, answer)
}

// said are the calls so far.
func (s *scripted) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.calls, "|")
}

// since returns what was said, and the toasts, since the last time.
func (s *scripted) since() (said, toasts string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	said, toasts = strings.Join(s.calls, "|"), strings.Join(s.toasts, "|")
	s.calls, s.toasts = nil, nil
	return said, toasts
}

// shows returns the data of the buttons of the last message, row by row.
func (s *scripted) shows() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.buttons, "|")
}

// newChat is a chat for one template, with user 1. second is that of Telegram's limits.
func newChat(t *testing.T, second time.Duration) (*Chat, *scripted) {
	t.Helper()
	tg := &scripted{}
	server := httptest.NewServer(tg)
	t.Cleanup(server.Close)
	c, err := New(testrig.NewStore(t), Options{Token: "1000:secret", APIURL: server.URL, Second: second, Language: "ru",
		Offers:  video.NewOffers(video.Offer{ID: "new-year", Title: func(string) string { return "New Year" }}),
		CanDraw: func(string, string) error { return nil }}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	testrig.Write(t, c.Store, func(tx *store.Tx) error { _, err := tx.UpsertUser(1, "ru"); return err })
	return c, tg
}

// wishes makes user 1 wait for a video, with the message that tells how far it is.
func wishes(t *testing.T, c *Chat, name string, message int) (a store.Asset) {
	t.Helper()
	testrig.Write(t, c.Store, func(tx *store.Tx) (err error) {
		a, _, err = tx.ShareOrCreate(store.Order{User: 1, Chat: 1, Name: name, Key: strings.ToLower(name),
			Template: "new-year", Lang: "ru", Message: message}, tx.Now())
		return err
	})
	return a
}

// handles runs the handler of an update.
func handles(t *testing.T, c *Chat, turn *Turn, handler func(ctx context.Context) error) {
	t.Helper()
	if err := c.Handle(t.Context(), turn, handler); err != nil {
		t.Fatal(err)
	}
}
