// The maker of videos, as the settings describe it.

package command

import (
	"context"

	"retake.example/internal/config"
	"retake.example/internal/desk"
	"retake.example/internal/lang"
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
	voice := video.VoiceConfig(cfg.Voice)
	if voice.Engine == "none" {
		voice.Engine = ""
	}
	return video.Config{Engine: cfg.Render.Engine, Offered: cfg.Offered(), Templates: cfg.Render.Templates,
		Languages: lang.Languages, Command: cfg.Render.Command, URL: cfg.Render.URL, AllowPrivate: cfg.Render.AllowPrivate,
		MaxBytes: cfg.Telegram.MaxUploadMB << 20, FFmpeg: cfg.Render.FFmpeg, Timeout: cfg.Render.Timeout,
		Work: work, Cache: cfg.CacheDir, Workers: cfg.Workers(), Cores: cfg.Render.Cores,
		Patience: cfg.Queue.OutageMax, Voice: voice, Forms: cfg.DataDir}
}

// sampleName is the name of nobody in particular.
func SampleName(language string) string {
	if language == "ru" {
		return "Маша"
	}
	return "Emma"
}

// Covers draws the pictures of the templates that can be offered, with the name of nobody in particular. Other engines
// have none.
func Covers(cfg config.Config, maker *video.Maker) *desk.Covers {
	if cfg.Render.Engine != video.EngineTemplate && cfg.Render.Engine != video.EngineFarm {
		return nil
	}
	var ids []string
	for _, o := range maker.Available() {
		ids = append(ids, o.ID)
	}
	return desk.NewCovers(ids, func(ctx context.Context, id, path string) error {
		return maker.Cover(
			ctx,
			video.Order{Asset: "cover", Name: SampleName(cfg.Language), Lang: cfg.Language, Template: id},
			path,
		)
	})
}
