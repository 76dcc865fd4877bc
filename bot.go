// The Telegram bot: updates in (inbox, commands, names, buttons) and messages out (video, apology, progress).

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-telegram/bot/models"
	"retake.example/internal/chat"
	"retake.example/internal/db"
	"retake.example/internal/desk"
	"retake.example/internal/lang"
	"retake.example/internal/retry"
	"retake.example/internal/routine"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/watch"
	"retake.example/internal/worker"
)

const (
	maxTries = 3 // how often an update is tried before it is set aside
	// how often if Telegram refuses the answer: over 20 s, since a refusal may be a fault of its servers that passes
	refusedTries = 4
)

// Sender sends what the queue asks for. It needs the store and Telegram only, so the queue can be given it.
type Sender struct {
	*chat.Chat
	media opener
}

// opener opens a file of a finished video; fs.ErrNotExist if there is none with that key.
type opener interface {
	Open(ctx context.Context, key string) (io.ReadSeekCloser, error)
}

// NewSender returns a Sender. It calls nobody.
func NewSender(st *store.Store, media opener, opts chat.Options, log *slog.Logger) (*Sender, error) {
	c, err := chat.New(st, opts, log)
	if err != nil {
		return nil, err
	}
	quiet, ever, err := st.QuietFor(context.Background())
	if err != nil {
		return nil, fmt.Errorf("when the last update came: %w", err)
	}
	if ever {
		c.Talk.Gate.Absent(quiet)
	}
	return &Sender{c, media}, nil
}

// Bot receives and answers what people send and press.
type Bot struct {
	*Sender
	queue *Queue

	contact atomic.Int64 // when Telegram last answered a poll, ms
	chats   *telegram.Chats[store.Update]
	refused *telegram.Chats[store.Update] // floods: their answer does not wait behind those to what came before
	flood   *telegram.Flood
	again   chan []store.Update // that were in the inbox before
	// One token a chat being answered; presses have their own: a toast waits for no turn of Telegram's, as texts do.
	busy, presses chan struct{}
}

// NewBot returns a bot that speaks through a sender. Run starts it.
func NewBot(s *Sender, queue *Queue) *Bot {
	b := &Bot{Sender: s, queue: queue, busy: make(chan struct{}, chat.AtOnce), presses: make(chan struct{}, chat.AtOnce),
		flood: telegram.NewFlood(s.Second), again: make(chan []store.Update)}
	b.chats, b.refused = telegram.NewChats(b.settle), telegram.NewChats(b.settle)
	return b
}

// Run receives and answers updates, and keeps the progress messages true, until ctx ends.
func (b *Bot) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, b.Close)()
	err := b.Store.Tx(ctx, func(tx *store.Tx) error { return tx.UseBot(telegram.BotID(b.Token)) })
	var left []store.Update
	if err == nil {
		left, err = b.Store.Inbox(ctx)
	}
	if err == nil {
		err = b.accept(ctx, left)
	}
	if err != nil {
		return worker.UnlessStopped(ctx, fmt.Errorf("read the inbox: %w", err))
	}
	var wg routine.Group
	wg.Keep(ctx, func() { telegram.Keep(ctx, b.receive, b.Log) })
	wg.Keep(ctx, func() { b.resume(ctx) })
	wg.Keep(ctx, func() { b.ShowProgress(ctx, b.queue) })
	wg.Keep(ctx, func() { b.KeepMenus(ctx, b.queue) })
	wg.Keep(ctx, func() { b.Announce(ctx, b.queue) })
	wg.Wait()
	b.chats.Wait()
	b.refused.Wait()
	b.Wait()
	return nil
}

