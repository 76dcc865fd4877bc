// The farm: the centre's half for serve, and the command worker for every other machine.

package command

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"runtime"

	"retake.example/internal/config"
	"retake.example/internal/farm"
	"retake.example/internal/folder"
	"retake.example/internal/video"
)

// OpenFarm returns the farm that makes the videos, or nil if none does.
func OpenFarm(cfg config.Config, log *slog.Logger) (*farm.Centre, error) {
	if cfg.Render.Engine != video.EngineFarm {
		return nil, nil
	}
	return farm.Open(farm.Options{Access: access(cfg), Replicas: cfg.Farm.Replicas}, log)
}

// access is how the farm's servers are reached.
func access(cfg config.Config) farm.Access {
	return farm.Access{URL: cfg.Farm.URL, Credentials: cfg.Farm.Credentials, CA: cfg.Farm.CA}
}

// runWorker makes films for the Retake whose farm the settings name. It needs no database and no token.
func runWorker(ctx context.Context, cfg config.Config, c Invocation) error {
	for key, fault := range cfg.FarmFaults(true) {
		return config.Faults{cmp.Or(cfg.From[key], "the settings") + ": " + key + ": " + fault}
	}
	dir := filepath.Join(cfg.DataDir, "worker")
	unlock, err := folder.Lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	base := here(MakerConfig(cfg, filepath.Join(dir, "work"))) // the settings may be those of the centre, copied
	base.Cache = filepath.Join(dir, "cache")
	base.Workers = cmp.Or(cfg.Queue.Workers, runtime.NumCPU())
	tried := base
	tried.Offered, tried.Templates = []string{"new-year"}, "" // those of the centre are not here yet
	maker, err := video.New(tried)
	if err != nil {
		return err
	}
	if _, err := maker.Tools(ctx); err != nil {
		return err
	}
	return farm.Work(ctx, farm.WorkerOptions{Access: access(cfg), Version: c.Program.Version, Cores: base.Workers,
		Dir:   dir,
		Build: func(k video.Kit, folder string) (farm.Maker, error) { return video.New(base.With(k, folder)) }}, NewLog(cfg))
}

// lookAtFarm says what retake check finds of the farm.
func lookAtFarm(ctx context.Context, cfg config.Config) error {
	workers, err := farm.Look(ctx, access(cfg))
	if err == nil && len(workers) == 0 {
		err = errors.New("the farm's server answers, but no worker is there: start retake worker on another machine")
	}
	return err
}
