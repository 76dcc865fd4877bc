// The Telegram bot: updates in (inbox, commands, names, buttons) and messages out (video, apology, progress).

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/video"
	"retake.example/internal/worker"

	"retake.example/internal/db"
	"retake.example/internal/store"

	tg "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"retake.example/internal/lang"
	"retake.example/internal/telegram"
	"retake.example/internal/watch"
)

const (
	progressRest = 3               // seconds of Telegram's between two edits of one message
	maxTries     = 3               // to handle an update, before it is set aside
	atOnce       = 32              // chats being answered at a time
	drain        = 5 * time.Second // for answers that are on their way when the program is to stop
	asideAdmins  = 2 * atOnce      // the line of what admins are told: no courtesy waits behind it, and no refusal
)

// BotOptions are the operator's choices for the bot.
type BotOptions struct {
	Token, APIURL string
	Offers        []video.Offer                      // at least one
	ReuseFor      time.Duration                      // how long a finished video serves the next who asks for the name
	Language      string                             // for users whose own is not offered
	OpenLimit     int                                // requests of one user that wait at a time
	HourLimit     int                                // requests of one user in an hour
	DayLimit      int                                // requests of one user in a day
	MaxUpload     int64                              // bytes that Telegram takes
	Keep          store.Keep                         // how long what users sent is kept
	Elsewhere     bool                               // names go to a service that makes videos, or says them
	BaseURL       string                             // of the page
	Role          func(id int64) (store.Admin, bool) // who is an admin by the settings; see Store.RoleOf
	Admins        []int64                            // the same people
	Rude          []string
	CanDraw       func(template, name string) error // nil error: that template has every letter
	Second        time.Duration                     // of Telegram's limits: see telegram.NewGate
	Meter         botMeter                          // nil: nobody counts
}

// botMeter counts what comes from Telegram and what is asked of it.
type botMeter interface {
	telegram.Meter
	Received(updates int)
}

// Bot talks to Telegram's users. It is the queue's messenger.
type Bot struct {
	opts   BotOptions
	store  *store.Store
	queue  *Queue
	media  mediaFiles
	log    *slog.Logger
	client telegram.Client
	talk   telegram.Talk

	contact atomic.Int64 // when Telegram last answered a poll, ms

	chats *telegram.Chats[store.Update]
	busy  chan struct{} // one token a chat being answered
	flood *telegram.Flood
	aside *telegram.Chats[func(context.Context)] // messages that no handler waits for, in so many lines as are answered at a time
	again chan []store.Update                    // that were in the inbox before
}

// NewBot prepares the bot; the queue is set before Run.
func NewBot(st *store.Store, media mediaFiles, opts BotOptions, log *slog.Logger) (*Bot, error) {
	b := &Bot{opts: opts, store: st, media: media, log: log, busy: make(chan struct{}, atOnce), flood: telegram.NewFlood(opts.Second),
		client: telegram.NewClient(), again: make(chan []store.Update)}
	api, err := tg.New(opts.Token, tg.WithSkipGetMe(), tg.WithNotAsyncHandlers(), tg.WithServerURL(opts.APIURL),
		tg.WithHTTPClient(0, b.client), tg.WithDefaultHandler(b.route),
		tg.WithErrorsHandler(func(err error) { log.Warn("telegram library", "err", err) }))
	b.talk = telegram.Talk{API: api, Gate: telegram.NewGate(opts.Second), Gone: func(ctx context.Context, chat int64) error {
		return st.Tx(ctx, func(tx *store.Tx) error { return tx.SetReachable(chat, false) })
	}}
	if opts.Meter != nil {
		b.talk.Meter = opts.Meter
	}
	return b, err
}

// Run receives and answers updates, and keeps the progress messages true, until ctx ends.
func (b *Bot) Run(ctx context.Context) error {
	work, halt := outlive(ctx, drain)
	defer halt()
	b.chats = telegram.NewChats(func(ctx context.Context, u store.Update) { b.settle(ctx, work, u) })
	b.aside = telegram.NewChats(func(_ context.Context, call func(context.Context)) {
		if ctx.Err() == nil {
			call(work)
		}
	})
	left, err := b.store.Inbox(ctx)
	if err == nil {
		err = b.accept(ctx, left)
	}
	if err != nil {
		return unlessStopped(ctx, fmt.Errorf("read the inbox: %w", err))
	}
	var wg sync.WaitGroup
	wg.Go(func() { telegram.Keep(ctx, b.receive, b.log) })
	wg.Go(func() { b.resume(ctx) })
	wg.Go(func() { b.showProgress(ctx) })
	wg.Go(func() { b.keepMenus(ctx) })
	wg.Wait()
	b.chats.Wait()
	b.aside.Wait()
	return nil
}

// ---- in

// receive stores what Telegram has before the next poll confirms it.
func (b *Bot) receive(ctx context.Context) error {
	offset, err := b.store.Offset(ctx)
	if err != nil {
		return fmt.Errorf("read the offset: %w", err)
	}
	polled, err := telegram.Poll(ctx, b.client, b.opts.APIURL, b.opts.Token, offset)
	if err != nil {
		return err
	}
	b.contact.Store(b.store.Now().UnixMilli())
	updates := make([]store.Update, len(polled))
	for i, u := range polled {
		updates[i] = store.Update{ID: u.ID, Chat: u.Chat, Raw: u.JSON}
	}
	var fresh []store.Update
	err = b.store.Tx(ctx, func(tx *store.Tx) (err error) {
		fresh, err = tx.Receive(updates)
		return err
	})
	if err != nil {
		return fmt.Errorf("store updates: %w", err)
	}
	if b.opts.Meter != nil {
		b.opts.Meter.Received(len(fresh))
	}
	b.talk.Gate.Up()
	return b.accept(ctx, fresh)
}