// receive stores what Telegram has before the next poll confirms it.
func (b *Bot) receive(ctx context.Context) error {
	offset, err := b.Store.Offset(ctx)
	if err != nil {
		return fmt.Errorf("read the offset: %w", err)
	}
	b.Talk.Gate.Polling()
	polled, err := telegram.Poll(ctx, b.Client, b.APIURL, b.Token, offset)
	b.Talk.Gate.Polled(err)
	if err != nil {
		return err
	}
	b.contact.Store(b.Store.Now().UnixMilli())
	updates := make([]store.Update, len(polled))
	for i, u := range polled {
		updates[i] = store.Update{ID: u.ID, Chat: u.Chat, Raw: u.JSON}
	}
	var fresh []store.Update
	err = b.Store.Tx(ctx, func(tx *store.Tx) (err error) {
		fresh, err = tx.Receive(updates)
		return err
	})
	if err != nil {
		return fmt.Errorf("store updates: %w", err)
	}
	if b.Meter != nil {
		b.Meter.Received(len(fresh))
	}
	return b.accept(ctx, fresh)
}

// Resume hands updates of the inbox to the handlers that were kept from them. Those that it cannot hand over before ctx
// ends wait for the next start.
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
				b.Log.Error("hand on updates that were held", "err", err)
			}
		}
	}
}

// Faults returns what keeps the bot from hearing or speaking.
func (b *Bot) Faults() (all []watch.Fault) {
	for _, t := range b.Talk.Gate.Troubles() {
		all = append(all, watch.Fault{Cause: watch.Telegram, Code: t.Code, Since: t.Since})
	}
	return all
}

// Pauses returns the longer pauses of calls to Telegram.
func (b *Bot) Pauses() (all []watch.Pause) {
	for _, p := range b.Talk.Gate.Pauses() {
		all = append(all, watch.Pause{OneChat: p.Chat != 0, Method: p.Method, Since: p.Since, Until: p.Until, Code: p.Code})
	}
	return all
}

// Contact returns when Telegram last answered a poll; zero: it has not yet.
func (b *Bot) Contact() time.Time { return store.Moment(b.contact.Load()) }

