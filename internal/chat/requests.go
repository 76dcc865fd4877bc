// What a user asked for: their list, cancelling, and a finished video once more.

package chat

import (
	"context"
	"errors"
	"strings"

	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/video"
)

// Status lists a user's requests. Each failed one that waits for a decision comes with its button.
func (c *Chat) Status(ctx context.Context, u store.User) error {
	wanted, err := c.Store.RequestsOf(ctx, u.ID, 10)
	if err != nil {
		return err
	}
	if len(wanted) == 0 {
		return c.Reply(ctx, u, "status_empty", nil, nil)
	}
	lines := []string{lang.Say(u.Lang, "status_title", nil)}
	var get telegram.Keyboard
	var failed []store.Wanted
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
		case w.Status == store.Failed && len(failed) < 3:
			failed = append(failed, w)
		}
		lines = append(lines, lang.Say(u.Lang, id, name))
	}
	if _, err := c.Talk.Send(ctx, u.ID, strings.Join(lines, "\n"), get); err != nil {
		return err
	}
	for _, w := range failed {
		name := lang.Vars{"Name": c.nameOf(w, u.Lang)}
		if err := c.Reply(ctx, u, "status_retry", name, RetryKeyboard(u.Lang, w.AssetID)); err != nil {
			return err
		}
	}
	return nil
}

// nameOf is how a list of videos calls one of them: where there is a choice of templates, a name may be there twice.
func (c *Chat) nameOf(w store.Wanted, language string) string {
	if len(c.Offers) == 1 {
		return w.Name
	}
	title := video.TitleOf(c.Offers, w.Template, language)
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
	type cancelled struct {
		name     string
		progress int
	}
	var done []cancelled
	answer := "cancel_nothing"
	return c.Tx(ctx, t, func(tx *store.Tx) error {
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
			return c.Reply(ctx, u, answer, nil, nil)
		}
		for len(done) > 0 {
			text := lang.Say(u.Lang, "cancelled", lang.Vars{"Name": done[0].name})
			var err error
			if done[0].progress != 0 {
				err = c.Talk.Edit(ctx, u.ID, done[0].progress, text, nil)
			} else {
				_, err = c.Talk.Send(ctx, u.ID, text, nil)
			}
			if err != nil {
				return err
			}
			done = done[1:]
		}
		return nil
	})
}

// Get sends a finished video that the user asked for once more.
func (c *Chat) Get(ctx context.Context, u store.User, assetID string) error {
	err := c.Store.Tx(ctx, func(tx *store.Tx) error {
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
		return c.Reply(ctx, u, "press_lapsed", nil, nil)
	}
	return err
}
