// What the page shows of the settings, and of what is missing.

package command

import (
	"context"

	"retake.example/internal/config"
	"retake.example/internal/desk"
	"retake.example/internal/video"
)

// Limits are what the page's settings show of the configuration.
func Limits(cfg config.Config) []desk.Limit {
	return []desk.Limit{
		{Label: "limit_attempts", Value: cfg.Queue.Attempts},
		{Label: "limit_backoff", Value: cfg.Queue.Backoff},
		{Label: "limit_backoff_max", Value: cfg.Queue.BackoffMax},
		{Label: "limit_timeout", Value: cfg.Render.Timeout},
		{Label: "limit_workers", Value: cfg.Workers()},
		{Label: "limit_of_open", Value: cfg.Limits.Open},
		{Label: "limit_of_hour", Value: cfg.Limits.PerHour},
		{Label: "limit_of_day", Value: cfg.Limits.PerDay},
		{Label: "limit_of_all", Value: cfg.Limits.AllPerDay},
		{Label: "limit_media", Value: cfg.Limits.MediaGB},
		{Label: "limit_reuse", Value: cfg.Render.ReuseFor},
		{Label: "limit_keep_videos", Value: desk.KeptFor(cfg.Privacy.Videos)},
		{Label: "limit_keep_history", Value: desk.KeptFor(cfg.Privacy.History)},
		{Label: "limit_keep_people", Value: desk.KeptFor(cfg.Privacy.People)},
		{Label: "limit_upload", Value: desk.Megabytes(cfg.Telegram.MaxUploadMB)},
		{Label: "limit_media_upload", Value: desk.Megabytes(cfg.Media.MaxUploadMB)},
	}
}

// Missing says what keeps the program from doing its whole job, by messages, or by sentences of those who miss it.
func Missing(ctx context.Context, cfg config.Config, maker *video.Maker, stored func() error) (problems []string) {
	if err := maker.Ready(ctx); err != nil {
		problems = append(problems, err.Error())
	}
	if err := maker.Voice(); err != nil && len(cfg.Voice.Command) > 0 {
		problems = append(problems, err.Error())
	}
	if cfg.Telegram.Token == "" {
		problems = append(problems, "problem_bot_off")
	}
	if err := stored(); err != nil {
		problems = append(problems, err.Error())
	}
	return problems
}
