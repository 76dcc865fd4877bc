// The command retry: one failed video, or all.

package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"retake.example/internal/cli"
	"retake.example/internal/config"
	"retake.example/internal/folder"
	"retake.example/internal/retry"
	"retake.example/internal/store"
)

// retryFailed does what the button on the page does, for one video or for all. A running serve goes on with it.
func retryFailed(ctx context.Context, cfg config.Config, c Invocation) error {
	all := cli.Value[bool](c.Line, "all-failed")
	if all == (len(c.Words) == 1) {
		return c.Wrong("one ASSET is expected, or -all-failed")
	}
	st, err := c.Program.OpenBeside(cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	queue := c.Program.Retrier(st, NewLog(cfg))
	if all {
		err = retryAllFailed(ctx, st, queue, c.Out)
	} else {
		var outcome retry.Outcome
		outcome, err = queue.Retry(ctx, c.Words[0], retry.AdminClicked{Admin: store.Admin{Owner: true}})
		err = c.print(string(outcome)+"\n", err)
	}
	return errors.Join(err, folder.Wake(cfg.DataDir))
}

// retryAllFailed presses Retry all, and names what it could do nothing for.
func retryAllFailed(ctx context.Context, st *store.Store, queue retry.Retrier, out io.Writer) error {
	operator, began := store.Admin{Owner: true}, st.Now()
	need, err := st.NeedYou(ctx, operator, store.Filter{})
	if err != nil {
		return err
	}
	videos, err := retry.All(ctx, st, queue, operator, store.Filter{}, need.Newest, need.Count)
	var publications retry.Tally
	if err == nil {
		publications, err = retry.AllPublications(ctx, st, queue, operator, store.Filter{}, began, math.MaxInt32)
	}
	var messages retry.Tally
	if err == nil {
		messages, err = retry.AllUndelivered(ctx, st, queue, operator, store.Filter{}, began, math.MaxInt32)
	}
	fmt.Fprintf(out, "Tried again: %s, %s, messages about %s. Under way already: %d.\n",
		cli.Count(videos.Restarted, "video"), cli.Count(publications.Restarted, "publication"),
		cli.Count(messages.Restarted, "video"), videos.Joined+publications.Joined+messages.Joined)
	still, lost := st.StillFailed(ctx, began)
	if err = errors.Join(err, lost); err != nil || len(still) == 0 {
		return err
	}
	var left []string
	for _, f := range still {
		left = append(left, cli.Left(f.AssetID, f.Platform, f.Step))
	}
	return fmt.Errorf("not tried again:\n  %s", strings.Join(left, "\n  "))
}
