// The Telegram bot: updates in (inbox, commands, names, buttons) and messages out (video, apology, progress).

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	tg "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
	"golang.org/x/sync/singleflight"

	"retake/internal/lang"
	"retake/internal/telegram"
)

// What the buttons carry before the colon. None carries a name.
const (
	retryButton  = "retry_failed_video" // :assetId; stays as it is: apologies of years ago carry it
	yesButton    = "make"               // :draftId
	changeButton = "change"             // :draftId
	cancelButton = "cancel"             // :assetId
	getButton    = "get"                // :assetId
	moreButton   = "more"
	langButton   = "lang"   // :language
	forgetButton = "forget" // :yes or :no
)

const (
	progressRest = 3 * time.Second // between two edits of one message
	maxTries     = 3               // to handle an update, before it is set aside
	atOnce       = 16              // chats being answered at a time
)

// BotOptions are the operator's choices for the bot.
type BotOptions struct {
	Token, APIURL string
	Template      string        // of the videos
	ReuseFor      time.Duration // how long a finished video serves the next who asks for the name
	Language      string        // for users whose own is not offered
	OpenLimit     int           // requests of one user that wait at a time
	HourLimit     int           // requests of one user in an hour
	DayLimit      int           // requests of one user in a day
	MaxUpload     int64         // bytes that Telegram takes
	BaseURL       string        // of the page
	Role          func(id int64) (Admin, bool)
	Admins        []int64 // who see the admin commands
	Rude          []string
	CanDraw       func(name string) error
}

// Bot talks to Telegram's users. It is the queue's messenger.
type Bot struct {
	opts  BotOptions
	store *Store
	queue *Queue
	media interface {
		Open(key string) (*os.File, error)
	}
	log    *slog.Logger
	client telegram.Client
	talk   telegram.Talk

	chats   *telegram.Chats[Update]
	busy    chan struct{}      // one token a chat being answered
	uploads singleflight.Group // one upload of an asset at a time
}

// NewBot prepares the bot; the queue is set before Run.
func NewBot(store *Store, media interface {
	Open(string) (*os.File, error)
}, opts BotOptions, log *slog.Logger) (*Bot, error) {
	b := &Bot{opts: opts, store: store, media: media, log: log, busy: make(chan struct{}, atOnce),
		client: telegram.Client{HTTP: &http.Client{}}} // no Timeout: it would cut uploads; every call has its own
	b.chats = telegram.NewChats(b.settle)
	api, err := tg.New(opts.Token, tg.WithSkipGetMe(), tg.WithNotAsyncHandlers(), tg.WithServerURL(opts.APIURL),
		tg.WithHTTPClient(0, b.client), tg.WithDefaultHandler(b.route),
		tg.WithErrorsHandler(func(err error) { log.Warn("telegram library", "err", err) }))
	b.talk = telegram.Talk{API: api, Gate: telegram.NewGate(), Gone: func(ctx context.Context, chat int64) error {
		return store.Tx(ctx, func(tx *Tx) error { return tx.SetReachable(chat, false) })
	}}
	return b, err
}

// Run receives and answers updates, and keeps the progress messages true, until ctx ends.
func (b *Bot) Run(ctx context.Context) error {
	left, err := b.store.Inbox(ctx)
	if err != nil {
		return unlessStopped(ctx, fmt.Errorf("read the inbox: %w", err))
	}
	for _, u := range left {
		b.chats.Accept(ctx, u.Chat, u)
	}
	var wg sync.WaitGroup
	wg.Go(func() { b.poll(ctx) })
	wg.Go(func() { b.showProgress(ctx) })
	wg.Go(func() { b.publishCommands(ctx, b.opts.Admins...) })
	wg.Wait()
	b.chats.Wait()
	return nil
}

// ---- in