// accept hands updates to the handlers, except for those of people who write faster than Telegram takes answers: they
// are told so, once a minute, and the rest is forgotten.
func (b *Bot) accept(ctx context.Context, updates []store.Update) error {
	var over []int64
	var refused []store.Update
	for _, u := range updates {
		if u.Chat == 0 || chat.IsAnswer(u.Raw) { // 0 is nobody's
			b.chats.Accept(ctx, u.Chat, u)
			continue
		}
		switch tooMany, first := b.flood.Over(u.Chat, time.Now()); {
		case !tooMany:
			b.chats.Accept(ctx, u.Chat, u)
		case first && u.Chat > 0:
			banned, err := b.IsBanned(ctx, u.Chat)
			if err != nil {
				return err
			}
			if banned {
				over = append(over, u.ID)
				continue
			}
			refused = append(refused, u)
		default:
			over = append(over, u.ID)
		}
	}
	if len(refused)+len(over) == 0 {
		return nil
	}
	languages := make([]string, len(refused))
	for i, u := range refused {
		b.Log.Warn("somebody writes faster than can be answered", "user", u.Chat)
		languages[i] = b.Language // their first message may still be waiting
		if language, err := b.Store.Language(ctx, u.Chat); err == nil {
			languages[i] = language
		}
	}
	err := b.Store.Tx(ctx, func(tx *store.Tx) (err error) { // one: those who are told must not count as over again
		for i := range refused {
			u := &refused[i]
			a := chat.AnswerTo(store.User{ID: u.Chat, Lang: languages[i]}, "too_many", nil, nil)
			if u.Raw, err = chat.Owe(tx, u.ID, a); err != nil {
				return err
			}
		}
		for _, id := range over {
			if err := tx.Handled(id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, u := range refused {
		b.refused.Accept(ctx, u.Chat, u)
	}
	return nil
}

// settle handles an update until it is done, set aside, or the program stops; then it stays in the inbox.
func (b *Bot) settle(ctx context.Context, u store.Update) {
	t, rest, busy := chat.NewTurn(u, b.Language), time.Second, b.busy
	if chat.IsPress(u.Raw) {
		busy = b.presses
	}
	for {
		select {
		case <-ctx.Done():
			return
		case busy <- struct{}{}:
		}
		err := b.handle(b.Work, u, t)
		<-busy
		pause := time.Second
		wait, waits := retry.After(err)
		switch {
		case err == nil, errors.Is(err, context.Canceled):
			return
		case waits:
			pause = wait
		case db.OfDisk(err): // nothing is wrong with the update
			b.Log.Warn("an update will be tried again", "update", u.ID, "err", err)
		default:
			tries, told := maxTries, max(u.Chat, 0) // no group is told
			if errors.Is(err, chat.ErrShape) {
				tries, told = 1, 0
			}
			if telegram.ClassOf(err) == telegram.Refused {
				tries, pause, rest = refusedTries, rest, 4*rest
			}
			last, problem := b.SetAside(b.Work, t, told, tries, err)
			if last {
				b.Log.Error("an update is set aside", "update", u.ID, "err", err)
				continue // with what is said about that
			}
			b.Log.Warn("an update will be tried again", "update", u.ID, "err", errors.Join(err, problem))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// handle runs the handler of one update, or says what an earlier run has left to say. A panic is an error like any
// other.
func (b *Bot) handle(ctx context.Context, u store.Update, t *chat.Turn) error {
	return routine.Call(func() error {
		return b.Handle(ctx, t, func(ctx context.Context) error {
			update, err := chat.Decode(u.Raw)
			if err != nil {
				return err
			}
			return b.route(ctx, t, update)
		})
	})
}

func (b *Bot) route(ctx context.Context, t *chat.Turn, u *models.Update) error {
	m := u.Message
	if edited := u.EditedMessage; edited != nil && edited.Text != "" { // others, such as live locations, change often
		m = edited
	}
	if banned, err := b.IsBanned(ctx, chat.From(u)...); banned || err != nil {
		return err // a ban has no answer
	}
	switch {
	case u.CallbackQuery != nil:
		return b.onPress(ctx, t, u.CallbackQuery)
	case m != nil && m.Chat.Type != models.ChatTypePrivate:
		return b.Group(ctx, t, m)
	case m != nil && m.From != nil:
		return b.onMessage(ctx, t, m)
	case u.EditedChannelPost != nil:
		return b.PostEdited(ctx, t, u.EditedChannelPost)
	case u.MyChatMember != nil:
		return b.onMember(ctx, t, u.MyChatMember)
	}
	return nil
}

// meet returns the user, with the language Telegram gives for them at the first contact. What could not be sent to them
// while they had blocked the bot is sent now.
func (b *Bot) meet(ctx context.Context, t *chat.Turn, from *models.User) (u store.User, err error) {
	if u, err = b.Store.RecentUser(ctx, from.ID); errors.Is(err, store.ErrNotFound) {
		err = b.Store.Tx(ctx, func(tx *store.Tx) (err error) {
			if t.New, err = tx.Return(from.ID); err != nil {
				return err
			}
			u, err = tx.UpsertUser(from.ID, lang.ForUser(from.LanguageCode, b.Language, b.LanguageChosen))
			return err
		})
	}
	t.Lang = u.Lang
	return u, err
}

func (b *Bot) onMember(ctx context.Context, t *chat.Turn, m *models.ChatMemberUpdated) error {
	status := m.NewChatMember.Type
	here := status == models.ChatMemberTypeMember || status == models.ChatMemberTypeAdministrator
	if m.Chat.Type == models.ChatTypeChannel {
		owner, connected, err := b.Channel(ctx, t, m)
		if err == nil && connected {
			err = b.queue.Reconnected(context.WithoutCancel(ctx), owner)
		}
		return err
	}
	if m.Chat.Type != models.ChatTypePrivate {
		if here && m.OldChatMember.Type != status {
			return b.Greet(ctx, t, m.Chat, &m.From, 0)
		}
		return nil
	}
	return b.Effect(ctx, t, func(tx *store.Tx) ([]chat.Answer, error) {
		if here {
			_, err := tx.Return(m.From.ID)
			return nil, err
		}
		return nil, tx.SetReachable(m.From.ID, false)
	})
}

func (b *Bot) onMessage(ctx context.Context, t *chat.Turn, m *models.Message) error {
	u, err := b.meet(ctx, t, m.From)
	if err != nil {
		return err
	}
	text := strings.TrimSpace(m.Text)
	switch {
	case text == "" && b.Silent(m):
		return nil
	case text == "":
		return b.Reply(ctx, u, "only_text", nil, nil)
	case strings.HasPrefix(text, "/"):
		word, rest, _ := strings.Cut(text[1:], " ")
		command, _, _ := strings.Cut(strings.TrimSpace(word), "@")
		return b.onCommand(ctx, t, u, m.From, strings.ToLower(command), strings.TrimSpace(rest))
	}
	return b.Ask(ctx, t, u, text)
}

func (b *Bot) onCommand(ctx context.Context, t *chat.Turn, u store.User, from *models.User,
	command, rest string) error {
	admin, isAdmin, err := b.Store.RoleOf(ctx, b.Role, u.ID)
	if err != nil {
		return err
	}
	switch command {
	case "privacy":
		_, err := b.Talk.Send(ctx, u.ID, b.Privacy(u.Lang), nil)
		return err
	case "my_data":
		return b.SendData(ctx, u, isAdmin)
	case "start":
		if code, ok := desk.OwnerCode(rest); ok {
			return b.Own(ctx, t, u, from, code)
		}
		return b.onStart(ctx, t, u, from, isAdmin, rest)
	case "help":
		text := b.Help(u.Lang)
		if isAdmin {
			text += "\n\n" + lang.Say(u.Lang, "help_admin", nil)
		}
		_, err := b.Talk.Send(ctx, u.ID, text, nil)
		return err
	case "new":
		return b.Reply(ctx, u, "ask_name", nil, nil)
	case "news":
		return b.News(ctx, t, u)
	case "status":
		return b.Status(ctx, t, u)
	case "cancel":
		return b.CancelAll(ctx, t, u)
	case "language":
		return b.Reply(ctx, u, "language_choose", nil, chat.LanguageKeyboard())
	case "delete_my_data":
		return b.Reply(ctx, u, "forget_ask", nil, chat.ForgetKeyboard(u.Lang))
	case "admin", "stats":
		switch {
		case !isAdmin:
			return b.Reply(ctx, u, "admin_only", nil, nil)
		case command == "stats":
			return b.Stats(ctx, u)
		}
		err := b.Store.Tx(ctx, func(tx *store.Tx) error { return tx.NameAdmin(admin.ID, from.FirstName, from.Username) })
		if err != nil {
			return err
		}
		if t.Link == "" { // made once, however often it is sent; the database knows only its hash
			if t.Link, err = desk.NewLink(ctx, b.Store, b.BaseURL, admin.ID); err != nil {
				return err
			}
		}
		return b.SendLink(ctx, u, t.Link)
	}
	return b.Reply(ctx, u, "unknown_command", nil, nil)
}

// onStart greets. The tag of the link that led here is kept, the first of each person.
func (b *Bot) onStart(ctx context.Context, t *chat.Turn, u store.User, from *models.User, isAdmin bool,
	tag string) error {
	if _, ok := desk.InvitationOf(tag); ok {
		return b.AcceptInvitation(ctx, t, u, from, tag)
	}
	err := b.Effect(ctx, t, func(tx *store.Tx) ([]chat.Answer, error) {
		return []chat.Answer{chat.AnswerTo(u, "start", nil, nil)}, tx.SetSource(u.ID, tag)
	})
	if err == nil && isAdmin { // Telegram refuses their menu before their first message
		b.RenewMenu(u.ID)
	}
	return err
}

// onPress answers a press of a button before it works: an unanswered button spins for a minute.
func (b *Bot) onPress(ctx context.Context, t *chat.Turn, q *models.CallbackQuery) error {
	u, err := b.meet(ctx, t, &q.From)
	if err != nil {
		return err
	}
	_, message := telegram.Pressed(q)
	kind, arg, _ := strings.Cut(q.Data, ":")
	switch kind {
	case telegram.RetryButton:
		return b.onRetry(ctx, t, q, u, arg)
	case telegram.YesButton:
		return b.Yes(ctx, t, b.queue, q.ID, u, message, arg)
	case telegram.ChangeButton:
		return b.Change(ctx, t, q.ID, u, message, arg)
	case telegram.PlayButton:
		return b.Play(ctx, t, q.ID, u, arg)
	case telegram.NewsButton:
		return b.AnswerNews(ctx, t, q.ID, u, message, arg)
	}
	if err := b.Talk.Answer(ctx, q.ID, ""); err != nil {
		return err
	}
	switch kind {
	case telegram.CancelButton:
		return b.Cancel(ctx, t, u, arg)
	case telegram.GetButton:
		return b.Get(ctx, t, u, arg)
	case telegram.MoreButton:
		return b.Reply(ctx, u, "ask_name", nil, nil)
	case telegram.LangButton:
		if !slices.Contains(lang.Languages, arg) {
			return nil
		}
		b.StripButtons(u.ID, message)
		u.Lang = arg
		return b.Effect(ctx, t, func(tx *store.Tx) ([]chat.Answer, error) {
			return []chat.Answer{chat.AnswerTo(u, "language_set", nil, nil)}, tx.SetLang(u.ID, arg)
		})
	case telegram.ForgetButton:
		return b.Forget(ctx, t, b.queue, u, message, arg == "yes")
	case telegram.TryButton:
		admin, ok, err := b.Store.RoleOf(ctx, b.Role, u.ID)
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
		b.StripButtons(u.ID, message)
		return b.Answers(ctx, t, chat.AnswerTo(u, answer, nil, nil))
	case telegram.AgainButton, telegram.PutButton, telegram.SendButton:
		return b.Again(ctx, t, b.queue, u, message, kind, arg)
	}
	return nil
}

// onRetry is the press of the button under an apology.
func (b *Bot) onRetry(ctx context.Context, t *chat.Turn, q *models.CallbackQuery, u store.User, assetID string) error {
	from, message := telegram.Pressed(q)
	meets, err := b.Store.PreviewRetry(ctx, u.ID, assetID)
	if err != nil {
		return err
	}
	if meets == store.PressNew {
		rude, err := b.IsRude(ctx, assetID)
		if err != nil {
			return err
		}
		refused, ok := errors.AsType[store.Refused](b.Store.Allow(ctx, u.ID, b.Limits()))
		if ok && !rude { // the button stays: it works again later
			t.Press(q.ID, "")
			return b.Answers(ctx, t, chat.Answer{Chat: u.ID, Text: b.Refusal(refused, u.Lang)})
		}
		if rude { // by a list that is newer than the video
			t.Press(q.ID, lang.Say(u.Lang, "toast_lapsed", nil))
			b.StripButtons(from, message)
			return b.Answers(ctx, t, chat.AnswerTo(u, "name_rude", nil, nil))
		}
	}
	toast := map[store.Press]string{store.PressNew: "toast_trying", store.PressAgain: "toast_waiting",
		store.PressReady: "toast_ready", store.PressUnknown: "toast_lapsed"}[meets]
	if err := b.Talk.Answer(ctx, q.ID, lang.Say(u.Lang, toast, nil)); err != nil {
		return err
	}
	_, err = b.queue.Retry(ctx, assetID, retry.ButtonPressed{User: u.ID, Chat: from, Limits: b.Limits()})
	if refused, ok := errors.AsType[store.Refused](err); ok {
		return b.Answers(ctx, t, chat.Answer{Chat: u.ID, Text: b.Refusal(refused, u.Lang)})
	}
	lapsed := ""
	switch {
	case errors.Is(err, store.ErrNotFound):
		lapsed = "press_lapsed"
	case errors.Is(err, store.ErrForbidden):
		lapsed = "press_foreign"
	case errors.Is(err, store.ErrNotFailed):
		err = b.Get(ctx, t, u, assetID)
	}
	if lapsed != "" {
		forgotten, err := b.Forgotten(ctx, t, q)
		if err != nil {
			return err
		}
		if forgotten {
			lapsed = "press_forgotten"
		}
		if lapsed != "press_foreign" {
			b.StripButtons(from, message)
		}
		return b.Answers(ctx, t, chat.AnswerTo(u, lapsed, nil, nil))
	}
	if err == nil && meets != store.PressAgain { // then they went with the first press
		b.StripButtons(from, message)
	}
	return err // the confirmation, or the video, is a job
}

var errUnreachable = retry.Permanent(errors.New("the user cannot be written to"))

// Tell sends the announcement or the apology.
func (s *Sender) Tell(ctx context.Context, t store.Task, ahead worker.Forecast) (int, error) {
	if t.To.Unreachable {
		return 0, errUnreachable
	}
	if t.Kind == store.Apologise {
		text := lang.Say(t.To.Lang, "apology", lang.Vars{"Name": t.Asset.Name})
		return s.Talk.As(telegram.Pending).Send(ctx, t.To.Chat, text, chat.RetryKeyboard(t.To.Lang, t.AssetID))
	}
	return s.Talk.As(telegram.Pending).Send(ctx, t.To.Chat, s.Confirmation(ctx, ahead, t.To.Chat, t.To.Lang, *t.Asset),
		chat.CancelKeyboard(t.To.Lang, t.AssetID, t.To.Status))
}

// Send sends a video: the first time by upload, then by the file_id that the upload gave, for everybody. The claim sees
// to it that only one of them uploads.
func (s *Sender) Send(ctx context.Context, t store.Task) (message int, fileID string, err error) {
	if t.To.Unreachable {
		return 0, "", errUnreachable
	}
	if t.Asset.FileID == "" {
		return s.upload(ctx, t)
	}
	v := s.videoOf(t)
	v.FileID = t.Asset.FileID
	return s.Talk.As(telegram.Pending).SendVideo(ctx, t.To.Chat, v)
}

// videoOf is the video with the kind words and the button for the next one: nothing follows it.
func (s *Sender) videoOf(t store.Task) telegram.Video {
	v, l := t.Asset.Video, t.To.Lang
	return telegram.Video{
		Caption:  lang.Say(l, "caption", lang.Vars{"Name": t.Asset.Name}) + "\n\n" + lang.Say(l, "done", nil),
		Keyboard: telegram.Row(telegram.NewButton(lang.Say(l, "button_more", nil), telegram.MoreButton, "")),
		Duration: v.Duration, Width: v.Width, Height: v.Height}
}

// upload sends the file itself.
func (s *Sender) upload(ctx context.Context, t store.Task) (message int, fileID string, err error) {
	v, files := s.videoOf(t), t.Asset.Video
	if files.Size > s.MaxUpload {
		err := fmt.Errorf("the video has %d bytes, and telegram.max_upload_mb allows %d", files.Size, s.MaxUpload)
		return 0, "", retry.Permanent(retry.WithCode(err, telegram.TooLarge.Code()))
	}
	file, err := s.media.Open(ctx, files.File)
	if err != nil {
		return 0, "", lostForGood(fmt.Errorf("open the video: %w", err))
	}
	defer file.Close()
	v.File, v.Size = file, files.Size
	if files.Thumb != "" {
		thumb, err := s.media.Open(ctx, files.Thumb)
		if err != nil {
			return 0, "", lostForGood(fmt.Errorf("open the thumbnail: %w", err))
		}
		defer thumb.Close()
		v.Thumb = thumb
	}
	return s.Talk.As(telegram.Pending).SendVideo(ctx, t.To.Chat, v)
}

// lostForGood makes the error permanent if there is no such file: it will not come back.
func lostForGood(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return retry.Permanent(err)
	}
	return err
}
