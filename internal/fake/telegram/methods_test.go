// Every method, called by the real client library or by hand.

package telegram_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
)

func wantText(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("got error %v; want one with %q", err, text)
	}
}

func keyboard(data string) *models.InlineKeyboardMarkup {
	row := []models.InlineKeyboardButton{{Text: "Again", CallbackData: data}}
	return &models.InlineKeyboardMarkup{InlineKeyboard: [][]models.InlineKeyboardButton{row}}
}

func TestMethods_BotKnowsItself(t *testing.T) {
	w := newWorld(t)
	me, err := w.bot.GetMe(w.ctx)
	if err != nil || !me.IsBot || me.Username == "" {
		t.Errorf("got %+v, %v", me, err)
	}
}

func TestMethods_ParametersComeInEveryEncoding(t *testing.T) {
	w := newWorld(t)
	p := w.Person(5, "Мария", "ru")
	w.send(5, "one")
	if a := w.form("sendMessage", "chat_id", "5", "text", "two"); !a.OK {
		t.Errorf("form: %+v", a)
	}
	if a := w.post("SENDMESSAGE", "application/json", strings.NewReader(`{"chat_id":5,"text":"three"}`)); !a.OK {
		t.Errorf("JSON: %+v", a)
	}
	if a := w.post("sendMessage?chat_id=5&text=four", "", nil); !a.OK {
		t.Errorf("query: %+v", a)
	}
	if a := w.post("sendMessage", "application/json", strings.NewReader(`{"chat_id":`)); a.Code != 400 {
		t.Errorf("broken JSON: got %+v; want 400", a)
	}
	var got []string
	for _, m := range p.Messages() {
		got = append(got, m.Text)
	}
	if want := []string{"one", "two", "three", "four"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q; want %q", got, want)
	}
}

func TestMethods_WrongAddressesAreRefused(t *testing.T) {
	w := newWorld(t)
	if a := w.form("sendTelepathy"); a.Status != 404 || a.Description != "Not Found" {
		t.Errorf("unknown method: got %+v", a)
	}
	_, err := bot.New("7000000001:wrong", bot.WithServerURL(w.web.URL))
	if !errors.Is(err, bot.ErrorUnauthorized) {
		t.Errorf("wrong token: got %v; want unauthorized", err)
	}
	for path, want := range map[string]int{
		"/": 404, "/bot" + token: 404, "/file/botwrong/x": 401, "/file/bot" + token + "/x": 404,
	} {
		resp, err := http.Get(w.web.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: got %d; want %d", path, resp.StatusCode, want)
		}
	}
}

