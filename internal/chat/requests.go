// What a user asked for: their list, cancelling, and a finished video once more.

package chat

import (
	"context"
	"errors"
	"strings"

	"github.com/go-telegram/bot/models"

	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/video"
)

// Status lists a user's requests. Each failed one that waits for a decision comes with its button.
func (c *Chat) Status(ctx context.Context, t *Turn, u store.User) error {
	wanted, err := c.Store.RequestsOf(ctx, u.ID, 10)
	if err != nil {
		return err
	}
	if len(wanted) == 0 {
		return c.Reply(ctx, u, "status_empty", nil, nil)
	}
	lines := []string{lang.Say(u.Lang, "status_title", nil)}
	var get telegram.Keyboard
	var failed []Answer
	for _, w := range wanted {
		id := map[store.Status]string{store.Pending: "status_pending", store.Processing: "status_processing",
			store.Completed: "status_completed", store.Failed: "status_failed"}[w.Status]
		name := lang.Vars{"Name": c.nameOf(w, u.Lang)}
		switch {
		case w.Status == store.Processing && w.Finished:
			id = "status_sending"
			get = append(get, []telegram.Button{
				telegram.NewButton(lang.Say(u.Lang, "button_get", name), telegram.GetButton, w.AssetID)})
		case w.Status == store.Failed && w.Retried:
			id = "status_retried"
		case w.Status == store.Failed:
			failed = append(failed, AnswerTo(u, "status_retry", name, RetryKeyboard(u.Lang, w.AssetID)))
		}
		lines = append(lines, lang.Say(u.Lang, id, name))
	}
	list := Answer{Chat: u.ID, Text: strings.Join(lines, "\n"), Keyboard: get}
	return c.Answers(ctx, t, append([]Answer{list}, failed...)...)
}

// nameOf is how a list of videos calls one of them: where there is a choice of templates, a name may be there twice.
func (c *Chat) nameOf(w store.Wanted, language string) string {
	if len(c.Offers.List()) == 1 {
		return w.Name
	}
	title := video.TitleOf(c.Offers.List(), w.Template, language)
	return lang.Say(language, "status_name", lang.Vars{"Name": w.Name, "Title": title})
}

// CancelAll takes all of a user's requests away that have not begun.
func (c *Chat) CancelAll(ctx context.Context, t *Turn, u store.User) error {
	wanted, err := c.Store.RequestsOf(ctx, u.ID, 100)
	if err != nil {
		return err
	}
	var live []string
	for _, w := range wanted {
		if w.Status.Live() {
			live = append(live, w.AssetID)
		}
	}
	return c.Cancel(ctx, t, u, live...)
}

// Cancel takes a user's requests away, as far as their turn has not come, and says so in their progress messages.
func (c *Chat) Cancel(ctx context.Context, t *Turn, u store.User, assets ...string) error {
	return c.Effect(ctx, t, func(tx *store.Tx) (answers []Answer, err error) {
		nothing := "cancel_nothing"
		for _, id := range assets {
			a, err := tx.Asset(id)
			if errors.Is(err, store.ErrNotFound) {
				continue
			} else if err != nil {
				return nil, err
			}
			progress, err := tx.Cancel(u.ID, id)
			switch {
			case err == nil:
				answer := AnswerTo(u, "cancelled", lang.Vars{"Name": a.Name}, nil)
				answer.Message = progress
				answers = append(answers, answer)
			case !errors.Is(err, store.ErrNotFound):
				return nil, err
			default:
				waits, err := tx.Awaits(u.ID, id)
				if err != nil {
					return nil, err
				}
				if waits {
					nothing = "cancel_late"
				}
			}
		}
		if len(answers) == 0 {
			answers = []Answer{AnswerTo(u, nothing, nil, nil)}
		}
		return answers, nil
	})
}

// Get sends a finished video that the user asked for once more.
func (c *Chat) Get(ctx context.Context, t *Turn, u store.User, assetID string) error {
	return c.Effect(ctx, t, func(tx *store.Tx) ([]Answer, error) {
		a, err := tx.Asset(assetID)
		mine := false
		if err == nil {
			mine, err = tx.HasRequest(u.ID, assetID)
		}
		switch {
		case errors.Is(err, store.ErrNotFound), err == nil && !mine:
			return []Answer{AnswerTo(u, "press_lapsed", nil, nil)}, nil
		case err != nil || a.Status != store.Completed:
			return nil, err
		}
		_, err = tx.Join(a, u.ID, u.ID)
		return nil, err
	})
}

// IsRude reports whether the name of a video is on the list of rude words by now.
func (c *Chat) IsRude(ctx context.Context, assetID string) (bool, error) {
	a, err := c.Store.Asset(ctx, assetID)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return lang.IsRude(a.NameKey, c.Rude), err
}

// Forgotten reports whether a button is older than what is known of the person who pressed it: their data was deleted.
func (c *Chat) Forgotten(ctx context.Context, t *Turn, q *models.CallbackQuery) (bool, error) {
	if t.New {
		return true, nil
	}
	m := q.Message.Message
	if m == nil || m.Date == 0 {
		return false, nil
	}
	since, err := c.Store.KnownSince(ctx, q.From.ID)
	return since.Unix() > int64(m.Date), err
}
