// A Telegram channel as a platform, with the queue and its Retry.

package main

import (
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"retake.example/internal/chat"
	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/store"
)

func TestTelegramChannel_GoesThroughTheQueueAndRetry(t *testing.T) {
	b := newBroadcaster(t, nil)
	chats := faketelegram.New("1000:secret")
	server := httptest.NewServer(chats)
	t.Cleanup(func() {
		chats.Close()
		server.Close()
	})
	boss, news := chats.Person(8, "Boss", "en"), chats.Channel(-1001234567890, "News")
	c, err := chat.New(b.store, chat.Options{Token: "1000:secret", APIURL: server.URL, Second: time.Millisecond},
		slog.New(slog.NewTextHandler(b.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	b.talk = &c.Talk
	b.equip(b.files)
	channel, err := b.studio.Join(t.Context(), "TELEGRAM", "-1001234567890", owner8)
	if err != nil {
		t.Fatal(err)
	}
	b.film("V.mp4", 3000)
	id := b.video("V.mp4", 3000)
	m := described
	m.Privacy = "public"
	write(t, b.store, func(tx *store.Tx) error {
		return tx.Publish(id, store.Publication{Platform: "TELEGRAM", Channel: channel.ID, Creator: 8, Metadata: m,
			Step: "scheduled", PublishAt: tx.Now().Add(time.Hour)})
	})
	news.SetRights(boss, faketelegram.Rights{})
	b.run()
	if n := len(news.Messages()); n != 0 {
		t.Fatalf("got %d posts before their time", n)
	}

	// The bot has lost its rights: all that waits fails, and goes on when the channel is connected again.
	b.ahead.Add(int64(2 * time.Hour))
	b.queue.Wake()
	b.becomes(id, "TELEGRAM", "FAILED reconnect")
	news.SetRights(boss, faketelegram.Rights{Post: true, Edit: true, Delete: true})
	if _, err := b.studio.Join(t.Context(), "TELEGRAM", "-1001234567890", owner8); err != nil {
		t.Fatal(err)
	}
	p := b.becomes(id, "TELEGRAM", "COMPLETED ")
	posts := news.Messages()
	if len(posts) != 1 || p.Upload.URL == "" || p.Channel != channel.ID {
		t.Errorf("got %+v, %+v; want one post", posts, p)
	}
	deleted, err := b.studio.Remove(t.Context(), id, "TELEGRAM", owner8)
	if err != nil || !deleted || len(news.Messages()) != 0 {
		t.Errorf("got %v, %v, %d posts; want it gone", deleted, err, len(news.Messages()))
	}
}
