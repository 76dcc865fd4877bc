// The calls a bot makes to talk: each in its turn, with a time limit and plain arguments.

package telegram

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
)

const (
	callTime    = 30 * time.Second // for a call without a file
	slowestLine = 50_000           // bytes a second that an upload may be as slow as
)

// Button is a button under a message. Data is at most 64 bytes.
type Button struct{ Text, Data string }

// NewButton returns a button whose data is "kind:arg", or kind when arg is "".
func NewButton(text, kind, arg string) Button {
	if arg != "" {
		kind += ":" + arg
	}
	return Button{text, kind}
}

// Keyboard is rows of buttons; nil is none.
type Keyboard [][]Button

// Row is a keyboard of one row.
func Row(buttons ...Button) Keyboard { return Keyboard{buttons} }

func (k Keyboard) markup() models.ReplyMarkup {
	if len(k) == 0 {
		return nil
	}
	m := &models.InlineKeyboardMarkup{}
	for _, row := range k {
		var out []models.InlineKeyboardButton
		for _, b := range row {
			out = append(out, models.InlineKeyboardButton{Text: b.Text, CallbackData: b.Data})
		}
		m.InlineKeyboard = append(m.InlineKeyboard, out)
	}
	return m
}

// Talk makes the calls. Its errors are *Error.
type Talk struct {
	API  *bot.Bot
	Gate *Gate
	Rank Rank // of the messages
	// Gone is told of a chat that cannot be written to.
	Gone func(ctx context.Context, chat int64) error
	// Meter counts the calls; nil: nobody does.
	Meter Meter
}

// Meter counts calls, by the method of the Bot API and what came of it: ok, held (it was not made) or a Class. It is told how
// long a message waited for its turn.
type Meter interface {
	Called(method, result string)
	Waited(d time.Duration)
}

// As returns a Talk whose messages have another rank.
func (t *Talk) As(r Rank) *Talk {
	other := *t
	other.Rank = r
	return &other
}

// call makes one call. chat is 0 for calls that Telegram does not count among a chat's messages and edits.
func (t *Talk) call(ctx context.Context, method string, chat int64, limit time.Duration, fn func(context.Context) error) error {
	asked, made := time.Now(), time.Time{}
	err := t.Gate.Do(ctx, t.Rank, chat, func(ctx context.Context) error {
		made = time.Now()
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		return fn(ctx)
	})
	if t.Meter != nil {
		if chat != 0 && !made.IsZero() {
			t.Meter.Waited(made.Sub(asked))
		}
		t.Meter.Called(method, resultOf(err, !made.IsZero()))
	}
	if chat > 0 && ClassOf(err) == Gone {
		return errors.Join(err, t.Gone(context.WithoutCancel(ctx), chat))
	}
	return err
}

// resultOf is what a Meter is told of a call.
func resultOf(err error, made bool) string {
	class := ClassOf(err)
	switch {
	case err == nil:
		return "ok"
	case !made && class != Stopped:
		return "held"
	}
	return class.String()
}

// Send sends plain text, without a preview of its links, and returns the message's id.
func (t *Talk) Send(ctx context.Context, chat int64, text string, k Keyboard) (message int, err error) {
	p := &bot.SendMessageParams{ChatID: chat, Text: text, ReplyMarkup: k.markup(),
		LinkPreviewOptions: &models.LinkPreviewOptions{IsDisabled: bot.True()}}
	err = t.call(ctx, "sendMessage", chat, callTime, func(ctx context.Context) error {
		m, err := t.API.SendMessage(ctx, p)
		if err == nil {
			message = m.ID
		}
		return err
	})
	return message, err
}

// Edit replaces the text and the buttons of a message.
func (t *Talk) Edit(ctx context.Context, chat int64, message int, text string, k Keyboard) error {
	p := &bot.EditMessageTextParams{ChatID: chat, MessageID: message, Text: text, ReplyMarkup: k.markup()}
	return t.call(ctx, "editMessageText", chat, callTime, func(ctx context.Context) error { _, err := t.API.EditMessageText(ctx, p); return err })
}

// StripButtons takes the buttons from a message.
func (t *Talk) StripButtons(ctx context.Context, chat int64, message int) error {
	p := &bot.EditMessageReplyMarkupParams{ChatID: chat, MessageID: message}
	return t.call(ctx, "editMessageReplyMarkup", chat, callTime, func(ctx context.Context) error { _, err := t.API.EditMessageReplyMarkup(ctx, p); return err })
}

// Delete deletes a message.
func (t *Talk) Delete(ctx context.Context, chat int64, message int) error {
	p := &bot.DeleteMessageParams{ChatID: chat, MessageID: message}
	return t.call(ctx, "deleteMessage", 0, callTime, func(ctx context.Context) error { _, err := t.API.DeleteMessage(ctx, p); return err })
}

