// Invitations: the first person to open one becomes an admin.

package chat

import (
	"context"
	"errors"

	"github.com/go-telegram/bot/models"

	"retake.example/internal/desk"
	"retake.example/internal/store"
)

// InvitationLink returns the address that opens the bot with the code of an invitation.
func (c *Chat) InvitationLink(ctx context.Context, code string) (string, error) {
	link, err := c.link(ctx)
	return link + "?start=" + code, err
}

// AcceptInvitation makes who has opened an invitation an admin, and says what they may do now.
func (c *Chat) AcceptInvitation(ctx context.Context, t *Turn, u store.User, from *models.User, code string) error {
	hash, _ := desk.InvitationOf(code)
	admin := false
	err := c.Effect(ctx, t, func(tx *store.Tx) ([]Answer, error) {
		a, already, err := tx.AcceptInvitation(hash, u.ID, c.Role)
		admin = err == nil
		switch {
		case errors.Is(err, store.ErrNotFound):
			return []Answer{AnswerTo(u, "invitation_lapsed", nil, nil)}, nil
		case err != nil:
			return nil, err
		case already:
			return []Answer{AnswerTo(u, "invitation_already", nil, nil)}, nil
		}
		id := "invitation_admin"
		if a.Owner {
			id = "invitation_owner"
		}
		return []Answer{AnswerTo(u, id, nil, nil)}, tx.NameAdmin(u.ID, from.FirstName, from.Username)
	})
	if err == nil && admin {
		c.RenewMenu(u.ID) // Telegram refuses it before their first message
	}
	return err
}
