// The commands template check and template preview.

package command

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"retake.example/internal/cli"
	"retake.example/internal/config"
	"retake.example/internal/folder"
	"retake.example/internal/lang"
	"retake.example/internal/video"
)

func checkTemplate(ctx context.Context, cfg config.Config, c Invocation) error {
	sentences, err := video.CheckTemplate(ctx, MakerConfig(cfg, ""), c.Words[0])
	for _, sentence := range sentences {
		fmt.Fprintln(c.Out, sentence)
	}
	return err
}

// previewTemplate shows what a template makes of a name.
func previewTemplate(ctx context.Context, cfg config.Config, c Invocation) error {
	p := video.Preview{
		Template: c.Words[0],
		Name:     c.Words[1],
		Lang:     cmp.Or(cli.Value[string](c.Line, "lang"), cfg.Language),
		At:       cli.Value[time.Duration](c.Line, "at"),
	}
	if !slices.Contains(lang.Languages, p.Lang) {
		return cli.Usage(fmt.Sprintf("retake: -lang: one of %s is expected", strings.Join(lang.Languages, ", ")))
	}
	file := "preview.mp4"
	if p.At >= 0 {
		file = "preview.png"
	}
	file = cmp.Or(cli.Value[string](c.Line, "o"), file)
	return c.print(file+"\n", p.Make(ctx, MakerConfig(cfg, ""), file, folder.Copy))
}
