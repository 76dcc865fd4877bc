// The commands against abuse: ban and unban, pause and resume.

package command

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"retake.example/internal/config"
	"retake.example/internal/store"
)

// operator is the admin who changes something by a command.
const operator = 0

// chatID reads the Telegram id of a person or a group.
func (c Invocation) chatID() (int64, error) {
	id, err := strconv.ParseInt(c.Words[0], 10, 64)
	if err != nil || id == 0 {
		return 0, c.Wrong("%q isn't a Telegram id: a number is expected, below 0 for a group", c.Words[0])
	}
	return id, nil
}

func banChat(ctx context.Context, cfg config.Config, c Invocation) error {
	id, err := c.chatID()
	if err != nil {
		return err
	}
	return c.change(
		ctx,
		cfg,
		func(tx *store.Tx) error { return tx.Ban(id, operator, "") },
		fmt.Sprintf(
			"%d gets nothing any more. To end that: retake unban %[1]d",
			id,
		),
		fmt.Sprintf("%d is banned already.", id),
	)
}

func unbanChat(ctx context.Context, cfg config.Config, c Invocation) error {
	id, err := c.chatID()
	if err != nil {
		return err
	}
	return c.change(ctx, cfg, func(tx *store.Tx) error { return tx.Unban(id, operator) },
		fmt.Sprintf("%d gets videos again.", id), fmt.Sprintf("%d isn't banned.", id))
}

func pauseWishes(ctx context.Context, cfg config.Config, c Invocation) error {
	return c.change(ctx, cfg, func(tx *store.Tx) error { return tx.Pause(operator) },
		"No new wishes are taken. To take them again: retake resume", "No new wishes are taken already.")
}

func resumeWishes(ctx context.Context, cfg config.Config, c Invocation) error {
	return c.change(ctx, cfg, func(tx *store.Tx) error { return tx.Resume(operator) },
		"Wishes are taken again.", "Wishes are taken already.")
}

// change runs a transaction that a running serve takes notice of, and prints what came of it. already is what it prints
// if there was nothing to change.
func (c Invocation) change(
	ctx context.Context,
	cfg config.Config,
	do func(*store.Tx) error,
	done, already string,
) error {
	err := changeAdmins(ctx, cfg, c, do)
	if errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrNotFound) {
		done, err = already, nil
	}
	return c.print(done+"\n", err)
}
