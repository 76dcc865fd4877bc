// The settings: how they are read with those of the page, what must hold before they are used, and how the page
// changes them.

package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"retake.example/internal/config"
	"retake.example/internal/publish"
	"retake.example/internal/retry"
	"retake.example/internal/seal"
	"retake.example/internal/service"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// load reads the settings and tries them. change may change those of the page before; nil: it does not.
func load(ctx context.Context, s Start, change func(config.Page)) (config.Config, error) {
	var unreadable []string
	cfg, err := s.Load(func(c config.Config) (page config.Page, err error) {
		if page, unreadable, err = pageOf(ctx, c); err == nil && change != nil {
			change(page)
		}
		return page, err
	})
	if err != nil {
		return cfg, err
	}
	cfg.Unreadable = unreadable
	return cfg, try(cfg)
}

// pageOf reads the settings of the page. unreadable are the secrets that were sealed with another key.
func pageOf(ctx context.Context, cfg config.Config) (page config.Page, unreadable []string, err error) {
	page = config.Page{}
	all, err := store.SettingsIn(ctx, cfg.Database())
	if err != nil {
		return nil, nil, fmt.Errorf("the settings of the page: %w", err)
	}
	var box *seal.Box
	for _, s := range all {
		if s.Sealed == nil {
			page[s.Key] = s.Value
			continue
		}
		if box == nil {
			if box, err = existingBox(cfg); err != nil {
				return nil, nil, err
			}
		}
		if box != nil {
			if secret, err := box.Unseal(s.Sealed, owner(s.Key)); err == nil {
				page[s.Key] = string(secret)
				continue
			}
		}
		unreadable = append(unreadable, s.Key)
	}
	return page, unreadable, nil
}

// existingBox is publish.Box, or nil if there is no key yet.
func existingBox(cfg config.Config) (*seal.Box, error) {
	if cfg.YouTube.TokenKey == "" {
		if _, err := os.Stat(cfg.TokenKey()); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
	}
	return publish.Box(cfg)
}

// owner is what the seal of a setting is bound to.
func owner(key string) string { return "setting " + key }

// try returns Faults if what the settings name is not there.
func try(cfg config.Config) error {
	if info, err := os.Stat(cfg.DataDir); err == nil && !info.IsDir() {
		return nil // locking it says what is wrong
	}
	dir, err := os.MkdirTemp("", "retake-settings-") // a run may be using the folders of these settings
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	made := here(MakerConfig(cfg, filepath.Join(dir, "work")))
	made.Cache = filepath.Join(dir, "cache")
	_, err = video.New(made)
	if retry.IsPermanent(err) {
		return config.Faults{"render.template, render.offer: " + err.Error()}
	}
	return err
}

// Settings changes those of the page.
type Settings struct {
	keeper *keeper
	store  *store.Store
}

// Current returns the settings of the run.
func (s *Settings) Current() config.Config {
	s.keeper.mu.Lock()
	defer s.keeper.mu.Unlock()
	return s.keeper.cfg
}

// Refused returns why the settings were last not read again, or nil.
func (s *Settings) Refused() error {
	s.keeper.mu.Lock()
	defer s.keeper.mu.Unlock()
	return s.keeper.refused
}

// Change gives keys other values, written as TOML writes them, and those of reset their defaults. It ends the run for
// the next one, which has the new settings. It returns config.Faults if they cannot be used, and has changed nothing
// then.
func (s *Settings) Change(ctx context.Context, admin int64, set map[string]string, reset []string) error {
	s.keeper.changing.Lock()
	defer s.keeper.changing.Unlock()
	cfg, err := load(ctx, s.keeper.start, func(page config.Page) {
		for key, value := range set {
			page[key] = value
		}
		for _, key := range reset {
			delete(page, key)
		}
	})
	if err != nil {
		return err
	}
	rows := make([]store.Setting, 0, len(set))
	for key, value := range set {
		row := store.Setting{Key: key, Value: value}
		if config.IsSecret(key) {
			box, err := publish.Box(cfg)
			if err != nil {
				return err
			}
			row.Value, row.Sealed = "", box.Seal([]byte(value), owner(key))
		}
		rows = append(rows, row)
	}
	if err := s.store.Tx(ctx, func(tx *store.Tx) error { return tx.ChangeSettings(admin, rows, reset) }); err != nil {
		return fmt.Errorf("save the settings: %w", err)
	}
	if cfg, err = load(ctx, s.keeper.start, nil); err != nil {
		return err
	}
	return errors.Join(service.Reloading(), s.keeper.adopt(cfg))
}
