// The owner of a new bot: the first who opens it with the code that the set-up shows.

package chat

import (
	"context"

	"github.com/go-telegram/bot/models"

	"retake.example/internal/store"
)

// Own makes somebody the owner who started the bot with the code of the set-up, if it is the right one and there is no
// owner yet. Others are told that it does not work, and greeted.
func (c *Chat) Own(ctx context.Context, t *Turn, u store.User, from *models.User, code [32]byte) error {
	var yes bool
	err := c.Effect(ctx, t, func(tx *store.Tx) (answers []Answer, err error) {
		if !c.HasOwner {
			if yes, err = tx.BecomeOwner(code, u.ID); err != nil {
				return nil, err
			}
		}
		if yes {
			return []Answer{AnswerTo(u, "owner_now", nil, nil)}, tx.NameAdmin(u.ID, from.FirstName, from.Username)
		}
		return []Answer{AnswerTo(u, "owner_code_over", nil, nil), AnswerTo(u, "start", nil, nil)}, nil
	})
	if err == nil && yes {
		c.RenewMenu(u.ID)
	}
	return err
}
