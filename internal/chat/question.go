// The question about a name, and what its buttons do.

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

// Ask hears a text as a child's name and asks whether to make a video of it, and which. Small talk gets a kind answer.
func (c *Chat) Ask(ctx context.Context, t *Turn, u store.User, text string) error {
	if small := lang.SmallTalk(text); small != "" {
		return c.Reply(ctx, u, small, nil, nil)
	}
	name, key, problem := lang.ParseName(text)
	var able []video.Offer // to draw the name
	switch {
	case problem != "":
	case lang.IsRude(key, c.Rude):
		problem = "name_rude"
	default:
		for _, o := range c.Offers.List() {
			switch err := c.CanDraw(o.Template(), name); {
			case err == nil:
				able = append(able, o)
			case !errors.Is(err, video.ErrCannotDraw): // the fonts could not be read: the update is tried again
				return err
			}
		}
		if len(able) == 0 {
			problem = "name_undrawable"
		}
	}
	if problem != "" {
		return c.Reply(ctx, u, problem, nil, nil)
	}
	return c.Effect(ctx, t, func(tx *store.Tx) ([]Answer, error) {
		draft, err := tx.SaveDraft(u.ID, name)
		return []Answer{c.question(u, name, draft, able)}, err
	})
}

// question asks whether to make a video of a name, and which.
func (c *Chat) question(u store.User, name, draft string, able []video.Offer) Answer {
	change := telegram.NewButton(lang.Say(u.Lang, "button_change", nil), telegram.ChangeButton, draft)
	if len(able) == 1 {
		yes := telegram.NewButton(lang.Say(u.Lang, "button_yes", nil), telegram.YesButton, c.choice(draft, able[0]))
		return AnswerTo(u, "confirm", lang.Vars{"Name": name}, append(telegram.Row(yes, change), c.playRow(u, draft)...))
	}
	var rows telegram.Keyboard // a title may be long: each has a row
	for _, o := range able {
		title := video.TitleOf(able, o.ID, u.Lang)
		rows = append(rows, []telegram.Button{telegram.NewButton(title, telegram.YesButton, c.choice(draft, o))})
	}
	rows = append(rows, []telegram.Button{change})
	return AnswerTo(u, "choose", lang.Vars{"Name": name}, append(rows, c.playRow(u, draft)...))
}

// choice is what the button carries that makes a draft with a template. It names the template only where there is a
// choice: a draft alone means the first.
func (c *Chat) choice(draft string, o video.Offer) string {
	if len(c.Offers.List()) == 1 {
		return draft
	}
	return draft + ":" + o.ID
}

// Yes makes the video of a draft, within the limits, with the template that was chosen. The question becomes the
// progress message: its first edit follows as soon as there is time, and the toast says the same at once.
func (c *Chat) Yes(ctx context.Context, t *Turn, q outlooker, query string, u store.User, message int,
	choice string) error {
	draft, template, chosen := strings.Cut(choice, ":")
	if !chosen {
		template = c.Offers.List()[0].ID
	}
	t.Press(query, "")
	offer, offered := c.Offers.Find(template)
	if !offered {
		return c.Answers(ctx, t, AnswerTo(u, "press_lapsed", nil, nil)) // the draft stays: the other buttons still work
	}
	var toast string
	var a store.Asset
	err := c.Effect(ctx, t, func(tx *store.Tx) ([]Answer, error) {
		toast = ""
		answer := func(message int, id string, vars lang.Vars) []Answer {
			a := AnswerTo(u, id, vars, nil)
			a.Message = message
			return []Answer{a}
		}
		// The draft stays if that is refused: its button works again later.
		if refused, err := c.refusal(tx.Allow(u.ID, c.Limits()), u); refused != nil || err != nil {
			return refused, err
		}
		name, err := tx.TakeDraft(u.ID, draft)
		if errors.Is(err, store.ErrNotFound) {
			shown, err := tx.Shows(u.ID, message)
			if shown { // a second press, before the buttons were gone
				toast = "toast_waiting"
				return nil, err
			}
			return answer(message, "confirm_lapsed", nil), err
		} else if err != nil {
			return nil, err
		}
		key := lang.NameKey(name)
		if lang.IsRude(key, c.Rude) { // by a list that is newer than the question
			return answer(message, "name_rude", nil), nil
		}
		wish := store.Order{User: u.ID, Chat: u.ID, Name: name, Key: key, Template: offer.Template(), Lang: u.Lang,
			Message: message}
		var grant store.Result
		if a, grant, err = tx.ShareOrCreate(wish, tx.Now().Add(-c.ReuseFor)); err != nil {
			return nil, err
		}
		err = tx.Note(store.Event{User: u.ID, Action: "ask", AssetID: a.ID, Outcome: string(grant)})
		switch grant {
		case store.Waiting:
			toast = "toast_waiting"
			return answer(message, "already_waiting", lang.Vars{"Name": name}), err
		case store.Ready:
			toast = "toast_ready"
			return nil, err
		}
		toast = "request_created"
		return nil, err // the video is a job
	})
	switch {
	case err != nil:
		return err
	case toast == "request_created":
		t.Press(query, c.Created(ctx, q, u.Lang, a))
	case toast != "":
		t.Press(query, lang.Say(u.Lang, toast, nil))
	}
	return nil
}

// Change forgets a draft, so that another name takes its place.
func (c *Chat) Change(ctx context.Context, t *Turn, query string, u store.User, message int, draft string) error {
	shown := false
	err := c.Effect(ctx, t, func(tx *store.Tx) (answers []Answer, err error) {
		if _, err = tx.TakeDraft(u.ID, draft); errors.Is(err, store.ErrNotFound) {
			shown, err = tx.Shows(u.ID, message)
		}
		if err == nil && !shown {
			answers = []Answer{AnswerTo(u, "confirm_change", nil, nil)}
		}
		return answers, err
	})
	switch {
	case err != nil:
		return err
	case shown: // its Yes was pressed before: it is the progress message
		t.Press(query, lang.Say(u.Lang, "toast_waiting", nil))
	default:
		t.Press(query, "")
		c.StripButtons(u.ID, message)
	}
	return nil
}
