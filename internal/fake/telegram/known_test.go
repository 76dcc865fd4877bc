// What the Bot API does not know is refused and remembered, and the lists of what it
// knows are those of the client library.

package telegram_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
)

// tags returns the JSON names of a struct's fields.
func tags(of any) (names []string) {
	kind := reflect.TypeOf(of)
	for i := range kind.NumField() {
		name, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

func TestKnown_EveryParameterOfTheLibraryIsKnown(t *testing.T) {
	for method, params := range map[string]any{
		"sendMessage": bot.SendMessageParams{}, "sendVideo": bot.SendVideoParams{},
		"sendAnimation": bot.SendAnimationParams{},
		"sendDocument":  bot.SendDocumentParams{}, "sendVoice": bot.SendVoiceParams{},
		"sendChatAction":  bot.SendChatActionParams{},
		"editMessageText": bot.EditMessageTextParams{}, "editMessageReplyMarkup": bot.EditMessageReplyMarkupParams{},
		"deleteMessage": bot.DeleteMessageParams{}, "answerCallbackQuery": bot.AnswerCallbackQueryParams{},
		"setMyCommands": bot.SetMyCommandsParams{}, "getMyCommands": bot.GetMyCommandsParams{},
		"deleteMyCommands": bot.DeleteMyCommandsParams{}, "getFile": bot.GetFileParams{}, "getChat": bot.GetChatParams{},
		"deleteWebhook": bot.DeleteWebhookParams{},
	} {
		w := newWorld(t)
		for _, name := range tags(params) {
			if a := w.form(method, name, "1"); strings.Contains(a.Description, "does not know") {
				t.Errorf("%s: got %s; want %s known", method, a.Description, name)
			}
		}
	}
	w := newWorld(t)
	w.Person(5, "Мария", "ru")
	button := slices.DeleteFunc(tags(models.InlineKeyboardButton{}), func(name string) bool { return name == "style" })
	for path, names := range map[string][]string{
		`{"inline_keyboard":[[{"text":"x","callback_data":"y","NAME":1}]]}`: button,
		`{"inline_keyboard":[],"NAME":1}`: {"keyboard", "resize_keyboard",
			"remove_keyboard", "force_reply"},
	} {
		for _, name := range names {
			a := w.form("sendMessage", "chat_id", "5", "text", "x", "reply_markup", strings.ReplaceAll(path, "NAME", name))
			if strings.Contains(a.Description, "does not know") {
				t.Errorf("got %s; want %s known", a.Description, name)
			}
		}
	}
	if got := w.Mistakes(); len(got) != 0 {
		t.Errorf("got mistakes %v; want none", got)
	}
}

func TestKnown_WhatTheBotAPIDoesNotKnowIsRefusedAndRemembered(t *testing.T) {
	for want, call := range map[string][]string{
		"the method sendTelepathy":          {"sendTelepathy"},
		"the parameter txet of sendMessage": {"sendMessage", "chat_id", "5", "txet", "x"},
		"the parameter message_id of sendMessage": {"sendMessage", "chat_id", "5", "text", "x",
			"message_id", "1"},
		"the parameter chat_id of answerCallbackQuery": {"answerCallbackQuery", "chat_id", "5"},
		"the field reply_markup.inline_keyboards of sendMessage": {"sendMessage", "chat_id", "5", "text", "x",
			"reply_markup", `{"inline_keyboards":[]}`},
		"the field reply_markup.inline_keyboard[][].colour of editMessageText": {"editMessageText", "reply_markup",
			`{"inline_keyboard":[[{"text":"x","colour":"red"}]]}`},
		"the field link_preview_options.disabled of sendMessage": {"sendMessage", "chat_id", "5", "text", "x",
			"link_preview_options", `{"disabled":true}`},
		"the field commands[].name of setMyCommands": {"setMyCommands", "commands",
			`[{"name":"x"}]`},
		"the field entities[].from of sendMessage": {"sendMessage", "chat_id", "5", "text", "x",
			"entities", `[{"type":"bold","from":1}]`},
		"updates of the kind my_chat_members": {"getUpdates", "allowed_updates",
			`["my_chat_members"]`},
	} {
		w := newWorld(t)
		p := w.Person(5, "Мария", "ru")
		if a := w.form(call[0], call[1:]...); a.OK || len(p.Messages()) != 0 {
			t.Errorf("%s: got %+v; want it refused", want, a)
		}
		if got := w.Mistakes(); !slices.Equal(got, []string{want}) {
			t.Errorf("got mistakes %q; want %q", got, want)
		}
	}
	w := newWorld(t)
	w.Person(5, "Мария", "ru")
	body := "--b\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n5\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"film\"; filename=\"f.mp4\"\r\n\r\nbytes\r\n--b--\r\n"
	w.post("sendVideo", "multipart/form-data; boundary=b", strings.NewReader(body))
	if got := w.Mistakes(); !slices.Equal(got, []string{"the file film of sendVideo"}) {
		t.Errorf("got mistakes %q; want the file that no parameter names", got)
	}
}

func TestKnown_AButtonHasOneOfThreeColours(t *testing.T) {
	w := newWorld(t)
	p := w.Person(5, "Мария", "ru")
	for style, ok := range map[string]bool{"primary": true, "success": true, "danger": true, "pink": false} {
		markup := `{"inline_keyboard":[[{"text":"x","callback_data":"y","style":"` + style + `"}]]}`
		if a := w.form("sendMessage", "chat_id", "5", "text", "x", "reply_markup", markup); a.OK != ok {
			t.Errorf("%s: got %+v", style, a)
		}
	}
	if got := p.Messages(); len(got) != 3 || got[0].Buttons[0][0].Style == "" {
		t.Errorf("got %+v; want three messages with coloured buttons", got)
	}
}
