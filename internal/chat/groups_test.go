// Tests of what is said in groups, and of messages that get no answer.

package chat

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-telegram/bot/models"

	"retake.example/internal/lang"
	"retake.example/internal/store"
)

func TestGroup_AnswersItsOwnCommandsOnceAnHour(t *testing.T) {
	c, tg := newChat(t, time.Second)
	from := &models.User{ID: 1, LanguageCode: "en"}
	for i, step := range []struct {
		chat    int64
		kind    models.ChatType
		text    string
		answers bool
	}{
		{-1, models.ChatTypeGroup, "Маша", false},
		{-1, models.ChatTypeGroup, "/start@AnotherBot", false},
		{-1, models.ChatTypeGroup, "/start@akeBot", false}, // the end of its name
		{-1, models.ChatTypeGroup, "/start@retakebot now", true},
		{-1, models.ChatTypeGroup, "/start", false}, // it has answered there
		{-2, models.ChatTypeSupergroup, "/start", true},
		{-3, models.ChatTypeChannel, "/start", false},
	} {
		said, _ := turns(t, c, tg, int64(i+1), func(ctx context.Context, turn *Turn) error {
			return c.Group(ctx, turn,
				&models.Message{Chat: models.Chat{ID: step.chat, Type: step.kind}, From: from, Text: step.text})
		})
		want := ""
		if step.answers {
			want = "sendMessage " + lang.Say("en", "group", lang.Vars{"Link": "https://t.me/RetakeBot"})
		}
		if said != want {
			t.Errorf("%d, %s: got %q; want %q", i, step.text, said, want)
		}
	}
}

// What is tried again has counted once: the hour is not over, and the answer still comes.
func TestGroup_AnAnswerThatTelegramDidNotTakeIsTriedAgain(t *testing.T) {
	c, tg := newChat(t, time.Millisecond)
	first := true
	tg.say = func(string, string) string {
		if first {
			first = false
			return `{"ok":false,"error_code":400,"description":"Bad Request: something"}`
		}
		return ""
	}
	turn := NewTurn(store.Update{ID: 5}, "ru")
	greet := func(ctx context.Context) error {
		return c.Greet(ctx, turn, models.Chat{ID: -1, Type: models.ChatTypeGroup}, nil, 0)
	}
	if err := c.Handle(t.Context(), turn, greet); err == nil {
		t.Fatal("got no error of the refusal")
	}
	handles(t, c, turn, greet)
	if got, _ := tg.since(); strings.Count(got, "sendMessage") != 2 {
		t.Errorf("got %q; want the answer tried twice", got)
	}
}

func TestSilent_OnlyTelegramsNotesAndTheRestOfAnAlbum(t *testing.T) {
	c, _ := newChat(t, time.Millisecond)
	silent := func(message string) bool {
		t.Helper()
		var m models.Message
		if err := json.Unmarshal([]byte(message), &m); err != nil {
			t.Fatalf("%s: %v", message, err)
		}
		return c.Silent(&m)
	}
	const chat = `"message_id":1,"date":1,"chat":{"id":1,"type":"private"}`
	for _, note := range []string{
		`"pinned_message":{` + chat + `}`, `"message_auto_delete_timer_changed":{"message_auto_delete_time":5}`,
		`"write_access_allowed":{}`, `"connected_website":"example.com"`,
		`"chat_background_set":{"type":{"type":"fill","fill":{"type":"solid","color":1},"dark_theme_dimming":1}}`,
		`"users_shared":{"request_id":1,"users":[]}`, `"chat_shared":{"request_id":1,"chat_id":2}`,
		`"successful_payment":{"currency":"XTR"}`, `"refunded_payment":{"currency":"XTR"}`, `"gift":{}`, `"unique_gift":{}`,
		`"gift_upgrade_sent":{}`, `"passport_data":{}`, `"boost_added":{"boost_count":1}`, `"proximity_alert_triggered":{}`,
		`"direct_message_price_changed":{}`, `"paid_message_price_changed":{}`, `"web_app_data":{"data":"x"}`,
		`"checklist_tasks_done":{}`, `"checklist_tasks_added":{}`, `"forum_topic_created":{"name":"x"}`,
		`"forum_topic_edited":{}`, `"forum_topic_closed":{}`, `"forum_topic_reopened":{}`,
		`"new_chat_title":"x"`, `"new_chat_photo":[]`, `"delete_chat_photo":true`,
	} {
		if !silent(`{` + chat + `,` + note + `}`) {
			t.Errorf("%s: got an answer; want none", note)
		}
	}
	for _, sent := range []string{
		`"photo":[{"file_id":"x"}]`, `"voice":{"file_id":"x"}`, `"sticker":{"file_id":"x","type":"regular"}`,
		`"video":{"file_id":"x"}`, `"contact":{"phone_number":"1"}`, `"location":{"latitude":1,"longitude":2}`,
		`"dice":{"emoji":"🎲","value":1}`,
	} {
		if silent(`{` + chat + `,` + sent + `}`) {
			t.Errorf("%s: got no answer; want one", sent)
		}
	}
	for i, step := range []struct {
		chat, album string
		silent      bool
	}{
		{"1", "a", false}, {"1", "a", true}, {"2", "a", false}, {"1", "b", false}, {"1", "b", true}, {"2", "a", true},
	} {
		got := silent(`{"message_id":1,"date":1,"chat":{"id":` + step.chat + `,"type":"private"},
			"media_group_id":"` + step.album + `"}`)
		if got != step.silent {
			t.Errorf("part %d of album %s: silent is %v; want %v", i, step.album, got, step.silent)
		}
	}
}

func TestDecode_APersonIsAnsweredThoughAPartIsUnknown(t *testing.T) {
	const from, private = `"from":{"id":7,"first_name":"M","language_code":"ru"}`, `"chat":{"id":7,"type":"private"}`
	const said = `"text":"Маша","sticker":"odd"` // a sticker is no text
	u, err := Decode(`{"update_id":1,"message":{"message_id":3,"date":1,` + from + `,` + private + `,` + said + `}}`)
	if m := u.Message; err != nil || m == nil || m.Text != "Маша" || m.ID != 3 || m.From.ID != 7 || m.Chat.ID != 7 {
		t.Errorf("got %+v, %v; want the text and whose it is", u, err)
	}
	for name, raw := range map[string]string{
		"nobody's":   `{"message":{"message_id":3,` + private + `,` + said + `}}`,
		"of a group": `{"message":{"message_id":3,` + from + `,"chat":{"id":-7,"type":"group"},` + said + `}}`,
		"no message": `{"message":"odd"}`,
		"no JSON":    `{`,
	} {
		if u, err := Decode(raw); !errors.Is(err, ErrShape) {
			t.Errorf("%s: got %+v, %v; want ErrShape", name, u, err)
		}
	}
}
