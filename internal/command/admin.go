// The commands about admins: add, remove, list, and a sign-in link.

package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"retake.example/internal/cli"
	"retake.example/internal/config"
	"retake.example/internal/desk"
	"retake.example/internal/folder"
	"retake.example/internal/store"
)

// userID reads the Telegram id of a person.
func (c Invocation) userID() (int64, error) {
	id, err := strconv.ParseInt(c.Words[0], 10, 64)
	if err != nil || id <= 0 {
		return 0, c.Wrong("%q is no Telegram user id: a number is expected", c.Words[0])
	}
	return id, nil
}

func adminLink(ctx context.Context, cfg config.Config, c Invocation) error {
	id, err := c.userID()
	if err != nil {
		return err
	}
	st, err := c.Program.OpenBeside(cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	switch _, ok, err := st.RoleOf(ctx, Role(cfg), id); {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("%d is no admin: not in telegram.owners, not in telegram.admins, and not by retake admin add", id)
	}
	link, err := desk.NewLink(ctx, st, cfg.Web.BaseURL, id)
	return c.print(link+"\n", err)
}

// changeAdmins runs a transaction about admins and has a running serve take notice.
func changeAdmins(ctx context.Context, cfg config.Config, c Invocation, change func(*store.Tx) error) error {
	st, err := c.Program.OpenBeside(cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	if err := st.Tx(ctx, change); err != nil {
		return err
	}
	return folder.Wake(cfg.DataDir)
}

func adminAdd(ctx context.Context, cfg config.Config, c Invocation) error {
	id, err := c.userID()
	if err != nil {
		return err
	}
	a := store.Admin{ID: id, Owner: cli.Value[bool](c.Line, "owner")}
	rank := cli.Rank(a.Owner)
	given, stands := Role(cfg)(id)
	already := given.Owner
	if !already {
		if err := changeAdmins(ctx, cfg, c, func(tx *store.Tx) error {
			now, _, err := tx.RoleOf(Role(cfg), id)
			// a command may have made an admin of the settings an owner
			if already = stands && now.Owner == a.Owner; already || err != nil {
				return err
			}
			return tx.Appoint(a, 0, store.ByCommand)
		}); err != nil {
			return err
		}
	}
	if already {
		return c.print(fmt.Sprintf("%d is an %s already, by %s.\n", id, cli.Rank(given.Owner), cfg.WhereAdmin(id)), nil)
	}
	return c.print(
		fmt.Sprintf(
			"%d is an %s now, and signs in with /admin in the bot, or with the link of: retake admin link %[1]d\n",
			id,
			rank,
		),
		nil,
	)
}

func adminRemove(ctx context.Context, cfg config.Config, c Invocation) error {
	id, err := c.userID()
	if err != nil {
		return err
	}
	err = changeAdmins(ctx, cfg, c, func(tx *store.Tx) error { return tx.Dismiss(id, 0) })
	_, given := Role(cfg)(id)
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	case given:
		return fmt.Errorf("%d is listed in %s: remove the number there, and restart serve", id, cfg.WhereAdmin(id))
	case err != nil:
		return fmt.Errorf("%d is no admin", id)
	}
	return c.print(fmt.Sprintf("%d is no admin any more, and signed out everywhere.\n", id), nil)
}

// origins say how somebody who is not in the settings became an admin.
var origins = map[string]string{store.ByCommand: "retake admin add", store.ByPage: "the page",
	store.ByInvitation: "an invitation"}

func adminList(ctx context.Context, cfg config.Config, c Invocation) error {
	var lines [][3]string
	for _, id := range cfg.Staff() {
		given, _ := Role(cfg)(id)
		lines = append(lines, [3]string{strconv.FormatInt(id, 10), cli.Rank(given.Owner), cfg.WhereAdmin(id)})
	}
	st, err := c.Program.OpenBeside(cfg)
	switch {
	case errors.Is(err, os.ErrNotExist): // serve has not run yet
	case err != nil:
		return err
	default:
		defer st.Close()
		appointed, err := st.Appointed(ctx)
		if err != nil {
			return err
		}
		for _, a := range appointed {
			lines = append(
				lines,
				[3]string{strconv.FormatInt(a.ID, 10), cli.Rank(a.Owner), origins[a.Origin] + ", " + a.Added.Format(time.DateOnly)},
			)
		}
	}
	if len(lines) == 0 {
		return c.print("Nobody is an admin: retake admin add ID -owner makes somebody one.\n", nil)
	}
	return c.print(cli.Columns(lines), nil)
}
