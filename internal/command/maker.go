// The maker of videos, as the settings describe it.

package command

import (
	"retake.example/internal/config"
	"retake.example/internal/lang"
	"retake.example/internal/video"
)

func NewMaker(cfg config.Config, work string) (*video.Maker, error) {
	return video.New(MakerConfig(cfg, work))
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
