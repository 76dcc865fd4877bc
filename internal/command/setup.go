// The link that a start prints, with which somebody signs in before the bot can give them one.

package command

import (
	"context"
	"fmt"
	"io"

	"retake.example/internal/config"
	"retake.example/internal/desk"
	"retake.example/internal/store"
)

// SetUpLink prints a sign-in link as long as nobody has used one, or the bot or its owner is missing.
func SetUpLink(ctx context.Context, st *store.Store, cfg config.Config, out io.Writer) error {
	had, err := st.HadSession(ctx)
	if err != nil {
		return err
	}
	owned, err := st.HasOwner(ctx)
	if err != nil {
		return err
	}
	ready := cfg.Telegram.Token != "" && (owned || len(cfg.Telegram.Owners) > 0)
	if had && ready {
		return nil
	}
	var admin int64 // the operator
	if len(cfg.Telegram.Owners) > 0 {
		admin = cfg.Telegram.Owners[0]
	}
	link, err := desk.NewLink(ctx, st, cfg.Web.BaseURL, admin)
	if err != nil {
		return err
	}
	what := "Sign in to the page"
	if !ready {
		what = "Open this to set up your bot"
	}
	_, err = fmt.Fprintf(out, "\n%s (works once, for 15 minutes):\n  %s\n\n", what, link)
	return err
}
