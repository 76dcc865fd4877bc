// Announcements: the question whether somebody wants any, the answers to it, and the way of each copy.

package chat

import (
	"cmp"
	"context"
	"errors"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/worker"
)

const (
	// betweenSteps is how long an announcement waits while messages are due that people wait for, and how often open
	// pages look at it, in seconds of Telegram's.
	betweenSteps = 2
	// mostCopyTries is how often a copy is tried that has to wait for a reason of its chat.
	mostCopyTries = 10
	// mostRefusals is after how many refusals in a row an announcement is paused: the text is what Telegram refuses.
	mostRefusals = 10
)

// What the buttons of announcements carry.
const (
	wantsNews = "yes"
	noNews    = "no"
	noMore    = "stop" // below an announcement
)

func newsButton(language, text, arg string) telegram.Button {
	return telegram.NewButton(lang.Say(language, text, nil), telegram.NewsButton, arg)
}

// newsKeyboard is the answer to the question whether somebody wants announcements.
func newsKeyboard(language string) telegram.Keyboard {
	return telegram.Row(newsButton(language, "button_news_yes", wantsNews), newsButton(language, "button_news_no", noNews))
}

// AskForNews asks somebody who has just got a video, once, whether they want announcements. Nothing waits for it: if
// there is no time for it, the next video is as good.
func (c *Chat) AskForNews(user int64) {
	if !c.Announcements {
		return
	}
	c.aside.Accept(c.Work, user%AtOnce, func(ctx context.Context) {
		if err := c.askForNews(ctx, user); err != nil && ctx.Err() == nil {
			c.Log.Debug("ask whether somebody wants announcements", "err", err)
		}
	})
}

func (c *Chat) askForNews(ctx context.Context, user int64) error {
	ask := false
	err := c.Store.Tx(ctx, func(tx *store.Tx) (err error) { ask, err = tx.AskConsent(user); return err })
	if err != nil || !ask {
		return err
	}
	language, err := c.Store.Language(ctx, user)
	if err == nil {
		_, err = c.Talk.As(telegram.Courtesy).Send(ctx, user, lang.Say(language, "news_ask", nil), newsKeyboard(language))
	}
	if err == nil || telegram.MaybeSent(err) {
		return err
	}
	return errors.Join(err, c.Store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.NotAsked(user) }))
}

// Help is what the bot can do.
func (c *Chat) Help(language string) string {
	text := lang.Say(language, "help", nil)
	if c.Announcements {
		text += "\n" + lang.Say(language, "help_news", nil)
	}
	return text
}

// News answers /news: whether somebody gets announcements, with the way to change it.
func (c *Chat) News(ctx context.Context, t *Turn, u store.User) error {
	return c.Effect(ctx, t, func(tx *store.Tx) ([]Answer, error) {
		answer, err := tx.Consent(u.ID)
		if err == nil && answer == store.Agreed {
			return []Answer{AnswerTo(u, "news_on", nil, telegram.Row(newsButton(u.Lang, "button_news_stop", noNews)))}, nil
		}
		if err == nil && answer == "" { // this is the question
			_, err = tx.AskConsent(u.ID)
		}
		return []Answer{AnswerTo(u, "news_ask", nil, newsKeyboard(u.Lang))}, err
	})
}

// AnswerNews is a press on a button about announcements. It counts from this moment.
func (c *Chat) AnswerNews(ctx context.Context, t *Turn, query string, u store.User, message int, arg string) error {
	answer, text, toast := store.Declined, "news_no", "toast_news_no"
	switch arg {
	case wantsNews:
		answer, text, toast = store.Agreed, "news_yes", "toast_news_yes"
	case noNews, noMore:
	default:
		t.Press(query, "")
		return c.Answers(ctx, t)
	}
	t.Press(query, lang.Say(u.Lang, toast, nil))
	err := c.Effect(ctx, t, func(tx *store.Tx) ([]Answer, error) {
		said := AnswerTo(u, text, nil, nil)
		said.Message = message
		if arg == noMore { // the announcement stays, and the toast says it
			return nil, tx.SetConsent(u.ID, answer)
		}
		return []Answer{said}, tx.SetConsent(u.ID, answer)
	})
	if err == nil && arg == noMore {
		c.StripButtons(u.ID, message)
	}
	return err
}

// moreKeyboard is below each announcement: its button ends all of them for who presses it.
func moreKeyboard(language string) telegram.Keyboard {
	return telegram.Row(newsButton(language, "button_news_stop", noMore))
}

// TryAnnouncement sends an admin what people would get.
func (c *Chat) TryAnnouncement(ctx context.Context, admin int64, language, text string) error {
	_, err := c.Talk.Send(ctx, admin, text, moreKeyboard(language))
	return err
}

