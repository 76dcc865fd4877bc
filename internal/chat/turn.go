// The handling of one update: its effect, and the answers that are as durable as the effect.

package chat

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"retake.example/internal/lang"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
)

// Turn is the handling of one update. Its effect is one transaction, in which the answers take the place of the update
// in the inbox. So the effect is never repeated with its answer, and no answer is lost with its effect: a stop, a crash
// or a time without Telegram only delays it.
type Turn struct {
	Update int64
	Lang   string // of the sender, as far as known
	Link   string // a sign-in link that was made for this update
	New    bool   // nothing was known of the sender before it

	raw          string // the update
	press, toast string // a press to answer, and what its toast says
	left         todo
	effect       bool // it is in the database: only the answers are left
	spoken       bool // the handler is done, but the database doesn't know it yet
	saved        bool // the inbox holds what is in left
	greets       bool // this is the hour's answer to a group
	copies       int  // how often what is being said may have arrived although the call failed
}

// todo is what an update has left to say.
type todo struct {
	Answers []Answer `json:"answers"`
	Aside   *aside   `json:"set_aside,omitempty"` // what is set aside once that is said
}

// aside is an update that could not be handled, or what could not be said about it.
type aside struct {
	Raw  string `json:"raw"`
	Code string `json:"code"` // of the reason
}

// Answer is something to say in a chat.
type Answer struct {
	Chat     int64             `json:"chat"`
	Text     string            `json:"text,omitempty"`    // "": the message is deleted
	Message  int               `json:"message,omitempty"` // that says so from now on; 0: a new one
	Keyboard telegram.Keyboard `json:"keyboard,omitempty"`
}

const answersBegin = `{"answers":`

// IsAnswer reports whether a row of the inbox is what is left to say of an update.
func IsAnswer(raw string) bool { return strings.HasPrefix(raw, answersBegin) }

// IsPress reports whether a row of the inbox is the press of a button.
func IsPress(raw string) bool {
	var u struct {
		Press json.RawMessage `json:"callback_query"`
	}
	return json.Unmarshal([]byte(raw), &u) == nil && u.Press != nil
}

// NewTurn returns the turn of an update, or of what was left to say of it.
func NewTurn(u store.Update, language string) *Turn {
	t := &Turn{Update: u.ID, Lang: language, raw: u.Raw}
	if IsAnswer(u.Raw) && json.Unmarshal([]byte(u.Raw), &t.left) == nil {
		t.effect, t.saved = true, true
	}
	return t
}

// AnswerTo is a text of the message files for a user, in their language.
func AnswerTo(u store.User, id string, vars lang.Vars, k telegram.Keyboard) Answer {
	return Answer{Chat: u.ID, Text: lang.Say(u.Lang, id, vars), Keyboard: k}
}

// Press answers a press of a button with a toast, after the effect. It is said once, and lost when the program stops:
// the messages tell the same.
func (t *Turn) Press(query, toast string) { t.press, t.toast = query, toast }

// Effect runs the transaction that is the whole effect of an update. fn returns what is to be said about it.
func (c *Chat) Effect(ctx context.Context, t *Turn, fn func(*store.Tx) ([]Answer, error)) error {
	var left todo
	err := c.Store.Tx(ctx, func(tx *store.Tx) (err error) {
		if left.Answers, err = fn(tx); err != nil {
			return err
		}
		return left.save(tx, t.Update)
	})
	if err == nil {
		t.left, t.effect, t.saved = left, true, true
	}
	return err
}

// Answers is the effect of an update that changes nothing but has more than one thing to say.
func (c *Chat) Answers(ctx context.Context, t *Turn, answers ...Answer) error {
	return c.Effect(ctx, t, func(*store.Tx) ([]Answer, error) { return answers, nil })
}

// Owe puts an answer in the place of an update, in a transaction that is the whole effect of it, and returns what the
// inbox holds then.
func Owe(tx *store.Tx, update int64, a Answer) (raw string, err error) {
	l := todo{Answers: []Answer{a}}
	if raw, err = l.raw(); err != nil {
		return "", err
	}
	return raw, tx.Answering(update, raw)
}

func (l todo) save(tx *store.Tx, update int64) error {
	switch {
	case len(l.Answers) == 0 && l.Aside == nil:
		return tx.Handled(update)
	case len(l.Answers) == 0:
		return tx.SetAside(update, l.Aside.Raw, l.Aside.Code)
	}
	raw, err := l.raw()
	if err != nil {
		return err
	}
	return tx.Answering(update, raw)
}

