// What is kept of people, how they see it, and how they have it deleted.

package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/watch"
)

// discarder does what a deletion leaves to be done outside of the database.
type discarder interface {
	Discard(ctx context.Context, gone store.Deleted)
}

// Forget is the answer to the question whether to delete a user's data. What the chat still promises goes with it.
func (c *Chat) Forget(ctx context.Context, t *Turn, q discarder, u store.User, message int, yes bool) error {
	c.StripButtons(u.ID, message)
	if !yes {
		return c.Reply(ctx, u, "kept", nil, nil)
	}
	var gone store.Deleted
	err := c.Effect(ctx, t, func(tx *store.Tx) (answers []Answer, err error) {
		promises, err := tx.Promises(u.ID)
		if err != nil {
			return nil, err
		}
		if gone, err = tx.Forget(u.ID); err != nil {
			return nil, err
		}
		if n := len(gone.Kept); n == 0 {
			answers = append(answers, AnswerTo(u, "forgotten", nil, nil))
		} else {
			answers = append(answers, AnswerTo(u, "forgotten_but", lang.Vars{"Count": n}, nil))
		}
		for _, message := range promises {
			answers = append(answers, Answer{Chat: u.ID, Message: message})
		}
		return answers, nil
	})
	if err != nil {
		return err
	}
	q.Discard(ctx, gone)
	if err := c.Store.Checkpoint(ctx); err != nil { // the next one erases it
		c.Log.Warn("what was deleted is still in the write-ahead log", "err", err)
	}
	for _, id := range gone.Kept { // the page says it until it is done
		c.tellAdmins(watch.Message{ID: "asked_to_go", Vars: lang.Vars{"Link": c.BaseURL + "/assets/" + id}})
	}
	return nil
}

// SendData sends a user all that is kept about them.
func (c *Chat) SendData(ctx context.Context, u store.User, admin bool) error {
	var x store.Export
	if err := c.Store.Tx(ctx, func(tx *store.Tx) (err error) { x, err = tx.Export(u.ID, admin); return err }); err != nil {
		return err
	}
	file, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return fmt.Errorf("write an export: %w", err)
	}
	return c.Talk.SendDocument(ctx, u.ID, "my-data.json", file, lang.Say(u.Lang, "my_data", nil))
}

// Privacy is what is kept, for how long, and how to see and delete it.
func (o Options) Privacy(language string) string {
	says := []string{lang.Say(language, "privacy", nil)}
	var times []string
	for _, t := range []struct {
		goes, stays string
		keep        time.Duration
	}{
		{"privacy_videos", "privacy_videos_kept", o.Keep.Videos},
		{"privacy_history", "privacy_history_kept", o.Keep.History},
		{"privacy_people", "privacy_people_kept", o.Keep.People},
	} {
		if t.keep == 0 {
			times = append(times, lang.Say(language, t.stays, nil))
			continue
		}
		times = append(times, lang.Say(language, t.goes, lang.Vars{"Count": int(math.Ceil(t.keep.Hours() / 24))}))
	}
	who := "privacy_nobody"
	switch {
	case o.Elsewhere:
		who = "privacy_service"
	case o.Farm:
		who = "privacy_farm"
	}
	says = append(says, strings.Join(times, "\n"))
	if o.Announcements {
		says = append(says, lang.Say(language, "privacy_news", nil))
	}
	says = append(says, lang.Say(language, who, nil), lang.Say(language, "privacy_ways", nil))
	return strings.Join(says, "\n\n")
}
