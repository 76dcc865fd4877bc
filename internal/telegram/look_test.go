// Looks at a bot from outside: who it is, and who has written to it.

package telegram

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	faketelegram "retake.example/internal/fake/telegram"
)

func TestLook_TellsWhoTheBotIs(t *testing.T) {
	const token = "123456:secret-of-the-bot-that-nobody-sees"
	tg := faketelegram.New(token)
	server := httptest.NewServer(tg)
	t.Cleanup(func() { tg.Close(); server.Close() })
	if s, err := Look(t.Context(), NewClient(), server.URL, token); err != nil || s.Name == "" || s.Webhook != "" {
		t.Errorf("got %+v, %v; want the bot's name", s, err)
	}
	tg.Person(7, "Ada", "en").Send("/start")
	if strangers, err := Strangers(t.Context(), NewClient(), server.URL, token, []int64{7, 8}); err != nil ||
		!slices.Equal(strangers, []int64{8}) {
		t.Errorf("got %v, %v; want the one who has not written", strangers, err)
	}
	if strangers, err := Strangers(t.Context(), NewClient(), server.URL, token+"x", []int64{7}); err == nil ||
		len(strangers) > 0 {
		t.Errorf("a token of nobody: got %v, %v; want an error", strangers, err)
	}
	hooked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"ok":true,"result":{"username":"x","url":"https://elsewhere.example/hook/secret"}}`)
	}))
	t.Cleanup(hooked.Close)
	if s, err := Look(t.Context(), NewClient(), hooked.URL, token); err != nil || s != (Self{"x", "elsewhere.example"}) {
		t.Errorf("got %+v, %v; want the host of the webhook alone", s, err)
	}
	for want, url := range map[string]string{"check telegram.token": server.URL,
		"cannot be reached": "http://127.0.0.1:1", "no valid URL": "http://a b"} {
		_, err := Look(t.Context(), NewClient(), url, token+"x")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "nobody-sees") {
			t.Errorf("%s: got %v; want %q, and no token", url, err, want)
		}
	}
}