func (l todo) raw() (string, error) {
	raw, err := json.Marshal(l)
	return string(raw), err
}

// Handle runs the handler of an update unless its effect is in the database already, and then says what is left to say.
// When it returns nil the update is done.
func (c *Chat) Handle(ctx context.Context, t *Turn, handler func(context.Context) error) error {
	if !t.effect && !t.spoken {
		if err := handler(ctx); err != nil && telegram.ClassOf(err) != telegram.Gone && !t.enough(err) {
			return err
		}
		t.spoken = true
	}
	if !t.effect {
		if err := c.Answers(ctx, t); err != nil {
			return err
		}
	}
	return c.finish(ctx, t)
}

// finish says what is left, one after the other, and keeps the inbox up to date.
func (c *Chat) finish(ctx context.Context, t *Turn) error {
	if t.press != "" {
		if err := c.Talk.Answer(ctx, t.press, t.toast); err != nil {
			return err
		}
		t.press = ""
	}
	for {
		if !t.saved {
			if err := c.Store.Tx(ctx, func(tx *store.Tx) error { return t.left.save(tx, t.Update) }); err != nil {
				return err
			}
			t.saved = true
		}
		if len(t.left.Answers) == 0 {
			return nil
		}
		a := t.left.Answers[0]
		switch err := c.say(ctx, a); {
		case telegram.ClassOf(err) == telegram.Gone: // with everything else for that chat
			var others []Answer
			for _, o := range t.left.Answers {
				if o.Chat != a.Chat {
					others = append(others, o)
				}
			}
			t.left.Answers = others
		case err != nil && !t.enough(err):
			return err
		default:
			t.left.Answers, t.copies = t.left.Answers[1:], 0
		}
		t.saved = false
	}
}

// enough reports whether an answer whose call failed may have arrived so often that it isn't said again.
func (t *Turn) enough(err error) bool {
	if telegram.MaybeSent(err) {
		t.copies++
	}
	return t.copies >= telegram.MaxCopies
}

func (c *Chat) say(ctx context.Context, a Answer) (err error) {
	if a.Message != 0 { // after what is being said in that message now
		defer c.lines.hold(a.Chat)()
	}
	switch {
	case a.Text == "":
		err = c.Talk.Delete(ctx, a.Chat, a.Message)
	case a.Message != 0:
		_, err = c.Talk.Replace(ctx, a.Chat, a.Message, a.Text, a.Keyboard)
	default:
		_, err = c.Talk.Send(ctx, a.Chat, a.Text, a.Keyboard)
	}
	return err
}

// SetAside counts a failed attempt to handle an update, and reports whether that was the last. The person in chat is
// then told so; 0: nobody is. The update, or what could not be said about it, is kept with the reason until an owner
// has it tried again.
func (c *Chat) SetAside(ctx context.Context, t *Turn, chat int64, limit int, reason error) (last bool, err error) {
	left := todo{Aside: t.left.Aside} // what was to be said about it being set aside can't be said either
	if left.Aside == nil {
		left.Aside = &aside{Raw: t.raw, Code: asideCode(reason)}
		switch {
		case t.effect:
			if left.Aside.Raw, err = t.left.raw(); err != nil {
				return false, err
			}
		case chat != 0:
			left.Answers = []Answer{{Chat: chat, Text: lang.Say(t.Lang, "trouble", nil)}}
		}
	}
	err = c.Store.Tx(ctx, func(tx *store.Tx) error {
		tries, err := tx.RecordAttempt(t.Update)
		if last = tries >= limit || errors.Is(err, store.ErrNotFound); !last {
			return err
		}
		return left.save(tx, t.Update)
	})
	if err != nil || !last {
		return false, err
	}
	t.left, t.effect, t.saved = left, true, true
	return true, nil
}

// asideCode is the code of why an update is set aside.
func asideCode(reason error) string {
	if errors.Is(reason, ErrShape) {
		return store.UpdateShape
	}
	return cmp.Or(retry.CodeOf(reason), store.UpdateFailed)
}

// ErrShape is an update that the library cannot decode. The library's own error may quote a name.
var ErrShape = errors.New("an update of an unknown shape")
