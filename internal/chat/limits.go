// Limits and bans: what is said to somebody who may not ask for a video now.

package chat

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/go-telegram/bot/models"

	"retake.example/internal/lang"
	"retake.example/internal/store"
)

// Limits are those of the settings.
func (o Options) Limits() store.Limits {
	return store.Limits{Open: o.OpenLimit, Hour: o.HourLimit, Day: o.DayLimit, All: o.AllLimit}
}

// refusal turns store.Refused into what the user is told, and returns every other error.
func (c *Chat) refusal(err error, u store.User) ([]Answer, error) {
	r, ok := errors.AsType[store.Refused](err)
	if !ok {
		return nil, err
	}
	return []Answer{{Chat: u.ID, Text: c.Refusal(r, u.Lang)}}, nil
}

// refusals are the messages that say why, by the reason. The banned are told nothing.
var refusals = map[string]string{
	"paused": "limit_paused",
	"open":   "limit_open",
	"hour":   "limit_hour",
	"day":    "limit_day",
	"all":    "limit_all",
}

// Refusal says why a request is refused, and when the next may be made.
func (c *Chat) Refusal(r store.Refused, language string) string {
	text := lang.Say(language, refusals[r.Reason], lang.Vars{"Count": r.Count})
	if r.Until.IsZero() {
		return text
	}
	return text + " " + goesOn(r.Until.Sub(c.Store.Now()), language)
}

// goesOn says in how many minutes or hours it goes on, rounded up: who comes back then is not sent away again.
func goesOn(wait time.Duration, language string) string {
	if minutes := int(math.Ceil(wait.Minutes())); minutes <= 90 {
		return lang.Say(language, "goes_on_minutes", lang.Vars{"Count": max(1, minutes)})
	}
	return lang.Say(language, "goes_on_hours", lang.Vars{"Count": int(math.Ceil(wait.Hours()))})
}

// From lists the person and the chat that an update comes from.
func From(u *models.Update) (ids []int64) {
	for _, m := range []*models.Message{u.Message, u.EditedMessage} {
		if m != nil {
			ids = append(ids, m.Chat.ID)
			if m.From != nil {
				ids = append(ids, m.From.ID)
			}
		}
	}
	if u.CallbackQuery != nil {
		ids = append(ids, u.CallbackQuery.From.ID)
	}
	if u.MyChatMember != nil {
		ids = append(ids, u.MyChatMember.Chat.ID, u.MyChatMember.From.ID)
	}
	return ids
}

// IsBanned reports whether one of the people or groups is banned.
func (c *Chat) IsBanned(ctx context.Context, ids ...int64) (bool, error) {
	for _, id := range ids {
		if banned, err := c.Store.Banned(ctx, id); banned || err != nil {
			return banned, err
		}
	}
	return false, nil
}
