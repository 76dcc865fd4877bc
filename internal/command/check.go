// The command check: what is missing on this machine, and what to do about it.

package command

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"retake.example/internal/chat"
	"retake.example/internal/check"
	"retake.example/internal/config"
	"retake.example/internal/folder"
	"retake.example/internal/lang"
	"retake.example/internal/media"
	"retake.example/internal/publish"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/tgchannel"
	"retake.example/internal/video"
	"retake.example/internal/watch"
	"retake.example/internal/youtube"
)

// checkAll says of everything on this machine whether it is well.
func checkAll(ctx context.Context, c Invocation) error {
	cfg, err := c.settings(ctx)
	if faults, ok := errors.AsType[config.Faults](err); ok {
		return config.Faults{check.Refused(c.Out, faults).Error()}
	} else if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "retake-check-") // not the data folder's: a running serve renders there
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	cfg.CacheDir = filepath.Join(work, "cache")
	parts, err := partsOf(cfg, c.Program, work)
	if err != nil {
		return err
	}
	return check.Run(ctx, c.Out, time.Minute, slices.Collect(maps.Values(cfg.Secrets())), parts.Probes()...)
}

// partsOf are what retake check looks at.
func partsOf(cfg config.Config, program *Program, work string) (check.Parts, error) {
	db, name := cfg.Database(), SampleName(cfg.Language)
	var err error
	parts := check.Parts{
		File:       cfg.File,
		UploadMB:   cfg.Telegram.MaxUploadMB,
		API:        cfg.Telegram.APIURL,
		Listen:     cfg.Web.Listen,
		BaseURL:    cfg.Web.BaseURL,
		DataDir:    cfg.DataDir,
		Process:    folder.Running(cfg.DataDir),
		Backups:    cfg.BackupDir(),
		NoBackups:  cfg.Backup.Every == 0,
		BackupRoom: source(cfg).Room,
		Least:      video.Reserve,
		Low:        watch.LowDisk,
		Database:   func(ctx context.Context) ([]string, bool, error) { return program.LookAt(ctx, db) },
	}
	for key, value := range cfg.Secrets() {
		parts.Secret = parts.Secret || value != "" && cfg.File != "" && strings.HasPrefix(cfg.From[key], cfg.File+":")
	}
	parts.Owners = func(ctx context.Context) (n int, strangers []int64) {
		people := cfg.Staff()
		// a database that cannot be read has a line of its own, and so has a bot without an answer
		appointed, _ := store.AppointedIn(ctx, db)
		for _, a := range appointed {
			if people = append(people, a.ID); a.Owner {
				n++
			}
		}
		if cfg.Telegram.Token != "" {
			strangers, _ = telegram.Strangers(ctx, telegram.NewClient(), cfg.Telegram.APIURL, cfg.Telegram.Token, people)
		}
		return len(cfg.Telegram.Owners) + n, strangers
	}
	parts.Bot = func(ctx context.Context) (name, webhook string, err error) {
		if cfg.Telegram.Token == "" {
			return "", "", nil
		}
		self, err := telegram.Look(ctx, telegram.NewClient(), cfg.Telegram.APIURL, cfg.Telegram.Token)
		return self.Name, self.Webhook, err
	}
	if cfg.Media.Store == "s3" {
		parts.Media = tries(cfg.Media.S3, "media.s3")
	}
	if cfg.Backup.S3.Endpoint != "" {
		parts.Copies = tries(cfg.Backup.S3, "backup.s3")
	}
	if ways := waysOf(cfg); ways.On() || cfg.Watch.Ping != "" {
		parts.Alarm = func(ctx context.Context) (err error) {
			if cfg.Watch.Ping != "" {
				err = ways.Ping(ctx, cfg.Watch.Ping)
			}
			_, sent := ways.Send(ctx, "Retake", lang.Say(cfg.Language, "alarm_test", nil))
			return errors.Join(err, sent)
		}
	}
	if cfg.YouTube.ClientID != "" {
		parts.YouTube = func(ctx context.Context) (unknown bool, err error) {
			err = publish.NewYouTube(cfg, time.Now).Look(ctx)
			return errors.Is(err, youtube.ErrUnknown), err
		}
	}
	if cfg.Telegram.Token != "" {
		if parts.Channels, err = channelsToCheck(cfg, db); err != nil {
			return parts, err
		}
	}
	made := here(MakerConfig(cfg, work))
	made.Offered, made.Templates = []string{"new-year"}, "" // the offered ones are tried one by one
	maker, err := video.New(made)
	if err != nil {
		return parts, err
	}
	parts.FFmpeg, parts.Font = maker.Tools, maker.Font
	switch cfg.Render.Engine {
	case video.EngineTemplate:
	case video.EngineFarm:
		parts.Engine = func(ctx context.Context) error { return lookAtFarm(ctx, cfg) }
	default:
		parts.Engine = maker.Engine
	}
	parts.VoiceEngine, parts.VoiceAsked = cfg.Voice.Engine, len(cfg.Voice.Command) > 0
	parts.Voice = func(ctx context.Context) error {
		if err := maker.Voice(); err != nil {
			return err
		}
		return maker.Speak(ctx, name, cfg.Language)
	}
	parts.Templates = cfg.Offered()
	parts.Template = func(ctx context.Context, id string) ([]string, error) {
		return video.TryTemplate(ctx, MakerConfig(cfg, ""), id, name, cfg.Language)
	}
	return parts, nil
}

// tries keeps a file in a bucket of the settings, reads it and deletes it.
func tries(b config.Bucket, setting string) func(context.Context) error {
	return func(ctx context.Context) error {
		bucket, err := media.NewS3(s3Config(b, setting), 0)
		if err != nil {
			return err
		}
		return bucket.Try(ctx)
	}
}

// channelsToCheck are the connected Telegram channels. A database that cannot be read has a probe of its own.
func channelsToCheck(cfg config.Config, db string) (list []check.Channel, err error) {
	channels, _ := store.ConnectedIn(context.Background(), db, "TELEGRAM")
	if len(channels) == 0 {
		return nil, nil
	}
	bot, err := chat.New(nil, chat.Options{Token: cfg.Telegram.Token, APIURL: cfg.Telegram.APIURL, Second: time.Second},
		slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	client := tgchannel.New(nil, publish.NewLooker(&bot.Talk))
	for _, c := range channels {
		list = append(list, check.Channel{Title: c.Title, Look: func(ctx context.Context) error {
			_, err := client.Connect(ctx, c.External)
			return err
		}})
	}
	return list, nil
}
