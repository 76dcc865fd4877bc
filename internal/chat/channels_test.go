// Channels that are connected, and lost, by what an owner does in Telegram.

package chat

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-telegram/bot/models"

	"retake.example/internal/store"
)

func TestChannel_IsConnectedByAnOwnerWhoLetsTheBotPost(t *testing.T) {
	schema, err := os.ReadFile("../../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(filepath.Join(t.TempDir(), "retake.db"), store.Options{Schema: string(schema)})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	c, err := New(st, Options{Token: "1000:secret", APIURL: "http://127.0.0.1:1", Second: time.Second, Language: "en",
		Role: func(id int64) (store.Admin, bool) { return store.Admin{ID: id, Owner: id == 8}, id == 7 || id == 8 }},
		slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	admin := func(post bool) models.ChatMember {
		return models.ChatMember{Type: models.ChatMemberTypeAdministrator,
			Administrator: &models.ChatMemberAdministrator{CanPostMessages: post}}
	}
	left := models.ChatMember{Type: models.ChatMemberTypeLeft, Left: &models.ChatMemberLeft{}}
	for i, step := range []struct {
		who       int64
		from, to  models.ChatMember
		connected bool
		want      string
	}{
		{9, left, admin(true), false, ""}, // a stranger
		{7, left, admin(true), false, ""}, // an admin who is no owner
		{8, left, admin(false), false, ""},
		{8, admin(false), admin(true), true, "News CONNECTED"},
		{8, admin(true), admin(true), false, "News CONNECTED"}, // another right has changed
		{9, admin(true), left, false, "News ENDED"},
		{8, left, admin(true), true, "News CONNECTED"},
		{8, admin(true), admin(false), false, "News ENDED"},
	} {
		turn := NewTurn(store.Update{ID: int64(i + 1)}, "en")
		_, connected, err := c.Channel(t.Context(), turn, &models.ChatMemberUpdated{
			Chat: models.Chat{ID: -1001234567890, Type: models.ChatTypeChannel, Title: "News"}, From: models.User{ID: step.who},
			OldChatMember: step.from, NewChatMember: step.to})
		if err != nil || connected != step.connected {
			t.Errorf("%d: got %v, %v; want %v", i, connected, err, step.connected)
		}
		got := ""
		all, err := st.Channels(t.Context())
		for _, ch := range all {
			got += fmt.Sprint(ch.Title, " ", ch.State)
		}
		if err != nil || got != step.want {
			t.Errorf("%d: got %q, %v; want %q", i, got, err, step.want)
		}
	}
}