// Resume hands updates of the inbox to the handlers that were kept from them. Those that it cannot hand over before ctx ends wait for
// the next start.
func (b *Bot) Resume(ctx context.Context, updates []store.Update) {
	select {
	case b.again <- updates:
	case <-ctx.Done():
	}
}

func (b *Bot) resume(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case updates := <-b.again:
			if err := b.accept(ctx, updates); err != nil && ctx.Err() == nil {
				b.log.Error("refuse a flood of before", "err", err)
			}
		}
	}
}

// Contact returns when Telegram last answered a poll; zero: it has not yet.
func (b *Bot) Contact() time.Time { return store.Moment(b.contact.Load()) }

// accept hands updates to the handlers, but for those of whoever writes faster than Telegram takes answers: such a person is
// told so, once a minute, and the rest is forgotten.
func (b *Bot) accept(ctx context.Context, updates []store.Update) error {
	var over []int64
	for _, u := range updates {
		tooMany, first := b.flood.Over(u.Chat, time.Now())
		if u.Chat == 0 || !tooMany { // 0 is nobody's
			b.chats.Accept(ctx, u.Chat, u)
			continue
		}
		over = append(over, u.ID)
		if first && u.Chat > 0 {
			b.aside.Accept(ctx, atOnce+u.Chat%atOnce, func(ctx context.Context) { b.refuseFlood(ctx, u.Chat) }) // not behind a courtesy
		}
	}
	if len(over) == 0 {
		return nil
	}
	return b.store.Tx(ctx, func(tx *store.Tx) error {
		for _, id := range over {
			if err := tx.Handled(id); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *Bot) refuseFlood(ctx context.Context, user int64) {
	language, err := b.store.Language(ctx, user)
	if err != nil { // their first message is still waiting
		language = b.opts.Language
	}
	b.log.Warn("somebody writes faster than can be answered", "user", user)
	if _, err := b.say(ctx, user, language, "too_many", nil, nil); err != nil {
		b.log.Warn("refuse a flood", "user", user, "err", err)
	}
}

// settle handles an update until it is done, set aside, or the program stops; then it stays in the inbox. work is the
// context of what has begun: it outlives ctx for a while.
func (b *Bot) settle(ctx, work context.Context, u store.Update) {
	t := &turn{update: u.ID, lang: b.opts.Language}
	for {
		select {
		case <-ctx.Done():
			return
		case b.busy <- struct{}{}:
		}
		err := b.handle(work, u, t)
		<-b.busy
		pause := time.Second
		wait, waits := retry.After(err)
		switch {
		case errors.Is(err, context.Canceled):
			return
		case waits:
			pause = wait
		case db.OfDisk(err): // nothing is wrong with the update
			b.log.Warn("an update will be tried again", "update", u.ID, "err", err)
		case err == nil, telegram.ClassOf(err) == telegram.Gone:
			if t.done {
				return
			}
			t.rest = func(context.Context) error { return nil } // done: only this is left to write
			if err = b.store.Tx(work, func(tx *store.Tx) error { return tx.Handled(u.ID) }); err == nil {
				return
			}
		default:
			tries := maxTries
			if retry.IsPermanent(err) {
				tries = 1
			}
			aside := false
			problem := b.store.Tx(work, func(tx *store.Tx) (err error) { aside, err = tx.Stumbled(u.ID, "see the log", tries); return err })
			if aside {
				b.log.Error("an update is set aside", "update", u.ID, "err", err)
				if u.Chat > 0 && !errors.Is(err, errShape) { // whoever waits for an answer gets one
					b.say(work, u.Chat, t.lang, "trouble", nil, nil)
				}
				return
			}
			b.log.Warn("an update will be tried again", "update", u.ID, "err", errors.Join(err, problem))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// errShape is an update that the library cannot decode; its own error may quote a name.
var errShape = errors.New("an update of an unknown shape")

// turn travels in the context of a handler: the library's handlers return nothing.
type turn struct {
	update int64
	lang   string                      // of whom it is from, as far as known
	done   bool                        // marked so, with its effect
	rest   func(context.Context) error // what is left to do when the effect is in the database already
	err    error
}

type turnKey struct{}

func turnOf(ctx context.Context) *turn { return ctx.Value(turnKey{}).(*turn) }

// handle runs the handler of one update, or what an earlier run has left of it. A panic is an error like any other.
func (b *Bot) handle(ctx context.Context, u store.Update, t *turn) (err error) {
	defer func() {
		if p := recover(); p != nil {
			b.log.Error("panic in a handler", "update", u.ID, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %T", p) // not its text: it may quote a name
		}
	}()
	if t.rest != nil {
		return t.rest(ctx)
	}
	var update models.Update
	if err := json.Unmarshal([]byte(u.Raw), &update); err != nil {
		return retry.Permanent(errShape)
	}
	b.talk.API.ProcessUpdate(context.WithValue(ctx, turnKey{}, t), &update)
	return t.err
}

// tx runs a transaction that is the whole effect of the update at hand, and marks it handled in it. then answers; it
// alone is repeated when Telegram asks to wait.
func (b *Bot) tx(ctx context.Context, fn func(*store.Tx) error, then func(context.Context) error) error {
	t := turnOf(ctx)
	err := b.store.Tx(ctx, func(tx *store.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return tx.Handled(t.update)
	})
	if err != nil {
		return err
	}
	t.rest, t.done = then, true
	return then(ctx)
}

func (b *Bot) route(ctx context.Context, _ *tg.Bot, u *models.Update) {
	t := turnOf(ctx)
	switch {
	case u.CallbackQuery != nil:
		t.err = b.onPress(ctx, u.CallbackQuery)
	case u.Message != nil && u.Message.Chat.Type != models.ChatTypePrivate:
		if strings.HasPrefix(u.Message.Text, "/") {
			t.err = b.onGroup(ctx, u.Message.Chat.ID, u.Message.From)
		}
	case u.Message != nil && u.Message.From != nil:
		t.err = b.onMessage(ctx, u.Message)
	case u.MyChatMember != nil:
		t.err = b.onMember(ctx, u.MyChatMember)
	}
}

// meet returns the user, with the language Telegram gives for them at the first contact.
func (b *Bot) meet(ctx context.Context, from *models.User) (u store.User, err error) {
	if u, err = b.store.Met(ctx, from.ID); errors.Is(err, store.ErrNotFound) {
		err = b.store.Tx(ctx, func(tx *store.Tx) (err error) {
			u, err = tx.Meet(from.ID, lang.Match(from.LanguageCode, b.opts.Language))
			return err
		})
	}
	turnOf(ctx).lang = u.Lang
	return u, err
}

func (b *Bot) onMember(ctx context.Context, m *models.ChatMemberUpdated) error {
	status := m.NewChatMember.Type
	here := status == models.ChatMemberTypeMember || status == models.ChatMemberTypeAdministrator
	if m.Chat.Type != models.ChatTypePrivate {
		if here && m.OldChatMember.Type != status {
			return b.onGroup(ctx, m.Chat.ID, &m.From)
		}
		return nil
	}
	return b.store.Tx(ctx, func(tx *store.Tx) error { return tx.SetReachable(m.From.ID, here) })
}

// onGroup says where the bot works.
func (b *Bot) onGroup(ctx context.Context, chat int64, from *models.User) error {
	code := ""
	if from != nil {
		code = from.LanguageCode
	}
	link, err := b.talk.Link(ctx)
	if err != nil {
		return err
	}
	_, err = b.say(ctx, chat, lang.Match(code, b.opts.Language), "group", lang.Vars{"Link": link}, nil)
	return err
}

func (b *Bot) onMessage(ctx context.Context, m *models.Message) error {
	u, err := b.meet(ctx, m.From)
	if err != nil {
		return err
	}
	text := strings.TrimSpace(m.Text)
	if text == "" {
		return b.reply(ctx, u, "only_text", nil, nil)
	}
	if strings.HasPrefix(text, "/") {
		command, _, _ := strings.Cut(strings.Fields(text)[0][1:], "@")
		return b.onCommand(ctx, u, strings.ToLower(command))
	}
	name, key, problem := lang.ParseName(text)
	var able []video.Offer // to draw the name
	switch {
	case problem != "":
	case lang.IsRude(key, b.opts.Rude):
		problem = "name_rude"
	default:
		for _, o := range b.opts.Offers {
			if b.opts.CanDraw(o.ID, name) == nil {
				able = append(able, o)
			}
		}
		if len(able) == 0 {
			problem = "name_undrawable"
		}
	}
	if problem != "" {
		return b.reply(ctx, u, problem, nil, nil)
	}
	var draft string
	if err := b.store.Tx(ctx, func(tx *store.Tx) (err error) { draft, err = tx.SaveDraft(u.ID, name); return err }); err != nil {
		return err
	}
	change := telegram.NewButton(lang.Say(u.Lang, "button_change", nil), telegram.ChangeButton, draft)
	if len(able) == 1 {
		yes := telegram.NewButton(lang.Say(u.Lang, "button_yes", nil), telegram.YesButton, b.choice(draft, able[0]))
		return b.reply(ctx, u, "confirm", lang.Vars{"Name": name}, telegram.Row(yes, change))
	}
	var rows telegram.Keyboard // a title may be long: each has a row
	for _, o := range able {
		rows = append(rows, []telegram.Button{telegram.NewButton(video.TitleOf(able, o.ID, u.Lang), telegram.YesButton, b.choice(draft, o))})
	}
	return b.reply(ctx, u, "choose", lang.Vars{"Name": name}, append(rows, []telegram.Button{change}))
}

// choice is what the button carries that makes a draft with a template. It names the template only where there is a
// choice: a draft alone means the first.
func (b *Bot) choice(draft string, o video.Offer) string {
	if len(b.opts.Offers) == 1 {
		return draft
	}
	return draft + ":" + o.ID
}

func (b *Bot) onCommand(ctx context.Context, u store.User, command string) error {
	admin, isAdmin, err := b.store.RoleOf(ctx, b.opts.Role, u.ID)
	if err != nil {
		return err
	}
	switch command {
	case "privacy":
		_, err := b.talk.Send(ctx, u.ID, b.privacy(u.Lang), nil)
		return err
	case "my_data":
		return b.sendData(ctx, u, isAdmin)
	case "start", "help":
		if err := b.reply(ctx, u, command, nil, nil); err != nil || command != "start" || !isAdmin {
			return err
		}
		b.publishCommands(ctx, []int64{u.ID}, u.ID) // Telegram refuses them before the admin's first message
		return nil
	case "new":
		return b.reply(ctx, u, "ask_name", nil, nil)
	case "status":
		return b.status(ctx, u)
	case "cancel":
		return b.cancelAll(ctx, u)
	case "language":
		var row []telegram.Button
		for _, l := range lang.Languages {
			row = append(row, telegram.NewButton(lang.Say(l, "language_name", nil), telegram.LangButton, l))
		}
		return b.reply(ctx, u, "language_choose", nil, telegram.Row(row...))
	case "delete_my_data":
		return b.reply(ctx, u, "forget_ask", nil, telegram.Row(telegram.NewButton(lang.Say(u.Lang, "button_forget", nil), telegram.ForgetButton, "yes"),
			telegram.NewButton(lang.Say(u.Lang, "button_keep", nil), telegram.ForgetButton, "no")))
	case "admin", "stats":
		if !isAdmin {
			return b.reply(ctx, u, "admin_only", nil, nil)
		}
		if command == "admin" {
			link, err := NewLink(ctx, b.store, b.opts.BaseURL, admin.ID)
			if err != nil {
				return err
			}
			return b.reply(ctx, u, "admin_link", lang.Vars{"Link": link}, nil)
		}
		n, err := b.store.Counts(ctx, store.Filter{})
		if err != nil {
			return err
		}
		return b.reply(ctx, u, "stats", lang.Vars{"Pending": n[store.Pending], "Processing": n[store.Processing], "Completed": n[store.Completed], "Failed": n[store.Failed]}, nil)
	}
	return b.reply(ctx, u, "unknown_command", nil, nil)
}

// status lists a user's requests; each failed one that waits for a decision comes with its button.
func (b *Bot) status(ctx context.Context, u store.User) error {
	wanted, err := b.store.RequestsOf(ctx, u.ID, 10)
	if err != nil {
		return err
	}
	if len(wanted) == 0 {
		return b.reply(ctx, u, "status_empty", nil, nil)
	}
	lines := []string{lang.Say(u.Lang, "status_title", nil)}
	var get telegram.Keyboard
	var failed []store.Wanted
	for _, w := range wanted {
		id := map[store.Status]string{store.Pending: "status_pending", store.Processing: "status_processing", store.Completed: "status_completed", store.Failed: "status_failed"}[w.Status]
		switch {
		case w.Status == store.Processing && w.Finished:
			id = "status_sending"
			get = append(get, []telegram.Button{telegram.NewButton(lang.Say(u.Lang, "button_get", lang.Vars{"Name": b.nameOf(w, u.Lang)}), telegram.GetButton, w.AssetID)})
		case w.Status == store.Failed && w.Retried:
			id = "status_retried"
		case w.Status == store.Failed && len(failed) < 3:
			failed = append(failed, w)
		}
		lines = append(lines, lang.Say(u.Lang, id, lang.Vars{"Name": b.nameOf(w, u.Lang)}))
	}
	if _, err := b.talk.Send(ctx, u.ID, strings.Join(lines, "\n"), get); err != nil {
		return err
	}
	for _, w := range failed {
		if err := b.reply(ctx, u, "status_retry", lang.Vars{"Name": b.nameOf(w, u.Lang)}, retryKeyboard(u.Lang, w.AssetID)); err != nil {
			return err
		}
	}
	return nil
}

// nameOf is how a list of videos calls one of them: where there is a choice, the name may stand there twice.
func (b *Bot) nameOf(w store.Wanted, language string) string {
	if len(b.opts.Offers) == 1 {
		return w.Name
	}
	return lang.Say(language, "status_name", lang.Vars{"Name": w.Name, "Title": video.TitleOf(b.opts.Offers, w.Template, language)})
}

// cancelAll takes away what has not begun.
func (b *Bot) cancelAll(ctx context.Context, u store.User) error {
	wanted, err := b.store.RequestsOf(ctx, u.ID, 100)
	if err != nil {
		return err
	}
	var live []string
	for _, w := range wanted {
		if w.Status.Live() {
			live = append(live, w.AssetID)
		}
	}
	return b.cancel(ctx, u, live...)
}

// cancel takes a user's requests away, as far as their turn has not come, and says so in their progress messages.
func (b *Bot) cancel(ctx context.Context, u store.User, assets ...string) error {
	type cancelled struct {
		name     string
		progress int
	}
	var done []cancelled
	answer := "cancel_nothing"
	return b.tx(ctx, func(tx *store.Tx) error {
		for _, id := range assets {
			a, err := tx.Asset(id)
			if errors.Is(err, store.ErrNotFound) {
				continue
			} else if err != nil {
				return err
			}
			progress, err := tx.Cancel(u.ID, id)
			switch {
			case err == nil:
				done = append(done, cancelled{a.Name, progress})
			case !errors.Is(err, store.ErrNotFound):
				return err
			default:
				waits, err := tx.HasRequest(u.ID, id)
				if err != nil {
					return err
				}
				if waits && a.Status != store.Failed {
					answer = "cancel_late"
				}
			}
		}
		return nil
	}, func(ctx context.Context) error {
		if len(done) == 0 {
			return b.reply(ctx, u, answer, nil, nil)
		}
		for len(done) > 0 {
			text := lang.Say(u.Lang, "cancelled", lang.Vars{"Name": done[0].name})
			var err error
			if done[0].progress != 0 {
				err = b.talk.Edit(ctx, u.ID, done[0].progress, text, nil)
			} else {
				_, err = b.talk.Send(ctx, u.ID, text, nil)
			}
			if err != nil {
				return err
			}
			done = done[1:]
		}
		return nil
	})
}

// onPress answers a press of a button before it works: an unanswered button spins for a minute.
func (b *Bot) onPress(ctx context.Context, q *models.CallbackQuery) error {
	u, err := b.meet(ctx, &q.From)
	if err != nil {
		return err
	}
	chat, message := telegram.Pressed(q)
	kind, arg, _ := strings.Cut(q.Data, ":")
	if kind == telegram.RetryButton {
		return b.onRetry(ctx, q.ID, u, chat, message, arg)
	}
	if err := b.talk.Answer(ctx, q.ID, ""); err != nil {
		return err
	}
	switch kind {
	case telegram.YesButton:
		return b.onYes(ctx, u, message, arg)
	case telegram.ChangeButton:
		err := b.store.Tx(ctx, func(tx *store.Tx) error { _, err := tx.TakeDraft(u.ID, arg); return err })
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		b.stripButtons(ctx, u.ID, message)
		return b.reply(ctx, u, "confirm_change", nil, nil)
	case telegram.CancelButton:
		return b.cancel(ctx, u, arg)
	case telegram.GetButton:
		return b.onGet(ctx, u, arg)
	case telegram.MoreButton:
		return b.reply(ctx, u, "ask_name", nil, nil)
	case telegram.LangButton:
		if !slices.Contains(lang.Languages, arg) {
			return nil
		}
		if err := b.store.Tx(ctx, func(tx *store.Tx) error { return tx.SetLang(u.ID, arg) }); err != nil {
			return err
		}
		b.stripButtons(ctx, u.ID, message)
		u.Lang = arg
		return b.reply(ctx, u, "language_set", nil, nil)
	case telegram.ForgetButton:
		return b.onForget(ctx, u, message, arg == "yes")
	case telegram.TryButton:
		admin, ok, err := b.store.RoleOf(ctx, b.opts.Role, u.ID)
		if err != nil || !ok {
			return err
		}
		answer := "trying_now"
		switch err := b.queue.TryNow(ctx, admin); {
		case errors.Is(err, store.ErrNotFailed):
			answer = "outage_over"
		case err != nil:
			return err
		}
		b.stripButtons(ctx, u.ID, message)
		return b.reply(ctx, u, answer, nil, nil)
	case telegram.AgainButton, telegram.PutButton:
		return b.onAgain(ctx, u, message, kind, arg)
	}
	return nil
}

// onAgain tries all again that an admin was told of, and may try again.
func (b *Bot) onAgain(ctx context.Context, u store.User, message int, kind, arg string) error {
	admin, ok, err := b.store.RoleOf(ctx, b.opts.Role, u.ID)
	if err != nil || !ok {
		return err
	}
	last, number, _ := strings.Cut(arg, ":")
	n, err := strconv.Atoi(number)
	if err != nil {
		return nil
	}
	var t retry.Tally
	if kind == telegram.PutButton {
		ms, err := strconv.ParseInt(last, 10, 64)
		if err != nil {
			return nil
		}
		t, err = retry.AllPublications(ctx, b.store, b.queue, admin, store.Filter{}, store.Moment(ms), n)
		if err != nil {
			return err
		}
	} else if t, err = retry.All(ctx, b.store, b.queue, admin, store.Filter{}, last, n); err != nil {
		return err
	}
	b.stripButtons(ctx, u.ID, message)
	if again := t.Restarted + t.Joined; again > 0 {
		return b.reply(ctx, u, "alert_again", lang.Vars{"Count": again}, nil)
	}
	return b.reply(ctx, u, "alert_nothing", nil, nil)
}

// onYes makes the wish of a draft come true, within the limits, with the template that was chosen.
func (b *Bot) onYes(ctx context.Context, u store.User, message int, choice string) error {
	draft, template, chosen := strings.Cut(choice, ":")
	if !chosen {
		template = b.opts.Offers[0].ID
	}
	if !slices.ContainsFunc(b.opts.Offers, func(o video.Offer) bool { return o.ID == template }) {
		return b.reply(ctx, u, "press_lapsed", nil, nil) // the draft stays: the other buttons still work
	}
	var answer string // "": the announcement, or the video, is a job
	var vars lang.Vars
	settled := true
	return b.tx(ctx, func(tx *store.Tx) error {
		usage, err := tx.Usage(u.ID)
		if err != nil {
			return err
		}
		switch {
		case usage.Open >= b.opts.OpenLimit:
			answer, vars = "limit_open", lang.Vars{"Count": usage.Open}
		case usage.Hour >= b.opts.HourLimit:
			answer = "limit_hour"
		case usage.Day >= b.opts.DayLimit:
			answer = "limit_day"
		}
		if settled = answer == ""; !settled {
			return nil // the draft stays: its button works again later
		}
		name, err := tx.TakeDraft(u.ID, draft)
		if errors.Is(err, store.ErrNotFound) {
			answer = "confirm_lapsed"
			return nil
		} else if err != nil {
			return err
		}
		a, grant, err := tx.ShareOrCreate(store.Wish{User: u.ID, Chat: u.ID, Name: name, Key: lang.NameKey(name), Template: template, Lang: u.Lang},
			tx.Now().Add(-b.opts.ReuseFor))
		if err != nil {
			return err
		}
		if grant == store.Waiting {
			answer, vars = "already_waiting", lang.Vars{"Name": name}
		}
		return tx.Note(store.Event{User: u.ID, Action: "ask", AssetID: a.ID, Outcome: string(grant)})
	}, func(ctx context.Context) error {
		if settled {
			b.stripButtons(ctx, u.ID, message)
		}
		if answer == "" {
			return nil
		}
		return b.reply(ctx, u, answer, vars, nil)
	})
}

// onRetry is the press of the button under an apology.
func (b *Bot) onRetry(ctx context.Context, query string, u store.User, chat int64, message int, assetID string) error {
	meets, err := b.store.Foresee(ctx, u.ID, assetID)
	if err != nil {
		return err
	}
	toast := map[store.Press]string{store.PressNew: "toast_trying", store.PressAgain: "toast_waiting", store.PressReady: "toast_ready", store.PressUnknown: "toast_lapsed"}[meets]
	if err := b.talk.Answer(ctx, query, lang.Say(u.Lang, toast, nil)); err != nil {
		return err
	}
	_, err = b.queue.Retry(ctx, assetID, retry.ButtonPressed{User: u.ID, Chat: chat})
	switch {
	case errors.Is(err, store.ErrNotFound):
		err = b.reply(ctx, u, "press_lapsed", nil, nil)
	case errors.Is(err, store.ErrForbidden):
		return b.reply(ctx, u, "press_foreign", nil, nil)
	case errors.Is(err, store.ErrNotFailed):
		err = b.onGet(ctx, u, assetID)
	}
	if err == nil && meets != store.PressAgain { // then they went with the first press
		b.stripButtons(ctx, chat, message)
	}
	return err // the confirmation, or the video, is a job
}

// onGet sends a finished video that the user asked for once more.
func (b *Bot) onGet(ctx context.Context, u store.User, assetID string) error {
	err := b.store.Tx(ctx, func(tx *store.Tx) error {
		a, err := tx.Asset(assetID)
		if err != nil {
			return err
		}
		mine, err := tx.HasRequest(u.ID, assetID)
		switch {
		case err != nil:
			return err
		case !mine:
			return store.ErrNotFound
		case a.Status != store.Completed:
			return nil
		}
		_, err = tx.Join(a, u.ID, u.ID)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return b.reply(ctx, u, "press_lapsed", nil, nil)
	}
	return err
}

func (b *Bot) onForget(ctx context.Context, u store.User, message int, yes bool) error {
	b.stripButtons(ctx, u.ID, message)
	if !yes {
		return b.reply(ctx, u, "kept", nil, nil)
	}
	var gone store.Gone
	told := false
	return b.tx(ctx, func(tx *store.Tx) (err error) { gone, err = tx.Forget(u.ID); return err }, func(ctx context.Context) error {
		b.queue.Discard(ctx, gone)
		if len(gone.Kept) == 0 {
			return b.reply(ctx, u, "forgotten", nil, nil)
		}
		if !told { // once, though Telegram may ask to wait with the answer; the page says it until it is done
			told = true
			for _, id := range gone.Kept {
				b.aside.Accept(ctx, asideAdmins, func(ctx context.Context) {
					b.tellAdmins(ctx, watch.Message{ID: "asked_to_go", Vars: lang.Vars{"Link": b.opts.BaseURL + "/assets/" + id}})
				})
			}
		}
		return b.reply(ctx, u, "forgotten_but", lang.Vars{"Count": len(gone.Kept)}, nil)
	})
}

// sendData sends a user all that is kept about them.
func (b *Bot) sendData(ctx context.Context, u store.User, admin bool) error {
	var x store.Export
	if err := b.store.Tx(ctx, func(tx *store.Tx) (err error) { x, err = tx.Export(u.ID, admin); return err }); err != nil {
		return err
	}
	file, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return fmt.Errorf("write an export: %w", err)
	}
	return b.talk.SendDocument(ctx, u.ID, "my-data.json", file, lang.Say(u.Lang, "my_data", nil))
}

// privacy is what is kept, for how long, and how to see and delete it.
func (b *Bot) privacy(language string) string {
	says := []string{lang.Say(language, "privacy", nil)}
	var times []string
	for _, t := range []struct {
		goes, stays string
		keep        time.Duration
	}{{"privacy_videos", "privacy_videos_kept", b.opts.Keep.Videos}, {"privacy_history", "privacy_history_kept", b.opts.Keep.History},
		{"privacy_people", "privacy_people_kept", b.opts.Keep.People}} {
		if t.keep == 0 {
			times = append(times, lang.Say(language, t.stays, nil))
			continue
		}
		times = append(times, lang.Say(language, t.goes, lang.Vars{"Count": int(math.Ceil(t.keep.Hours() / 24))}))
	}
	who := "privacy_nobody"
	if b.opts.Elsewhere {
		who = "privacy_service"
	}
	return strings.Join(append(says, strings.Join(times, "\n"), lang.Say(language, who, nil), lang.Say(language, "privacy_ways", nil)), "\n\n")
}

// ---- out

func (b *Bot) say(ctx context.Context, chat int64, language, id string, vars lang.Vars, keyboard telegram.Keyboard) (int, error) {
	return b.talk.Send(ctx, chat, lang.Say(language, id, vars), keyboard)
}

func (b *Bot) reply(ctx context.Context, u store.User, id string, vars lang.Vars, keyboard telegram.Keyboard) error {
	_, err := b.say(ctx, u.ID, u.Lang, id, vars, keyboard)
	return err
}

// stripButtons takes the buttons from a message whose question is settled, as soon as there is time for it. It is a courtesy:
// no answer waits for it, failing is no error, and what is left of them when the program stops is not done.
func (b *Bot) stripButtons(ctx context.Context, chat int64, message int) {
	if message == 0 {
		return
	}
	b.aside.Accept(ctx, chat%atOnce, func(ctx context.Context) {
		if err := b.talk.As(telegram.Courtesy).StripButtons(ctx, chat, message); err != nil {
			b.log.Debug("take buttons away", "err", err)
		}
	})
}

// Withdraw deletes a progress message, as a courtesy.
func (b *Bot) Withdraw(ctx context.Context, chat int64, message int) {
	if err := b.talk.Delete(ctx, chat, message); err != nil {
		b.log.Debug("delete a progress message", "err", err)
	}
}

var errUnreachable = retry.Permanent(errors.New("the user cannot be written to"))

// Tell sends the announcement, the apology, or what follows a video.
func (b *Bot) Tell(ctx context.Context, t store.Task) (int, error) {
	if t.To.Unreachable {
		return 0, errUnreachable
	}
	tell := func(id string, vars lang.Vars, k telegram.Keyboard) (int, error) {
		return b.talk.As(telegram.Owed).Send(ctx, t.To.Chat, lang.Say(t.To.Lang, id, vars), k)
	}
	switch t.Kind {
	case store.Announce:
		return tell("request_created", nil, cancelKeyboard(t.To.Lang, t.AssetID, t.To.Status))
	case store.Apologise:
		return tell("apology", lang.Vars{"Name": t.Asset.Name}, retryKeyboard(t.To.Lang, t.AssetID))
	}
	return tell("done", nil, telegram.Row(telegram.NewButton(lang.Say(t.To.Lang, "button_more", nil), telegram.MoreButton, "")))
}

// Send sends a video: the first time by upload, then by the file_id that the upload gave, for everybody. The claim sees
// to it that only one of them uploads.
func (b *Bot) Send(ctx context.Context, t store.Task) (message int, fileID string, err error) {
	if t.To.Unreachable {
		return 0, "", errUnreachable
	}
	if t.Asset.FileID == "" {
		return b.upload(ctx, t)
	}
	v := b.videoOf(t)
	v.FileID = t.Asset.FileID
	message, fileID, err = b.talk.As(telegram.Owed).SendVideo(ctx, t.To.Chat, v)
	if telegram.ClassOf(err) == telegram.BadFile { // one new upload, when this job's turn comes again
		if err := b.store.Tx(ctx, func(tx *store.Tx) error { return tx.ForgetFileID(t.AssetID, v.FileID) }); err != nil {
			return 0, "", err
		}
		err = retry.Wait(err, 0)
	}
	return message, fileID, err
}

func (b *Bot) videoOf(t store.Task) telegram.Video {
	v := t.Asset.Video
	return telegram.Video{Caption: lang.Say(t.To.Lang, "caption", lang.Vars{"Name": t.Asset.Name}),
		Duration: v.Duration, Width: v.Width, Height: v.Height}
}

// upload sends the file itself.
func (b *Bot) upload(ctx context.Context, t store.Task) (message int, fileID string, err error) {
	v, files := b.videoOf(t), t.Asset.Video
	if files.Size > b.opts.MaxUpload {
		return 0, "", retry.Permanent(fmt.Errorf("the video has %d bytes, telegram takes %d: see telegram.max_upload_mb", files.Size, b.opts.MaxUpload))
	}
	file, err := b.media.Open(ctx, files.File)
	if err != nil {
		return 0, "", lostForGood(fmt.Errorf("open the video: %w", err))
	}
	defer file.Close()
	v.File, v.Size = file, files.Size
	if files.Thumb != "" {
		thumb, err := b.media.Open(ctx, files.Thumb)
		if err != nil {
			return 0, "", lostForGood(fmt.Errorf("open the thumbnail: %w", err))
		}
		defer thumb.Close()
		v.Thumb = thumb
	}
	return b.talk.As(telegram.Owed).SendVideo(ctx, t.To.Chat, v)
}

// lostForGood makes the error permanent if there is no such file: it will not come back.
func lostForGood(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return retry.Permanent(err)
	}
	return err
}

// ---- progress

// showProgress edits the progress messages after changes, each at most every progressRest seconds.
func (b *Bot) showProgress(ctx context.Context) {
	changes := make(chan struct{}, 1)
	defer b.queue.View(func(string, int) { nudge(changes) })()
	seen := map[int64]telegram.Shown{}
	dirty := false
	var rest <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-changes:
			dirty = true
		case <-rest:
			rest = nil
		}
		if !dirty || rest != nil {
			continue
		}
		var err error
		if dirty, err = b.editProgress(ctx, seen); err != nil && ctx.Err() == nil {
			b.log.Warn("show progress", "err", err)
		}
		rest = time.After(progressRest * b.opts.Second)
	}
}

// editProgress edits the messages whose difference matters. skipped: Telegram is too busy to be bothered with some.
func (b *Bot) editProgress(ctx context.Context, seen map[int64]telegram.Shown) (skipped bool, err error) {
	watchers, err := b.store.Watchers(ctx)
	if err != nil {
		return false, err
	}
	outlooks, err := b.queue.Outlooks(ctx)
	if err != nil {
		return false, err
	}
	live := map[int64]bool{}
	for _, w := range watchers {
		live[w.Request] = true
		o := outlooks[w.AssetID]
		now := telegram.Shown{State: string(w.Status), Place: o.Place, Percent: o.Percent, Held: o.Held}
		if old, ok := seen[w.Request]; ok && !old.Matters(now) {
			continue
		}
		if !b.talk.Gate.Spare(w.Chat) {
			skipped = true
			continue
		}
		if still, err := b.store.Awaited(ctx, w.Request); err != nil || !still { // cancelled while others were told
			continue
		}
		text := lang.Say(w.Lang, "request_created", nil) + "\n\n" + progressLine(w, o)
		if err := b.talk.As(telegram.Courtesy).Edit(ctx, w.Chat, w.Progress, text, cancelKeyboard(w.Lang, w.AssetID, w.Status)); err != nil {
			if _, waits := retry.After(err); waits {
				return true, nil
			}
			b.log.Debug("edit a progress message", "asset", w.AssetID, "err", err)
		}
		seen[w.Request] = now
	}
	maps.DeleteFunc(seen, func(id int64, _ telegram.Shown) bool { return !live[id] })
	return skipped, nil
}

func progressLine(w store.Watcher, o worker.Outlook) string {
	switch {
	case w.Status == store.Completed:
		return lang.Say(w.Lang, "progress_sending", nil)
	case w.Status == store.Processing:
		return lang.Say(w.Lang, "progress_percent", lang.Vars{"Percent": o.Percent})
	case o.Held:
		return lang.Say(w.Lang, "progress_held", nil)
	case o.Place <= 1 && o.Left < time.Minute:
		return lang.Say(w.Lang, "progress_next", nil)
	}
	return lang.Say(w.Lang, "progress_place", lang.Vars{"Place": o.Place, "Count": max(1, int(math.Ceil(o.Left.Minutes())))})
}

// ---- admins

// Alert sends an admin a message. later: Telegram asks to wait so long. One whom no message reaches is no error: they may not
// have written to the bot yet.
func (b *Bot) Alert(ctx context.Context, admin int64, m watch.Message) (later time.Duration, err error) {
	language, err := b.store.Language(ctx, admin)
	if err != nil {
		language = b.opts.Language
	}
	var k telegram.Keyboard
	for _, button := range m.Buttons {
		k = append(k, []telegram.Button{telegram.NewButton(lang.Say(language, button.ID, button.Vars), button.Data, "")})
	}
	_, err = b.talk.As(telegram.Owed).Send(ctx, admin, lang.Say(language, m.ID, m.Vars), k)
	if wait, waits := retry.After(err); waits {
		return max(wait, time.Second), err
	}
	if telegram.ClassOf(err) == telegram.Gone {
		return 0, nil
	}
	return 0, err
}

// tellAdmins sends every admin a message, patiently: Telegram may be away for a while.
func (b *Bot) tellAdmins(ctx context.Context, m watch.Message) {
	admins, err := b.store.Admins(ctx, b.opts.Admins)
	if err != nil && ctx.Err() == nil {
		b.log.Error("look who is an admin", "err", err)
	}
	for _, admin := range admins {
		if err := telegram.Patiently(ctx, func() error { _, err := b.Alert(ctx, admin, m); return err }); err != nil && ctx.Err() == nil {
			b.log.Warn("tell an admin", "err", err)
		}
	}
}

// ---- keyboards and commands

func retryKeyboard(language, assetID string) telegram.Keyboard {
	return telegram.Row(telegram.NewButton(lang.Say(language, "button_retry", nil), telegram.RetryButton, assetID))
}

// cancelKeyboard is there as long as the work has not begun.
func cancelKeyboard(language, assetID string, status store.Status) telegram.Keyboard {
	if status != store.Pending {
		return nil
	}
	return telegram.Row(telegram.NewButton(lang.Say(language, "button_cancel", nil), telegram.CancelButton, assetID))
}

var (
	userCommands  = []string{"new", "status", "cancel", "language", "help", "privacy", "my_data", "delete_my_data", "start"}
	adminCommands = []string{"admin", "stats"}
)

// keepMenus offers the commands to everybody, and again where somebody has become an admin or is none any more.
func (b *Bot) keepMenus(ctx context.Context) {
	changes := make(chan struct{}, 1)
	defer b.queue.View(func(asset string, _ int) {
		if asset == "" {
			nudge(changes)
		}
	})()
	var known []int64
	for first := true; ; first = false {
		admins, err := b.store.Admins(ctx, b.opts.Admins)
		if err != nil {
			if admins = known; ctx.Err() == nil {
				b.log.Error("look who is an admin", "err", err)
			}
		}
		var changed []int64
		for _, id := range slices.Concat(known, admins) {
			if slices.Contains(known, id) != slices.Contains(admins, id) {
				changed = append(changed, id)
			}
		}
		if first || len(changed) > 0 {
			b.publishCommands(ctx, admins, changed...)
		}
		known = admins
		select {
		case <-ctx.Done():
			return
		case <-changes:
		}
	}
}

// publishCommands tells Telegram which commands to offer: in each language, and in some chats, with more in those of admins.
func (b *Bot) publishCommands(ctx context.Context, admins []int64, chats ...int64) {
	err := b.talk.PublishCommands(ctx, lang.Languages, chats, func(language string, chat int64) (list []telegram.Command) {
		names := userCommands
		if slices.Contains(admins, chat) {
			names = slices.Concat(userCommands, adminCommands)
		}
		for _, name := range names {
			list = append(list, telegram.Command{Name: name, Description: lang.Say(cmp.Or(language, b.opts.Language), "command_"+name, nil)})
		}
		return list
	})
	if err != nil && ctx.Err() == nil {
		b.log.Warn("publish the commands", "err", err)
	}
}
