// Groups and channels: how seldom a bot for private chats speaks there.

package telegram

import (
	"sync"
	"time"

	"github.com/go-telegram/bot/models"
)

// Groups decides in which chats that are not private an answer is due. It is safe for use by several goroutines.
type Groups struct {
	hour time.Duration

	mu            sync.Mutex
	began         time.Time // of the running hour
	recent, older map[int64]time.Time
}

// NewGroups returns Groups; second is that of NewGate.
func NewGroups(second time.Duration) *Groups {
	return &Groups{hour: 3600 * second, recent: map[int64]time.Time{}, older: map[int64]time.Time{}}
}

// May reports whether an answer may go to a chat now, and counts it as given: at most one an hour to each group, none
// to channels, all to private chats.
func (g *Groups) May(chat models.Chat, now time.Time) bool {
	switch chat.Type {
	case models.ChatTypePrivate:
		return true
	case models.ChatTypeGroup, models.ChatTypeSupergroup:
	default:
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	// Two maps that are forgotten as a whole: each hour the older one, in which all have waited their hour.
	if now.Sub(g.began) >= g.hour || now.Before(g.began) {
		g.began, g.older, g.recent = now, g.recent, map[int64]time.Time{}
	}
	for _, answered := range []map[int64]time.Time{g.recent, g.older} {
		if at, ok := answered[chat.ID]; ok && now.Sub(at) < g.hour && !now.Before(at) {
			return false
		}
	}
	g.recent[chat.ID] = now
	return true
}