// Answer ends the spinning of a pressed button. One that is too old to answer is no error.
func (t *Talk) Answer(ctx context.Context, query, text string) error {
	p := &bot.AnswerCallbackQueryParams{CallbackQueryID: query, Text: text}
	return t.call(ctx, "answerCallbackQuery", 0, callTime, func(ctx context.Context) error { _, err := t.API.AnswerCallbackQuery(ctx, p); return err })
}

// Video is a video to send: by FileID, or File and Thumb when that is "".
type Video struct {
	FileID        string
	File          io.Reader // a pointer: the library panics on others
	Size          int64     // bytes of File
	Thumb         io.Reader // JPEG, a pointer too; nil: none
	Caption       string
	Duration      time.Duration
	Width, Height int // px
}

// SendVideo sends a video and returns the message's id and the file_id to send it by the next time.
func (t *Talk) SendVideo(ctx context.Context, chat int64, v Video) (message int, fileID string, err error) {
	p := &bot.SendVideoParams{ChatID: chat, Caption: v.Caption, SupportsStreaming: true, Duration: int(v.Duration.Round(time.Second).Seconds()),
		Width: v.Width, Height: v.Height, Video: &models.InputFileString{Data: v.FileID}}
	if v.FileID == "" {
		p.Video = &models.InputFileUpload{Filename: "video.mp4", Data: v.File}
		if v.Thumb != nil {
			p.Thumbnail = &models.InputFileUpload{Filename: "thumb.jpg", Data: v.Thumb}
		}
	}
	limit := callTime + time.Duration(v.Size/slowestLine)*time.Second
	err = t.call(ctx, "sendVideo", chat, limit, func(ctx context.Context) error {
		m, err := t.API.SendVideo(ctx, p)
		if err != nil {
			return err
		}
		message = m.ID
		switch { // a video without sound comes back as an animation
		case m.Video != nil:
			fileID = m.Video.FileID
		case m.Animation != nil:
			fileID = m.Animation.FileID
		case m.Document != nil:
			fileID = m.Document.FileID
		}
		return nil
	})
	return message, fileID, err
}

// SendDocument sends a small file.
func (t *Talk) SendDocument(ctx context.Context, chat int64, name string, file []byte, caption string) error {
	return t.call(ctx, "sendDocument", chat, callTime+time.Duration(len(file)/slowestLine)*time.Second, func(ctx context.Context) error {
		_, err := t.API.SendDocument(ctx, &bot.SendDocumentParams{ChatID: chat, Caption: caption,
			Document: &models.InputFileUpload{Filename: name, Data: bytes.NewReader(file)}})
		return err
	})
}

// Command is a line of the menu behind the slash.
type Command struct{ Name, Description string }

// SetCommands sets the menu of a language ("": of all others), in one chat or, when chat is 0, in all.
func (t *Talk) SetCommands(ctx context.Context, language string, chat int64, commands []Command) error {
	p := &bot.SetMyCommandsParams{LanguageCode: language, Scope: &models.BotCommandScopeDefault{}}
	if chat != 0 {
		p.Scope = &models.BotCommandScopeChat{ChatID: chat}
	}
	for _, c := range commands {
		p.Commands = append(p.Commands, models.BotCommand{Command: c.Name, Description: c.Description})
	}
	return t.call(ctx, "setMyCommands", 0, callTime, func(ctx context.Context) error { _, err := t.API.SetMyCommands(ctx, p); return err })
}

// PublishCommands sets the menus of all languages, and of those chats whose people have written to the bot. list returns the
// menu of a chat (0: of all others) in a language ("": in all others).
func (t *Talk) PublishCommands(ctx context.Context, languages []string, chats []int64, list func(language string, chat int64) []Command) error {
	var errs []error
	for _, l := range append([]string{""}, languages...) {
		for _, chat := range append([]int64{0}, chats...) {
			err := Patiently(ctx, func() error { return t.SetCommands(ctx, l, chat, list(l, chat)) })
			if ClassOf(err) != Gone { // somebody who has not written yet
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// Link returns the address of the bot.
func (t *Talk) Link(ctx context.Context) (link string, err error) {
	err = t.call(ctx, "getMe", 0, callTime, func(ctx context.Context) error {
		me, err := t.API.GetMe(ctx)
		if err == nil {
			link = "https://t.me/" + me.Username
		}
		return err
	})
	return link, err
}

// Pressed returns where a pressed button was. Of an old message Telegram tells little else.
func Pressed(q *models.CallbackQuery) (chat int64, message int) {
	switch {
	case q.Message.Message != nil:
		return q.Message.Message.Chat.ID, q.Message.Message.ID
	case q.Message.InaccessibleMessage != nil:
		return q.Message.InaccessibleMessage.Chat.ID, q.Message.InaccessibleMessage.MessageID
	}
	return q.From.ID, 0
}
