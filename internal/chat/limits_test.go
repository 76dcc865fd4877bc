// Tests of what is said to somebody who may not ask for a video now.

package chat

import (
	"slices"
	"testing"
	"time"

	"github.com/go-telegram/bot/models"

	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/testrig"
)

func TestRefusal_NobodyWhoComesBackThenIsSentAwayAgain(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		-time.Minute:                   "It goes on in 1 minute.",
		time.Second:                    "It goes on in 1 minute.",
		time.Minute:                    "It goes on in 1 minute.",
		time.Minute + time.Millisecond: "It goes on in 2 minutes.",
		89*time.Minute + time.Second:   "It goes on in 90 minutes.",
		90 * time.Minute:               "It goes on in 90 minutes.",
		90*time.Minute + time.Second:   "It goes on in 2 hours.",
		2 * time.Hour:                  "It goes on in 2 hours.",
		2*time.Hour + time.Minute:      "It goes on in 3 hours.",
	} {
		if got := goesOn(wait, "en"); got != want {
			t.Errorf("%v: got %q; want %q", wait, got, want)
		}
	}
}

func TestRefusal_SaysWhyAndWhenItGoesOnIfThatIsKnown(t *testing.T) {
	c, _ := newChat(t, time.Millisecond)
	now := time.Date(2026, 12, 20, 12, 0, 0, 0, time.UTC)
	testrig.SetNow(c.Store, func() time.Time { return now })
	why := lang.Say("en", "limit_hour", lang.Vars{"Count": 5})
	for until, want := range map[time.Time]string{{}: why, now.Add(time.Minute): why + " It goes on in 1 minute."} {
		if got := c.Refusal(store.Refused{Reason: "hour", Count: 5, Until: until}, "en"); got != want {
			t.Errorf("until %v: got %q; want %q", until, got, want)
		}
	}
}

func TestFrom_ListsThePersonAndTheChatOfEveryKindOfUpdate(t *testing.T) {
	person, group := &models.User{ID: 5}, models.Chat{ID: -7}
	both := []int64{group.ID, person.ID}
	for name, c := range map[string]struct {
		update models.Update
		want   []int64
	}{
		"a message":     {models.Update{Message: &models.Message{Chat: group, From: person}}, both},
		"an edited one": {models.Update{EditedMessage: &models.Message{Chat: group, From: person}}, both},
		"one of nobody": {models.Update{Message: &models.Message{Chat: group}}, []int64{-7}},
		"a press":       {models.Update{CallbackQuery: &models.CallbackQuery{From: *person}}, []int64{5}},
		"the bot comes to a group": {models.Update{MyChatMember: &models.ChatMemberUpdated{Chat: group,
			From: *person}}, both},
		"what the bot cannot read": {models.Update{}, nil},
	} {
		if got := From(&c.update); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v; want %v", name, got, c.want)
		}
	}
}
