// Groups and channels: an answer an hour, or none.

package telegram

import (
	"testing"
	"time"

	"github.com/go-telegram/bot/models"
)

func TestGroups_AreAnsweredOnceAnHourAndChannelsNever(t *testing.T) {
	g, began := NewGroups(time.Second), time.Unix(1_000_000, 0)
	group := models.Chat{ID: -1, Type: models.ChatTypeSupergroup}
	for _, c := range []struct {
		chat models.Chat
		at   time.Duration
		want bool
	}{
		{group, 0, true}, {group, time.Second, false}, {group, 59 * time.Minute, false},
		{models.Chat{ID: -2, Type: models.ChatTypeGroup}, 59 * time.Minute, true},
		{group, time.Hour, true}, {group, time.Hour + 59*time.Minute, false},
		{models.Chat{ID: -2, Type: models.ChatTypeGroup}, time.Hour + 30*time.Minute, false},
		{group, 2 * time.Hour, true}, {group, 100 * time.Hour, true},
		{group, 0, true}, // the clock was set back
		{models.Chat{ID: -3, Type: models.ChatTypeChannel}, 0, false}, {models.Chat{ID: -4, Type: "of 2031"}, 0, false},
		{models.Chat{ID: 5, Type: models.ChatTypePrivate}, 0, true}, {models.Chat{ID: 5, Type: models.ChatTypePrivate}, 0,
			true},
	} {
		if got := g.May(c.chat, began.Add(c.at)); got != c.want {
			t.Errorf("%+v after %v: got %v; want %v", c.chat, c.at, got, c.want)
		}
	}
	for i := range int64(50_000) {
		g.May(models.Chat{ID: -100 - i, Type: models.ChatTypeGroup}, began)
	}
	g.May(group, began.Add(time.Hour))
	g.May(group, began.Add(2*time.Hour))
	if n := len(g.recent) + len(g.older); n > 10 {
		t.Errorf("got %d groups remembered; want those of the last hours", n)
	}
}
