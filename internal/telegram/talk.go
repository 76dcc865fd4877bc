// The calls a bot makes to talk: each in its turn, with a time limit and plain arguments.

package telegram

import (
	"context"
	"errors"
	"time"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
)

const (
	callTime  = 30 * time.Second // for a call without a file
	probeTime = 5 * time.Second  // for the question whether Telegram is there at all
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
	API      *bot.Bot
	Gate     *Gate
	Priority Priority // of the messages
	// Gone is told of a chat that cannot be written to.
	Gone func(ctx context.Context, chat int64) error
	// Meter counts the calls; nil means that nobody counts.
	Meter Meter

	only  func(ctx context.Context) bool // whether a message still goes out when its turn has come; nil: it does
	topic int                            // of a forum, to which messages go; 0: none
	alarm bool                           // messages go out even when another program polls
}

// Meter counts calls, by the method of the Bot API and its result: ok, held (it was not made) or the name of a Class.
// It is told how long a message waited for its turn.
type Meter interface {
	Called(method, result string)
	Waited(d time.Duration)
}

// As returns a Talk whose messages have another priority.
func (t *Talk) As(p Priority) *Talk {
	other := *t
	other.Priority = p
	return &other
}

// OnlyIf returns a Talk that asks once more when the turn of a message has come: unless wanted says yes, the message is
// not sent, and the error is of the class Stopped.
func (t *Talk) OnlyIf(wanted func(ctx context.Context) bool) *Talk {
	other := *t
	other.only = wanted
	return &other
}

// InTopic returns a Talk whose messages go to a topic of a forum: message_thread_id of the message that it answers.
func (t *Talk) InTopic(topic int) *Talk {
	other := *t
	other.topic = topic
	return &other
}

// Alarm returns a Talk whose messages go out even when another program polls for the bot, which stops all others: it is
// for telling owners so.
func (t *Talk) Alarm() *Talk {
	other := *t
	other.alarm = true
	return &other
}

// call makes one call within a time, 0 for as long as something moves.
func (t *Talk) call(ctx context.Context, c Call, limit time.Duration, fn func(context.Context) error) error {
	c.Priority, c.Alarm = t.Priority, t.alarm
	asked, made := time.Now(), time.Time{}
	err := t.Gate.Do(ctx, c, func(ctx context.Context) error {
		if t.only != nil && !t.only(ctx) {
			return &Error{Class: Stopped, text: "stopped: nobody wants the message any more"}
		}
		made = time.Now()
		limited, cancel := ctx, func() {}
		if limit > 0 {
			limited, cancel = context.WithTimeout(ctx, limit)
		}
		defer cancel()
		return t.probed(ctx, c, fn(limited))
	})
	if t.Meter != nil {
		if c.Chat != 0 && !made.IsZero() {
			t.Meter.Waited(made.Sub(asked))
		}
		t.Meter.Called(c.Method, resultOf(err, !made.IsZero()))
	}
	if c.Chat > 0 && ClassOf(err) == Gone {
		return errors.Join(err, t.Gone(context.WithoutCancel(ctx), c.Chat))
	}
	return err
}

// invoke makes one call of a method that takes no file, and returns what Telegram answers.
func invoke[P, A any](ctx context.Context, t *Talk, c Call, method func(context.Context, P) (A, error), p P) (a A,
	err error) {
	err = t.call(ctx, c, callTime, func(ctx context.Context) (err error) {
		a, err = method(ctx, p)
		return err
	})
	return a, err
}

// probed checks whether Telegram is there at all, after no answer came to a message. If it is not, then the message has
// most likely not arrived either, and nobody may call until Telegram is back. If it is, a message that was handed over
// may have gone out.
func (t *Talk) probed(ctx context.Context, c Call, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Class != Down || e.Status != 0 || e.place || !c.creates() || ctx.Err() != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	if _, problem := t.API.GetMe(ctx); problem != nil {
		e.maybe, e.place = false, true
	}
	return err
}

// resultOf is what a Meter is told of a call.
func resultOf(err error, made bool) string {
	class := ClassOf(err)
	switch {
	case err == nil:
		return "ok"
	case !made && class != Stopped && class != Dropped:
		return "held"
	}
	return class.String()
}

// sent checks the answer to a message: one without an id is no delivery.
func sent(method string, m *models.Message, err error) error {
	if err == nil && (m == nil || m.ID <= 0) {
		e := failed(Unreadable, 200, "telegram's answer to "+method+" names no message")
		e.maybe = true
		return e
	}
	return err
}

