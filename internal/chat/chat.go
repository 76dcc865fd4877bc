// Package chat is what the bot says beyond its heart: people's requests and how far they are, privacy, menus, and what
// admins are told.
package chat

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	tg "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/video"
)

const (
	AtOnce = 32              // chats being answered at a time, and as many presses
	drain  = 5 * time.Second // for answers that are under way when the program stops
)

// admins is the line of what admins are told. What no handler waits for has lines of its own: courtesies have the first
// AtOnce, so that no admin waits behind one.
const admins = AtOnce

// Options are the operator's choices for the bot.
type Options struct {
	Token, APIURL string
	Offers        *video.Offers
	ReuseFor      time.Duration // how long a finished video serves others who ask for the name
	Language      string        // for users whose own is not offered
	// the operator has set Language, so that it also holds for languages without texts
	LanguageChosen bool
	OpenLimit      int                                // requests of one user that wait at a time
	HourLimit      int                                // requests of one user in an hour
	DayLimit       int                                // requests of one user in a day
	AllLimit       int                                // requests of all users together in a day; 0: no limit
	MaxUpload      int64                              // bytes that Telegram takes
	Keep           store.Keep                         // how long what users sent is kept
	Farm           bool                               // names go to other machines of the operator's
	Elsewhere      bool                               // names go to a service that makes videos, or says them
	BaseURL        string                             // of the page
	Role           func(id int64) (store.Admin, bool) // who is an admin by the settings; see Store.RoleOf
	Admins         []int64                            // the same people
	HasOwner       bool                               // the settings name an owner
	Rude           []string
	CanDraw        func(template, name string) error // nil error: that template has every letter
	Voice          Voice                             // says names before a video is made; nil: it does not
	Announcements  bool                              // people are asked whether they want any, and get them
	PerSecond      int                               // messages to all chats; 0: the default of telegram.NewGate
	Second         time.Duration                     // of Telegram's limits: see telegram.NewGate
	Meter          Meter                             // nil: nobody counts
}

// Meter counts what comes from Telegram and what is asked of it.
type Meter interface {
	telegram.Meter
	Received(updates int)
}

// Chat says things to people. It needs the store and Telegram, and no queue.
type Chat struct {
	Options
	Store  *store.Store
	Log    *slog.Logger
	Client telegram.Client
	Talk   telegram.Talk
	Work   context.Context // of what has begun: it ends a while after Close

	end      context.CancelFunc
	closed   atomic.Bool
	aside    *telegram.Chats[func(context.Context)]
	lines    lines
	outlooks outlooks
	groups   *telegram.Groups
	albums   albums
	self     self
	played   played
	unclear  unclear
	renew    chan int64 // chats whose menu is sent again
}

// New returns a Chat. It calls nobody.
func New(st *store.Store, opts Options, log *slog.Logger) (*Chat, error) {
	c := &Chat{Options: opts, Store: st, Log: log, Client: telegram.NewClient(), groups: telegram.NewGroups(opts.Second),
		renew: make(chan int64, AtOnce)}
	c.Work, c.end = context.WithCancel(context.Background())
	c.aside = telegram.NewChats(func(ctx context.Context, call func(context.Context)) {
		if !c.closed.Load() {
			call(ctx)
		}
	})
	api, err := tg.New(opts.Token, tg.WithSkipGetMe(), tg.WithServerURL(opts.APIURL), tg.WithHTTPClient(0, c.Client),
		tg.WithDefaultHandler(func(context.Context, *tg.Bot, *models.Update) {}), // the library's own logs whole updates
		tg.WithErrorsHandler(func(err error) { log.Warn("telegram library", "err", err) }))
	if err != nil {
		return nil, err
	}
	gate := []telegram.Option{telegram.LogTo(log)}
	if opts.PerSecond > 0 {
		gate = append(gate, telegram.PerSecond(opts.PerSecond))
	}
	c.Talk = telegram.Talk{
		API:  api,
		Gate: telegram.NewGate(opts.Second, gate...),
		Gone: func(ctx context.Context, chat int64) error {
			return st.Tx(ctx, func(tx *store.Tx) error { return tx.SetReachable(chat, false) })
		},
	}
	if opts.Meter != nil {
		c.Talk.Meter = opts.Meter
	}
	return c, nil
}

// Close lets what has begun end, for a while. What waits aside is dropped.
func (c *Chat) Close() {
	c.closed.Store(true)
	time.AfterFunc(drain, c.end)
}

// Wait returns when nothing is being said aside.
func (c *Chat) Wait() { c.aside.Wait() }

// Say sends a text of the message files, and returns the id of the message.
func (c *Chat) Say(
	ctx context.Context,
	chat int64,
	language, id string,
	vars lang.Vars,
	k telegram.Keyboard,
) (int, error) {
	return c.Talk.Send(ctx, chat, lang.Say(language, id, vars), k)
}

// Reply is Say to a user, in their language.
func (c *Chat) Reply(ctx context.Context, u store.User, id string, vars lang.Vars, k telegram.Keyboard) error {
	_, err := c.Say(ctx, u.ID, u.Lang, id, vars, k)
	return err
}

// StripButtons takes the buttons from a message whose question is settled, as soon as there is time for it. It is a
// courtesy: no answer waits for it, failing is no error, and it is dropped when the program stops.
func (c *Chat) StripButtons(chat int64, message int) {
	if message == 0 {
		return
	}
	c.aside.Accept(c.Work, chat%AtOnce, func(ctx context.Context) {
		if err := c.Talk.As(telegram.Courtesy).StripButtons(ctx, chat, message); err != nil {
			c.Log.Debug("take buttons away", "err", err)
		}
	})
}

// RetryKeyboard is the button under an apology.
func RetryKeyboard(language, assetID string) telegram.Keyboard {
	return telegram.Row(telegram.NewButton(lang.Say(language, "button_retry", nil), telegram.RetryButton, assetID))
}

// CancelKeyboard is the button under a progress message, for as long as the work has not begun.
func CancelKeyboard(language, assetID string, status store.Status) telegram.Keyboard {
	if status != store.Pending {
		return nil
	}
	return telegram.Row(telegram.NewButton(lang.Say(language, "button_cancel", nil), telegram.CancelButton, assetID))
}

// LanguageKeyboard offers each language by its own name.
func LanguageKeyboard() telegram.Keyboard {
	var row []telegram.Button
	for _, l := range lang.Languages {
		row = append(row, telegram.NewButton(lang.Say(l, "language_name", nil), telegram.LangButton, l))
	}
	return telegram.Row(row...)
}

// ForgetKeyboard asks whether everything about a person is to be deleted.
func ForgetKeyboard(language string) telegram.Keyboard {
	return telegram.Row(
		telegram.NewButton(lang.Say(language, "button_forget", nil), telegram.ForgetButton, "yes"),
		telegram.NewButton(lang.Say(language, "button_keep", nil), telegram.ForgetButton, "no"))
}
