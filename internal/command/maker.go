// The maker of videos, as the settings describe it.

package command

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"

	"retake.example/internal/chat"
	"retake.example/internal/config"
	"retake.example/internal/desk"
	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// NewMaker returns the maker of a program. farm makes the films if that is what the settings say.
func NewMaker(cfg config.Config, work string, farm video.Farm) (*video.Maker, error) {
	c := MakerConfig(cfg, work)
	c.Farm = farm
	return video.New(c)
}

// here returns a configuration that needs no farm: it makes the same films on this machine.
func here(c video.Config) video.Config {
	if c.Engine == video.EngineFarm {
		c.Engine = video.EngineTemplate
	}
	return c
}

func MakerConfig(cfg config.Config, work string) video.Config {
	voice := cfg.Voice.VoiceConfig
	if voice.Engine == "none" {
		voice.Engine = ""
	}
	return video.Config{Engine: cfg.Render.Engine, Offered: cfg.Offered(), Templates: templatesFolder(cfg),
		Languages: lang.Languages, Command: cfg.Render.Command, URL: cfg.Render.URL, AllowPrivate: cfg.Render.AllowPrivate,
		MaxBytes: cfg.Telegram.MaxUploadMB << 20, FFmpeg: cfg.Render.FFmpeg, Timeout: cfg.Render.Timeout,
		Work: work, Cache: cfg.CacheDir, Workers: cfg.Workers(), Cores: cfg.Render.Cores,
		Patience: cfg.Queue.OutageMax, Voice: voice, Forms: cfg.DataDir}
}

// Playing returns who says names in the chat before a video is made; nil: nobody.
func Playing(cfg config.Config, maker *video.Maker) chat.Voice {
	if !cfg.Voice.Play {
		return nil
	}
	return maker
}

// templatesFolder is where the operator's templates are: what the settings say, or a folder beside the database, where
// the page puts new ones.
func templatesFolder(cfg config.Config) string {
	return cmp.Or(cfg.Render.Templates, filepath.Join(cfg.DataDir, "templates"))
}

// OpenTemplates returns all templates, and what is offered of them: what an owner has chosen on the page, or else what
// the settings say. Videos that were made in advance of what a template was before are withdrawn.
func OpenTemplates(ctx context.Context, cfg config.Config, st *store.Store, maker *video.Maker,
	log *slog.Logger) (*video.Shelf, *video.Offers, error) {
	shelf, err := video.NewShelf(maker)
	if err != nil {
		return nil, nil, fmt.Errorf("the folder of templates: %w", err)
	}
	offers := video.NewOffers()
	ids := cfg.Offered()
	if shelf.Draws() {
		chosen, err := st.Offers(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("what is offered: %w", err)
		}
		usable := slices.DeleteFunc(slices.Clone(chosen), func(id string) bool { return !shelf.Has(maker.Current(id)) })
		if len(usable) < len(chosen) {
			log.Warn("some templates cannot be offered: the page Templates says why", "of", len(chosen), "usable", len(usable))
		}
		if len(usable) > 0 {
			ids = usable
		}
	}
	if err := shelf.Offer(offers, ids); err != nil {
		return nil, nil, err
	}
	return shelf, offers, KeepEditions(ctx, offers, st, maker, log)
}

// sampleName is the name of nobody in particular.
func SampleName(language string) string {
	if language == "ru" {
		return "Маша"
	}
	return "Emma"
}

// Covers draws the pictures of the templates, with the name of nobody in particular. Other engines have none.
func Covers(cfg config.Config, maker *video.Maker, shelf *video.Shelf) *desk.Covers {
	if cfg.Render.Engine != video.EngineTemplate && cfg.Render.Engine != video.EngineFarm {
		return nil
	}
	return desk.NewCovers(shelf.Has, func(ctx context.Context, id, path string) error {
		return maker.Cover(
			ctx,
			video.Order{Asset: "cover", Name: SampleName(cfg.Language), Lang: cfg.Language, Template: id},
			path,
		)
	})
}
