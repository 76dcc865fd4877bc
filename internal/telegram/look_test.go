package telegram

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	faketelegram "retake/internal/fake/telegram"
)

func TestALookTellsWhoTheBotIs(t *testing.T) {
	const token = "123456:secret-of-the-bot-that-nobody-sees"
	tg := faketelegram.New(token)
	server := httptest.NewServer(tg)
	t.Cleanup(func() { tg.Close(); server.Close() })
	if s, err := Look(t.Context(), NewClient(), server.URL, token); err != nil || s.Name == "" || s.Webhook != "" {
		t.Errorf("got %+v, %v; want the bot's name", s, err)
	}
	hooked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"ok":true,"result":{"username":"x","url":"https://elsewhere.example/hook/secret"}}`)
	}))
	t.Cleanup(hooked.Close)
	if s, err := Look(t.Context(), NewClient(), hooked.URL, token); err != nil || s != (Self{"x", "elsewhere.example"}) {
		t.Errorf("got %+v, %v; want the host of the webhook alone", s, err)
	}
	for want, url := range map[string]string{"check telegram.token": server.URL, "cannot be reached": "http://127.0.0.1:1", "makes no address": "http://a b"} {
		_, err := Look(t.Context(), NewClient(), url, token+"x")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "nobody-sees") {
			t.Errorf("%s: got %v; want %q, and no token", url, err, want)
		}
	}
}