// poll stores what Telegram has before the next poll confirms it.
func (b *Bot) poll(ctx context.Context) {
	troubled := false
	for ctx.Err() == nil {
		fresh, err := b.receive(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			if troubled {
				b.log.Info("telegram is back")
			}
			troubled = false
			b.talk.Gate.Up()
			for _, u := range fresh {
				b.chats.Accept(ctx, u.Chat, u)
			}
			continue
		}
		if !troubled {
			b.log.Warn("polling telegram", "err", err)
		}
		troubled = true
		pause, waits := retryAfter(err)
		if !waits {
			pause = 5 * time.Second
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (b *Bot) receive(ctx context.Context) ([]Update, error) {
	offset, err := b.store.Offset(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the offset: %w", err)
	}
	polled, err := telegram.Poll(ctx, b.client, b.opts.APIURL, b.opts.Token, offset)
	if err != nil {
		return nil, err
	}
	updates := make([]Update, len(polled))
	for i, u := range polled {
		updates[i] = Update{ID: u.ID, Chat: u.Chat, Raw: u.JSON}
	}
	var fresh []Update
	err = b.store.Tx(ctx, func(tx *Tx) (err error) {
		fresh, err = tx.Receive(updates)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store updates: %w", err)
	}
	return fresh, nil
}

// settle handles an update until it is done, set aside, or the program stops; then it stays in the inbox.
func (b *Bot) settle(ctx context.Context, u Update) {
	for pause := time.Second; ; {
		select {
		case <-ctx.Done():
			return
		case b.busy <- struct{}{}:
		}
		err := b.handle(ctx, u)
		<-b.busy
		wait, waits := retryAfter(err)
		switch {
		case ctx.Err() != nil:
			return
		case waits:
			pause = wait
		case err == nil, telegram.ClassOf(err) == telegram.Gone:
			if err = b.store.Tx(ctx, func(tx *Tx) error { return tx.Handled(u.ID) }); err == nil {
				return
			}
		default:
			tries := maxTries
			if isPermanent(err) {
				tries = 1
			}
			aside := false
			problem := b.store.Tx(ctx, func(tx *Tx) (err error) { aside, err = tx.Stumbled(u.ID, "see the log", tries); return err })
			b.log.Error("update", "update", u.ID, "aside", aside, "err", errors.Join(err, problem))
			if aside {
				if u.Chat > 0 && !errors.Is(err, errShape) { // whoever waits for an answer gets one
					b.say(ctx, u.Chat, b.opts.Language, "trouble", nil, nil)
				}
				return
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// errShape is an update that the library cannot decode; its own error may quote a name.
var errShape = errors.New("an update of an unknown shape")

// turn travels in the context of a handler: the library's handlers return nothing.
type turn struct {
	update int64
	err    error
}

type turnKey struct{}

// handle runs the handler of one update. A panic is an error like any other.
func (b *Bot) handle(ctx context.Context, u Update) (err error) {
	var update models.Update
	if err := json.Unmarshal([]byte(u.Raw), &update); err != nil {
		return Permanent(errShape)
	}
	defer func() {
		if p := recover(); p != nil {
			b.log.Error("panic in a handler", "update", u.ID, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %T", p) // not its text: it may quote a name
		}
	}()
	t := &turn{update: u.ID}
	b.talk.API.ProcessUpdate(context.WithValue(ctx, turnKey{}, t), &update)
	return t.err
}

// tx runs a transaction that is the whole effect of the update at hand, and marks it handled in it.
func (b *Bot) tx(ctx context.Context, fn func(*Tx) error) error {
	return b.store.Tx(ctx, func(tx *Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return tx.Handled(ctx.Value(turnKey{}).(*turn).update)
	})
}

func (b *Bot) route(ctx context.Context, _ *tg.Bot, u *models.Update) {
	t := ctx.Value(turnKey{}).(*turn)
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
func (b *Bot) meet(ctx context.Context, from *models.User) (u User, err error) {
	err = b.store.Tx(ctx, func(tx *Tx) (err error) {
		u, err = tx.Meet(from.ID, lang.Match(from.LanguageCode, b.opts.Language))
		return err
	})
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
	return b.tx(ctx, func(tx *Tx) error { return tx.SetReachable(m.From.ID, here) })
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
	switch {
	case problem != "":
	case lang.IsRude(key, b.opts.Rude):
		problem = "name_rude"
	case b.opts.CanDraw(name) != nil:
		problem = "name_undrawable"
	}
	if problem != "" {
		return b.reply(ctx, u, problem, nil, nil)
	}
	var draft string
	if err := b.store.Tx(ctx, func(tx *Tx) (err error) { draft, err = tx.SaveDraft(u.ID, name); return err }); err != nil {
		return err
	}
	return b.reply(ctx, u, "confirm", lang.Vars{"Name": name}, buttons(
		button(lang.Say(u.Lang, "button_yes", nil), yesButton, draft),
		button(lang.Say(u.Lang, "button_change", nil), changeButton, draft)))
}

func (b *Bot) onCommand(ctx context.Context, u User, command string) error {
	admin, isAdmin := b.opts.Role(u.ID)
	switch command {
	case "start", "help", "privacy":
		if err := b.reply(ctx, u, command, nil, nil); err != nil || command != "start" || !isAdmin {
			return err
		}
		b.publishCommands(ctx, u.ID) // Telegram refuses them before the admin's first message
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
			row = append(row, button(lang.Say(l, "language_name", nil), langButton, l))
		}
		return b.reply(ctx, u, "language_choose", nil, buttons(row...))
	case "delete_my_data":
		return b.reply(ctx, u, "forget_ask", nil, buttons(
			button(lang.Say(u.Lang, "button_forget", nil), forgetButton, "yes"),
			button(lang.Say(u.Lang, "button_keep", nil), forgetButton, "no")))
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
		n, err := b.store.Counts(ctx)
		if err != nil {
			return err
		}
		return b.reply(ctx, u, "stats", lang.Vars{"Pending": n[Pending], "Processing": n[Processing], "Completed": n[Completed], "Failed": n[Failed]}, nil)
	}
	return b.reply(ctx, u, "unknown_command", nil, nil)
}

// status lists a user's requests; each failed one that waits for a decision comes with its button.
func (b *Bot) status(ctx context.Context, u User) error {
	wanted, err := b.store.RequestsOf(ctx, u.ID, 10)
	if err != nil {
		return err
	}
	if len(wanted) == 0 {
		return b.reply(ctx, u, "status_empty", nil, nil)
	}
	lines := []string{lang.Say(u.Lang, "status_title", nil)}
	var get telegram.Keyboard
	var failed []Wanted
	for _, w := range wanted {
		id := map[Status]string{Pending: "status_pending", Processing: "status_processing", Completed: "status_completed", Failed: "status_failed"}[w.Status]
		switch {
		case w.Status == Processing && w.Finished:
			id = "status_sending"
			get = append(get, []telegram.Button{button(lang.Say(u.Lang, "button_get", lang.Vars{"Name": w.Name}), getButton, w.AssetID)})
		case w.Status == Failed && w.Retried:
			id = "status_retried"
		case w.Status == Failed && len(failed) < 3:
			failed = append(failed, w)
		}
		lines = append(lines, lang.Say(u.Lang, id, lang.Vars{"Name": w.Name}))
	}
	if _, err := b.talk.Send(ctx, u.ID, strings.Join(lines, "\n"), get); err != nil {
		return err
	}
	for _, w := range failed {
		if err := b.reply(ctx, u, "status_retry", lang.Vars{"Name": w.Name}, retryKeyboard(u.Lang, w.AssetID)); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bot) cancelAll(ctx context.Context, u User) error {
	wanted, err := b.store.RequestsOf(ctx, u.ID, 100)
	if err != nil {
		return err
	}
	id := "cancel_nothing"
	for _, w := range wanted {
		if !w.Status.Live() {
			continue
		}
		if err := b.cancel(ctx, u, w.AssetID, 0); !errors.Is(err, ErrNotFound) {
			if err != nil {
				return err
			}
			id = ""
		} else if id != "" {
			id = "cancel_late"
		}
	}
	if id == "" {
		return nil
	}
	return b.reply(ctx, u, id, nil, nil)
}

// cancel takes one request away and says so, in the progress message if there is one. ErrNotFound: it is too late.
func (b *Bot) cancel(ctx context.Context, u User, assetID string, message int) error {
	var a Asset
	err := b.store.Tx(ctx, func(tx *Tx) (err error) {
		if a, err = tx.Asset(assetID); err != nil {
			return err
		}
		return tx.Cancel(u.ID, assetID)
	})
	if err != nil {
		return err
	}
	vars := lang.Vars{"Name": a.Name}
	if message == 0 {
		return b.reply(ctx, u, "cancelled", vars, nil)
	}
	return b.talk.Edit(ctx, u.ID, message, lang.Say(u.Lang, "cancelled", vars), nil)
}

// onPress answers a press of a button before it works: an unanswered button spins for a minute.
func (b *Bot) onPress(ctx context.Context, q *models.CallbackQuery) error {
	u, err := b.meet(ctx, &q.From)
	if err != nil {
		return err
	}
	chat, message := pressed(q)
	kind, arg, _ := strings.Cut(q.Data, ":")
	if kind == retryButton {
		return b.onRetry(ctx, q.ID, u, chat, message, arg)
	}
	if err := b.talk.Answer(ctx, q.ID, ""); err != nil {
		return err
	}
	switch kind {
	case yesButton:
		return b.onYes(ctx, u, message, arg)
	case changeButton:
		err := b.store.Tx(ctx, func(tx *Tx) error { _, err := tx.TakeDraft(u.ID, arg); return err })
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		b.stripButtons(ctx, u.ID, message)
		return b.reply(ctx, u, "confirm_change", nil, nil)
	case cancelButton:
		err := b.cancel(ctx, u, arg, message)
		if errors.Is(err, ErrNotFound) {
			return b.reply(ctx, u, "cancel_late", nil, nil)
		}
		return err
	case getButton:
		return b.onGet(ctx, u, arg)
	case moreButton:
		return b.reply(ctx, u, "ask_name", nil, nil)
	case langButton:
		if !slices.Contains(lang.Languages, arg) {
			return nil
		}
		if err := b.store.Tx(ctx, func(tx *Tx) error { return tx.SetLang(u.ID, arg) }); err != nil {
			return err
		}
		b.stripButtons(ctx, u.ID, message)
		u.Lang = arg
		return b.reply(ctx, u, "language_set", nil, nil)
	case forgetButton:
		return b.onForget(ctx, u, message, arg == "yes")
	}
	return nil
}

// pressed returns where a button was. Of an old message little else is known.
func pressed(q *models.CallbackQuery) (chat int64, message int) {
	switch {
	case q.Message.Message != nil:
		return q.Message.Message.Chat.ID, q.Message.Message.ID
	case q.Message.InaccessibleMessage != nil:
		return q.Message.InaccessibleMessage.Chat.ID, q.Message.InaccessibleMessage.MessageID
	}
	return q.From.ID, 0
}

// onYes makes the wish of a draft come true, within the limits.
func (b *Bot) onYes(ctx context.Context, u User, message int, draft string) error {
	var (
		name, limit string
		usage       Usage
		grant       Grant
	)
	err := b.tx(ctx, func(tx *Tx) (err error) {
		if usage, err = tx.Usage(u.ID); err != nil {
			return err
		}
		switch {
		case usage.Open >= b.opts.OpenLimit:
			limit = "limit_open"
		case usage.Hour >= b.opts.HourLimit:
			limit = "limit_hour"
		case usage.Day >= b.opts.DayLimit:
			limit = "limit_day"
		}
		if limit != "" {
			return nil // the draft stays: its button works again later
		}
		if name, err = tx.TakeDraft(u.ID, draft); err != nil {
			return err
		}
		_, grant, err = tx.ShareOrCreate(Wish{User: u.ID, Chat: u.ID, Name: name, Key: lang.NameKey(name), Template: b.opts.Template, Lang: u.Lang},
			moment(tx.now).Add(-b.opts.ReuseFor))
		return err
	})
	switch {
	case errors.Is(err, ErrNotFound):
		b.stripButtons(ctx, u.ID, message)
		return b.reply(ctx, u, "confirm_lapsed", nil, nil)
	case err != nil:
		return err
	case limit != "":
		var vars lang.Vars
		if limit == "limit_open" {
			vars = lang.Vars{"Count": usage.Open}
		}
		return b.reply(ctx, u, limit, vars, nil)
	}
	b.stripButtons(ctx, u.ID, message)
	if grant == Waiting {
		return b.reply(ctx, u, "already_waiting", lang.Vars{"Name": name}, nil)
	}
	return nil // the announcement, or the video, is a job
}

// onRetry is the press of the button under an apology.
func (b *Bot) onRetry(ctx context.Context, query string, u User, chat int64, message int, assetID string) error {
	meets, err := b.store.Foresee(ctx, u.ID, assetID)
	if err != nil {
		return err
	}
	toast := map[Press]string{PressNew: "toast_trying", PressAgain: "toast_waiting", PressReady: "toast_ready", PressUnknown: "toast_lapsed"}[meets]
	if err := b.talk.Answer(ctx, query, lang.Say(u.Lang, toast, nil)); err != nil {
		return err
	}
	_, err = b.queue.Retry(ctx, assetID, ButtonPressed{User: u.ID, Chat: chat})
	switch {
	case errors.Is(err, ErrNotFound):
		err = b.reply(ctx, u, "press_lapsed", nil, nil)
	case errors.Is(err, ErrForbidden):
		return b.reply(ctx, u, "press_foreign", nil, nil)
	case errors.Is(err, ErrNotFailed):
		err = b.onGet(ctx, u, assetID)
	}
	if err != nil {
		return err
	}
	b.stripButtons(ctx, chat, message)
	return nil // the confirmation, or the video, is a job
}

// onGet sends a finished video that the user asked for once more.
func (b *Bot) onGet(ctx context.Context, u User, assetID string) error {
	err := b.store.Tx(ctx, func(tx *Tx) error {
		a, err := tx.Asset(assetID)
		if err != nil {
			return err
		}
		mine, err := tx.HasRequest(u.ID, assetID)
		switch {
		case err != nil:
			return err
		case !mine:
			return ErrNotFound
		case a.Status != Completed:
			return nil
		}
		_, err = tx.Join(a, u.ID, u.ID)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return b.reply(ctx, u, "press_lapsed", nil, nil)
	}
	return err
}

func (b *Bot) onForget(ctx context.Context, u User, message int, yes bool) error {
	b.stripButtons(ctx, u.ID, message)
	if !yes {
		return b.reply(ctx, u, "kept", nil, nil)
	}
	var files, assets []string
	if err := b.tx(ctx, func(tx *Tx) (err error) { files, assets, err = tx.Forget(u.ID); return err }); err != nil {
		return err
	}
	b.queue.Stop(assets)
	b.queue.DeleteMedia(ctx, files)
	return b.reply(ctx, u, "forgotten", nil, nil)
}

// ---- out

func (b *Bot) say(ctx context.Context, chat int64, language, id string, vars lang.Vars, keyboard telegram.Keyboard) (int, error) {
	return b.talk.Send(ctx, chat, lang.Say(language, id, vars), keyboard)
}

func (b *Bot) reply(ctx context.Context, u User, id string, vars lang.Vars, keyboard telegram.Keyboard) error {
	_, err := b.say(ctx, u.ID, u.Lang, id, vars, keyboard)
	return err
}

// stripButtons takes the buttons from a message whose question is settled. It is a courtesy: failing is no error.
func (b *Bot) stripButtons(ctx context.Context, chat int64, message int) {
	if message == 0 {
		return
	}
	if err := b.talk.StripButtons(ctx, chat, message); err != nil {
		b.log.Debug("take buttons away", "err", err)
	}
}

// Withdraw deletes a progress message, as a courtesy.
func (b *Bot) Withdraw(ctx context.Context, chat int64, message int) {
	if message == 0 {
		return
	}
	if err := b.talk.Delete(ctx, chat, message); err != nil {
		b.log.Debug("delete a progress message", "err", err)
	}
}

var errUnreachable = Permanent(errors.New("the user cannot be written to"))

// Tell sends the announcement, the apology, or what follows a video.
func (b *Bot) Tell(ctx context.Context, t Task) (int, error) {
	if t.To.Unreachable {
		return 0, errUnreachable
	}
	switch t.Kind {
	case Announce:
		return b.say(ctx, t.To.Chat, t.To.Lang, "request_created", nil, cancelKeyboard(t.To.Lang, t.AssetID, t.To.Status))
	case Apologise:
		return b.say(ctx, t.To.Chat, t.To.Lang, "apology", lang.Vars{"Name": t.Asset.Name}, retryKeyboard(t.To.Lang, t.AssetID))
	}
	return b.say(ctx, t.To.Chat, t.To.Lang, "done", nil, buttons(button(lang.Say(t.To.Lang, "button_more", nil), moreButton, "")))
}

// Send sends a video: the first time by upload, then by the file_id that the upload gave, for everybody.
func (b *Bot) Send(ctx context.Context, t Task) (message int, fileID string, err error) {
	if t.To.Unreachable {
		return 0, "", errUnreachable
	}
	for {
		mine := false
		known, err, _ := b.uploads.Do(t.AssetID, func() (any, error) {
			mine = true
			a, err := b.store.Asset(ctx, t.AssetID)
			if err != nil || a.FileID != "" {
				return a.FileID, err
			}
			message, fileID, err = b.upload(ctx, t)
			return fileID, err
		})
		switch {
		case mine && err != nil, message != 0:
			return message, fileID, err
		case err != nil: // somebody else's upload failed, for a reason that may be theirs alone
			continue
		}
		v := b.videoOf(t)
		v.FileID = known.(string)
		message, fileID, err = b.talk.SendVideo(ctx, t.To.Chat, v)
		if telegram.ClassOf(err) != telegram.BadFile {
			return message, fileID, err
		}
		// Telegram does not know it any more: one new upload.
		if err := b.store.Tx(ctx, func(tx *Tx) error { return tx.SetFileID(t.AssetID, "") }); err != nil {
			return 0, "", err
		}
	}
}

func (b *Bot) videoOf(t Task) telegram.Video {
	v := t.Asset.Video
	return telegram.Video{Caption: lang.Say(t.To.Lang, "caption", lang.Vars{"Name": t.Asset.Name}),
		Duration: v.Duration, Width: v.Width, Height: v.Height}
}

// upload sends the file itself and stores the file_id, before anybody else sends this asset.
func (b *Bot) upload(ctx context.Context, t Task) (message int, fileID string, err error) {
	v, files := b.videoOf(t), t.Asset.Video
	if files.Size > b.opts.MaxUpload {
		return 0, "", Permanent(fmt.Errorf("the video has %d bytes, telegram takes %d: see telegram.max_upload_mb", files.Size, b.opts.MaxUpload))
	}
	file, err := b.media.Open(files.File)
	if err != nil {
		return 0, "", Permanent(fmt.Errorf("open the video: %w", err))
	}
	defer file.Close()
	v.File, v.Size = file, files.Size
	if files.Thumb != "" {
		thumb, err := b.media.Open(files.Thumb)
		if err != nil {
			return 0, "", Permanent(fmt.Errorf("open the thumbnail: %w", err))
		}
		defer thumb.Close()
		v.Thumb = thumb
	}
	if message, fileID, err = b.talk.SendVideo(ctx, t.To.Chat, v); err != nil {
		return 0, "", err
	}
	return message, fileID, b.store.Tx(context.WithoutCancel(ctx), func(tx *Tx) error { return tx.SetFileID(t.AssetID, fileID) })
}

// ---- progress

// shown is what a progress message says.
type shown struct {
	status  Status
	place   int
	percent int
}

// matters reports whether the difference is worth an edit: every place near the front, every fifth further back.
func (s shown) matters(now shown) bool {
	if s.status != now.status || s.percent != now.percent {
		return true
	}
	if now.place <= 5 {
		return s.place != now.place
	}
	return s.place == 0 || now.place > s.place || now.place*5 <= s.place*4
}

// showProgress edits the progress messages after changes, each at most every progressRest.
func (b *Bot) showProgress(ctx context.Context) {
	changes, end := b.queue.View()
	defer end()
	seen := map[int64]shown{}
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
		rest = time.After(progressRest)
	}
}

// editProgress edits the messages whose difference matters. skipped: Telegram is too busy to be bothered with some.
func (b *Bot) editProgress(ctx context.Context, seen map[int64]shown) (skipped bool, err error) {
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
		now := shown{w.Status, o.Place, o.Percent}
		if old, ok := seen[w.Request]; ok && !old.matters(now) {
			continue
		}
		if !b.talk.Gate.Spare(w.Chat) {
			skipped = true
			continue
		}
		text := lang.Say(w.Lang, "request_created", nil) + "\n\n" + progressLine(w, o)
		if err := b.talk.Edit(ctx, w.Chat, w.Progress, text, cancelKeyboard(w.Lang, w.AssetID, w.Status)); err != nil {
			if _, waits := retryAfter(err); waits {
				return true, nil
			}
			b.log.Debug("edit a progress message", "asset", w.AssetID, "err", err)
		}
		seen[w.Request] = now
	}
	maps.DeleteFunc(seen, func(id int64, _ shown) bool { return !live[id] })
	return skipped, nil
}

func progressLine(w Watcher, o Outlook) string {
	switch {
	case w.Status == Completed:
		return lang.Say(w.Lang, "progress_sending", nil)
	case w.Status == Processing:
		return lang.Say(w.Lang, "progress_percent", lang.Vars{"Percent": o.Percent})
	case o.Place <= 1 && o.Left < time.Minute:
		return lang.Say(w.Lang, "progress_next", nil)
	}
	return lang.Say(w.Lang, "progress_place", lang.Vars{"Place": o.Place, "Count": max(1, int(math.Ceil(o.Left.Minutes())))})
}

// ---- keyboards and commands

func button(text, kind, arg string) telegram.Button {
	if arg != "" {
		kind += ":" + arg
	}
	return telegram.Button{Text: text, Data: kind}
}

// buttons is a keyboard of one row.
func buttons(row ...telegram.Button) telegram.Keyboard { return telegram.Keyboard{row} }

func retryKeyboard(language, assetID string) telegram.Keyboard {
	return buttons(button(lang.Say(language, "button_retry", nil), retryButton, assetID))
}

// cancelKeyboard is there as long as the work has not begun.
func cancelKeyboard(language, assetID string, status Status) telegram.Keyboard {
	if status != Pending {
		return nil
	}
	return buttons(button(lang.Say(language, "button_cancel", nil), cancelButton, assetID))
}

var (
	userCommands  = []string{"new", "status", "cancel", "language", "help", "privacy", "delete_my_data", "start"}
	adminCommands = []string{"admin", "stats"}
)

// publishCommands tells Telegram which commands to offer: in each language, and with more in the chats of admins.
func (b *Bot) publishCommands(ctx context.Context, admins ...int64) {
	set := func(names []string, language string, chat int64) {
		speak := language
		if speak == "" { // for everybody else
			speak = b.opts.Language
		}
		var list []telegram.Command
		for _, name := range names {
			list = append(list, telegram.Command{Name: name, Description: lang.Say(speak, "command_"+name, nil)})
		}
		err := b.talk.SetCommands(ctx, language, chat, list)
		if err != nil && ctx.Err() == nil && telegram.ClassOf(err) != telegram.Gone { // an admin who has not written yet
			b.log.Warn("publish the commands", "err", err)
		}
	}
	for _, l := range append([]string{""}, lang.Languages...) {
		set(userCommands, l, 0)
		for _, id := range admins {
			set(slices.Concat(userCommands, adminCommands), l, id)
		}
	}
}