// Pace returns how many messages a second go out at most, and how many of them may be copies of an announcement.
func (c *Chat) Pace() (all, announcements float64) {
	_, all = c.Talk.Gate.Pace()
	return all, all * telegram.BulkShare
}

// writer is the queue, as what writes down each copy sees it.
type writer interface {
	viewer
	RetryWrite(ctx context.Context, fn func() error) error
}

// Announce sends the announcement under way, one copy at a time, until ctx ends. A copy goes out behind all that people
// wait for, to whom agrees at that moment, and is written down before the next one: a crash repeats the copy that was
// under way at most.
func (c *Chat) Announce(ctx context.Context, q writer) {
	if !c.Announcements {
		return
	}
	changes := make(chan struct{}, 1)
	defer q.View(func(asset string, _ int) {
		if asset == "" {
			worker.Nudge(changes)
		}
	})()
	var a announcer
	for ctx.Err() == nil {
		rest, err := c.announce(ctx, q, &a)
		if err != nil && ctx.Err() == nil {
			c.Log.Error("send an announcement", "err", err)
			rest = c.seconds(betweenSteps)
		}
		var later <-chan time.Time
		switch {
		case rest > 0:
			later = time.After(rest)
		case rest == 0:
			continue
		}
		select {
		case <-ctx.Done():
		case <-changes:
		case <-later:
		}
	}
}

// announcer is what is remembered between two copies.
type announcer struct {
	refused int       // how many in a row, with no other outcome in between
	shown   time.Time // when open pages last looked
}

// idle is the rest of an announcer with nothing to do: until something changes.
const idle = time.Duration(-1)

// announce sends the next copy, and returns how long to rest after it.
func (c *Chat) announce(ctx context.Context, q writer, a *announcer) (rest time.Duration, err error) {
	under, err := c.Store.Announcing(ctx)
	if errors.Is(err, store.ErrNotFound) {
		a.refused = 0
		return idle, nil
	}
	if err != nil {
		return 0, err
	}
	due, err := c.Store.MessagesDue(ctx)
	if err != nil || due {
		return c.seconds(betweenSteps), err
	}
	to, again, err := c.Store.NextCopy(ctx, under)
	switch {
	case errors.Is(err, store.ErrNotFound) && again.IsZero():
		return 0, c.Store.Tx(ctx, func(tx *store.Tx) error { return tx.FinishAnnouncement(under.ID) })
	case errors.Is(err, store.ErrNotFound):
		return max(again.Sub(c.Store.Now()), c.seconds(betweenSteps)), nil
	case err != nil:
		return 0, err
	}
	wanted := func(ctx context.Context) bool { // when its turn has come
		due, err := c.Store.MessagesDue(ctx)
		if err != nil || due {
			return false
		}
		yes, err := c.Store.Wants(ctx, to)
		return yes && err == nil
	}
	_, err = c.Talk.As(telegram.Bulk).OnlyIf(wanted).Send(c.Work, to.User, under.Text(to.Lang), moreKeyboard(to.Lang))
	outcome, code, wait := store.CopyDelivered, "", time.Duration(0)
	switch class := telegram.ClassOf(err); {
	case err == nil:
	case class == telegram.Stopped, class == telegram.Dropped: // another time, if it is still wanted then
		return 0, nil
	case class == telegram.Gone:
		outcome = store.CopyBlocked
	case telegram.MaybeSent(err): // it may have arrived: nobody gets two unasked
		outcome, code = store.CopyFailed, store.MaybeSent
	default:
		code = cmp.Or(retry.CodeOf(err), telegram.Odd.Code())
		asked, waits := retry.After(err)
		if left := c.Talk.Gate.LeftForAll(); waits && left > 0 { // nobody's own: no copy can go out
			return min(left, time.Minute), nil
		}
		if outcome, wait = store.CopyFailed, max(asked, c.seconds(1)); waits && to.Tries+1 < mostCopyTries {
			outcome, rest = store.CopyWaiting, c.seconds(1)
		}
	}
	if a.refused++; outcome != store.CopyFailed || code == store.MaybeSent {
		a.refused = 0
	}
	halt := a.refused >= mostRefusals
	show := halt || time.Since(a.shown) >= c.seconds(betweenSteps)
	if show {
		a.shown = time.Now()
	}
	return rest, q.RetryWrite(c.Work, func() error { // what is not written down would be sent again
		return c.Store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error {
			if err := tx.KeepCopy(to, outcome, code, tx.Now().Add(wait), show); err != nil || !halt {
				return err
			}
			return tx.HaltAnnouncement(under.ID, code)
		})
	})
}