func TestMethods_MessageCarriesEntitiesButtonsAndPreview(t *testing.T) {
	w := newWorld(t)
	p := w.Person(5, "Мария", "ru")
	off := true
	m, err := w.bot.SendMessage(w.ctx, &bot.SendMessageParams{
		ChatID: 5, Text: "  👶 Маша ",
		Entities:           []models.MessageEntity{{Type: models.MessageEntityTypeBold, Offset: 5, Length: 4}},
		LinkPreviewOptions: &models.LinkPreviewOptions{IsDisabled: &off},
		ReplyMarkup:        keyboard("retry_failed_video:1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if m.Text != "👶 Маша" || len(m.Entities) != 1 || m.Entities[0].Offset != 3 || m.Chat.FirstName != "Мария" ||
		!m.From.IsBot {
		t.Errorf("got %+v", m)
	}
	if m.LinkPreviewOptions == nil || m.ReplyMarkup.InlineKeyboard[0][0].CallbackData != "retry_failed_video:1" {
		t.Errorf("got preview %v, markup %v", m.LinkPreviewOptions, m.ReplyMarkup)
	}
	seen := p.Messages()[0]
	if !seen.FromBot || seen.ID != m.ID || seen.Entities[0].Type != "bold" ||
		seen.Buttons[0][0].Data != "retry_failed_video:1" {
		t.Errorf("the person sees %+v", seen)
	}
}

func TestMethods_SendMessageRefusals(t *testing.T) {
	w := newWorld(t)
	w.Person(5, "Мария", "ru")
	long := strings.Repeat("я", 4095)
	for name, c := range map[string]struct {
		pairs []string
		want  string // "" = accepted
	}{
		"no chat":      {[]string{"text", "x"}, "Bad Request: chat_id is empty"},
		"unknown chat": {[]string{"chat_id", "6", "text", "x"}, "Bad Request: chat not found"},
		"no text":      {[]string{"chat_id", "5"}, "Bad Request: message text is empty"},
		"only blanks":  {[]string{"chat_id", "5", "text", " \n"}, "Bad Request: text must be non-empty"},
		"4096 units":   {[]string{"chat_id", "5", "text", long + "x"}, ""},
		"4097 units":   {[]string{"chat_id", "5", "text", long + "👶"}, "Bad Request: message is too long"},
		"not UTF-8":    {[]string{"chat_id", "5", "text", "\xff"}, "Bad Request: strings must be encoded in UTF-8"},
		"parse mode":   {[]string{"chat_id", "5", "text", "x", "parse_mode", "HTML"}, "unsupported parse_mode"},
		"entity too long": {[]string{"chat_id", "5", "text", "👶", "entities",
			`[{"type":"bold","offset":0,"length":3}]`}, "ends after the end of the text at UTF-16 offset 3"},
		"entity too late": {[]string{"chat_id", "5", "text", "x", "entities",
			`[{"type":"bold","offset":2,"length":1}]`}, "begins after the end of the text at UTF-16 offset 2"},
		"entity cuts a symbol": {[]string{"chat_id", "5", "text", "👶", "entities",
			`[{"type":"bold","offset":1,"length":1}]`}, "begins in a middle of a UTF-16 symbol"},
		"entity ends inside": {[]string{"chat_id", "5", "text", "x👶", "entities",
			`[{"type":"bold","offset":0,"length":2}]`}, "ends in a middle of a UTF-16 symbol"},
		"entity below zero": {[]string{"chat_id", "5", "text", "x", "entities",
			`[{"type":"bold","offset":-1,"length":1}]`}, "incorrect offset"},
		"entity of no type": {[]string{"chat_id", "5", "text", "x", "entities",
			`[{"type":"loud","offset":0,"length":1}]`}, "Unsupported type specified"},
		"entity to localhost": {[]string{"chat_id", "5", "text", "x", "entities",
			`[{"type":"text_link","offset":0,"length":1,"url":"http://localhost:1"}]`}, "Wrong HTTP URL"},
		"entities no list": {[]string{"chat_id", "5", "text", "x", "entities", `{}`}, "can't parse entities"},
		"64 bytes of data": {[]string{"chat_id", "5", "text", "x", "reply_markup",
			`{"inline_keyboard":[[{"text":"b","callback_data":"` + strings.Repeat("d", 64) + `"}]]}`}, ""},
		"65 bytes of data": {[]string{"chat_id", "5", "text", "x", "reply_markup",
			`{"inline_keyboard":[[{"text":"b","callback_data":"` + strings.Repeat("d", 65) + `"}]]}`},
			"Bad Request: BUTTON_DATA_INVALID"},
		"button without data": {[]string{"chat_id", "5", "text", "x", "reply_markup",
			`{"inline_keyboard":[[{"text":"b"}]]}`}, "Text buttons are unallowed in the inline keyboard"},
		"button without text": {[]string{"chat_id", "5", "text", "x", "reply_markup",
			`{"inline_keyboard":[[{"callback_data":"d"}]]}`}, "button text must be non-empty"},
		"button to localhost": {[]string{"chat_id", "5", "text", "x", "reply_markup",
			`{"inline_keyboard":[[{"text":"b","url":"http://localhost:8080/"}]]}`}, "Wrong HTTP URL"},
		"button to a page": {[]string{"chat_id", "5", "text", "x", "reply_markup",
			`{"inline_keyboard":[[{"text":"b","url":"https://example.org/"}]]}`}, ""},
		"another keyboard": {[]string{"chat_id", "5", "text", "x", "reply_markup", `{"remove_keyboard":true}`}, ""},
		"markup of no kind": {[]string{"chat_id", "5", "text", "x", "reply_markup", `{}`},
			"object expected as reply markup"},
		"broken markup": {[]string{"chat_id", "5", "text", "x", "reply_markup", `{`},
			"can't parse reply keyboard markup"},
		"broken preview": {[]string{"chat_id", "5", "text", "x", "link_preview_options", `1`}, "object expected"},
	} {
		t.Run(name, func(t *testing.T) {
			a := w.form("sendMessage", c.pairs...)
			if a.OK != (c.want == "") || !a.OK && (a.Code != 400 || !strings.Contains(a.Description, c.want)) {
				t.Errorf("got %v %d %q; want %q", a.OK, a.Code, a.Description, c.want)
			}
		})
	}
}

func TestMethods_Edits(t *testing.T) {
	w := newWorld(t)
	p := w.Person(5, "Мария", "ru")
	own := w.send(5, "one")
	theirs := p.Send("hello")

	edit := func(id int, text string, markup models.ReplyMarkup) error {
		_, err := w.bot.EditMessageText(w.ctx, &bot.EditMessageTextParams{ChatID: 5, MessageID: id, Text: text,
			ReplyMarkup: markup})
		return err
	}
	if err := edit(own.ID, "two", keyboard("d")); err != nil {
		t.Fatal(err)
	}
	wantText(t, edit(own.ID, "two", keyboard("d")),
		"message is not modified: specified new message content and reply markup")
	wantText(t, edit(999, "x", nil), "message to edit not found")
	wantText(t, edit(int(theirs), "x", nil), "message can't be edited")
	if err := edit(own.ID, "two", nil); err != nil {
		t.Errorf("the same text without buttons is a change: %v", err)
	}
	if m := p.Messages()[0]; m.Text != "two" || len(m.Buttons) != 0 || m.Edited != 2 {
		t.Errorf("the person sees %+v", m)
	}
	m, err := w.bot.EditMessageReplyMarkup(w.ctx, &bot.EditMessageReplyMarkupParams{ChatID: 5, MessageID: own.ID,
		ReplyMarkup: keyboard("e")})
	if err != nil || m.ReplyMarkup == nil || m.EditDate == 0 {
		t.Errorf("got %+v, %v", m, err)
	}
	_, err = w.bot.EditMessageReplyMarkup(w.ctx, &bot.EditMessageReplyMarkupParams{ChatID: 5, MessageID: own.ID,
		ReplyMarkup: keyboard("e")})
	wantText(t, err, "message is not modified")
	_, err = w.bot.EditMessageCaption(w.ctx, &bot.EditMessageCaptionParams{ChatID: 5, MessageID: own.ID, Caption: "x"})
	wantText(t, err, "there is no caption in the message to edit")

	if ok, err := w.bot.DeleteMessage(w.ctx, &bot.DeleteMessageParams{ChatID: 5, MessageID: own.ID}); !ok || err != nil {
		t.Errorf("delete: %v, %v", ok, err)
	}
	_, err = w.bot.DeleteMessage(w.ctx, &bot.DeleteMessageParams{ChatID: 5, MessageID: own.ID})
	wantText(t, err, "message to delete not found")
	if got := p.Messages(); len(got) != 1 || got[0].FromBot {
		t.Errorf("after the deletion the person sees %+v", got)
	}
	w.pass(49 * time.Hour)
	_, err = w.bot.DeleteMessage(w.ctx, &bot.DeleteMessageParams{ChatID: 5, MessageID: int(theirs)})
	wantText(t, err, "message can't be deleted")
}

func TestMethods_VideoIsUploadedOnceAndSentAgainByItsID(t *testing.T) {
	w := newWorld(t)
	p, q := w.Person(5, "Мария", "ru"), w.Person(6, "Ольга", "ru")
	film := mp4(true)
	m, err := w.bot.SendVideo(w.ctx, &bot.SendVideoParams{
		ChatID: 5, Caption: "С Новым годом, Маша!", SupportsStreaming: true, ReplyMarkup: keyboard("more"),
		CaptionEntities: []models.MessageEntity{{Type: models.MessageEntityTypeBold, Offset: 15, Length: 4}},
		Video:           &models.InputFileUpload{Filename: "masha.mp4", Data: bytes.NewReader(film)},
		Thumbnail:       &models.InputFileUpload{Filename: "t.jpg", Data: bytes.NewReader(picture(320))},
	})
	if err != nil {
		t.Fatal(err)
	}
	v := m.Video
	if v == nil || v.Width != 720 || v.Height != 1280 || v.Duration != 3 || v.FileSize != int64(len(film)) ||
		v.MimeType != "video/mp4" ||
		v.Thumbnail == nil || v.Thumbnail.Width != 320 || v.FileName != "masha.mp4" {
		t.Fatalf("got %+v", v)
	}
	if m.Caption != "С Новым годом, Маша!" || len(m.CaptionEntities) != 1 {
		t.Errorf("got caption %q %v", m.Caption, m.CaptionEntities)
	}
	if !bytes.Equal(w.File(v.FileID), film) || w.File("nothing") != nil {
		t.Error("the bytes kept are not those sent")
	}
	again, err := w.bot.SendVideo(w.ctx, &bot.SendVideoParams{ChatID: 6, Video: &models.InputFileString{Data: v.FileID}})
	if err != nil || again.Video.FileID != v.FileID {
		t.Fatalf("by file id: %+v, %v", again, err)
	}
	if got := q.Messages()[0].Video; got.FileID != v.FileID || got.Size != len(film) || got.Thumbnail == "" ||
		got.Animation {
		t.Errorf("Ольга sees %+v", got)
	}
	calls := w.Calls()
	first, second := calls[len(calls)-2], calls[len(calls)-1]
	if !first.Uploaded || second.Uploaded || first.FileID != v.FileID || second.FileID != v.FileID ||
		first.Params["video"] != "" {
		t.Errorf("got calls %+v and %+v", first, second)
	}

	edited, err := w.bot.EditMessageCaption(w.ctx, &bot.EditMessageCaptionParams{ChatID: 5, MessageID: m.ID,
		Caption: "new"})
	if err != nil || edited.Caption != "new" || p.Messages()[0].Text != "new" {
		t.Errorf("caption: %+v, %v", edited, err)
	}
	_, err = w.bot.EditMessageText(w.ctx, &bot.EditMessageTextParams{ChatID: 5, MessageID: m.ID, Text: "x"})
	wantText(t, err, "there is no text in the message to edit")

	info, err := w.bot.GetFile(w.ctx, &bot.GetFileParams{FileID: v.FileID})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(w.bot.FileDownloadLink(info))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, _ := io.ReadAll(resp.Body); !bytes.Equal(got, film) {
		t.Errorf("downloaded %d bytes; want %d", len(got), len(film))
	}

	w.ForgetFiles()
	_, err = w.bot.SendVideo(w.ctx, &bot.SendVideoParams{ChatID: 6, Video: &models.InputFileString{Data: v.FileID}})
	wantText(t, err, "Bad Request: wrong file identifier/HTTP URL specified")
	_, err = w.bot.GetFile(w.ctx, &bot.GetFileParams{FileID: v.FileID})
	wantText(t, err, "invalid file_id")
}

func TestMethods_SilentVideoBecomesAnAnimation(t *testing.T) {
	w := newWorld(t)
	p := w.Person(5, "Мария", "ru")
	m, err := w.bot.SendVideo(w.ctx, &bot.SendVideoParams{ChatID: 5,
		Video: &models.InputFileUpload{Filename: "a.mp4", Data: bytes.NewReader(mp4(false))}})
	if err != nil || m.Video != nil || m.Animation == nil || m.Document == nil || m.Document.FileID != m.Animation.FileID {
		t.Fatalf("got %+v, %v", m, err)
	}
	if v := p.Messages()[0].Video; v == nil || !v.Animation {
		t.Errorf("the person sees %+v", v)
	}
	id := &models.InputFileString{Data: m.Animation.FileID}
	_, err = w.bot.SendVideo(w.ctx, &bot.SendVideoParams{ChatID: 5, Video: id})
	wantText(t, err, "type of file mismatch")
	if m, err = w.bot.SendAnimation(w.ctx, &bot.SendAnimationParams{ChatID: 5, Animation: id}); err != nil ||
		m.Animation == nil {
		t.Errorf("again: %+v, %v", m, err)
	}
}

func TestMethods_ADocumentIsKeptAsItWasSent(t *testing.T) {
	w := newWorld(t)
	p := w.Person(5, "Мария", "ru")
	text := []byte(`{"a": 1}`)
	m, err := w.bot.SendDocument(w.ctx, &bot.SendDocumentParams{ChatID: 5, Caption: "all of it",
		Document: &models.InputFileUpload{Filename: "data.json", Data: bytes.NewReader(text)}})
	if err != nil || m.Document == nil || m.Document.FileName != "data.json" ||
		m.Document.MimeType != "application/json" || m.Document.FileSize != int64(len(text)) {
		t.Fatalf("got %+v, %v", m, err)
	}
	seen := p.Messages()[0]
	if seen.Kind != "document" || seen.Text != "all of it" || seen.Video != nil || seen.Document == nil ||
		!bytes.Equal(w.File(seen.Document.FileID), text) {
		t.Errorf("Мария sees %+v", seen)
	}
	_, err = w.bot.SendDocument(w.ctx, &bot.SendDocumentParams{ChatID: 5,
		Document: &models.InputFileUpload{Filename: "empty.json", Data: bytes.NewReader(nil)}})
	wantText(t, err, "file must be non-empty")
	_, err = w.bot.SendDocument(w.ctx, &bot.SendDocumentParams{ChatID: 5, Document: &models.InputFileString{Data: "BQAC"}})
	wantText(t, err, "wrong file identifier")
	again := &bot.SendDocumentParams{ChatID: 5, Document: &models.InputFileString{Data: m.Document.FileID}}
	if m, err = w.bot.SendDocument(w.ctx, again); err != nil || m.Document == nil {
		t.Errorf("again: %+v, %v", m, err)
	}
	if a := w.form("sendDocument", "chat_id", "5"); a.Description != "Bad Request: there is no document in the request" {
		t.Errorf("without a document: got %+v", a)
	}
}

func TestMethods_BytesThatAreNoMP4AreTakenAsAVideo(t *testing.T) {
	w := newWorld(t)
	w.Person(5, "Мария", "ru")
	for name, data := range map[string][]byte{"words": []byte("a few made-up bytes"), "cut": mp4(true)[:60]} {
		m, err := w.bot.SendVideo(w.ctx, &bot.SendVideoParams{ChatID: 5, Width: 720, Height: 1280, Duration: 4,
			Video: &models.InputFileUpload{Filename: "a.mp4", Data: bytes.NewReader(data)}})
		if name == "words" && (err != nil || m.Video == nil || m.Video.Width != 720 || m.Video.Duration != 4) {
			t.Errorf("%s: got %+v, %v", name, m, err)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMethods_SendVideoRefusals(t *testing.T) {
	w := newWorld(t)
	w.Person(5, "Мария", "ru")
	w.SetMaxUpload(1000)
	send := func(p bot.SendVideoParams) error {
		p.ChatID = 5
		_, err := w.bot.SendVideo(w.ctx, &p)
		return err
	}
	file := func(n int) *models.InputFileUpload {
		return &models.InputFileUpload{Filename: "a.mp4", Data: bytes.NewReader(make([]byte, n))}
	}
	wantText(t, send(bot.SendVideoParams{Video: file(1001)}), "413 Request Entity Too Large")
	wantText(t, send(bot.SendVideoParams{Video: file(0)}), "file must be non-empty")
	wantText(t, send(bot.SendVideoParams{Video: file(9), Caption: strings.Repeat("я", 1025)}),
		"message caption is too long")
	wantText(t, send(bot.SendVideoParams{Video: &models.InputFileString{Data: "BAAC"}}),
		"wrong file identifier/HTTP URL specified")
	if a := w.form("sendVideo", "chat_id", "5"); a.Description != "Bad Request: there is no video in the request" {
		t.Errorf("got %+v", a)
	}
	if err := send(bot.SendVideoParams{Video: file(1000), Caption: strings.Repeat("я", 1024)}); err != nil {
		t.Error(err)
	}
	if c := w.Calls()[1]; c.Code != 413 || c.OK || c.Chat != 5 {
		t.Errorf("the record of the large file: %+v", c)
	}
}

func TestMethods_ThumbnailThatBreaksTheRulesIsLeftOut(t *testing.T) {
	w := newWorld(t)
	w.Person(5, "Мария", "ru")
	for name, data := range map[string][]byte{"too wide": picture(321), "no JPEG": []byte("GIF89a"),
		"too heavy": make([]byte, 200<<10)} {
		m, err := w.bot.SendVideo(w.ctx, &bot.SendVideoParams{ChatID: 5,
			Video:     &models.InputFileUpload{Filename: "a.mp4", Data: bytes.NewReader(mp4(true))},
			Thumbnail: &models.InputFileUpload{Filename: "t.jpg", Data: bytes.NewReader(data)}})
		if err != nil || m.Video.Thumbnail != nil {
			t.Errorf("%s: got %+v, %v", name, m.Video, err)
		}
	}
}

func TestMethods_UploadByAttachName(t *testing.T) {
	w := newWorld(t)
	p := w.Person(5, "Мария", "ru")
	body := "--b\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n5\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"video\"\r\n\r\nattach://film\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"film\"; filename=\"f.mp4\"\r\n\r\nbytes\r\n--b--\r\n"
	if a := w.post("sendVideo", "multipart/form-data; boundary=b", strings.NewReader(body)); !a.OK {
		t.Fatalf("got %+v", a)
	}
	if string(w.File(p.Messages()[0].Video.FileID)) != "bytes" {
		t.Error("another file was kept")
	}
}

func TestMethods_ChatActionAndChat(t *testing.T) {
	w := newWorld(t)
	w.Person(5, "Мария", "ru")
	if ok, err := w.bot.SendChatAction(w.ctx, &bot.SendChatActionParams{ChatID: 5,
		Action: models.ChatActionUploadVideo}); !ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
	if a := w.form("sendChatAction", "chat_id", "5", "action", "dance"); a.Code != 400 {
		t.Errorf("got %+v", a)
	}
	c, err := w.bot.GetChat(w.ctx, &bot.GetChatParams{ChatID: 5})
	if err != nil || c.FirstName != "Мария" || c.Type != models.ChatTypePrivate {
		t.Errorf("got %+v, %v", c, err)
	}
	_, err = w.bot.GetChat(w.ctx, &bot.GetChatParams{ChatID: 6})
	wantText(t, err, "chat not found")
}

func TestMethods_CommandMenuDependsOnLanguageAndChat(t *testing.T) {
	w := newWorld(t)
	maria, emma := w.Person(5, "Мария", "ru-RU"), w.Person(6, "Emma", "en")
	set := func(name, language string, scope models.BotCommandScope) {
		t.Helper()
		_, err := w.bot.SetMyCommands(w.ctx, &bot.SetMyCommandsParams{LanguageCode: language, Scope: scope,
			Commands: []models.BotCommand{{Command: name, Description: "что-то"}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	set("start", "", nil)
	set("start_ru", "ru", nil)
	set("admin", "", &models.BotCommandScopeChat{ChatID: 6})
	if got := maria.Commands(); len(got) != 1 || got[0].Name != "start_ru" {
		t.Errorf("Мария sees %v", got)
	}
	if got := emma.Commands(); len(got) != 1 || got[0].Name != "admin" {
		t.Errorf("Emma sees %v", got)
	}
	if _, err := w.bot.DeleteMyCommands(w.ctx,
		&bot.DeleteMyCommandsParams{Scope: &models.BotCommandScopeChat{ChatID: 6}}); err != nil {
		t.Fatal(err)
	}
	if got := emma.Commands(); len(got) != 1 || got[0].Name != "start" {
		t.Errorf("afterwards Emma sees %v", got)
	}
	list, err := w.bot.GetMyCommands(w.ctx, &bot.GetMyCommandsParams{})
	if err != nil || len(list) != 1 || list[0].Command != "start" {
		t.Errorf("got %v, %v", list, err)
	}
	for want, pairs := range map[string][]string{
		"BOT_COMMAND_INVALID":             {"commands", `[{"command":"Start","description":"x"}]`},
		"BOT_COMMAND_DESCRIPTION_INVALID": {"commands", `[{"command":"start","description":""}]`},
		"can't parse commands":            {"commands", `x`},
		"invalid language code":           {"commands", `[]`, "language_code", "ru-RU"},
		"Unsupported type":                {"commands", `[]`, "scope", `{"type":"planet"}`},
		"chat not found":                  {"commands", `[]`, "scope", `{"type":"chat","chat_id":9}`},
		"chat_id is empty":                {"commands", `[]`, "scope", `{"type":"chat"}`},
	} {
		if a := w.form("setMyCommands", pairs...); a.Code != 400 || !strings.Contains(a.Description, want) {
			t.Errorf("got %+v; want %s", a, want)
		}
	}
}
