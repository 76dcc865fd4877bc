// The command warm: the names of a file, made in advance; and the editions of templates that such videos depend on.

package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"retake.example/internal/cli"
	"retake.example/internal/config"
	"retake.example/internal/desk"
	"retake.example/internal/folder"
	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// KeepEditions withdraws the videos that were made in advance with another version of a template.
func KeepEditions(ctx context.Context, offers *video.Offers, st *store.Store,
	maker interface {
		Edition(id string) (string, error)
	}, log *slog.Logger) error {
	for _, o := range offers.List() {
		id := o.Template()
		edition, err := maker.Edition(id)
		if err != nil {
			return err
		}
		var n int
		err = st.Tx(ctx, func(tx *store.Tx) (err error) {
			if n, err = tx.KeepEdition(id, edition); err != nil {
				return err
			}
			old, err := tx.UseVersion(o.ID, id)
			n += old
			return err
		})
		if err != nil {
			return fmt.Errorf("keep what template %s is made of: %w", id, err)
		}
		if n > 0 {
			log.Warn("videos made in advance are withdrawn: their template has changed", "template", id, "videos", n)
		}
	}
	return nil
}

// warm puts the names of a file on the list of those that are made in advance. A running serve makes them.
func warm(ctx context.Context, cfg config.Config, c Invocation) error {
	st, err := c.Program.OpenBeside(cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	offered, err := st.Offers(ctx)
	if err != nil {
		return err
	}
	if len(offered) == 0 {
		offered = cfg.Offered()
	}
	template := cmp.Or(cli.Value[string](c.Line, "template"), offered[0])
	language := cmp.Or(cli.Value[string](c.Line, "lang"), cfg.Language)
	switch {
	case !slices.Contains(offered, template):
		return c.Wrong("-template: one of %s is expected", strings.Join(offered, ", "))
	case !slices.Contains(lang.Languages, language):
		return c.Wrong("-lang: one of %s is expected", strings.Join(lang.Languages, ", "))
	}
	text, err := os.ReadFile(c.Words[0])
	if err != nil {
		return err
	}
	rules, current, err := nameRules(cfg)
	if err != nil {
		return err
	}
	template = current(template)
	names, bad, err := rules.List(template, string(text))
	if err != nil {
		return err
	}
	order := store.InAdvance{Admin: operator, Template: template, Lang: language, Names: names}
	added, err := st.AddInAdvance(ctx, order, st.Now().Add(-cfg.Render.ReuseFor))
	if err != nil {
		return err
	}
	if err := folder.Wake(cfg.DataDir); err != nil {
		return err
	}
	state, err := st.Advance(ctx)
	if err != nil {
		return err
	}
	return errors.Join(c.print(warmed(added, state), nil), refusedLines(bad))
}

// nameRules are those of the settings: the templates' fonts, and the operator's rude words. current says what orders
// for a template say.
func nameRules(cfg config.Config) (rules desk.NameRules, current func(template string) string, err error) {
	work, err := os.MkdirTemp("", "retake-warm-") // not the data folder's: a running serve renders there
	if err != nil {
		return rules, nil, err
	}
	defer os.RemoveAll(work)
	cfg.CacheDir = filepath.Join(work, "cache")
	maker, err := video.New(here(MakerConfig(cfg, work)))
	if err != nil {
		return rules, nil, err
	}
	rude, err := lang.OperatorsWords(filepath.Join(cfg.DataDir, "rude"))
	return desk.NameRules{CanDraw: maker.CanDraw, Rude: rude}, maker.Current, err
}

// warmed says what came of a list, and what is left to do.
func warmed(added store.Added, state store.Advance) string {
	var b strings.Builder
	fmt.Fprintf(&b, "To be made in advance: %s. Ready already: %d. On the list already: %d.\n",
		cli.Count(added.Queued, "name"), added.Ready, added.Listed)
	if state.Rest() == 0 {
		return b.String()
	}
	fmt.Fprintf(&b, "Left to make in all: %s", cli.Count(state.Rest(), "video"))
	if state.Left > 0 {
		minutes := max(int(state.Left.Round(time.Minute)/time.Minute), 1)
		fmt.Fprintf(&b, ", in about %s if nobody asks for anything", cli.Count(minutes, "minute"))
	}
	if state.Bytes > 0 {
		fmt.Fprintf(&b, ", about %d MB", max(state.Bytes>>20, 1))
	}
	b.WriteString(".\nThe page shows how far it is, and stops it.\n")
	return b.String()
}

// refusedLines is the error that names the lines which no video can be made of; nil: there are none.
func refusedLines(bad []desk.BadLine) error {
	if len(bad) == 0 {
		return nil
	}
	var lines []string
	for _, b := range bad {
		lines = append(lines, fmt.Sprintf("line %d: %s", b.Line, lang.Say("en", b.Problem, nil)))
	}
	return fmt.Errorf("not made, the other names are:\n  %s", strings.Join(lines, "\n  "))
}