// Send sends plain text, without a preview of its links, and returns the message's id.
func (t *Talk) Send(ctx context.Context, chat int64, text string, k Keyboard) (message int, err error) {
	p := &bot.SendMessageParams{ChatID: chat, MessageThreadID: t.topic, Text: text, ReplyMarkup: k.markup(),
		LinkPreviewOptions: &models.LinkPreviewOptions{IsDisabled: bot.True()}}
	c := Call{Method: "sendMessage", Chat: chat}
	err = t.call(ctx, c, callTime, func(ctx context.Context) error {
		m, err := t.API.SendMessage(ctx, p)
		if err = sent(c.Method, m, err); err == nil {
			message = m.ID
		}
		return err
	})
	return message, err
}

// Edit replaces the text and the buttons of a message. A message that is gone, or cannot be edited any more, is no
// error: see Replace.
func (t *Talk) Edit(ctx context.Context, chat int64, message int, text string, k Keyboard) error {
	err := t.edit(ctx, chat, message, text, k)
	if ClassOf(err) == NoMessage {
		return nil
	}
	return err
}

// Replace is Edit, but sends a new message if the one to edit is gone, or cannot be edited any more. It returns the
// id of the message that now says so.
func (t *Talk) Replace(ctx context.Context, chat int64, message int, text string, k Keyboard) (id int, err error) {
	if message != 0 {
		if err := t.edit(ctx, chat, message, text, k); ClassOf(err) != NoMessage {
			return message, err
		}
	}
	return t.Send(ctx, chat, text, k)
}

func (t *Talk) edit(ctx context.Context, chat int64, message int, text string, k Keyboard) error {
	p := &bot.EditMessageTextParams{ChatID: chat, MessageID: message, Text: text, ReplyMarkup: k.markup()}
	_, err := invoke(ctx, t, Call{Method: "editMessageText", Chat: chat}, t.API.EditMessageText, p)
	return err
}

// StripButtons takes the buttons from a message.
func (t *Talk) StripButtons(ctx context.Context, chat int64, message int) error {
	p := &bot.EditMessageReplyMarkupParams{ChatID: chat, MessageID: message}
	_, err := invoke(ctx, t, Call{Method: "editMessageReplyMarkup", Chat: chat}, t.API.EditMessageReplyMarkup, p)
	return err
}

// Delete deletes a message. One that cannot be deleted, or is gone, is no error.
func (t *Talk) Delete(ctx context.Context, chat int64, message int) error {
	p := &bot.DeleteMessageParams{ChatID: chat, MessageID: message}
	_, err := invoke(ctx, t, Call{Method: "deleteMessage"}, t.API.DeleteMessage, p)
	return err
}

// Answer ends the spinning of a pressed button. A press that is too old to be answered is no error.
func (t *Talk) Answer(ctx context.Context, query, text string) error {
	p := &bot.AnswerCallbackQueryParams{CallbackQueryID: query, Text: text}
	_, err := invoke(ctx, t, Call{Method: "answerCallbackQuery"}, t.API.AnswerCallbackQuery, p)
	return err
}

// Command is a line of the menu behind the slash.
type Command struct{ Name, Description string }

// SetCommands sets the menu of a language ("": of all others), in one chat or, when chat is 0, in all. Somebody who has
// not written to the bot yet has no chat to set a menu in: that is no error.
func (t *Talk) SetCommands(ctx context.Context, language string, chat int64, commands []Command) error {
	p := &bot.SetMyCommandsParams{LanguageCode: language, Scope: &models.BotCommandScopeDefault{}}
	if chat != 0 {
		p.Scope = &models.BotCommandScopeChat{ChatID: chat}
	}
	for _, c := range commands {
		p.Commands = append(p.Commands, models.BotCommand{Command: c.Name, Description: c.Description})
	}
	_, err := invoke(ctx, t, Call{Method: "setMyCommands"}, t.API.SetMyCommands, p)
	if chat != 0 && ClassOf(err) == Gone {
		return nil
	}
	return err
}

// DeleteWebhook takes the updates over from a webhook, and loses none: polling works from then on.
func (t *Talk) DeleteWebhook(ctx context.Context) error {
	_, err := invoke(ctx, t, Call{Method: "deleteWebhook"}, t.API.DeleteWebhook, &bot.DeleteWebhookParams{})
	return err
}

// Link returns the URL of the bot.
func (t *Talk) Link(ctx context.Context) (link string, err error) {
	err = t.call(ctx, Call{Method: "getMe"}, callTime, func(ctx context.Context) error {
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

// Patiently repeats a call for as long as its error asks to wait.
func Patiently(ctx context.Context, call func() error) error {
	for {
		err := call()
		e, ok := errors.AsType[*Error](err)
		if !ok {
			return err
		}
		wait, waits := e.RetryAfter()
		if !waits {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}
